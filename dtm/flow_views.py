"""Read the published moves of a release side by side: by source, round, level and breakdown, never added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from dtm._exports_columns import WRITTEN
from dtm._exports_rows import joined
from dtm._flow_table_places import PARTS, REGION, Level, parts_of
from dtm._flow_views_regions import to_regions
from dtm.errors import UnknownRoundError, WrongUseError
from dtm.flow_items import BREAKDOWNS as ITEM_BREAKDOWNS
from dtm.released import ReleasedTable

if TYPE_CHECKING:
    from collections.abc import Collection

    from dtm.released import Release

COUNTED_SOURCES = ("arrivals", "departures", "checkpoint", "checkpoint_through")
SURVEY_SOURCES = ("survey_1y", "survey_5y", "survey_lifetime")
SOURCES = (*COUNTED_SOURCES, "reconciled", "imputed", *SURVEY_SOURCES)
"""Sources of moves in a release: told, counted, and estimated from those."""
BREAKDOWNS = ("reason", *ITEM_BREAKDOWNS)
"""Breakdowns of the moves over an area's border, each by itself."""
COLUMNS = (
    "round_number", "source", "level", "pcode", "direction", "origin", "destination", "part", "breakdown", "item",
    "value", "low", "high", "status", "method", "note",
)  # fmt: skip
"""Columns of a view: `pcode` is the area that told it and `direction` is seen from it, both empty for pairs that nobody
told alone. `part` says where the move goes, one of `PARTS`; `value` is null unless the status is published.
"""
TOTAL = "total"
VIEW_NAME = "flow-view"
_KEY = ["round_number", "source", "level", "pcode", "direction", "part", "origin", "destination", "breakdown", "item"]
_ORDER: dict[Any, dict[str, int]] = {
    "source": {name: index for index, name in enumerate(SOURCES)},
    "part": {name: index for index, name in enumerate((TOTAL, *PARTS[:-1]))},
}
_NUMBERS = ("value", "low", "high")
_IMPUTED = {"arrivals": "in", "departures": "out"}


@dataclass(frozen=True)
class FlowView:
    """Rows of a release's moves with `COLUMNS`, and what is to be said of rows that are not there."""

    frame: pd.DataFrame
    notes: tuple[str, ...]


def view_flows(
    release: Release,
    *,
    sources: Collection[str] = (),
    round_number: int | None = None,
    level: Level | None = None,
    by: Collection[str] = (),
) -> FlowView:
    """Return the published moves of people, each source by itself.

    Without a breakdown: the pairs of places and the totals over each area's border. With one: the items of those
    totals, each breakdown by itself; sex is not told by age. Regions are made of the level-1 areas: a sum with a
    hidden figure in it is hidden, and what can't be made up is left out and named in the notes. Of the survey, `inside`
    holds those who never moved as well.

    Parameters
    ----------
    release
        The open release.
    sources
        Any of `SOURCES`; all when empty.
    round_number
        One round; all when not given.
    level
        1, 2, 3 or ``region``; all levels of the release when not given.
    by
        Any of `BREAKDOWNS`.

    Raises
    ------
    WrongUseError, UnknownRoundError
        There is no such source, round, level or breakdown; those that there are, are named.
    """
    _known("source", sources, SOURCES)
    _known("breakdown", by, BREAKDOWNS)
    rounds = release.table("round").frame["round_number"].astype(int).tolist()
    if round_number is not None and round_number not in rounds:
        there = ", ".join(map(str, rounds)) or "none"
        raise UnknownRoundError(f"The release has no round {round_number}; there are: {there}.")
    levels = _levels(release)
    if level is not None and level not in levels:
        raise WrongUseError(f"The release has no level {level}; there are: {', '.join(map(str, levels))}.")
    wanted = [source for source in SOURCES if not sources or source in sources]
    where: dict[str, Any] = {} if round_number is None else {"round_number": round_number}
    if level is not None:
        where["level"] = 1 if level == REGION else level
    frame = pd.concat([_breakdowns(release, wanted, where, by) if by else _moves(release, wanted, where)])
    notes: list[str] = []
    if level == REGION:
        frame, notes = to_regions(frame, release.table("area", where={"level": 1}).frame["pcode"])
    notes += _missing(frame, wanted, by=by, named=bool(sources))
    frame = frame.sort_values(_KEY, key=lambda keys: keys.map(_ORDER[keys.name]) if keys.name in _ORDER else keys)
    return FlowView(frame.reset_index(drop=True)[list(COLUMNS)], tuple(notes))


def view_table(release: Release, view: FlowView, *, language: str = "en") -> ReleasedTable:
    """Return a view with names, words, dates and coverage, ready for `dtm.exports.export_table`."""
    frame = view.frame.rename(columns={"level": "zone_level"}).astype({"zone_level": "str"})
    rows = ReleasedTable(VIEW_NAME, frame, release.manifest)
    return joined(release, rows, product=WRITTEN[VIEW_NAME], language=language)


def _known(what: str, told: Collection[str], known: tuple[str, ...]) -> None:
    for name in told:
        if name not in known:
            raise WrongUseError(f"There is no {what} '{name}'; there are: {', '.join(known)}.")


def _levels(release: Release) -> list[Level]:
    found: list[Level] = sorted(int(level) for level in release.table("area").frame["level"].unique())
    return [*found, REGION] if 1 in found else found


def _moves(release: Release, sources: list[str], where: dict[str, Any]) -> pd.DataFrame:
    """Return pairs and totals."""
    told = {"measure": "persons", "reason": TOTAL, "source": [name for name in sources if name in COUNTED_SOURCES]}
    surveyed = {"source": [name for name in sources if name in SURVEY_SOURCES]}
    parts = [
        release.table("flow", where={**told, **where}).frame,
        release.table("survey_flow", where={**surveyed, **where}).frame,
    ]
    if "reconciled" in sources:
        parts.append(release.table("flow_estimate", where=where).frame.assign(source="reconciled"))
    if "imputed" in sources:
        figures = release.table("imputed", where={"figure": list(_IMPUTED), **where}).frame
        parts.append(_totals(figures.assign(source="imputed", direction=figures["figure"].map(_IMPUTED))))
    frame = _columns(parts).assign(breakdown=TOTAL, item=TOTAL)
    return frame.assign(part=parts_of(frame["origin"], frame["destination"], level=None).astype("str"))


def _breakdowns(release: Release, sources: list[str], where: dict[str, Any], by: Collection[str]) -> pd.DataFrame:
    """Return the items of the totals."""
    told = {"measure": "persons", "source": [name for name in sources if name in COUNTED_SOURCES], **where}
    items = release.table("flow_item", where={**told, "breakdown": list(by)}).frame
    parts = [items]
    if "reason" in by:
        reasons = release.table("flow", where={**told, "counterpart": TOTAL}).frame
        reasons = reasons[reasons["reason"] != TOTAL]
        parts.append(reasons.assign(breakdown="reason", item=reasons["reason"]))
    return _columns([_totals(part) for part in parts]).assign(part=TOTAL)


def _totals(frame: pd.DataFrame) -> pd.DataFrame:
    """Give rows about the moves over an area's border their two ends."""
    comes_in = frame["direction"] == "in"
    return frame.assign(origin=frame["pcode"].mask(comes_in, TOTAL), destination=frame["pcode"].where(comes_in, TOTAL))


def _columns(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Put the rows of several tables below each other, in the columns of a view."""
    texts = [name for name in COLUMNS if name not in _NUMBERS]
    kinds = {**dict.fromkeys(texts, "object"), **dict.fromkeys(_NUMBERS, "Float64"), "round_number": "int64"}
    frame = pd.concat([part.reindex(columns=list(COLUMNS)).astype(kinds) for part in parts], ignore_index=True)
    nulls = ("pcode", "direction", "note")
    named = [name for name in texts if name not in (*nulls, "round_number", "level")]
    frame = frame.astype(dict.fromkeys(named, "str"))
    return frame.assign(**{name: frame[name].where(frame[name].notna(), None) for name in nulls})


def _missing(frame: pd.DataFrame, sources: list[str], *, by: Collection[str], named: bool) -> list[str]:
    """Say which of the sources have nothing to show."""
    there = set(frame["source"])
    empty = [source for source in sources if source not in there]
    notes = []
    if by:
        told = [source for source in empty if source not in ("arrivals", "departures")]
        if told and named:
            notes.append(f"No breakdown is published of {', '.join(told)}; arrivals and departures have them.")
        empty = [source for source in empty if source not in told]
    if empty:
        notes.append(f"The release has no figures of {', '.join(empty)} here.")
    return notes


__all__ = ["BREAKDOWNS", "COLUMNS", "PARTS", "SOURCES", "FlowView", "view_flows", "view_table"]

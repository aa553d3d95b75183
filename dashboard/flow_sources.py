"""Read moves by the source that tells them: pairs of places, and totals over an area's border."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from dashboard.state import RETURN_SOURCES, SURVEY_SOURCES
from dtm._release_tables import NOT_REPORTED, PUBLISHED, SUPPRESSED, UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dashboard.reader import Snapshot
    from dashboard.state import View

CITY_LEVEL, DISTRICT_LEVEL, KHOROO_LEVEL = 1, 2, 3
CHECKPOINT, RECONCILED, TOTAL = "checkpoint", "reconciled", "total"
ABROAD, UNKNOWN = "abroad", "unknown"
NOWHERE = (ABROAD, UNKNOWN)
"""Ends of moves that have no place on a map."""
SIDES = ("in", "out", "net")
_WORST_FIRST = (SUPPRESSED, NOT_REPORTED, UNDEFINED)


def is_told(source: str) -> bool:
    """Return whether the units' own returns are the source."""
    return source in RETURN_SOURCES


def table_of(source: str) -> str:
    """Return the release table with the source's pairs of places."""
    if source in SURVEY_SOURCES:
        return "survey_flow"
    return "flow_estimate" if source == RECONCILED else "flow"


def unit_of(view: View) -> str:
    """Return what is counted: only returns tell households."""
    return view.unit if is_told(view.source) else "persons"


def sides_of(view: View) -> tuple[str, ...]:
    """Return what is drawn for the view's direction: in, out and their difference, or one of them."""
    return SIDES if view.direction == "both" else (view.direction,)


def reason_of(snapshot: Snapshot, view: View) -> str:
    """Return the reason where the source tells reasons and the release has it, else the total."""
    return view.reason if is_told(view.source) and view.reason in reasons(snapshot) else TOTAL


def reasons(snapshot: Snapshot) -> list[str]:
    """Return the reasons the release tells, in order of their codes."""
    frame = snapshot.rows("flow", level=CITY_LEVEL, counterpart=TOTAL, measure="persons", source=RETURN_SOURCES)
    return sorted({str(code) for code in frame["reason"]} - {TOTAL})


def has_source(snapshot: Snapshot, source: str) -> bool:
    """Return whether the release has anything of a source."""
    if source == RECONCILED:
        return not snapshot.rows("flow_estimate").empty
    if source in SURVEY_SOURCES:
        return not snapshot.rows("survey_flow", source=source).empty
    if source == CHECKPOINT:
        return not (snapshot.rows("flow", source=source).empty and snapshot.rows("passage_day").empty)
    return not snapshot.rows("flow", source=source, level=CITY_LEVEL).empty


def district_of(snapshot: Snapshot, view: View) -> str | None:
    """Return the district of the selected area, None where the whole city is selected."""
    pcode = snapshot.area_or_home(view.area)
    while snapshot.level_of(pcode) > DISTRICT_LEVEL:
        parent = snapshot.areas.loc[pcode, "parent_pcode"]
        if not isinstance(parent, str) or parent not in snapshot.areas.index:
            return None
        pcode = parent
    return pcode if snapshot.level_of(pcode) == DISTRICT_LEVEL else None


def inside(snapshot: Snapshot, pcode: str) -> set[str]:
    """Return an area with every area of the release inside it."""
    parents = snapshot.areas["parent_pcode"]
    found, last = {pcode}, {pcode}
    while last:
        last = set(snapshot.areas.index[parents.isin(last)]) - found
        found |= last
    return found


def pairs(snapshot: Snapshot, view: View, *, level: int) -> pd.DataFrame:
    """Return the released pairs of places of the view's source and round at a level, moves inside an area too.

    The rows are the release's own, of `flow`, `flow_estimate` or `survey_flow`, with the `id` of a pair besides.
    """
    number = snapshot.round_or_last(view.round)
    name = table_of(view.source)
    where: dict[str, Any] = {"round_number": number, "level": level}
    if name == "flow":
        where |= {"source": view.source, "reason": TOTAL, "measure": unit_of(view)}
    elif name == "survey_flow":
        where |= {"source": view.source}
    frame = snapshot.rows(name, **where)
    frame = frame[(frame["origin"] != TOTAL) & (frame["destination"] != TOTAL)]
    return frame.assign(id=pair_ids(frame))


def pair_ids(frame: pd.DataFrame) -> pd.Series:
    """Return what tells a pair from the others of its source and round."""
    ids: pd.Series = frame["origin"] + ">" + frame["destination"]
    return ids


def towards(frame: pd.DataFrame, members: set[str], direction: str) -> pd.DataFrame:
    """Return the pairs that end (in) or begin (out) in an area, or do either."""
    begins, ends = frame["origin"].isin(members), frame["destination"].isin(members)
    return frame[ends if direction == "in" else begins if direction == "out" else begins | ends]


def published(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that have a value."""
    return frame[(frame["status"] == PUBLISHED) & frame["value"].notna()]


def worst(statuses: Iterable[str]) -> str:
    """Return the status of a figure made of others: published only where all of them are."""
    found = set(statuses)
    return next((status for status in _WORST_FIRST if status in found), PUBLISHED if found else NOT_REPORTED)


def status_counts(frame: pd.DataFrame) -> dict[str, int]:
    """Return how many figures there are of each status."""
    return {str(status): int(count) for status, count in frame["status"].value_counts().items()}


def border_totals(
    snapshot: Snapshot, *, source: str, unit: str, reason: str = TOTAL, by: str = "pcode", **where: Any
) -> pd.DataFrame:
    """Return people in, out and net over the borders of areas, each with its status.

    `by` is `pcode` (with `round_number` and `level` in `where`) or `round_number` (with `pcode` in `where`). Of the
    returns' own sources, in is told by the arrivals and out by the departures. Of the others, in and out are the
    sums of their pairs, published where every pair is; of the survey, `in_base`, `out_base` and `net_base` are the
    persons of the sample behind them.
    """
    if is_told(source):
        frame = snapshot.rows("flow", source=RETURN_SOURCES, counterpart=TOTAL, reason=reason, measure=unit, **where)
        sides = {side: frame[frame["direction"] == side].set_index(by) for side in ("in", "out")}
        found = {side: own[["value", "status"]].astype({"value": "float64"}) for side, own in sides.items()}
    else:
        found = {
            side: _summed(snapshot, source, side, by=by, where=dict(where)) for side in ("in", "out")
        }  # fmt: skip
    index = found["in"].index.union(found["out"].index)
    totals = pd.DataFrame(index=index)
    for side, own in found.items():
        shown = own.reindex(index)
        totals[side] = shown["value"]
        totals[f"{side}_status"] = shown["status"].astype(object).fillna(NOT_REPORTED)
        if source in SURVEY_SOURCES:
            totals[f"{side}_base"] = shown["base_persons"]
    if source in SURVEY_SOURCES:
        totals["net_base"] = totals[["in_base", "out_base"]].sum(axis=1, min_count=1)
    totals["net"] = totals["in"] - totals["out"]
    totals["net_status"] = [
        worst(pair) for pair in zip(totals["in_status"], totals["out_status"], strict=True)
    ]  # fmt: skip
    return totals


def _summed(snapshot: Snapshot, source: str, side: str, *, by: str, where: dict[str, Any]) -> pd.DataFrame:
    end = "destination" if side == "in" else "origin"
    pcode = where.pop("pcode", None)
    if pcode is not None:
        where["level"] = snapshot.level_of(pcode)
        where[end] = pcode
    name = table_of(source)
    if name != "flow_estimate":
        where["source"] = source
    if name == "flow":
        where |= {"reason": TOTAL, "measure": "persons"}
    frame = snapshot.rows(name, **where)
    frame = frame[(frame["origin"] != frame["destination"]) & ~frame[["origin", "destination"]].eq(TOTAL).any(axis=1)]
    frame = frame[frame[end].isin(snapshot.areas.index)]
    groups = frame.groupby(end if by == "pcode" else by)
    statuses = groups["status"].agg(worst)
    values = groups["value"].sum(min_count=1).astype("float64").where(statuses == PUBLISHED)
    found = pd.DataFrame({"value": values, "status": statuses})
    if "base_persons" in frame:
        found["base_persons"] = groups["base_persons"].sum(min_count=1).astype("float64")
    return found

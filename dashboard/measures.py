"""Name the figures a map can show, and read them from a release."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dtm.measures import note_words

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.reader import Snapshot

TOTALS = {"breakdown": "total", "item": "total"}
WHOLE_OF_NOTE = re.compile(r"(?<=:)[0-9]{4,}(?=;|$)")
ENDS_OF_NOTE = re.compile(r"(?<=between:)([0-9.]+)/([0-9.]+)(?=;|$)")


@dataclass(frozen=True)
class Measure:
    """A figure by area and round: the released table and columns that hold it, and how to write it."""

    key: str
    table: str
    where: dict[str, Any] = field(hash=False)
    unit: str
    decimals: int = 0
    diverging: bool = False


def _stock(key: str, category: str, measure: str) -> Measure:
    return Measure(key, "stock", {"category": category, "measure": measure, **TOTALS}, measure)


def _indicator(key: str, unit: str, *, decimals: int = 1, diverging: bool = False) -> Measure:
    return Measure(key, "indicator", {"indicator": key}, unit, decimals, diverging)


def _density(key: str, unit: str, *, decimals: int = 1) -> Measure:
    return Measure(key, "density", {"indicator": key}, unit, decimals)


MEASURES: dict[str, Measure] = {
    measure.key: measure
    for measure in (
        _stock("actual_persons", "actual", "persons"),
        _stock("registered_persons", "registered", "persons"),
        _stock("actual_households", "actual", "households"),
        _indicator("unregistered_share_pct", "percent"),
        _indicator("net_per_1000", "per_1000", diverging=True),
        _indicator("in_per_1000", "per_1000"),
        _indicator("out_per_1000", "per_1000"),
        _indicator("change_pct", "percent", diverging=True),
        _density("persons_per_km2", "persons_per_km2", decimals=0),
        _density("persons_per_ha", "persons_per_ha"),
        _density("ger_households_per_ha_of_ger_area", "households_per_ha"),
        _density("ger_household_share_pct", "percent"),
        _density("ger_area_share_pct", "percent"),
    )
}
OVERVIEW_MEASURES = (
    "actual_persons", "registered_persons", "actual_households", "unregistered_share_pct", "net_per_1000",
    "in_per_1000", "out_per_1000", "change_pct", "persons_per_km2",
)  # fmt: skip
GER_MEASURES = (
    "ger_households_per_ha_of_ger_area", "persons_per_ha", "ger_household_share_pct", "ger_area_share_pct",
)  # fmt: skip


def measure_or_first(key: str, allowed: tuple[str, ...]) -> Measure:
    """Return the measure if the page shows it, the page's first otherwise."""
    return MEASURES[key if key in allowed else allowed[0]]


def by_area(snapshot: Snapshot, measure: Measure, *, round_number: int, level: int) -> pd.DataFrame:
    """Return value and status of every area of a level, by P-code; an area without a row is not reported."""
    frame = snapshot.rows(measure.table, round_number=round_number, level=level, **measure.where)
    shown = frame.set_index("pcode").reindex(snapshot.at_level(level).index)
    shown["status"] = shown["status"].fillna("not_reported")
    if "note" not in shown:
        shown["note"] = None
    return shown[["value", "status", "note"]].astype({"value": "float64"})


def note_text(note: object, lang: str) -> str:
    """Return the words of a note such as `matched_units:12`, nothing without one.

    Its counts are grouped by comma, and the two ends of an interval have the same decimals.
    """
    if not isinstance(note, str) or not note:
        return ""
    counted = WHOLE_OF_NOTE.sub(lambda found: f"{int(found[0]):,}", ENDS_OF_NOTE.sub(_interval_words, note))
    english, mongolian = note_words(counted)
    return mongolian if lang == "mn" else english


def _interval_words(found: re.Match[str]) -> str:
    decimals = max(len(end.partition(".")[2]) for end in found.groups())
    return "–".join(f"{float(end):,.{decimals}f}" for end in found.groups())


def by_round(snapshot: Snapshot, measure: Measure, *, pcode: str) -> pd.DataFrame:
    """Return value and status at every round of the release, for one area."""
    frame = snapshot.rows(measure.table, pcode=pcode, **measure.where)
    shown = frame.set_index("round_number").reindex(snapshot.rounds.index)
    shown["status"] = shown["status"].fillna("not_reported")
    return shown[["value", "status"]].astype({"value": "float64"})


def all_values(snapshot: Snapshot, measure: Measure, *, level: int) -> pd.Series:
    """Return the published values of a level at every round, so that one scale serves them all."""
    values: pd.Series = snapshot.rows(measure.table, level=level, **measure.where)["value"].dropna().astype("float64")
    return values


def one(snapshot: Snapshot, table: str, /, *, pcode: str, round_number: int, **where: Any) -> tuple[float | None, str]:
    """Return value and status of one figure; `not_reported` where the release has no such row."""
    frame = snapshot.rows(table, pcode=pcode, round_number=round_number, **where)
    if frame.empty:
        return None, "not_reported"
    row = frame.iloc[0]
    status = str(row["status"])
    return (float(row["value"]), status) if status == "published" else (None, status)

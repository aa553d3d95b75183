"""List the figures each chart of moves draws, with unit, status and coverage: its table and its file are made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from dashboard import flow_bars, flowmap, od_matrix, passage_charts, sankey
from dashboard.flow_series_figures import (
    day_figures,
    people_figures,
    trend_figures,
    week_figures,
    with_round_breaks,
)
from dashboard.flow_sources import CHECKPOINT, RECONCILED, is_told, reason_of, sides_of, unit_of
from dashboard.state import RETURN_SOURCES, SURVEY_SOURCES
from dashboard.system_table import index_name, system_rows
from dtm._release_tables import PUBLISHED

if TYPE_CHECKING:
    from collections.abc import Callable

    from dashboard.reader import Snapshot
    from dashboard.state import View
    from dashboard.words import Words

PAIR_COLUMNS = ("low", "high", "arrivals", "departures", "mirror_ratio", "base_persons")
SYSTEM_SOURCES = (*RETURN_SOURCES, RECONCILED)
"""Sources whose moves are looked at as one system."""
METHODS = dict.fromkeys(SURVEY_SOURCES, "sampled") | {RECONCILED: "reconciled"}
SERIES = {
    "moves": "series.moves", "inside": "matrix.own", "stayed": "matrix.stayed", "in": "direction.in",
    "out": "direction.out", "net": "key.net", "actual_persons": "measure.actual_persons",
    "registered_persons": "measure.registered_persons", "coverage": "key.coverage",
}  # fmt: skip
"""Words of what a figure counts."""
DRAWN = ("yes", "smaller", "between", "nowhere", "zero", "gap")
"""Whether a chart draws a row of its figures, or why not."""
HOW = ("observed", "month", "interpolated", "projected", "imputed", "expanded", "reconciled", "sampled")
"""How a figure is known; `month` is of a round that the months between the rounds hang on."""


def figures(snapshot: Snapshot, view: View, words: Words) -> pd.DataFrame:
    """Return the figures of the open tab's charts in the order they are read, each with its `id`; no row without one.

    The columns are those of `dtm.chart_figures.COLUMNS` that have a meaning for the chart, and `id`. A row that the
    chart has but does not draw says why in `drawn`.
    """
    found = _BUILDERS[view.tab](snapshot, view, words)
    if found.empty:
        return pd.DataFrame(columns=[*found.columns, *(name for name in _CORE if name not in found)])
    number = snapshot.round_or_last(view.round)
    defaults: dict[str, Any] = {
        "round_number": number, "source": view.source, "chart": view.tab, "unit": unit_of(view), "drawn": "yes",
        "method": METHODS.get(view.source, "observed"),
    }  # fmt: skip
    found = found.assign(**{name: value for name, value in defaults.items() if name not in found})
    labels = {code: words(SERIES[code]) if code in SERIES else index_name(code, words) for code in set(found["series"])}
    if "series_break" not in found:
        found = with_round_breaks(snapshot, view, found)
    if "series_label" not in found:
        found = found.assign(series_label=found["series"].map(labels))
    return found.assign(
        chart_label=words(f"tab.{view.tab}"),
        drawn_label=[words(f"drawn.{code}") for code in found["drawn"]],
    ).reset_index(drop=True)


_CORE = ("id", "round_number", "chart", "series", "value", "unit", "status", "drawn")


def pair_figures(snapshot: Snapshot, view: View, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return pairs of places with what stands behind each: units of who told it, persons asked, or hours watched."""
    own = pairs["origin"] == pairs["destination"]
    stayed = "stayed" if view.source in SURVEY_SOURCES else "inside"
    found = pairs[[name for name in ("id", "origin", "destination", "value", "status", "drawn") if name in pairs]]
    found = found.assign(series=own.map({True: stayed, False: "moves"}), level=od_matrix.level_of(view))
    found = found.assign(**{name: pairs[name] for name in PAIR_COLUMNS if name in pairs})
    if view.source == CHECKPOINT:
        return found.assign(hours_observed=_hours(snapshot, view))
    if view.source in SURVEY_SOURCES:
        return found
    if found.empty:
        return found
    ends = {"arrivals": ["destination"], "departures": ["origin"]}.get(view.source, ["origin", "destination"])
    units = coverage_of(snapshot, view)
    for name in ("units_expected", "units_reported"):
        told = sum(found[end].map(units[name]) for end in ends)
        found[name] = told.where(~own | (len(ends) == 1), found["origin"].map(units[name]))
    return found


def coverage_of(snapshot: Snapshot, view: View) -> pd.DataFrame:
    """Return the units expected and reported of every area in the view's round."""
    return snapshot.rows("coverage", round_number=snapshot.round_or_last(view.round)).set_index("pcode")


def _hours(snapshot: Snapshot, view: View) -> float:
    """Return the hours all checkpoints of the round were watched, not a number where nobody knows."""
    frame = snapshot.rows("passage_day", round_number=snapshot.round_or_last(view.round), measure="persons")
    return float(frame.drop_duplicates(["checkpoint", "day"])["hours_observed"].astype("float64").sum(min_count=1))


def _map(snapshot: Snapshot, view: View, _words: Words) -> pd.DataFrame:
    rows = flowmap.flow_rows(snapshot, view)
    return pair_figures(snapshot, view, rows.assign(drawn=flowmap.on_map(snapshot, view, rows)))


def _cells(matrix: od_matrix.Matrix, ends: list[tuple[str, str]]) -> pd.DataFrame:
    cells = [matrix.cells[pair] for pair in ends]
    return pd.DataFrame(
        {
            "id": [f"{origin}>{destination}" for origin, destination in ends],
            "origin": [origin for origin, _ in ends],
            "destination": [destination for _, destination in ends],
            "value": pd.Series([cell.value for cell in cells], dtype="float64"),
            "status": [cell.status for cell in cells],
            **{name: [getattr(cell, name) for cell in cells] for name in PAIR_COLUMNS},
        }
    )


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(["value", "id"], ascending=[False, True], na_position="last")


def _matrix(snapshot: Snapshot, view: View, _words: Words) -> pd.DataFrame:
    matrix = od_matrix.build_matrix(snapshot, view)
    shown = [matrix.ends(row, column) for row in matrix.rows for column in matrix.columns]
    return pair_figures(snapshot, view, _ordered(_cells(matrix, [ends for ends in shown if ends in matrix.cells])))


def _bands(snapshot: Snapshot, view: View, _words: Words) -> pd.DataFrame:
    """Return the bands, those of the rest too, and the pairs that have none."""
    matrix = od_matrix.build_matrix(snapshot, view)
    bands = sankey.choose_bands(snapshot, view, matrix)
    own = _cells(matrix, [(a, b) for a, b, _ in bands.links if b != sankey.REST])
    rest = [(a, value) for a, b, value in bands.links if b == sankey.REST]
    grouped = pd.DataFrame(
        {"id": [f"{a}>{sankey.REST}" for a, _ in rest], "origin": [a for a, _ in rest], "destination": sankey.REST,
         "value": [value for _, value in rest], "status": PUBLISHED}
    )  # fmt: skip
    gaps = _cells(matrix, bands.gaps).assign(drawn=lambda frame: frame["value"].eq(0).map({True: "zero", False: "gap"}))
    frames = [frame for frame in (own.assign(drawn="yes"), grouped.assign(drawn="yes"), gaps) if not frame.empty]
    return pair_figures(snapshot, view, pd.concat(frames)) if frames else own.assign(series="")


def _bars(snapshot: Snapshot, view: View, _words: Words) -> pd.DataFrame:
    """Return in, out and net of areas or checkpoints, one row a side."""
    if view.source == CHECKPOINT:
        totals = passage_charts.by_checkpoint(snapshot, round_number=snapshot.round_or_last(view.round))
        return _by_side(totals, view).rename(columns={"place": "checkpoint"})
    totals = flow_bars.area_totals(snapshot, view)
    shown = set(flow_bars.shown_ends(totals, key=flow_bars.key_of(view)).index)
    found = _by_side(totals, view).rename(columns={"place": "pcode"}).assign(level=view.flow_level)
    left_out = totals[flow_bars.key_of(view)].isna().map({True: "gap", False: "between"})
    found["drawn"] = ["yes" if code in shown else left_out[code] for code in found["pcode"]]
    if view.source not in SURVEY_SOURCES:
        units = coverage_of(snapshot, view)
        found = found.assign(**{name: found["pcode"].map(units[name]) for name in ("units_expected", "units_reported")})
    return found.assign(reason=reason_of(snapshot, view)) if is_told(view.source) else found


def _by_side(totals: pd.DataFrame, view: View) -> pd.DataFrame:
    """Return one row a place and side, in the order of the places."""
    if totals.empty:
        return pd.DataFrame(columns=["id", "place", "series", "value", "status"])
    sides = sides_of(view)
    frames = [
        pd.DataFrame(
            {
                "id": totals.index, "place": totals.index, "series": side, "value": totals[side].astype("float64"),
                "status": totals[f"{side}_status"], "order": range(len(totals)),
                **{column: totals[name] for column, name in
                   (("at_least", f"{side}_partial"), ("base_persons", f"{side}_base"), ("hours_observed", "hours"))
                   if name in totals},
            }
        )
        for side in sides
    ]  # fmt: skip
    return pd.concat(frames).sort_values("order", kind="stable").drop(columns="order")


def _profile(snapshot: Snapshot, view: View, words: Words) -> pd.DataFrame:
    """Return who moved and why, one breakdown after the other, or the hours of the week at the checkpoints."""
    if view.source == CHECKPOINT:
        return week_figures(snapshot, view, words)
    if not is_told(view.source):
        return _none()
    pcode = snapshot.area_or_home(view.area)
    units = coverage_of(snapshot, view)
    frames = []
    for kind in flow_bars.BREAKDOWNS:
        frame = flow_bars.breakdown_rows(snapshot, view, kind)
        frames.append(
            pd.DataFrame(
                {"id": kind + ":" + frame["item"].astype("str"), "pcode": pcode, "series": frame["direction"],
                 "breakdown": kind, "item": frame["item"], "value": frame["value"].astype("float64"),
                 "status": frame["status"], "unit": unit_of(view) if kind == "reason" else "persons"}
            )
        )  # fmt: skip
    found = pd.concat(frames).assign(level=snapshot.level_of(pcode))
    return found.assign(
        **{name: units[name].get(pcode) for name in ("units_expected", "units_reported")},
    )


def _trends(snapshot: Snapshot, view: View, words: Words) -> pd.DataFrame:
    """Return moves, people and coverage over the rounds, or the days at the checkpoints."""
    if view.source == CHECKPOINT:
        return day_figures(snapshot, view, words)
    return pd.concat([trend_figures(snapshot, view), people_figures(snapshot, view)])


def _system(snapshot: Snapshot, view: View, _words: Words) -> pd.DataFrame:
    if view.source not in SYSTEM_SOURCES:
        return _none()
    frame = system_rows(
        snapshot, round_number=snapshot.round_or_last(view.round), source=view.source, level=view.flow_level
    )
    units = coverage_of(snapshot, view)
    return pd.DataFrame(
        {"id": frame["indicator"], "series": frame["indicator"], "level": frame["level"],
         "value": frame["value"].astype("float64"), "status": frame["status"], "unit": frame["unit"],
         "note": frame["note"],
         **{name: units[name].get(snapshot.home) for name in ("units_expected", "units_reported")}}
    )  # fmt: skip


def _none() -> pd.DataFrame:
    return pd.DataFrame(columns=["id", "series", "value", "status"])


_BUILDERS: dict[str, Callable[[Snapshot, View, Words], pd.DataFrame]] = {
    "map": _map, "matrix": _matrix, "sankey": _bands, "bars": _bars, "profile": _profile, "trends": _trends,
    "system": _system,
}  # fmt: skip

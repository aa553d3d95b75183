"""Give the table under every chart of moves, and the file of the same figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from dashboard import flowmap, tables
from dashboard.flow_bars import CODELISTS, NOT_STATED
from dashboard.flow_figures import figures
from dashboard.flow_series_figures import ON_LINE
from dashboard.flow_sources import CHECKPOINT, RECONCILED, SIDES, sides_of, unit_of
from dashboard.measures import note_text
from dashboard.od_matrix import AIMAGS
from dashboard.sankey import REST
from dashboard.state import RETURN_SOURCES, SURVEY_SOURCES
from dashboard.system_table import decimals_of
from dashboard.words import Words
from dtm.chart_figures import chart_table

if TYPE_CHECKING:
    from dashboard.reader import Snapshot
    from dashboard.state import View
    from dtm.released import ReleasedTable

PAIR_TABS = ("map", "matrix", "sankey")
PHONE_PX, PHONE_TEXT_PX, PHONE_NUMBER_PX = 600, 122, 94
"""Narrower windows have columns of these widths, in which the longest Mongolian word of a cell is whole."""
PHONE_LETTER_PX, PHONE_EDGES_PX = 8.4, 18
"""About how wide a letter of a title is there, and the edges of its column."""
FIGURES = ("value", *SIDES)
NUMBERS = ("value", "low", "high", "arrivals", "departures", "mirror_ratio", "base_persons", "hours_observed")
DECIMALS = {"persons_per_hour": 1, "pct": 1}
"""Decimals of a value by its unit, where it is not counted; indices have their own."""
LEAST = "(params.data.at_least ? '≥ ' : '')"


def released(snapshot: Snapshot, view: View) -> ReleasedTable:
    """Return the figures of the open tab's charts as released rows, with the ids of `rows`."""
    return chart_table(snapshot.release, figures(snapshot, view, Words(view.lang)), language=view.lang)


def rows(snapshot: Snapshot, view: View, words: Words) -> pd.DataFrame:
    """Return the figures of the open tab's charts in words, each with its `id`, in the order of the chart."""
    found = figures(snapshot, view, words)
    if found.empty:
        return pd.DataFrame(columns=["id"])
    shown = found[["id", "status", *(name for name in ("at_least", "drawn_label", "series_label") if name in found)]]
    shown = shown.assign(
        status_label=[words(f"status.{status}") for status in found["status"]],
        unit=[unit_name(unit, words) for unit in found["unit"]],
        decimals=[
            decimals_of(series) if view.tab == "system" else DECIMALS.get(unit, 0)
            for series, unit in zip(found["series"], found["unit"], strict=True)
        ],
        coverage=_coverage(found, words),
        **{name: found[name].astype("float64") for name in NUMBERS if name in found},
    )
    if view.tab in PAIR_TABS:
        return _pair_words(snapshot, found, shown, words)
    if view.tab == "bars":
        return _in_out_net(snapshot, view, found, shown, words)
    if view.tab == "profile":
        return _profile_words(snapshot, view, found, shown, words)
    if view.tab == "trends":
        return _trend_words(snapshot, found, shown, words)
    return shown.assign(name=found["series_label"], note=[note_text(note, words.lang) for note in found["note"]])


def unit_name(unit: str, words: Words) -> str:
    """Return the word for a unit; a share of one has none."""
    return words(f"unit.{unit}") if words.has(f"unit.{unit}") else ""


def end_name(snapshot: Snapshot, code: str, words: Words) -> str:
    """Return the name of one end of a move, of a group of places too."""
    if code == AIMAGS:
        return words("place.aimags")
    if code == REST:
        return words("sankey.rest")
    return snapshot.full_name(code, words)


def _coverage(found: pd.DataFrame, words: Words) -> list[str]:
    if "units_expected" not in found:
        return [""] * len(found)
    return [
        "" if pd.isna(expected) else words("key.of", reported=words.number(reported), expected=words.number(expected))
        for reported, expected in zip(found["units_reported"], found["units_expected"], strict=True)
    ]


def _pair_words(snapshot: Snapshot, found: pd.DataFrame, shown: pd.DataFrame, words: Words) -> pd.DataFrame:
    ends = list(zip(found["origin"], found["destination"], strict=True))
    names = {code: end_name(snapshot, code, words) for code in {*found["origin"], *found["destination"]}}

    def told(code: str, other: str) -> str:
        return words("place.city") if flowmap.is_rest_of_city(snapshot, code, other) else names[code]

    return shown.assign(origin_name=[told(a, b) for a, b in ends], destination_name=[told(b, a) for a, b in ends])


def _in_out_net(
    snapshot: Snapshot, view: View, found: pd.DataFrame, shown: pd.DataFrame, words: Words
) -> pd.DataFrame:  # fmt: skip
    """Return one row an area or checkpoint, with a column for each side."""
    sides = sides_of(view)
    own = {side: shown[(found["series"] == side).to_numpy()].set_index("id") for side in sides}
    first = own[sides[0]]
    wide = first[["coverage", "drawn_label"]].assign(id=first.index)
    for side, rows_of_side in own.items():
        told = rows_of_side.reindex(first.index)
        wide = wide.assign(**{side: told["value"], f"{side}_label": told["status_label"]})
        if "at_least" in told:
            wide[f"{side}_least"] = told["at_least"].fillna(value=False).astype(bool)
    for name in ("base_persons", "hours_observed"):
        if name in shown:
            wide[name] = own[sides[-1]][name].reindex(first.index) if name == "base_persons" else first[name]
    if view.source == CHECKPOINT:
        labels = snapshot.labels("checkpoint", words)
        names = [labels.get(str(code), str(code)) for code in wide["id"]]
    else:
        names = [snapshot.full_name(str(code), words) for code in wide["id"]]
    return wide.assign(name=names).reset_index(drop=True)


def _profile_words(
    snapshot: Snapshot, view: View, found: pd.DataFrame, shown: pd.DataFrame, words: Words
) -> pd.DataFrame:  # fmt: skip
    if view.source == CHECKPOINT:
        return shown.assign(name=[words(f"weekday.{day}") for day in found["weekday"]], hour=found["hour"])
    labels = {kind: snapshot.labels(codelist, words) for kind, codelist in CODELISTS.items()}
    items = [
        words("item.not_stated") if item == NOT_STATED else labels[kind].get(item, item)
        for kind, item in zip(found["breakdown"], found["item"], strict=True)
    ]
    return shown.assign(name=[words(f"breakdown.{kind}") for kind in found["breakdown"]], item=items)


def _trend_words(snapshot: Snapshot, found: pd.DataFrame, shown: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Put round, day, method and break into words."""
    known = snapshot.rows("series_break").drop_duplicates("name").set_index("name")[words.label_column]
    told = found["series_break"] if "series_break" in found else pd.Series("", index=found.index)
    return shown.assign(
        day=[f"{pd.Timestamp(day):%Y-%m-%d}" for day in found["day"]],
        how=[
            words("how.month" if identity.endswith(f":{ON_LINE}") else f"how.{method}")
            for identity, method in zip(found["id"], found["method"], strict=True)
        ],
        broken=["; ".join(str(known.get(name, name)) for name in str(names).split("; ") if name and name != "nan")
                for names in told.fillna("")],
    )  # fmt: skip


def columns(shown: pd.DataFrame, view: View, words: Words) -> list[dict[str, Any]]:
    """Return the columns of shown rows, those that hold anything of them.

    On a phone they are narrow, and the status is left out: a missing value shows it anyway.
    """
    found = [one for one in _columns(view, words) if one["field"] in FIGURES or _holds(shown, one["field"])]
    if view.tab == "bars" and len(set(shown.get("drawn_label", ()))) == 1:
        found = [one for one in found if one["field"] != "drawn_label"]
    if view.width >= PHONE_PX:
        return found
    small = {"filter": False, "wrapText": True, "autoHeight": True, "flex": 1}
    return [{**one, **small, "minWidth": _phone_width_px(one)} for one in found if one["field"] != "status_label"]


def _phone_width_px(column: dict[str, Any]) -> int:
    least = PHONE_NUMBER_PX if "type" in column else PHONE_TEXT_PX
    return max(least, round(PHONE_LETTER_PX * max(map(len, column["headerName"].split()))) + PHONE_EDGES_PX)


def _holds(shown: pd.DataFrame, field: str) -> bool:
    return field in shown and bool((shown[field].notna() & (shown[field] != "")).any())


def _columns(view: View, words: Words) -> list[dict[str, Any]]:
    status = tables.text_column("status_label", words("column.status"))
    unit = words(f"unit.{unit_of(view)}")
    value = _value_column(f"{words('column.value')}, {unit}")
    behind = _behind(view, words)
    if view.tab in PAIR_TABS:
        ends = [
            tables.text_column("origin_name", words("column.origin"), minWidth=140),
            tables.text_column("destination_name", words("column.destination"), minWidth=140),
        ]
        drawn = [] if view.tab == "matrix" else [tables.text_column("drawn_label", words("column.drawn"))]
        return [*ends, value, *_pair_columns(view, words), *behind, *drawn, status]
    if view.tab == "bars":
        name = "column.checkpoint" if view.source == CHECKPOINT else "column.area"
        sides = [_side_column(side, words, view, unit=unit) for side in sides_of(view)]
        many = [] if view.source == CHECKPOINT else [tables.text_column("drawn_label", words("column.drawn"))]
        return [tables.text_column("name", words(name), minWidth=150), *sides, *behind, *many]
    if view.tab == "profile":
        return [*_profile_columns(view, words), *behind, status]
    figure = tables.text_column("series_label" if view.tab == "trends" else "name",
                                words("column.series" if view.tab == "trends" else "column.index"),
                                minWidth=200)  # fmt: skip
    plain = _value_column(words("column.value"))
    units = tables.text_column("unit", words("column.unit"))
    if view.tab == "system":
        return [figure, plain, units, *behind, status, tables.text_column("note", words("column.note"))]
    day = tables.text_column("day", words("column.day"))
    how = tables.text_column("how", words("column.how"), minWidth=170)
    broken = tables.text_column("broken", words("break.title"))
    return [figure, day, plain, *_limits(words), units, how, *behind, broken, status]


def _profile_columns(view: View, words: Words) -> list[dict[str, Any]]:
    value = _value_column(words("column.value"))
    units = tables.text_column("unit", words("column.unit"))
    if view.source == CHECKPOINT:
        hour = tables.number_column("hour", words("passage.hour"))
        return [tables.text_column("name", words("column.weekday"), minWidth=110), hour, value, units]
    first = tables.text_column("name", words("column.breakdown"), minWidth=130)
    return [first, tables.text_column("item", words("column.item")), value, units]


def _behind(view: View, words: Words) -> list[dict[str, Any]]:
    """Return what the figures rest on: hours watched, persons asked, or units that reported."""
    if view.source == CHECKPOINT:
        return [_blank(tables.number_column("hours_observed", words("column.hours")), decimals=1)]
    units = tables.text_column("coverage", words("column.units"))
    if view.source in SURVEY_SOURCES:
        base = _blank(tables.number_column("base_persons", words("about.sample")))
        return [base, units] if view.tab == "trends" else [base]
    return [units]


def _value_column(title: str) -> dict[str, Any]:
    column = tables.number_column("value", title)
    form = "d3.format(',.' + params.data.decimals + 'f')(params.value)"
    column["valueFormatter"] = {
        "function": f"params.value == null ? params.data.status_label : {LEAST} + {form}",
    }
    return column


def _side_column(side: str, words: Words, view: View, *, unit: str) -> dict[str, Any]:
    net = "passage.net" if view.source == CHECKPOINT else "key.net"
    column = tables.number_column(side, f"{words(net) if side == 'net' else words(f'direction.{side}')}, {unit}")
    least = f"(params.data.{side}_least ? '≥ ' : '')"
    column["valueFormatter"] = {
        "function": f"params.value == null ? params.data.{side}_label : {least} + d3.format(',.0f')(params.value)"
    }
    return column


def _blank(column: dict[str, Any], *, decimals: int = 0) -> dict[str, Any]:
    """Return a column that stays empty where there is nothing, as the value's own column says why."""
    form = f"params.value == null ? '' : d3.format(',.{decimals}f')(params.value)"
    return {**column, "valueFormatter": {"function": form}}


def _limits(words: Words) -> list[dict[str, Any]]:
    return [_blank(tables.number_column(name, words(f"column.{name}"))) for name in ("low", "high")]


def _pair_columns(view: View, words: Words) -> list[dict[str, Any]]:
    if view.source == RECONCILED:
        told = [_blank(tables.number_column(name, words(f"source.{name}"))) for name in RETURN_SOURCES]
        return [
            *_limits(words),
            *told,
            _blank(tables.number_column("mirror_ratio", words("column.mirror")), decimals=2),
        ]
    return _limits(words) if view.source in SURVEY_SOURCES else []

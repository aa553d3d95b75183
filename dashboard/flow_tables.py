"""Give the table under every chart of moves, and the released rows behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from dashboard import flowmap, tables
from dashboard.flow_bars import BREAKDOWNS, CODELISTS, NOT_STATED, area_totals
from dashboard.flow_sources import (
    CHECKPOINT,
    RECONCILED,
    TOTAL,
    border_totals,
    inside,
    is_told,
    reason_of,
    table_of,
    towards,
    unit_of,
)
from dashboard.measures import note_text
from dashboard.od_matrix import matrix_pairs
from dashboard.state import RETURN_SOURCES, SURVEY_SOURCES
from dashboard.system_table import decimals_of, index_name
from dtm.flow_items import ITEMS as ITEMS_OF
from dtm.released import ReleasedTable
from dtm.system_measures import SYSTEM_INDICES

if TYPE_CHECKING:
    from dashboard.reader import Snapshot
    from dashboard.state import View
    from dashboard.words import Words

AREAS, ROUNDS, PAIRS, DAYS, ESTIMATES, HOURS, ITEMS, SYSTEM = (
    "areas", "rounds", "pairs", "days", "estimates", "hours", "items", "system",
)  # fmt: skip
PHONE_PX, PHONE_COLUMN_PX = 600, 74


def kind_of(snapshot: Snapshot, view: View) -> str:
    """Return which table goes with the view's tab and source."""
    if view.tab == "system":
        return SYSTEM
    if view.tab in ("map", "matrix", "sankey"):
        return PAIRS
    if view.source == CHECKPOINT:
        if view.tab == "profile":
            return HOURS
        number = snapshot.round_or_last(view.round)
        estimated = not snapshot.rows("passage_estimate", round_number=number, checkpoint=TOTAL).empty
        return ESTIMATES if view.tab == "trends" and estimated else DAYS
    if not is_told(view.source):
        return PAIRS
    return {"bars": AREAS, "trends": ROUNDS, "profile": ITEMS}[view.tab]


def pair_rows(snapshot: Snapshot, view: View) -> pd.DataFrame:
    """Return the released pairs the open tab shows, with their ids."""
    if view.tab == "map":
        return flowmap.flow_rows(snapshot, view)
    frame = matrix_pairs(snapshot, view)
    if view.tab != "sankey":
        return frame
    frame = frame[frame["origin"] != frame["destination"]]
    area = snapshot.area_or_home(view.area)
    return towards(frame, {area} if view.flow_level == 1 else inside(snapshot, area), view.direction)


def released(snapshot: Snapshot, view: View) -> ReleasedTable:  # noqa: PLR0911  one return a kind of table
    """Return the released rows behind the table, with its ids."""
    kind, number = kind_of(snapshot, view), snapshot.round_or_last(view.round)
    if kind == PAIRS:
        return ReleasedTable(table_of(view.source), pair_rows(snapshot, view), snapshot.release.manifest)
    if kind in (AREAS, ROUNDS):
        where: dict[str, Any] = {"source": RETURN_SOURCES, "counterpart": TOTAL, "reason": reason_of(snapshot, view)}
        where["measure"] = unit_of(view)
        if kind == AREAS:
            found = snapshot.released("flow", round_number=number, level=view.flow_level, **where)
            keep = found.frame["pcode"].isin(area_totals(snapshot, view).index)
            return replace(found, frame=found.frame[keep].assign(id=found.frame["pcode"]))
        found = snapshot.released("flow", pcode=snapshot.area_or_home(view.area), **where)
        return replace(found, frame=found.frame.assign(id=found.frame["round_number"].astype(str)))
    if kind == ITEMS:
        found = snapshot.released(
            "flow_item", pcode=snapshot.area_or_home(view.area), round_number=number, source=view.source,
            measure="persons",
        )  # fmt: skip
        return _with_id(found, "breakdown", "item")
    if kind == HOURS:
        return _with_id(snapshot.released("passage_hour", round_number=number), "direction", "weekday", "hour")
    if kind == SYSTEM:
        found = snapshot.released("system", round_number=number, source=view.source)
        return _with_id(found, "level", "indicator")
    if kind == ESTIMATES:
        return _with_id(snapshot.released("passage_estimate", round_number=number), "checkpoint", "day", "direction")
    found = snapshot.released("passage_day", round_number=number, measure="persons")
    return _with_id(found, "checkpoint", "day", "direction")


def _with_id(found: ReleasedTable, *columns: str) -> ReleasedTable:
    frame = found.frame
    texts = [frame[name].astype(str).str.slice(0, 10) if name == "day" else frame[name].astype(str) for name in columns]
    ids = texts[0]
    for text in texts[1:]:
        ids = ids + ":" + text
    return replace(found, frame=frame.assign(id=ids))


def _status(frame: pd.DataFrame, words: Words) -> list[str]:
    return [words(f"status.{status}") for status in frame["status"]]


def rows(snapshot: Snapshot, view: View, words: Words) -> pd.DataFrame:  # noqa: PLR0911  one return a kind of table
    """Return the table's rows, each with its `id`, in words."""
    kind = kind_of(snapshot, view)
    if kind == AREAS:
        totals = area_totals(snapshot, view)
        names = [snapshot.full_name(str(code), words) for code in totals.index]
        return _in_out_net(totals, words).assign(id=list(totals.index), name=names)
    if kind == ROUNDS:
        totals = border_totals(
            snapshot, source=view.source, unit=unit_of(view), reason=reason_of(snapshot, view), by="round_number",
            pcode=snapshot.area_or_home(view.area),
        )  # fmt: skip
        names = [
            words("round.title", number=number, month=words.month(snapshot.reference_day(int(number))))
            for number in totals.index
        ]
        return _in_out_net(totals, words).assign(id=[str(number) for number in totals.index], name=names)
    frame = released(snapshot, view).frame
    found = frame[["id"]].assign(
        value=frame["value"].astype("float64"), status=frame["status"], status_label=_status(frame, words)
    )
    if kind == PAIRS:
        return _pair_words(snapshot, frame, found, words)
    if kind == ITEMS:
        return _item_words(snapshot, frame, found, words)
    if kind == SYSTEM:
        return _system_words(frame, found, words)
    found["direction"] = [
        words("passage.net") if side == "net" else words(f"direction.{side}") for side in frame["direction"]
    ]
    if kind == HOURS:
        weekdays = [words(f"weekday.{day}") for day in frame["weekday"]]
        return found.assign(name=weekdays, hour=frame["hour"], hours=frame["checkpoint_hours"].astype("float64"))
    labels = snapshot.labels("checkpoint", words)
    names = [words("passage.all") if code == TOTAL else labels.get(code, code) for code in frame["checkpoint"]]
    days = [f"{pd.Timestamp(day):%Y-%m-%d}" for day in frame["day"]]
    found = found.assign(name=names, day=days, hours=frame["hours_observed"].astype("float64"))
    return found.assign(**_interval(frame)) if kind == ESTIMATES else found


def _interval(frame: pd.DataFrame) -> dict[str, pd.Series]:
    return {name: frame[name].astype("float64") for name in ("low", "high")}


def _in_out_net(totals: pd.DataFrame, words: Words) -> pd.DataFrame:
    found = pd.DataFrame(index=range(len(totals)))
    for side in ("in", "out", "net"):
        found[side] = totals[side].astype("float64").to_numpy()
        found[f"{side}_label"] = [words(f"status.{status}") for status in totals[f"{side}_status"]]
    return found


def _pair_words(snapshot: Snapshot, frame: pd.DataFrame, found: pd.DataFrame, words: Words) -> pd.DataFrame:
    names = {code: snapshot.full_name(code, words) for code in {*frame["origin"], *frame["destination"]}}
    found = found.assign(
        origin_name=frame["origin"].map(names), destination_name=frame["destination"].map(names),
        origin=frame["origin"], destination=frame["destination"],
    )  # fmt: skip
    more = ("low", "high", "arrivals", "departures", "mirror_ratio", "base_persons")
    return found.assign(**{name: frame[name].astype("float64") for name in more if name in frame})


def _item_words(snapshot: Snapshot, frame: pd.DataFrame, found: pd.DataFrame, words: Words) -> pd.DataFrame:
    labels = {kind: snapshot.labels(codelist, words) for kind, codelist in CODELISTS.items()}
    items = [
        words("item.not_stated") if item == NOT_STATED else labels[kind].get(item, item)
        for kind, item in zip(frame["breakdown"], frame["item"], strict=True)
    ]
    found = found.assign(name=[words(f"breakdown.{kind}") for kind in frame["breakdown"]], item=items)
    order = [(kind, item) for kind in BREAKDOWNS for item in (*ITEMS_OF.get(kind, ()), NOT_STATED)]
    places = [
        order.index(pair) if pair in order else len(order)
        for pair in zip(frame["breakdown"], frame["item"], strict=True)
    ]
    return found.iloc[sorted(range(len(places)), key=places.__getitem__)]


def _system_words(frame: pd.DataFrame, found: pd.DataFrame, words: Words) -> pd.DataFrame:
    found = found.assign(
        name=[index_name(code, words) for code in frame["indicator"]],
        level=[words("level.city") if level == 1 else words(f"level.{level}") for level in frame["level"]],
        unit=[words(f"unit.{unit}") if words.has(f"unit.{unit}") else "" for unit in frame["unit"]],
        decimals=[decimals_of(code) for code in frame["indicator"]],
        note=[note_text(note, words.lang) for note in frame["note"]],
    )
    order = {code: i for i, code in enumerate(SYSTEM_INDICES)}
    places = [
        (level, order.get(code, len(order))) for level, code in zip(frame["level"], frame["indicator"], strict=True)
    ]
    return found.iloc[sorted(range(len(places)), key=places.__getitem__)]


def columns(snapshot: Snapshot, view: View, words: Words) -> list[dict[str, Any]]:
    """Return the table's columns; on a phone narrow ones, without the status, which a missing value shows anyway."""
    found = _columns(snapshot, view, words)
    if view.width >= PHONE_PX:
        return found
    small = {"minWidth": PHONE_COLUMN_PX, "filter": False, "wrapText": True, "autoHeight": True}
    return [
        {**one, **small, "flex": 1 if "type" in one else 1.5} for one in found if one["field"] != "status_label"
    ]  # fmt: skip


def _columns(snapshot: Snapshot, view: View, words: Words) -> list[dict[str, Any]]:
    kind = kind_of(snapshot, view)
    status = tables.text_column("status_label", words("column.status"))
    unit = words(f"unit.{unit_of(view) if kind in (PAIRS, AREAS, ROUNDS) else 'persons'}")
    value = tables.number_column("value", f"{words('column.value')}, {unit}")
    name = {
        AREAS: "column.area", ROUNDS: "column.round", HOURS: "column.weekday", ITEMS: "column.breakdown",
        SYSTEM: "column.index",
    }.get(kind, "column.checkpoint")  # fmt: skip
    first = tables.text_column("name", words(name), minWidth=150)
    if kind in (AREAS, ROUNDS):
        return [first, *(_side_column(side, words, unit=unit) for side in ("in", "out", "net"))]
    if kind == PAIRS:
        ends = [
            tables.text_column("origin_name", words("column.origin"), minWidth=140),
            tables.text_column("destination_name", words("column.destination"), minWidth=140),
        ]
        return [*ends, value, *_more_columns(view, words), status]
    if kind == ITEMS:
        return [first, tables.text_column("item", words("column.item")), value, status]
    if kind == SYSTEM:
        number = tables.number_column("value", words("column.value"), decimals=None)
        return [first, tables.text_column("level", words("control.level")), number,
                tables.text_column("unit", words("column.unit")), status,
                tables.text_column("note", words("column.note"))]  # fmt: skip
    direction = tables.text_column("direction", words("control.direction"))
    hours = tables.number_column("hours", words("column.hours"), decimals=1)
    if kind == HOURS:
        return [first, tables.number_column("hour", words("passage.hour")), direction, hours, value, status]
    day = tables.text_column("day", words("column.day"))
    more = _limits(words) if kind == ESTIMATES else []
    return [first, day, direction, hours, value, *more, status]


def _side_column(side: str, words: Words, *, unit: str) -> dict[str, Any]:
    title = words("key.net") if side == "net" else words(f"direction.{side}")
    column = tables.number_column(side, f"{title}, {unit}")
    column["valueFormatter"] = {
        "function": f"params.value == null ? params.data.{side}_label : d3.format(',.0f')(params.value)"
    }
    return column


def _blank(column: dict[str, Any], *, decimals: int = 0) -> dict[str, Any]:
    """Return a column that stays empty where there is nothing, as the value's own column says why."""
    form = f"params.value == null ? '' : d3.format(',.{decimals}f')(params.value)"
    return {**column, "valueFormatter": {"function": form}}


def _limits(words: Words) -> list[dict[str, Any]]:
    return [_blank(tables.number_column(name, words(f"column.{name}"))) for name in ("low", "high")]


def _more_columns(view: View, words: Words) -> list[dict[str, Any]]:
    if view.source == RECONCILED:
        told = [_blank(tables.number_column(name, words(f"source.{name}"))) for name in RETURN_SOURCES]
        mirror = _blank(tables.number_column("mirror_ratio", words("column.mirror")), decimals=2)
        return [*_limits(words), *told, mirror]
    if view.source in SURVEY_SOURCES:
        return [*_limits(words), _blank(tables.number_column("base_persons", words("about.sample")))]
    return []

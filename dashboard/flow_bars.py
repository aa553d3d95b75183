"""Draw in, out and net of areas, and who moved and why, as bars; a missing figure is said in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from dashboard.charts import ARRIVALS, DEPARTURES, NET, SOURCE_COLORS, bars, base_chart
from dashboard.flow_sources import (
    CITY_LEVEL,
    DISTRICT_LEVEL,
    KHOROO_LEVEL,
    TOTAL,
    border_totals,
    district_of,
    is_told,
    reason_of,
    unit_of,
)
from dtm.flow_items import ITEMS

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from dashboard.reader import Snapshot
    from dashboard.state import View
    from dashboard.words import Words

BAR_PX = 26
FEW_PERSONS = 4
"""A shorter axis counts one by one: there are no halves of people."""
TICK_PX = 70
FIGURE_PX = 46
"""Room for a figure beside its bar."""
WHOLE_MAXIMUM_AREAS, ENDS_SHOWN = 45, 15
"""More areas than the first fill no chart; of them so many are shown at either end of the order."""
BREAKDOWNS = ("reason", "sex", "age", "registered", "distance")
NOT_STATED = "not_stated"
CODELISTS = {"reason": "reason", "sex": "sex", "age": "age_band", "registered": "yesno", "distance": "move_distance"}


def area_totals(snapshot: Snapshot, view: View) -> pd.DataFrame:
    """Return in, out and net of every area of the view's level, sorted by the shown side, areas without it last."""
    number, level = snapshot.round_or_last(view.round), view.flow_level
    totals = border_totals(
        snapshot, source=view.source, unit=unit_of(view), reason=reason_of(snapshot, view), round_number=number,
        level=level,
    )  # fmt: skip
    areas = snapshot.at_level(level)
    district = district_of(snapshot, view)
    if level == KHOROO_LEVEL and district is not None:
        areas = areas[areas["parent_pcode"] == district]
    totals = totals.reindex(areas.index)
    for side in ("in", "out", "net"):
        totals[f"{side}_status"] = totals[f"{side}_status"].astype(object).fillna("not_reported")
    order = [key_of(view), "in", "out"]  # where a net is hidden, by what is known
    return totals.sort_values(order, ascending=False, na_position="last", kind="stable")


def key_of(view: View) -> str:
    """Return the side the areas are put in order by."""
    return "net" if view.direction == "both" else view.direction


def shown_ends(totals: pd.DataFrame, *, key: str) -> pd.DataFrame:
    """Return the areas of the chart: all, or those at both ends of the order; any with a figure where none has it."""
    if len(totals) <= WHOLE_MAXIMUM_AREAS:
        return totals
    known = totals[totals[key].notna()]
    if known.empty:
        known = totals[totals[["in", "out"]].notna().any(axis=1)]
    return pd.concat([known.head(ENDS_SHOWN), known.iloc[ENDS_SHOWN:].tail(ENDS_SHOWN)])


def in_out_net(
    totals: pd.DataFrame, names: list[str], words: Words, *, direction: str, unit: str, width_px: int, net: str
) -> go.Figure:
    """Return bars of people in to the right and out to the left of zero, the net as a mark, the first row on top."""
    figure = base_chart(height=96 + BAR_PX * max(len(totals), 2), legend=True, left=8)
    sides = [("in", 1, ARRIVALS), ("out", -1, DEPARTURES)]
    for side, sign, color in [one for one in sides if direction in ("both", one[0])]:
        values = totals[side].astype("float64")
        at_least = totals.get(f"{side}_partial", pd.Series(data=False, index=totals.index))
        figure.add_bar(
            x=list((values * sign).where(values.notna(), 0)),
            y=names,
            orientation="h",
            name=words(f"direction.{side}"),
            marker={"color": color},
            text=[
                ("≥ " if partial else "") + words.number(value) if status == "published" else ""
                for value, status, partial in zip(values, totals[f"{side}_status"], at_least, strict=True)
            ],
            textposition="outside",
            cliponaxis=False,
            textfont={"size": 11},
            hovertemplate=f"%{{y}}<br>{words(f'direction.{side}')}: <b>%{{text}}</b><extra></extra>",
        )
        _words_for_bars(
            figure, totals[f"{side}_status"], names, words, values=values.mask(at_least.astype(bool)), sign=sign
        )
    if direction == "both":
        _net_marks(figure, totals, names, words, title=net)
    figure.update_layout(barmode="overlay", margin={"t": 34})
    figure.update_xaxes(
        showgrid=True, gridcolor="#e6e8ec", zeroline=True, zerolinecolor="#1c2330",
        title={"text": words(f"unit.{unit}")}, range=_with_room(totals, direction, width_px=width_px),
        **_whole_ticks(totals, direction, width_px=width_px),
    )  # fmt: skip
    figure.update_yaxes(
        automargin=True, type="category", tickformat="", gridcolor="#ffffff", range=[len(totals) - 0.5, -0.5]
    )
    return figure


def _words_for_bars(
    figure: go.Figure, statuses: pd.Series, names: list[str], words: Words, *, values: pd.Series, sign: int = 1
) -> None:
    """Write beside zero why there is no bar, or that it is 0: a bar without length has no text."""
    gaps = [
        (name, "0" if status == "published" else words(f"status.{status}"))
        for name, status, value in zip(names, statuses, values, strict=True)
        if status != "published" or value == 0
    ]
    if gaps:
        figure.add_scatter(
            x=[0] * len(gaps),
            y=[name for name, _ in gaps],
            mode="text",
            text=[f"  {text}  " for _, text in gaps],
            textposition="middle right" if sign > 0 else "middle left",
            textfont={"size": 11, "color": "#4a5263"},
            hoverinfo="skip",
            showlegend=False,
        )


def _with_room(totals: pd.DataFrame, direction: str, *, width_px: int) -> list[float]:
    """Return a range in which there is room for a figure at the end of every bar, where no mark of a net covers it."""
    sizes = {
        side: totals[side].astype("float64").max() if direction in ("both", side) else 0.0 for side in ("in", "out")
    }
    largest = {
        side: float(size) if size > 0 else 0.0 for side, size in sizes.items()
    }  # not a number where all is hidden
    room = (sum(largest.values()) or 1.0) * FIGURE_PX / max(width_px - 2 * FIGURE_PX, FIGURE_PX)
    left = -largest["out"] - room if direction != "in" else 0.0
    return [left, largest["in"] + room if direction != "out" else 0.0]


def _whole_ticks(totals: pd.DataFrame, direction: str, *, width_px: int) -> dict[str, Any]:
    """Return ticks that count people to both sides of zero without a minus, as many as there is room for."""
    if direction == "in":
        return {"tickformat": ",", "nticks": max(2, width_px // TICK_PX)}
    largest = float(totals[["in", "out"]].astype("float64").max().max())
    largest = max(largest, 1.0) if largest > 0 else 1.0  # not a number where nothing is published
    wanted = largest * 2 / max(2, width_px // TICK_PX)
    power = 10 ** math.floor(math.log10(wanted))
    step = max(1, next(power * factor for factor in (1, 2, 5, 10) if power * factor >= wanted))
    ticks = [step * i for i in range(int(largest / step) + 1)]
    values = [-tick for tick in ticks] if direction == "out" else [*(-tick for tick in ticks[1:]), *ticks]
    return {"tickvals": sorted(values), "ticktext": [f"{abs(value):,.0f}" for value in sorted(values)]}


def _net_marks(figure: go.Figure, totals: pd.DataFrame, names: list[str], words: Words, *, title: str) -> None:
    net = totals["net"].astype("float64")
    figure.add_scatter(
        x=list(net),
        y=names,
        mode="markers",
        name=title,
        marker={"symbol": "diamond", "size": 11, "color": NET, "line": {"color": "#ffffff", "width": 1.5}},
        customdata=[words.number(value, signed=True) for value in net],
        hovertemplate="%{y}<br>" + title + ": <b>%{customdata}</b><extra></extra>",
    )


def breakdown_rows(snapshot: Snapshot, view: View, kind: str) -> pd.DataFrame:
    """Return the released figures of one breakdown of an area's moves, in the order they are read."""
    where = {
        "pcode": snapshot.area_or_home(view.area),
        "round_number": snapshot.round_or_last(view.round),
        "source": view.source,
    }
    if kind == "reason":
        frame = snapshot.rows("flow", counterpart=TOTAL, measure=unit_of(view), **where)
        frame = frame[frame["reason"] != TOTAL].rename(columns={"reason": "item"})
        return frame.sort_values("value", ascending=False, na_position="last", kind="stable")
    frame = snapshot.rows("flow_item", breakdown=kind, measure="persons", **where)
    order = {item: i for i, item in enumerate((*ITEMS[kind], NOT_STATED))}
    return frame.sort_values("item", key=lambda items: items.map(order).fillna(len(order)), kind="stable")


def breakdown_figure(snapshot: Snapshot, view: View, words: Words, kind: str) -> go.Figure | None:
    """Return one breakdown as bars, None where the release has none of the area."""
    frame = breakdown_rows(snapshot, view, kind)
    if frame.empty:
        return None
    labels = snapshot.labels(CODELISTS[kind], words)
    values = frame["value"].astype("float64")
    names = [words("item.not_stated") if item == NOT_STATED else labels.get(item, item) for item in frame["item"]]
    figure = bars(
        names,
        [float(value) for value in values.fillna(0)],
        title="",
        color=SOURCE_COLORS[view.source],
        texts=[
            words.number(value) if status == "published" else ""
            for value, status in zip(values, frame["status"], strict=True)
        ],
    )
    _words_for_bars(figure, frame["status"], names, words, values=values)
    figure.update_layout(margin={"t": 8}, height=60 + BAR_PX * len(names))
    largest = max(float(values.max()) if values.notna().any() else 0.0, 1.0)
    figure.update_xaxes(
        range=[0, largest * 1.18], nticks=4, tickformat=",", showticklabels=bool(values.notna().any()),
        dtick=1 if largest < FEW_PERSONS else None,
    )  # fmt: skip
    return figure


def net_formula(words: Words, view: View) -> str:
    """Return in words how in, out and net are made."""
    return words("about.net.told" if is_told(view.source) else "about.net.pairs")


def level_name(words: Words, level: int) -> str:
    """Return the word for the areas of a level."""
    return words("level.city") if level == CITY_LEVEL else words(f"level.{max(level, DISTRICT_LEVEL)}")

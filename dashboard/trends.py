"""Draw figures over the rounds on an axis of days: observed, carried between rounds, estimated, with breaks shaded."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from dashboard import breaks
from dashboard.charts import (
    ACTUAL,
    ARRIVALS,
    COMPLETE_SHARE,
    DEPARTURES,
    NET,
    REGISTERED,
    base_chart,
    round_labels,
)
from dashboard.flow_sources import SIDES, TOTAL, border_totals, is_told
from dashboard.measures import MEASURES, by_round

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from dashboard.reader import Snapshot
    from dashboard.words import Words

TREND_HEIGHT_PX = 250
LONE_ROUND_DAYS = 120
BAR_SHARE = 0.55
PANEL_WIDTH_PX, AXIS_PX = 500, 70
LABEL_PX = 62
COUNTS_FROM_PX = 480
"""A narrower chart tells the share of the units alone on its bars."""
DAY_MS = 86_400_000
SERIES = (
    ("actual", "actual_persons", ACTUAL, "circle", ("all",)),
    ("registered", "registered_persons", REGISTERED, "square", breaks.STOCK_SERIES),
)
"""Category, figure, colour, marker and breaks of the two stocks."""


@dataclass(frozen=True)
class Span:
    """The rounds on an axis of days."""

    days: list[dt.date]
    labels: list[str]
    first: dt.date
    last: dt.date
    bar_ms: float


def span_of(snapshot: Snapshot, words: Words, *, until: dt.date | None = None) -> Span:
    """Return the rounds' reference days with room at both ends, up to a later day where asked."""
    days = [snapshot.reference_day(int(number)) for number in snapshot.rounds.index]
    steps = [(later - earlier).days for earlier, later in itertools.pairwise(days)]
    step = max(min(steps), 1) if steps else LONE_ROUND_DAYS
    room = dt.timedelta(days=step * 0.6)
    last = max(days[-1], until or days[-1])
    return Span(days, round_labels(snapshot, words), days[0] - room, last + room, step * BAR_SHARE * DAY_MS)


def put_axis(figure: go.Figure, span: Span, *, width_px: int) -> None:
    """Give a chart the axis of days, named by as many rounds as there is room for."""
    steps = (span.days[-1] - span.days[0]) / (span.last - span.first) * (width_px - AXIS_PX) / LABEL_PX
    every = max(1, math.ceil((len(span.days) - 1) / max(steps, 1)))
    figure.update_xaxes(
        type="date",
        range=[span.first.isoformat(), span.last.isoformat()],
        tickvals=[day.isoformat() for day in span.days[::every]],
        ticktext=span.labels[::every],
    )


def completeness(snapshot: Snapshot, words: Words, *, pcode: str) -> tuple[list[str], list[str]]:
    """Return for every round an ending of the marker's name, open where units are missing, and the units in words."""
    coverage = snapshot.rows("coverage", pcode=pcode).set_index("round_number").reindex(snapshot.rounds.index)
    shares = coverage["units_reported"].astype("float64") / coverage["units_expected"].astype("float64")
    endings = ["" if share >= COMPLETE_SHARE else "-open" for share in shares]
    told = [
        words("hover.coverage", reported=words.number(reported), expected=words.number(expected))
        for reported, expected in zip(coverage["units_reported"], coverage["units_expected"], strict=True)
    ]
    return endings, told


def _gap_marks(figure: go.Figure, span: Span, statuses: pd.Series, words: Words, *, name: str) -> None:
    """Mark the rounds without a value at the foot of the chart, each with the reason."""
    gaps = [(day, status) for day, status in zip(span.days, statuses, strict=True) if status != "published"]
    if gaps:
        figure.add_scatter(
            x=[day for day, _ in gaps],
            y=[0] * len(gaps),
            mode="markers",
            marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": "#5d6472"}},
            hovertext=[f"{name}: {words(f'status.{status}')}" for _, status in gaps],
            hoverinfo="text",
            showlegend=False,
        )


def _monthly(figure: go.Figure, frame: pd.DataFrame, words: Words, *, name: str, color: str) -> None:
    """Draw what lies between the rounds dashed and what lies after the last dotted: neither looks observed."""
    rolled = frame["method"] == "projected"
    known = frame.index[~rolled]
    for method, dash in (("interpolated", "dash"), ("projected", "dot")):
        shown = frame[~rolled] if method == "interpolated" else frame[rolled | frame.index.isin(known[-1:])]
        if (shown["method"] == method).sum() == 0:
            continue
        title = words(f"trend.{method}", series=name)
        figure.add_scatter(
            x=[pd.Timestamp(day).date() for day in shown["day"]],
            y=list(shown["value"].astype("float64").where(shown["status"] == "published")),
            mode="lines",
            line={"color": color, "width": 1.8, "dash": dash},
            opacity=0.85,
            showlegend=False,
            hovertemplate="%{x|%Y-%m}: %{y:,.0f}<extra>" + title + "</extra>",
        )


def has_estimates(source: str, *, unit: str, reason: str) -> bool:
    """Return whether moves of all units are estimated: those the returns tell of people, for all reasons together."""
    return is_told(source) and unit == "persons" and reason == TOTAL


def imputed_rows(snapshot: Snapshot, *, pcode: str, key: str) -> pd.DataFrame:
    """Return the published estimates of an area's figure at rounds in which some of its units did not report."""
    frame = snapshot.rows("imputed", pcode=pcode, figure=key)
    frame = frame[(frame["status"] == "published") & (frame["imputed_share"].fillna(0) > 0)]
    return frame[frame["round_number"].isin(list(snapshot.rounds.index))]


def month_rows(snapshot: Snapshot, *, pcode: str, category: str) -> pd.DataFrame:
    """Return the months between and after the rounds with the rounds they hang on; nothing where there are none."""
    frame = snapshot.rows("stock_month", pcode=pcode, category=category).sort_values("day")
    return frame if frame["method"].isin(["interpolated", "projected"]).any() else frame.head(0)


def _estimated(
    figure: go.Figure, snapshot: Snapshot, words: Words, *, span: Span, pcode: str, key: str, color: str, sign: int = 1
) -> None:
    """Mark estimates of all units, with their interval, beside what the reporting units told."""
    frame = imputed_rows(snapshot, pcode=pcode, key=key)
    days = dict(zip(snapshot.rounds.index, span.days, strict=True))
    if frame.empty:
        return
    values, low, high = (frame[name].astype("float64") for name in ("value", "low", "high"))
    figure.add_scatter(
        x=[days[number] for number in frame["round_number"]],
        y=list(values * sign),
        error_y={
            "type": "data",
            "symmetric": False,
            "array": list((high - values if sign > 0 else values - low).fillna(0)),
            "arrayminus": list((values - low if sign > 0 else high - values).fillna(0)),
            "color": color,
            "thickness": 1.3,
        },
        mode="markers",
        name=words("trend.imputed"),
        legendgroup="imputed",
        showlegend=not any(trace.legendgroup == "imputed" for trace in figure.data),
        marker={"symbol": "diamond-open", "size": 10, "color": color, "line": {"width": 2}},
        customdata=[
            words(
                "trend.imputed_hover",
                value=words.number(value),
                low=words.number(least),
                high=words.number(most),
                share=words.number(100 * share),
            )
            for value, least, most, share in zip(values, low, high, frame["imputed_share"], strict=True)
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )


def has_people(snapshot: Snapshot, pcode: str) -> bool:
    """Return whether any count of an area's people is published, at a round or by month."""
    told = (MEASURES["actual_persons"], MEASURES["registered_persons"])
    counts = [by_round(snapshot, measure, pcode=pcode)["value"] for measure in told]
    months = snapshot.rows("stock_month", pcode=pcode)
    return any(values.notna().any() for values in counts) or bool((months["status"] == "published").any())


def population_trend(
    snapshot: Snapshot, words: Words, *, pcode: str, height: int = TREND_HEIGHT_PX, width_px: int = PANEL_WIDTH_PX
) -> go.Figure:
    """Return registered and actual people of an area over the rounds."""
    figure = base_chart(height=height, legend=True)
    months = {category: month_rows(snapshot, pcode=pcode, category=category) for category, *_ in SERIES}
    ends = [pd.Timestamp(frame["day"].iloc[-1]).date() for frame in months.values() if not frame.empty]
    span = span_of(snapshot, words, until=max(ends, default=None))
    endings, told = completeness(snapshot, words, pcode=pcode)
    for category, key, color, symbol, series in SERIES:
        frame, monthly = by_round(snapshot, MEASURES[key], pcode=pcode), months[category]
        name = words(f"measure.{key}")
        days, values = breaks.cut(
            span.days, list(frame["value"]), breaks.breaks_of(snapshot, words, series, pcode=pcode)
        )
        places = [span.days.index(day) if day in span.days else 0 for day in days]
        figure.add_scatter(
            x=days,
            y=values,
            name=name,
            mode="lines+markers" if monthly.empty else "markers",
            line={"color": color, "width": 3},
            marker={
                "size": 9,
                "color": color,
                "symbol": [f"{symbol}{endings[place]}" for place in places],
                "line": {"width": 2},
            },
            customdata=[told[place] for place in places],
            hovertemplate="%{y:,.0f}<br>%{customdata}<extra>" + name + "</extra>",
        )
        if not monthly.empty:
            _monthly(figure, monthly.reset_index(drop=True), words, name=name, color=color)
        _gap_marks(figure, span, frame["status"], words, name=name)
    _estimated(figure, snapshot, words, span=span, pcode=pcode, key="actual_persons", color=ACTUAL)
    figure.update_yaxes(title={"text": words("unit.persons")}, automargin=True)
    broken = breaks.breaks_of(snapshot, words, breaks.STOCK_SERIES, pcode=pcode)
    breaks.shade(figure, broken, first=span.first, last=span.last)
    put_axis(figure, span, width_px=width_px)
    return figure


def moves_rows(snapshot: Snapshot, *, pcode: str, source: str, unit: str, reason: str) -> pd.DataFrame:
    """Return people in, out and net of an area at every round of the release, each with its status."""
    totals = border_totals(snapshot, source=source, unit=unit, reason=reason, by="round_number", pcode=pcode)
    totals = totals.reindex(snapshot.rounds.index)
    for side in SIDES:
        totals[f"{side}_status"] = totals[f"{side}_status"].astype(object).fillna("not_reported")
    return totals


def moves_trend(
    snapshot: Snapshot, words: Words, *, pcode: str, source: str = "arrivals", unit: str = "persons",
    reason: str = TOTAL, direction: str = "both", height: int = TREND_HEIGHT_PX,
    width_px: int = PANEL_WIDTH_PX,
) -> go.Figure:  # fmt: skip
    """Return people in, out and net of an area over the rounds."""
    figure = base_chart(height=height, legend=True)
    span = span_of(snapshot, words)
    totals = moves_rows(snapshot, pcode=pcode, source=source, unit=unit, reason=reason)
    endings, told = completeness(snapshot, words, pcode=pcode)
    for side, sign, color, key in (("in", 1, ARRIVALS, "arrivals"), ("out", -1, DEPARTURES, "departures")):
        if direction not in ("both", side):
            continue
        values = totals[side].astype("float64")
        name = words(f"source.{key}" if is_told(source) else f"direction.{side}")
        figure.add_bar(
            x=span.days,
            y=list(values * sign),
            width=span.bar_ms,
            customdata=[[value, text] for value, text in zip(values, told, strict=True)],
            name=name,
            marker={"color": color},
            hovertemplate="%{customdata[0]:,.0f}<br>%{customdata[1]}<extra>" + name + "</extra>",
        )
        _gap_marks(figure, span, totals[f"{side}_status"], words, name=name)
        if has_estimates(source, unit=unit, reason=reason):
            _estimated(figure, snapshot, words, span=span, pcode=pcode, key=key, color=color, sign=sign)
    if direction == "both":
        figure.add_scatter(
            x=span.days,
            y=list(totals["net"].astype("float64")),
            name=words("key.net"),
            mode="lines+markers",
            line={"color": NET, "width": 2},
            marker={"size": 9, "symbol": [f"diamond{ending}" for ending in endings], "color": NET},
            hovertemplate="%{y:+,.0f}<extra>" + words("key.net") + "</extra>",
        )
    figure.update_layout(barmode="relative")
    figure.update_yaxes(title={"text": words(f"unit.{unit}")}, automargin=True)
    broken = breaks.breaks_of(snapshot, words, breaks.MOVE_SERIES, pcode=pcode)
    breaks.shade(figure, broken, first=span.first, last=span.last)
    put_axis(figure, span, width_px=width_px)
    return figure


def coverage_shares(snapshot: Snapshot, *, pcode: str) -> pd.Series:
    """Return the share of an area's expected units that reported at every round, in percent."""
    coverage = snapshot.rows("coverage", pcode=pcode).set_index("round_number").reindex(snapshot.rounds.index)
    expected, reported = (coverage[name].astype("float64") for name in ("units_expected", "units_reported"))
    shares: pd.Series = 100 * reported / expected.where(expected > 0)
    return shares


def coverage_trend(
    snapshot: Snapshot, words: Words, *, pcode: str, height: int = 130, width_px: int = PANEL_WIDTH_PX
) -> go.Figure:
    """Return the share of the expected units that reported, by round."""
    figure = base_chart(height=height)
    span = span_of(snapshot, words)
    coverage = snapshot.rows("coverage", pcode=pcode).set_index("round_number").reindex(snapshot.rounds.index)
    expected, reported = (coverage[name].astype("float64") for name in ("units_expected", "units_reported"))
    shares = coverage_shares(snapshot, pcode=pcode)
    told = [
        words("key.of", reported=words.number(some), expected=words.number(all_units))
        for some, all_units in zip(reported, expected, strict=True)
    ]
    figure.add_bar(
        x=span.days,
        y=list(shares),
        width=span.bar_ms,
        marker={"color": ["#5d6472" if share >= 100 * COMPLETE_SHARE else "#c9ccd3" for share in shares],
                "line": {"color": "#5d6472", "width": 1}},
        text=[f"{share:.0f}%" for share in shares] if width_px < COUNTS_FROM_PX else told,
        customdata=told,
        textposition="auto",
        textangle=0,
        hovertemplate="%{customdata}<extra>" + words("key.coverage") + "</extra>",
    )  # fmt: skip
    figure.update_yaxes(range=[0, 105], ticksuffix="%", nticks=4)
    put_axis(figure, span, width_px=width_px)
    return figure

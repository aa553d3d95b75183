"""Draw bars and intervals in the style of all charts; a gap stays a gap and says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

if TYPE_CHECKING:
    from dashboard.reader import Snapshot
    from dashboard.words import Words

ACTUAL = "#00396b"
REGISTERED = "#a08000"
ARRIVALS = "#0072b2"
DEPARTURES = "#d55e00"
CHECKPOINT = "#007a5a"
NET = "#1c2330"
BAR = "#39568c"
COMPLETE_SHARE = 0.95
"""A round in which a smaller share of the units reported gets an open marker."""
SURVEY = "#7a4b00"
SOURCE_COLORS = {
    "arrivals": ARRIVALS, "departures": DEPARTURES, "reconciled": "#6a3d9a", "checkpoint": CHECKPOINT,
    "survey_1y": SURVEY, "survey_5y": SURVEY, "survey_lifetime": SURVEY,
}  # fmt: skip
EN_SPACE = "\u2002"
"""Keeps a number off the end of its interval."""
FONT = "system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"


def base_chart(*, height: int, title: str = "", left: int = 56, legend: bool = False) -> go.Figure:
    """Return an empty chart in the style of all."""
    figure = go.Figure()
    figure.update_layout(
        height=height,
        title={"text": title, "font": {"size": 14, "color": "#1c2330"}, "x": 0, "xanchor": "left", "y": 0.98},
        margin={"l": left, "r": 12, "t": 54 if title else 30 if legend else 12, "b": 36},
        font={"family": FONT, "size": 12, "color": "#1c2330"},
        paper_bgcolor="#ffffff",
        plot_bgcolor="#ffffff",
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 12}},
        hoverlabel={"bgcolor": "#ffffff", "font": {"size": 13, "color": "#1c2330"}},
        bargap=0.25,
    )
    figure.update_xaxes(
        tickangle=0, showgrid=False, linecolor="#9aa1ae", ticks="outside", tickcolor="#9aa1ae", automargin=True
    )
    figure.update_yaxes(
        gridcolor="#e6e8ec", zerolinecolor="#5d6472", separatethousands=True, tickformat=",", exponentformat="none"
    )
    return figure


def round_labels(snapshot: Snapshot, words: Words) -> list[str]:
    """Return a short label for every round."""
    return [
        f"{words('round.short', number=number)}<br>{words.short_month(snapshot.reference_day(number))}"
        for number in snapshot.rounds.index
    ]


def bars(
    labels: list[str],
    values: list[float],
    *,
    title: str,
    color: str = BAR,
    texts: list[str] | None = None,
    colors: list[str] | None = None,
) -> go.Figure:
    """Return horizontal bars, the largest on top."""
    figure = base_chart(height=max(150, 70 + 24 * len(labels)), title=title, left=8)
    figure.add_bar(
        showlegend=False,
        x=list(reversed(values)),
        y=list(reversed(labels)),
        orientation="h",
        marker={"color": list(reversed(colors)) if colors else color},
        text=list(reversed(texts)) if texts else None,
        textposition="auto",
        hovertemplate="%{y}: %{text}<extra></extra>" if texts else "%{y}: %{x:,}<extra></extra>",
    )
    figure.update_yaxes(automargin=True, gridcolor="#ffffff", tickformat="", type="category")
    figure.update_xaxes(showgrid=True, gridcolor="#e6e8ec", separatethousands=True, rangemode="tozero")
    figure.update_layout(margin={"t": 36})
    return figure


def interval_bars(rows: list[dict[str, Any]], *, title: str, words: Words) -> go.Figure:
    """Return people inside with the interval from the areas wholly inside to all that touch."""
    figure = bars(
        [row["name"] for row in rows],
        [row["persons"] for row in rows],
        title=title,
        color="#b3541e",
        texts=[words.number(row["persons"]) for row in rows],
    )
    ordered = list(reversed(rows))
    figure.update_traces(
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [max(0, row["high"] - row["persons"]) for row in ordered],
            "arrayminus": [max(0, row["persons"] - row["low"]) for row in ordered],
            "color": "#1c2330",
            "thickness": 1.4,
        },
        textposition="none",
        customdata=[
            words("hazard.interval", low=words.number(r["low"]), high=words.number(r["high"])) for r in ordered
        ],
        hovertemplate="%{y}: %{text}<br>%{customdata}<extra></extra>",
    )
    figure.add_scatter(
        x=[row["high"] for row in ordered],
        y=[row["name"] for row in ordered],
        mode="text",
        text=[f"{EN_SPACE}<b>{words.number(row['persons'])}</b>" for row in ordered],
        textposition="middle right",
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )
    if rows:
        figure.update_xaxes(range=[0, max(row["high"] for row in rows) * 1.2], tickformat=",")
        figure.update_layout(margin={"r": 36})
    return figure

"""Put a chart on the page of flows with its notes, or a sentence where there is nothing to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import html

from dashboard import parts

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

NARROW_PX, SIDES_PX = 990, 170
LEAST_NAMES = 2
LETTER_PX, KEY_PX, LEGEND_LINE_PX = 7.2, 46, 21
"""About how wide a letter and a key of a legend are, and how high one of its lines is."""
STILL = {**parts.GRAPH_CONFIG, "scrollZoom": False}
"""A chart on which the page scrolls on."""


def legend_above(figure: go.Figure, *, width_px: int) -> None:
    """Put the legend over the whole width above the plot, and give it as much height as its lines need."""
    names = [trace.name for trace in figure.data if trace.name and trace.showlegend is not False]
    if figure.layout.legend.orientation != "h" or len(names) < LEAST_NAMES:
        return
    lines, left = 1, float(width_px)
    widest = max(len(name) for name in names) * LETTER_PX + KEY_PX
    for _ in names:  # the entries stand in columns as wide as the widest
        if left < widest and left < width_px:
            lines, left = lines + 1, float(width_px)
        left -= widest
    top = max(int(figure.layout.margin.t or 0), LEGEND_LINE_PX * lines + 12)
    figure.update_layout(
        height=int(figure.layout.height) + top - int(figure.layout.margin.t or 0),
        margin={"t": top},
        legend={"xref": "container", "x": 0.01, "yref": "container", "y": 1.0, "yanchor": "top"},
    )


def block(
    name: str, figure: go.Figure, *, label: str, notes: list[str], how: html.Details | None, width_px: int,
    title: str = "",
) -> html.Div:  # fmt: skip
    """Return a chart with what must be said of it under it."""
    figure.update_layout(dragmode=False)
    legend_above(figure, width_px=width_px - SIDES_PX // 2)
    return html.Div(
        [
            html.H3(title, className="panel-subtitle") if title else None,
            parts.graph(
                f"flows-{name}", label=label, height=int(figure.layout.height), figure=figure, config=STILL
            ),
            *[html.P(note, className="note") for note in notes if note],
            how,
        ],
        className="flow-block",
    )  # fmt: skip


def nothing(text: str, advice: str) -> list[html.P]:
    """Return what is the case where there is nothing to draw, and what to do."""
    return [html.P(f"{text} {advice}", className="flow-empty")]


def side_counts(totals: pd.DataFrame, sides: tuple[str, ...]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for side in sides:
        for status, count in totals[f"{side}_status"].value_counts().items():
            counts[str(status)] = counts.get(str(status), 0) + int(count)
    return counts

"""Put a chart on the page of flows with its notes, or a sentence where there is nothing to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dash import html

from dashboard import parts

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

NARROW_PX, SIDES_PX = 990, 170
STILL = {**parts.GRAPH_CONFIG, "scrollZoom": False}
"""A chart on which the page scrolls on."""


def block(
    name: str, figure: go.Figure, *, label: str, notes: list[str], how: html.Details | None, title: str = ""
) -> html.Div:
    """Return a chart with what must be said of it under it."""
    figure.update_layout(dragmode=False)
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


def nothing(text: str) -> list[html.P]:
    """Return a sentence where there is nothing to draw."""
    return [html.P(text, className="flow-empty")]


def side_counts(totals: pd.DataFrame, sides: tuple[str, ...]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for side in sides:
        for status, count in totals[f"{side}_status"].value_counts().items():
            counts[str(status)] = counts.get(str(status), 0) + int(count)
    return counts

"""Say what the widths of the arrows mean: three arrows as the map draws them, with their people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from urllib.parse import quote

from dash import html

from dashboard.arrows import arrow, arrow_width, is_too_short
from dashboard.flowmap import HEAD_SHARE, position, widest_deg
from dashboard.maps import TILE_PX

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.maps import Bounds, Camera
    from dashboard.reader import Snapshot
    from dashboard.words import Words

LENGTH_PX = 84
SHARES = (1.0, 1 / 3, 1 / 15)
"""Sizes shown, as shares of the largest; the last is where arrows stop getting thinner."""
DEG_PER_PX = 1e-4
"""Scale the arrows of the legend are made at: so near the equator a degree is as long either way."""
STEPS = (1, 2, 3, 5)


def round_below(value: float) -> int:
    """Return the largest 1, 2, 3 or 5 times a power of ten that is not above a value; at least 1."""
    if value < 1:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return int(max(step * power for step in STEPS if step * power <= value))


def shown_values(largest: float) -> list[int]:
    """Return up to three round numbers of people from the largest flow down to the thinnest arrow."""
    return sorted({round_below(largest * share) for share in SHARES}, reverse=True)


def px_per_degree(camera: Camera) -> float:
    """Return how many pixels a Mercator degree of longitude has as the map opens."""
    return float(TILE_PX * 2**camera.zoom / 360)


def picture(width_px: float, head_px: float, color: str) -> str:
    """Return an arrow of a width as the address of an SVG picture."""
    ring = arrow((0.0, 0.0), (LENGTH_PX * DEG_PER_PX, 0.0), width=width_px * DEG_PER_PX, head=head_px * DEG_PER_PX)
    points = [(x / DEG_PER_PX, -y / DEG_PER_PX) for x, y in ring]
    top, bottom = min(y for _, y in points) - 1, max(y for _, y in points) + 1
    path = " ".join(f"{x:.1f},{y - top:.1f}" for x, y in points)
    height = bottom - top
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LENGTH_PX}" height="{height:.0f}" '
        f'viewBox="0 0 {LENGTH_PX} {height:.1f}"><polygon points="{path}" fill="{color}" fill-opacity="0.82"/></svg>'
    )
    return "data:image/svg+xml," + quote(svg)


def legend(
    snapshot: Snapshot, drawn: pd.DataFrame, words: Words, *, color: str, unit: str, bounds: Bounds, camera: Camera
) -> html.Div | None:
    """Return the legend of a map's arrows, None where there are none."""
    if drawn.empty:
        return None
    largest, widest = float(drawn["value"].max()), widest_deg(bounds)
    scale = px_per_degree(camera)
    values = shown_values(largest)
    items = []
    for value in values:
        width = arrow_width(value, largest=largest, widest=widest) * scale
        thinnest = value == values[-1] and value <= largest * SHARES[-1]
        text = words("arrows.fewer" if thinnest else "arrows.value", value=words.number(value))
        shape = html.Img(src=picture(width, widest * HEAD_SHARE * scale, color), alt="")
        items.append(html.Li([shape, html.Span(text)]))
    short = sum(
        is_too_short(start, end, width=arrow_width(float(row.value), largest=largest, widest=widest))
        for row in drawn.itertuples()
        if (start := position(snapshot, row.origin)) and (end := position(snapshot, row.destination))
    )
    notes = [words("arrows.zoom"), words("arrows.short", n=short) if short else ""]
    return html.Div(
        [
            html.Span(words("arrows.title", unit=words(f"unit.{unit}")), className="legend-title"),
            html.Ul(items, className="arrow-list"),
            html.Span(" ".join(filter(None, notes)), className="arrow-note"),
        ],
        className="legend arrow-legend",
    )

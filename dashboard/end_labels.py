"""Name the ends of the moves on the map, each name on a side of its dot where it covers no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from dashboard.arrow_legend import px_per_degree
from dashboard.arrows import to_mercator
from dashboard.flowmap import is_inside, position

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.maps import Camera
    from dashboard.reader import Snapshot
    from dashboard.words import Words

LETTER_PX, LINE_PX, DOT_PX = 7.6, 17.0, 7.0
"""About how wide a letter of a name is, how high its line, and how wide the dot."""
SIDES = ("top center", "bottom center", "middle right", "middle left")
"""Sides of a dot a name may stand on, the first that is free is taken."""
Box = tuple[float, float, float, float]


def box_of(x: float, y: float, name: str, side: str) -> Box:
    """Return left, top, right and bottom of a name beside a dot, in pixels with y downwards."""
    width = len(name) * LETTER_PX
    if side.startswith("middle"):
        left = x + DOT_PX if side == "middle right" else x - DOT_PX - width
        return left, y - LINE_PX / 2, left + width, y + LINE_PX / 2
    top = y - DOT_PX / 2 - LINE_PX if side == "top center" else y + DOT_PX / 2
    return x - width / 2, top, x + width / 2, top + LINE_PX


def overlap(one: Box, other: Box) -> bool:
    """Return whether two boxes share more than an edge."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def sides_of(points: list[tuple[float, float]], names: list[str]) -> list[str]:
    """Return on which side of its dot each name stands, the first side where no name or dot is covered."""
    half = DOT_PX / 2
    taken: list[Box] = [(x - half, y - half, x + half, y + half) for x, y in points]
    found = []
    for i, ((x, y), name) in enumerate(zip(points, names, strict=True)):
        others = [box for j, box in enumerate(taken) if j != i]
        free = (side for side in SIDES if not any(overlap(box_of(x, y, name, side), box) for box in others))
        found.append(next(free, SIDES[0]))
        taken.append(box_of(x, y, name, found[-1]))
    return found


def end_labels(
    snapshot: Snapshot, frame: pd.DataFrame, words: Words, *, camera: Camera, district: str | None
) -> list[go.Scattermap]:
    """Return dots with names at the ends of the flows drawn, a trace a side of the names; a click on a dot selects it.

    A khoroo of another district than the shown one has its district in its name: every district has a khoroo 5. The
    names of the largest flows are placed first, as the map opens; the browser leaves out those that still collide.
    """
    codes = list(
        dict.fromkeys(code for ends in zip(frame["origin"], frame["destination"], strict=True) for code in ends)
    )
    known = [(code, point) for code in codes if (point := position(snapshot, code)) is not None]
    names = [
        snapshot.name(code, words) if district and code.startswith(district) else snapshot.full_name(code, words)
        for code, _ in known
    ]
    scale = px_per_degree(camera)
    pixels = [(x * scale, -y * scale) for x, y in (to_mercator(point) for _, point in known)]
    sides = sides_of(pixels, names)
    traces = []
    for side in SIDES:
        own = [i for i, chosen in enumerate(sides) if chosen == side]
        if own:
            traces.append(_labels(snapshot, [known[i] for i in own], [names[i] for i in own], side=side))
    return traces


def _labels(
    snapshot: Snapshot, known: list[tuple[str, tuple[float, float]]], names: list[str], *, side: str
) -> go.Scattermap:  # fmt: skip
    return go.Scattermap(
        lon=[point[0] for _, point in known],
        lat=[point[1] for _, point in known],
        mode="markers+text",
        marker={"size": DOT_PX, "color": "#1c2330"},
        text=names,
        textposition=side,
        textfont={"size": 13, "color": "#10151f", "weight": 700},
        customdata=[code if is_inside(snapshot, code) else None for code, _ in known],
        hoverinfo="text",
    )

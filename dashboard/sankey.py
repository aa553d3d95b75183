"""Draw moves as bands from origins on the left to destinations on the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from dashboard.charts import FONT, base_chart
from dashboard.flow_sources import inside, unit_of
from dashboard.od_matrix import OUTSIDE, Matrix, cell_text, place_name

if TYPE_CHECKING:
    from dashboard.od_matrix import Cell
    from dashboard.reader import Snapshot
    from dashboard.state import View
    from dashboard.words import Words

REST = "rest"
"""All destinations of an origin whose flows are too small to draw by themselves."""
PALETTE = (
    "#0072b2", "#d55e00", "#007a5a", "#a05d8b", "#8c6d00", "#2a7fa8", "#5c2200", "#3b4cc0", "#6b6b2a", "#5a3d7a",
)  # fmt: skip
"""Dark enough for their names beside them; no two look alike to readers who don't see red and green apart."""
OUTSIDE_COLORS = {"aimags": "#3b4252", "abroad": "#6f7787", "unknown": "#9aa1ae"}
END_COLOR, REST_COLOR = "#3b4252", "#9aa1ae"
BAND_OPACITY = 0.42
NODE_PX = 38


@dataclass(frozen=True)
class Bands:
    """The bands to draw, and what is not drawn; `gaps` are the pairs without a figure, or with none to draw.

    `elsewhere` counts the pairs of the other scope: inside the city, or with other places.
    """

    links: list[tuple[str, str, float]]
    drawn: int
    grouped: int
    grouped_persons: float
    hidden: int
    gaps: list[tuple[str, str]]
    elsewhere: int


def choose_bands(snapshot: Snapshot, view: View, matrix: Matrix) -> Bands:
    """Return the largest flows of the view, the rest grouped by origin; hidden flows are only counted.

    Moves inside the city and moves with other places are not drawn together: the aimags would press the rest to
    threads.
    """
    area = snapshot.area_or_home(view.area)
    members = {area} if matrix.layout == "city" else inside(snapshot, area)
    wanted = {ends: cell for ends, cell in matrix.cells.items() if ends[0] != ends[1] and _wanted(ends, members, view)}
    cells = {ends: cell for ends, cell in wanted.items() if matrix.layout == "city" or _scope(ends) == view.scope}
    shown = sorted(
        ((cell.value, ends) for ends, cell in cells.items() if cell.value), key=lambda pair: (-pair[0], pair[1])
    )
    links = [(origin, destination, value) for value, (origin, destination) in shown[: view.top]]
    rest: dict[str, float] = {}
    for value, (origin, _) in shown[view.top :]:
        rest[origin] = rest.get(origin, 0.0) + value
    links += [(origin, REST, value) for origin, value in sorted(rest.items())]
    hidden = sum(cell.status == "suppressed" for cell in cells.values())
    gaps = sorted(ends for ends, cell in cells.items() if not cell.value)
    return Bands(links, min(len(shown), view.top), max(len(shown) - view.top, 0), sum(rest.values()), hidden, gaps,
                 len(wanted) - len(cells))  # fmt: skip


def _scope(ends: tuple[str, str]) -> str:
    return "external" if set(ends) & set(OUTSIDE) else "internal"


def _wanted(ends: tuple[str, str], members: set[str], view: View) -> bool:
    begins, stops = ends[0] in members, ends[1] in members
    return stops if view.direction == "in" else begins if view.direction == "out" else begins or stops


def _faded(color: str) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{BAND_OPACITY})"


def sankey_figure(snapshot: Snapshot, view: View, words: Words, matrix: Matrix, bands: Bands) -> go.Figure:
    """Return the bands, each in the colour of its origin."""
    unit = unit_of(view)
    sizes: dict[tuple[str, str], float] = {}
    for origin, destination, value in bands.links:
        for node in (("from", origin), ("to", destination)):
            sizes[node] = sizes.get(node, 0.0) + value
    nodes = sorted(sizes, key=lambda node: (node[0], node[1] == REST, -sizes[node], node[1]))
    place = {node: i for i, node in enumerate(nodes)}
    colors = _colors(matrix, [code for side, code in nodes if side == "from"])
    names = {code: _name(snapshot, code, words, matrix) for _, code in nodes}
    figure = base_chart(height=max(320, 60 + NODE_PX * max(_count(nodes, "from"), _count(nodes, "to"))), left=8)
    figure.add_trace(
        go.Sankey(
            arrangement="fixed",
            node={
                "label": [names[code] for _, code in nodes],
                "color": [colors[code] if side == "from" else _end_color(code) for side, code in nodes],
                "customdata": [
                    f"<b>{names[code]}</b><br>{words(f'sankey.{side}')}: "
                    f"{words.number(sizes[side, code])} {words(f'unit.{unit}')}"
                    for side, code in nodes
                ],
                "hovertemplate": "%{customdata}<extra></extra>",
                "pad": 18,
                "thickness": 16,
                "line": {"color": "#ffffff", "width": 0.5},
            },
            link={
                "source": [place["from", origin] for origin, _, _ in bands.links],
                "target": [place["to", destination] for _, destination, _ in bands.links],
                "value": [value for *_, value in bands.links],
                "color": [_faded(colors[origin]) for origin, *_ in bands.links],
                "customdata": [
                    f"<b>{names[origin]} → {names[destination]}</b><br>"
                    + _link_text(matrix.cells.get((origin, destination)), value, words, unit=unit)
                    for origin, destination, value in bands.links
                ],
                "hovertemplate": "%{customdata}<extra></extra>",
            },
            textfont={"size": 13, "color": "#10151f", "family": FONT, "shadow": "none"},
        )
    )
    figure.update_layout(margin={"t": 12, "b": 12, "l": 4, "r": 4})
    return figure


def _count(nodes: list[tuple[str, str]], side: str) -> int:
    return sum(own == side for own, _ in nodes)


def _name(snapshot: Snapshot, code: str, words: Words, matrix: Matrix) -> str:
    return words("sankey.rest") if code == REST else place_name(snapshot, code, words, level=matrix.level)


def _link_text(cell: Cell | None, value: float, words: Words, *, unit: str) -> str:
    return f"{words.number(value)} {words(f'unit.{unit}')}" if cell is None else cell_text(cell, words, unit=unit)


def _colors(matrix: Matrix, origins: list[str]) -> dict[str, str]:
    """Return a colour for every origin; an area keeps its own whatever is drawn beside it."""
    order = sorted({ends[0] for ends in matrix.cells} - set(OUTSIDE))
    return {
        code: OUTSIDE_COLORS[code] if code in OUTSIDE else PALETTE[order.index(code) % len(PALETTE)] for code in origins
    }


def _end_color(code: str) -> str:
    return REST_COLOR if code == REST else END_COLOR

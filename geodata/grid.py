"""Build the two-level grid index that answers which area holds a point.

A cell wholly inside one area answers by an integer look-up. In a cell that a border crosses, the index keeps the few
border edges that reach it and, for each area that may hold a point there, whether a reference point of the cell lies
inside: a point is inside if the line from it to the reference point crosses the area's edges an even number of times
and the reference point is inside, or an odd number and it is not. The line stays in the cell, so no other edge counts.

The grid follows the cell approximations of Kipf et al. 2020, "Adaptive Main-Memory Indexing for High-Performance
Point-Polygon Joins" (EDBT), kept to two levels so that a database joins them on integers; the crossing count is the
even-odd rule (Shimrat 1962, "Algorithm 112: Position of point relative to polygon", CACM 5(8)). Cells are tested with
a margin, so rounding in the cell arithmetic can't put a point in a wrong cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

COARSE_CELLS_MAX = 1024
"""Coarse cells along the longer side; rows take only the bits they need, so that ids stay dense for the join."""
REFINEMENT_BITS = 3
"""A coarse cell that a border crosses is cut into 2**3 x 2**3 fine cells."""
MANY_AREAS = 1000
"""From here on the cut is one halving coarser: the longer borders would make the index slow to build."""
WGS84_EPSG = 4326
_ROOT_BITS = 5
_MARGIN_CELLS = 1e-6
_REFERENCE = (0.4871, 0.5237)
BORDER = -1
"""Area index of a cell that a border crosses."""


@dataclass(frozen=True)
class Grid:
    """A grid index over areas sorted by P-code.

    A point's fine column is ``floor((lon - west_deg) * fine_cells_per_deg)``, its fine row likewise from
    ``south_deg``; ``fine >> refinement_bits`` is the coarse one. A cell's id is ``column * 2**row_bits + row``.

    Attributes
    ----------
    coarse, fine
        Columns ``cell`` and ``area_index`` (position in P-code order, or -1 where a border crosses). Cells outside
        every area are left out. ``fine`` covers the coarse cells marked -1.
    edges
        For each fine cell marked -1 and each area that may hold a point of it: ``cell``, ``area_index``,
        ``reference_lon``, ``reference_lat``, ``reference_inside``, and one row for each edge of the area that reaches
        the cell, from ``a_lon, a_lat`` to ``b_lon, b_lat`` (null when none does), coordinates as in the polygon.
    """

    west_deg: float
    south_deg: float
    fine_cells_per_deg: float
    coarse_row_bits: int
    refinement_bits: int
    coarse: pd.DataFrame
    fine: pd.DataFrame
    edges: pd.DataFrame

    @property
    def fine_row_bits(self) -> int:
        """Return the bits of a fine cell's row in its id."""
        return self.coarse_row_bits + self.refinement_bits


@dataclass(frozen=True)
class _Pairs:
    """Cells of one depth, each with the areas that may reach it."""

    column: NDArray[np.int64]
    row: NDArray[np.int64]
    area: NDArray[np.int64]

    def take(self, mask: NDArray[np.bool_]) -> _Pairs:
        return _Pairs(self.column[mask], self.row[mask], self.area[mask])

    def split(self) -> _Pairs:
        """Cut each cell in four."""
        column, row = (np.repeat(values * 2, 4) for values in (self.column, self.row))
        n = len(self.column)
        return _Pairs(column + np.tile([0, 0, 1, 1], n), row + np.tile([0, 1, 0, 1], n), np.repeat(self.area, 4))


def _classify(
    pairs: _Pairs, geometry: NDArray[np.object_], *, west_deg: float, south_deg: float, cell_deg: float
) -> tuple[_Pairs, NDArray[np.bool_]]:
    """Return the pairs that meet, and for each whether its cell is wholly inside one area alone."""
    margin_deg = cell_deg * _MARGIN_CELLS
    x0, y0 = west_deg + pairs.column * cell_deg, south_deg + pairs.row * cell_deg
    boxes = shapely.box(x0 - margin_deg, y0 - margin_deg, x0 + cell_deg + margin_deg, y0 + cell_deg + margin_deg)
    areas = geometry[pairs.area]
    meets = shapely.intersects(areas, boxes)
    pairs, areas, boxes = pairs.take(meets), areas[meets], boxes[meets]
    inside = shapely.contains_properly(areas, boxes)
    _, group, size = np.unique(_cell_id(pairs), return_inverse=True, return_counts=True)
    return pairs, inside & (size[group] == 1)


def _cell_id(pairs: _Pairs, row_bits: int = 31) -> NDArray[np.int64]:
    return (pairs.column << row_bits) | pairs.row


def _resolved(pairs: _Pairs, row_bits: int) -> pd.DataFrame:
    return pd.DataFrame({"cell": _cell_id(pairs, row_bits), "area_index": pairs.area.astype(np.int32)})


def _spread(pairs: _Pairs, bits: int) -> _Pairs:
    """Return every cell ``bits`` deeper that a cell covers."""
    side = 1 << bits
    n, block = len(pairs.column), side * side
    offset = np.arange(block)
    return _Pairs(
        np.repeat(pairs.column << bits, block) + np.tile(offset // side, n),
        np.repeat(pairs.row << bits, block) + np.tile(offset % side, n),
        np.repeat(pairs.area, block),
    )


def _marked(cells: NDArray[np.int64]) -> pd.DataFrame:
    return pd.DataFrame({"cell": cells, "area_index": np.full(len(cells), BORDER, dtype=np.int32)})


def _area_edges(geometry: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return every edge as a row ``a_lon, a_lat, b_lon, b_lat``, and the area it belongs to."""
    parts, part_area = shapely.get_parts(geometry, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    points, point_ring = shapely.get_coordinates(rings, return_index=True)
    joined = point_ring[1:] == point_ring[:-1]
    edges = np.hstack([points[:-1][joined], points[1:][joined]])
    return edges, part_area[ring_part[point_ring[:-1][joined]]]


def _border_edges(
    border: pd.DataFrame,
    geometry: NDArray[np.object_],
    *,
    west_deg: float,
    south_deg: float,
    cell_deg: float,
    row_bits: int,
) -> pd.DataFrame:
    """Return each border cell's areas with their edges and the reference point, see `Grid`."""
    edges, edge_area = _area_edges(geometry)
    cells = np.unique(border["cell"].to_numpy())
    margin_deg = cell_deg * _MARGIN_CELLS
    x0 = west_deg + (cells >> row_bits) * cell_deg - margin_deg
    y0 = south_deg + (cells & ((1 << row_bits) - 1)) * cell_deg - margin_deg
    side_deg = cell_deg + 2 * margin_deg
    tree = shapely.STRtree(np.asarray(shapely.linestrings(edges.reshape(-1, 2, 2)), dtype=object))
    at_cell, at_edge = tree.query(shapely.box(x0, y0, x0 + side_deg, y0 + side_deg), predicate="intersects")
    reaching = pd.DataFrame(edges[at_edge], columns=["a_lon", "a_lat", "b_lon", "b_lat"])
    reaching.insert(0, "cell", cells[at_cell])
    reaching.insert(1, "area_index", edge_area[at_edge].astype(np.int32))

    cell, area = border["cell"].to_numpy(), border["area_index"].to_numpy()
    lon = west_deg + ((cell >> row_bits) + _REFERENCE[0]) * cell_deg
    lat = south_deg + ((cell & ((1 << row_bits) - 1)) + _REFERENCE[1]) * cell_deg
    candidates = border.assign(
        reference_lon=lon, reference_lat=lat, reference_inside=shapely.contains_xy(geometry[area], lon, lat)
    )
    return candidates.merge(reaching, how="left", on=["cell", "area_index"])


def build_grid(
    areas: gpd.GeoDataFrame,
    *,
    coarse_cells_max: int = COARSE_CELLS_MAX,
    refinement_bits: int | None = None,
) -> Grid:
    """Index areas by a grid in degrees.

    Parameters
    ----------
    areas
        Valid polygons in EPSG:4326 in P-code order; the position of an area is its index in the grid.
    coarse_cells_max
        Coarse cells along the longer side; rounded up to a power of two.
    refinement_bits
        Halvings of a coarse border cell; `REFINEMENT_BITS`, or one less for `MANY_AREAS`, when not given.

    Raises
    ------
    ValueError
        There are no areas, or they are not in EPSG:4326.
    """
    if len(areas) == 0:
        raise ValueError("A grid index needs at least one area.")
    if areas.crs is None or areas.crs.to_epsg() != WGS84_EPSG:
        raise ValueError(f"A grid index needs areas in EPSG:4326, not {areas.crs}.")
    if refinement_bits is None:
        refinement_bits = REFINEMENT_BITS - (len(areas) >= MANY_AREAS)
    geometry = np.asarray(areas.geometry.array, dtype=object)
    shapely.prepare(geometry)
    west, south, east, north = shapely.total_bounds(geometry)
    coarse_bits = max(_ROOT_BITS, math.ceil(math.log2(coarse_cells_max)))
    extent_deg = max(east - west, north - south) * (1 + 1e-9) + 1e-9
    depth = coarse_bits + refinement_bits
    row_bits = (math.floor((north - south) / extent_deg * (1 << coarse_bits)) + 1).bit_length()
    fine_row_bits = row_bits + refinement_bits
    root_deg = extent_deg / (1 << _ROOT_BITS)
    columns, rows = math.ceil((east - west) / root_deg + 1e-9), math.ceil((north - south) / root_deg + 1e-9)
    column, row = (values.ravel() for values in np.meshgrid(np.arange(columns), np.arange(rows), indexing="ij"))
    x0, y0 = west + column * root_deg, south + row * root_deg
    cell, area = shapely.STRtree(geometry).query(shapely.box(x0, y0, x0 + root_deg, y0 + root_deg))
    pairs = _Pairs(column[cell].astype(np.int64), row[cell].astype(np.int64), area.astype(np.int64))

    coarse: list[pd.DataFrame] = []
    fine: list[pd.DataFrame] = []
    for bits in range(_ROOT_BITS, depth + 1):
        pairs, inside = _classify(pairs, geometry, west_deg=west, south_deg=south, cell_deg=extent_deg / (1 << bits))
        done, pairs = pairs.take(inside), pairs.take(~inside)
        if bits <= coarse_bits:
            coarse.append(_resolved(_spread(done, coarse_bits - bits), row_bits))
        else:
            fine.append(_resolved(_spread(done, depth - bits), fine_row_bits))
        if bits == coarse_bits:
            coarse.append(_marked(np.unique(_cell_id(pairs, row_bits))))
        if bits < depth:
            pairs = pairs.split()
    border = _cell_id(pairs, fine_row_bits)
    fine.append(_marked(np.unique(border)))
    edges = _border_edges(
        pd.DataFrame({"cell": border, "area_index": pairs.area.astype(np.int32)}),
        geometry,
        west_deg=float(west),
        south_deg=float(south),
        cell_deg=float(extent_deg / (1 << depth)),
        row_bits=fine_row_bits,
    )
    return Grid(
        west_deg=float(west),
        south_deg=float(south),
        fine_cells_per_deg=float((1 << depth) / extent_deg),
        coarse_row_bits=row_bits,
        refinement_bits=refinement_bits,
        coarse=pd.concat(coarse, ignore_index=True),
        fine=pd.concat(fine, ignore_index=True),
        edges=edges,
    )

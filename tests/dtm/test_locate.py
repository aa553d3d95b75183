"""Hold the location join to GEOS, point by point, also on borders, vertices and overlaps."""

from __future__ import annotations

from functools import partial
from unittest.mock import patch

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from dtm.engine import Connection
from dtm.errors import UnknownAreaSetError
from dtm.locate import locate_points, store_grid
from dtm.warehouse import prepare_warehouse
from geodata.grid import COARSE_CELLS_MAX, build_grid


def warehouse_with(connection: Connection, areas: gpd.GeoDataFrame, *, cells: int = COARSE_CELLS_MAX) -> None:
    """Put areas with columns pcode and geometry into an empty warehouse as set `s`, with their grid.

    `cells` of the grid along the longer side: however coarse it is, the answers are the same.
    """
    prepare_warehouse(connection)
    frame = pd.DataFrame({"pcode": areas["pcode"], "wkb": areas.geometry.to_wkb()})
    connection.register("areas_frame", frame)
    connection.execute(
        "INSERT INTO area (area_set, version, pcode, level, geometry) "
        "SELECT 's', 1, pcode, 3, ST_GeomFromWKB(wkb) FROM areas_frame"
    )
    connection.unregister("areas_frame")
    with patch("dtm.locate.build_grid", partial(build_grid, coarse_cells_max=cells)):
        store_grid(connection, area_set="s", version=1)


def located(connection: Connection, lon: np.ndarray, lat: np.ndarray) -> list[str | None]:
    """Return the P-code of each point, None outside."""
    connection.register("points_frame", pd.DataFrame({"key": np.arange(len(lon)), "lon": lon, "lat": lat}))
    locate_points(connection, "SELECT * FROM points_frame", area_set="s", version=1, into="answer")
    rows = connection.execute("SELECT p.key, pcode FROM points_frame p LEFT JOIN answer USING (key) ORDER BY 1")
    return [pcode for _, pcode in rows.fetchall()]


def by_geos(areas: gpd.GeoDataFrame, lon: np.ndarray, lat: np.ndarray) -> list[str | None]:
    """Return the lowest P-code of the areas that GEOS says intersect each point."""
    tree = shapely.STRtree(areas.geometry.array)
    point, area = tree.query(shapely.points(lon, lat), predicate="intersects")
    best: dict[int, str] = {}
    for p, a in zip(point, areas["pcode"].to_numpy()[area], strict=True):
        best[p] = min(best.get(p, a), a)
    return [best.get(i) for i in range(len(lon))]


@pytest.fixture
def connection() -> Connection:
    from dtm.engine import connect

    with connect() as opened:
        yield opened


def squares(n: int) -> gpd.GeoDataFrame:
    """Return n x n unit squares from (0, 0), P-codes by column, then row."""
    cells = [(x, y) for x in range(n) for y in range(n)]
    return gpd.GeoDataFrame(
        {"pcode": [f"P{x}{y}" for x, y in cells]},
        geometry=[shapely.box(x, y, x + 1, y + 1) for x, y in cells],
        crs=4326,
    )


def test_points_inside_on_borders_and_outside(connection):
    warehouse_with(connection, squares(2))
    # P00 | P10 side by side, P01 above P00; (1, 1) touches all four, (2, 2) only the last, (3, 3) none.
    lon = np.array([0.5, 1.5, 1.0, 0.5, 1.0, 2.0, 3.0, np.nan])
    lat = np.array([0.5, 0.5, 0.5, 1.0, 1.0, 2.0, 3.0, 0.5])
    assert located(connection, lon, lat) == ["P00", "P10", "P00", "P00", "P00", "P11", None, None]


def test_overlap_belongs_to_the_lowest_pcode_and_a_hole_to_none(connection):
    ring = shapely.difference(shapely.box(0, 0, 10, 10), shapely.box(4, 4, 6, 6))
    areas = gpd.GeoDataFrame({"pcode": ["A", "B"]}, geometry=[ring, shapely.box(9.9, 0, 20, 10)], crs=4326)
    warehouse_with(connection, areas, cells=128)
    lon, lat = np.array([9.95, 15.0, 5.0, 4.0, 1.0]), np.array([5.0, 5.0, 5.0, 5.0, 1.0])
    assert located(connection, lon, lat) == ["A", "B", None, "A", "A"]


def test_an_unknown_set_is_named(connection):
    prepare_warehouse(connection)
    with pytest.raises(UnknownAreaSetError, match="no grid index for 'x' version 3"):
        locate_points(connection, "SELECT 1 AS key, 1.0 AS lon, 1.0 AS lat", area_set="x", version=3, into="answer")


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([1.0, 0.001, 30.0]), fineness=st.sampled_from([32, 64, 128]))
def test_any_coverage_gives_the_answer_of_geos(seed, scale, fineness):
    from dtm.engine import connect

    rng = np.random.default_rng(seed)
    seeds = shapely.multipoints(rng.random((12, 2)) * scale + [106, 47])
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds))
    areas = gpd.GeoDataFrame({"pcode": [f"K{i:02}" for i in range(len(cells))]}, geometry=cells, crs=4326)
    vertices = shapely.get_coordinates(cells)
    midpoints = (vertices[1:] + vertices[:-1]) / 2
    spread = rng.uniform(vertices.min(0), vertices.max(0), (400, 2)).round(7)
    points = np.vstack([vertices, midpoints, spread])
    with connect() as connection:
        warehouse_with(connection, areas, cells=fineness)
        assert located(connection, *points.T) == by_geos(areas, *points.T)


@pytest.mark.realdata
def test_every_point_of_the_204_khoroos_is_where_geos_says(connection, realdata):
    khoroos = gpd.read_file(realdata / "ub-khoroo-204" / "ub_khoroo_204_election.geojson").to_crs(4326)
    khoroos = khoroos.assign(pcode=[f"K{i:03}" for i in khoroos["id"]]).sort_values("pcode", ignore_index=True)
    warehouse_with(connection, khoroos)
    rng = np.random.default_rng(7)
    box = khoroos.bounds.to_numpy()[rng.integers(0, len(khoroos), 60_000)]
    inside = box[:, :2] + rng.random((len(box), 2)) * (box[:, 2:] - box[:, :2])
    vertices = shapely.get_coordinates(khoroos.geometry.array)
    midpoints = (vertices[1:] + vertices[:-1]) / 2
    points = np.vstack([inside.round(7), vertices, midpoints])
    assert located(connection, *points.T) == by_geos(khoroos, *points.T)

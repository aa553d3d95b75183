"""Decide in the database which area holds each point, exactly, through the grid index.

Three steps, each an integer join: a coarse cell inside one area, a fine cell inside one area, and for points in fine
cells that a border crosses a count of the border edges between the point and the cell's reference point
(`geodata.grid`). The sign of each orientation test is trusted only beyond its rounding error (the static filter of
Shewchuk 1997, "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates", Discrete &
Computational Geometry 18); what is in doubt, such as a point on a border, goes to the exact `ST_Intersects`.

The rule for a point that several areas touch: it belongs to the one with the lowest P-code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import shapely

from dtm.errors import UnknownAreaSetError
from dtm.messages import message
from geodata.grid import build_grid

if TYPE_CHECKING:
    from dtm.engine import Connection

_CELL_ID_BITS = 30
_ORIENTATION_ERROR = 1e-15
"""Relative rounding error allowed for an orientation test; three times Shewchuk's bound of 3.3e-16."""


def read_areas(connection: Connection, *, area_set: str, version: int) -> gpd.GeoDataFrame:
    """Return the areas of a set in P-code order, EPSG:4326, all columns of the `area` table.

    Raises
    ------
    UnknownAreaSetError
        The warehouse has no such version.
    """
    frame = connection.execute(
        "SELECT * EXCLUDE (geometry), ST_AsWKB(geometry) AS wkb FROM area "
        "WHERE area_set = ? AND version = ? ORDER BY pcode",
        [area_set, version],
    ).df()
    if frame.empty:
        raise UnknownAreaSetError(message("area_set_not_there", area_set=area_set, version=version))
    geometry = shapely.from_wkb([bytes(value) for value in frame.pop("wkb")])
    return gpd.GeoDataFrame(frame, geometry=geometry, crs="EPSG:4326")


def store_grid(connection: Connection, *, area_set: str, version: int) -> None:
    """Build the grid index of an area set and keep it in the warehouse."""
    grid = build_grid(read_areas(connection, area_set=area_set, version=version))
    connection.execute(
        "INSERT INTO grid VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            area_set,
            version,
            grid.west_deg,
            grid.south_deg,
            grid.fine_cells_per_deg,
            grid.coarse_row_bits,
            grid.refinement_bits,
        ],
    )
    for frame, is_fine in ((grid.coarse, False), (grid.fine, True)):
        connection.register("grid_frame", frame)
        connection.execute(
            "INSERT INTO grid_cell SELECT ?, ?, ?, cell, area_index FROM grid_frame ORDER BY cell",
            [area_set, version, is_fine],
        )
    connection.register("grid_frame", grid.edges)
    connection.execute(
        "INSERT INTO grid_edge SELECT ?, ?, cell, area_index, reference_lon, reference_lat, reference_inside, "
        "a_lon, a_lat, b_lon, b_lat FROM grid_frame ORDER BY cell, area_index",
        [area_set, version],
    )
    connection.unregister("grid_frame")


def locate_points(connection: Connection, points_sql: str, *, area_set: str, version: int, into: str) -> None:
    """Find the area of each point.

    Parameters
    ----------
    connection
        A warehouse, or any database with the tables `area`, `grid`, `grid_cell` and `grid_edge`.
    points_sql
        A query or table expression with columns ``key`` (BIGINT, unique), ``lon`` and ``lat`` (DOUBLE, WGS84 degrees);
        it is read twice. Points with a null coordinate are skipped.
    area_set, version
        The areas, with a stored grid (`store_grid`).
    into
        Temporary table to make, with ``key`` and ``pcode``: one row for each point that lies in an area. A point on
        a border belongs to the lowest P-code of those that touch it.

    Raises
    ------
    UnknownAreaSetError
        No grid is stored for that version.
    """
    row = connection.execute(
        "SELECT west_deg, south_deg, fine_cells_per_deg, coarse_row_bits, refinement_bits FROM grid "
        "WHERE area_set = ? AND version = ?",
        [area_set, version],
    ).fetchone()
    if row is None:
        raise UnknownAreaSetError(message("grid_not_there", area_set=area_set, version=version))
    west, south, per_deg, row_bits, bits = row
    _take_index(connection, area_set=area_set, version=version)
    columns, rows = 1 << (_CELL_ID_BITS - row_bits + bits), 1 << (row_bits + bits)
    points = f"""
        SELECT key, lon, lat, (x << {row_bits + bits}) | y AS fine, area_index FROM (
            SELECT key, lon, lat, floor((lon - {west!r}) * {per_deg!r})::BIGINT AS x,
                   floor((lat - {south!r}) * {per_deg!r})::BIGINT AS y
            FROM ({points_sql})
            WHERE (lon - {west!r}) * {per_deg!r} >= 0 AND (lon - {west!r}) * {per_deg!r} < {columns}
              AND (lat - {south!r}) * {per_deg!r} >= 0 AND (lat - {south!r}) * {per_deg!r} < {rows})
        JOIN locate_coarse ON cell = (((x >> {bits}) << {row_bits}) | (y >> {bits}))::INTEGER"""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE locate_fine_points AS "
        f"SELECT key, lon, lat, p.fine, f.area_index FROM ({points} WHERE area_index < 0) p "
        "JOIN locate_fine f ON f.cell = p.fine"
    )
    _decide_border_points(connection)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT key, pcode FROM ("
        f"SELECT key, area_index FROM ({points} WHERE area_index >= 0) "
        "UNION ALL SELECT key, area_index FROM locate_fine_points WHERE area_index >= 0 "
        "UNION ALL SELECT key, area_index FROM locate_decided) JOIN locate_area USING (area_index)"
    )
    for table in ("coarse", "fine", "edge", "area", "fine_points", "border", "decided"):
        connection.execute(f"DROP TABLE IF EXISTS locate_{table}")


def _take_index(connection: Connection, *, area_set: str, version: int) -> None:
    """Copy one area set's index where the joins are dense and small."""
    where = "WHERE area_set = ? AND version = ?"
    of = [area_set, version]
    for table, sql in {
        "coarse": f"SELECT cell::INTEGER AS cell, area_index FROM grid_cell {where} AND NOT is_fine",
        "fine": f"SELECT cell, area_index FROM grid_cell {where} AND is_fine",
        "edge": f"SELECT * EXCLUDE (area_set, version) FROM grid_edge {where}",
        "area": "SELECT (row_number() OVER (ORDER BY pcode) - 1)::INTEGER AS area_index, pcode, geometry "
        f"FROM area {where}",
    }.items():
        connection.execute(f"CREATE OR REPLACE TEMP TABLE locate_{table} AS {sql}", of)


def _sign(a: str, b: str, c: str) -> str:
    """Return SQL for the side of the line a-b that c lies on: 1, -1, or 0 when rounding leaves it in doubt."""
    left = f"({a}_lon - {c}_lon) * ({b}_lat - {c}_lat)"
    right = f"({a}_lat - {c}_lat) * ({b}_lon - {c}_lon)"
    error = f"{_ORIENTATION_ERROR!r} * (abs({left}) + abs({right}))"
    return f"CASE WHEN {left} - {right} > {error} THEN 1 WHEN {right} - {left} > {error} THEN -1 ELSE 0 END"


def _decide_border_points(connection: Connection) -> None:
    """Make `locate_decided` from the points in fine cells that a border crosses."""
    connection.execute(f"""
        CREATE OR REPLACE TEMP TABLE locate_border AS
        WITH pair AS (
            SELECT key, lon AS p_lon, lat AS p_lat, e.area_index, reference_inside,
                   reference_lon AS r_lon, reference_lat AS r_lat, a_lon, a_lat, b_lon, b_lat
            FROM locate_fine_points p JOIN locate_edge e ON e.cell = p.fine
            WHERE p.area_index < 0),
        side AS (
            SELECT key, area_index, reference_inside, a_lon IS NULL AS no_edge,
                   ({_sign("a", "b", "p")}) * ({_sign("a", "b", "r")}) AS ends,
                   ({_sign("p", "r", "a")}) * ({_sign("p", "r", "b")}) AS line
            FROM pair)
        SELECT key, area_index,
               (count(*) FILTER (ends < 0 AND line < 0) + any_value(reference_inside)::INTEGER) % 2 = 1 AS is_inside,
               bool_or(NOT no_edge AND NOT (ends > 0 OR line > 0 OR (ends < 0 AND line < 0))) AS in_doubt
        FROM side GROUP BY key, area_index""")
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE locate_decided AS
        SELECT key, min(area_index) AS area_index FROM (
            SELECT key, area_index FROM locate_border WHERE is_inside AND NOT in_doubt
            UNION ALL
            SELECT key, b.area_index FROM locate_border b JOIN locate_fine_points p USING (key)
            JOIN locate_area a ON a.area_index = b.area_index
            WHERE in_doubt AND ST_Intersects(a.geometry, ST_Point(lon, lat)))
        GROUP BY key""")

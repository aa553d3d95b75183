"""Time which area holds each point: the grid index in the database against GeoPandas and DuckDB's spatial join.

Timed is the join alone, the points being where each tool wants them: in a table of a database file for ours and for
DuckDB's join, in a GeoDataFrame for GeoPandas. Loading is told beside it, as is the build of the index, which a
warehouse keeps. Peers leave out points on a border and may give a point to two areas where a file's areas overlap.
Answers are equal if every point has the lowest P-code of the peer's and each point that only we place is on a border.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from benchmarks.clock import clock
from benchmarks.coverage import build_coverage
from dtm.engine import connect
from dtm.locate import locate_points, store_grid
from dtm.warehouse import prepare_warehouse

if TYPE_CHECKING:
    from pathlib import Path

CLUSTERS = 300
CLUSTER_DEG = 0.01
DECIMALS = 7
DATABASE = "points.duckdb"
POINTS = "points.parquet"
AREAS = "areas.parquet"


def prepare(folder: Path, facts: dict) -> dict:
    """Write areas and points, and a warehouse with both and the index; return how long the index took."""
    if facts.get("areas_file"):
        areas = gpd.read_file(facts["areas_file"])[["geometry"]].to_crs("EPSG:4326")
        areas.insert(0, "pcode", [f"A{number:05d}" for number in range(len(areas))])
    else:
        areas = build_coverage(facts["areas"])
    areas.to_parquet(folder / AREAS)
    make_points(areas, facts["points"]).to_parquet(folder / POINTS)
    connection = connect(folder / DATABASE)
    prepare_warehouse(connection)
    frame = pd.DataFrame({"pcode": areas["pcode"], "wkb": shapely.to_wkb(areas.geometry.to_numpy())})
    connection.register("area_frame", frame)
    connection.execute(
        "INSERT INTO area (area_set, version, pcode, level, geometry) "
        "SELECT 'bench', 1, pcode, 3, ST_GeomFromWKB(wkb) FROM area_frame ORDER BY pcode"
    )
    with clock() as indexing:
        store_grid(connection, area_set="bench", version=1)
    connection.execute(f"CREATE TABLE point AS FROM read_parquet('{folder / POINTS}')")
    connection.close()
    corners = int(shapely.get_num_coordinates(areas.geometry.to_numpy()).sum())
    return {
        "seconds_index": round(indexing["seconds"], 3),
        "cpu_seconds_index": round(indexing["cpu_seconds"], 3),
        "areas": len(areas),
        "corners": corners,
    }


def make_points(areas: gpd.GeoDataFrame, n: int, *, seed: int = 7) -> pd.DataFrame:
    """Return points with 7 decimals: half in clusters, half spread evenly over the areas' boxes."""
    rng = np.random.default_rng(seed)
    bounds = areas.bounds.to_numpy()
    box = bounds[rng.integers(0, len(bounds), n - n // 2)]
    spread = box[:, :2] + rng.random((len(box), 2)) * (box[:, 2:] - box[:, :2])
    inside = shapely.get_coordinates(shapely.point_on_surface(areas.geometry.to_numpy()))
    centres = inside[rng.integers(0, len(inside), CLUSTERS)]
    clustered = centres[rng.integers(0, CLUSTERS, n // 2)] + rng.normal(0, CLUSTER_DEG, (n // 2, 2))
    points = np.round(np.vstack([spread, clustered]), DECIMALS)
    return pd.DataFrame({"key": np.arange(n), "lon": points[:, 0], "lat": points[:, 1]})


def ours(folder: Path, _facts: dict):
    """Run `dtm.locate` on a warehouse that has the index."""
    connection = connect(folder / DATABASE, read_only=True)
    with clock() as taken:
        locate_points(connection, "SELECT key, lon, lat FROM point", area_set="bench", version=1, into="located")
    return taken, lambda path: connection.execute(f"COPY located TO '{path}'")


def duckdb_spatial(folder: Path, _facts: dict):
    """Run DuckDB's own spatial join."""
    connection = connect(folder / DATABASE, read_only=True)
    with clock() as taken:
        connection.execute(
            "CREATE TEMP TABLE located AS SELECT p.key, a.pcode FROM point p "
            "JOIN area a ON ST_Contains(a.geometry, ST_Point(p.lon, p.lat))"
        )
    return taken, lambda path: connection.execute(f"COPY located TO '{path}'")


def geopandas(folder: Path, _facts: dict):
    """Run `geopandas.sjoin`."""
    with clock() as loading:
        areas = gpd.read_parquet(folder / AREAS)
        frame = pd.read_parquet(folder / POINTS)
        at = gpd.points_from_xy(frame["lon"], frame["lat"])
        points = gpd.GeoDataFrame(frame[["key"]], geometry=at, crs="EPSG:4326")
    with clock() as taken:
        joined = gpd.sjoin(points, areas, predicate="within")
    return {**taken, "seconds_load": round(loading["seconds"], 3)}, lambda path: pd.DataFrame(
        joined[["key", "pcode"]]
    ).to_parquet(path, index=False)


ARMS = {"ours": ours, "geopandas": geopandas, "duckdb_spatial": duckdb_spatial}


def compare(folder: Path, peer: str, _facts: dict) -> dict:
    """Hold every point's area against the peer's, see the module."""
    connection = connect(spatial=False)
    connection.execute(f"CREATE TABLE mine AS FROM read_parquet('{folder / 'answer-ours.parquet'}')")
    answer = folder / f"answer-{peer}.parquet"
    connection.execute(
        f"CREATE TABLE theirs AS SELECT key, min(pcode) AS pcode FROM read_parquet('{answer}') GROUP BY key"
    )
    placed, keys = connection.execute("SELECT count(*), count(DISTINCT key) FROM mine").fetchone()
    wrong = connection.execute(
        "SELECT count(*) FROM theirs t LEFT JOIN mine m USING (key) WHERE m.pcode IS DISTINCT FROM t.pcode"
    ).fetchone()[0]
    only_mine = connection.execute("SELECT key, pcode FROM mine ANTI JOIN theirs USING (key)").df()
    equal = placed == keys and wrong == 0 and _lie_on_borders(folder, only_mine)
    return {"equal": equal, "located": placed, "on_a_border": len(only_mine)}


def _lie_on_borders(folder: Path, placed: pd.DataFrame) -> bool:
    if placed.empty:
        return True
    points = pd.read_parquet(folder / POINTS).set_index("key").loc[placed["key"]]
    areas = gpd.read_parquet(folder / AREAS).set_index("pcode").geometry.loc[placed["pcode"]].to_numpy()
    at = shapely.points(points["lon"], points["lat"])
    return bool((shapely.intersects(areas, at) & ~shapely.contains(areas, at)).all())

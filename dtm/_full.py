"""Make the unsuppressed tables of a release, each with the declared columns and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import shapely

from dtm._release_tables import RELEASE_TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dtm.engine import Connection

EXACT = "DECIMAL(38, 9)"
"""SQL type that fractions are summed in: a sum of doubles depends on the order in which the threads deliver them."""
METRIC_CRS = "EPSG:32648"
"""UTM zone 48 north, metres: the reference system of every area and length of the city."""
WHOLE = "CASE WHEN count({column}) = count(*) THEN sum({column})::BIGINT END"
"""SQL of a sum that is null as soon as one of its parts is."""


def create_full(connection: Connection, name: str, select_sql: str, values: Mapping[str, object] | None = None) -> None:
    """Create TEMP TABLE `full_<name>` with the columns of the release table, without `status`.

    Parameters
    ----------
    name
        A table of the release.
    select_sql
        Rows, matched by column name and cast to the declared types.
    values
        Values of the statement's named parameters.
    """
    columns = [column for column in RELEASE_TABLES[name].columns if column.name != "status"]
    body = ", ".join(column.definition() for column in columns)
    chosen = ", ".join(f"{column.name}::{column.type} AS {column.name}" for column in columns)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE full_{name} ({body})")
    connection.execute(f"INSERT INTO full_{name} SELECT {chosen} FROM ({select_sql})", dict(values or {}))


def read_polygons(connection: Connection, sql: str, values: Sequence[object] = ()) -> gpd.GeoDataFrame:
    """Return the rows of a query whose column `geometry` is WKB, in WGS84 as it is stored."""
    frame = connection.execute(sql, list(values)).df()
    geometry = shapely.from_wkb([bytes(value) for value in frame["geometry"]])
    return gpd.GeoDataFrame(frame.drop(columns="geometry"), geometry=list(geometry), crs="EPSG:4326")

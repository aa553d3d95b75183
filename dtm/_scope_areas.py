"""Make the areas of a release: the round's own and their ancestors, with names and ger areas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from dtm._full import METRIC_CRS, read_polygons
from dtm._overlay import M2_PER_KM2, covered_km2
from geodata.pcodes import is_listed, place_name

if TYPE_CHECKING:
    import geopandas as gpd

    from dtm.engine import Connection

CITY_PCODE = "MN11"
"""Ulaanbaatar: the area the checkpoints surround, whose level 3 is khoroos and not baghs."""
FINEST_LEVEL_MAX = 3
"""A release goes down to khoroos and baghs; a kheseg is too small to publish."""


def build_areas(connection: Connection, area_set: str, version: int, finest_level: int) -> None:
    """Make TEMP TABLES `scope_area` and `scope_rollup`, see `dtm.scope.build_scope`."""
    areas = read_polygons(
        connection,
        """
        SELECT pcode, number, name_mn, name_en, area_km2, lon, lat, ST_AsWKB(geometry) AS geometry
        FROM area WHERE area_set = ? AND version = ? ORDER BY pcode
        """,
        [area_set, version],
    )
    metric = areas.to_crs(METRIC_CRS)
    areas["area_km2"] = areas["area_km2"].astype("float64").fillna(metric.geometry.area / M2_PER_KM2)
    layer = _newest_ger_layer(connection)
    if layer is None:
        areas["ger_area_km2"] = np.nan
    else:
        areas["ger_area_km2"] = np.minimum(covered_km2(metric, layer.to_crs(METRIC_CRS)), areas["area_km2"].to_numpy())
    frames = [_with_words(connection, areas, finest_level)]
    higher = range(finest_level - 1, 0, -1)
    frames += [_with_words(connection, _ancestors(areas, level), level) for level in higher]
    _store_areas(connection, frames)
    build_rollup(connection, finest_level)


def build_rollup(connection: Connection, finest_level: int) -> None:
    """Make TEMP TABLE `scope_rollup`: each of the finest areas with itself and every area above it."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE scope_rollup AS
        SELECT f.pcode AS area_pcode, a.pcode, a.level
        FROM scope_area f JOIN scope_area a ON a.level <= f.level AND a.pcode = left(f.pcode, 2 + 2 * a.level)
        WHERE f.level = ? ORDER BY ALL
        """,
        [finest_level],
    )


def _newest_ger_layer(connection: Connection) -> gpd.GeoDataFrame | None:
    newest = connection.execute(
        "SELECT name, version FROM layer WHERE kind = 'ger-area' ORDER BY dated_on DESC, loaded_at DESC, version DESC"
    ).fetchone()
    if newest is None:
        return None
    return read_polygons(
        connection,
        "SELECT feature, ST_AsWKB(geometry) AS geometry FROM layer_feature WHERE name = ? AND version = ?",
        list(newest),
    )


def _ancestors(areas: gpd.GeoDataFrame, level: int) -> gpd.GeoDataFrame:
    keyed = areas.assign(pcode=areas["pcode"].str[: 2 + 2 * level])
    union = keyed[["pcode", "geometry"]].dissolve(by="pcode")
    sums = keyed.groupby("pcode")[["area_km2", "ger_area_km2"]].sum(min_count=1)
    return union.join(sums).reset_index().assign(number=None, name_mn=None, name_en=None, lon=np.nan, lat=np.nan)


def _with_words(connection: Connection, areas: gpd.GeoDataFrame, level: int) -> pd.DataFrame:
    inside = areas.geometry.representative_point()
    names = [_names(connection, row.pcode, level, row) for row in areas.itertuples()]
    return pd.DataFrame(
        {
            "pcode": areas["pcode"],
            "level": level,
            "parent_pcode": [code[:-2] if level > 1 else None for code in areas["pcode"]],
            "number": pd.array(areas["number"], dtype="Int64"),
            "name_mn": [mn for mn, _ in names],
            "name_en": [en for _, en in names],
            "area_km2": areas["area_km2"],
            "ger_area_km2": areas["ger_area_km2"],
            "lon": areas["lon"].astype("float64").fillna(inside.x),
            "lat": areas["lat"].astype("float64").fillna(inside.y),
            "wkb": shapely.to_wkb(areas.geometry.to_numpy()),
        }
    )


def _names(connection: Connection, pcode: str, level: int, row: object) -> tuple[str, str]:
    """Return the names in Mongolian and English: the area's own, a loaded set's, the P-code list's, or the number."""
    mn, en = _text(getattr(row, "name_mn", None)), _text(getattr(row, "name_en", None))
    if not (mn and en):
        loaded = connection.execute(
            """
            SELECT a.name_mn, a.name_en FROM area a JOIN area_set s USING (area_set, version)
            WHERE a.pcode = ? AND a.level = ? AND coalesce(a.name_mn, a.name_en) IS NOT NULL
            ORDER BY s.valid_from DESC, s.loaded_at DESC, s.version DESC LIMIT 1
            """,
            [pcode, level],
        ).fetchone() or (None, None)
        mn, en = mn or _text(loaded[0]), en or _text(loaded[1])
    if not (mn and en) and is_listed(pcode):
        listed = place_name(pcode)
        mn, en = mn or listed[0], en or listed[1]
    number = _number(row) if level == FINEST_LEVEL_MAX else None
    if number is not None:
        is_city = pcode.startswith(CITY_PCODE)
        mn = mn or f"{number}-р {'хороо' if is_city else 'баг'}"
        en = en or f"{'Khoroo' if is_city else 'Bagh'} {number}"
    return mn or en or pcode, en or mn or pcode


def _number(row: object) -> int | None:
    number = getattr(row, "number", None)
    return None if number is None or pd.isna(number) else int(number)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _store_areas(connection: Connection, frames: list[pd.DataFrame]) -> None:
    connection.register("scope_area_frame", pd.concat(frames, ignore_index=True))
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE scope_area AS
        SELECT pcode::VARCHAR AS pcode, level::INTEGER AS level, parent_pcode::VARCHAR AS parent_pcode,
            number::INTEGER AS number, name_mn::VARCHAR AS name_mn, name_en::VARCHAR AS name_en, area_km2,
            CASE WHEN NOT isnan(ger_area_km2) THEN ger_area_km2 END AS ger_area_km2, lon, lat,
            ST_GeomFromWKB(wkb::BLOB) AS geometry
        FROM scope_area_frame ORDER BY level, pcode
        """
    )
    connection.unregister("scope_area_frame")

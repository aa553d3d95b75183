"""Write the map files of a release: simplified areas, layers and drawn rasters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import geopandas as gpd
import shapely
from geodata.rasters import draw_overlay
from geodata.simplify import simplify_coverage, write_geojson

from dtm.engine import connect
from dtm.places import raster_path
from dtm.released import DATABASE_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from dtm.engine import Connection
    from dtm.workspace import Workspace

SIMPLIFY_TOLERANCE_M = 15.0
"""Borders on the web map may lie this far from the true ones; every figure uses the true ones."""
LAYER_DECIMALS_DEG = 5


def write_maps(connection: Connection, workspace: Workspace, folder: Path) -> None:
    """Write maps/, layers/ and overlays/ of a release that is being built, and fill its `overlay` table."""
    for name in ("maps", "layers", "overlays"):
        (folder / name).mkdir()
    _write_areas(connection, folder / "maps")
    _write_layers(connection, folder / "layers")
    _write_overlays(connection, workspace, folder)


def _write_areas(connection: Connection, folder: Path) -> None:
    levels = connection.execute("SELECT DISTINCT level FROM scope_area ORDER BY 1").fetchall()
    for (level,) in levels:
        frame = connection.execute(
            "SELECT pcode, name_mn, name_en, ST_AsWKB(geometry) AS wkb FROM scope_area WHERE level = ? ORDER BY pcode",
            [level],
        ).df()
        geometry = shapely.from_wkb([bytes(value) for value in frame.pop("wkb")])
        areas = gpd.GeoDataFrame(frame, geometry=geometry, crs="EPSG:4326")
        write_geojson(simplify_coverage(areas, tolerance_m=SIMPLIFY_TOLERANCE_M), folder / f"areas-{level}.geojson")


def _write_layers(connection: Connection, folder: Path) -> None:
    names = connection.execute("SELECT DISTINCT name FROM layer ORDER BY 1").fetchall()
    for (name,) in names:
        rows = connection.execute(
            "SELECT feature, label_mn, label_en, category, ST_AsWKB(geometry) FROM layer_feature WHERE name = ? "
            "AND version = (SELECT max(version) FROM layer WHERE name = ?) ORDER BY feature",
            [name, name],
        ).fetchall()
        features = [
            {
                "type": "Feature",
                "id": feature,
                "properties": {"label_mn": label_mn, "label_en": label_en, "category": category},
                "geometry": json.loads(
                    shapely.to_geojson(shapely.set_precision(shapely.from_wkb(bytes(wkb)), 10.0**-LAYER_DECIMALS_DEG))
                ),
            }
            for feature, label_mn, label_en, category, wkb in rows
        ]
        text = json.dumps(
            {"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":")
        )
        (folder / f"{name}.geojson").write_text(text, encoding="utf-8")


def _write_overlays(connection: Connection, workspace: Workspace, folder: Path) -> None:
    rasters = connection.execute(
        "SELECT name, unit, file_sha256, total_persons FROM raster QUALIFY row_number() OVER "
        "(PARTITION BY name ORDER BY version DESC) = 1 ORDER BY name"
    ).fetchall()
    with connect(folder / DATABASE_FILE, spatial=False) as built:
        for name, unit, sha256, total_persons in rasters:
            drawn = draw_overlay(raster_path(workspace, sha256), folder / "overlays" / f"{name}.png", unit=unit)
            built.execute(
                "INSERT INTO overlay VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    name,
                    unit,
                    drawn.west_deg,
                    drawn.south_deg,
                    drawn.east_deg,
                    drawn.north_deg,
                    drawn.maximum,
                    total_persons,
                ],
            )

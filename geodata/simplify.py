"""Simplify areas for the web map with shared borders kept shared, and write them as compact GeoJSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata._area_checks import area_crs, polygonal_part
from geodata.errors import GeodataUseError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def simplify_coverage(areas: gpd.GeoDataFrame, *, tolerance_m: float) -> gpd.GeoDataFrame:
    """Return the areas with fewer vertices; neighbours keep one common border (`shapely.coverage_simplify`).

    `tolerance_m` is the square root of the area of the triangles that may be cut off, in metres of `area_crs`. For
    drawing only: no figure and no location is computed from the result. An area that would vanish keeps its shape.
    """
    if tolerance_m < 0:
        raise GeodataUseError(f"tolerance_m is {tolerance_m}; it can't be negative")
    if areas.empty or tolerance_m == 0:
        return areas.copy()
    west, _, east, _ = areas.total_bounds
    metric = areas.to_crs(area_crs(west, east))
    before = np.asarray(metric.geometry.array, dtype=object)
    after = shapely.coverage_simplify(before, tolerance_m)
    broken = ~shapely.is_valid(after)  # seen where the areas had slivers between them
    after[broken] = [polygonal_part(shape) for shape in shapely.make_valid(after[broken])]
    gone = shapely.is_empty(after) | shapely.is_missing(after)
    metric = metric.set_geometry(gpd.GeoSeries(np.where(gone, before, after), index=areas.index, crs=metric.crs))
    return metric.to_crs(areas.crs)


def write_geojson(areas: gpd.GeoDataFrame, path: Path, *, decimals: int = 5) -> None:
    """Write the areas as GeoJSON whose feature id is the P-code, coordinates with `decimals` places (5: 1 m)."""
    shapes = shapely.transform(np.asarray(areas.geometry.array, dtype=object), lambda xy: _rounded(xy, decimals))
    shapes = shapely.remove_repeated_points(shapes)
    columns = [name for name in areas.columns if name != areas.geometry.name]
    features = [
        {
            "type": "Feature",
            "id": record["pcode"],
            "properties": {key: _plain(value) for key, value in record.items()},
            "geometry": json.loads(text),
        }
        for record, text in zip(areas[columns].to_dict("records"), shapely.to_geojson(shapes), strict=True)
    ]
    document = {"type": "FeatureCollection", "features": features}
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    path.write_text(text, encoding="utf-8")


def _rounded(xy: NDArray[np.float64], decimals: int) -> NDArray[np.float64]:
    return np.asarray(np.round(xy, decimals), dtype=np.float64)


def _plain(value: Any) -> Any:
    """Return what JSON knows for a value of a table; null for anything missing."""
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value

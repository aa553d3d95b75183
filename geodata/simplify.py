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
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

SLIVER_M2 = 1000.0
"""Holes and parts smaller than this are not drawn; real boundary files leave many between their areas."""
RING_POINTS_MIN = 4


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
    before = np.array(
        [_without_slivers(shape, smallest_m2=max(tolerance_m**2, SLIVER_M2)) for shape in metric.geometry.array],
        dtype=object,
    )
    try:
        after = shapely.coverage_simplify(before, tolerance_m)
    except shapely.errors.GEOSException:  # seen where areas leave slivers open between them: draw them as they are
        after = before.copy()
    broken = ~shapely.is_valid(after)
    after[broken] = [polygonal_part(shape) for shape in shapely.make_valid(after[broken])]
    gone = shapely.is_empty(after) | shapely.is_missing(after)
    metric = metric.set_geometry(gpd.GeoSeries(np.where(gone, before, after), index=areas.index, crs=metric.crs))
    return metric.to_crs(areas.crs)


def _rebuilt(shape: Any, redraw: Callable[[Any], NDArray[np.float64] | None]) -> Any:
    """Return the shape with every ring drawn anew; None leaves a ring out, the shape stays where nothing is left."""
    polygons = []
    for part in shapely.get_parts(shape):
        outer = redraw(part.exterior)
        if outer is not None:
            holes = (redraw(ring) for ring in part.interiors)
            polygons.append(shapely.Polygon(outer, [hole for hole in holes if hole is not None]))
    if not polygons:
        return shape
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def _without_slivers(shape: Any, *, smallest_m2: float) -> Any:
    """Leave out the holes and parts too small to draw."""

    def redraw(ring: Any) -> NDArray[np.float64] | None:
        return shapely.get_coordinates(ring) if shapely.Polygon(ring).area >= smallest_m2 else None

    return _rebuilt(shape, redraw)


def _rounded(shape: Any, *, decimals: int) -> Any:
    """Round the corners; leave out those that fall on the one before, and rings that are no ring any more."""

    def redraw(ring: Any) -> NDArray[np.float64] | None:
        corners = np.round(shapely.get_coordinates(ring), decimals)
        moved = np.append(True, (corners[1:] != corners[:-1]).any(axis=1))
        return corners[moved] if moved.sum() >= RING_POINTS_MIN else None

    return _rebuilt(shape, redraw)


def write_geojson(areas: gpd.GeoDataFrame, path: Path, *, decimals: int = 5) -> None:
    """Write the areas as GeoJSON whose feature id is the P-code, coordinates with `decimals` places (5: 1 m)."""
    shapes = np.array([_rounded(shape, decimals=decimals) for shape in areas.geometry.array], dtype=object)
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


def _plain(value: Any) -> Any:
    """Return what JSON knows for a value of a table; null for anything missing."""
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value

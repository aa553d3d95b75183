"""Measure how much of each area lies inside a layer of polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

M2_PER_KM2 = 1_000_000.0
_POLYGON_DIMENSIONS = 2


def dissolved_polygons(layer: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Return the layer's polygons without overlaps: land inside two of them is there once.

    Invalid polygons are made valid first; points and lines are left out.
    """
    geometry = layer.geometry.to_numpy()
    present = geometry[~(shapely.is_missing(geometry) | shapely.is_empty(geometry))]
    valid = np.where(shapely.is_valid(present), present, shapely.make_valid(present))
    parts = shapely.get_parts(valid)
    polygons = parts[shapely.get_dimensions(parts) == _POLYGON_DIMENSIONS]
    whole: NDArray[np.object_] = shapely.get_parts(shapely.union_all(polygons)) if len(polygons) else polygons
    return whole


def covered_km2(areas: gpd.GeoDataFrame, layer: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return the km2 of each area inside the layer; both in one reference system in metres."""
    polygons = dissolved_polygons(layer)
    outlines = areas.geometry.to_numpy()
    if len(polygons) == 0:
        return np.zeros(len(areas))
    polygon_index, area_index = shapely.STRtree(outlines).query(polygons, predicate="intersects")
    pieces = shapely.area(shapely.intersection(outlines[area_index], polygons[polygon_index])) / M2_PER_KM2
    return np.bincount(area_index, weights=pieces, minlength=len(areas)).astype(np.float64)

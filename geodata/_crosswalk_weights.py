"""Say what divides an area that is split: a layer, a raster or counts by area; and weigh the pieces with it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata._crosswalk_overlay import Outlines, cut, outlines
from geodata.errors import CrosswalkError
from geodata.rasters import zonal_persons

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from geodata._crosswalk_overlay import Pieces, Shapes

POINTS_AT_ONCE: Final = 1_000_000
_M2_PER_KM2: Final = 1e6
_POINT_TYPE: Final = 0

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class PointWeights:
    """Weigh a piece by the points inside it, or by the sum of their `value` column.

    A point belongs to one piece: the one of the source and the target with the lowest P-codes that hold or touch it.
    Anything that is no point counts where its inner point is.
    """

    layer: gpd.GeoDataFrame
    value: str | None = None
    name: str = "points"


@dataclass(frozen=True)
class PolygonWeights:
    """Weigh a piece by the polygons inside it: by their `value`, evenly spread over each, or by their land alone."""

    layer: gpd.GeoDataFrame
    value: str | None = None
    name: str = "polygons"


@dataclass(frozen=True)
class AreaWeights:
    """Weigh a piece by what is known for its whole target, or its whole source, evenly spread over that area.

    `counts` has the P-codes as its index; an area it does not name counts as 0.
    """

    counts: pd.Series
    of: Literal["source", "target"] = "target"
    name: str = "counts"


@dataclass(frozen=True)
class RasterWeights:
    """Weigh a piece by the people of a population raster inside it; cells on a border count with the part inside."""

    path: Path
    unit: str = "persons"
    name: str = "raster"


Weights = PointWeights | PolygonWeights | AreaWeights | RasterWeights


@dataclass(frozen=True)
class PolygonMeasure:
    """Measure pieces by polygons: the weight of each is evenly spread over its m2; `total` is that of all."""

    polygons: Outlines
    per_m2: Floats
    tree: shapely.STRtree
    total: float

    @classmethod
    def of(cls, weights: PolygonWeights, crs: str) -> PolygonMeasure:
        """Check the layer, and bring it to the system of the areas."""
        layer, values = _layer(weights, crs)
        numbered = layer.reset_index(drop=True).assign(pcode=lambda rows: [f"feature {n + 1:09d}" for n in rows.index])
        polygons = outlines(numbered, crs=crs, what=f"The weights '{weights.name}'")
        totals = polygons.area_m2 / _M2_PER_KM2 if values is None else values
        return cls(polygons, totals / polygons.area_m2, shapely.STRtree(polygons.shapes), float(totals.sum()))

    def __call__(self, shapes: Shapes) -> Floats:
        """Return the weight inside each piece."""
        piece, polygon, _, shared_m2 = cut(shapes, self.polygons.shapes, *self.tree.query(shapes))
        return np.asarray(np.bincount(piece, shared_m2 * self.per_m2[polygon], minlength=len(shapes)), dtype=np.float64)


@dataclass(frozen=True)
class RasterMeasure:
    """Measure pieces by the people of a raster, some pieces after the others."""

    weights: RasterWeights
    crs: str
    total: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, shapes: Shapes) -> Floats:
        """Return the people inside each piece."""
        if len(shapes) == 0:
            return np.zeros(0)
        zones = gpd.GeoDataFrame({"pcode": [str(n) for n in range(len(shapes))]}, geometry=shapes, crs=self.crs)
        with self.lock:  # warnings of the raster's library are kept back for the whole process
            found = zonal_persons(self.weights.path, zones, unit=self.weights.unit)
        return found["persons"].fillna(0.0).to_numpy(np.float64)


def measure_of(weights: Weights | None, crs: str) -> PolygonMeasure | RasterMeasure | None:
    """Return what measures the weight in the shapes of pieces; None where their places or their land are enough.

    Raises
    ------
    CrosswalkError
        The layer has no reference system or lacks the column, or a weight is negative or no number.
    """
    if isinstance(weights, PolygonWeights):
        return PolygonMeasure.of(weights, crs)
    return RasterMeasure(weights, crs) if isinstance(weights, RasterWeights) else None


def weigh(
    weights: Weights | None,
    measure: PolygonMeasure | RasterMeasure | None,
    source: Outlines,
    target: Outlines,
    pieces: Pieces,
) -> tuple[Floats, float]:
    """Return the weight of each piece, and the weight that lies in none; `measure` is what measured the pieces.

    Raises
    ------
    CrosswalkError
        As `measure_of`.
    """
    if measure is not None and pieces.weight is not None:
        return pieces.weight, float(max(measure.total - pieces.weight.sum(), 0.0))
    if isinstance(weights, PointWeights):
        return _by_points(weights, source, target, pieces)
    if isinstance(weights, AreaWeights):
        return _by_areas(weights, source, target, pieces)
    return pieces.area_m2 / _M2_PER_KM2, 0.0


def shares(weight: Floats, area_m2: Floats, group: NDArray[np.intp], size: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return each piece's part of its group by weight, and whether land stood in because the group weighs nothing."""
    has_none = np.bincount(group, weight, minlength=size)[group] <= 0
    basis = np.where(has_none, area_m2, weight)
    return basis / np.bincount(group, basis, minlength=size)[group], has_none


def _numbers(values: pd.Series, *, what: str) -> Floats:
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = ~np.isfinite(numbers) | (numbers < 0)
    if wrong.any():
        first = values.index[wrong][0]
        raise CrosswalkError(
            f"{what}: the weight at '{first}' is {values.iloc[int(wrong.argmax())]!r}; a weight is 0 or more."
        )
    return numbers


def _layer(weights: PointWeights | PolygonWeights, crs: str) -> tuple[gpd.GeoDataFrame, Floats | None]:
    layer = weights.layer
    if layer.crs is None:
        raise CrosswalkError(f"The weights '{weights.name}' have no reference system (CRS); save them with one.")
    if weights.value is None:
        return layer.to_crs(crs), None
    if weights.value not in layer.columns:
        there = ", ".join(map(str, layer.columns))
        raise CrosswalkError(f"The weights '{weights.name}' have no column '{weights.value}'; they have: {there}.")
    return layer.to_crs(crs), _numbers(layer[weights.value], what=f"The weights '{weights.name}'")


def _by_points(weights: PointWeights, source: Outlines, target: Outlines, pieces: Pieces) -> tuple[Floats, float]:
    layer, values = _layer(weights, source.crs)
    shapes = np.array(layer.geometry.array, dtype=object)  # a copy: the caller keeps the shapes as they are
    other = shapely.get_type_id(shapes) > _POINT_TYPE
    shapes[other] = shapely.point_on_surface(shapes[other])
    counts = np.ones(len(shapes)) if values is None else values
    width = len(target.pcodes)
    keys = pieces.source * width + pieces.target
    weight = np.zeros(len(pieces))
    for start in range(0, len(shapes), POINTS_AT_ONCE):
        chunk = slice(start, start + POINTS_AT_ONCE)
        i, j = _holders(source, shapes[chunk]), _holders(target, shapes[chunk])
        wanted = np.where((i >= 0) & (j >= 0), i * width + j, -1)
        place = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
        found = (wanted >= 0) & (keys[place] == wanted) if len(keys) else np.zeros(len(wanted), dtype=bool)
        weight += np.bincount(place[found], counts[chunk][found], minlength=len(pieces))
    return weight, float(counts.sum() - weight.sum())


def _holders(areas: Outlines, points: NDArray[Any]) -> NDArray[np.intp]:
    """Return for each point the first area that holds or touches it, -1 for none."""
    held = np.full(len(points), -1, dtype=np.intp)
    area, point = shapely.STRtree(points).query(areas.shapes, predicate="intersects")
    order = np.argsort(-area, kind="stable")
    held[point[order]] = area[order]
    return held


def _by_areas(weights: AreaWeights, source: Outlines, target: Outlines, pieces: Pieces) -> tuple[Floats, float]:
    areas, position = (source, pieces.source) if weights.of == "source" else (target, pieces.target)
    what = f"The weights '{weights.name}'"
    if weights.counts.index.has_duplicates:
        first = weights.counts.index[weights.counts.index.duplicated()][0]
        raise CrosswalkError(f"{what}: '{first}' stands twice.")
    known = weights.counts.dropna()
    numbers = pd.Series(_numbers(known, what=what), index=known.index.astype(str))
    unknown = [code for code in numbers.index if code not in set(areas.pcodes)]
    if unknown:
        more = f" and {len(unknown) - 1} more are no codes" if len(unknown) > 1 else " is no code"
        raise CrosswalkError(f"{what}: '{unknown[0]}'{more} of the {weights.of} areas.")
    each = numbers.reindex(areas.pcodes, fill_value=0.0).to_numpy(np.float64)
    weight = each[position] * pieces.area_m2 / areas.area_m2[position]
    return weight, float(max(each.sum() - weight.sum(), 0.0))

"""Lay one set of areas over another: every pair that shares land, with how much."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geodata._area_checks import area_crs, polygonal_part
from geodata.errors import CrosswalkError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

WGS84: Final = "EPSG:4326"
PAIRS_AT_ONCE: Final = 2_048
"""Pairs that a thread overlays at once: what bounds the shapes in memory."""
SHAPES_AT_ONCE: Final = 1_000
NAMES_SHOWN: Final = 5
_POLYGON_TYPES: Final = (3, 6)

Shapes = np.ndarray[Any, np.dtype[Any]]
Measure = Callable[[Shapes], "NDArray[np.float64]"]


@dataclass(frozen=True)
class Outlines:
    """A set of areas that was found fit: codes in ascending order, polygons in metres, and their m2."""

    pcodes: NDArray[np.object_]
    shapes: Shapes
    area_m2: NDArray[np.float64]
    crs: str


@dataclass(frozen=True)
class Pieces:
    """Pairs of a source and a target that share land, by position and in ascending order.

    `weight` is what was measured in the shape of each pair, if something was.
    """

    source: NDArray[np.intp]
    target: NDArray[np.intp]
    area_m2: NDArray[np.float64]
    weight: NDArray[np.float64] | None

    def __len__(self) -> int:
        """Return how many pieces there are."""
        return len(self.source)

    def only(self, kept: NDArray[np.bool_]) -> Pieces:
        """Return some of the pieces."""
        weight = None if self.weight is None else self.weight[kept]
        return Pieces(self.source[kept], self.target[kept], self.area_m2[kept], weight)


def common_crs(*frames: gpd.GeoDataFrame) -> str:
    """Return the system that all frames are measured in: EPSG:32648 around Ulaanbaatar, else the equal-area 6933."""
    there = [frame for frame in frames if len(frame) and np.isfinite(frame.total_bounds).all()]
    to_degrees = {crs: Transformer.from_crs(crs, WGS84, always_xy=True) for crs in {frame.crs for frame in there}}
    reach = [to_degrees[frame.crs].transform_bounds(*frame.total_bounds) for frame in there]
    west_deg, east_deg = min((box[0] for box in reach), default=107.0), max((box[2] for box in reach), default=107.0)
    return area_crs(west_deg, east_deg)


def outlines(frame: gpd.GeoDataFrame, *, crs: str, what: str) -> Outlines:
    """Check a set of areas and bring it to a system in metres.

    Raises
    ------
    CrosswalkError
        A P-code is missing or stands twice, or an area has no valid polygon: the areas are named.
    """
    codes = frame["pcode"].astype(object).to_numpy()
    missing = pd.isna(codes)
    if missing.any():
        raise CrosswalkError(f"{what}: {int(missing.sum())} areas have no code (column 'pcode'); give each one.")
    codes = codes.astype(str).astype(object)
    repeated = pd.Series(codes).duplicated().to_numpy()
    _refuse(codes, repeated, what, "stand more than once; an area is one row, dissolve its parts")
    shapes = np.asarray(frame.geometry.array, dtype=object)
    bad = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    bad |= ~np.isin(shapely.get_type_id(shapes), _POLYGON_TYPES)
    _refuse(codes, bad, what, "have no polygon")
    invalid = ~_in_threads(shapely.is_valid, shapes)
    if invalid.any():
        reason = shapely.is_valid_reason(shapes[invalid][0])
        _refuse(
            codes, invalid, what, f"are no valid polygons ({reason}); repair them first (--repair on the command line)"
        )
    metric = shapes
    if frame.crs != crs:
        metric = np.array(frame.geometry.to_crs(crs).array, dtype=object)
        bent = ~_in_threads(shapely.is_valid, metric)
        metric[bent] = [_mended(shape) for shape in metric[bent]]
        _refuse(codes, shapely.is_missing(metric), what, f"have no land in {crs}; leave them out")
    order = np.argsort(codes, kind="stable")
    return Outlines(codes[order], metric[order], shapely.area(metric)[order], crs)


def _mended(shape: Any) -> Any:
    """Return the polygons of a shape whose borders came to cross by the rounding of another reference system."""
    return polygonal_part(shapely.make_valid(shape))


def _in_threads(look: Callable[[Shapes], Any], shapes: Shapes) -> NDArray[np.bool_]:
    """Look at all shapes, a chunk a thread."""
    slices = [slice(start, start + SHAPES_AT_ONCE) for start in range(0, len(shapes), SHAPES_AT_ONCE)]
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        found = list(pool.map(lambda chunk: look(shapes[chunk]), slices))
    return np.concatenate([np.empty(0, dtype=np.bool_), *found])


def _refuse(codes: NDArray[np.object_], wrong: NDArray[np.bool_], what: str, why: str) -> None:
    if wrong.any():
        named = list(dict.fromkeys(codes[wrong]))
        more = f" and {len(named) - NAMES_SHOWN} more" if len(named) > NAMES_SHOWN else ""
        raise CrosswalkError(f"{what}: {', '.join(map(str, named[:NAMES_SHOWN]))}{more} {why}.")


def overlay(
    source: Outlines,
    target: Outlines,
    *,
    measure: Measure | None = None,
    pairs_at_once: int = PAIRS_AT_ONCE,
    progress: Callable[[float], None] | None = None,
) -> Pieces:
    """Return every pair of areas that shares land, with the m2 it shares.

    The pairs come from a tree of bounding boxes; the shapes are cut in threads, which GEOS lets run at the same time.
    All pairs of a source are in one thread, so that its prepared form is no other's. Shapes are held for a few chunks
    of pairs at a time, whether they are measured or not.

    Parameters
    ----------
    measure
        Called with the polygons of some pieces, in threads; gives what is measured in each, such as people.
    pairs_at_once
        Pairs of a chunk; more where one source has more.
    progress
        Called with the share of the chunks that are done.
    """
    i, j = shapely.STRtree(target.shapes).query(source.shapes)
    order = np.lexsort((j, i))
    i, j = i[order], j[order]
    chunks = _chunks(i, pairs_at_once)

    def part_of(chunk: slice) -> Pieces:
        start, end, shapes, area_m2 = cut(source.shapes, target.shapes, i[chunk], j[chunk])
        return Pieces(start, end, area_m2, None if measure is None else measure(polygonal_parts(shapes)))

    parts: list[Pieces] = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for done, part in enumerate(pool.map(part_of, chunks), start=1):
            parts.append(part)
            if progress is not None:
                progress(done / len(chunks))
    return Pieces(
        np.concatenate([i[:0], *(part.source for part in parts)]),
        np.concatenate([j[:0], *(part.target for part in parts)]),
        np.concatenate([np.empty(0), *(part.area_m2 for part in parts)]),
        None if measure is None else np.concatenate([np.empty(0), *(p.weight for p in parts if p.weight is not None)]),
    )


def _chunks(i: NDArray[np.intp], size: int) -> list[slice]:
    """Return slices of about `size` pairs that never part the pairs of one source."""
    starts = np.flatnonzero(np.diff(i, prepend=-1)) if len(i) else np.empty(0, dtype=np.intp)
    first = starts[np.flatnonzero(np.diff(starts // size, prepend=-1))] if len(starts) else starts
    ends = [*first[1:].tolist(), len(i)]
    return [slice(int(start), int(end)) for start, end in zip(first.tolist(), ends, strict=False)]


def cut(
    source: Shapes, target: Shapes, i: NDArray[np.intp], j: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp], Shapes, NDArray[np.float64]]:
    """Return those of some pairs that share land, with its shape and m2; a target inside its source stays as it is."""
    used = source[np.unique(i)]
    shapely.prepare(used)
    try:
        touching = shapely.intersects(source[i], target[j])
        i, j = i[touching], j[touching]
        a, b = source[i], target[j]
        inside = shapely.contains_properly(a, b)
    finally:
        shapely.destroy_prepared(used)
    shapes = b.copy()
    shapes[~inside] = shapely.intersection(a[~inside], b[~inside])
    area_m2 = shapely.area(shapes)
    shared = area_m2 > 0
    return i[shared], j[shared], shapes[shared], area_m2[shared]


def polygonal_parts(shapes: Shapes) -> Shapes:
    """Return shapes without the lines and points where borders only touch."""
    mixed = shapely.get_type_id(shapes) > max(_POLYGON_TYPES)
    for position in np.flatnonzero(mixed):
        parts = shapely.get_parts(shapes[position])
        shapes[position] = shapely.union_all(parts[shapely.get_type_id(parts) == min(_POLYGON_TYPES)])
    return shapes

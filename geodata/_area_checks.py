"""Check the polygons of an area set: each for itself, against its neighbours and against its parent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geodata._vector_files import RawLayer

UTM_48N: Final = "EPSG:32648"
EQUAL_AREA: Final = "EPSG:6933"
UTM_48N_SPAN_DEG: Final = (101.0, 109.5)
"""West and east of what is measured in UTM 48N; Ulaanbaatar (106.3 to 108.6 E) lies inside."""

OVERLAP_TOLERANCE_SHARE: Final = 0.05
"""Two areas that share more than this part of the smaller one overlap, however small they are."""
PARENT_ERROR_SHARE: Final = 0.1
"""An area with less than this share inside its declared parent is an error."""
PARENT_WARNING_SHARE: Final = 0.5
"""An area with less than this share inside its declared parent is a warning: old drawings differ on borders."""
OVERLAP_NOISE_M2: Final = 1e-4
"""Overlaps below one square centimetre are the arithmetic's, not the drawing's."""
_M2_PER_KM2: Final = 1e6

Array = np.ndarray[Any, np.dtype[Any]]


def area_crs(west_deg: float, east_deg: float) -> str:
    """Return the system areas are measured in: UTM 48N around Ulaanbaatar, an equal-area one for the country."""
    west, east = UTM_48N_SPAN_DEG
    return UTM_48N if west <= west_deg and east_deg <= east else EQUAL_AREA


def check_each(raw: RawLayer, *, names: Mapping[int, str], repair: bool) -> None:
    """Find missing, wrong and invalid geometries; repair the invalid ones if told so, else set them aside."""
    geometries = raw.frame.geometry.to_numpy()
    reported = {finding.feature for finding in raw.findings if finding.code.startswith("geometry-")}
    missing = shapely.is_missing(geometries) | shapely.is_empty(geometries)
    types = shapely.get_type_id(geometries)
    wrong = ~missing & ~np.isin(types, (3, 6))
    invalid = ~missing & ~wrong & ~shapely.is_valid(geometries)
    for position in np.flatnonzero(missing | wrong | invalid):
        feature = int(raw.frame.index[position])
        name = names.get(feature, "-")
        if missing[position]:
            if feature not in reported:
                raw.add("geometry-missing", feature=feature, name=name)
            geometries[position] = None
        elif wrong[position]:
            kind = geometries[position].geom_type
            raw.add("geometry-type", feature=feature, name=name, value=kind, wanted="Polygon / MultiPolygon")
            geometries[position] = None
        else:
            geometries[position] = repaired(raw, feature, name, geometries[position], repair=repair)
    raw.frame = raw.frame.set_geometry(gpd.GeoSeries(geometries, index=raw.frame.index, crs=raw.frame.crs))


def repaired(raw: RawLayer, feature: int, name: str, geometry: Any, *, repair: bool) -> Any:
    """Return the valid polygons of an invalid one with a warning, or None with an error that names the place."""
    reason = _where(shapely.is_valid_reason(geometry))
    if not repair:
        raw.add("geometry-invalid", feature=feature, name=name, reason=reason)
        return None
    fixed = polygonal_part(shapely.make_valid(geometry))
    if fixed is None:
        raw.add("geometry-invalid", feature=feature, name=name, reason=reason)
        return None
    metres = gpd.GeoSeries([geometry, fixed], crs=raw.frame.crs).to_crs(UTM_48N).area / _M2_PER_KM2
    change_km2 = float(metres.iloc[1] - metres.iloc[0])
    raw.add("geometry-repaired", feature=feature, name=name, reason=reason, change_km2=change_km2)
    return fixed


def _where(reason: str) -> str:
    """Round the coordinates in GEOS' explanation to what a person can look up: 'Self-intersection at 106.8, 47.9'."""
    match = re.fullmatch(r"(.*?)\[(\S+) (\S+)\]", reason)
    return f"{match.group(1)} at {float(match.group(2)):.6f}, {float(match.group(3)):.6f}" if match else reason


def polygonal_part(geometry: Any) -> Any:
    """Return only the polygons of a geometry; None if there are none."""
    parts = [part for part in shapely.get_parts(shapely.get_parts(geometry)) if part.geom_type == "Polygon"]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else shapely.union_all(parts)


def check_duplicates(raw: RawLayer, *, names: Mapping[int, str]) -> set[tuple[int, int]]:
    """Find features with one and the same polygon; return their pairs."""
    seen: dict[bytes, int] = {}
    pairs: set[tuple[int, int]] = set()
    for feature, wkb in zip(raw.frame.index, shapely.to_wkb(shapely.normalize(raw.frame.geometry.array)), strict=True):
        if wkb is None:
            continue
        first = seen.setdefault(wkb, int(feature))
        if first != feature:
            names_of = {"name": names.get(int(feature), "-"), "other_name": names.get(first, "-")}
            raw.add("geometry-duplicate", feature=int(feature), other=first, **names_of)
            pairs.add((first, int(feature)))
    return pairs


def check_coverage(
    raw: RawLayer,
    *,
    names: Mapping[int, str],
    gap_tolerance_m: float,
    overlap_tolerance_km2: float,
    known: set[tuple[int, int]],
) -> None:
    """Find overlaps and gaps; pairs in `known` were reported already. Measured in `area_crs`."""
    whole = raw.frame[raw.frame.geometry.notna()]
    if whole.empty:
        return
    west, _, east, _ = whole.total_bounds
    metric = whole.to_crs(area_crs(west, east))
    geometries: Array = np.asarray(metric.geometry.array, dtype=object)
    features: Array = whole.index.to_numpy()
    faulty = _faulty(geometries)
    if faulty.any():
        pairs = _overlaps(geometries, features, faulty, known)
        _report_overlaps(raw, pairs, crs=metric.crs, names=names, tolerance_km2=overlap_tolerance_km2)
    if len(whole) == len(raw.frame):  # a polygon that was set aside leaves a hole that is no gap
        _check_gaps(raw, geometries, clean=not faulty.any(), crs=metric.crs, tolerance_m=gap_tolerance_m)


def _faulty(geometries: Array) -> Array:
    """Say which polygons can overlap another: their borders don't match, or one lies wholly inside the other.

    GEOS' coverage check looks at borders only, so it does not see a polygon inside another.
    """
    faulty = ~shapely.is_empty(shapely.coverage_invalid_edges(geometries, gap_width=0))
    bounds = shapely.bounds(geometries)
    outer, inner = shapely.STRtree(geometries).query(geometries)
    can_hold = (bounds[outer, :2] <= bounds[inner, :2]).all(axis=1) & (bounds[outer, 2:] >= bounds[inner, 2:]).all(
        axis=1
    )
    outer, inner = outer[can_hold & (outer != inner)], inner[can_hold & (outer != inner)]
    nested = shapely.covers(geometries[outer], geometries[inner])
    faulty[outer[nested]] = True
    faulty[inner[nested]] = True
    return np.asarray(faulty)


def _overlaps(geometries: Array, features: Array, faulty: Array, known: set[tuple[int, int]]) -> list[dict[str, Any]]:
    """Return the pairs of areas that overlap; only areas with a faulty border are compared."""
    suspects = np.flatnonzero(faulty)
    tree = shapely.STRtree(geometries[suspects])
    left, right = tree.query(geometries[suspects], predicate="intersects")
    left, right = suspects[left[left < right]], suspects[right[left < right]]
    shared = shapely.intersection(geometries[left], geometries[right])
    areas = shapely.area(shared)
    smaller = np.minimum(shapely.area(geometries[left]), shapely.area(geometries[right]))
    return [
        {
            "feature": int(features[left[k]]),
            "other": int(features[right[k]]),
            "area_km2": float(areas[k]) / _M2_PER_KM2,
            "share": float(areas[k] / smaller[k]) if smaller[k] else 1.0,
            "at": shapely.point_on_surface(shared[k]),
        }
        for k in np.flatnonzero(areas > OVERLAP_NOISE_M2)
        if (int(features[left[k]]), int(features[right[k]])) not in known
    ]


def _report_overlaps(
    raw: RawLayer, pairs: list[dict[str, Any]], *, crs: Any, names: Mapping[int, str], tolerance_km2: float
) -> None:
    slivers = []
    for pair in pairs:
        if pair["area_km2"] <= tolerance_km2 and pair["share"] <= OVERLAP_TOLERANCE_SHARE:
            slivers.append(pair)
            continue
        x, y = _lon_lat(pair["at"], crs)
        raw.add(
            "overlap", feature=pair["feature"], name=names.get(pair["feature"], "-"), other=pair["other"],
            other_name=names.get(pair["other"], "-"), area_km2=pair["area_km2"], x=x, y=y,
            tolerance_km2=tolerance_km2, tolerance_pct=round(100 * OVERLAP_TOLERANCE_SHARE),
        )  # fmt: skip
    if slivers:
        x, y = _lon_lat(max(slivers, key=lambda pair: float(pair["area_km2"]))["at"], crs)
        total = sum(pair["area_km2"] for pair in slivers)
        raw.add("overlap-sliver", count=len(slivers), area_km2=total, x=x, y=y, tolerance_km2=tolerance_km2)


def _check_gaps(raw: RawLayer, geometries: Array, *, clean: bool, crs: Any, tolerance_m: float) -> None:
    """Find holes of the union; the width of a hole is twice its area over its border's length."""
    union = shapely.coverage_union_all(geometries) if clean else shapely.union_all(geometries)
    rings = [ring for part in shapely.get_parts(union) for ring in shapely.get_rings(part)[1:]]
    if not rings:
        return
    holes = shapely.polygons(rings)
    areas = shapely.area(holes)
    widths = 2 * areas / shapely.length(holes)
    for k in np.flatnonzero(widths > tolerance_m):
        x, y = _lon_lat(shapely.point_on_surface(holes[k]), crs)
        raw.add("gap", area_km2=areas[k] / _M2_PER_KM2, width_m=widths[k], x=x, y=y, tolerance_m=tolerance_m)
    small = widths <= tolerance_m
    if small.any():
        widest = int(np.argmax(np.where(small, widths, -1.0)))
        x, y = _lon_lat(shapely.point_on_surface(holes[widest]), crs)
        raw.add(
            "gap-sliver", count=int(small.sum()), area_km2=areas[small].sum() / _M2_PER_KM2,
            width_m=widths[widest], x=x, y=y, tolerance_m=tolerance_m,
        )  # fmt: skip


def _lon_lat(point: Any, crs: Any) -> tuple[float, float]:
    moved = gpd.GeoSeries([point], crs=crs).to_crs("EPSG:4326").iloc[0]
    return float(moved.x), float(moved.y)


def parents_by_polygon(raw: RawLayer, parents: gpd.GeoDataFrame) -> dict[int, dict[str, float]]:
    """Return for each feature the share of its area inside each parent it touches."""
    whole = raw.frame[raw.frame.geometry.notna()]
    if whole.empty:
        return {}
    west, _, east, _ = whole.total_bounds
    crs = area_crs(west, east)
    mine: Array = np.asarray(whole.to_crs(crs).geometry.array, dtype=object)
    theirs: Array = np.asarray(parents.to_crs(crs).geometry.array, dtype=object)
    tree = shapely.STRtree(theirs)
    areas = shapely.area(mine)
    shares: dict[int, dict[str, float]] = {int(feature): {} for feature in whole.index}
    codes = parents["pcode"].tolist()
    inside = np.zeros(len(mine), dtype=bool)
    rows, columns = tree.query(mine, predicate="covered_by")
    for row, col in zip(rows, columns, strict=True):
        shares[int(whole.index[row])][codes[col]] = 1.0
        inside[row] = True
    rows, columns = tree.query(mine, predicate="intersects")
    rows, columns = rows[~inside[rows]], columns[~inside[rows]]
    shared = shapely.area(shapely.intersection(mine[rows], theirs[columns]))
    for row, col, part in zip(rows, columns, shared, strict=True):
        if part > 0:
            shares[int(whole.index[row])][codes[col]] = float(part / areas[row])
    return shares


def check_parents(
    raw: RawLayer,
    parents: gpd.GeoDataFrame,
    *,
    declared: Mapping[int, str],
    names: Mapping[int, str],
    field: str,
    shares: Mapping[int, Mapping[str, float]],
) -> None:
    """Find parents that aren't loaded, and areas that lie in another parent than they say."""
    loaded = set(parents["pcode"])
    for feature, code in declared.items():
        name = names.get(feature, "-")
        if code not in loaded:
            raw.add("parent-missing", feature=feature, name=name, value=code, field=field)
            continue
        inside = shares.get(feature, {})
        other = max(sorted(inside), key=lambda key: inside[key], default=code)
        share = inside.get(code, 0.0)
        if feature in shares and other != code and share < PARENT_WARNING_SHARE:
            raw.add(
                "parent-elsewhere", feature=feature, name=name, value=code, other=other, share_pct=100 * share,
                severity="error" if share < PARENT_ERROR_SHARE else "warning",
            )  # fmt: skip

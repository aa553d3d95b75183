"""Read population rasters: their facts, the people in each area, and a picture for the map."""

from __future__ import annotations

import hashlib
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import rasterio
from exactextract import exact_extract
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT
from rasterio.warp import calculate_default_transform, transform_bounds
from rasterio.windows import Window

from geodata.errors import GeodataUseError, RasterError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

UNITS: Final = ("persons", "persons_per_km2")
"""What a cell says: the persons in it, or the persons per km2 of it."""
SPHERE_RADIUS_M: Final = 6_378_137.0
"""Radius of the sphere on which cells in degrees are measured; exactextract uses the same."""
CELLS_AT_ONCE: Final = 4_000_000
OVERLAY_COLOURS: Final = (
    (0, "#fde8b5"), (25, "#f9b15f"), (50, "#e8663f"), (75, "#b32a5b"), (100, "#4a1079"),
)  # fmt: skip
"""The overlay's colours by per cent of log(1 + value) / log(1 + maximum): light for few, dark for many."""
PIXELS_PER_CELL: Final = 8
"""A small raster is drawn with this many pixels a cell, so that rows of Web Mercator end where the cells do."""
OVERLAY_ALPHA: Final = 230
_WEB_MERCATOR: Final = "EPSG:3857"
_M2_PER_KM2: Final = 1e6


@dataclass(frozen=True)
class RasterInfo:
    """Facts about a population raster; `bounds` is west, south, east, north in its own reference system."""

    width: int
    height: int
    crs: str
    bounds: tuple[float, float, float, float]
    total_persons: float
    nodata: float | None
    cells_with_data: int
    unit: str
    file_name: str
    file_sha256: str


@dataclass(frozen=True)
class Overlay:
    """Where a drawn raster belongs on the map, and the value of the darkest colour, in the raster's unit."""

    west_deg: float
    south_deg: float
    east_deg: float
    north_deg: float
    maximum: float


def read_raster(path: Path, *, unit: str) -> RasterInfo:
    """Check a population raster and add up its people.

    Persons per km2 are multiplied by the cell's area: on the sphere for cells in degrees, in the raster's own plane
    otherwise.

    Raises
    ------
    GeodataUseError
        If `unit` is not one of `UNITS`.
    RasterError
        If the file is no raster, is cut off, has no reference system, several bands, no data or negative numbers.
    """
    with _opened(path, unit) as raster:
        total, cells = 0.0, 0
        for rows, values in _strips(raster, path):
            if np.nanmin(values, initial=0.0) < 0:
                raise RasterError(
                    f"{path.name} holds negative numbers (down to {np.nanmin(values):g}); people can't be negative. "
                    "Declare that value as nodata, or give a population raster"
                )
            cells += int(np.isfinite(values).sum())
            weights = 1.0 if unit == "persons" else _cell_km2(raster, rows)
            total += float(np.nansum(values * weights))
        if cells == 0:
            raise RasterError(f"{path.name} has no cell with data; check its nodata value")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        authority = raster.crs.to_authority()
        crs = ":".join(authority) if authority else raster.crs.to_wkt()
        bounds = tuple(float(value) for value in raster.bounds)
        return RasterInfo(
            raster.width, raster.height, crs, (bounds[0], bounds[1], bounds[2], bounds[3]), total,
            raster.nodata, cells, unit, path.name, digest,
        )  # fmt: skip


def zonal_persons(path: Path, areas: gpd.GeoDataFrame, *, unit: str) -> pd.DataFrame:
    """Return pcode and persons per area: cells cut by a border count with the part inside (exactextract).

    For `persons` it is the sum of the cells' persons times the covered part of each cell, so people of cells cut by the
    edge of all areas are lost; for `persons_per_km2` density times covered km2. An area in which the raster has no
    data at all gets null, not 0. Rows keep the order of `areas`, which are brought to the raster's reference system.
    """
    with _opened(path, unit) as raster:
        zones = areas[["pcode", areas.geometry.name]].to_crs(raster.crs)
        weight = "fraction"
        if unit == "persons_per_km2":
            weight = "area_spherical_km2" if raster.crs.is_geographic else "area_cartesian"
        try:
            sums = exact_extract(
                raster, zones, [f"persons=sum(coverage_weight={weight})", "cells=count"],
                include_cols=["pcode"], output="pandas", strategy="raster-sequential",
            )  # fmt: skip
        except (RasterioError, RuntimeError) as error:
            raise RasterError(f"{path.name} is damaged or cut off ({error}); copy or export it again") from error
        persons = pd.to_numeric(sums["persons"], errors="coerce").astype("float64")
        if weight == "area_cartesian":
            persons = persons * (raster.crs.linear_units_factor[1] ** 2 / _M2_PER_KM2)
        persons = persons.where(sums["cells"] > 0)
    return pd.DataFrame({"pcode": sums["pcode"].astype("str"), "persons": persons})


def draw_overlay(path: Path, out_png: Path, *, unit: str, max_pixels: int = 1024) -> Overlay:
    """Draw the raster as a PNG of at most `max_pixels` a side, in rows of Web Mercator, and return its corners.

    No data and zero are transparent; colours run with the logarithm (`OVERLAY_COLOURS`). Where pixels are coarser than
    cells a pixel shows the mean of its cells.
    """
    if max_pixels < 1:
        raise GeodataUseError(f"max_pixels is {max_pixels}; an image needs at least one pixel")
    with _opened(path, unit) as raster, _without_library_noise():
        _, width, height = calculate_default_transform(
            raster.crs, _WEB_MERCATOR, raster.width, raster.height, *raster.bounds
        )
        west, south, east, north = transform_bounds(raster.crs, _WEB_MERCATOR, *raster.bounds)
        scale = min(PIXELS_PER_CELL, max_pixels / max(width, height))
        columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
        resampling = Resampling.average if scale < 1 else Resampling.nearest
        placed = from_bounds(west, south, east, north, columns, rows)
        try:
            with WarpedVRT(
                raster, crs=_WEB_MERCATOR, transform=placed, width=columns, height=rows, resampling=resampling,
                src_nodata=raster.nodata, nodata=float("nan"), dtype="float64",
            ) as warped:  # fmt: skip
                values = warped.read(1)
        except RasterioError as error:
            raise RasterError(f"{path.name} is damaged or cut off ({error}); copy or export it again") from error
    values = np.where(np.isfinite(values) & (values > 0), values, 0.0)
    maximum = float(values.max())
    _write_png(out_png, _coloured(values, maximum))
    corners = [float(value) for value in transform_bounds(_WEB_MERCATOR, "EPSG:4326", west, south, east, north)]
    return Overlay(corners[0], corners[1], corners[2], corners[3], maximum)


@contextmanager
def _without_library_noise() -> Iterator[None]:
    """Keep back two warnings of rasterio: a PNG has no place on the map, and its own use of `*` on transforms."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        yield


@contextmanager
def _opened(path: Path, unit: str) -> Iterator[Any]:
    """Open a raster that passes the checks which need no reading of cells."""
    if unit not in UNITS:
        raise GeodataUseError(f"{unit!r} is no unit of a population raster; choose one of {', '.join(UNITS)}")
    if not path.is_file():
        raise RasterError(f"{path} does not exist; check the name of the file")
    if path.stat().st_size == 0:
        raise RasterError(f"{path.name} is empty; export the raster again")
    try:
        with _without_library_noise():
            raster = rasterio.open(path)
    except RasterioError as error:
        raise RasterError(f"{path.name} is not a raster that can be read ({error}); give a GeoTIFF") from error
    with raster:
        if raster.crs is None:
            raise RasterError(f"{path.name} does not say its reference system; set it and export the raster again")
        if raster.count != 1:
            raise RasterError(f"{path.name} has {raster.count} bands; export the one with the population")
        if not np.issubdtype(np.dtype(raster.dtypes[0]), np.number) or "complex" in raster.dtypes[0]:
            raise RasterError(f"{path.name} holds {raster.dtypes[0]}, which is no count of people")
        yield raster


def _strips(raster: Any, path: Path) -> Iterator[tuple[range, NDArray[np.float64]]]:
    """Yield the raster in strips of rows, NaN where it has no data."""
    step = max(1, CELLS_AT_ONCE // raster.width)
    for start in range(0, raster.height, step):
        rows = range(start, min(start + step, raster.height))
        try:
            masked = raster.read(1, window=Window(0, rows.start, raster.width, len(rows)), masked=True)
        except RasterioError as error:
            raise RasterError(f"{path.name} is damaged or cut off ({error}); copy or export it again") from error
        values = masked.astype("float64").filled(np.nan)
        yield rows, np.where(np.isinf(values), np.nan, values)


def _cell_km2(raster: Any, rows: range) -> Any:
    """Return the area of the cells of some rows, as a column."""
    transform = raster.transform
    if not raster.crs.is_geographic:
        unit_m = raster.crs.linear_units_factor[1]
        return abs(transform.a * transform.e - transform.b * transform.d) * unit_m**2 / _M2_PER_KM2
    edges = np.radians(transform.f + transform.e * np.arange(rows.start, rows.stop + 1))
    heights = np.abs(np.diff(np.sin(edges)))
    return (SPHERE_RADIUS_M**2 * np.radians(abs(transform.a)) * heights / _M2_PER_KM2)[:, np.newaxis]


def _coloured(values: NDArray[np.float64], maximum: float) -> NDArray[np.uint8]:
    """Return red, green, blue and alpha of each pixel."""
    shares = np.log1p(values) / np.log1p(maximum) * 100 if maximum > 0 else values
    stops = [stop for stop, _ in OVERLAY_COLOURS]
    image = np.zeros((4, *values.shape), dtype=np.uint8)
    for band in range(3):
        levels = [int(colour[1 + 2 * band : 3 + 2 * band], 16) for _, colour in OVERLAY_COLOURS]
        image[band] = np.round(np.interp(shares, stops, levels)).astype(np.uint8)
    image[3] = np.where(values > 0, OVERLAY_ALPHA, 0)
    image[:3, values <= 0] = 0
    return image


def _write_png(path: Path, image: NDArray[np.uint8]) -> None:
    _, height, width = image.shape
    with (
        _without_library_noise(),
        rasterio.open(path, "w", driver="PNG", width=width, height=height, count=4, dtype="uint8") as out,
    ):
        out.write(image)
    path.with_name(path.name + ".aux.xml").unlink(missing_ok=True)

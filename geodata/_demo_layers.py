"""Make up what lies on the demonstration areas: ger areas, services, a flood, roads and a population raster."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
import shapely
import shapely.geometry
from rasterio.features import shapes

from geodata._demo_borders import fractal_line
from geodata._demo_figures import CENTRE_KM, RIVER_KM

if TYPE_CHECKING:
    from pathlib import Path

    from geodata._demo_city import Unit
    from geodata._demo_people import PeopleGrid

Floats = npt.NDArray[np.float64]

UTM = "EPSG:32648"
SMALLEST_GER_AREA_M2 = 60_000.0
RASTER_NODATA = -1.0
FLOOD_WIDTH_M = (120.0, 620.0)
"""Narrowest and widest reach of the made-up flood, to each side of the river."""
SERVICES = (
    ("khoroo_office", "Khoroo {khoroo} office", "{khoroo}-р хорооны байр", (1, 1)),
    ("clinic", "Family health centre {number}", "{number}-р өрхийн эрүүл мэндийн төв", (1, 1)),
    ("kindergarten", "Kindergarten {number}", "{number}-р цэцэрлэг", (1, 3)),
    ("school", "School {number}", "{number}-р сургууль", (0, 2)),
)
"""Category, names, and fewest and most per khoroo."""
ROADS_KM = (
    ("West road", "Баруун чиглэлийн зам", ((-1.0, 0.0), (-12.0, -1.0), (-24.0, -2.5), (-36.0, 2.0))),
    ("East road", "Зүүн чиглэлийн зам", ((-1.0, 0.0), (8.0, -1.0), (20.0, -4.0), (29.0, -14.0), (40.0, -20.0))),
    ("North road", "Хойд чиглэлийн зам", ((-6.0, 0.5), (-10.0, 8.0), (-16.0, 20.0), (-22.0, 30.0))),
    ("South road", "Өмнөд чиглэлийн зам", ((-4.0, -1.5), (-8.0, -7.5), (-14.0, -14.0), (-18.0, -20.0))),
    ("Valley road", "Сэлбийн замын чиглэл", ((-1.0, 0.0), (1.0, 6.0), (2.0, 14.0))),
)


def _frame(columns: dict[str, Any], geometry: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({**columns, "demonstration": True}, geometry=geometry, crs=UTM)


def _smooth(polygon: Any, cell_m: float) -> Any:
    """Round off the steps of the cells."""
    rounded = shapely.buffer(shapely.buffer(polygon, -0.45 * cell_m), 1.1 * cell_m)
    return shapely.simplify(shapely.buffer(rounded, -0.65 * cell_m), 0.1 * cell_m)


def ger_areas(people: PeopleGrid, land: Any) -> gpd.GeoDataFrame:
    """Outline the cells that are ger area, inside the land."""
    mask = people.ger_mask
    found = [
        shapely.geometry.shape(geometry)
        for geometry, _ in shapes(mask.astype(np.uint8), mask=mask, transform=people.transform, connectivity=4)
    ]
    parts = shapely.get_parts(shapely.intersection([_smooth(polygon, people.cell_m) for polygon in found], land))
    parts = shapely.make_valid(parts[(shapely.get_type_id(parts) == 3) & (shapely.area(parts) > SMALLEST_GER_AREA_M2)])  # noqa: PLR2004  GEOS numbers polygons 3
    parts = parts[np.argsort(-shapely.area(parts), kind="stable")]
    numbers = range(1, len(parts) + 1)
    columns = {
        "name_mn": [f"{number}-р гэр хороолол" for number in numbers],
        "name_en": [f"Ger area {number}" for number in numbers],
        "category": "ger_area",
    }
    return _frame(columns, parts)


def services(units: list[Unit], *, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Put offices, clinics, kindergartens and schools where people live, at places inside the units."""
    by_khoroo: dict[str, list[Unit]] = {}
    for unit in units:
        by_khoroo.setdefault(unit.pcode[:8], []).append(unit)
    rows: list[tuple[str, str, str, str]] = []
    places: list[Floats] = []
    numbers = dict.fromkeys((service[0] for service in SERVICES), 0)
    for pcode, own in by_khoroo.items():
        points = np.concatenate([unit.points for unit in own])
        for category, name_en, name_mn, (fewest, most) in SERVICES:
            for _ in range(int(rng.integers(fewest, most + 1))):
                numbers[category] += 1
                words = {"khoroo": int(pcode[6:8]), "number": numbers[category]}
                rows.append((name_mn.format(**words), name_en.format(**words), category, pcode))
                places.append(points[rng.integers(len(points))])
    names_mn, names_en, categories, khoroos = zip(*rows, strict=True)
    columns = {"name_mn": names_mn, "name_en": names_en, "category": categories, "khoroo_pcode": khoroos}
    return _frame(columns, shapely.points(np.array(places)))


def _bent(corners_km: Any, *, rng: np.random.Generator, depth: int = 5) -> Floats:
    corners = (np.array(corners_km) + CENTRE_KM) * 1000
    pieces = [fractal_line(start, end, rng=rng, depth=depth, roughness=0.1)[:-1] for start, end in pairwise(corners)]
    return np.concatenate([*pieces, corners[-1:]])


def flood(land: Any, *, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Flood the land along the made-up river: a core of deep water and a rim of shallow water."""
    line = _bent(RIVER_KM, rng=rng)
    along = np.linspace(0, 14 * np.pi, len(line))
    wave = 0.5 + 0.25 * np.sin(along + rng.uniform(0, 6)) + 0.25 * np.sin(2.7 * along + rng.uniform(0, 6))
    width = FLOOD_WIDTH_M[0] + (FLOOD_WIDTH_M[1] - FLOOD_WIDTH_M[0]) * wave
    outlines = []
    for share in (1.0, 0.45):
        discs = shapely.buffer(shapely.points(line), width * share)
        bands = shapely.convex_hull(shapely.union(discs[:-1], discs[1:]))
        outlines.append(shapely.intersection(shapely.simplify(shapely.union_all(bands), 8.0), land))
    rim = shapely.difference(outlines[0], outlines[1])
    columns = {
        "name_mn": ["Туул голын үер (жишээ), гүн", "Туул голын үер (жишээ), гүехэн"],
        "name_en": ["River flood (example), deep", "River flood (example), shallow"],
        "category": ["flood_deep", "flood_shallow"],
    }
    frame = _frame(columns, [outlines[1], rim])
    return frame[~frame.geometry.is_empty].reset_index(drop=True)


def roads(land: Any, *, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Draw a few main roads inside the land."""
    lines = [shapely.intersection(shapely.linestrings(_bent(corners, rng=rng)), land) for _, _, corners in ROADS_KM]
    columns = {
        "name_mn": [name for _, name, _ in ROADS_KM],
        "name_en": [name for name, _, _ in ROADS_KM],
        "category": "main",
    }
    frame = _frame(columns, lines)
    return frame[~frame.geometry.is_empty].reset_index(drop=True)


def write_raster(path: Path, people: PeopleGrid) -> None:
    """Write persons per cell as a GeoTIFF (EPSG:32648, float32, deflate)."""
    values = np.round(people.persons, 3).astype(np.float32)
    with rasterio.open(
        path, "w", driver="GTiff", width=values.shape[1], height=values.shape[0], count=1, dtype="float32", crs=UTM,
        transform=people.transform, nodata=RASTER_NODATA, compress="deflate", predictor=3,
    ) as file:  # fmt: skip
        file.write(values, 1)
        file.update_tags(DEMONSTRATION="true", UNIT="persons per cell")

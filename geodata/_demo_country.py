"""Draw a made-up country round the city: aimags, soums and baghs under OCHA's codes and names."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
import shapely

from geodata._demo_borders import fractal_line, split_polygon

Floats = npt.NDArray[np.float64]

N_BAGHS = 1_596
"""With the city's 204 khoroos: 1,800 units of the third level."""
SMALLEST_SOUM_BORDER_M = 2_500.0

AIMAG_POPULATION_PERSONS = {
    "MN21": 82_054, "MN22": 63_182, "MN23": 77_957, "MN41": 94_250, "MN42": 17_928, "MN43": 110_110, "MN44": 71_014,
    "MN45": 107_018, "MN46": 69_187, "MN48": 47_104, "MN61": 107_634, "MN62": 116_732, "MN63": 62_089, "MN64": 88_672,
    "MN65": 94_994, "MN67": 135_095, "MN81": 72_823, "MN82": 57_748, "MN83": 108_530, "MN84": 89_712, "MN85": 83_223,
}  # fmt: skip
"""2020 census, as in the Wikipedia article "Provinces of Mongolia"."""

OUTLINE_DEGREES = (
    (88.0, 48.6), (87.8, 49.2), (89.7, 49.8), (92.3, 50.8), (94.5, 50.1), (97.0, 49.8), (98.3, 50.5), (98.9, 52.0),
    (101.9, 51.3), (102.3, 50.6), (105.0, 50.4), (108.0, 49.6), (110.8, 49.2), (114.3, 50.2), (116.7, 49.8),
    (115.6, 47.9), (118.3, 48.0), (119.8, 47.0), (116.6, 46.3), (113.6, 44.8), (111.9, 45.0), (111.0, 43.3),
    (107.3, 42.4), (104.9, 41.7), (101.8, 42.5), (96.4, 42.8), (95.4, 44.2), (90.9, 45.2), (91.0, 46.7),
)  # fmt: skip
"""A coarse, made-up outline about where the country lies; it is no border."""

_TO_METRES = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:32648", always_xy=True)


@dataclass(frozen=True)
class Place:
    """A place of OCHA's P-code list."""

    pcode: str
    level: int
    name_mn: str
    name_en: str
    lon: float | None
    lat: float | None


def read_places() -> dict[str, Place]:
    """Return the places of levels 1 and 2 by P-code."""
    text = (resources.files("geodata") / "places.csv").read_text(encoding="utf-8")
    return {
        row["pcode"]: Place(
            row["pcode"],
            int(row["level"]),
            row["name_mn"],
            row["name_en"],
            float(row["lon"]) if row["lon"] else None,
            float(row["lat"]) if row["lat"] else None,
        )
        for row in csv.DictReader(text.splitlines())
    }


def to_metres(degrees: Any) -> Floats:
    """Project lon/lat to EPSG:32648."""
    lon, lat = np.asarray(degrees, dtype=float).reshape(-1, 2).T
    return np.stack(_TO_METRES.transform(lon, lat), axis=1)


def _outline(*, rng: np.random.Generator) -> Any:
    corners = to_metres(OUTLINE_DEGREES)
    parts = [
        fractal_line(start, end, rng=rng, depth=6)[:-1]
        for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True)
    ]
    return shapely.make_valid(shapely.Polygon(np.concatenate(parts)))


def _scatter(polygon: Any, count: int, *, rng: np.random.Generator) -> Floats:
    """Place seeds in a polygon, the first and a few more round its middle, none of them on top of another."""
    west, south, east, north = shapely.bounds(polygon)
    shapely.prepare(polygon)
    spacing = 0.55 * np.sqrt(shapely.area(polygon) / count)
    seeds: list[Floats] = []
    while len(seeds) < count:
        for point in rng.uniform((west, south), (east, north), (200, 2)):
            if len(seeds) == count:
                break
            clear = not seeds or np.min(np.hypot(*(np.array(seeds) - point).T)) > spacing
            if clear and shapely.contains_xy(polygon, *point):
                seeds.append(point)
        spacing *= 0.8
    return np.array(seeds)


def build_country(
    city: Any, places: dict[str, Place], *, rng: np.random.Generator
) -> tuple[dict[str, Any], dict[str, float]]:
    """Draw the baghs of the 21 aimags round the city.

    Returns
    -------
    tuple of dict
        Polygons in EPSG:32648 and persons, both by the P-code of the bagh.
    """
    aimags = sorted(AIMAG_POPULATION_PERSONS)
    land = shapely.difference(_outline(rng=rng), city)
    seeds = to_metres([(places[pcode].lon, places[pcode].lat) for pcode in aimags])
    shares = split_polygon(land, seeds, rng=rng, smallest_m=SMALLEST_SOUM_BORDER_M)
    soums = {pcode: sorted(p for p in places if len(p) == 6 and p[:4] == pcode) for pcode in aimags}  # noqa: PLR2004  six characters are a soum
    counts = _baghs_per_soum([pcode for aimag in aimags for pcode in soums[aimag]], rng=rng)
    polygons: dict[str, Any] = {}
    persons: dict[str, float] = {}
    for aimag, polygon in zip(aimags, shares, strict=True):
        own = soums[aimag]
        parts = split_polygon(polygon, _scatter(polygon, len(own), rng=rng), rng=rng, smallest_m=SMALLEST_SOUM_BORDER_M)
        weights = rng.gamma(4.0, 1.0, len(own))
        weights[0] = 0.5 * weights.sum()
        for soum, part, weight in zip(own, parts, weights / weights.sum(), strict=True):
            baghs = split_polygon(
                part, _scatter(part, counts[soum], rng=rng), rng=rng, smallest_m=SMALLEST_SOUM_BORDER_M
            )
            share = rng.gamma(6.0, 1.0, len(baghs))
            for number, bagh in enumerate(baghs, start=1):
                pcode = f"{soum}{number:02d}"
                polygons[pcode] = bagh
                persons[pcode] = AIMAG_POPULATION_PERSONS[aimag] * weight * share[number - 1] / share.sum()
    return polygons, persons


def _baghs_per_soum(soums: list[str], *, rng: np.random.Generator) -> dict[str, int]:
    counts = np.full(len(soums), N_BAGHS // len(soums))
    counts[rng.permutation(len(soums))[: N_BAGHS - counts.sum()]] += 1
    return dict(zip(soums, counts.tolist(), strict=True))

"""Draw the made-up city: districts from a skeleton, khoroos and khesegs by splitting them where people live."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geodata._demo_borders import centre_seeds, fractal_line, node_together, split_polygon
from geodata._demo_figures import CENTRE_KM, DISTRICTS, NODES_KM, RINGS
from geodata._demo_people import PeopleGrid, build_people, draw_points, ger_share_at, sum_cells

Floats = npt.NDArray[np.float64]

KHESEGS_PER_KHOROO = (9, 10)
SMALL_KHOROOS = {"MN1107": 7, "MN1122": 5}
"""Districts and khoroos of the size `small`."""
SMALL_KHESEGS_PER_KHOROO = (3, 4)
PERSONS_PER_SMALL_KHESEG = 780
MINIMUM_KHOROO_PERSONS = 1_100
MINIMUM_KHESEG_PERSONS = 60
DISTRICT_ROUGHNESS = 0.2
"""Sideways shift of a district border's middle, as a share of its length."""
KHOROO_SPREAD, KHESEG_SPREAD = 0.10, 0.05
"""Share of points drawn without regard to density, so that the empty country is divided too."""
DISTRICT_DRAWINGS = 40
POINTS_PER_KHOROO = 400
POINTS_PER_KHESEG = 60
KEPT_POINTS_PER_UNIT = 8
"""Places inside each reporting unit that a return may be sent from."""


@dataclass
class Unit:
    """A reporting unit while it is made: kheseg, or khoroo where there are no khesegs."""

    pcode: str
    polygon: Any
    persons: float
    ger_area_share: float
    points: Floats = field(repr=False)


def district_polygons(*, rng: np.random.Generator) -> dict[str, Any]:
    """Return the nine districts, EPSG:32648, along borders bent once and shared by both sides.

    Of several bendings the one is taken whose areas come nearest to the published ones.
    """
    drawings = [_bend_districts(rng=rng) for _ in range(DISTRICT_DRAWINGS)]
    polygons = min(drawings, key=_misfit)
    noded = node_together([polygons[pcode] for pcode in sorted(polygons)])
    return dict(zip(sorted(polygons), noded, strict=True))


def _misfit(polygons: dict[str, Any]) -> float:
    """Sum the squared errors of the areas; a border that crosses another can't be used."""
    if not all(shapely.is_valid(polygon) for polygon in polygons.values()):
        return float("inf")
    return sum(float(np.log(polygons[known.pcode].area / 1e6 / known.area_km2)) ** 2 for known in DISTRICTS)


def _bend_districts(*, rng: np.random.Generator) -> dict[str, Any]:
    edges: dict[tuple[str, str], Floats] = {}
    nodes = {name: np.array(place) for name, place in NODES_KM.items()}
    for pcode in ("MN1101", "MN1104"):
        _fit_exclave(nodes, pcode)
    polygons = {}
    for pcode in sorted(RINGS):
        ring = RINGS[pcode]
        parts = []
        for start, end in zip(ring, (*ring[1:], ring[0]), strict=True):
            key = (min(start, end), max(start, end))
            if key not in edges:
                edges[key] = _bend_border([(nodes[name] + CENTRE_KM) * 1000 for name in key], rng=rng)
            line = edges[key] if key[0] == start else edges[key][::-1]
            parts.append(line[:-1])
        polygons[pcode] = shapely.Polygon(np.concatenate(parts))
    return polygons


def _bend_border(ends: list[Floats], *, rng: np.random.Generator) -> Floats:
    depth = int(np.clip(np.log2(np.hypot(*(ends[1] - ends[0])) / 120), 3, 7))
    return fractal_line(ends[0], ends[1], rng=rng, depth=depth, roughness=DISTRICT_ROUGHNESS)


def _fit_exclave(nodes: dict[str, Floats], pcode: str) -> None:
    """Scale a detached district to its published area about its own middle."""
    district = next(known for known in DISTRICTS if known.pcode == pcode)
    ring = np.array([nodes[name] for name in RINGS[pcode]])
    middle = ring.mean(axis=0)
    scale = np.sqrt(district.area_km2 / shapely.Polygon(ring).area)
    for name, place in zip(RINGS[pcode], ring, strict=True):
        nodes[name] = middle + scale * (place - middle)


def _number_from_centre(seeds: Floats) -> Floats:
    """Sort seeds so that low numbers lie near the square, as khoroos are numbered from the centre outwards."""
    distance = np.hypot(*(seeds - np.array(CENTRE_KM) * 1000).T)
    return seeds[np.argsort(distance, kind="stable")]


def build_khoroos(
    districts: dict[str, Any], counts: dict[str, int], people: PeopleGrid, *, rng: np.random.Generator
) -> dict[str, Any]:
    """Split districts into khoroos of about the same population; P-code to polygon."""
    khoroos = {}
    for pcode, polygon in districts.items():
        count = counts[pcode]
        points = draw_points(people, polygon, count * POINTS_PER_KHOROO, rng=rng, anywhere=KHOROO_SPREAD)
        seeds = _number_from_centre(centre_seeds(points, count, rng=rng))
        parts = split_polygon(polygon, seeds, rng=rng)
        khoroos.update({f"{pcode}{number:02d}": part for number, part in enumerate(parts, start=1)})
    return khoroos


def build_khesegs(
    khoroos: dict[str, Any],
    persons: dict[str, float],
    people: PeopleGrid,
    *,
    per_khoroo: tuple[int, int],
    rng: np.random.Generator,
) -> list[Unit]:
    """Split khoroos into khesegs and share out the khoroo's people by the points drawn from the density."""
    units = []
    for pcode, polygon in khoroos.items():
        count = int(rng.integers(per_khoroo[0], per_khoroo[1] + 1))
        points = draw_points(people, polygon, count * POINTS_PER_KHESEG, rng=rng, anywhere=KHESEG_SPREAD)
        seeds = _number_from_centre(centre_seeds(points, count, rng=rng, rounds=4))
        parts = split_polygon(polygon, seeds, rng=rng, smallest_m=40.0)
        own = [
            _make_unit(f"{pcode}{number:02d}", part, points, persons[pcode], people)
            for number, part in enumerate(parts, start=1)
        ]
        scale = persons[pcode] / sum(unit.persons for unit in own)
        for unit in own:
            unit.persons *= scale
        units += own
    return units


def _make_unit(pcode: str, polygon: Any, points: Floats, khoroo_persons: float, people: PeopleGrid) -> Unit:
    shapely.prepare(polygon)
    own = points[shapely.contains_xy(polygon, points)]
    persons = max(khoroo_persons * len(own) / len(points), MINIMUM_KHESEG_PERSONS)
    if len(own) == 0:
        own = shapely.get_coordinates(shapely.point_on_surface(polygon))
    return Unit(pcode, polygon, persons, float(ger_share_at(people, own).mean()), own)


def share_persons(khoroos: dict[str, Any], district_persons: dict[str, float], people: PeopleGrid) -> dict[str, float]:
    """Share out each district's people to its khoroos as the grid has them, none of them nearly empty."""
    sums = np.maximum(sum_cells(people, list(khoroos.values())), MINIMUM_KHOROO_PERSONS)
    totals: dict[str, float] = {}
    for pcode, persons in zip(khoroos, sums, strict=True):
        totals[pcode[:6]] = totals.get(pcode[:6], 0.0) + float(persons)
    return {
        pcode: float(persons) * district_persons[pcode[:6]] / totals[pcode[:6]]
        for pcode, persons in zip(khoroos, sums, strict=True)
    }


def keep_points(units: list[Unit], *, rng: np.random.Generator) -> None:
    """Keep a few points of each unit that lie well inside its final polygon, half a metre or more from the border."""
    for unit in units:
        inner = shapely.buffer(unit.polygon, -1.0)
        shapely.prepare(inner)
        own = unit.points[shapely.contains_xy(inner, unit.points)]
        if len(own) == 0:
            own = shapely.get_coordinates(shapely.point_on_surface(unit.polygon))
        unit.points = own[rng.permutation(len(own))[:KEPT_POINTS_PER_UNIT]]


def build_city(*, size: str, rng: np.random.Generator) -> tuple[list[Unit], PeopleGrid, dict[str, Any]]:
    """Make the whole city of a size: reporting units with final polygons, the people grid and the districts."""
    districts = district_polygons(rng=rng)
    counts = {known.pcode: known.khoroos for known in DISTRICTS}
    persons = {known.pcode: float(known.population_persons) for known in DISTRICTS}
    per_khoroo = KHESEGS_PER_KHOROO
    if size == "small":
        counts, per_khoroo = SMALL_KHOROOS, SMALL_KHESEGS_PER_KHOROO
        districts = {pcode: districts[pcode] for pcode in sorted(SMALL_KHOROOS)}
        each = PERSONS_PER_SMALL_KHESEG * sum(per_khoroo) / 2
        persons = {pcode: each * counts[pcode] for pcode in districts}
    published = sum(known.population_persons for known in DISTRICTS if known.pcode in districts)
    settled = np.array([persons[pcode] for pcode in districts])
    people = build_people(list(districts.values()), settled, rng=rng, scale=float(settled.sum()) / published)
    khoroos = build_khoroos(districts, counts, people, rng=rng)
    khoroo_persons = share_persons(khoroos, persons, people)
    units = build_khesegs(khoroos, khoroo_persons, people, per_khoroo=per_khoroo, rng=rng)
    for unit, polygon in zip(units, node_together([unit.polygon for unit in units]), strict=True):
        unit.polygon = polygon
    keep_points(units, rng=rng)
    return units, people, districts

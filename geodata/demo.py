"""Build the demonstration geography: areas, layers and a population raster, made up and marked as such."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from geodata import _demo_layers as layers
from geodata._demo_borders import node_together
from geodata._demo_city import Unit, build_city
from geodata._demo_country import AIMAG_POPULATION_PERSONS, Place, build_country, read_places
from geodata._demo_figures import DISTRICTS
from geodata._demo_real import build_on_areas
from geodata.errors import GeodataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import geopandas as gpd

    from geodata._demo_people import PeopleGrid

Size = Literal["small", "city", "national"]
DECIMALS = 7
"""Decimals of a degree in the files: about a centimetre."""
WORDS = {3: ("{number}-р хороо", "Khoroo {number}"), 4: ("{number}-р хэсэг", "Kheseg {number}")}
BAGH_WORDS = ("{number}-р баг", "Bagh {number}")
LONGEST_STRAIGHT_M = 2_000.0
CITY_PCODE = "MN11"

_TO_DEGREES = pyproj.Transformer.from_crs("EPSG:32648", "EPSG:4326", always_xy=True)


@dataclass(frozen=True)
class DemoGeography:
    """What was written, and what the generator of returns needs to know of it.

    Attributes
    ----------
    areas : dict of int to Path
        One GeoJSON per level: fields `pcode`, `name_mn`, `name_en`, `number`, `parent_pcode`, `population`. On real
        khoroos level 3 is the given file itself, and only the khesegs are written.
    layers : dict of str to Path
        GeoJSON by kind: `ger-area`, `service`, `hazard`, `road`.
    raster : Path
        GeoTIFF, persons per cell, EPSG:32648.
    unit_level : int
        Level of the reporting units: 4 khesegs, or 3 where there are none.
    units : DataFrame
        One row per reporting unit: `pcode`, `khoroo_pcode`, `persons` (2020), `ger_area_share` (0..1).
    unit_points : DataFrame
        Places inside the units: `pcode`, `lon`, `lat`.
    places : DataFrame
        Places people come from and go to: `pcode`, `level`, `name_mn`, `name_en`, `lon`, `lat`, `persons`.
    """

    folder: Path
    size: str
    areas: dict[int, Path]
    layers: dict[str, Path]
    raster: Path
    unit_level: int
    units: pd.DataFrame
    unit_points: pd.DataFrame
    places: pd.DataFrame


def build_geography(folder: Path, *, seed: int, size: Size = "city", areas: Path | None = None) -> DemoGeography:
    """Write the demonstration geography; the same seed writes the same bytes.

    Parameters
    ----------
    folder : Path
        Where the files go; made if missing.
    seed : int
        Seed of all chance.
    size : {'small', 'city', 'national'}
        12 khoroos, the city's 204, or 22 aimags with 1,800 baghs and khoroos.
    areas : Path, optional
        Real khoroo polygons to work on in place of made-up ones.

    Raises
    ------
    GeodataError
        Unknown size; or `areas` can't be read or has no khoroo.
    """
    if size not in ("small", "city", "national"):
        raise GeodataError(f"size must be small, city or national, not '{size}'.")
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    places = read_places()
    persons: dict[str, float] = {}
    if areas is not None:
        units, people = build_on_areas(areas, rng=rng)
        levels = {4: dict(zip((u.pcode for u in units), _degrees(np.array([u.polygon for u in units])), strict=True))}
    else:
        units, people, _ = build_city(size="city" if size == "national" else size, rng=rng)
        if size == "national":
            units = _without_khesegs(units)
            units = _add_country(units, places, rng=rng)
        levels = _levels(units, unit_level=3 if size == "national" else 4)
    for unit in units:
        for length in range(4, len(unit.pcode) + 1, 2):
            persons[unit.pcode[:length]] = persons.get(unit.pcode[:length], 0.0) + unit.persons
    city_units = [unit for unit in units if unit.pcode.startswith(CITY_PCODE)] or units
    written = {
        level: _write_areas(folder, level, polygons, persons, places) for level, polygons in sorted(levels.items())
    }
    if areas is not None:
        written[3] = areas
    raster = folder / "demonstration-population.tif"
    layers.write_raster(raster, people)
    return DemoGeography(
        folder=folder,
        size=size,
        areas=written,
        layers=_write_layers(folder, city_units, people, rng=rng),
        raster=raster,
        unit_level=max(levels),
        units=_unit_table(units),
        unit_points=_point_table(units),
        places=_place_table(places, persons),
    )


def _degrees(geometry: Any) -> Any:
    """Turn metres into degrees, rounded; neighbours' shared vertices stay shared."""

    def turn(coordinates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        lon, lat = _TO_DEGREES.transform(coordinates[:, 0], coordinates[:, 1])
        return np.round(np.stack([lon, lat], axis=1), DECIMALS)

    return shapely.transform(geometry, turn)


def _without_khesegs(units: list[Unit]) -> list[Unit]:
    """Unite khesegs to khoroos, the reporting units of the national size."""
    by_khoroo: dict[str, list[Unit]] = {}
    for unit in units:
        by_khoroo.setdefault(unit.pcode[:8], []).append(unit)
    return [
        Unit(
            pcode,
            shapely.coverage_union_all([unit.polygon for unit in own]),
            sum(unit.persons for unit in own),
            float(np.average([unit.ger_area_share for unit in own], weights=[unit.persons for unit in own])),
            np.concatenate([unit.points[:1] for unit in own]),
        )
        for pcode, own in by_khoroo.items()
    ]


def _add_country(units: list[Unit], places: dict[str, Place], *, rng: np.random.Generator) -> list[Unit]:
    city = shapely.coverage_union_all([unit.polygon for unit in units])
    polygons, persons = build_country(city, places, rng=rng)
    noded = node_together([*(unit.polygon for unit in units), *polygons.values()], longest_m=LONGEST_STRAIGHT_M)
    for unit, polygon in zip(units, noded, strict=False):
        unit.polygon = polygon
    baghs = []
    for pcode, polygon in zip(polygons, noded[len(units) :], strict=True):
        point = shapely.get_coordinates(shapely.point_on_surface(polygon))
        baghs.append(Unit(pcode, polygon, persons[pcode], float(rng.uniform(0.85, 1.0)), point))
    return [*units, *baghs]


def _levels(units: list[Unit], *, unit_level: int) -> dict[int, dict[str, Any]]:
    """Turn units into degrees and unite them upwards, so that every level is an exact union of the one below."""
    finest = dict(
        zip((unit.pcode for unit in units), _degrees(np.array([unit.polygon for unit in units])), strict=True)
    )
    levels = {unit_level: finest}
    for level in range(unit_level - 1, 0, -1):
        children: dict[str, list[Any]] = {}
        for pcode, polygon in levels[level + 1].items():
            children.setdefault(pcode[:-2], []).append(polygon)
        levels[level] = {pcode: shapely.coverage_union_all(own) for pcode, own in sorted(children.items())}
    return levels


def _write_areas(
    folder: Path, level: int, polygons: dict[str, Any], persons: dict[str, float], places: dict[str, Place]
) -> Path:
    stem = {1: "level-1", 2: "level-2", 3: "level-3-khoroos", 4: "level-4-khesegs"}[level]
    rows = []
    for pcode in polygons:
        number = int(pcode[-2:])
        known = places.get(pcode)
        words = BAGH_WORDS if level == 3 and not pcode.startswith(CITY_PCODE) else WORDS.get(level, ("", ""))  # noqa: PLR2004
        rows.append({
            "pcode": pcode,
            "name_mn": known.name_mn if known else words[0].format(number=number),
            "name_en": known.name_en if known else words[1].format(number=number),
            "number": number,
            "parent_pcode": pcode[:-2],
            "population": round(persons.get(pcode, 0.0)),
            "demonstration": True,
        })  # fmt: skip
    return _write_geojson(folder / f"demonstration-areas-{stem}.geojson", rows, list(polygons.values()))


def _write_layers(folder: Path, units: list[Unit], people: PeopleGrid, *, rng: np.random.Generator) -> dict[str, Path]:
    land = shapely.union_all([unit.polygon for unit in units], grid_size=0.5)
    makers: dict[str, Callable[[], gpd.GeoDataFrame]] = {
        "ger-area": lambda: layers.ger_areas(people, land),
        "service": lambda: layers.services(units, rng=rng),
        "hazard": lambda: layers.flood(land, rng=rng),
        "road": lambda: layers.roads(land, rng=rng),
    }
    written = {}
    for kind, make in makers.items():
        frame = make()
        if frame.empty:
            continue
        rows = frame.drop(columns="geometry").to_dict("records")
        path = folder / f"demonstration-{kind}.geojson"
        sound = shapely.make_valid(_degrees(frame.geometry.to_numpy()), method="structure", keep_collapsed=False)
        written[kind] = _write_geojson(path, rows, shapely.set_precision(sound, 10**-DECIMALS))
    return written


def _write_geojson(path: Path, rows: list[dict[str, Any]], geometries: Iterable[Any]) -> Path:
    """Write WGS84 features one a line, so that the same content is the same bytes."""
    lines = [
        json.dumps({"type": "Feature", "properties": row}, ensure_ascii=False)[:-1] + f', "geometry": {text}}}'
        for row, text in zip(rows, shapely.to_geojson(np.array(list(geometries))), strict=True)
    ]
    head = '{"type": "FeatureCollection", "demonstration": true, "features": [\n'
    path.write_text(head + ",\n".join(lines) + "\n]}\n", encoding="utf-8")
    return path


def _unit_table(units: list[Unit]) -> pd.DataFrame:
    return pd.DataFrame({
        "pcode": [unit.pcode for unit in units],
        "khoroo_pcode": [unit.pcode[:8] for unit in units],
        "persons": [unit.persons for unit in units],
        "ger_area_share": [unit.ger_area_share for unit in units],
    })  # fmt: skip


def _point_table(units: list[Unit]) -> pd.DataFrame:
    points = np.concatenate([unit.points for unit in units])
    lon, lat = _TO_DEGREES.transform(points[:, 0], points[:, 1])
    owners = np.repeat([unit.pcode for unit in units], [len(unit.points) for unit in units])
    return pd.DataFrame({"pcode": owners, "lon": np.round(lon, DECIMALS), "lat": np.round(lat, DECIMALS)})


def _place_table(places: dict[str, Place], persons: dict[str, float]) -> pd.DataFrame:
    """List aimags with their population of 2020 and districts with theirs."""
    published = {
        **AIMAG_POPULATION_PERSONS,
        **{known.pcode: known.population_persons for known in DISTRICTS},
        CITY_PCODE: sum(known.population_persons for known in DISTRICTS),
    }
    rows = [
        {
            "pcode": place.pcode, "level": place.level, "name_mn": place.name_mn, "name_en": place.name_en,
            "lon": place.lon, "lat": place.lat, "persons": published[place.pcode],
            "has_units": place.pcode in persons,
        }
        for place in places.values() if place.pcode in published
    ]  # fmt: skip
    return pd.DataFrame(rows)

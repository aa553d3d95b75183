"""Put the made-up people and khesegs on khoroo polygons read from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geodata._demo_city import KHESEGS_PER_KHOROO, Unit, build_khesegs, keep_points, share_persons
from geodata._demo_figures import DISTRICTS
from geodata._demo_people import PeopleGrid, build_people
from geodata.areas import read_areas
from geodata.errors import GeodataUseError

if TYPE_CHECKING:
    from pathlib import Path

UTM = "EPSG:32648"
KHOROO_LEVEL = 3
PERSONS_WITHOUT_A_FIGURE = 5_000.0
"""People given to each khoroo of a district whose population was not published."""


def build_on_areas(path: Path, *, rng: np.random.Generator) -> tuple[list[Unit], PeopleGrid]:
    """Split the khoroos of a file into khesegs and settle them.

    Returns
    -------
    tuple
        Khesegs with polygons in EPSG:32648, and the people grid.

    Raises
    ------
    GeodataUseError
        The file holds no khoroo.
    """
    frame = read_areas(path, area_set="demo", level=KHOROO_LEVEL, repair=True).areas.to_crs(UTM)
    khoroos = dict(zip(frame["pcode"], frame.geometry, strict=True))
    if not khoroos:
        raise GeodataUseError(f"{path} holds no khoroo that can be used; give a file of khoroo polygons.")
    published = {known.pcode: float(known.population_persons) for known in DISTRICTS}
    districts: dict[str, list[Any]] = {}
    for pcode, polygon in khoroos.items():
        districts.setdefault(pcode[:6], []).append(polygon)
    persons = {pcode: published.get(pcode, PERSONS_WITHOUT_A_FIGURE * len(own)) for pcode, own in districts.items()}
    outlines = [shapely.union_all(own) for own in districts.values()]
    people = build_people(outlines, np.array(list(persons.values())), rng=rng)
    shares = share_persons(khoroos, persons, people)
    units = build_khesegs(khoroos, shares, people, per_khoroo=KHESEGS_PER_KHOROO, rng=rng)
    keep_points(units, rng=rng)
    return units, people

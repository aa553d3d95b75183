"""Hold the densities to divisions by hand."""

from __future__ import annotations

import pytest

from dtm.measures import DENSITIES
from tests.dtm.small_world import KHESEGS, SmallWorld, boxes


@pytest.fixture(scope="module")
def world():
    made = SmallWorld()
    made.add_round(1)
    homes = {"house": 30, "apartment": 0, "other": 0}
    made.add_return(1, KHESEGS[0], actual={"persons": 300, "households": 80}, ger=50, **homes)
    made.add_return(1, KHESEGS[2], actual={"persons": 100, "households": 60}, ger=30, **homes)
    made.add_return(1, KHESEGS[3], actual={"persons": 0, "households": 0}, ger=0, house=0, apartment=0, other=0)
    made.add_layer("ger", "ger-area", boxes((0.5, 0, 1, 1), (0.75, 0, 1, 1)))
    made.build(last_round=1)
    return made


def density(world, name, pcode):
    return world.rows(f"SELECT value, note FROM full_density WHERE pcode = '{pcode}' AND indicator = '{name}'")[0]


@pytest.mark.parametrize(
    ("name", "pcode", "value", "note"),
    [
        ("persons_per_km2", "MN110701", 300, None),
        ("persons_per_ha", "MN110701", 3, None),
        ("persons_per_km2", "MN1107", 200, None),
        ("persons_per_km2", "MN11", 400 / 3, "areas_reported:2"),
        ("ger_households_per_ha_of_ger_area", "MN110701", 50 / 50, None),
        ("ger_households_per_ha_of_ger_area", "MN1107", 80 / 50, None),
        ("ger_household_share_pct", "MN110701", 62.5, None),
        ("ger_household_share_pct", "MN11", 100 * 80 / 140, None),
        ("ger_area_share_pct", "MN110701", 50, None),
        ("ger_area_share_pct", "MN111001", 0, None),
        # (300 x 300 + 100 x 100) / 400: the average person's neighbourhood, not the average hectare's.
        ("population_weighted_density_per_km2", "MN1107", 250, None),
        ("population_weighted_density_per_km2", "MN11", 250, "areas_reported:2"),
    ],
)
def test_densities_by_hand(world, name, pcode, value, note):
    found, said = density(world, name, pcode)
    assert found == pytest.approx(value, abs=1e-4)
    assert said == note


def test_undefined_densities_say_why(world):
    assert density(world, "ger_households_per_ha_of_ger_area", "MN110702") == (None, "no_ger_area")
    assert density(world, "persons_per_ha", "MN111001") == (None, "not_reported")
    assert density(world, "population_weighted_density_per_km2", "MN1110") == (None, "not_reported")
    assert world.rows("SELECT count(*) FROM full_density WHERE value IS NULL AND note IS NULL") == [(0,)]


@pytest.mark.parametrize(("side_m", "found"), [(99, (None, "little_ger_area")), (101, (50 / 1.0201, None))])
def test_ger_households_need_a_hectare_to_be_dense_on(side_m, found):
    made = SmallWorld()
    made.add_round(1)
    made.add_return(1, KHESEGS[0], actual={"persons": 300, "households": 80}, ger=50, house=30, apartment=0, other=0)
    made.add_layer("ger", "ger-area", boxes((0, 0, side_m / 1000, side_m / 1000)))
    made.build(last_round=1)
    value, note = density(made, "ger_households_per_ha_of_ger_area", "MN110701")
    assert (value, note) == (found[0] if found[0] is None else pytest.approx(found[0], rel=1e-3), found[1])


def test_the_ger_share_is_over_the_households_whose_dwelling_is_stated():
    made = SmallWorld()
    made.add_round(1)
    made.add_return(1, KHESEGS[0], actual={"persons": 300, "households": 80}, ger=50, house=30, apartment=0, other=0)
    made.add_return(1, KHESEGS[1], actual={"persons": 90, "households": 20})
    made.build(last_round=1)
    assert density(made, "ger_household_share_pct", "MN110701") == (62.5, "dwelling_partly_stated")


def test_a_khoroo_has_no_population_weighted_density(world):
    rows = world.rows("SELECT level, count(DISTINCT indicator) FROM full_density GROUP BY level ORDER BY level")
    assert rows == [(1, len(DENSITIES)), (2, len(DENSITIES)), (3, len(DENSITIES) - 1)]


def test_a_population_weighted_density_lies_between_its_khoroos():
    made = SmallWorld()
    made.add_round(1)
    for unit, persons in zip(KHESEGS, (120, 80, 30, 10, 700, 0), strict=True):
        made.add_return(1, unit, actual={"persons": persons})
    made.build(last_round=1)
    weighted = density(made, "population_weighted_density_per_km2", "MN11")[0]
    assert weighted == pytest.approx((200**2 + 40**2 + 700**2) / 940)
    assert density(made, "persons_per_km2", "MN11")[0] < weighted < 700
    assert density(made, "ger_area_share_pct", "MN11") == (None, "no_ger_layer")
    assert density(made, "ger_household_share_pct", "MN11") == (None, "not_reported")

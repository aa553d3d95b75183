"""Hold a release's rounds, areas, units, returns and coverage to what a person can count."""

from __future__ import annotations

from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import shapely

from dtm.errors import UnknownRoundError, WrongUseError
from dtm.scope import build_coverage, build_scope
from tests.dtm.small_world import KHESEGS, OPERATION, SmallWorld, boxes


def scope_of(world, last_round=1):
    return build_scope(world.connection, operation=OPERATION, last_round=last_round)


def test_ancestors_are_unions_of_their_children():
    world = SmallWorld()
    world.add_round(1)
    scope = scope_of(world)
    areas = world.rows("SELECT pcode, level, parent_pcode, name_en, area_km2, ger_area_km2 FROM scope_area")
    assert areas == [
        ("MN11", 1, None, "Ulaanbaatar", 3.0, None),
        ("MN1107", 2, "MN11", "Bayangol", 2.0, None),
        ("MN1110", 2, "MN11", "Bayanzurkh", 1.0, None),
        ("MN110701", 3, "MN1107", "Khoroo 1", 1.0, None),
        ("MN110702", 3, "MN1107", "Khoroo 2", 1.0, None),
        ("MN111001", 3, "MN1110", "Khoroo 3", 1.0, None),
    ]
    assert world.value("scope_area", "name_mn", pcode="MN11") == "Улаанбаатар"
    assert world.value("scope_area", "name_mn", pcode="MN110702") == "2-р хороо"
    wkb = world.rows("SELECT ST_AsWKB(geometry) FROM scope_area WHERE pcode = 'MN1107'")[0][0]
    expected = boxes((0, 0, 2, 1)).geometry[0]
    assert shapely.from_wkb(bytes(wkb)).symmetric_difference(expected).area / expected.area < 1e-3
    khoroos = world.rows(
        "SELECT ST_AsWKB(s.geometry) = ST_AsWKB(a.geometry) FROM scope_area s JOIN area a USING (pcode) "
        "WHERE s.level = 3"
    )
    assert khoroos == [(True,)] * 3
    assert scope.city == "MN11"
    assert scope.finest_level == 3


def test_a_district_is_named_by_a_loaded_set_before_the_list():
    world = SmallWorld()
    world.add_round(1)
    world.add_set("districts", 2)
    world.add_area("districts", "MN1107", 2, boxes((0, 0, 2, 1)).geometry[0], name_mn="Баянгол дүүрэг", name_en="BGD")
    scope_of(world)
    assert world.value("scope_area", "name_mn", pcode="MN1107") == "Баянгол дүүрэг"
    assert world.value("scope_area", "name_en", pcode="MN1107") == "BGD"


def test_rollup_puts_each_khoroo_in_itself_and_its_ancestors():
    world = SmallWorld()
    world.add_round(1)
    scope_of(world)
    assert world.rows("SELECT pcode, level FROM scope_rollup WHERE area_pcode = 'MN110702' ORDER BY level") == [
        ("MN11", 1),
        ("MN1107", 2),
        ("MN110702", 3),
    ]
    assert world.rows("SELECT count(*) FROM scope_rollup") == [(9,)]


def test_overlapping_ger_polygons_count_once_and_the_newest_layer_wins():
    world = SmallWorld()
    world.add_round(1)
    world.add_layer("old", "ger-area", boxes((0, 0, 3, 1)), dated_on=date(2020, 1, 1))
    world.add_layer("new", "ger-area", boxes((0, 0, 0.5, 1), (0.25, 0, 1.25, 1)), dated_on=date(2024, 1, 1))
    scope_of(world)
    found = dict(world.rows("SELECT pcode, ger_area_km2 FROM scope_area"))
    assert found == pytest.approx(
        {"MN110701": 1.0, "MN110702": 0.25, "MN111001": 0.0, "MN1107": 1.25, "MN1110": 0.0, "MN11": 1.25}, abs=1e-6
    )


def test_rounds_of_other_areas_are_left_out_by_name():
    world = SmallWorld()
    world.add_round(1, area_set="khoroos of 2017")
    world.add_round(2)
    world.add_round(3)
    world.add_round(4)
    scope = scope_of(world, last_round=3)
    assert scope.rounds == (2, 3)
    assert scope.notes == ("Round 1 is left out: its areas are 'khoroos of 2017', not 'khoroos' of the last round.",)


def test_a_round_never_opened_and_a_set_of_khesegs_are_refused():
    world = SmallWorld()
    world.add_round(1, area_set="khesegs")
    with pytest.raises(UnknownRoundError, match="Round 9 of 'test operation'"):
        scope_of(world, last_round=9)
    with pytest.raises(WrongUseError, match="'khesegs' is of level 4"):
        scope_of(world)


def test_expected_units_are_khesegs_or_the_khoroo_without_any():
    world = SmallWorld()
    world.add_round(1)
    world.connection.execute("DELETE FROM area WHERE pcode LIKE 'MN111001__'")
    scope_of(world)
    assert world.rows("SELECT unit_pcode, area_pcode FROM scope_unit") == [
        ("MN11070101", "MN110701"),
        ("MN11070102", "MN110701"),
        ("MN11070201", "MN110702"),
        ("MN11070202", "MN110702"),
        ("MN111001", "MN111001"),
    ]


def test_the_first_return_of_a_unit_counts_and_the_later_is_noted():
    world = SmallWorld()
    world.add_round(1)
    later = world.add_return(1, KHESEGS[0], received="2021-06-09", actual={"persons": 20})
    first = world.add_return(1, KHESEGS[0], received="2021-06-02", actual={"persons": 10})
    lost = world.add_return(1, KHESEGS[1], located=None, located_by="none", actual={"persons": 5})
    scope = scope_of(world)
    used = dict(world.rows("SELECT submission_id, is_used FROM scope_return"))
    assert used == {first: True, later: False, lost: False}
    assert scope.notes == (
        "Round 1: 1 returns are in none of the release's areas and are not counted.",
        "Round 1: 1 returns are not counted: their unit had reported before.",
    )


def test_returns_without_a_declared_unit_never_replace_each_other():
    world = SmallWorld()
    world.add_round(1)
    world.add_return(1, "MN110701", declared=False, actual={"persons": 10})
    world.add_return(1, "MN110701", declared=False, actual={"persons": 20})
    scope_of(world)
    assert world.rows("SELECT count(*) FILTER (is_used) FROM scope_return") == [(2,)]


def test_areas_may_be_soums_and_names_then_come_from_the_list():
    world = SmallWorld()
    world.add_set("soums", 2)
    for code, shape in zip(
        ("MN4101", "MN4104", "MN8101"), boxes((0, 0, 1, 1), (1, 0, 2, 1), (5, 0, 6, 1)).geometry, strict=True
    ):
        world.add_area("soums", code, 2, shape)
    world.add_round(1, area_set="soums")
    sent = world.add_return(1, "MN4101", located="MN4101", actual={"persons": 70})
    for counterpart, persons in (("MN4104", 3), ("MN410101", 5), ("MN8101", 7)):
        world.add_move(sent, 1, "MN4101", "arrival", counterpart, persons)
    scope = world.build(last_round=1)
    assert (scope.finest_level, scope.city) == (2, None)
    assert world.rows("SELECT pcode, level, name_en IS NOT NULL FROM scope_area WHERE level = 1") == [
        ("MN41", 1, True),
        ("MN81", 1, True),
    ]
    assert world.rows("SELECT pcode, round(area_km2, 3) FROM scope_area WHERE level = 1") == [("MN41", 2), ("MN81", 1)]
    found = world.rows(
        "SELECT pcode, counterpart, value FROM full_flow WHERE direction = 'in' AND reason = 'total' "
        "AND measure = 'persons' AND value > 0 ORDER BY ALL"
    )
    assert found == [
        ("MN41", "MN41", 8), ("MN41", "MN81", 7), ("MN41", "total", 7),
        ("MN4101", "MN4101", 5), ("MN4101", "MN4104", 3), ("MN4101", "MN81", 7), ("MN4101", "total", 10),
    ]  # fmt: skip


@pytest.mark.realdata
def test_the_204_khoroos_make_nine_districts_and_the_city(realdata):
    khoroos = gpd.read_file(realdata / "ub-khoroo-204" / "ub_khoroo_204_election.geojson").to_crs("EPSG:4326")
    world = SmallWorld(khesegs=False)
    world.connection.execute("DELETE FROM area")
    for district, (_, part) in enumerate(khoroos.groupby("au2_code"), start=1):
        for number, shape in enumerate(part.geometry, start=1):
            world.add_area("khoroos", f"MN11{district:02d}{number:02d}", 3, shape, number=number)
    world.add_round(1)
    scope_of(world)
    sums = dict(world.rows("SELECT level, count(*) FROM scope_area GROUP BY level"))
    assert sums == {1: 1, 2: 9, 3: 204}
    for level in (1, 2, 3):
        total = world.rows(f"SELECT sum(area_km2) FROM scope_area WHERE level = {level}")[0][0]
        assert total == pytest.approx(4715.7, abs=0.05)
    assert world.rows("SELECT count(*) FROM scope_unit WHERE unit_pcode = area_pcode") == [(204,)]


def test_flow_days_are_the_windows_most_returns_asked_about():
    world = SmallWorld()
    for number in (1, 2, 3):
        world.add_round(number)
    sent = world.add_return(2, KHESEGS[0], actual={"persons": 10})
    for last in ("2022-06-30", "2022-06-30", "2022-06-10"):
        world.add_move(sent, 2, KHESEGS[0], "arrival", "MN41", 1, window_from="2022-06-01", window_to=last)
    scope_of(world, last_round=3)
    assert world.rows("SELECT round_number, flow_days FROM scope_round ORDER BY 1") == [(1, None), (2, 30), (3, 365)]


def coverage(world, number, pcode):
    columns = "units_expected, units_reported, registered_coverage_share, returns, located_gps, located_conflict"
    return world.rows(f"SELECT {columns} FROM full_coverage WHERE round_number = {number} AND pcode = '{pcode}'")[0]


def test_coverage_weighs_units_by_the_registered_population_last_known():
    world = SmallWorld()
    world.add_round(1)
    world.add_round(2)
    world.add_return(1, KHESEGS[0], actual={"persons": 90}, registered={"persons": 100})
    world.add_return(1, KHESEGS[1], actual={"persons": 90}, registered={"persons": 300})
    world.add_return(2, KHESEGS[0], actual={"persons": 90}, registered={"persons": 200}, located_by="gps_conflict")
    world.add_return(2, KHESEGS[2], actual={"persons": 90}, registered={"persons": 500}, located_by="declared")
    build_coverage(world.connection, scope_of(world, last_round=2))
    assert coverage(world, 1, "MN110701") == (2, 2, 1.0, 2, 2, 0)
    # Round 2: the silent kheseg weighs the 300 of round 1.
    assert coverage(world, 2, "MN110701") == (2, 1, 200 / 500, 1, 0, 1)
    # A kheseg never seen weighs as much as the mean of its khoroo: 500.
    assert coverage(world, 2, "MN110702") == (2, 1, 0.5, 1, 0, 0)
    # A khoroo never seen weighs the mean of all known khesegs: (200 + 300 + 500) / 3 twice.
    assert coverage(world, 2, "MN1110") == (2, 0, 0.0, 0, 0, 0)
    expected = (200 + 500) / (200 + 300 + 500 + 500 + 2 * 1000 / 3)
    assert coverage(world, 2, "MN11")[2] == pytest.approx(expected, rel=1e-12)


def test_coverage_is_null_while_nothing_is_known_and_a_blank_return_is_no_report():
    world = SmallWorld()
    world.add_round(1)
    world.add_return(1, KHESEGS[0], actual={"persons": None})
    build_coverage(world.connection, scope_of(world))
    assert coverage(world, 1, "MN110701") == (2, 0, None, 1, 1, 0)


def test_units_of_districts_add_up_from_khoroos():
    world = SmallWorld()
    world.add_round(1)
    rng = np.random.default_rng(5)
    for unit in KHESEGS[:5]:
        world.add_return(1, unit, actual={"persons": 1}, registered={"persons": int(rng.integers(10, 99))})
    build_coverage(world.connection, scope_of(world))
    for column in ("units_expected", "units_reported", "returns", "located_gps"):
        sums = {
            level: world.rows(f"SELECT sum({column}) FROM full_coverage WHERE level = {level}")[0][0]
            for level in (1, 2, 3)
        }
        assert len(set(sums.values())) == 1, (column, sums)

"""Hold the exposure to rectangles whose overlap is known."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from dtm._release_tables import RELEASE_TABLES, STATUSES
from dtm.engine import connect
from dtm.errors import BadInputError
from dtm.exposure import _largest_remainder, exposure_table, released_exposure
from dtm.released import DATABASE_FILE, Release
from tests.dtm.small_world import KHESEGS, KHOROOS, SmallWorld, boxes


def areas(persons=(100, 50, 7)):
    frame = boxes((0, 0, 1, 1), (1, 0, 2, 1), (2, 0, 3, 1))
    return frame.assign(pcode=KHOROOS, persons=pd.array(persons, dtype="Int64"))


def rows(table):
    return [tuple(None if pd.isna(v) else v for v in row) for row in table.itertuples(index=False)]


def test_people_are_weighted_by_area_between_the_fewest_and_the_most():
    table = exposure_table(areas(), boxes((-1, -1, 1.5, 2)))
    assert table["share_of_area"].round(6).tolist() == [1.0, 0.5]
    assert rows(table.drop(columns="share_of_area")) == [("MN110701", 100, 100, 100), ("MN110702", 25, 0, 50)]
    assert list(table.columns) == ["pcode", "share_of_area", "persons", "persons_low", "persons_high"]


def test_overlapping_polygons_count_nobody_twice():
    once = exposure_table(areas(), boxes((0.5, 0, 1.5, 1)))
    twice = exposure_table(areas(), boxes((0.5, 0, 1.25, 1), (0.75, -1, 1.5, 2), (0.5, 0, 1.5, 1)))
    assert rows(twice.drop(columns="share_of_area")) == rows(once.drop(columns="share_of_area"))
    np.testing.assert_allclose(twice["share_of_area"], once["share_of_area"], atol=1e-6)


def test_the_reference_system_of_the_file_does_not_matter():
    hazard = boxes((0.25, 0, 2.5, 1))
    for crs in ("EPSG:4326", "EPSG:32648", "EPSG:3857"):
        table = exposure_table(areas().to_crs("EPSG:3857"), hazard.to_crs(crs))
        assert table["share_of_area"].round(4).tolist() == [0.75, 1.0, 0.5]


def test_unknown_people_stay_unknown():
    table = exposure_table(areas((100, None, 7)), boxes((-1, -1, 4, 2)))
    assert rows(table) == [
        ("MN110701", 1.0, 100, 100, 100),
        ("MN110702", 1.0, None, None, None),
        ("MN111001", 1.0, 7, 7, 7),
    ]


def test_rounding_adds_up_to_the_rounded_total():
    table = exposure_table(areas((1, 1, 1)), boxes((-1, 0, 4, 0.6)))
    assert sorted(table["persons"]) == [0, 1, 1]


@given(values=st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_largest_remainder_moves_nobody_by_a_whole_person(values):
    numbers = np.array(values)
    whole = _largest_remainder(numbers)
    assert whole.sum() == np.floor(numbers.sum() + 0.5)
    assert (np.abs(whole - numbers) < 1 + 1e-6).all()


def test_a_hazard_beside_the_areas_or_along_their_border_exposes_nobody():
    assert exposure_table(areas(), boxes((10, 10, 11, 11))).empty
    assert exposure_table(areas(), boxes((3, 0, 4, 1)))["persons"].sum() == 0


def test_lines_points_and_files_without_a_reference_system_are_refused():
    point = gpd.GeoDataFrame(geometry=[shapely.Point(106.9, 47.9)], crs="EPSG:4326")
    with pytest.raises(BadInputError, match="no polygon"):
        exposure_table(areas(), point)
    with pytest.raises(BadInputError, match="no reference system"):
        exposure_table(areas(), boxes((0, 0, 1, 1)).set_crs(None, allow_override=True))


def test_a_self_crossing_polygon_is_repaired():
    corners = boxes((0, 0, 1, 1)).to_crs("EPSG:32648").geometry[0].exterior.coords
    bow = shapely.Polygon([corners[0], corners[2], corners[1], corners[3]])
    hazard = gpd.GeoDataFrame(geometry=[bow], crs="EPSG:32648")
    assert exposure_table(areas(), hazard)["persons"].tolist() == [50]


@settings(max_examples=25, deadline=None)
@given(west=st.floats(-1, 3), width=st.floats(0.01, 4), people=st.lists(st.integers(0, 5000), min_size=3, max_size=3))
def test_the_estimate_lies_between_its_bounds(west, width, people):
    table = exposure_table(areas(people), boxes((west, -0.5, west + width, 0.7)))
    assert (table["persons_low"] <= table["persons"]).all()
    assert (table["persons"] <= table["persons_high"]).all()
    assert table["share_of_area"].between(0, 1).all()


def test_a_release_takes_each_layers_newest_version_and_adds_up_khoroos():
    world = SmallWorld()
    world.add_round(1)
    world.add_round(2)
    world.add_return(1, KHESEGS[0], actual={"persons": 999})
    world.add_return(2, KHESEGS[0], actual={"persons": 100})
    world.add_return(2, KHESEGS[2], actual={"persons": 51})
    world.add_layer("flood", "hazard", boxes((0, 0, 9, 9)), version=1)
    world.add_layer("flood", "hazard", boxes((-1, -1, 1.5, 2)), version=2)
    world.add_layer("fire", "hazard", boxes((2.5, -1, 9, 2)))
    world.add_layer("schools", "service", boxes((0, 0, 9, 9)))
    world.build(last_round=2)
    found = world.rows(
        "SELECT layer, pcode, round(share_of_area, 4), persons, persons_low, persons_high "
        "FROM full_exposure ORDER BY ALL"
    )
    assert found == [
        ("fire", "MN11", 0.1667, None, None, None),
        ("fire", "MN1110", 0.5, None, None, None),
        ("fire", "MN111001", 0.5, None, None, None),
        ("flood", "MN11", 0.5, 126, 100, 151),
        ("flood", "MN1107", 0.75, 126, 100, 151),
        ("flood", "MN110701", 1.0, 100, 100, 100),
        ("flood", "MN110702", 0.5, 26, 0, 51),
    ]
    assert world.rows("SELECT DISTINCT round_number FROM full_exposure") == [(2,)]


@pytest.fixture
def release(tmp_path):
    connection = connect(tmp_path / DATABASE_FILE)
    for name in ("area", "round", "stock"):
        connection.execute(RELEASE_TABLES[name].create_sql().replace("TABLE round", 'TABLE "round"'))
    for code, shape in zip(KHOROOS, areas().geometry, strict=True):
        connection.execute(
            "INSERT INTO area (pcode, level, name_mn, name_en, area_km2, lon, lat, geometry) "
            "VALUES (?, 3, 'хороо', 'khoroo', 1, 106.9, 47.8, ST_GeomFromWKB(?))",
            [code, shapely.to_wkb(shape)],
        )
    for number in (1, 2):
        connection.execute(
            """INSERT INTO "round" VALUES (?, 'o', '2024-06-01', '2024-06-30', '2024-06-30', 30, 'khoroos', 1)""",
            [number],
        )
        for code, value, status in zip(KHOROOS, (100 * number, None, None), STATUSES[:3], strict=True):
            connection.execute(
                "INSERT INTO stock VALUES (?, 3, ?, 'actual', 'persons', 'total', 'total', ?, ?, 'observed')",
                [number, code, value, status],
            )
    connection.close()
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    return Release(tmp_path)


def test_a_release_answers_from_published_figures_and_names_the_rest(release):
    found = released_exposure(release, boxes((-1, -1, 4, 2)))
    assert found.round_number == 2
    assert (found.persons, found.persons_low, found.persons_high) == (200, 200, 200)
    assert found.suppressed == ("MN110702",)
    assert found.not_reported == ("MN111001",)
    assert found.table["status"].tolist() == list(STATUSES[:3])
    assert released_exposure(release, boxes((1.2, 0, 1.8, 1))).persons == 0


def test_without_hazards_the_table_is_there_and_empty():
    world = SmallWorld()
    world.add_round(1)
    world.build(last_round=1)
    assert world.rows("SELECT count(*) FROM full_exposure") == [(0,)]

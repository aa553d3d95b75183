"""Hold the rounds carried from other areas to the hand-made city: totals, what is hidden, and what is not known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from dtm._release_tables import PUBLISHED, RELEASE_TABLES
from dtm.carried import build_carried, carried_inputs
from dtm.disclosure import protect_release
from dtm.release import _compute, _no_progress
from dtm.scope import build_coverage, build_scope
from dtm.stocks import build_stocks
from dtm.workspace import Settings, Workspace, create_workspace
from tests.dtm.small_world import EAST_M, KHOROOS, NORTH_M, OPERATION, SmallWorld, boxes

WEST, MIDDLE, EAST = KHOROOS  # 1 km2 each, side by side; WEST and MIDDLE in one district
OLD = {"MN110701": (0, 0, 2, 1), "MN111001": (2, 0, 3, 1)}  # WEST and MIDDLE were one khoroo


def compute(connection, scope):
    _compute(connection, scope, _no_progress)


def a_world(*, old=OLD, status="released", registered=None, actual=None):
    """Return a city whose first round was told by other areas, its second by today's."""
    world = SmallWorld(khesegs=False)
    world.add_set("old", 3)
    for pcode, bounds in old.items():
        world.add_area("old", pcode, 3, boxes(bounds).geometry[0], number=1)
    world.add_round(1, area_set="old")
    world.add_round(2)
    world.connection.execute('UPDATE "round" SET status = ?', [status])
    actual = {"MN110701": 1001, "MN111001": 300} if actual is None else actual
    for pcode, persons in actual.items():
        told = {"registered": {"persons": registered[pcode]}} if registered else {}
        world.add_return(1, pcode, actual={"persons": persons}, **told)
    for pcode in KHOROOS:
        world.add_return(2, pcode, actual={"persons": 500})
    return world


@pytest.fixture
def shown(monkeypatch):
    """Let the old round's own areas show all they have, so that a test needs no disclosure control of theirs."""

    def show_all(connection, _settings):
        value = "CASE WHEN value IS NULL THEN 'not_reported' ELSE 'published' END AS status"
        connection.execute(f"CREATE TEMP TABLE safe_stock AS SELECT *, {value} FROM full_stock")

    monkeypatch.setattr("dtm.carried.protect_release", show_all)


def count_stocks(connection, scope):
    """Make only the tables that the people are counted in."""
    build_coverage(connection, scope)
    build_stocks(connection, scope)


def carried(world, *, workspace=None, last_round=2, compute=count_stocks):
    """Build what is carried; return its notes and the rows of the actual people as {pcode: (value, status)}."""
    connection = world.connection
    scope = build_scope(connection, operation=OPERATION, last_round=last_round)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE safe_suppression_log (table_name VARCHAR, cell JSON, rule VARCHAR)"
    )
    notes = build_carried(connection, scope, workspace or Workspace(Path(), Settings()), compute=compute)
    rows = world.rows(
        "SELECT pcode, value, status FROM safe_carried WHERE category = 'actual' ORDER BY level DESC, pcode"
    )
    return notes, {pcode: (value, status) for pcode, value, status in rows}


def test_the_people_of_a_split_khoroo_are_divided_and_every_level_adds_up(shown):
    world = a_world(registered={"MN110701": 900, "MN111001": 200})
    world.connection.execute("CREATE TEMP TABLE full_stock AS SELECT 'the release''s own'")
    notes, rows = carried(world)
    assert world.rows("FROM full_stock") == [("the release's own",)]
    assert world.rows("SELECT round_number FROM scope_round") == [(2,)]
    assert {pcode: value for pcode, (value, _) in rows.items()} in (
        {WEST: 501, MIDDLE: 500, EAST: 300, "MN1107": 1001, "MN1110": 300, "MN11": 1301},
        {WEST: 500, MIDDLE: 501, EAST: 300, "MN1107": 1001, "MN1110": 300, "MN11": 1301},
    )
    assert {status for _, status in rows.values()} == {PUBLISHED}
    frame = world.frame("safe_carried")
    assert list(frame.columns) == RELEASE_TABLES["carried"].column_names
    assert set(frame["category"]) == {"registered", "actual"}
    city = frame[(frame["pcode"] == "MN11") & (frame["category"] == "actual")].iloc[0]
    assert city["estimated_share"] == 0  # split inside the district: its own total is no estimate
    assert world.value("safe_carried", "estimated_share", pcode="MN1107", category="actual") == 0
    assert world.value("safe_carried", "estimated_share", pcode=WEST, category="actual") == 1
    assert city[["from_set", "weights", "method", "round_number"]].tolist() == ["old", "area", "carried", 1]
    assert world.value("safe_carried", "estimated_share", pcode=EAST, category="actual") == 0
    assert world.value("safe_carried", "value", pcode="MN11", category="registered") == 1100
    assert set(frame["reported_share"]) == {1.0}
    assert notes == (
        "Round 1: the registered and the actual people of 'old' are carried to 'khoroos' (divided by: area).",
    )


def test_a_small_count_takes_its_district_and_the_city_with_it():
    world = a_world(
        old={"MN110701": (0, 0, 1, 1), "MN110702": (1, 0, 2, 1), "MN111001": (2, 0, 3, 1)},
        actual={"MN110701": 7, "MN110702": 800, "MN111001": 300},
    )
    _, rows = carried(world, compute=compute)
    assert rows[WEST] == rows[MIDDLE] == rows["MN1107"] == rows["MN11"] == (None, "suppressed")
    # the other district may be told only if the old round by itself would tell it
    assert rows[EAST][1] in {PUBLISHED, "suppressed"}
    assert rows[EAST][0] in {300, None}
    logged = world.rows("SELECT count(*), min(rule) FROM safe_suppression_log WHERE table_name = 'carried'")
    assert logged == [(world.rows("SELECT count(*) FROM safe_carried WHERE status = 'suppressed'")[0][0], "derived")]


def test_nothing_is_carried_that_the_old_areas_would_hide(monkeypatch):
    """Hidden by the round's own areas, whatever the rule, is hidden here: a carried figure has published parts only."""
    world = a_world(
        old={"MN110701": (0, 0, 1, 1), "MN110702": (1, 0, 2, 1), "MN111001": (2, 0, 3, 1)},
        registered={"MN110701": 700, "MN110702": 900, "MN111001": 5},
        actual={"MN110701": 800, "MN110702": 800, "MN111001": 300},
    )
    hidden = set()

    def protect_and_look(connection, thresholds):
        protect_release(connection, thresholds)
        sql = (
            "SELECT pcode, category FROM safe_stock WHERE status = 'suppressed' AND breakdown = 'total' "
            "AND measure = 'persons' AND level = 3 AND category IN ('registered', 'actual')"
        )
        hidden.update(connection.execute(sql).fetchall())

    monkeypatch.setattr("dtm.carried.protect_release", protect_and_look)
    carried(world, compute=compute)
    assert ("MN111001", "registered") in hidden
    for pcode, category in hidden:
        for area in (pcode, pcode[:6], "MN11"):
            assert world.value("safe_carried", "status", pcode=area, category=category) == "suppressed"


def test_a_carried_part_under_the_threshold_is_hidden_like_a_count(shown):
    old = {"MN110701": (0, 0, 1.99, 1), "MN111001": (1.99, 0, 3, 1)}
    new = {WEST: (0, 0, 1.98, 1), MIDDLE: (1.98, 0, 2, 1), EAST: (2, 0, 3, 1)}
    world = a_world(old=old, actual={"MN110701": 100, "MN111001": 300})
    for pcode, bounds in new.items():
        wkb = boxes(bounds).geometry[0].wkb
        world.connection.execute(
            "UPDATE area SET geometry = ST_GeomFromWKB(?) WHERE area_set = 'khoroos' AND pcode = ?", [wkb, pcode]
        )
    _, rows = carried(world)
    assert rows[MIDDLE] == (None, "suppressed")
    assert rows["MN1107"] == rows["MN11"] == (None, "suppressed")


def test_a_district_is_estimated_only_where_an_old_area_crosses_its_border(shown):
    world = a_world(old={"MN110701": (0, 0, 1, 1), "MN111001": (1, 0, 3, 1)}, actual={"MN110701": 100, "MN111001": 300})
    _, rows = carried(world)
    assert {pcode: rows[pcode][0] for pcode in (WEST, MIDDLE, EAST)} == {WEST: 100, MIDDLE: 150, EAST: 150}
    shares = dict(world.rows("SELECT pcode, estimated_share FROM safe_carried WHERE category = 'actual'"))
    assert shares == pytest.approx({WEST: 0, MIDDLE: 1, EAST: 1, "MN1107": 150 / 250, "MN1110": 1, "MN11": 0}, abs=1e-4)


def test_what_was_not_reported_does_not_look_complete(shown):
    world = a_world(actual={})
    world.add_set("old khesegs", 4, parent_set="old")
    for pcode in ("MN11070101", "MN11070102", "MN11070103", "MN11070104"):
        world.add_area("old khesegs", pcode, 4, boxes((0, 0, 1, 1)).geometry[0])
    world.add_return(1, "MN11070101", actual={"persons": 600})
    _, rows = carried(world)
    assert rows[EAST] == rows["MN1110"] == rows["MN11"] == (None, "not_reported")
    assert rows["MN1107"] == (600, PUBLISHED)
    shares = dict(world.rows("SELECT pcode, reported_share FROM safe_carried WHERE category = 'actual'"))
    assert shares == {WEST: 0.25, MIDDLE: 0.25, EAST: None, "MN1107": 0.25, "MN1110": None, "MN11": None}


def test_new_land_has_nobody_and_old_land_outside_is_noted(shown):
    world = a_world(old={"MN110701": (0, 0, 1, 1), "MN111001": (2, 0, 3, 1), "MN111002": (9, 9, 10, 10)})
    world.add_return(1, "MN111002", actual={"persons": 40})
    notes, rows = carried(world)
    assert rows[MIDDLE] == (None, "undefined")
    assert rows["MN1107"] == (1001, PUBLISHED)
    assert rows["MN11"] == (1301, PUBLISHED)
    assert notes[-1] == "1 areas of 'old' lie on none of the release's land; nobody of them is carried: MN111002."


def test_a_raster_of_people_divides_where_one_is_loaded(shown, tmp_path):
    world = a_world()
    workspace = create_workspace(tmp_path / "city")
    place = Affine(1000, 0, EAST_M, 0, -1000, NORTH_M + 1000)
    options = {"driver": "GTiff", "width": 3, "height": 1, "count": 1, "dtype": "float64", "crs": "EPSG:32648"}
    with rasterio.open(workspace.inbox_path / f"{'a' * 64}-people.tif", "w", transform=place, **options) as raster:
        raster.write(np.array([[90.0, 10.0, 7.0]]), 1)
    world.insert(
        "raster", name="people", version=1, unit="persons", file_name="people.tif", file_sha256="a" * 64,
        is_demonstration=True, loaded_at="2024-01-01",
    )  # fmt: skip
    notes, rows = carried(world, workspace=workspace)
    assert rows[WEST][0] == pytest.approx(901, abs=1)
    assert rows[WEST][0] + rows[MIDDLE][0] == 1001
    assert world.value("safe_carried", "weights", pcode="MN11", category="actual") == "people"
    assert notes[0].endswith("(divided by: people).")


def test_rounds_that_nobody_signed_off_and_areas_of_another_level_are_not_carried():
    world = a_world(status="cleaning")
    notes, rows = carried(world)
    assert rows == {}
    assert notes == ("Round 1 is not carried to the areas of the release: it is not signed off.",)
    scope = build_scope(world.connection, operation=OPERATION, last_round=2)
    facts = {"round_number": 1, "area_set": "old", "area_set_version": 1, "file_sha256": "0", "is_signed_off": False}
    assert carried_inputs(world.connection, scope) == [facts]
    world.connection.execute("UPDATE \"round\" SET status = 'signed_off'")
    assert carried_inputs(world.connection, scope) == [facts | {"is_signed_off": True}]
    world.connection.execute("UPDATE area_set SET level = 2 WHERE area_set = 'old'")
    world.connection.execute("UPDATE area SET level = 2, pcode = left(pcode, 6) WHERE area_set = 'old'")
    notes, rows = carried(world)
    assert rows == {}
    assert "level 2, those of the release of level 3" in notes[0]


def test_without_other_areas_there_is_an_empty_table():
    world = SmallWorld(khesegs=False)
    world.add_round(1)
    world.add_return(1, WEST, actual={"persons": 10})
    notes, rows = carried(world, last_round=1)
    assert (notes, rows) == ((), {})

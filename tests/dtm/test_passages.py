"""Hold the checkpoints' days and flows to counts by hand."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.dtm.small_world import SmallWorld


@pytest.fixture(scope="module")
def world():
    made = SmallWorld()
    made.add_round(1)
    made.add_round(2)
    made.add_round(3)
    noon = datetime(2021, 6, 2, 12)  # noqa: DTZ001  local time
    made.add_passage(1, noon, "in", 4, "MN4101", "MN1107")
    made.add_passage(1, noon, "in", 3, "MN42", "MN11")
    made.add_passage(1, noon, "in", 2, "unknown", "MN11", vehicle="foot")
    made.add_passage(1, noon, "out", 5, "MN1107", "abroad")
    made.add_passage(1, noon, "out", 7, "MN41", "MN6204")
    made.add_passage(1, noon, "in", 11, "MN1101", "MN1107")
    made.add_passage(1, noon, "in", 13, "MN41", "unknown")
    made.add_passage(None, datetime(2021, 9, 1, 23), "in", 6, "MN41", "MN11")  # noqa: DTZ001
    made.add_passage(None, datetime(2029, 9, 1), "in", 6, "MN41", "MN11")  # noqa: DTZ001
    for day, hours in (("2021-06-02", 24), ("2021-06-03", 0), ("2022-06-04", 8)):
        made.insert("watch", checkpoint="emeelt", day=day, hours_observed=hours, import_id=1)
    made.scope = made.build(last_round=3)
    return made


def day(world, on, direction, measure):
    return world.value("full_passage_day", day=on, direction=direction, measure=measure)


def test_a_day_counts_travellers_and_vehicles_by_direction(world):
    assert day(world, "2021-06-02", "in", "persons") == 4 + 3 + 2 + 11 + 13
    assert day(world, "2021-06-02", "out", "persons") == 12
    assert day(world, "2021-06-02", "in", "vehicles") == 4
    assert day(world, "2021-06-02", "out", "vehicles") == 2
    assert world.value("full_passage_day", "hours_observed", day="2021-06-02", direction="in", measure="persons") == 24


def test_an_unwatched_day_is_null_and_a_watched_empty_one_nought(world):
    assert day(world, "2021-06-03", "in", "persons") is None
    assert day(world, "2022-06-04", "in", "persons") == 0
    assert world.value("full_passage_day", "round_number", day="2022-06-04", direction="in", measure="persons") == 2


def test_a_day_between_rounds_has_no_round_and_a_later_one_is_not_there(world):
    assert day(world, "2021-09-01", "in", "persons") == 6
    assert day(world, "2021-09-01", "out", "persons") == 0
    assert world.value("full_passage_day", "round_number", day="2021-09-01", direction="in", measure="persons") is None
    assert world.rows("SELECT max(day) < DATE '2029-01-01' FROM full_passage_day") == [(True,)]


def test_checkpoint_flows_cross_the_citys_border(world):
    found = world.rows(
        "SELECT direction, counterpart, origin, destination, value FROM full_flow "
        "WHERE source = 'checkpoint' AND round_number = 1 ORDER BY ALL"
    )
    assert found == [
        ("in", "MN41", "MN41", "MN11", 4),
        ("in", "MN42", "MN42", "MN11", 3),
        ("in", "total", "total", "MN11", 9),
        ("in", "unknown", "unknown", "MN11", 2),
        ("out", "abroad", "MN11", "abroad", 5),
        ("out", "total", "MN11", "total", 5),
    ]


def test_travellers_passing_through_are_apart_and_the_rest_is_noted(world):
    through = "SELECT direction, counterpart, value FROM full_flow WHERE source = 'checkpoint_through'"
    assert world.rows(f"{through} AND round_number = 1 ORDER BY 1") == [("in", "total", 0), ("out", "total", 7)]
    (note,) = world.scope.notes
    assert note.startswith("Round 1: 2 passages have both ends in the city or an end nobody knew;")


def test_a_round_nobody_watched_has_null_flows(world):
    totals = world.rows(
        "SELECT round_number, value FROM full_flow WHERE source = 'checkpoint' AND direction = 'in' "
        "AND counterpart = 'total' ORDER BY 1"
    )
    assert totals == [(1, 9), (2, 0), (3, None)]


def test_without_checkpoints_there_is_no_such_row():
    world = SmallWorld()
    world.add_round(1)
    world.build(last_round=1)
    assert world.rows("SELECT count(*) FROM full_flow WHERE source LIKE 'checkpoint%'") == [(0,)]
    assert world.rows("SELECT count(*) FROM full_passage_day") == [(0,)]

"""Hold the checkpoints' days and flows to counts by hand."""

from __future__ import annotations

from datetime import datetime

import pytest

from dtm._release_rows import PASSAGE_DAY_SQL
from dtm._release_tables import RELEASE_TABLES
from dtm.engine import connect
from dtm.passages import build_passage_hours
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
    assert note.startswith("Round 1: some passages have both ends in the city or an end nobody knew;")


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


def june(number, hour=0):
    return datetime(2021, 6, number, hour)  # noqa: DTZ001  local time


@pytest.fixture(scope="module")
def hours_world():
    """Four Tuesdays, 1 to 22 June 2021, and days whose hours the rule has to find."""
    made = SmallWorld()
    made.add_round(1)
    for day_of_june, hours_observed, passed_at in DAYS:
        if hours_observed is not None:
            made.insert(
                "watch", checkpoint="emeelt", day=june(day_of_june).date(), hours_observed=hours_observed, import_id=1
            )
        for hour in passed_at:
            made.add_passage(1, june(day_of_june, hour), "in", 2, "MN41", "MN11")
    made.add_passage(1, june(1, 9), "out", 50, "MN11", "MN41")
    made.scope = made.build(last_round=1)
    return made


# Day of June 2021, hours observed, hours in which two travellers passed inwards.
DAYS = (
    (1, 24, [9, 9]),
    (2, 23.5, [9]),
    (3, 4, [2, 4, 9]),  # one more: the shortest gap, 3
    (4, 7, [2, 4, 9]),  # 3, then 5, 6 and 7 of the long gap
    (5, 5, [10, 11]),  # outward: 12, 9, 13
    (6, 3, [0]),
    (7, 3, [23, 22]),
    (8, 1, [5, 9]),  # fewer than passed: the two that passed
    (9, 2.5, [20]),  # two and a half hours lie in three
    (10, None, [7]),  # nobody wrote down that he watched
    (11, 8, []),  # watched, no telling when
    (12, 0, []),
)
OBSERVED = {
    1: "0-23", 2: "0-23", 3: "2-4,9", 4: "2-7,9", 5: "9-13", 6: "0-2", 7: "21-23", 8: "5,9", 9: "19-21",
    10: None, 11: None, 12: None,
}  # fmt: skip


@pytest.mark.parametrize("number", OBSERVED)
def test_the_hours_watched_follow_the_rule(hours_world, number):
    where = {"day": june(number).date(), "measure": "persons", "direction": "in"}
    assert hours_world.value("full_passage_day", "observed_hours", **where) == OBSERVED[number]


def cell(world, weekday, hour, direction="in"):
    """Return travellers and hours of watch."""
    where = {"round_number": 1, "direction": direction, "weekday": weekday, "hour": hour}
    return tuple(world.value("full_passage_hour", column, **where) for column in ("value", "checkpoint_hours"))


def test_hours_count_travellers_and_the_watch_behind_them(hours_world):
    # Tuesdays are 1 June (around the clock) and 8 June (hours 5 and 9, for one hour in all).
    assert cell(hours_world, 2, 9) == (4 + 2, 1 + 0.5)
    assert cell(hours_world, 2, 9, "out") == (50, 1 + 0.5)
    assert cell(hours_world, 2, 8) == (0, 1)
    # Wednesdays are 2 June (23.5 of 24 hours) and 9 June (2.5 of 3 hours).
    value, watched = cell(hours_world, 3, 20)
    assert (value, watched) == (2, pytest.approx(23.5 / 24 + 2.5 / 3))
    # Thursdays are 3 June (2-4 and 9) and 10 June, whose watch nobody wrote down.
    assert cell(hours_world, 4, 4) == (2, 1)
    assert cell(hours_world, 4, 7) == (2, None)
    assert cell(hours_world, 4, 7, "out") == (0, None)
    assert cell(hours_world, 4, 12) == (None, 0)


def test_hours_of_a_weekday_sum_to_its_days(hours_world, world):
    for each in (hours_world, world):
        apart = each.rows("""
            SELECT * FROM (
                SELECT round_number, direction, isodow(day) AS weekday, sum(value) AS days FROM full_passage_day
                WHERE measure = 'persons' AND round_number IS NOT NULL GROUP BY ALL
            ) FULL JOIN (
                SELECT round_number, direction, weekday, sum(value) AS hours FROM full_passage_hour GROUP BY ALL
            ) USING (round_number, direction, weekday) WHERE coalesce(days, 0) <> coalesce(hours, 0)""")
        assert apart == []


def test_a_passage_is_in_the_round_its_day_has():
    world = SmallWorld()
    world.add_round(1)
    world.add_round(2)
    at = june(2, 12)
    world.add_passage(1, at, "in", 3, "MN41", "MN11")
    world.add_passage(2, at, "in", 4, "MN41", "MN11")
    world.add_passage(None, at, "in", 5, "MN41", "MN11")
    world.build(last_round=2)
    assert world.rows("SELECT round_number, weekday, hour, value FROM full_passage_hour WHERE value > 0") == [
        (1, 3, 12, 12)
    ]
    assert world.rows("SELECT round_number, value FROM full_passage_day WHERE value > 3") == [(1, 12)]


def test_hours_do_not_depend_on_the_order_of_the_records(hours_world):
    before = hours_world.rows("FROM full_passage_hour")
    hours_world.connection.execute("CREATE OR REPLACE TABLE passage AS FROM passage ORDER BY submission_id DESC")
    hours_world.connection.execute("CREATE OR REPLACE TABLE watch AS FROM watch ORDER BY day DESC")
    build_passage_hours(hours_world.connection, hours_world.scope)
    assert hours_world.rows("FROM full_passage_hour") == before
    assert len(before) == 2 * 7 * 24


def test_a_day_with_a_hidden_count_does_not_tell_its_hours():
    connection = connect(spatial=False)
    connection.execute(RELEASE_TABLES["passage_day"].create_sql().replace("passage_day", "safe_passage_day"))
    for checkpoint, direction, value, status in (
        ("emeelt", "in", 40, "published"), ("emeelt", "out", None, "suppressed"), ("gunt", "in", 40, "published"),
    ):  # fmt: skip
        connection.execute(
            "INSERT INTO safe_passage_day VALUES (1, ?, '2021-06-01', ?, 'persons', 4, '2,9,11,20', ?, ?)",
            [checkpoint, direction, value, status],
        )
    written = connection.execute(f"SELECT checkpoint, observed_hours FROM ({PASSAGE_DAY_SQL}) ORDER BY ALL").fetchall()
    assert written == [("emeelt", None), ("emeelt", None), ("gunt", "2,9,11,20")]

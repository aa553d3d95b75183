"""Hold births and deaths to sums made by hand: told, not told, and told by nobody."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtm._release_tables import RELEASE_TABLES
from dtm.scope import build_reporting_scope
from dtm.vitals import build_vitals
from tests.dtm.small_world import KHESEGS, OPERATION, SmallWorld


def add_vital(world, submission, unit, births, deaths, *, number=1):
    world.insert(
        "vital", submission_id=submission, round_number=number, pcode=unit, births_persons=births, deaths_persons=deaths
    )


def build(world, last_round=1):
    build_vitals(world.connection, build_reporting_scope(world.connection, operation=OPERATION, last_round=last_round))


@pytest.fixture(scope="module")
def told():
    world = SmallWorld()
    world.add_round(1)
    world.add_round(2)
    first = world.add_return(1, KHESEGS[0], actual={"persons": 100}, received="2021-06-01")
    add_vital(world, first, KHESEGS[0], 3, 1)
    again = world.add_return(1, KHESEGS[0], actual={"persons": 100}, received="2021-06-20")
    add_vital(world, again, KHESEGS[0], 50, 50)  # the unit had reported before
    second = world.add_return(1, KHESEGS[1], actual={"persons": 100})
    add_vital(world, second, KHESEGS[1], 4, None)
    other = world.add_return(1, KHESEGS[4], actual={"persons": 100})
    add_vital(world, other, KHESEGS[4], 0, None)
    build(world, last_round=2)
    return world


@pytest.mark.parametrize(
    ("pcode", "births", "deaths"),
    [
        ("MN110701", 3 + 4, 1),
        ("MN110702", None, None),  # no return
        ("MN111001", 0, None),  # told that there were none; deaths were not told
        ("MN1107", 7, 1),
        ("MN1110", 0, None),
        ("MN11", 7, 1),
    ],
)
def test_births_and_deaths_by_area(told, pcode, births, deaths):
    assert told.value("full_vital", round_number=1, pcode=pcode, event="births") == births
    assert told.value("full_vital", round_number=1, pcode=pcode, event="deaths") == deaths


def test_a_round_that_nobody_told_of_has_rows_without_values(told):
    rows = told.rows("SELECT DISTINCT value, method FROM full_vital WHERE round_number = 2")
    assert rows == [(None, "observed")]
    assert told.rows("SELECT count(*) FROM full_vital") == [(2 * 6 * 2,)]  # rounds x areas x events


def test_the_table_has_the_declared_columns(told):
    described = told.rows("SELECT column_name, column_type FROM (DESCRIBE full_vital)")
    assert described == [(c.name, c.type) for c in RELEASE_TABLES["vital"].columns if c.name != "status"]


@pytest.fixture(scope="module")
def world():
    made = SmallWorld()
    made.add_round(1)
    return made


COUNT = st.one_of(st.none(), st.integers(0, 30))


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(st.tuples(COUNT, COUNT), min_size=6, max_size=6))
def test_every_area_is_the_sum_of_the_units_inside_that_told(world, rows):
    world.connection.execute("DELETE FROM submission; DELETE FROM stock; DELETE FROM vital; DELETE FROM move_question")
    for unit, (births, deaths) in zip(KHESEGS, rows, strict=True):
        add_vital(world, world.add_return(1, unit, actual={"persons": 100}), unit, births, deaths)
    build(world)
    for pcode, event, value in world.rows("SELECT pcode, event, value FROM full_vital"):
        inside = [row[event == "deaths"] for unit, row in zip(KHESEGS, rows, strict=True) if unit.startswith(pcode)]
        told = [count for count in inside if count is not None]
        assert value == (sum(told) if told else None)

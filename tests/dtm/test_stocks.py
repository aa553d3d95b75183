"""Hold the stocks to sums made another way."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtm._release_tables import RELEASE_TABLES
from dtm.scope import build_scope
from dtm.stocks import AGE_BANDS, DWELLINGS, NOT_STATED, build_stocks
from tests.dtm.small_world import KHESEGS, OPERATION, SmallWorld


def build(world, last_round=1):
    scope = build_scope(world.connection, operation=OPERATION, last_round=last_round)
    build_stocks(world.connection, scope)


def stock(world, pcode, *, number=1, category="actual", measure="persons", breakdown="total", item="total"):
    return world.value(
        "full_stock", round_number=number, pcode=pcode, category=category, measure=measure, breakdown=breakdown,
        item=item,
    )  # fmt: skip


def test_a_khoroo_is_the_sum_of_its_reporting_khesegs():
    world = SmallWorld()
    world.add_round(1)
    world.add_return(1, KHESEGS[0], actual={"persons": 100, "households": 25}, registered={"persons": 90})
    world.add_return(1, KHESEGS[1], actual={"persons": 60, "households": 15}, registered={"persons": 70})
    world.add_return(1, KHESEGS[2], actual={"persons": 40, "households": 10}, unregistered={"persons": 7})
    build(world)
    assert [stock(world, code) for code in ("MN110701", "MN110702", "MN1107", "MN11")] == [160, 40, 200, 200]
    assert stock(world, "MN1107", measure="households") == 50
    assert stock(world, "MN110701", category="registered") == 160
    assert stock(world, "MN11", category="unregistered") == 7


def test_not_reported_is_null_and_a_reported_nought_is_nought():
    world = SmallWorld()
    world.add_round(1)
    world.add_return(1, KHESEGS[0], actual={"persons": 0, "households": 0})
    build(world)
    assert stock(world, "MN110701") == 0
    assert stock(world, "MN110702") is None
    assert stock(world, "MN1110") is None
    assert stock(world, "MN110701", category="registered") is None


def test_rounds_are_never_added_and_never_carried_on():
    world = SmallWorld()
    world.add_round(1)
    world.add_round(2)
    world.add_return(1, KHESEGS[0], actual={"persons": 100})
    build(world, last_round=2)
    assert stock(world, "MN110701", number=1) == 100
    assert stock(world, "MN110701", number=2) is None


@pytest.mark.parametrize(
    ("men", "women", "published"),
    [(30, 30, (90, 70, None)), (None, 30, (60, 40, 60)), (31, 30, (60, 40, 60)), (60, 0, (120, 40, None))],
)
def test_people_whose_return_tells_no_sex_or_the_wrong_sum_are_not_stated(men, women, published):
    world = SmallWorld()
    world.add_round(1)
    world.add_return(1, KHESEGS[0], actual={"persons": 100, "male_persons": 60, "female_persons": 40})
    world.add_return(1, KHESEGS[1], actual={"persons": 60, "male_persons": men, "female_persons": women})
    world.add_return(1, KHESEGS[4], actual={"persons": 5, "male_persons": 2, "female_persons": 3})
    build(world)
    for code, base in (("MN110701", 0), ("MN11", 1)):
        found = tuple(stock(world, code, breakdown="sex", item=item) for item in ("male", "female"))
        assert found == (published[0] + 2 * base, published[1] + 3 * base)
        assert not_stated(world, code, "sex") == published[2]
        assert stock(world, code) == 160 + 5 * base
    assert stock(world, "MN111001", breakdown="sex", item="male") == 2


def not_stated(world, code, breakdown, *, number=1):
    """Return the count, or None where there is no row."""
    rows = world.rows(
        f"SELECT value FROM full_stock WHERE round_number = {number} AND pcode = '{code}' "
        f"AND breakdown = '{breakdown}' AND item = '{NOT_STATED}'"
    )
    return rows[0][0] if rows else None


def test_dwellings_are_of_households_and_must_add_up():
    world = SmallWorld()
    world.add_round(1)
    world.add_return(1, KHESEGS[0], actual={"households": 25}, ger=10, house=9, apartment=6, other=0)
    world.add_return(1, KHESEGS[2], actual={"households": 25}, ger=10, house=9, apartment=6)
    build(world)
    found = [stock(world, "MN110701", measure="households", breakdown="dwelling", item=item) for item in DWELLINGS]
    assert found == [10, 9, 6, 0]
    assert stock(world, "MN110702", measure="households", breakdown="dwelling", item="ger") is None
    assert stock(world, "MN110702", measure="households") == 25
    assert (not_stated(world, "MN110701", "dwelling"), not_stated(world, "MN110702", "dwelling")) == (None, 25)


def test_other_operations_stocks_stay_out():
    world = SmallWorld()
    world.add_round(1)
    world.add_return(1, KHESEGS[0], actual={"persons": 100})
    world.insert(
        "stock", submission_id=99, operation="another country", round_number=1, pcode="MN110701", level=3,
        category="displaced", persons=5000,
    )  # fmt: skip
    build(world)
    assert stock(world, "MN11") == 100
    assert world.rows("SELECT count(*) FROM full_stock WHERE category = 'displaced'") == [(0,)]


def test_the_table_has_the_declared_columns_and_keys():
    world = SmallWorld()
    world.add_round(1)
    world.add_return(1, KHESEGS[0], actual={"persons": 100})
    build(world)
    declared = RELEASE_TABLES["stock"]
    described = world.rows("SELECT column_name, column_type FROM (DESCRIBE full_stock)")
    assert described == [(c.name, c.type) for c in declared.columns if c.name != "status"]
    keys = ", ".join(declared.key)
    assert world.rows(f"SELECT count(*) FROM (SELECT {keys} FROM full_stock GROUP BY ALL HAVING count(*) > 1)") == [
        (0,)
    ]


persons = st.one_of(st.none(), st.integers(0, 400))
returns = st.lists(
    st.tuples(
        st.integers(1, 2), st.sampled_from(KHESEGS), persons, persons, st.lists(persons, min_size=5, max_size=5)
    ),
    max_size=10, unique_by=lambda row: row[:2],
)  # fmt: skip


@pytest.fixture(scope="module")
def world():
    made = SmallWorld()
    made.add_round(1)
    made.add_round(2)
    return made


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=returns, order=st.randoms())
def test_random_returns_equal_pandas_and_add_up_over_levels(world, rows, order):
    order.shuffle(rows)
    world.connection.execute("DELETE FROM submission; DELETE FROM stock")
    for number, unit, actual, registered, ages in rows:
        told = {f"age_{band}_persons": value for band, value in zip(AGE_BANDS, ages, strict=True)}
        if None not in ages:
            told["persons"] = sum(ages)
        world.add_return(number, unit, actual={"persons": actual, **told}, registered={"persons": registered})
    build(world, last_round=2)
    frame = pd.DataFrame(rows, columns=["round", "unit", "actual", "registered", "ages"])
    for number in (1, 2):
        for code in ("MN11", "MN1107", "MN1110", "MN110701", "MN110702", "MN111001"):
            inside = frame[(frame["round"] == number) & frame["unit"].str.startswith(code)]
            told = [v for v in inside["registered"] if pd.notna(v)]
            assert stock(world, code, number=number, category="registered") == (int(sum(told)) if told else None)
            stated = [ages for ages in inside["ages"] if None not in ages]
            items = [stock(world, code, number=number, breakdown="age", item=band) for band in AGE_BANDS]
            assert items == [sum(ages[index] for ages in stated) if stated else None for index in range(len(AGE_BANDS))]
            people = stock(world, code, number=number)
            if people is not None:
                silent = not_stated(world, code, "age", number=number) or 0
                assert sum(item or 0 for item in items) + silent == people
    for number in (1, 2):
        sums = world.rows(
            f"SELECT level, sum(value) FROM full_stock WHERE round_number = {number} AND category = 'registered' "
            "AND measure = 'persons' GROUP BY level"
        )
        assert len({total for _, total in sums}) == 1

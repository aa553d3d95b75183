"""Hold the flows to sums made another way, and to what must balance."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtm._release_tables import RELEASE_TABLES
from dtm.flows import aggregate_flows, build_flows
from dtm.scope import build_scope
from tests.dtm.small_world import KHESEGS, OPERATION, SmallWorld

LEVELS = {1: ("MN11",), 2: ("MN1107", "MN1110"), 3: ("MN110701", "MN110702", "MN111001")}


def build(world, last_round=1):
    scope = build_scope(world.connection, operation=OPERATION, last_round=last_round)
    build_flows(world.connection, scope)


def flow(world, pcode, counterpart="total", *, number=1, direction="in", reason="total", measure="persons"):
    found = world.rows(
        f"SELECT value FROM full_flow WHERE round_number = {number} AND pcode = '{pcode}' AND "
        f"counterpart = '{counterpart}' AND direction = '{direction}' AND reason = '{reason}' AND measure = '{measure}'"
    )
    assert len(found) <= 1
    return found[0][0] if found else "no row"


@pytest.fixture(scope="module")
def told():
    world = SmallWorld()
    world.add_round(1)
    first = world.add_return(1, KHESEGS[0], actual={"persons": 100})
    other = world.add_return(1, KHESEGS[4], actual={"persons": 100})
    for counterpart, persons, households, reason in (
        ("MN4101", 10, 3, "work"),
        ("MN41", 5, 1, "study"),
        ("MN1110", 20, 6, "work"),
        ("MN110702", 7, 2, "housing"),
        ("MN11", 2, 1, None),
        ("abroad", 4, 1, "return"),
        ("unknown", 1, 1, "other"),
    ):
        world.add_move(first, 1, KHESEGS[0], "arrival", counterpart, persons, households=households, reason=reason)
    world.add_move(first, 1, KHESEGS[0], "departure", "MN1110", 8, households=None, reason="family")
    world.add_move(other, 1, KHESEGS[4], "arrival", "MN1107", 9, households=2, reason="family")
    build(world)
    return world


def test_a_khoroos_counterparts_are_districts_of_the_city_and_aimags(told):
    found = dict(
        told.rows(
            "SELECT counterpart, value FROM full_flow WHERE pcode = 'MN110701' AND direction = 'in' "
            "AND reason = 'total' AND measure = 'persons'"
        )
    )
    assert found == {
        "MN41": 15, "MN1110": 20, "MN1107": 7, "MN11": 2, "abroad": 4, "unknown": 1, "total": 49,
    }  # fmt: skip


def test_moves_inside_an_area_stay_out_of_its_total(told):
    assert flow(told, "MN1107", "MN1107") == 7
    assert flow(told, "MN1107") == 42
    assert flow(told, "MN11", "MN11") == 20 + 7 + 2 + 9
    assert flow(told, "MN11") == 20
    assert flow(told, "MN11", measure="households") == 6


def test_reasons_add_up_to_the_total_and_an_untold_one_is_unknown(told):
    reasons = dict(
        told.rows(
            "SELECT reason, value FROM full_flow WHERE pcode = 'MN110701' AND direction = 'in' "
            "AND reason <> 'total' AND measure = 'persons'"
        )
    )
    assert reasons == {"work": 30, "study": 5, "housing": 7, "unknown": 2, "return": 4, "other": 1}
    assert flow(told, "MN1107", reason="housing") == "no row"


def test_origin_and_destination_follow_the_direction(told):
    row = told.rows(
        "SELECT origin, destination, source FROM full_flow WHERE pcode = 'MN110701' AND counterpart = 'MN1110' "
        "AND measure = 'persons' ORDER BY direction"
    )
    assert row == [("MN1110", "MN110701", "arrivals"), ("MN110701", "MN1110", "departures")]


def test_untold_households_are_null_and_silence_is_null_not_nought(told):
    assert flow(told, "MN110701", "MN1110", direction="out") == 8
    assert flow(told, "MN110701", "MN1110", direction="out", measure="households") is None
    assert flow(told, "MN1107", direction="out", measure="households") is None
    assert flow(told, "MN111001", direction="out") == 0
    assert flow(told, "MN110702") is None
    assert flow(told, "MN110702", measure="households") is None


def test_the_table_has_the_declared_columns_and_keys(told):
    declared = RELEASE_TABLES["flow"]
    described = told.rows("SELECT column_name, column_type FROM (DESCRIBE full_flow)")
    assert described == [(c.name, c.type) for c in declared.columns if c.name != "status"]
    keys = ", ".join(declared.key)
    assert told.rows(f"SELECT count(*) FROM (SELECT {keys} FROM full_flow GROUP BY ALL HAVING count(*) > 1)") == [(0,)]


def test_aggregate_flows_sums_any_table_with_origins_and_destinations():
    world = SmallWorld()
    world.connection.execute(
        """
        CREATE TEMP TABLE moves (
            round_number INTEGER, origin VARCHAR, destination VARCHAR, reason VARCHAR, persons BIGINT
        );
        INSERT INTO moves VALUES (1, 'a', 'b', 'work', 3), (1, 'a', 'b', 'work', 4), (1, 'b', 'a', 'work', 5),
            (2, 'a', 'b', 'work', 6), (2, 'a', 'b', 'work', NULL), (1, 'a', 'b', 'study', 9007199254740993)
        """
    )
    aggregate_flows(world.connection, "moves", into="summed")
    assert world.rows("FROM summed ORDER BY ALL") == [
        (1, "a", "b", "study", 9007199254740993),
        (1, "a", "b", "work", 7),
        (1, "b", "a", "work", 5),
        (2, "a", "b", "work", None),
    ]


@pytest.fixture(scope="module")
def world():
    made = SmallWorld()
    made.add_round(1)
    return made


counterparts = st.sampled_from(["MN41", "MN4101", "MN11", "abroad", "unknown", *LEVELS[2], *LEVELS[3]])
moves = st.lists(
    st.tuples(
        st.sampled_from(KHESEGS[:5]), st.sampled_from(["arrival", "departure"]), counterparts, st.integers(1, 50),
        st.sampled_from(["work", "study", None]),
    ),
    max_size=25,
)  # fmt: skip


def collapse(code, area):
    """Say the contract's rule in Python: district inside the same city, else aimag."""
    if code in ("abroad", "unknown"):
        return code
    if len(area) > 4 and code[:4] == area[:4]:
        return code[:6]
    return code[:4]


def load(world, rows):
    world.connection.execute(
        "DELETE FROM submission; DELETE FROM stock; DELETE FROM movement; DELETE FROM move_question"
    )
    sent = {unit: world.add_return(1, unit, actual={"persons": 100}) for unit in KHESEGS[:5]}
    for unit, direction, counterpart, persons, reason in rows:
        world.add_move(sent[unit], 1, unit, direction, counterpart, persons, reason=reason)
    build(world)
    return world.frame("full_flow")


def test_moves_that_nobody_was_asked_for_are_not_reported(world):
    world.connection.execute(
        "DELETE FROM submission; DELETE FROM stock; DELETE FROM movement; DELETE FROM move_question"
    )
    first = world.add_return(1, KHESEGS[0], actual={"persons": 100}, asked=())
    world.add_return(1, KHESEGS[1], actual={"persons": 100}, asked=())
    world.add_move(first, 1, KHESEGS[0], "arrival", "MN62", 7)
    build(world)
    found = world.frame("full_flow").query("counterpart == 'total' and reason == 'total' and measure == 'persons'")
    came = found[(found["direction"] == "in")].set_index("pcode")["value"]
    assert came["MN11"] == 7
    assert found.loc[found["direction"] == "out", "value"].isna().all()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=moves, order=st.randoms())
def test_random_moves_equal_a_count_in_python_in_any_order(world, rows, order):
    order.shuffle(rows)
    found = load(world, rows)
    expected = Counter()
    for areas in LEVELS.values():
        for area in areas:
            for way in ("in", "out"):
                expected[area, "total", way, "total"] += 0
    for unit, direction, code, persons, reason in rows:
        way = "in" if direction == "arrival" else "out"
        for area in (unit[:4], unit[:6], unit[:8]):
            counterpart = collapse(code, area)
            expected[area, counterpart, way, "total"] += persons
            if counterpart != area:
                expected[area, "total", way, "total"] += persons
                expected[area, "total", way, reason or "unknown"] += persons
    people = found[found["measure"] == "persons"]
    got = {(row.pcode, row.counterpart, row.direction, row.reason): row.value for row in people.itertuples(index=False)}
    assert got == dict(expected)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=moves)
def test_the_levels_add_up(world, rows):
    found = load(world, rows)
    people = found[(found["measure"] == "persons") & (found["reason"] == "total")]
    value = people.set_index(["pcode", "counterpart", "direction"])["value"].astype("int64")
    pairs = people[people["counterpart"] != "total"]
    for way in ("in", "out"):
        for district in LEVELS[2]:
            khoroos = pairs[
                pairs["pcode"].str.startswith(district) & (pairs["level"] == 3) & (pairs["direction"] == way)
            ]
            for counterpart, total in khoroos.groupby("counterpart")["value"].sum().items():
                assert value[district, counterpart, way] == total
            outside = pairs[
                (pairs["pcode"] == district) & (pairs["direction"] == way) & (pairs["counterpart"] != district)
            ]
            assert value[district, "total", way] == outside["value"].sum()
        districts = pairs[(pairs["level"] == 2) & (pairs["direction"] == way)]
        city = districts.assign(counterpart=[collapse(c, "MN11") for c in districts["counterpart"]])
        for counterpart, total in city.groupby("counterpart")["value"].sum().items():
            assert value["MN11", counterpart, way] == total


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(KHESEGS[:5]), st.sampled_from(KHESEGS[:5]), st.integers(1, 60)), max_size=15
    )
)
def test_a_closed_system_told_from_both_ends_balances(world, rows):
    both = [(to, "arrival", start[:8], n, None) for start, to, n in rows]
    both += [(start, "departure", to[:8], n, None) for start, to, n in rows]
    found = load(world, both)
    totals = found[(found["measure"] == "persons") & (found["reason"] == "total") & (found["counterpart"] == "total")]
    for level in (1, 2, 3):
        of_level = totals[totals["level"] == level]
        ways = of_level.groupby("direction")["value"].sum()
        assert ways["in"] == ways["out"]
    assert (totals.loc[totals["level"] == 1, "value"] == 0).all()
    pairs = found[(found["level"] == 2) & (found["measure"] == "persons") & (found["counterpart"] != "total")]
    tables = {
        way: part.set_index(["origin", "destination"])["value"].sort_index() for way, part in pairs.groupby("direction")
    }
    if rows:
        pd.testing.assert_series_equal(tables["in"], tables["out"])

"""Hold breakdowns of moves to sums made by hand, to the totals, and to an attacker who reads all that is published."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtm._full import create_full
from dtm._release_tables import RELEASE_TABLES
from dtm._warehouse_tables import AGE_BANDS
from dtm.disclosure import PROTECTED_TABLES, protect_release
from dtm.flow_items import BREAKDOWNS, DISTANCE_CLASS, DISTANCE_CLASSES, build_flow_items, distance_class
from dtm.flow_table import Flows
from dtm.flows import build_flows
from dtm.scope import build_reporting_scope, build_scope
from dtm.workspace import Settings
from tests.dtm.small_world import KHESEGS, KHOROOS, OPERATION, SmallWorld
from tests.dtm.test_disclosure_attack import equation, solve

AGES = [f"age_{band}_persons" for band in AGE_BANDS]


def build(world, make_scope=build_reporting_scope):
    scope = make_scope(world.connection, operation=OPERATION, last_round=1)
    build_flows(world.connection, scope)
    build_flow_items(world.connection, scope)


def items(world, pcode, breakdown, direction="in"):
    return dict(
        world.rows(
            f"SELECT item, value FROM full_flow_item WHERE pcode = '{pcode}' AND breakdown = '{breakdown}' "
            f"AND direction = '{direction}'"
        )
    )


@pytest.fixture(scope="module")
def told():
    world = SmallWorld()
    world.add_round(1)
    first = world.add_return(1, KHESEGS[0], actual={"persons": 100})
    whole = {"male_persons": 6, "female_persons": 4, **dict(zip(AGES, (1, 2, 3, 4, 0), strict=True))}
    world.add_move(first, 1, KHESEGS[0], "arrival", "MN4101", 10, registered=True, **whole)
    world.add_move(first, 1, KHESEGS[0], "arrival", "MN1110", 5, registered=False, male_persons=5, female_persons=0)
    world.add_move(first, 1, KHESEGS[0], "arrival", "MN110702", 7, male_persons=4, female_persons=2)  # 4 + 2 < 7
    world.add_move(first, 1, KHESEGS[0], "arrival", "MN11", 2, male_persons=2)  # women untold
    world.add_move(first, 1, KHESEGS[0], "arrival", "abroad", 3, registered=True)
    world.add_move(first, 1, KHESEGS[0], "departure", "unknown", 8)
    build(world)
    return world


def test_a_khoroos_arrivals_by_every_breakdown(told):
    assert items(told, "MN110701", "sex") == {"male": 6 + 5, "female": 4, "not_stated": 7 + 2 + 3}
    assert items(told, "MN110701", "age") == {"0_4": 1, "5_14": 2, "15_24": 3, "25_59": 4, "not_stated": 5 + 7 + 2 + 3}
    assert items(told, "MN110701", "registered") == {"yes": 13, "no": 5, "not_stated": 9}
    assert items(told, "MN110701", "distance") == {
        "same_district": 7, "other_district": 5, "other_aimag": 10, "abroad": 3, "unknown": 2,
    }  # fmt: skip
    assert items(told, "MN110701", "sex", "out") == {"not_stated": 8}


def test_moves_inside_an_area_are_in_no_breakdown_of_it(told):
    assert items(told, "MN1107", "sex") == {"male": 11, "female": 4, "not_stated": 5}
    assert items(told, "MN11", "sex") == {"male": 6, "female": 4, "not_stated": 3}
    assert items(told, "MN11", "distance") == {"other_aimag": 10, "abroad": 3}


def test_the_table_has_the_declared_columns_and_keys(told):
    declared = RELEASE_TABLES["flow_item"]
    described = told.rows("SELECT column_name, column_type FROM (DESCRIBE full_flow_item)")
    assert described == [(c.name, c.type) for c in declared.columns if c.name != "status"]
    keys = ", ".join(declared.key)
    assert told.rows(f"SELECT count(*) FROM (SELECT {keys} FROM full_flow_item GROUP BY ALL HAVING count(*) > 1)") == [
        (0,)
    ]
    assert told.rows("SELECT DISTINCT source, direction FROM full_flow_item ORDER BY ALL") == [
        ("arrivals", "in"), ("departures", "out"),
    ]  # fmt: skip
    assert set(told.frame("full_flow_item")["breakdown"]) == set(BREAKDOWNS)


def test_a_round_without_moves_has_no_items():
    world = SmallWorld()
    world.add_round(1)
    world.add_return(1, KHESEGS[0], actual={"persons": 100})
    build(world)
    assert world.frame("full_flow_item").empty


@pytest.mark.parametrize(
    ("area", "counterpart", "expected"),
    [
        ("MN110701", "MN110702", "same_district"),
        ("MN110701", "MN1107", "same_district"),
        ("MN1107", "MN1110", "other_district"),
        ("MN1107", "MN11", "unknown"),  # it may be next door
        ("MN1107", "MN41", "other_aimag"),
        ("MN11", "MN4101", "other_aimag"),
        ("MN11", "abroad", "abroad"),
        ("MN110701", "unknown", "unknown"),
    ],
)
def test_how_far_a_move_was_is_told_the_same_in_python_and_sql(told, area, counterpart, expected):
    sql = DISTANCE_CLASS.format(area=f"'{area}'", counterpart=f"'{counterpart}'")
    assert distance_class(area, counterpart) == expected
    assert told.rows(f"SELECT {sql}") == [(expected,)]
    assert expected in DISTANCE_CLASSES


# --- properties -----------------------------------------------------------------------------------------------------

QUIET = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def move(draw):
    male, female = draw(st.integers(0, 14)), draw(st.integers(0, 14))
    persons = max(male + female + draw(st.sampled_from([0, 0, 0, 1])), 1)
    old = draw(st.integers(0, persons))
    sexes = draw(st.booleans())
    ages = draw(st.booleans())
    return (
        draw(st.sampled_from(KHESEGS[:5])), draw(st.sampled_from(["arrival", "departure"])),
        draw(st.sampled_from(["MN41", "MN4101", "MN11", "abroad", "unknown", "MN1107", "MN1110", *KHOROOS])), persons,
        {
            "reason": draw(st.sampled_from(["work", "study", None])),
            "registered": draw(st.sampled_from([True, False, None])),
            **({"male_persons": male, "female_persons": female} if sexes else {}),
            **(dict(zip(AGES, (persons - old, 0, 0, 0, old), strict=True)) if ages else {}),
        },
    )  # fmt: skip


@pytest.fixture(scope="module")
def world():
    made = SmallWorld()
    made.add_round(1)
    return made


def load(world, rows):
    sent = world.start_over(1, KHESEGS[:5])
    for unit, direction, counterpart, persons, more in rows:
        world.add_move(sent[unit], 1, unit, direction, counterpart, persons, **more)


@QUIET
@given(rows=st.lists(move(), max_size=15), order=st.randoms(use_true_random=False))
def test_every_breakdown_adds_up_to_the_total_in_any_order(world, rows, order):
    load(world, rows)
    build(world)
    first = world.frame("full_flow_item")
    totals = world.frame("full_flow").query("counterpart == 'total' and reason == 'total' and measure == 'persons'")
    expected = {(row.pcode, row.direction): row.value for row in totals.itertuples() if row.value > 0}
    for breakdown in BREAKDOWNS:
        sums = first[first["breakdown"] == breakdown].groupby(["pcode", "direction"])["value"].sum()
        assert sums.to_dict() == expected
    order.shuffle(rows)
    load(world, rows)
    build(world)
    pd.testing.assert_frame_equal(world.frame("full_flow_item"), first)


@QUIET
@given(rows=st.lists(move(), max_size=15))
def test_items_equal_those_of_the_canonical_table(world, rows):
    """A second way: rows of `Flows` by item, rolled up, less what stays inside the area."""
    load(world, rows)
    build(world)
    full = world.frame("full_flow_item")
    published = {(row.source, row.pcode, row.breakdown, row.item): row.value for row in full.itertuples()}
    expected = Counter()
    for source, here in (("arrivals", "destination"), ("departures", "origin")):
        for breakdown in BREAKDOWNS:
            flows = Flows.from_movements(world.connection, source=source, by=[breakdown])
            for level in (1, 2, 3):
                rolled = flows.roll_up(level)
                frame = rolled.frame if level == 3 else rolled.frame[(rolled.part != "inside").to_numpy()]
                column = {"age": "age_band", "distance": "distance_class"}.get(breakdown, breakdown)
                for area, item, count in zip(frame[here], frame[column], frame["persons"], strict=True):
                    expected[source, area, breakdown, item] += int(count)
    assert published == dict(expected)


# --- the attacker ---------------------------------------------------------------------------------------------------

PARENTS = {"MN1107": "MN11", "MN1110": "MN11", "MN110701": "MN1107", "MN110702": "MN1107", "MN111001": "MN1110"}


EMPTY = "SELECT {columns} WHERE false"


def empty_columns(name):
    return ", ".join(f"NULL AS {column.name}" for column in RELEASE_TABLES[name].columns if column.name != "status")


def seen(flow, item):
    """What is published of one source: {(area, counterpart, breakdown, item): count, or None where hidden}."""
    flow = flow[flow["measure"] == "persons"]
    of_reason = flow.assign(breakdown=flow["reason"].where(flow["reason"] == "total", "reason"), item=flow["reason"])
    both = pd.concat([of_reason, item.assign(counterpart="total")])
    both = both[both["status"] != "not_reported"]
    counts = both["value"].astype(object).where(both["status"] == "published", None)
    keys = both[["pcode", "counterpart", "breakdown", "item"]].itertuples(index=False, name=None)
    return dict(zip(keys, counts, strict=True))


def sums_of_an_area(area, shown):
    """Sums of one area: its pairs, reasons and items make its total, and the distances are sums of pairs."""
    whole = (area, "total", "total", "total")
    pairs = [key for key in shown if key[0] == area and key[1] not in ("total", area)]
    kinds = [[key for key in shown if key[0] == area and key[2] == kind] for kind in ("reason", *BREAKDOWNS)]
    yield from (equation(whole, parts, shown) for parts in (pairs, *kinds))
    for far in DISTANCE_CLASSES:
        of_class = [key for key in pairs if distance_class(area, key[1]) == far]
        yield equation((area, "total", "distance", far), of_class, shown)


def sums_of_the_areas_inside(area, shown):
    """Sums over the areas inside: their pairs; and their items, where nobody moved between them."""
    children = [child for child, parent in PARENTS.items() if parent == area]
    below = [key for key in shown if key[0] in children and key[1] != "total"]
    for counterpart in {collapsed(area, key[1]) for key in below}:
        parts = [key for key in below if collapsed(area, key[1]) == counterpart]
        yield equation((area, counterpart, "total", "total"), parts, shown)
    crossing = [key for key in below if collapsed(area, key[1]) == area and key[1] != key[0]]
    if children and not crossing:
        for kind in {key[2:] for key in shown if key[2] not in ("total", "distance")}:
            yield equation((area, "total", *kind), [(child, "total", *kind) for child in children], shown)


def attack(flow, item):
    """Cells of pairs, reasons and items that follow exactly from all that is published on one source."""
    shown = seen(flow, item)
    areas = sorted({key[0] for key in shown})
    both = (sums_of_an_area, sums_of_the_areas_inside)
    return solve([found for area in areas for sums in both for found in sums(area, shown)])


def collapsed(area, counterpart):
    if counterpart.startswith(area):
        return area
    return counterpart[:4] if len(area) == 4 and counterpart.startswith("MN") else counterpart


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(move(), min_size=1, max_size=12))
def test_no_hidden_item_follows_from_totals_pairs_reasons_and_items(world, rows):
    load(world, rows)
    build(world, build_scope)
    for name in set(PROTECTED_TABLES) - {"flow", "flow_item"}:
        create_full(world.connection, name, EMPTY.format(columns=empty_columns(name)))
    protect_release(world.connection, Settings())
    flow, item = (world.frame(f"safe_{name}") for name in ("flow", "flow_item"))
    for source in ("arrivals", "departures"):
        assert attack(flow[flow["source"] == source], item[item["source"] == source]) == {}
    shown = item[item["status"] == "published"]
    assert not shown["value"].between(1, 9).any()
    full = world.frame("full_flow_item")
    assert len(full) == len(item)
    keys = list(RELEASE_TABLES["flow_item"].key)
    both = shown.merge(full, on=keys, suffixes=("", "_full"))
    assert (both["value"] == both["value_full"]).all()


def test_the_attacker_finds_what_small_counts_alone_would_leave(told):
    flow, item = (told.frame(f"full_{name}") for name in ("flow", "flow_item"))
    for frame in (flow, item):
        frame["status"] = "published"
        frame.loc[frame["value"].isna(), "status"] = "not_reported"
        frame.loc[frame["value"].between(1, 9), "status"] = "suppressed"
    found = attack(flow[flow["source"] == "arrivals"], item[item["source"] == "arrivals"])
    assert found["MN110701", "total", "sex", "female"] == 4  # 27 - 11 - 12

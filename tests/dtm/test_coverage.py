"""Check who has reported, who is late and how trained those are who sent, by hand and against a release's coverage."""

from __future__ import annotations

from datetime import date

import pytest

from dtm.coverage import coverage_report
from dtm.enumerators import load_enumerators
from dtm.errors import UnknownRoundError
from dtm.scope import build_coverage, build_scope
from dtm.warehouse import open_warehouse
from tests.dtm.desk_world import EXPECTED, OPERATION, RECEIVED, ROUND, copy_desk_world, load_people
from tests.dtm.small_world import OPERATION as SMALL
from tests.dtm.small_world import SmallWorld

BY = {"operation": OPERATION, "number": ROUND}
AFTER = date(2024, 3, 1)


@pytest.fixture
def connection(desk_world, tmp_path):
    with open_warehouse(copy_desk_world(desk_world, tmp_path)) as opened:
        yield opened


@pytest.fixture
def told(connection, tmp_path):
    load_people(connection, tmp_path)
    return coverage_report(connection, **BY, today=AFTER)


def test_units_are_counted_by_khoroo_and_district(told):
    assert (told["units_expected"], told["units_received"], told["returns"]) == (8, 3, 3)
    khoroos = {
        row["pcode"]: (row["units_expected"], row["units_received"], row["errors_open"]) for row in told["by_khoroo"]
    }
    assert khoroos == {"MN110701": (2, 2, 0), "MN110702": (2, 0, 2), "MN110703": (2, 1, 0), "MN110704": (2, 0, 0)}
    [district] = told["by_district"]
    assert (district["pcode"], district["name_en"], district["units_received"]) == ("MN1107", "Bayangol", 3)
    assert district["errors_open"] == 2


def test_every_table_adds_up_to_the_same_units(told):
    whole = (told["units_expected"], told["units_received"])
    for name in ("by_district", "by_khoroo", "by_role"):
        rows = told[name]
        assert (sum(r["units_expected"] for r in rows), sum(r["units_received"] for r in rows)) == whole, name
    assert told["by_day"][-1]["cumulative_units"] == told["units_received"]
    assert sum(row["returns"] for row in told["by_day"]) == told["returns"]
    assert len(told["missing"]) == told["units_expected"] - told["units_received"]


def test_units_go_to_the_role_of_the_nearest_one_who_is_responsible(told):
    roles = {row["role"]: row for row in told["by_role"]}
    assert {name: (row["units_expected"], row["units_received"]) for name, row in roles.items()} == {
        "kheseg_leader": (3, 2),
        "khoroo_officer": (2, 0),
        "nobody": (3, 1),
    }
    assert (roles["kheseg_leader"]["returns"], roles["nobody"]["returns"]) == (2, 1)
    assert roles["kheseg_leader"]["enumerators"] == 3


def test_days_are_local_and_run_to_the_end_of_collection(told):
    days = {row["day"]: (row["returns"], row["units"], row["cumulative_units"]) for row in told["by_day"]}
    assert (min(days), max(days)) == (date(2024, 2, 1), date(2024, 2, 28))
    assert days[date(2024, 2, 10)] == (1, 1, 1)
    assert days[date(2024, 2, 11)] == (0, 0, 1)
    assert days[date(2024, 2, 12)] == (2, 2, 3)  # one at 23:30, which is the 12th in Ulaanbaatar


def test_days_to_come_are_not_shown(connection):
    early = coverage_report(connection, **BY, today=date(2024, 2, 14))
    assert early["by_day"][-1]["day"] == date(2024, 2, 14)


@pytest.mark.parametrize(
    ("today", "due_days", "late"),
    [
        (date(2024, 2, 28), 0, 0),
        (date(2024, 2, 29), 0, 5),
        (date(2024, 2, 24), 3, 0),
        (date(2024, 2, 25), 3, 5),
    ],
)
def test_units_are_late_after_the_round_or_so_many_days_before(connection, today, due_days, late):
    told = coverage_report(connection, **BY, today=today, due_days_before_end=due_days)
    assert len(told["late"]) == late
    assert len(told["missing"]) == 5


def test_a_late_unit_says_who_is_responsible_and_what_was_set_aside(told):
    late = {row["unit"]: row for row in told["late"]}
    assert set(late) == {"MN11070201", "MN11070202", "MN11070302", "MN11070401", "MN11070402"}
    assert late["MN11070201"]["set_aside"] == 1
    assert [one["enumerator"] for one in late["MN11070201"]["enumerators"]] == ["E3"]
    assert [one["enumerator"] for one in late["MN11070402"]["enumerators"]] == ["O4"]
    assert late["MN11070302"]["enumerators"] == []
    assert (late["MN11070201"]["unit_mn"], late["MN11070201"]["khoroo_en"]) == ("1-р хэсэг", "Khoroo 2")


def test_quality_is_read_beside_training(told):
    rows = {row["training"]: row for row in told["training"] if row["form"] == "kheseg-baseline"}
    assert list(rows) == ["trained", "untrained", "unknown"]
    assert {name: row["returns"] for name, row in rows.items()} == {"trained": 2, "untrained": 1, "unknown": 1}
    assert {name: row["set_aside"] for name, row in rows.items()} == {"trained": 0, "untrained": 1, "unknown": 0}
    assert {name: row["errors"] for name, row in rows.items()} == {"trained": 0, "untrained": 2, "unknown": 0}
    assert rows["untrained"]["findings_per_return"] == rows["untrained"]["findings"]
    assert rows["unknown"]["share"] == 0.25


@pytest.mark.parametrize(
    ("day", "training"), [("2024-02-12", "trained"), ("2024-02-13", "untrained"), ("2024-06-01", "unknown")]
)
def test_training_counts_from_its_day_on_and_one_after_the_round_tells_nothing(connection, tmp_path, day, training):
    file = tmp_path / "list.csv"
    file.write_text(f"enumerator,role,unit,trained_on\nE2,kheseg_leader,,{day}\n", encoding="utf-8")
    load_enumerators(connection, file)
    rows = {row["training"]: row["returns"] for row in coverage_report(connection, **BY)["training"]}
    assert rows == {"trained": 0, "untrained": 0, "unknown": 3, training: 1 if training != "unknown" else 4}


def test_without_a_list_nobody_is_responsible_and_training_is_unknown(connection):
    told = coverage_report(connection, **BY, today=AFTER)
    assert [row["role"] for row in told["by_role"]] == ["nobody"]
    assert {row["training"]: row["returns"] for row in told["training"]}["unknown"] == 4


def test_it_agrees_with_the_coverage_of_a_release(connection, told):
    scope = build_scope(connection, operation=OPERATION, last_round=ROUND)
    build_coverage(connection, scope)
    released = connection.execute(
        "SELECT pcode, units_expected, units_reported, returns FROM full_coverage WHERE round_number = ? ORDER BY ALL",
        [ROUND],
    ).fetchall()
    areas = told["by_khoroo"] + told["by_district"]
    own = {row["pcode"]: (row["units_expected"], row["units_received"], row["returns"]) for row in areas}
    assert {row[0]: tuple(row[1:]) for row in released if row[0] in own} == own
    assert len(own) == 5


@pytest.mark.parametrize("khesegs", [True, False])
def test_it_agrees_with_a_release_where_figures_are_missing_or_khoroos_report_themselves(khesegs):
    world = SmallWorld(khesegs=khesegs)
    world.add_round(1)
    unit = "MN11070101" if khesegs else "MN110701"
    world.add_return(1, unit, actual={"persons": 100, "households": 25})
    world.add_return(1, unit, actual={"persons": 7})
    world.add_return(1, "MN11100101" if khesegs else "MN111001", registered={"persons": 90})
    scope = build_scope(world.connection, operation=SMALL, last_round=1)
    build_coverage(world.connection, scope)
    released = world.rows("SELECT pcode, units_expected, units_reported FROM full_coverage WHERE level = 3 ORDER BY 1")
    told = coverage_report(world.connection, operation=SMALL, number=1)
    own = [(row["pcode"], row["units_expected"], row["units_received"]) for row in told["by_khoroo"]]
    assert own == released
    assert (told["units_expected"], told["units_received"]) == (6 if khesegs else 3, 1)
    assert [row["unit"] for row in told["missing"]] == [
        code
        for khoroo in ("MN110701", "MN110702", "MN111001")
        for code in ([f"{khoroo}01", f"{khoroo}02"] if khesegs else [khoroo])
        if code != unit
    ]


def test_a_round_that_was_never_opened_is_named(connection):
    with pytest.raises(UnknownRoundError, match="no round 8"):
        coverage_report(connection, operation=OPERATION, number=8)


def test_a_round_without_a_return_has_coverage_too(connection):
    told = coverage_report(connection, operation=OPERATION, number=3, today=date(2024, 3, 2))
    assert (told["units_expected"], told["units_received"], told["training"]) == (EXPECTED, 0, [])
    assert [row["day"] for row in told["by_day"]] == [date(2024, 3, 1), date(2024, 3, 2)]
    assert set(RECEIVED) <= {row["unit"] for row in told["missing"]}

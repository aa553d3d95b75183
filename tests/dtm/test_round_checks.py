from __future__ import annotations

from contextlib import contextmanager
from datetime import date, datetime
from itertools import count

import pytest

from dtm.round_checks import ROUND_CHECKS, refresh_round_findings
from dtm.scope import build_scope
from enumerations.findings import CATALOGUE
from tests.dtm.small_world import KHESEGS, KHOROOS, OPERATION, SmallWorld

NOON = datetime(2021, 6, 10, 4)  # noqa: DTZ001  12:00 in Ulaanbaatar
WHOLE = {"age_0_4_persons": 10, "age_5_14_persons": 20, "age_15_24_persons": 15, "age_25_59_persons": 45}


def whole(persons, households=None):
    """Return figures of a return with enough of them to be compared."""
    return {
        "actual": {"persons": persons, "households": households or round(persons / 3.5), **WHOLE},
        "registered": {"persons": persons + 1, "households": households or round(persons / 3.5)},
    }


@pytest.fixture(scope="module")
def khesegs():
    made = SmallWorld()
    made.insert(
        "import", import_id=1, file_name="returns.csv", file_sha256="0", form="kheseg-baseline", imported_at=NOON,
        rows_read=1, rows_accepted=1, rows_quarantined=0, rows_duplicate=0, is_demonstration=True,
    )  # fmt: skip
    for number in (1, 2):
        made.add_round(number)
    return made


@pytest.fixture(scope="module")
def khoroos():
    made = SmallWorld(khesegs=False)
    made.add_round(1)
    made.add_round(2)
    return made


@contextmanager
def fresh(made):
    """Give a world that every test finds as it was: what a test does is rolled back."""
    made._ids = count(1)
    made.connection.execute("BEGIN TRANSACTION")
    yield made
    made.connection.execute("ROLLBACK")


@pytest.fixture
def world(khesegs):
    with fresh(khesegs) as made:
        yield made


@pytest.fixture
def wide(khoroos):
    """Return a world with twenty khesegs that reported 1000 to 1190 persons in round 1."""
    with fresh(khoroos) as made:
        units = [f"MN110701{number:02d}" for number in range(1, 21)]
        for at, unit in enumerate(units):
            made.add_return(1, unit, actual={"persons": 1000 + 10 * at, "households": 300})
        yield made, units


def found(world, code, *columns, numbers=None):
    refresh_round_findings(world.connection, operation=OPERATION, numbers=numbers)
    names = ", ".join(columns or ("pcode", "value"))
    return world.rows(f"SELECT {names} FROM finding WHERE code = '{code}' AND stage = 'round' ORDER BY ALL")


def test_every_check_is_in_the_catalogue_and_warns():
    assert {CATALOGUE[check.code].severity for check in ROUND_CHECKS} == {"warning"}


def test_units_are_missing_once_anyone_has_reported(world):
    assert found(world, "unit_missing") == []
    world.add_return(1, KHESEGS[0], actual={"persons": 100})
    assert found(world, "unit_missing", "pcode", "round_number") == [(pcode, 1) for pcode in KHESEGS[1:]]


def test_a_missing_unit_is_named_in_the_readers_language(world):
    world.connection.execute(
        "UPDATE area SET name_en = 'Kheseg 2', name_mn = '2-р хэсэг' WHERE pcode = ?", [KHESEGS[1]]
    )
    world.add_return(1, KHESEGS[0], actual={"persons": 100})
    [(english, mongolian), *_] = found(world, "unit_missing", "message_en", "message_mn")
    assert english.startswith(f"{KHESEGS[1]} (Kheseg 2) has not reported in this round.")
    assert mongolian.startswith(f"{KHESEGS[1]} (2-р хэсэг) энэ үе шатанд мэдээлээгүй байна.")


def test_expected_units_are_those_of_a_release(world):
    world.add_return(1, KHESEGS[0], actual={"persons": 100})
    missing = {pcode for (pcode,) in found(world, "unit_missing", "pcode")}
    build_scope(world.connection, operation=OPERATION, last_round=1)
    assert missing | {KHESEGS[0]} == {row[0] for row in world.rows("SELECT unit_pcode FROM scope_unit")}


def test_khoroos_without_khesegs_are_expected_themselves(wide):
    made, _units = wide
    assert [row[0] for row in found(made, "unit_missing", "pcode")] == list(KHOROOS)


def test_refreshing_twice_changes_nothing_and_names_the_return(world):
    world.add_return(1, KHESEGS[0], **whole(100))
    world.add_return(1, KHESEGS[1], **whole(100))
    columns = ("finding_id", "file_name", "row_number", "import_id", "message_mn")
    first = found(world, "same_content", *columns)
    assert first == found(world, "same_content", *columns)
    assert [row[1:4] for row in first] == [("returns.csv", 2, 1)]
    assert "MN11070101" in first[0][4]


def test_findings_of_closed_rounds_and_of_other_stages_stay(world):
    world.add_return(1, KHESEGS[0], actual={"persons": 100})
    assert len(found(world, "unit_missing")) == 5
    world.connection.execute("UPDATE round SET status = 'signed_off' WHERE number = 1")
    world.add_return(1, KHESEGS[1], actual={"persons": 100})
    assert len(found(world, "unit_missing")) == 5
    world.connection.execute("UPDATE round SET status = 'cleaning' WHERE number = 1")
    assert len(found(world, "unit_missing", numbers=[2])) == 5
    world.connection.execute("UPDATE finding SET stage = 'import' WHERE pcode = 'MN11100102'")
    assert len(found(world, "unit_missing", numbers=[1])) == 4
    assert world.rows("SELECT count(*) FROM finding WHERE stage = 'import'") == [(1,)]


def test_two_units_with_the_same_figures(world):
    world.add_return(1, KHESEGS[0], received=NOON, **whole(100))
    world.add_return(1, KHESEGS[3], received=NOON.replace(hour=5), **whole(100))
    world.add_return(1, KHESEGS[4], **whole(101))
    assert found(world, "same_content", "pcode", "value", "subject") == [(KHESEGS[3], "100", "kheseg-baseline")]


def test_same_figures_with_other_moves_are_another_return(world):
    world.add_return(1, KHESEGS[0], **whole(100))
    other = world.add_return(1, KHESEGS[3], **whole(100))
    world.add_move(other, 1, KHESEGS[3], "arrival", "MN1110", 4)
    assert found(world, "same_content") == []


def test_a_return_sent_again_in_the_next_round(world):
    world.add_return(1, KHESEGS[0], **whole(100))
    world.add_return(2, KHESEGS[0], **whole(100))
    world.add_return(1, KHESEGS[1], **whole(120))
    world.add_return(2, KHESEGS[1], **whole(121))
    for number in (1, 2):  # so few may stay as they were, unless they tell of moves
        world.add_return(number, KHESEGS[2], **whole(99))
        told = world.add_return(number, KHESEGS[3], **whole(98))
        world.add_move(told, number, KHESEGS[3], "arrival", "MN1110", 4)
    assert found(world, "repeats_earlier_round", "pcode", "round_number") == [(KHESEGS[0], 2), (KHESEGS[3], 2)]


def test_few_figures_may_be_equal(world):
    for number in (1, 2):
        world.add_return(number, KHESEGS[0], actual={"persons": 100, "households": 30})
    assert found(world, "repeats_earlier_round") == []


@pytest.mark.parametrize(("persons", "told"), [(44, True), (45, False), (270, False), (271, True)])
def test_household_size_has_bounds(world, persons, told):
    world.add_return(1, KHESEGS[0], actual={"persons": persons, "households": 30})
    assert bool(found(world, "household_size_outlier")) == told


def test_household_size_is_compared_with_the_others(wide):
    made, units = wide
    made.add_return(2, units[0], actual={"persons": 1800, "households": 300})
    for unit in units[1:]:
        made.add_return(2, unit, actual={"persons": 1050, "households": 300})
    assert found(made, "household_size_outlier", "pcode", "value") == [(units[0], "6.0")]


def test_a_change_unlike_that_of_the_others(wide):
    made, units = wide
    for at, unit in enumerate(units):
        persons = 1000 + 10 * at + (3 if at else 500)
        made.add_return(2, unit, actual={"persons": persons, "households": 300})
    assert found(made, "change_outlier", "pcode", "field", "value") == [(units[0], "actual_persons", "1500")]
    message = found(made, "change_outlier", "message_en")[0][0]
    assert "1000 -> 1500" in message


def test_a_change_of_all_is_no_outlier(wide):
    made, units = wide
    for at, unit in enumerate(units):
        made.add_return(2, unit, actual={"persons": round((1000 + 10 * at) * 1.5), "households": 450})
    assert found(made, "change_outlier") == []


def test_two_digits_swapped(wide):
    made, units = wide
    for at, unit in enumerate(units):
        persons = 1000 + 10 * at  # the fourth tells 1030 as 1300
        made.add_return(2, unit, actual={"persons": 1300 if at == 3 else persons, "households": 300})
    assert found(made, "digits_swapped", "pcode", "field", "value") == [(units[3], "actual_persons", "1300")]
    assert found(made, "change_outlier") == []
    assert "1030" in found(made, "digits_swapped", "message_en")[0][0]


def test_figures_that_were_rounded(world):
    for unit in KHESEGS:
        world.add_return(
            1, unit, actual={"persons": 100, "households": 35, "male_persons": 45, "female_persons": 55,
                "age_0_4_persons": 20, "age_5_14_persons": 25, "age_15_24_persons": 35,
                "age_25_59_persons": 50, "age_60_plus_persons": 20},
            registered={"persons": 120, "households": 40}, ger=30, house=25, apartment=20, other=21,
        )  # fmt: skip
    # 15 figures a return, 2 returns a khoroo: 28 of 30 end in 0 or 5
    assert found(world, "heaped_numbers", "pcode", "field", "value") == [
        (khoroo, "khoroo", f"{khoroo}: 93%") for khoroo in KHOROOS
    ]


@pytest.mark.parametrize(("departed", "told"), [(40, False), (10, True)])
def test_arrivals_against_departures_between_districts(world, departed, told):
    ids = {unit: world.add_return(1, unit, actual={"persons": 1000}) for unit in KHESEGS}
    world.add_move(ids[KHESEGS[0]], 1, KHESEGS[0], "arrival", "MN111001", 60)
    world.add_move(ids[KHESEGS[4]], 1, KHESEGS[4], "departure", "MN110702", departed)
    expected = [("MN1107", "MN1110 -> MN1107: 60")] if told else []
    assert found(world, "flow_disagrees", "pcode", "value") == expected


def test_flows_are_not_compared_while_a_district_has_not_reported(world):
    arrived = world.add_return(1, KHESEGS[0], actual={"persons": 1000})
    world.add_move(arrived, 1, KHESEGS[0], "arrival", "MN111001", 60)
    assert found(world, "flow_disagrees") == []


@pytest.mark.parametrize(("persons", "told"), [(1050, False), (1107, True)])
def test_stock_follows_from_last_stock_and_moves(world, persons, told):
    world.add_return(1, KHESEGS[0], actual={"persons": 1000})
    later = world.add_return(2, KHESEGS[0], actual={"persons": persons})
    window = {"window_from": date(2021, 7, 1), "window_to": date(2022, 6, 30)}
    world.add_move(later, 2, KHESEGS[0], "arrival", "MN1110", 70, **window)
    world.add_move(later, 2, KHESEGS[0], "departure", "MN1110", 30, **window)
    world.insert("vital", submission_id=later, round_number=2, pcode=KHESEGS[0], births_persons=12, deaths_persons=2)
    # 1000 + 70 - 30 + 12 - 2 = 1050; 5 % of 1107 is 55.35, and 57 are too many
    assert found(world, "balance_residual", "pcode", "value") == ([(KHESEGS[0], "1107")] if told else [])


def test_balance_needs_moves_since_the_last_round(world):
    world.add_return(1, KHESEGS[0], actual={"persons": 1000})
    later = world.add_return(2, KHESEGS[0], actual={"persons": 1500})
    world.add_move(later, 2, KHESEGS[0], "arrival", "MN1110", 70, window_from=date(2022, 5, 1))
    assert found(world, "balance_residual") == []


def test_versions_of_the_form(world):
    for at, unit in enumerate(KHESEGS[:3]):
        told = world.add_return(1, unit, actual={"persons": 100})
        world.connection.execute("UPDATE submission SET form_version = ? WHERE submission_id = ?", [str(at // 2), told])
    assert found(world, "form_version_mixed", "pcode", "value") == [(KHESEGS[2], "1")]


def test_enumerators_are_compared_with_their_list(world):
    for at, (unit, who) in enumerate(zip(KHESEGS, ("E1", "E2", "E3", "E4", "E4", None), strict=True)):
        told = world.add_return(1, unit, received=NOON.replace(minute=at), actual={"persons": 100 + at})
        world.connection.execute("UPDATE submission SET enumerator = ? WHERE submission_id = ?", [who, told])
    assert found(world, "enumerator_unknown") == []
    for who, trained in (("E1", date(2021, 5, 1)), ("E2", date(2021, 6, 20)), ("E3", None), ("E4", date(2021, 7, 1))):
        world.insert("enumerator", enumerator=who, trained_on=trained, loaded_at=NOON)
    assert found(world, "enumerator_unknown") == []
    world.connection.execute("DELETE FROM enumerator WHERE enumerator = 'E4'")
    assert found(world, "enumerator_unknown", "pcode", "value") == [(KHESEGS[3], "E4")]
    assert found(world, "enumerator_untrained", "value") == [("E2",), ("E3",)]


@pytest.mark.parametrize(("hour", "minute", "told"), [(14, 59, False), (15, 1, True), (20, 59, True), (21, 0, False)])
def test_returns_at_night(world, hour, minute, told):
    world.add_return(1, KHESEGS[0], received=NOON.replace(hour=hour, minute=minute), actual={"persons": 100})
    assert bool(found(world, "night_return")) == told


def test_a_day_without_an_hour_is_no_night(world):
    world.add_return(1, KHESEGS[0], received=datetime(2021, 6, 9, 16), actual={"persons": 100})  # noqa: DTZ001
    assert found(world, "night_return") == []


def place(world, unit, minute, lon, lat, who="E1"):
    told = world.add_return(1, unit, received=NOON.replace(minute=minute), actual={"persons": 100 + minute})
    world.connection.execute(
        "UPDATE submission SET lon = ?, lat = ?, enumerator = ? WHERE submission_id = ?", [lon, lat, who, told]
    )


def test_many_returns_from_one_point(world):
    for at, unit in enumerate(KHESEGS[:3]):
        place(world, unit, 5 * at, 106.9 + at * 1e-5, 47.9)  # 0.75 m apart
    place(world, KHESEGS[3], 50, 106.9, 47.91)
    assert found(world, "same_point", "pcode", "value") == [(KHESEGS[0], "3")]
    assert found(world, "same_gps") == []


def test_two_khesegs_at_exactly_one_point(world):
    place(world, KHESEGS[0], 0, 106.9, 47.9, "E1")
    place(world, KHESEGS[4], 40, 106.9, 47.9, "E2")
    assert found(world, "same_gps", "pcode", "value") == [(KHESEGS[4], "106.900000, 47.900000")]
    assert found(world, "same_point") == []


@pytest.fixture
def checkpoint(world):
    """Return a world where Emeelt was watched 10 h on four days and logged ten passages on each but the third."""
    for day in (1, 2, 3, 5):
        world.insert(
            "watch", checkpoint="emeelt", day=date(2021, 6, day), hours_observed=10, import_id=1, sheet="watch",
            row_number=day,
        )  # fmt: skip
    for day in (1, 2, 5):
        for hour in range(10):
            world.add_passage(1, datetime(2021, 6, day, 8 + hour), "in", 2, "MN41", "MN11")  # noqa: DTZ001
    return world


def test_a_watch_without_passages(checkpoint):
    expected = [("10", "watch", 3, "checkpoint-registry", "returns.csv")]
    assert (
        found(checkpoint, "watch_without_passages", "value", "sheet", "row_number", "subject", "file_name") == expected
    )


def test_few_passages_make_an_empty_watch_likely(checkpoint):
    checkpoint.connection.execute("DELETE FROM passage WHERE hour(passed_at) > 8")  # one on each day
    assert found(checkpoint, "watch_without_passages") == []


def test_a_day_that_nobody_watched(checkpoint):
    assert found(checkpoint, "day_unwatched", "value", "message_en")[0][0] == "emeelt"
    assert "2021-06-04" in found(checkpoint, "day_unwatched", "message_en")[0][0]


def test_passages_outside_the_watch(checkpoint):
    assert found(checkpoint, "passages_unwatched") == []
    checkpoint.connection.execute("UPDATE watch SET hours_observed = 8 WHERE day = '2021-06-02'")
    checkpoint.add_passage(1, datetime(2021, 6, 4, 9), "in", 2, "MN41", "MN11")  # noqa: DTZ001
    checkpoint.connection.execute("UPDATE passage SET checkpoint = 'gunt' WHERE passed_at::DATE = '2021-06-05'")
    [(mongolian,), *_] = found(checkpoint, "passages_unwatched", "message_mn")
    assert "emeelt 2021-06-02: 10 (10 цаг)" in mongolian
    assert "ажигласан хугацаа 8 цаг байна" in mongolian
    assert found(checkpoint, "passages_unwatched", "value") == [
        ("emeelt 2021-06-02: 10 (10 h)",), ("emeelt 2021-06-04: 1 (1 h)",), ("gunt: 10",)
    ]  # fmt: skip


@pytest.mark.parametrize(("hours", "told"), [(0, False), (1.5, True), (2, False), (24, False), (25, True)])
def test_odd_hours(checkpoint, hours, told):
    checkpoint.connection.execute("UPDATE watch SET hours_observed = ? WHERE day = '2021-06-02'", [hours])
    assert bool(found(checkpoint, "watch_hours_odd")) == told


@pytest.mark.parametrize(("persons", "told"), [(6, False), (7, True), (9, True), (10, False)])
def test_more_travellers_than_usual_that_still_fit(checkpoint, persons, told):
    # cars carry 2: 2 x exp(3.5 x 0.35) = 6.8; above 9 the record's own check says so
    checkpoint.add_passage(1, datetime(2021, 6, 1, 9), "in", persons, "MN41", "MN11")  # noqa: DTZ001
    texts = found(checkpoint, "occupancy_outlier", "message_en", "message_mn")
    assert bool(texts) == told
    assert all("car: 2" in english and "Суудлын машин: 2" in mongolian for english, mongolian in texts)


def test_what_many_carry_is_no_error(checkpoint):
    for _ in range(2):  # two of 32 cars
        checkpoint.add_passage(1, datetime(2021, 6, 1, 9), "in", 7, "MN41", "MN11")  # noqa: DTZ001
    assert found(checkpoint, "occupancy_outlier") == []


def test_no_temporary_table_is_left(checkpoint):
    found(checkpoint, "unit_missing")
    assert checkpoint.rows("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'rc_%'") == []

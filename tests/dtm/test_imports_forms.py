"""Check what a household survey, an event report and the further questions of the baseline become in the warehouse."""

from __future__ import annotations

import pytest

from dtm.imports import import_returns
from tests.dtm.imports_support import baseline_row, make_warehouse, middle, move_row, write_csv


@pytest.fixture
def warehouse(tmp_path):
    return make_warehouse(tmp_path / "w")


@pytest.fixture
def load(warehouse, tmp_path):
    def run(*tables, names=("a.csv", "b.csv", "c.csv"), **options):
        paths = [write_csv(tmp_path / name, rows) for name, rows in zip(names, tables, strict=False)]
        report = import_returns(*warehouse, paths, **options)
        for file in report.files:
            assert file.rows_read == file.accepted + file.quarantined + file.duplicate
        return report

    return run


def household_row(number=1, **changes):
    """Return a sound household: three persons in a ger who moved for work."""
    lon, lat = middle(1)
    row = {
        "instance_id": f"h{number}", "round": 2, "enumerator": "e3", "collected_at": "2024-02-11T12:00:00",
        "unit": "MN11070101", "lon": lon, "lat": lat, "accuracy_m": 6, "consent": "yes", "household_persons": 1,
        "dwelling": "ger", "registered": "yes", "reason": "work",
    }  # fmt: skip
    return {**row, **changes}


def member_row(number=1, **changes):
    return {
        "instance_id": f"h{number}", "sex": "female", "age_years": 34, "residence_1y": "MN62",
        "residence_5y": "abroad", "birthplace": "Архангай аймаг", "registered": "yes", "reason": "work", **changes,
    }  # fmt: skip


def event_row(number=1, **changes):
    return {
        "instance_id": f"v{number}", "enumerator": "e4", "collected_at": "2024-02-12T09:00:00", "unit": "MN11070101",
        "event_kind": "fire", "happened_on": "2024-02-11", "affected_households": 2, "affected_persons": 9,
        "dwellings_destroyed": 1, "dwellings_damaged": 1, "had_moves": "yes", **changes,
    }  # fmt: skip


def event_move_row(number=1, **changes):
    return {
        "instance_id": f"v{number}", "moved_from": "MN110701", "moved_to": "MN110702", "households": 1, "persons": 4,
        **changes,
    }  # fmt: skip


def rows(warehouse, sql):
    return warehouse[0].execute(sql).fetchall()


def codes(warehouse):
    return rows(
        warehouse,
        "SELECT code, sheet, row_number FROM finding WHERE stage = 'import' AND code <> 'gps_missing' ORDER BY ALL",
    )


def test_answers_get_a_row_for_each_choice_and_count(warehouse, load):
    load([baseline_row(problems="waste roads", safety="safe", employed_persons=12, school_age_persons="")])
    told = rows(warehouse, "SELECT pcode, question, choice, amount FROM answer ORDER BY question, choice")
    assert ("MN11070101", "problems", "roads", None) in told
    assert ("MN11070101", "problems", "waste", None) in told
    assert ("MN11070101", "employed_persons", None, 12) in told
    assert {question for _, question, _, _ in told} == {"problems", "safety", "employed_persons"}


def test_the_order_of_choices_makes_no_other_return_but_another_answer_does(warehouse, load):
    load([baseline_row(problems="waste roads", employed_persons=12)])
    again = load([baseline_row(problems="roads waste", employed_persons=12, remarks="again")], names=["b.csv"])
    assert again.files[0].duplicate == 1
    changed = load([baseline_row(problems="roads", employed_persons=12)], names=["c.csv"])
    assert changed.files[0].findings["content_changed"] == 1


def test_who_was_asked_is_known_from_the_answer_or_from_the_moves(warehouse, load):
    load(
        [
            baseline_row(had_arrivals="yes", had_departures="no"),
            baseline_row("MN11070102", had_arrivals="no", had_departures=""),
            baseline_row("MN11070201", had_arrivals="", had_departures=""),
        ],
        [move_row("origin"), move_row("origin", "MN11070201")],
    )
    assert rows(warehouse, "SELECT pcode, direction, had_moves FROM move_question ORDER BY ALL") == [
        ("MN11070101", "arrival", True),
        ("MN11070101", "departure", False),
        ("MN11070102", "arrival", False),
        ("MN11070201", "arrival", True),
    ]


def test_moves_of_a_return_that_denies_them_are_set_aside(warehouse, load):
    report = load(
        [baseline_row(had_arrivals="no", had_departures="yes")], [move_row("origin")], [move_row("destination")]
    )
    assert report.files[1].quarantined == 1
    assert codes(warehouse) == [("moves_not_expected", "arrivals", 2)]
    assert rows(warehouse, "SELECT direction FROM movement") == [("departure",)]


def test_a_return_that_tells_of_moves_without_any_gets_a_warning_until_they_come(warehouse, load):
    report = load([baseline_row(had_arrivals="yes")])
    assert report.files[0].findings["moves_missing"] == 1
    assert codes(warehouse) == [("moves_missing", "baseline", 2)]
    load([move_row("origin")], names=["b.csv"])
    assert codes(warehouse) == []
    assert rows(warehouse, "SELECT window_from::VARCHAR, pcode FROM movement") == [("2023-08-01", "MN11070101")]


def test_a_household_and_its_members(warehouse, load):
    report = load([household_row()], [member_row()])
    assert [file.findings for file in report.files] == [{}, {}]
    assert rows(
        warehouse, "SELECT pcode, consent, household_persons, dwelling, registered, reason FROM survey_household"
    ) == [("MN11070101", True, 1, "ger", True, "work")]
    assert rows(
        warehouse,
        "SELECT round_number, pcode, sex, age_years, residence_1y_pcode, residence_5y_pcode, birth_pcode, import_id, "
        "sheet, row_number FROM survey_person",
    ) == [(2, "MN11070101", "female", 34, "MN62", "abroad", "MN65", 2, "members", 2)]
    again = load([household_row(remarks="x")], [member_row()], names=["d.csv", "e.csv"])
    assert [file.duplicate for file in again.files] == [1, 1]


def test_of_a_household_that_refuses_only_the_refusal_is_kept(warehouse, load):
    refusal = household_row(consent="no", household_persons="", dwelling="", registered="", reason="")
    report = load([refusal], [member_row()])
    assert rows(warehouse, "SELECT * EXCLUDE (submission_id) FROM survey_household") == [
        (2, "MN11070101", False, None, None, None, None, None, None)
    ]
    assert rows(warehouse, "SELECT lon, lat, accuracy_m FROM submission") == [(None, None, None)]
    assert report.files[1].findings == {"no_consent": 1}
    assert rows(warehouse, "SELECT count(*) FROM survey_person") == [(0,)]
    assert rows(warehouse, "SELECT raw FROM quarantine") == [("{}",)]
    again = load([{**refusal, "remarks": "x"}], names=["d.csv"])
    assert again.files[0].duplicate == 1


def test_an_event_belongs_to_the_round_of_its_day_or_to_none(warehouse, load):
    report = load(
        [event_row(), event_row(2, collected_at="2024-06-01T09:00:00", happened_on="2024-06-01")],
        [event_move_row(), event_move_row(2), event_move_row(9)],
    )
    assert rows(
        warehouse, "SELECT round_number, pcode, event_kind, affected_persons, had_moves FROM event ORDER BY 1"
    ) == [
        (2, "MN11070101", "fire", 9, True),
        (None, "MN11070101", "fire", 9, True),
    ]
    assert rows(
        warehouse,
        "SELECT round_number, event_kind, origin_pcode, destination_pcode, persons FROM event_move ORDER BY 1",
    ) == [(2, "fire", "MN110701", "MN110702", 4), (None, "fire", "MN110701", "MN110702", 4)]
    assert report.files[1].findings == {"parent_missing": 1}
    again = load([event_row(remarks="again")], [event_move_row()], names=["d.csv", "e.csv"])
    assert [file.duplicate for file in again.files] == [1, 1]


def test_a_point_outside_the_declared_area_is_told_with_its_distance(warehouse, load):
    lon, lat = middle(2)  # 0.01 degrees of longitude are 747 m here, so the middle is 373 m from the border
    load([baseline_row(lon=lon, lat=lat), baseline_row("MN11070102", lon=108.0, lat=47.905)])
    messages = dict(rows(warehouse, "SELECT code, message_en FROM finding WHERE code LIKE 'gps_%'"))
    assert "MN110702, 37" in messages["gps_conflict"]
    assert "81.5 km" in messages["gps_outside"]


def test_returns_of_a_round_in_cleaning_are_late(warehouse, load):
    warehouse[0].execute("UPDATE round SET status = 'cleaning' WHERE number = 2")
    report = load([baseline_row()], [move_row("origin")])
    assert [file.findings for file in report.files] == [{"late_return": 1}, {}]
    assert report.files[0].accepted == 1


@pytest.mark.parametrize("state", ["rejected", "validation_status_not_approved", "Not approved"])
def test_a_rejected_return_is_set_aside_with_its_rows(warehouse, load, state):
    report = load([baseline_row(review_state=state, registered_persons="x")], [move_row("origin")])
    assert [file.findings for file in report.files] == [{"return_rejected": 1}, {"parent_rejected": 1}]
    assert [file.quarantined for file in report.files] == [1, 1]


def test_findings_name_the_unit(warehouse, load):
    load([baseline_row(deaths_persons=-1, had_arrivals="yes")], [move_row("origin", persons=0)])
    assert rows(warehouse, "SELECT DISTINCT pcode FROM finding WHERE code = 'negative'") == [("MN11070101",)]

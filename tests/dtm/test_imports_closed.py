"""Check that closed rounds keep their hours of watch, and that what comes again says and changes nothing."""

from __future__ import annotations

import pytest

from dtm.cleaning import Edit, apply_edits
from dtm.imports import import_returns
from dtm.waivers import open_errors
from tests.dtm.imports_support import baseline_row, make_warehouse, move_row, passage_row, write_csv


@pytest.fixture
def warehouse(tmp_path):
    return make_warehouse(tmp_path / "w")


@pytest.fixture
def load(warehouse, tmp_path):
    def run(name, rows, **options):
        return import_returns(*warehouse, [write_csv(tmp_path / name, rows)], **options).files[0]

    return run


def watch_row(day, hours=8):
    return {"checkpoint": "emeelt", "day": day, "hours_observed": hours}


def findings(connection):
    return connection.execute("SELECT code, round_number FROM finding WHERE stage = 'import' ORDER BY ALL").fetchall()


@pytest.mark.parametrize("options", [{}, {"round_number": 2}])
def test_hours_of_watch_of_a_closed_round_are_set_aside(warehouse, load, options):
    report = load("watch.csv", [watch_row("2024-01-10"), watch_row("2024-02-10")], **options)
    assert (report.accepted, report.quarantined, report.findings) == (1, 1, {"round_closed": 1})
    assert warehouse[0].execute("SELECT day::VARCHAR FROM watch").fetchall() == [("2024-02-10",)]


def test_hours_of_watch_of_a_closed_round_are_not_edited_and_outlive_edits_of_others(warehouse, load):
    connection, workspace = warehouse
    load("watch.csv", [watch_row("2024-02-10"), watch_row("2024-03-10")])
    connection.execute("UPDATE round SET status = 'signed_off' WHERE number = 2")
    refused = apply_edits(connection, workspace, [Edit("1:watch:2", "hours_observed", "8", "9", "asked", "analyst")])
    assert [one["code"] for one in refused.findings] == ["edit_round_closed"]
    done = apply_edits(connection, workspace, [Edit("1:watch:3", "hours_observed", "8", "9", "asked", "analyst")])
    assert not done.refused
    moved = apply_edits(connection, workspace, [Edit("1:watch:3", "day", "2024-03-10", "2024-02-11", "x", "analyst")])
    assert moved.refused
    again = load("again.csv", [watch_row("2024-02-10"), {**watch_row("2024-03-10"), "extra": ""}])
    assert (again.duplicate, again.quarantined) == (1, 1)
    assert connection.execute("SELECT day::VARCHAR, hours_observed FROM watch ORDER BY ALL").fetchall() == [
        ("2024-02-10", 8), ("2024-03-10", 9),
    ]  # fmt: skip


def test_an_error_in_hours_of_watch_belongs_to_the_round_of_its_day(warehouse, load):
    load("watch.csv", [watch_row("2024-02-10", 30)])
    assert {number for _, number in findings(warehouse[0])} == {2}


def test_what_comes_again_is_warned_of_once(warehouse, load):
    row = baseline_row(accuracy_m=400)
    first = load("a.csv", [row])
    before = findings(warehouse[0])
    assert first.findings
    again = load("b.csv", [{**row, "extra": ""}])
    assert (again.duplicate, again.findings) == (1, {"column_ignored": 1})
    assert [one for one in findings(warehouse[0]) if one[0] != "column_ignored"] == before


def test_a_return_that_came_in_two_versions_stays_when_both_come_again(warehouse, load):
    rows = [passage_row(1), passage_row(1, passed_at="2024-01-12T07:00:00")]
    for name in ("a.csv", "b.csv"):
        load(name, [{**row, name: ""} for row in rows], replace=True, source="kobo")
        assert warehouse[0].execute("SELECT instance_id, passed_at::DATE::VARCHAR FROM passage JOIN submission "
                                    "USING (submission_id)").fetchall() == [("p1", "2024-02-10")]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("baseline.csv", [baseline_row(), baseline_row("MN11070102", round="")]),
        ("arrivals.csv", [move_row("origin", instance_id="uuid-of-nobody")]),
        ("passages.csv", [passage_row(1, passed_at="in the morning")]),
        ("watch.csv", [watch_row("some day")]),
    ],
)
def test_an_error_whose_round_cannot_be_told_stands_against_the_newest_open_round(warehouse, load, name, rows):
    assert load(name, rows).quarantined == 1
    standing = [open_errors(warehouse[0], operation=warehouse[1].settings.operation, number=one) for one in (2, 3)]
    assert not standing[0]
    assert standing[1]


def test_a_return_of_a_closed_round_stands_against_no_other(warehouse, load):
    assert load("baseline.csv", [baseline_row(), baseline_row("MN11070102", round=1)]).quarantined == 1
    assert not open_errors(warehouse[0], operation=warehouse[1].settings.operation, number=3)

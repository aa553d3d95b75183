"""Check edits: what refuses them, what they change, that they can be taken back and that raw never changes."""

from __future__ import annotations

import csv
import hashlib

import openpyxl
import pytest

from dtm.cleaning import Edit, apply_edits, list_edits, read_edits, undo_edits, write_template
from dtm.errors import BadInputError, WrongUseError
from dtm.imports import import_returns
from tests.dtm.imports_support import baseline_row, make_warehouse, move_row, passage_row, write_csv

CANONICAL = (
    "submission", "stock", "vital", "answer", "move_question", "move_window", "movement", "passage", "watch",
    "survey_household", "survey_person", "event", "event_move", "quarantine",
)  # fmt: skip


@pytest.fixture
def warehouse(tmp_path):
    return make_warehouse(tmp_path / "w")


@pytest.fixture
def load(warehouse, tmp_path):
    def run(*tables, names=("a.csv", "b.csv", "c.csv"), **options):
        paths = [write_csv(tmp_path / name, rows) for name, rows in zip(names, tables, strict=False)]
        return import_returns(*warehouse, paths, **options)

    return run


def state(connection):
    """Return every canonical table, the findings and the counts of the imports."""
    tables = {name: connection.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall() for name in CANONICAL}
    tables["finding"] = connection.execute("SELECT * FROM finding ORDER BY ALL").fetchall()
    tables["import"] = connection.execute("SELECT * FROM import ORDER BY ALL").fetchall()
    return tables


def hashes(workspace):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in workspace.inbox_path.iterdir()}


def edit(record, field, old, new, **more):
    return Edit(record, field, old, new, more.get("reason", "asked again"), more.get("who", "analyst"), 2)


def counts(connection):
    rows = connection.execute(
        "SELECT rows_read, rows_accepted, rows_quarantined, rows_duplicate FROM import ORDER BY import_id"
    ).fetchall()
    for read, accepted, quarantined, duplicate in rows:
        assert read == accepted + quarantined + duplicate
    return [row[1:] for row in rows]


def test_an_edit_cures_a_return_and_its_moves_follow(warehouse, load):
    load([baseline_row(registered_persons="forty")], [move_row("origin")])
    connection, workspace = warehouse
    before, raw = state(connection), hashes(workspace)
    assert counts(connection) == [(0, 1, 0), (0, 1, 0)]
    report = apply_edits(connection, workspace, [edit("1:baseline:2", "registered_persons", "forty", "40")])
    assert (report.refused, report.accepted, report.quarantined) == (False, 2, -2)
    assert counts(connection) == [(1, 0, 0), (1, 0, 0)]
    assert connection.execute("SELECT persons FROM stock WHERE category = 'registered'").fetchall() == [(40,)]
    assert connection.execute("SELECT counterpart_pcode, sheet, row_number FROM movement").fetchall() == [
        ("MN62", "arrivals", 2)
    ]
    assert connection.execute("SELECT count(*) FROM finding WHERE stage = 'import'").fetchone() == (0,)
    undo_edits(connection, workspace, report.edit_ids, who="analyst", reason="wrong unit")
    assert state(connection) == before
    assert hashes(workspace) == raw
    log = list_edits(connection)
    assert [(one["old"], one["new"], one["undoes"], one["undone_by"]) for one in log] == [
        ("forty", "40", None, 2),
        ("40", "forty", 1, None),
    ]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"record": "1:baseline:9"}, "edit_unknown_record", "record"),
        ({"record": "7:baseline:2"}, "edit_unknown_record", "record"),
        ({"record": "baseline 2"}, "edit_unknown_record", "record"),
        ({"field": "people"}, "edit_unknown_field", "field"),
        ({"field": "submission_id"}, "edit_unknown_field", "field"),
        ({"old": "41"}, "edit_old_differs", "deaths_persons"),
        ({"old": None}, "edit_old_differs", "deaths_persons"),
        ({"reason": " "}, "edit_incomplete", "reason"),
        ({"who": ""}, "edit_incomplete", "who"),
        ({"new": ""}, "edit_incomplete", "new"),
        ({"new": "none"}, "edit_new_unusable", "deaths_persons"),
        ({"new": "-1"}, "edit_new_unusable", "deaths_persons"),
        ({"field": "actual_persons", "old": "42", "new": "43"}, "edit_new_unusable", "actual_persons"),
        ({"field": "unit", "old": "MN11070101", "new": "MN11070102"}, "edit_new_unusable", "unit"),
    ],
)
def test_a_file_with_one_edit_that_fails_changes_nothing(warehouse, load, changes, code, field):
    load([baseline_row(), baseline_row("MN11070102")])
    connection, workspace = warehouse
    before = state(connection)
    wrong = {"record": "1:baseline:2", "field": "deaths_persons", "old": "0", "new": "1", "reason": "r", "who": "w"}
    good = edit("1:baseline:3", "births_persons", "1", "2")
    report = apply_edits(connection, workspace, [good, Edit(**{**wrong, **changes}, row=3)], file_name="edits.csv")
    assert report.refused
    assert [(one["code"], one["field"], one["row_number"], one["file_name"]) for one in report.findings] == [
        (code, field, 3, "edits.csv")
    ]
    assert state(connection) == before
    assert list_edits(connection) == []


def test_old_may_be_as_sent_or_as_it_was_understood(warehouse, load):
    load([baseline_row(actual_persons=" 42.0 ", number_source="Count")])
    connection, workspace = warehouse
    for old in ("42", " 42.0", "42.0"):
        report = apply_edits(connection, workspace, [edit("1:baseline:2", "actual_persons", old, "x")])
        assert [one["code"] for one in report.findings] == ["edit_new_unusable"]
    report = apply_edits(connection, workspace, [edit("1:baseline:2", "number_source", "count", "register")])
    assert not report.refused
    assert list_edits(connection)[0]["old"] == "Count"


def test_a_closed_round_takes_no_edit(warehouse, load):
    load([baseline_row()])
    connection, workspace = warehouse
    connection.execute("UPDATE round SET status = 'signed_off' WHERE number = 2")
    report = apply_edits(connection, workspace, [edit("1:baseline:2", "deaths_persons", "0", "1")])
    assert [one["code"] for one in report.findings] == ["edit_round_closed"]
    connection.execute("UPDATE round SET status = 'cleaning' WHERE number = 2")
    assert not apply_edits(connection, workspace, [edit("1:baseline:2", "deaths_persons", "0", "1")]).refused


def test_an_edit_may_leave_other_errors_standing(warehouse, load):
    load([baseline_row(registered_persons="forty", male_persons=21)])
    connection, workspace = warehouse
    report = apply_edits(connection, workspace, [edit("1:baseline:2", "registered_persons", "forty", "40")])
    assert (report.refused, report.edits, report.accepted) == (False, 1, 0)
    assert connection.execute("SELECT code FROM finding WHERE stage = 'import'").fetchall() == [("sex_sum",)]


def test_the_second_return_of_a_unit_gets_its_chance_when_the_first_moves(warehouse, load):
    load([baseline_row(), baseline_row(instance_id="other", collected_at="2024-02-11T10:00:00")])
    connection, workspace = warehouse
    before = state(connection)
    assert counts(connection) == [(1, 1, 0)]
    report = apply_edits(connection, workspace, [edit("1:baseline:2", "unit", "MN11070101", "MN11070102")])
    assert counts(connection) == [(2, 0, 0)]
    assert connection.execute("SELECT instance_id, declared_pcode FROM submission ORDER BY 2").fetchall() == [
        ("other", "MN11070101"),
        ("uuid-MN11070101", "MN11070102"),
    ]
    undo_edits(connection, workspace, report.edit_ids, who="w", reason="r")
    assert state(connection) == before


def test_rejecting_sets_a_return_aside_with_its_moves_and_undo_brings_it_back(warehouse, load):
    load([baseline_row(), baseline_row("MN11070201")], [move_row("origin")])
    connection, workspace = warehouse
    before = state(connection)
    report = apply_edits(connection, workspace, [edit("1:baseline:2", "review_state", None, "rejected")])
    assert (report.refused, report.quarantined) == (False, 2)
    assert connection.execute("SELECT code, severity FROM finding WHERE stage = 'import' ORDER BY 1").fetchall() == [
        ("parent_rejected", "warning"),
        ("return_rejected", "error"),
    ]
    waived = (
        "SELECT w.reason, w.round_number FROM waiver w JOIN finding f USING (finding_id) WHERE code = 'return_rejected'"
    )
    assert connection.execute(waived).fetchall() == [("asked again", 2)]
    undo_edits(connection, workspace, report.edit_ids, who="w", reason="r")
    assert state(connection) == before


def test_approving_overrules_no_error(warehouse, load):
    load([baseline_row(male_persons=21)])
    connection, workspace = warehouse
    apply_edits(connection, workspace, [edit("1:baseline:2", "review_state", None, "approved")])
    assert counts(connection) == [(0, 1, 0)]


def test_the_same_export_again_is_a_duplicate_of_the_edited_return(warehouse, load):
    tables = [baseline_row()], [move_row("origin"), move_row("origin", persons=5, male_persons=3)]
    load(*tables)
    connection, workspace = warehouse
    edits = [
        edit("1:baseline:2", "deaths_persons", "0", "2"),
        edit("2:arrivals:3", "origin", "MN62", "MN65"),
    ]
    assert not apply_edits(connection, workspace, edits).refused
    before = {name: rows for name, rows in state(connection).items() if name not in ("import", "finding")}
    longer = [*tables[0], baseline_row("MN11070201")]
    report = load(longer, [*tables[1], move_row("origin", "MN11070201")], names=["d.csv", "e.csv"])
    assert [(file.accepted, file.quarantined, file.duplicate) for file in report.files] == [(1, 0, 1), (1, 0, 2)]
    for name in ("stock", "movement", "vital"):
        assert set(before[name]) <= set(state(connection)[name])
    undone = undo_edits(connection, workspace, [1, 2], who="w", reason="r")
    assert not undone.refused
    assert [row[2] for row in counts(connection)] == [0, 0, 1, 2]


def test_a_rejected_return_does_not_come_back_with_the_next_export(warehouse, load):
    load([baseline_row()])
    connection, workspace = warehouse
    apply_edits(connection, workspace, [edit("1:baseline:2", "review_state", None, "rejected")])
    report = load([baseline_row(), baseline_row("MN11070201")], names=["d.csv"])
    assert report.files[0].accepted == 1
    assert connection.execute("SELECT instance_id FROM submission").fetchall() == [("uuid-MN11070201",)]


def test_passages_and_watch_can_be_edited(warehouse, load):
    watch = [{"checkpoint": "emeelt", "day": "2024-02-10", "hours_observed": hours} for hours in (20, 24)]
    load([passage_row(1), passage_row(2, persons=4), passage_row(3)], watch)
    connection, workspace = warehouse
    before = state(connection)
    assert counts(connection) == [(2, 1, 0), (1, 1, 0)]
    edits = [
        edit("1:passages:3", "persons", "4", "3"),
        edit("1:passages:4", "origin", "MN62", "MN65"),
        edit("2:watch:3", "day", "2024-02-10", "2024-02-11"),
    ]
    report = apply_edits(connection, workspace, edits)
    assert not report.refused, report.findings
    assert counts(connection) == [(3, 0, 0), (2, 0, 0)]
    assert connection.execute(
        "SELECT sum(persons), count(*) FILTER (origin_pcode = 'MN65') FROM passage"
    ).fetchone() == (9, 1)
    assert connection.execute("SELECT day::VARCHAR, hours_observed FROM watch ORDER BY 1").fetchall() == [
        ("2024-02-10", 20),
        ("2024-02-11", 24),
    ]
    undo_edits(connection, workspace, report.edit_ids, who="w", reason="r")
    assert state(connection) == before


def test_an_undo_is_refused_under_a_later_edit_and_the_second_time(warehouse, load):
    load([baseline_row()])
    connection, workspace = warehouse
    apply_edits(connection, workspace, [edit("1:baseline:2", "deaths_persons", "0", "1")])
    apply_edits(connection, workspace, [edit("1:baseline:2", "deaths_persons", "1", "2")])
    report = undo_edits(connection, workspace, [1], who="w", reason="r")
    assert [one["code"] for one in report.findings] == ["edit_old_differs"]
    assert not undo_edits(connection, workspace, [1, 2], who="w", reason="r").refused
    report = undo_edits(connection, workspace, [2, 99], who="w", reason="r")
    assert [(one["code"], one["value"]) for one in report.findings] == [
        ("edit_unknown_undo", "99"),
        ("edit_unknown_undo", "2"),
    ]
    with pytest.raises(WrongUseError, match="--who"):
        undo_edits(connection, workspace, [1], who="", reason="r")


def test_a_trial_changes_nothing_and_a_missing_raw_file_is_named(warehouse, load):
    load([baseline_row(registered_persons="forty")])
    connection, workspace = warehouse
    before = state(connection)
    edits = [edit("1:baseline:2", "registered_persons", "forty", "40")]
    report = apply_edits(connection, workspace, edits, is_dry_run=True)
    assert (report.refused, report.accepted, report.edit_ids) == (False, 1, [])
    assert state(connection) == before
    next(workspace.inbox_path.iterdir()).unlink()
    with pytest.raises(BadInputError, match=r"a\.csv: the raw file of import 1 is not in the inbox"):
        apply_edits(connection, workspace, edits)


@pytest.mark.parametrize("name", ["edits.csv", "edits.xlsx"])
def test_a_template_filled_in_is_applied(warehouse, load, tmp_path, name):
    load([baseline_row(registered_persons="=forty", male_persons=21, lon="")])
    connection, workspace = warehouse
    path = tmp_path / name
    assert write_template(connection, path, workspace=workspace, round_number=2, language="mn") == 2
    assert read_edits(path, who="analyst") == []
    told = {"registered_persons": ("=forty", "40")}
    if name.endswith(".csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = list(csv.reader(file))
        assert not any(cell.startswith("=") for row in rows for cell in row)
    else:
        sheet = openpyxl.load_workbook(path).active
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
        header, *rows = [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)]
    assert [row[header.index("severity")] for row in rows] == ["error", "error"]
    assert "тоо биш" in rows[0][header.index("message")]
    for row in rows:
        if row[header.index("field")] in told:
            row[header.index("new")] = told[row[header.index("field")]][1]
            row[header.index("reason")] = "phoned"
    rows.append([*rows[0]])
    rows[-1][header.index("field")], rows[-1][header.index("old")], rows[-1][header.index("new")] = (
        "male_persons",
        "21",
        "20",
    )
    if name.endswith(".csv"):
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=";").writerows([header, *rows])
    else:
        book = openpyxl.Workbook()
        for row in [header, *rows]:
            book.active.append(row)
        for cells in book.active.iter_rows():
            for cell in cells:
                if cell.data_type == "f":
                    cell.data_type = "s"
        book.save(path)
    edits = read_edits(path, who="analyst")
    assert [(one.field, one.new, one.who) for one in edits] == [
        ("registered_persons", "40", "analyst"),
        ("male_persons", "20", "analyst"),
    ]
    report = apply_edits(connection, workspace, edits)
    assert (report.refused, report.accepted) == (False, 1), report.findings


def test_the_word_empty_makes_a_cell_empty(warehouse, load):
    load([baseline_row()])
    connection, workspace = warehouse
    assert not apply_edits(connection, workspace, [edit("1:baseline:2", "deaths_persons", "0", "(empty)")]).refused
    assert connection.execute("SELECT deaths_persons FROM vital").fetchall() == [(None,)]


def test_what_is_no_file_of_edits_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(BadInputError, match="record, field, old, new, reason"):
        read_edits(path)
    with pytest.raises(BadInputError, match="can't be read"):
        read_edits(tmp_path / "none.csv")
    path.write_bytes(b"PK\x03\x04 not a workbook")
    with pytest.raises(Exception, match=r"x\.csv"):
        read_edits(path)


def test_an_accepted_return_is_edited_before_any_round_is_closed(warehouse, load):
    connection, workspace = warehouse
    connection.execute("DELETE FROM round WHERE number = 1")
    load([baseline_row(), baseline_row("MN11070102")])
    before = state(connection)
    assert not apply_edits(connection, workspace, [edit("1:baseline:2", "unit", "MN11070101", "MN11070202")]).refused
    assert connection.execute("SELECT declared_pcode FROM submission ORDER BY ALL").fetchall() == [
        ("MN11070102",),
        ("MN11070202",),
    ]
    assert not undo_edits(connection, workspace, [1], who="analyst", reason="wrong unit").refused
    assert state(connection) == before
    assert counts(connection) == [(2, 0, 0)]

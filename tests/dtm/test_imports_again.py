"""The next export of a server brings what was set aside before: it is known, and its findings are there once."""

from __future__ import annotations

import json

import pytest

from dtm.imports import import_returns
from tests.dtm.imports_support import KHOROOS, baseline_row, make_warehouse, move_row, write_csv


@pytest.fixture
def warehouse(tmp_path):
    return make_warehouse(tmp_path / "w")


def _counts(report):
    return [(file.rows_read, file.accepted, file.quarantined, file.duplicate) for file in report.files]


def test_a_record_in_quarantine_that_comes_again_is_a_duplicate(warehouse, tmp_path):
    connection, workspace = warehouse
    sound, faulty, later = (f"{khoroo}01" for khoroo in KHOROOS[:3])
    rows = [baseline_row(sound), baseline_row(faulty, male_persons=1)]
    first = write_csv(tmp_path / "first.csv", rows)
    moves = write_csv(tmp_path / "arrivals.csv", [move_row("origin", faulty)])
    assert _counts(import_returns(connection, workspace, [first, moves])) == [(2, 1, 1, 0), (1, 0, 1, 0)]
    found = connection.execute("SELECT count(*) FROM finding").fetchone()
    rows.append(baseline_row(later))
    second = write_csv(tmp_path / "second.csv", rows)
    again = write_csv(tmp_path / "more.csv", [move_row("origin", unit) for unit in (faulty, later)])
    assert _counts(import_returns(connection, workspace, [second, again])) == [(3, 1, 0, 2), (2, 1, 0, 1)]
    assert connection.execute("SELECT count(*) FROM quarantine").fetchone() == (2,)
    assert connection.execute("SELECT count(*) FROM finding WHERE stage = 'import'").fetchone()[0] <= found[0]


def test_a_record_that_is_wrong_in_another_way_is_set_aside_too(warehouse, tmp_path):
    connection, workspace = warehouse
    for name, males in (("a", 1), ("b", 2)):
        path = tmp_path / f"{name}.csv"
        write_csv(path, [baseline_row(male_persons=males)])
        assert _counts(import_returns(connection, workspace, [path])) == [(1, 0, 1, 0)]
    assert connection.execute("SELECT count(*) FROM quarantine").fetchone() == (2,)


def test_a_return_that_stands_twice_in_a_document_counts_once_with_its_moves(warehouse, tmp_path):
    connection, workspace = warehouse
    told = {**baseline_row(), "_uuid": "u-1"}
    told.pop("instance_id")
    move = {name: value for name, value in move_row("origin").items() if name != "instance_id"}
    told["arrivals"] = [{f"arrivals/{name}": value for name, value in move.items()}] * 2
    path = tmp_path / "kobo.json"
    path.write_text(json.dumps({"count": 2, "next": None, "results": [told, told]}), encoding="utf-8")
    report = import_returns(connection, workspace, [path])
    assert [(t.name, t.rows_read, t.accepted, t.quarantined, t.duplicate) for t in report.files[0].tables] == [
        ("baseline", 2, 1, 0, 1), ("arrivals", 4, 2, 0, 2),
    ]  # fmt: skip
    assert connection.execute("SELECT count(*) FROM finding WHERE severity = 'error'").fetchone() == (0,)


def test_a_file_with_the_longest_name_a_folder_takes_is_imported(warehouse, tmp_path):
    connection, workspace = warehouse
    path = write_csv(tmp_path / f"{'хорооны мэдээ ' * 9}.csv", [baseline_row()])
    assert _counts(import_returns(connection, workspace, [path])) == [(1, 1, 0, 0)]
    assert [len(kept.name.encode()) < 256 for kept in workspace.inbox_path.iterdir()] == [True]

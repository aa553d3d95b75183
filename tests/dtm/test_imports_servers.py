"""Check that a server's newer returns take the place of older ones and that withdrawn ones are taken out."""

from __future__ import annotations

import pytest

from dtm.imports import import_returns
from tests.dtm.imports_support import baseline_row, make_warehouse, move_row, write_csv


@pytest.fixture
def warehouse(tmp_path):
    return make_warehouse(tmp_path / "w")


@pytest.fixture
def pull(warehouse, tmp_path):
    def run(number, *tables, **options):
        named = [pair for pair in zip("abc", tables, strict=False) if pair[1]]
        paths = [write_csv(tmp_path / f"{name}{number}.csv", rows) for name, rows in named]
        return import_returns(*warehouse, paths, source="odk", replace=True, **options)

    return run


def rows(warehouse, sql):
    return warehouse[0].execute(sql).fetchall()


def counts(warehouse):
    told = rows(
        warehouse, "SELECT rows_read, rows_accepted, rows_quarantined, rows_duplicate FROM import ORDER BY import_id"
    )
    assert all(read == sum(others) for read, *others in told)
    return [one[1:] for one in told]


LOG = "SELECT field, old, new, who FROM cleaning_log ORDER BY edit_id"


def test_an_edited_return_takes_the_place_of_the_stored_one_with_its_moves(warehouse, pull):
    pull(1, [baseline_row(), baseline_row("MN11070201")], [move_row("origin"), move_row("origin", "MN11070201")])
    report = pull(
        2,
        [baseline_row(deaths_persons=3), baseline_row("MN11070201")],
        [move_row("origin", persons=5, male_persons=3), move_row("origin", "MN11070201")],
    )
    assert [file.findings for file in report.files] == [{"edited_on_server": 1}, {}]
    assert counts(warehouse) == [(1, 0, 1), (1, 0, 1), (1, 0, 1), (1, 0, 1)]
    assert rows(warehouse, "SELECT deaths_persons FROM vital ORDER BY 1") == [(0,), (3,)]
    assert rows(warehouse, "SELECT pcode, persons FROM movement ORDER BY 1") == [("MN11070101", 5), ("MN11070201", 4)]
    assert rows(warehouse, LOG) == [
        ("(return)", "1:baseline:2", "3:baseline:2", "ODK Central"),
        ("(return)", "2:arrivals:2", "3:baseline:2", "ODK Central"),
    ]


def test_edited_moves_take_the_place_of_the_stored_ones(warehouse, pull):
    pull(1, [baseline_row()], [move_row("origin"), move_row("origin", origin="MN65")])
    report = pull(
        2, [baseline_row(remarks="x")], [move_row("origin", origin="MN62"), move_row("origin", origin="MN63")]
    )
    assert [file.findings for file in report.files] == [{}, {"edited_on_server": 1}]
    assert counts(warehouse) == [(1, 0, 0), (0, 0, 2), (0, 0, 1), (2, 0, 0)]
    assert rows(warehouse, "SELECT counterpart_pcode FROM movement ORDER BY 1") == [("MN62",), ("MN63",)]


def test_a_pull_of_the_same_changes_nothing(warehouse, pull):
    tables = [baseline_row()], [move_row("origin")]
    pull(1, *tables)
    before = rows(warehouse, "SELECT * FROM stock ORDER BY ALL"), rows(warehouse, "SELECT * FROM movement")
    report = pull(2, [{**tables[0][0], "remarks": "x"}], [{**tables[1][0], "remarks": "x"}])
    assert [file.duplicate for file in report.files] == [1, 1]
    assert (rows(warehouse, "SELECT * FROM stock ORDER BY ALL"), rows(warehouse, "SELECT * FROM movement")) == before
    assert rows(warehouse, LOG) == []


def test_a_new_version_with_an_error_takes_the_old_one_out_too(warehouse, pull):
    pull(1, [baseline_row()])
    pull(2, [baseline_row(male_persons=1)])
    assert counts(warehouse) == [(0, 0, 1), (0, 1, 0)]
    assert rows(warehouse, "SELECT count(*) FROM stock") == [(0,)]
    pull(3, [baseline_row(male_persons=20, deaths_persons=1)])
    assert counts(warehouse) == [(0, 0, 1), (0, 0, 1), (1, 0, 0)]
    assert rows(warehouse, "SELECT code FROM finding WHERE severity = 'error' AND stage = 'import'") == []


def test_without_replace_the_stored_return_stays(warehouse, pull, tmp_path):
    pull(1, [baseline_row()])
    path = write_csv(tmp_path / "z.csv", [baseline_row(deaths_persons=3)])
    assert import_returns(*warehouse, [path]).files[0].findings == {"content_changed": 1}
    assert rows(warehouse, "SELECT deaths_persons FROM vital") == [(0,)]


def test_a_corrected_return_from_a_file_settles_the_one_that_was_set_aside(warehouse, tmp_path):
    paths = [write_csv(tmp_path / f"{number}.csv", [baseline_row(male_persons=20 + number)]) for number in (1, 0)]
    import_returns(*warehouse, paths[:1])
    assert counts(warehouse) == [(0, 1, 0)]
    assert import_returns(*warehouse, paths[1:]).files[0].findings == {}
    assert counts(warehouse) == [(0, 0, 1), (1, 0, 0)]
    assert rows(warehouse, "SELECT code FROM finding WHERE stage = 'import'") == []
    assert rows(warehouse, LOG) == [("(return)", "1:baseline:2", "2:baseline:2", "file")]


def test_withdrawn_returns_go_to_quarantine_with_a_warning(warehouse, pull):
    pull(1, [baseline_row(), baseline_row("MN11070201")], [move_row("origin")])
    report = pull(2, [], withdrawn={"uuid-MN11070101": "deleted", "never-seen": "deleted"})
    assert report.withdrawn == 1
    assert counts(warehouse) == [(1, 1, 0), (0, 1, 0)]
    assert rows(warehouse, "SELECT instance_id FROM submission") == [("uuid-MN11070201",)]
    assert rows(warehouse, "SELECT count(*) FROM movement") == [(0,)]
    assert rows(warehouse, "SELECT code, round_number, message_en FROM finding WHERE stage = 'import'") == [
        (
            "withdrawn_on_server",
            2,
            (
                "instance_id: the return uuid-MN11070101 was taken back on the server: deleted. "
                "Ask who took it back; send it again if it should count."
            ),
        )
    ]
    assert pull(3, [], withdrawn={"uuid-MN11070101": "deleted"}).withdrawn == 0
    assert len(rows(warehouse, LOG)) == 2


def test_closed_rounds_keep_what_they_have(warehouse, pull):
    pull(1, [baseline_row(), baseline_row("MN11070201", round=3, collected_at="2024-03-10T10:00:00")])
    warehouse[0].execute("UPDATE round SET status = 'signed_off' WHERE number = 2")
    report = pull(
        2,
        [baseline_row(deaths_persons=9), baseline_row("MN11070201", round=3, collected_at="2024-03-11T10:00:00")],
        withdrawn={"uuid-MN11070101": "deleted"},
    )
    assert report.withdrawn == 0
    assert rows(warehouse, "SELECT round_number, deaths_persons FROM vital ORDER BY 1") == [(2, 0), (3, 0)]
    assert counts(warehouse) == [(1, 0, 1), (1, 1, 0)]

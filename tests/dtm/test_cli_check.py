from __future__ import annotations

import json

import pytest

from dtm.checks import check_rounds
from dtm.cli import main
from tests.dtm.imports_support import make_warehouse

FIGURES = [1012, 1030, 1021, 1034, 1027, 1043, 1403, 1052, 1047, 1060, 1055, 1071]


@pytest.fixture
def figures(tmp_path):
    path = tmp_path / "figures.csv"
    rows = [f"Ховд,{2010 + at},{value}" for at, value in enumerate(FIGURES)]
    path.write_text("\n".join(["place,year,persons", *rows]), encoding="utf-8")
    return path


def run(capsys, *words):
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    captured = capsys.readouterr()
    return left.value.code, captured.out, captured.err


def test_series_in_json_lists_each_finding(figures, capsys):
    code, out, _ = run(
        capsys, "check", "series", figures, "--key", "place", "--period", "year", "--value", "persons", "--json"
    )
    assert code == 0
    (found,) = json.loads(out)
    assert "1043" in found.pop("message_en")
    assert "1043" in found.pop("message_mn")
    assert found == {
        "code": "digits_swapped", "key": "Ховд", "period": "2016", "field": "persons", "value": "1403",
        "suggested": "1043",
    }  # fmt: skip


def test_series_on_a_terminal(figures, capsys):
    code, out, _ = run(capsys, "check", "series", figures, "--key", "place", "--period", "year", "--value", "persons")
    assert code == 0
    assert "digits_swapped" in out
    assert "1043" in out


def test_a_wrong_column_is_told_in_a_sentence(figures, capsys):
    code, _, err = run(capsys, "check", "series", figures, "--key", "plase", "--period", "year", "--value", "persons")
    assert code == 3
    assert "there is no column 'plase'; the file has: place, year, persons" in err.replace("\n", " ")


def test_check_by_itself_still_checks_the_rounds(tmp_path, capsys):
    assert run(capsys, "init", tmp_path / "city")[0] == 0
    code, out, _ = run(capsys, "check", "--workspace", tmp_path / "city", "--json")
    assert code == 0
    assert json.loads(out) == {"rounds": [], "findings": []}
    assert run(capsys, "check", "--workspace", tmp_path / "city", "--round", "4")[0] == 2


def test_the_example_of_a_code_is_one_row_of_one_file(tmp_path):
    connection, _ = make_warehouse(tmp_path / "w")
    rows = [("b.csv", 3, "C16"), ("a.csv", 15, "E1"), ("c.csv", 1, "C62")]
    connection.executemany(
        "INSERT INTO finding (round_number, subject, code, severity, file_name, row_number, message_en, message_mn, "
        "stage) VALUES (2, 'kheseg-baseline', 'not_a_number', 'error', ?, ?, ?, ?, 'import')",
        [(name, row, text, text) for name, row, text in rows],
    )
    report = check_rounds(connection, operation="Ulaanbaatar population tracking", round_number=2)
    (found,) = report["findings"]
    assert (found["count"], found["file_name"], found["first_row"], found["example_en"]) == (3, "a.csv", 15, "E1")

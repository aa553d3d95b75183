"""Check that the list of enumerators takes pseudonyms only, whole or not at all, and replaces the one before."""

from __future__ import annotations

from datetime import date

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from dtm import enumerators as module
from dtm._warehouse_tables import WAREHOUSE_TABLES
from dtm.engine import connect
from dtm.enumerators import list_enumerators, load_enumerators, personal_data_in
from dtm.errors import BadInputError
from enumerations.errors import EnumerationsError

HEADER = "enumerator,role,unit,trained_on"
LETTERS = st.sampled_from("абвгдеёжзиклмноөпрстуүфхцчшыэюяbcdghklmnprstz")
WORD = st.builds(lambda first, rest: first.upper() + rest, LETTERS, st.text(LETTERS, min_size=1, max_size=8))


@pytest.fixture
def connection():
    with connect(spatial=False) as opened:
        for name in ("enumerator", "area", "submission"):
            opened.execute(WAREHOUSE_TABLES[name].create_sql())
        opened.execute(
            "INSERT INTO area BY NAME SELECT 'k' AS area_set, 1 AS version, unnest(['MN110701', 'MN11070101']) AS "
            "pcode, 4 AS level, 'POINT(1 1)'::GEOMETRY AS geometry"
        )
        yield opened


def write(path, *lines, header=HEADER, encoding="utf-8"):
    path.write_text("\n".join([header, *lines]) + "\n", encoding=encoding)
    return path


def codes(report):
    return [(finding.code, finding.row_number) for finding in report.findings]


def test_a_list_is_loaded_and_replaces_the_one_before(connection, tmp_path):
    file = write(tmp_path / "a.csv", "E1,kheseg_leader,MN11070101,2025-03-14", "C4,checkpoint,emeelt,", "E2,,,")
    report = load_enumerators(connection, file)
    assert (report.loaded, report.replaced, report.findings) == (3, 0, [])
    connection.execute(
        "INSERT INTO submission BY NAME SELECT 1 AS submission_id, 1 AS import_id, 'x' AS instance_id, 'f' AS form, "
        "1 AS row_number, 'E1' AS enumerator"
    )
    assert list_enumerators(connection) == [
        {"enumerator": "E1", "role": "kheseg_leader", "unit": "MN11070101", "trained_on": date(2025, 3, 14),
         "returns": 1},
        {"enumerator": "C4", "role": "checkpoint", "unit": "emeelt", "trained_on": None, "returns": 0},
        {"enumerator": "E2", "role": None, "unit": None, "trained_on": None, "returns": 0},
    ]  # fmt: skip
    again = load_enumerators(connection, write(tmp_path / "b.csv", "E9,Хорооны ажилтан,MN110701,"))
    assert (again.loaded, again.replaced) == (1, 3)
    assert [(row["enumerator"], row["role"]) for row in list_enumerators(connection)] == [("E9", "khoroo_officer")]


def test_columns_come_in_any_order_with_any_delimiter_and_blank_rows(connection, tmp_path):
    file = write(tmp_path / "a.csv", "2025-03-14;;E1;Kheseg leader", ";;;", header="Trained on;Unit;Enumerator;Role",
                 encoding="utf-8-sig")  # fmt: skip
    assert load_enumerators(connection, file).rows_read == 1
    [row] = list_enumerators(connection)
    assert (row["enumerator"], row["role"], row["trained_on"]) == ("E1", "kheseg_leader", date(2025, 3, 14))


def test_a_workbook_is_read_with_its_dates_and_numbers(connection, tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx", {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER.split(","))
        sheet.write_row(1, 0, [17, "other", "MN110701"])
        sheet.write_datetime(1, 3, module.datetime.fromisoformat("2025-03-14"))
    assert load_enumerators(connection, tmp_path / "a.xlsx").findings == []
    [row] = list_enumerators(connection)
    assert (row["enumerator"], row["trained_on"]) == ("17", date(2025, 3, 14))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (",kheseg_leader,MN110701,", "enumerator_missing"),
        ("Bat Bold,,,", "enumerator_personal"),
        ("E1,boss,,", "enumerator_role"),
        ("E1,,,14.03.2025", "enumerator_date"),
        ("E1,,,2025-02-30", "enumerator_date"),
        ("E" + "1" * 60 + ",,,", "enumerator_long"),
    ],
)
def test_one_error_refuses_the_whole_list(connection, tmp_path, line, code):
    load_enumerators(connection, write(tmp_path / "before.csv", "E0,,,"))
    report = load_enumerators(connection, write(tmp_path / "a.csv", "E5,,,", line))
    assert report.refused
    assert (report.loaded, codes(report)) == (0, [(code, 3)])
    assert [row["enumerator"] for row in list_enumerators(connection)] == ["E0"]


def test_a_name_twice_is_refused_and_an_unknown_unit_is_told(connection, tmp_path):
    twice = load_enumerators(connection, write(tmp_path / "a.csv", "E1,,,", "E1,,,"))
    assert codes(twice) == [("enumerator_twice", None)]
    unknown = load_enumerators(connection, write(tmp_path / "b.csv", "E1,,MN99,"))
    assert (codes(unknown), unknown.refused, unknown.loaded) == ([("enumerator_unit", 2)], False, 1)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Bat Bold", "name"), ("Бат Болд", "name"), ("Б.Болд", "name"), ("Б. Болд", "name"),
        ("Бат-Эрдэнэ Болд", "name"), ("One Two Three", "name"),
        ("a@b.mn", "email"), ("99112233", "phone"), ("+976 9911-2233", "phone"),
        ("УБ12345678", "document"), ("E11070103", None), ("C18", None), ("17", None), ("leader 3", None),
        ("Kheseg 3", None), ("хэсэг-3", None), ("K110701", None), ("alpha", None),
    ],
)  # fmt: skip
def test_what_looks_like_a_person(text, kind):
    assert personal_data_in(text) == kind


@given(first=WORD, second=WORD, between=st.sampled_from([" ", "  ", ". ", "."]))
def test_two_words_with_capital_letters_are_a_name(first, second, between):
    assert personal_data_in(first + between + second) == "name"


def test_personal_data_is_not_repeated_in_the_message(connection, tmp_path):
    report = load_enumerators(connection, write(tmp_path / "a.csv", "Bat Bold,,,", "Bat Bold,,,"))
    assert report.refused
    assert "Bold" not in str(report.to_dict())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"enumerator,role\nE1,x\n", "no column unit, trained_on"),
        (b"enumerator,role,unit,unit,trained_on\n", "names a column twice"),
        ("enumerator,role\nБ,x\n".encode("cp1251"), "not UTF-8"),
        (b'enumerator,role,unit,trained_on\n"E1"x,,,\n', "not a CSV file"),
    ],
)
def test_a_file_that_can_not_be_used_is_named_with_the_cause(connection, tmp_path, content, says):
    file = tmp_path / "list.csv"
    file.write_bytes(content)
    with pytest.raises(BadInputError, match=rf"list\.csv: .*{says}"):
        load_enumerators(connection, file)


def test_a_file_is_read_up_to_its_limits(connection, tmp_path, monkeypatch):
    file = write(tmp_path / "a.csv", "E1,,,", "E2,,,")
    monkeypatch.setattr(module, "ROWS_MAX", 2)
    assert load_enumerators(connection, file).loaded == 2
    monkeypatch.setattr(module, "ROWS_MAX", 1)
    with pytest.raises(BadInputError, match="2 rows"):
        load_enumerators(connection, file)
    monkeypatch.setattr(module, "FILE_SIZE_MAX_BYTES", file.stat().st_size - 1)
    with pytest.raises(BadInputError, match="bytes"):
        load_enumerators(connection, file)


def test_a_workbook_that_is_none_is_refused(connection, tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04 nothing more")
    with pytest.raises((BadInputError, EnumerationsError)):
        load_enumerators(connection, tmp_path / "a.xlsx")
    with pytest.raises(BadInputError, match="No such file"):
        load_enumerators(connection, tmp_path / "absent.csv")

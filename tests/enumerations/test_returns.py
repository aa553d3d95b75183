from __future__ import annotations

import gzip
import json
from datetime import date, datetime

import openpyxl
import pytest

from dtm.engine import connect
from enumerations.errors import (
    EmptyFileError,
    MissingColumnsError,
    RepeatedColumnError,
    UnknownFormError,
    WrongFileTypeError,
)
from enumerations.returns import stage_returns

HEADER = "instance_id,origin,persons,reason"


@pytest.fixture
def connection():
    return connect(spatial=False)


def rows_of(connection, staged):
    names = ["instance_id", staged.header.table.marks[0], "persons"]
    columns = ", ".join(staged.source(name) or "NULL" for name in names)
    return connection.execute(f"SELECT record, fault, {columns} FROM {staged.relation} ORDER BY record").fetchall()


def stage(connection, tmp_path, content, name="moves.csv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return stage_returns(connection, path, "t", **options)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "windows-1251"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv_of_any_delimiter_and_encoding(connection, tmp_path, delimiter, encoding, newline):
    text = newline.join([HEADER, "a,Архангай аймаг,4,work", "b,Дундговь аймаг,5,study", ""]).replace(",", delimiter)
    (staged,) = stage(connection, tmp_path, text.encode(encoding))
    assert staged.header.table.name == "arrivals"
    assert rows_of(connection, staged) == [
        (2, None, "a", "Архангай аймаг", "4"),
        (3, None, "b", "Дундговь аймаг", "5"),
    ]


def test_compressed_csv(connection, tmp_path):
    (staged,) = stage(connection, tmp_path, gzip.compress(f"{HEADER}\na,MN62,4,work\n".encode()), "moves.csv.gz")
    assert rows_of(connection, staged) == [(2, None, "a", "MN62", "4")]


def test_cut_compressed_csv_is_refused(connection, tmp_path):
    packed = gzip.compress(f"{HEADER}\n".encode() + bytes(range(65, 91)) * 5000)
    with pytest.raises(WrongFileTypeError, match=r"moves\.csv\.gz: the compressed file is damaged or cut"):
        stage(connection, tmp_path, packed[: len(packed) // 2], "moves.csv.gz")


def test_ragged_rows_keep_their_number_and_the_others_are_read(connection, tmp_path):
    (staged,) = stage(connection, tmp_path, f"{HEADER}\na,MN62,4,work\nb,MN62\nc,MN62,4,work,7,8\nd,MN65,2,study\n")
    assert rows_of(connection, staged) == [
        (2, None, "a", "MN62", "4"),
        (3, "ragged_row", "b", "MN62", None),
        (4, "ragged_row", "c", "MN62", "4"),
        (5, None, "d", "MN65", "2"),
    ]


def test_a_file_cut_in_the_middle_names_its_last_record(connection, tmp_path):
    (staged,) = stage(connection, tmp_path, f"{HEADER}\na,MN62,4,work\nb,MN")
    assert rows_of(connection, staged)[1][:2] == (3, "cut_row")


def test_nul_bytes_spoil_their_record_only(connection, tmp_path):
    (staged,) = stage(connection, tmp_path, f"{HEADER}\na,MN62,4,work\nb,MN\0\0,4,work\n")
    assert [row[:2] for row in rows_of(connection, staged)] == [(2, None), (3, "unreadable_text")]


def test_a_damaged_letter_spoils_its_record_only(connection, tmp_path):
    text = f"{HEADER}\na,Архангай аймаг,4,work\nb,Дундговь,5,work\n".encode()
    (staged,) = stage(connection, tmp_path, text.replace("говь".encode(), b"\xd0" + "овь".encode()))
    assert [row[:2] for row in rows_of(connection, staged)] == [(2, None), (3, "unreadable_text")]


def test_empty_records_and_tags_are_no_records(connection, tmp_path):
    (staged,) = stage(connection, tmp_path, f"{HEADER}\n#id,#adm1,#affected,\na,MN62,4,work\n,,,\n\nb,MN62,1,work\n")
    assert [row[2] for row in rows_of(connection, staged)] == ["a", "b"]


def test_quoted_cells_hold_delimiters_and_lines(connection, tmp_path):
    (staged,) = stage(connection, tmp_path, f'{HEADER}\na,"Archangai, ""north""",4,"two\nlines"\nb,MN62,1,work\n')
    assert rows_of(connection, staged)[0][3] == 'Archangai, "north"'
    assert rows_of(connection, staged)[1][0] == 3


def test_a_file_of_thousands_of_rows_is_read_whole(connection, tmp_path):
    text = HEADER + "\n" + "".join(f"a{number},MN62,1,work\n" for number in range(50_000))
    (staged,) = stage(connection, tmp_path, text + "broken\n")
    counted = connection.execute(f"SELECT count(*), count(fault), max(record) FROM {staged.relation}").fetchone()
    assert counted == (50_001, 1, 50_002)


@pytest.mark.parametrize(
    ("content", "name", "error", "words"),
    [
        (b"", "a.csv", EmptyFileError, "a.csv: the file is empty"),
        (b"\n\n \n", "a.csv", EmptyFileError, "the file is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a.csv", WrongFileTypeError, "this is a PNG picture"),
        (b"PK\x03\x04" + bytes(100), "a.xlsx", WrongFileTypeError, "can't be opened"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "a.xlsx", WrongFileTypeError, "protected by a password"),
        (b'{"results": [{"a": 1}', "a.json", WrongFileTypeError, "not readable as JSON at line 1"),
        (b'{"type": "FeatureCollection"}', "a.json", WrongFileTypeError, "needs 'results'"),
        (b'{"results": []}', "a.json", EmptyFileError, "holds no returns"),
        (b"colour,shape\nred,round\n", "a.csv", UnknownFormError, "fits no form. Found: colour, shape"),
        (bytes(range(1, 256)) * 40, "a.csv", Exception, "a.csv"),
    ],
)
def test_files_that_are_no_returns_are_refused_by_name(connection, tmp_path, content, name, error, words):
    with pytest.raises(error, match=r"(?s).*") as caught:
        stage(connection, tmp_path, content, name)
    assert words in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_missing_file_is_refused(connection, tmp_path):
    with pytest.raises(WrongFileTypeError, match="can't be read"):
        stage_returns(connection, tmp_path / "nothing.csv", "t")


def test_missing_columns_are_listed_with_what_was_probably_meant(connection, tmp_path):
    header = "instance_id,checkpoint,direction,passed_on,persons,origin,purpose"
    with pytest.raises(MissingColumnsError) as caught:
        stage(connection, tmp_path, f"{header}\n1,2,3,4,5,6,7\n")
    assert "table 'passages' of form checkpoint-registry lacks the required columns: " in str(caught.value)
    assert "passed_at (is 'passed_on' meant?), destination" in str(caught.value)
    assert f"Found: {header.replace(',', ', ')}." in str(caught.value)


def test_the_same_column_twice_is_refused(connection, tmp_path):
    with pytest.raises(RepeatedColumnError, match="more than once: persons"):
        stage(connection, tmp_path, "instance_id,origin,persons,Persons\na,MN62,4,5\n")


def test_unused_columns_are_named(connection, tmp_path):
    (staged,) = stage(connection, tmp_path, "instance_id,origin,persons,resaon,_id\na,MN62,4,work,9\n")
    assert [(one.code, one.value) for one in staged.findings] == [("column_ignored", "resaon")]
    assert "reason" in staged.findings[0].message_en


def workbook(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_workbook_keeps_zeros_dates_and_row_numbers(connection, tmp_path):
    path = workbook(
        tmp_path / "b.xlsx",
        passages=[
            ["Checkpoints of February"],
            [],
            [None, "instance_id", "checkpoint", "direction", "passed_at", "persons", "origin", "destination"],
            [],
            [None, "007", "emeelt", "in", datetime(2024, 2, 10, 7, 30), 3, "MN62", "MN11"],  # noqa: DTZ001
            [None, 8, "emeelt", "in", date(2024, 2, 11), 2.0, "MN62", "MN11"],
            [None, 9.5, "emeelt", "in", 45332.25, 2.5, "MN62", "MN11"],
        ],
        Notes=[["please read"], ["thank you"]],
    )
    (staged,) = stage_returns(connection, path, "t")
    names = ["instance_id", "passed_at", "persons"]
    columns = ", ".join(str(staged.source(name)) for name in names)
    assert connection.execute(f"SELECT record, {columns} FROM {staged.relation} ORDER BY record").fetchall() == [
        (5, "007", "2024-02-10T07:30:00", "3"),
        (6, "8", "2024-02-11", "2"),
        (7, "9.5", "2024-02-10T06:00:00", "2.5"),
    ]
    assert [(one.code, one.sheet) for one in staged.findings] == [("sheet_ignored", "Notes")]


def test_workbook_without_returns_is_refused(connection, tmp_path):
    with pytest.raises(EmptyFileError, match="the workbook is empty"):
        stage_returns(connection, workbook(tmp_path / "b.xlsx", Sheet=[[]]), "t")
    with pytest.raises(UnknownFormError, match="sheet 'Sheet'"):
        stage_returns(connection, workbook(tmp_path / "c.xlsx", Sheet=[["colour"], ["red"]]), "t")


def test_kobo_groups_repeats_and_system_fields(connection, tmp_path):
    result = {
        "_id": 1,
        "_uuid": "u1",
        "formhub/uuid": "f",
        "__version__": "v2",
        "_submission_time": "2024-02-10T02:00:00",
        "place/unit": "MN11070101",
        "people/registered_persons": "40",
        "people/actual_persons": 42.0,
        "people/registered_households": 10,
        "people/actual_households": "11",
        "_geolocation": [47.905, 106.905],
        "_validation_status": {"uid": "validation_status_approved", "label": "Approved"},
        "_attachments": [],
        "arrivals": [{"arrivals/origin": "MN62", "arrivals/who/persons": "4"}, {"arrivals/origin": "abroad"}],
    }
    document = json.dumps({"count": 1, "next": None, "results": [result, {**result, "_uuid": "u2", "arrivals": []}]})
    baseline, arrivals = stage(connection, tmp_path, document, "data.json")
    wanted = ["instance_id", "collected_at", "unit", "lon", "lat", "actual_persons", "review_state", "form_version"]
    columns = ", ".join(str(baseline.source(name)) for name in wanted)
    first = connection.execute(f"SELECT {columns} FROM {baseline.relation} ORDER BY record").fetchone()
    assert first == (
        "u1", "2024-02-10T02:00:00Z", "MN11070101", "106.905", "47.905", "42", "validation_status_approved", "v2",
    )  # fmt: skip
    assert rows_of(connection, arrivals) == [(1, None, "u1", "MN62", "4"), (2, None, "u1", "abroad", None)]

from __future__ import annotations

import datetime as dt
import resource
import sys
import zipfile

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from dtm.engine import connect
from enumerations import _header_rows
from enumerations._excel_cells import MomentReader, number_text
from enumerations._workbooks import sheet_texts
from enumerations._xlsx_parts import CELL_CHARACTERS_MAXIMUM, NumberFormat, number_format
from enumerations._xlsx_rows import column_letters, column_number
from enumerations.errors import EnumerationsError, RepeatedColumnError, WrongFileTypeError
from enumerations.returns import stage_returns
from tests.enumerations.xlsx_parts import (
    MAIN,
    book_xml,
    header_row,
    move_row,
    number,
    parts,
    row,
    sheet_xml,
    text,
    write_book,
)

COLUMNS = ("instance_id", "origin", "persons", "reason")


def moment(*parts):
    return dt.datetime(*parts)  # noqa: DTZ001  Excel's moments have no zone


@pytest.fixture(scope="module")
def connection():
    return connect(spatial=False)


def read(connection, staged, columns=COLUMNS):
    sources = ", ".join(staged.source(name) or "NULL" for name in columns)
    query = f"SELECT record, fault, fault_value, {sources} FROM {staged.relation} ORDER BY record"
    return connection.execute(query).fetchall()


def stage(connection, tmp_path, entries, **options):
    (staged,) = stage_returns(connection, write_book(tmp_path / "a.xlsx", entries), "t", **options)
    return read(connection, staged), {(one.code, one.row_number, one.value) for one in staged.findings}, staged


def codes(staged):
    return [one.code for one in staged.findings]


def test_the_saved_value_of_a_formula_is_used_and_said(connection, tmp_path):
    formula = '<c r="C2"><f>SUM(E2:F2)</f><v>4</v></c>'
    text_formula = '<c r="B3" t="str"><f>"MN"&amp;62</f><v>MN62</v></c>'
    shared = '<c r="C3"><f t="shared" si="0"/><v>5</v></c>'
    rows, _, staged = stage(
        connection,
        tmp_path,
        parts(
            sheet_xml(
                header_row(),
                row(2, text("A2", "a"), text("B2", "MN62"), formula, text("D2", "work")),
                row(3, text("A3", "b"), text_formula, shared, text("D3", "work")),
            )
        ),
    )
    assert rows == [(2, None, None, "a", "MN62", "4", "work"), (3, None, None, "b", "MN62", "5", "work")]
    told = [(one.code, one.sheet, one.row_number, one.field, one.value, one.severity) for one in staged.findings]
    assert told == [
        ("formula_cell", "arrivals", 3, "origin", "B3", "warning"),
        ("formula_cell", "arrivals", 2, "persons", "C2", "warning"),
    ]
    assert "as do 2 cells of its column in all" in staged.findings[1].message_en


def test_a_formula_nobody_calculated_sets_its_record_aside(connection, tmp_path):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.active.append(list(COLUMNS))
    book.active.append(["a", "MN62", "=2+2", "work"])
    book.active.append(["b", "MN62", 3, "work"])
    book.save(path)
    (staged,) = stage_returns(connection, path, "t")
    assert read(connection, staged) == [
        (2, "formula_without_value", "C2", "a", "MN62", None, "work"),
        (3, None, None, "b", "MN62", "3", "work"),
    ]


def test_error_cells_set_their_record_aside(connection, tmp_path):
    bad = row(2, text("A2", "a"), text("B2", "MN62"), '<c r="C2" t="e"><f>X1/0</f><v>#REF!</v></c>')
    rows, _, _ = stage(connection, tmp_path, parts(sheet_xml(header_row(), bad, move_row(3, "b"))))
    assert [line[:3] for line in rows] == [(2, "error_cell", "C2 #REF!"), (3, None, None)]


@pytest.mark.parametrize(
    ("letters", "fault", "kept"),
    [(CELL_CHARACTERS_MAXIMUM, None, CELL_CHARACTERS_MAXIMUM), (CELL_CHARACTERS_MAXIMUM + 1, "cell_too_long", 60),
     (10_000_000, "cell_too_long", 60)],
)  # fmt: skip
@pytest.mark.parametrize("is_shared", [False, True])
def test_cells_of_megabytes(connection, tmp_path, letters, fault, kept, is_shared):
    long = "x" * letters
    cell = '<c r="D2" t="s"><v>0</v></c>' if is_shared else text("D2", long)
    entries = parts(
        sheet_xml(header_row(), row(2, text("A2", "a"), text("B2", "MN62"), number("C2", 4), cell), move_row(3, "b"))
    )
    if is_shared:
        entries["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}"><si><t>{long}</t></si></sst>'
    rows, _, _ = stage(connection, tmp_path, entries)
    assert (rows[0][1], len(rows[0][6])) == (fault, kept)
    assert rows[1][1] is None


@pytest.mark.parametrize("is_1904", [False, True])
def test_dates_are_those_that_openpyxl_writes(connection, tmp_path, is_1904):
    moments = [
        moment(2024, 2, 29, 23, 59, 59), moment(2024, 1, 1), moment(2000, 3, 1, 12),
        moment(1999, 12, 31, 0, 0, 1), moment(2026, 11, 22, 7, 30),
    ]  # fmt: skip
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    if is_1904:
        book.epoch = CALENDAR_MAC_1904
    book.active.append(["instance_id", "checkpoint", "direction", "passed_at", "persons", "origin", "destination"])
    for place, one in enumerate(moments):
        book.active.append([str(place), "emeelt", "in", one, 3, "MN62", "MN11"])
    book.save(path)
    (staged,) = stage_returns(connection, path, "t")
    passed = [dt.datetime.fromisoformat(line[3]) for line in read(connection, staged, ["passed_at"])]
    assert passed == moments


@given(days=st.floats(0, 2_958_465, allow_nan=False), is_1904=st.booleans())
def test_every_day_of_both_date_systems_is_openpyxls(days, is_1904):
    told = MomentReader(is_1904=is_1904).moment(days)
    seconds = round(days * 86_400)
    if is_1904 and days >= 2_957_004:
        assert told is None  # beyond the year 9999
        return
    expected = from_excel(seconds / 86_400, CALENDAR_MAC_1904 if is_1904 else CALENDAR_WINDOWS_1900)
    if isinstance(expected, dt.time):
        told, expected = f"1900-01-01T{told}", dt.datetime.combine(dt.date(1900, 1, 1), expected)
    assert abs(dt.datetime.fromisoformat(told) - expected) <= dt.timedelta(seconds=1)


def test_plain_numbers_in_a_date_column_are_days_of_the_workbooks_own_system(connection, tmp_path):
    names = ("checkpoint", "day", "hours_observed")
    line = row(2, text("A2", "emeelt"), number("B2", 45332), number("C2", 12))
    for is_1904, day in ((False, "2024-02-10"), (True, "2028-02-11")):
        entries = parts(sheet_xml(header_row(names=names), line))
        entries["xl/workbook.xml"] = book_xml(date1904=is_1904)
        path = write_book(tmp_path / "a.xlsx", entries)
        (staged,) = stage_returns(connection, path, "t")
        assert read(connection, staged, ["day"])[0][3] == day


def test_codes_keep_their_zeros_and_counts_stay_counts(connection, tmp_path):
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        padded, day = book.add_format({"num_format": "0000"}), book.add_format({"num_format": "yyyy-mm-dd"})
        for place, name in enumerate(COLUMNS):
            sheet.write_string(0, place, name)
        sheet.write_string(1, 0, "007")
        sheet.write_number(1, 1, 62, padded)
        sheet.write_number(1, 2, 12, day)
        sheet.write_number(2, 0, 7, padded)
        sheet.write_number(2, 1, 12345, padded)
        sheet.write_number(2, 2, 3, padded)
        sheet.write_number(2, 3, 0.1)
    (staged,) = stage_returns(connection, path, "t")
    assert [line[3:] for line in read(connection, staged)] == [
        ("007", "0062", "12", None), ("0007", "12345", "3", "0.1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("000", NumberFormat(digits=3)), ("0", NumberFormat()), ("0.00", NumberFormat()), ("General", NumberFormat()),
        ('"MN"00', NumberFormat(digits=2)), ("yyyy-mm-dd", NumberFormat(is_date=True)),
        ("[$-450]d mmmm", NumberFormat(is_date=True)), ("[h]:mm", NumberFormat()), ("[Red]0;[Blue]-0", NumberFormat()),
        ('0" dayshift"', NumberFormat()), ("dd/mm/yy\\ hh:mm", NumberFormat(is_date=True)), ("@", NumberFormat()),
    ],
)  # fmt: skip
def test_number_formats(code, expected):
    assert number_format("164", {"164": code}) == expected


@pytest.mark.parametrize(
    ("identifier", "is_date"), [("14", True), ("22", True), ("46", False), ("2", False), ("x", False)]
)
def test_number_formats_that_excel_has_built_in(identifier, is_date):
    assert number_format(identifier, {}).is_date == is_date


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("4", "4"), ("4.0", "4"), ("0.10000000000000001", "0.1"), ("1E3", "1000"), ("-3", "-3"), ("1e20", "1e+20"),
     ("45332.25", "45332.25"), ("nan", "nan"), ("four", "four"), ("100000000000000000001", "100000000000000000001")],
)  # fmt: skip
def test_numbers_as_people_write_them(stored, shown):
    assert number_text(stored) == shown


@given(number=st.integers(0, 16_383))
def test_columns_have_their_letters(number):
    assert column_number(column_letters(number)) == number


def test_merged_texts_hold_for_all_their_rows_and_figures_once(connection, tmp_path):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"] = "Moves of February"
    sheet.merge_cells("A1:D1")
    sheet.append(["instance_id", "origin", "persons", "reason"])
    for key in "abc":
        sheet.append([key, None, None, None])
    sheet["B3"], sheet["C3"], sheet["D3"] = "MN62", 4, "work"
    for block in ("B3:B4", "C3:C5", "D3:D5"):
        sheet.merge_cells(block)
    book.save(path)
    (staged,) = stage_returns(connection, path, "t")
    assert [line[3:] for line in read(connection, staged)] == [
        ("a", "MN62", "4", "work"), ("b", "MN62", None, "work"), ("c", None, None, "work"),
    ]  # fmt: skip
    assert codes(staged) == ["merged_cells"]


def test_hidden_sheets_rows_and_columns_are_read_and_said(connection, tmp_path):
    entries = parts(
        sheet_xml(
            header_row(),
            move_row(2),
            row(3, text("A3", "b"), text("B3", "MN62"), number("C3", 5), extra=' hidden="1"'),
            before='<cols><col min="3" max="16384" hidden="1"/></cols>',
        )
    )  # fmt: skip
    entries["xl/workbook.xml"] = book_xml(state="veryHidden")
    rows, findings, _ = stage(connection, tmp_path, entries)
    assert [line[3] for line in rows] == ["a", "b"]
    assert findings == {("hidden_sheet", None, "arrivals"), ("hidden_rows", 3, "1"), ("hidden_columns", None, "C, D")}


def test_blank_headers_with_values_are_said_and_the_same_header_twice_is_refused(connection, tmp_path):
    line = row(2, text("A2", "a"), text("B2", "MN62"), number("C2", 4), number("D2", 9), number("G2", 9))
    names = ("instance_id", "origin", "persons", " ", "reason")
    rows, findings, _ = stage(connection, tmp_path, parts(sheet_xml(header_row(names=names), line)))
    assert rows == [(2, None, None, "a", "MN62", "4", None)]
    assert findings == {("blank_header", 2, "D"), ("blank_header", 2, "G")}
    with pytest.raises(RepeatedColumnError, match="sheet 'arrivals': the header has these columns more than once"):
        stage(connection, tmp_path, parts(sheet_xml(header_row(names=(*names[:3], "Persons")), line)))


def test_a_formatted_cell_at_the_far_corner_costs_nothing(connection, tmp_path):
    far = row(1_048_576, '<c r="XFD1048576" s="1"/>'), row(1_048_575, number("XFC1048575", 1))
    rows, findings, _ = stage(connection, tmp_path, parts(sheet_xml(header_row(), move_row(2), far[1], far[0])))
    assert [line[0] for line in rows] == [2]
    assert findings == {("blank_header", 1_048_575, "XFC")}


def test_a_header_wider_than_any_form_is_refused(connection, tmp_path, monkeypatch):
    monkeypatch.setattr(_header_rows, "COLUMNS_MAXIMUM", 4)
    stage(connection, tmp_path, parts(sheet_xml(header_row(), move_row(2))))
    with pytest.raises(WrongFileTypeError, match="the header has 5 columns; 4 are the most"):
        stage(connection, tmp_path, parts(sheet_xml(header_row(names=(*COLUMNS, "x")), move_row(2))))


def test_nul_bytes_and_escapes_of_excel(connection, tmp_path):
    line = row(2, text("A2", "a_x0000_b"), text("B2", "MN62"), number("C2", 1), text("D2", "two_x000D_\nlines"))
    rows, _, _ = stage(connection, tmp_path, parts(sheet_xml(header_row(), line)))
    assert rows == [(2, "unreadable_text", None, "a\ufffdb", "MN62", "1", "two\r\nlines")]


def test_prefixes_rich_text_and_cells_without_names(connection, tmp_path):
    cell = '<x:c t="inlineStr"><x:is><x:t>{}</x:t></x:is></x:c>'
    first = "".join(cell.format(name) for name in COLUMNS)
    second = f'<x:c t="s"><x:v>0</x:v></x:c>{cell.format("MN62")}<x:c><x:v>4</x:v></x:c>'
    rows = f"<x:row>{first}</x:row><x:row>{second}</x:row>"
    sheet = f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData>{rows}</x:sheetData></x:worksheet>'
    entries = parts(sheet)
    entries["xl/sharedStrings.xml"] = (
        f'<sst xmlns="{MAIN}"><si><r><t>a</t></r><r><t>b</t></r><rPh sb="0" eb="1"><t>aloud</t></rPh></si></sst>'
    )
    assert stage(connection, tmp_path, entries)[0] == [(2, None, None, "ab", "MN62", "4", None)]


@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        (sheet_xml(header_row(), move_row(3), move_row(2)), "row 2 comes after row 3"),
        (sheet_xml(header_row(), row(2, number("A2", 1), number("A2", 2))), "cell A2 is there twice"),
        (sheet_xml(header_row(), row(2, '<c r="A2" t="s"><v>99</v></c>')), "cell A2 points to text 99"),
        (sheet_xml(header_row(), row(1_048_577, number("A1048577", 1))), "row 1048577 comes after"),
        (sheet_xml(header_row(), row(2, number("ZZZ2", 1))), "more than 16,384 columns"),
        (sheet_xml(header_row(), row(2, '<c r="?2"><v>1</v></c>')), r"a cell is named '\?2'"),
        (sheet_xml(header_row(), row(2, '<c r="A2"><c r="B2"><v>1</v></c></c>')), "cells outside rows or inside cells"),
        (sheet_xml(header_row(), "<row><row></row></row>"), "rows inside rows"),
        (sheet_xml(header_row(), "<a>" * 201 + "</a>" * 201), "more than 200 elements inside one another"),
        (sheet_xml(header_row())[:-20], "damaged at line 1"),
        (sheet_xml(header_row(), f'<row a="{"x" * 5_000_000}">'), "a tag is longer than"),
    ],
)
def test_sheets_that_no_program_writes_are_refused_by_name(connection, tmp_path, sheet, words):
    with pytest.raises(EnumerationsError, match=words) as caught:
        stage(connection, tmp_path, parts(sheet))
    assert str(caught.value).startswith("a.xlsx, ")


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"content.xml": "<a/>"}, r"OpenDocument \(\.ods\) workbook. Save it as \.xlsx"),
        ({"xl/workbook.bin": "x"}, r"binary Excel \(\.xlsb\)"),
        ({"readme.txt": "x"}, "a ZIP file and no Excel workbook"),
    ],
)
def test_other_kinds_of_workbooks_are_refused_by_name(connection, tmp_path, entries, words):
    with pytest.raises(EnumerationsError, match=words):
        stage(connection, tmp_path, entries, form="kheseg-baseline")


@pytest.mark.skipif(sys.platform == "win32", reason="the memory of a process is told another way")
def test_memory_does_not_grow_with_the_sheet(connection, tmp_path):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, body in parts("").items():
            if not name.endswith("sheet1.xml"):
                file.writestr(name, body)
        with file.open("xl/worksheets/sheet1.xml", "w") as part:
            start, end = sheet_xml(header_row(), "|").split("|")
            part.write(start.encode())
            for at in range(2, 40_002):
                part.write(move_row(at, f"{at * 7919:x}", at % 9).encode())
            part.write(end.encode())
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (staged,) = stage_returns(connection, path, "t")
    assert connection.execute(f"SELECT count(*) FROM {staged.relation}").fetchone() == (40_000,)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before_mb < 120


@pytest.fixture(scope="module")
def sound_book(tmp_path_factory):
    """Return the bytes of an ordinary workbook, made once: it holds the time it was made at."""
    path = tmp_path_factory.mktemp("sound") / "sound.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "arrivals"
    for line in (COLUMNS, ["a", "MN62", 4, "work"], ["b", "abroad", 2, moment(2024, 2, 10)]):
        book.active.append(list(line))
    book.save(path)
    return path.read_bytes()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_workbook_is_refused_or_read_and_never_crashes(connection, tmp_path, sound_book, data):
    body = bytearray(sound_book)
    for _ in range(data.draw(st.integers(1, 8), label="flips")):
        at = data.draw(st.integers(0, len(body) - 1), label="at")
        body[at] ^= 1 << data.draw(st.integers(0, 7), label="bit")
    body = body[: data.draw(st.integers(1, len(body)), label="length")] if data.draw(st.booleans()) else body
    survives(connection, tmp_path / "damaged.xlsx", bytes(body))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_workbook_with_damaged_xml_is_refused_or_read_and_never_crashes(connection, tmp_path, data):
    entries = {name: body.encode() for name, body in parts(sheet_xml(header_row(), move_row(2), move_row(3))).items()}
    name = data.draw(st.sampled_from(sorted(entries)))
    body = bytearray(entries[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 12))] = data.draw(
            st.one_of(st.binary(max_size=8), st.sampled_from([b"<c>", b"</row>", b"<v>", b"&#0;", b"&x;", b'r="A1"']))
        )
    entries[name] = bytes(body)
    survives(connection, write_book(tmp_path / "damaged.xlsx", entries))


def survives(connection, path, content=None):
    if content is not None:
        path.write_bytes(content)
    tables, words = [], path.name
    try:
        tables = stage_returns(connection, path, "t")
    except EnumerationsError as error:
        words = str(error)
    assert path.name in words
    for staged in tables:
        connection.execute(f"SELECT * FROM {staged.relation}").fetchall()


def test_a_workbook_can_be_read_as_plain_rows(tmp_path):
    far = row(1_048_576, number("XFD1048576", 1))
    path = write_book(tmp_path / "a.xlsx", parts(sheet_xml(header_row(at=2), move_row(4, "007"), far)))
    assert list(sheet_texts(path)) == [(2, list(COLUMNS)), (4, ["007", "MN62", "4", "work"])]
    with pytest.raises(EnumerationsError, match="the workbook is empty"):
        list(sheet_texts(write_book(path, parts(sheet_xml()))))

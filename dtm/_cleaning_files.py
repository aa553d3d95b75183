"""Write and read files of edits: a row for each finding that is open, to be filled in by an analyst."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import openpyxl
from openpyxl.styles import Font
from openpyxl.utils.exceptions import InvalidFileException

from dtm._cleaning_derive import Sources
from dtm._cleaning_edits import Edit, EditChecker
from dtm.errors import BadInputError, WrongUseError
from dtm.records import RecordName
from enumerations.archives import check_archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dtm.engine import Connection
    from dtm.workspace import Workspace

COLUMNS = (
    "record", "file", "row", "unit", "instance_id", "field", "old", "new", "reason", "who", "severity", "code",
    "message",
)  # fmt: skip
"""Columns of a file of edits; `record`, `field`, `old`, `new`, `reason` and `who` are read back."""
_READ = ("record", "field", "old", "new", "reason")
_NOT_BY_AN_EDIT = (
    "'return_rejected', 'parent_rejected', 'parent_quarantined', 'withdrawn_on_server', 'gps_missing', 'late_return'"
)
"""Codes of findings that no new value of a column cures."""
ROWS_MAXIMUM = 100_000
"""Rows that a file of edits may have."""
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")


def write_template(
    connection: Connection,
    path: Path,
    *,
    workspace: Workspace,
    round_number: int | None = None,
    language: str = "en",
) -> int:
    """Write a row for each open import finding that an edit can cure, errors first; return how many.

    A finding on several columns gets a row for each. `old` is what was sent, or what the log says now.

    Raises
    ------
    WrongUseError
        The name of the file ends neither in .csv nor in .xlsx.
    BadInputError
        The raw file of a record is not in the inbox.
    """
    suffix = path.suffix.casefold()
    if suffix not in (".csv", ".xlsx"):
        raise WrongUseError(f"{path.name}: give a name that ends in .csv or .xlsx.")
    rows = _rows(connection, workspace, round_number=round_number, language=language)
    if suffix == ".xlsx":
        _write_workbook(path, rows)
        return len(rows)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([[_safe(cell) for cell in row] for row in rows])
    return len(rows)


def _safe(cell: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula; the mark in front is taken off again when it is read."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_MARKS) else cell


def _write_workbook(path: Path, rows: list[list[Any]]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet("edits")
    sheet.append(list(COLUMNS))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for number, row in enumerate(rows, 2):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(number, column)
            cell.number_format = "@"
            if value is not None:
                cell.value = _plain(value)
                if isinstance(value, str):
                    cell.data_type = "s"  # never a formula
    for letter, width in zip("ABCDEFGHIJKLM", (18, 24, 6, 14, 38, 26, 20, 20, 30, 16, 9, 24, 80), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    book.save(path)


def _plain(cell: Any) -> Any:
    return "".join(mark for mark in cell if mark >= " " or mark in "\n\t") if isinstance(cell, str) else cell


def _rows(connection: Connection, workspace: Workspace, *, round_number: int | None, language: str) -> list[list[Any]]:
    operation = workspace.settings.operation
    found = connection.execute(
        f"""WITH told AS (
            SELECT f.*, trim(unnest(string_split(f.field, ','))) AS one,
                coalesce(f.round_number, i.named_round, i.round_number) AS number
            FROM finding f JOIN import i USING (import_id)
            WHERE f.stage = 'import' AND f.row_number IS NOT NULL AND f.field IS NOT NULL
        ), aside AS (
            SELECT import_id, sheet, row_number, any_value(instance_id) AS instance_id FROM quarantine GROUP BY ALL
        )
        SELECT f.import_id, f.sheet, f.row_number, f.file_name, coalesce(f.pcode, s.declared_pcode),
            coalesce(s.instance_id, q.instance_id), f.one, f.severity, f.code,
            f.message_{"mn" if language == "mn" else "en"}
        FROM told f
        LEFT JOIN submission s ON s.import_id = f.import_id AND s.sheet = f.sheet AND s.row_number = f.row_number
        LEFT JOIN aside q ON q.import_id = f.import_id AND q.sheet = f.sheet AND q.row_number = f.row_number
        LEFT JOIN round r ON r.operation = ? AND r.number = f.number
        WHERE (? IS NULL OR f.number = ?) AND coalesce(r.status, 'draft') NOT IN ('signed_off', 'released')
        AND f.code NOT IN ({_NOT_BY_AN_EDIT})
        AND NOT EXISTS (SELECT 1 FROM waiver w WHERE w.finding_id = f.finding_id AND w.withdrawn_at IS NULL)
        ORDER BY f.severity, f.import_id, f.sheet, f.row_number, f.code, f.one""",
        [operation, round_number, round_number],
    ).fetchall()
    sources = Sources(connection, workspace)
    try:
        checker = EditChecker(connection, sources, operation=operation, file_name="")
        names = [RecordName(int(row[0]), row[1], int(row[2])) for row in found]
        checker.read(names)
        rows = []
        for name, (_, _, number, file_name, unit, instance, field, *told) in zip(names, found, strict=True):
            if checker.has(name, field):
                old = checker.value(name, field)
                rows.append([str(name), file_name, number, unit, instance, field, old, None, None, None, *told])
        return rows
    finally:
        sources.close()


def read_edits(path: Path, *, who: str | None = None) -> list[Edit]:
    """Read a file of edits; rows without a new value and without a reason are left out.

    `who` stands where the column is empty. A new value `(empty)` makes the cell empty.

    Raises
    ------
    BadInputError
        The file can't be read, or lacks a column.
    """
    rows = _cells(path)
    header = [text.strip().casefold() for text in next(rows, (0, []))[1]]
    missing = [name for name in _READ if name not in header]
    if missing:
        raise BadInputError(
            f"{path.name}: the columns {', '.join(missing)} are missing. Write the file with `dtm clean template`."
        )
    edits = []
    for number, cells in rows:
        row = dict(zip(header, cells, strict=False))
        new, reason = row.get("new", ""), row.get("reason", "")
        if not new.strip() and not reason.strip():
            continue
        name = row.get("who", "").strip() or who or ""
        edits.append(
            Edit(
                row.get("record", "").strip(),
                row.get("field", "").strip(),
                row.get("old", ""),
                new,
                reason,
                name,
                number,
            )
        )
    return edits


def _cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Give the rows of a CSV file or of a workbook's first sheet as text, with their numbers."""
    try:
        with path.open("rb") as file:
            is_workbook = file.read(4) == b"PK\x03\x04"
    except OSError as error:
        raise BadInputError(f"{path}: can't be read ({error.strerror}). Check the name.") from error
    try:
        yield from _workbook_cells(path) if is_workbook else _text_cells(path)
    except (csv.Error, UnicodeDecodeError, KeyError, ValueError, InvalidFileException) as error:
        raise BadInputError(
            f"{path.name}: this is no file of edits that can be read ({error}). Save it as .xlsx or as CSV in UTF-8."
        ) from error


def _text_cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        head = file.read(65536)
        file.seek(0)
        delimiter = max(",;\t", key=head.split("\n", 1)[0].count)
        for number, row in enumerate(csv.reader(file, delimiter=delimiter), 1):
            if number > ROWS_MAXIMUM:
                raise BadInputError(f"{path.name}: more than {ROWS_MAXIMUM} rows. Split the file.")
            yield number, [cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA_MARKS) else cell for cell in row]


def _workbook_cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    check_archive(path)
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        for number, row in enumerate(book.worksheets[0].iter_rows(values_only=True), 1):
            if number > ROWS_MAXIMUM:
                raise BadInputError(f"{path.name}: more than {ROWS_MAXIMUM} rows. Split the file.")
            yield number, [_cell_text(value) for value in row]
    finally:
        book.close()


def _cell_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)

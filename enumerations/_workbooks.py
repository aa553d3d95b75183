"""Read the sheets of an Excel workbook as text, with the sheets' own row numbers."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import python_calamine as calamine

from enumerations._headers import count_known, recognise
from enumerations._staging import Connection, Record, StagedTable, column_findings, write_records
from enumerations.columns import FORMS
from enumerations.errors import EmptyFileError, UnknownFormError, WrongFileTypeError
from enumerations.findings import make_finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from enumerations._headers import Header

HEADER_ROWS_MAXIMUM = 20
"""The header is looked for in this many rows; titles may stand above it."""
EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  Excel's days have no zone
EXCEL_DAYS = (20_000, 80_000)
"""Numbers in this range in a date column are days since Excel's epoch (1954 to 2119)."""


def _cell_text(cell: Any, *, is_date: bool = False) -> str | None:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, (int, float)):
        if is_date and EXCEL_DAYS[0] <= cell <= EXCEL_DAYS[1]:
            moment = EXCEL_EPOCH + timedelta(seconds=round(cell * 86_400))
            return moment.isoformat()
        return str(int(cell)) if float(cell).is_integer() else repr(cell)
    if isinstance(cell, (datetime, date, time)):
        return cell.isoformat()
    return str(cell).strip() or None


def _open(path: Path) -> Any:
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise WrongFileTypeError(
            f"{path.name}: the workbook is protected by a password or saved in the old .xls format. "
            "Save it as .xlsx without a password and import it again."
        )
    try:
        return calamine.CalamineWorkbook.from_path(str(path))
    except (calamine.CalamineError, OSError) as error:
        raise WrongFileTypeError(
            f"{path.name}: the workbook can't be opened ({error}). It may be damaged or cut; save or download it again."
        ) from error


def _rows(book: Any, path: Path, sheet: str) -> list[list[Any]]:
    try:
        rows: list[list[Any]] = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    except (calamine.CalamineError, OSError) as error:
        raise WrongFileTypeError(f"{path.name}, sheet '{sheet}': can't be read ({error}). Save it again.") from error
    return rows


def _header_row(rows: list[list[Any]], form: str | None) -> int:
    head = rows[:HEADER_ROWS_MAXIMUM]
    counts = [count_known([_cell_text(cell) or "" for cell in row], form=form) for row in head]
    return max(range(len(head)), key=counts.__getitem__) if counts else 0


def stage_workbook(connection: Connection, path: Path, relation: str, *, form: str | None) -> list[StagedTable]:
    """Stage every sheet of a workbook that fits a table.

    Raises
    ------
    EnumerationsError
        The workbook can't be opened, is empty, or none of its sheets fits a table.
    """
    book = _open(path)
    staged: list[StagedTable] = []
    ignored: list[tuple[str, UnknownFormError]] = []
    for number, sheet in enumerate(book.sheet_names):
        rows = _rows(book, path, sheet)
        if not any(_cell_text(cell) for row in rows for cell in row):
            continue
        try:
            staged.append(_stage_sheet(connection, path, f"{relation}_{number}", sheet, rows, form))
        except UnknownFormError as error:
            if sheet.casefold() in {table.name for tables in FORMS.values() for table in tables}:
                raise
            ignored.append((sheet, error))
    if not staged:
        if ignored:
            raise ignored[0][1]
        raise EmptyFileError(f"{path.name}: the workbook is empty. Export it again.")
    return [_with_ignored(staged[0], path, [sheet for sheet, _ in ignored]), *staged[1:]]


def _with_ignored(table: StagedTable, path: Path, sheets: list[str]) -> StagedTable:
    form = table.header.table.form
    more = tuple(
        make_finding("sheet_ignored", subject=form, file_name=path.name, sheet=sheet, value=sheet) for sheet in sheets
    )
    return StagedTable(table.header, table.relation, table.file_name, table.sheet, table.findings + more)


def _stage_sheet(
    connection: Connection, path: Path, relation: str, sheet: str, rows: list[list[Any]], form: str | None
) -> StagedTable:
    at = _header_row(rows, form)
    names = [_cell_text(cell) or "" for cell in rows[at]]
    while (
        names and not names[-1] and not any(len(row) >= len(names) and _cell_text(row[len(names) - 1]) for row in rows)
    ):
        names.pop()
    header = recognise(names, form=form, place=f"{path.name}, sheet '{sheet}'")
    write_records(connection, relation, width=len(names), records=_records(rows, at, header))
    findings = column_findings(header, file_name=path.name, sheet=sheet)
    return StagedTable(header, relation, path.name, sheet, findings)


def _records(rows: list[list[Any]], at: int, header: Header) -> Iterator[Record]:
    columns = header.table.by_name
    dates = {place for name, place in header.positions.items() if columns[name].kind in {"date", "timestamp"}}
    width = len(header.names)
    for number, row in enumerate(rows[at + 1 :], at + 2):
        cells = [_cell_text(cell, is_date=place in dates) for place, cell in enumerate(row[:width])]
        if any(cell is not None for cell in cells):
            yield Record(number, cells + [None] * (width - len(cells)))

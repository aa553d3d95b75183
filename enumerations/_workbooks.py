"""Read the sheets of an Excel workbook as text, with the sheets' own row numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from enumerations._excel_cells import MomentReader, cell_text
from enumerations._header_rows import HEADER_ROWS_MAXIMUM, HeaderRows, check_width, find_header, recognise_rows
from enumerations._marked_rows import mark_rows, set_faults
from enumerations._staging import Connection, Record, StagedTable, column_findings, write_records
from enumerations._xlsx_parts import CELL_CHARACTERS_MAXIMUM, Book, SheetPart, open_book
from enumerations._xlsx_rows import Row, SheetFacts, column_letters, sheet_rows
from enumerations.columns import FORMS
from enumerations.errors import EmptyFileError, EnumerationsError, UnknownFormError, WrongFileTypeError
from enumerations.findings import Finding, make_finding
from enumerations.messages import message, sheet_place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from enumerations._headers import FormChoice, Header

_NUMBERS = {"integer", "number"}
_MOMENTS = {"date", "timestamp"}
BLANK_HEADERS_SHOWN = 20
"""Columns without a name that get a finding each."""
_SHOWN_CHARACTERS = 60
"""Of a cell that is far too long, this much is kept."""


@dataclass
class _Sheet:
    """What is known of one sheet while its rows are staged."""

    book: Book
    part: SheetPart
    path: Path
    found: HeaderRows
    header: Header
    width: int
    facts: SheetFacts
    formulas: dict[int, tuple[int, int]] = field(default_factory=dict)
    hidden_rows: list[int] = field(default_factory=list)
    blanks: dict[int, int] = field(default_factory=dict)
    filled: dict[tuple[int, int], str] = field(default_factory=dict)


def stage_workbook(connection: Connection, path: Path, relation: str, *, form: FormChoice) -> list[StagedTable]:
    """Stage every sheet of a workbook that fits a table.

    Raises
    ------
    EnumerationsError
        The workbook can't be opened, is unsafe or empty, or none of its sheets fits a table.
    """
    with path.open("rb") as file:
        if file.read(4) == b"\xd0\xcf\x11\xe0":
            raise WrongFileTypeError(message("workbook_locked", file=path.name))
    staged: list[StagedTable] = []
    ignored: list[tuple[str, EnumerationsError]] = []
    with open_book(path) as book:
        for number, sheet in enumerate(book.sheets):
            try:
                table = _stage_sheet(connection, book, sheet, path, f"{relation}_{number}", form)
            except UnknownFormError as error:
                if sheet.name.casefold() in {table.name for tables in FORMS.values() for table in tables}:
                    raise
                ignored.append((sheet.name, error))
            else:
                staged.extend([table] if table else [])
    if not staged:
        if ignored:
            raise ignored[0][1]
        raise EmptyFileError(message("workbook_empty", file=path.name))
    told = [sheet for sheet, _ in ignored if not sheet.startswith("_")]  # templates keep lists and help in such sheets
    return [_with_ignored(staged[0], path, told), *staged[1:]]


def sheet_texts(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield number and texts of the rows of a workbook's first sheet that hold anything, as wide as the first of them.

    Raises
    ------
    EnumerationsError
        The workbook can't be opened, is unsafe or empty.
    """
    width = 0
    with open_book(path) as book:
        moments = MomentReader(is_1904=book.is_1904, formats=book.formats)
        for row in sheet_rows(book, book.sheets[0], SheetFacts()) if book.sheets else ():
            width = width or max(row.cells) + 1
            check_width(width, path.name)
            texts = [(cell_text(row.cells[at], moments) or "") if at in row.cells else "" for at in range(width)]
            if any(texts):
                yield row.number, texts
    if not width:
        raise EmptyFileError(message("workbook_empty", file=path.name))


def _with_ignored(table: StagedTable, path: Path, sheets: list[str]) -> StagedTable:
    form = table.header.table.form
    more = tuple(
        make_finding("sheet_ignored", subject=form, file_name=path.name, sheet=sheet, value=sheet) for sheet in sheets
    )
    return StagedTable(table.header, table.relation, table.file_name, table.sheet, table.findings + more)


def _stage_sheet(
    connection: Connection, book: Book, part: SheetPart, path: Path, relation: str, form: FormChoice
) -> StagedTable | None:
    """Stage one sheet; None if it is empty."""
    head, moments = _head(book, part)
    if not head:
        return None
    texts = _head_texts(head, moments)
    found = find_header(texts, form)
    names = list(found.names)
    while names and not names[-1].strip():
        names.pop()
    place = sheet_place(path.name, part.name)
    check_width(len(names), place)
    header = recognise_rows(HeaderRows(names, found.tags, found.header_row, found.tags_row), form=form, place=place)
    sheet = _write(connection, _Sheet(book, part, path, found, header, len(names), SheetFacts()), relation, {})
    below = {
        (merge.first_row, merge.last_row, column): merge.reference
        for merge in sheet.facts.merges
        for column in range(merge.first_column, min(merge.last_column + 1, sheet.width))
        if merge.last_row > max(merge.first_row, found.header_row + 1) and _is_filled_down(header, column)
    }
    if below:
        facts = sheet.facts
        sheet = _write(connection, _Sheet(book, part, path, found, header, len(names), SheetFacts()), relation, below)
        sheet.facts = facts
    set_faults(connection, relation, mark_rows(connection, relation, header, source="record, fault, fault_value"))
    findings = (
        *column_findings(header, file_name=path.name, sheet=part.name),
        *_sheet_findings(sheet, has_merged=bool(below)),
    )
    return StagedTable(header, relation, path.name, part.name, findings)


def _is_filled_down(header: Header, column: int) -> bool:
    """Say whether a merged cell's value holds for all its rows; counts don't: they would be counted again."""
    names = [name for name, position in header.positions.items() if position == column]
    return bool(names) and header.table.by_name[names[0]].kind not in _NUMBERS and names[0] != "instance_id"


def _head(book: Book, part: SheetPart) -> tuple[list[Row], MomentReader]:
    head: list[Row] = []
    for row in sheet_rows(book, part, SheetFacts()):
        if row.number > HEADER_ROWS_MAXIMUM + 1 and head:
            break
        head.append(row)
        if row.number > HEADER_ROWS_MAXIMUM:
            break
    return head, MomentReader(is_1904=book.is_1904)


def _head_texts(head: list[Row], moments: MomentReader) -> list[list[str]]:
    """Return the first rows as texts; row n of the sheet at position n - 1."""
    texts: list[list[str]] = [[] for _ in range(max(row.number for row in head[:HEADER_ROWS_MAXIMUM]))]
    if head[0].number > HEADER_ROWS_MAXIMUM:  # the sheet begins far below: its first row is all there is to look at
        texts = [[] for _ in range(head[0].number)]
    for row in head:
        if row.number <= len(texts):
            width = max(row.cells) + 1
            texts[row.number - 1] = [
                (cell_text(row.cells[column], moments) or "") if column in row.cells else "" for column in range(width)
            ]
    return texts


def _write(connection: Connection, sheet: _Sheet, relation: str, below: dict[tuple[int, int, int], str]) -> _Sheet:
    write_records(connection, relation, width=sheet.width, records=_records(sheet, below))
    return sheet


def _records(sheet: _Sheet, below: dict[tuple[int, int, int], str]) -> Iterator[Record]:
    moments = MomentReader(is_1904=sheet.book.is_1904, formats=sheet.book.formats)
    columns = sheet.header.table.by_name
    kinds = {place: columns[name].kind for name, place in sheet.header.positions.items()}
    merged = _Merged(below)
    for row in sheet_rows(sheet.book, sheet.part, sheet.facts):
        if not sheet.found.is_data(row.number - 1):
            continue
        record = _record(sheet, row, kinds, moments)
        merged.fill(record)
        if any(cell is not None for cell in record.cells) or record.fault:
            if row.is_hidden:
                sheet.hidden_rows.append(row.number)
            yield record


class _Merged:
    """Carry the value of a merged cell down to the rows it covers."""

    def __init__(self, below: dict[tuple[int, int, int], str]) -> None:
        self._starts: dict[int, list[tuple[int, int]]] = {}
        for first, last, column in below:
            self._starts.setdefault(first, []).append((last, column))
        self._open: dict[int, tuple[int, str | None]] = {}

    def fill(self, record: Record) -> None:
        if not self._starts and not self._open:
            return
        for column, (last, value) in list(self._open.items()):
            if record.number > last:
                del self._open[column]
            elif record.cells[column] is None:
                record.cells[column] = value
        for last, column in self._starts.pop(record.number, ()):
            self._open[column] = (last, record.cells[column])


def _record(sheet: _Sheet, row: Row, kinds: dict[int, str], moments: MomentReader) -> Record:
    cells: list[str | None] = [None] * sheet.width
    fault = value = None
    for place, cell in row.cells.items():
        kind = kinds.get(place)
        if kind is None and cell.text.strip() and (place >= sheet.width or not sheet.header.names[place].strip()):
            sheet.blanks.setdefault(place, row.number)
        if place >= sheet.width:
            continue
        if cell.has_formula:
            first, count = sheet.formulas.get(place, (row.number, 0))
            sheet.formulas[place] = (first, count + 1)
            if not cell.text and kind is not None and cell.kind != "s":
                fault, value = "formula_without_value", f"{column_letters(place)}{row.number}"
        if cell.kind == "e":
            if kind is not None:
                fault, value = "error_cell", f"{column_letters(place)}{row.number} {cell.text[:20]}"
            continue
        text = cell_text(cell, moments, is_moment=kind in _MOMENTS, is_number=kind in _NUMBERS)
        if text is not None and len(text) > CELL_CHARACTERS_MAXIMUM:
            fault, value = "cell_too_long", f"{column_letters(place)}{row.number}"
            text = text[:_SHOWN_CHARACTERS]
        if text is not None and ("\0" in text or "\ufffd" in text):
            text = text.replace("\0", "\ufffd")
            fault = fault or "unreadable_text"
        cells[place] = text
    return Record(row.number, cells, fault, value)


def _sheet_findings(sheet: _Sheet, *, has_merged: bool) -> Iterator[Finding]:
    subject, names = sheet.header.table.form, {place: name for name, place in sheet.header.positions.items()}

    def told(code: str, *, row: int | None = None, column: str | None = None, value: str, hint: str = "") -> Finding:
        return make_finding(
            code, subject=subject, file_name=sheet.path.name, sheet=sheet.part.name, row_number=row, field=column,
            value=value, hint=hint,
        )  # fmt: skip

    if sheet.part.is_hidden:
        yield told("hidden_sheet", value=sheet.part.name)
    if sheet.hidden_rows:
        yield told(
            "hidden_rows", row=sheet.hidden_rows[0], value=str(len(sheet.hidden_rows)), hint=str(sheet.hidden_rows[0])
        )
    hidden = sorted(sheet.facts.hidden_columns & names.keys())
    if hidden:
        yield told("hidden_columns", column=names[hidden[0]], value=", ".join(map(column_letters, hidden)))
    for place, (row, count) in sorted(sheet.formulas.items()):
        if place in names:
            cell = f"{column_letters(place)}{row}"
            yield told("formula_cell", row=row, column=names[place], value=cell, hint=str(count))
    for place, row in sorted(sheet.blanks.items())[:BLANK_HEADERS_SHOWN]:
        yield told("blank_header", row=row, value=column_letters(place))
    if has_merged:
        first = min(
            (merge for merge in sheet.facts.merges if merge.last_row > sheet.found.header_row + 1),
            key=lambda merge: merge.first_row,
        )
        yield told("merged_cells", row=first.first_row, value=first.reference)

"""Read CSV of any delimiter and encoding: in one scan by the engine, or record by record where the file is damaged."""

from __future__ import annotations

import codecs
import csv
import io
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from enumerations._header_rows import HEADER_ROWS_MAXIMUM, check_width, find_header, recognise_rows
from enumerations._headers import count_known
from enumerations._marked_rows import mark_rows, set_faults
from enumerations._staging import Connection, Record, StagedTable, column_findings, write_records
from enumerations.archives import open_gzip
from enumerations.errors import EmptyFileError, WrongFileTypeError
from enumerations.findings import Finding, make_finding
from enumerations.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from enumerations._header_rows import HeaderRows
    from enumerations._headers import FormChoice, Header

DELIMITERS = (",", ";", "\t", "|")
HEAD_BYTES = 65_536
"""Bytes looked at to find the delimiter and the header."""
CHUNK_BYTES = 1_048_576
CELL_CHARACTERS_MAXIMUM = 1_048_576
"""A record with a longer cell is set aside."""
CELL_CHARACTERS_READ = 64 * 1_048_576
"""A longer cell means a quote that was never closed, and the file is refused."""
_SHOWN_CHARACTERS = 60
REPLACEMENT = "\ufffd"


def _open_bytes(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return open_gzip(path) if packed else path.open("rb")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except csv.Error as error:
        raise WrongFileTypeError(message("csv_unreadable", file=path.name, error=error)) from error


def _survey(path: Path) -> tuple[str, bool]:
    """Return the file's encoding and whether every byte of it is sound text."""
    with _open_bytes(path) as file:
        head = file.read(HEAD_BYTES)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16", False
        if head[1::2].count(0) > len(head) // 5:
            return "utf-16-le", False
        if head[0::2].count(0) > len(head) // 5:
            return "utf-16-be", False
        decoder = codecs.getincrementaldecoder("utf-8")()
        broken, has_nul, chunk = False, False, head
        while chunk and not broken:
            has_nul = has_nul or 0 in chunk
            if not chunk.isascii() or decoder.getstate()[0]:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    broken = True
            chunk = file.read(CHUNK_BYTES)
        broken = broken or bool(decoder.getstate()[0])
    if not broken:
        return "utf-8-sig", not has_nul
    return _legacy_or_utf8(path), False


def _legacy_or_utf8(path: Path) -> str:
    """Decide between UTF-8 with a few damaged bytes and Windows-1251 by which of the two the text looks like."""
    good = bad = 0
    with _open_bytes(path) as file:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while chunk := file.read(CHUNK_BYTES):
            text = decoder.decode(chunk)
            damaged = text.count(REPLACEMENT)
            bad += damaged
            good += len(text) - len(text.encode("ascii", "ignore")) - damaged
        bad += len(decoder.decode(b"", final=True))
    return "utf-8-sig" if good >= bad or bad == 1 else "windows-1251"


def _first_rows(text: str, delimiter: str) -> list[list[str]]:
    """Return the first records that hold anything."""
    rows: list[list[str]] = []
    csv.field_size_limit(CELL_CHARACTERS_READ)
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        if any(cell.strip("\ufeff \t\0") for cell in row):
            rows.append([cell.replace("\ufeff", "") for cell in row])
            if len(rows) == HEADER_ROWS_MAXIMUM:
                break
    return rows


def _read_head(path: Path, encoding: str) -> str:
    with _open_bytes(path) as file:
        head = file.read(HEAD_BYTES)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    if not text.strip("\ufeff\r\n\t ,;\0"):
        raise EmptyFileError(message("file_empty", file=path.name))
    return text


def stage_csv(connection: Connection, path: Path, relation: str, *, form: FormChoice) -> StagedTable:
    """Stage one CSV file.

    Raises
    ------
    EnumerationsError
        The file is empty, no text, damaged as a whole, or its header fits no table.
    """
    with _named(path):
        encoding, sound = _survey(path)
        text = _read_head(path, encoding)
        if encoding == "windows-1251" and sum(character < " " for character in text[:4096]) > 4096 // 10:
            raise WrongFileTypeError(message("file_not_text", file=path.name))
        heads = {delimiter: find_header(_first_rows(text, delimiter), form) for delimiter in DELIMITERS}
        delimiter = max(
            DELIMITERS, key=lambda mark: (count_known(heads[mark].names, form=form), len(heads[mark].names))
        )
        found = heads[delimiter]
        check_width(len(found.names), path.name)
        header = recognise_rows(found, form=form, place=path.name)
        plain_start = text.lstrip("\ufeff").split("\n", 1)[0].count('"') % 2 == 0 and not text[0:1].isspace()
        source = "rowid + 2 AS record, NULL::VARCHAR AS fault, NULL::VARCHAR AS fault_value"
        cells = f"{relation}_cells"
        is_first = found.header_row == 0 and found.tags_row in {None, 1}
        if not (sound and plain_start and is_first and _scan(connection, path, cells, header, delimiter)):
            source = "record, fault, fault_value"
            records = _records(path, encoding, delimiter, found, len(header.names))
            write_records(connection, cells, width=len(header.names), records=records)
    marks = mark_rows(connection, cells, header, source=source)
    _show(connection, relation, source, header, found, marks)
    blanks = _blank_headers(connection, relation, header, path.name)
    findings = (*column_findings(header, file_name=path.name, sheet=None), *blanks)
    return StagedTable(header, relation, path.name, None, findings)


def _blank_headers(connection: Connection, relation: str, header: Header, file_name: str) -> Iterator[Finding]:
    """Find columns that have values and no name."""
    used = set(header.positions.values())
    for position, name in enumerate(header.names):
        if not name.strip() and position not in used:
            first = connection.execute(f"SELECT min(record) FROM {relation} WHERE c{position} IS NOT NULL").fetchone()[
                0
            ]
            if first is not None:
                yield make_finding(
                    "blank_header",
                    subject=header.table.form,
                    file_name=file_name,
                    row_number=int(first),
                    value=str(position + 1),
                )


def _scan(connection: Connection, path: Path, relation: str, header: Header, delimiter: str) -> bool:
    """Read a sound file in one parallel scan; return False if the engine finds any record that doesn't fit."""
    columns = ", ".join(f"'c{position}': 'VARCHAR'" for position in range(len(header.names)))
    with path.open("rb") as file:
        compression = "gzip" if file.read(2) == b"\x1f\x8b" else "none"
    try:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {relation} AS SELECT * FROM read_csv(?, auto_detect=false, "
            f"header=true, delim=?, quote='\"', escape='\"', compression=?, max_line_size={CELL_CHARACTERS_MAXIMUM}, "
            f"columns={{{columns}}})",
            [str(path), delimiter, compression],
        )
    except Exception as error:
        if "no space left" in str(error).lower() or isinstance(error, MemoryError):
            raise
        return False  # whatever it was, the careful reader names the record
    return True


def _show(
    connection: Connection,
    relation: str,
    source: str,
    header: Header,
    found: HeaderRows,
    marks: list[tuple[int, str, str]],
) -> None:
    """Make the staged view: without empty records and without the row of HXL tags of humanitarian files."""
    cells = [f"c{position}" for position in range(len(header.names))]
    conditions = []
    is_scanned = source.startswith("rowid")
    tags_record = 2 if is_scanned and found.tags_row is not None else None
    if is_scanned and (tags_record or marks):
        # A filter on rowid trips the optimiser of the engine's spatial extension, so the number becomes a column.
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {relation}_numbered AS SELECT {source}, {', '.join(cells)} "
            f"FROM {relation}_cells"
        )
        connection.execute(f"DROP TABLE {relation}_cells")
        connection.execute(f"ALTER TABLE {relation}_numbered RENAME TO {relation}_cells")
        source = "record, fault, fault_value"
    if tags_record:
        conditions.append(f"record <> {tags_record}")
    set_faults(connection, f"{relation}_cells", [mark for mark in marks if mark[0] != tags_record])
    blank = f"SELECT count(*) FROM {relation}_cells WHERE coalesce({', '.join(cells)}) IS NULL"
    if connection.execute(blank).fetchone()[0]:
        conditions.append(f"coalesce({', '.join(cells)}) IS NOT NULL")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW {relation} AS "
        f"SELECT * FROM (SELECT {source}, {', '.join(cells)} FROM {relation}_cells) {where}"
    )


def _records(path: Path, encoding: str, delimiter: str, found: HeaderRows, width: int) -> Iterator[Record]:
    """Yield the records below the header; they are numbered from the header, or the tags above it, which is row 1."""
    csv.field_size_limit(CELL_CHARACTERS_READ)
    with _open_bytes(path) as file, io.TextIOWrapper(file, encoding, errors="replace", newline="") as text:
        rows = csv.reader(text, delimiter=delimiter)
        number, seen, pending = 0, -1, None
        for row in rows:
            if not any(cell.strip("\ufeff \t\0") for cell in row):
                number += bool(row and number)
                continue
            seen += 1
            number += bool(seen >= found.header_row)
            if not found.is_data(seen):
                continue
            if pending is not None:
                yield pending
            pending = _record(number, row, width)
    if pending is not None:
        cut = pending.fault is not None and not _ends_with_newline(path, encoding)
        yield Record(pending.number, pending.cells, "cut_row") if cut else pending


def _record(number: int, row: list[str], width: int) -> Record:
    cells: list[str | None] = [cell.replace("\0", REPLACEMENT).strip() or None for cell in row]
    fault, value = None, None
    if len(cells) != width:
        fault, value = "ragged_row", str(len(cells))
    elif any(cell is not None and REPLACEMENT in cell for cell in cells):
        fault = "unreadable_text"
    if len(cells) > width:
        cells[width - 1 :] = [" | ".join(cell or "" for cell in cells[width - 1 :])]
    for position, cell in enumerate(cells):
        if cell is not None and len(cell) > CELL_CHARACTERS_MAXIMUM:
            fault, value, cells[position] = (
                fault or "cell_too_long",
                value or str(position + 1),
                cell[:_SHOWN_CHARACTERS],
            )
    return Record(number, cells + [None] * (width - len(cells)), fault, value)


def _ends_with_newline(path: Path, encoding: str) -> bool:
    tail = b""
    with _open_bytes(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            tail = (tail + chunk)[-4:]
    codec = "utf-16-le" if encoding == "utf-16" else encoding
    return tail.decode(codec, "replace").rstrip("\0").endswith(("\n", "\r"))

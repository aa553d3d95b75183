"""Write released rows as CSV, XLSX and Parquet, with their provenance and without a cell that could run."""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xlsxwriter
from pyarrow import csv as pa_csv

from dtm._exports_about import about_rows, built_at, provenance, title
from dtm._exports_columns import EXPORT_COLUMNS
from dtm._exports_rows import arrow_rows
from dtm.errors import WrongUseError

if TYPE_CHECKING:
    from pathlib import Path

    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from dtm.released import ReleasedTable

XLSX_ROWS_MAX = 1_048_575
"""Rows that a sheet holds below its header."""
XLSX_TEXT_CHARACTERS_MAX = 32_767
"""Characters that a cell holds."""
UNSAFE_TEXT = r"\A('*(?:[\t\r\n]|\s*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]))"
"""Texts a spreadsheet may run as a formula: = + - @ (also full width) first, or a tab or line break first."""
_BATCH_ROWS = 20_000


def neutralised(rows: pa.Table) -> pa.Table:
    """Put an apostrophe before texts a spreadsheet may run; numbers and dates are never touched.

    A text that begins with =, +, -, @ (or their full-width forms, or blanks before them), or with a tab or a line
    break, gets one apostrophe in front; so does one that begins so after apostrophes of its own. Taking one
    apostrophe away from such a text therefore gives the original back.
    """
    for position, field in enumerate(rows.schema):
        if field.type == pa.string():
            safe = pc.replace_substring_regex(rows.column(position), pattern=UNSAFE_TEXT, replacement=r"'\1")
            rows = rows.set_column(position, field, safe)
    return rows


def write_csv(table: ReleasedTable, path: Path, *, hxl: bool = False) -> None:
    """Write UTF-8 CSV: one header row of plain names, a byte-order mark (Excel shows Cyrillic by it), LF line ends.

    Every row carries `release_id` and `is_demonstration`, because a comment above the header would be read as the
    header by Excel and by `pandas.read_csv` alike. The full provenance goes beside the file (`csv_manifest`).
    """
    rows = neutralised(arrow_rows(table))
    lines = [",".join(rows.column_names)]
    if hxl:
        lines.append(",".join(EXPORT_COLUMNS[name].hxl for name in rows.column_names))
    with path.open("wb") as file:
        file.write(("\ufeff" + "\n".join(lines) + "\n").encode("utf-8"))
        options = pa_csv.WriteOptions(include_header=False, quoting_style="needed")
        pa_csv.write_csv(rows, file, options)


def csv_manifest(table: ReleasedTable, path: Path, *, file_name: str, language: str) -> bytes:
    """Return the provenance that lies beside a CSV, with the hash that ties it to the bytes in `path`."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    body = {"file": file_name, "sha256": digest, **provenance(table, language=language)}
    return (json.dumps(body, ensure_ascii=False, indent=2, default=str) + "\n").encode("utf-8")


def write_parquet(table: ReleasedTable, path: Path, *, language: str) -> None:
    """Write Parquet (zstd); provenance is in the file's metadata under keys that begin with `dtm.`."""
    told = provenance(table, language=language)
    metadata = {
        "dtm.product": table.name,
        "dtm.release_id": told["release_id"],
        "dtm.is_demonstration": json.dumps(told["is_demonstration"]),
        "dtm.notice": told["notice"],
        "dtm.provenance": json.dumps(told, ensure_ascii=False, default=str),
    }
    pq.write_table(arrow_rows(table).replace_schema_metadata(metadata), path, compression="zstd")


def write_xlsx(table: ReleasedTable, path: Path, *, language: str) -> None:
    """Write a workbook with the sheets `data` and `about`; a text is always a text, never a formula or a link.

    Raises
    ------
    WrongUseError
        There are more rows than a sheet holds, or a text longer than a cell holds.
    """
    rows = arrow_rows(table)
    if rows.num_rows > XLSX_ROWS_MAX:
        raise WrongUseError(
            f"{table.name}: {rows.num_rows:,} rows do not fit a sheet, which holds {XLSX_ROWS_MAX:,}. "
            "Choose --format parquet or csv."
        )
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    packed = io.BytesIO()  # a disk that fills up under the zip file would be told twice, once as a traceback
    with xlsxwriter.Workbook(packed, options) as book:
        book.set_properties(
            {
                "title": title(table, language=language),
                "comments": json.dumps(provenance(table, language=language)["release_id"], ensure_ascii=False),
                "created": built_at(table).replace(tzinfo=None),
            }
        )
        bold = book.add_format({"bold": True, "bg_color": "#E7EEF4"})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        _write_data(book.add_worksheet("data"), rows, bold=bold, day=day)
        _write_about(book.add_worksheet("about"), table, language=language, bold=bold)
    path.write_bytes(packed.getbuffer())


def _write_data(sheet: Worksheet, rows: pa.Table, *, bold: Format, day: Format) -> None:
    sheet.freeze_panes(1, 0)
    if rows.num_columns:
        sheet.set_column(0, rows.num_columns - 1, 16)
        sheet.autofilter(0, 0, rows.num_rows, rows.num_columns - 1)
    for column, name in enumerate(rows.column_names):
        sheet.write_string(0, column, name, bold)
    writers = [_cell_writer(sheet, field, day=day) for field in rows.schema]
    line = 0
    for batch in rows.to_batches(max_chunksize=_BATCH_ROWS):
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            line += 1
            for column, value in enumerate(values):
                if value is not None:
                    writers[column](line, column, value)


def _cell_writer(sheet: Worksheet, field: pa.Field, *, day: Format) -> Any:
    if field.type == pa.string():

        def write_text(line: int, column: int, value: str) -> None:
            if len(value) > XLSX_TEXT_CHARACTERS_MAX:
                raise WrongUseError(
                    f"row {line}, {field.name}: {len(value):,} characters do not fit a cell, which holds "
                    f"{XLSX_TEXT_CHARACTERS_MAX:,}. Choose --format parquet or csv."
                )
            sheet.write_string(line, column, value)

        return write_text
    if field.type == pa.date32():
        return lambda line, column, value: sheet.write_datetime(line, column, value, day)
    return sheet.write_boolean if field.type == pa.bool_() else sheet.write_number


def _write_about(sheet: Worksheet, table: ReleasedTable, *, language: str, bold: Format) -> None:
    sheet.set_column(0, 1, 26)
    sheet.set_column(2, 2, 110)
    for line, texts in enumerate(about_rows(table, language=language)):
        for column, text in enumerate(texts):
            sheet.write_string(line, column, text[:XLSX_TEXT_CHARACTERS_MAX], bold if column == 0 else None)

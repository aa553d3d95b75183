"""Read returns of any form into staging tables: CSV, workbooks, JSON of KoboToolbox and ODK Central, their exports."""

from __future__ import annotations

import gzip
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from enumerations._csv_files import stage_csv
from enumerations._documents import stage_document
from enumerations._exports import is_export_archive, link_repeats, stage_export_archive
from enumerations._headers import Header, Wanted
from enumerations._staging import Connection, Record, StagedTable
from enumerations._workbooks import stage_workbook
from enumerations.errors import EmptyFileError, WrongFileTypeError
from enumerations.messages import message

if TYPE_CHECKING:
    from pathlib import Path

    from enumerations.mapping import Mapping

__all__ = ["Connection", "Header", "Record", "StagedTable", "stage_returns", "survey_returns"]

HEAD_BYTES = 512
"""Bytes looked at to tell the kind of a file."""

_BINARY = {
    b"\x89PNG": message("kind_png"),
    b"\xff\xd8\xff": message("kind_jpeg"),
    b"GIF8": message("kind_gif"),
    b"%PDF": message("kind_pdf"),
    b"SQLite format 3": message("kind_sqlite"),
    b"PAR1": message("kind_parquet"),
    b"\x7fELF": message("kind_program"),
    b"fgb\x03": message("kind_flatgeobuf"),
    b"Rar!": message("kind_rar"),
    b"7z\xbc\xaf": message("kind_7z"),
}


def stage_returns(
    connection: Connection, path: Path, relation: str, *, form: str | None = None, mapping: Mapping | None = None
) -> list[StagedTable]:
    """Read one file into temporary relations whose names start with `relation`.

    The kind of file is told by its content, the form and table by the header, or by the mapping of another form's
    columns.

    Raises
    ------
    EnumerationsError
        The file is missing, empty, of another type, damaged as a whole, or its header fits no table of the form.
    """
    return _stage(connection, path, relation, Wanted(form, mapping))


def survey_returns(connection: Connection, path: Path, relation: str) -> list[StagedTable]:
    """Read the tables of a file as they are, of whatever form: the headers' `table` and `positions` say nothing.

    Raises
    ------
    EnumerationsError
        The file is missing, empty, of another type, or damaged as a whole.
    """
    return _stage(connection, path, relation, Wanted(is_survey=True))


def _stage(connection: Connection, path: Path, relation: str, wanted: Wanted) -> list[StagedTable]:
    start = _start(path)
    if start.startswith(b"PK\x03\x04") and is_export_archive(path):
        return link_repeats(connection, stage_export_archive(connection, path, relation, form=wanted))
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return link_repeats(connection, stage_workbook(connection, path, relation, form=wanted))
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return stage_document(connection, path, relation, form=wanted)
    return link_repeats(connection, [stage_csv(connection, path, relation, form=wanted)])


def _start(path: Path) -> bytes:
    """Return the first bytes of a file, unpacked if need be; refuse what is no file of returns."""
    try:
        with path.open("rb") as file:
            start = file.read(HEAD_BYTES)
        if start.startswith(b"\x1f\x8b"):
            with suppress(EOFError, zlib.error, gzip.BadGzipFile), gzip.open(path) as packed:
                return packed.read(HEAD_BYTES)
    except OSError as error:
        raise WrongFileTypeError(message("file_unreadable", path=path, error=error.strerror)) from error
    if not start:
        raise EmptyFileError(message("file_empty", file=path.name))
    for magic, kind in _BINARY.items():
        if start.startswith(magic):
            raise WrongFileTypeError(message("file_no_returns", file=path.name, kind=kind))
    return start

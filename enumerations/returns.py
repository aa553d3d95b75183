"""Read returns of any form from CSV, Excel workbooks and Kobo's data JSON into staging tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enumerations._csv_files import stage_csv
from enumerations._headers import Header
from enumerations._kobo import stage_kobo
from enumerations._staging import Connection, Record, StagedTable
from enumerations._workbooks import stage_workbook
from enumerations.errors import EmptyFileError, WrongFileTypeError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Connection", "Header", "Record", "StagedTable", "stage_returns"]

_BINARY = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database or GeoPackage",
    b"PAR1": "a Parquet file",
    b"\x7fELF": "a program",
    b"fgb\x03": "a FlatGeobuf file",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
}


def stage_returns(connection: Connection, path: Path, relation: str, *, form: str | None = None) -> list[StagedTable]:
    """Read one file into temporary relations whose names start with `relation`.

    The kind of file is told by its content, the form and table by the header.

    Raises
    ------
    EnumerationsError
        The file is missing, empty, of another type, damaged as a whole, or its header fits no table of the form.
    """
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise WrongFileTypeError(f"{path}: can't be read ({error.strerror}). Check the name.") from error
    if not start:
        raise EmptyFileError(f"{path.name}: the file is empty. Export it again.")
    for magic, words in _BINARY.items():
        if start.startswith(magic):
            raise WrongFileTypeError(f"{path.name}: this is {words}, not returns. Give the CSV, XLSX or JSON file.")
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return stage_workbook(connection, path, relation, form=form)
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith((b"{", b"[")):
        return stage_kobo(connection, path, relation, form=form)
    return [stage_csv(connection, path, relation, form=form)]

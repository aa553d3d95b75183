"""Read and write the plain tables that a demographer brings: columns by name, checked cell by cell."""

from __future__ import annotations

import os
import secrets
from typing import IO, TYPE_CHECKING
from unicodedata import normalize

from pyarrow.lib import ArrowException
from pyarrow.parquet import read_schema

from dtm._table_cells import LARGEST_COUNT, Rule, Source, number_cells, refuse_cells, text_cells
from dtm.engine import EngineError, connect, is_disk_full
from dtm.errors import BadInputError, DiskFullError, WrongUseError
from enumerations.returns import survey_returns

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    import pandas as pd

    from dtm.engine import Connection

PARQUET_MAGIC = b"PAR1"
_SUM = "subtotal_row"
"""Fault of a row whose first cell is a word for a sum; here it may be a code, and columns of areas are looked at."""
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
NUMERIC_KINDS = (*_INTEGERS, *(f"U{kind}" for kind in _INTEGERS), "FLOAT", "DOUBLE", "DECIMAL")
"""What the engine calls columns of numbers in a Parquet file."""
WRITTEN_ENDINGS = (".csv", ".parquet")


def read_table_file(
    path: Path,
    *,
    text: Mapping[str, str],
    numbers: Mapping[str, str],
    if_there: Mapping[str, str] | None = None,
    areas: Collection[str] = (),
    nullable: Collection[str] = (),
    signed: Collection[str] = (),
    counts: Collection[str] = (),
    coded: Collection[str] = (),
) -> pd.DataFrame:
    """Return columns of a CSV, Parquet or XLSX file (its first sheet) under names of our own, in the file's order.

    Parameters
    ----------
    path
        The file; a CSV in any usual encoding and with any usual delimiter, header first.
    text
        For each of our names the file's column that is read as text; blanks around a value don't count.
    numbers
        The same for columns that are read as numbers (float64), see `dtm._table_cells.number_cells`.
    if_there
        The same for columns that are read as text where the file has them.
    areas
        Our names of text columns that name areas: a word for a sum, such as Total or Нийт, is no area.
    nullable
        Our names of columns in which a cell may be empty; it becomes a null.
    signed
        Our names of number columns that may be below 0.
    counts
        Our names of number columns that are added up and must stay exact: `LARGEST_COUNT` at most.
    coded
        Our names of text columns to be given as categories, which spares a large table time and memory.

    Returns
    -------
    pandas.DataFrame
        The named columns, a row a record. A file without records gives an empty frame.

    Raises
    ------
    WrongUseError
        One column is named for two things.
    BadInputError
        The file can't be read, lacks a column or has it twice, or a cell is empty, no finite number, negative or too
        large: file, column and rows are named (the header being row 1).
    EnumerationsError
        The file is missing, empty, of another type, or damaged as a whole.
    """
    wanted = {**text, **numbers}
    twice = sorted({column for column in wanted.values() if list(wanted.values()).count(column) > 1})
    if twice:
        raise WrongUseError(f"The column '{twice[0]}' is named for two things; name each once.")
    with connect(spatial=False) as connection:
        staged = _stage(connection, path)
        there = {source.name for source in staged}
        wanted |= {name: column for name, column in (if_there or {}).items() if column in there}
        sources = _chosen(staged, wanted, file_name=path.name)
        cells = {
            name: number_cells(connection, source, file_name=path.name) if name in numbers else text_cells(source)
            for name, source in sources.items()
        }
        rules = {
            name: Rule(
                is_number=name in numbers,
                is_nullable=name in nullable,
                is_area=name in areas,
                is_signed=name in signed,
                is_count=name in counts,
            )
            for name in wanted
        }
        refuse_cells(connection, [(cells[name], rules[name]) for name in wanted], file_name=path.name)
        columns = ", ".join(f"{cells[name].value} AS {_quoted(name)}" for name in wanted)
        table = connection.execute(f"SELECT {columns} FROM staged ORDER BY record").to_arrow_table()
    for position, name in enumerate(table.column_names):
        if name in coded:
            table = table.set_column(position, name, table.column(position).dictionary_encode())
    frame: pd.DataFrame = table.unify_dictionaries().to_pandas()
    return frame


def table_file_columns(path: Path) -> list[str]:
    """Return the names of the columns of a CSV, Parquet or XLSX file (its first sheet), in the file's order.

    Raises
    ------
    BadInputError, EnumerationsError
        The file is missing, empty, of another type, or damaged as a whole.
    """
    with connect(spatial=False) as connection:
        return [source.name for source in _stage(connection, path)]


def write_table_file(frame: pd.DataFrame, path: Path) -> Path:
    """Write a table as CSV or Parquet by the file's ending, whole or not at all; an older file is replaced.

    Raises
    ------
    WrongUseError
        Another ending, or there is no such folder.
    DiskFullError, BadInputError
        The file can't be written; what was there before is still there.
    """
    if path.suffix.lower() not in WRITTEN_ENDINGS:
        raise WrongUseError(f"{path}: name a file that ends in {' or '.join(WRITTEN_ENDINGS)}.")
    if path.is_dir():
        raise WrongUseError(f"{path} is a folder; give a file.")
    if not path.parent.is_dir():
        raise WrongUseError(f"{path}: there is no folder {path.parent}. Make it with `mkdir -p {path.parent}`.")
    part = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    how = "FORMAT parquet, COMPRESSION zstd" if path.suffix.lower() == ".parquet" else "FORMAT csv, HEADER"
    try:
        with connect(spatial=False) as connection:
            connection.register("frame", frame)
            connection.execute(f"COPY (SELECT * FROM frame) TO '{_escaped(part)}' ({how})")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except (EngineError, OSError) as error:
        if is_disk_full(error):
            raise DiskFullError(f"{path}: the disk is full; nothing was changed. Free some space.") from error
        raise BadInputError(f"{path} can't be written: {error}. Choose another place with --out.") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def refuse_overwriting(out: Path, *inputs: Path | None) -> None:
    """Refuse to write over a file that is read, by whatever name.

    Raises
    ------
    WrongUseError
        `out` is one of the inputs, or a link to it.
    """
    for path in inputs:
        if path is not None and (
            out.resolve() == path.resolve() or (out.exists() and path.exists() and out.samefile(path))
        ):
            raise WrongUseError(f"{out} is an input of this command; give --out another name, or it would be lost.")


def _chosen(sources: list[Source], wanted: Mapping[str, str], *, file_name: str) -> dict[str, Source]:
    """Return the columns that are wanted by our names; the file's are compared letter by letter (NFC)."""
    by_name = {normalize("NFC", source.name): source for source in sources}
    columns = {name: normalize("NFC", column) for name, column in wanted.items()}
    missing = [column for column in columns.values() if column not in by_name]
    if missing:
        told, there = ", ".join(map(repr, missing)), ", ".join(source.name for source in sources)
        raise BadInputError(f"{file_name}: there is no column {told}; the file has: {there}.")
    names = [normalize("NFC", source.name) for source in sources]
    repeated = [column for column in columns.values() if names.count(column) > 1]
    if repeated:
        raise BadInputError(f"{file_name}: there are two columns '{repeated[0]}'. Rename the one not meant.")
    return {name: by_name[column] for name, column in columns.items()}


def _stage(connection: Connection, path: Path) -> list[Source]:
    """Make the view `staged` with columns `record`, c0, c1, ...; return the file's columns in their order."""
    with _opened(path) as file:
        is_parquet = file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
    if is_parquet:
        return _stage_parquet(connection, path)
    table = survey_returns(connection, path, "given_file")[0]
    broken = connection.execute(
        f"SELECT min(record), count(*) FROM {table.relation} WHERE fault <> '{_SUM}'"
    ).fetchone()
    if broken and broken[1]:
        raise BadInputError(
            f"{path.name}: {broken[1]} rows don't fit the header, the first is row {broken[0]}. Export it again."
        )
    connection.execute(f"CREATE TEMP VIEW staged AS SELECT * FROM {table.relation}")
    return [Source(name.strip(), f"c{position}") for position, name in enumerate(table.header.names)]


def _stage_parquet(connection: Connection, path: Path) -> list[Source]:
    """Take the columns by their places: names that the engine keeps for itself are names like any other."""
    literal = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in _escaped(path))
    options = "hive_partitioning = false"
    try:
        names = [str(name) for name in read_schema(path).names]
        is_taken = any(name.lower() == "file_row_number" for name in names)
        record = "row_number() OVER () - 1" if is_taken else "number"
        options += "" if is_taken else ", file_row_number = true"
        cells = [f"c{position}" for position in range(len(names))]
        given = ", ".join([*cells, *([] if is_taken else ["number"])])
        connection.execute(
            f"CREATE TEMP VIEW staged AS SELECT {record} + 2 AS record, {', '.join(cells)} "
            f"FROM read_parquet('{literal}', {options}) AS given({given})"
        )
        kinds = [str(row[1]) for row in connection.execute("DESCRIBE staged").fetchall()][1:]
    except (EngineError, ArrowException, OSError) as error:
        raise BadInputError(f"{path.name}: not readable as Parquet ({error}). Export the file again.") from error
    return [
        Source(name.strip(), _told(cell, kind), cell if kind.startswith(NUMERIC_KINDS) else None)
        for name, cell, kind in zip(names, cells, kinds, strict=True)
    ]


def _told(cell: str, kind: str) -> str:
    """Return the SQL of a Parquet column; a code that a program kept as a real number is told as in a CSV, as 11."""
    if kind not in ("DOUBLE", "FLOAT"):
        return cell
    is_whole = f"{cell} = floor({cell}) AND abs({cell}) < {LARGEST_COUNT}"
    return f"CASE WHEN {is_whole} THEN {cell}::BIGINT::VARCHAR ELSE {cell}::VARCHAR END"


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise BadInputError(f"{path}: can't be read ({error.strerror}). Check the name.") from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")

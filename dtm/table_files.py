"""Read and write the plain tables that a demographer brings: columns by name, checked cell by cell."""

from __future__ import annotations

import secrets
from typing import IO, TYPE_CHECKING

from dtm.engine import EngineError, connect, is_disk_full
from dtm.errors import BadInputError, DiskFullError, WrongUseError
from enumerations.returns import survey_returns

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    import pandas as pd

    from dtm.engine import Connection

PARQUET_MAGIC = b"PAR1"
PROBLEMS_SHOWN = 5
WRITTEN_ENDINGS = (".csv", ".parquet")
LARGEST_COUNT = 2**53 - 1
"""Beyond it neighbouring whole numbers are the same to a computer, and sums are no longer exact."""


def read_table_file(
    path: Path,
    *,
    text: Mapping[str, str],
    numbers: Mapping[str, str],
    nullable: Collection[str] = (),
    signed: Collection[str] = (),
    counts: Collection[str] = (),
) -> pd.DataFrame:
    """Return columns of a CSV, Parquet or XLSX file (its first sheet) under names of our own, in the file's order.

    Parameters
    ----------
    path
        The file; a CSV in any usual encoding and with any usual delimiter, header first.
    text
        For each of our names the file's column that is read as text; blanks around a value don't count.
    numbers
        The same for columns that are read as numbers (float64).
    nullable
        Our names of columns in which a cell may be empty; it becomes a null.
    signed
        Our names of number columns that may be below 0.
    counts
        Our names of number columns that are added up and must stay exact: `LARGEST_COUNT` at most.

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
        columns = _stage(connection, path)
        places = dict(columns)
        missing = [column for column in wanted.values() if column not in places]
        if missing:
            told, there = ", ".join(map(repr, missing)), ", ".join(places)
            raise BadInputError(f"{path.name}: there is no column {told}; the file has: {there}.")
        names = [name for name, _ in columns]
        repeated = [column for column in wanted.values() if names.count(column) > 1]
        if repeated:
            raise BadInputError(f"{path.name}: there are two columns '{repeated[0]}'. Rename the one not meant.")
        cells = ", ".join(
            f"{_cell(places[column], is_number=name in numbers)} AS {_quoted(name)}, "
            f"nullif(trim({places[column]}::VARCHAR), '') AS {_quoted('told ' + name)}"
            for name, column in wanted.items()
        )
        connection.execute(f"CREATE TEMP TABLE given AS SELECT record, {cells} FROM staged")
        for name, column in wanted.items():
            problems = _problems(
                name,
                is_number=name in numbers,
                is_nullable=name in nullable,
                is_signed=name in signed,
                is_count=name in counts,
            )
            _refuse(connection, path, name, column, problems)
        chosen = ", ".join(_quoted(name) for name in wanted)
        return connection.execute(f"SELECT {chosen} FROM given ORDER BY record").df()


def table_file_columns(path: Path) -> list[str]:
    """Return the names of the columns of a CSV, Parquet or XLSX file (its first sheet), in the file's order.

    Raises
    ------
    BadInputError, EnumerationsError
        The file is missing, empty, of another type, or damaged as a whole.
    """
    with connect(spatial=False) as connection:
        return [name for name, _ in _stage(connection, path)]


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
        part.replace(path)
    except (EngineError, OSError) as error:
        if is_disk_full(error):
            raise DiskFullError(f"{path}: the disk is full; nothing was changed. Free some space.") from error
        raise BadInputError(f"{path} can't be written: {error}. Choose another place with --out.") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _stage(connection: Connection, path: Path) -> list[tuple[str, str]]:
    """Make the view `staged` with a column `record`; return the name and the SQL of each of the file's columns."""
    with _opened(path) as file:
        is_parquet = file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
    if not is_parquet:
        table = survey_returns(connection, path, "given_file")[0]
        broken = connection.execute(
            f"SELECT min(record), count(*) FROM {table.relation} WHERE fault IS NOT NULL"
        ).fetchone()
        if broken and broken[1]:
            raise BadInputError(
                f"{path.name}: {broken[1]} rows don't fit the header, the first is row {broken[0]}. Export it again."
            )
        connection.execute(f"CREATE TEMP VIEW staged AS SELECT * FROM {table.relation}")
        return [(name.strip(), f"c{position}") for position, name in enumerate(table.header.names)]
    try:
        connection.execute(
            f"CREATE TEMP VIEW staged AS SELECT file_row_number + 2 AS record, * EXCLUDE (file_row_number) "
            f"FROM read_parquet('{_escaped(path)}', file_row_number = true)"
        )
        kinds = {str(row[0]): str(row[1]) for row in connection.execute("DESCRIBE staged").fetchall()}
    except EngineError as error:
        raise BadInputError(f"{path.name}: not readable as Parquet ({error}). Export the file again.") from error
    return [(name, _told(name, kind)) for name, kind in kinds.items() if name != "record"]


def _told(name: str, kind: str) -> str:
    """Return the SQL of a Parquet column; a code that a program kept as a real number is told as in a CSV, as 11."""
    column = _quoted(name)
    if kind not in ("DOUBLE", "FLOAT"):
        return column
    is_whole = f"{column} = floor({column}) AND abs({column}) < {LARGEST_COUNT}"
    return f"CASE WHEN {is_whole} THEN {column}::BIGINT::VARCHAR ELSE {column}::VARCHAR END"


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise BadInputError(f"{path}: can't be read ({error.strerror}). Check the name.") from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")


def _cell(source: str, *, is_number: bool) -> str:
    told = f"nullif(trim({source}::VARCHAR), '')"
    return f"TRY_CAST({told} AS DOUBLE)" if is_number else told


def _problems(
    name: str, *, is_number: bool, is_nullable: bool, is_signed: bool, is_count: bool
) -> list[tuple[str, str, str]]:
    """Return what a cell of a column can't be: the condition, what is wrong, and what to do."""
    value, told = _quoted(name), _quoted("told " + name)
    problems = [] if is_nullable else [(f"{told} IS NULL", "is empty", "Fill it in, or leave the row out.")]
    if is_number:
        problems.append(
            (f"{told} IS NOT NULL AND ({value} IS NULL OR NOT isfinite({value}))", "is no number", "Write digits only.")
        )
        if not is_signed:
            problems.append((f"{value} < 0", "is below 0", "It can't be; correct it."))
    if is_count:
        problems.append((f"abs({value}) > {LARGEST_COUNT}", "is too large for a count", "Correct it."))
    return problems


def _refuse(connection: Connection, path: Path, name: str, column: str, problems: list[tuple[str, str, str]]) -> None:
    """Name the rows whose cell can't be used."""
    told = _quoted("told " + name)
    for condition, what, cure in problems:
        found = connection.execute(
            f"SELECT record, {told}, count(*) OVER () FROM given WHERE {condition} "
            f"ORDER BY record LIMIT {PROBLEMS_SHOWN}"
        ).fetchall()
        if found:
            rows = ", ".join(f"{record} ('{cell}')" if cell is not None else str(record) for record, cell, _ in found)
            more = f" and {found[0][2] - len(found)} more" if found[0][2] > len(found) else ""
            raise BadInputError(f"{path.name}: column '{column}' {what} in row {rows}{more}. {cure}")

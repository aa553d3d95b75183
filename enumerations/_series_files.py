"""Read a table of figures by place and period from a CSV file or a workbook."""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from enumerations._workbooks import sheet_texts
from enumerations.errors import (
    EmptyFileError,
    MissingColumnsError,
    RepeatedColumnError,
    WrongFiguresError,
    WrongFileTypeError,
)
from enumerations.series import Figures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DELIMITERS = (",", ";", "\t", "|")
NOT_TOLD = ("", "-", "–", "—", "..", "...", "…")
"""Cells that tell no figure; a missing figure is not zero."""
PROBLEMS_SHOWN = 5
KEY_JOIN = " / "
"""Between the parts of a place that several columns name."""
_GROUPED = re.compile(r"[+-]?\d{1,3}([ ,\u00a0\u202f]\d{3})+(\.\d+)?")


def read_figures(path: Path, *, keys: Sequence[str], period: str, values: Sequence[str]) -> Figures:
    """Read the columns that name place, period and figures; a workbook's first sheet.

    Raises
    ------
    EmptyFileError
        There is no row of figures.
    WrongFileTypeError, UnsafeFileError
        The file is no CSV and no workbook, or a workbook that inflates to more than it may.
    MissingColumnsError
        A column that was named is not there; the message lists those that are.
    WrongFiguresError
        A figure is no number, or a place has two rows for one period; the message names the rows.
    """
    names = [*keys, period, *values]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise WrongFiguresError(f"The column '{min(twice)}' is named twice; name each once.")
    frame = _read(path, names)
    missing = [name for name in names if name not in frame.columns]
    if missing:
        told, there = ", ".join(map(repr, missing)), ", ".join(frame.columns)
        raise MissingColumnsError(f"{path.name}: there is no column {told}; the file has: {there}.")
    frame = frame[names]
    frame.insert(0, "row", np.arange(2, len(frame) + 2))
    frame = frame[(frame[names] != "").any(axis=1)]
    if frame.empty:
        raise EmptyFileError(f"{path.name}: there is no row under the header.")
    _refuse_unnamed(path, frame, [*keys, period])
    table = pd.DataFrame({"row": frame["row"], "key": _joined(frame, keys)})
    table["period"] = _ordered(frame[period])
    for field in values:
        table[f"value {field}"] = _numbers(path, frame, field)
    _refuse_repeated(path, table, [*keys, period])
    columns = [f"value {field}" for field in values]
    figures = Figures.from_frame(table, key="key", period="period", values=columns)
    return Figures(figures.keys, figures.periods, figures.key, figures.period, tuple(values), figures.told)


def _joined(frame: pd.DataFrame, keys: Sequence[str]) -> pd.Series:
    place = frame[keys[0]]
    for name in keys[1:]:
        place = place + KEY_JOIN + frame[name]
    return place


def _read(path: Path, names: Sequence[str]) -> pd.DataFrame:
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise WrongFileTypeError(f"{path}: can't be read ({error.strerror}). Check the name.") from error
    if not start:
        raise EmptyFileError(f"{path.name}: the file is empty. Export it again.")
    if start.startswith(b"PK\x03\x04"):
        return _read_workbook(path)
    if start.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"\x89PNG", b"\x1f\x8b")) or b"\0\0" in start:
        raise WrongFileTypeError(f"{path.name}: this is neither a CSV file nor an .xlsx workbook.")
    return _read_csv(path, names)


def _read_workbook(path: Path) -> pd.DataFrame:
    rows = sheet_texts(path)
    first, header = next(rows)
    repeated = sorted({name for name in header if name and header.count(name) > 1})
    if repeated:
        raise RepeatedColumnError(f"{path.name}: the header has these columns more than once: {', '.join(repeated)}.")
    lines: list[list[str]] = []
    for number, texts in rows:
        lines += [[""] * len(header) for _ in range(number - first - 1 - len(lines))]  # numbers count blank rows too
        lines.append(texts)
    names = [name or f"Unnamed: {place}" for place, name in enumerate(header)]
    return _tidied(pd.DataFrame(lines, columns=names, dtype=str))


def _encoding(path: Path) -> str:
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "windows-1251"
    return "utf-8-sig"


def _read_csv(path: Path, names: Sequence[str]) -> pd.DataFrame:
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        head = file.readline()
    rows = {mark: next(csv.reader(io.StringIO(head), delimiter=mark), []) for mark in DELIMITERS}
    delimiter = max(
        DELIMITERS, key=lambda mark: (len(set(names) & {cell.strip() for cell in rows[mark]}), len(rows[mark]))
    )
    try:
        frame = pd.read_csv(
            path, sep=delimiter, dtype=str, keep_default_na=False, encoding=encoding, index_col=False,
            skip_blank_lines=False,
        )  # fmt: skip
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, ValueError) as error:
        raise WrongFileTypeError(f"{path.name}: not readable as CSV ({error}). Export the file again.") from error
    return _tidied(frame)


def _tidied(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.fillna("").astype(str)
    stripped = {name: frame[name].str.strip() for name in frame.columns}
    return pd.DataFrame({str(name).strip(): column for name, column in stripped.items()})


def _rows_words(rows: Sequence[int]) -> str:
    shown = ", ".join(map(str, rows[:PROBLEMS_SHOWN]))
    return shown if len(rows) <= PROBLEMS_SHOWN else f"{shown} and {len(rows) - PROBLEMS_SHOWN} more"


def _refuse_unnamed(path: Path, frame: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        empty = frame["row"][frame[name] == ""].tolist()
        if empty:
            raise WrongFiguresError(
                f"{path.name}: column '{name}' is empty in row {_rows_words(empty)}. A row needs a place and a period."
            )


def _refuse_repeated(path: Path, table: pd.DataFrame, names: Sequence[str]) -> None:
    again = table[table.duplicated(["key", "period"], keep="first")]
    if len(again):
        one = again.iloc[0]
        raise WrongFiguresError(
            f"{path.name}: {', '.join(names)} together must name each row once, but {len(again)} come again; "
            f"first '{one['key']}', '{one['period']}' in row {one['row']}. Delete the copies, or name another --key."
        )


def _ordered(period: pd.Series) -> pd.Series:
    """Return periods that sort in time: numbers as numbers, everything else as text (2024-06 sorts as it is)."""
    numbers = pd.to_numeric(period, errors="coerce")
    if numbers.isna().any():
        return period
    return numbers.astype("int64") if (numbers == numbers.round()).all() else numbers


def _numbers(path: Path, frame: pd.DataFrame, field: str) -> pd.Series:
    text = frame[field]
    numbers = pd.to_numeric(text, errors="coerce")
    left = numbers.isna() & ~text.isin(NOT_TOLD)
    if left.any():
        plain = (
            text[left].where(text[left].str.fullmatch(_GROUPED), "?").str.replace(r"[ ,\u00a0\u202f]", "", regex=True)
        )
        numbers[left] = pd.to_numeric(plain, errors="coerce")
        left &= numbers.isna()
    left |= np.isinf(numbers)
    if left.any():
        shown = frame[left].head(PROBLEMS_SHOWN)
        words = ", ".join(f"row {row}: '{cell}'" for row, cell in zip(shown["row"], shown[field], strict=True))
        raise WrongFiguresError(
            f"{path.name}: {int(left.sum())} cells of column '{field}' are no numbers ({words}). "
            "Write digits only, and leave a cell empty where nothing is known."
        )
    return numbers

"""Know the periods in which a series does not mean what it says before and after, and mark the rows they touch."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import astuple, dataclass
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dtm._release_tables import RELEASE_TABLES
from dtm.errors import BadInputError, WrongUseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

BREAKS_FILE = "series_breaks.csv"
"""Name of the packaged list, and of a workspace's own beside `dtm.toml`."""
REGISTERED = "registered"
REGISTRATION = "registration"
ALL = "all"
SERIES = (REGISTERED, REGISTRATION, ALL)
"""Stocks of registered people; registered moves; every series. A break of `all` touches any other series too."""
BREAK_COLUMN = "series_break"
SEPARATOR = "; "
"""Between the names, where a row lies in several breaks."""
TEXT_CHARACTERS_MAX = 2_000
"""Longest text of a workspace's own break."""
_COLUMNS = RELEASE_TABLES["series_break"].column_names
_REQUIRED = tuple(column.name for column in RELEASE_TABLES["series_break"].columns if column.required)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


@dataclass(frozen=True)
class SeriesBreak:
    """A period in which a series does not mean what it says before and after; `to_on` is None while it goes on."""

    name: str
    series: str
    from_on: date
    to_on: date | None
    label_en: str
    label_mn: str
    what_en: str
    what_mn: str
    reference: str

    def touches(self, series: str) -> bool:
        """Return whether a series is broken by it."""
        return self.series in {series, ALL}


def read_series_breaks(workspace: Path | None = None) -> tuple[SeriesBreak, ...]:
    """Read the known breaks, and those a workspace adds in a file `series_breaks.csv` beside its `dtm.toml`.

    Parameters
    ----------
    workspace
        Folder of the workspace; the packaged breaks alone when not given, or when it has no such file.

    Returns
    -------
    tuple
        Breaks by first day, name and series.

    Raises
    ------
    BadInputError
        The workspace's file can't be read, lacks a column, or has rows that can't be used; all of them are named.
    """
    packaged = (files("dtm") / BREAKS_FILE).read_text(encoding="utf-8")
    breaks = _parse(packaged, place=BREAKS_FILE)
    own = workspace / BREAKS_FILE if workspace is not None else None
    if own is not None and own.exists():
        try:
            text = own.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInputError(f"{own} can't be read: {error}. Save it as CSV in UTF-8.") from error
        breaks += _parse(text, place=str(own), known={(one.name, one.series) for one in breaks})
    return tuple(sorted(breaks, key=lambda one: (one.from_on, one.name, one.series)))


def breaks_between(
    series: str, from_on: date | None, to_on: date | None, *, breaks: Iterable[SeriesBreak] | None = None
) -> tuple[SeriesBreak, ...]:
    """Return the breaks that touch a series from one day to another, both included.

    A figure of one day: give it twice. A comparison of two days is touched by what lies between them, too.

    Parameters
    ----------
    series
        `registered`, `registration`, or the name of any other series (which only breaks of `all` touch).
    from_on, to_on
        Days; None for no limit on that side.
    breaks
        The breaks; the packaged ones when not given.

    Raises
    ------
    WrongUseError
        The last day is before the first.
    """
    if from_on is not None and to_on is not None and to_on < from_on:
        raise WrongUseError(f"The last day {to_on} is before the first, {from_on}.")
    known = read_series_breaks() if breaks is None else breaks
    return tuple(
        one
        for one in known
        if one.touches(series)
        and (to_on is None or one.from_on <= to_on)
        and (from_on is None or one.to_on is None or one.to_on >= from_on)
    )


def mark_breaks(
    frame: pd.DataFrame,
    *,
    day: str,
    series: str,
    since: str | None = None,
    breaks: Iterable[SeriesBreak] | None = None,
    into: str = BREAK_COLUMN,
) -> pd.DataFrame:
    """Return a table with a column that names the breaks each row lies in or crosses; empty where there is none.

    Parameters
    ----------
    frame
        Any table.
    day
        Column of dates: the day of a figure, or the last day of its period. A row without one is not marked.
    series
        Series the figures belong to, as for `breaks_between`.
    since
        Column of dates: first day of the period, or the day the figure is compared with. A row without one is of
        the one day.
    breaks
        The breaks; the packaged ones when not given.
    into
        Column to add.

    Raises
    ------
    WrongUseError
        The table has no such column, or a column holds no dates.
    """
    last = _days(frame, day)
    first = last if since is None else _days(frame, since).where(lambda days: days.notna(), last)
    known = read_series_breaks() if breaks is None else breaks
    names = np.full(len(frame), "", dtype=object)
    for one in known:
        if one.touches(series):
            touched = (last >= pd.Timestamp(one.from_on)).to_numpy()
            if one.to_on is not None:
                touched = touched & (first <= pd.Timestamp(one.to_on)).to_numpy()
            more = np.array([one.name not in name.split(SEPARATOR) for name in names], dtype=bool) & touched
            names[more] = [f"{name}{SEPARATOR}{one.name}" if name else one.name for name in names[more]]
    marked = pd.Series(names, index=frame.index, dtype="str")
    return frame.assign(**{into: marked.where(marked != "")})


def breaks_table(breaks: Sequence[SeriesBreak]) -> pd.DataFrame:
    """Return breaks as rows of the release table `series_break`."""
    return pd.DataFrame([astuple(one) for one in breaks], columns=list(_COLUMNS))


def breaks_of(table: pd.DataFrame) -> tuple[SeriesBreak, ...]:
    """Return the breaks that the rows of a release table `series_break` tell."""
    dates = {name: pd.to_datetime(table[name]) for name in ("from_on", "to_on")}
    rows: list[dict[str, Any]] = table.assign(**dates)[list(_COLUMNS)].to_dict("records")  # type: ignore[assignment]
    return tuple(
        SeriesBreak(**(row | {name: None if pd.isna(row[name]) else row[name].date() for name in dates}))
        for row in rows
    )


def _days(frame: pd.DataFrame, column: str) -> pd.Series[pd.Timestamp]:
    if column not in frame:
        raise WrongUseError(f"There is no column '{column}'; there are: {', '.join(map(str, frame.columns))}.")
    if pd.api.types.is_numeric_dtype(frame[column]) and frame[column].notna().any():
        raise WrongUseError(f"Column '{column}' holds numbers, not dates; of a year, give its first and last day.")
    try:
        return pd.to_datetime(frame[column], format="ISO8601")
    except (ValueError, TypeError) as error:
        raise WrongUseError(f"Column '{column}' holds no dates: {error}") from error


def _parse(text: str, *, place: str, known: Iterable[tuple[str, str]] = ()) -> list[SeriesBreak]:
    """Read the rows of a file, and refuse it with everything that is wrong in them."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = header
        rows = list(reader)
    except csv.Error as error:
        raise BadInputError(f"{place} is not a CSV file: {error}") from error
    missing = [name for name in _COLUMNS if name not in header]
    if missing:
        raise BadInputError(f"{place}: no column {', '.join(missing)}. The columns are: {', '.join(_COLUMNS)}.")
    seen = set(known)
    found: list[SeriesBreak] = []
    wrong: list[str] = []
    for number, row in enumerate(rows, start=2):
        if not any(isinstance(value, str) and value.strip() for value in row.values()):
            continue
        problems, one = _read_row(row)
        if one is not None and (one.name, one.series) in seen:
            problems.append(f"name: '{one.name}' stands already for the series {one.series}; give it another name")
        wrong += [f"row {number}, {problem}" for problem in problems]
        if one is not None:
            seen.add((one.name, one.series))
            found.append(one)
    if wrong:
        raise BadInputError(f"{place}: {'; '.join(wrong)}.")
    return found


def _read_row(row: Mapping[str | Any, Any]) -> tuple[list[str], SeriesBreak | None]:
    """Return what is wrong with a row, and the break if nothing is."""
    if None in row:
        return ["more cells than the header has; put texts with commas in quotes"], None
    values = {name: (row[name] or "").strip() for name in _COLUMNS}
    problems = [f"{name}: empty" for name in _REQUIRED if not values[name]]
    long = f"longer than {TEXT_CHARACTERS_MAX:,} characters"
    problems += [f"{name}: {long}" for name, value in values.items() if len(value) > TEXT_CHARACTERS_MAX]
    if values["name"] and not _NAME.fullmatch(values["name"]):
        problems.append(f"name: '{values['name'][:60]}' is not made of small Latin letters, digits, - and _")
    if values["series"] and values["series"] not in SERIES:
        problems.append(f"series: '{values['series'][:60]}' is none of {', '.join(SERIES)}")
    days: dict[str, date | None] = {}
    for name in ("from_on", "to_on"):
        try:
            days[name] = date.fromisoformat(values[name]) if values[name] else None
        except ValueError:
            problems.append(f"{name}: '{values[name][:60]}' is not a day such as 2017-01-09")
    first, last = days.get("from_on"), days.get("to_on")
    if first is not None and last is not None and last < first:
        problems.append(f"to_on: {last} is before {first}")
    if problems or first is None:
        return problems, None
    texts = {name: values[name] for name in _COLUMNS if name not in days}
    return [], SeriesBreak(from_on=first, to_on=last, **texts)

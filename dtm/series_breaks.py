"""Know the periods in which a series does not mean what it says before and after, and mark the rows they touch."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import astuple, dataclass
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from dtm._release_tables import RELEASE_TABLES
from dtm.errors import BadInputError, WrongUseError
from geodata.errors import PcodeError
from geodata.pcodes import CAPITAL_PCODE, COUNTRY_PCODE, REGIONS, level_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

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
COUNTRY = COUNTRY_PCODE
"""Area of a break that happened everywhere."""
WHOLE, PART, ELSEWHERE = "whole", "part", ""
"""How a break concerns an area: the area lies where it happened, it is larger and holds that place, or neither."""
TEXT_CHARACTERS_MAX = 2_000
"""Longest text of a workspace's own break."""
_REGION_PREFIX: Final = {
    region.code: CAPITAL_PCODE if CAPITAL_PCODE.startswith(f"{COUNTRY_PCODE}{digit}") else f"{COUNTRY_PCODE}{digit}"
    for digit, region in REGIONS.items()
}
"""What the P-codes of a region begin with; the region of the capital is the capital."""
_COLUMNS = RELEASE_TABLES["series_break"].column_names
_REQUIRED = tuple(column.name for column in RELEASE_TABLES["series_break"].columns if column.required)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


@dataclass(frozen=True)
class SeriesBreak:
    """A period in which the series of an area do not mean what they say before and after.

    `pcode` is the area, with all that lies in it: MN is the whole country. `to_on` is None while it goes on.
    """

    name: str
    series: str
    pcode: str
    from_on: date
    to_on: date | None
    label_en: str
    label_mn: str
    what_en: str
    what_mn: str
    reference: str

    def touches(self, series: str, pcode: str | None = None) -> bool:
        """Return whether a series is broken by it, of all areas together or of one."""
        return self.series in {series, ALL} and (pcode is None or self.reach(pcode) != ELSEWHERE)

    def reach(self, pcode: str) -> str:
        """Return `WHOLE` for an area inside its own, `PART` for a larger one that holds it, else `ELSEWHERE`."""
        code = _REGION_PREFIX.get(pcode, pcode)
        if code.startswith(self.pcode):
            return WHOLE
        return PART if code.startswith(COUNTRY_PCODE) and self.pcode.startswith(code) else ELSEWHERE


def read_series_breaks(workspace: Path | None = None) -> tuple[SeriesBreak, ...]:
    """Read the known breaks, and those a workspace adds in a file `series_breaks.csv` beside its `dtm.toml`.

    Parameters
    ----------
    workspace
        Folder of the workspace; the packaged breaks alone when not given, or when it has no such file. A file without
        the column `pcode` is about the whole country.

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
        breaks += _parse(text, place=str(own), known={_key(one) for one in breaks})
    return tuple(sorted(breaks, key=lambda one: (one.from_on, one.name, one.series)))


def breaks_between(
    series: str,
    from_on: date | None,
    to_on: date | None,
    *,
    pcode: str | None = None,
    breaks: Iterable[SeriesBreak] | None = None,
) -> tuple[SeriesBreak, ...]:
    """Return the breaks that touch a series from one day to another, both included.

    A figure of one day: give it twice. A comparison of two days is touched by what lies between them, too.

    Parameters
    ----------
    series
        `registered`, `registration`, or the name of any other series (which only breaks of `all` touch).
    from_on, to_on
        Days; None for no limit on that side.
    pcode
        Area of the series: only breaks of that area, of one around it or of one inside it. All breaks when not given.
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
        if one.touches(series, pcode)
        and (to_on is None or one.from_on <= to_on)
        and (from_on is None or one.to_on is None or one.to_on >= from_on)
    )


def mark_breaks(
    frame: pd.DataFrame,
    *,
    day: str,
    series: str,
    since: str | None = None,
    areas: Sequence[str] = (),
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
    areas
        Columns of P-codes, or codes of regions: the area of a figure, or both ends of a move. A row is touched by
        the breaks of an area one of them lies in, by their names, and by those inside one of them, as ``name (area)``.
        A row that names no place of the country is of all areas together. Breaks of every area when not given.
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
            reach = _reaches(frame, areas, one) if areas and touched.any() else np.full(len(frame), WHOLE, dtype=object)
            for how, told in ((WHOLE, one.name), (PART, f"{one.name} ({one.pcode})")):
                more = np.array([told not in name.split(SEPARATOR) for name in names], dtype=bool)
                more &= touched & (reach == how)
                names[more] = [f"{name}{SEPARATOR}{told}" if name else told for name in names[more]]
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


def _reaches(frame: pd.DataFrame, areas: Sequence[str], one: SeriesBreak) -> NDArray[np.object_]:
    """Return how a break concerns each row, by the areas it names."""
    missing = [name for name in areas if name not in frame]
    if missing:
        raise WrongUseError(f"There is no column '{missing[0]}'; there are: {', '.join(map(str, frame.columns))}.")
    found = np.full((len(areas), len(frame)), ELSEWHERE, dtype=object)
    is_place = np.zeros(len(frame), dtype=bool)
    for row, name in enumerate(areas):
        number, codes = pd.factorize(frame[name])
        found[row] = np.array([*(one.reach(str(code)) for code in codes), ELSEWHERE], dtype=object)[number]
        is_place |= np.array([*(_is_place(str(code)) for code in codes), False])[number]
    all_together = np.full(len(frame), WHOLE if one.pcode == COUNTRY else PART, dtype=object)
    return np.select(
        [(found == WHOLE).any(axis=0), (found == PART).any(axis=0), ~is_place], [WHOLE, PART, all_together], ELSEWHERE
    )


def _is_place(code: str) -> bool:
    return _REGION_PREFIX.get(code, code).startswith(COUNTRY_PCODE)


def _days(frame: pd.DataFrame, column: str) -> pd.Series[pd.Timestamp]:
    if column not in frame:
        raise WrongUseError(f"There is no column '{column}'; there are: {', '.join(map(str, frame.columns))}.")
    if pd.api.types.is_numeric_dtype(frame[column]) and frame[column].notna().any():
        raise WrongUseError(f"Column '{column}' holds numbers, not dates; of a year, give its first and last day.")
    try:
        return pd.to_datetime(frame[column], format="ISO8601")
    except (ValueError, TypeError) as error:
        raise WrongUseError(f"Column '{column}' holds no dates: {error}") from error


def _parse(text: str, *, place: str, known: Iterable[tuple[str, str, str]] = ()) -> list[SeriesBreak]:
    """Read the rows of a file, and refuse it with everything that is wrong in them."""
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = header
        rows = list(reader)
    except csv.Error as error:
        raise BadInputError(f"{place} is not a CSV file: {error}") from error
    missing = [name for name in _COLUMNS if name not in header and name != "pcode"]
    if missing:
        raise BadInputError(f"{place}: no column {', '.join(missing)}. The columns are: {', '.join(_COLUMNS)}.")
    seen = set(known)
    found: list[SeriesBreak] = []
    wrong: list[str] = []
    for number, row in enumerate(rows, start=2):
        if not any(isinstance(value, str) and value.strip() for value in row.values()):
            continue
        problems, one = _read_row(row)
        if one is not None and _key(one) in seen:
            problems.append(
                f"name: '{one.name}' stands already for the series {one.series} of {one.pcode}; give it another name"
            )
        wrong += [f"row {number}, {problem}" for problem in problems]
        if one is not None:
            seen.add(_key(one))
            found.append(one)
    if wrong:
        raise BadInputError(f"{place}: {'; '.join(wrong)}.")
    return found


def _key(one: SeriesBreak) -> tuple[str, str, str]:
    return one.name, one.series, one.pcode


def _read_row(row: Mapping[str | Any, Any]) -> tuple[list[str], SeriesBreak | None]:
    """Return what is wrong with a row, and the break if nothing is."""
    if None in row:
        return ["more cells than the header has; put texts with commas in quotes"], None
    values = {name: (row.get(name) or "").strip() for name in _COLUMNS}
    values["pcode"] = values["pcode"] or COUNTRY
    problems = [f"{name}: empty" for name in _REQUIRED if not values[name]]
    long = f"longer than {TEXT_CHARACTERS_MAX:,} characters"
    problems += [f"{name}: {long}" for name, value in values.items() if len(value) > TEXT_CHARACTERS_MAX]
    if values["name"] and not _NAME.fullmatch(values["name"]):
        problems.append(f"name: '{values['name'][:60]}' is not made of small Latin letters, digits, - and _")
    if values["series"] and values["series"] not in SERIES:
        problems.append(f"series: '{values['series'][:60]}' is none of {', '.join(SERIES)}")
    try:
        level_of(values["pcode"])
    except PcodeError:
        problems.append(f"pcode: '{values['pcode'][:60]}' is not a P-code such as MN11; empty is the whole country")
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

"""Fill the table of people by month from the counts of the rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dtm._estimate_rows import insert_rows, join_notes
from dtm._fill_imputed import HIDDEN, UNKNOWN, read_missing_people
from dtm._release_columns import NOT_REPORTED, PUBLISHED, SUPPRESSED, UNDEFINED
from dtm.interpolation import PROJECTION_MONTHS, interpolate, project
from dtm.series_breaks import BREAK_COLUMN, SEPARATOR, breaks_of, mark_breaks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dtm.engine import Connection

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]
    Texts = NDArray[np.object_]

COVERAGE_DIFFERENCE = 0.02
"""Counts whose coverage shares differ by more than this carry a note: their growth rests on the estimated part."""
NONE = -1


@dataclass(frozen=True)
class _Counts:
    """Counts of every series (area and category) at every round, as matrices of series x rounds."""

    series: pd.DataFrame
    days: pd.DatetimeIndex
    value: Floats
    status: Texts
    note: Texts
    method: Texts
    coverage: Floats

    def neighbours(self) -> tuple[Indices, Indices]:
        """Return the round at or before, and at or after, each round with a count that was reported."""
        told = self.status != NOT_REPORTED
        number = np.arange(len(self.days))
        before = np.maximum.accumulate(np.where(told, number, NONE), axis=1)
        after = np.minimum.accumulate(np.where(told, number, len(number))[:, ::-1], axis=1)[:, ::-1]
        return before, np.where(after == len(number), NONE, after)


def fill_stock_months(connection: Connection) -> None:
    """Insert the people of every area on the day of each round and the first of each month, to a year after the last.

    Counts are of *all* units, so that they can be compared: where some did not report, the people really living there
    are those of the table `imputed`, and the registered ones those last known of the silent units; `method` then says
    `imputed`. A round an area said nothing in is passed over. Between two counts growth is geometric; after the last
    it goes on at the last rate for at most `PROJECTION_MONTHS` (`dtm.interpolation`). A hidden count hides the months
    on both of its sides.
    """
    counts = _read_counts(connection)
    if counts is None:
        return
    rows = pd.concat([*_at_rounds(counts), *_between(counts)], ignore_index=True)
    rows["note"] = join_notes(rows["note"], _break_notes(connection, rows))
    insert_rows(connection, "stock_month", rows)


def _read_counts(connection: Connection) -> _Counts | None:
    rounds = connection.execute('SELECT round_number, reference_on FROM "round" ORDER BY reference_on').df()
    cells = read_missing_people(connection)
    if rounds.empty or cells.empty:
        return None
    units = (cells["units_reported"] / cells["units_expected"].where(cells["units_expected"] > 0)).astype("float64")
    cells["coverage"] = cells["share"].fillna(units)
    told = pd.concat([_registered(cells), _actual(connection, cells)], ignore_index=True)
    series = told[["level", "pcode", "category"]].drop_duplicates(ignore_index=True)
    row = pd.MultiIndex.from_frame(series).get_indexer(pd.MultiIndex.from_frame(told[list(series.columns)]))
    column = pd.Index(rounds["round_number"]).get_indexer(pd.Index(told["round_number"]))

    def matrix(values: pd.Series, empty: object) -> Any:
        filled = np.full((len(series), len(rounds)), empty, dtype=values.to_numpy().dtype)
        filled[row, column] = values.to_numpy()
        return filled

    texts = told[["status", "note", "method"]].astype(object)
    return _Counts(
        series=series,
        days=pd.DatetimeIndex(rounds["reference_on"]),
        value=matrix(told["value"].astype("float64"), np.nan),
        status=matrix(texts["status"], NOT_REPORTED),
        note=matrix(texts["note"], ""),
        method=matrix(texts["method"], "observed"),
        coverage=matrix(told["coverage"].astype("float64"), np.nan),
    )


def _registered(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the registered people of all units, as far as published figures tell them."""
    silent = (cells["units_reported"] == 0) | (cells["registered_status"] == NOT_REPORTED)
    is_hidden = (cells["registered_status"] == SUPPRESSED) | (cells["lack"] == HIDDEN)
    status = np.select([silent, is_hidden, cells["lack"] == UNKNOWN], [NOT_REPORTED, SUPPRESSED, UNDEFINED], PUBLISHED)
    return cells[["round_number", "level", "pcode", "coverage"]].assign(
        category="registered",
        value=(cells["registered"] + cells["missing"]).where(status == PUBLISHED),
        status=status,
        note=np.where(status == UNDEFINED, UNKNOWN, ""),
        method=np.where((status == PUBLISHED) & (cells["missing"] > 0), "imputed", "observed"),
    )


def _actual(connection: Connection, cells: pd.DataFrame) -> pd.DataFrame:
    """Return the people really living there, from `imputed`; an area nobody reported from has no count."""
    told = connection.execute(
        """
        SELECT round_number, pcode, value,
            CASE WHEN status = 'published' AND observed IS NOT NULL THEN method ELSE 'observed' END AS method,
            CASE WHEN status = 'undefined' THEN note ELSE '' END AS note,
            CASE WHEN status = 'published' AND observed IS NULL THEN 'not_reported' ELSE status END AS status
        FROM imputed WHERE figure = 'actual_persons'
        """
    ).df()
    names = ["round_number", "level", "pcode", "coverage"]
    found = cells[names].merge(told, on=["round_number", "pcode"]).assign(category="actual")
    return found.assign(value=found["value"].where(found["status"] == PUBLISHED))


def _at_rounds(counts: _Counts) -> list[pd.DataFrame]:
    """Return the rows of the rounds, a frame a round."""
    return [
        counts.series.assign(
            day=day,
            value=counts.value[:, k],
            status=counts.status[:, k],
            note=counts.note[:, k],
            method=counts.method[:, k],
            begins=day,
            ends=day,
        )
        for k, day in enumerate(counts.days)
    ]


def _between(counts: _Counts) -> list[pd.DataFrame]:
    """Return the rows of the first of each month after the first round, a frame a month."""
    until = counts.days[-1] + pd.DateOffset(months=PROJECTION_MONTHS)
    months = pd.date_range(counts.days[0], until, freq="MS")
    before, after = counts.neighbours()
    found = []
    for day in months[~months.isin(counts.days)]:
        k = int(counts.days.searchsorted(day)) - 1
        right = after[:, k + 1] if k + 1 < len(counts.days) else np.full(len(counts.series), NONE)
        found.append(_in_month(counts, day, before, before[:, k], right))
    return found


@dataclass(frozen=True)
class _Ends:
    """The two counts a month's value of each series rests on, by the numbers of their rounds."""

    first: Indices
    last: Indices
    is_after_last: NDArray[np.bool_]

    @classmethod
    def beside(cls, before: Indices, left: Indices, right: Indices) -> _Ends:
        """Take the counts on both sides, or the last two where there is none on the right."""
        is_after_last = (right == NONE) & (left != NONE)
        earlier = np.where(left > 0, before[np.arange(len(left)), np.maximum(left - 1, 0)], NONE)
        return cls(np.where(is_after_last, earlier, left), np.where(is_after_last, left, right), is_after_last)

    @property
    def has_both(self) -> NDArray[np.bool_]:
        """Return where neither is missing."""
        found: NDArray[np.bool_] = (self.first != NONE) & (self.last != NONE)
        return found

    def is_either(self, counts: _Counts, status: str) -> NDArray[np.bool_]:
        """Return where one of the two has a status."""
        every = np.arange(len(self.first))
        found: NDArray[np.bool_] = (self.first != NONE) & (counts.status[every, self.first] == status)
        found |= (self.last != NONE) & (counts.status[every, self.last] == status)
        return found


def _in_month(counts: _Counts, day: pd.Timestamp, before: Indices, left: Indices, right: Indices) -> pd.DataFrame:
    """Return the rows of one day; `left` and `right` are the counts beside it, `NONE` where there is none."""
    ends = _Ends.beside(before, left, right)
    every = np.arange(len(left))
    expires = (counts.days + pd.DateOffset(months=PROJECTION_MONTHS)).to_numpy()
    too_late = ends.is_after_last & (expires[ends.last] < np.datetime64(day))
    p1, p2 = counts.value[every, ends.first], counts.value[every, ends.last]
    value = _value(counts, day, ends)
    is_undefined = ends.is_either(counts, UNDEFINED)
    status = np.select(
        [
            (left == NONE) | too_late,
            ends.is_either(counts, SUPPRESSED),
            is_undefined | ~ends.has_both | np.isnan(value),
        ],
        [NOT_REPORTED, SUPPRESSED, UNDEFINED],
        PUBLISHED,
    )
    why = np.select([is_undefined, ~ends.has_both], [UNKNOWN, "no_previous_round"], "zero_denominator")
    apart = np.abs(counts.coverage[every, ends.first] - counts.coverage[every, ends.last]) > COVERAGE_DIFFERENCE
    is_line = ~ends.is_after_last & ((p1 == 0) | (p2 == 0)) & (p1 != p2)
    is_there = status == PUBLISHED
    begins, until = counts.days.to_numpy()[ends.first], counts.days.to_numpy()[ends.last]
    rows = counts.series.assign(
        day=day,
        value=np.where(is_there, value, np.nan),
        status=status,
        method=np.where(ends.is_after_last, "projected", "interpolated"),
        begins=np.where(ends.has_both, begins, np.datetime64(day)),
        ends=np.where(ends.has_both & ~ends.is_after_last, until, np.datetime64(day)),
        note=join_notes(
            pd.Series(np.where(status == UNDEFINED, why, "")),
            pd.Series(np.where(is_there & apart, "coverage_differs", "")),
            pd.Series(np.where(is_there & is_line, "straight_line", "")),
        ),
    )
    kept: pd.DataFrame = rows[(day <= counts.days[-1]) | (ends.is_after_last & ~too_late)]
    return kept


def _value(counts: _Counts, day: pd.Timestamp, ends: _Ends) -> Floats:
    """Return the people on a day by the growth between two counts; NaN where one is missing."""
    every = np.arange(len(ends.first))
    p1 = np.where(ends.has_both, counts.value[every, ends.first], np.nan)
    p2 = np.where(ends.has_both, counts.value[every, ends.last], np.nan)
    number = counts.days.to_numpy().astype("datetime64[D]").astype(float)
    begins, span = number[ends.first], number[ends.last] - number[ends.first]
    share = np.where(ends.has_both, (np.datetime64(day, "D").astype(float) - begins) / np.where(span > 0, span, 1), 0.0)
    after = np.where(ends.is_after_last, np.maximum(share - 1, 0.0), 0.0)
    between = np.where(ends.is_after_last, 0.0, share)
    return np.where(ends.is_after_last, project(p1, p2, share=after), interpolate(p1, p2, share=between))


def _break_notes(connection: Connection, rows: pd.DataFrame) -> pd.Series:
    """Return the breaks of the series that lie in the period each value rests on."""
    breaks = breaks_of(connection.execute("SELECT * FROM series_break ORDER BY ALL").df())
    found = pd.Series("", index=rows.index, dtype=object)
    for category, part in rows.groupby("category", sort=True):
        names = mark_breaks(part, day="ends", since="begins", series=str(category), areas=("pcode",), breaks=breaks)[
            BREAK_COLUMN
        ]
        marked = names[names.notna()]
        found[marked.index] = "series_break:" + marked.str.replace(SEPARATOR, ";series_break:", regex=False)
    return found

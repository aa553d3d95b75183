"""Declare the columns of a table of flows, and check every cell of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dtm._flow_table_places import NOWHERE, coded, constant, level_of_places
from dtm._release_columns import NOT_REPORTED, SUPPRESSED, UNDEFINED
from dtm._survey_catalogue import SURVEY_SOURCES
from dtm._table_cells import LARGEST_COUNT
from dtm._warehouse_tables import AGE_BANDS
from dtm.errors import BadInputError
from dtm.flow_items import DISTANCE_CLASSES
from dtm.schema import Column, Table
from dtm.stocks import NOT_STATED
from enumerations.codelists import codes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

TOTAL = "total"
TOLD = "told"
"""Status of a row that has its persons; the others say why it has none, as in a release."""
STATUSES = (TOLD, SUPPRESSED, NOT_REPORTED, UNDEFINED)
SOURCES = ("arrivals", "departures", "checkpoint", "checkpoint_through", *SURVEY_SOURCES, "table")
"""Who told it: the place people came to, the place they left, a checkpoint (of those who only pass through, apart), the
households of a sample, or the maker of a table that was brought."""
OBSERVED = "observed"
"""Method of what was counted: whole persons. All other methods estimate, and may give fractions."""
METHODS = (
    OBSERVED,
    "imputed",
    "reconciled",
    "interpolated",
    "projected",
    "carried",
    "expanded",
    "sampled",
    "modelled",
)
DIMENSIONS: dict[str, tuple[str, ...]] = {
    "reason": tuple(codes_of("reason")),
    "sex": (*codes_of("sex"), NOT_STATED),
    "age_band": (*AGE_BANDS, NOT_STATED),
    "registered": ("yes", "no", NOT_STATED),
    "distance_class": DISTANCE_CLASSES,
}
"""Columns that may break persons down, with their codes; each is `total` in every row or in none."""
PERSONS_TOGETHER_MAX = 2**63 - 1
"""Persons of all rows together, so that no sum of them can run over."""

FLOWS_TABLE = Table(
    "flows",
    "Moves from an origin to a destination: the one table that every source of moves is brought to.",
    (
        Column("source", "VARCHAR", "who told it; sources are never added", required=True),
        Column("period", "VARCHAR", "number of the round, or any name of a period", required=True),
        Column("origin", "VARCHAR", "P-code, region, abroad, unknown or total", required=True),
        Column("destination", "VARCHAR", "P-code, region, abroad, unknown or total", required=True),
        *(
            Column(name, "VARCHAR", f"code of the {name.replace('_', ' ')}, or total", required=True)
            for name in DIMENSIONS
        ),
        Column("method", "VARCHAR", "how the figure was made; figures of two methods are never added", required=True),
        Column("persons", "DOUBLE", "people who moved, whole where counted; null unless told", "persons"),
        Column("households", "BIGINT", "households that moved, where that is told", "households"),
        Column("status", "VARCHAR", "told, suppressed, not_reported or undefined", required=True),
    ),
    key=("source", "period", "origin", "destination", *DIMENSIONS, "method"),
)
_DEFAULTS = {**dict.fromkeys(DIMENSIONS, TOTAL), "period": TOTAL, "method": OBSERVED}
_ENDS = ("origin", "destination")
_NOT_WHOLE = "is no whole number. Moves are counted; an estimate says so by its method, such as 'modelled'."


class BadFlowsError(BadInputError):
    """Name the column and row of a table of flows that can't be right."""


def checked(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the declared columns of a table of flows, checked and typed; raise `BadFlowsError` at the first fault.

    Left out columns are filled: breakdowns and period with `total`, the method with `observed`, the status from the
    persons (`not_reported` where there are none).
    """
    names = FLOWS_TABLE.column_names
    for name in frame.columns:
        if name not in names:
            raise BadFlowsError(f"A table of flows has no column {name!r}; it has: {', '.join(names)}.")
    missing = [name for name in ("source", *_ENDS, "persons") if name not in frame]
    if missing:
        raise BadFlowsError(f"The table of flows lacks the column {', '.join(missing)}.")
    columns: dict[str, Any] = {name: _texts(frame, name) for name in FLOWS_TABLE.key}
    columns["persons"] = person_numbers(frame, "persons", is_counted=columns["method"] == OBSERVED)
    columns["households"] = whole_numbers(frame, "households")
    columns["status"] = _texts(frame, "status") if "status" in frame else status_of(columns["persons"])
    filled = pd.DataFrame(columns)
    _check_codes(filled)
    for name in _ENDS:
        check_places(filled[name], name)
    _check_status(filled)
    _check_keys(filled)
    _check_sum(filled["persons"])
    return filled[names]


def person_numbers(frame: pd.DataFrame, name: str, *, is_counted: np.ndarray[Any, np.dtype[np.bool_]]) -> Any:
    """Return persons with nulls: whole numbers, or a column of fractions where rows that are not counted have such.

    Raises
    ------
    BadFlowsError
        A count is no whole number; an estimate is no number, infinite or below 0; a count beside estimates is too large
        to be told exactly among them.
    """
    if bool(is_counted.all()) or name not in frame or pd.api.types.is_integer_dtype(frame[name]):
        return whole_numbers(frame, name)
    is_null = frame[name].isna().to_numpy()
    numbers = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = np.where(is_null, 0.0, numbers)
    for wrong, what in (
        (~np.isfinite(numbers), "is no number; correct it."),
        (numbers < 0, "is below 0; correct it."),
        (is_counted & (numbers != np.floor(numbers)), _NOT_WHOLE),
        (is_counted & (numbers > LARGEST_COUNT), "is too large to stand among estimates; hold counts apart."),
    ):
        if wrong.any():
            row, value = _first(frame[name], wrong)
            raise BadFlowsError(f"Record {row}, {name}: {value!r} {what}")
    return pd.arrays.FloatingArray(numbers, is_null)


def whole_numbers(frame: pd.DataFrame, name: str) -> Any:
    """Return a column as whole numbers of 0 and more, with nulls; all null where there is no such column."""
    if name not in frame:
        return untold(len(frame))
    try:
        values = pd.array(frame[name].array, dtype="Int64")
    except (TypeError, ValueError, OverflowError) as error:
        numbers = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        bad = frame[name].notna().to_numpy() & ~((numbers == np.floor(numbers)) & (np.abs(numbers) < 2.0**63))
        row, value = _first(frame[name], bad) if bad.any() else (0, frame[name].dtype)
        raise BadFlowsError(f"Record {row}, {name}: {value!r} {_NOT_WHOLE}") from error
    below = pd.array(values < 0, dtype="boolean").fillna(value=False).to_numpy(dtype=bool)
    if below.any():
        row, value = _first(pd.Series(values), below)
        raise BadFlowsError(f"Record {row}, {name}: {value} is below 0; correct it.")
    return values


def _texts(frame: pd.DataFrame, name: str) -> pd.Categorical[str]:
    if name not in frame:
        return constant(_DEFAULTS[name], len(frame))
    values = coded(frame[name])
    empty = values.codes < 0
    if empty.any():
        raise BadFlowsError(f"Record {_first(frame[name], empty)[0]}, {name}: is empty; write {TOTAL!r} for all.")
    return values


def untold(count: int) -> Any:
    """Return a nullable column of whole numbers that are all null."""
    return pd.arrays.IntegerArray(np.zeros(count, dtype=np.int64), np.ones(count, dtype=bool))


def key_numbers(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return a whole number for each row: equal where the columns are, and in the order of their texts."""
    numbers = np.zeros(len(frame), dtype=np.int64)
    size = 1
    for column in columns:
        values = frame[column].array
        count = max(len(values.categories), 1)
        if size > PERSONS_TOGETHER_MAX // count:
            numbers, kept = pd.factorize(numbers, sort=True)
            size = len(kept)
        numbers = numbers * count + values.codes
        size *= count
    return numbers


def _first(values: pd.Series[Any], bad: np.ndarray[Any, Any]) -> tuple[int, Any]:
    """Return the number of the first bad row, counted from 1, and its value."""
    position = int(np.argmax(bad))
    value = values.iloc[position]
    return position + 1, value.item() if isinstance(value, np.generic) else value


def status_of(persons: Any) -> pd.Categorical[str]:
    """Return the status of counts of which nothing else is known: told, or not reported where they are null."""
    return pd.Categorical.from_codes(pd.isna(persons).astype(np.int8), pd.Index([TOLD, NOT_REPORTED], dtype="str"))


def _check_codes(frame: pd.DataFrame) -> None:
    allowed = {"source": SOURCES, "method": METHODS, "status": STATUSES}
    allowed |= {name: (TOTAL, *codes) for name, codes in DIMENSIONS.items()}
    for name, codes in allowed.items():
        unknown = set(frame[name].array.categories) - set(codes)
        if unknown:
            row, value = _first(frame[name], frame[name].isin(unknown).to_numpy())
            raise BadFlowsError(f"Record {row}, {name}: there is no code {value!r}; there are: {', '.join(codes)}.")
    for name in (*DIMENSIONS, *_ENDS):
        values = frame[name].array.categories
        if TOTAL in values and len(values) > 1:
            row = _first(frame[name], (frame[name] == TOTAL).to_numpy())[0]
            raise BadFlowsError(
                f"Record {row}, {name}: a total stands beside its own parts; sums would count people twice. Take the "
                "totals or the parts."
            )


def check_places(told: pd.Series[Any], name: str) -> None:
    """Refuse what is no place in a categorical column, with the record and its text; `name` is the column's."""
    places = told.array.categories
    unknown = set(places[level_of_places(places) < 0]) - {*NOWHERE, TOTAL}
    if unknown:
        row, value = _first(told, told.isin(unknown).to_numpy())
        raise BadFlowsError(
            f"Record {row}, {name}: {value!r} is no P-code of an aimag or a place inside one. Write MN and two digits "
            "for each level (MN110701), abroad or unknown."
        )


def _check_status(frame: pd.DataFrame) -> None:
    wrong = (frame["persons"].notna() != (frame["status"] == TOLD)).to_numpy()
    if wrong.any():
        row, status = _first(frame["status"], wrong)
        there = "are" if status != TOLD else "are not"
        raise BadFlowsError(f"Record {row}, persons: they {there} there, but the status is {status!r}.")


def _check_keys(frame: pd.DataFrame) -> None:
    twice = pd.Series(key_numbers(frame, FLOWS_TABLE.key)).duplicated().to_numpy()
    if twice.any():
        row = _first(frame["source"], twice)[0]
        told = ", ".join(f"{name} {frame[name].iloc[row - 1]}" for name in ("source", "period", *_ENDS))
        raise BadFlowsError(f"Record {row}: {told} is there twice with the same breakdown; add the rows up first.")


def _check_sum(persons: pd.Series[Any]) -> None:
    if pd.api.types.is_float_dtype(persons):
        estimated = float(persons.sum())
        if estimated > PERSONS_TOGETHER_MAX:
            raise BadFlowsError(f"The persons of all rows are {estimated:.3g} together, more than there can be.")
        return
    numbers = persons.fillna(0).to_numpy(dtype=np.int64)
    low_bits = 32
    together = (int((numbers >> low_bits).sum()) << low_bits) + int((numbers & (2**low_bits - 1)).sum())
    if together > PERSONS_TOGETHER_MAX:
        raise BadFlowsError(f"The persons of all rows are {together:,} together, more than there can be.")

"""Read a seed and its margins from the files a demographer brings, fit, and make the table to write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from dtm._table_cells import LARGEST_COUNT
from dtm.errors import BadInputError, DtmError, WrongUseError
from dtm.fitting import LOG_LINEAR_LIMIT_CELLS, Fit, fit_log_linear, fit_margins
from dtm.table_files import read_table_file, table_file_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

AREA = "area"
PERSONS = "persons"
FITTED = "fitted_persons"
METHOD = "method"
OTHER = "other"
MODELLED = "modelled"
NAMES_SHOWN = 5
Method = Literal["ipf", "log-linear"]


@dataclass(frozen=True)
class MarginFile:
    """A file of one margin: persons by area, with the columns to take, or none where they are to be found."""

    side: Literal["row", "column"]
    path: Path
    area: str | None
    persons: str | None
    like_area: str
    like_persons: str


@dataclass(frozen=True)
class FileFit:
    """A fit of a seed file: the rows to write, the fit, and margins' areas that the seed doesn't have."""

    rows: pd.DataFrame
    fit: Fit
    n_origins: int
    n_destinations: int
    origins_without_seed: list[str]
    destinations_without_seed: list[str]


def fit_file(
    seed_file: Path,
    row_file: MarginFile,
    column_file: MarginFile,
    *,
    origin: str,
    destination: str,
    persons: str,
    method: Method,
    zero_diagonal: bool,
    tolerance: float,
    maximum_iterations: int,
) -> FileFit:
    """Fit the persons of a seed file, a row an origin and a destination, to the margins of two files.

    Pairs without a row are structural zeros. Rows of the same pair, such as one for each reason, share its fit in
    the proportions of their persons.
    """
    seed, called = _read_seed(seed_file, origin=origin, destination=destination, persons=persons)
    rows, columns = _read_margin(row_file), _read_margin(column_file)
    from_code = _codes(seed["origin"], rows, "origin", seed_file, row_file.path)
    to_code = _codes(seed["destination"], columns, "destination", seed_file, column_file.path)
    weights = seed[PERSONS].to_numpy(dtype=np.float64)
    if zero_diagonal:
        weights = np.where(seed["origin"].to_numpy() == seed["destination"].to_numpy(), 0.0, weights)
    entries = sparse.coo_array((weights, (from_code, to_code)), shape=(len(rows), len(columns)))
    names = [list(rows.index), list(columns.index)]
    margins = (rows.to_numpy(), columns.to_numpy())
    how: dict[str, Any] = {"names": names, "tolerance": tolerance, "maximum_iterations": maximum_iterations}
    try:
        if method == "ipf":
            fit: Fit = fit_margins(entries, *margins, **how)
            fitted = fit.fitted_persons.data
        else:
            fit, fitted = _fit_log_linear(entries, margins, how)
    except DtmError as error:
        raise type(error)(f"{seed_file.name}, {row_file.path.name}, {column_file.path.name}: {error}") from error
    if np.array_equal(seed[PERSONS], np.rint(seed[PERSONS])) and seed[PERSONS].max() <= LARGEST_COUNT:
        seed[PERSONS] = seed[PERSONS].astype(np.int64)
    out = seed[list(called)].set_axis(list(called.values()), axis=1)
    return FileFit(
        rows=out.assign(**{FITTED: fitted, METHOD: MODELLED}),
        fit=fit,
        n_origins=len(rows),
        n_destinations=len(columns),
        origins_without_seed=_absent(rows, seed["origin"]),
        destinations_without_seed=_absent(columns, seed["destination"]),
    )


def _fit_log_linear(entries: Any, margins: tuple[Any, Any], how: dict[str, Any]) -> tuple[Fit, Any]:
    n_cells = int(np.prod(entries.shape))
    if n_cells > LOG_LINEAR_LIMIT_CELLS:
        raise WrongUseError(
            f"A log-linear fit takes {LOG_LINEAR_LIMIT_CELLS:,} cells at most, not {n_cells:,}; --method ipf takes "
            f"more and gives the same table."
        )
    offset = entries.toarray()
    fit = fit_log_linear(margins=margins, offset=offset, **how)
    at = entries.coords
    cell = offset[at]
    share = np.divide(entries.data, cell, out=np.zeros_like(cell), where=cell > 0)
    return fit, fit.fitted_persons[at] * share


def _read_seed(path: Path, *, origin: str, destination: str, persons: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the seed's rows, all other columns as text, and the file's names of the columns."""
    there = table_file_columns(path)
    taken = [column for column in there if column in {FITTED, METHOD}]
    if taken:
        raise WrongUseError(
            f"{path.name} has a column '{taken[0]}', which the answer needs for itself. Rename it in the file."
        )
    text = {"origin": origin, "destination": destination}
    others = [column for column in there if column not in {origin, destination, persons}]
    extra = {f"{OTHER} {place}": column for place, column in enumerate(others)}
    seed = read_table_file(
        path, text={**text, **extra}, numbers={PERSONS: persons}, areas=tuple(text), nullable=list(extra)
    )
    return seed, {**text, PERSONS: persons, **extra}


def _read_margin(given: MarginFile) -> pd.Series[float]:
    """Return persons by area, in the file's order; refuse an area that stands twice."""
    area, persons = _columns(given)
    table = read_table_file(given.path, text={AREA: area}, numbers={PERSONS: persons}, areas=(AREA,))
    twice = table.loc[table[AREA].duplicated(), AREA]
    if len(twice):
        first = twice.iloc[0]
        rows = ", ".join(str(row + 2) for row in np.flatnonzero(table[AREA] == first)[:NAMES_SHOWN])
        raise BadInputError(f"{given.path.name}: the area '{first}' stands in rows {rows}. Give each area one margin.")
    margin: pd.Series[float] = table.set_index(AREA)[PERSONS]
    return margin


def _columns(given: MarginFile) -> tuple[str, str]:
    """Return the columns of areas and of persons: named ones, else those of the seed's names, else the evident."""
    there = table_file_columns(given.path)
    area = given.area or next((name for name in (given.like_area, AREA) if name in there), None)
    persons = given.persons or next((name for name in (given.like_persons, PERSONS) if name in there), None)
    if persons is None:
        rest = [name for name in there if name != area]
        text = read_table_file(given.path, text={name: name for name in rest}, numbers={}, nullable=rest)
        numeric = [name for name in rest if _is_numeric(text[name])]
        persons = numeric[0] if len(numeric) == 1 else None
    if area is None:
        left = [name for name in there if name != persons]
        area = left[0] if persons is not None and len(left) == 1 else None
    if area is None or persons is None:
        unclear = {"areas": ("--margin-area", area), "persons": (f"--{given.side}-persons", persons)}
        what = " and which the ".join(word for word, (_, column) in unclear.items() if column is None)
        options = " and ".join(option for option, column in unclear.values() if column is None)
        raise WrongUseError(
            f"{given.path.name}: it is not clear which column has the {what}; the file has: {', '.join(there)}. Give "
            f"{options}."
        )
    return area, persons


def _is_numeric(column: pd.Series[str]) -> bool:
    told = column.dropna()
    return len(told) > 0 and bool(pd.to_numeric(told, errors="coerce").notna().all())


def _codes(areas: pd.Series[str], margin: pd.Series[float], side: str, seed_file: Path, margin_file: Path) -> Any:
    codes = margin.index.get_indexer(pd.Index(areas))
    missing = list(dict.fromkeys(areas[codes < 0]))
    if missing:
        raise BadInputError(
            f"{seed_file.name} has {side}s that {margin_file.name} has no margin for: {_told(missing)}. Add them "
            f"there, with 0 if nobody moved, or leave their rows out of the seed."
        )
    return codes


def _absent(margin: pd.Series[float], areas: pd.Series[str]) -> list[str]:
    return [str(area) for area in margin.index[~margin.index.isin(areas)]]


def _told(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(f"'{name}'" for name in names[:NAMES_SHOWN]) + more

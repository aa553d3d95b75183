"""Hold the variables of a sample as sparse columns, one for every domain and item."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from dtm.errors import WrongUseError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def as_columns(values: Any, *, name: str, records: int) -> Any:
    """Return values as a sparse matrix of records by columns; a vector is one column.

    Raises
    ------
    WrongUseError
        Another number of records, or a value that is not finite.
    """
    if sparse.issparse(values):
        found = sparse.csr_array(values, dtype=np.float64)
    else:
        dense = np.atleast_1d(np.asarray(values, dtype=np.float64))
        found = sparse.csr_array(dense[:, None] if dense.ndim == 1 else dense)
    if found.shape[0] != records:
        raise WrongUseError(f"`{name}` has {found.shape[0]} records and the design {records}; give one value a record.")
    if not np.isfinite(found.data).all():
        raise WrongUseError(f"`{name}` has a value that is not a number; leave that record out of the base instead.")
    found.eliminate_zeros()
    return found


def indicator_columns(codes: Any, *, among: Any = None) -> tuple[Any, list[Any]]:
    """Return a column of 0 and 1 for each code, and the codes in the order of the columns.

    Parameters
    ----------
    codes
        One code a record; a missing one is in no column.
    among
        The codes to make columns for, in this order; by default those that occur, sorted.
    """
    series = pd.Series(codes)
    known = sorted(series.dropna().unique()) if among is None else list(among)
    position = pd.Series(pd.Categorical(series, categories=known).codes).to_numpy().astype(np.int64)
    row = np.flatnonzero(position >= 0)
    data = np.ones(len(row))
    return sparse.csr_array((data, (row, position[row])), shape=(len(series), len(known))), known


def domain_columns(domains: Any, values: Any) -> Any:
    """Return the values inside each domain: column ``d * k + j`` is value j where the record is in domain d, else 0.

    Domains may overlap (a district and the city it is in). A domain is estimated on the whole sample with 0 outside
    it, never on the records of the domain alone: the number of its records is a result of chance too, and clusters
    without any are part of the design (Cochran 1977, ch. 2; Lohr 2010, sec. 4.2).

    Parameters
    ----------
    domains
        Records by domains, 0 and 1.
    values
        Records by k values.
    """
    inside, value = sparse.csr_array(domains), sparse.csr_array(values)
    many, items = np.diff(inside.indptr), np.diff(value.indptr)
    pairs = many.astype(np.int64) * items
    row = np.repeat(np.arange(len(pairs)), pairs)
    nth = np.arange(pairs.sum()) - np.repeat(np.cumsum(pairs) - pairs, pairs)
    at_domain = inside.indptr[row] + nth // items[row]
    at_value = value.indptr[row] + nth % items[row]
    column = inside.indices[at_domain].astype(np.int64) * value.shape[1] + value.indices[at_value]
    data = inside.data[at_domain] * value.data[at_value]
    return sparse.csr_array((data, (row, column)), shape=(value.shape[0], inside.shape[1] * value.shape[1]))


def column_sums(columns: Any, weight: Floats | None = None) -> Floats:
    """Return the sum of each column, weighted where weights are given."""
    by = np.ones(columns.shape[0]) if weight is None else weight
    return np.asarray(columns.T @ by, dtype=np.float64)


def scaled(columns: Any, factors: Floats) -> Any:
    """Return the columns, each times its factor."""
    return sparse.csr_array(columns @ sparse.diags_array(factors))


def sums_by(codes: Ints, n_codes: int, weight: Floats) -> Any:
    """Return the matrix that sums weighted records by code: codes by records."""
    n_records = len(codes)
    return sparse.csr_array((weight, (codes, np.arange(n_records))), shape=(n_codes, n_records))

"""Add rows of a table of flows up, exactly and by any of its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dtm._flow_table_columns import STATUSES, TOLD, key_numbers
from dtm._release_columns import NOT_REPORTED, SUPPRESSED, UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXACT_BITS = 53
"""Bits of a whole number that a computer's real number holds."""
_GRAVITY = {TOLD: 0, UNDEFINED: 1, NOT_REPORTED: 2, SUPPRESSED: 3}
_BY_GRAVITY = sorted(STATUSES, key=lambda status: _GRAVITY[status])


def summed(frame: pd.DataFrame, *, by: Sequence[str]) -> pd.DataFrame:
    """Return sums of persons and households by some columns, in the order of their texts: exact, or of fractions.

    Fractions are added as `add_fractions` does.

    A sum is null where one of its parts is, and its status is the gravest of theirs: suppressed, then not_reported,
    then undefined. Without rows there is no sum.

    Parameters
    ----------
    frame
        Rows of a table of flows, columns of texts being categorical; the persons together fit 64 bits.
    by
        Columns that identify a sum.
    """
    group, numbers = pd.factorize(key_numbers(frame, by), sort=True)
    first = np.empty(len(numbers), dtype=np.int64)
    first[group[::-1]] = np.arange(len(frame) - 1, -1, -1)
    rows = frame[list(by)].iloc[first].reset_index(drop=True)
    for name in ("persons", "households"):
        rows[name] = _sum(frame[name], group, len(numbers))
    status = frame["status"].array
    gravity = np.array([_GRAVITY[name] for name in status.categories], dtype=np.int8)[status.codes]
    gravest = np.zeros(len(numbers), dtype=np.int8)
    np.maximum.at(gravest, group, gravity)
    rows["status"] = pd.Categorical.from_codes(gravest, pd.Index(_BY_GRAVITY, dtype="str"))
    return rows


def _sum(values: pd.Series[Any], group: np.ndarray[Any, Any], count: int) -> Any:
    """Return the sums of groups as nullable numbers, whole where the values are; null where one of the values is."""
    is_null = values.isna().to_numpy()
    has_null = np.bincount(group[is_null], minlength=count) > 0
    if pd.api.types.is_float_dtype(values):
        numbers = values.fillna(0.0).to_numpy(dtype=np.float64)
        return pd.arrays.FloatingArray(add_fractions(numbers, group, count), has_null)
    sums = np.zeros(count, dtype=np.int64)
    np.add.at(sums, group, values.fillna(0).to_numpy(dtype=np.int64))
    return pd.arrays.IntegerArray(sums, has_null)


def add_fractions(
    values: np.ndarray[Any, Any], group: np.ndarray[Any, Any], count: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return sums of groups of numbers of 0 and more, each right to the last digit or the one before.

    Each number is cut at the same power of two: the upper parts are so coarse that their sums are exact, the lower ones
    so small that the rounding of theirs does not show (error-free transformation by extraction: Rump, Ogita & Oishi
    2008, SIAM Journal on Scientific Computing 31(1), 189-224). The order of the numbers has hardly an influence.
    """
    total = float(values.sum())
    if not total > 0:
        return np.zeros(count)
    step = 2.0 ** (np.ceil(np.log2(total)) + 1 - _EXACT_BITS)
    upper = np.rint(values / step) * step
    parts = [np.bincount(group, part, minlength=count) for part in (upper, values - upper)]
    return np.asarray(parts[0] + parts[1], dtype=np.float64)

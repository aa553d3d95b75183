"""Add rows of a table of flows up, exactly and by any of its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dtm._flow_table_columns import STATUSES, TOLD, key_numbers
from dtm._release_columns import NOT_REPORTED, SUPPRESSED, UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Sequence

_GRAVITY = {TOLD: 0, UNDEFINED: 1, NOT_REPORTED: 2, SUPPRESSED: 3}
_BY_GRAVITY = sorted(STATUSES, key=lambda status: _GRAVITY[status])


def summed(frame: pd.DataFrame, *, by: Sequence[str]) -> pd.DataFrame:
    """Return exact sums of persons and households by some columns, in the order of their texts.

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
    """Return the sums of groups as nullable whole numbers; null where one of the values is."""
    is_null = values.isna().to_numpy()
    sums = np.zeros(count, dtype=np.int64)
    np.add.at(sums, group, values.fillna(0).to_numpy(dtype=np.int64))
    return pd.arrays.IntegerArray(sums, np.bincount(group[is_null], minlength=count) > 0)

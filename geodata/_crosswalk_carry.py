"""Carry counts over shares: whole numbers by largest remainder, fractions by proportion, unknown ones by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from geodata.errors import CrosswalkError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST_COUNT: Final = 2**40
"""Whole numbers up to this are divided exactly: their products with a share are known to a thousandth."""
SOURCE_MISSING: Final = "source_missing"
NO_SOURCE: Final = "no_source"
"""Reasons of a null: an area behind it has no value; no area is behind it."""

Floats = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Carried:
    """Values on the target areas, and where every unit of the source's total went.

    Attributes
    ----------
    table
        A row a target area by P-code: `value` (null with a `reason` where it is not known), `known` (the sum of what is
        known behind it, the same as `value` where that is there), `estimated_share` (0-1, the part of `known` that
        comes out of sources that were split; null where `known` is 0) and `reason` (`source_missing`, `no_source` or
        null). Whole numbers where the values were whole.
    total_from
        Sum of the values given.
    total_to
        Sum of `value`.
    withheld
        Sum of `known` where the value is null because another source behind it has none.
    uncovered
        Sum of the values of sources that lie on no target.
    estimated_share
        Part of `total_to` that comes out of sources that were split; NaN where the total is 0.

    `total_from` = `total_to` + `withheld` + `uncovered`: exactly for whole numbers.
    """

    table: pd.DataFrame
    total_from: float
    total_to: float
    withheld: float
    uncovered: float
    estimated_share: float


def divide_counts(counts: Integers, shares: Floats, group: NDArray[np.intp]) -> Integers:
    """Divide whole numbers over pieces so that the pieces of each add up to it.

    Each piece gets the whole part of its quota, and the units that are left go to the largest remainders; of equal
    remainders to the first piece (Hamilton's method, also called largest remainder: Balinski & Young 1982, Fair
    Representation, Yale University Press). Negative numbers are divided as their opposites.

    Parameters
    ----------
    counts
        The number behind each piece, the same for all pieces of a group.
    shares
        Share of each piece; the shares of a group add up to 1.
    group
        Number of each piece's group, ascending.
    """
    quota = np.abs(counts) * shares
    whole = np.floor(quota).astype(np.int64)
    size = int(group[-1]) + 1 if len(group) else 0
    first = np.flatnonzero(np.diff(group, prepend=-1))
    given = np.add.reduceat(whole, first) if len(first) else whole
    left = np.zeros(size, dtype=np.int64)
    left[group[first]] = np.abs(counts[first]) - given
    order = np.lexsort((np.arange(len(group)), -(quota - whole), group))
    rank = np.empty(len(group), dtype=np.int64)
    start = np.zeros(size, dtype=np.int64)
    start[group[first]] = first
    rank[order] = np.arange(len(group)) - start[group]
    divided: Integers = np.sign(counts) * (whole + (rank < left[group]))
    return divided


def as_values(values: pd.Series, pcodes: NDArray[np.object_]) -> pd.Series:
    """Return the values of all source areas in P-code order: Int64 for whole numbers, else float64; null if unknown.

    Raises
    ------
    CrosswalkError
        A value is no number, a code is unknown or stands twice, or a whole number is too large.
    """
    if values.dtype == bool or not pd.api.types.is_numeric_dtype(values.dtype):
        raise CrosswalkError(f"The values are of type {values.dtype}; give numbers, indexed by P-code.")
    codes = values.index.astype(str)
    if codes.has_duplicates:
        raise CrosswalkError(f"The values name '{codes[codes.duplicated()][0]}' more than once; add its rows up first.")
    unknown = sorted(set(codes) - set(pcodes))
    if unknown:
        listed = ", ".join(unknown[:5]) + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "")  # noqa: PLR2004
        raise CrosswalkError(f"The values name areas that are not in the set they come from: {listed}.")
    whole = pd.api.types.is_integer_dtype(values.dtype)
    kept = pd.Series(values.array, index=codes).astype("Int64" if whole else "float64").reindex(pcodes)
    numbers = kept.to_numpy(np.float64, na_value=np.nan)
    if np.isinf(numbers).any():
        raise CrosswalkError(f"The value of '{pcodes[np.isinf(numbers)][0]}' is infinite; give finite numbers.")
    if whole and len(numbers) and (np.abs(numbers[~np.isnan(numbers)]) > LARGEST_COUNT).any():
        raise CrosswalkError(f"A value is beyond {LARGEST_COUNT:,}; such counts can't be divided exactly.")
    return kept


def carry(
    values: pd.Series,
    *,
    source: NDArray[np.intp],
    target: NDArray[np.intp],
    shares: Floats,
    is_estimated: NDArray[np.bool_],
    targets: NDArray[np.object_],
) -> Carried:
    """Carry values in P-code order (`as_values`) over pieces, by source and target in ascending order."""
    is_whole = values.dtype == "Int64"
    known = values.notna().to_numpy()
    size = len(targets)
    has = known[source]
    if is_whole:
        numbers: Any = values.fillna(0).to_numpy(np.int64)
        part: Any = divide_counts(numbers[source], shares, source)
    else:
        numbers = values.fillna(0.0).to_numpy(np.float64)
        part = numbers[source] * shares
    total = np.zeros(size, dtype=part.dtype)
    np.add.at(total, target, part)
    turnover = np.bincount(target, np.abs(part), minlength=size)
    estimated = np.bincount(target, np.abs(part) * is_estimated, minlength=size)
    is_fed = np.bincount(target, minlength=size) > 0
    is_short = np.bincount(target, ~has, minlength=size) > 0
    is_told = is_fed & ~is_short
    dtype = "Int64" if is_whole else "float64"
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(turnover > 0, estimated / turnover, np.nan)
    table = pd.DataFrame(
        {
            "pcode": pd.array(targets, dtype="str"),
            "value": pd.Series(total, dtype=dtype).where(is_told),
            "known": pd.Series(total, dtype=dtype),
            "estimated_share": share,
            "reason": pd.Series(np.select([~is_fed, is_short], [NO_SOURCE, SOURCE_MISSING], ""), dtype=object),
        }
    )
    table["reason"] = table["reason"].where(table["reason"] != "", None)
    on_land = np.zeros(len(values), dtype=np.bool_)
    on_land[source] = True
    told = float(turnover[is_told].sum())
    return Carried(
        table,
        total_from=numbers.sum().item(),
        total_to=total[is_told].sum().item(),
        withheld=total[~is_told].sum().item(),
        uncovered=numbers[~on_land].sum().item(),
        estimated_share=float(estimated[is_told].sum()) / told if told else float("nan"),
    )

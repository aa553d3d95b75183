"""Find rows of figures that were copied, and figures that were rounded instead of counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from enumerations._series_model import Floats, Integers

CHANCE_REPEATS_MAXIMUM = 0.2
"""Rows that may be equal by chance in the whole table, at most, for a repetition to be told."""
CHANCE_MAXIMUM = 0.001
"""A row that equals one other row by chance more often than this is too small to tell."""
NOISE_MAXIMUM = 0.3
CHANCE_REPEATS_NEXT_MAXIMUM = 1.0
"""The same for a row that repeats the period just before, which is what copying mostly does."""
HEAPED_DIGITS_SHARE = 0.2
"""Share of figures that end in 0 or 5 when every digit is equally frequent."""
HEAPING_FIGURES_MINIMUM = 30
HEAPING_VALUE_MINIMUM = 20
"""The last digit of a smaller figure isn't evenly spread, whoever counted."""
HEAPING_Z = 4.0
HEAPING_SHARE_MINIMUM = 0.35


@dataclass(frozen=True)
class Repeat:
    """A row with the figures of another one."""

    row: int
    of: int
    is_same_place: bool


def heaping_z(heaped: int, figures: int) -> float:
    """Return the z-score of a share of terminal digits 0 and 5 against one in five.

    The idea of Whipple's index (which looks at ages 23 to 62) and of Myers' blended index, carried to any count:
    under even last digits the number that end in 0 or 5 is binomial with probability 0.2. See Shryock and Siegel
    (1976), The Methods and Materials of Demography, chapter 8.
    """
    expected = HEAPED_DIGITS_SHARE * figures
    return float((heaped - expected) / np.sqrt(expected * (1 - HEAPED_DIGITS_SHARE))) if figures else 0.0


def is_heaped(heaped: int, figures: int) -> bool:
    """Return whether more figures end in 0 or 5 than chance allows, and enough to matter."""
    return (
        figures >= HEAPING_FIGURES_MINIMUM
        and heaped > HEAPING_SHARE_MINIMUM * figures
        and heaping_z(heaped, figures) > HEAPING_Z
    )


def heaps(values: Floats, groups: Integers) -> list[tuple[int, int, int]]:
    """Return (group, heaped, figures) of the groups whose figures are heaped."""
    counted = (values >= HEAPING_VALUE_MINIMUM) & (values == np.round(values))
    size = int(groups.max(initial=-1)) + 1
    figures = np.bincount(groups[counted], minlength=size)
    ends = counted & (np.mod(np.where(counted, values, 1.0), 5) == 0)
    heaped = np.bincount(groups[ends], minlength=size)
    few = np.flatnonzero((figures >= HEAPING_FIGURES_MINIMUM) & (heaped > HEAPING_SHARE_MINIMUM * figures))
    return [(int(g), int(heaped[g]), int(figures[g])) for g in few if is_heaped(int(heaped[g]), int(figures[g]))]


def _chance(figures: Floats, noise: Floats) -> Floats:
    """Return, for each row, how probable it is that all figures equal those of one other row of the place.

    A count that varies by `noise` (relative) around `v` takes about sqrt(4 pi) * v * noise values as often as its
    mode; two draws agree once in so many times.
    """
    spread = np.sqrt(4 * np.pi) * np.abs(figures) * np.minimum(noise, NOISE_MAXIMUM)
    chance = np.asarray(1 / np.prod(np.maximum(spread, 1.0), axis=1), dtype=float)
    return np.where(chance < CHANCE_MAXIMUM, chance, np.inf)


def repeated_rows(figures: Floats, noise: Floats, place: Integers, period: Integers) -> list[Repeat]:
    """Return the rows whose figures are all those of an earlier period of the place, or of another place.

    Parameters
    ----------
    figures
        Rows by fields, in the order of place and period; a row with a missing figure, or with zeros only, is never
        told.
    noise
        How much each figure varies in its series, as a share; the rarer a coincidence, the smaller a row may be.
    place, period
        Number of the place and of the period of each row.
    """
    whole = ~np.isnan(figures).any(axis=1) & (figures != 0).any(axis=1)
    hashes = pd.util.hash_pandas_object(pd.DataFrame(figures), index=False).to_numpy()
    frame = pd.DataFrame({"hash": hashes, "place": place, "period": period, "row": np.arange(len(hashes))})[whole]
    frame = frame[frame.duplicated("hash", keep=False)].sort_values(["hash", "period", "row"])
    if frame.empty:
        return []
    chance = _chance(figures, noise) * whole.sum()
    rows, of = _earlier_of_place(frame)
    told = chance[rows] * np.bincount(place)[place[rows]] / 2 < CHANCE_REPEATS_MAXIMUM
    told |= (of == rows - 1) & (chance[rows] < CHANCE_REPEATS_NEXT_MAXIMUM)
    found = [Repeat(int(row), int(one), is_same_place=True) for row, one in zip(rows[told], of[told], strict=True)]
    elsewhere = _chance(figures, np.full_like(noise, NOISE_MAXIMUM)) * whole.sum() ** 2 / 2
    others, of = _of_other_place(frame)
    far = (elsewhere[others] < CHANCE_REPEATS_MAXIMUM) & ~np.isin(others, rows[told])
    found += [Repeat(int(row), int(one), is_same_place=False) for row, one in zip(others[far], of[far], strict=True)]
    return found


def _earlier_of_place(frame: pd.DataFrame) -> tuple[Integers, Integers]:
    before = frame.groupby(["hash", "place"], sort=False)["row"].shift()
    known = before.notna()
    return frame["row"][known].to_numpy(dtype=np.int64), before[known].to_numpy(dtype=np.int64)


def _of_other_place(frame: pd.DataFrame) -> tuple[Integers, Integers]:
    """Pair each row with the first row of another place that has its figures, the later one being the copy."""
    first = frame.groupby("hash", sort=False)[["row", "place"]].transform("first")
    other = first["place"] != frame["place"]
    return frame["row"][other].to_numpy(dtype=np.int64), first["row"][other].to_numpy(dtype=np.int64)

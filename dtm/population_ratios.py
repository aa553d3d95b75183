"""Compute growth, sex ratio and dependency of populations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dtm.errors import WrongUseError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def growth_rate(before_persons: ArrayLike, after_persons: ArrayLike, *, years: ArrayLike) -> NDArray[np.float64]:
    """Return the continuous growth rate r = ln(P2 / P1) / t a year (Preston, Heuveline & Guillot 2001, Demography).

    Parameters
    ----------
    before_persons, after_persons
        People at both times, 0 or more, NaN where not known, of any shapes that broadcast.
    years
        Time between, in years, above 0.

    Returns
    -------
    numpy.ndarray
        A share a year (0.01 is 1 %), below 0 for a loss; NaN where there is nobody at either time or no count.

    Raises
    ------
    WrongUseError
        The time is not above 0, or people are below 0.
    """
    before, after = _counts(before_persons), _counts(after_persons)
    time = np.asarray(years, dtype="float64")
    if not (time > 0).all():
        raise WrongUseError("growth needs two times in their order: years above 0.")
    ratio = _ratio(after, before)
    logarithm = np.full(ratio.shape, np.nan)
    np.log(ratio, out=logarithm, where=ratio > 0)
    return np.asarray(logarithm / time, dtype="float64")


def sex_ratio(male_persons: ArrayLike, female_persons: ArrayLike) -> NDArray[np.float64]:
    """Return men per 100 women, 100 M / F (Shryock & Siegel 1976); NaN without women."""
    return 100 * _ratio(_counts(male_persons), _counts(female_persons))


def dependency_ratio(
    young_persons: ArrayLike, working_persons: ArrayLike, old_persons: ArrayLike
) -> NDArray[np.float64]:
    """Return young and old people per 100 of working age, 100 (P 0-14 + P 65+) / P 15-64 (Shryock & Siegel 1976).

    Parameters
    ----------
    young_persons, working_persons, old_persons
        People aged 0-14, 15-64, and 65 and over. With other age bands (the returns have 60 and over) it is another
        measure, to be called by its ages.

    Returns
    -------
    numpy.ndarray
        Per 100; NaN with nobody of working age.
    """
    return 100 * _ratio(_counts(young_persons) + _counts(old_persons), _counts(working_persons))


def _counts(persons: ArrayLike) -> NDArray[np.float64]:
    counts = np.asarray(persons, dtype="float64")
    if (counts < 0).any():
        raise WrongUseError("people are below 0; a count can't be.")
    return counts


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    top, below = np.broadcast_arrays(numerator, denominator)
    quotient = np.full(top.shape, np.nan)
    np.divide(top, below, out=quotient, where=below > 0)
    return quotient

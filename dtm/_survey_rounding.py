"""Round the figures of a sample to what one respondent stands for, so that nobody can count respondents by weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from dtm._survey_columns import Floats

DECIMALS = 6
"""Places that figures are first rounded to, so that the order of the returns leaves no trace in them."""
COUNT_STEP = 5
"""People behind a flow are told to the nearest so many."""
ERROR_DIGITS = 2
"""Significant digits of a standard error and of a design effect."""
_STEPS = np.array([1.0, 2.0, 5.0, 10.0])


def step_of(one_respondent: Floats) -> Floats:
    """Return the step of figures of which one respondent is so much: the next 1, 2 or 5 times a power of ten.

    A weighted figure of a larger area is a sum of a few weights, known from published totals, times whole numbers of
    respondents. Told to the sixth place it has one solution in whole numbers, and so tells each hidden one of them;
    told to the weight of one respondent it has many. The sampling error is larger than that anyway.
    """
    size = np.where(np.isfinite(one_respondent) & (one_respondent > 0), one_respondent, np.nan)
    power = 10.0 ** np.floor(np.log10(size) + 1e-12)
    which = np.nan_to_num(np.searchsorted(_STEPS, size / power - 1e-9), nan=0).clip(0, len(_STEPS) - 1)
    found: Floats = _STEPS[which] * power
    return found


def round_to_respondents(frame: pd.DataFrame) -> pd.DataFrame:
    """Return estimates to the step of each row, the interval outwards, and errors to two digits.

    Parameters
    ----------
    frame
        Columns ``value``, ``low``, ``high``, ``standard_error``, ``design_effect``, and ``step`` and ``most`` (the
        largest value there can be, infinite where there is none).
    """
    step, most = (frame[name].to_numpy(dtype=np.float64) for name in ("step", "most"))
    told = {}
    for name, rounded in (("value", np.rint), ("low", np.floor), ("high", np.ceil)):
        exact = frame[name].to_numpy(dtype=np.float64).round(DECIMALS)
        told[name] = np.minimum(rounded((exact / step).round(DECIMALS)) * step, most).round(DECIMALS)
    for name in ("standard_error", "design_effect"):
        told[name] = _significant(frame[name].to_numpy(dtype=np.float64))
    return frame.assign(**told)


def _significant(value: Floats) -> Floats:
    size = np.where(value > 0, value, 1.0)
    unit = 10.0 ** (np.floor(np.log10(size)) - (ERROR_DIGITS - 1))
    return (np.rint(value / unit) * unit).round(DECIMALS)

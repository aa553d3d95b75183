"""Round the figures of a sample to what one respondent stands for, so that nobody can count respondents by weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dtm.survey import confidence_ends

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
    """Return estimates to the step of each row, with errors and intervals made of what is told of them.

    The exact error of a share p would tell p to much more than a respondent: it is the root of design effect times
    p (1 - p) / (n - 1). So the error of a share, and of a ratio, is computed anew from the rounded value and the
    design effect to two digits, and the interval from these; it is rounded outwards. The error of a mean holds the
    spread of the answers and not their number, and is told to two digits.

    Parameters
    ----------
    frame
        Columns ``value``, ``standard_error``, ``design_effect``, ``records`` (of the base), ``degrees_of_freedom``,
        ``kind`` (share, ratio or mean), ``scale`` (what a share of 1 is told as), and ``step`` and ``most`` (the
        largest value there can be, infinite where there is none).
    """
    step, most, scale = (frame[name].to_numpy(dtype=np.float64) for name in ("step", "most", "scale"))
    is_share, is_ratio = ((frame["kind"] == kind).to_numpy() for kind in ("share", "ratio"))
    exact = frame["value"].to_numpy(dtype=np.float64).round(DECIMALS)
    value = np.minimum(np.rint((exact / step).round(DECIMALS)) * step, most).round(DECIMALS)
    effect = _significant(frame["design_effect"].to_numpy(dtype=np.float64))
    middle = value / scale
    half_step = np.minimum(step / scale / 2, 1 / 2)  # a share told as 0 or 1 is neither: somebody answered otherwise
    middle = np.where(is_share, np.clip(middle, half_step, 1 - half_step), middle)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_share = middle * (1 - middle) / (frame["records"].to_numpy(dtype=np.float64) - 1)
        of_ratio = middle * (1 + middle) ** 2 / (frame["records"].to_numpy(dtype=np.float64) - 1)
        error = np.sqrt(effect * np.where(is_share, of_share, of_ratio)) * scale
    error = np.where(is_share | is_ratio, error, frame["standard_error"].to_numpy(dtype=np.float64))
    error = _significant(error)
    freedom = frame["degrees_of_freedom"].to_numpy(dtype=np.int64)
    low, high = (end * scale for end in confidence_ends(middle, error / scale, freedom, is_logit=is_share))
    return frame.assign(
        value=value,
        standard_error=error,
        low=(np.floor((low / step).round(DECIMALS)) * step).round(DECIMALS),
        high=np.minimum(np.ceil((high / step).round(DECIMALS)) * step, most).round(DECIMALS),
        design_effect=effect,
    )


def _significant(value: Floats) -> Floats:
    size = np.where(value > 0, value, 1.0)
    unit = 10.0 ** (np.floor(np.log10(size)) - (ERROR_DIGITS - 1))
    return (np.rint(value / unit) * unit).round(DECIMALS)

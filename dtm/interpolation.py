"""Tell the people of a place on days between two counts, and for a year after the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dtm.errors import WrongUseError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

PROJECTION_MONTHS = 12
"""Months after the last count beyond which nothing is projected."""


def interpolate(first: ArrayLike, last: ArrayLike, *, share: ArrayLike) -> Floats:
    """Return the people at a share of the time between two counts: P1 (P2 / P1)^share.

    Growth at a constant rate (geometric; United Nations 1952, Manual I, Methods of Estimating Total Population for
    Current Dates). Where one of the counts is 0 it is a straight line instead, since no rate leads from or to nobody.

    Parameters
    ----------
    first, last
        Persons; NaN gives NaN.
    share
        0 at the first count, 1 at the last.

    Raises
    ------
    WrongUseError
        A count is negative, or a share is outside 0 to 1: that is a projection.
    """
    start, end, at = np.broadcast_arrays(np.asarray(first, float), np.asarray(last, float), np.asarray(share, float))
    _refuse_negative(start, end)
    if ((at < 0) | (at > 1)).any():
        raise WrongUseError("A day to interpolate lies between the two counts; use project for days after the last.")
    positive = (start > 0) & (end > 0)
    ratio = np.where(positive, end, 1.0) / np.where(positive, start, 1.0)
    found: Floats = np.where(positive, start * ratio**at, start + (end - start) * at)
    return found


def project(first: ArrayLike, last: ArrayLike, *, share: ArrayLike) -> Floats:
    """Return the people after the last of two counts, if their growth went on at the same rate: P2 (P2 / P1)^share.

    Geometric extrapolation (United Nations 1952, Manual I, Methods of Estimating Total Population for Current Dates).

    Parameters
    ----------
    first, last
        Persons of two counts of the same units. NaN or 0 gives NaN: no rate is known.
    share
        Days since the last count over the days between the two, 0 or more. How far to go is the caller's business;
        see `PROJECTION_MONTHS`.

    Raises
    ------
    WrongUseError
        A count or a share is negative.
    """
    start, end, at = np.broadcast_arrays(np.asarray(first, float), np.asarray(last, float), np.asarray(share, float))
    _refuse_negative(start, end)
    if (at < 0).any():
        raise WrongUseError("A day to project lies after the last count; use interpolate for days between two.")
    positive = (start > 0) & (end > 0)
    ratio = np.where(positive, end, 1.0) / np.where(positive, start, 1.0)
    return np.where(positive, end * ratio**at, np.nan)


def _refuse_negative(*counts: Floats) -> None:
    if any((count < 0).any() for count in counts):
        raise WrongUseError("A count of people is below 0; it can't be interpolated.")


def roll_forward(opening: float, closing: float, *, first: object, last: object, flows: pd.DataFrame) -> pd.Series:
    """Return the people at the end of each day between two counts, rolled with dated moves, births and deaths.

    P(t) = P1 + sum of the net changes up to t + residual (t - t1) / (t2 - t1), where the residual is what the changes
    leave unexplained of the closing count, spread evenly over the days (Shryock & Siegel 1976, The Methods and
    Materials of Demography, chapter on population estimates: the error of closure).

    Parameters
    ----------
    opening, closing
        Persons on the first and the last day.
    first, last
        The two days.
    flows
        Columns `day` and `persons`: net change on that day, arrivals and births positive. A change on the first day
        belongs to the opening count and is refused, as is one after the last.

    Returns
    -------
    pandas.Series
        Persons by day, from the first to the last.

    Raises
    ------
    WrongUseError
        The last day isn't after the first, a column is missing, or a change lies outside the period.
    """
    start, end = pd.Timestamp(str(first)), pd.Timestamp(str(last))
    if end <= start:
        raise WrongUseError(f"{end.date()} is not after {start.date()}; there is nothing between the counts.")
    for name in ("day", "persons"):
        if name not in flows.columns:
            raise WrongUseError(f"The dated changes have no column '{name}'.")
    days = pd.date_range(start, end, freq="D")
    when = pd.to_datetime(flows["day"])
    outside = when[(when <= start) | (when > end)]
    if len(outside):
        raise WrongUseError(
            f"A change on {outside.iloc[0].date()} is not after {start.date()} and up to {end.date()}; leave it out."
        )
    change = flows["persons"].astype("float64").groupby(when).sum().reindex(days, fill_value=0.0).cumsum()
    residual = closing - opening - float(change.iloc[-1])
    elapsed = np.arange(len(days)) / (len(days) - 1)
    return (opening + change + residual * elapsed).rename("persons").rename_axis("day")

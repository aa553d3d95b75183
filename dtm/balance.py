"""Balance the people of two rounds against the moves, births and deaths between them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dtm.errors import WrongUseError

AMBER_PCT = 2.0
"""A residual of more than this share of the people at the round is amber."""
RED_PCT = 5.0
"""A residual of more than this share is red."""
GREEN, AMBER, RED = "green", "amber", "red"
TERMS = ("opening", "arrivals", "departures", "births", "deaths", "closing")
"""What every balance needs; `boundary_change` is 0 where it isn't given."""


def stock_flow_balance(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what moves, births and deaths leave unexplained of the change between two rounds, row by row.

    The balancing (demographic) equation with its error of closure (Shryock & Siegel 1976, The Methods and Materials of
    Demography, ch. 1; Preston, Heuveline & Guillot 2001, Demography, ch. 1):

        closing = opening + arrivals - departures + births - deaths + boundary_change + residual.

    The residual holds every error of every term: moves and births nobody told, units that did not report, miscounts.
    A small one proves nothing where errors cancel.

    Parameters
    ----------
    frame
        Columns `TERMS` and, if any, `boundary_change`, in persons; opening and closing of the same units. Missing
        terms are NaN. Other columns are kept.

    Returns
    -------
    pandas.DataFrame
        The frame with `boundary_change`, `residual` (persons; NaN where a term is missing), `residual_pct` (of the
        closing people; NaN where these are 0) and `flag`: green, amber (more than 2 %), red (more than 5 %, or a
        residual where nobody is left), None without a residual.

    Raises
    ------
    WrongUseError
        A column is missing.
    """
    missing = [name for name in TERMS if name not in frame.columns]
    if missing:
        raise WrongUseError(f"A balance needs the columns {', '.join(TERMS)}; {', '.join(missing)} not there.")
    opening, arrivals, departures, births, deaths, closing = (frame[name].to_numpy(float) for name in TERMS)
    boundary = frame["boundary_change"].to_numpy(float) if "boundary_change" in frame else np.zeros(len(frame))
    residual = closing - (opening + arrivals - departures + births - deaths + boundary)
    share = 100 * residual / np.where(closing == 0, np.nan, closing)
    size = np.where((closing == 0) & (residual != 0), np.inf, np.nan_to_num(np.abs(share)))
    flag = np.select([np.isnan(residual), size > RED_PCT, size > AMBER_PCT], ["", RED, AMBER], GREEN)
    flags = pd.Series(flag, index=frame.index, dtype=object)
    return frame.assign(
        boundary_change=boundary, residual=residual, residual_pct=share, flag=flags.where(flags != "", None)
    )

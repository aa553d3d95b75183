"""Name in exported rows the breaks of the series that a figure is part of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from dtm.series_breaks import ALL, BREAK_COLUMN, REGISTERED, REGISTRATION, breaks_of, mark_breaks

if TYPE_CHECKING:
    from dtm.released import Release

STOCK_TABLES = ("stock", "carried", "stock_month")
REGISTERED_STOCKS = ("registered", "registered_absent", "unregistered")
"""Categories of `stock` that follow from registration."""
REGISTERED_INDICATORS = (
    "registered_per_actual_pct",
    "registration_gap_persons",
    "unregistered_share_pct",
    "absent_share_pct",
)
CHANGE_INDICATORS = ("change_persons", "change_pct")
"""Indicators that compare a round with the one before."""


def add_series_breaks(frame: pd.DataFrame, release: Release, *, table: str) -> None:
    """Add the column `series_break` to rows of a release.

    Stocks and indicators are of their reference day (by month, of the day of the row); a change is of the days since
    the reference day of the round before; moves are of the days they were asked for. Stocks and indicators of
    registered people belong to the series `registered`, moves by registration to `registration`, all other rows are
    touched by breaks of every series alone.

    Parameters
    ----------
    table
        stock, carried, stock_month, indicator, flow or flow_item.
    """
    breaks = breaks_of(release.table("series_break").frame)
    rounds = release.table("round").frame.set_index("round_number").sort_index()
    reference = pd.to_datetime(rounds["reference_on"])
    own = {"carried": "reference_on", "stock_month": "day"}.get(table)
    day = pd.to_datetime(frame[own]) if own else frame["round_number"].map(reference)
    days = pd.DataFrame({"day": day, "since": day}, index=frame.index)
    series = pd.Series(ALL, index=frame.index, dtype="str")
    if table in STOCK_TABLES:
        series = series.mask(frame["category"].isin(REGISTERED_STOCKS), REGISTERED)
    elif table == "indicator":
        series = series.mask(frame["indicator"].isin(REGISTERED_INDICATORS), REGISTERED)
        before = frame["round_number"].map(reference.shift())
        days["since"] = before.where(frame["indicator"].isin(CHANGE_INDICATORS), days["day"])
    else:
        window = frame["round_number"].map(pd.to_timedelta(rounds["flow_days"] - 1, unit="D"))
        days["since"] = days["day"] - window
        if table == "flow_item":
            series = series.mask(frame["breakdown"] == REGISTERED, REGISTRATION)
    marked = [
        mark_breaks(part, day="day", since="since", series=str(name), breaks=breaks)[BREAK_COLUMN]
        for name, part in days.groupby(series)
    ]
    frame[BREAK_COLUMN] = pd.concat(marked) if marked else pd.Series(dtype="str")

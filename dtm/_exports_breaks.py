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
OF_A_DAY = (
    "stock", "carried", "stock_month", "density", "exposure", "survey_estimate", "survey_flow", "passage_day",
    "passage_estimate",
)  # fmt: skip
OWN_DAY = {"carried": "reference_on", "stock_month": "day", "passage_day": "day", "passage_estimate": "day"}
"""Tables whose rows have a day of their own, and its column; all others are of the reference day of their round."""
SINCE_THE_ROUND_BEFORE = ("balance", "vital")
AREAS = ("pcode", "origin", "destination")
"""Columns that say whose figure it is: an area's, or of both ends of a move."""
WHOLE = "whole"


def add_series_breaks(frame: pd.DataFrame, release: Release, *, table: str) -> None:
    """Add the column `series_break` to rows of a release.

    *Days.* Stocks, densities, indicators, exposure and the survey are of their reference day, months and days at
    checkpoints of the day of the row, the hours of a week at checkpoints of all days of the round; a change, a
    balance, births and deaths are of the days since the reference day of the round before; moves are of the days they
    were asked for. *Series.* Stocks and indicators of registered people, and what is estimated from these, belong to
    the series `registered`, moves by registration to `registration`; all other rows are touched by breaks of every
    series alone. *Areas.* A row is touched by the breaks of its area, of one around it and of one inside it
    (`dtm.series_breaks.mark_breaks`); a move by those of both of its ends; indices of a system by those of its areas.

    Parameters
    ----------
    table
        Table of the release the rows are of; flow_item for the rows of `dtm flows`.
    """
    breaks = breaks_of(release.table("series_break").frame)
    days = _days(frame, release, table=table)
    days = days.assign(**{name: frame[name] for name in AREAS if name in frame})
    if table == "system":
        days[WHOLE] = frame["level"].map(_common_areas(release))
    areas = [name for name in (*AREAS, WHOLE) if name in days]
    marked = [
        mark_breaks(part, day="day", since="since", series=str(name), areas=areas, breaks=breaks)[BREAK_COLUMN]
        for name, part in days.groupby(_series(frame, table=table))
    ]
    frame[BREAK_COLUMN] = pd.concat(marked) if marked else pd.Series(dtype="str")


def _days(frame: pd.DataFrame, release: Release, *, table: str) -> pd.DataFrame:
    """Return the last day and the first day that each row is about, or the day it is compared with."""
    rounds = release.table("round").frame.set_index("round_number").sort_index()
    reference = pd.to_datetime(rounds["reference_on"])
    own = OWN_DAY.get(table)
    day = pd.to_datetime(frame[own]) if own else frame["round_number"].map(reference)
    if table in OF_A_DAY:
        return pd.DataFrame({"day": day, "since": day}, index=frame.index)
    if table == "passage_hour":
        return pd.DataFrame({"day": pd.to_datetime(frame["ended_on"]), "since": pd.to_datetime(frame["started_on"])})
    before = frame["round_number"].map(reference.shift())
    window = frame["round_number"].map(pd.to_timedelta(rounds["flow_days"] - 1, unit="D"))
    if table in SINCE_THE_ROUND_BEFORE:
        since = before
    elif table == "indicator":
        since = before.where(frame["indicator"].isin(CHANGE_INDICATORS), day)
    elif table == "imputed":
        since = (day - window).where(frame["figure"] != "actual_persons", day)
    else:
        since = day - window
    return pd.DataFrame({"day": day, "since": since}, index=frame.index)


def _series(frame: pd.DataFrame, *, table: str) -> pd.Series[str]:
    """Return the series each row is part of."""
    series = pd.Series(ALL, index=frame.index, dtype="str")
    if table in STOCK_TABLES:
        return series.mask(frame["category"].isin(REGISTERED_STOCKS), REGISTERED)
    if table == "indicator":
        return series.mask(frame["indicator"].isin(REGISTERED_INDICATORS), REGISTERED)
    if table == "imputed":
        return series.mask(frame["method"] == "imputed", REGISTERED)
    if table == "flow_item":
        return series.mask(frame["breakdown"] == REGISTERED, REGISTRATION)
    return series


def _common_areas(release: Release) -> dict[int, str]:
    """Return for each level the area that holds all of its areas: a city, or the country."""
    areas = release.table("area").frame
    found = {}
    for level in areas["level"].unique():
        codes = areas.loc[areas["level"] == level, "pcode"]
        first, last = str(codes.min()), str(codes.max())
        shared = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
        found[int(level)] = first[: shared // 2 * 2]
    return found

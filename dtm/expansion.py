"""Estimate the travellers of 24 hours from the hours that were watched, with the profile of the week."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from dtm._week_profile import (
    DAYS,
    HOURS,
    SETTLED,
    Floats,
    WeekProfile,
    Whole,
    dispersion_of_hours,
    fit_week_profile,
    observed_share,
    weekdays,
)
from dtm.errors import WrongUseError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Expansion", "WeekProfile", "add_net", "add_total", "expand_counts", "expand_hourly", "fit_week_profile"]

IN, OUT, NET = "in", "out", "net"
TOTAL = "total"
OBSERVED, EXPANDED = "observed", "expanded"
CONFIDENCE = 0.95
WHOLE_DAY_SHARE = 1 - 1e-12
NO_WATCH = "no_watch"
NO_PROFILE = "no_profile"
CHECKPOINTS_SUMMED, CHECKPOINTS_MISSING = "checkpoints_summed", "checkpoints_missing"
_KEY = ("place", "day", "direction")
_ROWS_NAMED = 5


@dataclass(frozen=True)
class Expansion:
    """Expanded counts of one or more checkpoints.

    Attributes
    ----------
    days
        By place, day and direction: ``hours_observed``, ``counted``, ``observed_share``, ``value`` (travellers in 24
        hours), ``low``, ``high`` (95 %), ``method`` (observed or expanded) and ``note`` (a code of
        `dtm.measures.NOTES`, why there is no value).
    hours
        By place, day, direction and hour: ``value`` and ``method``; the count where the hour was watched, else the
        travellers the day's level and the profile expect.
    profiles
        The profile of the week of each direction.
    """

    days: pd.DataFrame
    hours: pd.DataFrame
    profiles: dict[str, WeekProfile]


def expand_counts(
    counted: Floats, share: Floats, *, dispersion: float, travellers: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the travellers of the whole day, and the ends of their 95 % interval, all (n,).

    The estimate is counted / share, as short counts of traffic are expanded by time-of-day factors (FHWA 2022, Traffic
    Monitoring Guide; FHWA 2016). What passed in the other hours, u, has the mean (1 - share) / share x counted, and

        Var(u) = dispersion x (counted + dispersion / 2) x (1 - share) / share^2 x (1 + estimate / travellers):

    the chance of the count and of u, with the day's own level unknown beforehand (counted + 1/2 in units of the
    dispersion: Jeffreys' prior, so that a count of 0 has an upper end too), and the chance of the profile, which rests
    on so many `travellers`. The ends are those of a gamma distribution with this variance and the mean for
    counted + dispersion / 2, added to what was counted: what was seen has passed. The
    lower end is what was counted where that nobody else passed has a chance over 2.5 % (the negative binomial's, share
    to the power of counted / dispersion + 1/2). A profile that was itself different
    on that day (a holiday, a closed road) is not in it.

    Parameters
    ----------
    counted
        Travellers counted in the hours watched.
    share
        Share of the day's travellers that the profile expects in these hours, over 0 to 1; NaN gives NaN.
    dispersion
        Variance of a count divided by its mean: over 1 because people travel in parties.
    travellers
        Travellers behind the profile, over 0.
    """
    usable = (share > 0) & (travellers > 0)
    part = np.where(usable, np.minimum(share, 1.0), np.nan)
    value = counted / part
    base = (counted + dispersion / 2) * (1 - part) / part
    variance = dispersion * base / part * (1 + value / np.where(usable, travellers, np.nan))
    ends = []
    for chance in ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2):
        with np.errstate(invalid="ignore", divide="ignore"):
            more = stats.gamma.ppf(chance, base**2 / variance, scale=variance / base)
        ends.append(np.where(part > WHOLE_DAY_SHARE, value, counted + more))
    is_none_likely = part ** (counted / dispersion + 0.5) > (1 - CONFIDENCE) / 2
    ends[0] = np.where(is_none_likely & (part <= WHOLE_DAY_SHARE), counted, ends[0])
    return value, np.minimum(ends[0], value), np.maximum(ends[1], value)


def expand_hourly(
    counts: pd.DataFrame,
    *,
    place: str = "checkpoint",
    day: str = "day",
    hour: str = "hour",
    direction: str = "direction",
    persons: str = "persons",
    watched: str = "watched",
) -> Expansion:
    """Expand hourly counts to whole days.

    Sources: `dtm._week_profile.fit_week_profile` (a Poisson model of days and hours) and `expand_counts` (FHWA 2022).
    Counts are of everybody who passes. Keep through traffic (origin and destination both outside the city) in a table
    of its own where it is not wanted: the profile and the net are then those of the rest.

    Parameters
    ----------
    counts
        A row for each place, day, direction and hour. Hours without a row were not watched.
    place, day, hour, direction, persons, watched
        Its columns: checkpoint; date; 0 to 23; in or out; travellers; whether the hour was watched, true or false, or
        the part of it that was, 0 to 1. Persons of hours nobody watched are not read.

    Returns
    -------
    Expansion
        Days and hours of every place, day and direction of the table, sorted by these.

    Raises
    ------
    WrongUseError
        A column is not there, a row stands twice, an hour is not 0 to 23, a direction is neither in nor out, a count is
        missing or negative where somebody watched; the first rows are named.
    """
    names = {"place": place, "day": day, "direction": direction, "hour": hour, "persons": persons, "watched": watched}
    told = _checked(counts, names)
    days, hours, profiles = [], [], {}
    for one, part in told.groupby("direction", sort=True):
        key, counted, seen = _matrices(part)
        weekday = weekdays(key["day"])
        profile = _profile_of_hours(counted, seen, weekday)
        profiles[str(one)] = profile
        days.append(expand_days(key.assign(direction=one), counted.sum(axis=1), seen, profile))
        hours.append(_expanded_hours(days[-1], counted, seen, profile, weekday))
    if not days:
        return Expansion(_no_days(), _no_days()[[*_KEY]].assign(hour=0, value=0.0, method=""), profiles)
    sorting = list(_KEY)
    return Expansion(
        pd.concat(days).sort_values(sorting, ignore_index=True),
        pd.concat(hours).sort_values([*sorting, "hour"], ignore_index=True),
        profiles,
    )


def expand_days(key: pd.DataFrame, counted: Floats, watched: Floats, profile: WeekProfile) -> pd.DataFrame:
    """Return the expanded days of one direction, in the columns of `Expansion.days`.

    Parameters
    ----------
    key
        Place, day and direction, (n,).
    counted
        Travellers counted in the hours watched, (n,).
    watched
        Part of each hour that was watched, (n, 24); a day nobody watched has no value.
    """
    weekday = weekdays(key["day"])
    is_whole = (watched >= 1).all(axis=1)
    share = np.where(is_whole, 1.0, observed_share(profile, weekday, watched))
    value, low, high = expand_counts(
        counted, share, dispersion=profile.dispersion, travellers=profile.travellers[weekday]
    )
    value = np.where(is_whole, counted, value)
    unwatched = ~(watched > 0).any(axis=1)
    value[unwatched] = np.nan
    is_known = pd.Series(value, key.index).notna()
    note = pd.Series(None, index=key.index, dtype="object").where(is_known, _why_not(profile))
    partly = ~is_whole & ~unwatched
    return key.assign(
        hours_observed=watched.sum(axis=1),
        counted=np.where(unwatched, np.nan, counted),
        observed_share=np.where(unwatched, 0.0, share),
        value=value,
        low=np.where(partly, low, np.nan),
        high=np.where(partly, high, np.nan),
        method=np.where(is_whole, OBSERVED, EXPANDED),
        note=note.mask(pd.Series(unwatched, key.index), NO_WATCH),
    )


def add_net(days: pd.DataFrame) -> pd.DataFrame:
    """Return the days with rows of direction `net`, in less out; null unless both are known.

    Through travellers are in both counts and cancel out over all checkpoints they pass, not at each of them. The
    interval is put together from those of in and out, taken as independent (the method of variance estimates
    recovery: Zou & Donner 2008, doi 10.1002/sim.3095). Columns beyond those of `Expansion.days` are those of `in`.
    """
    by = ["place", "day"]
    both = days[days["direction"] == IN].merge(
        days[days["direction"] == OUT], on=by, suffixes=("", "_out"), how="outer"
    )
    value = both["value"] - both["value_out"]
    below, above, below_out, above_out = (
        (both[end] - both[of]).fillna(0.0)
        for end, of in (("low", "value"), ("high", "value"), ("low_out", "value_out"), ("high_out", "value_out"))
    )
    is_expanded = (both["method"] == EXPANDED) | (both["method_out"] == EXPANDED)
    interval = is_expanded & value.notna()
    net = both[list(days.columns)].assign(
        direction=NET,
        counted=both["counted"] - both["counted_out"],
        observed_share=np.nan,
        value=value,
        low=(value - np.hypot(below, above_out)).where(interval),
        high=(value + np.hypot(above, below_out)).where(interval),
        method=np.where(is_expanded, EXPANDED, OBSERVED),
        note=both["note"].where(both["note"].notna(), both["note_out"]).where(value.isna(), None),
    )
    return pd.concat([days, net]).sort_values(list(_KEY), ignore_index=True)


def add_total(days: pd.DataFrame) -> pd.DataFrame:
    """Return the days with rows of place `total`, the sum over the checkpoints that are open.

    A checkpoint is open from its first to its last day in the table. The total of a day on which an open one has no
    value is null, with the number that lack one in the note; else the note says how many were added. The interval is
    put together as in `add_net`; the observed share is the part of the estimate that was counted.
    """
    frame = days[days["place"] != TOTAL]
    if not len(frame):
        return days
    spans = frame.groupby("place")["day"].agg(["min", "max"])
    dates = pd.Index(frame["day"].unique(), name="day")
    first, last = (spans[end].to_numpy()[:, None] for end in ("min", "max"))
    is_open = (first <= dates.to_numpy()) & (last >= dates.to_numpy())
    expected = pd.Series(is_open.sum(axis=0), index=dates)
    known = frame.assign(
        below=((frame["value"] - frame["low"]) ** 2).fillna(0.0),
        above=((frame["high"] - frame["value"]) ** 2).fillna(0.0),
        is_expanded=frame["method"] == EXPANDED,
    )
    summed = known.groupby(["day", "direction"], sort=True).agg(
        hours_observed=("hours_observed", "sum"),
        counted=("counted", "sum"),
        value=("value", "sum"),
        values=("value", "count"),
        below=("below", "sum"),
        above=("above", "sum"),
        is_expanded=("is_expanded", "any"),
    )
    total = summed.reset_index()
    lacking = total["day"].map(expected) - total["values"]
    is_known = lacking == 0
    value = total["value"].where(is_known)
    interval = total["is_expanded"] & is_known
    total = total.assign(
        place=TOTAL,
        observed_share=(total["counted"] / value.where(value > 0))
        .mask(is_known & ~total["is_expanded"], 1.0)
        .where(total["direction"] != NET),
        value=value,
        low=(value - np.sqrt(total["below"])).where(interval),
        high=(value + np.sqrt(total["above"])).where(interval),
        method=np.where(total["is_expanded"], EXPANDED, OBSERVED),
        note=np.where(
            is_known,
            CHECKPOINTS_SUMMED + ":" + total["values"].astype("str"),
            CHECKPOINTS_MISSING + ":" + lacking.astype("str"),
        ),
    )
    return pd.concat([days, total.reindex(columns=days.columns)]).sort_values(list(_KEY), ignore_index=True)


def weekday_means(days: pd.DataFrame) -> pd.DataFrame:
    """Return the mean day by place, direction and weekday (1 Monday): over days with a value.

    The day-of-week means of traffic counts (FHWA 2022, Traffic Monitoring Guide): ``days`` counts these,
    ``mean_persons`` is their mean, ``coverage`` the part of their hours that was watched.
    """
    known = days[days["value"].notna()]
    weekday = pd.to_datetime(known["day"]).dt.day_of_week.rename("weekday") + 1
    places = known["note"].astype("str").str.extract(rf"^{CHECKPOINTS_SUMMED}:(\d+)$")[0].astype(float).fillna(1.0)
    means = (
        known.assign(could=HOURS * places)
        .groupby(["place", "direction", weekday])
        .agg(
            days=("value", "size"),
            mean_persons=("value", "mean"),
            hours=("hours_observed", "sum"),
            could=("could", "sum"),
        )
        .reset_index()
    )
    return means.assign(coverage=means["hours"] / means["could"]).drop(columns=["hours", "could"])


def _why_not(profile: WeekProfile) -> str:
    """Return the note on days that the profile can't expand."""
    return NO_PROFILE if profile.state == SETTLED else f"profile_{profile.state}"


def _profile_of_hours(counted: Floats, seen: Floats, weekday: Whole) -> WeekProfile:
    """Fit the profile with the dispersion that the hours of single days show, which the totals do not."""
    hour_totals = np.array([counted[weekday == one].sum(axis=0) for one in range(DAYS)])
    totals = counted.sum(axis=1)
    first = fit_week_profile(totals, weekday, seen, hour_totals)
    if first.state != SETTLED:
        return first
    dispersion = dispersion_of_hours(counted, seen, weekday, first)
    return fit_week_profile(totals, weekday, seen, hour_totals, dispersion=dispersion)


def _expanded_hours(
    days: pd.DataFrame,
    counted: Floats,
    seen: Floats,
    profile: WeekProfile,
    weekday: Whole,
) -> pd.DataFrame:
    """Return every hour of the days: the count where it was watched whole, else with what the profile adds."""
    value = counted + days["value"].to_numpy()[:, None] * profile.share[weekday] * (1 - seen)
    value = np.where(seen >= 1, counted, value)
    rows = days[list(_KEY)].loc[days.index.repeat(HOURS)].reset_index(drop=True)
    method = np.where(seen >= 1, OBSERVED, EXPANDED).ravel()
    return rows.assign(hour=np.tile(np.arange(HOURS), len(days)), value=value.ravel(), method=method)


def _matrices(part: pd.DataFrame) -> tuple[pd.DataFrame, Floats, Floats]:
    """Return place and day of each row, and counts and watch by hour, (n, 24)."""
    by = part.groupby(["place", "day"], sort=True)
    code, key = by.ngroup().to_numpy(), by.size().reset_index()[["place", "day"]]
    counted, seen = np.zeros((len(key), HOURS)), np.zeros((len(key), HOURS))
    hour = part["hour"].to_numpy(dtype=np.int64)
    seen[code, hour] = part["watched"].to_numpy(dtype=np.float64)
    counted[code, hour] = np.where(part["watched"] > 0, part["persons"], 0.0)
    return key, counted, seen


def _checked(counts: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Return the columns under our names, every cell usable."""
    missing = [name for name in names.values() if name not in counts]
    if missing:
        raise WrongUseError(
            f"There is no column {', '.join(missing)}; there are: {', '.join(map(str, counts.columns))}."
        )
    told = pd.DataFrame({ours: counts[theirs] for ours, theirs in names.items()})
    for name in ("hour", "persons", "watched"):
        told[name] = pd.to_numeric(told[name], errors="coerce").astype("float64")
    try:
        told["day"] = pd.to_datetime(told["day"], format="ISO8601").dt.normalize()
    except (ValueError, TypeError) as error:
        raise WrongUseError(f"Column {names['day']}: {error}. Give dates, such as 2024-10-31.") from error
    _refuse(told["place"].isna() | told["day"].isna(), "has no checkpoint or no day; fill it in")
    _refuse(~told["direction"].isin([IN, OUT]), f"{names['direction']} is neither in nor out")
    _refuse(~told["hour"].isin(range(HOURS)), f"{names['hour']} is not a whole number from 0 to 23")
    _refuse(~told["watched"].between(0, 1), f"{names['watched']} is not true, false or from 0 to 1")
    uncounted = (told["watched"] > 0) & ~((told["persons"] >= 0) & np.isfinite(told["persons"]))
    _refuse(uncounted, f"{names['persons']} is missing or negative, where somebody watched")
    _refuse(told.duplicated([*_KEY, "hour"]), "stands twice for one checkpoint, day, direction and hour; add them up")
    return told


def _refuse(wrong: pd.Series[bool], what: str) -> None:
    if wrong.any():
        rows: Sequence[int] = [int(row) + 1 for row in np.flatnonzero(wrong)]
        more = f" and {len(rows) - _ROWS_NAMED:,} more" if len(rows) > _ROWS_NAMED else ""
        raise WrongUseError(f"Row {', '.join(map(str, rows[:_ROWS_NAMED]))}{more}: {what}.")


def _no_days() -> pd.DataFrame:
    numbers = ("hours_observed", "counted", "observed_share", "value", "low", "high")
    texts = {name: pd.Series(dtype="object") for name in (*_KEY, "method", "note")}
    return pd.DataFrame({**texts, **{name: pd.Series(dtype="float64") for name in numbers}})

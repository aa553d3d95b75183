"""Fit how the travellers of a day spread over its hours, by day of the week, from days watched in part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
DAYS = 7
HOURS = 24
DAY_TYPE = np.array([0, 0, 0, 0, 1, 2, 2])
DAY_TYPES = 3
"""Monday to Thursday, Friday, the weekend; days of one type lend each other their shape where hours are thin."""
ITERATIONS_MAX = 500
SHARE_TOLERANCE = 1e-10
"""The fit has settled when no share of an hour changes by more."""
SETTLED, NO_TRAVELLERS, NEVER_WATCHED, UNCONNECTED = "settled", "no_travellers", "hours_never_watched", "unconnected"


@dataclass(frozen=True)
class WeekProfile:
    """How the travellers of a day spread over its hours.

    Attributes
    ----------
    share
        Part of a day's travellers by weekday (7, Monday first) and hour (24), summing to 1 by weekday; NaN throughout
        where there is no profile.
    travellers
        Counted travellers that the shares of each weekday rest on, those of other days that lend theirs among them
        (7,).
    dispersion
        Variance of a count divided by its mean; 1 for Poisson, at least.
    state
        ``settled``, or why there is no profile: ``no_travellers``, ``hours_never_watched`` or ``unconnected`` (days
        watched in some hours, and others in the rest, with no hour between them to compare by).
    iterations
        Most rounds that a fit took.
    """

    share: Floats
    travellers: Floats
    dispersion: float
    state: str
    iterations: int


@dataclass(frozen=True)
class _Fitted:
    """Shares (groups, 24), what they would be shares of (exposure), and the rounds it took."""

    share: Floats
    exposure: Floats
    iterations: int


def fit_week_profile(
    day_totals: Floats,
    weekday: Whole,
    watched: Floats,
    hour_totals: Floats,
    *,
    dispersion: float | None = None,
    place: Whole | None = None,
) -> WeekProfile:
    """Fit the profile of the week.

    The expected count of an hour is the day's travellers times the hour's share times the part of it that was
    watched: a Poisson model with one effect for each day and each hour of the week, and counts missing where nobody
    watched. Its likelihood equations ask only that the totals of days and of hours be met, so that the totals are all
    it needs; they are met in turns (iterative proportional fitting: Deming & Stephan 1940, doi
    10.1214/aoms/1177731829; the model is that of Pannekoek & van Strien 2001, TRIM 3 Manual, Statistics Netherlands).
    Unlike means of counts by hour, it is not biased where the busy days, or checkpoints, were watched in other hours.

    The shapes are fitted for the week as a whole, for each type of day and for each weekday, and each is drawn
    towards the one above it by its credibility m t / (m t + dispersion), where m are the travellers expected by the
    shape above and t the variance of the group's true ratios to it, by moments (Buehlmann & Straub 1970; for counts
    Marshall 1991, doi 10.2307/2347593). Hours with few travellers take the shape above, those with many keep their
    own.

    Parameters
    ----------
    day_totals
        Travellers counted on each day (at one place), shape (n,).
    weekday
        0 Monday to 6 Sunday, (n,).
    watched
        Part of each hour that was watched, 0 to 1, (n, 24).
    hour_totals
        Travellers counted by weekday and hour over these days, (7, 24).
    dispersion
        Variance of a count divided by its mean, where it is known from the counts of single hours. Otherwise it is
        told by what the totals leave: the lesser of how the hours of one type's weekdays scatter and of how days of
        one place and weekday, watched around the clock, do; each of these holds real differences too.
    place
        Number of the place of each day, for that.
    """
    state, week = _whole_week(day_totals, watched, hour_totals)
    if week is None:
        return WeekProfile(np.full((DAYS, HOURS), np.nan), np.zeros(DAYS), 1.0, state, 0)
    kind = DAY_TYPE[weekday]
    kind_totals = np.array([hour_totals[one == DAY_TYPE].sum(axis=0) for one in range(DAY_TYPES)])
    above = np.repeat(week.share, DAY_TYPES, axis=0)
    by_kind = _fit_shares(day_totals, kind, watched, kind_totals, above)
    own = _fit_shares(day_totals, weekday, watched, hour_totals, by_kind.share[DAY_TYPE])
    if dispersion is None:
        dispersion = _dispersion_of_totals(day_totals, weekday, watched, place, own, by_kind, hour_totals)
    of_kind, kind_credibility = _drawn(
        by_kind, above, kind_totals, dispersion, parent=np.zeros(DAY_TYPES, dtype=np.int64)
    )
    share, credibility = _drawn(own, of_kind[DAY_TYPE], hour_totals, dispersion, parent=DAY_TYPE)
    lent = kind_credibility * kind_totals.sum(axis=1) + (1 - kind_credibility) * hour_totals.sum()
    travellers = credibility * hour_totals.sum(axis=1) + (1 - credibility) * lent[DAY_TYPE]
    iterations = max(week.iterations, by_kind.iterations, own.iterations)
    return WeekProfile(share, travellers, float(dispersion), SETTLED, iterations)


def weekdays(day: pd.Series[Any]) -> Whole:
    """Return 0 for Monday to 6 for Sunday, (n,)."""
    return np.asarray(pd.to_datetime(day).dt.day_of_week, dtype=np.int64)


def observed_share(profile: WeekProfile, weekday: Whole, watched: Floats) -> Floats:
    """Return the share of a day's travellers that the profile expects in the hours watched, (n,)."""
    return np.asarray(np.einsum("nh,nh->n", watched, profile.share[weekday]))


def dispersion_of_hours(counts: Floats, watched: Floats, weekday: Whole, profile: WeekProfile) -> float:
    """Return the variance of the counts of single hours divided by their mean, by Pearson's statistic.

    Each day has its own level, so that it tells how the hours of one day stray from the profile; it is what the
    expansion of a day is uncertain by (McCullagh & Nelder 1989, Generalized Linear Models, sec. 9.2.4). 1 at least.
    """
    part = observed_share(profile, weekday, watched)
    level = np.divide(counts.sum(axis=1), part, out=np.zeros(len(counts)), where=part > 0)
    expected = level[:, None] * profile.share[weekday] * watched
    used = expected > 0
    shapes = sum(int((used[weekday == one].any(axis=0)).sum()) - 1 for one in np.unique(weekday))
    free = int(used.sum()) - int(used.any(axis=1).sum()) - shapes
    misfit = np.divide((counts - expected) ** 2, expected, out=np.zeros_like(expected), where=used).sum()
    return max(1.0, float(misfit) / free) if free > 0 else 1.0


def _whole_week(day_totals: Floats, watched: Floats, hour_totals: Floats) -> tuple[str, _Fitted | None]:
    """Fit one shape to all days, or say why there is none."""
    counted = day_totals > 0
    if not counted.any() or not hour_totals.sum() > 0:
        return NO_TRAVELLERS, None
    is_watched = csr_array((watched[counted] > 0).astype(np.int64))
    together: Any = is_watched.T @ is_watched
    if not (together.diagonal() > 0).all():
        return NEVER_WATCHED, None
    if connected_components(together, directed=False)[0] > 1:
        return UNCONNECTED, None
    even = np.full((1, HOURS), 1 / HOURS)
    none = np.zeros(len(day_totals), dtype=np.int64)
    return SETTLED, _fit_shares(day_totals, none, watched, hour_totals.sum(axis=0, keepdims=True), even)


def _fit_shares(day_totals: Floats, group: Whole, watched: Floats, hour_totals: Floats, start: Floats) -> _Fitted:
    """Meet the totals of days and of hours in turns; hours nobody watched in a group keep the share they start with."""
    members = [np.flatnonzero((group == one) & (day_totals > 0)) for one in range(len(hour_totals))]
    share, exposure, iterations = start.copy(), np.zeros_like(start), 0
    for one, days in enumerate(members):
        seen, totals = watched[days], day_totals[days]
        base, current = hour_totals[one], start[one].copy()
        for done in range(1, ITERATIONS_MAX + 1):
            part = seen @ current
            level = np.divide(totals, part, out=np.zeros(len(days)), where=part > 0)
            offered = level @ seen
            known = offered > 0
            following = np.divide(base, offered, out=start[one].copy(), where=known)
            kept = start[one][~known].sum()
            if not following[known].sum() > 0:
                break
            following[known] *= (1 - kept) / following[known].sum()
            change = np.abs(following - current).max()
            current, iterations = following, max(iterations, done)
            if change <= SHARE_TOLERANCE:
                break
        part = seen @ current
        exposure[one] = np.divide(totals, part, out=np.zeros(len(days)), where=part > 0) @ seen
        share[one] = current
    return _Fitted(share, exposure, iterations)


def _misfit(fitted: _Fitted, above: Floats, hour_totals: Floats) -> tuple[Floats, Floats]:
    """Return the travellers expected by the shape above, and the squared distance of those counted."""
    expected = fitted.exposure * above
    scale = hour_totals.sum(axis=1, keepdims=True)
    total = expected.sum(axis=1, keepdims=True)
    expected = expected * np.divide(scale, total, out=np.zeros_like(total), where=total > 0)
    return expected, np.where(expected > 0, (hour_totals - expected) ** 2, 0.0)


def _drawn(
    fitted: _Fitted, above: Floats, hour_totals: Floats, dispersion: float, *, parent: Whole
) -> tuple[Floats, Floats]:
    """Draw shapes towards those above; return them with the credibility of each group's own, 0 to 1.

    Each group has a variance of its own: one weekday may be like the others of its type and the next one not. The
    shape above was made with the group's own count, which takes its part off the distance between them.
    """
    expected, squared = _misfit(fitted, above, hour_totals)
    total = expected.sum(axis=1)
    others = 1 - np.divide(total, np.bincount(parent, weights=total)[parent], out=np.ones_like(total), where=total > 0)
    used = (expected > 0).sum(axis=1)
    scaled = others * (used - 1) / np.maximum(used, 1)
    told = scaled > 0
    spread = np.divide(squared.sum(axis=1), scaled, out=np.zeros_like(total), where=told) - dispersion * total
    variance = np.divide(np.maximum(spread, 0), np.sum(expected**2, axis=1), out=np.zeros_like(total), where=told)
    own = variance[:, None] * expected
    credibility = own / (own + dispersion)
    share = above + credibility * (fitted.share - above)
    share /= share.sum(axis=1, keepdims=True)
    weighted = np.divide((credibility * expected).sum(axis=1), total, out=np.zeros_like(total), where=total > 0)
    return share, weighted


def _dispersion_of_totals(
    day_totals: Floats,
    weekday: Whole,
    watched: Floats,
    place: Whole | None,
    own: _Fitted,
    by_kind: _Fitted,
    hour_totals: Floats,
) -> float:
    """Return the lesser of two upper bounds: how weekdays of one type, and days of one place and weekday, differ.

    How a weekday truly differs from its type goes slowly over the hours, chance does not: second differences over the
    hours tell the chance (Gasser, Sroka & Jennen-Steinmetz 1986, doi 10.1093/biomet/73.3.625). The median weekday
    counts. 1 at least.
    """
    expected, _ = _misfit(own, by_kind.share[DAY_TYPE], hour_totals)
    days_of_kind = np.bincount(DAY_TYPE[expected.any(axis=1)], minlength=DAY_TYPES)[DAY_TYPE]
    told = expected.all(axis=1) & (days_of_kind > 1)
    residual = (hour_totals[told] - expected[told]) / np.sqrt(expected[told])
    residual *= np.sqrt(days_of_kind[told] / (days_of_kind[told] - 1))[:, None]
    found = [float(np.median((np.diff(residual, n=2, axis=1) ** 2).mean(axis=1)) / 6)] if told.any() else []
    if place is not None and (whole := (watched >= 1).all(axis=1)).any():
        _, cell, size = np.unique(place[whole] * DAYS + weekday[whole], return_inverse=True, return_counts=True)
        mean = np.bincount(cell, weights=day_totals[whole]) / size
        free = int((size[mean > 0] - 1).sum())
        squares = (day_totals[whole] - mean[cell]) ** 2
        misfit = np.divide(squares, mean[cell], out=np.zeros_like(squares), where=mean[cell] > 0).sum()
        found += [float(misfit) / free] if free > 0 else []
    return max(1.0, min(found, default=1.0))

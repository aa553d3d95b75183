"""Make one figure of moves that both of their ends told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy import stats

from dtm._reporting_factors import FactorFit, fit_factors
from dtm.errors import WrongUseError

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ARRIVALS, DEPARTURES = "arrivals", "departures"
MAX_AREAS = 3_000
"""Most areas of one reconciliation: the covariance of their factors takes 288 MB at that size."""
MIN_DEGREES_OF_FREEDOM = 5
"""Fewest for an interval: below, the pairs are too few to tell how far two reports of one move differ."""
CONFIDENCE = 0.95
AGREEMENT_SHARE = 0.1
"""Two reports agree if they differ by no more than this share of the larger one."""


@dataclass(frozen=True)
class Reconciliation:
    """Reconciled moves, and what they rest on.

    Attributes
    ----------
    pairs
        The pairs in their order: `origin`, `destination`, `arrivals`, `departures` (persons, NaN where not told),
        `mirror_ratio` (arrivals / departures, NaN where either is missing or 0), `value` (persons, NaN where neither
        end told, or one told 0 and the other nothing), `low`, `high` (95 % interval, NaN where there is none) and
        `told_by` (both, arrivals, departures or neither).
    reporters
        A row an area and source: `area`, `source`, `told_persons` (over the pairs both ends told), `mirror_persons`
        (the same moves told by the other ends), `mirror_ratio` (told / mirror), `factor` (what a report is
        multiplied by), `factor_low`, `factor_high` (95 %), `is_compared` (False: the factor is only assumed).
    dispersion
        Variance of the reports against that of a count (Pearson's X2 / degrees of freedom), at least 1.
    degrees_of_freedom
        Of that variance; intervals need `MIN_DEGREES_OF_FREEDOM`.
    totals
        Persons before and after, over the pairs both ends told: `arrivals`, `departures`, `reconciled`; over all:
        `reconciled_all`; and `pairs_compared`, `pairs_equal`, `pairs_agreeing` (within 10 % of the larger), of those
        with a move.
    """

    pairs: pd.DataFrame
    reporters: pd.DataFrame
    dispersion: float
    degrees_of_freedom: int
    totals: dict[str, float]

    @property
    def agreement_pct(self) -> float:
        """Return the share of compared pairs whose reports agree; NaN where no pair was told by both ends."""
        compared = self.totals["pairs_compared"]
        return 100 * self.totals["pairs_agreeing"] / compared if compared else float("nan")


def reconcile_flows(
    pairs: pd.DataFrame,
    *,
    level: Literal["typical", "arrivals", "departures"] = "typical",
    complete: Collection[tuple[str, object]] = (),
) -> Reconciliation:
    """Estimate moves that the destination and the origin both told, with a correction factor for each reporter.

    Each report is the move less a part that its reporter misses: arrivals at j are Poisson with mean m_ij / a_j,
    departures from i with mean m_ij / d_i, where the factors a and d belong to the reporter and not to the pair
    (Poulain 1993, correction factors of two-sided statistics; the model of Raymer, Wiśniowski, Forster, Smith & Bijak
    2013, JASA 108(503), doi 10.1080/01621459.2013.789435, without covariates; van der Erf & van der Gaag 2007 choose
    reports by rank instead). The factors come from the mirror ratios alone (`fit_factors`). The estimate is the mean
    of both corrected reports weighted by the inverse of their variances, which is

        m_ij = (A_ij + D_ij) / (1 / a_j + 1 / d_i).

    A pair told by one end is its report times that reporter's factor, with a wider interval. 0 and 0 is 0; 0 by one
    end and nothing by the other has no value, because no factor corrects a 0: that nobody moved is for both to say.

    *What the data can't tell* is a multiple common to all factors: moves that both ends miss leave no trace. The level
    is set by `level` or `complete`, and the interval doesn't hold its error. Reports must be independent given the
    move; where one office copies the other's figure, agreement says nothing.

    *Interval*: normal on the logarithm, with variance dispersion / (A + D) for the reports plus that of the factors,
    and quantiles of Student's t. The dispersion is never below 1 (an error both ends share can't be seen). For 0 and
    0 the upper end is the Poisson limit (Garwood 1936, doi 10.1093/biomet/28.3-4.437) times dispersion and factors.

    Parameters
    ----------
    pairs
        Columns `origin`, `destination`, `arrivals` (told by the destination), `departures` (told by the origin);
        persons, at least 0, missing where that end told nothing. The diagonal may be there. Other columns are kept
        out.
    level
        ``typical``: the median log factor of all reporters, weighted by the moves in their pairs, is 0: half is
        corrected up and half down, and one bad reporter doesn't move the rest. ``arrivals`` or ``departures``: the
        median of that source is 0.
    complete
        Reporters, as (source, area), known to tell everything; their mean log factor is 0 instead.

    Raises
    ------
    WrongUseError
        A column is missing, a pair stands twice, a count is negative or not finite, an area has no name, a complete
        reporter is unknown, or there are more than `MAX_AREAS` areas.
    """
    table = _checked(pairs)
    areas = pd.Index(pd.unique(pd.concat([table["origin"], table["destination"]])))
    if len(areas) > MAX_AREAS:
        raise WrongUseError(f"{len(areas)} areas are too many to reconcile at once (at most {MAX_AREAS}); split them.")
    origin, destination = areas.get_indexer(table["origin"]), areas.get_indexer(table["destination"])
    came, went = table["arrivals"].to_numpy(float), table["departures"].to_numpy(float)
    is_both = ~np.isnan(came) & ~np.isnan(went)
    fit = fit_factors(
        origin[is_both],
        destination[is_both],
        came[is_both],
        went[is_both],
        n_areas=len(areas),
        reference=_references(areas, level, complete),
        is_mean=bool(complete),
    )
    value, low, high = _estimates(fit, destination, len(areas) + origin, came, went)
    told_by = np.select([is_both, ~np.isnan(came), ~np.isnan(went)], ["both", ARRIVALS, DEPARTURES], "neither")
    table = table.assign(mirror_ratio=_ratio(came, went), value=value, low=low, high=high, told_by=told_by)
    return Reconciliation(
        pairs=table,
        reporters=_reporters(fit, areas, table[is_both], origin[is_both], destination[is_both]),
        dispersion=fit.dispersion,
        degrees_of_freedom=fit.degrees_of_freedom,
        totals=_totals(table, is_both),
    )


def _checked(pairs: pd.DataFrame) -> pd.DataFrame:
    names = ["origin", "destination", ARRIVALS, DEPARTURES]
    missing = [name for name in names if name not in pairs.columns]
    if missing:
        raise WrongUseError(f"A table to reconcile needs the columns {', '.join(names)}; {missing[0]} is not there.")
    table = pairs[names].reset_index(drop=True)
    table = table.astype({ARRIVALS: "float64", DEPARTURES: "float64"})
    unnamed = (table["origin"].isna() | table["destination"].isna()).to_numpy()
    if unnamed.any():
        raise WrongUseError(f"Row {int(unnamed.argmax()) + 1} names no area; every pair needs both ends.")
    twice = table.duplicated(["origin", "destination"])
    if twice.any():
        row = table[twice].iloc[0]
        raise WrongUseError(f"The pair {row['origin']} - {row['destination']} stands more than once; add its rows up.")
    for name in (ARRIVALS, DEPARTURES):
        wrong = (table[name] < 0) | np.isinf(table[name])
        if wrong.any():
            row = table[wrong].iloc[0]
            raise WrongUseError(
                f"{row['origin']} - {row['destination']}: {name} are {row[name]:g}; a count is 0 or more, or missing."
            )
    return table


def _references(areas: pd.Index, level: str, complete: Collection[tuple[str, object]]) -> NDArray[np.bool_]:
    """Return which of the 2 x n reporters set the level."""
    n = len(areas)
    number = {area: position for position, area in enumerate(areas)}
    chosen = np.zeros(2 * n, dtype=bool)
    if not complete:
        if level not in ("typical", ARRIVALS, DEPARTURES):
            raise WrongUseError(f"There is no level '{level}'; choose typical, arrivals or departures.")
        chosen[:n] = level != DEPARTURES
        chosen[n:] = level != ARRIVALS
        return chosen
    for source, area in complete:
        if source not in (ARRIVALS, DEPARTURES) or area not in number:
            raise WrongUseError(f"No reporter ({source}, {area}) is in the table; a source is arrivals or departures.")
        chosen[number[area] + (n if source == DEPARTURES else 0)] = True
    return chosen


def _estimates(
    fit: FactorFit, a: NDArray[np.int64], d: NDArray[np.int64], came: Floats, went: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the estimate of each pair and its interval."""
    reported = np.nan_to_num(came) + np.nan_to_num(went)
    weight_a = np.where(np.isnan(came), 0.0, np.exp(-fit.log_factor[a]))
    weight_d = np.where(np.isnan(went), 0.0, np.exp(-fit.log_factor[d]))
    weight = weight_a + weight_d
    is_told = (weight_a > 0) & (weight_d > 0) | (reported > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(is_told, reported / weight, np.nan)
        part = weight_a / weight  # derivative of log m by the arrivals' log factor
        variance_of_factors = (
            part**2 * fit.covariance[a, a]
            + (1 - part) ** 2 * fit.covariance[d, d]
            + 2 * part * (1 - part) * fit.covariance[a, d]
        )
        spread = np.sqrt(np.where(reported > 0, fit.dispersion / reported, 0.0) + variance_of_factors)
    if fit.degrees_of_freedom < MIN_DEGREES_OF_FREEDOM:
        nothing = np.full(len(value), np.nan)
        return value, nothing, nothing.copy()
    factor = np.exp(stats.t.ppf((1 + CONFIDENCE) / 2, fit.degrees_of_freedom) * spread)
    with np.errstate(divide="ignore", invalid="ignore"):
        limit_of_none = -np.log((1 - CONFIDENCE) / 2) * fit.dispersion / weight * factor
        high = np.where(value == 0, limit_of_none, value * factor)
    return value, value / factor, high


def _reporters(
    fit: FactorFit, areas: pd.Index, both: pd.DataFrame, origin: NDArray[np.int64], destination: NDArray[np.int64]
) -> pd.DataFrame:
    n = len(areas)
    came, went = both[ARRIVALS].to_numpy(float), both[DEPARTURES].to_numpy(float)
    told = np.concatenate([np.bincount(destination, came, n), np.bincount(origin, went, n)])
    mirror = np.concatenate([np.bincount(destination, went, n), np.bincount(origin, came, n)])
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, max(fit.degrees_of_freedom, 1))
    reach = quantile * np.sqrt(np.maximum(np.diag(fit.covariance), 0))
    if fit.degrees_of_freedom < MIN_DEGREES_OF_FREEDOM:
        reach = np.full(2 * n, np.nan)
    return pd.DataFrame(
        {
            "area": np.concatenate([areas.to_numpy(), areas.to_numpy()]),
            "source": np.repeat([ARRIVALS, DEPARTURES], n),
            "told_persons": told,
            "mirror_persons": mirror,
            "mirror_ratio": _ratio(told, mirror),
            "factor": np.exp(fit.log_factor),
            "factor_low": np.exp(fit.log_factor - reach),
            "factor_high": np.exp(fit.log_factor + reach),
            "is_compared": fit.is_compared,
        }
    )


def _ratio(told: Floats, mirror: Floats) -> Floats:
    """Return told / mirror; NaN where either is missing or 0: the ratio of nothing to something tells no factor."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = np.where((told > 0) & (mirror > 0), told / mirror, np.nan)
    return ratio


def _totals(table: pd.DataFrame, is_both: NDArray[np.bool_]) -> dict[str, float]:
    both = table[is_both]
    larger, apart = both[[ARRIVALS, DEPARTURES]].max(axis=1), (both[ARRIVALS] - both[DEPARTURES]).abs()
    moved = larger > 0
    return {
        ARRIVALS: float(both[ARRIVALS].sum()),
        DEPARTURES: float(both[DEPARTURES].sum()),
        "reconciled": float(both["value"].sum()),
        "reconciled_all": float(table["value"].sum()),
        "pairs_compared": float(moved.sum()),
        "pairs_equal": float((moved & (apart == 0)).sum()),
        "pairs_agreeing": float((moved & (apart <= AGREEMENT_SHARE * larger)).sum()),
    }

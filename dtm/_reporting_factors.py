"""Fit how completely each end of a move reports it, from pairs of areas that both ends told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg, sparse, special
from scipy.sparse import csgraph

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]

FACTOR_SD_LOG = 1.0
"""Prior standard deviation of a log factor: 19 in 20 factors are believed to lie between 1/7 and 7."""
MAX_NEWTON_STEPS = 100
TOLERANCE_LOG = 1e-12
"""Change of a log factor at which the fit has converged."""


@dataclass(frozen=True)
class FactorFit:
    """Log correction factors of all reporters; arrivals at each area first, then departures from each.

    Attributes
    ----------
    log_factor, covariance
        Of the 2 x n reporters; a report times exp(log_factor) is corrected.
    is_compared
        Whether the reporter shares a move with another one: only then do the data say anything of its factor.
    dispersion
        Pearson's X2 / degrees of freedom of the mirror ratios; at least 1.
    degrees_of_freedom
        Compared pairs less the parameters they determine.
    """

    log_factor: Floats
    covariance: Floats
    is_compared: NDArray[np.bool_]
    dispersion: float
    degrees_of_freedom: int


def fit_factors(
    origin: Indices,
    destination: Indices,
    arrivals: Floats,
    departures: Floats,
    *,
    n_areas: int,
    reference: NDArray[np.bool_],
    is_mean: bool,
    factor_sd_log: float = FACTOR_SD_LOG,
) -> FactorFit:
    """Fit the factors by maximum likelihood given each pair's sum of both reports.

    With independent Poisson reports of means m exp(-a_j) and m exp(-d_i), the arrivals are binomial given the sum of
    both, with logit d_i - a_j: the unknown move m drops out, and a zero on one side needs no correction. This is the
    model of paired comparisons of Bradley & Terry 1952 (doi 10.2307/2334029), solved by iteratively reweighted least
    squares (McCullagh & Nelder 1989, Generalized Linear Models, ch. 4). The normal prior on the log factors keeps
    them finite where one side told nothing at all.

    The ratios tell factors up to one common multiple a connected group of reporters; `reference` picks the reporters
    that fix it: the mean (`is_mean`) of their log factors, or else the median weighted by the persons that both ends
    told of their pairs, is 0 in each group. A group without a reference is centred on all of its reporters.

    Parameters
    ----------
    origin, destination
        Numbers of the areas of each pair, 0 to n_areas - 1.
    arrivals, departures
        Persons told by the destination and by the origin; every one known and at least 0.
    """
    n_reporters = 2 * n_areas
    told = arrivals + departures
    linked = told > 0
    a, d = destination[linked], n_areas + origin[linked]
    came, both = arrivals[linked], told[linked]
    groups = _groups(a, d, n_reporters)
    theta = np.zeros(n_reporters)
    for one in groups:
        pairs = one.pairs
        theta[one.members] = _maximise(one.a, one.d, came[pairs], both[pairs], len(one.members), factor_sd_log)
    share = special.expit(theta[d] - theta[a])
    weight = both * share * (1 - share)
    degrees = len(a) - sum(len(one.members) - 1 for one in groups)
    pearson = float(((came - both * share) ** 2 / np.maximum(weight, np.finfo(float).tiny)).sum())
    dispersion = max(1.0, pearson / degrees) if degrees > 0 else 1.0
    is_compared = np.zeros(n_reporters, dtype=bool)
    covariance = np.diag(np.full(n_reporters, factor_sd_log**2))
    for one in groups:
        is_compared[one.members] = True
        precision = _laplacian(one.a, one.d, weight[one.pairs] / dispersion, len(one.members))
        precision[np.diag_indices(len(one.members))] += 1 / factor_sd_log**2
        persons = np.bincount(one.a, both[one.pairs], len(one.members))
        persons += np.bincount(one.d, both[one.pairs], len(one.members))
        chosen = reference[one.members] if reference[one.members].any() else np.ones(len(one.members), dtype=bool)
        weights = np.where(chosen, 1.0 if is_mean else persons, 0.0)
        inverse = np.asarray(np.linalg.inv(precision), dtype=np.float64)
        theta[one.members], block = _at_level(theta[one.members], inverse, weights / weights.sum(), is_mean=is_mean)
        covariance[np.ix_(one.members, one.members)] = block
    return FactorFit(theta, covariance, is_compared, dispersion, degrees)


@dataclass(frozen=True)
class _Group:
    """Reporters that common pairs connect, and those pairs with the reporters' numbers inside the group."""

    members: Indices
    pairs: Indices
    a: Indices
    d: Indices


def _groups(a: Indices, d: Indices, n_reporters: int) -> list[_Group]:
    graph = sparse.coo_array((np.ones(len(a)), (a, d)), shape=(n_reporters, n_reporters))
    _, label = csgraph.connected_components(graph, directed=False)
    order = np.argsort(label[a], kind="stable")
    found = []
    for pairs in np.split(order, np.flatnonzero(np.diff(label[a][order])) + 1) if len(a) else []:
        members, local = np.unique(np.concatenate([a[pairs], d[pairs]]), return_inverse=True)
        found.append(_Group(members, pairs, local[: len(pairs)], local[len(pairs) :]))
    return found


def _maximise(a: Indices, d: Indices, came: Floats, both: Floats, n_reporters: int, factor_sd_log: float) -> Floats:
    """Return the log factors that maximise the penalised likelihood, by Newton's steps halved where they overshoot."""
    theta = np.zeros(n_reporters)
    best = _log_likelihood(theta, a, d, came, both, factor_sd_log)
    for _ in range(MAX_NEWTON_STEPS):
        share = special.expit(theta[d] - theta[a])
        rest = came - both * share
        slope = np.bincount(d, rest, n_reporters) - np.bincount(a, rest, n_reporters) - theta / factor_sd_log**2
        curvature = _laplacian(a, d, both * share * (1 - share), n_reporters)
        curvature[np.diag_indices(n_reporters)] += 1 / factor_sd_log**2
        step = linalg.solve(curvature, slope, assume_a="pos", overwrite_a=True, check_finite=False)
        while True:
            tried = _log_likelihood(theta + step, a, d, came, both, factor_sd_log)
            if tried >= best - 1e-9 * abs(best) or np.abs(step).max(initial=0) < TOLERANCE_LOG:
                break
            step /= 2
        theta, best = theta + step, tried
        if np.abs(step).max(initial=0) < TOLERANCE_LOG:
            break
    return theta


def _log_likelihood(theta: Floats, a: Indices, d: Indices, came: Floats, both: Floats, factor_sd_log: float) -> float:
    logit = theta[d] - theta[a]
    penalty = (theta**2).sum() / (2 * factor_sd_log**2)
    return float((came * logit - both * np.logaddexp(0, logit)).sum() - penalty)


def _laplacian(a: Indices, d: Indices, weight: Floats, size: int) -> Floats:
    """Return the weighted Laplacian of the graph of reporters, dense."""
    matrix = np.zeros((size, size))
    np.add.at(matrix, (a, a), weight)
    np.add.at(matrix, (d, d), weight)
    np.add.at(matrix, (a, d), -weight)
    np.add.at(matrix, (d, a), -weight)
    return matrix


def _at_level(theta: Floats, covariance: Floats, weights: Floats, *, is_mean: bool) -> tuple[Floats, Floats]:
    """Return a group's log factors and covariance at its level; what the level is made of has no error of its own."""
    chosen = weights > 0
    level = weights @ theta if is_mean else _weighted_median(theta[chosen], weights[chosen])
    # (I - 1 w') V (I - w 1')
    rows = covariance - weights @ covariance
    return theta - level, rows - (rows @ weights)[:, None]


def _weighted_median(values: Floats, weights: Floats) -> float:
    """Return the value with half of the weight below it; the middle of two where the half falls between them."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    half = below[-1] / 2
    lower = np.searchsorted(below, half * (1 - 1e-12))
    upper = np.searchsorted(below, half * (1 + 1e-12), side="right")
    return float((values[order[lower]] + values[order[min(upper, len(values) - 1)]]) / 2)

"""Estimate totals, means, shares and ratios from a stratified sample of clusters, with the error of each.

The variance is that of Taylor's linearisation over ultimate clusters: whatever was drawn inside a cluster, the spread
of the clusters' weighted totals inside their stratum carries it (Wolter 2007, ch. 2 and 6). Many domains and items are
computed at once, as columns.

References
----------
Kish 1965, Survey Sampling, Wiley. Cochran 1977, Sampling Techniques, 3rd ed., Wiley. Wolter 2007, Introduction to
Variance Estimation, 2nd ed., Springer. Lohr 2010, Sampling: Design and Analysis, 2nd ed., Brooks/Cole.
Deville & Sarndal 1992, Calibration estimators in survey sampling, JASA 87(418), 376-382.
Korn & Graubard 1999, Analysis of Health Surveys, Wiley.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse, stats

from dtm._survey_columns import Floats, Ints, as_columns, column_sums, domain_columns, scaled, sums_by
from dtm.errors import WrongUseError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Design",
    "Estimates",
    "confidence_ends",
    "domain_columns",
    "estimate_means",
    "estimate_proportions",
    "estimate_ratios",
    "estimate_totals",
    "make_design",
]

CONFIDENCE = 0.95
LEAST_RELATIVE_ERROR = 1e-9
"""A standard error of a ratio below this share of it is rounding."""
LONELY = 1
"""A stratum with so many clusters tells no variance of its own."""


@dataclass(frozen=True)
class Design:
    """How the records of a sample were drawn; made by `make_design`.

    Attributes
    ----------
    weight
        Units of the population that each record stands for.
    cluster
        Number of each record's cluster.
    stratum
        Number of each cluster's stratum.
    sampled_share
        Share of each stratum's clusters that is in the sample; 0 where the finite population is not corrected for.
    group
        Number of each record's calibration group, whose weights were made to sum to a known total; None without.
    """

    weight: Floats
    cluster: Ints
    stratum: Ints
    sampled_share: Floats
    group: Ints | None = None

    @property
    def n_clusters(self) -> int:
        """Return the number of clusters."""
        return len(self.stratum)

    @property
    def n_strata(self) -> int:
        """Return the number of strata."""
        return len(self.sampled_share)

    @property
    def clusters_of_stratum(self) -> Ints:
        """Return the number of clusters of each stratum."""
        return np.bincount(self.stratum, minlength=self.n_strata).astype(np.int64)


@dataclass(frozen=True)
class Estimates:
    """Estimates with their errors, one entry a column; NaN where there is none.

    Attributes
    ----------
    value
        Estimate.
    standard_error
        Of the value, in its unit; NaN where the sample shows no spread to tell it from: with no degree of freedom,
        where all of the base gave the same answer, or where the clusters happen to be all alike.
    low, high
        Ends of the 95 % interval.
    design_effect
        Variance over that of a simple random sample of as many records, drawn with replacement (Kish 1965, sec. 8.2).
    degrees_of_freedom
        Clusters less strata, of those that the base is in (Korn & Graubard 1999, ch. 5).
    records, clusters
        Records and clusters of the base.
    """

    value: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    design_effect: Floats
    degrees_of_freedom: Ints
    records: Ints
    clusters: Ints

    def to_frame(self) -> pd.DataFrame:
        """Return one row an estimate."""
        return pd.DataFrame({name: getattr(self, name) for name in self.__dataclass_fields__})


def make_design(
    weight: Any,
    *,
    stratum: Any = None,
    cluster: Any = None,
    clusters_in_stratum: Mapping[Any, int] | None = None,
    calibrated_within: Any = None,
) -> Design:
    """Check and number a sample design.

    Parameters
    ----------
    weight
        Weight of each record: the inverse of its chance to be in the sample, adjusted for those who did not answer.
    stratum
        Stratum of each record; one for all by default.
    cluster
        Cluster of each record, told apart within its stratum; each record is its own by default.
    clusters_in_stratum
        Clusters of the population in each stratum. With it, variances are corrected for the finite population
        (x 1 - n_h / N_h, Cochran 1977, ch. 2), which holds where all of a cluster was taken; left out otherwise.
    calibrated_within
        Group of each record, where the weights of a group were scaled to a known total of records. The spread
        between groups is then no error (the residual of Deville & Sarndal 1992; Cochran 1977, ch. 6).

    Raises
    ------
    WrongUseError
        Other numbers of records, a weight under 0 or missing, a stratum, cluster or group that is missing, or a
        population of fewer clusters than the sample.
    """
    weights = np.asarray(weight, dtype=np.float64).ravel()
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise WrongUseError("Every weight must be a number of 0 or more; leave records without a weight out.")
    n = len(weights)
    strata, stratum_names = _numbered(np.zeros(n, dtype=np.int64) if stratum is None else stratum, "stratum", n)
    inside, _ = _numbered(np.arange(n) if cluster is None else cluster, "cluster", n)
    pairs = pd.MultiIndex.from_arrays([strata, inside])
    numbers, found = pd.factorize(pairs, sort=True)
    stratum_of_cluster = np.asarray(found.get_level_values(0), dtype=np.int64)
    share = np.zeros(len(stratum_names))
    if clusters_in_stratum is not None:
        share = _sampled_shares(stratum_names, np.bincount(stratum_of_cluster), clusters_in_stratum)
    group = None if calibrated_within is None else _numbered(calibrated_within, "calibrated_within", n)[0]
    return Design(weights, np.asarray(numbers, dtype=np.int64), stratum_of_cluster, share, group)


def _numbered(codes: Any, name: str, n: int) -> tuple[Ints, list[Any]]:
    series = pd.Series(np.asarray(codes).ravel())
    if len(series) != n:
        raise WrongUseError(f"`{name}` has {len(series)} records and `weight` {n}; give one value a record.")
    if series.isna().any():
        raise WrongUseError(f"Record {int(np.argmax(series.isna())) + 1} has no {name}; every record needs one.")
    numbers, found = pd.factorize(series, sort=True)
    return numbers.astype(np.int64), list(found)


def _sampled_shares(names: list[Any], sampled: Ints, population: Mapping[Any, int]) -> Floats:
    shares = np.zeros(len(names))
    for number, name in enumerate(names):
        if population.get(name, 0) < sampled[number]:
            raise WrongUseError(
                f"Stratum {name} has {sampled[number]} clusters in the sample and {population.get(name, 0)} in the "
                "population; give `clusters_in_stratum` for every stratum."
            )
        shares[number] = sampled[number] / population[name]
    return shares


def estimate_totals(design: Design, values: Any) -> Estimates:
    """Estimate population totals: the weighted sum of each column.

    Parameters
    ----------
    values
        Records, or records by columns; 0 outside a domain (`domain_columns`).

    Notes
    -----
    v = sum_h (1 - f_h) n_h / (n_h - 1) sum_i (t_hi - mean_h)^2 with the weighted totals t_hi of the clusters i of
    stratum h (Cochran 1977, ch. 9A and 11; Wolter 2007, ch. 1).
    """
    columns = as_columns(values, name="values", records=len(design.weight))
    n, weight = len(design.weight), design.weight
    value, size = column_sums(columns, weight), float(weight.sum())
    variance = _variance(design, columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = column_sums(columns.multiply(columns).tocsr(), weight) / size - (value / size) ** 2
        simple = size**2 * spread * n / (n - 1) / n if n > 1 else np.full(len(value), np.nan)
    everything = sparse.csr_array(np.ones((n, 1)))
    n_clusters, freedom = _clusters_and_freedom(design, everything)
    many = np.ones(len(value), dtype=np.int64)
    return _with_interval(value, variance, simple, n_clusters * many, freedom * many, n * many, "linear")


def estimate_ratios(
    design: Design, numerator: Any, denominator: Any, *, interval: Literal["linear", "logit"] = "linear"
) -> Estimates:
    """Estimate ratios of totals, column by column: R = sum w y / sum w x.

    The score of a record is (y - R x) / sum w x (Cochran 1977, ch. 6; Wolter 2007, ch. 6). The base of
    a column is the records whose y or x is not 0.

    Parameters
    ----------
    numerator, denominator
        Records, or records by columns; 0 outside a domain (`domain_columns`).
    interval
        ``linear``: R -+ t s, Student's t with clusters less strata degrees of freedom. ``logit``, for shares: the
        interval of ln(p / (1 - p)) turned back, which stays inside 0 to 1 (Korn & Graubard 1999, ch. 5).

    Notes
    -----
    A ratio with a denominator of 0 is NaN.
    """
    y = as_columns(numerator, name="numerator", records=len(design.weight))
    x = as_columns(denominator, name="denominator", records=len(design.weight))
    if y.shape != x.shape:
        raise WrongUseError(f"{y.shape[1]} numerators and {x.shape[1]} denominators; give one for each.")
    base = ((y != 0) + (x != 0)).astype(np.float64).tocsr()
    records = column_sums(base).astype(np.int64)
    total_y, total_x, weight = (column_sums(columns, design.weight) for columns in (y, x, base))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(total_x > 0, total_y / total_x, np.nan)
        residual = y - scaled(x, np.nan_to_num(value))
        squares = column_sums(residual.multiply(residual).tocsr(), design.weight)
        simple = np.where(records > 1, weight * squares / (records - 1) / total_x**2, np.nan)
        score = scaled(residual, np.where(total_x > 0, 1 / total_x, 0.0))
    variance = np.where(np.isnan(value), np.nan, _variance(design, score))
    alike = squares <= (np.finfo(float).eps * len(design.weight)) * column_sums(y.multiply(y).tocsr(), design.weight)
    variance[alike | _is_nothing(design, variance, value)] = np.nan
    n_clusters, freedom = _clusters_and_freedom(design, base)
    return _with_interval(value, variance, simple, n_clusters, freedom, records, interval)


def estimate_means(design: Design, values: Any, *, domains: Any = None) -> Estimates:
    """Estimate the mean of each value in each domain; column ``d * k + j`` is value j in domain d.

    Parameters
    ----------
    values
        Records by k values.
    domains
        Records by domains, 0 and 1; everybody by default.
    """
    return _means(design, values, domains, "linear")


def estimate_proportions(design: Design, values: Any, *, domains: Any = None) -> Estimates:
    """Estimate the share of each answer (0 or 1) in each domain, 0 to 1, with logit intervals; see `estimate_means`.

    Raises
    ------
    WrongUseError
        A value other than 0 and 1.
    """
    columns = as_columns(values, name="values", records=len(design.weight))
    if not (columns.data == 1).all():
        raise WrongUseError("A share needs values of 0 and 1; for others use estimate_means.")
    return _means(design, columns, domains, "logit")


def _means(design: Design, values: Any, domains: Any, interval: Literal["linear", "logit"]) -> Estimates:
    n = len(design.weight)
    columns = as_columns(values, name="values", records=n)
    inside = as_columns(np.ones(n) if domains is None else domains, name="domains", records=n)
    everybody = np.ones((n, columns.shape[1]))
    return estimate_ratios(
        design, domain_columns(inside, columns), domain_columns(inside, everybody), interval=interval
    )


def _is_nothing(design: Design, variance: Floats, value: Floats) -> Any:
    """Return whether clusters that happen to be alike, and no census of them, leave no variance but rounding."""
    is_census = bool((design.sampled_share >= 1).all())
    return np.full(len(value), False) if is_census else variance <= (LEAST_RELATIVE_ERROR * value) ** 2


def _variance(design: Design, score: Any) -> Floats:
    """Return the variance of the weighted sum of each column of scores.

    A stratum with a single cluster has no spread of its own. It never counts as 0: its cluster is centred at the
    grand mean of all, over the columns it is in, and not at its own calibration group. Survey packages call this
    rule centred or adjusted; Wolter 2007, ch. 2, has the alternatives.
    """
    sums = sums_by(design.cluster, design.n_clusters, design.weight) @ score
    per_stratum = design.clusters_of_stratum
    lonely = per_stratum[design.stratum] == LONELY
    centred = _centred_in_groups(design, score, sums) if design.group is not None else sums
    of_stratum = sums_by(design.stratum, design.n_strata, np.where(lonely, 0.0, 1.0))
    means = sparse.diags_array(1.0 / np.maximum(per_stratum, 1)) @ (of_stratum @ centred)
    deviation = sparse.diags_array((~lonely).astype(np.float64)) @ centred - of_stratum.T @ means
    deviation = deviation + _lonely_deviation(design, score, sums, lonely)
    factor = (1 - design.sampled_share) * per_stratum / np.maximum(per_stratum - 1, 1)
    factor[per_stratum == LONELY] = 1 - design.sampled_share[per_stratum == LONELY]
    return column_sums(deviation.multiply(deviation).tocsr(), factor[design.stratum])


def _centred_in_groups(design: Design, score: Any, sums: Any) -> Any:
    """Return the clusters' totals of the scores less their weighted mean in the calibration group."""
    group = np.zeros(0, dtype=np.int64) if design.group is None else design.group
    n_groups = int(group.max(initial=-1)) + 1
    in_group = np.bincount(group, design.weight, n_groups)
    means = sparse.diags_array(1.0 / np.where(in_group > 0, in_group, 1.0)) @ (
        sums_by(group, n_groups, design.weight) @ score
    )
    shape = (design.n_clusters, n_groups)
    return sums - sparse.csr_array((design.weight, (design.cluster, group)), shape=shape) @ means


def _lonely_deviation(design: Design, score: Any, sums: Any, lonely: Any) -> Any:
    """Return the lonely clusters' totals less what the grand mean gives them, in the columns they are in."""
    own = (sparse.diags_array(lonely.astype(np.float64)) @ sums).tocoo()
    if design.group is None:
        expected = (column_sums(sums) / max(design.n_clusters, 1))[own.col]
    else:
        per_weight = column_sums(score, design.weight) / max(float(design.weight.sum()), np.finfo(float).tiny)
        size = np.bincount(design.cluster, design.weight, design.n_clusters)
        expected = per_weight[own.col] * size[own.row]
    return sparse.csr_array((own.data - expected, (own.row, own.col)), shape=sums.shape)


def _clusters_and_freedom(design: Design, base: Any) -> tuple[Ints, Ints]:
    """Return the clusters that each base is in, and those less their strata."""
    is_in = sums_by(design.cluster, design.n_clusters, np.ones(len(design.cluster))) @ base > 0
    clusters = column_sums(is_in).astype(np.int64)
    strata = sums_by(design.stratum, design.n_strata, np.ones(design.n_clusters)) @ is_in.astype(np.float64) > 0
    return clusters, clusters - column_sums(strata).astype(np.int64)


def _with_interval(
    value: Floats,
    variance: Floats,
    simple: Floats,
    clusters: Ints,
    freedom: Ints,
    records: Ints,
    interval: Literal["linear", "logit"],
) -> Estimates:
    error = np.where(freedom >= 1, np.sqrt(variance), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.where((simple > 0) & np.isfinite(error), variance / simple, np.nan)
    low, high = confidence_ends(value, error, freedom, is_logit=np.full(len(value), interval == "logit"))
    return Estimates(value, error, low, high, effect, freedom, records, clusters)


def confidence_ends(value: Floats, error: Floats, freedom: Ints, *, is_logit: Any) -> tuple[Floats, Floats]:
    """Return the ends of 95 % intervals, by Student's t; see `estimate_ratios` for the two kinds."""
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, np.maximum(freedom, 1))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        middle, half = np.log(value / (1 - value)), quantile * error / (value * (1 - value))
        ends = [
            np.where(is_logit, 1 / (1 + np.exp(-middle - sign * half)), value + sign * quantile * error)
            for sign in (-1, 1)
        ]
    return ends[0], ends[1]

"""Estimate what the units that did not report would have told, from those that did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse, stats

from dtm.errors import WrongUseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MIN_RESPONDENTS = 3
"""Fewest units with a figure that a stratum's ratio may rest on; with fewer, the next coarser stratum is taken."""
CONFIDENCE = 0.95
NO_STRATUM = -1


@dataclass(frozen=True)
class Ratios:
    """Ratios of a figure to the registered population, a row a stratum of every depth, finest first.

    Attributes
    ----------
    strata
        Names of the stratum columns, finest first.
    table
        `depth` (position in `strata`), `stratum`, `respondents` (units), `registered` (their persons), `ratio`,
        `residual_variance` (of the figure a registered person), `is_usable`.
    shared
        Covariance of each two ratios: those of nested strata rest on the same units.
    """

    strata: tuple[str, ...]
    table: pd.DataFrame
    shared: sparse.csr_array

    def choose(self, units: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the row of the finest usable stratum of each unit, `NO_STRATUM` without one, and where it is coarser.

        Parameters
        ----------
        units
            The columns `strata`; a stratum a unit has no value for is passed over.
        """
        chosen = np.full(len(units), NO_STRATUM, dtype=np.int64)
        was_passed_over = np.zeros(len(units), dtype=bool)
        for depth, name in enumerate(self.strata):
            rows = self.table[self.table["depth"] == depth]
            usable = rows[rows["is_usable"]]
            found = pd.Series(usable.index, index=usable["stratum"].to_numpy(), dtype="int64")
            at = units[name].map(found).fillna(NO_STRATUM).to_numpy(np.int64)
            is_open = chosen == NO_STRATUM
            chosen = np.where(is_open, at, chosen)
            was_passed_over |= is_open & (at == NO_STRATUM) & units[name].notna().to_numpy()
        return chosen, was_passed_over & (chosen != NO_STRATUM)

    def replaced(self, ratio: NDArray[np.float64]) -> Ratios:
        """Return these strata with ratios known from elsewhere, a ratio a row of the table, NaN where it is unknown.

        The residual variance changes as the ratio does: the figure's variance a person counted is taken to be the
        same. A ratio that was 0 has none to give.
        """
        was = self.table["ratio"].to_numpy(float)
        scale = np.where(was > 0, ratio / np.where(was > 0, was, 1.0), np.where(ratio == 0, 1.0, np.nan))
        table = self.table.assign(ratio=ratio, residual_variance=self.table["residual_variance"] * scale)
        table["is_usable"] &= ~np.isnan(scale)
        cells = self.shared.tocoo()
        finer = np.minimum(*cells.coords)
        values = np.nan_to_num(cells.data * scale[finer])
        return Ratios(self.strata, table, sparse.csr_array((values, cells.coords), shape=cells.shape))


@dataclass(frozen=True)
class Imputation:
    """Observed and estimated figures, kept apart.

    Attributes
    ----------
    units
        The units in their order, with `estimate` (persons; of those that did not report, NaN of the others and where
        no stratum has a ratio), `stratum_depth` (0 finest; NaN where nothing was estimated).
    ratios
        What the estimates rest on.
    """

    units: pd.DataFrame
    ratios: Ratios

    def totals(self, by: str) -> pd.DataFrame:
        """Return the figure of all units of each area.

        Returns
        -------
        pandas.DataFrame
            Indexed by the values of the column `by`: `observed`, `estimated`, `value` (their sum; NaN where a unit
            has no estimate), `standard_error`, `low`, `high` (95 % interval, never below what was observed),
            `imputed_share` (NaN where the value is 0), `registered_missing`.
        """
        units = self.units
        is_missing = units["value"].isna()
        observed = units.groupby(by, sort=True)["value"].sum()
        missing = units.loc[is_missing, [*self.ratios.strata, "registered"]].assign(domain=units.loc[is_missing, by])
        predicted = predict_missing(self.ratios, missing, observed.index)
        return with_interval(observed.rename("observed").to_frame(), predicted)


def impute_nonresponse(
    units: pd.DataFrame,
    *,
    strata: Sequence[str] = ("stratum",),
) -> Imputation:
    """Estimate the figure of units that did not report: registered population times the ratio of its stratum.

    The ratio R of a stratum is the sum of its respondents' figures over the sum of their registered population
    (Cochran 1977, Sampling Techniques, 3rd ed., ch. 6; Särndal, Swensson & Wretman 1992, Model Assisted Survey
    Sampling, ch. 7 and 15). It is the best linear unbiased predictor where the figure is proportional to the
    registered population with a variance proportional to it (Royall 1970, Biometrika 57(2), doi
    10.1093/biomet/57.2.377), which also gives its error. With respondents r, their registered population X and the
    missing units' x, of several strata k in an area:

        s2 = sum over r of (y - R x_i)^2 / x_i / (n - 1),    Var = sum_k s2_k x_k + sum_kl x_k x_l Cov(R_k, R_l),

    Cov(R_k, R_k) = s2_k / X_k, and s2_k / X_l for a stratum k inside l.

    *Assumption*: inside a stratum, units that report and units that don't have the same ratio on average (missing at
    random). If khesegs with many unregistered people report less, the estimate is too low and the interval doesn't
    show it.

    *Strata with fewer than* `MIN_RESPONDENTS` respondents take the ratio of the next coarser one; without any, the
    estimate is undefined (NaN).

    Parameters
    ----------
    units
        A row a unit: the columns `strata`, `registered` (persons, 0 or more, known for every unit) and `value`
        (NaN where the unit didn't report). A unit that reported in part is two rows. Other columns are kept.
    strata
        Stratum columns, finest first; each value lies in one value of the next column.

    Raises
    ------
    WrongUseError
        A column is missing, no stratum column was named, or a registered population is missing, negative or infinite.
    """
    ratios = fit_ratios(units, strata=strata)
    is_missing = units["value"].isna().to_numpy()
    chosen, _ = ratios.choose(units)
    registered = units["registered"].to_numpy(float)
    ratio = np.append(ratios.table["ratio"].to_numpy(float), np.nan)[chosen]
    depth = np.append(ratios.table["depth"].to_numpy(float), np.nan)[chosen]
    estimate = np.where(registered > 0, registered * ratio, 0.0)
    found = units.assign(
        estimate=np.where(is_missing, estimate, np.nan), stratum_depth=np.where(is_missing, depth, np.nan)
    )
    return Imputation(found, ratios)


def fit_ratios(units: pd.DataFrame, *, strata: Sequence[str]) -> Ratios:
    """Return the ratios of every stratum; see `impute_nonresponse`."""
    _check(units, strata)
    told = units[units["value"].notna()].astype({"value": "float64", "registered": "float64"})
    parts = []
    for depth, name in enumerate(strata):
        labels = pd.Index(units[name].dropna().unique()).sort_values()
        sums = told.groupby(name)[["value", "registered"]].sum().reindex(labels, fill_value=0.0)
        ratio = sums["value"] / sums["registered"].where(sums["registered"] > 0)
        counted = told[told["registered"] > 0]
        residual = counted["value"] - ratio.reindex(counted[name]).to_numpy(float) * counted["registered"]
        groups = (residual**2 / counted["registered"]).groupby(counted[name])
        respondents = groups.size().reindex(labels, fill_value=0)
        spread = groups.sum().reindex(labels) / (respondents - 1).where(respondents > 1)
        part = pd.DataFrame(
            {"respondents": respondents, "registered": sums["registered"], "ratio": ratio, "residual_variance": spread}
        )
        part["is_usable"] = ratio.notna() & (respondents >= MIN_RESPONDENTS)
        parts.append(part.rename_axis("stratum").reset_index().assign(depth=depth))
    table = pd.concat(parts, ignore_index=True)
    return Ratios(tuple(strata), table, _shared(table, units, strata))


def _check(units: pd.DataFrame, strata: Sequence[str]) -> None:
    if not strata:
        raise WrongUseError("An imputation needs at least one stratum column.")
    for name in ("registered", "value", *strata):
        if name not in units.columns:
            raise WrongUseError(f"The units have no column '{name}'; it needs registered, value and the strata.")
    registered = units["registered"].to_numpy(float)
    wrong = ~(np.isfinite(registered) & (registered >= 0))
    if wrong.any():
        row = int(wrong.argmax())
        raise WrongUseError(
            f"Row {row + 1}: the registered population is {registered[row]:g}; it must be known and 0 or more."
        )


def _shared(table: pd.DataFrame, units: pd.DataFrame, strata: Sequence[str]) -> sparse.csr_array:
    """Return the covariances of the ratios."""
    variance = table["residual_variance"].fillna(0.0).to_numpy()
    people = table["registered"].to_numpy(float)
    inverse = np.where(people > 0, 1 / np.where(people > 0, people, 1.0), 0.0)
    row_of = {key: row for row, key in enumerate(zip(table["depth"], table["stratum"], strict=True))}
    pairs = [(np.arange(len(table)), np.arange(len(table)))]
    for inner in range(len(strata)):
        for outer in range(inner + 1, len(strata)):
            nested = units[[strata[inner], strata[outer]]].dropna().drop_duplicates()
            k = np.array([row_of[inner, label] for label in nested[strata[inner]]], dtype=np.int64)
            m = np.array([row_of[outer, label] for label in nested[strata[outer]]], dtype=np.int64)
            pairs += [(k, m), (m, k)]
    rows, columns = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    finer, coarser = np.minimum(rows, columns), np.maximum(rows, columns)
    shape = (len(table), len(table))
    return sparse.csr_array((variance[finer] * inverse[coarser], (rows, columns)), shape=shape)


def predict_missing(ratios: Ratios, missing: pd.DataFrame, domains: pd.Index) -> pd.DataFrame:
    """Return what the missing units of each domain are expected to have, with the error of it.

    Parameters
    ----------
    missing
        A row a missing unit: `domain`, `registered` (persons) and the stratum columns.
    domains
        Domains to answer for, in this order.

    Returns
    -------
    pandas.DataFrame
        Indexed by domain: `estimated` (NaN where a unit has no usable stratum), `variance`, `degrees_of_freedom`
        (Satterthwaite 1946, doi 10.2307/3002019), `registered_missing`, `is_collapsed` (a coarser stratum was used).
    """
    units = missing[missing["registered"] > 0]
    chosen, is_coarser = ratios.choose(units)
    domain = domains.get_indexer(pd.Index(units["domain"]))
    registered = units["registered"].to_numpy(float)
    n, width = len(domains), len(ratios.table)
    lacking = np.bincount(domain[chosen == NO_STRATUM], minlength=n) > 0
    has = chosen != NO_STRATUM
    people = sparse.csr_array((registered[has], (domain[has], chosen[has])), shape=(n, width))
    spread = ratios.table["residual_variance"].fillna(0.0).to_numpy()
    own = people.power(2) * ratios.shared.diagonal() + people * spread
    freedom = np.maximum(ratios.table["respondents"].to_numpy(float) - 1, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = own.sum(axis=1) ** 2 / (own.power(2) @ (1 / freedom))
    usable = ratios.table["ratio"].where(ratios.table["is_usable"], 0.0).to_numpy(float)
    variance = ((people @ ratios.shared) * people).sum(axis=1) + people @ spread
    return pd.DataFrame(
        {
            "estimated": np.where(lacking, np.nan, people @ usable),
            "variance": np.where(lacking, np.nan, variance),
            "degrees_of_freedom": degrees,
            "registered_missing": np.bincount(domain, registered, n),
            "is_collapsed": np.bincount(domain, is_coarser, n) > 0,
        },
        index=domains,
    )


def with_interval(observed: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Return observed and predicted figures of each domain together; see `Imputation.totals`."""
    found = observed.join(predicted)
    found["value"] = found["observed"] + found["estimated"]
    found["standard_error"] = found["variance"] ** 0.5
    quantile = stats.t.ppf((1 + CONFIDENCE) / 2, found["degrees_of_freedom"].fillna(1.0))
    reach = np.where(found["standard_error"] > 0, quantile * found["standard_error"], found["standard_error"])
    found["low"] = (found["value"] - reach).clip(lower=found["observed"])
    found["high"] = found["value"] + reach
    found["imputed_share"] = found["estimated"] / found["value"].where(found["value"] > 0)
    return found

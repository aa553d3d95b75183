"""Hold what a fit gives: the table, how it was reached, and how well it fits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from dtm._fitting_dense import Floats

NOT_KNOWN = float("nan")


@dataclass(frozen=True)
class Fit:
    """A table fitted to margins, with what is needed to judge it; an estimate, to be marked `modelled`.

    Parameters
    ----------
    fitted_persons
        The table: dense as the seed was; of a sparse seed a COO array of its entries in their order.
    factors
        For each margin its balancing factors: the seed's cell times the factors of its row, column, ... is the fit.
    margin_axes
        For each margin the axes it keeps, in the order of `factors`.
    converged
        Whether every fitted margin is within the tolerance of the one given, measured on the finished table.
    iterations
        Sweeps over all margins.
    largest_absolute_error_persons, largest_relative_error
        Largest distance of a fitted margin from the one given, in persons and as a share of it.
    total_persons, seed_total_persons
        Totals of the fitted table and of the seed, structural zeros left out.
    deviance
        2 sum x ln(x / s): x the fitted cell, s the seed's cell scaled to the total of x; 0 if the seed has the margins
        already. Of all tables with these margins the fitted one has the least (Ireland & Kullback 1968, Biometrika
        55(1), 179-188). NaN if the seed is 0 altogether.
    structural_zeros
        Cells that are 0 by the seed or by request.
    forced_zeros
        Further cells that are 0 in every table with these margins, found on the way.
    """

    fitted_persons: Any
    factors: tuple[Floats, ...]
    margin_axes: tuple[tuple[int, ...], ...]
    converged: bool
    iterations: int
    largest_absolute_error_persons: float
    largest_relative_error: float
    total_persons: float
    seed_total_persons: float
    deviance: float
    structural_zeros: int
    forced_zeros: int
    tolerance: float
    method: Literal["ipf", "log-linear"] = "ipf"


@dataclass(frozen=True)
class LogLinearFit(Fit):
    """A table fitted by a Poisson log-linear model; `Fit` with what the model tells besides.

    Parameters
    ----------
    coefficients, standard_errors
        Of the covariates, in their order; the errors hold for Poisson counts; NaN where coefficients were given.
    poisson_deviance
        2 sum y ln(y / x) - (y - x): y the observed table, x the fitted one. NaN if none was observed.
    null_deviance
        The same of the offset scaled to the total: a model without origins, destinations and covariates.
    pseudo_r2
        1 - poisson_deviance / null_deviance (Cameron & Windmeijer 1996, Journal of Business & Economic Statistics
        14(2), 209-220).
    """

    coefficients: Floats = field(default_factory=lambda: np.zeros(0))
    standard_errors: Floats = field(default_factory=lambda: np.zeros(0))
    poisson_deviance: float = NOT_KNOWN
    null_deviance: float = NOT_KNOWN
    pseudo_r2: float = NOT_KNOWN


@dataclass(frozen=True)
class FitStatistics:
    """How far a fitted table is from an observed one, over the cells compared; NaN where it is undefined.

    Parameters
    ----------
    n_cells
        Cells compared.
    deviance
        2 sum y ln(y / x) - (y - x), y observed, x fitted: that of a Poisson model; infinite where somebody was observed
        in a cell fitted 0 (McCullagh & Nelder 1989, Generalized Linear Models, ch. 2).
    srmse
        Standardised root mean square error: the root of the mean squared difference over the mean observed cell
        (Knudsen & Fotheringham 1986, International Regional Science Review 10(2), 127-147).
    dissimilarity_pct
        Share of the persons who would have to change cell for the two distributions to be one: 50 sum |x / X - y / Y|
        (Duncan & Duncan 1955, American Sociological Review 20(2), 210-217).
    correlation
        Pearson's, of the cells.
    """

    n_cells: int
    deviance: float
    srmse: float
    dissimilarity_pct: float
    correlation: float

"""Fit an origin-destination table to known margins: by proportional fitting, or by a Poisson log-linear model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse, special

from dtm._fitting_margins import Margins, check_margins
from dtm._fitting_poisson import LOG_LINEAR_LIMIT_CELLS, solve_log_linear
from dtm._fitting_results import Fit, FitStatistics, LogLinearFit
from dtm._fitting_tables import fit_by_cheapest_way, prepared_seed, seed_facts, shape_of
from dtm.errors import BadInputError, WrongUseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dtm._fitting_dense import Floats

__all__ = [
    "DEFAULT_MAXIMUM_ITERATIONS",
    "DEFAULT_TOLERANCE",
    "LOG_LINEAR_LIMIT_CELLS",
    "Fit",
    "FitStatistics",
    "LogLinearFit",
    "compare_tables",
    "fit_log_linear",
    "fit_margins",
    "fit_table",
]

DEFAULT_TOLERANCE = 1e-9
"""Largest distance of a fitted margin from the one given, as a share of the one given."""
DEFAULT_MAXIMUM_ITERATIONS = 10_000
LOG_LINEAR_MAXIMUM_ITERATIONS = 100


def fit_margins(
    seed: Any,
    row_margins: Any,
    column_margins: Any,
    *,
    structural_zeros: Any = None,
    zero_diagonal: bool = False,
    names: Sequence[Sequence[object]] | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
    maximum_iterations: int = DEFAULT_MAXIMUM_ITERATIONS,
) -> Fit:
    """Fit an origin-destination table to the totals of its rows and columns by iterative proportional fitting.

    The fit keeps the seed's odds ratios (every 2 x 2 minor) and its zeros, and has the margins given: Deming & Stephan
    1940, Annals of Mathematical Statistics 11(4), 427-444, doi 10.1214/aoms/1177731829; Bishop, Fienberg & Holland
    1975, Discrete Multivariate Analysis, ch. 3. It is the biproportional table x_ij = a_i s_ij b_j; only the
    factors are iterated, the seed is read and not copied.

    Parameters
    ----------
    seed
        Persons by origin (rows) and destination (columns), or any weights 0 and above: an array, or a sparse array or
        matrix of SciPy.
    row_margins, column_margins
        Persons by origin and by destination, of the same total.
    structural_zeros
        Cells that can't hold anyone: a boolean array of the seed's shape (or a sparse one).
    zero_diagonal
        Make the diagonal structural zeros, for tables of moves between areas.
    names
        Names of the rows and of the columns, for messages.
    tolerance
        Largest distance of a fitted margin from the one given, as a share of the one given.
    maximum_iterations
        Sweeps after which it stops; the fit then says that it did not converge.

    Returns
    -------
    Fit
        The fitted table and how well it fits. Where some cells are 0 in every table with these margins, sweeps alone
        come near ever more slowly; for margins in whole numbers such cells are found and left out (`forced_zeros`).

    Raises
    ------
    WrongUseError
        Shapes, options or names that don't go together.
    BadInputError
        A seed or margin that is negative, infinite or no number; the place is named.
    MarginsDisagreeError
        Row and column margins have different totals: more apart than a tenth of the tolerance.
    InfeasibleMarginsError
        No table with the seed's zeros has these margins; the rows and columns in the way are named.
    """
    if np.ndim(seed) != 2 and not (sparse.issparse(seed) and len(seed.shape) == 2):  # noqa: PLR2004
        raise WrongUseError("A seed with rows and columns has two axes; for others use fit_table.")
    return fit_table(
        seed,
        {0: row_margins, 1: column_margins},
        structural_zeros=structural_zeros,
        zero_diagonal=zero_diagonal,
        names=names,
        tolerance=tolerance,
        maximum_iterations=maximum_iterations,
    )


def fit_table(
    seed: Any,
    margins: Mapping[int | tuple[int, ...], Any],
    *,
    structural_zeros: Any = None,
    zero_diagonal: bool = False,
    names: Sequence[Sequence[object]] | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
    maximum_iterations: int = DEFAULT_MAXIMUM_ITERATIONS,
) -> Fit:
    """Fit a table of any number of axes to margins that keep any of them, by iterative proportional fitting.

    Deming & Stephan 1940, doi 10.1214/aoms/1177731829; Bishop, Fienberg & Holland 1975, Discrete Multivariate Analysis.
    Of an origin x destination x group table, ``{0: origins, 1: destinations, 2: groups}`` are three totals,
    ``{(0, 2): ..., (1, 2): ...}`` departures and arrivals of each group, ``{(0, 1): ..., 2: ...}`` known flows to be
    broken down. Margins without a common axis cost two matrix-vector products a sweep; axes that all margins keep make
    separate fits, one for each of their positions. See `fit_margins` for the rest; three margins or more may
    disagree in ways no check finds beforehand, and then the fit does not converge and says so.

    Parameters
    ----------
    seed
        Dense, or a COO array of SciPy with as many axes.
    margins
        For the axes a margin keeps (one number, or a tuple) its sums, an array with these axes in this order.
    structural_zeros, zero_diagonal, names, tolerance, maximum_iterations
        As in `fit_margins`; the diagonal is that of the first two axes, names are wanted for every axis.

    Returns
    -------
    Fit
    """
    if not (0 < tolerance < 1) or maximum_iterations < 1:
        raise WrongUseError("The tolerance lies between 0 and 1, and there must be one iteration at least.")
    checked = check_margins(margins, shape_of(seed), names=names, tolerance=tolerance)
    cells = prepared_seed(seed, structural_zeros, zero_diagonal=zero_diagonal)
    seed_total, positive = seed_facts(cells, checked)
    fitted = fit_by_cheapest_way(
        cells, checked, seed_total=seed_total, tolerance=tolerance, maximum_iterations=maximum_iterations
    )
    return Fit(
        fitted_persons=fitted.cells,
        factors=tuple(fitted.factors),
        margin_axes=tuple(checked.axes),
        converged=bool(fitted.largest_relative_error <= tolerance),
        iterations=fitted.iterations,
        largest_absolute_error_persons=fitted.largest_absolute_error,
        largest_relative_error=fitted.largest_relative_error,
        total_persons=float(checked.targets[0].sum()),
        seed_total_persons=seed_total,
        deviance=_deviance(fitted.factors, checked, seed_total=seed_total),
        structural_zeros=int(np.prod(shape_of(cells))) - positive,
        forced_zeros=fitted.forced_zeros,
        tolerance=tolerance,
    )


def fit_log_linear(
    *,
    margins: tuple[Any, Any] | None = None,
    observed: Any = None,
    offset: Any = None,
    covariates: Sequence[Any] = (),
    coefficients: Sequence[float] | None = None,
    structural_zeros: Any = None,
    zero_diagonal: bool = False,
    names: Sequence[Sequence[object]] | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
    maximum_iterations: int = LOG_LINEAR_MAXIMUM_ITERATIONS,
) -> LogLinearFit:
    """Fit persons by origin and destination by a Poisson log-linear model with an offset and covariates.

    ln E(x_ij) = ln offset_ij + origin_i + destination_j + sum_p coefficient_p covariate_pij, by maximum likelihood
    (Willekens 1983, Papers of the Regional Science Association 52, 187-205; Willekens 1999, Mathematical Population
    Studies 7(3), 239-278; Raymer 2007, Environment and Planning A 39(4), 985-995). Two uses:

    - margins known, flows not: give margins, an offset (a seed) and, for covariates, their coefficients. The fit is the
      one of `fit_margins` with the same seed, reached another way.
    - flows known: give `observed`; coefficients are estimated, such as the decay of ln distance in a gravity model with
      both margins kept. They can then serve another year's margins.

    Parameters
    ----------
    margins
        Persons by origin and persons by destination, where no table is observed.
    observed
        Persons by origin and destination; structural zeros in it are not looked at.
    offset
        Weights 0 and above; 1 everywhere if not given.
    covariates
        Arrays of origins x destinations; values at structural zeros don't count and may be infinite.
    coefficients
        One for each covariate: given with margins, estimated with an observed table.
    structural_zeros, zero_diagonal, names, tolerance
        As in `fit_margins`.
    maximum_iterations
        Steps of Newton's method.

    Returns
    -------
    LogLinearFit

    Raises
    ------
    WrongUseError
        Margins and an observed table together or neither, coefficients where they are estimated or none where they
        aren't, a covariate that origins and destinations tell already, or a table above `LOG_LINEAR_LIMIT_CELLS`.
    BadInputError, MarginsDisagreeError, InfeasibleMarginsError
        As in `fit_margins`.
    """
    weights, rows, columns, table = _observed_or_margins(
        observed, margins, offset, structural_zeros, zero_diagonal=zero_diagonal
    )
    checked = check_margins({0: rows, 1: columns}, weights.shape, names=names, tolerance=tolerance)
    weights, layers = _predictors(weights, covariates, coefficients, is_observed=table is not None)
    seed_total, positive = seed_facts(weights, checked)
    solved = solve_log_linear(weights, layers, checked, table, tolerance=tolerance, most=maximum_iterations)
    total, cells = float(rows.sum()), weights > 0
    told, null = NO_STATISTICS, NO_STATISTICS
    if table is not None:
        told = compare_tables(solved.expected, table, cells=cells)
        null = compare_tables(weights * (total / seed_total if seed_total else 0), table, cells=cells)
    return LogLinearFit(
        fitted_persons=solved.expected,
        factors=solved.factors,
        margin_axes=((0,), (1,)),
        converged=solved.is_met and solved.largest_relative_error <= tolerance,
        iterations=solved.iterations,
        largest_absolute_error_persons=solved.largest_absolute_error,
        largest_relative_error=solved.largest_relative_error,
        total_persons=total,
        seed_total_persons=seed_total,
        deviance=_divergence(solved.expected, weights, seed_total=seed_total),
        structural_zeros=weights.size - positive,
        forced_zeros=solved.forced_zeros,
        tolerance=tolerance,
        method="log-linear",
        coefficients=np.array(coefficients, dtype=np.float64) if coefficients is not None else solved.coefficients,
        standard_errors=np.full(len(covariates), np.nan) if coefficients is not None else solved.standard_errors,
        poisson_deviance=told.deviance,
        null_deviance=null.deviance,
        pseudo_r2=1 - told.deviance / null.deviance if null.deviance > 0 else float("nan"),
    )


def compare_tables(fitted: Any, observed: Any, *, cells: Any = None) -> FitStatistics:
    """Tell how far a fitted table is from an observed one.

    Parameters
    ----------
    fitted, observed
        Persons, arrays of one shape.
    cells
        Which cells count, such as those off the diagonal: a boolean array; all if not given.

    Returns
    -------
    FitStatistics
    """
    x, y = (np.asarray(table, dtype=np.float64) for table in (fitted, observed))
    if x.shape != y.shape or (cells is not None and np.shape(cells) != x.shape):
        raise WrongUseError(f"The tables have the shapes {x.shape} and {y.shape}: give the same cells of both.")
    x, y = (x[cells], y[cells]) if cells is not None else (x.ravel(), y.ravel())
    mean, total = (y.mean(), x.sum()) if y.size else (0.0, 0.0)
    varies = y.size > 1 and np.ptp(x) > 0 and np.ptp(y) > 0
    return FitStatistics(
        n_cells=int(y.size),
        deviance=float(2 * (special.kl_div(y, x)).sum()),
        srmse=float(np.sqrt(np.mean((x - y) ** 2)) / mean) if mean > 0 else float("nan"),
        dissimilarity_pct=float(50 * np.abs(x / total - y / y.sum()).sum()) if mean > 0 and total > 0 else float("nan"),
        correlation=float(np.corrcoef(x, y)[0, 1]) if varies else float("nan"),
    )


NO_STATISTICS = FitStatistics(0, float("nan"), float("nan"), float("nan"), float("nan"))


def _divergence(fitted: Floats, seed: Floats, *, seed_total: float) -> float:
    """Return 2 sum x ln(x / s), s the seed scaled to the total of x."""
    total = float(fitted.sum())
    if seed_total == 0:
        return float("nan")
    return max(0.0, float(2 * special.rel_entr(fitted, seed * (total / seed_total)).sum())) if total else 0.0


def _observed_or_margins(
    observed: Any, margins: tuple[Any, Any] | None, offset: Any, structural_zeros: Any, *, zero_diagonal: bool
) -> tuple[Floats, Floats, Floats, Floats | None]:
    """Return the offset, the margins, and the observed table if there is one; structural zeros are 0 in both."""
    if (observed is None) == (margins is None):
        raise WrongUseError("Give either an observed table, or the margins of its rows and columns.")
    table = None
    if observed is not None:
        table = prepared_seed(np.array(observed), structural_zeros, zero_diagonal=zero_diagonal)
        if table.ndim != 2:  # noqa: PLR2004
            raise WrongUseError(f"The observed table has {table.ndim} axes; give origins x destinations.")
        margins = (table.sum(axis=1), table.sum(axis=0))
    rows, columns = (np.asarray(margin, dtype=np.float64) for margin in margins or ())
    given = np.ones((rows.size, columns.size)) if offset is None else np.array(offset)
    if given.size > LOG_LINEAR_LIMIT_CELLS:
        raise WrongUseError(
            f"A log-linear fit takes {LOG_LINEAR_LIMIT_CELLS:,} cells at most, not {given.size:,}; proportional "
            f"fitting takes more and gives the same table."
        )
    return prepared_seed(given, structural_zeros, zero_diagonal=zero_diagonal), rows, columns, table


def _predictors(
    weights: Floats, covariates: Sequence[Any], coefficients: Sequence[float] | None, *, is_observed: bool
) -> tuple[Floats, list[Floats]]:
    """Return the offset and the covariates still to be estimated: none where coefficients are given."""
    layers = [np.where(weights > 0, np.asarray(layer, dtype=np.float64), 0.0) for layer in covariates]
    bad = next((p for p, layer in enumerate(layers) if not np.isfinite(layer).all()), None)
    if bad is not None:
        raise BadInputError(f"Covariate {bad} is no finite number in a cell that can hold persons.")
    if coefficients is None:
        if layers and not is_observed:
            raise WrongUseError(
                "With margins alone give a coefficient for each covariate: flows are needed to tell it."
            )
        return weights, layers
    if is_observed or len(coefficients) != len(layers):
        raise WrongUseError("Give a coefficient for each covariate with margins, and none with an observed table.")
    power = np.zeros_like(weights)
    for coefficient, layer in zip(coefficients, layers, strict=True):
        power += coefficient * layer
    return weights * np.exp(power - np.max(power, initial=-np.inf, where=weights > 0)), []


def _deviance(factors: Sequence[Floats], margins: Margins, *, seed_total: float) -> float:
    """Return 2 sum x ln(x / s) by the factors: ln(x / s) is the sum of their logarithms, summed over x by margins."""
    total = float(margins.targets[0].sum())
    if total == 0 or seed_total == 0:
        return 0.0 if seed_total else float("nan")
    logs = sum(
        float((target[target > 0] * np.log(factor[target > 0])).sum())
        for target, factor in zip(margins.targets, factors, strict=True)
    )
    return max(0.0, float(2 * (logs + total * np.log(seed_total / total))))

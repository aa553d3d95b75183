"""Fit an origin-destination table to known margins: by proportional fitting, or by a Poisson log-linear model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import sparse

from dtm._fitting_margins import check_margins
from dtm._fitting_tables import fit_by_cheapest_way, prepared_seed, seed_facts, shape_of
from dtm.errors import WrongUseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dtm._fitting_dense import Floats
    from dtm._fitting_margins import Margins

DEFAULT_TOLERANCE = 1e-9
"""Largest distance of a fitted margin from the one given, as a share of the one given."""
DEFAULT_MAXIMUM_ITERATIONS = 10_000


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

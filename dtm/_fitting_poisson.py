"""Fit a Poisson log-linear model with row and column effects and covariates by Newton's method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg, sparse
from scipy.sparse import csgraph

from dtm._fitting_dense import SeparateMargins
from dtm._fitting_iterate import errors_of, refuse_empty, without_forced_zeros
from dtm.errors import WrongUseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtm._fitting_dense import Floats
    from dtm._fitting_margins import Margins

LOG_LINEAR_LIMIT_CELLS = 10_000_000
"""Largest table of a log-linear fit, which holds several tables of this size at once."""
HALVINGS = 40
"""Times a step of Newton's method is halved before the fit is given up."""
LEAST_INFORMATION = 1e-10
"""Share of a covariate's own variation that rows, columns and other covariates must leave to it."""


@dataclass
class Model:
    """A log-linear model being fitted: offset exp(row + column + sum of coefficient x covariate).

    Rows and columns without persons are left out beforehand, covariates are centred and scaled.
    """

    offset: Floats
    covariates: Floats
    row_totals: Floats
    column_totals: Floats
    covariate_totals: Floats
    rows: Floats
    columns: Floats
    coefficients: Floats

    def expected(self, rows: Floats, columns: Floats, coefficients: Floats) -> Floats:
        """Return the expected persons at given parameters."""
        logs = np.add.outer(rows, columns)
        for covariate, coefficient in zip(self.covariates, coefficients, strict=True):
            logs += coefficient * covariate
        logs[self.offset == 0] = -np.inf
        with np.errstate(over="ignore"):
            np.exp(logs, out=logs)
        logs *= self.offset
        return logs

    def objective(self, expected: Floats, rows: Floats, columns: Floats, coefficients: Floats) -> float:
        """Return minus the log-likelihood but for a constant; it is convex."""
        linear = self.row_totals @ rows + self.column_totals @ columns + self.covariate_totals @ coefficients
        return float(expected.sum() - linear)


def start_model(
    offset: Floats, covariates: Floats, row_totals: Floats, column_totals: Floats, covariate_totals: Floats
) -> Model:
    """Return a model at the parameters of one sweep of proportional fitting, coefficients 0."""
    by_row = offset.sum(axis=1)
    rows = row_totals / by_row
    columns = column_totals / (rows @ offset)
    none = np.zeros(len(covariates))
    return Model(offset, covariates, row_totals, column_totals, covariate_totals, np.log(rows), np.log(columns), none)


def newton(model: Model, *, tolerance: float, maximum_iterations: int) -> tuple[Floats, Floats, int]:
    """Move the model to its maximum of likelihood; return the expected persons, the coefficients' variance, the steps.

    The steps of Newton's method for a canonical link are those of iteratively reweighted least squares (McCullagh &
    Nelder 1989, Generalized Linear Models, ch. 2). Row effects are eliminated first, so that a step solves as many
    equations as there are columns and covariates. It ends when row and column totals are met within the tolerance.
    """
    components = _components(model.offset)
    expected = model.expected(model.rows, model.columns, model.coefficients)
    for done in range(1, maximum_iterations + 1):
        step, variance = _step(model, expected, components)
        if _is_met(model, expected, tolerance):
            return expected, variance, done
        moved = _halved(model, expected, step)
        if moved is None:
            return expected, variance, done
        expected = moved
    return expected, _step(model, expected, components)[1], maximum_iterations


def _is_met(model: Model, expected: Floats, tolerance: float) -> bool:
    rows = np.abs(expected.sum(axis=1) / model.row_totals - 1)
    columns = np.abs(expected.sum(axis=0) / model.column_totals - 1)
    met = max(np.max(rows, initial=0.0), np.max(columns, initial=0.0)) <= tolerance
    for covariate, total in zip(model.covariates, model.covariate_totals, strict=True):
        met &= abs((expected * covariate).sum() - total) <= tolerance * (expected * np.abs(covariate)).sum()
    return bool(met)


def _halved(model: Model, expected: Floats, step: tuple[Floats, Floats, Floats]) -> Floats | None:
    """Take the step, or the largest half, quarter, ... of it that does not lower the likelihood."""
    here = model.objective(expected, model.rows, model.columns, model.coefficients)
    slack = 1e-12 * max(abs(here), float(expected.sum()))
    size = 1.0
    for _ in range(HALVINGS):
        rows, columns, coefficients = (
            old + size * change
            for old, change in zip((model.rows, model.columns, model.coefficients), step, strict=True)
        )
        moved = model.expected(rows, columns, coefficients)
        if np.isfinite(moved).all() and model.objective(moved, rows, columns, coefficients) <= here + slack:
            model.rows, model.columns, model.coefficients = rows, columns, coefficients
            return moved
        size /= 2
    return None


def _components(offset: Floats) -> Floats:
    """Return for each column the part of the table it hangs together with: one effect of each part is free."""
    n_rows, n_columns = offset.shape
    row_of, column_of = np.nonzero(offset)
    links = sparse.coo_array(
        (np.ones(row_of.size), (row_of, column_of + n_rows)), shape=(n_rows + n_columns, n_rows + n_columns)
    )
    return np.asarray(csgraph.connected_components(links, directed=False)[1][n_rows:])


def _step(model: Model, expected: Floats, components: Floats) -> tuple[tuple[Floats, Floats, Floats], Floats]:
    """Return Newton's step for rows, columns and coefficients, and the coefficients' variance."""
    by_row, by_column = expected.sum(axis=1), expected.sum(axis=0)
    weighted = [expected * covariate for covariate in model.covariates]
    n_columns, n_covariates = by_column.size, len(weighted)
    row_side = np.column_stack([expected, *(table.sum(axis=1) for table in weighted)])
    matrix = np.zeros((n_columns + n_covariates, n_columns + n_covariates))
    matrix[np.arange(n_columns), np.arange(n_columns)] = by_column
    for p, table in enumerate(weighted):
        matrix[:n_columns, n_columns + p] = matrix[n_columns + p, :n_columns] = table.sum(axis=0)
        for q in range(n_covariates):
            matrix[n_columns + p, n_columns + q] = (table * model.covariates[q]).sum()
    own = np.diag(matrix)[n_columns:].copy()
    scaled = row_side / by_row[:, np.newaxis]
    matrix -= row_side.T @ scaled
    for part in np.unique(components):
        inside = np.flatnonzero(components == part)
        matrix[np.ix_(inside, inside)] += by_column[inside].mean() / inside.size
    missing_rows = model.row_totals - by_row
    missing = np.concatenate(
        [
            model.column_totals - by_column,
            [total - table.sum() for total, table in zip(model.covariate_totals, weighted, strict=True)],
        ]
    )
    missing -= scaled.T @ missing_rows
    lower = linalg.cho_factor(matrix[:n_columns, :n_columns], lower=True)
    across = matrix[:n_columns, n_columns:]
    carried = linalg.cho_solve(lower, across)
    left = matrix[n_columns:, n_columns:] - across.T @ carried
    variance = _inverse(left, own)
    coefficients = variance @ (missing[n_columns:] - carried.T @ missing[:n_columns])
    columns = linalg.cho_solve(lower, missing[:n_columns] - across @ coefficients)
    rows = (missing_rows - row_side @ np.concatenate([columns, coefficients])) / by_row
    return (rows, columns, coefficients), variance


def _inverse(left: Floats, own: Floats) -> Floats:
    """Return the inverse of the coefficients' information, or name covariates that nothing is left of."""
    if not left.size:
        return left
    lost = np.flatnonzero(~(np.diag(left) > LEAST_INFORMATION * own))
    scale = np.sqrt(np.where(np.diag(left) > 0, np.diag(left), 1))
    if lost.size or np.linalg.eigvalsh(left / np.outer(scale, scale))[0] < LEAST_INFORMATION:
        which = int(lost[0]) if lost.size else left.shape[0] - 1
        raise WrongUseError(
            f"Covariate {which} says nothing that origins, destinations and the other covariates don't: its "
            f"coefficient can't be told. Leave it out."
        )
    return np.asarray(np.linalg.inv(left))


@dataclass
class Solved:
    """A fitted log-linear model; see `dtm.fitting.LogLinearFit`."""

    expected: Floats
    factors: tuple[Floats, Floats]
    coefficients: Floats
    standard_errors: Floats
    iterations: int
    is_met: bool
    largest_absolute_error: float
    largest_relative_error: float
    forced_zeros: int


def solve_log_linear(
    offset: Floats,
    covariates: Sequence[Floats],
    margins: Margins,
    observed: Floats | None,
    *,
    tolerance: float,
    most: int,
) -> Solved:
    """Fit the model; rows and columns without persons, which have no effect to estimate, are 0."""
    refuse_empty(SeparateMargins(offset, 2), margins)
    offset, forced = _possible(offset, margins)
    used_rows, used_columns = (np.flatnonzero(target > 0) for target in margins.targets)
    inside = np.ix_(used_rows, used_columns)
    cells = np.ascontiguousarray(offset[inside])
    scaled, middles, widths = _scaled([layer[inside] for layer in covariates], cells)
    totals = np.zeros(len(covariates)) if observed is None else (scaled * observed[inside]).sum(axis=(1, 2))
    expected = np.zeros_like(offset)
    factors = (np.zeros(offset.shape[0]), np.zeros(offset.shape[1]))
    if not cells.size:
        unknown = np.full(len(covariates), np.nan)
        return Solved(expected, factors, unknown, unknown, 0, True, 0.0, 0.0, forced)
    model = start_model(cells, scaled, margins.targets[0][used_rows], margins.targets[1][used_columns], totals)
    expected[inside], variance, iterations = newton(model, tolerance=tolerance / 2, maximum_iterations=most)
    coefficients = model.coefficients / widths
    factors[0][used_rows] = np.exp(model.rows - coefficients @ middles)
    factors[1][used_columns] = np.exp(model.columns)
    absolute, relative = errors_of(SeparateMargins(expected, 2), margins.targets)
    return Solved(
        expected,
        factors,
        coefficients,
        np.sqrt(np.diag(variance)) / widths,
        iterations,
        _is_met(model, expected[inside], tolerance),
        absolute,
        relative,
        forced,
    )


def _possible(offset: Floats, margins: Margins) -> tuple[Floats, int]:
    """Return the offset without cells that the margins force to 0, whose effects would be endless."""
    table, forced = without_forced_zeros(SeparateMargins(offset, 2), margins)
    return (table.cells if isinstance(table, SeparateMargins) else offset), forced


def _scaled(covariates: Sequence[Floats], offset: Floats) -> tuple[Floats, Floats, Floats]:
    """Return covariates with mean 0 and deviation 1 over the cells that can hold persons, the means, the deviations."""
    there = offset > 0
    middles = np.array([layer[there].mean() for layer in covariates])
    widths = np.array([layer[there].std() or 1.0 for layer in covariates])
    layers = [
        np.where(there, (layer - middle) / width, 0.0)
        for layer, middle, width in zip(covariates, middles, widths, strict=True)
    ]
    return np.array(layers).reshape(len(covariates), *offset.shape), middles, widths

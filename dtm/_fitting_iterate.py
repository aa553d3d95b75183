"""Scale a table to its margins in turn until all are met, or say that no table can meet them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dtm._fitting_dense import SeparateMargins
from dtm._fitting_margins import amount
from dtm._fitting_sparse import SparseTable
from dtm._fitting_support import Support, examine_support
from dtm.errors import InfeasibleMarginsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dtm._fitting_dense import Floats
    from dtm._fitting_margins import Margins

FEASIBILITY_AFTER_ITERATIONS = 100
"""Sweeps after which a table with zeros that is not fitted yet is looked at: do its zeros allow the margins at all?"""


class Table(Protocol):
    """What is fitted: a dense or a sparse table."""

    def sweep(self, update: Callable[[int, Floats], None], factors: list[Floats]) -> None:
        """Hand each margin's sums, its own factor left out, to `update`."""

    def scaled(self, factors: list[Floats]) -> Any:
        """Return the cells times all factors."""

    def holding(self, cells: Any) -> Table:
        """Return a table of the same make with other cells."""


@dataclass
class Fitted:
    """A fitted table and how it was reached; see `dtm.fitting.Fit`."""

    cells: Any
    factors: list[Floats]
    iterations: int
    largest_absolute_error: float
    largest_relative_error: float
    forced_zeros: int


def scale_to_margins(
    table: Table, margins: Margins, *, seed_total: float, tolerance: float, maximum_iterations: int
) -> Fitted:
    """Fit a table; its zeros are looked at when it takes long.

    Starting from the seed scaled to the margins' total, one factor for each entry of a margin is set so that
    this margin is met, margin after margin, again and again (Deming & Stephan 1940). A margin's sums before its factors
    are set tell how far it was from being met, so looking costs nothing. After the last sweep each margin is off by no
    more than the factors of the margins after it moved; therefore a sweep must move them by less than the tolerance
    divided by the number of margins.
    """
    total = float(margins.targets[0].sum()) if margins.targets else 0.0
    start = total / seed_total if seed_total > 0 else 0.0
    factors = [np.full(target.shape, start if p == 0 else 1.0) for p, target in enumerate(margins.targets)]
    refuse_empty(table, margins)
    aim = tolerance / max(len(factors), 1)
    first = min(FEASIBILITY_AFTER_ITERATIONS, maximum_iterations)
    iterations, met = _iterate(table, margins.targets, factors, aim=aim, most=first)
    forced = 0
    if not met:
        table, forced = without_forced_zeros(table, margins)
        if forced:
            factors = [np.ones(target.shape) for target in margins.targets]
        further, met = _iterate(table, margins.targets, factors, aim=aim, most=maximum_iterations - iterations)
        iterations += further
    cells = table.scaled(factors)
    absolute, relative = errors_of(table.holding(cells), margins.targets)
    return Fitted(cells, factors, iterations, absolute, relative, forced)


def _iterate(
    table: Table, targets: Sequence[Floats], factors: list[Floats], *, aim: float, most: int
) -> tuple[int, bool]:
    """Sweep until a sweep finds every margin within the aim; return the sweeps made and whether it did."""
    worst = 0.0

    def update(position: int, sums: Floats) -> None:
        nonlocal worst
        target = targets[position]
        there = np.asarray(sums).reshape(target.shape)
        worst = max(worst, _relative(there * factors[position], target))
        factors[position] = np.divide(target, there, out=np.zeros_like(target), where=there > 0)

    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for done in range(1, most + 1):
            worst = 0.0
            table.sweep(update, factors)
            if worst <= aim:
                return done, True
            if not np.isfinite(worst):
                return done, False
    return most, False


def _relative(fitted: Floats, target: Floats) -> float:
    """Return the largest distance from a target above 0, as a share of it; targets of 0 are met by a factor of 0."""
    wanted = target > 0
    return float(np.max(np.abs(fitted[wanted] / target[wanted] - 1), initial=0.0))


def errors_of(table: Table, targets: Sequence[Floats]) -> tuple[float, float]:
    """Return the largest absolute and relative distance of a table's margins from the targets."""
    ones = [np.ones(target.shape) for target in targets]
    absolute, relative = [0.0], [0.0]

    def look(position: int, sums: Floats) -> None:
        target = targets[position]
        there = np.asarray(sums).reshape(target.shape)
        absolute.append(float(np.max(np.abs(there - target), initial=0.0)))
        relative.append(_relative(there, target))

    table.sweep(look, ones)
    return max(absolute), max(relative)


def refuse_empty(table: Table, margins: Margins) -> None:
    """Refuse a margin above 0 whose cells are all 0, in the seed or because another margin is 0."""
    ones = [(target > 0).astype(np.float64) for target in margins.targets]

    def look(position: int, sums: Floats) -> None:
        target = margins.targets[position]
        empty = np.flatnonzero((target > 0) & ~(np.asarray(sums).reshape(target.shape) > 0))
        if empty.size:
            raise InfeasibleMarginsError(
                f"{margins.told(position, empty)}: {amount(target.ravel()[empty].sum())} persons are given there, but "
                f"the seed has no cell above 0 that could hold them. Give the seed such a cell, or the margin 0."
            )

    table.sweep(look, ones)


def without_forced_zeros(table: Table, margins: Margins) -> tuple[Table, int]:
    """Return the table without cells that the margins force to 0; refuse margins that its zeros don't allow."""
    if len(margins.targets) != 2:  # noqa: PLR2004  the network has two sides
        return table, 0
    if isinstance(table, SparseTable) and table.matrix is not None:
        positive = np.flatnonzero(table.values > 0)
        row_of, column_of = table.places[0][positive], table.places[1][positive]
    elif isinstance(table, SeparateMargins) and len(table.sizes) == 2:  # noqa: PLR2004
        row_of, column_of = np.nonzero(table.cells)
        if row_of.size == table.cells.size:
            return table, 0
    else:
        return table, 0
    support = examine_support(row_of, column_of, margins.targets[0].ravel(), margins.targets[1].ravel())
    if not support.is_feasible:
        raise InfeasibleMarginsError(_in_words(support, margins))
    if not support.forced.any():
        return table, 0
    forced = int(support.forced.sum())
    if isinstance(table, SparseTable):
        seed = table.seed.copy()
        seed.data[positive[support.forced]] = 0
        return SparseTable(seed, table.axes), forced
    cells = table.cells.copy()
    cells[row_of[support.forced], column_of[support.forced]] = 0
    return SeparateMargins(cells, table.n_margins), forced


def _in_words(support: Support, margins: Margins) -> str:
    rows, columns = (target.ravel() for target in margins.targets)
    needs, holds = rows[support.rows].sum(), columns[support.columns].sum()
    where = margins.told(1, support.columns) if support.columns.size else "no column"
    return (
        f"No table with the seed's zeros has these margins: {margins.told(0, support.rows)} need {amount(needs)} "
        f"persons and have cells above 0 only in {where}, whose margins are {amount(holds)}. Give the seed "
        f"another cell above 0 there, or correct the margins."
    )

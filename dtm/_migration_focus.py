"""Measure how unevenly moves are spread over the pairs of areas, without ever laying out the n x n matrix."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dtm._migration_system import System

_DOUBLINGS = 200
_ROOT_TOLERANCE = 1e-14


@dataclass(frozen=True, kw_only=True)
class Focus:
    """Sums of absolute differences between cells of the table of moves; the Gini indices are shares of them.

    Attributes
    ----------
    all_pairs
        Sum over all ordered pairs of off-diagonal cells.
    rows, columns
        For each area: over the ordered pairs of cells of its row (its destinations) and column (its origins).
    exchange
        Sum over all cells of the difference to the cell of the opposite move.
    """

    all_pairs: float
    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    exchange: float


def measure_focus(system: System) -> Focus:
    """Return the sums of differences behind the Gini indices.

    The indices: Plane & Mulligan 1997, Demography 34(2). Sorted sums: Sen 1973, On Economic Inequality, ch. 2. Over N
    sorted cells x_(1) <= ... <= x_(N) the sum of all |x_k - x_l| is 2 sum (2k - N - 1) x_(k), so the empty cells only
    shift the ranks k: time and memory go with the pairs that have moves.
    """
    n, moved = system.n, system.persons > 0
    order = np.argsort(system.persons[moved])  # equal numbers may come in any order
    persons = system.persons[moved][order]
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        exchange = pool.submit(_exchange, system)
        rows, columns = (
            pool.submit(_differences, persons, ends[moved][order], groups=n, cells=n - 1)
            for ends in (system.origin, system.destination)
        )
        together = np.zeros(len(persons), dtype="int64")
        return Focus(
            all_pairs=float(_differences(persons, together, groups=1, cells=n * (n - 1))[0]),
            rows=rows.result(),
            columns=columns.result(),
            exchange=exchange.result(),
        )


def _exchange(system: System) -> float:
    matrix = system.matrix()
    return float(abs(matrix - matrix.T).sum())


def _differences(
    ascending: NDArray[np.float64], group: NDArray[np.int64], *, groups: int, cells: int
) -> NDArray[np.float64]:
    """Return for each group the sum of |x_k - x_l| over its cells, those not given being 0."""
    count = np.bincount(group, minlength=groups)
    starts = np.concatenate([[0], np.cumsum(count)])
    if groups > 1:  # the conversion sorts by group and keeps the order inside a group
        size = len(ascending)
        ascending = sparse.csr_array((ascending, (group, np.arange(size))), shape=(groups, size)).data
        group = np.repeat(np.arange(groups), count)
    rank = np.arange(len(ascending)) - starts[group] + 1 + cells - count[group]
    terms = 2.0 * (2.0 * rank - cells - 1) * ascending
    return np.asarray(np.bincount(group, weights=terms, minlength=groups), dtype="float64")


def inequality_from_equal(system: System) -> float:
    """Return half the sum of |m_ij / M - 1 / (n (n - 1))| over all pairs, those nobody moved between included.

    Bell et al. 2002, doi 10.1111/1467-985X.00247; migest's `inequality_equal`.
    """
    cells, total = system.n * (system.n - 1), system.movers_persons
    moved = system.persons[system.persons > 0] / total
    return float(0.5 * (np.abs(moved - 1 / cells).sum() + (cells - len(moved)) / cells))


def inequality_from_independence(system: System) -> float:
    """Return half the sum of |m_ij - mu_ij| / M, with mu of the model log mu_ij = a_i + b_j, i not j.

    Bell et al. 2002, doi 10.1111/1467-985X.00247; migest's `inequality_sim`. The fit has the margins of the table, so
    its sum over the pairs nobody moved between is M less its sum over the others: only these are looked at.
    """
    out, arrived = system.by_origin(system.persons), system.by_destination(system.persons)
    moved = system.persons > 0
    persons, total = system.persons[moved], system.movers_persons
    fit = quasi_independence(out, arrived)
    if fit is None:
        return 0.0
    expected = fit[0][system.origin[moved]] * fit[1][system.destination[moved]]
    return float(0.5 * ((np.abs(persons - expected) - expected).sum() + total) / total)


def quasi_independence(
    out: NDArray[np.float64], arrived: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return factors r, c of the table mu_ij = r_i c_j, i not j, that has these row and column sums.

    That is the maximum-likelihood fit of the Poisson model `moves ~ origin + destination` to the off-diagonal cells
    (quasi-independence: Goodman 1968, JASA 63, 1091-1131). The equations r_i (C - c_i) = O_i, c_i (R - r_i) = D_i with
    R = C = sqrt(t) are quadratic for each area once t is known, and sum r_i = R leaves one equation in t: no iteration
    over cells, and no slow convergence where one area dominates.

    Parameters
    ----------
    out, arrived
        O and D of each area, with the same sum M > 0.

    Returns
    -------
    tuple of numpy.ndarray, or None
        None where one area is an end of every move: then the fit is the table itself, at infinite factors.
    """
    lowest = (np.sqrt(out) + np.sqrt(arrived)) ** 2
    top = int(np.argmax(lowest))
    start = float(lowest[top])
    total = float(out.sum())
    if out[top] + arrived[top] >= total:
        return None

    def shares(t: float, *, above: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        root = np.sqrt(np.clip((t - lowest) * (t - (np.sqrt(out) - np.sqrt(arrived)) ** 2), 0, None))
        row = np.divide(2 * out, t + out - arrived + root, out=np.zeros_like(out), where=out > 0)
        column = np.divide(2 * arrived, t - out + arrived + root, out=np.zeros_like(out), where=arrived > 0)
        if above:
            row[top] = (t + out[top] - arrived[top] + root[top]) / (2 * t)
            column[top] = (t - out[top] + arrived[top] + root[top]) / (2 * t)
        return row, column

    above = float(shares(start, above=False)[0].sum()) < 1

    def excess(t: float) -> float:
        return float(shares(t, above=above)[0].sum()) - 1

    end = start
    for _ in range(_DOUBLINGS):
        end *= 2
        if (excess(end) >= 0) == above:
            break
    else:  # an end of every move but for rounding
        return None
    t = optimize.brentq(excess, start, end, xtol=start * _ROOT_TOLERANCE, rtol=_ROOT_TOLERANCE)
    row, column = shares(t, above=above)
    return row * np.sqrt(t), column * np.sqrt(t)

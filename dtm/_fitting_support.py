"""Tell which margins a table's zeros allow: by the cut of a network, or the cells that must be 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

if TYPE_CHECKING:
    from dtm._fitting_dense import Bools, Floats

LARGEST_FLOW = 2**31 - 2
"""Largest total that SciPy's maximum flow takes; larger or fractional margins are scaled to it."""


@dataclass(frozen=True)
class Support:
    """What the positions of a table's cells above 0 allow.

    Parameters
    ----------
    rows, columns
        Where no table exists: rows whose cells lie in these columns only, though they need more than these hold.
    forced
        Where tables exist: positions, among the cells given, of those that are 0 in every one of them.
    """

    rows: np.ndarray[tuple[int], np.dtype[np.intp]]
    columns: np.ndarray[tuple[int], np.dtype[np.intp]]
    forced: Bools

    @property
    def is_feasible(self) -> bool:
        """Say whether a table with these margins exists."""
        return self.rows.size == 0


def examine_support(row_of: Any, column_of: Any, row_margins: Floats, column_margins: Floats) -> Support:
    """Return whether a table with these margins exists on these cells, and which cells it must leave empty.

    A table exists if and only if the network source - rows - cells - columns - sink carries all of the margins
    (Gale 1957, Pacific Journal of Mathematics 7(2), 1073-1082); if it does not, the minimum cut names rows that ask for
    more than the columns they reach hold. A cell is above 0 in some table if and only if its row and column lie
    on a circle of the residual network. Cells that are not are found for whole-numbered margins up to 2**31 only;
    with others the network is scaled and rounded so that it never calls a feasible table infeasible.
    """
    n_rows, n_columns = row_margins.size, column_margins.size
    used = (row_margins[row_of] > 0) & (column_margins[column_of] > 0)
    rows, columns = row_of[used].astype(np.int32), column_of[used].astype(np.int32) + n_rows
    needs, holds, is_exact = _whole_numbers(row_margins, column_margins)
    source, sink = n_rows + n_columns, n_rows + n_columns + 1
    n_nodes = sink + 1
    everyone, all_columns = np.arange(n_rows), np.arange(n_rows, source)
    total = int(needs.sum())
    capacities = np.concatenate([needs, np.full(rows.size, total + 1), holds])
    tails = np.concatenate([np.full(n_rows, source), rows, all_columns])
    heads = np.concatenate([everyone, columns, np.full(n_columns, sink)])
    entries = (capacities.astype(np.int32), (tails, heads))
    network = sparse.csr_array(entries, shape=(n_nodes, n_nodes))
    network.eliminate_zeros()
    carried = csgraph.maximum_flow(network, source, sink)
    left = (network - carried.flow).tocsr()
    left.eliminate_zeros()
    none = np.zeros(0, dtype=np.intp)
    forced = np.zeros(row_of.size, dtype=np.bool_)
    if carried.flow_value < total:
        reached = csgraph.breadth_first_order(left, source, return_predecessors=False)
        cut = np.sort(reached[reached < source])
        return Support(cut[cut < n_rows], cut[cut >= n_rows] - n_rows, forced)
    if is_exact:
        inner = left[:source, :source]
        _, circle = csgraph.connected_components(inner, directed=True, connection="strong")
        forced[used] = circle[rows] != circle[columns]
    return Support(none, none, forced)


def _whole_numbers(row_margins: Floats, column_margins: Floats) -> tuple[Any, Any, bool]:
    total = max(row_margins.sum(), column_margins.sum())
    together = np.concatenate([row_margins, column_margins])
    if total <= LARGEST_FLOW and np.array_equal(together, np.rint(together)):
        return row_margins.astype(np.int64), column_margins.astype(np.int64), True
    scale = (LARGEST_FLOW - together.size) / total
    return (
        np.floor(row_margins * scale).astype(np.int64),
        np.ceil(column_margins * scale).astype(np.int64),
        False,
    )

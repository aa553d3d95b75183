"""Prove that hidden figures have other values: whole numbers that satisfy all that is published.

A move adds whole numbers to hidden cells so that every sum of the system stays as it is, no hidden count falls under
1, and no count of households passes that of its persons. A cell that some move changes can't be worked out from the
published figures, by whatever means: the reader can't tell the true table from the moved one. Moves are found by linear
programmes over a neighbourhood of a cell (cells outside it stay as they are, so that what holds inside holds in the
whole) and checked in whole numbers; a found move is kept and goes on holding while further cells are hidden. Where no
move is found, the weights of the last programme tell which sums hold the cell.

References
----------
Fischetti & Salazar 2001, Solving the cell suppression problem on tabular data with linear constraints,
Management Science 47(7), doi:10.1287/mnsc.47.7.1008.9805: a pattern protects a cell where two tables that agree with
all that is published differ in it.
Huangfu & Hall 2018, Parallelizing the dual revised simplex method, Mathematical Programming Computation 10 (HiGHS).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array, csc_array, csr_array, vstack
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from dtm._disclosure_system import System

PATCH_CELLS = 2_000
"""Hidden cells of a patch, in which many are proven at once."""
PASSES = (2_000, *(100, 200, 400, 800) * 3)
"""Sizes of the neighbourhoods that a patch is filled up with, pass by pass; then cells are tried one by one."""
GROWING_CELLS = (400, 2_000)
"""Sizes of the neighbourhoods in which one cell is tried. A move may need more than the last: then a cell too many is
hidden, and none too few."""
LARGEST_STEP = 1_000
"""No move changes a cell by more: a reader who can't tell the values up to here can't tell the value."""
SEARCH_NODES = 200
"""Branches of the search for whole numbers where a programme finds fractions only."""
NEAR_WHOLE = 1e-6
RANDOM_SEED = 20010


@dataclass(frozen=True)
class Move:
    """Whole numbers to add to hidden cells; the sums of the system stay as they are."""

    cells: NDArray[np.int64]
    steps: NDArray[np.int64]


class Alternatives:
    """Moves of one system, and the hidden cells that they prove to have another value."""

    def __init__(self, system: System) -> None:
        cells = system.cells
        self._n = len(cells)
        entries = (system.sign_of.astype(np.float64), (system.relation_of, system.cell_of))
        sums = coo_array(entries, shape=(system.n_relations, self._n))
        larger, smaller = system.at_least.T
        pair = np.arange(len(larger))
        ends = (np.concatenate([pair, pair]), np.concatenate([larger, smaller]))
        pairs = coo_array((np.repeat([1.0, -1.0], len(pair)), ends), shape=(len(pair), self._n))
        self._ties: csc_array = csc_array(vstack([sums, pairs]))
        self._ties_by_row: csr_array = csr_array(self._ties)
        self._n_sums = system.n_relations
        self._lowest = np.concatenate([np.zeros(self._n_sums), cells.value[smaller] - cells.value[larger]])
        self._highest = np.concatenate([np.zeros(self._n_sums), np.full(len(pair), np.inf)])
        self._lowest_step = np.maximum(np.where(cells.is_count, 1 - cells.value, -LARGEST_STEP), -LARGEST_STEP)
        self._chance = np.random.default_rng(RANDOM_SEED)
        self.moves: list[Move] = []
        self.proven = np.zeros(self._n, dtype=bool)

    def prove(self, hidden: NDArray[np.bool_], wanted: Iterable[int]) -> dict[int, dict[int, float]]:
        """Look for a move of each wanted cell that has none yet.

        Parameters
        ----------
        hidden
            One flag a cell of the system; only these may move.
        wanted
            Hidden cells to prove, in a fixed order.

        Returns
        -------
        dict[int, dict[int, float]]
            The cells for which there is no move, or none was found; to each the sums that hold it, with weights.
        """
        left = [cell for cell in wanted if not self.proven[cell]]
        for around_cells in PASSES:
            left = [cell for cell in left if not self.proven[cell]]
            self._prove_together(left, hidden, around_cells)
        alone = {cell: self._prove_one(cell, hidden) for cell in left if not self.proven[cell]}
        return {cell: held for cell, held in alone.items() if held is not None}

    def check(self, hidden: NDArray[np.bool_]) -> None:
        """Check every move again, in whole numbers against the whole system, and drop those that don't hold."""
        self.moves = [move for move in self.moves if hidden[move.cells].all() and self._holds(move)]
        self.proven = np.zeros(self._n, dtype=bool)
        for move in self.moves:
            self.proven[move.cells] = True

    def _holds(self, move: Move) -> bool:
        rows = self._ties[:, move.cells].astype(np.int64) @ move.steps
        in_bounds = (rows >= self._lowest).all() and (rows <= self._highest).all()
        return bool(in_bounds and (move.steps >= self._lowest_step[move.cells]).all() and move.steps.all())

    def _neighbourhood(self, cell: int, hidden: NDArray[np.bool_], size: int) -> NDArray[np.int64]:
        """Return up to about ``size`` hidden cells around one, nearest first by the ties between them, sorted."""
        indptr, indices = self._ties_by_row.indptr, self._ties_by_row.indices
        found, front = {cell}, [cell]
        seen_rows: set[int] = set()
        while front and len(found) < size:
            rows = sorted(set(np.concatenate([self._rows_of(one) for one in front]).tolist()) - seen_rows)
            seen_rows.update(rows)
            following = []
            for row in rows:
                tied = indices[indptr[row] : indptr[row + 1]]
                fresh = [other for other in tied[hidden[tied]].tolist() if other not in found]
                found.update(fresh)
                following += fresh
                if len(found) >= size:
                    break
            front = following
        return np.array(sorted(found), dtype=np.int64)

    def _rows_of(self, cell: int) -> NDArray[np.int64]:
        rows: NDArray[np.int64] = self._ties.indices[self._ties.indptr[cell] : self._ties.indptr[cell + 1]]
        return rows

    def _programme(self, patch: NDArray[np.int64]) -> _Programme:
        ties = csr_array(self._ties[:, patch])
        rows = np.flatnonzero(np.diff(ties.indptr))
        return _Programme(
            patch, rows, csr_array(ties[rows]), self._lowest[rows], self._highest[rows], self._lowest_step[patch]
        )

    def _prove_together(self, left: list[int], hidden: NDArray[np.bool_], around_cells: int) -> None:
        """Try all of the cells, each once, in patches that are filled up with the neighbourhoods of several."""
        patch: set[int] = set()
        tried: set[int] = set()
        for cell in left:
            if self.proven[cell] or cell in tried:
                continue
            around = self._neighbourhood(cell, hidden, around_cells).tolist()
            patch.update(around)
            tried.update(around)
            if len(patch) >= PATCH_CELLS:
                self._prove_patch(patch)
                patch = set()
        if patch:
            self._prove_patch(patch)

    def _prove_patch(self, patch: set[int]) -> None:
        programme = self._programme(np.array(sorted(patch), dtype=np.int64))
        missing = ~self.proven[programme.patch]
        direction = np.where(missing, self._chance.choice([-1.0, 1.0], len(missing)), 0.0)
        self._keep(programme, programme.furthest(direction))

    def _prove_one(self, cell: int, hidden: NDArray[np.bool_]) -> dict[int, float] | None:
        """Try one cell in ever larger neighbourhoods; return what holds it, or None once it is proven."""
        held: dict[int, float] = {}
        tried = 0
        for size in GROWING_CELLS:
            patch = self._neighbourhood(cell, hidden, size)
            if len(patch) == tried:
                break
            tried = len(patch)
            programme = self._programme(patch)
            held = {}
            for side in (1.0, -1.0) if self._lowest_step[cell] else (1.0,):
                direction = np.where(patch == cell, side, 0.0)
                found = programme.furthest(direction)
                self._keep(programme, found)
                if self.proven[cell]:
                    return None
                if found is not None and found @ direction >= 1 - NEAR_WHOLE:
                    self._keep(programme, programme.furthest_whole(direction))
                if self.proven[cell]:
                    return None
                held |= programme.holding
        return held

    def _keep(self, programme: _Programme, steps: NDArray[np.float64] | None) -> None:
        """Keep each independent part of a solution that is whole and changes a cell that was not proven."""
        if steps is None:
            return
        for part in programme.parts(steps):
            whole = np.rint(steps[part])
            cells = programme.patch[part]
            if np.abs(whole - steps[part]).max() < NEAR_WHOLE and not self.proven[cells].all():
                move = Move(cells, whole.astype(np.int64))
                if self._holds(move):
                    self.moves.append(move)
                    self.proven[cells] = True


class _Programme:
    """Linear programmes over the steps of one neighbourhood."""

    def __init__(
        self,
        patch: NDArray[np.int64],
        rows: NDArray[np.int64],
        ties: csr_array,
        lowest: NDArray[np.float64],
        highest: NDArray[np.float64],
        lowest_step: NDArray[np.int64],
    ) -> None:
        self.patch, self._rows, self._ties = patch, rows, ties
        self._is_sum = highest == 0
        self._lowest, self._highest = lowest, highest
        self._lowest_step = lowest_step
        self.holding: dict[int, float] = {}

    def furthest(self, direction: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return the steps that go furthest in a direction; what holds them back is in ``holding`` afterwards."""
        equal, over = self._ties[self._is_sum], self._ties[~self._is_sum]
        solved = linprog(
            -direction,
            A_eq=equal if equal.shape[0] else None,
            b_eq=np.zeros(equal.shape[0]) if equal.shape[0] else None,
            A_ub=-over if over.shape[0] else None,
            b_ub=-self._lowest[~self._is_sum] if over.shape[0] else None,
            bounds=np.column_stack([self._lowest_step, np.full(len(self.patch), LARGEST_STEP)]),
            method="highs-ds",
        )
        if solved.x is None:
            return None
        weights = zip(self._rows[self._is_sum].tolist(), solved.eqlin.marginals.tolist(), strict=True)
        self.holding = {row: weight for row, weight in weights if abs(weight) > NEAR_WHOLE}
        steps: NDArray[np.float64] = solved.x
        return steps

    def furthest_whole(self, direction: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return whole steps that go far in a direction, or None where the search gives up."""
        solved = milp(
            -direction,
            integrality=np.ones(len(direction)),
            bounds=Bounds(self._lowest_step, np.full(len(self.patch), LARGEST_STEP)),
            constraints=LinearConstraint(self._ties, self._lowest, self._highest),
            options={"node_limit": SEARCH_NODES},
        )
        steps: NDArray[np.float64] | None = solved.x
        return steps

    def parts(self, steps: NDArray[np.float64]) -> list[NDArray[np.int64]]:
        """Return the positions that move, in parts that no tie connects: each part is a move by itself."""
        moving = np.flatnonzero(np.abs(steps) > NEAR_WHOLE)
        if not len(moving):
            return []
        ties = self._ties[:, moving]
        count, part = connected_components(abs(ties.T) @ abs(ties), directed=False)
        order = np.argsort(part, kind="stable")
        return [moving[one] for one in np.split(order, np.cumsum(np.bincount(part, minlength=count))[:-1])]

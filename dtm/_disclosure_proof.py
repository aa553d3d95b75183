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

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array, csc_array, csr_array, vstack
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from dtm._disclosure_system import System

PATCH_CELLS = 2_000
"""Hidden cells of a patch, in which many are proven at once."""
PASSES = (2_000, *(100, 200, 400, 800) * 3)
"""Sizes of the neighbourhoods that a patch is filled up with, pass by pass; then cells are tried one by one."""
GROWING_CELLS = (400, 4_000, 1_000_000)
"""Sizes of the neighbourhoods in which one cell is tried; the last one holds all that is tied to it."""
HELD_CELLS = (400,)
"""Size of the neighbourhood that is asked for what holds a cell which is known to have no other value."""
LIFTS = 12
"""Programmes that raise all counts of 1 together, each those that the ones before left."""
AT_ONCE = 32
"""Cells that are tried one by one at the same time, before their moves are shared."""
LARGEST_STEP = 1_000
"""No move changes a cell by more: a reader who can't tell the values up to here can't tell the value."""
SEARCH_NODES = 200
"""Branches of the search for whole numbers where a programme finds fractions only."""
NEAR_WHOLE = 1e-6
RANDOM_SEED = 20010

Result = TypeVar("Result")


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
        n_sums = system.n_relations
        self._lowest = np.concatenate([np.zeros(n_sums), cells.value[smaller] - cells.value[larger]])
        self._highest = np.concatenate([np.zeros(n_sums), np.full(len(pair), np.inf)])
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
        left = self._unproven(wanted)
        for around_cells in PASSES:
            self._prove_together(left, hidden, around_cells)
            left = self._unproven(left)
        held = self._lift_together(left, hidden)
        weights: dict[int, dict[int, float]] = {}
        left = self._unproven(left)
        for start in range(0, len(left), AT_ONCE):
            cells = self._unproven(left[start : start + AT_ONCE])
            sizes = [HELD_CELLS if cell in held else GROWING_CELLS for cell in cells]
            for cell, (moves, holding) in zip(
                cells, _each(partial(self._prove_one, hidden), cells, sizes), strict=True
            ):
                self._keep(moves)
                weights |= {cell: holding} if holding is not None else {}
        return {cell: holding for cell, holding in weights.items() if not self.proven[cell]}

    def _unproven(self, cells: Iterable[int]) -> list[int]:
        return [cell for cell in cells if not self.proven[cell]]

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
        patches: list[set[int]] = [set()]
        tried: set[int] = set()
        for cell in left:
            if cell not in tried:
                if len(patches[-1]) >= PATCH_CELLS:
                    patches.append(set())
                around = self._neighbourhood(cell, hidden, around_cells).tolist()
                patches[-1].update(around)
                tried.update(around)
        cells = [np.array(sorted(patch), dtype=np.int64) for patch in patches if patch]
        for moves in _each(self._try_patch, cells, [self._chance.spawn(1)[0] for _ in cells]):
            self._keep(moves)

    def _try_patch(self, patch: NDArray[np.int64], chance: np.random.Generator) -> list[Move]:
        programme = self._programme(patch)
        sides = chance.choice([-1.0, 1.0], len(patch))
        return self._moves(programme, programme.furthest(np.where(self.proven[patch], 0.0, sides)))

    def _lift_together(self, left: list[int], hidden: NDArray[np.bool_]) -> set[int]:
        """Raise at once all counts of 1 that are tied to each other; return those that nothing can raise.

        They can't fall. The tables that fit what is published are convex: where the sum of the steps can't be over 0,
        none of the steps can.
        """
        patches: list[NDArray[np.int64]] = []
        seen: set[int] = set()
        for cell in left:
            if cell not in seen and self._lowest_step[cell] == 0:
                patches.append(self._neighbourhood(cell, hidden, GROWING_CELLS[-1]))
                seen.update(patches[-1].tolist())
        wanted = [np.isin(patch, left) & (self._lowest_step[patch] == 0) for patch in patches]
        held: set[int] = set()
        for moves, cells in _each(self._lift, patches, wanted, [self._chance.spawn(1)[0] for _ in patches]):
            self._keep(moves)
            held.update(cells)
        return held

    def _lift(
        self, patch: NDArray[np.int64], wanted: NDArray[np.bool_], chance: np.random.Generator
    ) -> tuple[list[Move], list[int]]:
        programme = self._programme(patch)
        missing, found = wanted.copy(), list[Move]()
        for _ in range(LIFTS):
            lift = np.where(missing, chance.uniform(0.5, 1.5, len(missing)), 0.0)
            steps = programme.furthest(lift, highest=np.where(missing, 1, LARGEST_STEP))
            if steps is None:
                break
            if steps @ lift < NEAR_WHOLE:
                return found, patch[missing].tolist()
            moves = self._moves(programme, steps)
            found += moves
            missing &= ~np.isin(patch, [cell for move in moves for cell in move.cells])
        return found, []

    def _prove_one(
        self, hidden: NDArray[np.bool_], cell: int, sizes: tuple[int, ...]
    ) -> tuple[list[Move], dict[int, float] | None]:
        """Try one cell in ever larger neighbourhoods; return moves, and what holds it unless one of them changes it."""
        held: dict[int, float] = {}
        found: list[Move] = []
        tried = 0
        for size in sizes:
            patch = self._neighbourhood(cell, hidden, size)
            if len(patch) == tried:
                break
            tried = len(patch)
            programme = self._programme(patch)
            held = {}
            for side in (1.0, -1.0) if self._lowest_step[cell] else (1.0,):
                direction = np.where(patch == cell, side, 0.0)
                steps = programme.furthest(direction)
                found += self._moves(programme, steps)
                if steps is not None and steps @ direction >= 1 - NEAR_WHOLE and not _changes(found, cell):
                    found += self._moves(programme, programme.furthest_whole(direction))
                if _changes(found, cell):
                    return found, None
                held |= programme.holding
        return found, held

    def _moves(self, programme: _Programme, steps: NDArray[np.float64] | None) -> list[Move]:
        """Return the independent parts of a solution that are whole, each checked against the whole system."""
        if steps is None:
            return []
        moves = []
        for part in programme.parts(steps):
            whole = np.rint(steps[part])
            move = Move(programme.patch[part], whole.astype(np.int64))
            if np.abs(whole - steps[part]).max() < NEAR_WHOLE and self._holds(move):
                moves.append(move)
        return moves

    def _keep(self, moves: list[Move]) -> None:
        """Keep the moves that change a cell which was not proven."""
        for move in moves:
            if not self.proven[move.cells].all():
                self.moves.append(move)
                self.proven[move.cells] = True


def _changes(moves: list[Move], cell: int) -> bool:
    return any(cell in move.cells for move in moves)


def _each(work: Callable[..., Result], *arguments: Iterable[Any]) -> list[Result]:
    """Do independent work on all cores (the solver leaves the interpreter free); results are in the given order."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, *arguments))


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

    def furthest(
        self, direction: NDArray[np.float64], *, highest: NDArray[np.int64] | None = None
    ) -> NDArray[np.float64] | None:
        """Return the steps that go furthest in a direction; what holds them back is in ``holding`` afterwards."""
        highest = np.full(len(self.patch), LARGEST_STEP) if highest is None else highest
        equal, over = self._ties[self._is_sum], self._ties[~self._is_sum]
        solved = linprog(
            -direction,
            A_eq=equal if equal.shape[0] else None,
            b_eq=np.zeros(equal.shape[0]) if equal.shape[0] else None,
            A_ub=-over if over.shape[0] else None,
            b_ub=-self._lowest[~self._is_sum] if over.shape[0] else None,
            bounds=np.column_stack([self._lowest_step, highest]),
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

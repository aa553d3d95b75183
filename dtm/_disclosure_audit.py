"""Find hidden cells that the published figures determine, by exact elimination and by bounds.

The attacker knows every published figure, every relation of the system and that a hidden count is at least 1
(zeros are shown). A hidden cell follows uniquely from the published ones when its coordinate is zero in every
vector of the null space of the relations restricted to the hidden cells (Cox 1980). One vector of the null space
with random coordinates answers that for all cells at once: a coordinate that is free is zero in it with a chance of
1 in 2^61. The arithmetic is exact, in the integers modulo the prime 2^61 - 1; rows are eliminated sparsely, one
connected component at a time, the shortest row first.

References
----------
Cox 1980, Suppression methodology and statistical disclosure control, JASA 75(370).
Fischetti & Salazar 2001, Solving the cell suppression problem on tabular data with linear constraints,
Management Science 47(7).
"""

from __future__ import annotations

import heapq
import random
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from dtm._disclosure_system import System

PRIME = 2**61 - 1
"""Modulus of the elimination (a Mersenne prime)."""
RANDOM_SEED = 20010
"""The random coordinates are the same in every run, so that a release can be repeated."""
MAX_BOUND_SWEEPS = 60
"""Sweeps of bound propagation; more would only tighten bounds further (an audit can then miss, never invent)."""
_INFINITE = np.int64(2**50)
CONSTANT = -1
"""Column of the right-hand side, which is no unknown and never a pivot."""

Members = list[list[tuple[int, int]]]


def components(members: Members, relations_of: Members, hidden: list[bool], seeds: Iterable[int]) -> list[list[int]]:
    """Return the connected groups of hidden cells that hold a seed, each sorted."""
    seen: set[int] = set()
    seen_relations: set[int] = set()
    found: list[list[int]] = []
    for seed in seeds:
        if seed in seen or not hidden[seed]:
            continue
        seen.add(seed)
        group, stack = [seed], [seed]
        while stack:
            for relation, _ in relations_of[stack.pop()]:
                if relation in seen_relations:
                    continue
                seen_relations.add(relation)
                fresh = [cell for cell, _ in members[relation] if hidden[cell] and cell not in seen]
                seen.update(fresh)
                group.extend(fresh)
                stack.extend(fresh)
        found.append(sorted(group))
    return found


class _Elimination:
    """Eliminate sparse rows modulo the prime, remembering each pivot's row."""

    def __init__(self, rows: dict[int, dict[int, int]]) -> None:
        self.rows = rows
        self.columns: dict[int, set[int]] = {}
        for number, row in rows.items():
            for column in row:
                self.columns.setdefault(column, set()).add(number)
        self.pivots: list[tuple[int, dict[int, int]]] = []

    def _take(self, number: int) -> dict[int, int]:
        row = self.rows.pop(number)
        for column in row:
            self.columns[column].discard(number)
        return row

    def peel(self) -> None:
        """Pivot on columns that stand in one row only: nothing else has to change."""
        single = sorted((column for column, rows in self.columns.items() if len(rows) == 1), reverse=True)
        while single:
            column = single.pop()
            if len(self.columns[column]) != 1 or column == CONSTANT:
                continue
            row = self._take(next(iter(self.columns[column])))
            self.pivots.append((column, row))
            single.extend(other for other in row if len(self.columns[other]) == 1)

    def reduce(self) -> None:
        """Pivot on the rarest column of the shortest row until no row is left."""
        heap = [(len(row), number) for number, row in self.rows.items()]
        heapq.heapify(heap)
        while heap:
            length, number = heapq.heappop(heap)
            if number not in self.rows or len(self.rows[number]) != length:
                continue
            row = self._take(number)
            free = [column for column in row if column != CONSTANT]
            if not free:
                continue
            pivot = min(free, key=lambda column: (len(self.columns[column]), column))
            self.pivots.append((pivot, row))
            inverse = pow(row[pivot], -1, PRIME)
            for other in sorted(self.columns[pivot]):
                self._subtract(other, row, self.rows[other][pivot] * inverse % PRIME)
                heapq.heappush(heap, (len(self.rows[other]), other))

    def _subtract(self, other: int, row: dict[int, int], factor: int) -> None:
        target = self.rows[other]
        for column, coefficient in row.items():
            value = (target.get(column, 0) - factor * coefficient) % PRIME
            if value:
                target[column] = value
                self.columns[column].add(other)
            elif column in target:
                del target[column]
                self.columns[column].discard(other)


def determined_cells(members: Members, relations_of: Members, hidden: list[bool], group: list[int]) -> list[int]:
    """Return the cells of one connected group that the published figures determine."""
    numbers = sorted({relation for cell in group for relation, _ in relations_of[cell]})
    rows = {
        number: {cell: sign % PRIME for cell, sign in members[number] if hidden[cell]} for number in numbers
    }  # fmt: skip
    elimination = _Elimination(rows)
    elimination.peel()
    elimination.reduce()
    pivoted = {column for column, _ in elimination.pivots}
    chance = random.Random(RANDOM_SEED)  # noqa: S311  no secret hangs on it
    value = {cell: chance.randrange(1, PRIME) for cell in group if cell not in pivoted}
    for column, row in reversed(elimination.pivots):
        rest = sum(coefficient * value[other] for other, coefficient in row.items() if other != column)
        value[column] = -rest * pow(row[column], -1, PRIME) % PRIME
    return [cell for cell in group if value[cell] == 0]


def certificate(members: Members, relations_of: Members, group: list[int], cell: int) -> dict[int, int]:
    """Return weights of relations whose weighted sum leaves one hidden cell of a group alone; empty if none do.

    This is how a reader works the cell out. Solves, for the weights y, that y A is 1 in the column of the cell and 0
    in those of the other hidden cells; weights that are free are 0. Modulo the prime, as everything here.
    """
    rows = {one: {relation: sign % PRIME for relation, sign in relations_of[one]} for one in group}
    rows[cell][CONSTANT] = PRIME - 1
    elimination = _Elimination(rows)
    elimination.peel()
    elimination.reduce()
    weight = {CONSTANT: 1}
    for relation, row in reversed(elimination.pivots):
        rest = sum(coefficient * weight.get(other, 0) for other, coefficient in row.items() if other != relation)
        weight[relation] = -rest * pow(row[relation], -1, PRIME) % PRIME
    del weight[CONSTANT]
    weights = {relation: value for relation, value in weight.items() if value}
    inside = set(group)
    left: dict[int, int] = {}
    for relation, value in weights.items():
        for other, sign in members[relation]:
            if other in inside:
                left[other] = (left.get(other, 0) + value * sign) % PRIME
    return weights if {other: value for other, value in left.items() if value} == {cell: 1} else {}


def feasible_bounds(system: System, hidden: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the lowest and highest value each cell can have for a reader, by propagating bounds.

    Hidden counts begin at 1 and upwards, hidden changes at anything; each sweep tightens every cell by every
    relation it is in, and persons and households by each other. The bounds are true but not always the tightest
    (those need linear programming).
    """
    cells = system.cells
    low = np.where(hidden, np.where(cells.is_count, 1, -_INFINITE), cells.value).astype(np.int64)
    high = np.where(hidden, _INFINITE, cells.value).astype(np.int64)
    use = np.bincount(system.relation_of, hidden[system.cell_of], system.n_relations)[system.relation_of] > 0
    relation, cell, sign = system.relation_of[use], system.cell_of[use], system.sign_of[use]
    positive, moving = sign > 0, hidden[cell]
    more, less = system.at_least.T
    more_hidden, less_hidden = hidden[more], hidden[less]
    for _ in range(MAX_BOUND_SWEEPS if len(relation) else 0):
        before_low, before_high = low.copy(), high.copy()
        term_low = np.where(positive, low[cell], -high[cell])
        term_high = np.where(positive, high[cell], -low[cell])
        # the term of one cell equals minus the sum of the others' terms
        new_high = -_sum_of_others(relation, term_low, term_low <= -_INFINITE, system.n_relations)
        new_low = -_sum_of_others(relation, term_high, term_high >= _INFINITE, system.n_relations)
        cell_low, cell_high = np.where(positive, new_low, -new_high), np.where(positive, new_high, -new_low)
        np.maximum.at(low, cell[moving], cell_low[moving])
        np.minimum.at(high, cell[moving], cell_high[moving])
        np.maximum.at(low, more[more_hidden], low[less[more_hidden]])
        np.minimum.at(high, less[less_hidden], high[more[less_hidden]])
        if (low == before_low).all() and (high == before_high).all():
            break
    return low, high


def _sum_of_others(
    relation: NDArray[np.int64], term: NDArray[np.int64], endless: NDArray[np.bool_], n: int
) -> NDArray[np.int64]:
    """Sum the terms of the other cells of each relation; endless terms make the sum endless on their side."""
    total = np.zeros(n, dtype=np.int64)
    np.add.at(total, relation, np.where(endless, 0, term))
    unbounded = np.bincount(relation, endless, n)
    others = total[relation] - np.where(endless, 0, term)
    side = np.where(unbounded[relation] - endless > 0, 1, 0)
    direction = np.sign(term[endless][0]) if endless.any() else 1
    result: NDArray[np.int64] = np.where(side == 1, direction * _INFINITE, others)
    return result


class Bounds:
    """Say which relations hold a cell to its bounds."""

    def __init__(self, members: Members, low: list[int], high: list[int]) -> None:
        self._members, self._low, self._high = members, low, high

    def binds(self, relation: int, cell: int, sign: int) -> bool:
        """Return whether the other cells of the relation leave this one no more than its bounds do."""
        others_low = others_high = 0
        for other, other_sign in self._members[relation]:
            if other != cell:
                ends = sorted((other_sign * self._low[other], other_sign * self._high[other]))
                others_low += ends[0]
                others_high += ends[1]
        implied = (-others_high, -others_low) if sign > 0 else (others_low, others_high)
        loose_low = self._low[cell] <= 1 or implied[0] < self._low[cell]
        return implied[1] <= self._high[cell] or not loose_low

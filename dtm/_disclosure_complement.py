"""Choose the further cells to hide until no hidden cell follows from what is published.

The order of choice spares what planners read most: single cells of the finest level go before those of districts,
parts before totals, and the city's figures last; among equals the cell that opens no new gap in its other sums,
then the smallest, then the first by key. This is the greedy form of hierarchical suppression (de Wolf 2002, HiTaS;
Castro 2012 reviews the exact ones).

References
----------
de Wolf 2002, HiTaS: a heuristic approach to cell suppression in hierarchical tables, LNCS 2316.
Castro 2012, Recent advances in optimization techniques for statistical tabular data protection,
European Journal of Operational Research 216(2).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from dtm._disclosure_audit import (
    PRIME,
    Bounds,
    certificate,
    components,
    determined_cells,
    feasible_bounds,
)
from dtm._disclosure_proof import NEAR_WHOLE, Alternatives
from dtm._disclosure_system import TOP_TIER
from dtm.errors import ReleaseAuditError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from dtm._disclosure_system import System

REPAIR_STRIDE = 4
"""Of the cells that an audit finds derivable in a group, every so many are repaired before the next audit."""
LOWEST_THRESHOLD = 5
"""Thresholds are raised one by one from here, so that a higher threshold hides all that a lower one hides."""


class Suppression:
    """The pattern of hidden cells of one system, grown step by step."""

    def __init__(self, system: System) -> None:
        self.system = system
        cells = system.cells
        self._members = system.members()
        self._relations_of = system.relations_of_cells()
        self._partners: dict[int, list[int]] = {}
        for larger, smaller in system.at_least.tolist():
            self._partners.setdefault(larger, []).append(smaller)
            self._partners.setdefault(smaller, []).append(larger)
        self._value = cells.value.tolist()
        self._tier = cells.tier.tolist()
        self._is_count = cells.is_count.tolist()
        self.hidden = [False] * len(cells)
        self._n_hidden = [0] * system.n_relations
        self._n_positive = [0] * system.n_relations
        self._n_changes = [0] * system.n_relations
        self._mass = [0] * system.n_relations
        self._queue: deque[int] = deque()
        self._dirty: set[int] = set()
        self._threshold = 0
        self._is_free, self._n_free = self._free_cells()
        final = np.zeros(system.n_relations, dtype=np.int64)
        np.maximum.at(final, system.relation_of, cells.threshold[system.cell_of])
        self._final_threshold = final.tolist()
        self._alternatives = Alternatives(system)
        self.audits = 0
        self.largest_component = 0
        for cell in np.flatnonzero(~cells.is_released).tolist():
            self.hide(cell)

    def _free_cells(self, *, ceiling: int | None = None) -> tuple[NDArray[np.bool_], list[int]]:
        """Return which hidden cells need no protection, and how many of them each relation has."""
        free = self.system.cells.is_free(ceiling=ceiling)
        return free, np.bincount(self.system.relation_of, free[self.system.cell_of], self.system.n_relations).tolist()

    def hide(self, cell: int) -> None:
        """Hide a cell and queue the relations it is in."""
        if self.hidden[cell]:
            return
        self.hidden[cell] = True
        self._dirty.add(cell)
        for relation, sign in self._relations_of[cell]:
            self._n_hidden[relation] += 1
            self._n_positive[relation] += sign > 0
            self._n_changes[relation] += not self._is_count[cell]
            self._mass[relation] += sign * self._value[cell]
            self._queue.append(relation)
        for follower in self.system.followers.get(cell, ()):
            self.hide(follower)

    def _is_open(self, relation: int) -> bool:
        """Say whether the hidden cells of a relation are too few, or too small together.

        Their sum follows from the published cells. It must be at least the threshold, and more than their number
        (each is at least 1, so that a sum equal to their number would tell every one of them).
        """
        count = self._n_hidden[relation]
        if count == self._n_free[relation]:
            return False
        if count == 1:
            return True
        if self._n_changes[relation] or 0 < self._n_positive[relation] < count:
            return False
        needed = max(min(self._threshold, self._final_threshold[relation]), count + 1)
        return abs(self._mass[relation]) < needed

    def _cost(self, cell: int, *, wanted: int) -> tuple[int, int, bool, int, int]:
        """Return what hiding a published cell costs, to be compared; the cell itself comes last."""
        gaps = sum(self._n_hidden[relation] == 0 for relation, _ in self._relations_of[cell])
        value = abs(self._value[cell])
        return (self._tier[cell], gaps, value < wanted, value, cell)

    def _best(self, relations: Iterable[int], *, wanted: int) -> int | None:
        """Return the published cell of these relations that costs least to hide; one of ``wanted`` or more if any."""
        shown = (cell for relation in relations for cell, _ in self._members[relation] if not self.hidden[cell])
        best = min((self._cost(cell, wanted=wanted) for cell in shown), default=None)
        return None if best is None else best[-1]

    def _best_near(self, front: Iterable[int], relations: Iterable[int]) -> int | None:
        """Return the published cell that costs least of these relations; else of the partners of the cells in front.

        Published households hold hidden persons to a bound of their own.
        """
        near = self._best(relations, wanted=0)
        if near is not None:
            return near
        cells = {partner for cell in front for partner in self._partners.get(cell, ()) if not self.hidden[partner]}
        return min(cells, key=lambda cell: self._cost(cell, wanted=0), default=None)

    def _hidden_partners(self, front: Iterable[int]) -> set[int]:
        return {partner for cell in front for partner in self._partners.get(cell, ()) if self.hidden[partner]}

    def close(self) -> None:
        """Hide further cells until no relation is open."""
        while self._queue:
            relation = self._queue.popleft()
            while self._is_open(relation):
                missing = min(self._threshold, self._final_threshold[relation]) - abs(self._mass[relation])
                cell = self._best([relation], wanted=missing)
                if cell is None:
                    break
                self.hide(cell)

    def _repair(self, cell: int, group: list[int]) -> int:
        """Hide one more cell so that a cell can't be derived the way it can now, and return it.

        What tells the cell is a weighted sum of relations in which every other hidden cell cancels out; hiding any
        published cell that does not cancel breaks it.
        """
        weights = certificate(self._members, self._relations_of, group, cell)
        breaks: dict[int, int] = {}
        for relation, weight in weights.items():
            for other, sign in self._members[relation]:
                if not self.hidden[other]:
                    breaks[other] = (breaks.get(other, 0) + weight * sign) % PRIME
        near = min((self._cost(other, wanted=0) for other, left in breaks.items() if left), default=None)
        if near is None:
            return self._hide_around(cell)
        self.hide(near[-1])
        return near[-1]

    def _hide_around(self, cell: int) -> int:
        """Hide the published cell nearest to one, going outwards through hidden cells, and return it.

        The city's own figures come last.
        """
        seen, front = {cell}, [cell]
        seen_relations: set[int] = set()
        last_resort: int | None = None
        while front:
            relations = sorted(
                {relation for other in front for relation, _ in self._relations_of[other]} - seen_relations
            )
            near = self._best_near(front, relations)
            if near is not None and self._tier[near] < TOP_TIER:
                self.hide(near)
                return near
            last_resort = near if last_resort is None else last_resort
            seen_relations.update(relations)
            beside = self._hidden_partners(front)
            front = sorted(
                ({other for r in relations for other, _ in self._members[r] if self.hidden[other]} | beside) - seen
            )
            seen.update(front)
        if last_resort is None:
            raise ReleaseAuditError(
                "The release was stopped: a hidden figure would follow from the published ones and nothing is left "
                "to hide beside it. Raise the thresholds in dtm.toml, or report this as a fault; nothing was changed."
            )
        self.hide(last_resort)
        return last_resort

    def _audit_step(self) -> bool:
        """Repair each group of hidden cells that changed and holds a cell that can be derived.

        One repair often serves several cells, so of those of a group only every fourth is repaired before the next
        audit, and none that shares a sum with a cell that was just hidden.
        """
        groups = components(self._members, self._relations_of, self.hidden, sorted(self._dirty))
        self._dirty.clear()
        self.audits += 1
        found: list[tuple[int, list[int]]] = []
        for group in groups:  # all groups first: a repair can tie one to another
            self.largest_component = max(self.largest_component, len(group))
            determined = determined_cells(self._members, self._relations_of, self.hidden, group)
            told = [cell for cell in determined if not self._is_free[cell]]
            found.extend((cell, group) for cell in told[::REPAIR_STRIDE])
        served: set[int] = set()
        for cell, group in found:
            if any(relation in served for relation, _ in self._relations_of[cell]):
                continue
            near = self._repair(cell, group)
            served.update(relation for relation, _ in self._relations_of[near])
        return bool(found)

    def _bounds_step(self) -> bool:
        """Loosen the bounds that leave one value, once in each neighbourhood."""
        protected = self._protected()
        low, high = feasible_bounds(self.system, self._hidden())
        pinned = np.flatnonzero(protected & self.system.cells.is_count & (low >= high))
        bounds = Bounds(self._members, low.tolist(), high.tolist())
        eased: set[int] = set()
        for cell in pinned.tolist():
            if cell not in eased:
                self._note(self._loosen(cell, bounds), eased)
        if len(pinned) and not eased:  # nothing but the highest level is left to hide
            for cell in pinned.tolist()[::REPAIR_STRIDE]:
                if cell not in eased:
                    self._note(self._loosen_at_the_top(cell, bounds, is_first=not eased), eased)
        return len(pinned) > 0

    def _hidden(self) -> NDArray[np.bool_]:
        return np.array(self.hidden, dtype=bool)

    def _protected(self) -> NDArray[np.bool_]:
        return self._hidden() & ~self._is_free

    def _proof_step(self) -> bool:
        """Hide a further cell for each hidden one that has no other value, once in each neighbourhood."""
        held = self._alternatives.prove(self._hidden(), np.flatnonzero(self._protected()).tolist())
        eased: set[int] = set()
        for cell, weights in held.items():
            if cell not in eased:
                self._note(self._release(cell, weights, is_first=not eased), eased)
        return bool(held)

    def _release(self, cell: int, weights: dict[int, float], *, is_first: bool) -> int | None:
        """Hide the cheapest published cell of the sums that hold a cell to its value, weighed as they hold it.

        What was hidden for another cell may have freed this one already: only the first of a pass must find a cell.
        """
        gives: dict[int, float] = {}
        for relation, weight in weights.items():
            for other, sign in self._members[relation]:
                if not self.hidden[other]:
                    gives[other] = gives.get(other, 0.0) + weight * sign
        costs = (self._cost(other, wanted=0) for other, given in gives.items() if abs(given) > NEAR_WHOLE)
        near = min((cost for cost in costs if cost[0] < TOP_TIER), default=None)
        if near is None:
            return self._hide_around(cell) if is_first else None
        self.hide(near[-1])
        return near[-1]

    def _note(self, near: int | None, eased: set[int]) -> None:
        """Add the neighbours of a cell that was just hidden to those that a pass leaves alone."""
        if near is not None:
            eased.update([near, *self._partners.get(near, ())])
            for relation, _ in self._relations_of[near]:
                eased.update(other for other, _ in self._members[relation])

    def _binding_cells(self, cell: int, bounds: Bounds) -> Iterator[int]:
        """Yield the cheapest published cell of the sums that hold a cell's bounds, then of those behind them."""
        seen, front = {cell}, [cell]
        while front:
            entries = ((r, other, sign) for other in front for r, sign in self._relations_of[other])
            binding = sorted({r for r, other, sign in entries if bounds.binds(r, other, sign)})
            near = self._best_near(front, binding)
            if near is not None:
                yield near
            behind = {other for relation in binding for other, _ in self._members[relation] if self.hidden[other]}
            behind |= self._hidden_partners(front)
            front = sorted(behind - seen)
            seen |= behind

    def _loosen(self, cell: int, bounds: Bounds) -> int | None:
        """Hide a published cell below the highest level in the sums that hold the cell's bounds, if there is one."""
        near = next((near for near in self._binding_cells(cell, bounds) if self._tier[near] < TOP_TIER), None)
        if near is not None:
            self.hide(near)
        return near

    def _loosen_at_the_top(self, cell: int, bounds: Bounds, *, is_first: bool) -> int | None:
        """Hide a published cell of any level in the sums that hold the cell's bounds.

        The bounds were computed before the pass, and what was hidden for another cell may have loosened these
        already: only the first of a pass must find a cell to hide.
        """
        near = next(self._binding_cells(cell, bounds), None)
        if near is not None:
            self.hide(near)
            return near
        return self._hide_around(cell) if is_first else None

    def protect(self, *, also: Iterable[int] = ()) -> None:
        """Hide what is under the thresholds (and the cells of ``also``), then all that this takes.

        The threshold rises step by step to the final one, each time closing and auditing the pattern.
        """
        cells = self.system.cells
        for cell in also:
            self.hide(cell)
        highest = int(cells.threshold.max(initial=LOWEST_THRESHOLD))
        for threshold in range(LOWEST_THRESHOLD, highest + 1):
            self._threshold = threshold
            was_free = self._is_free
            self._is_free, self._n_free = self._free_cells(ceiling=threshold)
            self._dirty.update(np.flatnonzero(was_free & ~self._is_free).tolist())
            for cell in np.flatnonzero(cells.primary(ceiling=threshold)).tolist():
                self.hide(cell)
            self._queue.extend(range(self.system.n_relations))
            while True:
                self.close()
                if self._audit_step() or self._queue or self._bounds_step() or self._proof_step():
                    continue
                break

    def verify(self) -> None:
        """Check once more that each protected cell has another value.

        Raises
        ------
        ReleaseAuditError
            A hidden cell can still be derived.
        """
        self._alternatives.check(self._hidden())
        left = self._alternatives.prove(self._hidden(), np.flatnonzero(self._protected()).tolist())
        if left:
            raise ReleaseAuditError(
                f"The release was stopped: {len(left)} hidden figures would follow from the published ones. "
                "Please report this as a fault; nothing was changed."
            )

"""Hold the figures of a release and the sums that tie them as one signed linear system of integer cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_RELATION_CELLS = 2
"""A sum with one cell that is not zero ties nothing: that cell has the sum's own value."""

TOP_TIER = 4
"""Tier of the items of the uppermost level; its totals have the next. They are hidden only as the last resort."""


@dataclass
class Cells:
    """Figures that are not null, in one fixed order.

    Parameters
    ----------
    value
        The counts (changes between rounds may be negative).
    threshold
        Counts from 1 to one less than this are hidden; 0 for figures that no threshold applies to.
    tier
        Rank by which cells are spared when one more must be hidden; the lowest is hidden first.
    is_count
        True for counts, which a reader knows to be at least 1 when hidden (zeros are shown); False for changes.
    is_released
        False for figures that no table has, but that sums of the tables may tell: they are hidden from the start, and
        protected where they are under their threshold. All are released where this is not given.
    """

    value: NDArray[np.int64]
    threshold: NDArray[np.int64]
    tier: NDArray[np.int64]
    is_count: NDArray[np.bool_]
    is_released: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def __post_init__(self) -> None:
        """Take all cells as released where nothing else is told."""
        if len(self.is_released) != len(self.value):
            self.is_released = np.ones(len(self.value), dtype=bool)

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.value)

    def primary(self, *, ceiling: int | None = None) -> NDArray[np.bool_]:
        """Return the cells under their threshold (or under ``ceiling`` where that is lower)."""
        threshold = self.threshold if ceiling is None else np.minimum(self.threshold, ceiling)
        hidden: NDArray[np.bool_] = self.is_count & (self.value >= 1) & (self.value < threshold)
        return hidden

    def is_free(self, *, ceiling: int | None = None) -> NDArray[np.bool_]:
        """Return the cells that are not released and need no protection: a reader may work them out."""
        free: NDArray[np.bool_] = ~self.is_released & ~self.primary(ceiling=ceiling)
        return free


@dataclass
class System:
    """Cells and the relations ``sum(sign * value) = 0`` between them, without the cells that are zero."""

    cells: Cells
    relation_of: NDArray[np.int64]
    cell_of: NDArray[np.int64]
    sign_of: NDArray[np.int64]
    n_relations: int
    followers: dict[int, list[int]] = field(default_factory=dict)
    """Cells that are hidden with a cell, because they are computed from it."""
    at_least: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64))
    """Pairs of cells (rows) of which the first is at least the second: persons and their households."""
    kind_counts: dict[str, int] = field(default_factory=dict)
    not_holding: dict[str, int] = field(default_factory=dict)

    def members(self) -> list[list[tuple[int, int]]]:
        """Return the (cell, sign) pairs of each relation."""
        table: list[list[tuple[int, int]]] = [[] for _ in range(self.n_relations)]
        entries = zip(self.relation_of.tolist(), self.cell_of.tolist(), self.sign_of.tolist(), strict=True)
        for relation, cell, sign in entries:
            table[relation].append((cell, sign))
        return table

    def relations_of_cells(self) -> list[list[tuple[int, int]]]:
        """Return the (relation, sign) pairs of each cell."""
        table: list[list[tuple[int, int]]] = [[] for _ in range(len(self.cells))]
        entries = zip(self.relation_of.tolist(), self.cell_of.tolist(), self.sign_of.tolist(), strict=True)
        for relation, cell, sign in entries:
            table[cell].append((relation, sign))
        return table


class SystemBuilder:
    """Collect relations of several kinds, keep those that hold in the data, and make the system."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._parts: list[pd.DataFrame] = []
        self._count = 0
        self._kinds: dict[str, int] = {}
        self._broken: dict[str, int] = {}
        self._followers: dict[int, list[int]] = {}
        self._at_least: list[NDArray[np.int64]] = []

    def bound(self, larger: pd.DataFrame, smaller: pd.DataFrame, by: list[str]) -> None:
        """Tell that the cell of one frame is never under that of the other with the same ``by``, where that holds."""
        pairs = larger[[*by, "cell"]].merge(smaller[[*by, "cell"]], on=by, suffixes=("", "_smaller"))
        found = pairs[["cell", "cell_smaller"]].to_numpy(dtype=np.int64)
        value = self._cells.value[found]
        self._at_least.append(found[(value[:, 0] >= value[:, 1]) & (value[:, 1] > 0)])

    def follow(self, cells: pd.Series, followers: pd.Series) -> None:
        """Have each follower hidden whenever its cell is."""
        for cell, follower in zip(cells.tolist(), followers.tolist(), strict=True):
            self._followers.setdefault(cell, []).append(follower)

    def add(self, kind: str, parts: list[tuple[pd.DataFrame, int]], by: list[str]) -> None:
        """Add one relation for each group of rows that agree on the columns ``by``.

        Parameters
        ----------
        kind
            Word for the counts in the summary.
        parts
            Frames with a column ``cell`` (the cell's number) and the columns ``by``, each with its sign.
        by
            Columns that tell the relations apart.

        Notes
        -----
        A group is a relation only where the sum is exact in the data and both signs are there (or two cells at
        least); where it is not, a reader who trusted it would be wrong, so there is nothing to protect.
        """
        frames = [frame[[*by, "cell"]].assign(sign=sign) for frame, sign in parts if len(frame)]
        if not frames:
            return
        rows = pd.concat(frames, ignore_index=True)
        rows["cell"] = rows["cell"].astype(np.int64)
        group = rows.groupby(by, sort=True, dropna=False).ngroup().to_numpy()
        cell, sign = rows["cell"].to_numpy(), rows["sign"].to_numpy().astype(np.int64)
        n_groups = int(group.max()) + 1
        total = np.zeros(n_groups, dtype=np.int64)
        np.add.at(total, group, sign * self._cells.value[cell])
        has_both = (np.bincount(group, sign > 0, n_groups) > 0) & (np.bincount(group, sign < 0, n_groups) > 0)
        nonzero = self._cells.value[cell] != 0
        size = np.bincount(group, nonzero, n_groups)
        kept = has_both & (total == 0) & (size >= MIN_RELATION_CELLS)
        self._broken[kind] = self._broken.get(kind, 0) + int((has_both & (total != 0)).sum())
        number = np.cumsum(kept) - 1 + self._count
        use = kept[group] & nonzero
        self._parts.append(pd.DataFrame({"relation": number[group[use]], "cell": cell[use], "sign": sign[use]}))
        self._count += int(kept.sum())
        self._kinds[kind] = self._kinds.get(kind, 0) + int(kept.sum())

    def build(self) -> System:
        """Return the system; the entries are sorted by relation, then cell."""
        columns = ["relation", "cell", "sign"]
        entries = pd.concat(self._parts, ignore_index=True) if self._parts else pd.DataFrame(columns=columns)
        entries = entries.astype(np.int64).groupby(["relation", "cell"], sort=True)[["sign"]].sum().reset_index()
        entries = entries[entries["sign"] != 0]
        return System(
            cells=self._cells,
            relation_of=entries["relation"].to_numpy(np.int64),
            cell_of=entries["cell"].to_numpy(np.int64),
            sign_of=entries["sign"].to_numpy(np.int64),
            n_relations=self._count,
            followers=self._followers,
            at_least=np.concatenate([np.zeros((0, 2), dtype=np.int64), *self._at_least]),
            kind_counts=dict(sorted(self._kinds.items())),
            not_holding={kind: count for kind, count in sorted(self._broken.items()) if count},
        )

"""Sum and scale a sparse table by factors, entry by entry."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dtm._fitting_dense import Floats


class SparseTable:
    """Entries with a coordinate on each axis; entries of one cell may repeat and share its fit in proportion."""

    def __init__(self, seed: Any, axes: Sequence[tuple[int, ...]]) -> None:
        self.seed = seed
        self.values: Floats = np.asarray(seed.data, dtype=np.float64)
        self.axes = list(axes)
        coordinates = [np.asarray(line) for line in seed.coords]
        self.shapes = [tuple(seed.shape[axis] for axis in kept) for kept in axes]
        self.places = [
            np.ravel_multi_index([coordinates[axis] for axis in kept], shape) if len(kept) > 1 else coordinates[kept[0]]
            for kept, shape in zip(axes, self.shapes, strict=True)
        ]
        is_matrix = len(seed.shape) == len(axes) == 2 and sorted(map(tuple, axes)) == [(0,), (1,)]  # noqa: PLR2004
        self.matrix = None
        if is_matrix:
            entries = (self.values, (self.places[0], self.places[1]))
            self.matrix = sparse.csr_array(entries, shape=(self.shapes[0][0], self.shapes[1][0]))

    def sweep(self, update: Callable[[int, Floats], None], factors: list[Floats]) -> None:
        """Hand each margin's sums to `update`; see `SeparateMargins.sweep`."""
        if self.matrix is not None:
            update(0, np.asarray(self.matrix @ factors[1]))
            update(1, np.asarray(self.matrix.T @ factors[0]))
            return
        for position, (place, shape) in enumerate(zip(self.places, self.shapes, strict=True)):
            weights = self._weights([p for p in range(len(self.places)) if p != position], factors)
            update(position, np.bincount(place, weights, minlength=int(np.prod(shape))).reshape(shape))

    def _weights(self, positions: Sequence[int], factors: list[Floats]) -> Floats:
        weights = self.values.copy()
        for position in positions:
            weights *= factors[position].ravel()[self.places[position]]
        return weights

    def holding(self, seed: Any) -> SparseTable:
        """Return a table of the same entries with other values, to be summed a few times: no matrix is made of it."""
        other = copy(self)
        other.seed, other.values, other.matrix = seed, np.asarray(seed.data, dtype=np.float64), None
        return other

    def scaled(self, factors: list[Floats]) -> Any:
        """Return the entries times all factors, as a COO array of the same entries in the same order."""
        weights = self._weights(range(len(self.places)), factors)
        return sparse.coo_array((weights, self.seed.coords), shape=self.seed.shape)

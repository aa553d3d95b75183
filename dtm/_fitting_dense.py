"""Sum and scale a dense table by factors, so that a sweep over its margins costs two matrix-vector products."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from math import prod
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Floats: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Bools: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

BLOCK_CELLS = 1 << 17
"""Cells that are worked on at a time: 1 MB, which stays in a core's cache."""
PARALLEL_CELLS = 1 << 20
"""Smallest table whose blocks are spread over the cores."""
NARROW = 64
"""Columns below which a row is too short for a loop of its own; such products are left to BLAS."""
SPANS_PER_CORE = 4


def outer(vectors: Iterable[Floats]) -> Floats:
    """Return the products of all combinations of entries, as one vector in C order."""
    return np.asarray(reduce(np.multiply.outer, vectors), dtype=np.float64).ravel()


def in_blocks(work: Callable[[int, int], None], *, rows: int, cells: int, block_cells: int = BLOCK_CELLS) -> None:
    """Call `work(first, last)` for blocks of rows, on all cores where the table is large."""
    step = max(1, block_cells * rows // max(cells, 1))
    spans = [(first, min(first + step, rows)) for first in range(0, rows, step)]
    if cells < PARALLEL_CELLS:
        for first, last in spans:
            work(first, last)
        return
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in [pool.submit(work, *span) for span in spans]:
            done.result()


def _span_cells(cells: int) -> int:
    """Return the size of blocks that need no room of their own: a few for each core."""
    return max(BLOCK_CELLS, -(-cells // (SPANS_PER_CORE * (os.cpu_count() or 1))))


def by_columns(matrix: Floats, weights: Floats) -> Floats:
    """Return the sums of rows, columns weighted.

    The product is NumPy's own, spread over the cores by us: memory is the limit either way, and BLAS's threads wait for
    each other by spinning, which on a busy machine takes longer than the work.
    """
    if matrix.shape[1] < NARROW:
        return np.asarray(matrix @ weights)
    total = np.empty(matrix.shape[0])

    def work(first: int, last: int) -> None:
        np.einsum("ij,j->i", matrix[first:last], weights, out=total[first:last])

    in_blocks(work, rows=matrix.shape[0], cells=matrix.size, block_cells=_span_cells(matrix.size))
    return total


def by_rows(weights: Floats, matrix: Floats) -> Floats:
    """Return the sums of columns, rows weighted; see `by_columns`."""
    if matrix.shape[1] < NARROW:
        return np.asarray(weights @ matrix)
    parts: dict[int, Floats] = {}

    def work(first: int, last: int) -> None:
        parts[first] = np.einsum("i,ij->j", weights[first:last], matrix[first:last])

    in_blocks(work, rows=matrix.shape[0], cells=matrix.size, block_cells=_span_cells(matrix.size))
    total = np.zeros(matrix.shape[1])
    for first in sorted(parts):  # in one order, so that the same input gives the same bits
        total += parts[first]
    return total


def looked_over(seed: Floats) -> tuple[float, float, int]:
    """Return the least cell (NaN if any is), the total and the count of cells above 0, in one pass."""
    if not seed.size:
        return 0.0, 0.0, 0
    flat = seed.reshape(seed.shape[0], -1)
    seen: dict[int, tuple[float, float, int]] = {}

    def look(first: int, last: int) -> None:
        block = flat[first:last]
        seen[first] = (float(block.min()), float(block.sum()), int(np.count_nonzero(block)))

    in_blocks(look, rows=flat.shape[0], cells=flat.size)
    lows, totals, positives = zip(*(seen[first] for first in sorted(seen)), strict=True)
    return float(np.min(lows)), float(np.sum(totals)), int(sum(positives))


class SeparateMargins:
    """A dense table whose margins share no axis: axis p of `cells` is margin p; a further axis has none.

    Each sweep reads the table twice whatever the number of margins: the axes are split in two halves, the table is
    summed over one half (a matrix-vector product), the other half is brought up to date on that small sum, and the
    other way round. No copy of the table is made before the answer.
    """

    def __init__(self, cells: Floats, n_margins: int) -> None:
        self.cells = cells
        self.n_margins = n_margins
        self.sizes = cells.shape

    def sweep(self, update: Callable[[int, Floats], None], factors: list[Floats]) -> None:
        """Hand each margin's sums to `update`, which may change that margin's factor before the next is summed.

        The sums of margin p are those of the cells times all factors but its own.
        """
        self._sweep(self.cells.reshape(-1), 0, len(self.sizes), update, factors)

    def _sweep(
        self,
        cells: Floats,
        start: int,
        stop: int,
        update: Callable[[int, Floats], None],
        factors: list[Floats],
    ) -> None:
        if stop - start == 1:
            if start < self.n_margins:
                update(start, cells)
            return
        middle = _split(self.sizes, start, stop)
        matrix = cells.reshape(prod(self.sizes[start:middle]), prod(self.sizes[middle:stop]))
        self._sweep(by_columns(matrix, outer(self._weights(middle, stop, factors))), start, middle, update, factors)
        self._sweep(by_rows(outer(self._weights(start, middle, factors)), matrix), middle, stop, update, factors)

    def _weights(self, start: int, stop: int, factors: list[Floats]) -> list[Floats]:
        return [factors[p] if p < self.n_margins else np.ones(self.sizes[p]) for p in range(start, stop)]

    def holding(self, cells: Floats) -> SeparateMargins:
        """Return a table of the same make with other cells."""
        return SeparateMargins(cells, self.n_margins)

    def scaled(self, factors: list[Floats]) -> Floats:
        """Return the cells times all factors, in a new array."""
        middle = _split(self.sizes, 0, len(self.sizes)) if len(self.sizes) > 1 else 1
        rows = outer(self._weights(0, middle, factors))
        columns = outer(self._weights(middle, len(self.sizes), factors)) if middle < len(self.sizes) else np.ones(1)
        answer = np.empty_like(self.cells)
        source, target = (table.reshape(rows.size, columns.size) for table in (self.cells, answer))

        def work(first: int, last: int) -> None:
            block = target[first:last]
            np.multiply(source[first:last], columns, out=block)
            block *= rows[first:last, np.newaxis]

        in_blocks(work, rows=rows.size, cells=answer.size)
        return answer


class SharedMargins:
    """A dense table whose margins share axes, as origin x group and destination x group do; worked on in blocks."""

    def __init__(self, cells: Floats, axes: Sequence[tuple[int, ...]]) -> None:
        self.cells = cells
        self.axes = list(axes)

    def sweep(self, update: Callable[[int, Floats], None], factors: list[Floats]) -> None:
        """Hand each margin's sums to `update`; see `SeparateMargins.sweep`."""
        for position in range(len(self.axes)):
            update(position, self._sums(position, factors))

    def _sums(self, position: int, factors: list[Floats]) -> Floats:
        kept = self.axes[position]
        summed = tuple(axis for axis in range(self.cells.ndim) if axis not in kept)
        total = np.zeros([self.cells.shape[axis] for axis in kept])
        others = [p for p in range(len(self.axes)) if p != position]
        apart: dict[int, Floats] = {}

        def work(first: int, last: int) -> None:
            block = self._scaled_block(first, last, others, factors).sum(axis=summed)
            if 0 in kept:
                total[first:last] = block
            else:
                apart[first] = block

        in_blocks(work, rows=self.cells.shape[0], cells=self.cells.size)
        for first in sorted(apart):
            total += apart[first]
        return total

    def _scaled_block(self, first: int, last: int, positions: Sequence[int], factors: list[Floats]) -> Floats:
        block = self.cells[first:last].copy()
        for position in positions:
            axes, factor = self.axes[position], factors[position]
            shape = [self.cells.shape[axis] if axis in axes else 1 for axis in range(self.cells.ndim)]
            wide = factor.reshape(shape)
            block *= wide[first:last] if 0 in axes else wide
        return block

    def holding(self, cells: Floats) -> SharedMargins:
        """Return a table of the same make with other cells."""
        return SharedMargins(cells, self.axes)

    def scaled(self, factors: list[Floats]) -> Floats:
        """Return the cells times all factors, in a new array."""
        answer = np.empty_like(self.cells)

        def work(first: int, last: int) -> None:
            answer[first:last] = self._scaled_block(first, last, range(len(self.axes)), factors)

        in_blocks(work, rows=answer.shape[0], cells=answer.size)
        return answer


def _split(sizes: Sequence[int], start: int, stop: int) -> int:
    """Return where to cut the axes so that the longer of the two vectors of weights is as short as can be."""
    return min(range(start + 1, stop), key=lambda middle: max(prod(sizes[start:middle]), prod(sizes[middle:stop])))

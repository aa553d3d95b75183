"""Prepare the seed of a fit, choose the cheapest way its margins allow, and fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from dtm._fitting_dense import SeparateMargins, SharedMargins, looked_over
from dtm._fitting_iterate import Fitted, scale_to_margins
from dtm._fitting_margins import Margins
from dtm._fitting_sparse import SparseTable
from dtm.errors import BadInputError, DtmError, WrongUseError

if TYPE_CHECKING:
    from dtm._fitting_dense import Floats
    from dtm._fitting_iterate import Table


def prepared_seed(seed: Any, structural_zeros: Any, *, zero_diagonal: bool) -> Any:
    """Return the seed as a float array in C order, or as a COO array; a copy only where it must be changed."""
    shape = shape_of(seed)
    zeros = _zeros(structural_zeros, shape, zero_diagonal=zero_diagonal)
    return _entries(seed, zeros) if sparse.issparse(seed) else _cells(seed, zeros)


def shape_of(seed: Any) -> tuple[int, ...]:
    """Return the shape of a dense or sparse seed."""
    return tuple(seed.shape) if sparse.issparse(seed) else np.shape(seed)


def seed_facts(seed: Any, margins: Margins) -> tuple[float, int]:
    """Return the seed's total and its count of cells above 0, or refuse a cell that is no number of persons."""
    if not sparse.issparse(seed):
        least, total, positive = looked_over(seed)
    else:
        least, total, positive = looked_over(seed.data)
        if least >= 0:
            above = seed.data > 0
            cells = np.sort(np.ravel_multi_index([line[above] for line in seed.coords], seed.shape))
            positive = min(cells.size, 1) + int(np.count_nonzero(np.diff(cells)))
    if not (least >= 0 and np.isfinite(total)):
        _refuse_seed(seed, margins)
    return total, positive


def _zeros(structural_zeros: Any, shape: tuple[int, ...], *, zero_diagonal: bool) -> Any:
    """Return the flat positions of the structural zeros, or none."""
    places = []
    if structural_zeros is not None:
        if tuple(structural_zeros.shape) != shape:
            raise WrongUseError(f"The structural zeros have the shape {structural_zeros.shape}, the seed has {shape}.")
        if sparse.issparse(structural_zeros):
            listed = structural_zeros.tocoo()
            kept = listed.data.astype(bool)
            places.append(np.ravel_multi_index([line[kept] for line in listed.coords], shape))
        else:
            places.append(np.flatnonzero(structural_zeros))
    if zero_diagonal:
        if len(shape) < 2 or shape[0] != shape[1]:  # noqa: PLR2004
            raise WrongUseError(f"A table of {' x '.join(map(str, shape))} has no diagonal: rows and columns differ.")
        behind = int(np.prod(shape[2:]))
        starts = np.arange(shape[0]) * (shape[0] + 1) * behind
        places.append((starts[:, np.newaxis] + np.arange(behind)).ravel())
    return np.concatenate(places) if places else None


def _cells(seed: Any, zeros: Any) -> Floats:
    """Return the seed as it is, or a copy with zeros where cells are structural ones."""
    if zeros is None or not zeros.size:
        return np.asarray(seed, dtype=np.float64, order="C")
    cells = np.array(seed, dtype=np.float64, order="C")
    cells.reshape(-1)[zeros] = 0
    return cells


def _entries(seed: Any, zeros: Any) -> Any:
    listed = sparse.coo_array(seed)
    data = np.array(listed.data, dtype=np.float64)
    if zeros is not None and zeros.size:
        data[np.isin(np.ravel_multi_index(listed.coords, listed.shape), zeros)] = 0
    return sparse.coo_array((data, listed.coords), shape=listed.shape)


def _refuse_seed(cells: Any, margins: Margins) -> None:
    values = cells.data if sparse.issparse(cells) else cells.ravel()
    bad = int(np.flatnonzero(~(np.isfinite(values) & (values >= 0)))[0])
    shape = tuple(cells.shape)
    at = np.ravel_multi_index([line[bad] for line in cells.coords], shape) if sparse.issparse(cells) else bad
    place = Margins([tuple(range(len(shape)))], [np.broadcast_to(0.0, shape)], margins.names, margins.words).told(
        0, [at]
    )
    raise BadInputError(f"The seed has {values[bad]:g} in {place}: give a number of persons, 0 or more.")


def fit_by_cheapest_way(
    seed: Any, margins: Margins, *, seed_total: float, tolerance: float, maximum_iterations: int
) -> Fitted:
    """Fit position by position of an axis all margins keep; else by matrix products where no axis is kept twice."""
    kept = [axis for axes in margins.axes for axis in axes]
    common = set(margins.axes[0]).intersection(*margins.axes)
    table: Table
    if sparse.issparse(seed):
        table = SparseTable(seed, margins.axes)
    elif len(set(kept)) == len(kept):
        return _fit_separate(
            seed, margins, seed_total=seed_total, tolerance=tolerance, maximum_iterations=maximum_iterations
        )
    elif common and min(map(len, margins.axes)) > 1:
        axis = min(common, key=lambda shared: seed.shape[shared])
        return _fit_slices(seed, margins, axis, tolerance=tolerance, maximum_iterations=maximum_iterations)
    else:
        table = SharedMargins(seed, margins.axes)
    return scale_to_margins(
        table, margins, seed_total=seed_total, tolerance=tolerance, maximum_iterations=maximum_iterations
    )


def _fit_separate(
    seed: Floats, margins: Margins, *, seed_total: float, tolerance: float, maximum_iterations: int
) -> Fitted:
    """Fit with each margin's axes made one; axes without a margin stand last."""
    kept = [axis for axes in margins.axes for axis in axes]
    order = [*kept, *(axis for axis in range(seed.ndim) if axis not in kept)]
    turned = np.ascontiguousarray(seed.transpose(order))
    sizes = [int(np.prod([seed.shape[axis] for axis in axes])) for axes in margins.axes]
    table = SeparateMargins(turned.reshape([*sizes, *turned.shape[len(kept) :]]), len(sizes))
    fitted = scale_to_margins(
        table, margins, seed_total=seed_total, tolerance=tolerance, maximum_iterations=maximum_iterations
    )
    fitted.cells = fitted.cells.reshape(turned.shape).transpose(np.argsort(order))
    return fitted


def _fit_slices(seed: Floats, margins: Margins, axis: int, *, tolerance: float, maximum_iterations: int) -> Fitted:
    """Fit each position of an axis that all margins keep on its own."""
    answer = np.empty_like(seed)
    parts = []
    for place in range(seed.shape[axis]):
        cells = np.ascontiguousarray(seed.take(place, axis=axis))
        try:
            part = fit_by_cheapest_way(
                cells,
                margins.at(axis, place),
                seed_total=float(cells.sum()),
                tolerance=tolerance,
                maximum_iterations=maximum_iterations,
            )
        except DtmError as error:
            where = Margins([(axis,)], [np.zeros(seed.shape[axis])], margins.names, margins.words).told(0, [place])
            raise type(error)(f"In {where}: {error}") from error
        answer[(slice(None),) * axis + (place,)] = part.cells
        part.cells = None
        parts.append(part)
    factors = [
        np.stack([part.factors[p] for part in parts], axis=axes.index(axis)) if parts else margins.targets[p]
        for p, axes in enumerate(margins.axes)
    ]
    return Fitted(
        cells=answer,
        factors=factors,
        iterations=max((part.iterations for part in parts), default=0),
        largest_absolute_error=max((part.largest_absolute_error for part in parts), default=0.0),
        largest_relative_error=max((part.largest_relative_error for part in parts), default=0.0),
        forced_zeros=sum(part.forced_zeros for part in parts),
    )

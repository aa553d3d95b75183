"""Bound the indices of a system some of whose pairs are hidden, by what is published of the others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize

from dtm._migration_margins import PERCENT
from dtm.migration_indices import weighted_median

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dtm._migration_system import System

    Floats = NDArray[np.float64]
    Bounds = dict[str, tuple[float, float]]

_FIELD_AREAS = 3
"""Areas below which the field indices are not defined."""


def bound_indices(told: System, hidden: NDArray[np.bool_], *, movers: float) -> Bounds:
    """Return the least and the largest value each index can have, MEI in percent.

    A reader knows the published pairs, that a hidden one has 1 person at least (zeros are shown), and M, all moves. So
    the table is the known part with 1 in every hidden pair, and F persons more, spread over the hidden pairs somehow.

    - Connectivity is exact: every hidden pair has moves.
    - Mean and median distance lie between those with all F on the shortest and on the longest hidden pair.
    - MEI, inequality and the Gini indices are convex in the moves for a given M, so the largest value is at a corner:
      all F on one pair (Rockafellar 1970, Convex Analysis, th. 32.2). The least of MEI is a linear programme; for the
      others it is the value without F less the most that F persons can change it by, F / M (half of it for inequality).

    Parameters
    ----------
    told
        The system with 0 persons in hidden pairs, and every pair of its areas in it.
    hidden
        Which pairs are hidden, at least one of them.
    movers
        M.

    Returns
    -------
    dict of str to (float, float)
        By the name of the index; none where M is less than the known part, or 0.
    """
    known = replace(told, persons=np.where(hidden, 1.0, told.persons))
    further = movers - float(known.persons.sum())
    if further < 0 or movers <= 0:
        return {}
    corners = [
        replace(known, persons=known.persons + further * (np.arange(len(hidden)) == pair))
        for pair in np.flatnonzero(hidden)
    ]
    cells = told.n * (told.n - 1)
    found: Bounds = {"connectivity": (float((known.persons > 0).sum()) / cells,) * 2}
    found |= _distances(known, corners, hidden, movers)
    found["effectiveness_mei"] = (
        PERCENT * _least_turnover(known, hidden, further) / (2 * movers),
        max(PERCENT * float(np.abs(_net(one)).sum()) / (2 * movers) for one in corners),
    )

    def add(name: str, index: Callable[[System], float], *, most: float = 1.0) -> None:
        found[name] = (max(0.0, index(known) - most * further / movers), max(index(one) for one in corners))

    add("inequality", lambda one: float(np.abs(one.persons / movers - 1 / cells).sum()) / 2, most=0.5)
    add("gini_total", lambda one: one.focus.all_pairs / (2.0 * (cells - 1) * movers))
    if told.n >= _FIELD_AREAS:
        field = 2.0 * (told.n - 2) * movers
        add("gini_in", lambda one: float(one.focus.columns.sum()) / field)
        add("gini_out", lambda one: float(one.focus.rows.sum()) / field)
    return found


def _net(system: System) -> Floats:
    return system.by_destination(system.persons) - system.by_origin(system.persons)


def _least_turnover(known: System, hidden: NDArray[np.bool_], further: float) -> float:
    """Return the least sum of |D - O| that F persons on hidden pairs can leave, by a linear programme."""
    n, pairs = known.n, np.flatnonzero(hidden)
    moves = np.zeros((n, len(pairs)))
    np.add.at(moves, (known.destination[pairs], np.arange(len(pairs))), 1.0)
    np.add.at(moves, (known.origin[pairs], np.arange(len(pairs))), -1.0)
    net = _net(known)
    above, below = np.hstack([moves, -np.eye(n)]), np.hstack([-moves, -np.eye(n)])
    found = optimize.linprog(
        np.concatenate([np.zeros(len(pairs)), np.ones(n)]),
        A_ub=np.vstack([above, below]),
        b_ub=np.concatenate([-net, net]),
        A_eq=np.concatenate([np.ones(len(pairs)), np.zeros(n)])[None, :],
        b_eq=[further],
    )
    return float(found.fun)


def _distances(known: System, corners: list[System], hidden: NDArray[np.bool_], movers: float) -> Bounds:
    far = known.distance_km
    if far is None or not np.isfinite(far).all():
        return {}
    ends = [corners[int(which(far[hidden]))] for which in (np.argmin, np.argmax)]
    means = [float(one.persons @ far) / movers for one in ends]
    medians = [weighted_median(far, one.persons) for one in ends]
    return {"mean_distance_km": (means[0], means[1]), "median_distance_km": (medians[0], medians[1])}

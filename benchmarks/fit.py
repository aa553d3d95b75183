"""Time proportional fitting of an origin x destination x group table against a plain NumPy loop.

The seed falls with the distance between made-up places, groups differ in how fast; its diagonal is 0. Fitted are
the totals of origins, of destinations and of groups, to 1e-9. Timed is the fit alone, from arrays in memory to the
finished table. The loop is the method as it is usually written: sum the table over all but one axis, scale the whole
table, next axis; it stops as ours does, when no margin found in a sweep is off by more than a third of the tolerance.
Answers are equal if every cell agrees to 1e-7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.clock import clock
from dtm.fitting import fit_table

if TYPE_CHECKING:
    from pathlib import Path

SEED, MARGINS = "seed.npy", "margins.npz"
TOLERANCE = 1e-9
AGREEMENT = 1e-7
MOST_SWEEPS = 1_000


def prepare(folder: Path, facts: dict) -> dict:
    """Write a seed and margins: uneven, as people are, and all of one total."""
    rng = np.random.default_rng(19)
    n, groups = facts["areas"], facts["groups"]
    x, y = rng.random((2, n)) * 1000
    km = np.hypot(x[:, None] - x, y[:, None] - y) + 1
    seed = np.empty((n, n, groups))
    for group in range(groups):
        seed[:, :, group] = km ** -(0.5 + group / groups)
    seed *= rng.random((n, n, 1)) + 0.5
    seed[np.arange(n), np.arange(n)] = 0
    np.save(folder / SEED, seed)
    margins = {}
    for axis, size in enumerate((n, n, groups)):
        sizes = rng.lognormal(sigma=1, size=size)
        margins[str(axis)] = sizes / sizes.sum() * 1000 * n
    np.savez(folder / MARGINS, **margins)
    return {"cells": seed.size}


def _given(folder: Path):
    with np.load(folder / MARGINS) as margins:
        return np.load(folder / SEED), [margins[name] for name in ("0", "1", "2")]


def _kept(table: np.ndarray):
    def keep(path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, np.ascontiguousarray(table))

    return keep


def ours(folder: Path, _facts: dict):
    """Run `dtm.fitting.fit_table`."""
    seed, targets = _given(folder)
    with clock() as taken:
        fit = fit_table(seed, dict(enumerate(targets)), tolerance=TOLERANCE)
    taken["sweeps"] = fit.iterations
    taken["largest_relative_error"] = fit.largest_relative_error
    return taken, _kept(fit.fitted_persons)


def numpy(folder: Path, _facts: dict):
    """Scale the whole table to each margin in turn."""
    seed, targets = _given(folder)
    with clock() as taken:
        table = seed.copy()
        sweeps, worst = 0, np.inf
        while worst > TOLERANCE / 3 and sweeps < MOST_SWEEPS:
            sweeps, worst = sweeps + 1, 0.0
            for axis, target in enumerate(targets):
                others = tuple(other for other in range(3) if other != axis)
                sums = table.sum(axis=others, keepdims=True)
                share = target.reshape(sums.shape) / sums
                worst = max(worst, float(np.abs(1 / share - 1).max()))
                table *= share
    taken["sweeps"] = sweeps
    off = (np.abs(table.sum(axis=tuple({0, 1, 2} - {axis})) / target - 1).max() for axis, target in enumerate(targets))
    taken["largest_relative_error"] = float(max(off))
    return taken, _kept(table)


ARMS = {"ours": ours, "numpy": numpy}


def compare(folder: Path, peer: str, _facts: dict) -> dict:
    """Hold every cell against the peer's."""
    mine, theirs = (np.load(folder / f"answer-{arm}.parquet") for arm in ("ours", peer))
    there = theirs > 0
    off = float(np.abs(mine[there] / theirs[there] - 1).max())
    equal = off <= AGREEMENT and not mine[~there].any()
    return {"equal": bool(equal), "largest_difference": off}

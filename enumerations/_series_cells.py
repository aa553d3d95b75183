"""Find the figures that leave their series, and say which slip of the pen would explain them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from enumerations._series_model import Fit, _scale, _shifted, excess

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from enumerations._series_model import Booleans, Floats, Integers

ROBUST_Z = 3.5
"""Cut-off of the robust z-score: Iglewicz and Hoaglin (1993), How to Detect and Handle Outliers, section 3.3."""
ROBUST_Z_END = 5.0
"""Cut-off at either end of a series, where only one side can be compared."""
ROBUST_Z_RUN = 1.5
"""A figure beside an outlier, on the same side and nearly as far out, belongs to it from here on."""
RUN_SHARE = 0.4
CHANGE_SHARE = 0.20
"""A smaller relative change is left alone unless a slip of the pen explains it."""
CHANGE_SHARE_EXPLAINED = 0.02
FIT_Z = 2.0
"""A corrected figure must lie this near to what its neighbours lead to, and much nearer than the one written."""
FIT_SCALE_FLOOR = 0.02
FIT_POWER = 0.3
"""Ten times is so far off that undoing it may leave a third of difference."""
FIT_GAIN = 0.5
QUIET_SCALE = 0.1
"""Below this relative scale a series is quiet."""
EXCHANGE_Z = 4.0
"""How far two exchanged figures must be out together (root of the sum of squares)."""
SHIFT_PERIODS = 3
"""Periods before and after that must agree for a change of level."""
POWERS_OF_TEN = (10, 100, 1000)
EXACT_BELOW = 2**53


@dataclass(frozen=True)
class Cell:
    """One doubtful figure: its row, what it is, what its neighbours lead to, and the figure that would fit."""

    row: int
    code: str
    value: float
    expected: float
    suggested: float | None = None


@dataclass(frozen=True)
class Judged:
    """A fitted field with how far each figure is out and the level it is measured against.

    `noise` allows for the noise of counting, `quiet` doesn't: a figure that is meant must fit as well as others do.
    """

    fit: Fit
    target: Floats
    middle: Floats
    noise: Floats
    quiet: Floats
    out: Floats
    is_end: Booleans
    is_out: Booleans
    is_explainable: Booleans


def _relative(fit: Fit, target: Floats) -> Floats:
    expected = fit.expected(target)
    return np.asarray(np.abs(fit.value - expected) / np.maximum(np.abs(expected), 1.0), dtype=float)


def judge(fit: Fit) -> Judged:
    """Measure every figure against both its neighbours, both local levels or, at an end, the one side it has."""
    near, wide = excess(fit)
    noise, wide_noise = fit.noise(fit.level - near, fit.scale), fit.noise(fit.level - wide, fit.wide_scale)
    near_z, wide_z = np.abs(near) / noise, np.abs(wide) / wide_noise
    previous, following = fit.previous(fit.level), fit.next(fit.level)
    is_end = np.isnan(previous) != np.isnan(following)
    beside = np.where(np.isnan(previous), following, previous)
    side = np.where(np.isnan(previous), fit.after, fit.before)
    one, other = fit.level - beside, fit.level - side
    end = np.where(np.sign(one) == np.sign(other), np.where(np.abs(one) < np.abs(other), one, other), 0.0)
    end = np.where(is_end & (fit.before_size + fit.after_size >= SHIFT_PERIODS), np.nan_to_num(end), 0.0)
    end_noise = fit.noise(fit.level - end, fit.scale) * np.sqrt(2)
    by_wide = wide_z > near_z
    middle = (previous + following) / 2
    target = np.where(is_end, fit.level - end, np.where(by_wide, (fit.before + fit.after) / 2, middle))
    noise = np.where(is_end, end_noise, np.where(by_wide, wide_noise, noise))
    out = np.where(is_end, np.abs(end) / end_noise, np.maximum(near_z, wide_z))
    limit = np.where(is_end, ROBUST_Z_END, ROBUST_Z)
    change = _relative(fit, target)
    is_out = (out > limit) & (change > CHANGE_SHARE)
    is_out |= _run(fit, is_out & ~is_end, wide, wide_z) & (change > CHANGE_SHARE)
    explainable = (out > limit) & (change > CHANGE_SHARE_EXPLAINED)
    quiet = np.maximum(np.where(by_wide & ~is_end, fit.wide_scale, fit.scale), FIT_SCALE_FLOOR)
    middle = np.where(is_end, beside, (previous + following) / 2)
    return Judged(fit, target, middle, noise, quiet, out, is_end, is_out, explainable | is_out)


def _run(fit: Fit, is_out: Booleans, wide: Floats, wide_z: Floats) -> Booleans:
    """Return the figures beside an outlier that share its deviation: two or three periods can be off together."""
    joined = np.where(is_out, wide, 0.0)
    found = np.zeros(len(wide), dtype=bool)
    for _ in range(2):
        for step in (1, -1):
            neighbour = np.nan_to_num(_shifted(joined, fit.series, step))
            belongs = (wide_z > ROBUST_Z_RUN) & (wide * neighbour > 0) & (np.abs(wide) > RUN_SHARE * np.abs(neighbour))
            found |= belongs
        joined = np.where(found & (joined == 0), wide, joined)
    return found


def swapped_digits(value: int) -> Iterator[tuple[int, bool]]:
    """Yield every number made by swapping two different digits, and whether they stand side by side.

    A swap that puts a zero in front is left out: the number would be written shorter.
    """
    text = str(value)
    for left, right in combinations(range(len(text)), 2):
        if text[left] != text[right] and not (left == 0 and text[right] == "0"):
            digits = list(text)
            digits[left], digits[right] = digits[right], digits[left]
            yield int("".join(digits)), right == left + 1


def _powers(value: int) -> Iterator[int]:
    """Yield the number with zeros at its end too many or too few."""
    for power in POWERS_OF_TEN:
        if value % power == 0:
            yield value // power
        yield value * power


def _shortened(value: int) -> Iterator[int]:
    """Yield the number without one of its digits."""
    text = str(value)
    for at in range(len(text)):
        shorter = text[:at] + text[at + 1 :]
        if shorter and shorter[0] != "0":
            yield int(shorter)


def _slips(value: int, noise: float) -> Iterator[tuple[str, float, list[int]]]:
    """Yield the slips that could have made a figure, how near the figure meant must come, and what it can be.

    Rare slips are only looked for in quiet series: with many ways to go wrong one of them always fits a noisy one.
    """
    swaps = list(swapped_digits(value))
    near = FIT_Z * noise
    yield "digits_swapped", near, [new for new, adjacent in swaps if adjacent]
    yield "figure_scale", max(near, FIT_POWER), list(_powers(value))
    if noise < QUIET_SCALE:
        yield "digits_swapped", near, [new for new, adjacent in swaps if not adjacent]
        yield "figure_scale", near, list(_shortened(value))


def _explain(judged: Judged, at: int) -> tuple[str, int] | None:
    """Return the commonest slip that brings a figure back to its series, with the figure meant."""
    fit = judged.fit
    target, noise = judged.target[at], judged.quiet[at]
    off = abs(fit.level[at] - target)
    for code, near, figures in _slips(int(fit.value[at]), noise):
        if figures:
            places = np.log(np.array(figures, dtype=float) + fit.offset) - fit.common[at]
            left = np.abs(places - target)
            nearest = int(left.argmin())
            if left[nearest] <= near and left[nearest] < FIT_GAIN * off:
                return code, figures[nearest]
    return None


def cells_of(judged: Judged) -> list[Cell]:
    """Return the figures of one field that are out, each with the slip that explains it if there is one."""
    fit = judged.fit
    expected = fit.expected(judged.target)
    beside = np.nan_to_num(fit.previous(judged.is_out.astype(float))) + np.nan_to_num(
        fit.next(judged.is_out.astype(float))
    )
    writable = fit.is_count and fit.is_log
    found: list[Cell] = []
    for at in np.flatnonzero(judged.is_explainable):
        row, value, near = int(fit.rows[at]), float(fit.value[at]), float(expected[at])
        alone = not (judged.is_out[at] and beside[at])  # several periods in a row are no slip of the pen
        slip = _explain(judged, int(at)) if writable and alone and 0 < value < EXACT_BELOW else None
        if slip is not None:
            found.append(Cell(row, slip[0], value, near, float(slip[1])))
        elif judged.is_out[at]:
            found.append(Cell(row, "series_end" if judged.is_end[at] else "series_spike", value, near))
    return found


def shifts_of(judged: Judged) -> list[Cell]:
    """Return the periods from which a series runs at another level.

    The medians of three periods before and three from there on differ by more than 3.5 times the series' own MAD of
    such differences (which allows for series that wander), by more than 20 %, and more than around it.
    """
    fit = judged.fit
    before = np.stack([_shifted(fit.level, fit.series, step) for step in range(1, SHIFT_PERIODS + 1)])
    after = np.stack([_shifted(fit.level, fit.series, -step) for step in range(SHIFT_PERIODS)])
    old = np.median(before, axis=0)
    step = np.median(after, axis=0) - old
    noise = fit.noise(np.nan_to_num(old), _scale(step, fit.series, int(fit.series.max(initial=-1)) + 1, 0.0))
    size = np.nan_to_num(np.abs(step))
    is_shift = size > ROBUST_Z * np.maximum(noise, 1e-9)
    jump = np.nan_to_num(np.abs(fit.level - fit.previous(fit.level)))
    for side in (1, -1, 2, -2):
        neighbour = np.nan_to_num(_shifted(size, fit.series, side))
        near_jump = np.nan_to_num(_shifted(jump, fit.series, side))
        is_shift &= (size > neighbour) | ((size == neighbour) & (jump >= near_jump))
    is_shift &= _relative(fit, np.nan_to_num(old)) > CHANGE_SHARE
    expected = fit.expected(np.nan_to_num(old))
    return [
        Cell(int(fit.rows[at]), "series_shift", float(fit.value[at]), float(expected[at]))
        for at in np.flatnonzero(is_shift)
    ]


def exchanged_rows(fields: Sequence[tuple[int, Judged]], n_rows: int) -> list[tuple[int, int, int]]:
    """Return (row, field, other field) where two figures of one row each fit the other's series and not their own."""
    found: list[tuple[int, int, int]] = []
    spread = {field: _by_row(judged, n_rows) for field, judged in fields if judged.fit.is_log}
    for (one, a), (other, b) in combinations(spread.items(), 2):
        rows = np.flatnonzero((a["out"] > ROBUST_Z) | (b["out"] > ROBUST_Z))
        out = np.hypot(_misfit(a, a["value"], rows), _misfit(b, b["value"], rows))
        one_z, other_z = _misfit(a, b["value"], rows), _misfit(b, a["value"], rows)
        fits = (out > EXCHANGE_Z) & (np.hypot(one_z, other_z) < FIT_GAIN * out)
        fits &= (one_z < FIT_Z) & (other_z < FIT_Z)  # NaN compares false
        found += [(int(row), one, other) for row in rows[fits]]
    return found


def _by_row(judged: Judged, n_rows: int) -> dict[str, Floats]:
    fit = judged.fit
    columns = {
        "value": fit.value, "middle": judged.middle, "noise": judged.noise, "out": judged.out,
        "common": fit.common, "offset": np.full(len(fit.rows), fit.offset),
    }  # fmt: skip
    spread = {}
    for name, values in columns.items():
        spread[name] = np.full(n_rows, np.nan)
        spread[name][fit.rows] = values
    return spread


def _misfit(field: dict[str, Floats], values: Floats, rows: Integers) -> Floats:
    """Return how many scales a value lies from what the field's neighbours lead to."""
    place = np.log(values[rows] + field["offset"][rows]) - field["common"][rows]
    return np.asarray(np.abs(place - field["middle"][rows]) / field["noise"][rows], dtype=float)

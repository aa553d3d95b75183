"""Fit every series of a table with its local level and scale, all series at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

MAD_TO_SD = 1.4826
"""The median absolute deviation of a normal distribution times this is its standard deviation."""
PLACES_FOR_COMMON_CHANGE_MINIMUM = 5
"""Fewer places don't tell what a period brought to all of them."""
PLACES_FOR_UNREST_MINIMUM = 8
"""Fewer places don't tell how unquiet a period was."""
POOL_WEIGHT_PERIODS = 4
"""A series' own scale counts by its number of changes, the table's by this many: short series borrow from the rest."""
SCALE_FLOOR = 0.004
"""Relative noise that is always allowed for; a series that never varies has a scale of zero otherwise."""
NEARER_TO_SD = 1.8
"""The nearer of two deviations is smaller than one of them; by this factor for series that wander a little."""
WINDOW_PERIODS = 5
"""Periods on either side that make the local level."""
ZERO_OFFSET = 0.5
"""Added to counts before the logarithm, so that zero has one."""


def grouped_median(groups: Integers, values: Floats, *, count: int) -> Floats:
    """Return the median of the values of each group 0 ... count - 1; NaN for an empty one."""
    known = ~np.isnan(values)
    groups, values = groups[known], values[known]
    result = np.full(count, np.nan)
    if not len(groups):
        return result
    if (groups[1:] < groups[:-1]).any():
        order = np.argsort(groups, kind="stable")
        groups, values = groups[order], values[order]
    sizes = np.bincount(groups, minlength=count)
    starts = np.cumsum(sizes) - sizes
    for width in np.unique(2 ** np.ceil(np.log2(np.maximum(sizes[sizes > 0], 1))).astype(np.int64)):
        chosen = np.flatnonzero((sizes > width // 2) & (sizes <= width))
        places = np.arange(width)
        at = starts[chosen][:, None] + places
        inside = places < sizes[chosen][:, None]
        block = np.where(inside, values[np.minimum(at, len(values) - 1)], np.inf)
        block.sort(axis=1)
        rows, size = np.arange(len(chosen)), sizes[chosen]
        result[chosen] = (block[rows, (size - 1) // 2] + block[rows, size // 2]) / 2
    return result


def _shifted(values: Floats, series: Integers, step: int) -> Floats:
    """Return each row's value `step` rows earlier (or later, below 0) in the same series; NaN where there is none."""
    result = np.full(len(values), np.nan)
    if step == 0:
        return values
    if abs(step) >= len(values):
        return result
    here, there = (slice(step, None), slice(None, -step)) if step > 0 else (slice(None, step), slice(-step, None))
    result[here] = np.where(series[here] == series[there], values[there], np.nan)
    return result


def _side_median(values: Floats, series: Integers, sign: int) -> tuple[Floats, Integers]:
    """Return the median of up to WINDOW_PERIODS values on one side, and how many there are."""
    stack = np.stack([_shifted(values, series, sign * step) for step in range(1, WINDOW_PERIODS + 1)])
    stack.sort(axis=0)  # NaN last
    size = (~np.isnan(stack)).sum(axis=0)
    rows = np.arange(len(values))
    low, high = np.maximum(size - 1, 0) // 2, size // 2
    middle = (stack[low, rows] + stack[np.minimum(high, WINDOW_PERIODS - 1), rows]) / 2
    return np.where(size > 0, middle, np.nan), size


def _same_side(one: Floats, other: Floats) -> Floats:
    """Return the nearer of two deviations where both point the same way, else 0; NaN counts as missing."""
    nearer = np.where(np.abs(one) <= np.abs(other), one, other)
    return np.where(np.sign(one) == np.sign(other), nearer, 0.0)


@dataclass(frozen=True)
class Fit:
    """One field of the table, a row for each figure that is there, by series and period.

    Levels and deviations are in natural logarithms for counts and amounts (a deviation of 0.1 is about 10 %), in the
    field's own unit where it has values below zero.
    """

    rows: Integers
    series: Integers
    period: Integers
    value: Floats
    is_count: bool
    is_log: bool
    offset: float
    common: Floats
    level: Floats
    scale: Floats
    before: Floats
    after: Floats
    before_size: Integers
    after_size: Integers
    wide_scale: Floats

    def position(self, values: Floats) -> Floats:
        """Return where other values would lie on the scale of `level`, each in its own row."""
        moved = np.log(np.maximum(values + self.offset, self.offset / 2)) if self.is_log else values
        return np.asarray(moved - self.common, dtype=float)

    def expected(self, level: Floats) -> Floats:
        """Return the figures that a level stands for."""
        total = level + self.common
        with np.errstate(over="ignore"):
            figures = np.maximum(np.exp(total) - self.offset, 0.0) if self.is_log else total
        return np.round(figures) if self.is_count else figures

    def previous(self, values: Floats) -> Floats:
        """Return the value of the period before in the same series."""
        return _shifted(values, self.series, 1)

    def next(self, values: Floats) -> Floats:
        """Return the value of the period after in the same series."""
        return _shifted(values, self.series, -1)

    def noise(self, level: Floats, scale: Floats) -> Floats:
        """Return the scale with the counting noise (Poisson) of small counts."""
        if not (self.is_count and self.is_log):
            return scale
        return np.maximum(scale, 1 / np.sqrt(np.maximum(self.expected(level), ZERO_OFFSET)))


def _common_change(change: Floats, gap: Floats, period: Integers) -> Floats:
    """Return, for every period, the sum of the changes that the median place saw up to it."""
    count = int(period.max()) + 1 if len(period) else 0
    step = np.where(gap == 1, change, np.nan)
    median = grouped_median(period, step, count=count)
    sizes = np.bincount(period[~np.isnan(step)], minlength=count)
    return np.asarray(np.cumsum(np.where(sizes >= PLACES_FOR_COMMON_CHANGE_MINIMUM, median, 0.0)), dtype=float)


def _scale(deviation: Floats, series: Integers, count: int, floor: float) -> Floats:
    """Return a robust scale for each row: its series' own, drawn towards the table's for short series."""
    own = MAD_TO_SD * grouped_median(series, np.abs(deviation), count=count)
    size = np.bincount(series[~np.isnan(deviation)], minlength=count)
    enough = size >= POOL_WEIGHT_PERIODS - 1
    pooled_from = own[enough] if enough.any() else own[size > 0]
    pooled = float(np.median(pooled_from)) if len(pooled_from) else 0.0
    own = np.where(np.isnan(own), pooled, own)
    both = np.sqrt((size * own**2 + POOL_WEIGHT_PERIODS * pooled**2) / (size + POOL_WEIGHT_PERIODS))
    return np.asarray(np.maximum(both, floor)[series], dtype=float)


def _drift(change: Floats, gap: Floats, series: Integers, count: int) -> Floats:
    """Return the median change from one period to the next of each series long enough to tell it."""
    slope = grouped_median(series, change / gap, count=count)
    told = np.bincount(series[~np.isnan(change)], minlength=count) >= POOL_WEIGHT_PERIODS
    return np.where(told, slope, 0.0)


def _deviation(level: Floats, series: Integers) -> Floats:
    """Return how far each figure is from the nearer of both sides' local levels; NaN near the ends.

    The nearer, since beside a change of level, or a run of odd figures, the other side's level is no measure.
    """
    before, before_size = _side_median(level, series, 1)
    after, after_size = _side_median(level, series, -1)
    one, other = level - before, level - after
    nearer = np.where(np.abs(one) <= np.abs(other), one, other) * NEARER_TO_SD
    return np.where((before_size > 1) & (after_size > 1), nearer, np.nan)


def _taken_off(start: Floats, series: Integers, period: Integers, count: int) -> Floats:
    """Return what goes off each figure: the common change where it makes the series quieter, and its own drift."""
    gap = period - _shifted(period.astype(float), series, 1)
    change = start - _shifted(start, series, 1)
    common = _common_change(change, gap, period)[period]
    options = []
    for off in (np.zeros(len(start)), common):
        left = start - off
        drift = _drift(left - _shifted(left, series, 1), gap, series, count)
        whole = off + drift[series] * period
        noise = grouped_median(series, np.abs(_deviation(start - whole, series)), count=count)
        options.append((whole, np.where(np.isnan(noise), np.inf, noise)))
    (alone, alone_noise), (along, along_noise) = options
    follows = np.where(np.isinf(alone_noise), True, along_noise < alone_noise)
    return np.where(follows[series], along, alone)


def fit_series(rows: Integers, series: Integers, period: Integers, value: Floats) -> Fit:
    """Fit the figures of one field, given in the order of series and period, without missing ones.

    The change that the median place saw in a period is taken off first where that makes the series quieter (all may
    rise together), then each series' own median drift; what is left is compared with the medians of up to five
    periods before and after. The scale is the MAD of the changes over the square root of 2, since a change is the
    difference of two figures; it is raised in periods in which all places changed more than usual.
    """
    is_log = bool((value >= 0).all())
    is_count = bool((value == np.round(value)).all())
    above = value[value > 0]
    offset = ZERO_OFFSET if is_count or not len(above) else float(above.min()) / 2
    start = np.log(value + offset) if is_log else value.astype(float)
    count = int(series.max()) + 1 if len(series) else 0
    common = _taken_off(start, series, period, count) if len(series) else start
    level = start - common
    floor = SCALE_FLOOR if is_log else 1e-9 + SCALE_FLOOR * float(np.median(np.abs(value)))
    before, before_size = _side_median(level, series, 1)
    after, after_size = _side_median(level, series, -1)
    change = (level - _shifted(level, series, 1)) / np.sqrt(2)
    scale = _scale(change, series, count, floor)
    unrest = _unrest(change / scale, period) if len(series) else scale
    return Fit(
        rows, series, period, value, is_count, is_log, offset, common, level, scale * unrest, before, after,
        before_size, after_size, _scale(_deviation(level, series), series, count, floor) * unrest,
    )  # fmt: skip


def _unrest(change_z: Floats, period: Integers) -> Floats:
    """Return by how much more than usual the places changed around each period, at least 1.

    In a period in which every place's figures jump about, a jump tells nothing.
    """
    count = int(period.max()) + 1
    size = np.bincount(period[~np.isnan(change_z)], minlength=count)
    spread = MAD_TO_SD * grouped_median(period, np.abs(change_z), count=count)
    ratio = np.where(size >= PLACES_FOR_UNREST_MINIMUM, spread, 1.0)
    later = np.append(ratio[1:], ratio[-1:])
    return np.asarray(np.maximum(1.0, (ratio + later) / 2)[period], dtype=float)


def excess(fit: Fit) -> tuple[Floats, Floats]:
    """Return how far each figure is out of both its neighbours, and out of both sides' local levels; 0 for inside."""
    near = _same_side(fit.level - fit.previous(fit.level), fit.level - fit.next(fit.level))
    wide = _same_side(fit.level - fit.before, fit.level - fit.after)
    enough = (fit.before_size >= 2) & (fit.after_size >= 2)  # noqa: PLR2004  one figure is no level
    return np.nan_to_num(near), np.where(enough, np.nan_to_num(wide), 0.0)

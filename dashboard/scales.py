"""Cut a figure into classes that stay the same over the rounds, in colours that colour-blind readers can tell apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from plotly.colors import sample_colorscale

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.words import Words

CLASSES = 6
SEQUENTIAL = "Blues"
PALEST = 0.12
"""Where on the colour scale the lowest class begins; paler would be taken for a gap."""
PALE_STEP = 0.85
"""Power of the classes' places on the scale: its pale end changes slowly, so the pale classes take larger steps."""
DIVERGING = "RdBu"
SIGNIFICANT_DIGITS = 2
DIVERGING_SHARES = (0.3, 0.6, 0.85)
NEUTRAL_SHARE = 0.12
"""The class around 0 reaches to this share of the values' sizes."""


@dataclass(frozen=True)
class Scale:
    """Class limits, one more than colours; the outer ones are open."""

    breaks: tuple[float, ...]
    colors: tuple[str, ...]

    def class_of(self, value: float) -> int:
        """Return the number of the class a value falls in; a limit belongs to the class above it."""
        return int(np.searchsorted(self.breaks[1:-1], value, side="right"))

    def labels(self, words: Words, *, decimals: int, signed: bool) -> list[str]:
        """Return what each class holds, in words."""
        if len(self.colors) == 1:
            return [words("legend.all")]

        def number(value: float) -> str:
            return words.number(value, decimals=decimals, signed=signed)

        inner = self.breaks[1:-1]
        middle = [f"{number(low)} … {number(high)}" for low, high in pairwise(inner)]
        return [words("legend.under", limit=number(inner[0])), *middle, words("legend.from", limit=number(inner[-1]))]


def _nice(value: float, decimals: int) -> float:
    if value == 0:
        return 0.0
    digits = SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(abs(value)))
    return round(value, min(digits, decimals))


def _distinct(values: list[float]) -> list[float]:
    return sorted(set(values))


def sequential_scale(values: pd.Series, *, decimals: int) -> Scale:
    """Return classes with about the same number of areas in each, limits rounded to two digits."""
    if values.empty:
        return Scale((-math.inf, math.inf), (sample_colorscale(SEQUENTIAL, [0.5])[0],))
    quantiles = np.quantile(values, np.linspace(0, 1, CLASSES + 1)[1:-1])
    lowest, highest = float(values.min()), float(values.max())
    inner = [limit for limit in _distinct([_nice(float(q), decimals) for q in quantiles]) if lowest < limit <= highest]
    colors = (
        sample_colorscale(SEQUENTIAL, list(PALEST + (1 - PALEST) * np.linspace(0, 1, len(inner) + 1) ** PALE_STEP))
        if inner
        else [sample_colorscale(SEQUENTIAL, [0.5])[0]]
    )
    return Scale((-math.inf, *inner, math.inf), tuple(colors))


def diverging_scale(values: pd.Series, *, decimals: int) -> Scale:
    """Return classes that mirror around 0: losses red, gains blue, a pale class in the middle."""
    sizes = values.abs()
    sizes = sizes[sizes > 0]
    if sizes.empty:
        return Scale((-math.inf, math.inf), (sample_colorscale(DIVERGING, [0.5])[0],))
    positions = (NEUTRAL_SHARE, *DIVERGING_SHARES[1:])
    outer = [
        limit for limit in _distinct([_nice(float(q), decimals) for q in np.quantile(sizes, positions)]) if limit > 0
    ]
    if not outer:
        outer = [_nice(float(sizes.max()), decimals + 2)]
    inner = [-limit for limit in reversed(outer)] + outer
    colors = sample_colorscale(DIVERGING, list(np.linspace(0.08, 0.92, len(inner) + 1)))
    return Scale((-math.inf, *inner, math.inf), tuple(colors))


def scale_for(values: pd.Series, *, decimals: int, diverging: bool) -> Scale:
    """Return the classes of a figure."""
    return (diverging_scale if diverging else sequential_scale)(values, decimals=decimals)

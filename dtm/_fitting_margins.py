"""Check the margins of a table and the seed against each other, and put their axes into order."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dtm.errors import BadInputError, MarginsDisagreeError, WrongUseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dtm._fitting_dense import Floats

ROUNDING_SHARE = 0.1
"""Margins' totals may differ by this share of the tolerance: what writing decimals leaves."""
LEAST_DIFFERENCE = 1e-12
"""... but by no less than what adding in floating point leaves, as a share of the total."""
NAMES_SHOWN = 5
AXIS_WORDS = ("row", "column", "group")


@dataclass(frozen=True)
class Margins:
    """Margins in ascending axes with their targets, and words for them.

    Parameters
    ----------
    axes
        For each margin the axes it keeps, ascending.
    targets
        For each margin its sums, an array with those axes.
    names
        For each axis the names of its positions, or none.
    words
        What each axis is called.
    """

    axes: list[tuple[int, ...]]
    targets: list[Floats]
    names: Sequence[Sequence[object]] | None
    words: Sequence[str]

    def called(self, axes: Sequence[int]) -> str:
        """Return what the axes of a margin are called together."""
        return " x ".join(self.words[axis] for axis in axes)

    def at(self, axis: int, place: int) -> Margins:
        """Return the margins of one position of an axis that all margins keep; the axis is gone."""
        left = [[other - (other > axis) for other in axes if other != axis] for axes in self.axes]
        targets = [
            np.ascontiguousarray(target.take(place, axis=axes.index(axis)))
            for axes, target in zip(self.axes, self.targets, strict=True)
        ]
        names = [line for position, line in enumerate(self.names) if position != axis] if self.names else None
        words = [word for position, word in enumerate(self.words) if position != axis]
        return Margins([tuple(axes) for axes in left], targets, names, words)

    def told(self, margin: int, places: Any) -> str:
        """Return words for entries of a margin, by their flat places: the first few, and how many more."""
        kept, target = self.axes[margin], self.targets[margin]
        words = []
        for place in np.asarray(places)[:NAMES_SHOWN]:
            at = np.unravel_index(int(place), target.shape)
            parts = [
                f"'{self.names[axis][int(i)]}'" if self.names else str(int(i)) for axis, i in zip(kept, at, strict=True)
            ]
            words.append(" x ".join(parts))
        more = f" and {len(places) - NAMES_SHOWN} more" if len(places) > NAMES_SHOWN else ""
        return f"{self.called(kept)} {', '.join(words)}{more}"


def words_of(n_axes: int) -> tuple[str, ...]:
    """Return what axes are called: row, column, group, then by number."""
    return tuple(AXIS_WORDS[axis] if axis < len(AXIS_WORDS) else f"axis {axis}" for axis in range(n_axes))


def check_margins(
    given: Mapping[int | tuple[int, ...], Any],
    shape: tuple[int, ...],
    *,
    names: Sequence[Sequence[object]] | None,
    tolerance: float,
) -> Margins:
    """Return the margins as arrays in ascending axes, or refuse them.

    Raises
    ------
    WrongUseError
        No margin, an axis that isn't there or named twice, a shape or a number of names that doesn't fit.
    BadInputError
        A margin that is negative, infinite or no number.
    MarginsDisagreeError
        Two margins that don't add to the same on the axes both have.
    """
    if not given:
        raise WrongUseError("Give at least one margin to fit to.")
    if names is not None and [len(line) for line in names] != list(shape):
        raise WrongUseError(f"Give a name for each of the {' x '.join(map(str, shape))} places of the table.")
    margins = Margins([], [], names, words_of(len(shape)))
    for axes, values in given.items():
        kept, target = _in_order((axes,) if isinstance(axes, int) else tuple(axes), values, shape)
        if kept in margins.axes:
            raise WrongUseError(f"The margin {margins.called(kept)} is given twice.")
        margins.axes.append(kept)
        margins.targets.append(target)
        bad = np.flatnonzero(~(np.isfinite(target) & (target >= 0)).ravel())
        if bad.size:
            raise BadInputError(
                f"The margin of {margins.told(len(margins.axes) - 1, bad)} is {target.ravel()[bad[0]]:g}: give a "
                f"number of persons, 0 or more."
            )
    for one, other in itertools.combinations(range(len(margins.axes)), 2):
        _refuse_difference(margins, one, other, share=max(ROUNDING_SHARE * tolerance, LEAST_DIFFERENCE))
    return margins


def _in_order(axes: tuple[int, ...], values: Any, shape: tuple[int, ...]) -> tuple[tuple[int, ...], Floats]:
    if not axes or len(set(axes)) < len(axes) or not all(0 <= axis < len(shape) for axis in axes):
        raise WrongUseError(f"A margin keeps some of the axes 0 to {len(shape) - 1}, each once; not {axes}.")
    target = np.asarray(values, dtype=np.float64)
    wanted = tuple(shape[axis] for axis in axes)
    if target.shape != wanted:
        called = " x ".join(words_of(len(shape))[axis] for axis in axes)
        raise WrongUseError(f"The margin of {called} has the shape {target.shape}; the seed asks for {wanted}.")
    order = np.argsort(axes)
    return tuple(axes[i] for i in order), np.ascontiguousarray(target.transpose(order))


def _refuse_difference(margins: Margins, one: int, other: int, *, share: float) -> None:
    """Refuse two margins that differ in their sums over the axes that only one of them has."""
    common = [axis for axis in margins.axes[one] if axis in margins.axes[other]]
    left, right = (
        margins.targets[m].sum(axis=tuple(p for p, axis in enumerate(margins.axes[m]) if axis not in common))
        for m in (one, other)
    )
    difference = np.abs(left - right)
    if not (difference > share * np.maximum(left, right)).any():
        return
    place = int(np.argmax(difference))
    a, b = float(np.ravel(left)[place]), float(np.ravel(right)[place])
    where = (
        f" in {Margins([tuple(common)], [np.asarray(left)], margins.names, margins.words).told(0, [place])}"
        if common
        else ""
    )
    words = (margins.called(margins.axes[one]), margins.called(margins.axes[other]))
    raise MarginsDisagreeError(
        f"The margins disagree{where}: those by {words[0]} add to {amount(a)} persons and those by {words[1]} to "
        f"{amount(b)}, a difference of {amount(abs(a - b))} ({_pct(a, b)}). No table has both; correct one, or "
        f"scale it to the other's total and say so."
    )


def amount(value: float) -> str:
    """Return a number of persons in words: thousands apart, six decimals at most."""
    return f"{value:,.6f}".rstrip("0").rstrip(".") if value == 0 or abs(value) >= 1e-6 else f"{value:.3g}"  # noqa: PLR2004


def _pct(one: float, other: float) -> str:
    return f"{100 * abs(one - other) / max(one, other):.3g} %"

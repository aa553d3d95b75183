"""Find the figures over some of the returns that would tell a small count in the returns they leave out.

Ratios of stocks are over the returns that tell both counts, changes over the units that reported in both rounds, stocks
over all. The two together tell what the returns left out have: the gap and the ratio of registered and actual people
solve for both counts, a ratio in lowest terms mostly does so alone. What is left out adds up over areas as everything
else does: hidden in one area alone, it would follow from its neighbours and the area above.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dtm._disclosure_complement import Suppression
from dtm._disclosure_inside import moved_up
from dtm._disclosure_system import TOP_TIER, Cells, SystemBuilder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dtm.workspace import Settings

PERSONS, HOUSEHOLDS = "persons", "households"
Stock = tuple[str, str]
"""Category and measure of a total."""
_ACTUAL, _REGISTERED = ("actual", PERSONS), ("registered", PERSONS)
PAIRED: dict[str, tuple[tuple[str, ...], Stock, Stock]] = {
    "gap": (("registration_gap_persons", "registered_per_actual_pct"), _ACTUAL, _REGISTERED),
    "unregistered": (("unregistered_share_pct",), ("unregistered", PERSONS), _ACTUAL),
    "absent": (("absent_share_pct",), ("registered_absent", PERSONS), _REGISTERED),
    "household": (("persons_per_household",), _ACTUAL, ("actual", HOUSEHOLDS)),
}
"""Pairs of counts in `scope_pairs`: the indicators made of them, and the totals they are parts of."""
MATCHED = "matched"
"""The pair of both rounds' people of the units in both, which the changes and the rates are made of."""
_TIER = (0, 2, TOP_TIER + 1)
"""Tiers by levels above the finest (0, 1, 2 and more)."""
_KEYS = ["round_number", "pcode"]


def figures_to_hide(
    pairs: pd.DataFrame,
    stock: pd.DataFrame,
    *,
    rounds: tuple[int, ...],
    parent_of: Mapping[str, str],
    level_of: Mapping[str, int],
    settings: Settings,
) -> pd.DataFrame:
    """Return ``round_number``, ``pcode`` and ``pair`` (of `PAIRED`, or `MATCHED`) of the figures that must be hidden.

    Parameters
    ----------
    pairs
        Rows of `scope_pairs`: for each round and area the sums over the returns that tell both counts.
    stock
        Rows of the full stock table.
    rounds
        The rounds of the release in their order.
    parent_of, level_of
        The area above each that has one, and the level of each.
    settings
        Thresholds.
    """
    totals = stock[stock["breakdown"] == "total"]
    left = [
        _left_out(pairs, _total(totals, one), f"{name}_{side}", pair=name, threshold=_threshold(one, settings))
        for name, (_, top, below) in PAIRED.items()
        for side, one in (("top", top), ("below", below))
    ]
    now = _total(totals, _ACTUAL)
    following = dict(itertools.pairwise(rounds))
    before = now[now["round_number"].isin(following)]
    before = before.assign(round_number=before["round_number"].map(following).astype(np.int64))
    for column, all_of in (("matched_now", now), ("matched_before", before)):
        left.append(_left_out(pairs, all_of, column, pair=MATCHED, threshold=settings.threshold_persons))
    finest = max(level_of.values(), default=0)
    rests = pd.concat(left, ignore_index=True)
    rests = _summed(rests[rests["pcode"].map(level_of) == finest], parent_of)
    above = (finest - rests["pcode"].map(level_of)).clip(0, len(_TIER) - 1).to_numpy(dtype=np.int64)
    cells = Cells(
        value=rests["rest"].to_numpy(dtype=np.int64),
        threshold=rests["threshold"].to_numpy(dtype=np.int64),
        tier=np.array(_TIER, dtype=np.int64)[above],
        is_count=np.ones(len(rests), dtype=bool),
    )
    told = rests.assign(cell=np.arange(len(rests)))
    builder = SystemBuilder(cells)
    by = ["pair", "column", *_KEYS]
    builder.add("rests", [(told, 1), (moved_up(told, parent_of), -1)], by)
    pattern = Suppression(builder.build())
    pattern.protect()
    pattern.verify()
    hidden = rests[np.array(pattern.hidden, dtype=bool)]
    return hidden[[*_KEYS, "pair"]].drop_duplicates().reset_index(drop=True)


def _total(totals: pd.DataFrame, one: Stock) -> pd.DataFrame:
    rows = totals[(totals["category"] == one[0]) & (totals["measure"] == one[1])]
    return rows[[*_KEYS, "value"]]


def _threshold(one: Stock, settings: Settings) -> int:
    return settings.threshold_persons if one[1] == PERSONS else settings.threshold_households


def _left_out(pairs: pd.DataFrame, all_of: pd.DataFrame, column: str, *, pair: str, threshold: int) -> pd.DataFrame:
    """Return what the returns left out have.

    It is 0 where there is no pair: no figure is told there, nothing can be hidden, and a reader who takes the count off
    the area above is left with the others.
    """
    rows = pairs[[*_KEYS, column]].merge(all_of, on=_KEYS)
    rest = (rows["value"].astype(np.float64) - rows[column].astype(np.float64)).fillna(0).clip(lower=0)
    return rows[_KEYS].assign(pair=pair, column=column, threshold=threshold, rest=rest.astype(np.int64))


def _summed(rests: pd.DataFrame, parent_of: Mapping[str, str]) -> pd.DataFrame:
    """Return the rests of the finest areas and their sums over all areas above."""
    parts, level = [rests], rests
    while len(level):
        level = moved_up(level, parent_of)
        parts.append(level)
    together = pd.concat(parts, ignore_index=True)
    return together.groupby(["pair", "column", "threshold", *_KEYS], as_index=False)[["rest"]].sum()

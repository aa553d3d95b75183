"""Tie the breakdowns of moves over borders by the moves between the parts of an area, which no table has.

A move between two parts of an area goes over their borders and not over the area's. So the parts' figures for a reason,
a sex or an age sum to the area's figure and the moves between the parts for it: whoever has all of them has those moves
by subtraction. They are cells of the system that are not released: protected where they are small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dtm._disclosure_system import SystemBuilder

TOTAL = "total"
_MOVES = ["round_number", "source", "direction", "measure"]
KEYS = {"flow": [*_MOVES, "reason"], "flow_item": [*_MOVES, "breakdown", "item"]}
"""Columns of a breakdown of moves over borders, by table, beside the area."""


@dataclass(frozen=True)
class Inside:
    """Moves that stay inside areas, by table of `KEYS`, each with the columns of its keys, ``pcode`` and ``value``.

    Parameters
    ----------
    between
        Moves between the parts of each area that has parts.
    within
        Moves between any two places of each area of which the parts have parts: those between its parts, and those
        within them.
    """

    between: dict[str, pd.DataFrame]
    within: dict[str, pd.DataFrame]


def breakdowns(flow: pd.DataFrame, flow_item: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows of each table that break moves over a border down by something both ends share.

    The distances of a move are not among them: it is farther for the part than for the whole.
    """
    by_reason = flow[(flow["reason"] != TOTAL) & (flow["counterpart"] == TOTAL)]
    return {"flow": by_reason, "flow_item": flow_item[flow_item["breakdown"] != "distance"]}


def moves_inside(told: Mapping[str, pd.DataFrame], parent_of: Mapping[str, str], level_of: Mapping[str, int]) -> Inside:
    """Count the moves inside areas that the figures of areas and of their parts tell.

    Parameters
    ----------
    told
        Rows of `breakdowns`, with ``value`` (persons or households; null where not reported).
    parent_of, level_of
        The area above each that has one, and the level of each.
    """
    finest = max(level_of.values(), default=0)
    parents = set(parent_of.values())
    known = {pcode for pcode, level in level_of.items() if level == finest}
    for pcode in sorted(parents, key=lambda pcode: -level_of[pcode]):
        if all(part in known for part, parent in parent_of.items() if parent == pcode):
            known.add(pcode)
    between = {name: _between(rows, KEYS[name], parent_of) for name, rows in told.items()}
    of_known = {name: rows[rows["pcode"].isin(known)] for name, rows in between.items()}
    return Inside(between, {name: _within(rows, KEYS[name], parent_of) for name, rows in of_known.items()})


def tie_inside(
    builder: SystemBuilder,
    told: Mapping[str, pd.DataFrame],
    inside: Inside,
    own: pd.DataFrame,
    parent_of: Mapping[str, str],
) -> None:
    """Add the sums of the moves inside areas to a system.

    Parameters
    ----------
    builder
        The system's.
    told
        Rows of `breakdowns` with their cells.
    inside
        What `moves_inside` counted, with cells.
    own
        Rows of flows of which the counterpart is the area itself, with their cells.
    parent_of
        The area above each that has one.
    """
    for name, keys in KEYS.items():
        by = [*keys, "pcode"]
        rows, between, within = told[name], inside.between[name], inside.within[name]
        builder.add("moves_between", [(rows, 1), (between, 1), (moved_up(rows, parent_of), -1)], by)
        has_within = between[by].merge(within[by].assign(found=True), how="left")["found"].eq(True).to_numpy()
        stay = pd.concat([within, between[~has_within]])
        builder.add("moves_within", [(within, 1), (between, -1), (moved_up(stay, parent_of), -1)], by)
        for _, items in stay.groupby("breakdown") if "breakdown" in keys else [("", stay)]:
            builder.add("moves_stay", [(own, 1), (items, -1)], [*_MOVES, "pcode"])


def moved_up(rows: pd.DataFrame, parent_of: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows that have an area above them, moved to that area."""
    parent = rows["pcode"].map(parent_of)
    return rows[parent.notna()].assign(pcode=parent[parent.notna()])


def _between(rows: pd.DataFrame, keys: list[str], parent_of: Mapping[str, str]) -> pd.DataFrame:
    """Return what the parts have over the whole, where it is a count of somebody."""
    value = rows["value"].astype(np.float64)
    counted = rows[[*keys, "pcode"]].assign(value=value, unknown=value.isna())
    parts = moved_up(counted, parent_of)
    wholes = counted.assign(value=-value)
    wholes = wholes[wholes["pcode"].isin(set(parent_of.values()))]
    summed = pd.concat([parts, wholes]).groupby([*keys, "pcode"], as_index=False)[["value", "unknown"]].sum()
    return _counts(summed[(summed["unknown"] == 0) & (summed["value"] > 0)])


def _within(between: pd.DataFrame, keys: list[str], parent_of: Mapping[str, str]) -> pd.DataFrame:
    """Return the sums of the moves between the parts of an area and of all areas inside it, where both are there."""
    parts, level = [between.assign(inner=0)], between
    while len(level):
        level = moved_up(level, parent_of)
        parts.append(level.assign(inner=1))
    summed = pd.concat(parts).groupby([*keys, "pcode"], as_index=False)[["value", "inner"]].sum()
    return _counts(summed[summed["inner"] > 0])


def _counts(summed: pd.DataFrame) -> pd.DataFrame:
    counted = summed.drop(columns=summed.columns.intersection(["unknown", "inner"]))
    return counted.assign(value=counted["value"].astype(np.int64)).reset_index(drop=True)

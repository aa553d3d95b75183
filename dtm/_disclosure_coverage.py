"""Choose the coverage shares that would tell a small count of registered people, directly or by subtraction.

A share and the registered people of the units that reported give the registered people of the silent units. These
add up over areas as everything else does: one share emptied alone would follow from those of its neighbours and of
the area above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dtm._disclosure_complement import Suppression
from dtm._disclosure_system import TOP_TIER, Cells, SystemBuilder

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIER = (0, 2, TOP_TIER + 1)
"""Tiers by levels above the finest (0, 1, 2 and more)."""


def shares_to_empty(coverage: pd.DataFrame, parent_of: Mapping[str, str], threshold: int) -> pd.Series:
    """Return which shares a reader may not see.

    Parameters
    ----------
    coverage
        A row a round and area: ``round_number``, ``pcode``, ``share`` (0-1, NaN where unknown), ``registered``
        (persons of the units that reported, NaN where unknown) and ``is_hidden`` (that count is hidden).
    parent_of
        The area above each that has one.
    threshold
        Counts of persons from 1 to one less than this are small.
    """
    share, registered = coverage["share"].to_numpy(float), coverage["registered"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        silent = np.where(share > 0, np.round(registered / share - registered), np.nan)
    # a share of 0 does not tell how many people the silent units have: as much as a count that is no secret
    silent = np.where(np.isnan(silent), np.where(share == 0, float(threshold), 0.0), silent)
    rows = coverage[["round_number", "pcode"]].assign(silent=np.where(coverage["share"].isna(), 0.0, silent))
    level = rows["pcode"].map(lambda pcode: _depth(pcode, parent_of))
    above = (level.max() - level).clip(0, len(_TIER) - 1).astype(int).to_numpy() if len(rows) else []
    total = _sum_of_parts(rows, level, parent_of)
    cells = Cells(
        value=total.to_numpy(np.int64),
        threshold=np.full(len(rows), threshold, dtype=np.int64),
        tier=np.array(_TIER, dtype=np.int64)[above] if len(rows) else np.zeros(0, dtype=np.int64),
        is_count=np.ones(len(rows), dtype=bool),
    )
    told = rows.assign(cell=np.arange(len(rows)))
    parent = told["pcode"].map(parent_of)
    parts = told[parent.notna()].assign(pcode=parent[parent.notna()])
    builder = SystemBuilder(cells)
    builder.add("coverage_areas", [(told, 1), (parts, -1)], ["round_number", "pcode"])
    pattern = Suppression(builder.build())
    also = coverage["is_hidden"].to_numpy(bool) | ((silent >= 1) & (silent < threshold))
    pattern.protect(also=np.flatnonzero(also & (cells.value > 0)).tolist())
    pattern.verify()
    return pd.Series((also | np.array(pattern.hidden, dtype=bool)) & ~np.isnan(share), index=coverage.index)


def _depth(pcode: str, parent_of: Mapping[str, str]) -> int:
    depth = 0
    while (above := parent_of.get(pcode)) is not None:
        pcode, depth = above, depth + 1
    return depth


def _sum_of_parts(rows: pd.DataFrame, level: pd.Series, parent_of: Mapping[str, str]) -> pd.Series:
    """Return the people of the silent units, those of larger areas as the exact sum of their parts."""
    total = rows["silent"].astype(float).copy()
    for one in sorted(level.unique(), reverse=True)[1:]:
        below = rows.assign(total=total, parent=rows["pcode"].map(parent_of))[level == one + 1]
        sums = below.groupby(["round_number", "parent"])["total"].sum()
        at = level == one
        keys = pd.MultiIndex.from_frame(rows.loc[at, ["round_number", "pcode"]])
        added = pd.Series(sums.reindex(keys).to_numpy(float), index=rows.index[at])
        total[at] = added.where(added.notna(), total[at])
    return total

"""Roll the published moves of aimags up to the statistical regions, as far as that is exact."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dtm._flow_table_places import BETWEEN, INSIDE, NOWHERE, REGION, TOTAL
from dtm._release_columns import NOT_REPORTED, PUBLISHED, SUPPRESSED, UNDEFINED
from geodata.pcodes import REGIONS, is_listed, places, region_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_GRAVITY = (PUBLISHED, UNDEFINED, NOT_REPORTED, SUPPRESSED)
_SUM = ["round_number", "source", "pcode", "direction", "origin", "destination", "breakdown", "item", "method"]
_NOT_PAIRS = ("imputed", "checkpoint_through")
"""Sources that have totals alone, so nobody can say which of their moves stay inside a region."""


def to_regions(frame: pd.DataFrame, areas: Iterable[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of level 1 as rows of regions, and notes on what could not be made up.

    - A region that the release does not have all aimags of is left out: what its other aimags told is not known.
    - A total over a region's border is the sum of its aimags' totals less the moves between them; a pair without a
      row had no moves. Breakdowns of totals don't tell which of their moves stayed between those aimags, so they are
      given for regions of one aimag alone, and so are totals of sources without pairs.
    - A sum with a hidden figure in it is hidden. Intervals of sums are not known.

    Parameters
    ----------
    frame
        Rows of a view (`dtm.flow_views.COLUMNS`) of level 1.
    areas
        P-codes of the release's areas of level 1.
    """
    members = places().query("level == 1")["pcode"]
    of_each = Counter(region_of(code).code for code in members)
    found = Counter(region_of(code).code for code in areas if is_listed(code))
    whole = {code for code, count in found.items() if count == of_each[code]}
    single = {code for code in whole if of_each[code] == 1}
    names = {region.code: region.name_en for region in REGIONS.values()}
    notes = [
        f"{names[code]} is left out: the release has {count} of its {of_each[code]} aimags."
        for code, count in found.items()
        if code not in whole
    ]
    renamed = {code: region_of(code).code for code in set(members)}
    moved = frame.assign(
        **{name: frame[name].map(lambda code: renamed.get(code, code)) for name in ("pcode", "origin", "destination")}
    )
    moved = moved[_is_whole(moved, whole)]
    is_total, is_one = moved["part"] == TOTAL, moved["pcode"].isin(single)
    apart = is_total & ((moved["breakdown"] != TOTAL) | moved["source"].isin(_NOT_PAIRS)) & ~is_one
    notes += [
        f"{names[code]}: breakdowns and totals without pairs tell nothing of moves between its aimags."
        for code in sorted(set(moved.loc[apart, "pcode"]))
    ]
    pairs, totals = moved[~is_total], moved[is_total & ~apart]
    within = pairs[(pairs["part"] == BETWEEN) & (pairs["origin"] == pairs["destination"]) & pairs["pcode"].notna()]
    came = within["direction"] == "in"
    within = within.assign(
        origin=within["origin"].mask(came, TOTAL), destination=within["destination"].where(came, TOTAL)
    )
    rolled = _summed(pd.concat([pairs.assign(sign=1), totals.assign(sign=1), within.assign(sign=-1, part=TOTAL)]))
    hidden = int((rolled["status"] == SUPPRESSED).sum())
    if hidden:
        notes.append(f"{hidden} of {len(rolled)} figures of regions are hidden, because a figure in them is.")
    return rolled, notes


def _is_whole(moved: pd.DataFrame, whole: set[str]) -> pd.Series[bool]:
    """Return the rows told by regions that are whole; of pairs that nobody told alone, both ends must be."""
    outside = [*NOWHERE, TOTAL]
    ends = moved["destination"].isin(whole) & (
        moved["origin"].isin([*whole, *outside]) | (moved["source"] != "reconciled")
    )
    return moved["pcode"].isin(whole) | (moved["pcode"].isna() & ends)


def _summed(rows: pd.DataFrame) -> pd.DataFrame:
    gravity = rows["status"].map({status: rank for rank, status in enumerate(_GRAVITY)})
    groups = rows.assign(signed=rows["value"] * rows["sign"], gravity=gravity).groupby(_SUM, dropna=False, sort=True)
    sums = groups.agg(
        value=("signed", "sum"),
        gravity=("gravity", "max"),
        rows=("signed", "size"),
        low=("low", "first"),
        high=("high", "first"),
        note=("note", "first"),
        part=("part", "first"),
    ).reset_index()
    sums["status"] = np.array(_GRAVITY, dtype=object)[sums["gravity"].to_numpy(dtype=int)]
    sums["value"] = sums["value"].where(sums["status"] == PUBLISHED)
    alone = sums["rows"] == 1
    for name in ("low", "high", "note"):
        sums[name] = sums[name].where(alone, None)
    is_inside = (sums["origin"] == sums["destination"]) & (sums["part"] == BETWEEN)
    sums["part"] = sums["part"].mask(is_inside, INSIDE)
    return sums.drop(columns=["gravity", "rows"]).assign(level=REGION)

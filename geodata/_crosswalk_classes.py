"""Tell what became of each area: the same place, split, merged, moved, gone or new, and which only share a code."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

SAME_SHARE: Final = 0.95
"""Two areas are the same place if each has at least this part of the other's land."""
PART_SHARE: Final = 0.05
"""An area is a part of another if it takes more than this of its land."""
MOST: Final = 0.5
"""More than this of an area's land is most of it."""

SAME, SPLIT, MERGED, MOVED, GONE, NEW = "same", "split", "merged", "moved", "gone", "new"
CLASSES: Final = (SAME, SPLIT, MERGED, MOVED, GONE, NEW)
"""What became of an area; that two areas share nothing but their code is told beside it, as `only_code`."""

Floats = np.ndarray[Any, np.dtype[np.float64]]
_COLUMNS: Final = (
    "from_pcode", "to_pcode", "class", "land_share_of_source", "land_share_of_target", "parts", "to_pcodes",
    "same_code_share", "only_code", "uncovered_share",
)  # fmt: skip


def classify(table: pd.DataFrame, sources: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """Return what became of each source area and which target areas are new, judged by land alone.

    A row a source area by P-code, then a row a new target area:

    - `same`: its largest heir has at least 95 % of its land, and that is at least 95 % of the heir's;
    - `split`: two or more targets consist for the most part of its land;
    - `merged`: most of its land went to a target that took most of the land of another source too;
    - `moved`: one heir, other borders;
    - `gone`: no target has more than 5 % of its land, and none is made of it;
    - `new`: a target that no source goes on in: none gave it most of its own land or most of the target's.

    Other columns: `to_pcode` the target with most of its land, and both shares of that land; `parts` the number of
    targets with more than 5 % of its land and `to_pcodes` their codes; `same_code_share` the part of its land in the
    target of the same code (null where there is none); `only_code` whether that is not most of it, so that the two
    share a code and are not one place; `uncovered_share` the part of its land on no target.
    """
    pairs = _pairs(table, sources, targets)
    report = _sources(pairs, sources, set(targets["pcode"]))
    taken = pairs[(pairs["of_source"] > MOST) | (pairs["of_target"] > MOST)]
    new = targets[~targets["pcode"].isin(taken["to_pcode"])]
    rows = pd.DataFrame({"to_pcode": new["pcode"].astype(object), "class": NEW, "only_code": False, "parts": 0})
    rows["to_pcodes"] = ""
    found = pd.concat([report, rows], ignore_index=True) if len(rows) else report
    return found.reindex(columns=list(_COLUMNS)).astype({"parts": "int64", "only_code": "bool"})


def _pairs(table: pd.DataFrame, sources: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    area_km2 = table["area_km2"].to_numpy(np.float64)
    whole = {side: frame.set_index("pcode")["area_km2"] for side, frame in (("from", sources), ("to", targets))}
    return pd.DataFrame(
        {
            "from_pcode": table["from_pcode"].astype(object),
            "to_pcode": table["to_pcode"].astype(object),
            "of_source": area_km2 / whole["from"].loc[table["from_pcode"]].to_numpy(np.float64),
            "of_target": area_km2 / whole["to"].loc[table["to_pcode"]].to_numpy(np.float64),
        }
    )


def _sources(pairs: pd.DataFrame, sources: pd.DataFrame, codes: set[str]) -> pd.DataFrame:
    ordered = pairs.sort_values(["from_pcode", "of_source", "to_pcode"], ascending=[True, False, True], kind="stable")
    best = ordered.drop_duplicates("from_pcode").set_index("from_pcode")
    parts = ordered[ordered["of_source"] > PART_SHARE].groupby("from_pcode", sort=False)["to_pcode"]
    made = pairs[pairs["of_target"] > MOST].groupby("from_pcode").size()
    given = pairs[pairs["of_source"] > MOST]
    shared = given.groupby("to_pcode")["from_pcode"].transform("size") > 1
    same_code = pairs[pairs["from_pcode"] == pairs["to_pcode"]].set_index("from_pcode")["of_source"]
    pcode = sources["pcode"].astype(object)
    report = pd.DataFrame({"from_pcode": pcode, "to_pcode": pcode.map(best["to_pcode"])})
    report["land_share_of_source"] = pcode.map(best["of_source"]).astype("float64")
    report["land_share_of_target"] = pcode.map(best["of_target"]).astype("float64")
    report["parts"] = pcode.map(parts.size()).fillna(0).astype("int64")
    report["to_pcodes"] = pcode.map(parts.agg(" ".join)).fillna("") if len(parts) else ""
    in_both = pcode.isin(codes)
    share = pcode.map(same_code).astype("float64").fillna(0.0)
    report["same_code_share"] = share.where(in_both)
    report["only_code"] = in_both & (share <= MOST)
    report["uncovered_share"] = (1.0 - sources["covered_share"]).clip(lower=0.0)
    children = pcode.map(made).fillna(0).to_numpy()
    smaller = np.fmin(report["land_share_of_source"], report["land_share_of_target"])
    report["class"] = np.select(
        [
            np.asarray(smaller >= SAME_SHARE),
            children > 1,
            np.asarray(pcode.isin(given.loc[shared, "from_pcode"])),
            np.asarray((report["parts"] > 0) | (children > 0)),
        ],
        [SAME, SPLIT, MERGED, MOVED],
        GONE,
    )
    return report

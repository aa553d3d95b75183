"""Time carrying people from one set of areas to another by shared land: our crosswalk against tobler's interpolation.

Both get the same two made-up coverages in metres, in memory, and carry one column of counts. Slivers are kept
(`sliver_share=0`), because tobler keeps them. Ours makes the checked crosswalk with shares for both ways first.
Answers are equal if every area's people agree within what tobler's areas in 32 bits allow, and the totals do.
"""

from __future__ import annotations

import warnings
from importlib.metadata import version
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from benchmarks.clock import clock
from benchmarks.coverage import build_coverage
from geodata.crosswalk import build_crosswalk

if TYPE_CHECKING:
    from pathlib import Path

CRS = "EPSG:32648"
SOURCE, TARGET = "source.parquet", "target.parquet"
RELATIVE_32_BITS = 1e-5
TOTAL_64_BITS = 1e-12


def prepare(folder: Path, facts: dict) -> dict:
    """Write the coverages, the first with people."""
    source, target = (
        build_coverage(facts[name], seed=seed).to_crs(CRS) for seed, name in ((1, "sources"), (2, "targets"))
    )
    source["persons"] = np.random.default_rng(3).integers(500, 20_000, len(source)).astype(float)
    source.to_parquet(folder / SOURCE)
    target.to_parquet(folder / TARGET)
    corners = int(source.count_coordinates().sum() + target.count_coordinates().sum())
    return {"corners": corners, "tobler": version("tobler")}


def _read(folder: Path) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    return gpd.read_parquet(folder / SOURCE), gpd.read_parquet(folder / TARGET)


def ours(folder: Path, _facts: dict):
    """Run `geodata.crosswalk`."""
    source, target = _read(folder)
    values = source.set_index("pcode")["persons"]
    with clock() as taken:
        crosswalk = build_crosswalk(source, target, sliver_share=0)
        carried = crosswalk.carry(values)
    taken["pieces"] = len(crosswalk.table)
    answer = carried.table[["pcode", "value"]].rename(columns={"value": "persons"})
    return taken, lambda path: answer.to_parquet(path, index=False)


def tobler(folder: Path, _facts: dict):
    """Run `tobler.area_weighted.area_interpolate` on one core: with more it starts processes that copy the areas."""
    from tobler.area_weighted import area_interpolate  # noqa: PLC0415  an import of a second, for this arm only

    source, target = _read(folder)
    with warnings.catch_warnings(), clock() as taken:
        warnings.simplefilter("ignore")
        carried = area_interpolate(source, target, extensive_variables=["persons"])
    answer = pd.DataFrame({"pcode": target["pcode"], "persons": carried["persons"].to_numpy()})
    return taken, lambda path: answer.to_parquet(path, index=False)


ARMS = {"ours": ours, "tobler": tobler}


def compare(folder: Path, peer: str, _facts: dict) -> dict:
    """Hold every area's people against the peer's, and our total against what was given."""
    mine, theirs = (
        pd.read_parquet(folder / f"answer-{arm}.parquet").set_index("pcode")["persons"].sort_index().fillna(0.0)
        for arm in ("ours", peer)
    )
    given = gpd.read_parquet(folder / SOURCE)["persons"].sum()
    same_codes = mine.index.equals(theirs.index)
    relative = float(((mine - theirs).abs() / theirs.clip(lower=1.0)).max()) if same_codes else np.inf
    lost = {arm: abs(float(values.sum()) - given) / given for arm, values in (("ours", mine), ("peer", theirs))}
    equal = same_codes and relative < RELATIVE_32_BITS and lost["ours"] < TOTAL_64_BITS
    return {
        "equal": bool(equal),
        "largest_relative_difference": relative,
        "total_off_ours": lost["ours"],
        "total_off_peer": lost["peer"],
    }

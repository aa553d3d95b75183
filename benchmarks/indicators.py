"""Time the indices of a system of areas against the usual lines of pandas, both from one Parquet file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.clock import clock
from dtm.migration_indices import area_indicators, build_systems, system_indices

if TYPE_CHECKING:
    from pathlib import Path

MOVES, PEOPLE = "moves.parquet", "people.parquet"
INDICES = (
    "movers", "population", "crude_migration_intensity_pct", "courgeau_k", "effectiveness_mei", "anmr_pct",
    "connectivity", "inequality", "gini_total", "gini_in", "gini_out", "mean_distance_km", "median_distance_km",
)  # fmt: skip
AREA = (
    "in_persons",
    "out_persons",
    "net_persons",
    "effectiveness",
    "in_per_1000",
    "out_per_1000",
    "gini_in",
    "gini_out",
)
TOLERANCE = 1e-9
_SIDE_KM = 500.0


def prepare(folder: Path, facts: dict) -> dict:
    """Write the moves of a gravity model between areas of unequal size, and the people of the areas."""
    rng = np.random.default_rng(23)
    n = facts["areas"]
    people = np.ceil(rng.lognormal(9, 1, n))
    place = rng.random((n, 2)) * _SIDE_KM
    key = np.unique(rng.integers(0, n * n, int(facts["pairs"] * 1.2) + 50))
    key = rng.permutation(key[key // n != key % n])[: facts["pairs"]]
    origin, destination = key // n, key % n
    distance = np.hypot(*(place[origin] - place[destination]).T) + 1
    moves = 1 + rng.poisson(people[origin] * people[destination] / distance / 1e5)
    names = pd.Index([f"MN{number:06d}" for number in range(n)], dtype="str")
    table = pd.DataFrame(
        {
            "origin": names[origin],
            "destination": names[destination],
            "persons": moves.astype("int64"),
            "distance_km": distance,
        }
    )
    table.to_parquet(folder / MOVES, index=False)
    pd.DataFrame({"area": names, "persons": people}).to_parquet(folder / PEOPLE, index=False)
    return {"pairs": len(table), "persons": int(moves.sum())}


def ours(folder: Path, _facts: dict):
    """Run `dtm.migration_indices`, without the gravity model, for which pandas has nothing."""
    with clock() as taken:
        system = build_systems(pd.read_parquet(folder / MOVES), pd.read_parquet(folder / PEOPLE))[0]
        found = system_indices(system, with_decay=False)[0]
        areas = area_indicators(system)
    return taken, lambda path: _write(path, found, areas)


def pandas(folder: Path, _facts: dict):
    """Run the usual lines: group, sum, sort, rank; never the n x n table, which would not fit."""
    with clock() as taken:
        moves, people = pd.read_parquet(folder / MOVES), pd.read_parquet(folder / PEOPLE)
        people = people.set_index("area")["persons"]
        moves = moves[moves["origin"] != moves["destination"]]
        pairs = moves.groupby(["origin", "destination"], as_index=False).agg(
            persons=("persons", "sum"), distance_km=("distance_km", "first")
        )
        areas = _areas(pairs, people)
        found = _indices(pairs, areas, people)
    return taken, lambda path: _write(path, found, areas.reset_index(names="area"))


def _areas(pairs: pd.DataFrame, people: pd.Series) -> pd.DataFrame:
    n = len(people)
    areas = pd.DataFrame(index=people.index)
    for name, ends in (("in", "destination"), ("out", "origin")):
        areas[f"{name}_persons"] = pairs.groupby(ends)["persons"].sum().reindex(areas.index, fill_value=0)
        ranked = pairs.sort_values("persons")
        group = ranked.groupby(ends)["persons"]
        rank = group.cumcount() + 1 + (n - 1) - group.transform("size")
        terms = 2.0 * (2.0 * rank - n) * ranked["persons"]
        areas[f"gaps_{name}"] = terms.groupby(ranked[ends]).sum().reindex(areas.index, fill_value=0.0)
        areas[f"gini_{name}"] = areas[f"gaps_{name}"] / (2.0 * (n - 2) * areas[f"{name}_persons"])
        areas[f"{name}_per_1000"] = 1000 * areas[f"{name}_persons"] / people
    areas["net_persons"] = areas["in_persons"] - areas["out_persons"]
    areas["effectiveness"] = 100 * areas["net_persons"] / (areas["in_persons"] + areas["out_persons"])
    return areas


def _indices(pairs: pd.DataFrame, areas: pd.DataFrame, people: pd.Series) -> dict[str, float]:
    n, total, everybody = len(people), float(pairs["persons"].sum()), float(people.sum())
    cells, turnover = n * (n - 1), float(areas["net_persons"].abs().sum())
    moved = pairs["persons"].sort_values().to_numpy(dtype="float64")
    rank = np.arange(len(moved)) + 1 + cells - len(moved)
    far = pairs.sort_values("distance_km")
    reached = far["persons"].cumsum()
    return {
        "movers": total,
        "population": everybody,
        "crude_migration_intensity_pct": 100 * total / everybody,
        "courgeau_k": 100 * total / everybody / np.log(n**2),
        "effectiveness_mei": 100 * turnover / (2 * total),
        "anmr_pct": 50 * turnover / everybody,
        "connectivity": len(moved) / cells,
        "inequality": 0.5 * float(np.abs(moved / total - 1 / cells).sum() + (cells - len(moved)) / cells),
        "gini_total": float((2 * (2.0 * rank - cells - 1) * moved).sum()) / (2 * (cells - 1) * total),
        "gini_in": float(areas["gaps_in"].sum()) / (2 * (n - 2) * total),
        "gini_out": float(areas["gaps_out"].sum()) / (2 * (n - 2) * total),
        "mean_distance_km": float(np.average(pairs["distance_km"], weights=pairs["persons"])),
        "median_distance_km": float(far["distance_km"][reached >= total / 2].iloc[0]),
    }


ARMS = {"ours": ours, "pandas": pandas}


def _write(path: Path, found: dict[str, float], areas: pd.DataFrame) -> None:
    table = areas.sort_values("area", ignore_index=True)[["area", *AREA]]
    table.attrs.clear()
    table.assign(**{f"system_{name}": found[name] for name in INDICES}).to_parquet(path, index=False)


def compare(folder: Path, peer: str, _facts: dict) -> dict:
    """Hold every figure of every area and of the system against the peer's."""
    mine, theirs = (pd.read_parquet(folder / f"answer-{arm}.parquet") for arm in ("ours", peer))
    columns = [name for name in mine.columns if name != "area"]
    a, b = (frame[columns].to_numpy(dtype="float64") for frame in (mine, theirs))
    equal = mine["area"].equals(theirs["area"]) and np.allclose(a, b, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    return {"equal": bool(equal), "gini_total": float(mine["system_gini_total"].iloc[0])}

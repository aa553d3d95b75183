"""Run the arms of a benchmark, each in a process of its own, in turn, and print what they took."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

OURS = "ours"
PACKAGES = ("duckdb", "geopandas", "shapely", "pandas", "numpy", "pyarrow")
SMALL_RUNS, LARGE_RUNS = 3, 1
"""Runs of each arm at a small and at a large size; the median counts."""


@dataclass(frozen=True)
class Size:
    """One size to measure: what `prepare` needs, and whether one run must do."""

    facts: Mapping[str, Any]
    is_large: bool = False


@dataclass(frozen=True)
class Benchmark:
    """A benchmark by the module that has its `prepare`, `ARMS` and `compare`."""

    name: str
    module: str
    peers: Sequence[str]
    sizes: Sequence[Size]
    tiny: Size
    options: Mapping[str, Any] = field(default_factory=dict)


class ArmError(RuntimeError):
    """Say that an arm ended with an error; its own words are in the message."""


def call(module: str, action: str, folder: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Run one step of a benchmark in a fresh process and return what it printed last."""
    done = subprocess.run(  # noqa: S603  our own module
        [sys.executable, "-m", "benchmarks.step", module, action, str(folder), json.dumps(dict(facts))],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ArmError(f"{module} {action} failed:\n{done.stderr[-4000:]}")
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def measure(
    benchmark: Benchmark, size: Size, *, runs: int | None = None, scratch: Path | None = None
) -> Iterator[dict[str, Any]]:
    """Yield one line for each peer: first equal answers, then the times of all arms, taken in turn."""
    count = runs or (LARGE_RUNS if size.is_large else SMALL_RUNS)
    facts = {**benchmark.options, **size.facts}
    arms = (OURS, *benchmark.peers)
    with tempfile.TemporaryDirectory(prefix="dtm-bench-", dir=scratch) as folder:
        place = Path(folder)
        prepared = call(benchmark.module, "prepare", place, facts)
        taken: dict[str, list[dict[str, Any]]] = {arm: [] for arm in arms}
        for arm in arms:
            taken[arm].append(call(benchmark.module, arm, place, {**facts, "answer": True}))
        compared = {peer: call(benchmark.module, f"compare:{peer}", place, facts) for peer in benchmark.peers}
        if all(told["equal"] for told in compared.values()):
            for _ in range(count - 1):
                for arm in arms:
                    taken[arm].append(call(benchmark.module, arm, place, facts))
        for peer in benchmark.peers:
            yield _line(benchmark, size, peer=peer, taken=taken, prepared=prepared, compared=compared[peer])


def _line(
    benchmark: Benchmark,
    size: Size,
    *,
    peer: str,
    taken: Mapping[str, list[dict[str, Any]]],
    prepared: Mapping[str, Any],
    compared: Mapping[str, Any],
) -> dict[str, Any]:
    seconds = {arm: statistics.median(run["seconds"] for run in taken[arm]) for arm in (OURS, peer)}
    peak_mb = {arm: statistics.median(run["peak_mb"] for run in taken[arm]) for arm in (OURS, peer)}
    facts = {key: value for key, value in compared.items() if key != "equal"}
    for arm, key in ((OURS, "ours"), (peer, "peer")):
        facts[f"cpu_seconds_{key}"] = round(statistics.median(run.get("cpu_seconds", 0) for run in taken[arm]), 4)
        for name in taken[arm][0]:
            if name not in {"seconds", "cpu_seconds", "peak_mb"}:
                facts[f"{name}_{key}"] = taken[arm][0][name]
    return {
        "name": benchmark.name,
        "peer": peer,
        "sizes": {name: prepared.get(name, value) for name, value in size.facts.items()},
        "seconds_ours": round(seconds[OURS], 4),
        "seconds_peer": round(seconds[peer], 4),
        "ratio": round(seconds[peer] / seconds[OURS], 2),
        "answers_equal": bool(compared["equal"]),
        "peak_mb_ours": round(peak_mb[OURS], 1),
        "peak_mb_peer": round(peak_mb[peer], 1),
        "runs": len(taken[OURS]),
        "facts": {**{k: v for k, v in prepared.items() if k not in size.facts}, **facts},
        "versions": versions(),
        "cores": os.cpu_count(),
    }


def versions() -> dict[str, str]:
    """Return the versions the figures were taken with."""
    found = {"python": sys.version.split()[0]}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found

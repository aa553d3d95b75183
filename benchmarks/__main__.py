"""Measure the heavy steps against the usual tools: `python -m benchmarks NAME --json`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.runner import ArmError, Benchmark, Size, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

MILLION = 1_000_000
BENCHMARKS = {
    benchmark.name: benchmark
    for benchmark in (
        Benchmark(
            "locate",
            "benchmarks.locate",
            peers=("geopandas", "duckdb_spatial"),
            sizes=(
                Size({"points": MILLION, "areas": 204}),
                Size({"points": MILLION, "areas": 10_000}),
                Size({"points": 10 * MILLION, "areas": 204}, is_large=True),
                Size({"points": 10 * MILLION, "areas": 10_000}, is_large=True),
            ),
            tiny=Size({"points": 2_000, "areas": 30}),
        ),
        Benchmark(
            "import",
            "benchmarks.importing",
            peers=("pandas", "pandas_pyarrow"),
            sizes=(Size({"rows": 100_000}), Size({"rows": MILLION}, is_large=True)),
            tiny=Size({"rows": 500}),
        ),
        Benchmark(
            "import-kobo",
            "benchmarks.kobo",
            peers=("json_normalize",),
            sizes=(Size({"submissions": 10_000}), Size({"submissions": 100_000})),
            tiny=Size({"submissions": 300}),
        ),
        Benchmark(
            "import-checks",
            "benchmarks.checking",
            peers=("unchecked",),
            sizes=(Size({"rows": 100_000}), Size({"rows": MILLION}, is_large=True)),
            tiny=Size({"rows": 500}),
        ),
        Benchmark(
            "flows",
            "benchmarks.flows",
            peers=("pandas",),
            sizes=(Size({"movements": MILLION}), Size({"movements": 10 * MILLION})),
            tiny=Size({"movements": 2_000}),
        ),
        Benchmark(
            "indicators",
            "benchmarks.indicators",
            peers=("pandas",),
            sizes=(
                Size({"areas": 1_000, "pairs": 200_000}),
                Size({"areas": 10_000, "pairs": 5 * MILLION}),
            ),
            tiny=Size({"areas": 30, "pairs": 100}),
        ),
        Benchmark(
            "crosswalk",
            "benchmarks.crosswalk",
            peers=("tobler",),
            sizes=(
                Size({"sources": 1_000, "targets": 1_200}),
                Size({"sources": 10_000, "targets": 12_000}),
            ),
            tiny=Size({"sources": 30, "targets": 40}),
        ),
        Benchmark(
            "fit",
            "benchmarks.fit",
            peers=("numpy",),
            sizes=(Size({"areas": 500, "groups": 5}), Size({"areas": 2_000, "groups": 5})),
            tiny=Size({"areas": 40, "groups": 3}),
        ),
    )
}
MODERATE = {
    "locate": 2,
    "import": 1,
    "import-kobo": 1,
    "import-checks": 1,
    "flows": 1,
    "indicators": 1,
    "crosswalk": 2,
    "fit": 2,
}
"""How many of the sizes run without `--sizes`: those that take seconds, not minutes."""
SPREAD = {
    "locate": ("points", "areas"),
    "import": ("rows",),
    "import-kobo": ("submissions",),
    "import-checks": ("rows",),
    "flows": ("movements",),
    "indicators": ("areas", "pairs"),
    "crosswalk": ("sources", "targets"),
    "fit": ("areas", "groups"),
}


def sizes_of(benchmark: Benchmark, wanted: Sequence[str]) -> list[Size]:
    """Return the sizes to run: the moderate ones, `all`, `tiny`, or given ones such as `1000000x204`."""
    if not wanted:
        return list(benchmark.sizes[: MODERATE[benchmark.name]])
    chosen: list[Size] = []
    for word in wanted:
        if word == "all":
            chosen += benchmark.sizes
        elif word == "tiny":
            chosen.append(benchmark.tiny)
        else:
            numbers = [int(part.replace("_", "")) for part in word.split("x")]
            names = SPREAD[benchmark.name]
            if len(numbers) != len(names):
                raise ValueError(f"a size of {benchmark.name} is {'x'.join(name.upper() for name in names)}")
            chosen.append(Size(dict(zip(names, numbers, strict=True)), is_large=numbers[0] > MILLION))
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a benchmark; 1 when answers differ, 2 for wrong use, 3 when a step fails."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=sorted(BENCHMARKS))
    parser.add_argument(
        "--sizes", nargs="+", default=[], metavar="SIZE",
        help="all, tiny, or numbers: locate POINTSxAREAS, import and import-checks ROWS, import-kobo "
        "SUBMISSIONS, flows MOVEMENTS, indicators AREASxPAIRS, crosswalk SOURCESxTARGETS, fit AREASxGROUPS; the "
        "moderate ones if not given",
    )  # fmt: skip
    parser.add_argument("--areas", type=Path, help="locate: polygons of a file instead of made-up ones")
    parser.add_argument("--runs", type=int, help="runs of each arm; 3, or 1 at large sizes")
    parser.add_argument("--scratch", type=Path, help="folder for the generated input; the system's if not given")
    parser.add_argument("--json", action="store_true", help="print one JSON line a size and peer")
    options = parser.parse_args(arguments)
    benchmark = BENCHMARKS[options.name]
    if options.areas is not None:
        if options.name != "locate" or not options.areas.is_file():
            parser.error(f"--areas goes with locate and names a file that is there, not {options.areas}")
        benchmark = replace(benchmark, options={"areas_file": str(options.areas.resolve())})
    try:
        sizes = sizes_of(benchmark, options.sizes)
    except ValueError as error:
        parser.error(str(error))
    all_equal = True
    for size in sizes:
        try:
            for line in measure(benchmark, size, runs=options.runs, scratch=options.scratch):
                all_equal &= line["answers_equal"]
                print(json.dumps(line) if options.json else in_words(line), flush=True)
        except ArmError as error:
            print(error, file=sys.stderr)
            return 3
    return 0 if all_equal else 1


def in_words(line: dict[str, Any]) -> str:
    """Return a line for people."""
    sizes = ", ".join(f"{value:,} {name}" for name, value in line["sizes"].items())
    return (
        f"{line['name']} ({sizes}): {line['seconds_ours']:.2f} s, {line['peak_mb_ours']:.0f} MB; "
        f"{line['peer']} {line['seconds_peer']:.2f} s, {line['peak_mb_peer']:.0f} MB; "
        f"{line['ratio']:.1f} times as fast; answers {'equal' if line['answers_equal'] else 'DIFFER'}"
    )


if __name__ == "__main__":
    sys.exit(main())

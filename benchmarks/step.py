"""Run one step of a benchmark in this process: prepare the input, run an arm, or compare two answers.

The process imports what the step needs before the clock starts. Its peak memory is the operating system's
`ru_maxrss` up to the end of the timed work: interpreter, libraries and input included, the written answer not.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
from pathlib import Path

KB_PER_MB = 1024


def peak_mb() -> float:
    """Return the largest resident memory of this process so far, in MB (Linux counts it in kB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KB_PER_MB


def main(module: str, action: str, folder: Path, facts: dict) -> dict:
    """Do the step and return what it has to tell."""
    room = importlib.import_module(module)
    if action == "prepare":
        return room.prepare(folder, facts)
    if action.startswith("compare:"):
        return room.compare(folder, action.removeprefix("compare:"), facts)
    told, answer = room.ARMS[action](folder, facts)
    told["peak_mb"] = peak_mb()
    if facts.get("answer"):
        answer(folder / f"answer-{action}.parquet")
    return told


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), json.loads(sys.argv[4]))))

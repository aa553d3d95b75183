"""Time movements to round x origin x destination x reason: the database against pandas, both from one Parquet file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.clock import clock
from dtm.engine import connect
from dtm.flows import FLOW_KEYS, aggregate_flows

if TYPE_CHECKING:
    from pathlib import Path

MOVEMENTS = "movements.parquet"
ROUNDS = 6
REASONS = (
    "work", "study", "family", "housing", "services", "health", "livestock_loss", "disaster", "return", "other",
    "unknown",
)  # fmt: skip
ORIGINS = (*(f"MN{number:02d}" for number in range(11, 33)), "abroad", "unknown")
DESTINATIONS = tuple(f"MN11{district:02d}{khoroo:02d}" for district in range(1, 10) for khoroo in range(1, 24))
_CHUNK = 1_000_000


def prepare(folder: Path, facts: dict) -> dict:
    """Write the movements: few origins and reasons are common, as in life."""
    rng = np.random.default_rng(11)
    columns = {"origin": ORIGINS, "destination": DESTINATIONS, "reason": REASONS}
    writer = None
    for start in range(0, facts["movements"], _CHUNK):
        n = min(_CHUNK, facts["movements"] - start)
        table = pa.table(
            {
                "round_number": pa.array(rng.integers(1, ROUNDS + 1, n), pa.int32()),
                **{name: _words(values, rng=rng, n=n) for name, values in columns.items()},
                "persons": pa.array(rng.geometric(0.4, n), pa.int64()),
            }
        )
        writer = writer or pq.ParquetWriter(folder / MOVEMENTS, table.schema, compression="zstd")
        writer.write_table(table)
    writer.close()
    return {}


def _words(values: tuple[str, ...], *, rng: np.random.Generator, n: int) -> pa.Array:
    share = 1 / np.arange(1, len(values) + 1)
    chosen = rng.choice(len(values), n, p=share / share.sum())
    return pa.DictionaryArray.from_arrays(chosen.astype(np.int32), list(values)).cast(pa.string())


def ours(folder: Path, _facts: dict):
    """Run `dtm.flows.aggregate_flows`."""
    connection = connect(spatial=False)
    with clock() as taken:
        aggregate_flows(connection, f"read_parquet('{folder / MOVEMENTS}')", into="flow_sum")
    return taken, lambda path: connection.execute(f"COPY flow_sum TO '{path}'")


def pandas(folder: Path, _facts: dict):
    """Run the usual lines: read, group, sum; unsorted, which is the faster way."""
    with clock() as taken:
        frame = pd.read_parquet(folder / MOVEMENTS)
        sums = frame.groupby(list(FLOW_KEYS), sort=False, as_index=False)["persons"].sum()
    return taken, lambda path: sums.to_parquet(path, index=False)


ARMS = {"ours": ours, "pandas": pandas}


def compare(folder: Path, peer: str, _facts: dict) -> dict:
    """Hold every sum against the peer's."""
    keys = list(FLOW_KEYS)
    mine, theirs = (
        pd.read_parquet(folder / f"answer-{arm}.parquet")
        .sort_values(keys, ignore_index=True)
        .astype({"persons": "int64"})
        for arm in ("ours", peer)
    )
    equal = mine[[*keys, "persons"]].equals(theirs[[*keys, "persons"]])
    return {"equal": bool(equal), "groups": len(mine), "persons": int(mine["persons"].sum())}

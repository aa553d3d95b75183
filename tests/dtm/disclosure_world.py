"""Make full tables of a release for the tests of disclosure: from a few rows by hand, or a random city."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dtm._release_tables import RELEASE_TABLES
from dtm.disclosure import PROTECTED_TABLES
from dtm.engine import connect

TABLES = PROTECTED_TABLES
OUTSIDE = ("MN64", "MN65", "MN83", "abroad", "unknown")


def columns_of(name):
    return [column for column in RELEASE_TABLES[name].columns if column.name != "status"]


def areas_frame(parents):
    """Areas from {pcode: parent}; levels follow from the P-code's length."""
    rows = [(pcode, (len(pcode) - 2) // 2, parent) for pcode, parent in sorted(parents.items())]
    return pd.DataFrame(rows, columns=["pcode", "level", "parent_pcode"]).astype({"parent_pcode": object})


def open_world(parents, rounds, **tables):
    """A connection that holds the temporary tables `protect_release` reads."""
    connection = connect(spatial=False, threads=1)
    areas = areas_frame(parents)
    connection.register("a", areas)
    connection.execute(
        "CREATE TEMP TABLE scope_area AS "
        "SELECT pcode, level::INTEGER AS level, parent_pcode::VARCHAR AS parent_pcode FROM a"
    )
    finest = areas.loc[areas["level"] == areas["level"].max(), "pcode"]
    rollup = [(f, p) for f in finest for p in areas["pcode"] if f.startswith(p)]
    connection.register("r", pd.DataFrame(rollup, columns=["area_pcode", "pcode"]))
    connection.execute("CREATE TEMP TABLE scope_rollup AS SELECT area_pcode, pcode, (len(pcode)-2)//2 AS level FROM r")
    connection.execute(f"CREATE TEMP TABLE scope_round AS SELECT unnest({list(rounds)}::INTEGER[]) AS round_number")
    for name in TABLES:
        columns = columns_of(name)
        definition = ", ".join(f"{column.name} {column.type}" for column in columns)
        connection.execute(f"CREATE TEMP TABLE full_{name} ({definition})")
        frame = tables.get(name)
        if frame is not None and len(frame):
            connection.register("t", frame)
            names = ", ".join(column.name for column in columns if column.name in frame.columns)
            connection.execute(f"INSERT INTO full_{name} ({names}) SELECT {names} FROM t")
            connection.unregister("t")
    return connection


def stock_rows(cells, *, round_number=1):
    """Stock rows from {(pcode, category, measure, breakdown, item): value}."""
    rows = [
        (round_number, (len(p) - 2) // 2, p, category, measure, breakdown, item, value, "observed")
        for (p, category, measure, breakdown, item), value in cells.items()
    ]
    names = [column.name for column in columns_of("stock")]
    return pd.DataFrame(rows, columns=names).astype({"value": "Int64"})


def flow_rows(cells, *, round_number=1, source="arrivals", direction="in", measure="persons"):
    """Flow rows from {(pcode, counterpart, reason): value}."""
    rows = [
        (round_number, source, (len(p) - 2) // 2, p, c, direction, reason, c, p, measure, value, "observed")
        for (p, c, reason), value in cells.items()
    ]
    names = [column.name for column in columns_of("flow")]
    return pd.DataFrame(rows, columns=names).astype({"value": "Int64"})


def collapse(pcode, counterpart):
    """Counterpart as a flow of an area names it (the release's rule)."""
    if counterpart.startswith(pcode):
        return pcode
    if len(pcode) == 4:
        return counterpart[:4] if counterpart.startswith("MN") else counterpart
    if counterpart.startswith(pcode[:4]):
        return counterpart[:6]
    return counterpart[:4] if counterpart.startswith("MN") else counterpart


def flows_of_moves(moves, finest, **options):
    """Flow rows of all levels from moves (area, counterpart, reason, count)."""
    cells = {}
    for area in finest:
        for length in range(4, len(area) + 1, 2):
            cells.setdefault((area[:length], "total", "total"), 0)
    for area, other, reason, count in moves:
        for length in range(4, len(area) + 1, 2):
            pcode = area[:length]
            counterpart = collapse(pcode, other)
            keys = [(pcode, counterpart, "total")]
            if counterpart != pcode:
                keys += [(pcode, "total", "total"), (pcode, "total", reason)]
            for key in keys:
                cells[key] = cells.get(key, 0) + count
    return flow_rows(cells, **options)


def random_city(seed, *, districts=9, khoroos=204, n_rounds=6, arrivals_a_round=20_000):
    """Parents, rounds and tables of a made-up city with skewed flows, for measuring."""
    rng = np.random.default_rng(seed)
    names = [f"MN11{d:02d}" for d in range(1, districts + 1)]
    of = sorted(rng.integers(0, districts, khoroos - districts).tolist() + list(range(districts)))
    finest, count = [], {}
    for d in of:
        count[d] = count.get(d, 0) + 1
        finest.append(f"{names[d]}{count[d]:02d}")
    parents = {"MN11": None, **dict.fromkeys(names, "MN11"), **{k: k[:6] for k in finest}}
    stocks, flows = [], []
    size = rng.integers(2_000, 14_000, len(finest))
    outside = [f"MN{n}" for n in (21, 22, 23, 41, 42, 43, 44, 45, 46, 48, 61, 62, 63, 64, 65, 67, 81, 82, 83, 84, 85)]
    outside += ["abroad", "unknown"]
    reasons = [
        "work",
        "study",
        "family",
        "housing",
        "services",
        "health",
        "livestock_loss",
        "disaster",
        "return",
        "other",
    ]
    for number in range(1, n_rounds + 1):
        cells = {}
        for k, base in zip(finest, size, strict=True):
            if rng.random() < 0.02:
                add_stock(cells, k, None)
            else:
                add_stock(cells, k, unit_stock(rng, int(base * (1 + 0.02 * number))))
        stocks.append(stock_rows(cells, round_number=number))
        for source, direction in (("arrivals", "in"), ("departures", "out")):
            weights = np.concatenate(
                [rng.dirichlet(np.full(len(finest), 0.5)) * 0.35, rng.dirichlet(np.ones(len(outside))) * 0.65]
            )
            n_moves = arrivals_a_round // 3
            areas = rng.choice(finest, n_moves, p=size / size.sum())
            others = rng.choice([*finest, *outside], n_moves, p=weights)
            why = rng.choice(reasons, n_moves, p=np.array([30, 25, 15, 10, 6, 5, 4, 1, 2, 2]) / 100)
            persons = rng.integers(1, 6, n_moves)
            moves = pd.DataFrame({"a": areas, "o": others, "r": why, "persons": persons, "households": 1})
            for measure in ("persons", "households"):
                grouped = moves.groupby(["a", "o", "r"], as_index=False)[measure].sum()
                rows = grouped[["a", "o", "r", measure]].itertuples(index=False)
                flows.append(
                    flows_of_moves(
                        rows, finest, round_number=number, source=source, direction=direction, measure=measure
                    )
                )
    return parents, range(1, n_rounds + 1), {"stock": pd.concat(stocks), "flow": pd.concat(flows)}


def unit_stock(rng, actual):
    """Counts of one area by category, measure, breakdown and item."""
    absent, unregistered = int(rng.integers(0, 60)), int(rng.integers(0, 90))
    female = rng.binomial(actual, 0.51)
    ages = rng.multinomial(actual, [0.11, 0.2, 0.15, 0.44, 0.1])
    households = actual // 4
    dwelling = rng.multinomial(households, rng.dirichlet([1.0, 1.0, 1.0, 0.02]))
    cells = {
        ("actual", "persons", "total", "total"): actual,
        ("registered", "persons", "total", "total"): actual + absent - unregistered,
        ("registered_absent", "persons", "total", "total"): absent,
        ("unregistered", "persons", "total", "total"): unregistered,
        ("actual", "households", "total", "total"): households,
        ("registered", "households", "total", "total"): households - unregistered // 4,
        ("actual", "persons", "sex", "male"): actual - female,
        ("actual", "persons", "sex", "female"): female,
    }
    for band, value in zip(("0_4", "5_14", "15_24", "25_59", "60_plus"), ages, strict=True):
        cells["actual", "persons", "age", band] = value
    for kind, value in zip(("ger", "house", "apartment", "other"), dwelling, strict=True):
        cells["actual", "households", "dwelling", kind] = value
    return {key: int(value) for key, value in cells.items()}


def add_stock(cells, area, unit):
    """Add one area's counts to it and the areas above; None is an area without a return."""
    if unit is None:
        cells[area, "actual", "persons", "total", "total"] = None
        return
    for length in range(4, len(area) + 1, 2):
        for key, value in unit.items():
            full = (area[:length], *key)
            cells[full] = (cells.get(full) or 0) + value

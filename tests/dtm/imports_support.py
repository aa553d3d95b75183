"""Make a small warehouse: four square khoroos of one district, two khesegs each, one open round."""

from __future__ import annotations

import csv
from datetime import date
from functools import cache, partial
from typing import TYPE_CHECKING
from unittest.mock import patch

from dtm._warehouse_tables import WAREHOUSE_TABLES
from dtm.engine import connect
from dtm.locate import store_grid
from dtm.workspace import create_workspace
from geodata.grid import build_grid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from dtm.engine import Connection
    from dtm.workspace import Workspace

WEST, SOUTH, SIDE = 106.9, 47.9, 0.01
KHOROOS = ("MN110701", "MN110702", "MN110703", "MN110704")
GRID_TABLES = ("grid", "grid_cell", "grid_edge")
GRID_CELLS = 32
"""Cells along a side: the answers are the same, and the grid isn't the largest part of a warehouse of four squares."""


def square(number: int) -> str:
    """Return the polygon of the khoroo with this number: 1, 2 below; 3, 4 above."""
    x, y = WEST + SIDE * ((number - 1) % 2), SOUTH + SIDE * ((number - 1) // 2)
    ring = [(x, y), (x + SIDE, y), (x + SIDE, y + SIDE), (x, y + SIDE), (x, y)]
    return f"POLYGON(({', '.join(f'{lon:.4f} {lat:.4f}' for lon, lat in ring)}))"


def middle(number: int) -> tuple[float, float]:
    """Return the middle of a khoroo, lon and lat."""
    return WEST + SIDE * ((number - 1) % 2 + 0.5), SOUTH + SIDE * ((number - 1) // 2 + 0.5)


def _add_set(connection: Connection, name: str, level: int, parent: str | None, pcodes: Sequence[str]) -> None:
    connection.execute(
        "INSERT INTO area_set VALUES (?, 1, ?, ?, DATE '2022-01-01', NULL, ?, NULL, 'EPSG:4326', 'x', 'x', false, "
        "TIMESTAMP '2024-01-01')",
        [name, level, parent, len(pcodes)],
    )
    for pcode in pcodes:
        connection.execute(
            "INSERT INTO area VALUES (?, 1, ?, ?, ?, ?, NULL, NULL, NULL, 1, NULL, NULL, ST_GeomFromText(?))",
            [name, pcode, level, pcode[:-2], int(pcode[-2:]), square(int(pcode[6:8]))],
        )


@cache
def _grid_of_khoroos() -> dict[str, pa.Table]:
    """Return the rows of the khoroos' grid index: they are always the same and dear to make."""
    with connect() as connection:
        for name in ("area_set", "area", *GRID_TABLES):
            connection.execute(WAREHOUSE_TABLES[name].create_sql())
        _add_set(connection, "khoroos", 3, None, KHOROOS)
        with patch("dtm.locate.build_grid", partial(build_grid, coarse_cells_max=GRID_CELLS)):
            store_grid(connection, area_set="khoroos", version=1)
        return {name: connection.execute(f"FROM {name}").to_arrow_table() for name in GRID_TABLES}


def add_areas(connection: Connection, *, with_khesegs: bool = True) -> None:
    """Load the khoroos, and their khesegs as a set below them."""
    _add_set(connection, "khoroos", 3, None, KHOROOS)
    if with_khesegs:
        khesegs = [f"{khoroo}{kheseg:02d}" for khoroo in KHOROOS for kheseg in (1, 2)]
        _add_set(connection, "khesegs", 4, "khoroos", khesegs)
    for name, rows in _grid_of_khoroos().items():
        connection.register("rows_of_grid", rows)
        connection.execute(f"INSERT INTO {name} FROM rows_of_grid")
    connection.unregister("rows_of_grid")


def add_round(connection: Connection, number: int, *, status: str = "draft", operation: str | None = None) -> None:
    """Open a round: all of the month with its number, in 2024."""
    first = date(2024, number, 1)
    last = date(2024, number, 28)
    connection.execute(
        "INSERT INTO round VALUES (?, ?, ?, ?, ?, 'BA', 'khoroos', 1, ?)",
        [operation or "Ulaanbaatar population tracking", number, first, last, last, status],
    )


def make_warehouse(path: Path, *, with_khesegs: bool = True) -> tuple[Connection, Workspace]:
    """Return a warehouse in memory with rounds 1 (released), 2 and 3 (open), and its workspace."""
    workspace = create_workspace(path)
    connection = connect()
    for table in WAREHOUSE_TABLES.values():
        connection.execute(table.create_sql())
    add_areas(connection, with_khesegs=with_khesegs)
    for number, status in ((1, "released"), (2, "draft"), (3, "draft")):
        add_round(connection, number, status=status)
    return connection, workspace


def baseline_row(unit: str = "MN11070101", **changes: object) -> dict[str, object]:
    """Return a sound baseline return of a unit: 40 persons registered, 3 absent, 5 unregistered, 42 live there."""
    lon, lat = middle(int(unit[6:8]) if unit[6:8].isdigit() else 1)
    row: dict[str, object] = {
        "instance_id": f"uuid-{unit}", "round": 2, "enumerator": "e1", "collected_at": "2024-02-10T10:00:00",
        "unit": unit, "lon": lon, "lat": lat, "accuracy_m": 8,
        "registered_households": 10, "registered_persons": 40, "actual_households": 11, "actual_persons": 42,
        "male_persons": 20, "female_persons": 22, "age_0_4_persons": 4, "age_5_14_persons": 8,
        "age_15_24_persons": 6, "age_25_59_persons": 20, "age_60_plus_persons": 4,
        "registered_absent_persons": 3, "unregistered_persons": 5,
        "ger_households": 6, "house_households": 3, "apartment_households": 2, "other_households": 0,
        "births_persons": 1, "deaths_persons": 0, "number_source": "count", "confidence": 3,
        "window_from": "2023-08-01", "window_to": "2024-01-31",
    }  # fmt: skip
    return {**row, **changes}


def move_row(place: str, unit: str = "MN11070101", **changes: object) -> dict[str, object]:
    """Return a sound arrival (`place` is origin) or departure (destination): one household of four."""
    row: dict[str, object] = {
        "instance_id": f"uuid-{unit}", place: "MN62", "households": 1, "persons": 4, "male_persons": 2,
        "female_persons": 2, "reason": "work", "registered": "yes", "intended_duration": "permanent",
    }  # fmt: skip
    return {**row, **changes}


def passage_row(number: int = 1, **changes: object) -> dict[str, object]:
    """Return a sound passage: a car with a man, a woman and a girl."""
    lon, lat = middle(1)
    row: dict[str, object] = {
        "instance_id": f"p{number}", "checkpoint": "emeelt", "direction": "in", "passed_at": "2024-02-10T07:00:00",
        "vehicle": "car", "persons": 3, "male_0_17_persons": 0, "male_18_59_persons": 1, "male_60_plus_persons": 0,
        "female_0_17_persons": 1, "female_18_59_persons": 1, "female_60_plus_persons": 0, "origin": "MN62",
        "destination": "MN1107", "stay": "1_3d", "purpose": "work", "enumerator": "e2", "lon": lon, "lat": lat,
        "accuracy_m": 5,
    }  # fmt: skip
    return {**row, **changes}


def write_csv(path: Path, rows: Sequence[dict[str, object]], *, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    """Write rows as CSV with every column that any of them has."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path

"""A round with three returns of eight khesegs counted, one set aside and one doubtful: every count can be made by hand.

Round 2 of `tests.dtm.imports_support` (February 2024, four khoroos of two khesegs each):

- khoroo 1: both khesegs reported, on 10 and 12 February;
- khoroo 2: the first kheseg's return was set aside (men and women add up to 45, not 42), and so was its arrival;
- khoroo 3: the first kheseg reported on 12 February from a point in khoroo 4;
- khoroo 4: nothing came.
"""

from __future__ import annotations

import shutil

from dtm.enumerators import load_enumerators
from dtm.imports import import_returns
from dtm.warehouse import SCHEMA_VERSION
from dtm.workspace import open_workspace
from tests.dtm.imports_support import baseline_row, make_warehouse, middle, move_row, write_csv

OPERATION = "Ulaanbaatar population tracking"
ROUND = 2
EXPECTED = 8
RECEIVED = ("MN11070101", "MN11070102", "MN11070301")
REMARK = "the green door at the well told me"
"""It must never leave the warehouse."""


def save_desk_world(path):
    """Make the world above as a workspace in `path`, once for many tests; return its folder."""
    connection, workspace = make_warehouse(path / "workspace")
    _import(connection, workspace, path)
    connection.execute("INSERT INTO meta VALUES ('schema_version', ?)", [str(SCHEMA_VERSION)])
    connection.execute(f"ATTACH '{workspace.warehouse_path}' AS saved")
    connection.execute("COPY FROM DATABASE memory TO saved")
    connection.close()
    return workspace.path


def copy_desk_world(saved, path):
    """Return a workspace of its own for one test."""
    return open_workspace(shutil.copytree(saved, path / "workspace"))


def _import(connection, workspace, path):
    lon, lat = middle(4)
    rows = [
        baseline_row("MN11070101", enumerator="E1", remarks=REMARK),
        baseline_row("MN11070102", enumerator="E2", collected_at="2024-02-12T09:00:00", actual_persons=142,
                     male_persons=70, female_persons=72, age_25_59_persons=120),
        baseline_row("MN11070201", enumerator="E3", female_persons=25, remarks=REMARK),
        baseline_row("MN11070301", enumerator="E4", collected_at="2024-02-12T23:30:00", lon=lon, lat=lat),
    ]  # fmt: skip
    arrivals = [move_row("origin", "MN11070101"), move_row("origin", "MN11070201")]
    files = [write_csv(path / "baseline.csv", rows), write_csv(path / "arrivals.csv", arrivals)]
    import_returns(connection, workspace, files, round_number=ROUND)


def load_people(connection, path):
    """Load four enumerators: one trained before collecting, one on the day, one never, and nobody for E4."""
    file = path / "enumerators.csv"
    file.write_text(
        "enumerator,role,unit,trained_on\nE1,kheseg_leader,MN11070101,2024-01-20\n"
        "E2,kheseg_leader,MN11070102,2024-02-12\nE3,kheseg_leader,MN11070201,\n"
        "O4,khoroo_officer,MN110704,2024-01-20\n",
        encoding="utf-8",
    )
    return load_enumerators(connection, file)

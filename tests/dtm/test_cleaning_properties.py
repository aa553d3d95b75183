"""Check that edits give what a file corrected by hand gives, in any order, and that taking them back is as if never."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtm.cleaning import Edit, apply_edits, undo_edits
from dtm.imports import import_returns
from tests.dtm.imports_support import baseline_row, make_warehouse, move_row, write_csv
from tests.dtm.test_cleaning import CANONICAL, state

EXAMPLES = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
UNITS = ("MN11070101", "MN11070102", "MN11070201")
FAULTS = {
    "baseline": [
        ("registered_persons", "forty"), ("deaths_persons", "-1"), ("number_source", "guess"), ("male_persons", "21"),
        ("unit", "MN11070109"), ("collected_at", "2024-05-01T00:00:00"), ("confidence", "9"), ("births_persons", "7"),
        ("safety", "very"), ("instance_id", ""),
    ],
    "arrivals": [
        ("origin", "Mars"), ("persons", "0"), ("reason", "boredom"), ("registered", "maybe"),
        ("households", "9"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return make_warehouse(tmp_path_factory.mktemp("cleaning") / "w")


def load(shared, tables):
    connection, workspace = shared
    for table in (*CANONICAL, "import", "finding", "cleaning_log", "waiver"):
        connection.execute(f"DELETE FROM {table}")
    with tempfile.TemporaryDirectory() as folder:
        paths = [write_csv(Path(folder) / f"{name}.csv", rows) for name, rows in tables.items()]
        import_returns(connection, workspace, paths)


def canonical(shared):
    return {name: rows for name, rows in state(shared[0]).items() if name not in ("import", "finding")}


@EXAMPLES
@given(data=st.data())
def test_edits_give_what_correcting_the_file_by_hand_gives_and_undo_is_identity(shared, data):
    sound = {
        "baseline": [{**baseline_row(unit), "safety": ""} for unit in UNITS],
        "arrivals": [move_row("origin", unit) for unit in UNITS],
    }
    faulty = {name: [dict(row) for row in rows] for name, rows in sound.items()}
    edits = []
    for import_id, (name, rows) in enumerate(faulty.items(), 1):
        for number, row in enumerate(rows, 2):
            for field, value in data.draw(
                st.lists(st.sampled_from(FAULTS[name]), max_size=2, unique_by=lambda one: one[0])
            ):
                right = str(row[field])
                row[field] = value
                edits.append(
                    Edit(f"{import_id}:{name}:{number}", field, value or None, right or None, "asked", "analyst")
                )
    load(shared, sound)
    corrected = canonical(shared)
    load(shared, faulty)
    connection, workspace = shared
    before = state(connection)
    report = apply_edits(connection, workspace, data.draw(st.permutations(edits)))
    assert not report.refused, report.findings
    assert canonical(shared) == corrected
    told = connection.execute(
        "SELECT bool_and(rows_read = rows_accepted + rows_quarantined + rows_duplicate), sum(rows_quarantined) "
        "FROM import"
    )
    assert told.fetchone() == (True, 0)
    assert not undo_edits(connection, workspace, report.edit_ids, who="analyst", reason="as if never").refused
    assert state(connection) == before

"""Check that a warehouse of schema 2 gets what the cleaning log needs, without losing a row."""

from __future__ import annotations

from datetime import date

from dtm._warehouse_tables import WAREHOUSE_TABLES
from dtm.warehouse import open_warehouse
from dtm.workspace import create_workspace


def test_schema_2_gets_windows_fingerprints_and_instance_ids(tmp_path):
    workspace = create_workspace(tmp_path / "w")
    with open_warehouse(workspace) as connection:
        connection.execute("DROP TABLE move_window")
        for table, column in (
            ("quarantine", "instance_id"),
            ("quarantine", "table_name"),
            ("cleaning_log", "fingerprint"),
            ("event", "had_moves"),
        ):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute("INSERT INTO quarantine VALUES (1, 'baseline', 2, '{}')")
        connection.execute(
            "INSERT INTO movement (submission_id, round_number, pcode, direction, counterpart_pcode, persons, "
            "window_from) VALUES (7, 2, 'MN11070101', 'arrival', 'MN62', 4, DATE '2024-01-01')"
        )
        connection.execute("UPDATE meta SET value = '2' WHERE key = 'schema_version'")
    with open_warehouse(workspace) as connection:
        for name in ("move_window", "quarantine", "cleaning_log", "event"):
            columns = [column[0] for column in connection.execute(f"SELECT * FROM {name}").description]
            assert columns == WAREHOUSE_TABLES[name].column_names
        assert connection.execute("SELECT * FROM move_window").fetchall() == [(7, date(2024, 1, 1), None)]
        assert connection.execute("SELECT * FROM quarantine").fetchall() == [(1, "baseline", 2, "{}", None, None)]

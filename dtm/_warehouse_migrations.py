"""Bring the tables of an older warehouse to the next version, without losing a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._finding_ids import FINDING_ID_SQL
from dtm._warehouse_tables import WAREHOUSE_TABLES

if TYPE_CHECKING:
    from dtm.engine import Connection

_NEW_IN_2 = (
    "waiver", "cleaning_log", "round_history", "enumerator", "pull", "answer", "survey_household", "survey_person",
    "event", "event_move", "move_question",
)  # fmt: skip


def to_version_2(connection: Connection) -> None:
    """Add the round desk: states, waivers, the cleaning log, enumerators, pulls, and the tables of two more forms.

    Moves and hours of watch that came before know their submission but not their row, so they can't be edited.
    """
    if connection.execute("SELECT count(*) FROM cleaning_log").fetchone() != (0,):
        raise AssertionError("version 1 had no way to write the cleaning log")
    connection.execute("DROP TABLE cleaning_log")
    for name in _NEW_IN_2:
        connection.execute(WAREHOUSE_TABLES[name].create_sql())
    for name in ("import", "movement", "watch", "finding"):
        known = {row[0] for row in connection.execute(f"DESCRIBE {name}").fetchall()}
        for column in WAREHOUSE_TABLES[name].columns:
            if column.name not in known:
                connection.execute(f"ALTER TABLE {name} ADD COLUMN {column.name} {column.type}")
    connection.execute("UPDATE import SET source = 'file', named_round = round_number")
    connection.execute("UPDATE finding SET stage = 'import' WHERE import_id IS NOT NULL")
    connection.execute(f"UPDATE finding SET finding_id = {FINDING_ID_SQL}")
    connection.execute(
        "INSERT INTO round_history SELECT operation, number, NULL, status, NULL, NULL, started_on::TIMESTAMP FROM round"
    )


def to_version_3(connection: Connection) -> None:
    """Let edits of the cleaning log be known again: windows of moves, instance ids in quarantine, fingerprints."""
    if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'move_window'").fetchone():
        connection.execute(WAREHOUSE_TABLES["move_window"].create_sql())
    for name in ("quarantine", "cleaning_log", "event"):
        known = {row[0] for row in connection.execute(f"DESCRIBE {name}").fetchall()}
        for column in WAREHOUSE_TABLES[name].columns:
            if column.name not in known:
                connection.execute(f"ALTER TABLE {name} ADD COLUMN {column.name} {column.type}")
    connection.execute(
        "INSERT INTO move_window SELECT submission_id, any_value(window_from), any_value(window_to) FROM movement "
        "WHERE window_from IS NOT NULL OR window_to IS NOT NULL GROUP BY submission_id"
    )

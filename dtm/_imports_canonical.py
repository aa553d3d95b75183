"""Name the tables that records become rows of, and take records out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dtm.engine import Connection

RETURN_TABLES = (
    "submission", "stock", "vital", "answer", "move_question", "move_window", "survey_household", "event", "passage",
)  # fmt: skip
"""Tables whose rows belong to one submission."""
ROW_TABLES = ("movement", "survey_person", "event_move")
"""Tables of repeats: their rows name their own record beside the submission they belong to."""
RETURN_FORMS = {
    "baseline": "kheseg-baseline",
    "households": "household-survey",
    "events": "event-report",
    "passages": "checkpoint-registry",
}
"""The table of each form whose records are returns of their own."""
RECORD_SQL = "concat({0}import_id, ':', {0}sheet, ':', {0}row_number)"
"""SQL for a record's name, as users write it; {0} is a prefix such as `s.`."""


def accepted_sql() -> str:
    """Return a query of import_id, sheet, row_number, submission_id, round_number of every accepted record."""
    names = "import_id, sheet, row_number, submission_id, round_number"
    rows = [f"SELECT {names} FROM {table} WHERE import_id IS NOT NULL" for table in ("submission", *ROW_TABLES)]
    watch = (
        "SELECT import_id, sheet, row_number, NULL AS submission_id, (SELECT max(r.number) FROM round r "
        "WHERE w.day BETWEEN r.started_on AND r.ended_on) AS round_number FROM watch w"
    )
    return " UNION ALL ".join([*rows, watch])


def take_out(connection: Connection, records: str) -> None:
    """Delete what became of records: canonical rows, findings, quarantine.

    `records` is a table of import_id, sheet and row_number.
    """
    same = "x.import_id = {0}.import_id AND x.sheet = {0}.sheet AND x.row_number = {0}.row_number"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE taken_out AS SELECT submission_id FROM submission s "
        f"SEMI JOIN {records} x ON {same.format('s')}"
    )
    for table in RETURN_TABLES:
        connection.execute(f"DELETE FROM {table} WHERE submission_id IN (SELECT submission_id FROM taken_out)")
    for table in (*ROW_TABLES, "watch", "quarantine", "finding"):
        stage = " AND stage = 'import'" if table == "finding" else ""
        connection.execute(f"DELETE FROM {table} USING {records} x WHERE {same.format(table)}{stage}")
    connection.execute("DROP TABLE taken_out")


def count_out(connection: Connection, records: str, *, to_quarantine: bool = False) -> None:
    """Count records that are accepted or in quarantine as duplicates, or as set aside, before `take_out`.

    `records` is a table of import_id, sheet and row_number; records of either kind are counted once.
    """
    changes = (
        "rows_quarantined = rows_quarantined + n.accepted"
        if to_quarantine
        else "rows_quarantined = rows_quarantined - n.aside, rows_duplicate = rows_duplicate + n.accepted + n.aside"
    )
    connection.execute(
        f"""UPDATE import SET rows_accepted = rows_accepted - n.accepted, {changes}
        FROM (SELECT x.import_id, count(a.import_id) AS accepted, count(q.import_id) AS aside FROM {records} x
            LEFT JOIN ({accepted_sql()}) a USING (import_id, sheet, row_number)
            LEFT JOIN (SELECT DISTINCT import_id, sheet, row_number FROM quarantine) q
                USING (import_id, sheet, row_number) GROUP BY x.import_id) n
        WHERE n.import_id = import.import_id"""
    )

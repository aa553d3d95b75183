"""Run the tables of an import in order: returns before their repeats, and what can only be told when all are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._finding_ids import FINDING_ID_SQL
from dtm._imports_baseline import import_baseline
from dtm._imports_canonical import RETURN_FORMS
from dtm._imports_checkpoints import import_passages, import_watch
from dtm._imports_events import import_events
from dtm._imports_published import import_published
from dtm._imports_repeats import REPEATS, import_repeats
from dtm._imports_replace import replace_quarantined
from dtm._imports_survey import import_households
from enumerations.checks import findings_sql
from enumerations.columns import FORMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from dtm._imports_job import TableJob, TableReport
    from dtm._imports_rounds import Rounds
    from dtm.engine import Connection

_STORE: dict[str, Callable[[TableJob], None]] = {
    "baseline": import_baseline,
    "households": import_households,
    "events": import_events,
    "passages": import_passages,
    "watch": import_watch,
    "published": import_published,
    **dict.fromkeys(REPEATS, import_repeats),
}
ORDER = tuple(table.name for tables in FORMS.values() for table in tables)
"""Names of all tables, returns before their repeats."""
TABLES_MAXIMUM = 1 << 10
RECORDS_MAXIMUM = 1 << 32


def first_submission_id(connection: Connection, *, import_id: int, sheet: str, position: int) -> int:
    """Return the number that a table's row numbers are added to, to give the ids of its submissions.

    It only depends on the import and the table's position in its file, so a record that is derived again keeps its id.
    Imports of older versions were numbered through; their stored returns tell it.
    """
    row = connection.execute(
        "SELECT submission_id - row_number FROM submission WHERE import_id = ? AND sheet = ? LIMIT 1",
        [import_id, sheet],
    ).fetchone()
    return int(row[0]) if row else (import_id * TABLES_MAXIMUM + position) * RECORDS_MAXIMUM


def run_table(job: TableJob) -> TableReport:
    """Check and store one table, write its findings and quarantine; return the counts."""
    _STORE[job.table_name](job)
    if job.table_name in RETURN_FORMS and not job.is_again:
        _note_late(job)
        replace_quarantined(job)
        if job.replaces:
            job.run("CREATE TEMP TABLE IF NOT EXISTS returns_seen (instance_id VARCHAR)")
            job.run(
                f"INSERT INTO returns_seen SELECT DISTINCT instance_id FROM {job.checked} ANTI JOIN "
                f"(SELECT record FROM {job.checked}_fate WHERE fate = 'quarantined') USING (record)"
            )
    report = job.close(file_round=job.rounds.fixed.number if job.rounds.fixed else None)
    job.drop()
    return report


def _note_late(job: TableJob) -> None:
    """Warn of returns that come when their round is being cleaned; of passages, once for the file."""
    numbers = ", ".join(map(str, job.rounds.in_cleaning))
    if not numbers:
        return
    record = "min(record)" if job.table_name == "passages" else "record"
    group = " GROUP BY round_number" if job.table_name == "passages" else ""
    job.find(
        "late_return",
        f"SELECT {record} AS record, 'round' AS field, round_number AS value, NULL AS hint FROM {job.kept} "
        f"WHERE round_number IN ({numbers}){group}",
    )


def note_missing_moves(connection: Connection, rounds: Rounds) -> None:
    """Warn of every return that says people moved and has no move, in all open rounds anew."""
    numbers = ", ".join(str(one.number) for one in rounds.all if one.is_open)
    if not numbers:
        return
    connection.execute(f"DELETE FROM finding WHERE code = 'moves_missing' AND round_number IN ({numbers})")
    told = f"FROM move_question WHERE had_moves AND round_number IN ({numbers})"
    if connection.execute(f"SELECT 1 {told} LIMIT 1").fetchone():
        _find_missing_moves(connection, numbers)
    connection.execute(f"UPDATE finding SET finding_id = {FINDING_ID_SQL} WHERE finding_id IS NULL")


def _find_missing_moves(connection: Connection, numbers: str) -> None:
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE repeated AS
        SELECT s.submission_id AS record, 'moves_missing' AS code, concat('had_', q.direction, 's') AS field,
            'yes' AS value, s.instance_id AS hint, s.import_id, s.sheet, s.row_number, q.round_number, q.pcode
        FROM move_question q JOIN submission s USING (submission_id)
        ANTI JOIN movement m ON m.submission_id = q.submission_id AND m.direction = q.direction
        WHERE q.had_moves AND q.round_number IN ({numbers})"""
    )
    messages = findings_sql("repeated", ["moves_missing"])
    connection.execute(
        f"""INSERT INTO finding BY NAME
        SELECT r.import_id, r.sheet, r.row_number, r.round_number, r.pcode, 'kheseg-baseline' AS subject, f.code,
            f.severity, i.file_name, f.field, f.value, f.message_en, f.message_mn,
            'import' AS stage
        FROM ({messages}) f JOIN repeated r USING (record, field) JOIN import i USING (import_id)
        ORDER BY r.import_id, r.row_number, f.field"""
    )
    connection.execute("DROP TABLE repeated")


def note_asked(connection: Connection) -> None:
    """Say of units that told moves without being asked whether there were any that there were."""
    connection.execute(
        """INSERT INTO move_question
        SELECT m.submission_id, any_value(m.round_number), any_value(m.pcode), m.direction, true FROM movement m
        ANTI JOIN move_question q ON q.submission_id = m.submission_id AND q.direction = m.direction
        GROUP BY m.submission_id, m.direction"""
    )

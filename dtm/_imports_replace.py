"""Let a server's newer returns take the place of older ones, and take out those that the server has withdrawn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dtm._finding_ids import FINDING_ID_SQL
from dtm._imports_canonical import RECORD_SQL, ROW_TABLES, count_out, take_out
from enumerations.findings import CATALOGUE, make_finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dtm._imports_job import TableJob
    from dtm._imports_repeats import Repeat
    from dtm.engine import Connection

RETURN_FIELD = "(return)"
"""Field of log entries about a return as a whole."""
WITHDRAWN = "(withdrawn)"
SERVERS = {"kobo": "KoboToolbox", "odk": "ODK Central", "file": "file"}
"""Who is named in the log, by source."""


def replace_returns(job: TableJob, instances_sql: str) -> None:
    """Retire the stored returns with these instance ids, their repeats too; the new ones stand in their place.

    `instances_sql` is a query of record and instance_id of the new returns. Only returns that were stored before this
    call, in a round that is open, give way.
    """
    job.run(
        f"""CREATE OR REPLACE TEMP TABLE retired AS
        WITH new AS ({instances_sql}), old AS (
            SELECT s.*, n.record FROM submission s JOIN new n USING (instance_id)
            WHERE s.form = ? AND s.import_id < ? AND coalesce(s.round_number NOT IN (
                SELECT number FROM round WHERE operation = ? AND status IN ('signed_off', 'released')), true))
        SELECT import_id, sheet, row_number, instance_id, record, true AS is_return FROM old
        {_rows_of("old")}
        UNION ALL SELECT DISTINCT q.import_id, q.sheet, q.row_number, q.instance_id, old.record, false
        FROM quarantine q JOIN import i USING (import_id) JOIN old ON old.instance_id = q.instance_id
        WHERE i.form = old.form AND q.import_id < ?""",
        [job.form, job.first_import_id, job.operation, job.first_import_id],
    )
    _retire(job)


def replace_quarantined(job: TableJob) -> None:
    """Retire older versions of this table's returns that stand in quarantine, where a newer one was accepted.

    Under `replaces` a newer version that is set aside takes their place too.
    """
    if not job.number("SELECT count(*) FROM quarantine WHERE import_id < ?", [job.first_import_id]):
        return
    newer = job.kept
    if job.replaces:
        newer = f"(SELECT * FROM {job.checked} ANTI JOIN (SELECT record FROM {job.checked}_fate WHERE fate = 'duplicate') USING (record))"  # noqa: E501
    job.run(
        f"""CREATE OR REPLACE TEMP TABLE retired AS
        SELECT q.import_id, q.sheet, q.row_number, q.instance_id, n.record, true AS is_return
        FROM quarantine q JOIN import i USING (import_id)
        JOIN (SELECT instance_id, min(record) AS record FROM {newer} GROUP BY instance_id) n USING (instance_id)
        WHERE i.form = ? AND q.table_name = ? AND q.import_id < ?
        AND NOT EXISTS (SELECT 1 FROM cleaning_log g WHERE g.import_id = q.import_id AND g.sheet = q.sheet
            AND g.row_number = q.row_number AND g.field = '{RETURN_FIELD}')""",
        [job.form, job.table_name, job.first_import_id],
    )
    _retire(job, is_told=bool(job.replaces))


def replace_rows(job: TableJob, repeat: Repeat, rows: str) -> None:
    """Retire the stored rows of a repeat whose return came again with other rows.

    `rows` is a query of record, submission_id and the table's columns of the rows that are told now.
    """
    content = f"hash({repeat.content})"
    job.run(
        f"""CREATE OR REPLACE TEMP TABLE retired AS
        WITH told AS (SELECT submission_id, {content} AS content, count(*) AS times FROM ({rows}) GROUP BY ALL
        ), stored AS (
            SELECT submission_id, {content} AS content, count(*) AS times FROM {repeat.table}
            WHERE {repeat.where} AND import_id < {job.first_import_id} GROUP BY ALL
        ), changed AS (
            SELECT submission_id FROM told FULL JOIN stored USING (submission_id, content)
            WHERE told.times IS DISTINCT FROM stored.times
        ), named AS (
            SELECT submission_id, any_value(p.instance_id) AS instance_id, coalesce(min(r.record), 0) AS record
            FROM {job.checked}_parent p LEFT JOIN ({rows}) r USING (submission_id)
            WHERE p.status NOT IN ('signed_off', 'released') AND submission_id IN (SELECT submission_id FROM changed)
                AND p.instance_id IN (SELECT instance_id FROM returns_seen)
            GROUP BY submission_id)
        SELECT t.import_id, t.sheet, t.row_number, n.instance_id, n.record, true AS is_return
        FROM {repeat.table} t JOIN named n USING (submission_id)
        WHERE {repeat.where} AND t.import_id < {job.first_import_id}"""
    )
    _retire(job)


def _rows_of(parents: str) -> str:
    return " ".join(
        f"UNION ALL SELECT t.import_id, t.sheet, t.row_number, o.instance_id, o.record, false FROM {table} t "
        f"JOIN {parents} o USING (submission_id) WHERE t.import_id IS NOT NULL"
        for table in ROW_TABLES
    )


def _retire(job: TableJob, *, is_told: bool = True) -> None:
    """Take the records of `retired` out, write the log, and tell of the new returns that they were edited."""
    if job.number("SELECT count(*) FROM retired"):
        count_out(job.connection, "retired")
        take_out(job.connection, "retired")
        job.run(
            f"""INSERT INTO cleaning_log (edit_id, import_id, sheet, row_number, instance_id, field, old, new, reason,
                who, edited_at)
            SELECT (SELECT coalesce(max(edit_id), 0) FROM cleaning_log)
                + row_number() OVER (ORDER BY import_id, sheet, row_number), import_id,
                sheet, row_number, instance_id, '{RETURN_FIELD}', {RECORD_SQL.format("")},
                concat(?, ':', ?, ':', record), ?, ?, ? FROM retired""",
            [
                job.import_id, job.sheet, "A newer version of the return was sent.",
                SERVERS[job.replaces or "file"], datetime.now(UTC).replace(tzinfo=None),
            ],
        )  # fmt: skip
        if is_told:
            job.find(
                "edited_on_server",
                "SELECT DISTINCT record, 'instance_id' AS field, instance_id AS value, NULL AS hint FROM retired "
                f"WHERE is_return AND record IN (SELECT record FROM {job.checked})",
            )
    job.run("DROP TABLE retired")


def withdraw(
    connection: Connection, withdrawn: Mapping[str, str], *, form: str | None, operation: str, source: str
) -> int:
    """Take returns out that the server has deleted or rejected; return how many there were.

    They go to quarantine with a warning, their repeats with them; returns of closed rounds stay.
    """
    connection.execute("CREATE OR REPLACE TEMP TABLE told (instance_id VARCHAR, why VARCHAR)")
    if withdrawn:
        connection.executemany("INSERT INTO told VALUES (?, ?)", [list(pair) for pair in withdrawn.items()])
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE retired AS
        WITH old AS (
            SELECT s.*, 0 AS record FROM submission s SEMI JOIN told USING (instance_id)
            WHERE (? IS NULL OR s.form = ?) AND coalesce(s.round_number NOT IN (
                SELECT number FROM round WHERE operation = ? AND status IN ('signed_off', 'released')), true))
        SELECT import_id, sheet, row_number, instance_id, record, true AS is_return, form FROM old
        {_rows_of("old").replace(", false FROM", ", false, o.form FROM")}
        UNION ALL SELECT q.import_id, q.sheet, q.row_number, q.instance_id, 0, i.form IN (
            'kheseg-baseline', 'household-survey', 'event-report', 'checkpoint-registry')
            AND q.table_name IN ('baseline', 'households', 'events', 'passages'), i.form
        FROM quarantine q JOIN import i USING (import_id) SEMI JOIN told USING (instance_id)
        WHERE (? IS NULL OR i.form = ?) AND NOT EXISTS (SELECT 1 FROM cleaning_log g
            WHERE g.import_id = q.import_id AND g.sheet = q.sheet AND g.row_number = q.row_number
            AND g.field = '{RETURN_FIELD}')""",
        [form, form, operation, form, form],
    )
    row = connection.execute("SELECT count(*) FILTER (is_return) FROM retired").fetchone()
    count = int(row[0]) if row else 0
    if count:
        _set_aside_withdrawn(connection, SERVERS[source])
    connection.execute("DROP TABLE retired")
    connection.execute("DROP TABLE told")
    return count


def _set_aside_withdrawn(connection: Connection, who: str) -> None:
    """Move the records of `retired` to quarantine, with a warning on each return and an entry in the log."""
    rounds = (
        "(SELECT any_value(s.round_number) FROM submission s WHERE s.instance_id = r.instance_id AND s.form = r.form)"
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE gone AS SELECT r.*, {rounds} AS round_number, t.why,
            coalesce(q.raw, json_object('instance_id', r.instance_id)) AS raw, i.file_name, q.table_name
        FROM retired r JOIN told t USING (instance_id) JOIN import i USING (import_id)
        LEFT JOIN quarantine q USING (import_id, sheet, row_number)"""
    )
    count_out(connection, "retired", to_quarantine=True)
    take_out(connection, "retired")
    connection.execute(
        "INSERT INTO quarantine (import_id, sheet, row_number, raw, instance_id, table_name) "
        "SELECT import_id, sheet, row_number, raw, instance_id, table_name FROM gone"
    )
    connection.execute(
        f"""INSERT INTO cleaning_log (edit_id, import_id, sheet, row_number, instance_id, field, old, new, reason, who,
            edited_at)
        SELECT (SELECT coalesce(max(edit_id), 0) FROM cleaning_log)
                + row_number() OVER (ORDER BY import_id, sheet, row_number), import_id,
            sheet, row_number, instance_id, '{RETURN_FIELD}', {RECORD_SQL.format("")}, '{WITHDRAWN}', why, ?, ?
        FROM gone""",
        [who, datetime.now(UTC).replace(tzinfo=None)],
    )
    columns = "import_id, sheet, row_number, round_number, form, file_name, instance_id, why"
    for one in connection.execute(f"SELECT {columns} FROM gone WHERE is_return").fetchall():
        import_id, sheet, number, round_number, form, name, instance, why = one
        made = make_finding(
            "withdrawn_on_server", subject=form, file_name=name, sheet=sheet, row_number=number, field="instance_id",
            value=instance, hint=why,
        )  # fmt: skip
        connection.execute(
            "INSERT INTO finding (import_id, round_number, subject, code, severity, file_name, sheet, row_number, "
            "field, value, message_en, message_mn, stage) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'import')",
            [
                import_id, round_number, form, made.code, CATALOGUE[made.code].severity, name, sheet, number,
                made.field, instance, made.message_en, made.message_mn,
            ],
        )  # fmt: skip
    connection.execute(f"UPDATE finding SET finding_id = {FINDING_ID_SQL} WHERE finding_id IS NULL")
    connection.execute("DROP TABLE gone")

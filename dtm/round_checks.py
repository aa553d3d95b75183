"""Check the returns of open rounds against each other, against earlier rounds and against what was expected."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from dtm._finding_ids import FINDING_ID_SQL
from dtm._round_checks_base import RoundCheck, clear, lay_out
from dtm._round_checks_collection import COLLECTION_CHECKS
from dtm._round_checks_figures import FIGURE_CHECKS
from dtm._round_checks_flows import FLOW_CHECKS
from dtm._round_checks_passages import PASSAGE_CHECKS, lay_out_days
from dtm.engine import EngineError
from enumerations.findings import CATALOGUE, message_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtm.engine import Connection

ROUND_CHECKS: tuple[RoundCheck, ...] = (
    *COLLECTION_CHECKS,
    *FIGURE_CHECKS,
    *FLOW_CHECKS,
    *PASSAGE_CHECKS,
)
"""Every check over a round; one code may have several."""


def refresh_round_findings(connection: Connection, *, operation: str, numbers: Sequence[int] | None = None) -> None:
    """Delete the findings of stage `round` of the open rounds and compute them anew.

    Findings of rounds that are signed off or released stay as they were signed. The same data gives the same
    `finding_id`, so that a waiver holds.

    Parameters
    ----------
    connection
        The warehouse; the caller holds the transaction.
    operation
        The DTM operation.
    numbers
        Rounds to check; every open round when not given.
    """
    try:
        if not lay_out(connection, operation=operation, numbers=numbers):
            return
        lay_out_days(connection)
        _find(connection)
        connection.execute(
            "DELETE FROM finding WHERE stage = 'round' AND round_number IN (SELECT round_number FROM rc_open)"
        )
        for (code,) in connection.execute("SELECT DISTINCT code FROM rc_found ORDER BY code").fetchall():
            _write(connection, code)
        connection.execute(
            f"UPDATE finding SET finding_id = {FINDING_ID_SQL} WHERE stage = 'round' AND finding_id IS NULL"
        )
    finally:
        with suppress(EngineError):  # a failed transaction takes its temporary tables with it
            clear(connection)


def _find(connection: Connection) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE rc_found (code VARCHAR, subject VARCHAR, round_number INTEGER, "
        "submission_id BIGINT, import_id BIGINT, sheet VARCHAR, row_number BIGINT, pcode VARCHAR, field VARCHAR, "
        "value VARCHAR, hint VARCHAR, value_mn VARCHAR, hint_mn VARCHAR)"
    )
    has_days = connection.execute("SELECT 1 FROM rc_day LIMIT 1").fetchone() is not None
    for check in ROUND_CHECKS:
        if check in PASSAGE_CHECKS and not has_days:
            continue
        connection.execute(
            f"INSERT INTO rc_found BY NAME SELECT '{check.code}' AS code, '{check.subject}' AS subject, * "
            f"FROM ({check.sql}) WHERE round_number IN (SELECT round_number FROM rc_open)"
        )


def _write(connection: Connection, code: str) -> None:
    """Store the findings of one code with the place of their return and the messages."""
    english = message_sql(code, "en", field="f.field", value="f.value", hint="f.hint")
    mongolian = message_sql(
        code, "mn", field="f.field", value="coalesce(f.value_mn, f.value)", hint="coalesce(f.hint_mn, f.hint)"
    )
    connection.execute(
        f"""INSERT INTO finding BY NAME
        SELECT coalesce(s.import_id, f.import_id) AS import_id, f.round_number, f.subject, f.code,
            '{CATALOGUE[code].severity}' AS severity, coalesce(i.file_name, '') AS file_name,
            coalesce(s.sheet, f.sheet) AS sheet, coalesce(s.row_number, f.row_number) AS row_number, f.field, f.value,
            {english} AS message_en, {mongolian} AS message_mn, 'round' AS stage, f.pcode
        FROM rc_found f LEFT JOIN submission s USING (submission_id)
        LEFT JOIN import i ON i.import_id = coalesce(s.import_id, f.import_id)
        WHERE f.code = '{code}' ORDER BY f.round_number, f.pcode, f.field, f.value"""
    )

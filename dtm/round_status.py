"""Put together all there is to say about a round: its state, coverage, findings and what stands against a sign-off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dtm._round_records import FINDINGS_OF_ROUND
from dtm.coverage import build_round_coverage, coverage_report, rows_of
from dtm.rounds import find_round, round_history
from dtm.waivers import open_errors

if TYPE_CHECKING:
    from datetime import date

    from dtm.engine import Connection


def round_status(
    connection: Connection, *, operation: str, number: int, today: date | None = None, due_days_before_end: int = 0
) -> dict[str, Any]:
    """Return the state of a round as `dtm round status --json` prints it.

    Returns
    -------
    dict
        ``round`` (number, dates, area set, status), ``coverage`` (see `dtm.coverage.coverage_report`), ``findings``
        (by code: severity, stage, open, waived, an example), ``standing`` (errors against a sign-off),
        ``can_sign_off``, ``waivers``, ``without_round`` (findings that belong to no round and don't stand in the
        way), ``history``.

    Raises
    ------
    UnknownRoundError
        The round was never opened.
    """
    found = find_round(connection, operation=operation, number=number)
    standing = open_errors(connection, operation=operation, number=number)
    return {
        "round": {
            "operation": operation,
            "number": found.number,
            "started_on": found.started_on,
            "ended_on": found.ended_on,
            "area_set": found.area_set,
            "area_set_version": found.area_set_version,
            "status": found.status,
        },
        "coverage": coverage_report(
            connection, operation=operation, number=number, today=today, due_days_before_end=due_days_before_end
        ),
        "findings": findings_by_code(connection, number),
        "standing": standing,
        "can_sign_off": found.status == "cleaning" and not standing,
        "waivers": waivers_of(connection, number),
        "without_round": _without_round(connection),
        "history": round_history(connection, operation=operation, number=number),
    }


def findings_by_code(connection: Connection, number: int) -> list[dict[str, Any]]:
    """Return how many findings of each code are open and waived, errors first, with an example of each."""
    return rows_of(
        connection,
        f"""
        SELECT code, severity, stage, count(*) FILTER (state = 'open') AS open,
            count(*) FILTER (state = 'waived') AS waived, any_value(subject) AS subject,
            arg_min(message_en, finding_id) AS example_en, arg_min(message_mn, finding_id) AS example_mn,
            arg_min(field, finding_id) AS example_field
        FROM ({FINDINGS_OF_ROUND}) GROUP BY code, severity, stage ORDER BY severity, count(*) DESC, code
        """,
        {"number": number},
    )


def waivers_of(connection: Connection, number: int) -> list[dict[str, Any]]:
    """Return every waiver of a round, those taken back too, by reason: code, findings, who, when."""
    return rows_of(
        connection,
        """
        SELECT any_value(f.code) AS code, count(DISTINCT w.finding_id) AS findings, w.reason, w.who, w.waived_at,
            w.withdrawn_at
        FROM waiver w LEFT JOIN finding f USING (finding_id) WHERE w.round_number = $number
        GROUP BY w.reason, w.who, w.waived_at, w.withdrawn_at, f.code ORDER BY w.waived_at, code
        """,
        {"number": number},
    )


def _without_round(connection: Connection) -> list[dict[str, Any]]:
    return rows_of(
        connection,
        """
        SELECT subject, code, severity, count(*) AS findings, any_value(message_en) AS example_en,
            any_value(message_mn) AS example_mn
        FROM finding f LEFT JOIN import i USING (import_id)
        WHERE coalesce(f.round_number, i.named_round, i.round_number) IS NULL
        GROUP BY subject, code, severity ORDER BY severity, subject, code
        """,
    )


def round_overview(connection: Connection, *, operation: str) -> list[dict[str, Any]]:
    """Return a row for each round, oldest first: dates, state, units expected and received, findings open."""
    rows = rows_of(
        connection,
        "SELECT number, started_on, ended_on, status, area_set FROM round WHERE operation = $operation ORDER BY number",
        {"operation": operation},
    )
    told = []
    for row in rows:
        build_round_coverage(connection, operation=operation, number=row["number"])
        counts = rows_of(
            connection,
            f"""
            SELECT (SELECT count(*) FROM round_unit) AS units_expected,
                (SELECT count(*) FROM round_unit WHERE received) AS units_received,
                (SELECT count(*) FROM scope_return WHERE round_number = $number) AS returns,
                count(*) FILTER (severity = 'error' AND state = 'open') AS errors_open,
                count(*) FILTER (severity = 'warning' AND state = 'open') AS warnings_open
            FROM ({FINDINGS_OF_ROUND})
            """,
            {"number": row["number"]},
        )[0]
        told.append({**row, **counts})
    return told

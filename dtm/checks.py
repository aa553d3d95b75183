"""Report how complete the rounds are and what their returns were found to have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dtm.engine import transaction
from dtm.errors import UnknownRoundError
from dtm.round_checks import refresh_round_findings
from dtm.scope import build_coverage, build_scope

if TYPE_CHECKING:
    from dtm.engine import Connection


def check_rounds(connection: Connection, *, operation: str, round_number: int | None = None) -> dict[str, Any]:
    """Check the open rounds anew; return coverage by round and findings by round and code.

    Returns
    -------
    dict
        ``rounds``: number, units_expected, units_reported, units_missing (P-codes), share of the registered
        population covered, returns, returns confirmed by GPS and in conflict with it. ``findings``: round_number,
        subject, code, severity, count, an example's place and message.

    Raises
    ------
    UnknownRoundError
        There is no such round.
    """
    numbers = [
        row[0]
        for row in connection.execute("SELECT number FROM round WHERE operation = ? ORDER BY 1", [operation]).fetchall()
    ]
    if round_number is not None:
        if round_number not in numbers:
            opened = ", ".join(map(str, numbers)) or "none"
            raise UnknownRoundError(f"There is no round {round_number}; open rounds: {opened}.")
        numbers = [round_number]
    with transaction(connection):
        refresh_round_findings(connection, operation=operation, numbers=numbers)
    return {
        "rounds": [_round(connection, operation, number) for number in numbers],
        "findings": _findings(connection, round_number),
    }


def _round(connection: Connection, operation: str, number: int) -> dict[str, Any]:
    scope = build_scope(connection, operation=operation, last_round=number)
    build_coverage(connection, scope)
    row = connection.execute(
        "SELECT sum(units_expected)::BIGINT, sum(units_reported)::BIGINT, sum(returns)::BIGINT, "
        "sum(located_gps)::BIGINT, sum(located_conflict)::BIGINT FROM full_coverage "
        "WHERE round_number = ? AND level = ?",
        [number, scope.finest_level],
    ).fetchone() or (0, 0, 0, 0, 0)
    share = connection.execute(
        "SELECT registered_coverage_share FROM full_coverage WHERE round_number = ? ORDER BY level, pcode LIMIT 1",
        [number],
    ).fetchone()
    missing = connection.execute(
        "SELECT pcode FROM full_coverage WHERE round_number = ? AND level = ? AND units_reported = 0 ORDER BY 1",
        [number, scope.finest_level],
    ).fetchall()
    return {
        "number": number,
        "units_expected": row[0],
        "units_reported": row[1],
        "registered_coverage_share": share[0] if share else None,
        "returns": row[2],
        "located_gps": row[3],
        "located_conflict": row[4],
        "areas_without_return": [pcode for (pcode,) in missing],
    }


def _findings(connection: Connection, round_number: int | None) -> list[dict[str, Any]]:
    cursor = connection.execute(
        """
        SELECT round_number, subject, code, severity, count(*) AS count,
               first(file_name ORDER BY file_name, row_number) AS file_name,
               first(row_number ORDER BY file_name, row_number) AS first_row,
               first(message_en ORDER BY file_name, row_number) AS example_en,
               first(message_mn ORDER BY file_name, row_number) AS example_mn
        FROM finding WHERE ?::INTEGER IS NULL OR round_number = ?
        GROUP BY round_number, subject, code, severity
        ORDER BY round_number NULLS FIRST, severity, count(*) DESC, code""",
        [round_number, round_number],
    )
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

"""Let findings stand with a reason and a name, take that back, and say which errors stand against a sign-off."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dtm._round_findings import PLACED_FINDINGS, build_placed_findings
from dtm._round_records import FINDINGS_OF_ROUND, RECORD
from dtm.engine import transaction
from dtm.errors import UnknownFindingError, UnknownRoundError, WrongUseError
from dtm.messages import Message, message, state_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtm.engine import Connection

IDS_NAMED = 5
"""Unknown identifiers that a message names."""


def required_name(text: str | None) -> str:
    """Return a name without the blanks around it.

    Raises
    ------
    WrongUseError
        Nothing is left.
    """
    return _required(text, message("name_needed"))


def required_reason(text: str | None) -> str:
    """Return a reason without the blanks around it.

    Raises
    ------
    WrongUseError
        Nothing is left.
    """
    return _required(text, message("reason_needed"))


def _required(text: str | None, refusal: Message) -> str:
    stripped = (text or "").strip()
    if not stripped:
        raise WrongUseError(refusal)
    return stripped


def open_errors(connection: Connection, *, operation: str, number: int) -> list[dict[str, Any]]:
    """Return the errors that stand against signing the round off: of either stage and not waived.

    Findings that belong to no round (on boundaries and layers) don't stand in the way. A finding that the checks no
    longer make is gone.

    Raises
    ------
    UnknownRoundError
        The round was never opened.
    """
    _status(connection, operation, number)
    cursor = connection.execute(
        f"SELECT finding_id, severity, code, stage, {RECORD} AS record, subject, file_name, sheet, row_number, field, "
        f"value, pcode, message_en, message_mn FROM ({FINDINGS_OF_ROUND}) f "
        "WHERE severity = 'error' AND state = 'open' "
        "ORDER BY code, import_id NULLS LAST, sheet, row_number, pcode, field",
        {"number": number},
    )
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def waive(
    connection: Connection,
    *,
    operation: str,
    number: int,
    reason: str,
    who: str,
    finding_ids: Sequence[str] = (),
    codes: Sequence[str] = (),
    pcode: str | None = None,
    at: datetime | None = None,
) -> int:
    """Let findings of a round stand, named one by one or all of some codes (in one area and below); return how many.

    A finding that is waived already keeps its first reason. A waiver holds when the checks run again.

    Raises
    ------
    WrongUseError
        No reason or name, nothing chosen, or the round is signed off.
    UnknownFindingError
        The round has no such finding.
    """
    why, name = required_reason(reason), required_name(who)
    with transaction(connection):
        chosen = _chosen(connection, operation, number, finding_ids, codes, pcode)
        fresh = [finding_id for finding_id, state in chosen.items() if state == "open"]
        connection.execute(
            "INSERT INTO waiver SELECT unnest(?::VARCHAR[]), ?, ?, ?, ?, NULL",
            [fresh, number, why, name, at or datetime.now(UTC).replace(tzinfo=None)],
        )
    return len(fresh)


def unwaive(
    connection: Connection,
    *,
    operation: str,
    number: int,
    who: str,
    finding_ids: Sequence[str] = (),
    codes: Sequence[str] = (),
    pcode: str | None = None,
) -> int:
    """Take waivers back, so that their findings stand again; return how many. The rows stay, with the day.

    Raises
    ------
    WrongUseError
        No name, nothing chosen, or the round is signed off: reopen it first.
    UnknownFindingError
        The round has no such finding.
    """
    required_name(who)
    with transaction(connection):
        chosen = _chosen(connection, operation, number, finding_ids, codes, pcode)
        held = [finding_id for finding_id, state in chosen.items() if state == "waived"]
        connection.execute(
            "UPDATE waiver SET withdrawn_at = ? WHERE round_number = ? AND withdrawn_at IS NULL "
            "AND list_contains(?::VARCHAR[], finding_id)",
            [datetime.now(UTC).replace(tzinfo=None), number, held],
        )
    return len(held)


def _status(connection: Connection, operation: str, number: int) -> str:
    row = connection.execute(
        "SELECT status FROM round WHERE operation = ? AND number = ?", [operation, number]
    ).fetchone()
    if row is None:
        raise UnknownRoundError(message("round_not_there", number=number))
    return str(row[0])


def _chosen(
    connection: Connection,
    operation: str,
    number: int,
    finding_ids: Sequence[str],
    codes: Sequence[str],
    pcode: str | None,
) -> dict[str, str]:
    """Return the findings meant, by identifier, with their state."""
    status = _status(connection, operation, number)
    if status not in ("draft", "cleaning"):
        raise WrongUseError(message("round_settled", number=number, state=state_words(status)))
    if bool(finding_ids) == bool(codes):
        raise WrongUseError(message("findings_unnamed"))
    if pcode and not codes:
        raise WrongUseError(message("pcode_alone"))
    if codes:
        return _of_codes(connection, number, codes, pcode)
    rows = connection.execute(
        f"SELECT DISTINCT finding_id, state FROM ({FINDINGS_OF_ROUND}) "
        "WHERE list_contains($ids::VARCHAR[], finding_id)",
        {"number": number, "ids": list(finding_ids)},
    ).fetchall()
    found = {str(finding_id): str(state) for finding_id, state in rows}
    unknown = [one for one in dict.fromkeys(finding_ids) if one not in found]
    if unknown:
        more = f" and {len(unknown) - IDS_NAMED} more" if len(unknown) > IDS_NAMED else ""
        named = ", ".join(unknown[:IDS_NAMED]) + more
        raise UnknownFindingError(message("finding_unknown", number=number, findings=named))
    return found


def _of_codes(connection: Connection, number: int, codes: Sequence[str], pcode: str | None) -> dict[str, str]:
    source = FINDINGS_OF_ROUND
    if pcode:
        build_placed_findings(connection, number)
        source = PLACED_FINDINGS
    rows = connection.execute(
        f"SELECT DISTINCT finding_id, state, code FROM ({source}) WHERE finding_id IS NOT NULL "
        "AND list_contains($codes::VARCHAR[], code) AND ($pcode::VARCHAR IS NULL OR starts_with(pcode, $pcode)) "
        "AND $number::INTEGER IS NOT NULL",
        {"number": number, "codes": list(codes), "pcode": pcode},
    ).fetchall()
    unknown = sorted(set(codes) - {str(code) for _, _, code in rows})
    if unknown:
        where = message("in_area", pcode=pcode) if pcode else ""
        raise UnknownFindingError(message("finding_code_unknown", number=number, code=unknown[0], where=where))
    return {str(finding_id): str(state) for finding_id, state, _ in rows}

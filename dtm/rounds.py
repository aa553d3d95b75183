"""Open rounds of data collection and move them from draft over cleaning and sign-off to a release."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dtm.engine import transaction
from dtm.errors import OpenErrorsError, UnknownAreaSetError, UnknownRoundError, WrongUseError
from dtm.messages import message, state_words
from dtm.waivers import open_errors, required_name, required_reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import pandas as pd

    from dtm.engine import Connection

DRAFT, CLEANING, SIGNED_OFF, RELEASED = STATES = ("draft", "cleaning", "signed_off", "released")
"""States of a round: returns come in; the collection has ended; no error stands; it is in a release."""


@dataclass(frozen=True)
class Round:
    """A round that was opened: its days of collection, its areas and its state."""

    number: int
    started_on: date
    ended_on: date
    area_set: str
    area_set_version: int
    status: str


def latest_version(connection: Connection, area_set: str) -> int:
    """Return the version of an area set that is in force.

    Raises
    ------
    UnknownAreaSetError
        No set of that name is loaded.
    """
    row = connection.execute("SELECT max(version) FROM area_set WHERE area_set = ?", [area_set]).fetchone()
    if row is None or row[0] is None:
        known = [r[0] for r in connection.execute("SELECT DISTINCT area_set FROM area_set ORDER BY 1").fetchall()]
        raise UnknownAreaSetError(
            f"There is no area set '{area_set}'; loaded: {', '.join(known) or 'none'}. "
            "Load one with `dtm areas load FILE --area-set NAME --level N --valid-from DATE`."
        )
    return int(row[0])


def open_round(
    connection: Connection,
    *,
    operation: str,
    number: int,
    started_on: date,
    ended_on: date,
    area_set: str,
    assessment_type: str = "BA",
    opened_at: datetime | None = None,
) -> None:
    """Open a round in state draft; stocks refer to its last day.

    Opening a round again with the same dates and area set changes nothing. `opened_at` (UTC) is now when not given.

    Raises
    ------
    WrongUseError
        The number is below 1 or taken by other dates, the dates are in the wrong order, or they overlap a round.
    UnknownAreaSetError
        No set of that name is loaded.
    """
    if number < 1:
        raise WrongUseError(f"A round's number is counted from 1, not {number}.")
    if ended_on < started_on:
        raise WrongUseError(f"Round {number} ends ({ended_on}) before it starts ({started_on}).")
    version = latest_version(connection, area_set)
    for other, other_start, other_end, other_set in connection.execute(
        "SELECT number, started_on, ended_on, area_set FROM round WHERE operation = ?", [operation]
    ).fetchall():
        if other == number:
            if (other_start, other_end, other_set) == (started_on, ended_on, area_set):
                return
            raise WrongUseError(
                f"Round {number} is open already, from {other_start} to {other_end} on '{other_set}'. "
                "Choose the next number, or give the same dates."
            )
        if started_on <= other_end and ended_on >= other_start:
            raise WrongUseError(
                f"Round {number} ({started_on} to {ended_on}) overlaps round {other} ({other_start} to {other_end})."
            )
        if (number < other) != (ended_on < other_start):
            raise WrongUseError(
                f"Round {number} must lie {'before' if number < other else 'after'} round {other} "
                f"({other_start} to {other_end})."
            )
    with transaction(connection):
        connection.execute(
            "INSERT INTO round VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [operation, number, started_on, ended_on, ended_on, assessment_type, area_set, version, DRAFT],
        )
        _note(connection, operation, number, None, DRAFT, at=opened_at)


def list_rounds(connection: Connection) -> pd.DataFrame:
    """Return the rounds with the returns and findings each has, oldest first."""
    return connection.execute("""
        SELECT r.*, coalesce(s.returns, 0) AS returns, coalesce(f.errors, 0) AS errors,
               coalesce(f.warnings, 0) AS warnings
        FROM round r
        LEFT JOIN (SELECT round_number, count(*) AS returns FROM submission GROUP BY 1) s
               ON s.round_number = r.number
        LEFT JOIN (SELECT round_number, count(*) FILTER (severity = 'error') AS errors,
                          count(*) FILTER (severity = 'warning') AS warnings FROM finding GROUP BY 1) f
               ON f.round_number = r.number
        ORDER BY r.operation, r.number""").df()


def find_round(connection: Connection, *, operation: str, number: int | None = None) -> Round:
    """Return a round, the newest when no number is given.

    Raises
    ------
    UnknownRoundError
        It was never opened, or no round was.
    """
    rows = connection.execute(
        "SELECT number, started_on, ended_on, area_set, area_set_version, status FROM round "
        "WHERE operation = ? ORDER BY number",
        [operation],
    ).fetchall()
    found = [row for row in rows if number is None or row[0] == number]
    if not found:
        known = ", ".join(str(row[0]) for row in rows)
        if not known:
            raise UnknownRoundError(message("round_none_opened"))
        raise UnknownRoundError(message("round_not_opened", number=number, known=known))
    return Round(*found[-1])


def close_round(
    connection: Connection,
    *,
    operation: str,
    number: int,
    who: str,
    reason: str | None = None,
    sign_off: bool = False,
    at: datetime | None = None,
) -> Round:
    """Move a round one step on: from draft to cleaning, or with `sign_off` from cleaning to signed off.

    Parameters
    ----------
    who
        Who decides; written into the round's history and, for a sign-off, into the release.
    reason
        Why, in words; may be left out.
    at
        The moment, UTC; now when not given.

    Raises
    ------
    WrongUseError
        The round is not in the state the step begins at, or no name is given.
    OpenErrorsError
        Errors of the round stand that are neither cleared nor waived.
    """
    name = required_name(who)
    with transaction(connection):
        found = find_round(connection, operation=operation, number=number)
        target = SIGNED_OFF if sign_off else CLEANING
        _check_step(found, target)
        if sign_off:
            refuse_open_errors(connection, operation=operation, number=number)
        return _move(connection, operation, found, target, reason=_optional(reason), who=name, at=at)


def _check_step(found: Round, target: str) -> None:
    number = found.number
    if found.status in (SIGNED_OFF, RELEASED):
        raise WrongUseError(message("round_already", number=number, state=state_words(found.status)))
    if target == SIGNED_OFF and found.status == DRAFT:
        raise WrongUseError(message("round_collects", number=number))
    if target == CLEANING and found.status == CLEANING:
        raise WrongUseError(message("round_collected", number=number))


def refuse_open_errors(connection: Connection, *, operation: str, number: int) -> None:
    """Stop if errors of the round stand.

    Raises
    ------
    OpenErrorsError
        It has the errors in `findings` and says in words how to clear them.
    """
    standing = open_errors(connection, operation=operation, number=number)
    if standing:
        count = message("one_stands") if len(standing) == 1 else message("several_stand", count=len(standing))
        raise OpenErrorsError(message("errors_stand", number=number, standing=count), standing)


def reopen_round(
    connection: Connection, *, operation: str, number: int, who: str, reason: str, at: datetime | None = None
) -> Round:
    """Take a signed-off or released round back to cleaning; what was released stays as it is.

    Raises
    ------
    WrongUseError
        The round is open, or the name or the reason is empty.
    """
    name = required_name(who)
    why = required_reason(reason)
    with transaction(connection):
        found = find_round(connection, operation=operation, number=number)
        if found.status not in (SIGNED_OFF, RELEASED):
            raise WrongUseError(message("round_open", number=number, state=state_words(found.status)))
        return _move(connection, operation, found, CLEANING, reason=why, who=name, at=at)


def note_release(connection: Connection, *, operation: str, numbers: Sequence[int], release_id: str) -> None:
    """Move the signed-off rounds among these to released; call it inside a transaction."""
    for number in numbers:
        found = find_round(connection, operation=operation, number=number)
        if found.status == SIGNED_OFF:
            _move(connection, operation, found, RELEASED, reason=release_id, who=None, at=None)


def _move(
    connection: Connection,
    operation: str,
    found: Round,
    target: str,
    *,
    reason: str | None,
    who: str | None,
    at: datetime | None,
) -> Round:
    connection.execute(
        "UPDATE round SET status = ? WHERE operation = ? AND number = ?", [target, operation, found.number]
    )
    _note(connection, operation, found.number, found.status, target, reason=reason, who=who, at=at)
    return find_round(connection, operation=operation, number=found.number)


def _note(
    connection: Connection,
    operation: str,
    number: int,
    before: str | None,
    after: str,
    *,
    reason: str | None = None,
    who: str | None = None,
    at: datetime | None = None,
) -> None:
    moment = at or datetime.now(UTC).replace(tzinfo=None)
    connection.execute(
        "INSERT INTO round_history VALUES (?, ?, ?, ?, ?, ?, ?)",
        [operation, number, before, after, reason, who, moment],
    )


def _optional(text: str | None) -> str | None:
    return (text or "").strip() or None


def round_history(connection: Connection, *, operation: str, number: int) -> list[dict[str, Any]]:
    """Return the changes of a round's state, oldest first: from_status, to_status, reason, who, changed_at (UTC)."""
    rows = connection.execute(
        "SELECT from_status, to_status, reason, who, changed_at FROM round_history "
        "WHERE operation = ? AND number = ? ORDER BY rowid",
        [operation, number],
    ).fetchall()
    names = ("from_status", "to_status", "reason", "who", "changed_at")
    return [dict(zip(names, row, strict=True)) for row in rows]


def sign_off_of(connection: Connection, *, operation: str, number: int) -> tuple[str, datetime] | None:
    """Return who signed the round off and when (UTC); None while it is open."""
    if find_round(connection, operation=operation, number=number).status not in (SIGNED_OFF, RELEASED):
        return None
    signed = [
        row for row in round_history(connection, operation=operation, number=number) if row["to_status"] == SIGNED_OFF
    ]
    return (str(signed[-1]["who"]), signed[-1]["changed_at"]) if signed else None

"""Open rounds of data collection and list them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm.errors import UnknownAreaSetError, WrongUseError

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from dtm.engine import Connection


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
) -> None:
    """Open a round in state draft; stocks refer to its last day.

    Opening a round again with the same dates and area set changes nothing.

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
    connection.execute(
        "INSERT INTO round VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'draft')",
        [operation, number, started_on, ended_on, ended_on, assessment_type, area_set, version],
    )


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

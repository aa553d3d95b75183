"""Say how far a round has come: units expected and received, who is late, and how trained those are who send."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dtm._area_names import area_names
from dtm._round_findings import build_placed_findings
from dtm._round_records import PUBLISHED_FORM
from dtm.rounds import Round, find_round
from dtm.scope import Scope, build_coverage, build_reporting_scope
from enumerations.codelists import codes_of

if TYPE_CHECKING:
    import pandas as pd

    from dtm.engine import Connection

UTC_OFFSET_HOURS = 8
"""Local time of Ulaanbaatar."""
NO_ROLE = "nobody"
"""Role of a unit that no loaded enumerator is responsible for, and of returns by somebody who is not on the list."""
TRAINING = ("trained", "untrained", "unknown")
"""Trained by the day of collection; on the list but not trained by then; not on the list, without a name, or trained
after the round (the list tells the last training only)."""


@dataclass(frozen=True)
class _Task:
    connection: Connection
    scope: Scope
    round: Round
    today: date


def build_round_coverage(connection: Connection, *, operation: str, number: int) -> Scope:
    """Make TEMP TABLE `round_unit` and those of `dtm.scope.build_reporting_scope` and `build_coverage`.

    `round_unit` has a row for each expected unit: unit_pcode, area_pcode (khoroo), received, received_on (day of its
    first return, local time), role (of the one responsible for it). A unit is received under the same rule as in a
    release: its return tells the persons really living there.
    """
    scope = build_reporting_scope(connection, operation=operation, last_round=number)
    build_coverage(connection, scope)
    roles = "".join(f"WHEN '{code}' THEN {rank} " for rank, code in enumerate(codes_of("enumerator_role")))
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE round_unit AS
        WITH told AS (
            SELECT r.expected_unit AS unit_pcode, min(s.received_at) AS received_at, bool_or(k.persons IS NOT NULL)
                AS received
            FROM scope_return r JOIN submission s USING (submission_id)
            JOIN stock k ON k.submission_id = r.submission_id AND k.category = 'actual' AND k.dwelling IS NULL
            WHERE r.is_used AND r.round_number = $number AND k.persons IS NOT NULL GROUP BY 1
        ), responsible AS (
            SELECT u.unit_pcode, coalesce(e.role, 'other') AS role
            FROM scope_unit u JOIN enumerator e ON starts_with(u.unit_pcode, e.unit)
            QUALIFY row_number() OVER (PARTITION BY u.unit_pcode
                ORDER BY length(e.unit) DESC, CASE e.role {roles} ELSE 99 END, e.enumerator) = 1
        )
        SELECT u.unit_pcode, u.area_pcode, coalesce(t.received, false) AS received,
            (t.received_at + INTERVAL {UTC_OFFSET_HOURS} HOUR)::DATE AS received_on,
            coalesce(p.role, '{NO_ROLE}') AS role
        FROM scope_unit u LEFT JOIN told t USING (unit_pcode) LEFT JOIN responsible p USING (unit_pcode)
        ORDER BY ALL
        """,
        {"number": number},
    )
    return scope


def coverage_report(
    connection: Connection, *, operation: str, number: int, today: date | None = None, due_days_before_end: int = 0
) -> dict[str, Any]:
    """Return how far a round has come.

    Parameters
    ----------
    today
        The day it is; the present one in Ulaanbaatar when not given.
    due_days_before_end
        Units are late from so many days before the last day of collection on; 0 means from the day after it.

    Returns
    -------
    dict
        ``units_expected``, ``units_received``, ``returns``; ``by_district``, ``by_khoroo``, ``by_role``, ``by_day``;
        ``due_on`` and ``is_due``; ``missing`` (every unit without a return, each with who is responsible for it and
        how many of its records are set aside) and ``late`` (the same once they are due); ``training``.

    Raises
    ------
    UnknownRoundError
        The round was never opened.
    """
    found = find_round(connection, operation=operation, number=number)
    scope = build_round_coverage(connection, operation=operation, number=number)
    build_placed_findings(connection, number)
    task = _Task(connection, scope, found, today or local_today())
    areas = _by_area(task)
    finest = [row for row in areas if row["level"] == scope.finest_level]
    due_on = found.ended_on - timedelta(days=due_days_before_end)
    is_due = task.today >= due_on if due_days_before_end else task.today > due_on
    missing = _missing(task)
    return {
        "units_expected": sum(row["units_expected"] for row in finest),
        "units_received": sum(row["units_received"] for row in finest),
        "returns": _count(connection, "SELECT count(*) FROM scope_return WHERE round_number = ?", number),
        "by_district": [row for row in areas if row["level"] == scope.finest_level - 1],
        "by_khoroo": finest,
        "by_role": _by_role(task),
        "by_day": progress_rows(connection, found, today=task.today),
        "due_on": due_on,
        "is_due": is_due,
        "missing": missing,
        "late": missing if is_due else [],
        "training": _training(task),
    }


def local_today() -> date:
    """Return the day it is in Ulaanbaatar."""
    return (datetime.now(UTC) + timedelta(hours=UTC_OFFSET_HOURS)).date()


def _count(connection: Connection, sql: str, *values: object) -> int:
    row = connection.execute(sql, list(values)).fetchone()
    return int(row[0] or 0) if row else 0


def rows_of(connection: Connection, sql: str, values: dict[str, object] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a query as dictionaries."""
    cursor = connection.execute(sql, values or {})
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _by_area(task: _Task) -> list[dict[str, Any]]:
    rows = rows_of(
        task.connection,
        """
        WITH error AS (
            SELECT a.pcode, count(*) AS errors_open
            FROM placed_finding f JOIN scope_area a ON starts_with(f.pcode, a.pcode)
            WHERE f.severity = 'error' AND f.state = 'open' GROUP BY 1
        )
        SELECT c.pcode, c.level, c.units_expected, c.units_reported AS units_received, c.returns,
            c.registered_coverage_share, coalesce(e.errors_open, 0) AS errors_open
        FROM full_coverage c LEFT JOIN error e USING (pcode) WHERE c.round_number = $number ORDER BY c.level, c.pcode
        """,
        {"number": task.round.number},
    )
    names = area_names(task.connection, [row["pcode"] for row in rows])
    return [{**row, "name_mn": names[row["pcode"]][0], "name_en": names[row["pcode"]][1]} for row in rows]


def _by_role(task: _Task) -> list[dict[str, Any]]:
    """Return units by the role of the one responsible, and returns by the role of the one who sent them."""
    return rows_of(
        task.connection,
        f"""
        WITH unit AS (
            SELECT role, count(*) AS units_expected, count(*) FILTER (received) AS units_received
            FROM round_unit GROUP BY role
        ), sent AS (
            SELECT coalesce(e.role, CASE WHEN e.enumerator IS NULL THEN '{NO_ROLE}' ELSE 'other' END) AS role,
                count(*) AS returns
            FROM scope_return r JOIN submission s USING (submission_id) LEFT JOIN enumerator e USING (enumerator)
            WHERE r.round_number = $number GROUP BY 1
        ), listed AS (
            SELECT coalesce(role, 'other') AS role, count(*) AS enumerators FROM enumerator GROUP BY 1
        )
        SELECT role, coalesce(enumerators, 0) AS enumerators, coalesce(units_expected, 0) AS units_expected,
            coalesce(units_received, 0) AS units_received, coalesce(returns, 0) AS returns
        FROM unit FULL JOIN sent USING (role) FULL JOIN listed USING (role) ORDER BY role = '{NO_ROLE}', role
        """,
        {"number": task.round.number},
    )


def progress_rows(connection: Connection, found: Round, *, today: date) -> list[dict[str, Any]]:
    """Return a row for each day of collection so far: day, returns, units, cumulative_units, expected_units.

    A unit counts on the day of the return it is counted by. Returns without a day count on the first. Needs
    `build_round_coverage`.
    """
    return rows_of(
        connection,
        f"""
        WITH sent AS (
            SELECT coalesce((s.received_at + INTERVAL {UTC_OFFSET_HOURS} HOUR)::DATE, $first) AS day,
                count(*) AS returns
            FROM scope_return r JOIN submission s USING (submission_id) WHERE r.round_number = $number GROUP BY 1
        ), unit AS (
            SELECT coalesce(received_on, $first) AS day, count(*) AS units FROM round_unit WHERE received GROUP BY 1
        ), calendar AS (
            SELECT unnest(generate_series(
                least($first, (SELECT min(day) FROM sent)),
                greatest(least($last, $today), $first, (SELECT max(day) FROM sent)), INTERVAL 1 DAY))::DATE AS day
        )
        SELECT day, coalesce(returns, 0) AS returns, coalesce(units, 0) AS units,
            (sum(coalesce(units, 0)) OVER (ORDER BY day))::BIGINT AS cumulative_units,
            (SELECT count(*) FROM round_unit) AS expected_units
        FROM calendar LEFT JOIN sent USING (day) LEFT JOIN unit USING (day) ORDER BY day
        """,
        {"number": found.number, "first": found.started_on, "last": found.ended_on, "today": today},
    )


def progress_frame(connection: Connection, *, operation: str, number: int, today: date | None = None) -> pd.DataFrame:
    """Return `progress_rows` as a frame."""
    import pandas as pd  # noqa: PLC0415  the terminal's answer does without

    found = find_round(connection, operation=operation, number=number)
    build_round_coverage(connection, operation=operation, number=number)
    return pd.DataFrame(progress_rows(connection, found, today=today or local_today()))


def _missing(task: _Task) -> list[dict[str, Any]]:
    rows = rows_of(
        task.connection,
        """
        WITH aside AS (
            SELECT pcode, count(*) AS set_aside FROM round_record WHERE is_set_aside AND is_return GROUP BY 1
        ), responsible AS (
            SELECT u.unit_pcode, list({'enumerator': e.enumerator, 'role': e.role, 'trained_on': e.trained_on}
                ORDER BY length(e.unit) DESC, e.enumerator) AS enumerators
            FROM round_unit u JOIN enumerator e ON starts_with(u.unit_pcode, e.unit) AND length(e.unit) >= $shortest
            GROUP BY 1
        )
        SELECT u.unit_pcode AS unit, u.area_pcode AS khoroo, coalesce(a.set_aside, 0) AS set_aside,
            coalesce(r.enumerators, []) AS enumerators
        FROM round_unit u LEFT JOIN aside a ON a.pcode = u.unit_pcode LEFT JOIN responsible r USING (unit_pcode)
        WHERE NOT u.received ORDER BY 1
        """,
        {"shortest": 2 + 2 * task.scope.finest_level},
    )
    higher = {code[: 2 * task.scope.finest_level] for code in (row["khoroo"] for row in rows)}
    names = area_names(task.connection, {*higher, *(r["unit"] for r in rows), *(r["khoroo"] for r in rows)})
    return [{**row, **_named(row, names, 2 * task.scope.finest_level)} for row in rows]


def _named(row: dict[str, Any], names: dict[str, tuple[str, str]], district_length: int) -> dict[str, str]:
    codes = {"unit": row["unit"], "khoroo": row["khoroo"], "district": row["khoroo"][:district_length]}
    return {
        f"{place}_{language}": names[code][position]
        for place, code in codes.items()
        for position, language in enumerate(("mn", "en"))
    }


def _training(task: _Task) -> list[dict[str, Any]]:
    """Return returns, those set aside and findings of each form, by the training of who sent them.

    Trained means by the day of collection, as for the check `enumerator_untrained`; a record set aside may tell no day
    that can be trusted, so the last day of the round stands for it. Findings on a record inside a return count with it.
    """
    rows = rows_of(
        task.connection,
        f"""
        WITH sent AS (
            SELECT form, instance_id, enumerator, false AS is_set_aside,
                (received_at + INTERVAL {UTC_OFFSET_HOURS} HOUR)::DATE AS day
            FROM submission WHERE round_number = $number AND form <> $published
            UNION ALL
            SELECT form, instance_id, enumerator, true, NULL FROM round_record WHERE is_set_aside AND is_return
        ), judged AS (
            SELECT s.*, CASE WHEN e.enumerator IS NULL OR e.trained_on > $last THEN 'unknown'
                WHEN e.trained_on <= coalesce(s.day, $last) THEN 'trained' ELSE 'untrained' END AS training
            FROM sent s LEFT JOIN enumerator e USING (enumerator)
        ), found AS (
            SELECT r.form, r.enumerator, r.instance_id, count(*) AS findings,
                count(*) FILTER (f.severity = 'error') AS errors
            FROM placed_finding f JOIN round_record r ON r.import_id = f.import_id
                AND r.sheet IS NOT DISTINCT FROM f.sheet AND r.row_number = f.row_number
            WHERE r.instance_id IS NOT NULL GROUP BY ALL
        ), of_return AS (
            SELECT form, instance_id, arg_min(training, is_set_aside) AS training FROM judged GROUP BY ALL
        ), total AS (
            SELECT o.form, o.training, sum(findings)::BIGINT AS findings, sum(errors)::BIGINT AS errors
            FROM found f JOIN of_return o ON o.form = f.form AND o.instance_id = f.instance_id GROUP BY ALL
        )
        SELECT form, training, count(*) AS returns, count(*) FILTER (is_set_aside) AS set_aside,
            coalesce(any_value(t.findings), 0) AS findings, coalesce(any_value(t.errors), 0) AS errors
        FROM judged LEFT JOIN total t USING (form, training) GROUP BY form, training
        """,
        {"number": task.round.number, "last": task.round.ended_on, "published": PUBLISHED_FORM},
    )
    found = {(row["form"], row["training"]): row for row in rows}
    empty = {"returns": 0, "set_aside": 0, "findings": 0, "errors": 0}
    told = []
    for form in sorted({row["form"] for row in rows}):
        total = sum(row["returns"] for row in rows if row["form"] == form)
        for name in TRAINING:
            row = {"form": form, "training": name, **empty, **found.get((form, name), {})}
            row["share"] = row["returns"] / total
            row["findings_per_return"] = row["findings"] / row["returns"] if row["returns"] else None
            told.append(row)
    return told

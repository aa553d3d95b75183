"""Decide what a release is about: its rounds, areas, reporting units and the returns that count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dtm._full import EXACT, create_full
from dtm._scope_areas import CITY_PCODE, FINEST_LEVEL_MAX, build_areas, build_rollup
from dtm.errors import UnknownRoundError, WrongUseError

if TYPE_CHECKING:
    from dtm.engine import Connection

BASELINE_FORM = "kheseg-baseline"


@dataclass(frozen=True)
class Scope:
    """What a release is about.

    Attributes
    ----------
    rounds
        Numbers of the rounds, oldest first.
    area_set, area_set_version
        The areas of the last round, which every figure is published by.
    finest_level
        Level of those areas (3 for khoroos).
    city
        P-code the checkpoints' counts are given for; None where the release has no such area.
    notes
        What was left out and why, for the manifest.
    """

    operation: str
    rounds: tuple[int, ...]
    last_round: int
    area_set: str
    area_set_version: int
    finest_level: int
    city: str | None
    notes: tuple[str, ...] = ()


def build_scope(connection: Connection, *, operation: str, last_round: int) -> Scope:
    """Make TEMP TABLES `scope_round`, `scope_area`, `scope_rollup`, `scope_unit` and `scope_return`.

    `scope_area` has the last round's areas and their ancestors up to level 1, found by prefix: a P-code's parent
    is the code without its last two digits. An ancestor's polygon is the union of its children, its `area_km2` and
    `ger_area_km2` are their sums. `ger_area_km2` is null where no ger-area layer was ever loaded; with several,
    the one with the newest date is taken.

    `scope_unit` has the expected reporting units: the areas of the newest set one level down whose `parent_set` is
    the round's set (khesegs), or the area itself where it has none.

    `scope_return` has every accepted kheseg return of the rounds. Where a unit has several for one round, the one
    collected first is used (`is_used`), as on import; the others still count as returns. A return whose area is
    not among the release's areas is not used. Displaced people of IOM's published tables belong to IOM's own
    operations and are no part of the city's scope.

    Raises
    ------
    UnknownRoundError
        The operation has no such round.
    WrongUseError
        The round's areas are finer than khoroos, or the country as a whole.
    """
    area_set, version = _areas_of_round(connection, operation, last_round)
    notes = _build_rounds(connection, operation, last_round, area_set)
    finest_level = _finest_level(connection, area_set, version)
    build_areas(connection, area_set, version, finest_level)
    _build_units(connection, area_set, finest_level)
    _build_returns(connection, operation)
    _fill_flow_days(connection)
    rounds = connection.execute("SELECT round_number FROM scope_round ORDER BY 1").fetchall()
    city = _city(connection)
    return Scope(
        operation=operation,
        rounds=tuple(int(row[0]) for row in rounds),
        last_round=last_round,
        area_set=area_set,
        area_set_version=version,
        finest_level=finest_level,
        city=city,
        notes=(*notes, *_notes_on_returns(connection), *_notes_on_passages(connection, city)),
    )


def build_reporting_scope(connection: Connection, *, operation: str, last_round: int) -> Scope:
    """Make the tables of `build_scope` without polygons, names and passages: all that `build_coverage` needs.

    `scope_area` has only `pcode` and `level`; the days of the flow windows stay empty.

    Raises
    ------
    UnknownRoundError, WrongUseError
        As `build_scope`.
    """
    area_set, version = _areas_of_round(connection, operation, last_round)
    notes = _build_rounds(connection, operation, last_round, area_set)
    finest_level = _finest_level(connection, area_set, version)
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE scope_area AS
        SELECT DISTINCT left(a.pcode, 2 + 2 * n.level::INTEGER) AS pcode, n.level::INTEGER AS level
        FROM area a CROSS JOIN range(1, $level + 1) n(level)
        WHERE a.area_set = $area_set AND a.version = $version ORDER BY level, pcode
        """,
        {"area_set": area_set, "version": version, "level": finest_level},
    )
    build_rollup(connection, finest_level)
    _build_units(connection, area_set, finest_level)
    _build_returns(connection, operation)
    rounds = connection.execute("SELECT round_number FROM scope_round ORDER BY 1").fetchall()
    numbers = tuple(int(row[0]) for row in rounds)
    return Scope(operation, numbers, last_round, area_set, version, finest_level, None, tuple(notes))


def _areas_of_round(connection: Connection, operation: str, number: int) -> tuple[str, int]:
    found = connection.execute(
        'SELECT area_set, area_set_version FROM "round" WHERE operation = ? AND number = ?', [operation, number]
    ).fetchone()
    if found is None:
        raise UnknownRoundError(f"Round {number} of '{operation}' was never opened; see `dtm round list`.")
    return str(found[0]), int(found[1])


def _build_rounds(connection: Connection, operation: str, last_round: int, area_set: str) -> list[str]:
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE scope_round AS
        SELECT number AS round_number, operation, started_on, ended_on, reference_on, NULL::INTEGER AS flow_days,
            area_set, area_set_version
        FROM "round" WHERE operation = ? AND number <= ? AND area_set = ? ORDER BY number
        """,
        [operation, last_round, area_set],
    )
    left_out = connection.execute(
        'SELECT number, area_set FROM "round" WHERE operation = ? AND number <= ? AND area_set <> ? ORDER BY number',
        [operation, last_round, area_set],
    ).fetchall()
    return [
        f"Round {number} is left out: its areas are '{other}', not '{area_set}' of the last round."
        for number, other in left_out
    ]


def _finest_level(connection: Connection, area_set: str, version: int) -> int:
    found = connection.execute(
        "SELECT level FROM area_set WHERE area_set = ? AND version = ?", [area_set, version]
    ).fetchone()
    level = -1 if found is None else int(found[0])
    if not 1 <= level <= FINEST_LEVEL_MAX:
        raise WrongUseError(
            f"The area set '{area_set}' is of level {level}; a release is published by areas of level 1 to "
            f"{FINEST_LEVEL_MAX}. Open the round with the khoroos' set."
        )
    return level


def _build_units(connection: Connection, area_set: str, finest_level: int) -> None:
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE scope_unit AS
        WITH newest AS (
            SELECT area_set, version FROM area_set WHERE parent_set = $area_set AND level = $level + 1
            ORDER BY valid_from DESC, loaded_at DESC, version DESC LIMIT 1
        ), inside AS (
            SELECT u.pcode AS unit_pcode, a.pcode AS area_pcode
            FROM area u JOIN newest USING (area_set, version)
            JOIN scope_area a ON a.level = $level AND a.pcode = left(u.pcode, 2 + 2 * $level)
        )
        FROM inside
        UNION ALL
        SELECT pcode, pcode FROM scope_area WHERE level = $level AND pcode NOT IN (SELECT area_pcode FROM inside)
        ORDER BY ALL
        """,
        {"area_set": area_set, "level": finest_level},
    )


def _build_returns(connection: Connection, operation: str) -> None:
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE scope_return AS
        WITH told AS (
            SELECT submission_id, min(pcode) AS pcode FROM stock WHERE operation = $operation GROUP BY submission_id
        ), baseline AS (
            SELECT s.round_number, s.submission_id, s.located_by, s.received_at,
                coalesce(told.pcode, s.declared_pcode) AS unit_pcode,
                CASE WHEN s.declared_pcode IS NULL THEN 'return ' || s.submission_id
                    ELSE coalesce(told.pcode, s.declared_pcode) END AS unit_key,
                a.area_pcode
            FROM submission s JOIN scope_round USING (round_number) LEFT JOIN told USING (submission_id)
            LEFT JOIN (SELECT DISTINCT area_pcode FROM scope_rollup) a ON a.area_pcode = s.located_pcode
            WHERE s.form = $form
        )
        SELECT b.round_number, b.submission_id, b.unit_key, b.area_pcode, b.located_by,
            CASE WHEN u.unit_pcode IS NOT NULL THEN u.unit_pcode ELSE own.unit_pcode END AS expected_unit,
            b.area_pcode IS NOT NULL AND 1 = row_number() OVER (
                PARTITION BY b.round_number, b.unit_key ORDER BY b.received_at NULLS LAST, b.submission_id
            ) AS is_used
        FROM baseline b
        LEFT JOIN scope_unit u ON u.unit_pcode = b.unit_pcode
        LEFT JOIN scope_unit own ON own.unit_pcode = b.area_pcode
        """,
        {"operation": operation, "form": BASELINE_FORM},
    )


def _fill_flow_days(connection: Connection) -> None:
    """Take the window most returns asked about, else the days since the round before."""
    connection.execute(
        """
        UPDATE scope_round SET flow_days = coalesce(
            (
                SELECT date_diff('day', m.window_from, m.window_to) + 1 AS days
                FROM movement m JOIN scope_return r USING (submission_id)
                WHERE r.is_used AND r.round_number = scope_round.round_number AND m.window_to >= m.window_from
                GROUP BY days ORDER BY count(*) DESC, days DESC LIMIT 1
            ),
            (
                SELECT date_diff('day', max(p.reference_on), scope_round.reference_on)
                FROM scope_round p WHERE p.round_number < scope_round.round_number
            )
        )
        """
    )
    connection.execute("UPDATE scope_round SET flow_days = NULL WHERE flow_days <= 0")


def _city(connection: Connection) -> str | None:
    codes = [str(row[0]) for row in connection.execute("SELECT pcode FROM scope_area WHERE level = 1").fetchall()]
    if CITY_PCODE in codes:
        return CITY_PCODE
    return codes[0] if len(codes) == 1 else None


def _notes_on_returns(connection: Connection) -> list[str]:
    rows = connection.execute(
        """
        SELECT round_number, count(*) FILTER (area_pcode IS NULL),
            count(*) FILTER (area_pcode IS NOT NULL AND NOT is_used)
        FROM scope_return GROUP BY round_number ORDER BY round_number
        """
    ).fetchall()
    notes: list[str] = []
    for number, outside, superseded in rows:
        if outside:
            notes.append(f"Round {number}: {outside} returns are in none of the release's areas and are not counted.")
        if superseded:
            notes.append(f"Round {number}: {superseded} returns are not counted: their unit had reported before.")
    return notes


def _notes_on_passages(connection: Connection, city: str | None) -> list[str]:
    rows = connection.execute(
        """
        SELECT DISTINCT p.round_number FROM passage p JOIN scope_round USING (round_number)
        WHERE $city IS NULL OR (left(origin_pcode, 4) = $city) = (left(destination_pcode, 4) = $city) AND NOT (
            left(origin_pcode, 4) <> $city AND 'unknown' NOT IN (origin_pcode, destination_pcode)
        )
        ORDER BY p.round_number
        """,
        {"city": city},
    ).fetchall()
    return [
        f"Round {number}: some passages have both ends in the city or an end nobody knew; they are in the days' "
        "counts and in no flow."
        for (number,) in rows
    ]


def build_coverage(connection: Connection, scope: Scope) -> None:
    """Make TEMP TABLE `full_coverage`: for every round and area, how complete the returns are.

    A unit has reported if its return tells the persons really living there. `registered_coverage_share` weighs
    each unit by its registered population last known at that round (of the round itself or an earlier one); a unit
    that never told it weighs as much as the mean of the known units of its own area, or of the whole release where
    the area has none: leaving such units out would overstate the coverage. Null while nothing is known.
    """
    known = "last_value(registered IGNORE NULLS) OVER (PARTITION BY unit_pcode ORDER BY round_number)"
    create_full(
        connection,
        "coverage",
        f"""
        WITH told AS (
            SELECT r.round_number, r.expected_unit AS unit_pcode,
                sum(s.persons) FILTER (s.category = 'registered') AS registered,
                count(s.persons) FILTER (s.category = 'actual') > 0 AS reported
            FROM scope_return r JOIN stock s USING (submission_id)
            WHERE r.is_used AND s.operation = $operation AND s.dwelling IS NULL GROUP BY ALL
        ), weight AS (
            SELECT n.round_number, u.area_pcode, u.unit_pcode, coalesce(t.reported, false) AS reported, {known} AS known
            FROM scope_round n CROSS JOIN scope_unit u LEFT JOIN told t USING (round_number, unit_pcode)
        ), filled AS (
            SELECT *, coalesce(known::DOUBLE, avg(known) OVER (PARTITION BY round_number, area_pcode),
                avg(known) OVER (PARTITION BY round_number))::{EXACT} AS registered
            FROM weight
        ), units AS (
            SELECT round_number, pcode, level, count(*) AS units_expected, count(*) FILTER (reported) AS units_reported,
                coalesce(sum(registered) FILTER (reported), 0) / nullif(sum(registered), 0) AS registered_coverage_share
            FROM filled JOIN scope_rollup USING (area_pcode) GROUP BY ALL
        ), returns AS (
            SELECT round_number, pcode, count(*) AS returns, count(*) FILTER (located_by = 'gps') AS located_gps,
                count(*) FILTER (located_by IN ('gps_conflict', 'gps_outside')) AS located_conflict
            FROM scope_return JOIN scope_rollup USING (area_pcode) GROUP BY ALL
        )
        SELECT units.*, coalesce(returns, 0) AS returns, coalesce(located_gps, 0) AS located_gps,
            coalesce(located_conflict, 0) AS located_conflict
        FROM units LEFT JOIN returns USING (round_number, pcode) ORDER BY round_number, level, pcode
        """,
        {"operation": scope.operation},
    )

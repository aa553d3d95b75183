"""Count the travellers and vehicles of each checkpoint and day, beside the hours somebody watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._full import create_full

if TYPE_CHECKING:
    from dtm.engine import Connection
    from dtm.scope import Scope


def build_passage_days(connection: Connection, scope: Scope) -> None:
    """Make TEMP TABLE `full_passage_day`: what was counted, never scaled up to the hours nobody watched.

    A day is there if somebody watched or counted. Its counts are 0 in a direction nobody passed in, and null where
    the record says that nobody watched (0 hours) and nobody was counted. Vehicles are passages, those on foot left
    out. A day's round is its passages' own, else the round whose collection it falls in, else null; days of rounds
    the release leaves out, and days after its last one, are not there.
    """
    create_full(
        connection,
        "passage_day",
        """
        WITH last AS (SELECT ended_on AS day FROM scope_round WHERE round_number = $last_round),
        passed AS (
            SELECT p.*, passed_at::DATE AS day FROM passage p
            WHERE round_number IN (SELECT round_number FROM scope_round)
                OR (round_number IS NULL AND passed_at::DATE <= (SELECT day FROM last))
        ), counted AS (
            SELECT checkpoint, day, direction, sum(persons) AS persons,
                count(*) FILTER (vehicle IS DISTINCT FROM 'foot') AS vehicles
            FROM passed GROUP BY checkpoint, day, direction
        ), days AS (
            SELECT checkpoint, day, min(round_number) AS told_round FROM passed GROUP BY checkpoint, day
        ), watched AS (
            SELECT checkpoint, day, sum(hours_observed) AS hours_observed FROM watch GROUP BY checkpoint, day
        ), known AS (
            SELECT checkpoint, day, told_round, hours_observed, d.day IS NOT NULL AS seen
            FROM days d FULL JOIN watched w USING (checkpoint, day)
            WHERE seen OR day <= (SELECT day FROM last)
        ), dated AS (
            SELECT k.*, coalesce(told_round, (
                SELECT min(n.round_number) FROM scope_round n WHERE k.day BETWEEN n.started_on AND n.ended_on
            )) AS round_number
            FROM known k
        )
        SELECT k.round_number, k.checkpoint, k.day, d.direction, m.measure, k.hours_observed,
            NULL::VARCHAR AS observed_hours,
            CASE WHEN k.hours_observed = 0 AND NOT k.seen THEN NULL
                ELSE coalesce(CASE m.measure WHEN 'persons' THEN c.persons ELSE c.vehicles END, 0) END AS value
        FROM dated k CROSS JOIN (VALUES ('in'), ('out')) d(direction)
        CROSS JOIN (VALUES ('persons'), ('vehicles')) m(measure)
        LEFT JOIN counted c ON c.checkpoint = k.checkpoint AND c.day = k.day AND c.direction = d.direction
        ORDER BY k.checkpoint, k.day, d.direction, m.measure
        """,
        {"last_round": scope.last_round},
    )


def build_passage_hours(connection: Connection, _scope: Scope) -> None:
    """Make TEMP TABLE `full_passage_hour`: the travellers of each round by weekday and hour."""
    create_full(
        connection,
        "passage_hour",
        "SELECT 1 AS round_number, 'in' AS direction, 1 AS weekday, 0 AS hour, "
        "NULL AS checkpoint_hours, NULL AS value WHERE false",
    )

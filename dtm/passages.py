"""Count the travellers and vehicles of each checkpoint, day and hour, beside the hours somebody watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._full import EXACT, create_full

if TYPE_CHECKING:
    from dtm.engine import Connection
    from dtm.scope import Scope

HOURS_SLACK_H = 1
"""Passages may lie in one clock hour more than were watched: a shift seldom begins on the hour."""


def build_passage_days(connection: Connection, scope: Scope) -> None:
    """Make TEMP TABLE `full_passage_day`: what was counted, never scaled up to the hours nobody watched.

    A day is there if somebody watched or counted. Its counts are 0 in a direction nobody passed in, and null where
    the record says that nobody watched (0 hours) and nobody was counted. Vehicles are passages, those on foot left
    out. A day's round is its passages' own, else the round whose collection it falls in, else null; days of rounds
    the release leaves out, and days after its last one, are not there.

    Everybody who passes is in the counts of the day, through traffic too (origin and destination both outside the
    city); the flows of source `checkpoint_through` say how many those are.

    `observed_hours` says which hours were watched. The records tell their number alone, so it follows a rule:

    1. number unknown, or nobody passed and it is under 24: unknown, null; 24 hours: ``0-23``;
    2. hours in which somebody passed were watched, even where they are more than the number;
    3. further hours up to the number, part of an hour taken as a whole one: first between the first and the last
       of these, the shortest gap first and in it the earliest hour; then outward, the nearest hour first and of two
       equally near the later one.
    """
    _lay_out_days(connection, scope)
    _lay_out_hours(connection)
    create_full(
        connection,
        "passage_day",
        """
        WITH counted AS (
            SELECT checkpoint, day, direction, sum(persons) AS persons,
                count(*) FILTER (vehicle IS DISTINCT FROM 'foot') AS vehicles
            FROM scope_passage GROUP BY checkpoint, day, direction
        ), run AS (
            SELECT checkpoint, day, hour,
                hour - row_number() OVER (PARTITION BY checkpoint, day ORDER BY hour) AS island
            FROM scope_watch_hour WHERE is_watched AND hours_observed IS NOT NULL
        ), span AS (
            SELECT checkpoint, day, min(hour) AS first, max(hour) AS last FROM run GROUP BY checkpoint, day, island
        ), told AS (
            SELECT checkpoint, day, string_agg(
                CASE WHEN first = last THEN first::VARCHAR ELSE concat(first, '-', last) END, ',' ORDER BY first
            ) AS observed_hours
            FROM span GROUP BY checkpoint, day
        )
        SELECT k.round_number, k.checkpoint, k.day, d.direction, m.measure, k.hours_observed, t.observed_hours,
            CASE WHEN k.hours_observed = 0 AND NOT k.seen THEN NULL
                ELSE coalesce(CASE m.measure WHEN 'persons' THEN c.persons ELSE c.vehicles END, 0) END AS value
        FROM scope_watch_day k CROSS JOIN (VALUES ('in'), ('out')) d(direction)
        CROSS JOIN (VALUES ('persons'), ('vehicles')) m(measure)
        LEFT JOIN told t ON t.checkpoint = k.checkpoint AND t.day = k.day
        LEFT JOIN counted c ON c.checkpoint = k.checkpoint AND c.day = k.day AND c.direction = d.direction
        ORDER BY k.checkpoint, k.day, d.direction, m.measure
        """,
    )


def build_passage_hours(connection: Connection, scope: Scope) -> None:
    """Make TEMP TABLE `full_passage_hour`: the travellers of each round by weekday and hour of passing.

    All checkpoints and days of the round together, each day in the round it has in `full_passage_day`, so that the
    hours of a weekday sum to its days. A count is 0 where somebody watched and nobody passed, and null where nobody
    watched.

    `checkpoint_hours` adds up the watch behind a count, by the hours of `observed_hours`: where the record has part
    of an hour, each hour of that day counts as the same part of one. Watch whose hours are unknown and in which
    nobody passed is not in it; it is null where travellers were counted on a day whose watch nobody recorded.
    """
    _lay_out_days(connection, scope)
    _lay_out_hours(connection)
    create_full(
        connection,
        "passage_hour",
        f"""
        WITH counted AS (
            SELECT k.round_number, p.direction, isodow(p.day) AS weekday, hour(p.passed_at) AS hour,
                sum(p.persons) AS value
            FROM scope_passage p JOIN scope_watch_day k ON k.checkpoint = p.checkpoint AND k.day = p.day
            WHERE k.round_number IS NOT NULL GROUP BY ALL
        ), watched AS (
            SELECT round_number, isodow(day) AS weekday, hour, bool_or(is_watched) AS is_watched,
                CASE WHEN count(hours_observed) = 0 OR bool_or(is_watched AND hours_observed IS NULL) THEN NULL
                    ELSE coalesce(sum(watched_h::{EXACT}) FILTER (is_watched), 0) END AS checkpoint_hours
            FROM scope_watch_hour WHERE round_number IS NOT NULL GROUP BY ALL
        ), grid AS (
            SELECT r.round_number, d.direction, w.weekday, h.hour
            FROM (SELECT DISTINCT round_number FROM scope_watch_day WHERE round_number IS NOT NULL) r
            CROSS JOIN (VALUES ('in'), ('out')) d(direction)
            CROSS JOIN range(1, 8) w(weekday) CROSS JOIN range(24) h(hour)
        )
        SELECT g.round_number, g.direction, g.weekday, g.hour,
            CASE WHEN w.weekday IS NULL THEN 0 ELSE w.checkpoint_hours END AS checkpoint_hours,
            coalesce(c.value, CASE WHEN w.is_watched THEN 0 END) AS value
        FROM grid g LEFT JOIN counted c USING (round_number, direction, weekday, hour)
        LEFT JOIN watched w USING (round_number, weekday, hour)
        ORDER BY g.round_number, g.direction, g.weekday, g.hour
        """,
    )


def _lay_out_days(connection: Connection, scope: Scope) -> None:
    """Make `scope_passage` and `scope_watch_day`: each checkpoint and day that somebody watched or passed on."""
    last_round = {"last_round": scope.last_round}
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE scope_passage AS
        SELECT p.*, passed_at::DATE AS day FROM passage p
        WHERE round_number IN (SELECT round_number FROM scope_round) OR (round_number IS NULL
            AND passed_at::DATE <= (SELECT ended_on FROM scope_round WHERE round_number = $last_round))
        """,
        last_round,
    )
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE scope_watch_day AS
        WITH days AS (
            SELECT checkpoint, day, min(round_number) AS told_round FROM scope_passage GROUP BY checkpoint, day
        ), watched AS (
            SELECT checkpoint, day, sum(hours_observed) AS hours_observed FROM watch GROUP BY checkpoint, day
        ), known AS (
            SELECT checkpoint, day, told_round, hours_observed, d.day IS NOT NULL AS seen
            FROM days d FULL JOIN watched w USING (checkpoint, day)
            WHERE seen OR day <= (SELECT ended_on FROM scope_round WHERE round_number = $last_round)
        )
        SELECT k.*, coalesce(told_round, (
            SELECT min(n.round_number) FROM scope_round n WHERE k.day BETWEEN n.started_on AND n.ended_on
        )) AS round_number
        FROM known k
        """,
        last_round,
    )


def _lay_out_hours(connection: Connection) -> None:
    """Make `scope_watch_hour`: each hour of these days, whether it was watched (null: unknown) and for how long."""
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE scope_watch_hour AS
        WITH passed AS (
            SELECT DISTINCT checkpoint, day, hour(passed_at) AS hour FROM scope_passage
        ), placed AS (
            SELECT k.round_number, k.checkpoint, k.day, k.hours_observed, h.hour, p.hour IS NOT NULL AS is_passed,
                max(p.hour) OVER (around ROWS UNBOUNDED PRECEDING) AS before,
                min(p.hour) OVER (around ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS after
            FROM scope_watch_day k CROSS JOIN range(24) h(hour)
            LEFT JOIN passed p ON p.checkpoint = k.checkpoint AND p.day = k.day AND p.hour = h.hour
            WINDOW around AS (PARTITION BY k.checkpoint, k.day ORDER BY h.hour)
        ), ranked AS (
            SELECT *, row_number() OVER (PARTITION BY checkpoint, day ORDER BY NOT is_passed,
                before IS NULL OR after IS NULL,
                coalesce(after - before, hour - before, after - hour), before IS NULL, hour) AS position
            FROM placed
        ), decided AS (
            SELECT *, CASE WHEN is_passed OR hours_observed > 23 THEN true WHEN hours_observed = 0 THEN false
                WHEN hours_observed IS NULL OR (before IS NULL AND after IS NULL) THEN NULL
                ELSE position <= ceil(hours_observed) END AS is_watched
            FROM ranked
        ), sized AS (
            SELECT *, count(*) FILTER (is_watched) OVER (PARTITION BY checkpoint, day) AS hours FROM decided
        )
        SELECT round_number, checkpoint, day, hours_observed, hour, is_watched, CASE
            WHEN hours_observed > 0 AND hours - hours_observed <= {HOURS_SLACK_H}
                THEN least(hours_observed / hours, 1) ELSE 1 END AS watched_h
        FROM sized
        """
    )

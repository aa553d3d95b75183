"""Check what the checkpoints logged against the hours they were watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._round_checks_base import CHECKPOINTS, RoundCheck
from enumerations._series_cells import ROBUST_Z
from enumerations._series_model import MAD_TO_SD
from enumerations.codelists import choices_of

if TYPE_CHECKING:
    from dtm.engine import Connection

WATCH_HOURS_H = (2, 24)
"""Fewer hours are no shift, more are no day."""
EXPECTED_PASSAGES_MINIMUM = 7
"""Where the checkpoint's mean leads to so many passages, none at all has a chance below 0.1 % (Poisson)."""
HOURS_SLACK_H = 1
"""Passages may be spread over one clock hour more than were watched: a shift seldom begins on the hour."""
RARE_SHARE = 0.001
"""What more vehicles of a kind carry is rare, but no error."""
OCCUPANCY_SCALE_FLOOR = 0.35
"""Vehicles of one kind differ by this much in their travellers (relative), even where most carry the same."""
DAYS_SHOWN = 10


def lay_out_days(connection: Connection) -> None:
    """Make TEMP TABLE `rc_day`: each checkpoint and day of the open rounds with its passages and hours of watch."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE rc_day AS
        WITH passed AS (
            SELECT round_number, checkpoint, passed_at::DATE AS day, count(*) AS passages,
                bit_count(bit_or(1::BIGINT << hour(passed_at))) AS clock_hours_h
            FROM passage WHERE round_number IN (SELECT round_number FROM rc_open) GROUP BY ALL
        ), watched AS (
            SELECT checkpoint, day, hours_observed, import_id, sheet, row_number FROM watch
        )
        SELECT coalesce(p.round_number, o.round_number) AS round_number,
            coalesce(p.checkpoint, w.checkpoint) AS checkpoint, coalesce(p.day, w.day) AS day,
            coalesce(passages, 0) AS passages, coalesce(clock_hours_h, 0) AS clock_hours_h, hours_observed,
            import_id, sheet, row_number
        FROM passed p FULL JOIN watched w ON w.checkpoint = p.checkpoint AND w.day = p.day
        LEFT JOIN rc_open o ON w.day BETWEEN o.started_on AND o.ended_on
        WHERE coalesce(p.round_number, o.round_number) IS NOT NULL"""
    )


_UNWATCHED = f"""
WITH never AS (
    SELECT round_number, checkpoint, sum(passages) AS passages FROM rc_day GROUP BY ALL HAVING count(hours_observed) = 0
)
SELECT round_number, NULL AS submission_id, NULL AS pcode, 'passed_at' AS field,
    concat(checkpoint, ': ', passages) AS value, '0 h' AS hint, value AS value_mn, '0 цаг' AS hint_mn
FROM never
UNION ALL
SELECT round_number, NULL, NULL, 'passed_at', concat(checkpoint, ' ', day, ': ', passages, ' (', clock_hours_h, ' h)'),
    printf('%g h', coalesce(hours_observed, 0)),
    concat(checkpoint, ' ', day, ': ', passages, ' (', clock_hours_h, ' цаг)'),
    printf('%g цаг', coalesce(hours_observed, 0))
FROM rc_day ANTI JOIN never USING (round_number, checkpoint)
WHERE passages > 0 AND (coalesce(hours_observed, 0) = 0 OR clock_hours_h > hours_observed + {HOURS_SLACK_H})
"""

_EMPTY_WATCH = f"""
WITH rates AS (
    SELECT round_number, checkpoint, sum(passages) / sum(hours_observed) AS passages_per_h FROM rc_day
    WHERE hours_observed > 0 GROUP BY round_number, checkpoint
)
SELECT round_number, NULL AS submission_id, NULL AS pcode, 'hours_observed' AS field,
    printf('%g', hours_observed) AS value, concat(checkpoint, ' ', day) AS hint, import_id, sheet, row_number
FROM rc_day JOIN rates USING (round_number, checkpoint)
WHERE passages = 0 AND hours_observed * passages_per_h >= {EXPECTED_PASSAGES_MINIMUM}
"""

_ODD_HOURS = f"""
SELECT round_number, NULL AS submission_id, NULL AS pcode, 'hours_observed' AS field,
    printf('%g', hours_observed) AS value, concat(checkpoint, ' ', day) AS hint, import_id, sheet, row_number
FROM rc_day WHERE hours_observed > 0 AND hours_observed NOT BETWEEN {WATCH_HOURS_H[0]} AND {WATCH_HOURS_H[1]}
"""

_UNWATCHED_DAYS = f"""
WITH spans AS (
    SELECT round_number, checkpoint, min(day) AS first, max(day) AS last FROM rc_day
    WHERE hours_observed > 0 GROUP BY round_number, checkpoint
), days AS (
    SELECT round_number, checkpoint, unnest(generate_series(first, last, INTERVAL 1 DAY))::DATE AS day FROM spans
), gaps AS (
    SELECT d.round_number, d.checkpoint, d.day FROM days d
    ANTI JOIN (FROM rc_day WHERE hours_observed > 0 OR passages > 0) k USING (round_number, checkpoint, day)
)
SELECT round_number, NULL AS submission_id, NULL AS pcode, 'day' AS field, checkpoint AS value,
    concat(array_to_string(list_sort(list(day::VARCHAR))[:{DAYS_SHOWN}], ', '),
        CASE WHEN count(*) > {DAYS_SHOWN} THEN concat(' ... (', count(*), ')') ELSE '' END) AS hint
FROM gaps GROUP BY round_number, checkpoint
"""

_CAPACITIES = ", ".join(
    f"('{choice.code}', {choice.capacity_persons}, '{choice.label_mn}')"
    for choice in choices_of("vehicle")
    if choice.capacity_persons is not None
)
# Medians from counts by number of travellers, so that a million passages are read once.
_OCCUPANCY = f"""
WITH capacities(vehicle, capacity, label_mn) AS (VALUES {_CAPACITIES}),
counted AS (
    SELECT round_number, vehicle, persons, count(*) AS n FROM passage
    WHERE round_number IN (SELECT round_number FROM rc_open) AND persons > 0 GROUP BY ALL
), middles AS (
    SELECT round_number, vehicle, min(persons) FILTER (2 * upto >= total) AS middle
    FROM (SELECT *, sum(n) OVER (PARTITION BY round_number, vehicle ORDER BY persons) AS upto,
        sum(n) OVER (PARTITION BY round_number, vehicle) AS total FROM counted) GROUP BY round_number, vehicle
), tails AS (
    SELECT round_number, vehicle, persons FROM counted
    QUALIFY sum(n) OVER (PARTITION BY round_number, vehicle ORDER BY persons DESC)
        <= greatest(1, {RARE_SHARE} * sum(n) OVER (PARTITION BY round_number, vehicle))
), offs AS (
    SELECT round_number, vehicle, abs(ln(persons / middle)) AS off, sum(n) AS n
    FROM counted JOIN middles USING (round_number, vehicle) GROUP BY ALL
), scales AS (
    SELECT round_number, vehicle, greatest({MAD_TO_SD} * min(off) FILTER (2 * upto >= total),
        {OCCUPANCY_SCALE_FLOOR}) AS scale
    FROM (SELECT *, sum(n) OVER (PARTITION BY round_number, vehicle ORDER BY off) AS upto,
        sum(n) OVER (PARTITION BY round_number, vehicle) AS total FROM offs) GROUP BY round_number, vehicle
)
SELECT p.round_number, p.submission_id, NULL AS pcode, 'persons' AS field, p.persons::VARCHAR AS value,
    concat(p.vehicle, ': ', middle) AS hint, concat(c.label_mn, ': ', middle) AS hint_mn
FROM passage p JOIN middles USING (round_number, vehicle) JOIN scales USING (round_number, vehicle)
JOIN capacities c USING (vehicle) SEMI JOIN tails t
    ON t.round_number = p.round_number AND t.vehicle = p.vehicle AND t.persons = p.persons
WHERE p.persons > middle * exp({ROBUST_Z} * scale) AND p.persons <= capacity
"""

PASSAGE_CHECKS = (
    RoundCheck("passages_unwatched", _UNWATCHED, CHECKPOINTS),
    RoundCheck("watch_without_passages", _EMPTY_WATCH, CHECKPOINTS),
    RoundCheck("watch_hours_odd", _ODD_HOURS, CHECKPOINTS),
    RoundCheck("day_unwatched", _UNWATCHED_DAYS, CHECKPOINTS),
    RoundCheck("occupancy_outlier", _OCCUPANCY, CHECKPOINTS),
)
"""Checks on passages and hours of watch."""

"""Check that moves told from both ends agree, and that stocks follow from the last stock and the moves."""

from __future__ import annotations

from dtm._round_checks_base import RoundCheck

FLOW_PERSONS_MINIMUM = 30
"""Smaller flows between two districts are too small to disagree."""
FLOW_RATIO = 2
"""One end may tell this many times what the other tells: departures are known less well than arrivals."""
FLOW_Z = 3.5
FLOW_REPORTED_SHARE = 0.9
"""Both districts must have reported this share of their units, or the moves are just missing."""
BALANCE_SHARE = 0.05
BALANCE_PERSONS = 20
"""A unit's stock may differ from last stock plus moves by 5 %, and by 20 persons."""
WINDOW_SLACK_DAYS = 31
"""The moves must have been asked for since the last round, give or take a month."""
_CITY = "MN11"

_FLOW_DISAGREES = f"""
WITH told AS (
    SELECT m.round_number, m.direction, left(m.pcode, 6) AS here, left(m.counterpart_pcode, 6) AS there, m.persons
    FROM movement m SEMI JOIN (FROM rc_return WHERE is_used) r USING (submission_id)
    WHERE left(m.pcode, 4) = '{_CITY}' AND left(m.counterpart_pcode, 4) = '{_CITY}' AND length(m.counterpart_pcode) >= 6
        AND left(m.pcode, 6) <> left(m.counterpart_pcode, 6)
), pairs AS (
    SELECT round_number, CASE direction WHEN 'arrival' THEN there ELSE here END AS origin,
        CASE direction WHEN 'arrival' THEN here ELSE there END AS destination,
        coalesce(sum(persons) FILTER (direction = 'arrival'), 0) AS arrived,
        coalesce(sum(persons) FILTER (direction = 'departure'), 0) AS departed
    FROM told GROUP BY ALL
), whole AS (
    SELECT round_number, left(u.pcode, 6) AS district FROM rc_unit u
    LEFT JOIN (FROM rc_return WHERE is_used) r USING (round_number, pcode)
    GROUP BY ALL HAVING count(r.pcode) >= {FLOW_REPORTED_SHARE} * count(*)
)
SELECT p.round_number, NULL AS submission_id, destination AS pcode, 'arrivals' AS field,
    concat(origin, ' -> ', destination, ': ', arrived) AS value, departed::VARCHAR AS hint
FROM pairs p JOIN whole o ON o.round_number = p.round_number AND o.district = origin
JOIN whole d ON d.round_number = p.round_number AND d.district = destination
WHERE greatest(arrived, departed) >= {FLOW_PERSONS_MINIMUM}
    AND greatest(arrived, departed) > {FLOW_RATIO} * least(arrived, departed)
    AND abs(arrived - departed) > {FLOW_Z} * sqrt(arrived + departed)
"""

_BALANCE = f"""
WITH asked AS (
    SELECT m.round_number, quantile_disc(m.window_from, 0.5) AS window_from FROM movement m
    WHERE m.round_number IN (SELECT round_number FROM rc_open) GROUP BY m.round_number
), comparable AS (
    SELECT o.round_number, o.previous FROM rc_open o JOIN asked a USING (round_number)
    JOIN rc_round p ON p.round_number = o.previous
    WHERE abs(date_diff('day', p.ended_on, a.window_from)) <= {WINDOW_SLACK_DAYS}
), balance AS (
    SELECT n.round_number, n.submission_id, n.pcode, n.actual_persons AS told,
        p.actual_persons + n.arrivals - n.departures + coalesce(n.births, 0) - coalesce(n.deaths, 0) AS expected
    FROM rc_return n JOIN comparable c USING (round_number)
    JOIN rc_return p ON p.round_number = c.previous AND p.pcode = n.pcode AND p.is_used
    WHERE n.is_used AND n.actual_persons IS NOT NULL AND p.actual_persons IS NOT NULL
)
SELECT round_number, submission_id, pcode, 'actual_persons' AS field, told::VARCHAR AS value, expected::VARCHAR AS hint
FROM balance
WHERE abs(told - expected) > {BALANCE_PERSONS} AND abs(told - expected) > {BALANCE_SHARE} * greatest(told, expected)
"""

FLOW_CHECKS = (RoundCheck("flow_disagrees", _FLOW_DISAGREES), RoundCheck("balance_residual", _BALANCE))
"""Checks on moves against moves and stocks."""

"""Check how a round was collected: who is missing, when, where and by whom the returns were filled in."""

from __future__ import annotations

from dtm._round_checks_base import LOCAL_TIME_H, RoundCheck

NIGHT_H = (23, 5)
"""From this hour on and before that one, local time, nobody goes from door to door."""
ONE_POINT_M = 50
ONE_POINT_MINUTES = 30
ONE_POINT_RETURNS = 3
"""So many returns of different units within so many minutes and metres were not filled in on the spot."""
_LAT_M_PER_DEG = 111_320

_MISSING = """
SELECT u.round_number, NULL AS submission_id, u.pcode, 'kheseg' AS field, u.pcode AS value,
    u.name_en AS hint, u.name_mn AS hint_mn
FROM rc_unit u ANTI JOIN rc_return r USING (round_number, pcode)
WHERE u.round_number IN (SELECT round_number FROM rc_return)
"""

_VERSIONS = """
WITH told AS (
    SELECT round_number, submission_id, declared_pcode AS pcode, form, form_version FROM submission
    WHERE round_number IN (SELECT round_number FROM rc_open) AND form_version IS NOT NULL
        AND form <> 'checkpoint-registry'
), counted AS (SELECT round_number, form, form_version, count(*) AS n FROM told GROUP BY ALL),
usual AS (
    SELECT round_number, form, arg_max(form_version, (n, form_version)) AS usual FROM counted
    GROUP BY round_number, form HAVING count(*) > 1
)
SELECT round_number, submission_id, pcode, 'form_version' AS field, form_version AS value, usual AS hint
FROM told JOIN usual USING (round_number, form) WHERE form_version <> usual
"""

_ENUMERATORS = """
WITH first AS (
    SELECT round_number, enumerator, min(received_at) AS received_at,
        arg_min(submission_id, (received_at, submission_id)) AS submission_id,
        arg_min(declared_pcode, (received_at, submission_id)) AS pcode
    FROM submission WHERE round_number IN (SELECT round_number FROM rc_open) AND enumerator IS NOT NULL
    GROUP BY round_number, enumerator
)
"""

_UNKNOWN = f"""{_ENUMERATORS}
SELECT round_number, submission_id, pcode, 'enumerator' AS field, enumerator AS value, NULL AS hint
FROM first ANTI JOIN enumerator USING (enumerator) WHERE (SELECT count(*) FROM enumerator) > 0
"""

# The list holds the last training: one after the round says nothing about those before it.
_UNTRAINED = f"""{_ENUMERATORS}
SELECT round_number, submission_id, pcode, 'enumerator' AS field, enumerator AS value,
    coalesce(trained_on::VARCHAR, '-') AS hint
FROM first JOIN enumerator USING (enumerator) JOIN rc_open o USING (round_number)
WHERE trained_on IS NULL
    OR (trained_on > (received_at + INTERVAL {LOCAL_TIME_H} HOUR)::DATE AND trained_on <= o.ended_on)
"""

_NIGHT = f"""
WITH clock AS (SELECT *, received_at + INTERVAL {LOCAL_TIME_H} HOUR AS moment FROM rc_return)
SELECT round_number, submission_id, pcode, 'collected_at' AS field, strftime(moment, '%H:%M') AS value, NULL AS hint
FROM clock WHERE (hour(moment) >= {NIGHT_H[0]} OR hour(moment) < {NIGHT_H[1]})
    AND moment::TIME <> TIME '00:00:00' AND received_at::TIME <> TIME '00:00:00'
"""

_METRES = (
    f"sqrt(pow((a.lat - b.lat) * {_LAT_M_PER_DEG}, 2) "
    f"+ pow((a.lon - b.lon) * {_LAT_M_PER_DEG} * cos(radians(a.lat)), 2))"
)

_ONE_POINT = f"""
WITH pairs AS (
    SELECT a.round_number, a.submission_id, a.pcode, a.received_at, b.submission_id AS other, b.pcode AS other_pcode,
        date_diff('minute', a.received_at, b.received_at) AS minutes
    FROM rc_return a JOIN rc_return b ON a.round_number = b.round_number AND a.enumerator = b.enumerator
        AND (b.received_at, b.submission_id) >= (a.received_at, a.submission_id)
        AND b.received_at <= a.received_at + INTERVAL {ONE_POINT_MINUTES} MINUTE
    WHERE a.lon IS NOT NULL AND b.lon IS NOT NULL AND {_METRES} <= {ONE_POINT_M}
), clusters AS (
    SELECT round_number, submission_id, any_value(pcode) AS pcode, count(DISTINCT other_pcode) AS n,
        max(minutes) AS minutes
    FROM pairs GROUP BY round_number, submission_id HAVING n >= {ONE_POINT_RETURNS}
)
SELECT round_number, submission_id, pcode, 'lon, lat' AS field, n::VARCHAR AS value, minutes::VARCHAR AS hint
FROM clusters c WHERE NOT EXISTS (
    FROM pairs p JOIN clusters e ON e.submission_id = p.submission_id
    WHERE p.other = c.submission_id AND p.submission_id <> c.submission_id)
"""

_SAME_GPS = """
SELECT round_number, submission_id, pcode, 'lon, lat' AS field, printf('%.6f, %.6f', lon, lat) AS value,
    first_value(pcode) OVER same AS hint
FROM rc_return WHERE lon IS NOT NULL AND lat IS NOT NULL
WINDOW same AS (PARTITION BY round_number, round(lon, 6), round(lat, 6) ORDER BY received_at NULLS LAST, submission_id)
QUALIFY hint <> pcode
"""

COLLECTION_CHECKS = (
    RoundCheck("unit_missing", _MISSING),
    RoundCheck("form_version_mixed", _VERSIONS),
    RoundCheck("enumerator_unknown", _UNKNOWN),
    RoundCheck("enumerator_untrained", _UNTRAINED),
    RoundCheck("night_return", _NIGHT),
    RoundCheck("same_point", _ONE_POINT),
    RoundCheck("same_gps", _SAME_GPS),
)
"""Checks on the collection of returns."""

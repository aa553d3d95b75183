"""Check the figures of a round's returns against each other and against earlier rounds."""

from __future__ import annotations

from dtm._round_checks_base import FIGURES, RoundCheck
from enumerations._series_cells import CHANGE_SHARE, CHANGE_SHARE_EXPLAINED, FIT_GAIN, FIT_Z, ROBUST_Z
from enumerations._series_model import MAD_TO_SD
from enumerations._series_rows import (
    HEAPED_DIGITS_SHARE,
    HEAPING_FIGURES_MINIMUM,
    HEAPING_SHARE_MINIMUM,
    HEAPING_VALUE_MINIMUM,
    HEAPING_Z,
)

PERSONS_PER_HOUSEHOLD = (1.5, 9.0)
"""Outside these bounds a kheseg's mean is doubtful whatever the others say; the country's mean is 3.5."""
HOUSEHOLDS_MINIMUM = 5
"""Means of fewer households vary freely."""
UNITS_MINIMUM = 8
"""Fewer units of a round don't tell what is usual."""
STILL_PERSONS_MAXIMUM = 100
"""A smaller unit that tells no move, birth or death may stay as it was."""
FEW_UNITS_SCALE = 0.1
"""Relative scale of a change assumed where too few units tell it."""
SCALE_FLOOR = 0.02
_COMPARED = ("registered_households", "registered_persons", "actual_households", "actual_persons")

_SAME_CONTENT = """
SELECT round_number, submission_id, pcode, 'actual_persons' AS field, actual_persons::VARCHAR AS value,
    first_value(pcode) OVER same AS hint
FROM rc_return WHERE fingerprint IS NOT NULL
WINDOW same AS (PARTITION BY round_number, fingerprint, moves_hash ORDER BY received_at NULLS LAST, submission_id)
QUALIFY hint <> pcode
"""

_REPEATS_EARLIER = f"""
SELECT n.round_number, n.submission_id, n.pcode, 'actual_persons' AS field,
    any_value(n.actual_persons)::VARCHAR AS value,    max(e.round_number)::VARCHAR AS hint
FROM rc_return n JOIN rc_return e ON e.pcode = n.pcode AND e.fingerprint = n.fingerprint
    AND e.round_number < n.round_number
WHERE n.actual_persons >= {STILL_PERSONS_MAXIMUM}
    OR n.arrivals + n.departures + coalesce(n.births, 0) + coalesce(n.deaths, 0) > 0
GROUP BY n.round_number, n.submission_id, n.pcode
"""

_HOUSEHOLD_SIZE = f"""
WITH sizes AS (
    SELECT round_number, submission_id, pcode, u.field, u.persons / u.households AS size,
        ln(u.persons / u.households) AS x
    FROM rc_return, LATERAL (VALUES ('actual_households', actual_persons, actual_households),
        ('registered_households', registered_persons, registered_households)) u(field, persons, households)
    WHERE is_used AND u.households >= {HOUSEHOLDS_MINIMUM} AND u.persons > 0
), usual AS (
    SELECT round_number, field, median(x) AS middle, greatest({MAD_TO_SD} * mad(x), {SCALE_FLOOR}) AS scale,
        count(*) AS n
    FROM sizes GROUP BY round_number, field
)
SELECT round_number, submission_id, pcode, field, printf('%.1f', size) AS value, printf('%.1f', exp(middle)) AS hint
FROM sizes JOIN usual USING (round_number, field)
WHERE size < {PERSONS_PER_HOUSEHOLD[0]} OR size > {PERSONS_PER_HOUSEHOLD[1]}
    OR (n >= {UNITS_MINIMUM} AND abs(x - middle) > {ROBUST_Z} * scale AND abs(size / exp(middle) - 1) > {CHANGE_SHARE})
"""

_CHANGES = f"""
WITH changes AS (
    SELECT n.round_number, n.submission_id, n.pcode, u.field, u.old, u.new, ln((u.new + 0.5) / (u.old + 0.5)) AS x
    FROM rc_return n JOIN rc_open o USING (round_number)
    JOIN rc_return p ON p.round_number = o.previous AND p.pcode = n.pcode AND p.is_used,
    LATERAL (VALUES {", ".join(f"('{name}', p.{name}, n.{name})" for name in _COMPARED)}) u(field, old, new)
    WHERE n.is_used AND u.old IS NOT NULL AND u.new IS NOT NULL
        AND (n.fingerprint IS NULL OR n.fingerprint IS DISTINCT FROM p.fingerprint)
), usual AS (
    SELECT round_number, field, count(*) >= {UNITS_MINIMUM} AS known, median(x) AS middle, {MAD_TO_SD} * mad(x) AS scale
    FROM changes GROUP BY round_number, field
), judged AS (
    SELECT c.*, CASE WHEN known THEN middle ELSE 0 END AS middle,
        greatest(CASE WHEN known THEN scale ELSE {FEW_UNITS_SCALE} END, {SCALE_FLOOR}) AS quiet,
        greatest(quiet, 1 / sqrt(greatest(old, 1))) AS scale,
        abs(new - old) / greatest(old, 1) AS share
    FROM changes c JOIN usual USING (round_number, field)
), far AS (
    SELECT *, abs(x - middle) AS off FROM judged
    WHERE abs(x - middle) > {ROBUST_Z} * scale AND share > {CHANGE_SHARE_EXPLAINED}
), swaps AS (
    SELECT f.*, concat(substr(new::VARCHAR, 1, place - 1), substr(new::VARCHAR, place + 1, 1),
        substr(new::VARCHAR, place, 1), substr(new::VARCHAR, place + 2))::BIGINT AS meant, place
    FROM far f, LATERAL (SELECT unnest(range(1, length(f.new::VARCHAR))) AS place) places
    WHERE substr(new::VARCHAR, place, 1) <> substr(new::VARCHAR, place + 1, 1)
        AND NOT (place = 1 AND substr(new::VARCHAR, 2, 1) = '0')
), explained AS (
    SELECT *, abs(ln((meant + 0.5) / (old + 0.5)) - middle) AS left_over FROM swaps
    WHERE left_over <= {FIT_Z} * quiet AND left_over < {FIT_GAIN} * off
    QUALIFY 1 = row_number() OVER (PARTITION BY submission_id, field ORDER BY left_over, place)
)
"""

_CHANGE_OUTLIER = f"""{_CHANGES}
SELECT round_number, submission_id, pcode, field, new::VARCHAR AS value, concat(old, ' -> ', new) AS hint
FROM far ANTI JOIN explained USING (submission_id, field) WHERE share > {CHANGE_SHARE}
"""

_DIGITS_SWAPPED = f"""{_CHANGES}
SELECT round_number, submission_id, pcode, field, new::VARCHAR AS value, meant::VARCHAR AS hint FROM explained
"""

_HEAPED = f"""
WITH figures AS (
    SELECT round_number, enumerator, left(pcode, greatest(length(pcode) - 2, 2)) AS area, u.figure
    FROM rc_return, LATERAL (SELECT unnest([{", ".join(FIGURES)}]) AS figure) u
    WHERE is_used AND u.figure >= {HEAPING_VALUE_MINIMUM}
), shares AS (
    SELECT round_number, 'enumerator' AS field, enumerator AS who, NULL AS pcode, count(*) AS n,
        count(*) FILTER (figure % 5 = 0) AS heaped
    FROM figures WHERE enumerator IS NOT NULL GROUP BY round_number, enumerator
    UNION ALL
    SELECT round_number, 'khoroo', area, area, count(*), count(*) FILTER (figure % 5 = 0)
    FROM figures WHERE area IS NOT NULL GROUP BY round_number, area
)
SELECT round_number, NULL AS submission_id, pcode, field, printf('%s: %.0f%%', who, 100.0 * heaped / n) AS value,
    printf('%.0f%%', 100 * {HEAPED_DIGITS_SHARE}) AS hint
FROM shares
WHERE n >= {HEAPING_FIGURES_MINIMUM} AND heaped > {HEAPING_SHARE_MINIMUM} * n
    AND (heaped - {HEAPED_DIGITS_SHARE} * n)
        > {HEAPING_Z} * sqrt(n * {HEAPED_DIGITS_SHARE} * (1 - {HEAPED_DIGITS_SHARE}))
"""

FIGURE_CHECKS = (
    RoundCheck("same_content", _SAME_CONTENT),
    RoundCheck("repeats_earlier_round", _REPEATS_EARLIER),
    RoundCheck("household_size_outlier", _HOUSEHOLD_SIZE),
    RoundCheck("change_outlier", _CHANGE_OUTLIER),
    RoundCheck("digits_swapped", _DIGITS_SWAPPED),
    RoundCheck("heaped_numbers", _HEAPED),
)
"""Checks on the figures of kheseg returns."""

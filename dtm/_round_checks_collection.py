"""Check how a round was collected: who is missing, when, where and by whom the returns were filled in."""

from __future__ import annotations

from dtm._round_checks_base import RoundCheck

_MISSING = """
SELECT u.round_number, NULL AS submission_id, u.pcode, 'kheseg' AS field, u.pcode AS value, u.name AS hint
FROM rc_unit u ANTI JOIN rc_return r USING (round_number, pcode)
WHERE u.round_number IN (SELECT round_number FROM rc_return)
"""

COLLECTION_CHECKS = (RoundCheck("unit_missing", _MISSING),)
"""Checks on the collection of kheseg returns."""

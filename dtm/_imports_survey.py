"""Bring households of a sample into the warehouse; of one that refuses, nothing but the refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._imports_returns import check_returns, settle_and_place, store_returns
from dtm._imports_rounds import plan_return_round

if TYPE_CHECKING:
    from dtm._imports_job import TableJob

_ANSWERS = ["household_persons", "dwelling", "registered", "move_distance", "reason", "intended_duration"]
_STORED = f"""SELECT s.instance_id, s.round_number, s.declared_pcode AS unit,
    s.received_at + INTERVAL 8 HOUR AS collected_at, h.consent, {", ".join(f"h.{name}" for name in _ANSWERS)}
    FROM submission s SEMI JOIN repeated USING (instance_id) JOIN survey_household h USING (submission_id)
    WHERE s.form = 'household-survey'"""
CONTENT = ["round_number", "unit", "collected_at", "consent", *_ANSWERS]


def import_households(job: TableJob) -> None:
    """Check, locate and store the households that were asked."""
    round_sql, rules = plan_return_round(job.connection, job.staged, job.rounds)
    check_returns(job, round_sql, rules)
    _forget_refusals(job)
    settle_and_place(job, content=CONTENT, stored_sql=_STORED)
    gone = ("gps_lon", "gps_lat", "accuracy_m")
    place = store_returns(job, replacing=", ".join(f"CASE WHEN consent THEN {name} END AS {name}" for name in gone))
    job.run(
        f"INSERT INTO survey_household SELECT {job.first_submission_id}::BIGINT + record, round_number, told_pcode, "
        f"consent, {', '.join(_ANSWERS)} FROM {place}"
    )


def _forget_refusals(job: TableJob) -> None:
    """Drop what came with a refusal before anything is compared or stored; its point only serves to place it."""
    refusals = f"(SELECT record FROM {job.checked} WHERE consent = false)"
    if not job.number(f"SELECT count(*) FROM {refusals}"):
        return
    job.run(f"UPDATE {job.checked} SET {', '.join(f'{name} = NULL' for name in _ANSWERS)} WHERE consent = false")
    job.run(f"UPDATE {job.checked}_found SET value = NULL WHERE record IN {refusals} AND field = 'lon, lat'")

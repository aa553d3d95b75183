"""Bring reports of dzud, floods, fires and other events into the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._imports_baseline import insert_answers
from dtm._imports_returns import check_returns, settle_and_place, store_returns
from dtm._imports_rounds import plan_passage_round
from dtm.errors import UnknownRoundError
from dtm.messages import message

if TYPE_CHECKING:
    from dtm._imports_job import TableJob

_TOLD = [
    "event_kind", "happened_on", "ended_on", "affected_households", "affected_persons", "dwellings_destroyed",
    "dwellings_damaged", "livestock_lost", "had_moves",
]  # fmt: skip
CONTENT = ["round_number", "unit", "collected_at", *_TOLD, "gps_lon", "gps_lat"]
_STORED = f"""SELECT s.instance_id, s.round_number, s.declared_pcode AS unit,
    s.received_at + INTERVAL 8 HOUR AS collected_at, {", ".join(f"e.{name}" for name in _TOLD)},
    s.lon AS gps_lon, s.lat AS gps_lat
    FROM submission s SEMI JOIN repeated USING (instance_id) JOIN event e USING (submission_id)
    WHERE s.form = 'event-report'"""


def import_events(job: TableJob) -> None:
    """Check, locate and store event reports; one outside every round belongs to none and is placed by the last."""
    if job.rounds.latest is None:
        raise UnknownRoundError(message("events_without_round", file=job.staged.file_name))
    round_sql, rules = plan_passage_round(job.rounds, moment="collected_at")
    check_returns(job, round_sql, rules)
    settle_and_place(job, content=CONTENT, stored_sql=_STORED)
    place = store_returns(job)
    columns = ["pcode", *_TOLD]
    job.run(
        f"INSERT INTO event (submission_id, round_number, {', '.join(columns)}) "
        f"SELECT {job.first_submission_id}::BIGINT + record, round_number, told_pcode, {', '.join(_TOLD)} FROM {place}"
    )
    insert_answers(job, place, [job.staged.header.table.by_name["services_lacking"]])

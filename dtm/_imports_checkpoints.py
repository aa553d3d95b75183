"""Bring checkpoint passages and hours of watch into the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._imports_codes import code_lookups
from dtm._imports_places import resolve_places
from dtm._imports_rounds import day_round_sql, plan_passage_round
from dtm._imports_submissions import insert_submissions, locate_records, settle_repeats
from enumerations.checks import GPS_USABLE, CheckPlan, check_staged
from enumerations.columns import PASSAGE_GROUPS
from enumerations.lookups import build_lookup

if TYPE_CHECKING:
    from dtm._imports_job import TableJob

LEVEL_DISTRICT = 2
_STORED = ["checkpoint", "direction", "passed_at", "vehicle", "persons", *PASSAGE_GROUPS]


def import_passages(job: TableJob) -> None:
    """Check, locate and store passages; a point outside the round's areas is noted, not warned of.

    Checkpoints stand at the city's border, so their points may lie on either side of it.
    """
    lookups = code_lookups(job)
    resolve = resolve_places(job.connection, finest=LEVEL_DISTRICT)
    for name in ("origin", "destination"):
        source = job.staged.source(name)
        if source:
            lookups[name] = build_lookup(job.connection, job.staged, name, source, resolve)
    round_sql, rules = plan_passage_round(job.rounds)
    extra = {
        "round_number": round_sql,
        "gps_lon": f"CASE WHEN {GPS_USABLE} THEN lon END",
        "gps_lat": f"CASE WHEN {GPS_USABLE} THEN lat END",
    }
    job.error_mask = check_staged(job.connection, job.staged, CheckPlan(lookups, extra, rules), into=job.checked)
    job.open_fates()
    content = ["round_number", *_STORED, "origin", "destination", "stay", "purpose", "gps_lon", "gps_lat"]
    kept = ", ".join(f"p.{name}" for name in _STORED)
    settle_repeats(
        job,
        content=content,
        stored_sql=f"SELECT s.instance_id, s.round_number, {kept}, origin_pcode AS origin, "
        "destination_pcode AS destination, stay, purpose, s.lon AS gps_lon, s.lat AS gps_lat "
        "FROM submission s SEMI JOIN repeated USING (instance_id) JOIN passage p USING (submission_id)",
    )
    job.set_aside()
    locate_records(job, by_round=False)
    place = f"""(SELECT k.*, NULL AS declared_pcode, p.pcode AS gps_pcode, p.pcode AS located_pcode,
        CASE WHEN p.pcode IS NOT NULL THEN 'gps' WHEN gps_lon IS NULL THEN 'none' ELSE 'gps_outside' END AS located_by
        FROM {job.kept} k LEFT JOIN {job.checked}_point p ON p.key = k.record)"""
    insert_submissions(job, received_sql="passed_at - INTERVAL 8 HOUR", place_sql=place)
    job.append(
        f"INSERT INTO passage SELECT {job.first_submission_id}::BIGINT + record, round_number, {', '.join(_STORED)}, "
        f"origin, destination, stay, purpose FROM {job.kept}"
    )


def import_watch(job: TableJob) -> None:
    """Check and store the hours that checkpoints were observed; one figure for each checkpoint and day.

    A day belongs to the round whose collection it falls in, whatever round is named: so it does in a release.
    """
    plan = CheckPlan(code_lookups(job), {"round_number": day_round_sql(job.rounds)})
    job.error_mask = check_staged(job.connection, job.staged, plan, into=job.checked)
    job.open_fates()
    earlier = f"""SELECT k.record, k.hours_observed = e.hours_observed AS same, 'hours_observed' AS field,
        concat(k.checkpoint, ' ', k.day) AS value, NULL AS hint FROM {job.kept} k JOIN (
            SELECT -1 AS record, checkpoint, day, hours_observed FROM watch
            UNION ALL SELECT min(record), checkpoint, day, arg_min(hours_observed, record) FROM {job.kept} GROUP BY ALL
        ) e ON e.checkpoint = k.checkpoint AND e.day = k.day AND k.record > e.record"""
    earlier = earlier.replace("GROUP BY ALL", "GROUP BY checkpoint, day")
    job.run(f"CREATE OR REPLACE TEMP TABLE repeated AS {earlier}")
    job.find(
        "content_changed",
        "SELECT record, any_value(field) AS field, any_value(value) AS value, NULL AS hint FROM repeated "
        "GROUP BY record HAVING NOT bool_and(same)",
    )
    job.set_duplicate("SELECT record FROM repeated GROUP BY record HAVING bool_and(same)")
    job.run("DROP TABLE repeated")
    closed = ", ".join(str(one.number) for one in job.rounds.all if not one.is_open) or "NULL"
    job.find(
        "round_closed",
        f"SELECT record, 'day' AS field, round_number AS value, NULL AS hint FROM {job.kept} "
        f"WHERE round_number IN ({closed})",
    )
    job.run(
        f"INSERT INTO watch SELECT checkpoint, day, hours_observed, ?, ?, record FROM {job.kept}",
        [job.import_id, job.sheet],
    )

"""Bring kheseg baseline returns, their arrivals and departures into the warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._imports_places import UNIT_FIELDS, check_units, resolve_places, resolve_units, unit_key_sql
from dtm._imports_rounds import plan_return_round
from dtm._imports_submissions import insert_submissions, locate_records, settle_repeats
from enumerations.checks import GPS_USABLE, CheckPlan, check_staged
from enumerations.columns import AGE_BANDS
from enumerations.lookups import Lookup, build_lookup, resolve_codes

if TYPE_CHECKING:
    from dtm._imports_job import TableJob

LEVEL_KHOROO = 3
DWELLINGS = ("ger", "house", "apartment", "other")
_SEX_AGE = ["male_persons", "female_persons", *(f"age_{band}_persons" for band in AGE_BANDS)]
_GPS = {
    "gps_lon": f"CASE WHEN {GPS_USABLE} THEN lon END",
    "gps_lat": f"CASE WHEN {GPS_USABLE} THEN lat END",
}
_COUNTS = [
    "registered_households", "registered_persons", "actual_households", "actual_persons", *_SEX_AGE,
    "registered_absent_persons", "unregistered_persons", *(f"{kind}_households" for kind in DWELLINGS),
    "births_persons", "deaths_persons",
]  # fmt: skip
CONTENT = ["round_number", "unit", "collected_at", *_COUNTS, "number_source", "confidence", "gps_lon", "gps_lat"]


def code_lookups(job: TableJob) -> dict[str, Lookup]:
    """Make the lookups of every code column the file has."""
    lookups = {}
    for column in job.staged.header.table.columns:
        source = job.staged.source(column.name)
        if source and column.kind in {"code", "yesno"}:
            resolve = resolve_codes(column.codelist or "yesno")
            lookups[column.name] = build_lookup(job.connection, job.staged, column.name, source, resolve)
    return lookups


def import_baseline(job: TableJob) -> None:
    """Check, locate and store baseline returns: submissions, stocks, births and deaths."""
    round_sql, rules = plan_return_round(job.connection, job.staged, job.rounds)
    lookups = code_lookups(job)
    if any(job.staged.source(name) for name in UNIT_FIELDS):
        key = unit_key_sql(job.staged.source)
        lookups["unit"] = build_lookup(job.connection, job.staged, "unit", key, resolve_units)
    plan = CheckPlan(lookups, {"round_number": round_sql, **_GPS}, rules)
    job.error_mask = check_staged(job.connection, job.staged, plan, into=job.checked)
    job.open_fates()
    check_units(job)
    settle_repeats(job, content=CONTENT, stored_sql=_stored())
    locate_records(job, by_round=True)
    _place(job)
    _settle_units(job)
    place = f"{job.kept} JOIN {job.checked}_place USING (record)"
    insert_submissions(job, received_sql="collected_at - INTERVAL 8 HOUR", place_sql=place)
    _insert_stocks(job, place)


def _stored() -> str:
    """Return SQL that puts stored stocks back into one row for each repeated return."""
    wide = {
        "registered_households": ("registered", "households"),
        "registered_persons": ("registered", "persons"),
        "actual_households": ("actual", "households"),
        "actual_persons": ("actual", "persons"),
        **{name: ("actual", name) for name in _SEX_AGE},
        "registered_absent_persons": ("registered_absent", "persons"),
        "unregistered_persons": ("unregistered", "persons"),
    }
    columns = [
        f"max(k.{column}) FILTER (category = '{category}' AND dwelling IS NULL) AS {name}"
        for name, (category, column) in wide.items()
    ]
    columns += [f"max(k.households) FILTER (dwelling = '{kind}') AS {kind}_households" for kind in DWELLINGS]
    return f"""SELECT s.instance_id, s.round_number, s.declared_pcode AS unit,
        s.received_at + INTERVAL 8 HOUR AS collected_at, {", ".join(columns)},
        any_value(v.births_persons) AS births_persons, any_value(v.deaths_persons) AS deaths_persons,
        any_value(k.number_source) AS number_source, any_value(k.confidence) AS confidence,
        s.lon AS gps_lon, s.lat AS gps_lat
        FROM submission s SEMI JOIN repeated USING (instance_id) JOIN stock k USING (submission_id)
        LEFT JOIN vital v USING (submission_id) WHERE s.form = 'kheseg-baseline'
        GROUP BY s.submission_id, s.instance_id, s.round_number, s.declared_pcode, s.received_at, s.lon, s.lat"""


def _place(job: TableJob) -> None:
    """Decide where each return belongs: the declared unit wins, the GPS point verifies it."""
    job.run(
        f"""CREATE OR REPLACE TEMP TABLE {job.checked}_place AS
        SELECT record, k.unit AS declared_pcode, p.pcode AS gps_pcode, coalesce(u.area_pcode, p.pcode) AS located_pcode,
            coalesce(k.unit, p.pcode) AS told_pcode, CASE
                WHEN u.area_pcode IS NULL THEN CASE WHEN p.pcode IS NULL THEN 'none' ELSE 'gps' END
                WHEN k.gps_lon IS NULL THEN 'declared'
                WHEN p.pcode IS NULL THEN 'gps_outside'
                WHEN p.pcode = u.area_pcode THEN 'gps' ELSE 'gps_conflict' END AS located_by
        FROM {job.kept} k LEFT JOIN {job.checked}_unit u USING (round_number, unit)
        LEFT JOIN {job.checked}_point p ON p.key = k.record"""
    )
    where = f"FROM {job.checked}_place WHERE located_by"
    job.find("no_area", f"SELECT record, 'unit' AS field, NULL AS value, NULL AS hint {where} = 'none'")
    for code in ("gps_conflict", "gps_outside"):
        job.find(
            code,
            f"SELECT record, 'lon, lat' AS field, declared_pcode AS value, gps_pcode AS hint {where} = '{code}'",
        )


def _settle_units(job: TableJob) -> None:
    """Keep one return of each unit and round: the stored one, else the one collected first."""
    here = f"SELECT record, round_number, told_pcode, collected_at, instance_id FROM {job.kept} JOIN {job.checked}_place USING (record)"  # noqa: E501
    job.find(
        "unit_twice",
        f"""SELECT record, 'unit' AS field, told_pcode AS value, NULL AS hint FROM (
            SELECT h.record, h.told_pcode, e.pcode IS NOT NULL AS stored, row_number() OVER (
                PARTITION BY h.round_number, h.told_pcode ORDER BY collected_at, instance_id, record) AS rank
            FROM ({here}) h LEFT JOIN (
                SELECT DISTINCT k.pcode, k.round_number FROM stock k JOIN submission s USING (submission_id)
                WHERE s.form = 'kheseg-baseline') e
            ON e.pcode = h.told_pcode AND e.round_number = h.round_number
        ) WHERE stored OR rank > 1""",
    )


def _insert_stocks(job: TableJob, place: str) -> None:
    none = "NULL"
    kinds: list[tuple[str, str, str, list[str], str, str]] = [
        ("registered", "registered_households", "registered_persons", [none] * 7, none, "true"),
        ("actual", "actual_households", "actual_persons", _SEX_AGE, none, "true"),
        ("registered_absent", none, "registered_absent_persons", [none] * 7, none,
         "registered_absent_persons IS NOT NULL"),
        ("unregistered", none, "unregistered_persons", [none] * 7, none, "unregistered_persons IS NOT NULL"),
        *(("actual", f"{kind}_households", none, [none] * 7, f"'{kind}'", f"{kind}_households IS NOT NULL")
          for kind in DWELLINGS),
    ]  # fmt: skip
    for category, households, persons, groups, dwelling, where in kinds:
        job.run(
            f"""INSERT INTO stock SELECT {job.first_submission_id}::BIGINT + record, ?, round_number, told_pcode,
            (length(told_pcode) - 2) // 2, '{category}', {households}, {persons}, {", ".join(groups)}, {dwelling},
            NULL, NULL, number_source, confidence::INTEGER, r.assessment_type, collected_at::DATE
            FROM {place} LEFT JOIN (SELECT number, assessment_type FROM round WHERE operation = ?) r
            ON r.number = round_number WHERE {where}""",
            [job.operation, job.operation],
        )
    job.run(
        f"INSERT INTO vital SELECT {job.first_submission_id}::BIGINT + record, round_number, told_pcode, "
        f"births_persons, deaths_persons FROM {place} WHERE births_persons IS NOT NULL OR deaths_persons IS NOT NULL"
    )
    job.run(
        f"INSERT INTO parent_window SELECT instance_id, window_from, window_to FROM {place} "
        "WHERE window_from IS NOT NULL OR window_to IS NOT NULL"
    )


def start_parents(job_run: TableJob) -> None:
    """Make the temporary tables in which baseline returns leave what their repeats need."""
    job_run.run("CREATE OR REPLACE TEMP TABLE parent_window (instance_id VARCHAR, window_from DATE, window_to DATE)")
    job_run.run("CREATE OR REPLACE TEMP TABLE parent_refused (instance_id VARCHAR)")


def note_refused(job: TableJob) -> None:
    """Remember which baseline returns were set aside."""
    job.run(
        f"INSERT INTO parent_refused SELECT DISTINCT instance_id FROM {job.checked} "
        f"SEMI JOIN (SELECT record FROM {job.checked}_fate WHERE fate = 'quarantined') USING (record) "
        "WHERE instance_id IS NOT NULL"
    )


def import_moves(job: TableJob) -> None:
    """Check and store arrivals or departures beside the baseline returns they belong to."""
    place = "origin" if job.table_name == "arrivals" else "destination"
    lookups = code_lookups(job)
    source = job.staged.source(place)
    if source is None:
        raise AssertionError(place)  # the header was recognised by it
    resolve = resolve_places(job.connection, finest=LEVEL_KHOROO)
    lookups[place] = build_lookup(job.connection, job.staged, place, source, resolve)
    parents = f"{job.checked}_parent"
    job.run(
        f"""CREATE OR REPLACE TEMP TABLE {parents} AS
        SELECT s.instance_id, s.submission_id, s.round_number, any_value(k.pcode) AS pcode,
            coalesce(any_value(r.status), 'draft') AS status, any_value(w.window_from) AS window_from,
            any_value(w.window_to) AS window_to
        FROM submission s JOIN stock k USING (submission_id)
        LEFT JOIN round r ON r.number = s.round_number AND r.operation = k.operation
        LEFT JOIN parent_window w ON w.instance_id = s.instance_id
        WHERE s.form = 'kheseg-baseline' GROUP BY s.instance_id, s.submission_id, s.round_number"""
    )
    plan = CheckPlan(lookups, {"round_number": "NULL::INTEGER"})
    job.error_mask = check_staged(job.connection, job.staged, plan, into=job.checked)
    job.run(
        f"UPDATE {job.checked} SET round_number = p.round_number FROM {parents} p "
        f"WHERE p.instance_id = {job.checked}.instance_id"
    )
    job.open_fates()
    _check_parents(job, parents)
    direction = "arrival" if place == "origin" else "departure"
    moves = f"""SELECT k.record, k.instance_id, p.submission_id, p.round_number, p.pcode, '{direction}' AS direction,
        {place} AS counterpart_pcode, p.window_from, p.window_to, households, persons, {", ".join(_SEX_AGE)}, reason,
        registered, intended_duration FROM {job.kept} k JOIN {parents} p USING (instance_id)"""
    _settle_moves(job, moves, direction)
    job.run(
        f"INSERT INTO movement BY NAME SELECT * EXCLUDE (record, instance_id), ? AS import_id, ? AS sheet, "
        f"record AS row_number FROM ({moves}) ORDER BY record",
        [job.import_id, job.sheet],
    )


def _check_parents(job: TableJob, parents: str) -> None:
    told = "SELECT record, 'instance_id' AS field, instance_id AS value, NULL AS hint"
    orphans = f"FROM {job.kept} ANTI JOIN {parents} USING (instance_id)"
    job.find("parent_quarantined", f"{told} {orphans} SEMI JOIN parent_refused USING (instance_id)")
    job.find("parent_missing", f"{told} {orphans}")
    job.find(
        "round_closed",
        f"SELECT k.record, 'instance_id' AS field, p.round_number AS value, NULL AS hint FROM {job.kept} k "
        f"JOIN {parents} p USING (instance_id) WHERE p.status IN ('signed_off', 'released')",
    )


def _settle_moves(job: TableJob, moves: str, direction: str) -> None:
    """Tell moves that are stored already; other moves of the same return are set aside unless all stored ones recur."""
    content = (
        f"hash(counterpart_pcode, households, persons, {', '.join(_SEX_AGE)}, reason, registered, intended_duration)"
    )
    stored = f"SELECT submission_id, {content} AS content, count(*) AS times FROM movement WHERE direction = '{direction}' GROUP BY ALL"  # noqa: E501
    if not job.number(f"SELECT count(*) FROM (SELECT 1 FROM movement WHERE direction = '{direction}' LIMIT 1)"):
        return
    job.run(
        f"""CREATE OR REPLACE TEMP TABLE repeated AS
        WITH stored AS ({stored}), told AS (
            SELECT record, instance_id, submission_id, {content} AS content,
                row_number() OVER (PARTITION BY submission_id, content ORDER BY record) AS nth FROM ({moves})
        ), matched AS (
            SELECT t.*, coalesce(s.times >= t.nth, false) AS is_stored
            FROM told t LEFT JOIN stored s USING (submission_id, content)
        ), whole AS (SELECT submission_id, sum(times) AS times FROM stored GROUP BY submission_id)
        SELECT record, instance_id, is_stored,
            count(*) FILTER (is_stored) OVER (PARTITION BY submission_id) < w.times AS is_changed
        FROM matched JOIN whole w USING (submission_id)"""
    )
    job.set_duplicate("SELECT record FROM repeated WHERE is_stored")
    job.find(
        "content_changed",
        "SELECT record, 'instance_id' AS field, instance_id AS value, NULL AS hint FROM repeated "
        "WHERE is_changed AND NOT is_stored",
    )
    job.run("DROP TABLE repeated")

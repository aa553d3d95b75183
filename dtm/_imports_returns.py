"""Check, place and store returns that a unit sends: the part that baseline, survey and event reports share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._imports_codes import code_lookups
from dtm._imports_places import UNIT_FIELDS, check_units, resolve_units, unit_key_sql
from dtm._imports_submissions import insert_submissions, locate_records, settle_repeats
from enumerations.checks import GPS_USABLE, CheckPlan, check_staged
from enumerations.lookups import build_lookup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtm._imports_job import TableJob
    from enumerations.checks import Rule

GPS = {
    "gps_lon": f"CASE WHEN {GPS_USABLE} THEN lon END",
    "gps_lat": f"CASE WHEN {GPS_USABLE} THEN lat END",
}
RECEIVED = "collected_at - INTERVAL 8 HOUR"
"""The moment of a return in UTC."""

_UTM = "'EPSG:4326', 'EPSG:32648', always_xy := true"
_NEAR_UTM_48N = "k.gps_lon BETWEEN 80 AND 130 AND k.gps_lat BETWEEN 20 AND 75"
_DISTANCE_M = f"""CASE WHEN {_NEAR_UTM_48N}
    THEN ST_Distance(ST_Transform(a.geometry, {_UTM}), ST_Transform(ST_Point(k.gps_lon, k.gps_lat), {_UTM}))
    ELSE ST_Distance_Spheroid(ST_Point(a.lat, a.lon)::POINT_2D, ST_Point(k.gps_lat, k.gps_lon)::POINT_2D) END"""
_IN_WORDS = (
    "CASE WHEN distance_m < 1000 THEN concat(round(distance_m)::BIGINT, ' m') "
    "WHEN distance_m < 100000 THEN printf('%.1f km', distance_m / 1000) "
    "ELSE concat(round(distance_m / 1000)::BIGINT, ' km') END"
)


def check_returns(
    job: TableJob, round_sql: str, rules: tuple[Rule, ...], *, extra: dict[str, str] | None = None
) -> None:
    """Check the records of a form that name a unit; leave out those that can't be used."""
    lookups = code_lookups(job)
    if any(job.staged.source(name) for name in UNIT_FIELDS):
        key = unit_key_sql(job.staged.source)
        lookups["unit"] = build_lookup(job.connection, job.staged, "unit", key, resolve_units)
    latest = job.rounds.latest.number if job.rounds.latest else "NULL"
    columns = {
        "round_number": round_sql,
        "place_round": f"coalesce(({round_sql}), {latest})::INTEGER",
        **GPS,
        **(extra or {}),
    }
    job.error_mask = check_staged(job.connection, job.staged, CheckPlan(lookups, columns, rules), into=job.checked)
    job.pcode_sql = "c.unit"
    job.open_fates()
    check_units(job)


def settle_and_place(job: TableJob, *, content: Sequence[str], stored_sql: str) -> None:
    """Tell returns that are there already, and decide where each belongs."""
    settle_repeats(job, content=content, stored_sql=stored_sql)
    locate_records(job, by_round=True)
    _place(job)


def store_returns(job: TableJob, *, replacing: str = "") -> str:
    """Add one submission for each accepted return; return the relation of these returns and their places.

    `replacing` is the inside of a REPLACE clause over the columns that are stored.
    """
    place = f"{job.checked}_stored"
    columns = f"* REPLACE ({replacing})" if replacing else "*"
    job.run(
        f"CREATE OR REPLACE TEMP TABLE {place} AS SELECT {columns} "
        f"FROM {job.kept} JOIN {job.checked}_place USING (record) ORDER BY record"
    )
    insert_submissions(job, received_sql=RECEIVED, place_sql=place)
    return place


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
        FROM {job.kept} k LEFT JOIN {job.checked}_unit u USING (place_round, unit)
        LEFT JOIN {job.checked}_point p ON p.key = k.record"""
    )
    job.find(
        "no_area",
        f"SELECT record, 'unit' AS field, NULL AS value, NULL AS hint FROM {job.checked}_place "
        "WHERE located_by = 'none'",
    )
    _tell_distances(job)


def _tell_distances(job: TableJob) -> None:
    """Note points that lie outside the declared area, and how far."""
    doubtful = f"FROM {job.checked}_place WHERE located_by IN ('gps_conflict', 'gps_outside')"
    if not job.number(f"SELECT count(*) {doubtful}"):
        return
    far = f"{job.checked}_far"
    job.run(
        f"""CREATE OR REPLACE TEMP TABLE {far} AS
        SELECT record, located_by, declared_pcode, gps_pcode, {_IN_WORDS} AS distance FROM (
            SELECT p.record, p.located_by, p.declared_pcode, p.gps_pcode, {_DISTANCE_M} AS distance_m
            FROM (SELECT * {doubtful}) p JOIN {job.checked} k USING (record)
            LEFT JOIN round r ON r.number = k.place_round AND r.operation = ?
            LEFT JOIN area a ON a.area_set = r.area_set AND a.version = r.area_set_version
                AND a.pcode = p.located_pcode)""",
        [job.operation],
    )
    for code, hint in (
        ("gps_conflict", "concat(gps_pcode, ', ', coalesce(distance, '?'))"),
        ("gps_outside", "coalesce(distance, '?')"),
    ):
        job.find(
            code,
            f"SELECT record, 'lon, lat' AS field, declared_pcode AS value, {hint} AS hint FROM {far} "
            f"WHERE located_by = '{code}'",
        )
    job.run(f"DROP TABLE {far}")

"""Locate records by their GPS point and tell new records from those that were imported before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm import locate
from dtm._imports_replace import replace_returns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtm._imports_job import TableJob


def locate_records(job: TableJob, *, by_round: bool) -> None:
    """Make `_point` (key, pcode): the area of the round's set that holds each accepted record's GPS point.

    With `by_round` false every record is located in the latest round's set.
    """
    point = f"{job.checked}_point"
    job.run(f"CREATE OR REPLACE TEMP TABLE {point} (key BIGINT, pcode VARCHAR)")
    usable = f"SELECT record AS key, gps_lon AS lon, gps_lat AS lat FROM {job.kept} WHERE gps_lon IS NOT NULL"
    if not job.number(f"SELECT count(*) FROM (SELECT 1 FROM {job.checked} WHERE gps_lon IS NOT NULL LIMIT 1)"):
        return
    sets: dict[tuple[str, int], list[int]] = {}
    used = [one for one in job.rounds.all if by_round] or ([job.rounds.latest] if job.rounds.latest else [])
    for one in used:
        sets.setdefault((one.area_set, one.version), []).append(one.number)
    for number, ((area_set, version), rounds) in enumerate(sets.items()):
        alone = len(sets) == 1
        where = "" if alone else f" AND place_round IN ({', '.join(map(str, rounds))})"
        into = point if alone else f"{point}_{number}"
        locate.locate_points(job.connection, usable + where, area_set=area_set, version=version, into=into)
        if not alone:
            job.run(f"INSERT INTO {point} SELECT key, pcode FROM {into}")
            job.run(f"DROP TABLE {into}")


def settle_repeats(job: TableJob, *, content: Sequence[str], stored_sql: str) -> None:
    """Tell records with an instance id that is there already, in the file or the warehouse.

    The same content again is a duplicate; other content is set aside. `content` are columns of the checked table,
    `stored_sql` is a query of instance_id and the same columns for stored returns of the form; it is only read for
    the instance ids in question, given as the temporary table `repeated`.
    """
    _settle_in_file(job, content)
    if not job.number("SELECT count(*) FROM (SELECT 1 FROM submission WHERE form = ? LIMIT 1)", [job.form]):
        return
    told = job.kept
    if job.replaces:  # a version that is set aside takes the place of the stored one too, if no other one came
        told = (
            f"(SELECT * FROM {job.checked} WHERE record NOT IN (SELECT record FROM {job.checked}_fate) "
            f"OR (record NOT IN (SELECT record FROM {job.checked}_fate WHERE fate = 'duplicate') AND instance_id "
            f"NOT IN (SELECT instance_id FROM {job.kept} WHERE instance_id IS NOT NULL)))"
        )
    job.run(
        f"CREATE OR REPLACE TEMP TABLE repeated AS SELECT DISTINCT s.instance_id FROM submission s "
        f"SEMI JOIN {told} k USING (instance_id) WHERE s.form = ?",
        [job.form],
    )
    if job.number("SELECT count(*) FROM repeated"):
        _settle_stored(job, told, content, stored_sql)
    job.run("DROP TABLE repeated")


def _settle_stored(job: TableJob, told: str, content: Sequence[str], stored_sql: str) -> None:
    """Settle the records of `told` whose instance ids, in `repeated`, are stored."""
    columns = ", ".join(content)
    same = " AND ".join(f"k.{name} IS NOT DISTINCT FROM s.{name}" for name in content)
    job.run(f"CREATE OR REPLACE TEMP TABLE stored_before AS SELECT instance_id, {columns} FROM ({stored_sql})")
    recurring = f"SELECT DISTINCT k.record FROM {{}} k JOIN stored_before s ON k.instance_id = s.instance_id AND {same}"
    if job.replaces:
        rejected = f"SELECT record FROM {job.checked}_found WHERE code = 'return_rejected'"
        replace_returns(
            job,
            f"SELECT record, instance_id FROM {told} SEMI JOIN repeated USING (instance_id) "
            f"WHERE record IN ({rejected}) OR record NOT IN ({recurring.format(told)})",
        )
        job.run(
            "DELETE FROM repeated WHERE instance_id NOT IN (SELECT instance_id FROM submission WHERE form = ?)",
            [job.form],
        )
    job.set_duplicate(recurring.format(job.kept))
    job.find(
        "content_changed",
        f"SELECT record, 'instance_id' AS field, instance_id AS value, NULL AS hint FROM {job.kept} k "
        "SEMI JOIN repeated USING (instance_id)",
    )
    job.run("DROP TABLE stored_before")


def _settle_in_file(job: TableJob, content: Sequence[str]) -> None:
    job.run(
        f"CREATE OR REPLACE TEMP TABLE repeated AS SELECT instance_id, min(record) AS record FROM {job.kept} "
        "GROUP BY instance_id HAVING count(*) > 1"
    )
    if not job.number("SELECT count(*) FROM repeated"):
        return
    columns = ", ".join(f"c.{name}" for name in content)
    same = " AND ".join(f"k.{name} IS NOT DISTINCT FROM f.{name}" for name in content)
    job.run(
        f"CREATE OR REPLACE TEMP TABLE twins AS SELECT c.record, c.instance_id, {columns} FROM {job.checked} c "
        f"SEMI JOIN (SELECT record FROM {job.kept} SEMI JOIN repeated USING (instance_id)) USING (record)"
    )
    job.set_duplicate(
        f"SELECT k.record FROM twins k JOIN (SELECT * FROM twins SEMI JOIN repeated USING (record)) f "
        f"ON k.instance_id = f.instance_id AND k.record > f.record AND {same}"
    )
    job.find(
        "duplicate_instance",
        "SELECT k.record, 'instance_id' AS field, k.instance_id AS value, NULL AS hint FROM twins k "
        f"JOIN repeated r ON k.instance_id = r.instance_id AND k.record > r.record "
        f"ANTI JOIN {job.checked}_fate d ON d.record = k.record",
    )
    job.run("DROP TABLE twins")


def insert_submissions(job: TableJob, *, received_sql: str, place_sql: str) -> None:
    """Add one submission for each accepted record.

    `received_sql` is the moment in UTC over the checked columns; `place_sql` is a relation of record, declared_pcode,
    gps_pcode, located_pcode and located_by for every accepted record.
    """
    job.append(
        f"""INSERT INTO submission SELECT
               {job.first_submission_id}::BIGINT + record, ?, instance_id, ?, form_version, round_number,
               {received_sql}, enumerator, ?, record, declared_pcode, gps_lon, gps_lat, accuracy_m, review_state,
               gps_pcode, located_pcode, located_by
        FROM {place_sql}""",
        [job.import_id, job.form, job.sheet],
    )

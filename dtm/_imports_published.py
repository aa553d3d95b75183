"""Bring IOM's published DTM figures into the warehouse as stocks of displaced people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._imports_submissions import insert_submissions, settle_repeats
from enumerations.checks import CheckPlan, check_staged
from enumerations.lookups import Resolved, build_lookup

if TYPE_CHECKING:
    from dtm._imports_job import TableJob

NOT_AVAILABLE = "Not available"
_WORDS = {
    "conflict": "conflict",
    "natural disaster": "natural_disaster",
    "insecurity": "insecurity",
    "other reason": "other",
    "other": "other",
    "no reason for displacement reported": "none_reported",
}
_KEY = (
    "operation", "admin0Pcode", "admin1Pcode", "admin2Pcode", "adminLevel", "roundNumber", "reportingDate", "reason",
    "idpOriginAdmin1Pcode", "assessmentType",
)  # fmt: skip


def normalise_reasons(raws: list[str]) -> list[Resolved]:
    """Return each spelling's reasons as codes in alphabetical order, joined by ';'; unknown words as 'other'."""
    resolved = []
    for raw in raws:
        words = [part.strip().casefold() for part in raw.split(";") if part.strip()]
        codes = sorted({_WORDS.get(word, "other") for word in words})
        resolved.append(Resolved(";".join(codes) or None))
    return resolved


def import_published(job: TableJob) -> None:
    """Check and store published stocks; the rounds are the file's own and no area set is needed."""
    source = job.staged.source("displacementReason")
    if source:
        build_lookup(job.connection, job.staged, "reason", source, normalise_reasons)
    extra = {
        "round_number": "roundNumber::INTEGER",
        "gps_lon": "NULL::DOUBLE",
        "gps_lat": "NULL::DOUBLE",
    }
    job.error_mask = check_staged(job.connection, job.staged, CheckPlan({}, extra), into=job.checked)
    _name_records(job, f"{job.staged.relation}_reason" if source else None)
    job.open_fates()
    stored = """SELECT s.instance_id, k.persons AS numPresentIdpInd, k.male_persons AS numberMales,
        k.female_persons AS numberFemales
        FROM submission s SEMI JOIN repeated USING (instance_id) JOIN stock k USING (submission_id)"""
    settle_repeats(job, content=["numPresentIdpInd", "numberMales", "numberFemales"], stored_sql=stored)
    place = f"""(SELECT *, NULL AS form_version, NULL AS enumerator, pcode AS declared_pcode, NULL AS accuracy_m,
        NULL AS review_state, NULL AS gps_pcode, NULL AS located_pcode, 'declared' AS located_by FROM {job.kept})"""
    insert_submissions(job, received_sql="reportingDate::TIMESTAMP", place_sql=place)
    origin = f"nullif(idpOriginAdmin1Pcode, '{NOT_AVAILABLE}')"
    nothing = ", ".join(["NULL"] * 5)
    job.run(
        f"""INSERT INTO stock SELECT {job.first_submission_id}::BIGINT + record, operation, round_number, pcode,
        adminLevel::INTEGER, 'displaced', NULL, numPresentIdpInd, numberMales, numberFemales, {nothing}, NULL, reason,
        {origin}, NULL, NULL, assessmentType, reportingDate FROM {job.kept}"""
    )


def _name_records(job: TableJob, reasons: str | None) -> None:
    """Add reason, pcode and instance_id: the published key, because the published id is empty or shared."""
    key = ", ".join(f"coalesce({name}::VARCHAR, '')" for name in _KEY)
    reason = "r.code" if reasons else "NULL::VARCHAR"
    join = f"LEFT JOIN {reasons} r ON trim(r.raw) = c.displacementReason" if reasons else ""
    job.run(
        f"""CREATE OR REPLACE TEMP TABLE {job.checked} AS SELECT *, md5(concat_ws('|', {key})) AS instance_id,
        CASE adminLevel WHEN 0 THEN admin0Pcode WHEN 1 THEN admin1Pcode ELSE admin2Pcode END AS pcode
        FROM (SELECT c.*, {reason} AS reason FROM {job.checked} c {join})"""
    )

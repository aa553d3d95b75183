"""Bring repeats into the warehouse: moves, members of a household and moves after an event, each with its return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dtm._imports_baseline import SEX_AGE
from dtm._imports_codes import code_lookups
from dtm._imports_places import LEVEL_KHOROO, resolve_places
from dtm._imports_replace import replace_rows
from enumerations.checks import CheckPlan, check_staged
from enumerations.columns import FORMS
from enumerations.lookups import build_lookup

if TYPE_CHECKING:
    from dtm._imports_job import TableJob


@dataclass(frozen=True)
class Repeat:
    """How a repeat of a form becomes rows of a table.

    `parent` is a query of submission_id, pcode, is_refused (null for not) and the columns of `taken` for stored
    returns; `places` are the places of the form by the column that keeps them; `refused` is the finding of rows whose
    return says that there are none.
    """

    table: str
    parent: str
    refused: str
    places: dict[str, str]
    kept: tuple[str, ...]
    taken: tuple[str, ...] = ("pcode",)
    fixed: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> str:
        """Return the columns that tell one row of a return from another."""
        return ", ".join([*self.places.values(), *self.kept])

    @property
    def where(self) -> str:
        """Return SQL that is true for the table's rows of this repeat."""
        return " AND ".join(f"{name} = {value}" for name, value in self.fixed.items()) or "true"


def _moves(direction: str, place: str) -> Repeat:
    return Repeat(
        table="movement",
        parent=f"""SELECT k.submission_id, any_value(k.pcode) AS pcode, any_value(w.window_from) AS window_from,
            any_value(w.window_to) AS window_to, bool_or(NOT q.had_moves) AS is_refused
            FROM stock k LEFT JOIN move_window w USING (submission_id)
            LEFT JOIN move_question q ON q.submission_id = k.submission_id AND q.direction = '{direction}'
            GROUP BY k.submission_id""",
        refused="moves_not_expected",
        places={place: "counterpart_pcode"},
        kept=("households", "persons", *SEX_AGE, "reason", "registered", "intended_duration"),
        taken=("pcode", "window_from", "window_to"),
        fixed={"direction": f"'{direction}'"},
    )


REPEATS: dict[str, Repeat] = {
    "arrivals": _moves("arrival", "origin"),
    "departures": _moves("departure", "destination"),
    "members": Repeat(
        table="survey_person",
        parent="SELECT submission_id, pcode, NOT consent AS is_refused FROM survey_household",
        refused="no_consent",
        places={
            "residence_1y": "residence_1y_pcode",
            "residence_5y": "residence_5y_pcode",
            "birthplace": "birth_pcode",
        },
        kept=("sex", "age_years", "registered", "reason"),
    ),
    "event_moves": Repeat(
        table="event_move",
        parent="SELECT submission_id, pcode, event_kind, NOT had_moves AS is_refused FROM event",
        refused="moves_not_expected",
        places={"moved_from": "origin_pcode", "moved_to": "destination_pcode"},
        kept=("households", "persons", *SEX_AGE, "shelter"),
        taken=("pcode", "event_kind"),
    ),
}


def import_repeats(job: TableJob) -> None:
    """Check and store the rows of a repeat beside the returns they belong to."""
    repeat = REPEATS[job.table_name]
    lookups = code_lookups(job)
    resolve = resolve_places(job.connection, finest=LEVEL_KHOROO)
    for name in repeat.places:
        source = job.staged.source(name)
        if source:
            lookups[name] = build_lookup(job.connection, job.staged, name, source, resolve)
    parents = _find_parents(job, repeat)
    extra = {"round_number": "NULL::INTEGER", "pcode": "NULL::VARCHAR"}
    job.error_mask = check_staged(job.connection, job.staged, CheckPlan(lookups, extra), into=job.checked)
    job.pcode_sql = "c.pcode"
    job.run(
        f"UPDATE {job.checked} SET round_number = p.round_number, pcode = p.pcode FROM {parents} p "
        f"WHERE p.instance_id = {job.checked}.instance_id"
    )
    job.open_fates()
    _check_parents(job, parents, repeat)
    columns = {**repeat.places, **{name: name for name in repeat.kept}}
    told = ", ".join(f"k.{name} AS {stored}" for name, stored in columns.items())
    rows = f"""SELECT k.record, k.instance_id, p.submission_id, p.round_number,
        {", ".join(f"p.{name}" for name in repeat.taken)}, {told}
        FROM (SELECT * EXCLUDE (round_number, pcode) FROM {job.kept}) k JOIN {parents} p USING (instance_id)"""
    _settle(job, repeat, rows)
    fixed = "".join(f", {value} AS {name}" for name, value in repeat.fixed.items())
    job.run(
        f"INSERT INTO {repeat.table} BY NAME SELECT * EXCLUDE (record, instance_id){fixed}, ? AS import_id, "
        f"? AS sheet, record AS row_number FROM ({rows}) ORDER BY record",
        [job.import_id, job.sheet],
    )


def _find_parents(job: TableJob, repeat: Repeat) -> str:
    """Make the table of stored returns of the form that rows can belong to."""
    parents = f"{job.checked}_parent"
    taken = ", ".join(f"p.{name}" for name in repeat.taken)
    job.run(
        f"""CREATE OR REPLACE TEMP TABLE {parents} AS
        SELECT s.instance_id, s.submission_id, s.round_number, coalesce(r.status, 'draft') AS status,
            coalesce(p.is_refused, false) AS is_refused, {taken}
        FROM submission s JOIN ({repeat.parent}) p USING (submission_id)
        LEFT JOIN round r ON r.number = s.round_number AND r.operation = ? WHERE s.form = ?""",
        [job.operation, job.form],
    )
    return parents


def _check_parents(job: TableJob, parents: str, repeat: Repeat) -> None:
    told = "SELECT k.record, 'instance_id' AS field, k.instance_id AS value, NULL AS hint"
    orphans = f"FROM {job.kept} k ANTI JOIN {parents} USING (instance_id)"
    out = f"""SELECT q.instance_id FROM quarantine q JOIN finding f USING (import_id, sheet, row_number)
        WHERE q.table_name = '{FORMS[job.form][0].name}' AND f.code IN ('return_rejected', 'withdrawn_on_server')"""
    rejected = f"{orphans} SEMI JOIN ({out}) USING (instance_id)"
    told_to = f"{job.checked}_rejected"
    job.run(f"CREATE OR REPLACE TEMP TABLE {told_to} AS {told} {rejected}")
    job.find("parent_rejected", f"SELECT * FROM {told_to}")
    job.set_quarantined(f"SELECT record FROM {told_to}")
    job.run(f"DROP TABLE {told_to}")
    aside = f"SELECT instance_id FROM quarantine WHERE table_name = '{FORMS[job.form][0].name}'"
    job.find("parent_quarantined", f"{told} {orphans} SEMI JOIN ({aside}) USING (instance_id)")
    job.find("parent_missing", f"{told} {orphans}")
    joined = f"FROM {job.kept} k JOIN {parents} p USING (instance_id)"
    job.find(
        "round_closed",
        f"SELECT k.record, 'instance_id' AS field, p.round_number AS value, NULL AS hint {joined} "
        "WHERE p.status IN ('signed_off', 'released')",
    )
    job.find(repeat.refused, f"{told} {joined} WHERE p.is_refused")


def _settle(job: TableJob, repeat: Repeat, rows: str) -> None:
    """Tell rows that are stored already; other rows of the same return are set aside unless all stored ones recur."""
    if not job.number(f"SELECT count(*) FROM (SELECT 1 FROM {repeat.table} WHERE {repeat.where} LIMIT 1)"):
        return
    if job.replaces:
        replace_rows(job, repeat, rows)
    content = f"hash({repeat.content})"
    stored = f"SELECT submission_id, {content} AS content, count(*) AS times FROM {repeat.table} WHERE {repeat.where} GROUP BY ALL"  # noqa: E501
    job.run(
        f"""CREATE OR REPLACE TEMP TABLE repeated AS
        WITH stored AS ({stored}), told AS (
            SELECT record, instance_id, submission_id, {content} AS content,
                row_number() OVER (PARTITION BY submission_id, content ORDER BY record) AS nth FROM ({rows})
        ), matched AS (
            SELECT t.*, coalesce(s.times >= t.nth, false) AS is_stored
            FROM told t LEFT JOIN stored s USING (submission_id, content)
        ), whole AS (SELECT submission_id, sum(times) AS times FROM stored GROUP BY submission_id)
        SELECT record, instance_id, submission_id, is_stored,
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

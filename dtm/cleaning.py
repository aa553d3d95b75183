"""Correct returns by a log of edits laid over what was sent; every edit can be taken back, and raw never changes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dtm._cleaning_derive import Sources, choose, derive
from dtm._cleaning_edits import EMPTY, CheckedEdit, Edit, EditChecker
from dtm._cleaning_files import read_edits, write_template
from dtm._imports_canonical import accepted_sql
from dtm._imports_job import REJECTED
from dtm._imports_replace import RETURN_FIELD
from dtm.engine import transaction
from dtm.errors import WrongUseError
from dtm.messages import Message, joined, message
from dtm.records import RecordName
from enumerations.findings import make_finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtm.engine import Connection
    from dtm.workspace import Workspace

__all__ = [
    "EMPTY", "CleaningReport", "Edit", "apply_edits", "list_edits", "read_edits", "undo_edits", "write_template",
]  # fmt: skip

_CELL_CODES = (
    "missing_value", "not_a_number", "fraction", "negative", "out_of_range", "not_a_date", "unknown_code",
    "unknown_place", "unknown_area",
)  # fmt: skip
"""Errors of one cell: a new value must not have any."""


@dataclass
class CleaningReport:
    """What became of some edits; `refused` when any finding stood in the way and nothing was changed."""

    edits: int = 0
    unchanged: int = 0
    records: int = 0
    accepted: int = 0
    quarantined: int = 0
    refused: bool = False
    is_dry_run: bool = False
    edit_ids: list[int] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values.

        `accepted` and `quarantined` say how many more records than before are accepted and stand in quarantine.
        """
        return dict(vars(self))


class _StopError(Exception):
    """Roll back: refused, or a trial."""


def apply_edits(
    connection: Connection,
    workspace: Workspace,
    edits: Sequence[Edit],
    *,
    file_name: str = "cleaning log",
    is_dry_run: bool = False,
) -> CleaningReport:
    """Write edits to the cleaning log and derive the records they touch anew: all of the edits, or none.

    An edit is refused where its record, its column or its old value isn't there, its reason or author is missing, its
    round is closed, or its new value would set a record aside that is counted, unless it rejects that return. Edits
    of a record in quarantine may leave other errors standing. An edit that changes nothing is left out.

    Returns
    -------
    CleaningReport
        With a finding for each edit that stands in the way; then nothing was changed.

    Raises
    ------
    BadInputError
        The raw file of an edited record is not in the inbox.
    """
    report = CleaningReport(is_dry_run=is_dry_run)
    sources = Sources(connection, workspace)
    try:
        checker = EditChecker(connection, sources, operation=workspace.settings.operation, file_name=file_name)
        checked = checker.check(edits)
        report.unchanged = len(edits) - len(checked)
        _write(connection, workspace, sources, checker, checked, report)
    finally:
        sources.close()
    return report


def undo_edits(
    connection: Connection, workspace: Workspace, edit_ids: Sequence[int], *, who: str, reason: str
) -> CleaningReport:
    """Take edits back: each by an edit of its own that puts the old value in place again.

    Raises
    ------
    WrongUseError
        The reason or the name is empty.
    """
    if not who.strip() or not reason.strip():
        raise WrongUseError("Say who takes the edits back, and why (--who, --reason).")
    report = CleaningReport()
    sources = Sources(connection, workspace)
    try:
        checker = EditChecker(
            connection, sources, operation=workspace.settings.operation, file_name="cleaning log", is_exact=True
        )
        undone = _undone(connection, checker, sorted(set(edit_ids), reverse=True), who=who, reason=reason)
        checked = checker.check([one for _, one in undone])
        if len(checked) == len(undone):
            pairs = zip(undone, checked, strict=True)
            checked = [CheckedEdit(**{**vars(one), "undoes": edit_id}) for (edit_id, _), one in pairs]
        _write(connection, workspace, sources, checker, checked, report)
    finally:
        sources.close()
    return report


def _undone(
    connection: Connection, checker: EditChecker, edit_ids: list[int], *, who: str, reason: str
) -> list[tuple[int, Edit]]:
    """Return the inverse of each edit, the newest first; note those that can't be taken back."""
    undone = []
    for edit_id in edit_ids:
        row = connection.execute(
            "SELECT import_id, sheet, row_number, field, old, new FROM cleaning_log g WHERE edit_id = ? AND field <> ? "
            "AND NOT EXISTS (SELECT 1 FROM cleaning_log u WHERE u.undoes = g.edit_id)",
            [edit_id, RETURN_FIELD],
        ).fetchone()
        if row is None:
            made = make_finding(
                "edit_unknown_undo", subject="cleaning", file_name="cleaning log", field="edit", value=str(edit_id)
            )
            checker.findings.append({**vars(made), "record": None})
            continue
        import_id, sheet, number, name, old, new = row
        record = str(RecordName(int(import_id), sheet, int(number)))
        undone.append((edit_id, Edit(record, name, new, old, reason, who)))
    return undone


def _write(
    connection: Connection,
    workspace: Workspace,
    sources: Sources,
    checker: EditChecker,
    checked: list[CheckedEdit],
    report: CleaningReport,
) -> None:
    """Write the log and derive; stop, so that all is rolled back, where anything stands in the way."""
    report.findings = checker.findings
    report.refused = bool(report.findings)
    if report.refused or not checked:
        return
    edited = {(one.record.import_id, one.record.sheet, one.record.row_number) for one in checked}
    instances = {one.new for one in checked if one.field == "instance_id" and one.new}
    tables = {one.table for one in checked}
    chosen = choose(connection, workspace, sources, tables=tables, edited=edited, instances=instances)
    with suppress(_StopError), transaction(connection):
        ids = _log(connection, checked)
        derive(connection, workspace, chosen)
        if not checker.is_exact:  # what is taken back may have been what was wrong
            _find_losses(connection, checker, checked)
        report.refused = bool(report.findings)
        if report.refused:
            raise _StopError
        _waive_rejections(connection, checked)
        report.edits, report.records = len(checked), len(edited)
        report.accepted, report.quarantined = _changes(connection)
        if report.is_dry_run:
            raise _StopError
        report.edit_ids = ids


def _log(connection: Connection, checked: list[CheckedEdit]) -> list[int]:
    row = connection.execute("SELECT coalesce(max(edit_id), 0) FROM cleaning_log").fetchone()
    first = (int(row[0]) if row else 0) + 1
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [
        [
            edit_id, *vars(one.record).values(), one.instance_id, one.field, one.old, one.new, one.reason, one.who, now,
            one.undoes, one.fingerprint,
        ]
        for edit_id, one in enumerate(checked, first)
    ]  # fmt: skip
    connection.executemany(
        "INSERT INTO cleaning_log (edit_id, import_id, sheet, row_number, instance_id, field, old, new, reason, who, "
        "edited_at, undoes, fingerprint) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    return [int(row[0]) for row in rows]


def _is_rejection(one: CheckedEdit) -> bool:
    return one.field == "review_state" and (one.new or "").casefold() in REJECTED


def _find_losses(connection: Connection, checker: EditChecker, checked: list[CheckedEdit]) -> None:
    """Refuse edits by which a record is counted no more, or which put an unusable value in place of another."""
    rejected = {one.record for one in checked if _is_rejection(one)}
    lost = connection.execute(
        f"""SELECT b.import_id, b.sheet, b.row_number, any_value(f.code), any_value(f.field), min(f.message_en),
            arg_min(f.message_mn, f.message_en)
        FROM again_before b ANTI JOIN ({accepted_sql()}) a USING (import_id, sheet, row_number)
        LEFT JOIN finding f ON f.import_id = b.import_id AND f.sheet = b.sheet AND f.row_number = b.row_number
            AND (f.severity = 'error' OR f.code = 'parent_rejected') AND f.stage = 'import'
        WHERE b.is_accepted GROUP BY ALL HAVING NOT coalesce(bool_or(f.code = 'parent_rejected'), false)
        ORDER BY ALL"""
    ).fetchall()
    own_records = {one.record for one in checked}
    for import_id, sheet, number, code, column, said, said_mn in lost:
        name = RecordName(int(import_id), sheet, int(number))
        if name in rejected or (code == "parent_quarantined" and name not in own_records):
            continue  # what became of the return tells it
        own = _cause(checked, name, code, column)
        checker.refuse(
            own,
            "edit_new_unusable",
            field=own.field,
            value=own.new or message("cell_empty"),
            hint=joined([str(name), Message(said, said_mn) if said else message("stored_already")], ": "),
        )
    unusable = {
        (RecordName(int(row[0]), row[1], int(row[2])), row[3]): (row[4], row[5])
        for row in connection.execute(
            "SELECT import_id, sheet, row_number, field, message_en, message_mn FROM finding SEMI JOIN again_before "
            f"USING (import_id, sheet, row_number) WHERE code IN {_CELL_CODES}"
        ).fetchall()
    }
    told = {finding["record"] for finding in checker.findings}
    for one in checked:
        if (one.record, one.field) in unusable and str(one.record) not in told:
            hint = joined([str(one.record), Message(*unusable[one.record, one.field])], ": ")
            value = one.new or message("cell_empty")
            checker.refuse(one, "edit_new_unusable", field=one.field, value=value, hint=hint)


def _cause(checked: list[CheckedEdit], name: RecordName, code: str | None, column: str | None) -> CheckedEdit:
    """Return the edit by which a record was most probably lost: its own, or one that took its unit or identifier."""
    own = [one for one in checked if one.record == name]
    same = [one for one in checked if one.field == column]
    listed = [*same, *own] if code in ("unit_twice", "duplicate_instance", "content_changed") else [*own, *same]
    return [*listed, *checked][0]


def _waive_rejections(connection: Connection, checked: list[CheckedEdit]) -> None:
    """Let the finding of a rejected return stand: who rejected it has said why."""
    now = datetime.now(UTC).replace(tzinfo=None)
    for one in checked:
        if _is_rejection(one):
            connection.execute(
                "INSERT INTO waiver (finding_id, round_number, reason, who, waived_at) "
                "SELECT finding_id, coalesce(f.round_number, i.named_round, i.round_number), ?, ?, ? "
                "FROM finding f JOIN import i USING (import_id) WHERE f.code = 'return_rejected' AND f.import_id = ? "
                "AND f.sheet = ? AND f.row_number = ? "
                "AND coalesce(f.round_number, i.named_round, i.round_number) IS NOT NULL",
                [one.reason, one.who, now, *vars(one.record).values()],
            )


def _changes(connection: Connection) -> tuple[int, int]:
    """Return how many more records are accepted, and stand in quarantine, than before."""
    row = connection.execute(
        f"""SELECT count(a.import_id) - count(*) FILTER (b.is_accepted),
            count(q.import_id) - count(*) FILTER (b.is_aside)
        FROM again_before b LEFT JOIN ({accepted_sql()}) a USING (import_id, sheet, row_number)
        LEFT JOIN (SELECT DISTINCT import_id, sheet, row_number FROM quarantine) q
            USING (import_id, sheet, row_number)"""
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def list_edits(connection: Connection, *, round_number: int | None = None) -> list[dict[str, Any]]:
    """Return the cleaning log, oldest first; of one round, the edits of its records."""
    cursor = connection.execute(
        f"""SELECT g.edit_id, concat(g.import_id, ':', g.sheet, ':', g.row_number) AS record, i.file_name,
            g.instance_id, g.field, g.old, g.new, g.reason, g.who, g.edited_at, g.undoes,
            (SELECT u.edit_id FROM cleaning_log u WHERE u.undoes = g.edit_id) AS undone_by
        FROM cleaning_log g JOIN import i USING (import_id)
        WHERE $number IS NULL OR coalesce(
            (SELECT max(a.round_number) FROM ({accepted_sql()}) a WHERE a.import_id = g.import_id
                AND a.sheet = g.sheet AND a.row_number = g.row_number),
            (SELECT max(f.round_number) FROM finding f WHERE f.import_id = g.import_id AND f.sheet = g.sheet
                AND f.row_number = g.row_number),
            i.named_round, i.round_number) = $number
        ORDER BY g.edit_id""",
        {"number": round_number},
    )
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

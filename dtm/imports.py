"""Import returns: stage, check, locate and store all files of one call in one transaction, or nothing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dtm._imports_edits import lay_over, recurring_edits, sheet_of
from dtm._imports_job import TableJob, TableReport
from dtm._imports_replace import withdraw
from dtm._imports_rounds import Rounds, read_rounds
from dtm._imports_run import ORDER, first_submission_id, note_asked, note_missing_moves, run_table
from dtm.engine import EngineError, transaction
from dtm.errors import DiskFullError
from dtm.messages import message
from dtm.round_checks import refresh_round_findings
from dtm.warehouse import file_sha256, inbox_copy, keep_in_inbox
from enumerations.returns import StagedTable, stage_returns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Mapping as MappingOf
    from pathlib import Path
    from typing import Literal

    from dtm.engine import Connection
    from dtm.workspace import Workspace
    from enumerations.mapping import Mapping

    Progress = Callable[[str, float], None]

__all__ = ["FileReport", "ImportReport", "TableReport", "import_returns"]

REFUSED_FINDINGS_MAXIMUM = 1000
"""Findings that the report of a refused import carries; the counts by code are always whole."""


@dataclass
class FileReport:
    """What became of one file."""

    file_name: str
    form: str
    tables: list[TableReport] = field(default_factory=list)
    rows_read: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    findings: dict[str, int] = field(default_factory=dict)
    is_known_file: bool = False

    def add(self, table: TableReport) -> None:
        """Add the counts of one table."""
        self.tables.append(table)
        self.rows_read += table.rows_read
        self.accepted += table.accepted
        self.quarantined += table.quarantined
        self.duplicate += table.duplicate
        for code, count in table.findings.items():
            self.findings[code] = self.findings.get(code, 0) + count

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain values."""
        return {**vars(self), "tables": [table.to_dict() for table in self.tables]}


@dataclass
class ImportReport:
    """What became of all files of one call; `refused` when `strict` found anything and nothing was stored.

    `withdrawn` counts the stored returns that the server took back.
    """

    files: list[FileReport] = field(default_factory=list)
    withdrawn: int = 0
    refused: bool = False
    refused_findings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def has_findings(self) -> bool:
        """Say whether anything was found."""
        return any(file.findings for file in self.files)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return {
            "refused": self.refused,
            "withdrawn": self.withdrawn,
            "files": [file.to_dict() for file in self.files],
            "refused_findings": self.refused_findings,
        }


@dataclass
class _File:
    path: Path
    sha256: str
    staged: list[StagedTable]
    report: FileReport
    import_id: int = 0
    copies: list[FileReport] = field(default_factory=list)


@dataclass(frozen=True)
class _Call:
    """What was asked for with all files of one call."""

    form: str | None
    is_demonstration: bool
    mapping: Mapping | None
    source: str
    replace: bool


class _RefusedError(Exception):
    """Roll back because `strict` found something."""


def import_returns(  # noqa: PLR0913  every option is one of the command's or of a pull's
    connection: Connection,
    workspace: Workspace,
    paths: Sequence[Path],
    *,
    form: str | None = None,
    round_number: int | None = None,
    strict: bool = False,
    is_demonstration: bool = False,
    mapping: Mapping | None = None,
    source: Literal["file", "kobo", "odk"] = "file",
    replace: bool = False,
    withdrawn: MappingOf[str, str] | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import files of returns into the warehouse.

    Parameters
    ----------
    connection
        The warehouse.
    workspace
        Its folder; the bytes of every file are kept in `inbox/`.
    paths
        Files in any order: CSV (also .gz), XLSX or Kobo's data JSON.
    form
        The form of all files; told by their headers when not given.
    round_number
        The round of all records; told by their column `round` when not given.
    strict
        Store nothing if there is any finding, warnings too.
    is_demonstration
        Mark the imports as generated.
    mapping
        How the columns of all files are read; its text is kept with the imports.
    source
        Where the files are from.
    replace
        Let a return that was stored before give way to the one that is sent now, if their contents differ. Without it
        the new one is set aside (`content_changed`).
    withdrawn
        Instance ids of returns that the server has deleted or rejected, and why: they are taken out.
    progress
        Called with what is being done and the share done, 0 to 1.

    Raises
    ------
    EnumerationsError
        A file can't be read, or its header fits no table; nothing was changed.
    UnknownRoundError, WrongUseError
        The round was never opened, or is closed; nothing was changed.
    DiskFullError
        The disk filled up; nothing was changed.
    """
    report = ImportReport()
    tell = progress or (lambda _words, _share: None)
    call = _Call(form, is_demonstration, mapping, source, replace)
    files = _stage(connection, paths, call, report, tell)
    kept: list[Path] = []
    operation = workspace.settings.operation
    try:
        with transaction(connection):
            rounds = read_rounds(
                connection, operation=operation, number=round_number, is_known=not files and not withdrawn
            )
            if withdrawn:
                report.withdrawn = withdraw(connection, withdrawn, form=form, operation=operation, source=source)
            _store(connection, operation, files, rounds, call=call, tell=tell)
            if files or report.withdrawn:
                note_asked(connection)
                note_missing_moves(connection, rounds)
                _count_missing_moves(connection, files)
                refresh_round_findings(connection, operation=operation)
            if strict:
                _refuse_findings(connection, report, files)
            for file in files:
                _keep(workspace, file, kept)
    except _RefusedError:
        report.refused = True
    except BaseException:
        if not _is_stored(connection, files):  # a stop during the commit is felt after it
            for path in kept:
                path.unlink(missing_ok=True)
        raise
    finally:
        _clear(connection)
    tell("done", 1.0)
    return report


def _is_stored(connection: Connection, files: list[_File]) -> bool:
    """Say whether the commit went through; an engine that can't answer stored nothing."""
    with suppress(EngineError):
        known = [file.sha256 for file in files]
        row = connection.execute("SELECT count(*) FROM import WHERE list_contains(?, file_sha256)", [known]).fetchone()
        return bool(row and row[0])
    return False


def _refuse_findings(connection: Connection, report: ImportReport, files: list[_File]) -> None:
    """Stop the import if anything was found; the report keeps the findings that the rollback takes away."""
    if not report.has_findings:
        return
    columns = ("file_name", "sheet", "row_number", "field", "code", "severity", "value", "message_en", "message_mn")
    rows = connection.execute(
        f"SELECT {', '.join(columns)} FROM finding WHERE import_id >= ? ORDER BY ALL LIMIT {REFUSED_FINDINGS_MAXIMUM}",
        [min(file.import_id for file in files)],
    ).fetchall()
    report.refused_findings = [dict(zip(columns, row, strict=True)) for row in rows]
    raise _RefusedError


def _keep(workspace: Workspace, file: _File, kept: list[Path]) -> None:
    """Copy a file's bytes to the inbox; `kept` gets the copy if it is new, so that a rollback can remove it."""
    copy = inbox_copy(workspace, file.sha256, file.path.name)
    if not copy.exists():
        kept.append(copy)
    keep_in_inbox(workspace, file.path, file.sha256)


def _known_file(connection: Connection, sha256: str, name: str) -> FileReport | None:
    row = connection.execute(
        "SELECT form, rows_read FROM import WHERE file_sha256 = ? ORDER BY import_id LIMIT 1", [sha256]
    ).fetchone()
    if row is None:
        return None
    return FileReport(name, row[0], rows_read=row[1], duplicate=row[1], is_known_file=True)


def _stage(
    connection: Connection, paths: Sequence[Path], call: _Call, report: ImportReport, tell: Progress
) -> list[_File]:
    """Read every new file into temporary tables; one that can't be read stops the call before anything is changed."""
    files: list[_File] = []
    try:
        for number, path in enumerate(paths):
            tell(f"reading {path.name}", 0.4 * number / len(paths))
            sha256 = file_sha256(path) if path.is_file() else ""
            twin = next((file for file in files if file.sha256 == sha256), None)
            known = _known_file(connection, sha256, path.name)
            if known is not None:
                report.files.append(known)
                continue
            if twin is not None:
                twin.copies.append(FileReport(path.name, twin.report.form, is_known_file=True))
                report.files.append(twin.copies[-1])
                continue
            staged = stage_returns(connection, path, f"staged_{number}", form=call.form, mapping=call.mapping)
            file = _File(path, sha256, staged, FileReport(path.name, staged[0].header.table.form))
            files.append(file)
            report.files.append(file.report)
    except (EngineError, OSError) as error:
        _clear(connection)
        if "no space left" in str(error).lower():
            raise DiskFullError(message("disk_full", error=error)) from error
        raise
    except BaseException:
        _clear(connection)
        raise
    return files


def _store(
    connection: Connection, operation: str, files: list[_File], rounds: Rounds, *, call: _Call, tell: Progress
) -> None:
    last = connection.execute("SELECT coalesce(max(import_id), 0) FROM import").fetchone()
    first_import_id = (int(last[0]) if last else 0) + 1
    for import_id, file in enumerate(files, first_import_id):
        file.import_id = import_id
    work = sorted(
        ((file, position) for file in files for position in range(len(file.staged))),
        key=lambda pair: ORDER.index(pair[0].staged[pair[1]].header.table.name),
    )
    for number, (file, position) in enumerate(work):
        staged = file.staged[position]
        tell(f"checking {staged.file_name} {staged.header.table.name}", 0.4 + 0.5 * number / len(work))
        edits = recurring_edits(connection, staged, before=first_import_id)
        job = TableJob(
            connection,
            lay_over(connection, staged, edits),
            rounds,
            operation,
            file.import_id,
            first_submission_id(connection, import_id=file.import_id, sheet=sheet_of(staged), position=position),
            f"checked_{number}",
            first_import_id=first_import_id,
            replaces=call.source if call.replace else None,
        )
        file.report.add(run_table(job))
    for file in files:
        _write_import(connection, file, rounds, call=call)
        for copy in file.copies:
            copy.rows_read = copy.duplicate = file.report.rows_read


def _count_missing_moves(connection: Connection, files: list[_File]) -> None:
    """Add the warnings of returns without their moves to the reports; they are known when all files are stored."""
    for file in files:
        row = connection.execute(
            "SELECT count(*) FROM finding WHERE code = 'moves_missing' AND import_id = ?", [file.import_id]
        ).fetchone()
        if row and row[0]:
            file.report.findings["moves_missing"] = int(row[0])


def _write_import(connection: Connection, file: _File, rounds: Rounds, *, call: _Call) -> None:
    report = file.report
    told = connection.execute(
        "SELECT min(round_number), max(round_number) FROM submission WHERE import_id = ?", [file.import_id]
    ).fetchone()
    number = rounds.fixed.number if rounds.fixed else told[0] if told and told[0] == told[1] else None
    connection.execute(
        "INSERT INTO import VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            file.import_id, file.path.name, file.sha256, report.form, number, datetime.now(UTC).replace(tzinfo=None),
            report.rows_read, report.accepted, report.quarantined, report.duplicate, call.is_demonstration,
            call.source, call.form, rounds.fixed.number if rounds.fixed else None,
            call.mapping.text if call.mapping else None,
        ],
    )  # fmt: skip


def _clear(connection: Connection) -> None:
    """Drop every temporary relation of the import."""
    for kind, source in (("VIEW", "duckdb_views()"), ("TABLE", "duckdb_tables()")):
        names = connection.execute(
            f"SELECT {kind.lower()}_name FROM {source} WHERE temporary AND regexp_matches({kind.lower()}_name, "
            "'^(staged_|checked_|(repeated|stored_before|returns_seen|retired|gone|told|edited_before|taken_out)$)')"
        ).fetchall()
        for (name,) in names:
            connection.execute(f"DROP {kind} IF EXISTS {name}")

"""Pull returns from a server: download them, import them like a file, and take out what the server has withdrawn."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dtm._finding_ids import FINDING_ID_SQL
from dtm._imports_rounds import read_rounds
from dtm.engine import transaction
from dtm.errors import DtmError
from dtm.imports import ImportReport, import_returns
from dtm.warehouse import file_sha256, open_warehouse
from enumerations.downloads import Download, PageStore, Trouble, download
from enumerations.findings import make_finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dtm.engine import Connection
    from dtm.workspace import Workspace
    from enumerations.downloads import Server
    from enumerations.mapping import Mapping

    Progress = Callable[[str, float], None]

_DOWNLOAD_SHARE = 0.6
_FINDING_COLUMNS = (
    "round_number", "subject", "code", "severity", "file_name", "sheet", "row_number", "field", "value", "message_en",
    "finding_id", "stage", "pcode", "message_mn",
)  # fmt: skip
_STORED = """
    SELECT import_id, instance_id FROM submission
    UNION ALL SELECT q.import_id, q.instance_id FROM quarantine q WHERE NOT EXISTS (
        SELECT 1 FROM cleaning_log g WHERE g.import_id = q.import_id AND g.sheet IS NOT DISTINCT FROM q.sheet
        AND g.row_number = q.row_number AND g.field = '(return)')
"""
"""Returns that are there, or set aside and neither replaced nor withdrawn since."""


class PullBusyError(DtmError, OSError):
    """Say that another pull into the same workspace is running."""


@dataclass
class PullReport:
    """What became of one pull.

    Attributes
    ----------
    returns
        Returns received.
    repeated, refetched, dropped
        Returns that came more than once, that were asked for again because they changed meanwhile, and that were
        deleted meanwhile.
    withdrawn
        Stored returns that were taken out because the server has them no longer.
    is_resumed
        Whether pages of an earlier pull that broke were used.
    findings
        All that was found, by the download and by the checks of the import.
    imported
        What the import says.
    """

    source: str
    address: str
    form: str
    started_at: datetime
    finished_at: datetime | None = None
    newest_at: datetime | None = None
    returns: int = 0
    repeated: int = 0
    refetched: int = 0
    dropped: int = 0
    withdrawn: int = 0
    is_resumed: bool = False
    pull_id: int | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)
    imported: ImportReport = field(default_factory=ImportReport)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values: the one of the import, and `pull` beside it."""
        document = self.imported.to_dict()
        document.pop("refused_findings")
        pull = {key: value for key, value in vars(self).items() if key not in {"findings", "imported"}}
        return {**document, "pull": pull, "findings": self.findings}


@dataclass
class _Survey:
    """What the returns that came say about themselves."""

    instance_ids: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    newest_at: datetime | None = None
    dated: int = 0


def pull_returns(
    workspace: Workspace,
    server: Server,
    *,
    mapping: Mapping | None = None,
    round_number: int | None = None,
    since: datetime | None = None,
    page_size: int,
    strict: bool = False,
    tell: Progress | None = None,
) -> PullReport:
    """Download the returns of a form and import them; returns edited on the server replace those stored before.

    Without `since` returns that were pulled before and are no longer on the server are taken out; those that the server
    says it deleted are taken out in any case. The warehouse is closed while the download runs.

    Parameters
    ----------
    workspace
        Where to; pages are kept in its `inbox/pulls/` until they are imported.
    server
        Where from.
    mapping
        How the columns are read, if the form is not ours.
    round_number
        The round of all returns; told by their column `round` when not given.
    since
        Only returns that were sent or changed since then.
    page_size
        Returns in a page.
    strict
        Store nothing if there is any finding, warnings too.
    tell
        Called with what is being done and the share done, 0 to 1.

    Raises
    ------
    EnumerationsError
        The server can't be used, or its returns fit no form. Nothing was changed; pages that came are kept, and the
        next pull goes on after them.
    UnknownRoundError, WrongUseError
        The round was never opened, or is closed.
    PullBusyError, WarehouseBusyError
        Another process is at work.
    """
    tell = tell or (lambda _words, _share: None)
    with _warehouse(workspace, spatial=False) as connection:
        read_rounds(connection, operation=workspace.settings.operation, number=round_number)
    report = PullReport(server.source, server.address, server.form, datetime.now(UTC))
    with _only_one(workspace) as pulls:
        store = PageStore(pulls / _key(server, since), server.identify)
        result = download(
            server,
            store,
            since=since,
            page_size=page_size,
            tell=lambda words, share: tell(words, _DOWNLOAD_SHARE * share),
        )
        survey = _survey(server, store)
        if since is not None and store.received and not survey.dated:
            result.troubles.append(Trouble("edits_not_told", since.isoformat(timespec="minutes")))
        report.returns, report.newest_at, report.is_resumed = store.received, survey.newest_at, result.is_resumed
        report.repeated, report.refetched, report.dropped = store.repeated, result.refetched, result.dropped
        with _warehouse(workspace) as connection:
            _import(
                connection, workspace, report, result, survey, is_full=since is None, mapping=mapping,
                round_number=round_number, strict=strict,
                tell=lambda words, share: tell(words, _DOWNLOAD_SHARE + (1 - _DOWNLOAD_SHARE) * share),
            )  # fmt: skip
        store.clear()
    return report


def _key(server: Server, since: datetime | None) -> str:
    """Return the name of the folder for the pages of one form of one server."""
    parts = (server.source, server.address, server.form, since.isoformat() if since else "")
    return f"{server.source}-{hashlib.sha256(chr(31).join(parts).encode()).hexdigest()[:16]}"


@contextmanager
def _warehouse(workspace: Workspace, *, spatial: bool = True) -> Iterator[Connection]:
    connection = open_warehouse(workspace, spatial=spatial)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _only_one(workspace: Workspace) -> Iterator[Path]:
    """Give the folder of the pages, to one process at a time; the lock ends with the process."""
    folder = workspace.inbox_path / "pulls"
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise PullBusyError(
                f"Another pull into {workspace.path} is running. Wait until it is done and run the command again."
            ) from None
        yield folder
    finally:
        os.close(descriptor)


def _survey(server: Server, store: PageStore) -> _Survey:
    survey = _Survey()
    for _, submission in store.submissions():
        if instance_id := server.instance_id(submission):
            survey.instance_ids.add(instance_id)
        if replaced := server.replaced_id(submission):
            survey.replaced.add(replaced)
        changed_at = server.changed_at(submission)
        if changed_at and (survey.newest_at is None or changed_at > survey.newest_at):
            survey.newest_at = changed_at
        survey.dated += server.dates_changes(submission)
    return survey


def _import(
    connection: Connection,
    workspace: Workspace,
    report: PullReport,
    result: Download,
    survey: _Survey,
    *,
    is_full: bool,
    mapping: Mapping | None,
    round_number: int | None,
    strict: bool,
    tell: Progress,
) -> None:
    """Import what came, and note the pull and its findings."""
    name = f"{report.source}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', report.form.split('/', 1)[-1])[:80]}"
    file_name = f"{name}-{report.started_at:%Y%m%dT%H%M%SZ}.jsonl"
    troubles = [_finding(trouble, report.form, file_name) for trouble in result.troubles]
    if strict and troubles:
        report.imported, report.findings = ImportReport(refused=True), troubles
        return
    withdrawn = _withdrawn(connection, report, result, survey, is_full=is_full)
    paths = [_write(connection, report, result.store, file_name)] if result.store.received else []
    last = _newest(connection, "import", "import_id")
    before = _withdrawals(connection)
    if paths or withdrawn:
        report.imported = import_returns(
            connection, workspace, paths, round_number=round_number, mapping=mapping, strict=strict,
            source="odk" if report.source == "odk" else "kobo", replace=True, withdrawn=withdrawn, progress=tell,
        )  # fmt: skip
    if report.imported.refused:
        report.findings = [*troubles, *report.imported.refused_findings]
        return
    report.withdrawn = report.imported.withdrawn
    newest = _newest(connection, "import", "import_id")
    import_id = newest if newest > last else None
    _note(connection, report, troubles, import_id)
    report.findings = _findings(connection, last, before)
    if import_id is None:
        report.findings += troubles


def _withdrawn(
    connection: Connection, report: PullReport, result: Download, survey: _Survey, *, is_full: bool
) -> dict[str, str]:
    """Return the stored instance ids that the server has no longer, and why.

    What the server says it deleted holds for every stored return; absence only for those that were pulled from this
    form of this server, and only if all of its returns are known.
    """
    here = "SELECT import_id FROM pull WHERE source = ? AND address = ? AND form = ? AND import_id IS NOT NULL"
    rows = connection.execute(
        f"SELECT instance_id, bool_or(import_id IN ({here})) FROM ({_STORED}) "
        "WHERE instance_id IS NOT NULL GROUP BY ALL",
        [report.source, report.address, report.form],
    ).fetchall()
    withdrawn: dict[str, str] = {}
    for stored, is_from_here in sorted(rows):
        plain = stored.removeprefix("uuid:")
        if plain in survey.instance_ids:
            continue
        if plain in result.deleted:
            withdrawn[stored] = f"Deleted on the server at {result.deleted[plain]}."
        elif is_full and result.is_whole and is_from_here:
            edited = plain in survey.replaced
            withdrawn[stored] = (
                "Edited on the server; it has another identifier now." if edited else "No longer on the server."
            )
    return withdrawn


def _write(connection: Connection, report: PullReport, store: PageStore, file_name: str) -> Path:
    """Write the returns as JSON Lines, sorted by the server's identifier.

    Bytes that were imported before may bring back an older state of the server (an edit taken back, a deleted return
    restored). Such a file must not pass for one that is known, so it ends with an empty line.
    """
    path = store.folder / file_name
    with path.open("wb") as file:
        store.write(file)
    while _is_outdated(connection, report, file_sha256(path)):
        with path.open("ab") as file:
            file.write(b"\n")
    return path


def _is_outdated(connection: Connection, report: PullReport, sha256: str) -> bool:
    """Say whether these bytes were imported before, and something has changed through pulls since."""
    row = connection.execute(
        """SELECT EXISTS (SELECT 1 FROM import later JOIN pull p USING (import_id)
                WHERE p.source = ? AND p.address = ? AND p.form = ? AND later.import_id > known.import_id
                AND later.rows_accepted + later.rows_quarantined > 0)
            OR EXISTS (SELECT 1 FROM cleaning_log g WHERE g.field = '(return)' AND g.edited_at > known.imported_at)
        FROM import known WHERE known.file_sha256 = ? ORDER BY known.import_id DESC LIMIT 1""",
        [report.source, report.address, report.form, sha256],
    ).fetchone()
    return bool(row and row[0])


def _newest(connection: Connection, table: str, column: str) -> int:
    row = connection.execute(f"SELECT coalesce(max({column}), 0) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def _finding(trouble: Trouble, subject: str, file_name: str) -> dict[str, Any]:
    found = make_finding(trouble.code, subject=subject, file_name=file_name, value=trouble.value, hint=trouble.hint)
    return vars(found)


def _note(connection: Connection, report: PullReport, troubles: list[dict[str, Any]], import_id: int | None) -> None:
    """Write the row of the pull, and its findings beside those of the import."""
    report.finished_at = datetime.now(UTC)
    with transaction(connection):
        report.pull_id = _newest(connection, "pull", "pull_id") + 1
        moments = (report.started_at, report.finished_at, report.newest_at)
        connection.execute(
            "INSERT INTO pull (pull_id, source, address, form, started_at, finished_at, newest_at, returns, import_id) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                report.pull_id, report.source, report.address, report.form,
                *(moment.astimezone(UTC).replace(tzinfo=None) if moment else None for moment in moments),
                report.returns, import_id,
            ],
        )  # fmt: skip
        if import_id is None:
            return
        for found in troubles:
            columns = [*found, "import_id", "stage"]
            connection.execute(
                f"INSERT INTO finding ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
                [*found.values(), import_id, "import"],
            )
        connection.execute(f"UPDATE finding SET finding_id = {FINDING_ID_SQL} WHERE finding_id IS NULL")


def _withdrawals(connection: Connection) -> set[str]:
    rows = connection.execute(
        "SELECT finding_id FROM finding WHERE code = 'withdrawn_on_server' AND finding_id IS NOT NULL"
    ).fetchall()
    return {str(row[0]) for row in rows}


def _findings(connection: Connection, last: int, before: set[str]) -> list[dict[str, Any]]:
    """Return what the import found, and the returns that were withdrawn from earlier ones."""
    rows = connection.execute(
        f"SELECT {', '.join(_FINDING_COLUMNS)} FROM finding WHERE import_id > ? OR code = 'withdrawn_on_server' "
        "ORDER BY import_id, severity, row_number",
        [last],
    ).fetchall()
    found = [dict(zip(_FINDING_COLUMNS, row, strict=True)) for row in rows]
    return [one for one in found if one["finding_id"] not in before]

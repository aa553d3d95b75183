"""Stage the returns of a JSON document, Kobo's or ODK Central's, and the rows of each of their repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from enumerations._headers import FormChoice, Wanted, recognise
from enumerations._json_stream import JsonReturns
from enumerations._kobo import Repeats, flatten_kobo, kobo_identity
from enumerations._odk import DELETED, IDENTITY, flatten_odk, is_odk
from enumerations._records import RecordWriter, Row
from enumerations._staging import Connection, StagedTable, column_findings
from enumerations.errors import UnknownFormError
from enumerations.findings import Finding, make_finding

if TYPE_CHECKING:
    from pathlib import Path

FIRST_IDENTITY = "instance_id"
"""Column of a return of Kobo whose first identifier is told apart from the present one."""
PARENT_KOBO, PARENT_ODK = "_submission__uuid", "PARENT_KEY"
"""Columns of a repeat's rows that name the return they belong to, as in the tools' own exports."""


class _Staging:
    """The tables of one document while it is read."""

    def __init__(self, connection: Connection, path: Path, relation: str) -> None:
        self.connection, self.path, self.relation = connection, path, relation
        self.root = RecordWriter(connection, f"{relation}_0", path.name)
        self.repeats: dict[str, RecordWriter] = {}
        self.links: set[str] = set()
        self.identities: set[str] = set()

    def add(self, record: dict[str, Any], *, is_strange: bool) -> None:
        row: Row = {}
        nested: Repeats = {}
        fault = None
        if is_odk(record):
            flatten_odk(record, row, nested)
            identity = row.get(IDENTITY) or row.get("meta/instanceID")
            if row.get(DELETED):
                fault = ("return_deleted", row[DELETED])
        else:
            flatten_kobo(record, row, nested)
            identity = kobo_identity(row)
            if row.get("meta/rootUuid"):
                row = {FIRST_IDENTITY: identity, **row}
        self.root.add(row, fault=fault, is_strange=is_strange)
        # Rows of a repeat know their return by its identifier only, so those of a second copy would be counted again.
        again = ("return_repeated", identity) if identity in self.identities else None
        if identity and fault is None:
            self.identities.add(identity)
        if nested:
            self._add_repeats(nested, identity, again, is_odk_record=is_odk(record), is_strange=is_strange)

    def _add_repeats(
        self,
        nested: Repeats,
        identity: str | None,
        fault: tuple[str, str | None] | None,
        *,
        is_odk_record: bool,
        is_strange: bool,
    ) -> None:
        for name, items in nested.items():
            if not items:
                self.links.add(name)
                continue
            writer = self.repeats.get(name)
            if writer is None:
                relation = f"{self.relation}_{len(self.repeats) + 1}"
                writer = self.repeats[name] = RecordWriter(self.connection, relation, self.path.name)
            for item in items:
                row: Row = {PARENT_ODK if is_odk_record else PARENT_KOBO: identity}
                inner: Repeats = {}
                if is_odk_record:
                    flatten_odk(item, row, inner)
                else:
                    flatten_kobo(item, row, inner)
                    row.pop("_validation_status", None)
                writer.add(row, fault=fault, is_strange=is_strange)
                if inner:
                    deeper = {f"{name}/{key.removeprefix(f'{name}/')}": rows for key, rows in inner.items()}
                    self._add_repeats(deeper, identity, fault, is_odk_record=is_odk_record, is_strange=is_strange)


def stage_document(connection: Connection, path: Path, relation: str, *, form: FormChoice) -> list[StagedTable]:
    """Stage the returns of a document and each of their repeats; records count from 1.

    Raises
    ------
    EnumerationsError
        The file is no JSON, is cut, holds no returns, or its fields fit no table.
    """
    document = JsonReturns(path)
    staging = _Staging(connection, path, relation)
    for record in document:
        staging.add(record, is_strange=document.is_strange)
    root = _table(staging, staging.root, None, form)
    staged = [root]
    wanted = form if isinstance(form, Wanted) else Wanted(root.header.table.form)
    if wanted.mapping is None and not wanted.is_survey:
        wanted = Wanted(root.header.table.form)
    findings = list(root.findings)
    subject = root.header.table.form
    for name, writer in staging.repeats.items():
        try:
            staged.append(_table(staging, writer, name, wanted))
        except UnknownFormError:
            findings.append(make_finding("sheet_ignored", subject=subject, file_name=path.name, sheet=name, value=name))
    findings += [
        make_finding("repeat_left_out", subject=subject, file_name=path.name, field=name, value=name)
        for name in sorted(staging.links - staging.repeats.keys())
    ]
    findings += _page_findings(document, root, staging.root.count)
    staged[0] = StagedTable(root.header, root.relation, root.file_name, root.sheet, tuple(findings))
    return staged


def _table(staging: _Staging, writer: RecordWriter, sheet: str | None, form: FormChoice) -> StagedTable:
    writer.flush()
    name = staging.path.name
    place = f"{name}, repeat '{sheet}'" if sheet else name
    header = recognise(list(writer.names), form=form, place=place, is_sparse=True)
    sheet = sheet.rsplit("/", 1)[-1] if sheet else None
    findings = column_findings(header, file_name=name, sheet=sheet)
    return StagedTable(header, writer.relation, name, sheet, findings)


def _page_findings(document: JsonReturns, root: StagedTable, read: int) -> list[Finding]:
    """Say so when the server told of more returns than the file holds."""
    told = str(document.envelope.get("count") or document.envelope.get("@odata.count") or "")
    follows = document.envelope.get("next") or document.envelope.get("@odata.nextLink")
    if not follows and not (told.isdigit() and int(told[:18]) > read):
        return []
    return [
        make_finding(
            "page_of_many",
            subject=root.header.table.form,
            file_name=document.path.name,
            value=str(read),
            hint=told or "?",
        )
    ]

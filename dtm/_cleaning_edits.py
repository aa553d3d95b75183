"""Check edits against what is there, before any is written to the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dtm._cleaning_derive import Sources, net_edits
from dtm._imports_canonical import accepted_sql
from dtm._imports_edits import Edits, fingerprint_sql, recurring_edits
from dtm._imports_replace import RETURN_FIELD
from dtm._imports_rounds import read_rounds
from dtm.messages import message
from dtm.records import RecordName, parse_record
from enumerations.codelists import spelling_key, spellings_of
from enumerations.findings import make_finding
from enumerations.lookups import BLANKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtm.engine import Connection
    from enumerations.columns import FormColumn
    from enumerations.returns import StagedTable

EMPTY = "(empty)"
"""The word by which a file of edits sets a value to nothing."""


@dataclass(frozen=True)
class Edit:
    """One correction: the record (IMPORT:SHEET:ROW), the canonical column, its value before and after, why and who.

    `old` and `new` are None for an empty cell; `row` is the row of the file the edit was read from.
    """

    record: str
    field: str
    old: str | None
    new: str | None
    reason: str
    who: str
    row: int | None = None


@dataclass(frozen=True)
class CheckedEdit:
    """An edit that may be applied: `old` is the text that is there."""

    record: RecordName
    table: str
    field: str
    old: str | None
    new: str | None
    reason: str
    who: str
    instance_id: str | None
    fingerprint: str | None
    row: int | None
    undoes: int | None = None


def _text(value: str | None) -> str | None:
    stripped = (value or "").strip(BLANKS)
    return None if stripped in ("", EMPTY) else stripped


def same_value(column: FormColumn, one: str | None, other: str | None) -> bool:  # noqa: PLR0911  one for each kind
    """Say whether two texts mean the same in a column: as sent, or as the number, date or code they stand for."""
    left, right = _text(one), _text(other)
    if left == right:
        return True
    if left is None or right is None:
        return False
    if column.kind in {"integer", "number"}:
        try:
            return float(left) == float(right)
        except ValueError:
            return False
    if column.kind in {"date", "timestamp"}:
        try:
            return datetime.fromisoformat(left) == datetime.fromisoformat(right)
        except (ValueError, TypeError):
            return False
    if column.kind in {"code", "codes", "yesno"}:
        spellings = spellings_of(column.codelist or "yesno")
        codes = [spellings.get(spelling_key(text)) for text in (left, right)]
        return codes[0] is not None and codes[0] == codes[1]
    return False


class EditChecker:
    """Check edits one after another; `findings` has what is wrong with them.

    With `is_exact` the new values are texts of the log and are taken with the blanks around them.
    """

    def __init__(
        self, connection: Connection, sources: Sources, *, operation: str, file_name: str, is_exact: bool = False
    ) -> None:
        self.is_exact = is_exact
        self.connection, self.sources, self.file_name = connection, sources, file_name
        rounds = read_rounds(connection, operation=operation, number=None)
        self.closed = {one.number for one in rounds.all if not one.is_open}
        self.findings: list[dict[str, Any]] = []
        self._states: dict[RecordName, int | None] = {}
        self._current: dict[tuple[RecordName, str], str | None] = {}
        self._edits: dict[tuple[int, str], Edits] = {}
        self._rows: dict[RecordName, dict[str, str | None]] = {}

    def check(self, edits: Sequence[Edit]) -> list[CheckedEdit]:
        """Return the edits that change something, with the text that is there as their `old`."""
        names = [parse_record(edit.record) for edit in edits]
        self.read([name for name in names if name])
        checked = []
        for edit, name in zip(edits, names, strict=True):
            one = self._check_one(edit, name)
            if one is not None:
                checked.append(one)
        return checked

    def refuse(
        self,
        edit: Edit | CheckedEdit,
        code: str,
        *,
        field: str,
        value: str | None,
        hint: str | None = None,
    ) -> None:
        """Note what is wrong with an edit."""
        made = make_finding(
            code,
            subject="cleaning",
            file_name=self.file_name,
            row_number=edit.row,
            field=field,
            value=value,
            hint=hint,
        )
        self.findings.append({**vars(made), "record": str(edit.record)})

    def read(self, names: list[RecordName]) -> None:
        """Find out which records are there, and in which round."""
        imports = ", ".join(str(number) for number in sorted({name.import_id for name in names})) or "NULL"
        rows = self.connection.execute(
            f"""SELECT import_id, sheet, row_number, max(round_number) FROM (
                SELECT import_id, sheet, row_number, round_number FROM ({accepted_sql()}) WHERE import_id IN ({imports})
                UNION ALL SELECT q.import_id, q.sheet, q.row_number, coalesce(f.round_number, i.named_round)
                FROM quarantine q JOIN import i USING (import_id)
                LEFT JOIN finding f USING (import_id, sheet, row_number) WHERE q.import_id IN ({imports})
            ) WHERE (import_id, sheet, row_number) NOT IN (SELECT (import_id, sheet, row_number) FROM cleaning_log
                WHERE field = '{RETURN_FIELD}') GROUP BY ALL"""
        ).fetchall()
        wanted = set(names)
        for import_id, sheet, number, round_number in rows:
            name = RecordName(int(import_id), sheet, int(number))
            if name in wanted:
                self._states[name] = round_number

    def _check_one(self, edit: Edit, name: RecordName | None) -> CheckedEdit | None:
        for field in ("new", "reason", "who"):
            text = getattr(edit, field)
            if text is not None and not text.strip() and not (self.is_exact and field == "new"):
                self.refuse(edit, "edit_incomplete", field=field, value=None)
        if name is None or name not in self._states:
            self.refuse(edit, "edit_unknown_record", field="record", value=edit.record)
            return None
        round_number = self._states[name]
        if round_number in self.closed:
            self.refuse(edit, "edit_round_closed", field="record", value=edit.record, hint=str(round_number))
            return None
        staged = self._staged(name)
        if staged is None:
            self.refuse(edit, "edit_unknown_record", field="record", value=edit.record)
            return None
        table = staged.header.table
        column = table.by_name.get(edit.field)
        if column is None:
            self.refuse(edit, "edit_unknown_field", field="field", value=edit.field, hint=table.name)
            return None
        return self._check_values(edit, name, staged, column)

    def _check_values(
        self, edit: Edit, name: RecordName, staged: StagedTable, column: FormColumn
    ) -> CheckedEdit | None:
        there = self.value(name, column.name)
        if not same_value(column, there, edit.old):
            if same_value(column, there, edit.new):
                return None
            told, now = (text or message("cell_empty") for text in (_text(edit.old), there))
            self.refuse(edit, "edit_old_differs", field=column.name, value=told, hint=now)
            return None
        new = edit.new if self.is_exact else _text(edit.new)
        if new == (there if self.is_exact else _text(there)):
            return None
        self._current[name, column.name] = new
        sent = self._sent(name, staged)
        instance = sent.get("instance_id")
        return CheckedEdit(
            name, staged.header.table.name, column.name, there, new, edit.reason.strip(), edit.who.strip(),
            instance and instance.strip(), sent[""] if instance else None, edit.row,
        )  # fmt: skip

    def _staged(self, name: RecordName) -> StagedTable | None:
        source = self.sources.get(name.import_id)
        return source.table(name.sheet) if source else None

    def has(self, name: RecordName, field: str) -> bool:
        """Say whether a record is there to be edited and its table has the column."""
        staged = self._staged(name) if name in self._states else None
        return staged is not None and field in staged.header.table.by_name

    def value(self, name: RecordName, field: str) -> str | None:
        """Return the text that is there: as sent, or as the log says."""
        staged = self._staged(name)
        if (name, field) in self._current:
            return self._current[name, field]
        if staged is None:
            return None
        place = (name.import_id, name.sheet)
        if place not in self._edits:
            edits = recurring_edits(self.connection, staged, before=name.import_id)
            for record, changes in net_edits(self.connection, *place).items():
                edits[record] = edits.get(record, {}) | changes
            self._edits[place] = edits
        edited = self._edits[place].get(name.row_number, {})
        return edited[field] if field in edited else self._sent(name, staged).get(field)

    def _sent(self, name: RecordName, staged: StagedTable) -> dict[str, str | None]:
        """Return a record as sent, by canonical column, with its fingerprint; all named records of a table at once."""
        if name not in self._rows:
            fields = [column.name for column in staged.header.table.columns if staged.source(column.name)]
            parts = ", ".join(str(staged.source(field)) for field in fields)
            records = ", ".join(
                str(one.row_number)
                for one in self._states
                if (one.import_id, one.sheet) == (name.import_id, name.sheet)
            )
            rows = self.connection.execute(
                f"SELECT record, {fingerprint_sql(staged)}, {parts} FROM {staged.relation} "
                f"SEMI JOIN (SELECT unnest([{records}])::BIGINT AS record) USING (record)"
            ).fetchall()
            for record, fingerprint, *cells in rows:
                one = RecordName(name.import_id, name.sheet, int(record))
                self._rows[one] = {"": fingerprint, **dict(zip(fields, cells, strict=True))}
        return self._rows[name]

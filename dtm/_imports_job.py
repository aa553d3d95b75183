"""Keep the books of one table's import: what was found, which records are set aside, which were there already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dtm._finding_ids import FINDING_ID_SQL
from enumerations.checks import findings_sql
from enumerations.findings import CATALOGUE, ERROR, Finding

REJECTED = ("rejected", "not_approved", "not approved", "validation_status_not_approved")
"""States by which a collecting tool, or the analyst, rejects a return."""
REFUSAL = "no_consent"
"""Finding of rows whose household refused: nothing of them is kept."""

if TYPE_CHECKING:
    from dtm._imports_rounds import Rounds
    from dtm.engine import Connection
    from enumerations.returns import StagedTable


@dataclass
class TableReport:
    """Counts of one table of a file: rows_read = accepted + quarantined + duplicate."""

    name: str
    sheet: str | None
    rows_read: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    findings: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain values."""
        return dict(vars(self))


def _without_nulls(raw: str) -> str:
    """Return SQL for a record as sent as text, without its empty cells: the next export may have more columns."""
    return f"json_merge_patch('{{}}', {raw})::VARCHAR"


@dataclass
class TableJob:
    """One staged table on its way into the warehouse.

    `checked` is the temporary table of typed records; `_found` and `_fate` beside it hold the findings and the
    records that are not accepted. `pcode_sql` gives the area a finding is about, over the checked record `c`.
    `first_import_id` is the first of the call: what is older was stored before. `replaces` names the server whose
    returns take the place of older ones. `is_again` is true where stored records are derived anew after an edit.
    """

    connection: Connection
    staged: StagedTable
    rounds: Rounds
    operation: str
    import_id: int
    first_submission_id: int
    checked: str
    first_import_id: int = 0
    replaces: str | None = None
    is_again: bool = False
    pcode_sql: str = "NULL"
    error_mask: int = 0
    is_set_aside: bool = False

    @property
    def table_name(self) -> str:
        """Return the canonical table's name."""
        return self.staged.header.table.name

    @property
    def form(self) -> str:
        """Return the form's name."""
        return self.staged.header.table.form

    @property
    def kept(self) -> str:
        """Return SQL for the records that are accepted at the moment it runs."""
        return f"(SELECT * FROM {self.checked} ANTI JOIN {self.checked}_fate USING (record))"

    def run(self, sql: str, parameters: Any = None) -> Any:
        """Run SQL on the warehouse's connection."""
        return self.connection.execute(sql, parameters)

    def append(self, sql: str, parameters: Any = None) -> None:
        """Run an INSERT whose rows may be stored in any order, which lets every thread write."""
        self.run("SET preserve_insertion_order = false")
        try:
            self.run(sql, parameters)
        finally:
            self.run("SET preserve_insertion_order = true")

    def number(self, sql: str, parameters: Any = None) -> int:
        """Return the single number a query gives; 0 for none."""
        row = self.run(sql, parameters).fetchone()
        return int(row[0] or 0) if row else 0

    def open_fates(self) -> None:
        """Start with the records that the checks refused."""
        self.run(
            f"CREATE OR REPLACE TEMP TABLE {self.checked}_fate AS SELECT record, 'quarantined' AS fate "
            f"FROM {self.checked} WHERE mask & {self.error_mask}::UHUGEINT <> 0"
        )
        if "review_state" in self.staged.header.table.by_name and self.staged.source("review_state"):
            self._set_aside_rejected()

    def _set_aside_rejected(self) -> None:
        """Set rejected returns aside; what else is wrong with them doesn't matter any more."""
        states = ", ".join(f"'{state}'" for state in REJECTED)
        rejected = f"FROM {self.checked} WHERE lower(trim(review_state)) IN ({states})"
        if not self.number(f"SELECT count(*) {rejected}"):
            return
        for suffix in ("_found", "_fate"):
            self.run(f"DELETE FROM {self.checked}{suffix} WHERE record IN (SELECT record {rejected})")
        self.find(
            "return_rejected",
            f"SELECT record, 'review_state' AS field, review_state AS value, NULL AS hint {rejected}",
        )

    def set_quarantined(self, records_sql: str) -> None:
        """Set accepted records aside whose finding is no error, because it was decided elsewhere."""
        self.run(f"INSERT INTO {self.checked}_fate SELECT DISTINCT record, 'quarantined' FROM ({records_sql})")

    def find(self, code: str, sql: str) -> None:
        """Note a finding for each row (record, field, value, hint) of a query over accepted records."""
        fresh = f"{self.checked}_fresh"
        self.run(f"CREATE OR REPLACE TEMP TABLE {fresh} AS SELECT record, field, value, hint FROM ({sql})")
        self.run(
            f"INSERT INTO {self.checked}_found "
            f"SELECT record, '{code}', field, value::VARCHAR, hint::VARCHAR FROM {fresh}"
        )
        if CATALOGUE[code].severity == ERROR:
            self.run(f"INSERT INTO {self.checked}_fate SELECT DISTINCT record, 'quarantined' FROM {fresh}")
        self.run(f"DROP TABLE {fresh}")

    def set_duplicate(self, records_sql: str) -> None:
        """Mark accepted records as being there already."""
        self.run(f"INSERT INTO {self.checked}_fate SELECT record, 'duplicate' FROM ({records_sql})")

    def set_aside(self) -> None:
        """Write the refused records to quarantine as they were sent, and free the staged text."""
        if self.is_set_aside:
            return
        self.is_set_aside = True
        refused = f"SELECT record FROM {self.checked}_fate WHERE fate = 'quarantined'"
        if not self.is_again:
            self._skip_copies()
            self._skip_known(refused)
        if self.number(f"SELECT count(*) FROM ({refused})"):
            instance = "c.instance_id" if "instance_id" in self.staged.header.table.by_name else "NULL"
            hidden = f"SELECT record FROM {self.checked}_found WHERE code = '{REFUSAL}'"
            self.run(
                "INSERT INTO quarantine (import_id, sheet, row_number, raw, instance_id, table_name) "
                f"SELECT ?, ?, record, CASE WHEN record IN ({hidden}) THEN '{{}}' ELSE raw END, {instance}, ? "
                f"FROM (SELECT record, {self.staged.raw_sql()} AS raw FROM {self.staged.relation} "
                f"SEMI JOIN ({refused}) USING (record)) JOIN {self.checked} c USING (record) ORDER BY record",
                [self.import_id, self.sheet, self.table_name],
            )
        self.run(f"DROP TABLE IF EXISTS {self.staged.relation}_cells")

    def _skip_copies(self) -> None:
        """Take for duplicates the rows of a return that stands twice in a document, where both say the same."""
        copies = f"SELECT record FROM {self.checked}_found WHERE code = 'return_repeated'"
        if not self.number(f"SELECT count(*) FROM ({copies})"):
            return
        raw = f"SELECT record, {_without_nulls(self.staged.raw_sql())} AS raw FROM {self.staged.relation}"
        self._make_duplicate(
            f"WITH told AS ({raw} SEMI JOIN ({copies}) USING (record)), "
            f"there AS (SELECT raw, count(*) AS times FROM ({raw} ANTI JOIN ({copies}) USING (record)) GROUP BY raw)"
        )

    def _make_duplicate(self, parts: str, parameters: Any = None) -> None:
        """Turn refused records into duplicates: `told` (record, raw), as often as `there` (raw, times) has them."""
        known = f"{self.checked}_known"
        self.run(
            f"CREATE OR REPLACE TEMP TABLE {known} AS {parts} SELECT record FROM told JOIN there USING (raw) "
            "QUALIFY row_number() OVER (PARTITION BY raw ORDER BY record) <= times",
            parameters,
        )
        self.run(f"DELETE FROM {self.checked}_fate WHERE record IN (SELECT record FROM {known})")
        self.set_duplicate(f"SELECT record FROM {known}")

    def _skip_known(self, refused: str) -> None:
        """Take for duplicates the refused records that stand in quarantine already, just as they were sent.

        The next export of a server brings them again; their findings are there once.
        """
        stored = "FROM quarantine WHERE table_name = ? AND import_id <> ? AND raw <> '{}'"
        parameters = [self.table_name, self.import_id]
        if not self.number(f"SELECT count(*) FROM (SELECT 1 {stored} LIMIT 1)", parameters):
            return
        self._make_duplicate(
            f"""WITH told AS (
                SELECT record, {_without_nulls(self.staged.raw_sql())} AS raw
                FROM {self.staged.relation} SEMI JOIN ({refused}) USING (record)
            ), there AS (
                SELECT {_without_nulls("raw")} AS raw, count(*) AS times {stored} GROUP BY ALL
            )""",
            parameters,
        )

    def close(self, *, file_round: int | None) -> TableReport:
        """Write findings and quarantine to the warehouse; return the counts."""
        report = TableReport(self.table_name, self.staged.sheet)
        report.rows_read = self.number(f"SELECT count(*) FROM {self.checked}")
        self.set_aside()
        for fate, count in self.run(f"SELECT fate, count(*) FROM {self.checked}_fate GROUP BY fate").fetchall():
            setattr(report, fate, count)
        report.accepted = report.rows_read - report.quarantined - report.duplicate
        self._forget_duplicates()
        self._write_findings(report, file_round)
        return report

    def _forget_duplicates(self) -> None:
        """Drop what was found about duplicates: it was told of the record they are the same as."""
        self.run(
            f"DELETE FROM {self.checked}_found WHERE record IN "
            f"(SELECT record FROM {self.checked}_fate WHERE fate = 'duplicate')"
        )

    @property
    def sheet(self) -> str:
        """Return the sheet, or the table's name for a file without sheets."""
        return self.staged.sheet or self.table_name

    def _write_findings(self, report: TableReport, file_round: int | None) -> None:
        counts = self.run(f"SELECT code, count(*) FROM {self.checked}_found GROUP BY code ORDER BY code").fetchall()
        report.findings = {code: int(count) for code, count in counts}
        for finding in self.staged.findings:
            report.findings[finding.code] = report.findings.get(finding.code, 0) + 1
            self._write_finding(finding, file_round)
        if counts:
            messages = findings_sql(f"{self.checked}_found", [code for code, _ in counts])
            homeless = (
                f"f.record IN (SELECT record FROM {self.checked}_fate WHERE fate = 'quarantined') AND "
                f"f.record NOT IN (SELECT record FROM {self.checked}_found WHERE code = 'round_closed')"
            )
            self.run(
                f"INSERT INTO finding BY NAME SELECT {self.pcode_sql} AS pcode, ? AS import_id, "
                f"coalesce(?, c.round_number, CASE WHEN {homeless} THEN ?::INTEGER END) AS round_number, "
                "? AS subject, f.code, f.severity, ? AS file_name, "
                f"? AS sheet, f.record AS row_number, f.field, f.value, f.message_en, f.message_mn FROM ({messages}) f "
                f"LEFT JOIN {self.checked} c USING (record) ORDER BY f.record, f.code",
                [self.import_id, file_round, self._newest_round(), self.form, self.staged.file_name, self.sheet],
            )
        self.run(
            f"UPDATE finding SET stage = 'import', finding_id = {FINDING_ID_SQL} "
            "WHERE import_id = ? AND finding_id IS NULL",
            [self.import_id],
        )

    def _newest_round(self) -> int | None:
        """Return the round to clear what is wrong with records whose own round can't be told: else none would."""
        opened = [one.number for one in self.rounds.all if one.is_open]
        return opened[-1] if opened and self.form != "dtm-published" else None

    def _write_finding(self, one: Finding, file_round: int | None) -> None:
        self.run(
            "INSERT INTO finding (import_id, round_number, subject, code, severity, file_name, sheet, row_number, "
            "field, value, message_en, message_mn) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                self.import_id, file_round, one.subject, one.code, one.severity, one.file_name,
                one.sheet, one.row_number, one.field, one.value, one.message_en, one.message_mn,
            ],
        )  # fmt: skip

    def drop(self) -> None:
        """Drop the temporary tables."""
        for suffix in ("", "_found", "_fate", "_fresh", "_point", "_unit", "_place", "_parent", "_stored", "_known"):
            self.run(f"DROP TABLE IF EXISTS {self.checked}{suffix}")

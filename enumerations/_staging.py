"""Write records as they were sent into a staging table of the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from enumerations.findings import Finding, make_finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from enumerations._headers import Header

ROWS_PER_BATCH = 20_000
"""Records held in memory while a file is read cell by cell."""


class Connection(Protocol):
    """What a reader needs of the engine."""

    def execute(self, query: str, parameters: Any = ...) -> Any:
        """Run SQL."""

    def register(self, view_name: str, python_object: Any) -> Any:
        """Show an Arrow table to SQL."""

    def unregister(self, view_name: str) -> Any:
        """Forget it."""


@dataclass(frozen=True)
class Record:
    """One record as sent; `fault` is the code of a finding that makes its cells unusable."""

    number: int
    cells: list[str | None]
    fault: str | None = None
    fault_value: str | None = None


@dataclass(frozen=True)
class StagedTable:
    """Records of one table in a temporary relation: record, fault, fault_value, c0, c1, ... (all text).

    Record numbers count from the header, which is row 1; in a workbook they are the sheet's own row numbers.
    """

    header: Header
    relation: str
    file_name: str
    sheet: str | None = None
    findings: tuple[Finding, ...] = field(default=())

    def source(self, column: str) -> str | None:
        """Return SQL over the relation for a canonical column, or None when the file has none."""
        return self.header.source(column)

    def raw_sql(self) -> str:
        """Return SQL for the record as sent, as JSON."""
        pairs = []
        for position, name in enumerate(self.header.names):
            text = (name.strip() or f"column {position + 1}").replace("'", "''")
            pairs.append(f"'{text}', c{position}")
        return f"json_object({', '.join(pairs)})"


def column_findings(header: Header, *, file_name: str, sheet: str | None) -> tuple[Finding, ...]:
    """Return a warning for every column of a file that is not used, and for every one that a mapping reads in vain."""

    def warn(code: str, *, value: str, hint: str | None = None, field: str | None = None) -> Finding:
        return make_finding(
            code,
            subject=header.table.form,
            file_name=file_name,
            sheet=sheet,
            row_number=1,
            field=field,
            value=value,
            hint=hint,
        )

    unused = [warn("column_ignored", value=name.strip(), hint=header.suggestion(name)) for name in header.unused]
    return (*unused, *(warn("mapping_column_missing", value=theirs, field=ours) for ours, theirs in header.missing))


def write_records(connection: Connection, relation: str, *, width: int, records: Iterable[Record]) -> None:
    """Create the relation and fill it batch by batch."""
    names = [f"c{position}" for position in range(width)]
    columns = ", ".join(f"{name} VARCHAR" for name in names)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {relation} (record BIGINT, fault VARCHAR, fault_value VARCHAR, {columns})"
    )
    iterator = iter(records)
    while batch := list(islice(iterator, ROWS_PER_BATCH)):
        arrays = {
            "record": pa.array([record.number for record in batch], pa.int64()),
            "fault": pa.array([record.fault for record in batch], pa.string()),
            "fault_value": pa.array([record.fault_value for record in batch], pa.string()),
        }
        for position, name in enumerate(names):
            arrays[name] = pa.array([record.cells[position] for record in batch], pa.string())
        connection.register("staging_batch", pa.table(arrays))
        try:
            connection.execute(f"INSERT INTO {relation} SELECT * FROM staging_batch")
        finally:
            connection.unregister("staging_batch")

"""Write records whose columns come to light one by one into a staging table, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from enumerations.errors import WrongFileTypeError
from enumerations.messages import message

if TYPE_CHECKING:
    from enumerations._staging import Connection

COLUMNS_MAXIMUM = 2_000
"""A document with more different fields is no table of returns."""
ROWS_PER_BATCH = 5_000
REPLACEMENT = "\ufffd"

Row = dict[str, str | None]


def _clean(row: Row) -> bool:
    """Make every value storable; return whether one held what is no text."""
    broken = False
    for name, value in row.items():
        if value is None:
            continue
        if "\0" in value:
            row[name], broken = value.replace("\0", REPLACEMENT), True
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                row[name], broken = value.encode("utf-8", "replace").decode(), True
    return broken


@dataclass
class RecordWriter:
    """A staging table that grows a column for every new name: record, fault, fault_value, c0, c1, ... (all text)."""

    connection: Connection
    relation: str
    place: str
    names: dict[str, int] = field(default_factory=dict)
    count: int = 0
    _rows: list[Row] = field(default_factory=list)
    _faults: dict[int, tuple[str, str | None]] = field(default_factory=dict)
    _made: int = -1

    def add(self, row: Row, *, fault: tuple[str, str | None] | None = None, is_strange: bool = False) -> None:
        """Add one record; `fault` is the code of a finding that makes it unusable, and the value to show."""
        if is_strange and _clean(row):
            fault = fault or ("unreadable_text", None)
        if fault:
            self._faults[len(self._rows)] = fault
        self._rows.append(row)
        if len(self._rows) >= ROWS_PER_BATCH:
            self.flush()

    def _learn(self) -> None:
        names = self.names
        if not names.keys() >= set().union(*self._rows):
            for row in self._rows:
                for name in row:
                    names.setdefault(name, len(names))
        if len(names) > COLUMNS_MAXIMUM:
            raise WrongFileTypeError(message("fields_too_many", place=self.place, most=COLUMNS_MAXIMUM))

    def flush(self) -> None:
        """Write what is held in memory."""
        self._learn()
        if self._made < 0:
            self.connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {self.relation} (record BIGINT, fault VARCHAR, fault_value VARCHAR)"
            )
            self._made = 0
        for position in range(self._made, len(self.names)):
            self.connection.execute(f"ALTER TABLE {self.relation} ADD COLUMN c{position} VARCHAR")
        self._made = len(self.names)
        rows, self._rows = self._rows, []
        if not rows:
            return
        faults, self._faults = self._faults, {}
        told = [faults.get(at, (None, None)) for at in range(len(rows))] if faults else []
        fault, value = zip(*told, strict=True) if told else (pa.nulls(len(rows), pa.string()),) * 2
        cells = pa.array(rows, pa.struct([(name, pa.string()) for name in self.names])).flatten()
        arrays = {
            "record": pa.array(range(self.count + 1, self.count + 1 + len(rows)), pa.int64()),
            "fault": pa.array(fault, pa.string()),
            "fault_value": pa.array(value, pa.string()),
            **{f"c{position}": column for position, column in enumerate(cells)},
        }
        self.count += len(rows)
        self.connection.register("staging_batch", pa.table(arrays))
        try:
            self.connection.execute(f"INSERT INTO {self.relation} BY NAME SELECT * FROM staging_batch")
        finally:
            self.connection.unregister("staging_batch")

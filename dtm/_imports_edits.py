"""Lay the edits of the cleaning log over staged records; what was sent stays as it is beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from dtm._imports_replace import RETURN_FIELD
from enumerations.returns import StagedTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dtm.engine import Connection

Edits = dict[int, dict[str, str | None]]
"""New values by record and canonical column."""


@dataclass(frozen=True)
class EditedTable(StagedTable):
    """A staged table whose canonical columns are read with edits; `raw_sql` still gives what was sent."""

    edited: tuple[str, ...] = field(default=())

    def source(self, column: str) -> str | None:
        """Return SQL over the relation for a canonical column, with its edits."""
        return f"edited_{column}" if column in self.edited else super().source(column)


def sheet_of(staged: StagedTable) -> str:
    """Return the name of the staged table in the names of its records."""
    return staged.sheet or staged.header.table.name


def lay_over(
    connection: Connection,
    staged: StagedTable,
    edits: Mapping[int, Mapping[str, str | None]],
    *,
    only: str | None = None,
) -> StagedTable:
    """Return a staged table with edits laid over it.

    `only` is a relation of `record`: other records are left out.
    """
    fields = tuple(sorted({name for changes in edits.values() for name in changes}))
    if not fields and only is None:
        return staged
    relation, changes = f"{staged.relation}_edited", f"{staged.relation}_changes"
    columns = {"record": pa.array(list(edits), pa.int64())}
    for name in fields:
        columns[f"is_{name}"] = pa.array([name in one for one in edits.values()], pa.bool_())
        columns[f"to_{name}"] = pa.array([one.get(name) for one in edits.values()], pa.string())
    connection.register("edit_rows", pa.table(columns))
    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {changes} AS SELECT * FROM edit_rows")
    finally:
        connection.unregister("edit_rows")
    wanted = "".join(
        f", CASE WHEN e.is_{name} THEN e.to_{name} ELSE {staged.source(name) or 'NULL::VARCHAR'} END AS edited_{name}"
        for name in fields
    )
    kept = f"SEMI JOIN {only} USING (record)" if only else ""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {relation} AS SELECT s.*{wanted} "
        f"FROM (SELECT * FROM {staged.relation} {kept}) s "
        f"LEFT JOIN {changes} e USING (record) ORDER BY record"
    )
    return EditedTable(staged.header, relation, staged.file_name, staged.sheet, staged.findings, edited=fields)


def fingerprint_sql(staged: StagedTable) -> str:
    """Return SQL for the hash of a record as it was sent: of its canonical columns, whatever file they came in."""
    pairs = [
        f"CASE WHEN {source} IS NOT NULL THEN concat('{column.name}=', trim({source})) END"
        for column in staged.header.table.columns
        if (source := staged.source(column.name))
    ]
    return f"md5(concat_ws(chr(31), {', '.join(pairs)}))"


def recurring_edits(connection: Connection, staged: StagedTable, *, before: int) -> Edits:
    """Return the edits of older imports that hold for copies of their records in this file.

    A copy has the same content as was sent before. Of rows that are equal, as many are edited as were before. `before`
    is the import of the file.
    """
    source = staged.source("instance_id")
    table = staged.header.table
    if source is None or not connection.execute("SELECT 1 FROM cleaning_log LIMIT 1").fetchone():
        return {}
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE edited_before AS
        SELECT g.import_id, g.sheet, g.row_number, g.instance_id, g.fingerprint, g.field,
            arg_max(coalesce(g.new, chr(30)), g.edit_id) AS new, arg_min(coalesce(g.old, chr(30)), g.edit_id) AS old
        FROM cleaning_log g JOIN import i USING (import_id)
        WHERE i.form = ? AND g.import_id < ? AND g.fingerprint IS NOT NULL AND g.field <> '{RETURN_FIELD}'
        GROUP BY ALL HAVING new <> old""",
        [table.form, before],
    )
    try:
        rows = connection.execute(
            f"""WITH here AS (
                SELECT record, {fingerprint_sql(staged)} AS fingerprint FROM {staged.relation}
                WHERE trim({source}) IN (SELECT instance_id FROM edited_before)
            ), ranked AS (
                SELECT record, fingerprint, row_number() OVER (PARTITION BY fingerprint ORDER BY record) AS nth
                FROM here
            ), known AS (
                SELECT *, row_number() OVER (PARTITION BY fingerprint, import_id ORDER BY row_number) AS nth
                FROM (SELECT DISTINCT import_id, sheet, row_number, fingerprint FROM edited_before)
            )
            SELECT r.record, e.field, e.new FROM ranked r JOIN known k USING (fingerprint, nth)
            JOIN edited_before e ON e.import_id = k.import_id AND e.sheet = k.sheet AND e.row_number = k.row_number
            ORDER BY e.import_id"""
        ).fetchall()
    finally:
        connection.execute("DROP TABLE edited_before")
    edits: Edits = {}
    for record, name, new in rows:
        edits.setdefault(int(record), {})[name] = None if new == chr(30) else new
    return edits

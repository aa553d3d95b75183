"""Make the lookups of a staged table's code columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enumerations.lookups import Lookup, column_lookup

if TYPE_CHECKING:
    from dtm._imports_job import TableJob


def code_lookups(job: TableJob) -> dict[str, Lookup]:
    """Make the lookups of every code column the file has."""
    found = {
        column.name: column_lookup(job.connection, job.staged, column) for column in job.staged.header.table.columns
    }
    return {name: lookup for name, lookup in found.items() if lookup is not None}

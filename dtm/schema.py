"""Declare tables and columns once; the warehouse, the release and the data dictionary are made from them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column: its DuckDB type, unit and meaning."""

    name: str
    type: str
    meaning: str
    unit: str = ""
    required: bool = False

    def definition(self) -> str:
        """Return the column as SQL."""
        return f"{self.name} {self.type}{' NOT NULL' if self.required else ''}"


@dataclass(frozen=True)
class Table:
    """One canonical table; `key` names the columns that identify a row."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def column_names(self) -> list[str]:
        """Return the declared names, in order."""
        return [column.name for column in self.columns]

    def create_sql(self, *, schema: str = "") -> str:
        """Return the CREATE TABLE statement."""
        body = ", ".join(column.definition() for column in self.columns)
        prefix = f"{schema}." if schema else ""
        return f"CREATE TABLE {prefix}{self.name} ({body})"


def tables(*declared: Table) -> dict[str, Table]:
    """Index tables by name."""
    return {table.name: table for table in declared}

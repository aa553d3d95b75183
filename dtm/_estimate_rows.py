"""Insert the rows of an estimate, typed as its table declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dtm._release_tables import RELEASE_TABLES

if TYPE_CHECKING:
    from dtm.engine import Connection


def insert_rows(connection: Connection, name: str, rows: pd.DataFrame) -> None:
    """Append rows to a table of the release, sorted by its key; a value that is not a number becomes null."""
    table = RELEASE_TABLES[name]
    chosen = ", ".join(
        f"CASE WHEN isfinite({column.name}::DOUBLE) THEN {column.name}::{column.type} END"
        if column.type in ("DOUBLE", "BIGINT")
        else f"{column.name}::{column.type}"
        for column in table.columns
    )
    texts = {column.name: _plain(rows[column.name]) for column in table.columns if column.type == "VARCHAR"}
    connection.register("estimate_frame", rows.assign(**texts)[table.column_names])
    try:
        connection.execute(f"INSERT INTO {name} SELECT {chosen} FROM estimate_frame ORDER BY {', '.join(table.key)}")
    finally:
        connection.unregister("estimate_frame")


def join_notes(*notes: pd.Series) -> pd.Series:
    """Return the codes of several notes as one text, ``a;b``, and None where there is none."""
    joined = pd.Series("", index=notes[0].index, dtype=object)
    for note in notes:
        text = note.astype(object).where(note.notna(), "")
        joined = joined + np.where((joined != "") & (text != ""), ";", "") + text
    return joined.where(joined != "", None)


def _plain(column: pd.Series) -> pd.Series:
    """Return texts as objects, None for what is missing or empty: a column without any text would have no type."""
    return column.astype(object).where(column.notna() & (column != ""), None)

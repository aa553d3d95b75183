"""Turn accepting and rejecting returns into edits of their review state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._round_records import key_of
from dtm.errors import WrongUseError
from dtm.messages import message
from dtm.records import parse_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtm.cleaning import Edit
    from dtm.engine import Connection

APPROVED, REJECTED = "approved", "rejected"
FIELD = "review_state"


def review_edits(connection: Connection, records: Sequence[str], state: str, *, reason: str, who: str) -> list[Edit]:
    """Return an edit for each return whose review state is another one.

    Raises
    ------
    WrongUseError
        A name is not a record's, or the record is not there.
    """
    from dtm.cleaning import Edit  # noqa: PLC0415  the desk reads without it

    edits = []
    for record in dict.fromkeys(records):
        before = review_state(connection, record)
        if before != state:
            edits.append(Edit(record=record, field=FIELD, old=before, new=state, reason=reason, who=who))
    return edits


def review_state(connection: Connection, record: str) -> str | None:
    """Return the review state of a record as it is now: as sent, or as the last edit left it.

    Raises
    ------
    WrongUseError
        The name is not a record's (`IMPORT:SHEET:ROW`), or the record is not there.
    """
    name = parse_record(record)
    if name is None:
        raise WrongUseError(message("record_name", record=record))
    place = [name.import_id, name.sheet, name.row_number]
    where = "import_id = ? AND sheet = ? AND row_number = ?"
    stored = connection.execute(f"SELECT review_state FROM submission WHERE {where}", place).fetchone()
    if stored is not None:
        return None if stored[0] is None else str(stored[0])
    aside = connection.execute(f"SELECT raw, json_keys(raw) FROM quarantine WHERE {where}", place).fetchone()
    if aside is None:
        raise WrongUseError(message("return_unknown", record=record))
    edited = connection.execute(
        f"SELECT new FROM cleaning_log WHERE {where} AND field = ? ORDER BY edit_id DESC LIMIT 1", [*place, FIELD]
    ).fetchone()
    if edited is not None:
        return None if edited[0] is None else str(edited[0])
    key = key_of(FIELD, aside[1] or [])
    told = connection.execute("SELECT ?::JSON ->> ?", [aside[0], key]).fetchone() if key else None
    return None if told is None or told[0] is None else str(told[0])

"""Name records as users do: IMPORT:SHEET:ROW."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(r"(\d{1,12}):(.+):(\d{1,12})")


@dataclass(frozen=True, order=True)
class RecordName:
    """The import, the sheet (or the table's name) and the row of a record; the header is row 1."""

    import_id: int
    sheet: str
    row_number: int

    def __str__(self) -> str:
        """Return the name as users write it."""
        return f"{self.import_id}:{self.sheet}:{self.row_number}"


def parse_record(text: str) -> RecordName | None:
    """Return the record that a text names, or None when it names none."""
    found = _NAME.fullmatch(text.strip())
    return RecordName(int(found[1]), found[2], int(found[3])) if found else None

"""Name each finding by what was found and where, so that a waiver holds when the checks run again."""

from __future__ import annotations

_PARTS = ("import_id", "sheet", "row_number", "round_number", "pcode", "subject", "code", "field", "value")

_JOINED = ", ".join(f"coalesce({name}::VARCHAR, '')" for name in _PARTS)
FINDING_ID_SQL = f"left(md5(concat_ws(chr(31), {_JOINED})), 16)"
"""SQL over the columns of `finding`; the text of its messages and the name of the file don't count."""

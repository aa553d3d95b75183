"""Resolve the distinct spellings of a column once, so that records meet them in a join."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import pyarrow as pa

from enumerations.codelists import codes_of, spellings_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from enumerations._staging import Connection, StagedTable

SUGGESTIONS_MAXIMUM = 500
"""Distinct unknown spellings that get a suggestion of their own; the others get the whole list."""
BLANKS = " \t\r\n\u00a0"
_YES_NO = {"true": "yes", "1": "yes", "y": "yes", "false": "no", "0": "no", "n": "no"}


@dataclass(frozen=True)
class Resolved:
    """What a spelling stands for; without a code, `hint` says what was probably meant."""

    code: str | None
    hint: str | None = None


@dataclass(frozen=True)
class Lookup:
    """A temporary relation (raw, code, hint) and the SQL of the staged records that joins to `raw`."""

    relation: str
    key_sql: str


def build_lookup(
    connection: Connection, staged: StagedTable, name: str, key_sql: str, resolve: Callable[[list[str]], list[Resolved]]
) -> Lookup:
    """Make the lookup of one column from the distinct values of `key_sql` over the staged records."""
    rows = connection.execute(
        f"SELECT DISTINCT key FROM (SELECT {key_sql} AS key FROM {staged.relation}) WHERE key IS NOT NULL"
    ).fetchall()
    raws = [row[0] for row in rows]
    resolved = resolve(raws)
    table = pa.table(
        {
            "raw": pa.array(raws, pa.string()),
            "code": pa.array([one.code for one in resolved], pa.string()),
            "hint": pa.array([one.hint for one in resolved], pa.string()),
        }
    )
    relation = f"{staged.relation}_{name}"
    connection.register("lookup_rows", table)
    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {relation} AS SELECT * FROM lookup_rows")
    finally:
        connection.unregister("lookup_rows")
    return Lookup(relation, key_sql)


def resolve_codes(codelist: str) -> Callable[[list[str]], list[Resolved]]:
    """Return the resolver of a code list: codes and labels of both languages, any case, spaces or hyphens."""
    spellings = spellings_of(codelist)
    if codelist == "yesno":
        spellings |= _YES_NO
    codes = codes_of(codelist)

    def resolve(raws: list[str]) -> list[Resolved]:
        suggested = 0
        resolved = []
        for raw in raws:
            key = raw.strip(BLANKS).casefold().replace(" ", "_").replace("-", "_")
            code = spellings.get(key)
            if code is not None or not key:
                resolved.append(Resolved(code))
                continue
            close: list[str] = []
            if suggested < SUGGESTIONS_MAXIMUM:
                suggested += 1
                close = get_close_matches(key, list(spellings), n=1)
            resolved.append(Resolved(None, (f"{spellings[close[0]]}? " if close else "") + f"({', '.join(codes)})"))
        return resolved

    return resolve

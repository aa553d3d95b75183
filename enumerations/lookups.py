"""Resolve the distinct spellings of a column once, so that records meet them in a join."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import pyarrow as pa

from enumerations.codelists import codes_of, spelling_key, spellings_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from enumerations._staging import Connection, StagedTable
    from enumerations.columns import FormColumn

SUGGESTIONS_MAXIMUM = 500
"""Distinct unknown spellings that get a suggestion of their own; the others get the whole list."""
UNKNOWN_CHOICES_SHOWN = 20
"""Unknown choices of one cell that a finding names."""
BLANKS = " \t\r\n\u00a0"
_MIXED = re.compile(r"[\u0400-\u04ff]+[A-Za-z]|[A-Za-z]+[\u0400-\u04ff]")
_YES_NO = {"true": "yes", "1": "yes", "y": "yes", "false": "no", "0": "no", "n": "no"}


@dataclass(frozen=True)
class Resolved:
    """What a spelling stands for; without a code, `hint` says what was probably meant."""

    code: str | None
    hint: str | None = None


@dataclass(frozen=True)
class Lookup:
    """A temporary relation (raw, code, hint, mixed) and the SQL of the staged records that joins to `raw`."""

    relation: str
    key_sql: str


def is_mixed(text: str) -> bool:
    """Say whether a word of the text has Latin letters beside Cyrillic ones, such as an 'a' in a Mongolian name."""
    return _MIXED.search(text) is not None


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
            "mixed": pa.array([is_mixed(raw) for raw in raws], pa.bool_()),
        }
    )
    relation = f"{staged.relation}_{name}"
    connection.register("lookup_rows", table)
    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {relation} AS SELECT * FROM lookup_rows")
    finally:
        connection.unregister("lookup_rows")
    return Lookup(relation, key_sql)


def column_lookup(connection: Connection, staged: StagedTable, column: FormColumn) -> Lookup | None:
    """Make the lookup of a column of codes or of yes and no; None where the file lacks it or its kind needs none."""
    source = staged.source(column.name)
    if source is None or column.kind not in {"code", "codes", "yesno"}:
        return None
    codelist = column.codelist or "yesno"
    resolve = resolve_several(codelist) if column.kind == "codes" else resolve_codes(codelist)
    return build_lookup(connection, staged, column.name, source, resolve)


def _spellings(codelist: str) -> dict[str, str]:
    return spellings_of(codelist) | (_YES_NO if codelist == "yesno" else {})


def resolve_codes(codelist: str) -> Callable[[list[str]], list[Resolved]]:
    """Return the resolver of a code list: codes and labels of both languages, any case, spaces or hyphens."""
    spellings = _spellings(codelist)
    codes = codes_of(codelist)

    def resolve(raws: list[str]) -> list[Resolved]:
        suggested = 0
        resolved = []
        for raw in raws:
            key = spelling_key(raw.strip(BLANKS))
            code = spellings.get(key)
            if code is not None or not key:
                resolved.append(Resolved(code))
                continue
            close = None
            if suggested < SUGGESTIONS_MAXIMUM:
                suggested += 1
                close = _closest(key, spellings)
            resolved.append(Resolved(None, (f"{close}? " if close else "") + f"({', '.join(codes)})"))
        return resolved

    return resolve


def resolve_several(codelist: str) -> Callable[[list[str]], list[Resolved]]:
    """Return the resolver of several choices in one cell, separated by blanks, semicolons or commas.

    The code is the choices' codes joined by one blank, each once; the hint names every unknown choice.
    """
    spellings = _spellings(codelist)
    codes = codes_of(codelist)

    def resolve(raws: list[str]) -> list[Resolved]:
        return [one(raw) for raw in raws]

    def one(raw: str) -> Resolved:
        found, unknown = _split(raw.strip(BLANKS), spellings)
        if not unknown:
            return Resolved(" ".join(dict.fromkeys(found)) or None)
        words = []
        for text in dict.fromkeys(unknown[:UNKNOWN_CHOICES_SHOWN]):
            close = _closest(spelling_key(text), spellings)
            words.append(f"'{text}'" + (f" ({close}?)" if close else ""))
        return Resolved(None, f"({', '.join(codes)}) \u2260 {', '.join(words)}")

    return resolve


def _closest(key: str, spellings: dict[str, str]) -> str | None:
    close = get_close_matches(key, list(spellings), n=1)
    return spellings[close[0]] if close else None


def _split(text: str, spellings: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return the codes of the choices in a text and the choices that are unknown; a label may hold a separator."""
    if not text or spelling_key(text) in spellings:
        return ([spellings[spelling_key(text)]] if text else []), []
    for separator in (";", ",", None):
        parts = [part.strip(BLANKS) for part in text.split(separator)]
        if len(parts) > 1:
            found: list[str] = []
            unknown: list[str] = []
            for part in parts:
                codes, strange = _split(part, spellings)
                found += codes
                unknown += strange
            return found, unknown
    return [], [text]

"""Recognise a table of a form by its header."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from enumerations._fields import Fields
from enumerations._names import is_system, keys_of, plain
from enumerations.columns import FORMS, FormTable
from enumerations.errors import MissingColumnsError, RepeatedColumnError, UnknownFormError
from enumerations.messages import Message, joined, message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enumerations.mapping import Mapping

MINIMUM_KNOWN_COLUMNS = 3
"""A header with fewer known columns is of no form at all."""
NOTHING = "NULL::VARCHAR"
PARENT_INDEX, OWN_INDEX = "_parent_index", "_index"
"""Columns of Kobo's exports that tie the rows of a repeat to its return."""


@dataclass(frozen=True)
class Wanted:
    """What a file is expected to hold: a form, a mapping of its columns, or anything at all (`is_survey`)."""

    form: str | None = None
    mapping: Mapping | None = None
    is_survey: bool = False


FormChoice = str | Wanted | None


@dataclass(frozen=True)
class Header:
    """A recognised header: the table, its column names as sent, and what of it holds each canonical column.

    `positions` name the (first) column a canonical column is read from; `expressions` are SQL over c0, c1, ... where
    it takes more than the bare cell; `missing` are our and their name of columns that a mapping reads in vain.
    """

    table: FormTable
    names: tuple[str, ...]
    positions: dict[str, int]
    expressions: dict[str, str] = field(default_factory=dict)
    used: frozenset[int] = frozenset()
    missing: tuple[tuple[str, str], ...] = ()

    def source(self, column: str) -> str | None:
        """Return SQL of a canonical column over the cells, or None when the header has none."""
        if column in self.expressions:
            return self.expressions[column]
        position = self.positions.get(column)
        return None if position is None else f"c{position}"

    @property
    def unused(self) -> list[str]:
        """Return the names that belong to no canonical column; tools' own columns aren't meant to."""
        used = set(self.positions.values()) | self.used
        known = keys_of(self.table)
        return [
            name
            for position, name in enumerate(self.names)
            if position not in used and name.strip() and not is_system(name) and plain(name) not in known
        ]

    def suggestion(self, name: str) -> str:
        """Return the canonical column a name was probably meant to be, or the whole list."""
        free = [column for column in self.table.column_names if column not in self.positions]
        close = get_close_matches(plain(name), free, n=1)
        return close[0] if close else ", ".join(free) or "-"


def _wanted(form: FormChoice) -> Wanted:
    return form if isinstance(form, Wanted) else Wanted(form)


def _score(table: FormTable, names: Sequence[str], hint: str) -> float:
    """Weigh how much of the header a table explains against how much of the table is there."""
    found = Fields(table, names).positions
    required = table.required_names
    marked = sum(mark in found for mark in table.marks) / len(table.marks)
    named = 0.25 if table.name in hint.casefold() else 0.0
    explained = len(found) / max(sum(bool(name.strip()) for name in names), 1)
    return 2 * explained + sum(name in found for name in required) / len(required) + marked / 2 + named


def count_known(names: Sequence[str], *, form: FormChoice = None) -> int:
    """Return how many of the names are columns of one table of the form (or of any form, or of the mapping)."""
    wanted = _wanted(form)
    if wanted.mapping is not None:
        return wanted.mapping.count_known(names)
    known = max(len(Fields(table, names).positions) for table in candidate_tables(wanted.form))
    if not wanted.is_survey:
        return known
    words = {name.strip() for name in names if name.strip() and not name.strip().replace(".", "").isdigit()}
    return 10 * known + len(words)


def candidate_tables(form: str | None) -> list[FormTable]:
    """Return the tables a file may hold.

    Raises
    ------
    UnknownFormError
        No form has that name.
    """
    if form is None:
        return [table for tables in FORMS.values() for table in tables]
    if form not in FORMS:
        raise UnknownFormError(message("form_unknown", form=form, known=", ".join(FORMS)))
    return list(FORMS[form])


def recognise(names: Sequence[str], *, form: FormChoice, place: str, is_sparse: bool = False) -> Header:
    """Return the table that a header belongs to.

    `place` is the file (and sheet) as shown in messages; a table's name in it settles a tie. Where fields without an
    answer are left out (`is_sparse`), a required column that is not there is one that is empty in every record.

    Raises
    ------
    UnknownFormError
        The header fits no table.
    MissingColumnsError
        The header fits a table but lacks required columns.
    RepeatedColumnError
        Two columns of the header are the same canonical column.
    """
    wanted = _wanted(form)
    if wanted.is_survey:
        return Header(UNKNOWN_TABLE, tuple(names), {})
    if wanted.mapping is not None:
        return wanted.mapping.recognise(names, place=place, is_sparse=is_sparse)
    tables = candidate_tables(wanted.form)
    table = max(tables, key=lambda candidate: _score(candidate, names, place))
    fields = Fields(table, names)
    header = Header(table, tuple(names), fields.positions, fields.expressions, frozenset(fields.used))
    if fields.repeated:
        raise RepeatedColumnError(message("columns_repeated", place=place, columns=", ".join(fields.repeated)))
    return complete(header, place=place, is_sparse=is_sparse, tables=tables)


UNKNOWN_TABLE = FormTable("", "", "", "", (), ())
"""The table of a file that is only looked at."""


def complete(header: Header, *, place: str, is_sparse: bool, tables: Sequence[FormTable]) -> Header:
    """Return the header with its missing required columns dealt with.

    Raises
    ------
    UnknownFormError
        Too little of the table is there.
    MissingColumnsError
        Required columns are not there.
    """
    table, names, found = header.table, header.names, header.positions
    missing = [name for name in table.required_names if header.source(name) is None]
    if "instance_id" in missing and PARENT_INDEX in map(plain, names):
        header = _with_nothing(header, ["instance_id"])
        missing.remove("instance_id")
    if not missing:
        return header
    shown = ", ".join(name.strip() for name in names if name.strip()) or message("nothing")
    if len(found) < min(MINIMUM_KNOWN_COLUMNS, len(table.required_names)):
        forms = joined((_columns_needed(one) for one in tables), "; ")
        raise UnknownFormError(message("header_fits_no_form", place=place, found=shown, forms=forms))
    is_told = any(mark in found for mark in table.marks) and 2 * len(missing) <= len(table.required_names)
    if is_sparse and is_told and "instance_id" not in missing:
        return _with_nothing(header, missing)
    columns = _missing_words(header, missing)
    raise MissingColumnsError(
        message("columns_missing", place=place, table=_named(table), form=table.form, columns=columns, found=shown)
    )


def _named(table: FormTable) -> Message:
    """Return a table's name, in Mongolian after what it holds."""
    what = table.meaning_mn.partition(":")[0].partition(";")[0]
    return Message(table.name, f"“{what}” ({table.name})")


def _columns_needed(table: FormTable) -> Message:
    columns = ", ".join(table.required_names)
    return Message(f"{table.form} {table.name}: {columns}", f"{_named(table).mongolian}: {columns}")


def _with_nothing(header: Header, columns: Sequence[str]) -> Header:
    return replace(header, expressions={**header.expressions, **dict.fromkeys(columns, NOTHING)})


def _missing_words(header: Header, missing: list[str]) -> Message:
    used = set(header.positions.values()) | header.used
    free = {plain(name): name.strip() for position, name in enumerate(header.names) if position not in used}
    words = []
    for name in missing:
        close = get_close_matches(name.casefold(), list(free), n=1)
        words.append(message("column_meant", column=name, meant=free[close[0]]) if close else name)
    return joined(words)

"""Recognise a table of a form by its header."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from enumerations.columns import FORMS
from enumerations.errors import MissingColumnsError, RepeatedColumnError, UnknownFormError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enumerations.columns import FormTable

MINIMUM_KNOWN_COLUMNS = 3
"""A header with fewer known columns is of no form at all."""


@dataclass(frozen=True)
class Header:
    """A recognised header: the table, its column names as sent, and which of them holds each canonical column."""

    table: FormTable
    names: tuple[str, ...]
    positions: dict[str, int]

    @property
    def unused(self) -> list[str]:
        """Return the names that belong to no canonical column; the tool's own start with an underscore."""
        used = set(self.positions.values())
        known = {alias for column in self.table.columns for alias in column.aliases}
        return [
            name
            for position, name in enumerate(self.names)
            if position not in used and name and not plain(name).startswith("_") and plain(name) not in known
        ]

    def suggestion(self, name: str) -> str:
        """Return the canonical column a name was probably meant to be, or the whole list."""
        free = [column for column in self.table.column_names if column not in self.positions]
        close = get_close_matches(plain(name), free, n=1)
        return close[0] if close else ", ".join(free) or "-"


def plain(name: str) -> str:
    """Return a column name in small letters, without group path, spaces or byte order mark."""
    text = name.replace("\ufeff", "").strip().rsplit("/", 1)[-1]
    return text.casefold().replace(" ", "_").replace("-", "_")


def _positions(table: FormTable, names: Sequence[str]) -> dict[str, list[int]]:
    by_name: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        by_name.setdefault(plain(name), []).append(position)
    found: dict[str, list[int]] = {}
    for column in table.columns:
        for key in (column.name.casefold(), *column.aliases):
            if key in by_name:
                found[column.name] = by_name[key]
                break
    return found


def _score(table: FormTable, names: Sequence[str], hint: str) -> float:
    """Weigh how much of the header a table explains against how much of the table is there."""
    found = _positions(table, names)
    required = table.required_names
    marked = sum(mark in found for mark in table.marks) / len(table.marks)
    named = 0.25 if table.name in hint.casefold() else 0.0
    explained = len(found) / max(sum(bool(name.strip()) for name in names), 1)
    return 2 * explained + sum(name in found for name in required) / len(required) + marked / 2 + named


def count_known(names: Sequence[str], *, form: str | None = None) -> int:
    """Return how many of the names are columns of one table of the form (or of any form), at best."""
    return max(len(_positions(table, names)) for table in candidate_tables(form))


def candidate_tables(form: str | None) -> list[FormTable]:
    """Return the tables a file may hold."""
    if form is None:
        return [table for tables in FORMS.values() for table in tables]
    if form not in FORMS:
        raise UnknownFormError(f"No form is named '{form}'. Known: {', '.join(FORMS)}.")
    return list(FORMS[form])


def recognise(names: Sequence[str], *, form: str | None, place: str) -> Header:
    """Return the table that a header belongs to.

    `place` is the file (and sheet) as shown in messages; a table's name in it settles a tie.

    Raises
    ------
    UnknownFormError
        The header fits no table.
    MissingColumnsError
        The header fits a table but lacks required columns.
    RepeatedColumnError
        Two columns of the header are the same canonical column.
    """
    table = max(candidate_tables(form), key=lambda candidate: _score(candidate, names, place))
    found = _positions(table, names)
    missing = [name for name in table.required_names if name not in found]
    shown = ", ".join(name.strip() for name in names if name.strip()) or "(nothing)"
    if missing and len(found) < min(MINIMUM_KNOWN_COLUMNS, len(table.required_names)):
        forms = "; ".join(f"{one.form} {one.name}: {', '.join(one.required_names)}" for one in candidate_tables(form))
        raise UnknownFormError(
            f"{place}: the header fits no form. Found: {shown}. A file needs at least these columns: {forms}."
        )
    if missing:
        raise MissingColumnsError(f"{place}: {_missing_words(table, names, found, missing)} Found: {shown}.")
    repeated = [name for name, at in found.items() if len(at) > 1]
    if repeated:
        raise RepeatedColumnError(
            f"{place}: the header has these columns more than once: {', '.join(repeated)}. Keep one of each."
        )
    return Header(table, tuple(names), {name: at[0] for name, at in found.items()})


def _missing_words(table: FormTable, names: Sequence[str], found: dict[str, list[int]], missing: list[str]) -> str:
    used = {position for at in found.values() for position in at}
    free = {plain(name): name.strip() for position, name in enumerate(names) if position not in used}
    words = []
    for name in missing:
        close = get_close_matches(name.casefold(), list(free), n=1)
        words.append(f"{name} (is '{free[close[0]]}' meant?)" if close else name)
    return f"table '{table.name}' of form {table.form} lacks the required columns: {', '.join(words)}."

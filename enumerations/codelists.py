"""Load the code lists that forms, checks and screens share."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

import pandas as pd

from enumerations.errors import UnknownCodelistError


@dataclass(frozen=True)
class Choice:
    """One code of a list.

    `since` and `withdrawn` are versions of the forms, such as 2025-04: the first that offers the code, and the first
    that no longer does. `capacity_persons` is the most people that a vehicle of this kind carries.
    """

    codelist: str
    code: str
    label_mn: str
    label_en: str
    since: str = ""
    withdrawn: str = ""
    capacity_persons: int | None = None


@cache
def _choices() -> tuple[Choice, ...]:
    folder = resources.files("enumerations") / "codelists"
    choices = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".csv"):
            name = file.name.removesuffix(".csv")
            choices += [_choice(name, row) for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines())]
    return tuple(choices)


def _choice(codelist: str, row: dict[str, str]) -> Choice:
    capacity = row.get("capacity_persons")
    return Choice(
        codelist,
        row["code"],
        row["label_mn"],
        row["label_en"],
        row.get("since") or "",
        row.get("withdrawn") or "",
        int(capacity) if capacity else None,
    )


def choices_of(codelist: str) -> list[Choice]:
    """Return the codes of one list with their labels, in the order they are shown.

    Raises
    ------
    UnknownCodelistError
        No list has that name.
    """
    found = [choice for choice in _choices() if choice.codelist == codelist]
    if not found:
        known = ", ".join(sorted({choice.codelist for choice in _choices()}))
        raise UnknownCodelistError(f"No code list is named '{codelist}'. Known: {known}.")
    return found


def load_codelists() -> pd.DataFrame:
    """Return every code: columns codelist, code, label_mn, label_en, in the order the lists are shown."""
    return pd.DataFrame(
        [(one.codelist, one.code, one.label_mn, one.label_en) for one in _choices()],
        columns=["codelist", "code", "label_mn", "label_en"],
    )


def codes_of(codelist: str) -> list[str]:
    """Return the codes of one list, in the order they are shown.

    Raises
    ------
    UnknownCodelistError
        No list has that name.
    """
    return [choice.code for choice in choices_of(codelist)]


def spelling_key(text: str) -> str:
    """Return what the accepted spellings of a code have in common: small letters, words joined by underscores."""
    return text.casefold().replace(" ", "_").replace("-", "_")


def spellings_of(codelist: str) -> dict[str, str]:
    """Return every accepted spelling of a list's codes, in small letters: the code and both labels."""
    spellings: dict[str, str] = {}
    for choice in choices_of(codelist):
        for text in (choice.code, choice.label_mn, choice.label_en):
            spellings.setdefault(spelling_key(text), choice.code)
    return spellings

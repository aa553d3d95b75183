"""Load the code lists that forms, checks and screens share."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

import pandas as pd

from enumerations.errors import UnknownCodelistError


@cache
def _rows() -> tuple[tuple[str, str, str, str], ...]:
    folder = resources.files("enumerations") / "codelists"
    rows = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".csv"):
            name = file.name.removesuffix(".csv")
            records = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
            rows += [(name, row["code"], row["label_mn"], row["label_en"]) for row in records]
    return tuple(rows)


def load_codelists() -> pd.DataFrame:
    """Return every code: columns codelist, code, label_mn, label_en, in the order the lists are shown."""
    return pd.DataFrame(list(_rows()), columns=["codelist", "code", "label_mn", "label_en"])


def codes_of(codelist: str) -> list[str]:
    """Return the codes of one list, in the order they are shown.

    Raises
    ------
    UnknownCodelistError
        No list has that name.
    """
    codes = [code for name, code, _, _ in _rows() if name == codelist]
    if not codes:
        known = ", ".join(sorted({row[0] for row in _rows()}))
        raise UnknownCodelistError(f"No code list is named '{codelist}'. Known: {known}.")
    return codes


def spellings_of(codelist: str) -> dict[str, str]:
    """Return every accepted spelling of a list's codes, in small letters: the code and both labels."""
    spellings: dict[str, str] = {}
    for name, code, label_mn, label_en in _rows():
        if name == codelist:
            for text in (code, label_mn, label_en):
                spellings.setdefault(text.casefold().replace(" ", "_").replace("-", "_"), code)
    return spellings

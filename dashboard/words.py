"""Speak Mongolian and English from one dictionary, with numbers and dates written the reader's way."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import datetime as dt

WORDS_PATH = Path(__file__).parent / "words"
LANGUAGES = ("mn", "en")
DEFAULT_LANGUAGE = "mn"
DASH = "–"
MINUS = "−"
_MONTHS_EN = "January February March April May June July August September October November December".split()  # noqa: SIM905


@lru_cache(maxsize=1)
def dictionary() -> dict[str, dict[str, str]]:
    """Return every word by key: `{"key": {"mn": ..., "en": ...}}`, from all files of the folder.

    Raises
    ------
    ValueError
        Two files define the same key.
    """
    merged: dict[str, dict[str, str]] = {}
    for path in sorted(WORDS_PATH.glob("*.json")):
        for key, entry in json.loads(path.read_text(encoding="utf-8")).items():
            if key in merged:
                raise ValueError(f"{path}: the word '{key}' is defined twice.")
            merged[key] = entry
    return merged


class Words:
    """The dictionary in one language; call it with a key."""

    def __init__(self, lang: str) -> None:
        self.lang = lang if lang in LANGUAGES else DEFAULT_LANGUAGE

    def __call__(self, key: str, **values: object) -> str:
        """Return the word, with its places filled."""
        text = dictionary()[key][self.lang]
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        """Return whether the dictionary knows the key."""
        return key in dictionary()

    @property
    def name_column(self) -> str:
        """Return the column of a released table that holds names in this language."""
        return f"name_{self.lang}"

    @property
    def label_column(self) -> str:
        """Return the column of a released table that holds labels in this language."""
        return f"label_{self.lang}"

    def number(self, value: float | None, *, decimals: int = 0, signed: bool = False) -> str:
        """Write a number; both languages group by comma and point the decimals (CLDR mn, en)."""
        if value is None or pd.isna(value):
            return DASH
        rounded = round(float(value), decimals)
        text = f"{abs(rounded):,.{decimals}f}"
        if rounded < 0:
            return MINUS + text
        return f"+{text}" if signed and rounded > 0 else text

    def date(self, day: dt.date) -> str:
        """Write a day."""
        if self.lang == "mn":
            return f"{day.year} оны {day.month}-р сарын {day.day}"
        return f"{day.day} {_MONTHS_EN[day.month - 1]} {day.year}"

    def month(self, day: dt.date) -> str:
        """Write a month and its year."""
        if self.lang == "mn":
            return f"{day.year} оны {day.month}-р сар"
        return f"{_MONTHS_EN[day.month - 1]} {day.year}"

    def short_month(self, day: dt.date) -> str:
        """Write a month and its year where there is little room."""
        return f"{day.year}-{day.month:02d}" if self.lang == "mn" else f"{_MONTHS_EN[day.month - 1][:3]} {day.year}"

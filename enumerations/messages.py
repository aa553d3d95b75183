"""Say why something stopped: in English, and in Mongolian to those who read it on a page."""

from __future__ import annotations

import csv
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable


class Message(str):
    """An English text that knows how it reads in Mongolian; an error takes it as it takes any text."""

    __slots__ = ("mongolian",)
    mongolian: str

    def __new__(cls, english: str, mongolian: str) -> Self:
        """Return the text in both languages."""
        made = super().__new__(cls, english)
        made.mongolian = mongolian
        return made

    def __reduce__(self) -> tuple[type[Message], tuple[str, str]]:
        """Return what a copy is made of."""
        return Message, (str(self), self.mongolian)


class Catalogue:
    """The messages of one package, read from its `messages.csv` (key, en, mn); call it with a key.

    A text may hold places such as {file} or {count:,}. The Mongolian need not use all of them: what the English tells
    to those at a command line, such as the words of a library, is left out on a page.
    """

    def __init__(self, package: str) -> None:
        self.package = package

    @cached_property
    def texts(self) -> dict[str, tuple[str, str]]:
        """Return every message by key, English and Mongolian."""
        text = (resources.files(self.package) / "messages.csv").read_text(encoding="utf-8")
        return {row["key"]: (row["en"], row["mn"]) for row in csv.DictReader(text.splitlines())}

    def __call__(self, key: str, /, **values: Any) -> Message:
        """Return the message with its places filled; a value that is a message is put in by its own language."""
        english, mongolian = self.texts[key]
        own = {name: in_language(value, "mn") if isinstance(value, str) else value for name, value in values.items()}
        return Message(english.format(**values), mongolian.format(**own))


def in_language(told: str | BaseException, language: str) -> str:
    """Return a text, or what an error says, in a language ('en' or 'mn'); one that has no second language as it is."""
    if isinstance(told, BaseException):
        told = told.args[0] if told.args and isinstance(told.args[0], Message) else str(told)
    return told.mongolian if language == "mn" and isinstance(told, Message) else str(told)


def joined(texts: Iterable[str], separator: str = ", ") -> Message:
    """Return texts one after the other, in both languages."""
    parts = list(texts)
    return Message(separator.join(parts), separator.join(in_language(part, "mn") for part in parts))


message = Catalogue("enumerations")
"""Messages about files of returns."""


def sheet_place(file: str, sheet: str | None) -> str:
    """Return where something stands, for a message: a file, or a sheet of it."""
    return message("place_sheet", file=file, sheet=sheet) if sheet else file

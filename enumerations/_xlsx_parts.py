"""Read what an XLSX workbook says about itself: sheets, date system, shared texts and number formats."""

from __future__ import annotations

import posixpath
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from enumerations._safe_xml import SafeParser, local
from enumerations.archives import Archive, open_archive
from enumerations.errors import UnsafeFileError, WrongFileTypeError
from enumerations.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHARED_TEXTS_MAXIMUM: Final = 4_000_000
SHARED_CHARACTERS_MAXIMUM: Final = 200_000_000
"""Shared texts are held in memory while a workbook is read; these bound it to a few hundred megabytes."""
CELL_CHARACTERS_MAXIMUM: Final = 1_048_576
"""A longer text is cut and its record set aside; Excel itself writes 32,767 at most."""
SHEETS_MAXIMUM: Final = 1_000

_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_BUILT_IN_DATES: Final = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
_DURATION: Final = 46


@dataclass(frozen=True)
class NumberFormat:
    """How a style shows a number: as a moment, or with this many digits at least."""

    is_date: bool = False
    digits: int = 0


@dataclass(frozen=True)
class SheetPart:
    """One sheet: its name, where it is in the archive, and whether it is hidden."""

    name: str
    part: str
    is_hidden: bool


@dataclass
class Book:
    """A workbook that is open for reading."""

    archive: Archive
    sheets: list[SheetPart] = field(default_factory=list)
    is_1904: bool = False
    texts: list[str] = field(default_factory=list)
    formats: list[NumberFormat] = field(default_factory=list)


@contextmanager
def open_book(path: Path) -> Iterator[Book]:
    """Open a workbook after checking its archive and that no part of it declares entities.

    Raises
    ------
    EnumerationsError
        It is damaged, unsafe, or no XLSX workbook.
    """
    with open_archive(path, refuse_nested=False) as archive:
        names = {name.casefold(): name for name in archive.names}
        if "content.xml" in names or "xl/workbook.bin" in names:
            kind = message("kind_ods") if "content.xml" in names else message("kind_xlsb")
            raise WrongFileTypeError(message("workbook_other", file=path.name, kind=kind))
        root = _relations(archive, "_rels/.rels", "", names)
        main = next((part for kind, part in root.values() if kind == "officeDocument"), "xl/workbook.xml")
        if main.casefold() not in names:
            raise WrongFileTypeError(message("zip_no_workbook", file=path.name, part=main[:100]))
        yield _read_book(archive, names[main.casefold()], names)


def _relations(archive: Archive, part: str, folder: str, names: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return kind and target of each relation of a part, by id; targets outside the archive are left out."""
    found: dict[str, tuple[str, str]] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        if local(tag) == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "")
            target = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
            kind = attributes.get("Type", "").rsplit("/", 1)[-1]
            found[attributes.get("Id", "")] = (kind, posixpath.normpath(target))

    if part.casefold() in names:
        with archive.open(names[part.casefold()]) as stream:
            SafeParser(f"{archive.place}, '{part}'", start=start).run_whole(stream)
    return found


def _read_book(archive: Archive, main: str, names: dict[str, str]) -> Book:
    book = Book(archive)
    folder, file = posixpath.split(main)
    relations = _relations(archive, posixpath.join(folder, "_rels", f"{file}.rels"), folder, names)

    def start(tag: str, attributes: dict[str, str]) -> None:
        plain = local(tag)
        if plain == "workbookPr":
            book.is_1904 = attributes.get("date1904", "0") in {"1", "true"}
        elif plain == "sheet":
            by_name = {local(name): value for name, value in attributes.items()}
            kind, part = relations.get(by_name.get("id", ""), ("", ""))
            if kind in {"worksheet", ""} and part.casefold() in names:
                is_hidden = attributes.get("state", "visible") != "visible"
                book.sheets.append(SheetPart(attributes.get("name", part), names[part.casefold()], is_hidden))
        if len(book.sheets) > SHEETS_MAXIMUM:
            raise UnsafeFileError(message("sheets_too_many", place=archive.place, most=SHEETS_MAXIMUM))

    with archive.open(main) as stream:
        SafeParser(f"{archive.place}, '{main}'", start=start).run_whole(stream)
    by_kind = {kind: names[part.casefold()] for kind, part in relations.values() if part.casefold() in names}
    if "sharedStrings" in by_kind:
        book.texts = _shared_texts(archive, by_kind["sharedStrings"])
    if "styles" in by_kind:
        book.formats = _formats(archive, by_kind["styles"])
    return book


def unescaped(text: str) -> str:
    """Return a text with Excel's `_x000D_` escapes replaced by their characters."""
    return _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), text) if "_x" in text else text


class _SharedTexts:
    """Collect the texts that cells point to; what tells how to pronounce them is left out."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.texts: list[str] = []
        self._pieces: list[str] = []
        self._wanted = self._phonetic = False
        self._length = self._total = 0

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        plain = local(tag)
        if plain == "si":
            self._pieces.clear()
            self._length = 0
        elif plain == "rPh":
            self._phonetic = True
        self._wanted = plain == "t" and not self._phonetic

    def end(self, tag: str) -> None:
        plain = local(tag)
        self._wanted = False
        if plain == "rPh":
            self._phonetic = False
        elif plain == "si":
            self.texts.append(unescaped("".join(self._pieces)))
            if len(self.texts) > SHARED_TEXTS_MAXIMUM:
                raise UnsafeFileError(message("texts_too_many", place=self.place, most=SHARED_TEXTS_MAXIMUM))

    def text(self, data: str) -> None:
        if self._wanted and self._length <= CELL_CHARACTERS_MAXIMUM:
            self._pieces.append(data)
            self._length += len(data)
            self._total += len(data)
            if self._total > SHARED_CHARACTERS_MAXIMUM:
                raise UnsafeFileError(message("letters_too_many", place=self.place, most=SHARED_CHARACTERS_MAXIMUM))


def _shared_texts(archive: Archive, part: str) -> list[str]:
    place = f"{archive.place}, '{part}'"
    found = _SharedTexts(place)
    with archive.open(part) as stream:
        SafeParser(place, start=found.start, end=found.end, text=found.text).run_whole(stream)
    return found.texts


def _formats(archive: Archive, part: str) -> list[NumberFormat]:
    """Return how each cell style shows numbers."""
    codes: dict[str, str] = {}
    formats: list[NumberFormat] = []
    inside: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        plain = local(tag)
        if plain == "cellXfs":
            inside.append(plain)
        elif plain == "numFmt":
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif plain == "xf" and inside:
            formats.append(number_format(attributes.get("numFmtId", "0"), codes))

    def end(tag: str) -> None:
        if local(tag) == "cellXfs":
            inside.clear()

    with archive.open(part) as stream:
        SafeParser(f"{archive.place}, '{part}'", start=start, end=end).run_whole(stream)
    return formats


def number_format(identifier: str, codes: dict[str, str]) -> NumberFormat:
    """Return what a number format does; elapsed hours such as `[h]:mm` are numbers, no moments."""
    code = codes.get(identifier)
    if code is None:
        number = int(identifier) if identifier.isdecimal() else 0
        return NumberFormat(is_date=number in _BUILT_IN_DATES and number != _DURATION)
    first = re.sub(r'"[^"]*"|\\.|_.|\*.', "", code.split(";", 1)[0])
    if re.search(r"\[(h+|m+|s+)\]", first, re.IGNORECASE):
        return NumberFormat()
    first = re.sub(r"\[[^\]]*\]", "", first)
    if re.fullmatch(r"0{2,30}", first):
        return NumberFormat(digits=len(first))
    return NumberFormat(is_date=bool(re.search(r"[ymdhs]", first, re.IGNORECASE)) and "general" not in first.casefold())

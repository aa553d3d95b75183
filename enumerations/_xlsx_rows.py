"""Stream the rows of an XLSX sheet: only cells that hold something, in the order they stand, in bounded memory."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from enumerations._safe_xml import DEPTH_MAXIMUM, SafeParser, local
from enumerations._xlsx_parts import CELL_CHARACTERS_MAXIMUM, unescaped
from enumerations.errors import UnsafeFileError, WrongFileTypeError
from enumerations.messages import Message, message, sheet_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from enumerations._xlsx_parts import Book, SheetPart

ROWS_MAXIMUM: Final = 1_048_576
COLUMNS_MAXIMUM: Final = 16_384
"""Excel's own limits."""
MERGES_MAXIMUM: Final = 200_000
_CELL_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


class Cell(NamedTuple):
    """A cell as it is stored: `kind` is Excel's (n number, s text, b boolean, e error, d date), `style` its format."""

    kind: str
    text: str
    style: int
    has_formula: bool


class Row(NamedTuple):
    """One row: its number in the sheet, the cells that hold something by column from 0, and whether it is hidden."""

    number: int
    cells: dict[int, Cell]
    is_hidden: bool


class Merge(NamedTuple):
    """A block of merged cells; rows from 1, columns from 0, ends included."""

    reference: str
    first_row: int
    last_row: int
    first_column: int
    last_column: int


@dataclass
class SheetFacts:
    """What a sheet tells beside its rows; complete once all rows were read."""

    merges: list[Merge] = field(default_factory=list)
    hidden_columns: set[int] = field(default_factory=set)


def column_number(letters: str) -> int:
    """Return the position, from 0, of a column named as Excel names it."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def column_letters(number: int) -> str:
    """Return Excel's name of a column by its position from 0."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


class _Reader:
    """Collect the rows of a sheet while the parser runs over it."""

    def __init__(self, book: Book, place: str) -> None:
        self.texts, self.place, self.facts = book.texts, place, SheetFacts()
        self.rows: list[Row] = []
        self._number, self._hidden = 0, False
        self._cells: dict[int, Cell] | None = None
        self._column, self._kind, self._style = -1, "n", 0
        self._in_cell = self._has_formula = self._phonetic = False
        self._pieces: list[str] | None = None
        self._value: list[str] = []
        self._length = self._depth = 0
        self._columns: dict[str, int] = {}

    def fail(self, what: Message) -> WrongFileTypeError:
        return WrongFileTypeError(message("workbook_damaged", place=self.place, what=what))

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag not in _TAGS:
            tag = local(tag)
        if tag == "c":
            self._start_cell(attributes)
        elif tag in {"v", "t"}:
            if self._pieces is not None:
                raise self.fail(message("damage_values"))
            if self._in_cell and not self._phonetic:
                self._pieces = self._value
        elif tag == "row":
            self._start_row(attributes)
        elif tag == "f":
            self._has_formula = self._has_formula or self._in_cell
        else:
            self._depth += 1
            if self._depth > DEPTH_MAXIMUM:
                raise UnsafeFileError(message("xml_too_deep", place=self.place, most=DEPTH_MAXIMUM))
            self._start_other(tag, attributes)

    def _start_other(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "rPh":
            self._phonetic = True
        elif tag == "mergeCell":
            ends = _CELL_REFERENCE.findall(attributes.get("ref", ""))
            if len(ends) == 2 and len(self.facts.merges) < MERGES_MAXIMUM:  # noqa: PLR2004  two corners
                (left, top), (right, bottom) = ends
                self.facts.merges.append(
                    Merge(attributes["ref"], int(top), int(bottom), column_number(left), column_number(right))
                )
        elif tag == "col" and attributes.get("hidden") in {"1", "true"}:
            first, last = (int(attributes.get(name, "0")) for name in ("min", "max"))
            self.facts.hidden_columns.update(range(first - 1, min(last, COLUMNS_MAXIMUM)))

    def _start_row(self, attributes: dict[str, str]) -> None:
        if self._cells is not None:
            raise self.fail(message("damage_rows"))
        told = attributes.get("r")
        number = self._number + 1 if told is None else int(told) if told.isdecimal() and len(told) < 8 else 0  # noqa: PLR2004
        if not self._number < number <= ROWS_MAXIMUM:
            raise self.fail(message("damage_order", row=told or number, before=self._number))
        self._number, self._column, self._cells = number, -1, {}
        self._hidden = attributes.get("hidden") in {"1", "true"}

    def _start_cell(self, attributes: dict[str, str]) -> None:
        if self._in_cell or self._cells is None:
            raise self.fail(message("damage_cells"))
        reference = attributes.get("r")
        if reference is None:
            self._column += 1
        else:
            letters = reference.rstrip("0123456789")
            column = self._columns.get(letters)
            if column is None:
                if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):  # noqa: PLR2004  XFD is the last
                    raise self.fail(message("damage_name", name=reference[:20]))
                column = self._columns[letters] = column_number(letters.upper())
            self._column = column
        if self._column >= COLUMNS_MAXIMUM:
            raise self.fail(message("damage_wide", row=self._number, most=COLUMNS_MAXIMUM))
        self._kind = attributes.get("t", "n")
        style = attributes.get("s", "0")
        self._style = int(style) if style.isdecimal() and len(style) < 7 else 0  # noqa: PLR2004
        self._in_cell, self._has_formula, self._length = True, False, 0
        self._value = []

    def text(self, data: str) -> None:
        if self._pieces is not None and self._length <= CELL_CHARACTERS_MAXIMUM:
            self._pieces.append(data)
            self._length += len(data)

    def end(self, tag: str) -> None:
        if tag not in _TAGS:
            tag = local(tag)
        if tag == "c":
            self._end_cell()
        elif tag in {"v", "t"}:
            self._pieces = None
        elif tag == "row":
            if self._cells:
                self.rows.append(Row(self._number, self._cells, self._hidden))
            self._cells = None
        elif tag != "f":
            self._depth -= 1
            if tag == "rPh":
                self._phonetic = False

    def _cell_name(self) -> str:
        return f"{column_letters(self._column)}{self._number}"

    def _end_cell(self) -> None:
        self._in_cell = False
        if not self._value and not self._has_formula:
            return
        value, kind = "".join(self._value), self._kind
        if kind == "s":
            position = int(value) if value.isdecimal() and len(value) < 9 else len(self.texts)  # noqa: PLR2004
            if position >= len(self.texts):
                raise self.fail(message("damage_text", cell=self._cell_name(), text=value[:20]))
            value = self.texts[position]
        elif kind in {"str", "inlineStr"}:
            value, kind = unescaped(value), "s"
        if self._cells is None:
            raise self.fail(message("damage_end"))
        if self._column in self._cells:
            raise self.fail(message("damage_twice", cell=self._cell_name()))
        self._cells[self._column] = Cell(kind, value, self._style, self._has_formula)


_TAGS: Final = frozenset({"c", "v", "t", "f", "row"})


def sheet_rows(book: Book, sheet: SheetPart, facts: SheetFacts) -> Iterator[Row]:
    """Yield the rows of a sheet that hold anything; `facts` is filled on the way.

    Raises
    ------
    EnumerationsError
        The sheet is damaged, or built to do harm.
    """
    place = sheet_place(book.archive.place, sheet.name)
    reader = _Reader(book, place)
    reader.facts = facts
    parser = SafeParser(place, start=reader.start, end=reader.end, text=reader.text)
    with book.archive.open(sheet.part) as stream:
        for _ in parser.run(stream):
            yield from reader.rows
            reader.rows.clear()

"""Read the questions of the forms, which are data: texts in both languages, order, groups and when they are asked."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

from enumerations.columns import FORMS, FormTable
from enumerations.errors import UnknownFormError

POINT = "_point"
"""The question for the position; its longitude, latitude and accuracy are columns of their own."""
POINT_COLUMNS = ("lon", "lat", "accuracy_m")
UNIT_COLUMNS = ("district", "khoroo", "kheseg")
LEVEL_SOUM, LEVEL_KHOROO = 2, 3


@dataclass(frozen=True)
class Text:
    """A text in Mongolian and English."""

    mn: str
    en: str

    def __bool__(self) -> bool:
        """Say whether there is a text."""
        return bool(self.mn or self.en)


@dataclass(frozen=True)
class Question:
    """One question: the canonical column it fills, or a name that begins with an underscore.

    `relevant` names other questions as ${name}; `finest_level` is the level down to which a place is asked.
    """

    column: str
    label: Text
    hint: Text
    relevant: str
    appearance: str
    default: str
    finest_level: int = LEVEL_SOUM


@dataclass(frozen=True)
class Group:
    """Questions that belong together; a group of a table that hangs on another is asked once for each of its rows."""

    table: FormTable
    name: str
    label: Text
    relevant: str
    appearance: str
    is_repeat: bool
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class FormDesign:
    """One form as it is shown on a phone; `form` is the canonical form its returns belong to."""

    form_id: str
    form: str
    title: Text
    groups: tuple[Group, ...]

    @property
    def main_table(self) -> FormTable:
        """Return the table of which a return is one row."""
        return self.groups[0].table


def _read(name: str) -> list[dict[str, str]]:
    text = (resources.files("enumerations") / "questions" / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def designs() -> dict[str, FormDesign]:
    """Return every form by its id, in the order they are listed."""
    return {row["form_id"]: _design(row) for row in _read("forms")}


def design_of(form_id: str) -> FormDesign:
    """Return one form.

    Raises
    ------
    UnknownFormError
        No form has that id.
    """
    if form_id not in designs():
        raise UnknownFormError(f"No form is named '{form_id}'. Known: {', '.join(designs())}.")
    return designs()[form_id]


@cache
def words() -> dict[str, Text]:
    """Return the texts that several forms share."""
    return {row["word"]: Text(row["text_mn"], row["text_en"]) for row in _read("words")}


def _design(head: dict[str, str]) -> FormDesign:
    tables = {table.name: table for table in FORMS[head["form"]]}
    rows = sorted(_read(head["form_id"]), key=lambda row: int(row["order"]))
    main = rows[0]["table"]
    groups = [
        Group(
            tables[row["table"]],
            row["group"],
            Text(row["label_mn"], row["label_en"]),
            row["relevant"],
            row["appearance"],
            row["table"] != main,
            tuple(_question(one) for one in rows if one["group"] == row["group"] and one["column"]),
        )
        for row in rows
        if not row["column"]
    ]
    title = Text(head["title_mn"], head["title_en"])
    return FormDesign(head["form_id"], head["form"], title, tuple(groups))


def _question(row: dict[str, str]) -> Question:
    return Question(
        row["column"],
        Text(row["label_mn"], row["label_en"]),
        Text(row["hint_mn"], row["hint_en"]),
        row["relevant"],
        row["appearance"],
        row["default"],
        int(row["finest_level"] or LEVEL_SOUM),
    )

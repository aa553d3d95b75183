"""Lay a form out as the rows of an XLSForm: questions, choices and settings."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from enumerations._forms_logic import Logic, logic_of
from enumerations._forms_paths import Paths
from enumerations._forms_questions import LEVEL_KHOROO, POINT, POINT_COLUMNS, UNIT_COLUMNS, Text, words
from enumerations._rules import GPS_ACCURACY_MAXIMUM_M
from enumerations.codelists import choices_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from enumerations._forms_questions import FormDesign, Group, Question

Row = dict[str, str]

MONGOLIAN, ENGLISH = "Монгол (mn)", "English (en)"
GPS_ACCURACY_WANTED_M = 10
"""The phone takes the point by itself once it is this accurate."""
_LEVEL_AIMAG, _LEVEL_SOUM, _LEVEL_KHESEG = 1, 2, 4
_TYPES = {
    "text": "text", "integer": "integer", "number": "decimal", "date": "date", "timestamp": "dateTime",
    "yesno": "select_one yesno",
}  # fmt: skip
_UNIT_LEVELS = dict(zip(UNIT_COLUMNS, (_LEVEL_SOUM, LEVEL_KHOROO, _LEVEL_KHESEG), strict=True))


@dataclass(frozen=True)
class FormArea:
    """An area that a form offers: the P-code is what the answer holds, `parent` the P-code one level up."""

    pcode: str
    level: int
    parent: str | None
    name_mn: str
    name_en: str


@dataclass(frozen=True)
class Sheets:
    """The three sheets of an XLSForm, each a list of rows."""

    survey: list[Row]
    choices: list[Row]
    settings: Row


def lay_out(
    design: FormDesign, areas: Sequence[FormArea], *, version: str | None = None, round_number: int | None = None
) -> Sheets:
    """Return the sheets of a form; a form without a version is known by the first digits of its content's hash."""
    survey = [*_metadata(design, round_number), *_Survey(design, areas).rows()]
    choices = _choices(survey, areas)
    if version is None:
        text = json.dumps([survey, choices], ensure_ascii=False, sort_keys=True)
        version = f"h{hashlib.sha256(text.encode()).hexdigest()[:11]}"
    if "form_version" in design.main_table.by_name:
        survey.insert(0, {"type": "calculate", "name": "form_version", "calculation": f"'{version}'"})
    return Sheets(survey, choices, _settings(design, version))


def _texts(key: str, text: Text) -> Row:
    return {f"{key}::{MONGOLIAN}": text.mn, f"{key}::{ENGLISH}": text.en} if text else {}


def _metadata(design: FormDesign, round_number: int | None) -> list[Row]:
    """Return what the tool fills in; a name that begins with an underscore is no column of the table."""
    columns = design.main_table.by_name
    has_time = "collected_at" in columns
    rows = [
        {"type": "start", "name": "_start"},
        {"type": "end", "name": "collected_at" if has_time else "_end"},
        {"type": "today", "name": _today(design)},
    ]
    if round_number is not None and "round" in columns:
        rows.append({"type": "calculate", "name": "round", "calculation": str(round_number)})
    return rows


def _today(design: FormDesign) -> str:
    return "today" if "collected_at" in design.main_table.by_name else "_today"


def _settings(design: FormDesign, version: str) -> Row:
    names = {question.column: group.name for group in design.groups for question in group.questions}
    told = next(name for name in ("khoroo", "checkpoint") if name in names)
    return {
        "form_title": f"{design.title.mn} \u00b7 {design.title.en}",
        "form_id": design.form_id,
        "version": version,
        "default_language": MONGOLIAN,
        "instance_name": f"concat('{design.form_id} ', /data/{names[told]}/{told}, ' ', /data/{_today(design)})",
    }


class _Survey:
    """Write the questions of one form."""

    def __init__(self, design: FormDesign, areas: Sequence[FormArea]) -> None:
        self._design = design
        self._paths = Paths(design)
        self._levels = {area.level for area in areas}
        self._divided = sorted({str(area.parent) for area in areas if area.level == LEVEL_KHOROO})

    def rows(self) -> Iterator[Row]:
        """Yield the rows group by group; what is computed from the position stands at the root of the form."""
        for group in self._design.groups:
            kind = "repeat" if group.is_repeat else "group"
            relevant = self._paths.resolve(group.relevant, group, on_group=True)
            head = {"type": f"begin_{kind}", "name": group.name, "relevant": relevant, "appearance": group.appearance}
            yield {**head, **_texts("label", group.label)}
            for question in group.questions:
                yield from self._question(question, group)
            yield {"type": f"end_{kind}"}
            if any(question.column == POINT for question in group.questions):
                point = f"../{group.name}/{POINT}"
                for name, place in zip(POINT_COLUMNS, (1, 0, 3), strict=True):
                    calculation = f"selected-at({point}, {place})"
                    yield {"type": "calculate", "name": name, "calculation": calculation}

    def _question(self, question: Question, group: Group) -> Iterator[Row]:
        if question.column in _UNIT_LEVELS and _UNIT_LEVELS[question.column] not in self._levels:
            return
        logic = logic_of(question, group, self._paths)
        column = group.table.by_name.get(question.column)
        if column is not None and column.kind == "place":
            yield from self._place(question, group, logic)
        else:
            yield {**self._head(question, group, logic), **self._kind(question, group)}
        for number, note in enumerate(logic.notes, 1):
            name = f"_note_{question.column.strip('_')}_{number}"
            label = Text(f"\u26a0 {note.message.mn}", f"\u26a0 {note.message.en}")
            yield {"type": "note", "name": name, "relevant": note.fails, **_texts("label", label)}

    def _head(self, question: Question, group: Group, logic: Logic) -> Row:
        row = {
            "name": question.column,
            **_texts("label", question.label),
            **_texts("hint", question.hint),
            "relevant": self._paths.resolve(question.relevant, group),
            "appearance": question.appearance,
            "default": question.default,
        }
        if logic.required:
            row |= {"required": logic.required, **_texts("required_message", logic.required_message)}
        if logic.parts:
            row |= {"constraint": logic.constraint, **_texts("constraint_message", logic.constraint_message)}
        return row

    def _kind(self, question: Question, group: Group) -> Row:
        column = group.table.by_name.get(question.column)
        if question.column == POINT:
            limits = f"capture-accuracy={GPS_ACCURACY_WANTED_M} warning-accuracy={GPS_ACCURACY_MAXIMUM_M}"
            return {"type": "geopoint", "parameters": limits}
        if column is None:
            return {"type": "note"}
        if question.column in _UNIT_LEVELS:
            above = UNIT_COLUMNS[UNIT_COLUMNS.index(question.column) - 1]
            cascade = {} if above == UNIT_COLUMNS[-1] else {"choice_filter": f"parent = current()/../{above}"}
            return {"type": f"select_one {question.column}", **cascade}
        if column.kind in {"code", "codes"}:
            return {"type": f"select_{'one' if column.kind == 'code' else 'multiple'} {column.codelist}"}
        return {"type": _TYPES[column.kind]}

    def _place(self, question: Question, group: Group, logic: Logic) -> Iterator[Row]:
        """Ask for a place level by level and give the finest answer the column's name."""
        name = question.column
        aimag, soum, khoroo = (f"_{name}_{level}" for level in (_LEVEL_AIMAG, _LEVEL_SOUM, LEVEL_KHOROO))
        head = self._head(question, group, logic)
        yield {**head, "name": aimag, "type": "select_one aimag", "appearance": "minimal"}
        yield {
            "type": "select_one soum", "name": soum, "choice_filter": f"parent = current()/../{aimag}",
            "relevant": f"../{aimag} != '' and ../{aimag} != 'abroad' and ../{aimag} != 'unknown'",
            "appearance": "minimal", **_texts("label", words()["soum"]), **_texts("hint", words()["detail_hint"]),
        }  # fmt: skip
        inner = f"../{soum}"
        if question.finest_level >= LEVEL_KHOROO and self._divided:
            inside = " or ".join(f"../{soum} = '{code}'" for code in self._divided)
            yield {
                "type": "select_one khoroo", "name": khoroo, "choice_filter": f"parent = current()/../{soum}",
                "relevant": inside, "appearance": "minimal",
                **_texts("label", words()["khoroo"]), **_texts("hint", words()["detail_hint"]),
            }  # fmt: skip
            inner = f"if(../{khoroo} != '' and starts-with(../{khoroo}, ../{soum}), ../{khoroo}, ../{soum})"
        finest = f"if(../{soum} != '' and starts-with(../{soum}, ../{aimag}), {inner}, ../{aimag})"
        yield {"type": "calculate", "name": name, "calculation": finest}


def _choices(survey: list[Row], areas: Sequence[FormArea]) -> list[Row]:
    """Return the choices of the lists that the questions use, in the order they are first asked for."""
    lists = dict.fromkeys(row["type"].split()[1] for row in survey if row["type"].startswith("select_"))
    rows: list[Row] = []
    for name in lists:
        rows += _places(name, areas) if name in {"aimag", "soum", *UNIT_COLUMNS} else _codes(name)
    return rows


def _codes(codelist: str) -> list[Row]:
    return [
        {"list_name": codelist, "name": one.code, **_texts("label", Text(one.label_mn, one.label_en))}
        for one in choices_of(codelist)
        if not one.withdrawn
    ]


def _places(name: str, areas: Sequence[FormArea]) -> list[Row]:
    units = [area.pcode for area in areas if area.level == LEVEL_KHOROO]
    own = {code[: 2 + 2 * level] for code in units for level in (_LEVEL_AIMAG, _LEVEL_SOUM)}
    level = {"aimag": _LEVEL_AIMAG, "soum": _LEVEL_SOUM, **_UNIT_LEVELS}[name]
    listed = sorted(
        (area for area in areas if area.level == level and (name != "district" or area.pcode in own)),
        key=lambda area: (area.pcode not in own, area.pcode) if name == "aimag" else (False, area.pcode),
    )
    rows = [_place_row(name, area.pcode, Text(area.name_mn, area.name_en), area.parent) for area in listed]
    if name == "aimag":
        rows += [_place_row(name, code, words()[code], None) for code in ("abroad", "unknown")]
    return rows


def _place_row(name: str, code: str, label: Text, parent: str | None) -> Row:
    return {"list_name": name, "name": code, **_texts("label", label), "parent": parent or ""}


def columns_of(rows: Sequence[Row], first: Sequence[str]) -> list[str]:
    """Return the columns of a sheet: the named ones first, then the others as they come; none that is always empty."""
    seen = dict.fromkeys([*first, *(key for row in rows for key in row)])
    return [name for name in seen if any(row.get(name) for row in rows)]


def as_workbook(sheets: Sheets) -> dict[str, Any]:
    """Return the sheets the way the converter to XForms takes them."""
    return {
        "survey": [{key: value for key, value in row.items() if value} for row in sheets.survey],
        "choices": [{key: value for key, value in row.items() if value} for row in sheets.choices],
        "settings": [sheets.settings],
    }

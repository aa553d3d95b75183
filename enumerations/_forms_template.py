"""Write a workbook to be filled in by offices without phones: one sheet a table, drop-downs, and limits on numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import xlsxwriter

from enumerations._forms_logic import message
from enumerations._forms_questions import LEVEL_KHOROO, LEVEL_SOUM, UNIT_COLUMNS, Text, designs, words
from enumerations.codelists import choices_of
from enumerations.columns import FORMS
from enumerations.errors import UnknownFormError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from enumerations._columns_common import FormColumn, FormTable
    from enumerations._forms_survey import FormArea

ROWS = {"passages": 2000, "members": 2000, "arrivals": 1500, "departures": 1500}
"""Rows of a sheet that are prepared; the other sheets have as many as there are numbers for returns."""
RETURNS = 300
"""Numbers of returns that a template offers."""
HEADER_ROW = 2
"""Row of the canonical names, counted from 0. The labels above it hold both languages in one cell, so that no reader
takes them for the header."""
LIST_SHEET, AREA_SHEET, HELP_SHEET = "_lists", "_areas", "_help"
"""Sheets that are not returns begin with an underscore."""
LARGEST_COUNT = 999_999_999
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
INPUT_TITLE_LENGTH, INPUT_TEXT_LENGTH = 32, 255
"""What Excel allows of the words at a cell."""
LEFT_OUT = ("unit", "form_version", "review_state")
"""Columns that tools fill in; an office names district, khoroo and kheseg in place of the P-code."""


@dataclass(frozen=True)
class _Book:
    """A workbook being written and where its lists stand."""

    book: Any
    lists: dict[str, str]
    labels: dict[tuple[str, str], Text]


def template_forms() -> list[str]:
    """Return the forms that have a template: each has all its tables in one workbook."""
    return list(dict.fromkeys(design.form for design in designs().values()))


def write_template(form: str, areas: Sequence[FormArea], path: Path, *, office: str) -> None:
    """Write the template of a form.

    Parameters
    ----------
    form
        Id of a form.
    areas
        Areas to choose from; may be empty, then district and khoroo are typed.
    path
        The .xlsx to write.
    office
        Begins the number of every return, so that the returns of two offices or rounds are never mixed up.

    Raises
    ------
    UnknownFormError
        No form has that id.
    """
    if form not in template_forms():
        raise UnknownFormError(f"No form is named '{form}'. Known: {', '.join(template_forms())}.")
    tables = FORMS[form]
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": datetime(2020, 1, 1, tzinfo=UTC), "title": form})
        _write_help(book.add_worksheet(HELP_SHEET), book, form, office)
        sheets = [(table, book.add_worksheet(table.name)) for table in tables]
        if areas:
            _write_areas(book.add_worksheet(AREA_SHEET), book, areas)
        lists = _write_lists(book.add_worksheet(LIST_SHEET), tables, areas, office)
        for table, sheet in sheets:
            _write_table(sheet, table, _Book(book, lists, _labels(form)))


def _labels(form: str) -> dict[tuple[str, str], Text]:
    """Return the questions of the phone's form by table and column."""
    return {
        (group.table.name, question.column): question.label
        for design in designs().values()
        if design.form == form
        for group in design.groups
        for question in group.questions
    }


def _list_of(column: FormColumn) -> str:
    if column.name == "instance_id" or column.name in UNIT_COLUMNS[:2]:
        return column.name
    return {"code": column.codelist, "yesno": "yesno"}.get(column.kind, "")


def _entries(name: str, areas: Sequence[FormArea], office: str) -> list[str]:
    """Return what a drop-down offers; codes by their Mongolian labels, which the reader knows."""
    if name == "instance_id":
        return [f"{office}-{number:03d}" for number in range(1, RETURNS + 1)]
    khoroos = [area for area in areas if area.level == LEVEL_KHOROO]
    if name == "khoroo":
        return [str(number) for number in sorted({int(area.pcode[-2:]) for area in khoroos})]
    if name == "district":
        own = {area.parent for area in khoroos}
        return [area.name_mn for area in areas if area.level == LEVEL_SOUM and area.pcode in own]
    return [choice.label_mn for choice in choices_of(name) if not choice.withdrawn]


def _write_lists(sheet: Any, tables: Sequence[FormTable], areas: Sequence[FormArea], office: str) -> dict[str, str]:
    """Write every list into a hidden sheet and return where it stands."""
    sheet.hide()
    places: dict[str, str] = {}
    names = dict.fromkeys(_list_of(column) for table in tables for column in table.columns)
    for name in (name for name in names if name):
        entries = _entries(name, areas, office)
        if entries:
            column = len(places)
            sheet.write_string(0, column, f"_{name}")
            for row, entry in enumerate(entries, 1):
                sheet.write_string(row, column, entry)
            letter = xlsxwriter.utility.xl_col_to_name(column)
            places[name] = f"={LIST_SHEET}!${letter}$2:${letter}${len(entries) + 1}"
    return places


def _write_areas(sheet: Any, book: Any, areas: Sequence[FormArea]) -> None:
    """Write the areas with their P-codes, to be looked up when a place of origin or destination is written."""
    bold = book.add_format({"bold": True})
    sheet.set_column(0, 3, 26)
    for column, head in enumerate(("P-code", "Нэр", "Name", "Дээд нэгж / Within")):
        sheet.write_string(0, column, head, bold)
    names = {area.pcode: area.name_mn for area in areas}
    for row, area in enumerate(areas, 1):
        for column, text in enumerate((area.pcode, area.name_mn, area.name_en, names.get(area.parent or "", ""))):
            sheet.write_string(row, column, text)


def _write_help(sheet: Any, book: Any, form: str, office: str) -> None:
    sheet.set_column(0, 1, 90)
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    title = designs()[form].title
    sheet.write_string(0, 0, title.mn, book.add_format({"bold": True}))
    sheet.write_string(0, 1, title.en, book.add_format({"bold": True}))
    row = 1
    while f"template_{row}" in words():
        text = words()[f"template_{row}"]
        sheet.write_string(row, 0, text.mn.replace("{office}", office), wrap)
        sheet.write_string(row, 1, text.en.replace("{office}", office), wrap)
        row += 1


def _write_table(sheet: Any, table: FormTable, book: _Book) -> None:
    columns = [column for column in table.columns if column.name not in LEFT_OUT]
    title = book.book.add_format({"bold": True, "font_size": 13})
    label = book.book.add_format({"text_wrap": True, "valign": "top", "bg_color": "#E8EEF4"})
    head = book.book.add_format({"italic": True, "font_color": "#555555", "bottom": 1})
    needed = book.book.add_format({"text_wrap": True, "valign": "top", "bg_color": "#F7E6C8", "bold": True})
    day = book.book.add_format({"num_format": "yyyy-mm-dd"})
    typed = book.book.add_format({"num_format": "@"})
    sheet.write_string(0, 0, f"{table.meaning_mn} \u00b7 {table.meaning_en}", title)
    sheet.freeze_panes(HEADER_ROW + 1, 1)
    last = HEADER_ROW + ROWS.get(table.name, RETURNS)
    for place, column in enumerate(columns):
        texts = book.labels.get((table.name, column.name), Text(column.meaning_mn, column.meaning_en))
        shown = needed if column.required else label
        sheet.write_string(1, place, f"{texts.mn}\n{texts.en}", shown)
        sheet.write_string(HEADER_ROW, place, column.name, head)
        is_day = column.kind in {"date", "timestamp"}
        is_number = column.kind in {"integer", "number"}
        sheet.set_column(place, place, 20, day if is_day else None if is_number else typed)
        rule = _validation(column, texts, book.lists)
        if rule:
            sheet.data_validation(HEADER_ROW + 1, place, last, place, rule)


def _validation(column: FormColumn, label: Text, lists: dict[str, str]) -> dict[str, Any]:
    """Return what a cell of the column accepts, with words in Mongolian for a slip and for the moment of entry."""
    name = _list_of(column)
    if name in lists:
        rule: dict[str, Any] = {"validate": "list", "source": lists[name], "error_message": words()["choose"].mn}
        rule["error_type"] = "warning" if column.name in UNIT_COLUMNS else "stop"
    elif column.kind in {"integer", "number"}:
        rule = _number_rule(column, label)
    elif column.kind in {"date", "timestamp"}:
        rule = {
            "validate": "date", "criteria": "between", "minimum": FIRST_DAY, "maximum": LAST_DAY,
            "error_message": message("not_a_date", label).mn,
        }  # fmt: skip
    else:
        rule = {"validate": "any"}
    hint = _hint(column)
    if hint:
        rule |= {"input_title": column.name[:INPUT_TITLE_LENGTH], "input_message": hint[:INPUT_TEXT_LENGTH]}
    if "error_message" in rule:
        rule["error_title"] = column.name[:INPUT_TITLE_LENGTH]
        rule["error_message"] = rule["error_message"][:INPUT_TEXT_LENGTH]
    return rule if rule != {"validate": "any"} else {}


def _number_rule(column: FormColumn, label: Text) -> dict[str, Any]:
    low = -LARGEST_COUNT if column.minimum is None else column.minimum
    high = LARGEST_COUNT if column.maximum is None else column.maximum
    is_whole = column.kind == "integer"
    limits = "" if column.maximum is None else f"{low:g} \u2013 {high:g}"
    code = "negative" if low == 0 and column.maximum is None else "out_of_range"
    return {
        "validate": "integer" if is_whole else "decimal",
        "criteria": "between",
        "minimum": int(low) if is_whole else low,
        "maximum": int(high) if is_whole else high,
        "error_message": f"{message('not_a_number', label).mn} {message(code, label, limits=limits).mn}",
    }


def _hint(column: FormColumn) -> str:
    if column.kind == "codes":
        labels = "; ".join(choice.label_mn for choice in choices_of(column.codelist))
        return f"{words()['several'].mn} {labels}"
    if column.kind == "place":
        return words()["place"].mn
    if column.name in {"enumerator", "remarks"}:
        return words()["no_names"].mn
    return ""

"""Build the forms: XLSForm workbooks for KoboToolbox, XForms for ODK Collect, templates for offices without phones."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import xlsxwriter
from pyxform.errors import PyXFormError
from pyxform.xls2xform import convert

from enumerations._forms_questions import design_of, designs
from enumerations._forms_survey import FormArea, Sheets, columns_of, lay_out
from enumerations._forms_template import template_forms, write_template
from enumerations.errors import UnusableFormError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["FormArea", "build_forms", "form_ids", "template_forms", "write_template", "write_xlsform"]

CREATED = datetime(2020, 1, 1, tzinfo=UTC)
"""Written into every workbook in place of the moment, so that equal forms are equal bytes."""
VERSION = re.compile(r"[A-Za-z0-9._-]{1,32}")
_FIRST = {"survey": ("type", "name"), "choices": ("list_name", "name"), "settings": ("form_title", "form_id")}


def form_ids() -> list[str]:
    """Return the ids of all forms that can be built."""
    return list(designs())


def build_forms(
    areas: Sequence[FormArea],
    out: Path,
    *,
    version: str | None = None,
    forms: Sequence[str] | None = None,
    round_number: int | None = None,
) -> list[Path]:
    """Write every form as an XLSForm (.xlsx) and an XForm (.xml) and return the files.

    Parameters
    ----------
    areas
        Aimags and soums of the country, and the khoroos (and khesegs) of the round.
    out
        Folder; made if it isn't there.
    version
        Version of the forms, best a date such as 2025040101; told by the content when not given.
    forms
        Ids of the forms to build; all when not given.
    round_number
        The round that the returns shall say they belong to.

    Raises
    ------
    UnknownFormError
        No form has that id.
    UnusableFormError
        The version or the areas can't be used in a form.
    """
    if version is not None and not VERSION.fullmatch(version):
        raise UnusableFormError(
            f"'{version}' is no version of a form. Write a date such as 2025040101, without blanks."
        )
    if not any(area.level == 3 for area in areas):  # noqa: PLR2004  khoroos
        raise UnusableFormError("The areas have no khoroos (level 3) to choose from. Load them with `dtm areas load`.")
    chosen = [design_of(name) for name in (forms or form_ids())]
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for design in chosen:
        workbook, xform = out / f"{design.form_id}.xlsx", out / f"{design.form_id}.xml"
        write_xlsform(lay_out(design, areas, version=version, round_number=round_number), workbook)
        xform.write_text(_converted(workbook), encoding="utf-8")
        written += [workbook, xform]
    return written


def _converted(workbook: Path) -> str:
    try:
        result = convert(workbook, validate=False, pretty_print=True)
    except PyXFormError as error:
        raise UnusableFormError(f"{workbook.name}: can't be turned into an XForm ({error}).") from error
    if result.warnings:
        raise UnusableFormError(f"{workbook.name}: {' '.join(result.warnings)}")
    return str(result.xform)


def write_xlsform(sheets: Sheets, path: Path) -> None:
    """Write the sheets of a form; no cell is taken for a formula."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": CREATED, "title": sheets.settings["form_title"]})
        bold = book.add_format({"bold": True})
        tables = {"survey": sheets.survey, "choices": sheets.choices, "settings": [sheets.settings]}
        for name, rows in tables.items():
            sheet = book.add_worksheet(name)
            columns = columns_of(rows, _FIRST[name])
            sheet.freeze_panes(1, 2)
            sheet.set_column(0, len(columns) - 1, 24)
            for place, column in enumerate(columns):
                sheet.write_string(0, place, column, bold)
                for number, row in enumerate(rows, 1):
                    if row.get(column):
                        sheet.write_string(number, place, row[column])

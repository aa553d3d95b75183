"""Put columns, values, findings and checks into words that a khoroo understands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from enumerations.codelists import load_codelists
from enumerations.columns import FORMS
from enumerations.findings import CATALOGUE, render

if TYPE_CHECKING:
    from collections.abc import Mapping

UNSAID = "…"
_EXPLAINED = re.compile("[:;,]")
"""What stands behind such a sign in the meaning of a column explains it."""
OWN_FIGURES = ("balance_residual", "change_outlier", "night_return", "repeats_earlier_round")
"""Checks over a round whose values and hints are the unit's own; those of the others may be another khoroo's."""


def _columns(form: str | None) -> dict[str, Any]:
    tables = FORMS[form] if form in FORMS else [table for tables in FORMS.values() for table in tables]
    found: dict[str, Any] = {}
    for table in tables:
        for column in table.columns:
            found.setdefault(column.name, column)
    return found


def column_words(form: str | None, field: str | None, language: str) -> str:
    """Return what columns ask, in words: `lon, lat` are two. A name that no form has stays as it is."""
    known = _columns(form)
    words = [
        str(getattr(known[name], f"meaning_{language}")) if name in known else name
        for name in (field or "").split(", ")
    ]
    return ", ".join(words)


def table_words(form: str, name: str, language: str) -> str:
    """Return what a table of a form holds, in words; one that no form has keeps its name."""
    found = [getattr(table, f"meaning_{language}") for table in FORMS.get(form, ()) if table.name == name]
    return _EXPLAINED.split(str(found[0]))[0] if found else name


def value_words(form: str | None, field: str, value: str | None, language: str) -> str | None:
    """Return a value with the label of its code, or as it is."""
    column = _columns(form).get(field)
    if value is None or column is None or not column.codelist:
        return value
    frame = load_codelists()
    found = frame[(frame["codelist"] == column.codelist) & (frame["code"] == value)]
    return str(found[f"label_{language}"].iloc[0]) if len(found) else value


def in_words(text: str, *, form: str | None, field: str | None, language: str) -> str:
    """Return a finding's message with the names of its columns in words; what explains a column is left out."""
    for name in filter(None, (field or "").split(", ")):
        words = _EXPLAINED.split(column_words(form, name, language))[0].replace("\\", "\\\\")
        here = rf"{re.escape(name)}(?![\w-])"
        text = re.sub(rf"([.?!] ){here}", rf"\g<1>{words[:1].upper()}{words[1:]}", text)
        text = re.sub(rf"(?<![\w-]){here}", words, text)
    return text[:1].upper() + text[1:]


def check_words(code: str, language: str) -> str:
    """Return what a check finds, in words, with a sign where a return's own values stand; unknown codes stay."""
    if code not in CATALOGUE:
        return code
    what = getattr(CATALOGUE[code], f"what_{language}")
    text = render(what, field=UNSAID, value=UNSAID, hint=UNSAID).replace(f"'{UNSAID}'", UNSAID)
    text = re.sub(rf"^{UNSAID}: *|\. {UNSAID}$", "", re.sub(rf" *\(({UNSAID}|, | - )+\)", "", text)).rstrip(" .:")
    return text[:1].upper() + text[1:]


def message_words(finding: Mapping[str, Any], language: str) -> str:
    """Return what a finding says, with its columns in words.

    Checks over a round compare units with others: their values and hints are left out, so that no other khoroo's
    figure is told.
    """
    field = column_words(finding["form"], finding["field"], language)
    if finding["stage"] == "round" and finding["code"] in CATALOGUE and finding["code"] not in OWN_FIGURES:
        template = CATALOGUE[finding["code"]].template(language)
        return render(template, field=field, value=UNSAID, hint=UNSAID)
    text = str(finding[f"message_{language}"])
    return in_words(text, form=finding["form"], field=finding["field"], language=language)

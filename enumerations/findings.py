"""Name what can be wrong with a return, why it matters and what to do, in English and Mongolian."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from importlib import resources

from enumerations.messages import in_language

ERROR = "error"
WARNING = "warning"
_PLACEHOLDER = re.compile(r"( \{hint\}|\{(?:field|value|hint)\})")


@dataclass(frozen=True)
class FindingKind:
    """One entry of the catalogue: a code, its severity, and what, why and cure in both languages.

    The texts may hold {field}, {value} and {hint}; any other brace is left as it stands.
    """

    code: str
    severity: str
    what_en: str
    why_en: str
    cure_en: str
    what_mn: str
    why_mn: str
    cure_mn: str

    def template(self, language: str) -> str:
        """Return the message of one language ('en' or 'mn') with its placeholders."""
        return f"{getattr(self, f'what_{language}')} {getattr(self, f'cure_{language}')}"


@dataclass(frozen=True)
class Finding:
    """One thing found, where it is, and what to do about it."""

    code: str
    severity: str
    subject: str
    file_name: str
    sheet: str | None
    row_number: int | None
    field: str | None
    value: str | None
    message_en: str
    message_mn: str


def _read_catalogue() -> dict[str, FindingKind]:
    folder = resources.files("enumerations") / "catalogue"
    kinds: dict[str, FindingKind] = {}
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".csv"):
            for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines()):
                if row["code"] in kinds:
                    raise AssertionError(f"{file.name}: the code {row['code']} is in the catalogue twice")
                kinds[row["code"]] = FindingKind(**row)
    return kinds


CATALOGUE: dict[str, FindingKind] = _read_catalogue()
"""Every finding there is, by code."""


def render(template: str, *, field: str | None = None, value: str | None = None, hint: str | None = None) -> str:
    """Fill a message; a missing or strange value never fails, unknown braces stay as they are."""
    parts = {" {hint}": hint and f" {hint}", "{field}": field, "{hint}": hint, "{value}": value}
    for mark, text in parts.items():
        template = template.replace(mark, text or "")
    return template.strip()


def make_finding(
    code: str,
    *,
    subject: str,
    file_name: str,
    sheet: str | None = None,
    row_number: int | None = None,
    field: str | None = None,
    value: str | None = None,
    hint: str | None = None,
) -> Finding:
    """Return a finding of the catalogue with both messages filled in; `value` and `hint` may be messages."""
    kind = CATALOGUE[code]
    texts = [
        render(kind.template(language), field=field, value=_told(value, language), hint=_told(hint, language))
        for language in ("en", "mn")
    ]
    return Finding(code, kind.severity, subject, file_name, sheet, row_number, field, value, texts[0], texts[1])


def _told(text: str | None, language: str) -> str | None:
    return None if text is None else in_language(text, language)


def message_sql(code: str, language: str, *, field: str, value: str, hint: str) -> str:
    """Return SQL for the message of one code; `field`, `value` and `hint` are SQL expressions of text."""
    parts = {
        "{field}": f"coalesce({field}, '')",
        "{hint}": f"coalesce({hint}, '')",
        "{value}": f"coalesce({value}, '')",
        " {hint}": f"coalesce(' ' || nullif({hint}, ''), '')",
    }
    pieces = [
        parts[piece] if piece in parts else "'" + piece.replace("'", "''") + "'"
        for piece in _PLACEHOLDER.split(CATALOGUE[code].template(language))
        if piece
    ]
    return f"trim({' || '.join(pieces)})"

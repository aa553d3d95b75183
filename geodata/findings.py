"""Say what is wrong with a file of places: where, what, why it matters and what to do, in two languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from geodata._findings_catalogue import CATALOGUE, Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Severity = Literal["error", "warning"]

__all__ = ["CATALOGUE", "AreaFinding", "Check", "Severity", "errors", "has_errors", "make"]


@dataclass(frozen=True)
class AreaFinding:
    """One finding on a file of areas, a layer or a raster.

    `feature` counts from 1 in the order of the file; None where the finding is about the file as a whole.
    """

    code: str
    severity: Severity
    file_name: str
    layer: str | None
    feature: int | None
    field: str | None
    value: str | None
    message_en: str
    message_mn: str


class _Blank:
    """Stand in for a detail that was not given, whatever format it is asked in."""

    def __format__(self, spec: str) -> str:
        return "?"


class _Details(dict[str, Any]):
    def __missing__(self, key: str) -> _Blank:
        return _Blank()


class _Lenient:
    """Format a value as asked, or plainly when its type does not take the format."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __format__(self, spec: str) -> str:
        try:
            return format(self.value, spec)
        except (TypeError, ValueError):
            return str(self.value)


def make(
    code: str,
    *,
    file_name: str,
    layer: str | None = None,
    feature: int | None = None,
    field: str | None = None,
    value: object = None,
    severity: Severity | None = None,
    **details: object,
) -> AreaFinding:
    """Make the finding `code` of the catalogue; a detail the text asks for and that is missing shows as '?'.

    `severity` overrides the catalogue's. Raises KeyError for a code that the catalogue doesn't have.
    """
    check = CATALOGUE[code]
    known = _Details({key: _Lenient(given) for key, given in details.items() if given is not None})
    shown = None if value is None else str(value)
    for key, given in (("file", file_name), ("layer", layer), ("feature", feature), ("field", field), ("value", shown)):
        if given is not None:
            known[key] = given
    return AreaFinding(
        code=code,
        severity=severity or check.severity,
        file_name=file_name,
        layer=layer,
        feature=feature,
        field=field,
        value=shown,
        message_en=_sentence(check.what_en, check.why_en, check.cure_en, known),
        message_mn=_sentence(check.what_mn, check.why_mn, check.cure_mn, known),
    )


def errors(findings: Iterable[AreaFinding]) -> list[AreaFinding]:
    """Return the findings that forbid loading."""
    return [finding for finding in findings if finding.severity == "error"]


def has_errors(findings: Iterable[AreaFinding]) -> bool:
    """Say whether a finding forbids loading."""
    return bool(errors(findings))


def _sentence(what: str, why: str, cure: str, details: Mapping[str, Any]) -> str:
    return " ".join(part.format_map(details) for part in (what, why, cure) if part)

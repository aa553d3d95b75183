"""Find the header among the first rows of a file, also by the row of HXL tags that humanitarian files carry."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from enumerations._headers import Header, count_known, recognise
from enumerations._names import keys_of, plain
from enumerations.columns import PUBLISHED
from enumerations.errors import WrongFileTypeError
from enumerations.messages import message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from enumerations._headers import FormChoice

HEADER_ROWS_MAXIMUM: Final = 25
"""The header and the row of tags are looked for in this many rows; titles may stand above them."""
TAGS_MINIMUM: Final = 2
COLUMNS_MAXIMUM: Final = 4_000
"""Columns of one header; an export with a column for each choice comes to some hundreds."""
KNOWN_MINIMUM: Final = 3
"""Known names that make a row the header even if it is not the one above the tags."""
_TAG: Final = re.compile(r"#[A-Za-z]\w*(\s*\+\s*\w+)*")
_CODE: Final = {"code", "pcode", "iso3", "id"}
_WHOLE: Final = {"affected", "population", "ind", "idps", "displaced", "num", "total", "present"}


def check_width(columns: int, place: str) -> None:
    """Raise `WrongFileTypeError` for a header that no form has."""
    if columns > COLUMNS_MAXIMUM:
        raise WrongFileTypeError(message("header_too_wide", place=place, columns=columns, most=COLUMNS_MAXIMUM))


@dataclass(frozen=True)
class HeaderRows:
    """Where the header is: its names, the tags if there are any, and the rows (from 0) that hold the two."""

    names: list[str]
    tags: list[str] | None
    header_row: int
    tags_row: int | None

    def is_data(self, row: int) -> bool:
        """Say whether a row (from 0) can hold a record."""
        return row > self.header_row and row != self.tags_row


def is_tag_row(cells: Sequence[str]) -> bool:
    """Say whether every cell of a row that is not blank is an HXL tag."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return len(filled) >= TAGS_MINIMUM and all(_TAG.fullmatch(cell) for cell in filled)


def find_header(rows: Sequence[Sequence[str]], form: FormChoice) -> HeaderRows:
    """Return the header among the first rows of a file.

    The row above the tags is the header, or the row below tags that stand first; without tags, or where another row
    has more known names, the row with the most known names is. A file may have tags and no header.
    """
    head = [list(row) for row in rows[:HEADER_ROWS_MAXIMUM]]
    tagged = next((number for number, row in enumerate(head) if is_tag_row(row)), None)
    known = [count_known(row, form=form) if number != tagged else 0 for number, row in enumerate(head)]
    best = _best(head, known)
    if tagged is None:
        return HeaderRows(head[best] if head else [], None, best, None)
    tags = [cell.strip() for cell in head[tagged]]
    if known[best] >= KNOWN_MINIMUM:
        return HeaderRows(head[best], tags, best, tagged)
    above = tagged - 1
    if above >= 0 and sum(bool(cell.strip()) for cell in head[above]) >= TAGS_MINIMUM:
        return HeaderRows(head[above], tags, above, tagged)
    return HeaderRows(tags, tags, tagged, tagged)


def _best(head: list[list[str]], known: list[int]) -> int:
    """Return the row with the most known names, or the first that holds anything if hardly any is known."""
    best = max(range(len(head)), key=known.__getitem__, default=0)
    if head and known[best] >= KNOWN_MINIMUM - 1:
        return best
    return next((number for number, row in enumerate(head) if any(cell.strip() for cell in row)), 0)


def recognise_rows(found: HeaderRows, *, form: FormChoice, place: str) -> Header:
    """Return the header's table; columns whose name is unknown are recognised by their tags.

    Raises
    ------
    EnumerationsError
        As `recognise`.
    """
    if getattr(form, "mapping", None) is not None or getattr(form, "is_survey", False):
        return recognise(found.names, form=form, place=place)
    names = found.names
    if found.tags is not None:
        translated = _translated(found)
        if count_known(translated, form=form) > count_known(names, form=form):
            names = translated
    columns = {keys_of(PUBLISHED)[plain(name)][0] for name in names if plain(name) in keys_of(PUBLISHED)}
    if columns >= _PLACED and "adminLevel" not in columns:
        header = _with_level(recognise([*names, "adminLevel"], form=form, place=place))
    else:
        header = recognise(names, form=form, place=place)
    return replace(header, names=tuple(found.names))


_PLACED: Final = {"numPresentIdpInd", "admin0Pcode", "roundNumber"}


def _with_level(header: Header) -> Header:
    """Return a published header whose level is that of the finest code in each row."""
    cases = [
        f"WHEN nullif(trim({cell}), '') IS NOT NULL THEN '{level}'"
        for level in (2, 1)
        if (cell := header.source(f"admin{level}Pcode"))
    ]
    level_sql = f"CASE {' '.join(cases)} ELSE '0' END" if cases else "'0'"
    positions = {name: position for name, position in header.positions.items() if name != "adminLevel"}
    return replace(header, positions=positions, expressions={**header.expressions, "adminLevel": level_sql})


def _translated(found: HeaderRows) -> list[str]:
    tags = [*(found.tags or []), *[""] * len(found.names)][: len(found.names)]
    known = keys_of(PUBLISHED)
    taken = {known[plain(name)][0] for name in found.names if plain(name) in known}
    names = []
    for name, tag in zip(found.names, tags, strict=True):
        meant = column_of_tag(tag)
        if meant is None or meant in taken or plain(name) in known:
            names.append(name)
        else:
            taken.add(meant)
            names.append(meant)
    return names


def column_of_tag(tag: str) -> str | None:
    """Return the published column that an HXL tag means, for example `#affected+idps+f`: numberFemales."""
    word, *rest = [part.strip().casefold() for part in tag.strip().lstrip("#").split("+")]
    reader = _TAG_READERS.get(word)
    return reader(word, set(rest)) if reader else None


def _area_of(word: str, attributes: set[str]) -> str | None:
    is_code = bool(attributes & _CODE)
    if attributes & {"dest", "destination"}:
        return None
    if "origin" in attributes:
        return ("idpOriginAdmin1Pcode" if is_code else "idpOriginAdmin1Name") if word == "adm1" else None
    level = "0" if word == "country" else word[-1]
    return f"admin{level}Pcode" if is_code else f"admin{level}Name"


def _count_of(word: str, attributes: set[str]) -> str | None:
    if word == "population" and not attributes & {"idps", "displaced"}:
        return None
    rest = attributes - _WHOLE
    if not rest:
        return "numPresentIdpInd"
    if rest <= {"m", "male", "males"}:
        return "numberMales"
    return "numberFemales" if rest <= {"f", "female", "females"} else None


def _date_of(_word: str, attributes: set[str]) -> str | None:
    if "year" in attributes:
        return "yearReportingDate"
    if "month" in attributes:
        return "monthReportingDate"
    return "reportingDate" if attributes <= {"reported", "survey", "start", "reference"} else None


_TAG_READERS: Final[dict[str, Callable[[str, set[str]], str | None]]] = {
    **dict.fromkeys(("country", "adm0", "adm1", "adm2"), _area_of),
    **dict.fromkeys(("affected", "population"), _count_of),
    **dict.fromkeys(("adm", "geo"), lambda _word, attributes: "adminLevel" if "level" in attributes else None),
    "date": _date_of,
    "meta": lambda _word, attributes: "roundNumber" if "round" in attributes else None,
    "operation": lambda _word, attributes: "operationStatus" if "status" in attributes else "operation",
    "round": lambda _word, _attributes: "roundNumber",
    "cause": lambda _word, _attributes: "displacementReason",
    "assessment": lambda _word, _attributes: "assessmentType",
    "id": lambda _word, _attributes: "id",
}

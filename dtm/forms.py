"""Build forms and templates that offer the areas of the warehouse."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from xlsxwriter.exceptions import FileCreateError

from dtm.errors import UnknownAreaSetError, WrongUseError
from enumerations.forms import FormArea, build_forms, form_ids, template_forms, write_template
from geodata.pcodes import CAPITAL_PCODE, places

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dtm.engine import Connection

LEVEL_KHOROO, LEVEL_KHESEG = 3, 4
OFFICE_BYTES = 3
"""Chance in the number of a template, so that the returns of two templates never have the same numbers."""
OFFICE = re.compile(r"[A-Za-z0-9-]{1,20}")
_WORDS = {LEVEL_KHOROO: ("-р хороо", "Khoroo "), LEVEL_KHESEG: ("-р хэсэг", "Kheseg ")}


def form_areas(connection: Connection, area_set: str) -> list[FormArea]:
    """Return the places a form offers: aimags and soums of the country, the set's khoroos, and their khesegs if loaded.

    Raises
    ------
    UnknownAreaSetError
        The warehouse has no such set.
    WrongUseError
        Its areas are not khoroos.
    """
    row = connection.execute(
        "SELECT level, version FROM area_set WHERE area_set = ? ORDER BY version DESC LIMIT 1", [area_set]
    ).fetchone()
    if row is None:
        raise UnknownAreaSetError(f"No area set is named '{area_set}'. `dtm areas list` shows the sets there are.")
    if row[0] != LEVEL_KHOROO:
        raise WrongUseError(f"'{area_set}' holds areas of level {row[0]}; forms are built on khoroos (level 3).")
    finer = connection.execute(
        "SELECT area_set, version FROM area_set WHERE parent_set = ? AND level = ? "
        "ORDER BY valid_from DESC, loaded_at DESC, version DESC LIMIT 1",
        [area_set, LEVEL_KHESEG],
    ).fetchone()
    khoroos = _units(connection, area_set, row[1])
    khesegs = _units(connection, *finer) if finer else []
    known = {area.pcode for area in khoroos}
    return [
        *_places({str(area.parent) for area in khoroos}),
        *khoroos,
        *(one for one in khesegs if one.parent in known),
    ]


def _units(connection: Connection, area_set: str, version: int) -> list[FormArea]:
    rows = connection.execute(
        "SELECT pcode, level, number, name_mn, name_en FROM area WHERE area_set = ? AND version = ? ORDER BY pcode",
        [area_set, version],
    ).fetchall()
    units = []
    for pcode, level, number, name_mn, name_en in rows:
        words = _WORDS[level]
        count = number or int(pcode[-2:])
        units.append(
            FormArea(pcode, level, pcode[:-2], name_mn or f"{count}{words[0]}", name_en or f"{words[1]}{count}")
        )
    return units


def _places(districts: set[str]) -> list[FormArea]:
    """Return aimags and soums; a district of the city says so, because soums and an aimag share the names."""
    listed = []
    for row in places().itertuples():
        kind = (" дүүрэг", " district") if row.parent_pcode == CAPITAL_PCODE else ("", "")
        listed.append(
            FormArea(
                str(row.pcode),
                int(str(row.level)),
                str(row.parent_pcode) or None,
                f"{row.name_mn}{kind[0]}",
                f"{row.name_en}{kind[1]}",
            )
        )
    known = {area.pcode for area in listed}
    return listed + [FormArea(code, 2, code[:-2], code, code) for code in sorted(districts - known)]


def build(
    connection: Connection,
    *,
    area_set: str,
    out: Path,
    forms: Sequence[str] | None = None,
    round_number: int | None = None,
    version: str | None = None,
) -> list[Path]:
    """Write the forms for the areas of a set and return the files; see `enumerations.forms.build_forms`."""
    _check_names(forms or [], form_ids())
    areas = form_areas(connection, area_set)
    try:
        return build_forms(areas, out, version=version, forms=forms, round_number=round_number)
    except OSError as error:
        raise WrongUseError(f"{out}: the forms can't be written there ({error.strerror}). Name a folder.") from error


def template(
    connection: Connection, *, form: str, out: Path, area_set: str | None = None, office: str | None = None
) -> str:
    """Write the template of a form for an office without phones and return what its numbers of returns begin with."""
    office = office or secrets.token_hex(OFFICE_BYTES).upper()
    if out.suffix.casefold() != ".xlsx":
        raise WrongUseError(f"{out.name}: a template is an Excel workbook; give a name that ends in .xlsx.")
    if not OFFICE.fullmatch(office):
        raise WrongUseError(f"'{office}' can't begin a number: use up to 20 Latin letters, digits and hyphens.")
    _check_names([form], template_forms())
    areas = form_areas(connection, area_set) if area_set else []
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_template(form, areas, out, office=office)
    except (OSError, FileCreateError) as error:
        raise WrongUseError(f"{out}: the workbook can't be written ({error}). Is it open in Excel?") from error
    return office


def _check_names(forms: Sequence[str], known: Sequence[str]) -> None:
    for form in forms:
        if form not in known:
            raise WrongUseError(f"No form is named '{form}'. Known: {', '.join(known)}.")

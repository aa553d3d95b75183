"""Resolve the areas that returns name: reporting units, origins and destinations."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from enumerations.lookups import SUGGESTIONS_MAXIMUM, Resolved
from geodata.pcodes import as_pcode, is_listed, level_of, match_name, places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dtm._imports_job import TableJob
    from dtm.engine import Connection

CITY = "MN11"
UNIT_SEPARATOR = chr(31)
UNIT_FIELDS = ("unit", "district", "khoroo", "kheseg")
LEVEL_DISTRICT, LEVEL_KHOROO = 2, 3
_SPECIAL = {
    "abroad": "abroad", "гадаад": "abroad", "гадаадад": "abroad", "гадаад улс": "abroad", "foreign": "abroad",
    "unknown": "unknown", "тодорхойгүй": "unknown", "мэдэхгүй": "unknown", "not known": "unknown",
}  # fmt: skip


def _number(text: str) -> int | None:
    found = re.search(r"\d+", text)
    return int(found.group()) if found and 1 <= int(found.group()) <= 99 else None  # noqa: PLR2004  two digits


def _written_pcode(text: str) -> str | None:
    return as_pcode(text) if text.strip()[:2].upper() == "MN" else None


def _inside(parent: str | None, text: str) -> str | None:
    """Return the khoroo or kheseg of a parent by its P-code or number; the parent itself for no text."""
    code = _written_pcode(text)
    if code or not text:
        return code or parent
    number = _number(text)
    return f"{parent}{number:02d}" if parent and number else None


def _unit_of(raw: str) -> str | None:
    unit, district, khoroo, kheseg = (part.strip() for part in raw.split(UNIT_SEPARATOR))
    if unit:
        return as_pcode(unit)
    parent = None
    if district:
        parent = _written_pcode(district) or match_name(district, parent=CITY, level=LEVEL_DISTRICT)
        parent = parent or match_name(district, level=LEVEL_DISTRICT)
        if parent is None:
            return None
    if kheseg and not khoroo and not _written_pcode(kheseg):
        return None
    return _inside(_inside(parent, khoroo), kheseg)


def resolve_units(raws: list[str]) -> list[Resolved]:
    """Resolve what a return says it is from: a P-code, or district, khoroo and kheseg."""
    hint = "(MN11070103)"
    return [Resolved(code, None if code else hint) for code in map(_unit_of, raws)]


def unit_key_sql(source: Callable[[str], str | None]) -> str:
    """Return SQL that joins the columns which name a unit; null where all are empty."""
    parts = [f"coalesce(trim({source(name)}), '')" if source(name) else "''" for name in UNIT_FIELDS]
    joined = ", ".join(parts)
    return f"nullif(concat_ws(chr(31), {joined}), repeat(chr(31), {len(parts) - 1}))"


def known_khoroos(connection: Connection) -> set[str]:
    """Return every area of level 3 that any loaded area set has."""
    return {row[0] for row in connection.execute("SELECT DISTINCT pcode FROM area WHERE level = 3").fetchall()}


def _listed(code: str, khoroos: set[str], finest: int) -> str | None:
    code = code[: 2 + 2 * min(finest, LEVEL_KHOROO)]
    while level_of(code) > 0:
        if code in khoroos or is_listed(code):
            return code
        if level_of(code) < LEVEL_KHOROO:
            return None  # a code of level 1 or 2 that isn't listed is a slip, not a detail
        code = code[:-2]
    return None


def _place_of(raw: str, khoroos: set[str], finest: int) -> str | None:
    text = raw.strip()
    special = _SPECIAL.get(text.casefold())
    if special:
        return special
    code = _written_pcode(text)
    if code:
        return _listed(code, khoroos, finest)
    whole = match_name(text)
    if whole or not re.search(r"[,/;]", text):
        return whole
    parent = None
    for part in re.split(r"[,/;]", text):
        if not part.strip():
            continue
        child = match_name(part.strip(), parent=parent) if parent else match_name(part.strip())
        if child is None and parent and level_of(parent) == LEVEL_DISTRICT and _number(part):
            child = _listed(f"{parent}{_number(part):02d}", khoroos, finest)
        if child is None:
            return None
        parent = child
    return _listed(parent, khoroos, finest) if parent else None


def resolve_places(connection: Connection, *, finest: int) -> Callable[[list[str]], list[Resolved]]:
    """Return the resolver of origins and destinations, down to level `finest`."""
    khoroos = known_khoroos(connection) if finest >= LEVEL_KHOROO else set()

    def resolve(raws: list[str]) -> list[Resolved]:
        names = _names()
        resolved, suggested = [], 0
        for raw in raws:
            code = _place_of(raw, khoroos, finest)
            hint = None
            if code is None and suggested < SUGGESTIONS_MAXIMUM:
                suggested += 1
                close = get_close_matches(raw.strip().casefold(), list(names), n=1)
                hint = f"({names[close[0]]}?)" if close else None
            resolved.append(Resolved(code, hint))
        return resolved

    return resolve


def _names() -> dict[str, str]:
    frame = places()
    names: dict[str, str] = {}
    for code, name_mn, name_en in zip(frame["pcode"], frame["name_mn"], frame["name_en"], strict=True):
        for text in (code, name_mn, name_en):
            names.setdefault(str(text).casefold(), f"{name_en} {code}")
    return names


def check_units(job: TableJob) -> None:
    """Find the area of each declared unit in its round's set; set aside the records whose unit isn't there."""
    job.run(f"CREATE OR REPLACE TEMP TABLE {job.checked}_unit (place_round INTEGER, unit VARCHAR, area_pcode VARCHAR)")
    told = job.run(f"SELECT DISTINCT place_round FROM {job.kept} WHERE unit IS NOT NULL").fetchall()
    for one in job.rounds.all:
        if (one.number,) in told:
            job.run(
                f"""INSERT INTO {job.checked}_unit
                WITH told AS (
                    SELECT DISTINCT unit, left(unit, $length) AS area_pcode FROM {job.kept}
                    WHERE place_round = $number AND unit IS NOT NULL AND length(unit) IN ($length, $length + 2)
                ), newest AS (
                    SELECT area_set, version FROM area_set WHERE parent_set = $area_set AND level = $level + 1
                    ORDER BY valid_from DESC, loaded_at DESC, version DESC LIMIT 1
                ), finer AS (SELECT pcode FROM area JOIN newest USING (area_set, version))
                SELECT $number, unit, area_pcode FROM told
                WHERE area_pcode IN (SELECT pcode FROM area WHERE area_set = $area_set AND version = $version)
                AND (unit = area_pcode OR unit IN (SELECT pcode FROM finer)
                     OR area_pcode NOT IN (SELECT left(pcode, $length) FROM finer))""",
                {
                    "length": 2 + 2 * one.level,
                    "number": one.number,
                    "area_set": one.area_set,
                    "version": one.version,
                    "level": one.level,
                },
            )
    unknown = f"""SELECT record, unit, place_round FROM {job.kept}
        ANTI JOIN {job.checked}_unit USING (place_round, unit) WHERE unit IS NOT NULL"""
    strange = [row[0] for row in job.run(f"SELECT DISTINCT unit FROM ({unknown})").fetchall()]
    if strange:
        _suggest_units(job, strange)
        job.find(
            "unknown_area",
            f"SELECT record, 'unit' AS field, unit AS value, hint FROM ({unknown}) "
            f"LEFT JOIN {job.checked}_near USING (unit)",
        )
        job.run(f"DROP TABLE {job.checked}_near")


def _suggest_units(job: TableJob, strange: Iterable[str]) -> None:
    rows = job.run(
        "SELECT DISTINCT pcode FROM area JOIN (SELECT area_set, area_set_version AS version FROM round) r "
        "USING (area_set, version)"
    ).fetchall()
    known = [row[0] for row in rows]
    near = []
    for unit in list(strange)[:SUGGESTIONS_MAXIMUM]:
        close = get_close_matches(unit, known, n=1)
        near.append((unit, f"({close[0]}?)" if close else None))
    job.run(f"CREATE OR REPLACE TEMP TABLE {job.checked}_near (unit VARCHAR, hint VARCHAR)")
    job.connection.executemany(f"INSERT INTO {job.checked}_near VALUES (?, ?)", near)

"""Declare what a mapping file says, and read it from TOML with every mistake named by its line."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from enumerations.columns import FORMS
from enumerations.errors import MappingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from enumerations.columns import FormTable

POINT = "geopoint"
"""Stands for lon, lat and accuracy_m: the name of a question that took a GPS point."""
UNITS = {
    "hundreds": 100.0, "thousands": 1000.0, "dozens": 12.0, "percent": 0.01, "km": 1000.0, "cm": 0.01,
    "feet": 0.3048, "minutes": 1 / 60, "days": 24.0, "months": 1 / 12,
}  # fmt: skip
"""Units of their numbers and what to multiply them by: persons, households, metres, hours and years are ours."""
_RULE_KEYS = {
    "column", "columns", "sum", "join", "separator", "constant", "default", "factor", "unit", "codes", "date", "zone",
}  # fmt: skip
_TABLE_KEYS = {"source", "columns", "ignore", "not_asked"}
_FORM_KEYS = {"name", "title", "date", "zone"}
_ZONE = re.compile(r"Z|UTC|[+-]\d\d:\d\d|[A-Z][A-Za-z_]+(/[A-Za-z_+-]+)+")


@dataclass(frozen=True)
class FieldRule:
    """Where one of our columns comes from; `how` is one, sum or join of `sources`, or a constant."""

    column: str
    sources: tuple[str, ...] = ()
    how: str = "one"
    constant: str = ""
    separator: str = " "
    default: str = ""
    factor: float = 1.0
    codes: dict[str, str] = field(default_factory=dict)
    dates: tuple[str, ...] = ()
    zone: str = ""


@dataclass(frozen=True)
class TableRule:
    """How one table of theirs becomes one of ours; `source` is the sheet, repeat or file it usually comes in."""

    table: FormTable
    source: str
    fields: dict[str, FieldRule]
    ignore: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Text:
    """The text of a mapping file, to tell lines by."""

    text: str
    name: str

    def fail(self, section: str, key: str, words: str) -> MappingError:
        """Return the error for a key of a section."""
        line = self._line(section, key)
        shown = f"[{section}] {key}".strip()
        return MappingError(f"{self.name}, line {line}, {shown}: {words}")

    def _line(self, section: str, key: str) -> int:
        current, best = "", 1
        for number, line in enumerate(self.text.splitlines(), 1):
            header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line)
            if header:
                current = header[1].replace('"', "")
                best = number if current == section else best
            elif current == section and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
                return number
        return best


def read_rules(text: str, *, name: str) -> tuple[str, list[TableRule]]:
    """Return the form and the tables of a mapping file's text.

    Raises
    ------
    MappingError
        The text is no TOML, or says what no mapping can.
    """
    source = _Text(text, name)
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise MappingError(f"{name}: not readable as TOML: {error}. Correct that line.") from error
    _check_keys(source, "", document, {"form", "tables"})
    form = _section(source, "form", document.get("form", {}))
    _check_keys(source, "form", form, _FORM_KEYS)
    if form.get("name") not in FORMS:
        known = ", ".join(FORMS)
        raise source.fail("form", "name", f"must be one of our forms: {known}. Found: {form.get('name')!r}.")
    dates = _dates(source, "form", form)
    zone = _zone(source, "form", form)
    tables = {table.name: table for table in FORMS[form["name"]]}
    rules = []
    for table_name, content in _section(source, "tables", document.get("tables", {})).items():
        section = f"tables.{table_name}"
        if table_name not in tables:
            raise source.fail(section, "", f"form {form['name']} has no such table. Known: {', '.join(tables)}.")
        rules.append(_read_table(source, section, tables[table_name], _section(source, section, content), dates, zone))
    if not rules:
        raise MappingError(f"{name}: there is no section [tables.NAME.columns]. Tables: {', '.join(tables)}.")
    return form["name"], rules


def _section(source: _Text, section: str, content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise source.fail(section, "", "must be a section with keys of its own, such as [form] or [tables.NAME].")
    return content


def _check_keys(source: _Text, section: str, content: dict[str, Any], known: Iterable[str]) -> None:
    for key in content:
        if key not in known:
            close = get_close_matches(key, list(known), n=1)
            meant = f" Is '{close[0]}' meant?" if close else ""
            raise source.fail(section, key, f"unknown key.{meant} Known: {', '.join(sorted(known))}.")


def _dates(source: _Text, section: str, content: dict[str, Any], key: str = "date") -> tuple[str, ...]:
    told = content.get("date", [])
    dates = [told] if isinstance(told, str) else told
    if not isinstance(dates, list) or not all(isinstance(one, str) and "%" in one for one in dates):
        raise source.fail(section, key, "the date format is written like '%d.%m.%Y' (or a list of formats).")
    return tuple(dates)


def _zone(source: _Text, section: str, content: dict[str, Any], key: str = "zone") -> str:
    zone = content.get("zone", "")
    if zone and not (isinstance(zone, str) and _ZONE.fullmatch(zone)):
        raise source.fail(section, key, f"{zone!r} is no time zone. Write '+08:00', 'UTC' or 'Asia/Ulaanbaatar'.")
    return str(zone)


def _texts(source: _Text, section: str, key: str, told: Any, words: str) -> tuple[str, ...]:
    texts = [told] if isinstance(told, str) else told
    if not isinstance(texts, list) or not texts or not all(isinstance(one, str) and one.strip() for one in texts):
        raise source.fail(section, key, words)
    return tuple(texts)


def _read_table(
    source: _Text, section: str, table: FormTable, content: dict[str, Any], dates: tuple[str, ...], zone: str
) -> TableRule:
    _check_keys(source, section, content, _TABLE_KEYS)
    columns = _section(source, f"{section}.columns", content.get("columns", {}))
    where = f"{section}.columns"
    fields: dict[str, FieldRule] = {}
    for ours, told in columns.items():
        if ours not in table.by_name and not (ours == POINT and "lon" in table.by_name):
            close = get_close_matches(ours, table.column_names, n=1)
            meant = f" Is '{close[0]}' meant?" if close else f" Known: {', '.join(table.column_names)}."
            raise source.fail(where, ours, f"table {table.name} has no such column.{meant}")
        fields[ours] = _read_field(source, where, ours, told, dates, zone)
    ignored = content.get("ignore", [])
    ignore = _texts(source, section, "ignore", ignored, "a list of their columns is needed.") if ignored else ()
    asked = content.get("not_asked", [])
    not_asked = _texts(source, section, "not_asked", asked, "a list of our columns is needed.") if asked else ()
    for column in not_asked:
        if column not in table.by_name or column == "instance_id":
            raise source.fail(section, "not_asked", f"'{column}' is no column that may be missing.")
    told_source = content.get("source", "")
    if not isinstance(told_source, str):
        raise source.fail(section, "source", "the name of the sheet, repeat or file is needed.")
    return TableRule(table, told_source, fields, ignore, not_asked)


def _read_field(source: _Text, section: str, ours: str, told: Any, dates: tuple[str, ...], zone: str) -> FieldRule:
    if isinstance(told, str):
        told = {"column": told}
    if not isinstance(told, dict):
        raise source.fail(section, ours, 'write their column in quotes, or { column = "...", ... }.')
    _check_keys(source, section, told, _RULE_KEYS) if not told.keys() <= _RULE_KEYS else None
    ways = [key for key in ("column", "columns", "sum", "join", "constant") if key in told]
    if len(ways) != 1:
        raise source.fail(section, ours, "one of column, sum, join or constant is needed, and only one.")
    way = ways[0]
    words = 'their columns are written in quotes: "a" or ["a", "b"].'
    sources = () if way == "constant" else _texts(source, section, ours, told[way], words)
    return FieldRule(
        ours,
        sources,
        {"column": "one", "columns": "one"}.get(way, way),
        str(told.get("constant", "")),
        str(told.get("separator", " ")),
        str(told.get("default", "")),
        _factor(source, section, ours, told),
        _codes(source, section, ours, told),
        _dates(source, section, told, ours) or dates,
        _zone(source, section, told, ours) or zone,
    )


def _factor(source: _Text, section: str, ours: str, told: dict[str, Any]) -> float:
    unit, factor = told.get("unit"), told.get("factor", 1.0)
    if unit is not None and unit not in UNITS:
        raise source.fail(section, ours, f"unit {unit!r} is not known: {', '.join(UNITS)}; or write factor = NUMBER.")
    if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0 < abs(factor) < 1e12:  # noqa: PLR2004
        raise source.fail(section, ours, f"factor {factor!r} must be a number other than 0.")
    return float(factor) * UNITS.get(str(unit), 1.0)


def _codes(source: _Text, section: str, ours: str, told: dict[str, Any]) -> dict[str, str]:
    codes = told.get("codes", {})
    if not isinstance(codes, dict) or not all(isinstance(one, str) for one in codes.values()):
        raise source.fail(section, ours, 'codes are written as { "their code" = "our code", ... }.')
    return {key.strip().casefold(): value for key, value in codes.items()}

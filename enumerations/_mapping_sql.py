"""Turn the rules of a mapping into SQL over the columns as they were sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from enumerations._fields import choices_sql, merged_sql, point_sql, quote
from enumerations._names import plain, point_part, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enumerations._mapping_rules import FieldRule
    from enumerations.columns import FormColumn

_JOINT = re.compile(r"[/.:-]+|__+")
_ZONED = r"'(Z|z|[+-]\d\d(:?\d\d)?)\s*$'"
PLAIN_TIME_CHARACTERS = 19
"""Characters of year-month-day and time to the second; a time with a zone is longer."""


def shape(name: str) -> str:
    """Return what the spellings of one of their columns have in common: group/question in small letters.

    `place-khoroo`, `place/khoroo`, `place.khoroo` and `Place/Khoroo` are one, as are the parts of a point and the
    server's own columns in the OData answers and CSV exports of ODK Central.
    """
    part = point_part(name)
    if part:
        return f"{part[0]}/{part[1]}"
    text = name.replace("\ufeff", "").strip().casefold()
    text = {"__id": "key", "_submission__uuid": "parent_key"}.get(text, text)
    text = text.removeprefix("__system/")
    if text.startswith("_"):
        return text
    return _JOINT.sub("/", " ".join(text.split())).replace(" ", "_")


class Columns:
    """The columns of a header, found by the names that a mapping uses for them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._shapes: dict[str, list[int]] = {}
        self._tails: dict[str, list[int]] = {}
        for position, name in enumerate(names):
            if name.strip():
                one = shape(name)
                self._shapes.setdefault(one, []).append(position)
                self._tails.setdefault(one.rsplit("/", 1)[-1], []).append(position)

    def find(self, name: str) -> list[int]:
        """Return the positions of a column; several where several versions of a form asked the question."""
        exact = [position for position, one in enumerate(self.names) if one.strip() == name.strip()]
        if exact:
            return exact
        wanted = shape(name)
        if wanted in self._shapes:
            return self._shapes[wanted]
        tail = wanted.rsplit("/", 1)[-1]
        ends = self._tails.get(tail, [])
        if "/" in wanted:  # the file may have been exported without groups
            ends = [position for position in ends if shape(self.names[position]) == tail]
        return ends if len(ends) == 1 else []

    def choices(self, name: str) -> list[tuple[int, str]]:
        """Return position and choice of the columns that a select-multiple was split into."""
        start = shape(name) + "/"
        return [
            (position, _JOINT.split(self.names[position])[-1])
            for one, positions in self._shapes.items()
            if one.startswith(start) and "/" not in one[len(start) :]
            for position in positions
        ]


def _number(cell: str) -> str:
    return f"TRY_CAST({cell} AS DOUBLE)"


def _shown(number: str) -> str:
    return f"format('{{:.15g}}', {number})"


def _sum_sql(cells: Sequence[str]) -> str:
    """Return SQL for the sum of the cells that are filled; text among them stays, for the check to find."""
    filled = [f"nullif(trim({cell}), '')" for cell in cells]
    odd = " OR ".join(f"({cell} IS NOT NULL AND {_number(cell)} IS NULL)" for cell in filled)
    total = " + ".join(f"coalesce({_number(cell)}, 0)" for cell in filled)
    return (
        f"CASE WHEN coalesce({', '.join(filled)}) IS NULL THEN NULL WHEN {odd} THEN concat_ws(' + ', "
        f"{', '.join(filled)}) ELSE {_shown(total)} END"
    )


def _codes_sql(cell: str, codes: dict[str, str], *, multiple: bool) -> str:
    def one(said: str, otherwise: str) -> str:
        whens = " ".join(f"WHEN {quote(theirs)} THEN {quote(ours)}" for theirs, ours in codes.items())
        return f"CASE lower(trim({said})) {whens} ELSE {otherwise} END"

    if not multiple:
        return one(cell, cell)
    parts = f"list_filter(string_split_regex(trim({cell}), '[,;\\s]+'), lambda part: part <> '')"
    return f"array_to_string(list_transform({parts}, lambda part: {one('part', 'part')}), ' ')"


def _date_sql(cell: str, formats: Sequence[str]) -> str:
    told = ", ".join(quote(one) for one in formats)
    return f"coalesce(strftime(try_strptime(trim({cell}), [{told}]), '%Y-%m-%dT%H:%M:%S'), {cell})"


def _zone_sql(cell: str, zone: str) -> str:
    """Return SQL that gives a time without a zone its zone."""
    moment = f"TRY_CAST({cell} AS TIMESTAMP)"
    if re.fullmatch(r"[+-]\d\d:\d\d", zone):
        stamped = f"strftime({moment}, '%Y-%m-%dT%H:%M:%S') || {quote(zone)}"
    elif zone in {"Z", "UTC"}:
        stamped = f"strftime({moment}, '%Y-%m-%dT%H:%M:%S') || 'Z'"
    else:
        instant = f"{moment} AT TIME ZONE {quote(zone)} AT TIME ZONE 'UTC'"
        stamped = f"strftime({instant}, '%Y-%m-%dT%H:%M:%S') || 'Z'"
    is_plain = (
        f"{moment} IS NOT NULL AND length(trim({cell})) > 10 AND NOT (length(trim({cell})) > {PLAIN_TIME_CHARACTERS} "
        f"AND regexp_matches(trim({cell}), {_ZONED}))"
    )
    return f"CASE WHEN {is_plain} THEN {stamped} ELSE {cell} END"


def field_sql(rule: FieldRule, cells: Sequence[str], column: FormColumn) -> str:
    """Return SQL for one of our columns from the SQL of the columns it is made of."""
    if rule.how == "constant":
        return quote(rule.constant)
    if rule.how == "sum":
        sql = _sum_sql(cells)
    elif rule.how == "join":
        joined = ", ".join(f"nullif(trim({cell}), '')" for cell in cells)
        sql = f"nullif(concat_ws({quote(rule.separator)}, {joined}), '')"
    else:
        sql = merged_sql(cells)
    if rule.codes:
        sql = _codes_sql(sql, rule.codes, multiple=column.kind == "codes")
    if rule.factor != 1.0:
        number = _number(sql)
        sql = f"CASE WHEN {number} IS NULL THEN {sql} ELSE {_shown(f'round({number} * {rule.factor!r}, 9)')} END"
    if column.kind in {"date", "timestamp"} and rule.dates:
        sql = _date_sql(sql, rule.dates)
    if column.kind == "timestamp" and rule.zone:
        sql = _zone_sql(sql, rule.zone)
    return f"coalesce(nullif(trim({sql}), ''), {quote(rule.default)})" if rule.default else sql


def parent_sql(cell: str, name: str) -> str:
    """Return SQL for the return that a row of a repeat belongs to; ODK Central writes the path of the row behind it."""
    return f"split_part({cell}, '/', 1)" if plain(name) == "parent_key" else cell


def split_choices_sql(found: Sequence[tuple[int, str]], rule: FieldRule, codelist: str) -> str:
    """Return SQL for a select-multiple that was split into a column for each choice."""
    pairs = [(f"c{position}", rule.codes.get(choice.casefold(), choice)) for position, choice in found]
    return choices_sql(pairs, codelist)


__all__ = ["Columns", "field_sql", "parent_sql", "point_sql", "shape", "split_choices_sql", "whole"]

"""Check staged records in one pass of the engine: cast every cell, set a bit for every rule that fails."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from enumerations._rules import GPS_USABLE, Rule, rules_of
from enumerations.findings import CATALOGUE, ERROR, message_sql

if TYPE_CHECKING:
    from enumerations._staging import Connection, StagedTable
    from enumerations.columns import FormColumn
    from enumerations.lookups import Lookup

NARROW_BITS = 63
"""A mask of so many bits is an UBIGINT."""
RULES_MAXIMUM = 126
"""Bits of the widest mask, an UHUGEINT; bit 0 says that the record as such is unusable."""
COUNT_MAXIMUM = 1_000_000_000_000
"""No count is larger; beyond it a number can't be told from a slip of the key."""
HOURS_EAST_OF_UTC = 8
"""Local time of Ulaanbaatar; times without a zone are local."""
_TOLD = re.compile(r"\btold_(\w+)")

__all__ = ["GPS_USABLE", "CheckPlan", "Rule", "check_staged", "findings_sql"]


@dataclass(frozen=True)
class CheckPlan:
    """How to check one staged table.

    `lookups` resolve code and place columns; `extra` are further columns in terms of the typed ones, by name; `rules`
    come on top of the form's own and may use `extra`.
    """

    lookups: dict[str, Lookup]
    extra: dict[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()


def _blank(raw: str) -> str:
    return f"coalesce(trim({raw}, ' \t\r\n\u00a0'), '') = ''"


def _local_time(raw: str) -> str:
    """Return SQL for a time in Ulaanbaatar; text longer than 19 characters may carry a zone.

    A plain cast leaves the zone out, so a time with one is cast as an instant first.
    """
    stamp = f"TRY_CAST({raw} AS TIMESTAMP)"
    instant = f"TRY_CAST({raw} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"
    zoned = f"regexp_matches({raw}, '(Z|z|[+-]\\d\\d(:?\\d\\d)?)\\s*$')"
    local = f"{instant} + INTERVAL {HOURS_EAST_OF_UTC} HOUR"
    return f"CASE WHEN length({raw}) > 19 AND {zoned} THEN {local} ELSE {stamp} END"


LOOKED_UP = ("code", "codes", "place", "yesno")
"""Kinds of columns that a lookup resolves."""
_TYPES = {
    "integer": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "yesno": "BOOLEAN",
}


def _cast(column: FormColumn, raw: str) -> str:
    """Return SQL of the first step: the cell read as what it should be, or null."""
    if column.kind in {"integer", "number"}:
        return f"TRY_CAST({raw} AS DOUBLE)"
    if column.kind == "timestamp":
        return _local_time(raw)
    if column.kind == "date":
        return f"TRY_CAST({raw} AS TIMESTAMP)::DATE"
    if column.kind in LOOKED_UP:
        return f"look_{column.name}.code"
    return f"nullif(trim({raw}), '')"


def _sound(column: FormColumn) -> str:
    """Return SQL that is true where the cast value is usable; `cast_NAME` is the first step's column."""
    value = f"cast_{column.name}"
    if column.kind not in {"integer", "number"}:
        return f"{value} IS NOT NULL"
    low = -COUNT_MAXIMUM if column.minimum is None else column.minimum
    high = COUNT_MAXIMUM if column.maximum is None else column.maximum
    whole = f" AND {value} = floor({value})" if column.kind == "integer" else ""
    return f"{value} BETWEEN {low} AND {high}{whole}"


def _typed(column: FormColumn) -> str:
    value = f"cast_{column.name}"
    if column.kind in {"integer", "number"}:
        return f"CASE WHEN {_sound(column)} THEN TRY_CAST({value} AS {_TYPES[column.kind]}) END"
    return f"{value} = 'yes'" if column.kind == "yesno" else value


def _failed(column: FormColumn) -> str:
    """Return SQL that is true where a column's cell breaks its declaration."""
    raw = f"raw_{column.name}"
    empty = "true" if column.required else "false"
    filled = "true" if column.required else f"NOT ({_blank(raw)})"
    return f"CASE WHEN {_sound(column)} THEN false WHEN {raw} IS NULL THEN {empty} ELSE {filled} END"


def _field_code(column: FormColumn) -> tuple[str, str]:
    """Return SQL for the finding's code and hint where a column's cell breaks its declaration."""
    raw, value, hint = f"raw_{column.name}", f"cast_{column.name}", "NULL"
    if column.kind in {"integer", "number"}:
        low = "" if column.minimum is None else f"{column.minimum:g}"
        high = "" if column.maximum is None else f"{column.maximum:g}"
        most = high or f"{COUNT_MAXIMUM}"
        hint = (
            f"'{low or -COUNT_MAXIMUM} - {high}'"
            if high
            else f"CASE WHEN {value} > {most} THEN '<= {most}' ELSE '>= {low}' END"
        )
        whole = f"WHEN {value} <> floor({value}) THEN 'fraction' " if column.kind == "integer" else ""
        negative = f"WHEN {value} < 0 THEN 'negative' " if low else ""
        bad = (
            f"WHEN {value} IS NULL OR isnan({value}) OR isinf({value}) THEN 'not_a_number' {whole}{negative}"
            "ELSE 'out_of_range'"
        )
    elif column.kind in {"date", "timestamp"}:
        bad = "ELSE 'not_a_date'"
    elif column.kind in LOOKED_UP:
        bad = f"ELSE '{_LOOKED_UP.get(column.name, 'unknown_place' if column.kind == 'place' else 'unknown_code')}'"
        hint = f"look_{column.name}.hint"
    else:
        bad = "ELSE 'missing_value'"
    return f"CASE WHEN {_blank(raw)} THEN 'missing_value' {bad} END", hint


_LOOKED_UP = {"unit": "unknown_area"}


@dataclass(frozen=True)
class _Plan:
    """Columns of a staged table by how they are checked."""

    columns: tuple[FormColumn, ...]
    checked: tuple[FormColumn, ...]
    raws: dict[str, str]
    rules: tuple[Rule, ...]
    mixed: tuple[str, ...]

    @property
    def mask_type(self) -> str:
        """Return the type of the engine that holds one bit for every check."""
        bits = 1 + len(self.checked) + len(self.rules) + len(self.mixed)
        if bits > RULES_MAXIMUM:
            raise AssertionError(f"{bits} checks, {RULES_MAXIMUM} bits")  # a fault of the code, not of the data
        return "UBIGINT" if bits <= NARROW_BITS else "UHUGEINT"

    @property
    def told(self) -> list[str]:
        """Return the columns of which a rule asks whether their cell holds anything."""
        return sorted({name for rule in self.rules for name in _TOLD.findall(rule.failed)})


def _plan(staged: StagedTable, plan: CheckPlan) -> _Plan:
    table = staged.header.table
    raws = {column.name: staged.source(column.name) or "NULL::VARCHAR" for column in table.columns}
    for name, lookup in plan.lookups.items():
        raws[name] = lookup.key_sql
    checked = tuple(
        column
        for column in table.columns
        if (column.required or column.kind != "text") and (staged.source(column.name) or column.name in plan.lookups)
    )
    rules = (*rules_of(table), *plan.rules)
    mixed = tuple(name for name in plan.lookups if table.by_name[name].kind == "place")
    return _Plan(table.columns, checked, raws, rules, mixed)


def _joins(plan: CheckPlan) -> str:
    return " ".join(
        f"LEFT JOIN {look.relation} look_{name} ON look_{name}.raw = {look.key_sql}"
        for name, look in plan.lookups.items()
    )


def _first_step(staged: StagedTable, plan: CheckPlan, parts: _Plan) -> str:
    wanted = ["record", "fault", "fault_value"]
    for column in parts.columns:
        raw = parts.raws[column.name]
        looked_up = column.kind in LOOKED_UP and column.name not in plan.lookups
        wanted.append(f"{'NULL::VARCHAR' if looked_up else _cast(column, raw)} AS cast_{column.name}")
        if column in parts.checked:
            wanted.append(f"{raw} AS raw_{column.name}")
    wanted += [f"NOT ({_blank(parts.raws[name])}) AS told_{name}" for name in parts.told]
    wanted += [f"look_{name}.mixed AS mixed_{name}" for name in parts.mixed]
    return f"SELECT {', '.join(wanted)} FROM {staged.relation} {_joins(plan)}"


def _mask(conditions: list[str], first_bit: int, mask_type: str) -> str:
    bits = [
        f"CASE WHEN {condition} THEN {1 << bit}::{mask_type} ELSE 0::{mask_type} END"
        for bit, condition in enumerate(conditions, first_bit)
    ]
    return " | ".join(bits) or f"0::{mask_type}"


def check_staged(connection: Connection, staged: StagedTable, plan: CheckPlan, *, into: str) -> int:
    """Check a staged table, return the bits of the mask that are errors, and make two temporary tables.

    `into`: record, mask, every canonical column with its type, and the plan's extra columns; a record is usable where
    `mask` has no bit of an error. `into`_found: record, code, field, value, hint; one row for each rule that failed.
    """
    parts = _plan(staged, plan)
    first = _first_step(staged, plan, parts)
    typed = ", ".join(f"{_typed(column)} AS {column.name}" for column in parts.columns)
    helpers = [*(f"told_{name}" for name in parts.told), *(f"mixed_{name}" for name in parts.mixed)]
    field_mask = _mask(["fault IS NOT NULL", *(_failed(column) for column in parts.checked)], 0, parts.mask_type)
    second = f"SELECT record, {', '.join([typed, *helpers])}, {field_mask} AS field_mask FROM ({first})"
    extra = "".join(f", {sql} AS {name}" for name, sql in plan.extra.items())
    third = f"SELECT *{extra} FROM ({second})"
    conditions = [*(rule.failed for rule in parts.rules), *(f"mixed_{name}" for name in parts.mixed)]
    rule_mask = _mask(conditions, 1 + len(parts.checked), parts.mask_type)
    left_out = ", ".join(["field_mask", *helpers])
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {into} AS "
        f"SELECT * EXCLUDE ({left_out}), field_mask | {rule_mask} AS mask FROM ({third})"
    )
    _explode(connection, staged, plan, parts, into)
    errors = (2 << len(parts.checked)) - 1
    for bit, rule in enumerate(parts.rules, 1 + len(parts.checked)):
        errors |= (CATALOGUE[rule.code].severity == ERROR) << bit
    return errors


def _explode(connection: Connection, staged: StagedTable, plan: CheckPlan, parts: _Plan, into: str) -> None:
    """Turn the bits that are set into one row each."""
    found = f"{into}_found"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {found} "
        "(record BIGINT, code VARCHAR, field VARCHAR, value VARCHAR, hint VARCHAR)"
    )
    hit = connection.execute(f"SELECT bit_or(mask) FROM {into} WHERE mask <> 0").fetchone()[0] or 0
    if not hit:
        return
    width = len(staged.header.names)
    if hit & 1:
        connection.execute(
            f"INSERT INTO {found} SELECT record, fault, NULL, coalesce(fault_value, ''), '{width}' "
            f"FROM {staged.relation} WHERE fault IS NOT NULL"
        )

    def failing(bit: int) -> str:
        return f"{into} WHERE mask & {1 << bit}::{parts.mask_type} <> 0 AND mask & 1 = 0"

    for bit, column in enumerate(parts.checked, 1):
        if hit >> bit & 1:
            code, hint = _field_code(column)
            raw = parts.raws[column.name]
            shown = f"replace(trim(raw_{column.name}, chr(31)), chr(31), ' ')"
            one = CheckPlan({column.name: plan.lookups[column.name]} if column.name in plan.lookups else {})
            connection.execute(
                f"INSERT INTO {found} SELECT record, {code}, '{column.name}', {shown}, {hint} FROM ("
                f"SELECT record, {raw} AS raw_{column.name}, {_cast(column, raw)} AS cast_{column.name}"
                f"{f', look_{column.name}' if one.lookups else ''} FROM {staged.relation} {_joins(one)} "
                f"WHERE record IN (SELECT record FROM {failing(bit)}))"
            )
    for bit, rule in enumerate(parts.rules, 1 + len(parts.checked)):
        if hit >> bit & 1:
            connection.execute(
                f"INSERT INTO {found} SELECT record, '{rule.code}', '{rule.field}', ({rule.value})::VARCHAR, "
                f"({rule.hint})::VARCHAR FROM {failing(bit)}"
            )
    for bit, name in enumerate(parts.mixed, 1 + len(parts.checked) + len(parts.rules)):
        if hit >> bit & 1:
            connection.execute(
                f"INSERT INTO {found} SELECT record, 'latin_in_cyrillic', '{name}', "
                f"trim(replace({parts.raws[name]}, chr(31), ' ')), NULL FROM {staged.relation} WHERE record IN "
                f"(SELECT record FROM {failing(bit)})"
            )


def findings_sql(found: str, codes: list[str]) -> str:
    """Return a query that adds severity, message_en and message_mn to rows of record, code, field, value, hint."""
    if not codes:
        codes = ["missing_value"]

    def case(part: dict[str, str]) -> str:
        return "CASE code " + " ".join(f"WHEN '{code}' THEN {sql}" for code, sql in part.items()) + " END"

    severity = {code: f"'{CATALOGUE[code].severity}'" for code in codes}
    english = {code: message_sql(code, "en", field="field", value="value", hint="hint") for code in codes}
    mongolian = {code: message_sql(code, "mn", field="field", value="value", hint="hint") for code in codes}
    return (
        f"SELECT record, code, field, value, {case(severity)} AS severity, {case(english)} AS message_en, "
        f"{case(mongolian)} AS message_mn FROM {found}"
    )

"""Tell which unit, return and enumerator each record of a round is from, accepted or set aside."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from enumerations.columns import FORMS
from geodata.pcodes import as_pcode, local_pcode, match_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dtm.engine import Connection

_SOUGHT = ("instance_id", "enumerator", "unit", "district", "khoroo", "kheseg")
_PLACE = _SOUGHT[2:]
CITY = "MN11"
"""Parent of the districts that a return names in words."""
PUBLISHED_FORM = "dtm-published"
"""Figures of IOM's own operations, whose rounds are not ours."""
CHECKPOINT_FORM = "checkpoint-registry"

RECORD = """CASE WHEN f.import_id IS NOT NULL AND f.row_number IS NOT NULL
    THEN concat(f.import_id, ':', f.sheet, ':', f.row_number) END"""
"""SQL over finding f: the name that users know its record by."""

IN_ROUND = f"coalesce(f.round_number, i.named_round, i.round_number) = $number AND f.subject <> '{PUBLISHED_FORM}'"
"""SQL over finding f and import i: whether a finding belongs to the round $number."""


FINDINGS_OF_ROUND = f"""
    SELECT f.*, w.reason AS waived_reason, w.who AS waived_who, w.waived_at,
        CASE WHEN w.finding_id IS NULL THEN 'open' ELSE 'waived' END AS state
    FROM finding f LEFT JOIN import i USING (import_id)
    LEFT JOIN (
        SELECT finding_id, reason, who, waived_at FROM waiver
        WHERE round_number = $number AND withdrawn_at IS NULL
        QUALIFY row_number() OVER (PARTITION BY finding_id ORDER BY waived_at DESC) = 1
    ) w USING (finding_id)
    WHERE {IN_ROUND}
"""
"""SQL of the findings of the round $number, each with its waiver, if one holds, and its state (open or waived)."""


def build_round_records(connection: Connection, number: int) -> None:
    """Make TEMP TABLE `round_record`: a row for each record of the round that a finding may be about.

    Columns: import_id, sheet, row_number; form, instance_id, enumerator; pcode of the unit, as far as it is known;
    is_set_aside; is_return (false for a record inside a return, such as an arrival). A record that was set aside
    says where it is from in its own words; failing that, by its return or by the unit of its enumerator. Passages
    that nothing was found about are left out: there may be a million.
    """
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE round_record AS
        WITH sent AS (
            SELECT s.*, coalesce(
                (SELECT min(k.pcode) FROM stock k WHERE k.submission_id = s.submission_id),
                s.declared_pcode, s.located_pcode) AS unit
            FROM submission s WHERE s.round_number = $number AND s.form <> $published AND (s.form <> $passages
                OR (s.import_id, s.row_number) IN (SELECT (import_id, row_number) FROM finding))
        ), inner_record AS (
            SELECT submission_id, import_id, sheet, row_number FROM movement WHERE round_number = $number
            UNION ALL SELECT submission_id, import_id, sheet, row_number FROM survey_person WHERE round_number = $number
            UNION ALL SELECT submission_id, import_id, sheet, row_number FROM event_move WHERE round_number = $number
        )
        SELECT import_id, sheet, row_number, form, instance_id, enumerator, unit AS pcode, false AS is_set_aside,
            true AS is_return
        FROM sent
        UNION ALL
        SELECT r.import_id, r.sheet, r.row_number, s.form, s.instance_id, s.enumerator, s.unit, false, false
        FROM inner_record r JOIN sent s USING (submission_id) WHERE r.import_id IS NOT NULL
        """,
        {"number": number, "published": PUBLISHED_FORM, "passages": CHECKPOINT_FORM},
    )
    _add_set_aside(connection, number)


def _add_set_aside(connection: Connection, number: int) -> None:
    sheets = connection.execute(
        f"""
        SELECT q.import_id, q.sheet, any_value(json_keys(q.raw)) FROM quarantine q JOIN import i USING (import_id)
        WHERE i.form <> '{PUBLISHED_FORM}' AND (coalesce(i.named_round, i.round_number) = $number OR EXISTS (
            SELECT 1 FROM finding f WHERE f.import_id = q.import_id AND f.round_number = $number))
        GROUP BY ALL ORDER BY ALL
        """,
        {"number": number},
    ).fetchall()
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE set_aside (import_id BIGINT, sheet VARCHAR, row_number BIGINT, "
        + ", ".join(f"{name} VARCHAR" for name in _SOUGHT)
        + ", is_return BOOLEAN)"
    )
    for import_id, sheet, keys in sheets:
        _read_sheet(connection, import_id, sheet, {name: key_of(name, keys or []) for name in _SOUGHT})
    _drop_other_rounds(connection, number)
    _place_set_aside(connection)


def key_of(column: str, names: Iterable[str]) -> str | None:
    """Return which key of a raw record holds a canonical column; None for none."""
    by_name: dict[str, str] = {}
    for name in names:
        by_name.setdefault(_plain(name), name)
    return next((by_name[alias] for alias in (column, *_aliases(column)) if alias in by_name), None)


def _plain(name: str) -> str:
    """Return a key in small letters, without its group path."""
    return re.split(r"[/:]", name)[-1].strip().casefold().replace(" ", "_").replace("-", "_")


@cache
def _aliases(name: str) -> tuple[str, ...]:
    found = (t.by_name[name].aliases for tables in FORMS.values() for t in tables if name in t.by_name)
    return tuple(dict.fromkeys(alias for aliases in found for alias in aliases))


def _read_sheet(connection: Connection, import_id: int, sheet: str | None, keys: dict[str, str | None]) -> None:
    pointers = [_pointer(keys[name]) for name in _SOUGHT]
    values = ["NULL" if pointer is None else "json_extract_string(raw, ?)" for pointer in pointers]
    values[0] = f"coalesce(instance_id, {values[0]})"
    is_return = "true" if any(keys[name] for name in ("enumerator", *_PLACE)) else "false"
    connection.execute(
        f"INSERT INTO set_aside SELECT import_id, sheet, row_number, {', '.join(values)}, {is_return} FROM quarantine "
        "WHERE import_id = ? AND sheet IS NOT DISTINCT FROM ?",
        [*(pointer for pointer in pointers if pointer is not None), import_id, sheet],
    )


def _pointer(key: str | None) -> str | None:
    return None if key is None else "/" + key.replace("~", "~0").replace("/", "~1")


def _drop_other_rounds(connection: Connection, number: int) -> None:
    """Leave out what a file of several rounds holds for others, as far as the findings tell."""
    connection.execute(
        """
        DELETE FROM set_aside q WHERE NOT EXISTS (
            SELECT 1 FROM finding f JOIN import i USING (import_id) WHERE f.import_id = q.import_id
            AND f.sheet IS NOT DISTINCT FROM q.sheet AND f.row_number = q.row_number
            AND coalesce(f.round_number, i.named_round, i.round_number) = $number)
        """,
        {"number": number},
    )


def _place_set_aside(connection: Connection) -> None:
    """Add what was set aside, each record with its unit."""
    told = connection.execute(f"SELECT DISTINCT {', '.join(_PLACE)} FROM set_aside").fetchall()
    frame = pd.DataFrame([(*row, resolve_unit(*row)) for row in told], columns=[*_PLACE, "resolved"], dtype="object")
    connection.register("place_frame", frame)
    same = " AND ".join(f"p.{name}::VARCHAR IS NOT DISTINCT FROM q.{name}" for name in _PLACE)
    connection.execute(
        f"""
        INSERT INTO round_record
        WITH placed AS (
            SELECT q.*, CASE WHEN EXISTS (FROM area a WHERE a.pcode = p.resolved::VARCHAR) THEN p.resolved::VARCHAR END
                AS own, e.unit AS of_enumerator
            FROM set_aside q LEFT JOIN place_frame p ON {same} LEFT JOIN enumerator e ON e.enumerator = q.enumerator
        ), parent AS (
            SELECT instance_id, min(pcode) AS pcode, min(enumerator) AS enumerator FROM (
                SELECT instance_id, pcode, enumerator FROM round_record WHERE is_return
                UNION ALL SELECT instance_id, coalesce(own, of_enumerator), enumerator FROM placed WHERE is_return)
            WHERE instance_id IS NOT NULL GROUP BY instance_id
        )
        SELECT q.import_id, q.sheet, q.row_number, i.form, q.instance_id, coalesce(q.enumerator, p.enumerator),
            coalesce(q.own, p.pcode, q.of_enumerator), true, q.is_return
        FROM placed q JOIN import i USING (import_id) LEFT JOIN parent p USING (instance_id)
        """
    )
    connection.unregister("place_frame")
    connection.execute("DROP TABLE set_aside")


def resolve_unit(unit: Any, district: Any, khoroo: Any, kheseg: Any) -> str | None:
    """Return the P-code that a return's own words for its unit come to, the finest it tells; None for none."""
    for finest in (unit, kheseg, khoroo):
        if finest and (code := as_pcode(finest)):
            return code
    code = as_pcode(district) or match_name(str(district), parent=CITY) if district else None
    for part in (khoroo, kheseg):
        number = re.search(r"\d{1,2}", str(part)) if part else None
        if code is None or number is None:
            return code
        code = local_pcode(code, int(number.group()))
    return code

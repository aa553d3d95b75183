"""Lay out a round's returns for the checks over it: one row for each unit and round, figures side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from enumerations.codelists import codes_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtm.engine import Connection

CLOSED = "('signed_off', 'released')"
"""States of a round whose findings don't change any more."""
BASELINE = "kheseg-baseline"
CHECKPOINTS = "checkpoint-registry"
LOCAL_TIME_H = 8
"""Hours that Ulaanbaatar is ahead of UTC."""

_AGES = ("age_0_4_persons", "age_5_14_persons", "age_15_24_persons", "age_25_59_persons", "age_60_plus_persons")
FIGURES = (
    "registered_households", "registered_persons", "registered_absent_persons", "unregistered_persons",
    "actual_households", "actual_persons", "male_persons", "female_persons", *_AGES,
    "ger_households", "house_households", "apartment_households", "other_households",
)  # fmt: skip
"""Figures of a kheseg return, named as in the form."""
COMPARED_FIGURES_MINIMUM = 6
"""Returns with fewer figures are never told to be copies: too few figures are equal by chance."""


@dataclass(frozen=True)
class RoundCheck:
    """A check over the returns of a round.

    `sql` gives round_number, submission_id, pcode, field, value and hint of each finding; a finding that is about no
    return has a null submission_id and may give import_id, sheet and row_number instead. Where value or hint are
    words, `value_mn` and `hint_mn` stand for them in the Mongolian message.
    """

    code: str
    sql: str
    subject: str = BASELINE


def figure_source(name: str) -> tuple[str, str]:
    """Return the category and dwelling condition, and the column, that a figure of the form is stored as."""
    for dwelling in codes_of("dwelling"):
        if name == f"{dwelling}_households":
            return f"category = 'actual' AND dwelling = '{dwelling}'", "households"
    for category in ("registered_absent", "unregistered", "registered", "actual"):
        for column in ("households", "persons"):
            if name == f"{category}_{column}":
                return f"category = '{category}' AND dwelling IS NULL", column
    return "category = 'actual' AND dwelling IS NULL", name


_TOLD = " + ".join(f"({name} IS NOT NULL)::INTEGER" for name in FIGURES)
_FIGURE_TEXTS = ", ".join(f"coalesce({name}::VARCHAR, '')" for name in FIGURES)
_FINGERPRINT = f"md5(concat_ws('|', {_FIGURE_TEXTS}))"


def _figure_sql(name: str) -> str:
    condition, column = figure_source(name)
    return f"max({column}) FILTER ({condition}) AS {name}"


def lay_out(connection: Connection, *, operation: str, numbers: Sequence[int] | None) -> bool:
    """Make TEMP TABLES `rc_open`, `rc_round`, `rc_unit` and `rc_return`; say whether any round is open.

    `rc_open` has the open rounds asked for, each with the round before on the same areas. `rc_unit` has their
    expected units by the rule of `dtm.scope.build_scope`. `rc_return` has the return that counts for each unit and
    round of `rc_round`: the one collected first, as for a release.
    """
    chosen = "" if numbers is None else f"AND number IN ({', '.join(str(int(one)) for one in numbers) or 'NULL'})"
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE rc_open AS
        SELECT number AS round_number, started_on, ended_on, area_set, area_set_version,
            coalesce((SELECT level FROM area_set s WHERE s.area_set = r.area_set AND s.version = r.area_set_version),
                3) AS level,
            (SELECT max(p.number) FROM round p WHERE p.operation = r.operation AND p.number < r.number
                AND p.area_set = r.area_set) AS previous
        FROM round r WHERE operation = ? AND status NOT IN {CLOSED} {chosen}""",
        [operation],
    )
    if connection.execute("SELECT 1 FROM rc_open LIMIT 1").fetchone() is None:
        return False
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE rc_round AS
        SELECT number AS round_number, started_on, ended_on, area_set FROM round
        WHERE operation = ? AND area_set IN (SELECT area_set FROM rc_open)
            AND number <= (SELECT max(round_number) FROM rc_open)""",
        [operation],
    )
    _lay_out_units(connection)
    _lay_out_returns(connection, operation)
    return True


def _lay_out_units(connection: Connection) -> None:
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE rc_unit AS
        WITH newest AS (
            SELECT o.round_number, s.area_set, s.version FROM rc_open o JOIN area_set s
            ON s.parent_set = o.area_set AND s.level = o.level + 1
            QUALIFY 1 = row_number() OVER (
                PARTITION BY o.round_number ORDER BY valid_from DESC, loaded_at DESC, version DESC)
        ), own AS (
            SELECT o.round_number, o.level, a.pcode, a.name_mn, a.name_en
            FROM rc_open o JOIN area a ON a.area_set = o.area_set AND a.version = o.area_set_version
        ), inside AS (
            SELECT n.round_number, u.pcode, a.pcode AS area_pcode, u.name_en, u.name_mn
            FROM newest n JOIN area u USING (area_set, version)
            JOIN own a ON a.round_number = n.round_number AND a.pcode = left(u.pcode, 2 + 2 * a.level)
        )
        SELECT round_number, pcode, area_pcode, coalesce(name_en, name_mn, pcode) AS name_en,
            coalesce(name_mn, name_en, pcode) AS name_mn FROM inside
        UNION ALL
        SELECT round_number, pcode, pcode, coalesce(name_en, name_mn, pcode), coalesce(name_mn, name_en, pcode) FROM own
        ANTI JOIN (SELECT round_number, area_pcode AS pcode FROM inside) USING (round_number, pcode)"""
    )


def _lay_out_returns(connection: Connection, operation: str) -> None:
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE rc_return AS
        WITH told AS (
            SELECT submission_id, min(pcode) AS told_pcode, {", ".join(map(_figure_sql, FIGURES))}
            FROM stock WHERE operation = ? GROUP BY submission_id
        ), vitals AS (
            SELECT submission_id, sum(births_persons)::BIGINT AS births, sum(deaths_persons)::BIGINT AS deaths
            FROM vital GROUP BY submission_id
        ), moves AS (
            SELECT submission_id, coalesce(sum(persons) FILTER (direction = 'arrival'), 0)::BIGINT AS arrivals,
                coalesce(sum(persons) FILTER (direction = 'departure'), 0)::BIGINT AS departures,
                bit_xor(hash(direction, counterpart_pcode, persons, households, reason)) AS moves_hash
            FROM movement GROUP BY submission_id
        )
        SELECT s.round_number, s.submission_id, coalesce(told_pcode, declared_pcode) AS pcode, s.instance_id,
            s.enumerator, s.form_version, s.received_at, s.lon, s.lat, told.* EXCLUDE (submission_id, told_pcode),
            CASE WHEN {_TOLD} >= {COMPARED_FIGURES_MINIMUM} AND actual_persons > 0
                THEN {_FINGERPRINT} END AS fingerprint,
            births, deaths, coalesce(arrivals, 0) AS arrivals, coalesce(departures, 0) AS departures,
            coalesce(moves_hash, 0) AS moves_hash,
            1 = row_number() OVER (PARTITION BY s.round_number, coalesce(told_pcode, declared_pcode, s.instance_id)
                ORDER BY received_at NULLS LAST, s.submission_id) AS is_used
        FROM submission s JOIN rc_round USING (round_number) LEFT JOIN told USING (submission_id)
        LEFT JOIN vitals USING (submission_id) LEFT JOIN moves USING (submission_id)
        WHERE s.form = '{BASELINE}'""",
        [operation],
    )


def clear(connection: Connection) -> None:
    """Drop the temporary tables of the checks."""
    for name in ("rc_open", "rc_round", "rc_unit", "rc_return", "rc_found", "rc_day"):
        connection.execute(f"DROP TABLE IF EXISTS temp.{name}")

"""Count who moved from where to where and why, each source by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._full import WHOLE, create_full

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtm.engine import Connection
    from dtm.scope import Scope

FLOW_KEYS = ("round_number", "origin", "destination", "reason")
"""Columns of an origin-destination table, beside the counts."""

COLLAPSED = """
    CASE WHEN {code} IN ('abroad', 'unknown') THEN {code} WHEN length({code}) < 4 THEN 'unknown'
        WHEN {level} > 1 AND left({code}, 4) = left({area}, 4) THEN left({code}, 6) ELSE left({code}, 4) END
"""


def aggregate_flows(
    connection: Connection,
    relation: str,
    *,
    into: str,
    by: Sequence[str] = FLOW_KEYS,
    measures: Sequence[str] = ("persons",),
) -> None:
    """Sum movements to one row a key, in one pass over the relation.

    The sums are exact whole numbers and additive: tables made of parts of the movements can be stacked and summed
    by this same function. A sum is null where one of its parts is: a count nobody told isn't 0.

    Parameters
    ----------
    relation
        Name of a table or view, or a query in parentheses.
    into
        TEMP TABLE to make, with the columns of `by` and `measures`.
    by
        Columns that identify a row.
    measures
        Columns of whole numbers to add up.
    """
    keys = ", ".join(by)
    sums = ", ".join(f"{WHOLE.format(column=measure)} AS {measure}" for measure in measures)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT {keys}, {sums} FROM {relation} GROUP BY {keys}")


def build_flows(connection: Connection, scope: Scope) -> None:
    """Make TEMP TABLE `full_flow`: moves by area, counterpart, direction and reason.

    Sources stand side by side and are never added: `arrivals` are told where people came to, `departures` where
    they left from, `checkpoint` counts travellers at the roads into the city (IOM, DTM Methodological Framework,
    2nd ed. 2022: mobility tracking and flow monitoring).

    - The counterpart of a khoroo or district is a district while both are in one level-1 area, else a level-1
      area, `abroad` or `unknown`; of a level-1 area it is always a level-1 area. A move told with a khoroo at its
      other end counts under that khoroo's district, because most returns name no khoroo: moves between khesegs of
      one khoroo are in the row of its own district.
    - `total` adds up all counterparts but the area itself, so it is the moves over the area's border; moves inside
      an area are in the row where counterpart and area are the same.
    - Reasons are given for totals alone; an untold reason is `unknown`.
    - An area with a return has totals, 0 where nothing was told; without a return its totals are null. They are null
      as well where nobody of the round was asked for moves of that direction: no return says whether there were any,
      and none tells one. Counts of households are null where one of the moves in them has none.
    - `checkpoint`, for the city: in means a destination in the city and an origin outside it, out the reverse, an
      unknown far end included; `checkpoint_through` has both ends known and outside, by the direction of passing.
      Passages that fit neither are named in the scope's notes.
    """
    aggregate_flows(
        connection,
        """(
            SELECT r.round_number, m.direction, r.area_pcode, m.counterpart_pcode, m.persons, m.households,
                coalesce(m.reason, 'unknown') AS reason
            FROM movement m JOIN scope_return r USING (submission_id) WHERE r.is_used
        )""",
        into="scope_move",
        by=("round_number", "direction", "area_pcode", "counterpart_pcode", "reason"),
        measures=("persons", "households"),
    )
    _roll_up(connection)
    _count_checkpoints(connection, scope)
    create_full(
        connection,
        "flow",
        """
        WITH flow AS (FROM scope_flow UNION ALL BY NAME FROM scope_total UNION ALL BY NAME FROM scope_checkpoint)
        SELECT *, CASE direction WHEN 'in' THEN counterpart ELSE pcode END AS origin,
            CASE direction WHEN 'in' THEN pcode ELSE counterpart END AS destination, 'observed' AS method
        FROM flow ORDER BY round_number, source, level, pcode, counterpart, direction, reason, measure
        """,
    )


def _roll_up(connection: Connection) -> None:
    """Make `scope_flow` (pairs and reasons, where there are any) and `scope_total` (every area)."""
    collapsed = COLLAPSED.format(code="m.counterpart_pcode", area="u.pcode", level="u.level")
    aggregate_flows(
        connection,
        f"""(
            SELECT m.round_number, u.level, u.pcode, m.reason, m.persons, m.households, {collapsed} AS counterpart,
                CASE m.direction WHEN 'arrival' THEN 'in' ELSE 'out' END AS direction
            FROM scope_move m JOIN scope_rollup u USING (area_pcode)
        )""",
        into="scope_pair",
        by=("round_number", "level", "pcode", "counterpart", "direction", "reason"),
        measures=("persons", "households"),
    )
    keys = ("round_number", "level", "pcode", "counterpart", "direction", "reason")
    outside = "FROM scope_pair WHERE counterpart <> pcode"
    for name, query in (
        ("scope_by_pair", "SELECT * REPLACE ('total' AS reason) FROM scope_pair"),
        ("scope_by_reason", f"SELECT * REPLACE ('total' AS counterpart) {outside}"),
        ("scope_by_area", f"SELECT * REPLACE ('total' AS counterpart, 'total' AS reason) {outside}"),
    ):
        aggregate_flows(connection, f"({query})", into=name, by=keys, measures=("persons", "households"))
    source = "CASE direction WHEN 'in' THEN 'arrivals' ELSE 'departures' END AS source"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE scope_flow AS
        WITH told AS (FROM scope_by_pair UNION ALL FROM scope_by_reason)
        SELECT * EXCLUDE (persons, households), {source}, 'persons' AS measure, persons AS value
        FROM told WHERE persons IS NULL OR persons > 0
        UNION ALL BY NAME
        SELECT * EXCLUDE (persons, households), {source}, 'households' AS measure, households AS value
        FROM told WHERE persons > 0 AND (households IS NULL OR households > 0)
        """
    )
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE scope_total AS
        WITH reporting AS (
            SELECT DISTINCT round_number, pcode FROM scope_return JOIN scope_rollup USING (area_pcode) WHERE is_used
        ), told AS (
            SELECT submission_id, direction FROM move_question UNION SELECT submission_id, direction FROM movement
        ), asked AS (
            SELECT DISTINCT r.round_number, CASE direction WHEN 'arrival' THEN 'in' ELSE 'out' END AS direction
            FROM told JOIN scope_return r USING (submission_id) WHERE r.is_used
        )
        SELECT n.round_number, a.level, a.pcode, 'total' AS counterpart, d.direction,
            'total' AS reason, CASE d.direction WHEN 'in' THEN 'arrivals' ELSE 'departures' END AS source, measure,
            CASE WHEN r.pcode IS NULL OR q.direction IS NULL THEN NULL WHEN t.pcode IS NULL THEN 0
                WHEN measure = 'persons' THEN t.persons ELSE t.households END AS value
        FROM scope_round n CROSS JOIN scope_area a
        CROSS JOIN (VALUES ('in'), ('out')) d(direction) CROSS JOIN (VALUES ('persons'), ('households')) m(measure)
        LEFT JOIN reporting r ON r.round_number = n.round_number AND r.pcode = a.pcode
        LEFT JOIN asked q ON q.round_number = n.round_number AND q.direction = d.direction
        LEFT JOIN scope_by_area t
            ON t.round_number = n.round_number AND t.pcode = a.pcode AND t.direction = d.direction
        """
    )


def _count_checkpoints(connection: Connection, scope: Scope) -> None:
    """Make `scope_checkpoint`; empty where the release has no city or no passage was ever counted."""
    city = {"city": scope.city}
    far_end = COLLAPSED.format(code="far_pcode", area="$city", level="1")
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE scope_checkpoint AS
        WITH passed AS (
            SELECT round_number, p.direction, persons, origin_pcode, destination_pcode,
                left(origin_pcode, 4) = $city AS from_city, left(destination_pcode, 4) = $city AS to_city
            FROM passage p JOIN scope_round USING (round_number)
        ), ends AS (
            SELECT round_number, persons, 'checkpoint' AS source,
                CASE WHEN to_city THEN 'in' ELSE 'out' END AS direction,
                CASE WHEN to_city THEN origin_pcode ELSE destination_pcode END AS far_pcode
            FROM passed WHERE from_city <> to_city
            UNION ALL
            SELECT round_number, persons, 'checkpoint_through', direction, 'total'
            FROM passed WHERE NOT from_city AND NOT to_city AND 'unknown' NOT IN (origin_pcode, destination_pcode)
        ), pair AS (
            SELECT round_number, source, direction, {far_end} AS counterpart, sum(persons) AS value
            FROM ends WHERE source = 'checkpoint' GROUP BY ALL HAVING sum(persons) > 0
        ), total AS (
            SELECT round_number, source, direction, 'total' AS counterpart, sum(persons) AS value FROM ends GROUP BY ALL
        ), watched AS (
            SELECT DISTINCT round_number FROM passed
            UNION
            SELECT round_number FROM scope_round JOIN watch ON day BETWEEN started_on AND ended_on
            WHERE hours_observed > 0
        ), grid AS (
            SELECT n.round_number, source, direction, 'total' AS counterpart,
                CASE WHEN w.round_number IS NULL THEN NULL ELSE coalesce(t.value, 0) END AS value
            FROM scope_round n CROSS JOIN (VALUES ('checkpoint'), ('checkpoint_through')) s(source)
            CROSS JOIN (VALUES ('in'), ('out')) d(direction)
            LEFT JOIN watched w USING (round_number) LEFT JOIN total t USING (round_number, source, direction)
            WHERE EXISTS (FROM watched) AND $city IS NOT NULL
        )
        SELECT round_number, source, direction, counterpart, value::BIGINT AS value,
            1 AS level, $city::VARCHAR AS pcode, 'total' AS reason, 'persons' AS measure
        FROM (FROM pair UNION ALL BY NAME FROM grid)
        """,
        city,
    )

"""Break the moves over each area's border down by sex, age, registration and distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._full import create_full
from dtm._warehouse_tables import AGE_BANDS
from dtm.flows import COLLAPSED
from dtm.stocks import NOT_STATED
from enumerations.codelists import codes_of

if TYPE_CHECKING:
    from dtm.engine import Connection
    from dtm.scope import Scope

BREAKDOWNS = ("sex", "age", "registered", "distance")
DISTANCE_CLASSES = tuple(code for code in codes_of("move_distance") if code != "never_moved")
"""Distances of a move, after the NSO's question on previous residence, as far as counterparts tell them."""
ITEMS = {"sex": tuple(codes_of("sex")), "age": AGE_BANDS, "registered": ("yes", "no"), "distance": DISTANCE_CLASSES}
"""Items of each breakdown in the order they are shown, beside `not_stated`."""
DISTANCE_CLASS = """
    CASE WHEN {counterpart} IN ('abroad', 'unknown') THEN {counterpart}
        WHEN left({counterpart}, 4) <> left({area}, 4) THEN 'other_aimag'
        WHEN length({counterpart}) < 6 THEN 'unknown'
        WHEN left({counterpart}, 6) = left({area}, 6) THEN 'same_district' ELSE 'other_district' END
"""
"""SQL of a move's distance from an area of level 1 to 3 and its counterpart."""


def distance_class(area: str, counterpart: str) -> str:
    """Return how far a move between an area and a counterpart was; see `DISTANCE_CLASSES`.

    A counterpart in the same aimag whose district nobody told is `unknown`: it may be next door.
    """
    if counterpart in ("abroad", "unknown"):
        return counterpart
    if counterpart[:4] != area[:4]:
        return "other_aimag"
    district = len("MN1107")
    if len(counterpart) < district:
        return "unknown"
    return "same_district" if counterpart[:district] == area[:district] else "other_district"


def build_flow_items(connection: Connection, _scope: Scope) -> None:
    """Make TEMP TABLE `full_flow_item`; needs `build_flows` first.

    Each breakdown of an area's arrivals or departures sums to its total in `full_flow`. A move counts under sex or
    age where it tells every item and they add up to its persons, else under `not_stated`; whether it was registered
    is `yes`, `no` or `not_stated`. Items nobody is in have no row. Sex is not told by age, nor age by reason, so
    each breakdown stands by itself.
    """
    sex = "male_persons + female_persons = persons"
    ages = " + ".join(f"age_{band}_persons" for band in AGE_BANDS)
    parts = [
        ("sex", "'male'", "male_persons", sex),
        ("sex", "'female'", "female_persons", sex),
        ("sex", f"'{NOT_STATED}'", "persons", f"({sex}) IS NOT TRUE"),
        *(("age", f"'{band}'", f"age_{band}_persons", f"{ages} = persons") for band in AGE_BANDS),
        ("age", f"'{NOT_STATED}'", "persons", f"({ages} = persons) IS NOT TRUE"),
        (
            "registered",
            f"CASE registered WHEN true THEN 'yes' WHEN false THEN 'no' ELSE '{NOT_STATED}' END",
            "persons",
            "true",
        ),
        ("distance", DISTANCE_CLASS.format(area="pcode", counterpart="counterpart"), "persons", "true"),
    ]
    items = " UNION ALL ".join(
        f"SELECT round_number, level, pcode, direction, '{breakdown}' AS breakdown, {item} AS item, {count} AS value "
        f"FROM scope_border_move WHERE {condition}"
        for breakdown, item, count, condition in parts
    )
    collapsed = COLLAPSED.format(code="m.counterpart_pcode", area="u.pcode", level="u.level")
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE scope_border_move AS
        SELECT r.round_number, u.level, u.pcode, {collapsed} AS counterpart,
            m.* EXCLUDE (round_number, pcode, direction),
            CASE m.direction WHEN 'arrival' THEN 'in' ELSE 'out' END AS direction
        FROM movement m JOIN scope_return r USING (submission_id) JOIN scope_rollup u USING (area_pcode)
        WHERE r.is_used AND {collapsed} <> u.pcode
        """
    )
    create_full(
        connection,
        "flow_item",
        f"""
        SELECT round_number, CASE direction WHEN 'in' THEN 'arrivals' ELSE 'departures' END AS source, level, pcode,
            direction, breakdown, item, 'persons' AS measure, sum(value)::BIGINT AS value, 'observed' AS method
        FROM ({items}) GROUP BY ALL HAVING sum(value) > 0
        ORDER BY round_number, source, level, pcode, breakdown, item
        """,
    )

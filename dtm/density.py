"""Compute how densely people and ger households live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._full import EXACT, create_full
from dtm.measures import DENSITIES
from dtm.stocks import NOT_STATED

if TYPE_CHECKING:
    from dtm.engine import Connection
    from dtm.scope import Scope

__all__ = ["DENSITIES", "build_densities"]

HA_PER_KM2 = 100.0
GER_AREA_MIN_HA = 1.0
"""Less ger area than this inside a khoroo is the edge of a neighbour's: no density is computed on it."""

_PARTLY = "WHEN told < parts THEN 'areas_reported:' || told END"
_PERSONS_WHY = f"CASE WHEN persons IS NULL THEN 'not_reported' {_PARTLY}"
_GER_HA = f"ger_area_km2 * {HA_PER_KM2}"
_GER_WHY = (
    "CASE WHEN ger_area_km2 IS NULL THEN 'no_ger_layer' WHEN ger_area_km2 = 0 THEN 'no_ger_area' "
    f"WHEN {_GER_HA} < {GER_AREA_MIN_HA} THEN 'little_ger_area' "
    f"WHEN ger IS NULL THEN 'not_reported' WHEN not_stated > 0 THEN 'dwelling_partly_stated' {_PARTLY}"
)
_WEIGHTED_WHY = (
    f"CASE WHEN told IS NULL OR told = 0 THEN 'not_reported' WHEN weight = 0 THEN 'zero_denominator' {_PARTLY}"
)
_FORMULAS: dict[str, tuple[str, str]] = {
    "persons_per_km2": ("persons / nullif(area_km2, 0)", _PERSONS_WHY),
    "persons_per_ha": (f"persons / nullif(area_km2 * {HA_PER_KM2}, 0)", _PERSONS_WHY),
    "ger_households_per_ha_of_ger_area": (
        f"CASE WHEN {_GER_HA} >= {GER_AREA_MIN_HA} THEN ger / ({_GER_HA}) END",
        _GER_WHY,
    ),
    "ger_household_share_pct": (
        "100.0 * ger / nullif(households - not_stated, 0)",
        (
            "CASE WHEN ger IS NULL THEN 'not_reported' WHEN households = not_stated THEN 'zero_denominator' "
            "WHEN not_stated > 0 THEN 'dwelling_partly_stated' END"
        ),
    ),
    "ger_area_share_pct": (
        "100.0 * ger_area_km2 / nullif(area_km2, 0)",
        "CASE WHEN ger_area_km2 IS NULL THEN 'no_ger_layer' END",
    ),
    "population_weighted_density_per_km2": ("weighted / nullif(weight, 0)", _WEIGHTED_WHY),
}
"""SQL of each density's value, and of the note where there is something to say."""


def build_densities(connection: Connection, scope: Scope) -> None:
    """Make TEMP TABLE `full_density`: every density for every round and area, null with a note where undefined.

    Needs `build_stocks` first. Gross densities divide by the whole area in EPSG:32648. The density of ger areas
    divides the households that live in gers by the hectares of the ger-area layer inside the area (the newest layer:
    the same land for every round); it is undefined on less than one hectare. Both divide by the land of the whole
    area even where only some of its khoroos reported, and a note then says how many did: read them with the coverage.

    Households whose dwelling is not stated are in neither part of the ger share, and are missing from the density of
    ger areas; a note says so.

    The population-weighted density of a district or the city is the density the average person lives in,
    sum P_i (P_i / A_i) / sum P_i over the khoroos i that reported (Craig 1984, Averaging population density,
    Demography 21(3)); unlike the gross one it is not thinned by empty land at the edge.
    """
    rows = ", ".join(f"('{name}', '{density.unit}')" for name, density in DENSITIES.items())
    values = " ".join(f"WHEN '{name}' THEN {sql}" for name, (sql, _) in _FORMULAS.items())
    whys = " ".join(f"WHEN '{name}' THEN {sql}" for name, (_, sql) in _FORMULAS.items())
    create_full(
        connection,
        "density",
        f"""
        WITH named(indicator, unit) AS (VALUES {rows}),
        told AS (
            SELECT round_number, pcode,
                max(value) FILTER (measure = 'persons' AND item = 'total') AS persons,
                max(value) FILTER (measure = 'households' AND item = 'total') AS households,
                max(value) FILTER (breakdown = 'dwelling' AND item = 'ger') AS ger,
                coalesce(max(value) FILTER (breakdown = 'dwelling' AND item = '{NOT_STATED}'), 0) AS not_stated
            FROM full_stock WHERE category = 'actual' GROUP BY ALL
        ), lived AS (
            SELECT t.round_number, u.pcode, count(*) AS parts, count(t.persons) AS told, sum(t.persons) AS weight,
                sum((t.persons::DOUBLE * t.persons / nullif(a.area_km2, 0))::{EXACT})::DOUBLE AS weighted
            FROM scope_rollup u JOIN told t ON t.pcode = u.area_pcode JOIN scope_area a ON a.pcode = u.area_pcode
            GROUP BY ALL
        ), valued AS (
            SELECT t.round_number, a.level, a.pcode, indicator, unit,
                CASE indicator {values} END AS value, CASE indicator {whys} END AS note
            FROM told t JOIN scope_area a USING (pcode) LEFT JOIN lived USING (round_number, pcode) CROSS JOIN named
            WHERE indicator <> 'population_weighted_density_per_km2' OR a.level < $finest_level
        )
        FROM valued ORDER BY ALL
        """,
        {"finest_level": scope.finest_level},
    )

"""Compute the migration and registration indicators of a release from full data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._full import create_full
from dtm._migration_margins import DAYS_PER_YEAR
from dtm.measures import INDICATORS

if TYPE_CHECKING:
    from dtm.engine import Connection
    from dtm.scope import Scope

__all__ = ["INDICATORS", "build_indicators"]


def build_indicators(connection: Connection, scope: Scope) -> None:
    """Make TEMP TABLE `full_indicator`: every indicator for every round and area, null with a note where undefined.

    Needs `build_stocks` and `build_flows` first. Formulas and sources stand in `INDICATORS`; the choices are:

    - *Flows* are the totals of `full_flow`, so in and out come from different people: arrivals are told where
      people came to, departures where they left from (IOM DTM framework: sources are compared, not added).
    - *Rates* are a year's: x 365.25 / the round's `flow_days`. The population at risk is the mid-period one, per
      unit the mean of the two rounds' actual persons if it reported in both, else this round's; so numerator and
      denominator are the same units. Null while a counted return doesn't tell its actual persons.
    - *Ratios of stocks* are sums over the returns that tell both figures; a note says how many where that is fewer
      than were counted.
    - *Change* is over the units that reported in this round and in the one before it in the release, whose number
      the note gives: a unit that stays silent is no loss of people.
    - 0 / 0 is undefined, never 0.
    """
    _build_pairs(connection)
    rows = ", ".join(f"('{name}', '{indicator.unit}')" for name, indicator in INDICATORS.items())
    values = " ".join(f"WHEN '{name}' THEN {sql}" for name, (sql, _) in _FORMULAS.items())
    whys = " ".join(f"WHEN '{name}' THEN {sql}" for name, (_, sql) in _FORMULAS.items())
    create_full(
        connection,
        "indicator",
        f"""
        WITH named(indicator, unit) AS (VALUES {rows}),
        dated AS (
            SELECT *, date_diff('day', lag(reference_on) OVER (ORDER BY round_number), reference_on) / {DAYS_PER_YEAR}
                AS years
            FROM scope_round
        ), flow AS (
            SELECT round_number, pcode, max(value) FILTER (direction = 'in') AS came,
                max(value) FILTER (direction = 'out') AS went
            FROM full_flow WHERE source IN ('arrivals', 'departures') AND counterpart = 'total' AND reason = 'total'
                AND measure = 'persons' GROUP BY ALL
        ), wide AS (
            SELECT n.round_number, a.level, a.pcode, n.flow_days, f.came, f.went, p.* EXCLUDE (round_number, pcode),
                1000.0 * {DAYS_PER_YEAR} / n.flow_days AS scale,
                n.round_number = $first_round AS is_first, n.years
            FROM dated n CROSS JOIN scope_area a
            LEFT JOIN flow f ON f.round_number = n.round_number AND f.pcode = a.pcode
            LEFT JOIN scope_pairs p ON p.round_number = n.round_number AND p.pcode = a.pcode
        ), valued AS (
            SELECT *, CASE indicator {values} END AS value, CASE indicator {whys} END AS note
            FROM wide CROSS JOIN named
        )
        SELECT round_number, level, pcode, indicator, CASE WHEN isfinite(value) THEN value END AS value, unit,
            CASE WHEN returns IS NULL THEN 'not_reported' ELSE note END AS note
        FROM valued ORDER BY ALL
        """,
        {"first_round": scope.rounds[0]},
    )


_PAIRS = {
    "gap": ("actual_persons", "registered_persons"),
    "unregistered": ("unregistered_persons", "actual_persons"),
    "absent": ("registered_absent_persons", "registered_persons"),
    "registered": ("registered_persons", "actual_persons"),
    "household": ("actual_persons", "actual_households"),
    "sex": ("male", "female"),
    "dependency": ("age_0_4 + t.age_5_14 + t.age_60_plus", "age_15_24 + t.age_25_59"),
}
"""Ratios of stocks: numerator and denominator, summed over the returns that tell both."""


def _build_pairs(connection: Connection) -> None:
    """Make `scope_pairs`: a row a round and area, with the sums each indicator divides."""
    sums = ", ".join(
        f"(sum(t.{top}) FILTER ({both}))::BIGINT AS {name}_top, "
        f"(sum(t.{below}) FILTER ({both}))::BIGINT AS {name}_below, "
        f"count(*) FILTER ({both}) AS {name}_returns"
        for name, (top, below) in _PAIRS.items()
        for both in (f"(t.{top}) IS NOT NULL AND (t.{below}) IS NOT NULL",)
    )
    matched = "FILTER (t.actual_persons IS NOT NULL AND p.actual_persons IS NOT NULL)"
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE scope_pairs AS
        WITH previous AS (
            SELECT round_number, lag(round_number) OVER (ORDER BY round_number) AS before_number FROM scope_round
        ), told AS (
            SELECT n.round_number, n.before_number, f.* EXCLUDE (round_number)
            FROM scope_return_figure f JOIN previous n USING (round_number)
        )
        SELECT t.round_number, u.pcode, count(*) AS returns, {sums},
            CASE WHEN count(t.actual_persons) = count(*)
                THEN sum((t.actual_persons + coalesce(p.actual_persons, t.actual_persons))::BIGINT)::BIGINT / 2.0
                END AS at_risk,
            count(*) {matched} AS matched_units,
            (sum(t.actual_persons) {matched})::BIGINT AS matched_now,
            (sum(p.actual_persons) {matched})::BIGINT AS matched_before
        FROM told t JOIN scope_rollup u USING (area_pcode)
        LEFT JOIN scope_return_figure p ON p.round_number = t.before_number AND p.unit_key = t.unit_key
            AND p.area_pcode = t.area_pcode
        GROUP BY t.round_number, u.pcode
        """
    )


def _moves(formula: str, zero: str = "") -> tuple[str, str]:
    """Return a figure made of moves; they were not reported where nobody was asked for them."""
    return formula, f"CASE WHEN ({formula.partition(' / ')[0]}) IS NULL THEN 'not_reported' {zero} END"


def _rate(count: str) -> tuple[str, str]:
    why = (
        f"CASE WHEN {count} IS NULL THEN 'not_reported' WHEN at_risk IS NULL THEN 'incomplete' "
        "WHEN flow_days IS NULL THEN 'no_window' "
        "WHEN at_risk = 0 THEN 'zero_denominator' END"
    )
    return f"{count} * scale / nullif(at_risk, 0)", why


def _paired(name: str, formula: str, *, divides: bool = True) -> tuple[str, str]:
    zero = f"WHEN {name}_below = 0 THEN 'zero_denominator' " if divides else ""
    why = (
        f"CASE WHEN {name}_returns = 0 THEN 'not_reported' {zero}"
        f"WHEN {name}_returns < returns THEN 'paired_returns:' || {name}_returns END"
    )
    return formula.format(top=f"{name}_top", below=f"nullif({name}_below, 0)" if divides else f"{name}_below"), why


def _change(formula: str, zero: str = "") -> tuple[str, str]:
    why = (
        "CASE WHEN is_first THEN 'no_previous_round' WHEN matched_units = 0 THEN 'no_matched_units' "
        f"{zero} ELSE 'matched_units:' || matched_units END"
    )
    return formula, why


_FORMULAS: dict[str, tuple[str, str]] = {
    "in_persons": _moves("came"),
    "out_persons": _moves("went"),
    "net_persons": _moves("came - went"),
    "gross_persons": _moves("came + went"),
    "in_per_1000": _rate("came"),
    "out_per_1000": _rate("went"),
    "net_per_1000": _rate("(came - went)"),
    "gross_per_1000": _rate("(came + went)"),
    "effectiveness_pct": _moves(
        "100.0 * (came - went) / nullif(came + went, 0)", "WHEN came + went = 0 THEN 'nobody_moved'"
    ),
    "registered_per_actual_pct": _paired("registered", "100.0 * {top} / {below}"),
    "registration_gap_persons": _paired("gap", "{top} - {below}", divides=False),
    "unregistered_share_pct": _paired("unregistered", "100.0 * {top} / {below}"),
    "absent_share_pct": _paired("absent", "100.0 * {top} / {below}"),
    "change_persons": _change("matched_now - matched_before"),
    "change_pct": _change(
        "100.0 * (matched_now - matched_before) / nullif(matched_before, 0)",
        "WHEN matched_before = 0 THEN 'zero_denominator'",
    ),
    "growth_pct_year": _change(
        "CASE WHEN matched_now > 0 AND matched_before > 0 THEN "
        "100.0 * ln(matched_now::DOUBLE / matched_before) / nullif(years, 0) END",
        "WHEN matched_now = 0 OR matched_before = 0 OR years = 0 THEN 'zero_denominator'",
    ),
    "dependency_ratio": _paired("dependency", "100.0 * {top} / {below}"),
    "sex_ratio": _paired("sex", "100.0 * {top} / {below}"),
    "persons_per_household": _paired("household", "1.0 * {top} / {below}"),
}
"""SQL of each indicator's value, and of the note where there is something to say."""

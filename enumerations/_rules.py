"""Declare the rules between the columns of every table."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from enumerations.codelists import choices_of, codes_of
from enumerations.columns import AGE_BANDS, PASSAGE_GROUPS, PASSAGES
from enumerations.rules import (
    COLLECTED_AT,
    Alone,
    Capacity,
    Cases,
    Differ,
    FormRule,
    InOrder,
    Is,
    Needed,
    NoPoint,
    OfReturns,
    Pseudonym,
    Rule,
    Total,
    Unasked,
)

if TYPE_CHECKING:
    from enumerations.columns import FormColumn, FormTable

__all__ = ["GPS_USABLE", "Rule", "form_rules_of", "rules_of"]

GPS_ACCURACY_MAXIMUM_M = 100
"""A less accurate point gets a warning."""
LONGITUDES_DEG = (87, 120)
LATITUDES_DEG = (41, 53)
"""Mongolia lies inside; a point with the two exchanged was swapped."""
POLE_DEG = 90
DATE_LINE_DEG = 180
RESIDENCE_YEARS = (1, 5)
"""The survey asks where a member lived so many years ago."""

_AGES = tuple(f"age_{band}_persons" for band in AGE_BANDS)
_SEXES = tuple(f"{sex}_persons" for sex in codes_of("sex"))
_DWELLINGS = tuple(f"{kind}_households" for kind in codes_of("dwelling"))
_POINT = "concat(lon, ', ', lat)"


def _at_most(code: str, name: str, limit: str) -> Total:
    return Total(code, (name,), limit, at_most=True)


_ZERO = Cases("gps_zero", "lon, lat", ((Is("lon", "=", 0), Is("lat", "=", 0)),), _POINT)
_SWAPPED = Cases(
    "gps_swapped",
    "lon, lat",
    (
        (
            Is("lat", ">=", LONGITUDES_DEG[0]),
            Is("lat", "<=", LONGITUDES_DEG[1]),
            Is("lon", ">=", LATITUDES_DEG[0]),
            Is("lon", "<=", LATITUDES_DEG[1]),
        ),
    ),
    _POINT,
)
_OUTSIDE = Cases(
    "gps_outside_world",
    "lon, lat",
    (
        (Is("lon", ">", DATE_LINE_DEG),),
        (Is("lon", "<", -DATE_LINE_DEG),),
        (Is("lat", "<", -POLE_DEG),),
        (Is("lat", ">", LONGITUDES_DEG[1]),),
        (Is("lat", ">", POLE_DEG), Is("lon", "<", LATITUDES_DEG[0])),
        (Is("lat", ">", POLE_DEG), Is("lon", ">", LATITUDES_DEG[1])),
    ),
    _POINT,
)
_GPS: tuple[FormRule, ...] = (
    _ZERO,
    _SWAPPED,
    _OUTSIDE,
    Cases("gps_inaccurate", "accuracy_m", ((Is("accuracy_m", ">", GPS_ACCURACY_MAXIMUM_M),),), "accuracy_m"),
)
_UNIT: tuple[FormRule, ...] = (
    Needed("unit_not_named", "district", instead=("unit", "khoroo")),
    *_GPS,
    Pseudonym("enumerator_named", "enumerator"),
)
_GROUP: tuple[FormRule, ...] = (
    Total("sex_sum", _SEXES, "persons"),
    Total("age_sum", _AGES, "persons"),
    _at_most("households_over_persons", "households", "persons"),
)
_RULES: dict[str, tuple[FormRule, ...]] = {
    "baseline": (
        Total("sex_sum", _SEXES, "actual_persons"),
        Total("age_sum", _AGES, "actual_persons"),
        _at_most("households_over_persons", "registered_households", "registered_persons"),
        _at_most("households_over_persons", "actual_households", "actual_persons"),
        _at_most("absent_over_registered", "registered_absent_persons", "registered_persons"),
        Total(
            "register_balance",
            ("registered_persons", "unregistered_persons"),
            "actual_persons",
            minus=("registered_absent_persons",),
        ),
        Total("dwelling_sum", _DWELLINGS, "actual_households"),
        InOrder("window_order", "window_from", "window_to", field="window_to"),
        InOrder("window_after_collection", "window_from", COLLECTED_AT),
        Total("employment_over_persons", ("employed_persons", "unemployed_persons"), "actual_persons", at_most=True),
        _at_most("households_over_actual", "welfare_households", "actual_households"),
        _at_most("households_over_actual", "electricity_households", "actual_households"),
        Total("children_over_persons", ("school_age_persons", "preschool_age_persons"), "actual_persons", at_most=True),
        _at_most("out_of_school_over_children", "out_of_school_persons", "school_age_persons"),
        _at_most("out_of_school_over_children", "out_of_kindergarten_persons", "preschool_age_persons"),
        Alone("none_with_others", "problems", "none"),
        Alone("none_with_others", "services_lacking", "none"),
        NoPoint("gps_missing"),
        *_UNIT,
    ),
    "arrivals": _GROUP,
    "departures": _GROUP,
    "passages": (
        Total("group_sum", PASSAGE_GROUPS, "persons"),
        Capacity(
            "vehicle_overfull",
            "persons",
            "vehicle",
            tuple(
                (choice.code, choice.capacity_persons)
                for choice in choices_of("vehicle")
                if choice.capacity_persons is not None
            ),
        ),
        Differ("same_place", "origin", "destination", save=("abroad", "unknown")),
        *_GPS,
        Pseudonym("enumerator_named", "enumerator"),
    ),
    "households": (
        Needed("missing_value", "household_persons", when=Is("consent", "=", value=True)),
        OfReturns(
            "answers_without_consent",
            "consent",
            "NOT consent AND (told_household_persons OR told_dwelling OR told_registered OR told_move_distance "
            "OR told_reason OR told_intended_duration)",
            "NULL",
        ),
        NoPoint("gps_missing", when=Is("consent", "=", value=True)),
        *_UNIT,
    ),
    "members": (
        *(
            rule
            for years in RESIDENCE_YEARS
            for rule in (
                Needed("residence_missing", f"residence_{years}y", when=Is("age_years", ">=", years)),
                Unasked("residence_before_birth", f"residence_{years}y", when=Is("age_years", "<", years)),
            )
        ),
    ),
    "events": (
        _at_most("households_over_persons", "affected_households", "affected_persons"),
        InOrder("event_after_collection", "happened_on", COLLECTED_AT),
        InOrder("event_after_collection", "ended_on", COLLECTED_AT),
        InOrder("event_order", "happened_on", "ended_on", field="ended_on"),
        Alone("none_with_others", "services_lacking", "none"),
        NoPoint("gps_missing"),
        *_UNIT,
    ),
    "event_moves": _GROUP,
    "published": (
        OfReturns(
            "more_than_persons",
            "numberMales, numberFemales",
            "coalesce(numberMales, 0) + coalesce(numberFemales, 0) > numPresentIdpInd",
            "coalesce(numberMales, 0) + coalesce(numberFemales, 0)",
            "numPresentIdpInd",
        ),
        *(
            OfReturns("odd_area_code", f"admin{level}Pcode", f"adminLevel = {level} AND admin{level}Pcode IS NULL",
                      "coalesce(admin0Pcode, '')", f"'{level}'")
            for level in (1, 2)
        ),
    ),
}  # fmt: skip


def _usable_point() -> str:
    faults = " AND ".join(f"NOT ({rule.sql(PASSAGES).failed})" for rule in (_ZERO, _SWAPPED, _OUTSIDE))
    return f"lon IS NOT NULL AND lat IS NOT NULL AND {faults}"


GPS_USABLE = _usable_point()
"""SQL that is true where a record has a point worth locating."""


def form_rules_of(table: FormTable) -> tuple[FormRule, ...]:
    """Return the rules between columns of a table, for forms and returns alike."""
    return _RULES.get(table.name, ())


@cache
def rules_of(table: FormTable) -> tuple[Rule, ...]:
    """Return the rules between columns of a table over the typed columns of its returns."""
    return (*(rule.sql(table) for rule in form_rules_of(table)), *version_rules(table))


def version_rules(table: FormTable) -> tuple[Rule, ...]:
    """Return the rules on codes that the version of the form, such as 2025-04, did not offer or no longer offered."""
    if "form_version" not in table.by_name:
        return ()
    rules = []
    for column in table.columns:
        if column.kind in {"code", "codes"} and column.codelist:
            for code, choice in ((choice.code, choice) for choice in choices_of(column.codelist)):
                if choice.withdrawn:
                    rules.append(_out_of_version("withdrawn_code", column, code, ">=", choice.withdrawn))
                if choice.since:
                    rules.append(_out_of_version("code_too_new", column, code, "<", choice.since))
    return tuple(rules)


def _out_of_version(finding: str, column: FormColumn, code: str, operator: str, version: str) -> Rule:
    """Compare versions as the digits of their dates; a version that is no date is left alone."""
    digits = "regexp_replace(form_version, '\\D', '', 'g')"
    limit = "".join(letter for letter in version if letter.isdigit())
    compared = f"left({digits}, {len(limit)}) {operator} '{limit}' AND regexp_matches(form_version, '^20\\d\\d')"
    return Rule(
        finding,
        column.name,
        f"contains(' ' || {column.name} || ' ', ' {code} ') AND {compared}",
        f"'{code}'",
        f"'{version}'",
    )

"""State the rules between the columns of a record, as SQL over its typed values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from enumerations.columns import AGE_BANDS, PASSAGE_GROUPS

if TYPE_CHECKING:
    from enumerations.columns import FormTable

GPS_ACCURACY_MAXIMUM_M = 100
"""A less accurate point gets a warning."""
LONGITUDES_DEG = (87, 120)
LATITUDES_DEG = (41, 53)
"""Mongolia lies inside; a point with the two exchanged was swapped."""


@dataclass(frozen=True)
class Rule:
    """A rule between columns: the finding's code and field, when it fails, and what to show."""

    code: str
    field: str
    failed: str
    value: str
    hint: str = "NULL"


_AGES = [f"age_{band}_persons" for band in AGE_BANDS]
_DWELLINGS = [f"{kind}_households" for kind in ("ger", "house", "apartment", "other")]


def _sum(columns: list[str]) -> str:
    return f"({' + '.join(columns)})"


def _sum_differs(code: str, columns: list[str], total: str) -> Rule:
    return Rule(code, total, f"{_sum(columns)} <> {total}", _sum(columns), total)


def _more(code: str, name: str, than: str) -> Rule:
    return Rule(code, name, f"{name} > {than}", name, than)


_POINT = "concat(lon, ', ', lat)"
_ZERO = "lon = 0 AND lat = 0"
_SWAPPED = (
    f"lat BETWEEN {LONGITUDES_DEG[0]} AND {LONGITUDES_DEG[1]} AND lon BETWEEN {LATITUDES_DEG[0]} AND {LATITUDES_DEG[1]}"
)
_OUTSIDE = f"(abs(lon) > 180 OR abs(lat) > 90) AND NOT ({_SWAPPED})"

GPS_USABLE = f"lon IS NOT NULL AND lat IS NOT NULL AND NOT ({_ZERO}) AND NOT ({_SWAPPED}) AND NOT ({_OUTSIDE})"
"""SQL that is true where a record has a point worth locating."""

_GPS = (
    Rule("gps_zero", "lon, lat", _ZERO, _POINT),
    Rule("gps_swapped", "lon, lat", _SWAPPED, _POINT),
    Rule("gps_outside_world", "lon, lat", _OUTSIDE, _POINT),
    Rule("gps_inaccurate", "accuracy_m", f"accuracy_m > {GPS_ACCURACY_MAXIMUM_M}", "accuracy_m"),
)
_RULES: dict[str, tuple[Rule, ...]] = {
    "baseline": (
        _sum_differs("sex_sum", ["male_persons", "female_persons"], "actual_persons"),
        _sum_differs("age_sum", _AGES, "actual_persons"),
        _more("households_over_persons", "registered_households", "registered_persons"),
        _more("households_over_persons", "actual_households", "actual_persons"),
        _more("absent_over_registered", "registered_absent_persons", "registered_persons"),
        Rule(
            "register_balance",
            "actual_persons",
            "registered_persons - registered_absent_persons + unregistered_persons <> actual_persons",
            "registered_persons - registered_absent_persons + unregistered_persons",
            "actual_persons",
        ),
        _sum_differs("dwelling_sum", _DWELLINGS, "actual_households"),
        Rule("gps_missing", "lon, lat", "lon IS NULL OR lat IS NULL", "NULL"),
        *_GPS,
    ),
    "passages": (
        _sum_differs("group_sum", list(PASSAGE_GROUPS), "persons"),
        Rule(
            "same_place", "destination", "origin = destination AND origin NOT IN ('abroad', 'unknown')", "destination"
        ),
        *_GPS,
    ),
    "published": (
        Rule(
            "more_than_persons",
            "numberMales, numberFemales",
            "coalesce(numberMales, 0) + coalesce(numberFemales, 0) > numPresentIdpInd",
            "coalesce(numberMales, 0) + coalesce(numberFemales, 0)",
            "numPresentIdpInd",
        ),
        *(
            Rule("odd_area_code", f"admin{level}Pcode", f"adminLevel = {level} AND admin{level}Pcode IS NULL",
                 "coalesce(admin0Pcode, '')", f"'{level}'")
            for level in (1, 2)
        ),
    ),
}  # fmt: skip
_MOVES = (
    _sum_differs("sex_sum", ["male_persons", "female_persons"], "persons"),
    _sum_differs("age_sum", _AGES, "persons"),
    _more("households_over_persons", "households", "persons"),
)


def rules_of(table: FormTable) -> tuple[Rule, ...]:
    """Return the rules between columns of a table."""
    return _MOVES if table.name in {"arrivals", "departures"} else _RULES.get(table.name, ())

"""A record that the form refuses is a finding with the same code, and the other way round."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtm.engine import connect
from enumerations._rules import form_rules_of
from enumerations.columns import AGE_BANDS, FORMS, PASSAGE_GROUPS
from tests.enumerations.forms_support import FLAGS, in_the_office, on_the_phone

UNIT = {
    "enumerator": "E11070101", "district": "MN1107", "khoroo": "MN110701", "kheseg": "MN11070101",
    "lon": "106.9", "lat": "47.9", "accuracy_m": "8",
}  # fmt: skip
HEAD = {"instance_id": "u-1", "collected_at": "2025-04-10T11:00:00"}
AGES = {f"age_{band}_persons": str(count) for band, count in zip(AGE_BANDS, (4, 8, 6, 20, 4), strict=True)}
GROUP = {
    "households": "1", "persons": "4", "male_persons": "2", "female_persons": "2",
    **{f"age_{band}_persons": str(count) for band, count in zip(AGE_BANDS, (0, 1, 1, 2, 0), strict=True)},
}  # fmt: skip
SOUND: dict[str, dict[str, str]] = {
    "baseline": {
        **HEAD, **UNIT, "informant_role": "kheseg_leader",
        "registered_households": "10", "registered_persons": "40", "actual_households": "11", "actual_persons": "42",
        "male_persons": "20", "female_persons": "22", **AGES,
        "registered_absent_persons": "3", "unregistered_persons": "5",
        "ger_households": "6", "house_households": "3", "apartment_households": "2", "other_households": "0",
        "births_persons": "1", "deaths_persons": "0", "number_source": "count", "confidence": "3",
        "window_from": "2024-10-01", "window_to": "2025-04-01", "had_arrivals": "no", "had_departures": "no",
        "employed_persons": "20", "unemployed_persons": "5", "main_income": "wages", "income_change": "same",
        "welfare_households": "4", "problems": "air_pollution roads", "safety": "safe",
        "services_lacking": "none", "water_source": "kiosk", "electricity_households": "11",
        "school_age_persons": "8", "out_of_school_persons": "1", "preschool_age_persons": "3",
        "out_of_kindergarten_persons": "2", "remarks": "",
    },
    "arrivals": {"instance_id": "u-1", "origin": "MN6204", **GROUP, "reason": "work", "registered": "yes"},
    "departures": {"instance_id": "u-1", "destination": "abroad", **GROUP, "reason": "study", "registered": "no"},
    "passages": {
        "instance_id": "p-1", "checkpoint": "emeelt", "direction": "in", "passed_at": "2025-04-10T07:00:00",
        "vehicle": "car", "persons": "4",
        **dict(zip(PASSAGE_GROUPS, ("0", "1", "0", "1", "1", "1"), strict=True)),
        "origin": "MN6204", "destination": "MN1107", "stay": "1_3d", "purpose": "work", "enumerator": "C12",
        "lon": "106.5", "lat": "47.8", "accuracy_m": "5",
    },
    "watch": {"checkpoint": "emeelt", "day": "2025-04-10", "hours_observed": "23.5"},
    "households": {
        **HEAD, **UNIT, "consent": "yes", "household_persons": "4", "dwelling": "ger", "registered": "no",
        "move_distance": "other_aimag", "reason": "livestock_loss", "intended_duration": "permanent", "remarks": "",
    },
    "members": {
        "instance_id": "u-1", "sex": "female", "age_years": "30", "residence_1y": "MN6204", "residence_5y": "MN62",
        "birthplace": "unknown", "registered": "no", "reason": "work",
    },
    "events": {
        **HEAD, **UNIT, "event_kind": "flood", "happened_on": "2025-04-05", "ended_on": "2025-04-07",
        "affected_households": "12", "affected_persons": "40", "dwellings_destroyed": "1", "dwellings_damaged": "5",
        "livestock_lost": "0", "had_moves": "no", "services_lacking": "water electricity", "remarks": "",
    },
    "event_moves": {
        "instance_id": "u-1", "moved_from": "MN110701", "moved_to": "MN1110", **GROUP, "shelter": "relatives",
    },
}  # fmt: skip
"""One sound record of every table."""
PARENTS = {"arrivals": "baseline", "departures": "baseline", "members": "households", "event_moves": "events"}

CASES: list[tuple[str, dict[str, str], set[str]]] = [
    *((table, {}, set()) for table in SOUND),
    ("baseline", {"registered_persons": ""}, {"missing_value"}),
    ("baseline", {"births_persons": "1.5"}, {"fraction"}),
    ("baseline", {"births_persons": "-1"}, {"negative"}),
    ("baseline", {"confidence": "0"}, {"out_of_range"}),
    ("baseline", {"confidence": "4"}, {"out_of_range"}),
    ("baseline", {"female_persons": "21"}, {"sex_sum"}),
    ("baseline", {"female_persons": ""}, set()),
    ("baseline", {"male_persons": "-2"}, {"negative"}),
    ("baseline", {"age_60_plus_persons": "5"}, {"age_sum"}),
    ("baseline", {"age_0_4_persons": "", "age_60_plus_persons": "99"}, set()),
    ("baseline", {"registered_households": "41"}, {"households_over_persons"}),
    ("baseline", {"registered_absent_persons": "41"}, {"absent_over_registered", "register_balance"}),
    ("baseline", {"unregistered_persons": "6"}, {"register_balance"}),
    ("baseline", {"unregistered_persons": ""}, set()),
    ("baseline", {"other_households": "1"}, {"dwelling_sum"}),
    ("baseline", {"window_to": "2024-09-30"}, {"window_order"}),
    ("baseline", {"window_to": "2024-10-01"}, set()),
    ("baseline", {"window_from": "2025-04-11", "window_to": ""}, {"window_after_collection"}),
    ("baseline", {"window_from": "2025-04-10", "window_to": ""}, set()),
    ("baseline", {"employed_persons": "38"}, {"employment_over_persons"}),
    ("baseline", {"employed_persons": "37"}, set()),
    ("baseline", {"welfare_households": "12"}, {"households_over_actual"}),
    ("baseline", {"electricity_households": "12"}, {"households_over_actual"}),
    ("baseline", {"school_age_persons": "40"}, {"children_over_persons"}),
    ("baseline", {"out_of_school_persons": "9"}, {"out_of_school_over_children"}),
    ("baseline", {"out_of_kindergarten_persons": "4"}, {"out_of_school_over_children"}),
    ("baseline", {"problems": "none roads"}, {"none_with_others"}),
    ("baseline", {"problems": "none"}, set()),
    ("baseline", {"services_lacking": "water none"}, {"none_with_others"}),
    ("baseline", {"enumerator": "Болд"}, {"enumerator_named"}),
    ("baseline", {"enumerator": "99112233"}, {"enumerator_named"}),
    ("baseline", {"enumerator": ""}, set()),
    ("baseline", {"district": "", "khoroo": "", "kheseg": ""}, {"unit_not_named"}),
    ("baseline", {"lon": "", "lat": "", "accuracy_m": ""}, {"gps_missing"}),
    ("baseline", {"lon": "0", "lat": "0"}, {"gps_zero"}),
    ("baseline", {"lon": "47.9", "lat": "106.9"}, {"gps_swapped"}),
    ("baseline", {"lon": "647000", "lat": "5310000"}, {"gps_outside_world"}),
    ("baseline", {"lon": "106.9", "lat": "95"}, {"gps_outside_world"}),
    ("baseline", {"accuracy_m": "101"}, {"gps_inaccurate"}),
    ("baseline", {"accuracy_m": "100"}, set()),
    ("arrivals", {"origin": ""}, {"missing_value"}),
    ("arrivals", {"origin": "MN110702"}, set()),
    ("arrivals", {"persons": "0"}, {"out_of_range"}),
    ("arrivals", {"persons": "-4"}, {"negative"}),
    ("arrivals", {"female_persons": "3"}, {"sex_sum"}),
    ("arrivals", {"age_60_plus_persons": "1"}, {"age_sum"}),
    ("arrivals", {"households": "5"}, {"households_over_persons"}),
    ("departures", {"destination": ""}, {"missing_value"}),
    ("departures", {"persons": "5"}, {"sex_sum", "age_sum"}),
    ("departures", {"households": "5"}, {"households_over_persons"}),
    ("passages", {"checkpoint": ""}, {"missing_value"}),
    ("passages", {"passed_at": ""}, {"missing_value"}),
    ("passages", {"persons": "0"}, {"out_of_range"}),
    ("passages", {"persons": "5"}, {"group_sum"}),
    ("passages", {"persons": "10", PASSAGE_GROUPS[0]: "6"}, {"vehicle_overfull"}),
    ("passages", {"persons": "10", PASSAGE_GROUPS[0]: "6", "vehicle": "minibus"}, set()),
    ("passages", {"persons": "10", PASSAGE_GROUPS[0]: "6", "vehicle": ""}, set()),
    ("passages", {"destination": "MN6204"}, {"same_place"}),
    ("passages", {"origin": "abroad", "destination": "abroad"}, set()),
    ("passages", {"lon": "", "lat": "", "accuracy_m": ""}, set()),
    ("passages", {"lon": "0", "lat": "0"}, {"gps_zero"}),
    ("passages", {"lon": "47.9", "lat": "106.9"}, {"gps_swapped"}),
    ("passages", {"lon": "-181"}, {"gps_outside_world"}),
    ("passages", {"accuracy_m": "500"}, {"gps_inaccurate"}),
    ("passages", {"enumerator": "Сараа Б."}, {"enumerator_named"}),
    ("watch", {"day": ""}, {"missing_value"}),
    ("watch", {"hours_observed": "24.5"}, {"out_of_range"}),
    ("watch", {"hours_observed": "-1"}, {"negative"}),
    ("watch", {"hours_observed": "24"}, set()),
    ("households", {"consent": ""}, {"missing_value"}),
    ("households", {"household_persons": ""}, {"missing_value"}),
    ("households", {"household_persons": "41"}, {"out_of_range"}),
    ("households", {"district": "", "khoroo": "", "kheseg": ""}, {"unit_not_named"}),
    ("households", {"lon": "", "lat": "", "accuracy_m": ""}, {"gps_missing"}),
    ("households", {"lon": "0", "lat": "0"}, {"gps_zero"}),
    ("households", {"lon": "47.9", "lat": "106.9"}, {"gps_swapped"}),
    ("households", {"lat": "-91"}, {"gps_outside_world"}),
    ("households", {"accuracy_m": "101"}, {"gps_inaccurate"}),
    ("households", {"enumerator": "Б. Болд"}, {"enumerator_named"}),
    (
        "households",
        {name: "" for name in SOUND["households"] if name not in {*HEAD, "enumerator", "district", "khoroo", "kheseg"}}
        | {"consent": "no"},
        set(),
    ),
    ("members", {"age_years": ""}, {"missing_value"}),
    ("members", {"age_years": "111"}, {"out_of_range"}),
    ("members", {"residence_1y": ""}, {"residence_missing"}),
    ("members", {"residence_5y": ""}, {"residence_missing"}),
    ("members", {"age_years": "4", "residence_5y": ""}, set()),
    ("members", {"age_years": "0", "residence_1y": "", "residence_5y": ""}, set()),
    ("events", {"event_kind": ""}, {"missing_value"}),
    ("events", {"affected_households": "41"}, {"households_over_persons"}),
    ("events", {"happened_on": "2025-04-11", "ended_on": ""}, {"event_after_collection"}),
    ("events", {"ended_on": "2025-04-12"}, {"event_after_collection"}),
    ("events", {"ended_on": "2025-04-04"}, {"event_order"}),
    ("events", {"ended_on": ""}, set()),
    ("events", {"services_lacking": "none water"}, {"none_with_others"}),
    ("events", {"district": "", "khoroo": "", "kheseg": ""}, {"unit_not_named"}),
    ("events", {"lon": "", "lat": "", "accuracy_m": ""}, {"gps_missing"}),
    ("events", {"lon": "0", "lat": "0"}, {"gps_zero"}),
    ("events", {"lon": "47.9", "lat": "106.9"}, {"gps_swapped"}),
    ("events", {"lon": "181"}, {"gps_outside_world"}),
    ("events", {"accuracy_m": "101"}, {"gps_inaccurate"}),
    ("events", {"enumerator": "Болд 99112233"}, {"enumerator_named"}),
    ("event_moves", {"moved_to": ""}, {"missing_value"}),
    ("event_moves", {"female_persons": "3"}, {"sex_sum"}),
    ("event_moves", {"age_0_4_persons": "1"}, {"age_sum"}),
    ("event_moves", {"households": "5"}, {"households_over_persons"}),
]
"""Table, what is changed of its sound record, and what both the form and the checks must say."""


@pytest.fixture(scope="module")
def connection():
    return connect(spatial=False)


def phone(table: str, record: dict[str, str]) -> set[str]:
    return on_the_phone(table, record, SOUND[PARENTS[table]] if table in PARENTS else None)


@pytest.mark.parametrize(("table", "changes", "codes"), CASES)
def test_form_and_checks_say_the_same(connection, tmp_path, table, changes, codes):
    record = SOUND[table] | changes
    assert in_the_office(connection, tmp_path, table, record) == codes
    assert phone(table, record) == codes


def test_every_rule_of_a_form_has_a_case():
    cases = {(table, code) for table, _, codes in CASES for code in codes}
    rules = {
        (table.name, rule.code)
        for tables in FORMS.values()
        for table in tables
        for rule in form_rules_of(table)
        if rule.columns()
    }
    assert rules - cases == set()


@pytest.mark.parametrize(
    ("table", "changes", "code"),
    [
        ("members", {"age_years": "0", "residence_5y": ""}, "residence_before_birth"),
        ("members", {"age_years": "4"}, "residence_before_birth"),
        ("households", {"consent": "no"}, "answers_without_consent"),
    ],
)
def test_a_form_does_not_ask_what_the_checks_would_refuse(connection, tmp_path, table, changes, code):
    record = SOUND[table] | changes
    assert in_the_office(connection, tmp_path, table, record) == {code}
    assert phone(table, record) == set()


COUNTS = {
    "baseline": [name for name in SOUND["baseline"] if name.endswith(("_persons", "_households"))],
    "arrivals": [name for name in SOUND["arrivals"] if name.endswith(("persons", "households"))],
    "passages": ["persons", *PASSAGE_GROUPS],
    "events": ["affected_households", "affected_persons", "dwellings_destroyed"],
}


@given(data=st.data(), table=st.sampled_from(sorted(COUNTS)))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_form_and_checks_agree_on_any_counts(connection, data, table):
    counts = st.one_of(st.integers(-2, 12), st.sampled_from([40, 42]), st.none())
    changes = data.draw(st.dictionaries(st.sampled_from(COUNTS[table]), counts, max_size=8))
    record = SOUND[table] | {name: "" if count is None else str(count) for name, count in changes.items()}
    with tempfile.TemporaryDirectory() as folder:
        found = in_the_office(connection, Path(folder), table, record)
    assert phone(table, record) == found


def test_the_repeats_are_asked_only_after_a_yes():
    for table, flag in FLAGS.items():
        parent = PARENTS[table]
        assert flag in SOUND[parent]
        record = dict.fromkeys(SOUND[table], "")
        assert "missing_value" in on_the_phone(table, record, SOUND[parent])

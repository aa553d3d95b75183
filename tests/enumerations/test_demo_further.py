"""Demonstration returns of the further themes: they add up, agree with each other and use declared codes only."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from enumerations._demo_conditions import condition_columns
from enumerations._demo_enumerators import write_enumerators
from enumerations._demo_events import EVENTS, event_tables
from enumerations._demo_people import found_population
from enumerations._demo_survey import HOUSEHOLDS_PER_KHOROO, survey_tables
from enumerations._demo_tables import plan_rounds
from enumerations.codelists import codes_of
from enumerations.columns import BASELINE, EVENT_MOVES, HOUSEHOLDS, MEMBERS
from enumerations.columns import EVENTS as EVENTS_TABLE

KHOROOS = [f"MN1107{number:02d}" for number in range(1, 21)]


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def population(rng):
    units = pd.DataFrame(
        {
            "pcode": [f"{khoroo}{kheseg:02d}" for khoroo in KHOROOS for kheseg in (1, 2)],
            "khoroo_pcode": [khoroo for khoroo in KHOROOS for _ in (1, 2)],
            "persons": 900.0,
            "ger_area_share": [0.0, 1.0] * len(KHOROOS),
        }
    )
    return found_population(units, rng=rng)


@pytest.fixture
def places():
    rows = [
        ("MN11", 1, 106.92, 47.92, 1_499_140), ("MN41", 1, 106.95, 47.71, 94_250), ("MN67", 1, 100.16, 49.63, 135_095),
        ("MN1107", 2, 106.87, 47.91, 231_517), ("MN1119", 2, 106.92, 47.95, 144_616),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["pcode", "level", "lon", "lat", "persons"])


def _points(population):
    return pd.DataFrame({"pcode": population.units["pcode"], "lon": 106.9, "lat": 47.9})


def _declared(form, table):
    for column in form.columns:
        if column.codelist and column.name in table:
            told = pd.Series(table[column.name]).replace("", np.nan).dropna().astype(str)
            assert set(told.str.split(" ").explode()) <= set(codes_of(column.codelist)), column.name


def test_conditions_stay_within_what_the_unit_has(population, rng):
    baseline = pd.DataFrame({"instance_id": [f"i{n}" for n in range(len(population.units))]})
    arrivals, departures = baseline.iloc[:3], baseline.iloc[5:6]
    told = condition_columns(population, arrivals, departures, baseline, rng=rng)
    assert set(told) <= set(BASELINE.column_names)
    _declared(BASELINE, told)
    assert told["had_arrivals"].tolist()[:4] == ["yes", "yes", "yes", "no"]
    assert (told["had_departures"] == "yes").sum() == 1
    assert (told["employed_persons"] + told["unemployed_persons"] <= population.persons).all()
    assert (told["welfare_households"] <= population.households).all()
    assert (told["electricity_households"] <= population.households).all()
    assert (told["out_of_school_persons"] <= told["school_age_persons"]).all()
    assert (told["out_of_kindergarten_persons"] <= told["preschool_age_persons"]).all()
    assert set(told["water_source"][::2]) == {"central"}


def test_the_surveys_members_are_the_households_persons(population, places, rng):
    plan = plan_rounds(6)[5]
    tables = survey_tables(population, plan, places, _points(population), rng=rng)
    households, members = tables["households"], tables["members"]
    assert len(households) == HOUSEHOLDS_PER_KHOROO * len(KHOROOS)
    _declared(HOUSEHOLDS, households)
    _declared(MEMBERS, members)
    agreed = households[households["consent"] == "yes"].set_index("instance_id")
    refused = households[households["consent"] == "no"]
    assert len(refused)
    assert refused["household_persons"].isna().all()
    sizes = members.groupby("instance_id").size()
    assert sizes.to_dict() == agreed["household_persons"].astype(int).to_dict()
    small = members[members["age_years"] < 5]
    assert (small["residence_5y"] == "").all()
    assert (members.loc[members["age_years"] >= 5, "residence_5y"] != "").all()


def test_event_reports_belong_to_their_rounds_window(population, rng):
    for plan in plan_rounds(6):
        tables = event_tables(population, plan, rng=rng)
        expected = sum(event.units for event in EVENTS if event.round_number == plan.number)
        assert len(tables["events"]) == expected
        if not expected:
            continue
        days = pd.to_datetime(tables["events"]["collected_at"]).dt.date
        assert days.between(plan.window_from, plan.ended_on).all()
        _declared(EVENTS_TABLE, tables["events"])
        _declared(EVENT_MOVES, tables["event_moves"])
        moves = tables["event_moves"]
        assert (moves["male_persons"] + moves["female_persons"] == moves["persons"]).all()
        with_moves = tables["events"].loc[tables["events"]["had_moves"] == "yes", "instance_id"]
        assert set(moves["instance_id"]) == set(with_moves)


def test_the_register_names_every_unit_and_checkpoint_once(population, tmp_path, rng):
    frame = pd.read_csv(write_enumerators(tmp_path / "enumerators.csv", population.units, rng=rng), dtype=str)
    assert frame["enumerator"].is_unique
    assert set(frame.loc[frame["role"] == "kheseg_leader", "unit"]) == set(population.units["pcode"])
    assert set(frame.loc[frame["role"] == "checkpoint", "unit"]) == set(codes_of("checkpoint"))
    assert set(frame["role"]) <= set(codes_of("enumerator_role"))
    assert 0 < frame["trained_on"].isna().mean() < 0.2

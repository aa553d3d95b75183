"""Hold the indicators to published worked examples and to sums by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from dtm._release_tables import RELEASE_TABLES
from dtm.indicators import _FORMULAS, INDICATORS
from dtm.measures import DENSITIES, NOTES, UNITS, note_words
from dtm.migration_indices import area_indicators, build_margins
from dtm.population_ratios import dependency_ratio, growth_rate, sex_ratio
from tests.dtm.small_world import KHESEGS, SmallWorld


@pytest.fixture(scope="module")
def world():
    made = SmallWorld()
    made.add_round(1)
    made.add_round(2)
    made.add_return(1, KHESEGS[0], actual={"persons": 900}, registered={"persons": 800})
    made.add_return(1, KHESEGS[2], actual={"persons": 500})
    sent = made.add_return(
        2, KHESEGS[0],
        actual={"persons": 1000, "households": 250, "male_persons": 480, "female_persons": 520},
        registered={"persons": 800}, registered_absent={"persons": 40}, unregistered={"persons": 240},
    )  # fmt: skip
    bands = {"0_4": 40, "5_14": 60, "15_24": 70, "25_59": 150, "60_plus": 30}
    ages = {f"age_{band}_persons": persons for band, persons in bands.items()}
    made.add_return(2, KHESEGS[1], actual={"persons": 350, "male_persons": 170, "female_persons": 180, **ages})
    move = {"window_from": "2021-07-01", "window_to": "2022-06-30"}
    made.add_move(sent, 2, KHESEGS[0], "arrival", "MN41", 60, **move)
    made.add_move(sent, 2, KHESEGS[0], "departure", "MN1110", 20, **move)
    made.build(last_round=2)
    return made


def indicator(world, name, pcode="MN110701", number=2):
    return world.rows(
        f"SELECT value, note FROM full_indicator WHERE round_number = {number} AND pcode = '{pcode}' "
        f"AND indicator = '{name}'"
    )[0]


@pytest.mark.parametrize(
    ("name", "value", "note"),
    [
        ("in_persons", 60, None),
        ("out_persons", 20, None),
        ("net_persons", 40, None),
        ("gross_persons", 80, None),
        ("effectiveness_pct", 50, None),
        # At risk: the kheseg of both rounds (900 + 1000) / 2, the new one 350: 1300 people, 365 days.
        ("in_per_1000", 1000 * 60 / 1300 * 365.25 / 365, None),
        ("out_per_1000", 1000 * 20 / 1300 * 365.25 / 365, None),
        ("net_per_1000", 1000 * 40 / 1300 * 365.25 / 365, None),
        ("gross_per_1000", 1000 * 80 / 1300 * 365.25 / 365, None),
        ("registration_gap_persons", 200, "paired_returns:1"),
        ("registered_per_actual_pct", 80, "paired_returns:1"),
        ("unregistered_share_pct", 24, "paired_returns:1"),
        ("absent_share_pct", 5, "paired_returns:1"),
        ("change_persons", 100, "matched_units:1"),
        ("change_pct", 100 / 9, "matched_units:1"),
        # 900 to 1000 people between 30 June 2021 and 30 June 2022: 365 days.
        ("growth_pct_year", 100 * math.log(1000 / 900) / (365 / 365.25), "matched_units:1"),
        ("sex_ratio", 100 * 650 / 700, None),
        ("dependency_ratio", 100 * (40 + 60 + 30) / (70 + 150), "paired_returns:1"),
        ("persons_per_household", 4, "paired_returns:1"),
    ],
)
def test_indicators_by_hand(world, name, value, note):
    found, said = indicator(world, name)
    assert found == pytest.approx(value, rel=1e-12)
    assert said == note


def test_published_sizes_of_households():
    """Herders on otor in January 2024 by where they went (IFRC): 3.60 a family; the census of 2020 (NSO): 3.674."""
    families = (7_570, 2_322, 4_303, 2_907, 1_047, 710)
    assert sum(families) == 18_859
    made = SmallWorld()
    for number in (1, 2):
        made.add_round(number)
    made.add_return(1, KHESEGS[0], actual={"persons": 67_892, "households": sum(families)})
    made.add_return(2, KHESEGS[0], actual={"persons": 3_296_866, "households": 897_427})
    made.build(last_round=2)
    assert indicator(made, "persons_per_household", number=1)[0] == pytest.approx(3.60, abs=5e-3)
    assert indicator(made, "persons_per_household", number=2)[0] == pytest.approx(3.674, abs=5e-4)


def test_the_figures_of_a_release_are_those_of_the_public_functions(world):
    """The release writes its indicators in SQL; the functions for tables of one's own give the same."""
    register = pd.DataFrame({"area": ["MN110701"], "in_persons": [60], "out_persons": [20]})
    at_risk = pd.DataFrame({"area": ["MN110701"], "persons": [1300.0]})
    (margins,) = build_margins(register, at_risk)
    own = area_indicators(margins, days=365).iloc[0]
    names = ["in_persons", "out_persons", "net_persons", "gross_persons"]
    names += [name.replace("persons", "per_1000") for name in names]
    expected = {name: own[name] for name in names} | {
        "effectiveness_pct": own["effectiveness"],
        "growth_pct_year": 100 * growth_rate(900, 1000, years=365 / 365.25),
        "sex_ratio": sex_ratio(650, 700),
        "dependency_ratio": dependency_ratio(40 + 60, 70 + 150, 30),  # from 60 on, and its label says so
    }
    for name, value in expected.items():
        assert indicator(world, name)[0] == pytest.approx(float(value), rel=1e-12), name


def test_the_change_of_a_district_leaves_silent_units_out(world):
    assert indicator(world, "change_persons", "MN1107") == (100, "matched_units:1")
    assert indicator(world, "change_persons", "MN110702") == (None, "not_reported")


def test_undefined_is_null_with_its_reason(world):
    assert indicator(world, "change_pct", number=1) == (None, "no_previous_round")
    assert indicator(world, "in_per_1000", number=1) == (None, "no_window")
    assert indicator(world, "effectiveness_pct", number=1) == (None, "nobody_moved")
    assert indicator(world, "in_persons", number=1) == (0, None)
    assert indicator(world, "sex_ratio", number=1) == (None, "not_reported")
    assert indicator(world, "absent_share_pct", number=1) == (None, "not_reported")
    assert indicator(world, "net_persons", "MN1110") == (None, "not_reported")


def test_a_return_without_people_makes_the_rate_incomplete():
    made = SmallWorld()
    made.add_round(1)
    made.add_round(2)
    made.add_return(2, KHESEGS[0], actual={"persons": 100})
    made.add_return(2, KHESEGS[1], actual={"persons": None, "households": 9})
    made.build(last_round=2)
    assert indicator(made, "in_per_1000") == (None, "incomplete")
    assert indicator(made, "change_pct") == (None, "no_matched_units")


def test_indicators_of_moves_that_nobody_was_asked_for_are_not_reported():
    made = SmallWorld()
    made.add_round(1)
    made.add_return(1, KHESEGS[0], actual={"persons": 100}, asked=("arrival",))
    made.build(last_round=1)
    assert indicator(made, "in_persons", number=1) == (0, None)
    for name in ("out_persons", "net_persons", "gross_persons", "out_per_1000", "net_per_1000", "effectiveness_pct"):
        assert indicator(made, name, number=1) == (None, "not_reported"), name


def test_every_round_area_and_indicator_has_its_row_and_unit(world):
    assert world.rows("SELECT count(*), count(DISTINCT (round_number, pcode, indicator)) FROM full_indicator") == [
        (2 * 6 * len(INDICATORS),) * 2
    ]
    assert dict(world.rows("SELECT DISTINCT indicator, unit FROM full_indicator")) == {
        name: declared.unit for name, declared in INDICATORS.items()
    }
    assert world.rows("SELECT count(*) FROM full_indicator WHERE value IS NULL AND note IS NULL") == [(0,)]
    declared = [(c.name, c.type) for c in RELEASE_TABLES["indicator"].columns if c.name != "status"]
    assert world.rows("SELECT column_name, column_type FROM (DESCRIBE full_indicator)") == declared


def test_every_measure_is_declared_whole():
    assert set(_FORMULAS) == set(INDICATORS)
    for declared in (*INDICATORS.values(), *DENSITIES.values()):
        assert declared.unit in UNITS
        assert declared.reference
        assert declared.formula
        assert any("а" <= letter <= "я" for letter in declared.label_mn)
        for ingredient in declared.ingredients:
            assert set(ingredient.where) <= set(RELEASE_TABLES[ingredient.table].column_names)


def test_ingredients_pick_cells_that_exist(world):
    for declared in (*INDICATORS.values(), *DENSITIES.values()):
        for ingredient in declared.ingredients:
            clause = " AND ".join(f"{column} = '{value}'" for column, value in ingredient.where.items())
            number = 2 if ingredient.round == "same" else 1
            assert world.rows(
                f"SELECT count(*) FROM full_{ingredient.table} WHERE {clause} AND round_number = {number} "
                "AND pcode = 'MN110701'"
            ) == [(1,)], (declared.name, ingredient)


def test_notes_are_words_in_two_languages(world):
    said = [note for (note,) in world.rows("SELECT DISTINCT note FROM full_indicator WHERE note IS NOT NULL")]
    said += [note for (note,) in world.rows("SELECT DISTINCT note FROM full_density WHERE note IS NOT NULL")]
    for note in said:
        english, mongolian = note_words(note)
        assert english
        assert mongolian
        assert "{" not in english + mongolian
    assert note_words("matched_units:8") == ("Units compared: 8.", "Харьцуулсан хэсгийн тоо: 8.")
    assert all(len(words) == 2 for words in NOTES.values())

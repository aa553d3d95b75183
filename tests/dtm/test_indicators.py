"""Hold the indicators to published worked examples and to sums by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtm._release_tables import RELEASE_TABLES
from dtm.indicators import _FORMULAS, INDICATORS, matrix_margins, migration_indicators, migration_system
from dtm.measures import DENSITIES, NOTES, UNITS, note_words
from tests.dtm.small_world import KHESEGS, SmallWorld

ITALY = pd.DataFrame(
    [
        [0, 4775, 10383, 10882, 14946],
        [10466, 0, 13338, 18610, 3737],
        [8403, 4413, 0, 11409, 10342],
        [12537, 10360, 15535, 0, 17550],
        [33252, 3670, 30808, 32020, 0],
    ],
    index=["Center", "Islands", "North-East", "North-West", "South"],
    columns=["Center", "Islands", "North-East", "North-West", "South"],
)
"""Moves between five parts of Italy in 2000, rows are origins: the R package migest, `italy_area`."""


def square(rows):
    names = list("abcdefgh"[: len(rows)])
    return pd.DataFrame(rows, index=names, columns=names)


def test_three_areas_of_the_package_migration_indices():
    found = migration_indicators(
        matrix_margins(square([[0, 10, 10], [20, 0, 20], [30, 30, 0]])).assign(population=1000)
    )
    assert found["in"].tolist() == [50, 40, 30]
    assert found["out"].tolist() == [20, 40, 60]
    assert found["net"].tolist() == [30, 0, -30]
    assert found["gross"].tolist() == [70, 80, 90]
    assert found["effectiveness_pct"].tolist() == pytest.approx([42.857142857, 0, -33.333333333])
    assert found["net_per_1000"].tolist() == pytest.approx([30, 0, -30])
    system = migration_system(found)
    assert system.moves_persons == 120
    assert system.effectiveness_pct == 25
    assert system.intensity_pct == pytest.approx(4.0)
    assert system.net_rate_pct == pytest.approx(1.0)
    assert system.balance_persons == 0


def test_a_second_three_by_three():
    found = migration_indicators(matrix_margins(square([[0, 20, 20], [30, 0, 50], [20, 20, 0]])))
    assert found["net"].tolist() == [10, -40, 30]
    assert migration_system(found).effectiveness_pct == 25
    assert math.isnan(migration_system(found).intensity_pct)


def test_five_parts_of_italy():
    found = migration_indicators(matrix_margins(ITALY))
    assert found["in"].tolist() == [64_658, 23_218, 70_064, 72_921, 46_575]
    assert found["out"].tolist() == [40_986, 46_151, 34_567, 55_982, 99_750]
    assert found["net"].tolist() == [23_672, -22_933, 35_497, 16_939, -53_175]
    system = migration_system(found)
    assert system.moves_persons == 277_436
    assert system.effectiveness_pct == pytest.approx(27.4326, abs=5e-5)


def test_the_diagonal_and_the_order_of_columns_do_not_matter():
    shuffled = ITALY[["South", "Islands", "Center", "North-West", "North-East"]].copy()
    shuffled.loc["Center", "Center"] = 999_999
    pd.testing.assert_frame_equal(matrix_margins(shuffled), matrix_margins(ITALY))
    with pytest.raises(ValueError, match="same areas"):
        matrix_margins(ITALY.rename(columns={"South": "Sud"}))


def test_rates_are_a_years_and_undefined_without_people_or_moves():
    frame = pd.DataFrame({"area": ["a", "b"], "in": [10, 0], "out": [5, 0], "population": [1000, 0]})
    found = migration_indicators(frame, days=182.625)
    assert found.loc[0, "in_per_1000"] == pytest.approx(20)
    assert found.loc[1, ["in_per_1000", "effectiveness_pct"]].isna().all()
    with pytest.raises(ValueError, match="0 days"):
        migration_indicators(frame, days=0)


matrices = st.integers(2, 5).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 999), min_size=n, max_size=n), min_size=n, max_size=n)
)


@given(rows=matrices, people=st.integers(1, 10_000))
def test_identities_of_a_closed_system(rows, people):
    found = migration_indicators(matrix_margins(square(rows)).assign(population=people))
    system = migration_system(found)
    assert found["in"].sum() == found["out"].sum()
    assert found["net"].sum() == 0
    assert found["effectiveness_pct"].dropna().between(-100, 100).all()
    if system.moves_persons:
        assert 0 <= system.effectiveness_pct <= 100
        assert system.net_rate_pct == pytest.approx(system.intensity_pct * system.effectiveness_pct / 100)


@pytest.mark.realdata
def test_the_22_aimags_and_26_years_of_the_statistics_office(realdata):
    folder = realdata / "mn-nso"
    table = pd.read_csv(folder / "nso_internal_migration_by_aimag_2000_2025.csv")
    names = pd.read_csv(folder / "aimag_names.csv").set_index("name_nso_en")["pcode"]
    moved = table.rename(columns={"incoming": "in", "outgoing": "out"})
    moved["area"] = moved["region"].map(names)
    assert len(moved) == 22 * 26
    assert moved["area"].nunique() == 22
    found = migration_indicators(moved)
    assert (found["net"] == moved["in"] - moved["out"]).all()
    by_year = {year: migration_system(part) for year, part in found.groupby("year")}
    assert len(by_year) == 26
    assert by_year[2010].balance_persons == 5803
    assert by_year[2001].balance_persons == -14_880
    assert all(by_year[year].balance_persons == 0 for year in range(2020, 2026))
    city = found[found["area"] == "MN11"].set_index("year")
    assert city.loc[[2017, 2018, 2019], "in"].tolist() == [10_335, 6_568, 12_373]
    assert city.loc[2020, "in"] == 39_515
    for year, part in found[found["year"] >= 2020].groupby("year"):
        mei = 100 * part["net"].abs().sum() / part["gross"].sum()
        assert by_year[year].effectiveness_pct == pytest.approx(mei)
        assert 0 < mei < 100


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

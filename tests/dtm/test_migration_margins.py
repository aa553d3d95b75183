"""Hold the indices of tables without pairs to those of the pairs behind them, to sums by hand and to real registers."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtm.errors import BadInputError, WrongUseError
from dtm.migration_indices import area_indicators, build_margins, build_systems, system_indices
from tests.dtm.test_migration_indices import long, people

REGISTER = pd.DataFrame({"area": list("abc"), "in_persons": [50, 40, 30], "out_persons": [20, 40, 60]})
"""Arrivals and departures of the first table of the R package migration.indices, without its pairs."""


def test_three_areas_by_hand():
    (margins,) = build_margins(REGISTER, people(3))
    found, notes = system_indices(margins)
    assert notes == {}
    assert found["movers"] == 120
    assert found["crude_migration_intensity_pct"] == pytest.approx(4.0)  # 100 x 120 / 3000
    assert found["courgeau_k"] == pytest.approx(4 / math.log(9))
    assert found["effectiveness_mei"] == 25.0  # 100 x (30 + 0 + 30) / 240
    assert found["anmr_pct"] == pytest.approx(1.0)  # 100 x 30 / 3000
    assert margins.balance_persons == 0
    half = area_indicators(margins, days=182.625)
    assert half["net_persons"].tolist() == [30, 0, -30]
    assert half["in_per_1000"].tolist() == [100, 80, 60]
    with pytest.raises(WrongUseError, match="has no rate"):
        area_indicators(margins, days=0)


def test_a_second_table_of_the_package():
    register = pd.DataFrame({"area": list("abc"), "in_persons": [50, 40, 70], "out_persons": [40, 80, 40]})
    (margins,) = build_margins(register)
    found, _ = system_indices(margins)
    assert (found["movers"], found["effectiveness_mei"]) == (160, 25)  # 100 x (10 + 40 + 30) / 320
    assert area_indicators(margins)["net_persons"].tolist() == [10, -40, 30]


def test_a_register_that_does_not_balance_says_by_how_much():
    (margins,) = build_margins(REGISTER.assign(in_persons=[50, 40, 36]))
    found, notes = system_indices(margins)
    assert margins.balance_persons == 6
    assert found["movers"] == 123
    assert found["effectiveness_mei"] == pytest.approx(100 * (30 + 24) / 246)
    assert notes["anmr_pct"] == "no_population"
    assert area_indicators(margins)["in_per_1000"].isna().all()


@settings(max_examples=25)
@given(
    rows=st.integers(1, 5).flatmap(
        lambda n: st.lists(st.lists(st.integers(0, 999), min_size=n, max_size=n), min_size=n, max_size=n)
    ),
    each=st.integers(0, 9_000),
)
def test_margins_tell_what_their_pairs_do(rows, each):
    table = np.array(rows)
    np.fill_diagonal(table, 0)
    areas = list("abcde"[: len(rows)])
    register = pd.DataFrame({"area": areas, "in_persons": table.sum(axis=0), "out_persons": table.sum(axis=1)})
    (margins,) = build_margins(register.iloc[::-1], people(len(rows), each=each))
    (system,) = build_systems(long(rows), people(len(rows), each=each))
    (found, notes), (whole, whole_notes) = system_indices(margins), system_indices(system, with_decay=False)
    for name, value in found.items():
        assert value == pytest.approx(whole[name], nan_ok=True), name
    assert notes == {name: note for name, note in whole_notes.items() if name in found}
    told = area_indicators(margins)
    pd.testing.assert_frame_equal(told, area_indicators(system)[list(told.columns)])


@pytest.mark.parametrize(
    ("table", "population", "told"),
    [
        (REGISTER.drop(columns="out_persons"), None, "lack the column out_persons"),
        (pd.concat([REGISTER, REGISTER.iloc[:1]]), None, "area a needs one row"),
        (REGISTER, people(4), "area d needs one row"),
        (REGISTER.assign(in_persons=[1, -1, 2]), None, "column in_persons.*row 2"),
        (REGISTER.assign(period=[1, 1, None]), None, "period is missing in row 3"),
    ],
)
def test_tables_that_can_not_be_used_are_refused(table, population, told):
    with pytest.raises(BadInputError, match=told):
        build_margins(table, population)
    assert build_margins(REGISTER.iloc[:0]) == []
    assert system_indices(build_margins(REGISTER, people(2))[0])[1]["anmr_pct"] == "population_missing"


@pytest.mark.realdata
def test_the_22_aimags_and_26_years_of_the_statistics_office(realdata):
    folder = realdata / "mn-nso"
    table = pd.read_csv(folder / "nso_internal_migration_by_aimag_2000_2025.csv")
    names = pd.read_csv(folder / "aimag_names.csv").set_index("name_nso_en")["pcode"]
    moved = table.rename(columns={"incoming": "in_persons", "outgoing": "out_persons", "year": "period"})
    by_year = {int(one.period): one for one in build_margins(moved.assign(area=moved["region"].map(names)))}
    assert list(by_year) == list(range(2000, 2026))
    assert {one.n for one in by_year.values()} == {22}
    assert by_year[2010].balance_persons == 5803
    assert by_year[2001].balance_persons == -14_880
    assert all(by_year[year].balance_persons == 0 for year in range(2020, 2026))
    city = {year: one.arrived_persons[one.areas.get_loc("MN11")] for year, one in by_year.items()}
    assert [city[year] for year in range(2017, 2021)] == [10_335, 6_568, 12_373, 39_515]
    for year in range(2020, 2026):
        part = table[table["year"] == year]
        net, gross = part["incoming"] - part["outgoing"], part["incoming"] + part["outgoing"]
        mei = system_indices(by_year[year])[0]["effectiveness_mei"]
        assert mei == pytest.approx(100 * net.abs().sum() / gross.sum())

"""Check the people between counts: against published totals, by hand, and as properties."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtm.errors import WrongUseError
from dtm.interpolation import interpolate, project, roll_forward
from dtm.population_ratios import growth_rate

# 1 January 2006 to 2009, statistics of Ulaanbaatar, and the growth printed beside them (%)
DISTRICTS = {
    "Bagakhangai": ([3_776, 3_827, 3_864, 3_742], [1.4, 1.0, -3.2]),
    "Bayanzurkh": ([196_132, 211_614, 221_565, 235_192], [7.9, 4.7, 6.2]),
    "Ulaanbaatar": ([952_410, 987_192, 1_025_174, 1_067_472], [3.7, 3.8, 4.1]),
}
REST = {
    "Baganuur": [25_261, 25_731, 25_969, 25_877], "Bayangol": [160_479, 160_818, 165_159, 169_278],
    "Chingeltei": [130_501, 132_883, 136_014, 140_019], "Khan-Uul": [87_912, 90_925, 94_670, 98_815],
    "Nalaikh": [26_529, 27_297, 28_152, 29_115], "Songinokhairkhan": [204_587, 211_056, 220_295, 232_326],
    "Sukhbaatar": [117_233, 123_041, 129_486, 133_108],
}  # fmt: skip


def test_published_totals_and_growth_of_ulaanbaatar():
    districts = {**{name: people for name, (people, _) in DISTRICTS.items()}, **REST}
    total = np.array(districts.pop("Ulaanbaatar"))
    assert np.array(list(districts.values())).sum(axis=0).tolist() == total.tolist()
    for people, printed in DISTRICTS.values():
        # the printed growth is (P2 - P1) / P1, which is exp(r) - 1
        rate = growth_rate(people[:-1], people[1:], years=1)
        assert np.round(100 * np.expm1(rate), 1).tolist() == printed
    assert np.round(100 * np.expm1(growth_rate(total[:-1], total[1:], years=1)), 3).tolist() == [3.652, 3.847, 4.126]


def test_mid_2008_of_ulaanbaatar():
    middle = interpolate(1_025_174, 1_067_472, share=0.5)
    assert round(float(middle), 1) == 1_046_109.2
    assert middle == pytest.approx(np.sqrt(1_025_174 * 1_067_472))
    rolled = roll_forward(
        1_025_174, 1_067_472, first="2008-01-01", last="2009-01-01", flows=pd.DataFrame({"day": [], "persons": []})
    )
    assert rolled[pd.Timestamp("2008-07-02")] == 1_046_323.0  # 183 of 366 days: without dated moves, the straight line


def test_a_second_way_to_the_days_between():
    """A straight line of logarithms, and a population that grows by the same share every day."""
    days = np.arange(0, 183)
    found = interpolate(1_025_174, 1_067_472, share=days / 182)
    assert found == pytest.approx(np.exp(np.interp(days, [0, 182], np.log([1_025_174, 1_067_472]))), rel=1e-12)
    daily = np.exp(growth_rate(1_025_174, 1_067_472, years=182))
    assert found == pytest.approx(1_025_174 * np.cumprod(np.append(1.0, np.full(182, daily))), rel=1e-10)
    # and the projection is the same curve gone on with
    onward = project(1_025_174, 1_067_472, share=days / 182)
    assert onward == pytest.approx(1_067_472 * np.cumprod(np.append(1.0, np.full(182, daily))), rel=1e-10)


def test_growth_goes_on_after_the_last_count():
    assert project(100, 121, share=0.5) == pytest.approx(121 * 1.1)
    assert project(100, 121, share=0) == 121
    assert np.isnan(project([0, 10, np.nan], [10, 0, 10], share=1.0)).all()


def test_no_rate_leads_from_or_to_nobody():
    assert interpolate([0, 40, 0], [40, 0, 0], share=0.25).tolist() == [10, 30, 0]
    assert np.isnan(interpolate([np.nan, 5], [5, np.nan], share=0.5)).all()
    assert interpolate([], [], share=[]).size == 0


def test_dated_changes_stand_on_their_days_and_the_rest_is_spread():
    flows = pd.DataFrame(
        {"day": [dt.date(2024, 1, 3), dt.date(2024, 1, 5), dt.date(2024, 1, 3)], "persons": [6, -2, 4]}
    )
    # 100 + 10 - 2 = 108, but 112 were counted: 4 over 4 days is 1 a day
    found = roll_forward(100, 112, first=dt.date(2024, 1, 1), last=dt.date(2024, 1, 5), flows=flows)
    assert found.tolist() == [100, 101, 112, 113, 112]
    assert [day.day for day in found.index] == [1, 2, 3, 4, 5]


def test_what_is_no_interpolation_is_refused():
    with pytest.raises(WrongUseError, match="between the two counts"):
        interpolate(1, 2, share=1.01)
    with pytest.raises(WrongUseError, match="after the last count"):
        project(1, 2, share=-0.1)
    with pytest.raises(WrongUseError, match="below 0"):
        interpolate(-1, 2, share=0.5)
    flows = pd.DataFrame({"day": ["2024-01-01"], "persons": [1]})
    with pytest.raises(WrongUseError, match="2024-01-01 is not after 2024-01-01 and up to 2024-02-01"):
        roll_forward(1, 2, first="2024-01-01", last="2024-02-01", flows=flows)
    with pytest.raises(WrongUseError, match="is not after"):
        roll_forward(1, 2, first="2024-02-01", last="2024-02-01", flows=flows)
    with pytest.raises(WrongUseError, match="no column 'persons'"):
        roll_forward(1, 2, first="2024-01-01", last="2024-02-01", flows=flows[["day"]])


COUNT = st.integers(1, 10**8)


@given(COUNT, COUNT, st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=40)
def test_interpolation_meets_both_counts_and_stays_between(first, last, share, other):
    assert interpolate(first, last, share=[0.0, 1.0]).tolist() == pytest.approx([first, last])
    value, rest = interpolate(first, last, share=share), interpolate(last, first, share=1 - share)
    assert min(first, last) * (1 - 1e-12) <= value <= max(first, last) * (1 + 1e-12)
    assert value == pytest.approx(float(rest))
    # interpolating again from a point in between changes nothing: the rate is one
    between = interpolate(value, last, share=other)
    assert float(between) == pytest.approx(float(interpolate(first, last, share=share + (1 - share) * other)))
    # the projection one period on has the same rate
    assert float(project(first, last, share=1)) == pytest.approx(last * last / first)


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(-50, 50)), max_size=20),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)
@settings(max_examples=20)
def test_rolling_meets_both_counts(changes, opening, closing):
    first = pd.Timestamp("2024-03-01")
    flows = pd.DataFrame(
        {"day": [first + pd.Timedelta(days=day) for day, _ in changes], "persons": [n for _, n in changes]}
    )
    found = roll_forward(opening, closing, first=first, last=first + pd.Timedelta(days=30), flows=flows)
    assert found.iloc[0] == opening
    assert found.iloc[-1] == pytest.approx(closing, abs=1e-6)
    steps = np.diff(found) - flows.groupby("day")["persons"].sum().reindex(found.index[1:], fill_value=0).to_numpy()
    assert steps == pytest.approx(np.full(30, steps.mean()), abs=1e-6)

"""Hold growth, sex ratio and dependency to figures by hand and to the city's published growth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtm.errors import WrongUseError
from dtm.population_ratios import dependency_ratio, growth_rate, sex_ratio

ULAANBAATAR = (952_410, 987_192, 1_025_174, 1_067_472)
"""People of the nine districts together at 1 January 2006 to 2009 (city statistics)."""


def test_growth_of_the_city():
    rates = growth_rate(ULAANBAATAR[:-1], ULAANBAATAR[1:], years=1)
    assert 100 * np.expm1(rates) == pytest.approx([3.652, 3.847, 4.126], abs=5e-4)  # as printed, of the year before
    assert growth_rate(ULAANBAATAR[0], ULAANBAATAR[3], years=3) == pytest.approx(rates.mean())
    assert growth_rate(100, 100 * math.e, years=4) == pytest.approx(0.25)


def test_ratios_by_hand():
    assert sex_ratio([650, 0, 5], [700, 4, 0]) == pytest.approx([92.857142857, 0, math.nan], nan_ok=True)
    assert dependency_ratio(30, 60, 12) == pytest.approx(70)
    assert np.isnan(dependency_ratio([1, 2], [0, 0], [3, 4])).all()


@settings(max_examples=15)
@given(counts=st.lists(st.integers(1, 10**6), min_size=3, max_size=3), times=st.integers(2, 50))
def test_ratios_turn_round_and_do_not_hang_on_the_size(counts, times):
    young, working, old = counts
    assert sex_ratio(young, old) * sex_ratio(old, young) == pytest.approx(100**2)
    found = dependency_ratio(young, working, old)
    assert dependency_ratio(young * times, working * times, old * times) == pytest.approx(found)
    assert dependency_ratio(young, working, 0) + dependency_ratio(0, working, old) == pytest.approx(found)


def test_nobody_has_no_growth_and_wrong_figures_are_refused():
    assert np.isnan(growth_rate([0, 5, 0, math.nan, 5], [5, 0, 0, 5, math.nan], years=1)).all()
    for bad in ({"years": 0}, {"years": -1}, {"years": float("nan")}):
        with pytest.raises(WrongUseError, match="above 0"):
            growth_rate(1, 2, **bad)
    with pytest.raises(WrongUseError, match="below 0"):
        sex_ratio(-1, 2)


@settings(max_examples=30)
@given(people=st.lists(st.integers(1, 10**7), min_size=3, max_size=3), years=st.floats(0.1, 20))
def test_growth_adds_up_over_time_and_turns_round(people, years):
    first, second, third = people
    parts = growth_rate(first, second, years=years) + growth_rate(second, third, years=years)
    assert growth_rate(first, third, years=years) == pytest.approx(parts, abs=1e-9)
    assert growth_rate(second, first, years=years) == pytest.approx(-growth_rate(first, second, years=years), abs=1e-12)

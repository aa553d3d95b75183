"""Hold the bounds of indices to every table that agrees with what is published."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtm._system_bounds import bound_indices
from dtm.migration_indices import build_systems, system_indices

AREAS = "abcd"
NAMES = (
    "effectiveness_mei", "connectivity", "inequality", "gini_total", "gini_in", "gini_out", "mean_distance_km",
    "median_distance_km",
)  # fmt: skip


def system_of(cells):
    """Return four areas on a line, a km apart, with the moves of their twelve pairs."""
    pairs = list(itertools.permutations(range(len(AREAS)), 2))
    return build_systems(
        pd.DataFrame(
            [(AREAS[i], AREAS[j], n, abs(i - j)) for (i, j), n in zip(pairs, cells, strict=True)],
            columns=["origin", "destination", "persons", "distance_km"],
        )
    )[0]


def spreads(further, pairs):
    """Return every way to spread so many persons over so many pairs."""
    for bars in itertools.combinations(range(further + pairs - 1), pairs - 1):
        ends = (-1, *bars, further + pairs - 1)
        yield np.diff(ends) - 1


@settings(max_examples=12)
@given(
    cells=st.lists(st.integers(0, 30), min_size=12, max_size=12),
    places=st.sets(st.integers(0, 11), min_size=1, max_size=3),
    further=st.integers(0, 6),
)
def test_every_table_that_agrees_with_what_is_published_lies_within(cells, places, further):
    hidden = np.isin(np.arange(12), sorted(places))
    told = system_of(np.where(hidden, 0, cells))
    movers = told.movers_persons + hidden.sum() + further
    bounds = bound_indices(told, hidden, movers=movers)
    assert set(bounds) == set(NAMES)
    found = {name: [] for name in NAMES}
    for extra in spreads(further, hidden.sum()):
        persons = told.persons.copy()
        persons[hidden] = 1 + extra
        indices, _ = system_indices(replace(told, persons=persons), with_decay=False)
        for name in NAMES:
            found[name].append(indices[name])
    for name, values in found.items():
        low, high = bounds[name]
        assert low - 1e-9 <= min(values), name
        assert high + 1e-9 >= max(values), name
    # the largest is reached; the least too where it is exact, but for whole persons
    for name in NAMES:
        assert bounds[name][1] == pytest.approx(max(found[name])), name
    for name in ("connectivity", "mean_distance_km", "median_distance_km"):
        assert bounds[name][0] == pytest.approx(min(found[name])), name
    step = 100 * 2 * 12 / (2 * movers)  # a person more or less on each pair
    assert bounds["effectiveness_mei"][0] >= min(found["effectiveness_mei"]) - step


def test_bounds_by_hand():
    # a to b 10, b to a hidden, c and d stay; 15 moved in all, so b to a is 5, the only hidden one
    cells = np.zeros(12)
    cells[0] = 10
    told = system_of(cells)
    hidden = (told.origin == 1) & (told.destination == 0)
    bounds = bound_indices(told, hidden, movers=15.0)
    assert bounds["effectiveness_mei"] == pytest.approx((100 * 5 / 15,) * 2)
    assert bounds["connectivity"] == (2 / 12, 2 / 12)
    # a to c hidden as well: of 15, one each at least, three more on either; b loses 9 - 1, 8 or less
    both = hidden | ((told.origin == 0) & (told.destination == 2))
    bounds = bound_indices(told, both, movers=15.0)
    assert bounds["mean_distance_km"] == pytest.approx(((10 + 4 + 2) / 15, (10 + 1 + 8) / 15))
    # D - O: a 4 - 11 or 1 - 14; b 10 - 4 or 10 - 1; c 1 or 4
    assert bounds["effectiveness_mei"] == pytest.approx((100 * 14 / 30, 100 * 26 / 30))


def test_totals_that_leave_less_than_one_each_give_no_bounds():
    told = system_of(np.full(12, 3))
    hidden = np.arange(12) < 2
    known = replace(told, persons=np.where(hidden, 0, told.persons))
    assert bound_indices(known, hidden, movers=31.0) == {}

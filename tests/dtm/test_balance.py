"""Check the stock-flow balance: by hand, at its limits, and on books that are consistent."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtm.balance import TERMS, stock_flow_balance
from dtm.errors import WrongUseError


def books(*rows):
    return pd.DataFrame(rows, columns=TERMS, dtype="float64")


def test_the_residual_is_what_the_terms_leave():
    # 1000 + 50 - 30 + 20 - 10 = 1030; 1040 were counted
    found = stock_flow_balance(books((1000, 50, 30, 20, 10, 1040))).iloc[0]
    assert found["residual"] == 10
    assert found["residual_pct"] == pytest.approx(100 * 10 / 1040)
    assert found["flag"] == "green"
    assert found["boundary_change"] == 0
    moved = stock_flow_balance(books((1000, 50, 30, 20, 10, 1040)).assign(boundary_change=25.0)).iloc[0]
    assert moved["residual"] == -15


@pytest.mark.parametrize(
    ("residual", "flag"),
    [
        (0, "green"),
        (20, "green"),
        (-20, "green"),
        (21, "amber"),
        (-50, "amber"),
        (50, "amber"),
        (51, "red"),
        (-51, "red"),
    ],
)
def test_flags_change_past_two_and_five_percent(residual, flag):
    found = stock_flow_balance(books((1000 - residual, 0, 0, 0, 0, 1000))).iloc[0]
    assert (found["residual"], found["flag"]) == (residual, flag)


def test_two_and_five_percent_are_still_the_lower_colour_whatever_the_size():
    closing = np.arange(100, 3_000_001, 9_900)  # multiples of 100, so that the limits are whole persons
    for sign in (1, -1):
        for percent, at, past in ((2, "green", "amber"), (5, "amber", "red")):
            residual = sign * closing * percent // 100
            for more, flag in ((0, at), (sign, past)):
                rows = pd.DataFrame(dict.fromkeys(TERMS, 0.0), index=range(len(closing)))
                found = stock_flow_balance(rows.assign(closing=closing, opening=closing - residual - more))
                assert set(found["flag"]) == {flag}, (percent, more)


@pytest.mark.parametrize("name", [*TERMS, "boundary_change"])
def test_any_missing_term_leaves_no_residual_and_never_counts_as_0(name):
    frame = books((1000, 50, 30, 20, 10, 1040)).assign(boundary_change=0.0)
    found = stock_flow_balance(frame.assign(**{name: np.nan})).iloc[0]
    assert found[["residual", "residual_pct"]].isna().all()
    assert found["flag"] is None


def test_missing_terms_give_no_residual_and_an_empty_place_no_share():
    found = stock_flow_balance(books((1000, np.nan, 0, 0, 0, 1000), (0, 0, 0, 0, 0, 0), (40, 0, 30, 0, 0, 0)))
    assert found["residual"].isna().tolist() == [True, False, False]
    assert found["residual_pct"].isna().all()
    assert found["flag"].tolist() == [None, "green", "red"]
    assert stock_flow_balance(books()).empty
    with pytest.raises(WrongUseError, match="deaths not there"):
        stock_flow_balance(books().drop(columns="deaths"))


COUNT = st.integers(0, 10**7)


@given(st.lists(st.tuples(COUNT, COUNT, COUNT, COUNT, COUNT, st.integers(-5000, 5000)), min_size=1, max_size=10))
@settings(max_examples=30)
def test_consistent_books_leave_nothing_and_parts_add_up(rows):
    frame = books(*((*row[:5], 0) for row in rows)).assign(boundary_change=[float(row[5]) for row in rows])
    frame["closing"] = (
        frame["opening"] + frame["arrivals"] - frame["departures"] + frame["births"] - frame["deaths"]
        + frame["boundary_change"]
    )  # fmt: skip
    found = stock_flow_balance(frame)
    assert (found["residual"] == 0).all()
    assert (found["flag"] == "green").all()
    miscounted = frame.assign(closing=frame["closing"] + np.arange(len(frame)))
    whole = stock_flow_balance(miscounted.sum().to_frame().T)
    assert whole["residual"].iloc[0] == stock_flow_balance(miscounted)["residual"].sum()

"""Hold flows from stocks to Abel's printed tables, to linear programming, and to the account they close."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.optimize import linprog

from dtm.errors import BadInputError, InfeasibleMarginsError, StocksDisagreeError, WrongUseError
from dtm.stock_flows import DISCREPANCY_LIMIT_PCT, flows_from_stocks
from tests.project._tree import ROOT

# Birthplaces A-D (rows) by residence A-D: Abel 2013, and the page of `ffs_demo` in the documentation of migest 2.0.5
START = np.array([[1000, 100, 10, 0], [55, 555, 50, 5], [80, 40, 800, 40], [20, 25, 20, 200]])
END = np.array([[950, 100, 60, 0], [80, 505, 75, 5], [90, 30, 800, 40], [40, 45, 0, 180]])
# The same start and an end after births and deaths
END_LATER = np.array([[1060, 60, 10, 10], [45, 540, 40, 0], [70, 75, 770, 70], [30, 30, 20, 230]])
DEATHS = [70, 30, 50, 10]


def test_the_printed_table_without_births_and_deaths():
    told = flows_from_stocks(START, END)
    assert told.flows_persons == pytest.approx(
        np.array([[0, 0, 50, 0], [35, 0, 25, 0], [10, 10, 0, 0], [10, 10, 0, 0]])
    )
    # Born in D: C lost 20 and D lost 20, A and B gained 20 each; an even seed halves them.
    assert told.of_birthplace(3) == pytest.approx(
        np.array([[20, 0, 0, 0], [0, 25, 0, 0], [10, 10, 0, 0], [10, 10, 0, 180]])
    )
    assert told.of_birthplace(0) == pytest.approx(
        np.array([[950, 0, 50, 0], [0, 100, 0, 0], [0, 0, 10, 0], [0, 0, 0, 0]])
    )
    assert told.net_persons == pytest.approx(END.sum(axis=0) - START.sum(axis=0))
    assert told.stayers_persons == pytest.approx([1105, 660, 860, 225])
    assert (told.converged, told.discrepancy_pct) == (True, 0)


def test_the_printed_table_of_the_international_migration_review():
    start = np.array([[100, 10, 10, 0], [20, 55, 25, 10], [10, 40, 140, 65], [20, 25, 20, 200]])
    end = np.array([[70, 30, 10, 10], [25, 60, 10, 15], [10, 55, 140, 50], [40, 45, 0, 180]])
    told = flows_from_stocks(start, end)
    assert told.flows_persons == pytest.approx(np.array([[0, 20, 0, 10], [0, 0, 0, 0], [15, 15, 0, 5], [10, 25, 0, 0]]))


def test_a_seed_moves_persons_to_likelier_pairs():
    # The printed table is the same with this seed; ours is not: of those born in D, C -> A, C -> B, D -> A and D -> B
    # have the odds ratio 50 x 495 / (45 x 500) = 1.1 and margins 20, so x^2 / (20 - x)^2 = 1.1 and x = 10.238.
    start = np.array([[100, 10, 10, 0], [20, 55, 25, 10], [10, 40, 140, 65], [20, 25, 20, 200]])
    end = np.array([[70, 30, 10, 10], [25, 60, 10, 15], [10, 55, 140, 50], [40, 45, 0, 180]])
    seed = np.array([[0, 5, 50, 500], [5, 0, 45, 495], [50, 45, 0, 450], [500, 495, 450, 0]])
    told = flows_from_stocks(start, end, seed=seed)
    x = 20 * np.sqrt(1.1) / (1 + np.sqrt(1.1))
    assert told.of_birthplace(3)[2:, :2] == pytest.approx(np.array([[x, 20 - x], [20 - x, x]]))
    assert told.flows_persons.sum() == pytest.approx(100)


def test_the_printed_table_of_scientific_data():
    start = np.array([[100, 10, 10, 0], [80, 180, 10, 90], [30, 10, 140, 40], [60, 70, 10, 160]])
    end = np.array([[95, 5, 15, 5], [75, 225, 5, 55], [55, 0, 115, 50], [35, 25, 25, 215]])
    printed = [
        [0, 5, 7.857143, 22.142857],
        [7.142857, 0, 12.142857, 40.714286],
        [17.857143, 5, 0, 7.142857],
        [0, 35, 0, 0],
    ]
    assert flows_from_stocks(start, end).flows_persons == pytest.approx(np.array(printed), abs=5e-7)


def test_the_printed_open_account_with_births_and_deaths():
    told = flows_from_stocks(
        START, END_LATER, births=[80, 20, 40, 60], deaths=DEATHS, balance="open", discrepancy_limit_pct=5
    )
    printed = [
        [0, 8.502866, 0, 3.695332], [26.42296, 0, 0.4234563, 9.855274], [0, 34.183358, 0, 25.077888],
        [11.46761, 10.933241, 1.3928875, 0],
    ]  # fmt: skip
    assert told.flows_persons == pytest.approx(np.array(printed), abs=5e-6)
    assert told.flows_persons.sum() == pytest.approx(131.95487, abs=5e-6)


def test_the_printed_closed_account_with_births_and_deaths():
    # migest balances the birthplaces to 1e-3, we to 1e-9: the tables are equal to the thousandth of a person.
    births = np.array([80, 20, 60, 60])
    told = flows_from_stocks(START, END_LATER, births=births, deaths=DEATHS, discrepancy_limit_pct=5)
    printed = [
        [0, 3.328563, 0, 3.242990], [34.120952437, 0, 0.5838738, 9.809336], [0.004365738, 27.127753, 0, 25.711331],
        [12.446119999, 9.058478, 2.2595262, 0],
    ]  # fmt: skip
    assert told.flows_persons == pytest.approx(np.array(printed), abs=1e-3)
    assert told.net_persons == pytest.approx(END_LATER.sum(axis=0) - START.sum(axis=0) - births + DEATHS)


def test_births_and_deaths_by_hand():
    # A: 100 natives and 20 born in B, 12 die: 10 natives, 2 others. B: 50 natives. 9 natives of A and 1 of B move, and
    # A has 5 newborn: A ends with 100 - 10 - 9 + 5 = 86 natives and 20 - 2 = 18 + 1 of B's.
    told = flows_from_stocks([[100, 0], [20, 50]], [[86, 9], [19, 49]], births=[5, 0], deaths=[12, 0])
    assert told.deaths_persons == pytest.approx(np.array([[10, 0], [2, 0]]))
    assert told.flows_persons == pytest.approx(np.array([[0, 9], [1, 0]]))
    assert told.stayers_persons == pytest.approx([81 + 18, 49])
    assert told.discrepancy_persons == pytest.approx([0, 0])


stocks = st.integers(2, 5).flatmap(
    lambda n: st.tuples(
        npst.arrays(np.int64, (n, n), elements=st.integers(0, 500)),
        npst.arrays(np.int64, (n, n), elements=st.integers(0, 500)),
        npst.arrays(float, (n, n), elements=st.floats(0.1, 10)),
    )
)


def made_equal(start, end):
    """Return tables with the same birthplace totals: what is missing is added to the native-born."""
    lack = end.sum(axis=1) - start.sum(axis=1)
    return start + np.diag(np.maximum(lack, 0)), end + np.diag(np.maximum(-lack, 0))


@settings(max_examples=30)
@given(stocks)
def test_the_account_closes_and_nobody_moves_who_need_not(tables):
    start, end = made_equal(*tables[:2])
    told = flows_from_stocks(start, end, seed=tables[2])
    n = len(start)
    assert told.converged
    by_birthplace = np.array([told.of_birthplace(place) for place in range(n)])
    assert (by_birthplace >= 0).all()
    assert by_birthplace.sum(axis=2) == pytest.approx(start, rel=1e-8, abs=1e-8)  # everyone of the start
    assert by_birthplace.sum(axis=1) == pytest.approx(end, rel=1e-8, abs=1e-8)  # is somewhere at the end
    stayers = np.diagonal(by_birthplace, axis1=1, axis2=2)
    assert np.array_equal(stayers, np.minimum(start, end))  # the most that can have stayed
    flows = by_birthplace.sum(axis=0)
    assert told.stayers_persons == pytest.approx(np.diag(flows))
    assert told.flows_persons == pytest.approx(flows - np.diag(np.diag(flows)), abs=1e-9)
    back = flows_from_stocks(end, start, seed=tables[2].T).flows_persons
    assert back == pytest.approx(told.flows_persons.T, rel=1e-6, abs=1e-6)


@settings(max_examples=20)
@given(stocks)
def test_no_account_has_fewer_moves(tables):
    start, end = made_equal(*tables[:2])
    n = len(start)
    cost = 1 - np.eye(n).ravel()
    equal = np.vstack([np.kron(np.eye(n), np.ones(n)), np.kron(np.ones(n), np.eye(n))])
    fewest = sum(
        linprog(cost, A_eq=equal, b_eq=[*start[place], *end[place]]).fun for place in range(n)
    )  # fmt: skip
    assert flows_from_stocks(start, end).flows_persons.sum() == pytest.approx(fewest, abs=1e-6)


@settings(max_examples=25)
@given(stocks, st.data())
def test_births_deaths_and_balance_keep_the_net(tables, data):
    start, end = tables[0] + 50, tables[1] + 50
    n = len(start)
    births, deaths = (data.draw(npst.arrays(np.int64, n, elements=st.integers(0, 40))) for _ in range(2))
    told = flows_from_stocks(start, end, births=births, deaths=deaths, discrepancy_limit_pct=200)
    assert told.converged
    assert (told.flows_persons >= 0).all()
    assert told.deaths_persons.sum(axis=0) == pytest.approx(deaths)
    # Both residences' totals are scaled to the mean of both; then arrivals less departures are their difference.
    living, grown = start.sum(axis=0) - deaths, end.sum(axis=0) - births
    mean = (living.sum() + grown.sum()) / 2
    assert told.net_persons == pytest.approx(grown * mean / grown.sum() - living * mean / living.sum(), abs=1e-5)
    lack = grown.sum() - living.sum()
    assert told.discrepancy_persons.sum() == pytest.approx(lack)
    assert told.discrepancy_pct == pytest.approx(100 * np.abs(told.discrepancy_persons).sum() / mean)
    open_told = flows_from_stocks(start, end, births=births, deaths=deaths, balance="open", discrepancy_limit_pct=200)
    outside = open_told.from_outside_persons - open_told.to_outside_persons
    assert outside.sum() == pytest.approx(lack)
    assert open_told.net_persons + outside.sum(axis=0) == pytest.approx(grown - living, abs=1e-6)
    assert ((open_told.from_outside_persons == 0) | (open_told.to_outside_persons == 0)).all()


def test_a_discrepancy_above_the_limit_is_refused_and_told():
    start, end = np.array([[1000, 0], [0, 1000]]), np.array([[1010, 10], [0, 1000]])
    with pytest.raises(StocksDisagreeError, match=r"by 20 persons, 1\.00 % .* limit is 0\.5 %.* 'A' \+20\.0"):
        flows_from_stocks(start, end, places=["A", "B"], discrepancy_limit_pct=0.5)
    with pytest.raises(StocksDisagreeError, match="the limit is 2 %"):
        flows_from_stocks(start, end + 30 * np.eye(2))
    assert DISCREPANCY_LIMIT_PCT == 2
    at_limit = flows_from_stocks([[970, 10], [10, 1000]], [[990, 10], [10, 1000]], discrepancy_limit_pct=1)
    assert at_limit.discrepancy_pct == 1
    assert at_limit.balance == "closed"


def test_birthplaces_that_cannot_be_balanced_are_named_with_the_way_out():
    start, end = np.array([[100, 0], [0, 0]]), np.array([[100, 0], [0, 1]])  # nobody born in B at the start
    with pytest.raises(InfeasibleMarginsError, match="open one"):
        flows_from_stocks(start, end)
    told = flows_from_stocks(start, end, balance="open")
    assert told.from_outside_persons == pytest.approx(np.array([[0, 0], [0, 1]]))
    assert not told.flows_persons.any()


def test_nobody_and_one_place():
    assert not flows_from_stocks(np.zeros((3, 3)), np.zeros((3, 3))).flows_persons.any()
    assert flows_from_stocks([[5]], [[5]]).stayers_persons == pytest.approx([5])
    assert flows_from_stocks(np.zeros((0, 0)), np.zeros((0, 0))).flows_persons.shape == (0, 0)


@pytest.mark.parametrize(
    ("error", "words", "arguments"),
    [
        (WrongUseError, "square|x the same places", ([[1, 2, 3], [1, 2, 3]], END, {})),
        (WrongUseError, "same places", (START[:2, :2], END, {})),
        (WrongUseError, "births have the shape", (START, END, {"births": [1, 2]})),
        (WrongUseError, "seed has the shape", (START, END, {"seed": [[1]]})),
        (WrongUseError, "a name for each", (START, END, {"places": ["A"]})),
        (BadInputError, "row 0, column 0", (-START, END, {})),
        (BadInputError, "second stock table has nan", (START, np.full((4, 4), np.nan), {})),
        (BadInputError, "off the diagonal", (START, END, {"seed": np.eye(4)})),
        (BadInputError, "deaths of place 'D' are -1", (START, END, {"deaths": [0, 0, 0, -1], "places": "ABCD"})),
        (BadInputError, "'A' has 2,000 deaths of 1,155", (START, END, {"deaths": [2000, 0, 0, 0], "places": "ABCD"})),
        (BadInputError, "'D' has 181 births, but only 180", (START, END, {"births": [0, 0, 0, 181], "places": "ABCD"})),
    ],
)
def test_what_is_refused(error, words, arguments):
    start, end, options = arguments
    with pytest.raises(error, match=words):
        flows_from_stocks(start, end, **options)


def test_the_lines_of_the_readme_run_and_say_what_they_say(capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    exec(lines, {})  # noqa: S102  our own lines
    numbers = [float(number) for number in re.findall(r"-?\d+\.\d*", capsys.readouterr().out)]
    assert numbers == pytest.approx([0, 5, 10, 0, np.log(125 / 120) / 2, np.log(85 / 90) / 2, 96], abs=1e-6)

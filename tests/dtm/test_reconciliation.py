"""Check the reconciliation of moves told twice: by hand, by other methods, and by simulation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from dtm import reconciliation
from dtm._reporting_factors import fit_factors
from dtm.errors import WrongUseError
from dtm.reconciliation import reconcile_flows


def table(arrivals, departures, *, names=None):
    """Pairs from two square tables, rows the origins."""
    n = len(arrivals)
    names = names or [f"a{number}" for number in range(n)]
    return pd.DataFrame(
        [(names[i], names[j], arrivals[i][j], departures[i][j]) for i, j in product(range(n), repeat=2)],
        columns=["origin", "destination", "arrivals", "departures"],
    )


def square(found, column="value"):
    return found.pairs.pivot_table(index="origin", columns="destination", values=column).to_numpy()


def world(rng, n, *, mean=60.0):
    """True moves, and log factors of arrivals and departures; the first reporter tells everything."""
    moves = np.round(rng.gamma(2.0, mean / 2, (n, n)))
    missed = [np.log(1 / rng.uniform(0.5, 1.0, n)) for _ in range(2)]
    missed[0][0] = 0.0
    return moves, missed[0], missed[1]


def reports(rng, moves, a, d, *, spread=1.0):
    """Reports of mean m / factor whose variance is `spread` times that of a count."""
    means = moves * np.exp(-a)[None, :], moves * np.exp(-d)[:, None]
    return [np.round(spread * rng.poisson(mean / spread)) for mean in means]


def test_equal_reports_are_the_estimate():
    told = [[0, 10, 20], [30, 5, 50], [60, 70, 0]]
    found = reconcile_flows(table(told, told))
    assert square(found).tolist() == told
    assert found.reporters["factor"].tolist() == [1.0] * 6
    assert found.totals == {
        "arrivals": 245, "departures": 245, "reconciled": 245, "reconciled_all": 245, "pairs_compared": 7,
        "pairs_equal": 7, "pairs_agreeing": 7,
    }  # fmt: skip
    assert found.agreement_pct == 100
    assert found.dispersion == 1  # never below a count's


def test_departures_told_by_half_are_doubled():
    # arrivals are right: d = 2, so m = (A + D) / (1 / 1 + 1 / 2) = 150,000 / 1.5 = 100,000
    found = reconcile_flows(table(np.full((3, 3), 100_000), np.full((3, 3), 50_000)), level="arrivals")
    assert square(found) == pytest.approx(np.full((3, 3), 100_000.0), rel=1e-4)
    assert found.reporters["factor"].to_numpy() == pytest.approx([1, 1, 1, 2, 2, 2], rel=1e-4)
    assert found.pairs["mirror_ratio"].tolist() == [2.0] * 9
    # departures right: the moves are 50,000; in the middle: the geometric mean
    by_origin = reconcile_flows(table(np.full((3, 3), 100_000), np.full((3, 3), 50_000)), level="departures")
    assert square(by_origin) == pytest.approx(np.full((3, 3), 50_000.0), rel=1e-4)
    middle = reconcile_flows(table(np.full((3, 3), 100_000), np.full((3, 3), 50_000)))
    assert square(middle) == pytest.approx(np.full((3, 3), np.sqrt(0.5) * 100_000), rel=1e-4)
    assert middle.totals["arrivals"] == 900_000
    assert middle.totals["departures"] == 450_000
    assert middle.totals["reconciled"] == pytest.approx(9 * np.sqrt(0.5) * 100_000, rel=1e-4)
    assert middle.agreement_pct == 0


def test_mirror_ratios_of_areas_compare_a_reporter_with_the_other_ends():
    found = reconcile_flows(table([[0, 30], [12, 0]], [[0, 20], [15, 0]]))
    by = found.reporters.set_index(["source", "area"])["mirror_ratio"]
    assert by["arrivals", "a1"] == 30 / 20
    assert by["departures", "a0"] == 20 / 30
    assert by["arrivals", "a0"] == 12 / 15
    assert by["departures", "a1"] == 15 / 12


def test_a_pair_told_by_one_end_takes_its_factor_and_a_wider_interval():
    rng = np.random.default_rng(3)
    moves, a, d = world(rng, 5, mean=4_000)
    came, went = reports(rng, moves, a, d)
    pairs = table(came, went)
    pairs.loc[7, "departures"] = np.nan
    pairs.loc[11, "arrivals"] = np.nan
    pairs.loc[13, ["arrivals", "departures"]] = np.nan
    pairs.loc[17, ["arrivals", "departures"]] = 0
    found = reconcile_flows(pairs, complete=[("arrivals", "a0")])
    factor = found.reporters.set_index(["source", "area"])["factor"]
    row = found.pairs.loc[7]
    assert row["value"] == pytest.approx(row["arrivals"] * factor["arrivals", row["destination"]])
    row = found.pairs.loc[11]
    assert row["value"] == pytest.approx(row["departures"] * factor["departures", row["origin"]])
    assert np.isnan(found.pairs.loc[13, "value"])
    assert np.isnan(found.pairs.loc[13, "high"])
    assert found.pairs.loc[17, ["value", "low"]].tolist() == [0, 0]
    assert 0 < found.pairs.loc[17, "high"] < 10
    assert found.pairs["told_by"].loc[[7, 11, 13, 17]].tolist() == ["arrivals", "departures", "neither", "both"]
    whole = reconcile_flows(table(came, went), complete=[("arrivals", "a0")]).pairs
    relative = (found.pairs["high"] / found.pairs["value"])[7]
    assert relative > (whole["high"] / whole["value"])[7]
    assert square(found)[0, 0] == pytest.approx(moves[0, 0], rel=0.1)


def test_factors_are_those_of_a_binomial_regression():
    rng = np.random.default_rng(5)
    moves, a, d = world(rng, 6)
    came, went = (part.ravel() for part in reports(rng, moves, a, d, spread=3))
    origin, destination = np.indices((6, 6)).reshape(2, -1)
    fit = fit_factors(
        origin, destination, came, went, n_areas=6, reference=np.arange(12) == 0, is_mean=True, factor_sd_log=1e4
    )
    design = np.zeros((36, 12))
    design[np.arange(36), 6 + origin] = 1
    design[np.arange(36), destination] = -1
    # the first reporter is the reference in both
    glm = sm.GLM(np.column_stack([came, went]), design[:, 1:], family=sm.families.Binomial()).fit()
    assert fit.log_factor == pytest.approx(np.append(0, glm.params), abs=1e-5)
    assert fit.dispersion == pytest.approx(glm.pearson_chi2 / glm.df_resid, rel=1e-6)
    assert fit.degrees_of_freedom == glm.df_resid == 25
    assert fit.covariance[1:, 1:] == pytest.approx(glm.cov_params() * fit.dispersion, rel=1e-4)
    # as the maximum likelihood has it, corrected estimates return each reporter's own total
    value = (came + went) / (np.exp(-fit.log_factor[destination]) + np.exp(-fit.log_factor[6 + origin]))
    back = np.bincount(destination, value * np.exp(-fit.log_factor[destination]))
    assert back == pytest.approx(np.bincount(destination, came), rel=1e-6)


def test_estimates_maximise_the_likelihood_of_both_reports_directly():
    rng = np.random.default_rng(8)
    moves, a, d = world(rng, 3, mean=30)
    came, went = reports(rng, moves, a, d)
    came, went = came + 1, went + 1
    found = reconcile_flows(table(came, went), complete=[("arrivals", "a0")])

    def loss(x):
        log_m, log_a, log_d = x[:9].reshape(3, 3), x[9:12], x[12:]
        mean = np.exp(log_m - log_a[None, :]), np.exp(log_m - log_d[:, None])
        fit = sum((told * np.log(one) - one).sum() for told, one in zip((came, went), mean, strict=True))
        return -fit + (x[9:] ** 2).sum() / 2  # the prior of standard deviation 1

    best = optimize.minimize(loss, np.append(np.log(came).ravel(), np.zeros(6)), method="BFGS", tol=1e-9).x
    level = best[9]  # shift all factors and moves so that the first reporter is complete
    assert square(found) == pytest.approx(np.exp(best[:9].reshape(3, 3) - level), rel=1e-3)
    assert np.log(found.reporters["factor"]).to_numpy() == pytest.approx(best[9:] - level, abs=1e-3)


@pytest.mark.parametrize("spread", [1.0, 4.0])
def test_intervals_hold_the_truth_as_often_as_they_say(spread):
    rng = np.random.default_rng(11)
    covered, factors = [], []
    for _ in range(30):
        moves, a, d = world(rng, 7)
        came, went = reports(rng, moves, a, d, spread=spread)
        found = reconcile_flows(table(came, went), complete=[("arrivals", "a0")])
        covered.append(found.pairs["low"].le(moves.ravel()) & found.pairs["high"].ge(moves.ravel()))
        low, high = np.log(found.reporters[["factor_low", "factor_high"]].to_numpy()).T
        factors.append(((low <= np.append(a, d)) & (np.append(a, d) <= high))[1:])
    assert 0.93 <= np.mean(covered) <= 0.985
    assert 0.92 <= np.mean(factors) <= 0.99


def test_known_factors_are_found_again():
    rng = np.random.default_rng(2)
    moves, a, d = world(rng, 8, mean=100_000)
    found = reconcile_flows(table(*reports(rng, moves, a, d)), complete=[("arrivals", "a0")])
    assert np.log(found.reporters["factor"]).to_numpy() == pytest.approx(np.append(a, d), abs=0.01)
    assert square(found) == pytest.approx(moves, rel=0.03)


def test_one_bad_reporter_does_not_move_the_others():
    told = np.full((6, 6), 200)
    silent = told.copy()
    silent[2, :] = 0  # the third area told no departure at all
    found = reconcile_flows(table(told, silent))
    assert square(found) == pytest.approx(np.full((6, 6), 200.0), rel=0.02)
    assert found.reporters.set_index(["source", "area"])["factor"]["departures", "a2"] > 50


def test_groups_without_common_pairs_have_levels_of_their_own():
    pairs = pd.concat(
        [
            table(np.full((3, 3), 1_000), np.full((3, 3), 1_000), names=list("abc")),
            table(np.full((3, 3), 9_000), np.full((3, 3), 4_500), names=list("xyz")),
        ]
    )
    found = reconcile_flows(pairs, level="arrivals")
    assert found.pairs["value"].to_numpy() == pytest.approx([1_000] * 9 + [9_000] * 9, rel=1e-3)
    assert found.degrees_of_freedom == 18 - (12 - 2)


def test_too_few_pairs_give_no_interval_and_no_pairs_no_estimate():
    found = reconcile_flows(table([[0, 30], [12, 0]], [[0, 20], [15, 0]]))
    assert found.pairs[["low", "high"]].isna().all(axis=None)
    assert found.pairs["value"].notna().all()
    nothing = reconcile_flows(table([[1]], [[1]]).iloc[:0])
    assert nothing.pairs.empty
    assert np.isnan(nothing.agreement_pct)
    zero = reconcile_flows(table(np.zeros((3, 3)), np.zeros((3, 3))))
    assert zero.pairs["value"].tolist() == [0.0] * 9


def test_a_reporter_nobody_can_be_compared_with_keeps_its_report_and_a_wide_interval():
    pairs = pd.concat(
        [
            table(np.full((4, 4), 500), np.full((4, 4), 480)),
            pd.DataFrame({"origin": ["a0"], "destination": ["z"], "arrivals": [100], "departures": [np.nan]}),
        ]
    )
    row = reconcile_flows(pairs).pairs.iloc[-1]
    assert row["value"] == 100
    assert row["low"] < 20  # its factor is only believed to lie between 1/7 and 7
    assert row["high"] > 500


def test_zero_needs_both_ends():
    pairs = table([[0, 0], [7, 0]], [[0, 3], [5, 0]]).astype({"arrivals": float, "departures": float})
    pairs.loc[0, "departures"] = np.nan  # 0 told by the destination alone
    pairs.loc[3, "arrivals"] = np.nan  # 0 told by the origin alone
    found = reconcile_flows(pairs).pairs
    assert found["told_by"].tolist() == ["arrivals", "both", "both", "departures"]
    assert found["value"].isna().tolist() == [True, False, False, True]
    assert found.loc[1, "value"] > 0  # 0 and 3: one end missed them
    assert found.loc[[0, 3], ["low", "high"]].isna().all(axis=None)


COUNTS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=16, max_size=16)


@given(COUNTS, st.permutations(range(16)))
@settings(max_examples=15)
def test_order_is_irrelevant_and_the_ends_are_alike(counts, order):
    came, went = np.array(counts).T.reshape(2, 4, 4)
    pairs = table(came, went)
    found = reconcile_flows(pairs)
    value = found.pairs["value"]
    shuffled = reconcile_flows(pairs.iloc[list(order)]).pairs.set_index(["origin", "destination"])["value"]
    assert shuffled.loc[list(zip(pairs["origin"], pairs["destination"], strict=True))].to_numpy() == pytest.approx(
        value.to_numpy(), rel=1e-6, abs=1e-9
    )
    # turned round, every arrival is a departure
    turned = reconcile_flows(table(went.T, came.T))
    back = square(turned).T
    assert back == pytest.approx(square(found), rel=1e-6, abs=1e-9)
    assert ((value > 0) == (pairs["arrivals"] + pairs["departures"] > 0)).all()
    has = found.pairs["low"].notna()
    assert (found.pairs["low"] <= value)[has].all()
    assert (value <= found.pairs["high"])[has].all()


def test_limit_of_areas_holds_at_and_past_it(monkeypatch):
    monkeypatch.setattr(reconciliation, "MAX_AREAS", 3)
    assert len(reconcile_flows(table(np.ones((3, 3)), np.ones((3, 3)))).pairs) == 9
    with pytest.raises(WrongUseError, match="4 areas are too many"):
        reconcile_flows(table(np.ones((4, 4)), np.ones((4, 4))))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"arrivals": [-1, 1, 1, 1]}, "a0 - a0: arrivals are -1"),
        ({"departures": [1, np.inf, 1, 1]}, "a0 - a1: departures are inf"),
        ({"origin": ["a0", None, "a1", "a1"]}, "Row 2 names no area"),
        ({"destination": ["a0", "a0", "a0", "a1"]}, "pair a0 - a0 stands more than once"),
    ],
)
def test_wrong_tables_are_refused_with_their_place(change, message):
    with pytest.raises(WrongUseError, match=message):
        reconcile_flows(table(np.ones((2, 2)), np.ones((2, 2))).assign(**change))


def test_wrong_options_are_refused():
    pairs = table(np.ones((2, 2)), np.ones((2, 2)))
    with pytest.raises(WrongUseError, match="departures is not there"):
        reconcile_flows(pairs.drop(columns="departures"))
    with pytest.raises(WrongUseError, match="no level 'best'"):
        reconcile_flows(pairs, level="best")
    with pytest.raises(WrongUseError, match="No reporter"):
        reconcile_flows(pairs, complete=[("arrivals", "elsewhere")])

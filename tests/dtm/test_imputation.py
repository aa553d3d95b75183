"""Check the estimates for units that did not report: by hand, by regression, and by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dtm.errors import WrongUseError
from dtm.imputation import fit_ratios, impute_nonresponse, predict_missing

HAND = pd.DataFrame(
    [("a", "north", 100, 90), ("a", "north", 200, 210), ("b", "north", 100, 100), ("b", "north", 50, np.nan)],
    columns=["area", "stratum", "registered", "value"],
)


def test_a_missing_unit_takes_the_ratio_of_its_stratum():
    # R = 400 / 400 = 1, so 50 x 1; s2 = (10^2 / 100 + 10^2 / 200 + 0) / 2 = 0.75;
    # Var = 0.75 x (50 + 50^2 / 400) = 42.1875; Student's t with 2 degrees of freedom at 97.5 % is 4.302653
    found = impute_nonresponse(HAND)
    assert found.units["estimate"].tolist()[3] == 50
    assert found.units["estimate"].isna().tolist() == [True, True, True, False]
    total = found.totals("area").loc["b"]
    assert total[["observed", "estimated", "value", "registered_missing"]].tolist() == [100, 50, 150, 50]
    assert total["imputed_share"] == pytest.approx(1 / 3)
    assert total["variance"] == pytest.approx(42.1875)
    reach = 4.302653 * np.sqrt(42.1875)
    assert total[["low", "high"]].tolist() == pytest.approx([150 - reach, 150 + reach], rel=1e-6)
    whole = found.totals("area").loc["a"]
    assert whole[["value", "low", "high", "imputed_share"]].tolist() == [300, 300, 300, 0]


def test_the_error_is_that_of_a_weighted_regression():
    rng = np.random.default_rng(4)
    people = rng.integers(50, 3_000, 25).astype(float)
    told = np.round(0.9 * people + rng.normal(0, 2, 25) * np.sqrt(people))
    units = pd.DataFrame(
        {"area": "all", "stratum": "s", "registered": np.append(people, 700.0), "value": np.append(told, np.nan)}
    )
    total = impute_nonresponse(units).totals("area").loc["all"]
    model = sm.WLS(told, people, weights=1 / people).fit()
    predicted = model.get_prediction([700.0], weights=1 / 700.0).summary_frame(alpha=0.05).iloc[0]
    assert total["estimated"] == pytest.approx(predicted["mean"])
    assert total["value"] - total["low"] == pytest.approx(predicted["mean"] - predicted["obs_ci_lower"])
    assert total["high"] - total["value"] == pytest.approx(predicted["obs_ci_upper"] - predicted["mean"])


def test_with_every_unit_reporting_nothing_is_estimated():
    found = impute_nonresponse(HAND.iloc[:3]).totals("area")
    assert found["value"].tolist() == found["observed"].tolist() == [300, 100]
    assert found["imputed_share"].tolist() == [0, 0]
    assert found["standard_error"].tolist() == [0, 0]
    assert found["low"].tolist() == found["high"].tolist() == [300, 100]


def test_strata_with_few_respondents_take_the_next_wider_one():
    units = pd.DataFrame(
        [
            *(("a", "d1", "c", 100, 50) for _ in range(3)), ("a", "d1", "c", 100, np.nan),
            *(("b", "d2", "c", 100, 90) for _ in range(2)), ("b", "d2", "c", 100, np.nan),
            ("e", "d3", "z", 100, 70), ("e", "d3", "z", 10, np.nan),
        ],
        columns=["area", "district", "city", "registered", "value"],
    )  # fmt: skip
    found = impute_nonresponse(units, strata=["district", "city"])
    estimate = found.units.loc[units["value"].isna(), ["estimate", "stratum_depth"]]
    assert estimate.iloc[0].tolist() == [50, 0]
    assert estimate.iloc[1].tolist() == [66, 1]  # (3 x 50 + 2 x 90) / 500
    assert estimate.iloc[2].isna().all()  # nobody to learn from
    totals = found.totals("area")
    assert totals["value"].isna().tolist() == [False, False, True]
    assert totals["is_collapsed"].tolist() == [False, True, False]
    assert totals.loc["e", "observed"] == 70


def test_ratios_of_nested_strata_share_their_error():
    # areas of two districts; the first is estimated by its own ratio, the second by the city's, which rests on both
    rng = np.random.default_rng(9)
    people = np.array([300.0, 500, 200, 400, 100])
    units = pd.DataFrame(
        {
            "area": "all", "district": ["d1"] * 3 + ["d2"] * 2, "city": "c", "registered": people,
            "value": np.round(people + rng.normal(0, 10, 5)),
        }
    )  # fmt: skip
    ratios = fit_ratios(units, strata=["district", "city"])
    table = ratios.table.assign(residual_variance=1.0)  # the same in both, so that the algebra is exact
    shared = ratios.shared.toarray()
    own, city = (table["stratum"] == "d1").to_numpy().argmax(), (table["stratum"] == "c").to_numpy().argmax()
    s2 = ratios.table["residual_variance"].to_numpy()
    assert shared[own, city] == pytest.approx(s2[own] / people.sum())
    assert shared[own, own] == pytest.approx(s2[own] / people[:3].sum())
    # R_own = sum of the first three / 1000, R_city = sum of all / 1500: covariance = variance of 1000 / (1000 x 1500)
    first, every = np.array([1, 1, 1, 0, 0]) / people[:3].sum(), np.ones(5) / people.sum()
    assert (first * every * people).sum() == pytest.approx(1 / people.sum())
    missing = pd.DataFrame({"domain": "all", "district": ["d1", "d2"], "city": "c", "registered": [50.0, 80.0]})
    variance = predict_missing(ratios, missing, pd.Index(["all"]))["variance"].iloc[0]
    by_hand = s2[own] * 50 + s2[city] * 80 + 50**2 * shared[own, own] + 80**2 * shared[city, city]
    assert variance == pytest.approx(by_hand + 2 * 50 * 80 * shared[own, city])


def test_estimates_are_unbiased_and_intervals_hold_where_silence_is_random():
    rng = np.random.default_rng(21)
    covered, error = [], []
    for _ in range(25):
        people = rng.integers(200, 1_500, 60).astype(float)
        stratum = np.repeat(["d1", "d2", "d3"], 20)
        ratio = np.repeat([0.8, 1.0, 1.3], 20)
        truth = ratio * people + rng.normal(0, 3, 60) * np.sqrt(people)
        silent = rng.random(60) < 0.25
        units = pd.DataFrame(
            {
                "area": np.tile(np.repeat(list("pqrs"), 5), 3), "stratum": stratum, "registered": people,
                "value": np.where(silent, np.nan, truth),
            }
        )  # fmt: skip
        found = impute_nonresponse(units).totals("area")
        real = pd.Series(truth).groupby(units["area"]).sum()
        has = found["registered_missing"] > 0
        covered.append(((found["value"] - real).abs() <= found["high"] - found["value"])[has])
        error.append(((found["value"] - real) / found["standard_error"])[has])
    assert 0.92 <= pd.concat(covered).mean() <= 0.98
    assert abs(pd.concat(error).mean()) < 0.15


def test_where_silence_is_not_random_the_estimate_is_wrong_and_says_nothing_of_it():
    # the silent half has twice as many people as registered, the others as many: what the docstring warns of
    units = pd.DataFrame({"area": "x", "stratum": "s", "registered": 100.0, "value": [100.0] * 4 + [np.nan] * 4})
    found = impute_nonresponse(units).totals("area").loc["x"]
    assert found["value"] == 800  # the truth would be 1,200
    assert found["high"] == 800


def test_replaced_ratios_keep_the_variance_a_person_counted():
    ratios = fit_ratios(HAND, strata=["stratum"])
    doubled = ratios.replaced(np.array([2.0]))
    assert doubled.table["ratio"].tolist() == [2.0]
    assert doubled.table["residual_variance"].tolist() == pytest.approx([1.5])
    assert doubled.shared.toarray() == pytest.approx(2 * ratios.shared.toarray())
    assert not ratios.replaced(np.array([np.nan])).table["is_usable"].any()
    nobody = fit_ratios(HAND.assign(value=[0, 0, 0, np.nan]), strata=["stratum"])
    assert nobody.replaced(np.array([0.0])).table["is_usable"].all()
    assert not nobody.replaced(np.array([0.1])).table["is_usable"].any()


UNITS = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.sampled_from("st"), st.integers(0, 500), st.one_of(st.none(), st.integers(0, 500))
    ),
    min_size=1, max_size=25,
)  # fmt: skip


@given(UNITS, st.randoms(use_true_random=False))
@settings(max_examples=10)
def test_areas_add_up_in_any_order_and_units_can_be_split(rows, random):
    units = pd.DataFrame(rows, columns=["area", "stratum", "registered", "value"]).astype({"value": "float64"})
    units["everywhere"] = "all"
    found = impute_nonresponse(units, strata=["stratum", "everywhere"])
    by_area, whole = found.totals("area"), found.totals("everywhere").iloc[0]
    assert by_area["value"].sum(skipna=False) == pytest.approx(whole["value"], nan_ok=True)
    assert by_area["observed"].sum() == units["value"].sum()
    shuffled = units.sample(frac=1, random_state=random.randint(0, 10**6))
    again = impute_nonresponse(shuffled, strata=["stratum", "everywhere"]).totals("area")
    pd.testing.assert_frame_equal(again, by_area)
    halves = units.loc[units["value"].isna()].assign(registered=lambda part: part["registered"] / 2)
    split = pd.concat([units[units["value"].notna()], halves, halves])
    parted = impute_nonresponse(split, strata=["stratum", "everywhere"]).totals("area")
    pd.testing.assert_frame_equal(parted, by_area)
    known = by_area.dropna(subset=["value"])
    assert (known["value"] >= known["observed"]).all()
    assert (known["low"] <= known["value"] + 1e-9).all()


def test_wrong_units_are_refused_with_their_place():
    with pytest.raises(WrongUseError, match="no column 'value'"):
        impute_nonresponse(HAND.drop(columns="value"))
    with pytest.raises(WrongUseError, match="Row 2: the registered population is nan"):
        impute_nonresponse(HAND.assign(registered=[1, np.nan, 1, 1]))
    with pytest.raises(WrongUseError, match="Row 1: the registered population is -3"):
        impute_nonresponse(HAND.assign(registered=[-3, 1, 1, 1]))
    with pytest.raises(WrongUseError, match="at least one stratum"):
        impute_nonresponse(HAND, strata=[])
    assert impute_nonresponse(HAND.iloc[:0]).totals("area").empty


def test_degrees_of_freedom_of_several_strata_are_satterthwaites():
    rng = np.random.default_rng(1)
    units = pd.DataFrame({"stratum": np.repeat(["s", "t"], 10), "registered": rng.integers(50, 90, 20).astype(float)})
    units["value"] = units["registered"] + rng.normal(0, 5, 20)
    missing = pd.DataFrame({"domain": "x", "stratum": ["s", "t"], "registered": [60.0, 60.0]})
    ratios = fit_ratios(units, strata=["stratum"])
    found = predict_missing(ratios, missing, pd.Index(["x"])).iloc[0]
    s2, people = ratios.table["residual_variance"], ratios.table["registered"]
    part = s2 * (60 + 60**2 / people)
    assert found["variance"] == pytest.approx(part.sum())
    assert found["degrees_of_freedom"] == pytest.approx(part.sum() ** 2 / (part**2 / 9).sum())
    assert stats.t.ppf(0.975, found["degrees_of_freedom"]) < stats.t.ppf(0.975, 9)

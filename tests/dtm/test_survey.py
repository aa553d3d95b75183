"""Check estimates from samples against numbers worked out by hand, the jackknife and simple random samples."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dtm._survey_columns import indicator_columns
from dtm._survey_weights import calibrate, household_weights
from dtm.errors import WrongUseError
from dtm.survey import (
    domain_columns,
    estimate_means,
    estimate_proportions,
    estimate_ratios,
    estimate_totals,
    make_design,
)
from tests.project._tree import ROOT

FEW = settings(max_examples=8, deadline=None)

# Two strata of two clusters. Weighted totals of the clusters: 40, 80 | 40, 50.
BY_HAND = pd.DataFrame(
    [
        ("A", "a1", 10, 1), ("A", "a1", 10, 3), ("A", "a2", 10, 2), ("A", "a2", 10, 6),
        ("B", "b1", 5, 4), ("B", "b1", 5, 4), ("B", "b2", 5, 10),
    ],
    columns=["stratum", "cluster", "weight", "y"],
)  # fmt: skip


def design_of(frame, **more):
    return make_design(frame["weight"], stratum=frame["stratum"], cluster=frame["cluster"], **more)


def sample_of(seed, *, strata=3, clusters=4, most=5):
    rng = np.random.default_rng(seed)
    rows = [
        (h, i, rng.uniform(1, 9), rng.normal(50, 20), rng.uniform(1, 3), rng.choice(["p", "q", "r"]))
        for h in range(strata)
        for i in range(int(rng.integers(2, clusters + 1)))
        for _ in range(int(rng.integers(1, most + 1)))
    ]
    return pd.DataFrame(rows, columns=["stratum", "cluster", "weight", "y", "x", "domain"])


# --- by hand ------------------------------------------------------------------------------------------------------


def test_a_total_by_hand():
    found = estimate_totals(design_of(BY_HAND), BY_HAND["y"])
    # 40 + 80 + 40 + 50; 2 (20^2 + 20^2) + 2 (5^2 + 5^2) = 1700; 4 clusters - 2 strata
    assert found.value[0] == 210
    assert found.standard_error[0] == pytest.approx(1700**0.5)
    assert (found.degrees_of_freedom[0], found.records[0], found.clusters[0]) == (2, 7, 4)
    half = 4.302652729749464 * 1700**0.5  # Student's t with 2 degrees of freedom, 97.5 %
    assert (found.low[0], found.high[0]) == pytest.approx((210 - half, 210 + half))


def test_the_finite_population_by_hand():
    found = estimate_totals(design_of(BY_HAND, clusters_in_stratum={"A": 4, "B": 8}), BY_HAND["y"])
    assert found.standard_error[0] ** 2 == pytest.approx(1600 * (1 - 2 / 4) + 100 * (1 - 2 / 8))  # 875
    taken_all = estimate_totals(design_of(BY_HAND, clusters_in_stratum={"A": 2, "B": 2}), BY_HAND["y"])
    assert taken_all.standard_error[0] == 0


def test_a_mean_by_hand():
    found = estimate_means(design_of(BY_HAND), BY_HAND["y"])
    # R = 210 / 55. Clusters' totals of y - R: 40 - 20 R, 80 - 20 R | 40 - 10 R, 50 - 5 R; they differ by 40 | 10 + 5 R
    ratio = 210 / 55
    assert found.value[0] == pytest.approx(ratio)
    assert found.standard_error[0] ** 2 == pytest.approx((40**2 + (10 + 5 * ratio) ** 2) / 55**2)


def test_a_share_by_hand():
    found = estimate_proportions(design_of(BY_HAND), BY_HAND["y"] >= 4)
    # p = (10 + 5 + 5 + 5) / 55 = 5 / 11. Clusters: -20 p, 10 - 20 p | 10 - 10 p, 5 - 5 p; apart by 10 | 5 - 5 p
    share = 5 / 11
    error = np.sqrt(10**2 + (5 - 5 * share) ** 2) / 55
    assert (found.value[0], found.standard_error[0]) == pytest.approx((share, error))
    middle, half = np.log(share / (1 - share)), stats.t.ppf(0.975, 2) * error / (share * (1 - share))
    ends = [1 / (1 + np.exp(-end)) for end in (middle - half, middle + half)]
    assert [found.low[0], found.high[0]] == pytest.approx(ends)


def test_calibrated_groups_leave_no_error_between_them():
    # Weighted means of the groups: A 3, B 6. Clusters' totals of the residuals: A -20, 20; B -20, 20.
    found = estimate_totals(design_of(BY_HAND, calibrated_within=BY_HAND["stratum"]), BY_HAND["y"])
    assert found.standard_error[0] ** 2 == pytest.approx(2 * (20**2 + 20**2) * 2)
    sizes = estimate_totals(design_of(BY_HAND, calibrated_within=BY_HAND["stratum"]), np.ones(7))
    assert sizes.standard_error[0] == pytest.approx(0, abs=1e-9)


def test_a_stratum_with_one_cluster_is_centred_at_the_grand_mean():
    frame = BY_HAND[BY_HAND["cluster"] != "b2"]
    found = estimate_totals(design_of(frame), frame["y"])
    # clusters 40, 80 | 40, with the mean 160 / 3: 2 (20^2 + 20^2) + (40 - 160 / 3)^2
    assert found.standard_error[0] ** 2 == pytest.approx(1600 + (40 - 160 / 3) ** 2)
    assert found.degrees_of_freedom[0] == 1
    calibrated = estimate_means(design_of(frame, calibrated_within=frame["stratum"]), frame["y"])
    plain = estimate_means(design_of(frame), frame["y"])
    mean = 160 / 50
    # A by its own mean 3: -20, 20. B, 10 people of weight, by the mean of all: 40 - 10 x 3.2
    assert calibrated.standard_error[0] ** 2 == pytest.approx((1600 + (40 - 10 * mean) ** 2) / 50**2)
    assert plain.standard_error[0] ** 2 == pytest.approx((40**2 + (40 - 10 * mean) ** 2) / 50**2)


def test_strata_of_one_cluster_alone_tell_no_error():
    frame = BY_HAND[BY_HAND["cluster"].isin(["a1", "b1"])]
    found = estimate_means(design_of(frame), frame["y"])
    assert found.degrees_of_freedom[0] == 0
    assert found.value[0] == pytest.approx((40 + 40) / 30)
    assert np.isnan([found.standard_error[0], found.low[0], found.high[0], found.design_effect[0]]).all()


def test_where_all_gave_one_answer_the_error_is_not_0_but_unknown():
    found = estimate_proportions(design_of(BY_HAND), np.c_[np.ones(7), np.zeros(7)])
    assert found.value.tolist() == [1, 0]
    assert np.isnan(np.c_[found.standard_error, found.low, found.high, found.design_effect]).all()


def test_clusters_that_happen_to_be_alike_tell_no_error_either():
    frame = BY_HAND.assign(y=[1, 3, 1, 3, 2, 4, 6], weight=1.0)[:4]
    assert np.isnan(estimate_means(design_of(frame), frame["y"]).standard_error[0])
    census = design_of(frame, clusters_in_stratum={"A": 2})
    assert estimate_means(census, frame["y"]).standard_error[0] == 0


def test_a_base_of_nobody_is_undefined():
    found = estimate_ratios(design_of(BY_HAND), np.zeros(7), np.zeros(7))
    assert np.isnan([found.value[0], found.standard_error[0], found.low[0]]).all()
    assert (found.records[0], found.clusters[0]) == (0, 0)
    nobody = estimate_totals(make_design([]), np.zeros((0, 2)))
    assert nobody.value.tolist() == [0, 0]


# --- published ----------------------------------------------------------------------------------------------------

# Scheaffer, Mendenhall & Ott, Elementary Survey Sampling, chapter on cluster sampling: 25 of the 415 blocks of a city.
BLOCKS = (
    (8, 96), (12, 121), (4, 42), (5, 65), (6, 52), (6, 40), (7, 75), (5, 65), (8, 45), (3, 50), (2, 85), (6, 43),
    (5, 54), (10, 49), (9, 53), (3, 50), (6, 32), (5, 22), (5, 45), (4, 37), (6, 51), (8, 30), (7, 39), (3, 47),
    (8, 41),
)  # fmt: skip


def test_a_textbook_sample_of_blocks():
    residents, thousands = np.array(BLOCKS).T
    design = make_design(np.full(25, 415 / 25), clusters_in_stratum={0: 415})
    found = estimate_ratios(design, 1000 * thousands, residents)
    assert (residents.sum(), thousands.sum()) == (151, 1329)
    assert round(found.value[0]) == 8801  # income a head
    assert round(2 * found.standard_error[0]) == 1617  # the book's bound: two standard errors
    text = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    assert f"{found.value[0]:,.2f}" in text
    assert f"{2 * found.standard_error[0]:,.2f}" in text


# --- second methods -----------------------------------------------------------------------------------------------


def jackknife(frame, statistic):
    """Leave one cluster out, its stratum's others in its place (Wolter 2007, ch. 4)."""
    whole, variance = statistic(frame, frame["weight"]), 0.0
    for stratum, own in frame.groupby("stratum"):
        clusters = own["cluster"].unique()
        n = len(clusters)
        for cluster in clusters:
            is_out = (frame["stratum"] == stratum) & (frame["cluster"] == cluster)
            is_beside = (frame["stratum"] == stratum) & ~is_out
            weight = frame["weight"].where(~is_out, 0).mask(is_beside, frame["weight"] * n / (n - 1))
            variance += (n - 1) / n * (statistic(frame, weight) - whole) ** 2
    return variance**0.5


@pytest.mark.parametrize("seed", range(4))
def test_the_jackknife_agrees(seed):
    frame = sample_of(seed, clusters=16, most=3)
    design = design_of(frame)
    total = estimate_totals(design, frame["y"]).standard_error[0]
    assert total == pytest.approx(jackknife(frame, lambda f, w: (w * f["y"]).sum()))  # exact where it is linear
    ratio = estimate_ratios(design, frame["y"], frame["x"]).standard_error[0]
    assert ratio == pytest.approx(jackknife(frame, lambda f, w: (w * f["y"]).sum() / (w * f["x"]).sum()), rel=0.05)
    inside = (frame["domain"] == "p").astype(float)
    mean = estimate_means(design, frame["y"], domains=inside).standard_error[0]
    of_domain = jackknife(frame, lambda f, w: (w * inside * f["y"]).sum() / (w * inside).sum())
    assert mean == pytest.approx(of_domain, rel=0.08)


@pytest.mark.parametrize("seed", range(2))
def test_the_jackknife_agrees_where_weights_are_scaled_to_known_totals(seed):
    frame = sample_of(seed, clusters=45, most=2)
    known = {stratum: 1000.0 * (stratum + 1) for stratum in range(3)}
    frame["weight"] = calibrate(frame["weight"].to_numpy(), frame["stratum"], totals=known)

    def total(f, weight):
        return (calibrate(weight.to_numpy(), f["stratum"], totals=known) * f["y"]).sum()

    found = estimate_totals(design_of(frame, calibrated_within=frame["stratum"]), frame["y"])
    assert found.value[0] == pytest.approx(total(frame, frame["weight"]))
    assert found.standard_error[0] == pytest.approx(jackknife(frame, total), rel=0.08)
    assert found.standard_error[0] < estimate_totals(design_of(frame), frame["y"]).standard_error[0]


def test_over_all_samples_that_could_be_drawn_the_variance_is_right():
    """Cochran 1977, theorems 2.1 to 2.4, by drawing every sample of 2 of 5 clusters."""
    clusters = [[3, 5], [1], [9, 2, 2], [4, 4], [10]]
    found = []
    for drawn in itertools.combinations(range(5), 2):
        rows = [(5 / 2, number, value) for number in drawn for value in clusters[number]]
        weight, number, value = map(np.array, zip(*rows, strict=True))
        one = estimate_totals(make_design(weight, cluster=number, clusters_in_stratum={0: 5}), value)
        found.append((one.value[0], one.standard_error[0] ** 2))
    totals, variances = map(np.array, zip(*found, strict=True))
    assert totals.mean() == pytest.approx(sum(map(sum, clusters)))
    assert variances.mean() == pytest.approx(totals.var())


def test_a_simple_random_sample_has_its_own_formulas():
    rng = np.random.default_rng(5)
    y, n = rng.normal(10, 3, 200), 200
    design = make_design(np.full(n, 7.0))
    mean, share = estimate_means(design, y), estimate_proportions(design, y > 12)
    assert mean.standard_error[0] == pytest.approx(stats.sem(y))
    p = (y > 12).mean()
    assert share.standard_error[0] == pytest.approx(np.sqrt(p * (1 - p) / (n - 1)))
    low, high = stats.t.interval(0.95, n - 1, loc=y.mean(), scale=stats.sem(y))
    assert (mean.low[0], mean.high[0]) == pytest.approx((low, high))
    assert [mean.design_effect[0], share.design_effect[0]] == pytest.approx([1, 1])
    total = estimate_totals(design, y)
    assert total.value[0] == pytest.approx(7 * y.sum())
    assert total.design_effect[0] == pytest.approx(1)


def test_clusters_of_the_same_repeated_have_the_design_effect_of_their_size():
    y = np.repeat(np.random.default_rng(1).normal(size=500), 4)
    found = estimate_means(make_design(np.ones(2000), cluster=np.repeat(np.arange(500), 4)), y)
    assert found.design_effect[0] == pytest.approx(4, rel=0.01)  # 1 + (4 - 1) x 1, Kish 1965, sec. 5.4


def test_a_domain_is_not_its_records_alone():
    frame = sample_of(3)
    inside = frame["domain"] == "q"
    whole = estimate_totals(design_of(frame), frame["y"] * inside)
    alone = estimate_totals(design_of(frame[inside]), frame.loc[inside, "y"])
    assert whole.value[0] == pytest.approx(alone.value[0])
    totals = (frame["weight"] * frame["y"] * inside).groupby([frame["stratum"], frame["cluster"]]).sum()
    by_hand = sum(len(own) * own.var(ddof=1) for _, own in totals.groupby(level=0))  # clusters without any are 0
    assert whole.standard_error[0] == pytest.approx(by_hand**0.5)


# --- properties ---------------------------------------------------------------------------------------------------

SEEDS = st.integers(0, 10_000)


@given(SEEDS, st.floats(0.01, 1000))
@FEW
def test_the_scale_of_the_weights_leaves_means_as_they_are(seed, scale):
    frame = sample_of(seed)
    one = estimate_ratios(design_of(frame), frame["y"], frame["x"]).to_frame()
    other = estimate_ratios(design_of(frame.assign(weight=frame["weight"] * scale)), frame["y"], frame["x"]).to_frame()
    pd.testing.assert_frame_equal(one, other)


@given(SEEDS, st.randoms(use_true_random=False))
@FEW
def test_the_order_of_the_records_does_not_matter(seed, random):
    frame = sample_of(seed)
    mixed = frame.sample(frac=1, random_state=random.randrange(2**31))
    for one in (frame, mixed):
        columns, _ = indicator_columns(one["domain"], among=["p", "q", "r"])
        one.attrs["found"] = estimate_means(design_of(one), one[["y", "x"]], domains=columns).to_frame()
    pd.testing.assert_frame_equal(frame.attrs["found"], mixed.attrs["found"])


@given(SEEDS)
@FEW
def test_domains_sum_to_the_total_and_all_at_once_is_one_by_one(seed):
    frame = sample_of(seed)
    design = design_of(frame)
    inside, codes = indicator_columns(frame["domain"])
    together = estimate_totals(design, domain_columns(inside, frame[["y", "x"]].to_numpy()))
    whole = estimate_totals(design, frame[["y", "x"]])
    assert together.value.reshape(len(codes), 2).sum(axis=0) == pytest.approx(whole.value)
    means = estimate_means(design, frame[["y"]], domains=inside)
    for position, code in enumerate(codes):
        alone = estimate_means(design, frame["y"], domains=frame["domain"] == code)
        for name in ("value", "standard_error", "design_effect"):
            assert getattr(alone, name)[0] == pytest.approx(getattr(means, name)[position], nan_ok=True)


@given(SEEDS)
@FEW
def test_shares_of_all_answers_sum_to_one_inside_their_intervals(seed):
    frame = sample_of(seed)
    answers, _ = indicator_columns(frame["domain"])
    found = estimate_proportions(design_of(frame), answers)
    assert found.value.sum() == pytest.approx(1)
    known = ~np.isnan(found.low)
    assert ((found.low > 0) & (found.low < found.value) & (found.value < found.high) & (found.high < 1))[known].all()


# --- weights ------------------------------------------------------------------------------------------------------


def test_weights_by_hand():
    stratum = ["A"] * 6 + ["B"] * 3 + ["C"]
    cluster = ["a1"] * 4 + ["a2"] * 2 + ["b1", "b1", "b2"] + ["c"]
    answered = [True, True, True, False, True, True, False, False, True, True]
    found = household_weights(stratum, cluster, answered, in_stratum={"A": 300, "B": 60})
    # A: 300 / 6 = 50; in a1 three answer for four. B: 60 / 3 = 20; b2 answers for all three. C: not known.
    expected = [200 / 3] * 3 + [0] + [50] * 2 + [0, 0, 60] + [np.nan]
    assert found == pytest.approx(expected, nan_ok=True)
    rows = pd.DataFrame({"h": stratum, "i": cluster, "a": answered}, index=range(50, 60))  # rows of a longer table
    assert household_weights(rows["h"], rows["i"], rows["a"], in_stratum={"A": 300}) == pytest.approx(
        [*expected[:6], *[np.nan] * 4], nan_ok=True
    )


@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from("xyz"), st.booleans()), min_size=1, max_size=40),
    st.integers(1, 10_000),
)
@FEW
def test_weights_sum_to_what_is_known(rows, total):
    stratum, cluster, answered = zip(*rows, strict=True)
    known = {"A": total, "B": 2 * total}
    weight = household_weights(stratum, cluster, answered, in_stratum=known)
    sums = pd.Series(weight).groupby(list(stratum)).sum(min_count=1)
    for code, value in sums.dropna().items():
        assert value == pytest.approx(known[code])
    assert set(sums.dropna().index) == {s for s, a in zip(stratum, answered, strict=True) if a}
    scaled = calibrate(np.nan_to_num(weight), stratum, totals={"A": 7.0})
    assert pd.Series(scaled).groupby(list(stratum)).sum().get("B", 0) == 0
    if "A" in sums.dropna().index:
        assert pd.Series(scaled).groupby(list(stratum)).sum()["A"] == pytest.approx(7)


# --- wrong use ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: make_design([1, -1]), "weight"),
        (lambda: make_design([1, np.nan]), "weight"),
        (lambda: make_design([1, 1], stratum=["A"]), "1 records and `weight` 2"),
        (lambda: make_design([1, 1], cluster=["a", None]), "Record 2 has no cluster"),
        (lambda: make_design([1, 1], clusters_in_stratum={0: 1}), "2 clusters in the sample and 1"),
        (lambda: estimate_totals(make_design([1, 1]), [1, 2, 3]), "3 records and the design 2"),
        (lambda: estimate_totals(make_design([1, 1]), [1, np.inf]), "not a number"),
        (lambda: estimate_proportions(make_design([1, 1]), [1, 2]), "0 and 1"),
        (lambda: estimate_ratios(make_design([1, 1]), np.ones((2, 2)), np.ones(2)), "2 numerators and 1"),
    ],
)
def test_wrong_use_is_named(call, words):
    with pytest.raises(WrongUseError, match=words):
        call()

"""Hold the indices of a system to published worked examples, sums by hand, plain loops and statsmodels."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from dtm._migration_focus import quasi_independence
from dtm.errors import BadInputError, WrongUseError
from dtm.measures import note_words
from dtm.migration_indices import area_indicators, build_systems, pair_indices, system_indices, weighted_median

HYP = [[0, 10, 10], [20, 0, 20], [30, 30, 0]]
HYP2 = [[0, 20, 20], [30, 0, 50], [20, 20, 0]]
"""Two tables of the R package migration.indices, rows are origins; its tests give their Gini indices."""
ITALY_AREAS = ("Center", "Islands", "North-East", "North-West", "South")
ITALY = [
    [0, 4775, 10383, 10882, 14946],
    [10466, 0, 13338, 18610, 3737],
    [8403, 4413, 0, 11409, 10342],
    [12537, 10360, 15535, 0, 17550],
    [33252, 3670, 30808, 32020, 0],
]
"""Moves between five parts of Italy in 2000: the R package migest, `italy_area`."""


def long(rows, names="abcdefgh"):
    pairs = itertools.product(range(len(rows)), repeat=2)
    return pd.DataFrame(
        [(names[i], names[j], rows[i][j]) for i, j in pairs], columns=["origin", "destination", "persons"]
    )


def people(n, each=1000, names="abcdefgh"):
    return pd.DataFrame({"area": list(names[:n]), "persons": each})


def one(rows, population=None, names="abcdefgh"):
    return build_systems(long(rows, names), population)[0]


def test_three_areas_by_hand():
    system = one(HYP, people(3))
    found, notes = system_indices(system)
    assert notes.keys() == {"mean_distance_km", "median_distance_km", "distance_decay"}
    assert found["movers"] == 120
    assert found["population"] == 3000
    assert found["crude_migration_intensity_pct"] == pytest.approx(4.0)  # 100 x 120 / 3000
    assert found["courgeau_k"] == pytest.approx(4 / math.log(9))
    assert found["courgeau_k"] == pytest.approx(1.8205, abs=5e-5)
    assert found["effectiveness_mei"] == 25.0  # 100 x (30 + 0 + 30) / 240
    assert found["anmr_pct"] == pytest.approx(1.0)  # 100 x 30 / 3000
    assert found["connectivity"] == 1
    assert found["inequality"] == pytest.approx(1 / 6)  # (2 x 10 + 2 x 10) / 120 / 2 around 20
    # Cells 10 10 20 20 30 30: 8 pairs differ by 10, 4 by 20, each counted twice: 320; / (2 x 6 x 120), / (2 x 5 x 120).
    assert found["gini_total_uncorrected"] == pytest.approx(0.2222222222)
    assert found["gini_total"] == pytest.approx(0.2666666667)
    assert found["gini_out"] == 0
    assert found["gini_in"] == pytest.approx((50 * 0.2 + 40 * 0.5 + 30 / 3) / 120)
    areas = area_indicators(system)
    assert areas["in_persons"].tolist() == [50, 40, 30]
    assert areas["out_persons"].tolist() == [20, 40, 60]
    assert areas["net_persons"].tolist() == [30, 0, -30]
    assert areas["gross_persons"].tolist() == [70, 80, 90]
    assert areas["effectiveness"].tolist() == pytest.approx([42.857142857, 0, -33.333333333])
    assert areas["in_per_1000"].tolist() == [50, 40, 30]
    assert areas["herfindahl_in"].tolist() == pytest.approx([(4 + 9) / 25, (1 + 9) / 16, (1 + 4) / 9])


def test_the_gini_family_of_the_package_migration_indices():
    """Its file `inst/tests/test-gini.R`; standardised are shares of the uncorrected total."""
    for rows, total, in_rows, in_columns, exchange, field_out, field_in, weighted in (
        (HYP, 0.22222222, 0, 0.055555555, 25, (0, 0, 0), (0.2, 0.5, 0.333333333), (0.122222222222222, 0)),
        (
            *(HYP2, 0.1875, 0.0208333333, 0.0416666666, 22.222222, (0, 0.25, 0), (0.2, 0, 0.428571429)),
            (0.0523809523809524, 0.0208333333333333),
        ),
    ):
        found = system_indices(one(rows))[0]
        assert found["gini_total_uncorrected"] == pytest.approx(total)
        assert found["gini_rows"] == pytest.approx(in_rows)
        assert found["gini_columns"] == pytest.approx(in_columns)
        assert 100 * found["gini_exchange"] / found["gini_total_uncorrected"] == pytest.approx(exchange)
        areas = area_indicators(one(rows))
        assert areas["gini_out"].tolist() == pytest.approx(field_out)
        assert areas["gini_in"].tolist() == pytest.approx(field_in)
        # Its weighted indices weigh a destination by what leaves it, an origin by what reaches it, and divide by n.
        assert (found["mwg_dest"], found["mwg_orig"]) == pytest.approx(weighted)
    assert system_indices(one(HYP2))[0]["gini_total"] == pytest.approx(0.225)


def test_coefficients_of_variation_of_the_package_migration_indices():
    for rows, acv_in, acv_out in ((HYP, 0.3333333, 0), (HYP2, 0.25, 0.125)):
        found = system_indices(one(rows))[0]
        assert (found["acv_in"], found["acv_out"]) == pytest.approx((acv_in, acv_out))


def test_five_parts_of_italy():
    system = one(ITALY, names=ITALY_AREAS)
    found, notes = system_indices(system)
    areas = area_indicators(system).set_index("area")
    assert areas["in_persons"].tolist() == [64_658, 23_218, 70_064, 72_921, 46_575]
    assert areas["out_persons"].tolist() == [40_986, 46_151, 34_567, 55_982, 99_750]
    assert areas["net_persons"].tolist() == [23_672, -22_933, 35_497, 16_939, -53_175]
    assert found["movers"] == 277_436
    assert found["effectiveness_mei"] == pytest.approx(27.4326, abs=5e-5)
    assert notes["crude_migration_intensity_pct"] == "no_population"
    assert math.isnan(found["anmr_pct"])


def test_the_rate_of_the_census_of_2000():
    """Ulaanbaatar: 41,985 of 760,100 had come within a year, 55.24 per 1,000 (NSO, census of 2000)."""
    flows = pd.DataFrame({"origin": ["elsewhere"], "destination": ["Ulaanbaatar"], "persons": [41_985]})
    population = pd.DataFrame({"area": ["Ulaanbaatar", "elsewhere"], "persons": [760_100, 1]})
    areas = area_indicators(build_systems(flows, population)[0]).set_index("area")
    assert areas.loc["Ulaanbaatar", "in_per_1000"] == pytest.approx(55.24, abs=5e-3)
    half = area_indicators(build_systems(flows, population)[0], days=182.625).set_index("area")
    assert half.loc["Ulaanbaatar", "in_per_1000"] == pytest.approx(110.48, abs=1e-2)
    for days in (0, -1, float("nan")):
        with pytest.raises(WrongUseError, match="has no rate"):
            area_indicators(build_systems(flows)[0], days=days)


def test_those_who_came_within_five_years_by_the_census_of_2000():
    """Ulaanbaatar: 95,435 of 760,100 had come within five years, 12.56 % (NSO, census of 2000)."""
    flows = pd.DataFrame({"origin": ["elsewhere"], "destination": ["Ulaanbaatar"], "persons": [95_435]})
    population = pd.DataFrame({"area": ["Ulaanbaatar", "elsewhere"], "persons": [760_100, 1]})
    system = build_systems(flows, population)[0]
    of_the_period = area_indicators(system).set_index("area").loc["Ulaanbaatar", "in_per_1000"]
    assert of_the_period / 10 == pytest.approx(12.56, abs=5e-3)
    a_year = area_indicators(system, days=5 * 365.25).set_index("area").loc["Ulaanbaatar", "in_per_1000"]
    assert a_year == pytest.approx(125.56 / 5, abs=5e-3)


def test_preference_and_velocity_by_hand():
    population = pd.DataFrame({"area": list("abc"), "persons": [100, 300, 600]})
    pairs = pair_indices(one(HYP, population)).set_index(["origin", "destination"])
    assert pairs.loc[("a", "b"), "preference"] == pytest.approx(10 / (120 * 0.1 * 0.3))
    assert pairs.loc[("c", "b"), "velocity"] == pytest.approx(30 / (600 * 300) * 1000)
    found = system_indices(one(HYP, population))[0]
    assert found["preference"] == pytest.approx(pairs["preference"].sum())
    assert found["velocity"] == pytest.approx(pairs["velocity"].sum())
    assert pair_indices(one(HYP))["preference"].isna().all()


def test_what_is_no_move_between_areas_is_counted_apart():
    flows = pd.DataFrame(
        [
            ("a", "a", 7),
            ("a", "b", 3),
            ("abroad", "a", 5),
            ("b", "Unknown", 2),
            ("unknown", "abroad", 1),
            ("c", "a", 0),
        ],
        columns=["origin", "destination", "persons"],
    )
    system = build_systems(flows)[0]
    assert list(system.areas) == ["a", "b", "c"]  # c moved to nobody and is an area all the same
    assert system.movers_persons == 3
    assert system.inside_persons.tolist() == [7, 0, 0]
    assert (system.abroad_persons, system.unknown_persons) == (6, 2)
    assert system_indices(system)[0]["connectivity"] == pytest.approx(1 / 6)


def test_areas_of_the_population_belong_to_the_system():
    found = system_indices(one(HYP, people(5)))[0]
    assert found["n_areas"] == 5
    assert found["connectivity"] == pytest.approx(6 / 20)
    assert found["population"] == 5000


def test_periods_stand_by_themselves():
    flows = pd.concat([long(HYP).assign(period=9), long(HYP2).assign(period=10)])
    both = [system_indices(system)[0] for system in build_systems(flows)]
    assert [system.period for system in build_systems(flows)] == ["9", "10"]
    assert [found["gini_total_uncorrected"] for found in both] == pytest.approx([0.2222222222, 0.1875])
    dated = pd.concat([people(3).assign(period=9), people(3, each=500).assign(period=10)])
    assert [system_indices(system)[0]["population"] for system in build_systems(flows, dated)] == [3000, 1500]
    with pytest.raises(BadInputError, match="no period 10 that the moves have; it has: 9"):
        build_systems(flows, dated[dated["period"] == 9])


UNDEFINED = {
    "nobody": ([[0, 0, 0]] * 3, "nobody_moved", ("effectiveness_mei", "inequality", "gini_total", "gini_in", "acv_in")),
    "one area": ([[5]], "one_area", ("courgeau_k", "connectivity", "inequality", "gini_total", "gini_out")),
    "two areas": ([[0, 4], [6, 0]], "two_areas", ("gini_in", "gini_out", "mwg_dest")),
}


@pytest.mark.parametrize("name", UNDEFINED)
def test_undefined_is_null_with_a_reason(name):
    rows, reason, without = UNDEFINED[name]
    found, notes = system_indices(one(rows, people(len(rows))))
    for index in without:
        assert math.isnan(found[index])
        assert notes[index] == reason
    assert found["crude_migration_intensity_pct"] == {"nobody": 0, "one area": 0, "two areas": 0.5}[name]
    for note in notes.values():
        assert all(note_words(note))


def test_a_population_of_nobody_or_of_some_areas_makes_no_rate():
    for population, reason in (
        (people(3, each=0), "zero_denominator"),
        (people(2), "population_missing"),
        (None, "no_population"),
    ):
        found, notes = system_indices(one(HYP, population))
        for index in ("crude_migration_intensity_pct", "courgeau_k", "anmr_pct", "preference", "velocity"):
            assert math.isnan(found[index])
            assert notes[index] == reason
    areas = area_indicators(one(HYP, people(2)))
    assert areas["in_per_1000"].isna().tolist() == [False, False, True]
    assert build_systems(long(HYP).iloc[:0]) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"persons": [1, -2, 3]}, "below 0 in row 2"),
        ({"persons": [1, 2, float("nan")]}, "row 3"),
        ({"persons": [float("inf"), 2, 3]}, "row 1"),
        ({"origin": ["a", None, "c"]}, "origin is missing in row 2"),
        ({"period": ["x", "x", None]}, "period is missing in row 3"),
    ],
)
def test_moves_that_can_not_be_used_are_named(change, told):
    flows = pd.DataFrame({"origin": list("abc"), "destination": list("bca"), "persons": [1, 2, 3]}).assign(**change)
    with pytest.raises(BadInputError, match=told):
        build_systems(flows)


def test_tables_that_do_not_fit_are_refused():
    with pytest.raises(BadInputError, match="lack the column persons; there are: origin, destination"):
        build_systems(long(HYP)[["origin", "destination"]])
    with pytest.raises(BadInputError, match="area a twice"):
        build_systems(long(HYP), pd.concat([people(3), people(1)]))
    with pytest.raises(BadInputError, match=r"population.*below 0"):
        build_systems(long(HYP), people(3, each=-1))
    flows = pd.DataFrame(
        {"origin": ["a", "a"], "destination": ["b", "b"], "persons": [1, 2], "distance_km": [3.0, 4.0]}
    )
    with pytest.raises(BadInputError, match="pair a to b is told with two distances"):
        build_systems(flows)
    flows["distance_km"] = [3.0, None]
    assert build_systems(flows)[0].distance_km.tolist() == [3.0]


def test_distances_by_hand():
    flows = long(HYP).assign(distance_km=[0, 1, 2, 1, 0, 4, 2, 4, 0])
    found, _ = system_indices(build_systems(flows)[0])
    assert found["mean_distance_km"] == pytest.approx((30 * 1 + 40 * 2 + 50 * 4) / 120)
    assert found["median_distance_km"] == 2  # 30 of 120 up to 1 km, 70 up to 2
    flows.loc[flows["distance_km"] == 4, "distance_km"] = None
    found, notes = system_indices(build_systems(flows)[0])
    assert found["mean_distance_km"] == pytest.approx((30 * 1 + 40 * 2) / 70)
    assert notes["mean_distance_km"] == "distances_incomplete"
    assert weighted_median(np.array([3.0, 1.0]), np.array([1.0, 1.0])) == 1


def plain(rows):
    """Compute the indices with loops over all cells, as their definitions read."""
    n = len(rows)
    cells = [rows[i][j] for i in range(n) for j in range(n) if i != j]
    total = sum(cells)
    out = [sum(rows[i][j] for j in range(n) if j != i) for i in range(n)]
    came = [sum(rows[i][j] for i in range(n) if i != j) for j in range(n)]
    gaps = sum(abs(x - y) for x in cells for y in cells)

    def field(values):
        return sum(abs(x - y) for x in values for y in values)

    fields_out = [field([rows[i][j] for j in range(n) if j != i]) for i in range(n)]
    fields_in = [field([rows[i][j] for i in range(n) if i != j]) for j in range(n)]
    return {
        "effectiveness_mei": 100 * sum(abs(d - o) for d, o in zip(came, out, strict=True)) / (2 * total),
        "connectivity": sum(x > 0 for x in cells) / len(cells),
        "inequality": 0.5 * sum(abs(x / total - 1 / len(cells)) for x in cells),
        "gini_total": gaps / (2 * (len(cells) - 1) * total),
        "gini_total_uncorrected": gaps / (2 * len(cells) * total),
        "gini_rows": sum(fields_out) / (2 * n * (n - 1) * total),
        "gini_columns": sum(fields_in) / (2 * n * (n - 1) * total),
        "gini_exchange": sum(abs(rows[i][j] - rows[j][i]) for i in range(n) for j in range(n) if i != j)
        / (2 * n * (n - 1) * total),
        "gini_in": sum(fields_in) / (2 * (n - 2) * total),
        "gini_out": sum(fields_out) / (2 * (n - 2) * total),
    }


counts = st.integers(0, 5) | st.integers(0, 2_000)
matrices = st.integers(3, 5).flatmap(
    lambda n: st.lists(st.lists(counts, min_size=n, max_size=n), min_size=n, max_size=n)
).filter(lambda rows: sum(map(sum, rows)) > sum(rows[i][i] for i in range(len(rows))))  # fmt: skip


@settings(max_examples=40)
@given(rows=matrices)
def test_the_sparse_sums_are_those_of_plain_loops(rows):
    listed = long(rows)
    found = system_indices(build_systems(listed[listed["persons"] > 0], people(len(rows)))[0])[0]
    for name, value in plain(rows).items():
        assert found[name] == pytest.approx(value, rel=1e-12, abs=1e-12), name


@settings(max_examples=25)
@given(rows=matrices, each=st.integers(1, 9_000), data=st.data())
def test_what_must_hold_in_every_closed_system(rows, each, data):
    n = len(rows)
    system = one(rows, people(n, each=each))
    found, notes = system_indices(system)
    areas = area_indicators(system)
    assert areas["net_persons"].sum() == 0
    assert areas["in_persons"].sum() == areas["out_persons"].sum() == found["movers"]
    assert found["anmr_pct"] == pytest.approx(found["crude_migration_intensity_pct"] * found["effectiveness_mei"] / 100)
    for name in ("gini_total", "gini_in", "gini_out", "connectivity", "inequality", "inequality_independence"):
        assert -1e-12 <= found[name] <= 1 + 1e-12, name
    assert notes.keys() == {"mean_distance_km", "median_distance_km", "distance_decay"}
    order = data.draw(st.permutations(range(n)))
    parts = [long(rows).sample(frac=1, random_state=1)] * 2
    renamed = pd.concat(parts).assign(persons=lambda frame: frame["persons"] * 1.5)
    names = dict(zip("abcdefgh", (f"area {place}" for place in order), strict=False))
    renamed["origin"], renamed["destination"] = renamed["origin"].map(names), renamed["destination"].map(names)
    again = system_indices(build_systems(renamed)[0])[0]  # three times the moves, each pair in two rows, other names
    assert again["movers"] == pytest.approx(3 * found["movers"])
    for name in (*plain(rows), "acv_in", "acv_out", "inequality_independence"):
        assert again[name] == pytest.approx(found[name], rel=1e-9, abs=1e-11), name


@settings(max_examples=15)
@given(
    rows=matrices, each=st.lists(st.integers(1, 9_000), min_size=5, max_size=5), times=st.sampled_from([0.5, 2.0, 7.0])
)
def test_distances_and_attraction_scale_as_they_should(rows, each, times):
    n = len(rows)
    flows = long(rows).assign(distance_km=lambda f: [abs(ord(a) - ord(b)) + 0.25 for a, b in zip(f["origin"], f["destination"], strict=True)])  # fmt: skip  # noqa: E501
    population = people(n).assign(persons=each[:n])

    def indices(*, moves=1.0, far=1.0, persons=1.0):
        table = flows.assign(persons=flows["persons"] * moves, distance_km=flows["distance_km"] * far)
        system = build_systems(table, population.assign(persons=population["persons"] * persons))[0]
        return system, system_indices(system, with_decay=False)[0]

    system, found = indices()
    farther, more, fuller = (indices(**{what: times})[1] for what in ("far", "moves", "persons"))
    for name in ("mean_distance_km", "median_distance_km"):
        assert farther[name] == pytest.approx(times * found[name])
        assert more[name] == pytest.approx(found[name])
        assert 1.25 <= found[name] <= n - 0.75
    assert more["preference"] == pytest.approx(found["preference"]) == pytest.approx(fuller["preference"])
    assert more["velocity"] == pytest.approx(times * found["velocity"])
    assert fuller["velocity"] == pytest.approx(found["velocity"] / times)
    shares = area_indicators(system)[["herfindahl_in", "herfindahl_out"]].to_numpy()
    told = shares[~np.isnan(shares)]
    assert ((told >= 1 / (n - 1) - 1e-12) & (told <= 1 + 1e-12)).all()


@pytest.mark.parametrize("rows", [HYP2, ITALY, [[0, 0, 4, 1], [3, 0, 0, 2], [9, 5, 0, 0], [1, 1, 6, 0]]])
def test_inequality_from_independence_is_that_of_a_poisson_model(rows):
    cells = long(rows).query("origin != destination")
    dummies = pd.get_dummies(cells[["origin", "destination"]], dtype=float).drop(columns="destination_a")
    expected = sm.GLM(cells["persons"], dummies, family=sm.families.Poisson()).fit(tol=1e-12).fittedvalues
    by_hand = 0.5 * np.abs(cells["persons"] - expected).sum() / cells["persons"].sum()
    assert system_indices(one(rows))[0]["inequality_independence"] == pytest.approx(by_hand, abs=1e-9)


@settings(max_examples=30)
@given(rows=matrices)
def test_quasi_independence_has_the_margins_of_its_table(rows):
    table = np.array(rows, dtype=float)
    np.fill_diagonal(table, 0)
    table[0] *= 50  # an area that dominates, too
    out, arrived = table.sum(axis=1), table.sum(axis=0)
    if not out.sum():
        return
    factors = quasi_independence(out, arrived)
    if factors is None:
        assert (out + arrived).max() == out.sum()  # one area is an end of every move
        return
    fit = np.outer(*factors)
    np.fill_diagonal(fit, 0)
    assert fit.sum(axis=1) == pytest.approx(out, abs=1e-9 * out.sum())
    assert fit.sum(axis=0) == pytest.approx(arrived, abs=1e-9 * out.sum())


def test_where_one_area_is_an_end_of_every_move_independence_explains_them_all():
    assert system_indices(one([[0, 3, 9], [5, 0, 0], [1, 0, 0]]))[0]["inequality_independence"] == 0
    # And so it does in the first table, whose origins send as many to the one as to the other.
    assert system_indices(one(HYP))[0]["inequality_independence"] == pytest.approx(0, abs=1e-12)

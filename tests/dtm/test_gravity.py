"""Hold the gravity model to statsmodels, to tables made by it, and distances to known ones."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from dtm.distances import EARTH_RADIUS_KM, great_circle_km, pair_distances, weighted_centroids
from dtm.errors import BadInputError
from dtm.gravity import fit_gravity
from dtm.measures import note_words
from dtm.migration_indices import build_systems, system_indices


def a_table(n, *, seed, decay=-1.2, scale=5.0, zeros=True):
    """Return the pairs of n places with Poisson moves of a gravity model."""
    rng = np.random.default_rng(seed)
    place, mass = rng.random((n, 2)) * 100, rng.gamma(2, 1, (2, n))
    origin, destination = np.nonzero(~np.eye(n, dtype=bool))
    distance = np.hypot(*(place[origin] - place[destination]).T) + 1
    expected = scale * 100 * mass[0][origin] * mass[1][destination] * distance**decay
    moves = rng.poisson(expected).astype(float) if zeros else expected
    return origin, destination, moves, distance


def reference(origin, destination, moves, distance):
    dummies = pd.get_dummies(pd.DataFrame({"o": origin, "d": destination}).astype(str), dtype=float)
    columns = pd.concat([dummies.drop(columns=f"d_{destination[0]}"), pd.Series(np.log(distance), name="x")], axis=1)
    return sm.GLM(moves, columns, family=sm.families.Poisson()).fit(tol=1e-13, maxiter=200)


@pytest.mark.parametrize(("n", "seed", "scale"), [(4, 1, 5.0), (9, 2, 0.3), (15, 3, 1.0)])
def test_the_fit_is_that_of_a_general_linear_model(n, seed, scale):
    table = a_table(n, seed=seed, scale=scale)
    fit, known = fit_gravity(*table), reference(*table)
    assert fit.converged
    assert fit.decay == pytest.approx(known.params["x"], rel=1e-7)
    assert fit.standard_error == pytest.approx(known.bse["x"], rel=1e-5)
    assert fit.deviance == pytest.approx(known.deviance, rel=1e-7)
    assert fit.fitted_persons == pytest.approx(known.fittedvalues.to_numpy(), rel=1e-6, abs=1e-6)


def test_a_table_made_by_the_model_gives_its_power_back():
    origin, destination, moves, distance = a_table(12, seed=4, decay=-0.73, zeros=False)
    fit = fit_gravity(origin, destination, moves, distance)
    assert fit.decay == pytest.approx(-0.73, abs=1e-9)
    assert fit.fitted_persons == pytest.approx(moves, rel=1e-7)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([0.02, 0.5, 20.0]))
def test_the_fit_keeps_the_margins_and_the_sum_of_log_distances(seed, scale):
    origin, destination, moves, distance = a_table(6, seed=seed, scale=scale)
    fit = fit_gravity(origin, destination, moves, distance)
    if not fit.converged:
        assert fit.reason in {"distance_says_nothing", "nobody_moved", "no_convergence"}
        assert math.isnan(fit.decay)
        return
    total = moves.sum()
    for ends in (origin, destination):
        gap = np.bincount(ends, weights=moves) - np.bincount(ends, weights=fit.fitted_persons)
        assert np.abs(gap).max() < 1e-9 * total
    assert fit.fitted_persons @ np.log(distance) == pytest.approx(moves @ np.log(distance), abs=1e-8 * total)
    order = np.random.default_rng(seed).permutation(len(moves))
    again = fit_gravity(origin[order], destination[order], 7 * moves[order], distance[order] * 1000)
    assert again.decay == pytest.approx(fit.decay, abs=1e-7)  # in any order and unit, of any size


def test_pairs_nobody_moved_between_count():
    origin, destination, moves, distance = a_table(15, seed=5, scale=0.2)
    moved = moves > 0
    assert not moved.all()
    whole = fit_gravity(origin, destination, moves, distance)
    part = fit_gravity(origin[moved], destination[moved], moves[moved], distance[moved])
    assert whole.decay == pytest.approx(reference(origin, destination, moves, distance).params["x"], rel=1e-7)
    assert part.decay > whole.decay  # without them distance seems to matter less


def test_what_the_model_can_not_tell_has_a_reason():
    nobody = fit_gravity(np.array([0, 1]), np.array([1, 0]), np.zeros(2), np.ones(2))
    assert (nobody.reason, nobody.pairs) == ("nobody_moved", 0)
    origin, destination, moves, _ = a_table(5, seed=6)
    same = fit_gravity(origin, destination, moves, np.full(20, 8.0))
    by_origin = fit_gravity(origin, destination, moves, 1.0 + origin)
    two = fit_gravity(np.array([0, 1]), np.array([1, 0]), np.array([3.0, 4.0]), np.array([2.0, 5.0]))
    assert {same.reason, by_origin.reason, two.reason} == {"distance_says_nothing"}
    assert all(math.isnan(fit.decay) for fit in (nobody, same, by_origin, two))
    untold = fit_gravity(origin, destination, moves, np.full(20, np.nan))
    assert untold.reason == "nobody_moved"


def test_an_area_that_nobody_leaves_has_no_part_in_the_fit():
    origin, destination, moves, distance = a_table(6, seed=7)
    moves = np.where(origin == 2, 0.0, moves)
    fit = fit_gravity(origin, destination, moves, distance)
    keep = origin != 2
    assert fit.pairs == keep.sum()
    assert (fit.fitted_persons[~keep] == 0).all()
    assert fit.decay == pytest.approx(
        reference(origin[keep], destination[keep], moves[keep], distance[keep]).params["x"], rel=1e-7
    )


def test_a_system_says_how_many_pairs_have_no_distance():
    origin, destination, moves, distance = a_table(5, seed=8)
    table = pd.DataFrame(
        {"origin": origin, "destination": destination, "persons": moves, "distance_km": distance}
    ).astype({"origin": str, "destination": str})
    found, notes = system_indices(build_systems(table)[0])
    assert "distance_decay" not in notes
    assert found["distance_decay"] == pytest.approx(fit_gravity(origin, destination, moves, distance).decay)
    _, notes = system_indices(build_systems(table.iloc[:-3])[0])
    assert notes["distance_decay"] == "pairs_without_distance:3"
    assert "3" in note_words(notes["distance_decay"])[0]


def test_distances_on_the_sphere():
    quarter = math.pi / 2 * EARTH_RADIUS_KM
    assert great_circle_km(0, 0, 90, 0) == pytest.approx(quarter)
    assert great_circle_km(30, 0, -120, 90) == pytest.approx(quarter)  # every meridian meets at the pole
    assert great_circle_km(10, 20, 10, 20) == 0
    assert great_circle_km(179.5, 0, -179.5, 0) == pytest.approx(EARTH_RADIUS_KM * math.radians(1))
    assert great_circle_km(0, 0, 180, 0) == pytest.approx(2 * quarter)
    assert math.isnan(great_circle_km(0, float("nan"), 1, 1))


@settings(max_examples=30)
@given(points=st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=3, max_size=3))
def test_distances_are_symmetric_and_keep_to_the_triangle(points):
    far = pair_distances(pd.DataFrame(points, columns=["lon", "lat"]))
    assert far == pytest.approx(far.T, abs=1e-9)
    assert np.diag(far) == pytest.approx(0, abs=1e-9)
    assert far[0, 2] <= far[0, 1] + far[1, 2] + 1e-6


def test_centroids_lie_where_the_people_are():
    parts = pd.DataFrame(
        [("a", 106.0, 47.0, 300), ("a", 106.4, 47.0, 100), ("b", 179.0, 0.0, 5), ("b", -179.0, 0.0, 5),
         ("c", 10.0, 0.0, 0), ("c", 20.0, 0.0, None), ("d", 100.0, 45.0, None), ("d", 101.0, 45.0, 4)],
        columns=["parent", "lon", "lat", "persons"],
    )  # fmt: skip
    found = weighted_centroids(parts).set_index("area")
    assert found.loc["a", "lon"] == pytest.approx(106.1, abs=1e-4)  # (3 x 106.0 + 106.4) / 4
    assert found.loc["a", "lat"] == pytest.approx(47.0, abs=1e-3)
    assert abs(found.loc["b", "lon"]) == pytest.approx(180)
    assert found.loc["c", "lon"] == pytest.approx(15)  # nobody lives there: each part counts alike
    assert found.loc["d"].tolist() == pytest.approx([101.0, 45.0, 4])
    assert found["persons"].tolist() == [400, 10, 0, 4]


def test_parts_that_can_not_be_used_are_refused():
    parts = pd.DataFrame({"parent": ["a"], "lon": [106.0], "lat": [47.0], "persons": [1]})
    for change, told in (({"lon": 190.0}, "row 1"), ({"lat": float("nan")}, "row 1"), ({"persons": -1}, "below 0")):
        with pytest.raises(BadInputError, match=told):
            weighted_centroids(parts.assign(**change))
    with pytest.raises(BadInputError, match="lack the column lon, lat; there are: parent, persons"):
        weighted_centroids(parts[["parent", "persons"]])

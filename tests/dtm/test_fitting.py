"""Hold fits to their margins, to the seed's odds ratios, to a plain loop, to HiGHS and to statsmodels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy import sparse
from scipy.optimize import linprog

from dtm._fitting_support import examine_support
from dtm.errors import BadInputError, InfeasibleMarginsError, MarginsDisagreeError, WrongUseError
from dtm.fitting import LOG_LINEAR_LIMIT_CELLS, compare_tables, fit_log_linear, fit_margins, fit_table

TOLERANCE = 1e-9


def scaled_in_place(seed, margins, *, sweeps=3000):
    """Scale the whole table to each margin in turn: the method as Deming and Stephan put it."""
    table = np.array(seed, dtype=float)
    for _ in range(sweeps):
        for axes, target in margins.items():
            kept = (axes,) if isinstance(axes, int) else axes
            summed = tuple(axis for axis in range(table.ndim) if axis not in kept)
            now = table.sum(axis=summed, keepdims=True)
            table *= np.divide(np.reshape(target, now.shape), now, out=np.zeros_like(now), where=now > 0)
    return table


def margins_of(table, axes_of_margins):
    return {
        axes: table.sum(axis=tuple(i for i in range(table.ndim) if i not in np.atleast_1d(axes)))
        for axes in axes_of_margins
    }


def sizes(least=2, most=6):
    return st.integers(least, most)


@st.composite
def seeds_and_truths(draw, *, zeros=False):
    """Return a seed and a table on the same cells, whose margins can therefore be met."""
    shape = (draw(sizes()), draw(sizes()))
    cells = st.floats(0.1, 10)  # with odds in the millions sweeps are slow, and 1e-9 of a margin is more of a cell
    seed = draw(npst.arrays(float, shape, elements=cells))
    truth = draw(npst.arrays(float, shape, elements=cells))
    if zeros:
        there = draw(npst.arrays(bool, shape, elements=st.booleans()))
        seed, truth = seed * there, truth * there
    return seed, truth


# Examples to be checked by hand


def test_two_by_two_by_hand():
    # The seed's odds ratio is 1 x 1 / (1 x 4) = 1/4. With margins 3, 3 and 3, 3 the table is [[x, 3-x], [3-x, x]]:
    # x^2 / (3-x)^2 = 1/4, so x = 1.
    fit = fit_margins([[1, 1], [4, 1]], [3, 3], [3, 3])
    assert fit.fitted_persons == pytest.approx(np.array([[1, 2], [2, 1]]), rel=1e-9)
    assert fit.converged
    assert (fit.total_persons, fit.seed_total_persons) == (6, 7)


def test_an_even_seed_gives_independence():
    fit = fit_margins(np.ones((2, 3)), [10, 30], [20, 8, 12])
    assert fit.fitted_persons == pytest.approx(np.array([[5, 2, 3], [15, 6, 9]]))
    assert fit.iterations <= 2


def test_three_areas_without_diagonal_by_hand():
    # Six cells, three departures and three arrivals. Departures 4, 4, 4 and arrivals 4, 4, 4 on an even seed are even.
    fit = fit_margins(np.ones((3, 3)), [4, 4, 4], [4, 4, 4], zero_diagonal=True)
    assert fit.fitted_persons == pytest.approx(2 * (1 - np.eye(3)))
    assert fit.structural_zeros == 3


def test_the_deviance_is_what_its_formula_says():
    seed = np.array([[1.0, 2, 3], [4, 5, 6]])
    fit = fit_margins(seed, [10, 20], [5, 10, 15])
    x, s = fit.fitted_persons, seed * 30 / 21
    assert fit.deviance == pytest.approx(2 * (x * np.log(x / s)).sum(), rel=1e-9)
    assert fit_margins(seed, [12, 30], [10, 14, 18]).deviance == pytest.approx(0, abs=1e-9)  # twice the seed


def test_factors_times_the_seed_are_the_fit():
    seed = np.array([[1.0, 2, 3], [4, 5, 6]])
    fit = fit_margins(seed, [10, 20], [5, 10, 15])
    a, b = fit.factors
    assert seed * a[:, None] * b == pytest.approx(fit.fitted_persons)


def test_margins_of_nobody():
    fit = fit_margins([[1, 2, 3], [4, 5, 6]], [0, 9], [3, 0, 6])
    assert fit.fitted_persons == pytest.approx(np.array([[0, 0, 0], [3, 0, 6]]))
    assert fit.converged


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (2, 3), (3, 0)])
def test_nobody_at_all_is_a_legal_table(shape):
    fit = fit_margins(np.zeros(shape), np.zeros(shape[0]), np.zeros(shape[1]))
    assert fit.converged
    assert fit.fitted_persons.shape == shape
    assert fit.total_persons == 0
    assert np.isnan(fit.deviance)


def test_one_area():
    assert fit_margins([[5]], [3], [3]).fitted_persons == pytest.approx(3)


def test_the_seed_is_not_changed():
    seed = np.array([[1.0, 2], [3, 4]])
    kept = seed.copy()
    seed.flags.writeable = False
    fit_margins(seed, [5, 5], [5, 5], zero_diagonal=True)
    assert np.array_equal(seed, kept)


# Structural zeros


def test_zeros_given_as_a_mask_or_in_the_seed_are_the_same():
    mask = np.array([[True, False, False], [False, False, False], [False, False, True]])
    seed = np.arange(1.0, 10).reshape(3, 3)
    rows, columns = [10, 20, 30], [15, 15, 30]
    whole = fit_margins(np.where(mask, 0, seed), rows, columns)
    for zeros in (mask, sparse.coo_array(mask)):
        for given_seed in (seed, sparse.csr_array(seed)):
            fit = fit_margins(given_seed, rows, columns, structural_zeros=zeros)
            cells = fit.fitted_persons if isinstance(given_seed, np.ndarray) else fit.fitted_persons.toarray()
            assert cells == pytest.approx(whole.fitted_persons, rel=1e-12)
            assert fit.structural_zeros == 2


def test_a_cell_that_every_table_leaves_empty_is_found_and_left_out():
    # Row B goes to Y alone; column Y holds just row B's. So A-Y is 0 in every table with these margins: sweeps alone
    # come near it as 1 / sweeps and never meet 1e-9.
    fit = fit_margins([[1, 1], [0, 1]], [1, 1], [1, 1])
    assert np.array_equal(fit.fitted_persons, np.eye(2))
    assert (fit.converged, fit.forced_zeros, fit.structural_zeros) == (True, 1, 1)
    assert fit_margins(sparse.coo_array([[1, 1], [0, 1]]), [1, 1], [1, 1]).forced_zeros == 1


def test_the_diagonal_of_a_mover_of_half_is_forced():
    # A has half of all departures and half of all arrivals, so B and C exchange nobody.
    fit = fit_margins(np.ones((3, 3)), [30, 15, 15], [30, 15, 15], zero_diagonal=True)
    assert fit.fitted_persons == pytest.approx(np.array([[0, 15, 15], [15, 0, 0], [15, 0, 0]]))
    assert fit.forced_zeros == 2


@pytest.mark.parametrize("make", [np.array, sparse.coo_array, sparse.csc_array])
def test_margins_that_the_zeros_forbid_are_refused_by_name(make):
    # A may not stay, B and C together take 2: A's 30 have nowhere to go.
    seed = make(1 - np.eye(3))
    with pytest.raises(InfeasibleMarginsError, match=r"row 'A' need 30 persons .* only in column 'B', 'C', .* are 2\."):
        fit_margins(seed, [30, 1, 1], [30, 1, 1], names=["ABC", "ABC"])


def test_an_empty_row_with_a_margin_is_refused_by_name():
    with pytest.raises(InfeasibleMarginsError, match=r"row 'B': 5 persons .* no cell above 0"):
        fit_margins([[1, 1], [0, 0]], [5, 5], [4, 6], names=["AB", "XY"])
    with pytest.raises(InfeasibleMarginsError, match=r"row 0: 6 persons"):  # its one cell is in a column of 0
        fit_margins([[1, 0], [1, 1]], [6, 0], [0, 6])


@settings(max_examples=25)
@given(
    npst.arrays(np.int64, (4, 4), elements=st.sampled_from([0, 0, 0, 1, 2, 5])),
    npst.arrays(bool, (4, 4)),
    st.booleans(),
)
def test_feasibility_and_forced_zeros_are_those_of_linear_programming(truth, pattern, is_sound):
    rows, columns = truth.sum(axis=1), truth.sum(axis=0)
    support = np.where(pattern, 1.0, (truth > 0) & is_sound)
    equal = np.vstack([np.kron(np.eye(4), np.ones(4)), np.kron(np.ones(4), np.eye(4))])
    bounds = [(0, None if cell else 0) for cell in support.ravel()]

    def least(cost):
        return linprog(cost, A_eq=equal, b_eq=[*rows, *columns], bounds=bounds)

    told = examine_support(*np.nonzero(support), rows.astype(float), columns.astype(float))
    assert told.is_feasible == (least(np.zeros(16)).status == 0)
    if not told.is_feasible:
        assert rows[told.rows].sum() > columns[told.columns].sum()
        assert not np.delete(support[told.rows], told.columns, axis=1)[:, np.delete(columns, told.columns) > 0].any()
        with pytest.raises(InfeasibleMarginsError):
            fit_margins(support, rows, columns)
        return
    fit = fit_margins(support, rows, columns)
    assert fit.converged
    for place, (i, j) in enumerate(zip(*np.nonzero(support), strict=True)):
        if rows[i] and columns[j]:  # zero margins need no network
            assert told.forced[place] == (least(-np.eye(16)[4 * i + j]).fun > -1e-9)
            assert told.forced[place] <= (fit.fitted_persons[i, j] < 1e-6)


# Refusals


def test_margins_that_disagree_are_refused_with_the_difference():
    with pytest.raises(
        MarginsDisagreeError, match=r"row add to 60 persons .* column to 59.7, a difference of 0.3 \(0.5 %"
    ):
        fit_margins(np.ones((2, 2)), [30, 30], [30, 29.7])
    nearly = fit_margins(np.ones((2, 2)), [30, 30], [30, 30 + 3e-9])  # 5e-11 of the total: what decimals leave
    assert nearly.converged


@pytest.mark.parametrize("value", [-1, np.nan, np.inf])
def test_cells_and_margins_that_are_no_numbers_of_persons_are_refused(value):
    with pytest.raises(BadInputError, match=r"seed has .* in row x column 'B' x 'X'"):
        fit_margins([[1, 2], [value, 3]], [1, 1], [1, 1], names=["AB", "XY"])
    with pytest.raises(BadInputError, match=r"seed has .* in row x column 1 x 0"):
        fit_margins(sparse.coo_array(([1.0, value], ([0, 1], [0, 0])), shape=(2, 2)), [1, 1], [1, 1])
    with pytest.raises(BadInputError, match="margin of column 'Y'"):
        fit_margins(np.ones((2, 2)), [1, 1], [1, value], names=["AB", "XY"])


@pytest.mark.parametrize(
    "call",
    [
        lambda: fit_margins(np.ones(3), [1], [1]),
        lambda: fit_margins(np.ones((2, 2)), [1, 1, 1], [1, 1]),
        lambda: fit_margins(np.ones((2, 2)), [1, 1], [1, 1], names=["A", "XY"]),
        lambda: fit_margins(np.ones((2, 3)), [3, 3], [2, 2, 2], zero_diagonal=True),
        lambda: fit_margins(np.ones((2, 2)), [1, 1], [1, 1], structural_zeros=np.zeros((2, 3), dtype=bool)),
        lambda: fit_margins(np.ones((2, 2)), [1, 1], [1, 1], tolerance=0),
        lambda: fit_margins(np.ones((2, 2)), [1, 1], [1, 1], maximum_iterations=0),
        lambda: fit_table(np.ones((2, 2)), {}),
        lambda: fit_table(np.ones((2, 2)), {2: [1, 1]}),
        lambda: fit_table(np.ones((2, 2)), {(0, 0): [1, 1]}),
        lambda: fit_table(np.ones((2, 2)), {(0, 1): np.ones((2, 2)), (1, 0): np.ones((2, 2))}),
    ],
)
def test_what_does_not_go_together_is_wrong_use(call):
    with pytest.raises(WrongUseError):
        call()


def test_without_convergence_it_says_so():
    fit = fit_margins([[1, 5], [3, 1]], [10, 20], [12, 18], maximum_iterations=1)
    assert not fit.converged
    assert fit.iterations == 1
    assert fit.largest_relative_error > TOLERANCE
    rows = fit.fitted_persons.sum(axis=1)
    assert fit.largest_absolute_error_persons == pytest.approx(np.abs(rows - [10, 20]).max())


# Properties


@settings(max_examples=40)
@given(seeds_and_truths(zeros=True))
def test_margins_are_met_and_sparse_is_as_dense(tables):
    seed, truth = tables
    rows, columns = truth.sum(axis=1), truth.sum(axis=0)
    fit = fit_margins(seed, rows, columns)
    assume(fit.converged)  # sweeps may be slow where cells must nearly be 0
    x = fit.fitted_persons
    assert (x >= 0).all()
    assert not x[seed == 0].any()
    assert np.abs(x.sum(axis=1) - rows).max() <= TOLERANCE * rows.max()
    assert np.abs(x.sum(axis=0) - columns).max() <= TOLERANCE * columns.max()
    entries = fit_margins(sparse.coo_array(seed), rows, columns)
    assert entries.converged
    assert entries.fitted_persons.toarray() == pytest.approx(x, rel=1e-6, abs=1e-6)
    assert entries.structural_zeros == fit.structural_zeros


@settings(max_examples=30)
@given(seeds_and_truths())
def test_odds_ratios_of_the_seed_are_kept(tables):
    seed, truth = tables
    x = fit_margins(seed, truth.sum(axis=1), truth.sum(axis=0)).fitted_persons
    for i, k in itertools.combinations(range(seed.shape[0]), 2):
        for j, m in itertools.combinations(range(seed.shape[1]), 2):
            assert x[i, j] * x[k, m] * seed[i, m] * seed[k, j] == pytest.approx(
                x[i, m] * x[k, j] * seed[i, j] * seed[k, m], rel=1e-9
            )


@settings(max_examples=30)
@given(seeds_and_truths(), st.floats(1e-6, 1e6))
def test_fitting_again_turning_and_scaling(tables, scale):
    seed, truth = tables
    rows, columns = truth.sum(axis=1), truth.sum(axis=0)
    fit = fit_margins(seed, rows, columns)
    x = fit.fitted_persons
    again = fit_margins(x, rows, columns)
    assert again.iterations <= 2
    assert again.fitted_persons == pytest.approx(x, rel=1e-7)
    turned = fit_margins(seed.T, columns, rows).fitted_persons
    assert turned == pytest.approx(x.T, rel=1e-6)
    assert fit_margins(seed * scale, rows, columns).fitted_persons == pytest.approx(x, rel=1e-6)
    assert fit_margins(seed, rows * scale, columns * scale).fitted_persons == pytest.approx(x * scale, rel=1e-6)
    by_row = np.linspace(1, 2, seed.shape[0])[:, None]  # a row's own factor is lost in the fit
    assert fit_margins(seed * by_row, rows, columns).fitted_persons == pytest.approx(x, rel=1e-6)


@settings(max_examples=25)
@given(seeds_and_truths())
def test_the_fit_has_the_least_deviance_of_all_tables_with_its_margins(tables):
    seed, truth = tables
    fit = fit_margins(seed, truth.sum(axis=1), truth.sum(axis=0))
    total = truth.sum()
    other = 2 * (truth * np.log(truth / (seed * total / seed.sum()))).sum()
    assert fit.deviance <= other + 1e-6 * total


# More than two axes


@pytest.mark.parametrize(
    ("shape", "margins"),
    [
        ((6, 7, 3), [0, 1, 2]),  # three totals
        ((6, 7, 3), [(0, 2), (1, 2)]),  # departures and arrivals of each group
        ((3, 6, 7), [(0, 1), (2, 0)]),  # the same with the group first
        ((6, 7, 3), [(0, 1), 2]),  # known flows to be broken down
        ((6, 7, 3), [(2, 0), 1]),
        ((6, 7, 3), [(0, 1), (0, 2), (1, 2)]),  # all three
        ((6, 7, 3), [1]),
        ((3, 4, 2, 5), [1, 3]),
        ((3, 4, 2, 5), [(0, 3), (1, 3), 2]),
        ((3, 4, 2, 5), [(0, 2, 3), (1, 2, 3)]),
        ((5,), [0]),
    ],
)
def test_any_margins_of_any_table_as_the_plain_loop(shape, margins):
    rng = np.random.default_rng(5)
    seed = rng.random(shape) + 0.1
    given_margins = margins_of(100 * rng.random(shape) + 1, [tuple(sorted(np.atleast_1d(m).tolist())) for m in margins])
    turned = {
        axes: value if isinstance(axes, int) else value.transpose([sorted(axes).index(axis) for axis in axes])
        for axes, value in zip(margins, given_margins.values(), strict=True)
    }
    plain = scaled_in_place(seed, given_margins, sweeps=200)
    fit = fit_table(seed, turned)
    assert fit.converged
    assert fit.fitted_persons.shape == shape
    assert fit.fitted_persons == pytest.approx(plain, rel=1e-7)
    assert fit.deviance == pytest.approx(2 * (plain * np.log(plain * seed.sum() / seed / plain.sum())).sum(), rel=1e-6)
    entries = fit_table(sparse.coo_array(seed), turned)
    assert entries.fitted_persons.toarray() == pytest.approx(plain, rel=1e-7)
    assert entries.deviance == pytest.approx(fit.deviance, rel=1e-6)
    product = seed
    for axes, factor in zip(fit.margin_axes, fit.factors, strict=True):
        product = product * factor.reshape([shape[axis] if axis in axes else 1 for axis in range(len(shape))])
    assert product == pytest.approx(fit.fitted_persons)


def test_a_large_table_is_worked_on_in_blocks_by_all_cores():
    rng = np.random.default_rng(1)
    truth = rng.random((260, 410, 11))
    margins = margins_of(truth, [0, 1, 2])
    fit = fit_table(np.ones(truth.shape), margins)
    total = truth.sum()
    independent = np.einsum("i,j,k->ijk", *margins.values()) / total**2
    np.testing.assert_allclose(fit.fitted_persons, independent, rtol=1e-10)
    shared = margins_of(truth, [(0, 2), (0, 1)])
    by_row = shared[0, 2][:, None, :] * shared[0, 1][:, :, None] / truth.sum(axis=(1, 2))[:, None, None]
    np.testing.assert_allclose(fit_table(np.ones(truth.shape), shared).fitted_persons, by_row, rtol=1e-10)


def test_groups_have_a_diagonal_each():
    seed = np.ones((3, 3, 2))
    fit = fit_table(seed, {0: [4, 4, 4], 1: [4, 4, 4], 2: [3, 9]}, zero_diagonal=True)
    assert fit.structural_zeros == 6
    assert fit.fitted_persons[:, :, 0] == pytest.approx(0.5 * (1 - np.eye(3)))


def test_margins_of_groups_that_disagree_name_the_group():
    with pytest.raises(MarginsDisagreeError, match=r"in group 'women'.* a difference of 1 "):
        fit_table(
            np.ones((2, 2, 2)), {(0, 2): [[1, 1], [1, 1]], (1, 2): [[1, 1], [1, 2]]},
            names=["AB", "AB", ["men", "women"]],
        )  # fmt: skip


def test_an_infeasible_group_is_named():
    seed = np.ones((2, 2, 2))
    seed[0, :, 1] = 0
    with pytest.raises(InfeasibleMarginsError, match="In group 'women': row 'A'"):
        fit_table(seed, {(0, 2): np.ones((2, 2)), (1, 2): np.ones((2, 2))}, names=["AB", "AB", ["men", "women"]])


def test_rows_of_one_pair_share_its_fit_in_their_proportions():
    pairs = sparse.coo_array(([3.0, 1, 2, 2], ([0, 0, 0, 1], [0, 0, 1, 0])), shape=(2, 2))
    fit = fit_margins(pairs, [8, 4], [6, 6])
    x = fit.fitted_persons.data
    assert x[0] / x[1] == pytest.approx(3)
    assert x == pytest.approx([1.5, 0.5, 6, 4])  # no cell 1, 1: so 4 come from row 1, 6 go to column 1, 2 are left
    assert fit.structural_zeros == 1


# The log-linear model


@settings(max_examples=20)
@given(seeds_and_truths(zeros=True))
def test_the_log_linear_fit_is_the_proportional_one(tables):
    seed, truth = tables
    rows, columns = truth.sum(axis=1), truth.sum(axis=0)
    one = fit_margins(seed, rows, columns)
    assume(one.converged and truth.any())
    other = fit_log_linear(margins=(rows, columns), offset=seed)
    assert other.converged
    assert other.method == "log-linear"
    assert other.fitted_persons == pytest.approx(one.fitted_persons, rel=1e-6, abs=1e-6)
    assert other.deviance == pytest.approx(one.deviance, rel=1e-5, abs=1e-5)
    assert other.structural_zeros == one.structural_zeros


def gravity_world(n=8):
    rng = np.random.default_rng(3)
    distance_km = 1 + 100 * rng.random((n, n))
    mean = 5000 * distance_km**-0.7 * rng.random((n, 1)) * rng.random((1, n))
    offset = 0.5 + rng.random((n, n))
    return rng.poisson(mean).astype(float), distance_km, offset


def test_coefficients_errors_and_deviance_are_those_of_statsmodels():
    import statsmodels.api as sm

    observed, distance_km, offset = gravity_world()
    n = len(observed)
    log_km, near = np.log(distance_km), (distance_km < 40).astype(float)
    np.fill_diagonal(log_km, -np.inf)  # what ln 0 gives; structural zeros don't count
    fit = fit_log_linear(observed=observed, offset=offset, covariates=[log_km, near], zero_diagonal=True)
    i, j = np.nonzero(~np.eye(n, dtype=bool))
    effects = [np.eye(n)[i], np.eye(n)[j][:, 1:]]
    design = np.column_stack([log_km[i, j], near[i, j], *effects])
    model = sm.GLM(observed[i, j], design, family=sm.families.Poisson(), offset=np.log(offset[i, j])).fit(tol=1e-12)
    assert fit.converged
    assert fit.coefficients == pytest.approx(model.params[:2], rel=1e-7)
    assert fit.standard_errors == pytest.approx(model.bse[:2], rel=1e-6)
    assert fit.fitted_persons[i, j] == pytest.approx(model.fittedvalues, rel=1e-7)
    assert fit.poisson_deviance == pytest.approx(model.deviance, rel=1e-9)
    assert fit.null_deviance == pytest.approx(model.null_deviance, rel=1e-9)
    assert fit.pseudo_r2 == pytest.approx(1 - model.deviance / model.null_deviance)
    assert fit.fitted_persons.sum(axis=1) == pytest.approx(np.where(np.eye(n), 0, observed).sum(axis=1))


def test_coefficients_can_serve_margins():
    observed, distance_km, _ = gravity_world()
    np.fill_diagonal(observed, 0)
    told = fit_log_linear(observed=observed, covariates=[np.log(distance_km)], zero_diagonal=True)
    margins = (observed.sum(axis=1), observed.sum(axis=0))
    used = fit_log_linear(
        margins=margins, covariates=[np.log(distance_km)], coefficients=told.coefficients, zero_diagonal=True
    )
    seeded = fit_margins(distance_km ** told.coefficients[0], *margins, zero_diagonal=True)
    assert used.fitted_persons == pytest.approx(told.fitted_persons, rel=1e-6)
    assert used.fitted_persons == pytest.approx(seeded.fitted_persons, rel=1e-6)
    assert np.isnan(used.standard_errors).all()
    assert np.isnan([used.poisson_deviance, used.pseudo_r2]).all()


def test_what_a_log_linear_fit_refuses():
    observed, distance_km, _ = gravity_world(4)
    by_origin = np.arange(4.0)[:, None] + np.zeros((4, 4))
    log_km = np.log(distance_km)
    margins = (observed.sum(axis=1), observed.sum(axis=0))
    for wrong in (
        {"observed": observed, "margins": margins},
        {},
        {"margins": margins, "covariates": [log_km]},
        {"margins": margins, "covariates": [log_km], "coefficients": [1, 2]},
        {"observed": observed, "covariates": [log_km], "coefficients": [1]},
        {"observed": observed, "covariates": [by_origin]},
        {"observed": observed, "covariates": [log_km, 2 * log_km + 1]},
        {"margins": (np.ones(LOG_LINEAR_LIMIT_CELLS // 1000 + 1), np.ones(1000))},
        {"observed": np.ones((2, 2, 2))},
    ):
        with pytest.raises(WrongUseError):
            fit_log_linear(**wrong)
    with pytest.raises(BadInputError, match="Covariate 0"):
        fit_log_linear(observed=observed, covariates=[np.full((4, 4), np.inf)])
    with pytest.raises(InfeasibleMarginsError):
        fit_log_linear(margins=([30, 1, 1], [30, 1, 1]), zero_diagonal=True)


def test_a_log_linear_fit_of_nobody_and_of_parts():
    assert not fit_log_linear(margins=([0, 0], [0, 0])).fitted_persons.any()
    assert fit_log_linear(margins=([3, 0], [1, 2])).fitted_persons == pytest.approx(np.array([[1, 2], [0, 0]]))
    parts = np.array([[1, 2, 0, 0], [3, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 5.0]])  # two tables without a link
    rows, columns = [4, 6, 10, 20], [3, 7, 15, 15]
    fit = fit_log_linear(margins=(rows, columns), offset=parts)
    assert fit.fitted_persons == pytest.approx(fit_margins(parts, rows, columns).fitted_persons, rel=1e-6)


# Statistics


def test_fit_statistics_by_hand():
    told = compare_tables([[1, 2], [3, 4]], [[2, 2], [2, 4]])
    assert told.n_cells == 4
    assert told.srmse == pytest.approx(np.sqrt(2 / 4) / 2.5)
    assert told.dissimilarity_pct == pytest.approx(10)  # 1 of 10 would have to move
    assert told.deviance == pytest.approx(2 * (2 * np.log(2) - 1 + 2 * np.log(2 / 3) + 1))
    assert told.correlation == pytest.approx(np.corrcoef([1, 2, 3, 4], [2, 2, 2, 4])[0, 1])


def test_undefined_statistics_are_null():
    nobody = compare_tables(np.zeros((2, 2)), np.zeros((2, 2)))
    assert nobody.deviance == 0
    assert np.isnan([nobody.srmse, nobody.dissimilarity_pct, nobody.correlation]).all()
    assert np.isnan(compare_tables([], []).srmse)
    assert compare_tables([0.0, 1], [1.0, 1]).deviance == np.inf
    assert compare_tables([[5, 1], [1, 5]], [[9, 1], [1, 9]], cells=~np.eye(2, dtype=bool)).srmse == 0
    with pytest.raises(WrongUseError):
        compare_tables([1, 2], [1, 2, 3])

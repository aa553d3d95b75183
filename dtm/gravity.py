"""Fit the gravity model of migration: a factor for each origin and destination, and a power of distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

ITERATION_LIMIT = 60
"""Newton steps; a well-behaved table takes fewer than ten."""
INNER_LIMIT = 2_000
"""Steps of conjugate gradients inside a Newton step."""
HALVINGS = 40
"""Times a step is halved before the fit gives up."""
_ACCURACY_OF_DISTANCE, _ACCURACY_OF_STEP = 1e-6, 1e-4
"""Residuals left by conjugate gradients, as shares; Newton's steps take the rest away."""
_ROUNDING = 1e-12
TOLERANCE = 1e-10
"""Largest gap left in the margins and in the sum of log distances, as shares of all moves."""
_VARIATION = 1e-9
"""Share of the variance of log distance that origins and destinations must leave, for its power to be known."""


@dataclass(frozen=True, kw_only=True)
class GravityFit:
    """The fitted model log mu_ij = a_i + b_j + decay log d_ij.

    Attributes
    ----------
    decay
        Power of distance, negative where moves fall with it; NaN where the table does not tell it.
    standard_error
        Of the decay, if moves are Poisson; they vary more in life, so it is a lower limit.
    deviance
        2 sum (m log (m / mu) - m + mu).
    fitted_persons
        mu of the pairs given, in their order.
    pairs
        How many took part: those whose origin and destination have moves. The others are fitted as 0.
    iterations, converged, gap
        Newton steps, whether they ended, and the largest gap left, as a share of all moves.
    reason
        Why there is no decay, as a code of `dtm.measures.NOTES`; None where there is.
    """

    decay: float
    standard_error: float
    deviance: float
    fitted_persons: NDArray[np.float64]
    pairs: int
    iterations: int
    converged: bool
    gap: float
    reason: str | None = None


def fit_gravity(
    origin: NDArray[np.int64],
    destination: NDArray[np.int64],
    persons: NDArray[np.float64],
    distance_km: NDArray[np.float64],
) -> GravityFit:
    """Return the maximum-likelihood fit of the Poisson gravity model (Flowerdew & Aitkin 1982, J. Regional Science 22).

    The sign and size of the decay are those of the doubly constrained spatial interaction model (Wilson 1971,
    Environment and Planning 3), as migest's `index_distance` and Bell et al. 2002 give it (JRSS A 165(3), doi
    10.1111/1467-985X.00247). Newton's method: the factors of origins and destinations are eliminated in each step by
    conjugate gradients on a sparse matrix, so time and memory go with the pairs given.

    Parameters
    ----------
    origin, destination
        Whole numbers from 0, a pair each; no pair twice. Give pairs nobody moved between, too: left out, they make
        the decay too weak.
    persons
        Moves of the pair, 0 or more.
    distance_km
        Kilometres, above 0.

    Returns
    -------
    GravityFit
        Without moves, with too few pairs, or where distance says nothing beyond origin and destination, the decay is
        NaN and `reason` says why.
    """
    used = _used(origin, destination, persons, distance_km)
    if not used.any():
        return _none(persons, "nobody_moved")
    places = [np.unique(ends[used], return_inverse=True)[1] for ends in (origin, destination)]
    model = _Model(places[0], places[1], persons[used], np.log(distance_km[used]))
    if model.distance_scale == 0:
        return _none(persons, "distance_says_nothing", pairs=int(used.sum()))
    return _newton(model, used)


def _used(
    origin: NDArray[np.int64],
    destination: NDArray[np.int64],
    persons: NDArray[np.float64],
    distance_km: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Return the pairs that can have moves: their origin sends some and their destination gets some."""
    told = np.isfinite(distance_km) & (distance_km > 0)
    if not told.any():
        return told
    sent = np.bincount(origin, weights=persons * told)
    got = np.bincount(destination, weights=persons * told)
    return np.asarray(told & (sent[origin] > 0) & (got[destination] > 0))


def _none(persons: NDArray[np.float64], reason: str, *, pairs: int = 0) -> GravityFit:
    nan = float("nan")
    return GravityFit(
        decay=nan,
        standard_error=nan,
        deviance=nan,
        fitted_persons=np.full(len(persons), nan),
        pairs=pairs,
        iterations=0,
        converged=False,
        gap=nan,
        reason=reason,
    )


class _Model:
    """The data of a fit and the sums that its steps need; log distance is centred and scaled."""

    def __init__(
        self,
        origin: NDArray[np.int64],
        destination: NDArray[np.int64],
        persons: NDArray[np.float64],
        log_distance: NDArray[np.float64],
    ) -> None:
        self.origin, self.destination, self.persons = origin, destination, persons
        self.total = float(persons.sum())
        self.out, self.arrived = self.by_origin(persons), self.by_destination(persons)
        mean = float(persons @ log_distance) / self.total
        self.distance_scale = float(np.abs(log_distance - mean).max())
        scale = self.distance_scale or 1.0
        self.x = (log_distance - mean) / scale
        shape = (len(self.out), len(self.arrived))
        order = np.lexsort((destination, origin)) if (np.diff(origin * shape[1] + destination) < 0).any() else None
        starts = np.concatenate([[0], np.cumsum(np.bincount(origin, minlength=shape[0]))])
        self._order, self._shape, self._starts = order, shape, starts
        self._columns = destination if order is None else destination[order]

    def by_origin(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(self.origin, weights=weights), dtype="float64")

    def by_destination(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(self.destination, weights=weights), dtype="float64")

    def matrix(self, mu: NDArray[np.float64]) -> sparse.csr_array:
        data = mu if self._order is None else mu[self._order]
        return sparse.csr_array((data, self._columns, self._starts), shape=self._shape)

    def eta(self, a: NDArray[np.float64], b: NDArray[np.float64], decay: float) -> NDArray[np.float64]:
        return np.asarray(a[self.origin] + b[self.destination] + decay * self.x)

    def loss(self, eta: NDArray[np.float64]) -> float:
        """Return the negative log-likelihood, without the part that depends on the moves alone."""
        with np.errstate(over="ignore"):
            return float(np.exp(eta).sum() - self.persons @ eta)


def _newton(model: _Model, used: NDArray[np.bool_]) -> GravityFit:
    a, b, decay = np.log(model.out), np.log(model.arrived) - np.log(model.total), 0.0
    absorbed = np.zeros(len(b))
    gap, converged, iterations, information = float("inf"), False, 0, 0.0
    eta = model.eta(a, b, decay)
    loss = model.loss(eta)
    for iterations in range(1, ITERATION_LIMIT + 1):  # noqa: B007  told in the answer
        mu = np.exp(eta)
        step = _step(model, mu, absorbed)
        information, gap, absorbed = step.information, step.gap, step.absorbed
        if information <= _VARIATION * float(mu @ model.x**2):
            return _none(np.empty(len(used)), "distance_says_nothing", pairs=len(mu))
        if gap < TOLERANCE:
            converged = True
            break
        share = 1.0
        for _ in range(HALVINGS):
            tried = (a + share * step.a, b + share * step.b, decay + share * step.decay)
            eta = model.eta(*tried)
            new_loss = model.loss(eta)
            if new_loss <= loss + _ROUNDING * abs(loss):
                break
            share /= 2
        else:
            break
        (a, b, decay), loss = tried, new_loss
    mu = np.exp(eta)
    fitted = np.zeros(len(used))
    fitted[used] = mu
    moved = model.persons > 0
    unlike = float((model.persons[moved] * (np.log(model.persons[moved]) - eta[moved])).sum())
    return GravityFit(
        decay=float(decay / model.distance_scale) if converged else float("nan"),
        standard_error=float(1 / np.sqrt(information) / model.distance_scale) if converged else float("nan"),
        deviance=2 * (unlike - model.total + float(mu.sum())),
        fitted_persons=fitted,
        pairs=len(mu),
        iterations=iterations,
        converged=converged,
        gap=gap,
        reason=None if converged else "no_convergence",
    )


@dataclass(frozen=True, kw_only=True)
class _Step:
    """Newton's step, the information on the decay that origins and destinations leave, and the gap before it."""

    a: NDArray[np.float64]
    b: NDArray[np.float64]
    decay: float
    information: float
    gap: float
    absorbed: NDArray[np.float64]


def _step(model: _Model, mu: NDArray[np.float64], absorbed: NDArray[np.float64]) -> _Step:
    matrix = model.matrix(mu)
    rows, columns = model.by_origin(mu), model.by_destination(mu)
    weighted = mu * model.x
    left_rows, left_columns = model.out - rows, model.arrived - columns
    left = model.persons - mu
    gap = max(float(np.abs(part).max()) for part in (left_rows, left_columns, left @ model.x)) / model.total
    cross = (model.by_origin(weighted), model.by_destination(weighted))
    u, v = _solve(matrix, rows, columns, cross, start=absorbed, accuracy=_ACCURACY_OF_DISTANCE)
    a, b = _solve(matrix, rows, columns, (left_rows, left_columns), start=np.zeros_like(v), accuracy=_ACCURACY_OF_STEP)
    beyond = model.x - u[model.origin] - v[model.destination]
    information = float(mu @ beyond**2)
    decay = float(left @ beyond) / information if information > 0 else 0.0
    return _Step(a=a - decay * u, b=b - decay * v, decay=decay, information=information, gap=gap, absorbed=v)


def _solve(
    matrix: sparse.csr_array,
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    right: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    start: NDArray[np.float64],
    accuracy: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Solve [[diag(rows), M], [M', diag(columns)]] (u, v) = right, up to the constant that u and v share.

    Conjugate gradients on the columns alone, scaled by their sums (Jacobi); the system is singular and consistent.
    """
    transposed = matrix.T

    def times(vector: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(columns * vector - transposed @ ((matrix @ vector) / rows))

    wanted = right[1] - transposed @ (right[0] / rows)
    goal = accuracy * float(np.abs(wanted).sum())
    v = start.copy()
    residual = wanted - times(v) if v.any() else wanted
    direction = residual / columns
    product = float(residual @ direction)
    for _ in range(INNER_LIMIT):
        if float(np.abs(residual).sum()) <= goal or product <= 0:
            break
        image = times(direction)
        curvature = float(direction @ image)
        if curvature <= 0:
            break
        v += product / curvature * direction
        residual = residual - product / curvature * image
        scaled = residual / columns
        product, before = float(residual @ scaled), product
        direction = scaled + product / before * direction
    return np.asarray((right[0] - matrix @ v) / rows), v

"""Estimate the flows between two stock tables: the fewest moves that turn the one into the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dtm._fitting_margins import amount
from dtm.errors import BadInputError, InfeasibleMarginsError, StocksDisagreeError, WrongUseError
from dtm.fitting import DEFAULT_MAXIMUM_ITERATIONS, DEFAULT_TOLERANCE, fit_margins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dtm._fitting_dense import Floats

DISCREPANCY_LIMIT_PCT = 2.0
"""Persons that neither births nor deaths explain, as a share of the stock, above which nothing is estimated."""
ROUNDING_SHARE = 1e-12
"""Difference of two stocks, as a share of a birthplace's persons, that is rounding and no move."""
NAMES_SHOWN = 5
Balance = Literal["closed", "open"]


@dataclass(frozen=True)
class StockFlows:
    """Moves between two days, estimated from stocks by birthplace; mark what is made of it `modelled`.

    Parameters
    ----------
    flows_persons
        Moves by origin (rows) and destination (columns) over all birthplaces; the diagonal is 0.
    stayers_persons
        Persons in the same place on both days, by place.
    stock_start_persons, stock_end_persons
        Persons by birthplace (rows) and residence (columns) that the account joins: the stocks given without those who
        died and the newborn, made equal in their rows.
    deaths_persons
        Deaths by birthplace and residence; births are of persons born where they live.
    births_persons
        Births by place.
    from_outside_persons, to_outside_persons
        With ``balance="open"`` moves from and to places outside, by birthplace and residence; else 0.
    discrepancy_persons
        By birthplace: persons at the end, newborn left out, less those of the start who did not die. Above 0 more were
        found than there were.
    discrepancy_pct
        Their sum without sign, as a share of the mean stock.
    balance
        What was done about it.
    iterations, converged, largest_relative_error
        Of the fit of the moves; the error is that of the departures and arrivals of each birthplace.
    leaving_factors, arriving_factors, seed
        Birthplace k's moves from i to j are leaving_factors[k, i] seed[i, j] arriving_factors[k, j].
    """

    flows_persons: Floats
    stayers_persons: Floats
    stock_start_persons: Floats
    stock_end_persons: Floats
    deaths_persons: Floats
    births_persons: Floats
    from_outside_persons: Floats
    to_outside_persons: Floats
    discrepancy_persons: Floats
    discrepancy_pct: float
    balance: Balance
    iterations: int
    converged: bool
    largest_relative_error: float
    leaving_factors: Floats
    arriving_factors: Floats
    seed: Floats

    @property
    def net_persons(self) -> Floats:
        """Return arrivals less departures by place, moves from and to outside left out."""
        return np.asarray(self.flows_persons.sum(axis=0) - self.flows_persons.sum(axis=1))

    def of_birthplace(self, place: int) -> Floats:
        """Return one birthplace's persons by residence at the start (rows) and at the end; stayers on the diagonal."""
        leaving, arriving = self.leaving_factors[place], self.arriving_factors[place]
        table: Floats = leaving[:, np.newaxis] * self.seed * arriving
        np.fill_diagonal(table, np.minimum(self.stock_start_persons[place], self.stock_end_persons[place]))
        return table


def flows_from_stocks(
    stock_start: Any,
    stock_end: Any,
    *,
    births: Any = None,
    deaths: Any = None,
    seed: Any = None,
    balance: Balance = "closed",
    discrepancy_limit_pct: float = DISCREPANCY_LIMIT_PCT,
    places: Sequence[object] | None = None,
    tolerance: float = DEFAULT_TOLERANCE,
    maximum_iterations: int = DEFAULT_MAXIMUM_ITERATIONS,
) -> StockFlows:
    """Estimate the moves between two stock tables of birthplace by residence: a minimum-flow demographic account.

    Of each birthplace as many persons as can be are taken to have stayed: in a place the lesser of the two stocks. All
    others moved, from places that lost to places that gained, in the proportions of the seed (quasi-independence with
    the diagonal fixed). No account with these stocks has fewer moves. Before that, deaths are taken off the first
    table in proportion to its persons in that place, births off the second where birthplace and residence are one, and
    the birthplaces' totals are made equal. Abel 2013, Demographic Research 28(18), 505-546, doi
    10.4054/DemRes.2013.28.18; Abel & Sander 2014, Science 343(6178), 1520-1522, doi 10.1126/science.1248676.

    A table of previous residence by residence serves as well: who counts as what does not change between the days.

    Parameters
    ----------
    stock_start, stock_end
        Persons by birthplace (rows) and residence (columns) on the two days: square, the places in the same order.
    births, deaths
        Persons by place between the two days; nobody if not given.
    seed
        Weights by origin and destination, above 0 off the diagonal, such as an inverse distance; all equal if none.
    balance
        What is done where birthplaces' totals differ. ``closed``: both tables are scaled to their mean total, then each
        table's birthplace totals to the mean of the two, its residence totals kept, so that arrivals less
        departures stay what stocks, births and deaths say (Abel & Sander 2014). ``open``: persons too few at the end
        left for outside, in the proportions of the start; persons too many came from there, in those of the end (Abel
        2013).
    discrepancy_limit_pct
        Largest discrepancy, as a share of the mean stock, that is balanced; above it nothing is estimated.
    places
        Names of the places, for messages.
    tolerance, maximum_iterations
        Of the fits, as in `dtm.fitting.fit_margins`.

    Returns
    -------
    StockFlows

    Raises
    ------
    WrongUseError
        Tables that aren't square or don't have the same places.
    BadInputError
        A negative or missing number, more deaths than persons, more births than persons born there: place named.
    StocksDisagreeError
        The discrepancy is above the limit; the persons and the birthplaces with most of it are named.
    """
    start, end = _table(stock_start, "first stock"), _table(stock_end, "second stock")
    n = start.shape[0]
    if start.shape != end.shape or (places is not None and len(places) != n):
        raise WrongUseError(f"The stocks are {start.shape} and {end.shape}: give the same places, and a name for each.")
    names = [f"'{place}'" for place in places] if places is not None else [str(place) for place in range(n)]
    weights = _weights(seed, n)
    born, died = _events(births, n, "births", names), _events(deaths, n, "deaths", names)
    deaths_of = _deaths_by_birthplace(start, died, names)
    start, end = start - deaths_of, _without_newborn(end, born, names)
    lack = end.sum(axis=1) - start.sum(axis=1)
    pct = _discrepancy_pct(lack, start, end)
    if pct > discrepancy_limit_pct:
        raise StocksDisagreeError(_discrepancy_words(lack, pct, discrepancy_limit_pct, names))
    outside_in = outside_out = np.zeros_like(start)
    if balance == "open":
        outside_in, outside_out = _spread(end, np.maximum(lack, 0)), _spread(start, np.maximum(-lack, 0))
        start, end = start - outside_out, end - outside_in
    else:
        start, end = _closed(start, end, fit={"tolerance": tolerance, "maximum_iterations": maximum_iterations})
    stay, departures, arrivals = _moving(start, end)
    moved = _Moves.fit(departures, arrivals, weights, tolerance=tolerance, maximum_iterations=maximum_iterations)
    flows = weights * (moved.leaving.T @ moved.arriving)
    return StockFlows(
        flows_persons=flows,
        stayers_persons=stay.sum(axis=0),
        stock_start_persons=stay + departures,
        stock_end_persons=stay + arrivals,
        deaths_persons=deaths_of,
        births_persons=born,
        from_outside_persons=outside_in,
        to_outside_persons=outside_out,
        discrepancy_persons=lack,
        discrepancy_pct=pct,
        balance=balance,
        iterations=moved.iterations,
        converged=moved.error <= tolerance,
        largest_relative_error=moved.error,
        leaving_factors=moved.leaving,
        arriving_factors=moved.arriving,
        seed=weights,
    )


@dataclass(frozen=True)
class _Moves:
    """Balancing factors of the moves of all birthplaces: leaving[k, i] seed[i, j] arriving[k, j] persons."""

    leaving: Floats
    arriving: Floats
    iterations: int
    error: float

    @classmethod
    def fit(
        cls, departures: Floats, arrivals: Floats, seed: Floats, *, tolerance: float, maximum_iterations: int
    ) -> _Moves:
        """Fit all birthplaces at once: their tables share the seed, so a sweep is two matrix products.

        No place both loses and gains persons of one birthplace, so the diagonal stays empty by itself.
        """
        arriving = (arrivals > 0).astype(np.float64)
        leaving, error, done = np.zeros_like(departures), 0.0, 0
        for done in range(1, maximum_iterations + 1):
            offered = arriving @ seed.T
            error = _largest_error(leaving * offered, departures)
            if done > 1 and error <= tolerance:
                break
            leaving = np.divide(departures, offered, out=np.zeros_like(departures), where=departures > 0)
            drawn = leaving @ seed
            arriving = np.divide(arrivals, drawn, out=np.zeros_like(arrivals), where=arrivals > 0)
        error = max(
            _largest_error(leaving * (arriving @ seed.T), departures), _largest_error(arriving * drawn, arrivals)
        )
        return cls(leaving, arriving, done, error)


def _largest_error(found: Floats, wanted: Floats) -> float:
    there = wanted > 0
    return float(np.max(np.abs(found[there] / wanted[there] - 1), initial=0.0))


def _table(given: Any, called: str) -> Floats:
    table = np.array(given, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1]:  # noqa: PLR2004
        raise WrongUseError(f"The {called} table has the shape {table.shape}: give birthplaces x the same places.")
    bad = np.argwhere(~(np.isfinite(table) & (table >= 0)))
    if bad.size:
        row, column = bad[0]
        raise BadInputError(
            f"The {called} table has {table[row, column]:g} in row {row}, column {column}: give a number of persons."
        )
    return table


def _weights(seed: Any, n: int) -> Floats:
    weights = np.ones((n, n)) if seed is None else np.array(seed, dtype=np.float64)
    if weights.shape != (n, n):
        raise WrongUseError(f"The seed has the shape {weights.shape}, the stocks ask for {(n, n)}.")
    np.fill_diagonal(weights, 0)
    if not (np.isfinite(weights) & ((weights > 0) | np.eye(n, dtype=bool))).all():
        raise BadInputError(
            "The seed must be above 0 everywhere off the diagonal: any two places may exchange persons."
        )
    return weights


def _events(given: Any, n: int, called: str, names: Sequence[str]) -> Floats:
    events = np.zeros(n) if given is None else np.array(given, dtype=np.float64)
    if events.shape != (n,):
        raise WrongUseError(f"The {called} have the shape {events.shape}: give one number for each of {n} places.")
    bad = np.flatnonzero(~(np.isfinite(events) & (events >= 0)))
    if bad.size:
        raise BadInputError(f"The {called} of place {names[bad[0]]} are {events[bad[0]]:g}: give a number of persons.")
    return events


def _deaths_by_birthplace(start: Floats, deaths: Floats, names: Sequence[str]) -> Floats:
    living = start.sum(axis=0)
    bad = np.flatnonzero(deaths > living)
    if bad.size:
        place = bad[0]
        raise BadInputError(
            f"Place {names[place]} has {amount(deaths[place])} deaths of {amount(living[place])} persons. Correct one."
        )
    return np.asarray(start * np.divide(deaths, living, out=np.zeros_like(deaths), where=living > 0))


def _without_newborn(end: Floats, births: Floats, names: Sequence[str]) -> Floats:
    natives = np.diag(end)
    bad = np.flatnonzero(births > natives)
    if bad.size:
        place = bad[0]
        raise BadInputError(
            f"Place {names[place]} has {amount(births[place])} births, but only {amount(natives[place])} persons who "
            f"were born there live there at the end. Correct one."
        )
    return end - np.diag(births)


def _discrepancy_pct(lack: Floats, start: Floats, end: Floats) -> float:
    mean = (start.sum() + end.sum()) / 2
    return float(100 * np.abs(lack).sum() / mean) if mean > 0 else 0.0


def _discrepancy_words(lack: Floats, pct: float, limit_pct: float, names: Sequence[str]) -> str:
    most = np.argsort(-np.abs(lack), kind="stable")[:NAMES_SHOWN]
    told = ", ".join(f"{names[place]} {lack[place]:+,.1f}" for place in most if lack[place])
    return (
        f"The stocks disagree with births and deaths by {amount(float(np.abs(lack).sum()))} persons, {pct:.2f} % of "
        f"the mean stock; the limit is {limit_pct:g} %. Persons too many (+) or too few (-) at the end, by birthplace: "
        f"{told}. Correct the tables, or give a higher limit and say so with the flows."
    )


def _spread(table: Floats, persons: Floats) -> Floats:
    """Return persons by birthplace spread over residences in the proportions of a table."""
    totals = table.sum(axis=1)
    shares = np.divide(persons, totals, out=np.zeros_like(totals), where=totals > 0)
    return np.asarray(table * shares[:, np.newaxis])


def _closed(start: Floats, end: Floats, *, fit: dict[str, Any]) -> tuple[Floats, Floats]:
    """Return both tables with the mean of their birthplace totals, the residence totals scaled to one sum only."""
    mean = (start.sum() + end.sum()) / 2
    if not mean or np.array_equal(start.sum(axis=1), end.sum(axis=1)):
        return start, end
    scaled = [table * (mean / table.sum()) if table.sum() else table for table in (start, end)]
    rows = (scaled[0].sum(axis=1) + scaled[1].sum(axis=1)) / 2
    try:
        first, second = (
            np.asarray(fit_margins(table, rows, table.sum(axis=0), **fit).fitted_persons) for table in scaled
        )
    except InfeasibleMarginsError as error:
        raise InfeasibleMarginsError(
            f"The birthplaces' totals can't be made equal while the residences' totals stay. {error} "
            f"Or balance the account as an open one."
        ) from error
    return first, second


def _moving(start: Floats, end: Floats) -> tuple[Floats, Floats, Floats]:
    """Return stayers, departures and arrivals, where every birthplace has as many departures as arrivals.

    What balancing leaves of rounding is no move; arrivals take the departures' total.
    """
    noise = ROUNDING_SHARE * start.sum(axis=1, keepdims=True)
    stay = np.minimum(start, end)
    departures, arrivals = (np.where(table - stay > noise, table - stay, 0.0) for table in (start, end))
    gone, come = departures.sum(axis=1), arrivals.sum(axis=1)
    nobody = (gone == 0) | (come == 0)
    departures[nobody] = arrivals[nobody] = 0
    arrivals *= np.divide(gone, come, out=np.ones_like(gone), where=~nobody)[:, np.newaxis]
    return stay, departures, arrivals

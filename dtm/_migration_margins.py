"""Compute what the arrivals and departures of areas tell of their migration, whether or not the pairs are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dtm.errors import WrongUseError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DAYS_PER_YEAR = 365.25
"""Length of a year for rates."""
PERCENT, PER_1000 = 100.0, 1000.0


@dataclass(frozen=True, kw_only=True)
class Margins:
    """Arrivals and departures of n areas in one period: all that is known where nobody tells the pairs.

    Attributes
    ----------
    period
        What the table calls the period; None where it has none.
    areas
        Codes of the areas, sorted.
    arrived_persons, left_persons
        D and O of each area: moves from and to the other areas of the system.
    population_persons
        People at risk, an entry an area, NaN where nobody told; None without a population.
    """

    period: str | None
    areas: pd.Index
    arrived_persons: Floats
    left_persons: Floats
    population_persons: Floats | None = None

    @property
    def n(self) -> int:
        """Return the number of areas."""
        return len(self.areas)

    @property
    def movers_persons(self) -> float:
        """Return M, half of all arrivals and departures: the moves, where every departure is somebody's arrival."""
        return float(self.arrived_persons.sum() + self.left_persons.sum()) / 2

    @property
    def balance_persons(self) -> float:
        """Return arrivals less departures of all areas: 0 in a closed system with complete data."""
        return float(self.arrived_persons.sum() - self.left_persons.sum())

    @property
    def people(self) -> Floats:
        """Return the people at risk of each area, NaN throughout without a population."""
        return np.full(self.n, np.nan) if self.population_persons is None else self.population_persons


def put_index(
    found: dict[str, float], notes: dict[str, str], name: str, value: Callable[[], float], why: str | None
) -> None:
    """Set an index, or NaN and the reason why there is none."""
    found[name] = float("nan") if why else value()
    if why:
        notes[name] = why


def divided(numerator: Floats, denominator: Floats) -> Floats:
    """Divide; NaN where the denominator is 0 or not known."""
    quotient = np.full(len(numerator), np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient


def unknown_population(margins: Margins) -> str | None:
    """Return why there is no rate of the system, as a code of `dtm.measures.NOTES`; None where there is."""
    if margins.population_persons is None:
        return "no_population"
    total = float(margins.population_persons.sum())
    return "population_missing" if np.isnan(total) else None if total else "zero_denominator"


def margin_indices(margins: Margins) -> tuple[dict[str, float], dict[str, str]]:
    """Return the indices of a system that need no pairs; `dtm.migration_indices.system_indices` has the formulas.

    CMI, MEI and ANMR: Bell et al. 2002, doi 10.1111/1467-985X.00247. k: Courgeau 1973, doi 10.2307/1530972.
    Where arrivals and departures don't balance (`Margins.balance_persons`), MEI and ANMR count the difference as
    redistribution: the formula is what it is, and part of |D - O| is incomplete registration.
    """
    found: dict[str, float] = {"n_areas": margins.n, "movers": margins.movers_persons}
    notes: dict[str, str] = {}
    moves, total = margins.movers_persons, float(margins.people.sum())
    turnover = float(np.abs(margins.arrived_persons - margins.left_persons).sum())
    unknown = unknown_population(margins)
    alone = "one_area" if margins.n < 2 else None  # noqa: PLR2004  ln 1 = 0
    put_index(found, notes, "population", lambda: total, None if unknown == "zero_denominator" else unknown)
    put_index(found, notes, "crude_migration_intensity_pct", lambda: PERCENT * moves / total, unknown)
    put_index(found, notes, "courgeau_k", lambda: PERCENT * moves / total / np.log(margins.n**2), unknown or alone)
    nobody = None if moves else "nobody_moved"
    put_index(found, notes, "effectiveness_mei", lambda: PERCENT * turnover / (2 * moves), nobody)
    put_index(found, notes, "anmr_pct", lambda: PERCENT * turnover / 2 / total, unknown)
    return found, notes


def area_rates(margins: Margins, *, days: float = DAYS_PER_YEAR) -> dict[str, Floats]:
    """Return counts, effectiveness and rates of each area; `dtm.migration_indices.area_indicators` has the formulas.

    Rates are per person-year: the people of the middle of the period times its length (Shryock & Siegel 1976, The
    Methods and Materials of Demography; Preston, Heuveline & Guillot 2001, Demography, ch. 1).

    Raises
    ------
    WrongUseError
        The period has no days.
    """
    if not days > 0:
        raise WrongUseError(f"A period of {days} days has no rate; give the days the moves were counted in.")
    came, left = margins.arrived_persons, margins.left_persons
    counts = {"in": came, "out": left, "net": came - left, "gross": came + left}
    told = {f"{name}_persons": count for name, count in counts.items()}
    told["effectiveness"] = PERCENT * divided(counts["net"], counts["gross"])
    for name, count in counts.items():
        told[f"{name}_per_1000"] = PER_1000 * divided(count, margins.people) * DAYS_PER_YEAR / days
    return told

"""Compute the indices of systems of migration, and of their areas and pairs, from tables of moves of any size."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dtm._migration_focus import Focus, inequality_from_equal, inequality_from_independence
from dtm._migration_margins import (
    DAYS_PER_YEAR,
    PERCENT,
    Margins,
    area_rates,
    divided,
    margin_indices,
    put_index,
    unknown_population,
)
from dtm._migration_system import System, build_margins, build_systems
from dtm.gravity import fit_gravity

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = [
    "DAYS_PER_YEAR",
    "PERCENT",
    "Margins",
    "System",
    "area_indicators",
    "build_margins",
    "build_systems",
    "pair_indices",
    "system_indices",
]

_Told = tuple[dict[str, float], dict[str, str]]
_FIELD_AREAS = 3
"""Areas below which nobody has a choice of origins or destinations."""


def system_indices(system: System | Margins, *, with_decay: bool = True) -> tuple[dict[str, float], dict[str, str]]:
    """Return the indices of a system of areas as a whole.

    Of margins alone there are those down to `anmr_pct`; all others need the pairs. Moves inside an area, and those
    with an end abroad or unknown, have no part in any of them. M is all moves, O and D the departures and arrivals of
    an area, P its people, n the number of areas, m_ij the moves from i to j.

    - `movers` M; `population` P, over all areas; `n_areas` n.
    - `crude_migration_intensity_pct` 100 M / P, of the period itself, not annualised: intervals of different length
      are not comparable (Bell et al. 2002, JRSS A 165(3), doi 10.1111/1467-985X.00247).
    - `courgeau_k` CMI / ln n^2 (Courgeau 1973, Population 28(1), doi 10.2307/1530972), as migest has it.
    - `effectiveness_mei` 100 sum |D - O| / sum (D + O); `anmr_pct` 100 (1/2) sum |D - O| / P = CMI x MEI / 100
      (Bell et al. 2002).
    - `connectivity` share of the n (n - 1) pairs with moves; `inequality` (1/2) sum |m_ij / M - 1 / (n (n - 1))|;
      `inequality_independence` the same against the Poisson fit `moves ~ origin + destination` (Bell et al. 2002;
      migest's `inequality_sim`).
    - `gini_total` over the n (n - 1) cells, corrected so that all moves in one cell give 1 (Bell et al. 2002, migest's
      default); `gini_total_uncorrected` as Plane & Mulligan 1997 have it (Demography 34(2)); `gini_rows`,
      `gini_columns`, `gini_exchange` their parts.
    - `gini_in`, `gini_out` means of the areas' field indices G_j (see `area_indicators`), weighted by the arrivals or
      departures: the migration-weighted Gini of Bell et al. 2002 without its division by n, so that 1 can be reached.
    - `mwg_orig`, `mwg_dest` the same as migest prints them: the destinations' index weighted by arrivals, the origins'
      by departures, divided by n.
    - `acv_in`, `acv_out` means of the coefficients of variation of the areas' origins and destinations, weighted the
      same way (Rogers & Sweeney 1998, Professional Geographer 50(2)).
    - `mean_distance_km`, `median_distance_km` over the moves whose distance is known; the median is the least
      distance that half of them don't exceed. `distance_decay` see `dtm.gravity.fit_gravity`.
    - `preference`, `velocity` sums of `pair_indices`, as migest's `index_impact` gives them.

    Parameters
    ----------
    system
        See `build_systems`; or `build_margins` for a table without pairs.
    with_decay
        Whether to fit the gravity model, which takes more time than all the rest.

    Returns
    -------
    dict of str to float
        The indices by name; NaN where one is not defined.
    dict of str to str
        For each that is NaN the reason, and for others what to know about them: codes of `dtm.measures.NOTES`.
    """
    if isinstance(system, Margins):
        return margin_indices(system)
    found, notes = margin_indices(system.margins)
    parts: list[Callable[..., None]] = [_attraction, _spread, partial(_distance, with_decay=with_decay)]
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        told: list[_Told] = [({}, {}) for _ in parts]
        for job in [pool.submit(part, system, *own) for part, own in zip(parts, told, strict=True)]:
            job.result()
    for values, reasons in told:
        found |= values
        notes |= reasons
    return found, notes


def _attraction(system: System, found: dict[str, float], notes: dict[str, str]) -> None:
    """Add the sums of the pairs' preference and velocity."""
    why = unknown_population(system.margins) or (None if system.movers_persons else "nobody_moved")
    preference, velocity = _pair_values(system) if why is None else (np.zeros(0), np.zeros(0))
    why = why or ("zero_denominator" if np.isinf(velocity).any() else None)
    put_index(found, notes, "preference", lambda: float(preference.sum()), why)
    put_index(found, notes, "velocity", lambda: float(velocity.sum()), why)


def _spread(system: System, found: dict[str, float], notes: dict[str, str]) -> None:
    n, moves = system.n, system.movers_persons
    cells = n * (n - 1)
    alone = None if cells else "one_area"
    nobody = alone or (None if moves else "nobody_moved")
    small = nobody or (None if n >= _FIELD_AREAS else "two_areas")
    moved = int((system.persons > 0).sum())
    put_index(found, notes, "connectivity", lambda: moved / cells, alone)
    put_index(found, notes, "inequality", lambda: inequality_from_equal(system), nobody)
    put_index(found, notes, "inequality_independence", lambda: inequality_from_independence(system), nobody)
    focus = system.focus if not nobody else None
    if focus is None:
        focus = Focus(all_pairs=0.0, rows=np.zeros(n), columns=np.zeros(n), exchange=0.0)
    whole, field = 2.0 * cells * moves, 2.0 * (n - 2) * moves
    put_index(found, notes, "gini_total", lambda: focus.all_pairs / (2.0 * (cells - 1) * moves), nobody)
    put_index(found, notes, "gini_total_uncorrected", lambda: focus.all_pairs / whole, nobody)
    put_index(found, notes, "gini_rows", lambda: float(focus.rows.sum()) / whole, nobody)
    put_index(found, notes, "gini_columns", lambda: float(focus.columns.sum()) / whole, nobody)
    put_index(found, notes, "gini_exchange", lambda: focus.exchange / whole, nobody)
    put_index(found, notes, "gini_in", lambda: float(focus.columns.sum()) / field, small)
    put_index(found, notes, "gini_out", lambda: float(focus.rows.sum()) / field, small)
    out, came = system.by_origin(system.persons), system.by_destination(system.persons)
    for name, gaps, own, other in (("mwg_orig", focus.rows, out, came), ("mwg_dest", focus.columns, came, out)):
        fields = divided(gaps, 2.0 * (n - 2) * own) * other
        put_index(found, notes, name, lambda fields=fields: float(np.nansum(fields)) / (moves * n), small)  # type: ignore[misc]
    for name, sums in (("acv_in", system.by_destination), ("acv_out", system.by_origin)):
        put_index(found, notes, name, lambda sums=sums: _variation(system, sums), nobody)  # type: ignore[misc]


def _variation(system: System, sums: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> float:
    """Return the mean coefficient of variation: an area's is sqrt((n - 1) sum (m / D)^2 - 1), its weight D / M."""
    total, squares = sums(system.persons), sums(system.persons**2)
    spread = np.sqrt(np.clip((system.n - 1) * squares - total**2, 0, None))
    return float(spread.sum()) / system.movers_persons


def _distance(system: System, found: dict[str, float], notes: dict[str, str], *, with_decay: bool) -> None:
    far = system.distance_km
    told = np.isfinite(far) if far is not None else np.zeros(0, dtype=bool)
    none = None if told.any() else "no_distances"
    weights, lengths = (system.persons[told], far[told]) if far is not None else (told, told)
    nobody = none or (None if weights.sum() else "nobody_moved")
    put_index(found, notes, "mean_distance_km", lambda: float(np.average(lengths, weights=weights)), nobody)
    put_index(found, notes, "median_distance_km", lambda: weighted_median(lengths, weights), nobody)
    if told.any() and not told.all() and (system.persons[~told] > 0).any():
        for name in ("mean_distance_km", "median_distance_km"):
            notes.setdefault(name, "distances_incomplete")
    if not with_decay:
        return
    if far is None or nobody:
        put_index(found, notes, "distance_decay", float, nobody or "no_distances")
        return
    fit = fit_gravity(system.origin, system.destination, system.persons, far)
    put_index(found, notes, "distance_decay", lambda: fit.decay, fit.reason)
    usable = int((told & (far > 0)).sum())
    if usable < system.n * (system.n - 1):
        notes.setdefault("distance_decay", f"pairs_without_distance:{system.n * (system.n - 1) - usable}")


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the least value that values with at least half of all weight don't exceed; no value lies between two.

    The lower weighted median (Cormen, Leiserson, Rivest & Stein 2009, Introduction to Algorithms, problem 9-2).
    """
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])


def area_indicators(system: System | Margins, *, days: float = DAYS_PER_YEAR) -> pd.DataFrame:
    """Return the indicators of each area of a system.

    Parameters
    ----------
    system
        See `build_systems`; or `build_margins` for a table without pairs, which gives the columns up to `population`.
    days
        Length of the period; rates are a year's: x 365.25 / days.

    Returns
    -------
    pandas.DataFrame
        A row an area: `area`; `in_persons` D, `out_persons` O, `net_persons` D - O, `gross_persons` D + O;
        `effectiveness` 100 (D - O) / (D + O); `in_per_1000`, `out_per_1000`, `net_per_1000`, `gross_per_1000`
        (1000 D / P and so on, a year); `population`; `inside_persons`, moves that never left the area;
        `gini_in`, `gini_out` the field Gini of its origins and destinations, sum |m_ij - m_kj| / (2 (n - 2) D_j)
        (Plane & Mulligan 1997; Bell et al. 2002); `herfindahl_in`, `herfindahl_out` sum of squared shares of its
        origins and destinations (Hirschman 1964, American Economic Review 54). NaN where nobody moved, where the
        population is 0 or not known, and for the Gini with fewer than three areas.
    """
    margins = system if isinstance(system, Margins) else system.margins
    table: dict[str, object] = {"area": margins.areas, **area_rates(margins, days=days), "population": margins.people}
    if isinstance(system, Margins):
        return pd.DataFrame(table)
    arrived, left = margins.arrived_persons, margins.left_persons
    table["inside_persons"] = system.inside_persons
    has_field = system.n >= _FIELD_AREAS and system.movers_persons > 0
    focus = system.focus if has_field else None
    nothing = np.full(system.n, np.nan)
    for name, sums, total in (
        ("in", focus.columns if focus else nothing, arrived),
        ("out", focus.rows if focus else nothing, left),
    ):
        table[f"gini_{name}"] = divided(sums, 2.0 * (system.n - 2) * total)
    table["herfindahl_in"] = divided(system.by_destination(system.persons**2), arrived**2)
    table["herfindahl_out"] = divided(system.by_origin(system.persons**2), left**2)
    return pd.DataFrame(table)


def pair_indices(system: System) -> pd.DataFrame:
    """Return how strong the moves of each pair are against what people, or people and mobility, would make them.

    Parameters
    ----------
    system
        With a population.

    Returns
    -------
    pandas.DataFrame
        A row a pair with moves: `origin`, `destination`, `persons`; `preference` m_ij / (M p_i p_j), p the areas'
        shares of all people (Bachi 1957; Shryock & Siegel 1976); `velocity` m_ij P / (P_i P_j) (Bogue, Shryock &
        Hoermann 1957), both as in UN DESA 1970, Manual VI, and migest. 1 of preference is a flow as large as the
        people of both ends make it. NaN without people.
    """
    moved = system.persons > 0
    preference, velocity = _pair_values(system)
    return pd.DataFrame(
        {
            "origin": system.areas[system.origin[moved]],
            "destination": system.areas[system.destination[moved]],
            "persons": system.persons[moved],
            "preference": np.where(np.isfinite(preference), preference, np.nan),
            "velocity": np.where(np.isfinite(velocity), velocity, np.nan),
        }
    )


def _pair_values(system: System) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    people = system.margins.people
    moved = system.persons > 0
    total = people.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        velocity = system.persons[moved] / people[system.origin[moved]] / people[system.destination[moved]] * total
    return velocity * (total / system.movers_persons if system.movers_persons else 0.0), velocity

"""Bring a table of moves into the canonical form of a system of areas: coded, summed, without the diagonal."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from dtm._migration_focus import Focus, measure_focus
from dtm._migration_margins import Margins
from dtm.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

ABROAD, UNKNOWN = "abroad", "unknown"
"""Codes that are no area: moves over the border, and ends nobody told."""
_SAME_DISTANCE = 1e-6
"""Two distances told for one pair may differ by this share."""
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class System:
    """Moves between n areas in one period, a row a pair of different areas, sorted, each pair once.

    Attributes
    ----------
    period
        What the table calls the period; None where it has none.
    areas
        Codes of the areas, sorted: ends of a move or areas with a population, without `abroad` and `unknown`.
    origin, destination
        Places of a pair's ends in `areas`.
    persons
        Moves of the pair, 0 or more.
    distance_km
        Kilometres between the ends; NaN where it is not known, None where the table has no distances.
    population_persons
        People at risk, an entry an area, NaN where nobody told; None without a population.
    inside_persons
        Moves that end in the area they began in, an entry an area: kept out of every figure of migration.
    abroad_persons, unknown_persons
        Moves with an end abroad; with an end nobody told and none abroad. No part of the system either.
    """

    period: str | None
    areas: pd.Index
    origin: NDArray[np.int64]
    destination: NDArray[np.int64]
    persons: NDArray[np.float64]
    distance_km: NDArray[np.float64] | None = None
    population_persons: NDArray[np.float64] | None = None
    inside_persons: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    abroad_persons: float = 0.0
    unknown_persons: float = 0.0

    @property
    def n(self) -> int:
        """Return the number of areas."""
        return len(self.areas)

    @property
    def movers_persons(self) -> float:
        """Return M, all moves between areas."""
        return float(self.persons.sum())

    def by_origin(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sums of a figure of the pairs for each origin."""
        return _sums(self.origin, weights, self.n)

    def by_destination(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sums of a figure of the pairs for each destination."""
        return _sums(self.destination, weights, self.n)

    @cached_property
    def margins(self) -> Margins:
        """Return the arrivals and departures of each area."""
        return Margins(
            period=self.period,
            areas=self.areas,
            arrived_persons=self.by_destination(self.persons),
            left_persons=self.by_origin(self.persons),
            population_persons=self.population_persons,
        )

    @cached_property
    def focus(self) -> Focus:
        """Return the sums behind the Gini indices, computed once."""
        return measure_focus(self)

    def matrix(self) -> sparse.csr_array:
        """Return the moves as a sparse n x n matrix, rows are origins."""
        starts = np.concatenate([[0], np.cumsum(np.bincount(self.origin, minlength=self.n))])
        return sparse.csr_array((self.persons, self.destination, starts), shape=(self.n, self.n))


def _sums(place: NDArray[np.int64], weights: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    return np.asarray(np.bincount(place, weights=weights, minlength=n), dtype="float64")


def build_systems(flows: pd.DataFrame, population: pd.DataFrame | None = None) -> list[System]:
    """Return the system of each period, in the order of the periods' names.

    Rows of one pair and period are summed: a table by sex or age is the same system as its totals. A period's areas
    are its own: those its moves or its population name.

    Parameters
    ----------
    flows
        `origin`, `destination` (codes), `persons`, and where there are such `period` and `distance_km`. A row with 0
        persons is a pair nobody moved between; pairs without a row are so too.
    population
        `area`, `persons` at risk and, where it differs, `period`. Areas without moves belong to the system as well.

    Returns
    -------
    list of System
        None without rows of moves.

    Raises
    ------
    BadInputError
        A column is missing; persons are missing, not finite or below 0; a pair is told with two distances; an area
        has two populations; a period has moves and no population.
    """
    _check(flows, ("origin", "destination", "persons"), "the moves")
    if flows.empty:
        return []
    persons = _persons(flows["persons"], "the moves")
    codes, names = _codes(flows["origin"], flows["destination"])
    period_code, period_names = _periods(flows)
    lookup = _population(population, period_names)
    names, place = _places(names)
    ends = [place[code] for code in codes]
    distance = flows["distance_km"].to_numpy(dtype="float64") if "distance_km" in flows else None
    order = np.argsort(period_code, kind="stable") if len(period_names) > 1 else slice(None)
    bounds = np.searchsorted(period_code[order], np.arange(len(period_names) + 1))
    origin, destination, persons = ends[0][order], ends[1][order], persons[order]
    distance = None if distance is None else distance[order]
    systems = []
    for name, start, stop in zip(period_names, bounds[:-1], bounds[1:], strict=True):
        part = slice(start, stop)
        far = None if distance is None else distance[part]
        people = None if lookup is None else lookup(name)
        systems.append(_one(name, names, origin[part], destination[part], persons[part], far, people))
    return systems


def build_margins(margins: pd.DataFrame, population: pd.DataFrame | None = None) -> list[Margins]:
    """Return arrivals and departures of each period, in the order of the periods' names, from a table without pairs.

    Parameters
    ----------
    margins
        `area`, `in_persons`, `out_persons`, and where there is one `period`; a row an area (and period).
    population
        As for `build_systems`.

    Raises
    ------
    BadInputError
        A column is missing; persons are missing, not finite or below 0; an area stands twice in a period; a period has
        moves and no population, or the population names an area that has no arrivals and departures.
    """
    counts = ("in_persons", "out_persons")
    _check(margins, ("area", *counts), "the arrivals and departures")
    if margins.empty:
        return []
    arrived, left = (_persons(margins[name], f"the column {name}") for name in counts)
    (area,), names = _codes(margins["area"])
    period_code, period_names = _periods(margins)
    lookup = _population(population, period_names)
    systems = []
    for number, name in enumerate(period_names):
        own = np.flatnonzero(period_code == number)
        order = own[np.argsort(names[area[own]], kind="stable")]
        areas = names[area[order]]
        people = None if lookup is None else lookup(name)
        wrong = (
            areas[areas.duplicated()]
            if people is None
            else areas[areas.duplicated()].append(people.index.difference(areas))
        )
        if len(wrong):
            raise BadInputError(
                f"the area {wrong[0]} needs one row of arrivals and departures a period, not none or two."
            )
        persons = None if people is None else people.reindex(areas).to_numpy(dtype="float64")
        systems.append(
            Margins(
                period=name,
                areas=areas,
                arrived_persons=arrived[order],
                left_persons=left[order],
                population_persons=persons,
            )
        )
    return systems


def _check(frame: pd.DataFrame, columns: tuple[str, ...], what: str) -> None:
    missing = [name for name in columns if name not in frame]
    if missing:
        there = ", ".join(map(str, frame.columns)) or "none"
        raise BadInputError(f"{what} lack the column {', '.join(missing)}; there are: {there}.")


def _persons(told: pd.Series, what: str) -> NDArray[np.float64]:
    persons = told.to_numpy(dtype="float64", na_value=np.nan)
    bad = ~(np.isfinite(persons) & (persons >= 0))
    if bad.any():
        rows = ", ".join(str(row + 1) for row in np.flatnonzero(bad)[:_SHOWN])
        raise BadInputError(f"{what}: persons are missing, not finite or below 0 in row {rows}. Correct them.")
    return persons


def _codes(*columns: pd.Series) -> tuple[list[NDArray[np.int64]], pd.Index]:
    """Return the codes of the columns as places in one list of names."""
    found, names = [], pd.Index([], dtype="str")
    for column in columns:
        categories = column.astype("category") if column.dtype != "category" else column
        if categories.isna().any():
            row = int(np.argmax(categories.isna())) + 1
            raise BadInputError(f"the moves: {column.name} is missing in row {row}. Fill it in, or write unknown.")
        own = pd.Index(categories.cat.categories).astype("str")
        names = names.append(own.difference(names, sort=False))
        found.append(names.get_indexer(own)[categories.cat.codes.to_numpy()])
    return found, names


def _periods(flows: pd.DataFrame) -> tuple[NDArray[np.int64], Sequence[str | None]]:
    if "period" not in flows:
        return np.zeros(len(flows), dtype="int64"), [None]
    codes, names = pd.factorize(flows["period"], sort=True)
    if (codes < 0).any():
        raise BadInputError(f"the moves: the period is missing in row {int(np.argmax(codes < 0)) + 1}. Fill it in.")
    told = [str(name) for name in names]
    if all(name.isdecimal() for name in told):  # years and rounds by their number, not by their letters
        order = sorted(range(len(told)), key=lambda place: (int(told[place]), told[place]))
        return np.argsort(order)[codes].astype("int64"), [told[place] for place in order]
    return codes.astype("int64"), told


def _places(names: pd.Index) -> tuple[pd.Index, NDArray[np.int64]]:
    """Return the names of areas, sorted, and the place of each name among them: -1 abroad, -2 unknown."""
    kind = names.str.casefold()
    areas = names[~kind.isin([ABROAD, UNKNOWN])].sort_values()
    place = areas.get_indexer(names)
    place[kind == ABROAD], place[kind == UNKNOWN] = -1, -2
    return areas, place.astype("int64")


def _population(
    population: pd.DataFrame | None, periods: Sequence[str | None]
) -> Callable[[str | None], pd.Series] | None:
    """Return a function that gives the people of a period, by area."""
    if population is None:
        return None
    _check(population, ("area", "persons"), "the population")
    _persons(population["persons"].dropna(), "the population")
    table = population.assign(area=population["area"].astype("str"), persons=population["persons"].astype("float64"))
    table = table[~table["area"].str.casefold().isin([ABROAD, UNKNOWN])]
    by_period = "period" in table
    if by_period:
        table["period"] = table["period"].astype("str")
        missing = [str(name) for name in periods if name not in set(table["period"])]
        if missing:
            there = ", ".join(sorted(table["period"].unique())[:_SHOWN]) or "none"
            raise BadInputError(
                f"the population has no period {', '.join(missing[:_SHOWN])} that the moves have; it has: {there}."
            )
    twice = table.duplicated([*(["period"] if by_period else []), "area"])
    if twice.any():
        area = table.loc[twice, "area"].iloc[0]
        raise BadInputError(f"the population has the area {area} twice; keep one row an area (and period).")
    if not by_period:
        always = table.set_index("area")["persons"]
        return lambda _period: always
    groups = {str(name): part.set_index("area")["persons"] for name, part in table.groupby("period")}
    return lambda period: groups[str(period)]


def _one(
    period: str | None,
    names: pd.Index,
    origin: NDArray[np.int64],
    destination: NDArray[np.int64],
    persons: NDArray[np.float64],
    distance_km: NDArray[np.float64] | None,
    population: pd.Series | None,
) -> System:
    abroad = (origin == -1) | (destination == -1)
    unknown = ~abroad & ((origin == -2) | (destination == -2))  # noqa: PLR2004  the code of _areas
    area = ~(abroad | unknown)
    inside = area & (origin == destination)
    pair = area & ~inside
    areas, place = _own_areas(names, origin, destination, population)
    origin, destination, n = place[origin], place[destination], len(areas)
    key = origin[pair] * n + destination[pair]
    keys, summed, apart = _summed(key, persons[pair], None if distance_km is None else distance_km[pair])
    if apart is not None and (wrong := apart[1] - apart[0] > _SAME_DISTANCE * np.abs(apart[1])).any():
        o, d = divmod(int(keys[np.argmax(wrong)]), n)
        raise BadInputError(
            f"the pair {areas[o]} to {areas[d]} is told with two distances. Give each pair one, or leave it empty."
        )
    return System(
        period=period,
        areas=areas,
        origin=keys // n if n else keys,
        destination=keys % n if n else keys,
        persons=summed,
        distance_km=None if apart is None else apart[0],
        population_persons=None if population is None else population.reindex(areas).to_numpy(dtype="float64"),
        inside_persons=_sums(origin[inside], persons[inside], n),
        abroad_persons=float(persons[abroad].sum()),
        unknown_persons=float(persons[unknown].sum()),
    )


def _own_areas(
    names: pd.Index, origin: NDArray[np.int64], destination: NDArray[np.int64], population: pd.Series | None
) -> tuple[pd.Index, NDArray[np.int64]]:
    """Return the areas of one period, sorted, and where each name of the table is among them."""
    named = np.zeros(len(names) + 2, dtype=bool)  # two more for abroad and unknown, which stand at -1 and -2
    named[origin] = named[destination] = True
    areas = names[named[:-2]]
    if population is not None:
        areas = areas.union(population.index).sort_values()
    place = np.append(areas.get_indexer(names), [-1, -1])
    return areas, place.astype("int64")


def _summed(
    key: NDArray[np.int64], persons: NDArray[np.float64], distance: NDArray[np.float64] | None
) -> tuple[NDArray[np.int64], NDArray[np.float64], tuple[NDArray[np.float64], NDArray[np.float64]] | None]:
    """Return each key once, sorted, its persons, and the least and largest distance told for it."""
    is_whole = bool((persons == np.floor(persons)).all())  # then their sums are exact in any order
    order = np.argsort(key, kind=None if is_whole else "stable")
    key = key[order]
    first = np.flatnonzero(np.concatenate([np.ones(min(1, len(key)), dtype=bool), key[1:] != key[:-1]]))
    if not len(first):
        return key, persons, None if distance is None else (distance[:0], distance[:0])
    persons = persons[order]
    told = None if distance is None else distance[order]
    if len(first) < len(key):
        persons = np.add.reduceat(persons, first)
    extremes = None if told is None else (np.fmin.reduceat(told, first), np.fmax.reduceat(told, first))
    return key[first], persons, extremes

"""Simulate a population by rounds: who moves where and why, who is born and dies, who is registered."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from enumerations.codelists import codes_of
from enumerations.columns import AGE_BANDS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CITY = "MN11"
ARRIVALS_PER_YEAR_PERSONS = {2023: 32_299, 2024: 31_111, 2025: 32_030}
"""Arrivals in Ulaanbaatar: National Statistics Office, 1212.mn, table DT_NSO_0300_040V1."""
DEPARTURES_PER_YEAR_PERSONS = {2023: 11_201, 2024: 16_820, 2025: 12_996}
"""Departures from Ulaanbaatar: the same table."""
SPRING_SHARE = 0.4
"""Share of a year's moves in the half that ends in spring; made up."""
PERSONS_PER_HOUSEHOLD = 3.67
"""2020 census: 3.674."""
MOVES_INSIDE_CITY_SHARE = 0.014
"""Moves between khesegs per half-year, as a share of the people; made up."""
MOVES_BETWEEN_AIMAGS_SHARE = 0.006
ABROAD_SHARE, UNKNOWN_SHARE = 0.012, 0.015
"""Moves from or to abroad and unknown places, on top of the published ones; made up."""
BIRTHS_PER_HALF_YEAR, DEATHS_PER_HALF_YEAR = 0.0105, 0.0030
"""Made up, near the country's crude rates of the early 2020s."""
EARTH_RADIUS_KM = 6371.0
NEAREST_KM = 150.0
"""Gravity: people over distance; nearer places count as if they were so far away."""

AGE_SHARES = (0.105, 0.205, 0.150, 0.440, 0.100)
MOVER_AGE_SHARES = (0.12, 0.15, 0.31, 0.36, 0.06)
DEATH_AGE_SHARES = (0.04, 0.02, 0.04, 0.35, 0.55)
MALE_SHARE = 0.485
GROUP_SIZES = (0.33, 0.18, 0.17, 0.17, 0.10, 0.05)
"""Shares of groups of 1 to 6 persons."""
SINGLE_IS_HOUSEHOLD_SHARE = 0.45
REASONS = {
    "work": 0.31, "study": 0.16, "family": 0.17, "housing": 0.13, "services": 0.06, "health": 0.05,
    "livestock_loss": 0.04, "disaster": 0.01, "return": 0.04, "other": 0.02, "unknown": 0.01,
}  # fmt: skip
DZUD_ROUND = 3
"""After the winter of 2023/24 more people come because they lost their livestock."""
DZUD_REASONS = {**REASONS, "livestock_loss": 0.17, "disaster": 0.05, "work": 0.22, "study": 0.12, "housing": 0.09}
INSIDE_REASONS = {"housing": 0.44, "family": 0.22, "work": 0.12, "study": 0.08, "services": 0.08, "other": 0.06}
DURATIONS = {"lt_3m": 0.06, "3_12m": 0.16, "gt_12m": 0.20, "permanent": 0.46, "unknown": 0.12}
DWELLINGS = tuple(codes_of("dwelling"))


@dataclass
class Population:
    """State of the units at a round; one row per unit, in the order of `units`."""

    units: pd.DataFrame
    ages: Ints
    male: Ints
    households: Ints
    absent_share: Floats
    unregistered_share: Floats
    births: Ints = field(init=False)
    deaths: Ints = field(init=False)

    def __post_init__(self) -> None:
        """Start without births and deaths."""
        self.births = np.zeros(len(self.units), dtype=np.int64)
        self.deaths = np.zeros(len(self.units), dtype=np.int64)

    @property
    def persons(self) -> Ints:
        """Return the persons really living in each unit."""
        total: Ints = self.ages.sum(axis=1)
        return total


def round_shares(totals: Ints, shares: Floats) -> Ints:
    """Split whole totals by shares so that the parts are whole and add up (largest remainder)."""
    exact = totals[:, None] * shares / shares.sum(axis=1, keepdims=True)
    whole: Ints = np.floor(exact).astype(np.int64)
    rank = np.argsort(np.argsort(-(exact - whole), axis=1, kind="stable"), axis=1, kind="stable")
    whole += rank < (totals - whole.sum(axis=1))[:, None]
    return whole


def found_population(units: pd.DataFrame, *, rng: np.random.Generator) -> Population:
    """Settle the units with the persons they are said to have."""
    count = len(units)
    persons = np.maximum(np.rint(units["persons"].to_numpy()), 15).astype(np.int64)
    ger = units["ger_area_share"].to_numpy()
    mix = np.array(AGE_SHARES) * rng.gamma(60.0, 1 / 60.0, (count, len(AGE_BANDS)))
    ages = round_shares(persons, mix)
    male = np.rint(persons * rng.normal(MALE_SHARE, 0.015, count).clip(0.4, 0.6)).astype(np.int64)
    size = rng.normal(PERSONS_PER_HOUSEHOLD, 0.22, count) * (0.94 + 0.12 * ger)
    households = np.maximum(np.rint(persons / size), 1).astype(np.int64)
    absent = rng.beta(4, 110, count) + 0.01
    unregistered = (0.015 + 0.075 * ger) * rng.gamma(6.0, 1 / 6.0, count)
    return Population(units, ages, male, households, absent, unregistered.clip(0, 0.4))


def _choose(weights: Floats, count: int, *, rng: np.random.Generator) -> Ints:
    chosen: Ints = np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random(count), side="right")
    return chosen.clip(0, len(weights) - 1).astype(np.int64)


def _group_sizes(total: int, *, rng: np.random.Generator) -> Ints:
    """Draw groups of movers that add up to a total exactly."""
    if total <= 0:
        return np.zeros(0, dtype=np.int64)
    sizes = 1 + _choose(np.array(GROUP_SIZES), total, rng=rng)
    count = int(np.searchsorted(np.cumsum(sizes), total)) + 1
    sizes = sizes[:count]
    sizes[-1] -= sizes.sum() - total
    return sizes


def gravity(places: pd.DataFrame, *, origin: str = CITY) -> pd.Series:
    """Return the aimags' shares in moves from and to a place: their people over their distance to it."""
    aimags = places[places["level"] == 1]
    others = aimags[aimags["pcode"] != origin]
    here = aimags[aimags["pcode"] == origin]
    lon0, lat0 = np.radians(here[["lon", "lat"]].to_numpy(dtype=float)[0])
    lon, lat = np.radians(others[["lon", "lat"]].to_numpy(dtype=float)).T
    haversine = np.sin((lat - lat0) / 2) ** 2 + np.cos(lat0) * np.cos(lat) * np.sin((lon - lon0) / 2) ** 2
    distance_km = np.maximum(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(haversine)), NEAREST_KM)
    weight = others["persons"].to_numpy(dtype=float) / distance_km
    return pd.Series(weight / weight.sum(), index=others["pcode"].to_numpy())


@dataclass(frozen=True)
class _Pull:
    """What draws movers: weights of the city's units, of aimags, and the units of each aimag."""

    arrivals: Floats
    departures: Floats
    aimags: pd.Series
    city: Ints
    by_aimag: dict[str, Ints]


def _pull(population: Population, places: pd.DataFrame) -> _Pull:
    prefix = population.units["pcode"].str[:4]
    persons = population.persons.astype(float)
    ger = population.units["ger_area_share"].to_numpy()
    return _Pull(
        arrivals=persons * (0.55 + 0.9 * ger),
        departures=persons,
        aimags=gravity(places),
        city=np.flatnonzero((prefix == CITY).to_numpy()),
        by_aimag={str(code): np.flatnonzero((prefix == code).to_numpy()) for code in prefix.unique() if code != CITY},
    )


def _moves(sizes: Ints, *, start: Ints, end: Ints, start_place: npt.NDArray[np.object_] | None = None,
           end_place: npt.NDArray[np.object_] | None = None) -> pd.DataFrame:  # fmt: skip
    none = np.full(len(sizes), "", dtype=object)
    return pd.DataFrame({
        "persons": sizes, "start": start, "end": end,
        "start_place": none if start_place is None else start_place,
        "end_place": none if end_place is None else end_place,
    })  # fmt: skip


def _across(pull: _Pull, total: int, *, inwards: bool, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the moves over the city's border: from or to aimags, abroad and unknown places on top."""
    extra = round(total * (ABROAD_SHARE + UNKNOWN_SHARE))
    sizes = np.concatenate([_group_sizes(total, rng=rng), _group_sizes(extra, rng=rng)])
    known = int(np.searchsorted(np.cumsum(sizes), total)) + 1 if total else 0
    aimags = pull.aimags.index.to_numpy(dtype=object)[_choose(pull.aimags.to_numpy(), len(sizes), rng=rng)]
    outside = np.full(len(sizes), -1, dtype=np.int64)
    abroad = rng.random(len(sizes)) < ABROAD_SHARE / (ABROAD_SHARE + UNKNOWN_SHARE)
    beyond = np.arange(len(sizes)) >= known
    aimags[beyond] = np.where(abroad[beyond], "abroad", "unknown")
    for code, own in pull.by_aimag.items():
        at = np.flatnonzero(aimags == code)
        outside[at] = own[_choose(pull.departures[own], len(at), rng=rng)]
    weights = (pull.arrivals if inwards else pull.departures)[pull.city]
    inside = pull.city[_choose(weights, len(sizes), rng=rng)]
    if inwards:
        return _moves(sizes, start=outside, end=inside, start_place=aimags)
    return _moves(sizes, start=inside, end=outside, end_place=aimags)


def _inside(pull: _Pull, units: pd.DataFrame, total: int, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the moves between the city's units: more than half of them stay in the district."""
    sizes = _group_sizes(total, rng=rng)
    start = pull.city[_choose(pull.departures[pull.city], len(sizes), rng=rng)]
    end = pull.city[_choose(pull.arrivals[pull.city], len(sizes), rng=rng)]
    district = units["pcode"].str[:6].to_numpy()
    stays = rng.random(len(sizes)) < 0.5  # noqa: PLR2004  half choose inside their district only
    for code in np.unique(district[start]):
        own = pull.city[district[pull.city] == code]
        at = np.flatnonzero(stays & (district[start] == code))
        end[at] = own[_choose(pull.arrivals[own], len(at), rng=rng)]
    frame = _moves(sizes, start=start, end=end)
    return frame[frame["start"] != frame["end"]]


def _between(pull: _Pull, *, rng: np.random.Generator) -> list[pd.DataFrame]:
    """Draw moves between the aimags that have units."""
    frames = []
    for code, own in pull.by_aimag.items():
        others = pull.aimags.drop(index=code)
        sizes = _group_sizes(round(MOVES_BETWEEN_AIMAGS_SHARE * pull.departures[own].sum()), rng=rng)
        target = others.index.to_numpy(dtype=object)[_choose(others.to_numpy(), len(sizes), rng=rng)]
        end = np.full(len(sizes), -1, dtype=np.int64)
        for aimag, there in pull.by_aimag.items():
            at = np.flatnonzero(target == aimag)
            end[at] = there[_choose(pull.departures[there], len(at), rng=rng)]
        frames.append(_moves(sizes, start=own[_choose(pull.departures[own], len(sizes), rng=rng)], end=end))
    return frames


def draw_moves(
    population: Population, places: pd.DataFrame, *, number: int, year: int, scale: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw the half-year's moves: one row per group that moved together.

    `start` and `end` are rows of the units, -1 outside them; then `start_place` or `end_place` says where.
    """
    share = SPRING_SHARE if number % 2 else 1 - SPRING_SHARE
    pull = _pull(population, places)
    inside = round(MOVES_INSIDE_CITY_SHARE * population.persons[pull.city].sum())
    moves = pd.concat(
        [
            _across(pull, round(ARRIVALS_PER_YEAR_PERSONS[year] * share * scale), inwards=True, rng=rng),
            _across(pull, round(DEPARTURES_PER_YEAR_PERSONS[year] * share * scale), inwards=False, rng=rng),
            _inside(pull, population.units, inside, rng=rng),
            *_between(pull, rng=rng),
        ],
        ignore_index=True,
    )
    crosses = ((moves["start_place"] != "") | (moves["end_place"] != "")).to_numpy()
    return _describe(moves, crosses, dzud=number == DZUD_ROUND, rng=rng)


def _describe(
    moves: pd.DataFrame, crosses: npt.NDArray[np.bool_], *, dzud: bool, rng: np.random.Generator
) -> pd.DataFrame:
    """Add households, sex, ages, reason, registration and intended duration to the groups."""
    count = len(moves)
    sizes = moves["persons"].to_numpy()
    alone = (sizes == 1) & (rng.random(count) > SINGLE_IS_HOUSEHOLD_SHARE)
    moves["households"] = np.where(alone, 0, 1)
    moves["male_persons"] = rng.binomial(sizes, MALE_SHARE)
    moves["female_persons"] = sizes - moves["male_persons"]
    ages = rng.multinomial(sizes, MOVER_AGE_SHARES)
    for position, band in enumerate(AGE_BANDS):
        moves[f"age_{band}_persons"] = ages[:, position]
    far, near = (DZUD_REASONS if dzud else REASONS), INSIDE_REASONS
    reasons = np.where(
        crosses,
        np.array(list(far), dtype=object)[_choose(np.array(list(far.values())), count, rng=rng)],
        np.array(list(near), dtype=object)[_choose(np.array(list(near.values())), count, rng=rng)],
    )
    moves["reason"] = reasons
    moves["registered"] = np.where(rng.random(count) < np.where(crosses, 0.72, 0.66), "yes", "no")
    names = np.array(list(DURATIONS), dtype=object)
    moves["intended_duration"] = names[_choose(np.array(list(DURATIONS.values())), count, rng=rng)]
    return moves


def advance(population: Population, moves: pd.DataFrame, *, rng: np.random.Generator) -> None:
    """Carry the population over a half-year: moves, births, deaths, and a recount in a few units."""
    count = len(population.units)
    persons = population.persons
    population.births = rng.poisson(persons * BIRTHS_PER_HALF_YEAR).astype(np.int64)
    population.deaths = rng.poisson(persons * DEATHS_PER_HALF_YEAR).astype(np.int64)
    population.ages[:, 0] += population.births
    population.ages -= rng.multinomial(population.deaths, DEATH_AGE_SHARES)
    population.male += rng.binomial(population.births, 0.512) - rng.binomial(population.deaths, 0.6)
    for column, sign in (("end", 1), ("start", -1)):
        inside = moves[moves[column] >= 0]
        rows = inside[column].to_numpy()
        for position, band in enumerate(AGE_BANDS):
            change = np.bincount(rows, inside[f"age_{band}_persons"], count)
            population.ages[:, position] += sign * change.astype(np.int64)
        population.male += sign * np.bincount(rows, inside["male_persons"], count).astype(np.int64)
        population.households += sign * np.bincount(rows, inside["households"], count).astype(np.int64)
    recounted = rng.random(count) < 0.04  # noqa: PLR2004  share of leaders who find they had miscounted
    correction = np.where(recounted, np.rint(persons * rng.normal(0.0, 0.02, count)), 0).astype(np.int64)
    population.ages[:, 3] += correction
    population.ages = population.ages.clip(min=0)
    total = population.persons
    population.male = np.clip(population.male, 0, total)
    population.households = np.clip(population.households, np.minimum(1, total), total)
    population.unregistered_share *= rng.normal(0.985, 0.02, count).clip(0.9, 1.05)

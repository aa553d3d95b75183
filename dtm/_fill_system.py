"""Fill the table of system indices of a release from its published moves between areas of one level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dtm._estimate_rows import insert_rows
from dtm._migration_system import System, build_systems
from dtm._release_tables import NOT_REPORTED, PUBLISHED, RELEASE_TABLES, SUPPRESSED, UNDEFINED
from dtm._system_bounds import bound_indices
from dtm.distances import pair_distances, weighted_centroids
from dtm.migration_indices import PERCENT, system_indices
from dtm.system_measures import SYSTEM_INDICES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dtm.engine import Connection

    Reader = Callable[[str, Mapping[str, object]], pd.DataFrame]

LEAST_AREAS = {1: 3, 2: 2, 3: 2}
"""Areas of a level from which they are taken as a system; two aimags tell nothing that their flows don't."""
FINEST_LEVEL = 3
RECONCILED = "reconciled"
_LEVEL_1_LETTERS = len("MN11")
_SOURCES = ("arrivals", "departures")
_AREA = ("pcode", "level", "parent_pcode", "lon", "lat")
_FLOW = ("round_number", "source", "level", "pcode", "counterpart", "origin", "destination", "value", "status")
_OF_TOTALS = ("movers", "crude_migration_intensity_pct", "courgeau_k")
"""Indices that need no pair, only how many moved between the areas."""
_WITH_PEOPLE = ("population", "crude_migration_intensity_pct", "courgeau_k", "anmr_pct")
NARROW_SHARE = 0.2
"""An index that hidden pairs leave open is told, with its bounds, if these are within this share of their middle."""
_WHY = {NOT_REPORTED: "not_reported", UNDEFINED: "incomplete"}


@dataclass(frozen=True, kw_only=True)
class ReleaseSystem:
    """The areas of a level in a round as one source tells the moves between them.

    Attributes
    ----------
    system
        The moves, without those that are hidden.
    hidden_pairs
        Pairs whose moves are hidden.
    indices
        Value of each index of `SYSTEM_INDICES`, NaN unless published.
    statuses, notes
        Their status, and what is to be said of them.
    """

    round_number: int
    source: str
    level: int
    system: System
    hidden_pairs: int
    indices: dict[str, float]
    statuses: dict[str, str]
    notes: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What a release says of the moves between the areas of a level, before anything is computed.

    `status` is the worst of the pairs'; `movers` M where the totals tell it though pairs are hidden; `grid` every pair
    of different areas with its distance; `people` value and status of the areas' population, by P-code. Of the finest
    level a hidden pair may be 0: figures of a lone unit are hidden whatever they are.
    """

    round_number: int
    source: str
    level: int
    pairs: pd.DataFrame
    status: str
    movers: float | None
    grid: pd.DataFrame
    people: pd.DataFrame
    is_finest: bool

    @property
    def hidden_pairs(self) -> int:
        return int((self.pairs["status"] == SUPPRESSED).sum())


def fill_systems(connection: Connection) -> None:
    """Insert the indices of every round, source and level that has a system; see `release_systems`."""

    def read(name: str, where: Mapping[str, object]) -> pd.DataFrame:
        columns = ", ".join({"area": _AREA, "flow": _FLOW}.get(name, ("*",)))
        clause = " AND ".join(f"{column} = ?" for column in where) or "true"
        return connection.execute(f'SELECT {columns} FROM "{name}" WHERE {clause}', [*where.values()]).df()

    rows = [
        (*(one.round_number, one.source, one.level, name), one.indices[name], index.unit, one.statuses[name], note)
        for one in release_systems(read)
        for name, index in SYSTEM_INDICES.items()
        for note in (one.notes.get(name),)
    ]
    if rows:
        insert_rows(connection, "system", pd.DataFrame(rows, columns=RELEASE_TABLES["system"].column_names))


def release_systems(read: Reader) -> Iterator[ReleaseSystem]:
    """Give the systems of a release, by round, level and source, with their indices.

    - Areas are all areas of a level. Level 1 is a system from three areas on; level 2 only where all its areas are in
      one area of level 1, because districts tell no district of another as the other end of a move; level 3 only
      where khoroos are told as the other end.
    - `arrivals` are the moves told by the destination, `departures` those told by the origin, `reconciled` the
      release's estimate from both. A pair without a row is 0, because every area with a return tells all its moves; if
      an area told nothing, the indices are `not_reported`.
    - With a pair hidden, M is still what the areas' published totals less the moves over the system's border leave, so
      M, CMI and k stand. With M, the published pairs put bounds on the others (`dtm._system_bounds`): an index whose
      bounds are within `NARROW_SHARE` of their middle is this middle, with the bounds in the note; the rest are
      `suppressed`.
    - P is the population of the middle of the period, as for the rates of areas: the actual persons at the round less
      half of their published change since the one before, which is over the units that reported in both; where there
      is no change to tell, those at the round.
    - Distances are great circles between the centroids of the areas, weighted by the last published people of the
      khoroos inside: the same in every round, or a distance would change because a khoroo was silent.

    Parameters
    ----------
    read
        Gives the rows of a table of the release that have the given values.
    """
    areas = read("area", {})
    flow = read("flow", {"reason": "total", "measure": "persons"})
    stock = read("stock", {"category": "actual", "measure": "persons", "breakdown": "total"})
    estimates = read("flow_estimate", {})
    change = read("indicator", {"indicator": "change_persons"})
    weights = stock.dropna(subset=["value"]).sort_values("round_number").groupby("pcode")["value"].last()
    for round_number in sorted(read("round", {})["round_number"]):
        people = _at_risk(*(_of_round(table, round_number) for table in (stock, change)))
        for level, own in _systems_of_areas(areas):
            of_round = flow[flow["round_number"] == round_number]
            told = of_round[of_round["level"] == level]
            if level == FINEST_LEVEL and not (told["counterpart"].isin(own["pcode"])).any():
                continue
            facts: dict[str, Any] = {
                "round_number": int(round_number),
                "level": level,
                "grid": _grid(areas, own, weights),
                "people": people.reindex(own["pcode"]),
                "is_finest": level == areas["level"].max(),
            }
            for source in _SOURCES:
                whole = _over_border(own, of_round[of_round["source"] == source])
                yield _computed(_told(own, told[told["source"] == source], whole, source=source, **facts))
            fitted = estimates[(estimates["round_number"] == round_number) & (estimates["level"] == level)]
            if len(fitted):
                pairs = fitted[fitted["origin"] != fitted["destination"]]
                worst = _worst(pairs["status"])
                yield _computed(_Told(source=RECONCILED, pairs=pairs, status=worst, movers=None, **facts))


def _of_round(table: pd.DataFrame, round_number: int) -> pd.DataFrame:
    return table[table["round_number"] == round_number].set_index("pcode")[["value", "status"]]


def _at_risk(people: pd.DataFrame, change: pd.DataFrame) -> pd.DataFrame:
    """Return the people of the middle of the period, from those at its end and their change; hidden if that is."""
    changed = change.reindex(people.index)
    half = changed["value"].where(changed["status"] == PUBLISHED).astype("float64").fillna(0.0) / 2
    is_hidden = changed["status"] == SUPPRESSED
    return pd.DataFrame(
        {
            "value": (people["value"].astype("float64") - half).mask(is_hidden),
            "status": people["status"].mask(is_hidden, SUPPRESSED),
        }
    )


def _systems_of_areas(areas: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame]]:
    for level, least in LEAST_AREAS.items():
        own = areas[areas["level"] == level].sort_values("pcode", ignore_index=True)
        in_one = level == 1 or len(set(own["pcode"].str[:_LEVEL_1_LETTERS])) == 1
        if len(own) >= least and in_one:
            yield level, own


def _over_border(own: pd.DataFrame, flow: pd.DataFrame) -> float | None:
    """Return the moves over the border of the one area of level 1 that holds the system; None where none is told."""
    above = own["pcode"].str[:_LEVEL_1_LETTERS].unique()
    rows = flow[(flow["pcode"] == above[0]) & (flow["level"] == 1) & (flow["counterpart"] == "total")]
    if own["level"].iloc[0] == 1 or len(above) > 1 or len(rows) != 1 or rows["status"].iloc[0] != PUBLISHED:
        return None
    return float(rows["value"].iloc[0])


def _told(own: pd.DataFrame, told: pd.DataFrame, whole: float | None, **facts: Any) -> _Told:
    """Return what one source tells; `whole` are the moves over the border of the area above, where they are known."""
    inside = told["counterpart"].isin(own["pcode"])
    pairs = told[inside & (told["counterpart"] != told["pcode"])]
    totals = told[told["counterpart"] == "total"].set_index("pcode")["status"].reindex(own["pcode"])
    silent = (totals.isna() | (totals == NOT_REPORTED)).any()
    status = NOT_REPORTED if silent else _worst(pairs["status"])
    movers = _movers_of_totals(own, told, whole) if status == SUPPRESSED else None
    return _Told(pairs=pairs, status=status, movers=movers, **facts)


def _worst(statuses: pd.Series) -> str:
    present = set(statuses)
    return next((status for status in (NOT_REPORTED, SUPPRESSED, UNDEFINED) if status in present), PUBLISHED)


def _movers_of_totals(own: pd.DataFrame, told: pd.DataFrame, whole: float | None) -> float | None:
    """Return M from the areas' totals less their moves over the system's border; None where one of them is hidden.

    Where the area above tells its own moves over the border, the rows of the areas are needed only for moves inside it
    whose other end is none of them, such as a place in the city that nobody named.
    """
    over_border = told[~told["counterpart"].isin([*own["pcode"], "total"])]
    if whole is not None:
        over_border = over_border[over_border["counterpart"].str.startswith(own["pcode"].iloc[0][:_LEVEL_1_LETTERS])]
    totals = told[told["counterpart"] == "total"]
    if (totals["status"] != PUBLISHED).any() or (over_border["status"] != PUBLISHED).any():
        return None
    inside = totals["value"].astype("float64").sum() - over_border["value"].astype("float64").sum()
    return float(inside - (whole or 0.0))


def _computed(told: _Told) -> ReleaseSystem:
    """Return the system with its indices, and why those are missing that are."""
    known = told.pairs.loc[told.pairs["status"] == PUBLISHED, ["origin", "destination", "value"]]
    flows = told.grid.merge(known, on=["origin", "destination"], how="left")
    flows["persons"] = flows["value"].astype("float64").fillna(0.0)
    people = told.people["value"].astype("float64")
    system = build_systems(flows, pd.DataFrame({"area": people.index, "persons": people.to_numpy()}))[0]
    people_status = _worst(told.people["status"].fillna(NOT_REPORTED))
    indices, notes = system_indices(system)
    known_anyway = {"population"}
    if told.movers is not None:
        indices |= _of_totals(system, told.movers)
        bounded, between = ({}, {}) if told.is_finest else _bounded(system, told)
        indices |= bounded
        notes |= between
        known_anyway |= {*_OF_TOTALS, *bounded}
    statuses = {}
    for name in SYSTEM_INDICES:
        pairs_needed = name not in known_anyway
        if pairs_needed and told.status != PUBLISHED:
            statuses[name] = told.status
            notes[name] = _WHY.get(told.status, f"hidden_pairs:{told.hidden_pairs}")
        elif name in _WITH_PEOPLE and people_status != PUBLISHED:
            statuses[name] = people_status
            notes[name] = _WHY.get(people_status, "population_missing")
        else:
            statuses[name] = UNDEFINED if np.isnan(indices[name]) else PUBLISHED
    return ReleaseSystem(
        round_number=told.round_number,
        source=told.source,
        level=told.level,
        system=system,
        hidden_pairs=told.hidden_pairs,
        indices={name: indices[name] if statuses[name] == PUBLISHED else float("nan") for name in SYSTEM_INDICES},
        statuses=statuses,
        notes={name: note for name, note in notes.items() if name in SYSTEM_INDICES},
    )


def _bounded(system: System, told: _Told) -> tuple[dict[str, float], dict[str, str]]:
    """Return the indices that M and the published pairs tell closely enough, and notes with the bounds."""
    hidden = told.pairs.loc[told.pairs["status"] == SUPPRESSED, ["origin", "destination"]]
    ends = pd.MultiIndex.from_arrays([system.areas[system.origin], system.areas[system.destination]])
    movers = float(told.movers or 0.0)
    bounds = bound_indices(system, ends.isin(pd.MultiIndex.from_frame(hidden)), movers=movers)
    people = float(system.margins.people.sum())
    if "effectiveness_mei" in bounds and people > 0:
        low, high = (end * movers / people for end in bounds["effectiveness_mei"])
        bounds["anmr_pct"] = (low, high)
    found, notes = {}, {}
    for name, (low, high) in bounds.items():
        middle = (low + high) / 2
        if high - middle > NARROW_SHARE * middle:
            continue
        found[name] = middle
        notes[name] = f"hidden_pairs:{told.hidden_pairs}"
        if not np.isclose(low, high, rtol=1e-12, atol=0.0):
            notes[name] += ";between:" + "/".join(outwards(low, high))
    return found, notes


def outwards(low: float, high: float) -> tuple[str, str]:
    """Return bounds to four digits of the larger, rounded away from each other: what they hold is between them."""
    unit = 10.0 ** (np.floor(np.log10(high)) - 3)
    least, largest = np.floor(round(low / unit, 9)) * unit, np.ceil(round(high / unit, 9)) * unit
    return f"{least:.4g}", f"{largest:.4g}"


def _of_totals(system: System, movers: float) -> dict[str, float]:
    """Return the indices that need no more than M, P and n."""
    people = float(system.population_persons.sum()) if system.population_persons is not None else 0.0
    intensity = PERCENT * movers / people if people else float("nan")
    logarithm = float(np.log(system.n**2))
    return {"movers": movers, "crude_migration_intensity_pct": intensity, "courgeau_k": intensity / logarithm}


def _grid(areas: pd.DataFrame, own: pd.DataFrame, weights: pd.Series) -> pd.DataFrame:
    """Return every pair of different areas with the distance between their people."""
    points = own[["pcode", "lon", "lat"]].rename(columns={"pcode": "area"})
    inside = _finest(areas, own)
    if len(inside):
        children = areas.set_index("pcode").loc[inside["pcode"], ["lon", "lat"]].reset_index(drop=True)
        persons = weights.reindex(inside["pcode"]).astype("float64").to_numpy()
        centres = weighted_centroids(children.assign(parent=inside["parent"].to_numpy(), persons=persons))
        points = points.set_index("area")
        points.update(centres.set_index("area")[["lon", "lat"]])
        points = points.reset_index()
    n = len(points)
    origin, destination = np.nonzero(~np.eye(n, dtype=bool))
    codes = points["area"].to_numpy()
    return pd.DataFrame(
        {
            "origin": codes[origin],
            "destination": codes[destination],
            "distance_km": pair_distances(points)[origin, destination],
        }
    )


def _finest(areas: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """Return the areas of the finest level with the area of `own` each is inside of."""
    parents = areas.set_index("pcode")["parent_pcode"]
    finest = areas.loc[areas["level"] == FINEST_LEVEL, "pcode"].reset_index(drop=True)
    above = finest
    for _ in range(FINEST_LEVEL - int(own["level"].iloc[0])):
        above = above.map(parents)
    found = pd.DataFrame({"pcode": finest, "parent": above})
    return found[found["parent"].isin(own["pcode"])].reset_index(drop=True)

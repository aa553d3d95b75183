"""Build demonstration returns: six rounds of a made-up population, calibrated to published figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from enumerations import _demo_files as files
from enumerations._demo_checkpoints import checkpoint_tables
from enumerations._demo_conditions import condition_columns
from enumerations._demo_enumerators import write_enumerators
from enumerations._demo_events import event_tables
from enumerations._demo_faults import spoil
from enumerations._demo_people import CITY, Population, advance, draw_moves, found_population
from enumerations._demo_survey import survey_tables
from enumerations._demo_tables import DemoRound, baseline_table, moves_table, plan_rounds
from enumerations.columns import BASELINE
from enumerations.errors import EnumerationsError

if TYPE_CHECKING:
    from pathlib import Path

CITY_PERSONS = 1_499_140
"""2020: the Wikipedia article "Districts of Ulaanbaatar", after the city's statistics office."""
SILENT_SHARES = (0.05, 0.03, 0.02, 0.03, 0.015, 0.02)
"""Share of units that do not report, by round."""
SILENT_KHOROO_ROUND = 3
"""In this round one khoroo does not report at all."""
WORKBOOK_ROUND, KOBO_ROUND = 5, 6
"""The other rounds come as CSV."""
SURVEY_ROUND = 6
"""In this round households of a sample were asked as well."""
MAX_ROUNDS = 6
"""Rounds that published figures reach for."""


@dataclass(frozen=True)
class DemoReturns:
    """What was written, and the truth it can be checked against.

    Attributes
    ----------
    rounds : list of DemoRound
        Number, days of collection and window of each round.
    files : dict of int to list of Path
        Files of returns by round.
    faults : DataFrame
        Ledger of the faults put in: round, table, instance_id, unit, fault, field, value.
    silent : DataFrame
        Units that did not report: round, pcode.
    truth : DataFrame
        Per round and unit, before faults and silence: persons, births, deaths, arrivals, departures.
    enumerators : Path
        Register of the enumerators.
    """

    rounds: list[DemoRound]
    files: dict[int, list[Path]]
    faults: pd.DataFrame
    silent: pd.DataFrame
    truth: pd.DataFrame
    enumerators: Path


def build_returns(
    folder: Path,
    *,
    units: pd.DataFrame,
    unit_points: pd.DataFrame,
    places: pd.DataFrame,
    seed: int,
    n_rounds: int = MAX_ROUNDS,
) -> DemoReturns:
    """Write the returns of all rounds; the same seed and units write the same bytes.

    Arrivals and departures over the city's border are those the National Statistics Office published for 2023 to 2025
    (1212.mn, table DT_NSO_0300_040V1), shared out to aimags by gravity and scaled with the units' population; moves
    inside the city, births, deaths, registration and all details are made up.

    Parameters
    ----------
    folder : Path
        Where the files go; made if missing.
    units : DataFrame
        Reporting units: `pcode`, `khoroo_pcode`, `persons`, `ger_area_share`.
    unit_points : DataFrame
        Places inside them: `pcode`, `lon`, `lat`.
    places : DataFrame
        Aimags and districts: `pcode`, `level`, `name_mn`, `lon`, `lat`, `persons`.
    seed : int
        Seed of all chance.
    n_rounds : int
        1 to 6.

    Raises
    ------
    EnumerationsError
        No units, a unit without a place, or another number of rounds.
    """
    if not 1 <= n_rounds <= MAX_ROUNDS:
        raise EnumerationsError(f"n_rounds must be 1 to {MAX_ROUNDS}, not {n_rounds}.")
    if units.empty or not set(units["pcode"]) <= set(unit_points["pcode"]):
        raise EnumerationsError("Every unit needs a place in unit_points; build the geography again.")
    folder.mkdir(parents=True, exist_ok=True)
    maker = _Maker(folder, units.reset_index(drop=True), unit_points, places, seed)
    for plan in plan_rounds(n_rounds):
        maker.make_round(plan)
    return maker.result()


class _Maker:
    """Carry the population from round to round and write what it reports."""

    def __init__(
        self, folder: Path, units: pd.DataFrame, points: pd.DataFrame, places: pd.DataFrame, seed: int
    ) -> None:
        self.folder, self.points, self.places = folder, points, places
        self.rng = np.random.default_rng([seed, 2])
        self.details = np.random.default_rng([seed, 3])
        self.population: Population = found_population(units, rng=self.rng)
        in_city = units["pcode"].str.startswith(CITY)
        self.scale = float(units.loc[in_city, "persons"].sum()) / CITY_PERSONS
        self.names = dict(zip(places["pcode"], places["name_mn"], strict=True))
        self.rounds: list[DemoRound] = []
        self.files: dict[int, list[Path]] = {}
        self.ledgers: list[pd.DataFrame] = []
        self.silences: list[pd.DataFrame] = []
        self.truths: list[pd.DataFrame] = []

    def make_round(self, plan: DemoRound) -> None:
        """Move the population to the round's day and write its returns."""
        rng, population = self.rng, self.population
        pcodes = population.units["pcode"].to_numpy(dtype=object)
        year = plan.started_on.year
        moves = draw_moves(population, self.places, number=plan.number, year=year, scale=self.scale, rng=rng)
        advance(population, moves, rng=rng)
        self.truths.append(_truth(population, moves, plan))
        baseline = baseline_table(population, plan, points=self.points, names=self.names, rng=rng)
        arrivals = moves_table(moves, baseline, pcodes, self.names, arrivals=True, rng=rng)
        departures = moves_table(moves, baseline, pcodes, self.names, arrivals=False, rng=rng)
        details = condition_columns(population, arrivals, departures, baseline, rng=self.details)
        baseline = baseline.assign(**details)[[c for c in BASELINE.column_names if c in {*baseline.columns, *details}]]
        reports = self._reporting(plan)
        kept = baseline[reports].reset_index(drop=True)
        told = set(kept["instance_id"])
        own = [str(pcode) for pcode in pcodes[reports]]
        spoilt, ledger = spoil(kept, plan, pcodes=own, points=self.points, rng=rng)
        tables = {
            "baseline": spoilt,
            "arrivals": arrivals[arrivals["instance_id"].isin(told)],
            "departures": departures[departures["instance_id"].isin(told)],
        }
        self.rounds.append(plan)
        self.ledgers.append(ledger)
        self.files[plan.number] = self._write(plan, tables)

    def _reporting(self, plan: DemoRound) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Choose who reports."""
        units = self.population.units
        silent = self.rng.random(len(units)) < SILENT_SHARES[plan.number - 1]
        if plan.number == SILENT_KHOROO_ROUND:
            khoroos = units["khoroo_pcode"].unique()
            silent |= (units["khoroo_pcode"] == khoroos[self.rng.integers(len(khoroos))]).to_numpy()
        pcodes = units.loc[silent, "pcode"].to_numpy()
        self.silences.append(pd.DataFrame({"round": plan.number, "pcode": pcodes}))
        return ~silent

    def _write(self, plan: DemoRound, tables: dict[str, pd.DataFrame]) -> list[Path]:
        write = {WORKBOOK_ROUND: files.write_workbook, KOBO_ROUND: files.write_kobo}.get(plan.number, files.write_csv)
        written = write(self.folder, plan, tables)
        passages, watch = checkpoint_tables(plan, self.places, scale=min(self.scale, 1.0), rng=self.rng)
        further = {"passages": passages, "watch": watch, **event_tables(self.population, plan, rng=self.details)}
        if plan.number == SURVEY_ROUND:
            further |= survey_tables(self.population, plan, self.places, self.points, rng=self.details)
        told = {name: table for name, table in further.items() if len(table)}
        return [*written, *files.write_csv(self.folder, plan, told)]

    def result(self) -> DemoReturns:
        """Return what was written."""
        return DemoReturns(
            rounds=self.rounds,
            files=self.files,
            faults=pd.concat(self.ledgers, ignore_index=True),
            silent=pd.concat(self.silences, ignore_index=True),
            truth=pd.concat(self.truths, ignore_index=True),
            enumerators=write_enumerators(
                self.folder / "demonstration-enumerators.csv", self.population.units, rng=self.details
            ),
        )


def _truth(population: Population, moves: pd.DataFrame, plan: DemoRound) -> pd.DataFrame:
    count = len(population.units)

    def sums(end: str, *, crossing: bool) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        other = "start" if end == "end" else "end"
        known = moves[f"{other}_place"].str.startswith("MN")
        own = moves[(moves[end] >= 0) & (known if crossing else True)]
        return np.bincount(own[end], own["persons"], count).astype(np.int64)

    return pd.DataFrame({
        "round": plan.number, "pcode": population.units["pcode"], "persons": population.persons,
        "births_persons": population.births, "deaths_persons": population.deaths,
        "arrivals_persons": sums("end", crossing=False), "departures_persons": sums("start", crossing=False),
        "from_aimags_persons": sums("end", crossing=True), "to_aimags_persons": sums("start", crossing=True),
    })  # fmt: skip

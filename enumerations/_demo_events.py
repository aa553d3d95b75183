"""Make up event reports: a flood, a fire and a winter's dzud, and who moved because of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from enumerations._demo_people import CITY, MALE_SHARE, PERSONS_PER_HOUSEHOLD
from enumerations._demo_tables import instance_ids

if TYPE_CHECKING:
    from enumerations._demo_people import Population
    from enumerations._demo_tables import DemoRound


@dataclass(frozen=True)
class _Event:
    """One made-up event: the round whose window it falls in, and how hard it hits the units."""

    round_number: int
    kind: str
    day: date
    days: int
    units: int
    affected_share: float
    moved_share: float


EVENTS = (
    _Event(2, "flood", date(2023, 7, 5), 3, 8, 0.06, 0.5),
    _Event(3, "fire", date(2024, 1, 18), 1, 2, 0.02, 0.9),
    _Event(3, "dzud", date(2024, 2, 10), 30, 4, 0.03, 0.1),
    _Event(5, "flood", date(2025, 4, 12), 2, 4, 0.04, 0.4),
)  # fmt: skip


def event_tables(population: Population, plan: DemoRound, *, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Make the tables `events` and `event_moves` of the reports that belong to a round; empty for none."""
    units = population.units
    ger = np.flatnonzero((units["pcode"].str.startswith(CITY) & (units["ger_area_share"] > 0)).to_numpy())
    pool = ger if len(ger) else np.arange(len(units))
    events, moves = [], []
    for event in EVENTS:
        if event.round_number != plan.number:
            continue
        for row in rng.choice(pool, size=min(event.units, len(pool)), replace=False).tolist():
            report, moved = _report(event, population, row, plan, rng=rng)
            events.append(report)
            moves += moved
    return {"events": pd.DataFrame(events), "event_moves": pd.DataFrame(moves)}


def _report(
    event: _Event, population: Population, row: int, plan: DemoRound, *, rng: np.random.Generator
) -> tuple[dict[str, object], list[dict[str, object]]]:
    pcode = str(population.units["pcode"].iloc[row])
    persons = max(int(population.persons[row] * event.affected_share * rng.uniform(0.6, 1.4)), 4)
    households = max(round(persons / PERSONS_PER_HOUSEHOLD), 1)
    moved = round(persons * event.moved_share)
    instance = instance_ids(1, rng=rng)[0]
    told = datetime.combine(event.day, time(10)) + timedelta(days=1, minutes=int(rng.integers(0, 480)))
    destroyed = round(households * event.moved_share * 0.4) if event.kind != "dzud" else 0
    report: dict[str, object] = {
        "instance_id": instance, "form_version": f"{plan.started_on:%Y-%m}", "round": plan.number,
        "enumerator": f"E{pcode[2:]}", "collected_at": told.strftime("%Y-%m-%dT%H:%M:%S"), "unit": pcode,
        "event_kind": event.kind, "happened_on": event.day.isoformat(),
        "ended_on": (event.day + timedelta(days=event.days)).isoformat() if event.days == 1 else "",
        "affected_households": households, "affected_persons": persons, "dwellings_destroyed": destroyed,
        "dwellings_damaged": max(households - destroyed, 0) if event.kind != "dzud" else 0,
        "livestock_lost": int(rng.integers(20, 400)) if event.kind == "dzud" else 0,
        "had_moves": "yes" if moved else "no",
        "services_lacking": "electricity road" if event.kind == "flood" else "none",
    }  # fmt: skip
    if not moved:
        return report, []
    male = int(rng.binomial(moved, MALE_SHARE))
    return report, [{
        "instance_id": instance, "moved_from": pcode[:8], "moved_to": pcode[:6],
        "households": max(round(moved / PERSONS_PER_HOUSEHOLD), 1), "persons": moved,
        "male_persons": male, "female_persons": moved - male,
        "shelter": str(rng.choice(["relatives", "public_building", "rented"], p=[0.6, 0.25, 0.15])),
    }]  # fmt: skip

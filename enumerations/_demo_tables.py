"""Turn a simulated round into the tables of the kheseg baseline, in canonical columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from enumerations._demo_people import CITY, DWELLINGS, Population, round_shares
from enumerations.columns import AGE_BANDS, ARRIVALS, BASELINE, DEPARTURES

KHESEG_LENGTH = 10
NAMED_UNIT_SHARE = 0.06
"""Returns that name district, khoroo and kheseg in place of the P-code."""
NAMED_PLACE_SHARE = 0.15
"""Moves whose other end is told by name in place of the P-code."""
AGE_COLUMNS = [f"age_{band}_persons" for band in AGE_BANDS]
COUNT_COLUMNS = ["households", "persons", "male_persons", "female_persons", *AGE_COLUMNS]


@dataclass(frozen=True)
class DemoRound:
    """One round: when it was collected, and the window its moves are told for."""

    number: int
    started_on: date
    ended_on: date
    window_from: date
    window_to: date


def plan_rounds(count: int) -> list[DemoRound]:
    """Plan a spring and an autumn round a year from 2023 on, three weeks each."""
    rounds = []
    last = date(2022, 10, 21)
    for number in range(1, count + 1):
        start = date(2023 + (number - 1) // 2, 4 if number % 2 else 10, 1)
        end = start + timedelta(days=20)
        rounds.append(DemoRound(number, start, end, last + timedelta(days=1), end))
        last = end
    return rounds


def instance_ids(count: int, *, rng: np.random.Generator) -> list[str]:
    """Draw identifiers that look like those of the collecting tools."""
    texts = [block.tobytes().hex() for block in rng.integers(0, 256, (count, 16), dtype=np.uint8)]
    return [f"{t[:8]}-{t[8:12]}-4{t[13:16]}-a{t[17:20]}-{t[20:]}" for t in texts]


def collected_at(plan: DemoRound, count: int, *, rng: np.random.Generator) -> list[str]:
    """Draw times of collection in the round's days, between 9 and 18 o'clock, local time."""
    days = rng.integers(0, (plan.ended_on - plan.started_on).days + 1, count)
    minutes = rng.integers(9 * 60, 18 * 60, count)
    start = datetime.combine(plan.started_on, time())
    return [
        (start + timedelta(days=int(day), minutes=int(minute))).strftime("%Y-%m-%dT%H:%M:%S")
        for day, minute in zip(days, minutes, strict=True)
    ]


def baseline_table(
    population: Population,
    plan: DemoRound,
    *,
    points: pd.DataFrame,
    names: dict[str, str],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Make one baseline return per unit, without faults."""
    units = population.units
    count = len(units)
    persons = population.persons
    absent = np.rint(persons * population.absent_share).astype(np.int64)
    unregistered = np.rint(persons * population.unregistered_share).astype(np.int64)
    registered = persons - unregistered + absent
    ger = units["ger_area_share"].to_numpy()
    step = plan.number - 1
    dwellings = round_shares(
        population.households,
        np.stack(
            [ger * (0.44 - 0.008 * step), ger * (0.53 + 0.008 * step), 1 - ger + 0.01, 0.004 + 0.02 * ger], axis=1
        ),
    )
    size = persons / np.maximum(population.households, 1)
    pcodes = units["pcode"].to_numpy()
    table = pd.DataFrame({
        "instance_id": instance_ids(count, rng=rng),
        "form_version": f"{plan.started_on:%Y-%m}",
        "round": plan.number,
        "enumerator": [f"E{pcode[2:]}" for pcode in pcodes],
        "collected_at": collected_at(plan, count, rng=rng),
        "unit": pcodes, "district": "", "khoroo": "", "kheseg": "",
        **_places(units, points, rng=rng),
        "registered_households": np.minimum(np.rint(registered / np.maximum(size, 1)).astype(np.int64), registered),
        "registered_persons": registered,
        "actual_households": population.households, "actual_persons": persons,
        "male_persons": population.male, "female_persons": persons - population.male,
        **{column: population.ages[:, position] for position, column in enumerate(AGE_COLUMNS)},
        "registered_absent_persons": absent, "unregistered_persons": unregistered,
        **{f"{name}_households": dwellings[:, position] for position, name in enumerate(DWELLINGS)},
        "births_persons": population.births, "deaths_persons": population.deaths,
        "number_source": rng.choice(["register", "count", "estimate"], count, p=[0.2, 0.6, 0.2]),
        "confidence": rng.choice([1, 2, 3], count, p=[0.1, 0.4, 0.5]),
        "window_from": plan.window_from.isoformat(), "window_to": plan.window_to.isoformat(),
        "remarks": "",
    })  # fmt: skip
    _tell_by_name(table, names, rng=rng)
    return table[[name for name in BASELINE.column_names if name in table.columns]]


def _places(
    units: pd.DataFrame, points: pd.DataFrame, *, rng: np.random.Generator
) -> dict[str, npt.NDArray[np.float64]]:
    """Choose one of the unit's places for each return."""
    order = points.reset_index(drop=True)
    groups = order.groupby("pcode", sort=False).indices
    rows = [groups[pcode] for pcode in units["pcode"]]
    lengths = np.array([len(own) for own in rows])
    chosen = np.array([own[i] for own, i in zip(rows, (rng.random(len(rows)) * lengths).astype(int), strict=True)])
    return {
        "lon": order["lon"].to_numpy()[chosen],
        "lat": order["lat"].to_numpy()[chosen],
        "accuracy_m": np.round(3 + rng.gamma(2.0, 2.6, len(rows)), 1).clip(3, 30),
    }


def _tell_by_name(table: pd.DataFrame, names: dict[str, str], *, rng: np.random.Generator) -> None:
    chosen = rng.random(len(table)) < NAMED_UNIT_SHARE
    told = {name: table[name].tolist() for name in ("unit", "district", "khoroo", "kheseg")}
    for row in np.flatnonzero(chosen):
        pcode = str(told["unit"][row])
        if len(pcode) == KHESEG_LENGTH and pcode[:6] in names:
            told["unit"][row], told["district"][row] = "", names[pcode[:6]]
            told["khoroo"][row], told["kheseg"][row] = f"{int(pcode[6:8])}-р хороо", f"{int(pcode[8:])}-р хэсэг"
    for name, values in told.items():
        table[name] = values


def _full_name(code: str, names: dict[str, str]) -> str:
    """Name an aimag with its kind: soums and districts share many of the names."""
    return names[code] if code == CITY else f"{names[code]} аймаг"


def moves_table(
    moves: pd.DataFrame, baseline: pd.DataFrame, pcodes: npt.NDArray[np.object_], names: dict[str, str], *,
    arrivals: bool, rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """Tell the moves as the unit at one end knows them, groups with the same answers added up.

    `baseline` is in the order of `pcodes`, the units.
    """
    own, other = ("end", "start") if arrivals else ("start", "end")
    column = "origin" if arrivals else "destination"
    form = ARRIVALS if arrivals else DEPARTURES
    told = moves[moves[own] >= 0].copy()
    told["instance_id"] = baseline["instance_id"].to_numpy()[told[own].to_numpy()]
    far = told[other].to_numpy()
    counterpart = told[f"{other}_place"].to_numpy(dtype=object).copy()
    inside = far >= 0
    codes = pcodes[far.clip(min=0)]
    same_city = np.array([str(a)[:4] == str(b)[:4] for a, b in zip(codes, pcodes[told[own].to_numpy()], strict=True)])
    length = np.where(same_city, np.where(rng.random(len(told)) < 0.6, 8, 6), 4)  # noqa: PLR2004  khoroo, district, aimag
    counterpart[inside] = [str(code)[:n] for code, n in zip(codes[inside], length[inside], strict=True)]
    by_name = rng.random(len(told)) < NAMED_PLACE_SHARE
    told[column] = [
        _full_name(code, names) if named and len(code) == 4 and code in names else code  # noqa: PLR2004  aimags only
        for code, named in zip(counterpart, by_name, strict=True)
    ]
    keys = ["instance_id", column, "reason", "registered", "intended_duration"]
    summed = told.groupby(keys, sort=False, as_index=False)[COUNT_COLUMNS].sum()
    return summed[[name for name in form.column_names if name in summed.columns]]

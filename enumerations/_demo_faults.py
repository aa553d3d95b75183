"""Break a few returns the ways returns break, and keep the ledger of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from enumerations._demo_tables import DemoRound, instance_ids

FAULT_SHARE = 0.02
"""Share of baseline returns with a fault."""
FEWEST_FAULTS = 2
"""In each round; with ten kinds of fault, six rounds show them all."""
LEDGER_COLUMNS = ("round", "table", "instance_id", "unit", "fault", "field", "value")

Fault = Callable[[pd.DataFrame, int], tuple[str, str]]


def _cell(column: str, value: Callable[[pd.DataFrame, int], object]) -> Fault:
    def spoil(table: pd.DataFrame, row: int) -> tuple[str, str]:
        spoilt = value(table, row)
        table.at[row, column] = spoilt
        return column, str(spoilt)

    return spoil


def _swap(table: pd.DataFrame, row: int) -> tuple[str, str]:
    table.loc[row, ["lon", "lat"]] = [table.at[row, "lat"], table.at[row, "lon"]]
    return "lon", str(table.at[row, "lon"])


def _neighbour(points: pd.DataFrame, pcodes: dict[int, str]) -> Fault:
    """Give a return the nearest place of another khoroo."""
    khoroo = points["pcode"].str[:8].to_numpy()
    lon, lat = points["lon"].to_numpy(), points["lat"].to_numpy()

    def spoil(table: pd.DataFrame, row: int) -> tuple[str, str]:
        far = (lon - float(table.at[row, "lon"])) ** 2 * 0.45 + (lat - float(table.at[row, "lat"])) ** 2
        far[khoroo == pcodes[row][:8]] = np.inf
        nearest = int(far.argmin())
        table.loc[row, ["lon", "lat"]] = [lon[nearest], lat[nearest]]
        return "lon", str(khoroo[nearest])

    return spoil


def _unknown_pcode(table: pd.DataFrame, row: int) -> tuple[str, str]:
    table.loc[row, ["unit", "district", "khoroo", "kheseg"]] = [wrong := "MN11079999", "", "", ""]
    return "unit", wrong


def fault_kinds(plan: DemoRound, points: pd.DataFrame, pcodes: dict[int, str]) -> dict[str, Fault]:
    """Return the faults that change a return in place, by name."""
    before = f"{plan.window_from.isoformat()}T10:00:00+08:00"
    return {
        "missing_value": _cell("registered_persons", lambda _table, _row: None),
        "text_in_number": _cell("actual_persons", lambda table, row: f"{table.at[row, 'actual_persons']} хүн орчим"),
        "sex_sum": _cell("male_persons", lambda table, row: int(table.at[row, "male_persons"]) + 7),
        "negative": _cell("actual_households", lambda table, row: -int(table.at[row, "actual_households"])),
        "gps_neighbour": _neighbour(points, pcodes),
        "gps_swapped": _swap,
        "unknown_pcode": _unknown_pcode,
        "date_outside_round": _cell("collected_at", lambda _table, _row: before),
    }


REPEATS = ("duplicate_return", "unit_twice")
"""Faults that add a record: the same return sent twice, and a unit that reports again."""


def spoil(
    baseline: pd.DataFrame, plan: DemoRound, *, pcodes: dict[int, str], points: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Break some returns, each in one way, every way about as often.

    Returns
    -------
    tuple of DataFrame
        The table with its faults, and the ledger of them.
    """
    table = baseline.astype(object).reset_index(drop=True)
    kinds = fault_kinds(plan, points, pcodes)
    names = [*kinds, *REPEATS]
    count = min(len(table), max(FEWEST_FAULTS, round(FAULT_SHARE * len(table))))
    rows = rng.choice(len(table), size=count, replace=False)
    ledger: list[tuple[object, ...]] = []
    repeats: list[pd.Series] = []
    offset = FEWEST_FAULTS * (plan.number - 1)
    for position, row in enumerate(int(value) for value in rows):
        name = names[(position + offset) % len(names)]
        if name in kinds:
            field, value = kinds[name](table, row)
            instance = table.at[row, "instance_id"]
        else:
            again = table.loc[row].copy()
            field, value = "instance_id", str(again["instance_id"])
            if name == "unit_twice":
                again["instance_id"] = instance_ids(1, rng=rng)[0]
                field, value = "unit", pcodes[row]
            instance = again["instance_id"]
            repeats.append(again)
        ledger.append((plan.number, "baseline", instance, pcodes[row], name, field, value))
    table = pd.concat([table, pd.DataFrame(repeats, columns=table.columns)], ignore_index=True)
    return table, pd.DataFrame(ledger, columns=list(LEDGER_COLUMNS))

"""Break a few returns the ways returns break, and keep the ledger of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from enumerations._demo_tables import DemoRound, instance_ids

if TYPE_CHECKING:
    from enumerations._demo_people import Floats

FAULT_SHARE = 0.02
"""Share of baseline returns with a fault."""
FEWEST_FAULTS = 2
"""In each round; with ten kinds of fault, six rounds show them all."""
LEDGER_COLUMNS = ("round", "table", "instance_id", "unit", "fault", "field", "value")
SEX_SUM_OFF_PERSONS = 7
UNKNOWN_PCODE = "MN11079999"
REPEATS = ("duplicate_return", "unit_twice")
"""Faults that add a record: the same return sent twice, and a unit that reports again."""

Return = dict[str, Any]
Fault = Callable[[Return], str]
"""Change a return in place and name the field that is wrong now."""


def _missing_value(sent: Return) -> str:
    sent["registered_persons"] = None
    return "registered_persons"


def _text_in_number(sent: Return) -> str:
    sent["actual_persons"] = f"{sent['actual_persons']} хүн орчим"
    return "actual_persons"


def _sex_sum(sent: Return) -> str:
    sent["male_persons"] += SEX_SUM_OFF_PERSONS
    return "male_persons"


def _negative(sent: Return) -> str:
    sent["actual_households"] = -sent["actual_households"]
    return "actual_households"


def _gps_swapped(sent: Return) -> str:
    sent["lon"], sent["lat"] = sent["lat"], sent["lon"]
    return "lon"


def _unknown_pcode(sent: Return) -> str:
    sent |= {"unit": UNKNOWN_PCODE, "district": "", "khoroo": "", "kheseg": ""}
    return "unit"


def _date_outside(plan: DemoRound) -> Fault:
    def spoil(sent: Return) -> str:
        sent["collected_at"] = f"{plan.window_from.isoformat()}T10:00:00"
        return "collected_at"

    return spoil


class _Neighbours:
    """Know the nearest place of another khoroo."""

    def __init__(self, points: pd.DataFrame) -> None:
        self._khoroo = points["pcode"].str[:8].to_numpy(dtype=object)
        self._lon: Floats = points["lon"].to_numpy(dtype=float)
        self._lat: Floats = points["lat"].to_numpy(dtype=float)
        self._squeeze = float(np.cos(np.radians(self._lat.mean())) ** 2)

    def __call__(self, sent: Return) -> str:
        own = self._khoroo[np.flatnonzero((self._lon == sent["lon"]) & (self._lat == sent["lat"]))[0]]
        far = (self._lon - sent["lon"]) ** 2 * self._squeeze + (self._lat - sent["lat"]) ** 2
        nearest = int(np.where(self._khoroo == own, np.inf, far).argmin())
        sent["lon"], sent["lat"] = float(self._lon[nearest]), float(self._lat[nearest])
        return "lon"


def spoil(
    baseline: pd.DataFrame, plan: DemoRound, *, pcodes: list[str], points: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Break some returns, each in one way, every way about as often.

    Parameters
    ----------
    baseline : DataFrame
        Sound returns.
    plan : DemoRound
        Their round.
    pcodes : list of str
        Unit of each return.
    points : DataFrame
        Places inside all units: `pcode`, `lon`, `lat`.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    tuple of DataFrame
        The table with its faults, and the ledger of them.
    """
    kinds: dict[str, Fault] = {
        "missing_value": _missing_value,
        "text_in_number": _text_in_number,
        "sex_sum": _sex_sum,
        "negative": _negative,
        "gps_neighbour": _Neighbours(points),
        "gps_swapped": _gps_swapped,
        "unknown_pcode": _unknown_pcode,
        "date_outside_round": _date_outside(plan),
    }
    names = [*kinds, *REPEATS]
    returns: list[Return] = [{str(key): value for key, value in row.items()} for row in baseline.to_dict("records")]
    count = min(len(returns), max(FEWEST_FAULTS, round(FAULT_SHARE * len(returns))))
    ledger: list[tuple[object, ...]] = []
    for position, row in enumerate(rng.choice(len(returns), size=count, replace=False).tolist()):
        name = names[(position + FEWEST_FAULTS * (plan.number - 1)) % len(names)]
        sent = returns[row]
        if name in kinds:
            field = kinds[name](sent)
        else:
            field = "instance_id" if name == "duplicate_return" else "unit"
            sent = dict(sent)
            if name == "unit_twice":
                sent["instance_id"] = instance_ids(1, rng=rng)[0]
            returns.append(sent)
        ledger.append((plan.number, "baseline", sent["instance_id"], pcodes[row], name, field, str(sent[field])))
    table = pd.DataFrame(returns, columns=baseline.columns, dtype=object)
    return table, pd.DataFrame(ledger, columns=list(LEDGER_COLUMNS))

"""Make up what passes the city's six checkpoints."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import numpy as np
import pandas as pd

from enumerations._demo_people import CITY, gravity
from enumerations._demo_tables import DemoRound, instance_ids
from enumerations.columns import PASSAGES

CHECKPOINTS = {
    "emeelt": (106.52, 47.88, 0.24, ("MN82", "MN64", "MN62", "MN84", "MN81", "MN65", "MN83", "MN85")),
    "baruunturuun": (106.70, 48.06, 0.23, ("MN45", "MN61", "MN43", "MN63", "MN67")),
    "gunt": (106.93, 48.10, 0.07, ("MN43", "MN41")),
    "ulziit": (106.82, 47.78, 0.10, ("MN41", "MN48", "MN46")),
    "morin": (106.62, 47.80, 0.12, ("MN46", "MN48", "MN62")),
    "nalaikh": (107.30, 47.75, 0.24, ("MN23", "MN21", "MN22", "MN44", "MN42")),
}
"""Longitude, latitude, share of the traffic, and the aimags its road leads to.

The six checkpoints are those of IOM's flow monitoring of 2020 ("Mongolia - Flow Monitoring in Ulaanbaatar", situation
reports); where they stand is approximate, at the roads out of the city, and their shares are made up.
"""
PASSAGES_PER_ROUND = 16_700
"""Passages of all checkpoints in one round of a whole city."""
LEAST_PASSAGES_PER_ROUND = 4_000
"""However small the place: with fewer, nearly every day and direction has under ten vehicles, and is hidden."""
HOURS_SHORT_SHARE = 0.06
"""Days on which a checkpoint was not watched around the clock."""
VEHICLES = {"car": 0.56, "jeep": 0.15, "minibus": 0.07, "bus": 0.07, "truck": 0.12, "motorcycle": 0.02, "other": 0.01}
MEAN_COMPANIONS = {"car": 1.6, "jeep": 2.0, "minibus": 8.0, "bus": 30.0, "truck": 0.5, "motorcycle": 0.3, "other": 1.0}
STAYS = {"lt_24h": 0.20, "1_3d": 0.31, "4_7d": 0.18, "8_30d": 0.13, "1_6m": 0.07, "gt_6m": 0.04, "permanent": 0.07}
PURPOSES = {
    "work": 0.23, "study": 0.08, "family_visit": 0.24, "health": 0.10, "trade": 0.13, "tourism": 0.09,
    "return_home": 0.09, "moving": 0.03, "other": 0.01,
}  # fmt: skip
GROUPS = {
    "male_0_17_persons": 0.11, "male_18_59_persons": 0.37, "male_60_plus_persons": 0.05,
    "female_0_17_persons": 0.11, "female_18_59_persons": 0.31, "female_60_plus_persons": 0.05,
}  # fmt: skip
THROUGH_SHARE = 0.04
"""Travellers who only pass through the city."""
_DAILY_RHYTHM = np.array(
    [6, 4, 3, 3, 4, 7, 14, 24, 34, 42, 46, 46, 44, 43, 42, 42, 43, 46, 48, 44, 34, 24, 16, 10], dtype=float
)


def _draw(
    shares: dict[str, float], count: int, *, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    names = np.array(list(shares), dtype=object)
    weights = np.array(list(shares.values()))
    return names[rng.choice(len(names), size=count, p=weights / weights.sum())]


def checkpoint_tables(
    plan: DemoRound, places: pd.DataFrame, *, scale: float, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the passages and the hours observed of a round."""
    days = (plan.ended_on - plan.started_on).days + 1
    count = max(round(PASSAGES_PER_ROUND * scale), LEAST_PASSAGES_PER_ROUND)
    codes = list(CHECKPOINTS)
    shares = np.array([CHECKPOINTS[code][2] for code in codes])
    checkpoint = rng.choice(len(codes), size=count, p=shares / shares.sum())
    day = rng.integers(0, days, count)
    hour = rng.choice(24, size=count, p=_DAILY_RHYTHM / _DAILY_RHYTHM.sum())
    hours = np.where(rng.random((len(codes), days)) < HOURS_SHORT_SHARE, rng.integers(12, 24, (len(codes), days)), 24)
    seen = hour >= 24 - hours[checkpoint, day]
    checkpoint, day, hour = checkpoint[seen], day[seen], hour[seen]
    order = np.lexsort((hour, day, checkpoint))
    passages = _passages(plan, places, checkpoint[order], day[order], hour[order], rng=rng)
    watch = pd.DataFrame({
        "checkpoint": np.repeat(codes, days),
        "day": [(plan.started_on + timedelta(days=d)).isoformat() for _ in codes for d in range(days)],
        "hours_observed": hours.ravel(),
    })  # fmt: skip
    return passages, watch


def _passages(plan, places, checkpoint, day, hour, *, rng: np.random.Generator) -> pd.DataFrame:  # type: ignore[no-untyped-def]  # noqa: ANN001
    count = len(checkpoint)
    codes = np.array(list(CHECKPOINTS), dtype=object)
    inwards = rng.random(count) < 0.52  # noqa: PLR2004  a few more come than go
    vehicle = _draw(VEHICLES, count, rng=rng)
    persons = 1 + rng.poisson([MEAN_COMPANIONS[name] for name in vehicle])
    groups = rng.multinomial(persons, list(GROUPS.values()))
    outside, inside, beyond = _ends(places, codes[checkpoint], rng=rng)
    near = np.where(rng.random(count) < THROUGH_SHARE, beyond, inside)
    start = datetime.combine(plan.started_on, time())
    table = pd.DataFrame({
        "instance_id": instance_ids(count, rng=rng),
        "checkpoint": codes[checkpoint],
        "direction": np.where(inwards, "in", "out"),
        "passed_at": [
            (start + timedelta(days=int(d), hours=int(h))).strftime("%Y-%m-%dT%H:00:00")
            for d, h in zip(day, hour, strict=True)
        ],
        "vehicle": vehicle, "persons": persons,
        **{name: groups[:, position] for position, name in enumerate(GROUPS)},
        "origin": np.where(inwards, outside, near), "destination": np.where(inwards, near, outside),
        "stay": _draw(STAYS, count, rng=rng), "purpose": _draw(PURPOSES, count, rng=rng),
        "enumerator": [f"C{code}" for code in 10 * (checkpoint + 1) + rng.integers(1, 9, count)],
        "lon": np.round(np.array([CHECKPOINTS[c][0] for c in codes])[checkpoint] + rng.normal(0, 5e-5, count), 6),
        "lat": np.round(np.array([CHECKPOINTS[c][1] for c in codes])[checkpoint] + rng.normal(0, 4e-5, count), 6),
        "accuracy_m": np.round(rng.uniform(3, 15, count), 1),
        "round": plan.number, "form_version": f"{plan.started_on:%Y-%m}",
    })  # fmt: skip
    return table[[name for name in PASSAGES.column_names if name in table.columns]]


def _ends(places, checkpoint, *, rng: np.random.Generator):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Draw for each passage the end outside the city, the district in it, and another aimag beyond it."""
    weights = gravity(places)
    count = len(checkpoint)
    outside = np.empty(count, dtype=object)
    for code, (_, _, _, aimags) in CHECKPOINTS.items():
        at = np.flatnonzero(checkpoint == code)
        outside[at] = _draw({aimag: float(weights[aimag]) for aimag in aimags}, len(at), rng=rng)
    beyond = _draw({str(code): float(weight) for code, weight in weights.items()}, count, rng=rng)
    districts = places[(places["level"] == 2) & places["pcode"].str.startswith(CITY)]  # noqa: PLR2004  level 2 is districts
    inside = _draw(dict(zip(districts["pcode"], districts["persons"].astype(float), strict=True)), count, rng=rng)
    same = beyond == outside
    beyond[same] = inside[same]
    outside[rng.random(count) < 0.006] = "unknown"  # noqa: PLR2004  share who don't say
    return outside, inside, beyond

"""Make up a household survey: a sample of households, who lives in them, and where they lived before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from enumerations._demo_people import (
    AGE_SHARES,
    CITY,
    DURATIONS,
    GROUP_SIZES,
    INSIDE_REASONS,
    MALE_SHARE,
    REASONS,
    gravity,
)
from enumerations._demo_tables import DemoRound, collected_at, instance_ids

if TYPE_CHECKING:
    from enumerations._demo_people import Population

HOUSEHOLDS_PER_KHOROO = 3
CONSENT_SHARE = 0.96
BORN_ELSEWHERE_SHARE = 0.45
"""Of adults; made up, near what censuses tell of the capital."""
MOVED_5Y_SHARE, MOVED_1Y_SHARE = 0.14, 0.03
"""Persons who lived elsewhere five years and one year ago; made up."""
FROM_AIMAGS_SHARE = 0.6
"""Of those moves; the others came from another district of the city."""
AGE_LIMITS_YEARS = ((0, 4), (5, 14), (15, 24), (25, 59), (60, 90))
ADULT_YEARS = 18


def survey_tables(
    population: Population, plan: DemoRound, places: pd.DataFrame, points: pd.DataFrame, *, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Make the tables `households` and `members` of the survey of one round."""
    sample = population.units.groupby("khoroo_pcode", sort=True)["pcode"].apply(
        lambda own: rng.choice(own.to_numpy(), size=HOUSEHOLDS_PER_KHOROO)
    )
    pcodes = np.concatenate(sample.to_list())
    count = len(pcodes)
    by_unit = points.drop_duplicates("pcode").set_index("pcode")
    consent = rng.random(count) < CONSENT_SHARE
    sizes = (
        1
        + rng.choice(len(GROUP_SIZES), size=count, p=np.array(GROUP_SIZES) / sum(GROUP_SIZES))
        + rng.integers(0, 2, count)
    )
    moved = rng.random(count) < 2 * MOVED_5Y_SHARE
    distance = np.where(
        moved,
        rng.choice(["same_district", "other_district", "other_aimag", "abroad"], size=count, p=[0.3, 0.25, 0.43, 0.02]),
        "never_moved",
    )
    households = pd.DataFrame({
        "instance_id": instance_ids(count, rng=rng),
        "form_version": f"{plan.started_on:%Y-%m}", "round": plan.number,
        "enumerator": [f"K{pcode[2:8]}" for pcode in pcodes],
        "collected_at": collected_at(plan, count, rng=rng),
        "unit": pcodes,
        "lon": by_unit.loc[pcodes, "lon"].to_numpy(), "lat": by_unit.loc[pcodes, "lat"].to_numpy(),
        "accuracy_m": np.round(rng.uniform(3, 15, count), 1),
        "consent": np.where(consent, "yes", "no"),
        "household_persons": sizes,
        "dwelling": rng.choice(["ger", "house", "apartment"], size=count, p=[0.3, 0.3, 0.4]),
        "registered": np.where(rng.random(count) < 0.9, "yes", "no"),  # noqa: PLR2004  share registered here
        "move_distance": distance,
        "reason": np.where(moved, rng.choice(list(INSIDE_REASONS), size=count), ""),
        "intended_duration": rng.choice(list(DURATIONS), size=count, p=np.array(list(DURATIONS.values()))),
    })  # fmt: skip
    answers = ["household_persons", "dwelling", "registered", "move_distance", "reason", "intended_duration"]
    households[answers] = households[answers].astype(object).where(pd.Series(consent), None)
    members = _members(households[consent], sizes[consent], places, rng=rng)
    return {"households": households, "members": members}


def _members(
    households: pd.DataFrame, sizes: np.ndarray[tuple[int], np.dtype[np.int64]], places: pd.DataFrame, *,
    rng: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    """Make a row for each person of the households that agreed."""
    home = np.repeat(households["unit"].str[:6].to_numpy(), sizes)
    count = len(home)
    band = rng.choice(len(AGE_SHARES), size=count, p=np.array(AGE_SHARES) / sum(AGE_SHARES))
    low, high = np.array(AGE_LIMITS_YEARS)[band].T
    age = rng.integers(low, high + 1)
    five = np.where(rng.random(count) < MOVED_5Y_SHARE, _elsewhere(home, places, rng=rng), home)
    one = np.where(rng.random(count) < MOVED_1Y_SHARE, five, home)
    born = np.where(
        rng.random(count) < BORN_ELSEWHERE_SHARE * (age >= ADULT_YEARS), _elsewhere(home, places, rng=rng), home
    )
    came = (age >= 5) & (five != home)  # noqa: PLR2004  asked of those who lived five years ago
    return pd.DataFrame({
        "instance_id": np.repeat(households["instance_id"].to_numpy(), sizes),
        "sex": np.where(rng.random(count) < MALE_SHARE, "male", "female"),
        "age_years": age,
        "residence_1y": np.where(age >= 1, one, ""),
        "residence_5y": np.where(age >= 5, five, ""),  # noqa: PLR2004  as above
        "birthplace": born,
        "registered": np.where(rng.random(count) < np.where(came, 0.7, 0.95), "yes", "no"),
        "reason": np.where(came, rng.choice(list(REASONS), size=count, p=np.array(list(REASONS.values()))), ""),
    })  # fmt: skip


def _elsewhere(
    home: np.ndarray[tuple[int], np.dtype[np.object_]], places: pd.DataFrame, *, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """Draw an aimag, or another district of the city, for each person."""
    weights = gravity(places)
    aimags = rng.choice(weights.index.to_numpy(dtype=object), size=len(home), p=weights.to_numpy())
    districts = places[(places["level"] == 2) & places["pcode"].str.startswith(CITY)]  # noqa: PLR2004  level 2 is districts
    shares = districts["persons"].to_numpy(dtype=float)
    inside = rng.choice(districts["pcode"].to_numpy(dtype=object), size=len(home), p=shares / shares.sum())
    return np.where((rng.random(len(home)) < FROM_AIMAGS_SHARE) | (inside == home), aimags, inside)

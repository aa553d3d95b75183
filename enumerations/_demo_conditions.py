"""Make up what kheseg leaders tell of work, money, problems, services and children."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from enumerations.codelists import codes_of

if TYPE_CHECKING:
    import pandas as pd

    from enumerations._demo_people import Floats, Ints, Population

EMPLOYED_SHARE, UNEMPLOYED_SHARE = 0.39, 0.035
"""Of the persons living there; made up."""
WELFARE_SHARE_APARTMENTS, WELFARE_SHARE_GER = 0.06, 0.24
"""Of the households, by kind of neighbourhood; made up."""
SCHOOL_AGE_SHARE_OF_5_14, PRESCHOOL_SHARE_OF_0_4 = 1.05, 0.78
"""Children aged 6-17 and 2-5 as shares of the age bands the baseline asks for; made up."""
OUT_OF_SCHOOL_SHARE, NO_KINDERGARTEN_SHARE = 0.015, 0.28
CHOICES_MAXIMUM = 4
"""Problems and services that one leader names at most."""
APARTMENT_PROBLEMS = ("air_pollution", "roads", "school_places", "crime", "waste")
GER_PROBLEMS = (
    "air_pollution", "soil_pollution", "water_supply", "waste", "roads", "flood_risk", "stray_dogs", "unemployment",
    "land_permits",
)  # fmt: skip
APARTMENT_SERVICES = ("kindergarten", "green_area", "school", "public_transport")
GER_SERVICES = ("heating", "sewage", "water", "road", "street_light", "kindergarten", "green_area", "health")
MOSTLY_GER_SHARE = 0.5


def _some(codes: tuple[str, ...], listed: list[str], *, rng: np.random.Generator) -> str:
    """Choose one to four codes and name them in the order of the list."""
    chosen = set(rng.choice(codes, size=int(rng.integers(1, CHOICES_MAXIMUM + 1)), replace=False).tolist())
    return " ".join(code for code in listed if code in chosen)


def _one(weights: dict[str, float], count: int, *, rng: np.random.Generator) -> list[str]:
    shares = np.array(list(weights.values()))
    names: list[str] = rng.choice(list(weights), size=count, p=shares / shares.sum()).tolist()
    return names


def _part(totals: Ints, shares: Floats | float, *, rng: np.random.Generator) -> Ints:
    noise = rng.normal(1.0, 0.08, len(totals)).clip(0.7, 1.3)
    part: Ints = np.rint(totals * shares * noise).astype(np.int64)
    return np.minimum(part, totals)


def condition_columns(
    population: Population, arrivals: pd.DataFrame, departures: pd.DataFrame, baseline: pd.DataFrame, *,
    rng: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    """Return the columns of the baseline's further themes, one value per unit, and whether anyone moved."""
    count = len(population.units)
    ger = population.units["ger_area_share"].to_numpy(dtype=float)
    mostly_ger = ger > MOSTLY_GER_SHARE
    persons, households = population.persons, population.households
    school_age = np.minimum(np.rint(population.ages[:, 1] * SCHOOL_AGE_SHARE_OF_5_14).astype(np.int64), persons)
    preschool_age = np.rint(population.ages[:, 0] * PRESCHOOL_SHARE_OF_0_4).astype(np.int64)
    welfare = WELFARE_SHARE_APARTMENTS + (WELFARE_SHARE_GER - WELFARE_SHARE_APARTMENTS) * ger
    problems, services = codes_of("problem"), codes_of("service")
    instances = baseline["instance_id"]
    return {
        "informant_role": np.where(rng.random(count) < 0.94, "kheseg_leader", "khoroo_officer"),  # noqa: PLR2004  the officer stands in
        "had_arrivals": np.where(instances.isin(arrivals["instance_id"]), "yes", "no"),
        "had_departures": np.where(instances.isin(departures["instance_id"]), "yes", "no"),
        "employed_persons": _part(persons, EMPLOYED_SHARE, rng=rng),
        "unemployed_persons": _part(persons, UNEMPLOYED_SHARE * (0.7 + 0.8 * ger), rng=rng),
        "main_income": [
            near if not far else other
            for far, near, other in zip(
                mostly_ger,
                _one({"wages": 0.8, "own_business": 0.14, "pension": 0.06}, count, rng=rng),
                _one({"wages": 0.55, "informal_work": 0.2, "own_business": 0.1, "welfare": 0.1, "pension": 0.05},
                     count, rng=rng),
                strict=True,
            )
        ],
        "income_change": _one({"better": 0.2, "same": 0.5, "worse": 0.25, "unknown": 0.05}, count, rng=rng),
        "welfare_households": _part(households, welfare, rng=rng),
        "problems": [_some(GER_PROBLEMS if far else APARTMENT_PROBLEMS, problems, rng=rng) for far in mostly_ger],
        "safety": _one({"safe": 0.2, "rather_safe": 0.45, "rather_unsafe": 0.25, "unsafe": 0.1}, count, rng=rng),
        "services_lacking": [
            _some(GER_SERVICES if far else APARTMENT_SERVICES, services, rng=rng) for far in mostly_ger
        ],
        "water_source": np.where(
            mostly_ger, _one({"kiosk": 0.75, "tanker": 0.15, "well": 0.1}, count, rng=rng), "central"
        ),
        "electricity_households": np.minimum(households, np.rint(households * (1 - 0.012 * ger)).astype(np.int64)),
        "school_age_persons": school_age,
        "out_of_school_persons": _part(school_age, OUT_OF_SCHOOL_SHARE, rng=rng),
        "preschool_age_persons": preschool_age,
        "out_of_kindergarten_persons": _part(preschool_age, NO_KINDERGARTEN_SHARE * (0.6 + 0.8 * ger), rng=rng),
    }  # fmt: skip

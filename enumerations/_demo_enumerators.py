"""Make up the register of enumerators: pseudonyms, roles, units and days of training."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from enumerations._demo_checkpoints import CHECKPOINTS

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

FIRST_TRAINING = date(2023, 3, 13)
TRAINING_DAYS = 14
"""The first trainings, before round 1; later ones follow before each round."""
UNTRAINED_SHARE = 0.06
LATER_SHARE = 0.15
"""Leaders who took office later and were trained before a later round."""
CHECKPOINT_ENUMERATORS = range(1, 9)


def write_enumerators(path: Path, units: pd.DataFrame, *, rng: np.random.Generator) -> Path:
    """Write the register as CSV: one kheseg leader per unit, one officer per khoroo, eight people per checkpoint."""
    people = [
        *((f"E{pcode[2:]}", "kheseg_leader", pcode) for pcode in units["pcode"]),
        *((f"K{pcode[2:]}", "khoroo_officer", pcode) for pcode in units["khoroo_pcode"].drop_duplicates()),
        *(
            (f"C{10 * number + one}", "checkpoint", checkpoint)
            for number, checkpoint in enumerate(CHECKPOINTS, 1)
            for one in CHECKPOINT_ENUMERATORS
        ),
    ]
    rows = [(*person, _trained_on(rng)) for person in people]
    frame = pd.DataFrame(rows, columns=["enumerator", "role", "unit", "trained_on"])
    frame.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
    return path


def _trained_on(rng: np.random.Generator) -> str:
    chance = rng.random()
    if chance < UNTRAINED_SHARE:
        return ""
    half_years = int(rng.integers(1, 6)) if chance < UNTRAINED_SHARE + LATER_SHARE else 0
    day = FIRST_TRAINING + timedelta(days=int(rng.integers(TRAINING_DAYS)) + 183 * half_years)
    return day.isoformat()

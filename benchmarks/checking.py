"""Time an import with all its checks against the same import of the same sound rows with no check at all.

Nothing can be faster than not looking: the ratio says what the checks cost. At 0.5 they take as long as all the rest,
which is the aim. Both read, type, look up codes and places, locate, and store; without checks no rule is computed, no
finding is written and no round is looked through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest import mock

from benchmarks import importing
from dtm._imports_rounds import plan_passage_round

if TYPE_CHECKING:
    from pathlib import Path

    from dtm._imports_rounds import Rounds


def prepare(folder: Path, facts: dict) -> dict:
    """Write a CSV without a fault, so that it can be stored unchecked."""
    return importing.prepare(folder, {**facts, "has_faults": False})


def _unchecked(folder: Path, facts: dict):
    with (
        mock.patch("enumerations.checks.rules_of", return_value=()),
        mock.patch("enumerations.checks._failed", return_value="false"),
        mock.patch("dtm._imports_checkpoints.plan_passage_round", _plan_unchecked),
        mock.patch("dtm.imports.refresh_round_findings"),
    ):
        return importing.ours(folder, facts)


def _plan_unchecked(rounds: Rounds) -> tuple[str, tuple]:
    return plan_passage_round(rounds)[0], ()


ARMS = {"ours": importing.ours, "unchecked": _unchecked}
compare = importing.compare

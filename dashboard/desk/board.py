"""Read what the page shows of a round from the desk, in one visit."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import geopandas as gpd
    import pandas as pd

BASELINE_FORM = "kheseg-baseline"
"""The form by which units report, and by which they are expected to."""
STATES = ("draft", "cleaning", "signed_off", "released")


class RoundDesk(Protocol):
    """What the page asks of `dtm.desk.Desk`."""

    def rounds(self) -> list[dict[str, Any]]:
        """Return the rounds, oldest first."""

    def status(self, number: int) -> dict[str, Any]:
        """Return what `dtm round status --json` prints."""

    def areas(self, number: int) -> gpd.GeoDataFrame:
        """Return the khoroos with units expected and received."""

    def findings(self, number: int, **choice: Any) -> tuple[pd.DataFrame, int]:
        """Return a page of findings and how many there are."""

    def waive(self, number: int, finding_ids: Sequence[str], *, reason: str, who: str) -> int:
        """Waive findings."""

    def take_back(self, number: int, finding_ids: Sequence[str], *, who: str) -> int:
        """Take waivers back."""

    def accept(self, records: list[str], *, reason: str, who: str) -> Mapping[str, Any]:
        """Accept returns."""

    def reject(self, records: list[str], *, reason: str, who: str) -> Mapping[str, Any]:
        """Reject returns."""

    def edit(self, edits: list[Any]) -> Mapping[str, Any]:
        """Write edits to the cleaning log."""

    def upload(self, name: str, content: bytes, *, number: int | None) -> Mapping[str, Any]:
        """Import a file."""

    def close(self, number: int, *, to: str, who: str, reason: str) -> Mapping[str, Any]:
        """Move a round on."""

    def reopen(self, number: int, *, who: str, reason: str) -> Mapping[str, Any]:
        """Move a round back."""

    def template(self, number: int, *, language: str) -> bytes:
        """Return the cleaning template of a round."""

    def feedback(self, number: int, pcode: str, *, language: str) -> str:
        """Return a khoroo's feedback sheet."""


@dataclass(frozen=True)
class Board:
    """A round as the page shows it; counts are of units, returns and findings.

    Attributes
    ----------
    missing
        Units without a return; `is_due` says whether they are late.
    training
        Returns by the training of who sent them.
    codes
        Findings by code: severity, code, open, waived.
    """

    number: int
    status: str
    started_on: date
    ended_on: date
    units_expected: int = 0
    units_received: int = 0
    returns: int = 0
    due_on: date | None = None
    is_due: bool = False
    districts: list[dict[str, Any]] = field(default_factory=list)
    roles: list[dict[str, Any]] = field(default_factory=list)
    training: list[dict[str, Any]] = field(default_factory=list)
    khoroos: list[dict[str, Any]] = field(default_factory=list)
    days: list[dict[str, Any]] = field(default_factory=list)
    missing: list[dict[str, Any]] = field(default_factory=list)
    codes: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)

    def count(self, state: str, severity: str | None = None) -> int:
        """Return how many findings are `open` or `waived`."""
        return sum(row[state] for row in self.codes if severity is None or row["severity"] == severity)

    def area_names(self, lang: str) -> dict[str, str]:
        """Return the khoroos' names by P-code, each with its district before it."""
        districts = {row["pcode"]: str(row[f"name_{lang}"]) for row in self.districts}
        names = {}
        for row in self.khoroos:
            name, district = str(row[f"name_{lang}"]), districts.get(str(row["pcode"])[:-2])
            names[str(row["pcode"])] = name if district is None or name.startswith(district) else f"{district}, {name}"
        return names

    @property
    def obstacles(self) -> list[dict[str, Any]]:
        """Return the errors by code that stand against signing off."""
        return [row for row in self.codes if row["severity"] == "error" and row["open"]]

    def sent_by(self, training: str) -> int:
        """Return how many baseline returns came from enumerators trained, untrained or unknown."""
        return sum(
            row["returns"] for row in self.training if row["training"] == training and row["form"] == BASELINE_FORM
        )


def day_of(value: Any) -> date:
    """Return a day, whether it came as one or as text."""
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])


def board_from(status: Mapping[str, Any]) -> Board:
    """Build the page's view of a round from what `dtm round status` tells."""
    head = status["round"]
    coverage = status["coverage"]
    return Board(
        number=int(head["number"]),
        status=str(head["status"]),
        started_on=day_of(head["started_on"]),
        ended_on=day_of(head["ended_on"]),
        units_expected=int(coverage["units_expected"]),
        units_received=int(coverage["units_received"]),
        returns=int(coverage["returns"]),
        due_on=day_of(coverage["due_on"]),
        is_due=bool(coverage["is_due"]),
        districts=list(coverage["by_district"]),
        roles=list(coverage["by_role"]),
        training=list(coverage["training"]),
        khoroos=list(coverage["by_khoroo"]),
        days=list(coverage["by_day"]),
        missing=list(coverage["missing"]),
        codes=list(status["findings"]),
        history=list(status["history"]),
    )

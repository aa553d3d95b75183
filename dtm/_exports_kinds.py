"""Say what a column and a product of an export are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnKind = Literal["integer", "number", "text", "date", "boolean"]


@dataclass(frozen=True)
class ExportColumn:
    """One column of an exported file; `hxl` is its tag in the optional HXL row."""

    name: str
    kind: ColumnKind
    meaning_en: str
    meaning_mn: str
    unit: str = ""
    hxl: str = ""

    def meaning(self, language: str) -> str:
        """Return the meaning in a language."""
        return self.meaning_mn if language == "mn" else self.meaning_en


@dataclass(frozen=True)
class Product:
    """One thing a user can export: the release table it comes from and its columns in order."""

    name: str
    table: str
    title_en: str
    title_mn: str
    columns: tuple[str, ...]

    def title(self, language: str) -> str:
        """Return the title in a language."""
        return self.title_mn if language == "mn" else self.title_en


ROUND = ("round_number", "started_on", "ended_on")
AREA = ("level", "pcode", "name_en", "name_mn", "parent_pcode", "parent_name_en", "parent_name_mn")
COVERAGE = ("units_expected", "units_reported", "registered_coverage_share")
RELEASE = ("release_id", "is_demonstration")
STATUS = ("status", "status_label")
METHOD = ("method", "method_label")
NOTE = ("note", "note_label")
INTERVAL = ("low", "high")
ENDS = tuple(f"{end}{part}" for end in ("origin", "destination") for part in ("", "_name_en", "_name_mn"))
ENDS_COVERAGE = tuple(f"{end}_{name}" for end in ("origin", "destination") for name in COVERAGE)

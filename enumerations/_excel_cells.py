"""Turn cells of a workbook into text: moments of both date systems, codes with their zeros, yes and no."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from enumerations._xlsx_parts import NumberFormat

if TYPE_CHECKING:
    from enumerations._xlsx_rows import Cell

EPOCH_1900: Final = datetime(1899, 12, 30)  # noqa: DTZ001  Excel's days have no zone
EPOCH_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001
FIRST_SOUND_DAY: Final = 60
"""Excel counts a 29 February 1900 that never was: days before it are one further from the epoch."""
EXCEL_DAYS: Final = (18_000, 80_000)
"""Plain numbers in this range in a date column are days since the epoch (1949 or 1953 on)."""
DAYS_MAXIMUM: Final = {False: 2_958_466, True: 2_957_004}
"""The end of the year 9999, in the systems of 1900 and 1904."""
_SECONDS: Final = 86_400
_PLAIN: Final = NumberFormat()


@dataclass(frozen=True)
class MomentReader:
    """Read the days of one workbook; `formats` are its cell styles."""

    is_1904: bool = False
    formats: list[NumberFormat] = field(default_factory=list)

    def format_of(self, style: int) -> NumberFormat:
        """Return what a cell style does; a style that isn't there does nothing."""
        return self.formats[style] if style < len(self.formats) else _PLAIN

    def moment(self, days: float) -> str | None:
        """Return days since the epoch as an ISO date, time or both, to the second; None outside the calendar."""
        if not 0 <= days < DAYS_MAXIMUM[self.is_1904]:
            return None
        seconds = min(round(days * _SECONDS), DAYS_MAXIMUM[self.is_1904] * _SECONDS - 1)
        if seconds < _SECONDS:
            return time(seconds // 3600, seconds // 60 % 60, seconds % 60).isoformat()
        if self.is_1904:
            moment = EPOCH_1904 + timedelta(seconds=seconds)
        else:
            moment = EPOCH_1900 + timedelta(seconds=seconds, days=days < FIRST_SOUND_DAY)
        return moment.isoformat() if seconds % _SECONDS else moment.date().isoformat()


def number_text(text: str) -> str:
    """Return a stored number as people write it: whole numbers without a point, others in their shortest form."""
    try:
        value = float(text)
    except ValueError:
        return text.strip()
    if text.isdecimal():
        return text.lstrip("0") or "0"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)  # noqa: PLR2004  exact


def cell_text(cell: Cell, moments: MomentReader, *, is_moment: bool = False, is_number: bool = False) -> str | None:
    """Return a cell as text, or None for an empty one.

    A number becomes a moment where its format is a date's (but not in a column of counts), or where the column holds
    moments and the number is a likely day; it keeps the zeros that a format such as 000 shows.
    """
    kind, text = cell.kind, cell.text
    if kind == "n":
        return _number(text, moments.format_of(cell.style), moments, is_moment=is_moment, is_number=is_number)
    if kind == "b":
        return {"1": "yes", "0": "no", "true": "yes", "false": "no"}.get(text.strip().casefold(), text.strip() or None)
    return text.strip() or None


def _number(text: str, shown: NumberFormat, moments: MomentReader, *, is_moment: bool, is_number: bool) -> str | None:
    if not text.strip():
        return None
    plain = number_text(text)
    if is_number or not (shown.is_date or shown.digits or is_moment):
        return plain
    try:
        value = float(text)
    except ValueError:
        return plain
    if shown.is_date or (is_moment and EXCEL_DAYS[0] <= value <= EXCEL_DAYS[1]):
        return moments.moment(value) or plain
    if shown.digits and plain.isdecimal():
        return plain.rjust(shown.digits, "0")
    return plain

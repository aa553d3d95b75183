"""Check any table of figures by place and period: outliers, swapped digits, copied rows, rounded figures.

Every figure is judged by the history of its own place, in logarithms (relative change), after the change that the
median place saw in the period is taken off. A figure is out where it leaves both its neighbours, or the medians of up
to five periods on both sides, by more than 3.5 robust standard deviations (median absolute deviation times 1.4826;
Iglewicz and Hoaglin 1993) and by more than 20 %. Small counts are allowed the noise of counting (Poisson). A figure
that comes back is a spike; a series that stays is a shift of level. A slip of the pen (two digits swapped, a digit
too many or too few, two columns exchanged) is told where undoing it brings the figure back into its series; then a
change below 20 % is enough. How well this works is measured in docs/decisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from enumerations._series_cells import Cell, Judged, cells_of, exchanged_rows, judge, shifts_of
from enumerations._series_model import fit_series
from enumerations._series_rows import HEAPED_DIGITS_SHARE, heaps, repeated_rows
from enumerations.findings import CATALOGUE, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from enumerations._series_model import Fit, Floats, Integers

SERIES_CODES = (
    "series_spike", "series_shift", "series_end", "digits_swapped", "figure_scale", "figures_exchanged",
    "repeats_earlier_period", "repeats_other_place", "heaped_numbers",
)  # fmt: skip
"""Codes of the catalogue that a table of figures can have."""


@dataclass(frozen=True)
class SeriesFinding:
    """One thing found in a table of figures.

    Attributes
    ----------
    key, period
        Place and period of the row; empty for a finding on many rows.
    field, value
        Column and figure; several are joined by a comma.
    suggested
        The figure that would fit, where a slip of the pen explains the one written.
    """

    code: str
    key: str | None
    period: str | None
    field: str
    value: str
    suggested: str | None
    message_en: str
    message_mn: str


@dataclass(frozen=True)
class Figures:
    """A table of figures in the order of place and period: names of the rows, and figures by field (NaN for none)."""

    keys: tuple[str, ...]
    periods: tuple[str, ...]
    key: Integers
    period: Integers
    fields: tuple[str, ...]
    told: Floats

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, key: str, period: str, values: Sequence[str]) -> Figures:
        """Order a table of one row for each place and period; `key` and `period` are text or numbers."""
        key_codes, keys = pd.factorize(frame[key], sort=True)
        period_codes, periods = pd.factorize(frame[period], sort=True)
        order = np.lexsort((period_codes, key_codes))
        figures = frame[list(values)].to_numpy(dtype=float)[order]
        return cls(
            tuple(map(str, keys)), tuple(map(str, periods)), key_codes[order].astype(np.int64),
            period_codes[order].astype(np.int64), tuple(values), figures,
        )  # fmt: skip


def _shown(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.6g}"


def check_series(figures: Figures) -> list[SeriesFinding]:
    """Return what is found in a table of figures, by place and period; see the module for the method."""
    judged = [(field, judge(_fit(figures, field))) for field in range(len(figures.fields)) if _has(figures, field)]
    copied = _copied(figures, judged)
    exchanged = exchanged_rows(judged, len(figures.key)) if len(judged) > 1 else []
    covered = {row for row, _ in copied}
    pairs = {(row, field) for row, *fields in exchanged for field in fields}
    found = [finding for _, finding in copied]
    found += [_exchanged(figures, *one) for one in exchanged if one[0] not in covered]
    for field, one in judged:
        cells = cells_of(one)
        out = {cell.row for cell in cells}
        cells += [cell for cell in shifts_of(one) if not {cell.row, cell.row - 1} & (out | covered)]
        found += [
            _cell(figures, field, cell) for cell in cells if cell.row not in covered and (cell.row, field) not in pairs
        ]
    found += _heaped(figures)
    return sorted(found, key=lambda one: (one.key or "", one.period or "", one.field, one.code))


def _has(figures: Figures, field: int) -> bool:
    return not bool(np.isnan(figures.told[:, field]).all())


def _fit(figures: Figures, field: int) -> Fit:
    there = np.flatnonzero(~np.isnan(figures.told[:, field])).astype(np.int64)
    return fit_series(there, figures.key[there], figures.period[there], figures.told[there, field])


def _finding(
    code: str, *, key: str | None, period: str | None, field: str, value: str, hint: str, suggested: str | None = None
) -> SeriesFinding:
    english, mongolian = (
        render(CATALOGUE[code].template(language), field=field, value=value, hint=hint) for language in ("en", "mn")
    )
    return SeriesFinding(code, key, period, field, value, suggested, english, mongolian)


def _place(figures: Figures, row: int) -> dict[str, str]:
    return {"key": figures.keys[figures.key[row]], "period": figures.periods[figures.period[row]]}


def _cell(figures: Figures, field: int, cell: Cell) -> SeriesFinding:
    suggested = None if cell.suggested is None else _shown(cell.suggested)
    return _finding(
        cell.code, **_place(figures, cell.row), field=figures.fields[field], value=_shown(cell.value),
        hint=suggested or _shown(cell.expected), suggested=suggested,
    )  # fmt: skip


def _exchanged(figures: Figures, row: int, one: int, other: int) -> SeriesFinding:
    values = [_shown(figures.told[row, field]) for field in (one, other)]
    meant = ", ".join(reversed(values))
    return _finding(
        "figures_exchanged", **_place(figures, row), field=f"{figures.fields[one]}, {figures.fields[other]}",
        value=", ".join(values), hint=meant, suggested=meant,
    )  # fmt: skip


def _copied(figures: Figures, judged: list[tuple[int, Judged]]) -> list[tuple[int, SeriesFinding]]:
    noise = np.ones_like(figures.told)
    for field, one in judged:
        if one.fit.is_log:
            noise[one.fit.rows, field] = one.fit.noise(one.fit.level, one.fit.scale)
    found = []
    for repeat in repeated_rows(figures.told, noise, figures.key, figures.period):
        source = _place(figures, repeat.of)
        code = "repeats_earlier_period" if repeat.is_same_place else "repeats_other_place"
        hint = source["period"] if repeat.is_same_place else f"{source['key']} ({source['period']})"
        value = ", ".join(map(_shown, figures.told[repeat.row]))
        finding = _finding(
            code, **_place(figures, repeat.row), field=", ".join(figures.fields), value=value, hint=hint
        )  # fmt: skip
        found.append((repeat.row, finding))
    return found


def _heaped(figures: Figures) -> list[SeriesFinding]:
    """Tell heaping of a whole column, else of a period, else of a place."""
    found = []
    expected = f"{HEAPED_DIGITS_SHARE:.0%}"
    whole = np.zeros(len(figures.key), dtype=np.int64)
    for field, name in enumerate(figures.fields):
        values = np.abs(np.nan_to_num(figures.told[:, field]))
        for column, groups in ((None, whole), ("period", figures.period), ("key", figures.key)):
            listed = heaps(values, groups)
            for group, heaped, size in listed:
                place = {
                    "key": figures.keys[group] if column == "key" else None,
                    "period": figures.periods[group] if column == "period" else None,
                }
                share = f"{heaped / size:.0%}"
                found.append(_finding("heaped_numbers", **place, field=name, value=share, hint=expected))
            if listed:
                break
    return found

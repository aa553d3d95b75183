"""Show the periods in which a series of an area does not mean what it says before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from dtm import series_breaks
from dtm._exports_breaks import CHANGE_INDICATORS, REGISTERED_INDICATORS

if TYPE_CHECKING:
    import datetime as dt

    import plotly.graph_objects as go

    from dashboard.measures import Measure
    from dashboard.reader import Snapshot
    from dashboard.words import Words
    from dtm.series_breaks import SeriesBreak

STOCK_SERIES = ("registered", "all")
MOVE_SERIES = ("registration", "all")
EVERY_SERIES = ("all",)
FILL = "#e8b04a"
FILL_OPACITY = 0.28
LINE = "#7a4b00"


@dataclass(frozen=True)
class Break:
    """One period, in the reader's language; `is_part` where the shown area is larger than the place it happened in."""

    begin: dt.date
    end: dt.date | None
    label: str
    what: str
    reference: str
    place: str
    is_part: bool

    @property
    def years(self) -> str:
        """Return from when to when."""
        last = "" if self.end is None else str(self.end.year)
        return str(self.begin.year) if last == str(self.begin.year) else f"{self.begin.year}–{last}"


def breaks_of(snapshot: Snapshot, words: Words, series: tuple[str, ...], *, pcode: str | None = None) -> list[Break]:
    """Return the breaks of some series, oldest first, each once; of an area those of it, around it and inside it."""
    found: dict[tuple[str, str], Break] = {}
    for one in series_breaks.breaks_of(snapshot.rows("series_break")):
        reach = series_breaks.WHOLE if pcode is None else one.reach(pcode)
        if one.series not in series or reach == series_breaks.ELSEWHERE:
            continue
        place = place_of(snapshot, one, words)
        label, is_part = str(getattr(one, f"label_{words.lang}")), reach == series_breaks.PART
        found.setdefault(
            (one.name, one.pcode),
            Break(
                begin=one.from_on,
                end=one.to_on,
                label=f"{label} ({place})" if is_part else label,
                what=str(getattr(one, f"what_{words.lang}")),
                reference=one.reference,
                place=place,
                is_part=is_part,
            ),
        )
    return sorted(found.values(), key=lambda one: (one.begin, one.label))


def place_of(snapshot: Snapshot, one: SeriesBreak, words: Words) -> str:
    """Return the name of the area a break is about."""
    return words("break.country") if one.pcode == series_breaks.COUNTRY else snapshot.name(one.pcode, words)


def touching(periods: list[Break], first: dt.date, last: dt.date) -> list[Break]:
    """Return the breaks that lie in a span of days, at least in part."""
    return [period for period in periods if touches(period, first, last)]


def of_measure(snapshot: Snapshot, words: Words, measure: Measure, *, pcode: str, round_number: int) -> list[Break]:
    """Return the breaks that a figure of a round lies in, or that its comparison with the round before crosses."""
    is_registered = measure.where.get("category") == "registered" or measure.key in REGISTERED_INDICATORS
    day = snapshot.reference_day(round_number)
    first = day_before(snapshot, round_number) if measure.key in CHANGE_INDICATORS else day
    series = STOCK_SERIES if is_registered else EVERY_SERIES
    return touching(breaks_of(snapshot, words, series, pcode=pcode), first, day)


def day_before(snapshot: Snapshot, round_number: int) -> dt.date:
    """Return the reference day of the round before, a first round's own."""
    place = list(snapshot.rounds.index).index(round_number)
    return snapshot.reference_day(int(snapshot.rounds.index[max(place - 1, 0)]))


def touches(period: Break, first: dt.date, last: dt.date) -> bool:
    """Return whether a break lies in a span of days, at least in part."""
    return period.begin <= last and (period.end is None or period.end >= first)


def shade(figure: go.Figure, periods: list[Break], *, first: dt.date, last: dt.date) -> None:
    """Shade the breaks that lie in the chart's span of days, each with its label."""
    for period in periods:
        if not touches(period, first, last):
            continue
        figure.add_vrect(
            x0=max(period.begin, first).isoformat(),
            x1=min(period.end or last, last).isoformat(),
            fillcolor=FILL,
            opacity=FILL_OPACITY,
            line={"width": 0},
            layer="below",
        )
        for edge in (period.begin, period.end):
            if edge is not None and first <= edge <= last:
                figure.add_vline(x=edge.isoformat(), line={"color": LINE, "width": 1, "dash": "dash"}, layer="below")
        figure.add_annotation(
            x=max(period.begin, first).isoformat(), xanchor="left", xshift=3, y=1, yref="paper", yanchor="top",
            text=period.label, showarrow=False, font={"size": 11, "color": LINE}, bgcolor="rgba(255,255,255,0.75)",
        )  # fmt: skip


def cut(days: list[dt.date], values: list[float], periods: list[Break]) -> tuple[list[dt.date], list[float | None]]:
    """Return a line with a hole wherever a break begins or ends between two of its points."""
    cut_days: list[dt.date] = []
    cut_values: list[float | None] = []
    edges = sorted({edge for period in periods for edge in (period.begin, period.end) if edge is not None})
    for i, (day, value) in enumerate(zip(days, values, strict=True)):
        if i and any(days[i - 1] < edge <= day for edge in edges):
            cut_days.append(days[i - 1] + (day - days[i - 1]) / 2)
            cut_values.append(None)
        cut_days.append(day)
        cut_values.append(None if pd.isna(value) else value)
    return cut_days, cut_values


def told(periods: list[Break], words: Words) -> list[str]:
    """Return a sentence for every break: when, where, what happened, and who says so."""
    sentences = []
    for period in periods:
        said = words("break.told", years=period.years, place=period.place, what=period.what, reference=period.reference)
        sentences.append(f"{said} {words('break.part', place=period.place)}" if period.is_part else said)
    return sentences

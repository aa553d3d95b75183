"""Show the periods in which a series does not mean what it says before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import datetime as dt

    import plotly.graph_objects as go

    from dashboard.reader import Snapshot
    from dashboard.words import Words

STOCK_SERIES = ("registered", "all")
MOVE_SERIES = ("registration", "all")
FILL = "#e8b04a"
FILL_OPACITY = 0.28
LINE = "#7a4b00"


@dataclass(frozen=True)
class Break:
    """One period, in the reader's language."""

    begin: dt.date
    end: dt.date | None
    label: str
    what: str
    reference: str

    @property
    def years(self) -> str:
        """Return from when to when."""
        last = "" if self.end is None else str(self.end.year)
        return str(self.begin.year) if last == str(self.begin.year) else f"{self.begin.year}–{last}"


def breaks_of(snapshot: Snapshot, words: Words, series: tuple[str, ...]) -> list[Break]:
    """Return the breaks of some series, oldest first, each once."""
    frame = snapshot.rows("series_break")
    frame = frame[frame["series"].isin(series)].drop_duplicates("name").sort_values("from_on")
    return [
        Break(
            begin=pd.Timestamp(row["from_on"]).date(),
            end=None if pd.isna(row["to_on"]) else pd.Timestamp(row["to_on"]).date(),
            label=str(row[words.label_column]),
            what=str(row[f"what_{words.lang}"]),
            reference=str(row["reference"]),
        )
        for _, row in frame.iterrows()
    ]


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
    """Return a sentence for every break: when, what happened, and who says so."""
    return [words("break.told", years=period.years, what=period.what, reference=period.reference) for period in periods]

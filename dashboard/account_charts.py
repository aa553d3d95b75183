"""Draw how the people of an area became those of the next round, and what is estimated beside what was told."""

from __future__ import annotations

import itertools
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dashboard import breaks, trends
from dashboard.charts import ACTUAL, ARRIVALS, DEPARTURES, base_chart
from dtm.balance import AMBER_PCT, RED_PCT

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from dashboard.reader import Snapshot
    from dashboard.words import Words


@dataclass(frozen=True)
class Flag:
    """How a verdict looks: colour, letters on it, sign in words and mark in a chart; each tells it alone."""

    color: str
    ink: str
    sign: str
    marker: str
    pattern: str


FLAGS = {
    "green": Flag("#00695c", "#ffffff", "✓", "circle", ""),
    "amber": Flag("#f0a500", "#1c2330", "▲", "triangle-up", "/"),
    "red": Flag("#a3161c", "#ffffff", "✕", "x", "x"),
}
"""Verdicts on a residual, the best first."""
LIMITS_PCT = {"amber": AMBER_PCT, "red": RED_PCT}
ESTIMATED = "#8fb4d9"
LINE, GRID, SOFT = "#1c2330", "#e6e8ec", "#5d6472"
STEPS = ("opening", "arrivals", "departures", "births", "deaths", "boundary_change", "residual", "closing")
ENDS = ("opening", "closing")
TAKEN_AWAY = ("departures", "deaths")
FIGURES = ("actual_persons", "arrivals", "departures")
TALL_PX, RESIDUAL_PX, COMPLETED_PX = 320, 302, 330
NARROW_CHARACTERS, WIDE_CHARACTERS = 16, 30
COLUMN_CHARACTERS = 12
"""Letters of a label that fit under a column of the account."""
LABELLED_PX = 520
"""Width from which the residuals of all rounds have room for their figures."""
LEAST_REACH_PCT = 9.0
"""The axis of residuals reaches at least so far to both sides, so that the limits are always seen, and the
reason of a gap below them."""


def row_of(snapshot: Snapshot, table: str, /, **where: Any) -> dict[str, Any] | None:
    """Return the one row of a released table with these values, None where there is none."""
    frame = snapshot.rows(table, **where)
    return None if frame.empty else {str(name): value for name, value in frame.iloc[0].items()}


def is_there(row: dict[str, Any] | None) -> bool:
    """Return whether a row is there and published."""
    return row is not None and row["status"] == "published"


def steps_of(row: dict[str, Any]) -> list[str]:
    """Return the steps of an account; the boundary change only where there was one."""
    return [step for step in STEPS if step != "boundary_change" or row[step]]


def wrapped(text: str, characters: int) -> str:
    """Return a label in lines of about so many characters."""
    return "<br>".join(textwrap.wrap(text, characters, break_long_words=False)) or text


def waterfall(row: dict[str, Any], words: Words, *, is_narrow: bool = False) -> go.Figure:
    """Return the account of an area: what came to the people of the round before and what left them."""
    steps = pd.DataFrame({"step": steps_of(row)})
    steps["value"] = [float(row[step]) * (-1 if step in TAKEN_AWAY else 1) for step in steps["step"]]
    is_end, is_residual = steps["step"].isin(ENDS), steps["step"] == "residual"
    after = steps["value"].cumsum().where(steps["step"] != "closing", steps["value"])
    flag = FLAGS[str(row["flag"])]
    signed = steps["value"].map(lambda value: DEPARTURES if value < 0 else ARRIVALS)
    letters = NARROW_CHARACTERS if is_narrow else COLUMN_CHARACTERS
    names = [wrapped(words(f"account.{step}"), letters) for step in steps["step"]]
    figure = base_chart(height=TALL_PX, left=8 if is_narrow else 64)
    figure.add_bar(
        **_along(names, list(steps["value"].abs()), is_narrow=is_narrow),
        base=list(np.minimum(after, after - steps["value"]).where(~is_end, 0.0)),
        orientation="h" if is_narrow else "v",
        marker={
            "color": list(signed.mask(is_end, ACTUAL).mask(is_residual, flag.color)),
            "pattern": {"shape": [flag.pattern if its else "" for its in is_residual], "fgcolor": LINE},
        },
        text=[words.number(value, signed=not end) for value, end in zip(steps["value"], is_end, strict=True)],
        textposition="outside",
        cliponaxis=False,
        hovertemplate=("%{y}" if is_narrow else "%{x}") + ": %{text}<extra></extra>",
    )
    for ends, level in zip(itertools.pairwise(names), after[:-1], strict=True):
        figure.add_scatter(
            **_along(list(ends), [level, level], is_narrow=is_narrow),
            mode="lines",
            line={"color": SOFT, "width": 1, "dash": "dot"},
            hoverinfo="skip",
        )
    extent, title = list(_extent(list(after))), {"text": words("account.axis.people"), "standoff": 6}
    if is_narrow:
        figure.update_xaxes(range=extent, tickformat=",", nticks=3, title=title, showgrid=True, gridcolor=GRID)
        figure.update_yaxes(autorange="reversed", automargin=True, type="category", tickformat="")
    else:
        figure.update_yaxes(range=extent, title=title)
    figure.update_layout(margin={"t": 24, "r": 44 if is_narrow else 12, "b": 48}, showlegend=False)
    return figure


def _along(names: list[str], values: list[float], *, is_narrow: bool) -> dict[str, list[Any]]:
    return {"x": values, "y": names} if is_narrow else {"x": names, "y": values}


def _extent(levels: list[float]) -> tuple[float, float]:
    """Return a range in which the changes can be seen: they are small beside the people."""
    spread = max(max(levels) - min(levels), 1.0)
    return max(0.0, min(levels) - spread), max(levels) + 0.35 * spread


def residuals(snapshot: Snapshot, words: Words, *, pcode: str, width_px: int) -> go.Figure:
    """Return what was not explained at every round, in percent of the people, between the limits of the verdicts."""
    frame = snapshot.rows("balance", pcode=pcode).set_index("round_number").reindex(snapshot.rounds.index)
    shares = frame["residual_pct"].astype("float64")
    reach = max(LEAST_REACH_PCT, 1.25 * float(shares.abs().max()) if shares.notna().any() else 0.0)
    figure, span = base_chart(height=RESIDUAL_PX, left=64), trends.span_of(snapshot, words)
    _zones(figure, reach)
    for flag, look in FLAGS.items():
        chosen = [place for place, found in enumerate(frame["flag"]) if found == flag]
        figure.add_scatter(
            x=[span.days[place] for place in chosen],
            y=[float(shares.iloc[place]) for place in chosen],
            mode="markers+text" if width_px >= LABELLED_PX else "markers",
            marker={"symbol": look.marker, "size": 13, "color": look.color, "line": {"color": LINE, "width": 1}},
            text=[signed_pct(words, float(shares.iloc[place])) for place in chosen],
            textposition=["bottom center" if shares.iloc[place] < 0 else "top center" for place in chosen],
            cliponaxis=False,
            hovertemplate=words(f"account.flag.{flag}") + ": %{text}<extra></extra>",
        )
    _gaps(figure, span, [status if isinstance(status, str) else "" for status in frame["status"]], words, foot=-reach)
    broken = breaks.breaks_of(snapshot, words, breaks.EVERY_SERIES, pcode=pcode)
    breaks.shade(figure, broken, first=span.first, last=span.last)
    trends.put_axis(figure, span, width_px=width_px)
    figure.update_yaxes(
        range=[-reach, reach],
        tickvals=[-RED_PCT, -AMBER_PCT, 0, AMBER_PCT, RED_PCT],
        ticktext=[words.number(limit, signed=bool(limit)) for limit in (-RED_PCT, -AMBER_PCT, 0, AMBER_PCT, RED_PCT)],
        title={"text": words("account.axis.residual"), "standoff": 6},
        zeroline=True,
    )
    figure.update_layout(showlegend=False, margin={"r": 26})
    return figure


def signed_pct(words: Words, value: float) -> str:
    """Write a share with its sign; with two decimals where one would make it read as none."""
    return f"{words.number(value, decimals=1 if abs(value) >= 0.1 or value == 0 else 2, signed=True)} %"  # noqa: PLR2004


def _zones(figure: go.Figure, reach: float) -> None:
    """Draw the limits of the verdicts as lines, and their signs beside what lies between them."""
    for limit in (AMBER_PCT, RED_PCT):
        for side in (-limit, limit):
            figure.add_hline(y=side, line={"color": SOFT, "width": 1.2, "dash": "dash" if limit == RED_PCT else "dot"})
    places = {"green": 0.0, "amber": (AMBER_PCT + RED_PCT) / 2, "red": (RED_PCT + reach) / 2}
    for flag, y in places.items():
        for side in {y, -y}:
            figure.add_annotation(
                xref="paper", x=1, xanchor="left", xshift=4, y=side, yanchor="middle", showarrow=False,
                text=FLAGS[flag].sign, font={"size": 13, "color": LINE},
            )  # fmt: skip


def _gaps(figure: go.Figure, span: trends.Span, statuses: list[str], words: Words, *, foot: float) -> None:
    """Mark the rounds without an account at the foot of the chart, each with the reason."""
    gaps = [(day, status) for day, status in zip(span.days, statuses, strict=True) if status != "published"]
    told = [words(f"status.{status}") if status else words("account.zone.none") for _, status in gaps]
    figure.add_scatter(
        x=[day for day, _ in gaps],
        y=[foot] * len(gaps),
        mode="markers+text",
        marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": SOFT}},
        text=[wrapped(text, COLUMN_CHARACTERS) for text in told],
        textposition="top center",
        textfont={"size": 11, "color": SOFT},
        cliponaxis=False,
        hoverinfo="text",
    )


def completed(snapshot: Snapshot, words: Words, *, pcode: str, round_number: int) -> go.Figure:
    """Return what the units that reported told, and what is estimated for those that did not, with the interval."""
    frame = completed_rows(snapshot, pcode=pcode, round_number=round_number)
    figure = base_chart(height=COMPLETED_PX, legend=True)
    if frame.empty:
        return figure
    ends = {name: frame[name].fillna(frame["value"]) for name in ("low", "high")}
    parts = (("account.told", frame["observed"], ACTUAL, ""), ("account.estimated", frame["estimated"], ESTIMATED, "/"))
    for axis, chosen in (("", FIGURES[:1]), ("2", FIGURES[1:])):
        kept = [name for name in chosen if name in frame.index]
        for key, values, color, pattern in parts:
            name = words(key)
            is_end = key == "account.estimated"
            figure.add_bar(
                y=[words(f"account.figure.{figure_name}") for figure_name in kept],
                x=[float(values[figure_name]) for figure_name in kept],
                name=name,
                legendgroup=key,
                showlegend=not axis,
                orientation="h",
                xaxis=f"x{axis}",
                yaxis=f"y{axis}",
                marker={"color": color, "pattern": {"shape": pattern, "fgcolor": LINE}},
                error_x=_interval(frame, ends, kept) if is_end else None,
                hovertemplate="%{y}: %{x:,.0f}<extra>" + name + "</extra>",
            )
    titles = [{"text": words(f"account.axis.{name}"), "standoff": 4} for name in ("people", "moves")]
    side = {"showgrid": True, "gridcolor": GRID, "tickformat": ",", "rangemode": "tozero", "nticks": 4}
    rows = {"automargin": True, "autorange": "reversed", "tickformat": "", "type": "category", "gridcolor": "#ffffff"}
    figure.update_layout(
        barmode="stack",
        margin={"b": 52},
        xaxis={**side, "nticks": 3, "title": titles[0]},
        xaxis2={**side, "anchor": "y2", "title": titles[1]},
        yaxis={**rows, "domain": [0.74, 1.0]},
        yaxis2={**rows, "domain": [0.0, 0.4], "anchor": "x2"},
    )
    return figure


def completed_rows(snapshot: Snapshot, *, pcode: str, round_number: int) -> pd.DataFrame:
    """Return the published figures of all units by name, with what is estimated of them."""
    frame = snapshot.rows("imputed", pcode=pcode, round_number=round_number).set_index("figure").reindex(list(FIGURES))
    frame = frame[frame["status"] == "published"]
    told = frame["observed"].astype("float64").fillna(0.0)
    return frame.assign(observed=told, estimated=(frame["value"].astype("float64") - told).clip(lower=0))


def _interval(frame: pd.DataFrame, ends: dict[str, pd.Series], kept: list[str]) -> dict[str, Any]:
    """Return the interval of the stacked value; people and moves have a scale each, for they differ a hundredfold."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [float(ends["high"][name] - frame["value"][name]) for name in kept],
        "arrayminus": [float(frame["value"][name] - ends["low"][name]) for name in kept],
        "color": LINE,
        "thickness": 1.4,
    }


def survey_rows(
    snapshot: Snapshot, words: Words, *, pcode: str, round_number: int, estimates: list[str]
) -> pd.DataFrame:
    """Return the published shares of the sample, with their names."""
    frame = snapshot.rows("survey_estimate", pcode=pcode, round_number=round_number, item="total")
    frame = frame[(frame["status"] == "published") & frame["estimate"].isin(estimates)]
    labels = snapshot.labels("survey_estimate", words)
    return frame.assign(name=[labels.get(code, code) for code in frame["estimate"]])


def survey_dots(frame: pd.DataFrame, words: Words, *, is_narrow: bool = False) -> go.Figure:
    """Return survey estimates in percent as points with their 95 % interval, the surest knowledge the narrowest."""
    width = NARROW_CHARACTERS if is_narrow else WIDE_CHARACTERS
    figure = base_chart(height=110 + (60 if is_narrow else 48) * len(frame), left=8)
    figure.add_scatter(
        x=frame["value"].tolist(),
        y=[wrapped(name, width) for name in frame["name"]],
        mode="markers",
        marker={"size": 10, "color": ACTUAL},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (frame["high"] - frame["value"]).tolist(),
            "arrayminus": (frame["value"] - frame["low"]).tolist(),
            "color": LINE,
            "thickness": 1.6,
        },
        customdata=[
            words(
                "account.survey_point",
                value=words.number(row.value, decimals=1),
                low=words.number(row.low, decimals=1),
                high=words.number(row.high, decimals=1),
                base=words.number(row.base_persons),
                effect=words.number(row.design_effect, decimals=1),
            )
            for row in frame.itertuples()
        ],
        hovertemplate="%{y}<br>%{customdata}<extra></extra>",
    )
    figure.update_yaxes(automargin=True, autorange="reversed", tickformat="", type="category")
    figure.update_xaxes(
        showgrid=True, gridcolor=GRID, rangemode="tozero", tickformat=".0f", nticks=5,
        title={"text": words("account.axis.share"), "standoff": 4},
    )  # fmt: skip
    figure.update_layout(margin={"b": 48})
    return figure

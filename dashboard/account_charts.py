"""Draw how the people of an area became those of the next round, and what is estimated beside what was told."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from dashboard.charts import ACTUAL, ARRIVALS, DEPARTURES, base_chart

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from dashboard.reader import Snapshot
    from dashboard.words import Words

FLAG_COLORS = {"green": "#2e7d32", "amber": "#b26a00", "red": "#b3261e"}
"""Colours of a residual; the words beside them say the same."""
ESTIMATED = "#8fb4d9"
STEPS = ("opening", "arrivals", "departures", "births", "deaths", "boundary_change", "residual", "closing")
TAKEN_AWAY = ("departures", "deaths")
FIGURES = ("actual_persons", "arrivals", "departures")
TALL_PX, LOW_PX = 300, 250
NARROW_CHARACTERS, WIDE_CHARACTERS = 16, 34
COLUMN_CHARACTERS = 12
"""Letters of a label that fit under a column of the account."""


def row_of(snapshot: Snapshot, table: str, /, **where: Any) -> dict[str, Any] | None:
    """Return the one row of a released table with these values, None where there is none."""
    frame = snapshot.rows(table, **where)
    return None if frame.empty else {str(name): value for name, value in frame.iloc[0].items()}


def waterfall(row: dict[str, Any], words: Words, *, is_narrow: bool = False) -> go.Figure:
    """Return the account of an area: what came to the people of the round before and what left them."""
    figure = base_chart(height=TALL_PX, left=8 if is_narrow else 56)
    steps = [step for step in STEPS if step != "boundary_change" or row[step]]
    values = [float(row[step]) * (-1 if step in TAKEN_AWAY else 1) for step in steps]
    names = [wrapped(words(f"account.{step}"), NARROW_CHARACTERS if is_narrow else COLUMN_CHARACTERS) for step in steps]
    ends = ("opening", "closing")
    figure.add_waterfall(
        x=values if is_narrow else names,
        y=names if is_narrow else values,
        orientation="h" if is_narrow else "v",
        measure=["absolute" if step in ends else "relative" for step in steps],
        text=[words.number(value, signed=step not in ends) for step, value in zip(steps, values, strict=True)],
        textposition="outside",
        cliponaxis=False,
        increasing={"marker": {"color": ARRIVALS}},
        decreasing={"marker": {"color": DEPARTURES}},
        totals={"marker": {"color": ACTUAL}},
        connector={"line": {"color": "#9aa1ae", "width": 1}},
        hovertemplate=("%{y}" if is_narrow else "%{x}") + ": %{text}<extra></extra>",
    )
    extent = list(_extent(values))
    if is_narrow:
        figure.update_xaxes(range=extent, tickformat=",", nticks=3)
        figure.update_yaxes(autorange="reversed", automargin=True, type="category", tickformat="")
    else:
        figure.update_yaxes(range=extent)
    figure.update_layout(margin={"t": 24, "r": 40 if is_narrow else 12, "b": 48}, showlegend=False)
    return figure


def wrapped(text: str, characters: int) -> str:
    """Return a label in lines of about so many characters."""
    return "<br>".join(textwrap.wrap(text, characters, break_long_words=False)) or text


def _extent(values: list[float]) -> tuple[float, float]:
    """Return a range in which the changes can be seen: they are small beside the people."""
    levels = [values[0]]
    for value in values[1:-1]:
        levels.append(levels[-1] + value)
    levels.append(values[-1])
    spread = max(max(levels) - min(levels), 1.0)
    return max(0.0, min(levels) - spread), max(levels) + 0.35 * spread


def completed(snapshot: Snapshot, words: Words, *, pcode: str, round_number: int) -> go.Figure:
    """Return what the units that reported told, and what is estimated for those that did not, with the interval."""
    frame = snapshot.rows("imputed", pcode=pcode, round_number=round_number).set_index("figure").reindex(list(FIGURES))
    frame = frame[frame["status"] == "published"]
    figure = base_chart(height=LOW_PX, legend=True)
    if frame.empty:
        return figure
    estimated = (frame["value"] - frame["observed"].astype("float64")).clip(lower=0)
    ends = {name: frame[name].fillna(frame["value"]) for name in ("low", "high")}
    parts = (("account.told", frame["observed"], ACTUAL, ""), ("account.estimated", estimated, ESTIMATED, "/"))
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
                marker={"color": color, "pattern": {"shape": pattern}},
                error_x=_interval(frame, ends, kept) if is_end else None,
                hovertemplate="%{y}: %{x:,.0f}<extra>" + name + "</extra>",
            )
    side = {"showgrid": True, "gridcolor": "#e6e8ec", "tickformat": ",", "rangemode": "tozero", "nticks": 4}
    rows = {"automargin": True, "autorange": "reversed", "tickformat": "", "type": "category", "gridcolor": "#ffffff"}
    figure.update_layout(
        barmode="stack",
        xaxis={**side, "nticks": 3},
        xaxis2={**side, "anchor": "y2"},
        yaxis={**rows, "domain": [0.72, 1.0]},
        yaxis2={**rows, "domain": [0.0, 0.42], "anchor": "x2"},
    )
    return figure


def _interval(frame: pd.DataFrame, ends: dict[str, pd.Series], kept: list[str]) -> dict[str, Any]:
    """Return the interval of the stacked value; people and moves have a scale each, for they differ a hundredfold."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [float(ends["high"][name] - frame["value"][name]) for name in kept],
        "arrayminus": [float(frame["value"][name] - ends["low"][name]) for name in kept],
        "color": "#1c2330",
        "thickness": 1.4,
    }


def survey_dots(
    snapshot: Snapshot,
    words: Words,
    *,
    pcode: str,
    round_number: int,
    estimates: list[str],
    is_narrow: bool = False,
) -> go.Figure:
    """Return survey estimates in percent as points with their 95 % interval, the surest knowledge the narrowest."""
    frame = snapshot.rows("survey_estimate", pcode=pcode, round_number=round_number, item="total")
    frame = frame[(frame["status"] == "published") & frame["estimate"].isin(estimates)]
    labels = snapshot.labels("survey_estimate", words)
    width = NARROW_CHARACTERS if is_narrow else WIDE_CHARACTERS
    names = [wrapped(labels.get(code, code), width) for code in frame["estimate"]]
    figure = base_chart(height=90 + (56 if is_narrow else 36) * len(frame), left=8)
    figure.add_scatter(
        x=frame["value"].tolist(),
        y=names,
        mode="markers",
        marker={"size": 10, "color": ACTUAL},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": (frame["high"] - frame["value"]).tolist(),
            "arrayminus": (frame["value"] - frame["low"]).tolist(),
            "color": "#1c2330",
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
        showgrid=True, gridcolor="#e6e8ec", rangemode="tozero", ticksuffix=" %", tickformat=".0f", nticks=5
    )
    return figure


def is_there(row: dict[str, Any] | None) -> bool:
    """Return whether a row is there and published."""
    return row is not None and row["status"] == "published"

"""Draw trends, bars and intervals; a gap stays a gap and says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from dashboard.measures import MEASURES, by_round

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.reader import Snapshot
    from dashboard.words import Words

ACTUAL = "#00396b"
REGISTERED = "#a08000"
ARRIVALS = "#0072b2"
DEPARTURES = "#d55e00"
CHECKPOINT = "#007a5a"
NET = "#1c2330"
BAR = "#39568c"
COMPLETE_SHARE = 0.95
"""A round in which a smaller share of the units reported gets an open marker."""
SOURCE_COLORS = {"arrivals": ARRIVALS, "departures": DEPARTURES, "checkpoint": CHECKPOINT}
FONT = "system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"


def base_chart(*, height: int, title: str = "", left: int = 56, legend: bool = False) -> go.Figure:
    """Return an empty chart in the style of all."""
    figure = go.Figure()
    figure.update_layout(
        height=height,
        title={"text": title, "font": {"size": 14, "color": "#1c2330"}, "x": 0, "xanchor": "left", "y": 0.98},
        margin={"l": left, "r": 12, "t": 54 if title else 30 if legend else 12, "b": 36},
        font={"family": FONT, "size": 12, "color": "#1c2330"},
        paper_bgcolor="#ffffff",
        plot_bgcolor="#ffffff",
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 12}},
        hoverlabel={"bgcolor": "#ffffff", "font": {"size": 13, "color": "#1c2330"}},
        bargap=0.25,
    )
    figure.update_xaxes(
        tickangle=0, showgrid=False, linecolor="#9aa1ae", ticks="outside", tickcolor="#9aa1ae", automargin=True
    )
    figure.update_yaxes(
        gridcolor="#e6e8ec", zerolinecolor="#5d6472", separatethousands=True, tickformat=",", exponentformat="none"
    )
    return figure


def round_labels(snapshot: Snapshot, words: Words) -> list[str]:
    """Return a short label for every round."""
    return [
        f"{words('round.short', number=number)}<br>{words.short_month(snapshot.reference_day(number))}"
        for number in snapshot.rounds.index
    ]


def _gap_marks(figure: go.Figure, labels: list[str], frame: pd.DataFrame, words: Words, *, name: str) -> None:
    """Mark the rounds without a value at the foot of the chart, each with the reason."""
    gaps = [(label, status) for label, status in zip(labels, frame["status"], strict=True) if status != "published"]
    if gaps:
        figure.add_scatter(
            x=[label for label, _ in gaps],
            y=[0] * len(gaps),
            mode="markers",
            marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": "#5d6472"}},
            hovertext=[f"{name}: {words(f'status.{status}')}" for _, status in gaps],
            hoverinfo="text",
            showlegend=False,
        )


def _completeness(snapshot: Snapshot, words: Words, *, pcode: str) -> tuple[list[str], list[str]]:
    """Return for every round a marker, open where units are missing, and the units reported in words."""
    coverage = snapshot.rows("coverage", pcode=pcode).set_index("round_number").reindex(snapshot.rounds.index)
    shares = coverage["units_reported"].astype("float64") / coverage["units_expected"].astype("float64")
    symbols = ["circle" if share >= COMPLETE_SHARE else "circle-open" for share in shares]
    told = [
        words("hover.coverage", reported=words.number(reported), expected=words.number(expected))
        for reported, expected in zip(coverage["units_reported"], coverage["units_expected"], strict=True)
    ]
    return symbols, told


def population_trend(snapshot: Snapshot, words: Words, *, pcode: str) -> go.Figure:
    """Return an empty chart in the style of all."""
    """Return registered and actual people of an area over the rounds."""
    figure = base_chart(height=210, legend=True)
    labels = round_labels(snapshot, words)
    symbols, told = _completeness(snapshot, words, pcode=pcode)
    for key, color, dash in (("actual_persons", ACTUAL, "solid"), ("registered_persons", REGISTERED, "dot")):
        frame = by_round(snapshot, MEASURES[key], pcode=pcode)
        name = words(f"measure.{key}")
        figure.add_scatter(
            x=labels,
            y=list(frame["value"]),
            name=name,
            mode="lines+markers",
            line={"color": color, "width": 3, "dash": dash},
            marker={"size": 9, "symbol": symbols, "line": {"width": 2}},
            customdata=told,
            hovertemplate="%{y:,.0f}<br>%{customdata}<extra>" + name + "</extra>",
        )
        _gap_marks(figure, labels, frame, words, name=name)
    return figure


def flow_trend(snapshot: Snapshot, words: Words, *, pcode: str) -> go.Figure:
    """Return arrivals, departures and the net of an area over the rounds."""
    figure = base_chart(height=210, legend=True)
    labels = round_labels(snapshot, words)
    for source, sign in (("arrivals", 1), ("departures", -1)):
        frame = snapshot.rows(
            "flow", pcode=pcode, source=source, counterpart="total", reason="total", measure="persons"
        ).set_index("round_number")
        shown = frame.reindex(snapshot.rounds.index)
        values = shown["value"].astype("float64")
        name = words(f"source.{source}")
        figure.add_bar(
            x=labels,
            y=list(values * sign),
            customdata=list(values),
            name=name,
            marker={"color": SOURCE_COLORS[source]},
            hovertemplate="%{customdata:,.0f}<extra>" + name + "</extra>",
        )
        _gap_marks(figure, labels, shown.assign(status=shown["status"].fillna("not_reported")), words, name=name)
    net = snapshot.rows("indicator", pcode=pcode, indicator="net_persons").set_index("round_number")["value"]
    figure.add_scatter(
        x=labels,
        y=list(net.reindex(snapshot.rounds.index).astype("float64")),
        name=words("key.net"),
        mode="lines+markers",
        line={"color": NET, "width": 2},
        marker={"size": 8, "symbol": "diamond"},
        hovertemplate="%{y:+,.0f}<extra>" + words("key.net") + "</extra>",
    )
    figure.update_layout(barmode="relative")
    return figure


def bars(
    labels: list[str],
    values: list[float],
    *,
    title: str,
    color: str = BAR,
    texts: list[str] | None = None,
    colors: list[str] | None = None,
) -> go.Figure:
    """Return horizontal bars, the largest on top."""
    figure = base_chart(height=max(150, 70 + 24 * len(labels)), title=title, left=8)
    figure.add_bar(
        showlegend=False,
        x=list(reversed(values)),
        y=list(reversed(labels)),
        orientation="h",
        marker={"color": list(reversed(colors)) if colors else color},
        text=list(reversed(texts)) if texts else None,
        textposition="auto",
        hovertemplate="%{y}: %{text}<extra></extra>" if texts else "%{y}: %{x:,}<extra></extra>",
    )
    figure.update_yaxes(automargin=True, gridcolor="#ffffff", tickformat="", type="category")
    figure.update_xaxes(showgrid=True, gridcolor="#e6e8ec", separatethousands=True, rangemode="tozero")
    figure.update_layout(margin={"t": 36})
    return figure


def interval_bars(rows: list[dict[str, Any]], *, title: str, words: Words) -> go.Figure:
    """Return people inside with the interval from the areas wholly inside to all that touch."""
    figure = bars(
        [row["name"] for row in rows],
        [row["persons"] for row in rows],
        title=title,
        color="#b3541e",
        texts=[words.number(row["persons"]) for row in rows],
    )
    ordered = list(reversed(rows))
    figure.update_traces(
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [max(0, row["high"] - row["persons"]) for row in ordered],
            "arrayminus": [max(0, row["persons"] - row["low"]) for row in ordered],
            "color": "#1c2330",
            "thickness": 1.4,
        },
        textposition="none",
        customdata=[
            words("hazard.interval", low=words.number(r["low"]), high=words.number(r["high"])) for r in ordered
        ],
        hovertemplate="%{y}: %{text}<br>%{customdata}<extra></extra>",
    )
    figure.add_scatter(
        x=[row["high"] for row in ordered],
        y=[row["name"] for row in ordered],
        mode="text",
        text=[f"<b>{words.number(row['persons'])}</b>" for row in ordered],
        textposition="middle right",
        hoverinfo="skip",
        showlegend=False,
    )
    if rows:
        figure.update_xaxes(range=[0, max(row["high"] for row in rows) * 1.2], tickformat=",")
    return figure


def reasons(snapshot: Snapshot, words: Words, *, pcode: str, round_number: int, source: str, unit: str) -> go.Figure:
    """Return why people moved, by the area's own telling."""
    frame = snapshot.rows(
        "flow", pcode=pcode, round_number=round_number, source=source, counterpart="total", measure=unit
    )
    frame = frame[(frame["reason"] != "total") & ((frame["value"] > 0) | frame["value"].isna())]
    frame = frame.sort_values("value", ascending=False, na_position="last")
    labels = snapshot.labels("reason", words)
    return bars(
        [labels.get(code, code) for code in frame["reason"]],
        [float(value) for value in frame["value"].fillna(0)],
        title=words("chart.reasons", source=words(f"source.{source}"), area=snapshot.full_name(pcode, words)),
        color=SOURCE_COLORS[source],
        texts=[
            words.number(float(value)) if status == "published" else words(f"status.{status}")
            for value, status in zip(frame["value"].astype("float64"), frame["status"], strict=True)
        ],
    )


def checkpoints(snapshot: Snapshot, words: Words, *, round_number: int) -> go.Figure:
    """Return travellers counted at each checkpoint of a round, in and out, in the hours that were observed."""
    frame = snapshot.rows("passage_day", round_number=round_number, measure="persons")
    figure = base_chart(height=320, title=words("chart.checkpoints"))
    labels = snapshot.labels("checkpoint", words)
    for direction, color in (("in", ARRIVALS), ("out", DEPARTURES)):
        chosen = frame[frame["direction"] == direction].groupby("checkpoint")["value"].sum(min_count=1)
        figure.add_bar(
            x=[labels.get(code, code) for code in chosen.index],
            y=[float(value) for value in chosen.fillna(0)],
            name=words(f"direction.{direction}"),
            marker={"color": color},
        )
    figure.update_layout(barmode="group")
    return figure

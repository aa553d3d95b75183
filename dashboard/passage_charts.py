"""Draw what was counted at the checkpoints: by day, by hour of the week, by checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from dashboard.charts import ARRIVALS, DEPARTURES, NET, base_chart
from dashboard.flow_sources import SIDES, worst

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from dashboard.reader import Snapshot
    from dashboard.words import Words

COLORS = {"in": ARRIVALS, "out": DEPARTURES, "net": NET}
BANDS = {"in": "rgba(0,114,178,0.16)", "out": "rgba(213,94,0,0.16)", "net": "rgba(28,35,48,0.12)"}
SCALES: dict[str, Any] = {
    "in": [[0, "#eef4fa"], [1, "#08306b"]],
    "out": [[0, "#fdf0e6"], [1, "#8c2d04"]],
    "net": [[0, "#b35806"], [0.5, "#f7f7f7"], [1, "#2166ac"]],
}
HIDDEN_FILL, HIDDEN_SIGN = "#c9ccd3", "×"
"""Of a hidden hour: grey and a cross, so that colour is not the only sign."""
DAYS_OF_WEEK, HOURS = 7, 24
DAY_LABEL_PX = 80
PER_HOUR = "persons_per_hour"
HOUR_COLUMNS = ("weekday", "hour", "rate", "status", "checkpoint_hours", "unit")


def side_of(direction: str) -> str:
    """Return the one series a heat map shows for a direction."""
    return "net" if direction == "both" else direction


def counted_days(snapshot: Snapshot, *, round_number: int) -> pd.DataFrame:
    """Return travellers of all checkpoints by day and direction; a sum that misses hidden counts is partial.

    A day on which every count is hidden has no value and the status of its counts; `hours_observed` are the hours of
    watch of all checkpoints together.
    """
    frame = snapshot.rows("passage_day", round_number=round_number, measure="persons")
    groups = frame.groupby(["day", "direction"])
    sums = groups["value"].sum(min_count=1).astype("float64")
    statuses = groups["status"].agg(worst).astype("object")
    hours = groups["hours_observed"].sum(min_count=1).astype("float64")
    found = {"value": sums, "is_partial": statuses != "published", "hours_observed": hours}
    return pd.DataFrame({**found, "status": statuses.where(sums.isna(), "published")}).reset_index()


def estimated_days(snapshot: Snapshot, *, round_number: int) -> pd.DataFrame:
    """Return the estimates for 24 hours of all checkpoints together, by day."""
    return snapshot.rows("passage_estimate", round_number=round_number, checkpoint="total").sort_values("day")


def daily(
    snapshot: Snapshot, words: Words, *, round_number: int, direction: str, width_px: int = 1440
) -> go.Figure:  # fmt: skip
    """Return the days of a round: counts as marks, estimates for 24 hours as lines with their interval."""
    figure = base_chart(height=330, legend=True)
    counts = counted_days(snapshot, round_number=round_number)
    estimates = estimated_days(snapshot, round_number=round_number)
    for side in SIDES if direction == "both" else (direction,):
        name = words("passage.net") if side == "net" else words(f"direction.{side}")
        expected = estimates[estimates["direction"] == side]
        _band(figure, expected, words, side=side, name=name)
        _gaps(figure, expected, words, name=words("passage.estimated", side=name))
        of_side = counts[counts["direction"] == side]
        _gaps(figure, of_side, words, name=words("passage.counted", side=name))
        own = of_side[of_side["value"].notna()]
        if not own.empty:
            shape = "circle" if side == "in" else "square"
            figure.add_scatter(
                x=list(own["day"]),
                y=list(own["value"]),
                mode="markers",
                name=words("passage.counted", side=name),
                marker={
                    "color": COLORS[side],
                    "size": 8,
                    "symbol": [f"{shape}-open" if partial else shape for partial in own["is_partial"]],
                    "line": {"width": 2},
                },
                customdata=["≥ " if partial else "" for partial in own["is_partial"]],
                hovertemplate="%{x|%Y-%m-%d}: %{customdata}%{y:,.0f}<extra>"
                + words("passage.counted", side=name)
                + "</extra>",
            )
    figure.update_xaxes(type="date", tickformat="%m-%d", nticks=max(3, min(8, width_px // DAY_LABEL_PX)))
    figure.update_yaxes(title={"text": words("passage.per_day")}, rangemode="tozero")
    return figure


def _gaps(figure: go.Figure, frame: pd.DataFrame, words: Words, *, name: str) -> None:
    """Mark the days without a figure at the foot of the chart, each with the reason: a gap in a line may be missed."""
    gaps = frame[frame["status"] != "published"]
    if not gaps.empty:
        figure.add_scatter(
            x=list(gaps["day"]),
            y=[0] * len(gaps),
            mode="markers",
            marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": "#5d6472"}},
            hovertext=[f"{name}: {words(f'status.{status}')}" for status in gaps["status"]],
            hoverinfo="text",
            showlegend=False,
        )


def _band(figure: go.Figure, frame: pd.DataFrame, words: Words, *, side: str, name: str) -> None:
    shown = frame[frame["status"] == "published"]
    if shown.empty:
        return
    title = words("passage.estimated", side=name)
    value = shown["value"].astype("float64")
    low, high = (shown[name].astype("float64").fillna(value) for name in ("low", "high"))  # watched all day: no doubt
    for run in _runs(frame["status"] == "published"):
        days, least, most = frame["day"].loc[run], low.loc[run], high.loc[run]
        if (most > least).any():
            figure.add_scatter(
                x=[*days, *reversed(list(days))], y=[*most, *reversed(list(least))], fill="toself",
                fillcolor=BANDS[side], line={"width": 0}, mode="lines", hoverinfo="skip", showlegend=False,
            )  # fmt: skip
    figure.add_scatter(
        x=list(frame["day"]),
        y=list(frame["value"].astype("float64").where(frame["status"] == "published")),
        mode="lines",
        name=title,
        line={"color": COLORS[side], "width": 2, "dash": "dash" if side == "net" else "solid"},
        customdata=[
            "" if pd.isna(least) else words("flows.interval", low=words.number(least), high=words.number(most))
            for least, most in zip(frame["low"].astype("float64"), frame["high"].astype("float64"), strict=True)
        ],
        hovertemplate="%{x|%Y-%m-%d}: %{y:,.0f}<br>%{customdata}<extra>" + title + "</extra>",
    )


def _runs(known: pd.Series) -> list[list[Any]]:
    """Return the labels of unbroken runs of true: an interval must not reach over days without a figure."""
    numbers = (known != known.shift()).cumsum()
    return [list(run.index) for _, run in known[known].groupby(numbers[known])]


def hours_of_week(snapshot: Snapshot, *, round_number: int, side: str) -> pd.DataFrame:
    """Return travellers an hour of watch by weekday and hour; the count itself where the watch is not known."""
    frame = snapshot.rows("passage_hour", round_number=round_number)
    watched = frame["checkpoint_hours"].astype("float64")
    frame = frame.assign(
        rate=frame["value"].astype("float64") / watched.where(watched > 0), checkpoint_hours=watched, unit=PER_HOUR
    )
    if frame["rate"].notna().sum() == 0:
        frame = frame.assign(rate=frame["value"].astype("float64"), unit="persons")
    sides = {name: frame[frame["direction"] == name].set_index(["weekday", "hour"]) for name in ("in", "out")}
    if side != "net":
        return sides[side].reset_index()[list(HOUR_COLUMNS)]
    keys = sides["in"].index.union(sides["out"].index)
    came, left = (own.reindex(keys) for own in sides.values())
    statuses = [own["status"].astype("object").fillna("not_reported") for own in (came, left)]
    net = pd.DataFrame(
        {"rate": came["rate"] - left["rate"], "status": [worst(pair) for pair in zip(*statuses, strict=True)],
         "checkpoint_hours": came["checkpoint_hours"].fillna(left["checkpoint_hours"]),
         "unit": frame["unit"].iloc[0] if len(frame) else PER_HOUR},
        index=keys,
    )  # fmt: skip
    return net.reset_index()[list(HOUR_COLUMNS)]


def week(snapshot: Snapshot, words: Words, *, round_number: int, side: str) -> go.Figure:
    """Return the hours of the week as a heat map; hidden hours are grey, hours without watch are white."""
    frame = hours_of_week(snapshot, round_number=round_number, side=side)
    figure = base_chart(height=300, left=8)
    z: list[list[float | None]] = [[None] * HOURS for _ in range(DAYS_OF_WEEK)]
    gap: list[list[float | None]] = [[None] * HOURS for _ in range(DAYS_OF_WEEK)]
    hover = [[words("status.not_reported")] * HOURS for _ in range(DAYS_OF_WEEK)]
    for row in frame.itertuples():
        day, hour = int(row.weekday) - 1, int(row.hour)
        when = words("passage.when", day=words(f"weekday.{row.weekday}"), hour=f"{hour:02d}", until=f"{hour + 1:02d}")
        if row.status == "published" and pd.notna(row.rate):
            z[day][hour] = float(row.rate)
            value = words.number(float(row.rate), decimals=1, signed=side == "net")
            hover[day][hour] = f"{when}<br><b>{words('passage.rate', value=value)}</b>"
        else:
            gap[day][hour] = 1.0 if row.status == "suppressed" else None
            hover[day][hour] = f"{when}<br>{words(f'status.{row.status}')}"
    unit = str(frame["unit"].iloc[0]) if len(frame) else PER_HOUR
    known = [abs(value) for line in z for value in line if value is not None]
    largest = max(known, default=1.0) or 1.0
    shared = {
        "x": list(range(HOURS)), "y": [words(f"weekday.{day}") for day in range(1, DAYS_OF_WEEK + 1)], "xgap": 1,
        "ygap": 1, "hoverongaps": False, "hovertext": hover, "hoverinfo": "text",
    }  # fmt: skip
    figure.add_heatmap(
        z=z, colorscale=SCALES[side], zmin=-largest if side == "net" else 0, zmax=largest,
        colorbar={"thickness": 12, "outlinewidth": 0, "title": {"text": words(f"unit.{unit}")}}, **shared,
    )  # fmt: skip
    figure.add_heatmap(
        z=gap, colorscale=[[0, HIDDEN_FILL], [1, HIDDEN_FILL]], showscale=False,
        text=[["" if cell is None else HIDDEN_SIGN for cell in line] for line in gap], texttemplate="%{text}",
        textfont={"size": 11, "color": "#4a5263"}, **shared,
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", automargin=True, tickformat="", type="category", showgrid=False)
    figure.update_xaxes(
        tickvals=list(range(0, HOURS, 3)), ticktext=[f"{hour:02d}" for hour in range(0, HOURS, 3)],
        title={"text": words("passage.hour")},
    )  # fmt: skip
    return figure


def by_checkpoint(snapshot: Snapshot, *, round_number: int) -> pd.DataFrame:
    """Return in, out and net of each checkpoint in the hours observed; a sum without hidden days is partial."""
    frame = snapshot.rows("passage_day", round_number=round_number, measure="persons")
    totals = pd.DataFrame(index=sorted(frame["checkpoint"].unique()))
    for side in ("in", "out"):
        own = frame[frame["direction"] == side].groupby("checkpoint")
        values = own["value"].sum(min_count=1).astype("float64").reindex(totals.index)
        statuses = own["status"].agg(worst).reindex(totals.index).astype(object).fillna("not_reported")
        totals[side] = values
        totals[f"{side}_status"] = statuses.where(values.isna(), "published")
        totals[f"{side}_partial"] = values.notna() & (statuses != "published")
    days = frame.drop_duplicates(["checkpoint", "day"]).groupby("checkpoint")
    totals["hours"] = days["hours_observed"].sum(min_count=1).astype("float64").reindex(totals.index)
    partial = totals["in_partial"] | totals["out_partial"]
    totals["net"] = (totals["in"] - totals["out"]).where(~partial)
    totals["net_status"] = [
        "suppressed" if hidden else worst(pair)
        for hidden, pair in zip(partial, zip(totals["in_status"], totals["out_status"], strict=True), strict=True)
    ]
    return totals.sort_values(["net", "in"], ascending=False, na_position="last")

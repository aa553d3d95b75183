"""List the figures of the charts of time: moves, people and coverage over the rounds, hours at the checkpoints."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from dashboard import breaks, passage_charts, trends
from dashboard.flow_sources import is_told, reason_of, sides_of, unit_of
from dashboard.measures import MEASURES, by_round
from dashboard.state import SURVEY_SOURCES
from dtm import series_breaks
from dtm._release_tables import PUBLISHED, UNDEFINED

if TYPE_CHECKING:
    from dashboard.reader import Snapshot
    from dashboard.state import View
    from dashboard.words import Words

MONTHLY = ("interpolated", "projected")
ON_LINE = "month"
"""Ending of the id of a round that the months between the rounds hang on, its silent units estimated."""
SIDE_KEYS = {"in": "arrivals", "out": "departures"}


def _with_units(snapshot: Snapshot, frame: pd.DataFrame, *, pcode: str) -> pd.DataFrame:
    """Put the units expected and reported of its round beside every figure that has a round."""
    units = snapshot.rows("coverage", pcode=pcode).set_index("round_number")
    return frame.assign(
        pcode=pcode, level=snapshot.level_of(pcode),
        **{name: frame["round_number"].map(units[name]) for name in ("units_expected", "units_reported")},
    )  # fmt: skip


def _with_breaks(snapshot: Snapshot, frame: pd.DataFrame, series: tuple[str, ...], *, pcode: str) -> pd.DataFrame:
    """Name the breaks of an area whose shade a figure stands in."""
    spans = {
        one.name: (one.from_on, one.to_on)
        for one in series_breaks.breaks_of(snapshot.rows("series_break"))
        if one.series in series and one.reach(pcode) != series_breaks.ELSEWHERE
    }
    told = [
        series_breaks.SEPARATOR.join(
            name for name, (begin, end) in spans.items() if begin <= day and (end is None or day <= end)
        )
        for day in frame["day"]
    ]
    return frame.assign(series_break=told)


def round_breaks(snapshot: Snapshot, view: View) -> list[series_breaks.SeriesBreak]:
    """Return the breaks that lie in the days a round's moves were asked for.

    Moves are touched by breaks of every series; on the tab of who moved, those registered by a stop of registration.
    """
    number, pcode = snapshot.round_or_last(view.round), snapshot.area_or_home(view.area)
    last = snapshot.reference_day(number)
    days = snapshot.rounds.loc[number, "flow_days"]
    first = last - dt.timedelta(days=0 if pd.isna(days) else int(days) - 1)
    told = view.tab == "profile" and is_told(view.source)
    return [
        one
        for one in series_breaks.breaks_of(snapshot.rows("series_break"))
        if one.series in (breaks.MOVE_SERIES if told else breaks.EVERY_SERIES)
        and one.reach(pcode) != series_breaks.ELSEWHERE
        and one.from_on <= last
        and (one.to_on is None or one.to_on >= first)
    ]


def with_round_breaks(snapshot: Snapshot, view: View, frame: pd.DataFrame) -> pd.DataFrame:
    """Name the breaks that the figures of one round lie in."""
    found = round_breaks(snapshot, view)
    every = series_breaks.SEPARATOR.join(one.name for one in found if one.series == series_breaks.ALL)
    if "breakdown" not in frame:
        return frame.assign(series_break=every)
    registered = series_breaks.SEPARATOR.join(one.name for one in found)
    return frame.assign(series_break=(frame["breakdown"] == "registered").map({True: registered, False: every}))


def _days(snapshot: Snapshot) -> dict[int, dt.date]:
    return {int(number): snapshot.reference_day(int(number)) for number in snapshot.rounds.index}


def trend_figures(snapshot: Snapshot, view: View) -> pd.DataFrame:
    """Return in, out and net at every round, and the estimates for all units beside them."""
    pcode, days = snapshot.area_or_home(view.area), _days(snapshot)
    reason, unit = reason_of(snapshot, view), unit_of(view)
    totals = trends.moves_rows(snapshot, pcode=pcode, source=view.source, unit=unit, reason=reason)
    frames = []
    for side in sides_of(view):
        own = pd.DataFrame(
            {"round_number": totals.index, "series": side, "value": totals[side].astype("float64"),
             "status": totals[f"{side}_status"]}
        )  # fmt: skip
        if view.source in SURVEY_SOURCES and f"{side}_base" in totals:
            own["base_persons"] = totals[f"{side}_base"]
        frames.append(own)
        if side in SIDE_KEYS and trends.has_estimates(view.source, unit=unit, reason=reason):
            frames.append(_estimates(snapshot, pcode=pcode, key=SIDE_KEYS[side], series=side))
    found = pd.concat(frames)
    found = found.assign(chart="trends", unit=unit, day=found["round_number"].map(days))
    found = _with_units(snapshot, found, pcode=pcode).assign(reason=reason if is_told(view.source) else None)
    return _with_ids(_with_breaks(snapshot, found, breaks.MOVE_SERIES, pcode=pcode), default="observed")


def people_figures(snapshot: Snapshot, view: View) -> pd.DataFrame:
    """Return people at every round and at the months between and after, and the share of the units that reported."""
    pcode, days = snapshot.area_or_home(view.area), _days(snapshot)
    frames = []
    for category, key, _, _, series in trends.SERIES:
        told = by_round(snapshot, MEASURES[key], pcode=pcode)
        own = pd.DataFrame(
            {"round_number": told.index, "series": key, "value": told["value"], "status": told["status"]}
        )  # fmt: skip
        parts = [own.assign(day=own["round_number"].map(days))]
        if key == "actual_persons":
            more = _estimates(snapshot, pcode=pcode, key=key, series=key)
            parts.append(more.assign(day=more["round_number"].map(days)))
        months = trends.month_rows(snapshot, pcode=pcode, category=category)
        parts.append(
            pd.DataFrame(
                {"day": pd.to_datetime(months["day"]).dt.date, "series": key,
                 "value": months["value"].astype("float64"), "status": months["status"],
                 "method": months["method"],
                 "kind": months["method"].where(months["method"].isin(MONTHLY), ON_LINE)}
            )
        )  # fmt: skip
        frames.append(_with_breaks(snapshot, pd.concat([part for part in parts if len(part)]), series, pcode=pcode))
    shares = trends.coverage_shares(snapshot, pcode=pcode)
    frames.append(
        pd.DataFrame(
            {"round_number": shares.index, "series": "coverage", "value": shares,
             "status": shares.isna().map({True: UNDEFINED, False: PUBLISHED}), "unit": "pct"}
        ).assign(day=lambda frame: frame["round_number"].map(days))
    )  # fmt: skip
    found = _with_units(snapshot, pd.concat(frames), pcode=pcode)
    found = found.assign(chart="people", unit=found["unit"].fillna("persons"), source=None)
    return _with_ids(found, default="observed")


def _estimates(snapshot: Snapshot, *, pcode: str, key: str, series: str) -> pd.DataFrame:
    frame = trends.imputed_rows(snapshot, pcode=pcode, key=key)
    return pd.DataFrame(
        {"round_number": frame["round_number"], "series": series, "status": frame["status"], "method": "imputed",
         **{name: frame[name].astype("float64") for name in ("value", "low", "high")}}
    )  # fmt: skip


def _with_ids(frame: pd.DataFrame, *, default: str) -> pd.DataFrame:
    method = frame["method"].fillna(default) if "method" in frame else pd.Series(default, index=frame.index)
    kind = frame["kind"].fillna(method) if "kind" in frame else method
    found = frame.assign(method=method, id=frame["series"] + ":" + frame["day"].astype("str") + ":" + kind)
    return found.drop(columns="kind", errors="ignore")


def day_figures(snapshot: Snapshot, view: View, words: Words) -> pd.DataFrame:
    """Return the days of a round at all checkpoints: what was counted, and the estimates for 24 hours.

    An estimate of a day that was watched for 24 hours is the count itself, so its method is `observed` too.
    """
    number = snapshot.round_or_last(view.round)
    counts = passage_charts.counted_days(snapshot, round_number=number)
    estimates = passage_charts.estimated_days(snapshot, round_number=number)
    order = {side: i for i, side in enumerate(sides_of(view))}
    frames = [
        pd.DataFrame(
            {"day": counts["day"], "series": counts["direction"], "value": counts["value"], "method": "observed",
             "kind": "counted",
             "at_least": counts["is_partial"] & counts["value"].notna(), "hours_observed": counts["hours_observed"],
             "status": counts["status"]}
        ),
        pd.DataFrame(
            {"day": estimates["day"], "series": estimates["direction"], "method": estimates["method"],
             "kind": "estimated",
             "hours_observed": estimates["hours_observed"].astype("float64"), "status": estimates["status"],
             **{name: estimates[name].astype("float64") for name in ("value", "low", "high")}}
        ),
    ]  # fmt: skip
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return pd.DataFrame(columns=["id", "series", "value", "status"])
    found = pd.concat(filled)
    found = found[found["series"].isin(list(order))].assign(
        unit="persons", day=lambda frame: pd.to_datetime(frame["day"]).dt.date
    )
    found = found.sort_values(["day", "series"], key=lambda keys: keys.map(order) if keys.name == "series" else keys,
                              kind="stable")  # fmt: skip
    sides = {side: words("passage.net" if side == "net" else f"direction.{side}") for side in order}
    keys = list(zip(found["kind"], found["series"], strict=True))
    names = {"counted": "passage.counted", "estimated": "passage.estimated"}
    labels = [words(names[kind], side=sides[side]) for kind, side in keys]
    return _with_ids(found.assign(series_label=labels), default="observed")


def week_figures(snapshot: Snapshot, view: View, _words: Words) -> pd.DataFrame:
    """Return travellers an hour of watch by weekday and hour, of the side the chart shows."""
    side = passage_charts.side_of(view.direction)
    frame = passage_charts.hours_of_week(snapshot, round_number=snapshot.round_or_last(view.round), side=side)
    status = frame["status"].where((frame["status"] != PUBLISHED) | frame["rate"].notna(), UNDEFINED)
    value = frame["rate"].astype("float64").where(status == PUBLISHED)
    return pd.DataFrame(
        {"id": frame["weekday"].astype("str") + ":" + frame["hour"].astype("str"), "series": side,
         "weekday": frame["weekday"], "hour": frame["hour"], "value": value, "status": status,
         "hours_observed": frame["checkpoint_hours"], "unit": frame["unit"]}
    )  # fmt: skip

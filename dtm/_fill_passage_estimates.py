"""Fill the table of expanded checkpoint counts from the published days and hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dtm._estimate_rows import insert_rows
from dtm._release_columns import NOT_REPORTED, PUBLISHED, SUPPRESSED, UNDEFINED
from dtm._week_profile import DAYS, HOURS, Floats, WeekProfile, fit_week_profile, weekdays
from dtm.expansion import EXPANDED, IN, NET, OUT, TOTAL, add_net, add_total, expand_days
from dtm.passages import HOURS_SLACK_H

if TYPE_CHECKING:
    from dtm.engine import Connection

HIDDEN_HOURS_SPREAD = "hidden_hours_spread"
PROFILE_OF_ALL_ROUNDS = "profile_of_all_rounds"
HOURS_UNKNOWN = "hours_unknown"
_WORST_FIRST = (SUPPRESSED, NOT_REPORTED, UNDEFINED, PUBLISHED)
_DAY_TOTALS = """
    SELECT round_number, checkpoint AS place, day, direction, hours_observed, observed_hours, value, status,
        bool_or(status = 'suppressed') OVER (PARTITION BY checkpoint, day) AS is_partly_hidden
    FROM passage_day WHERE measure = 'persons' ORDER BY checkpoint, day, direction
"""


def fill_passage_estimates(connection: Connection) -> None:
    """Insert in, out and net of every checkpoint and day, and of all checkpoints as `total`.

    Each round has its own profile of the week for each direction, common to its checkpoints: the hours are published
    for all of them together. Days outside the rounds are expanded with the profile of all rounds. Hours whose count is
    hidden share evenly what the published days of their weekday have beyond its published hours; the note says so.

    A day that was watched around the clock is as counted. A day is not reported where nobody watched or nobody wrote
    down for how long, undefined where its hours or the profile are not known, and suppressed where its count is.
    """
    days = connection.execute(_DAY_TOTALS).df()
    if not len(days):
        return
    days["round_number"] = days["round_number"].astype("Int64")
    hours = connection.execute("SELECT round_number, direction, weekday, hour, value, status FROM passage_hour").df()
    watched, of_no_round = _watched(days), days["round_number"].isna()
    parts = []
    for number in [*days["round_number"].dropna().unique(), None]:
        of_round = (of_no_round if number is None else (days["round_number"] == number).fillna(False)).to_numpy(bool)
        if of_round.any():
            parts.append(_of_round(days, watched, hours, of_round, number))
    insert_rows(connection, "passage_estimate", pd.concat(parts, ignore_index=True))


def _of_round(days: pd.DataFrame, watched: Floats, hours: pd.DataFrame, rows: Any, number: int | None) -> pd.DataFrame:
    """Return the rows of one round, or of the days outside the rounds."""
    behind = days["round_number"].notna().to_numpy(bool) if number is None else rows
    told = hours if number is None else hours[hours["round_number"] == number]
    expanded = []
    for direction in (IN, OUT):
        of_way, of_behind = (each & (days["direction"] == direction).to_numpy(bool) for each in (rows, behind))
        profile, is_spread = _profile(days[of_behind], watched[of_behind], told[told["direction"] == direction])
        part = days[of_way]
        result = expand_days(
            part[["place", "day", "direction"]].reset_index(drop=True),
            part["value"].fillna(0.0).to_numpy(dtype=np.float64),
            watched[of_way],
            profile,
        )
        note = PROFILE_OF_ALL_ROUNDS if number is None else HIDDEN_HOURS_SPREAD if is_spread else None
        expanded.append(_with_status(result, part.reset_index(drop=True), note))
    both = add_total(add_net(pd.concat(expanded, ignore_index=True)))
    both = _settled(both).rename(columns={"place": "checkpoint"})
    return both.assign(round_number=pd.array([number] * len(both), dtype="Int64"))


def _profile(days: pd.DataFrame, watched: Floats, hours: pd.DataFrame) -> tuple[WeekProfile, bool]:
    """Fit the profile to published days and hours; return also whether an hour was hidden."""
    weekday = weekdays(days["day"])
    counted, hidden = np.zeros((DAYS, HOURS)), np.zeros((DAYS, HOURS), dtype=bool)
    at = (hours["weekday"].to_numpy(dtype=np.int64) - 1, hours["hour"].to_numpy(dtype=np.int64))
    np.add.at(counted, at, hours["value"].fillna(0.0).to_numpy(dtype=np.float64))
    np.logical_or.at(hidden, at, (hours["status"] == SUPPRESSED).to_numpy())
    totals = days["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    is_hidden = (days["status"] == SUPPRESSED).to_numpy(bool)
    by_day = np.bincount(weekday, weights=np.nan_to_num(totals), minlength=DAYS)
    beyond = by_day - counted.sum(axis=1)
    share = np.divide(np.maximum(beyond, 0), hidden.sum(axis=1), out=np.zeros(DAYS), where=hidden.any(axis=1))
    lacking = np.bincount(weekday[is_hidden], minlength=DAYS)
    each = np.divide(np.maximum(-beyond, 0), lacking, out=np.zeros(DAYS), where=lacking > 0)
    totals = np.where(is_hidden, each[weekday], np.nan_to_num(totals))
    even = days["hours_observed"].fillna(0.0).to_numpy(dtype=np.float64)[:, None] / HOURS
    seen = np.where(is_hidden[:, None] & (watched == 0).all(axis=1, keepdims=True), np.minimum(even, 1), watched)
    place = pd.factorize(days["place"], sort=True)[0].astype(np.int64)
    profile = fit_week_profile(totals, weekday, seen, counted + hidden * share[:, None], place=place)
    return profile, bool(hidden.any())


def _watched(days: pd.DataFrame) -> Floats:
    """Return the part of each hour that was watched, (n, 24); 0 throughout where the hours are not known."""
    hours = days["hours_observed"].fillna(0.0).to_numpy(dtype=np.float64)
    ranges = days["observed_hours"].where(hours < HOURS, "0-23").fillna("").astype(str)
    code, texts = pd.factorize(ranges)
    watched = np.array([_hours_of(text) for text in texts]).reshape(-1, HOURS)[code]
    count = watched.sum(axis=1)
    is_told = (hours > 0) & (count - hours <= HOURS_SLACK_H)
    part = np.divide(hours, count, out=np.ones_like(hours), where=is_told & (count > 0))
    return np.asarray(watched * np.minimum(part, 1)[:, None])


def _hours_of(ranges: str) -> Floats:
    """Return 1 for each hour of ranges such as ``0-5,18-23``, (24,)."""
    watched = np.zeros(HOURS)
    for span in ranges.split(",") if ranges else ():
        first, _, last = span.partition("-")
        watched[int(first) : int(last or first) + 1] = 1
    return watched


def _with_status(result: pd.DataFrame, days: pd.DataFrame, note: str | None) -> pd.DataFrame:
    """Say of each checkpoint and day why it has no value, in the order of reasons."""
    hours = days["hours_observed"]
    is_unknown = (hours > 0) & (hours < HOURS) & days["observed_hours"].isna()
    status = np.select(
        [
            (days["status"] == SUPPRESSED) | (is_unknown & days["is_partly_hidden"]),
            days["value"].isna() | hours.isna(),
            result["value"].isna(),
        ],
        [SUPPRESSED, NOT_REPORTED, UNDEFINED],
        PUBLISHED,
    )
    notes = result["note"].mask(is_unknown, HOURS_UNKNOWN)
    if note is not None:
        notes = notes.mask((status == PUBLISHED) & (result["method"] == EXPANDED), note)
    is_published = pd.Series(status == PUBLISHED)
    shown = {name: result[name].where(is_published) for name in ("counted", "value", "low", "high")}
    return result.assign(**shown, hours_observed=hours, status=status, note=notes)


def _settled(rows: pd.DataFrame) -> pd.DataFrame:
    """Give net and total rows the worst status of what they are made of; what is suppressed has no note."""
    key = ["place", "day", "direction"]
    rank = {name: place for place, name in enumerate(_WORST_FIRST)}
    is_own = (rows["place"] != TOTAL) & (rows["direction"] != NET)
    own = rows.loc[is_own, key].assign(rank=rows["status"].map(rank))
    net = own.groupby(["place", "day"], as_index=False)["rank"].min().assign(direction=NET)
    single = pd.concat([own, net])
    total = single.groupby(["day", "direction"], as_index=False)["rank"].min().assign(place=TOTAL)
    worst = rows[key].merge(pd.concat([single, total]), on=key, how="left")["rank"]
    is_missing = rows["value"].isna() & (worst == rank[PUBLISHED])
    status = worst.mask(is_missing, rank[NOT_REPORTED]).map(dict(enumerate(_WORST_FIRST)))
    return rows.assign(status=status, note=rows["note"].mask(status == SUPPRESSED, None))

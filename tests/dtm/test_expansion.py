"""Hold the expansion of checkpoint counts to hand counts, to a regression and to days whose truth is known."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dtm._fill_passage_estimates import fill_passage_estimates
from dtm._release_tables import RELEASE_TABLES
from dtm._week_profile import dispersion_of_hours, observed_share
from dtm.engine import connect
from dtm.errors import WrongUseError
from dtm.expansion import (
    add_net,
    add_total,
    expand_counts,
    expand_hourly,
    fit_week_profile,
    weekday_means,
)
from dtm.measures import NOTES, note_words
from tests.project._tree import ROOT

MONDAY = dt.date(2024, 10, 7)
RHYTHM = np.array([2, 1, 1, 1, 2, 4, 9, 15, 18, 20, 20, 19, 18, 18, 18, 18, 19, 21, 22, 18, 12, 8, 5, 3], dtype=float)
RHYTHM /= RHYTHM.sum()


def day(number):
    return MONDAY + dt.timedelta(days=int(number))


def hourly(rows):
    """Return a table of hours from (place, day number, direction, {hour: persons}, hours watched)."""
    return pd.DataFrame(
        [
            (place, day(number), direction, hour, counts.get(hour, 0), hour in watched)
            for place, number, direction, counts, watched in rows
            for hour in range(24)
        ],
        columns=["checkpoint", "day", "direction", "hour", "persons", "watched"],
    )


def hour_totals(counts, weekday):
    return np.array([counts[weekday == one].sum(axis=0) for one in range(7)])


def test_a_day_watched_in_part_is_expanded_by_the_share_of_its_hours():
    # Three Mondays: 10 travellers at 8, 30 at 9. Of a fourth, hour 8 alone: 5. A quarter passes at 8, so 20 in all.
    whole = [("a", 7 * week, "in", {8: 10, 9: 30}, range(24)) for week in range(3)]
    found = expand_hourly(hourly([*whole, ("a", 21, "in", {8: 5}, [8])]))
    assert found.profiles["in"].share[0, 8:10] == pytest.approx([0.25, 0.75])
    assert list(found.days["value"]) == pytest.approx([40, 40, 40, 20])
    assert list(found.days["method"]) == ["observed"] * 3 + ["expanded"]
    last = found.days.iloc[3]
    assert (last["hours_observed"], last["observed_share"]) == (1, pytest.approx(0.25))
    assert 5 <= last["low"] < 20 < last["high"]
    assert found.days["low"].notna().tolist() == [False, False, False, True]
    hours = found.hours[found.hours["day"] == found.hours["day"].max()].set_index("hour")
    assert list(hours.loc[[8, 9, 10], "value"]) == pytest.approx([5, 15, 0])
    assert list(hours.loc[[8, 9], "method"]) == ["observed", "expanded"]


def test_the_interval_is_that_of_the_predictive_distribution():
    # Poisson counts, a known profile, Jeffreys' prior on the level: u is negative binomial (counted + 1/2, share).
    counted, share = np.array([0.0, 4.0, 100.0, 100.0, 5_000.0]), np.array([0.5, 0.3, 0.5, 0.9, 0.7])
    value, low, high = expand_counts(counted, share, dispersion=1.0, travellers=np.full(5, 1e15))
    assert value == pytest.approx(counted / share)
    for chance, end in ((0.025, low), (0.975, high)):
        exact = counted + stats.nbinom.ppf(chance, counted + 0.5, share)
        assert end == pytest.approx(exact, abs=1.0)
    # A profile that rests on as many travellers as are estimated doubles the variance.
    _, wide_low, wide_high = expand_counts(counted, share, dispersion=1.0, travellers=np.maximum(value, 1))
    assert ((wide_high - wide_low) / (high - low))[2:] == pytest.approx(np.full(3, np.sqrt(2)), rel=0.03)


def test_nobody_counted_still_has_an_upper_end_and_a_whole_day_none():
    counted, share = np.array([0.0, 7.0, 7.0]), np.array([0.5, 1.0, np.nan])
    value, low, high = expand_counts(counted, share, dispersion=2.0, travellers=np.full(3, 50.0))
    assert value[:2].tolist() == [0, 7]
    assert (low[0], low[1], high[1]) == (0, 7, 7)
    assert 1 < high[0] < 10
    assert np.isnan([value[2], low[2], high[2]]).all()


def test_the_profile_is_that_of_a_poisson_regression():
    generator = np.random.default_rng(5)
    watched = np.ones((8, 24))
    watched[:4, :9] = 0
    watched[5, 13:] = 0
    counts = generator.poisson(np.linspace(40, 400, 8)[:, None] * RHYTHM) * watched
    weekday = np.zeros(8, dtype=np.int64)
    profile = fit_week_profile(counts.sum(axis=1), weekday, watched, hour_totals(counts, weekday))
    at = np.argwhere(watched > 0)
    design = np.zeros((len(at), 8 + 23))
    design[np.arange(len(at)), at[:, 0]] = 1
    later = at[:, 1] > 0
    design[np.flatnonzero(later), 7 + at[later, 1]] = 1
    fitted = sm.GLM(counts[watched > 0], design, family=sm.families.Poisson()).fit(tol=1e-12)
    effects = np.exp(np.append(0.0, fitted.params[8:]))
    assert profile.share[0] == pytest.approx(effects / effects.sum(), rel=1e-6, abs=1e-9)
    own = fitted.pearson_chi2 / fitted.df_resid
    assert dispersion_of_hours(counts, watched, weekday, profile) == pytest.approx(max(1, own), rel=1e-5)


def test_busy_days_watched_at_other_hours_do_not_bend_the_profile():
    # Exact counts: level x share. The busy checkpoint is watched by day alone, the quiet one all day.
    levels, weekday = np.array([100.0, 120, 2_000, 2_400]), np.array([0, 0, 0, 0])
    watched = np.ones((4, 24))
    watched[2:, :8] = 0
    counts = levels[:, None] * RHYTHM * watched
    profile = fit_week_profile(counts.sum(axis=1), weekday, watched, hour_totals(counts, weekday))
    share = observed_share(profile, weekday, watched)
    assert counts.sum(axis=1) / share == pytest.approx(levels, rel=1e-8)
    naive = counts.sum(axis=0) / watched.sum(axis=0)
    naive /= naive.sum()
    assert (counts / (watched @ naive)[:, None]).sum(axis=1)[2] < 0.95 * levels[2]


def simulated(seed, *, party):
    """Return counts, watched hours and weekdays of 6 checkpoints in 3 weeks; 4 of 10 days begin late or end early."""
    generator = np.random.default_rng(seed)
    place, weekday = np.repeat(np.arange(6), 21), np.tile(np.arange(21) % 7, 6)
    shares = np.array([RHYTHM] * 7)
    shares[4] *= np.where(np.arange(24) > 14, 1.4, 1)
    shares[6] = np.roll(RHYTHM, 2)
    shares /= shares.sum(axis=1, keepdims=True)
    level = np.array([650, 620, 190, 270, 320, 650.0])[place] * generator.gamma(50, 1 / 50, len(place))
    cars = generator.poisson(level[:, None] * shares[weekday] / party)
    counts = cars + generator.poisson((party - 1) * cars)
    watched = np.ones(counts.shape)
    for row in np.flatnonzero(generator.random(len(place)) < 0.4):
        cut = generator.integers(4, 15)
        watched[row, slice(0, cut) if generator.random() < 0.5 else slice(24 - cut, 24)] = 0
    return counts.astype(float), watched, weekday


@pytest.mark.parametrize(("party", "name"), [(1, "one by one"), (5, "in parties of five on average")])
def test_hidden_hours_come_back_without_bias_and_within_the_interval(party, name):
    measured = []
    for seed in range(12):
        counts, watched, _ = simulated(seed, party=party)
        rows, hours = np.indices(counts.shape)
        table = pd.DataFrame({
            "checkpoint": rows.ravel() // 21, "day": [day(row % 21) for row in rows.ravel()], "direction": "in",
            "hour": hours.ravel(), "persons": (counts * watched).ravel(), "watched": watched.ravel(),
        })  # fmt: skip
        found = expand_hourly(table)
        days = found.days.sort_values(["place", "day"], ignore_index=True).assign(truth=counts.sum(axis=1))
        partly = days[days["method"] == "expanded"]
        truth = partly["truth"].sum()
        measured.append((
            len(partly), partly["truth"].between(partly["low"], partly["high"]).sum(), partly["value"].sum() / truth,
            (partly["counted"] * 24 / partly["hours_observed"]).sum() / truth, found.profiles["in"].dispersion,
        ))  # fmt: skip
    number, inside, ratio, by_hours, dispersion = np.array(measured).T
    covered = inside.sum() / number.sum()
    # About 600 days: 95 % give or take 1.8 %, twice the chance error. The ratio's mean to three of its errors.
    assert 0.925 < covered < 0.975
    assert ratio.mean() == pytest.approx(1, abs=3 * ratio.std() / np.sqrt(12))
    assert dispersion.mean() == pytest.approx({1: 1, 5: 29 / 5}[party], rel=0.1)  # E[g^2] / E[g], g = 1 + Poisson(4)
    line = f"| {name} | {number.sum():.0f} | {covered:.1%} | {ratio.mean():.3f} | {by_hours.mean():.3f} |"
    assert line.replace("%", " %") in (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")


def test_totals_alone_tell_nearly_the_same():
    inside = []
    for seed in range(6):
        counts, watched, weekday = simulated(seed, party=5)
        seen = counts * watched
        place = np.repeat(np.arange(6), 21)
        profile = fit_week_profile(seen.sum(axis=1), weekday, watched, hour_totals(seen, weekday), place=place)
        share = observed_share(profile, weekday, watched)
        _, low, high = expand_counts(
            seen.sum(axis=1), share, dispersion=profile.dispersion, travellers=profile.travellers[weekday]
        )
        partly = share < 0.999
        inside.append(((low <= counts.sum(axis=1)) & (counts.sum(axis=1) <= high))[partly].mean())
    assert 0.9 < np.mean(inside) < 0.99


def test_thin_hours_take_the_shape_of_their_type_and_thick_ones_keep_their_own():
    weekday = np.arange(7)
    shares = np.array([RHYTHM] * 7)
    shares[4] = np.roll(RHYTHM, 3)
    whole = np.ones((7, 24))
    apart = {}
    for travellers in (60, 1_000_000):
        counts = travellers * shares
        profile = fit_week_profile(counts.sum(axis=1), weekday, whole, counts, dispersion=3.0)
        assert profile.share.sum(axis=1) == pytest.approx(np.ones(7))
        apart[travellers] = np.abs(profile.share[4] - shares[4]).sum()
    assert apart[1_000_000] < 0.001
    assert apart[60] > 20 * apart[1_000_000]


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        ([("a", 0, "in", {}, range(24))], "no_travellers"),
        ([("a", 0, "in", {9: 4}, range(6, 24))], "hours_never_watched"),
        ([("a", 0, "in", {9: 4}, range(12)), ("a", 1, "in", {20: 9}, range(12, 24))], "unconnected"),
    ],
)
def test_without_a_profile_there_is_no_estimate_but_what_was_watched_whole(rows, state):
    found = expand_hourly(hourly([*rows, ("b", 0, "in", {}, range(8, 10))]))
    assert found.profiles["in"].state == state
    partly = found.days["method"] == "expanded"
    assert found.days.loc[partly, "value"].isna().all()
    assert set(found.days.loc[partly, "note"]) == {f"profile_{state}"}
    assert f"profile_{state}" in NOTES
    assert found.days.loc[~partly, "value"].notna().all()


def test_a_day_nobody_watched_has_no_value():
    found = expand_hourly(hourly([("a", 0, "in", {8: 3}, range(24)), ("a", 1, "in", {}, ())]))
    assert found.days["value"].fillna(-1).tolist() == [3, -1]
    assert found.days["note"].tolist()[1] == "no_watch"


def test_an_empty_table_gives_empty_answers():
    found = expand_hourly(hourly([]))
    assert len(found.days) == len(found.hours) == 0
    assert len(add_total(add_net(found.days))) == 0


ROW = {
    "place": "a", "day": pd.Timestamp(MONDAY), "hours_observed": 12.0, "counted": 50.0, "observed_share": 0.5,
    "method": "expanded", "note": None,
}  # fmt: skip


def test_net_is_in_less_out_with_the_intervals_put_together():
    days = pd.DataFrame([
        {**ROW, "direction": "in", "value": 100.0, "low": 90.0, "high": 115.0},
        {**ROW, "direction": "out", "value": 60.0, "low": 55.0, "high": 70.0},
        {**ROW, "direction": "in", "day": pd.Timestamp(day(1)), "value": 9.0, "low": 5.0, "high": 12.0},
        {**ROW, "direction": "out", "day": pd.Timestamp(day(1)), "value": np.nan, "low": np.nan, "high": np.nan,
         "note": "no_watch"},
    ])  # fmt: skip
    first, second = add_net(days).query("direction == 'net'").to_dict("records")
    assert first["value"] == 40
    assert first["low"] == pytest.approx(40 - np.hypot(10, 10))
    assert first["high"] == pytest.approx(40 + np.hypot(15, 5))
    assert np.isnan(second["value"])
    assert second["note"] == "no_watch"


def test_totals_are_of_all_open_checkpoints_or_say_how_many_lack():
    whole = range(24)
    found = expand_hourly(
        hourly([
            ("a", 0, "in", {8: 10}, whole), ("a", 1, "in", {8: 20}, whole), ("a", 2, "in", {8: 30}, whole),
            ("b", 0, "in", {8: 1}, whole), ("b", 2, "in", {8: 3}, whole),
            ("c", 1, "in", {8: 5}, whole), ("c", 2, "in", {}, ()),
        ])
    )  # fmt: skip
    total = add_total(found.days).query("place == 'total'")
    assert total["value"].fillna(-1).tolist() == [11, -1, -1]  # b lacks day 1; c was open and unwatched on day 2
    assert total["note"].tolist() == ["checkpoints_summed:2", "checkpoints_missing:1", "checkpoints_missing:1"]
    assert note_words("checkpoints_summed:2")[0] == "Sum of 2 checkpoints."
    assert total["hours_observed"].tolist() == [48, 48, 48]
    quiet = expand_hourly(hourly([("a", 0, "in", {}, whole), ("a", 1, "in", {8: 1}, whole)]))
    seen = add_total(quiet.days).query("place == 'total'")
    assert seen[["value", "observed_share"]].to_numpy().tolist() == [[0, 1], [1, 1]]  # nobody passed: all was seen


def test_mean_days_by_weekday_and_how_much_of_them_was_watched():
    whole = range(24)
    rows = [("a", 0, "in", {8: 10, 20: 10}, whole), ("a", 7, "in", {8: 30, 20: 30}, whole)]
    found = expand_hourly(hourly([*rows, ("a", 14, "in", {8: 20}, range(12)), ("a", 1, "in", {}, ())]))
    (monday,) = weekday_means(found.days).to_dict("records")
    assert (monday["weekday"], monday["days"]) == (1, 3)
    assert monday["mean_persons"] == pytest.approx((20 + 60 + 40) / 3)
    assert monday["coverage"] == pytest.approx((24 + 24 + 12) / 72)


@st.composite
def watched_days(draw):
    """Return counts and watch of some days; one day is watched whole, so that there is a profile."""
    n = draw(st.integers(1, 6))
    cells = st.lists(st.integers(0, 40), min_size=24, max_size=24)
    counts = np.array([draw(cells) for _ in range(n)], dtype=float)
    counts[0, 12] += 1
    starts = np.array([0, *(draw(st.integers(0, 24)) for _ in range(n - 1))])
    return counts, (np.arange(24) >= starts[:, None]).astype(float)


@settings(max_examples=20, deadline=None)
@given(watched_days(), st.randoms(use_true_random=False))
def test_what_was_seen_has_passed_and_order_does_not_matter(drawn, random):
    counts, watched = drawn
    rows, hours = np.indices(counts.shape)
    table = pd.DataFrame({
        "checkpoint": "a", "day": [day(row) for row in rows.ravel()], "direction": "out", "hour": hours.ravel(),
        "persons": np.where(watched > 0, counts, np.nan).ravel(), "watched": watched.ravel() > 0,
    })  # fmt: skip
    found = expand_hourly(table)
    known = found.days[found.days["value"].notna()]
    assert (known["value"] >= known["counted"] - 1e-9).all()
    partly = known[known["method"] == "expanded"]
    assert (partly["low"].between(partly["counted"] - 1e-9, partly["value"])).all()
    assert (partly["high"] >= partly["value"]).all()
    of_hours = found.hours.groupby(["place", "day"])["value"].sum(min_count=24)
    assert of_hours.dropna().to_numpy() == pytest.approx(known["value"].to_numpy())
    order = list(range(len(table)))
    random.shuffle(order)
    again = expand_hourly(table.iloc[order])
    pd.testing.assert_frame_equal(again.days, found.days)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"hour": 24}, "Row 1, 2, 3, 4, 5 and 19 more: hour is not a whole number"),
        ({"hour": 7.5}, "hour is not a whole number"),
        ({"persons": -1}, "persons is missing or negative"),
        ({"persons": None}, "persons is missing or negative"),
        ({"direction": "north"}, "direction is neither in nor out"),
        ({"watched": 2}, "watched is not true"),
        ({"hour": 3}, "stands twice"),
        ({"day": "someday"}, "Column day"),
        ({"checkpoint": None}, "no checkpoint or no day"),
    ],
)
def test_tables_that_can_not_be_used_are_refused_by_row(change, told):
    table = hourly([("a", 0, "in", {8: 3}, range(24))]).assign(**change)
    with pytest.raises(WrongUseError, match=told):
        expand_hourly(table)
    with pytest.raises(WrongUseError, match="no column persons"):
        expand_hourly(table.drop(columns="persons"))


class FilledRelease:
    """Make the tables of a release that the estimates read, and fill them."""

    def __init__(self, days, hours):
        self.connection = connect(spatial=False)
        for name in ("passage_day", "passage_hour", "passage_estimate"):
            self.connection.execute(RELEASE_TABLES[name].create_sql())
        for row in days:
            self.connection.execute("INSERT INTO passage_day VALUES (?, ?, ?, ?, 'persons', ?, ?, ?, ?)", row)
        for row in hours:
            self.connection.execute("INSERT INTO passage_hour VALUES (?, ?, ?, ?, 1, ?, ?)", row)
        fill_passage_estimates(self.connection)

    def of(self, checkpoint, number, direction):
        """Return value, status, method and note."""
        found = self.connection.execute(
            "SELECT value, status, method, note FROM passage_estimate "
            "WHERE checkpoint = ? AND day = ? AND direction = ?",
            [checkpoint, day(number), direction],
        ).fetchall()
        assert len(found) == 1
        return found[0]


def days_of(checkpoint, number, count_in, count_out, hours=24.0, observed="0-23", *, round_number=1):
    """Return the rows of a checkpoint and day; a count of None is hidden."""
    hidden = None in (count_in, count_out) and hours != 24.0
    return [
        (round_number, checkpoint, day(number), direction, hours, None if hidden else observed, count,
         "suppressed" if count is None else "published")
        for direction, count in (("in", count_in), ("out", count_out))
    ]  # fmt: skip


def hours_of(weekday, counts, directions=("in", "out")):
    """Return the hours of a weekday (1 Monday); a count of None is hidden, an hour not named 0."""
    return [
        (1, direction, weekday, hour, counts.get(hour, 0), "suppressed" if counts.get(hour, 0) is None else "published")
        for direction in directions
        for hour in range(24)
    ]


def test_a_release_is_expanded_from_its_published_days_and_hours():
    # Mondays of round 1: 40 each way watched whole (10 at 8, 30 at 9), and 5 at 8 alone: 20 in 24 hours.
    days = [
        *days_of("a", 0, 40, 40), *days_of("b", 0, 40, 40), *days_of("a", 7, 5, 5, 1.0, "8"),
        *days_of("b", 7, 40, 40), *days_of("a", 14, 6, 5, 1.0, "8", round_number=None),
    ]  # fmt: skip
    release = FilledRelease(days, hours_of(1, {8: 35, 9: 90}))
    assert release.of("a", 0, "in") == (40, "published", "observed", None)
    assert release.of("a", 7, "in") == (pytest.approx(20), "published", "expanded", None)
    assert release.of("a", 7, "net") == (pytest.approx(0), "published", "expanded", None)
    assert release.of("total", 0, "out") == (80, "published", "observed", "checkpoints_summed:2")
    assert release.of("total", 7, "in") == (pytest.approx(60), "published", "expanded", "checkpoints_summed:2")
    assert release.of("a", 14, "in") == (pytest.approx(24), "published", "expanded", "profile_of_all_rounds")
    assert release.of("a", 14, "net") == (pytest.approx(4), "published", "expanded", None)
    shares = release.connection.execute("SELECT DISTINCT observed_share FROM passage_estimate WHERE day = ? AND "
                                        "checkpoint = 'a' AND direction = 'in'", [day(7)]).fetchall()  # fmt: skip
    assert shares == [(pytest.approx(0.25),)]


def test_hidden_hours_share_what_is_left_of_their_weekday():
    # 160 on whole days and 5 + x hours ... of a weekday's 165, hours 8 and 9 tell 35 and 90: 40 left, 20 for each.
    days = [row for number in (0, 7, 14, 21) for row in days_of("a", number, 40, 40)]
    days += days_of("a", 28, 5, 5, 1.0, "8")
    release = FilledRelease(days, hours_of(1, {8: 45, 9: 80, 10: None, 11: None}))
    value, status, method, note = release.of("a", 28, "in")
    # p8 = 45 / (160 + 5 / p8), so 160 p8 = 40 and p8 = 1/4
    assert (value, status, method, note) == (pytest.approx(20), "published", "expanded", "hidden_hours_spread")


def test_what_is_hidden_or_unknown_stays_so():
    days = [
        *days_of("a", 0, 40, 40), *days_of("b", 0, None, 40), *days_of("a", 1, 12, None, 5.0),
        *days_of("a", 2, 0, 0, 5.0, None), *days_of("a", 3, 12, 15, None, None), *days_of("a", 4, 40, 40),
        *((1, "a", day(5), direction, 0.0, None, None, "not_reported") for direction in ("in", "out")),
    ]  # fmt: skip
    release = FilledRelease(days, [row for one in range(1, 8) for row in hours_of(one, {8: 10, 9: 30})])
    assert release.of("b", 0, "in")[:2] == (None, "suppressed")
    assert release.of("b", 0, "out")[:2] == (40, "published")
    assert release.of("b", 0, "net")[:2] == (None, "suppressed")
    assert release.of("total", 0, "in")[:2] == (None, "suppressed")
    assert release.of("total", 0, "out")[:2] == (80, "published")
    assert release.of("total", 0, "net")[:2] == (None, "suppressed")
    assert release.of("a", 1, "in")[:2] == (None, "suppressed")  # its hours would tell of the hidden count
    assert release.of("a", 2, "in") == (None, "undefined", "expanded", "hours_unknown")
    assert release.of("a", 3, "in") == (None, "not_reported", "expanded", "no_watch")
    assert release.of("a", 5, "net")[:2] == (None, "not_reported")
    assert release.of("total", 5, "in")[:2] == (None, "not_reported")
    notes = release.connection.execute("SELECT DISTINCT note FROM passage_estimate WHERE note IS NOT NULL").fetchall()
    assert {note.split(":")[0] for (note,) in notes} <= set(NOTES)
    broken = release.connection.execute(
        "SELECT count(*) FROM passage_estimate WHERE (value IS NULL) = (status = 'published') "
        "OR (low IS NOT NULL AND status <> 'published') OR (note IS NOT NULL AND status = 'suppressed')"
    ).fetchone()
    assert broken == (0,)


def test_a_release_without_checkpoints_has_no_rows():
    assert FilledRelease([], []).connection.execute("SELECT count(*) FROM passage_estimate").fetchone() == (0,)


def test_through_travellers_cancel_out_over_all_checkpoints():
    # 30 residents come in at a; 12 others come in at a and go out at b, passing through.
    release = FilledRelease([*days_of("a", 0, 42, 0), *days_of("b", 0, 0, 12)], hours_of(1, {8: 27}))
    assert release.of("a", 0, "net")[0] == 42
    assert release.of("b", 0, "net")[0] == -12
    assert release.of("total", 0, "net")[0] == 30

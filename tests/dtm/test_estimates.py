"""Check the estimates of a release on a hand-made one: what they rest on, that they add up, that nothing leaks."""

from __future__ import annotations

import datetime as dt
from itertools import product

import numpy as np
import pytest

from dtm._estimate_tables import FILLED_TABLES
from dtm._fill_balance import fill_balance
from dtm._fill_flow_estimates import fill_flow_estimates
from dtm._fill_imputed import fill_imputed
from dtm._fill_stock_months import fill_stock_months
from dtm.estimates import FILLERS
from dtm.measures import note_words
from dtm.reconciliation import reconcile_flows
from tests.dtm.estimates_world import AREAS, CITY, DAYS, DISTRICTS, KHOROOS, EstimatesWorld, level_of

WEST, EAST = DISTRICTS
OWN = (
    ("flow_estimate", fill_flow_estimates),
    ("imputed", fill_imputed),
    ("balance", fill_balance),
    ("stock_month", fill_stock_months),
)
"""The fillers of this file's tables, in their order."""


def test_fillers_follow_the_order_of_their_tables():
    names = [name for name, _ in FILLERS]
    assert names == [table.name for table in FILLED_TABLES]


# --- moves told by both ends -------------------------------------------------------------------------------------


def moves_world():
    """Two districts: each told of the moves between them and inside; totals as in a release."""
    world = EstimatesWorld(rounds=(1,))
    for pcode in (CITY, *DISTRICTS):
        world.cover(1, pcode, 10, 10, 1.0)
        for source in ("arrivals", "departures"):
            world.flow(1, source, pcode, "total", 100)
    return world


def test_pairs_without_a_row_are_zero_and_hidden_ones_stay_hidden():
    world = moves_world()
    world.flow(1, "arrivals", EAST, WEST, 40)  # 40 came east, told there; the west told 44 that left for it
    world.flow(1, "departures", WEST, EAST, 44)
    world.flow(1, "arrivals", WEST, EAST, None)
    world.flow(1, "departures", EAST, WEST, 25)
    fill_flow_estimates(world.connection)
    both = world.row("flow_estimate", origin=WEST, destination=EAST)
    assert (both["arrivals"], both["departures"], both["mirror_ratio"]) == (40, 44, pytest.approx(40 / 44))
    assert both["value"] == pytest.approx(np.sqrt(40 * 44), rel=0.001)  # the one pair of its group: the middle
    assert (both["status"], both["method"], both["low"]) == ("published", "reconciled", None)
    assert note_words(both["note"])[0].startswith("Too few pairs")
    hidden = world.row("flow_estimate", origin=EAST, destination=WEST)
    assert hidden["status"] == "suppressed"
    assert (hidden["value"], hidden["low"], hidden["high"], hidden["mirror_ratio"]) == (None, None, None, None)
    assert (hidden["arrivals"], hidden["departures"]) == (None, 25)  # published where it was told
    inside = world.row("flow_estimate", origin=WEST, destination=WEST)
    assert (inside["arrivals"], inside["departures"], inside["value"]) == (0, 0, 0)
    last = world.row("flow_estimate", origin=EAST, destination=EAST)  # after the hidden pair: its note is its own
    assert (inside["note"], last["note"]) == ("few_pairs", "few_pairs")
    assert world.rows("SELECT count(*) FROM flow_estimate") == [(5,)]  # 2 x 2 districts and the city itself


def test_a_side_nobody_reported_leaves_the_other():
    world = EstimatesWorld(rounds=(1,))
    for pcode in (CITY, *DISTRICTS):
        world.flow(1, "arrivals", pcode, "total", 100)
        world.flow(1, "departures", pcode, "total", "-" if pcode == WEST else 100)
    world.flow(1, "arrivals", EAST, WEST, 40)
    fill_flow_estimates(world.connection)
    one = world.row("flow_estimate", origin=WEST, destination=EAST)
    assert (one["arrivals"], one["departures"], one["value"], one["status"]) == (40, None, 40, "published")
    assert one["note"] == "told_by_destination;few_pairs"
    assert note_words(one["note"])[0].startswith("Only the destination told it. Too few pairs")
    silent = EstimatesWorld(rounds=(1,))
    fill_flow_estimates(silent.connection)
    assert silent.rows("SELECT DISTINCT status FROM flow_estimate") == [("not_reported",)]


@pytest.mark.parametrize(
    ("west_told", "east_told", "silent", "status", "note"),
    [
        # 0 left the west for the east. Told by: both, with every unit of the west
        (True, True, (0, 1), "published", "few_pairs"),
        (True, True, (1, 0), "published", "few_pairs"),
        (True, True, (1, 1), "undefined", "zero_in_part"),  # one unit of ten silent on either side
        (True, False, (0, 10), "not_reported", "zero_by_one_end"),  # the origin alone
        (False, True, (10, 0), "not_reported", "zero_by_one_end"),  # the destination alone
        (False, False, (10, 10), "not_reported", None),  # nobody
    ],
)
def test_nobody_moved_is_published_where_both_ends_told_it_and_one_of_them_whole(
    west_told, east_told, silent, status, note
):
    world = EstimatesWorld(rounds=(1,))
    for pcode, has_told, missing in ((WEST, west_told, silent[0]), (EAST, east_told, silent[1])):
        world.cover(1, pcode, 10 - missing, 10, None)
        for source in ("arrivals", "departures"):
            world.flow(1, source, pcode, "total", 100 if has_told else "-")
    fill_flow_estimates(world.connection)
    pair = world.row("flow_estimate", origin=WEST, destination=EAST)
    assert (pair["status"], pair["note"]) == (status, note)
    assert (pair["value"], pair["low"], pair["high"]) == (0 if status == "published" else None, None, None)
    assert (pair["departures"], pair["arrivals"]) == (0 if west_told else None, 0 if east_told else None)


def test_one_return_of_a_city_does_not_tell_that_nobody_moved_in_it():
    world = EstimatesWorld(rounds=(1,))
    for pcode in (CITY, *DISTRICTS):
        world.cover(1, pcode, int(pcode != EAST), 20 if pcode == CITY else 10, None)
        for source in ("arrivals", "departures"):
            world.flow(1, source, pcode, "total", "-" if pcode == EAST else 12)
    world.flow(1, "departures", WEST, EAST, 12)
    fill_flow_estimates(world.connection)
    found = world.rows("SELECT origin, destination, value, status, note FROM flow_estimate ORDER BY 1, 2")
    assert found == [
        (CITY, CITY, None, "undefined", "zero_in_part"),
        (WEST, WEST, None, "undefined", "zero_in_part"),
        (WEST, EAST, 12, "published", "told_by_origin;few_pairs"),
        (EAST, WEST, None, "not_reported", "zero_by_one_end"),
        (EAST, EAST, None, "not_reported", None),
    ]
    for code in ("zero_in_part", "zero_by_one_end"):
        assert "not known" in note_words(code)[0]


def test_districts_of_one_city_are_fitted_together_with_intervals():
    districts = tuple(f"MN11{number:02d}" for number in range(1, 6))
    world = EstimatesWorld(rounds=(1,), areas=(CITY, *districts))
    rng = np.random.default_rng(6)
    moves = rng.integers(50, 400, (5, 5))
    for i, origin in enumerate(districts):
        world.flow(1, "arrivals", origin, "total", int(moves[:, i].sum()))
        world.flow(1, "departures", origin, "total", int(moves[i].sum()))
        for j, destination in enumerate(districts):
            world.flow(1, "arrivals", destination, origin, int(moves[i, j]))
            world.flow(1, "departures", origin, destination, round(0.8 * moves[i, j]) if i == 2 else int(moves[i, j]))
    fill_flow_estimates(world.connection)
    found = world.rows("SELECT value, low, high, note FROM flow_estimate WHERE level = 2 ORDER BY origin, destination")
    assert np.array([row[0] for row in found]).reshape(5, 5) == pytest.approx(moves, rel=0.02)  # the third told too few
    assert all(low < value < high and note is None for value, low, high, note in found)


# --- units that did not report -----------------------------------------------------------------------------------


def reporting_world(*, silent=None, hidden=(), rounds=(1,)):
    """Khoroos of 1,000 registered people each, 1,100 really there, 20 arrivals; half of `silent` did not report."""
    world = EstimatesWorld(rounds=rounds)
    for number in rounds:
        for pcode in AREAS:
            inside = [khoroo for khoroo in KHOROOS if khoroo.startswith(pcode)]
            half = sum(khoroo == silent for khoroo in inside)
            full = len(inside)
            registered = 1_000 * full - 500 * half
            world.cover(number, pcode, 10 * full - 5 * half, 10 * full, registered / (1_000 * full))
            world.stock(number, pcode, registered, "registered")
            world.stock(number, pcode, None if pcode in hidden else registered * 11 // 10)
            # of 20 arrivals in a khoroo, 8 are from its own district, 6 from the other, 6 from elsewhere
            border = {1: 6, 2: 12, 3: 20}[level_of(pcode)]
            world.flow(number, "arrivals", pcode, "total", border * registered // 1_000)
            if level_of(pcode) < 3:
                world.flow(number, "arrivals", pcode, pcode, (20 - border) * registered // 1_000)
            world.flow(number, "departures", pcode, "total", "-")
    return world


def test_with_every_unit_reporting_the_value_is_what_was_told():
    world = reporting_world()
    fill_imputed(world.connection)
    told = world.rows(
        "SELECT observed, value, low, high, imputed_share, method FROM imputed WHERE status = 'published'"
    )
    assert len(told) == 2 * len(AREAS)
    assert all(row[0] == row[1] == row[2] == row[3] and row[4:] == (0, "observed") for row in told)
    assert {row[0] for row in world.rows("SELECT status FROM imputed WHERE figure = 'departures'")} == {"not_reported"}


def test_silent_units_take_the_ratio_of_their_district_and_people_add_up():
    world = reporting_world(silent=KHOROOS[1])
    fill_imputed(world.connection)
    khoroo = world.row("imputed", pcode=KHOROOS[1], figure="actual_persons")
    assert (khoroo["observed"], khoroo["registered_missing"], khoroo["value"]) == (550, 500, 1_100)
    assert khoroo["imputed_share"] == 0.5
    assert khoroo["method"] == "imputed"
    for area, parts in ((WEST, KHOROOS[:4]), (EAST, KHOROOS[4:]), (CITY, DISTRICTS)):
        whole = world.row("imputed", pcode=area, figure="actual_persons")["value"]
        assert whole == sum(world.row("imputed", pcode=part, figure="actual_persons")["value"] for part in parts)
    assert world.row("imputed", pcode=CITY, figure="actual_persons")["value"] == 8_800


def test_moves_over_a_border_take_the_ratio_of_that_border():
    world = reporting_world(silent=KHOROOS[1])
    fill_imputed(world.connection)
    # the silent 500 have 10 arrivals: 10 over the khoroo's border, 6 over the district's, 3 over the city's
    for pcode, observed, missing in ((KHOROOS[1], 10, 10), (WEST, 42, 6), (CITY, 45, 3)):
        row = world.row("imputed", pcode=pcode, figure="arrivals")
        assert (row["observed"], row["value"]) == (observed, pytest.approx(observed + missing))


def test_an_area_nobody_reported_from_takes_its_last_registered_people():
    world = reporting_world(rounds=(1,))
    world.insert(
        "round", round_number=2, operation="o", started_on=DAYS[2], ended_on=DAYS[2], reference_on=DAYS[2],
        flow_days=182, area_set="ub", area_set_version=1,
    )  # fmt: skip
    gone = KHOROOS[0]
    for pcode in AREAS:
        full = sum(khoroo.startswith(pcode) for khoroo in KHOROOS)
        left = full - gone.startswith(pcode)
        world.cover(2, pcode, 10 * left, 10 * full, left / full)
        world.stock(2, pcode, 1_000 * left if left else "-", "registered")
        world.stock(2, pcode, 1_200 * left if left else "-")
    fill_imputed(world.connection)
    row = world.row("imputed", round_number=2, pcode=gone, figure="actual_persons")
    assert (row["observed"], row["registered_missing"], row["imputed_share"]) == (None, 1_000, 1)
    assert row["value"] == pytest.approx(1_200)
    assert world.row("imputed", round_number=2, pcode=WEST, figure="actual_persons")["value"] == pytest.approx(4_800)
    # at the first round nobody would know how many people live there
    fresh = EstimatesWorld(rounds=(1,))
    fresh.cover(1, gone, 0, 10, 0.0)
    fresh.stock(1, gone, "-", "registered")
    fresh.stock(1, gone, "-")
    fresh.cover(1, KHOROOS[1], 10, 10, 1.0)
    fresh.stock(1, KHOROOS[1], 1_000, "registered")
    fresh.stock(1, KHOROOS[1], 1_100)
    fill_imputed(fresh.connection)
    unknown = fresh.row("imputed", pcode=gone, figure="actual_persons")
    assert (unknown["status"], unknown["note"], unknown["value"]) == ("undefined", "registered_unknown", None)


def test_hidden_figures_and_shares_hide_the_estimate():
    world = reporting_world(silent=KHOROOS[1], hidden=(KHOROOS[2],))
    world.connection.execute("UPDATE coverage SET registered_coverage_share = NULL WHERE pcode = ?", [KHOROOS[1]])
    fill_imputed(world.connection)
    for pcode in KHOROOS[1:3]:
        row = world.row("imputed", pcode=pcode, figure="actual_persons")
        shown = {name: row[name] for name in ("observed", "registered_missing", "value", "low", "high")}
        assert row["status"] == "suppressed"
        assert set(shown.values()) == {None}
    # the district's own share is published, so it still has an estimate: 3,850 told, 500 of 4,000 missing
    district = world.row("imputed", pcode=WEST, figure="actual_persons")
    assert district["status"] == "published"
    assert district["value"] == pytest.approx(3_850 * 4_000 / 3_500)


def test_khoroos_whose_figures_are_hidden_do_not_raise_the_ratio():
    # three khoroos told 40, 40 and 60 of 1,000; the fourth's 4 is hidden: the district's 144 of 4,000 holds it
    world = EstimatesWorld(rounds=(1,))
    told = dict(zip(KHOROOS[:4], (40, 40, 60, None), strict=True))
    for pcode in KHOROOS[:4]:
        world.cover(1, pcode, 9, 10, 0.9)
        world.stock(1, pcode, 1_000, "registered")
        world.flow(1, "arrivals", pcode, "total", told[pcode])
    world.cover(1, WEST, 36, 40, 0.9)
    world.stock(1, WEST, 4_000, "registered")
    world.flow(1, "arrivals", WEST, "total", 144)
    fill_imputed(world.connection)
    first = world.row("imputed", pcode=KHOROOS[0], figure="arrivals")
    assert first["value"] == pytest.approx(40 + 1_000 / 9 * 144 / 4_000)


# --- balance -----------------------------------------------------------------------------------------------------


def balanced_world(*, matched=10, flow_days=182, **changed):
    terms = {"closing": 1_100, "change": 100, "arrivals": 90, "departures": 20, "births": 30, "deaths": 5} | changed
    world = EstimatesWorld(areas=(CITY,))
    world.connection.execute("UPDATE round SET flow_days = ?", [flow_days])
    for number in (1, 2):
        world.cover(number, CITY, 10, 10, 1.0)
    world.stock(1, CITY, 1_000)
    world.stock(2, CITY, terms["closing"])
    world.change(2, CITY, terms["change"], f"matched_units:{matched}")
    for name in ("arrivals", "departures"):
        world.flow(2, name, CITY, "total", terms[name])
    for name in ("births", "deaths"):
        world.vital(2, CITY, name, terms[name])
    fill_balance(world.connection)
    return world.row("balance", round_number=2, pcode=CITY)


def test_balance_of_the_same_units():
    row = balanced_world()
    # 1000 + 90 - 20 + 30 - 5 = 1095; 1100 were counted
    assert [row[name] for name in ("opening", "boundary_change", "closing", "residual", "flag", "status", "note")] == [
        1_000, 0, 1_100, 5, "green", "published", None,
    ]  # fmt: skip
    assert row["residual_pct"] == pytest.approx(100 * 5 / 1_100)


def test_balance_tells_of_other_units_and_another_window():
    row = balanced_world(matched=8, flow_days=90, closing=1_300)
    assert row["opening"] == 1_200  # the two units that are new count as unchanged
    assert row["note"] == "units_differ:8;window_differs:90/182"
    english, mongolian = note_words(row["note"])
    assert "in both: 8" in english
    assert "90/182" in mongolian
    assert balanced_world(flow_days=None)["note"] == "no_window"


@pytest.mark.parametrize("name", ["closing", "change", "arrivals", "departures", "births", "deaths"])
def test_a_hidden_term_hides_the_residual_and_only_what_follows_from_it(name):
    row = balanced_world(**{name: None})
    assert row["status"] == "suppressed"
    assert (row["residual"], row["residual_pct"], row["flag"], row["note"]) == (None, None, None, None)
    expected = {"closing", "opening"} if name == "closing" else {"opening"} if name == "change" else {name}
    empty = {term for term in ("opening", "arrivals", "departures", "births", "deaths", "closing") if row[term] is None}
    assert empty == expected


def test_a_term_nobody_reported_and_rounds_without_common_units():
    assert balanced_world(births="-")["status"] == "not_reported"
    world = EstimatesWorld(areas=(CITY,))
    world.stock(2, CITY, 1_000)
    world.insert(
        "indicator", round_number=2, level=1, pcode=CITY, indicator="change_persons", unit="persons",
        status="undefined", note="no_matched_units",
    )  # fmt: skip
    for name in ("arrivals", "departures"):
        world.flow(2, name, CITY, "total", 0)
    for name in ("births", "deaths"):
        world.vital(2, CITY, name, 0)
    fill_balance(world.connection)
    row = world.row("balance", pcode=CITY)
    assert (row["status"], row["note"], row["residual"]) == ("undefined", "no_matched_units", None)
    assert EstimatesWorld(rounds=(1,)).rows("SELECT count(*) FROM balance") == [(0,)]


def test_rounds_on_other_areas_have_no_balance():
    """What a boundary change moved is not known, so it is not taken for 0."""
    world = EstimatesWorld(areas=(CITY,))
    world.connection.execute("UPDATE round SET area_set_version = 2 WHERE round_number = 2")
    world.stock(2, CITY, 1_000)
    world.change(2, CITY, 100, "matched_units:10")
    for name in ("arrivals", "departures"):
        world.flow(2, name, CITY, "total", 50)
    for name in ("births", "deaths"):
        world.vital(2, CITY, name, 10)
    fill_balance(world.connection)
    row = world.row("balance", pcode=CITY)
    assert (row["status"], row["note"]) == ("undefined", "other_areas")
    assert (row["boundary_change"], row["residual"], row["flag"]) == (None, None, None)


# --- people by month ---------------------------------------------------------------------------------------------


def months_world(values, *, rounds=(1, 2), shares=(1.0, 1.0, 1.0), breaks=()):
    """One city whose registered people at each round are given."""
    world = EstimatesWorld(rounds=rounds, areas=(CITY,))
    for number, value, share in zip(rounds, values, shares, strict=False):
        reported = 0 if value == "-" else 10 if share == 1 else 9
        world.cover(number, CITY, reported, 10, 0.0 if value == "-" else share)
        world.stock(number, CITY, value, "registered")
    for name, series, first, last in breaks:
        world.insert(
            "series_break", name=name, series=series, pcode=CITY, from_on=first, to_on=last, label_en="e", label_mn="м",
            what_en="e", what_mn="м", reference="r",
        )  # fmt: skip
    fill_stock_months(world.connection)
    rows = world.rows(
        "SELECT day, value, status, method, note FROM stock_month WHERE category = 'registered' ORDER BY 1"
    )
    return {row[0]: row[1:] for row in rows}


def test_months_between_and_after_two_rounds():
    found = months_world([1_000, 1_210])
    assert found[dt.date(2024, 1, 1)] == (1_000, "published", "observed", None)
    assert found[dt.date(2024, 7, 1)] == (1_210, "published", "observed", None)
    # 91 of 182 days
    assert found[dt.date(2024, 4, 1)] == (pytest.approx(1_100), "published", "interpolated", None)
    # 184 days on, at the rate of 182
    value = 1_210 * 1.21 ** (184 / 182)
    assert found[dt.date(2025, 1, 1)] == (pytest.approx(value), "published", "projected", None)
    assert len(found) == 7 + 12
    assert max(found) == dt.date(2025, 7, 1)  # 12 months after the last round, and nothing later


def test_one_round_has_no_rate_and_nobody_no_growth():
    found = months_world([1_000], rounds=(1,))
    assert found[dt.date(2024, 2, 1)] == (None, "undefined", "projected", "no_previous_round")
    found = months_world([0, 364])
    assert found[dt.date(2024, 1, 31) + dt.timedelta(days=1)] == (62, "published", "interpolated", "straight_line")
    assert found[dt.date(2024, 8, 1)] == (None, "undefined", "projected", "zero_denominator")


def test_a_hidden_count_hides_its_neighbours_and_a_silent_round_is_passed_over():
    found = months_world([1_000, None, 1_100], rounds=(1, 2, 3))
    assert {row[1] for day, row in found.items() if dt.date(2024, 1, 1) < day < dt.date(2025, 1, 1)} == {"suppressed"}
    assert found[dt.date(2025, 3, 1)][:2] == (None, "suppressed")  # the rate rests on it
    passed = months_world([1_000, "-", 1_100], rounds=(1, 2, 3))
    assert passed[dt.date(2024, 7, 1)] == (None, "not_reported", "observed", None)
    assert passed[dt.date(2024, 8, 1)][0] == pytest.approx(1_000 * 1.1 ** (213 / 366))


def test_growth_of_an_area_that_fell_silent_stops_a_year_after_its_last_count():
    found = months_world([1_000, 1_100, "-"], rounds=(1, 2, 3))
    assert found[dt.date(2025, 7, 1)][2] == "projected"
    assert max(found) == dt.date(2025, 7, 1)
    first = months_world(["-", 1_000, 1_100], rounds=(1, 2, 3))
    assert first[dt.date(2024, 3, 1)] == (None, "not_reported", "interpolated", None)


def test_counts_are_of_all_units_so_that_coverage_is_no_growth():
    found = months_world([1_000, 900], shares=(1.0, 0.9))
    assert found[dt.date(2024, 7, 1)] == (1_000, "published", "imputed", None)
    assert found[dt.date(2024, 4, 1)] == (pytest.approx(1_000), "published", "interpolated", "coverage_differs")
    assert note_words("coverage_differs")[0].endswith("more than 2 percentage points.")


def test_months_that_cross_a_break_are_marked():
    found = months_world(
        [1_000, 1_100, 1_200], rounds=(1, 2, 3),
        breaks=[
            ("stop", "registered", dt.date(2024, 5, 1), dt.date(2024, 5, 31)),
            ("other", "registration", dt.date(2024, 1, 1), None),
        ],
    )  # fmt: skip
    assert found[dt.date(2024, 2, 1)][3] == "series_break:stop"  # its two counts lie on both sides
    assert found[dt.date(2024, 1, 1)][3] is None
    assert found[dt.date(2024, 9, 1)][3] is None
    assert found[dt.date(2025, 3, 1)][3] is None
    both = months_world(
        [1_000, 1_100], breaks=[("a", "all", dt.date(2024, 1, 1), None), ("b", "registered", dt.date(2024, 7, 1), None)]
    )
    assert both[dt.date(2024, 1, 1)][3] == "series_break:a"
    assert both[dt.date(2024, 7, 1)][3] == "series_break:a;series_break:b"
    assert (
        note_words("series_break:a;series_break:b")[0] == "The series is broken here: a. The series is broken here: b."
    )


# --- nothing hidden ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
def test_values_are_there_exactly_where_they_are_published(seed):
    """Hide figures at random in a city at random: what is not published has no value, what is hidden stays hidden."""
    rng = np.random.default_rng(seed)
    world = random_world(rng)
    for _, fill in OWN:
        fill(world.connection)
    for table, values in {
        "flow_estimate": ("value", "low", "high", "mirror_ratio"),
        "imputed": ("value", "low", "high", "imputed_share", "registered_missing", "observed"),
        "balance": ("residual", "residual_pct", "flag"),
        "stock_month": ("value",),
    }.items():
        key = values[0]
        assert world.rows(f"SELECT count(*) FROM {table} WHERE ({key} IS NULL) <> (status <> 'published')") == [(0,)]
        empty = " AND ".join(f"{name} IS NULL" for name in values)
        assert world.rows(f"SELECT count(*) FROM {table} WHERE status <> 'published' AND NOT ({empty})") == [(0,)]
        for (note,) in world.rows(f"SELECT DISTINCT note FROM {table} WHERE note IS NOT NULL"):
            assert all(note_words(note))
    hidden = world.rows(
        "SELECT DISTINCT i.status FROM imputed i JOIN stock s USING (round_number, pcode) "
        "WHERE i.figure = 'actual_persons' AND s.category = 'actual' AND s.status = 'suppressed'"
    )
    assert hidden in ([("suppressed",)], [])
    outside = "low < coalesce(observed, 0) - 1e-9 OR high < value - 1e-9"
    assert world.rows(f"SELECT count(*) FROM imputed WHERE {outside}") == [(0,)]


def random_world(rng):
    world = EstimatesWorld(rounds=(1, 2, 3))

    def told(value):
        return None if rng.random() < 0.2 else "-" if rng.random() < 0.1 else int(value)

    for number in (1, 2, 3):
        for pcode in AREAS:
            reported = int(rng.integers(0, 11))
            share = None if rng.random() < 0.2 else reported / 10
            world.cover(number, pcode, reported, 10, share)
            for category in ("registered", "actual"):
                world.stock(number, pcode, told(rng.integers(0, 3_000)), category)
            for source in ("arrivals", "departures"):
                world.flow(number, source, pcode, "total", told(rng.integers(0, 300)))
                for other in DISTRICTS:
                    if level_of(pcode) == 2 and rng.random() < 0.7:
                        world.flow(number, source, pcode, other, told(rng.integers(1, 200)))
            for event in ("births", "deaths"):
                world.vital(number, pcode, event, told(rng.integers(0, 50)))
            world.change(number, pcode, told(rng.integers(-50, 50)), f"matched_units:{reported}")
    return world


def test_released_pairs_tell_the_reporters_again():
    districts = tuple(f"MN11{number:02d}" for number in range(1, 6))
    world = EstimatesWorld(rounds=(1,), areas=(CITY, *districts))
    rng = np.random.default_rng(2)
    for source, teller in product(("arrivals", "departures"), districts):
        world.flow(1, source, teller, "total", 100)
        for other in districts:
            world.flow(1, source, teller, other, None if rng.random() < 0.1 else int(rng.integers(10, 90)))
    fill_flow_estimates(world.connection)
    rows = world.connection.execute("SELECT * FROM flow_estimate WHERE level = 2 AND status = 'published'").df()
    found = reconcile_flows(rows)
    assert found.pairs["value"].to_numpy() == pytest.approx(rows["value"].to_numpy())
    assert found.totals["arrivals"] == rows["arrivals"].sum()
    assert len(found.reporters) == 2 * len(districts)


def test_releases_without_khoroos_or_without_anything_are_filled():
    districts = tuple(f"MN11{number:02d}" for number in range(1, 6))
    world = EstimatesWorld(rounds=(1,), areas=(CITY, *districts))
    for pcode in (CITY, *districts):
        share = 0.5 if pcode == districts[0] else 0.9 if pcode == CITY else 1.0
        full = 5_000 if pcode == CITY else 1_000
        world.cover(1, pcode, 9 if share < 1 else 10, 10, share)
        world.stock(1, pcode, round(full * share), "registered")
        world.stock(1, pcode, round(1.2 * full * share))
        world.flow(1, "arrivals", pcode, "total", round((0.01 if pcode == CITY else 0.05) * full * share))
    nothing = EstimatesWorld(rounds=(), areas=())
    for _, fill in OWN:
        fill(world.connection)
        fill(nothing.connection)
    values = dict(world.rows("SELECT pcode, value FROM imputed WHERE figure = 'arrivals' ORDER BY pcode"))
    assert values[districts[0]] == pytest.approx(50)
    assert values[CITY] == pytest.approx(50)  # over the city's border: 45 told by nine tenths
    assert world.row("imputed", pcode=CITY, figure="actual_persons")["value"] == pytest.approx(6_000)
    assert world.row("stock_month", pcode=CITY, category="registered", day=DAYS[1])["value"] == 5_000
    for name, _ in OWN:
        assert nothing.rows(f"SELECT count(*) FROM {name}") == [(0,)]

"""Attack what stands beside the sums of a release: sizes, rests of paired returns, the manifest and weights."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from dtm._survey_rounding import COUNT_STEP, round_to_respondents, step_of
from dtm.disclosure import protect_release
from dtm.workspace import Settings
from tests.dtm.disclosure_world import flow_rows, flows_of_moves, open_world, stock_rows
from tests.dtm.small_world import KHESEGS, KHOROOS, SmallWorld, boxes

THREE = {"MN11": None, "MN1101": "MN11", "MN1102": "MN11", "MN1103": "MN11"}


def persons(pcode):
    return (pcode, "actual", "persons", "total", "total")


# --- bounds -------------------------------------------------------------------------------------------------------


def test_households_do_not_pin_the_persons_that_were_hidden():
    """Students live alone: 9 of 9 households and 12 of 12, with 21 persons together, would be told exactly."""
    reasons = {"work": (40, 20), "study": (9, 9), "health": (12, 12)}
    tables = []
    for number, measure in enumerate(("persons", "households")):
        cells = {("MN11", "total", reason): counts[number] for reason, counts in reasons.items()}
        everybody = sum(cells.values())
        cells |= {("MN11", "total", "total"): everybody, ("MN11", "MN64", "total"): everybody}
        tables.append(flow_rows(cells, measure=measure))
    connection = open_world({"MN11": None}, [1], flow=pd.concat(tables))
    protect_release(connection, Settings())
    shown = connection.execute("SELECT measure, reason, value FROM safe_flow WHERE reason <> 'total'").df()
    known = {(row.measure, row.reason): row.value for row in shown.itertuples()}
    assert pd.isna(known["persons", "study"])
    left = 61 - sum(value for (measure, _), value in known.items() if measure == "persons" and not pd.isna(value))
    least = {
        reason: 1 if pd.isna(known["households", reason]) else known["households", reason]
        for reason in reasons
        if pd.isna(known["persons", reason])
    }
    assert left > sum(least.values())


def test_the_manifest_does_not_tell_how_many_hidden_counts_are_small():
    cells = {persons("MN11"): 218, persons("MN1101"): 9, persons("MN1102"): 9, persons("MN1103"): 200}
    summary = protect_release(open_world(THREE, [1], stock=stock_rows(cells)), Settings())
    assert summary.rules == {("stock", "primary"): 2}  # 18 together, both under 10: 9 and 9
    assert "primary" not in json.dumps(summary.to_manifest())


# --- weights ------------------------------------------------------------------------------------------------------

WEIGHTS = {"MN1101": 360.2297297297297, "MN1104": 369.0629370629371, "MN1107": 382.1533333333333, "MN1110": 445.4710145}
"""People over respondents of four districts: whoever has the release has them."""
BEHIND = {"MN1101": 7, "MN1104": 8, "MN1107": 8, "MN1110": 5}


def solutions(value, slack, people, people_slack):
    """Return every way to make a city's flow of 1 to 15 respondents in each district."""
    grids = np.meshgrid(*[np.arange(1, 16)] * len(WEIGHTS), indexing="ij")
    weighted = sum(weight * grid for weight, grid in zip(WEIGHTS.values(), grids, strict=True))
    fits = (np.abs(weighted - value) <= slack) & (np.abs(sum(grids) - people) <= people_slack)
    return np.argwhere(fits) + 1


def test_weights_do_not_tell_the_respondents_of_each_district():
    exact = sum(WEIGHTS[name] * BEHIND[name] for name in WEIGHTS)
    assert solutions(round(exact, 6), 1e-6, 28, 0).tolist() == [[7, 8, 8, 5]]
    (step,) = step_of(np.array([max(WEIGHTS.values())]))
    assert step == 500
    frame = pd.DataFrame({"value": [exact], "step": step, "most": 1e6, "scale": 1e6, "kind": "share", "records": 1500})
    frame = frame.assign(standard_error=2_919.4, design_effect=1.2345, degrees_of_freedom=60)
    told = round_to_respondents(frame).iloc[0]
    # 11,000 of a million: sqrt(1.2 x 0.011 x 0.989 / 1499) is 0.0030; the logit 2.0003 of these off is 6,369 and 18,935
    assert told[["value", "low", "high"]].tolist() == [11_000, 6_000, 19_000]
    assert told[["standard_error", "design_effect"]].tolist() == [3_000, 1.2]
    left = solutions(told["value"], step / 2, 30, COUNT_STEP / 2)
    assert [7, 8, 8, 5] in left.tolist()
    assert (np.ptp(left, axis=0) >= 10).all()  # each district may have nearly any number


@given(st.floats(1e-5, 1e6))
def test_a_step_is_never_finer_than_one_respondent(weight):
    (step,) = step_of(np.array([weight]))
    assert weight * (1 - 1e-8) <= step <= 2.5 * weight * (1 + 1e-8)


# --- returns left out ---------------------------------------------------------------------------------------------

THIRD = "MN110703"


def world_of(returns):
    """Four khoroos, three of them in one district; returns by round and kheseg: actual and registered people."""
    world = SmallWorld()
    world.add_area("khoroos", THIRD, 3, boxes((5, 0, 6, 1)).geometry[0], number=9, name_mn="9-р хороо", area_km2=1.0)
    for number in (1, 2):
        world.add_area("khesegs", f"{THIRD}0{number}", 4, boxes((5, 0, 6, 1)).geometry[0])
    for number in sorted({number for number, _ in returns}):
        world.add_round(number)
    for (number, kheseg), (actual, registered) in returns.items():
        more = {} if registered is None else {"registered": {"persons": registered}}
        world.add_return(number, kheseg, actual={"persons": actual}, **more)
    world.build(max(number for number, _ in returns))
    protect_release(world.connection, Settings())
    return world


def shown(world, table, number, **where):
    """Return the published values of a round by area."""
    clause = " AND ".join(f"{column} = '{value}'" for column, value in where.items())
    rows = world.rows(f"SELECT pcode, value FROM safe_{table} WHERE round_number = {number} AND {clause}")
    return {pcode: value for pcode, value in rows if value is not None}


ACTUAL = {"category": "actual", "measure": "persons", "breakdown": "total"}


def test_a_gap_over_part_of_the_returns_does_not_follow_from_its_neighbours():
    # 4 people are in a return that says nothing of the register; 104 in the district, 100 of them next door
    khesegs = dict(zip(KHESEGS, ((1000, 950), (4, None), (800, 700), (100, None), (900, 800), (900, 850)), strict=True))
    khesegs |= {f"{THIRD}01": (700, 650), f"{THIRD}02": (100, 90)}
    world = world_of({(1, kheseg): counts for kheseg, counts in khesegs.items()})
    for indicator in ("registration_gap_persons", "registered_per_actual_pct"):
        known = shown(world, "indicator", 1, indicator=indicator)
        assert set(KHOROOS[:2]).isdisjoint(known)
        assert {"MN11", "MN1107", "MN1110", THIRD, KHOROOS[2]} == set(known)
    assert shown(world, "stock", 1, **ACTUAL)["MN110701"] == 1004


def test_figures_of_the_one_kheseg_that_reported_are_hidden_and_so_is_what_tells_them():
    khesegs = dict(zip(KHESEGS[1:], [(n, n) for n in (700, 800, 900, 1000, 1100)], strict=True))
    world = world_of({(1, kheseg): counts for kheseg, counts in khesegs.items()})
    known = shown(world, "stock", 1, **ACTUAL)
    assert "MN110701" not in known
    assert not {"MN1107", "MN110702"} <= set(known)  # 2400 - 1700 = 700
    assert not {"MN11", "MN1110", "MN110702"} <= set(known)
    assert known["MN111001"] == 2100 or known["MN11"] == 4500
    density = world.rows("SELECT value FROM safe_density WHERE pcode = 'MN110701' AND value IS NOT NULL")
    assert density == []


def test_the_silent_units_of_an_area_do_not_follow_from_its_neighbours():
    # the first khoroo loses a unit of 4, the third one of 100; the second has one more, and none that is silent
    first = zip(("MN11070101", "MN11070102", "MN11070201", f"{THIRD}01", f"{THIRD}02", *KHESEGS[4:]),
                (1000, 4, 300, 700, 100, 900, 900), strict=True)  # fmt: skip
    second = zip(("MN11070101", "MN11070201", "MN11070202", f"{THIRD}01", *KHESEGS[4:]),
                 (1010, 303, 55, 790, 950, 910), strict=True)  # fmt: skip
    returns = {(1, kheseg): (people, None) for kheseg, people in first}
    world = world_of(returns | {(2, kheseg): (people, None) for kheseg, people in second})
    before = shown(world, "stock", 1, **ACTUAL)
    change = shown(world, "indicator", 2, indicator="change_persons")
    percent = shown(world, "indicator", 2, indicator="change_pct")
    silent = {area: before[area] - round(100 * change[area] / percent[area]) for area in change}
    assert silent["MN1107"] == 104
    # what is left for the first khoroo may be 1 to 103: the second, which lost nobody, is no part of it
    assert set(silent) & {"MN110701", THIRD} == set()


def test_a_rest_no_figure_is_told_for_leaves_the_others_alone():
    # the second khoroo tells no gap at all: its 100 are known, and so are the 4 of the first from the district's 104
    khesegs = dict(zip(KHESEGS, ((1000, 950), (4, None), (60, None), (40, None), (900, 800), (900, 850)), strict=True))
    world = world_of({(1, kheseg): counts for kheseg, counts in khesegs.items()})
    known = shown(world, "indicator", 1, indicator="registration_gap_persons")
    assert {"MN110701", "MN1107"}.isdisjoint(known)


def test_bounds_by_households_never_stop_a_release():
    rng = np.random.default_rng(8)
    finest = [f"MN11{district:02d}{khoroo:02d}" for district in (1, 2) for khoroo in (1, 2)]
    parents = {"MN11": None, "MN1101": "MN11", "MN1102": "MN11", **{area: area[:6] for area in finest}}
    for _ in range(3):
        alone = rng.choice([1, 2, 4, 9, 12, 20], 12)
        ends = zip(
            rng.choice(finest, 12),
            rng.choice(["MN64", "MN65"], 12),
            rng.choice(["work", "study"], 12),
            alone,
            strict=True,
        )
        moves = list(ends)
        flows = [flows_of_moves(moves, finest, measure=measure) for measure in ("persons", "households")]
        protect_release(open_world(parents, [1], flow=pd.concat(flows)), Settings())

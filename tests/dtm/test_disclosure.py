"""What a release may show: tables small enough to check by hand."""

import json

import pandas as pd
import pytest

from dtm._disclosure_derived import Verdicts, change_with_a_small_rest
from dtm._release_tables import RELEASE_TABLES
from dtm.disclosure import PROTECTED_TABLES, protect_coverage, protect_release
from dtm.measures import DENSITIES, INDICATORS
from dtm.workspace import Settings
from tests.dtm.disclosure_world import flow_rows, flows_of_moves, open_world, stock_rows

SETTINGS = Settings()
ONE = {"MN1101": None}
TWO = {"MN11": None, "MN1101": "MN11", "MN1102": "MN11"}
THREE = {**TWO, "MN1103": "MN11"}


def total(pcode, category="actual", measure="persons"):
    return (pcode, category, measure, "total", "total")


def statuses(connection, table, *columns):
    names = ", ".join(columns)
    rows = connection.execute(f"SELECT {names}, value, status FROM safe_{table} ORDER BY ALL").fetchall()
    width = len(columns)
    return {(row[:width] if width > 1 else row[0]): (row[width], row[width + 1]) for row in rows}


def stock_of(connection):
    found = statuses(connection, "stock", "pcode", "category", "measure", "breakdown", "item")
    return {key: value for key, (value, _) in found.items()}


def rules(connection, table):
    rows = connection.execute("SELECT cell, rule FROM safe_suppression_log WHERE table_name = ?", [table]).fetchall()
    return [(json.loads(cell), rule) for cell, rule in rows]


# --- primary ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "value", "status"),
    [
        ("persons", 0, "published"),
        ("persons", 1, "suppressed"),
        ("persons", 9, "suppressed"),
        ("persons", 10, "published"),
        ("households", 0, "published"),
        ("households", 4, "suppressed"),
        ("households", 5, "published"),
        ("persons", None, "not_reported"),
    ],
)
def test_thresholds(measure, value, status):
    connection = open_world(ONE, [1], stock=stock_rows({total("MN1101", measure=measure): value}))
    protect_release(connection, SETTINGS)
    shown = value if status == "published" else None
    assert statuses(connection, "stock", "pcode") == {"MN1101": (shown, status)}


def test_vehicles_take_the_stricter_threshold():
    rows = pd.DataFrame(
        [(1, "gunt", "2026-05-01", "in", "vehicles", 24.0, 9), (1, "gunt", "2026-05-02", "in", "vehicles", 24.0, 10)],
        columns=["round_number", "checkpoint", "day", "direction", "measure", "hours_observed", "value"],
    )
    connection = open_world(ONE, [1], passage_day=rows)
    protect_release(connection, SETTINGS)
    assert [s for _, s in statuses(connection, "passage_day", "day").values()] == ["suppressed", "published"]


def test_empty_tables_give_empty_tables():
    connection = open_world(TWO, [1])
    summary = protect_release(connection, SETTINGS)
    assert summary.cells == {}
    for name in PROTECTED_TABLES:
        described = connection.execute(f"DESCRIBE safe_{name}").fetchall()
        assert [(row[0], row[1]) for row in described] == [(c.name, c.type) for c in RELEASE_TABLES[name].columns]


# --- stocks -------------------------------------------------------------------------------------------------------


def test_one_hidden_sex_takes_the_other_along():
    cells = {total("MN1101"): 100, ("MN1101", "actual", "persons", "sex", "male"): 97}
    cells["MN1101", "actual", "persons", "sex", "female"] = 3
    connection = open_world(ONE, [1], stock=stock_rows(cells))
    protect_release(connection, SETTINGS)
    assert list(stock_of(connection).values()) == [None, None, 100]
    assert [(cell["item"], rule) for cell, rule in rules(connection, "stock")] == [
        ("female", "primary"),
        ("male", "complementary"),
    ]


def test_two_hidden_ages_of_one_each_take_a_third_along():
    # 1 + 1 = 2 would tell both; 2 + 6 = 8 of the next would stay under 10: the smallest that lifts the sum to 10 goes
    values = {"0_4": 1, "5_14": 1, "15_24": 30, "25_59": 40, "60_plus": 12}
    cells = {("MN1101", "actual", "persons", "age", band): value for band, value in values.items()}
    cells[total("MN1101")] = sum(values.values())
    connection = open_world(ONE, [1], stock=stock_rows(cells))
    protect_release(connection, SETTINGS)
    found = stock_of(connection)
    hidden = {key[4] for key, value in found.items() if value is None}
    assert hidden == {"0_4", "5_14", "60_plus"}


def test_a_breakdown_that_was_not_told_is_no_sum():
    cells = {total("MN1101"): 100, ("MN1101", "actual", "persons", "sex", "male"): 7}
    cells["MN1101", "actual", "persons", "sex", "female"] = None
    connection = open_world(ONE, [1], stock=stock_rows(cells))
    protect_release(connection, SETTINGS)
    found = statuses(connection, "stock", "item")
    assert found == {"female": (None, "not_reported"), "male": (None, "suppressed"), "total": (100, "published")}


def test_the_identity_of_registration_hides_a_second_term():
    # 500 - 3 + 40 = 537: from any three the fourth follows
    cells = {
        total("MN1101", "registered"): 500,
        total("MN1101", "registered_absent"): 3,
        total("MN1101", "unregistered"): 40,
        total("MN1101"): 537,
    }
    connection = open_world(ONE, [1], stock=stock_rows(cells))
    protect_release(connection, SETTINGS)
    hidden = {key[1] for key, value in stock_of(connection).items() if value is None}
    assert hidden == {"registered_absent", "unregistered"}


def test_a_small_district_takes_the_smallest_other_along():
    cells = {total("MN11"): 307, total("MN1101"): 7, total("MN1102"): 200, total("MN1103"): 100}
    connection = open_world(THREE, [1], stock=stock_rows(cells))
    summary = protect_release(connection, SETTINGS)
    assert {k[0]: v for k, v in stock_of(connection).items()} == {
        "MN11": 307, "MN1101": None, "MN1102": 200, "MN1103": None,
    }  # fmt: skip
    assert summary.share("stock", 2) == pytest.approx(1 / 3)
    assert summary.relations["stock_areas"] == 1


def test_the_only_reporting_part_hides_its_whole():
    # MN1102 did not report, so the city's 7 are those of MN1101
    cells = {total("MN11"): 7, total("MN1101"): 7, total("MN1102"): None}
    connection = open_world(TWO, [1], stock=stock_rows(cells))
    protect_release(connection, SETTINGS)
    found = statuses(connection, "stock", "pcode")
    assert [status for _, status in found.values()] == ["suppressed", "suppressed", "not_reported"]


# --- flows --------------------------------------------------------------------------------------------------------


def test_a_three_by_three_table_hides_a_rectangle():
    # arrivals of three districts from three aimags; only 3 (MN1101 from MN21) is small. Hiding it alone, or one more
    # in its row or column, leaves it solvable: four corners are the least.
    matrix = {"MN1101": (3, 30, 50), "MN1102": (20, 60, 70), "MN1103": (80, 90, 95)}
    moves = [
        (district, aimag, "work", count)
        for district, row in matrix.items()
        for aimag, count in zip(("MN21", "MN22", "MN23"), row, strict=True)
    ]
    connection = open_world(THREE, [1], flow=flows_of_moves(moves, list(matrix)))
    protect_release(connection, SETTINGS)
    found = statuses(connection, "flow", "pcode", "counterpart", "reason")
    hidden = {key[:2] for key, (value, _) in found.items() if value is None}
    assert hidden == {("MN1101", "MN21"), ("MN1101", "MN22"), ("MN1102", "MN21"), ("MN1102", "MN22")}
    assert sorted(rule for _, rule in rules(connection, "flow")) == ["complementary"] * 3 + ["primary"]


def test_moves_inside_an_area_tie_the_totals_of_its_parts():
    # khoroo totals 40 + 35 = the district's total 70 + the 5 who moved inside it; 5 is hidden, so one total must go
    # or the reader subtracts: 40 + 35 - 70
    parents = {"MN1101": None, "MN110101": "MN1101", "MN110102": "MN1101"}
    moves = [
        ("MN110101", "MN21", "work", 40),
        ("MN110102", "MN21", "work", 30),
        ("MN110102", "MN1101", "work", 5),
    ]
    connection = open_world(parents, [1], flow=flows_of_moves(moves, ["MN110101", "MN110102"]))
    protect_release(connection, SETTINGS)
    found = statuses(connection, "flow", "pcode", "counterpart", "reason")
    assert found["MN1101", "MN1101", "total"] == (None, "suppressed")
    totals = [found[pcode, "total", "total"][0] for pcode in ("MN110101", "MN110102", "MN1101")]
    assert None in totals
    for pcode, value in zip(("MN110101", "MN110102", "MN1101"), totals, strict=True):
        assert value in (None, {"MN110101": 40, "MN110102": 35, "MN1101": 70}[pcode])


def test_reasons_hide_two_and_show_zero():
    cells = {
        ("MN1101", "total", "total"): 95,
        ("MN1101", "MN21", "total"): 95,
        ("MN1101", "total", "work"): 60,
        ("MN1101", "total", "study"): 31,
        ("MN1101", "total", "health"): 4,
        ("MN1101", "total", "disaster"): 0,
    }
    connection = open_world(ONE, [1], flow=flow_rows(cells))
    protect_release(connection, SETTINGS)
    found = statuses(connection, "flow", "counterpart", "reason")
    assert found["total", "disaster"] == (0, "published")
    assert {key for key, (value, _) in found.items() if value is None} == {("total", "health"), ("total", "study")}


# --- derived ------------------------------------------------------------------------------------------------------


def derived_rows(rows):
    frame = pd.DataFrame(rows, columns=["round_number", "pcode", "indicator", "value"])
    level = frame["pcode"].map(lambda pcode: (len(pcode) - 2) // 2)
    return frame.assign(level=level, unit="u", note=None)


def test_a_rate_is_hidden_with_its_parts_or_a_small_denominator():
    stock = pd.concat([stock_rows({total("MN1101"): 1000}), stock_rows({total("MN1101"): 49}, round_number=2)])
    flow = pd.concat([
        flow_rows({("MN1101", "total", "total"): 7}),
        flow_rows({("MN1101", "total", "total"): 20}, source="departures", direction="out"),
        flow_rows({("MN1101", "total", "total"): 0}, source="departures", direction="out", round_number=2),
    ])  # fmt: skip
    indicator = derived_rows([
        (1, "MN1101", "in_persons", 7.0), (1, "MN1101", "out_persons", 20.0), (1, "MN1101", "net_persons", -13.0),
        (1, "MN1101", "in_per_1000", 7.0), (1, "MN1101", "out_per_1000", 20.0),
        (1, "MN1101", "effectiveness_pct", -48.1), (2, "MN1101", "out_per_1000", 0.0),
        (2, "MN1101", "out_persons", 0.0), (1, "MN1101", "change_persons", None),
    ])  # fmt: skip
    connection = open_world(ONE, [1, 2], stock=stock, flow=flow, indicator=indicator)
    protect_release(connection, SETTINGS)
    assert statuses(connection, "indicator", "round_number", "indicator") == {
        (1, "in_persons"): (None, "suppressed"),
        (1, "out_persons"): (20.0, "published"),
        (1, "net_persons"): (None, "suppressed"),
        (1, "in_per_1000"): (None, "suppressed"),
        (1, "out_per_1000"): (20.0, "published"),
        (1, "effectiveness_pct"): (None, "suppressed"),
        (1, "change_persons"): (None, "undefined"),
        (2, "out_per_1000"): (None, "suppressed"),
        (2, "out_persons"): (0.0, "published"),
    }


def test_a_figure_nobody_declared_stops_the_release():
    connection = open_world(ONE, [1], indicator=derived_rows([(1, "MN1101", "made_up", 1.0)]))
    with pytest.raises(KeyError, match="made_up"):
        protect_release(connection, SETTINGS)


def test_every_declared_measure_is_hidden_with_each_of_its_parts():
    rollup = pd.DataFrame({"area_pcode": ["MN1101"], "pcode": ["MN1101"]})
    for declared in (INDICATORS, DENSITIES):
        for name, measure in declared.items():
            for ingredient in measure.ingredients:
                at = 1 if ingredient.round == "previous" else 2
                cell = {"round_number": at, "pcode": "MN1101", "value": 7, "status": "suppressed", **ingredient.where}
                empty = pd.DataFrame(columns=[*cell])
                tables = {"stock": empty, "flow": empty, ingredient.table: pd.DataFrame([cell])}
                blank = {"category": None, "measure": None, "breakdown": None, "item": None, "source": None}
                blank |= {"direction": None, "counterpart": None, "reason": None}
                tables = {k: v.assign(**{c: x for c, x in blank.items() if c not in v}) for k, v in tables.items()}
                verdicts = Verdicts(tables, rollup, (1, 2), SETTINGS)
                row = derived_rows([(2, "MN1101", name, 1.0)])
                assert verdicts.derived(row, declared).tolist() == ["suppressed"], (name, ingredient)


def test_the_change_between_rounds_hides_with_a_stock_and_hides_the_rates_that_tell_it():
    # district MN1101 has 8 people in round 2; its change to 30 before, or a rate over the mean of both, would tell it
    stock = pd.concat([
        stock_rows({total("MN11"): 530, total("MN1101"): 30, total("MN1102"): 500}),
        stock_rows({total("MN11"): 528, total("MN1101"): 8, total("MN1102"): 520}, round_number=2),
    ])  # fmt: skip
    changes = {"MN11": -2.0, "MN1101": -22.0, "MN1102": 20.0}
    indicator = derived_rows([(2, pcode, "change_persons", value) for pcode, value in changes.items()])
    connection = open_world(TWO, [1, 2], stock=stock, indicator=indicator)
    protect_release(connection, SETTINGS)
    assert statuses(connection, "indicator", "pcode") == {
        "MN11": (-2.0, "published"), "MN1101": (None, "suppressed"), "MN1102": (None, "suppressed"),
    }  # fmt: skip
    found = statuses(connection, "stock", "round_number", "pcode")
    assert {key for key, (value, _) in found.items() if value is None} == {(2, "MN1101"), (2, "MN1102")}


def test_a_change_over_all_but_a_small_unit_is_hidden():
    # the stocks grew by 60, the units in both rounds by 53: the unit that was silent before has 7 people
    stock = pd.concat([stock_rows({total("MN1101"): 500}), stock_rows({total("MN1101"): 560}, round_number=2)])
    indicator = derived_rows([(2, "MN1101", "change_persons", 53.0), (2, "MN1101", "change_pct", 10.6)])
    connection = open_world(ONE, [1, 2], stock=stock, indicator=indicator)
    protect_release(connection, SETTINGS)
    assert {status for _, status in statuses(connection, "indicator", "indicator").values()} == {"suppressed"}


@pytest.mark.parametrize(("paired", "status"), [(800, "published"), (793, "suppressed"), (400, "published")])
def test_a_ratio_over_all_but_a_small_return_is_hidden(paired, status):
    # 800 persons in 200 households; the ratio is over the returns that tell both: 793 leaves out one of 7 people
    cells = {total("MN1101"): 800, total("MN1101", measure="households"): 200}
    indicator = derived_rows([(1, "MN1101", "persons_per_household", paired / 200)]).assign(
        unit="persons_per_household"
    )
    connection = open_world(ONE, [1], stock=stock_rows(cells), indicator=indicator)
    protect_release(connection, SETTINGS)
    assert statuses(connection, "indicator", "indicator")["persons_per_household"][1] == status


def test_the_weighted_density_hides_with_any_khoroo_inside():
    cells = {total("MN11"): 307, total("MN1101"): 7, total("MN1102"): 200, total("MN1103"): 100}
    density = derived_rows([
        (1, "MN11", "population_weighted_density_per_km2", 12.5), (1, "MN11", "persons_per_km2", 3.0),
        (1, "MN1102", "persons_per_km2", 5.0), (1, "MN1101", "ger_area_share_pct", 40.0),
    ])  # fmt: skip
    connection = open_world(THREE, [1], stock=stock_rows(cells), density=density)
    protect_release(connection, SETTINGS)
    assert {key: status for key, (_, status) in statuses(connection, "density", "pcode", "indicator").items()} == {
        ("MN11", "population_weighted_density_per_km2"): "suppressed",
        ("MN11", "persons_per_km2"): "published",
        ("MN1102", "persons_per_km2"): "published",
        ("MN1101", "ger_area_share_pct"): "published",
    }


def test_people_inside_a_hazard_hide_with_the_areas_it_touches():
    cells = {total("MN11"): 1007, total("MN1101"): 7, total("MN1102"): 800, total("MN1103"): 200}
    shares = {"MN11": (0.2, 157, 0, 807), "MN1101": (0.5, 4, 0, 7), "MN1102": (0.2, 160, 0, 800)}
    rows = [(1, "flood", (len(p) - 2) // 2, p, *values) for p, values in shares.items()]
    rows += [(1, "fire", 2, "MN1102", 0.01, 8, 0, 800), (1, "fire", 1, "MN11", 0.01, 8, 0, 800)]
    rows += [(1, "dzud", 2, "MN1102", 0.5, 400, 0, 800), (1, "dzud", 1, "MN11", 0.2, 400, 0, 800)]
    names = ["round_number", "layer", "level", "pcode", "share_of_area", "persons", "persons_low", "persons_high"]
    connection = open_world(THREE, [1], stock=stock_rows(cells), exposure=pd.DataFrame(rows, columns=names))
    protect_release(connection, SETTINGS)
    found = connection.execute("SELECT layer, pcode, persons, persons_high, status FROM safe_exposure ORDER BY ALL")
    assert found.fetchall() == [
        ("dzud", "MN11", 400, 800, "published"),
        ("dzud", "MN1102", 400, 800, "published"),
        ("fire", "MN11", None, None, "suppressed"),
        ("fire", "MN1102", None, None, "suppressed"),
        ("flood", "MN11", None, None, "suppressed"),
        ("flood", "MN1101", None, None, "suppressed"),
        ("flood", "MN1102", 160, 800, "published"),
    ]


def test_coverage_shares_that_tell_a_hidden_count_are_emptied():
    cells = {total("MN1101", "registered"): 7, total("MN1102", "registered"): 100, total("MN11", "registered"): 1000}
    connection = open_world(TWO, [1], stock=stock_rows(cells))
    connection.execute(
        "CREATE TEMP TABLE full_coverage "
        "(round_number INT, pcode VARCHAR, units_reported INT, units_expected INT, registered_coverage_share DOUBLE)"
    )
    # 7 of 107 is hidden with the 7; 100 of 104 leaves 4 out; 1000 of 2000 tells of a thousand
    connection.execute(
        "INSERT INTO full_coverage VALUES (1,'MN1101',2,2,7/107), (1,'MN1102',2,2,100/104), (1,'MN11',4,4,0.5)"
    )
    protect_release(connection, SETTINGS)
    shares = connection.execute("SELECT pcode, registered_coverage_share FROM full_coverage ORDER BY 1").fetchall()
    assert shares == [("MN11", 0.5), ("MN1101", None), ("MN1102", None)]
    assert protect_coverage(connection, SETTINGS, table="full_coverage") == 0


def test_a_small_rest_tells_a_unit_only_where_no_other_kind_of_unit_is_behind_it():
    # The change over matched units is 40. The stocks differ by 45: 5 people of units that are in one round alone.
    change = pd.DataFrame({"round_number": [2], "pcode": ["MN1101"], "value": [40], "note": ["matched_units:8"]})
    stock = pd.DataFrame({"round_number": [1, 2], "pcode": ["MN1101"] * 2, "value": [1000, 1045]})

    def is_told(units_before, units_now):
        reported = stock.assign(units_reported=[units_before, units_now])
        return change_with_a_small_rest(change, stock, {2: 1}, 10, reported).tolist()

    assert is_told(8, 9) == [True]  # one unit is new: it has 5 people
    assert is_told(9, 8) == [True]  # one fell silent: it had 5
    assert is_told(9, 9) == [False]  # one of each: 5 is what they differ by
    assert change_with_a_small_rest(change, stock, {2: 1}, 10).tolist() == [True]
    assert change_with_a_small_rest(change.assign(value=45), stock, {2: 1}, 10).tolist() == [False]


def test_the_change_in_percent_tells_the_two_kinds_of_units_apart():
    # 40 more in the matched units, which is 4 % of 1000: 7 people before and 505 now are in one round alone
    change = pd.DataFrame({"round_number": [2], "pcode": ["MN1101"], "value": [40.0], "note": ["matched_units:8"]})
    stock = pd.DataFrame({"round_number": [1, 2], "pcode": ["MN1101"] * 2, "value": [1007, 1545]})
    reported = stock.assign(units_reported=[9, 9])

    def is_told(percent, value=40.0, before=1007):
        rows = stock.assign(value=[before, 1545])
        told = change.assign(value=percent)
        return change_with_a_small_rest(change.assign(value=value), rows, {2: 1}, 10, reported, told).tolist()

    assert is_told(4.0) == [True]
    assert is_told(4.0, before=1500) == [False]  # 500 of the silent and 505 of the new
    assert is_told(0.0, value=0.0) == [False]  # no change in percent tells nothing of what it divides by
    assert is_told(None) == [False]


def test_a_coverage_share_emptied_alone_would_follow_from_its_neighbours():
    # 4 people are missing in one district and 204 in the city: the 200 of the other would leave the 4
    cells = {total("MN11", "registered"): 1300, total("MN1101", "registered"): 100}
    cells |= {total("MN1102", "registered"): 500, total("MN1103", "registered"): 700}
    connection = open_world(THREE, [1], stock=stock_rows(cells))
    connection.execute(
        "CREATE TEMP TABLE full_coverage AS SELECT 1 AS round_number, * FROM (VALUES ('MN11', 6, 9, 1300 / 1504), "
        "('MN1101', 2, 3, 100 / 104), ('MN1102', 2, 3, 500 / 700), ('MN1103', 2, 3, 1.0::DOUBLE)) "
        "AS t(pcode, units_reported, units_expected, registered_coverage_share)"
    )
    protect_release(connection, SETTINGS)
    shares = connection.execute("SELECT pcode, registered_coverage_share FROM full_coverage ORDER BY 1").fetchall()
    assert shares == [("MN11", 1300 / 1504), ("MN1101", None), ("MN1102", None), ("MN1103", 1.0)]


def test_the_days_of_the_checkpoints_tie_to_the_flow():
    # 60 + 7 = 67 who came in: the 7 would follow from the flow's total
    names = ["round_number", "checkpoint", "day", "direction", "measure", "hours_observed", "value"]
    rows = [(1, "gunt", f"2026-05-0{n}", "in", "persons", 24.0, v) for n, v in ((1, 60), (2, 7), (3, 0))]
    flow = flow_rows({("MN11", "total", "total"): 67, ("MN11", "MN64", "total"): 67}, source="checkpoint")
    connection = open_world({"MN11": None}, [1], flow=flow, passage_day=pd.DataFrame(rows, columns=names))
    summary = protect_release(connection, SETTINGS)
    assert summary.relations["checkpoint_days"] == 1
    assert [v for v, _ in statuses(connection, "passage_day", "day").values()] == [None, None, 0]
    assert {v for v, _ in statuses(connection, "flow", "counterpart").values()} == {67}


def test_a_few_travellers_in_no_flow_do_not_follow_from_the_days():
    # 60 + 40 on the days, 96 at the city's border: 4 had both ends in the city
    names = ["round_number", "checkpoint", "day", "direction", "measure", "hours_observed", "value"]
    rows = [(1, "gunt", f"2026-05-0{n}", "in", "persons", 24.0, v) for n, v in ((1, 60), (2, 40))]
    flow = flow_rows({("MN11", "total", "total"): 96, ("MN11", "MN64", "total"): 96}, source="checkpoint")
    connection = open_world({"MN11": None}, [1], flow=flow, passage_day=pd.DataFrame(rows, columns=names))
    protect_release(connection, SETTINGS)
    assert [v for v, _ in statuses(connection, "passage_day", "day").values()] == [60, None]
    assert {v for v, _ in statuses(connection, "flow", "counterpart").values()} == {96}


# --- the log and the summary --------------------------------------------------------------------------------------


def test_the_log_names_cells_and_never_a_value():
    cells = {total("MN11"): 317, total("MN1101"): 7, total("MN1102"): 210, total("MN1103"): 100}
    connection = open_world(THREE, [1], stock=stock_rows(cells))
    summary = protect_release(connection, SETTINGS)
    logged = rules(connection, "stock")
    assert [set(cell) for cell, _ in logged] == [set(RELEASE_TABLES["stock"].key)] * 2
    assert [(cell["pcode"], rule) for cell, rule in logged] == [("MN1101", "primary"), ("MN1103", "complementary")]
    assert summary.rules == {("stock", "complementary"): 1, ("stock", "primary"): 1}
    manifest = json.loads(json.dumps(summary.to_manifest()))
    assert {"table": "stock", "level": 2, "status": "suppressed", "cells": 2} in manifest["cells"]


def test_no_copy_of_full_values_is_left_behind():
    connection = open_world(TWO, [1], stock=stock_rows({total("MN11"): 307, total("MN1101"): 7, total("MN1102"): 300}))
    protect_release(connection, SETTINGS)
    left = connection.execute("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'disclosure%'").fetchall()
    assert left == []

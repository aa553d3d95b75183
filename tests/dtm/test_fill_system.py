"""Hold the system indices of a release to its published cells: none from what is hidden, all that the rest allows."""

from __future__ import annotations

import pandas as pd
import pytest

from dtm._fill_system import fill_systems, outwards
from dtm._release_rows import _code_labels
from dtm._release_tables import RELEASE_TABLES
from dtm.distances import great_circle_km, pair_distances, weighted_centroids
from dtm.engine import connect
from dtm.measures import note_words
from dtm.migration_indices import build_systems, system_indices
from dtm.system_measures import SYSTEM_INDICES, SYSTEM_UNITS

DISTRICTS = ("MN1101", "MN1102", "MN1103")
HYP = {(0, 1): 10, (0, 2): 10, (1, 0): 20, (1, 2): 20, (2, 0): 30, (2, 1): 30}
"""Moves between three districts: the table of the package migration.indices."""
FROM_TOTALS = ("movers", "population", "crude_migration_intensity_pct", "courgeau_k")
ALL_THE_SAME = ("connectivity", "mean_distance_km", "median_distance_km")
"""Two hidden pairs that are equally far apart tell these: each has moves, and it doesn't matter which has more."""


class Made:
    """A release of one round, three districts and six khoroos, whose rows a test changes before it is filled."""

    def __init__(self):
        self.connection = connect(spatial=False)
        self.connection.execute("SET TimeZone = 'UTC'")
        for name in ("area", "round", "stock", "flow", "indicator", "flow_estimate", "system"):
            sql = RELEASE_TABLES[name].create_sql().replace(" GEOMETRY", " VARCHAR")
            self.connection.execute(sql.replace("geometry VARCHAR NOT NULL", "geometry VARCHAR"))
        self.add("round", (1, "op", "2024-10-01", "2024-10-31", "2024-10-31", 182, "ub", 1))
        self.area("MN11", 1, None, 106.9, 47.9)
        for i, code in enumerate(DISTRICTS):
            self.area(code, 2, "MN11", 106.0 + i, 47.0)
            self.stock(code, 1000)
            for k, persons in ((1, 250), (2, 750)):
                self.area(f"{code}0{k}", 3, code, 106.0 + i + 0.1 * k, 47.0)
                self.stock(f"{code}0{k}", persons)
        self.tell("arrivals", "in")

    def add(self, table, values):
        self.connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", list(values))

    def area(self, code, level, parent, lon, lat):
        self.add("area", (code, level, parent, None, code, code, 1.0, None, lon, lat, None))

    def stock(self, code, value, status="published"):
        level = {4: 1, 6: 2, 8: 3}[len(code)]
        self.add("stock", (1, level, code, "actual", "persons", "total", "total", value, status, "observed"))

    def flow(self, source, code, counterpart, direction, value, status="published"):
        ends = (counterpart, code) if direction == "in" else (code, counterpart)
        level = {4: 1, 6: 2, 8: 3}[len(code)]
        row = (1, source, level, code, counterpart, direction, "total", *ends, "persons", value, status, "observed")
        self.add("flow", row)

    def tell(self, source, direction, *, teller_is=1):
        """Tell each pair's moves by its destination (`teller_is` 1) or origin (0), 5 more from an aimag, 7 inside."""
        for place, code in enumerate(DISTRICTS):
            mine = {pair: value for pair, value in HYP.items() if pair[teller_is] == place}
            for pair, value in mine.items():
                self.flow(source, code, DISTRICTS[pair[1 - teller_is]], direction, value)
            self.flow(source, code, "MN41", direction, 5)
            self.flow(source, code, code, direction, 7)
            self.flow(source, code, "total", direction, sum(mine.values()) + 5)

    def set(self, table, status, where):
        value = "value" if status == "published" else "NULL"
        self.connection.execute(f"UPDATE {table} SET status = '{status}', value = {value} WHERE {where}")

    def filled(self, source="arrivals", level=2):
        self.connection.execute("DELETE FROM system")
        fill_systems(self.connection)
        frame = self.connection.execute(f"SELECT * FROM system WHERE source = '{source}' AND level = {level}").df()
        return frame.set_index("indicator")


@pytest.fixture
def made():
    return Made()


def test_three_districts_by_hand(made):
    found = made.filled()
    assert list(found.index) == sorted(SYSTEM_INDICES)
    # Distances there and back are the same: of three areas they tell nothing that origin and destination don't.
    assert found.loc["distance_decay", ["status", "note"]].tolist() == ["undefined", "distance_says_nothing"]
    assert (found["status"].drop("distance_decay") == "published").all()
    value = found["value"]
    assert value["movers"] == 120  # without what came from the aimag and what stayed inside
    assert value["population"] == 3000
    assert value["crude_migration_intensity_pct"] == pytest.approx(4)
    assert value["courgeau_k"] == pytest.approx(1.8205, abs=5e-5)
    assert value["effectiveness_mei"] == 25
    assert value["anmr_pct"] == pytest.approx(1)
    assert value["gini_total"] == pytest.approx(0.2666666667)
    assert value["inequality"] == pytest.approx(1 / 6)
    near, far = (great_circle_km(106.175, 47, 106.175 + degrees, 47) for degrees in (1, 2))
    assert value["mean_distance_km"] == pytest.approx((80 * near + 40 * far) / 120, rel=1e-5)
    assert value["median_distance_km"] == pytest.approx(near, rel=1e-5)
    assert dict(found["unit"]) == {name: index.unit for name, index in SYSTEM_INDICES.items()}


def test_departures_and_the_reconciled_estimate_are_systems_of_their_own(made):
    made.tell("departures", "out", teller_is=0)
    for (i, j), moves in HYP.items():
        row = (1, 2, DISTRICTS[i], DISTRICTS[j], moves, moves, 1.0, moves + 0.5, None, None)
        made.add("flow_estimate", (*row, "published", "reconciled", None))
    made.add("flow_estimate", (1, 2, *[DISTRICTS[0]] * 2, 7, 7, 1.0, 7.0, None, None, "published", "reconciled", None))
    assert made.filled("departures")["value"].equals(made.filled("arrivals")["value"])
    assert made.filled("reconciled").loc["movers", "value"] == 123


def test_a_hidden_pair_leaves_what_the_totals_tell(made):
    made.set("flow", "suppressed", "pcode = 'MN1102' AND counterpart IN ('MN1101', 'MN1103')")
    found = made.filled()
    stand = {*FROM_TOTALS, *ALL_THE_SAME}
    assert (found["status"] == "published").to_dict() == {name: name in stand for name in SYSTEM_INDICES}
    assert found.loc["movers", "value"] == 120  # 50 + 5 + 40 + 5 + 30 + 5 less 3 x 5
    assert found.loc["connectivity", ["value", "note"]].tolist() == [1, "hidden_pairs:2"]
    assert found.loc["courgeau_k", "value"] == pytest.approx(1.8205, abs=5e-5)
    assert found.loc["effectiveness_mei", ["value", "note"]].isna().tolist() == [True, False]
    assert found.loc["effectiveness_mei", "note"] == "hidden_pairs:2"
    made.set("flow", "suppressed", "pcode = 'MN1102' AND counterpart = 'MN41'")
    found = made.filled()  # now the border hides what happened inside
    assert (found["status"] == "published").to_dict() == {name: name == "population" for name in SYSTEM_INDICES}
    made.flow("arrivals", "MN11", "total", "in", 15)  # but the city tells what came over it
    found = made.filled()
    assert (found["status"] == "published").to_dict() == {name: name in stand for name in SYSTEM_INDICES}
    assert found.loc["movers", "value"] == 120
    made.flow("arrivals", "MN1101", "MN11", "in", None, "suppressed")  # from somewhere in the city, nobody knows where
    assert made.filled().loc["movers", "status"] == "suppressed"


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(25, 32.5, "25/32.5"), (0.488860236, 0.492163, "0.4888/0.4922"), (9.99996, 10.0001, "9.99/10.01")],
)
def test_bounds_are_rounded_away_from_each_other(low, high, told):
    """An index may stand on its lower bound itself: the bound that is told must not be above it."""
    assert "/".join(outwards(low, high)) == told


def test_narrow_bounds_are_told_with_their_middle(made):
    made.set("flow", "suppressed", "pcode IN ('MN1102', 'MN1103') AND counterpart = 'MN1101'")
    found = made.filled()
    # x and 20 - x, x from 1 to 19: the sum of |D - O| is 30 + |x - 10| + |20 + x|, 60 up to x = 10 and 78 at 19
    mei = found.loc["effectiveness_mei"]
    assert (mei["status"], mei["note"]) == ("published", "hidden_pairs:2;between:25/32.5")
    assert mei["value"] == pytest.approx((25 + 32.5) / 2)
    assert found.loc["anmr_pct", "value"] == pytest.approx((1 + 1.3) / 2)
    assert note_words(mei["note"])[0].endswith("their middle is shown: 25/32.5.")
    near, far = (great_circle_km(106.175, 47, 106.175 + degrees, 47) for degrees in (1, 2))
    ends = [((70 + x) * near + (30 + 20 - x) * far) / 120 for x in (1, 19)]
    assert found.loc["mean_distance_km", "value"] == pytest.approx(sum(ends) / 2, rel=1e-5)
    assert found.loc["inequality_independence", "status"] == "suppressed"


def test_the_population_is_that_of_the_middle_of_the_period(made):
    made.add("indicator", (1, 2, "MN1101", "change_persons", 200.0, "persons", "published", "matched_units:2"))
    made.add("indicator", (1, 2, "MN1102", "change_persons", None, "persons", "undefined", "no_matched_units"))
    found = made.filled()["value"]
    assert found["population"] == 2900  # 1000 - 200 / 2, and 1000 twice
    assert found["crude_migration_intensity_pct"] == pytest.approx(100 * 120 / 2900)
    made.connection.execute("UPDATE indicator SET value = NULL, status = 'suppressed' WHERE pcode = 'MN1101'")
    statuses = made.filled()["status"]
    assert statuses[["population", "crude_migration_intensity_pct", "anmr_pct"]].tolist() == ["suppressed"] * 3
    assert statuses["effectiveness_mei"] == "published"


@pytest.mark.parametrize("status", ["suppressed", "not_reported"])
def test_without_the_people_of_a_district_no_rate_stands(made, status):
    made.set("stock", status, "pcode = 'MN1102'")
    found = made.filled()
    without = {"population", "crude_migration_intensity_pct", "courgeau_k", "anmr_pct"}
    assert set(found.index[found["status"] != "published"]) == without | {"distance_decay"}
    assert set(found.loc[list(without), "status"]) == {status}
    assert found.loc["effectiveness_mei", "value"] == 25


def test_a_district_that_told_nothing_leaves_no_system(made):
    made.connection.execute("DELETE FROM flow WHERE pcode = 'MN1102' AND counterpart <> 'total'")
    made.set("flow", "not_reported", "pcode = 'MN1102'")
    found = made.filled()
    assert set(found["status"].drop("population")) == {"not_reported"}
    assert set(made.filled("departures")["status"].drop("population")) == {"not_reported"}


def test_nobody_moved_is_undefined_not_hidden(made):
    made.connection.execute("DELETE FROM flow WHERE counterpart <> 'total'")
    made.connection.execute("UPDATE flow SET value = 0")
    found = made.filled()
    assert found.loc["movers", "value"] == 0
    assert found.loc["crude_migration_intensity_pct", "value"] == 0
    assert found.loc["effectiveness_mei", ["status", "note"]].tolist() == ["undefined", "nobody_moved"]


def test_centroids_use_the_khoroos_whose_people_are_published(made):
    made.set("stock", "suppressed", "pcode = 'MN110202'")
    found = made.filled()["value"]
    near, far = (great_circle_km(106.175, 47, 107.1, 47), great_circle_km(107.1, 47, 108.175, 47))
    across = great_circle_km(106.175, 47, 108.175, 47)
    assert found["mean_distance_km"] == pytest.approx((30 * near + 50 * far + 40 * across) / 120, rel=1e-5)


def test_only_areas_that_name_each_other_are_systems(made):
    assert set(made.connection.execute("SELECT level FROM system").df()["level"]) == set()
    fill_systems(made.connection)
    assert set(made.connection.execute("SELECT level FROM system").df()["level"]) == {2}
    made.area("MN4101", 2, "MN41", 100.0, 47.0)  # a soum of another aimag tells no district
    assert made.filled().empty
    for code in ("MN41", "MN42"):
        made.area(code, 1, None, 100.0 + len(code), 45.0)
    assert set(made.filled(level=1)["status"].drop("population")) == {"not_reported"}


def test_the_rows_keep_to_the_rules_of_a_release(made):
    made.set("flow", "suppressed", "pcode = 'MN1102' AND counterpart = 'MN1101'")
    made.set("stock", "suppressed", "pcode = 'MN1101'")
    rows = made.filled()
    assert (rows["value"].notna() == (rows["status"] == "published")).all()
    assert rows.loc[rows["status"] != "published", "note"].notna().all()
    for note in rows["note"].dropna():
        assert all(note_words(note))
    assert set(rows["unit"]) <= set(SYSTEM_UNITS)


def test_every_index_has_words_formula_and_source():
    labels = _code_labels()
    assert set(labels.loc[labels["codelist"] == "system", "code"]) == set(SYSTEM_INDICES)
    for index in SYSTEM_INDICES.values():
        assert index.formula
        assert index.reference
        assert any("а" <= letter <= "я" for letter in index.label_mn)
        assert not any("а" <= letter <= "я" for letter in index.label_en)
    found = system_indices(build_systems(pd.DataFrame({"origin": ["a"], "destination": ["b"], "persons": [1]}))[0])[0]
    assert set(SYSTEM_INDICES) <= set(found)


def test_the_distances_of_a_grid_are_those_between_centroids():
    points = weighted_centroids(
        pd.DataFrame({"parent": list("aab"), "lon": [0.0, 2.0, 5.0], "lat": [0.0, 0.0, 0.0], "persons": [1, 1, 9]})
    )
    assert pair_distances(points)[0, 1] == pytest.approx(great_circle_km(1, 0, 5, 0))

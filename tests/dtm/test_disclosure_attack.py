"""Attack releases: what is published must let nobody derive what is hidden."""

import itertools
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtm._disclosure_audit import components, determined_cells
from dtm._disclosure_complement import Suppression
from dtm._disclosure_system import Cells, SystemBuilder
from dtm.disclosure import protect_release
from dtm.errors import ReleaseAuditError
from dtm.workspace import Settings
from tests.dtm.disclosure_world import add_stock, collapse, flows_of_moves, open_world, random_city, stock_rows

PARENTS = {
    "MN11": None, "MN1101": "MN11", "MN1102": "MN11",
    "MN110101": "MN1101", "MN110102": "MN1101", "MN110103": "MN1101", "MN110201": "MN1102", "MN110202": "MN1102",
}  # fmt: skip
FINEST = [pcode for pcode in PARENTS if len(pcode) == 8]
CALM = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


# --- worlds -------------------------------------------------------------------------------------------------------

MOVES = st.lists(
    st.tuples(
        st.sampled_from(FINEST),
        st.sampled_from(["MN21", "MN64", "abroad", "unknown", "MN11", "MN1101", "MN1102", "MN110102"]),
        st.sampled_from(["work", "study", "health"]),
        st.sampled_from([1, 1, 2, 3, 5, 9, 10, 14, 40]),
    ),
    min_size=1,
    max_size=25,
)


@st.composite
def unit(draw):
    count = st.sampled_from([0, 1, 2, 5, 9, 11, 30, 90])
    male, female, absent, ger, house = (draw(count) for _ in range(5))
    unregistered = min(draw(count), male + female)
    actual = male + female
    old = draw(st.integers(0, actual))
    return {
        ("actual", "persons", "total", "total"): actual,
        ("actual", "persons", "sex", "male"): male,
        ("actual", "persons", "sex", "female"): female,
        ("actual", "persons", "age", "0_4"): actual - old,
        ("actual", "persons", "age", "60_plus"): old,
        ("registered", "persons", "total", "total"): actual - unregistered + absent,
        ("registered_absent", "persons", "total", "total"): absent,
        ("unregistered", "persons", "total", "total"): unregistered,
        ("actual", "households", "total", "total"): ger + house,
        ("actual", "households", "dwelling", "ger"): ger,
        ("actual", "households", "dwelling", "house"): house,
    }


UNITS = st.lists(st.one_of(unit(), unit(), unit(), st.none()), min_size=len(FINEST), max_size=len(FINEST))


def stock_of_units(units, *, round_number=1):
    cells = {}
    for area, counts in zip(FINEST, units, strict=True):
        add_stock(cells, area, counts)
    return stock_rows(cells, round_number=round_number)


def read(connection, table):
    return connection.execute(f"SELECT * FROM {table} ORDER BY ALL").df()


# --- the attacker -------------------------------------------------------------------------------------------------


def solve(equations):
    """Names of the unknowns that the equations ({name: coefficient}, right side) determine; fractions throughout."""
    pivots = {}
    for left, right in equations:
        row, side = {k: Fraction(v) for k, v in left.items() if v}, Fraction(right)
        for name in list(row):
            if name in pivots and name in row:
                row, side = reduce(row, side, name, pivots[name])
        while True:
            known = next((name for name in row if name in pivots), None)
            if known is None:
                break
            row, side = reduce(row, side, known, pivots[known])
        if not row:
            assert side == 0, "the attacker's equations contradict each other"
            continue
        name = next(iter(row))
        scale = row[name]
        row, side = {k: v / scale for k, v in row.items()}, side / scale
        for other, (left_of_other, side_of_other) in list(pivots.items()):
            if name in left_of_other:
                pivots[other] = reduce(left_of_other, side_of_other, name, (row, side))
        pivots[name] = (row, side)
    return {name: side for name, (row, side) in pivots.items() if len(row) == 1}


def reduce(row, side, name, pivot):
    left, right = pivot
    factor = row[name]
    result = dict(row)
    for key, value in left.items():
        result[key] = result.get(key, 0) - factor * value
        if not result[key]:
            del result[key]
    return result, side - factor * right


def equation(whole, parts, shown):
    """Turn whole = sum of parts into one of unknowns; shown is {key: value or None}, an absent key is 0."""
    left, right = {}, Fraction(0)
    for key, sign in [(whole, 1), *((part, -1) for part in parts)]:
        if key not in shown:
            continue
        if shown[key] is None:
            left[key] = left.get(key, 0) + sign
        else:
            right -= sign * int(shown[key])
    return left, right


def shown_of(frame, keys):
    frame = frame[frame["status"] != "not_reported"]
    values = [None if s == "suppressed" else v for v, s in zip(frame["value"], frame["status"], strict=True)]
    return dict(zip(frame[keys].itertuples(index=False, name=None), values, strict=True))


def attack_stock(frame):
    shown = shown_of(frame, ["pcode", "category", "measure", "breakdown", "item"])
    equations = []
    for pcode, category, measure, breakdown, item in shown:
        key = (pcode, category, measure, breakdown, item)
        children = [(child, *key[1:]) for child, parent in PARENTS.items() if parent == pcode]
        if children and len(pcode) < 8:
            equations.append(equation(key, children, shown))
        if breakdown == "total":
            for kind in ("sex", "age", "dwelling"):
                items = [other for other in shown if other[:4] == (pcode, category, measure, kind)]
                if items:
                    equations.append(equation(key, items, shown))
    for pcode in PARENTS:
        terms = [
            (pcode, c, "persons", "total", "total")
            for c in ("registered", "unregistered", "registered_absent", "actual")
        ]
        if all(term in shown for term in terms):
            left, right = {}, 0
            for term, sign in zip(terms, (1, 1, -1, -1), strict=True):
                if shown[term] is None:
                    left[term] = sign
                else:
                    right -= sign * int(shown[term])
            equations.append((left, right))
    return solve(equations)


def attack_flow(frame):
    return solve(equations_of_flow(frame))


def equations_of_flow(frame):
    shown = shown_of(frame, ["pcode", "counterpart", "reason"])
    equations = []
    for pcode in PARENTS:
        whole = (pcode, "total", "total")
        pairs = [k for k in shown if k[0] == pcode and k[1] not in ("total", pcode)]
        equations.append(equation(whole, pairs, shown))
        equations.append(equation(whole, [k for k in shown if k[:2] == (pcode, "total") and k[2] != "total"], shown))
        children = [child for child, parent in PARENTS.items() if parent == pcode]
        below = [k for k in shown if k[0] in children and k[1] != "total"]
        for counterpart in {collapse(pcode, k[1]) for k in below}:
            parts = [k for k in below if collapse(pcode, k[1]) == counterpart]
            equations.append(equation((pcode, counterpart, "total"), parts, shown))
    return equations


@given(UNITS)
@CALM
def test_no_hidden_stock_follows_from_the_published(units):
    frame = stock_of_units(units)
    connection = open_world(PARENTS, [1], stock=frame)
    protect_release(connection, Settings())
    assert attack_stock(read(connection, "safe_stock")) == {}


@given(MOVES)
@CALM
def test_no_hidden_flow_follows_from_the_published(moves):
    connection = open_world(PARENTS, [1], flow=flows_of_moves(moves, FINEST))
    protect_release(connection, Settings())
    assert attack_flow(read(connection, "safe_flow")) == {}


def test_the_attacker_succeeds_on_primary_suppression_alone():
    # 60 + 31 + 4 = 95: without complements the attacker finds the 4
    frame = flows_of_moves(
        [("MN110101", "MN21", r, n) for r, n in (("work", 60), ("study", 31), ("health", 4))], FINEST
    )
    frame["status"] = np.where(frame["value"].between(1, 9), "suppressed", "published")
    assert attack_flow(frame)["MN110101", "total", "health"] == 4


# --- tiny tables, every integer solution --------------------------------------------------------------------------


def two_way(table):
    """Two-way table with margins as a system, with the full table."""
    n, m = table.shape
    full = np.zeros((n + 1, m + 1), dtype=np.int64)
    full[:n, :m] = table
    full[n, :], full[:, m] = full.sum(axis=0), full.sum(axis=1)
    full[n, m] = table.sum()
    tier = np.zeros_like(full)
    tier[n, :] = tier[:, m] = 2
    tier[n, m] = 5
    cells = Cells(full.ravel(), np.full(full.size, 5), tier.ravel(), np.ones(full.size, bool))
    builder = SystemBuilder(cells)
    rows, columns = np.divmod(np.arange(full.size), m + 1)
    frame = pd.DataFrame({"cell": np.arange(full.size), "row": rows, "column": columns})
    builder.add("rows", [(frame[frame["column"] == m], 1), (frame[frame["column"] < m], -1)], ["row"])
    builder.add("columns", [(frame[frame["row"] == n], 1), (frame[frame["row"] < n], -1)], ["column"])
    return full, builder.build()


def integer_solutions(full, hidden, most=13):
    """Every table of counts that fits what is published; a hidden cell is at least 1 (capped where unbounded)."""
    n, m = full.shape[0] - 1, full.shape[1] - 1
    inner = [(i, j) for i in range(n) for j in range(m) if hidden[i, j]]
    ceilings = []
    for i, j in inner:
        ends = [full[i, m] if not hidden[i, m] else most, full[n, j] if not hidden[n, j] else most, most]
        ceilings.append(range(1, int(min(ends)) + 1))
    for values in itertools.product(*ceilings):
        table = full.copy()
        for (i, j), value in zip(inner, values, strict=True):
            table[i, j] = value
        table[n, :m], table[:n, m] = table[:n, :m].sum(axis=0), table[:n, :m].sum(axis=1)
        table[n, m] = table[:n, :m].sum()
        if ((table == full) | hidden).all() and (table[hidden] >= 1).all():
            yield table


@given(st.lists(st.sampled_from([0, 0, 1, 1, 2, 3, 6, 9]), min_size=6, max_size=6), st.sampled_from([(2, 3), (3, 2)]))
@CALM
def test_every_hidden_cell_of_a_tiny_table_has_two_values_at_least(values, shape):
    full, system = two_way(np.array(values).reshape(shape))
    pattern = Suppression(system)
    pattern.protect()
    pattern.verify()
    hidden = np.array(pattern.hidden).reshape(full.shape)
    if hidden[: shape[0], : shape[1]].sum() > 4:  # 13^5 tables would be too many
        return
    tables = np.array(list(integer_solutions(full, hidden)))
    if hidden.any():
        assert (tables.min(axis=0) < tables.max(axis=0))[hidden].all()


def test_the_audit_finds_the_last_cell_of_a_row():
    full, system = two_way(np.array([[20, 30], [40, 50]]))
    members, relations_of = system.members(), system.relations_of_cells()
    for chosen, expected in (((0,), [0]), ((0, 1), [0, 1]), ((0, 1, 3, 4), []), ((0, 4), [0, 4])):
        hidden = [cell in chosen for cell in range(full.size)]
        found = [
            cell
            for group in components(members, relations_of, hidden, range(full.size))
            for cell in determined_cells(members, relations_of, hidden, group)
        ]
        assert sorted(found) == expected


def test_the_final_audit_stops_a_pattern_with_a_hole():
    _, system = two_way(np.array([[20, 30], [40, 50]]))
    pattern = Suppression(system)
    pattern.hide(0)
    with pytest.raises(ReleaseAuditError, match="follow from the published"):
        pattern.verify()


# --- properties ---------------------------------------------------------------------------------------------------


@given(UNITS, MOVES)
@CALM
def test_published_values_are_the_full_ones_and_small_ones_are_nowhere(units, moves):
    connection = open_world(PARENTS, [1], stock=stock_of_units(units), flow=flows_of_moves(moves, FINEST))
    summary = protect_release(connection, Settings())
    for table in ("stock", "flow"):
        safe, full = read(connection, f"safe_{table}"), read(connection, f"full_{table}")
        assert len(safe) == len(full)
        keys = [c for c in full.columns if c not in ("value", "method")]
        both = safe.merge(full, on=keys, suffixes=("", "_full"))
        shown = both["status"] == "published"
        assert (both.loc[shown, "value"] == both.loc[shown, "value_full"]).all()
        assert both.loc[~shown, "value"].isna().all()
        limit = both["measure"].map({"persons": 10, "households": 5})
        assert not (both["value"].ge(1) & both["value"].lt(limit)).any()
        assert (both.loc[both["value_full"] == 0, "status"] == "published").all()
        assert sum(n for (t, _, _), n in summary.cells.items() if t == table) == len(full)


@given(UNITS, MOVES, st.integers(5, 12), st.integers(1, 4))
@CALM
def test_a_higher_threshold_hides_all_that_a_lower_one_hides(units, moves, threshold, more):
    stock, flow = stock_of_units(units), flows_of_moves(moves, FINEST)
    hidden = []
    for persons in (threshold, threshold + more):
        connection = open_world(PARENTS, [1], stock=stock, flow=flow)
        protect_release(connection, Settings(threshold_persons=persons))
        hidden.append(set(connection.execute("SELECT table_name, cell FROM safe_suppression_log").fetchall()))
    assert hidden[0] <= hidden[1]


@given(UNITS, MOVES, st.randoms(use_true_random=False))
@CALM
def test_the_order_of_the_rows_does_not_matter(units, moves, random):
    stock, flow = stock_of_units(units), flows_of_moves(moves, FINEST)
    seed = random.randrange(2**31)
    results = []
    for one, other in (
        (stock, flow),
        (stock.sample(frac=1, random_state=seed), flow.sample(frac=1, random_state=seed)),
    ):
        connection = open_world(PARENTS, [1], stock=one, flow=other)
        summary = protect_release(connection, Settings())
        tables = [connection.execute(f"FROM safe_{name}").fetchall() for name in ("stock", "flow", "suppression_log")]
        results.append((summary, tables))
    assert results[0] == results[1]


def test_a_city_keeps_its_totals():
    parents, rounds, tables = random_city(7, districts=3, khoroos=24, n_rounds=2, arrivals_a_round=9_000)
    connection = open_world(parents, rounds, **tables)
    summary = protect_release(connection, Settings())
    assert summary.share("stock", 1) == 1.0
    assert summary.share("stock", 2) > 0.9
    assert summary.share("stock", 3) > 0.85
    kept = connection.execute(
        "SELECT level, avg((status = 'published')::INT) FROM safe_flow WHERE counterpart = 'total' "
        "AND reason = 'total' AND measure = 'persons' GROUP BY level ORDER BY level"
    ).fetchall()
    assert kept == [(1, 1.0), (2, 1.0), (3, 1.0)]

"""Prove that hidden cells have other values, and find those that have none, by linear programmes of the tests' own."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from dtm._disclosure_complement import Suppression
from dtm._disclosure_inside import breakdowns, moves_inside
from dtm._disclosure_proof import Alternatives
from dtm._disclosure_system import Cells, SystemBuilder
from dtm.disclosure import protect_release
from dtm.workspace import Settings
from tests.dtm.disclosure_world import flows_of_moves, open_world, random_city


def system_of(values, sums, *, threshold=5, at_least=(), is_released=None):
    """A system of counts from its sums, each {cell: sign}."""
    n = len(values)
    released = np.ones(n, bool) if is_released is None else np.array(is_released)
    cells = Cells(np.array(values), np.full(n, threshold), np.zeros(n, int), np.ones(n, bool), released)
    builder = SystemBuilder(cells)
    for number, members in enumerate(sums):
        frames = [(pd.DataFrame({"cell": [cell], "sum": number}), sign) for cell, sign in members.items()]
        builder.add("sums", frames, ["sum"])
    for larger, smaller in at_least:
        ends = (pd.DataFrame({"cell": [cell], "key": 0}) for cell in (larger, smaller))
        builder.bound(*ends, ["key"])
    return builder.build()


def test_two_hidden_parts_of_a_published_whole_may_change_places():
    system = system_of([9, 4, 5], [{0: 1, 1: -1, 2: -1}])
    found = Alternatives(system)
    assert found.prove(np.array([False, True, True]), [1, 2]) == {}
    found.check(np.array([False, True, True]))
    assert found.proven.tolist() == [False, True, True]
    steps = dict(zip(found.moves[0].cells.tolist(), found.moves[0].steps.tolist(), strict=True))
    assert steps[1] == -steps[2]


def test_a_move_does_not_hold_once_one_of_its_cells_is_published():
    system = system_of([9, 4, 5], [{0: 1, 1: -1, 2: -1}])
    found = Alternatives(system)
    found.prove(np.array([False, True, True]), [1, 2])
    found.check(np.array([False, False, True]))
    assert not found.proven.any()


@pytest.mark.parametrize(("values", "hidden", "sums", "at_least"), [
    ([9, 9], [1], [{0: 1, 1: -1}], []),  # equal to a published one
    ([2, 1, 1], [1, 2], [{0: 1, 1: -1, 2: -1}], []),  # two hidden ones that are 2 together
    ([20, 12, 8, 12, 8], [1, 2], [{0: 1, 1: -1, 2: -1}], [(1, 3), (2, 4)]),  # 12 and 8 households: 12 and 8 persons
])  # fmt: skip
def test_what_holds_a_cell_is_told(values, hidden, sums, at_least):
    system = system_of(values, sums, at_least=at_least)
    held = Alternatives(system).prove(np.isin(np.arange(len(values)), hidden), hidden)
    assert set(held) == set(hidden)
    assert all(set(weights) <= {0} for weights in held.values())


def test_a_figure_that_no_table_has_needs_protection_only_where_it_is_small():
    # 40 = 30 + 10 - 0: the part that is not released follows, and may where it is 10; where it is 4, one more is hidden
    for value, expected in ((10, [False, False, True]), (4, [True, True, True])):
        system = system_of([30 + value, 30, value], [{0: 1, 1: -1, 2: -1}], is_released=[True, True, False])
        pattern = Suppression(system)
        pattern.protect()
        pattern.verify()
        assert pattern.hidden[2]
        assert any(pattern.hidden[:2]) == expected[0]


# --- moves inside an area -------------------------------------------------------------------------------------------

PARENTS = {"MN11": None, "MN1101": "MN11", "MN1102": "MN11", "MN110101": "MN1101", "MN110102": "MN1101",
           "MN110201": "MN1102"}  # fmt: skip
FINEST = ["MN110101", "MN110102", "MN110201"]
MOVES = [
    ("MN110101", "MN21", "work", 40), ("MN110102", "MN21", "work", 50), ("MN110201", "MN21", "work", 60),
    ("MN110102", "MN1101", "work", 4),  # inside the district
    ("MN110101", "MN1102", "work", 30),  # between the districts, inside the city
]  # fmt: skip


def test_moves_inside_are_what_the_parts_have_over_the_whole():
    flow = flows_of_moves(MOVES, FINEST)
    items = flow.head(0).assign(breakdown="", item="")
    parent_of = {area: parent for area, parent in PARENTS.items() if parent}
    level_of = {area: (len(area) - 2) // 2 for area in PARENTS}
    inside = moves_inside(breakdowns(flow, items), parent_of, level_of)
    told = {kind: rows["flow"].set_index("pcode")["value"].to_dict() for kind, rows in vars(inside).items()}
    assert told == {"between": {"MN1101": 4, "MN11": 30}, "within": {"MN11": 34}}


def test_a_reason_of_few_moves_inside_a_district_does_not_follow_from_its_parts():
    # khoroos 70 + 54 for work, the district 120: 4 moved inside it for work
    connection = open_world(PARENTS, [1], flow=flows_of_moves(MOVES, FINEST))
    protect_release(connection, Settings())
    shown = dict(connection.execute(
        "SELECT pcode, value FROM safe_flow WHERE reason = 'work' AND counterpart = 'total'"
    ).fetchall())  # fmt: skip
    assert None in {shown["MN110101"], shown["MN110102"], shown["MN1101"]}


# --- a whole table, attacked by linear programmes -------------------------------------------------------------------


def intervals(pattern):
    """Least and greatest value of each protected cell, among all tables that fit what is published."""
    system, hidden = pattern.system, np.array(pattern.hidden)
    value = system.cells.value
    unknown = np.flatnonzero(hidden)
    sums = np.zeros((system.n_relations, len(value)))
    np.add.at(sums, (system.relation_of, system.cell_of), system.sign_of)
    more = np.zeros((len(system.at_least), len(value)))
    more[np.arange(len(more)), system.at_least[:, 0]] = -1
    more[np.arange(len(more)), system.at_least[:, 1]] += 1
    known = np.where(hidden, 0, value)
    told = {"A_eq": sums[:, unknown], "b_eq": -sums @ known, "A_ub": more[:, unknown], "b_ub": -more @ known}
    for place, cell in enumerate(unknown):
        if system.cells.is_released[cell]:
            aim = np.zeros(len(unknown))
            aim[place] = 1
            least, most = linprog(aim, **told, bounds=(1, None)), linprog(-aim, **told, bounds=(1, None))
            yield least.fun, np.inf if most.status == 3 else -most.fun


def pattern_of(seed, monkeypatch, **skipped):
    """The pattern for a made-up city of six khoroos, of which nearly all counts are small."""
    parents, rounds, tables = random_city(seed, districts=2, khoroos=6, n_rounds=1, arrivals_a_round=90)
    tables["flow"] = tables["flow"][tables["flow"]["source"] == "arrivals"]
    found = []

    def keep(pattern):
        found.append(pattern)

    monkeypatch.setattr(Suppression, "verify", keep)
    for name, replaced in skipped.items():
        monkeypatch.setattr(Suppression, name, replaced)
    protect_release(open_world(parents, rounds, flow=tables["flow"]), Settings())
    return max(found, key=lambda pattern: len(pattern.hidden))


@pytest.mark.parametrize("seed", [1, 8])
def test_no_table_of_small_counts_is_told_by_what_is_published(seed, monkeypatch):
    narrow = [least for least, most in intervals(pattern_of(seed, monkeypatch)) if most - least < 1 - 1e-6]
    assert narrow == []


def test_without_the_proof_some_cells_have_one_value(monkeypatch):
    pattern = pattern_of(1, monkeypatch, _proof_step=lambda _: False)
    assert any(most - least < 1 - 1e-6 for least, most in intervals(pattern))

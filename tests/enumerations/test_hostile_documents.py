from __future__ import annotations

import json

import pytest

from dtm.engine import connect
from enumerations.returns import stage_returns

MEMBER = {"members/sex": "male", "members/age_years": "30", "members/residence_1y": "MN62"}


@pytest.mark.parametrize("changed", [{}, {"household_persons": "7"}])
def test_rows_inside_a_return_that_comes_twice_are_not_taken_twice(tmp_path, changed):
    one = {
        "_id": 1, "_uuid": "u1", "unit": "MN110701", "end": "2024-02-10T02:00:00Z", "consent": "yes",
        "household_persons": "2", "members": [MEMBER, MEMBER],
    }  # fmt: skip
    other = {**one, "_id": 2, "_uuid": "u2"}
    path = tmp_path / "data.json"
    path.write_text(json.dumps({"count": 3, "next": None, "results": [one, other, {**one, **changed}]}))
    connection = connect(spatial=False)
    households, members = stage_returns(connection, path, "t", form="household-survey")
    rows = connection.execute(
        f"SELECT record, fault, fault_value, {members.source('instance_id')} FROM {members.relation} ORDER BY record"
    ).fetchall()
    assert rows == [
        (1, None, None, "u1"), (2, None, None, "u1"), (3, None, None, "u2"), (4, None, None, "u2"),
        (5, "return_repeated", "u1", "u1"), (6, "return_repeated", "u1", "u1"),
    ]  # fmt: skip
    assert connection.execute(f"SELECT count(*) FROM {households.relation}").fetchone() == (3,)

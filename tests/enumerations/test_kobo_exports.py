from __future__ import annotations

import pytest

from dtm.engine import connect
from enumerations.errors import MissingColumnsError, RepeatedColumnError
from enumerations.returns import stage_returns
from tests.enumerations.returns_writers import write_book, write_plain

ROOT = {
    "_uuid": "u1", "collected_at": "2024-02-10T10:00:00", "unit": "MN11070101", "registered_households": "10",
    "registered_persons": "40", "actual_households": "11", "actual_persons": "42", "_index": "1",
}  # fmt: skip
MOVE = {"origin": "MN62", "persons": "3", "_index": "1", "_parent_table_name": "root", "_parent_index": "1"}


@pytest.fixture
def connection():
    return connect(spatial=False)


def book(tmp_path, root, moves):
    sheets = {"root": [list(root[0]), *(list(row.values()) for row in root)]}
    sheets["moves"] = [list(moves[0]), *(list(row.values()) for row in moves)]
    return write_book(tmp_path / "export.xlsx", sheets)[0]


def values(connection, staged, *names):
    columns = ", ".join(str(staged.source(name)) for name in names)
    return connection.execute(f"SELECT {columns} FROM {staged.relation} ORDER BY record").fetchall()


def test_rows_of_a_repeat_find_their_return_by_its_number(connection, tmp_path):
    second = {**ROOT, "_uuid": "u2", "_index": "2"}
    moves = [{**MOVE, "_parent_index": "2"}, MOVE, {**MOVE, "_parent_index": "7"}]
    _, arrivals = stage_returns(connection, book(tmp_path, [ROOT, second], moves), "t")
    assert values(connection, arrivals, "instance_id") == [("u2",), ("u1",), (None,)]


def test_numbers_of_two_exports_in_one_file_are_not_trusted(connection, tmp_path):
    second = {**ROOT, "_uuid": "u2"}
    moves = [{**MOVE, "_submission__uuid": "u2"}]
    _, arrivals = stage_returns(connection, book(tmp_path, [ROOT, second], moves), "t")
    assert values(connection, arrivals, "instance_id") == [("u2",)]


def test_an_edited_return_keeps_its_first_identifier(connection, tmp_path):
    root = {**ROOT, "meta/rootUuid": "uuid:first"}
    moves = [{**MOVE, "_submission__uuid": "u1"}]
    baseline, arrivals = stage_returns(connection, book(tmp_path, [root], moves), "t")
    assert values(connection, baseline, "instance_id") == values(connection, arrivals, "instance_id") == [("first",)]


def test_a_repeat_alone_without_identifiers_is_refused_with_the_cure(connection, tmp_path):
    path = write_plain(tmp_path / "moves.csv", [MOVE])
    with pytest.raises(MissingColumnsError) as caught:
        stage_returns(connection, path, "t")
    assert str(caught.value).startswith("moves.csv: the rows name their return by _parent_index only")
    assert "_submission__uuid" in str(caught.value)


def test_a_question_of_two_versions_is_read_from_both(connection, tmp_path):
    rows = [
        {**ROOT, "old/male_persons": "20", "new/male_persons": None},
        {**ROOT, "_uuid": "u2", "_index": "2", "old/male_persons": None, "new/male_persons": "21"},
        {**ROOT, "_uuid": "u3", "_index": "3", "old/male_persons": "22", "new/male_persons": "22"},
        {**ROOT, "_uuid": "u4", "_index": "4", "old/male_persons": "23", "new/male_persons": "24"},
    ]
    (baseline,) = stage_returns(connection, write_plain(tmp_path / "export.csv", rows), "t")
    assert values(connection, baseline, "male_persons") == [("20",), ("21",), ("22",), ("23 | 24",)]


def test_groups_are_cut_off_in_exports_only(connection, tmp_path):
    plain = {key: value for key, value in ROOT.items() if not key.startswith("_")}
    rows = [{"instance_id": "u1", **plain, "last.persons": "3", "old-male_persons": "9"}]
    (baseline,) = stage_returns(connection, write_plain(tmp_path / "plain.csv", rows), "t")
    assert baseline.source("male_persons") is None
    assert [one.value for one in baseline.findings] == ["last.persons", "old-male_persons"]


def test_the_same_name_twice_in_a_plain_file_is_refused(connection, tmp_path):
    path = tmp_path / "plain.csv"
    path.write_text("instance_id,origin,persons,Persons\na,MN62,4,5\n", encoding="utf-8")
    with pytest.raises(RepeatedColumnError, match="more than once: persons"):
        stage_returns(connection, path, "t")


def test_the_state_of_a_return_is_not_read_from_its_repeats(connection, tmp_path):
    moves = [{**MOVE, "_submission__uuid": "u1", "_submission__validation_status": "validation_status_approved"}]
    baseline, arrivals = stage_returns(connection, book(tmp_path, [ROOT], moves), "t")
    assert (baseline.source("review_state"), arrivals.source("review_state")) == (None, None)


def test_choices_that_are_neither_ticked_nor_empty_are_shown(connection, tmp_path):
    rows = [{**ROOT, "problems/waste": "1", "problems/roads": "0", "problems/sewage": "maybe", "problems/other": ""}]
    (baseline,) = stage_returns(connection, write_plain(tmp_path / "export.csv", rows), "t")
    assert values(connection, baseline, "problems") == [("waste sewage=maybe",)]
    assert baseline.findings == ()


@pytest.mark.parametrize("point", ["location", "unit/_point", "Таны байршил"])
def test_a_point_and_its_parts_are_read_whatever_its_question_is_called(connection, tmp_path, point):
    parts = {f"_{point}_latitude": "47.9", f"_{point}_longitude": "106.9", f"_{point}_altitude": "1300"}
    rows = [{**ROOT, point: "47.9 106.9 1300 8.5", **parts, f"_{point}_precision": "8.5"}]
    (baseline,) = stage_returns(connection, write_plain(tmp_path / "export.csv", rows), "t")
    assert values(connection, baseline, "lon", "lat", "accuracy_m") == [("106.9", "47.9", "8.5")]
    assert baseline.findings == ()


def test_a_point_written_as_one_text(connection, tmp_path):
    rows = [{**ROOT, "unit/_point": "47.9 106.9 1300 8.5"}]
    (baseline,) = stage_returns(connection, write_plain(tmp_path / "export.csv", rows), "t")
    assert values(connection, baseline, "lon", "lat", "accuracy_m") == [("106.9", "47.9", "8.5")]

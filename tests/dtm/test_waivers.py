"""Check that a finding stands until it is waived with a reason and a name, and stands again when that is taken back."""

from __future__ import annotations

import pytest

from dtm.errors import UnknownFindingError, UnknownRoundError, WrongUseError
from dtm.rounds import close_round, reopen_round
from dtm.waivers import open_errors, unwaive, waive
from dtm.warehouse import open_warehouse
from tests.dtm.desk_world import OPERATION, ROUND, copy_desk_world

BY = {"operation": OPERATION, "number": ROUND}
WHY = {"reason": "seen on the spot", "who": "A. Analyst"}


@pytest.fixture
def connection(desk_world, tmp_path):
    with open_warehouse(copy_desk_world(desk_world, tmp_path), spatial=False) as opened:
        yield opened


def standing(connection):
    return sorted(error["code"] for error in open_errors(connection, **BY))


def test_the_return_set_aside_and_its_arrival_stand(connection):
    errors = open_errors(connection, **BY)
    assert sorted((error["code"], error["record"]) for error in errors) == [
        ("parent_quarantined", "2:arrivals:3"),
        ("sex_sum", "1:baseline:4"),
    ]
    assert {error["stage"] for error in errors} == {"import"}


def test_a_waived_finding_stands_no_more_until_the_waiver_is_taken_back(connection):
    [chosen] = [error["finding_id"] for error in open_errors(connection, **BY) if error["code"] == "sex_sum"]
    assert waive(connection, **BY, finding_ids=[chosen], **WHY) == 1
    assert standing(connection) == ["parent_quarantined"]
    assert waive(connection, **BY, finding_ids=[chosen], reason="again", who="B") == 0
    assert connection.execute("SELECT reason, who, withdrawn_at FROM waiver").fetchall() == [
        ("seen on the spot", "A. Analyst", None)
    ]
    assert unwaive(connection, **BY, finding_ids=[chosen], who="B") == 1
    assert standing(connection) == ["parent_quarantined", "sex_sum"]
    assert connection.execute("SELECT count(*), count(withdrawn_at) FROM waiver").fetchone() == (1, 1)
    assert unwaive(connection, **BY, finding_ids=[chosen], who="B") == 0


def test_a_waiver_holds_when_the_checks_find_the_same_again(connection):
    waive(connection, **BY, codes=["sex_sum"], **WHY)
    connection.execute("CREATE TEMP TABLE kept AS FROM finding WHERE code = 'sex_sum'")
    connection.execute("DELETE FROM finding WHERE code = 'sex_sum'")
    connection.execute("INSERT INTO finding BY NAME SELECT * REPLACE ('told otherwise' AS message_en) FROM kept")
    assert standing(connection) == ["parent_quarantined"]


def test_all_of_a_code_in_one_area_and_below(connection):
    assert waive(connection, **BY, codes=["sex_sum", "parent_quarantined"], pcode="MN110702", **WHY) == 2
    assert standing(connection) == []
    assert unwaive(connection, **BY, codes=["sex_sum"], pcode="MN1107", who="B") == 1
    with pytest.raises(UnknownFindingError, match="no finding of code 'sex_sum' in MN110701"):
        waive(connection, **BY, codes=["sex_sum"], pcode="MN110701", **WHY)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"codes": ["sex_sum"], "reason": " ", "who": "A"}, "--reason TEXT"),
        ({"codes": ["sex_sum"], "reason": "r", "who": ""}, "--who NAME"),
        ({**WHY}, "one of the two"),
        ({**WHY, "codes": ["sex_sum"], "finding_ids": ["x"]}, "one of the two"),
        ({**WHY, "finding_ids": ["x"], "pcode": "MN11"}, "no meaning"),
    ],
)
def test_a_waiver_needs_findings_a_reason_and_a_name(connection, options, says):
    with pytest.raises(WrongUseError, match=says):
        waive(connection, **BY, **options)
    assert connection.execute("SELECT count(*) FROM waiver").fetchone() == (0,)


def test_one_unknown_finding_refuses_them_all(connection):
    known = open_errors(connection, **BY)[0]["finding_id"]
    with pytest.raises(UnknownFindingError, match="no finding nonsense"):
        waive(connection, **BY, finding_ids=[known, "nonsense"], **WHY)
    with pytest.raises(UnknownFindingError, match="no finding of code 'nonsense'"):
        waive(connection, **BY, codes=["sex_sum", "nonsense"], **WHY)
    assert len(standing(connection)) == 2
    with pytest.raises(UnknownRoundError, match="no round 9"):
        waive(connection, operation=OPERATION, number=9, codes=["sex_sum"], **WHY)


def test_a_finding_of_another_round_is_not_of_this_one(connection):
    error = open_errors(connection, **BY)[0]["finding_id"]
    with pytest.raises(UnknownFindingError):
        waive(connection, operation=OPERATION, number=3, finding_ids=[error], **WHY)
    assert open_errors(connection, operation=OPERATION, number=3) == []


def test_the_findings_of_a_signed_off_round_are_settled(connection):
    waive(connection, **BY, codes=["sex_sum", "parent_quarantined"], **WHY)
    close_round(connection, **BY, who="A")
    close_round(connection, **BY, who="A", sign_off=True)
    for act in (lambda: unwaive(connection, **BY, codes=["sex_sum"], who="B"),
                lambda: waive(connection, **BY, codes=["sex_sum"], **WHY)):  # fmt: skip
        with pytest.raises(WrongUseError, match=r"settled\. Reopen it first"):
            act()
    reopen_round(connection, **BY, who="A", reason="r")
    assert unwaive(connection, **BY, codes=["sex_sum"], who="B") == 1


def test_findings_of_no_round_and_of_iom_s_own_rounds_do_not_stand(connection):
    for name, number, subject in (("a", None, "khoroos"), ("b", ROUND, "dtm-published")):
        connection.execute(
            "INSERT INTO finding (round_number, subject, code, severity, file_name, message_en, message_mn, "
            "finding_id) VALUES (?, ?, 'x', 'error', 'f', 'e', 'm', ?)",
            [number, subject, name],
        )
    assert standing(connection) == ["parent_quarantined", "sex_sum"]


def test_a_finding_without_a_round_stands_for_the_round_its_import_named(connection):
    connection.execute(
        "INSERT INTO finding (import_id, subject, code, severity, file_name, message_en, message_mn, finding_id, "
        "stage) VALUES (1, 'kheseg-baseline', 'empty_sheet', 'error', 'f', 'e', 'm', 'file', 'import')"
    )
    assert standing(connection) == ["empty_sheet", "parent_quarantined", "sex_sum"]

"""Run the round's commands as an analyst would, with good and with bad input."""

from __future__ import annotations

import json

import pytest

from dtm.cli import main
from tests.dtm.desk_world import ROUND, copy_desk_world

WHO = ("--who", "B. Analyst")
WHY = ("--reason", "asked by phone")


@pytest.fixture
def dtm(desk_world, tmp_path, capsys):
    folder = str(copy_desk_world(desk_world, tmp_path).path)

    def run(*words):
        code = 0
        try:
            main([*words, "--workspace", folder])
        except SystemExit as stop:
            code = int(stop.code or 0)
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return code, told.out, " ".join(told.err.split())

    return run


def close(dtm, *words):
    return dtm("round", "close", "--round", str(ROUND), *WHO, *words)


def test_a_round_is_closed_waived_signed_off_and_reopened(dtm):
    assert close(dtm)[0] == 0
    code, out, err = close(dtm, "--sign-off")
    assert code == 1
    assert "1:baseline:4" in out
    assert "2 errors stand" in err
    code, out, _ = close(dtm, "--sign-off", "--json")
    standing = json.loads(out)["standing"]
    assert (code, len(standing)) == (1, 2)
    waive = ("round", "waive", "--round", str(ROUND), *WHO, *WHY)
    assert dtm(*waive, "--code", "parent_quarantined", "--pcode", "MN110702")[:2] == (
        0,
        "Waived 1 finding of round 2.\n",
    )
    [left] = [one["finding_id"] for one in standing if one["code"] == "sex_sum"]
    assert json.loads(dtm(*waive, "--finding", left, "--json")[1]) == {"number": ROUND, "waived": 1}
    assert close(dtm, "--sign-off")[0] == 0
    code, _, err = dtm("round", "unwaive", "--round", str(ROUND), *WHO, "--finding", left)
    assert (code, "Reopen it first" in err) == (2, True)
    assert dtm("round", "reopen", "--round", str(ROUND), *WHO, *WHY)[0] == 0
    assert dtm("round", "unwaive", "--round", str(ROUND), *WHO, "--finding", left)[0] == 0
    told = json.loads(dtm("round", "status", "--round", str(ROUND), "--json")[1])
    assert [row["to_status"] for row in told["history"]] == ["cleaning", "signed_off", "cleaning"]
    assert len(told["standing"]) == 1


def test_the_status_on_the_terminal_is_short_and_says_what_to_do(dtm):
    code, out, _ = dtm("round", "status", "--round", str(ROUND))
    assert code == 0
    assert "3 of 8 received (38 %)" in out
    assert "MN11070201" in out
    assert "2 errors stand against signing off" in out
    assert len(out.splitlines()) < 100
    assert "Round 3 of" in dtm("round", "status")[1]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("round", "status", "--round", "9"), 2, "no round 9"),
        (("round", "close", "--round", "2", "--who", " "), 2, "name is needed"),
        (("round", "close", "--round", "2", "--sign-off", *WHO), 2, "still collects returns"),
        (("round", "close", "--round", "1", *WHO), 2, "released already"),
        (("round", "reopen", "--round", "2", *WHO, *WHY), 2, "nothing to reopen"),
        (("round", "reopen", "--round", "1", *WHO, "--reason", ""), 2, "reason is needed"),
        (("round", "waive", "--round", "2", *WHO, *WHY), 2, "one of the two"),
        (("round", "waive", "--round", "2", *WHO, *WHY, "--finding", "x"), 2, "no finding x"),
        (("round", "waive", "--round", "2", *WHO, *WHY, "--code", "sex_sum", "--pcode", "MN12"), 2, "in MN12"),
        (("round", "feedback", "--round", "2", "--out", "x", "--khoroo", "MN99"), 2, "not an area of round 2"),
        (("enumerators", "load", "absent.csv"), 3, "No such file"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(dtm, words, code, says):
    found, _, err = dtm(*words)
    assert (found, says in err) == (code, True), err


def test_feedback_and_enumerators_answer_in_json(dtm, tmp_path):
    told = json.loads(dtm("round", "feedback", "--round", "2", "--out", str(tmp_path / "f"), "--json")[1])
    assert told["files"] == [f"MN11070{number}.html" for number in (1, 2, 3, 4)]
    file = tmp_path / "list.csv"
    file.write_text("enumerator,role,unit,trained_on\nE1,boss,,\n", encoding="utf-8")
    code, out, _ = dtm("enumerators", "load", str(file), "--json")
    assert (code, json.loads(out)["refused"]) == (3, True)
    file.write_text("enumerator,role,unit,trained_on\nE1,other,,\n", encoding="utf-8")
    assert dtm("enumerators", "load", str(file))[:2] == (0, "list.csv: 1 enumerators.\n")
    assert json.loads(dtm("enumerators", "list", "--json")[1])[0]["returns"] == 1


def test_a_release_asks_for_the_sign_off(dtm):
    code, _, err = dtm("release", "--round", "2")
    assert code == 1
    assert "round 2 (draft)" in err
    assert "--provisional" in err

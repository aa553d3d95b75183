"""What the desk's page shows and asks of the desk, without a browser."""

from __future__ import annotations

import base64
import json

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from dashboard.desk import deciding, files, finding_table, layout, units
from dashboard.desk.app import Boards, asked_for, board_parts, finding_parts
from dashboard.desk.finding_table import ALL, Choice, choice_from
from dashboard.desk.notices import stopped, text_of
from dashboard.words import LANGUAGES, Words
from dtm.errors import WarehouseBusyError, WrongUseError
from dtm.messages import in_language, message
from tests.dashboard.fake_desk import BUSY, FakeDesk
from tests.dashboard.make_release import make_workspace
from tests.dashboard.test_pages import text_of as words_of

EN, MN = Words("en"), Words("mn")
FIRST = {"id": "sex_sum-0", "record": "1:baseline:2"}


def parts_of(desk: FakeDesk, *, area: str = "", words: Words = EN):
    boards = Boards(desk)
    return board_parts(boards.read(1), boards.shapes(1), words, area=area, width=1440)


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.mark.parametrize(
    ("received", "expected", "name"),
    [(0, 3, "none"), (1, 3, "some"), (1, 2, "most"), (2, 3, "most"), (3, 3, "all"), (4, 3, "all"), (0, 0, None)],
)
def test_classes_of_khoroos_at_their_limits(received, expected, name):
    assert units.class_of(received, expected) == name


def test_the_map_shows_the_silent_khoroo_in_another_colour_and_with_lines(desk):
    figure = parts_of(desk)["map"]
    coloured, hatch = figure.data
    assert dict(zip(coloured.locations, coloured.z, strict=True)) == {
        "MN110101": 0, "MN110102": 1, "MN110701": 2, "MN110702": 3,
    }  # fmt: skip
    assert "Bayanzurkh, Khoroo 1" in coloured.hovertext[0]
    assert "Units reported: 0 of 3" in coloured.hovertext[0]
    silent = shapely.box(106.9, 47.9, 107.0, 48.0).buffer(1e-9)
    assert all(silent.covers(shapely.Point(x, y)) for x, y in zip(hatch.lon, hatch.lat, strict=True) if x is not None)
    text = json.dumps(figure.to_plotly_json(), default=str)
    assert "http" not in text


def test_a_chosen_khoroo_is_outlined_and_narrows_the_missing_units(desk):
    whole, chosen = parts_of(desk), parts_of(desk, area="MN110102")
    assert len(chosen["map"].data) == len(whole["map"].data) + 1
    assert [row["pcode"] for row in chosen["missing"]] == ["MN11010202", "MN11010203"]
    assert len(whole["missing"]) == 6  # 3 + 2 + 1 + 0 of 4 khoroos
    assert "6 units are late: their returns were due on 14 March 2026." in whole["missing_note"]
    assert chosen["missing_note"].endswith("In the khoroo chosen: 2.")
    assert whole["missing"][0]["role"] == "Kheseg leader"
    assert whole["missing"][0]["trained_on"] == "Not trained"
    assert len(parts_of(desk, area=ALL)["missing"]) == 6


def test_key_figures_and_what_stands_in_the_way(desk):
    told = parts_of(desk)
    cards = words_of(told["cards"])
    assert "50.0% 6 of 12" in cards
    assert "100.0% 6 of 6 returns" in cards
    assert "Errors that stand in the way of signing off: 3." in words_of(told["state"])
    assert "(sex_sum): 3 · for example: sex_sum here" in " ".join(words_of(told["state"]).split())
    assert "gps_conflict" not in words_of(told["state"])
    assert told["steps"] == [True, False, True]  # only signing off has a meaning in cleaning
    desk.state = "released"
    assert parts_of(desk)["steps"] == [True, True, False]
    desk.state = "draft"
    assert parts_of(desk)["steps"] == [False, True, True]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_round_without_returns(lang, tmp_path):
    desk, words = FakeDesk(received=False), Words(lang)
    told = parts_of(desk, words=words)
    assert words("desk.no_returns") in json.dumps(told["progress"].to_plotly_json(), default=str, ensure_ascii=False)
    assert words("desk.nothing_stands") in words_of(told["state"])
    assert "0.0%" in words_of(told["cards"])
    assert finding_parts(desk, 1, Choice(), words, page=0)["pager"] == words("desk.no_findings")
    assert "nan" not in json.dumps(told, default=str).lower().replace("finance", "")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_workspace_without_a_round_and_one_that_is_busy(lang, tmp_path):
    workspace, words = make_workspace(tmp_path / "city"), Words(lang)
    page = words_of(layout.shell(workspace, [], words, number=None))
    assert "dtm round open" in page
    assert words("desk.private") in page
    busy = words_of(layout.unreadable(workspace, text_of(WarehouseBusyError(BUSY), words), words))
    assert in_language(BUSY, lang) in busy
    assert words("desk.try_again") in busy


def test_errors_are_told_in_a_sentence(caplog):
    assert text_of(WrongUseError("Round 1 is signed off."), EN) == "Round 1 is signed off."
    assert text_of(WrongUseError(message("round_not_there", number=9)), MN) == "9-р үе шат алга."
    assert text_of(OSError(28, "No space left on device"), EN).startswith("The disk is full; nothing was changed.")
    assert text_of(OSError(28, "No space left on device"), MN).startswith("Диск дүүрсэн байна; юу ч өөрчлөгдөөгүй.")
    assert text_of(PermissionError(13, "Permission denied"), MN) == MN("desk.system_stopped")
    told = words_of(stopped(ZeroDivisionError("division by zero"), EN))
    assert "division" not in told
    assert "unforeseen" in caplog.text
    assert "division by zero" in caplog.text


def test_pages_of_findings(desk):
    first = finding_parts(desk, 1, Choice(), EN, page=0)
    assert (len(first["rows"]), first["pager"], first["back"], first["on"]) == (100, "1–100 of 133", True, False)
    last = finding_parts(desk, 1, Choice(), EN, page=1)
    assert (len(last["rows"]), last["pager"], last["back"], last["on"]) == (33, "101–133 of 133", False, True)
    gone = finding_parts(desk, 1, Choice(severity="error"), EN, page=1)
    assert (gone["page"], gone["pager"]) == (0, "1–3 of 3")
    assert last["everything"] == "All that the filters find (133)"


def test_filters_reach_the_desk_and_a_search_reads_every_word(desk):
    desk.waive(1, ["sex_sum-1"], reason="known", who="A. Analyst")
    waived = finding_parts(desk, 1, Choice(state="waived"), EN, page=0)["rows"]
    assert [row["state"] for row in waived] == ["Waived by A. Analyst: known"]
    assert len(finding_parts(desk, 1, Choice(pcode="MN110101", state=""), EN, page=0)["rows"]) == 34
    found = finding_parts(desk, 1, Choice(query="khoroo BAYANGOL conflict-103"), EN, page=0)
    assert [row["id"] for row in found["rows"]] == ["gps_conflict-103"]
    assert finding_parts(desk, 1, Choice(code="no_such"), EN, page=0)["rows"] == []


def test_a_busy_warehouse_leaves_an_empty_table_and_a_sentence(desk):
    desk.busy = True
    told = finding_parts(desk, 1, Choice(), MN, page=3)
    assert told["rows"] == []
    assert told["pager"] == BUSY.mongolian


def test_a_message_is_text_and_in_the_readers_language(desk):
    row = finding_parts(desk, 1, Choice(severity="error"), MN, page=0)["rows"][0]
    assert row["message"] == "Илрүүлэлт sex_sum-0: нийлбэр зөрж байна."
    assert row["place"] == "Баянзүрх, 1-р хороо"
    assert row["severity"] == "Алдаа"


ANYTHING = st.none() | st.integers() | st.text() | st.lists(st.integers(), max_size=2)


@given(st.dictionaries(st.sampled_from(["severity", "code", "pcode", "state", "query"]), ANYTHING))
def test_whatever_a_browser_sends_becomes_a_choice(values):
    choice = choice_from(values)
    assert choice.severity in ("", "error", "warning")
    assert choice.state in ("", "open", "waived")
    assert len(choice.query) <= finding_table.QUERY_MAXIMUM_CHARACTERS


def test_an_address_names_language_and_round():
    assert asked_for("?lang=en&round=3") == ("en", 3)
    assert asked_for("?lang=fr&round=x") == ("mn", None)
    assert asked_for(None) == ("mn", None)


def ask(desk, action="waive", *, who="A. Analyst", reason="why", chosen=(FIRST,), everything=None):
    return deciding.findings_task(
        desk, action, number=1, who=who, reason=reason, chosen=list(chosen), everything=everything
    )


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"who": "  "}, "desk.need.who"),
        ({"who": None}, "desk.need.who"),
        ({"reason": ""}, "desk.need.reason"),
        ({"chosen": ()}, "desk.need.chosen"),
        ({"action": "reject", "chosen": ({"id": "x", "record": ""},)}, "desk.need.record"),
    ],
)
def test_a_decision_needs_a_name_a_reason_and_something_chosen(desk, wrong, key):
    with pytest.raises(deciding.IncompleteError, match=key):
        ask(desk, **wrong)
    assert desk.calls == []


def test_what_is_confirmed_is_what_was_asked(desk):
    task = deciding.task_from(json.loads(json.dumps(ask(desk).to_dict())))
    assert "Waive the chosen findings of round 1 (1)?" in words_of(deciding.question(task, EN))
    assert "A. Analyst" in words_of(deciding.question(task, EN))
    assert words_of(deciding.carry_out(desk, task, EN)) == "Findings waived: 1."
    assert desk.calls == [("waive", 1, ("sex_sum-0",), "why", "A. Analyst")]
    back = ask(desk, "take_back", reason="")
    assert words_of(deciding.carry_out(desk, back, EN)) == "Findings that stand again: 1."
    assert desk.calls[1:] == [("take_back", 1, ("sex_sum-0",), "A. Analyst")]


def test_all_that_a_filter_finds_is_read_again_when_asked(desk):
    task = ask(desk, everything=Choice(severity="warning", query="bayangol"))
    assert len(task.ids) == 64  # of 130 every third and fourth of four
    assert all(one.startswith("gps_conflict") for one in task.ids)
    returns = ask(desk, "reject", everything=Choice(severity="warning"))
    assert len(returns.ids) == 130
    assert len(returns.records) == 129  # one finding belongs to no return
    assert deciding.too_many(finding_table.CHOSEN_MAXIMUM + 1)
    assert not deciding.too_many(finding_table.CHOSEN_MAXIMUM)


def test_returns_are_accepted_or_rejected_once_each(desk):
    twice = ask(desk, "reject", chosen=(FIRST, {**FIRST, "id": "gps_conflict-0"}))
    told = words_of(deciding.carry_out(desk, twice, EN))
    assert desk.calls == [("reject", ("1:baseline:2",), "why", "A. Analyst")]
    assert "Written to the cleaning log: 1." in told
    assert "set aside +1" in told


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"record": ""}, "desk.need.one"),
        ({"field": " "}, "desk.need.field"),
        ({"new": "100"}, "desk.need.other"),
    ],
)
def test_an_edit_needs_a_record_a_field_and_another_value(values, key):
    usual = {"record": "1:baseline:2", "field": "male_persons", "old": "100", "new": "90"}
    with pytest.raises(deciding.IncompleteError, match=key):
        deciding.edit_task(number=1, who="A", reason="miscounted", values=usual | values)


def test_an_edit_is_written_or_says_what_is_there(desk):
    values = {"record": "1:baseline:2", "field": "male_persons", "old": "100", "new": ""}
    task = deciding.edit_task(number=1, who="A", reason="miscounted", values=values)
    assert "from 100 to (empty)" in words_of(deciding.question(task, EN))
    assert "Written to the cleaning log: 1." in words_of(deciding.carry_out(desk, task, EN))
    assert (desk.calls[0][1].old, desk.calls[0][1].new) == ("100", None)
    wrong = deciding.edit_task(number=1, who="A", reason="miscounted", values=values | {"old": "7"})
    told = words_of(deciding.carry_out(desk, wrong, EN))
    assert "Nothing was changed:" in told
    assert "The value there is 100." in told


def test_many_refusals_are_counted():
    findings = [{"message_en": f"no {number}", "message_mn": "үгүй"} for number in range(13)]
    told = words_of(deciding.cleaning_notice({"refused": True, "findings": findings}, EN))
    assert "no 9" in told
    assert "no 10" not in told
    assert "3 more of the kind" in told


def test_steps_of_the_round(desk):
    with pytest.raises(deciding.IncompleteError, match="reason"):
        deciding.step_task("reopen", number=1, who="A", reason="")
    sign = deciding.step_task("sign", number=1, who="A", reason="")
    with pytest.raises(Exception, match="3 errors stand"):
        deciding.carry_out(desk, sign, EN)
    deciding.carry_out(desk, ask(desk, everything=Choice(severity="error")), EN)
    assert words_of(deciding.carry_out(desk, sign, EN)) == "Round 1 is signed off."
    assert desk.calls[-1] == ("close", 1, "signed_off", "A", "")
    deciding.carry_out(desk, deciding.step_task("reopen", number=1, who="A", reason="late returns"), EN)
    assert desk.calls[-1] == ("reopen", 1, "A", "late returns")


def url_of(content: bytes) -> str:
    return "data:text/csv;base64," + base64.b64encode(content).decode()


def test_files_are_imported_with_repeats_last_and_each_is_reported(desk):
    pairs = [("arrivals.csv", url_of(b"a")), ("../../x/baseline.csv", url_of(b"b")), ("empty.csv", url_of(b"")),
             ("broken.csv", "data:text/csv;base64,!!")]  # fmt: skip
    told, changed = files.import_files(desk, pairs, EN, number=None)
    assert desk.calls == [("upload", "baseline.csv", b"b", None), ("upload", "arrivals.csv", b"a", None)]
    assert changed
    text = words_of(told)
    assert "Read = accepted + set aside + duplicate ✓" in text
    assert "Kheseg baseline" in text
    assert "… is below zero (negative): 1" in text
    assert "The file is empty." in text
    assert "did not arrive whole" in text


def test_a_file_that_fails_does_not_stop_the_others(desk):
    desk.busy = True
    told, changed = files.import_files(desk, [("a.csv", url_of(b"a"))], MN, number=1)
    assert not changed
    assert BUSY.mongolian in words_of(told)


def test_counts_that_do_not_add_up_are_told(desk):
    document = desk.upload("a.csv", b"x", number=None)
    document["files"][0]["tables"][0]["accepted"] = 2
    assert "don't add up" in words_of(files.report("a.csv", document, EN))


def test_uploads_at_and_past_their_size(desk, monkeypatch):
    monkeypatch.setattr(files, "UPLOAD_MAXIMUM_BYTES", 4)
    _, taken = files.import_files(desk, [("a.csv", url_of(b"abcd"))], EN, number=None)
    told, refused = files.import_files(desk, [("a.csv", url_of(b"abcde"))], EN, number=None)
    assert (taken, refused) == (True, False)
    assert "dtm returns import" in words_of(told)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("returns.csv", "returns.csv"), ("../../etc/passwd", "passwd"), ("C:\\data\\a.xlsx", "a.xlsx"),
        ("a\x00b\n.csv", "ab.csv"), ("..", "upload"), ("", "upload"), ("мэдээ.csv", "мэдээ.csv"),
        ("x" * 300 + ".csv", "x" * 146 + ".csv"),
    ],
)  # fmt: skip
def test_names_of_files_stay_in_their_folder(given, kept):
    assert files.safe_name(given) == kept


def test_findings_that_the_report_lists_are_shown_errors_first(desk):
    document = desk.upload("a.csv", b"x", number=None)
    place = {"sheet": "baseline", "row_number": 4, "field": "male_persons"}
    document["findings"] = [
        {"severity": "warning", "message_en": "later", "message_mn": "дараа", **place},
        {"severity": "error", "message_en": "first", "message_mn": "эхэнд", **place},
    ]
    text = words_of(files.report("a.csv", document, EN))
    assert text.index("first") < text.index("later")
    assert "baseline, row 4, male_persons" in text

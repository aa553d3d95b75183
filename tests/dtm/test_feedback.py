"""Check the feedback pages: whole, of one khoroo alone, escaped, without remarks or names, in both languages."""

from __future__ import annotations

import csv
import re
from datetime import date
from html.parser import HTMLParser

import pytest

from dtm import feedback as feedback_module
from dtm._feedback_page import LANGUAGES, feedback_words
from dtm.errors import UnknownRoundError, WrongUseError
from dtm.feedback import TOLD_ELSEWHERE, WAITING, feedback_page, write_feedback
from dtm.finding_words import OWN_FIGURES, column_words, value_words
from dtm.waivers import waive
from dtm.warehouse import open_warehouse
from enumerations.findings import CATALOGUE
from tests.dtm.desk_world import OPERATION, REMARK, ROUND, copy_desk_world
from tests.dtm.imports_support import KHOROOS
from tests.project._tree import ROOT

TODAY = date(2024, 3, 1)
INJECTION = "<script>alert('x')</script>"
VOID = {"meta"}


@pytest.fixture
def workspace(desk_world, tmp_path):
    return copy_desk_world(desk_world, tmp_path)


@pytest.fixture
def connection(workspace):
    with open_warehouse(workspace, spatial=False) as opened:
        yield opened


def page(connection, workspace, pcode, language="en"):
    return feedback_page(connection, workspace, number=ROUND, pcode=pcode, language=language, today=TODAY)


def edit(connection, row, field, old, new, *, sheet="baseline", reason="asked by phone", edit_id=1, undoes=None):
    connection.execute(
        "INSERT INTO cleaning_log BY NAME SELECT ? AS edit_id, 1 AS import_id, ? AS sheet, ? AS row_number, "
        "? AS field, ? AS old, ? AS new, ? AS reason, 'Name Of Analyst' AS who, "
        "TIMESTAMP '2024-02-20' AS edited_at, ? AS undoes",
        [edit_id, sheet, row, field, old, new, reason, undoes],
    )


class Reader(HTMLParser):
    """Collect tables and headings, and check that every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.cells, self.sections = [], set(), [], {}
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not {name for name, _ in attrs} & {"src", "href", "onclick", "onload"}
        if tag not in VOID:
            self.open.append(tag)
        if tag == "h2":
            self.heading = ""
        if tag == "tr":
            self.row = []
        if tag in ("td", "th"):
            self.row.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "h2":
            self.sections[self.heading] = []
        if tag == "tr":
            self.sections[self.heading].append(self.row)

    def handle_data(self, data):
        if self.open[-1:] == ["h2"]:
            self.heading += data
        elif self.open[-1:] and self.open[-1] in ("td", "th"):
            self.row[-1] += data


def section(text, key, language="en"):
    """Return the rows of one section's table, without its head."""
    return Reader(text).sections[feedback_words(language)[key]][1:]


def test_the_khesegs_figures_are_those_they_sent(connection, workspace):
    assert section(page(connection, workspace, "MN110701"), "sent") == [
        ["Kheseg 1", "received", "2024-02-10", "10", "40", "11", "42", "4", "–"],
        ["Kheseg 2", "received", "2024-02-12", "10", "40", "11", "142", "–", "–"],
    ]
    assert section(page(connection, workspace, "MN110702"), "sent") == [
        ["Kheseg 1", "received, can't be used yet", *["–"] * 7],
        ["Kheseg 2", "not received", *["–"] * 7],
    ]


def test_it_says_what_could_not_be_used_and_what_to_do(connection, workspace):
    told = section(page(connection, workspace, "MN110702"), "unusable")
    assert [row[0] for row in told] == ["Kheseg 1", "Kheseg 1"]
    assert told[0][1] == "1 of its arrivals and departures wait for this return."
    assert "45" in told[1][1]
    assert "42" in told[1][1]
    assert not re.search(r"\b(actual|female)_persons\b", told[1][1])


def test_coverage_round_and_state_are_told(connection, workspace):
    text = page(connection, workspace, "MN110703")
    assert "1 of 2 units of your khoroo have reported." in text
    assert "Round 2, 2024-02-01 to 2024-02-28. Returns are still coming in." in text
    assert "Bayangol, Khoroo 3 (MN110703)" in text


def test_corrections_tell_what_and_why_but_not_who(connection, workspace):
    edit(connection, 2, "actual_persons", "24", "42", edit_id=1)
    edit(connection, 3, "number_source", "count", "register", edit_id=2)
    edit(connection, 3, "actual_persons", "141", "142", edit_id=3)
    edit(connection, 3, "actual_persons", "142", "141", edit_id=4, undoes=3)
    text = page(connection, workspace, "MN110701")
    assert section(text, "corrected") == [
        ["Kheseg 1", column_words("kheseg-baseline", "actual_persons", "en"), "24", "42", "asked by phone"],
        [
            "Kheseg 2",
            column_words("kheseg-baseline", "number_source", "en"),
            value_words("kheseg-baseline", "number_source", "count", "en"),
            value_words("kheseg-baseline", "number_source", "register", "en"),
            "asked by phone",
        ],
    ]
    assert "Name Of Analyst" not in text
    assert section(page(connection, workspace, "MN110703"), "corrected") == []


def test_what_was_waived_is_told_with_the_reason_but_not_who(connection, workspace):
    waive(connection, operation=OPERATION, number=ROUND, codes=["sex_sum"], reason="told so twice", who="Somebody")
    text = page(connection, workspace, "MN110702")
    [row] = section(text, "waived")
    assert (row[0], row[2]) == ("Kheseg 1", "told so twice")
    assert "Somebody" not in text
    unusable = section(text, "unusable")  # waived or not, the return is not counted
    assert [feedback_words("en")["let_stand"] in row[1] for row in unusable] == [False, True]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("pcode", KHOROOS)
def test_a_page_is_of_its_khoroo_alone_without_remarks_scripts_or_anything_from_elsewhere(
    connection, workspace, pcode, language
):
    edit(connection, 2, "remarks", REMARK, "other words", edit_id=1)
    edit(connection, 2, "unit", "MN11070401", "MN11070101", edit_id=2)
    text = page(connection, workspace, pcode, language)
    assert REMARK not in text
    assert "other words" not in text
    own_point_lies_in = {"MN110704"} if pcode == "MN110703" else set()
    assert set(re.findall(r"MN\d{6}", text)) == {pcode} | own_point_lies_in
    assert ("142" in text) == (pcode == "MN110701")  # the persons of its second kheseg
    assert not re.search(r"(?i)https?:|url\(|@import|<script|<img|<link|javascript:", text)
    assert Reader(text).tags <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "thead", "tr", "th", "td"),
        "footer",
    }
    assert feedback_words(language)["notice"] in text
    assert f'<html lang="{language}">' in text
    assert "@page { size: A4;" in text


def test_figures_of_other_khoroos_inside_a_check_over_the_round_are_not_told(connection, workspace):
    for code, message in (("flow_disagrees", "777 against 888"), ("change_outlier", "55 after 44")):
        connection.execute(
            "INSERT INTO finding (round_number, subject, code, severity, file_name, field, value, message_en, "
            "message_mn, finding_id, stage, pcode) VALUES (?, 'kheseg-baseline', ?, 'warning', '', 'actual_persons', "
            "'777', ?, ?, ?, 'round', 'MN11070301')",
            [ROUND, code, message, message, code],
        )
    text = page(connection, workspace, "MN110703")
    assert "777" not in text
    assert "888" not in text
    assert "55 after 44" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_from_outside_is_escaped(connection, workspace, language):
    edit(connection, 4, "female_persons", INJECTION, INJECTION, reason=INJECTION)
    connection.execute("UPDATE finding SET message_en = ?, message_mn = ? WHERE code = 'sex_sum'", [INJECTION] * 2)
    connection.execute("UPDATE area SET name_mn = ?, name_en = ?", [INJECTION] * 2)
    waive(connection, operation=OPERATION, number=ROUND, codes=[WAITING], reason=INJECTION, who="A")
    text = page(connection, workspace, "MN110702", language)
    assert "<script" not in text.casefold()
    assert text.count("&lt;script&gt;") > 6
    Reader(text)


def test_a_demonstration_says_so(connection, workspace):
    said = feedback_words("en")["demonstration"]
    assert said not in page(connection, workspace, "MN110701")
    connection.execute("UPDATE import SET is_demonstration = true")
    assert said in page(connection, workspace, "MN110701")


def test_a_folder_has_a_page_for_each_khoroo_named_by_its_p_code(connection, workspace, tmp_path):
    folder = tmp_path / "out" / "pages"
    names = write_feedback(connection, workspace, number=ROUND, folder=folder, language="mn", today=TODAY)
    assert names == [f"{pcode}.html" for pcode in KHOROOS]
    assert sorted(path.name for path in folder.iterdir()) == names
    first = (folder / names[0]).read_text(encoding="utf-8")
    assert first == page(connection, workspace, KHOROOS[0], "mn")
    some = write_feedback(connection, workspace, number=ROUND, folder=tmp_path / "some", khoroos=["MN110703"])
    assert some == ["MN110703.html"]


def test_a_folder_is_written_whole_or_not_at_all(connection, workspace, tmp_path, monkeypatch):
    real, done = feedback_module._page, []

    def stop(*arguments):
        done.append(1)
        if len(done) == 3:
            raise OSError(28, "No space left on device")
        return real(*arguments)

    monkeypatch.setattr(feedback_module, "_page", stop)
    with pytest.raises(OSError, match="No space left"):
        write_feedback(connection, workspace, number=ROUND, folder=tmp_path / "out" / "pages")
    assert list((tmp_path / "out").iterdir()) == []


def test_wrong_use_is_told(connection, workspace, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "kept.txt").write_text("x")
    with pytest.raises(WrongUseError, match="there already"):
        write_feedback(connection, workspace, number=ROUND, folder=tmp_path / "there")
    with pytest.raises(WrongUseError, match="MN99 is not an area of round 2"):
        write_feedback(connection, workspace, number=ROUND, folder=tmp_path / "new", khoroos=["MN110701", "MN99"])
    with pytest.raises(WrongUseError, match="--language"):
        page(connection, workspace, "MN110701", "fr")
    with pytest.raises(UnknownRoundError):
        feedback_page(connection, workspace, number=9, pcode="MN110701", language="en")
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["kept.txt"]
    assert not (tmp_path / "new").exists()


def test_both_languages_have_every_word():
    rows = list(csv.DictReader((ROOT / "dtm" / "feedback_words.csv").read_text(encoding="utf-8").splitlines()))
    assert len({row["key"] for row in rows}) == len(rows) > 40
    for row in rows:
        assert row["en"].strip(), row
        assert row["mn"].strip(), row
        assert set(re.findall(r"\{\w+\}", row["en"])) == set(re.findall(r"\{\w+\}", row["mn"])), row
        assert row["key"] == "not_asked" or re.search("[А-Яа-яӨөҮү]", row["mn"]), row
        assert not re.search("[А-Яа-яӨөҮү]", row["en"]), row


def test_every_word_is_used_and_every_code_exists():
    source = "".join((ROOT / "dtm" / name).read_text(encoding="utf-8") for name in ("_feedback_page.py", "feedback.py"))
    unused = [key for key in feedback_words("en") if key not in source and not key.startswith("state_")]
    assert [key for key in unused if not key.endswith("_none")] == []
    assert {*OWN_FIGURES, *TOLD_ELSEWHERE, WAITING} <= set(CATALOGUE)

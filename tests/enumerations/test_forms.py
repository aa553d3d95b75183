from __future__ import annotations

import re

import openpyxl
import pytest
from pyxform.xls2xform import convert

from enumerations._forms_logic import logic_of
from enumerations._forms_paths import Paths, relative
from enumerations._forms_questions import POINT, design_of, designs, words
from enumerations._forms_survey import ENGLISH, MONGOLIAN
from enumerations.codelists import codes_of
from enumerations.columns import FORMS
from enumerations.errors import UnknownFormError, UnusableFormError
from enumerations.forms import FormArea, build_forms, form_ids
from tests.enumerations.forms_support import AREAS, Phone

CYRILLIC = re.compile("[\u0400-\u04ff]")
IDENTIFYING = {"username", "phonenumber", "deviceid", "email", "subscriberid", "simserial", "image", "audio", "video"}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forms")
    build_forms(AREAS, folder, version="2025040101", round_number=3)
    return folder


def sheet(folder, form, name):
    rows = list(openpyxl.load_workbook(folder / f"{form}.xlsx")[name].values)
    return [
        {key: "" if value is None else str(value) for key, value in zip(rows[0], row, strict=True)} for row in rows[1:]
    ]


def test_every_form_is_built_as_workbook_and_xform(built):
    assert sorted(path.name for path in built.iterdir()) == sorted(
        f"{form}.{kind}" for form in form_ids() for kind in ("xlsx", "xml")
    )
    assert {design.form for design in designs().values()} == set(FORMS) - {"dtm-published"}


@pytest.mark.parametrize("form", form_ids())
def test_the_converter_has_nothing_to_say(built, form):
    warnings: list[str] = []
    result = convert(built / f"{form}.xlsx", validate=False, warnings=warnings, pretty_print=True)
    assert warnings == []
    assert result.xform == (built / f"{form}.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", form_ids())
def test_every_text_is_there_in_both_languages(built, form):
    for name in ("survey", "choices"):
        for row in sheet(built, form, name):
            for text in ("label", "hint", "constraint_message", "required_message"):
                mongolian, english = (row.get(f"{text}::{language}", "") for language in (MONGOLIAN, ENGLISH))
                assert bool(mongolian) == bool(english), row
            if name == "choices" or row["type"].split()[0] not in {
                "calculate",
                "start",
                "end",
                "today",
                "end_group",
                "end_repeat",
            }:
                assert row[f"label::{MONGOLIAN}"], row
            if name == "survey" and row[f"label::{MONGOLIAN}"]:
                assert CYRILLIC.search(row[f"label::{MONGOLIAN}"])
                assert not CYRILLIC.search(row[f"label::{ENGLISH}"])
            for text in ("constraint", "required"):
                assert bool(row.get(text)) == bool(row.get(f"{text}_message::{MONGOLIAN}")), row
                assert "{" not in row.get(f"{text}_message::{ENGLISH}", "")
    (settings,) = sheet(built, form, "settings")
    assert settings["default_language"] == MONGOLIAN
    assert settings["version"] == "2025040101"


@pytest.mark.parametrize("form", form_ids())
def test_nothing_that_identifies_a_person_is_asked(built, form):
    rows = sheet(built, form, "survey")
    assert {row["type"].split()[0] for row in rows} & IDENTIFYING == set()
    tables = FORMS[design_of(form).form]
    texts = {row["name"] for row in rows if row["type"] == "text"}
    assert texts <= {"enumerator", "remarks"}
    assert {column.name for table in tables for column in table.columns} >= texts


@pytest.mark.parametrize("form", form_ids())
def test_questions_are_named_like_the_columns_they_fill(built, form):
    main = design_of(form).main_table
    names = {row["name"] for row in sheet(built, form, "survey") if row["name"] and not row["type"].startswith("begin")}
    tables = FORMS[design_of(form).form]
    known = {column.name for table in tables for column in table.columns}
    known |= {alias for column in main.columns for alias in column.aliases}
    assert {name for name in names if not name.startswith("_")} <= known


def test_every_column_is_asked_or_filled_in_by_the_tool():
    by_tool = {
        "instance_id",
        "form_version",
        "round",
        "collected_at",
        "unit",
        "lon",
        "lat",
        "accuracy_m",
        "review_state",
    }
    asked = {
        (group.table.name, question.column)
        for design in designs().values()
        for group in design.groups
        for question in group.questions
    }
    for form, tables in FORMS.items():
        for table in tables if form != "dtm-published" else ():
            assert {name for name in table.column_names if (table.name, name) not in asked} <= by_tool


def test_choices_of_codes_are_the_lists(built):
    rows = sheet(built, "kheseg-baseline", "choices")
    for name in ("problem", "service", "reason", "water_source", "yesno"):
        assert [row["name"] for row in rows if row["list_name"] == name] == codes_of(name)


def test_areas_cascade(built):
    rows = sheet(built, "kheseg-baseline", "choices")
    parents = {(row["list_name"], row["name"]): row["parent"] for row in rows}
    assert [name for kind, name in parents if kind == "district"] == ["MN1107"]  # the only district with khoroos
    assert parents["khoroo", "MN110702"] == "MN1107"
    assert parents["kheseg", "MN11070102"] == "MN110701"
    assert parents["soum", "MN6204"] == "MN62"
    assert [name for kind, name in parents if kind == "aimag"] == ["MN11", "MN62", "abroad", "unknown"]
    filters = {row["name"]: row["choice_filter"] for row in sheet(built, "kheseg-baseline", "survey")}
    assert filters["kheseg"] == "parent = current()/../khoroo"
    assert filters["_origin_2"] == "parent = current()/../_origin_1"


@pytest.mark.parametrize(
    ("steps", "answer"),
    [
        (("MN62", "", ""), "MN62"),
        (("MN62", "MN6204", ""), "MN6204"),
        (("MN11", "MN1107", "MN110702"), "MN110702"),
        (("MN11", "MN1110", "MN110702"), "MN1110"),  # the khoroo of the district chosen before is forgotten
        (("MN62", "MN1107", "MN110702"), "MN62"),
        (("abroad", "", ""), "abroad"),
        (("unknown", "MN6204", ""), "unknown"),
    ],
)
def test_the_finest_place_told_is_the_answer(steps, answer):
    phone = Phone("kheseg-baseline", "arrivals")
    phone.answer("baseline", {"had_arrivals": "yes"})
    for level, step in enumerate(steps, 1):
        phone.data.find(f"arrivals/_origin_{level}").text = step
    phone.settle()
    assert phone.data.find("arrivals/origin").text == answer


def test_the_point_fills_three_columns():
    phone = Phone("kheseg-baseline", "baseline")
    phone.data.find(f"unit/{POINT}").text = "47.91 106.88 1300 7.5"
    phone.settle()
    assert [phone.data.find(name).text for name in ("lon", "lat", "accuracy_m")] == ["106.88", "47.91", "7.5"]


def test_consent_is_asked_before_anything_of_the_household(built):
    names = [row["name"] for row in sheet(built, "household-survey", "survey")]
    of_household = [question.column for question in design_of("household-survey").groups[2].questions]
    assert of_household
    assert max(names.index("_about"), names.index("consent")) < min(
        names.index(name) for name in [*of_household, POINT]
    )
    phone = Phone("household-survey", "members")
    phone.answer("households", {"consent": "no"})
    phone.answer("members", {"sex": "male", "age_years": "30"})
    phone.settle()
    assert [node.text for node in phone.data.find("members")] == [None] * len(phone.data.find("members"))


def test_equal_areas_give_equal_bytes_and_the_version_tells_the_content(tmp_path):
    for name, areas in (("a", AREAS), ("b", AREAS), ("c", [*AREAS, FormArea("MN110703", 3, "MN1107", "3", "3")])):
        build_forms(areas, tmp_path / name, forms=["event-report"])
    files = {
        name: [(tmp_path / name / f"event-report.{kind}").read_bytes() for kind in ("xlsx", "xml")] for name in "abc"
    }
    assert files["a"] == files["b"]
    versions = {name: re.search(rb'version="(h[0-9a-f]{11})"', files[name][1])[1] for name in "ac"}
    assert versions["a"] != versions["c"]


def test_the_round_is_part_of_every_return(built):
    for form in ("kheseg-baseline", "household-survey", "event-report", "checkpoint-registry"):
        assert 'nodeset="/data/round" type="string" calculate="3"' in (built / f"{form}.xml").read_text(
            encoding="utf-8"
        )


def test_a_form_that_cannot_be_built_says_why(tmp_path):
    with pytest.raises(UnknownFormError, match="No form is named 'census'"):
        build_forms(AREAS, tmp_path, forms=["census"])
    with pytest.raises(UnusableFormError, match="'1 April' is no version"):
        build_forms(AREAS, tmp_path, version="1 April")
    with pytest.raises(UnusableFormError, match="no khoroos"):
        build_forms([area for area in AREAS if area.level < 3], tmp_path)


def test_paths_lead_from_one_question_to_another():
    assert relative(("g", "a"), ("g", "b")) == "../b"
    assert relative(("g", "a"), ("h", "b")) == "../../h/b"
    assert relative(("g", "a"), ("b",)) == "../../b"
    assert relative(("g",), ("h", "b")) == "../h/b"


def test_a_rule_stands_once_at_its_last_question():
    design = design_of("kheseg-baseline")
    paths = Paths(design)
    places = [
        question.column
        for group in design.groups
        if group.table.name == "baseline"
        for question in group.questions
        if any(part.code == "age_sum" for part in logic_of(question, group, paths).parts)
    ]
    assert places == ["age_60_plus_persons"]


def test_shared_words_are_in_both_languages():
    for text in words().values():
        assert CYRILLIC.search(text.mn)
        assert text.en
        assert not CYRILLIC.search(text.en)

"""Hold every shape in which a real ODK Central server gave the same returns to the values that were sent."""

from __future__ import annotations

import csv
import zipfile

import pytest

from dtm.engine import connect
from enumerations.mapping import parse_mapping
from enumerations.returns import stage_returns
from tests.conftest import REALDATA_PATH

RECORDED = REALDATA_PATH / "odk-central-recorded"
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers of an ODK Central server are not here"),
]
MAPPING = parse_mapping(
    """
[form]
name = "kheseg-baseline"

[tables.baseline]
source = "kheseg_baseline"
ignore = ["intro_note", "end_note", "visit_date", "population/ger_share_pct", "population/age/age_5_14",
          "population/age/age_15_24", "population/age/age_25_59", "informant_years"]
not_asked = ["actual_households"]

[tables.baseline.columns]
collected_at = "end"
enumerator = "enumerator"
round = "round"
unit = "place/kheseg"
district = "place/district"
khoroo = "place/khoroo"
geopoint = "location"
registered_households = "population/households_registered"
registered_persons = "population/persons_registered"
actual_persons = "population/persons_actual"
male_persons = "population/male"
female_persons = "population/female"
age_0_4_persons = "population/age/age_0_4"
age_60_plus_persons = "population/age/age_60_plus"
problems = { column = "problems", codes = { "water" = "water_supply", "air" = "air_pollution" } }
remarks = "remarks"

[tables.arrivals.columns]
origin = "origin_aimag"
persons = "persons"
male_persons = "male"
female_persons = "female"
reason = { column = "reason", codes = { "disaster" = "dzud" } }

[tables.arrivals]
ignore = ["window"]

[tables.departures]
ignore = ["window"]

[tables.departures.columns]
destination = "destination_aimag"
persons = "persons"
male_persons = "male"
female_persons = "female"
reason = { column = "reason", codes = { "disaster" = "dzud" } }
"""
)
THEIRS = {
    "enumerator": "enumerator", "round": "round", "unit": "place/kheseg", "district": "place/district",
    "khoroo": "place/khoroo", "registered_households": "population/households_registered",
    "registered_persons": "population/persons_registered", "actual_persons": "population/persons_actual",
    "male_persons": "population/male", "female_persons": "population/female",
    "age_0_4_persons": "population/age/age_0_4", "age_60_plus_persons": "population/age/age_60_plus",
    "remarks": "remarks", "review_state": "review_state", "form_version": "form_version_first",
}  # fmt: skip
MOVE = {"persons": "persons", "male_persons": "male", "female_persons": "female"}


@pytest.fixture(scope="module")
def connection():
    return connect(spatial=False)


def read_expected(name):
    with (RECORDED / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def cell(text):
    return text.strip() or None if text is not None else None


def as_number(text):
    return None if text is None else float(text)


def translated(text, codes):
    return " ".join(codes.get(part, part) for part in text.split()) or None


def expected_baseline():
    rows = {}
    for told in read_expected("expected.csv"):
        if told["state"] == "live":
            row = {ours: cell(told[theirs]) for ours, theirs in THEIRS.items()}
            point = [*told["location"].split(), None, None, None, None][:4]
            row |= {"lat": as_number(point[0]), "lon": as_number(point[1]), "accuracy_m": as_number(point[3])}
            row["problems"] = translated(told["problems"], {"water": "water_supply", "air": "air_pollution"})
            rows[told["instance_id"]] = row
    return rows


def staged_baseline(connection, staged):
    names = [*THEIRS, "lat", "lon", "accuracy_m", "problems"]
    columns = ", ".join(f"nullif(trim({staged.source(name)}, ' \t\r\n'), '')" for name in names)
    answer = connection.execute(f"SELECT {staged.source('instance_id')}, {columns} FROM {staged.relation}").fetchall()
    rows = {row[0]: dict(zip(names, row[1:], strict=True)) for row in answer}
    assert len(rows) == len(answer)
    for row in rows.values():
        row |= {name: as_number(row[name]) for name in ("lat", "lon", "accuracy_m")}
        row["problems"] = " ".join((row["problems"] or "").split()) or None
        row["remarks"] = row["remarks"] and row["remarks"].replace("\r\n", "\n")
    return rows


def staged_moves(connection, staged, place):
    columns = ", ".join(str(staged.source(name)) for name in ("instance_id", place, *MOVE, "reason"))
    return sorted(connection.execute(f"SELECT {columns} FROM {staged.relation}").fetchall(), key=str)


def expected_moves(name, place):
    wanted = []
    for told in read_expected(name):
        if told["parent_state"] == "live":
            reason = translated(told["reason"], {"disaster": "dzud"})
            row = [cell(told[one]) for one in (place, *MOVE.values())]
            wanted.append((told["parent_instance_id"], *row, reason))
    return sorted(wanted, key=str)


def check(connection, path):
    tables = {one.header.table.name: one for one in stage_returns(connection, path, "odk", mapping=MAPPING)}
    wanted = expected_baseline()
    for row in wanted.values():
        row["remarks"] = row["remarks"] and row["remarks"].replace("\r\n", "\n")
    assert staged_baseline(connection, tables["baseline"]) == wanted
    assert len(wanted) == 255
    assert [one.code for table in tables.values() for one in table.findings] == []
    return tables


def check_moves(connection, tables):
    arrivals = staged_moves(connection, tables["arrivals"], "origin")
    assert arrivals == expected_moves("expected_arrivals.csv", "origin_aimag")
    departures = staged_moves(connection, tables["departures"], "destination")
    assert departures == expected_moves("expected_departures.csv", "destination_aimag")
    assert (len(arrivals), len(departures)) == (427, 292)


def test_odata_with_repeats(connection):
    check_moves(connection, check(connection, RECORDED / "odata" / "submissions-expand-all.body.json"))


@pytest.mark.parametrize(
    "name", ["zip-default", "zip-groupPaths-false", "zip-splitSelectMultiples", "zip-all-three", "zip-deletedFields"]
)
def test_csv_archive_of_every_option(connection, name):
    check_moves(connection, check(connection, RECORDED / "csv" / f"{name}.body.zip"))


def test_csv_of_the_returns_alone(connection):
    check(connection, RECORDED / "csv" / "root-only.body.csv")


def test_odata_without_repeats_says_so(connection):
    path = RECORDED / "odata" / "submissions-all.body.json"
    (baseline,) = stage_returns(connection, path, "odk", mapping=MAPPING)
    assert [(one.code, one.value) for one in baseline.findings] == [
        ("repeat_left_out", "arrivals"),
        ("repeat_left_out", "outflow/departures"),
    ]
    rows = staged_baseline(connection, baseline)
    assert len(rows) == 255


def test_a_page_says_that_others_follow(connection):
    path = RECORDED / "odata" / "submissions-top100-page01.body.json"
    (baseline,) = stage_returns(connection, path, "odk", mapping=MAPPING)
    assert [(one.code, one.value) for one in baseline.findings if one.code == "page_of_many"] == [
        ("page_of_many", "100")
    ]


def test_repeat_rows_by_themselves(connection):
    (arrivals,) = stage_returns(connection, RECORDED / "odata" / "arrivals-all.body.json", "odk", mapping=MAPPING)
    rows = staged_moves(connection, arrivals, "origin")
    assert rows == expected_moves("expected_arrivals.csv", "origin_aimag")


def test_deleted_returns_are_no_returns(connection):
    path = RECORDED / "odata" / "filter-deletedAt-ne-null.body.json"
    baseline = stage_returns(connection, path, "odk", mapping=MAPPING)[0]
    faults = connection.execute(f"SELECT DISTINCT fault FROM {baseline.relation}").fetchall()
    assert faults == [("return_deleted",)]


def test_a_removed_question_is_named(connection, tmp_path):
    inner = zipfile.ZipFile(RECORDED / "csv" / "zip-default.body.zip").read("kheseg_baseline.csv").decode()
    path = tmp_path / "kheseg_baseline.csv"
    path.write_text(inner.replace("population-female", "population-women"), encoding="utf-8", newline="")
    (baseline,) = stage_returns(connection, path, "odk", mapping=MAPPING)
    assert [(one.code, one.value, one.field) for one in baseline.findings] == [
        ("column_ignored", "population-women", None),
        ("mapping_column_missing", "population/female", "female_persons"),
    ]

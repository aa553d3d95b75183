from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from dtm.engine import connect
from enumerations.errors import MappingError, MissingColumnsError, UnknownFormError
from enumerations.mapping import parse_mapping, propose_mapping, read_mapping
from enumerations.returns import stage_returns
from tests.enumerations.returns_writers import write_book, write_plain

HEAD = '[form]\nname = "kheseg-baseline"\n'
ARRIVALS = f'{HEAD}\n[tables.arrivals.columns]\ninstance_id = "id"\norigin = "from"\npersons = "n"\n'


@pytest.fixture(scope="module")
def connection():
    return connect(spatial=False)


def read(connection, tmp_path, row, rule, column="households"):
    """Return what one more line of the mapping makes of one row."""
    path = write_plain(tmp_path / "moves.csv", [{"id": "u1", "from": "MN62", "n": "3", **row}])
    (staged,) = stage_returns(connection, path, "m", mapping=parse_mapping(f"{ARRIVALS}{rule}\n"))
    return connection.execute(f"SELECT {staged.source(column)} FROM {staged.relation}").fetchone()[0]


@pytest.mark.parametrize(
    ("rule", "row", "wanted"),
    [
        ('households = "Өрх"', {"Өрх": "7"}, "7"),
        ('households = "a/b"', {"a-b": "7"}, "7"),
        ('households = "a/b"', {"b": "7"}, "7"),
        ('households = { column = "h", factor = 100 }', {"h": "1.23"}, "123"),
        ('households = { column = "h", unit = "dozens" }', {"h": "2"}, "24"),
        ('households = { column = "h", unit = "dozens" }', {"h": "two"}, "two"),
        ('households = { column = "h", default = "0" }', {"h": " "}, "0"),
        ('households = { sum = ["a", "b"] }', {"a": "2", "b": "3"}, "5"),
        ('households = { sum = ["a", "b"] }', {"a": "2", "b": ""}, "2"),
        ('households = { sum = ["a", "b"] }', {"a": "", "b": ""}, None),
        ('households = { sum = ["a", "b"] }', {"a": "2", "b": "x"}, "2 + x"),
        ("households = { constant = 4 }", {}, "4"),
    ],
)
def test_a_line_of_a_mapping(connection, tmp_path, rule, row, wanted):
    assert read(connection, tmp_path, row, rule) == wanted


def test_codes_are_translated_and_unknown_ones_kept_for_the_check(connection, tmp_path):
    rule = 'reason = { column = "why", codes = { "1" = "work", "It\'s study" = "study" } }'
    told = [read(connection, tmp_path, {"why": why}, rule, "reason") for why in ("1", " IT'S STUDY", "9", "")]
    assert told == ["work", "study", "9", None]


BASELINE = """
[form]
name = "kheseg-baseline"
zone = "UTC"
[tables.baseline]
not_asked = ["actual_households", "registered_households", "registered_persons"]
[tables.baseline.columns]
instance_id = { join = ["khoroo", "wave"], separator = "-" }
collected_at = { column = "when", date = ["%d.%m.%Y %H:%M", "%d.%m.%Y"] }
actual_persons = "people"
geopoint = "gps"
problems = { column = "p", codes = { "a" = "waste", "b" = "roads" } }
"""


def test_dates_zones_points_and_joined_keys(connection, tmp_path):
    rows = [
        {"khoroo": "3", "wave": "2", "when": "03.02.2024 10:20", "people": "5", "gps": "47.9 106.9 0 8", "p": "a b"},
        {"khoroo": "4", "wave": "2", "when": "03.02.2024", "people": "6", "gps": "", "p": "b c"},
        {"khoroo": "5", "wave": "", "when": "2024-02-03 10:20:00", "people": "7", "gps": "", "p": ""},
        {"khoroo": "6", "wave": "2", "when": "2024-02-03T10:20:00+08:00", "people": "7", "gps": "", "p": ""},
        {"khoroo": "7", "wave": "2", "when": "soon", "people": "7", "gps": "", "p": ""},
    ]
    (staged,) = stage_returns(connection, write_plain(tmp_path / "b.csv", rows), "m", mapping=parse_mapping(BASELINE))
    names = ("instance_id", "collected_at", "lon", "lat", "accuracy_m", "problems")
    columns = ", ".join(str(staged.source(name)) for name in names)
    told = connection.execute(f"SELECT {columns} FROM {staged.relation} ORDER BY record").fetchall()
    assert told == [
        ("3-2", "2024-02-03T10:20:00Z", "106.9", "47.9", "8", "waste roads"),
        ("4-2", "2024-02-03T00:00:00Z", None, None, None, "roads c"),
        ("5", "2024-02-03T10:20:00Z", None, None, None, None),
        ("6-2", "2024-02-03T10:20:00+08:00", None, None, None, None),
        ("7-2", "soon", None, None, None, None),
    ]
    required = {column.name for column in staged.header.table.columns if column.required}
    assert required == {"instance_id", "collected_at", "actual_persons"}


def test_a_zone_of_another_country(connection, tmp_path):
    text = BASELINE.replace('zone = "UTC"', 'zone = "Asia/Ulaanbaatar"')
    rows = [{"khoroo": "3", "wave": "2", "when": "2024-02-03 10:20:00", "people": "5", "gps": "", "p": ""}]
    (staged,) = stage_returns(connection, write_plain(tmp_path / "b.csv", rows), "m", mapping=parse_mapping(text))
    told = connection.execute(f"SELECT {staged.source('collected_at')} FROM {staged.relation}").fetchone()
    assert told == ("2024-02-03T02:20:00Z",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[form", "map.toml: not readable as TOML: "),
        ('[form]\nname = "x"', "map.toml, line 2, [form] name: must be one of our forms: kheseg-baseline"),
        (HEAD, "there is no section [tables.NAME.columns]"),
        (f"{HEAD}[tables.people.columns]\na = 'b'", "[tables.people]: form kheseg-baseline has no such table"),
        (
            f"{ARRIVALS}person = 'x'",
            "line 8, [tables.arrivals.columns] person: table arrivals has no such column. Is 'persons'",
        ),
        (f"{ARRIVALS}male_persons = 3", "line 8, [tables.arrivals.columns] male_persons: write their column in quotes"),
        (f"{ARRIVALS}male_persons = {{ colum = 'x' }}", "colum: unknown key. Is 'column' meant?"),
        (f"{ARRIVALS}male_persons = {{ column = 'x', sum = ['y'] }}", "only one"),
        (f"{ARRIVALS}male_persons = {{ column = 'x', unit = 'miles' }}", "unit 'miles' is not known: hundreds"),
        (f"{ARRIVALS}male_persons = {{ column = 'x', factor = 0 }}", "factor 0 must be a number other than 0"),
        (f"{ARRIVALS}reason = {{ column = 'x', codes = ['y'] }}", "codes are written as"),
        (f"{ARRIVALS}reason = {{ column = 'x', zone = 'nowhere' }}", "'nowhere' is no time zone"),
        (f"{ARRIVALS}reason = {{ column = 'x', date = 'dd.mm' }}", "written like '%d.%m.%Y'"),
        (f"{ARRIVALS}[tables.arrivals]\nnot_asked = ['instance_id']", "'instance_id' is no column that may be missing"),
        (f"{ARRIVALS}[tables.arrivals]\nskip = ['x']", "line 9, [tables.arrivals] skip: unknown key"),
    ],
)
def test_mistakes_are_named_by_line(text, words):
    with pytest.raises(MappingError) as caught:
        parse_mapping(text, name="map.toml")
    assert words in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_mapping_file_that_is_none(tmp_path):
    path = tmp_path / "m.toml"
    with pytest.raises(MappingError, match="can't be read"):
        read_mapping(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MappingError, match="not UTF-8"):
        read_mapping(path)
    path.write_text("#" * 1_100_000, encoding="utf-8")
    with pytest.raises(MappingError, match="larger than"):
        read_mapping(path)


def test_columns_that_are_not_there(connection, tmp_path):
    path = write_plain(tmp_path / "moves.csv", [{"id": "u1", "form": "MN62", "n": "3"}])
    with pytest.raises(MissingColumnsError, match=r"origin from 'from', which isn't there \(is 'form' meant\?\)"):
        stage_returns(connection, path, "m", mapping=parse_mapping(ARRIVALS))
    path = write_plain(tmp_path / "other.csv", [{"a": "1", "b": "2", "c": "3"}])
    with pytest.raises(UnknownFormError, match=r"fits no table of the mapping. Found: a, b, c\."):
        stage_returns(connection, path, "m", mapping=parse_mapping(ARRIVALS))


SHEET = [
    ["Хэсгийн дугаар", "Огноо", "Бүртгэлтэй өрхийн тоо", "Бүртгэлтэй хүний тоо", "Бодит өрх", "Бодит хүн", "Эрэгтэй",
     "Эмэгтэй", "longitude", "Y", "Тоон мэдээллийн эх сурвалж", "Colour"],
    ["MN1107010101", "15.03.2024", "120", "400", "118", "390", "190", "200", "106.91", "47.92", "Бүртгэл", "red"],
    ["MN1107010102", "16.03.2024", "90", "310", "92", "322", "160", "162", "106.92", "47.93", "Тооллого", "blue"],
    ["MN1107010103", "17.03.2024", "75", "250", "70", "244", "120", "124", "106.93", "47.94", "Тоолого", "blue"],
]  # fmt: skip


def test_a_proposal_reads_mongolian_headers_and_feeds_the_reader(connection, tmp_path):
    path = write_book(tmp_path / "old.xlsx", {"2022": SHEET})[0]
    proposal = propose_mapping(connection, path, form="kheseg-baseline")
    (table,) = proposal.tables
    told = {one.ours: (one.theirs, one.is_sure) for one in table.columns}
    assert told["registered_households"] == ("Бүртгэлтэй өрхийн тоо", True)
    assert told["registered_persons"] == ("Бүртгэлтэй хүний тоо", True)
    assert told["actual_households"][0] == "Бодит өрх"
    assert told["actual_persons"][0] == "Бодит хүн"
    assert told["female_persons"][0] == "Эмэгтэй"
    assert told["lon"] == ("longitude", True)
    assert told["lat"][0] == "Y"
    assert told["collected_at"] == ("Огноо", True)
    assert told["number_source"] == ("Тоон мэдээллийн эх сурвалж", False)
    assert table.left == ("Colour",)
    by_name = {one.ours: one.likeness for one in table.columns}
    assert by_name["number_source"].codes == {"Тоолого": "count"}
    assert by_name["collected_at"].dates[0] == "%d.%m.%Y"
    text = proposal.text
    assert tomllib.loads(text)["tables"]["baseline"]["ignore"] == ["Colour"]
    if "instance_id" in table.missing:
        text += 'instance_id = "Хэсгийн дугаар"\n'
    (staged,) = stage_returns(connection, path, "old", mapping=parse_mapping(text))
    columns = ", ".join(str(staged.source(name)) for name in ("collected_at", "number_source", "lat"))
    told_rows = connection.execute(f"SELECT {columns} FROM {staged.relation} ORDER BY record").fetchall()
    assert told_rows[2] == ("2024-03-17T00:00:00", "count", "47.94")
    assert staged.findings == ()


def test_a_proposal_for_our_own_form_is_sure_of_everything(connection, tmp_path):
    record = {
        "_uuid": "u1", "end": "2024-02-10T02:00:00", "place/unit": "MN11070101", "people/registered_persons": "40",
        "people/actual_persons": 42, "people/registered_households": 10, "people/actual_households": 11,
        "arrivals": [{"arrivals/origin": "MN62", "arrivals/persons": "4", "arrivals/reason": "work"}],
    }  # fmt: skip
    path = tmp_path / "data.json"
    path.write_text(json.dumps({"results": [record]}), encoding="utf-8")
    proposal = propose_mapping(connection, path)
    assert proposal.form == "kheseg-baseline"
    assert [(one.table.name, one.missing, one.left) for one in proposal.tables] == [
        ("baseline", (), ()),
        ("arrivals", (), ()),
    ]
    assert all(one.is_sure for table in proposal.tables for one in table.columns)
    baseline, arrivals = stage_returns(connection, path, "own", mapping=parse_mapping(proposal.text))
    assert (baseline.header.table.name, arrivals.header.table.name) == ("baseline", "arrivals")


def test_codes_are_proposed_by_a_word_of_theirs(connection, tmp_path):
    rows = [
        {"instance_id": f"u{number}", "origin": "MN62", "persons": "3", "reason": reason, "households": "1"}
        for number, reason in enumerate(["work", "studdy", "9"])
    ]
    (table,) = propose_mapping(connection, write_plain(tmp_path / "moves.csv", rows)).tables
    reason = next(one for one in table.columns if one.ours == "reason")
    assert reason.likeness.codes == {"studdy": "study"}
    assert reason.likeness.unknown == ("9",)
    assert not reason.is_sure


def test_nothing_to_propose(connection, tmp_path):
    path = write_plain(tmp_path / "x.csv", [{"colour": "red", "shape": "round"}])
    with pytest.raises(UnknownFormError, match="no column answers to any of ours"):
        propose_mapping(connection, path)


def test_the_example_of_the_documentation_is_a_mapping():
    text = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text(encoding="utf-8")
    example = text.split("```toml\n")[1].split("```")[0]
    (table,) = parse_mapping(example).tables
    assert table.not_asked == ("actual_households",)
    assert table.fields["registered_persons"].factor == 100

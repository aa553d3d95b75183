from __future__ import annotations

import gzip
import json

import pytest

from dtm.engine import connect
from enumerations import _json_stream, _records
from enumerations._json_stream import JsonReturns
from enumerations.errors import EmptyFileError, WrongFileTypeError
from enumerations.returns import stage_returns

RETURN = {
    "_id": 1, "_uuid": "u1", "end": "2024-02-10T02:00:00", "unit": "MN11070101", "registered_persons": "40",
    "actual_persons": 42, "registered_households": 10, "actual_households": 11,
}  # fmt: skip


@pytest.fixture
def connection():
    return connect(spatial=False)


def write(tmp_path, text, name="data.json"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def values(connection, staged, *names):
    columns = ", ".join(str(staged.source(name)) for name in names)
    return connection.execute(f"SELECT record, fault, {columns} FROM {staged.relation} ORDER BY record").fetchall()


SHAPES = {
    "answer of Kobo": lambda items: json.dumps({"count": 2, "next": None, "previous": None, "results": items}),
    "answer of ODK Central": lambda items: json.dumps({"value": items, "@odata.context": "x"}, indent=1),
    "context first": lambda items: json.dumps({"@odata.context": "x", "value": items}),
    "list": json.dumps,
    "lines": lambda items: "\n".join(map(json.dumps, items)) + "\n",
    "lines after a byte order mark": lambda items: "\ufeff" + "\r\n\r\n".join(map(json.dumps, items)),
    "objects over several lines": lambda items: "\n".join(json.dumps(item, indent=2) for item in items),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("chunk", [7, 64, 1_048_576])
def test_every_shape_gives_the_same_returns_however_it_is_cut_up(tmp_path, monkeypatch, shape, chunk):
    monkeypatch.setattr(_json_stream, "CHUNK_BYTES", chunk)
    items = [{"_uuid": 'хэсэг \\ " {[', "a": {"b": [1, 2.50, -3e5, True]}}, {"_uuid": "u2", "value": 5, "count": "x"}]
    read = list(JsonReturns(write(tmp_path, shape(items))))
    assert read == [
        {"_uuid": 'хэсэг \\ " {[', "a": {"b": ["1", "2.5", "-300000", True]}},
        {"_uuid": "u2", "value": "5", "count": "x"},
    ]


def test_an_answer_keeps_what_stands_beside_its_returns(tmp_path):
    document = JsonReturns(write(tmp_path, '{"count": 12, "results": [{"_id": 1}], "next": "https://x"}'))
    assert [one["_id"] for one in document] == ["1"]
    assert document.envelope == {"count": "12", "next": "https://x"}


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ('{"results": [{"_id": 1}, {"_id": 2', WrongFileTypeError, "line 1"),
        ('{"results": [{"_id": 1}\n, {"_id": "2', WrongFileTypeError, "line 2, column 11 (Unterminated string"),
        ('{"results": [{"_id": 1}', WrongFileTypeError, "Expecting ','"),
        ('{"results": [{"_id": 1}]', WrongFileTypeError, "Expecting '}'"),
        ('[{"_id": 1}] [', WrongFileTypeError, "Extra data"),
        ('{"_id": 1}\n{"_id": 2}\n{"_i', WrongFileTypeError, "line 3"),
        ('{"_id": 1}\n{"_id": 2} nonsense', WrongFileTypeError, "line 2"),
        ('{"results": [{"_id": 01}]}', WrongFileTypeError, "line 1"),
        ('{"results": [[1, 2]]}', WrongFileTypeError, "entry 1 of the list is"),
        ('{"results": ["text"]}', WrongFileTypeError, 'entry 1 of the list is "text"'),
        ('{"results": {"_id": 1}}', WrongFileTypeError, "needs 'results' or 'value'"),
        ('{"detail": "Invalid token."}', WrongFileTypeError, "needs 'results' or 'value'"),
        ('{"results": []}', EmptyFileError, "holds no returns"),
        ("[]", EmptyFileError, "holds no returns"),
        ("{", WrongFileTypeError, "line 1"),
        ('{"results": [' + '{"a":' * 100_000, WrongFileTypeError, "nested too deep"),
        ('[{"_id": "\x01"}]', WrongFileTypeError, "Invalid control character"),
        (b'[{"_id": "\xff\xfe"}]', WrongFileTypeError, "not UTF-8 text"),
        (gzip.compress(b'[{"_id": 1}]' * 9, mtime=0)[:-12], WrongFileTypeError, "damaged or cut"),
    ],
)
def test_damage_is_told_in_a_sentence(connection, tmp_path, text, error, words):
    with pytest.raises(error) as caught:
        stage_returns(connection, write(tmp_path, text), "t")
    assert words in str(caught.value)
    assert str(caught.value).startswith("data.json: ")


def test_odd_numbers_and_letters_stay_what_they_are(connection, tmp_path):
    long = "9" * 5000
    text = (
        json.dumps([RETURN])
        .replace('"40"', long)
        .replace("42", "1e400")
        .replace("10,", "NaN,")
        .replace("11}", "12.50}")
    )
    (staged,) = stage_returns(connection, write(tmp_path, text), "t")
    names = ("registered_persons", "actual_persons", "registered_households", "actual_households")
    assert values(connection, staged, *names) == [(1, None, long, "1e400", "NaN", "12.50")]


@pytest.mark.parametrize("strange", ["MN11\\u0000", "MN11\\ud800"])
def test_what_is_no_text_spoils_its_record_only(connection, tmp_path, strange):
    text = "\n".join([json.dumps(RETURN).replace("MN11070101", strange), json.dumps({**RETURN, "remarks": "😀"})])
    (staged,) = stage_returns(connection, write(tmp_path, text), "t")
    assert [row[:2] for row in values(connection, staged, "unit")] == [(1, "unreadable_text"), (2, None)]


def test_fields_that_come_late_are_read_and_those_never_answered_are_empty(connection, tmp_path, monkeypatch):
    monkeypatch.setattr(_records, "ROWS_PER_BATCH", 3)
    returns = [{**RETURN, "_uuid": f"u{number}"} for number in range(10)]
    returns[9]["remarks"] = "late"
    for one in returns:
        del one["actual_households"]
    (staged,) = stage_returns(connection, write(tmp_path, json.dumps(returns)), "t")
    rows = values(connection, staged, "remarks", "actual_households")
    assert rows[8:] == [(9, None, None, None), (10, None, "late", None)]


def test_too_many_different_fields_are_refused(connection, tmp_path):
    text = "\n".join(json.dumps({"_uuid": f"u{number}", f"q{number}": 1}) for number in range(2100))
    with pytest.raises(WrongFileTypeError, match="more than 2000 different fields"):
        stage_returns(connection, write(tmp_path, text), "t")


def test_a_return_that_never_ends_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(_json_stream, "RETURN_CHARACTERS_MAXIMUM", 10_000)
    monkeypatch.setattr(_json_stream, "CHUNK_BYTES", 1000)
    path = write(tmp_path, '[{"_id": "' + "x" * 1_000_000)
    document = JsonReturns(path)
    with pytest.raises(WrongFileTypeError, match="Unterminated string"):
        list(document)
    assert len(document._buffer) < 50_000


def test_nested_repeats_and_deleted_returns_of_odk(connection, tmp_path):
    record = {
        "__id": "uuid:a", "end": "2024-02-10T02:00:00+08:00", "unit": "MN11070101",
        "p": {"registered_persons": 40, "actual_persons": 42, "registered_households": 10, "actual_households": 11},
        "meta": {"instanceID": "uuid:b"}, "__system": {"deletedAt": "2024-02-12T00:00:00Z", "reviewState": "approved"},
        "visits": [{"day": "x", "arrivals": [{"origin": "MN62", "persons": 3}], "__id": "1"}],
    }  # fmt: skip
    baseline, arrivals = stage_returns(connection, write(tmp_path, json.dumps({"value": [record]})), "t")
    assert values(connection, baseline, "instance_id", "review_state") == [(1, "return_deleted", "uuid:a", "approved")]
    assert values(connection, arrivals, "instance_id", "origin") == [(1, None, "uuid:a", "MN62")]
    assert [(one.code, one.value) for one in baseline.findings] == [("sheet_ignored", "visits")]


def test_a_return_of_kobo_keeps_its_first_identifier(connection, tmp_path):
    record = {
        **RETURN,
        "meta/rootUuid": "uuid:first",
        "arrivals": [{"arrivals/origin": "MN62", "arrivals/persons": "2"}],
    }
    baseline, arrivals = stage_returns(connection, write(tmp_path, json.dumps([record])), "t")
    assert values(connection, baseline, "instance_id")[0][2] == "first"
    assert values(connection, arrivals, "instance_id")[0][2] == "first"

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dtm.engine import connect
from enumerations import _csv_files
from enumerations.errors import EnumerationsError, RepeatedColumnError, WrongFileTypeError
from enumerations.returns import stage_returns

HEADER = "instance_id,origin,persons,reason"
SOUND = f"{HEADER}\na,Архангай аймаг,4,work\nb,MN62,5,study\n"
KOBO = json.dumps({"count": 1, "next": None, "results": [{"_id": 1, "_uuid": "u1", "origin": "MN62", "persons": 3}]})


@pytest.fixture(scope="module")
def connection():
    return connect(spatial=False)


def read(connection, staged):
    sources = ", ".join(staged.source(name) or "NULL" for name in ("instance_id", "origin", "persons"))
    return connection.execute(
        f"SELECT record, fault, fault_value, {sources} FROM {staged.relation} ORDER BY record"
    ).fetchall()


def stage(connection, tmp_path, content, name="a.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (staged,) = stage_returns(connection, path, "t")
    return staged


@pytest.mark.parametrize(
    ("letters", "fault"), [(1_048_576, None), (1_048_577, "cell_too_long"), (10_000_000, "cell_too_long")]
)
def test_cells_of_megabytes(connection, tmp_path, letters, fault):
    staged = stage(connection, tmp_path, f"{HEADER}\na,MN62,4,{'x' * letters}\nb,MN62,5,work\n")
    first, second = read(connection, staged)
    assert (first[1], first[3:]) == (fault, ("a", "MN62", "4"))
    assert second == (3, None, None, "b", "MN62", "5")
    kept = connection.execute(f"SELECT max(length({staged.source('reason')})) FROM {staged.relation}").fetchone()
    assert kept == (60 if fault else letters,)


def test_a_quote_that_is_never_closed_is_refused(connection, tmp_path, monkeypatch):
    monkeypatch.setattr(_csv_files, "CELL_CHARACTERS_READ", 100_000)
    with pytest.raises(WrongFileTypeError, match="a quote may never be closed"):
        stage(connection, tmp_path, f'{HEADER}\na,"MN62,4,work\n' + "b,MN62,5,work\n" * 50_000)


def test_titles_above_the_header(connection, tmp_path):
    staged = stage(connection, tmp_path, f"Moves of February,,,\n\n{SOUND}")
    assert [line[0] for line in read(connection, staged)] == [2, 3]


def test_blank_headers_with_values_are_said_and_the_same_header_twice_is_refused(connection, tmp_path):
    staged = stage(connection, tmp_path, "instance_id,,origin,persons,\na,,MN62,4,\nb,9,MN62,4,\n")
    assert [(one.code, one.row_number, one.value) for one in staged.findings] == [("blank_header", 3, "2")]
    with pytest.raises(RepeatedColumnError, match=r"a\.csv: the header has these columns more than once: persons"):
        stage(connection, tmp_path, "instance_id,Persons,origin,persons\na,4,MN62,4\n")


def test_zeros_in_front_stay(connection, tmp_path):
    assert read(connection, stage(connection, tmp_path, f"{HEADER}\n007,0062,04,work\n")) == [
        (2, None, None, "007", "0062", "04")
    ]


@pytest.mark.parametrize("word", ["Total", "GRAND TOTAL", "нийт", "Нийт дүн", "Subtotal"])
def test_sums_among_the_returns_are_set_aside(connection, tmp_path, word):
    staged = stage(connection, tmp_path, f"{SOUND}{word},,9,\nc,{word},9,\nd,Нийтийн гудамж,1,work\n")
    assert [line[:3] for line in read(connection, staged)] == [
        (2, None, None), (3, None, None), (4, "subtotal_row", word), (5, "subtotal_row", word), (6, None, None),
    ]  # fmt: skip


def survives(connection, path, content):
    path.write_bytes(content)
    tables, words = [], path.name
    try:
        tables = stage_returns(connection, path, "t")
    except EnumerationsError as error:
        words = str(error)
    assert path.name in words
    for staged in tables:
        connection.execute(f"SELECT * FROM {staged.relation}").fetchall()


quiet = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
STARTS = [
    b"",
    b"PK\x03\x04",
    b"\x1f\x8b\x08",
    b"{",
    b"[",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    HEADER.encode() + b"\n",
]


@quiet
@given(start=st.sampled_from(STARTS), content=st.binary(max_size=400))
@example(start=b"", content=b"\x80")
@example(start=b"\xff\xfe", content=b"\n\xd8")
def test_random_bytes_are_refused_or_read_and_never_crash(connection, tmp_path, start, content):
    survives(connection, tmp_path / "random.bin", start + content)


@quiet
@given(data=st.data())
@pytest.mark.parametrize(
    "sound",
    [SOUND.encode(), SOUND.encode("utf-16"), SOUND.encode("windows-1251"), gzip.compress(SOUND.encode(), mtime=0),
     KOBO.encode()],
    ids=["utf-8", "utf-16", "windows-1251", "gzip", "kobo"],
)  # fmt: skip
def test_a_damaged_file_is_refused_or_read_and_never_crashes(connection, tmp_path, sound, data):
    body = bytearray(sound)
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] ^= 1 << data.draw(st.integers(0, 7))
    survives(connection, tmp_path / "damaged.csv", bytes(body[: data.draw(st.integers(1, len(body)))]))

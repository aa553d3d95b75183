"""Read the tables a demographer brings, cell by cell, and write one whole or not at all."""

from __future__ import annotations

import pandas as pd
import pytest

from dtm.errors import BadInputError, WrongUseError
from dtm.table_files import read_table_file, refuse_overwriting, table_file_columns, write_table_file
from enumerations.errors import EnumerationsError

TEXT, NUMBERS = {"origin": "from", "destination": "to"}, {"persons": "n"}


def given(tmp_path, content, name="flows.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        "from,to,n,more\n A,B ,10,x\nB,A,2.5,y\n",
        "\ufefffrom;to;n\nA;B;10\nB;A;2.5\n",
        "more\tn\tto\tfrom\nx\t10\tB\tA\ny\t2.5\tA\tB\n",
    ],
)
def test_columns_come_under_our_names_in_the_files_order(tmp_path, content):
    frame = read_table_file(given(tmp_path, content), text=TEXT, numbers=NUMBERS)
    assert frame.to_dict("list") == {"origin": ["A", "B"], "destination": ["B", "A"], "persons": [10.0, 2.5]}


def test_cyrillic_of_an_old_office_program_is_read(tmp_path):
    path = given(tmp_path, "from,to,n\nДархан,Улаанбаатар,3\n".encode("cp1251"))
    assert read_table_file(path, text=TEXT, numbers=NUMBERS)["origin"].tolist() == ["Дархан"]


@pytest.mark.parametrize("name", ["flows.csv", "flows.parquet"])
def test_what_is_written_is_read_again(tmp_path, name):
    frame = pd.DataFrame({"from": ["A", "B"], "to": ["B", "A"], "n": [10.0, 0.1 + 0.2]})
    path = write_table_file(frame, tmp_path / name)
    again = read_table_file(path, text=TEXT, numbers=NUMBERS)
    assert again["persons"].tolist() == frame["n"].tolist()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("A,B,ten", r"column 'n' is no number in row 3 \('ten'\)"),
        ("A,B,inf", "is no number in row 3"),
        ("A,B,-1", r"column 'n' is below 0 in row 3 \('-1'\)"),
        ("A,B,", "column 'n' is empty in row 3"),
        (",B,1", "column 'from' is empty in row 3"),
    ],
)
def test_a_cell_that_cant_be_used_is_named(tmp_path, cells, words):
    with pytest.raises(BadInputError, match=words):
        read_table_file(given(tmp_path, f"from,to,n\nA,B,1\n{cells}\n"), text=TEXT, numbers=NUMBERS)


def test_an_empty_cell_may_be_a_null_and_a_figure_negative_where_that_is_said(tmp_path):
    path = given(tmp_path, "from,to,n\nA,,\nB,A,-2\n")
    frame = read_table_file(path, text=TEXT, numbers=NUMBERS, nullable=("persons", "destination"), signed=("persons",))
    assert frame["persons"].isna().tolist() == [True, False]
    assert frame["persons"].tolist()[1] == -2


def test_missing_columns_are_told_with_those_that_are_there(tmp_path):
    with pytest.raises(BadInputError, match="no column 'to', 'n'; the file has: from, persons"):
        read_table_file(given(tmp_path, "from,persons\nA,1\n"), text=TEXT, numbers=NUMBERS)
    with pytest.raises(WrongUseError, match="'n' is named for two things"):
        read_table_file(given(tmp_path, "n\n1\n"), text={"origin": "n"}, numbers=NUMBERS)


@pytest.mark.parametrize("content", ["", b"\x89PNG0000", b"PAR1broken"])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    with pytest.raises((BadInputError, EnumerationsError)):
        read_table_file(given(tmp_path, content), text=TEXT, numbers=NUMBERS)


def test_codes_that_a_program_kept_as_real_numbers_are_the_codes(tmp_path):
    frame = pd.DataFrame({"from": [11.0, 22.5], "to": [22, 11], "n": [1e-7, 3e18]})
    frame.to_parquet(tmp_path / "flows.parquet")
    told = read_table_file(tmp_path / "flows.parquet", text=TEXT, numbers=NUMBERS)
    assert told.to_dict("list") == {"origin": ["11", "22.5"], "destination": ["22", "11"], "persons": [1e-7, 3e18]}


def test_counts_stay_exact_and_two_columns_of_one_name_are_not_chosen_between(tmp_path):
    path = given(tmp_path, "from,to,n,m,m\nA,B,9007199254740991,1,2\nA,B,9007199254740993,1,2\nA,B,1e300,1,2\n")
    with pytest.raises(BadInputError, match=r"column 'n' is too large for a count in row 3 \('9007199254740993'\), 4"):
        read_table_file(path, text=TEXT, numbers=NUMBERS, counts=("persons",))
    assert read_table_file(path, text=TEXT, numbers=NUMBERS)["persons"].tolist()[2] == 1e300  # a weight may be
    with pytest.raises(BadInputError, match="there are two columns 'm'"):
        read_table_file(path, text=TEXT, numbers={"persons": "m"})


RESERVED = ("file_row_number", "filename", "file_index", "rowid", "record", "c0", "N", "n")


def test_names_that_the_engine_keeps_for_itself_are_names_like_any_other(tmp_path):
    frame = pd.DataFrame({name: [10 * place + row for row in (1, 2)] for place, name in enumerate(RESERVED)})
    folder = tmp_path / "year=2020"  # no column of the table
    folder.mkdir()
    (folder / "x1.parquet").write_bytes(b"PAR1 another file, which the name below fits as a pattern")
    path = folder / "x[1].parquet"
    frame.to_parquet(path)
    assert table_file_columns(path) == list(RESERVED)
    told = read_table_file(path, text={}, numbers={name: name for name in RESERVED})
    assert told.to_dict("list") == frame.astype("float64").to_dict("list")
    frame.assign(rowid=[5, -1]).to_parquet(path)
    with pytest.raises(BadInputError, match=r"column 'rowid' is below 0 in row 3 \('-1'\)"):
        read_table_file(path, text={}, numbers={"x": "rowid"})


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["2,5", "10", "0,125"], [2.5, 10, 0.125]),
        (["1 234", "12\u00a0345\u202f678", "7"], [1234, 12345678, 7]),
        (["1 234,567", "1 234"], [1234.567, 1234]),
        (["1,234,567", "1,234"], [1234567, 1234]),
        (["1,234", "12.5"], [1234, 12.5]),
        (["2,5", "1,234"], [2.5, 1.234]),
        (["1e3", "\u00a05 "], [1000, 5]),
    ],
)
def test_numbers_as_offices_write_them(tmp_path, cells, numbers):
    path = given(tmp_path, "name;n\n" + "".join(f"x;{cell}\n" for cell in cells))
    assert read_table_file(path, text={}, numbers={"n": "n"})["n"].tolist() == numbers


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["7", "1,234"], r"column 'n', row 3: '1,234' may be 1234 or 1.234. Write it without a comma"),
        (["2,5", "1.5"], r"comma before decimals in row 2 \('2,5'\) and none there in row 3 \('1.5'\)"),
        (["2,5", "1,234,567"], "Write all numbers in one way"),
        (["1 23", "5"], r"is no number in row 2 \('1 23'\)"),
        (["1.234.567", "5"], "is no number"),
    ],
)
def test_numbers_that_can_be_read_in_two_ways_are_not_guessed(tmp_path, cells, words):
    path = given(tmp_path, "name;n\n" + "".join(f"x;{cell}\n" for cell in cells))
    with pytest.raises(BadInputError, match=words):
        read_table_file(path, text={}, numbers={"n": "n"})


def test_one_name_in_two_spellings_of_its_letters_is_one(tmp_path):
    apart = "Аи\u0306маг"  # the short i in two parts, as some systems write it
    path = given(tmp_path, f"{apart};n\n{apart};1\n")
    assert read_table_file(path, text={"area": "Аймаг"}, numbers={})["area"].tolist() == ["Аймаг"]


def test_texts_can_be_given_as_categories(tmp_path):
    path = given(tmp_path, "from,to,n\nB,A,1\nA,,2\n")
    frame = read_table_file(path, text=TEXT, numbers={}, nullable=("destination",), coded=("origin", "destination"))
    assert {str(kind) for kind in frame.dtypes} == {"category"}
    assert frame["origin"].tolist() == ["B", "A"]
    assert frame["destination"].isna().tolist() == [False, True]


@pytest.mark.parametrize("word", ["Total", "НИЙТ", "Итого"])
def test_a_sum_among_the_areas_is_named_and_a_word_elsewhere_is_a_word(tmp_path, word):
    path = given(tmp_path, f"from,to,n\nA,B,1\n{word},B,1\n")
    with pytest.raises(
        BadInputError, match=rf"column 'from' has the word for a sum in row 3 \('{word}'\). Leave the row"
    ):
        read_table_file(path, text=TEXT, numbers=NUMBERS, areas=("origin", "destination"))
    assert read_table_file(path, text=TEXT, numbers=NUMBERS)["origin"].tolist() == ["A", word]


def test_a_file_that_is_read_is_not_written_over(tmp_path):
    path = given(tmp_path, "a\n1\n")
    (tmp_path / "link.csv").symlink_to(path)
    (tmp_path / "again.csv").hardlink_to(path)
    for name in ("flows.csv", "link.csv", "again.csv", "../" + tmp_path.name + "/flows.csv"):
        with pytest.raises(WrongUseError, match="is an input of this command"):
            refuse_overwriting(tmp_path / name, None, path)
    refuse_overwriting(tmp_path / "new.csv", None, path, tmp_path / "none.csv")


def test_a_header_alone_is_an_empty_table(tmp_path):
    assert read_table_file(given(tmp_path, "from,to,n\n"), text=TEXT, numbers=NUMBERS).empty


def test_a_file_that_is_not_there_and_places_that_cant_be_written(tmp_path):
    with pytest.raises(BadInputError, match="can't be read"):
        read_table_file(tmp_path / "none.csv", text=TEXT, numbers=NUMBERS)
    frame = pd.DataFrame({"a": [1]})
    for path, words in ((tmp_path / "a.doc", "ends in"), (tmp_path / "no" / "a.csv", "no folder")):
        with pytest.raises(WrongUseError, match=words):
            write_table_file(frame, path)

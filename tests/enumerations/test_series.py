from __future__ import annotations

import csv
import time
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enumerations._series_cells import swapped_digits
from enumerations._series_files import read_figures
from enumerations._series_model import grouped_median
from enumerations._series_rows import heaping_z, is_heaped
from enumerations.errors import (
    EmptyFileError,
    MissingColumnsError,
    UnsafeFileError,
    WrongFiguresError,
    WrongFileTypeError,
)
from enumerations.findings import CATALOGUE
from enumerations.series import SERIES_CODES, Figures, check_series

YEARS = range(2010, 2022)
STEADY = [1000 + 7 * year % 23 for year in range(12)]


def table(**series):
    """Return figures of one field, a list for each place; None for none."""
    rows = [(place, year, value) for place, values in series.items() for year, value in zip(YEARS, values, strict=True)]
    return Figures.from_frame(pd.DataFrame(rows, columns=["k", "p", "v"]), key="k", period="p", values=["v"])


def short(findings):
    return [(one.code, one.key, one.period, one.value, one.suggested) for one in findings]


def changed(values, at, value):
    return [value if number == at else old for number, old in enumerate(values)]


def test_steady_figures_have_no_finding():
    assert check_series(table(a=STEADY, b=[value * 3 for value in STEADY])) == []


@pytest.mark.parametrize("value", [1666, 400, 0])
def test_a_figure_that_leaves_and_comes_back_is_a_spike(value):
    found = check_series(table(a=changed(STEADY, 5, value)))
    assert short(found) == [("series_spike", "a", "2015", str(value), None)]


def test_a_series_that_stays_has_shifted():
    found = check_series(table(a=STEADY[:6] + [value * 2 for value in STEADY[6:]]))
    assert short(found) == [("series_shift", "a", "2016", str(STEADY[6] * 2), None)]


def test_three_low_years_belong_together():
    low = [value // 3 if 4 <= at <= 6 else value for at, value in enumerate(STEADY)]
    found = check_series(table(a=low))
    assert [(one.code, one.period) for one in found] == [("series_spike", str(year)) for year in (2014, 2015, 2016)]


def test_two_digits_swapped_are_told_with_the_figure_meant():
    found = check_series(table(a=[1012, 1030, 1021, 1034, 1027, 1043, 1403, 1052, 1047, 1060, 1055, 1071]))
    assert short(found) == [("digits_swapped", "a", "2016", "1403", "1043")]


@pytest.mark.parametrize(("value", "meant"), [(10130, "1013"), (101, "1010"), (1013000, "1013")])
def test_a_digit_too_many_or_too_few(value, meant):
    found = check_series(table(a=changed(STEADY, 5, value)))
    assert short(found) == [("figure_scale", "a", "2015", str(value), meant)]


def test_what_all_places_saw_is_no_outlier():
    places = {f"p{number}": [value * (number + 1) for value in STEADY] for number in range(8)}
    higher = {name: changed(values, 5, values[5] * 2) for name, values in places.items()}
    assert check_series(table(**higher)) == []
    only = places | {"p3": changed(places["p3"], 5, places["p3"][5] * 2)}
    assert [(one.key, one.period) for one in check_series(table(**only))] == [("p3", "2015")]


def test_counting_noise_of_small_figures_is_allowed():
    assert check_series(table(a=[4, 4, 4, 5, 4, 8, 4, 4, 5, 4, 4, 4])) == []


def test_the_last_figure_is_called_doubtful_not_wrong():
    found = check_series(table(a=changed(STEADY, 11, 1888)))
    assert short(found) == [("series_end", "a", "2021", "1888", None)]


def test_missing_figures_are_not_zero():
    assert check_series(table(a=[None if at in {3, 4} else value for at, value in enumerate(STEADY)])) == []


@pytest.mark.parametrize("length", [1, 2, 3])
def test_short_series_are_not_judged_alone(length):
    frame = pd.DataFrame({"k": "a", "p": range(length), "v": [100, 900, 100][:length]})
    assert check_series(Figures.from_frame(frame, key="k", period="p", values=["v"])) == []


def two_fields(rows):
    return Figures.from_frame(pd.DataFrame(rows, columns=["k", "p", "m", "f"]), key="k", period="p", values=["m", "f"])


ROWS = [("a", year, 5000 + 137 * year % 97, 2000 + 211 * year % 89) for year in YEARS]


def test_a_row_that_repeats_an_earlier_one():
    rows = [*ROWS[:7], ("a", 2017, *ROWS[4][2:]), *ROWS[8:]]
    value = f"{ROWS[4][2]}, {ROWS[4][3]}"
    found = check_series(two_fields(rows))
    assert short(found) == [("repeats_earlier_period", "a", "2017", value, None)]
    assert "2014" in found[0].message_en


def test_a_row_of_another_place():
    others = [("b", year, one * 4 + year % 5, two * 7 + year % 3) for _, year, one, two in ROWS]
    rows = [*ROWS, *others[:7], ("b", 2017, *ROWS[7][2:]), *others[8:]]
    found = check_series(two_fields(rows))
    assert [(one.code, one.key, one.period) for one in found] == [("repeats_other_place", "b", "2017")]


def test_small_or_empty_rows_may_repeat():
    rows = [("a", year, year % 3, 0) for year in YEARS] + [("b", year, 0, 0) for year in YEARS]
    assert [one for one in check_series(two_fields(rows)) if one.code.startswith("repeats")] == []


def test_two_figures_in_each_others_column():
    rows = [*ROWS[:6], ("a", 2016, ROWS[6][3], ROWS[6][2]), *ROWS[7:]]
    found = check_series(two_fields(rows))
    assert [(one.code, one.period, one.field) for one in found] == [("figures_exchanged", "2016", "m, f")]
    assert found[0].suggested == f"{ROWS[6][2]}, {ROWS[6][3]}"


def test_heaping_is_told_for_the_column_or_the_period():
    rng = np.random.default_rng(0)
    counted = pd.DataFrame([(k, p, v) for k in range(50) for p, v in enumerate(rng.integers(1000, 2000, 12))])
    counted.columns = ["k", "p", "v"]
    assert [one for one in check_series(Figures.from_frame(counted, key="k", period="p", values=["v"]))
            if one.code == "heaped_numbers"] == []  # fmt: skip
    rounded = counted.assign(v=counted["v"].where(counted["p"] != 7, counted["v"] // 5 * 5))
    found = check_series(Figures.from_frame(rounded, key="k", period="p", values=["v"]))
    assert [(one.key, one.period, one.value) for one in found if one.code == "heaped_numbers"] == [(None, "7", "100%")]


def test_heaping_needs_enough_figures():
    assert heaping_z(36, 100) == pytest.approx((36 - 20) / 4)
    assert is_heaped(40, 100)
    assert not is_heaped(29, 29)
    assert not is_heaped(35, 100)


def test_swaps_of_a_number():
    assert sorted(swapped_digits(120)) == [(102, True), (210, True)]  # 021 would be written 21
    assert list(swapped_digits(777)) == []


@given(st.integers(1, 10**9))
def test_a_swap_keeps_the_digits_and_can_be_undone(value):
    for new, _adjacent in swapped_digits(value):
        assert sorted(str(new)) == sorted(str(value))
        assert value in {back for back, _ in swapped_digits(new)}


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(-1e6, 1e6) | st.just(float("nan"))), max_size=40))
def test_medians_of_groups_are_those_of_pandas(pairs):
    groups = np.array([group for group, _ in pairs], dtype=np.int64)
    values = np.array([value for _, value in pairs], dtype=float)
    expected = pd.Series(values).groupby(groups).median().reindex(range(5)).to_numpy()
    np.testing.assert_allclose(grouped_median(groups, values, count=5), expected)


@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(random):
    rows = [(k, p, v) for k, values in (("a", changed(STEADY, 5, 1666)), ("b", STEADY)) for p, v in enumerate(values)]
    random.shuffle(rows)
    found = check_series(
        Figures.from_frame(pd.DataFrame(rows, columns=["k", "p", "v"]), key="k", period="p", values=["v"])
    )
    assert short(found) == [("series_spike", "a", "5", "1666", None)]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), st.none() | st.integers(-50, 10**7)), max_size=40))
def test_any_table_is_answered_with_codes_of_the_catalogue(rows):
    frame = pd.DataFrame(rows, columns=["k", "p", "v"]).drop_duplicates(["k", "p"])
    for one in check_series(Figures.from_frame(frame, key="k", period="p", values=["v"])):
        assert one.code in SERIES_CODES
        assert one.code in CATALOGUE
        assert "{" not in one.message_en + one.message_mn


def test_a_large_table_is_quick():
    rng = np.random.default_rng(1)
    figures = np.round(np.exp(rng.normal(6, 1, (10_000, 1)) + rng.normal(0, 0.05, (10_000, 10))))
    frame = pd.DataFrame(
        {"k": np.repeat(np.arange(10_000), 10), "p": np.tile(np.arange(10), 10_000), "v": figures.ravel()}
    )
    start = time.process_time()  # its own time: a loaded machine is no reason to fail
    check_series(Figures.from_frame(frame, key="k", period="p", values=["v"]))
    assert time.process_time() - start < 10


def write(path, rows, encoding="utf-8", delimiter=","):
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


@pytest.mark.parametrize(("encoding", "delimiter"), [("utf-8-sig", ";"), ("windows-1251", ","), ("utf-16", "\t")])
def test_files_are_read_whatever_their_encoding(tmp_path, encoding, delimiter):
    rows = [
        ["Аймаг", "он", "тоо"],
        ["Ховд", 2021, "1 234"],
        ["Ховд", 2020, ""],
        ["Увс", 2020, "-"],
        [],
        ["Увс", 2021, 5],
    ]
    path = write(tmp_path / "f.csv", rows, encoding, delimiter)
    figures = read_figures(path, keys=["Аймаг"], period="он", values=["тоо"])
    assert (figures.keys, figures.periods) == (("Увс", "Ховд"), ("2020", "2021"))
    np.testing.assert_array_equal(figures.told.ravel(), [np.nan, 5, np.nan, 1234])


def test_a_workbook_and_a_place_of_two_columns(tmp_path):
    path = tmp_path / "f.xlsx"
    pd.DataFrame({"d": ["x", "x"], "n": ["01", "02"], "y": [2020, 2020], "v": [3, 4]}).to_excel(path, index=False)
    figures = read_figures(path, keys=["d", "n"], period="y", values=["v"])
    assert figures.keys == ("x / 01", "x / 02")


GOOD = [["k", "p", "v"], ["a", 2020, 1], ["a", 2021, 2]]


@pytest.mark.parametrize(
    ("rows", "error", "words"),
    [
        ([["k", "v"], ["a", 1]], MissingColumnsError, "no column 'p'; the file has: k, v"),
        ([*GOOD, ["a", 2022, "many"]], WrongFiguresError, "row 4: 'many'"),
        ([*GOOD, ["a", 2022, "1e999"]], WrongFiguresError, "row 4"),
        ([*GOOD, ["a", 2021, 3]], WrongFiguresError, "'a', '2021' in row 4"),
        ([*GOOD, ["", 2021, 3]], WrongFiguresError, "column 'k' is empty in row 4"),
        (GOOD[:1], EmptyFileError, "no row"),
        ([], EmptyFileError, "empty"),
    ],
)
def test_bad_tables_are_refused_with_their_place(tmp_path, rows, error, words):
    path = write(tmp_path / "f.csv", rows)
    with pytest.raises(error) as caught:
        read_figures(path, keys=["k"], period="p", values=["v"])
    assert words in str(caught.value)
    assert "f.csv" in str(caught.value)


@pytest.mark.parametrize("content", [b"%PDF-1.4", b"PK\x03\x04broken", b"\x89PNG\r\n"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "f.csv").write_bytes(content)
    with pytest.raises(WrongFileTypeError):
        read_figures(tmp_path / "f.csv", keys=["k"], period="p", values=["v"])
    with pytest.raises(WrongFileTypeError):
        read_figures(tmp_path / "none.csv", keys=["k"], period="p", values=["v"])


def test_a_workbook_that_inflates_without_end_is_refused(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (20 * 1024**2))
    with pytest.raises(UnsafeFileError):
        read_figures(path, keys=["k"], period="p", values=["v"])


def test_a_column_can_not_be_place_and_figure(tmp_path):
    with pytest.raises(WrongFiguresError, match="named twice"):
        read_figures(write(tmp_path / "f.csv", GOOD), keys=["k"], period="p", values=["k"])

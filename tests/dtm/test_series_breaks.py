"""Hold the breaks of series to the days they are about, and exports to naming them."""

from __future__ import annotations

import datetime as dt
import json
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtm.errors import BadInputError, WrongUseError
from dtm.exports import export, export_table, product_table
from dtm.series_breaks import (
    BREAKS_FILE,
    SERIES,
    SeriesBreak,
    breaks_between,
    breaks_of,
    breaks_table,
    mark_breaks,
    read_series_breaks,
)
from tests.dtm.release_factory import ROUNDS, build_release

DAY = dt.date
HEADER = "name,series,pcode,from_on,to_on,label_en,label_mn,what_en,what_mn,reference\n"


JULY = (DAY(2024, 7, 1), DAY(2024, 7, 31))


def made(name="flood", series="registered", first=JULY[0], last=JULY[1], *, pcode="MN"):
    return SeriesBreak(name, series, pcode, first, last, "Flood", "Үер", "Offices closed.", "Газрууд хаалттай.", "City")


def test_the_citys_stop_of_registration_is_known():
    by_series = {one.series: one for one in read_series_breaks()}
    assert set(by_series) == {"registered", "registration"}
    for one in by_series.values():
        assert (one.pcode, one.from_on, one.to_on) == ("MN11", DAY(2017, 1, 9), DAY(2019, 12, 31))
        for text in (one.label_mn, one.what_mn):
            assert re.search(r"[А-Яа-яӨөҮү]{3}", text)
        for text in (one.label_en, one.what_en):
            assert not re.search(r"[А-Яа-яӨөҮү]", text)
        assert "IOM 2021" in one.reference


@pytest.mark.parametrize(
    ("series", "first", "last", "found"),
    [
        ("registered", DAY(2017, 1, 8), DAY(2017, 1, 8), 0),
        ("registered", DAY(2017, 1, 9), DAY(2017, 1, 9), 1),
        ("registration", DAY(2019, 12, 31), DAY(2019, 12, 31), 1),
        ("registration", DAY(2020, 1, 1), DAY(2020, 12, 31), 0),
        ("registered", DAY(2016, 6, 1), DAY(2021, 6, 1), 1),  # a comparison over it
        ("registered", None, None, 1),
        ("actual", DAY(2018, 1, 1), DAY(2018, 1, 1), 0),
    ],
)
def test_breaks_between_two_days(series, first, last, found):
    assert len(breaks_between(series, first, last)) == found


def test_a_break_without_an_end_and_one_of_all_series():
    ongoing = made(last=None, series="all")
    assert breaks_between("actual", DAY(2030, 1, 1), None, breaks=[ongoing]) == (ongoing,)
    assert breaks_between("actual", None, DAY(2024, 6, 30), breaks=[ongoing]) == ()
    with pytest.raises(WrongUseError, match="before the first"):
        breaks_between("all", DAY(2024, 1, 2), DAY(2024, 1, 1))


def test_rows_are_marked_by_day_and_by_period():
    frame = pd.DataFrame(
        {"day": [DAY(2016, 12, 31), DAY(2018, 5, 1), DAY(2021, 1, 1), None], "n": range(4)}, index=list("abcd")
    )
    marked = mark_breaks(frame, day="day", series="registration")
    assert list(marked["series_break"].fillna("")) == ["", "registration-stop", "", ""]
    assert "series_break" not in frame
    crossing = mark_breaks(frame.assign(before=DAY(2016, 1, 1)), day="day", since="before", series="registration")
    assert list(crossing["series_break"].fillna("")) == ["", "registration-stop", "registration-stop", ""]
    both = [*read_series_breaks(), made("reform", "all", DAY(2018, 1, 1), None)]
    marked = mark_breaks(frame, day="day", series="registration", breaks=both)
    assert list(marked["series_break"].fillna("")) == ["", "registration-stop; reform", "reform", ""]


def test_a_table_without_rows_gets_the_column():
    empty = pd.DataFrame({"day": pd.Series(dtype="datetime64[s]")})
    assert list(mark_breaks(empty, day="day", series="all")) == ["day", "series_break"]
    with pytest.raises(WrongUseError, match="no column 'when'"):
        mark_breaks(empty, day="when", series="all")
    with pytest.raises(WrongUseError, match="first and last day"):
        mark_breaks(pd.DataFrame({"year": [2017]}), day="year", series="all")


days = st.dates(DAY(2015, 1, 1), DAY(2022, 12, 31))


@pytest.mark.parametrize(
    ("pcode", "reach"),
    [
        ("MN11", "whole"), ("MN1107", "whole"), ("MN110701", "whole"),  # the city and what lies in it
        ("MN", "part"), ("ulaanbaatar", "whole"),  # the country holds it; the region of the capital is the city
        ("MN65", ""), ("MN6501", ""), ("central", ""), ("abroad", ""), ("unknown", ""), ("total", ""),
    ],
)  # fmt: skip
def test_a_break_is_of_its_area_and_of_larger_ones_in_part(pcode, reach):
    stop = read_series_breaks()[0]
    assert stop.reach(pcode) == reach
    assert stop.touches("registered", pcode) == bool(reach)
    found = breaks_between("registered", DAY(2018, 1, 1), DAY(2018, 1, 1), pcode=pcode)
    assert len(found) == bool(reach)


def test_rows_are_marked_by_their_area_and_by_either_end_of_a_move():
    codes = ["MN11", "MN1107", "MN65", "MN", "central", None]
    frame = pd.DataFrame({"day": [DAY(2018, 5, 1)] * len(codes), "pcode": codes})
    marked = mark_breaks(frame, day="day", series="registration", areas=["pcode"])["series_break"]
    whole, part = "registration-stop", "registration-stop (MN11)"
    assert list(marked.fillna("")) == [whole, whole, "", part, "", part]  # without an area: all areas together
    ends = pd.DataFrame(
        {
            "day": DAY(2018, 5, 1),
            "origin": ["MN65", "MN65", "MN1107", "total", "abroad"],
            "destination": ["MN1101", "MN41", "abroad", "MN65", "unknown"],
        }
    )
    marked = mark_breaks(ends, day="day", series="registration", areas=["origin", "destination"])["series_break"]
    assert list(marked.fillna("")) == [whole, "", whole, "", part]
    everywhere = [made("law", "all", DAY(2018, 1, 1), None)]
    marked = mark_breaks(frame, day="day", series="registration", areas=["pcode"], breaks=everywhere)["series_break"]
    assert set(marked) == {"law"}  # of the country: no area is only in part
    with pytest.raises(WrongUseError, match="no column 'where'"):
        mark_breaks(frame, day="day", series="registration", areas=["where"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(SERIES), days, st.none() | days), max_size=4), days, days)
def test_marking_a_row_says_what_lies_between_its_days(drawn, one_day, other_day):
    breaks = [
        made(f"b{number}", series, first, None if last is None else max(first, last))
        for number, (series, first, last) in enumerate(drawn)
    ]
    first, last = sorted((one_day, other_day))
    frame = pd.DataFrame({"day": [last], "since": [first]})
    marked = mark_breaks(frame, day="day", since="since", series="registered", breaks=breaks)["series_break"].iloc[0]
    touching = {one.name for one in breaks_between("registered", first, last, breaks=breaks)}
    assert (set() if pd.isna(marked) else set(marked.split("; "))) == touching
    assert breaks_of(breaks_table(breaks)) == tuple(breaks)


def test_a_workspace_adds_its_own(tmp_path):
    assert read_series_breaks(tmp_path) == read_series_breaks()
    row = "flood-2023,registration,MN1107,2023-07-05,,Flood,Үер,Offices were closed.,Газрууд хаалттай.,City order\n"
    (tmp_path / BREAKS_FILE).write_text("\ufeff" + HEADER + row + ",,,,,,,,,\n", encoding="utf-8")
    found = read_series_breaks(tmp_path)
    assert [(one.name, one.pcode) for one in found] == [("registration-stop", "MN11")] * 2 + [("flood-2023", "MN1107")]


def test_a_file_without_areas_is_about_the_whole_country(tmp_path):
    row = "law,all,2023-07-05,,Law,Хууль,A new law.,Шинэ хууль.,Parliament\n"
    (tmp_path / BREAKS_FILE).write_text(HEADER.replace("pcode,", "") + row, encoding="utf-8")
    assert read_series_breaks(tmp_path)[-1].pcode == "MN"
    same = "registration-stop,registered,MN65,2017-01-09,,a,б,c,d,e\n"  # elsewhere, so it may have the same name
    (tmp_path / BREAKS_FILE).write_text(HEADER + same, encoding="utf-8")
    assert len(read_series_breaks(tmp_path)) == 3


def test_rows_that_can_not_be_used_are_all_named(tmp_path):
    rows = (
        "Flood!,stock,Ulaanbaatar,2023-07-05,2023-07-01,Flood,Үер,x,y,z\n"
        "late,all,,5 July,,Flood,,x,y,z\n"
        "registration-stop,registered,MN11,2017-01-09,,a,б,c,d,e\n"
        "commas,all,MN,2023-07-05,,a,б,one, two,d,e\n"
    )
    (tmp_path / BREAKS_FILE).write_text(HEADER + rows, encoding="utf-8")
    with pytest.raises(BadInputError) as refused:
        read_series_breaks(tmp_path)
    for part in (
        f"{tmp_path / BREAKS_FILE}: row 2, name: 'Flood!'", "row 2, series: 'stock' is none of registered",
        "row 2, pcode: 'Ulaanbaatar' is not a P-code",
        "row 2, to_on: 2023-07-01 is before 2023-07-05", "row 3, label_mn: empty", "row 3, from_on: '5 July'",
        "row 4, name: 'registration-stop' stands already", "row 5, more cells",
    ):  # fmt: skip
        assert part in str(refused.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"name,series\nx,all\n", "no column from_on, to_on"),
        (b"\xff\xfe\x00", "can't be read"),
        (b"", "no column name"),
        (HEADER.encode() + b'"never closed', "not a CSV file"),
    ],
)
def test_a_file_that_is_no_list_of_breaks_is_refused(tmp_path, content, told):
    (tmp_path / BREAKS_FILE).write_bytes(content)
    with pytest.raises(BadInputError, match=told):
        read_series_breaks(tmp_path)


def release_with_breaks(folder, *, year, breaks=None, **rows):
    """Make a release with its second round in October of a year; the first stays in April 2024."""
    second = (2, "Test operation", DAY(year, 10, 1), DAY(year, 10, 31), DAY(year, 10, 31), 184, "ub", 1)
    table = breaks_table(breaks or read_series_breaks())
    as_rows = [tuple(None if pd.isna(cell) else cell for cell in row) for row in table.itertuples(index=False)]
    return build_release(folder, rows={"round": [ROUNDS[0], second], "series_break": as_rows, **rows})


STOCKS = [
    (2, 3, "MN110701", category, "persons", "total", "total", 100, "published", "observed")
    for category in ("registered", "registered_absent", "unregistered", "actual")
]
INDICATORS = [
    (2, 3, "MN110701", name, 5.0, "pct", "published", None)
    for name in ("registration_gap_persons", "unregistered_share_pct", "absent_share_pct",
                 "registered_per_actual_pct", "change_persons", "sex_ratio")
]  # fmt: skip


def test_exports_of_registered_people_name_the_break(tmp_path):
    release = release_with_breaks(tmp_path, year=2018, stock=STOCKS, indicator=INDICATORS)
    stocks = product_table(release, "stocks").frame.set_index("category")["series_break"]
    assert set(stocks.drop("actual")) == {"registration-stop"}
    assert pd.isna(stocks["actual"])
    indicators = product_table(release, "indicators").frame.set_index("indicator")["series_break"]
    assert set(indicators.drop(["change_persons", "sex_ratio"])) == {"registration-stop"}
    assert indicators[["change_persons", "sex_ratio"]].isna().all()


def test_carried_and_monthly_stocks_name_it_by_their_own_day(tmp_path):
    carried = [
        (9, DAY(2018, 6, 1), "old", "area", 3, "MN110701", category, 90, 0.1, None, "published", "carried")
        for category in ("registered", "actual")
    ]
    months = [
        (3, "MN110701", "registered", day, 90.0, "published", "interpolated", None)
        for day in (DAY(2019, 12, 1), DAY(2020, 1, 1))
    ]
    release = release_with_breaks(tmp_path, year=2024, carried=carried, stock_month=months)
    found = product_table(release, "carried").frame.set_index("category")["series_break"]
    assert found["registered"] == "registration-stop"
    assert pd.isna(found["actual"])
    found = product_table(release, "monthly").frame.sort_values("day")["series_break"]
    assert found.fillna("").tolist() == ["registration-stop", ""]


def test_a_comparison_and_a_window_cross_a_break(tmp_path):
    breaks = [made("boundaries", "all", DAY(2024, 6, 1), DAY(2024, 6, 30)), made("offices", "registration")]
    release = release_with_breaks(tmp_path, year=2024, breaks=breaks, indicator=INDICATORS, flow_item=[
        (2, "arrivals", 3, "MN110701", "in", breakdown, item, "persons", 30, "published", "observed")
        for breakdown, item in (("sex", "male"), ("registered", "yes"))
    ])  # fmt: skip
    indicators = product_table(release, "indicators").frame.set_index("indicator")["series_break"]
    assert indicators["change_persons"] == "boundaries"
    assert indicators.drop("change_persons").isna().all()
    assert set(product_table(release, "flows").frame["series_break"]) == {"boundaries"}  # 1 May to 31 October
    out = export_table(release.table("flow_item"), format="csv", out=tmp_path / "items.csv", release=release)
    items = pd.read_csv(out).set_index("breakdown")["series_break"]
    assert dict(items) == {"sex": "boundaries", "registered": "boundaries; offices"}


@pytest.mark.parametrize(("language", "word"), [("en", "break in the series"), ("mn", "тасалдлын")])
def test_the_column_is_explained_beside_the_file(tmp_path, language, word):
    release = release_with_breaks(tmp_path, year=2024)
    out = export(release, "stocks", format="csv", out=tmp_path / "stocks.csv", language=language)
    beside = json.loads(out.with_name("stocks.csv.manifest.json").read_text(encoding="utf-8"))
    assert word in beside["columns"]["series_break"]["meaning"]
    assert pd.read_csv(out)["series_break"].isna().all()


@pytest.mark.realdata
def test_registered_arrivals_of_the_city_carry_the_break(realdata):
    table = pd.read_csv(realdata / "mn-nso" / "nso_internal_migration_by_aimag_2000_2025.csv")
    city = table[table["region"] == "Ulaanbaatar"].sort_values("year")
    years = city.assign(
        first=[DAY(year, 1, 1) for year in city["year"]], last=[DAY(year, 12, 31) for year in city["year"]]
    )
    marked = mark_breaks(years, day="last", since="first", series="registration")
    broken = marked[marked["series_break"].notna()]
    assert dict(zip(broken["year"], broken["incoming"], strict=True)) == {2017: 10_335, 2018: 6_568, 2019: 12_373}
    around = marked[marked["year"].isin([2016, 2020])]["incoming"]
    assert around.min() > 1.5 * broken["incoming"].max()

"""Carry the people of the 152 khoroos to the 204 of today, by land and by buildings, and hold the page to it."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from geodata.areas import read_areas
from geodata.crosswalk import AreaWeights, build_crosswalk
from geodata.pcodes import match_name
from tests.project._tree import ROOT

pytestmark = pytest.mark.realdata

PEOPLE = 1_314_486


@pytest.fixture(scope="module")
def city(realdata):
    """Return the people of the 152 khoroos, and the crosswalks by land and by buildings."""
    old = read_areas(
        realdata / "ub-khoroo-152-population" / "ub_khoroo_152_population.geojson", level=3, repair=True
    ).areas
    new = read_areas(realdata / "ub-khoroo-204" / "ub_khoroo_204_election.geojson", level=3).areas
    counts = pd.read_csv(realdata / "ub-ebarilga" / "ub_khoroo_counts.csv")
    district = counts["district"].map(lambda name: match_name(name, parent="MN11", level=2))
    codes = district + counts["khoroo"].map("{:02d}".format)  # the file's own codes are wrong for one khoroo
    buildings = pd.Series(counts["buildings"].to_numpy(), index=codes)
    assert set(buildings.index) == set(new["pcode"])
    people = old.set_index("pcode")["declared_population_persons"]
    return (
        people,
        build_crosswalk(old, new),
        build_crosswalk(old, new, weights=AreaWeights(buildings, name="buildings")),
    )


@pytest.fixture(scope="module")
def carried(city):
    """Return the people of the 204 khoroos by land and by buildings."""
    people, *crosswalks = city
    done = [crosswalk.carry(people) for crosswalk in crosswalks]
    return pd.DataFrame(
        {n: one.table.set_index("pcode")["value"] for n, one in zip(("land", "buildings"), done, strict=True)}
    )


@pytest.fixture(scope="module")
def page():
    """Return the section of the page on validation."""
    text = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    return text.split("## The 152 khoroos carried to the 204")[1].split("\n## ")[0]


def numbers(cells):
    return [int(cell.replace(",", "").replace("−", "-")) for cell in cells]


def rows_of(page, start):
    """Return the cells of the table rows that begin like this."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    return {row[0]: row[1:] for row in rows if re.match(start, row[0])}


def test_nobody_is_lost_on_either_way(city, carried):
    people, *crosswalks = city
    assert people.sum() == PEOPLE
    for crosswalk, column in zip(crosswalks, carried, strict=True):
        there = crosswalk.carry(people)
        assert there.total_from == there.total_to == PEOPLE
        assert (there.withheld, there.uncovered) == (0, 0)
        assert carried[column].sum() == PEOPLE
        assert crosswalk.inverse().carry(carried[column]).total_to == PEOPLE
        fractions = crosswalk.carry(people.astype(float) / 3)
        assert fractions.total_to == pytest.approx(PEOPLE / 3, rel=1e-12)
        assert not crosswalk.table["method"].eq("area_fallback").any()


def test_what_became_of_each_khoroo_is_what_the_page_says(city, page):
    report = city[1].classify()
    counts = report["class"].value_counts().to_dict()
    assert counts == {"same": 75, "split": 42, "moved": 35, "new": 2}
    told = {name: int(cells[0]) for name, cells in rows_of(page, "`(same|split|moved|new|merged|gone)`").items()}
    assert told == {f"`{name}`": counts.get(name, 0) for name in ("same", "split", "moved", "merged", "gone", "new")}
    # the figures that stand beside the file of the 152, found there by other code
    assert (report["parts"] >= 2).sum() == 63
    assert (report["same_code_share"] > 0.95).sum() == 87
    assert (report["same_code_share"] < 0.5).sum() == report["only_code"].sum() == 31
    assert ((report["parts"] >= 2) & (report["class"] == "split")).sum() == 42
    assert "63 of the 152" in page
    assert "87" in page
    assert "31" in page
    assert report.loc[report["class"] == "new", "to_pcode"].tolist() == ["MN111029", "MN111637"]


def test_land_outside_and_slivers_are_what_the_page_says(city, page):
    crosswalk = city[1]
    assert (len(crosswalk.table), crosswalk.slivers) == (318, 721)
    assert crosswalk.sliver_km2 == pytest.approx(6.01, abs=0.005)
    assert "318 pieces" in page
    assert "721 slivers with 6.01 km²" in page
    uncovered = crosswalk.uncovered.set_index("pcode")["uncovered_share"]
    assert uncovered["MN111915"] == pytest.approx(0.918, abs=5e-4)
    assert uncovered["MN111640"] == pytest.approx(0.374, abs=5e-4)
    assert "91.8 %" in page
    assert "37.4 %" in page
    estimated = [round(100 * one.carry(city[0]).estimated_share, 1) for one in city[1:]]
    assert estimated == [67.1, 67.1]
    assert "67.1 %" in page


def test_districts_by_land_and_by_buildings_are_what_the_page_says(city, carried, page):
    people = city[0]
    district = carried.groupby(carried.index.str[:6]).sum().astype(int)
    told = people.groupby(people.index.str[:6]).sum().astype(int)
    expected = {
        code: [told[code], row.land, row.buildings, row.buildings - row.land]
        for code, row in zip(district.index, district.itertuples(), strict=True)
    }
    found = {code: numbers(cells[1:]) for code, cells in rows_of(page, r"MN11\d\d$").items()}
    assert found == expected
    assert max(abs(land - old) / old for old, land, _, _ in found.values()) == pytest.approx(0.0302, abs=5e-5)
    assert "3.0 %" in page


def test_khoroos_where_land_and_buildings_differ_most_are_what_the_page_says(carried, page):
    difference = (carried["buildings"] - carried["land"]).astype(int)
    largest = difference.abs().sort_values(ascending=False, kind="stable").index[:6]
    found = {code: numbers(cells) for code, cells in rows_of(page, r"MN11\d{4}$").items()}
    assert found == {code: [*carried.loc[code].astype(int), difference[code]] for code in largest}
    moved = int(difference.abs().sum()) // 2
    assert f"{moved:,}" in page
    assert round(100 * moved / PEOPLE, 1) == 10.2


def test_the_way_there_and_back_is_what_the_page_says(city, carried, page):
    people, *crosswalks = city
    for crosswalk, column, words in zip(crosswalks, carried, ("50,063 persons (3.8 %)", "28,687 (2.2 %)"), strict=True):
        back = crosswalk.inverse().carry(carried[column]).table.set_index("pcode")["value"]
        elsewhere = int((back - people).abs().sum()) // 2
        assert words.startswith(f"{elsewhere:,}")
        assert f"({100 * elsewhere / PEOPLE:.1f} %)" in words
        assert words in page

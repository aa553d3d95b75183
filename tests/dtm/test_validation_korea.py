"""Compute every figure of the validation of indices anew, from the real tables of Korea and Mongolia."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from dtm.migration_indices import area_indicators, build_margins, build_systems, system_indices
from tests.project._tree import ROOT

pytestmark = pytest.mark.realdata

PAGE = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
YEARS = range(2012, 2021)
OURS = "| year | movers | population | CMI % | k | MEI | ANMR % |"
PUBLISHED = "| year | movers | population | CMI % | k | MEI | ANMR |"
CONNECTIVITY = "| index of migest |"
MONGOLIA = "| year | arrivals | departures |"


def table_of(page: str, head: str) -> pd.DataFrame:
    """Return the table of the page whose first line begins like that, as text."""
    lines = page[page.index(head) :].split("\n\n", maxsplit=1)[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if not line.startswith("| ---")]
    return pd.DataFrame(cells[1:], columns=cells[0]).set_index(cells[0][0])


@pytest.fixture(scope="module")
def korea(realdata):
    table = pd.read_csv(realdata / "od-korea" / "korea_gravity.csv")
    moves = table.rename(
        columns={
            "orig": "origin",
            "dest": "destination",
            "flow": "persons",
            "year": "period",
            "dist_cent": "distance_km",
        }
    )
    people = moves[["destination", "period", "dest_pop"]].drop_duplicates()
    people = people.rename(columns={"destination": "area"}).assign(persons=lambda frame: frame["dest_pop"] * 1e6)
    systems = {int(system.period): system for system in build_systems(moves, people)}
    return systems, people.pivot_table(index="area", columns="period", values="persons")


def line_of(found):
    """Return the row of the page's table for the indices of a year."""
    formats = {
        "movers": ",.0f", "population": ",.0f", "crude_migration_intensity_pct": ".2f", "courgeau_k": ".3f",
        "effectiveness_mei": ".2f", "anmr_pct": ".6f", "connectivity": ".0f", "inequality": ".3f",
        "inequality_independence": ".3f", "gini_total": ".3f", "gini_in": ".3f", "gini_out": ".3f", "acv": ".2f",
        "mean_distance_km": ".0f", "median_distance_km": ".1f", "distance_decay": ".3f", "preference": ".0f",
        "velocity": ".6f",
    }  # fmt: skip
    found = found | {"acv": found["acv_in"] + found["acv_out"]}
    return [format(found[name], how) for name, how in formats.items()]


def test_the_indices_of_korea_are_those_of_the_page(korea):
    told = table_of(PAGE, OURS)
    assert list(told.index) == [str(year) for year in YEARS]
    for year, system in korea[0].items():
        found, notes = system_indices(system)
        assert notes == {}
        assert line_of(found) == told.loc[str(year)].tolist(), year


def test_what_migest_publishes_is_met(korea):
    told = table_of(PAGE, PUBLISHED)
    names = {
        "movers": "movers", "population": "population", "CMI %": "crude_migration_intensity_pct", "k": "courgeau_k",
        "MEI": "effectiveness_mei", "preference": "preference", "mean km": "mean_distance_km",
        "decay": "distance_decay",
    }  # fmt: skip
    differing = set()
    for year, system in korea[0].items():
        found = system_indices(system)[0]
        printed = told.loc[str(year)]
        for column, name in names.items():
            decimals = len(printed[column].partition(".")[2])
            assert format(found[name], f".{decimals}f") == printed[column], (year, column)
        assert format(found["anmr_pct"] * 1e6, ".0f") == printed["ANMR"]  # of populations in millions
        assert format(found["velocity"] * 1e6, ".0f") == printed["velocity"]
        if format(found["median_distance_km"], ".1f") != printed["median km"]:
            differing.add(year)
        reached = [interpolated_median(system, seed=seed) for seed in range(40)]
        assert min(reached) - 0.05 <= float(printed["median km"]) <= max(reached) + 0.05
    assert differing == {2012, 2017, 2018, 2019, 2020}
    assert "**Median distance** in 2012 and 2017-2020." in PAGE


def interpolated_median(system, *, seed):
    """Return the weighted median of R's matrixStats, which interpolates between the middles of the weights."""
    mixed = np.random.default_rng(seed).permutation(len(system.persons))  # it depends on the order of equal distances
    order = mixed[np.argsort(system.distance_km[mixed], kind="stable")]
    weights = system.persons[order]
    return np.interp(weights.sum() / 2, np.cumsum(weights) - weights / 2, system.distance_km[order])


def test_the_connectivity_of_2020_as_migest_publishes_it(korea):
    system = korea[0][2020]
    found = system_indices(system)[0]
    values = {
        "connectivity": found["connectivity"],
        "inequality_equal": found["inequality"],
        "inequality_sim": found["inequality_independence"],
        "gini_total": found["gini_total"],
        "gini_orig_standardized": found["gini_rows"] / found["gini_total_uncorrected"],
        "gini_dest_standardized": found["gini_columns"] / found["gini_total_uncorrected"],
        "mwg_orig": found["mwg_orig"],
        "mwg_dest": found["mwg_dest"],
        "mwg_mean": (found["mwg_orig"] + found["mwg_dest"]) / 2,
        "acv": found["acv_in"] + found["acv_out"],
    }
    told = table_of(PAGE, CONNECTIVITY)
    assert list(told.index) == list(values)
    for name, value in values.items():
        decimals = len(told.loc[name, "published"].partition(".")[2])
        assert format(value, f".{decimals}f") == told.loc[name, "published"] == told.loc[name, "ours"], name


def test_origin_and_destination_of_korea_seem_to_be_exchanged(korea):
    systems, people = korea
    net = pd.DataFrame(
        {year: area_indicators(system).set_index("area")["net_persons"] for year, system in systems.items()}
    )
    assert net.loc["Seoul", 2012] == 103_647
    assert net.loc["Sejong", 2012] == -17_493
    change = people.diff(axis=1).shift(-1, axis=1)
    assert (change.loc["Seoul"].dropna() < 0).all()
    assert (change.loc["Sejong"].dropna() > 0).all()
    both = pd.DataFrame({"net": net.to_numpy().ravel(), "change": change[net.columns].to_numpy().ravel()}).dropna()
    opposite = int((both["net"] * both["change"] < 0).sum())
    assert (len(both), opposite) == (136, 121)
    assert format(both["net"].corr(both["change"]), ".2f") == "-0.89"
    assert "136 region-years" in PAGE
    assert "opposite signs in 121, and their correlation is -0.89" in " ".join(PAGE.split())


def test_the_22_aimags_are_those_of_the_page(realdata):
    folder = realdata / "mn-nso"
    table = pd.read_csv(folder / "nso_internal_migration_by_aimag_2000_2025.csv")
    people = pd.read_csv(folder / "nso_mid_year_population_partial_2010_2025.csv")
    country = people[people["region"] == "Total"].set_index("year")["mid_year_population"]
    told = table_of(PAGE, MONGOLIA)
    assert list(told.index) == [str(year) for year in range(2000, 2026)]
    registered = table.rename(
        columns={"region": "area", "incoming": "in_persons", "outgoing": "out_persons", "year": "period"}
    )
    for margins in build_margins(registered):
        found, _ = system_indices(margins)
        areas = area_indicators(margins).sort_values("net_persons")
        lost, gained = areas.iloc[0], areas.iloc[-1]
        city = areas.loc[areas["area"] == "Ulaanbaatar", "net_persons"].iloc[0]
        intensity = 100 * found["movers"] / country.get(int(margins.period), math.nan)
        expected = [
            f"{margins.arrived_persons.sum():,.0f}", f"{margins.left_persons.sum():,.0f}",
            f"{margins.balance_persons:,.0f}", str((areas["net_persons"] > 0).sum()),
            f"{gained['area']} {gained['net_persons']:,.0f}", f"{lost['area']} {lost['net_persons']:,.0f}",
            f"{city:,.0f}", f"{found['effectiveness_mei']:.2f}",
            *(("-", "-") if math.isnan(intensity) else (f"{intensity:.2f}", f"{intensity / math.log(22**2):.3f}")),
        ]  # fmt: skip
        assert told.loc[margins.period].tolist() == expected, margins.period


def test_what_the_page_says_of_the_22_aimags(realdata):
    told = table_of(PAGE, MONGOLIA)
    balance = told["difference"].str.replace(",", "").astype(int)
    assert (balance.loc["2020":] == 0).all()
    assert (balance.loc[:"2019"] != 0).all()
    assert (balance.idxmin(), balance.min(), balance.idxmax(), balance.max()) == ("2001", -14_880, "2003", 9_270)
    city = told["Ulaanbaatar"].str.replace(",", "").astype(int)
    assert list(city.index[city < 0]) == ["2017"]
    table = pd.read_csv(realdata / "mn-nso" / "nso_internal_migration_by_aimag_2000_2025.csv")
    arrivals = table[table["region"] == "Ulaanbaatar"].set_index("year")["incoming"]
    assert arrivals.loc[2016:2020].tolist() == [25_196, 10_335, 6_568, 12_373, 39_515]
    gaining = table[table["incoming"] > table["outgoing"]].groupby("year")["region"].agg(set)
    assert len(gaining[2017]) == 16
    assert "Ulaanbaatar" not in gaining[2017]
    assert len(gaining[2018]) == 20
    assert gaining[2020] == gaining[2021] == {"Ulaanbaatar"}
    assert gaining[2022] == gaining[2023] == {"Ulaanbaatar", "Umnugovi"}
    assert gaining[2024] == gaining[2025] == {"Ulaanbaatar", "Umnugovi", "Orkhon", "Darkhan-Uul"}

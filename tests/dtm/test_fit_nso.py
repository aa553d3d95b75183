"""Fit the aimags to the statistics office's margins, try the method where flows are known, and hold the page."""

from __future__ import annotations

from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from dtm.cli import main
from dtm.distances import pair_distances
from dtm.errors import MarginsDisagreeError
from dtm.fitting import compare_tables, fit_log_linear, fit_margins
from tests.project._tree import ROOT

pytestmark = pytest.mark.realdata
DECAY = -1
"""Power of the distance in the seed of the aimags, assumed; Korea's estimates lie between -0.84 and -0.92."""
BALANCED_YEARS = range(2020, 2026)
EQUAL_AREA = 6933


def page_rows(heading):
    """Return the rows of the tables under a heading of the validation page, without the heads."""
    text = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    part = text.split(f"\n### {heading}\n", 1)[1].split("\n#", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [line for line in lines if line.split("|")[1].strip().isdigit()]


def said(cells):
    return "| " + " | ".join(cells) + " |"


@cache
def aimags(folder):
    """Return names and P-codes of the 22 aimags with their centroids' distances in km."""
    named = pd.read_csv(folder / "mn-nso" / "aimag_names.csv")
    shapes = gpd.read_file(f"/vsigzip/{folder / 'mn-admin-cod' / 'mng_adm1.geojson.gz'}")
    centres = shapes.set_index("MN" + shapes["ADM1_PCODE"].astype(str)).to_crs(EQUAL_AREA).centroid.to_crs(4326)
    centres = centres.loc[named["pcode"]]
    points = pd.DataFrame({"lon": centres.x.to_numpy(), "lat": centres.y.to_numpy()})
    return named["name_nso_en"].to_numpy(), pair_distances(points)


@cache
def yearly(folder):
    return pd.read_csv(folder / "mn-nso" / "nso_internal_migration_by_aimag_2000_2025.csv")


def margins_of(folder, year):
    names, _ = aimags(folder)
    told = yearly(folder).query("year == @year").set_index("region").loc[names]
    return told["outgoing"].to_numpy(), told["incoming"].to_numpy()


def fitted(folder, year, decay):
    names, km = aimags(folder)
    seed = np.where(np.eye(len(km), dtype=bool), 1, km) ** float(decay)
    return fit_margins(seed, *margins_of(folder, year), zero_diagonal=True, names=[names, names])


def test_balanced_years_are_fitted_and_the_page_says_how(realdata):
    names, km = aimags(realdata)
    apart = ~np.eye(len(names), dtype=bool)
    rows = []
    for year in BALANCED_YEARS:
        fit = fitted(realdata, year, DECAY)
        left, came = margins_of(realdata, year)
        x = fit.fitted_persons
        assert fit.converged
        assert np.abs(x.sum(axis=1) / left - 1).max() <= 1e-9
        assert np.abs(x.sum(axis=0) / came - 1).max() <= 1e-9
        assert not np.diag(x).any()
        assert fit.structural_zeros == 22
        other = [
            compare_tables(fitted(realdata, year, decay).fitted_persons, x, cells=apart).dissimilarity_pct
            for decay in (-0.5, -2, 0)
        ]
        i, j = np.unravel_index(x.argmax(), x.shape)
        rows.append(
            said(
                [
                    str(year), f"{fit.total_persons:,.0f}", f"{fit.deviance:,.0f}", f"{(x * km).sum() / x.sum():.0f}",
                    *(f"{share:.1f}" for share in other), f"{names[i]} to {names[j]}, {x[i, j]:,.0f}",
                ]
            )
        )  # fmt: skip
    assert page_rows("Flows between the aimags, fitted") == rows


def test_the_nearest_centroids_are_those_of_the_page(realdata):
    names, km = aimags(realdata)
    km = np.where(np.eye(len(km), dtype=bool), np.inf, km)
    i, j = np.unravel_index(km.argmin(), km.shape)
    assert {names[i], names[j]} == {"Darkhan-Uul", "Selenge"}
    text = " ".join((ROOT / "docs" / "validation.md").read_text(encoding="utf-8").split())
    assert f"Darkhan-Uul and Selenge lie {km.min():.0f} km apart" in text


@pytest.mark.parametrize("year", [2010, 2019])
def test_years_that_do_not_balance_are_refused_with_the_difference(realdata, year):
    left, came = margins_of(realdata, year)
    difference = abs(int(left.sum()) - int(came.sum()))
    with pytest.raises(MarginsDisagreeError, match=f"a difference of {difference:,} "):
        fitted(realdata, year, DECAY)


def test_the_command_line_fits_the_same(realdata, tmp_path):
    names, km = aimags(realdata)
    pairs = pd.DataFrame({"origin": np.repeat(names, len(names)), "destination": np.tile(names, len(names))})
    pairs["weight"] = np.where(km > 0, 1 / np.where(km > 0, km, 1), 0).ravel()
    pairs.to_csv(tmp_path / "seed.csv", index=False)
    yearly(realdata).query("year == 2024").to_csv(tmp_path / "nso.csv", index=False)
    words = f"fit {tmp_path}/seed.csv --origin origin --destination destination --persons weight --zero-diagonal --json"
    words += f" --row-margins {tmp_path}/nso.csv --column-margins {tmp_path}/nso.csv --margin-area region"
    words += f" --row-persons outgoing --column-persons incoming --out {tmp_path}/fitted.parquet"
    with pytest.raises(SystemExit) as leaving:
        main(words.split())
    assert not leaving.value.code
    table = pd.read_parquet(tmp_path / "fitted.parquet")
    assert table["fitted_persons"].to_numpy() == pytest.approx(
        fitted(realdata, 2024, DECAY).fitted_persons.ravel(), rel=1e-6
    )
    assert set(table["method"]) == {"modelled"}


def test_where_the_flows_are_known_the_page_says_how_far_off_the_fit_is(realdata):
    korea = pd.read_csv(realdata / "od-korea" / "korea_gravity.csv")
    apart = ~np.eye(17, dtype=bool)
    rows, before = [], None
    for year, told in korea.groupby("year"):
        tables = {
            name: told.pivot_table(index="orig", columns="dest", values=name).to_numpy(dtype=float)
            for name in ("flow", "dist_cent")
        }
        true, km = np.where(apart, tables["flow"], 0), np.where(apart, tables["dist_cent"], 1)
        cells = [str(year), f"{true.sum():,.0f}"]
        for seed in (np.ones((17, 17)), km**DECAY, before):
            if seed is None:
                cells += ["-", "-", "-"]
                continue
            fit = fit_margins(seed, true.sum(axis=1), true.sum(axis=0), zero_diagonal=True)
            assert fit.converged
            found = compare_tables(fit.fitted_persons, true, cells=apart)
            cells += [f"{found.dissimilarity_pct:.1f}", f"{found.srmse:.2f}", f"{found.correlation:.3f}"]
        model = fit_log_linear(observed=true, covariates=[np.log(km)], zero_diagonal=True)
        assert model.converged
        rows.append(said([*cells, f"{model.coefficients[0]:.3f}", f"{model.pseudo_r2:.3f}"]))
        before = true
    assert page_rows("The same method where the flows are known") == rows

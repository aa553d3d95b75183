"""Spoil real flows by known factors, and hold what the reconciliation makes of them to `docs/validation.md`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dtm.reconciliation import reconcile_flows
from tests.project._tree import ROOT

YEARS = (2012, 2014, 2016, 2018, 2020)
SPREAD = 3.0
"""Variance of the reports against that of a count."""


def measured(folder, year):
    """Return the row of the page for a year: how far each figure is from the true one hundredth of the moves."""
    flows = pd.read_csv(folder / "od-korea" / "korea_gravity.csv")
    flows = flows[(flows["year"] == year) & (flows["orig"] != flows["dest"])]
    names = sorted(flows["orig"].unique())
    origin, destination = (flows[name].map(names.index).to_numpy() for name in ("orig", "dest"))
    moves = flows["flow"].to_numpy(float) / 100
    rng = np.random.default_rng(year)
    told = rng.uniform(0.5, 1.0, (2, len(names)))
    told[0, 0] = 1.0  # the first region tells every arrival
    came, went = (
        np.round(SPREAD * rng.poisson(moves * share / SPREAD)) for share in (told[0, destination], told[1, origin])
    )
    pairs = pd.DataFrame({"origin": flows["orig"], "destination": flows["dest"], "arrivals": came, "departures": went})
    typical = reconcile_flows(pairs)
    complete = reconcile_flows(pairs, complete=[("arrivals", names[0])])
    inside = complete.pairs["low"].le(moves) & complete.pairs["high"].ge(moves)
    cells = [str(year)]
    figures = [came, went, (came + went) / 2, np.maximum(came, went)]
    for value in (*figures, typical.pairs["value"], complete.pairs["value"]):
        estimate = np.asarray(value, float)
        total = 100 * estimate.sum() / moves.sum()
        pattern = 50 * np.abs(estimate / estimate.sum() - moves / moves.sum()).sum()
        cells.append(f"{total:.0f} / {pattern:.1f}")
    return [*cells, f"{100 * inside.mean():.0f}", f"{complete.dispersion:.2f}"]


@pytest.mark.realdata
@pytest.mark.parametrize("year", YEARS)
def test_flows_of_korea_told_twice_with_known_faults(realdata, year):
    page = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    row = measured(realdata, year)
    assert f"| {' | '.join(row)} |" in page
    patterns = [float(cell.split(" / ")[1]) for cell in row[1:7]]
    assert patterns[4] == patterns[5] < min(patterns[:4])  # only the level differs; the pattern is nearest to the truth

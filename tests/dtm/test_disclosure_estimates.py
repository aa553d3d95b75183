"""Attack what stands beside the sums of a release: sizes, rests of paired returns, the manifest and weights."""

from __future__ import annotations

import json

import pandas as pd

from dtm.disclosure import protect_release
from dtm.workspace import Settings
from tests.dtm.disclosure_world import flow_rows, open_world, stock_rows

THREE = {"MN11": None, "MN1101": "MN11", "MN1102": "MN11", "MN1103": "MN11"}


def persons(pcode):
    return (pcode, "actual", "persons", "total", "total")


# --- bounds -------------------------------------------------------------------------------------------------------


def test_households_do_not_pin_the_persons_that_were_hidden():
    """Students live alone: 9 of 9 households and 12 of 12, with 21 persons together, would be told exactly."""
    reasons = {"work": (40, 20), "study": (9, 9), "health": (12, 12)}
    tables = []
    for number, measure in enumerate(("persons", "households")):
        cells = {("MN11", "total", reason): counts[number] for reason, counts in reasons.items()}
        everybody = sum(cells.values())
        cells |= {("MN11", "total", "total"): everybody, ("MN11", "MN64", "total"): everybody}
        tables.append(flow_rows(cells, measure=measure))
    connection = open_world({"MN11": None}, [1], flow=pd.concat(tables))
    protect_release(connection, Settings())
    shown = connection.execute("SELECT measure, reason, value FROM safe_flow WHERE reason <> 'total'").df()
    known = {(row.measure, row.reason): row.value for row in shown.itertuples()}
    assert pd.isna(known["persons", "study"])
    left = 61 - sum(value for (measure, _), value in known.items() if measure == "persons" and not pd.isna(value))
    least = {
        reason: 1 if pd.isna(known["households", reason]) else known["households", reason]
        for reason in reasons
        if pd.isna(known["persons", reason])
    }
    assert left > sum(least.values())


def test_the_manifest_does_not_tell_how_many_hidden_counts_are_small():
    cells = {persons("MN11"): 218, persons("MN1101"): 9, persons("MN1102"): 9, persons("MN1103"): 200}
    summary = protect_release(open_world(THREE, [1], stock=stock_rows(cells)), Settings())
    assert summary.rules == {("stock", "primary"): 2}  # 18 together, both under 10: 9 and 9
    assert "primary" not in json.dumps(summary.to_manifest())

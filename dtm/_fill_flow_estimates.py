"""Fill the table of reconciled moves from the published tables of moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dtm._estimate_rows import insert_rows, join_notes
from dtm._release_columns import NOT_REPORTED, PUBLISHED, SUPPRESSED
from dtm.reconciliation import ARRIVALS, DEPARTURES, MIN_DEGREES_OF_FREEDOM, reconcile_flows

if TYPE_CHECKING:
    from dtm.engine import Connection

LEVELS = (1, 2)
"""Levels whose areas name each other as the other end of a move; khoroos name districts (`dtm.flows`)."""
DECIMALS = 6
"""Estimates are rounded to these, so that the last bits of a linear solver don't make two releases of the same."""
_ONE_END = {ARRIVALS: "told_by_destination", DEPARTURES: "told_by_origin"}
_SIDE = """
    SELECT p.round_number, p.origin, p.destination,
        CASE WHEN f.status IS NOT NULL THEN f.status
            WHEN t.status IN ('published', 'suppressed') THEN 'published' ELSE 'not_reported' END AS status,
        CASE WHEN f.status IS NOT NULL THEN f.value
            WHEN t.status IN ('published', 'suppressed') THEN 0 END AS value
    FROM pair p
    LEFT JOIN persons t ON t.source = '{source}' AND t.round_number = p.round_number AND t.pcode = p.{teller}
        AND t.counterpart = 'total'
    LEFT JOIN persons f ON f.source = '{source}' AND f.round_number = p.round_number AND f.pcode = p.{teller}
        AND f.counterpart = p.{other}
"""


def fill_flow_estimates(connection: Connection) -> None:
    """Insert every pair of areas of one level, the moves inside an area among them, of every round.

    Pairs of districts are of one level-1 area. A pair without a row in `flow` is 0 where its teller told any total.
    A pair hidden on either side is suppressed and takes no part in the fit; rounds and levels are fitted apart.
    """
    pairs = _told_pairs(connection)
    parts = [_reconciled(part) for _, part in pairs.groupby(["round_number", "level"], sort=True)]
    if parts:
        insert_rows(connection, "flow_estimate", pd.concat(parts, ignore_index=True))


def _told_pairs(connection: Connection) -> pd.DataFrame:
    return connection.execute(
        f"""
        WITH persons AS (
            SELECT * FROM flow WHERE source IN ('arrivals', 'departures') AND reason = 'total' AND measure = 'persons'
        ), pair AS (
            SELECT n.round_number, o.level, o.pcode AS origin, d.pcode AS destination
            FROM "round" n CROSS JOIN area o JOIN area d ON d.level = o.level
            WHERE o.level = 1 OR (o.level = 2 AND left(d.pcode, 4) = left(o.pcode, 4))
        ), arrival AS ({_SIDE.format(source=ARRIVALS, teller="destination", other="origin")}),
        departure AS ({_SIDE.format(source=DEPARTURES, teller="origin", other="destination")})
        SELECT p.*, a.status AS arrivals_status, a.value::DOUBLE AS arrivals,
            d.status AS departures_status, d.value::DOUBLE AS departures
        FROM pair p JOIN arrival a USING (round_number, origin, destination)
        JOIN departure d USING (round_number, origin, destination)
        ORDER BY p.round_number, p.level, p.origin, p.destination
        """
    ).df()


def _reconciled(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one round and level."""
    sides = pairs[["arrivals_status", "departures_status"]]
    hidden = (sides == SUPPRESSED).any(axis=1).to_numpy()
    silent = (sides != PUBLISHED).all(axis=1).to_numpy()
    used = pairs[~hidden & ~silent]
    found = reconcile_flows(used)
    rows = pairs.reset_index(drop=True)
    rows["status"] = np.select([hidden, silent], [SUPPRESSED, NOT_REPORTED], PUBLISHED)
    is_used = (rows["status"] == PUBLISHED).to_numpy()
    for name in ("value", "low", "high", "mirror_ratio"):
        rows[name] = np.nan
        rows.loc[is_used, name] = found.pairs[name].round(DECIMALS).to_numpy()
    rows["note"] = None
    if is_used.any():
        one_end = found.pairs["told_by"].map(_ONE_END)
        few = found.degrees_of_freedom < MIN_DEGREES_OF_FREEDOM
        notes = join_notes(one_end, pd.Series("few_pairs" if few else None, one_end.index))
        rows.loc[is_used, "note"] = notes.to_numpy()
    return rows.assign(method="reconciled")

"""Fill the table of reconciled moves from the published tables of moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dtm._estimate_rows import insert_rows, join_notes
from dtm._release_columns import NOT_REPORTED, PUBLISHED, SUPPRESSED, UNDEFINED
from dtm.reconciliation import ARRIVALS, DEPARTURES, MIN_DEGREES_OF_FREEDOM, reconcile_flows

if TYPE_CHECKING:
    from dtm.engine import Connection

LEVELS = (1, 2)
"""Levels whose areas name each other as the other end of a move; khoroos name districts (`dtm.flows`)."""
DECIMALS = 6
"""Estimates are rounded to these, so that the last bits of a linear solver don't make two releases of the same."""
ZERO_BY_ONE, ZERO_IN_PART = "zero_by_one_end", "zero_in_part"
"""Why a told 0 is not published as nobody having moved: the other end told nothing; units of both were silent."""
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

    *That nobody moved* is published where both ends told 0 and every unit of one of them reported. Where only one end
    told, its 0 is `not_reported`; where units of both were silent, `undefined`: they may be who the movers would have
    told. Both say so in a note.
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
        ), whole AS (
            SELECT round_number, pcode, units_expected > 0 AND units_reported >= units_expected AS is_whole
            FROM coverage
        ), arrival AS ({_SIDE.format(source=ARRIVALS, teller="destination", other="origin")}),
        departure AS ({_SIDE.format(source=DEPARTURES, teller="origin", other="destination")})
        SELECT p.*, a.status AS arrivals_status, a.value::DOUBLE AS arrivals,
            d.status AS departures_status, d.value::DOUBLE AS departures,
            coalesce(u.is_whole, false) OR coalesce(v.is_whole, false) AS is_whole
        FROM pair p JOIN arrival a USING (round_number, origin, destination)
        JOIN departure d USING (round_number, origin, destination)
        LEFT JOIN whole u ON u.round_number = p.round_number AND u.pcode = p.origin
        LEFT JOIN whole v ON v.round_number = p.round_number AND v.pcode = p.destination
        ORDER BY p.round_number, p.level, p.origin, p.destination
        """
    ).df()


def _reconciled(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one round and level."""
    rows = pairs.reset_index(drop=True)
    sides = rows[["arrivals_status", "departures_status"]]
    hidden = (sides == SUPPRESSED).any(axis=1)
    told = (sides == PUBLISHED).sum(axis=1)
    nobody = (rows[[ARRIVALS, DEPARTURES]].fillna(0) == 0).all(axis=1) & ~hidden
    zero_by_one, zero_in_part = nobody & (told == 1), nobody & (told == 2) & ~rows["is_whole"]  # noqa: PLR2004
    silent = (told == 0) | zero_by_one
    rows["status"] = np.select([hidden, silent, zero_in_part], [SUPPRESSED, NOT_REPORTED, UNDEFINED], PUBLISHED)
    rows["note"] = np.select([zero_by_one, zero_in_part], [ZERO_BY_ONE, ZERO_IN_PART], "")
    used = rows.index[~hidden & (told > 0)]
    found = reconcile_flows(rows.loc[used])
    is_there = (rows.loc[used, "status"] == PUBLISHED).to_numpy()
    shown = used[is_there]
    for name in ("value", "low", "high", "mirror_ratio"):
        rows[name] = np.nan
        rows.loc[shown, name] = found.pairs.loc[is_there, name].round(DECIMALS).to_numpy()
    if len(shown):
        one_end = found.pairs.loc[is_there, "told_by"].map(_ONE_END)
        few = found.degrees_of_freedom < MIN_DEGREES_OF_FREEDOM
        notes = join_notes(one_end, pd.Series("few_pairs" if few else None, one_end.index))
        rows.loc[shown, "note"] = notes.fillna("").to_numpy()
    return rows.assign(method="reconciled")

"""Fill the table of stock-flow balances from published figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dtm._estimate_rows import insert_rows, join_notes
from dtm._release_columns import NOT_REPORTED, PUBLISHED, SUPPRESSED, UNDEFINED
from dtm.balance import stock_flow_balance

if TYPE_CHECKING:
    from dtm.engine import Connection

_FLOWS = ("arrivals", "departures", "births", "deaths")
_INGREDIENTS = ("change", "closing", *_FLOWS)


def fill_balance(connection: Connection) -> None:
    """Insert every area and every round but the first.

    *The same units*: the closing people are the published ones, the opening people those less the published change
    over the units that reported in both rounds. So a unit without a figure before counts as unchanged, and a unit that
    fell silent is in neither; the note then says that the units differ.

    *Moves* are those over the area's border. They were asked for a window of days of their own: the note tells it
    where it isn't the days between the two reference days. Births and deaths are asked since the round before.

    Every term is shown only where it is published itself; the residual where all of them are.
    """
    rows = _read(connection)
    if rows.empty:
        return
    states = rows[[f"{name}_status" for name in _INGREDIENTS]]
    rows["opening"] = rows["closing"] - rows["change"]
    found = stock_flow_balance(rows.assign(boundary_change=np.where(rows["is_same_set"], 0.0, np.nan)))
    status = np.select(
        [(states == SUPPRESSED).any(axis=1), (states == NOT_REPORTED).any(axis=1), found["residual"].isna()],
        [SUPPRESSED, NOT_REPORTED, UNDEFINED],
        PUBLISHED,
    )
    is_there = pd.Series(status == PUBLISHED, index=rows.index)
    for name in ("residual", "residual_pct", "flag"):
        found[name] = found[name].where(is_there)
    why = rows["change_note"].fillna("incomplete").mask(~rows["is_same_set"].astype(bool), "other_areas")
    note = join_notes(why.where(status == UNDEFINED), *(warning.where(is_there) for warning in _warnings(rows)))
    insert_rows(connection, "balance", found.assign(status=status, note=note))


def _warnings(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Return the notes on units, window and an empty area, each where it holds."""
    matched = rows["change_note"].str.extract(r"^matched_units:(\d+)", expand=False)
    count = pd.to_numeric(matched)
    differ = (count != rows["units_now"]) | (count != rows["units_before"])
    known = rows["flow_days"].notna()
    other_window = "window_differs:" + rows["flow_days"].astype("Int64").astype(str) + "/" + rows["days"].astype(str)
    nothing = pd.Series(None, index=rows.index, dtype=object)
    return (
        pd.Series("units_differ:" + matched.astype(object), index=rows.index).where(differ & count.notna()),
        nothing.mask(~known, "no_window").mask(known & (rows["flow_days"] != rows["days"]), other_window),
        nothing.mask(rows["closing"] == 0, "zero_denominator"),
    )


def _read(connection: Connection) -> pd.DataFrame:
    """Return a row an area and round but the first, with the value and status of every ingredient."""
    return connection.execute(
        """
        WITH timed AS (
            SELECT round_number, flow_days, lag(round_number) OVER w AS before_number,
                (reference_on - lag(reference_on) OVER w)::BIGINT AS days,
                area_set = lag(area_set) OVER w AND area_set_version = lag(area_set_version) OVER w AS is_same_set
            FROM "round" WINDOW w AS (ORDER BY round_number)
        ), actual AS (
            FROM stock WHERE category = 'actual' AND measure = 'persons' AND breakdown = 'total'
        ), change AS (
            FROM indicator WHERE indicator = 'change_persons'
        ), persons AS (
            FROM flow WHERE counterpart = 'total' AND reason = 'total' AND measure = 'persons'
        )
        SELECT n.round_number, a.level, a.pcode, n.days, n.flow_days, n.is_same_set,
            v.units_reported AS units_now, b.units_reported AS units_before,
            s.value::DOUBLE AS closing, coalesce(s.status, 'not_reported') AS closing_status,
            c.value AS change, coalesce(c.status, 'not_reported') AS change_status, c.note AS change_note,
            i.value::DOUBLE AS arrivals, coalesce(i.status, 'not_reported') AS arrivals_status,
            o.value::DOUBLE AS departures, coalesce(o.status, 'not_reported') AS departures_status,
            x.value::DOUBLE AS births, coalesce(x.status, 'not_reported') AS births_status,
            y.value::DOUBLE AS deaths, coalesce(y.status, 'not_reported') AS deaths_status
        FROM timed n CROSS JOIN area a
        LEFT JOIN coverage v ON v.round_number = n.round_number AND v.pcode = a.pcode
        LEFT JOIN coverage b ON b.round_number = n.before_number AND b.pcode = a.pcode
        LEFT JOIN actual s ON s.round_number = n.round_number AND s.pcode = a.pcode
        LEFT JOIN change c ON c.round_number = n.round_number AND c.pcode = a.pcode
        LEFT JOIN persons i ON i.round_number = n.round_number AND i.pcode = a.pcode AND i.source = 'arrivals'
        LEFT JOIN persons o ON o.round_number = n.round_number AND o.pcode = a.pcode AND o.source = 'departures'
        LEFT JOIN vital x ON x.round_number = n.round_number AND x.pcode = a.pcode AND x.event = 'births'
        LEFT JOIN vital y ON y.round_number = n.round_number AND y.pcode = a.pcode AND y.event = 'deaths'
        WHERE n.before_number IS NOT NULL ORDER BY n.round_number, a.pcode
        """
    ).df()

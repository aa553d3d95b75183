"""Fill the estimates of a release from its published tables, in its own file, where nothing hidden is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._fill_balance import fill_balance
from dtm._fill_flow_estimates import fill_flow_estimates
from dtm._fill_imputed import fill_imputed
from dtm._fill_passage_estimates import fill_passage_estimates
from dtm._fill_stock_months import fill_stock_months
from dtm._fill_system import fill_systems
from dtm.engine import connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dtm.engine import Connection

FILLERS: tuple[tuple[str, Callable[[Connection], None]], ...] = (
    ("passage_estimate", fill_passage_estimates),
    ("flow_estimate", fill_flow_estimates),
    ("imputed", fill_imputed),
    ("balance", fill_balance),
    ("system", fill_systems),
    ("stock_month", fill_stock_months),
)
"""Table of the release, and the function that inserts its rows reading the tables before it."""


def fill_estimates(path: Path) -> None:
    """Insert every estimate that the release's own published figures allow.

    The connection sees the release's file alone: whatever is computed here, any reader of the release could compute.
    So no estimate can tell a hidden figure, whatever its formula (the post-processing argument, as for differential
    privacy: Dwork & Roth 2014, prop. 2.1). An estimate with a hidden ingredient is null and `suppressed`.

    Parameters
    ----------
    path
        The release's database, with every table but the estimates filled.
    """
    with connect(path, spatial=False) as connection:
        for _, fill in FILLERS:
            fill(connection)
        connection.execute("CHECKPOINT")

"""Add up the people and households of each area at each round, never over rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._full import create_full
from dtm._warehouse_tables import AGE_BANDS
from enumerations.codelists import codes_of

if TYPE_CHECKING:
    from dtm.engine import Connection
    from dtm.scope import Scope

DWELLINGS = tuple(codes_of("dwelling"))
CATEGORIES = ("registered", "actual", "registered_absent", "unregistered", "displaced")

NOT_STATED = "not_stated"
"""Item of a breakdown: people or households whose return does not tell it."""

_AGE_ITEMS = tuple(f"age_{band}" for band in AGE_BANDS)
CELLS: dict[str, tuple[str, str, str, str]] = {
    "registered_persons": ("registered", "persons", "total", "total"),
    "registered_households": ("registered", "households", "total", "total"),
    "actual_persons": ("actual", "persons", "total", "total"),
    "actual_households": ("actual", "households", "total", "total"),
    "registered_absent_persons": ("registered_absent", "persons", "total", "total"),
    "unregistered_persons": ("unregistered", "persons", "total", "total"),
    "displaced_persons": ("displaced", "persons", "total", "total"),
    "displaced_households": ("displaced", "households", "total", "total"),
    "male": ("actual", "persons", "sex", "male"),
    "female": ("actual", "persons", "sex", "female"),
    **{item: ("actual", "persons", "age", item.removeprefix("age_")) for item in _AGE_ITEMS},
    **{item: ("actual", "households", "dwelling", item) for item in DWELLINGS},
    "sex_not_stated": ("actual", "persons", "sex", NOT_STATED),
    "age_not_stated": ("actual", "persons", "age", NOT_STATED),
    "dwelling_not_stated": ("actual", "households", "dwelling", NOT_STATED),
}
"""Every figure of a return: its name here, and category, measure, breakdown and item in the release."""
_BREAKDOWNS = (
    ("sex", ("male", "female"), "actual_persons"),
    ("age", _AGE_ITEMS, "actual_persons"),
    ("dwelling", DWELLINGS, "actual_households"),
)


def build_stocks(connection: Connection, scope: Scope) -> None:
    """Make TEMP TABLES `full_stock` and, a row a return and figure, `scope_figure` and `scope_return_figure`.

    An area's figure is the sum over the returns that count in it (one a unit and round, see `build_scope`); the
    coverage says how complete they are. No figure is estimated, and none is carried from one round to another.

    - A *total* is the sum of the returns that tell it, and null where none does.
    - A *breakdown* (sex, age, dwelling) of a return counts only if the return tells all of its items and they add
      up to the return's own total. The people or households of the other returns are the item `not_stated`, which has
      a row only where there are any. An item is null where no return tells the breakdown. So the items of a
      breakdown, with `not_stated`, always add up to the total beside them.
    - Rows are there for every round and area, null where nobody reported; displaced people only where told.

    Displaced people here are those that kheseg returns of this operation name; IOM's published tables of displaced
    people (`dtm-published`) belong to their own operations and areas, and are kept in the warehouse beside it.
    """
    _build_return_figures(connection, scope)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE scope_figure AS
        SELECT round_number, submission_id, unit_key, area_pcode, figure, value
        FROM scope_return_figure UNPIVOT INCLUDE NULLS (value FOR figure IN ({", ".join(CELLS)}))
        """
    )
    rows = ", ".join(str((figure, *cell)) for figure, cell in CELLS.items())
    create_full(
        connection,
        "stock",
        f"""
        WITH cell(figure, category, measure, breakdown, item) AS (VALUES {rows}),
        summed AS (
            SELECT round_number, pcode, figure, sum(value) AS told
            FROM scope_figure JOIN scope_rollup USING (area_pcode) GROUP BY round_number, pcode, figure
        )
        SELECT r.round_number, a.level, a.pcode, c.category, c.measure, c.breakdown, c.item,
            s.told AS value, 'observed' AS method
        FROM scope_round r CROSS JOIN scope_area a CROSS JOIN cell c
        LEFT JOIN summed s ON s.round_number = r.round_number AND s.pcode = a.pcode AND s.figure = c.figure
        WHERE (c.category <> 'displaced' OR s.told IS NOT NULL) AND (c.item <> '{NOT_STATED}' OR s.told > 0)
        ORDER BY ALL
        """,
    )


def _build_return_figures(connection: Connection, scope: Scope) -> None:
    """Put each counted return's figures in one row, breakdowns emptied where they don't add up."""
    totals = [
        _told(measure, f"category = '{category}' AND dwelling IS NULL", name)
        for name, (category, measure, breakdown, _) in CELLS.items()
        if breakdown == "total"
    ]
    people = [
        _told(f"{item}_persons", "category = 'actual' AND dwelling IS NULL", f"told_{item}")
        for item in ("male", "female", *_AGE_ITEMS)
    ]
    homes = [_told("households", f"category = 'actual' AND dwelling = '{item}'", f"told_{item}") for item in DWELLINGS]
    kept = [
        f"CASE WHEN {' + '.join(f'told_{other}' for other in items)} = {total} THEN told_{item} END AS {item}"
        for _, items, total in _BREAKDOWNS
        for item in items
    ]
    kept += [
        f"CASE WHEN {' + '.join(f'told_{other}' for other in items)} = {total} THEN 0 ELSE {total} END "
        f"AS {name}_{NOT_STATED}"
        for name, items, total in _BREAKDOWNS
    ]
    names = [name for name, cell in CELLS.items() if cell[2] == "total"]
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE scope_return_figure AS
        WITH told AS (
            SELECT r.round_number, r.submission_id, r.unit_key, r.area_pcode, {", ".join([*totals, *people, *homes])}
            FROM scope_return r LEFT JOIN stock s ON s.submission_id = r.submission_id AND s.operation = ?
            WHERE r.is_used GROUP BY ALL
        )
        SELECT round_number, submission_id, unit_key, area_pcode, {", ".join([*names, *kept])} FROM told
        """,
        [scope.operation],
    )


def _told(column: str, condition: str, name: str) -> str:
    """Return the SQL of a return's sum over the rows a condition picks, null if one of them has none."""
    rows = f"FILTER (WHERE {condition})"
    return f"CASE WHEN count({column}) {rows} = count(*) {rows} THEN (sum({column}) {rows})::BIGINT END AS {name}"

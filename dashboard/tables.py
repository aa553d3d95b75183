"""Show released rows as tables, and hand the shown rows out as files that say where they are from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html

from dashboard.parts import control_id
from dtm.exports import to_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from dashboard.words import Words
    from dtm.released import Release, ReleasedTable

PAGE_ROWS = 20
LEAST_PX, LETTER_PX, EDGES_PX, FILTER_PX = 110, 9.5, 40, 24
"""Least width of a column, and about how wide a letter of its title, its edges and the sign of its filter are."""
ROWS_MAXIMUM = 20_000


def grid(grid_id: str, words: Words, *, columns: list[dict[str, Any]], label: str, height_px: int = 420) -> html.Div:
    """Return an empty table; its rows come from a callback, each with an `id`."""
    return html.Div(
        dag.AgGrid(
            id=grid_id,
            columnDefs=columns,
            rowData=[],
            getRowId="params.data.id",
            defaultColDef={"sortable": True, "filter": True, "resizable": True, "minWidth": LEAST_PX, "flex": 1},
            dashGridOptions={
                "animateRows": False,
                "localeText": {key: words(f"grid.{key}") for key in GRID_WORDS},
                "enableCellTextSelection": True,
                "suppressDragLeaveHidesColumns": True,
            },
            style={"height": f"{height_px}px"},
        ),
        role="region",
        **{"aria-label": label},
        className="grid",
    )


GRID_WORDS = (
    "noRowsToShow", "filterOoo", "contains", "notContains", "equals", "notEqual", "startsWith", "endsWith", "blank",
    "notBlank", "lessThan", "greaterThan", "lessThanOrEqual", "greaterThanOrEqual", "inRange", "inRangeStart",
    "inRangeEnd", "andCondition", "orCondition", "ariaLabelColumnFilter", "ariaFilteringOperator", "ariaFilterValue",
    "ariaFilterFromValue", "ariaFilterToValue", "ariaSortableColumn", "ariaFilterColumn",
)  # fmt: skip


def least_width_px(title: str, **more: Any) -> int:
    """Return the width in which the longest word of a column's title is whole, or the wider one asked for."""
    sign = 0 if more.get("filter") is False else FILTER_PX
    longest = max(map(len, title.split()), default=0)
    return max(int(more.get("minWidth", LEAST_PX)), round(LETTER_PX * longest) + EDGES_PX + sign)


def text_column(field: str, title: str, **more: Any) -> dict[str, Any]:
    """Return a column of words."""
    column = {"field": field, "headerName": title, "filter": "agTextColumnFilter", **more}
    return {**column, "minWidth": least_width_px(title, **more)}


def number_column(field: str, title: str, *, decimals: int | None = 0, **more: Any) -> dict[str, Any]:
    """Return a column of numbers; a row without one shows its status, None takes the decimals of the row."""
    places = "params.data.decimals" if decimals is None else f"'{decimals}'"
    return {
        "field": field,
        "headerName": title,
        "filter": "agNumberColumnFilter",
        "type": "rightAligned",
        "valueFormatter": {
            "function": "params.value == null ? params.data.status_label : "
            f"d3.format(',.' + {places} + 'f')(params.value)"
        },
        **more,
        "minWidth": least_width_px(title, **more),
    }


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows for a table, gaps as None."""
    return frame.astype(object).where(frame.notna(), None).head(ROWS_MAXIMUM).to_dict("records")


def tools(page: str, words: Words, *, query: str) -> html.Div:
    """Return the search field and the download buttons of a page's table."""
    return html.Div(
        [
            dmc.TextInput(
                id=control_id(page, "q"),
                label=words("control.search"),
                value=query,
                debounce=350,
                size="sm",
                className="control",
            ),
            html.Button(words("control.csv"), id=f"{page}-csv", className="button", type="button"),
            html.Button(words("control.xlsx"), id=f"{page}-xlsx", className="button", type="button"),
            dcc.Download(id=f"{page}-download"),
        ],
        className="tools",
    )


def matching(frame: pd.DataFrame, query: str) -> pd.DataFrame:
    """Return the rows in which every word of the query occurs, whatever the case."""
    wanted = query.casefold().split()
    if not wanted or frame.empty:
        return frame
    texts = [" ".join(map(str, row)).casefold() for row in frame.itertuples(index=False)]
    return frame[[all(word in text for word in wanted) for text in texts]]


def shown_rows(frame: pd.DataFrame, grid_rows: list[Mapping[str, Any]] | None) -> pd.DataFrame:
    """Return the released rows a browser's table shows, in its order; only its ids are trusted."""
    if grid_rows is None:
        return frame
    by_id = frame.set_index("id", drop=False)
    ids = [str(row.get("id")) for row in grid_rows]
    return by_id.loc[[found for found in ids if found in by_id.index]].reset_index(drop=True)


def download(
    released: ReleasedTable, release: Release, *, grid_rows: list[Mapping[str, Any]] | None, kind: str, language: str
) -> dict[str, Any]:
    """Return the shown rows as a file for `dcc.Download`, with provenance; the rows carry an `id`."""
    frame = shown_rows(released.frame, grid_rows).drop(columns="id")
    data = to_bytes(replace(released, frame=frame), kind, release=release, language=language)
    answer: dict[str, Any] = dcc.send_bytes(data, f"{released.name}-{release.release_id}.{kind}")
    return answer

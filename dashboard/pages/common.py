"""Wire what all pages do alike: collect the controls into the view, and download the shown rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
from dash import ALL, ClientsideFunction, Input, Output, State, callback_context, dcc, no_update

from dashboard import parts, tables
from dashboard.measures import by_area
from dashboard.state import View, view_from_mapping
from dashboard.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from dash import Dash

    from dashboard.measures import Measure
    from dashboard.reader import Snapshot
    from dtm.released import ReleasedTable

MAP_PAGES = ("overview", "flows", "ger", "hazards")
CONTROL_PAGES = (*MAP_PAGES, "accounts", "data")


def view_ids(page: str) -> str:
    """Return the id of the store that holds a page's view."""
    return f"view-{page}"


def view_store(page: str, snapshot: Snapshot, view: View, words: Words, *, measure: str = "") -> list[dcc.Store]:
    """Return the stores that connect the page's controls with the address."""
    default = View()
    base = {
        "page": page,
        "path": parts.PAGES[page],
        "title": words(f"page.{page}"),
        "view": {**view.to_mapping(), "lang": words.lang},
        "defaults": {
            **{name: getattr(default, name) for name in View.__dataclass_fields__ if name not in {"width", "round"}},
            "area": snapshot.home,
            "measure": measure,
        },
    }
    return [dcc.Store(id=f"base-{page}", data=base), dcc.Store(id=view_ids(page))]


def register_collect(app: Dash) -> None:
    """Collect controls into the view, write the address, and let a click on the map choose the area."""
    for page in CONTROL_PAGES:
        app.clientside_callback(
            ClientsideFunction("dtm", "collect"),
            Output(view_ids(page), "data"),
            Input({"type": f"control-{page}", "name": ALL}, "value"),
            State({"type": f"control-{page}", "name": ALL}, "id"),
            State(f"base-{page}", "data"),
        )
    for page in MAP_PAGES:
        app.clientside_callback(
            ClientsideFunction("dtm", "pick"),
            Output(parts.control_id(page, "area"), "value"),
            Input(f"{page}-map", "clickData"),
            State(parts.control_id(page, "area"), "value"),
            prevent_initial_call=True,
        )


def area_rows(snapshot: Snapshot, view: View, words: Words, measure: Measure) -> pd.DataFrame:
    """Return the figure of every area of the view's level, with status and coverage."""
    number = snapshot.round_or_last(view.round)
    frame = by_area(snapshot, measure, round_number=number, level=view.level)
    coverage = snapshot.rows("coverage", round_number=number).set_index("pcode").reindex(frame.index)
    return pd.DataFrame(
        {
            "id": frame.index,
            "name": [snapshot.full_name(str(pcode), words) for pcode in frame.index],
            "pcode": frame.index,
            "round_number": number,
            "measure": measure.key,
            "value": frame["value"].round(measure.decimals),
            "unit": parts.unit_name(measure, words),
            "status": frame["status"],
            "status_label": [words(f"status.{status}") for status in frame["status"]],
            "coverage": [
                words("key.of", reported=words.number(reported), expected=words.number(expected))
                for reported, expected in zip(coverage["units_reported"], coverage["units_expected"], strict=True)
            ],
        }
    ).reset_index(drop=True)


def measure_released(snapshot: Snapshot, view: View, measure: Measure) -> ReleasedTable:
    """Return the released rows behind `area_rows`, with its ids."""
    number = snapshot.round_or_last(view.round)
    released = snapshot.released(measure.table, round_number=number, level=view.level, **measure.where)
    return replace(released, frame=released.frame.assign(id=released.frame["pcode"]))


def register_download(
    app: Dash,
    current: Callable[[], Snapshot],
    page: str,
    *,
    released_of: Callable[[Snapshot, View], ReleasedTable],
) -> None:
    """Answer the page's download buttons with the released rows its table shows."""

    @app.callback(
        Output(f"{page}-download", "data"),
        Input(f"{page}-csv", "n_clicks"),
        Input(f"{page}-xlsx", "n_clicks"),
        State(view_ids(page), "data"),
        State(f"{page}-grid", "virtualRowData"),
        prevent_initial_call=True,
    )
    def _download(csv: int | None, xlsx: int | None, data: dict[str, Any] | None, rows: list[Any] | None) -> Any:
        if not csv and not xlsx:
            return no_update
        snapshot, view = current(), view_from_mapping(data or {})
        kind = "xlsx" if callback_context.triggered_id == f"{page}-xlsx" else "csv"
        return tables.download(
            released_of(snapshot, view), snapshot.release, grid_rows=rows, kind=kind, language=Words(view.lang).lang
        )

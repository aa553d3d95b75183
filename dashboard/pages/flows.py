"""Show who moves from where to where, by the source that tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import Input, Output, html

from dashboard import charts, flowmap, maps, parts, tables
from dashboard.pages.common import register_download, view_ids, view_store
from dashboard.state import SCOPES, SOURCES, TOP_MAXIMUM_ARROWS, UNITS, View, view_from_mapping
from dashboard.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    import plotly.graph_objects as go
    from dash import Dash

    from dashboard.reader import Snapshot

PAGE = "flows"


def _options(words: Words, prefix: str, keys: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"value": key, "label": words(f"{prefix}.{key}")} for key in keys]


def layout(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return the page."""
    return [
        *view_store(PAGE, snapshot, view, words),
        html.Section(
            [
                parts.segments(PAGE, "source", label=words("control.source"), data=_options(words, "source", SOURCES),
                               value=view.source),
                parts.segments(PAGE, "scope", label=words("control.scope"), data=_options(words, "scope", SCOPES),
                               value=view.scope),
                parts.area_select(PAGE, snapshot, view, words),
                parts.segments(PAGE, "unit", label=words("control.unit"), data=_options(words, "unit", UNITS),
                               value=view.unit),
                parts.slider(PAGE, "top", label=words("control.top"), minimum=5, maximum=TOP_MAXIMUM_ARROWS, step=5,
                             value=view.top),
                parts.round_slider(PAGE, snapshot, view, words),
            ],
            className="controls",
            **{"aria-label": words("control.section")},
        ),
        html.Div(
            [
                html.Section(
                    [
                        html.H2(id="flows-title", className="panel-title"),
                        parts.graph("flows-map", label=words("flows.map"), height=maps.MAP_HEIGHT_PX),
                        html.P(id="flows-note", className="note"),
                    ],
                    className="panel panel-map",
                ),
                html.Section(
                    [
                        html.H2(words("flows.table"), className="panel-title"),
                        tables.tools(PAGE, words, query=view.q),
                        tables.grid(
                            "flows-grid",
                            words,
                            label=words("flows.table"),
                            height_px=300,
                            columns=[
                                tables.text_column("origin_name", words("column.origin"), minWidth=140),
                                tables.text_column("destination_name", words("column.destination"), minWidth=140),
                                tables.number_column("value", words("column.value")),
                            ],
                        ),
                        parts.graph("flows-chart", label=words("flows.chart")),
                    ],
                    className="panel panel-side",
                ),
            ],
            className="columns",
        ),
    ]  # fmt: skip


def map_figure(snapshot: Snapshot, view: View, words: Words) -> tuple[go.Figure, int]:
    """Return the arrows of the view's largest flows on the release's own borders, and how many there are."""
    rows = flowmap.flow_rows(snapshot, view)
    placed = ~rows["counterpart"].isin(flowmap.NOWHERE)
    top = rows[placed & rows["value"].notna() & (rows["value"] > 0)].head(view.top)
    bounds = flowmap.flow_bounds(snapshot, top) or maps.people_bounds(snapshot)
    camera = maps.camera_for(bounds, window_px=view.width)
    selected = snapshot.area_or_home(view.area)
    keep = f"{view.scope}-{view.source}-{selected}"
    figure = maps.base_figure(snapshot, camera, layers=maps.district_lines(snapshot), keep=keep)
    if selected != snapshot.home:
        outline = maps.outline_trace(snapshot.shapes(snapshot.level_of(selected)).get(selected))
        figure.add_traces([outline] if outline is not None else [])
    arrows = flowmap.arrow_traces(
        snapshot, top, words, color=charts.SOURCE_COLORS[view.source], unit=view.unit, bounds=bounds
    )
    figure.add_traces([*arrows, flowmap.end_labels(snapshot, top, words)])
    return figure, len(top)


def _note(snapshot: Snapshot, view: View, words: Words, *, drawn: int) -> str:
    rows = flowmap.flow_rows(snapshot, view)
    hidden = int((rows["status"] == "suppressed").sum())
    nowhere = int(rows["counterpart"].isin(flowmap.NOWHERE).sum())
    pieces = [words(f"flows.told.{view.source}"), words("flows.drawn", drawn=drawn, all=len(rows))]
    if hidden:
        pieces.append(words("flows.hidden", n=hidden))
    if nowhere:
        pieces.append(words("flows.nowhere"))
    value, status = flowmap.own_moves(snapshot, view)
    if view.source != "checkpoint" and status != "not_reported":
        shown = words.number(value) if status == "published" else words(f"status.{status}")
        pieces.append(words("flows.own", area=snapshot.full_name(snapshot.area_or_home(view.area), words), value=shown))
    return " ".join(pieces)


def register(app: Dash, current: Callable[[], Snapshot]) -> None:
    """Connect the page's controls."""

    @app.callback(
        Output("flows-map", "figure"),
        Output("flows-title", "children"),
        Output("flows-note", "children"),
        Output("flows-grid", "rowData"),
        Output("flows-chart", "figure"),
        Input(view_ids(PAGE), "data"),
        prevent_initial_call=True,
    )
    def _update(data: dict[str, Any] | None) -> tuple[Any, ...]:
        snapshot, view = current(), view_from_mapping(data or {})
        words = Words(view.lang)
        number = snapshot.round_or_last(view.round)
        pcode = snapshot.home if view.source == "checkpoint" else snapshot.area_or_home(view.area)
        when = words("round.title", number=number, month=words.month(snapshot.reference_day(number)))
        figure, drawn = map_figure(snapshot, view, words)
        if view.source == "checkpoint":
            chart = charts.checkpoints(snapshot, words, round_number=number)
        else:
            chart = charts.reasons(
                snapshot, words, pcode=pcode, round_number=number, source=view.source, unit=view.unit
            )
        rows = tables.matching(flowmap.table_rows(snapshot, view, words), view.q)
        title = f"{words(f'source.{view.source}')} · {snapshot.full_name(pcode, words)} · {when}"
        return figure, title, _note(snapshot, view, words, drawn=drawn), tables.records(rows), chart

    register_download(app, current, PAGE, released_of=flowmap.released_rows)

"""Show how dense the ger areas are, and rank them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import Input, Output, html

from dashboard import charts, maps, parts, tables
from dashboard.measures import GER_MEASURES, all_values, by_area, measure_or_first
from dashboard.pages.common import area_rows, measure_released, register_download, view_ids, view_store
from dashboard.scales import scale_for
from dashboard.state import View, view_from_mapping
from dashboard.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    import plotly.graph_objects as go
    from dash import Dash

    from dashboard.measures import Measure
    from dashboard.reader import Snapshot
    from dtm.released import ReleasedTable

PAGE = "ger"
RANKED = 15


def layout(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return the page."""
    return [
        *view_store(PAGE, snapshot, view, words, measure=GER_MEASURES[0]),
        parts.figure_controls(PAGE, GER_MEASURES, snapshot, view, words),
        html.Div(
            [
                html.Section(
                    [
                        html.H2(id="ger-title", className="panel-title"),
                        parts.graph("ger-map", label=words("ger.map"), height=maps.MAP_HEIGHT_PX),
                        html.Div(id="ger-legend"),
                        html.Div(id="ger-notes"),
                        parts.swatches([(words("legend.ger_area"), "", "swatch-ger")])
                        if snapshot.layers("ger-area")
                        else html.P(words("ger.no_layer"), className="note"),
                    ],
                    className="panel panel-map",
                ),
                html.Section(
                    [
                        html.H2(words("ger.ranking"), className="panel-title"),
                        parts.graph("ger-chart", label=words("ger.ranking")),
                        html.P(id="ger-no-chart", className="note"),
                    ],
                    className="panel panel-side",
                ),
            ],
            className="columns",
        ),
        html.Section(
            [
                html.H2(words("ger.table"), className="panel-title"),
                tables.tools(PAGE, words, query=view.q),
                tables.grid(
                    "ger-grid",
                    words,
                    label=words("ger.table"),
                    columns=[
                        tables.text_column("name", words("column.area"), minWidth=200),
                        tables.text_column("pcode", words("column.pcode")),
                        tables.number_column("value", words("column.value"), decimals=None, sort="desc"),
                        tables.text_column("unit", words("column.unit"), minWidth=180),
                        tables.number_column("area_km2", words("column.area_km2"), decimals=2),
                        tables.number_column("ger_area_km2", words("column.ger_area_km2"), decimals=2),
                        tables.text_column("status_label", words("column.status")),
                    ],
                ),
            ],
            className="panel",
        ),
    ]


def map_figure(snapshot: Snapshot, view: View, words: Words, measure: Measure) -> tuple[go.Figure, Any]:
    """Return the density map with the ger areas' outlines, and its legend."""
    number = snapshot.round_or_last(view.round)
    frame = by_area(snapshot, measure, round_number=number, level=view.level)
    scale = scale_for(all_values(snapshot, measure, level=view.level), decimals=measure.decimals, diverging=False)
    camera = maps.camera_for(maps.bounds_of(snapshot, view.extent), window_px=view.width)
    ger = [maps.layer_url(snapshot, name) for name in snapshot.layers("ger-area")]
    layers = [
        *(maps.line_layer(url, color=maps.GER_FILL, width=1.8) for url in ger),
        *(maps.fill_layer(url, color=maps.GER_FILL, opacity=0.14) for url in ger),
        *maps.district_lines(snapshot),
    ]
    figure = maps.base_figure(
        snapshot, camera, layers=layers, keep=view.extent, style=maps.style_url(snapshot, words.lang)
    )
    hover = parts.hover_texts(snapshot, frame, measure, words, round_number=number)
    figure.add_traces(maps.areas_trace(snapshot, frame, level=view.level, scale=scale, hover=hover))
    selected = snapshot.area_or_home(view.area)
    extra = [
        *maps.gap_traces(snapshot.shapes(view.level), frame),
        maps.outline_trace(snapshot.shapes(snapshot.level_of(selected)).get(selected))
        if selected != snapshot.home
        else None,
    ]
    figure.add_traces([trace for trace in extra if trace is not None])
    return figure, parts.legend(frame, scale, measure, words)


def rows_of(snapshot: Snapshot, view: View, words: Words) -> Any:
    """Return the ranking's rows with the areas' sizes."""
    frame = area_rows(snapshot, view, words, measure_or_first(view.measure, GER_MEASURES))
    sizes = snapshot.areas.reindex(frame["pcode"])
    frame["area_km2"] = sizes["area_km2"].to_numpy()
    frame["ger_area_km2"] = sizes["ger_area_km2"].to_numpy()
    return frame


def ranking(snapshot: Snapshot, view: View, words: Words, measure: Measure) -> go.Figure:
    """Return the highest areas; the selected one stands out when it is among them."""
    frame = rows_of(snapshot, view, words)
    top = frame[frame["value"].notna()].sort_values("value", ascending=False).head(RANKED)
    selected = snapshot.area_or_home(view.area)
    names = [f"▶ {name}" if pcode == selected else name for name, pcode in zip(top["name"], top["pcode"], strict=True)]
    return charts.bars(
        names,
        [float(value) for value in top["value"]],
        title=words("legend.title", measure=words(f"measure.{measure.key}"), unit=parts.unit_name(measure, words)),
        texts=[words.number(float(value), decimals=measure.decimals) for value in top["value"]],
        colors=[maps.SELECTED if pcode == selected else charts.BAR for pcode in top["pcode"]],
    )


def register(app: Dash, current: Callable[[], Snapshot]) -> None:
    """Connect the page's controls."""

    @app.callback(
        Output("ger-map", "figure"),
        Output("ger-legend", "children"),
        Output("ger-notes", "children"),
        Output("ger-title", "children"),
        Output("ger-chart", "figure"),
        Output("ger-chart", "style"),
        Output("ger-no-chart", "children"),
        Output("ger-grid", "rowData"),
        Input(view_ids(PAGE), "data"),
        prevent_initial_call=True,
    )
    def _update(data: dict[str, Any] | None) -> tuple[Any, ...]:
        snapshot, view = current(), view_from_mapping(data or {})
        words = Words(view.lang)
        measure = measure_or_first(view.measure, GER_MEASURES)
        number = snapshot.round_or_last(view.round)
        when = words("round.title", number=number, month=words.month(snapshot.reference_day(number)))
        figure, legend = map_figure(snapshot, view, words, measure)
        frame = rows_of(snapshot, view, words)
        has_any = bool(frame["value"].notna().any())
        rows = tables.matching(frame, view.q)
        return (
            figure,
            legend,
            parts.nothing_shown(frame, words),
            f"{words(f'measure.{measure.key}')} · {when}",
            ranking(snapshot, view, words, measure),
            {} if has_any else {"display": "none"},
            "" if has_any else words("nothing.ranking"),
            tables.records(rows.assign(decimals=measure.decimals)),
        )

    def released_of(snapshot: Snapshot, view: View) -> ReleasedTable:
        return measure_released(snapshot, view, measure_or_first(view.measure, GER_MEASURES))

    register_download(app, current, PAGE, released_of=released_of)

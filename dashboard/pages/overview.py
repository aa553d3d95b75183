"""Show where people live, how complete the returns are, and how it changed: the first page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import Input, Output, State, html

from dashboard import breaks, charts, maps, parts, tables, trends
from dashboard.measures import (
    MEASURES,
    OVERVIEW_MEASURES,
    TOTALS,
    all_values,
    by_area,
    measure_or_first,
    one,
)
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

PAGE = "overview"


def layout(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return the page."""
    return [
        *view_store(PAGE, snapshot, view, words, measure=OVERVIEW_MEASURES[0]),
        parts.figure_controls(PAGE, OVERVIEW_MEASURES, snapshot, view, words),
        html.Div(
            [
                html.Section(
                    [
                        html.H2(id="overview-title", className="panel-title"),
                        parts.graph("overview-map", label=words("overview.map"), height=maps.MAP_HEIGHT_PX),
                        html.Div(id="overview-legend"),
                        html.Div(id="overview-notes"),
                    ],
                    className="panel panel-map",
                ),
                html.Section(
                    [
                        html.H2(id="overview-area", className="panel-title"),
                        html.Div(id="overview-cards", className="cards"),
                        html.H3(f"{words('overview.trend')}, {words('unit.persons')}", className="panel-subtitle"),
                        parts.graph(
                            "overview-population", label=words("overview.trend"), height=trends.TREND_HEIGHT_PX
                        ),
                        html.Div(id="overview-population-notes"),
                        html.H3(words("overview.moves"), className="panel-subtitle"),
                        parts.graph("overview-moves", label=words("overview.moves"), height=trends.TREND_HEIGHT_PX),
                        html.Div(id="overview-moves-notes"),
                    ],
                    className="panel panel-side",
                ),
            ],
            className="columns",
        ),
        html.Section(
            [
                html.H2(words("overview.table"), className="panel-title"),
                tables.tools(PAGE, words, query=view.q),
                tables.grid(
                    "overview-grid",
                    words,
                    label=words("overview.table"),
                    columns=[
                        tables.text_column("name", words("column.area"), minWidth=200),
                        tables.text_column("pcode", words("column.pcode")),
                        tables.number_column("value", words("column.value"), decimals=None, sort="desc"),
                        tables.text_column("unit", words("column.unit")),
                        tables.text_column("status_label", words("column.status")),
                        tables.text_column("coverage", words("column.units")),
                    ],
                ),
            ],
            className="panel",
        ),
    ]


def trend_notes(snapshot: Snapshot, words: Words, *, pcode: str) -> list[Any]:
    """Say how to read the chart of an area's people: open marks, lines that were not observed, breaks."""
    notes: list[Any] = [words("overview.open_marker", share=int(charts.COMPLETE_SHARE * 100))]
    if not snapshot.rows("stock_month", level=int(snapshot.areas["level"].min())).empty:
        notes.append(words("trend.lines"))
    return [
        html.P(" ".join(notes), className="note"),
        *_folded(breaks.breaks_of(snapshot, words, breaks.STOCK_SERIES, pcode=pcode), words),
    ]


def _folded(periods: list[breaks.Break], words: Words) -> list[Any]:
    """Return the breaks of a series in words, folded until asked for."""
    told = breaks.told(periods, words)
    return [html.Details([html.Summary(words("break.title")), *map(html.P, told)], className="how")] if told else []


def trend_or_words(figure: go.Figure, words: str, *, is_there: bool) -> tuple[go.Figure, dict[str, Any], list[Any]]:
    """Return a chart with its style, or why there is none."""
    if is_there:
        return figure, {"height": f"{trends.TREND_HEIGHT_PX}px"}, []
    return figure, {"display": "none"}, [html.P(words, className="note")]


def people_trend(snapshot: Snapshot, words: Words, *, pcode: str, width_px: int) -> tuple[Any, ...]:
    """Return the chart of an area's people, its style and its notes."""
    figure = trends.population_trend(snapshot, words, pcode=pcode, width_px=width_px)
    has_any = trends.has_people(snapshot, pcode)
    figure, style, nothing = trend_or_words(figure, words("nothing.people"), is_there=has_any)
    return figure, style, nothing or trend_notes(snapshot, words, pcode=pcode)


def moves_trend(snapshot: Snapshot, words: Words, *, pcode: str, width_px: int) -> tuple[Any, ...]:
    """Return the chart of an area's moves, its style and its notes."""
    rows = trends.moves_rows(snapshot, pcode=pcode, source="arrivals", unit="persons", reason="total")
    figure = trends.moves_trend(snapshot, words, pcode=pcode, width_px=width_px)
    has_any = bool(rows[["in", "out"]].notna().any(axis=None))
    figure, style, nothing = trend_or_words(figure, words("nothing.moves"), is_there=has_any)
    return figure, style, nothing or _folded(breaks.breaks_of(snapshot, words, breaks.MOVE_SERIES, pcode=pcode), words)


def map_notes(snapshot: Snapshot, view: View, words: Words, measure: Measure) -> list[Any]:
    """Say where no area has a figure, and which breaks the round's figures lie in."""
    number = snapshot.round_or_last(view.round)
    frame = by_area(snapshot, measure, round_number=number, level=view.level)
    broken = breaks.of_measure(snapshot, words, measure, pcode=snapshot.home, round_number=number)
    told = [html.P(text, className="note") for text in breaks.told(broken, words)]
    return [*parts.nothing_shown(frame, words), *told]


def map_figure(snapshot: Snapshot, view: View, words: Words, measure: Measure) -> tuple[go.Figure, Any]:
    """Return the choropleth of a figure and its legend."""
    round_number = snapshot.round_or_last(view.round)
    frame = by_area(snapshot, measure, round_number=round_number, level=view.level)
    scale = scale_for(
        all_values(snapshot, measure, level=view.level), decimals=measure.decimals, diverging=measure.diverging
    )
    hover = parts.hover_texts(snapshot, frame, measure, words, round_number=round_number)
    camera = maps.camera_for(maps.bounds_of(snapshot, view.extent), window_px=view.width)
    figure = maps.base_figure(
        snapshot,
        camera,
        layers=maps.district_lines(snapshot),
        keep=view.extent,
        style=maps.style_url(snapshot, words.lang),
    )
    figure.add_traces(maps.areas_trace(snapshot, frame, level=view.level, scale=scale, hover=hover))
    shapes = snapshot.shapes(view.level)
    selected = snapshot.area_or_home(view.area)
    extra = [
        *maps.gap_traces(shapes, frame),
        maps.outline_trace(snapshot.shapes(snapshot.level_of(selected)).get(selected))
        if selected != snapshot.home
        else None,
    ]
    figure.add_traces([trace for trace in extra if trace is not None])
    return figure, parts.legend(frame, scale, measure, words)


def cards(snapshot: Snapshot, view: View, words: Words) -> list[html.Div]:
    """Return the key figures of the selected area, each honouring its status."""
    round_number, pcode = snapshot.round_or_last(view.round), snapshot.area_or_home(view.area)

    def figure(table: str, **where: Any) -> str:
        value, status = one(snapshot, table, pcode=pcode, round_number=round_number, **where)
        signed = where.get("indicator") == "net_persons"
        return words.number(value, signed=signed) if status == "published" else words(f"status.{status}")

    def moves(source: str) -> str:
        return figure("flow", source=source, counterpart="total", reason="total", measure="persons")

    def indicator(key: str) -> str:
        measure = MEASURES[key]
        value, status = one(snapshot, "indicator", pcode=pcode, round_number=round_number, indicator=key)
        return parts.written(value, status, measure, words)

    coverage = snapshot.rows("coverage", round_number=round_number, pcode=pcode)
    found = coverage.iloc[0] if not coverage.empty else None
    units, told = words("status.not_reported"), ""
    if found is not None:
        reported, expected = float(found["units_reported"]), float(found["units_expected"])
        units = f"{words.number(100 * reported / expected if expected else None, decimals=1)} %"
        told = words("key.of", reported=words.number(reported), expected=words.number(expected))
    share = None if found is None else found["registered_coverage_share"]
    share_text = words.number(None if share is None else float(share) * 100, decimals=1)
    registered = figure("stock", category="registered", measure="persons", **TOTALS)
    return [
        parts.card(words("key.people"), figure("stock", category="actual", measure="persons", **TOTALS),
                   note=words("key.registered", value=registered), accent="card-main"),
        parts.card(words("key.households"), figure("stock", category="actual", measure="households", **TOTALS),
                   note=words("key.unregistered", value=indicator("unregistered_share_pct"))),
        parts.card(words("key.arrivals"), moves("arrivals"), note=words("key.arrivals_note")),
        parts.card(words("key.departures"), moves("departures"), note=words("key.departures_note")),
        parts.card(words("key.net"), figure("indicator", indicator="net_persons"), note=indicator("net_per_1000")),
        parts.card(words("key.coverage"), units, note=words("key.coverage_note", units=told, share=share_text)),
    ]  # fmt: skip


def register(app: Dash, current: Callable[[], Snapshot]) -> None:
    """Connect the page's controls."""

    @app.callback(
        Output("overview-map", "figure"),
        Output("overview-legend", "children"),
        Output("overview-notes", "children"),
        Output("overview-title", "children"),
        Output("overview-area", "children"),
        Output("overview-cards", "children"),
        Output("overview-population", "figure"),
        Output("overview-population", "style"),
        Output("overview-population-notes", "children"),
        Output("overview-moves", "figure"),
        Output("overview-moves", "style"),
        Output("overview-moves-notes", "children"),
        Output("overview-grid", "rowData"),
        Input(view_ids(PAGE), "data"),
        State("overview-map", "id"),
        prevent_initial_call=True,
    )
    def _update(data: dict[str, Any] | None, _map: str) -> tuple[Any, ...]:
        snapshot, view = current(), view_from_mapping(data or {})
        words = Words(view.lang)
        measure = measure_or_first(view.measure, OVERVIEW_MEASURES)
        number, pcode = snapshot.round_or_last(view.round), snapshot.area_or_home(view.area)
        when = words("round.title", number=number, month=words.month(snapshot.reference_day(number)))
        figure, legend = map_figure(snapshot, view, words, measure)
        rows = tables.matching(area_rows(snapshot, view, words, measure), view.q)
        width = min(trends.PANEL_WIDTH_PX, view.width - 50)
        return (
            figure,
            legend,
            map_notes(snapshot, view, words, measure),
            f"{words(f'measure.{measure.key}')} · {when}",
            f"{snapshot.full_name(pcode, words)} · {when}",
            cards(snapshot, view, words),
            *people_trend(snapshot, words, pcode=pcode, width_px=width),
            *moves_trend(snapshot, words, pcode=pcode, width_px=width),
            tables.records(rows.assign(decimals=measure.decimals)),
        )

    def released_of(snapshot: Snapshot, view: View) -> ReleasedTable:
        return measure_released(snapshot, view, measure_or_first(view.measure, OVERVIEW_MEASURES))

    register_download(app, current, PAGE, released_of=released_of)

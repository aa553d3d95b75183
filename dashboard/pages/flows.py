"""Show who moves from where to where, by the source that tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import Input, Output, html, no_update

from dashboard import flow_tables, od_matrix, parts, tables
from dashboard.flow_bars import level_name
from dashboard.flow_series_figures import round_breaks
from dashboard.flow_sources import CHECKPOINT, CITY_LEVEL, TOTAL, has_source, is_told, reason_of, reasons
from dashboard.maps import MAP_HEIGHT_PX
from dashboard.pages._flows_panels import PANELS, map_about, map_empty, map_figure, map_legend, map_note
from dashboard.pages.common import register_download, view_ids, view_store
from dashboard.state import (
    DIRECTIONS,
    FLOW_LEVELS,
    RETURN_SOURCES,
    SCOPES,
    SURVEY_SOURCES,
    TABS,
    TOP_MAXIMUM_ARROWS,
    UNITS,
    View,
    view_from_mapping,
)
from dashboard.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from dash import Dash

    from dashboard.reader import Snapshot

PAGE = "flows"
SOURCE_GROUPS = (
    ("returns", (*RETURN_SOURCES, "reconciled")), ("points", (CHECKPOINT,)), ("survey", SURVEY_SOURCES),
)  # fmt: skip
SHOWN: dict[str, str] = {}
HIDDEN = {"display": "none"}
TABLE_PX = 360
UNBROKEN_HYPHEN = "\u2011"
"""A number and its Mongolian ending stay on one line."""


def _options(words: Words, prefix: str, keys: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"value": key, "label": words(f"{prefix}.{key}")} for key in keys]


def _source_select(snapshot: Snapshot, view: View, words: Words) -> dmc.Select:
    """Return the list of sources by who tells; one the release has nothing of can't be chosen."""
    data = [
        {
            "group": words(f"source_group.{group}"),
            "items": [
                {"value": source, "label": words(f"source.{source}"), "disabled": not has_source(snapshot, source)}
                for source in sources
            ],
        }
        for group, sources in SOURCE_GROUPS
    ]
    return parts.select(PAGE, "source", words, label=words("control.source"), data=data, value=view.source,
                        maxDropdownHeight=340)  # fmt: skip


def _reason_select(snapshot: Snapshot, view: View, words: Words) -> dmc.Select:
    labels = snapshot.labels("reason", words)
    data = [{"value": TOTAL, "label": words("reason.total")}]
    data += [{"value": code, "label": labels.get(code, code)} for code in reasons(snapshot)]
    value = view.reason if view.reason in {entry["value"] for entry in data} else TOTAL
    return parts.select(PAGE, "reason", words, label=words("control.reason"), data=data, value=value)


def _controls(snapshot: Snapshot, view: View, words: Words) -> html.Section:
    levels = [{"value": str(level), "label": level_name(words, level)} for level in FLOW_LEVELS]
    return html.Section(
        [
            _source_select(snapshot, view, words),
            parts.segments(PAGE, "flow_level", label=words("control.level"), data=levels, value=str(view.flow_level)),
            parts.area_select(PAGE, snapshot, view, words),
            parts.segments(PAGE, "direction", label=words("control.direction"),
                           data=_options(words, "direction", DIRECTIONS), value=view.direction),
            _reason_select(snapshot, view, words),
            parts.segments(PAGE, "unit", label=words("control.unit"), data=_options(words, "unit", UNITS),
                           value=view.unit),
            parts.round_slider(PAGE, snapshot, view, words),
        ],
        className="controls",
        **{"aria-label": words("control.section")},
    )  # fmt: skip


def _choices(view: View, words: Words) -> html.Div:
    """Return the choices of the open tab: what the map shows, and how many flows are drawn."""
    scopes = parts.segments(PAGE, "scope", label=words("control.scope"), data=_options(words, "scope", SCOPES),
                            value=view.scope)  # fmt: skip
    top = parts.slider(PAGE, "top", label=words("control.top"), minimum=5, maximum=TOP_MAXIMUM_ARROWS, step=5,
                       value=view.top)  # fmt: skip
    return html.Div(
        [
            html.Div(scopes, id="flows-scope-box", style=_scope_style(view)),
            html.Div(top, id="flows-top-box", style=_top_style(view), className="top-box"),
        ],
        className="tab-choices",
    )


def _scope_style(view: View) -> dict[str, str]:
    """Return whether the choice between moves inside the city and with other places has a meaning."""
    chosen = view.tab in ("map", "sankey") and od_matrix.level_of(view) > CITY_LEVEL
    return SHOWN if chosen else HIDDEN


def _top_style(view: View) -> dict[str, str]:
    return SHOWN if view.tab in ("map", "sankey") else HIDDEN


def layout(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return the page: controls, one chart at a time, and the table of what it shows."""
    tabs = dmc.TabsList(
        [dmc.TabsTab(words(f"tab.{tab}"), value=tab) for tab in TABS], **{"aria-label": words("tab.label")}
    )
    on_map = [
        html.Div(id="flows-map-empty"),
        html.Div(parts.graph("flows-map", label=words("flows.map"), height=MAP_HEIGHT_PX), id="flows-map-box"),
        html.Div(id="flows-map-legend"),
        html.P(id="flows-note", className="note"),
        html.Div(id="flows-map-about"),
    ]
    others = [
        dmc.TabsPanel(html.Div(id=f"flows-panel-{tab}", className="flow-panel"), value=tab) for tab in PANELS
    ]  # fmt: skip
    return [
        *view_store(PAGE, snapshot, view, words),
        _controls(snapshot, view, words),
        html.Section(
            [
                html.H2(id="flows-title", className="panel-title"),
                html.Div(id="flows-breaks"),
                dmc.Tabs(
                    [tabs, _choices(view, words), dmc.TabsPanel(on_map, value="map", className="panel-map"), *others],
                    id=parts.control_id(PAGE, "tab"),
                    value=view.tab,
                    className="flow-tabs",
                    color="#00396b",
                ),
            ],
            className="panel",
        ),
        html.Section(
            [
                html.H2(words("flows.table"), className="panel-title"),
                tables.tools(PAGE, words, query=view.q),
                tables.grid("flows-grid", words, label=words("flows.table"), height_px=TABLE_PX, columns=[]),
            ],
            id="flows-table",
            className="panel",
        ),
    ]


def title_of(snapshot: Snapshot, view: View, words: Words) -> str:
    """Return what is shown: source, reason, area and round."""
    number = snapshot.round_or_last(view.round)
    pcode = snapshot.home if view.source == CHECKPOINT else snapshot.area_or_home(view.area)
    when = words("round.title", number=number, month=words.month(snapshot.reference_day(number)))
    both = is_told(view.source) and view.tab in ("bars", "trends")
    pieces = [words("flows.both_sources") if both else words(f"source.{view.source}")]
    if view.tab in ("bars", "trends") and (reason := reason_of(snapshot, view)) != TOTAL:
        pieces.append(snapshot.labels("reason", words).get(reason, reason))
    pieces.append(snapshot.full_name(pcode, words))
    return " · ".join(pieces if view.tab == "trends" else [*pieces, when]).replace("-", UNBROKEN_HYPHEN)


def breaks_told(snapshot: Snapshot, view: View, words: Words) -> list[html.P]:
    """Say which breaks the shown round's moves lie in; the tab of time shades its own."""
    if view.tab == "trends":
        return []
    found = {one.name: one for one in round_breaks(snapshot, view)}
    return [
        html.P(
            words("flows.break", label=getattr(one, f"label_{words.lang}"), what=getattr(one, f"what_{words.lang}")),
            className="note",
        )
        for one in found.values()
    ]


def register(app: Dash, current: Callable[[], Snapshot]) -> None:
    """Connect the page's controls; only what the open tab shows is computed."""

    @app.callback(
        Output("flows-title", "children"),
        Output("flows-breaks", "children"),
        Output("flows-map", "figure"),
        Output("flows-map-empty", "children"),
        Output("flows-map-box", "style"),
        Output("flows-map-legend", "children"),
        Output("flows-note", "children"),
        Output("flows-map-about", "children"),
        *[Output(f"flows-panel-{tab}", "children") for tab in PANELS],
        Output("flows-scope-box", "style"),
        Output("flows-top-box", "style"),
        Output("flows-table", "style"),
        Output("flows-grid", "columnDefs"),
        Output("flows-grid", "rowData"),
        Input(view_ids(PAGE), "data"),
        prevent_initial_call=True,
    )
    def _update(data: dict[str, Any] | None) -> tuple[Any, ...]:
        snapshot, view = current(), view_from_mapping(data or {})
        words = Words(view.lang)
        figure, empty, box, legend, note, about = (no_update,) * 6
        if view.tab == "map":
            figure, drawn = map_figure(snapshot, view, words)
            empty, box = map_empty(snapshot, view, words, drawn=drawn), SHOWN if drawn else HIDDEN
            legend = map_legend(snapshot, view, words)
            note, about = map_note(snapshot, view, words, drawn=drawn), map_about(snapshot, view, words)
        panels = [build(snapshot, view, words) if tab == view.tab else no_update for tab, build in PANELS.items()]
        rows = flow_tables.rows(snapshot, view, words)
        return (
            title_of(snapshot, view, words),
            breaks_told(snapshot, view, words),
            figure,
            empty,
            box,
            legend,
            note,
            about,
            *panels,
            _scope_style(view),
            _top_style(view),
            HIDDEN if rows.empty else SHOWN,
            flow_tables.columns(rows, view, words),
            tables.records(tables.matching(rows, view.q)),
        )

    register_download(app, current, PAGE, released_of=flow_tables.released)

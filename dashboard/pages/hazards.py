"""Lay the population under a hazard and say who is inside, with the interval."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go
from dash import Input, Output, html

from dashboard import charts, maps, parts, tables
from dashboard.pages.common import register_download, view_ids, view_store
from dashboard.state import View, view_from_mapping
from dashboard.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from dash import Dash

    from dashboard.reader import Snapshot
    from dtm.released import ReleasedTable

PAGE = "hazards"
NO_OVERLAY = "none"
RANKED = 12
SERVICES_KNOWN = ("clinic", "hospital", "khoroo_office", "kindergarten", "school")
SERVICE_COLORS = ("#56b4e9", "#d55e00", "#1c2330", "#f0e442", "#7a3b8f", "#009e73")
"""Told apart by colour-blind readers too, the first five best; points have a white edge against the raster below."""
POINT_PX, EDGE_PX = 6, 9


def _first(chosen: str, known: list[str]) -> str:
    return chosen if chosen in known else (known[0] if known else NO_OVERLAY)


def overlays(snapshot: Snapshot) -> list[str]:
    """Return the population rasters of the release."""
    return [str(name) for name in snapshot.rows("overlay")["name"]]


def _plain(name: str) -> str:
    return name.replace("_", " ").replace("-", " ")


def chosen_overlay(snapshot: Snapshot, view: View) -> str:
    """Return the raster to show; none is a choice too."""
    return view.overlay if view.overlay == NO_OVERLAY else _first(view.overlay, overlays(snapshot))


def layout(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return the page."""
    hazards = [{"value": name, "label": layer_label(snapshot, name, words)} for name in snapshot.layers("hazard")]
    rasters = [{"value": name, "label": words("overlay.named", name=_plain(name))} for name in overlays(snapshot)]
    nothing = {"value": NO_OVERLAY, "label": words("overlay.none")}
    return [
        *view_store(PAGE, snapshot, view, words),
        html.Section(
            [
                parts.select(PAGE, "hazard", words, label=words("control.hazard"), data=hazards or [nothing],
                             value=_first(view.hazard, snapshot.layers("hazard"))),
                parts.select(PAGE, "overlay", words, label=words("control.overlay"), data=[*rasters, nothing],
                             value=chosen_overlay(snapshot, view)),
                parts.slider(PAGE, "opacity", label=words("control.opacity"), minimum=0, maximum=100, step=10,
                             value=view.opacity),
                parts.area_select(PAGE, snapshot, view, words),
                parts.extent_select(PAGE, snapshot, view, words),
            ],
            className="controls",
            **{"aria-label": words("control.section")},
        ),
        html.Div(
            [
                html.Section(
                    [
                        html.H2(id="hazards-title", className="panel-title"),
                        parts.graph("hazards-map", label=words("hazard.map"), height=maps.MAP_HEIGHT_PX),
                        html.Div(id="hazards-legend"),
                    ],
                    className="panel panel-map",
                ),
                html.Section(
                    [
                        html.H2(words("hazard.inside"), className="panel-title"),
                        html.Div(id="hazards-cards", className="cards"),
                        parts.graph("hazards-chart", label=words("hazard.inside")),
                        html.P(id="hazards-no-chart", className="note"),
                        html.P(words("hazard.method"), className="note"),
                    ],
                    className="panel panel-side",
                ),
            ],
            className="columns",
        ),
        html.Section(
            [
                html.H2(words("hazard.table"), className="panel-title"),
                tables.tools(PAGE, words, query=view.q),
                tables.grid(
                    "hazards-grid",
                    words,
                    label=words("hazard.table"),
                    columns=[
                        tables.text_column("name", words("column.area"), minWidth=200),
                        tables.text_column("pcode", words("column.pcode")),
                        tables.number_column("value", words("column.inside"), sort="desc"),
                        tables.number_column("low", words("column.low")),
                        tables.number_column("high", words("column.high")),
                        tables.number_column("share_pct", words("column.share"), decimals=1),
                        tables.text_column("status_label", words("column.status")),
                    ],
                ),
            ],
            className="panel",
        ),
    ]  # fmt: skip


def layer_label(snapshot: Snapshot, name: str, words: Words) -> str:
    """Return what the names of all its features begin with, up to the comma; else the layer's own name."""
    features = snapshot.rows("layer_feature", name=name)
    labels = {str(label).split(",")[0] for label in features[words.label_column].dropna()}
    return labels.pop() if len(labels) == 1 else _plain(name)


def released_of(snapshot: Snapshot, view: View) -> ReleasedTable:
    """Return the released rows of the chosen hazard by khoroo, of the chosen area, each with an id."""
    hazard = _first(view.hazard, snapshot.layers("hazard"))
    released = snapshot.released("exposure", layer=hazard, level=int(snapshot.areas["level"].max()))
    frame = released.frame[released.frame["share_of_area"] > 0]
    frame = frame[frame["pcode"].str.startswith(snapshot.area_or_home(view.area))]
    return replace(released, frame=frame.assign(id=frame["pcode"]))


def exposure_rows(snapshot: Snapshot, view: View, words: Words) -> pd.DataFrame:
    """Return who is inside the chosen hazard by khoroo, of the chosen area, with names."""
    frame = released_of(snapshot, view).frame
    return pd.DataFrame(
        {
            "id": frame["pcode"],
            "name": [snapshot.full_name(pcode, words) for pcode in frame["pcode"]],
            "pcode": frame["pcode"],
            "hazard": frame["layer"],
            "round_number": frame["round_number"],
            "value": frame["persons"].astype("float64"),
            "low": frame["persons_low"].astype("float64"),
            "high": frame["persons_high"].astype("float64"),
            "share_pct": (frame["share_of_area"] * 100).round(1),
            "status": frame["status"],
            "status_label": [words(f"status.{status}") for status in frame["status"]],
        }
    ).reset_index(drop=True)


def cards(snapshot: Snapshot, view: View, words: Words, rows: pd.DataFrame) -> list[html.Div]:
    """Return who is inside in the selected area as a whole."""
    hazard, pcode = _first(view.hazard, snapshot.layers("hazard")), snapshot.area_or_home(view.area)
    frame = snapshot.rows("exposure", layer=hazard, pcode=pcode)
    if frame.empty:
        people, interval = words("hazard.nobody"), ""
    elif frame.iloc[0]["status"] != "published":
        people, interval = words(f"status.{frame.iloc[0]['status']}"), ""
    else:
        row = frame.iloc[0]
        people = words.number(row["persons"])
        interval = words(
            "hazard.interval", low=words.number(row["persons_low"]), high=words.number(row["persons_high"])
        )
    return [
        parts.card(words("hazard.people"), people, note=interval, accent="card-main"),
        parts.card(words("hazard.areas"), words.number(len(rows)), note=snapshot.full_name(pcode, words)),
    ]


def _overlay_layer(snapshot: Snapshot, name: str, opacity: float) -> list[dict[str, Any]]:
    found = snapshot.rows("overlay", name=name)
    if found.empty:
        return []
    box = found.iloc[0]
    west, south, east, north = (float(box[c]) for c in ("west_deg", "south_deg", "east_deg", "north_deg"))
    corners = [[west, north], [east, north], [east, south], [west, south]]
    return [
        {
            "sourcetype": "image",
            "source": maps.overlay_url(snapshot, name),
            "coordinates": corners,
            "opacity": opacity,
            "below": "traces",
        }
    ]


def map_figure(snapshot: Snapshot, view: View, words: Words) -> tuple[go.Figure, Any]:
    """Return the raster, the hazard and the services on the release's own borders, and their legend."""
    hazard = _first(view.hazard, snapshot.layers("hazard"))
    raster = chosen_overlay(snapshot, view)
    camera = maps.camera_for(maps.bounds_of(snapshot, view.extent), window_px=view.width)
    finest = int(snapshot.areas["level"].max())
    layers = [
        *_overlay_layer(snapshot, raster, view.opacity / 100),
        maps.line_layer(maps.map_url(snapshot, finest), color="#7d8494", width=0.6),
        *maps.district_lines(snapshot),
    ]
    entries = []
    if raster != NO_OVERLAY:
        entries.append((words("legend.population"), "", "swatch-population"))
    if hazard != NO_OVERLAY:
        url = maps.layer_url(snapshot, hazard)
        layers += [
            maps.fill_layer(url, color=maps.HAZARD_FILL, opacity=0.28),
            maps.line_layer(url, color=maps.HAZARD_FILL, width=2),
        ]
        entries.append((layer_label(snapshot, hazard, words), "", "swatch-hazard"))
    figure = maps.base_figure(
        snapshot, camera, layers=layers, keep=view.extent, style=maps.style_url(snapshot, words.lang)
    )
    figure.add_traces([_hover_points(snapshot, view, words)])
    points, point_entries = services(snapshot, words)
    selected = snapshot.area_or_home(view.area)
    outline = maps.outline_trace(snapshot.shapes(snapshot.level_of(selected)).get(selected))
    figure.add_traces([*points, *([outline] if outline is not None and selected != snapshot.home else [])])
    return figure, parts.swatches([*entries, *point_entries])


def _hover_points(snapshot: Snapshot, view: View, words: Words) -> go.Choroplethmap:
    """Return clear areas that answer a pointer with who is inside."""
    rows = exposure_rows(snapshot, view, words)
    finest = int(snapshot.areas["level"].max())
    texts = [
        f"<b>{row.name_}</b><br>{words('hazard.people')}: <b>{row.shown}</b><br>{row.interval}"
        for row in pd.DataFrame(
            {
                "name_": rows["name"],
                "shown": [
                    words.number(value) if status == "published" else words(f"status.{status}")
                    for value, status in zip(rows["value"], rows["status"], strict=True)
                ],
                "interval": [
                    words("hazard.interval", low=words.number(low), high=words.number(high))
                    for low, high in zip(rows["low"], rows["high"], strict=True)
                ],
            }
        ).itertuples()
    ]
    return go.Choroplethmap(
        geojson=maps.map_url(snapshot, finest),
        locations=list(rows["pcode"]),
        z=[0.0] * len(rows),
        colorscale=[[0, "#ffffff"], [1, "#ffffff"]],
        showscale=False,
        marker={"opacity": 0.02, "line": {"color": "#7d8494", "width": 0.5}},
        hovertext=texts,
        hoverinfo="text",
        below=maps.LABELS_ID,
    )


def services(snapshot: Snapshot, words: Words) -> tuple[list[go.Scattermap], list[tuple[str, str, str]]]:
    """Return the services as points, one colour a category, and their legend."""
    traces: list[go.Scattermap] = []
    entries: list[tuple[str, str, str]] = []
    labels = snapshot.labels("service", words)
    for name in snapshot.layers("service"):
        features = snapshot.release.layer(name)
        points = features[features.geometry.geom_type == "Point"]
        for category, chosen in points.groupby(points["category"].fillna(""), sort=True):
            color = SERVICE_COLORS[len(entries) % len(SERVICE_COLORS)]
            known = f"service.{category}"
            plain = words(known) if words.has(known) else _plain(str(category) or name)
            title = labels.get(str(category), plain)
            places = {"lon": list(chosen.geometry.x), "lat": list(chosen.geometry.y), "mode": "markers"}
            edge = {"size": EDGE_PX, "color": "#ffffff"}
            traces.append(go.Scattermap(**places, marker=edge, hoverinfo="skip", below=maps.LABELS_ID))
            traces.append(
                go.Scattermap(
                    **places,
                    marker={"size": POINT_PX, "color": color},
                    hovertext=[
                        f"<b>{label or title}</b><br>{title}" for label in chosen[words.label_column].fillna("")
                    ],
                    hoverinfo="text",
                    below=maps.LABELS_ID,
                )
            )
            entries.append((title, color, "swatch-point"))
    return traces, entries


def register(app: Dash, current: Callable[[], Snapshot]) -> None:
    """Connect the page's controls."""

    @app.callback(
        Output("hazards-map", "figure"),
        Output("hazards-legend", "children"),
        Output("hazards-title", "children"),
        Output("hazards-cards", "children"),
        Output("hazards-chart", "figure"),
        Output("hazards-chart", "style"),
        Output("hazards-no-chart", "children"),
        Output("hazards-grid", "rowData"),
        Input(view_ids(PAGE), "data"),
        prevent_initial_call=True,
    )
    def _update(data: dict[str, Any] | None) -> tuple[Any, ...]:
        snapshot, view = current(), view_from_mapping(data or {})
        words = Words(view.lang)
        rows = exposure_rows(snapshot, view, words)
        figure, legend = map_figure(snapshot, view, words)
        top = rows[rows["value"].notna() & (rows["value"] > 0)].sort_values("value", ascending=False).head(RANKED)
        bars = [
            {"name": r["name"], "persons": r["value"], "low": r["low"], "high": r["high"]}
            for r in top.fillna({"low": 0}).to_dict("records")
        ]
        chart = charts.interval_bars(bars, title=words("hazard.ranking"), words=words)
        chart.update_xaxes(title={"text": words("hazard.people"), "standoff": 4})
        chart.update_layout(margin={"b": 52})
        style = {} if bars else {"display": "none"}
        why = words("nothing.inside") if snapshot.layers("hazard") else words("nothing.hazard")
        number = snapshot.last_round
        when = words("round.title", number=number, month=words.month(snapshot.reference_day(number)))
        hazard = _first(view.hazard, snapshot.layers("hazard"))
        name = layer_label(snapshot, hazard, words) if hazard != NO_OVERLAY else words("overlay.none")
        shown = tables.records(tables.matching(rows, view.q))
        return (
            figure,
            legend,
            f"{name} · {when}",
            cards(snapshot, view, words, rows),
            chart,
            style,
            "" if bars else why,
            shown,
        )

    register_download(app, current, PAGE, released_of=released_of)

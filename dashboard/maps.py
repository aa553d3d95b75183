"""Draw maps from the release's own layers: areas, borders, roads, ger areas; nothing comes from elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
import shapely

from dashboard.arrows import from_mercator, to_mercator

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from dashboard.reader import Snapshot
    from dashboard.scales import Scale

STYLE_URL = "/assets/style.json"
"""A style without glyphs: letters are drawn by the browser. The built-in ones name a server for their letters."""
LABELS_ID = "labels"
"""The layer of names in a release's style; what is drawn goes below it."""
TILE_PX = 512
MAP_HEIGHT_PX = 560
PHONE_WIDTH_PX = 760
PEOPLE_SHARE = 0.88
"""The map opens on the smallest range of longitudes, and of latitudes, that holds this share of the people."""
PADDING = 1.12
HATCH_LINES_PER_AREA = 9
"""Of areas whose figure is hidden; other gaps have a third of it."""
LAND = "#f4f3ef"
BORDER = "#3b4252"
SUPPRESSED_FILL = "#c9ccd3"
SUPPRESSED_LINE = "#5d6472"
NOT_REPORTED_FILL = "#ffffff"
UNDEFINED_FILL = "#f1e4cf"
GAP_FILLS = {"suppressed": SUPPRESSED_FILL, "not_reported": NOT_REPORTED_FILL, "undefined": UNDEFINED_FILL}
GAP_LINES = {"suppressed": SUPPRESSED_LINE, "not_reported": "#9aa1ae", "undefined": "#a5824a"}
"""Gaps are hatched: to most eyes white is the palest class of a figure, and to a colour-blind one grey is too."""
RISING, FALLING = ("rising",), ("falling",)
GAP_HATCHES = {"suppressed": RISING, "not_reported": (*RISING, *FALLING), "undefined": FALLING}
SELECTED = "#d62976"
GER_FILL = "#8a5a2b"
HAZARD_FILL = "#b3261e"
EVERYWHERE = "everywhere"
PEOPLE = "people"
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Camera:
    """Where a map looks."""

    lon: float
    lat: float
    zoom: float


def map_url(snapshot: Snapshot, level: int) -> str:
    """Return the address of a level's polygons."""
    return f"/released/{snapshot.release_id}/areas-{level}.geojson"


def layer_url(snapshot: Snapshot, name: str) -> str:
    """Return the address of a layer."""
    return f"/released/{snapshot.release_id}/layer/{name}.geojson"


def overlay_url(snapshot: Snapshot, name: str) -> str:
    """Return the address of a raster's picture."""
    return f"/released/{snapshot.release_id}/overlay/{name}.png"


def style_url(snapshot: Snapshot, lang: str) -> str:
    """Return the address of the style that names the districts, and the khoroos from near by."""
    return f"/released/{snapshot.release_id}/style-{lang}.json"


def map_width_px(window_px: int) -> int:
    """Return about how wide the map is in a window."""
    return window_px - 40 if window_px < PHONE_WIDTH_PX * 1.3 else int(window_px * 0.6)


def camera_for(bounds: Bounds, *, window_px: int) -> Camera:
    """Return the view that holds a box of longitudes and latitudes."""
    west, south = to_mercator((bounds[0], bounds[1]))
    east, north = to_mercator((bounds[2], bounds[3]))
    span_x, span_y = max(east - west, 1e-3) * PADDING, max(north - south, 1e-3) * PADDING
    lon, lat = from_mercator(((west + east) / 2, (south + north) / 2))
    zoom_x = math.log2(map_width_px(window_px) * 360 / (TILE_PX * span_x))
    zoom_y = math.log2(MAP_HEIGHT_PX * 360 / (TILE_PX * span_y))
    return Camera(lon, lat, round(max(0.5, min(zoom_x, zoom_y, 15.0)), 2))


def _weighted_range(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Return the shortest range that holds `PEOPLE_SHARE` of the weights."""
    order = np.argsort(values)
    ordered, reached = values[order], np.cumsum(weights[order]) / weights.sum()
    before = reached - weights[order] / weights.sum()
    ends = np.searchsorted(reached, np.minimum(before + PEOPLE_SHARE, 1.0) - 1e-9)
    possible = np.flatnonzero(before <= 1 - PEOPLE_SHARE + 1e-9)
    widths = ordered[np.minimum(ends[possible], len(ordered) - 1)] - ordered[possible]
    first = possible[int(np.argmin(widths))]
    return float(ordered[first]), float(ordered[min(ends[first], len(ordered) - 1)])


def dense_bounds(lon: np.ndarray, lat: np.ndarray, weights: np.ndarray) -> Bounds:
    """Return the box that holds most of the weight of points."""
    west, east = _weighted_range(lon, weights)
    south, north = _weighted_range(lat, weights)
    return west - 0.01, south - 0.01, east + 0.01, north + 0.01


def people_bounds(snapshot: Snapshot) -> Bounds:
    """Return the box where most people live; an area without a published count weighs as the smallest one does."""
    areas = snapshot.at_level(int(snapshot.areas["level"].max()))
    stock = snapshot.rows(
        "stock", round_number=snapshot.last_round, category="actual", measure="persons", breakdown="total", item="total"
    ).set_index("pcode")["value"]
    persons = stock.reindex(areas.index).astype("float64")
    weights = persons.fillna(persons.min() if persons.notna().any() else 1.0).clip(lower=1.0).to_numpy()
    return dense_bounds(areas["lon"].to_numpy(), areas["lat"].to_numpy(), weights)


def shape_bounds(shapes: Iterable[shapely.Geometry]) -> Bounds | None:
    """Return the box around shapes, None around nothing."""
    box = shapely.total_bounds(np.array(list(shapes), dtype=object))
    return None if np.isnan(box).any() else (float(box[0]), float(box[1]), float(box[2]), float(box[3]))


def bounds_of(snapshot: Snapshot, extent: str) -> Bounds:
    """Return the box of a named extent: where the people are, everywhere, or an area."""
    if extent in snapshot.areas.index:
        shape = snapshot.shapes(snapshot.level_of(extent)).get(extent)
        box = shape_bounds([shape]) if shape is not None else None
        return box or people_bounds(snapshot)
    if extent == EVERYWHERE:
        return shape_bounds(snapshot.shapes(int(snapshot.areas["level"].min())).values()) or people_bounds(snapshot)
    return people_bounds(snapshot)


def base_figure(
    snapshot: Snapshot,
    camera: Camera,
    *,
    layers: list[dict[str, Any]],
    keep: str,
    style: str = STYLE_URL,
) -> go.Figure:
    """Return an empty map; `keep` names what must change before the reader's own pan and zoom are given up."""
    return blank_map(camera, land=map_url(snapshot, 1), layers=layers, keep=keep, style=style)


def blank_map(camera: Camera, *, land: str, layers: list[dict[str, Any]], keep: str, style: str) -> go.Figure:
    """Return a map of land and lines; `land` is the address of the polygons that are drawn as land."""
    ground = {"sourcetype": "geojson", "source": land, "type": "fill", "color": LAND, "below": "traces"}
    if style != STYLE_URL:
        layers = [{"below": LABELS_ID, **layer} for layer in layers]
    figure = go.Figure()
    figure.update_layout(
        map={
            "style": style,
            "center": {"lon": camera.lon, "lat": camera.lat},
            "zoom": camera.zoom,
            "layers": [ground, *layers],
            "uirevision": keep,
        },
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        uirevision=keep,
        showlegend=False,
        paper_bgcolor="#ffffff",
        hoverlabel={"bgcolor": "#ffffff", "bordercolor": "#3b4252", "font": {"size": 13, "color": "#1c2330"}},
        font={"family": "system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"},
    )
    return figure


def line_layer(url: str, *, color: str, width: float, opacity: float = 1.0) -> dict[str, Any]:
    """Return lines of a layer, above the areas."""
    return {
        "sourcetype": "geojson", "source": url, "type": "line", "color": color, "opacity": opacity,
        "line": {"width": width},
    }  # fmt: skip


def fill_layer(url: str, *, color: str, opacity: float) -> dict[str, Any]:
    """Return filled polygons of a layer, above the areas."""
    return {"sourcetype": "geojson", "source": url, "type": "fill", "color": color, "opacity": opacity}


def district_lines(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Return the borders of the districts, in a country those of the aimags above them, and the roads if any."""
    roads = [
        line_layer(layer_url(snapshot, name), color="#7d8494", width=1, opacity=0.55)
        for name in snapshot.layers("road")
    ]
    if len(snapshot.at_level(1)) > 1:
        soums = line_layer(map_url(snapshot, 2), color=BORDER, width=0.6, opacity=0.7)
        return [*roads, soums, line_layer(map_url(snapshot, 1), color=BORDER, width=1.8)]
    return [*roads, line_layer(map_url(snapshot, 2), color=BORDER, width=1.6)]


def areas_trace(
    snapshot: Snapshot,
    frame: pd.DataFrame,
    *,
    level: int,
    scale: Scale,
    hover: dict[str, str],
) -> list[go.Choroplethmap]:
    """Return the coloured areas: one trace of published values in classes, one for each kind of gap."""
    url = map_url(snapshot, level)
    published = frame[frame["value"].notna()]
    traces = []
    if not published.empty:
        classes = [scale.class_of(value) for value in published["value"]]
        traces.append(polygons_trace(url, list(published.index), classes, list(scale.colors), hover, opacity=0.92))
    gaps = frame[frame["value"].isna()]
    for status, color in GAP_FILLS.items():
        chosen = gaps[gaps["status"] == status]
        if not chosen.empty:
            traces.append(polygons_trace(url, list(chosen.index), [0] * len(chosen), [color], hover, opacity=0.85))
    return traces


def polygons_trace(
    url: str, pcodes: list[str], classes: list[int], colors: list[str], hover: dict[str, str], *, opacity: float
) -> go.Choroplethmap:
    """Return polygons coloured by the number of their class."""
    count = len(colors)
    steps = [[edge, color] for i, color in enumerate(colors) for edge in (i / count, (i + 1) / count)]
    return go.Choroplethmap(
        geojson=url,
        locations=pcodes,
        z=classes,
        zmin=-0.5,
        zmax=count - 0.5,
        colorscale=steps,
        showscale=False,
        marker={"opacity": opacity, "line": {"color": "#ffffff" if count > 1 else "#9aa1ae", "width": 0.7}},
        hovertext=[hover.get(pcode, pcode) for pcode in pcodes],
        hoverinfo="text",
        below=LABELS_ID,
    )


def gap_traces(shapes: dict[str, shapely.Geometry], frame: pd.DataFrame) -> list[go.Scattermap]:
    """Return lines over the areas without a figure, others for each reason, so that colour is not the only sign.

    Where no area has a figure there is nothing to take a gap for, and hidden ones alone are hatched.
    """
    kinds = list(GAP_HATCHES) if frame["value"].notna().any() else ["suppressed"]
    found = [
        hatch_trace(
            shapes,
            frame.index[frame["status"] == status],
            color=GAP_LINES[status],
            directions=GAP_HATCHES[status],
            lines=HATCH_LINES_PER_AREA if status == "suppressed" else HATCH_LINES_PER_AREA // 3,
        )
        for status in kinds
    ]
    return [trace for trace in found if trace is not None]


def hatch_trace(
    shapes: dict[str, shapely.Geometry],
    pcodes: Iterable[str],
    *,
    color: str = SUPPRESSED_LINE,
    directions: tuple[str, ...] = RISING,
    lines: int = HATCH_LINES_PER_AREA,
) -> go.Scattermap | None:
    """Return diagonal lines over areas, about so many on each; None without any."""
    lon: list[float | None] = []
    lat: list[float | None] = []
    for pcode in pcodes:
        shape = shapes.get(pcode)
        if shape is None or shape.is_empty:
            continue
        for direction in directions:
            for line in _diagonals(shape, lines=lines, is_falling=direction in FALLING):
                lon.extend([*(x for x, _ in line.coords), None])
                lat.extend([*(y for _, y in line.coords), None])
    if not lon:
        return None
    return go.Scattermap(
        lon=lon, lat=lat, mode="lines", line={"color": color, "width": 1}, hoverinfo="skip", below=LABELS_ID
    )


def _diagonals(shape: shapely.Geometry, *, lines: int, is_falling: bool) -> list[shapely.LineString]:
    west, south, east, north = shape.bounds
    size = max(east - west, (north - south) * 1.5)
    step = size * 1.6 / lines
    low, high = (north, south) if is_falling else (south, north)
    drawn = []
    start = west - (north - south) * 1.5 + step / 2
    while start < east:
        drawn.append(shapely.LineString([(start, low), (start + (north - south) * 1.5, high)]))
        start += step
    inside = shapely.intersection(shapely.MultiLineString(drawn), shapely.make_valid(shape))
    return [part for part in shapely.get_parts(inside) if part.geom_type == "LineString"]


def outline_trace(shape: shapely.Geometry | None) -> go.Scattermap | None:
    """Return the border of the selected area."""
    if shape is None or shape.is_empty:
        return None
    lon: list[float | None] = []
    lat: list[float | None] = []
    for polygon in shapely.get_parts(shape):
        if polygon.geom_type == "Polygon":
            lon.extend([*(x for x, _ in polygon.exterior.coords), None])
            lat.extend([*(y for _, y in polygon.exterior.coords), None])
    return go.Scattermap(lon=lon, lat=lat, mode="lines", line={"color": SELECTED, "width": 3.5}, hoverinfo="skip")

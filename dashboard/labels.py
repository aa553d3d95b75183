"""Name the areas on the map: a MapLibre style with the release's own names, drawn by the browser's own letters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dashboard.arrows import to_mercator
from dashboard.maps import LABELS_ID, TILE_PX

if TYPE_CHECKING:
    import shapely

    from dashboard.reader import Snapshot
    from dashboard.words import Words

KHOROO_LEVEL = 3
KHOROO_MIN_ZOOM = 12.0
SMALLEST_AREA_KM2 = 0.05
SOUM_MIN_ZOOM = 6.5
"""In a country the names of aimags stand alone up to this zoom; in one city its districts are named from afar."""
AIMAG_MAX_ZOOM = 9.0
LETTER_EM = 0.6
"""About how wide a bold letter is."""
SLACK_ZOOM = 0.7
"""A name may be wider than its area by this power of 2: it has its neighbour's edge to lean over."""
AIMAG_PX, DISTRICT_PX, KHOROO_PX = 15, 14, 11


def people_middle(snapshot: Snapshot, pcode: str) -> tuple[float, float]:
    """Return the middle of an area's small, dense parts, where its people are, rather than of its land."""
    area = snapshot.areas.loc[pcode]
    finest = snapshot.at_level(int(snapshot.areas["level"].max()))
    inside = finest[finest["pcode"].str.startswith(pcode)]
    if len(inside) <= 1:
        return float(area["lon"]), float(area["lat"])
    return dense_middle(inside["lon"], inside["lat"], inside["area_km2"])


def dense_middle(lon: pd.Series, lat: pd.Series, area_km2: pd.Series) -> tuple[float, float]:
    """Return the middle of areas, the small ones weighing most."""
    weights = 1 / area_km2.clip(lower=SMALLEST_AREA_KM2)
    return float(np.average(lon, weights=weights)), float(np.average(lat, weights=weights))


def fitting_zoom(name: str, shape: shapely.Geometry | None, *, size_px: int) -> float:
    """Return the zoom from which an area is about as wide as its name; 0 where its shape is not known."""
    if shape is None or shape.is_empty:
        return 0.0
    west, south, east, north = shape.bounds
    width = to_mercator((east, (south + north) / 2))[0] - to_mercator((west, (south + north) / 2))[0]
    wanted_px = max(len(name), 1) * size_px * LETTER_EM
    return round(math.log2(wanted_px * 360 / (TILE_PX * max(width, 1e-6))) - SLACK_ZOOM, 2)


def _points(snapshot: Snapshot, words: Words, level: int, *, size_px: int) -> dict[str, Any]:
    """Return the names of a level's areas at the places of their people, with what their order and zoom follow from."""
    features, shapes = [], snapshot.shapes(level)
    people = snapshot.rows(
        "stock", round_number=snapshot.last_round, category="actual", measure="persons", breakdown="total", level=level
    ).set_index("pcode")["value"]
    for pcode, area in snapshot.at_level(level).iterrows():
        number = area["number"]
        name = str(area[words.name_column])
        short = str(int(number)) if pd.notna(number) else name
        lon, lat = people_middle(snapshot, str(pcode))
        shown = short if level >= KHOROO_LEVEL else name
        persons = people.get(pcode)
        is_first = level == 1 and persons == people.max()  # the capital is a small area, and looked for first
        zoom = 0.0 if is_first else fitting_zoom(shown, shapes.get(str(pcode)), size_px=size_px)
        features.append(point(name, short, lon, lat, people=0 if pd.isna(persons) else int(persons), zoom=zoom))
    return points(features)


def point(name: str, short: str, lon: float, lat: float, *, people: int = 0, zoom: float = 0.0) -> dict[str, Any]:
    """Return a name at a place; the short one where there is little room, none before its zoom, most people first."""
    return {
        "type": "Feature",
        "properties": {"name": name, "short": short, "people": people, "zoom": zoom},
        "geometry": {"type": "Point", "coordinates": [round(lon, 5), round(lat, 5)]},
    }


def points(features: list[dict[str, Any]]) -> dict[str, Any]:
    """Return names as a source of a style."""
    return {"type": "geojson", "data": {"type": "FeatureCollection", "features": features}}


def _layer(identity: str, source: str, field: str, *, size: float, **more: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "type": "symbol",
        "source": source,
        "layout": {
            "text-field": ["get", field],
            "text-size": size,
            "text-font": ["Noto Sans Bold", "DejaVu Sans Bold"],
            "text-padding": 4,
            "symbol-sort-key": ["-", 0, ["get", "people"]],
        },
        "filter": ["<=", ["get", "zoom"], ["zoom"]],
        "paint": {"text-color": "#10151f", "text-halo-color": "#ffffff", "text-halo-width": 1.8},
        **more,
    }


def style(snapshot: Snapshot, words: Words) -> dict[str, Any]:
    """Return the style of a release's map."""
    is_country = len(snapshot.at_level(1)) > 1
    return named_style(
        f"release-{words.lang}",
        aimags=_points(snapshot, words, 1, size_px=AIMAG_PX) if is_country else None,
        districts=_points(snapshot, words, 2, size_px=DISTRICT_PX),
        khoroos=_points(snapshot, words, KHOROO_LEVEL, size_px=KHOROO_PX),
    )


def named_style(
    name: str, *, districts: dict[str, Any], khoroos: dict[str, Any], aimags: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a style that names areas at points; it has no `glyphs`, so no server is asked for letters.

    Names never overlap: the upper layer is placed first, in a layer the areas with most people; what finds no room is
    left out until the reader comes nearer.
    """
    background = {"id": "background", "type": "background", "paint": {"background-color": "#ffffff"}}
    layers = [
        _layer(LABELS_ID, "khoroos", "short", size=KHOROO_PX, minzoom=KHOROO_MIN_ZOOM),
        _layer("districts", "districts", "name", size=DISTRICT_PX, minzoom=SOUM_MIN_ZOOM if aimags else 0),
    ]
    sources = {"districts": districts, "khoroos": khoroos}
    if aimags:
        layers.append(_layer("aimags", "aimags", "name", size=AIMAG_PX, maxzoom=AIMAG_MAX_ZOOM))
        sources["aimags"] = aimags
    return {"version": 8, "name": name, "sources": sources, "layers": [background, *layers]}

"""Name the areas on the map: a MapLibre style with the release's own names, drawn by the browser's own letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dashboard.maps import LABELS_ID

if TYPE_CHECKING:
    from dashboard.reader import Snapshot
    from dashboard.words import Words

KHOROO_MIN_ZOOM = 12.0
SMALLEST_AREA_KM2 = 0.05


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


def _points(snapshot: Snapshot, words: Words, level: int) -> dict[str, Any]:
    features = []
    for pcode, area in snapshot.at_level(level).iterrows():
        number = area["number"]
        short = str(int(number)) if pd.notna(number) else str(area[words.name_column])
        lon, lat = people_middle(snapshot, str(pcode))
        features.append(point(str(area[words.name_column]), short, lon, lat))
    return points(features)


def point(name: str, short: str, lon: float, lat: float) -> dict[str, Any]:
    """Return a name at a place; the short one where there is little room."""
    return {
        "type": "Feature",
        "properties": {"name": name, "short": short},
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
            "text-padding": 2,
        },
        "paint": {"text-color": "#10151f", "text-halo-color": "#ffffff", "text-halo-width": 1.8},
        **more,
    }


def style(snapshot: Snapshot, words: Words) -> dict[str, Any]:
    """Return the style of a release's map."""
    return named_style(
        f"release-{words.lang}", districts=_points(snapshot, words, 2), khoroos=_points(snapshot, words, 3)
    )


def named_style(name: str, *, districts: dict[str, Any], khoroos: dict[str, Any]) -> dict[str, Any]:
    """Return a style that names areas at points; it has no `glyphs`, so no server is asked for letters."""
    background = {"id": "background", "type": "background", "paint": {"background-color": "#ffffff"}}
    near = _layer(LABELS_ID, "khoroos", "short", size=11, minzoom=KHOROO_MIN_ZOOM)
    return {
        "version": 8,
        "name": name,
        "sources": {"districts": districts, "khoroos": khoroos},
        "layers": [background, near, _layer("districts", "districts", "name", size=14)],
    }

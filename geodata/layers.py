"""Read a vector layer: ger areas, hazards, services or roads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import pandas as pd
import shapely

from geodata._area_checks import repaired
from geodata._area_fields import has_cyrillic, name_values, text_of
from geodata._vector_files import RawLayer, name_of, read_vector
from geodata.errors import GeodataUseError
from geodata.findings import AreaFinding, has_errors

if TYPE_CHECKING:
    from pathlib import Path

_POLYGONS: Final = ("Polygon", "MultiPolygon")
LAYER_KINDS: Final[dict[str, tuple[str, ...]]] = {
    "ger-area": _POLYGONS,
    "hazard": _POLYGONS,
    "service": ("Point", "MultiPoint", *_POLYGONS),
    "road": ("LineString", "MultiLineString"),
}
"""The kinds of layers and the geometry each takes; a service drawn as a polygon (a building) is kept as drawn."""

_LABEL_MN_NAMES: Final = ("label_mn", "name_mn", "name:mn", "нэр")
_LABEL_EN_NAMES: Final = ("label_en", "name_en", "name:en", "int_name")
_LABEL_NAMES: Final = ("name", "label", "title")
_CATEGORY_NAMES: Final = ("category", "type", "kind", "class", "fclass", "hazard", "highway", "amenity", "төрөл")
LAYER_COLUMNS: Final = ("feature", "label_mn", "label_en", "category", "geometry")


@dataclass(frozen=True)
class Layer:
    """A layer as read from one file; if `findings` holds an error nothing of it may be loaded.

    `features` is in EPSG:4326: feature (counted from 1 in the file), label_mn, label_en, category (texts or null),
    geometry.
    """

    name: str
    kind: str
    features: gpd.GeoDataFrame
    crs: str
    file_name: str
    file_sha256: str
    findings: list[AreaFinding]

    @property
    def has_errors(self) -> bool:
        """Say whether an error forbids loading the layer."""
        return has_errors(self.findings)


def read_layer(path: Path, *, kind: str, name: str) -> Layer:
    """Read GeoJSON (also .gz), GeoPackage, zipped Shapefile, KML, FlatGeobuf, or CSV with columns lon and lat.

    An invalid polygon is repaired with a warning: a layer shows where something is, it does not divide the land.

    Raises
    ------
    GeodataUseError
        If `kind` is not one of `LAYER_KINDS`.
    UnreadableFileError
        If there is no such file. All else is a finding.
    """
    if kind not in LAYER_KINDS:
        raise GeodataUseError(f"{kind!r} is no kind of layer; choose one of {', '.join(LAYER_KINDS)}")
    raw = read_vector(path, csv_points=True)
    features = _no_features() if raw.frame.empty or raw.unusable else _features(raw, LAYER_KINDS[kind])
    return Layer(name, kind, features, raw.crs, raw.file_name, raw.file_sha256, list(raw.findings))


def _no_features() -> gpd.GeoDataFrame:
    empty: dict[str, list[Any]] = {name: [] for name in LAYER_COLUMNS}
    return gpd.GeoDataFrame(empty, geometry="geometry", crs="EPSG:4326")


def _features(raw: RawLayer, allowed: tuple[str, ...]) -> gpd.GeoDataFrame:
    geometries = [_checked(raw, int(feature), shape, allowed) for feature, shape in raw.frame.geometry.items()]
    mongolian, english = _labels(raw)
    categories = name_values(raw, None, _CATEGORY_NAMES)
    numbers = [int(feature) for feature in raw.frame.index]
    table = pd.DataFrame(
        {
            "feature": numbers,
            "label_mn": pd.array([mongolian.get(number) or None for number in numbers], dtype="str"),
            "label_en": pd.array([english.get(number) or None for number in numbers], dtype="str"),
            "category": pd.array([categories.get(number) or None for number in numbers], dtype="str"),
        }
    )
    frame = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(geometries, crs="EPSG:4326"), crs="EPSG:4326")
    return frame[frame.geometry.notna()].reset_index(drop=True)


def _checked(raw: RawLayer, feature: int, shape: Any, allowed: tuple[str, ...]) -> Any:
    """Return the shape if the layer can hold it, else None with a finding."""
    if shape is None or shape.is_empty:
        if not any(f.feature == feature and f.code.startswith("geometry-") for f in raw.findings):
            raw.add("geometry-missing", feature=feature, name=name_of(raw.frame, feature))
        return None
    if shape.geom_type not in allowed:
        wanted = " / ".join(allowed)
        raw.add(
            "geometry-type", feature=feature, name=name_of(raw.frame, feature), value=shape.geom_type, wanted=wanted
        )
        return None
    if shape.geom_type in _POLYGONS and not shapely.is_valid(shape):
        return repaired(raw, feature, name_of(raw.frame, feature), shape, repair=True)
    return shape


def _labels(raw: RawLayer) -> tuple[dict[int, str], dict[int, str]]:
    """Return Mongolian and English labels; a plain 'name' goes to the language of its letters."""
    mongolian = name_values(raw, None, _LABEL_MN_NAMES)
    english = name_values(raw, None, _LABEL_EN_NAMES)
    for feature, text in name_values(raw, None, _LABEL_NAMES).items():
        side = mongolian if has_cyrillic(text) else english
        if text_of(text) and not side.get(feature):
            side[feature] = text
    return mongolian, english

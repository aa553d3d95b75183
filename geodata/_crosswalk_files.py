"""Read what a crosswalk is made of from files: areas with codes of any kind, and layers with all their fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geodata import _area_checks as checks
from geodata._area_fields import text_of
from geodata._vector_files import RawLayer, names_of, read_vector
from geodata.errors import CrosswalkError
from geodata.findings import AreaFinding, has_errors

if TYPE_CHECKING:
    from pathlib import Path

_LINE_TYPES = (1, 2, 5)


@dataclass(frozen=True)
class ReadLayer:
    """The features of a file in EPSG:4326 with all its fields; not to be used where `findings` holds an error."""

    features: gpd.GeoDataFrame
    findings: list[AreaFinding]

    @property
    def has_errors(self) -> bool:
        """Say whether an error forbids using the file."""
        return has_errors(self.findings)


def read_coded_areas(path: Path, *, code_field: str, repair: bool = False) -> ReadLayer:
    """Read any boundary file whose areas have a code of their own: `pcode` (the field's text) and `geometry`.

    Unlike `geodata.areas.read_areas` it asks for no Mongolian P-codes: whatever the field holds names the areas.

    Raises
    ------
    CrosswalkError
        The file has no such field.
    UnreadableFileError
        There is no such file. All else is a finding.
    """
    raw = read_vector(path)
    if raw.frame.empty or raw.unusable:
        return ReadLayer(_none(), list(raw.findings))
    if code_field not in raw.fields:
        raise CrosswalkError(f"{path.name}: there is no field '{code_field}'; the file has: {', '.join(raw.fields)}.")
    checks.check_each(raw, names=names_of(raw.frame), repair=repair)
    codes = [text_of(value) or None for value in raw.frame[code_field]]
    frame = gpd.GeoDataFrame({"pcode": codes}, geometry=raw.frame.geometry.to_numpy(), crs=raw.frame.crs)
    return ReadLayer(frame[frame.geometry.notna()].reset_index(drop=True), list(raw.findings))


def read_weight_layer(path: Path) -> ReadLayer:
    """Read points (also CSV with lon and lat) or polygons with all fields; invalid polygons are repaired.

    Raises
    ------
    CrosswalkError
        The features are lines, which have neither people nor land.
    UnreadableFileError
        There is no such file. All else is a finding.
    """
    raw = read_vector(path, csv_points=True)
    if raw.frame.empty or raw.unusable:
        return ReadLayer(_none(), list(raw.findings))
    if np.isin(shapely.get_type_id(raw.frame.geometry.to_numpy()), _LINE_TYPES).any():
        raise CrosswalkError(f"{path.name} holds lines; weights are points, polygons or a raster.")
    _repair(raw)
    return ReadLayer(raw.frame[raw.frame.geometry.notna()].reset_index(drop=True), list(raw.findings))


def is_polygonal(layer: gpd.GeoDataFrame) -> bool:
    """Say whether a layer has polygons, and so land."""
    return bool(layer.geom_type.isin(["Polygon", "MultiPolygon"]).any())


def _repair(raw: RawLayer) -> None:
    shapes = raw.frame.geometry.to_numpy().copy()
    invalid = ~shapely.is_missing(shapes) & ~shapely.is_valid(shapes)
    for position in invalid.nonzero()[0]:
        feature = int(raw.frame.index[position])
        shapes[position] = checks.repaired(
            raw, feature, names_of(raw.frame).get(feature, "-"), shapes[position], repair=True
        )
    raw.frame = raw.frame.set_geometry(gpd.GeoSeries(shapes, index=raw.frame.index, crs=raw.frame.crs))


def _none() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"pcode": []}, geometry=[], crs="EPSG:4326")

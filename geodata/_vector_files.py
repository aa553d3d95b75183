"""Read a vector file feature by feature, losing none: what can't be read becomes a finding with its number."""

from __future__ import annotations

import hashlib
import io
import json
import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from geodata._packed_files import PackedFileError, check_zip, declares_entities, inflate
from geodata.errors import UnreadableFileError
from geodata.findings import AreaFinding, make

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

WGS84: Final = "EPSG:4326"
MONGOLIA_BOX_DEG: Final = (87.5, 41.4, 120.2, 52.4)
"""West, south, east and north of the country, with a margin of about 20 km."""

LARGEST_ANGLE_DEG: Final = 180
"""A larger number is no angle: 90 is not the limit, because swapped coordinates get a finding of their own."""

_MAGIC: Final = {b"SQLite format 3\x00": "GPKG", b"PK\x03\x04": "ZIP", b"fgb": "FlatGeobuf", b"\x1f\x8b": "GZIP"}
_WHOLE_FILE: Final = ("file-", "crs-", "columns-", "coordinate-")


@dataclass
class RawLayer:
    """The features of one file in WGS84, in the file's order, with what was found while reading.

    `frame` has the file's fields and `geometry` (None where it couldn't be read); its index counts features from 1.
    """

    frame: gpd.GeoDataFrame
    crs: str
    file_name: str
    file_sha256: str
    layer: str | None = None
    findings: list[AreaFinding] = field(default_factory=list)

    def add(self, code: str, **details: Any) -> None:
        """Add a finding about this file."""
        self.findings.append(make(code, file_name=self.file_name, layer=self.layer, **details))

    @property
    def unusable(self) -> bool:
        """Say whether the file as a whole failed: it could not be read, or it is unknown where its features lie."""
        return any(f.severity == "error" and f.code.startswith(_WHOLE_FILE) for f in self.findings)

    @property
    def fields(self) -> list[str]:
        """Return the names of the file's fields."""
        return [str(name) for name in self.frame.columns if name != "geometry"]


def read_vector(path: Path, *, csv_points: bool = False) -> RawLayer:
    """Read any accepted format; `csv_points` also takes CSV with columns of longitude and latitude.

    Raises `UnreadableFileError` only where there is no file or it can't be opened; all else is a finding.
    """
    content = read_bytes(path)
    raw = RawLayer(_no_features(), "", path.name, hashlib.sha256(content).hexdigest())
    if not content.strip():
        raw.add("file-empty")
        return raw
    kind = next((kind for magic, kind in _MAGIC.items() if content.startswith(magic)), None)
    if kind == "GZIP":
        try:
            content, kind = inflate(content), None
        except PackedFileError as error:
            raw.add("file-damaged", reason=str(error))
            return raw
    _read_content(raw, path, content, kind, csv_points=csv_points)
    if not raw.unusable and raw.frame.empty:
        raw.add("file-no-features")
    if not raw.unusable:
        _to_wgs84(raw)
    return raw


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file; raise `UnreadableFileError` if there is none to open."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UnreadableFileError(f"{path} does not exist; check the name of the file") from error
    except OSError as error:
        raise UnreadableFileError(f"{path} can't be opened ({error.strerror}); give a file that may be read") from error


def _read_content(raw: RawLayer, path: Path, content: bytes, kind: str | None, *, csv_points: bool) -> None:
    start = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    more = " or CSV with lon and lat" if csv_points else ""
    if kind == "ZIP":
        try:
            check_zip(content)
        except PackedFileError as error:
            raw.add("file-damaged", reason=str(error))
            return
    if kind:
        _read_with_gdal(raw, path, content)
    elif start.startswith(b"{"):
        _read_geojson(raw, content)
    elif start.startswith(b"<") and b"<kml" in start:
        if declares_entities(content):
            raw.add("file-damaged", reason="it declares a document type or entities")
            return
        _read_with_gdal(raw, path, content)
    elif csv_points and path.name.lower().removesuffix(".gz").endswith((".csv", ".txt")):
        _read_csv(raw, content)
    else:
        raw.add("file-type", reason=f"it starts with {start[:12]!r}", more=more)


def _no_features() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"geometry": []}, geometry="geometry", crs=WGS84)


# --- GeoJSON -----------------------------------------------------------------------------------------------------


def _read_geojson(raw: RawLayer, content: bytes) -> None:
    """Parse GeoJSON here: the usual readers turn a broken feature into a null geometry without a word."""
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raw.add("file-damaged", reason=f"{error.msg} at line {error.lineno}, column {error.colno}")
        return
    except RecursionError:
        raw.add("file-damaged", reason="its JSON is nested too deep")
        return
    except UnicodeDecodeError as error:
        raw.add("file-damaged", reason=f"byte {error.start} is not UTF-8 text")
        return
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        raw.add("file-type", reason="its JSON is not a FeatureCollection", more="")
        return
    properties: list[dict[str, Any]] = []
    geometries: list[Any] = []
    for number, feature in enumerate(features, start=1):
        given = feature.get("properties") if isinstance(feature, dict) else None
        properties.append(given if isinstance(given, dict) else {})
        geometries.append(_geojson_geometry(raw, number, feature))
    frame = pd.DataFrame(properties, index=pd.RangeIndex(1, len(features) + 1)).drop(
        columns="geometry", errors="ignore"
    )
    crs = _geojson_crs(raw, document)
    raw.frame = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(geometries, index=frame.index, crs=crs), crs=crs)


def _geojson_geometry(raw: RawLayer, number: int, feature: object) -> Any:
    """Return the shape of one feature, or None with a finding that says why."""
    if not isinstance(feature, dict) or "geometry" not in feature:
        raw.add("geometry-broken", feature=number, reason="it is not a GeoJSON feature", name=_label(feature))
        return None
    geometry = feature["geometry"]
    if geometry is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a coordinate that is no number gets a finding of its own
            return shapely.force_2d(shapely.geometry.shape(geometry))
    except Exception as error:  # noqa: BLE001  (whatever a hostile feature raises is the finding's reason)
        reason = f"{error or type(error).__name__}"
        raw.add("geometry-broken", feature=number, reason=reason[:200], name=_label(feature))
        return None


def _label(feature: object) -> str:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    texts = [str(value) for value in properties.values() if value] if isinstance(properties, dict) else []
    return ", ".join(texts[:3])[:80] or "-"


def _geojson_crs(raw: RawLayer, document: dict[str, Any]) -> CRS:
    """Return the stated reference system; GeoJSON without one is WGS84 (RFC 7946)."""
    stated = document.get("crs")
    if stated is None:
        return CRS.from_user_input(WGS84)
    try:
        return CRS.from_user_input(stated["properties"]["name"])
    except (CRSError, KeyError, TypeError) as error:
        raw.add("crs-unknown", reason=str(error)[:120])
        return CRS.from_user_input(WGS84)


# --- CSV ---------------------------------------------------------------------------------------------------------

_LON_NAMES: Final = ("lon", "longitude", "lng", "long", "x", "уртраг")
_LAT_NAMES: Final = ("lat", "latitude", "y", "өргөрөг")


def _read_csv(raw: RawLayer, content: bytes) -> None:
    try:
        frame = pd.read_csv(io.BytesIO(content), dtype=str, encoding="utf-8-sig", keep_default_na=False)
    except (ValueError, pd.errors.ParserError) as error:
        raw.add("file-damaged", reason=str(error)[:200])
        return
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    by_name = {str(name).strip().casefold(): name for name in frame.columns}
    lon_name = next((by_name[name] for name in _LON_NAMES if name in by_name), None)
    lat_name = next((by_name[name] for name in _LAT_NAMES if name in by_name), None)
    if lon_name is None or lat_name is None:
        raw.add("columns-missing", candidates=", ".join(map(str, frame.columns)))
        return
    numbers = {name: pd.to_numeric(frame[name].str.strip(), errors="coerce") for name in (lon_name, lat_name)}
    for name, values in numbers.items():
        for feature in values.index[~np.isfinite(values.to_numpy(float))]:
            raw.add("coordinate-text", feature=int(feature), field=name, value=frame.loc[feature, name])
    if raw.unusable:
        return
    points = shapely.points(numbers[lon_name].to_numpy(float), numbers[lat_name].to_numpy(float))
    raw.frame = gpd.GeoDataFrame(frame.drop(columns=[lon_name, lat_name]), geometry=points, crs=WGS84)


# --- Everything GDAL reads ---------------------------------------------------------------------------------------


def _read_with_gdal(raw: RawLayer, path: Path, content: bytes) -> None:
    """Read the only layer that has geometry, and check that every promised feature came."""
    source: Any = path if not path.name.lower().endswith(".gz") else content
    source = f"/vsizip/{path.resolve()}" if content.startswith(b"PK") else source
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            raw.layer = _only_layer(raw, source)
            if raw.unusable:
                return
            promised = int(pyogrio.read_info(source, layer=raw.layer, force_feature_count=True)["features"])
            frame = pyogrio.read_dataframe(source, layer=raw.layer)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError, OSError) as error:
        raw.add("file-damaged", reason=_without_folder(str(error), path)[:200])
        return
    except (shapely.errors.GEOSException, CRSError) as error:
        raw.add("file-damaged", reason=str(error)[:200])
        return
    for text in dict.fromkeys(_without_folder(str(warning.message), path) for warning in caught):
        raw.add("file-driver", reason=text[:200])
    if promised > len(frame):
        raw.add("file-damaged", reason=f"it promises {promised} features and holds {len(frame)}")
    if not isinstance(frame, gpd.GeoDataFrame):
        raw.add("file-type", reason="it has no geometry", more="")
        return
    frame = frame.rename_geometry("geometry") if frame.geometry.name != "geometry" else frame
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    frame["geometry"] = shapely.force_2d(frame.geometry.to_numpy())
    raw.frame = frame
    if frame.crs is None and len(frame):
        raw.add("crs-missing")


def _only_layer(raw: RawLayer, source: Any) -> str | None:
    layers = [str(name) for name, kind in pyogrio.list_layers(source) if kind is not None]
    if len(layers) > 1:
        raw.add("file-layers", candidates=", ".join(layers))
    if not layers:
        raw.add("file-type", reason="it holds no layer with geometry", more="")
        return None
    return layers[0]


def _without_folder(text: str, path: Path) -> str:
    """Leave the name of the file in a message, not the folder it lies in."""
    return re.sub(r"(/vsizip/|/vsimem/)?\S*" + re.escape(path.name), path.name, text)


# --- Reference systems -------------------------------------------------------------------------------------------


def _to_wgs84(raw: RawLayer) -> None:
    """Bring the features to WGS84 and look whether they can be where they say."""
    crs = CRS.from_user_input(raw.frame.crs)
    raw.crs = f"{':'.join(crs.to_authority())}" if crs.to_authority() else crs.name
    _check_numbers(raw)
    bounds = raw.frame.geometry.bounds.to_numpy()
    finite = np.isfinite(bounds).all(axis=1)
    if crs.is_geographic and finite.any():
        beyond = np.abs(bounds[finite]).max(axis=0)
        if beyond.max() > LARGEST_ANGLE_DEG:
            west, south = bounds[finite][int(np.abs(bounds[finite]).max(axis=1).argmax())][:2]
            raw.add("crs-metres", x=west, y=south)
            return
    if crs != CRS.from_user_input(WGS84):
        raw.frame = raw.frame.to_crs(WGS84)
    _check_place(raw)


def _check_numbers(raw: RawLayer) -> None:
    """Find coordinates that are no numbers; such a geometry is set aside."""
    coordinates, owner = shapely.get_coordinates(raw.frame.geometry.to_numpy(), return_index=True)
    for position in np.unique(owner[~np.isfinite(coordinates).all(axis=1)]):
        feature = raw.frame.index[position]
        raw.add("geometry-nan", feature=int(feature), name=name_of(raw.frame, feature))
        raw.frame.loc[feature, "geometry"] = None


def _check_place(raw: RawLayer) -> None:
    bounds = raw.frame.geometry.bounds.to_numpy()
    outside = _outside(bounds)
    swapped = _outside(bounds[:, [1, 0, 3, 2]])
    if outside.any() and outside.sum() * 2 > np.isfinite(bounds[:, 0]).sum() and not swapped[outside].all():
        first = bounds[outside & ~swapped][0]
        raw.add("crs-swapped", x=first[0], y=first[1])
        return
    for position in np.flatnonzero(outside):
        feature = raw.frame.index[position]
        west, south, east, north = bounds[position]
        raw.add(
            "outside-mongolia",
            feature=int(feature),
            name=name_of(raw.frame, feature),
            x=(west + east) / 2,
            y=(south + north) / 2,
        )


def _outside(bounds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    west, south, east, north = MONGOLIA_BOX_DEG
    inside = (bounds[:, 0] >= west) & (bounds[:, 1] >= south) & (bounds[:, 2] <= east) & (bounds[:, 3] <= north)
    return np.asarray(np.isfinite(bounds).all(axis=1) & ~inside)


def names_of(frame: gpd.GeoDataFrame) -> dict[int, str]:
    """Return what a person would know each feature by: its first texts."""
    columns = [frame[name].to_list() for name in frame.columns if name != "geometry"]
    rows = zip(*columns, strict=True) if columns else [()] * len(frame)
    return {int(feature): _first_texts(row) for feature, row in zip(frame.index, rows, strict=True)}


def name_of(frame: gpd.GeoDataFrame, feature: int) -> str:
    """Return what a person would know one feature by."""
    return names_of(frame.loc[[feature]])[int(feature)]


def _first_texts(values: Iterable[Any]) -> str:
    texts = [value for value in values if isinstance(value, str) and value.strip() and not value.isdigit()]
    return ", ".join(texts[:3])[:80] or "-"

"""Write released rows as a GeoPackage: the rows as they are, areas to colour, lines to draw, and what they are."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely

from dtm._exports_about import about_rows, built_at, provenance, title
from dtm._exports_rows import TOTAL, arrow_rows
from dtm.released import ReleasedTable
from dtm.series_breaks import BREAK_COLUMN, SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dtm.released import Release

_CRS = "EPSG:4326"
_AREA_ATTRIBUTES = (
    "round_number",
    "started_on",
    "ended_on",
    "level",
    "pcode",
    "name_en",
    "name_mn",
    "parent_name_en",
    "parent_name_mn",
    "units_expected",
    "units_reported",
    "registered_coverage_share",
    "release_id",
    "is_demonstration",
)
_LINE_ATTRIBUTES = (
    "round_number",
    "started_on",
    "ended_on",
    "flow_days",
    "source",
    "level",
    "pcode",
    "direction",
    "counterpart",
    "origin",
    "origin_name_en",
    "origin_name_mn",
    "destination",
    "destination_name_en",
    "destination_name_mn",
    "units_expected",
    "units_reported",
    "registered_coverage_share",
    "hours_observed",
    BREAK_COLUMN,
    "release_id",
    "is_demonstration",
)
_FIGURES = {
    "indicators": ("indicator",),
    "density": ("indicator",),
    "flow-items": ("source", "direction", "breakdown", "item"),
    "vitals": ("event",),
    "imputed": ("figure",),
    "carried": ("from_set", "category"),
    "survey": ("estimate", "item"),
}
"""Products with a column a figure on the map, and the columns that name it."""
_WIDE = ("exposure", "balance")
"""Products that have one row a round and area as they are."""
_PAIRS = ("reconciled", "survey-flows")
"""Products with one row a pair of places as they are."""
_GDAL_DATE_LOCK = threading.Lock()


def write_gpkg(table: ReleasedTable, path: Path, *, release: Release | None, language: str) -> None:
    """Write a GeoPackage a QGIS user can style at once.

    - the table of the product's name: every row, without geometry, as in the CSV;
    - `PRODUCT_areas_level_N`: a polygon per round and area with one column a figure and one for its status;
    - `PRODUCT_lines_level_N` of moves: a line from origin to destination, where both have a position and differ;
    - `about`: what the file is and where it comes from, also in the file's metadata.

    Without a release (rows of a table that has no map) only the rows and `about` are written.
    """
    told = provenance(table, language=language)
    metadata = {
        "DTM_RELEASE_ID": told["release_id"],
        "DTM_IS_DEMONSTRATION": json.dumps(told["is_demonstration"]),
        "DTM_NOTICE": told["notice"],
        "DTM_PROVENANCE": json.dumps(told, ensure_ascii=False, default=str),
    }
    description = f"{told['notice']} {title(table, language=language)}. {told['release_id']}".strip()
    layers = _map_layers(table, release=release) if release is not None else []
    with _dated(built_at(table).strftime("%Y-%m-%dT%H:%M:%SZ")):
        for position, (name, rows, kind) in enumerate(layers):
            pyogrio.write_arrow(
                rows,
                path,
                layer=name,
                driver="GPKG",
                geometry_name="geometry",
                geometry_type=kind,
                crs=_CRS,
                append=position > 0,
                dataset_metadata=metadata if position == 0 else None,
                layer_options={"DESCRIPTION": description, "IDENTIFIER": name},
            )
        rows = arrow_rows(table)
        about = pa.table(
            list(zip(*about_rows(table, language=language), strict=True)), names=["subject", "name", "text"]
        )
        for name, part in ((table.name, rows), ("about", about)):
            pyogrio.write_arrow(
                part,
                path,
                layer=name,
                driver="GPKG",
                append=bool(layers) or name == "about",
                dataset_metadata=metadata if not layers and name != "about" else None,
                layer_options={"DESCRIPTION": description, "IDENTIFIER": name},
            )


@contextmanager
def _dated(moment: str) -> Iterator[None]:
    """Let GDAL date the file by the release, not by the clock; the option is the process's, so one at a time."""
    with _GDAL_DATE_LOCK:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": moment})
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _map_layers(table: ReleasedTable, *, release: Release) -> list[tuple[str, pa.Table, str]]:
    layers: list[tuple[str, pa.Table, str]] = []
    is_mapped = table.name in (*_FIGURES, *_WIDE, "flows", "stocks")
    for level in sorted({int(level) for level in table.frame["level"]}) if is_mapped else ():
        rows = _wide_areas(table.frame[table.frame["level"] == level], product=table.name)
        if rows.empty:
            continue
        shapes = release.areas(level).set_index("pcode").geometry
        geometry = [_multi(shape) for shape in shapes.reindex(rows["pcode"])]
        layers.append((f"{table.name}_areas_level_{level}", _with_geometry(rows, geometry, table), "MultiPolygon"))
    if table.name in ("flows", *_PAIRS):
        lines = _flow_lines(table, release=release)
        for level in sorted({int(level) for level in lines["level"]}):
            rows = lines[lines["level"] == level]
            part = _with_geometry(rows.drop(columns="line"), list(rows["line"]), table)
            layers.append((f"{table.name}_lines_level_{level}", part, "LineString"))
    return layers


def _wide_areas(frame: pd.DataFrame, *, product: str) -> pd.DataFrame:
    """Return one row per round and area, with a column for each figure and one for its status."""
    if product in _WIDE:
        return frame
    if product == "flows":
        frame = frame[frame["counterpart"] == TOTAL]
    keyed = frame.assign(figure=_figure_names(frame, product=product))
    # a checkpoint's row has no coverage by returns, so the area's other rows come first
    ordered = (
        keyed.sort_values("units_expected", na_position="last", kind="stable") if "units_expected" in keyed else keyed
    )
    attributes = ordered[[name for name in _AREA_ATTRIBUTES if name in ordered]]
    attributes = attributes.drop_duplicates(["round_number", "pcode"])
    attributes = attributes.sort_values(["round_number", "pcode"]).set_index(["round_number", "pcode"])
    if BREAK_COLUMN in keyed:
        attributes[BREAK_COLUMN] = _breaks_of_any(keyed)
    figures = {}
    for name, rows in keyed.groupby("figure", sort=True):
        by_area = rows.set_index(["round_number", "pcode"])[["value", "status"]].reindex(attributes.index)
        figures[str(name)] = by_area["value"]
        figures[f"{name}_status"] = by_area["status"]
    return pd.concat([attributes, pd.DataFrame(figures, index=attributes.index)], axis=1).reset_index()


def _breaks_of_any(rows: pd.DataFrame) -> pd.Series[str]:
    """Return by round and area the names of the breaks that any of its figures has; nothing where none has one."""
    told = rows.dropna(subset=[BREAK_COLUMN]).set_index(["round_number", "pcode"])[BREAK_COLUMN]
    names = told.str.split(SEPARATOR).explode().reset_index().drop_duplicates()
    joined: pd.Series[str] = names.groupby(["round_number", "pcode"])[BREAK_COLUMN].agg(SEPARATOR.join)
    return joined.astype("str")


def _figure_names(frame: pd.DataFrame, *, product: str) -> pd.Series[str]:
    """Name the column of a figure: `actual_persons_age_0_4`, `arrivals_in_persons`, `net_per_1000`."""
    if product == "stocks":
        name = frame["category"] + "_" + frame["measure"]
        detail = "_" + frame["breakdown"] + "_" + frame["item"].str.removeprefix("age_")
        return name + detail.where(frame["item"] != TOTAL, "")
    if product == "flows":
        name = frame["source"] + "_" + frame["direction"] + "_" + frame["measure"]
        return name + ("_reason_" + frame["reason"]).where(frame["reason"] != TOTAL, "")
    first, *others = _FIGURES[product]
    name = "imputed_" + frame[first] if product == "imputed" else frame[first]  # `arrivals` alone are those told
    for column in others:
        name = name + ("_" + frame[column]).where(frame[column] != TOTAL, "")
    return name


def _flow_lines(table: ReleasedTable, *, release: Release) -> pd.DataFrame:
    """Return one row per source, origin and destination with its line, persons and households."""
    frame = table.frame
    places = release.table("place").frame.dropna(subset=["lon", "lat"]).set_index("pcode")
    own = release.table("area").frame.set_index("pcode")
    lon = pd.concat([own["lon"], places["lon"]])
    lat = pd.concat([own["lat"], places["lat"]])
    lon, lat = lon[~lon.index.duplicated()], lat[~lat.index.duplicated()]
    located = frame["origin"].isin(lon.index) & frame["destination"].isin(lon.index)
    frame = frame[located & (frame["origin"] != frame["destination"])]
    if table.name in _PAIRS:
        return frame.reset_index(drop=True).assign(line=lambda rows: _lines(rows, lon, lat))
    frame = frame[frame["counterpart"] != TOTAL]
    key = ["round_number", "source", "pcode", "direction", "counterpart"]
    lines = frame[list(_LINE_ATTRIBUTES)].drop_duplicates(key).set_index(key)
    for measure in ("persons", "households"):
        rows = frame[frame["measure"] == measure].set_index(key)[["value", "status"]].reindex(lines.index)
        lines[measure], lines[f"{measure}_status"] = rows["value"], rows["status"]
    lines = lines.reset_index()[[*_LINE_ATTRIBUTES, "persons", "persons_status", "households", "households_status"]]
    return lines.assign(line=_lines(lines, lon, lat))


def _lines(rows: pd.DataFrame, lon: pd.Series[float], lat: pd.Series[float]) -> pd.Series[Any]:
    """Return straight lines from origin to destination."""
    ends = [
        np.column_stack([rows[end].map(side).to_numpy(dtype=float) for side in (lon, lat)])
        for end in ("origin", "destination")
    ]
    return pd.Series(shapely.linestrings(np.stack(ends, axis=1)), index=rows.index, dtype="object")


def _multi(shape: Any) -> Any:
    return shapely.MultiPolygon([shape]) if isinstance(shape, shapely.Polygon) else shape


def _with_geometry(rows: pd.DataFrame, geometry: list[Any], table: ReleasedTable) -> pa.Table:
    """Return rows and shapes as Arrow; a figure has the type of the product's value."""
    arrow = arrow_rows(ReleasedTable(table.name, rows.reset_index(drop=True), table.manifest))
    return arrow.append_column("geometry", pa.array(shapely.to_wkb(geometry), pa.binary()))

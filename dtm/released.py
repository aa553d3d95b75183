"""Read a release; what comes from here, and only that, may be shown or exported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

from dtm._release_tables import RELEASE_TABLES
from dtm.engine import Connection, connect
from dtm.errors import BadInputError, NoReleaseError, ReleaseFormatError
from dtm.messages import message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from dtm.workspace import Workspace

CURRENT_FILE = "CURRENT"
DATABASE_FILE = "release.duckdb"
MANIFEST_FILE = "manifest.json"
RELEASE_FORMAT = 3
"""Version of the release's tables and files; 2 added the tables of estimates, 3 the area of a break in a series."""


@dataclass(frozen=True)
class ReleasedTable:
    """Rows of a release, with the manifest they came under; made by `Release` alone."""

    name: str
    frame: pd.DataFrame
    manifest: Mapping[str, Any]


class Release:
    """One immutable release, open for reading.

    A process opens its own; a connection is not shared between processes. Threads of one process may call
    the methods at once: each call takes a cursor of its own.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: Connection = connect(path / DATABASE_FILE, read_only=True, spatial=False, threads=1)

    @property
    def release_id(self) -> str:
        """Return the identifier, which is the folder's name."""
        return self.path.name

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Return inputs with hashes, versions, parameters, checks, who signed off."""
        text = (self.path / MANIFEST_FILE).read_text(encoding="utf-8")
        manifest: dict[str, Any] = json.loads(text)
        return manifest

    @property
    def is_demonstration(self) -> bool:
        """Return whether any figure of it was generated."""
        return bool(self.manifest["is_demonstration"])

    def table(
        self,
        name: str,
        *,
        where: Mapping[str, Any] | None = None,
        order_by: Sequence[str] = (),
    ) -> ReleasedTable:
        """Return rows of a declared table; geometry columns come as WKB.

        Parameters
        ----------
        name
            A table of the release, see the data dictionary.
        where
            Equal values by column; a list or tuple means any of them; None means null.
        order_by
            Columns to sort by; the table's key when not given.
        """
        declared = RELEASE_TABLES[name]
        columns = ", ".join(
            f"ST_AsWKB({c.name}) AS {c.name}" if c.type == "GEOMETRY" else c.name for c in declared.columns
        )
        clauses: list[str] = []
        values: list[Any] = []
        for column, wanted in (where or {}).items():
            if column not in declared.column_names:
                raise KeyError(f"{name} has no column {column}")
            if wanted is None:
                clauses.append(f"{column} IS NULL")
            elif isinstance(wanted, (list, tuple, set)):
                clauses.append(f"list_contains(?, {column})")
                values.append(list(wanted))
            else:
                clauses.append(f"{column} = ?")
                values.append(wanted)
        sql = f"SELECT {columns} FROM {name}"
        if clauses:
            sql += " WHERE " + " AND ".join(clauses)
        order = list(order_by) or list(declared.key)
        if order:
            sql += " ORDER BY " + ", ".join(order)
        frame = self._connection.cursor().execute(sql, values).df()
        return ReleasedTable(name, frame, self.manifest)

    def areas(self, level: int) -> gpd.GeoDataFrame:
        """Return the areas of a level with full geometry, EPSG:4326, sorted by P-code."""
        return self._places("area", {"level": level})

    def layer(self, name: str) -> gpd.GeoDataFrame:
        """Return the features of a layer, EPSG:4326."""
        return self._places("layer_feature", {"name": name})

    def _places(self, table: str, where: Mapping[str, Any]) -> gpd.GeoDataFrame:
        frame = self.table(table, where=where).frame
        geometry = shapely.from_wkb([bytes(value) for value in frame["geometry"]])
        return gpd.GeoDataFrame(frame.drop(columns="geometry"), geometry=geometry, crs="EPSG:4326")

    def map_path(self, level: int) -> Path:
        """Return the simplified areas of a level for the web map (GeoJSON, feature id = P-code)."""
        return self.path / "maps" / f"areas-{level}.geojson"

    def layer_path(self, name: str) -> Path:
        """Return a layer as GeoJSON for the web map."""
        return self.path / "layers" / f"{name}.geojson"

    def overlay_path(self, name: str) -> Path:
        """Return a population raster drawn as a PNG; its bounds are in the `overlay` table."""
        return self.path / "overlays" / f"{name}.png"

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def current_release_id(workspace: Workspace) -> str:
    """Return the release that `releases/CURRENT` points at.

    Raises
    ------
    NoReleaseError
        Nothing was released yet.
    """
    pointer = workspace.releases_path / CURRENT_FILE
    if not pointer.exists():
        raise NoReleaseError(message("release_none", path=workspace.path))
    return pointer.read_text(encoding="utf-8").strip()


def open_release(workspace: Workspace, release_id: str | None = None) -> Release:
    """Open a release, the current one unless named.

    Raises
    ------
    NoReleaseError
        There is none, or none of that name.
    ReleaseFormatError
        Another version of the system built it, with other tables.
    """
    wanted = release_id or current_release_id(workspace)
    path = workspace.releases_path / wanted
    if "/" in wanted or "\\" in wanted or wanted.startswith(".") or not (path / DATABASE_FILE).exists():
        known = ", ".join(sorted(p.parent.name for p in workspace.releases_path.glob(f"*/{DATABASE_FILE}")))
        raise NoReleaseError(
            message("release_unknown", release=wanted, path=workspace.path, known=known or message("none"))
        )
    if not (path / MANIFEST_FILE).exists():
        raise BadInputError(message("release_unlisted", path=path, file=MANIFEST_FILE))
    release = Release(path)
    found = release.manifest.get("inputs", {}).get("code", {}).get("release_format", RELEASE_FORMAT)
    if found != RELEASE_FORMAT:
        release.close()
        raise ReleaseFormatError(message("release_of_other_version", release=wanted, found=found, known=RELEASE_FORMAT))
    return release

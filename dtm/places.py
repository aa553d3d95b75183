"""Store area sets, layers and rasters in the warehouse, each as a new version beside the older ones."""

from __future__ import annotations

import re
import tempfile
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely

from dtm.engine import Connection, transaction
from dtm.errors import BadInputError, WrongUseError
from dtm.locate import read_areas, store_grid
from dtm.rounds import latest_version
from dtm.warehouse import keep_in_inbox
from geodata.areas import AreaSet
from geodata.areas import read_areas as read_area_file
from geodata.layers import read_layer
from geodata.rasters import read_raster, zonal_persons

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    import geopandas as gpd

    from dtm.workspace import Workspace
    from geodata.findings import AreaFinding

LEVELS = range(5)
_NAME = re.compile(r"\w[\w.-]{0,59}")


@dataclass(frozen=True)
class LoadReport:
    """What a load did, with everything found on the way.

    `stored` is False where nothing was changed: the same file was there already, or the findings forbid it.
    """

    name: str
    version: int
    n_features: int
    stored: bool
    refused: bool
    findings: list[AreaFinding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the report for `--json`."""
        return {
            "name": self.name,
            "version": self.version,
            "n_features": self.n_features,
            "stored": self.stored,
            "refused": self.refused,
            **self.facts,
            "findings": [asdict(finding) for finding in self.findings],
        }


def _check_name(name: str) -> None:
    """Refuse a name that could not be a file's name in a release."""
    if not _NAME.fullmatch(name):
        raise WrongUseError(f"'{name}' can't be a name: use letters, digits, '-', '_' and '.', up to 60 of them.")


def _refuses(findings: Iterable[AreaFinding], *, strict: bool) -> bool:
    return any(finding.severity == "error" or strict for finding in findings)


def _store_findings(connection: Connection, findings: list[AreaFinding], *, subject: str) -> None:
    if not findings:
        return
    frame = pd.DataFrame([asdict(finding) for finding in findings])
    frame["feature"] = frame["feature"].astype("Int64")
    connection.register("finding_frame", frame)
    connection.execute(
        "INSERT INTO finding BY NAME SELECT ? AS subject, code, severity, file_name, layer AS sheet, "
        "feature AS row_number, field, CAST(value AS VARCHAR) AS value, message_en, message_mn FROM finding_frame",
        [subject],
    )
    connection.unregister("finding_frame")


def _parents(connection: Connection, parent_set: str | None, level: int) -> gpd.GeoDataFrame | None:
    if parent_set is None:
        return None
    parents = read_areas(connection, area_set=parent_set, version=latest_version(connection, parent_set))
    if set(parents["level"]) != {level - 1}:
        raise WrongUseError(
            f"'{parent_set}' has areas of level {parents['level'].iloc[0]}; the parents of level {level} areas are "
            f"of level {level - 1}. Name the right set with --parent-set."
        )
    return parents


def load_areas(  # noqa: PLR0913  the options of `dtm areas load`
    connection: Connection,
    workspace: Workspace,
    path: Path,
    *,
    area_set: str,
    level: int,
    valid_from: date,
    valid_to: date | None = None,
    parent_set: str | None = None,
    name_field: str | None = None,
    parent_field: str | None = None,
    number_field: str | None = None,
    population_field: str | None = None,
    repair: bool = False,
    strict: bool = False,
    is_demonstration: bool = False,
) -> LoadReport:
    """Read, check and store a boundary file as the next version of an area set, with its grid index.

    The same file again, by its hash, changes nothing. With an error among the findings, or any finding and `strict`,
    nothing is stored and the report says `refused`.

    Raises
    ------
    WrongUseError
        The level is not 0 to 4, the validity period is empty, or the parent set is of another level.
    geodata.errors.GeodataError
        The file can't be read as a whole.
    """
    _check_name(area_set)
    if level not in LEVELS:
        raise WrongUseError(
            f"--level is 0 (country), 1 (aimag), 2 (soum or district), 3 (khoroo) or 4 (kheseg), not {level}."
        )
    if valid_to is not None and valid_to < valid_from:
        raise WrongUseError(f"--valid-to {valid_to} lies before --valid-from {valid_from}.")
    read = read_area_file(
        path,
        area_set=area_set,
        level=level,
        parents=_parents(connection, parent_set, level),
        name_field=name_field,
        parent_field=parent_field,
        number_field=number_field,
        population_field=population_field,
        repair=repair,
    )
    facts = {"level": level, "area_km2": round(float(read.areas["area_km2"].sum()), 4), "crs": read.crs}
    if read.areas["declared_population_persons"].notna().any():
        facts["declared_population_persons"] = int(read.areas["declared_population_persons"].sum())
    if _refuses(read.findings, strict=strict):
        return LoadReport(area_set, 0, len(read.areas), stored=False, refused=True, findings=read.findings, facts=facts)
    row = connection.execute(
        "SELECT version, file_sha256, level FROM area_set WHERE area_set = ? ORDER BY version DESC LIMIT 1", [area_set]
    ).fetchone()
    if row is not None and row[2] != level:
        raise WrongUseError(f"'{area_set}' holds areas of level {row[2]}; choose another name for level {level}.")
    if row is not None and row[1] == read.file_sha256:
        return LoadReport(
            area_set, row[0], len(read.areas), stored=False, refused=False, findings=read.findings, facts=facts
        )
    version = 1 if row is None else row[0] + 1
    keep_in_inbox(workspace, path, read.file_sha256)
    with transaction(connection):
        _store_area_set(
            connection,
            read,
            version=version,
            parent_set=parent_set,
            valid=(valid_from, valid_to),
            is_demonstration=is_demonstration,
        )
        _store_findings(connection, read.findings, subject=area_set)
        store_grid(connection, area_set=area_set, version=version)
        zone_rasters(connection, workspace, area_set=area_set, version=version)
    return LoadReport(
        area_set, version, len(read.areas), stored=True, refused=False, findings=read.findings, facts=facts
    )


def _store_area_set(
    connection: Connection,
    read: AreaSet,
    *,
    version: int,
    parent_set: str | None,
    valid: tuple[date, date | None],
    is_demonstration: bool,
) -> None:
    areas = read.areas
    connection.execute(
        "INSERT INTO area_set VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            read.name,
            version,
            read.level,
            parent_set,
            *valid,
            len(areas),
            float(areas["area_km2"].sum()),
            read.crs,
            read.file_name,
            read.file_sha256,
            is_demonstration,
            datetime.now(UTC).replace(tzinfo=None),
        ],
    )
    frame = pd.DataFrame(areas.drop(columns="geometry"))
    frame["wkb"] = shapely.to_wkb(areas.geometry.to_numpy())
    connection.register("area_frame", frame)
    connection.execute(
        "INSERT INTO area SELECT ?, ?, pcode, level, parent_pcode, number, name_mn, name_en, "
        "declared_population_persons, area_km2, lon, lat, ST_GeomFromWKB(wkb) FROM area_frame ORDER BY pcode",
        [read.name, version],
    )
    connection.unregister("area_frame")


def load_layer(
    connection: Connection,
    workspace: Workspace,
    path: Path,
    *,
    kind: str,
    name: str,
    dated_on: date,
    strict: bool = False,
    is_demonstration: bool = False,
) -> LoadReport:
    """Read, check and store a vector layer as its next version; see `load_areas` for what refuses it."""
    _check_name(name)
    layer = read_layer(path, kind=kind, name=name)
    if _refuses(layer.findings, strict=strict):
        return LoadReport(name, 0, len(layer.features), stored=False, refused=True, findings=layer.findings)
    row = connection.execute(
        "SELECT version, file_sha256, kind, dated_on FROM layer WHERE name = ? ORDER BY version DESC LIMIT 1", [name]
    ).fetchone()
    if row is not None and row[2] != kind:
        raise WrongUseError(f"Layer '{name}' is of kind {row[2]}; choose another name for kind {kind}.")
    if row is not None and (row[1], row[3]) == (layer.file_sha256, dated_on):
        return LoadReport(name, row[0], len(layer.features), stored=False, refused=False, findings=layer.findings)
    version = 1 if row is None else row[0] + 1
    keep_in_inbox(workspace, path, layer.file_sha256)
    frame = pd.DataFrame(layer.features.drop(columns="geometry"))
    frame["wkb"] = shapely.to_wkb(layer.features.geometry.to_numpy())
    with transaction(connection):
        connection.execute(
            "INSERT INTO layer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                name,
                version,
                kind,
                dated_on,
                len(frame),
                layer.crs,
                layer.file_name,
                layer.file_sha256,
                is_demonstration,
                datetime.now(UTC).replace(tzinfo=None),
            ],
        )
        connection.register("feature_frame", frame)
        connection.execute(
            "INSERT INTO layer_feature SELECT ?, ?, feature, label_mn, label_en, category, ST_GeomFromWKB(wkb) "
            "FROM feature_frame ORDER BY feature",
            [name, version],
        )
        connection.unregister("feature_frame")
        _store_findings(connection, layer.findings, subject=name)
    return LoadReport(name, version, len(frame), stored=True, refused=False, findings=layer.findings)


def load_raster(
    connection: Connection,
    workspace: Workspace,
    path: Path,
    *,
    name: str,
    unit: str,
    is_demonstration: bool = False,
) -> LoadReport:
    """Read and store a population raster as its next version, summed over every area set in force."""
    _check_name(name)
    raster = read_raster(path, unit=unit)
    row = connection.execute(
        "SELECT version, file_sha256, unit FROM raster WHERE name = ? ORDER BY version DESC LIMIT 1", [name]
    ).fetchone()
    facts = {"unit": unit, "crs": raster.crs, "total_persons": raster.total_persons}
    if row is not None and (row[1], row[2]) == (raster.file_sha256, unit):
        return LoadReport(name, row[0], raster.width * raster.height, stored=False, refused=False, facts=facts)
    version = 1 if row is None else row[0] + 1
    keep_in_inbox(workspace, path, raster.file_sha256)
    with transaction(connection):
        connection.execute(
            "INSERT INTO raster VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                name,
                version,
                unit,
                raster.crs,
                raster.width,
                raster.height,
                raster.total_persons,
                path.name,
                raster.file_sha256,
                is_demonstration,
                datetime.now(UTC).replace(tzinfo=None),
            ],
        )
        for area_set, area_version in connection.execute(
            "SELECT area_set, max(version) FROM area_set WHERE level <= 3 GROUP BY 1 ORDER BY 1"
        ).fetchall():
            zone_rasters(connection, workspace, area_set=area_set, version=area_version, only=name)
    return LoadReport(name, version, raster.width * raster.height, stored=True, refused=False, facts=facts)


def raster_path(workspace: Workspace, sha256: str) -> Path:
    """Return the kept file of a raster or layer by its hash.

    Raises
    ------
    BadInputError
        The inbox no longer holds it.
    """
    found = sorted(workspace.inbox_path.glob(f"{sha256}-*"))
    found = [path for path in found if path.suffix != ".partial"]
    if not found:
        raise BadInputError(f"{workspace.inbox_path}: the file with hash {sha256[:12]}... is gone; load it again.")
    return found[0]


def zone_rasters(
    connection: Connection, workspace: Workspace, *, area_set: str, version: int, only: str | None = None
) -> None:
    """Sum the rasters in force over an area set of level 3 or above and keep the sums."""
    areas = read_areas(connection, area_set=area_set, version=version)
    if areas["level"].iloc[0] > 3:  # noqa: PLR2004  khesegs are smaller than most cells
        return
    for name, raster_version, unit, sha256 in connection.execute(
        "SELECT name, version, unit, file_sha256 FROM raster QUALIFY row_number() OVER "
        "(PARTITION BY name ORDER BY version DESC) = 1 ORDER BY name"
    ).fetchall():
        if only is not None and name != only:
            continue
        zones = zonal_persons(raster_path(workspace, sha256), areas, unit=unit)
        connection.register("zone_frame", zones)
        connection.execute(
            "INSERT INTO raster_zone SELECT ?, ?, ?, ?, pcode, persons FROM zone_frame ORDER BY pcode",
            [name, raster_version, area_set, version],
        )
        connection.unregister("zone_frame")


def check_area_set(connection: Connection, area_set: str) -> LoadReport:
    """Check the version in force of a loaded area set again, with the checks a file meets when it is loaded.

    Raises
    ------
    UnknownAreaSetError
        No set of that name is loaded.
    """
    version = latest_version(connection, area_set)
    areas = read_areas(connection, area_set=area_set, version=version)
    level = int(areas["level"].iloc[0])
    parent_set, area_km2 = connection.execute(
        "SELECT parent_set, area_km2 FROM area_set WHERE area_set = ? AND version = ?", [area_set, version]
    ).fetchone() or (None, 0.0)
    parents = None if parent_set is None else _parents(connection, parent_set, level)
    columns = ["pcode", "parent_pcode", "number", "name_mn", "name_en", "geometry"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "areas.gpkg"
        areas[columns].to_file(path, layer=area_set, driver="GPKG")
        read = read_area_file(path, area_set=area_set, level=level, parents=parents)
    findings = [replace(finding, file_name=area_set, layer=None) for finding in read.findings]
    facts = {"level": level, "area_km2": round(float(area_km2), 4)}
    return LoadReport(area_set, version, len(areas), stored=True, refused=False, findings=findings, facts=facts)


def list_area_sets(connection: Connection) -> pd.DataFrame:
    """Return every version of every area set, newest first."""
    return connection.execute(
        "SELECT area_set, version, level, parent_set, valid_from, valid_to, n_areas, area_km2, file_name, loaded_at "
        "FROM area_set ORDER BY level, area_set, version DESC"
    ).df()

"""Answer `dtm crosswalk`."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

from dtm._cli_common import (
    HERE,
    JsonOption,
    WorkspaceOption,
    out,
    print_findings,
    print_json,
    print_table,
    progress_bar,
    records,
    warehouse,
)
from dtm._full import read_polygons
from dtm.errors import EXIT_BAD_INPUT, BadInputError, NoWorkspaceError, WrongUseError
from dtm.locate import read_areas as read_area_set
from dtm.places import raster_path
from dtm.rounds import latest_version
from dtm.table_files import read_table_file, refuse_overwriting, write_table_file
from geodata.areas import read_areas as read_area_file
from geodata.crosswalk import (
    CLASSES,
    AreaWeights,
    Carried,
    Crosswalk,
    PointWeights,
    PolygonWeights,
    RasterWeights,
    Weights,
    build_crosswalk,
    is_polygonal,
    read_coded_areas,
    read_weight_layer,
)
from geodata.errors import CrosswalkError

if TYPE_CHECKING:
    import geopandas as gpd

    from dtm.engine import Connection
    from dtm.workspace import Workspace

KHOROO_LEVEL = 3
RASTER_ENDINGS = (".tif", ".tiff")
TABLE_ENDINGS = (".csv", ".parquet", ".xlsx")
ROWS_SHOWN = 20
NAMES_SHOWN = 5


@dataclass
class _Room:
    """The workspace, opened when the first thing in it is asked for, and what was found while reading files."""

    folder: Path
    out_file: Path
    stack: ExitStack
    findings: list[dict[str, Any]] = field(default_factory=list)
    without_weight: list[str] = field(default_factory=list)
    is_demonstration: bool = False
    _opened: tuple[Workspace, Connection] | None = None

    def opened(self, name: str) -> tuple[Workspace, Connection]:
        if self._opened is None:
            try:
                self._opened = self.stack.enter_context(warehouse(self.folder))
            except NoWorkspaceError as error:
                raise WrongUseError(
                    f"'{name}' is no file, and {self.folder} is no workspace to look for it in. Name a file, or the "
                    "workspace with --workspace."
                ) from error
            self.is_demonstration |= self._opened[0].settings.is_demonstration
            if self._opened[0].keeps(self.out_file):
                raise WrongUseError(f"{self.out_file} is a place the workspace keeps for itself; write elsewhere.")
        return self._opened

    def take(self, findings: list[Any], *, has_errors: bool) -> None:
        """Keep the findings of a file; stop where one forbids using it."""
        listed = [asdict(finding) for finding in findings]
        self.findings += listed
        if has_errors:
            print_findings(listed)
            raise typer.Exit(EXIT_BAD_INPUT)


def crosswalk_command(  # noqa: PLR0913  the options of the contract
    from_set: Annotated[str, typer.Argument(metavar="FROM_SET", help="Area set of the workspace, or a boundary file.")],
    to_set: Annotated[str, typer.Argument(metavar="TO_SET", help="Area set of the workspace, or a boundary file.")],
    *,
    out_file: Annotated[Path, typer.Option("--out", metavar="FILE", help="CSV or Parquet file to write.")],
    values: Annotated[
        Path | None,
        typer.Option("--values", metavar="FILE", help="Counts to carry; without it the shares are written."),
    ] = None,
    area: Annotated[str | None, typer.Option("--area", help="Its column with the code of each area.")] = None,
    value: Annotated[
        str | None, typer.Option("--value", help="Its column of counts; if all are whole, so is the answer.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="LAYER",
            help="What divides an area that was split: a layer or raster of the workspace, or a file of points or "
            "polygons, a table of counts by area of TO_SET, or a GeoTIFF of people. Land, if not given.",
        ),
    ] = None,
    weights_area: Annotated[str | None, typer.Option(help="A table's column with the code of each area.")] = None,
    weights_value: Annotated[str | None, typer.Option(help="Column of the weights that holds the number.")] = None,
    level: Annotated[int, typer.Option(help="Level of the areas of boundary files.")] = KHOROO_LEVEL,
    from_code: Annotated[
        str | None, typer.Option(help="Field of the first file with codes to take as they are.")
    ] = None,
    to_code: Annotated[str | None, typer.Option(help="The same field of the second file.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend invalid polygons of files and say which.")] = False,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Carry counts from one area set to another, and say what became of each area.

    Counts only (people, households): a rate or a density can't be carried; carry what it is made of.
    """
    if (values is None) != (area is None) or (values is None) != (value is None):
        raise WrongUseError("--values FILE, --area COLUMN and --value COLUMN go together.")
    refuse_overwriting(out_file, Path(from_set), Path(to_set), values, None if weights is None else Path(weights))
    with ExitStack() as stack:
        room = _Room(workspace, out_file, stack)
        source = _areas(room, from_set, level=level, code_field=from_code, repair=repair)
        target = _areas(room, to_set, level=level, code_field=to_code, repair=repair)
        weighed = None if weights is None else _weights(room, weights, source, target, weights_area, weights_value)
        with progress_bar("Laying the areas over each other") as tell:
            crosswalk = build_crosswalk(source, target, weights=weighed, progress=lambda done: tell("", done))
    carried = None
    if values is not None and area is not None and value is not None:
        carried = _carry(crosswalk, values, area=area, value=value)
    written = write_table_file(_written(crosswalk, carried), out_file)
    answer = _answer(crosswalk, carried, room)
    if as_json:
        print_json({"from_set": from_set, "to_set": to_set, "out": str(written), **answer})
    else:
        _print(answer, room, written)


def _areas(room: _Room, name: str, *, level: int, code_field: str | None, repair: bool) -> gpd.GeoDataFrame:
    path = Path(name)
    if path.is_file():
        if code_field is not None:
            read = read_coded_areas(path, code_field=code_field, repair=repair)
            room.take(read.findings, has_errors=read.has_errors)
            return read.features
        found = read_area_file(path, level=level, repair=repair)
        room.take(found.findings, has_errors=found.has_errors)
        return found.areas[["pcode", "geometry"]]
    if code_field is not None:
        raise WrongUseError(f"'{name}' is no file; --from-code and --to-code name fields of boundary files.")
    _, connection = room.opened(name)
    version = latest_version(connection, name)
    row = connection.execute(
        "SELECT is_demonstration FROM area_set WHERE area_set = ? AND version = ?", [name, version]
    ).fetchone()
    room.is_demonstration |= bool(row and row[0])
    return read_area_set(connection, area_set=name, version=version)[["pcode", "geometry"]]


def _weights(
    room: _Room,
    name: str,
    source: gpd.GeoDataFrame,
    target: gpd.GeoDataFrame,
    area: str | None,
    value: str | None,
) -> Weights:
    path = Path(name)
    ending = path.suffix.lower()
    if not path.is_file():
        return _loaded_weights(room, name)
    if ending in RASTER_ENDINGS:
        return RasterWeights(path, name=path.name)
    if area is not None:
        return _counts(room, path, source, target, area=area, value=value)
    if ending in TABLE_ENDINGS[1:]:
        raise WrongUseError(f"{path.name} is a table: name its columns with --weights-area and --weights-value.")
    read = read_weight_layer(path)
    if any(finding.code == "columns-missing" for finding in read.findings):
        raise WrongUseError(
            f"{path.name} has no columns of longitude and latitude. If it holds counts by area, name its columns with "
            "--weights-area and --weights-value."
        )
    room.take(read.findings, has_errors=read.has_errors)
    kind = PolygonWeights if is_polygonal(read.features) else PointWeights
    return kind(read.features, value, name=path.name)


def _counts(
    room: _Room, path: Path, source: gpd.GeoDataFrame, target: gpd.GeoDataFrame, *, area: str, value: str | None
) -> AreaWeights:
    """Read counts of the areas of TO_SET; an area that the table leaves out counts as 0, and is named in the answer.

    Counts of the areas of FROM_SET are refused: spread evenly over each, they would divide it by its land.
    """
    if value is None:
        raise WrongUseError("--weights-area needs --weights-value, the column of the counts.")
    table = read_table_file(path, text={"area": area}, numbers={"count": value}, areas=("area",))
    codes, of_source, of_target = set(table["area"]), set(source["pcode"]), set(target["pcode"])
    if codes != of_target and (codes == of_source or (codes <= of_source and not codes <= of_target)):
        raise WrongUseError(
            f"{path.name}, column '{area}', has the codes of FROM_SET: counts of the areas that are divided don't say "
            "how to divide them. Give counts of the areas of TO_SET, or points, polygons or a raster; without "
            "--weights they are divided by land. For the way back name TO_SET first."
        )
    counts = pd.Series(table["count"].to_numpy(), index=table["area"])
    room.without_weight = sorted(of_target - codes)
    return AreaWeights(counts, name=f"{path.name} {value}")


def _loaded_weights(room: _Room, name: str) -> Weights:
    opened, connection = room.opened(name)
    raster = connection.execute(
        "SELECT file_sha256, unit, is_demonstration FROM raster WHERE name = ? ORDER BY version DESC LIMIT 1", [name]
    ).fetchone()
    if raster is not None:
        room.is_demonstration |= bool(raster[2])
        return RasterWeights(raster_path(opened, raster[0]), unit=raster[1], name=name)
    layer = connection.execute(
        "SELECT version, kind, is_demonstration FROM layer WHERE name = ? ORDER BY version DESC LIMIT 1", [name]
    ).fetchone()
    if layer is None:
        raise WrongUseError(f"'{name}' is neither a file nor a layer or raster of {opened.path}.")
    if layer[1] == "road":
        raise WrongUseError(f"'{name}' is a layer of roads; weights are points, polygons or a raster.")
    room.is_demonstration |= bool(layer[2])
    features = read_polygons(
        connection,
        "SELECT feature, ST_AsWKB(geometry) AS geometry FROM layer_feature WHERE name = ? AND version = ?",
        [name, layer[0]],
    )
    return (PolygonWeights if is_polygonal(features) else PointWeights)(features, name=name)


def _carry(crosswalk: Crosswalk, path: Path, *, area: str, value: str) -> Carried:
    table = read_table_file(
        path,
        text={"area": area},
        numbers={"value": value},
        areas=("area",),
        nullable=("value",),
        signed=("value",),
        counts=("value",),
    )
    if table.empty:
        raise BadInputError(f"{path.name}: there are no values in it. Give a file with a row an area.")
    numbers = pd.Series(table["value"].to_numpy(), index=table["area"])
    is_whole = bool((numbers.dropna() % 1 == 0).all())
    try:
        return crosswalk.carry(numbers.astype("Int64") if is_whole else numbers)
    except CrosswalkError as error:
        raise BadInputError(f"{path.name}, columns '{area}' and '{value}': {error}") from error


def _written(crosswalk: Crosswalk, carried: Carried | None) -> pd.DataFrame:
    if carried is None:
        return crosswalk.table
    return carried.table[["pcode", "value", "estimated_share", "known", "reason"]]


def _answer(crosswalk: Crosswalk, carried: Carried | None, room: _Room) -> dict[str, Any]:
    report = crosswalk.classify()
    counts = report["class"].value_counts()
    answer: dict[str, Any] = {
        "n_from": len(crosswalk.sources),
        "n_to": len(crosswalk.targets),
        "pieces": len(crosswalk.table),
        "slivers": crosswalk.slivers,
        "sliver_km2": crosswalk.sliver_km2,
        "weights": crosswalk.weights,
        "weight_outside": crosswalk.weight_outside,
        "without_weight": room.without_weight,
        "fallback_to_area": sorted(
            set(crosswalk.table.loc[crosswalk.table["method"] == "area_fallback", "from_pcode"])
        ),
        "classes": {
            **{name: int(counts.get(name, 0)) for name in CLASSES},
            "only_code": int(report["only_code"].sum()),
        },
        "is_demonstration": room.is_demonstration,
        "uncovered": records(crosswalk.uncovered),
    }
    if carried is not None:
        answer |= {
            "total_from": carried.total_from,
            "total_to": carried.total_to,
            "withheld": carried.withheld,
            "not_carried": carried.uncovered,
            "estimated_share": carried.estimated_share,
        }
    return answer | {"report": records(report), "findings": room.findings}


def _print(answer: dict[str, Any], room: _Room, written: Path) -> None:
    print_findings(room.findings)
    changed = [row for row in answer["report"] if row["class"] != "same" or row["only_code"]]
    columns = ["from_pcode", "to_pcode", "class", "land_share_of_source", "land_share_of_target", "parts", "only_code"]
    print_table(changed[:ROWS_SHOWN], title="Areas that are not the same place in both", columns=columns)
    if len(changed) > ROWS_SHOWN:
        out.print(f"... and {len(changed) - ROWS_SHOWN} more; --json lists all.")
    words = ", ".join(f"{count} {name}" for name, count in answer["classes"].items() if count and name != "only_code")
    out.print(
        f"{answer['n_from']:,} areas to {answer['n_to']:,} in {answer['pieces']:,} pieces: {words}; "
        f"{answer['classes']['only_code']} share only their code. Divided by: {answer['weights']}.",
        markup=False,
    )
    if answer["without_weight"]:
        left_out = answer["without_weight"]
        named = ", ".join([*left_out[:NAMES_SHOWN], *(["..."] if len(left_out) > NAMES_SHOWN else [])])
        out.print(f"Left out of the weights, and so 0 in them: {len(left_out)} areas ({named}).", markup=False)
    if answer["uncovered"]:
        columns = ["side", "pcode", "uncovered_share", "uncovered_km2"]
        print_table(answer["uncovered"][:ROWS_SHOWN], title="Land outside the other set", columns=columns)
    if "total_from" in answer:
        out.print(
            f"{answer['total_from']:,} given, {answer['total_to']:,} carried; {answer['withheld']:,} withheld (an area "
            f"beside them is not known), {answer['not_carried']:,} on no land of the other set.",
            markup=False,
        )
        if not math.isnan(answer["estimated_share"]):
            out.print(
                f"{100 * answer['estimated_share']:.1f} % of it comes out of areas that were split.", markup=False
            )
    mark = " (demonstration data)" if answer["is_demonstration"] else ""
    out.print(f"Wrote {written}{mark}", markup=False)

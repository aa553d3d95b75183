"""Answer `dtm areas`, `dtm layers` and `dtm rasters`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from dtm import places
from dtm._cli_common import (
    DATE_FORMATS,
    HERE,
    JsonOption,
    StrictOption,
    WorkspaceOption,
    day,
    out,
    print_findings,
    print_json,
    print_table,
    progress_bar,
    records,
    warehouse,
)
from dtm.errors import EXIT_BAD_INPUT, EXIT_FINDINGS

areas_app = typer.Typer(help="Load and check areas (boundaries).", no_args_is_help=True)
layers_app = typer.Typer(help="Load layers: ger areas, hazards, services, roads.", no_args_is_help=True)
rasters_app = typer.Typer(help="Load population rasters.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The file to read.")]


def _answer(report: places.LoadReport, *, what: str, as_json: bool, strict: bool) -> None:
    """Print what a load did and leave with its exit code."""
    found = [dict(finding) for finding in report.to_dict()["findings"]]
    if as_json:
        print_json(report.to_dict())
    else:
        print_findings(found)
        if report.stored:
            out.print(
                f"Loaded {what} '{report.name}', version {report.version}: {report.n_features:,} {_facts(report)}"
            )
        elif not report.refused:
            out.print(f"'{report.name}' holds this file already (version {report.version}); nothing was changed.")
        else:
            out.print(f"Nothing was loaded: {len(found)} findings stand in the way.")
    if report.refused:
        errors = any(finding["severity"] == "error" for finding in found)
        raise typer.Exit(EXIT_BAD_INPUT if errors or not strict else EXIT_FINDINGS)


def _facts(report: places.LoadReport) -> str:
    words = "features" if "area_km2" not in report.facts else "areas"
    words = "cells" if "total_persons" in report.facts else words
    parts = [words]
    if "area_km2" in report.facts:
        parts.append(f"{report.facts['area_km2']:,.1f} km2")
    persons = (report.facts.get(key) for key in ("declared_population_persons", "total_persons"))
    parts += [f"{count:,.0f} persons" for count in persons if count is not None]
    return ", ".join(parts)


@areas_app.command(
    "load",
    epilog="Example: dtm areas load khoroos.geojson --area-set khoroos-2022 --level 3 --valid-from 2022-01-01",
)
def load_areas(  # noqa: PLR0913  the options of the contract
    file: FileArgument,
    *,
    area_set: Annotated[str, typer.Option(help="Name of the area set.")],
    level: Annotated[int, typer.Option(help="0 country, 1 aimag, 2 soum or district, 3 bagh or khoroo, 4 kheseg.")],
    valid_from: Annotated[datetime, typer.Option(formats=DATE_FORMATS, help="First day the areas were in force.")],
    valid_to: Annotated[
        datetime | None, typer.Option(formats=DATE_FORMATS, help="Last day they were in force.")
    ] = None,
    parent_set: Annotated[str | None, typer.Option(help="Area set one level up, to check parents against.")] = None,
    name_field: Annotated[str | None, typer.Option(help="Field that holds the name.")] = None,
    parent_field: Annotated[str | None, typer.Option(help="Field that holds the parent's code or name.")] = None,
    number_field: Annotated[str | None, typer.Option(help="Field that holds the khoroo or kheseg number.")] = None,
    population_field: Annotated[str | None, typer.Option(help="Field that holds a declared population.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend invalid polygons and say which.")] = False,
    strict: StrictOption = False,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Load a boundary file as the next version of an area set."""
    with warehouse(workspace) as (opened, connection), progress_bar("Loading areas") as tell:
        tell(file.name, 0.1)
        report = places.load_areas(
            connection,
            opened,
            file,
            area_set=area_set,
            level=level,
            valid_from=day(valid_from),
            valid_to=day(valid_to) if valid_to else None,
            parent_set=parent_set,
            name_field=name_field,
            parent_field=parent_field,
            number_field=number_field,
            population_field=population_field,
            repair=repair,
            strict=strict,
        )
    _answer(report, what="area set", as_json=as_json, strict=strict)


@areas_app.command("list", epilog="Example: dtm areas list --json")
def list_areas(*, workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """List the area sets and their versions."""
    with warehouse(workspace) as (_, connection):
        rows = records(places.list_area_sets(connection))
    if as_json:
        print_json(rows)
    else:
        columns = ["area_set", "version", "level", "parent_set", "valid_from", "valid_to", "n_areas", "area_km2"]
        print_table(rows, title="Area sets", columns=columns)


@areas_app.command("check", epilog="Example: dtm areas check khoroos-2022")
def check_areas(
    area_set: Annotated[str, typer.Argument(metavar="AREA_SET", help="Name of the area set.")],
    *,
    strict: StrictOption = False,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Check a loaded area set again: validity, overlaps, gaps, numbers, parents."""
    with warehouse(workspace) as (_, connection):
        report = places.check_area_set(connection, area_set)
    if as_json:
        print_json(report.to_dict())
    else:
        print_findings(report.to_dict()["findings"])
        out.print(
            f"'{area_set}' version {report.version}: {report.n_features:,} {_facts(report)}; "
            f"{len(report.findings)} findings"
        )
    if strict and report.findings:
        raise typer.Exit(EXIT_FINDINGS)


@layers_app.command(
    "load", epilog="Example: dtm layers load flood.geojson --kind hazard --name flood-2025 --date 2025-07-15"
)
def load_layer(
    file: FileArgument,
    *,
    kind: Annotated[Literal["ger-area", "hazard", "service", "road"], typer.Option(help="What the layer shows.")],
    name: Annotated[str, typer.Option(help="Name of the layer.")],
    date: Annotated[datetime, typer.Option(formats=DATE_FORMATS, help="Day the layer shows.")],
    strict: StrictOption = False,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Load a vector layer as its next version."""
    with warehouse(workspace) as (opened, connection):
        report = places.load_layer(connection, opened, file, kind=kind, name=name, dated_on=day(date), strict=strict)
    _answer(report, what=f"{kind} layer", as_json=as_json, strict=strict)


@rasters_app.command("load", epilog="Example: dtm rasters load population.tif --name worldpop-2020 --unit persons")
def load_raster(
    file: FileArgument,
    *,
    name: Annotated[str, typer.Option(help="Name of the raster.")],
    unit: Annotated[Literal["persons", "persons_per_km2"], typer.Option(help="What a cell holds.")],
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Load a population raster (GeoTIFF) as its next version."""
    with warehouse(workspace) as (opened, connection):
        report = places.load_raster(connection, opened, file, name=name, unit=unit)
    _answer(report, what="raster", as_json=as_json, strict=False)

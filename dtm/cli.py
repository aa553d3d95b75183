"""Answer the command line: one command for each thing a round's analyst does."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from dtm import __version__
from dtm._cli_check import check_app
from dtm._cli_clean import clean_app
from dtm._cli_common import (
    HERE,
    JsonOption,
    WorkspaceOption,
    err,
    out,
    print_findings,
    print_json,
    print_table,
    progress_bar,
    records,
    warehouse,
)
from dtm._cli_crosswalk import crosswalk_command
from dtm._cli_desk import desk_command
from dtm._cli_enumerators import enumerators_app
from dtm._cli_fit import fit_command
from dtm._cli_flows import flows_command
from dtm._cli_forms import forms_app
from dtm._cli_indicators import indicators_command
from dtm._cli_mapping import map_command
from dtm._cli_places import areas_app, layers_app, rasters_app
from dtm._cli_pull import pull_app
from dtm._cli_returns import returns_app
from dtm._cli_round import round_app
from dtm.demo import DEFAULT_SEED, build_demo
from dtm.engine import EngineError, is_disk_full, was_interrupted
from dtm.errors import EXIT_BAD_INPUT, EXIT_DONE, DtmError
from dtm.exports import ProductName, export
from dtm.exposure import released_exposure
from dtm.release import build_release
from dtm.released import open_release
from dtm.workspace import create_workspace, open_workspace
from enumerations.errors import EnumerationsError
from geodata.errors import GeodataError
from geodata.layers import read_layer

app = typer.Typer(
    name="dtm",
    help="Population tracking of Ulaanbaatar: returns to checked rows, flows, densities and safe releases.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(areas_app, name="areas")
app.add_typer(round_app, name="round")
app.add_typer(forms_app, name="forms")
app.add_typer(returns_app, name="returns")
app.add_typer(clean_app, name="clean")
app.add_typer(enumerators_app, name="enumerators")
returns_app.add_typer(pull_app, name="pull")
returns_app.command("map", epilog="Example: dtm returns map survey-2022.xlsx --out mapping.toml")(map_command)
app.add_typer(layers_app, name="layers")
app.add_typer(rasters_app, name="rasters")
app.add_typer(check_app, name="check")
app.command("crosswalk", epilog="Example: dtm crosswalk khoroos-2017 khoroos-2022 --out shares.csv")(crosswalk_command)
app.command("indicators", epilog="Example: dtm indicators moves.csv --origin from --destination to --persons n --json")(
    indicators_command
)
app.command(
    "fit",
    epilog="Example: dtm fit seed.csv --origin from --destination to --persons persons --row-margins left.csv "
    "--column-margins came.csv --zero-diagonal --out fitted.csv",
)(fit_command)
app.command("flows", epilog="Example: dtm flows --source arrivals --level 2 --by reason,sex --json")(flows_command)
app.command("desk", epilog="Example: dtm desk --port 8060 --no-browser")(desk_command)

DEFAULT_PORT = 8050
EXIT_STOPPED = 130
"""The shell's own code for a command that Ctrl-C stopped."""

ReleaseOption = Annotated[
    str | None, typer.Option("--release", metavar="ID", help="A release of the workspace.", show_default="current")
]


def _version(wanted: bool) -> None:  # noqa: FBT001  Typer's callback
    if wanted:
        print(__version__)
        raise typer.Exit(EXIT_DONE)


@app.callback()
def _main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command("init", epilog="Example: dtm init my-city")
def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.")]) -> None:
    """Make an empty workspace."""
    workspace = create_workspace(folder)
    with warehouse(folder):
        pass
    out.print(f"Made the workspace {workspace.path}. Load boundaries next: dtm areas load --help")


@app.command("release", epilog="Example: dtm release --round 3")
def release(
    *,
    round_number: Annotated[int | None, typer.Option("--round", help="Newest round to include.")] = None,
    provisional: Annotated[
        bool, typer.Option("--provisional", help="Include rounds that are not signed off, and say so everywhere.")
    ] = False,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Build a release of all rounds up to one and make it the current one; they must be signed off."""
    with warehouse(workspace) as (opened, connection), progress_bar("Building a release") as tell:
        release_id = build_release(connection, opened, last_round=round_number, provisional=provisional, progress=tell)
    built = open_release(opened, release_id)
    manifest = built.manifest
    built.close()
    if as_json:
        print_json(manifest)
        return
    tables = manifest["tables"]
    print_table(
        [{"table": name, "rows": facts["rows"]} for name, facts in tables.items()], title=f"Release {release_id}"
    )
    for note in manifest["notes"]:
        out.print(f"- {note}", markup=False)
    if manifest["is_provisional"]:
        still_open = [str(state["round"]) for state in manifest["rounds"] if state["state"] != "signed_off"]
        out.print(f"- Provisional: not signed off: round {', '.join(still_open)}.", markup=False)
    out.print(f"Release {release_id} is the current one. Look at it: dtm serve --workspace {opened.path}")


@app.command("exposure", epilog="Example: dtm exposure flood.geojson --json")
def exposure(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Polygons of the hazard.")],
    *,
    release_id: ReleaseOption = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Say how many people live inside a hazard, by khoroo, with the interval."""
    hazard = read_layer(file, kind="hazard", name=file.stem)
    findings = [asdict(finding) for finding in hazard.findings]
    if any(finding["severity"] == "error" for finding in findings):
        print_findings(findings)
        raise typer.Exit(EXIT_BAD_INPUT)
    opened = open_release(open_workspace(workspace), release_id)
    try:
        report = released_exposure(opened, hazard.features)
    finally:
        opened.close()
    rows = records(report.table)
    total = {"persons": report.persons, "persons_low": report.persons_low, "persons_high": report.persons_high}
    if as_json:
        left_out = {"suppressed": report.suppressed, "not_reported": report.not_reported}
        head: dict[str, object] = {"release_id": opened.release_id, "is_demonstration": opened.is_demonstration}
        head |= {"round_number": report.round_number, "file": file.name}
        print_json({**head, "total": total, **left_out, "areas": rows, "findings": findings})
        return
    print_findings(findings)
    mark = "; demonstration data" if opened.is_demonstration else ""
    print_table(rows, title=f"People inside {file.name} (round {report.round_number}{mark})")
    print_table([total], title="Total")
    for name, codes in (("suppressed", report.suppressed), ("not reported", report.not_reported)):
        if codes:
            out.print(f"Not in the total, {name}: {', '.join(codes)}")


@app.command("export", epilog="Example: dtm export flows --format csv --out flows.csv")
def export_command(
    product: Annotated[
        ProductName,
        typer.Argument(help="What to export."),
    ],
    *,
    file_format: Annotated[Literal["csv", "xlsx", "parquet", "gpkg"], typer.Option("--format", help="Kind of file.")],
    out_file: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write.")],
    release_id: ReleaseOption = None,
    language: Annotated[Literal["en", "mn"], typer.Option(help="Language of the labels.")] = "en",
    hxl: Annotated[bool, typer.Option("--hxl", help="Write HXL tags as the second row of a CSV.")] = False,
    workspace: WorkspaceOption = HERE,
) -> None:
    """Write a table of a release to a file, with its coverage and provenance."""
    opened = open_release(open_workspace(workspace), release_id)
    try:
        written = export(opened, product, format=file_format, out=out_file, language=language, hxl=hxl)
        said = (("demonstration data", opened.is_demonstration), ("provisional", opened.manifest.get("is_provisional")))
        marks = ", ".join(words for words, holds in said if holds)
        mark = f" ({marks})" if marks else ""
        out.print(f"Wrote {product} of release {opened.release_id} to {written}{mark}", markup=False)
    finally:
        opened.close()


def _serve(folder: Path, *, port: int, browser: bool) -> NoReturn:
    """Become the dashboard, a program of its own, so that stopping the one stops the other."""
    command = [sys.executable, "-m", "dashboard", "--workspace", str(folder), "--port", str(port)]
    if not browser:
        command.append("--no-browser")
    sys.stdout.flush()
    os.execv(sys.executable, command)  # noqa: S606  our own module


@app.command("serve", epilog="Example: dtm serve --port 8050 --no-browser")
def serve(
    *,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = DEFAULT_PORT,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Don't open a browser.")] = False,
    workspace: WorkspaceOption = HERE,
) -> None:
    """Open the dashboard on the current release."""
    open_workspace(workspace)
    _serve(workspace, port=port, browser=not no_browser)


@app.command("demo", epilog="Example: dtm demo demo-workspace --size small --no-serve")
def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Folder of the workspace to make.")] = Path(
        "demo-workspace"
    ),
    *,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Build only; don't open the dashboard.")] = False,
    seed: Annotated[int, typer.Option(help="Seed; the same seed makes the same bytes.")] = DEFAULT_SEED,
    size: Annotated[Literal["small", "city", "national"], typer.Option(help="How much to make.")] = "city",
    areas: Annotated[Path | None, typer.Option(metavar="FILE", help="Real khoroo polygons to use instead.")] = None,
) -> None:
    """Make a workspace of demonstration data, build its release and open the dashboard."""
    with progress_bar("Building the demonstration") as tell:
        workspace = build_demo(folder, seed=seed, size=size, areas=areas, progress=tell)
    out.print(f"Demonstration data is in {workspace.path}.", markup=False)
    if not no_serve:
        _serve(workspace.path, port=DEFAULT_PORT, browser=bool(os.environ.get("DISPLAY")))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; a mistake of the user is told in a sentence, never by a traceback."""
    try:
        app(args=arguments, standalone_mode=True)
    except (DtmError, GeodataError, EnumerationsError) as error:
        err.print(f"dtm: {error}", markup=False, style="red")
        sys.exit(getattr(error, "exit_code", EXIT_BAD_INPUT))
    except (EngineError, RuntimeError) as error:
        if was_interrupted(error):
            _stopped()
        if not isinstance(error, EngineError):
            raise
        told = "the disk is full" if is_disk_full(error) else "the database stopped"
        err.print(f"dtm: {told}: {error}. Nothing was changed.", markup=False, style="red")
        sys.exit(EXIT_BAD_INPUT)
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        err.print(f"dtm: {error.strerror or error}{place}. Nothing was changed.", markup=False, style="red")
        sys.exit(EXIT_BAD_INPUT)
    except KeyboardInterrupt:
        _stopped()
    except SystemExit as leaving:
        if leaving.code == EXIT_STOPPED:  # Typer answers Ctrl-C with the code alone
            _stopped()
        raise


def _stopped() -> NoReturn:
    err.print("dtm: stopped; nothing was changed.", markup=False)
    sys.exit(EXIT_STOPPED)


if __name__ == "__main__":
    main()

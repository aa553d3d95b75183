"""Answer `dtm round`, `dtm returns` and `dtm check`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

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
from dtm.checks import check_rounds
from dtm.errors import EXIT_FINDINGS
from dtm.imports import import_returns
from dtm.rounds import list_rounds, open_round

round_app = typer.Typer(help="Open and list rounds of data collection.", no_args_is_help=True)
_COUNTS = ("rows_read", "accepted", "quarantined", "duplicate")
returns_app = typer.Typer(help="Import what enumerators returned.", no_args_is_help=True)


@round_app.command(
    "open", epilog="Example: dtm round open --number 1 --from 2025-04-01 --to 2025-04-21 --area-set khoroos-2022"
)
def open_command(
    *,
    number: Annotated[int, typer.Option(help="Number of the round, counted from 1.")],
    started: Annotated[datetime, typer.Option("--from", formats=DATE_FORMATS, help="First day of collection.")],
    ended: Annotated[datetime, typer.Option("--to", formats=DATE_FORMATS, help="Last day; stocks refer to it.")],
    area_set: Annotated[str, typer.Option(help="Areas the round is published by (khoroos).")],
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Open a round."""
    with warehouse(workspace) as (opened, connection):
        open_round(
            connection,
            operation=opened.settings.operation,
            number=number,
            started_on=day(started),
            ended_on=day(ended),
            area_set=area_set,
        )
    if as_json:
        print_json({"number": number, "started_on": day(started), "ended_on": day(ended), "area_set": area_set})
    else:
        out.print(f"Round {number} is open, from {day(started)} to {day(ended)}, on '{area_set}'.")


@round_app.command("list", epilog="Example: dtm round list --json")
def list_command(*, workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """List the rounds with their returns and findings."""
    with warehouse(workspace) as (_, connection):
        rows = records(list_rounds(connection))
    if as_json:
        print_json(rows)
    else:
        print_table(
            rows,
            title="Rounds",
            columns=["number", "started_on", "ended_on", "area_set", "status", "returns", "errors", "warnings"],
        )


@returns_app.command("import", epilog="Example: dtm returns import baseline.csv arrivals.csv departures.csv --round 1")
def import_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV, XLSX or Kobo's data JSON.")],
    *,
    form: Annotated[
        Literal["kheseg-baseline", "checkpoint-registry", "dtm-published"] | None,
        typer.Option(help="Form of all files; told by the columns when not given."),
    ] = None,
    round_number: Annotated[int | None, typer.Option("--round", help="Round the returns belong to.")] = None,
    strict: StrictOption = False,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Import returns: all of the files, or nothing."""
    with warehouse(workspace) as (opened, connection), progress_bar("Importing") as tell:
        last = connection.execute("SELECT coalesce(max(import_id), 0) FROM import").fetchone()
        report = import_returns(
            connection, opened, files, form=form, round_number=round_number, strict=strict, progress=tell
        )
        cursor = connection.execute(
            "SELECT * EXCLUDE (import_id, message_mn), message_mn FROM finding WHERE import_id > ? "
            "ORDER BY import_id, severity, row_number",
            list(last or (0,)),
        )
        found = records(cursor.df())
    document = report.to_dict()
    document["findings"] = document.pop("refused_findings") if report.refused else found
    if as_json:
        print_json(document)
    else:
        _print_import(document)
    if report.refused:
        raise typer.Exit(EXIT_FINDINGS)


def _print_import(document: dict[str, Any]) -> None:
    """Print the counts of every table, what was found, and whether anything was stored."""
    print_findings(document["findings"])
    rows = [
        {"file": file["file_name"], "table": table["name"], **{key: table[key] for key in _COUNTS}}
        for file in document["files"]
        for table in file["tables"]
    ]
    known = [file["file_name"] for file in document["files"] if file["is_known_file"]]
    print_table(rows, title="Returns")
    for name in known:
        out.print(f"{name}: imported before; nothing was changed.", markup=False)
    if document["refused"]:
        out.print("Nothing was imported: with --strict every finding stands in the way.")


def check_command(
    *,
    round_number: Annotated[int | None, typer.Option("--round", help="One round only.")] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Say how complete each round is and what was found in its returns."""
    with warehouse(workspace) as (opened, connection):
        report = check_rounds(connection, operation=opened.settings.operation, round_number=round_number)
    if as_json:
        print_json(report)
        return
    rounds = [
        {
            "round": row["number"],
            "units reported": f"{row['units_reported']:,} of {row['units_expected']:,}",
            "registered covered": _percent(row["registered_coverage_share"]),
            "returns": row["returns"],
            "GPS agrees": row["located_gps"],
            "GPS elsewhere": row["located_conflict"],
            "areas without a return": ", ".join(row["areas_without_return"]),
        }
        for row in report["rounds"]
    ]
    print_table(rounds, title="Rounds")
    columns = ["round_number", "subject", "severity", "code", "count", "file_name", "first_row"]
    print_table(report["findings"], title="Findings", columns=columns)
    for code, example in {row["code"]: row["example_en"] for row in report["findings"]}.items():
        out.print(f"{code}: {example}", markup=False)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"

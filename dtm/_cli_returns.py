"""Answer `dtm returns import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from dtm._cli_common import (
    HERE,
    JsonOption,
    StrictOption,
    WorkspaceOption,
    out,
    print_findings,
    print_json,
    print_table,
    progress_bar,
    records,
    warehouse,
)
from dtm.errors import EXIT_FINDINGS
from dtm.imports import import_returns
from enumerations.mapping import read_mapping

_COUNTS = ("rows_read", "accepted", "quarantined", "duplicate")
returns_app = typer.Typer(help="Import what enumerators returned.", no_args_is_help=True)


@returns_app.command("import", epilog="Example: dtm returns import baseline.csv arrivals.csv departures.csv --round 1")
def import_command(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="CSV, XLSX, or what Kobo and ODK Central export.")
    ],
    *,
    form: Annotated[
        Literal["kheseg-baseline", "checkpoint-registry", "household-survey", "event-report", "dtm-published"] | None,
        typer.Option(help="Form of all files; told by the columns when not given."),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="How the columns of another form are read (TOML); see `dtm returns map`.")
    ] = None,
    round_number: Annotated[int | None, typer.Option("--round", help="Round the returns belong to.")] = None,
    strict: StrictOption = False,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Import returns: all of the files, or nothing."""
    with warehouse(workspace) as (opened, connection), progress_bar("Importing") as tell:
        read = read_mapping(mapping) if mapping else None
        last = connection.execute("SELECT coalesce(max(import_id), 0) FROM import").fetchone()
        report = import_returns(
            connection,
            opened,
            files,
            form=form,
            round_number=round_number,
            strict=strict,
            mapping=read,
            progress=tell,
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

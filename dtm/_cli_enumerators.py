"""Answer `dtm enumerators`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dtm._cli_common import HERE, JsonOption, WorkspaceOption, out, print_findings, print_json, print_table, warehouse
from dtm.enumerators import list_enumerators, load_enumerators
from dtm.errors import EXIT_BAD_INPUT

enumerators_app = typer.Typer(
    help="Keep the list of enumerators: pseudonyms, roles, units, training.", no_args_is_help=True
)


@enumerators_app.command("load", epilog="Example: dtm enumerators load enumerators.csv")
def load_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV or XLSX: enumerator, role, unit, trained_on (YYYY-MM-DD).")
    ],
    *,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Take a list of enumerators in place of the one before, whole or not at all; pseudonyms only, no names."""
    with warehouse(workspace) as (_, connection):
        report = load_enumerators(connection, file)
    told = report.to_dict()
    if as_json:
        print_json(told)
    else:
        print_findings(told["findings"])
        if report.refused:
            out.print(f"{file.name}: refused; the list is as it was.", markup=False)
        else:
            before = f" in place of {report.replaced:,}" if report.replaced else ""
            out.print(f"{file.name}: {report.loaded:,} enumerators{before}.", markup=False)
    if report.refused:
        raise typer.Exit(EXIT_BAD_INPUT)


@enumerators_app.command("list", epilog="Example: dtm enumerators list --json")
def list_command(*, workspace: WorkspaceOption = HERE, as_json: JsonOption = False) -> None:
    """List the enumerators with their role, unit, training and returns."""
    with warehouse(workspace) as (_, connection):
        rows = list_enumerators(connection)
    if as_json:
        print_json(rows)
    else:
        print_table(rows, title="Enumerators")

"""Answer `dtm round`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from dtm._cli_common import (
    DATE_FORMATS,
    HERE,
    JsonOption,
    WorkspaceOption,
    day,
    out,
    print_json,
    print_table,
    records,
    warehouse,
)
from dtm.rounds import list_rounds, open_round

round_app = typer.Typer(help="Open and list rounds of data collection.", no_args_is_help=True)


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

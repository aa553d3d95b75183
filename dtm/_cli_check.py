"""Answer `dtm check` and `dtm check series`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dtm._cli_common import HERE, JsonOption, WorkspaceOption, out, print_json, print_table, warehouse
from dtm.checks import check_rounds
from enumerations._series_files import read_figures
from enumerations.series import check_series

check_app = typer.Typer(help="Check rounds, or any table of figures.", invoke_without_command=True)


@check_app.callback(epilog="Example: dtm check --round 1")
def check_command(
    context: typer.Context,
    *,
    round_number: Annotated[int | None, typer.Option("--round", help="One round only.")] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Say how complete each round is and what was found in its returns."""
    if context.invoked_subcommand is not None:
        return
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


@check_app.command(
    "series",
    epilog="Example: dtm check series migration.csv --key region --period year --value incoming --value outgoing",
)
def series_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or XLSX with a row for each place and period.")],
    *,
    keys: Annotated[list[str], typer.Option("--key", help="Column that names the place; several together may.")],
    period: Annotated[str, typer.Option("--period", help="Column of the year or round.")],
    values: Annotated[list[str], typer.Option("--value", help="Column of figures; give it once for each.")],
    as_json: JsonOption = False,
) -> None:
    """Find outliers, swapped digits, copied rows and rounded figures in any table by place and period."""
    found = check_series(read_figures(file, keys=keys, period=period, values=values))
    rows = [asdict(finding) for finding in found]
    if as_json:
        print_json(rows)
        return
    columns = ["code", "key", "period", "field", "value", "suggested"]
    print_table(rows, title=f"Findings in {file.name}", columns=columns)
    for code, example in {row["code"]: row["message_en"] for row in reversed(rows)}.items():
        out.print(f"{code}: {example}", markup=False)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"

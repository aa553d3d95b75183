"""Answer `dtm check`."""

from __future__ import annotations

from typing import Annotated

import typer

from dtm._cli_common import HERE, JsonOption, WorkspaceOption, out, print_json, print_table, warehouse
from dtm.checks import check_rounds


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

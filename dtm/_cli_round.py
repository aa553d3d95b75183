"""Answer `dtm round`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from dtm._cli_common import (
    DATE_FORMATS,
    HERE,
    JsonOption,
    WorkspaceOption,
    day,
    err,
    out,
    print_json,
    print_table,
    progress_bar,
    records,
    warehouse,
)
from dtm._cli_round_status import print_standing, print_status
from dtm.errors import EXIT_FINDINGS, OpenErrorsError
from dtm.feedback import write_feedback
from dtm.round_status import round_status
from dtm.rounds import close_round, find_round, list_rounds, open_round, reopen_round
from dtm.waivers import unwaive, waive

round_app = typer.Typer(
    help="Run rounds of data collection: open, watch, close, sign off, reopen.", no_args_is_help=True
)

RoundOption = Annotated[int, typer.Option("--round", help="Number of the round.")]
WhoOption = Annotated[str, typer.Option("--who", metavar="NAME", help="Who decides; kept in the round's history.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept with the name.")]
FindingsOption = Annotated[
    list[str] | None,
    typer.Option("--finding", metavar="ID", help="A finding, as round status lists it; may be repeated."),
]
CodesOption = Annotated[
    list[str] | None, typer.Option("--code", metavar="CODE", help="All findings of a code; may be repeated.")
]
PcodeOption = Annotated[
    str | None, typer.Option("--pcode", metavar="P", help="With --code: only in this area and what lies in it.")
]


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


@round_app.command("status", epilog="Example: dtm round status --round 3 --due-days 2")
def status_command(
    *,
    number: Annotated[
        int | None, typer.Option("--round", help="Number of the round.", show_default="the newest")
    ] = None,
    due_days: Annotated[
        int, typer.Option("--due-days", min=0, help="Call units late so many days before the last day already.")
    ] = 0,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Say how far a round has come, who is late, and what stands against signing it off."""
    with warehouse(workspace) as (opened, connection):
        operation = opened.settings.operation
        found = find_round(connection, operation=operation, number=number)
        told = round_status(connection, operation=operation, number=found.number, due_days_before_end=due_days)
    if as_json:
        print_json(told)
    else:
        print_status(told)


@round_app.command("close", epilog="Example: dtm round close --round 3 --sign-off --who 'B. Analyst'")
def close_command(
    *,
    number: RoundOption,
    who: WhoOption,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; kept with the name.")] = None,
    sign_off: Annotated[
        bool, typer.Option("--sign-off", help="Sign the round off after cleaning; no error may stand.")
    ] = False,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Move a round one step on: end its collection (draft to cleaning), or sign it off."""
    with warehouse(workspace) as (opened, connection):
        try:
            found = close_round(
                connection,
                operation=opened.settings.operation,
                number=number,
                who=who,
                reason=reason,
                sign_off=sign_off,
            )
        except OpenErrorsError as error:
            _refuse(error, number, as_json=as_json)
            raise typer.Exit(EXIT_FINDINGS) from error
    if as_json:
        print_json({"number": found.number, "status": found.status, "standing": []})
    elif sign_off:
        out.print(f"Round {number} is signed off by {who.strip()}. Release it: dtm release", markup=False)
    else:
        out.print(
            f"The collection of round {number} has ended; it is being cleaned. Late returns are still taken. "
            f"Next: dtm round status --round {number}"
        )


def _refuse(error: OpenErrorsError, number: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"number": number, "refused": str(error), "standing": error.findings})
    else:
        print_standing(error.findings)
        err.print(f"dtm: {error}", markup=False, style="red")


@round_app.command(
    "reopen", epilog="Example: dtm round reopen --round 3 --who 'B. Analyst' --reason 'Khoroo 5 sent a correction'"
)
def reopen_command(
    *,
    number: RoundOption,
    who: WhoOption,
    reason: ReasonOption,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Take a signed-off or released round back to cleaning; the next release follows."""
    with warehouse(workspace) as (opened, connection):
        found = reopen_round(connection, operation=opened.settings.operation, number=number, who=who, reason=reason)
    if as_json:
        print_json({"number": found.number, "status": found.status})
    else:
        out.print(f"Round {number} is open again (cleaning). What was released stays until the next release.")


@round_app.command(
    "waive",
    epilog="Example: dtm round waive --round 3 --code outlier_change --pcode MN1107 --reason 'New apartments' "
    "--who 'B. Analyst'",
)
def waive_command(
    *,
    number: RoundOption,
    reason: ReasonOption,
    who: WhoOption,
    findings: FindingsOption = None,
    codes: CodesOption = None,
    pcode: PcodeOption = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Let findings stand, with a reason and a name; it holds when the checks run again."""
    with warehouse(workspace) as (opened, connection):
        count = waive(
            connection,
            operation=opened.settings.operation,
            number=number,
            reason=reason,
            who=who,
            finding_ids=findings or (),
            codes=codes or (),
            pcode=pcode,
        )
    if as_json:
        print_json({"number": number, "waived": count})
    else:
        out.print(f"Waived {count} finding{'s' * (count != 1)} of round {number}.")


@round_app.command("unwaive", epilog="Example: dtm round unwaive --round 3 --code outlier_change --who 'B. Analyst'")
def unwaive_command(
    *,
    number: RoundOption,
    who: WhoOption,
    findings: FindingsOption = None,
    codes: CodesOption = None,
    pcode: PcodeOption = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Take waivers back, so that their findings stand again."""
    with warehouse(workspace) as (opened, connection):
        count = unwaive(
            connection,
            operation=opened.settings.operation,
            number=number,
            who=who,
            finding_ids=findings or (),
            codes=codes or (),
            pcode=pcode,
        )
    if as_json:
        print_json({"number": number, "taken_back": count})
    else:
        out.print(f"Took {count} waiver{'s' * (count != 1)} of round {number} back.")


@round_app.command("feedback", epilog="Example: dtm round feedback --round 3 --out feedback-3 --language mn")
def feedback_command(
    *,
    number: RoundOption,
    out_folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="New folder, a page for each khoroo.")],
    khoroos: Annotated[
        list[str] | None, typer.Option("--khoroo", metavar="PCODE", help="Only this khoroo; may be repeated.")
    ] = None,
    language: Annotated[Literal["mn", "en"], typer.Option(help="Language of the pages.")] = "mn",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Write each khoroo a page to print: what came, what was corrected and why, what could not be used."""
    with warehouse(workspace) as (opened, connection), progress_bar("Writing feedback") as tell:
        written = write_feedback(
            connection,
            opened,
            number=number,
            folder=out_folder,
            khoroos=khoroos,
            language=language,
            progress=tell,
        )
    if as_json:
        print_json({"number": number, "folder": out_folder, "files": written})
    else:
        count = len(written)
        out.print(f"Wrote {count} page{'s' * (count != 1)} to {out_folder}. Each is for its khoroo only.", markup=False)

"""Answer `dtm returns pull`."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dtm._cli_common import (
    DATE_FORMATS,
    HERE,
    JsonOption,
    StrictOption,
    WorkspaceOption,
    err,
    out,
    print_findings,
    print_json,
    print_table,
    progress_bar,
)
from dtm.errors import EXIT_FINDINGS
from dtm.workspace import open_workspace
from enumerations import kobo, odk
from enumerations.downloads import server_address
from enumerations.mapping import read_mapping

if TYPE_CHECKING:
    from dtm.pulls import PullReport
    from enumerations.downloads import Server

LOCAL_TIME = timezone(timedelta(hours=8))
"""Ulaanbaatar; a day of --since begins at its midnight."""
ODK_PAGE_SIZE = 250
_COUNTS = ("rows_read", "accepted", "quarantined", "duplicate")

pull_app = typer.Typer(
    help="Ask a server for its returns and import them. No other command asks the network for anything, and this one "
    "only the server you name.",
    no_args_is_help=True,
)

UrlOption = Annotated[str, typer.Option(help="Address of the server (https://).")]
MappingOption = Annotated[
    Path | None, typer.Option("--mapping", metavar="FILE", help="How the columns of another form are read (TOML).")
]
RoundOption = Annotated[int | None, typer.Option("--round", help="Round the returns belong to.")]
SinceOption = Annotated[
    datetime | None,
    typer.Option(formats=DATE_FORMATS, help="Only returns sent or changed since this day; everything when not given."),
]


def _notice(words: str) -> None:
    err.print(words, markup=False)


def _pull(
    server: Server,
    folder: Path,
    *,
    mapping: Path | None,
    round_number: int | None,
    since: datetime | None,
    page_size: int,
    strict: bool,
    as_json: bool,
) -> None:
    from dtm.pulls import pull_returns  # noqa: PLC0415  spares the other commands the loading

    try:
        with progress_bar("Pulling") as tell:
            report = pull_returns(
                open_workspace(folder),
                server,
                mapping=read_mapping(mapping) if mapping else None,
                round_number=round_number,
                since=since.replace(tzinfo=LOCAL_TIME) if since else None,
                page_size=page_size,
                strict=strict,
                tell=tell,
            )
    finally:
        server.close()
    if as_json:
        print_json(report.to_dict())
    else:
        _print_pull(report)
    if report.imported.refused:
        raise typer.Exit(EXIT_FINDINGS)


def _print_pull(report: PullReport) -> None:
    """Print what came, what was found, and what became of it."""
    print_findings(report.findings)
    files = report.imported.to_dict()["files"]
    rows = [
        {"table": table["name"], **{key: table[key] for key in _COUNTS}} for file in files for table in file["tables"]
    ]
    if rows:
        print_table(rows, title="Returns")
    words = [f"{report.returns} returns came from {report.address} ({report.form})"]
    words += [
        f"{count} {what}"
        for count, what in (
            (report.repeated, "came more than once"),
            (report.refetched, "were asked for again, as they had changed meanwhile"),
            (report.dropped, "were deleted meanwhile"),
            (report.withdrawn, "stored before were taken out, as the server has them no longer"),
        )
        if count
    ]
    if report.is_resumed:
        words.append("the pull went on where an earlier one had broken off")
    out.print("; ".join(words) + ".", markup=False)
    if any(file["is_known_file"] for file in files):
        out.print("Nothing has changed on the server since they were imported.")
    if report.imported.refused:
        out.print("Nothing was imported: with --strict every finding stands in the way.")


@pull_app.command(
    "odk", epilog="Example: dtm returns pull odk --url https://central.example.org --project 1 --form kheseg-baseline"
)
def odk_command(
    *,
    url: UrlOption,
    project: Annotated[int, typer.Option(min=1, help="Number of the project.")],
    form: Annotated[str, typer.Option(help="Id of the form (not its title).")],
    mapping: MappingOption = None,
    round_number: RoundOption = None,
    since: SinceOption = None,
    page_size: Annotated[
        int, typer.Option(min=1, max=odk.PAGE_SIZE_MAXIMUM, help="Returns in a page.")
    ] = ODK_PAGE_SIZE,
    strict: StrictOption = False,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Pull the submissions of a form from ODK Central.

    The credentials are DTM_ODK_EMAIL and DTM_ODK_PASSWORD (a session is opened and closed again), or DTM_ODK_TOKEN
    (of a session, or of an app user with a role that may read). What is not set there is looked for in the keyring of
    the system: service "dtm URL", user name the email, or "token".
    """
    from dtm.credentials import odk_credentials  # noqa: PLC0415  spares the other commands the loading

    address = server_address(url)
    server = odk.OdkServer(address, project, form, odk_credentials(address), tell=_notice)
    _pull(
        server, workspace, mapping=mapping, round_number=round_number, since=since, page_size=page_size, strict=strict,
        as_json=as_json,
    )  # fmt: skip


@pull_app.command(
    "kobo", epilog="Example: dtm returns pull kobo --url https://kf.kobotoolbox.org --asset aXecHjmbATuF6iGFmvBLBX"
)
def kobo_command(
    *,
    url: UrlOption,
    asset: Annotated[str, typer.Option(help="Identifier of the form, as its address shows it.")],
    mapping: MappingOption = None,
    round_number: RoundOption = None,
    since: SinceOption = None,
    page_size: Annotated[
        int, typer.Option(min=1, max=kobo.PAGE_SIZE_MAXIMUM, help="Returns in a page.")
    ] = kobo.PAGE_SIZE_MAXIMUM,
    strict: StrictOption = False,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Pull the submissions of a form from KoboToolbox.

    The credential is DTM_KOBO_TOKEN. If it is not set, it is looked for in the keyring of the system: service
    "dtm URL", user name "token".
    """
    from dtm.credentials import kobo_token  # noqa: PLC0415  spares the other commands the loading

    address = server_address(url)
    server = kobo.KoboServer(address, asset, kobo_token(address), tell=_notice)
    _pull(
        server, workspace, mapping=mapping, round_number=round_number, since=since, page_size=page_size, strict=strict,
        as_json=as_json,
    )  # fmt: skip

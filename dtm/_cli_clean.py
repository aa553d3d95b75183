"""Answer `dtm clean`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dtm._cli_common import HERE, JsonOption, WorkspaceOption, err, out, print_json, print_table, warehouse
from dtm.cleaning import apply_edits, list_edits, read_edits, undo_edits, write_template
from dtm.errors import EXIT_FINDINGS
from dtm.rounds import find_round

if TYPE_CHECKING:
    from dtm.cleaning import CleaningReport

clean_app = typer.Typer(help="Correct returns by a log of edits; what was sent never changes.", no_args_is_help=True)
_WHO = "Who corrects; stands where the column `who` is empty."


@clean_app.command("template", epilog="Example: dtm clean template --round 1 --out edits.xlsx --language mn")
def template_command(
    *,
    out_file: Annotated[Path, typer.Option("--out", help="File to write: .xlsx or .csv.")],
    round_number: Annotated[int | None, typer.Option("--round", help="Only findings of this round.")] = None,
    language: Annotated[Literal["en", "mn"], typer.Option(help="Language of the messages.")] = "en",
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Write a file with a row for each open finding, to be filled in: new value, reason, who."""
    with warehouse(workspace) as (opened, connection):
        if round_number is not None:
            find_round(connection, operation=opened.settings.operation, number=round_number)
        rows = write_template(connection, out_file, workspace=opened, round_number=round_number, language=language)
    if as_json:
        print_json({"file": str(out_file), "rows": rows})
    else:
        out.print(f"{out_file}: {rows} rows. Fill in new, reason and who; leave the others as they are.", markup=False)


@clean_app.command("apply", epilog='Example: dtm clean apply edits.xlsx --who "B. Analyst"')
def apply_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or XLSX: record, field, old, new, reason, who.")],
    *,
    who: Annotated[str | None, typer.Option(help=_WHO)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")] = False,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Apply a file of edits: all of them, or none. The new value `(empty)` makes a cell empty."""
    edits = read_edits(file, who=who)
    with warehouse(workspace) as (opened, connection):
        report = apply_edits(connection, opened, edits, file_name=file.name, is_dry_run=dry_run)
    _answer(report, as_json=as_json)


@clean_app.command("undo", epilog='Example: dtm clean undo 12 13 --who "B. Analyst" --reason "wrong kheseg"')
def undo_command(
    edits: Annotated[list[int], typer.Argument(metavar="EDIT...", help="Numbers of edits, from `dtm clean log`.")],
    *,
    who: Annotated[str, typer.Option(help="Who takes them back.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Take edits back; the log keeps both."""
    with warehouse(workspace) as (opened, connection):
        report = undo_edits(connection, opened, edits, who=who, reason=reason)
    _answer(report, as_json=as_json)


@clean_app.command("log", epilog="Example: dtm clean log --round 1 --json")
def log_command(
    *,
    round_number: Annotated[int | None, typer.Option("--round", help="Only edits of records of this round.")] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """List the edits: what was changed, why, by whom and when."""
    with warehouse(workspace) as (opened, connection):
        if round_number is not None:
            find_round(connection, operation=opened.settings.operation, number=round_number)
        rows = list_edits(connection, round_number=round_number)
    if as_json:
        print_json(rows)
    else:
        columns = ["edit_id", "record", "field", "old", "new", "reason", "who", "edited_at", "undoes", "undone_by"]
        print_table(rows, title="Cleaning log", columns=columns)


def _answer(report: CleaningReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report.to_dict())
    else:
        for finding in report.findings:
            row = f", row {finding['row_number']}" if finding["row_number"] else ""
            err.print(f"{finding['file_name']}{row}, {finding['field']}: {finding['message_en']}", markup=False)
        if report.refused:
            out.print("Nothing was changed: every edit of a file must hold, or none is applied.")
        else:
            would = "would be " if report.is_dry_run else ""
            out.print(
                f"{report.edits} edits of {report.records} records {would}applied; {report.unchanged} changed nothing. "
                f"Accepted {report.accepted:+d}, in quarantine {report.quarantined:+d} records.",
                markup=False,
            )
    if report.refused:
        raise typer.Exit(EXIT_FINDINGS)

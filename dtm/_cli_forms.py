"""Answer `dtm forms`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dtm._cli_common import HERE, JsonOption, WorkspaceOption, out, print_json, warehouse
from dtm.forms import build, template

forms_app = typer.Typer(
    help="Build the forms for phones, and workbooks for offices without phones.", no_args_is_help=True
)


@forms_app.command("build", epilog="Example: dtm forms build --area-set khoroos-2022 --out forms --round 3")
def build_command(
    *,
    area_set: Annotated[str, typer.Option(help="Khoroos to choose from; their khesegs too, if a set has them.")],
    out_folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the forms.")],
    forms: Annotated[list[str] | None, typer.Option("--form", help="Build this form only; may be repeated.")] = None,
    round_number: Annotated[
        int | None, typer.Option("--round", min=0, help="Round that every return will say it belongs to.")
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Version of the forms, best a date: 2025040101.", show_default="from the content")
    ] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Write each form as an XLSForm (.xlsx, for KoboToolbox) and an XForm (.xml, for ODK)."""
    with warehouse(workspace) as (_, connection):
        files = build(
            connection, area_set=area_set, out=out_folder, forms=forms, round_number=round_number, version=version
        )
    if as_json:
        print_json({"files": [str(path) for path in files]})
        return
    for path in files:
        out.print(f"Wrote {path}", markup=False)


@forms_app.command(
    "template", epilog="Example: dtm forms template --form kheseg-baseline --out baseline.xlsx --area-set khoroos-2022"
)
def template_command(
    *,
    form: Annotated[str, typer.Option(help="Form to write a workbook for.")],
    out_file: Annotated[Path, typer.Option("--out", metavar="FILE", help="Workbook (.xlsx) to write.")],
    area_set: Annotated[str | None, typer.Option(help="Khoroos to choose from in drop-downs.")] = None,
    office: Annotated[
        str | None,
        typer.Option(help="Code of the office and round; begins every return's number.", show_default="made up"),
    ] = None,
    workspace: WorkspaceOption = HERE,
) -> None:
    """Write a workbook to be filled in by hand; `dtm returns import` reads it back."""
    with warehouse(workspace) as (_, connection):
        used = template(connection, form=form, out=out_file, area_set=area_set, office=office)
    out.print(
        f"Wrote {out_file}; its returns are numbered {used}-001, {used}-002, ... "
        "Write a new workbook for each office and round.",
        markup=False,
    )

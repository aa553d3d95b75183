"""Answer `dtm returns map`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dtm._cli_common import JsonOption, out, print_json, print_table
from dtm.engine import connect
from dtm.errors import WrongUseError
from enumerations.columns import FORMS
from enumerations.mapping import propose_mapping


def map_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, XLSX, JSON or CSV archive of any form.")],
    *,
    form: Annotated[
        str | None, typer.Option(help=f"Our form it should become: {', '.join(FORMS)}; the likeliest when not given.")
    ] = None,
    out_path: Annotated[Path | None, typer.Option("--out", help="Write the mapping file (TOML) here.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Propose a mapping of another form's columns to ours, and say how sure each of its lines is."""
    if out_path is not None and out_path.exists():
        raise WrongUseError(f"{out_path} is there already. Give another name, or remove it first.")
    connection = connect(spatial=False)
    try:
        proposal = propose_mapping(connection, file, form=form)
    finally:
        connection.close()
    if out_path is not None:
        try:
            out_path.write_text(proposal.text, encoding="utf-8")
        except OSError as error:
            raise WrongUseError(f"{out_path}: can't be written ({error.strerror}). Give another name.") from error
    document = proposal.to_dict()
    if as_json:
        print_json(document)
    else:
        _print_proposal(document, out_path)


def _print_proposal(document: dict[str, Any], out_path: Path | None) -> None:
    """Print each table's lines with what is sure of them, then what is left and what is missing."""
    for table in document["tables"]:
        rows = [
            {"our column": one["ours"], "their column": one["theirs"], "sure": f"{one['share']:.0%}",
             "look at it": "" if one["is_sure"] else "yes", "why": one["why"]}
            for one in table["columns"]
        ]  # fmt: skip
        source = f" from '{table['source']}'" if table["source"] else ""
        print_table(rows, title=f"{document['form']}: {table['table']}{source}")
        if table["left"]:
            out.print(f"Left of theirs: {', '.join(table['left'])}", markup=False)
        for name in table["missing_required"]:
            out.print(f"Nothing answers to {name}, which is required.", markup=False)
    for name in document["ignored_tables"]:
        out.print(f"'{name}' fits no table of the form.", markup=False)
    if out_path is None:
        out.print("Write the mapping file with --out mapping.toml, correct it, and import with --mapping.")
    else:
        out.print(f"{out_path} is written. Look at the lines with a question mark, then import with --mapping.")

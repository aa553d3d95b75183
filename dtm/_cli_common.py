"""Share what every command needs: the workspace option, tables on the terminal, JSON, progress, error answers."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as RichTable

from dtm.warehouse import open_warehouse
from dtm.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dtm.engine import Connection

FINDINGS_SHOWN = 20
"""Findings listed on a terminal; `--json` gives all."""

PIPE_WIDTH_CHARACTERS = 200
"""Width of a table that is written to a file or a pipe."""


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, soft_wrap=True)
    return console if console.is_terminal else Console(stderr=stderr, highlight=False, width=PIPE_WIDTH_CHARACTERS)


out = _console(stderr=False)
err = _console(stderr=True)

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", help="Folder of the workspace.", show_default="the current folder")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a table.")]
StrictOption = Annotated[bool, typer.Option("--strict", help="Treat every warning as an error.")]
DATE_FORMATS = ["%Y-%m-%d"]
HERE = Path()


def day(value: datetime) -> date:
    """Return the day of a parsed date option."""
    return value.date()


@contextmanager
def warehouse(folder: Path) -> Iterator[tuple[Workspace, Connection]]:
    """Open the workspace in a folder and its warehouse; close it at the end."""
    workspace = open_workspace(folder)
    connection = open_warehouse(workspace)
    try:
        yield workspace, connection
    finally:
        connection.close()


def _plain(value: object) -> object:
    if isinstance(value, (datetime, date, pd.Timestamp)):
        return value.isoformat()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Path):
        return str(value)
    if value is pd.NA or value is pd.NaT:
        return None
    raise TypeError(f"{type(value).__name__} can't be written as JSON")


def _no_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _no_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_no_nan(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def print_json(document: object) -> None:
    """Print one JSON document on standard output; what is not a number becomes null."""
    print(json.dumps(_no_nan(document), ensure_ascii=False, indent=1, default=_plain))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame for JSON: nulls as None, integers as integers."""
    return [
        {
            str(key): None if not isinstance(value, (list, dict)) and pd.isna(value) else value
            for key, value in row.items()
        }
        for row in frame.astype(object).to_dict("records")
    ]


def _cell(value: Any) -> str:
    if value is None or (not isinstance(value, (list, dict)) and pd.isna(value)):
        return "-"
    if isinstance(value, (pd.Timestamp, datetime)):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ", "seconds")
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


def print_table(rows: Iterable[Mapping[str, object]], *, title: str, columns: list[str] | None = None) -> None:
    """Print rows as a table, all columns or the named ones."""
    listed = list(rows)
    if not listed:
        out.print(f"{title}: none")
        return
    names = columns or list(listed[0])
    table = RichTable(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in names:
        number = all(isinstance(row.get(name), (int, float)) or row.get(name) is None for row in listed)
        table.add_column(name.replace("_", " "), justify="right" if number else "left", overflow="fold")
    for row in listed:
        table.add_row(*(_cell(row.get(name)) for name in names))
    out.print(table)


def print_findings(findings: Iterable[Mapping[str, Any]]) -> None:
    """Print findings with their place, errors first; a long list is cut and says so."""
    listed = sorted(findings, key=lambda row: row["severity"] != "error")
    for row in listed[:FINDINGS_SHOWN]:
        number = row.get("row_number") or row.get("feature")
        kind = "row" if row.get("row_number") else "feature"
        place = [
            row["file_name"],
            row.get("sheet") or row.get("layer"),
            number and f"{kind} {number}",
            row.get("field"),
        ]
        style = "red" if row["severity"] == "error" else "yellow"
        err.print(f"[{style}]{row['severity']}[/] {row['code']}: {', '.join(str(part) for part in place if part)}")
        err.print(f"  {row['message_en']}", markup=False)
    if len(listed) > FINDINGS_SHOWN:
        err.print(f"... and {len(listed) - FINDINGS_SHOWN} more; --json lists all.")


def _show_nothing(_step: str, _share: float) -> None:
    """Take the place of a bar on a pipe."""


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[str, float], None]]:
    """Give a function that moves a bar, shown on a terminal and not on a pipe."""
    if not sys.stderr.isatty():
        yield _show_nothing
        return
    columns = (TextColumn("{task.fields[title]}"), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=1.0, title=title)
        yield lambda step, share: bar.update(task, description=step, completed=share)

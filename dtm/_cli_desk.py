"""Answer `dtm desk`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from dtm._cli_common import HERE, WorkspaceOption
from dtm.workspace import open_workspace

DESK_PORT = 8060


def desk_command(
    *,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = DESK_PORT,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Don't open a browser.")] = False,
    workspace: WorkspaceOption = HERE,
) -> None:
    """Open the round desk: the page for analysts, on this machine alone.

    It shows unsuppressed data. The address that is printed holds a key; whoever has it is let in.
    """
    open_workspace(workspace)
    command = [sys.executable, "-m", "dashboard.desk", "--workspace", str(workspace), "--port", str(port)]
    if no_browser:
        command.append("--no-browser")
    sys.stdout.flush()
    os.execv(sys.executable, command)  # noqa: S606  our own module; stopping the one stops the other

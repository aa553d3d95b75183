"""Start the round desk of a workspace: `python -m dashboard.desk --workspace DIR`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dtm.errors import DtmError
from dtm.workspace import open_workspace

PORT_DEFAULT = 8060
PORT_MAXIMUM = 65_535


def _port(text: str) -> int:
    number = int(text)
    if not 1 <= number <= PORT_MAXIMUM:
        raise argparse.ArgumentTypeError(f"{number} is not from 1 to {PORT_MAXIMUM}")
    return number


def main(arguments: list[str] | None = None) -> int:
    """Serve, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m dashboard.desk", description="Serve the round desk of a workspace, to this machine alone."
    )
    parser.add_argument("--workspace", type=Path, default=Path(), metavar="DIR", help="folder of the deployment")
    parser.add_argument("--port", type=_port, default=PORT_DEFAULT, help="port on 127.0.0.1")
    parser.add_argument("--no-browser", action="store_true", help="don't open a browser")
    options = parser.parse_args(arguments)
    try:
        workspace = open_workspace(options.workspace.resolve())
        from dashboard.desk.server import serve  # noqa: PLC0415  slow to import; a wrong folder is told at once

        serve(workspace, port=options.port, open_browser=not options.no_browser)
    except DtmError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())

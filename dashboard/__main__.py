"""Start the dashboard of a workspace: `python -m dashboard --workspace DIR`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dtm.errors import DtmError
from dtm.workspace import open_workspace

PORT_DEFAULT = 8050
PORT_MAXIMUM = 65_535
WORKERS_DEFAULT = 2
WORKERS_MAXIMUM = 32


def _bounded(lowest: int, highest: int) -> object:
    def read(text: str) -> int:
        number = int(text)
        if not lowest <= number <= highest:
            raise argparse.ArgumentTypeError(f"{number} is not from {lowest} to {highest}")
        return number

    return read


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dashboard", description="Serve the dashboard of a workspace from its current release."
    )
    parser.add_argument("--workspace", type=Path, default=Path(), metavar="DIR", help="folder of the deployment")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=_bounded(1, PORT_MAXIMUM), default=PORT_DEFAULT)
    parser.add_argument("--workers", type=_bounded(1, WORKERS_MAXIMUM), default=WORKERS_DEFAULT)
    parser.add_argument("--no-browser", action="store_true", help="don't open a browser")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Serve, and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        workspace = open_workspace(options.workspace.resolve())
        from dashboard.server import serve  # noqa: PLC0415  slow to import; a wrong folder is told at once

        serve(
            workspace,
            host=options.host,
            port=options.port,
            workers=options.workers,
            open_browser=not options.no_browser,
        )
    except DtmError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())

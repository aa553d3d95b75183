"""Write a page of the documentation that is made from the code."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def write_page(text: str, arguments: Sequence[str] | None, *, prog: str, example: str) -> int:
    """Write a page to the file that the arguments name, or to standard output when they name none."""
    parser = argparse.ArgumentParser(prog=prog, description=write_page.__doc__)
    parser.add_argument("file", nargs="?", type=Path, help=f"file to write, for example {example}")
    file: Path | None = parser.parse_args(arguments).file
    if file is None:
        sys.stdout.write(text)
    else:
        file.write_text(text, encoding="utf-8")
    return 0

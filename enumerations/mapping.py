"""Read the columns of another form through a mapping: their column, our column, unit, code translation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from enumerations._headers import Header


@dataclass(frozen=True)
class Mapping:
    """How the columns of one kind of file become canonical ones; `text` is the whole mapping file (TOML)."""

    text: str
    form: str

    def count_known(self, names: Sequence[str]) -> int:
        """Return how many columns of a header the mapping reads, at best."""
        raise NotImplementedError

    def recognise(self, names: Sequence[str], *, place: str, is_sparse: bool) -> Header:
        """Return the table that a header belongs to."""
        raise NotImplementedError


def parse_mapping(text: str, *, name: str = "mapping") -> Mapping:
    """Read the text of a mapping file; `name` is the file's, for messages."""
    raise NotImplementedError


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file."""
    return parse_mapping(path.read_text(encoding="utf-8"), name=path.name)

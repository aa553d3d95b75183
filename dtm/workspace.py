"""Know the folder that is a deployment: its settings, warehouse, inbox and releases."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import tomli_w

from dtm.errors import BadInputError, NoWorkspaceError, WrongUseError

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS_FILE = "dtm.toml"
OWN_FILES = (SETTINGS_FILE, "warehouse.duckdb", "series_breaks.csv")
"""Files of a workspace's folder that commands read."""
DISCLOSURE_THRESHOLD_PERSONS = 10
"""Counts of persons from 1 to one less than this are hidden."""
DISCLOSURE_THRESHOLD_HOUSEHOLDS = 5
"""Counts of households from 1 to one less than this are hidden."""
MINIMUM_DENOMINATOR_PERSONS = 50
"""Rates on fewer people than this are hidden."""


@dataclass(frozen=True)
class Settings:
    """What `dtm.toml` says; every key has a default."""

    operation: str = "Ulaanbaatar population tracking"
    title_en: str = "Population tracking of Ulaanbaatar"
    title_mn: str = "Улаанбаатар хотын хүн амын хөдөлгөөний бүртгэл"
    is_demonstration: bool = False
    threshold_persons: int = DISCLOSURE_THRESHOLD_PERSONS
    threshold_households: int = DISCLOSURE_THRESHOLD_HOUSEHOLDS
    minimum_denominator_persons: int = MINIMUM_DENOMINATOR_PERSONS

    def __post_init__(self) -> None:
        """Refuse thresholds that would publish a family."""
        for name in ("threshold_persons", "threshold_households"):
            if not 5 <= getattr(self, name) <= 20:  # noqa: PLR2004  the bounds are the rule
                raise BadInputError(f"{SETTINGS_FILE}: {name} must be a whole number from 5 to 20.")


@dataclass(frozen=True)
class Workspace:
    """A folder with `dtm.toml`, `warehouse.duckdb`, `inbox/` and `releases/`."""

    path: Path
    settings: Settings = field(default_factory=Settings)

    @property
    def warehouse_path(self) -> Path:
        """Return the private database."""
        return self.path / "warehouse.duckdb"

    @property
    def inbox_path(self) -> Path:
        """Return the folder that keeps every imported file's bytes."""
        return self.path / "inbox"

    @property
    def releases_path(self) -> Path:
        """Return the folder of the releases."""
        return self.path / "releases"

    @property
    def scratch_path(self) -> Path:
        """Return the folder the engine spills to."""
        return self.path / ".scratch"

    def keeps(self, path: Path) -> bool:
        """Return whether a path is one that answers must not be written to: what was imported, released or set."""
        own, there = self.path.resolve(), path.resolve()
        folders = (self.inbox_path.resolve(), self.releases_path.resolve())
        return (there.parent == own and there.name in OWN_FILES) or any(folder in there.parents for folder in folders)


def create_workspace(path: Path, *, settings: Settings | None = None) -> Workspace:
    """Make an empty workspace.

    Raises
    ------
    WrongUseError
        The folder holds a workspace already, or is not a folder.
    """
    settings = settings or Settings()
    if (path / SETTINGS_FILE).exists():
        raise WrongUseError(f"{path} is a workspace already; use it as it is, or choose another folder.")
    if path.exists() and not path.is_dir():
        raise WrongUseError(f"{path} is a file; give a folder.")
    workspace = Workspace(path, settings)
    for folder in (path, workspace.inbox_path, workspace.releases_path):
        folder.mkdir(parents=True, exist_ok=True)
    values = {name: getattr(settings, name) for name in Settings.__dataclass_fields__}
    partial = path / f".{SETTINGS_FILE}.partial"
    try:
        partial.write_text(tomli_w.dumps(values), encoding="utf-8")
        partial.replace(path / SETTINGS_FILE)
    except BaseException:  # an empty settings file would pass for a workspace
        partial.unlink(missing_ok=True)
        raise
    return workspace


def open_workspace(path: Path) -> Workspace:
    """Read the workspace in a folder.

    Raises
    ------
    NoWorkspaceError
        The folder has no `dtm.toml`.
    BadInputError
        `dtm.toml` can't be read, or has an unknown key or a value of the wrong type.
    """
    file = path / SETTINGS_FILE
    if not file.exists():
        raise NoWorkspaceError(
            f"{path} is not a workspace (it has no {SETTINGS_FILE}). Make one with `dtm init {path}`, "
            "or name one with --workspace DIR."
        )
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInputError(f"{file}: not a TOML file: {error}") from error
    known = Settings.__dataclass_fields__
    for key, value in values.items():
        if key not in known:
            raise BadInputError(f"{file}: unknown key '{key}'; known: {', '.join(known)}.")
        expected = type(known[key].default)
        if type(value) is not expected:
            raise BadInputError(f"{file}: {key} must be a {expected.__name__}, not {value!r}.")
    return Workspace(path, Settings(**values))

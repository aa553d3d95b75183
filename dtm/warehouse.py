"""Open the warehouse of a workspace and keep its tables at the version this code knows."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING

from dtm._warehouse_migrations import to_version_2, to_version_3
from dtm._warehouse_tables import WAREHOUSE_TABLES
from dtm.engine import Connection, connect, transaction
from dtm.errors import WarehouseTooNewError
from dtm.messages import message

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dtm.workspace import Workspace

NAME_MAXIMUM_BYTES = 160
"""With its hash and `.partial` a name stays below the 255 bytes that file systems take."""
SCHEMA_VERSION = 3
"""Version of the tables; raise it with a migration from the version before."""

MIGRATIONS: dict[int, Callable[[Connection], None]] = {2: to_version_2, 3: to_version_3}
"""What turns version N-1 into version N, by N; a new file gets the declared tables at once."""


def _create_tables(connection: Connection) -> None:
    for table in WAREHOUSE_TABLES.values():
        connection.execute(table.create_sql())
    connection.execute("INSERT INTO meta VALUES ('schema_version', ?)", [str(SCHEMA_VERSION)])


def _stored_version(connection: Connection) -> int:
    known = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'meta'").fetchone()
    if known is None:
        return 0
    row = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    return int(row[0]) if row else 0


def prepare_warehouse(connection: Connection) -> None:
    """Create the tables, or bring older ones up to date, in one transaction.

    Raises
    ------
    WarehouseTooNewError
        A newer version of the system wrote the file.
    """
    version = _stored_version(connection)
    if version > SCHEMA_VERSION:
        raise WarehouseTooNewError(message("warehouse_too_new", version=version, known=SCHEMA_VERSION))
    if version == SCHEMA_VERSION:
        return
    with transaction(connection):
        if version == 0:
            _create_tables(connection)
            return
        for step in range(version + 1, SCHEMA_VERSION + 1):
            MIGRATIONS[step](connection)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", [str(SCHEMA_VERSION)])


def open_warehouse(workspace: Workspace, *, memory_limit_mb: int | None = None, spatial: bool = True) -> Connection:
    """Open the warehouse for writing; it holds the file's lock until it is closed.

    Without `spatial` it opens in about 20 ms instead of 200, for work that only reads and writes stored shapes.

    Raises
    ------
    WarehouseBusyError
        Another process is writing.
    """
    workspace.scratch_path.mkdir(parents=True, exist_ok=True)
    connection = connect(
        workspace.warehouse_path,
        memory_limit_mb=memory_limit_mb,
        temp_directory=workspace.scratch_path,
        spatial=spatial,
    )
    try:
        prepare_warehouse(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def file_sha256(path: Path) -> str:
    """Return the hash of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def inbox_copy(workspace: Workspace, sha256: str, file_name: str) -> Path:
    """Return where the inbox keeps a file: under its hash and as much of its name as fits."""
    return workspace.inbox_path / f"{sha256}-{file_name.encode()[-NAME_MAXIMUM_BYTES:].decode(errors='ignore')}"


def keep_in_inbox(workspace: Workspace, path: Path, sha256: str) -> Path:
    """Copy a file's bytes to the inbox under its hash, once; return the copy."""
    kept = inbox_copy(workspace, sha256, path.name)
    if not kept.exists():
        partial = kept.with_name(kept.name + ".partial")
        try:
            shutil.copyfile(path, partial)
            partial.replace(kept)
        except BaseException:  # half a copy would keep a full disk full
            partial.unlink(missing_ok=True)
            raise
    return kept

"""Open DuckDB with its spatial extension, bounded memory and a temporary folder; nothing else imports it."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager, suppress
from importlib import util as importlib_util
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from dtm.errors import BadInputError, DiskFullError, WarehouseBusyError
from dtm.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator

Connection = duckdb.DuckDBPyConnection
EngineError = duckdb.Error

MEMORY_LIMIT_MB = 1024
"""Default memory of one connection; heavy steps spill to the temporary folder beyond it."""


def spatial_extension_path() -> Path | None:
    """Return the file of the installed spatial extension that fits this engine, or None without a wheel."""
    spec = importlib_util.find_spec("duckdb_extension_spatial")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "extensions" / f"v{duckdb.__version__}"
    path = folder / "spatial.duckdb_extension"
    return path if path.exists() else None


def _load_spatial(connection: Connection) -> None:
    path = spatial_extension_path()
    try:
        if path is None:
            connection.execute("INSTALL spatial")
            connection.execute("LOAD spatial")
        else:
            connection.execute(f"LOAD '{str(path).replace(chr(39), chr(39) * 2)}'")
    except duckdb.Error as error:
        raise BadInputError(message("spatial_missing", version=duckdb.__version__, error=error)) from error


def _open(path: Path | str, *, read_only: bool, config: dict[str, str]) -> Connection:
    try:
        return duckdb.connect(str(path), read_only=read_only, config=dict(config))
    except duckdb.IOException as error:
        text = str(error)
        if "lock" in text.lower():
            raise WarehouseBusyError(message("warehouse_busy", path=path)) from error
        raise BadInputError(message("database_unopened", path=path, error=text)) from error
    except duckdb.Error as error:
        raise BadInputError(message("database_damaged", path=path, error=error)) from error


def connect(
    path: Path | str = ":memory:",
    *,
    read_only: bool = False,
    spatial: bool = True,
    memory_limit_mb: int | None = None,
    threads: int | None = None,
    temp_directory: Path | None = None,
) -> Connection:
    """Open a database file, or one in memory.

    Parameters
    ----------
    path
        The file; ``:memory:`` for none.
    read_only
        Many readers may hold a file open at once, or one writer.
    spatial
        Load the spatial extension (about 0.2 s).
    memory_limit_mb
        Memory of the engine before it spills, in megabytes; ``DTM_MEMORY_LIMIT_MB`` or 1024 when not given.
    threads
        Worker threads; ``DTM_THREADS`` or every core when not given.
    temp_directory
        Where the engine spills; the system's temporary folder when not given.

    Raises
    ------
    WarehouseBusyError
        Another process holds the file.
    BadInputError
        The file is not a DuckDB file, or the spatial extension can't be loaded.
    """
    limit_mb = memory_limit_mb or int(os.environ.get("DTM_MEMORY_LIMIT_MB", MEMORY_LIMIT_MB))
    config = {
        "memory_limit": f"{limit_mb}MB",
        "temp_directory": str(temp_directory or Path(tempfile.gettempdir()) / f"dtm-spill-{os.getpid()}"),
        "threads": str(threads or int(os.environ.get("DTM_THREADS", os.cpu_count() or 1))),
    }
    connection = _open(path, read_only=read_only, config=config)
    connection.execute("SET TimeZone = 'UTC'")
    if spatial:
        _load_spatial(connection)
    return connection


def is_disk_full(error: BaseException) -> bool:
    """Return whether the engine or the system says that there is no room left."""
    text = str(error).lower()
    return isinstance(error, (duckdb.Error, OSError)) and ("no space left" in text or "disk full" in text)


def was_interrupted(error: BaseException) -> bool:
    """Return whether Ctrl-C stopped the engine: it tells that as an error of its own, or as a plain RuntimeError."""
    return isinstance(error, duckdb.InterruptException) or (
        isinstance(error, RuntimeError) and "interrupted" in str(error).lower()
    )


@contextmanager
def transaction(connection: Connection) -> Iterator[Connection]:
    """Commit everything in the block, or nothing; a full disk is named as such."""
    connection.execute("BEGIN TRANSACTION")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException as error:
        with suppress(duckdb.Error):  # the engine may have rolled back already
            connection.execute("ROLLBACK")
        if is_disk_full(error):
            raise DiskFullError(message("disk_full", error=error)) from error
        raise

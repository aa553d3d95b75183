"""Check the warehouse's version, its lock against a second process, and that a transaction is all or nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dtm._warehouse_tables import WAREHOUSE_TABLES
from dtm.engine import connect, spatial_extension_path, transaction
from dtm.errors import BadInputError, DiskFullError, WarehouseTooNewError
from dtm.warehouse import open_warehouse
from dtm.workspace import create_workspace


@pytest.fixture
def workspace(tmp_path):
    return create_workspace(tmp_path / "city")


def test_every_declared_table_is_there_with_its_columns(workspace):
    with open_warehouse(workspace) as connection:
        for table in WAREHOUSE_TABLES.values():
            columns = connection.execute(f"SELECT * FROM {table.name}").description
            assert [column[0] for column in columns] == table.column_names


def test_opening_again_keeps_what_is_there(workspace):
    with open_warehouse(workspace) as connection:
        connection.execute("INSERT INTO meta VALUES ('seen', 'yes')")
    with open_warehouse(workspace) as connection:
        assert connection.execute("SELECT value FROM meta WHERE key = 'seen'").fetchone() == ("yes",)


def test_a_newer_warehouse_is_refused_untouched(workspace):
    with open_warehouse(workspace) as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE key = 'schema_version'")
    with pytest.raises(WarehouseTooNewError, match="999"):
        open_warehouse(workspace)


def test_a_second_process_is_told_to_wait(workspace):
    with open_warehouse(workspace):
        code = (
            "import sys; from pathlib import Path; from dtm.workspace import open_workspace;"
            "from dtm.warehouse import open_warehouse; from dtm.errors import WarehouseBusyError\n"
            "try: open_warehouse(open_workspace(Path(sys.argv[1])))\n"
            "except WarehouseBusyError as error: print(error)"
        )
        told = subprocess.run(
            [sys.executable, "-c", code, str(workspace.path)], capture_output=True, text=True, check=True
        )
    assert "another process is using this file" in told.stdout


def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(BadInputError, match=r"warehouse\.duckdb"):
        connect(path)


def insert_and_fail(connection, error):
    with transaction(connection):
        connection.execute("INSERT INTO meta VALUES ('half', 'done')")
        raise error


def test_a_failed_transaction_leaves_nothing(workspace):
    with open_warehouse(workspace) as connection:
        with pytest.raises(ZeroDivisionError):
            insert_and_fail(connection, ZeroDivisionError())
        assert connection.execute("SELECT count(*) FROM meta WHERE key = 'half'").fetchone() == (0,)


def test_a_full_disk_is_named_and_leaves_nothing(workspace):
    with open_warehouse(workspace) as connection:
        with pytest.raises(DiskFullError, match="nothing was changed"):
            insert_and_fail(connection, OSError(28, "No space left on device"))
        assert connection.execute("SELECT count(*) FROM meta WHERE key = 'half'").fetchone() == (0,)


def test_the_extension_is_the_installed_file():
    path = spatial_extension_path()
    assert path is not None
    assert path.name == "spatial.duckdb_extension"

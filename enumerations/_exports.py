"""Read the exports of collecting tools: a ZIP of CSV files, and repeats that are tied to returns by row numbers."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from enumerations._csv_files import stage_csv
from enumerations._headers import OWN_INDEX, PARENT_INDEX, FormChoice, Wanted
from enumerations._names import plain
from enumerations.archives import open_archive
from enumerations.errors import EmptyFileError, MissingColumnsError, UnknownFormError
from enumerations.findings import make_finding
from enumerations.messages import message, sheet_place

if TYPE_CHECKING:
    from enumerations._headers import Header
    from enumerations._staging import Connection, StagedTable

PARENT_TABLE = "_parent_table_name"
LINKED = "parent_instance_id"
"""Column added to the rows of a repeat: the identifier of the return, looked up by its row number."""


def is_export_archive(path: Path) -> bool:
    """Return whether a ZIP holds CSV files and is no workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False
    if any(name.startswith("xl/") or name == "[Content_Types].xml" for name in names):
        return False
    return any(name.casefold().endswith(".csv") for name in names)


def stage_export_archive(connection: Connection, path: Path, relation: str, *, form: FormChoice) -> list[StagedTable]:
    """Stage the CSV files of an export such as ODK Central's `submissions.csv.zip`, the returns before their repeats.

    Raises
    ------
    EnumerationsError
        The archive is damaged, too large, holds no returns, or none of its files fits a table.
    """
    staged: list[StagedTable] = []
    ignored: list[tuple[str, UnknownFormError]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, file in enumerate(_unpack(path, Path(folder))):
            wanted = form
            if staged and isinstance(form, Wanted) and form.mapping is None and not form.is_survey:
                wanted = Wanted(staged[0].header.table.form)
            try:
                table = stage_csv(connection, file, f"{relation}_file{number}", form=wanted)
            except EmptyFileError:
                continue
            except UnknownFormError as error:
                ignored.append((file.stem, error))
                continue
            found = tuple(replace(one, file_name=path.name, sheet=file.stem) for one in table.findings)
            staged.append(replace(table, file_name=path.name, sheet=file.stem, findings=found))
    if not staged:
        if ignored:
            raise ignored[0][1]
        raise EmptyFileError(message("export_without_returns", file=path.name))
    subject = staged[0].header.table.form
    more = tuple(
        make_finding("sheet_ignored", subject=subject, file_name=path.name, sheet=name, value=name)
        for name, _ in ignored
    )
    staged[0] = replace(staged[0], findings=(*staged[0].findings, *more))
    return staged


def _unpack(path: Path, folder: Path) -> list[Path]:
    """Unpack the CSV files under their own names, without their folders, the shortest name (the returns) first."""
    files = []
    with open_archive(path, refuse_nested=False) as archive:
        inside = [name for name in archive.names if name.casefold().endswith(".csv")]
        for number, name in enumerate(sorted(inside, key=lambda one: (len(one), one))):
            own = folder / str(number)
            own.mkdir()
            file = own / name.rsplit("/", 1)[-1]
            with archive.open(name) as packed, file.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
            files.append(file)
    return files


def _position(header: Header, name: str) -> int | None:
    return next((at for at, one in enumerate(header.names) if plain(one) == name), None)


def link_repeats(connection: Connection, staged: list[StagedTable]) -> list[StagedTable]:
    """Give the rows of Kobo's repeats the identifier of their return, found by `_parent_index` in the same file.

    Raises
    ------
    MissingColumnsError
        The rows carry no identifier of their return, and their return isn't in the file.
    """
    roots = [table for table in staged if _position(table.header, OWN_INDEX) is not None]
    linked = []
    for table in staged:
        at = _position(table.header, PARENT_INDEX)
        root = next((one for one in roots if one is not table and _position(one.header, PARENT_INDEX) is None), None)
        if at is None or not table.header.table.name:
            linked.append(table)
        elif root is not None and _is_unique(connection, root):
            linked.append(_link(connection, table, root, at))
        elif "instance_id" in table.header.positions:
            linked.append(table)
        else:
            raise MissingColumnsError(
                message(
                    "repeats_without_returns",
                    place=sheet_place(table.file_name, table.sheet),
                    index=PARENT_INDEX,
                    own=OWN_INDEX,
                )
            )
    return linked


def _is_unique(connection: Connection, root: StagedTable) -> bool:
    """Return whether the row numbers of the returns name one return each."""
    at = _position(root.header, OWN_INDEX)
    counted = connection.execute(f"SELECT count(c{at}), count(DISTINCT trim(c{at})) FROM {root.relation}").fetchone()
    return bool(counted[0]) and counted[0] == counted[1]


def _link(connection: Connection, table: StagedTable, root: StagedTable, at: int) -> StagedTable:
    own, identity = _position(root.header, OWN_INDEX), root.source("instance_id") or "NULL"
    told = f"c{table.header.positions['instance_id']}" if "instance_id" in table.header.positions else "NULL"
    relation = f"{table.relation}_linked"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {relation} AS SELECT t.*, coalesce(p.identity, {told}) AS {LINKED} "
        f"FROM {table.relation} t LEFT JOIN (SELECT trim(c{own}) AS number, {identity} AS identity "
        f"FROM {root.relation}) p ON trim(t.c{at}) = p.number ORDER BY t.record"
    )
    header = replace(table.header, expressions={**table.header.expressions, "instance_id": LINKED})
    return replace(table, header=header, relation=relation)

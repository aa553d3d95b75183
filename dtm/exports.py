"""Export products of a release as CSV, XLSX, Parquet or GeoPackage, each file with its provenance.

Only rows that came out of a release can be exported: everything here takes a `Release` or a `ReleasedTable`.
A missing value is empty and has a status beside it; it is never 0. The same release gives the same bytes.
"""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from dtm._exports_columns import PRODUCTS, WRITTEN
from dtm._exports_files import csv_manifest, write_csv, write_parquet, write_xlsx
from dtm._exports_map import write_gpkg
from dtm._exports_rows import joined, plain, product_table
from dtm._release_tables import RELEASE_TABLES
from dtm.errors import DiskFullError, DtmError, WrongUseError
from dtm.released import Release, ReleasedTable
from dtm.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Format",
    "Language",
    "NotReleasedError",
    "ProductName",
    "export",
    "export_table",
    "product_table",
    "to_bytes",
]

Format = Literal["csv", "xlsx", "parquet", "gpkg"]
Language = Literal["en", "mn"]
ProductName = Literal[
    "flows", "flow-items", "stocks", "vitals", "indicators", "system", "density", "exposure", "reconciled", "imputed",
    "balance", "monthly", "carried", "survey", "survey-flows", "checkpoint-days", "checkpoint-hours",
    "checkpoint-estimates", "findings",
]  # fmt: skip

FORMATS: tuple[str, ...] = get_args(Format)
LANGUAGES: tuple[str, ...] = get_args(Language)
HXL_PRODUCTS = ("flows", "stocks", "indicators", "density", "exposure")
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "gpkg": "application/geopackage+sqlite3",
}
MANIFEST_SUFFIX = ".manifest.json"
"""Ending of the file that lies beside a CSV and says where its rows come from."""


class NotReleasedError(WrongUseError, TypeError):
    """Refuse rows that did not come out of a release."""


class UnwritableError(DtmError, OSError):
    """Name a file that can't be written, and why."""


def export(
    release: Release,
    product: str,
    *,
    format: str,  # noqa: A002  the word of the command line
    out: Path,
    language: str = "en",
    hxl: bool = False,
) -> Path:
    """Write a product of a release to a file, whole or not at all.

    Parameters
    ----------
    release
        The open release.
    product
        One of `ProductName`.
    format
        csv, xlsx, parquet or gpkg; `out` must end so.
    out
        The file; its folder must be there. An older file of that name is replaced.
    language
        Language of labels and explanations, ``en`` or ``mn``; places are named in both.
    hxl
        Put a row of HXL tags under the CSV's header.

    Returns
    -------
    Path
        The file. A CSV has its provenance beside it in ``FILE.manifest.json``.

    Raises
    ------
    NotReleasedError
        `release` is not a release.
    WrongUseError
        Unknown product, format or language; wrong ending; no such folder, or one that the workspace keeps for
        itself; HXL without CSV or for findings.
    UnwritableError, DiskFullError
        The file can't be written; what was there before is still there.
    """
    if not isinstance(release, Release):
        raise NotReleasedError(f"Only a release can be exported, not a {type(release).__name__}.")
    _known("product", product, tuple(PRODUCTS))
    _known("format", format, FORMATS)
    _known("language", language, LANGUAGES)
    _check_place(out, format=format, release=release)
    table = product_table(release, product, language=language)
    return _export_rows(table, format=format, out=out, release=release, language=language, hxl=hxl)


def export_table(
    table: ReleasedTable,
    *,
    format: str,  # noqa: A002
    out: Path,
    release: Release | None = None,
    language: str = "en",
    hxl: bool = False,
) -> Path:
    """Write released rows (all of a table or some) to a file; see `export` and `to_bytes`."""
    ready = _ready(table, format=format, release=release, language=language)
    _check_place(out, format=format, release=release)
    return _export_rows(ready, format=format, out=out, release=release, language=language, hxl=hxl)


def to_bytes(
    table: ReleasedTable,
    format: str,  # noqa: A002
    *,
    release: Release | None = None,
    language: str = "en",
    hxl: bool = False,
) -> bytes:
    """Return released rows as the bytes of a file, for a download.

    Parameters
    ----------
    table
        Rows of a product (`product_table`), or rows of a table of the release.
    format
        csv, xlsx, parquet or gpkg.
    release
        The release they came from. With it, rows of a product's table get names, labels, dates and coverage, and a
        GeoPackage gets its map layers.
    language
        Language of labels and explanations.
    hxl
        Put a row of HXL tags under the CSV's header.

    Raises
    ------
    NotReleasedError
        `table` is not a `ReleasedTable`.
    WrongUseError
        Unknown format or language, or rows that the format can't hold.
    """
    ready = _ready(table, format=format, release=release, language=language)
    with tempfile.TemporaryDirectory(prefix="dtm-export-") as folder:
        path = Path(folder) / f"{ready.name}.{format}"
        with _disk_errors(path):
            _write(ready, path, format=format, release=release, language=language, hxl=hxl)
            return path.read_bytes()


def _ready(table: ReleasedTable, *, format: str, release: Release | None, language: str) -> ReleasedTable:  # noqa: A002
    """Check that rows are released and give them what a reader needs."""
    if not isinstance(table, ReleasedTable):
        raise NotReleasedError(
            f"Only rows of a release can be exported, not a {type(table).__name__}; read them with Release.table."
        )
    _known("format", format, FORMATS)
    _known("language", language, LANGUAGES)
    if table.name in WRITTEN and "release_id" in table.frame:
        return table
    _known("table", table.name, tuple(RELEASE_TABLES))
    product = next((p for p in PRODUCTS.values() if p.table == table.name), None)
    if product is None or release is None:
        return plain(table)
    return joined(release, table, product=product, language=language)


def _export_rows(table: ReleasedTable, *, format: str, out: Path, release: Release | None, **how: Any) -> Path:  # noqa: A002
    """Write beside the file and rename; a CSV's provenance is put in place just before it."""
    part = out.with_name(f".{out.stem}.{secrets.token_hex(4)}{out.suffix}")
    beside = part.with_name(part.name + MANIFEST_SUFFIX)
    with _disk_errors(out):
        try:
            _write(table, part, format=format, release=release, **how)
            _sync(part)
            if format == "csv":
                beside.write_bytes(csv_manifest(table, part, file_name=out.name, language=how["language"]))
                _sync(beside)
                beside.replace(out.with_name(out.name + MANIFEST_SUFFIX))
            part.replace(out)
        finally:
            for leftover in (part, beside, part.with_name(part.name + "-journal")):
                leftover.unlink(missing_ok=True)
    return out


def _write(
    table: ReleasedTable,
    path: Path,
    *,
    format: str,  # noqa: A002
    release: Release | None,
    language: str,
    hxl: bool,
) -> None:
    if hxl and (format != "csv" or table.name not in HXL_PRODUCTS):
        raise WrongUseError(f"HXL tags go with CSV of {', '.join(HXL_PRODUCTS)}; not with {format} of {table.name}.")
    if format == "csv":
        write_csv(table, path, hxl=hxl)
    elif format == "xlsx":
        write_xlsx(table, path, language=language)
    elif format == "parquet":
        write_parquet(table, path, language=language)
    else:
        write_gpkg(table, path, release=release, language=language)


def _known(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise WrongUseError(f"Unknown {what} '{value}'; there are: {', '.join(known)}.")


def _check_place(out: Path, *, format: str, release: Release | None) -> None:  # noqa: A002
    """Refuse a file name that would mislead, a folder that is not there, and a place the workspace keeps for itself."""
    if out.suffix.lower() != f".{format}":
        ending = f"ends in '{out.suffix}'" if out.suffix else "has no ending"
        raise WrongUseError(f"{out} {ending}, but --format is {format}; name it {out.with_suffix('.' + format).name}.")
    if out.is_dir():
        raise WrongUseError(f"{out} is a folder; give a file.")
    if not out.parent.is_dir():
        raise WrongUseError(f"{out}: there is no folder {out.parent}. Make it with `mkdir -p {out.parent}`.")
    if release is not None and (release.path in out.parents or Workspace(release.path.parent.parent).keeps(out)):
        raise WrongUseError(f"{out} is a place the workspace keeps for itself; write to another folder.")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def _disk_errors(out: Path) -> Iterator[None]:
    """Say in words that a disk is full or a file can't be written; libraries under us wrap the cause differently."""
    try:
        yield
    except DtmError:
        raise
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, OSError):
            cause = cause.__cause__ or cause.__context__
        text = str(error).lower()
        if (cause is not None and cause.errno == errno.ENOSPC) or "no space left" in text or "disk is full" in text:
            raise DiskFullError(
                f"{out}: the disk is full; nothing was changed. Free some space and try again."
            ) from error
        if isinstance(cause, OSError):
            why = cause.strerror or str(cause)
            raise UnwritableError(f"{out} can't be written: {why}. Choose another place with --out.") from error
        if type(error).__module__.startswith("pyogrio"):
            raise UnwritableError(f"{out} can't be written: {error}. Choose another place with --out.") from error
        raise

"""Open ZIP and gzip files of unknown origin: sizes, names and kinds are checked before anything is inflated."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

from enumerations._safe_xml import SafeParser
from enumerations.errors import UnsafeFileError, WrongFileTypeError
from enumerations.messages import message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ENTRIES_MAXIMUM: Final = 10_000
"""Files in one archive; a workbook has tens, an export with pictures thousands."""
INFLATED_BYTES_MAXIMUM: Final = 2 * 1024**3
"""Bytes of all files of an archive together, inflated: more than a million long returns."""
RATIO_MAXIMUM: Final = 100
"""Inflated bytes for each packed one. Sheets and CSV come to 5 to 40; bombs use deflate's own limit of 1,032."""
RATIO_FREE_BYTES: Final = 10 * 1024**2
"""Below this inflated size any ratio passes: a file this small does no harm."""
CHUNK_BYTES: Final = 262_144
OFFICE_MARK: Final = "[content_types].xml"
"""A file with this name makes an archive an office document."""
_ENCRYPTED: Final = 0x1
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NESTED: Final = (b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


class _Bounded(io.RawIOBase):
    """Read on until more comes than may come; whatever the unpacker raises names the file."""

    def __init__(self, file: IO[bytes], place: str, *, maximum_bytes: int, packed_bytes: int | None = None) -> None:
        super().__init__()
        self._file, self._place, self._maximum, self._packed = file, place, maximum_bytes, packed_bytes
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._file.read(len(buffer))
        except _DAMAGE as error:
            raise WrongFileTypeError(message("packed_damaged", place=self._place, error=error)) from error
        self._count += len(data)
        if self._count > self._maximum:
            raise UnsafeFileError(message("packed_too_large", place=self._place, most=self._maximum))
        if self._packed is not None:
            check_ratio(self._place, self._count, self._packed)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def check_ratio(place: str, inflated_bytes: int, packed_bytes: int) -> None:
    """Raise `UnsafeFileError` where so much comes out of so little that it is made to fill the memory."""
    if inflated_bytes > RATIO_FREE_BYTES and inflated_bytes > RATIO_MAXIMUM * max(packed_bytes, 1):
        raise UnsafeFileError(
            message("packed_too_much", place=place, packed=packed_bytes, inflated=inflated_bytes, most=RATIO_MAXIMUM)
        )


def open_gzip(path: Path) -> IO[bytes]:
    """Open a gzip file for reading; it raises an `EnumerationsError` as soon as it inflates too far or is damaged."""
    packed = path.stat().st_size
    raw = gzip.open(path)  # noqa: SIM115  the caller closes it
    bounded = _Bounded(raw, path.name, maximum_bytes=INFLATED_BYTES_MAXIMUM, packed_bytes=packed)  # type: ignore[arg-type]
    return io.BufferedReader(bounded, CHUNK_BYTES)


class Archive:
    """A ZIP file whose directory was checked; its files are read by name, each no further than was promised."""

    def __init__(self, file: zipfile.ZipFile, place: str) -> None:
        self._file = file
        self.place = place
        self.names: tuple[str, ...] = tuple(entry.filename for entry in file.infolist() if not entry.is_dir())

    def size_bytes(self, name: str) -> int:
        """Return the inflated size of one file."""
        return self._file.getinfo(name).file_size

    def open(self, name: str) -> IO[bytes]:
        """Open one file for reading.

        Raises
        ------
        WrongFileTypeError
            There is no such file in the archive, or it is damaged (also while reading).
        """
        place = f"{self.place}, '{name}'"
        try:
            file = self._file.open(name)
        except KeyError as error:
            raise WrongFileTypeError(message("archive_lacks", place=place)) from error
        except _DAMAGE as error:
            raise WrongFileTypeError(message("archive_damaged", place=place, error=error)) from error
        return io.BufferedReader(_Bounded(file, place, maximum_bytes=self.size_bytes(name)), CHUNK_BYTES)


@contextmanager
def open_archive(path: Path, *, refuse_nested: bool = True) -> Iterator[Archive]:
    """Open a ZIP file after looking through its directory; nothing is ever written to the disk.

    `refuse_nested` also refuses archives inside the archive, told by their first bytes; a workbook may hold embedded
    documents, which nobody opens. No XML of a workbook may declare a document type or entities.

    Raises
    ------
    UnsafeFileError
        It inflates too far, or holds encrypted or repeated files, names that leave the folder, or further archives.
    WrongFileTypeError
        It is damaged, cut, or no ZIP file.
    """
    try:
        file = zipfile.ZipFile(path)
    except _DAMAGE as error:
        raise WrongFileTypeError(message("archive_unreadable", file=path.name, error=error)) from error
    with file:
        _check_directory(file, path)
        archive = Archive(file, path.name)
        if refuse_nested:
            _check_nested(archive)
        if any(name.casefold() == OFFICE_MARK for name in archive.names):
            _check_prologs(archive)
        yield archive


def check_archive(path: Path, *, refuse_nested: bool = True) -> None:
    """Raise an `EnumerationsError` if `open_archive` would."""
    with open_archive(path, refuse_nested=refuse_nested):
        pass


def _check_directory(file: zipfile.ZipFile, path: Path) -> None:
    entries = file.infolist()
    if len(entries) > ENTRIES_MAXIMUM:
        raise UnsafeFileError(message("archive_full", file=path.name, count=len(entries), most=ENTRIES_MAXIMUM))
    seen: set[str] = set()
    for entry in entries:
        place = f"{path.name}, '{entry.filename[:100]}'"
        if entry.flag_bits & _ENCRYPTED:
            raise UnsafeFileError(message("archive_locked", place=place))
        if entry.compress_type not in _METHODS:
            raise UnsafeFileError(message("archive_method", place=place))
        if is_unsafe_name(entry.orig_filename) or is_unsafe_name(entry.filename):
            raise UnsafeFileError(message("archive_name_out", place=place))
        if entry.filename.casefold() in seen:
            raise UnsafeFileError(message("archive_name_twice", place=place))
        seen.add(entry.filename.casefold())
        check_ratio(place, entry.file_size, entry.compress_size)
    inflated = sum(entry.file_size for entry in entries)
    if inflated > INFLATED_BYTES_MAXIMUM:
        raise UnsafeFileError(message("archive_too_large", file=path.name, size=inflated, most=INFLATED_BYTES_MAXIMUM))
    check_ratio(path.name, inflated, path.stat().st_size)


def is_unsafe_name(name: str) -> bool:
    """Say whether a file's name in an archive is absolute, leads upward, or means something else on another system."""
    return (
        not name
        or name.startswith("/")
        or "\\" in name
        or re.match(r"[A-Za-z]:", name) is not None
        or ".." in name.split("/")
        or any(character < " " for character in name)
    )


def _check_nested(archive: Archive) -> None:
    for name in archive.names:
        with archive.open(name) as file:
            start = file.read(8)
        if start.startswith(_NESTED):
            raise UnsafeFileError(message("archive_nested", place=f"{archive.place}, '{name}'"))


def _check_prologs(archive: Archive) -> None:
    """Parse every XML part up to its first element: a document type can only stand before it."""
    for name in archive.names:
        if name.casefold().endswith((".xml", ".rels", ".vml")):
            found: list[str] = []
            parser = SafeParser(f"{archive.place}, '{name}'", start=_appender(found))
            with archive.open(name) as stream:
                for _ in parser.run(stream):
                    if found:
                        break


def _appender(found: list[str]) -> Callable[[str, dict[str, str]], None]:
    return lambda tag, _attributes: found.append(tag)

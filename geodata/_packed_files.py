"""Refuse packed files of boundaries that are built to fill the memory, before anything of them is inflated."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from typing import Final

INFLATED_BYTES_MAXIMUM: Final = 1024**3
"""Inflated bytes of one file of boundaries, all its parts together; the finest sets have tens of megabytes."""
RATIO_MAXIMUM: Final = 100
"""Inflated bytes for each packed one. Coordinates come to 2 to 20; bombs use deflate's own limit of 1,032."""
RATIO_FREE_BYTES: Final = 10 * 1024**2
"""Below this inflated size any ratio passes: a file this small does no harm."""
ENTRIES_MAXIMUM: Final = 1_000
_CHUNK_BYTES: Final = 262_144
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError)


class PackedFileError(ValueError):
    """Say why a packed file is not opened."""


def inflate(content: bytes) -> bytes:
    """Return what a gzip file holds.

    Raises
    ------
    PackedFileError
        It is damaged, or inflates too far.
    """
    parts: list[bytes] = []
    size = 0
    try:
        with gzip.open(io.BytesIO(content)) as file:
            while chunk := file.read(_CHUNK_BYTES):
                size += len(chunk)
                _check_size(size, len(content))
                parts.append(chunk)
    except _DAMAGE as error:
        raise PackedFileError(str(error)) from error
    return b"".join(parts)


def check_zip(content: bytes) -> None:
    """Raise `PackedFileError` if a ZIP file is damaged, encrypted, or inflates too far."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            entries = file.infolist()
    except _DAMAGE as error:
        raise PackedFileError(str(error)) from error
    if len(entries) > ENTRIES_MAXIMUM:
        raise PackedFileError(f"it holds {len(entries):,} files; {ENTRIES_MAXIMUM:,} are the most")
    for entry in entries:
        if entry.flag_bits & 0x1:
            raise PackedFileError("it is protected by a password")
        _check_size(entry.file_size, entry.compress_size)
    _check_size(sum(entry.file_size for entry in entries), len(content))


def _check_size(inflated_bytes: int, packed_bytes: int) -> None:
    if inflated_bytes > INFLATED_BYTES_MAXIMUM:
        raise PackedFileError(f"it inflates to more than {INFLATED_BYTES_MAXIMUM:,} bytes")
    if inflated_bytes > RATIO_FREE_BYTES and inflated_bytes > RATIO_MAXIMUM * max(packed_bytes, 1):
        raise PackedFileError(f"{packed_bytes:,} bytes inflate to over {RATIO_MAXIMUM} times as many")


def declares_entities(content: bytes) -> bool:
    """Say whether XML declares a document type or entities, in any of XML's usual encodings."""
    for encoding in ("ascii", "utf-16-le", "utf-16-be"):
        if any(mark.encode(encoding) in content for mark in ("<!DOCTYPE", "<!ENTITY")):
            return True
    return False

"""Parse XML of unknown origin in one pass: no document type, no entities, no more memory than a chunk."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Final
from xml.parsers import expat

from enumerations.errors import UnsafeFileError, WrongFileTypeError
from enumerations.messages import message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK_BYTES: Final = 262_144
TAG_BYTES_MAXIMUM: Final = 4 * 1024**2
"""A longer tag or comment is never written by a program that means well; it would be held in memory whole."""
DEPTH_MAXIMUM: Final = 200
"""Elements inside one another; sheets have five levels."""
ENCODINGS: Final = ("utf-8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii")
"""Office files are UTF-8 or UTF-16; any other encoding could hide a document type from whoever looks for one."""


class SafeParser:
    """Hand the elements of one XML file to the caller; refuse document types, entities and strange encodings.

    Names come as they are written, with their prefix: `local` takes it off.
    """

    def __init__(
        self,
        place: str,
        *,
        start: Callable[[str, dict[str, str]], None] | None = None,
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        self.place = place
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.XmlDeclHandler = self._check_encoding
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.EntityDeclHandler = self._refuse_doctype
        parser.ExternalEntityRefHandler = self._refuse_doctype
        parser.SkippedEntityHandler = self._refuse_doctype
        if start:
            parser.StartElementHandler = start
        if end:
            parser.EndElementHandler = end
        if text:
            parser.CharacterDataHandler = text
        self._parser = parser

    def run(self, stream: IO[bytes]) -> Iterator[None]:
        """Feed the stream; give control back after each chunk, so that what was found can be taken away."""
        fed = 0
        try:
            while chunk := stream.read(CHUNK_BYTES):
                self._parser.Parse(chunk, False)
                fed += len(chunk)
                if fed - max(self._parser.CurrentByteIndex, 0) > TAG_BYTES_MAXIMUM + CHUNK_BYTES:
                    raise UnsafeFileError(message("xml_tag_long", place=self.place, most=TAG_BYTES_MAXIMUM))
                yield
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise WrongFileTypeError(
                message("xml_damaged", place=self.place, line=error.lineno, error=error)
            ) from error
        yield

    def run_whole(self, stream: IO[bytes]) -> None:
        """Feed the whole stream."""
        for _ in self.run(stream):
            pass

    def _check_encoding(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and encoding.casefold().replace("_", "-") not in ENCODINGS:
            raise UnsafeFileError(message("xml_encoding", place=self.place, encoding=encoding[:40]))

    def _refuse_doctype(self, *_arguments: object) -> int:
        raise UnsafeFileError(message("xml_doctype", place=self.place))


def local(name: str) -> str:
    """Return an element's or attribute's name without its prefix."""
    return name.rsplit(":", 1)[-1]

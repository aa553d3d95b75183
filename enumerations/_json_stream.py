"""Read the returns of a JSON document one by one, however long it is: a list, an answer of a server, or JSON Lines."""

from __future__ import annotations

import codecs
import json
import re
from contextlib import contextmanager
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import IO, TYPE_CHECKING, Any

from enumerations.archives import open_gzip
from enumerations.errors import EmptyFileError, WrongFileTypeError
from enumerations.messages import message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK_BYTES = 1_048_576
RETURN_CHARACTERS_MAXIMUM = 16 * 1_048_576
"""A longer return is no return: a quote or bracket was never closed."""
LISTS = ("results", "value")
"""Keys under which Kobo and ODK Central put the list of returns."""
ENVELOPE = {*LISTS, "count", "next", "previous", "@odata.context", "@odata.count", "@odata.nextLink"}
IDENTITIES = {"_uuid", "_id", "__id", "instance_id", "instanceID", "meta", "meta/instanceID", "__system"}
"""One of these keys makes a lonely object a return."""
_SPACE = re.compile(r"[ \t\r\n]*")
_STRANGE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_NEAR_THE_END = 16


def _number_text(text: str) -> str:
    return text.removesuffix(".0")


_DECODER = json.JSONDecoder(parse_float=_number_text, parse_int=str, parse_constant=str)
"""Numbers stay the text they are: nothing is rounded and none is too long."""


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except RecursionError as error:
        raise WrongFileTypeError(message("json_too_deep", file=path.name)) from error
    except UnicodeDecodeError as error:
        raise WrongFileTypeError(message("json_not_utf8", file=path.name, error=error)) from error


class JsonReturns:
    """The returns of one document, in order; `envelope` holds what stood beside them once all were read.

    `is_strange` turns true when the text holds escapes that are no text (NUL, half a surrogate pair may be one).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.envelope: dict[str, Any] = {}
        self.is_strange = False
        self._buffer = ""
        self._at = 0
        self._keep = 0
        self._lines = 1
        self._is_at_end = False
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._file: IO[bytes]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the returns.

        Raises
        ------
        EmptyFileError
            There is none.
        WrongFileTypeError
            The text is no JSON, is cut, or holds no returns.
        """
        with _named(self.path), self._open() as self._file:
            count = 0
            for count, item in enumerate(self._items(), 1):
                if not isinstance(item, dict):
                    entry = json.dumps(item, ensure_ascii=False)[:40]
                    raise WrongFileTypeError(message("json_no_return", file=self.path.name, count=count, entry=entry))
                yield item
        if not count:
            raise EmptyFileError(message("file_without_returns", file=self.path.name))

    def _open(self) -> IO[bytes]:
        with self.path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        return open_gzip(self.path) if packed else self.path.open("rb")

    def _more(self) -> bool:
        """Read on; what was dealt with is forgotten."""
        size = max(CHUNK_BYTES, len(self._buffer) - self._keep)
        data = self._file.read(size)
        if not data:
            self._decode.decode(b"", final=True)
            self._is_at_end = True
            return False
        rest = self._buffer[self._keep :]
        self._lines += self._buffer.count("\n", 0, self._keep)
        self._at -= self._keep
        self._keep = 0
        self._buffer = rest + self._decode.decode(data)
        self.is_strange = self.is_strange or _STRANGE.search(self._buffer) is not None or "\0" in self._buffer
        return True

    def _next(self) -> str:
        """Skip space; return the next character without taking it, or nothing at the end."""
        while True:
            self._at = _SPACE.match(self._buffer, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def _fail(self, at: int, words: str) -> WrongFileTypeError:
        line = self._lines + self._buffer.count("\n", 0, at)
        column = at - self._buffer.rfind("\n", 0, at)
        return WrongFileTypeError(
            message("json_unreadable", file=self.path.name, line=line, column=column, error=words)
        )

    def _value(self) -> Any:
        """Take one value."""
        self._next()
        start = self._at - self._keep
        while True:
            try:
                value, self._at = _DECODER.raw_decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                is_cut = error.pos >= len(self._buffer) - _NEAR_THE_END or error.msg.startswith("Unterminated string")
                too_long = len(self._buffer) - self._at > RETURN_CHARACTERS_MAXIMUM
                if not is_cut or too_long or not self._more():
                    raise self._fail(error.pos, error.msg) from error
            else:
                if self._at < len(self._buffer) or not self._more():
                    return value
                # A number at the end of what was read may go on.
                if isinstance(value, (dict, list)) or self._buffer[self._at - 1] == '"':
                    return value
                self._at = start

    def _take(self, mark: str) -> None:
        if self._next() != mark:
            raise self._fail(self._at, f"Expecting '{mark}'")
        self._at += 1

    def _items(self) -> Iterator[Any]:
        first = self._next()
        if first == "[":
            yield from self._list()
            self._end()
        elif first == "{" and self._enter_envelope():
            yield from self._list()
            self._leave_envelope()
        else:
            yield from self._lines_of_objects()

    def _list(self) -> Iterator[Any]:
        self._take("[")
        if self._next() == "]":
            self._at += 1
            return
        while True:
            self._next()
            self._keep = self._at
            yield self._value()
            self._keep = self._at
            if self._next() == "]":
                self._at += 1
                return
            self._take(",")

    def _key(self) -> str:
        if self._next() != '"':
            raise self._fail(self._at, "Expecting property name enclosed in double quotes")
        while True:
            try:
                key, self._at = scanstring(self._buffer, self._at + 1, True)
            except json.JSONDecodeError as error:
                if not self._more():
                    raise self._fail(error.pos, error.msg) from error
            else:
                return str(key)

    def _enter_envelope(self) -> bool:
        """Go to the list of a server's answer, or stay where the object begins if it is none."""
        self._keep = self._at
        self._take("{")
        while self._next() == '"':
            key = self._key()
            if key not in ENVELOPE:
                break
            self._take(":")
            if key in LISTS and self._next() == "[":
                return True
            start = self._next()
            if start in "{[":
                break
            self.envelope[key] = self._value()
            if self._next() != ",":
                break
            self._at += 1
        self._at = self._keep
        self.envelope.clear()
        return False

    def _leave_envelope(self) -> None:
        self._keep = self._at
        while self._next() == ",":
            self._at += 1
            key = self._key()
            self._take(":")
            self._next()
            value = self._value()
            if key in ENVELOPE:
                self.envelope[key] = value
            self._keep = self._at
        self._take("}")
        self._end()

    def _end(self) -> None:
        if self._next():
            raise self._fail(self._at, "Extra data")

    def _lines_of_objects(self) -> Iterator[Any]:
        count = 0
        while self._next():
            self._keep = self._at
            item = self._value()
            count += 1
            self._keep = self._at
            if count == 1 and not self._next() and not (isinstance(item, dict) and IDENTITIES & item.keys()):
                raise WrongFileTypeError(message("json_of_no_server", file=self.path.name))
            yield item

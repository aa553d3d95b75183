"""Keep the pages of a download on disk, so that one that breaks goes on after its last whole page."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

RESUME_HOURS_MAXIMUM = 24
"""Pages that are older are not gone on with: a session lasts as long, and the server has moved on."""
STATE_FILE = "pull.json"

Submission = dict[str, Any]


@dataclass(frozen=True)
class _Place:
    page: int
    start: int
    length: int


def to_line(submission: Submission) -> bytes:
    """Return a return as one line of JSON, the same for the same content."""
    try:
        return json.dumps(submission, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair
        return json.dumps(submission, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _from_line(line: bytes) -> Submission:
    submission = json.loads(line)
    if not isinstance(submission, dict):
        raise TypeError("no return")
    return submission


def order_of(identifier: str) -> tuple[int, int, str]:
    """Return the key that sorts identifiers: numbers by size before texts."""
    if identifier.isascii() and identifier.isdigit() and len(identifier) < 20:  # noqa: PLR2004  fits 64 bits
        return (0, int(identifier), "")
    return (1, 0, identifier)


@dataclass
class PageStore:
    """Pages in a folder, each a file of JSON lines, and where the next one starts.

    Attributes
    ----------
    folder
        The folder; nothing else may be in it.
    identify
        Gives the identifier of a return, None for one that has none.
    pages
        Whole pages there are.
    cursor
        Where the next page starts; None at the start and after the last page.
    is_complete
        Whether the last page came.
    counts
        Totals that the server told, in the order of the pages.
    repeated
        Returns that came more than once; the last one holds.
    unnamed
        Returns without an identifier, which were left out.
    """

    folder: Path
    identify: Callable[[Submission], str | None]
    pages: int = 0
    cursor: str | None = None
    is_complete: bool = False
    counts: list[int] = field(default_factory=list)
    repeated: int = 0
    unnamed: int = 0
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _places: dict[str, _Place] = field(default_factory=dict)

    @property
    def received(self) -> int:
        """Return the number of different returns."""
        return len(self._places)

    def __contains__(self, identifier: str) -> bool:
        """Say whether a return came."""
        return identifier in self._places

    def identifiers(self) -> list[str]:
        """Return the identifiers of all returns, sorted."""
        return sorted(self._places, key=order_of)

    def resume(self) -> bool:
        """Take up the pages of a download that broke; start anew if there are none, or none that can be used."""
        try:
            state = json.loads((self.folder / STATE_FILE).read_bytes())
            started_at = datetime.fromisoformat(state["started_at"])
            if datetime.now(UTC) - started_at > timedelta(hours=RESUME_HOURS_MAXIMUM):
                raise ValueError  # noqa: TRY301  as useless as a damaged one
            for page in range(1, int(state["pages"]) + 1):
                lines = self._path(page).read_bytes().splitlines(keepends=True)
                self._index(page, ((_from_line(line), len(line)) for line in lines), counting=True)
            cursor = state["cursor"]
            self.pages, self.counts = int(state["pages"]), [int(count) for count in state["counts"]]
            self.cursor, self.is_complete = (None if cursor is None else str(cursor)), bool(state["is_complete"])
            self.started_at = started_at
        except (OSError, ValueError, KeyError, TypeError):
            self.restart()
        return self.pages > 0

    def restart(self) -> None:
        """Forget all pages."""
        self.clear()
        self.pages, self.cursor, self.is_complete, self.repeated, self.unnamed = 0, None, False, 0, 0
        self.counts, self.started_at, self._places = [], datetime.now(UTC), {}

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def add(self, submissions: Iterable[Submission], *, cursor: str | None, count: int | None) -> None:
        """Keep one whole page."""
        self._keep(submissions, counting=True)
        if count is not None:
            self.counts.append(count)
        self.cursor, self.is_complete = cursor, cursor is None
        self._write_state()

    def keep(self, submissions: Iterable[Submission]) -> None:
        """Keep returns that came outside the order of the pages."""
        self._keep(submissions, counting=False)
        self._write_state()

    def _keep(self, submissions: Iterable[Submission], *, counting: bool) -> None:
        rows = [(submission, to_line(submission)) for submission in submissions]
        self.folder.mkdir(parents=True, exist_ok=True)
        self.pages += 1
        self._write(self._path(self.pages), b"".join(line for _, line in rows))
        self._index(self.pages, ((submission, len(line)) for submission, line in rows), counting=counting)

    def drop(self, identifier: str) -> None:
        """Leave out a return that the server no longer has."""
        self._places.pop(identifier, None)

    def submissions(self) -> Iterator[tuple[str, Submission]]:
        """Yield identifier and content of every return, sorted by identifier."""
        for identifier, line in self._lines():
            yield identifier, json.loads(line)

    def write(self, file: IO[bytes]) -> None:
        """Write all returns as JSON lines, sorted by identifier: equal returns give equal bytes."""
        for _, line in self._lines():
            file.write(line)

    def _lines(self) -> Iterator[tuple[str, bytes]]:
        opened: dict[int, IO[bytes]] = {}
        try:
            for identifier in self.identifiers():
                place = self._places[identifier]
                if place.page not in opened:
                    if len(opened) >= 64:  # noqa: PLR2004  a system allows a few hundred
                        opened.pop(next(iter(opened))).close()
                    opened[place.page] = self._path(place.page).open("rb")
                opened[place.page].seek(place.start)
                yield identifier, opened[place.page].read(place.length)
        finally:
            for file in opened.values():
                file.close()

    def _index(self, page: int, rows: Iterable[tuple[Submission, int]], *, counting: bool) -> None:
        start = 0
        for submission, length in rows:
            identifier = self.identify(submission)
            if identifier is None:
                self.unnamed += 1
            else:
                self.repeated += counting and identifier in self._places
                self._places[identifier] = _Place(page, start, length)
            start += length

    def _path(self, page: int) -> Path:
        return self.folder / f"page-{page:05}.jsonl"

    def _write(self, path: Path, content: bytes) -> None:
        partial = path.with_name(path.name + ".partial")
        partial.write_bytes(content)
        partial.replace(path)

    def _write_state(self) -> None:
        state = {
            "pages": self.pages,
            "cursor": self.cursor,
            "is_complete": self.is_complete,
            "counts": self.counts,
            "started_at": self.started_at.isoformat(),
        }
        self._write(self.folder / STATE_FILE, json.dumps(state).encode())

"""Download all returns of a form from a server: page by page, then compared with the server's own list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from enumerations._http import server_address
from enumerations._page_store import PageStore, Submission
from enumerations.errors import ServerAnswerError, ServerRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    Progress = Callable[[str, float], None]

__all__ = [
    "Download",
    "Listing",
    "Page",
    "PageStore",
    "Server",
    "Stamp",
    "Submission",
    "Trouble",
    "download",
    "server_address",
]

REFETCH_MAXIMUM = 200
"""Returns that are asked for one by one; when more are missing or out of date, everything is read a second time."""
STALE_PAGES_MAXIMUM = 3
"""Pages in a row that bring nothing new before the server is taken to go round in circles."""
NAMES_SHOWN = 5
"""Identifiers that a finding names."""

_PAGES_SHARE = 0.8
_BAD_REQUEST, _NOT_FOUND = 400, 404

Stamp = dict[str, str | None]
"""What changes with an edit or a review of a return; two are compared by the keys that both have."""


@dataclass(frozen=True)
class Page:
    """Returns of one answer, where the next page starts (None for the last), and the total that the server tells."""

    submissions: list[Submission]
    cursor: str | None
    count: int | None


@dataclass(frozen=True)
class Listing:
    """What the server says it has.

    Attributes
    ----------
    live
        Stamps of all returns that are there, by identifier.
    wanted
        Those of them that were asked for: all, or the ones changed since a day.
    deleted
        When returns were deleted, by instance id, as far as the server remembers.
    count, came
        Total that the server told, and returns that it listed.
    is_sound
        Whether nothing can have slipped between two pages of the list.
    """

    live: dict[str, Stamp]
    wanted: set[str]
    deleted: dict[str, str]
    count: int | None
    came: int
    is_sound: bool


@dataclass(frozen=True)
class Trouble:
    """A finding about a download: its code in the catalogue, and what its message names."""

    code: str
    value: str
    hint: str | None = None


class Server(Protocol):
    """What a download needs of a server."""

    source: str
    address: str
    form: str
    lists_always: bool

    def page(self, cursor: str | None, *, since: datetime | None, page_size: int) -> Page:
        """Return one page."""

    def listing(self, *, since: datetime | None) -> Listing | None:
        """Return the server's list of its returns; None when it gives none."""

    def fetch(self, identifier: str) -> Submission | None:
        """Return one return as it is now; None when it is not there."""

    def identify(self, submission: Submission) -> str | None:
        """Return the server's identifier, which an edit leaves as it is."""

    def instance_id(self, submission: Submission) -> str | None:
        """Return the identifier given by the collecting tool, without 'uuid:'."""

    def replaced_id(self, submission: Submission) -> str | None:
        """Return the instance id that this return had before it was edited, where the identifier doesn't stay."""

    def stamp(self, submission: Submission) -> Stamp:
        """Return what changes with an edit or a review."""

    def changed_at(self, submission: Submission) -> datetime | None:
        """Return when the return came or was last changed."""

    def is_rejected(self, submission: Submission) -> bool:
        """Say whether a reviewer rejected the return."""

    def dates_changes(self, submission: Submission) -> bool:
        """Say whether the server tells when the return was last changed."""

    def close(self) -> None:
        """Log out and close the connections."""


@dataclass
class Download:
    """What came: the returns are in `store`.

    `is_whole` says whether a return that did not come is truly gone from the server.
    """

    store: PageStore
    deleted: dict[str, str]
    is_resumed: bool
    is_whole: bool
    refetched: int = 0
    dropped: int = 0
    troubles: list[Trouble] = field(default_factory=list)


def download(
    server: Server, store: PageStore, *, since: datetime | None = None, page_size: int, tell: Progress | None = None
) -> Download:
    """Read every page of a form, then set right what changed on the server meanwhile.

    A row can be edited, deleted or added between two pages, and a server may lose its place (ODK Central answers an
    empty last page when the row that its token names was purged). So the pages are compared with the server's own
    list of identifiers: what is missing or out of date is asked for again, what is no longer there is dropped.

    Raises
    ------
    ServerUnreachableError, ServerRefusedError, ServerAnswerError
        The pages that came stay in `store`, and the next download with it goes on after them.
    """
    tell = tell or (lambda _words, _share: None)
    is_resumed = store.resume()
    try:
        _read_pages(server, store, since=since, page_size=page_size, tell=tell)
    except ServerRefusedError as error:
        if not is_resumed or error.status not in {_BAD_REQUEST, _NOT_FOUND}:
            raise
        is_resumed = False  # the place where we left off is not known any more
        store.restart()
        _read_pages(server, store, since=since, page_size=page_size, tell=tell)
    tell("comparing with the server's list", _PAGES_SHARE)
    listing = _list(server, store, since=since, is_resumed=is_resumed)
    if _is_far_off(server, store, listing):
        store.restart()
        _read_pages(server, store, since=since, page_size=page_size, tell=tell)
        listing = _list(server, store, since=since, is_resumed=True)
    result = Download(store, listing.deleted if listing else {}, is_resumed, _is_whole(store, listing))
    if listing is not None:
        _reconcile(server, result, listing, tell)
    _check_count(result, listing)
    if store.unnamed:
        result.troubles.append(Trouble("return_unnamed", str(store.unnamed)))
    return result


def _read_pages(server: Server, store: PageStore, *, since: datetime | None, page_size: int, tell: Progress) -> None:
    seen = {store.cursor}
    stale = 0
    while not store.is_complete:
        before = store.received
        page = server.page(store.cursor, since=since, page_size=page_size)
        store.add(page.submissions, cursor=page.cursor, count=page.count)
        stale = 0 if store.received > before else stale + 1
        if page.cursor is not None and (page.cursor in seen or stale >= STALE_PAGES_MAXIMUM):
            store.clear()
            raise ServerAnswerError(
                f"{server.address}: the pages of '{server.form}' go round in circles; the server never gives the last "
                "one. Run the command again, and tell those who keep the server if it stays so."
            )
        seen.add(page.cursor)
        share = store.received / page.count if page.count else 1.0
        tell(f"{store.received} returns", _PAGES_SHARE * min(1.0, share))


def _list(server: Server, store: PageStore, *, since: datetime | None, is_resumed: bool) -> Listing | None:
    """Ask for the list, unless one page that agrees with its count is all there is."""
    if not server.lists_always and not is_resumed and _is_one_snapshot(store):
        return None
    return server.listing(since=since)


def _is_one_snapshot(store: PageStore) -> bool:
    return store.pages == 1 and store.counts == [store.received]


def _is_whole(store: PageStore, listing: Listing | None) -> bool:
    return _is_one_snapshot(store) if listing is None else listing.is_sound


def _differences(server: Server, store: PageStore, listing: Listing) -> tuple[list[str], list[str]]:
    """Return the identifiers that are missing, and those whose content is out of date."""
    missing = [identifier for identifier in sorted(listing.wanted) if identifier not in store]
    changed = []
    for identifier, submission in store.submissions():
        told = listing.live.get(identifier)
        if told is not None:
            here = server.stamp(submission)
            if any(here[key] != told[key] for key in here.keys() & told.keys()):
                changed.append(identifier)
    return missing, changed


def _is_far_off(server: Server, store: PageStore, listing: Listing | None) -> bool:
    """Say whether reading everything once more is better than asking one by one."""
    if listing is None:
        return bool(store.counts) and store.counts[-1] != store.received
    return sum(map(len, _differences(server, store, listing))) > REFETCH_MAXIMUM


def _reconcile(server: Server, result: Download, listing: Listing, tell: Progress) -> None:
    """Ask again for what is missing or out of date, and drop what the server has no longer."""
    store = result.store
    missing, changed = _differences(server, store, listing)
    asked = [*missing, *changed[:REFETCH_MAXIMUM]]
    absent = []
    for number, identifier in enumerate(asked):
        tell(f"asking again for {len(asked)} returns", _PAGES_SHARE + (1 - _PAGES_SHARE) * number / len(asked))
        submission = server.fetch(identifier)
        if submission is None or server.identify(submission) != identifier:
            absent.append(identifier)
        else:
            store.keep([submission])
            result.refetched += 1
    absent += changed[REFETCH_MAXIMUM:]
    if absent:
        result.troubles.append(Trouble("return_not_fetched", str(len(absent)), ", ".join(absent[:NAMES_SHOWN])))
    if listing.is_sound:
        for identifier in store.identifiers():
            if identifier not in listing.live and identifier not in missing:
                store.drop(identifier)
                result.dropped += 1


def _check_count(result: Download, listing: Listing | None) -> None:
    """Note a total that does not agree with what came, although everything was asked for twice."""
    store = result.store
    told = listing.count if listing else store.counts[-1] if store.counts else None
    came = listing.came if listing else store.received + store.unnamed
    if told is not None and told != came:
        result.troubles.append(Trouble("count_differs", str(told), str(came)))
        result.is_whole = False

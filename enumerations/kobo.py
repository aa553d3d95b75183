"""Ask a KoboToolbox server for the returns of a form (data API, version 2)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from enumerations._http import HttpClient, query_of, server_address
from enumerations.downloads import Listing, Page, Stamp, Submission
from enumerations.errors import ServerAnswerError, ServerRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE_SIZE_MAXIMUM = 1000
"""Returns in a page; the server gives no more since March 2026."""
LISTINGS_MAXIMUM = 2
"""Times the list is read when it changes while it is read."""

_FIELDS = (
    "_id", "_uuid", "meta/rootUuid", "meta/instanceID", "_submission_time", "_date_modified", "_validation_status",
)  # fmt: skip
_REJECTED = "validation_status_not_approved"
_NOT_FOUND = 404
_NO_ACCESS = frozenset({401, 403})
_HINTS = {
    401: "Check the token (DTM_KOBO_TOKEN): Kobo shows it under Account settings, Security.",
    403: "The token's owner may not view the submissions of this form; ask its owner to share it.",
    404: "Check --url and --asset. Kobo also answers so when the token's owner may not view the form.",
}


def _moment(value: object) -> datetime | None:
    """Return a time of the server; one without a zone is UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _plain_id(value: object) -> str | None:
    return value.strip().removeprefix("uuid:") or None if isinstance(value, str) else None


class KoboServer:
    """The returns of one form (asset) of a KoboToolbox server.

    Parameters
    ----------
    url
        Address of the server, such as https://kf.kobotoolbox.org.
    asset
        Identifier of the form, as its address shows it.
    token
        API token of a user who may view the submissions.
    tell
        Called with a sentence before a long wait.
    sleep
        Called with seconds to wait.

    Raises
    ------
    ServerAddressError
        The address can't be used.
    """

    source = "kobo"
    lists_always = False

    def __init__(
        self,
        url: str,
        asset: str,
        token: str,
        *,
        tell: Callable[[str], None] | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.address = server_address(url)
        self.form = asset
        self._http = HttpClient(self.address, secrets=[token], hints=_HINTS, tell=tell, sleep=sleep)
        self._http.authorize(f"Token {token}")
        self._path = f"/api/v2/assets/{quote(asset, safe='')}/data/"

    def page(self, cursor: str | None, *, since: datetime | None, page_size: int) -> Page:
        """Return one page; a cursor is the number of returns before it.

        Of the server's `next` only the place is used, never its host. When a page is shorter than `next` says, the
        following one starts where it ended: nothing is left out, and what comes twice is dropped by its identifier.

        Raises
        ------
        EnumerationsError
            See `HttpClient.get`; or the answer is no page of returns.
        """
        return self._page(int(cursor or 0), since=since, limit=page_size)

    def _page(self, start: int, *, since: datetime | None, limit: int, fields: tuple[str, ...] = ()) -> Page:
        query = [("format", "json"), ("limit", str(limit)), ("start", str(start)), ("sort", '{"_id":1}')]
        if since is not None:
            text = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
            changed = [{key: {"$gte": text}} for key in ("_submission_time", "_date_modified")]
            query.append(("query", json.dumps({"$or": changed}, separators=(",", ":"))))
        if fields:
            query.append(("fields", json.dumps(fields, separators=(",", ":"))))
        answer = self._http.get(self._path, query)
        results, count, link = answer.get("results"), answer.get("count"), answer.get("next")
        if not isinstance(results, list) or not all(isinstance(row, dict) for row in results):
            raise ServerAnswerError(
                f"{self.address}: the answer holds no list of returns ('results'). Check that --url is a KoboToolbox "
                "server."
            )
        total = count if isinstance(count, int) and not isinstance(count, bool) else None
        following = self._following(start, len(results), total, link if isinstance(link, str) else None)
        return Page(results, None if following is None else str(following), total)

    def _following(self, start: int, came: int, total: int | None, link: str | None) -> int | None:
        """Return where the next page starts."""
        reached = start + came
        if link is None:
            return reached if came and total is not None and reached < total else None
        query = query_of(link)
        told = query.get("start") or query.get("offset") or ""
        place = int(told) if told.isascii() and told.isdigit() and len(told) < 10 else reached  # noqa: PLR2004
        return min(place, reached) if came and place > start else place

    def listing(self, *, since: datetime | None) -> Listing | None:
        """Return the identifiers the server has, with the little that tells an edit; None when it refuses."""
        listing = None
        for _ in range(LISTINGS_MAXIMUM):
            try:
                listing = self._listing(since)
            except ServerRefusedError as error:
                if error.status in _NO_ACCESS:
                    raise
                return None
            if listing.is_sound:
                break
        return listing

    def _listing(self, since: datetime | None) -> Listing:
        live: dict[str, Stamp] = {}
        counts: list[int | None] = []
        start, unnamed = 0, 0
        while True:
            page = self._page(start, since=since, limit=PAGE_SIZE_MAXIMUM, fields=_FIELDS)
            before = len(live)
            for row in page.submissions:
                identifier = self.identify(row)
                if identifier is None:
                    unnamed += 1
                else:
                    live[identifier] = self.stamp(row)
            counts.append(page.count)
            if page.cursor is None or len(live) == before:
                break
            start = int(page.cursor)
        count = counts[-1]
        return Listing(live, set(live), {}, count, len(live) + unnamed, is_sound=set(counts) == {len(live)})

    def fetch(self, identifier: str) -> Submission | None:
        """Return one return as it is now; None when it is not there.

        Raises
        ------
        EnumerationsError
            See `HttpClient.get`.
        """
        try:
            return self._http.get(f"{self._path}{quote(identifier, safe='')}/", [("format", "json")])
        except ServerRefusedError as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def identify(self, submission: Submission) -> str | None:
        """Return the server's number of a return; an edit changes its uuid, but not this."""
        number = submission.get("_id")
        if isinstance(number, int | str) and not isinstance(number, bool) and str(number).strip():
            return str(number).strip()
        return self.instance_id(submission)

    def instance_id(self, submission: Submission) -> str | None:
        """Return the first uuid of a return, without 'uuid:'."""
        for key in ("meta/rootUuid", "_uuid", "meta/instanceID"):
            if plain := _plain_id(submission.get(key)):
                return plain
        return None

    def replaced_id(self, submission: Submission) -> str | None:
        """Return the uuid before the last edit; servers before 2025 give no first one."""
        return None if submission.get("meta/rootUuid") else _plain_id(submission.get("meta/deprecatedID"))

    def stamp(self, submission: Submission) -> Stamp:
        """Return the present uuid, the state of validation and, where the server tells it, the time of change."""
        stamp: Stamp = {}
        for key in ("_uuid", "_date_modified"):
            if submission.get(key) is not None:
                stamp[key] = str(submission[key])
        if "_validation_status" in submission:
            stamp["_validation_status"] = self._validation(submission)
        return stamp

    def _validation(self, submission: Submission) -> str | None:
        status: Any = submission.get("_validation_status")
        uid = status.get("uid") if isinstance(status, dict) else status
        return uid if isinstance(uid, str) and uid else None

    def changed_at(self, submission: Submission) -> datetime | None:
        """Return when the return came or was last changed."""
        moments = [_moment(submission.get(key)) for key in ("_submission_time", "_date_modified")]
        return max((moment for moment in moments if moment), default=None)

    def is_rejected(self, submission: Submission) -> bool:
        """Say whether the return was marked as not approved."""
        return self._validation(submission) == _REJECTED

    def dates_changes(self, submission: Submission) -> bool:
        """Say whether the server tells when the return was last changed."""
        return "_date_modified" in submission

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

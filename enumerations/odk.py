"""Ask an ODK Central server for the submissions of a form (OData)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from enumerations._http import HttpClient, query_of, server_address
from enumerations.downloads import Listing, Page, Stamp, Submission
from enumerations.errors import EnumerationsError, ServerAnswerError, ServerRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PAGE_SIZE_MAXIMUM = 10_000
"""Submissions in a page; the server itself has no limit, memory has."""

_EVERYTHING = "__system/deletedAt eq null or __system/deletedAt ne null"
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404
_HINTS = {
    401: "Check DTM_ODK_EMAIL and DTM_ODK_PASSWORD, or DTM_ODK_TOKEN; a session's token lasts 24 hours.",
    403: "The user has no role that may read this form: ask for 'Project Viewer' in the project. An app user may send "
    "submissions, but not read them.",
    404: "Check --project (a number) and --form (the form's id, not its title).",
}


@dataclass(frozen=True)
class Credentials:
    """An email and password, or a token (of a session, or of an app user that was given a role)."""

    email: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _system(submission: Submission) -> dict[str, Any]:
    system = submission.get("__system")
    return system if isinstance(system, dict) else {}


class OdkServer:
    """The submissions of one form of an ODK Central server.

    Parameters
    ----------
    url
        Address of the server, such as https://central.example.org.
    project
        Number of the project.
    form
        Identifier of the form (xmlFormId).
    credentials
        A web user's with the role Project Viewer, which is enough. Basic authentication is never used: a session is
        opened with the email and password, and closed at the end.
    tell
        Called with a sentence before a long wait.
    sleep
        Called with seconds to wait.

    Raises
    ------
    ServerAddressError
        The address can't be used.
    """

    source = "odk"
    lists_always = True

    def __init__(
        self,
        url: str,
        project: int,
        form: str,
        credentials: Credentials,
        *,
        tell: Callable[[str], None] | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.address = server_address(url)
        self.form = f"{project}/{form}"
        secrets = [text for text in (credentials.password, credentials.token) if text]
        self._http = HttpClient(self.address, secrets=secrets, hints=_HINTS, tell=tell, sleep=sleep)
        self._credentials = credentials
        self._root = "/v1"
        self._is_known = False
        self._has_session = False
        self._svc = f"/projects/{project}/forms/{quote(form, safe='')}.svc/"
        if credentials.token:
            self._http.authorize(f"Bearer {credentials.token}")

    def _log_in(self) -> None:
        """Open a session with the email and password."""
        self._http.authorize(None)
        answer = self._http.post(
            "/v1/sessions",
            {"email": self._credentials.email or "", "password": self._credentials.password or ""},
        )
        token = answer.get("token")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise ServerAnswerError(
                f"{self.address}: no session was opened. Check that --url is an ODK Central server."
            )
        self._http.keep_secret(token)
        self._http.authorize(f"Bearer {token}")
        self._has_session = True

    def _get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
        """Ask with the credentials there are: log in first or anew, or take the token for an app user's."""
        token = self._credentials.token
        if not token and not self._has_session:
            self._log_in()
        try:
            answer = self._http.get(f"{self._root}{self._svc}{path}", query)
        except ServerRefusedError as error:
            if error.status != _UNAUTHORIZED:
                raise
            if token and not self._is_known:
                answer = self._get_as_app_user(token, path, query, error)
            elif not token and self._is_known:
                self._log_in()  # a session ends after a day, or when an administrator ends it
                answer = self._http.get(f"{self._root}{self._svc}{path}", query)
            else:
                raise
        self._is_known = True
        return answer

    def _get_as_app_user(
        self, token: str, path: str, query: Sequence[tuple[str, str]], refusal: ServerRefusedError
    ) -> dict[str, Any]:
        self._http.authorize(None)
        root = f"/v1/key/{quote(token, safe='')}"
        try:
            answer = self._http.get(f"{root}{self._svc}{path}", query)
        except ServerRefusedError as error:
            if error.status == _FORBIDDEN:
                raise
            self._http.authorize(f"Bearer {token}")
            raise refusal from None
        self._root = root
        return answer

    def page(self, cursor: str | None, *, since: datetime | None, page_size: int) -> Page:
        """Return one page; a cursor is the server's `$skiptoken`.

        Of `@odata.nextLink` only the token is used: the link is made from the domain the server was configured with,
        which need not be the one it is reached by.

        Raises
        ------
        EnumerationsError
            See `HttpClient.get`; or the answer is no page of submissions.
        """
        query = [("$top", str(page_size)), ("$count", "true"), ("$expand", "*")]
        if since is not None:
            text = f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}"
            query.append(("$filter", f"__system/updatedAt ge {text} or __system/submissionDate ge {text}"))
        return self._page(query, cursor)

    def _page(self, query: list[tuple[str, str]], cursor: str | None) -> Page:
        answer = self._get("Submissions", [*query, ("$skiptoken", cursor)] if cursor else query)
        rows, count, link = answer.get("value"), answer.get("@odata.count"), answer.get("@odata.nextLink")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ServerAnswerError(
                f"{self.address}: the answer holds no list of submissions ('value'). Check that --url is an ODK "
                "Central server."
            )
        following = None
        if isinstance(link, str):
            following = query_of(link).get("$skiptoken")
            if not following:
                raise ServerAnswerError(f"{self.address}: the link to the next page has no $skiptoken.")
        return Page(rows, following, count if isinstance(count, int) and not isinstance(count, bool) else None)

    def listing(self, *, since: datetime | None) -> Listing | None:
        """Return identifiers, times and states of all submissions and the deleted ones; None when it is refused.

        Without `$top` the answer is one page, read at one moment. Servers that don't know `deletedAt` are asked
        for the live ones only.
        """
        query = [("$count", "true"), ("$select", "__id,__system")]
        for asked in ([("$filter", _EVERYTHING), *query], query):
            try:
                return self._listing(asked, since)
            except ServerRefusedError as error:
                if error.status in {_UNAUTHORIZED, _FORBIDDEN}:
                    raise
        return None

    def _listing(self, query: list[tuple[str, str]], since: datetime | None) -> Listing:
        live: dict[str, Stamp] = {}
        wanted: set[str] = set()
        deleted: dict[str, str] = {}
        came, cursor, seen = 0, None, set()
        while True:
            page = self._page(query, cursor)
            came += len(page.submissions)
            for row in page.submissions:
                identifier = self.identify(row)
                if identifier is None:
                    continue
                if deleted_at := _system(row).get("deletedAt"):
                    deleted[identifier.removeprefix("uuid:")] = str(deleted_at)
                    continue
                live[identifier] = self.stamp(row)
                changed_at = self.changed_at(row)
                if since is None or changed_at is None or changed_at >= since:
                    wanted.add(identifier)
            cursor = page.cursor
            if cursor is None or cursor in seen:
                break
            seen.add(cursor)
        return Listing(live, wanted, deleted, page.count, came, is_sound=page.count in {None, came})

    def fetch(self, identifier: str) -> Submission | None:
        """Return one submission as it is now; None when it is not there.

        Raises
        ------
        EnumerationsError
            See `HttpClient.get`.
        """
        name = quote(identifier.replace("'", "''"), safe=":")
        try:
            answer = self._get(f"Submissions('{name}')", [("$expand", "*")])
        except ServerRefusedError as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        rows = answer.get("value")
        return rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else None

    def identify(self, submission: Submission) -> str | None:
        """Return the first instance id, which stays over edits."""
        identifier = submission.get("__id")
        return identifier if isinstance(identifier, str) and identifier else None

    def instance_id(self, submission: Submission) -> str | None:
        """Return the first instance id, without 'uuid:'."""
        identifier = self.identify(submission)
        return identifier.removeprefix("uuid:") if identifier else None

    def replaced_id(self, submission: Submission) -> str | None:  # noqa: ARG002  the first id stays
        """Return None: an edit leaves the identifier as it is."""
        return None

    def stamp(self, submission: Submission) -> Stamp:
        """Return the time of change, the state of review and the number of edits."""
        system = _system(submission)
        return {
            key: None if system[key] is None else str(system[key])
            for key in ("updatedAt", "reviewState", "edits")
            if key in system
        }

    def changed_at(self, submission: Submission) -> datetime | None:
        """Return when the submission came, or was last edited or reviewed."""
        moments = [_moment(_system(submission).get(key)) for key in ("submissionDate", "updatedAt")]
        return max((moment for moment in moments if moment), default=None)

    def is_rejected(self, submission: Submission) -> bool:
        """Say whether a reviewer rejected the submission."""
        return _system(submission).get("reviewState") == "rejected"

    def dates_changes(self, submission: Submission) -> bool:
        """Say whether the server tells when the submission was last changed."""
        return "updatedAt" in _system(submission)

    def close(self) -> None:
        """Log out, if we logged in, and close the connections."""
        if self._has_session:
            with suppress(EnumerationsError):
                self._http.delete("/v1/sessions/current")
        self._http.close()

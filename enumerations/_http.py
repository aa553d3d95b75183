"""Ask a server for JSON over HTTPS: bounded, patient with its faults, and never giving credentials to another host."""

from __future__ import annotations

import ipaddress
import json
import logging
import random
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

import requests

from enumerations.errors import ServerAddressError, ServerAnswerError, ServerRefusedError, ServerUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ATTEMPTS_MAXIMUM = 6
"""Times one question is asked before the pull gives up; what came before is kept."""
FIRST_ATTEMPTS_MAXIMUM = 2
"""Times a server is called that has never answered: its address may be mistyped."""
BACKOFF_FIRST_S = 1.0
"""Longest wait after the first failure; it doubles from one to the next, and chance takes up to half of it away."""
BACKOFF_MAXIMUM_S = 60.0
RETRY_AFTER_MAXIMUM_S = 600.0
"""Longest wait that a server may ask for."""
CONNECT_TIMEOUT_S = 20.0
READ_TIMEOUT_S = 120.0
"""Longest silence within an answer."""
ANSWER_SECONDS_MAXIMUM = 900.0
"""Longest time that one answer may take."""
ANSWER_BYTES_MAXIMUM = 256 * 1_048_576
"""Longest answer, after it was unpacked."""
REDIRECTS_MAXIMUM = 3
CHUNK_BYTES = 262_144
SERVER_WORDS_CHARACTERS = 300
"""How much of a server's own words a message repeats."""

_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK = range(200, 300)
_SAFE_IN_QUERY = "$*'(),/:"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_STARS = "***"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def server_address(text: str) -> str:
    """Return a server's address in its plain form: scheme, host, port and folder, without a slash at the end.

    Raises
    ------
    ServerAddressError
        It is no address, holds credentials, or would send them over the network without encryption. There is no way
        around the last: a certificate costs nothing, and a server on an own network is reached through a tunnel that
        ends on this computer.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ServerAddressError("--url: this is no address. Give one such as https://central.example.org") from None
    if "@" in parts.netloc:  # what stands before it may be a password: repeat nothing of it
        raise ServerAddressError(
            "--url: the address holds a user name or password. Give the address alone; credentials come from the "
            "environment or the keyring."
        )
    if parts.scheme not in {"https", "http"} or not host or _CONTROL.search(text.strip()) or " " in text.strip():
        raise ServerAddressError(f"--url: '{text}' is no address. Give one such as https://central.example.org")
    if parts.query or parts.fragment:
        raise ServerAddressError(
            "--url: give the address of the server alone, without what stands after '?' or '#': "
            f"{parts.scheme}://{parts.netloc}"
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise ServerAddressError(
            f"--url: {text} is not encrypted, and anyone on the way could read the credentials. Use https://, or a "
            "tunnel that ends on this computer (http://localhost)."
        )
    name = f"[{host}]" if ":" in host else host
    usual = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{name}{f':{port}' if port and port != usual else ''}{parts.path.rstrip('/')}"


def query_of(link: str) -> dict[str, str]:
    """Return the options of a link that a server gave; its host and path are not looked at."""
    try:
        return dict(parse_qsl(urlsplit(link).query))
    except ValueError:
        return {}


@dataclass
class _TemporaryError(Exception):
    """Stop one attempt; another may go well."""

    words: str
    wait_s: float | None = None
    """Wait that the server asked for."""


class _Authorization(requests.auth.AuthBase):
    """Set the header; a `.netrc` of the user can't put another in its place."""

    def __init__(self) -> None:
        self.header: str | None = None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.header:
            request.headers["Authorization"] = self.header
        return request


class HttpClient:
    """Ask one server, and no other host, for JSON.

    Parameters
    ----------
    address
        Address from `server_address`.
    secrets
        Texts that no message and no log may show.
    hints
        What to do about an HTTP status, by status.
    tell
        Called with a sentence before a long wait.
    sleep
        Called with seconds to wait.
    """

    def __init__(
        self,
        address: str,
        *,
        secrets: Sequence[str] = (),
        hints: Mapping[int, str] | None = None,
        tell: Callable[[str], None] | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.address = address
        self._secrets: list[str] = []
        self._hints = dict(hints or {})
        self._tell = tell or (lambda _words: None)
        self._sleep = sleep or time.sleep
        self._authorization = _Authorization()
        self._has_answered = False
        self._session = requests.Session()
        self._session.auth = self._authorization
        self._session.headers.update({"Accept": "application/json", "User-Agent": "ub-population-tracking"})
        self._session.trust_env = not _is_loopback(urlsplit(address).hostname or "")  # no proxy between us and us
        for secret in secrets:
            self.keep_secret(secret)
        logging.getLogger("urllib3.connectionpool").addFilter(self._censor)

    def keep_secret(self, text: str) -> None:
        """Show stars instead of a text from now on."""
        for form in (text, quote(text, safe=""), json.dumps(text)[1:-1]):
            if form and form not in self._secrets:
                self._secrets.append(form)

    def redact(self, text: str) -> str:
        """Return a text without the secrets."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, _STARS)
        return text

    def _censor(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self.redact(record.getMessage()), ()
        return True

    def authorize(self, header: str | None) -> None:
        """Send an Authorization header with every question from now on; None sends none."""
        self._authorization.header = header

    def close(self) -> None:
        """Close the connections."""
        logging.getLogger("urllib3.connectionpool").removeFilter(self._censor)
        self._session.close()

    def get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
        """Return the JSON object at a path below the address.

        Raises
        ------
        ServerUnreachableError
            It did not answer, or answered with passing faults only.
        ServerRefusedError
            It refused (status 4xx, 501).
        ServerAnswerError
            The answer is no JSON object, too long, or leads to another host.
        """
        text = urlencode(query, quote_via=quote, safe=_SAFE_IN_QUERY)
        return self._ask("GET", f"{path}?{text}" if text else path)

    def post(self, path: str, document: Mapping[str, str]) -> dict[str, Any]:
        """Send a JSON object and return the one that is answered; raises like `get`."""
        return self._ask("POST", path, document)

    def delete(self, path: str) -> None:
        """Delete what is at a path, with one attempt; raises like `get`."""
        self._ask("DELETE", path, attempts_maximum=1)

    def _ask(
        self,
        method: str,
        path: str,
        document: Mapping[str, str] | None = None,
        *,
        attempts_maximum: int = ATTEMPTS_MAXIMUM,
    ) -> dict[str, Any]:
        for attempt in range(1, attempts_maximum + 1):
            try:
                return self._once(method, self.address + path, document)
            except _TemporaryError as trouble:
                few = attempts_maximum if self._has_answered else min(attempts_maximum, FIRST_ATTEMPTS_MAXIMUM)
                if attempt >= few:
                    raise ServerUnreachableError(
                        f"{self.address}: {trouble.words} ({attempt} attempts). Check the address and the network and "
                        "run the command again; pages that came are kept for a day."
                    ) from None
                self._wait(attempt, trouble)
        raise AssertionError("unreachable")

    def _wait(self, attempt: int, trouble: _TemporaryError) -> None:
        if trouble.wait_s is not None:
            if trouble.wait_s > RETRY_AFTER_MAXIMUM_S:
                raise ServerUnreachableError(
                    f"{self.address}: the server asks to wait {trouble.wait_s:.0f} s, longer than "
                    f"{RETRY_AFTER_MAXIMUM_S:.0f} s. Run the command again later; pages that came are kept for a day."
                ) from None
            wait_s = trouble.wait_s
        else:
            longest_s = min(BACKOFF_MAXIMUM_S, BACKOFF_FIRST_S * 2 ** (attempt - 1))
            wait_s = longest_s * random.uniform(0.5, 1)  # noqa: S311  not for secrets
        self._tell(f"waiting {wait_s:.0f} s: {trouble.words}")
        self._sleep(wait_s)

    def _once(self, method: str, url: str, document: Mapping[str, str] | None) -> dict[str, Any]:
        for _ in range(REDIRECTS_MAXIMUM + 1):
            response = self._send(method, url, document)
            try:
                body = self._read(response)
            finally:
                response.close()
            self._has_answered = True
            status = response.status_code
            if status not in _REDIRECTS:
                self._refuse(response, body)
                return {} if method == "DELETE" else self._document(body)
            url = self._redirected(method, url, response.headers.get("Location", ""))
        raise ServerAnswerError(f"{self.address}: the server sends us round in circles. Check --url.")

    def _send(self, method: str, url: str, document: Mapping[str, str] | None) -> requests.Response:
        try:
            return self._session.request(
                method, url, json=document, allow_redirects=False, stream=True,
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
            )  # fmt: skip
        except requests.exceptions.SSLError as error:
            raise ServerUnreachableError(
                f"{self.address}: the encrypted connection failed ({self._reason(error)}). Check the address, the "
                "date of this computer and the server's certificate."
            ) from None
        except requests.exceptions.Timeout:
            raise _TemporaryError("the server does not answer in time") from None
        except requests.exceptions.ConnectionError as error:
            raise _TemporaryError(f"no connection ({self._reason(error)})") from None
        except (requests.exceptions.RequestException, UnicodeError, ValueError) as error:
            raise ServerAnswerError(
                f"{self.address}: the server can't be asked, or sends us on to no address ({self._reason(error)}). "
                "Check --url."
            ) from None

    def _reason(self, error: Exception) -> str:
        """Return the innermost words of an error of the library, without addresses and secrets."""
        text = self.redact(str(error))
        found = re.findall(r"(?:\[[^\]]*\] ?)?[^:'\"()\[\]<>]+(?=[)'\"]*$)", text)
        words = found[-1].strip() if found else type(error).__name__
        return words[:SERVER_WORDS_CHARACTERS] or type(error).__name__

    def _read(self, response: requests.Response) -> bytes:
        """Return the unpacked body, never more than the limit."""
        parts: list[bytes] = []
        size, started = 0, time.monotonic()
        try:
            for chunk in response.iter_content(CHUNK_BYTES):
                size += len(chunk)
                if size > ANSWER_BYTES_MAXIMUM:
                    raise ServerAnswerError(
                        f"{self.address}: an answer is longer than {ANSWER_BYTES_MAXIMUM // 1_048_576} MB. Ask for "
                        "less at a time with --page-size."
                    )
                if time.monotonic() - started > ANSWER_SECONDS_MAXIMUM:
                    raise _TemporaryError("an answer takes too long")
                parts.append(chunk)
        except requests.exceptions.RequestException:
            raise _TemporaryError("the answer broke off") from None
        return b"".join(parts)

    def _refuse(self, response: requests.Response, body: bytes) -> None:
        """Raise unless the status is a success."""
        status = response.status_code
        if status in _OK:
            return
        told = f"status {status}{self._words(body)}"
        if status in _TEMPORARY:
            raise _TemporaryError(told, _retry_after_s(response.headers.get("Retry-After")))
        hint = self._hints.get(status, "Check --url and the names you gave.")
        raise ServerRefusedError(f"{self.address} refused: {told}. {hint}", status)

    def _words(self, body: bytes) -> str:
        """Return what the server says about its refusal: message, detail and code."""
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return ""
        if not isinstance(document, dict):
            return ""
        words = [
            str(document[key])
            for key in ("code", "message", "detail")
            if isinstance(document.get(key), str | float | int)
        ]
        text = _CONTROL.sub(" ", self.redact(", ".join(words)))[:SERVER_WORDS_CHARACTERS].rstrip(". ")
        return f": {text}" if text else ""

    def _document(self, body: bytes) -> dict[str, Any]:
        start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
        if start.startswith(b"<"):
            raise ServerAnswerError(
                f"{self.address}: the answer is a web page, not data. Check --url: it must be the server's own address."
            )
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            raise _TemporaryError("the answer is no whole JSON document") from None
        if not isinstance(document, dict):
            raise ServerAnswerError(f"{self.address}: the answer is not what its protocol promises. Check --url.")
        return document

    def _redirected(self, method: str, url: str, location: str) -> str:
        """Return where a redirect leads, if that is the same server; behind a proxy it may think it is on http."""
        try:
            here = urlsplit(url)
            target = urlsplit(urljoin(url, location))
            same = bool(location) and target.netloc == here.netloc and target.scheme in {"http", "https"}
            target = target._replace(scheme=here.scheme)
        except ValueError:
            same = False
        if not same or method != "GET":
            host = _CONTROL.sub("", self.redact(urlsplit(urljoin(url, location)).netloc)) if location else "nowhere"
            raise ServerAnswerError(
                f"{self.address}: the server sends us on to {host or 'nowhere'}; credentials were not sent there. "
                "If that is its new address, give it as --url."
            )
        return target.geturl()


def _retry_after_s(text: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which is a number or a date."""
    if text is None:
        return None
    if re.fullmatch(r"\d{1,9}", text.strip()):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())

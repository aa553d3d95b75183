"""Let in only who has the key: an address printed at start, exchanged for a cookie no script can read."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import request

from dashboard.refusals import both_words, plain_page

if TYPE_CHECKING:
    from flask import Flask, Response

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
KEY_BYTES = 24
HTTP_PORT = 80
"""The port a browser leaves out of the Host header."""
OPEN_PATHS = ("/healthz",)
SAFE_METHODS = ("GET", "HEAD")
METHODS = (*SAFE_METHODS, "POST")
STATIC_PATHS = ("/_dash-component-suites/", "/assets/")
"""Code of the page itself; it holds no data, so a browser may keep it for as long as the page is open."""


@dataclass
class Access:
    """The keys of one run of the desk; another run has others.

    Attributes
    ----------
    key
        Stands in the printed address and holds until the desk is stopped.
    launch_key
        Opens the browser once: it stands on the browser's command line, where other users of the machine may read it.
    """

    port: int
    key: str = field(default_factory=lambda: secrets.token_urlsafe(KEY_BYTES))
    launch_key: str = field(default_factory=lambda: secrets.token_urlsafe(KEY_BYTES))
    _launched: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def cookie_name(self) -> str:
        """Return the cookie's name; browsers share cookies between the ports of a machine, so it carries the port."""
        return f"dtm-desk-{self.port}"

    @property
    def cookie_value(self) -> str:
        """Return what the key is exchanged for; the key can't be told from it."""
        return hmac.new(self.key.encode(), b"desk cookie", hashlib.sha256).hexdigest()

    @property
    def hosts(self) -> frozenset[str]:
        """Return the Host headers a browser sends when it means this machine."""
        bare = NAMES if self.port == HTTP_PORT else ()
        return frozenset((*bare, *(f"{name}:{self.port}" for name in NAMES)))

    def address(self, key: str) -> str:
        """Return the address that lets in."""
        return f"http://{HOST}:{self.port}/?key={key}"

    def is_key(self, given: str) -> bool:
        """Return whether a key is the printed one, or the browser's own, which counts once."""
        if hmac.compare_digest(given.encode(), self.key.encode()):
            return True
        with self._lock:
            if self._launched or not hmac.compare_digest(given.encode(), self.launch_key.encode()):
                return False
            self._launched = True
            return True

    def is_cookie(self, given: str | None) -> bool:
        """Return whether a browser came with the key before."""
        return given is not None and hmac.compare_digest(given.encode(), self.cookie_value.encode())

    def is_own_page(self, origin: str | None, referrer: str | None, host: str) -> bool:
        """Return whether a request that changes something comes from this very page."""
        told = origin if origin is not None else referrer
        if not told:
            return False
        try:
            parts = urlsplit(told)
        except ValueError:
            return False
        return parts.scheme == "http" and parts.netloc == host


def _let_in(access: Access) -> Response:
    """Set the cookie on a page that goes on by itself: a redirect would be refused the cookie on a click from afar."""
    response = plain_page(both_words("desk.title"), both_words("desk.go_on"), status=200, leads_to="/")
    response.set_cookie(access.cookie_name, access.cookie_value, httponly=True, samesite="Strict", path="/")
    return response


def _changes_from_elsewhere(access: Access) -> bool:
    headers = request.headers
    return request.method not in SAFE_METHODS and not access.is_own_page(
        headers.get("Origin"), headers.get("Referer"), request.host
    )


def _stopped(access: Access) -> Response | None:
    """Return why a request is not answered; None where it may be."""
    title = both_words("desk.title")
    if request.host not in access.hosts:
        return plain_page(title, both_words("desk.refused.host"), status=421)
    if request.method not in METHODS:
        return plain_page(title, both_words("desk.refused.method"), status=405)
    if not access.is_cookie(request.cookies.get(access.cookie_name)):
        return plain_page(title, both_words("desk.refused.key"), status=403)
    if _changes_from_elsewhere(access):
        return plain_page(title, both_words("desk.refused.origin"), status=403)
    return None


def guard(server: Flask, access: Access) -> None:
    """Refuse a strange host, whoever has no key, and a change that another page asks for."""

    @server.before_request
    def _check() -> Response | None:
        known_host = request.host in access.hosts
        if known_host and request.path in OPEN_PATHS:
            return None
        given = request.args.get("key")
        if known_host and given and request.path == "/" and request.method == "GET" and access.is_key(given):
            return _let_in(access)
        return _stopped(access)

    @server.after_request
    def _forget(response: Response) -> Response:
        if not request.path.startswith(STATIC_PATHS) or response.status_code >= 400:  # noqa: PLR2004  an error
            response.headers["Cache-Control"] = "no-store"
        return response

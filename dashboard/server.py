"""Serve the dashboard: files of the release by address, headers that keep it closed, several workers."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import brotli
import gunicorn.app.base
from flask import Flask, Response, abort, request

from dashboard.app import create_app
from dashboard.labels import style
from dashboard.words import LANGUAGES, Words
from dtm.errors import WrongUseError
from dtm.released import DATABASE_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from dash import Dash

    from dashboard.reader import Reader
    from dtm.workspace import Workspace

FILES_KEPT = 64
BROTLI_QUALITY = 5
THREADS_PER_WORKER = 4
UP_WAIT_S = 30.0
YEAR_S = 31_536_000
_NAME = re.compile(r"[\w][\w.+-]{0,127}")


def security_headers(app: Dash) -> dict[str, str]:
    """Return headers that let a page load nothing from elsewhere."""
    policy = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", *app.csp_hashes()]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "child-src": "blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


@lru_cache(maxsize=FILES_KEPT)
def _packed(path: Path, _changed_ns: int) -> tuple[bytes, bytes, str]:
    plain = path.read_bytes()
    return plain, brotli.compress(plain, quality=BROTLI_QUALITY), hashlib.sha256(plain).hexdigest()[:32]


def _file(path: Path, mimetype: str) -> Response:
    """Answer with an immutable file of a release, compressed once, with a tag."""
    if not path.is_file():
        abort(404)
    plain, packed, tag = _packed(path, path.stat().st_mtime_ns)
    small = "br" in request.accept_encodings and mimetype != "image/png"
    response = Response(packed if small else plain, mimetype=mimetype)
    if small:
        response.headers["Content-Encoding"] = "br"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    response.set_etag(f"{tag}-br" if small else tag)
    return response.make_conditional(request)


def _release_folder(workspace: Workspace, release_id: str) -> Path:
    folder = workspace.releases_path / release_id
    if not _NAME.fullmatch(release_id) or not (folder / DATABASE_FILE).is_file():
        abort(404)
    return folder


def add_routes(server: Flask, workspace: Workspace, reader: Reader) -> None:
    """Serve maps, layers and rasters of a release by its id, and say that the server is up."""

    @server.get("/released/<release_id>/areas-<int:level>.geojson")
    def _areas(release_id: str, level: int) -> Response:
        return _file(_release_folder(workspace, release_id) / "maps" / f"areas-{level}.geojson", "application/geo+json")

    @server.get("/released/<release_id>/layer/<name>.geojson")
    def _layer(release_id: str, name: str) -> Response:
        if not _NAME.fullmatch(name):
            abort(404)
        return _file(_release_folder(workspace, release_id) / "layers" / f"{name}.geojson", "application/geo+json")

    @server.get("/released/<release_id>/overlay/<name>.png")
    def _overlay(release_id: str, name: str) -> Response:
        if not _NAME.fullmatch(name):
            abort(404)
        return _file(_release_folder(workspace, release_id) / "overlays" / f"{name}.png", "image/png")

    @server.get("/released/<release_id>/style-<lang>.json")
    def _style(release_id: str, lang: str) -> Response:
        snapshot = reader.current()
        if lang not in LANGUAGES or snapshot.release_id != release_id:
            abort(404)
        response = Response(json.dumps(style(snapshot, Words(lang)), ensure_ascii=False), mimetype="application/json")
        response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
        return response

    @server.get("/healthz")
    def _health() -> Response:
        return Response("ok", mimetype="text/plain")


def build_server(workspace: Workspace) -> Flask:
    """Build the web application of a workspace."""
    app = create_app(workspace)
    server: Flask = app.server
    add_routes(server, workspace, app.dtm_reader)
    headers: dict[str, str] = {}

    @server.after_request
    def _headers(response: Response) -> Response:
        if not headers:
            headers.update(security_headers(app))
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    # Dash learns which scripts it may serve when it first writes the page. A worker that is asked for a script before
    # it was asked for the page would refuse it, so each writes the page once for itself.
    server.test_client().get("/")
    return server


class _Service(gunicorn.app.base.BaseApplication):
    """Run the web application under gunicorn; each worker builds its own after the fork."""

    def __init__(self, workspace: Workspace, options: dict[str, Any]) -> None:
        self.workspace = workspace
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        """Take the options as they are; no file and no command line of gunicorn's own."""
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Build the application inside a worker."""
        return build_server(self.workspace)


def check_port(host: str, port: int) -> None:
    """Refuse an address another program listens on.

    Raises
    ------
    WrongUseError
        The port is taken, or may not be opened.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise WrongUseError(
                f"Port {port} on {host} can't be opened ({error.strerror or error}). "
                f"Another program may be using it: stop that, or choose another with --port {port + 1}."
            ) from error


def _open_when_up(url: str) -> None:
    until = time.monotonic() + UP_WAIT_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url + "healthz", timeout=2):  # noqa: S310  our own address
                webbrowser.open(url)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)


def serve(workspace: Workspace, *, host: str, port: int, workers: int, open_browser: bool) -> None:
    """Serve until interrupted.

    Raises
    ------
    WrongUseError
        The port is taken.
    """
    check_port(host, port)
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104  compared, not bound
    url = f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"

    def when_ready(_server: Any) -> None:
        print(f"Dashboard: {url}   (Ctrl-C stops it)", flush=True)
        if open_browser:
            threading.Thread(target=_open_when_up, args=(url,), daemon=True).start()

    def worker_exit(_server: Any, _worker: Any) -> None:
        # A worker only reads. Ending here spares the engine's threads the interpreter's teardown, which aborts them.
        os._exit(0)

    _Service(
        workspace,
        {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": workers,
            "threads": THREADS_PER_WORKER,
            "worker_class": "gthread",
            "preload_app": False,
            "loglevel": "warning",
            "graceful_timeout": 3,
            "timeout": 60,
            "when_ready": when_ready,
            "worker_exit": worker_exit,
            "proc_name": "dtm-dashboard",
        },
    ).run()

"""Serve the dashboard: files of the release by address, headers that keep it closed, several workers."""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import brotli
from flask import Flask, Response, abort, request

from dashboard.app import create_app
from dashboard.labels import style
from dashboard.serving import address_of, close_server, run
from dashboard.words import LANGUAGES, Words
from dtm.released import DATABASE_FILE

if TYPE_CHECKING:
    from pathlib import Path

    from dashboard.reader import Reader
    from dtm.workspace import Workspace

FILES_KEPT = 64
BROTLI_QUALITY = 5
YEAR_S = 31_536_000
_NAME = re.compile(r"[\w][\w.+-]{0,127}")


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
    server = close_server(app)
    add_routes(server, workspace, app.dtm_reader)
    # Dash learns which scripts it may serve when it first writes the page. A worker that is asked for a script before
    # it was asked for the page would refuse it, so each writes the page once for itself.
    server.test_client().get("/")
    return server


def serve(workspace: Workspace, *, host: str, port: int, workers: int, open_browser: bool) -> None:
    """Serve until interrupted.

    Raises
    ------
    WrongUseError
        The port is taken.
    """
    url = address_of(host, port)
    run(
        partial(build_server, workspace),
        host=host,
        port=port,
        workers=workers,
        name="dtm-dashboard",
        greeting=f"Dashboard: {url}   (Ctrl-C stops it)",
        browser_url=url if open_browser else None,
    )

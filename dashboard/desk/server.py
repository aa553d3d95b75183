"""Serve the desk on this machine alone: one process, its sheets and shapes by address, a key to come in."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING

from flask import Flask, Response, abort

from dashboard.desk.access import HOST, Access, guard
from dashboard.desk.app import create_desk
from dashboard.desk.files import REQUEST_MAXIMUM_BYTES
from dashboard.desk.notices import is_told, stopped, text_of
from dashboard.desk.units import area_collection, district_collection, style
from dashboard.serving import close_server, run
from dashboard.words import LANGUAGES, Words
from dtm.desk import Desk
from dtm.errors import UnknownRoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dashboard.desk.app import Boards
    from dashboard.desk.board import RoundDesk
    from dtm.workspace import Workspace

STOP_WAIT_S = 60
"""An import under way may end before the desk stops."""
_PCODE = re.compile(r"[A-Z]{2}[0-9]{2,10}")
DONE, NOT_FOUND, FAILED, BUSY = 200, 404, 500, 503
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _answer(words: Words, mimetype: str, make: Callable[[], str | bytes]) -> Response:
    """Answer with what the desk makes; where it can't now, say why in a sentence."""
    try:
        return Response(make(), mimetype=mimetype)
    except Exception as error:  # noqa: BLE001  told in a sentence; what nobody foresaw is logged
        stopped(error, words)
        status = NOT_FOUND if isinstance(error, UnknownRoundError) else BUSY if is_told(error) else FAILED
        return Response(text_of(error, words), status=status, mimetype="text/plain")


def _words(lang: str) -> Words:
    if lang not in LANGUAGES:
        abort(404)
    return Words(lang)


def _sheet(words: Words, name: str, mimetype: str, make: Callable[[], str | bytes]) -> Response:
    """Answer with a file to keep, which may run nothing."""
    response = _answer(words, mimetype, make)
    if response.status_code == DONE:
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    return response


def _text(document: object) -> str:
    return json.dumps(document, ensure_ascii=False)


def _style_text(boards: Boards, number: int, words: Words) -> str:
    return _text(style(boards.last(number), boards.shapes(number), words))


def add_routes(server: Flask, desk: RoundDesk, boards: Boards) -> None:
    """Serve the map's shapes, the sheets to download, and say that the server is up."""

    @server.get("/healthz")
    def _health() -> Response:
        return Response("ok", mimetype="text/plain")

    @server.get("/desk/<kind>-<int:number>.geojson")
    def _shapes(kind: str, number: int) -> Response:
        draw = {"areas": area_collection, "districts": district_collection}.get(kind)
        if draw is None:
            abort(404)
        return _answer(Words("en"), "application/geo+json", lambda: _text(draw(boards.shapes(number))))

    @server.get("/desk/style-<int:number>-<lang>.json")
    def _style(number: int, lang: str) -> Response:
        words = _words(lang)
        make = partial(_style_text, boards, number, words)
        return _answer(words, "application/json", make)

    @server.get("/desk/template-<int:number>-<lang>.xlsx")
    def _template(number: int, lang: str) -> Response:
        words, name = _words(lang), f"cleaning-round-{number:02d}.xlsx"
        return _sheet(words, name, WORKBOOK, lambda: desk.template(number, language=lang))

    @server.get("/desk/feedback-<int:number>-<pcode>-<lang>.html")
    def _feedback(number: int, pcode: str, lang: str) -> Response:
        words, name = _words(lang), f"feedback-round-{number:02d}-{pcode}-{lang}.html"
        if not _PCODE.fullmatch(pcode):
            abort(404)
        return _sheet(words, name, "text/html", lambda: desk.feedback(number, pcode, language=lang))


def build_server(workspace: Workspace, access: Access, *, desk: RoundDesk | None = None) -> Flask:
    """Build the web application of a workspace's desk."""
    served: RoundDesk = Desk(workspace) if desk is None else desk
    app, boards = create_desk(workspace, served)
    server = close_server(app)
    server.config["MAX_CONTENT_LENGTH"] = REQUEST_MAXIMUM_BYTES
    guard(server, access)
    add_routes(server, served, boards)
    # Dash learns which scripts it may serve when it first writes the page; see dashboard/server.py.
    client = server.test_client()
    client.set_cookie(access.cookie_name, access.cookie_value, domain=HOST)
    client.get("/", base_url=f"http://{HOST}:{access.port}")
    return server


def serve(workspace: Workspace, *, port: int, open_browser: bool) -> None:
    """Serve until interrupted.

    Raises
    ------
    WrongUseError
        The port is taken.
    """
    access = Access(port)
    run(
        partial(build_server, workspace, access),
        host=HOST,
        port=port,
        workers=1,
        name="dtm-desk",
        greeting=f"Round desk: {access.address(access.key)}\n"
        "The address lets in whoever has it and shows unsuppressed data: keep it to yourself. Ctrl-C stops the desk.",
        browser_url=access.address(access.launch_key) if open_browser else None,
        stop_wait_s=STOP_WAIT_S,
    )

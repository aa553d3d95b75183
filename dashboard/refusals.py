"""Say in both languages why a request is not answered: who asks outside a page has chosen none."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from flask import Response
from werkzeug.exceptions import HTTPException

from dashboard.words import DEFAULT_LANGUAGE, LANGUAGES, Words

if TYPE_CHECKING:
    from flask import Flask

Both = tuple[tuple[str, str], ...]
"""A word in each language, as pairs of language and text."""
NOT_FOUND, NOT_TAKEN, TOO_LARGE, FAILED = 404, 405, 413, 500


def both_words(key: str) -> Both:
    """Return a word in each language."""
    return tuple((lang, Words(lang)(key)) for lang in LANGUAGES)


def _tagged(told: Both, tag: str, between: str = "") -> str:
    return between.join(f'<{tag} lang="{lang}">{escape(text)}</{tag}>' for lang, text in told)


def plain_page(title: Both, told: Both, *, status: int, leads_to: str = "") -> Response:
    """Return a page without scripts; where it leads on, the browser goes there by itself."""
    head = f'<meta http-equiv="refresh" content="0; url={leads_to}">' if leads_to else ""
    body = f'<a href="{leads_to}">{_tagged(told, "p")}</a>' if leads_to else _tagged(told, "p")
    page = (
        f'<!DOCTYPE html><html lang="{DEFAULT_LANGUAGE}"><head><meta charset="utf-8">{head}'
        f"<title>{escape(' · '.join(text for _, text in title))}</title></head>"
        f"<body><main><h1>{_tagged(title, 'span', ' · ')}</h1>{body}</main></body></html>"
    )
    return Response(page, status=status, mimetype="text/html")


def _why(status: int) -> Both:
    if status == NOT_FOUND:
        return both_words("refused.not_found")
    if status == NOT_TAKEN:
        return both_words("desk.refused.method")
    if status == TOO_LARGE:
        return both_words("refused.too_large")
    return both_words("refused.failed") if status >= FAILED else both_words("refused.unread")


def register_refusals(server: Flask) -> None:
    """Answer every error of HTTP with a sentence in both languages."""

    @server.errorhandler(HTTPException)
    def _refused(error: HTTPException) -> Response | HTTPException:
        if error.code is None or error.code < 400:  # noqa: PLR2004  a redirect is no error
            return error
        return plain_page(both_words("refused.title"), _why(error.code), status=error.code)

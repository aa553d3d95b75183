"""Tell calmly what happened: a result, a refusal, a busy warehouse; never a traceback."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from dash import html

from dtm.engine import EngineError, is_disk_full
from dtm.messages import in_language, message

if TYPE_CHECKING:
    from dashboard.words import Words

log = logging.getLogger(__name__)


def notice(text: str, *, kind: str = "info", more: Any = None) -> html.Div:
    """Return a message: `info`, `done` or `stop`; more stands below it."""
    children = [html.P(text, className="desk-notice-text")]
    if more is not None:
        children.append(more)
    return html.Div(children, className=f"desk-notice desk-notice-{kind}")


def is_ours(error: BaseException) -> bool:
    """Return whether an error says in words of ours what is wrong: such have an exit code."""
    return hasattr(error, "exit_code")


def is_told(error: BaseException) -> bool:
    """Return whether an error is a fact for the user: one of ours, or of the database or the system."""
    return is_ours(error) or isinstance(error, (EngineError, OSError))


def text_of(error: BaseException, words: Words) -> str:
    """Return an error in the reader's words."""
    if is_ours(error):
        return in_language(error, words.lang)
    if is_disk_full(error):
        return in_language(message("disk_full", error=error), words.lang)
    if isinstance(error, EngineError):
        return words("desk.engine_stopped")
    if isinstance(error, OSError):
        return words("desk.system_stopped")
    return words("desk.unexpected")


def stopped(error: Exception, words: Words) -> html.Div:
    """Return the notice of an error; one that says nothing in words of ours is written to the terminal too."""
    if not is_ours(error):
        log.error("The round desk stopped on something unforeseen", exc_info=error)
    return notice(text_of(error, words), kind="stop")

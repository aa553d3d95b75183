"""Tell calmly what happened: a result, a refusal, a busy warehouse; never a traceback."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from dash import html

from dtm.engine import EngineError, is_disk_full
from dtm.errors import DiskFullError, DtmError, WarehouseBusyError

if TYPE_CHECKING:
    from dashboard.words import Words

log = logging.getLogger(__name__)


def notice(text: str, *, kind: str = "info", more: Any = None) -> html.Div:
    """Return a message: `info`, `done` or `stop`; more stands below it."""
    children = [html.P(text, className="desk-notice-text")]
    if more is not None:
        children.append(more)
    return html.Div(children, className=f"desk-notice desk-notice-{kind}")


def is_told(error: BaseException) -> bool:
    """Return whether an error is a fact for the user: ours say so by their exit code."""
    return isinstance(error, (DtmError, EngineError, OSError)) or hasattr(error, "exit_code")


def text_of(error: BaseException, words: Words) -> str:
    """Return an error in the reader's words."""
    if isinstance(error, WarehouseBusyError):
        return words("desk.busy")
    if isinstance(error, DiskFullError) or is_disk_full(error):
        return words("desk.disk_full")
    if isinstance(error, EngineError):
        return words("desk.engine_stopped", message=str(error).splitlines()[0])
    if is_told(error):
        return str(error)
    return words("desk.unexpected")


def stopped(error: Exception, words: Words) -> html.Div:
    """Return the notice of an error; one that nobody foresaw is written to the terminal too."""
    if not is_told(error):
        log.error("The round desk stopped on something unforeseen", exc_info=error)
    return notice(text_of(error, words), kind="stop")

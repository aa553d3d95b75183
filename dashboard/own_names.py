"""Give charts and maps names of their buttons in the page's language: the libraries draw them in English."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dash import html

if TYPE_CHECKING:
    from dashboard.words import Words


def own_names(words: Words) -> html.Div:
    """Return what `assets/names.js` reads: each name that a library gives, with what the page says instead."""
    names = {
        "Zoom": words("button.zoom"),
        "Pan": words("button.pan"),
        "Zoom in": words("button.zoom_in"),
        "Zoom out": words("button.zoom_out"),
        "Autoscale": words("button.autoscale"),
        "Reset axes": words("button.reset_axes"),
        "Reset view": words("button.reset_view"),
        "Map": words("button.map"),
        "Toggle attribution": words("button.attribution"),
    }
    return html.Div(id="own-names", hidden=True, **{"data-names": json.dumps(names, ensure_ascii=False)})

"""Assemble the dashboard: one layout, five pages, the address decides what is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html

from dashboard import parts
from dashboard.own_names import own_names
from dashboard.pages import accounts, data, flows, ger, hazards, overview
from dashboard.pages.common import register_collect
from dashboard.reader import Reader, Snapshot
from dashboard.state import View, view_from_mapping, view_from_search
from dashboard.words import Words
from dtm.errors import DtmError, NoReleaseError
from dtm.messages import in_language

if TYPE_CHECKING:
    from dtm.workspace import Workspace

LAYOUTS = {
    "overview": overview.layout,
    "flows": flows.layout,
    "accounts": accounts.layout,
    "ger": ger.layout,
    "hazards": hazards.layout,
    "data": data.layout,
}
FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"
INDEX = """<!DOCTYPE html>
<html lang="mn">
<head>
{%metas%}
<title>{%title%}</title>
{%favicon%}
{%css%}
</head>
<body>
<p class="loading" role="status">Ачаалж байна… · <span lang="en">Loading…</span></p>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


def create_app(workspace: Workspace) -> Dash:
    """Build the app; nothing is opened until the first request, so that it may be forked."""
    reader = Reader(workspace)
    app = Dash(
        __name__,
        title=workspace.settings.title_mn,
        update_title=None,
        suppress_callback_exceptions=True,
        serve_locally=True,
        compress=True,
        index_string=INDEX,
        assets_ignore=r"desk\..*",
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.layout = dmc.MantineProvider(
        [
            dcc.Location(id="url", refresh="callback-nav"),
            dcc.Store(id="view"),
            html.Div(id="root", className="root"),
        ],
        theme={"fontFamily": FONT, "primaryColor": "indigo", "primaryShade": 9},
        forceColorScheme="light",
    )
    _register_shell(app, reader, workspace)
    register_collect(app)
    for page in (overview, flows, accounts, ger, hazards):
        page.register(app, reader.current)
    app.dtm_reader = reader
    return app


def page_of(pathname: str | None) -> str:
    """Return the page of an address; an unknown one is the first page."""
    path = (pathname or "/").rstrip("/") or "/"
    return next((name for name, own in parts.PAGES.items() if own == path), "overview")


def _register_shell(app: Dash, reader: Reader, workspace: Workspace) -> None:
    @app.callback(Output("root", "children"), Input("url", "pathname"), Input("url", "search"))
    def _render(pathname: str | None, search: str | None) -> Any:
        view, page = view_from_search(search), page_of(pathname)
        words = Words(view.lang)
        try:
            snapshot = reader.current()
        except NoReleaseError:
            return no_release(workspace, view, page, words)
        except DtmError as error:
            return stopped(workspace, view, page, words, why=in_language(error, words.lang))
        if snapshot.rounds.empty:
            return no_release(workspace, view, page, words)
        return shell(workspace, snapshot, view, page, words)

    app.clientside_callback(
        ClientsideFunction("dtm", "links"),
        Output({"type": "nav", "path": ALL}, "href"),
        Output({"type": "language", "lang": ALL}, "href"),
        Input("view", "data"),
        State({"type": "nav", "path": ALL}, "id"),
        State({"type": "language", "lang": ALL}, "id"),
        prevent_initial_call=True,
    )

    @app.callback(Output("footer", "children"), Input("view", "data"), prevent_initial_call=True)
    def _footer(current: dict[str, Any] | None) -> Any:
        view = view_from_mapping((current or {}).get("view") or {})
        snapshot = reader.current()
        return parts.footer(snapshot, Words(view.lang), round_number=snapshot.round_or_last(view.round))


def title_of(workspace: Workspace, words: Words) -> str:
    """Return the deployment's own title."""
    return workspace.settings.title_mn if words.lang == "mn" else workspace.settings.title_en


def shell(workspace: Workspace, snapshot: Snapshot, view: View, page: str, words: Words) -> list[Any]:
    """Return the whole page around its content."""
    return [
        html.A(words("nav.skip"), href="#main", className="skip-link"),
        own_names(words),
        parts.header(view, page, words, title=title_of(workspace, words)),
        *([parts.provisional(words)] if snapshot.release.manifest.get("is_provisional") else []),
        *([parts.banner(words)] if snapshot.release.is_demonstration else []),
        html.Main(
            [html.H1(words(f"page.{page}"), className="page-title"), *LAYOUTS[page](snapshot, view, words)],
            id="main",
            tabIndex=-1,
            lang=words.lang,
        ),
        html.Footer(
            parts.footer(snapshot, words, round_number=snapshot.round_or_last(view.round)),
            id="footer",
            className="footer",
        ),
    ]


def no_release(workspace: Workspace, view: View, page: str, words: Words) -> list[Any]:
    """Return what to run when the workspace has no release."""
    steps = (
        ("empty.areas", "dtm areas load khoroos.geojson --area-set khoroo --level 3 --valid-from 2022-01-01"),
        ("empty.round", "dtm round open --number 1 --from 2026-03-01 --to 2026-03-14 --area-set khoroo"),
        ("empty.returns", "dtm returns import returns.xlsx"),
        ("empty.release", "dtm release"),
    )
    return [
        parts.header(view, page, words, title=title_of(workspace, words)),
        html.Main(
            [
                html.Section(
                    [
                        html.H1(words("empty.title"), className="panel-title"),
                        html.P(words("empty.explain", folder=workspace.path.name or str(workspace.path))),
                        html.Ol([html.Li([words(key), html.Pre(command)]) for key, command in steps]),
                        html.P([words("empty.demo"), html.Pre("dtm demo demo-workspace")]),
                        html.P(words("empty.reload")),
                    ],
                    className="panel empty",
                )
            ],
            id="main",
            tabIndex=-1,
            lang=words.lang,
        ),
    ]


def stopped(workspace: Workspace, view: View, page: str, words: Words, *, why: str) -> list[Any]:
    """Return why the release can't be read."""
    title = html.H1(words("stopped.title"), className="panel-title")
    return [
        parts.header(view, page, words, title=title_of(workspace, words)),
        html.Main(html.Section([title, html.P(why)], className="panel empty"), id="main", lang=words.lang),
    ]

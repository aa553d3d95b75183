"""Assemble the desk: the address decides language and round, everything else is asked of the desk anew."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from dashboard.app import FONT, INDEX
from dashboard.desk import files, finding_table, layout, round_head, units
from dashboard.desk.acting import register_acting
from dashboard.desk.board import Board, board_from
from dashboard.desk.notices import stopped, text_of
from dashboard.state import WIDTH_DEFAULT_PX, WIDTH_MAXIMUM_PX
from dashboard.words import LANGUAGES, Words

if TYPE_CHECKING:
    import geopandas as gpd

    from dashboard.desk.board import RoundDesk
    from dtm.workspace import Workspace

ASSETS = Path(__file__).parents[1] / "assets"
WIDTH_MINIMUM_PX = 200
FILTERS = {
    "severity": Input("desk-severity", "value"),
    "code": Input("desk-code", "value"),
    "pcode": Input("desk-area", "value"),
    "state": Input("desk-state-filter", "value"),
    "query": Input("desk-query", "value"),
}


class Boards:
    """What was read last of each round; a click on the map is answered from it, a refresh reads anew."""

    def __init__(self, desk: RoundDesk) -> None:
        self._desk = desk
        self._boards: dict[int, Board] = {}
        self._shapes: dict[int, gpd.GeoSeries] = {}
        self._lock = threading.Lock()

    def read(self, number: int) -> Board:
        """Return the round as it is now."""
        board = board_from(self._desk.status(number))
        with self._lock:
            self._boards[number] = board
        return board

    def last(self, number: int) -> Board:
        """Return the round as it was read last."""
        with self._lock:
            known = self._boards.get(number)
        return self.read(number) if known is None else known

    def shapes(self, number: int) -> gpd.GeoSeries:
        """Return the khoroos' shapes by P-code, WGS84: read once, a round keeps the areas it was opened with."""
        with self._lock:
            if number not in self._shapes:
                self._shapes[number] = self._desk.areas(number).set_index("pcode").geometry
            return self._shapes[number]


def create_desk(workspace: Workspace, desk: RoundDesk) -> tuple[Dash, Boards]:
    """Build the app of a desk; nothing is opened until the first request."""
    app = Dash(
        __name__,
        title=Words("")("desk.title"),
        update_title=None,
        suppress_callback_exceptions=True,
        serve_locally=True,
        compress=True,
        index_string=INDEX,
        assets_folder=str(ASSETS),
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.layout = dmc.MantineProvider(
        [dcc.Location(id="url", refresh="callback-nav"), html.Div(id="root", className="root")],
        theme={"fontFamily": FONT, "primaryColor": "indigo", "primaryShade": 9},
        forceColorScheme="light",
    )
    boards = Boards(desk)
    _register_shell(app, workspace, desk)
    _register_board(app, boards)
    _register_findings(app, desk)
    _register_files(app, desk)
    register_acting(app, desk)
    return app, boards


def asked_for(search: str | None) -> tuple[str, int | None]:
    """Return language and round of an address; what has no meaning falls back to the usual."""
    values = {name: found[-1] for name, found in parse_qs((search or "").lstrip("?")).items()}
    lang = values.get("lang", "")
    number = values.get("round", "")
    return (lang if lang in LANGUAGES else Words("").lang), (int(number) if number.isdecimal() else None)


def _register_shell(app: Dash, workspace: Workspace, desk: RoundDesk) -> None:
    @app.callback(Output("root", "children"), Input("url", "search"))
    def _render(search: str | None) -> Any:
        lang, wanted = asked_for(search)
        words = Words(lang)
        try:
            rounds = desk.rounds()
        except Exception as error:  # noqa: BLE001  told on the page; what nobody foresaw is logged
            stopped(error, words)
            return layout.unreadable(workspace, text_of(error, words), words)
        known = [int(entry["number"]) for entry in rounds]
        number = wanted if wanted in known else known[-1] if known else None
        return layout.shell(workspace, rounds, words, number=number)

    app.clientside_callback(
        ClientsideFunction("desk", "go_to_round"),
        Output("url", "search"),
        Input("desk-round", "value"),
        State("desk-view", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("desk", "start"),
        Output("desk-screen", "data"),
        Input("desk-view", "data"),
        State("desk-upload-limit", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("desk", "refresh"),
        Output("desk-tick", "data"),
        Input("desk-refresh", "n_clicks"),
        State("desk-tick", "data"),
        prevent_initial_call=True,
    )


def _width(data: Any) -> int:
    value = (data or {}).get("width")
    return value if isinstance(value, int) and WIDTH_MINIMUM_PX <= value <= WIDTH_MAXIMUM_PX else WIDTH_DEFAULT_PX


def _register_board(app: Dash, boards: Boards) -> None:
    board_outputs = {
        "notice": Output("desk-notice", "children"),
        "fresh": Output("desk-fresh", "children"),
        "state": Output("desk-state", "children"),
        "steps": [Output(f"desk-step-{step}", "hidden") for step in round_head.MOVES],
        "cards": Output("desk-cards", "children"),
        "map": Output("desk-map", "figure"),
        "progress": Output("desk-progress", "figure"),
        "districts": Output("desk-districts", "children"),
        "roles": Output("desk-roles", "children"),
        "training": Output("desk-training", "children"),
        "missing": Output("desk-missing", "rowData"),
        "missing_note": Output("desk-missing-note", "children"),
        "codes": Output("desk-code", "data"),
        "areas": Output("desk-area", "data"),
        "feedback": Output("desk-feedback-area", "data"),
    }

    @app.callback(
        output=board_outputs,
        inputs={
            "tick": Input("desk-tick", "data"),
            "area": Input("desk-area", "value"),
            "screen": Input("desk-screen", "data"),
        },
        state={"view": State("desk-view", "data")},
    )
    def _board(tick: int, area: str | None, view: dict[str, Any], screen: dict[str, Any] | None) -> dict[str, Any]:  # noqa: ARG001
        words = Words(view["lang"])
        try:
            number = int(view["round"])
            board = boards.last(number) if ctx.triggered_id == "desk-area" else boards.read(number)
            drawn = boards.shapes(number)
        except Exception as error:  # noqa: BLE001  told on the page; what nobody foresaw is logged
            nothing = dict.fromkeys(board_outputs, no_update)
            return nothing | {"notice": stopped(error, words), "steps": [no_update for _ in round_head.MOVES]}
        return board_parts(board, drawn, words, area=area or "", width=_width(screen))


def board_parts(board: Board, drawn: gpd.GeoSeries, words: Words, *, area: str, width: int) -> dict[str, Any]:
    """Return everything the page shows of a round but its findings."""
    chosen = "" if area == finding_table.ALL else area
    missing = units.missing_rows(board, words, pcode=chosen)
    areas = finding_table.area_options(board, words)
    return {
        "notice": None,
        "fresh": words("desk.fresh", time=f"{datetime.now().astimezone():%H:%M:%S}"),
        "state": round_head.state(board, words),
        "steps": round_head.hidden_steps(board),
        "cards": round_head.cards(board, words),
        "map": units.map_figure(board, drawn, words, chosen=chosen, window_px=width),
        "progress": units.progress_figure(board, words),
        "districts": units.districts(board, words),
        "roles": units.roles(board, words),
        "training": units.training(board, words),
        "missing": missing,
        "missing_note": units.missing_note(board, words, shown=len(missing)),
        "codes": finding_table.code_options(board, words),
        "areas": [{"value": finding_table.ALL, "label": words("desk.all_areas")}, *areas],
        "feedback": areas,
    }


def _register_findings(app: Dash, desk: RoundDesk) -> None:
    app.clientside_callback(
        ClientsideFunction("dtm", "pick"),
        Output("desk-area", "value"),
        Input("desk-map", "clickData"),
        State("desk-area", "value"),
        prevent_initial_call=True,
    )

    @app.callback(
        output={
            "rows": Output("desk-findings", "rowData"),
            "chosen": Output("desk-findings", "selectedRows"),
            "pager": Output("desk-pager", "children"),
            "page": Output("desk-page", "data"),
            "total": Output("desk-total", "data"),
            "back": Output("desk-previous", "disabled"),
            "on": Output("desk-next", "disabled"),
            "everything": Output("desk-everything", "label"),
            "all": Output("desk-everything", "checked"),
        },
        inputs={
            "tick": Input("desk-tick", "data"),
            "values": FILTERS,
            "back": Input("desk-previous", "n_clicks"),
            "on": Input("desk-next", "n_clicks"),
        },
        state={"page": State("desk-page", "data"), "view": State("desk-view", "data")},
    )
    def _findings(page: int | None, view: dict[str, Any], values: dict[str, Any], **_clicks: Any) -> dict[str, Any]:
        words = Words(view["lang"])
        moved = {"desk-previous": -1, "desk-next": 1, "desk-tick": 0}.get(str(ctx.triggered_id))
        wanted = 0 if moved is None else max(0, (page or 0) + moved)
        return finding_parts(desk, int(view["round"]), finding_table.choice_from(values), words, page=wanted)


def finding_parts(
    desk: RoundDesk, number: int, choice: finding_table.Choice, words: Words, *, page: int
) -> dict[str, Any]:
    """Return a page of findings and what stands around it; the last page where the wanted one is gone."""
    try:
        frame, total, cut = finding_table.read_page(desk, number, choice, page=page)
        last = max(0, (total - 1) // finding_table.PAGE_ROWS)
        if page > last:
            page = last
            frame, total, cut = finding_table.read_page(desk, number, choice, page=page)
    except Exception as error:  # noqa: BLE001  told on the page; what nobody foresaw is logged
        stopped(error, words)
        rows, total, pager, last, page = [], 0, text_of(error, words), 0, 0
    else:
        rows, pager = finding_table.rows(frame, words), finding_table.pager_text(total, page, words, cut=cut)
    return {
        "rows": rows,
        "chosen": [],
        "pager": pager,
        "page": page,
        "total": total,
        "back": page == 0,
        "on": page >= last,
        "everything": words("desk.everything", total=words.number(total)),
        "all": False,
    }


def _register_files(app: Dash, desk: RoundDesk) -> None:
    app.clientside_callback(
        ClientsideFunction("desk", "take_files"),
        Output("desk-upload-taken", "data"),
        Output("desk-upload", "contents"),
        Output("desk-upload-report", "children", allow_duplicate=True),
        Input("desk-upload", "contents"),
        State("desk-upload", "filename"),
        State("desk-upload-limit", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("desk", "feedback_link"),
        Output("desk-feedback-link", "href"),
        Output("desk-feedback-link", "hidden"),
        Input("desk-feedback-area", "value"),
        State("desk-view", "data"),
    )

    @app.callback(
        Output("desk-upload-report", "children"),
        Output("desk-tick", "data", allow_duplicate=True),
        Input("desk-upload-taken", "data"),
        State("desk-upload-round", "value"),
        State("desk-view", "data"),
        State("desk-tick", "data"),
        running=[
            (Output("desk-upload-busy", "className"), "desk-busy", "desk-idle"),
            (Output("desk-upload", "disabled"), True, False),
        ],
        prevent_initial_call=True,
    )
    def _import(taken: dict[str, Any] | None, chosen: str | None, view: dict[str, Any], tick: int) -> Any:
        if not taken:
            return no_update, no_update
        number = int(view["round"]) if chosen and chosen != files.TOLD else None
        pairs = list(zip(taken["names"], taken["contents"], strict=True))
        told, changed = files.import_files(desk, pairs, Words(view["lang"]), number=number)
        return told, (tick or 0) + 1 if changed else no_update

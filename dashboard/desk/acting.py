"""Connect the buttons: a click asks, the dialog confirms, the desk does it, the page tells and looks again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Input, Output, State, ctx, no_update

from dashboard.desk import deciding, finding_table
from dashboard.desk.notices import notice, stopped
from dashboard.words import Words

if TYPE_CHECKING:
    from dash import Dash

    from dashboard.desk.board import RoundDesk

STEP_PREFIX = "desk-step-"
DO_PREFIX = "desk-do-"
BUTTONS = (
    *(f"{DO_PREFIX}{name}" for name in deciding.DECISIONS),
    f"{DO_PREFIX}edit",
    *(f"{STEP_PREFIX}{name}" for name in deciding.STEPS),
)
EDIT_STATE = {name: State(f"desk-edit-{name}", "value") for name in (*deciding.EDIT_FIELDS, "reason")}
FILTER_STATE = {
    "severity": State("desk-severity", "value"),
    "code": State("desk-code", "value"),
    "pcode": State("desk-area", "value"),
    "state": State("desk-state-filter", "value"),
    "query": State("desk-query", "value"),
}


def task_of(desk: RoundDesk, button: str, now: dict[str, Any]) -> deciding.Task:
    """Build the task of a click from what the page's fields hold.

    Raises
    ------
    IncompleteError
        Something is still needed.
    """
    number, who = int(now["view"]["round"]), now["who"]
    if button.startswith(STEP_PREFIX):
        step = button.removeprefix(STEP_PREFIX)
        return deciding.step_task(step, number=number, who=who, reason=now["step_reason"])
    action = button.removeprefix(DO_PREFIX)
    if action == "edit":
        return deciding.edit_task(number=number, who=who, reason=now["edit"]["reason"], values=now["edit"])
    if now["everything"] and deciding.too_many(int(now["total"] or 0)):
        raise deciding.IncompleteError("desk.need.fewer")
    everything = finding_table.choice_from(now["filters"]) if now["everything"] else None
    return deciding.findings_task(
        desk, action, number=number, who=who, reason=now["reason"], chosen=now["chosen"], everything=everything
    )


def register_acting(app: Dash, desk: RoundDesk) -> None:
    """Connect the buttons of the round, of the findings and of the edit."""
    _register_asking(app, desk)
    _register_doing(app, desk)
    app.clientside_callback(
        ClientsideFunction("desk", "chosen"),
        Output("desk-chosen", "children"),
        Output("desk-edit-record", "value"),
        Output("desk-edit-field", "value"),
        Output("desk-edit-old", "value"),
        Output("desk-edit-new", "value"),
        Input("desk-findings", "selectedRows"),
        State("desk-chosen-words", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("desk", "shut"),
        Output("desk-dialog", "opened", allow_duplicate=True),
        Input("desk-cancel", "n_clicks"),
        prevent_initial_call=True,
    )


def _register_asking(app: Dash, desk: RoundDesk) -> None:
    @app.callback(
        output={
            "task": Output("desk-task", "data"),
            "opened": Output("desk-dialog", "opened"),
            "question": Output("desk-question", "children"),
            "result": Output("desk-result", "children"),
            "step_result": Output("desk-step-result", "children"),
        },
        inputs={"clicks": {button: Input(button, "n_clicks") for button in BUTTONS}},
        state={
            "now": {
                "view": State("desk-view", "data"),
                "who": State("desk-who", "value"),
                "reason": State("desk-reason", "value"),
                "step_reason": State("desk-step-reason", "value"),
                "chosen": State("desk-findings", "selectedRows"),
                "everything": State("desk-everything", "checked"),
                "total": State("desk-total", "data"),
                "filters": FILTER_STATE,
                "edit": EDIT_STATE,
            }
        },
        prevent_initial_call=True,
    )
    def _ask(clicks: dict[str, int | None], now: dict[str, Any]) -> dict[str, Any]:
        button, words = str(ctx.triggered_id), Words(now["view"]["lang"])
        nothing = dict.fromkeys(("task", "opened", "question", "result", "step_result"), no_update)
        if not clicks.get(button):
            return nothing
        place = "step_result" if button.startswith(STEP_PREFIX) else "result"
        try:
            task = task_of(desk, button, now)
        except deciding.IncompleteError as missing:
            return nothing | {place: notice(words(str(missing)), kind="stop")}
        except Exception as error:  # noqa: BLE001  told on the page; what nobody foresaw is logged
            return nothing | {place: stopped(error, words)}
        asked = {"task": task.to_dict(), "opened": True, "question": deciding.question(task, words)}
        return {**asked, "result": None, "step_result": None}


def _register_doing(app: Dash, desk: RoundDesk) -> None:
    @app.callback(
        output={
            "opened": Output("desk-dialog", "opened", allow_duplicate=True),
            "tick": Output("desk-tick", "data", allow_duplicate=True),
            "result": Output("desk-result", "children", allow_duplicate=True),
            "step_result": Output("desk-step-result", "children", allow_duplicate=True),
        },
        inputs={"confirmed": Input("desk-confirm", "n_clicks")},
        state={
            "task": State("desk-task", "data"),
            "tick": State("desk-tick", "data"),
            "view": State("desk-view", "data"),
        },
        running=[(Output("desk-confirm", "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def _do(confirmed: int | None, task: dict[str, Any] | None, tick: int, view: dict[str, Any]) -> dict[str, Any]:
        words = Words(view["lang"])
        nothing = dict.fromkeys(("opened", "tick", "result", "step_result"), no_update)
        if not confirmed or not task:
            return nothing
        wanted = deciding.task_from(task)
        place = "step_result" if wanted.action in deciding.STEPS else "result"
        try:
            told: Any = deciding.carry_out(desk, wanted, words)
        except Exception as error:  # noqa: BLE001  told on the page; what nobody foresaw is logged
            return nothing | {"opened": False, place: stopped(error, words)}
        return nothing | {"opened": False, "tick": (tick or 0) + 1, place: told}

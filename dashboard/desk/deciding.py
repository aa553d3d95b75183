"""Decide on findings and on the round: ask, confirm, do, tell."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import dcc, html

from dashboard.desk.finding_table import CHOSEN_MAXIMUM, Choice, read_all
from dashboard.desk.notices import notice
from dashboard.desk.round_head import REASON_MAXIMUM_CHARACTERS
from dtm.cleaning import Edit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboard.desk.board import RoundDesk
    from dashboard.words import Words

DECISIONS = ("waive", "take_back", "accept", "reject")
STEPS = {"end": "cleaning", "sign": "signed_off", "reopen": ""}
WITHOUT_REASON = ("take_back",)
VALUE_MAXIMUM_CHARACTERS = 1000
REFUSALS_SHOWN = 10
EDIT_FIELDS = ("record", "field", "old", "new")


@dataclass(frozen=True)
class Task:
    """A decision that waits for its confirmation."""

    action: str
    number: int
    who: str
    reason: str = ""
    ids: list[str] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    edit: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the task as a browser keeps it."""
        return asdict(self)


class IncompleteError(Exception):
    """Say what a decision still needs, by the key of its word."""


def task_from(values: Mapping[str, Any]) -> Task:
    """Build a task from what a browser kept."""
    return Task(
        action=str(values["action"]),
        number=int(values["number"]),
        who=str(values["who"]),
        reason=str(values["reason"]),
        ids=[str(value) for value in values["ids"]],
        records=[str(value) for value in values["records"]],
        edit={str(key): str(value) for key, value in values["edit"].items()},
    )


def _needed(value: Any, key: str) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise IncompleteError(key)
    return text


def findings_task(
    desk: RoundDesk,
    action: str,
    *,
    number: int,
    who: Any,
    reason: Any,
    chosen: list[Mapping[str, Any]] | None,
    everything: Choice | None,
) -> Task:
    """Build the task of a decision on findings; `everything` takes all of a filter instead of the chosen ones.

    Raises
    ------
    IncompleteError
        No name, no reason, nothing chosen, or nothing that has a return.
    """
    rows: list[Mapping[str, Any]] = list(chosen or [])
    name = _needed(who, "desk.need.who")
    if everything is not None:
        frame = read_all(desk, number, everything).rename(columns={"finding_id": "id"})
        rows = frame[["id", "record"]].astype(object).where(frame[["id", "record"]].notna(), "").to_dict("records")
    if not rows:
        raise IncompleteError("desk.need.chosen")
    why = "" if action in WITHOUT_REASON else _needed(reason, "desk.need.reason")
    records = sorted({str(row["record"]) for row in rows if row.get("record")})
    if action in {"accept", "reject"} and not records:
        raise IncompleteError("desk.need.record")
    return Task(action, number, name, why, [str(row["id"]) for row in rows], records)


def edit_task(*, number: int, who: Any, reason: Any, values: Mapping[str, Any]) -> Task:
    """Build the task of an edit.

    Raises
    ------
    IncompleteError
        No name, no reason, no record or no field.
    """
    name = _needed(who, "desk.need.who")
    edit = {key: str(values.get(key) or "").strip() for key in EDIT_FIELDS}
    _needed(edit["record"], "desk.need.one")
    _needed(edit["field"], "desk.need.field")
    if edit["old"] == edit["new"]:
        raise IncompleteError("desk.need.other")
    return Task("edit", number, name, _needed(reason, "desk.need.reason"), edit=edit)


def step_task(step: str, *, number: int, who: Any, reason: Any) -> Task:
    """Build the task of a step of the round.

    Raises
    ------
    IncompleteError
        No name, or no reason for reopening.
    """
    name = _needed(who, "desk.need.who")
    why = _needed(reason, "desk.need.reason") if step == "reopen" else str(reason or "").strip()
    return Task(step, number, name, why)


def question(task: Task, words: Words) -> list[Any]:
    """Return what is about to happen, for the dialog."""
    facts: dict[str, object] = {
        "number": task.number,
        "count": words.number(len(task.ids)),
        "returns": words.number(len(task.records)),
        **{name: task.edit.get(name) or words("desk.empty") for name in EDIT_FIELDS},
    }
    lines = [html.P(words(f"desk.ask.{task.action}", **facts))]
    terms = [html.Dt(words("desk.who")), html.Dd(task.who)]
    if task.reason:
        terms += [html.Dt(words("desk.reason")), html.Dd(task.reason)]
    return [*lines, html.Dl(terms, className="facts")]


def carry_out(desk: RoundDesk, task: Task, words: Words) -> html.Div:
    """Do it and tell the result."""
    if task.action == "waive":
        done: Any = desk.waive(task.number, task.ids, reason=task.reason, who=task.who)
    elif task.action == "take_back":
        done = desk.take_back(task.number, task.ids, who=task.who)
    elif task.action in {"accept", "reject"}:
        report = getattr(desk, task.action)(task.records, reason=task.reason, who=task.who)
        return cleaning_notice(report, words)
    elif task.action == "edit":
        return cleaning_notice(desk.edit([edit_of(task)]), words)
    elif task.action == "reopen":
        desk.reopen(task.number, who=task.who, reason=task.reason)
        return notice(words("desk.did.reopen", number=task.number), kind="done")
    else:
        desk.close(task.number, to=STEPS[task.action], who=task.who, reason=task.reason)
        return notice(words(f"desk.did.{task.action}", number=task.number), kind="done")
    return notice(words(f"desk.did.{task.action}", count=words.number(int(done))), kind="done")


def edit_of(task: Task) -> Edit:
    """Return the edit of a task; an empty field stands for an empty cell."""
    record, column, old, new = (task.edit[name] for name in EDIT_FIELDS)
    return Edit(record, column, old or None, new or None, task.reason, task.who)


def cleaning_notice(report: Mapping[str, Any], words: Words) -> html.Div:
    """Return what became of edits: all were written, or none and why."""
    if report["refused"]:
        found = report["findings"]
        why = [html.Li(str(finding[f"message_{words.lang}"])) for finding in found[:REFUSALS_SHOWN]]
        if len(found) > REFUSALS_SHOWN:
            why.append(html.Li(words("desk.did.more", count=words.number(len(found) - REFUSALS_SHOWN))))
        return notice(words("desk.did.refused"), kind="stop", more=html.Ul(why))
    facts = {key: words.number(report[key]) for key in ("edits", "unchanged")}
    facts |= {key: words.number(report[key], signed=True) for key in ("accepted", "quarantined")}
    return notice(words("desk.did.edits", **facts), kind="done")


def _button(name: str, words: Words, **more: Any) -> html.Button:
    return html.Button(
        words(f"desk.do.{name}"),
        id=f"desk-do-{name}",
        className="button",
        type="button",
        title=words(f"desk.why.{name}"),
        **more,
    )


def _input(identity: str, label: str, *, maximum: int = VALUE_MAXIMUM_CHARACTERS, **more: Any) -> dmc.TextInput:
    return dmc.TextInput(
        id=identity,
        label=label,
        value="",
        attributes={"input": {"maxLength": maximum}},
        size="sm",
        className="control",
        **more,
    )


def panel(words: Words) -> html.Div:
    """Return what can be done with the chosen findings."""
    return html.Div(
        [
            html.H3(words("desk.decide"), className="panel-title"),
            html.Div(
                [
                    html.Span(words("desk.chosen_none"), id="desk-chosen", role="status"),
                    dmc.Checkbox(id="desk-everything", label=words("desk.everything", total=0), checked=False),
                ],
                className="desk-chosen",
            ),
            html.Div(
                [
                    _input("desk-reason", words("desk.reason"), maximum=REASON_MAXIMUM_CHARACTERS,
                           description=words("desk.reason_finding"),
                           inputWrapperOrder=["label", "input", "description", "error"]),
                    html.Div([_button(name, words) for name in DECISIONS], className="desk-buttons"),
                ],
                className="desk-act",
            ),
            html.Details(
                [
                    html.Summary(words("desk.edit_title")),
                    html.P(words("desk.edit_how"), className="note note-above"),
                    html.Div(
                        [
                            _input("desk-edit-record", words("desk.record")),
                            _input("desk-edit-field", words("column.field")),
                            _input("desk-edit-old", words("desk.old")),
                            _input("desk-edit-new", words("desk.new")),
                            _input("desk-edit-reason", words("desk.reason"), maximum=REASON_MAXIMUM_CHARACTERS),
                            _button("edit", words),
                        ],
                        className="desk-act desk-edit",
                    ),
                ],
                id="desk-edit",
                className="desk-edit-fold",
            ),
            html.Div(id="desk-result", role="status"),
            dcc.Store(id="desk-task"),
            dcc.Store(
                id="desk-chosen-words",
                data={"none": words("desk.chosen_none"), "some": words("desk.chosen_some", count="{count}")},
            ),
        ],
        className="panel",
    )  # fmt: skip


def dialog(words: Words) -> dmc.Modal:
    """Return the dialog that asks before anything is written."""
    return dmc.Modal(
        id="desk-dialog",
        title=words("desk.confirm_title"),
        opened=False,
        centered=True,
        zIndex=3000,
        closeButtonProps={"aria-label": words("desk.cancel")},
        children=[
            html.Div(id="desk-question"),
            html.Div(
                [
                    html.Button(
                        words("desk.confirm"), id="desk-confirm", className="button button-main", type="button",
                        **{"data-autofocus": "true"},
                    ),
                    html.Button(words("desk.cancel"), id="desk-cancel", className="button", type="button"),
                ],
                className="desk-buttons",
            ),
        ],
    )  # fmt: skip


def too_many(total: int) -> bool:
    """Return whether a filter finds more than one decision may take."""
    return total > CHOSEN_MAXIMUM

"""Show a round's state, what stands in the way of the next, and the key figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import html

from dashboard import parts
from dashboard.desk.board import STATES
from dtm.finding_words import check_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboard.desk.board import Board
    from dashboard.words import Words

REASON_MAXIMUM_CHARACTERS = 500
MOVES = {"end": ("draft",), "sign": ("cleaning",), "reopen": ("signed_off", "released")}
"""Steps of a round by the states they are offered in."""


def panel(words: Words) -> html.Div:
    """Return the round's panel: state, obstacles, and the steps with their reason."""
    buttons = [
        html.Button(words(f"desk.step.{step}"), id=f"desk-step-{step}", className="button", type="button", hidden=True)
        for step in MOVES
    ]
    return html.Div(
        [
            html.Div(id="desk-state"),
            html.Div(
                [
                    dmc.TextInput(
                        id="desk-step-reason",
                        label=words("desk.reason"),
                        description=words("desk.reason_step"),
                        inputWrapperOrder=["label", "input", "description", "error"],
                        value="",
                        attributes={"input": {"maxLength": REASON_MAXIMUM_CHARACTERS}},
                        className="control desk-reason",
                        size="sm",
                    ),
                    html.Div(buttons, className="desk-buttons"),
                ],
                className="desk-act",
            ),
            html.Div(id="desk-step-result", role="status"),
        ],
        className="panel",
    )


def state(board: Board, words: Words) -> list[Any]:
    """Return the round's dates, the chain of states with the present one marked, and what stands in the way."""
    now = STATES.index(board.status)
    chain = [
        html.Li(
            words(f"desk.state.{name}"),
            className="desk-chain-here" if place == now else "desk-chain-done" if place < now else "",
            **({"aria-current": "step"} if place == now else {}),
        )
        for place, name in enumerate(STATES)
    ]
    title = words("desk.round_title", number=board.number, start=words.date(board.started_on),
                  end=words.date(board.ended_on))  # fmt: skip
    return [
        html.Div(
            [html.H3(title, className="panel-title"), html.Ol(chain, className="desk-chain")], className="desk-state"
        ),
        _obstacles(board, words),
        _history(board, words),
    ]


def _obstacles(board: Board, words: Words) -> Any:
    if board.status in {"signed_off", "released"}:
        return html.P(words(f"desk.after.{board.status}"), className="note")
    if not board.obstacles:
        return html.P(words("desk.nothing_stands"), className="note")
    items = [html.Li(_obstacle(row, words)) for row in board.obstacles]
    title = words("desk.stands", count=words.number(board.count("open", "error")))
    return html.Div([html.P(title, className="desk-stands-title"), html.Ul(items)], className="desk-stands")


def _obstacle(row: Mapping[str, Any], words: Words) -> list[Any]:
    what = check_words(row["code"], words.lang)
    told = words("desk.found_line", what=what, code=row["code"], count=words.number(row["open"]))
    example = row.get(f"example_{words.lang}")
    return [html.Strong(told), *([f" · {words('desk.example', text=example)}"] if example else [])]


def _history(board: Board, words: Words) -> Any:
    if not board.history:
        return html.Div()
    lines = [html.Li(_change(entry, words)) for entry in board.history]
    return html.Details([html.Summary(words("desk.history")), html.Ul(lines, className="desk-history")])


def _change(entry: Mapping[str, Any], words: Words) -> str:
    told = words(
        "desk.change", day=str(entry.get("changed_at") or "")[:16].replace("T", " "),
        state=words(f"desk.state.{entry['to_status']}"), who=entry.get("who") or words("desk.nobody"),
    )  # fmt: skip
    return f"{told} {entry['reason']}" if entry.get("reason") else told


def hidden_steps(board: Board) -> list[bool]:
    """Return for each step whether it has no meaning in the round's state."""
    return [board.status not in states for states in MOVES.values()]


def share(part: float, whole: float, words: Words) -> str:
    """Return a share in per cent, a dash of nothing."""
    return f"{words.number(100 * part / whole, decimals=1)}%" if whole else words.number(None)


def cards(board: Board, words: Words) -> list[html.Div]:
    """Return the key figures."""
    units = words("key.of", reported=words.number(board.units_received), expected=words.number(board.units_expected))
    trained, untrained = board.sent_by("trained"), board.sent_by("untrained")
    listed, sent = trained + untrained, trained + untrained + board.sent_by("unknown")
    key = "desk.key.trained_note" if listed else "desk.key.no_list"
    note = words(key, trained=words.number(trained), returns=words.number(sent))
    errors = board.count("open", "error")
    return [
        parts.card(words("desk.key.units"), share(board.units_received, board.units_expected, words), note=units,
                   accent="card-main"),
        parts.card(words("desk.key.returns"), words.number(board.returns), note=words("desk.key.returns_note")),
        parts.card(words("desk.key.errors"), words.number(errors), note=words("desk.key.errors_note"),
                   accent="card-stop" if errors else ""),
        parts.card(words("desk.key.warnings"), words.number(board.count("open", "warning")),
                   note=words("desk.key.warnings_note")),
        parts.card(words("desk.key.waived"), words.number(board.count("waived")), note=words("desk.key.waived_note")),
        parts.card(words("desk.key.trained"), share(trained, sent if listed else 0, words), note=note),
    ]  # fmt: skip

"""List the findings of a round a page at a time, by severity, code, khoroo, state and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
import pandas as pd
from dash import dcc, html

from dashboard import tables
from dtm.finding_words import check_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboard.desk.board import Board, RoundDesk
    from dashboard.words import Words

PAGE_ROWS = 100
SEARCHED_ROWS_MAXIMUM = 20_000
"""Findings that a search reads at most; the page says so when there are more."""
CHOSEN_MAXIMUM = 20_000
"""Findings that one decision may take at once."""
QUERY_MAXIMUM_CHARACTERS = 100
SEVERITIES = ("all", "error", "warning")
FINDING_STATES = ("open", "waived", "all")
ALL = "all"
WIDE_LIST_PX = 460
"""Checks are told in a sentence each."""
GRID_ARIA = ("ariaRowToggleSelection", "ariaRowSelectAll", "ariaRowSelect", "ariaRowDeselect", "ariaChecked",
             "ariaUnchecked", "ariaIndeterminate", "ariaHeaderSelection")  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """Which findings are asked for; an empty field asks for all."""

    severity: str = ""
    code: str = ""
    pcode: str = ""
    state: str = "open"
    query: str = ""

    def asked(self) -> dict[str, Any]:
        """Return the choice as the desk takes it."""
        return {
            "severity": self.severity or None,
            "code": self.code or None,
            "pcode": self.pcode or None,
            "state": self.state or None,
        }


def choice_from(values: Mapping[str, Any]) -> Choice:
    """Build a choice from what a browser sent; nonsense asks for all."""

    def text(name: str) -> str:
        value = values.get(name)
        return value[:QUERY_MAXIMUM_CHARACTERS] if isinstance(value, str) and value != ALL else ""

    severity, state = text("severity"), values.get("state")
    return Choice(
        severity=severity if severity in SEVERITIES else "",
        code=text("code"),
        pcode=text("pcode"),
        state={"waived": "waived", ALL: ""}.get(str(state), "open"),
        query=text("query").strip(),
    )


def read_page(desk: RoundDesk, number: int, choice: Choice, *, page: int) -> tuple[pd.DataFrame, int, bool]:
    """Return a page of findings, how many there are, and whether a search left some unread."""
    if not choice.query:
        frame, total = desk.findings(number, **choice.asked(), offset=page * PAGE_ROWS, limit=PAGE_ROWS)
        return frame, total, False
    frame, total = desk.findings(number, **choice.asked(), offset=0, limit=SEARCHED_ROWS_MAXIMUM)
    found = tables.matching(frame, choice.query)
    return found.iloc[page * PAGE_ROWS : (page + 1) * PAGE_ROWS], len(found), total > len(frame)


def read_all(desk: RoundDesk, number: int, choice: Choice) -> pd.DataFrame:
    """Return every finding of a choice, as many as one decision may take."""
    frame, _ = desk.findings(number, **choice.asked(), offset=0, limit=CHOSEN_MAXIMUM)
    return tables.matching(frame, choice.query)


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)


def rows(frame: pd.DataFrame, words: Words) -> list[dict[str, Any]]:
    """Return findings for the table, in the reader's language."""
    lang = words.lang
    found = []
    for row in frame.to_dict("records"):
        place = ", ".join(filter(None, (_text(row.get(f"district_{lang}")), _text(row.get(f"khoroo_{lang}")))))
        waived = words("desk.waived_by", who=_text(row["waived_who"]), reason=_text(row["waived_reason"]))
        found.append(
            {
                "id": str(row["finding_id"]),
                "severity": words(f"severity.{row['severity']}"),
                "is_error": row["severity"] == "error",
                "message": _text(row[f"message_{lang}"]),
                "place": place or _text(row.get("pcode")),
                "record": _text(row.get("record")),
                "file": _text(row.get("file_name")),
                "field": _text(row.get("field")),
                "value": _text(row.get("value")),
                "code": row["code"],
                "state": waived if row["state"] == "waived" else words("desk.finding.open"),
            }
        )
    return found


def pager_text(total: int, page: int, words: Words, *, cut: bool) -> str:
    """Return which findings are shown of how many."""
    if not total:
        return words("desk.no_findings")
    last = min(total, (page + 1) * PAGE_ROWS)
    shown = words(
        "desk.shown", first=words.number(page * PAGE_ROWS + 1), last=words.number(last), total=words.number(total)
    )
    return f"{shown} {words('desk.search_cut', limit=words.number(SEARCHED_ROWS_MAXIMUM))}" if cut else shown


def code_options(board: Board, words: Words) -> list[dict[str, str]]:
    """Return the codes found in the round, with how often each stands open."""
    entries = [
        {
            "value": str(row["code"]),
            "label": words("desk.code_option", what=check_words(row["code"], words.lang), code=row["code"],
                           open=words.number(row["open"]), waived=words.number(row["waived"])),
        }
        for row in sorted(board.codes, key=lambda row: (row.get("severity") != "error", -row["open"], row["code"]))
    ]  # fmt: skip
    return [{"value": ALL, "label": words("desk.all_codes")}, *entries]


def area_options(board: Board, words: Words) -> list[dict[str, str]]:
    """Return the khoroos to choose from."""
    return [{"value": pcode, "label": name} for pcode, name in sorted(board.area_names(words.lang).items())]


def _select(
    name: str, words: Words, *, label: str, data: list[dict[str, str]], value: str, wide: bool = False, **more: Any
) -> dmc.Select:
    width = {"width": WIDE_LIST_PX, "position": "bottom-start"} if wide else {}
    return dmc.Select(
        id=f"desk-{name}",
        label=label,
        data=data,
        value=value,
        allowDeselect=False,
        nothingFoundMessage=words("control.nothing_found"),
        comboboxProps={"zIndex": 2000, **width},
        className="control",
        size="sm",
        **more,
    )


def filters(words: Words) -> html.Div:
    """Return the filters above the table."""
    severities = [{"value": name, "label": words(f"desk.severity.{name}")} for name in SEVERITIES]
    states = [{"value": name, "label": words(f"desk.show.{name}")} for name in FINDING_STATES]
    return html.Div(
        [
            _select("severity", words, label=words("column.severity"), data=severities, value=ALL),
            _select("code", words, label=words("column.code"), value=ALL, searchable=True, limit=300, wide=True,
                    data=[{"value": ALL, "label": words("desk.all_codes")}]),
            _select("area", words, label=words("desk.khoroo"), value=ALL, searchable=True, limit=400,
                    data=[{"value": ALL, "label": words("desk.all_areas")}]),
            _select("state-filter", words, label=words("column.status"), data=states, value="open"),
            dmc.TextInput(id="desk-query", label=words("desk.search"), value="", debounce=350, size="sm",
                          attributes={"input": {"maxLength": QUERY_MAXIMUM_CHARACTERS}}, className="control"),
        ],
        className="desk-filters",
    )  # fmt: skip


def grid(words: Words) -> html.Div:
    """Return the table of findings; its pages come from the server."""
    plain = {"sortable": False, "filter": False}
    wrapped = {"wrapText": True, "autoHeight": True}
    table = tables.grid(
        "desk-findings",
        words,
        label=words("desk.section.findings"),
        height_px=520,
        columns=[
            tables.text_column("severity", words("column.severity"), minWidth=130, maxWidth=150, **plain,
                               cellClassRules={"desk-cell-error": "params.data.is_error"}),
            tables.text_column("message", words("column.what"), minWidth=340, flex=4, **plain, **wrapped),
            tables.text_column("place", words("desk.khoroo"), minWidth=150, flex=1.4, **plain, **wrapped),
            tables.text_column("record", words("desk.record"), minWidth=150, **plain),
            tables.text_column("field", words("column.field"), minWidth=140, **plain),
            tables.text_column("value", words("column.value"), minWidth=120, **plain, **wrapped),
            tables.text_column("state", words("column.status"), minWidth=130, flex=1.4, **plain, **wrapped),
            tables.text_column("file", words("column.file"), minWidth=150, **plain),
            tables.text_column("code", words("column.code"), minWidth=160, **plain),
        ],
    )  # fmt: skip
    table.children.dashGridOptions |= {
        "rowSelection": {"mode": "multiRow", "checkboxes": True, "headerCheckbox": True, "enableClickSelection": True},
        "selectionColumnDef": {"width": 52, "pinned": "left", "headerTooltip": words("desk.choose")},
        "localeText": {
            **table.children.dashGridOptions["localeText"],
            **{key: words(f"grid.{key}") for key in GRID_ARIA},
        },
    }
    return table


def panel(words: Words) -> html.Div:
    """Return filters, table and pager."""
    return html.Div(
        [
            filters(words),
            grid(words),
            html.Div(
                [
                    html.Button(words("desk.previous"), id="desk-previous", className="button", type="button"),
                    html.Span(id="desk-pager", role="status"),
                    html.Button(words("desk.next"), id="desk-next", className="button", type="button"),
                ],
                className="desk-pager",
            ),
            dcc.Store(id="desk-page", data=0),
            dcc.Store(id="desk-total", data=0),
        ],
        className="panel",
    )

"""Take files of returns in and hand the round's sheets out."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import dcc, html

from dashboard.desk.notices import notice, stopped
from dashboard.desk.units import form_name, plain_table
from dtm.finding_words import check_words, table_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboard.desk.board import RoundDesk
    from dashboard.words import Words

UPLOAD_MAXIMUM_BYTES = 24 * 2**20
"""All files of one upload; larger ones go through `dtm returns import`, which streams them."""
REQUEST_MAXIMUM_BYTES = 40 * 2**20
"""A request with an upload, whose bytes a browser writes as text a third longer."""
NAME_MAXIMUM_BYTES = 150
FINDINGS_SHOWN = 200
COUNTS = ("rows_read", "accepted", "quarantined", "duplicate")
TOLD = "told"
_REPEATS = re.compile(r"arrival|departure|member|move|watch|person", re.IGNORECASE)


def _megabytes() -> int:
    return UPLOAD_MAXIMUM_BYTES // 2**20


def panel(number: int, words: Words) -> html.Div:
    """Return the upload, and the sheets to download."""
    choices = [
        {"value": TOLD, "label": words("desk.upload_told")},
        {"value": str(number), "label": words("desk.upload_this", number=number)},
    ]
    upload = html.Div(
        [
            html.H3(words("desk.upload"), className="panel-title"),
            html.P(words("desk.upload_how", megabytes=_megabytes()), className="note note-above"),
            dmc.Select(
                id="desk-upload-round", label=words("desk.upload_round"), data=choices, value=TOLD,
                allowDeselect=False, comboboxProps={"zIndex": 2000}, className="control", size="sm",
            ),
            dcc.Upload(
                [
                    html.Button(words("desk.upload_choose"), className="button button-main", type="button"),
                    html.Span(words("desk.upload_drop"), className="desk-drop-text"),
                ],
                id="desk-upload",
                multiple=True,
                className="desk-drop",
                className_active="desk-drop desk-drop-active",
                style={}, style_active={},
            ),
            dcc.Store(
                id="desk-upload-limit",
                data={"bytes": UPLOAD_MAXIMUM_BYTES, "text": words("desk.upload_large", megabytes=_megabytes())},
            ),
            dcc.Store(id="desk-upload-taken"),
            html.Div(words("desk.upload_busy"), id="desk-upload-busy", className="desk-idle", role="status"),
            html.Div(id="desk-upload-report", role="status", className="desk-report"),
        ],
        className="panel",
    )  # fmt: skip
    return html.Div([upload, _sheets(number, words)], className="columns")


def _sheets(number: int, words: Words) -> html.Div:
    link = {"className": "button", "download": ""}
    return html.Div(
        [
            html.H3(words("desk.sheets"), className="panel-title"),
            html.H4(words("desk.template"), className="panel-subtitle"),
            html.P(words("desk.template_how"), className="note note-above"),
            html.A(words("desk.template_get"), href=f"/desk/template-{number}-{words.lang}.xlsx", **link),
            html.H4(words("desk.feedback"), className="panel-subtitle"),
            html.P(words("desk.feedback_how"), className="note note-above"),
            dmc.Select(
                id="desk-feedback-area", label=words("desk.khoroo"), data=[], value=None, searchable=True, limit=400,
                nothingFoundMessage=words("control.nothing_found"), comboboxProps={"zIndex": 2000},
                className="control", size="sm",
            ),
            html.A(words("desk.feedback_get"), id="desk-feedback-link", hidden=True, **link),
        ],
        className="panel panel-side desk-sheets",
    )  # fmt: skip


def safe_name(given: Any) -> str:
    """Return a file's own name without folders or signs that don't belong in one."""
    name = PurePosixPath(str(given).replace("\\", "/")).name
    kept = "".join(sign for sign in name if unicodedata.category(sign)[0] != "C").strip(" .")
    return kept.encode()[-NAME_MAXIMUM_BYTES:].decode(errors="ignore") or "upload"


def content_of(data_url: Any) -> bytes | None:
    """Return the bytes of a file as a browser sends it; None where it isn't one."""
    head, _, body = str(data_url).partition(",")
    if not head.startswith("data:") or not head.endswith(";base64"):
        return None
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        return None


def in_order(files: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return the files in the order to import them: repeats after the returns they belong to."""
    return sorted(files, key=lambda file: (_REPEATS.search(file[0]) is not None, file[0]))


def import_files(
    desk: RoundDesk, files: Sequence[tuple[str, Any]], words: Words, *, number: int | None
) -> tuple[list[Any], bool]:
    """Import files one after the other; return a report on each, and whether anything was read."""
    told: list[Any] = []
    changed = False
    for given, data_url in in_order(files):
        name, content = safe_name(given), content_of(data_url)
        if content is None:
            told.append(_failed(name, notice(words("desk.upload_broken"), kind="stop")))
        elif not content:
            told.append(_failed(name, notice(words("desk.upload_empty"), kind="stop")))
        elif len(content) > UPLOAD_MAXIMUM_BYTES:
            large = words("desk.upload_large", megabytes=_megabytes())
            told.append(_failed(name, notice(large, kind="stop")))
        else:
            try:
                told.append(report(name, desk.upload(name, content, number=number), words))
                changed = True
            except Exception as error:  # noqa: BLE001  the other files go on; what nobody foresaw is logged
                told.append(_failed(name, stopped(error, words)))
    return told, changed


def _failed(name: str, why: html.Div) -> html.Div:
    return html.Div([html.H4(name, className="panel-subtitle"), why], className="desk-file")


def report(name: str, document: Mapping[str, Any], words: Words) -> html.Div:
    """Return what became of a file: read = accepted + quarantined + duplicate, and what was found."""
    children: list[Any] = [html.H4(name, className="panel-subtitle")]
    for file in document["files"]:
        if file["is_known_file"]:
            children.append(notice(words("desk.upload_known"), kind="info"))
            continue
        sums = all(table["rows_read"] == table["accepted"] + table["quarantined"] + table["duplicate"]
                   for table in file["tables"])  # fmt: skip
        rows = [
            (table_words(file["form"], table["name"], words.lang), *(words.number(table[key]) for key in COUNTS))
            for table in file["tables"]
        ]
        head = [words("desk.upload_table"), *(words(f"desk.upload.{key}") for key in COUNTS)]
        children += [
            notice(
                words("desk.upload_done", form=form_name(file["form"], words)),
                kind="done" if file["accepted"] else "info",
            ),
            plain_table(words("desk.upload_counts", name=name), head, rows),
            html.P(words("desk.upload_sums" if sums else "desk.upload_no_sum"), className="note"),
        ]
    if document.get("refused"):
        children.append(notice(words("desk.upload_refused"), kind="stop"))
    counts = {code: count for file in document["files"] for code, count in file["findings"].items()}
    children.append(_found(document.get("findings") or [], counts, words))
    return html.Div(children, className="desk-file")


def _found(findings: Sequence[Mapping[str, Any]], counts: Mapping[str, int], words: Words) -> Any:
    """Return what was found: each finding where the report lists them, else how many of each code."""
    if not findings and not counts:
        return html.P(words("desk.upload_nothing_found"), className="note")
    if not findings:
        title = words("desk.upload_found", count=words.number(sum(counts.values())))
        lines = [
            html.Li(words("desk.found_line", what=check_words(code, words.lang), code=code, count=words.number(count)))
            for code, count in sorted(counts.items())
        ]
        note = html.P(words("desk.upload_see"), className="note")
        return html.Details([html.Summary(title), html.Ul(lines, className="desk-found"), note], open=True)
    ordered = sorted(findings, key=lambda finding: finding["severity"] != "error")
    items = [
        html.Li(
            [
                html.Strong(words(f"severity.{finding['severity']}")),
                f" · {_place(finding, words)} · {finding[f'message_{words.lang}']}",
            ]
        )
        for finding in ordered[:FINDINGS_SHOWN]
    ]
    left = len(findings) - len(items)
    more = [html.P(words("desk.upload_more", count=words.number(left)), className="note")] if left else []
    title = words("desk.upload_found", count=words.number(len(findings)))
    return html.Details(
        [html.Summary(title), html.Ul(items, className="desk-found"), *more], open=len(findings) <= FINDINGS_SHOWN
    )


def _place(finding: Mapping[str, Any], words: Words) -> str:
    pieces = [str(finding[key]) for key in ("sheet", "field") if finding.get(key)]
    row = finding.get("row_number")
    if row:
        pieces.insert(1 if finding.get("sheet") else 0, words("desk.row", number=int(row)))
    return ", ".join(pieces)

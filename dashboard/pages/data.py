"""Say where the figures come from: coverage, findings, the manifest, and how to read gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from dash import html

from dashboard import breaks, tables
from dashboard.maps import GAP_FILLS
from dashboard.pages.common import view_store
from dtm import series_breaks
from dtm.finding_words import in_words

if TYPE_CHECKING:
    from dashboard.reader import Snapshot
    from dashboard.state import View
    from dashboard.words import Words

PAGE = "data"
FINDINGS_SHOWN = 5000
HASH_CHARACTERS = 16
BREAK_COLUMNS = ("when", "where", "series", "what", "reference")
METHODS = ("coverage", "located", "flows", "estimates", "accounts", "survey", "density", "exposure", "safety")
INPUT_KINDS = ("rounds", "returns", "area_sets", "layers", "rasters", "series_breaks")


def layout(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return the page, whole; it has no controls but its tables' own."""
    return [
        *view_store(PAGE, snapshot, view, words),
        html.Div(
            [
                html.Section(
                    [html.H2(words("data.reading"), className="panel-title"), _reading(words)], className="panel"
                ),
                html.Section(
                    [html.H2(words("data.methods"), className="panel-title"), _methods(words)], className="panel"
                ),
            ],
            className="columns columns-even",
        ),
        html.Section(
            [html.H2(words("data.rounds"), className="panel-title"), *_rounds(snapshot, words)], className="panel"
        ),
        html.Section(
            [html.H2(words("break.title"), className="panel-title"), *_breaks(snapshot, words)], className="panel"
        ),
        html.Section(
            [html.H2(words("data.coverage"), className="panel-title"), _coverage(snapshot, words)],
            className="panel",
        ),
        html.Section(
            [
                html.H2(words("data.findings"), className="panel-title"),
                html.P(words("data.findings_note"), className="note"),
                _findings(snapshot, words),
            ],
            className="panel",
        ),
        html.Section(
            [html.H2(words("data.manifest"), className="panel-title"), *_manifest(snapshot, words)], className="panel"
        ),
    ]


def _reading(words: Words) -> html.Div:
    rows = []
    for status in ("published", *GAP_FILLS):
        rows += [
            html.Dt([html.Span(className=f"swatch swatch-{status}"), words(f"status.{status}")]),
            html.Dd(words(f"status.{status}.why")),
        ]
    return html.Div([html.Dl(rows, className="meanings"), html.P(words("data.never_zero"))])


def _methods(words: Words) -> html.Ul:
    return html.Ul([html.Li(words(f"method.{name}")) for name in METHODS], className="methods")


def _rounds(snapshot: Snapshot, words: Words) -> list[Any]:
    """Return each round's state and the day it was signed off; who signed is not published."""
    states = {int(entry["round"]): entry for entry in snapshot.release.manifest.get("rounds") or []}
    if not states:
        return [html.P(words("rounds.unknown"), className="note")]
    rows = []
    for number, row in snapshot.rounds.sort_index(ascending=False).iterrows():
        entry = states.get(int(number), {})
        signed = entry.get("signed_off_at")
        dates = [words.date(pd.Timestamp(row[name]).date()) for name in ("started_on", "ended_on")]
        state = "signed_off" if entry.get("state") == "signed_off" else "open"
        day = words.date(pd.Timestamp(signed).date()) if signed and state == "signed_off" else words.number(None)
        rows.append((words.number(number), " – ".join(dates), words(f"rounds.{state}"), day))
    head = [words(f"rounds.{name}") for name in ("round", "dates", "state", "signed_on")]
    return [_table(words("data.rounds"), head, rows), html.P(words("rounds.note"), className="note")]


def _breaks(snapshot: Snapshot, words: Words) -> list[Any]:
    """Return the periods in which a series is broken: when, where, which series, what happened, who says so."""
    known = series_breaks.breaks_of(snapshot.rows("series_break"))
    if not known:
        return [html.P(words("breaks.none"), className="note")]
    rows = [
        (
            " – ".join("" if day is None else words.date(day) for day in (one.from_on, one.to_on)),
            breaks.place_of(snapshot, one, words),
            words(f"breaks.series.{one.series}"),
            str(getattr(one, f"what_{words.lang}")),
            one.reference,
        )
        for one in known
    ]
    head = [words(f"breaks.{name}") for name in BREAK_COLUMNS]
    return [_table(words("break.title"), head, rows), html.P(words("breaks.note"), className="note")]


def _coverage(snapshot: Snapshot, words: Words) -> html.Div:
    frame = snapshot.rows("coverage", level=2)
    if frame.empty:
        frame = snapshot.rows("coverage", pcode=snapshot.home)
    frame = frame.sort_values(["round_number", "pcode"], ascending=[False, True])
    rows = pd.DataFrame(
        {
            "id": frame["round_number"].astype(str) + "-" + frame["pcode"],
            "round": frame["round_number"],
            "name": [snapshot.full_name(pcode, words) for pcode in frame["pcode"]],
            "expected": frame["units_expected"],
            "reported": frame["units_reported"],
            "share": (frame["registered_coverage_share"].astype("float64") * 100).round(1),
            "gps": frame["located_gps"],
            "conflict": frame["located_conflict"],
            "status_label": words("status.not_reported"),
        }
    )
    table = tables.grid(
        "data-coverage",
        words,
        label=words("data.coverage"),
        height_px=360,
        columns=[
            tables.number_column("round", words("control.round"), maxWidth=140),
            tables.text_column("name", words("column.area"), minWidth=160),
            tables.number_column("expected", words("column.expected")),
            tables.number_column("reported", words("column.reported")),
            tables.number_column("share", words("column.registered_share"), decimals=1),
            tables.number_column("gps", words("column.gps")),
            tables.number_column("conflict", words("column.conflict")),
        ],
    )
    table.children.rowData = tables.records(rows)
    return table


def _findings(snapshot: Snapshot, words: Words) -> html.Div:
    frame = snapshot.rows("finding").head(FINDINGS_SHOWN)
    rows = pd.DataFrame(
        {
            "id": [str(number) for number in range(len(frame))],
            "round": frame["round_number"].astype("float64"),
            "severity": [words(f"severity.{severity}") for severity in frame["severity"]],
            "code": frame["code"],
            "what": [_what(row, words) for row in frame.to_dict("records")],
            "file": frame["file_name"],
            "row": frame["row_number"].astype("float64"),
            "field": frame["field"],
            "status_label": "",
        }
    )
    table = tables.grid(
        "data-findings",
        words,
        label=words("data.findings"),
        height_px=360,
        columns=[
            tables.number_column("round", words("control.round"), maxWidth=120),
            tables.text_column("severity", words("column.severity"), maxWidth=150),
            tables.text_column("what", words("column.what"), minWidth=320, flex=3),
            tables.text_column("file", words("column.file")),
            tables.number_column("row", words("column.row"), maxWidth=120),
            tables.text_column("field", words("column.field")),
            tables.text_column("code", words("column.code")),
        ],
    )
    table.children.rowData = tables.records(rows)
    return table


def _what(row: dict[str, Any], words: Words) -> str:
    """Return what was found; in Mongolian its columns are named by their meaning."""
    text, field = str(row[f"what_{words.lang}"]), row["field"]
    if words.lang != "mn" or not isinstance(field, str):
        return text
    return in_words(text, form=row["subject"], field=field, language="mn")


def _manifest(snapshot: Snapshot, words: Words) -> list[Any]:
    manifest = snapshot.release.manifest
    facts = [
        (words("manifest.release"), snapshot.release_id),
        (words("manifest.built"), str(manifest.get("built_at", words("manifest.unknown")))),
        (words("manifest.operation"), str(manifest.get("operation", words("manifest.unknown")))),
        (words("manifest.hidden"), _hidden(manifest, words)),
        (words("manifest.content"), str(manifest.get("content_sha256", words("manifest.unknown")))),
    ]
    terms = [piece for key, value in facts for piece in (html.Dt(key), html.Dd(value))]
    return [
        html.Dl(terms, className="facts"),
        html.H3(words("manifest.inputs"), className="panel-subtitle"),
        _inputs(manifest, words),
    ]


def _hidden(manifest: Any, words: Words) -> str:
    summary = manifest.get("suppression")
    if not isinstance(summary, dict):
        return words("manifest.unknown")
    cells = [entry for entry in summary.get("cells") or [] if isinstance(entry, dict)]
    if not cells:
        return words("manifest.unknown")
    hidden = sum(entry["cells"] for entry in cells if entry["status"] == "suppressed")
    every = sum(entry["cells"] for entry in cells)
    return words("manifest.hidden_of", hidden=words.number(hidden), all=words.number(every))


def _inputs(manifest: Any, words: Words) -> Any:
    rows = []
    inputs = manifest.get("inputs")
    kinds = inputs.items() if isinstance(inputs, dict) else [("inputs", inputs if isinstance(inputs, list) else [])]
    for kind, files in kinds:
        for entry in files if isinstance(files, list) else []:
            if isinstance(entry, dict):
                name = entry.get("file_name") or entry.get("name") or entry.get("area_set") or entry.get("file") or ""
                digest = str(entry.get("file_sha256") or entry.get("sha256") or "")
                label = words(f"manifest.kind.{kind}") if kind in INPUT_KINDS else kind
                rows += [(label, str(name), digest)] if name else []
    if not rows:
        return html.P(words("manifest.no_inputs"), className="note")
    head = [words("manifest.kind"), words("column.file"), "SHA-256"]
    cells = [(kind, name, html.Code(digest[:HASH_CHARACTERS], title=digest)) for kind, name, digest in rows]
    return _table(words("manifest.inputs"), head, cells)


def _table(label: str, head: list[str], rows: list[tuple[Any, ...]]) -> html.Div:
    body = [html.Tr([html.Td(cell) for cell in row]) for row in rows]
    return html.Div(
        html.Table(
            [html.Thead(html.Tr([html.Th(title, scope="col") for title in head])), html.Tbody(body)],
            className="plain-table",
        ),
        className="table-scroll",
        tabIndex=0,
        role="region",
        **{"aria-label": label},
    )

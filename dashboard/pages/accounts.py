"""Show whether the books balance: people, arrivals, departures, births and deaths, and what had to be estimated."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
from dash import Input, Output, html

from dashboard import account_charts, account_tables, breaks, parts, tables
from dashboard.account_charts import FLAGS
from dashboard.charts import base_chart
from dashboard.measures import note_text
from dashboard.pages.common import register_download, view_ids, view_store
from dashboard.state import View, view_from_mapping
from dashboard.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from dash import Dash

    from dashboard.reader import Snapshot
    from dtm.released import ReleasedTable

PAGE = "accounts"
COUNTS = ("opening", "arrivals", "departures", "births", "deaths", "boundary_change", "residual", "closing")
PERCENT = "pct"
HEADS = {"minWidth": 124, "wrapHeaderText": True, "autoHeaderHeight": True, "filter": False}
"""Of columns of counts, whose words are longer than their figures."""
DISTRICT_LEVEL = 2
LOW_PX = 100
NARROW_PX = 640
"""Below this width the account runs from top to bottom."""
STACKED_PX, WIDEST_PX = 990, 1760
"""Below the first width the panels stand below each other; the page grows to the second."""
EMPTY = base_chart(height=LOW_PX)
OUTPUTS = (
    ("accounts-title", "children"), ("accounts-flag", "children"), ("accounts-waterfall", "figure"),
    ("accounts-waterfall", "style"), ("accounts-note", "children"), ("accounts-more", "children"),
    ("accounts-residuals", "figure"), ("accounts-residuals", "style"), ("accounts-residuals-more", "children"),
    ("accounts-completed", "figure"), ("accounts-completed", "style"), ("accounts-completed-note", "children"),
    ("accounts-completed-more", "children"), ("accounts-survey", "figure"), ("accounts-survey", "style"),
    ("accounts-survey-note", "children"), ("accounts-survey-more", "children"), ("accounts-grid", "rowData"),
)  # fmt: skip


def layout(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return the page."""
    return [
        *view_store(PAGE, snapshot, view, words),
        html.Section(
            [
                parts.level_segments(PAGE, view, words),
                parts.area_select(PAGE, snapshot, view, words),
                parts.round_slider(PAGE, snapshot, view, words),
            ],
            className="controls",
            **{"aria-label": words("control.section")},
        ),
        html.Div(
            [
                html.Section(
                    [
                        html.H2(id="accounts-title", className="panel-title"),
                        html.P(id="accounts-flag", className="account-flag"),
                        parts.graph("accounts-waterfall", label=words("account.waterfall")),
                        html.P(id="accounts-note", className="note"),
                        html.Div(id="accounts-more"),
                        html.H2(words("account.residuals"), className="panel-title panel-subtitle"),
                        account_tables.flag_key(words),
                        parts.graph("accounts-residuals", label=words("account.residuals")),
                        html.Div(id="accounts-residuals-more"),
                    ],
                    className="panel",
                ),
                html.Section(
                    [
                        html.H2(words("account.completed"), className="panel-title"),
                        parts.graph("accounts-completed", label=words("account.completed")),
                        html.P(id="accounts-completed-note", className="note"),
                        html.Div(id="accounts-completed-more"),
                        html.H2(words("account.survey"), className="panel-title panel-subtitle"),
                        parts.graph("accounts-survey", label=words("account.survey")),
                        html.P(id="accounts-survey-note", className="note"),
                        html.Div(id="accounts-survey-more"),
                    ],
                    className="panel",
                ),
            ],
            className="columns",
        ),
        html.Section(
            [
                html.H2(words("account.table"), className="panel-title"),
                tables.tools(PAGE, words, query=view.q),
                tables.grid("accounts-grid", words, label=words("account.table"), columns=_columns(words)),
            ],
            className="panel",
        ),
    ]


def _columns(words: Words) -> list[dict[str, Any]]:
    counts = [name for name in COUNTS if name != "boundary_change"]
    return [
        tables.text_column("name", words("column.area"), minWidth=200),
        *(tables.number_column(name, words(f"account.{name}"), **HEADS) for name in counts),
        tables.number_column("residual_pct", words("account.residual_pct"), decimals=1, **HEADS),
        tables.text_column("flag_label", words("account.flag"), minWidth=190),
        tables.text_column("units", words("column.units"), minWidth=130),
        tables.text_column("note_text", words("account.note"), minWidth=260),
    ]


def account_of(snapshot: Snapshot, view: View) -> dict[str, Any] | None:
    """Return the account of the view's area and round, None where the release has none."""
    number = snapshot.round_or_last(view.round)
    pcode = snapshot.area_or_home(view.area)
    return account_charts.row_of(snapshot, "balance", pcode=pcode, round_number=number)


def head(row: dict[str, Any] | None, words: Words, *, is_first: bool) -> tuple[Any, str]:
    """Return the verdict on an account in words, sign and colour, and what its note says."""
    if is_first:
        return words("account.first"), ""
    if row is None:
        return words("status.not_reported"), words("status.not_reported.why")
    if not account_charts.is_there(row):
        why = note_text(row["note"], words.lang) or words(f"status.{row['status']}.why")
        return words("account.no_verdict", status=words(f"status.{row['status']}")), why
    share = account_charts.signed_pct(words, float(row["residual_pct"])) if pd.notna(row["residual_pct"]) else "–"
    told = words("account.verdict", persons=words.number(row["residual"], signed=True), share=share)
    notes = f"{words('account.scale')} {note_text(row['note'], words.lang)}".strip()
    return [account_tables.flag_badge(str(row["flag"]), words), " ", told], notes


def completed_note(snapshot: Snapshot, words: Words, *, pcode: str, number: int) -> str:
    """Say how much of the area's people is estimated, or why nothing is."""
    row = account_charts.row_of(snapshot, "imputed", pcode=pcode, round_number=number, figure="actual_persons")
    if row is None:
        return words("status.not_reported")
    if not account_charts.is_there(row):
        return note_text(row["note"], words.lang) or words(f"status.{row['status']}.why")
    if not row["imputed_share"]:
        return words("account.all_told")
    share = words.number(100 * row["imputed_share"], decimals=1)
    ends = [words.number(row[name]) for name in ("low", "high")]
    return words("account.imputed", share=share, value=words.number(row["value"]), low=ends[0], high=ends[1])


def survey_area(snapshot: Snapshot, pcode: str) -> str:
    """Return the area the sample speaks for: a khoroo's district, else the area itself."""
    level = snapshot.level_of(pcode)
    return pcode if level <= DISTRICT_LEVEL else pcode[: 2 + 2 * DISTRICT_LEVEL]


def shares_of(snapshot: Snapshot) -> list[str]:
    """Return the survey estimates that are shares of a whole, one figure each."""
    frame = snapshot.rows("survey_estimate", item="total")
    return sorted(frame.loc[frame["unit"] == PERCENT, "estimate"].unique())


def table_rows(snapshot: Snapshot, view: View, words: Words) -> pd.DataFrame:
    """Return the accounts of the level's areas for the grid, the worst first."""
    number = snapshot.round_or_last(view.round)
    frame = snapshot.rows("balance", level=view.level, round_number=number)
    frame = frame.loc[frame["residual_pct"].abs().sort_values(ascending=False, kind="stable").index]
    rows = frame[["pcode", *COUNTS, "residual_pct", "flag", "status", "note"]].copy()
    rows["id"] = rows["pcode"]
    rows["name"] = [snapshot.full_name(str(pcode), words) for pcode in rows["pcode"]]
    rows["status_label"] = [words(f"status.{status}") for status in rows["status"]]
    rows["flag_label"] = [
        account_tables.flag_text(flag, words) if flag in FLAGS else label
        for flag, label in zip(rows["flag"], rows["status_label"], strict=True)
    ]
    coverage = snapshot.rows("coverage", round_number=number).set_index("pcode").reindex(rows["pcode"])
    rows["units"] = [
        words("key.of", reported=words.number(reported), expected=words.number(expected))
        for reported, expected in zip(coverage["units_reported"], coverage["units_expected"], strict=True)
    ]
    rows["note_text"] = [note_text(note, words.lang) for note in rows["note"]]
    return rows


def register(app: Dash, current: Callable[[], Snapshot]) -> None:
    """Connect the page's controls."""

    @app.callback(
        *(Output(identity, prop) for identity, prop in OUTPUTS),
        Input(view_ids(PAGE), "data"),
        prevent_initial_call=True,
    )
    def _update(data: dict[str, Any] | None) -> tuple[Any, ...]:
        snapshot, view = current(), view_from_mapping(data or {})
        return update(snapshot, view, Words(view.lang))

    def released_of(snapshot: Snapshot, view: View) -> ReleasedTable:
        number = snapshot.round_or_last(view.round)
        released = snapshot.released("balance", level=view.level, round_number=number)
        return replace(released, frame=released.frame.assign(id=released.frame["pcode"]))

    register_download(app, current, PAGE, released_of=released_of)


def update(snapshot: Snapshot, view: View, words: Words) -> tuple[Any, ...]:
    """Return all that the page shows of a view, in the order of `OUTPUTS`; an empty chart is not drawn."""
    number, pcode = snapshot.round_or_last(view.round), snapshot.area_or_home(view.area)
    when = words("round.title", number=number, month=words.month(snapshot.reference_day(number)))
    rows = tables.matching(table_rows(snapshot, view, words), view.q)
    return (
        f"{words('account.title')} · {snapshot.full_name(pcode, words)} · {when}",
        *_account(snapshot, view, words, pcode=pcode, number=number),
        *_residuals(snapshot, view, words, pcode=pcode),
        *_completed(snapshot, words, pcode=pcode, number=number),
        *_survey(snapshot, view, words, pcode=survey_area(snapshot, pcode), number=number),
        tables.records(rows),
    )


def _account(snapshot: Snapshot, view: View, words: Words, *, pcode: str, number: int) -> tuple[Any, ...]:
    """Return verdict, chart, note, and table and formula of the account."""
    row = account_of(snapshot, view)
    verdict, note = head(row, words, is_first=number == snapshot.rounds.index[0])
    is_drawn = row is not None and account_charts.is_there(row)
    figure = account_charts.waterfall(row, words, is_narrow=view.width < NARROW_PX) if is_drawn and row else EMPTY
    more = [
        account_tables.account_table(row, words) if row is not None else None,
        account_tables.behind_account(snapshot, words, pcode=pcode, round_number=number),
        *account_tables.broken_notes(snapshot, words, breaks.EVERY_SERIES, pcode=pcode, round_number=number),
    ]
    return verdict, figure, _shown(is_drawn), note, _there(more)


def _residuals(snapshot: Snapshot, view: View, words: Words, *, pcode: str) -> tuple[Any, ...]:
    """Return the chart of what was not explained at every round, and its table; words where there is none."""
    has_any = (snapshot.rows("balance", pcode=pcode)["status"] == "published").any()
    told = words("account.residuals.none" if len(snapshot.rounds) > 1 else "account.residuals.one")
    figure = account_charts.residuals(snapshot, words, pcode=pcode, width_px=_width(view)) if has_any else EMPTY
    broken = breaks.told(breaks.breaks_of(snapshot, words, breaks.EVERY_SERIES, pcode=pcode), words)
    more = [
        None if has_any else html.P(told, className="note"),
        account_tables.residual_table(snapshot, words, pcode=pcode),
        *(html.P(text, className="note") for text in broken),
    ]
    return figure, _shown(bool(has_any)), _there(more)


def _completed(snapshot: Snapshot, words: Words, *, pcode: str, number: int) -> tuple[Any, ...]:
    """Return the chart of figures for all units, its note, and its table and formula."""
    frame = account_charts.completed_rows(snapshot, pcode=pcode, round_number=number)
    more = [
        account_tables.completed_table(frame, words),
        account_tables.behind_completed(snapshot, words, pcode=pcode, round_number=number),
        *account_tables.broken_notes(snapshot, words, breaks.STOCK_SERIES, pcode=pcode, round_number=number),
    ]
    figure = account_charts.completed(snapshot, words, pcode=pcode, round_number=number)
    note = completed_note(snapshot, words, pcode=pcode, number=number)
    return figure, _shown(not frame.empty), note, _there(more)


def _survey(snapshot: Snapshot, view: View, words: Words, *, pcode: str, number: int) -> tuple[Any, ...]:
    """Return the chart of the sample's shares, whom they are about, and their table and formula."""
    frame = account_charts.survey_rows(snapshot, words, pcode=pcode, round_number=number, estimates=shares_of(snapshot))
    has_any = not frame.empty
    area = snapshot.full_name(pcode, words)
    told = words("account.survey_of", area=area) if has_any else words("account.no_survey")
    figure = account_charts.survey_dots(frame, words, is_narrow=view.width < NARROW_PX) if has_any else EMPTY
    more = [account_tables.survey_table(frame, words), account_tables.behind_survey(words, frame)] if has_any else []
    return figure, _shown(has_any), told, _there(more)


def _width(view: View) -> int:
    """Return about how wide the chart over the rounds is."""
    return view.width - 50 if view.width < STACKED_PX else int(min(view.width, WIDEST_PX) * 0.6) - 50


def _there(pieces: list[Any]) -> list[Any]:
    return [piece for piece in pieces if piece is not None]


def _shown(is_shown: bool) -> dict[str, str]:  # noqa: FBT001  one thing to say
    return {} if is_shown else {"display": "none"}

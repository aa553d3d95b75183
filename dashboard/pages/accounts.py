"""Show whether the books balance: people, arrivals, departures, births and deaths, and what had to be estimated."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dash import Input, Output, html

from dashboard import account_charts, parts, tables
from dashboard.measures import note_text
from dashboard.pages.common import register_download, view_ids, view_store
from dashboard.state import View, view_from_mapping
from dashboard.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from dash import Dash

    from dashboard.reader import Snapshot
    from dtm.released import ReleasedTable

PAGE = "accounts"
SMALL_PCT = 0.1
"""A smaller residual is written with two decimals, so that it does not read as none."""
COUNTS = ("opening", "arrivals", "departures", "births", "deaths", "boundary_change", "residual", "closing")
PERCENT = "pct"
HEADS = {"minWidth": 124, "wrapHeaderText": True, "autoHeaderHeight": True, "filter": False}
"""Of columns of counts, whose words are longer than their figures."""
FLAGS = ("green", "amber", "red")
DISTRICT_LEVEL = 2
NARROW_PX = 640
"""Below this width the account runs from top to bottom."""


def layout(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return the page."""
    columns = [
        tables.text_column("name", words("column.area"), minWidth=200),
        *(
            tables.number_column(name, words(f"account.{name}"), **HEADS)
            for name in COUNTS
            if name != "boundary_change"
        ),
        tables.number_column("residual_pct", words("account.residual_pct"), decimals=1, **HEADS),
        tables.text_column("flag_label", words("account.flag"), minWidth=150),
        tables.text_column("note_text", words("account.note"), minWidth=260),
    ]
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
                        _formula(words("account.formula"), words("account.formula.reference"), words),
                        html.H2(words("account.survey"), className="panel-title panel-subtitle"),
                        parts.graph("accounts-survey", label=words("account.survey")),
                        html.P(id="accounts-survey-note", className="note"),
                        _formula(words("account.survey.formula"), words("account.survey.reference"), words),
                    ],
                    className="panel",
                ),
                html.Section(
                    [
                        html.H2(words("account.completed"), className="panel-title"),
                        parts.graph("accounts-completed", label=words("account.completed")),
                        html.P(id="accounts-completed-note", className="note"),
                        _formula(words("account.completed.formula"), words("account.completed.reference"), words),
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
                tables.grid("accounts-grid", words, label=words("account.table"), columns=columns),
            ],
            className="panel",
        ),
    ]


def _formula(formula: str, reference: str, words: Words) -> html.Details:
    return html.Details(
        [html.Summary(words("account.how")), html.P(formula), html.P(reference, className="note")], className="how"
    )


def account_of(snapshot: Snapshot, view: View) -> dict[str, Any] | None:
    """Return the account of the view's area and round, None where the release has none."""
    number = snapshot.round_or_last(view.round)
    pcode = snapshot.area_or_home(view.area)
    return account_charts.row_of(snapshot, "balance", pcode=pcode, round_number=number)


def head(row: dict[str, Any] | None, words: Words, *, is_first: bool) -> tuple[Any, str]:
    """Return the verdict on an account in words and colour, and what its note says."""
    if is_first:
        return words("account.first"), ""
    if row is None:
        return words("status.not_reported"), ""
    if not account_charts.is_there(row):
        return words(f"status.{row['status']}"), note_text(row["note"], words.lang) or words(
            f"status.{row['status']}.why"
        )
    flag = str(row["flag"])
    residual_pct = float(row["residual_pct"])
    share = words.number(residual_pct, decimals=1 if abs(residual_pct) >= SMALL_PCT else 2, signed=True)
    verdict = html.Strong(
        words(f"account.flag.{flag}"), className="badge", style={"backgroundColor": account_charts.FLAG_COLORS[flag]}
    )
    persons = words.number(row["residual"], signed=True)
    notes = f"{words('account.scale')} {note_text(row['note'], words.lang)}".strip()
    return [verdict, " ", words("account.verdict", persons=persons, share=share)], notes


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
        words(f"account.flag.{flag}") if flag in FLAGS else label
        for flag, label in zip(rows["flag"], rows["status_label"], strict=True)
    ]
    rows["note_text"] = [note_text(note, words.lang) for note in rows["note"]]
    return rows


def register(app: Dash, current: Callable[[], Snapshot]) -> None:
    """Connect the page's controls."""

    @app.callback(
        Output("accounts-title", "children"),
        Output("accounts-flag", "children"),
        Output("accounts-waterfall", "figure"),
        Output("accounts-waterfall", "style"),
        Output("accounts-note", "children"),
        Output("accounts-completed", "figure"),
        Output("accounts-completed", "style"),
        Output("accounts-completed-note", "children"),
        Output("accounts-survey", "figure"),
        Output("accounts-survey", "style"),
        Output("accounts-survey-note", "children"),
        Output("accounts-grid", "rowData"),
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
    """Return all that the page shows of a view, in the order of its outputs; an empty chart is not drawn."""
    number, pcode = snapshot.round_or_last(view.round), snapshot.area_or_home(view.area)
    when = words("round.title", number=number, month=words.month(snapshot.reference_day(number)))
    row = account_of(snapshot, view)
    verdict, note = head(row, words, is_first=number == snapshot.rounds.index[0])
    is_narrow = view.width < NARROW_PX
    account = (
        account_charts.waterfall(row, words, is_narrow=is_narrow)
        if row is not None and account_charts.is_there(row)
        else None
    )
    completed = account_charts.completed(snapshot, words, pcode=pcode, round_number=number)
    sampled = survey_area(snapshot, pcode)
    survey = account_charts.survey_dots(
        snapshot, words, pcode=sampled, round_number=number, estimates=shares_of(snapshot), is_narrow=is_narrow
    )
    has_survey = bool(survey.data and len(survey.data[0].x))
    told = (
        words("account.survey_of", area=snapshot.full_name(sampled, words))
        if has_survey
        else words("account.no_survey")
    )
    rows = tables.matching(table_rows(snapshot, view, words), view.q)
    return (
        f"{words('account.title')} · {snapshot.full_name(pcode, words)} · {when}",
        verdict,
        account or account_charts.base_chart(height=account_charts.LOW_PX),
        _shown(account is not None),
        note,
        completed,
        _shown(bool(completed.data and len(completed.data[0].x))),
        completed_note(snapshot, words, pcode=pcode, number=number),
        survey,
        _shown(has_survey),
        told,
        tables.records(rows),
    )


def _shown(is_shown: bool) -> dict[str, str]:  # noqa: FBT001  one thing to say
    return {} if is_shown else {"display": "none"}

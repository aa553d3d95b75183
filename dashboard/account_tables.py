"""Tell the figures of the charts of an account as tables, with what stands behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from dash import html

from dashboard import about, account_charts, breaks
from dashboard.account_charts import FLAGS, LIMITS_PCT, STEPS, TAKEN_AWAY

if TYPE_CHECKING:
    from dashboard.reader import Snapshot
    from dashboard.words import Words

BALANCING = "Preston, Heuveline & Guillot 2001, Demography, ch. 1"
COCHRAN = "Cochran 1977, Sampling Techniques, ch. 6"
SAMPLING = f"Cochran 1977, Sampling Techniques; {about.KISH}"


def flag_text(flag: str, words: Words) -> str:
    """Return a verdict as its sign and words."""
    return f"{FLAGS[flag].sign} {words(f'account.flag.{flag}')}"


def flag_badge(flag: str, words: Words) -> html.Strong:
    """Return a verdict: a sign and words on its colour."""
    look = FLAGS[flag]
    return html.Strong(
        flag_text(flag, words),
        className="badge",
        style={"backgroundColor": look.color, "color": look.ink},
    )


def flag_key(words: Words) -> html.Ul:
    """Return what each verdict means, with its sign and colour."""
    limits = {"amber": LIMITS_PCT["amber"], "red": LIMITS_PCT["red"]}
    numbers = {name: words.number(limit) for name, limit in limits.items()}
    entries = [
        html.Li(
            [
                html.Span(look.sign, className="flag-sign", style={"backgroundColor": look.color, "color": look.ink}),
                words(f"account.key.{flag}", **numbers),
            ]
        )
        for flag, look in FLAGS.items()
    ]
    return html.Ul(entries, className="legend-list flag-key", **{"aria-label": words("account.flag")})


def account_table(row: dict[str, Any], words: Words) -> html.Details:
    """Return every term of an account with its sign, and its share of the people now; a gap says why."""
    closing = row["closing"]
    rows = []
    for step in STEPS:
        value = None if row[step] is None or pd.isna(row[step]) else float(row[step])
        if step == "boundary_change" and not value:
            continue
        sign = -1 if step in TAKEN_AWAY else 1
        is_end = step in account_charts.ENDS
        gap = words(f"status.{row['status'] if row['status'] != 'published' else 'undefined'}")
        share = 100 * sign * value / float(closing) if value is not None and closing and not pd.isna(closing) else None
        rows.append(
            (
                words(f"account.{step}"),
                gap if value is None else words.number(sign * value, signed=not is_end),
                words.number(None) if share is None else words.number(share, decimals=2, signed=not is_end),
            )
        )
    head = [words(f"account.head.{name}") for name in ("term", "people", "share")]
    return _folded(head, rows, words)


def residual_table(snapshot: Snapshot, words: Words, *, pcode: str) -> html.Details:
    """Return what was not explained at every round, the verdict, and the units and returns behind it."""
    balance = snapshot.rows("balance", pcode=pcode).set_index("round_number").reindex(snapshot.rounds.index)
    coverage = snapshot.rows("coverage", pcode=pcode).set_index("round_number").reindex(snapshot.rounds.index)
    rows = []
    for number in snapshot.rounds.index:
        row, units = balance.loc[number], coverage.loc[number]
        if row["status"] == "published":
            told = (
                words.number(row["residual"], signed=True),
                account_charts.signed_pct(words, float(row["residual_pct"])) if pd.notna(row["residual_pct"]) else "–",
                flag_text(str(row["flag"]), words),
            )
        else:
            why = words(f"status.{row['status']}") if isinstance(row["status"], str) else words("account.zone.none")
            told = (words.number(None), words.number(None), why)
        when = words("round.title", number=number, month=words.month(snapshot.reference_day(int(number))))
        of = words(
            "key.of", reported=words.number(units["units_reported"]), expected=words.number(units["units_expected"])
        )
        rows.append((when, *told, of, words.number(units["returns"])))
    head = [words(f"account.head.{name}") for name in ("round", "residual", "pct", "verdict", "units", "returns")]
    return _folded(head, rows, words)


def completed_table(frame: pd.DataFrame, words: Words) -> html.Details | None:
    """Return what was told, what is estimated and the interval; None where nothing is published."""
    if frame.empty:
        return None
    rows = [
        (
            words(f"account.figure.{row.Index}"),
            words.number(row.observed),
            words.number(row.estimated),
            words.number(row.value),
            _interval(row.low, row.high, words),
            words.number(100 * row.imputed_share if pd.notna(row.imputed_share) else None, decimals=1),
        )
        for row in frame.itertuples()
    ]
    head = [words(f"account.head.{name}") for name in ("figure", "told", "estimated", "all", "interval", "part")]
    return _folded(head, rows, words)


def survey_table(frame: pd.DataFrame, words: Words) -> html.Details | None:
    """Return the estimates of the sample with interval, base and design effect; None without any."""
    if frame.empty:
        return None
    rows = [
        (
            row.name,
            words.number(row.value, decimals=1),
            _interval(row.low, row.high, words, decimals=1),
            words.number(row.base_persons),
            words.number(row.design_effect, decimals=1),
        )
        for row in frame.itertuples(index=False)
    ]
    head = [words(f"account.head.{name}") for name in ("estimate", "value", "interval", "base", "effect")]
    return _folded(head, rows, words)


def behind_account(snapshot: Snapshot, words: Words, *, pcode: str, round_number: int) -> html.Details:
    """Return formula, literature, and the returns of this round and of the one before."""
    return about.details(
        words,
        formula=words("account.formula"),
        reference=BALANCING,
        facts=[
            *_returns(snapshot, words, pcode=pcode, round_number=round_number),
            *_before(snapshot, words, pcode=pcode, round_number=round_number),
        ],
    )


def behind_completed(snapshot: Snapshot, words: Words, *, pcode: str, round_number: int) -> html.Details:
    """Return formula, literature and returns of the figures for all units."""
    facts = _returns(snapshot, words, pcode=pcode, round_number=round_number)
    return about.details(words, formula=words("account.completed.formula"), reference=COCHRAN, facts=facts)


def behind_survey(words: Words, frame: pd.DataFrame) -> html.Details:
    """Return formula, literature and the size of the sample."""
    base = frame["base_persons"].astype("float64")
    largest = float(base.max()) if base.notna().any() else None
    facts = [(words("about.sample"), words.number(largest))]
    return about.details(words, formula=words("account.survey.formula"), reference=SAMPLING, facts=facts)


def broken_notes(
    snapshot: Snapshot, words: Words, series: tuple[str, ...], *, pcode: str, round_number: int
) -> list[html.P]:
    """Return the breaks between the round before and this one, as notes."""
    first, last = breaks.day_before(snapshot, round_number), snapshot.reference_day(round_number)
    periods = breaks.touching(breaks.breaks_of(snapshot, words, series, pcode=pcode), first, last)
    return [html.P(text, className="note") for text in breaks.told(periods, words)]


def _returns(snapshot: Snapshot, words: Words, *, pcode: str, round_number: int) -> about.Facts:
    """Return units, returns and the share of the registered people behind a round's figures."""
    facts = about.returns_facts(snapshot, words, pcode=pcode, round_number=round_number)
    frame = snapshot.rows("coverage", pcode=pcode, round_number=round_number)
    share = None if frame.empty else frame.iloc[0]["registered_coverage_share"]
    told = words.number(None if share is None or pd.isna(share) else 100 * float(share), decimals=1)
    return [*facts, (words("account.coverage"), f"{told} %")]


def _before(snapshot: Snapshot, words: Words, *, pcode: str, round_number: int) -> about.Facts:
    """Return the units behind the figures of the round before, nothing for the first round."""
    place = list(snapshot.rounds.index).index(round_number)
    if place == 0:
        return []
    number = int(snapshot.rounds.index[place - 1])
    frame = snapshot.rows("coverage", pcode=pcode, round_number=number)
    if frame.empty:
        return [(words("account.units_before", number=number), words("status.not_reported"))]
    row = frame.iloc[0]
    told = words("key.of", reported=words.number(row["units_reported"]), expected=words.number(row["units_expected"]))
    return [(words("account.units_before", number=number), told)]


def _interval(low: float, high: float, words: Words, *, decimals: int = 0) -> str:
    if pd.isna(low) or pd.isna(high):
        return words.number(None)
    return f"{words.number(low, decimals=decimals)}–{words.number(high, decimals=decimals)}"


def _folded(head: list[str], rows: list[tuple[str, ...]], words: Words) -> html.Details:
    body = [
        html.Tr([html.Th(first, scope="row"), *(html.Td(cell, className="number") for cell in rest)])
        for first, *rest in rows
    ]
    table = html.Table(
        [html.Thead(html.Tr([html.Th(title, scope="col") for title in head])), html.Tbody(body)],
        className="plain-table figures-table",
    )
    scrolled = html.Div(
        table, className="table-scroll", tabIndex=0, role="region", **{"aria-label": words("account.same_figures")}
    )
    return html.Details([html.Summary(words("account.same_figures")), scrolled], className="how")

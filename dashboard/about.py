"""Say of a figure how it is computed, who wrote the formula, and what stands behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from dashboard.state import SURVEY_SOURCES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from dashboard.reader import Snapshot
    from dashboard.words import Words

BELL = "Bell et al. 2002, JRSS A 165(3), doi 10.1111/1467-985X.00247"
POULAIN = (
    "Poulain 1993; Raymer, Wiśniowski, Forster, Smith & Bijak 2013, JASA 108(503), doi 10.1080/01621459.2013.789435"
)
DTM_FRAMEWORK = "IOM, DTM Methodological Framework, 2nd ed. 2022"
KISH = "Kish 1965, Survey Sampling"
Facts = list[tuple[str, str]]


def literature(source: str) -> str:
    """Return who wrote the formulas of a source's figures."""
    if source == "reconciled":
        return POULAIN
    if source == "checkpoint":
        return DTM_FRAMEWORK
    return KISH if source in SURVEY_SOURCES else BELL


def details(
    words: Words, *, formula: str, reference: str, facts: Facts, statuses: Mapping[str, int] | None = None
) -> html.Details:
    """Return the formula, its source and what is behind a figure, folded until asked for."""
    rows = [(words("about.formula"), formula), (words("about.literature"), reference), *facts]
    if statuses:
        counts = [f"{words(f'status.{status}')}: {words.number(count)}" for status, count in statuses.items() if count]
        rows.append((words("about.statuses"), "; ".join(counts)))
    terms: list[Any] = []
    for name, text in rows:
        terms += [html.Dt(name), html.Dd(text)]
    return html.Details([html.Summary(words("about.title")), html.Dl(terms, className="facts")], className="how")


def returns_facts(snapshot: Snapshot, words: Words, *, pcode: str, round_number: int | None = None) -> Facts:
    """Return the units and returns behind an area's figures of a round, or of all rounds together."""
    where = {} if round_number is None else {"round_number": round_number}
    frame = snapshot.rows("coverage", pcode=pcode, **where)
    if frame.empty:
        return [(words("about.returns"), words("status.not_reported"))]
    reported, expected, returns = (float(frame[name].sum()) for name in ("units_reported", "units_expected", "returns"))
    units = words("key.of", reported=words.number(reported), expected=words.number(expected))
    when = words("about.rounds", n=len(frame)) if round_number is None else ""
    place = " ".join(filter(None, (snapshot.full_name(pcode, words), when)))
    return [
        (words("about.units"), f"{units} ({place})"),
        (words("about.returns"), words.number(returns)),
    ]


def sample_facts(words: Words, frame: pd.DataFrame) -> Facts:
    """Return how many persons of the sample are behind the shown figures of a survey."""
    base = frame["base_persons"].astype("float64")
    return [(words("about.sample"), words.number(float(base.sum()) if base.notna().any() else None))]


def watch_facts(snapshot: Snapshot, words: Words, *, round_number: int) -> Facts:
    """Return how long the checkpoints of a round were watched."""
    frame = snapshot.rows("passage_day", round_number=round_number, measure="persons")
    days = frame.drop_duplicates(["checkpoint", "day"])
    hours = days["hours_observed"].astype("float64")
    return [
        (words("about.checkpoint_days"), words.number(len(days))),
        (words("about.watch_hours"), words.number(float(hours.sum()) if hours.notna().any() else None)),
    ]


def facts_of(
    snapshot: Snapshot, words: Words, *, source: str, pcode: str, round_number: int, frame: pd.DataFrame
) -> Facts:
    """Return what is behind the figures of a source: returns, a sample, or hours of watch."""
    if source == "checkpoint":
        return watch_facts(snapshot, words, round_number=round_number)
    if source in SURVEY_SOURCES:
        return sample_facts(words, frame)
    return returns_facts(snapshot, words, pcode=pcode, round_number=round_number)


def formula_of(words: Words, source: str) -> str:
    """Return in words how a source's figure of a pair of places is made."""
    return words(f"about.pair.{'survey' if source in SURVEY_SOURCES else source}")

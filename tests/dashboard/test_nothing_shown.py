"""A release that may show nothing says so on every page, in words, and draws no empty chart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dashboard.measures import MEASURES, by_area
from dashboard.pages import accounts, data, ger, hazards, overview
from dashboard.pages._flows_series import trends_panel
from dashboard.parts import nothing_shown
from dashboard.reader import Snapshot
from dashboard.state import View
from dashboard.words import LANGUAGES, Words
from tests.dashboard.test_pages import text_of

EN = Words("en")
VIEW = View(lang="en")
FIGURES = (
    "value", "low", "high", "observed", "imputed_share", "registered_missing", "opening", "arrivals", "departures",
    "births", "deaths", "boundary_change", "closing", "residual", "residual_pct", "flag", "persons", "persons_low",
    "persons_high", "mirror_ratio",
)  # fmt: skip


class AllHidden(Snapshot):
    """A release in which every figure is hidden."""

    def _read(self, name, where):
        released = super()._read(name, where)
        if "status" not in released.frame:
            return released
        hidden = {column: None if column == "flag" else np.nan for column in FIGURES if column in released.frame}
        return replace(released, frame=released.frame.assign(status="suppressed", **hidden))


@pytest.fixture(scope="module")
def hidden(snapshot):
    return AllHidden(snapshot.release)


def test_the_first_page_says_that_everything_is_hidden(hidden):
    people = MEASURES["actual_persons"]
    _, legend = overview.map_figure(hidden, VIEW, EN, people)
    assert "All values" not in text_of(legend)
    assert text_of(overview.map_notes(hidden, VIEW, EN, people)) == ("No area has a published figure here. Hidden: 12.")
    _, style, notes = overview.people_trend(hidden, EN, pcode="MN11", width_px=400)
    assert style == {"display": "none"}
    assert text_of(notes) == "No count of this area's people is published in any round."
    _, style, notes = overview.moves_trend(hidden, EN, pcode="MN11", width_px=400)
    assert style == {"display": "none"}
    assert text_of(notes).startswith("No arrivals or departures of this area")
    assert text_of(overview.cards(hidden, VIEW, EN)).count("Hidden") >= 6


def test_the_tab_of_time_draws_no_people_where_none_are_published(hidden, snapshot):
    sentence = "No count of this area's people is published in any round."
    view = View(lang="en", tab="trends")
    assert sentence in text_of(trends_panel(hidden, view, EN))
    assert sentence not in text_of(trends_panel(snapshot, view, EN))


def test_charts_are_drawn_where_there_is_something(snapshot):
    for trend in (overview.people_trend, overview.moves_trend):
        assert trend(snapshot, EN, pcode="MN11", width_px=400)[1] == {"height": "250px"}
    frame = by_area(snapshot, MEASURES["actual_persons"], round_number=3, level=3)
    assert nothing_shown(frame, EN) == []  # one khoroo is silent, eleven are shown


def test_accounts_draw_nothing_and_say_why(hidden):
    shown = dict(zip(accounts.OUTPUTS, accounts.update(hidden, VIEW, EN), strict=True))
    styles = [value for (_, prop), value in shown.items() if prop == "style"]
    assert styles == [{"display": "none"}] * 4
    assert shown["accounts-flag", "children"] == "No verdict: Hidden."
    assert "No account of this area is published in any round." in text_of(shown["accounts-residuals-more", "children"])
    assert "Hidden" in text_of(shown["accounts-more", "children"][0])  # in the table of the same figures
    assert shown["accounts-survey-note", "children"].startswith("No sample")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_other_pages_stand(hidden, lang):
    words, view = Words(lang), View(lang=lang)
    for page in (ger, hazards, data):
        assert page.layout(hidden, view, words)
    rows = ger.rows_of(hidden, view, words)
    assert rows["value"].isna().all()
    assert len(nothing_shown(rows, words)) == 1
    figure, _ = hazards.map_figure(hidden, view, words)
    assert words("status.suppressed") in str(figure.data[0].hovertext)
    assert words("status.suppressed") in text_of(hazards.cards(hidden, view, words, rows))

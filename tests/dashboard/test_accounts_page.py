"""Show the account of an area as the release has it, with what was estimated apart from what was told."""

from __future__ import annotations

import pytest

from dashboard import account_charts
from dashboard.pages import accounts
from dashboard.state import View
from dashboard.words import Words
from tests.dashboard.make_estimates import HIDDEN_KHOROO, SILENT_KHOROO

EN = Words("en")


def page(snapshot, **view):
    names = (
        "title", "verdict", "waterfall", "waterfall_style", "note", "completed", "completed_style", "completed_note",
        "survey", "survey_style", "survey_note", "rows",
    )  # fmt: skip
    return dict(zip(names, accounts.update(snapshot, View(lang="en", **view), EN), strict=True))


def test_the_steps_lead_from_the_people_before_to_the_people_now(snapshot):
    shown = page(snapshot)
    bars = shown["waterfall"].data[0]
    # 68,100 + 900 - 600 + 50 - 20 + 870 = 69,300
    assert list(bars.y) == [68_100, 900, -600, 50, -20, 870, 69_300]
    assert sum(bars.y[:-1]) == bars.y[-1]
    assert bars.measure[0] == bars.measure[-1] == "absolute"
    assert shown["title"].startswith("Population account · Ulaanbaatar · Round 3")


def test_the_verdict_is_said_in_words_and_not_by_colour_alone(snapshot):
    badge, _, sentence = page(snapshot)["verdict"]
    assert badge.children == "Balances"
    assert sentence == "Not explained: +870 people, +1.3 % of the people now."


def test_a_narrow_window_runs_from_top_to_bottom(snapshot):
    bars = page(snapshot, width=390)["waterfall"].data[0]
    assert bars.orientation == "h"
    assert bars.x[0] == 68_100


def test_what_is_estimated_stands_beside_what_was_told(snapshot):
    shown = page(snapshot)
    told, estimated = shown["completed"].data[:2]
    assert (list(told.x), list(estimated.x)) == ([69_300], [7_700])
    assert list(estimated.error_x.array) == [2_000]
    assert shown["completed_note"] == "77,000 people (75,000 to 79,000); 10.0 % of them are estimated."


def test_the_sample_speaks_for_the_city_and_hides_what_it_must(snapshot):
    shown = page(snapshot)
    points = shown["survey"].data[0]
    assert list(points.x) == [27.2]
    assert "121 people in the sample" in points.customdata[0]
    assert shown["survey_style"] == {}
    district = page(snapshot, area="MN110102")
    assert district["survey_style"] == {"display": "none"}
    assert district["survey_note"] == "No sample that may be published belongs to this round."


@pytest.mark.parametrize(
    ("number", "area", "words"),
    [(1, "", "There is no round before"), (3, SILENT_KHOROO, "Not reported"), (3, HIDDEN_KHOROO, "Hidden")],
)
def test_an_area_without_an_account_says_why(snapshot, number, area, words):
    shown = page(snapshot, round=number, area=area)
    assert str(shown["verdict"]).startswith(words)
    assert shown["waterfall_style"] == {"display": "none"}
    assert "nan" not in str(shown).casefold()


def test_the_table_lists_the_worst_account_first(snapshot):
    rows = accounts.table_rows(snapshot, View(lang="en", level=1), EN)
    assert list(rows["flag_label"]) == ["Balances"]
    assert list(rows["name"]) == ["Ulaanbaatar"]


def test_labels_break_between_words():
    assert account_charts.wrapped("Lived elsewhere five years ago", 16) == "Lived elsewhere<br>five years ago"
    assert account_charts.wrapped("", 16) == ""


def test_a_small_residual_does_not_read_as_none():
    row = {"status": "published", "flag": "green", "residual_pct": -0.05, "residual": -753, "note": None}
    verdict, _ = accounts.head(row, EN, is_first=False)
    assert verdict[-1] == "Not explained: −753 people, −0.05 % of the people now."

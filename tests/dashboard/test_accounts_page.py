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
    names = ["_".join(output).replace("accounts-", "").replace("-", "_") for output in accounts.OUTPUTS]
    return dict(zip(names, accounts.update(snapshot, View(lang="en", **view), EN), strict=True))


def cells(details):
    """Return the rows of a folded table, the head first."""
    table = details.children[1].children
    head, body = table.children
    return [[cell.children for cell in row.children] for row in [head.children, *body.children]]


def test_the_steps_lead_from_the_people_before_to_the_people_now(snapshot):
    shown = page(snapshot)
    bars = shown["waterfall_figure"].data[0]
    # 68,100 + 900 - 600 + 50 - 20 + 870 = 69,300
    assert list(bars.text) == ["68,100", "+900", "−600", "+50", "−20", "+870", "69,300"]
    assert list(bars.y) == [68_100, 900, 600, 50, 20, 870, 69_300]
    # what goes down starts where the one before ended, less itself: 69,000 - 600; 68,450 - 20
    assert list(bars.base) == [0, 68_100, 68_400, 68_400, 68_430, 68_430, 0]
    assert shown["waterfall_figure"].layout.yaxis.title.text == "People"
    assert cells(shown["more_children"][0])[1:4] == [
        ["People before", "68,100", "98.27"], ["Arrivals", "+900", "+1.30"], ["Departures", "−600", "−0.87"],
    ]  # fmt: skip
    assert shown["title_children"].startswith("Population account · Ulaanbaatar · Round 3")


def test_the_verdict_is_said_in_words_and_not_by_colour_alone(snapshot):
    badge, _, sentence = page(snapshot)["flag_children"]
    assert badge.children == "✓ Balances"
    assert sentence == "Not explained: +870 people, +1.3 % of the people now."


def test_a_narrow_window_runs_from_top_to_bottom(snapshot):
    bars = page(snapshot, width=390)["waterfall_figure"].data[0]
    assert bars.orientation == "h"
    assert bars.x[0] == 68_100


def test_what_is_estimated_stands_beside_what_was_told(snapshot):
    shown = page(snapshot)
    told, estimated = shown["completed_figure"].data[:2]
    assert (list(told.x), list(estimated.x)) == ([69_300], [7_700])
    assert list(estimated.error_x.array) == [2_000]
    assert shown["completed_note_children"] == "77,000 people (75,000 to 79,000); 10.0 % of them are estimated."
    first = cells(shown["completed_more_children"][0])[1]
    assert first == ["People living there", "69,300", "7,700", "77,000", "75,000–79,000", "10.0"]
    axes = shown["completed_figure"].layout
    assert (axes.xaxis.title.text, axes.xaxis2.title.text) == ("People", "People who moved, in the days asked for")


def test_the_sample_speaks_for_the_city_and_hides_what_it_must(snapshot):
    shown = page(snapshot)
    points = shown["survey_figure"].data[0]
    assert list(points.x) == [27.2]
    assert "121 people in the sample" in points.customdata[0]
    assert shown["survey_style"] == {}
    assert cells(shown["survey_more_children"][0])[1][1:] == ["27.2", "23.1–31.8", "121", "1.4"]
    district = page(snapshot, area="MN110102")
    assert district["survey_style"] == {"display": "none"}
    assert district["survey_note_children"] == "No sample that may be published belongs to this round."


@pytest.mark.parametrize(
    ("number", "area", "words"),
    [
        (1, "", "There is no round before"),
        (3, SILENT_KHOROO, "No verdict: Not reported"),
        (3, HIDDEN_KHOROO, "No verdict: Hidden"),
    ],
)
def test_an_area_without_an_account_says_why(snapshot, number, area, words):
    shown = page(snapshot, round=number, area=area)
    assert str(shown["flag_children"]).startswith(words)
    assert shown["waterfall_style"] == {"display": "none"}
    assert "nan" not in str(shown).casefold()


def test_the_table_lists_the_worst_account_first(snapshot):
    rows = accounts.table_rows(snapshot, View(lang="en", level=1), EN)
    assert list(rows["flag_label"]) == ["✓ Balances"]
    assert list(rows["name"]) == ["Ulaanbaatar"]
    assert list(rows["units"]) == ["11 of 12"]


def test_every_round_stands_between_the_limits_and_a_gap_says_why(snapshot):
    shown = page(snapshot, area="MN1101")
    chart = shown["residuals_figure"]
    marks = {trace.marker.symbol: list(trace.y) for trace in chart.data}
    # 6.09 % is over 5: the mark of red, a cross; no other verdict has one
    assert (marks["x"], marks["triangle-up"], marks["circle"]) == ([6.09, 6.09], [], [])
    assert list(chart.data[-1].text) == ["Undefined"]
    assert [shape.y0 for shape in chart.layout.shapes][:4] == [-2, 2, -5, 5]
    assert chart.layout.yaxis.title.text == "% of the people now"
    rows = cells(shown["residuals_more_children"][0])
    assert rows[0] == ["Round", "Not explained, people", "% of the people", "Verdict", "Units reported", "Returns"]
    assert rows[1][1:4] == ["–", "–", "Undefined"]
    assert rows[3][1:] == ["+67", "+6.1 %", "✕ Does not balance (over 5 %)", "4 of 4", "4"]


def test_a_page_says_what_stands_behind_it(snapshot):
    facts = str(page(snapshot)["more_children"][1])
    for words in ("People now = people before", "Preston, Heuveline", "11 of 12", "91.7 %", "Units reported, round 2"):
        assert words in facts


def test_labels_break_between_words():
    assert account_charts.wrapped("Lived elsewhere five years ago", 16) == "Lived elsewhere<br>five years ago"
    assert account_charts.wrapped("", 16) == ""


def test_a_small_residual_does_not_read_as_none():
    row = {"status": "published", "flag": "green", "residual_pct": -0.05, "residual": -753, "note": None}
    verdict, _ = accounts.head(row, EN, is_first=False)
    assert verdict[-1] == "Not explained: −753 people, −0.05 % of the people now."

"""A break shows on the series of its area and of larger ones that hold it, and nowhere else."""

from __future__ import annotations

import datetime as dt

import pytest

from dashboard import breaks
from dashboard.measures import MEASURES
from dashboard.words import Words
from dtm.series_breaks import SeriesBreak, breaks_table

EN, MN = Words("en"), Words("mn")
NAMES = {"MN11": "Ulaanbaatar", "MN1107": "Bayangol", "MN65": "Arkhangai"}


class Made:
    """A release with breaks, whose two rounds are in January and December 2018."""

    rounds = type("Rounds", (), {"index": [1, 2]})

    def __init__(self, *made):
        self.table = breaks_table(made)

    def rows(self, name):
        assert name == "series_break"
        return self.table

    def name(self, pcode, _words):
        return NAMES[pcode]

    def reference_day(self, number):
        return dt.date(2018, 1 if number == 1 else 12, 1)


def made(pcode, series="registered", first=dt.date(2018, 6, 1), last=dt.date(2018, 12, 31), name="stop"):
    return SeriesBreak(name, series, pcode, first, last, "Stopped", "Зогссон", "No office.", "Газаргүй.", "order")


@pytest.mark.parametrize(
    ("pcode", "labels"),
    [
        ("MN1107", ["Stopped"]),
        ("MN110701", ["Stopped"]),
        ("MN11", ["Stopped (Bayangol)"]),
        ("MN65", []),
        ("MN1110", []),
    ],
)
def test_a_break_of_a_district_is_shown_on_it_and_said_to_be_a_part_of_the_city(pcode, labels):
    found = breaks.breaks_of(Made(made("MN1107")), EN, breaks.STOCK_SERIES, pcode=pcode)
    assert [one.label for one in found] == labels
    told = breaks.told(found, EN)
    assert [("holds Bayangol" in text) for text in told] == [one.is_part for one in found]
    assert all("Bayangol, 2018: No office." in text for text in told)


def test_a_break_of_the_country_is_in_no_area_a_part():
    found = breaks.breaks_of(Made(made("MN", "all")), MN, breaks.MOVE_SERIES, pcode="MN65")
    assert [(one.label, one.place, one.is_part) for one in found] == [("Зогссон", "улсын хэмжээнд", False)]


def test_a_figure_is_broken_on_its_day_and_a_change_by_what_lies_between():
    snapshot = Made(made("MN11", last=dt.date(2018, 11, 30)), made("MN11", "all", name="law", last=dt.date(2018, 7, 1)))

    def of(key, number=2, pcode="MN1107"):
        return len(breaks.of_measure(snapshot, EN, MEASURES[key], pcode=pcode, round_number=number))

    assert of("registered_persons") == of("unregistered_share_pct") == 0  # 1 December: both are over
    assert of("change_pct") == 1  # from January to December the law changed
    assert of("change_pct", number=1) == of("actual_persons") == of("change_pct", pcode="MN65") == 0
    ongoing = Made(made("MN11", last=None))
    found = breaks.of_measure(ongoing, EN, MEASURES["registered_persons"], pcode="MN11", round_number=2)
    assert [one.years for one in found] == ["2018–"]

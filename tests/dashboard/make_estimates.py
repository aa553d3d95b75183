"""Make the rows of a small release's estimates, breakdowns, samples and breaks by hand, for the dashboard's tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

Row = tuple[Any, ...]
CITY = "MN11"
DISTRICTS = ("MN1101", "MN1107", "MN1110")
HIDDEN_KHOROO, SILENT_KHOROO = "MN110703", "MN111004"
HIDDEN_PAIR = ("MN1107", "MN1110")
"""The reconciled estimate of this pair is hidden in every round."""
HIDDEN_HOUR = (3, 8)
"""Weekday and hour whose arrivals are hidden."""
BREAK = (dt.date(2025, 6, 1), dt.date(2025, 9, 30))
OLD_BREAK = (dt.date(2017, 1, 9), dt.date(2019, 12, 31))
PUBLISHED = "published"
SMALL_BALANCE = (1000, 90, 60, 5, 2, 0, 1100, 67, 6.09, "red")
"""1,000 people, 90 came, 60 left, 5 were born, 2 died; of the 1,100 there are, 67 are unexplained."""
ITEMS = {
    "sex": (("male", 0.5), ("female", 0.5)),
    "age": (("0_4", 0.1), ("5_14", 0.2), ("15_24", 0.3), ("25_59", 0.3), ("60_plus", 0.1)),
    "registered": (("yes", 0.6), ("no", 0.3), ("not_stated", 0.1)),
    "distance": (("other_aimag", 0.5), ("abroad", 0.1)),
}


def item_rows(number: int, areas: dict[str, int]) -> list[Row]:
    """Return moves by sex, age, registration and distance: shares of 300 (arrivals) or 200 by level, as in `flow`."""
    rows: list[Row] = []
    for source, direction, factor in (("arrivals", "in", 3), ("departures", "out", 2)):
        for pcode, level in areas.items():
            if pcode == SILENT_KHOROO and number == 3:
                continue
            hidden = pcode == HIDDEN_KHOROO and number == 3
            total = factor * 100 * (4 - level) + number
            for breakdown, items in ITEMS.items():
                for item, share in items:
                    value = None if hidden else int(total * share)
                    status = "suppressed" if hidden else PUBLISHED
                    key = (number, source, level, pcode, direction, breakdown, item, "persons")
                    rows.append((*key, value, status, "observed"))
    return rows


def reconciled_rows(number: int) -> list[Row]:
    """Return every pair of districts: 30 told by the destination, 20 by the origin, 25 with 15 to 35 reconciled."""
    rows: list[Row] = []
    for origin in DISTRICTS:
        for destination in DISTRICTS:
            shown = (30 + number, 20, (30 + number) / 20, 25.0 + number, 15.0, 35.0, PUBLISHED)
            hidden = (None, None, None, None, None, None, "suppressed")
            told = hidden if (origin, destination) == HIDDEN_PAIR else shown
            rows.append((number, 2, origin, destination, *told, "reconciled", None))
    return rows


def imputed_rows(number: int) -> list[Row]:
    """Return estimates for all units of the city, a tenth of them estimated, at the last round alone."""
    if number < 3:
        return []
    key = (number, 1, CITY)
    tail = (0.1, PUBLISHED, "imputed", None)
    return [
        (*key, "actual_persons", 69_300, 10_800.0, 77_000.0, 75_000.0, 79_000.0, *tail),
        (*key, "arrivals", 903, 10_800.0, 1003.0, 950.0, 1060.0, *tail),
        (*key, "departures", 603, 10_800.0, 670.0, 640.0, 700.0, *tail),
    ]


def balance_rows(number: int, areas: dict[str, int]) -> list[Row]:
    """Return every area's balance: the city's 900 came, 600 left, 50 were born, 20 died, 870 are unexplained."""
    rows: list[Row] = []
    for pcode, level in areas.items():
        if number == 1:
            rows.append((number, level, pcode, *[None] * 10, "undefined", "no_previous_round"))
        elif pcode == SILENT_KHOROO and number == 3:
            rows.append((number, level, pcode, *[None] * 10, "not_reported", "not_reported"))
        elif pcode == HIDDEN_KHOROO and number == 3:
            rows.append((number, level, pcode, *[None] * 10, "suppressed", None))
        else:
            told = (68_100, 900, 600, 50, 20, 0, 69_300, 870, 1.26, "green") if level == 1 else SMALL_BALANCE
            rows.append((number, level, pcode, *told, PUBLISHED, None))
    return rows


def vital_rows(number: int) -> list[Row]:
    """Return births and deaths of the city."""
    return [(number, 1, CITY, event, count, PUBLISHED, "observed") for event, count in (("births", 50), ("deaths", 20))]


def system_rows(number: int) -> list[Row]:
    """Return indices of the districts as the arrivals tell them: two known, one hidden, one undefined."""
    key = (number, "arrivals", 2)
    return [
        (*key, "movers", 600.0, "persons", PUBLISHED, None),
        (*key, "effectiveness_mei", 12.5, "pct", PUBLISHED, None),
        (*key, "gini_total", None, "ratio", "suppressed", None),
        (*key, "distance_decay", None, "ratio", "undefined", "nobody_moved"),
    ]


def month_rows() -> list[Row]:
    """Return the city's people at two rounds, two months between them and two after the last."""
    days = (
        (dt.date(2025, 3, 1), "observed", 68_100.0), (dt.date(2025, 7, 1), "interpolated", 68_500.0),
        (dt.date(2025, 11, 1), "interpolated", 68_900.0), (dt.date(2026, 3, 1), "imputed", 69_300.0),
        (dt.date(2026, 4, 1), "projected", 69_400.0), (dt.date(2026, 5, 1), "projected", 69_500.0),
    )  # fmt: skip
    return [(1, CITY, "actual", day, value, PUBLISHED, method, None) for day, method, value in days]


def survey_rows(number: int) -> list[Row]:
    """Return who lived where a year ago: most stayed, 400 moved between two districts, one pair is hidden."""
    key = (number, "survey_1y", 2)
    tail = (PUBLISHED, "sampled", None)
    stayers = [(*key, code, code, 20_000.0, 500.0, 19_020.0, 20_980.0, 180, *tail) for code in DISTRICTS]
    return [
        *stayers,
        (*key, "MN1101", "MN1107", 400.0, 80.0, 243.0, 557.0, 40, *tail),
        (*key, "MN65", "MN1107", 300.0, 70.0, 163.0, 437.0, 35, *tail),
        (*key, "MN1110", "MN1107", None, None, None, None, None, "suppressed", "sampled", None),
    ]


def sample_rows(number: int) -> list[Row]:
    """Return what the sample says at the last round: a share of the city, and one of a district that is hidden."""
    if number < 3:
        return []
    told = (27.2, "pct", 1.9, 23.1, 31.8, 1.4, 36, 121, PUBLISHED, "sampled", None)
    hidden = (None, "pct", None, None, None, None, None, None, "suppressed", "sampled", None)
    return [
        (number, 1, CITY, "born_elsewhere_share_pct", "total", *told),
        (number, 2, "MN1101", "born_elsewhere_share_pct", "total", *hidden),
    ]


def hour_rows(number: int) -> list[Row]:
    """Return two hours of every weekday: 40 in and 30 out in 2 hours of watch; one hour is hidden."""
    rows: list[Row] = []
    for direction, count in (("in", 40), ("out", 30)):
        for weekday in range(1, 8):
            for hour in (7, 8):
                hidden = direction == "in" and (weekday, hour) == HIDDEN_HOUR
                told = (None, "suppressed") if hidden else (count, PUBLISHED)
                rows.append((number, direction, weekday, hour, 2.0, *told))
    return rows


def passage_rows(number: int) -> list[Row]:
    """Return estimates of two days, the checkpoint's own and the total."""
    rows: list[Row] = []
    for checkpoint in ("emeelt", "total"):
        for day in (dt.date(2026, 3, 2), dt.date(2026, 3, 3)):
            for direction, value in (("in", 600.0), ("out", 550.0), ("net", 50.0)):
                told = (value, value - 40, value + 40, PUBLISHED, "expanded", None)
                rows.append((number, checkpoint, day, direction, 20.0, 0.85, *told))
    return rows


def break_rows() -> list[Row]:
    """Return a break between two rounds of the release, and one long before them."""
    rows: list[Row] = []
    for name, (begin, end), label in (("test-stop", BREAK, "Stop"), ("old-stop", OLD_BREAK, "Old stop")):
        for series in ("registered", "registration"):
            said = (label, f"{label} mn", "Nobody was registered.", "Хэнийг ч бүртгээгүй.", "test order")
            rows.append((name, series, CITY, begin, end, *said))
    return rows


LABELS: list[Row] = [
    ("sex", "male", "Эрэгтэй", "Male"),
    ("sex", "female", "Эмэгтэй", "Female"),
    ("age_band", "0_4", "0-4", "0-4"),
    ("yesno", "yes", "Тийм", "Yes"),
    ("yesno", "no", "Үгүй", "No"),
    ("move_distance", "other_aimag", "Өөр аймаг", "Another aimag"),
    ("move_distance", "abroad", "Гадаад", "Abroad"),
]


def rows_of_round(number: int, areas: dict[str, int]) -> dict[str, list[Row]]:
    """Return the rows of a round by table; `areas` are levels by P-code."""
    return {
        "flow_item": item_rows(number, areas),
        "flow_estimate": reconciled_rows(number),
        "imputed": imputed_rows(number),
        "balance": balance_rows(number, areas),
        "vital": vital_rows(number),
        "system": system_rows(number),
        "survey_flow": survey_rows(number),
        "survey_estimate": sample_rows(number),
        "passage_hour": hour_rows(number),
    }


def rows_once(rounds: int) -> dict[str, list[Row]]:
    """Return the rows that belong to no single round."""
    return {
        "stock_month": month_rows() if rounds > 2 else [],
        "passage_estimate": passage_rows(rounds),
        "series_break": break_rows(),
    }

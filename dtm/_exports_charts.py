"""Declare the figures of a chart as a table that can be written to a file."""

from __future__ import annotations

from dtm._exports_kinds import ENDS, INTERVAL, METHOD, NOTE, RELEASE, ROUND, STATUS, ExportColumn, Product

_C = ExportColumn

CHART_COLUMNS = (
    _C("chart", "text", "chart the figure is drawn in", "тоог зурсан зураг"),
    _C("chart_label", "text", "the chart in words", "зургийн нэр"),
    _C(
        "series",
        "text",
        "what the value counts: moves, in, out, net, a stock, coverage, or the name of an index",
        "тоо юуг хэлэх: шилжилт, орсон, гарсан, цэвэр, хүн ам, хамралт эсвэл индексийн нэр",
    ),
    _C("series_label", "text", "the same in words", "түүний нэр үгээр"),
    _C(
        "at_least",
        "boolean",
        "true where a hidden part is missing from the value: it is at least that much",
        "нууцалсан хэсэг ороогүй бол true: тоо дор хаяж ийм байна",
    ),
    _C(
        "drawn",
        "text",
        "yes, or why the chart leaves the row out: smaller, between, nowhere, zero or gap",
        "yes (зурсан) эсвэл зураагүй шалтгаан: smaller (бага), between (дунд), nowhere (байршилгүй), zero (тэг), "
        "gap (тоогүй)",
    ),
    _C("drawn_label", "text", "the same in words", "түүнийг үгээр"),
)
"""Columns that only the figures of a chart have."""

CHART = Product(
    "chart-figures",
    "flow_estimate",
    "The figures of a chart of moves",
    "Шилжилт хөдөлгөөний зургийн тоонууд",
    (
        *ROUND, "source", "source_label", "chart", "chart_label", "series", "series_label", "level", "pcode", "name_en",
        "name_mn", *ENDS, "checkpoint", "checkpoint_label", "reason", "reason_label", "breakdown", "breakdown_label",
        "item", "item_label", "day", "weekday", "hour", "value", *INTERVAL, "at_least", "unit", *STATUS, *METHOD, *NOTE,
        "arrivals", "departures", "mirror_ratio", "drawn", "drawn_label", "series_break", "units_expected",
        "units_reported", "hours_observed", "base_persons", *RELEASE,
    ),
)  # fmt: skip
"""What the page of flows hands out under a chart; its rows come of several tables."""

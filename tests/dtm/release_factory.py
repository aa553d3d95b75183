"""Build a small release folder by hand from the declared tables, for tests of what reads releases."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from dtm._release_tables import RELEASE_TABLES
from dtm.engine import connect
from dtm.released import DATABASE_FILE, MANIFEST_FILE, Release

if TYPE_CHECKING:
    from pathlib import Path

RELEASE_ID = "2024-10-31-round-2"
MANIFEST: dict[str, Any] = {
    "release_id": RELEASE_ID,
    "is_demonstration": True,
    "built_at": "2024-11-05T08:00:00+00:00",
    "operation": "Test operation",
    "inputs": [{"file_name": "round-2.csv", "sha256": "ab" * 32}],
}

# Two khoroos (unit squares side by side, 0.1 degrees) in one district of the city, and one aimag outside.
WEST = "POLYGON ((106.8 47.9, 106.9 47.9, 106.9 48.0, 106.8 48.0, 106.8 47.9))"
EAST = "POLYGON ((106.9 47.9, 107.0 47.9, 107.0 48.0, 106.9 48.0, 106.9 47.9))"
BOTH = "POLYGON ((106.8 47.9, 106.9 47.9, 107.0 47.9, 107.0 48.0, 106.9 48.0, 106.8 48.0, 106.8 47.9))"

AREAS = [
    ("MN11", 1, None, None, "Улаанбаатар", "Ulaanbaatar", 166.0, None, 106.9, 47.95, BOTH),
    ("MN1107", 2, "MN11", None, "Баянгол", "Bayangol", 166.0, None, 106.9, 47.95, BOTH),
    ("MN110701", 3, "MN1107", 1, "1-р хороо", "Khoroo 1", 83.0, 2.5, 106.85, 47.95, WEST),
    ("MN110702", 3, "MN1107", 2, "2-р хороо", "Khoroo 2", 83.0, 0.0, 106.95, 47.95, EAST),
]
PLACES = [
    *((code, level, mn, en, lon, lat) for code, level, _, _, mn, en, _, _, lon, lat, _ in AREAS),
    ("MN67", 1, "Хөвсгөл", "Khuvsgul", 100.16, 49.63),
    ("abroad", None, "Гадаад улс", "Abroad", None, None),
    ("unknown", None, "Тодорхойгүй", "Unknown", None, None),
]
ROUNDS = [
    (
        1,
        "Test operation",
        dt.date(2024, 4, 1),
        dt.date(2024, 4, 30),
        dt.date(2024, 4, 30),
        182,
        "ub",
        1,
    ),
    (
        2,
        "Test operation",
        dt.date(2024, 10, 1),
        dt.date(2024, 10, 31),
        dt.date(2024, 10, 31),
        184,
        "ub",
        1,
    ),
]
COVERAGE = [
    (2, 1, "MN11", 4, 3, 0.75, 3, 3, 0),
    (2, 2, "MN1107", 4, 3, 0.75, 3, 3, 0),
    (2, 3, "MN110701", 2, 2, 1.0, 2, 2, 0),
    (2, 3, "MN110702", 2, 1, 0.5, 1, 1, 0),
]
STOCKS = [
    (2, 3, "MN110701", "actual", "persons", "total", "total", 812, "published", "observed"),
    (2, 3, "MN110701", "actual", "persons", "sex", "male", 400, "published", "observed"),
    (2, 3, "MN110701", "actual", "persons", "age", "0_4", None, "suppressed", "observed"),
    (2, 3, "MN110701", "actual", "households", "dwelling", "ger", 0, "published", "observed"),
    (2, 3, "MN110702", "actual", "persons", "total", "total", None, "not_reported", "observed"),
    (2, 2, "MN1107", "actual", "persons", "total", "total", 812, "published", "observed"),
]
FLOWS = [
    (2, "arrivals", 3, "MN110701", "MN67", "in", "total", "MN67", "MN110701", "persons", 24, "published", "observed"),
    (
        2,
        "arrivals",
        3,
        "MN110701",
        "MN67",
        "in",
        "total",
        "MN67",
        "MN110701",
        "households",
        None,
        "suppressed",
        "observed",
    ),
    (
        2,
        "arrivals",
        3,
        "MN110701",
        "abroad",
        "in",
        "total",
        "abroad",
        "MN110701",
        "persons",
        None,
        "suppressed",
        "observed",
    ),
    (2, "arrivals", 3, "MN110701", "total", "in", "total", "total", "MN110701", "persons", 31, "published", "observed"),
    (2, "arrivals", 3, "MN110701", "total", "in", "work", "total", "MN110701", "persons", 31, "published", "observed"),
    (
        2,
        "departures",
        3,
        "MN110701",
        "MN110701",
        "out",
        "total",
        "MN110701",
        "MN110701",
        "persons",
        12,
        "published",
        "observed",
    ),
    (2, "checkpoint", 1, "MN11", "MN67", "in", "total", "MN67", "MN11", "persons", 480, "published", "observed"),
    (2, "checkpoint", 1, "MN11", "total", "in", "total", "total", "MN11", "persons", 480, "published", "observed"),
]
INDICATORS = [
    (2, 3, "MN110701", "net_per_1000", 12.5, "per_1000_year", "published", None),
    (2, 3, "MN110702", "net_per_1000", None, "per_1000_year", "undefined", "not_reported"),
]
DENSITIES = [
    (2, 3, "MN110701", "persons_per_km2", 812 / 83.0, "persons_per_km2", "published", None),
    (2, 3, "MN110702", "persons_per_km2", None, "persons_per_km2", "undefined", "not_reported"),
]
PASSAGE_DAYS = [
    (2, "emeelt", dt.date(2024, 10, 2), "in", "persons", 10.0, "8-17", 300, "published"),
    (2, "emeelt", dt.date(2024, 10, 2), "out", "persons", 10.0, "8-17", 200, "published"),
    (2, "nalaikh", dt.date(2024, 10, 2), "in", "persons", 6.5, None, 180, "published"),
    (None, "nalaikh", dt.date(2024, 12, 2), "in", "persons", 4.0, None, 90, "published"),
]
FINDINGS = [
    (2, "kheseg-baseline", "E001", "error", "round-2.csv", None, 7, "persons", "=2+5 is not a number", "тоо биш"),
    (None, "ub", "A003", "warning", "khoroo.geojson", "khoroo", 3, None, "Overlap", "Давхцал"),
]
EXPOSURE = [
    (2, "flood", 3, "MN110701", 0.25, 203, 0, 812, "published"),
    (2, "flood", 3, "MN110702", 0.1, None, None, None, "suppressed"),
]
FLOW_ITEMS = [
    (2, "arrivals", 3, "MN110701", "in", "sex", "male", "persons", 16, "published", "observed"),
    (2, "arrivals", 3, "MN110701", "in", "sex", "female", "persons", 15, "published", "observed"),
    (2, "arrivals", 3, "MN110701", "in", "registered", "yes", "persons", None, "suppressed", "observed"),
]
VITALS = [
    (2, 2, "MN1107", "births", 21, "published", "observed"),
    (2, 2, "MN1107", "deaths", None, "suppressed", "observed"),
]
FLOW_ESTIMATES = [
    (2, 3, "MN110701", "MN110702", 30, 24, 1.25, 27.5, 20.0, 36.0, "published", "reconciled", None),
    (2, 3, "MN110702", "MN110701", None, None, None, None, None, None, "suppressed", "reconciled", "told_by_origin"),
]
IMPUTED = [
    (2, 2, "MN1107", "arrivals", 31, 400.0, 46.5, 40.0, 55.0, 1 / 3, "published", "imputed", None),
    (2, 3, "MN110702", "arrivals", None, None, None, None, None, None, "undefined", "imputed", "few_respondents"),
]
BALANCES = [
    (2, 2, "MN1107", 800, 31, 12, 21, 4, 0, 812, -24, -2.96, "amber", "published", None),
    (2, 3, "MN110702", None, None, None, None, None, None, None, None, None, None, "not_reported", "not_reported"),
]
SYSTEMS = [(2, "arrivals", 3, "movers", 31.0, "persons", "published", None)]
STOCK_MONTHS = [
    (2, "MN1107", "actual", dt.date(2024, 11, 1), 813.4, "published", "projected", None),
    (2, "MN1107", "actual", dt.date(2024, 10, 31), 812.0, "published", "observed", None),
]
CARRIED = [
    (1, dt.date(2022, 4, 30), "ub-152", "area", 3, "MN110701", "actual", 790, 0.4, 1.0, "published", "carried"),
]
SURVEY_ESTIMATES = [
    (2, 2, "MN1107", "dwelling_share_pct", "ger", 41.25, "pct", 2.5, 36.0, 46.0, 1.4, 120, 400, "published", "sampled",
     None),
    (2, 2, "MN1107", "sex_ratio", "total", None, "males_per_100_females", None, None, None, None, None, None,
     "suppressed", "sampled", None),
]  # fmt: skip
SURVEY_FLOWS = [
    (2, "survey_1y", 2, "MN67", "MN1107", 61.5, 8.0, 45.0, 78.0, 40, "published", "sampled", None),
    (2, "survey_1y", 2, "MN1107", "MN1107", 700.25, 20.0, 660.0, 740.0, 300, "published", "sampled", None),
    (2, "survey_1y", 2, "abroad", "MN1107", None, None, None, None, None, "suppressed", "sampled", None),
]
PASSAGE_HOURS = [(2, "in", 1, 8, 5.0, 90, "published"), (2, "in", 7, 23, None, None, "suppressed")]
PASSAGE_ESTIMATES = [
    (2, "emeelt", dt.date(2024, 10, 2), "in", 10.0, 0.6, 500.0, 450.0, 560.0, "published", "expanded", None),
    (None, "total", dt.date(2024, 12, 2), "net", 4.0, None, None, None, None, "undefined", "expanded",
     "few_respondents"),
]  # fmt: skip
LABELS = [
    ("reason", "work", "Ажил эрхлэх", "Work"),
    ("category", "actual", "Бодитоор амьдарч буй", "Really living there"),
    ("dwelling", "ger", "Гэр", "Ger"),
    ("density", "persons_per_km2", "1 км2-д ногдох хүн", "Persons per km2"),
    ("indicator", "net_per_1000", "Цэвэр шилжилт, 1000 хүнд", "Net moves per 1,000 people"),
    ("system", "movers", "Шилжсэн хүн", "People who moved"),
    ("survey_estimate", "dwelling_share_pct", "Сууцны төрөл", "Kind of dwelling"),
    ("survey_estimate", "sex_ratio", "100 эмэгтэйд ногдох эрэгтэй", "Men per 100 women"),
    ("checkpoint", "nalaikh", "Налайх", "Nalaikh"),
    ("checkpoint", "emeelt", "Эмээлт", "Emeelt"),
]
ROWS: dict[str, list[tuple[Any, ...]]] = {
    "area": AREAS,
    "place": PLACES,
    "round": ROUNDS,
    "coverage": COVERAGE,
    "stock": STOCKS,
    "flow": FLOWS,
    "indicator": INDICATORS,
    "density": DENSITIES,
    "passage_day": PASSAGE_DAYS,
    "flow_item": FLOW_ITEMS,
    "vital": VITALS,
    "flow_estimate": FLOW_ESTIMATES,
    "imputed": IMPUTED,
    "balance": BALANCES,
    "system": SYSTEMS,
    "stock_month": STOCK_MONTHS,
    "carried": CARRIED,
    "survey_estimate": SURVEY_ESTIMATES,
    "survey_flow": SURVEY_FLOWS,
    "passage_hour": PASSAGE_HOURS,
    "passage_estimate": PASSAGE_ESTIMATES,
    "finding": FINDINGS,
    "exposure": EXPOSURE,
    "code_label": LABELS,
}


def build_release(
    folder: Path, *, rows: dict[str, list[tuple[Any, ...]]] | None = None, manifest: dict[str, Any] | None = None
) -> Release:
    """Write a release folder and open it.

    Parameters
    ----------
    folder
        Where the release's folder is made; it is named like the release.
    rows
        Tables to take instead of the ones above.
    manifest
        Keys to lay over the manifest above.
    """
    path = folder / RELEASE_ID
    path.mkdir(parents=True)
    connection = connect(path / DATABASE_FILE, threads=1)
    for name, table in RELEASE_TABLES.items():
        connection.execute(table.create_sql())
        values = {**ROWS, **(rows or {})}.get(name, [])
        if values:
            places = ", ".join("ST_GeomFromText(?::VARCHAR)" if c.type == "GEOMETRY" else "?" for c in table.columns)
            connection.executemany(f"INSERT INTO {name} VALUES ({places})", values)
    connection.close()
    (path / MANIFEST_FILE).write_text(
        json.dumps({**MANIFEST, **(manifest or {})}, ensure_ascii=False), encoding="utf-8"
    )
    return Release(path)

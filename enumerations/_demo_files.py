"""Write the tables of a demonstration round as the files that tools send: CSV, workbook, Kobo's data JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import xlsxwriter

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from enumerations._demo_tables import DemoRound

GROUPS = {
    "place": ("unit", "district", "khoroo", "kheseg"),
    "counts": (
        "registered_households", "registered_persons", "actual_households", "actual_persons",
        "registered_absent_persons", "unregistered_persons",
    ),
    "dwellings": ("ger_households", "house_households", "apartment_households", "other_households"),
    "vital": ("births_persons", "deaths_persons"),
}  # fmt: skip
"""Groups of the Kobo form; questions in none of them stand at the top."""
UTC_OFFSET = "+08:00"
"""Kobo sends times with the phone's zone."""
WORKBOOK_CREATED = datetime(2025, 5, 1, tzinfo=UTC)


def write_csv(folder: Path, plan: DemoRound, tables: dict[str, pd.DataFrame]) -> list[Path]:
    """Write one CSV per table."""
    paths = []
    for name, table in tables.items():
        path = folder / f"demonstration-round-{plan.number}-{name}.csv"
        table.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
        paths.append(path)
    return paths


def write_workbook(folder: Path, plan: DemoRound, tables: dict[str, pd.DataFrame]) -> list[Path]:
    """Write one workbook with a sheet per table."""
    path = folder / f"demonstration-round-{plan.number}.xlsx"
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        book.set_properties({"title": "Demonstration", "created": WORKBOOK_CREATED})
        for name, table in tables.items():
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, list(table.columns))
            for number, row in enumerate(_plain_rows(table), start=1):
                for column, value in enumerate(row):
                    if value is None or value == "":
                        continue
                    if isinstance(value, str):
                        sheet.write_string(number, column, value)
                    else:
                        sheet.write_number(number, column, value)
    return [path]


def _plain_rows(table: pd.DataFrame) -> list[list[Any]]:
    """Return rows of Python's own values, None where a value is missing."""
    columns = [
        [None if value is None or value != value else value for value in table[name].tolist()]  # noqa: PLR0124  NaN alone differs from itself
        for name in table.columns
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def write_kobo(folder: Path, plan: DemoRound, tables: dict[str, pd.DataFrame]) -> list[Path]:
    """Write the data JSON of Kobo's API: texts for all answers, group paths, repeats as lists."""
    group_of = {name: f"{group}/{name}" for group, names in GROUPS.items() for name in names}
    repeats = {name: _repeats(name, tables[name]) for name in ("arrivals", "departures")}
    results = []
    baseline = tables["baseline"]
    for number, row in enumerate(_plain_rows(baseline), start=1):
        answers = dict(zip(baseline.columns, row, strict=True))
        instance = answers.pop("instance_id")
        lon, lat, accuracy = (answers.pop(name) for name in ("lon", "lat", "accuracy_m"))
        collected = f"{answers.pop('collected_at')}.000{UTC_OFFSET}"
        record: dict[str, Any] = {
            "_id": number,
            "_uuid": instance,
            "__version__": answers.pop("form_version"),
            "end": collected,
            "_submission_time": datetime.fromisoformat(collected).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "_geolocation": [lat, lon],
            "accuracy_m": str(accuracy),
            "_validation_status": {},
        }
        record |= {group_of.get(name, name): str(value) for name, value in answers.items() if value not in (None, "")}
        for name, own in repeats.items():
            if instance in own:
                record[name] = own[instance]
        results.append(record)
    path = folder / f"demonstration-round-{plan.number}.json"
    document = {"count": len(results), "next": None, "previous": None, "results": results}
    path.write_text(json.dumps(document, ensure_ascii=False, indent=None), encoding="utf-8")
    return [path]


def _repeats(name: str, table: pd.DataFrame) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    columns = [column for column in table.columns if column != "instance_id"]
    for instance, row in zip(table["instance_id"], _plain_rows(table[columns]), strict=True):
        item = {f"{name}/{column}": str(value) for column, value in zip(columns, row, strict=True) if value is not None}
        found.setdefault(instance, []).append(item)
    return found

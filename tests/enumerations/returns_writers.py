"""Write the same returns in the format of every tool that enumerators' returns come from."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from typing import TYPE_CHECKING

import xlsxwriter

from enumerations._questions import question_labels
from enumerations.codelists import choices_of
from enumerations.columns import FORMS

if TYPE_CHECKING:
    from pathlib import Path

    from enumerations.columns import FormColumn

    Row = dict[str, str | None]
    Tables = dict[str, list[Row]]

TABLES = {table.name: table for table in FORMS["kheseg-baseline"]}
GROUPS = {
    "enumerator": "place", "unit": "place", "registered_households": "people", "registered_persons": "people",
    "actual_households": "people", "actual_persons": "people/present", "male_persons": "people/present",
    "problems": "people", "services_lacking": "services",
}  # fmt: skip
"""Groups of the questions of the form that the returns are written from; the others stand at the top."""
POINT = ("lon", "lat", "accuracy_m")
SYSTEM = {"instance_id": "_uuid", "form_version": "__version__", "review_state": "_validation_status"}
ODK_SYSTEM = {"instance_id": "KEY", "form_version": "FormVersion", "review_state": "ReviewState"}
LANGUAGES = {"mn": "label_mn", "en": "label_en"}


def write_plain(path: Path, rows: list[Row], names: list[str] | None = None) -> Path:
    """Write one CSV."""
    names = names or list(rows[0])
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([row.get(name) for name in names] for row in rows)
    return path


def write_csv(folder: Path, tables: Tables) -> list[Path]:
    """Write a CSV for each table, with canonical names."""
    return [write_plain(folder / f"{name}.csv", rows) for name, rows in tables.items() if rows]


def write_book(path: Path, sheets: dict[str, list[list[str | None]]]) -> list[Path]:
    """Write a workbook of texts; sheet names are cut as Excel wants them."""
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name[:31])
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    if value is not None:
                        sheet.write_string(number, column, value)
    return [path]


def write_xlsx(folder: Path, tables: Tables) -> list[Path]:
    """Write a workbook with a sheet for each table, with canonical names."""
    sheets = {name: [list(rows[0]), *(list(row.values()) for row in rows)] for name, rows in tables.items() if rows}
    return write_book(folder / "returns.xlsx", sheets)


def _path(name: str) -> str:
    return f"{GROUPS[name]}/{name}" if name in GROUPS else name


def _kobo_results(tables: Tables) -> list[dict[str, object]]:
    results = []
    for number, row in enumerate(tables["baseline"], 1):
        result: dict[str, object] = {"_id": number, "_uuid": row["instance_id"], "__version__": row["form_version"]}
        result["_validation_status"] = {"uid": row["review_state"]} if row["review_state"] else {}
        result |= {
            _path(name): value for name, value in row.items() if value and name not in SYSTEM and name not in POINT
        }
        if row["lat"]:
            result["_geolocation"] = [float(row["lat"]), float(row["lon"] or 0)]
            result["location"] = f"{row['lat']} {row['lon']} 1300.5 {row['accuracy_m']}"
        for repeat in ("arrivals", "departures"):
            own = [one for one in tables[repeat] if one["instance_id"] == row["instance_id"]]
            if own:
                result[f"moves/{repeat}"] = [
                    {f"moves/{repeat}/{key}": value for key, value in one.items() if value and key != "instance_id"}
                    for one in own
                ]
        results.append(result)
    return results


def write_kobo_json(folder: Path, tables: Tables) -> list[Path]:
    """Write the answer of Kobo's data API."""
    results = _kobo_results(tables)
    path = folder / "data.json"
    path.write_text(json.dumps({"count": len(results), "next": None, "results": results}), encoding="utf-8")
    return [path]


def write_json_lines(folder: Path, tables: Tables) -> list[Path]:
    """Write a return on each line, packed."""
    path = folder / "kobo.jsonl.gz"
    lines = [json.dumps(one, ensure_ascii=False) + "\n" for one in _kobo_results(tables)]
    path.write_bytes(gzip.compress("".join(lines).encode()))
    return [path]


def label_of(column: FormColumn, table: str, language: str) -> str:
    """Return the label of a question in one language."""
    told = question_labels(table, column.name)
    at = 1 if language == "mn" else 0
    return told[at] if len(told) > at else (column.meaning_mn if language == "mn" else column.meaning_en)


def _shown(column: FormColumn, value: str | None, language: str | None) -> str | None:
    if value is None or language is None or column.kind not in {"code", "codes", "yesno"}:
        return value
    labels = {one.code: getattr(one, LANGUAGES[language]) for one in choices_of(column.codelist or "yesno")}
    return " ".join(labels[part] for part in value.split()) if column.kind == "codes" else labels[value]


def _kobo_cells(table: str, row: Row, *, separator: str, language: str | None, multiple: str) -> dict[str, str | None]:
    """Return the cells of one row of a Kobo export by header."""
    cells: dict[str, str | None] = {}
    for name, value in row.items():
        if name in SYSTEM or name in POINT:
            continue
        column = TABLES[table].by_name[name]
        question = label_of(column, table, language) if language else name
        group = GROUPS.get(name, "") if table == "baseline" else ""
        header = separator.join([*(part for part in group.split("/") if part), question]) if separator else question
        if column.kind != "codes" or multiple in {"one", "both"}:
            cells[header] = _shown(column, value, language)
        if column.kind == "codes" and multiple in {"split", "both"}:
            for choice in choices_of(column.codelist):
                text = getattr(choice, LANGUAGES[language]) if language else choice.code
                ticked = choice.code in (value or "").split()
                cells[f"{header}{separator or '/'}{text}"] = None if value is None else "1" if ticked else "0"
    return cells


def _kobo_sheets(
    tables: Tables, *, separator: str = "/", language: str | None = None, multiple: str = "both", uuid: bool = True
) -> dict[str, list[dict[str, str | None]]]:
    options = {"separator": separator, "language": language, "multiple": multiple}
    sheets: dict[str, list[dict[str, str | None]]] = {"Хэсгийн суурь мэдээлэл": []}
    root = sheets["Хэсгийн суурь мэдээлэл"]
    index = {}
    for number, row in enumerate(tables["baseline"], 1):
        cells = _kobo_cells("baseline", row, **options)
        cells["location"] = f"{row['lat']} {row['lon']} 1300.5 {row['accuracy_m']}" if row["lat"] else None
        cells |= {"_location_latitude": row["lat"], "_location_longitude": row["lon"]}
        cells |= {"_location_altitude": "1300.5" if row["lat"] else None, "_location_precision": row["accuracy_m"]}
        cells |= {"_id": str(number), "_uuid": row["instance_id"], "_submission_time": "2024-02-10T02:00:00"}
        cells |= {"__version__": row["form_version"], "_validation_status": row["review_state"]}
        cells["_index"] = index[row["instance_id"]] = str(number)
        root.append(cells)
    for repeat in ("arrivals", "departures"):
        for number, row in enumerate(tables[repeat], 1):
            cells = _kobo_cells(repeat, row, **options)
            cells |= {"_index": str(number), "_parent_table_name": "Хэсгийн суурь мэдээлэл"}
            cells["_parent_index"] = index[row["instance_id"]]
            cells |= {"_submission__uuid": row["instance_id"]} if uuid else {}
            cells["_submission__validation_status"] = "validation_status_not_approved"
            sheets.setdefault(repeat, []).append(cells)
    return sheets


def write_kobo_xlsx(folder: Path, tables: Tables, **options: object) -> list[Path]:
    """Write Kobo's export as a workbook: one sheet for the returns, one for each repeat."""
    sheets = _kobo_sheets(tables, **options)  # type: ignore[arg-type]
    rows = {name: [list(own[0]), *(list(row.values()) for row in own)] for name, own in sheets.items() if own}
    return write_book(folder / "export.xlsx", rows)


def write_kobo_csv(folder: Path, tables: Tables, **options: object) -> list[Path]:
    """Write Kobo's export as CSV files with semicolons."""
    paths = []
    for number, rows in enumerate(_kobo_sheets(tables, **options).values()):  # type: ignore[arg-type]
        path = folder / f"export-{number}.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL)
            writer.writerows([list(rows[0]), *([cell or "" for cell in row.values()] for row in rows)])
        paths.append(path)
    return paths


def _odk_answers(row: Row) -> dict[str, object]:
    answers: dict[str, object] = {}
    for name, value in row.items():
        if name in ODK_SYSTEM or name in POINT:
            continue
        inner = answers
        for part in [part for part in GROUPS.get(name, "").split("/") if part]:
            inner = inner.setdefault(part, {})  # type: ignore[assignment]
        inner[name] = value
    return answers


def write_odata(folder: Path, tables: Tables) -> list[Path]:
    """Write ODK Central's OData answer with the repeats expanded."""
    value = []
    for row in tables["baseline"]:
        record = _odk_answers(row)
        record["location"] = None
        if row["lat"]:
            point = [float(row["lon"] or 0), float(row["lat"]), 1300.5]
            accuracy = {"accuracy": float(row["accuracy_m"] or 0)}
            record["location"] = {"type": "Point", "coordinates": point, "properties": accuracy}
        record |= {"__id": row["instance_id"], "meta": {"instanceID": f"uuid:edited-{row['instance_id']}"}}
        record["__system"] = {"formVersion": row["form_version"], "reviewState": row["review_state"], "edits": 1}
        for repeat in ("arrivals", "departures"):
            own = [one for one in tables[repeat] if one["instance_id"] == row["instance_id"]]
            if own:
                record[f"{repeat}@odata.navigationLink"] = f"Submissions('x')/{repeat}"
                record[repeat] = [
                    {**{key: text for key, text in one.items() if key != "instance_id"}, "__id": "0" * 40}
                    for one in own
                ]
        value.append(record)
    path = folder / "odata.json"
    path.write_text(json.dumps({"value": value, "@odata.context": "x"}, ensure_ascii=False), encoding="utf-8")
    return [path]


def write_odk_zip(folder: Path, tables: Tables, *, groups: bool = True, split: bool = False) -> list[Path]:
    """Write ODK Central's `submissions.csv.zip`."""
    files: dict[str, list[dict[str, str | None]]] = {"form": []}
    for row in tables["baseline"]:
        cells: dict[str, str | None] = {"SubmissionDate": "2024-02-11T02:00:00.000Z"}
        for name, value in row.items():
            if name in ODK_SYSTEM or name in POINT:
                continue
            header = _path(name).replace("/", "-") if groups else name
            cells[header] = value
            column = TABLES["baseline"].by_name[name]
            if split and column.kind == "codes":
                for choice in choices_of(column.codelist):
                    cells[f"{header}/{choice.code}"] = str(int(choice.code in (value or "").split()))
        cells |= {"location-Latitude": row["lat"], "location-Longitude": row["lon"]}
        cells |= {"location-Altitude": None, "location-Accuracy": row["accuracy_m"]}
        cells |= {"meta-instanceID" if groups else "instanceID": f"uuid:edited-{row['instance_id']}"}
        cells |= {header: row[name] for name, header in ODK_SYSTEM.items()}
        files["form"].append(cells)
    for repeat in ("arrivals", "departures"):
        for number, row in enumerate(tables[repeat], 1):
            cells = {key: value for key, value in row.items() if key != "instance_id"}
            cells |= {"PARENT_KEY": row["instance_id"], "KEY": f"{row['instance_id']}/{repeat}[{number}]"}
            files.setdefault(f"form-{repeat}", []).append(cells)
    path = folder / "submissions.csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, rows in files.items():
            text = io.StringIO()
            writer = csv.writer(text, lineterminator="\n")
            writer.writerows([list(rows[0]), *(list(row.values()) for row in rows)])
            archive.writestr(f"{name}.csv", text.getvalue())
        archive.writestr("media/", "")
    return [path]


def their_name(name: str) -> str:
    """Return the name of a column in a form of others."""
    return f"Q {name[::-1]}"


def write_renamed(folder: Path, tables: Tables) -> list[Path]:
    """Write a workbook whose columns have names of their own; counts are in hundreds, codes are numbers."""
    sheets = {}
    for name, rows in tables.items():
        cells: list[list[str | None]] = [[their_name(key) for key in rows[0]]] if rows else []
        cells += [[_renamed(name, key, value) for key, value in row.items()] for row in rows]
        if cells:
            sheets[f"t {name}"] = cells
    return write_book(folder / "other.xlsx", sheets)


def _renamed(table: str, name: str, value: str | None) -> str | None:
    column = TABLES[table].by_name[name]
    if value is not None and name == "registered_persons":
        return f"{int(value) / 100:.2f}"
    if value is not None and column.kind in {"code", "codes"}:
        codes = [one.code for one in choices_of(column.codelist)]
        return " ".join(str(codes.index(part)) for part in value.split())
    return value


def mapping_of(tables: Tables) -> str:
    """Return the mapping file that reads what `write_renamed` writes."""
    lines = ['[form]\nname = "kheseg-baseline"\n']
    for table, rows in tables.items():
        if not rows:
            continue
        lines.append(f'[tables.{table}]\nsource = "t {table}"\n[tables.{table}.columns]')
        for name in rows[0]:
            column = TABLES[table].by_name[name]
            more = ', unit = "hundreds"' if name == "registered_persons" else ""
            if column.kind in {"code", "codes"}:
                pairs = [f'"{at}" = "{one.code}"' for at, one in enumerate(choices_of(column.codelist))]
                more = f", codes = {{ {', '.join(pairs)} }}"
            lines.append(f'{name} = {{ column = "{their_name(name)}"{more} }}')
    return "\n".join(lines)

"""Read the data JSON that KoboToolbox gives for a form: group paths, repeats, GPS and review state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from enumerations._headers import plain, recognise
from enumerations._staging import Connection, Record, StagedTable, column_findings, write_records
from enumerations.errors import EmptyFileError, WrongFileTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LONGITUDE, LATITUDE = "lon", "lat"


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value).replace("\0", "\ufffd").strip() or None


def _is_repeat(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _flatten(record: dict[str, Any], flat: dict[str, str | None], repeats: dict[str, list[dict[str, Any]]]) -> None:
    for key, value in record.items():
        if key == "_geolocation":
            pair = value if isinstance(value, list) else []
            if len(pair) == 2:  # noqa: PLR2004  latitude and longitude
                flat.setdefault(LATITUDE, _text(pair[0]))
                flat.setdefault(LONGITUDE, _text(pair[1]))
        elif key == "_validation_status":
            flat[key] = _text(value.get("uid") if isinstance(value, dict) else value)
        elif key == "_submission_time":
            text = _text(value)
            flat[key] = f"{text}Z" if text and text[-1].isdigit() and "+" not in text else text
        elif _is_repeat(value) and not key.startswith("_"):
            repeats.setdefault(plain(key), []).extend(value)
        elif isinstance(value, dict) and not key.startswith("_"):
            _flatten(value, flat, repeats)
        else:
            flat[key] = _text(value)


def _identity(flat: dict[str, str | None]) -> str | None:
    by_name = {plain(key): value for key, value in flat.items()}
    for key in ("instance_id", "_uuid", "instanceid"):
        if by_name.get(key):
            return by_name[key]
    return None


def _load(path: Path) -> list[Any]:
    try:
        document = json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        raise WrongFileTypeError(
            f"{path.name}: not readable as JSON at line {error.lineno}, column {error.colno} ({error.msg}); "
            "the file may be cut. Download it again."
        ) from error
    except RecursionError as error:
        raise WrongFileTypeError(f"{path.name}: the JSON is nested too deep for returns. Download it again.") from error
    except UnicodeDecodeError as error:
        raise WrongFileTypeError(f"{path.name}: the JSON is not UTF-8 text ({error}). Download it again.") from error
    results = document.get("results") if isinstance(document, dict) else document
    if not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
        raise WrongFileTypeError(
            f"{path.name}: this JSON is not Kobo's data answer; it needs 'results', a list of returns."
        )
    if not results:
        raise EmptyFileError(f"{path.name}: the file holds no returns.")
    return results


def stage_kobo(connection: Connection, path: Path, relation: str, *, form: str | None) -> list[StagedTable]:
    """Stage the returns of a Kobo data answer and each of their repeats; records count from 1.

    Raises
    ------
    EnumerationsError
        The file is no JSON, no Kobo answer, empty, or its fields fit no table.
    """
    parents: list[dict[str, str | None]] = []
    repeats: dict[str, list[dict[str, str | None]]] = {}
    for result in _load(path):
        flat: dict[str, str | None] = {}
        nested: dict[str, list[dict[str, Any]]] = {}
        _flatten(result, flat, nested)
        parents.append(flat)
        for name, items in nested.items():
            for item in items:
                row: dict[str, str | None] = {"instance_id": _identity(flat)}
                _flatten(item, row, {})
                repeats.setdefault(name, []).append(row)
    staged = [_stage(connection, path, f"{relation}_0", None, parents, form)]
    root_form = staged[0].header.table.form
    for number, (name, rows) in enumerate(repeats.items(), 1):
        staged.append(_stage(connection, path, f"{relation}_{number}", name, rows, root_form))
    return staged


def _stage(
    connection: Connection,
    path: Path,
    relation: str,
    sheet: str | None,
    rows: list[dict[str, str | None]],
    form: str | None,
) -> StagedTable:
    names = list(dict.fromkeys(key for row in rows for key in row))
    place = f"{path.name}, repeat '{sheet}'" if sheet else path.name
    header = recognise(names, form=form, place=place)
    records: Iterable[Record] = (
        Record(number, [row.get(name) for name in names]) for number, row in enumerate(rows, 1)
    )
    write_records(connection, relation, width=len(names), records=records)
    findings = column_findings(header, file_name=path.name, sheet=sheet)
    return StagedTable(header, relation, path.name, sheet, findings)

"""Flatten a return of KoboToolbox's data API: group paths, repeats, GPS and review state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from enumerations._records import Row

LONGITUDE, LATITUDE = "lon", "lat"
Repeats = dict[str, list[dict[str, Any]]]


def as_text(value: Any) -> str | None:
    """Return a JSON value as the text of a cell; numbers were left as text by the reader of JSON."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in value):
        return " ".join(text for text in map(as_text, value) if text) or None
    return json.dumps(value, ensure_ascii=False)


def is_repeat(value: Any) -> bool:
    """Return whether a value is the rows of a repeat; one without rows can't be told from other empty lists."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def flatten_kobo(record: dict[str, Any], row: Row, repeats: Repeats, *, prefix: str = "") -> None:
    """Put the answers of a return (or of one row of a repeat) into `row`, and the rows of its repeats into `repeats`.

    Times of the server are UTC and get their 'Z'; the state of validation becomes its code.
    """
    for name, value in record.items():
        key = prefix + name
        if isinstance(value, str):
            row[key] = value.strip() or None
        elif value is None:
            row[key] = None
        elif value == [] and key != "_geolocation":
            if name.startswith("_"):
                row[key] = None
        elif name.startswith("_"):
            _flatten_system(key, value, row)
        elif is_repeat(value):
            repeats.setdefault(key, []).extend(value)
        elif isinstance(value, dict):
            flatten_kobo(value, row, repeats, prefix=f"{key}/")
        else:
            row[key] = as_text(value)
    sent = row.get("_submission_time")
    if sent and sent[-1].isdigit() and "+" not in sent:
        row["_submission_time"] = f"{sent}Z"


def _flatten_system(key: str, value: Any, row: Row) -> None:
    if key == "_geolocation":
        if isinstance(value, list) and len(value) == 2:  # noqa: PLR2004  latitude and longitude
            row.setdefault(LATITUDE, as_text(value[0]))
            row.setdefault(LONGITUDE, as_text(value[1]))
    elif key == "_validation_status" and isinstance(value, dict):
        row[key] = as_text(value.get("uid"))
    else:
        row[key] = as_text(value)


def kobo_identity(row: Row) -> str | None:
    """Return the identifier of a return: the first one it had, also after it was edited on the server."""
    first = row.get("meta/rootUuid")
    if first:
        return first.removeprefix("uuid:")
    for key in ("instance_id", "_uuid", "meta/instanceID", "instanceID"):
        text = row.get(key)
        if text:
            return text
    return next((text for key, text in row.items() if text and key.endswith(("/instance_id", "/instanceID"))), None)

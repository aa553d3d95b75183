"""Flatten a return of ODK Central's OData answer into the columns of its own CSV export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from enumerations._kobo import Repeats, as_text, is_repeat

if TYPE_CHECKING:
    from enumerations._records import Row

IDENTITY = "KEY"
"""The identifier of a return: its first instance id, also after an edit."""
DELETED = "DeletedAt"
SYSTEM = {
    "submissionDate": "SubmissionDate",
    "updatedAt": "UpdatedAt",
    "deletedAt": DELETED,
    "submitterId": "SubmitterID",
    "submitterName": "SubmitterName",
    "attachmentsPresent": "AttachmentsPresent",
    "attachmentsExpected": "AttachmentsExpected",
    "status": "Status",
    "reviewState": "ReviewState",
    "deviceId": "DeviceID",
    "edits": "Edits",
    "formVersion": "FormVersion",
}
"""What the server tells of a return: keys of OData and columns of the CSV export."""
POINT_PARTS = ("Longitude", "Latitude", "Altitude")
LINK = "@odata.navigationLink"


def _point(value: dict[str, Any], key: str, row: Row) -> None:
    """Write a GeoJSON point, whose order is lon, lat, altitude."""
    coordinates = value.get("coordinates")
    if isinstance(coordinates, list):
        for part, number in zip(POINT_PARTS, coordinates, strict=False):
            row[f"{key}-{part}"] = as_text(number)
    properties = value.get("properties")
    if isinstance(properties, dict) and "accuracy" in properties:
        row[f"{key}-Accuracy"] = as_text(properties["accuracy"])


def flatten_odk(record: dict[str, Any], row: Row, repeats: Repeats, *, prefix: str = "") -> None:
    """Put the answers of a return (or of one row of a repeat) into `row`, and the rows of its repeats into `repeats`.

    A repeat that was left on the server, of which there is only a link, has no rows in `repeats` but is in it.
    """
    for name, value in record.items():
        key = prefix + name
        if name.endswith(LINK):
            repeats.setdefault(prefix + name.removesuffix(LINK), [])
        elif "@odata." in name:
            continue
        elif isinstance(value, dict):
            _flatten_object(name, value, row, repeats, prefix=prefix)
        elif is_repeat(value):
            repeats.setdefault(key, []).extend(value)
        elif value != []:
            row[IDENTITY if name == "__id" else key] = as_text(value)


def _flatten_object(name: str, value: dict[str, Any], row: Row, repeats: Repeats, *, prefix: str) -> None:
    key = prefix + name
    if name == "__system":
        row.update((SYSTEM.get(one, one), as_text(text)) for one, text in value.items())
    elif "type" not in value or "coordinates" not in value:
        flatten_odk(value, row, repeats, prefix=f"{key}/")
    elif value["type"] == "Point":
        _point(value, key, row)
    else:
        row[key] = as_text(value)


def is_odk(record: dict[str, Any]) -> bool:
    """Return whether a return has the shape of ODK Central's OData."""
    return "__id" in record or "__system" in record

"""Read the names that collecting tools give to columns: group paths, labels, system columns, points and choices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from enumerations._questions import labels_of_helpers, question_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from enumerations.columns import FormTable

RANK_TOOL = 50
RANK_LABEL = 100
RANK_SYSTEM = 150
"""A column's own name comes first (0), then its aliases, then its labels, then what tools add by themselves."""
TOOL_NAMES = {
    "instance_id": ("__submissions_id",),
    "review_state": ("reviewstate",),
    "form_version": ("formversion",),
    "collected_at": ("submissiondate",),
}
"""Names that ODK Central gives to canonical columns, in small letters."""
SYSTEM_NAMES = {
    "submissiondate", "updatedat", "deletedat", "submitterid", "submittername", "attachmentspresent",
    "attachmentsexpected", "status", "reviewstate", "deviceid", "edits", "formversion", "key", "parent_key",
    "instanceid", "instancename", "rootuuid", "deprecatedid", "start", "end", "today", "username", "phonenumber",
    "simserial", "subscriberid", "audit", "formhub/uuid",
}  # fmt: skip
"""Columns that tools add by themselves: nothing is lost when they aren't used."""
EXPORT_MARKS = (
    {"key", "submissiondate"}, {"key", "parent_key"}, {"_uuid"}, {"_index"}, {"_submission__uuid"}, {"_parent_index"},
    {"_submission_time"}, {"__submissions_id"},
)  # fmt: skip
"""Columns that show a header to be a tool's, whose groups may be joined by any separator."""
POINT_NAMES = {"location", "gps", "geopoint", "point", "gps_point", "gps_location", "coordinates", "байршил"}
WARNING_SIGN = "\u26a0"
"""Begins the notes with which a form warns; they hold no answers."""
ODK_MARKS = {"submissiondate", "meta_instanceid", "meta/instanceid", "instanceid", "reviewstate", "attachmentspresent"}
_SEPARATORS = re.compile(r"[/.:-]|__")
_GROUPS = re.compile(r"/")
_POINT_PART = re.compile(r"^_*(?P<base>.+?)[-/_.:]+(?P<part>latitude|longitude|altitude|precision|accuracy)$")
Keys = dict[str, tuple[str, int]]
"""Canonical column and rank by name."""
_EDGES = " \t\r\n\u00a0:?*."


def whole(name: str) -> str:
    """Return a name in small letters, without byte order mark, spaces as underscores, groups and all."""
    text = " ".join(name.replace("\ufeff", "").strip(_EDGES).split())
    return text.casefold().replace(" ", "_").replace("-", "_")


def plain(name: str) -> str:
    """Return a name in small letters, without group path, spaces or byte order mark."""
    return whole(name.strip().rsplit("/", 1)[-1])


def is_export(names: Sequence[str]) -> bool:
    """Return whether a header is one that KoboToolbox or ODK Central wrote."""
    known = {whole(name) for name in names}
    return any(marks <= known for marks in EXPORT_MARKS)


def is_odk_csv(names: Sequence[str]) -> bool:
    """Return whether a header is one of ODK Central's exports, where KEY is the return's first identifier."""
    known = {whole(name) for name in names}
    return "key" in known and not known.isdisjoint(ODK_MARKS)


def is_system(name: str) -> bool:
    """Return whether a tool added the column by itself, or a form as a help to ask others: it holds no answer."""
    own, last = whole(name), plain(name)
    if own.startswith(("_", WARNING_SIGN, "meta_", "meta/")) or last.startswith(("_", WARNING_SIGN)):
        return True
    part = point_part(name)
    return (
        own in SYSTEM_NAMES or last in SYSTEM_NAMES or last in helper_labels() or bool(part and part[1] == "altitude")
    )


def tails(name: str, *, export: bool) -> Iterator[tuple[str, str]]:
    """Yield (group, name) for every way to cut the groups off, the longest name first; a tool's own name is whole."""
    text = name.replace("\ufeff", "").strip()
    yield "", text
    if text.startswith("_"):
        return
    for cut in (_SEPARATORS if export else _GROUPS).finditer(text):
        if cut.start() and cut.end() < len(text):
            yield text[: cut.start()], text[cut.end() :]


def keys_of(table: FormTable) -> Keys:
    """Return the canonical column and rank of every name a table's columns may have."""
    known = _KEYS.get((table.form, table.name))
    if known is None:
        known = _KEYS[table.form, table.name] = _read_keys(table)
    return known


_KEYS: dict[tuple[str, str], Keys] = {}


def _read_keys(table: FormTable) -> Keys:
    keys: Keys = {}
    labels: dict[str, set[str]] = {}
    for column in table.columns:
        names = [column.name.casefold(), *column.aliases]
        ranked = [*enumerate(names), *((RANK_TOOL, name) for name in TOOL_NAMES.get(column.name, ()))]
        for order, name in ranked:
            rank = order + (RANK_SYSTEM if name.startswith("_") or name in SYSTEM_NAMES else 0)
            if name not in keys or rank < keys[name][1]:
                keys[name] = (column.name, rank)
        for label in (column.meaning_en, column.meaning_mn, *question_labels(table.name, column.name)):
            labels.setdefault(whole(label), set()).add(column.name)
    for label, columns in labels.items():
        if len(columns) == 1 and label:
            keys.setdefault(label, (next(iter(columns)), RANK_LABEL))
    return keys


@cache
def helper_labels() -> frozenset[str]:
    """Return the labels of questions that only help to ask others, and of notes."""
    return frozenset(whole(label) for label in labels_of_helpers())


@dataclass(frozen=True)
class Match:
    """A column of a header that may hold a canonical column; less rank is better."""

    column: str
    position: int
    rank: int
    is_whole: bool


def match_name(keys: Keys, name: str, position: int, *, export: bool) -> Match | None:
    """Return what a name of a header means in the table whose names are `keys`."""
    for group, tail in tails(name, export=export):
        found = keys.get(whole(tail))
        if found:
            return Match(found[0], position, found[1], not group)
    return None


def match_choice(keys: Keys, multiples: set[str], name: str, *, export: bool) -> tuple[str, str] | None:
    """Return the canonical column and the choice of a select-multiple's own column, such as problems/waste."""
    if name.startswith("_"):
        return None
    for group, tail in reversed(list(tails(name, export=export))):
        found = match_name(keys, group, 0, export=export) if group else None
        if found and found.column in multiples and keys.get(whole(tail), ("", RANK_LABEL))[1] == RANK_LABEL:
            return found.column, tail.strip()
    return None


def point_part(name: str) -> tuple[str, str] | None:
    """Return the point and the part of it that a column holds, such as ('location', 'latitude')."""
    found = _POINT_PART.match(name.strip().casefold())
    if found is None:
        return None
    base = re.split(r"[/.:]", found["base"])[-1].strip("_- ")
    part = {"precision": "accuracy"}.get(found["part"], found["part"])
    return base, part


def is_point_name(name: str) -> bool:
    """Return whether a column is by its name a point written as text: latitude longitude altitude accuracy."""
    parts = {plain(name), _SEPARATORS.split(name.strip().casefold())[-1]}
    return any(part.strip("_") in POINT_NAMES for part in parts)

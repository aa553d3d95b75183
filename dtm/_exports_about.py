"""Say in words and in JSON what an exported file is, where it comes from and what its columns mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dtm import __version__
from dtm._exports_columns import EXPORT_COLUMNS, WRITTEN
from dtm._release_tables import RELEASE_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dtm.released import ReleasedTable

DEMONSTRATION = {
    "en": "DEMONSTRATION DATA: made up by the program to show the system. It describes no real people; do not cite it.",
    "mn": "ҮЗҮҮЛЭНГИЙН ӨГӨГДӨЛ: системийг харуулах зорилгоор програм зохион үүсгэсэн. Бодит хүмүүсийн тухай биш; "
    "эш татаж болохгүй.",
}
PROVISIONAL = {
    "en": "PROVISIONAL: rounds in it are not signed off yet; the figures may still change. Do not cite it.",
    "mn": "УРЬДЧИЛСАН ДҮН: зарим үе шатыг баталгаажуулаагүй тул тоо өөрчлөгдөж болно. Эш татаж болохгүй.",
}
_NOT_EXPORTED = ("signed_off_by",)
"""Facts of the manifest that stay in it: a file that goes from hand to hand names nobody."""
_HOW_TO_READ = {
    "en": "An empty value is never 0: the status column says whether it is hidden to protect people, not reported or "
    "undefined. Coverage columns say how complete the returns behind a figure are. Flows of different sources are "
    "never added; stocks are never added over rounds.",
    "mn": "Хоосон утга нь 0 гэсэн үг биш: төлөв (status) багана нь хүмүүсийг хамгаалж нууцалсан, мэдээлээгүй эсвэл "
    "тодорхойгүй эсэхийг хэлнэ. Хамралтын баганууд нь тооны цаадах мэдээ хэр бүрэн болохыг харуулна. Өөр өөр "
    "эх сурвалжийн шилжилтийг хооронд нь, үе шатуудын хүн амын тоог хооронд нь нэмж болохгүй.",
}
_HEADINGS = {
    "en": {
        "title": "Title",
        "notice": "Notice",
        "reading": "How to read",
        "release": "Release",
        "rows": "Rows",
        "system": "Made with",
        "column": "Column",
        "provenance": "Provenance",
    },
    "mn": {
        "title": "Гарчиг",
        "notice": "Анхааруулга",
        "reading": "Хэрхэн унших",
        "release": "Хувилбар",
        "rows": "Мөр",
        "system": "Үүсгэсэн програм",
        "column": "Багана",
        "provenance": "Гарал үүсэл",
    },
}
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Date written into files whose release does not say when it was built."""


def release_id_of(table: ReleasedTable) -> str:
    """Return the release the rows name, else the one the manifest names."""
    if len(table.frame) and "release_id" in table.frame:
        return str(table.frame["release_id"].iloc[0])
    return str(table.manifest.get("release_id", ""))


def built_at(table: ReleasedTable) -> datetime:
    """Return when the release was built; files are dated by it so that the same release gives the same bytes."""
    try:
        moment = datetime.fromisoformat(str(table.manifest["built_at"]))
    except (KeyError, ValueError):
        return EPOCH
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def title(table: ReleasedTable, *, language: str) -> str:
    """Return what the rows are, in words."""
    return WRITTEN[table.name].title(language) if table.name in WRITTEN else RELEASE_TABLES[table.name].meaning


def column_meaning(table: ReleasedTable, column: str, *, language: str) -> tuple[str, str]:
    """Return meaning and unit of a column."""
    if column in EXPORT_COLUMNS:
        declared = EXPORT_COLUMNS[column]
        return declared.meaning(language), declared.unit
    found = next((c for c in RELEASE_TABLES[table.name].columns if c.name == column), None)
    return (found.meaning, found.unit) if found else ("", "")


def provenance(table: ReleasedTable, *, language: str) -> dict[str, Any]:
    """Return what goes with the rows as JSON: the release's manifest, the columns, the notice."""
    columns = [str(name) for name in table.frame.columns]
    return {
        "product": table.name,
        "title": title(table, language=language),
        "release_id": release_id_of(table),
        "is_demonstration": bool(table.manifest["is_demonstration"]),
        "is_provisional": bool(table.manifest.get("is_provisional", False)),
        "notice": notice(table, language=language),
        "how_to_read": _HOW_TO_READ[language],
        "rows": len(table.frame),
        "language": language,
        "exported_with": f"ub-population-tracking {__version__}",
        "columns": {
            name: dict(zip(("meaning", "unit"), column_meaning(table, name, language=language), strict=True))
            for name in columns
        },
        "release": _facts(dict(table.manifest)),
    }


def notice(table: ReleasedTable, *, language: str) -> str:
    """Return the warnings a reader must see first; nothing for real data of rounds that were signed off."""
    return " ".join(_notices(table, language=language))


def _notices(table: ReleasedTable, *, language: str) -> list[str]:
    said = (("is_demonstration", DEMONSTRATION), ("is_provisional", PROVISIONAL))
    return [words[language] for fact, words in said if table.manifest.get(fact)]


def about_rows(table: ReleasedTable, *, language: str) -> list[tuple[str, str, str]]:
    """Return the same as lines of (what, which, text) for a sheet or a table."""
    head = _HEADINGS[language]
    lines = [(head["title"], "", title(table, language=language))]
    lines += [(head["notice"], "", text) for text in _notices(table, language=language)]
    lines += [
        (head["release"], "", release_id_of(table)),
        (head["rows"], "", str(len(table.frame))),
        (head["system"], "", f"ub-population-tracking {__version__}"),
        (head["reading"], "", _HOW_TO_READ[language]),
    ]
    for name in table.frame.columns:
        meaning, unit = column_meaning(table, str(name), language=language)
        lines.append((head["column"], str(name), f"{meaning} [{unit}]" if unit else meaning))
    lines += [(head["provenance"], key, text) for key, text in _flat("", _facts(dict(table.manifest)))]
    return lines


def _facts(value: Any) -> Any:
    """Return a nested value without the facts that are not exported."""
    if isinstance(value, dict):
        return {key: _facts(part) for key, part in value.items() if key not in _NOT_EXPORTED}
    return [_facts(part) for part in value] if isinstance(value, list) else value


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield a nested value as dotted keys and texts."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), part)
    elif isinstance(value, list) and value:
        for number, part in enumerate(value, start=1):
            yield from _flat(f"{prefix}.{number}", part)
    else:
        yield prefix, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)

"""Write the catalogue of checks from the code, so that the page can't differ from what is checked."""

from __future__ import annotations

import csv
import sys
from importlib import resources
from typing import TYPE_CHECKING

from dtm._generated_pages import write_page
from dtm.round_checks import ROUND_CHECKS
from enumerations._rules import form_rules_of
from enumerations.columns import FORMS
from enumerations.findings import CATALOGUE
from enumerations.series import SERIES_CODES
from geodata.findings import CATALOGUE as AREA_CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TOPICS = {
    "fields": ("Single values", "Талбарын утга"),
    "counts": ("Sums of counts", "Тоо, нийлбэр"),
    "places": ("Places and GPS points", "Газар, GPS цэг"),
    "rounds": ("Rounds, dates and repeated returns", "Үе шат, огноо, давхардал"),
    "dates": ("Dates and windows", "Огноо, хугацаа"),
    "coherence": ("Checks over a whole round", "Бүтэн үе шатны шалгалт"),
    "series": ("Tables of figures by place and period", "Газар, хугацааны цуваа"),
    "enumerators": ("Lists of enumerators", "Тоологчийн жагсаалт"),
    "files": ("Files", "Файл"),
    "readers": ("Readers of other tools' files", "Бусад хэрэгслийн файл уншигч"),
    "servers": ("Servers that collect returns", "Мэдээлэл цуглуулдаг сервер"),
}
"""Title of each topic in English and Mongolian, in the order of the page; a topic is a file of the catalogue."""

OPENING = """\
# Checks · Шалгалт

Everything a return, a round, a table of figures or a file of boundaries can be found to have, generated from the code
by `make checks`. Don't edit this page: change the catalogue. A test holds the two together.

Энэ хуудсыг кодоос үүсгэдэг; гараар бүү засна уу. Шалгалт бүрийн код, түвшин, юу болсон, яагаад чухал, яаж засахыг хоёр
хэлээр бичсэн.

- An **error** sets the record aside until it is corrected; a **warning** keeps it and asks a question.
  **error** нь бичлэгийг засах хүртэл түр хойш тавина; **warning** нь бичлэгийг үлдээж, тодруулахыг сануулна.
- *Where*: **form** means that the form itself refuses such a value while it is filled in; **import** that files and
  downloads are checked for it; **round** that `dtm check`, and every import and edit, looks for it over the whole
  round; **series** that `dtm check series` looks for it in any table; **areas** that `dtm areas load`, `layers load` or
  `rasters load` does.
- `{field}`, `{value}` and `{hint}` stand for the column, the value and what was expected.
"""


def _topics() -> dict[str, list[str]]:
    """Return the codes of each topic, in the order of its file; unknown topics come last."""
    found: dict[str, list[str]] = {}
    folder = resources.files("enumerations") / "catalogue"
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".csv"):
            rows = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
            found[file.name.removesuffix(".csv")] = [row["code"] for row in rows]
    order = [*TOPICS, *sorted(set(found) - set(TOPICS))]
    return {topic: found[topic] for topic in order if topic in found}


def form_codes() -> set[str]:
    """Return the codes that a form refuses while it is filled in: they have one definition with the checks."""
    tables = [table for form_tables in FORMS.values() for table in form_tables]
    codes = {rule.code for table in tables for rule in form_rules_of(table) if rule.columns()}
    columns = [column for table in tables for column in table.columns]
    if any(column.required for column in columns):
        codes.add("missing_value")
    if any(column.minimum is not None or column.maximum is not None for column in columns):
        codes.add("out_of_range")
    return codes


def _places(code: str, topic: str, forms: set[str]) -> str:
    over_rounds = {check.code for check in ROUND_CHECKS}
    places = [
        ("form", code in forms),
        ("import", topic not in {"coherence", "series"}),
        ("round", code in over_rounds),
        ("series", code in SERIES_CODES),
    ]
    return ", ".join(name for name, is_there in places if is_there)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").strip()


def _entry(code: str, severity: str, where: str, english: Sequence[str], mongolian: Sequence[str]) -> Iterator[str]:
    yield f"#### `{code}`"
    yield ""
    yield f"{severity} · {where}"
    yield ""
    yield "| | what · юу | why · яагаад | cure · яаж засах |"
    yield "| --- | --- | --- | --- |"
    yield "| English | " + " | ".join(map(_cell, english)) + " |"
    yield "| Монгол | " + " | ".join(map(_cell, mongolian)) + " |"
    yield ""


def _returns() -> Iterator[str]:
    forms = form_codes()
    yield "## Returns · Маягтын мэдээлэл"
    yield ""
    for topic, codes in _topics().items():
        english, mongolian = TOPICS.get(topic, (topic.capitalize(), topic.capitalize()))
        yield f"### {english} · {mongolian}"
        yield ""
        for code in codes:
            kind = CATALOGUE[code]
            yield from _entry(
                code, kind.severity, _places(code, topic, forms),
                (kind.what_en, kind.why_en, kind.cure_en), (kind.what_mn, kind.why_mn, kind.cure_mn),
            )  # fmt: skip


def _areas() -> Iterator[str]:
    yield "## Boundaries, layers and rasters · Хил, давхарга, растер"
    yield ""
    for check in AREA_CATALOGUE.values():
        yield from _entry(
            check.code, check.severity, "areas",
            (check.what_en, check.why_en, check.cure_en), (check.what_mn, check.why_mn, check.cure_mn),
        )  # fmt: skip


def build_check_catalogue() -> str:
    """Return the catalogue of checks as Markdown, in English and Mongolian."""
    lines = [OPENING, *_returns(), *_areas()]
    return "\n".join(lines).rstrip("\n") + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the catalogue to a file, or to standard output when none is named."""
    return write_page(
        build_check_catalogue(), arguments, prog="python -m dtm.check_catalogue", example="docs/checks.md"
    )


if __name__ == "__main__":
    sys.exit(main())

"""Write the data dictionary from the declarations, so that it can't differ from what the system does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dtm._generated_pages import write_page
from dtm._release_tables import NOT_REPORTED, PUBLISHED, RELEASE_TABLES, SUPPRESSED, UNDEFINED
from dtm._survey_catalogue import SURVEY_ESTIMATES
from dtm._warehouse_tables import WAREHOUSE_TABLES
from dtm.measures import DENSITIES, INDICATORS
from dtm.workspace import SETTINGS_FILE, Settings
from enumerations.codelists import load_codelists
from enumerations.columns import FORMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dtm._survey_catalogue import SurveyEstimate
    from dtm.measures import Indicator
    from dtm.schema import Column, Table
    from enumerations.columns import FormColumn

SETTINGS_MEANING = {
    "operation": "name of the DTM operation; stands on every round",
    "title_en": "title of the dashboard in English",
    "title_mn": "title of the dashboard in Mongolian",
    "is_demonstration": "true for a workspace of generated data; everything that shows it says so",
    "threshold_persons": "counts of persons from 1 to one less than this are hidden (5 to 20)",
    "threshold_households": "counts of households from 1 to one less than this are hidden (5 to 20)",
    "minimum_denominator_persons": "rates on fewer people than this are hidden",
}
"""What each key of `dtm.toml` means."""

STATUS_MEANING = {
    PUBLISHED: "the value is there",
    SUPPRESSED: "the value is known and hidden, so that nobody can be found in it",
    NOT_REPORTED: "no return told it; this is not zero",
    UNDEFINED: "there is no such value, for example a rate on nobody; the note says why",
}
"""What each status of a released value means."""

OPENING = """\
# Data dictionary

Every table and column, generated from the declarations in the code by `make dictionary`. Don't edit this page: change
the declaration. A test holds the two together.

- [Settings of a workspace](#settings-of-a-workspace)
- [Files of returns](#files-of-returns): what can be imported
- [Code lists](#code-lists)
- [Indicators and densities](#indicators-and-densities)
- [Tables of a release](#tables-of-a-release): what is published
- [Tables of the warehouse](#tables-of-the-warehouse): private

Counts are whole numbers. Coordinates are WGS84 longitude and latitude in degrees; areas are measured in EPSG:32648
(UTM zone 48 north). Times are UTC unless a column says local time (UTC+8). P-codes are OCHA's at levels 1 and 2
(`MN11` is Ulaanbaatar, `MN1107` Bayangol district); below, a khoroo adds two digits (`MN110701`) and a kheseg two more
(`MN11070103`). A column marked *required* is never empty.
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").strip()


def _markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(header) + " |"
    yield "| " + " | ".join("---" for _ in header) + " |"
    for row in rows:
        yield "| " + " | ".join(_cell(value) for value in row) + " |"
    yield ""


def _column_row(column: Column) -> tuple[str, str, str, str]:
    meaning = f"{column.meaning} (*required*)" if column.required else column.meaning
    return f"`{column.name}`", column.type, column.unit, meaning


def _tables(declared: Mapping[str, Table]) -> Iterator[str]:
    for table in declared.values():
        yield f"### {table.name}"
        yield ""
        yield table.meaning
        if table.key:
            yield ""
            yield "Key: " + ", ".join(f"`{name}`" for name in table.key) + "."
        yield ""
        yield from _markdown_table(("column", "type", "unit", "meaning"), map(_column_row, table.columns))


def _settings() -> Iterator[str]:
    yield "## Settings of a workspace"
    yield ""
    yield f"Keys of `{SETTINGS_FILE}`; every one has a default."
    yield ""
    fields = Settings.__dataclass_fields__.values()
    rows = ((f"`{f.name}`", type(f.default).__name__, f"`{f.default}`", SETTINGS_MEANING[f.name]) for f in fields)
    yield from _markdown_table(("key", "type", "default", "meaning"), rows)


def _form_column_row(column: FormColumn) -> tuple[str, ...]:
    bounds = [
        f"{sign} {bound:g}"
        for sign, bound in (("at least", column.minimum), ("at most", column.maximum))
        if bound is not None
    ]
    allowed = [f"list [{column.codelist}](#{column.codelist})"] if column.codelist else []
    kind = ", ".join([column.kind, *bounds, *allowed])
    meaning = f"{column.meaning_en} (*required*)" if column.required else column.meaning_en
    return f"`{column.name}`", kind, column.unit, meaning, column.meaning_mn


def _forms() -> Iterator[str]:
    yield "## Files of returns"
    yield ""
    yield "A form has one or more tables: CSV files told apart by header, sheets of a workbook, or Kobo's data JSON."
    yield ""
    for form, form_tables in FORMS.items():
        for table in form_tables:
            yield f"### {form}: {table.name}"
            yield ""
            yield f"{table.meaning_en}. {table.meaning_mn}."
            yield ""
            header = ("column", "kind", "unit", "meaning", "утга")
            yield from _markdown_table(header, map(_form_column_row, table.columns))


def _codelists() -> Iterator[str]:
    yield "## Code lists"
    yield ""
    yield "A file may hold the code or either of its labels."
    yield ""
    for name, rows in load_codelists().groupby("codelist", sort=True):
        yield f"### {name}"
        yield ""
        codes = zip(rows["code"], rows["label_en"], rows["label_mn"], strict=True)
        yield from _markdown_table(("code", "English", "Монгол"), ((f"`{code}`", en, mn) for code, en, mn in codes))


def _measure_row(measure: Indicator | SurveyEstimate) -> tuple[str, ...]:
    words = f"{measure.label_en} · {measure.label_mn}"
    return f"`{measure.name}`", words, measure.unit, measure.formula, measure.reference


def _measures() -> Iterator[str]:
    yield "## Indicators and densities"
    yield ""
    yield "All are computed on complete data, then hidden where a figure they are made of is hidden."
    yield ""
    for title, declared in (("Indicators", INDICATORS), ("Densities", DENSITIES)):
        yield f"### {title}"
        yield ""
        header = ("name", "words", "unit", "formula", "source")
        yield from _markdown_table(header, map(_measure_row, declared.values()))
    yield "### Survey estimates"
    yield ""
    yield "From the sample of households, weighted to the published people and households of each district."
    yield ""
    rows = ((*_measure_row(one), ", ".join(f"`{item}`" for item in one.items)) for one in SURVEY_ESTIMATES.values())
    yield from _markdown_table(("name", "words", "unit", "formula", "source", "items"), rows)


def _release() -> Iterator[str]:
    yield "## Tables of a release"
    yield ""
    yield "A released figure is null unless its `status` is `published`:"
    yield ""
    yield from _markdown_table(("status", "meaning"), ((f"`{s}`", STATUS_MEANING[s]) for s in STATUS_MEANING))
    yield from _tables(RELEASE_TABLES)


def _warehouse() -> Iterator[str]:
    yield "## Tables of the warehouse"
    yield ""
    yield "The warehouse is private: one process writes it, and neither the dashboard nor an export reads it."
    yield ""
    yield from _tables(WAREHOUSE_TABLES)


def build_dictionary() -> str:
    """Return the data dictionary as Markdown."""
    sections = (_settings, _forms, _codelists, _measures, _release, _warehouse)
    lines = [OPENING, *(line for section in sections for line in section())]
    return "\n".join(lines).rstrip("\n") + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the dictionary to a file, or to standard output when none is named."""
    return write_page(build_dictionary(), arguments, prog="python -m dtm.dictionary", example="docs/dictionary.md")


if __name__ == "__main__":
    sys.exit(main())

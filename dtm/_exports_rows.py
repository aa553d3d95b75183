"""Join the rows of a release with names, labels, dates and coverage, so that a row can be read on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import shapely

from dtm._exports_breaks import add_series_breaks
from dtm._exports_columns import EXPORT_COLUMNS, PRODUCTS, REAL_VALUED_TABLES, WRITTEN
from dtm._exports_coverage import add_coverage
from dtm._exports_estimates import ESTIMATE_WORDS, FLOW_VIEW, SURVEY_LISTS
from dtm._release_tables import RELEASE_TABLES
from dtm.measures import NOTES, note_words
from dtm.released import Release, ReleasedTable
from geodata.pcodes import REGIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dtm._exports_columns import Product

TOTAL = "total"
LABELLED = (
    "source", "direction", "reason", "category", "measure", "indicator", "status", "severity", "method", "event",
    "figure", "flag", "estimate", "checkpoint", "breakdown", "part",
)  # fmt: skip
"""Columns of codes that a product may tell in words."""

WORDS: dict[tuple[str, str], tuple[str, str]] = {
    ("place", TOTAL): ("All places", "Бүх газар"),
    ("any", TOTAL): ("All", "Бүгд"),
    ("any", "not_stated"): ("Not stated", "Заагаагүй"),
    ("status", "published"): ("Published", "Нийтэлсэн"),
    ("status", "suppressed"): ("Hidden to protect people", "Хүмүүсийг хамгаалж нууцалсан"),
    ("status", "not_reported"): ("Not reported", "Мэдээлээгүй"),
    ("status", "undefined"): ("Undefined", "Тодорхойгүй"),
    ("severity", "error"): ("Error", "Алдаа"),
    ("severity", "warning"): ("Warning", "Анхааруулга"),
    ("measure", "persons"): ("Persons", "Хүн"),
    ("measure", "households"): ("Households", "Өрх"),
    ("measure", "vehicles"): ("Vehicles", "Тээврийн хэрэгсэл"),
    ("source", "arrivals"): ("Arrivals, told by the destination", "Ирсэн нь (очсон газар мэдээлсэн)"),
    ("source", "departures"): ("Departures, told by the origin", "Явсан нь (гарсан газар мэдээлсэн)"),
    ("source", "checkpoint"): (
        "Checkpoint counts, into or out of the city",
        "Хяналтын цэгээр хотод орсон, хотоос гарсан",
    ),
    ("source", "checkpoint_through"): (
        "Checkpoint counts, through traffic (from and to places outside the city)",
        "Хяналтын цэгээр хотыг дайран өнгөрсөн (хотоос гадуурх хоёр газрын хооронд)",
    ),
    ("direction", "in"): ("In", "Орсон"),
    ("direction", "out"): ("Out", "Гарсан"),
    ("sex", "male"): ("Male", "Эрэгтэй"),
    ("sex", "female"): ("Female", "Эмэгтэй"),
    ("age", "0_4"): ("0-4 years", "0-4 нас"),
    ("age", "5_14"): ("5-14 years", "5-14 нас"),
    ("age", "15_24"): ("15-24 years", "15-24 нас"),
    ("age", "25_59"): ("25-59 years", "25-59 нас"),
    ("age", "60_plus"): ("60 years and over", "60 ба түүнээс дээш нас"),
    **ESTIMATE_WORDS,
}
"""Words, English and Mongolian, for the codes of the release's own columns."""


def product_table(
    release: Release, product: str, *, where: Mapping[str, Any] | None = None, language: str = "en"
) -> ReleasedTable:
    """Return the rows of a product with names, labels, dates, coverage and release columns.

    Parameters
    ----------
    release
        The open release.
    product
        A name in `PRODUCTS`.
    where
        Equal values by column of the release's table, as `Release.table` takes them.
    language
        Language of the `_label` columns, ``en`` or ``mn``; names of places come in both.
    """
    declared = PRODUCTS[product]
    return joined(release, release.table(declared.table, where=where), product=declared, language=language)


def joined(release: Release, table: ReleasedTable, *, product: Product, language: str) -> ReleasedTable:
    """Return rows of a release table, all or some, as the rows of a product."""
    frame = _typed(table.frame, name=product.table)
    if "round_number" in frame:
        _add_round(frame, release)
    _add_places(frame, release)
    add_coverage(frame, release, product=product)
    _add_labels(frame, release, table=product.table, language=language)
    if "series_break" in product.columns:
        add_series_breaks(frame, release, table="flow_item" if product is FLOW_VIEW else product.table)
    frame["release_id"] = release.release_id
    frame["is_demonstration"] = release.is_demonstration
    return ReleasedTable(product.name, frame[list(product.columns)], table.manifest)


def plain(table: ReleasedTable) -> ReleasedTable:
    """Return the rows of a release table as they are, with the release they come from in each."""
    frame = _typed(table.frame, name=table.name)
    for column in RELEASE_TABLES[table.name].columns:
        if column.type == "GEOMETRY" and column.name in frame:
            frame[column.name] = shapely.to_wkt(shapely.from_wkb([bytes(value) for value in frame[column.name]]))
    frame["release_id"] = str(table.manifest.get("release_id", ""))
    frame["is_demonstration"] = bool(table.manifest["is_demonstration"])
    return ReleasedTable(table.name, frame, table.manifest)


def _typed(frame: pd.DataFrame, *, name: str) -> pd.DataFrame:
    """Give whole numbers back their type: a column with nulls comes from the engine as floats."""
    whole = {c.name: "Int64" for c in RELEASE_TABLES[name].columns if c.type in {"BIGINT", "INTEGER"}}
    return frame.astype({column: kind for column, kind in whole.items() if column in frame}).reset_index(drop=True)


def _add_round(frame: pd.DataFrame, release: Release) -> None:
    rounds = _typed(release.table("round").frame, name="round").set_index("round_number")
    for column in ("started_on", "ended_on", "reference_on", "flow_days"):
        if column not in frame:
            frame[column] = frame["round_number"].map(rounds[column])
    frame["flow_days"] = frame["flow_days"].astype("Int64")


def _add_places(frame: pd.DataFrame, release: Release) -> None:
    names = place_names(release)
    for column in ("pcode", "counterpart", "origin", "destination"):
        if column not in frame:
            continue
        prefix = "" if column == "pcode" else f"{column}_"
        for suffix in ("name_en", "name_mn"):
            frame[f"{prefix}{suffix}"] = frame[column].map(names[suffix]).astype("str")
    if "pcode" not in frame:
        return
    parent = release.table("area").frame.set_index("pcode")["parent_pcode"]
    frame["parent_pcode"] = frame["pcode"].map(parent).astype("str")
    for suffix in ("name_en", "name_mn"):
        frame[f"parent_{suffix}"] = frame["parent_pcode"].map(names[suffix]).astype("str")


def place_names(release: Release) -> pd.DataFrame:
    """Return name_en and name_mn of everything a row can name, indexed by P-code."""
    columns = ["pcode", "name_en", "name_mn"]
    regions = [(region.code, region.name_en, region.name_mn) for region in REGIONS.values()]
    total = pd.DataFrame([(TOTAL, *WORDS["place", TOTAL]), *regions], columns=columns)
    both = [release.table(name).frame[columns] for name in ("area", "place")]
    return pd.concat([*both, total]).drop_duplicates("pcode").set_index("pcode")


def _add_labels(frame: pd.DataFrame, release: Release, *, table: str, language: str) -> None:
    labels = release.table("code_label").frame
    column = "label_mn" if language == "mn" else "label_en"
    known = dict(zip(zip(labels["codelist"], labels["code"], strict=True), labels[column], strict=True))
    position = 1 if language == "mn" else 0
    known |= {key: words[position] for key, words in WORDS.items()}
    # densities and the indices of a system are indicators with lists of their own
    lists = {"indicator": table, "estimate": "survey_estimate"}
    for name in LABELLED:
        if name in frame:
            frame[f"{name}_label"] = _label(frame[name], codelist=lists.get(name, name), known=known)
    if "note" in frame:
        words = {note: _note(note, position) for note in frame["note"].dropna().unique()}
        frame["note_label"] = frame["note"].map(words).astype("str")
    if "item" in frame:
        frame["item_label"] = ""
        by = frame["breakdown"] if "breakdown" in frame else frame["estimate"].replace(SURVEY_LISTS)
        for codelist in by.unique():
            rows = by == codelist
            frame.loc[rows, "item_label"] = _label(frame.loc[rows, "item"], codelist=str(codelist), known=known)


def _note(note: str, position: int) -> str:
    """Return a note in words; a text that is no code stands for itself."""
    codes = {part.partition(":")[0] for part in note.split(";")}
    return note_words(note)[position] if codes <= set(NOTES) else note


def _label(codes: pd.Series[str], *, codelist: str, known: Mapping[tuple[str, str], str]) -> pd.Series[str]:
    """Return the words for codes; a code without a word stands for itself."""
    words = {code: known.get((codelist, code), known.get(("any", code), code)) for code in codes.dropna().unique()}
    return codes.map(words).astype("str")


_ARROW = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "text": pa.string(),
    "date": pa.date32(),
    "boolean": pa.bool_(),
}
_ENGINE = {"BIGINT": "integer", "INTEGER": "integer", "DOUBLE": "number", "DATE": "date", "BOOLEAN": "boolean"}


def arrow_rows(table: ReleasedTable) -> pa.Table:
    """Return the rows as Arrow, typed by the declared columns; a missing value is null in every type."""
    fields = [pa.field(str(name), _ARROW[column_kind(table.name, str(name))]) for name in table.frame.columns]
    columns = [
        pa.array(table.frame[field.name].astype("object").where(table.frame[field.name].notna(), None), field.type)
        if field.type in {pa.string(), pa.date32()}
        else pa.array(table.frame[field.name], field.type, from_pandas=True)
        for field in fields
    ]
    return pa.table(columns, schema=pa.schema(fields))


def column_kind(table: str, column: str) -> str:
    """Return whether a column of a product or release table is integer, number, text, date or boolean."""
    source = WRITTEN[table].table if table in WRITTEN else table
    for declared in RELEASE_TABLES[source].columns:
        if declared.name == column:
            return _ENGINE.get(declared.type, "text")
    if column in EXPORT_COLUMNS:
        return EXPORT_COLUMNS[column].kind
    if column.endswith("_status"):  # a figure of the map's wide layers and its status
        return "text"
    return "number" if source in REAL_VALUED_TABLES else "integer"

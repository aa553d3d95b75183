"""Declare the columns of the checkpoint registry: passages and hours of watch."""

from __future__ import annotations

from enumerations._columns_common import (
    CHECKPOINT_BANDS,
    ENUMERATOR,
    FORM_VERSION,
    GPS,
    INSTANCE,
    REVIEW,
    ROUND,
    FormColumn,
    FormTable,
    age_words,
    count,
)

# fmt: off
PASSAGE_GROUPS = tuple(f"{sex}_{band}_persons" for sex in ("male", "female") for band in CHECKPOINT_BANDS)
_SEX_WORDS = {"male": ("men and boys", "эрэгтэй"), "female": ("women and girls", "эмэгтэй")}

PASSAGES = FormTable(
    "checkpoint-registry",
    "passages",
    "Vehicles and travellers that pass a checkpoint",
    "Хяналтын цэгээр нэвтэрсэн тээврийн хэрэгсэл, зорчигч",
    (
        INSTANCE,
        FormColumn("checkpoint", "code", "checkpoint", "хяналтын цэг", required=True, codelist="checkpoint"),
        FormColumn("direction", "code", "in or out of the city", "чиглэл: орох, гарах", required=True,
                   codelist="direction"),
        FormColumn("passed_at", "timestamp", "hour of passing, local time", "нэвтэрсэн цаг, орон нутгийн цагаар",
                   required=True),
        FormColumn("vehicle", "code", "vehicle type", "тээврийн хэрэгслийн төрөл", codelist="vehicle"),
        FormColumn("persons", "integer", "travellers", "зорчигчийн тоо", "persons", required=True, minimum=1),
        *(
            count(
                f"{sex}_{band}_persons",
                f"{_SEX_WORDS[sex][0]} {age_words(band)[0]}",
                f"{age_words(band)[1]} {_SEX_WORDS[sex][1]} зорчигч",
            )
            for sex in ("male", "female")
            for band in CHECKPOINT_BANDS
        ),
        FormColumn("origin", "place", "origin: P-code, name, abroad or unknown", "хаанаас: P-код, нэр, abroad, unknown",
                   required=True),
        FormColumn("destination", "place", "destination: P-code, name, abroad or unknown",
                   "хаашаа: P-код, нэр, abroad, unknown", required=True),
        FormColumn("stay", "code", "length of stay", "байх хугацаа", codelist="stay"),
        FormColumn("purpose", "code", "purpose of the journey", "зорчих зорилго", codelist="purpose"),
        ENUMERATOR,
        *GPS,
        ROUND,
        FORM_VERSION,
        REVIEW,
    ),
    marks=("checkpoint", "passed_at"),
)

WATCH = FormTable(
    "checkpoint-registry",
    "watch",
    "Hours a checkpoint was observed on a day",
    "Хяналтын цэгт ажигласан цаг, өдрөөр",
    (
        FormColumn("checkpoint", "code", "checkpoint", "хяналтын цэг", required=True, codelist="checkpoint"),
        FormColumn("day", "date", "day, local time", "өдөр, орон нутгийн цагаар", required=True),
        FormColumn("hours_observed", "number", "hours with an enumerator on duty", "тоологч ажилласан цаг", "h",
                   required=True, minimum=0, maximum=24),
    ),
    marks=("hours_observed",),
)
# fmt: on

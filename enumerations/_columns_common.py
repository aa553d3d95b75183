"""Declare what a column and a table of a form are, and the columns that several forms share."""

from __future__ import annotations

from dataclasses import dataclass, field

from enumerations.codelists import codes_of

AGE_BANDS = tuple(codes_of("age_band"))
"""Age bands of the kheseg baseline, in completed years."""

CHECKPOINT_BANDS = tuple(codes_of("checkpoint_age_band"))
"""Age bands of the checkpoint registry, in completed years."""


@dataclass(frozen=True)
class FormColumn:
    """One canonical column of a form's table.

    `kind` is text, integer, number, date, timestamp, yesno, code, codes (several codes, separated by spaces) or place.
    A `required` column must be in the file's header and may not be empty; `codelist` names the list of allowed codes;
    `minimum` and `maximum` are inclusive.
    """

    name: str
    kind: str
    meaning_en: str
    meaning_mn: str
    unit: str = ""
    required: bool = False
    codelist: str = ""
    minimum: float | None = None
    maximum: float | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class FormTable:
    """One table of a form; `marks` are the columns that tell it apart from every other table."""

    form: str
    name: str
    meaning_en: str
    meaning_mn: str
    columns: tuple[FormColumn, ...]
    marks: tuple[str, ...]
    by_name: dict[str, FormColumn] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        """Index the columns by name."""
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    @property
    def column_names(self) -> list[str]:
        """Return the declared names, in order."""
        return [column.name for column in self.columns]

    @property
    def required_names(self) -> list[str]:
        """Return the names that a file's header must have."""
        return [column.name for column in self.columns if column.required]


def count(name: str, en: str, mn: str, *, unit: str = "persons", required: bool = False) -> FormColumn:
    """Return a column of whole numbers from 0 on."""
    return FormColumn(name, "integer", en, mn, unit, required=required, minimum=0)


def age_words(band: str) -> tuple[str, str]:
    """Return an age band in words, in English and Mongolian."""
    if band.endswith("_plus"):
        first = band.removesuffix("_plus")
        return f"aged {first} and over", f"{first} ба түүнээс дээш насны"
    first, last = band.split("_")
    return f"aged {first}-{last}", f"{first}-{last} насны"


# fmt: off
SEX = (
    count("male_persons", "men and boys", "эрэгтэй хүний тоо"),
    count("female_persons", "women and girls", "эмэгтэй хүний тоо"),
)
AGES = tuple(
    count(f"age_{band}_persons", f"persons {age_words(band)[0]}", f"{age_words(band)[1]} хүний тоо")
    for band in AGE_BANDS
)
INSTANCE = FormColumn(
    "instance_id", "text", "identifier of the return, given by the collecting tool", "маягтын давтагдашгүй дугаар",
    required=True, aliases=("_uuid", "instanceid", "meta_instanceid", "_submission__uuid", "key"),
)
ENUMERATOR = FormColumn(
    "enumerator", "text", "pseudonymous enumerator", "тоологчийн нууцалсан дугаар", aliases=("enumerator_id",)
)
GPS = (
    FormColumn("lon", "number", "GPS longitude, WGS84", "GPS уртраг, WGS84", "degrees", aliases=("longitude",)),
    FormColumn("lat", "number", "GPS latitude, WGS84", "GPS өргөрөг, WGS84", "degrees", aliases=("latitude",)),
    FormColumn("accuracy_m", "number", "GPS accuracy", "GPS-ийн нарийвчлал", "m", minimum=0, aliases=("precision",)),
)
REVIEW = FormColumn(
    "review_state", "text", "state given by the collecting tool", "хянасан төлөв", aliases=("_validation_status",)
)
FORM_VERSION = FormColumn(
    "form_version", "text", "version of the form", "маягтын хувилбар", aliases=("__version__",)
)
COLLECTED_AT = FormColumn(
    "collected_at", "timestamp", "when the return was collected", "мэдээлэл цуглуулсан огноо, цаг",
    required=True, aliases=("end", "today", "_submission_time"),
)
UNIT = (
    FormColumn("unit", "place", "P-code of the kheseg or khoroo", "хэсэг эсвэл хорооны P-код", aliases=("pcode",)),
    FormColumn("district", "text", "name or P-code of the district", "дүүргийн нэр эсвэл P-код"),
    FormColumn("khoroo", "text", "number or P-code of the khoroo", "хорооны дугаар эсвэл P-код"),
    FormColumn("kheseg", "text", "number or P-code of the kheseg", "хэсгийн дугаар эсвэл P-код"),
)
"""The unit a return is from: its P-code, or the district, khoroo and kheseg."""
REMARKS = FormColumn("remarks", "text", "remarks; not stored in canonical tables", "тайлбар; үндсэн хүснэгтэд орохгүй")
ROUND = FormColumn("round", "integer", "round of data collection", "судалгааны үе шатны дугаар", minimum=0)
# fmt: on

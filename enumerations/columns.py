"""Declare the canonical columns of every table a form returns."""

from __future__ import annotations

from dataclasses import dataclass, field

AGE_BANDS = ("0_4", "5_14", "15_24", "25_59", "60_plus")
"""Age bands of the kheseg baseline, in completed years."""

CHECKPOINT_BANDS = ("0_17", "18_59", "60_plus")
"""Age bands of the checkpoint registry, in completed years."""


@dataclass(frozen=True)
class FormColumn:
    """One canonical column of a form's table.

    `kind` is text, integer, number, date, timestamp, yesno, code or place. A `required` column must be in the file's
    header and may not be empty; `codelist` names the list of allowed codes; `minimum` and `maximum` are inclusive.
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


def _count(name: str, en: str, mn: str, *, unit: str = "persons", required: bool = False) -> FormColumn:
    return FormColumn(name, "integer", en, mn, unit, required=required, minimum=0)


def _age_words(band: str) -> tuple[str, str]:
    if band.endswith("_plus"):
        first = band.removesuffix("_plus")
        return f"aged {first} and over", f"{first} ба түүнээс дээш насны"
    first, last = band.split("_")
    return f"aged {first}-{last}", f"{first}-{last} насны"


# fmt: off
_SEX = (
    _count("male_persons", "men and boys", "эрэгтэй хүний тоо"),
    _count("female_persons", "women and girls", "эмэгтэй хүний тоо"),
)
_AGES = tuple(
    _count(f"age_{band}_persons", f"persons {_age_words(band)[0]}", f"{_age_words(band)[1]} хүний тоо")
    for band in AGE_BANDS
)
_INSTANCE = FormColumn(
    "instance_id", "text", "identifier of the return, given by the collecting tool", "маягтын давтагдашгүй дугаар",
    required=True, aliases=("_uuid", "instanceid", "meta_instanceid", "_submission__uuid", "key"),
)
_ENUMERATOR = FormColumn(
    "enumerator", "text", "pseudonymous enumerator", "тоологчийн нууцалсан дугаар", aliases=("enumerator_id",)
)
_GPS = (
    FormColumn("lon", "number", "GPS longitude, WGS84", "GPS уртраг, WGS84", "degrees", aliases=("longitude",)),
    FormColumn("lat", "number", "GPS latitude, WGS84", "GPS өргөрөг, WGS84", "degrees", aliases=("latitude",)),
    FormColumn("accuracy_m", "number", "GPS accuracy", "GPS-ийн нарийвчлал", "m", minimum=0, aliases=("precision",)),
)
_REVIEW = FormColumn(
    "review_state", "text", "state given by the collecting tool", "хянасан төлөв", aliases=("_validation_status",)
)
_ROUND = FormColumn("round", "integer", "round of data collection", "судалгааны үе шатны дугаар", minimum=0)

BASELINE = FormTable(
    "kheseg-baseline",
    "baseline",
    "What a kheseg leader knows of the neighbourhood: people and households registered and really living there",
    "Хэсгийн ахлагчийн мэдээлэл: бүртгэлтэй болон бодитоор амьдарч буй өрх, хүн ам",
    (
        _INSTANCE,
        FormColumn("form_version", "text", "version of the form", "маягтын хувилбар", aliases=("__version__",)),
        _ROUND,
        _ENUMERATOR,
        FormColumn(
            "collected_at", "timestamp", "when the return was collected", "мэдээлэл цуглуулсан огноо, цаг",
            required=True, aliases=("end", "today", "_submission_time"),
        ),
        FormColumn("unit", "place", "P-code of the kheseg or khoroo", "хэсэг эсвэл хорооны P-код", aliases=("pcode",)),
        FormColumn("district", "text", "name or P-code of the district", "дүүргийн нэр эсвэл P-код"),
        FormColumn("khoroo", "text", "number or P-code of the khoroo", "хорооны дугаар эсвэл P-код"),
        FormColumn("kheseg", "text", "number or P-code of the kheseg", "хэсгийн дугаар эсвэл P-код"),
        *_GPS,
        _count("registered_households", "households registered", "бүртгэлтэй өрхийн тоо",
               unit="households", required=True),
        _count("registered_persons", "persons registered", "бүртгэлтэй хүний тоо", required=True),
        _count("actual_households", "households really living there", "бодитоор амьдарч буй өрхийн тоо",
               unit="households", required=True),
        _count("actual_persons", "persons really living there", "бодитоор амьдарч буй хүний тоо", required=True),
        *_SEX,
        *_AGES,
        _count("registered_absent_persons", "registered but living elsewhere", "бүртгэлтэй ч өөр газар амьдарч буй хүний тоо"),  # noqa: E501
        _count("unregistered_persons", "living there but not registered", "бүртгэлгүй амьдарч буй хүний тоо"),
        _count("ger_households", "households living in gers", "гэрт амьдардаг өрхийн тоо", unit="households"),
        _count("house_households", "households living in houses", "байшинд амьдардаг өрхийн тоо", unit="households"),
        _count("apartment_households", "households living in apartments", "орон сууцанд амьдардаг өрхийн тоо",
               unit="households"),
        _count("other_households", "households living otherwise", "бусад сууцанд амьдардаг өрхийн тоо",
               unit="households"),
        _count("births_persons", "births since the last round", "өмнөх үе шатнаас хойшхи төрөлт"),
        _count("deaths_persons", "deaths since the last round", "өмнөх үе шатнаас хойшхи нас баралт"),
        FormColumn("number_source", "code", "where the numbers are from", "тоон мэдээллийн эх сурвалж",
                   codelist="number_source"),
        FormColumn("confidence", "integer", "confidence, 1 low to 3 high", "итгэх түвшин, 1 бага - 3 өндөр",
                   minimum=1, maximum=3),
        FormColumn("window_from", "date", "first day of the window of moves", "шилжилт асуусан хугацааны эхний өдөр"),
        FormColumn("window_to", "date", "last day of the window of moves", "шилжилт асуусан хугацааны сүүлийн өдөр"),
        FormColumn("remarks", "text", "remarks; not stored in canonical tables", "тайлбар; үндсэн хүснэгтэд орохгүй"),
        _REVIEW,
    ),
    marks=("registered_persons", "actual_persons"),
)


def _moves(name: str, place: FormColumn, en: str, mn: str) -> FormTable:
    return FormTable(
        "kheseg-baseline",
        name,
        en,
        mn,
        (
            FormColumn(
                "instance_id", "text", "identifier of the baseline return it belongs to",
                "харьяалагдах суурь маягтын дугаар", required=True,
                aliases=("parent_key", "_submission__uuid", "_uuid"),
            ),
            place,
            _count("households", "households moved", "шилжсэн өрхийн тоо", unit="households"),
            FormColumn("persons", "integer", "persons moved", "шилжсэн хүний тоо", "persons", required=True, minimum=1),
            *_SEX,
            *_AGES,
            FormColumn("reason", "code", "main reason for moving", "шилжсэн гол шалтгаан", codelist="reason"),
            FormColumn("registered", "yesno", "whether the move was registered", "шилжилт бүртгэгдсэн эсэх"),
            FormColumn("intended_duration", "code", "how long they mean to stay", "оршин суух хугацаа",
                       codelist="intended_duration"),
        ),
        marks=(place.name,),
    )


ARRIVALS = _moves(
    "arrivals",
    FormColumn(
        "origin", "place", "where they came from: P-code, name, abroad or unknown",
        "хаанаас ирсэн: P-код, нэр, abroad (гадаад) эсвэл unknown (тодорхойгүй)", required=True,
    ),
    "Groups of people who moved in",
    "Шилжин ирсэн хүмүүс",
)
DEPARTURES = _moves(
    "departures",
    FormColumn(
        "destination", "place", "where they went: P-code, name, abroad or unknown",
        "хаашаа явсан: P-код, нэр, abroad (гадаад) эсвэл unknown (тодорхойгүй)", required=True,
    ),
    "Groups of people who moved out",
    "Шилжин явсан хүмүүс",
)

PASSAGE_GROUPS = tuple(f"{sex}_{band}_persons" for sex in ("male", "female") for band in CHECKPOINT_BANDS)
_SEX_WORDS = {"male": ("men and boys", "эрэгтэй"), "female": ("women and girls", "эмэгтэй")}

PASSAGES = FormTable(
    "checkpoint-registry",
    "passages",
    "Vehicles and travellers that pass a checkpoint",
    "Хяналтын цэгээр нэвтэрсэн тээврийн хэрэгсэл, зорчигч",
    (
        _INSTANCE,
        FormColumn("checkpoint", "code", "checkpoint", "хяналтын цэг", required=True, codelist="checkpoint"),
        FormColumn("direction", "code", "in or out of the city", "чиглэл: орох, гарах", required=True,
                   codelist="direction"),
        FormColumn("passed_at", "timestamp", "hour of passing, local time", "нэвтэрсэн цаг, орон нутгийн цагаар",
                   required=True),
        FormColumn("vehicle", "code", "vehicle type", "тээврийн хэрэгслийн төрөл", codelist="vehicle"),
        FormColumn("persons", "integer", "travellers", "зорчигчийн тоо", "persons", required=True, minimum=1),
        *(
            _count(
                f"{sex}_{band}_persons",
                f"{_SEX_WORDS[sex][0]} {_age_words(band)[0]}",
                f"{_age_words(band)[1]} {_SEX_WORDS[sex][1]} зорчигч",
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
        _ENUMERATOR,
        *_GPS,
        _ROUND,
        FormColumn("form_version", "text", "version of the form", "маягтын хувилбар", aliases=("__version__",)),
        _REVIEW,
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

PUBLISHED = FormTable(
    "dtm-published",
    "published",
    "Stocks of displaced people as IOM publishes them",
    "ОУШХБ-аас нийтэлсэн дүрвэн шилжигчдийн тоо",
    (
        FormColumn("id", "text", "identifier given by IOM; empty for countries", "ОУШХБ-ын дугаар"),
        FormColumn("operation", "text", "name of the DTM operation", "DTM ажиллагааны нэр", required=True),
        FormColumn("admin0Name", "text", "country", "улс"),
        FormColumn("admin0Pcode", "text", "code of the country, ISO 3166-1 alpha-3", "улсын код", required=True),
        FormColumn("admin1Name", "text", "area of level 1", "1-р түвшний нэгж"),
        FormColumn("admin1Pcode", "text", "P-code of the area of level 1", "1-р түвшний нэгжийн P-код"),
        FormColumn("admin2Name", "text", "area of level 2", "2-р түвшний нэгж"),
        FormColumn("admin2Pcode", "text", "P-code of the area of level 2", "2-р түвшний нэгжийн P-код"),
        FormColumn("adminLevel", "integer", "administrative level of the row", "засаг захиргааны түвшин",
                   required=True, minimum=0, maximum=2),
        FormColumn("numPresentIdpInd", "integer", "displaced persons present", "дүрвэн шилжигчдийн тоо", "persons",
                   required=True, minimum=0),
        FormColumn("reportingDate", "date", "day of the report", "тайлангийн огноо", required=True),
        FormColumn("yearReportingDate", "integer", "year of the report", "тайлангийн он"),
        FormColumn("monthReportingDate", "integer", "month of the report", "тайлангийн сар", minimum=1, maximum=12),
        FormColumn("roundNumber", "integer", "round of data collection", "судалгааны үе шатны дугаар", required=True,
                   minimum=0),
        FormColumn("displacementReason", "text", "reason or reasons, separated by semicolons", "шилжсэн шалтгаан",
                   codelist="displacement_reason"),
        FormColumn("numberMales", "integer", "men and boys", "эрэгтэй хүний тоо", "persons", minimum=0),
        FormColumn("numberFemales", "integer", "women and girls", "эмэгтэй хүний тоо", "persons", minimum=0),
        FormColumn("idpOriginAdmin1Name", "text", "area they came from", "анх амьдарч байсан нэгж"),
        FormColumn("idpOriginAdmin1Pcode", "text", "P-code of the area they came from", "анх амьдарч байсан нэгжийн P-код"),  # noqa: E501
        FormColumn("assessmentType", "text", "BA baseline, SA site, ETT emergency tracking", "үнэлгээний төрөл",
                   codelist="assessment_type"),
        FormColumn("operationStatus", "text", "Active or Inactive", "ажиллагааны төлөв"),
    ),
    marks=("numPresentIdpInd", "adminLevel"),
)

# fmt: on
FORMS: dict[str, tuple[FormTable, ...]] = {
    "kheseg-baseline": (BASELINE, ARRIVALS, DEPARTURES),
    "checkpoint-registry": (PASSAGES, WATCH),
    "dtm-published": (PUBLISHED,),
}
"""Tables of each form, parents before their repeats."""

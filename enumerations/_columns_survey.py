"""Declare the columns of the household survey: the household and its members, without anything that identifies one."""

from __future__ import annotations

from enumerations._columns_common import (
    COLLECTED_AT,
    ENUMERATOR,
    FORM_VERSION,
    GPS,
    INSTANCE,
    REMARKS,
    REVIEW,
    ROUND,
    UNIT,
    FormColumn,
    FormTable,
)

# fmt: off
HOUSEHOLDS = FormTable(
    "household-survey",
    "households",
    "A household of the sample that was asked",
    "Түүврийн өрх",
    (
        INSTANCE,
        FORM_VERSION,
        ROUND,
        ENUMERATOR,
        COLLECTED_AT,
        *UNIT,
        *GPS,
        FormColumn("consent", "yesno", "whether the household agreed to be asked",
                   "судалгаанд оролцохыг зөвшөөрсөн эсэх", required=True),
        FormColumn("household_persons", "integer", "persons of the household", "өрхийн хүний тоо", "persons",
                   minimum=1, maximum=40),
        FormColumn("dwelling", "code", "kind of dwelling", "сууцны төрөл", codelist="dwelling"),
        FormColumn("registered", "yesno", "whether the household is registered at this address",
                   "энэ хаягт бүртгэлтэй эсэх"),
        FormColumn("move_distance", "code", "how far the last move was", "сүүлийн шилжилтийн зай",
                   codelist="move_distance"),
        FormColumn("reason", "code", "main reason of the last move", "сүүлд шилжсэн гол шалтгаан", codelist="reason"),
        FormColumn("intended_duration", "code", "how long they mean to stay", "оршин суух хугацаа",
                   codelist="intended_duration"),
        REMARKS,
        REVIEW,
    ),
    marks=("consent",),
)


def _residence(name: str, en: str, mn: str) -> FormColumn:
    return FormColumn(name, "place", f"{en}: P-code, name, abroad or unknown", f"{mn}: P-код, нэр, abroad, unknown")


MEMBERS = FormTable(
    "household-survey",
    "members",
    "A member of a household of the sample; never a name, a date of birth or a number of a document",
    "Түүврийн өрхийн гишүүн; нэр, төрсөн өдөр, бичиг баримтын дугаар асуухгүй",
    (
        FormColumn(
            "instance_id", "text", "identifier of the household's return", "өрхийн маягтын дугаар", required=True,
            aliases=("parent_key", "_submission__uuid", "_uuid"),
        ),
        FormColumn("sex", "code", "sex", "хүйс", required=True, codelist="sex"),
        FormColumn("age_years", "integer", "age in completed years", "нас", "years", required=True,
                   minimum=0, maximum=110),
        _residence("residence_1y", "where they lived one year ago; empty under 1 year of age",
                   "нэг жилийн өмнө оршин сууж байсан газар; 1 хүртэлх насанд хоосон"),
        _residence("residence_5y", "where they lived five years ago; empty under 5 years of age",
                   "таван жилийн өмнө оршин сууж байсан газар; 5 хүртэлх насанд хоосон"),
        _residence("birthplace", "where they lived at birth", "төрөхдөө оршин сууж байсан газар"),
        FormColumn("registered", "yesno", "whether registered at this address", "энэ хаягт бүртгэлтэй эсэх"),
        FormColumn("reason", "code", "main reason of the last move", "сүүлд шилжсэн гол шалтгаан", codelist="reason"),
    ),
    marks=("sex", "age_years"),
)
# fmt: on

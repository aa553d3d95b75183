"""Declare the columns of the kheseg baseline: the return, its arrivals and its departures."""

from __future__ import annotations

from enumerations._columns_common import (
    AGES,
    COLLECTED_AT,
    ENUMERATOR,
    FORM_VERSION,
    GPS,
    INSTANCE,
    REMARKS,
    REVIEW,
    ROUND,
    SEX,
    UNIT,
    FormColumn,
    FormTable,
    count,
)

# fmt: off
CONDITIONS = (
    count("employed_persons", "persons with paid work", "цалинтай ажил эрхэлдэг хүний тоо"),
    count("unemployed_persons", "persons who look for work", "ажил хайж буй хүний тоо"),
    FormColumn("main_income", "code", "main source of income of most households", "ихэнх өрхийн орлогын гол эх үүсвэр",
               codelist="income_source"),
    FormColumn("income_change", "code", "income of most households against the last round",
               "ихэнх өрхийн орлого өмнөх үе шаттай харьцуулахад", codelist="income_change"),
    count("welfare_households", "households that receive welfare", "халамж авдаг өрхийн тоо", unit="households"),
    FormColumn("problems", "codes", "main problems of the neighbourhood", "тулгамдаж буй асуудал", codelist="problem"),
    FormColumn("safety", "code", "how safe people feel after dark", "харанхуй болсны дараах аюулгүй байдлын мэдрэмж",
               codelist="safety"),
    FormColumn("services_lacking", "codes", "services that are missing or out of reach",
               "байхгүй эсвэл хүрэлцээгүй үйлчилгээ", codelist="service"),
    FormColumn("water_source", "code", "where most households take their water", "ихэнх өрхийн усны эх үүсвэр",
               codelist="water_source"),
    count("electricity_households", "households with electricity", "цахилгаантай өрхийн тоо", unit="households"),
    count("school_age_persons", "children aged 6-17", "6-17 насны хүүхдийн тоо"),
    count("out_of_school_persons", "children aged 6-17 who don't go to school", "сургуульд сурдаггүй 6-17 насны хүүхдийн тоо"),  # noqa: E501
    count("preschool_age_persons", "children aged 2-5", "2-5 насны хүүхдийн тоо"),
    count("out_of_kindergarten_persons", "children aged 2-5 without a place in a kindergarten",
          "цэцэрлэгт хамрагдаагүй 2-5 насны хүүхдийн тоо"),
)
"""What a kheseg leader tells of work, money, problems, services and children."""

BASELINE = FormTable(
    "kheseg-baseline",
    "baseline",
    "What a kheseg leader knows of the neighbourhood: people and households registered and really living there",
    "Хэсгийн ахлагчийн мэдээлэл: бүртгэлтэй болон бодитоор амьдарч буй өрх, хүн ам",
    (
        INSTANCE,
        FORM_VERSION,
        ROUND,
        ENUMERATOR,
        FormColumn("informant_role", "code", "who fills in the return", "маягт бөглөгчийн үүрэг",
                   codelist="enumerator_role"),
        COLLECTED_AT,
        *UNIT,
        *GPS,
        count("registered_households", "households registered", "бүртгэлтэй өрхийн тоо",
               unit="households", required=True),
        count("registered_persons", "persons registered", "бүртгэлтэй хүний тоо", required=True),
        count("actual_households", "households really living there", "бодитоор амьдарч буй өрхийн тоо",
               unit="households", required=True),
        count("actual_persons", "persons really living there", "бодитоор амьдарч буй хүний тоо", required=True),
        *SEX,
        *AGES,
        count("registered_absent_persons", "registered but living elsewhere", "бүртгэлтэй ч өөр газар амьдарч буй хүний тоо"),  # noqa: E501
        count("unregistered_persons", "living there but not registered", "бүртгэлгүй амьдарч буй хүний тоо"),
        count("ger_households", "households living in gers", "гэрт амьдардаг өрхийн тоо", unit="households"),
        count("house_households", "households living in houses", "байшинд амьдардаг өрхийн тоо", unit="households"),
        count("apartment_households", "households living in apartments", "орон сууцанд амьдардаг өрхийн тоо",
               unit="households"),
        count("other_households", "households living otherwise", "бусад сууцанд амьдардаг өрхийн тоо",
               unit="households"),
        count("births_persons", "births since the last round", "өмнөх үе шатнаас хойшхи төрөлт"),
        count("deaths_persons", "deaths since the last round", "өмнөх үе шатнаас хойшхи нас баралт"),
        FormColumn("number_source", "code", "where the numbers are from", "тоон мэдээллийн эх сурвалж",
                   codelist="number_source"),
        FormColumn("confidence", "integer", "confidence, 1 low to 3 high", "итгэх түвшин, 1 бага - 3 өндөр",
                   minimum=1, maximum=3),
        FormColumn("window_from", "date", "first day of the window of moves", "шилжилт асуусан хугацааны эхний өдөр"),
        FormColumn("window_to", "date", "last day of the window of moves", "шилжилт асуусан хугацааны сүүлийн өдөр"),
        FormColumn("had_arrivals", "yesno", "whether anyone moved in in the window; empty when not asked",
                   "энэ хугацаанд шилжиж ирсэн хүн байгаа эсэх; асуугаагүй бол хоосон"),
        FormColumn("had_departures", "yesno", "whether anyone moved out in the window; empty when not asked",
                   "энэ хугацаанд шилжиж явсан хүн байгаа эсэх; асуугаагүй бол хоосон"),
        *CONDITIONS,
        REMARKS,
        REVIEW,
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
            count("households", "households moved", "шилжсэн өрхийн тоо", unit="households"),
            FormColumn("persons", "integer", "persons moved", "шилжсэн хүний тоо", "persons", required=True, minimum=1),
            *SEX,
            *AGES,
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
# fmt: on

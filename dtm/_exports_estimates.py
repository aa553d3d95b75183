"""Declare the exports of the migration numbers: moves by item, vital events, estimates, checkpoints, the survey."""

from __future__ import annotations

from dtm._exports_kinds import (
    AREA,
    COVERAGE,
    ENDS,
    ENDS_COVERAGE,
    INTERVAL,
    METHOD,
    NOTE,
    RELEASE,
    ROUND,
    STATUS,
    ColumnKind,
    ExportColumn,
    Product,
)

_C = ExportColumn
_SOURCE = ("source", "source_label")
_DIRECTION = ("direction", "direction_label")
_CHECKPOINT = ("checkpoint", "checkpoint_label")

_COVERAGE_WORDS: tuple[tuple[str, ColumnKind, str, str, str], ...] = (
    ("units_expected", "integer", "reporting units expected", "мэдээлэх ёстой нэгж", "units"),
    ("units_reported", "integer", "units with an accepted return", "мэдээлсэн нэгж", "units"),
    (
        "registered_coverage_share", "number", "share of the registered people in units that reported",
        "мэдээлсэн нэгжид амьдардаг бүртгэлтэй хүний хувь", "0-1",
    ),
)  # fmt: skip
ESTIMATE_COLUMNS = (
    _C("breakdown_label", "text", "the breakdown in words", "задаргааны нэр"),
    _C("method_label", "text", "the method in words", "аргын нэр"),
    _C("note_label", "text", "the note in words", "тайлбар үгээр", "", "#description+name"),
    _C("event", "text", "births or deaths", "төрөлт эсвэл нас баралт"),
    _C("event_label", "text", "the event in words", "үйл явдлын нэр"),
    _C("figure", "text", "figure that was completed", "гүйцээсэн тоо"),
    _C("figure_label", "text", "the figure in words", "тооны нэр"),
    _C("flag", "text", "green, amber (over 2 %) or red (over 5 %)", "ногоон, шар (2 %-иас их), улаан (5 %-иас их)"),
    _C("flag_label", "text", "the flag in words", "тэмдгийн утга"),
    _C("estimate", "text", "name of the survey estimate", "судалгааны үнэлгээний код"),
    _C("estimate_label", "text", "the estimate in words", "үнэлгээний нэр"),
    _C("low", "number", "lower end of the 95 % interval", "95 %-ийн итгэх завсрын доод хязгаар"),
    _C("high", "number", "upper end of the 95 % interval", "95 %-ийн итгэх завсрын дээд хязгаар"),
    _C("standard_error", "number", "standard error of the value, in its unit", "стандарт алдаа"),
    _C(
        "design_effect",
        "number",
        "variance against a simple random sample of the same size",
        "ижил хэмжээтэй энгийн санамсаргүй түүвэртэй харьцуулсан дисперс",
    ),
    _C("base_households", "integer", "households asked that it rests on", "үнэлгээний суурь өрх", "households"),
    _C("base_persons", "integer", "persons it rests on", "үнэлгээний суурь хүн", "persons"),
    _C("arrivals", "integer", "people who moved in", "шилжин ирсэн хүн", "persons"),
    _C("departures", "integer", "people who moved out", "шилжин явсан хүн", "persons"),
    _C("mirror_ratio", "number", "arrivals / departures", "ирсэн / явсан харьцаа"),
    _C("observed", "integer", "what the units that reported told", "мэдээлсэн нэгжүүдийн тоо", "persons"),
    _C(
        "registered_missing",
        "number",
        "registered people of the units that did not report",
        "мэдээлээгүй нэгжийн бүртгэлтэй хүн",
        "persons",
    ),
    _C("imputed_share", "number", "part of the value that is estimated", "утгын нөхөж тооцсон хэсэг", "0-1"),
    _C(
        "opening",
        "integer",
        "people at the round before, in the units that reported in both",
        "өмнөх үе шатны хүн ам, хоёуланд нь мэдээлсэн нэгжээр",
        "persons",
    ),
    _C("births", "integer", "births", "төрсөн хүүхэд", "persons"),
    _C("deaths", "integer", "deaths", "нас барсан хүн", "persons"),
    _C("boundary_change", "integer", "people a change of boundaries brought", "хил өөрчлөгдсөнөөс", "persons"),
    _C("closing", "integer", "people at the round", "тухайн үе шатны хүн ам", "persons"),
    _C("residual", "integer", "what the others leave unexplained", "тайлбарлагдаагүй зөрүү", "persons"),
    _C("residual_pct", "number", "residual as a share of the people at the round", "зөрүүний эзлэх хувь", "%"),
    _C("day", "date", "day, local time", "өдөр, орон нутгийн цагаар"),
    _C("from_set", "text", "area set the round was published by", "үе шатыг нийтэлсэн нэгжийн багц"),
    _C(
        "weights",
        "text",
        "what divided an area that was split: area, or the name of a layer",
        "хуваагдсан нэгжийг хуваасан жин: талбай эсвэл давхаргын нэр",
    ),
    _C(
        "estimated_share",
        "number",
        "part of the value that comes out of areas that were split",
        "хуваагдсан нэгжээс гарсан хэсэг",
        "0-1",
    ),
    _C(
        "reported_share",
        "number",
        "part of the reporting units behind the value that reported",
        "утгын цаадах нэгжийн мэдээлсэн хэсэг",
        "0-1",
    ),
    _C("checkpoint", "text", "code of the checkpoint, or total", "хяналтын цэгийн код, эсвэл total (бүгд)"),
    _C("checkpoint_label", "text", "name of the checkpoint", "хяналтын цэгийн нэр"),
    _C(
        "observed_hours",
        "text",
        "which hours of the day were watched, as ranges such as 6-21",
        "өдрийн аль цагт ажигласан: 6-21 гэх мэт",
    ),
    _C(
        "observed_share",
        "number",
        "share of the day's travellers that the profile expects in the hours watched",
        "ажигласан цагт өдрийн зорчигчийн ногдох хэсэг",
        "0-1",
    ),
    _C("weekday", "integer", "1 Monday to 7 Sunday", "1 Даваа - 7 Ням"),
    _C("hour", "integer", "hour of the day, 0 to 23, local time", "өдрийн цаг, 0-23, орон нутгийн цагаар"),
    _C("checkpoint_hours", "number", "hours of watch behind the count", "тооллогын цаадах ажигласан цаг", "h"),
    _C(
        "part",
        "text",
        "between two areas, inside one, nested (may have stayed inside), abroad, unknown or total",
        "хоёр нэгжийн хооронд, нэгж дотор, дотор байж болзошгүй, гадаад, тодорхойгүй, эсвэл нийт",
    ),
    _C("part_label", "text", "the part in words", "хэсгийн нэр"),
    *(
        _C(f"{end}_{name}", kind, f"{words_en} of the {end}", f"{end_mn} {words_mn}", unit)
        for end, end_mn in (("origin", "гарсан нэгжийн"), ("destination", "очсон нэгжийн"))
        for name, kind, words_en, words_mn, unit in _COVERAGE_WORDS
    ),
)
"""Columns that only these products have."""

ESTIMATE_PRODUCTS = (
    Product(
        "flow-items",
        "flow_item",
        "Moves by sex, age, registration and distance",
        "Шилжилт хөдөлгөөн хүйс, нас, бүртгэл, зайгаар",
        (
            *ROUND, "flow_days", *_SOURCE, *AREA, *_DIRECTION, "breakdown", "breakdown_label", "item", "item_label",
            "measure", "measure_label", "value", *STATUS, *METHOD, "series_break", *COVERAGE, *RELEASE,
        ),
    ),
    Product(
        "vitals",
        "vital",
        "Births and deaths that the returns tell",
        "Мэдээгээр ирсэн төрөлт, нас баралт",
        (*ROUND, *AREA, "event", "event_label", "value", *STATUS, *METHOD, "series_break", *COVERAGE, *RELEASE),
    ),
    Product(
        "reconciled",
        "flow_estimate",
        "Moves that both ends told, made one figure",
        "Хоёр талын мэдээг тулгасан шилжилт хөдөлгөөн",
        (
            *ROUND, "flow_days", "level", *ENDS, "arrivals", "departures", "mirror_ratio", "value", *INTERVAL, *STATUS,
            *METHOD, *NOTE, "series_break", *ENDS_COVERAGE, *RELEASE,
        ),
    ),
    Product(
        "imputed",
        "imputed",
        "Figures of all units, those that did not report estimated",
        "Бүх нэгжийн тоо, мэдээлээгүйг нөхөж тооцсон",
        (
            *ROUND, "reference_on", "flow_days", *AREA, "figure", "figure_label", "observed", "registered_missing",
            "value", *INTERVAL, "imputed_share", *STATUS, *METHOD, *NOTE, "series_break", *COVERAGE, *RELEASE,
        ),
    ),
    Product(
        "balance",
        "balance",
        "Stock-flow balance between rounds",
        "Үе шат хоорондын хүн амын тэнцэл",
        (
            *ROUND, "reference_on", "flow_days", *AREA, "opening", "arrivals", "departures", "births", "deaths",
            "boundary_change", "closing", "residual", "residual_pct", "flag", "flag_label", *STATUS, *NOTE,
            "series_break", *COVERAGE, *RELEASE,
        ),
    ),
    Product(
        "system",
        "system",
        "Indices of the areas as one system of migration",
        "Шилжилт хөдөлгөөний нэгдсэн тогтолцооны үзүүлэлтүүд",
        (
            *ROUND, "flow_days", *_SOURCE, "level", "indicator", "indicator_label", "value", "unit", *STATUS, *NOTE,
            "series_break", *COVERAGE, *RELEASE,
        ),
    ),
    Product(
        "monthly",
        "stock_month",
        "People by month",
        "Хүн амын тоо сараар",
        (*AREA, "category", "category_label", "day", "value", *STATUS, *METHOD, *NOTE, "series_break", *COVERAGE,
         *RELEASE),
    ),
    Product(
        "carried",
        "carried",
        "People at earlier rounds, carried to the areas of today",
        "Өмнөх үе шатны хүн ам, одоогийн нэгжид шилжүүлсэн",
        (
            "round_number", "reference_on", "from_set", "weights", *AREA, "category", "category_label", "value",
            "estimated_share", "reported_share", *STATUS, *METHOD, "series_break", *RELEASE,
        ),
    ),
    Product(
        "survey",
        "survey_estimate",
        "Estimates of the household survey",
        "Өрхийн түүвэр судалгааны үнэлгээ",
        (
            *ROUND, *AREA, "estimate", "estimate_label", "item", "item_label", "value", "unit", "standard_error",
            *INTERVAL, "design_effect", "base_households", "base_persons", *STATUS, *METHOD, *NOTE, "series_break",
            *RELEASE,
        ),
    ),
    Product(
        "survey-flows",
        "survey_flow",
        "Residence one year ago, five years ago and at birth, from the household survey",
        "Нэг, таван жилийн өмнөх болон төрсөн газар, өрхийн түүвэр судалгаагаар",
        (
            *ROUND, *_SOURCE, "level", *ENDS, "value", "standard_error", *INTERVAL, "base_persons", *STATUS, *METHOD,
            *NOTE, "series_break", *RELEASE,
        ),
    ),
    Product(
        "checkpoint-days",
        "passage_day",
        "Travellers counted at checkpoints by day",
        "Хяналтын цэгээр зорчигчид өдрөөр",
        (
            "round_number", *_CHECKPOINT, "day", *_DIRECTION, "measure", "measure_label", "hours_observed",
            "observed_hours", "value", *STATUS, "series_break", *RELEASE,
        ),
    ),
    Product(
        "checkpoint-hours",
        "passage_hour",
        "Travellers at checkpoints by weekday and hour",
        "Хяналтын цэгээр зорчигчид гараг, цагаар",
        (*ROUND, *_DIRECTION, "weekday", "hour", "checkpoint_hours", "value", *STATUS, "series_break",
         *RELEASE),
    ),
    Product(
        "checkpoint-estimates",
        "passage_estimate",
        "Travellers at checkpoints in 24 hours, estimated from the hours watched",
        "Хяналтын цэгээр 24 цагт зорчигчид, ажигласан цагаас өсгөж тооцсон",
        (
            "round_number", *_CHECKPOINT, "day", *_DIRECTION, "hours_observed", "observed_share", "value", *INTERVAL,
            *STATUS, *METHOD, *NOTE, "series_break", *RELEASE,
        ),
    ),
)  # fmt: skip

FLOW_VIEW = Product(
    "flow-view",
    "flow_estimate",
    "Moves by source, side by side",
    "Шилжилт хөдөлгөөн эх сурвалжаар, зэрэгцүүлэн",
    (
        *ROUND, "flow_days", *_SOURCE, "zone_level", "pcode", "name_en", "name_mn", *_DIRECTION, *ENDS, "part",
        "part_label", "breakdown", "breakdown_label", "item", "item_label", "value", *INTERVAL, *STATUS, *METHOD, *NOTE,
        "series_break", *COVERAGE, "hours_observed", *RELEASE,
    ),
)  # fmt: skip
"""What `dtm flows --out` writes; its rows come of several tables, so it is no product of `dtm export`."""

SURVEY_LISTS = {
    "move_reason_share_pct": "reason",
    "move_distance_share_pct": "move_distance",
    "intended_duration_share_pct": "intended_duration",
    "dwelling_share_pct": "dwelling",
}
"""Lists that the items of a survey estimate are codes of."""

ESTIMATE_WORDS: dict[tuple[str, str], tuple[str, str]] = {
    ("source", "reconciled"): ("Reconciled from both ends", "Хоёр талын мэдээг тулгасан үнэлгээ"),
    ("source", "imputed"): (
        "Told, with the units that did not report estimated",
        "Мэдээлсэн дүн, мэдээлээгүй нэгжийг нөхөж тооцсон",
    ),
    ("source", "survey_1y"): ("Survey: residence a year ago", "Түүвэр судалгаа: нэг жилийн өмнөх оршин суугаа газар"),
    ("source", "survey_5y"): (
        "Survey: residence five years ago",
        "Түүвэр судалгаа: таван жилийн өмнөх оршин суугаа газар",
    ),
    ("source", "survey_lifetime"): ("Survey: place of birth", "Түүвэр судалгаа: төрсөн газар"),
    ("direction", "net"): ("Net (in less out)", "Цэвэр (орсноос гарсныг хассан)"),
    ("method", "observed"): ("Told or counted", "Мэдээлсэн, тоолсон"),
    ("method", "imputed"): ("Estimated for units that did not report", "Мэдээлээгүй нэгжийг нөхөж тооцсон"),
    ("method", "reconciled"): ("Reconciled from both ends", "Хоёр талын мэдээг тулгасан"),
    ("method", "interpolated"): ("Between two rounds", "Хоёр үе шатны хооронд тооцсон"),
    ("method", "projected"): ("After the last round", "Сүүлийн үе шатнаас хойш төсөөлсөн"),
    ("method", "carried"): ("Carried from another set of areas", "Өөр нэгжийн багцаас шилжүүлсэн"),
    ("method", "expanded"): ("Expanded to 24 hours", "24 цагт өсгөж тооцсон"),
    ("method", "sampled"): ("From a sample", "Түүвэрт үндэслэсэн"),
    ("breakdown", "reason"): ("Reason", "Шалтгаан"),
    ("breakdown", "sex"): ("Sex", "Хүйс"),
    ("breakdown", "age"): ("Age", "Нас"),
    ("breakdown", "registered"): ("Registration", "Бүртгэл"),
    ("breakdown", "distance"): ("Distance", "Зай"),
    ("registered", "yes"): ("Registered", "Бүртгүүлсэн"),
    ("registered", "no"): ("Not registered", "Бүртгүүлээгүй"),
    ("distance", "same_district"): ("Inside the district or soum", "Дүүрэг, сум дотроо"),
    ("distance", "other_district"): ("Another district or soum", "Өөр дүүрэг, сум"),
    ("distance", "other_aimag"): ("Another aimag or the capital", "Өөр аймаг, нийслэл"),
    ("distance", "abroad"): ("Abroad", "Гадаад улс"),
    ("distance", "unknown"): ("Unknown", "Тодорхойгүй"),
    ("event", "births"): ("Births", "Төрөлт"),
    ("event", "deaths"): ("Deaths", "Нас баралт"),
    ("figure", "actual_persons"): ("People really living there", "Бодитоор амьдарч буй хүн"),
    ("figure", "arrivals"): ("Arrivals", "Шилжин ирсэн хүн"),
    ("figure", "departures"): ("Departures", "Шилжин явсан хүн"),
    ("flag", "green"): ("Balanced", "Тэнцсэн"),
    ("flag", "amber"): ("Over 2 % unexplained", "2 %-иас их зөрүүтэй"),
    ("flag", "red"): ("Over 5 % unexplained", "5 %-иас их зөрүүтэй"),
    ("part", "between"): ("Between two areas", "Хоёр нэгжийн хооронд"),
    ("part", "inside"): ("Inside the area", "Нэгж дотроо"),
    ("part", "nested"): ("Perhaps inside the area", "Нэгж дотроо байж болзошгүй"),
    ("part", "abroad"): ("Abroad", "Гадаад улс"),
    ("part", "unknown"): ("Unknown", "Тодорхойгүй"),
}
"""Words, English and Mongolian, for the codes of these tables."""

"""Declare every column an exported file can have, in both languages, and which product has which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnKind = Literal["integer", "number", "text", "date", "boolean"]


@dataclass(frozen=True)
class ExportColumn:
    """One column of an exported file; `hxl` is its tag in the optional HXL row."""

    name: str
    kind: ColumnKind
    meaning_en: str
    meaning_mn: str
    unit: str = ""
    hxl: str = ""

    def meaning(self, language: str) -> str:
        """Return the meaning in a language."""
        return self.meaning_mn if language == "mn" else self.meaning_en


@dataclass(frozen=True)
class Product:
    """One thing a user can export: the release table it comes from and its columns in order."""

    name: str
    table: str
    title_en: str
    title_mn: str
    columns: tuple[str, ...]

    def title(self, language: str) -> str:
        """Return the title in a language."""
        return self.title_mn if language == "mn" else self.title_en


_C = ExportColumn

EXPORT_COLUMNS: dict[str, ExportColumn] = {
    column.name: column
    for column in (
        _C("round_number", "integer", "round of data collection", "мэдээлэл цуглуулсан үе шат", "", "#meta+round+num"),
        _C("started_on", "date", "first day of the round", "үе шат эхэлсэн өдөр", "", "#date+start"),
        _C("ended_on", "date", "last day of the round", "үе шат дууссан өдөр", "", "#date+end"),
        _C("reference_on", "date", "day the stocks refer to", "тоо хамаарах өдөр", "", "#date+reference"),
        _C(
            "flow_days",
            "integer",
            "days in the window the movements were asked for",
            "шилжилт хөдөлгөөнийг асуусан хугацаа",
            "days",
            "#date+days+num",
        ),
        _C(
            "source",
            "text",
            "who told it: arrivals, departures or checkpoint; sources are never added",
            "эх сурвалж: ирсэн, явсан эсвэл хяналтын цэг; эх сурвалжуудыг хооронд нь нэмдэггүй",
            "",
            "#meta+source+code",
        ),
        _C("source_label", "text", "the source in words", "эх сурвалжийн нэр", "", "#meta+source+name"),
        _C("level", "integer", "administrative level of the area", "засаг захиргааны түвшин", "", "#adm+level+num"),
        _C("pcode", "text", "P-code of the area the figure is for", "тоо хамаарах нутгийн P-код", "", "#adm+code"),
        _C("name_en", "text", "name of the area in English spelling", "нутгийн нэр (англи)", "", "#adm+name+i_en"),
        _C("name_mn", "text", "name of the area in Mongolian", "нутгийн нэр (монгол)", "", "#adm+name+i_mn"),
        _C(
            "parent_pcode",
            "text",
            "P-code of the area one level up",
            "дээд шатны нутгийн P-код",
            "",
            "#adm+parent+code",
        ),
        _C(
            "parent_name_en",
            "text",
            "name of the area one level up, in English spelling",
            "дээд шатны нутгийн нэр (англи)",
            "",
            "#adm+parent+name+i_en",
        ),
        _C(
            "parent_name_mn",
            "text",
            "name of the area one level up, in Mongolian",
            "дээд шатны нутгийн нэр (монгол)",
            "",
            "#adm+parent+name+i_mn",
        ),
        _C(
            "direction",
            "text",
            "in or out, seen from the area",
            "нутгаас харсан чиглэл: орсон эсвэл гарсан",
            "",
            "#meta+direction+code",
        ),
        _C("direction_label", "text", "the direction in words", "чиглэлийн нэр", "", "#meta+direction+name"),
        _C(
            "counterpart",
            "text",
            "other end of the move, or total",
            "шилжилтийн нөгөө үзүүр, эсвэл total (бүгд)",
            "",
            "#loc+counterpart+code",
        ),
        _C(
            "counterpart_name_en",
            "text",
            "its name in English spelling",
            "түүний нэр (англи)",
            "",
            "#loc+counterpart+name+i_en",
        ),
        _C(
            "counterpart_name_mn",
            "text",
            "its name in Mongolian",
            "түүний нэр (монгол)",
            "",
            "#loc+counterpart+name+i_mn",
        ),
        _C(
            "origin",
            "text",
            "where the move began, or total",
            "шилжилт эхэлсэн газар, эсвэл total (бүгд)",
            "",
            "#loc+origin+code",
        ),
        _C("origin_name_en", "text", "its name in English spelling", "түүний нэр (англи)", "", "#loc+origin+name+i_en"),
        _C("origin_name_mn", "text", "its name in Mongolian", "түүний нэр (монгол)", "", "#loc+origin+name+i_mn"),
        _C(
            "destination",
            "text",
            "where the move ended, or total",
            "шилжилт дууссан газар, эсвэл total (бүгд)",
            "",
            "#loc+destination+code",
        ),
        _C(
            "destination_name_en",
            "text",
            "its name in English spelling",
            "түүний нэр (англи)",
            "",
            "#loc+destination+name+i_en",
        ),
        _C(
            "destination_name_mn",
            "text",
            "its name in Mongolian",
            "түүний нэр (монгол)",
            "",
            "#loc+destination+name+i_mn",
        ),
        _C("reason", "text", "code of the reason, or total", "шалтгааны код, эсвэл total (бүгд)", "", "#cause+code"),
        _C("reason_label", "text", "the reason in words", "шалтгаан", "", "#cause+name"),
        _C("category", "text", "category of the population", "хүн амын ангилал", "", "#population+category+code"),
        _C("category_label", "text", "the category in words", "ангиллын нэр", "", "#population+category+name"),
        _C(
            "breakdown",
            "text",
            "total, sex, age or dwelling",
            "задаргаа: нийт, хүйс, нас эсвэл сууц",
            "",
            "#population+breakdown+code",
        ),
        _C(
            "item",
            "text",
            "total, or the item of the breakdown",
            "нийт, эсвэл задаргааны бүлэг",
            "",
            "#population+item+code",
        ),
        _C("item_label", "text", "the item in words", "бүлгийн нэр", "", "#population+item+name"),
        _C("indicator", "text", "name of the indicator", "үзүүлэлтийн код", "", "#indicator+code"),
        _C("indicator_label", "text", "the indicator in words", "үзүүлэлтийн нэр", "", "#indicator+name"),
        _C("layer", "text", "hazard layer", "аюулын давхарга", "", "#crisis+name"),
        _C(
            "share_of_area",
            "number",
            "share of the area inside the hazard",
            "аюулын бүсэд орсон талбайн хувь",
            "0-1",
            "#indicator+area+pct",
        ),
        _C("measure", "text", "persons or households", "хүн эсвэл өрх", "", "#meta+measure+code"),
        _C("measure_label", "text", "the measure in words", "хэмжих нэгж", "", "#meta+measure+name"),
        _C(
            "value",
            "integer",
            "the figure; empty unless the status is published, and empty is never 0",
            "тоо; төлөв нь published биш бол хоосон, хоосон нь 0 гэсэн үг биш",
            "",
            "#indicator+value+num",
        ),
        _C(
            "persons",
            "integer",
            "area-weighted people inside",
            "бүсэд байгаа хүн (талбайгаар жинлэсэн)",
            "persons",
            "#affected+num",
        ),
        _C(
            "persons_low",
            "integer",
            "people of the areas wholly inside",
            "бүхэлдээ орсон нутгийн хүн",
            "persons",
            "#affected+min+num",
        ),
        _C(
            "persons_high",
            "integer",
            "people of all areas that touch",
            "хэсэгчлэн орсон бүх нутгийн хүн",
            "persons",
            "#affected+max+num",
        ),
        _C("unit", "text", "unit of the value", "тооны нэгж", "", "#indicator+unit"),
        _C(
            "status",
            "text",
            "published, suppressed (hidden to protect people), not_reported or undefined",
            "published (нийтэлсэн), suppressed (нууцалсан), not_reported (мэдээлээгүй), undefined (тодорхойгүй)",
            "",
            "#status+code",
        ),
        _C("status_label", "text", "the status in words", "төлөв", "", "#status+name"),
        _C(
            "method",
            "text",
            "observed, imputed, interpolated or projected",
            "арга: ажигласан, нөхсөн, завсрын, төсөөлсөн",
            "",
            "#meta+method",
        ),
        _C(
            "series_break",
            "text",
            "break in the series that the row's day lies in or its comparison crosses; empty where there is none",
            "мөрийн өдөр хамаарах эсвэл харьцуулалт нь дамнах цувааны тасалдлын нэр; үгүй бол хоосон",
            "",
            "#meta+break",
        ),
        _C("note", "text", "why it is undefined, or the warning that goes with it", "тайлбар", "", "#description"),
        _C(
            "units_expected",
            "integer",
            "reporting units expected in the area",
            "мэдээлэх ёстой нэгжийн тоо",
            "units",
            "#meta+units+expected+num",
        ),
        _C(
            "units_reported",
            "integer",
            "units with an accepted return",
            "мэдээлсэн нэгжийн тоо",
            "units",
            "#meta+units+reported+num",
        ),
        _C(
            "registered_coverage_share",
            "number",
            "share of the registered population that lives in units that reported",
            "бүртгэлтэй хүн амын мэдээлсэн нэгжид амьдардаг хувь",
            "0-1",
            "#meta+coverage+share",
        ),
        _C(
            "hours_observed",
            "number",
            "checkpoint figures: hours with an enumerator on duty in the round, over all checkpoints",
            "хяналтын цэгийн тоонд: үе шатанд бүртгэгч ажилласан нийт цаг",
            "h",
            "#meta+hours+num",
        ),
        _C("subject", "text", "form or area set the finding is about", "маягт эсвэл нутгийн багц", "", "#meta+subject"),
        _C("code", "text", "code in the catalogue of checks", "шалгалтын код", "", "#meta+check+code"),
        _C("severity", "text", "error or warning", "алдаа эсвэл анхааруулга", "", "#severity+code"),
        _C("severity_label", "text", "the severity in words", "зэрэг", "", "#severity+name"),
        _C("file_name", "text", "file", "файл", "", "#meta+file"),
        _C("sheet", "text", "sheet or layer", "хуудас эсвэл давхарга", "", "#meta+sheet"),
        _C("row_number", "integer", "record or feature", "мөр эсвэл объект", "", "#meta+row+num"),
        _C("field", "text", "column", "багана", "", "#meta+field"),
        _C(
            "what_en",
            "text",
            "what is wrong and what to do, in English",
            "юу буруу, яах вэ (англи)",
            "",
            "#description+i_en",
        ),
        _C("what_mn", "text", "the same in Mongolian", "юу буруу, яах вэ (монгол)", "", "#description+i_mn"),
        _C("area_km2", "number", "area of the polygon in EPSG:32648", "талбай (EPSG:32648)", "km2"),
        _C("release_id", "text", "release the figure comes from", "тоог авсан хувилбар", "", "#meta+release"),
        _C(
            "is_demonstration",
            "boolean",
            "true where the data are made up to show the system: no real people",
            "үзүүлэнгийн зохиомол өгөгдөл бол true: бодит хүмүүс биш",
            "",
            "#meta+demonstration",
        ),
    )
}

_ROUND = ("round_number", "started_on", "ended_on")
_AREA = ("level", "pcode", "name_en", "name_mn", "parent_pcode", "parent_name_en", "parent_name_mn")
_COVERAGE = ("units_expected", "units_reported", "registered_coverage_share")
_RELEASE = ("release_id", "is_demonstration")
_INDICATOR = ("indicator", "indicator_label", "value", "unit", "status", "status_label", "note")

PRODUCTS: dict[str, Product] = {
    product.name: product
    for product in (
        Product(
            "flows",
            "flow",
            "Moves between places",
            "Хүн амын шилжилт хөдөлгөөн",
            (
                *_ROUND,
                "flow_days",
                "source",
                "source_label",
                *_AREA,
                "direction",
                "direction_label",
                *(
                    f"{end}{part}"
                    for end in ("counterpart", "origin", "destination")
                    for part in ("", "_name_en", "_name_mn")
                ),
                "reason",
                "reason_label",
                "measure",
                "measure_label",
                "value",
                "status",
                "status_label",
                "method",
                "series_break",
                *_COVERAGE,
                "hours_observed",
                *_RELEASE,
            ),
        ),
        Product(
            "stocks",
            "stock",
            "People and households",
            "Хүн ам, өрхийн тоо",
            (
                *_ROUND,
                "reference_on",
                *_AREA,
                "category",
                "category_label",
                "measure",
                "measure_label",
                "breakdown",
                "item",
                "item_label",
                "value",
                "status",
                "status_label",
                "method",
                "series_break",
                *_COVERAGE,
                *_RELEASE,
            ),
        ),
        Product(
            "indicators",
            "indicator",
            "Migration and registration indicators",
            "Шилжилт хөдөлгөөн, бүртгэлийн үзүүлэлтүүд",
            (*_ROUND, *_AREA, *_INDICATOR, "series_break", *_COVERAGE, *_RELEASE),
        ),
        Product(
            "density",
            "density",
            "Densities of population and of ger households",
            "Хүн ам, гэр хорооллын нягтшил",
            (*_ROUND, "reference_on", *_AREA, *_INDICATOR, *_COVERAGE, *_RELEASE),
        ),
        Product(
            "exposure",
            "exposure",
            "People inside the hazards",
            "Аюулын бүсэд байгаа хүн ам",
            (
                *_ROUND,
                "reference_on",
                "layer",
                *_AREA,
                "share_of_area",
                "persons",
                "persons_low",
                "persons_high",
                "status",
                "status_label",
                *_COVERAGE,
                *_RELEASE,
            ),
        ),
        Product(
            "findings",
            "finding",
            "Findings of the checks",
            "Шалгалтын дүн",
            (
                *_ROUND,
                "subject",
                "code",
                "severity",
                "severity_label",
                "file_name",
                "sheet",
                "row_number",
                "field",
                "what_en",
                "what_mn",
                *_RELEASE,
            ),
        ),
    )
}
"""Products by name; `exposure` is downloaded from the dashboard, the others are also `dtm export` products."""

REAL_VALUED_TABLES = ("indicator", "density")
"""Release tables whose `value` is a real number; counts are whole."""

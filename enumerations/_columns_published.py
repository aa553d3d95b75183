"""Declare the columns of the stocks that IOM publishes."""

from __future__ import annotations

from enumerations._columns_common import FormColumn, FormTable

# fmt: off
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

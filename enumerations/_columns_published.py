"""Declare the columns of the stocks that IOM publishes."""

from __future__ import annotations

from dataclasses import replace

from enumerations._columns_common import FormColumn, FormTable

# fmt: off
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "operation": (
        "operation_name", "dtm_operation",
    ),
    "admin0Name": (
        "country", "country_name", "admin0_name", "admin_0_name", "adm0_name", "adm0_en", "location_name",
    ),
    "admin0Pcode": (
        "admin0_pcode", "admin0_code", "adm0_pcode", "adm0_code", "admin_0_pcode", "country_code", "country_pcode",
        "country_iso3", "iso3", "location_code",
    ),
    "admin1Name": (
        "admin1_name", "adm1_name", "admin_1_name", "adm1_en", "admin1", "province", "region",
    ),
    "admin1Pcode": (
        "admin1_pcode", "admin1_code", "adm1_pcode", "adm1_code", "admin_1_pcode", "admin_1_code", "province_pcode",
        "province_code", "region_pcode", "region_code",
    ),
    "admin2Name": (
        "admin2_name", "adm2_name", "admin_2_name", "adm2_en", "admin2", "district_name",
    ),
    "admin2Pcode": (
        "admin2_pcode", "admin2_code", "adm2_pcode", "adm2_code", "admin_2_pcode", "admin_2_code", "district_pcode",
        "district_code",
    ),
    "adminLevel": (
        "admin_level", "adm_level", "administrative_level",
    ),
    "numPresentIdpInd": (
        "num_present_idp_ind", "num_idps", "number_of_idps", "no._of_idps", "idps", "idp_individuals",
        "idps_individuals", "idps_ind", "total_idps", "total_number_of_idps", "idp_ind", "total_idp_individuals",
        "number_of_idp_individuals", "idps_(individuals)", "idps_(ind)", "number_of_idps_(individuals)", "population",
    ),
    "reportingDate": (
        "reporting_date", "date_reported", "report_date", "survey_date", "assessment_date", "date_of_assessment",
        "reference_period_start",
    ),
    "yearReportingDate": (
        "year_reporting_date", "reporting_year",
    ),
    "monthReportingDate": (
        "month_reporting_date", "reporting_month",
    ),
    "roundNumber": (
        "round_number", "reporting_round", "round_no", "round_no.", "round", "dtm_round",
    ),
    "displacementReason": (
        "displacement_reason", "reason_for_displacement", "reason_of_displacement", "displacement_cause",
        "cause_of_displacement",
    ),
    "numberMales": (
        "number_males", "number_of_males", "males", "idps_male", "idp_males", "male_idps",
    ),
    "numberFemales": (
        "number_females", "number_of_females", "females", "idps_female", "idp_females", "female_idps",
    ),
    "idpOriginAdmin1Name": (
        "idp_origin_admin1_name", "admin1_of_origin", "origin_admin1_name", "adm1_origin_name", "province_of_origin",
    ),
    "idpOriginAdmin1Pcode": (
        "idp_origin_admin1_pcode", "origin_admin1_pcode", "admin1_pcode_of_origin", "adm1_origin_pcode",
        "province_of_origin_pcode",
    ),
    "assessmentType": (
        "assessment_type", "type_of_assessment",
    ),
    "operationStatus": (
        "operation_status",
    ),
}
"""Other names of the columns: of the versions of IOM's interface, of HDX's HAPI files and of country workbooks."""

PUBLISHED = FormTable(
    "dtm-published",
    "published",
    "Stocks of displaced people as IOM publishes them",
    "ОУШХБ-аас нийтэлсэн дүрвэн шилжигчдийн тоо",
    tuple(replace(column, aliases=_SPELLINGS.get(column.name, ())) for column in (
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
    )),
    marks=("numPresentIdpInd", "adminLevel"),
)
# fmt: on

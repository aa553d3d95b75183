"""Write the tables of a release from the safe tables and the places, and hash what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from dtm._full import EXACT
from dtm._release_tables import RELEASE_TABLES, SUPPRESSED
from dtm._survey_catalogue import SURVEY_ESTIMATES
from dtm.disclosure import PROTECTED_TABLES
from dtm.engine import connect
from dtm.measures import DENSITIES, INDICATORS
from dtm.survey_release import SURVEY_TABLES
from dtm.system_measures import SYSTEM_INDICES
from enumerations.codelists import load_codelists
from enumerations.findings import CATALOGUE as RETURN_CATALOGUE
from geodata.pcodes import places

if TYPE_CHECKING:
    from pathlib import Path

    from dtm.engine import Connection
    from dtm.scope import Scope

_SAFE = PROTECTED_TABLES
"""Tables that were made safe as a whole; the tables of estimates are filled from them, in the file itself."""
PASSAGE_DAY_SQL = f"""SELECT * REPLACE (CASE WHEN bool_or(status = '{SUPPRESSED}') OVER (PARTITION BY checkpoint, day)
    THEN NULL ELSE observed_hours END AS observed_hours) FROM safe_passage_day"""
"""Which hours were watched is told by those somebody passed in: with a count of that day hidden it is not told."""
_NOWHERE = (("abroad", "Гадаад улс", "Abroad"), ("unknown", "Тодорхойгүй", "Unknown"), ("total", "Бүгд", "Total"))


def write_tables(connection: Connection, scope: Scope, path: Path, *, breaks: pd.DataFrame) -> None:
    """Make the release's database file and fill every table but `overlay`, which the drawn rasters fill.

    `breaks` has the rows of `series_break`.
    """
    _make_place(connection)
    _make_finding(connection, scope)
    _make_raster_zone(connection, scope)
    labels = _code_labels()
    connection.register("label_frame", labels)
    connection.register("break_frame", breaks)
    sources = {
        **{name: f"SELECT * FROM safe_{name}" for name in (*_SAFE, *SURVEY_TABLES)},
        "area": "SELECT * FROM scope_area",
        "round": "SELECT * FROM scope_round",
        "carried": "SELECT * FROM safe_carried",
        "coverage": "SELECT * FROM full_coverage",
        "place": "SELECT * FROM release_place",
        "finding": "SELECT * FROM release_finding",
        "layer": "SELECT name, kind, dated_on, n_features FROM layer QUALIFY row_number() OVER "
        "(PARTITION BY name ORDER BY version DESC) = 1",
        "layer_feature": "SELECT f.* EXCLUDE (version) FROM layer_feature f JOIN "
        "(SELECT name, max(version) AS version FROM layer GROUP BY 1) USING (name, version)",
        "raster_zone": "SELECT * FROM release_raster_zone",
        "code_label": "SELECT * FROM label_frame",
        "passage_day": PASSAGE_DAY_SQL,
        "series_break": "SELECT * FROM break_frame",
    }
    connection.execute(f"ATTACH '{str(path).replace(chr(39), chr(39) * 2)}' AS built")
    try:
        for name, table in RELEASE_TABLES.items():
            connection.execute(table.create_sql(schema="built"))
            if name in sources:
                columns = ", ".join(table.column_names)
                order = ", ".join(table.key) or "ALL"
                connection.execute(f"INSERT INTO built.{name} SELECT {columns} FROM ({sources[name]}) ORDER BY {order}")
        connection.execute("CHECKPOINT built")
    finally:
        connection.execute("DETACH built")
        connection.unregister("label_frame")
        connection.unregister("break_frame")


def describe_tables(path: Path) -> dict[str, dict[str, Any]]:
    """Return the rows and a hash of each table of a release's file.

    The hash does not depend on the order of the rows: it sums the MD5 of each row written as JSON.
    """
    with connect(path, read_only=True, spatial=False) as connection:
        return {name: _content(connection, name) for name in RELEASE_TABLES}


def _content(connection: Connection, name: str) -> dict[str, Any]:
    geometry = any(column.type == "GEOMETRY" for column in RELEASE_TABLES[name].columns)
    row = "* REPLACE (hex(ST_AsWKB(geometry)) AS geometry)" if geometry else "*"
    rows, digest = connection.execute(
        f"SELECT count(*), coalesce(sum(md5_number_lower(to_json(t)::VARCHAR)::HUGEINT), 0)::VARCHAR "
        f"FROM (SELECT {row} FROM {name}) t"
    ).fetchone() or (0, "0")
    return {"rows": rows, "sum_of_md5": digest}


def _make_place(connection: Connection) -> None:
    """Name everything a flow can name: the areas, all aimags and soums it mentions, abroad, unknown, total."""
    listed = places()
    nowhere = pd.DataFrame(_NOWHERE, columns=["pcode", "name_mn", "name_en"])
    connection.register("place_frame", pd.concat([listed, nowhere], ignore_index=True))
    connection.execute("""
        CREATE OR REPLACE TEMP TABLE release_place AS
        WITH named AS (
            SELECT pcode FROM scope_area
            UNION SELECT counterpart FROM full_flow
            UNION SELECT origin FROM safe_survey_flow
            UNION SELECT pcode FROM place_frame WHERE level = 1 OR level IS NULL)
        SELECT pcode, coalesce(a.level, p.level)::INTEGER AS level,
               coalesce(a.name_mn, p.name_mn, pcode) AS name_mn, coalesce(a.name_en, p.name_en, pcode) AS name_en,
               coalesce(a.lon, p.lon)::DOUBLE AS lon, coalesce(a.lat, p.lat)::DOUBLE AS lat
        FROM named LEFT JOIN scope_area a USING (pcode) LEFT JOIN place_frame p USING (pcode)""")
    connection.unregister("place_frame")


def _make_finding(connection: Connection, scope: Scope) -> None:
    """Take the findings without the values: what is wrong is told by the catalogue's text, never by the figure.

    Checks over a whole round stay with the analysts: that a khoroo's change is odd says something of its figures.
    """
    texts = pd.DataFrame(
        [(kind.code, kind.template("en"), kind.template("mn")) for kind in RETURN_CATALOGUE.values()],
        columns=["code", "template_en", "template_mn"],
    )
    connection.register("text_frame", texts)

    def text(language: str) -> str:
        field = f"replace(template_{language}, '{{field}}', coalesce(field, '…'))"
        return (
            f"coalesce(replace(replace({field}, '{{value}}', '…'), '{{hint}}', '…'), "
            f"CASE WHEN import_id IS NULL THEN message_{language} END, code)"
        )

    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE release_finding AS
        SELECT round_number, subject, code, severity, file_name, sheet, row_number, field,
               {text("en")} AS what_en, {text("mn")} AS what_mn
        FROM finding LEFT JOIN text_frame USING (code)
        WHERE (round_number IS NULL OR round_number <= ?) AND coalesce(stage, 'import') <> 'round'""",
        [scope.last_round],
    )
    connection.unregister("text_frame")


def _make_raster_zone(connection: Connection, scope: Scope) -> None:
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE release_raster_zone AS
        SELECT z.name, r.level, r.pcode, sum(z.persons::{EXACT})::DOUBLE AS persons
        FROM raster_zone z JOIN (SELECT name, max(version) AS version FROM raster GROUP BY 1) USING (name, version)
        JOIN scope_rollup r ON r.area_pcode = z.pcode
        WHERE z.area_set = ? AND z.area_set_version = ?
        GROUP BY ALL""",
        [scope.area_set, scope.area_set_version],
    )


def _code_labels() -> pd.DataFrame:
    """Return the words for every code: the forms' lists and the names of the measures."""
    measures = [
        (codelist, indicator.name, indicator.label_mn, indicator.label_en)
        for codelist, declared in (("indicator", INDICATORS), ("density", DENSITIES))
        for indicator in declared.values()
    ]
    measures += [("survey_estimate", one.name, one.label_mn, one.label_en) for one in SURVEY_ESTIMATES.values()]
    measures += [("system", index.name, index.label_mn, index.label_en) for index in SYSTEM_INDICES.values()]
    frame = pd.DataFrame(measures, columns=["codelist", "code", "label_mn", "label_en"])
    return pd.concat([load_codelists(), frame], ignore_index=True)

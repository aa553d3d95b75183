"""Declare the tables of a release: everything a reader may see, and nothing else."""

from __future__ import annotations

from dtm.schema import Column, Table, tables

PUBLISHED = "published"
SUPPRESSED = "suppressed"
NOT_REPORTED = "not_reported"
UNDEFINED = "undefined"
STATUSES = (PUBLISHED, SUPPRESSED, NOT_REPORTED, UNDEFINED)
"""Why a value is there or null: a value is null in every status but `published`."""

_ROUND = Column("round_number", "INTEGER", "round of data collection", required=True)
_LEVEL = Column("level", "INTEGER", "administrative level of the area", required=True)
_PCODE = Column("pcode", "VARCHAR", "area", required=True)
_STATUS = Column("status", "VARCHAR", "published, suppressed, not_reported or undefined", required=True)
_METHOD = Column("method", "VARCHAR", "observed, imputed, interpolated or projected", required=True)

RELEASE_TABLES = tables(
    Table(
        "area",
        "Areas of the release at levels 1 to 3.",
        (
            _PCODE,
            _LEVEL,
            Column("parent_pcode", "VARCHAR", "area one level up, where the release has it"),
            Column("number", "INTEGER", "number of the khoroo inside its district"),
            Column("name_mn", "VARCHAR", "name in Mongolian", required=True),
            Column("name_en", "VARCHAR", "name in English spelling", required=True),
            Column("area_km2", "DOUBLE", "area in EPSG:32648", "km2", required=True),
            Column("ger_area_km2", "DOUBLE", "part of it inside the ger-area layer; empty without that layer", "km2"),
            Column("lon", "DOUBLE", "longitude of a point inside", "degrees", required=True),
            Column("lat", "DOUBLE", "latitude of a point inside", "degrees", required=True),
            Column("geometry", "GEOMETRY", "polygon, WGS84 lon/lat", required=True),
        ),
        key=("pcode",),
    ),
    Table(
        "place",
        "Names and positions of everything a flow can name: areas, aimags, abroad, unknown.",
        (
            _PCODE,
            Column("level", "INTEGER", "administrative level; empty for abroad and unknown"),
            Column("name_mn", "VARCHAR", "name in Mongolian", required=True),
            Column("name_en", "VARCHAR", "name in English spelling", required=True),
            Column("lon", "DOUBLE", "longitude; empty for abroad and unknown", "degrees"),
            Column("lat", "DOUBLE", "latitude", "degrees"),
        ),
        key=("pcode",),
    ),
    Table(
        "round",
        "Rounds of the release, oldest first.",
        (
            _ROUND,
            Column("operation", "VARCHAR", "DTM operation", required=True),
            Column("started_on", "DATE", "first day of collection", required=True),
            Column("ended_on", "DATE", "last day of collection", required=True),
            Column("reference_on", "DATE", "day the stocks refer to", required=True),
            Column("flow_days", "INTEGER", "days in the window the movements were asked for", "days"),
            Column("area_set", "VARCHAR", "area set", required=True),
            Column("area_set_version", "INTEGER", "its version", required=True),
        ),
        key=("round_number",),
    ),
    Table(
        "coverage",
        "How complete the returns are, by round and area.",
        (
            _ROUND,
            _LEVEL,
            _PCODE,
            Column("units_expected", "BIGINT", "reporting units expected", "units", required=True),
            Column("units_reported", "BIGINT", "units with an accepted return", "units", required=True),
            Column(
                "registered_coverage_share",
                "DOUBLE",
                "share of the registered population (last known for each unit) that lives in units that reported",
                "0-1",
            ),
            Column("returns", "BIGINT", "accepted returns", "returns", required=True),
            Column(
                "located_gps", "BIGINT", "returns whose GPS point confirms or gives the area", "returns", required=True
            ),
            Column(
                "located_conflict",
                "BIGINT",
                "returns whose GPS point is in another area or outside",
                "returns",
                required=True,
            ),
        ),
        key=("round_number", "pcode"),
    ),
    Table(
        "stock",
        "People and households at a round; one row a figure.",
        (
            _ROUND,
            _LEVEL,
            _PCODE,
            Column(
                "category", "VARCHAR", "registered, actual, registered_absent, unregistered or displaced", required=True
            ),
            Column("measure", "VARCHAR", "persons or households", required=True),
            Column("breakdown", "VARCHAR", "total, sex, age or dwelling", required=True),
            Column("item", "VARCHAR", "total, or the item of the breakdown (male, age 0_4, ger ...)", required=True),
            Column("value", "BIGINT", "the count; null unless published", "persons or households"),
            _STATUS,
            _METHOD,
        ),
        key=("round_number", "pcode", "category", "measure", "breakdown", "item"),
    ),
    Table(
        "flow",
        "Moves between an area and a counterpart, by source; sources are never added.",
        (
            _ROUND,
            Column(
                "source",
                "VARCHAR",
                "arrivals (told by the destination), departures (told by the origin) or checkpoint",
                required=True,
            ),
            _LEVEL,
            Column("pcode", "VARCHAR", "area that told it; the city for checkpoints", required=True),
            Column("counterpart", "VARCHAR", "other end of the move, or total", required=True),
            Column("direction", "VARCHAR", "in or out, seen from the area", required=True),
            Column(
                "reason",
                "VARCHAR",
                "code of the reason, or total; broken down only where counterpart is total",
                required=True,
            ),
            Column("origin", "VARCHAR", "where the move began (total for all)", required=True),
            Column("destination", "VARCHAR", "where the move ended (total for all)", required=True),
            Column("measure", "VARCHAR", "persons or households", required=True),
            Column("value", "BIGINT", "the count; null unless published", "persons or households"),
            _STATUS,
            _METHOD,
        ),
        key=("round_number", "source", "pcode", "counterpart", "direction", "reason", "measure"),
    ),
    Table(
        "indicator",
        "Migration and registration indicators; computed on full data, then hidden where an ingredient is.",
        (
            _ROUND,
            _LEVEL,
            _PCODE,
            Column("indicator", "VARCHAR", "name in the list of indicators", required=True),
            Column("value", "DOUBLE", "null unless published"),
            Column("unit", "VARCHAR", "unit of the value", required=True),
            _STATUS,
            Column("note", "VARCHAR", "why it is undefined, or the warning that goes with it"),
        ),
        key=("round_number", "pcode", "indicator"),
    ),
    Table(
        "density",
        "Densities of population and of ger households.",
        (
            _ROUND,
            _LEVEL,
            _PCODE,
            Column("indicator", "VARCHAR", "name in the list of densities", required=True),
            Column("value", "DOUBLE", "null unless published"),
            Column("unit", "VARCHAR", "unit of the value", required=True),
            _STATUS,
            Column("note", "VARCHAR", "why it is undefined"),
        ),
        key=("round_number", "pcode", "indicator"),
    ),
    Table(
        "passage_day",
        "Travellers counted at a checkpoint on a day.",
        (
            Column("round_number", "INTEGER", "round the day falls in, if any"),
            Column("checkpoint", "VARCHAR", "code of the checkpoint", required=True),
            Column("day", "DATE", "day, local time", required=True),
            Column("direction", "VARCHAR", "in or out", required=True),
            Column("measure", "VARCHAR", "persons or vehicles", required=True),
            Column("hours_observed", "DOUBLE", "hours with an enumerator on duty", "h"),
            Column("value", "BIGINT", "the count in the hours observed; null unless published"),
            _STATUS,
        ),
        key=("checkpoint", "day", "direction", "measure"),
    ),
    Table(
        "finding",
        "Findings of the rounds, without the values and units they are about.",
        (
            Column("round_number", "INTEGER", "round of data collection"),
            Column("subject", "VARCHAR", "form or area set", required=True),
            Column("code", "VARCHAR", "code in the catalogue of checks", required=True),
            Column("severity", "VARCHAR", "error or warning", required=True),
            Column("file_name", "VARCHAR", "file", required=True),
            Column("sheet", "VARCHAR", "sheet or layer"),
            Column("row_number", "BIGINT", "record or feature"),
            Column("field", "VARCHAR", "column"),
            Column("what_en", "VARCHAR", "what is wrong and what to do, in English", required=True),
            Column("what_mn", "VARCHAR", "the same in Mongolian", required=True),
        ),
    ),
    Table(
        "layer",
        "Layers of the release.",
        (
            Column("name", "VARCHAR", "name", required=True),
            Column("kind", "VARCHAR", "ger-area, hazard, service or road", required=True),
            Column("dated_on", "DATE", "day the layer shows", required=True),
            Column("n_features", "INTEGER", "features", required=True),
        ),
        key=("name",),
    ),
    Table(
        "layer_feature",
        "Features of the layers.",
        (
            Column("name", "VARCHAR", "name of the layer", required=True),
            Column("feature", "INTEGER", "number of the feature", required=True),
            Column("label_mn", "VARCHAR", "name in Mongolian"),
            Column("label_en", "VARCHAR", "name in English"),
            Column("category", "VARCHAR", "type of service, hazard class, road class"),
            Column("geometry", "GEOMETRY", "WGS84 lon/lat", required=True),
        ),
        key=("name", "feature"),
    ),
    Table(
        "overlay",
        "Population rasters drawn for the map; the picture is overlays/NAME.png in the release.",
        (
            Column("name", "VARCHAR", "name of the raster", required=True),
            Column("unit", "VARCHAR", "persons or persons_per_km2", required=True),
            Column("west_deg", "DOUBLE", "western edge, WGS84", "degrees", required=True),
            Column("south_deg", "DOUBLE", "southern edge", "degrees", required=True),
            Column("east_deg", "DOUBLE", "eastern edge", "degrees", required=True),
            Column("north_deg", "DOUBLE", "northern edge", "degrees", required=True),
            Column("maximum", "DOUBLE", "value at the end of the colour scale", required=True),
            Column("total_persons", "DOUBLE", "sum over the raster", "persons"),
        ),
        key=("name",),
    ),
    Table(
        "raster_zone",
        "Population rasters summed over the areas.",
        (
            Column("name", "VARCHAR", "name of the raster", required=True),
            _LEVEL,
            _PCODE,
            Column("persons", "DOUBLE", "persons by the raster", "persons"),
        ),
        key=("name", "pcode"),
    ),
    Table(
        "exposure",
        "People inside each hazard of the release, by area, at the last round.",
        (
            _ROUND,
            Column("layer", "VARCHAR", "hazard layer", required=True),
            _LEVEL,
            _PCODE,
            Column("share_of_area", "DOUBLE", "share of the area inside the hazard", "0-1", required=True),
            Column("persons", "BIGINT", "area-weighted people inside; null unless published", "persons"),
            Column("persons_low", "BIGINT", "people of the areas wholly inside", "persons"),
            Column("persons_high", "BIGINT", "people of all areas that touch", "persons"),
            _STATUS,
        ),
        key=("layer", "pcode"),
    ),
    Table(
        "code_label",
        "Words for the codes of the release.",
        (
            Column("codelist", "VARCHAR", "list", required=True),
            Column("code", "VARCHAR", "code", required=True),
            Column("label_mn", "VARCHAR", "Mongolian", required=True),
            Column("label_en", "VARCHAR", "English", required=True),
        ),
        key=("codelist", "code"),
    ),
)

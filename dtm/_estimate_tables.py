"""Declare the tables of a release that are estimates: from its published tables alone, from a sample, or carried."""

from __future__ import annotations

from dtm._release_columns import HIGH, LEVEL, LOW, METHOD, NOTE, PCODE, ROUND, STATUS
from dtm.schema import Column, Table

FILLED_TABLES = (
    Table(
        "passage_estimate",
        "Travellers of a day by expansion of the hours observed to 24 with the profile of the week; beside the counts, through traffic among them.",
        (
            Column("round_number", "INTEGER", "round the day falls in, if any"),
            Column("checkpoint", "VARCHAR", "code of the checkpoint, or total", required=True),
            Column("day", "DATE", "day, local time", required=True),
            Column(
                "direction",
                "VARCHAR",
                "in, out or net (in less out; through travellers cancel out over all checkpoints they pass)",
                required=True,
            ),
            Column("hours_observed", "DOUBLE", "hours with an enumerator on duty; of total, over all checkpoints", "h"),
            Column(
                "observed_share",
                "DOUBLE",
                "share of the day's travellers that the profile expects in them; of total, the share that was counted",
                "0-1",
            ),
            Column("value", "DOUBLE", "estimated travellers in 24 hours; null unless published", "persons"),
            LOW,
            HIGH,
            STATUS,
            METHOD,
            NOTE,
        ),
        key=("checkpoint", "day", "direction"),
    ),
    Table(
        "flow_estimate",
        "Moves inside the release's areas that both ends told, made one figure; never mixed with what was told.",
        (
            ROUND,
            LEVEL,
            Column("origin", "VARCHAR", "area moved from", required=True),
            Column("destination", "VARCHAR", "area moved to", required=True),
            Column("arrivals", "BIGINT", "persons, told by the destination; null unless published", "persons"),
            Column("departures", "BIGINT", "persons, told by the origin; null unless published", "persons"),
            Column("mirror_ratio", "DOUBLE", "arrivals / departures; null where either is missing or 0"),
            Column("value", "DOUBLE", "reconciled estimate; null unless published", "persons"),
            LOW,
            HIGH,
            STATUS,
            METHOD,
            NOTE,
        ),
        key=("round_number", "origin", "destination"),
    ),
    Table(
        "imputed",
        "Figures of all units, those that did not report estimated from those that did.",
        (
            ROUND,
            LEVEL,
            PCODE,
            Column("figure", "VARCHAR", "actual_persons, arrivals or departures", required=True),
            Column("observed", "BIGINT", "what the units that reported told; null unless published", "persons"),
            Column("registered_missing", "DOUBLE", "registered people of the units that did not report", "persons"),
            Column("value", "DOUBLE", "observed and estimated together; null unless published", "persons"),
            LOW,
            HIGH,
            Column("imputed_share", "DOUBLE", "part of the value that is estimated", "0-1"),
            STATUS,
            METHOD,
            NOTE,
        ),
        key=("round_number", "pcode", "figure"),
    ),
    Table(
        "balance",
        "Stock-flow balance: people of a round = those of the round before + arrivals - departures + births - deaths + residual.",
        (
            ROUND,
            LEVEL,
            PCODE,
            Column("opening", "BIGINT", "people at the round before, in the units that reported in both", "persons"),
            Column("arrivals", "BIGINT", "arrivals over the area's border", "persons"),
            Column("departures", "BIGINT", "departures over the area's border", "persons"),
            Column(
                "births", "BIGINT", "births that the returns tell; what others leave out is in the residual", "persons"
            ),
            Column(
                "deaths", "BIGINT", "deaths that the returns tell; what others leave out is in the residual", "persons"
            ),
            Column(
                "boundary_change", "BIGINT", "people a change of boundaries brought; 0 within one area set", "persons"
            ),
            Column("closing", "BIGINT", "people at the round", "persons"),
            Column("residual", "BIGINT", "what the others leave unexplained; null unless published", "persons"),
            Column("residual_pct", "DOUBLE", "residual as a share of the people at the round", "%"),
            Column("flag", "VARCHAR", "green, amber (over 2 %) or red (over 5 %)"),
            STATUS,
            NOTE,
        ),
        key=("round_number", "pcode"),
    ),
    Table(
        "system",
        "Indices of the areas of a level as one system of migration, from the published tables of moves.",
        (
            ROUND,
            Column("source", "VARCHAR", "arrivals, departures or reconciled", required=True),
            Column("level", "INTEGER", "level of the areas of the system", required=True),
            Column("indicator", "VARCHAR", "name in the list of system indices", required=True),
            Column("value", "DOUBLE", "null unless published"),
            Column("unit", "VARCHAR", "unit of the value", required=True),
            STATUS,
            NOTE,
        ),
        key=("round_number", "source", "level", "indicator"),
    ),
    Table(
        "stock_month",
        "People of all units by month, between the rounds and up to 12 months after the last; those silent at a round estimated.",
        (
            LEVEL,
            PCODE,
            Column("category", "VARCHAR", "registered or actual", required=True),
            Column("day", "DATE", "first day of the month, or the reference day of a round", required=True),
            Column("value", "DOUBLE", "null unless published", "persons"),
            STATUS,
            METHOD,
            NOTE,
        ),
        key=("pcode", "category", "day"),
    ),
)
"""Computed from the published tables of the same release, after everything was made safe (`dtm.estimates`)."""

SIDE_TABLES = (
    Table(
        "carried",
        "People at earlier rounds, carried from another set of areas to the areas of the release.",
        (
            ROUND,
            Column("reference_on", "DATE", "day the stocks refer to", required=True),
            Column("from_set", "VARCHAR", "area set the round was published by", required=True),
            Column(
                "weights", "VARCHAR", "what divided an area that was split: area, or the name of a layer", required=True
            ),
            LEVEL,
            PCODE,
            Column("category", "VARCHAR", "registered or actual", required=True),
            Column("value", "BIGINT", "the count; null unless published", "persons"),
            Column("estimated_share", "DOUBLE", "part of the value that comes out of areas that were split", "0-1"),
            Column("reported_share", "DOUBLE", "part of the reporting units behind the value that reported", "0-1"),
            STATUS,
            METHOD,
        ),
        key=("round_number", "pcode", "category"),
    ),
    Table(
        "survey_estimate",
        "Estimates from the sample of households, with their sampling error.",
        (
            ROUND,
            LEVEL,
            PCODE,
            Column("estimate", "VARCHAR", "name in the list of survey estimates", required=True),
            Column("item", "VARCHAR", "code of the answer, or total", required=True),
            Column("value", "DOUBLE", "null unless published; rounded to what one respondent stands for"),
            Column("unit", "VARCHAR", "unit of the value", required=True),
            Column("standard_error", "DOUBLE", "of the value, in its unit"),
            LOW,
            HIGH,
            Column(
                "design_effect", "DOUBLE", "variance over that of a simple random sample of the same size (Kish 1965)"
            ),
            Column(
                "base_households",
                "BIGINT",
                "households of the sample that it rests on; for estimates of persons all that answered in the area",
                "households",
            ),
            Column(
                "base_persons",
                "BIGINT",
                "persons of the sample that it rests on; for shares of households all those in the area",
                "persons",
            ),
            STATUS,
            METHOD,
            NOTE,
        ),
        key=("round_number", "pcode", "estimate", "item"),
    ),
    Table(
        "survey_flow",
        "Where the people of the sample lived one year ago, five years ago and at birth, weighted to all people.",
        (
            ROUND,
            Column("source", "VARCHAR", "survey_1y, survey_5y or survey_lifetime", required=True),
            LEVEL,
            Column("origin", "VARCHAR", "residence then: area, abroad or unknown", required=True),
            Column(
                "destination", "VARCHAR", "residence now; the same as the origin for those who stayed", required=True
            ),
            Column("value", "DOUBLE", "null unless published; rounded to what one respondent stands for", "persons"),
            Column("standard_error", "DOUBLE", "of the value", "persons"),
            LOW,
            HIGH,
            Column(
                "base_persons",
                "BIGINT",
                "persons of the sample who made this move, or stayed, to the nearest 5",
                "persons",
            ),
            STATUS,
            METHOD,
            NOTE,
        ),
        key=("round_number", "source", "origin", "destination"),
    ),
    Table(
        "series_break",
        "Periods in which the series of an area do not mean what they say before and after.",
        (
            Column("name", "VARCHAR", "name of the break", required=True),
            Column("series", "VARCHAR", "series it touches: registered, registration or all", required=True),
            Column("pcode", "VARCHAR", "area it is about, with all inside it; MN is the whole country", required=True),
            Column("from_on", "DATE", "first day", required=True),
            Column("to_on", "DATE", "last day; empty while it goes on"),
            Column("label_en", "VARCHAR", "short label in English", required=True),
            Column("label_mn", "VARCHAR", "short label in Mongolian", required=True),
            Column("what_en", "VARCHAR", "what happened and what it means for the figures, in English", required=True),
            Column("what_mn", "VARCHAR", "the same in Mongolian", required=True),
            Column("reference", "VARCHAR", "source", required=True),
        ),
        key=("name", "series", "pcode"),
    ),
)
"""Made safe by rules of their own: the sample, the rounds of other area sets, and the breaks, which count nobody."""

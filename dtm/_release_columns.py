"""Declare what the tables of a release share: the status of a figure and the columns that many tables have."""

from __future__ import annotations

from dtm.schema import Column

PUBLISHED = "published"
SUPPRESSED = "suppressed"
NOT_REPORTED = "not_reported"
UNDEFINED = "undefined"
STATUSES = (PUBLISHED, SUPPRESSED, NOT_REPORTED, UNDEFINED)
"""Why a value is there or null: a value is null in every status but `published`."""

ROUND = Column("round_number", "INTEGER", "round of data collection", required=True)
LEVEL = Column("level", "INTEGER", "administrative level of the area", required=True)
PCODE = Column("pcode", "VARCHAR", "area", required=True)
STATUS = Column("status", "VARCHAR", "published, suppressed, not_reported or undefined", required=True)
METHOD = Column(
    "method",
    "VARCHAR",
    "observed, imputed, reconciled, interpolated, projected, carried, expanded or sampled",
    required=True,
)
NOTE = Column("note", "VARCHAR", "why it is undefined, or the warning that goes with it")
LOW = Column("low", "DOUBLE", "lower end of the 95 % interval; null where the method gives none")
HIGH = Column("high", "DOUBLE", "upper end of the 95 % interval; null where the method gives none")

"""Read the sample of a round: households and people with their areas, weights and answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dtm._survey_catalogue import (
    MOVED,
    NO,
    STAYED,
    SURVEY_ESTIMATES,
    SURVEY_SOURCES,
    UNKNOWN,
    WORKING_FROM_YEARS,
    WORKING_TO_YEARS,
    YES,
)
from dtm._survey_weights import calibrate, household_weights
from dtm.survey import make_design

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dtm.engine import Connection
    from dtm.scope import Scope
    from dtm.survey import Design

TOP_LEVEL, LOWEST_LEVEL = 1, 2
"""Levels of the areas that estimates are given for; the sample is too small for khoroos."""
CODE_LENGTH = {1: len("MN11"), 2: len("MN1107"), 3: len("MN110701")}
RESIDENCES = {"survey_1y": "residence_1y_pcode", "survey_5y": "residence_5y_pcode", "survey_lifetime": "birth_pcode"}
MOVES = dict(zip(("moved_1y_share_pct", "moved_5y_share_pct", "born_elsewhere_share_pct"), SURVEY_SOURCES, strict=True))
"""The estimate of movers that goes with each source of survey flows."""
_NOWHERE = ("abroad", UNKNOWN)


@dataclass(frozen=True)
class Sample:
    """The households and people of a round that have a weight.

    Both frames have a row a record: ``area`` (finest), ``level_1``, ``level_2``, ``weight`` and a column of answers
    for each estimate (null outside its base). ``people`` has each source's origin by level (``survey_1y@2``), null for
    those who were not born then. ``households["persons"]`` is the size told.
    """

    round_number: int
    households: pd.DataFrame
    people: pd.DataFrame
    levels: tuple[int, ...]
    left_out: Mapping[str, frozenset[str]]
    """Strata without a sample or a known total, for persons and households: the estimates speak for the others."""

    def records(self, of: str) -> pd.DataFrame:
        """Return the records of ``persons`` or ``households``."""
        return self.people if of == "persons" else self.households

    def design(self, of: str) -> Design:
        """Return the design of ``persons`` or ``households``."""
        records = self.records(of)
        return make_design(
            records["weight"], stratum=records["stratum"], cluster=records["area"], calibrated_within=records["stratum"]
        )


def read_samples(connection: Connection, scope: Scope) -> list[Sample]:
    """Return the sample of each round that has one, weighted by the published stocks of the same round.

    A stratum is the area above the release's finest (a district), a cluster one of the finest (a khoroo). Strata whose
    people or households are not published have no weight and are left out, as are those where everybody refused.
    """
    households = connection.execute(
        """
        SELECT h.submission_id, h.round_number, a.area_pcode AS area, h.consent, h.household_persons AS persons,
            h.dwelling, h.registered, h.move_distance, h.intended_duration
        FROM survey_household h JOIN submission s ON s.submission_id = h.submission_id
        JOIN scope_round n ON n.round_number = h.round_number
        JOIN (SELECT DISTINCT area_pcode FROM scope_rollup) a
            ON a.area_pcode = coalesce(s.located_pcode, left(h.pcode, $length))
        ORDER BY h.round_number, area, h.submission_id
        """,
        {"length": 2 + 2 * scope.finest_level},
    ).df()
    people = connection.execute(
        """
        SELECT submission_id, sex, age_years, registered, reason, residence_1y_pcode, residence_5y_pcode, birth_pcode
        FROM survey_person ORDER BY submission_id, import_id, sheet, row_number
        """
    ).df()
    if scope.finest_level < LOWEST_LEVEL:
        return []
    stratum_level = scope.finest_level - 1
    households["stratum"] = households["area"].str[: CODE_LENGTH[stratum_level]]
    totals = _known_totals(connection, stratum_level)
    found = []
    for number in sorted(households["round_number"].unique().tolist()):
        asked = households[households["round_number"] == number]
        known = totals[totals["round_number"] == number].set_index("pcode")
        sample = _weigh(number, asked, people, known, scope)
        if len(sample.households):
            found.append(sample)
    return found


def _known_totals(connection: Connection, level: int) -> pd.DataFrame:
    """Return the published people and households of the strata."""
    return connection.execute(
        """
        SELECT round_number, pcode, max(value) FILTER (category = 'actual' AND measure = 'persons') AS persons,
            max(value) FILTER (category = 'actual' AND measure = 'households') AS actual_households,
            max(value) FILTER (category = 'registered' AND measure = 'households') AS registered_households
        FROM safe_stock WHERE level = ? AND breakdown = 'total' AND status = 'published' GROUP BY ALL ORDER BY ALL
        """,
        [level],
    ).df()


def _weigh(number: int, asked: pd.DataFrame, people: pd.DataFrame, known: pd.DataFrame, scope: Scope) -> Sample:
    registered, actual = known["registered_households"].dropna(), known["actual_households"].dropna()
    frame = registered.combine_first(actual)
    weight = household_weights(
        asked["stratum"], asked["area"], asked["consent"], in_stratum=_as_mapping(frame[frame > 0])
    )
    living = calibrate(weight, asked["stratum"], totals=_as_mapping(actual.combine_first(registered)))
    households = asked.assign(frame_weight=weight, weight=living)[(living > 0) & asked["consent"].to_numpy(dtype=bool)]
    members = people.merge(households[["submission_id", "area", "stratum", "frame_weight"]], on="submission_id")
    members["weight"] = calibrate(
        members["frame_weight"].to_numpy(dtype=np.float64), members["stratum"], totals=_as_mapping(known["persons"])
    )
    members = members[members["weight"] > 0]
    levels = tuple(level for level in (TOP_LEVEL, LOWEST_LEVEL) if level <= scope.finest_level)
    everywhere = {*known.index, *asked["stratum"]}
    left_out = {
        of: frozenset(everywhere.difference(records["stratum"]))
        for of, records in (("persons", members), ("households", households))
    }
    return Sample(
        number,
        _household_answers(_with_areas(households)),
        _person_answers(_with_areas(members)),
        levels,
        left_out,
    )


def _as_mapping(series: pd.Series) -> Mapping[str, float]:
    return {str(code): float(value) for code, value in series.dropna().items()}


def _with_areas(records: pd.DataFrame) -> pd.DataFrame:
    levels = {f"level_{level}": records["area"].str[: CODE_LENGTH[level]] for level in (TOP_LEVEL, LOWEST_LEVEL)}
    return records.assign(**levels).reset_index(drop=True)


def _told(column: pd.Series) -> pd.Series:
    """Return yes and no for true and false, null where it was not told."""
    return column.map({True: YES, False: NO}).astype(object)


def _household_answers(households: pd.DataFrame) -> pd.DataFrame:
    known = {
        f"{name}_share_pct": households[name].where(households[name] != UNKNOWN)
        for name in ("move_distance", "intended_duration", "dwelling")
    }
    return households.assign(
        registered_households_share_pct=_told(households["registered"]),
        household_size_persons=pd.Series("persons", index=households.index).where(households["persons"].notna()),
        **known,
    )


def _person_answers(people: pd.DataFrame) -> pd.DataFrame:
    age = people["age_years"]
    working = age.between(WORKING_FROM_YEARS, WORKING_TO_YEARS)
    found = people.assign(
        unregistered_share_pct=_told(~people["registered"].astype("boolean")),
        move_reason_share_pct=people["reason"].where(people["reason"] != UNKNOWN),
        sex_ratio=people["sex"],
        dependency_ratio=np.where(working, "working", "dependant"),
    )
    for name, source in MOVES.items():
        asked = age >= SURVEY_SOURCES[source]
        for level in (TOP_LEVEL, LOWEST_LEVEL):
            origin = residence_of(people[RESIDENCES[source]], people[f"level_{level}"], level=level)
            found[f"{source}@{level}"] = origin.where(asked)
        origin, here = found[f"{source}@{LOWEST_LEVEL}"], people[f"level_{LOWEST_LEVEL}"]
        moved = np.select([origin == here, ~is_unknown(origin, here)], [STAYED, MOVED], "")
        found[name] = pd.Series(moved, index=found.index, dtype=object).where((moved != "") & asked)
    return found


def residence_of(code: pd.Series, area: pd.Series, *, level: int) -> pd.Series:
    """Return the origin that an area's flows name for a residence; the rule of `dtm.flows.COLLAPSED`.

    Of an area of level 2, origins of the same level-1 area are districts and others level-1 areas; of an area of
    level 1 all are level-1 areas. A residence nobody knows, or no more than the country, is ``unknown``.
    """
    code = code.astype(object).where(code.notna(), UNKNOWN)
    short = code.str.len() < CODE_LENGTH[1]
    same = code.str[: CODE_LENGTH[1]] == area.str[: CODE_LENGTH[1]]
    near = same & (level > TOP_LEVEL)
    found = code.str[: CODE_LENGTH[1]].mask(near, code.str[: CODE_LENGTH[2]]).mask(short, UNKNOWN)
    return found.mask(code.isin(_NOWHERE), code)


def is_unknown(origin: pd.Series, area: pd.Series) -> Any:
    """Return whether an origin leaves open if it was the area of level 2: unknown, or just the area above it."""
    return origin.isna() | (origin == UNKNOWN) | (origin == area.str[: CODE_LENGTH[1]])


def answers_of(records: pd.DataFrame, name: str) -> pd.Series:
    """Return the answers of an estimate that are in its base, null for the others."""
    column: pd.Series = records[name].astype(object)
    return column.where(column.isin(SURVEY_ESTIMATES[name].answers))

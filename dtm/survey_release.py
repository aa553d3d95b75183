"""Make the survey tables of a release: weighted estimates with their error, shown where nobody can be found in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dtm._release_tables import PUBLISHED, RELEASE_TABLES, SUPPRESSED, UNDEFINED
from dtm._survey_catalogue import (
    NOTE_ALL_ALIKE,
    NOTE_NO_SPREAD,
    NOTE_NOBODY_ASKED,
    NOTE_SAMPLED_AREAS,
    SURVEY_ESTIMATES,
    SURVEY_SOURCES,
)
from dtm._survey_columns import column_sums, domain_columns, indicator_columns
from dtm._survey_disclosure import BASE, SIZE, count_sample, hide_counts, is_small
from dtm._survey_sample import CODE_LENGTH, TOP_LEVEL, answers_of, read_samples
from dtm.disclosure import COMPLEMENTARY, LOG_TABLE, PRIMARY
from dtm.survey import estimate_ratios

if TYPE_CHECKING:
    from dtm._survey_catalogue import SurveyEstimate
    from dtm._survey_sample import Sample
    from dtm.engine import Connection
    from dtm.scope import Scope
    from dtm.survey import Estimates
    from dtm.workspace import Settings

__all__ = ["SURVEY_TABLES", "build_survey"]

SURVEY_TABLES = ("survey_estimate", "survey_flow")
DECIMALS = 6
"""Estimates are rounded to so many places, so that the order of the returns leaves no trace in them."""
_ERRORS = ("standard_error", "low", "high")
_NUMBERS = ("value", *_ERRORS, "design_effect", "base_households", "base_persons")
_AREA = ["level", "pcode"]


def build_survey(connection: Connection, scope: Scope, settings: Settings) -> None:
    """Make TEMP TABLES `safe_survey_estimate` and `safe_survey_flow`; both are empty without a survey.

    Runs after `dtm.disclosure.protect_release`: the weights are made from the published stocks alone (`safe_stock`).
    What is hidden is added to the log of that step.

    - *Weights*: the households of a stratum (the district) over those asked, made up for refusals inside each cluster
      (the khoroo); then scaled so that households and people of each stratum sum to its published actual ones.
    - *Estimates* (`SURVEY_ESTIMATES`) are ratios for domains with linearised variance (`dtm.survey`), for the areas
      of levels 1 and 2 that have a sample.
    - *Flows* are the weighted people by residence one and five years ago and at birth. Children who were not born
      then are in none; origins follow the rule of `dtm.flows`. Their interval is that of the share of the area's
      people, times those.
    - *Hidden* are estimates on a small base or with few behind them, and further ones (`dtm._survey_disclosure`).

    Parameters
    ----------
    connection
        The warehouse, with the temporary tables of `dtm.scope.build_scope` and ``safe_stock``.
    scope
        What the release is about.
    settings
        Thresholds.

    Raises
    ------
    ReleaseAuditError
        A hidden count could still be derived.
    """
    estimates, flows, log = [_empty("survey_estimate")], [_empty("survey_flow")], []
    for sample in read_samples(connection, scope):
        hidden, _ = hide_counts(count_sample(sample), settings)
        rows = _estimate_rows(sample, hidden, settings)
        pairs = _flow_rows(sample, hidden, settings)
        estimates.append(rows)
        flows.append(pairs)
    for name, parts in zip(SURVEY_TABLES, (estimates, flows), strict=True):
        log.append(_store(connection, name, pd.concat(parts, ignore_index=True)))
    is_there = f"SELECT count(*) FROM duckdb_tables() WHERE temporary AND table_name = '{LOG_TABLE}'"
    if connection.execute(is_there).fetchone() != (0,):
        for statement in log:
            connection.execute(statement)


def _empty(name: str) -> pd.DataFrame:
    return pd.DataFrame(columns=[*RELEASE_TABLES[name].column_names, "rule"])


def _store(connection: Connection, name: str, rows: pd.DataFrame) -> str:
    """Write a safe table, and return the statement that logs what it hides."""
    table = RELEASE_TABLES[name]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE safe_{name} ({', '.join(c.definition() for c in table.columns)})")
    chosen = ", ".join(f"{column.name}::{column.type} AS {column.name}" for column in table.columns)
    for column in table.columns:
        numeric = column.type in ("DOUBLE", "BIGINT", "INTEGER")
        rows[column.name] = rows[column.name].astype("float64") if numeric else rows[column.name].astype("string")
    key = ", ".join(table.key)
    connection.register("survey_rows", rows)
    blank = [f"CASE WHEN NOT isnan({c.name}) THEN {c.name} END AS {c.name}" for c in table.columns if c.type == "DOUBLE"]
    blank += [
        f"CASE WHEN NOT isnan({c.name}) THEN {c.name}::BIGINT END AS {c.name}"
        for c in table.columns
        if c.type == "BIGINT"
    ]
    source = f"(SELECT * REPLACE ({', '.join(blank)}) FROM survey_rows)"
    connection.execute(f"INSERT INTO safe_{name} SELECT {chosen} FROM {source} ORDER BY {key}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name}_log AS SELECT {key}, rule FROM {source} WHERE rule <> ''")
    connection.unregister("survey_rows")
    cell = ", ".join(f"{column} := {column}" for column in table.key)
    return f"INSERT INTO {LOG_TABLE} SELECT '{name}', to_json(struct_pack({cell})), rule FROM {name}_log ORDER BY ALL"


def _estimate_rows(sample: Sample, hidden: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return the rows of `survey_estimate` of a round."""
    parts = []
    for name, estimate in SURVEY_ESTIMATES.items():
        records = sample.records(estimate.of)
        if not len(records):
            continue
        areas, domains = _domains(sample, estimate.of)
        found = _estimated(sample, estimate, domains)
        grid = areas.merge(pd.DataFrame({"answer": _rows_of(estimate)}), how="cross")
        frame = pd.concat([grid, found.to_frame()], axis=1)
        for column in ("value", *_ERRORS):
            frame[column] *= estimate.scale
        frame = frame.assign(
            round_number=sample.round_number,
            estimate=name,
            item=frame["answer"] if estimate.items == estimate.shown else "total",
            unit=estimate.unit,
        )
        parts.append(_with_counts(frame, estimate, sample, hidden, settings))
    return pd.concat(parts, ignore_index=True) if parts else _empty("survey_estimate")


def _rows_of(estimate: SurveyEstimate) -> tuple[str, ...]:
    return estimate.shown


def _domains(sample: Sample, of: str) -> tuple[pd.DataFrame, Any]:
    """Return the areas of both levels that have records, and records by areas."""
    from scipy import sparse  # noqa: PLC0415

    records = sample.records(of)
    rows, parts = [], []
    for level in sample.levels:
        columns, codes = indicator_columns(records[f"level_{level}"])
        rows += [(level, code) for code in codes]
        parts.append(columns)
    return pd.DataFrame(rows, columns=_AREA), sparse.hstack(parts, format="csr")


def _estimated(sample: Sample, estimate: SurveyEstimate, domains: Any) -> Estimates:
    records = sample.records(estimate.of)
    answers, _ = indicator_columns(answers_of(records, estimate.name), among=estimate.answers)
    if estimate.kind == "mean":
        told = records["persons"].fillna(0).to_numpy(dtype=np.float64)[:, None]
        parts, whole = answers.multiply(told).tocsr(), answers
    elif estimate.kind == "ratio":
        parts, whole = answers[:, [0]], answers[:, [1]]
    else:
        parts = answers[:, : len(estimate.shown)]
        whole = np.repeat(column_sums(answers.T.tocsr())[:, None], len(estimate.shown), axis=1)
    return estimate_ratios(
        sample.design(estimate.of),
        domain_columns(domains, parts),
        domain_columns(domains, whole),
        interval="logit" if estimate.kind == "share" else "linear",
    )


def _with_counts(
    frame: pd.DataFrame, estimate: SurveyEstimate, sample: Sample, hidden: pd.DataFrame, settings: Settings
) -> pd.DataFrame:
    """Add bases, status and note to the rows of an estimate, and blank what is hidden."""
    frame = _looked_up(frame, hidden, estimate.name, "answer", "count")
    frame = _looked_up(frame.assign(base=BASE), hidden, estimate.name, "base", "value_base")
    is_hidden = frame["count_hidden"] | frame["value_base_hidden"]
    limit = settings.threshold_persons if estimate.of == "persons" else settings.threshold_households
    others = frame["value_base"] - frame["count"]
    few = frame["count"].between(1, limit - 1) | others.between(1, limit - 1)
    if estimate.kind == "mean":
        few = frame["count"].between(1, settings.threshold_persons - 1)
    frame = frame.assign(variable=estimate.name, size=SIZE)
    primary = is_small(frame.rename(columns={"value_base_clusters": "clusters_base"}), settings) | few
    frame = _looked_up(frame, hidden, "households", "size", "sampled")
    if estimate.of == "persons":
        frame["base_persons"] = frame["value_base"]
        frame["base_households"] = frame["sampled"].where(~frame["sampled_hidden"])
    else:
        frame["base_households"] = frame["value_base"]
        frame["base_persons"] = frame["count"] if estimate.kind == "mean" else np.nan
    return _settled(frame, sample.left_out[estimate.of], sample.records(estimate.of), primary, is_hidden)


def _looked_up(frame: pd.DataFrame, hidden: pd.DataFrame, variable: str, item: str, into: str) -> pd.DataFrame:
    """Add the count of an item of a variable in the row's area, 0 where there is none, and whether it is hidden."""
    cells = hidden[hidden["variable"] == variable][[*_AREA, "item", "value", "clusters", "is_hidden"]]
    names = {"item": item, "value": into, "clusters": f"{into}_clusters", "is_hidden": f"{into}_hidden"}
    frame = frame.merge(cells.rename(columns=names), on=[*_AREA, item], how="left")
    for column in (into, f"{into}_clusters"):
        frame[column] = frame[column].fillna(0).astype(np.int64)
    frame[f"{into}_hidden"] = frame[f"{into}_hidden"].eq(True)  # noqa: FBT003  a count that is 0 has no cell
    return frame


def _settled(
    frame: pd.DataFrame, left_out: frozenset[str], records: pd.DataFrame, primary: pd.Series, is_hidden: pd.Series
) -> pd.DataFrame:
    """Add status, note and rule, and blank the numbers of rows that are not published."""
    nobody = frame["value_base"] == 0
    status = np.select([nobody, primary | is_hidden, frame["value"].isna()], [UNDEFINED, SUPPRESSED, UNDEFINED], PUBLISHED)
    no_spread = frame["degrees_of_freedom"] < 1
    why = np.select(
        [nobody, status == UNDEFINED, no_spread, frame["standard_error"].isna()],
        [NOTE_NOBODY_ASKED, "zero_denominator", NOTE_NO_SPREAD, NOTE_ALL_ALIKE],
        "",
    )
    note = pd.Series(np.where(status == SUPPRESSED, "", why), index=frame.index)
    strata = records[["level_1", "stratum"]].drop_duplicates().groupby("level_1").size()
    missing = {code[: CODE_LENGTH[TOP_LEVEL]] for code in left_out}
    partly = (frame["level"] == TOP_LEVEL) & frame["pcode"].isin(missing) & (status == PUBLISHED)
    told = f"{NOTE_SAMPLED_AREAS}:" + frame["pcode"].map(strata).fillna(0).astype(int).astype(str)
    note = (note + " " + told.where(partly, "")).str.strip()
    frame = frame.assign(
        status=status,
        note=note.where(note != "", None),
        method="sampled",
        rule=np.where(status != SUPPRESSED, "", np.where(primary, PRIMARY, COMPLEMENTARY)),
    )
    for column in _NUMBERS:
        if column in frame:
            frame[column] = frame[column].astype(np.float64).round(DECIMALS).where(status == PUBLISHED)
    return frame


def _flow_rows(sample: Sample, hidden: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return the rows of `survey_flow` of a round."""
    people, parts = sample.people, []
    if not len(people):
        return _empty("survey_flow")
    for source in SURVEY_SOURCES:
        for level in sample.levels:
            area, origin = people[f"level_{level}"], people[f"{source}@{level}"]
            here, codes = indicator_columns(area)
            pairs, keys = indicator_columns((area + " " + origin).where(origin.notna()))
            if not keys:
                continue
            destination, start = zip(*(key.split(" ") for key in keys), strict=True)
            everybody = here[:, pd.Index(codes).get_indexer(list(destination))]
            found = estimate_ratios(sample.design("persons"), pairs, everybody, interval="logit")
            in_area = column_sums(everybody, people["weight"].to_numpy())
            frame = found.to_frame().assign(
                round_number=sample.round_number, source=source, level=level, pcode=destination, origin=start,
                destination=destination,
            )  # fmt: skip
            for column in ("value", *_ERRORS):
                frame[column] *= in_area
            parts.append(_flow_counts(frame, sample, hidden, settings))
    return pd.concat(parts, ignore_index=True) if parts else _empty("survey_flow")


def _flow_counts(frame: pd.DataFrame, sample: Sample, hidden: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Add the base, status and note to the rows of a source and level, and blank what is hidden."""
    source = str(frame["source"].iloc[0])
    frame = _looked_up(frame, hidden, source, "origin", "base_persons")
    frame = _looked_up(frame.assign(base=BASE, variable=source), hidden, source, "base", "value_base")
    others, limit = frame["value_base"] - frame["base_persons"], settings.threshold_persons
    few = frame["base_persons"].between(1, limit - 1) | others.between(1, limit - 1)
    primary = is_small(frame.rename(columns={"value_base_clusters": "clusters_base"}), settings) | few
    return _settled(frame, sample.left_out["persons"], sample.people, primary, frame["base_persons_hidden"])

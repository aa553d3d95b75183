"""Make the survey tables of a release: weighted estimates with their error, shown where nobody can be found in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

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
from dtm._survey_rounding import COUNT_STEP, DECIMALS, round_to_respondents, step_of
from dtm._survey_sample import CODE_LENGTH, TOP_LEVEL, answers_of, read_samples
from dtm.disclosure import COMPLEMENTARY, LOG_TABLE, PRIMARY
from dtm.survey import estimate_ratios

if TYPE_CHECKING:
    from dtm._survey_catalogue import SurveyEstimate
    from dtm._survey_columns import Floats
    from dtm._survey_sample import Sample
    from dtm.engine import Connection
    from dtm.scope import Scope
    from dtm.workspace import Settings

__all__ = ["SURVEY_TABLES", "build_survey"]

SURVEY_TABLES = ("survey_estimate", "survey_flow")
_ERRORS = ("standard_error", "low", "high")
_NUMBERS = ("value", *_ERRORS, "design_effect", "base_households", "base_persons")
_AREA = ["level", "pcode"]


def build_survey(connection: Connection, scope: Scope, settings: Settings) -> dict[tuple[str, int | None, str], int]:
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
    - *Rounded* to what one respondent stands for: the weights are known, and would tell the counts behind a figure.
    - *Hidden* are estimates on a small base or with few behind them, and further ones (`dtm._survey_disclosure`).

    Parameters
    ----------
    connection
        The warehouse, with the temporary tables of `dtm.scope.build_scope` and ``safe_stock``.
    scope
        What the release is about.
    settings
        Thresholds.

    Returns
    -------
    dict
        Rows by table, level and status, as `dtm.disclosure.SuppressionSummary.cells` has them.

    Raises
    ------
    ReleaseAuditError
        A hidden count could still be derived.
    """
    estimates, flows = [_empty("survey_estimate")], [_empty("survey_flow")]
    for sample in read_samples(connection, scope):
        hidden, _ = hide_counts(count_sample(sample), settings)
        estimates.append(_estimate_rows(sample, hidden, settings))
        flows.append(_flow_rows(sample, hidden, settings))
    cells: dict[tuple[str, int | None, str], int] = {}
    for name, parts in zip(SURVEY_TABLES, (estimates, flows), strict=True):
        rows = pd.concat(parts, ignore_index=True)
        _store(connection, name, rows)
        sizes = rows.groupby(["level", "status"], sort=True).size().reset_index(name="cells")
        for level, status, count in zip(sizes["level"], sizes["status"], sizes["cells"], strict=True):
            cells[name, int(level), str(status)] = int(count)
    return cells


def _empty(name: str) -> pd.DataFrame:
    return pd.DataFrame(columns=[*RELEASE_TABLES[name].column_names, "rule"])


def _store(connection: Connection, name: str, rows: pd.DataFrame) -> None:
    """Write a safe table, and add what it hides to the log where there is one."""
    table = RELEASE_TABLES[name]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE safe_{name} ({', '.join(c.definition() for c in table.columns)})")
    types = {column.name: column.type for column in table.columns}
    connection.register("survey_rows", rows.astype({n: "float64" for n, kind in types.items() if kind != "VARCHAR"}))
    chosen = ", ".join(f"{column}::{kind} AS {column}" for column, kind in types.items())
    connection.execute(f"INSERT INTO safe_{name} SELECT {chosen} FROM survey_rows ORDER BY {', '.join(table.key)}")
    is_there = f"SELECT count(*) FROM duckdb_tables() WHERE temporary AND table_name = '{LOG_TABLE}'"
    if connection.execute(is_there).fetchone() != (0,):
        cell = ", ".join(f"{column} := {column}::{types[column]}" for column in table.key)
        connection.execute(
            f"INSERT INTO {LOG_TABLE} SELECT '{name}', to_json(struct_pack({cell})), rule FROM survey_rows "
            "WHERE rule <> '' ORDER BY ALL"
        )
    connection.unregister("survey_rows")


def _estimate_rows(sample: Sample, hidden: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return the rows of `survey_estimate` of a round."""
    parts = []
    for name, estimate in SURVEY_ESTIMATES.items():
        if not len(sample.records(estimate.of)):
            continue
        areas, domains = _domains(sample, estimate.of)
        grid = areas.merge(pd.DataFrame({"answer": estimate.shown}), how="cross")
        frame = pd.concat([grid, _estimated(sample, estimate, domains)], axis=1)
        heaviest = _heaviest(sample, estimate.of, grid)
        frame["step"] = step_of(estimate.scale * heaviest / frame["weighted_base"].to_numpy())
        frame["most"] = estimate.scale if estimate.kind == "share" else np.inf
        frame["is_alike"] = frame["value"].isin([0, 1]) & (estimate.kind == "share")
        frame["scale"] = estimate.scale
        item = frame["answer"] if estimate.items == estimate.shown else "total"
        parts.append(frame.assign(variable=name, of=estimate.of, kind=estimate.kind, item=item, unit=estimate.unit))
    if not parts:
        return _empty("survey_estimate")
    frame = pd.concat(parts, ignore_index=True).assign(base=BASE, size=SIZE)
    of_people, is_mean = frame["of"] == "persons", frame["kind"] == "mean"
    frame["other"] = np.where(of_people, "households", "persons")
    frame = _looked_up(frame, hidden, by=["variable", "answer"], into="count")
    frame = _looked_up(frame, hidden, by=["variable", "base"], into="value_base")
    frame = _looked_up(frame, hidden, by=["other", "size"], into="sampled")
    few = _is_few(frame, settings, count="count")
    is_hidden = frame["count_hidden"] | frame["value_base_hidden"]
    sampled = frame["sampled"].where(~frame["sampled_hidden"])
    frame = frame.assign(
        base_persons=frame["value_base"].where(of_people, frame["count"].where(is_mean, sampled)),
        base_households=sampled.where(of_people, frame["value_base"]),
        round_number=sample.round_number,
        estimate=frame["variable"],
    )
    return _settled(frame, sample, primary=is_small(frame, settings) | few, is_hidden=is_hidden)


def _domains(sample: Sample, of: str) -> tuple[pd.DataFrame, Any]:
    """Return the areas of both levels that have records, and records by areas."""
    records = sample.records(of)
    rows, parts = [], []
    for level in sample.levels:
        columns, codes = indicator_columns(records[f"level_{level}"])
        rows += [(level, code) for code in codes]
        parts.append(columns)
    return pd.DataFrame(rows, columns=_AREA), sparse.hstack(parts, format="csr")


def _heaviest(sample: Sample, of: str, areas: pd.DataFrame) -> Floats:
    """Return the largest weight of a record in the area of each row."""
    records = sample.records(of)
    found = [records.groupby(f"level_{level}")["weight"].max() for level in sample.levels]
    return areas["pcode"].map(pd.concat(found)).to_numpy(dtype=np.float64)


def _estimated(sample: Sample, estimate: SurveyEstimate, domains: Any) -> pd.DataFrame:
    """Return the estimate of each answer shown in each area, and the weight of the base it divides by."""
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
    design, base = sample.design(estimate.of), domain_columns(domains, whole)
    interval: Literal["logit", "linear"] = "logit" if estimate.kind == "share" else "linear"
    found = estimate_ratios(design, domain_columns(domains, parts), base, interval=interval)
    weighted = column_sums(base, design.weight)
    return found.to_frame().assign(weighted_base=np.where(weighted > 0, weighted, np.nan))


def _flow_rows(sample: Sample, hidden: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return the rows of `survey_flow` of a round."""
    people, parts = sample.people, []
    design = sample.design("persons")
    for source in SURVEY_SOURCES:
        for level in sample.levels:
            area, origin = people[f"level_{level}"], people[f"{source}@{level}"]
            here, codes = indicator_columns(area)
            pairs, keys = indicator_columns((area + " " + origin).where(origin.notna()))
            if not keys:
                continue
            ends = pd.DataFrame([key.split(" ") for key in keys], columns=["pcode", "origin"])
            everybody = here[:, pd.Index(codes).get_indexer(ends["pcode"])]
            found = estimate_ratios(design, pairs, everybody, interval="logit").to_frame()
            found["is_alike"] = found["value"].isin([0, 1])
            in_area = column_sums(everybody, design.weight)
            found = found.assign(scale=in_area, step=step_of(_heaviest(sample, "persons", ends)), most=in_area)
            parts.append(pd.concat([ends, found], axis=1).assign(level=level, variable=source))
    if not parts:
        return _empty("survey_flow")
    frame = pd.concat(parts, ignore_index=True).assign(base=BASE, of="persons", kind="share")
    frame = _looked_up(frame, hidden, by=["variable", "origin"], into="base_persons")
    frame = _looked_up(frame, hidden, by=["variable", "base"], into="value_base")
    few, is_hidden = _is_few(frame, settings, count="base_persons"), frame["base_persons_hidden"]
    told = (frame["base_persons"] / COUNT_STEP).round() * COUNT_STEP
    frame = frame.assign(
        round_number=sample.round_number, source=frame["variable"], destination=frame["pcode"], base_persons=told
    )
    return _settled(frame, sample, primary=is_small(frame, settings) | few, is_hidden=is_hidden)


def _looked_up(frame: pd.DataFrame, hidden: pd.DataFrame, *, by: list[str], into: str) -> pd.DataFrame:
    """Add a count of the row's area, 0 where there is none, its clusters, and whether it is hidden.

    ``by`` names the columns that hold the variable and the item of the count.
    """
    names = {
        "variable": by[0], "item": by[1], "value": into, "clusters": into.replace("value", "clusters"),
        "is_hidden": f"{into}_hidden",
    }  # fmt: skip
    if into != "value_base":
        hidden = hidden.drop(columns="clusters")
    frame = frame.merge(hidden.rename(columns=names), on=[*_AREA, *by], how="left")
    frame[into] = frame[into].fillna(0).astype(np.int64)
    frame[f"{into}_hidden"] = frame[f"{into}_hidden"].eq(True)
    return frame


def _is_few(frame: pd.DataFrame, settings: Settings, *, count: str) -> pd.Series:
    """Return whether too few are behind a row, or too few are left with other answers."""
    is_mean = frame["kind"] == "mean"
    limit = np.where((frame["of"] == "persons") | is_mean, settings.threshold_persons, settings.threshold_households)
    others = (frame["value_base"] - frame[count]).where(~is_mean, 0)
    return frame[count].between(1, limit - 1) | others.between(1, limit - 1)


def _settled(frame: pd.DataFrame, sample: Sample, *, primary: pd.Series, is_hidden: pd.Series) -> pd.DataFrame:
    """Add status, note and rule, and blank the numbers of rows that are not published."""
    nobody = frame["value_base"] == 0
    status = np.select(
        [nobody, primary | is_hidden, frame["value"].isna()], [UNDEFINED, SUPPRESSED, UNDEFINED], PUBLISHED
    )
    why = np.select(
        [status == SUPPRESSED, nobody, status == UNDEFINED, frame["is_alike"], frame["standard_error"].isna()],
        ["", NOTE_NOBODY_ASKED, "zero_denominator", NOTE_ALL_ALIKE, NOTE_NO_SPREAD],
        "",
    )
    for column in ("value", "standard_error"):
        frame[column] *= frame["scale"]
    note = (pd.Series(why, index=frame.index) + " " + _partly(frame, sample).where(status == PUBLISHED, "")).str.strip()
    frame = round_to_respondents(frame).assign(
        status=status,
        note=note.where(note != "", None),
        method="sampled",
        rule=np.where(status != SUPPRESSED, "", np.where(primary, PRIMARY, COMPLEMENTARY)),
    )
    for column in _NUMBERS:
        if column in frame:
            frame[column] = frame[column].astype(np.float64).round(DECIMALS).where(status == PUBLISHED)
    return frame


def _partly(frame: pd.DataFrame, sample: Sample) -> pd.Series:
    """Return the note on areas of which some strata have no weighted sample, empty for the others."""
    told = pd.Series("", index=frame.index)
    for of, left_out in sample.left_out.items():
        strata = sample.records(of)[["level_1", "stratum"]].drop_duplicates().groupby("level_1").size()
        missing = {code[: CODE_LENGTH[TOP_LEVEL]] for code in left_out}
        rows = (frame["of"] == of) & (frame["level"] == TOP_LEVEL) & frame["pcode"].isin(missing)
        told[rows] = f"{NOTE_SAMPLED_AREAS}:" + frame.loc[rows, "pcode"].map(strata).astype(int).astype(str)
    return told

"""Count who is behind each estimate of a sample, and choose the counts that nobody may learn.

A reader can rebuild the weights (they follow from published totals), so an estimate tells the records it rests on.
All rules therefore work on the unweighted counts, tied by every sum that holds between them:

- the answers of an estimate sum to its base; the base and those outside it to the size of the sample;
- the origins of a survey flow and those not yet born sum to the size of the sample; those from elsewhere to the
  people who moved; those who stayed are the diagonal;
- the areas inside an area sum to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dtm._disclosure_audit import components, determined_cells
from dtm._disclosure_complement import Suppression
from dtm._disclosure_system import Cells, SystemBuilder
from dtm._survey_catalogue import MOVED, STAYED, SURVEY_ESTIMATES, SURVEY_SOURCES, UNKNOWN
from dtm._survey_companions import lacking_companions, moved_up
from dtm._survey_sample import LOWEST_LEVEL, MOVES, TOP_LEVEL, answers_of, is_unknown
from dtm.errors import ReleaseAuditError

if TYPE_CHECKING:
    from dtm._disclosure_system import System
    from dtm._survey_sample import Sample
    from dtm.workspace import Settings

MINIMUM_BASE_HOUSEHOLDS = 30
"""Estimates on fewer households of the sample than this are hidden."""
MINIMUM_BASE_CLUSTERS = 2
"""Estimates on fewer clusters than this are hidden: one cluster tells no error, and is a khoroo by itself."""
BASE, OUTSIDE, SIZE = "base", "outside", "size"
KEYS = ["level", "pcode", "variable", "item"]
_FREE, _ITEM, _STAYED, _BASE, _SIZE = -1, 0, 1, 2, 7
_TOP_ITEM, _TOP_BASE = 4, 5
"""Tiers: what costs nothing to hide, items, the diagonal, bases of many items, sizes; then those of level 1."""


def count_sample(sample: Sample) -> pd.DataFrame:
    """Return every count behind the estimates and flows of a sample, with the clusters it is in.

    The columns are level, pcode, variable (an estimate, a source of flows, ``persons`` or ``households``), item
    (answer, origin, or base, outside, size), value, clusters, and weight: what one record of the area stands for, on
    average.
    """
    parts = []
    for level in sample.levels:
        for of in ("persons", "households"):
            records = sample.records(of)
            parts.append(_counted(records, level, of, pd.Series(SIZE, index=records.index)))
        for name, estimate in SURVEY_ESTIMATES.items():
            records = sample.records(estimate.of)
            answers = answers_of(records, name)
            people = records["persons"].fillna(0) if estimate.kind == "mean" else None
            parts.append(_counted(records, level, name, answers, people))
            parts.append(_counted(records, level, name, answers.notna().map({True: BASE, False: OUTSIDE})))
        for source in SURVEY_SOURCES:
            origin = sample.people[f"{source}@{level}"]
            parts.append(_counted(sample.people, level, source, origin.where(origin.notna(), OUTSIDE)))
            parts.append(_counted(sample.people, level, source, origin.notna().map({True: BASE}).astype(object)))
    rows = pd.concat(parts, ignore_index=True)
    groups = rows.groupby(KEYS, sort=True)
    counts = groups["value"].sum().astype(np.int64).reset_index()
    places = rows[[*KEYS, "area"]].drop_duplicates().groupby(KEYS, sort=True).size()
    return counts.assign(clusters=places.to_numpy().astype(np.int64), weight=_mean_weights(sample, counts))


def _mean_weights(sample: Sample, counts: pd.DataFrame) -> pd.Series:
    """Return the mean weight of the records of the area of each count."""
    means = {
        (of, level): sample.records(of).groupby(f"level_{level}")["weight"].mean()
        for of in ("persons", "households")
        for level in sample.levels
    }
    is_people = pd.Series(_of_people(counts["variable"], counts["item"]), index=counts.index)
    weight = pd.Series(np.nan, index=counts.index)
    for (of, level), mean in means.items():
        rows = (counts["level"] == level) & (is_people == (of == "persons"))
        weight[rows] = counts.loc[rows, "pcode"].map(mean)
    return weight


def _counted(
    records: pd.DataFrame, level: int, variable: str, item: pd.Series, value: pd.Series | None = None
) -> pd.DataFrame:
    """Return a row a record that an item counts, with what it counts for."""
    rows = pd.DataFrame(
        {
            "level": level,
            "pcode": records[f"level_{level}"],
            "variable": variable,
            "item": item.astype(object),
            "area": records["area"],
            "value": 1 if value is None else value.astype(np.int64),
        }
    )
    return rows[rows["item"].notna()]


def hide_counts(counts: pd.DataFrame, settings: Settings) -> tuple[pd.DataFrame, System]:
    """Decide which counts are hidden, and return them with `is_hidden`, and the sums that tie them.

    Counts of an answer from 1 to one less than the threshold are hidden (persons and households each by their own),
    counts that leave so few with other answers, and all answers on a base that is too small. Further ones go until no
    hidden count follows from the others, nor nearly follows because it weighs more (`lacking_companions`). The size of
    the sample, and those who gave no answer or were not born yet, are no secret. The people of an area are published
    elsewhere, so the size of its sample, weighted, is known even where the count is not: nothing hidden may hang on
    it. A count that is the whole sample (everybody gave the same answer) can't be hidden, and hides nothing.

    Raises
    ------
    ReleaseAuditError
        A hidden count could still be derived.
    """
    cells = _described(counts, settings)
    system = _system(cells)
    members, relations_of = system.members(), system.relations_of_cells()
    is_size = (cells["item"] == SIZE).to_numpy()
    unavoidable = set(_derivable(members, relations_of, ~is_size))
    fixed = sorted(unavoidable)
    system.cells.threshold[fixed], system.cells.tier[fixed] = 0, _SIZE
    few = _to_hide(cells, settings).to_numpy() | system.cells.primary()
    also = set(np.flatnonzero(few).tolist()) - unavoidable
    while True:
        pattern = Suppression(system)
        pattern.protect(also=sorted(also))
        hidden = np.array(pattern.hidden, dtype=bool)
        exposed = sorted(set(_derivable(members, relations_of, hidden & ~is_size)) - unavoidable)
        more = _around(cells, exposed, is_size) - also - unavoidable
        states = {"is_hidden": hidden, "is_secret": few & hidden, "is_fixed": cells.index.isin(unavoidable)}
        more |= lacking_companions(cells.assign(**states)[_is_answer(cells)])
        if not more:
            break
        also |= more
    if exposed:
        raise ReleaseAuditError(
            f"The release was stopped: {len(exposed)} hidden counts of the survey would follow from the people of "
            "their areas. Please report this as a fault; nothing was changed."
        )
    pattern.verify()
    return cells[[*KEYS, "value", "clusters"]].assign(is_hidden=hidden), system


def _of_people(variable: pd.Series, item: pd.Series) -> pd.Series:
    """Return whether a count is one of persons and not of households."""
    households = [name for name, one in SURVEY_ESTIMATES.items() if one.of == "households"]
    return ~variable.isin([*households, "households"]) | (item == "persons")


def _described(counts: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Add to each count its threshold, its tier, and the base and clusters of its estimate in the area."""
    cells = counts.reset_index(drop=True).assign(cell=np.arange(len(counts)))
    variable, item, top = cells["variable"], cells["item"], cells["level"] == TOP_LEVEL
    of_people = _of_people(variable, item)
    open_origin = variable.isin(SURVEY_SOURCES) & is_unknown(item, cells["pcode"]) & (cells["level"] == LOWEST_LEVEL)
    no_secret = item.isin([SIZE, OUTSIDE]) | open_origin | (variable.isin(SURVEY_SOURCES) & item.isin([BASE, UNKNOWN]))
    threshold = np.where(of_people, settings.threshold_persons, settings.threshold_households)
    many = variable.isin([name for name, one in SURVEY_ESTIMATES.items() if len(one.items) > 1])
    unpublished = (item == OUTSIDE) | (variable.isin(SURVEY_SOURCES) & (item == BASE))
    rest = [(name, one.answers[-1]) for name, one in SURVEY_ESTIMATES.items() if one.kind == "share"]
    is_rest = pd.Series(list(zip(variable, item, strict=True)), index=cells.index).isin(rest) & ~many
    diagonal = (variable.isin(SURVEY_SOURCES) & (item == cells["pcode"])) | (item == STAYED)
    tier = np.select(
        [unpublished, item == SIZE, top & (item == BASE), top, item == BASE, diagonal, is_rest],
        [_FREE, _SIZE + top, _TOP_BASE, _TOP_ITEM, np.where(many, _BASE, _FREE), _STAYED, _FREE],
        _ITEM,
    )
    bases = cells[item == BASE][["level", "pcode", "variable", "value", "clusters"]]
    joined = cells.merge(bases, on=["level", "pcode", "variable"], how="left", suffixes=("", "_base"))
    return joined.assign(threshold=np.where(no_secret, 0, threshold), tier=tier, of_people=of_people)


def _to_hide(cells: pd.DataFrame, settings: Settings) -> pd.Series:
    """Return the counts that are hidden for the base they are a part of, whatever their own size."""
    is_answer = _is_answer(cells)
    is_part = is_answer & (cells["variable"] != "household_size_persons")
    others = cells["value_base"] - cells["value"]
    limit = np.where(cells["of_people"], settings.threshold_persons, settings.threshold_households)
    return is_answer & (is_small(cells, settings) | (is_part & (others > 0) & (others < limit)))


def _is_answer(cells: pd.DataFrame) -> pd.Series:
    return (cells["threshold"] > 0) & ~cells["item"].isin([BASE, SIZE, OUTSIDE])


def is_small(cells: pd.DataFrame, settings: Settings) -> pd.Series:
    """Return whether the base of an estimate (``variable``, ``value_base``, ``clusters_base``) is too small."""
    of = {name: one.of for name, one in SURVEY_ESTIMATES.items()}
    minimum = np.where(
        cells["variable"].map(of) == "households", MINIMUM_BASE_HOUSEHOLDS, settings.minimum_denominator_persons
    )
    return (cells["value_base"] < minimum) | (cells["clusters_base"] < MINIMUM_BASE_CLUSTERS)


def _system(cells: pd.DataFrame) -> System:
    """Write down every sum that ties the counts."""
    value, threshold, tier = (
        cells[name].to_numpy(dtype=np.int64, copy=True) for name in ("value", "threshold", "tier")
    )
    builder = SystemBuilder(Cells(value, threshold, tier, np.ones(len(cells), dtype=bool)))
    by, by_area = ["level", "pcode", "variable"], ["level", "pcode"]
    item = cells["item"]
    bases, outside = cells[item == BASE], cells[item == OUTSIDE]
    is_part = ~item.isin([BASE, OUTSIDE, SIZE]) & (cells["variable"] != "household_size_persons")
    builder.add("answers", [(bases, 1), (cells[is_part], -1)], by)
    for of in ("persons", "households"):
        names = [name for name, one in SURVEY_ESTIMATES.items() if one.of == of]
        names += list(SURVEY_SOURCES) if of == "persons" else []
        sizes = cells[cells["variable"] == of]
        for name in names:
            parts = [frame[frame["variable"] == name] for frame in (bases, outside)]
            builder.add("size", [(sizes, 1), *((part, -1) for part in parts)], by_area)
    told = cells[(cells["variable"] == "household_size_persons") & (item == "persons")]
    builder.add("members", [(cells[cells["variable"] == "persons"], 1), (told, -1)], by_area)
    for name, source in MOVES.items():
        _add_moves(builder, cells[cells["variable"] == name], cells[cells["variable"] == source])
    _add_areas(builder, cells)
    return builder.build()


def _add_moves(builder: SystemBuilder, answers: pd.DataFrame, flows: pd.DataFrame) -> None:
    """Tie people who moved and stayed to the flows of districts."""
    by = ["level", "pcode"]
    flows = flows[(flows["level"] == LOWEST_LEVEL) & ~flows["item"].isin([BASE, OUTSIDE])]
    answers = answers[answers["level"] == LOWEST_LEVEL]
    stays = flows["item"] == flows["pcode"]
    elsewhere = flows[~stays & ~is_unknown(flows["item"], flows["pcode"])]
    builder.add("moved", [(answers[answers["item"] == MOVED], 1), (elsewhere, -1)], by)
    builder.add("stayed", [(answers[answers["item"] == STAYED], 1), (flows[stays], -1)], by)


def _add_areas(builder: SystemBuilder, cells: pd.DataFrame) -> None:
    """Tie each area to those inside it; moves between those become moves inside it."""
    by = ["pcode", "variable", "item"]
    builder.add("areas", [(cells[cells["level"] == TOP_LEVEL], 1), (moved_up(cells), -1)], by)


def _derivable(
    members: list[list[tuple[int, int]]], relations_of: list[list[tuple[int, int]]], hidden: np.ndarray
) -> list[int]:
    """Return the hidden cells that the others determine."""
    flags = [bool(flag) for flag in hidden]
    groups = components(members, relations_of, flags, [int(cell) for cell in np.flatnonzero(hidden)])
    return [cell for group in groups for cell in determined_cells(members, relations_of, flags, group)]


def _around(cells: pd.DataFrame, exposed: list[int], is_size: np.ndarray) -> set[int]:
    """Return all counts of the areas that exposed counts are in, and of the areas above and beside them."""
    areas = {str(pcode)[: len("MN11")] for pcode in cells.loc[exposed, "pcode"]}
    near = cells["pcode"].str[: len("MN11")].isin(areas).to_numpy() & ~is_size
    return set(np.flatnonzero(near & (cells["value"] > 0).to_numpy()).tolist())

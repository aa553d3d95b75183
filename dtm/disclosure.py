"""Hide every figure from which someone could be found, and every figure that would give a hidden one away.

Totals, rates and densities arrive computed from full data; hiding comes last. Three rules, in this order:

primary
    Counts of persons from 1 to ``threshold_persons`` - 1 and of households (dwellings too) from 1 to
    ``threshold_households`` - 1. Vehicles take the stricter of the two: many carry one person. Zeros are shown, also
    for reasons: a zero tells that nobody moved for it, and none of the reasons is a sensitive attribute of a person.
    Figures of a khoroo in which one kheseg of several reported are that kheseg's, and are hidden whatever their size.
complementary
    Further cells, until no hidden one follows from the published. All sums that tie the figures (see
    `dtm._disclosure_relations`) form one signed linear system; in each sum the hidden cells are at least two and
    together at least the threshold; an exact audit finds cells that the system determines; and for each hidden cell
    there must be a proof that it has another value: whole numbers that satisfy every published sum and differ in it
    (see `dtm._disclosure_proof`). Where a cell fails, one more is hidden and the audit runs again. The pattern for a
    threshold is grown from the one for the threshold below, so a higher threshold hides all that a lower one hides.
    Moves between the parts of an area by reason, sex or age, which no table has but which follow from the figures of
    the area and of its parts, are protected in the same way where they are small.
derived
    Indicators, densities and people inside a hazard of which an ingredient is hidden, or which divide by fewer than
    ``minimum_denominator_persons``. One that is shown is made of shown cells only, so it tells nothing new.

Limits, stated: the interval left for a hidden cell is more than one value but not yet as wide as the threshold; a
reader's knowledge from elsewhere (a neighbour who knows one of two hidden counts) is not modelled. Each release is
judged by itself: a return that came late or was corrected between two releases of a round is the difference of the
two, however small. Differences of published figures, such as the registration gap, may
be small numbers: they count nobody, and anyone can compute them. A hazard's estimate under the threshold is hidden
for the same look everywhere, though share and stock, where both are published, lead to it: it is no count of people.

References
----------
Cox 1980, Suppression methodology and statistical disclosure control, JASA 75(370), 377-385.
Fischetti & Salazar 2000, Models and algorithms for optimizing cell suppression in tabular data with linear
constraints, JASA 95(451); 2001, Solving the cell suppression problem on tabular data with linear constraints,
Management Science 47(7).
de Wolf 2002, HiTaS: a heuristic approach to cell suppression in hierarchical tables, LNCS 2316.
Castro 2012, Recent advances in optimization techniques for statistical tabular data protection, EJOR 216(2).
Hundepool et al. 2012, Statistical Disclosure Control, Wiley.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dtm._disclosure_complement import Suppression
from dtm._disclosure_coverage import shares_to_empty
from dtm._disclosure_derived import PERSONS_OF_ACTUAL, Verdicts, change_with_a_small_rest
from dtm._disclosure_relations import CHANGE, CHANGE_PERCENT, Frames, Linked, link
from dtm._disclosure_rests import MATCHED, PAIRED, figures_to_hide
from dtm._release_tables import NOT_REPORTED, PUBLISHED, RELEASE_TABLES, STATUSES, SUPPRESSED
from dtm.measures import DENSITIES, INDICATORS

if TYPE_CHECKING:
    from dtm.engine import Connection
    from dtm.workspace import Settings

PRIMARY = "primary"
COMPLEMENTARY = "complementary"
DERIVED = "derived"
RULES = (PRIMARY, COMPLEMENTARY, DERIVED)
COUNTED_TABLES = ("stock", "flow", "flow_item", "vital", "passage_day", "passage_hour")
PROTECTED_TABLES = (*COUNTED_TABLES, "indicator", "density", "exposure")
LOG_TABLE = "safe_suppression_log"
_VALUE_COLUMNS = {"exposure": ("persons", "persons_low", "persons_high")}
_COVERAGE_REGISTERED = {"category": "registered", "measure": "persons", "breakdown": "total", "item": "total"}


@dataclass(frozen=True)
class SuppressionSummary:
    """What was hidden, in counts; nothing in it tells a value.

    Parameters
    ----------
    cells
        Rows by table, level (None where the table has none) and status.
    rules
        Hidden rows by table and rule.
    relations
        Sums that hold in the data, by kind: what the audit knows.
    relations_not_holding
        Sums that were expected and do not hold, by kind (returns without a breakdown make them); nobody can rely
        on those, so they are no part of the audit.
    audits
        Runs of the exact audit.
    largest_component
        Most hidden cells that were tied to each other.
    """

    cells: dict[tuple[str, int | None, str], int]
    rules: dict[tuple[str, str], int]
    relations: dict[str, int]
    relations_not_holding: dict[str, int]
    audits: int
    largest_component: int

    def share(self, table: str, level: int | None, status: str = PUBLISHED) -> float:
        """Return the share of a table's rows at a level that have a status; not reported ones do not count."""
        rows = {s: self.cells.get((table, level, s), 0) for s in STATUSES if s != NOT_REPORTED}
        return rows[status] / total if (total := sum(rows.values())) else 0.0

    def to_manifest(self) -> dict[str, Any]:
        """Return the summary as plain values for the manifest of a release.

        The rules stay out of it: where all hidden cells of a table are under the threshold, two that sum to 18 are
        9 and 9 to whoever knows so.
        """
        return {
            "cells": [
                {"table": table, "level": level, "status": status, "cells": count}
                for (table, level, status), count in self.cells.items()
            ],
            "relations": self.relations,
            "relations_not_holding": self.relations_not_holding,
            "audits": self.audits,
            "largest_component": self.largest_component,
        }  # fmt: skip


def protect_release(connection: Connection, settings: Settings) -> SuppressionSummary:
    """Decide what a release may show, and write the tables that hold only that.

    Reads the temporary tables ``full_<name>`` of `PROTECTED_TABLES`, ``scope_area``, ``scope_rollup`` and
    ``scope_round``; writes ``safe_<name>`` with the declared columns of each and ``safe_suppression_log`` (table_name,
    cell, rule). The result depends on the rows alone, not on their order.

    The temporary table ``full_coverage``, where it is there, loses the shares that would tell a hidden count (see
    `protect_coverage`).

    Raises
    ------
    ReleaseAuditError
        A hidden figure could still be derived at the end.
    """
    tables = {name: _load(connection, name) for name in PROTECTED_TABLES}
    areas = connection.execute("SELECT pcode, level, parent_pcode FROM scope_area ORDER BY pcode").df()
    rounds = tuple(n for (n,) in connection.execute("SELECT round_number FROM scope_round ORDER BY 1").fetchall())
    frames = Frames(
        **{name: tables[name] for name in COUNTED_TABLES},
        change=tables["indicator"][tables["indicator"]["indicator"] == CHANGE],
        parent_of=_parents(areas),
        level_of=dict(zip(areas["pcode"], areas["level"].astype(int), strict=True)),
        rounds=rounds,
    )
    has_coverage = _has_table(connection, "full_coverage")
    reported = (
        connection.execute("SELECT round_number, pcode, units_reported, units_expected FROM full_coverage").df()
        if has_coverage
        else None
    )
    linked = link(frames, settings)
    pattern = Suppression(linked.system)
    percent = tables["indicator"][tables["indicator"]["indicator"] == CHANGE_PERCENT]
    rests = _small_rests(connection, frames, settings)
    matched = linked.frames["change"].merge(rests[rests["pair"] == MATCHED], on=["round_number", "pcode"])["cell"]
    also = {*_changes_to_hide(linked, frames, settings, reported, percent), *matched[matched >= 0].tolist()}
    also |= _cells_of_lone_units(linked, frames, reported)
    pattern.protect(also=sorted(also))
    pattern.verify()
    hidden = np.array([*pattern.hidden, False], dtype=bool)  # the last stands for null cells, numbered -1
    primary = np.append(linked.system.cells.primary(), False)
    verdicts: dict[str, pd.DataFrame] = {}
    for name in COUNTED_TABLES:
        cell = linked.frames[name]["cell"].to_numpy()
        status = np.select([cell < 0, hidden[cell]], [NOT_REPORTED, SUPPRESSED], PUBLISHED)
        rule = np.where(primary[cell], PRIMARY, COMPLEMENTARY)
        verdicts[name] = _verdict(tables[name], status, rule)
    rollup = connection.execute("SELECT DISTINCT area_pcode, pcode FROM scope_rollup").df()
    counted = {name: tables[name].assign(status=verdicts[name]["status"]) for name in ("stock", "flow")}
    derived = Verdicts(counted, rollup, rounds, settings)
    verdicts["indicator"] = _indicator_verdict(tables["indicator"], derived, linked, hidden, rests)
    verdicts["density"] = _verdict(tables["density"], derived.derived(tables["density"], DENSITIES), DERIVED)
    verdicts["exposure"] = _exposure_verdict(tables["exposure"], derived)
    _write(connection, verdicts)
    if has_coverage:
        protect_coverage(connection, settings, table="full_coverage")
    return _summary(tables, verdicts, linked, pattern)


def protect_coverage(connection: Connection, settings: Settings, *, table: str) -> int:
    """Empty the coverage shares that would tell a hidden or small count of registered people.

    The share divides the registered people of the units that reported by those of all units. With a hidden count, or
    with a small one missing, earlier rounds would solve for it; neighbours and the area above would tell the share that
    is emptied alone, so further ones go with it. Runs after `protect_release`.

    Parameters
    ----------
    connection
        The one that `protect_release` wrote ``safe_stock`` on.
    settings
        Thresholds.
    table
        Table with the declared columns of ``coverage``, changed in place.

    Returns
    -------
    int
        Shares that were emptied.
    """
    where = " AND ".join(f"f.{column} = '{value}'" for column, value in _COVERAGE_REGISTERED.items())
    same = " AND ".join(f"s.{column} = f.{column}" for column in RELEASE_TABLES["stock"].key)
    coverage = connection.execute(
        f"""
        SELECT c.round_number, c.pcode, c.registered_coverage_share AS share, f.value::DOUBLE AS registered,
            coalesce(s.status = '{SUPPRESSED}', false) AS is_hidden
        FROM {table} AS c
        LEFT JOIN full_stock AS f ON f.round_number = c.round_number AND f.pcode = c.pcode AND {where}
        LEFT JOIN safe_stock AS s ON {same}
        ORDER BY ALL
        """
    ).df()
    areas = connection.execute("SELECT pcode, parent_pcode FROM scope_area ORDER BY pcode").df()
    found = coverage[shares_to_empty(coverage, _parents(areas), settings.threshold_persons)]
    connection.register("coverage_emptied", found[["round_number", "pcode"]])
    connection.execute(
        f"UPDATE {table} AS c SET registered_coverage_share = NULL FROM coverage_emptied AS e "
        "WHERE e.round_number = c.round_number AND e.pcode = c.pcode"
    )
    connection.unregister("coverage_emptied")
    return len(found)


def _parents(areas: pd.DataFrame) -> dict[str, str]:
    """Return the area above each that has one in the release."""
    present = set(areas["pcode"])
    pairs = zip(areas["pcode"], areas["parent_pcode"], strict=True)
    return {pcode: parent for pcode, parent in pairs if isinstance(parent, str) and parent in present}


def _load(connection: Connection, name: str) -> pd.DataFrame:
    """Give the rows of a full table numbers in the order of its key, and read them."""
    declared = RELEASE_TABLES[name]
    columns = [column for column in declared.column_names if column != "status"]
    order = ", ".join([*declared.key, *(column for column in columns if column not in declared.key)])
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE disclosure_{name} AS "
        f"SELECT row_number() OVER (ORDER BY {order}) - 1 AS row, {', '.join(columns)} FROM full_{name}"
    )
    return connection.execute(f"SELECT * FROM disclosure_{name} ORDER BY row").df()


def _cells_of_lone_units(linked: Linked, frames: Frames, reported: pd.DataFrame | None) -> set[int]:
    """Return the cells of the finest areas in which one unit of several reported: they are that unit's own figures.

    A kheseg's figures stay with the people who run the rounds, whatever their size.
    """
    if reported is None:
        return set()
    finest = max(frames.level_of.values(), default=0)
    is_lone = (reported["units_reported"] == 1) & (reported["units_expected"] > 1)
    lone = reported.loc[is_lone & (reported["pcode"].map(frames.level_of) == finest), ["round_number", "pcode"]]
    cells: set[int] = set()
    for name in ("stock", "flow", "flow_item", "vital"):
        found = linked.frames[name].merge(lone, on=["round_number", "pcode"])["cell"]
        cells |= set(found[found >= 0].tolist())
    return cells


def _changes_to_hide(
    linked: Linked, frames: Frames, settings: Settings, reported: pd.DataFrame | None, percent: pd.DataFrame
) -> list[int]:
    """Return the cells of the changes that would tell a small count of unmatched units."""
    stock = frames.stock
    for column, value in PERSONS_OF_ACTUAL.items():
        stock = stock[stock[column] == value]
    previous = dict(zip(frames.rounds[1:], frames.rounds, strict=False))
    change = linked.frames["change"]
    change = change[change["cell"] >= 0]
    small = change_with_a_small_rest(change, stock, previous, settings.threshold_persons, reported, percent)
    return sorted(change.loc[small, "cell"].tolist())


def _has_table(connection: Connection, name: str) -> bool:
    found = "SELECT count(*) FROM duckdb_tables() WHERE temporary AND table_name = ?"
    return connection.execute(found, [name]).fetchone() != (0,)


def _small_rests(connection: Connection, frames: Frames, settings: Settings) -> pd.DataFrame:
    """Return the figures over part of the returns that would tell a small count in the others (`figures_to_hide`)."""
    if not _has_table(connection, "scope_pairs"):
        return pd.DataFrame({"round_number": [], "pcode": [], "pair": []}).astype({"pcode": object, "pair": object})
    return figures_to_hide(
        connection.execute("SELECT * FROM scope_pairs ORDER BY round_number, pcode").df(),
        frames.stock,
        rounds=frames.rounds,
        parent_of=frames.parent_of,
        level_of=frames.level_of,
        settings=settings,
    )


def _verdict(frame: pd.DataFrame, status: Any, rule: Any) -> pd.DataFrame:
    return pd.DataFrame({"row": frame["row"], "status": status, "rule": rule}, index=frame.index)


def _indicator_verdict(
    frame: pd.DataFrame,
    derived: Verdicts,
    linked: Linked,
    hidden: np.ndarray[tuple[int], np.dtype[np.bool_]],
    rests: pd.DataFrame,
) -> pd.DataFrame:
    """Add to the derived rule the small rests, and what the linear system decided on the changes between rounds.

    Whatever looks back at the round before (the rates divide by the mean of both) would tell the change.
    """
    status = derived.derived(frame, INDICATORS)
    pair_of = {indicator: pair for pair, (indicators, _, _) in PAIRED.items() for indicator in indicators}
    known = frame[["round_number", "pcode"]].assign(pair=frame["indicator"].map(pair_of))
    small = known.merge(rests.assign(found=True), on=["round_number", "pcode", "pair"], how="left")["found"].eq(True)
    status[small.to_numpy() & frame["value"].notna().to_numpy()] = SUPPRESSED
    rule = pd.Series(DERIVED, index=frame.index, dtype=object)
    change = linked.frames["change"]
    decided = change[hidden[change["cell"].to_numpy()]]
    keys = ["round_number", "pcode"]
    looks_back = [name for name, one in INDICATORS.items() if any(i.round == "previous" for i in one.ingredients)]
    family = frame[frame["indicator"].isin(looks_back)]
    tied = family[keys].merge(decided[keys].assign(found=True), on=keys, how="left")["found"].eq(True)
    rows = family.index[tied.to_numpy()]
    rule[rows[(status[rows] != SUPPRESSED).to_numpy()]] = COMPLEMENTARY
    status[rows] = SUPPRESSED
    return _verdict(frame, status, rule)


def _exposure_verdict(frame: pd.DataFrame, derived: Verdicts) -> pd.DataFrame:
    return _verdict(frame, derived.exposure(frame), DERIVED)


def _write(connection: Connection, verdicts: dict[str, pd.DataFrame]) -> None:
    """Write the safe tables and the log; the numbered copies of the full tables go."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {LOG_TABLE} (table_name VARCHAR, cell JSON, rule VARCHAR)")
    for name, verdict in verdicts.items():
        declared = RELEASE_TABLES[name]
        definitions = ", ".join(column.definition() for column in declared.columns)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE safe_{name} ({definitions})")
        connection.register("disclosure_verdict", verdict.astype({"status": str, "rule": str}))
        values = _VALUE_COLUMNS.get(name, ("value",))
        shown = {column: f"CASE WHEN v.status = '{PUBLISHED}' THEN f.{column} END" for column in values}
        shown |= {"note": f"CASE WHEN v.status <> '{SUPPRESSED}' THEN f.note END", "status": "v.status"}
        columns = ", ".join(shown.get(column, f"f.{column}") for column in declared.column_names)
        join = f"FROM disclosure_{name} AS f JOIN disclosure_verdict AS v USING (row)"
        connection.execute(f"INSERT INTO safe_{name} SELECT {columns} {join} ORDER BY f.row")
        cell = ", ".join(f"{column} := f.{column}" for column in declared.key)
        connection.execute(
            f"INSERT INTO {LOG_TABLE} SELECT '{name}', to_json(struct_pack({cell})), v.rule {join} "
            f"WHERE v.status = '{SUPPRESSED}' ORDER BY f.row"
        )
        connection.unregister("disclosure_verdict")
        connection.execute(f"DROP TABLE disclosure_{name}")


def _summary(
    tables: dict[str, pd.DataFrame], verdicts: dict[str, pd.DataFrame], linked: Linked, pattern: Suppression
) -> SuppressionSummary:
    cells: dict[tuple[str, int | None, str], int] = {}
    rules: dict[tuple[str, str], int] = {}
    for name, verdict in verdicts.items():
        table = tables[name]
        levels = table["level"].tolist() if "level" in table else [None] * len(table)
        for level, status in zip(levels, verdict["status"], strict=True):
            key = (name, None if level is None else int(level), str(status))
            cells[key] = cells.get(key, 0) + 1
        for rule in verdict.loc[verdict["status"] == SUPPRESSED, "rule"]:
            rules[name, str(rule)] = rules.get((name, str(rule)), 0) + 1
    return SuppressionSummary(
        cells=dict(sorted(cells.items(), key=lambda entry: (entry[0][0], entry[0][1] or 0, entry[0][2]))),
        rules=dict(sorted(rules.items())),
        relations=linked.system.kind_counts,
        relations_not_holding=linked.system.not_holding,
        audits=pattern.audits,
        largest_component=pattern.largest_component,
    )

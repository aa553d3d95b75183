"""Carry the people of earlier rounds, published by other areas, to the areas of a release.

A round before the last whose areas are another set (152 khoroos before 204) is not in the release's own tables. Its
people, registered and really there, are carried here to the release's areas, marked with how much of each figure is
estimated.

What may be shown follows from what a release of that round by its own areas would show: its figures are computed and
made safe again as they were then, and only what is published there is carried. A figure computed from published ones
tells nothing beyond them. The districts of the release that a hidden figure reaches, or in which a carried one is under
the threshold, are left out as a whole for that round, and so is all above them.

A figure is there only if every area behind it told one; of those that did, `reported_share` says how many of their
units reported. An area of the release on none of the old land (`undefined`) has nobody of that round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dtm._release_tables import NOT_REPORTED, PUBLISHED, RELEASE_TABLES, SUPPRESSED, UNDEFINED
from dtm.disclosure import DERIVED, LOG_TABLE, protect_release
from dtm.errors import WrongUseError
from dtm.locate import read_areas
from dtm.places import raster_path
from dtm.rounds import RELEASED, SIGNED_OFF
from dtm.scope import build_scope
from geodata.crosswalk import NO_SOURCE, Crosswalk, RasterWeights, build_crosswalk

if TYPE_CHECKING:
    from collections.abc import Callable

    from dtm.engine import Connection
    from dtm.scope import Scope
    from dtm.workspace import Workspace

CATEGORIES = ("registered", "actual")
_DISTRICT_LEVEL = 2
_EARLIER = (
    'SELECT number, area_set, area_set_version, reference_on, status FROM "round" '
    "WHERE operation = ? AND number < ? AND area_set <> ? ORDER BY number"
)


@dataclass(frozen=True)
class _Earlier:
    """The rounds of one other area set that are carried: number and reference day of each."""

    area_set: str
    rounds: tuple[tuple[int, Any], ...]

    @property
    def last_round(self) -> int:
        return self.rounds[-1][0]


def build_carried(
    connection: Connection,
    scope: Scope,
    workspace: Workspace,
    *,
    compute: Callable[[Connection, Scope], None],
) -> tuple[str, ...]:
    """Make TEMP TABLE `safe_carried`, and return notes on it for the manifest.

    Runs after `protect_release`. Areas that were split are divided by the population raster that was loaded last, or
    by their land where none was: services are no people. Rounds that nobody signed off are not carried, not even into
    a provisional release.

    Parameters
    ----------
    connection
        The warehouse, with the scope's tables and `safe_suppression_log`, to which the hidden rows are added.
    scope
        The release's.
    workspace
        For its thresholds and the raster's file.
    compute
        Makes the `full_` tables of a scope, as the release itself does.
    """
    columns = ", ".join(column.definition() for column in RELEASE_TABLES["carried"].columns)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE safe_carried ({columns})")
    notes: list[str] = []
    for earlier in _earlier_rounds(connection, scope, notes):
        other = connection.cursor()  # another connection to the same file: its temporary tables are its own
        try:
            other.execute("SET TimeZone = 'UTC'")
            notes += _carry_set(connection, other, scope, workspace, earlier, compute)
        finally:
            other.close()
    return tuple(notes)


def carried_inputs(connection: Connection, scope: Scope) -> list[dict[str, Any]]:
    """Return the rounds that may be carried and their areas, as facts that the release's hash can hold."""
    rows = connection.execute(
        f"SELECT number, area_set, area_set_version, file_sha256, status FROM ({_EARLIER}) "
        "LEFT JOIN (SELECT area_set, version AS area_set_version, file_sha256 FROM area_set) "
        "USING (area_set, area_set_version) ORDER BY number",
        [scope.operation, scope.last_round, scope.area_set],
    ).fetchall()
    return [
        {
            "round_number": number,
            "area_set": area_set,
            "area_set_version": version,
            "file_sha256": sha256,
            "is_signed_off": status in (SIGNED_OFF, RELEASED),
        }
        for number, area_set, version, sha256, status in rows
    ]


def _earlier_rounds(connection: Connection, scope: Scope, notes: list[str]) -> list[_Earlier]:
    rows = connection.execute(_EARLIER, [scope.operation, scope.last_round, scope.area_set]).fetchall()
    sets: dict[str, list[tuple[int, Any]]] = {}
    for number, area_set, _, reference_on, status in rows:
        if status in (SIGNED_OFF, RELEASED):
            sets.setdefault(str(area_set), []).append((int(number), reference_on))
        else:
            notes.append(f"Round {number} is not carried to the areas of the release: it is not signed off.")
    return [_Earlier(area_set, tuple(rounds)) for area_set, rounds in sets.items()]


def _carry_set(
    connection: Connection,
    other: Connection,
    scope: Scope,
    workspace: Workspace,
    earlier: _Earlier,
    compute: Callable[[Connection, Scope], None],
) -> list[str]:
    """Carry the rounds of one area set; return notes."""
    try:
        old = build_scope(other, operation=scope.operation, last_round=earlier.last_round)
    except WrongUseError as error:
        return [f"Rounds of '{earlier.area_set}' are not carried: {error}"]
    if old.finest_level != scope.finest_level:
        levels = f"its areas are of level {old.finest_level}, those of the release of level {scope.finest_level}"
        return [f"Rounds of '{earlier.area_set}' are not carried: {levels}."]
    compute(other, old)
    protect_release(other, workspace.settings)
    crosswalk = _crosswalk(connection, scope, old, workspace)
    notes = []
    for number, reference_on in earlier.rounds:
        carried = [_carry_round(other, crosswalk, number, category) for category in CATEGORIES]
        rows, parts = (pd.concat(frames, ignore_index=True) for frames in zip(*carried, strict=True))
        rows["is_hidden"] |= rows["value"].between(1, workspace.settings.threshold_persons - 1).fillna(value=False)
        table = _rolled_up(connection, _with_districts_hidden(rows, scope.finest_level), parts)
        _store(
            connection,
            table.assign(
                round_number=number,
                reference_on=reference_on,
                from_set=old.area_set,
                weights=crosswalk.weights,
                method="carried",
            ),
        )
        notes.append(
            f"Round {number}: the registered and the actual people of '{old.area_set}' are carried to "
            f"'{scope.area_set}' (divided by: {crosswalk.weights})."
        )
    missing = crosswalk.sources.loc[~crosswalk.sources["pcode"].isin(crosswalk.table["from_pcode"]), "pcode"]
    if len(missing):
        notes.append(
            f"{len(missing)} areas of '{old.area_set}' lie on none of the release's land; nobody of them is carried: "
            f"{', '.join(missing)}."
        )
    return notes


def _crosswalk(connection: Connection, scope: Scope, old: Scope, workspace: Workspace) -> Crosswalk:
    areas = [
        read_areas(connection, area_set=name, version=version)[["pcode", "geometry"]]
        for name, version in ((old.area_set, old.area_set_version), (scope.area_set, scope.area_set_version))
    ]
    raster = connection.execute(
        "SELECT name, unit, file_sha256 FROM raster ORDER BY loaded_at DESC, name, version DESC LIMIT 1"
    ).fetchone()
    weights = None
    if raster is not None:
        weights = RasterWeights(raster_path(workspace, raster[2]), unit=raster[1], name=raster[0])
    return build_crosswalk(areas[0], areas[1], weights=weights)


def _carry_round(
    other: Connection, crosswalk: Crosswalk, number: int, category: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a row for each of the release's finest areas, from what the round's own areas may show, and the parts.

    The parts are persons by source and area of the release, not rounded: they tell how much of a figure is estimated.
    """
    told = other.execute(
        """
        SELECT s.pcode, s.value, s.status, c.units_expected, c.units_reported
        FROM safe_stock s LEFT JOIN full_coverage c USING (round_number, pcode)
        WHERE s.round_number = ? AND s.category = ? AND s.measure = 'persons' AND s.breakdown = 'total'
        ORDER BY s.pcode
        """,
        [number, category],
    ).df()
    told = told[told["pcode"].isin(crosswalk.sources["pcode"])].set_index("pcode")
    carried = crosswalk.carry(told["value"].astype("Int64")).table.set_index("pcode")
    pieces = crosswalk.table
    share = pieces["share_of_source"].to_numpy(np.float64)
    units = {
        name: (share * pieces["from_pcode"].map(told[name]).fillna(0).to_numpy(np.float64))
        for name in ("units_expected", "units_reported")
    }
    is_hidden = pieces["from_pcode"].map(told["status"]).eq(SUPPRESSED)
    by_target = pieces.assign(is_hidden=is_hidden, **units).groupby("to_pcode")
    rows = carried.join(by_target[["units_expected", "units_reported"]].sum())
    rows["is_hidden"] = by_target["is_hidden"].any().reindex(rows.index, fill_value=False).astype(bool)
    persons = share * pieces["from_pcode"].map(told["value"]).fillna(0).to_numpy(np.float64)
    parts = pieces[["from_pcode", "to_pcode"]].assign(persons=persons, category=category)
    return rows.reset_index().assign(category=category), parts


def _with_districts_hidden(rows: pd.DataFrame, finest_level: int) -> pd.DataFrame:
    """Decide the status of each finest area: a hidden figure takes its whole district with it."""
    district = rows["pcode"].str[: 2 + 2 * min(finest_level, _DISTRICT_LEVEL)]
    is_hidden = district.isin(district[rows["is_hidden"]])
    status = np.select(
        [is_hidden, rows["reason"] == NO_SOURCE, rows["reason"].notna()],
        [SUPPRESSED, UNDEFINED, NOT_REPORTED],
        PUBLISHED,
    )
    return rows.assign(status=status)


def _rolled_up(connection: Connection, rows: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the finest areas and of all above: sums where all that is inside is published.

    Areas on none of the old land have nobody of that round and don't count. An old area that was split inside one
    district makes the figures of khoroos estimates, and not that of the district.
    """
    rollup = connection.execute("SELECT area_pcode, pcode, level FROM scope_rollup").df()
    joined = rollup.merge(rows.rename(columns={"pcode": "area_pcode"}), on="area_pcode")
    for status in (SUPPRESSED, NOT_REPORTED, PUBLISHED):
        joined[f"is_{status}"] = joined["status"] == status
    flags = [f"is_{status}" for status in (SUPPRESSED, NOT_REPORTED, PUBLISHED)]
    sums = ["known", "units_expected", "units_reported"]
    grouped = joined.groupby(["level", "pcode", "category"])
    table = grouped[sums].sum().join(grouped[flags].any()).join(_estimated(rollup, parts)).reset_index()
    table["status"] = np.select([table[flag] for flag in flags], [SUPPRESSED, NOT_REPORTED, PUBLISHED], UNDEFINED)
    is_published = table["status"] == PUBLISHED
    table["value"] = table["known"].astype("Int64").where(is_published)
    table["estimated_share"] = table["estimated_share"].where(is_published)
    expected = table["units_expected"]
    table["reported_share"] = (table["units_reported"] / expected.where(expected > 0)).where(is_published)
    return table


def _estimated(rollup: pd.DataFrame, parts: pd.DataFrame) -> pd.Series:
    """Return by level, area and category the part of the persons out of old areas that others of that level share."""
    reached = rollup.merge(parts.rename(columns={"to_pcode": "area_pcode"}), on="area_pcode")
    is_shared = reached.groupby(["level", "category", "from_pcode"])["pcode"].transform("nunique") > 1
    reached["shared"] = reached["persons"].where(is_shared, 0.0)
    sums = reached.groupby(["level", "pcode", "category"])[["persons", "shared"]].sum()
    share: pd.Series = sums["shared"] / sums["persons"].where(sums["persons"] > 0)
    return share.rename("estimated_share")


def _store(connection: Connection, table: pd.DataFrame) -> None:
    declared = RELEASE_TABLES["carried"]
    names = ", ".join(declared.column_names)
    connection.register("carried_frame", table[declared.column_names])
    connection.execute(f"INSERT INTO safe_carried SELECT {names} FROM carried_frame ORDER BY {', '.join(declared.key)}")
    cell = ", ".join(f"{column} := {column}" for column in declared.key)
    connection.execute(
        f"INSERT INTO {LOG_TABLE} SELECT 'carried', to_json(struct_pack({cell})), '{DERIVED}' FROM carried_frame "
        f"WHERE status = '{SUPPRESSED}' ORDER BY {', '.join(declared.key)}"
    )
    connection.unregister("carried_frame")

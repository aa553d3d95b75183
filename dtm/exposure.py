"""Say how many people live inside a hazard, between the fewest and the most it can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dtm._full import EXACT, METRIC_CRS, create_full, read_polygons
from dtm._overlay import M2_PER_KM2, covered_km2
from dtm._release_tables import NOT_REPORTED, SUPPRESSED
from dtm.errors import BadInputError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from dtm.engine import Connection
    from dtm.released import Release
    from dtm.scope import Scope

SLIVER_SHARE = 1e-9
"""Shares this close to 0 or 1 are rounding of coordinates: outside, or wholly inside."""


def exposure_table(areas: gpd.GeoDataFrame, hazard: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the people of each area inside a hazard.

    Area weighting takes people as evenly spread over their khoroo, which they are not: read the estimate with its
    bounds. Polygons of the hazard that overlap are dissolved first, so nobody is counted twice.

    Parameters
    ----------
    areas
        Columns `pcode`, `persons` (null where not known) and polygons that don't overlap, in any reference system.
    hazard
        Polygons in any reference system.

    Returns
    -------
    pandas.DataFrame
        A row an area with land inside the hazard, by P-code: `share_of_area` (0-1), `persons` (area-weighted, whole
        numbers by largest remainder, so that they add up to the rounded total), `persons_low` (all of the area's
        people if it is wholly inside, else 0), `persons_high` (all of the area's people). Null where the area's
        people are not known.

    Raises
    ------
    BadInputError
        The hazard has no reference system, or no polygon.
    """
    table = _exposed(areas, hazard)
    return table[["pcode", "share_of_area", "persons", "persons_low", "persons_high"]]


def _exposed(areas: gpd.GeoDataFrame, hazard: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the table with `exposed_km2` beside the share."""
    if hazard.crs is None:
        raise BadInputError("The hazard has no reference system (CRS): save it again with one, for example EPSG:4326.")
    if not hazard.geom_type.isin(["Polygon", "MultiPolygon", "GeometryCollection"]).any():
        raise BadInputError("The hazard has no polygon: exposure needs areas, not points or lines.")
    metric = areas.sort_values("pcode", ignore_index=True).to_crs(METRIC_CRS)
    exposed_km2 = covered_km2(metric, hazard.to_crs(METRIC_CRS))
    share = exposed_km2 / (metric.geometry.area.to_numpy() / M2_PER_KM2)
    share = np.where(share > 1 - SLIVER_SHARE, 1.0, share)
    people = pd.array(metric["persons"], dtype="Int64")
    known = ~np.asarray(people.isna())
    persons = np.zeros(len(metric), dtype=np.int64)
    persons[known] = _largest_remainder(people[known].to_numpy(np.int64) * share[known])
    table = pd.DataFrame(
        {
            "pcode": metric["pcode"],
            "share_of_area": share,
            "exposed_km2": exposed_km2,
            "persons": pd.Series(persons, dtype="Int64").where(known),
            "persons_low": pd.Series(people).where(share == 1.0, 0).where(known),
            "persons_high": pd.Series(people),
        }
    )
    return table[share > SLIVER_SHARE].reset_index(drop=True)


def _largest_remainder(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Round to whole numbers that add up to the rounded sum; equal remainders go to the first."""
    floor = np.floor(values)
    missing = int(np.floor(values.sum() + 0.5) - floor.sum())
    order = np.argsort(-(values - floor), kind="stable")
    whole = floor.astype(np.int64)
    whole[order[: max(missing, 0)]] += 1
    return whole


def build_exposure(connection: Connection, scope: Scope) -> None:
    """Make TEMP TABLE `full_exposure`: people inside each hazard layer's newest version, at the last round.

    Needs `build_stocks` first. A district's or the city's figures are the sums over its khoroos: `persons_low` over
    those wholly inside, `persons_high` over those that have land inside; null where none of these reported. Areas
    without land inside the hazard have no row.
    """
    layers = connection.execute(
        "SELECT name, max(version) FROM layer WHERE kind = 'hazard' GROUP BY name ORDER BY name"
    ).fetchall()
    columns = ["layer", "pcode", "exposed_km2", "share_of_area", "persons", "persons_low", "persons_high"]
    frames = [pd.DataFrame({column: pd.Series(dtype="object") for column in columns})]
    areas = _areas_with_people(connection, scope)
    for name, version in layers:
        hazard = read_polygons(
            connection,
            "SELECT feature, ST_AsWKB(geometry) AS geometry FROM layer_feature WHERE name = ? AND version = ?",
            [name, version],
        )
        frames.append(_exposed(areas, hazard).assign(layer=name)[columns].astype("object"))
    table = pd.concat(frames, ignore_index=True)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE scope_exposed (layer VARCHAR, area_pcode VARCHAR, exposed_km2 DOUBLE, "
        "share_of_area DOUBLE, persons BIGINT, persons_low BIGINT, persons_high BIGINT)"
    )
    rows = table.astype("object").where(table.notna(), None).to_numpy().tolist()
    if rows:
        connection.executemany("INSERT INTO scope_exposed VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    create_full(
        connection,
        "exposure",
        f"""
        SELECT $last_round AS round_number, e.layer, a.level, a.pcode,
            CASE WHEN a.level = $finest_level THEN min(e.share_of_area)
                ELSE least(sum(e.exposed_km2::{EXACT})::DOUBLE / any_value(a.area_km2), 1) END AS share_of_area,
            sum(e.persons) AS persons, sum(e.persons_low) AS persons_low, sum(e.persons_high) AS persons_high
        FROM scope_exposed e JOIN scope_rollup u USING (area_pcode) JOIN scope_area a ON a.pcode = u.pcode
        GROUP BY e.layer, a.level, a.pcode ORDER BY e.layer, a.level, a.pcode
        """,
        {"last_round": scope.last_round, "finest_level": scope.finest_level},
    )


def _areas_with_people(connection: Connection, scope: Scope) -> gpd.GeoDataFrame:
    return read_polygons(
        connection,
        """
        SELECT a.pcode, s.value AS persons, ST_AsWKB(a.geometry) AS geometry
        FROM scope_area a LEFT JOIN full_stock s ON s.pcode = a.pcode AND s.round_number = ?
            AND s.category = 'actual' AND s.measure = 'persons' AND s.breakdown = 'total'
        WHERE a.level = ? ORDER BY a.pcode
        """,
        [scope.last_round, scope.finest_level],
    )


@dataclass(frozen=True)
class ReleasedExposure:
    """Who is inside a hazard, as far as a release may say.

    Attributes
    ----------
    table
        As `exposure_table` gives it, with `name_mn`, `name_en` and `status` of each area's figure.
    persons, persons_low, persons_high
        Sums over the areas whose figure is published.
    suppressed, not_reported
        P-codes of areas with land inside the hazard whose people are in none of the sums.
    """

    round_number: int
    table: pd.DataFrame
    persons: int
    persons_low: int
    persons_high: int
    suppressed: tuple[str, ...]
    not_reported: tuple[str, ...]


def released_exposure(release: Release, hazard: gpd.GeoDataFrame) -> ReleasedExposure:
    """Return who is inside a hazard at a release's last round, from published figures alone.

    Raises
    ------
    BadInputError
        The hazard has no reference system, or no polygon.
    """
    levels = release.table("area").frame["level"]
    areas = release.areas(int(levels.max()))
    stock = release.table("stock", where={"category": "actual", "measure": "persons", "breakdown": "total"}).frame
    last_round = int(release.table("round").frame["round_number"].max())
    people = stock[stock["round_number"] == last_round].set_index("pcode")
    areas["persons"] = pd.array(areas["pcode"].map(people["value"].astype("Int64")), dtype="Int64")
    table = exposure_table(areas, hazard)
    table = table.merge(areas[["pcode", "name_mn", "name_en"]], on="pcode")
    table["status"] = table["pcode"].map(people["status"]).fillna(NOT_REPORTED)
    return ReleasedExposure(
        round_number=last_round,
        table=table,
        persons=int(table["persons"].sum()),
        persons_low=int(table["persons_low"].sum()),
        persons_high=int(table["persons_high"].sum()),
        suppressed=tuple(table.loc[table["status"] == SUPPRESSED, "pcode"]),
        not_reported=tuple(table.loc[table["status"] == NOT_REPORTED, "pcode"]),
    )

"""Carry figures from one set of areas to another: who shares land with whom, and how a figure is divided."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from geodata._crosswalk_carry import NO_SOURCE, SOURCE_MISSING, Carried, as_values, carry
from geodata._crosswalk_classes import CLASSES, MOST, PART_SHARE, SAME_SHARE, classify
from geodata._crosswalk_files import ReadLayer, is_polygonal, read_coded_areas, read_weight_layer
from geodata._crosswalk_overlay import Outlines, Pieces, common_crs, outlines, overlay
from geodata._crosswalk_weights import (
    AreaWeights,
    PointWeights,
    PolygonWeights,
    RasterWeights,
    Weights,
    measure_of,
    shares,
    weigh,
)
from geodata.errors import CrosswalkError, GeodataUseError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = [
    "CLASSES", "CROSSWALK_COLUMNS", "METHODS", "MOST", "NO_SOURCE", "PART_SHARE", "SAME_SHARE", "SLIVER_SHARE",
    "SOURCE_MISSING", "AreaWeights", "Carried", "Crosswalk", "PointWeights", "PolygonWeights", "RasterWeights",
    "ReadLayer", "Weights", "build_crosswalk", "is_polygonal", "read_coded_areas", "read_weight_layer",
]  # fmt: skip

SLIVER_SHARE: Final = 0.01
"""A piece below this part of its source and of its target is a difference of drawing: nothing is carried over it."""
GAP_SHARE: Final = 0.01
"""An area with more than this part of its land outside the other set is reported."""
CROSSWALK_COLUMNS: Final = (
    "from_pcode", "to_pcode", "share_of_source", "share_of_target", "area_km2", "weight", "method", "method_back",
)  # fmt: skip
WHOLE, BY_AREA, BY_WEIGHTS, BY_AREA_FALLBACK, CHAINED = "whole", "area", "weights", "area_fallback", "chained"
METHODS: Final = (WHOLE, BY_AREA, BY_WEIGHTS, BY_AREA_FALLBACK, CHAINED)
"""How a share was found: the area goes to one other as a whole; by land; by weights; by land because it weighs
nothing; through a set of areas between."""
_SHARE_TOLERANCE: Final = 1e-9
_M2_PER_KM2: Final = 1e6


@dataclass(frozen=True)
class Crosswalk:
    """Shares that carry figures from source areas to target areas, and back.

    Attributes
    ----------
    table
        A row a piece of land that a source and a target share, by their P-codes: `share_of_source` (of the source's
        figure that goes to the target, 0-1; those of a source add up to 1), `share_of_target` (the same the other way
        round), `area_km2`, `weight` (in the unit of the weights; km2 for area), `method` and `method_back` (how each
        share was found, one of `METHODS`).
    sources, targets
        All areas of either set: `pcode`, `area_km2`, `covered_share` (part of its land on the other set; above 1 where
        areas of the other set overlap).
    weights
        Name of what divides an area that was split; `area` for its land.
    slivers, sliver_km2
        Pieces that were taken for differences of drawing, and their land.
    weight_outside
        Weight that lies in no piece.
    """

    table: pd.DataFrame
    sources: pd.DataFrame
    targets: pd.DataFrame
    weights: str = BY_AREA
    slivers: int = 0
    sliver_km2: float = 0.0
    weight_outside: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a table that would lose or make people."""
        missing = [column for column in CROSSWALK_COLUMNS if column not in self.table.columns]
        if missing:
            raise CrosswalkError(
                f"A crosswalk needs the columns {', '.join(CROSSWALK_COLUMNS)}; {missing[0]} is missing."
            )
        table = self.table.sort_values(["from_pcode", "to_pcode"], kind="stable", ignore_index=True)
        object.__setattr__(self, "table", table[list(CROSSWALK_COLUMNS)])
        for side in ("sources", "targets"):
            object.__setattr__(self, side, getattr(self, side).sort_values("pcode", kind="stable", ignore_index=True))
        if table.duplicated(["from_pcode", "to_pcode"]).any():
            raise CrosswalkError("A crosswalk has one row for each pair of areas; one stands twice.")
        for column, code, areas in (
            ("share_of_source", "from_pcode", self.sources),
            ("share_of_target", "to_pcode", self.targets),
        ):
            is_known = table[code].isin(areas["pcode"])
            if not is_known.all():
                raise CrosswalkError(
                    f"The crosswalk names '{table[code][~is_known].iloc[0]}', which is none of its areas."
                )
            share = table[column].to_numpy(np.float64)
            sums = table.groupby(code)[column].sum()
            wrong = sums.index[(sums - 1.0).abs() > _SHARE_TOLERANCE]
            if len(wrong) or not bool(((share >= 0) & (share <= 1 + _SHARE_TOLERANCE)).all()):
                where = f" of '{wrong[0]}'" if len(wrong) else ""
                raise CrosswalkError(f"The column {column}{where} does not hold shares that add up to 1.")

    @property
    def is_estimated(self) -> NDArray[np.bool_]:
        """Say of each piece whether its source was split, so that its share is an estimate."""
        return np.asarray(self.table["method"] != WHOLE)

    @property
    def uncovered(self) -> pd.DataFrame:
        """Return the areas of both sets with more than 1 % of their land outside the other set."""
        sides = []
        for side, areas in (("source", self.sources), ("target", self.targets)):
            outside = (1.0 - areas["covered_share"]).clip(lower=0.0)
            rows = pd.DataFrame(
                {
                    "side": side,
                    "pcode": areas["pcode"],
                    "uncovered_share": outside,
                    "uncovered_km2": outside * areas["area_km2"],
                }
            )
            sides.append(rows[outside > GAP_SHARE])
        return pd.concat(sides, ignore_index=True)

    def carry(self, values: pd.Series) -> Carried:
        """Carry counts of the source areas to the target areas.

        Only *extensive* values can be carried: counts that add up over areas (people, households, buildings). Rates,
        shares, densities and means (*intensive* values) can't: carry numerator and denominator, then divide.

        Parameters
        ----------
        values
            Numbers with the P-codes of the sources as index. Whole numbers (an integer dtype) stay whole and their
            total is kept exactly, fractions to 1e-12 of it. A source that is null or not named is not known: no
            target behind which it stands gets a value, but a reason.

        Raises
        ------
        CrosswalkError
            A code is unknown or stands twice, or the values are no finite numbers.
        """
        source, target = self._positions()
        return carry(
            as_values(values, self.sources["pcode"].to_numpy(object)),
            source=source,
            target=target,
            shares=self.table["share_of_source"].to_numpy(np.float64),
            is_estimated=self.is_estimated,
            targets=self.targets["pcode"].to_numpy(object),
        )

    def inverse(self) -> Crosswalk:
        """Return the crosswalk from the targets to the sources, from the same pieces and weights."""
        swap = {
            "from_pcode": "to_pcode", "to_pcode": "from_pcode", "share_of_source": "share_of_target",
            "share_of_target": "share_of_source", "method": "method_back", "method_back": "method",
        }  # fmt: skip
        return replace(self, table=self.table.rename(columns=swap), sources=self.targets, targets=self.sources)

    def then(self, other: Crosswalk) -> Crosswalk:
        """Return the crosswalk from these sources over these targets to the targets of another.

        Shares are multiplied and added up over the areas between. The land of a piece is not measured but estimated,
        taking that of each area between as evenly spread. What went to an area between that the other crosswalk does
        not carry on goes to the other targets of its source; a source without any is uncovered.

        Raises
        ------
        CrosswalkError
            The areas between are not the same in both.
        """
        if list(self.targets["pcode"]) != list(other.sources["pcode"]):
            raise CrosswalkError("The second crosswalk does not start from the areas that the first one leads to.")
        return _chain(self, other)

    def classify(self) -> pd.DataFrame:
        """Return what became of each source area and which targets are new; see `geodata._crosswalk_classes`."""
        return classify(self.table, self.sources, self.targets)

    def _positions(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        places = [
            pd.Index(areas["pcode"]).get_indexer(self.table[code]).astype(np.intp)
            for code, areas in (("from_pcode", self.sources), ("to_pcode", self.targets))
        ]
        return places[0], places[1]


def build_crosswalk(
    source: gpd.GeoDataFrame,
    target: gpd.GeoDataFrame,
    *,
    weights: Weights | None = None,
    sliver_share: float = SLIVER_SHARE,
    progress: Callable[[float], None] | None = None,
) -> Crosswalk:
    """Lay two sets of areas over each other and find how figures are divided between them.

    A source's figure is divided over the targets it shares land with in proportion to the weights of the shared
    pieces (areal weighting where the weight is land; dasymetric where it is people, buildings or a raster: Goodchild &
    Lam 1980, Areal interpolation: a variant of the traditional spatial problem, Geo-Processing 1, 297-312; Eicher &
    Brewer 2001, Dasymetric mapping and areal interpolation, Cartography and Geographic Information Science 28(2),
    125-138). A source that weighs nothing is divided by land, and its pieces are marked `area_fallback`. Land outside
    the other set gets nothing: a source's figure goes to the pieces it has, and `uncovered` tells what it lacks.

    Parameters
    ----------
    source, target
        Polygons with a column `pcode`, in any reference system, which must be named. Measured in EPSG:32648 around
        Ulaanbaatar and in the equal-area EPSG:6933 beyond. The order of rows has no meaning.
    weights
        What divides an area that was split; its land when not given.
    sliver_share
        Pieces below this part of their source and of their target are taken for differences of drawing, 0-1; 0 keeps
        every piece.
    progress
        Called with the share done, 0-1.

    Raises
    ------
    GeodataUseError
        `sliver_share` is no share below 1.
    CrosswalkError
        A set has no reference system or no column `pcode`, a code is missing or stands twice, or an area has no valid
        polygon: it is named.
    """
    if not 0 <= sliver_share < 1:
        raise GeodataUseError(f"sliver_share is {sliver_share}; give a share from 0 to below 1")
    for frame, what in ((source, "source"), (target, "target")):
        if frame.crs is None:
            raise CrosswalkError(f"The {what} areas have no reference system (CRS); save them with one.")
        if "pcode" not in frame.columns:
            raise CrosswalkError(f"The {what} areas have no column 'pcode'.")
    crs = common_crs(source, target)
    sides = (outlines(source, crs=crs, what="The source areas"), outlines(target, crs=crs, what="The target areas"))
    measure = measure_of(weights, crs)
    found = overlay(*sides, measure=measure, progress=progress)
    covered = [
        np.bincount(position, found.area_m2, minlength=len(side.pcodes))
        / np.maximum(side.area_m2, np.finfo(float).tiny)
        for position, side in zip((found.source, found.target), sides, strict=True)
    ]
    is_sliver = (found.area_m2 < sliver_share * sides[0].area_m2[found.source]) & (
        found.area_m2 < sliver_share * sides[1].area_m2[found.target]
    )
    pieces = found.only(~is_sliver)
    weight, outside = weigh(weights, measure, *sides, pieces)
    return Crosswalk(
        _table(weights, *sides, pieces, weight),
        _areas(sides[0], covered[0]),
        _areas(sides[1], covered[1]),
        weights=BY_AREA if weights is None else weights.name,
        slivers=int(is_sliver.sum()),
        sliver_km2=float(found.area_m2[is_sliver].sum()) / _M2_PER_KM2,
        weight_outside=outside,
    )


def _areas(side: Outlines, covered_share: NDArray[np.float64]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "pcode": pd.array(side.pcodes, dtype="str"),
            "area_km2": side.area_m2 / _M2_PER_KM2,
            "covered_share": covered_share,
        }
    )


def _table(
    weights: Weights | None, source: Outlines, target: Outlines, pieces: Pieces, weight: NDArray[np.float64]
) -> pd.DataFrame:
    columns: dict[str, Any] = {
        "from_pcode": pd.array(source.pcodes[pieces.source], dtype="str"),
        "to_pcode": pd.array(target.pcodes[pieces.target], dtype="str"),
        "area_km2": pieces.area_m2 / _M2_PER_KM2,
        "weight": weight,
    }
    for share, method, position, side in (
        ("share_of_source", "method", pieces.source, source),
        ("share_of_target", "method_back", pieces.target, target),
    ):
        columns[share], has_none = shares(weight, pieces.area_m2, position, len(side.pcodes))
        is_whole = np.bincount(position, minlength=len(side.pcodes))[position] == 1
        split = BY_AREA if weights is None else np.where(has_none, BY_AREA_FALLBACK, BY_WEIGHTS)
        columns[method] = pd.array(np.where(is_whole, WHOLE, split), dtype="str")
    return pd.DataFrame(columns)


def _chain(first: Crosswalk, second: Crosswalk) -> Crosswalk:
    joined = first.table.merge(second.table, left_on="to_pcode", right_on="from_pcode", suffixes=("", "_on"))
    onward = second.table.groupby("from_pcode")["area_km2"].sum()
    joined["share_of_source"] *= joined["share_of_source_on"]
    joined["share_of_target"] *= joined["share_of_target_on"]
    joined["area_km2"] *= joined["area_km2_on"] / joined["to_pcode"].map(onward).astype("float64")
    joined["weight"] *= joined["share_of_source_on"]
    joined["to_pcode"] = joined["to_pcode_on"]
    columns = ["share_of_source", "share_of_target", "area_km2", "weight"]
    table = joined.groupby(["from_pcode", "to_pcode"], as_index=False)[columns].sum()
    for code, share, method in (
        ("from_pcode", "share_of_source", "method"),
        ("to_pcode", "share_of_target", "method_back"),
    ):
        position, codes = pd.factorize(table[code])
        numbers = table[share].to_numpy(np.float64)
        table[share], _ = shares(numbers, table["area_km2"].to_numpy(np.float64), position, len(codes))
        is_whole = np.bincount(position, minlength=len(codes))[position] == 1
        table[method] = pd.array(np.where(is_whole, WHOLE, CHAINED), dtype="str")
    return Crosswalk(
        table,
        _reached(first.sources, table, "from_pcode"),
        _reached(second.targets, table, "to_pcode"),
        weights=first.weights if first.weights == second.weights else f"{first.weights}, {second.weights}",
        slivers=first.slivers + second.slivers,
        sliver_km2=first.sliver_km2 + second.sliver_km2,
        weight_outside=first.weight_outside + second.weight_outside,
    )


def _reached(areas: pd.DataFrame, table: pd.DataFrame, code: str) -> pd.DataFrame:
    """Say of the areas at the ends of a chain how much of their land the pieces have."""
    land = areas["pcode"].map(table.groupby(code)["area_km2"].sum()).astype("float64").fillna(0.0)
    return areas.assign(covered_share=(land / areas["area_km2"]).where(areas["area_km2"] > 0, 0.0))

"""Say in exported rows how complete the returns are behind a figure: of an area, a move, a system, a month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dtm._exports_kinds import COVERAGE, ENDS_COVERAGE

if TYPE_CHECKING:
    from dtm._exports_kinds import Product
    from dtm.released import Release

CHECKPOINT_SOURCES = ("checkpoint", "checkpoint_through")
"""Sources whose coverage is hours of observation, not returns of reporting units."""
ENDS = ("origin", "destination")
_KEY = ["round_number", "pcode"]
_AIMAG_CHARACTERS = len("MN11")


def add_coverage(frame: pd.DataFrame, release: Release, *, product: Product) -> None:
    """Add the columns of coverage that a product has to its rows.

    - A figure of an area in a round has the units of that area; a traveller's row the hours of watch instead.
    - A move that both ends told has the units of both.
    - The indices of a system have the units of all its areas. The share of the registered people is that of the one
      area they lie in; of several aimags together it is not known, unless all units reported.
    - A month has the units of the less complete of the rounds it rests on: of the round itself on its
      own day, else of the last in which the area told something and the next, or the last two where none follows.
    """
    columns, table = set(product.columns), product.table
    if not columns & {*COVERAGE, *ENDS_COVERAGE}:
        return
    rows = release.table("coverage").frame.astype({"units_expected": "Int64", "units_reported": "Int64"})
    coverage = rows.set_index(_KEY)[list(COVERAGE)]
    if columns >= set(ENDS_COVERAGE):
        for end in ENDS:
            found = _of_areas(frame["round_number"], frame[end], coverage)
            frame[[f"{end}_{name}" for name in COVERAGE]] = found.to_numpy(dtype=object)
            _typed(frame, prefix=f"{end}_")
    elif table == "system":
        _add(frame, _of_systems(frame, rows, release))
    elif table == "stock_month":
        _add(frame, _of_months(frame, rows, release))
    else:
        found = _of_areas(frame["round_number"], frame["pcode"], coverage)
        if "source" in frame:
            at_checkpoint = frame["source"].isin(CHECKPOINT_SOURCES)
            hours = frame["round_number"].map(_hours_observed(release))
            frame["hours_observed"] = hours.where(at_checkpoint).astype(float)
            found[at_checkpoint.to_numpy()] = pd.NA
        _add(frame, found)


def _add(frame: pd.DataFrame, found: pd.DataFrame) -> None:
    for name in COVERAGE:
        frame[name] = found[name].to_numpy(dtype=object)
    _typed(frame)


def _typed(frame: pd.DataFrame, *, prefix: str = "") -> None:
    """Give whole numbers and shares their type back."""
    for name in COVERAGE:
        frame[prefix + name] = frame[prefix + name].astype("Int64" if name.startswith("units") else "float64")


def _of_areas(rounds: pd.Series, pcodes: pd.Series, coverage: pd.DataFrame) -> pd.DataFrame:
    return coverage.reindex(pd.MultiIndex.from_arrays([rounds, pcodes])).reset_index(drop=True)


def _hours_observed(release: Release) -> pd.Series[float]:
    """Return hours on duty by round, over all checkpoints; told once a figure, they count once a day."""
    days = release.table("passage_day").frame.drop_duplicates(["checkpoint", "day"])
    days = days.dropna(subset=["round_number"]).astype({"round_number": "int64"})
    hours: pd.Series[float] = days.groupby("round_number")["hours_observed"].sum(min_count=1)
    return hours


def _of_systems(frame: pd.DataFrame, rows: pd.DataFrame, release: Release) -> pd.DataFrame:
    """Return the coverage of all areas of a level together."""
    sums = rows.groupby(["round_number", "level"])[["units_expected", "units_reported"]].sum()
    sums["registered_coverage_share"] = np.where(sums["units_expected"] == sums["units_reported"], 1.0, np.nan)
    found = sums.reindex(pd.MultiIndex.from_frame(frame[["round_number", "level"]])).reset_index(drop=True)
    areas = release.table("area").frame
    above = areas["pcode"].str[:_AIMAG_CHARACTERS].groupby(areas["level"]).agg(["nunique", "first"])
    around = frame["level"].map(above.loc[above["nunique"] == 1, "first"])
    whole = _of_areas(frame["round_number"], around, rows.set_index(_KEY)[list(COVERAGE)])
    return whole.where(whole["units_expected"].notna(), found)


def _of_months(frame: pd.DataFrame, rows: pd.DataFrame, release: Release) -> pd.DataFrame:
    """Return the coverage of the less complete of the rounds that a day's figure rests on."""
    reference = pd.to_datetime(release.table("round").frame.set_index("round_number")["reference_on"])
    rounds = rows.assign(day=rows["round_number"].map(reference)).sort_values("day", kind="stable", ignore_index=True)
    rounds = rounds.assign(row=rounds.index, on=rounds["day"])
    told = rounds[rounds["units_reported"] > 0]
    told = told.assign(before=told.groupby("pcode")["row"].shift())
    days = pd.DataFrame({"pcode": frame["pcode"], "day": pd.to_datetime(frame["day"])}).reset_index(drop=True)
    days = days.astype(rounds[["pcode", "day"]].dtypes).sort_values("day", kind="stable")
    key: dict[str, Any] = {"on": "day", "by": "pcode"}
    last = pd.merge_asof(days, rounds[["pcode", "day", "row", "on"]], **key)
    left = pd.merge_asof(days, told[["pcode", "day", "row", "before"]], **key)
    right = pd.merge_asof(days, told[["pcode", "day", "row"]], direction="forward", **key)
    other = right["row"].where(right["row"].notna(), left["before"])
    share = rounds["units_reported"] / rounds["units_expected"].where(rounds["units_expected"] > 0)
    share = rounds["registered_coverage_share"].fillna(share).astype("float64")
    first, second = (share.reindex(ends).to_numpy() for ends in (left["row"], other))
    is_own = (last["on"] == last["day"]) | left["row"].isna()
    chosen = last["row"].where(is_own, other.where(second < first, left["row"]))
    return rounds[list(COVERAGE)].reindex(chosen).set_axis(days.index).sort_index()

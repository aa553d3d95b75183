"""Hide what is computed from hidden figures: indicators, densities and people inside a hazard.

A derived figure is shown only when every cell it is made of is shown, so that it tells a reader nothing new; and
only when it divides by enough people. The change between rounds is the exception that carries its own information
(it is over the units that reported in both rounds): it is a cell of the linear system and decided there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dtm._release_tables import NOT_REPORTED, PUBLISHED, SUPPRESSED, UNDEFINED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from dtm.measures import Indicator, Ingredient
    from dtm.workspace import Settings

PERSONS_OF_ACTUAL = {"category": "actual", "measure": "persons", "breakdown": "total", "item": "total"}
_SCALE = {"pct": 100.0, "persons_per_household": 1.0, "males_per_100_females": 100.0}
"""What a ratio of two counts is multiplied by, by unit."""
_EXACT = 1e-9
"""Relative difference under which a ratio is that of the published counts."""


class Verdicts:
    """The counted tables with their status, and what each derived figure may show."""

    def __init__(
        self,
        counted: Mapping[str, pd.DataFrame],
        rollup: pd.DataFrame,
        rounds: tuple[int, ...],
        settings: Settings,
    ) -> None:
        self._counted = counted
        self._settings = settings
        self._previous = dict(zip(rounds[1:], rounds, strict=False))
        self._rollup = rollup.rename(columns={"pcode": "above"})[["area_pcode", "above"]]
        self._cache: dict[tuple[str, tuple[tuple[str, str], ...]], pd.DataFrame] = {}

    def _cells(self, table: str, where: Mapping[str, str]) -> pd.DataFrame:
        key = (table, tuple(sorted(where.items())))
        if key not in self._cache:
            frame = self._counted[table]
            for column, wanted in sorted(where.items()):
                frame = frame[frame[column] == wanted]
            self._cache[key] = frame[["round_number", "pcode", "value", "status"]]
        return self._cache[key]

    def _ingredient(self, rows: pd.DataFrame, ingredient: Ingredient) -> pd.DataFrame:
        """Return for each row whether the ingredient is hidden, not reported, or too small to divide by."""
        cells = self._cells(ingredient.table, ingredient.where)
        cells = cells.assign(
            is_hidden=cells["status"] == SUPPRESSED,
            is_missing=cells["status"] == NOT_REPORTED,
            is_small=cells["value"].notna() & (cells["value"] < self._settings.minimum_denominator_persons),
        )
        if ingredient.role != "denominator" or ingredient.where.get("measure") != "persons":
            cells["is_small"] = False
        if ingredient.of == "children":
            cells = cells.merge(self._rollup, left_on="pcode", right_on="area_pcode", how="inner")
            cells = cells.assign(pcode=cells["above"], is_missing=False)
        keys = ["round_number", "pcode"]
        facts = cells.groupby(keys, as_index=False)[["is_hidden", "is_missing", "is_small"]].any()
        wanted = rows[keys]
        if ingredient.round == "previous":
            wanted = wanted.assign(round_number=wanted["round_number"].map(self._previous))
        joined = wanted.merge(facts, on=keys, how="left")[["is_hidden", "is_missing", "is_small"]]
        return joined.eq(True).fillna(value=False).astype(bool).set_axis(rows.index)

    def derived(self, frame: pd.DataFrame, declared: Mapping[str, Indicator]) -> pd.Series:
        """Return the status of each row of the indicator or density table.

        Raises
        ------
        KeyError
            A figure is not declared: nobody can say what it is made of.
        """
        status = pd.Series(PUBLISHED, index=frame.index, dtype=object)
        for name, rows in frame.groupby("indicator", sort=True):
            if name not in declared:
                raise KeyError(f"{name} is not among the declared measures, so its ingredients are not known")
            hidden = pd.Series(False, index=rows.index)
            missing = pd.Series(False, index=rows.index)
            for ingredient in declared[str(name)].ingredients:
                facts = self._ingredient(rows, ingredient)
                hidden |= facts["is_hidden"] | facts["is_small"]
                missing |= facts["is_missing"]
            hidden |= self._has_small_rest(rows, declared[str(name)])
            empty = rows["value"].isna()
            status[rows.index] = np.select(
                [hidden, empty & missing, empty], [SUPPRESSED, NOT_REPORTED, UNDEFINED], PUBLISHED
            )
        return status

    def _has_small_rest(self, rows: pd.DataFrame, declared: Indicator) -> pd.Series:
        """Return whether a ratio or difference of two stocks leaves out a small count.

        Such figures are over the returns that tell both counts, the stocks over all returns; from the two a reader
        could work out the count in the returns left out.
        """
        nothing = pd.Series(False, index=rows.index)
        pair = declared.ingredients
        if len(pair) != 2 or any((i.table, i.of, i.round) != ("stock", "area", "same") for i in pair):  # noqa: PLR2004
            return nothing
        keys = ["round_number", "pcode"]
        first, second = (
            rows[keys]
            .merge(self._cells("stock", i.where)[[*keys, "value"]], on=keys, how="left")["value"]
            .to_numpy(float)
            for i in pair
        )
        value = rows["value"].to_numpy(float)
        limits = [self._threshold(i) for i in pair]
        with np.errstate(divide="ignore", invalid="ignore"):
            if pair[1].role == "denominator" and declared.unit in _SCALE:
                scale = _SCALE[declared.unit]
                rests = [first - value * second / scale, second - scale * first / value]
                differs = np.abs(value * second - scale * first) > _EXACT * scale * np.abs(first)
            else:
                rests = [np.abs(first - second - value)] * 2
                differs = rests[0] > 0
            small = [
                (np.round(rest) >= 1) & (np.round(rest) < limit) for rest, limit in zip(rests, limits, strict=True)
            ]
        return pd.Series(differs & (small[0] | small[1]), index=rows.index)

    def _threshold(self, ingredient: Ingredient) -> int:
        if ingredient.where.get("measure") == "persons":
            return self._settings.threshold_persons
        return self._settings.threshold_households

    def exposure(self, frame: pd.DataFrame) -> pd.Series:
        """Return the status of each row of the exposure table.

        The people inside a hazard are computed from the stocks of the finest areas it touches, so the row shows
        only when all of those do. Estimates under the threshold are hidden too.
        """
        stock = self._cells("stock", PERSONS_OF_ACTUAL)
        hidden_cells = stock[stock["status"] == SUPPRESSED][["round_number", "pcode"]].assign(is_hidden=True)
        below = frame.assign(row=frame.index)[["row", "round_number", "layer", "pcode"]]
        below = below.merge(self._rollup, left_on="pcode", right_on="above")
        own = below[["row", "round_number", "layer", "pcode"]].drop_duplicates()
        touched = frame[frame["share_of_area"] > 0][["layer", "pcode"]].assign(touched=True)
        below = below.drop(columns=["pcode", "above"]).rename(columns={"area_pcode": "pcode"})
        below = below.merge(touched, on=["layer", "pcode"], how="left")
        known = below.groupby("row")["touched"].transform("any") if len(below) else below["touched"]
        below = below[below["touched"].eq(True) | ~known.astype(bool)].drop(columns="touched")
        ingredients = pd.concat([own, below], ignore_index=True)
        rows = ingredients.merge(hidden_cells, on=["round_number", "pcode"])["row"].unique()
        small = frame["persons"].between(1, self._settings.threshold_persons - 1)
        for column in ("persons_low", "persons_high"):
            small |= frame[column].between(1, self._settings.threshold_persons - 1)
        hidden = small.fillna(False).astype(bool) | frame.index.isin(rows)
        status = np.select([hidden, frame["persons"].isna()], [SUPPRESSED, NOT_REPORTED], PUBLISHED)
        return pd.Series(status, index=frame.index, dtype=object)


def change_with_a_small_rest(
    change: pd.DataFrame,
    stock: pd.DataFrame,
    previous: Mapping[int, int],
    threshold: int,
    reported: pd.DataFrame | None = None,
    percent: pd.DataFrame | None = None,
) -> pd.Series:
    """Return the changes whose difference from the stocks' own difference is a small count.

    The change is over the units that reported in both rounds; the stocks are over all that reported. The difference
    of the two is the people of the units new in this round less those of the units that fell silent. With units of
    both kinds it is a difference of two unknown counts, and a small one tells neither; with one kind alone it is the
    count itself, and a small one may be a small unit. But the change in percent divides by the people of the matched
    units before: unless both are 0, the two changes tell the matched units' people, and so each of the two counts.

    Parameters
    ----------
    change
        Rows of the indicator table; ``note`` tells the units in both rounds (``matched_units:8``).
    stock
        Rows of the stock table, one for each round and area.
    previous
        The round before each round.
    threshold
        Counts from 1 to one less than this are small.
    reported
        ``round_number``, ``pcode``, ``units_reported``; without it every difference is taken as one kind's count.
    percent
        Rows of the change in percent; without it nobody can tell the two counts apart.
    """
    keys = ["round_number", "pcode"]
    now = stock[[*keys, "value"]].rename(columns={"value": "now"})
    before = now.rename(columns={"now": "before", "round_number": "earlier"})
    rows = change.assign(earlier=change["round_number"].map(previous)).merge(now, on=keys, how="left")
    rows = rows.merge(before, on=["earlier", "pcode"], how="left")
    rest = (rows["now"] - rows["before"] - rows["value"]).abs().to_numpy(float)
    small = (rest >= 1) & (rest < threshold)
    small = small & ~_has_both_kinds(rows, reported)
    if percent is not None:
        pct = rows[keys].merge(percent[[*keys, "value"]], on=keys, how="left")["value"].to_numpy(float)
        value, now_all, before_all = (rows[name].to_numpy(float) for name in ("value", "now", "before"))
        with np.errstate(divide="ignore", invalid="ignore"):
            matched = np.where(pct != 0, np.round(100 * value / pct), np.nan)
        for left in (before_all - matched, now_all - matched - value):
            small = small | ((left >= 1) & (left < threshold))
    return pd.Series(small, index=change.index, dtype=bool)


def _has_both_kinds(rows: pd.DataFrame, reported: pd.DataFrame | None) -> NDArray[np.bool_]:
    """Return whether an area had units that are new in the round and units that fell silent."""
    if reported is None or "note" not in rows:
        return np.zeros(len(rows), dtype=bool)
    keys = ["round_number", "pcode"]
    now = reported[[*keys, "units_reported"]]
    before = now.rename(columns={"units_reported": "units_before", "round_number": "earlier"})
    units = rows.merge(now, on=keys, how="left").merge(before, on=["earlier", "pcode"], how="left")
    matched = pd.to_numeric(units["note"].astype("string").str.extract(r"^matched_units:(\d+)$")[0])
    new = units["units_reported"].to_numpy(float) - matched.to_numpy(float, na_value=np.nan)
    silent = units["units_before"].to_numpy(float) - matched.to_numpy(float, na_value=np.nan)
    return np.asarray((new > 0) & (silent > 0), dtype=bool)

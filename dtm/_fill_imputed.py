"""Fill the table of figures of all units, those that did not report estimated, from published figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dtm._estimate_rows import insert_rows
from dtm._release_columns import NOT_REPORTED, PUBLISHED, SUPPRESSED, UNDEFINED
from dtm.imputation import Ratios, fit_ratios, predict_missing, with_interval

if TYPE_CHECKING:
    from dtm.engine import Connection

ADDITIVE = ("actual_persons",)
"""Figures of an area that are the sum of its parts'."""
FIGURES = (*ADDITIVE, "arrivals", "departures")
STRATA = ("district", "city", "everywhere")
"""Strata of the finest areas, finest first; a stratum's own area is the one of that level."""
LEVELS = (1, 2, 3)
DISTRICT, KHOROO = 2, 3
EVERYWHERE = "everywhere"
HIDDEN, UNKNOWN = "hidden", "registered_unknown"


def fill_imputed(connection: Connection) -> None:
    """Insert every round, area and figure; see `impute_nonresponse` for the method and what it assumes.

    *Registered people of the units that didn't report* follow from two published figures: those R of the units that
    did and the share s of all registered people they are, as R (1 - s) / s. An area nobody reported from takes its
    last earlier total; an area above takes the sum of its parts where all of them are known.

    *Ratios* are published totals of the district over its registered people, because khoroos with small counts are
    hidden and leaving them out would raise the ratio. The residual variance comes from the khoroos that are
    published. People add up over areas and so do their estimates. Moves over borders don't: a move between two
    khoroos is none of their district's, so each level has ratios of its own.
    """
    cells = read_missing_people(connection)
    told = _read_figures(connection)
    parts = []
    for number, at_round in cells.groupby("round_number", sort=True):
        missing = _missing_units(at_round)
        for figure in FIGURES:
            of_figure = told[(told["round_number"] == number) & (told["figure"] == figure)]
            rows = at_round.merge(of_figure[["pcode", "told", "told_status", "inside"]], on="pcode", how="left")
            rows["told_status"] = rows["told_status"].fillna(NOT_REPORTED)
            plain = _plain_ratios(rows)
            for level in LEVELS:
                if figure in ADDITIVE:
                    ratios, units = _published_ratios(plain, rows, rows["told"]), missing
                else:
                    ratios = _published_ratios(plain, rows, _border_totals(rows, level))
                    units = missing.assign(district=None) if level < DISTRICT else missing
                parts.append(_estimated(rows, units, level, ratios).assign(figure=figure))
    if parts:
        insert_rows(connection, "imputed", pd.concat(parts, ignore_index=True))


def read_missing_people(connection: Connection) -> pd.DataFrame:
    """Return a row a round and area with the registered people of the units that reported and of those that didn't.

    Returns
    -------
    pandas.DataFrame
        `round_number`, `level`, `pcode`, `parent_pcode`, `units_expected`, `units_reported`, `share` (0-1),
        `registered` and `registered_status` (of the units that reported), `missing` (persons; NaN where it can't be
        known), `lack` (why: `HIDDEN` or `UNKNOWN`), and the strata.
    """
    frame = connection.execute(
        """
        SELECT c.round_number, a.level, a.pcode, a.parent_pcode, c.units_expected, c.units_reported,
            c.registered_coverage_share AS share, s.value::DOUBLE AS registered,
            coalesce(s.status, 'not_reported') AS registered_status,
            CASE WHEN a.level > 2 THEN left(a.pcode, 6) END AS district,
            CASE WHEN a.level > 1 THEN left(a.pcode, 4) END AS city, 'everywhere' AS everywhere
        FROM coverage c JOIN area a USING (pcode)
        LEFT JOIN stock s ON s.round_number = c.round_number AND s.pcode = c.pcode AND s.category = 'registered'
            AND s.measure = 'persons' AND s.breakdown = 'total'
        ORDER BY a.pcode, c.round_number
        """
    ).df()
    frame["share"] = frame["share"].astype("float64")
    known = (frame["registered_status"] == PUBLISHED) & (frame["share"] > 0)
    whole = (frame["units_reported"] >= frame["units_expected"]) & (frame["units_expected"] > 0)
    none = (frame["units_reported"] == 0) & ~whole
    with np.errstate(divide="ignore", invalid="ignore"):
        by_share = (frame["registered"] * (1 - frame["share"]) / frame["share"]).where(known)
    of_all = (frame["registered"] + by_share).where(known & ~none)
    of_all = of_all.where(~(whole & (frame["registered_status"] == PUBLISHED)), frame["registered"])
    earlier = of_all.groupby(frame["pcode"]).ffill()
    frame["missing"] = np.select([whole, none], [0.0, earlier], by_share)
    is_hidden = ~none & (
        (frame["registered_status"] == SUPPRESSED) | ((frame["registered_status"] == PUBLISHED) & frame["share"].isna())
    )
    frame["lack"] = np.select([frame["missing"].notna(), is_hidden], ["", HIDDEN], UNKNOWN)
    return frame


def _read_figures(connection: Connection) -> pd.DataFrame:
    """Return the published figures; `inside` are the moves inside the area, NaN where they are hidden."""
    return connection.execute(
        """
        WITH persons AS (
            SELECT * FROM flow WHERE source IN ('arrivals', 'departures') AND reason = 'total' AND measure = 'persons'
        )
        SELECT round_number, pcode, 'actual_persons' AS figure, value::DOUBLE AS told, status AS told_status,
            0.0 AS inside
        FROM stock WHERE category = 'actual' AND measure = 'persons' AND breakdown = 'total'
        UNION ALL
        SELECT t.round_number, t.pcode, t.source, t.value::DOUBLE, t.status,
            CASE WHEN i.status IS NULL THEN 0.0 ELSE i.value::DOUBLE END
        FROM persons t LEFT JOIN persons i ON i.round_number = t.round_number AND i.source = t.source
            AND i.pcode = t.pcode AND i.counterpart = t.pcode
        WHERE t.counterpart = 'total'
        """
    ).df()


def _missing_units(areas: pd.DataFrame) -> pd.DataFrame:
    """Return the missing people of each area (`domain`) of a round, by the areas they are known of.

    An area is made of its parts where all of them are known, else of itself; where that isn't known either its row
    has no persons.
    """
    own = areas[["pcode", "parent_pcode", "missing", *STRATA]].assign(domain=areas["pcode"])
    found: list[pd.DataFrame] = []
    below = own.iloc[:0]
    for level in sorted(areas["level"].unique(), reverse=True):
        at_level = own[areas["level"] == level]
        parent = below["domain"].map(own.set_index("pcode")["parent_pcode"])
        from_parts = below.assign(domain=parent)[parent.notna()]
        is_known = from_parts["missing"].notna().groupby(from_parts["domain"]).all()
        whole = is_known.index[is_known]
        below = pd.concat(
            [from_parts[from_parts["domain"].isin(whole)], at_level[~at_level["pcode"].isin(whole)]], ignore_index=True
        )
        found.append(below)
    return pd.concat(found, ignore_index=True)


def _plain_ratios(rows: pd.DataFrame) -> Ratios:
    """Return the ratios of the finest areas that are published, for their residuals."""
    is_known = (rows["told_status"] == PUBLISHED) & (rows["registered_status"] == PUBLISHED)
    units = rows[is_known & (rows["level"] == rows["level"].max())]
    return fit_ratios(units.assign(value=units["told"]), strata=STRATA)


def _published_ratios(plain: Ratios, rows: pd.DataFrame, total: pd.Series) -> Ratios:
    """Return the strata with the ratios of their areas' own totals, a total a row."""
    is_known = (rows["told_status"] == PUBLISHED) & (rows["registered_status"] == PUBLISHED)
    told = total.where(is_known)
    ratio = (told / rows["registered"].where(rows["registered"] > 0)).set_axis(rows["pcode"])
    top = rows["level"] == 1
    people = rows["registered"][top].sum(skipna=False)
    of_all = told[top].sum(skipna=False) / people if people > 0 else np.nan
    stratum = plain.table["stratum"]
    return plain.replaced(np.where(stratum == EVERYWHERE, of_all, stratum.map(ratio).to_numpy(float)))


def _border_totals(rows: pd.DataFrame, level: int) -> pd.Series:
    """Return for each area the moves over the borders of the areas of a level inside it; NaN where one is hidden.

    A khoroo names its own district as the other end, so the moves over khoroos' borders are the moves over the
    area's and those inside it.
    """
    if level == KHOROO:
        return rows["told"] + rows["inside"]
    parts = rows[rows["level"] == level]
    sums = parts.groupby("parent_pcode")["told"].agg(lambda told: told.sum(skipna=False))
    return rows["told"].where(rows["level"] == level, rows["pcode"].map(sums))


def _estimated(all_rows: pd.DataFrame, missing: pd.DataFrame, level: int, ratios: Ratios) -> pd.DataFrame:
    """Return the rows of one round, figure and level."""
    rows = all_rows[all_rows["level"] == level].reset_index(drop=True)
    told_status = rows["told_status"].to_numpy()
    silent = (rows["units_reported"].to_numpy() == 0) & (told_status == NOT_REPORTED)
    nobody = bool((all_rows["told_status"] == NOT_REPORTED).all())
    known = missing[missing["missing"].notna() & missing["domain"].isin(rows["pcode"])]
    known = known.rename(columns={"missing": "registered"})
    predicted = predict_missing(ratios, known, pd.Index(rows["pcode"]))
    observed = pd.DataFrame({"observed": np.where(silent, 0.0, rows["told"].to_numpy(float))}, index=predicted.index)
    found = with_interval(observed, predicted)
    lack = np.where(rows["pcode"].isin(known["domain"]), "", rows["lack"])
    status = np.select(
        [
            told_status == SUPPRESSED,
            ((told_status != PUBLISHED) & ~silent) | nobody,
            lack == HIDDEN,
            (lack == UNKNOWN) | found["estimated"].isna().to_numpy(),
        ],
        [SUPPRESSED, NOT_REPORTED, SUPPRESSED, UNDEFINED],
        PUBLISHED,
    )
    is_there, is_undefined = status == PUBLISHED, status == UNDEFINED
    why = np.where(lack == UNKNOWN, UNKNOWN, "few_respondents")
    found["imputed_share"] = np.where(found["value"] == 0, 0.0, found["imputed_share"])
    values = {
        name: np.where(is_there, found[name].to_numpy(float), np.nan)
        for name in ("value", "low", "high", "imputed_share", "registered_missing")
    }
    return rows[["round_number", "level", "pcode"]].assign(
        **values,
        observed=np.where(is_there, rows["told"].to_numpy(float), np.nan),
        status=status,
        note=np.select([is_undefined, is_there & found["is_collapsed"].to_numpy()], [why, "wider_stratum"], ""),
        method=np.where(is_there & (found["registered_missing"].to_numpy() == 0), "observed", "imputed"),
    )

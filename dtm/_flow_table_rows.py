"""Read moves out of the warehouse as rows of a table of flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from dtm._flow_table_columns import TOLD
from dtm._full import WHOLE
from dtm._release_columns import PUBLISHED
from dtm._survey_catalogue import SURVEY_SOURCES
from dtm._warehouse_tables import AGE_BANDS
from dtm.errors import UnknownRoundError, WrongUseError
from dtm.flow_items import DISTANCE_CLASS
from dtm.stocks import NOT_STATED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dtm.engine import Connection
    from dtm.released import Release

SURVEY_LEVELS = (1, 2)
"""Levels of residence that the published survey tells."""
BREAKDOWNS = {
    "reason": "reason",
    "sex": "sex",
    "age": "age_band",
    "registered": "registered",
    "distance": "distance_class",
}
"""Names of the breakdowns, and the columns of a table of flows that hold them."""
_MOVES = """
    SELECT r.round_number::VARCHAR AS period, m.persons, m.households, m.registered AS was_registered,
        coalesce(m.reason, 'unknown') AS told_reason, m.male_persons, m.female_persons, {ages},
        CASE WHEN starts_with(m.pcode, r.area_pcode) THEN m.pcode ELSE r.area_pcode END AS here,
        CASE WHEN m.counterpart_pcode <> 'abroad' AND length(m.counterpart_pcode) < 4 THEN 'unknown'
            ELSE m.counterpart_pcode END AS there
    FROM movement m JOIN scope_return r USING (submission_id)
    WHERE r.is_used AND m.persons > 0 AND m.direction = $direction AND list_contains($rounds, r.round_number)
"""
_PASSAGES = """
    SELECT round_number::VARCHAR AS period, persons, NULL::BIGINT AS households,
        CASE WHEN length(origin_pcode) < 4 THEN 'unknown' ELSE origin_pcode END AS origin,
        CASE WHEN length(destination_pcode) < 4 THEN 'unknown' ELSE destination_pcode END AS destination,
        male_0_17_persons + male_18_59_persons + male_60_plus_persons AS male_persons,
        female_0_17_persons + female_18_59_persons + female_60_plus_persons AS female_persons,
        CASE WHEN left(origin, 4) <> $city AND left(destination, 4) <> $city
            AND 'unknown' NOT IN (origin, destination) THEN 'checkpoint_through' ELSE 'checkpoint' END AS source
    FROM passage WHERE persons > 0 AND list_contains($rounds, round_number)
"""


def columns_of(by: Collection[str], *, known: Collection[str] = tuple(BREAKDOWNS)) -> tuple[str, ...]:
    """Return the columns of the named breakdowns."""
    for name in by:
        if name not in known:
            raise WrongUseError(f"There is no breakdown '{name}' here; there are: {', '.join(known)}.")
    if {"sex", "age"} <= set(by):
        raise WrongUseError("A return tells no sex by age; break down by one of them.")
    return tuple(BREAKDOWNS[name] for name in BREAKDOWNS if name in by)


def movement_rows(
    connection: Connection, *, source: str, rounds: Collection[int] | None, by: Collection[str]
) -> pd.DataFrame:
    """Return the moves of the counted returns, summed to one row a key; see `Flows.from_movements`."""
    if source not in ("arrivals", "departures"):
        raise WrongUseError(f"Returns tell arrivals and departures, no '{source}'.")
    columns = columns_of(by)
    ages = [f"age_{band}_persons" for band in AGE_BANDS]
    told = {
        "reason": "told_reason",
        "registered": f"CASE was_registered WHEN true THEN 'yes' WHEN false THEN 'no' ELSE '{NOT_STATED}' END",
        "distance_class": DISTANCE_CLASS.format(area="here", counterpart="there"),
    }
    ends = (
        ("there AS origin", "here AS destination")
        if source == "arrivals"
        else ("here AS origin", "there AS destination")
    )
    split = None
    if "sex" in columns:
        split = ("sex", {"male": "male_persons", "female": "female_persons"})
    elif "age_band" in columns:
        split = ("age_band", dict(zip(AGE_BANDS, ages, strict=True)))
    values: dict[str, object] = {
        "rounds": _rounds(connection, rounds),
        "direction": "arrival" if source == "arrivals" else "departure",
    }
    base = _MOVES.format(ages=", ".join(f"m.{name}" for name in ages))
    keys = [f"'{source}' AS source", "period", *ends, *(f"{told[name]} AS {name}" for name in columns if name in told)]
    return _rows(connection, base, keys, split, values)


def passage_rows(
    connection: Connection, *, city: str | None, rounds: Collection[int] | None, by: Collection[str]
) -> pd.DataFrame:
    """Return the travellers at checkpoints, summed to one row a key; see `Flows.from_passages`."""
    columns = columns_of(by, known=("sex",))
    split = ("sex", {"male": "male_persons", "female": "female_persons"}) if columns else None
    values = {"rounds": _rounds(connection, rounds), "city": city or ""}
    return _rows(connection, _PASSAGES, ["source", "period", "origin", "destination"], split, values)


def survey_rows(
    release: Release, *, level: int, sources: Collection[str], rounds: Collection[int] | None
) -> pd.DataFrame:
    """Return the published flows of the survey; see `Flows.from_survey`."""
    unknown = sorted(set(sources) - set(SURVEY_SOURCES))
    if unknown or level not in SURVEY_LEVELS:
        what, known = ("source", SURVEY_SOURCES) if unknown else ("level", SURVEY_LEVELS)
        raise WrongUseError(
            f"The survey has no {what} {unknown[0] if unknown else level}; there are: {', '.join(map(str, known))}."
        )
    there = set(release.table("round").frame["round_number"].astype(int))
    missing = sorted(set(rounds or ()) - there)
    if missing:
        told = ", ".join(map(str, sorted(there))) or "none"
        raise UnknownRoundError(f"The release has no round {missing[0]}; there are: {told}.")
    chosen = {
        "level": level,
        "source": list(sources or SURVEY_SOURCES),
        "round_number": sorted(there if rounds is None else rounds),
    }
    frame = release.table("survey_flow", where=chosen).frame
    return pd.DataFrame(
        {
            **{name: frame[name].astype("str") for name in ("source", "origin", "destination", "method")},
            "period": frame["round_number"].astype("str"),
            "persons": frame["value"].astype("Float64"),
            "status": frame["status"].replace({PUBLISHED: TOLD}).astype("str"),
        }
    )


def _rows(
    connection: Connection,
    base: str,
    keys: list[str],
    split: tuple[str, Mapping[str, str]] | None,
    values: Mapping[str, object],
) -> pd.DataFrame:
    """Run a query over moves; `split` divides the persons of a row among items where they add up to all of them."""
    parts = [f"SELECT {', '.join(keys)}, persons, households FROM base"]
    if split is not None:
        name, items = split
        whole = f"({' + '.join(items.values())}) = persons"
        keys = [*keys, "NULL::BIGINT AS households"]
        parts = [
            f"SELECT {', '.join(keys)}, '{item}' AS {name}, {column} AS persons FROM base "
            f"WHERE {whole} AND {column} > 0"
            for item, column in items.items()
        ]
        parts.append(
            f"SELECT {', '.join(keys)}, '{NOT_STATED}' AS {name}, persons FROM base WHERE ({whole}) IS NOT TRUE"
        )
    found = " UNION ALL BY NAME ".join(parts)
    rows: pa.Table = connection.execute(
        f"WITH base AS ({base}), part AS ({found}) "
        f"SELECT * EXCLUDE (persons, households), sum(persons)::BIGINT AS persons, "
        f"{WHOLE.format(column='households')} AS households FROM part GROUP BY ALL ORDER BY ALL",
        dict(values),
    ).to_arrow_table()
    return _frame(rows)


def _frame(rows: pa.Table) -> pd.DataFrame:
    """Return rows with whole numbers as whole numbers, nulls among them or not."""
    frame: pd.DataFrame = rows.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return frame


def _rounds(connection: Connection, wanted: Collection[int] | None) -> list[int]:
    there = [int(n) for (n,) in connection.execute("SELECT round_number FROM scope_round ORDER BY 1").fetchall()]
    missing = sorted(set(wanted or ()) - set(there))
    if missing:
        raise UnknownRoundError(
            f"There is no round {missing[0]} in the scope; there are: {', '.join(map(str, there))}."
        )
    return there if wanted is None else sorted(set(wanted))

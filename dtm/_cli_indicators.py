"""Answer `dtm indicators`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from dtm._cli_common import HERE, JsonOption, WorkspaceOption, out, print_json, print_table
from dtm._fill_system import release_systems
from dtm.errors import BadInputError, WrongUseError
from dtm.measures import note_words
from dtm.migration_indices import DAYS_PER_YEAR, System, area_indicators, build_systems, system_indices
from dtm.released import open_release
from dtm.table_files import read_table_file, table_file_columns
from dtm.workspace import open_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from dtm.released import Release

INDICES = (
    "crude_migration_intensity_pct", "courgeau_k", "effectiveness_mei", "anmr_pct", "connectivity", "inequality",
    "gini_total", "gini_in", "gini_out", "mean_distance_km",
)  # fmt: skip
"""Indices of the answer, in its order; the others follow under `further`."""
AREA_COLUMNS = (
    "area", "in_persons", "out_persons", "net_persons", "gross_persons", "effectiveness", "in_per_1000", "out_per_1000",
    "net_per_1000", "gross_per_1000", "population", "inside_persons", "gini_in", "gini_out", "herfindahl_in",
    "herfindahl_out",
)  # fmt: skip
AREAS_SHOWN = 30
"""Areas listed on a terminal; `--json` gives all."""
_COUNTS = ("in_persons", "out_persons", "net_persons", "gross_persons", "population", "inside_persons")
_APART = ("diagonal_persons", "abroad_persons", "unknown_persons")
_NAMED = 5
_NOT_SHOWN = ("period", "level", "is_demonstration", "is_provisional")
_PARTLY = ("suppressed", "not_reported")


def indicators_command(  # noqa: PLR0913  the options of the contract
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Moves (CSV, Parquet, XLSX); the workspace's release without one."),
    ] = None,
    *,
    origin: Annotated[str | None, typer.Option(metavar="FIELD", help="Column of the origin.")] = None,
    destination: Annotated[str | None, typer.Option(metavar="FIELD", help="Column of the destination.")] = None,
    persons: Annotated[str | None, typer.Option(metavar="FIELD", help="Column of the persons who moved.")] = None,
    period: Annotated[str | None, typer.Option(metavar="FIELD", help="Column of the period, if there is one.")] = None,
    distance: Annotated[str | None, typer.Option(metavar="FIELD", help="Column of the distance, in km.")] = None,
    population: Annotated[Path | None, typer.Option(metavar="FILE", help="People at risk by area.")] = None,
    area: Annotated[str | None, typer.Option(metavar="FIELD", help="Its column of the area.")] = None,
    at_risk: Annotated[str | None, typer.Option("--at-risk", metavar="FIELD", help="Its column of the people.")] = None,
    days: Annotated[
        float | None, typer.Option(help="Days in a period, to make rates a year's.", show_default="365.25")
    ] = None,
    release_id: Annotated[
        str | None, typer.Option("--release", metavar="ID", help="A release of the workspace.", show_default="current")
    ] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Compute the indices of a system of areas, and the indicators of its areas, from a table of moves.

    Rows of one pair and period are summed; pairs without a row had no moves; moves inside an area, from or to `abroad`
    and `unknown` are counted apart. Without FILE: from the published moves of a release, by round, source and level.
    """
    if file is None:
        named = {
            "--origin": origin, "--destination": destination, "--persons": persons, "--period": period,
            "--distance": distance, "--population": population, "--area": area, "--at-risk": at_risk, "--days": days,
        }  # fmt: skip
        given = [name for name, value in named.items() if value is not None]
        if given:
            raise WrongUseError(f"{', '.join(given)} go with a FILE of moves. Name the file, or leave them out.")
        opened = open_release(open_workspace(workspace), release_id)
        try:
            answers = list(_of_release(opened))
        finally:
            opened.close()
    else:
        if release_id is not None:
            raise WrongUseError("Name a FILE or a --release, not both.")
        length = DAYS_PER_YEAR if days is None else days
        if not (length > 0 and math.isfinite(length)):
            raise WrongUseError(f"--days {days}: a period has more than 0 days.")
        columns = {"origin": origin, "destination": destination, "persons": persons}
        flows = _moves(file, columns, period=period, distance=distance)
        people = _people(population, area=area, at_risk=at_risk, period=period)
        answers = [answer(system, days=length) for system in _systems(flows, people, file=file, population=population)]
    if as_json:
        print_json(answers)
    else:
        for one in answers:
            _show(one)
        if not answers:
            out.print("No system of areas: no moves between two areas or more.")


def answer(system: System, *, days: float = DAYS_PER_YEAR) -> dict[str, Any]:
    """Return what is told of a system: the keys of the contract first, further ones after them."""
    found, notes = system_indices(system)
    whole = all(bool((part == np.floor(part)).all()) for part in (system.persons, system.inside_persons))
    return _answer(system, found, notes, days=days, whole=whole)


def _answer(
    system: System, found: Mapping[str, float], notes: Mapping[str, str], *, days: float, whole: bool
) -> dict[str, Any]:
    areas = area_indicators(system, days=days)[list(AREA_COLUMNS)].to_dict("records")
    told = {
        "period": _period(system.period),
        "n_areas": system.n,
        "movers": _count(found["movers"], whole=whole),
        "population": _count(found["population"], whole=True),
        **{name: found[name] for name in INDICES},
        "areas": [
            {str(key): _count(value, whole=whole or key == "population") if key in _COUNTS else value
             for key, value in row.items()}
            for row in areas
        ],
        **{name: value for name, value in found.items() if name not in {*INDICES, "n_areas", "movers", "population"}},
    }  # fmt: skip
    apart = dict(zip(_APART, (system.inside_persons.sum(), system.abroad_persons, system.unknown_persons), strict=True))
    told |= {name: _count(value, whole=whole) for name, value in apart.items()}
    return {**told, "days": days, "notes": dict(notes)}


def _period(name: str | None) -> str | int | None:
    """Return a period that is a whole number, such as a year, as one."""
    return int(name) if name is not None and name.isascii() and name.isdigit() and str(int(name)) == name else name


def _count(value: float, *, whole: bool) -> float | int:
    return int(value) if whole and math.isfinite(value) and float(value).is_integer() else float(value)


def _moves(file: Path, columns: Mapping[str, str | None], *, period: str | None, distance: str | None) -> pd.DataFrame:
    missing = [f"--{name}" for name, column in columns.items() if column is None]
    if missing:
        there = ", ".join(table_file_columns(file))
        raise WrongUseError(f"{file.name}: give {', '.join(missing)}; its columns are: {there}.")
    text = {name: str(columns[name]) for name in ("origin", "destination")}
    numbers = {"persons": str(columns["persons"])}
    if period is not None:
        text["period"] = period
    if distance is not None:
        numbers["distance_km"] = distance
    ends = ("origin", "destination")
    flows = read_table_file(
        file, text=text, numbers=numbers, areas=ends, nullable=("distance_km",), counts=("persons",), coded=ends
    )
    if flows.empty:
        raise BadInputError(f"{file.name}: there are no moves in it. Give a file with a row a pair of areas.")
    return flows


def _people(file: Path | None, *, area: str | None, at_risk: str | None, period: str | None) -> pd.DataFrame | None:
    if file is None:
        given = [name for name, value in (("--area", area), ("--at-risk", at_risk)) if value is not None]
        if given:
            raise WrongUseError(f"{', '.join(given)} go with --population FILE. Name the file, or leave them out.")
        return None
    there = table_file_columns(file)
    missing = [name for name, value in (("--area", area), ("--at-risk", at_risk)) if value is None]
    if missing or area is None or at_risk is None:
        raise WrongUseError(f"{file.name}: give {', '.join(missing)}; its columns are: {', '.join(there)}.")
    text = {"area": area} if period is None or period not in there else {"area": area, "period": period}
    return read_table_file(file, text=text, numbers={"persons": at_risk}, areas=("area",), counts=("persons",))


def _systems(flows: pd.DataFrame, people: pd.DataFrame | None, *, file: Path, population: Path | None) -> list[System]:
    try:
        systems = build_systems(flows, people)
    except BadInputError as error:
        names = f"{file.name} and {population.name}" if population else file.name
        raise BadInputError(f"{names}: {error}") from error
    for system in systems if population is not None else ():
        told = system.population_persons
        without = [str(system.areas[i]) for i in range(system.n) if told is not None and math.isnan(told[i])]
        if without:
            more = f" and {len(without) - _NAMED} more" if len(without) > _NAMED else ""
            when = f" in {system.period}" if system.period is not None else ""
            raise BadInputError(
                f"{population.name if population else ''}: no people at risk for {', '.join(without[:_NAMED])}{more}"
                f"{when}, which the moves name. Add the areas, or write abroad or unknown in the moves."
            )
    return systems


def _of_release(opened: Release) -> Iterator[dict[str, Any]]:
    """Give the systems of a release; what is hidden in it is null, and said."""
    rounds = opened.table("round").frame.set_index("round_number")["flow_days"]
    for one in release_systems(lambda name, where: opened.table(name, where=where).frame):
        days = float(rounds.astype("float64").get(one.round_number, math.nan))
        notes = {**one.notes, **({} if days > 0 else {"in_per_1000": "no_window"})}
        found = {"n_areas": one.system.n, **one.indices}
        told = _answer(
            one.system, found, notes, days=days if days > 0 else DAYS_PER_YEAR, whole=one.source != "reconciled"
        )
        if one.hidden_pairs or one.statuses["movers"] in _PARTLY:
            told["areas"] = []
            told["notes"]["areas"] = one.notes.get("movers", f"hidden_pairs:{one.hidden_pairs}")
        if not days > 0:
            told["days"] = None
            told["areas"] = [{key: None if key.endswith("per_1000") else value for key, value in row.items()}
                             for row in told["areas"]]  # fmt: skip
        yield {
            **told,
            **dict.fromkeys(_APART),  # moves over the system's border are no part of its pairs
            "period": one.round_number,
            "source": one.source,
            "level": one.level,
            "hidden_pairs": one.hidden_pairs,
            "statuses": one.statuses,
            "release_id": opened.release_id,
            "is_demonstration": opened.is_demonstration,
            "is_provisional": bool(opened.manifest.get("is_provisional")),
        }


def _show(told: Mapping[str, Any]) -> None:
    """Print one period for people."""
    named = [f"{key} {told[key]}" for key in ("period", "source", "level") if told.get(key) is not None]
    marks = [word for key, word in (("is_demonstration", "demonstration data"), ("is_provisional", "provisional"))
             if told.get(key)]  # fmt: skip
    title = ", ".join(["System of areas", *named]) + (f" ({', '.join(marks)})" if marks else "")
    numbers = {key: value for key, value in told.items() if isinstance(value, (int, float)) and key not in _NOT_SHOWN}
    rows = [
        {"index": key, "value": None if math.isnan(value) else value, "note": _words(told["notes"].get(key))}
        for key, value in numbers.items()
    ]
    print_table(rows, title=title)
    columns = ["area", "in_persons", "out_persons", "net_persons", "effectiveness", "in_per_1000", "out_per_1000"]
    if told["areas"]:
        print_table(told["areas"][:AREAS_SHOWN], title="Areas", columns=columns)
    if len(told["areas"]) > AREAS_SHOWN:
        out.print(f"... and {len(told['areas']) - AREAS_SHOWN} more areas; --json lists all.")


def _words(note: str | None) -> str:
    return note_words(note)[0] if note else ""

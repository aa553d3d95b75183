"""Answer `dtm flows`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
import typer

from dtm._cli_common import HERE, JsonOption, WorkspaceOption, out, print_json, print_table, records
from dtm._flow_table_places import REGION, Level
from dtm.errors import WrongUseError
from dtm.exports import export_table
from dtm.flow_table import LEVELS, Flows, read_flows
from dtm.flow_views import COUNTED_SOURCES, view_flows, view_table
from dtm.released import open_release
from dtm.table_files import refuse_overwriting, table_file_columns, write_table_file
from dtm.workspace import open_workspace

if TYPE_CHECKING:
    from dtm.flow_views import FlowView
    from dtm.released import Release

ROWS_SHOWN = 40
"""Rows listed on a terminal; `--json` and `--out` give all."""
PLACES_SHOWN = 5
FORMATS = ("csv", "parquet", "xlsx")
_OPTIONAL = ("--period", "--method")
_BROUGHT = ["period", "origin", "destination", "part", "persons", "status", "method"]
_SHOWN = ["round_number", "source", "level", "origin", "destination", "part", "breakdown", "item", "value", "status"]


def flows_command(  # noqa: PLR0913  the options of the contract
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Moves (CSV, Parquet, XLSX); the workspace's release without one."),
    ] = None,
    *,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source",
            help="arrivals, departures, checkpoint, checkpoint_through, reconciled, imputed (totals of areas alone), "
            "survey_1y, survey_5y or survey_lifetime; several with commas. Sources are never added.",
            show_default="all",
        ),
    ] = None,
    round_number: Annotated[int | None, typer.Option("--round", help="One round.", show_default="all")] = None,
    level: Annotated[
        str | None, typer.Option("--level", help="1, 2, 3 or region; of a FILE also 4.", show_default="all")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="reason, sex, age, registered, distance; several with commas, each by itself."),
    ] = None,
    origin: Annotated[str | None, typer.Option(metavar="FIELD", help="FILE: column of the origin.")] = None,
    destination: Annotated[str | None, typer.Option(metavar="FIELD", help="FILE: column of the destination.")] = None,
    persons: Annotated[str | None, typer.Option(metavar="FIELD", help="FILE: column of the persons.")] = None,
    period: Annotated[str | None, typer.Option(metavar="FIELD", help="FILE: column of the period, if any.")] = None,
    method: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD",
            help="FILE: column of how a figure was made; estimates may have fractions.",
            show_default="method, if there",
        ),
    ] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write CSV or Parquet; of a release XLSX too.")
    ] = None,
    language: Annotated[Literal["en", "mn"], typer.Option(help="Language of the words in --out.")] = "en",
    release_id: Annotated[
        str | None, typer.Option("--release", metavar="ID", help="A release of the workspace.", show_default="current")
    ] = None,
    workspace: WorkspaceOption = HERE,
    as_json: JsonOption = False,
) -> None:
    """Tell who moved from where to where, by source, round, level and breakdown.

    Without FILE: the published moves of a release. `part` says where a move goes: between two areas, inside one, nested
    (it may have stayed inside), abroad, unknown, or total over an area's border. A hidden value is null. With FILE: any
    table of moves between P-codes, rolled up exactly; what `dtm fit` wrote, too.
    """
    given = {"--origin": origin, "--destination": destination, "--persons": persons, "--period": period}
    given["--method"] = method
    wanted = _level(level)
    if file is None:
        _refuse(given, "go with a FILE of moves. Name the file, or leave them out.")
        filters = {"source": _listed(source), "round": round_number, "level": wanted, "by": _listed([by or ""])}
        opened = open_release(open_workspace(workspace), release_id)
        try:
            head, rows = _of_release(opened, filters, out_file=out_file, language=language)
        finally:
            opened.close()
        _answer(head, rows, out_file=out_file, as_json=as_json, columns=_SHOWN)
    else:
        of_release = {"--source": source, "--round": round_number, "--by": by, "--release": release_id}
        _refuse(of_release, "go with a release; a FILE has none of them.")
        head, rows = _of_file(file, given, level=wanted, out_file=out_file)
        _answer(head, rows, out_file=out_file, as_json=as_json, columns=_BROUGHT)


def _of_release(
    release: Release, filters: dict[str, Any], *, out_file: Path | None, language: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what a release tells: the head of the answer, and the rows."""
    ending = None if out_file is None else _format(out_file)
    view = view_flows(
        release,
        sources=filters["source"],
        round_number=filters["round"],
        level=filters["level"],
        by=filters["by"],
    )
    if out_file is not None and ending is not None:
        table = view_table(release, view, language=language)
        export_table(table, format=ending, out=out_file, release=release, language=language)
    head = {
        "release_id": release.release_id,
        "is_demonstration": release.is_demonstration,
        "is_provisional": bool(release.manifest.get("is_provisional")),
        "filters": filters,
        "notes": list(view.notes),
    }
    return head, _rows(view)


def _of_file(
    file: Path, given: dict[str, str | None], *, level: Level | None, out_file: Path | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return what a table tells that was brought: the head of the answer, and the rows."""
    if out_file is not None:
        refuse_overwriting(out_file, file)
    told = _read(file, given)
    flows = told if level is None else told.roll_up(level)
    frame = flows.frame.assign(part=flows.part)[_BROUGHT]
    frame = frame.astype({name: "str" for name in _BROUGHT if name != "persons"})
    if out_file is not None:
        write_table_file(frame, out_file)
    head = {"file": file.name, "filters": {"level": level}, "notes": _levels_told(told), "parts": _parts(frame)}
    return head, records(frame)


def _refuse(given: dict[str, Any], why: str) -> None:
    names = [name for name, value in given.items() if value not in (None, [])]
    if names:
        raise WrongUseError(f"{', '.join(names)} {why}")


def _listed(texts: list[str] | None) -> list[str]:
    return [name for text in texts or [] for part in text.split(",") if (name := part.strip())]


def _level(text: str | None) -> Level | None:
    if text is None or text == REGION:
        return REGION if text else None
    if not (text.isascii() and text.isdigit()):
        raise WrongUseError(
            f"There is no level '{text}'; there are: {', '.join(map(str, reversed(LEVELS[:-1])))}, region."
        )
    return int(text)


def _format(path: Path) -> str:
    ending = path.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise WrongUseError(f"{path}: name a file that ends in {', '.join(f'.{name}' for name in FORMATS)}.")
    return ending


def _read(file: Path, given: dict[str, str | None]) -> Flows:
    missing = [name for name, column in given.items() if column is None and name not in _OPTIONAL]
    if missing:
        there = ", ".join(table_file_columns(file))
        raise WrongUseError(f"{file.name}: give {', '.join(missing)}; its columns are: {there}.")
    named = {name.removeprefix("--"): column for name, column in given.items() if column is not None}
    return read_flows(file, **named)


def _levels_told(flows: Flows) -> list[str]:
    """Warn of places that hold others of the table: a row of sums among its own parts would count people twice."""
    codes = {str(code) for name in ("origin", "destination") for code in flows.frame[name].array.categories}
    above = {code[:length] for code in codes for length in range(len("MN11"), len(code), 2)}
    holding = sorted(codes & above)
    if not holding:
        return []
    shown = ", ".join(holding[:PLACES_SHOWN]) + (" and others" if len(holding) > PLACES_SHOWN else "")
    return [
        f"{shown} hold other places of the table. Their rows are taken as further moves, not as sums of the others."
    ]


def _parts(frame: pd.DataFrame) -> list[dict[str, Any]]:
    sums = frame.groupby(["period", "part", "method"], sort=True)["persons"].agg(lambda part: part.sum(skipna=False))
    return records(sums.reset_index())


def _rows(view: FlowView) -> list[dict[str, Any]]:
    """Return the rows for JSON; what was counted as whole numbers."""
    counted = view.frame["source"].isin(COUNTED_SOURCES).to_numpy()
    rows = records(view.frame)
    for row, is_count in zip(rows, counted, strict=True):
        if is_count and row["value"] is not None:
            row["value"] = int(row["value"])
    return rows


def _answer(
    head: dict[str, Any], rows: list[dict[str, Any]], *, out_file: Path | None, as_json: bool, columns: list[str]
) -> None:
    if as_json:
        written = {} if out_file is None else {"out": str(out_file)}
        print_json({**head, **written, "rows": rows})
        return
    mark = "; demonstration data" if head.get("is_demonstration") else ""
    mark += "; provisional" if head.get("is_provisional") else ""
    origin = f"release {head['release_id']}{mark}" if "release_id" in head else head["file"]
    if out_file is not None:
        out.print(f"Wrote {len(rows):,} rows of {origin} to {out_file}", markup=False)
    else:
        print_table(rows[:ROWS_SHOWN], title=f"Moves ({origin})", columns=columns)
        if len(rows) > ROWS_SHOWN:
            out.print(f"... and {len(rows) - ROWS_SHOWN:,} more; --json or --out gives all.")
    for note in head["notes"]:
        out.print(f"- {note}", markup=False)

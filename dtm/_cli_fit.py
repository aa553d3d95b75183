"""Answer `dtm fit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dtm._cli_common import JsonOption, err, out, print_json, print_table
from dtm._fitting_files import FileFit, MarginFile, Method, fit_file
from dtm.errors import EXIT_FINDINGS
from dtm.fitting import DEFAULT_MAXIMUM_ITERATIONS, DEFAULT_TOLERANCE
from dtm.table_files import refuse_overwriting, write_table_file

SMALL = 1e-3
"""Numbers below it are shown by their power of ten."""


def fit_command(  # noqa: PLR0913  the options of the contract
    file: Annotated[Path, typer.Argument(metavar="SEED_FILE", help="Persons by origin and destination: the seed.")],
    *,
    origin: Annotated[str, typer.Option(metavar="F", help="Column with the origin.")],
    destination: Annotated[str, typer.Option(metavar="F", help="Column with the destination.")],
    persons: Annotated[str, typer.Option(metavar="F", help="Column with the persons, or any weight.")],
    row_margins: Annotated[Path, typer.Option(metavar="FILE", help="Persons by origin: departures.")],
    column_margins: Annotated[Path, typer.Option(metavar="FILE", help="Persons by destination: arrivals.")],
    out_file: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write: .csv or .parquet.")],
    margin_area: Annotated[
        str | None, typer.Option(metavar="F", help="Column of the margin files with the area.", show_default="found")
    ] = None,
    margin_persons: Annotated[
        str | None, typer.Option(metavar="F", help="Column of the margin files with the persons.", show_default="found")
    ] = None,
    row_persons: Annotated[
        str | None, typer.Option(metavar="F", help="The same of the row margins alone.", show_default="found")
    ] = None,
    column_persons: Annotated[
        str | None, typer.Option(metavar="F", help="The same of the column margins alone.", show_default="found")
    ] = None,
    zero_diagonal: Annotated[
        bool, typer.Option("--zero-diagonal", help="Leave out moves whose origin is their destination.")
    ] = False,
    method: Annotated[
        Method, typer.Option(help="Proportional fitting, or the Poisson log-linear model: the same table.")
    ] = "ipf",
    tolerance: Annotated[
        float, typer.Option(min=1e-14, max=0.1, help="Largest error of a margin, as a share of it.")
    ] = DEFAULT_TOLERANCE,
    max_iterations: Annotated[int, typer.Option(min=1, help="Sweeps before giving up.")] = DEFAULT_MAXIMUM_ITERATIONS,
    as_json: JsonOption = False,
) -> None:
    """Fit origin-destination flows to known departures and arrivals; nothing is written unless the margins are met."""
    refuse_overwriting(out_file, file, row_margins, column_margins)
    fitted = fit_file(
        file,
        MarginFile("row", row_margins, margin_area, row_persons or margin_persons, origin, persons),
        MarginFile("column", column_margins, margin_area, column_persons or margin_persons, destination, persons),
        origin=origin,
        destination=destination,
        persons=persons,
        method=method,
        zero_diagonal=zero_diagonal,
        tolerance=tolerance,
        maximum_iterations=max_iterations,
    )
    written = write_table_file(fitted.rows, out_file) if fitted.fit.converged else None
    facts = _facts(fitted, written)
    if as_json:
        print_json(facts)
    else:
        shown = [{"fact": key.replace("_", " "), "value": _word(value)} for key, value in facts.items()]
        print_table(shown, title="Fit")
    if written is None:
        err.print(
            f"dtm: the margins are not met after {fitted.fit.iterations} iterations (off by up to "
            f"{fitted.fit.largest_relative_error:.3g} of a margin); {out_file} was not written. Give more with "
            f"--max-iterations, or a larger --tolerance.",
            markup=False,
            style="red",
        )
        raise typer.Exit(EXIT_FINDINGS)
    if not as_json:
        out.print(f"Wrote {len(fitted.rows):,} rows, marked modelled, to {written}", markup=False)


def _word(value: object) -> object:
    """Return a value as a cell of the table: small errors with their size, lists in a line."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or None
    small = isinstance(value, float) and 0 < abs(value) < SMALL
    return f"{value:.2e}" if small else value


def _facts(fitted: FileFit, written: Path | None) -> dict[str, Any]:
    fit = fitted.fit
    return {
        "method": fit.method,
        "n_rows": fitted.n_origins,
        "n_columns": fitted.n_destinations,
        "iterations": fit.iterations,
        "converged": fit.converged,
        "tolerance": fit.tolerance,
        "largest_absolute_error_persons": fit.largest_absolute_error_persons,
        "largest_relative_error": fit.largest_relative_error,
        "total": fit.total_persons,
        "seed_total": fit.seed_total_persons,
        "deviance": fit.deviance,
        "structural_zeros": fit.structural_zeros,
        "forced_zeros": fit.forced_zeros,
        "origins_without_seed": fitted.origins_without_seed,
        "destinations_without_seed": fitted.destinations_without_seed,
        "out": written,
    }

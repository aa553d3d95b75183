"""Build a whole workspace of demonstration data by the path that real data takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from dtm.enumerators import load_enumerators
from dtm.errors import BadInputError, WrongUseError
from dtm.imports import import_returns
from dtm.places import load_areas, load_layer, load_raster
from dtm.release import build_release
from dtm.rounds import close_round, open_round
from dtm.waivers import open_errors, waive
from dtm.warehouse import open_warehouse
from dtm.workspace import Settings, Workspace, create_workspace
from enumerations.demo import DemoReturns, build_returns
from enumerations.errors import EnumerationsError
from geodata.demo import DemoGeography, Size, build_geography
from geodata.errors import GeodataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dtm.engine import Connection

DEFAULT_SEED = 20_260
"""Seed of the demonstration that `make demo` shows."""
SIZES = ("small", "city", "national")
DEMO_SETTINGS = Settings(
    operation="Demonstration",
    title_en="Population tracking of Ulaanbaatar: demonstration",
    title_mn="Улаанбаатар хотын хүн амын хөдөлгөөний бүртгэл: үзүүлэн",
    is_demonstration=True,
)
VALID_FROM = date(2022, 1, 1)
"""The structure of 204 khoroos is in force from 2022."""
LAYERS_DATED_ON = date(2025, 1, 1)
SIGNED_OFF_AFTER_DAYS = 7
WHO = "demonstration"
"""Nobody signs the demonstration off; its faults were put in on purpose."""
WHY_WAIVED = (
    "Үзүүлэх өгөгдөл: энэ алдааг хэрхэн илрүүлдгийг харуулах гэж зориуд оруулсан. "
    "Demonstration: this fault was put in on purpose, to show how it is found."
)
FILES_FOLDER = "demonstration-files"
"""Folder of the workspace that keeps what was generated, to be looked at or imported by hand."""
MADE_UP_SETS = {1: "demo-city", 2: "demo-districts", 3: "demo-khoroos", 4: "demo-khesegs"}
NATIONAL_SETS = {1: "demo-aimags", 2: "demo-soums", 3: "demo-baghs"}
REAL_SETS = {3: "khoroos", 4: "demo-khesegs-on-khoroos"}
LAYER_NAMES = {
    "ger-area": "demo-ger-areas", "service": "demo-services", "hazard": "demo-flood", "road": "demo-roads",
}  # fmt: skip
RASTER_NAME = "demo-population"


@dataclass(frozen=True)
class _Task:
    """What every step needs."""

    connection: Connection
    workspace: Workspace
    geography: DemoGeography
    sets: dict[int, str]
    tell: Callable[[str, float], None]


def build_demo(
    path: Path,
    *,
    seed: int = DEFAULT_SEED,
    size: str = "city",
    areas: Path | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Workspace:
    """Make a workspace, fill it with demonstration data and build its release.

    Parameters
    ----------
    path : Path
        Folder of the new workspace.
    seed : int
        Seed of all chance; the same seed makes the same places and returns.
    size : {'small', 'city', 'national'}
        12 khoroos, 204 khoroos, or the country's 1,800 baghs and khoroos.
    areas : Path, optional
        Real khoroo polygons to work on in place of made-up ones.
    progress : callable, optional
        Told the step and the share done, 0 to 1.

    Raises
    ------
    WrongUseError
        Unknown size, a size other than city with `areas`, or the folder is a workspace already.
    BadInputError
        `areas` can't be used.
    """
    if size not in SIZES:
        raise WrongUseError(f"--size must be one of {', '.join(SIZES)}, not '{size}'.")
    if areas is not None and size != "city":
        raise WrongUseError("--areas has its own size; leave --size out.")
    tell = progress or _tell_nobody
    workspace = create_workspace(path, settings=DEMO_SETTINGS)
    folder = workspace.path / FILES_FOLDER
    tell("Drawing the areas", 0.0)
    try:
        geography = build_geography(folder / "places", seed=seed, size=_size(size), areas=areas)
        tell("Making up the returns", 0.1)
        returns = build_returns(
            folder / "returns",
            units=geography.units,
            unit_points=geography.unit_points,
            places=geography.places,
            seed=seed,
        )
    except (GeodataError, EnumerationsError) as error:
        raise BadInputError(str(error)) from error
    returns.faults.to_csv(folder / "demonstration-faults.csv", index=False, lineterminator="\n")
    sets = REAL_SETS if areas is not None else NATIONAL_SETS if size == "national" else MADE_UP_SETS
    with open_warehouse(workspace) as connection:
        task = _Task(connection, workspace, geography, sets, tell)
        _load_places(task, is_real=areas is not None)
        load_enumerators(connection, returns.enumerators)
        _import_rounds(task, returns)
        tell("Building the release", 0.75)
        build_release(connection, workspace, progress=_part(tell, start=0.75, end=1.0))
    tell("Done", 1.0)
    return workspace


def _size(size: str) -> Size:
    return "small" if size == "small" else "national" if size == "national" else "city"


def _tell_nobody(step: str, share: float) -> None:
    """Show nothing."""


def _part(tell: Callable[[str, float], None], *, start: float, end: float) -> Callable[[str, float], None]:
    """Fit the progress of one step into its share of the whole."""
    return lambda step, share: tell(step, start + (end - start) * share)


def _load_places(task: _Task, *, is_real: bool) -> None:
    """Load areas from the largest to the smallest, then layers and the raster."""
    geography = task.geography
    parent: str | None = None
    for level in sorted(geography.areas):
        task.tell(f"Loading {task.sets[level]}", 0.25 + 0.03 * level)
        report = load_areas(
            task.connection,
            task.workspace,
            geography.areas[level],
            area_set=task.sets[level],
            level=level,
            valid_from=VALID_FROM,
            parent_set=parent,
            repair=is_real,
            is_demonstration=not (is_real and level < geography.unit_level),
        )
        if report.refused:
            first = report.findings[0].message_en if report.findings else "no reason given"
            raise BadInputError(f"{geography.areas[level]} can't be loaded as level {level}: {first}")
        parent = task.sets[level]
    for kind, path in geography.layers.items():
        load_layer(
            task.connection, task.workspace, path,
            kind=kind, name=LAYER_NAMES[kind], dated_on=LAYERS_DATED_ON, is_demonstration=True,
        )  # fmt: skip
    load_raster(
        task.connection, task.workspace, geography.raster, name=RASTER_NAME, unit="persons", is_demonstration=True
    )


def _import_rounds(task: _Task, returns: DemoReturns) -> None:
    """Open each round and import its files."""
    for plan in returns.rounds:
        task.tell(f"Importing round {plan.number}", 0.4 + 0.35 * (plan.number - 1) / len(returns.rounds))
        open_round(
            task.connection,
            operation=task.workspace.settings.operation,
            number=plan.number,
            started_on=plan.started_on,
            ended_on=plan.ended_on,
            area_set=task.sets[3],
            opened_at=datetime.combine(plan.started_on, time()),
        )
        import_returns(
            task.connection,
            task.workspace,
            returns.files[plan.number],
            round_number=plan.number,
            is_demonstration=True,
        )
        _sign_off(task, plan.number, ended_on=plan.ended_on)


def _sign_off(task: _Task, number: int, *, ended_on: date) -> None:
    """Waive the faults that were put in and sign the round off, on days that the same seed makes the same."""
    ended_at = datetime.combine(ended_on, time())
    signed_at = ended_at + timedelta(days=SIGNED_OFF_AFTER_DAYS)
    operation = task.workspace.settings.operation
    close_round(task.connection, operation=operation, number=number, who=WHO, at=ended_at)
    standing = open_errors(task.connection, operation=operation, number=number)
    if standing:
        waive(
            task.connection,
            operation=operation,
            number=number,
            finding_ids=[error["finding_id"] for error in standing],
            reason=WHY_WAIVED,
            who=WHO,
            at=signed_at,
        )
    close_round(task.connection, operation=operation, number=number, who=WHO, sign_off=True, at=signed_at)

"""Build a release: everything computed, made safe, written beside the old ones and put in place by a rename."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dtm import __version__
from dtm._release_files import write_maps
from dtm._release_rows import describe_tables, write_tables
from dtm.carried import build_carried, carried_inputs
from dtm.density import build_densities
from dtm.disclosure import protect_release
from dtm.engine import transaction
from dtm.errors import NothingToReleaseError, RoundNotSignedOffError, UnknownRoundError
from dtm.estimates import fill_estimates
from dtm.exposure import build_exposure
from dtm.flow_items import build_flow_items
from dtm.flows import build_flows
from dtm.indicators import build_indicators
from dtm.passages import build_passage_days, build_passage_hours
from dtm.released import CURRENT_FILE, DATABASE_FILE, MANIFEST_FILE, RELEASE_FORMAT
from dtm.rounds import RELEASED, SIGNED_OFF, find_round, note_release, sign_off_of
from dtm.scope import Scope, build_coverage, build_scope
from dtm.series_breaks import breaks_table, read_series_breaks
from dtm.stocks import build_stocks
from dtm.survey_release import build_survey
from dtm.vitals import build_vitals

if TYPE_CHECKING:
    from collections.abc import Callable

    from dtm.disclosure import SuppressionSummary
    from dtm.engine import Connection
    from dtm.workspace import Workspace

READ_ONLY_MODE = 0o444
"""Permissions of a release's files: nobody changes what was published."""
_BUILDING = ".building-"
_RECORD_COUNTS = ("rows_read", "rows_accepted", "rows_quarantined", "rows_duplicate")


def _no_progress(step: str, share: float) -> None:
    """Show nothing."""


def build_release(
    connection: Connection,
    workspace: Workspace,
    *,
    last_round: int | None = None,
    provisional: bool = False,
    progress: Callable[[str, float], None] | None = None,
) -> str:
    """Build the release of all rounds up to one and make it the current one.

    A release is known by the hash of what went into it: building it again from the same returns, places, settings
    and code gives the release that is there already. A build that stops half way leaves the current one serving.
    Rounds that were signed off are `released` afterwards; a round that is reopened follows in the next release.

    Parameters
    ----------
    connection
        The warehouse.
    last_round
        The newest round to include; the newest with an accepted return when not given.
    provisional
        Release rounds that nobody has signed off, too; the release then says everywhere that it is provisional.
    progress
        Called with the name of each step and the share done, 0 to 1.

    Returns
    -------
    str
        The release's identifier.

    Raises
    ------
    UnknownRoundError
        There is no such round.
    NothingToReleaseError
        No round has an accepted return.
    RoundNotSignedOffError
        A round of the release is not signed off, and `provisional` was not asked for.
    ReleaseAuditError
        A hidden value could be derived; nothing was published.
    DiskFullError
        The disk filled up; nothing was published.
    """
    tell = progress or _no_progress
    operation = workspace.settings.operation
    number = _last_round(connection, operation, last_round)
    tell("scope", 0.0)
    scope = build_scope(connection, operation=operation, last_round=number)
    states = _states(connection, scope)
    if not provisional:
        _refuse_open_rounds(states)
    inputs = {**_inputs(connection, workspace, scope), "sign_off": states}
    release_id = f"round-{number:02d}-{_sha256(inputs)[:12]}"
    final = workspace.releases_path / release_id
    if not (final / MANIFEST_FILE).exists():
        _compute(connection, scope, tell)
        tell("disclosure", 0.5)
        summary = protect_release(connection, workspace.settings)
        tell("survey", 0.7)
        sampled = build_survey(connection, scope, workspace.settings)
        summary = replace(summary, cells={**summary.cells, **sampled})
        carried = build_carried(connection, scope, workspace, compute=lambda c, s: _compute(c, s, _no_progress))
        scope = replace(scope, notes=(*scope.notes, *carried))
        _remove_leftovers(workspace)
        building = workspace.releases_path / f"{_BUILDING}{uuid.uuid4().hex}"
        building.mkdir(parents=True)
        try:
            _write(connection, workspace, scope, building, release_id, inputs, summary, tell)
            _sync(building)
            building.rename(final)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
        _log(connection, release_id, number, final)
    with transaction(connection):
        note_release(connection, operation=operation, numbers=scope.rounds, release_id=release_id)
    _point_at(workspace, release_id)
    tell("done", 1.0)
    return release_id


def _last_round(connection: Connection, operation: str, wanted: int | None) -> int:
    """Return the round to release, which must have an accepted return."""
    rows = connection.execute(
        "SELECT r.number, count(s.submission_id) FROM round r LEFT JOIN submission s ON s.round_number = r.number "
        "WHERE r.operation = ? GROUP BY 1 ORDER BY 1",
        [operation],
    ).fetchall()
    known = dict(rows)
    if wanted is not None and wanted not in known:
        opened = ", ".join(str(number) for number in known) or "none"
        raise UnknownRoundError(f"There is no round {wanted}; open rounds: {opened}. See `dtm round list`.")
    reported = [number for number, returns in rows if returns and (wanted is None or number == wanted)]
    if not reported:
        which = f"Round {wanted} has" if wanted is not None else "The rounds have"
        raise NothingToReleaseError(f"{which} no accepted return. Import some with `dtm returns import FILE`.")
    return int(reported[-1])


def _states(connection: Connection, scope: Scope) -> list[dict[str, Any]]:
    """Return the state of each round: whether it is signed off, by whom and when, and the waivers that hold.

    Being released is no other state than being signed off: it must not make another release of the same rounds.
    """
    states = []
    for number in scope.rounds:
        status = find_round(connection, operation=scope.operation, number=number).status
        signed = sign_off_of(connection, operation=scope.operation, number=number)
        waivers = connection.execute(
            "SELECT count(DISTINCT finding_id) FROM waiver WHERE round_number = ? AND withdrawn_at IS NULL", [number]
        ).fetchone()
        states.append(
            {
                "round": number,
                "state": SIGNED_OFF if status == RELEASED else status,
                "signed_off_by": signed[0] if signed else None,
                "signed_off_at": signed[1].isoformat(timespec="seconds") if signed else None,
                "waivers": int(waivers[0]) if waivers else 0,
            }
        )
    return states


def _refuse_open_rounds(states: list[dict[str, Any]]) -> None:
    still_open = [state for state in states if state["state"] != SIGNED_OFF]
    if not still_open:
        return
    words = ", ".join(f"{state['round']} ({state['state']})" for state in still_open)
    first = still_open[0]["round"]
    before = [state["round"] for state in states if state["round"] < first]
    older = f" Without it: dtm release --round {before[-1]}." if before else ""
    raise RoundNotSignedOffError(
        f"Not signed off: round {words}. See what stands against it: dtm round status --round {first}; end the "
        f"collection and sign off with dtm round close --round {first} --sign-off --who NAME.{older} To release it "
        "all the same, marked as provisional: dtm release --provisional."
    )


def _compute(connection: Connection, scope: Scope, tell: Callable[[str, float], None]) -> None:
    """Make the full tables, from full data; nothing of them leaves the warehouse's connection."""
    steps = (
        ("coverage", build_coverage),
        ("stocks", build_stocks),
        ("flows", build_flows),
        ("flow items", build_flow_items),
        ("vitals", build_vitals),
        ("checkpoints", build_passage_days),
        ("hours", build_passage_hours),
        ("indicators", build_indicators),
        ("densities", build_densities),
        ("exposure", build_exposure),
    )
    for position, (name, build) in enumerate(steps):
        tell(name, 0.05 + 0.45 * position / len(steps))
        build(connection, scope)


def _inputs(connection: Connection, workspace: Workspace, scope: Scope) -> dict[str, Any]:
    """Return what the release is made from, as facts that a hash can hold."""

    def rows(sql: str, *values: object) -> list[dict[str, Any]]:
        cursor = connection.execute(sql, list(values))
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, map(_plain, row), strict=True)) for row in cursor.fetchall()]

    settings = workspace.settings
    return {
        "last_round": scope.last_round,
        "rounds": rows(
            "SELECT round_number, started_on, ended_on, area_set, area_set_version FROM scope_round ORDER BY 1"
        ),
        "carried": carried_inputs(connection, scope),
        "returns": rows(
            "SELECT file_name, file_sha256, form, round_number, is_demonstration FROM import WHERE rows_accepted > 0 "
            "AND (round_number IS NULL OR round_number <= ?) ORDER BY file_sha256, form, import_id",
            scope.last_round,
        ),
        # Over all files, to the nearest ten: the records of one khoroo's file would be a count of its moves, and those
        # of the checkpoints less the published vehicles a count of the hidden ones.
        "records": rows(
            f"SELECT form, {', '.join(f'round(sum({name})::BIGINT, -1)::BIGINT AS {name}' for name in _RECORD_COUNTS)} "
            "FROM import WHERE round_number IS NULL OR round_number <= ? GROUP BY form ORDER BY form",
            scope.last_round,
        ),
        "area_sets": rows(
            "SELECT area_set, version, level, valid_from, valid_to, n_areas, crs, file_name, file_sha256, "
            "is_demonstration FROM area_set QUALIFY (area_set = ? AND version = ?) OR (area_set <> ? AND "
            "row_number() OVER (PARTITION BY area_set ORDER BY version DESC) = 1) ORDER BY level, area_set",
            scope.area_set,
            scope.area_set_version,
            scope.area_set,
        ),
        "layers": rows(
            "SELECT name, version, kind, dated_on, file_name, file_sha256, is_demonstration FROM layer "
            "QUALIFY row_number() OVER (PARTITION BY name ORDER BY version DESC) = 1 ORDER BY name"
        ),
        "rasters": rows(
            "SELECT name, version, unit, file_name, file_sha256, is_demonstration FROM raster "
            "QUALIFY row_number() OVER (PARTITION BY name ORDER BY version DESC) = 1 ORDER BY name"
        ),
        "series_breaks": [
            {key: _plain(value) for key, value in asdict(one).items()} for one in read_series_breaks(workspace.path)
        ],
        "edits": rows("SELECT count(*) AS edits, max(edited_at) AS last_edit FROM cleaning_log"),
        "parameters": {
            "threshold_persons": settings.threshold_persons,
            "threshold_households": settings.threshold_households,
            "minimum_denominator_persons": settings.minimum_denominator_persons,
            "operation": settings.operation,
            "title_en": settings.title_en,
            "title_mn": settings.title_mn,
            "is_demonstration": settings.is_demonstration,
        },
        "code": {"version": __version__, "sha256": _code_sha256(), "release_format": RELEASE_FORMAT},
    }


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def _sha256(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@cache
def _code_sha256() -> str:
    """Return a hash over the source of the packages that make the numbers, as a process first found it."""
    digest = hashlib.sha256()
    root = Path(__file__).resolve().parents[1]
    for package in ("dtm", "geodata", "enumerations"):
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _write(
    connection: Connection,
    workspace: Workspace,
    scope: Scope,
    folder: Path,
    release_id: str,
    inputs: dict[str, Any],
    summary: SuppressionSummary,
    tell: Callable[[str, float], None],
) -> None:
    tell("tables", 0.75)
    breaks = breaks_table(read_series_breaks(workspace.path))
    write_tables(connection, scope, folder / DATABASE_FILE, breaks=breaks)
    tell("estimates", 0.8)
    fill_estimates(folder / DATABASE_FILE)
    tell("maps", 0.85)
    write_maps(connection, workspace, folder)
    content = describe_tables(folder / DATABASE_FILE)
    is_demonstration = workspace.settings.is_demonstration or any(
        row["is_demonstration"] for kind in ("returns", "area_sets", "layers", "rasters") for row in inputs[kind]
    )
    errors, warnings = connection.execute(
        "SELECT count(*) FILTER (severity = 'error'), count(*) FILTER (severity = 'warning') FROM finding "
        "WHERE round_number IS NULL OR round_number <= ?",
        [scope.last_round],
    ).fetchone() or (0, 0)
    manifest = {
        "release_id": release_id,
        "built_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "title_en": workspace.settings.title_en,
        "title_mn": workspace.settings.title_mn,
        "is_demonstration": is_demonstration,
        "operation": scope.operation,
        "last_round": scope.last_round,
        "area_set": scope.area_set,
        "area_set_version": scope.area_set_version,
        "finest_level": scope.finest_level,
        "inputs": inputs,
        "notes": list(scope.notes),
        "checks": {"errors_quarantined": errors, "warnings": warnings, "disclosure_audit": "passed"},
        "is_provisional": any(state["state"] != SIGNED_OFF for state in inputs["sign_off"]),
        "signed_off_by": inputs["sign_off"][-1]["signed_off_by"],
        "rounds": inputs["sign_off"],
        "suppression": summary.to_manifest(),
        "tables": content,
        "content_sha256": _sha256(content),
    }
    (folder / MANIFEST_FILE).write_text(
        json.dumps(manifest, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8"
    )


def _sync(folder: Path) -> None:
    """Close the files to writing, and make sure the bytes are on the disk before the rename says so."""
    for path in [*folder.rglob("*"), folder]:
        if path.is_file():
            path.chmod(READ_ONLY_MODE)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _log(connection: Connection, release_id: str, number: int, folder: Path) -> None:
    content = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))["content_sha256"]
    with transaction(connection):
        connection.execute("DELETE FROM suppression_log WHERE release_id = ?", [release_id])
        connection.execute("DELETE FROM release WHERE release_id = ?", [release_id])
        connection.execute(
            "INSERT INTO release VALUES (?, ?, ?, ?)",
            [release_id, datetime.now(UTC).replace(tzinfo=None), number, content],
        )
        connection.execute(
            "INSERT INTO suppression_log SELECT ?, table_name, cell, rule FROM safe_suppression_log", [release_id]
        )


def _point_at(workspace: Workspace, release_id: str) -> None:
    partial = workspace.releases_path / f".{CURRENT_FILE}-{uuid.uuid4().hex}"
    partial.write_text(release_id + "\n", encoding="utf-8")
    partial.replace(workspace.releases_path / CURRENT_FILE)


def _remove_leftovers(workspace: Workspace) -> None:
    for path in workspace.releases_path.glob(f"{_BUILDING}*"):
        shutil.rmtree(path, ignore_errors=True)

"""Tell each khoroo what it sent, what was corrected and why, and what could not be used: a page to print."""

from __future__ import annotations

import shutil
import uuid
from typing import TYPE_CHECKING, Any

from dtm._area_names import area_names
from dtm._feedback_page import LANGUAGES, render_page
from dtm._round_findings import build_placed_findings
from dtm.coverage import UTC_OFFSET_HOURS, build_round_coverage, local_today, rows_of
from dtm.errors import WrongUseError
from dtm.finding_words import column_words, message_words, value_words
from dtm.messages import message
from dtm.rounds import find_round
from dtm.scope import BASELINE_FORM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from pathlib import Path

    from dtm.engine import Connection
    from dtm.rounds import Round
    from dtm.workspace import Workspace

PRIVATE_FIELDS = ("remarks", "enumerator")
"""Columns that may tell of a person: nothing of them is ever printed."""
PLACE_FIELDS = ("unit", "district", "khoroo", "kheseg")
WAITING = "parent_quarantined"
"""Finding on a move whose return was set aside: it is told once, with the return."""
TOLD_ELSEWHERE = ("unit_missing",)
"""Findings that the table of what was sent tells already."""


def feedback_page(
    connection: Connection,
    workspace: Workspace,
    *,
    number: int,
    pcode: str,
    language: str,
    today: date | None = None,
) -> str:
    """Return the page of one khoroo, a self-contained HTML document.

    It tells of this khoroo alone, and neither remarks nor who sent or decided anything.

    Raises
    ------
    UnknownRoundError
        The round was never opened.
    WrongUseError
        The khoroo is not of the round's areas, or the language is unknown.
    """
    found = _prepare(connection, workspace, number, language)
    _check_khoroos(connection, found, [pcode])
    return _page(connection, workspace, found, pcode, language, today or local_today())


def write_feedback(
    connection: Connection,
    workspace: Workspace,
    *,
    number: int,
    folder: Path,
    khoroos: Sequence[str] | None = None,
    language: str = "mn",
    today: date | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> list[str]:
    """Write a page for each khoroo into a new folder, `P-CODE.html`; all of them or none. Return the files' names.

    Raises
    ------
    UnknownRoundError
        The round was never opened.
    WrongUseError
        The folder is there already, a khoroo is not of the round's areas, or the language is unknown.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WrongUseError(f"{folder} is there already; name a new folder with --out DIR.")
    found = _prepare(connection, workspace, number, language)
    chosen = sorted(set(khoroos)) if khoroos else _areas_of(connection, found)
    _check_khoroos(connection, found, chosen)
    partial = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}.partial")
    partial.mkdir(parents=True)
    try:
        for position, pcode in enumerate(chosen):
            if progress:
                progress(pcode, position / len(chosen))
            page = _page(connection, workspace, found, pcode, language, today or local_today())
            (partial / f"{pcode}.html").write_text(page, encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return [f"{pcode}.html" for pcode in chosen]


def _prepare(connection: Connection, workspace: Workspace, number: int, language: str) -> Round:
    if language not in LANGUAGES:
        raise WrongUseError(message("feedback_language", known=", ".join(LANGUAGES), language=language))
    operation = workspace.settings.operation
    found = find_round(connection, operation=operation, number=number)
    build_round_coverage(connection, operation=operation, number=number)
    build_placed_findings(connection, number)
    return found


def _areas_of(connection: Connection, found: Round) -> list[str]:
    rows = connection.execute(
        "SELECT pcode FROM area WHERE area_set = ? AND version = ? ORDER BY 1", [found.area_set, found.area_set_version]
    ).fetchall()
    return [str(pcode) for (pcode,) in rows]


def _check_khoroos(connection: Connection, found: Round, wanted: Sequence[str]) -> None:
    known = set(_areas_of(connection, found))
    unknown = [pcode for pcode in wanted if pcode not in known]
    if unknown:
        raise WrongUseError(message("feedback_area", pcode=unknown[0], number=found.number, area_set=found.area_set))


def _page(connection: Connection, workspace: Workspace, found: Round, pcode: str, language: str, today: date) -> str:
    units = rows_of(
        connection, "SELECT unit_pcode, received FROM round_unit WHERE area_pcode = $pcode ORDER BY 1", {"pcode": pcode}
    )
    findings = _findings(connection, pcode, language)
    return render_page(
        {
            "number": found.number,
            "first": found.started_on.isoformat(),
            "last": found.ended_on.isoformat(),
            "status": found.status,
            "is_demonstration": _is_demonstration(connection, workspace, found),
            "made_on": today.isoformat(),
            "pcode": pcode,
            "expected": len(units),
            "received": sum(unit["received"] for unit in units),
            "sent": _sent(connection, found, pcode),
            "corrected": _corrected(connection, pcode, language),
            "unusable": [
                row
                for row in findings
                if row["severity"] == "error" and (row["state"] == "open" or row["is_set_aside"])
            ],
            "check": [row for row in findings if row["state"] == "open" and row["severity"] == "warning"],
            "waived": [row for row in findings if row["state"] == "waived"],
        },
        area_names(connection, {pcode, pcode[:-2], *(unit["unit_pcode"] for unit in units)}),
        language=language,
    )


def _stops(finding: dict[str, Any]) -> bool:
    """Say whether a record could not be used: a waiver lets the error stand, it doesn't bring the record back."""
    return finding["state"] == "open" or bool(finding["is_set_aside"])


def _is_demonstration(connection: Connection, workspace: Workspace, found: Round) -> bool:
    row = connection.execute(
        "SELECT EXISTS (FROM import WHERE is_demonstration AND coalesce(named_round, round_number) = ?) "
        "OR EXISTS (FROM area_set WHERE is_demonstration AND area_set = ? AND version = ?)",
        [found.number, found.area_set, found.area_set_version],
    ).fetchone()
    return workspace.settings.is_demonstration or bool(row and row[0])


def _sent(connection: Connection, found: Round, pcode: str) -> list[dict[str, Any]]:
    """Return a row for each expected unit and each further return: its day, its state and its figures."""
    return rows_of(
        connection,
        f"""
        WITH own AS (
            SELECT r.pcode AS unit, s.submission_id, (s.received_at + INTERVAL {UTC_OFFSET_HOURS} HOUR)::DATE AS day
            FROM round_record r JOIN submission s ON s.import_id = r.import_id
                AND s.sheet IS NOT DISTINCT FROM r.sheet AND s.row_number = r.row_number
            WHERE r.is_return AND NOT r.is_set_aside AND r.form = $form AND starts_with(r.pcode, $pcode)
        ), figure AS (
            SELECT submission_id,
                max(households) FILTER (category = 'registered') AS registered_households,
                max(persons) FILTER (category = 'registered') AS registered_persons,
                max(households) FILTER (category = 'actual') AS actual_households,
                max(persons) FILTER (category = 'actual') AS actual_persons
            FROM stock WHERE dwelling IS NULL GROUP BY 1
        ), moved AS (
            SELECT submission_id, sum(persons) FILTER (direction = 'arrival')::BIGINT AS arrivals_persons,
                sum(persons) FILTER (direction = 'departure')::BIGINT AS departures_persons
            FROM movement WHERE round_number = $number GROUP BY 1
        ), aside AS (
            SELECT DISTINCT pcode AS unit FROM round_record
            WHERE is_return AND is_set_aside AND form = $form AND starts_with(pcode, $pcode)
        ), unit AS (
            SELECT unit_pcode AS unit FROM round_unit WHERE area_pcode = $pcode UNION SELECT unit FROM own
            UNION SELECT unit FROM aside
        )
        SELECT u.unit, o.day, CASE WHEN o.submission_id IS NOT NULL THEN 'received' WHEN a.unit IS NOT NULL
            THEN 'set_aside' ELSE 'not_received' END AS state,
            f.* EXCLUDE (submission_id), m.* EXCLUDE (submission_id)
        FROM unit u LEFT JOIN own o USING (unit) LEFT JOIN aside a USING (unit)
        LEFT JOIN figure f USING (submission_id) LEFT JOIN moved m USING (submission_id)
        ORDER BY u.unit, o.day NULLS LAST
        """,
        {"form": BASELINE_FORM, "pcode": pcode, "number": found.number},
    )


def _corrected(connection: Connection, pcode: str, language: str) -> list[dict[str, Any]]:
    """Return the edits that hold, on records of the khoroo, in words; those that were taken back are left out."""
    rows = rows_of(
        connection,
        """
        SELECT r.pcode AS unit, r.form, c.field, c.old, c.new, c.reason, c.edited_at::DATE AS day
        FROM cleaning_log c JOIN (SELECT DISTINCT import_id, sheet, row_number, pcode, form FROM round_record) r
            ON r.import_id = c.import_id AND r.sheet = c.sheet AND r.row_number = c.row_number
        WHERE starts_with(r.pcode, $pcode) AND c.undoes IS NULL
            AND NOT EXISTS (FROM cleaning_log u WHERE u.undoes = c.edit_id)
        ORDER BY r.pcode, c.edit_id
        """,
        {"pcode": pcode},
    )
    told = []
    for row in rows:
        if row["field"] in PRIVATE_FIELDS:
            continue
        values: dict[str, Any] = {}
        for side in ("old", "new"):
            is_other = row["field"] in PLACE_FIELDS and row[side] and not str(row[side]).startswith(pcode)
            values[side] = None if is_other else value_words(row["form"], row["field"], row[side], language)
            values[f"{side}_elsewhere"] = bool(is_other)
        told.append({**row, **values, "question": column_words(row["form"], row["field"], language)})
    return told


def _findings(connection: Connection, pcode: str, language: str) -> list[dict[str, Any]]:
    """Return the findings on the khoroo and its units in words, one row each; moves that wait only as a number."""
    rows = rows_of(
        connection,
        """
        SELECT p.pcode AS unit, p.severity, p.code, p.stage, p.field, p.message_mn, p.message_en, p.state,
            p.waived_reason AS reason, p.instance_id, p.is_set_aside, r.form
        FROM placed_finding p LEFT JOIN (
            SELECT import_id, sheet, row_number, any_value(form) AS form FROM round_record GROUP BY ALL
        ) r ON r.import_id = p.import_id AND r.sheet IS NOT DISTINCT FROM p.sheet AND r.row_number = p.row_number
        WHERE starts_with(p.pcode, $pcode) ORDER BY p.pcode, p.severity, p.code, p.row_number, p.field
        """,
        {"pcode": pcode},
    )
    told: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        private = any(name in PRIVATE_FIELDS for name in (row["field"] or "").split(", "))
        if private or row["code"] in TOLD_ELSEWHERE:
            continue
        text = None if row["code"] == WAITING else message_words(row, language)
        of_return = row["instance_id"] if text is None else None
        key = (row["unit"], row["state"], row["severity"], row["code"], text, row["reason"], of_return)
        told.setdefault(key, {**row, "text": text, "count": 0})["count"] += 1
    return list(told.values())

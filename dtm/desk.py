"""Serve the round desk: everything a page for analysts asks for, each call with the warehouse open for itself alone."""

from __future__ import annotations

import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import shapely

from dtm._review_states import APPROVED, REJECTED, review_edits
from dtm._round_findings import list_findings
from dtm.coverage import coverage_report, progress_frame
from dtm.errors import WrongUseError
from dtm.feedback import feedback_page
from dtm.finding_words import in_words
from dtm.imports import import_returns
from dtm.messages import message
from dtm.round_status import round_overview, round_status
from dtm.rounds import CLEANING, SIGNED_OFF, close_round, find_round, reopen_round
from dtm.waivers import unwaive, waive
from dtm.warehouse import open_warehouse
from geodata.simplify import simplify_coverage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from dtm.cleaning import Edit
    from dtm.engine import Connection
    from dtm.workspace import Workspace

SCREEN_TOLERANCE_M = 15.0
"""Borders on the desk's map may lie this far from the true ones."""
_LOCK = threading.RLock()
"""One call at a time in this process; other processes are kept out by the file's own lock."""


class Desk:
    """The round desk of a workspace.

    Every method opens the warehouse, does one thing and closes it, so that the command line can be used beside it.
    While another process holds the warehouse a call raises `WarehouseBusyError`; nothing is changed by it.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._shapes: dict[tuple[str, int], gpd.GeoDataFrame] = {}

    @property
    def operation(self) -> str:
        """Return the name of the operation."""
        return self.workspace.settings.operation

    @contextmanager
    def _open(self, *, spatial: bool = False) -> Iterator[Connection]:
        with _LOCK:
            connection = open_warehouse(self.workspace, spatial=spatial)
            try:
                yield connection
            finally:
                connection.close()

    def rounds(self) -> list[dict[str, Any]]:
        """Return a row for each round, see `dtm.round_status.round_overview`."""
        with self._open() as connection:
            return round_overview(connection, operation=self.operation)

    def status(self, number: int) -> dict[str, Any]:
        """Return what `dtm round status --json` prints, see `dtm.round_status.round_status`."""
        with self._open() as connection:
            status = round_status(connection, operation=self.operation, number=number)
        for row in status["findings"]:
            row["example_mn"] = _in_mongolian(row["example_mn"], row["subject"], row["example_field"])
        return status

    def areas(self, number: int) -> gpd.GeoDataFrame:
        """Return the round's areas, simplified for screens, with units expected and received and open errors.

        Columns pcode, name_mn, name_en, parent, units_expected, units_received, errors_open; WGS84.
        """
        with self._open() as connection:
            found = find_round(connection, operation=self.operation, number=number)
            told = coverage_report(connection, operation=self.operation, number=number)["by_khoroo"]
            key = (found.area_set, found.area_set_version)
            if key not in self._shapes:
                self._shapes[key] = _read_shapes(connection, *key)
            shapes = self._shapes[key]
        by_pcode = {row["pcode"]: row for row in told}
        frame = shapes.copy()
        for name in ("name_mn", "name_en", "units_expected", "units_received", "errors_open"):
            frame[name] = [by_pcode[pcode][name] for pcode in frame["pcode"]]
        frame["parent"] = frame["pcode"].str[:-2]
        return frame

    def progress(self, number: int) -> pd.DataFrame:
        """Return a row for each day of collection: day, returns, units, cumulative_units, expected_units."""
        with self._open() as connection:
            return progress_frame(connection, operation=self.operation, number=number)

    def findings(
        self,
        number: int,
        *,
        severity: str | None = None,
        code: str | None = None,
        pcode: str | None = None,
        state: str | None = "open",
        offset: int = 0,
        limit: int = 200,
    ) -> tuple[pd.DataFrame, int]:
        """Return a page of findings and how many there are in all, see `dtm._round_findings.list_findings`.

        The Mongolian messages name columns by their meaning; `field` has the column's own name.
        """
        with self._open() as connection:
            find_round(connection, operation=self.operation, number=number)
            frame, total = list_findings(
                connection, number, severity=severity, code=code, pcode=pcode, state=state, offset=offset, limit=limit
            )
        told = zip(frame["message_mn"], frame["subject"], frame["field"], strict=True)
        return frame.assign(message_mn=[_in_mongolian(*one) for one in told]), total

    def waive(self, number: int, finding_ids: Sequence[str], *, reason: str, who: str) -> int:
        """Let findings stand; return how many were not waived before."""
        with self._open() as connection:
            return waive(
                connection, operation=self.operation, number=number, finding_ids=finding_ids, reason=reason, who=who
            )

    def take_back(self, number: int, finding_ids: Sequence[str], *, who: str) -> int:
        """Take waivers back; return how many there were."""
        with self._open() as connection:
            return unwaive(connection, operation=self.operation, number=number, finding_ids=finding_ids, who=who)

    def accept(self, records: Sequence[str], *, reason: str, who: str) -> dict[str, Any]:
        """Mark returns as approved, by the names of their records; return the report of the edits."""
        return self._review(records, APPROVED, reason=reason, who=who)

    def reject(self, records: Sequence[str], *, reason: str, who: str) -> dict[str, Any]:
        """Mark returns as rejected: they are set aside and counted no more; return the report of the edits."""
        return self._review(records, REJECTED, reason=reason, who=who)

    def _review(self, records: Sequence[str], state: str, *, reason: str, who: str) -> dict[str, Any]:
        from dtm.cleaning import apply_edits  # noqa: PLC0415  the desk reads without it

        with self._open(spatial=True) as connection:
            edits = review_edits(connection, records, state, reason=reason, who=who)
            return _told(apply_edits(connection, self.workspace, edits).to_dict())

    def edit(self, edits: Sequence[Edit]) -> dict[str, Any]:
        """Correct values; refused where the value before is not what is there. Return the report of the edits."""
        from dtm.cleaning import apply_edits  # noqa: PLC0415  the desk reads without it

        with self._open(spatial=True) as connection:
            return _told(apply_edits(connection, self.workspace, list(edits)).to_dict())

    def upload(self, name: str, content: bytes, *, number: int | None) -> dict[str, Any]:
        """Import a file of returns as `dtm returns import` does; return its report.

        Raises
        ------
        WrongUseError
            The name is not a file's, or the round is closed.
        EnumerationsError
            The file can't be read; nothing was changed.
        """
        plain = Path(name.replace("\\", "/")).name
        if plain in ("", ".", "..") or "\0" in plain:
            raise WrongUseError(message("upload_name", name=name))
        with self._open(spatial=True) as connection, tempfile.TemporaryDirectory(prefix="dtm-upload-") as folder:
            path = Path(folder) / plain
            path.write_bytes(content)
            return import_returns(connection, self.workspace, [path], round_number=number).to_dict()

    def template(self, number: int, *, language: str) -> bytes:
        """Return the cleaning sheet of a round as a workbook, see `dtm.cleaning.write_template`."""
        from dtm.cleaning import write_template  # noqa: PLC0415  the desk reads without it

        with self._open(spatial=True) as connection, tempfile.TemporaryDirectory(prefix="dtm-template-") as folder:
            find_round(connection, operation=self.operation, number=number)
            path = Path(folder) / "template.xlsx"
            write_template(connection, path, workspace=self.workspace, round_number=number, language=language)
            return path.read_bytes()

    def feedback(self, number: int, pcode: str, *, language: str) -> str:
        """Return the feedback page of a khoroo as HTML, see `dtm.feedback.feedback_page`."""
        with self._open() as connection:
            return feedback_page(connection, self.workspace, number=number, pcode=pcode, language=language)

    def close(self, number: int, *, to: str, who: str, reason: str | None = None) -> dict[str, Any]:
        """Move a round on to `cleaning` or `signed_off`; return number and status.

        Raises
        ------
        WrongUseError
            `to` is another state, or the round is not in the one before it.
        OpenErrorsError
            Errors stand; `findings` has them.
        """
        if to not in (CLEANING, SIGNED_OFF):
            raise WrongUseError(message("step_unknown", cleaning=CLEANING, signed_off=SIGNED_OFF, to=to))
        with self._open() as connection:
            found = close_round(
                connection,
                operation=self.operation,
                number=number,
                who=who,
                reason=reason,
                sign_off=to == SIGNED_OFF,
            )
        return {"number": found.number, "status": found.status}

    def reopen(self, number: int, *, who: str, reason: str) -> dict[str, Any]:
        """Take a round back to cleaning; return number and status."""
        with self._open() as connection:
            found = reopen_round(connection, operation=self.operation, number=number, who=who, reason=reason)
        return {"number": found.number, "status": found.status}


def _in_mongolian(message: str | None, form: str | None, field: str | None) -> str:
    return in_words(message or "", form=form, field=field, language="mn")


def _told(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report of edits whose findings name columns by their meaning in Mongolian."""
    for finding in report["findings"]:
        finding["message_mn"] = _in_mongolian(finding["message_mn"], None, finding["field"])
    return report


def _read_shapes(connection: Connection, area_set: str, version: int) -> gpd.GeoDataFrame:
    rows = connection.execute(
        "SELECT pcode, ST_AsWKB(geometry) FROM area WHERE area_set = ? AND version = ? ORDER BY pcode",
        [area_set, version],
    ).fetchall()
    geometry = shapely.from_wkb([bytes(wkb) for _, wkb in rows])
    areas = gpd.GeoDataFrame({"pcode": [pcode for pcode, _ in rows]}, geometry=list(geometry), crs="EPSG:4326")
    return simplify_coverage(areas, tolerance_m=SCREEN_TOLERANCE_M)

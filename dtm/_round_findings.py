"""List the findings of a round with their place, their return and whether they were waived."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from dtm._area_names import area_names
from dtm._round_records import FINDINGS_OF_ROUND, RECORD, build_round_records

if TYPE_CHECKING:
    from dtm.engine import Connection

PLACED_FINDINGS = "SELECT * FROM placed_finding"
"""SQL of the findings that `build_placed_findings` made."""

COLUMNS = (
    "finding_id", "severity", "code", "stage", "subject", "record", "file_name", "pcode", "district_mn", "district_en",
    "khoroo_mn", "khoroo_en", "instance_id", "field", "value", "message_en", "message_mn", "state", "waived_reason",
    "waived_who",
)  # fmt: skip


DISTRICT_LENGTH, KHOROO_LENGTH = 6, 8
"""Characters of a district's and of a khoroo's P-code."""


def build_placed_findings(connection: Connection, number: int) -> None:
    """Make TEMP TABLE `placed_finding`: the round's findings, each with its record, return and unit's P-code.

    Builds `round_record` too.
    """
    build_round_records(connection, number)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE placed_finding AS
        SELECT f.* REPLACE (coalesce(f.pcode, r.pcode) AS pcode), r.instance_id, r.enumerator,
            coalesce(r.is_set_aside, false) AS is_set_aside,
            {RECORD} AS record
        FROM ({FINDINGS_OF_ROUND}) f
        LEFT JOIN (
            FROM round_record QUALIFY row_number() OVER (
                PARTITION BY import_id, sheet, row_number ORDER BY is_set_aside DESC, is_return DESC) = 1
        ) r ON r.import_id = f.import_id AND r.sheet IS NOT DISTINCT FROM f.sheet AND r.row_number = f.row_number
        """,
        {"number": number},
    )


def list_findings(
    connection: Connection,
    number: int,
    *,
    severity: str | None = None,
    code: str | None = None,
    pcode: str | None = None,
    state: str | None = "open",
    offset: int = 0,
    limit: int | None = None,
) -> tuple[pd.DataFrame, int]:
    """Return a page of the round's findings, errors first, and how many there are in all.

    Parameters
    ----------
    severity, code, state
        Only these; None for all. `state` is open or waived.
    pcode
        Only this area and what lies in it.
    """
    build_placed_findings(connection, number)
    where = (
        "($severity::VARCHAR IS NULL OR severity = $severity) AND ($code::VARCHAR IS NULL OR code = $code) AND "
        "($pcode::VARCHAR IS NULL OR starts_with(pcode, $pcode)) AND ($state::VARCHAR IS NULL OR state = $state)"
    )
    values = {"severity": severity, "code": code, "pcode": pcode, "state": state}
    total = connection.execute(f"SELECT count(*) FROM placed_finding WHERE {where}", values).fetchone()
    frame = connection.execute(
        f"""
        SELECT * FROM placed_finding WHERE {where}
        ORDER BY severity, code, import_id NULLS LAST, sheet, row_number, pcode, field, finding_id
        LIMIT $limit OFFSET $offset
        """,
        {**values, "limit": 2**31 if limit is None else limit, "offset": offset},
    ).df()
    frame = frame.astype(object).where(frame.notna(), None)
    codes = [code or "" for code in frame["pcode"]]
    names = area_names(connection, {code[:length] for code in codes for length in (DISTRICT_LENGTH, KHOROO_LENGTH)})
    for place, length in (("district", DISTRICT_LENGTH), ("khoroo", KHOROO_LENGTH)):
        for position, language in enumerate(("mn", "en")):
            found = [names[code[:length]][position] if len(code) >= length else None for code in codes]
            frame[f"{place}_{language}"] = pd.Series(found, index=frame.index, dtype="object")
    return frame[list(COLUMNS)], int(total[0]) if total else 0

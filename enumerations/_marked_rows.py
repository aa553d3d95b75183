"""Set aside staged rows that are no records: subtotals among the data, rows that the publisher marked as wrong."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

import pyarrow as pa

if TYPE_CHECKING:
    from enumerations._headers import Header
    from enumerations._staging import Connection

TOTAL_WORDS: Final = (
    "total", "totals", "grand total", "sub total", "subtotal", "sub-total", "overall total", "sum",
    "нийт", "нийт дүн", "бүгд", "дүн", "нийлбэр", "итого", "всего", "total général", "sous-total", "gran total",
)  # fmt: skip
"""What stands in the place of an area or identifier where a row is a sum, in the languages of published files."""
_AREA_FIELDS: Final = {
    "published": (
        "operation", "admin0Name", "admin0Pcode", "admin1Name", "admin1Pcode", "admin2Name", "admin2Pcode",
    ),
}  # fmt: skip
_OTHER_FIELDS: Final = ("instance_id", "unit", "district", "khoroo", "kheseg", "origin", "destination", "day")


def mark_rows(connection: Connection, cells: str, header: Header, *, source: str) -> list[tuple[int, str, str]]:
    """Return record, fault and value of every row of a staged table that is no record.

    `cells` is the relation of the cells and `source` its SQL of record, fault and fault_value.
    """
    words = _by_word(connection, cells, header, source)
    if header.table.name != "published":
        return words
    sums = _by_blank_area(connection, cells, header, source, {record for record, _, _ in words})
    wrong = _by_publisher(connection, cells, header, source)
    return list({mark[0]: mark for mark in (*wrong, *sums, *words)}.values())


def _cell(header: Header, name: str) -> str | None:
    position = header.positions.get(name)
    return None if position is None else f"c{position}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _by_word(connection: Connection, cells: str, header: Header, source: str) -> list[tuple[int, str, str]]:
    """Find rows whose area or identifier is a word such as Total; of published ones, also 'Total Lac', 'Lac Total'."""
    published = header.table.name == "published"
    names = _AREA_FIELDS["published"] if published else _OTHER_FIELDS
    places = [cell for name in names if (cell := _cell(header, name))]
    if not header.names:
        return []
    places = sorted({*places, "c0"})
    spelled = ", ".join(
        _quoted(text)
        for text in dict.fromkeys(
            chain.from_iterable((word, word.title(), word.upper(), word.capitalize()) for word in TOTAL_WORDS)
        )
    )
    words = "|".join(word.replace("-", "[- ]") for word in TOTAL_WORDS)
    conditions = []
    for place in places:
        if published:
            conditions.append(
                f"regexp_matches(lower(trim({place})), '^({words})([ :.,(/].*)?$|^.+[ (]({words})[.):]?$')"
            )
        else:
            conditions.append(f"{place} IN ({spelled})")
    cases = ", ".join(f"CASE WHEN {test} THEN {place} END" for test, place in zip(conditions, places, strict=True))
    rows = connection.execute(
        f"SELECT record, 'subtotal_row', coalesce({cases}) FROM (SELECT {source}, {', '.join(places)} FROM {cells}) "
        f"WHERE fault IS NULL AND ({' OR '.join(conditions)}) ORDER BY record"
    ).fetchall()
    return [(int(record), fault, value) for record, fault, value in rows]


def _by_blank_area(
    connection: Connection, cells: str, header: Header, source: str, known: set[int]
) -> list[tuple[int, str, str]]:
    """Find published rows without any area whose figure is the sum of the rows since the last sum, or of all.

    `known` are the sums that were told by a word.
    """
    figure = _cell(header, "numPresentIdpInd")
    areas = [cell for name in _AREA_FIELDS["published"][1:] if (cell := _cell(header, name))]
    if figure is None or not areas:
        return []
    blank = " AND ".join(f"coalesce(trim({area}), '') = ''" for area in areas)
    listed = f"SELECT {source}, {', '.join(dict.fromkeys([figure, *areas]))} FROM {cells}"
    if not connection.execute(f"SELECT count(*) FROM ({listed}) WHERE {blank}").fetchone()[0]:
        return []
    rows = connection.execute(
        f"SELECT record, TRY_CAST({figure} AS DOUBLE), {blank} FROM ({listed}) WHERE fault IS NULL ORDER BY record"
    ).fetchall()
    found: list[tuple[int, str, str]] = []
    block = whole = 0.0
    for record, value, is_blank in rows:
        if record in known:
            block = 0.0
        elif not is_blank:
            block += value or 0
            whole += value or 0
        elif value and value in {block, whole}:
            found.append((int(record), "subtotal_row", f"{value:.0f}"))
            block = 0.0
    return found


def _by_publisher(connection: Connection, cells: str, header: Header, source: str) -> list[tuple[int, str, str]]:
    """Find rows that HDX marked as wrong in its column `error`; it keeps them in the file and doesn't serve them."""
    names = [name.strip().casefold() for name in header.names]
    if "error" not in names or "warning" not in names:
        return []
    place = f"c{names.index('error')}"
    rows = connection.execute(
        f"SELECT record, 'marked_wrong', trim({place}) FROM (SELECT {source}, {place} FROM {cells}) "
        f"WHERE fault IS NULL AND coalesce(trim({place}), '') <> '' ORDER BY record"
    ).fetchall()
    return [(int(record), fault, value) for record, fault, value in rows]


def set_faults(connection: Connection, cells: str, marks: list[tuple[int, str, str]]) -> None:
    """Write the faults found by `mark_rows` into a staged table that has the columns record, fault, fault_value."""
    if not marks:
        return
    records, faults, values = zip(*marks, strict=True)
    table = pa.table(
        {
            "record": pa.array(records, pa.int64()),
            "fault": pa.array(faults, pa.string()),
            "fault_value": pa.array(values, pa.string()),
        }
    )
    connection.register("marked_rows", table)
    try:
        connection.execute(
            f"UPDATE {cells} SET fault = m.fault, fault_value = m.fault_value FROM marked_rows m "
            f"WHERE {cells}.record = m.record"
        )
    finally:
        connection.unregister("marked_rows")

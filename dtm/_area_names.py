"""Name areas in Mongolian and English by their P-codes: as they were loaded, as they are listed, or by number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._scope_areas import CITY_PCODE
from geodata.pcodes import is_listed, place_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dtm.engine import Connection

_KHOROO_LENGTH, _KHESEG_LENGTH = 8, 10


def area_names(connection: Connection, pcodes: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return the names (Mongolian, English) of every area asked for; the P-code itself where nothing is known."""
    wanted = sorted(set(pcodes))
    rows = connection.execute(
        """
        SELECT a.pcode, a.name_mn, a.name_en FROM area a JOIN area_set s USING (area_set, version)
        WHERE list_contains(?::VARCHAR[], a.pcode)
        QUALIFY row_number() OVER (
            PARTITION BY a.pcode ORDER BY s.valid_from DESC, s.loaded_at DESC, s.version DESC) = 1
        """,
        [wanted],
    ).fetchall()
    loaded = {pcode: (mn or "", en or "") for pcode, mn, en in rows}
    return {pcode: _names(pcode, *loaded.get(pcode, ("", ""))) for pcode in wanted}


def _names(pcode: str, mn: str, en: str) -> tuple[str, str]:
    if not (mn and en) and is_listed(pcode):
        listed = place_name(pcode)
        mn, en = mn or listed[0], en or listed[1]
    if pcode[-2:].isdigit() and len(pcode) in (_KHOROO_LENGTH, _KHESEG_LENGTH):
        number = int(pcode[-2:])
        if len(pcode) == _KHESEG_LENGTH:
            words = ("хэсэг", "Kheseg")
        else:
            words = ("хороо", "Khoroo") if pcode.startswith(CITY_PCODE) else ("баг", "Bagh")
        mn, en = mn or f"{number}-р {words[0]}", en or f"{words[1]} {number}"
    return mn or en or pcode, en or mn or pcode

"""Say at which level the ends of a move are told, what they are at a coarser one, and whether a border lies between."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from geodata.pcodes import MAXIMUM_LEVEL, REGIONS, is_listed, region_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Level = int | Literal["region"]
REGION: Literal["region"] = "region"
REGION_CODES = tuple(region.code for region in REGIONS.values())
NOWHERE = ("abroad", "unknown")

BETWEEN, INSIDE, NESTED, ABROAD, UNKNOWN, TOTAL = "between", "inside", "nested", "abroad", "unknown", "total"
PARTS = (BETWEEN, INSIDE, NESTED, ABROAD, UNKNOWN, TOTAL)
"""Where a move goes: between two areas; inside one; between an area and one that holds it, so that nobody can say
whether it crossed the border; to or from abroad; to or from nobody knows where; from or to all places together."""

_PLACE = re.compile(rf"MN(?:\d\d){{1,{MAXIMUM_LEVEL}}}", re.ASCII)
_AIMAG_CHARACTERS = len("MN11")
_NO_LEVEL = -1


def coded(values: Any) -> pd.Categorical[str]:
    """Return texts as a categorical of the texts that are there, in the order of the alphabet."""
    given = values.array if isinstance(values, pd.Series) else values
    if not isinstance(given, pd.Categorical):
        given = pd.Categorical(pd.Series(given).astype("str"))
    is_used = np.bincount(given.codes + 1, minlength=len(given.categories) + 1)[1:] > 0
    used = given.categories[is_used].sort_values()
    if used.equals(given.categories):
        return given
    return pd.Categorical.from_codes(np.append(used.get_indexer(given.categories), -1)[given.codes], used)


def constant(text: str, count: int) -> pd.Categorical[str]:
    """Return one text many times."""
    return pd.Categorical.from_codes(np.zeros(count, dtype=np.int8), pd.Index([text], dtype="str"))


def recoded(values: pd.Categorical[str], new: Mapping[str, str]) -> pd.Categorical[str]:
    """Return a categorical with other texts instead of some; several may become one."""
    names = [new.get(name, name) for name in values.categories]
    kept = pd.Index(sorted(set(names)), dtype="str")
    return pd.Categorical.from_codes(kept.get_indexer(pd.Index(names, dtype="str"))[values.codes], kept)


def level_of_places(places: Iterable[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the level of each place, 0 for a region; -1 for abroad, unknown, total and what is no place.

    A P-code is a place from level 1 on, in an aimag of OCHA's list; soums and khoroos come and go, so they are taken
    as they are told.
    """
    return np.array([_level(place) for place in places], dtype=np.int64)


def _level(place: str) -> int:
    if place in REGION_CODES:
        return 0
    is_code = _PLACE.fullmatch(place) is not None and is_listed(place[:_AIMAG_CHARACTERS])
    return len(place) // 2 - 1 if is_code else _NO_LEVEL


def rolled_up(places: pd.Series[Any], level: Level) -> pd.Categorical[str]:
    """Return what each place is at a level: the area that holds it, or itself where it is told no finer."""
    values = coded(places)
    codes = values.categories.to_list()
    held = [code for code in codes if _level(code) > 0]
    return recoded(values, {code: region_of(code).code if level == REGION else code[: 2 + 2 * level] for code in held})


def parts_of(origin: pd.Series[Any], destination: pd.Series[Any], *, level: Level | None) -> pd.Series[Any]:
    """Return the part (one of `PARTS`, as a categorical) of each move, in the order of the rows.

    Parameters
    ----------
    origin, destination
        P-codes, regions, abroad, unknown or total.
    level
        The level that borders are asked for; None for the areas as they are told. A move told at both ends with the
        same area coarser than that is nested: it may or may not have crossed a border of the level.
    """
    ends = [coded(origin), coded(destination)]
    names = pd.Series(ends[0].categories.union(ends[1].categories), dtype="str")
    start, end = (pd.Index(names).get_indexer(values.categories)[values.codes] for values in ends)
    levels = level_of_places(names)
    ancestors = np.stack([pd.factorize(names.str[: 2 + 2 * at])[0] for at in range(1, MAXIMUM_LEVEL + 1)])
    ancestors = np.concatenate([np.arange(len(names))[None, :], ancestors])  # a region holds nothing but itself
    common = np.minimum(levels[start], levels[end]).clip(0)
    within = ancestors[common, start] == ancestors[common, end]
    asked = 0 if level in (None, REGION) else int(level)
    is_one = (start == end) & (levels[start] >= asked)

    def either(name: str) -> Any:
        here: np.ndarray[Any, np.dtype[np.bool_]] = (names == name).to_numpy(dtype=bool)
        return here[start] | here[end]

    part = np.select(
        [either(TOTAL), either(ABROAD), either(UNKNOWN), is_one, within],
        [PARTS.index(name) for name in (TOTAL, ABROAD, UNKNOWN, INSIDE, NESTED)],
        PARTS.index(BETWEEN),
    )
    categories = pd.Index(PARTS)
    return pd.Series(pd.Categorical.from_codes(part.astype(np.int8), categories), index=origin.index, name="part")

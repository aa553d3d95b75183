"""Find hidden counts of a survey that a published figure of the area above tells, since no other weighs as much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._survey_catalogue import SURVEY_SOURCES
from dtm._survey_sample import CODE_LENGTH, LOWEST_LEVEL, TOP_LEVEL

if TYPE_CHECKING:
    import pandas as pd

_KEY = ["pcode", "variable", "item"]
_AS_MUCH = 1e-9
"""A difference of weights below this share is rounding."""


def moved_up(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of areas as parts of those above; moves between areas of one area are moves inside it."""
    low = cells[cells["level"] == LOWEST_LEVEL]
    above = low["pcode"].str[: CODE_LENGTH[TOP_LEVEL]]
    inside = low["variable"].isin(SURVEY_SOURCES) & (low["item"].str[: CODE_LENGTH[TOP_LEVEL]] == above)
    return low.assign(pcode=above, item=low["item"].where(~inside, above))


def lacking_companions(cells: pd.DataFrame) -> set[int]:
    """Return further counts to hide, one for each published figure that tells a hidden count of an area inside it.

    The figure of a larger area is the sum of its parts' counts, each times the weight of one respondent there. Two
    hidden counts hide each other in it as far as their weights allow: where one respondent of the first weighs as much
    as a hundred of the second, whatever the second may be changes the first by less than one. So the hidden parts
    beside a secret one together weigh as much as it does: then a change of it by any number is made good by changes of
    the others no larger. Where they don't, the lightest published part that makes up for the rest goes with them;
    without one, the heaviest published part; without any, the figure itself.

    Parameters
    ----------
    cells
        Counts of answers with ``level``, ``pcode``, ``variable``, ``item``, ``value``, ``weight``, ``is_hidden``,
        ``is_secret`` (hidden for its own sake) and ``is_fixed`` (hiding it would be of no use).

    Returns
    -------
    set of int
        Labels of rows.
    """
    top = cells[(cells["level"] == TOP_LEVEL) & ~cells["is_hidden"]]
    row_of = {key: (label, fixed) for key, label, fixed in zip(_keys(top), top.index, top["is_fixed"], strict=True)}
    parts = moved_up(cells)
    parts = parts[[key in row_of for key in _keys(parts)]]
    parts = parts[parts.groupby(_KEY)["is_secret"].transform("any")]
    found: set[int] = set()
    for _, group in parts.groupby(_KEY, sort=True):
        secret, hidden = (group.loc[group[name], "weight"] for name in ("is_secret", "is_hidden"))
        gap = 2 * secret.max() - hidden.sum()
        if gap <= _AS_MUCH * secret.max():
            continue
        shown = group[~group["is_hidden"] & ~group["is_fixed"] & (group["value"] > 0)]
        enough = shown[shown["weight"] >= gap]
        label, is_fixed = row_of[_keys(group)[0]]
        if len(enough):
            found.add(enough.sort_values("weight", kind="stable").index.tolist()[0])
        elif len(shown):
            found.add(shown.sort_values("weight", ascending=False, kind="stable").index.tolist()[0])
        elif not is_fixed:
            found.add(label)
    return found


def _keys(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(zip(*(frame[name] for name in _KEY), strict=True))

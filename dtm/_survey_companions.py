"""Find hidden counts of a survey that a figure of the area above nearly tells, since the others weigh too little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtm._survey_catalogue import SURVEY_SOURCES
from dtm._survey_sample import CODE_LENGTH, LOWEST_LEVEL, TOP_LEVEL

if TYPE_CHECKING:
    import pandas as pd

_KEY = ["pcode", "variable", "item"]


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
    as a hundred of the second, sixty people there, whatever they answered, change the first by less than one. So a
    secret count of one to the threshold less one needs room in the others: the hidden parts beside it can together
    change the sum by as much as this count can. A part can change it by its weight times its hidden answers, which can
    change places. Where there is less room, the published part that makes up for it most narrowly is hidden as well;
    if none does, the one with most room; where nothing is left, the figure itself.

    Parameters
    ----------
    cells
        Counts of answers with ``level``, ``pcode``, ``variable``, ``item``, ``value``, ``threshold``, ``weight``,
        ``is_hidden``, ``is_secret`` (hidden for its own sake) and ``is_fixed`` (hiding it would be of no use).

    Returns
    -------
    set of int
        Labels of rows.
    """
    hidden = cells["value"].where(cells["is_hidden"], 0)
    answers = hidden.groupby([cells[name] for name in ("level", "pcode", "variable")]).transform("sum")
    cells = cells.assign(
        needed=cells["weight"] * (cells["threshold"] - 1).where(cells["is_secret"], 0),
        room=cells["weight"] * answers.where(cells["is_hidden"], cells["value"]),
        area=cells["pcode"],
    )
    top = cells[(cells["level"] == TOP_LEVEL) & ~cells["is_hidden"]]
    row_of = {key: (label, fixed) for key, label, fixed in zip(_keys(top), top.index, top["is_fixed"], strict=True)}
    parts = moved_up(cells)
    parts = parts[[key in row_of for key in _keys(parts)]]
    parts = parts[parts.groupby(_KEY)["is_secret"].transform("any")]
    found: set[int] = set()
    for _, group in parts.groupby(_KEY, sort=True):
        own = group[group["is_hidden"]]
        room = own.groupby("area")["room"].first()  # hidden counts of one area change places among themselves
        lack = float((own["needed"] + own["area"].map(room)).max() - room.sum())
        if lack <= 0:
            continue
        shown = group[~group["is_hidden"] & ~group["is_fixed"] & (group["value"] > 0)]
        shown = shown.sort_values("room", kind="stable")
        enough = shown[shown["room"] >= lack]
        label, is_fixed = row_of[_keys(group)[0]]
        if len(shown):
            found.add((enough.index if len(enough) else shown.index[::-1]).tolist()[0])
        elif not is_fixed:
            found.add(label)
    return found


def _keys(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(zip(*(frame[name] for name in _KEY), strict=True))

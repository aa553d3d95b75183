"""Hold the figures that a chart draws as rows of a release, so that they can be handed out as a file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dtm._exports_charts import CHART
from dtm._exports_rows import joined
from dtm._release_columns import PUBLISHED, STATUSES
from dtm.errors import WrongUseError
from dtm.released import ReleasedTable

if TYPE_CHECKING:
    import pandas as pd

    from dtm.released import Release

COLUMNS = (
    "round_number", "source", "chart", "chart_label", "series", "series_label", "level", "pcode", "origin",
    "destination", "checkpoint", "reason", "breakdown", "item", "day", "weekday", "hour", "value", "low", "high",
    "at_least", "unit", "status", "method", "note", "arrivals", "departures", "mirror_ratio", "drawn", "drawn_label",
    "series_break", "units_expected", "units_reported", "hours_observed", "base_persons",
)  # fmt: skip
"""Columns a chart may fill; `value` is null unless the status is published, `drawn` is `yes` or why it is not."""
GROUPS = {
    "aimags": ("All aimags together", "Бүх аймаг нийлээд"),
    "rest": ("Others, grouped", "Бусад, нэгтгэсэн"),
}
"""Ends of moves that only a chart knows, in English and Mongolian."""
ALWAYS = ("round_number", "source", "chart", "series", "value", "unit", "status", "release_id", "is_demonstration")
_NUMBERS = ("value", "low", "high", "mirror_ratio", "hours_observed")
_WHOLE = (
    "round_number", "level", "weekday", "hour", "arrivals", "departures", "units_expected", "units_reported",
    "base_persons",
)  # fmt: skip
_WITHOUT_BREAKS = replace(CHART, columns=tuple(name for name in CHART.columns if name != "series_break"))
"""A chart says itself which breaks it shows: they depend on what it draws, not on a table."""


def chart_table(release: Release, frame: pd.DataFrame, *, language: str = "en") -> ReleasedTable:
    """Return the figures of a chart with names, words, dates and release, without columns that hold nothing.

    Parameters
    ----------
    release
        The release every figure comes from.
    frame
        Any of `COLUMNS`, among them `value`, `status` and `round_number` (null for months between the rounds), and
        an `id` that is kept.
    language
        Language of the words, ``en`` or ``mn``.

    Raises
    ------
    WrongUseError
        A column is not one of `COLUMNS`; a status is unknown; a value stands beside a status that hides it.
    """
    unknown = sorted(set(frame.columns) - {*COLUMNS, "id"})
    if unknown:
        raise WrongUseError(f"A chart's figures have no column {', '.join(unknown)}; there are: {', '.join(COLUMNS)}.")
    odd = sorted(set(frame["status"]) - set(STATUSES))
    if odd:
        raise WrongUseError(f"There is no status {', '.join(odd)}; there are: {', '.join(STATUSES)}.")
    if (frame["value"].notna() & (frame["status"] != PUBLISHED)).any():
        raise WrongUseError("A figure that is not published has a value; leave it empty.")
    kinds = {**dict.fromkeys(COLUMNS, "object"), **dict.fromkeys(_NUMBERS, "float64"), **dict.fromkeys(_WHOLE, "Int64")}
    rows = frame.reset_index(drop=True).reindex(columns=list(COLUMNS)).astype(kinds)
    breaks, identity = rows.pop("series_break"), frame["id"].astype("str").to_numpy()
    product = ReleasedTable(CHART.name, rows, release.manifest)
    found = joined(release, product, product=_WITHOUT_BREAKS, language=language).frame
    found["series_break"] = breaks
    for end in ("origin", "destination"):
        for i, suffix in enumerate(("name_en", "name_mn")):
            words = found[end].map({code: names[i] for code, names in GROUPS.items()})
            found[f"{end}_{suffix}"] = found[f"{end}_{suffix}"].where(words.isna(), words)
    kept = [name for name in CHART.columns if name in ALWAYS or (found[name].notna() & (found[name] != "")).any()]
    return ReleasedTable(CHART.name, found[kept].assign(id=identity), release.manifest)

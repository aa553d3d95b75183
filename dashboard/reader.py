"""Keep the current release open in this process, and notice a newer one without a restart."""

from __future__ import annotations

import json
import threading
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely
import shapely.geometry

from dtm.released import Release, ReleasedTable, current_release_id, open_release

if TYPE_CHECKING:
    import datetime as dt

    from dashboard.words import Words
    from dtm.workspace import Workspace

TABLES_KEPT = 128
CITY_PCODE = "MN11"
AREA_COLUMNS = [
    "pcode",
    "level",
    "parent_pcode",
    "number",
    "name_mn",
    "name_en",
    "area_km2",
    "ger_area_km2",
    "lon",
    "lat",
]


class Snapshot:
    """One release with what the pages ask of it again and again; frames are shared, so never written to."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self._rows = lru_cache(maxsize=TABLES_KEPT)(self._read)

    def _read(self, name: str, where: tuple[tuple[str, Any], ...]) -> ReleasedTable:
        return self.release.table(name, where=dict(where))

    def released(self, name: str, /, **where: Any) -> ReleasedTable:
        """Return released rows by equal values; a tuple means any of them."""
        return self._rows(name, tuple(sorted(where.items())))

    def rows(self, name: str, /, **where: Any) -> pd.DataFrame:
        """Return the frame of `released`."""
        return self.released(name, **where).frame

    @property
    def release_id(self) -> str:
        """Return the identifier of the release."""
        return self.release.release_id

    @cached_property
    def areas(self) -> pd.DataFrame:
        """Return the areas without geometry, by P-code."""
        return self.rows("area")[AREA_COLUMNS].set_index("pcode", drop=False).rename_axis(None)

    @cached_property
    def rounds(self) -> pd.DataFrame:
        """Return the rounds by number, oldest first."""
        return self.rows("round").set_index("round_number", drop=False).rename_axis(None)

    @property
    def last_round(self) -> int:
        """Return the number of the newest round."""
        return int(self.rounds.index[-1])

    def round_or_last(self, number: int | None) -> int:
        """Return the round if the release has it, the newest otherwise."""
        return number if number is not None and number in self.rounds.index else self.last_round

    @cached_property
    def home(self) -> str:
        """Return the area that stands for the whole: the city, or the first area of the highest level."""
        top = self.areas[self.areas["level"] == self.areas["level"].min()]
        return CITY_PCODE if CITY_PCODE in top.index else str(top.index[0])

    def area_or_home(self, pcode: str) -> str:
        """Return the area if the release has it, the whole otherwise."""
        return pcode if pcode in self.areas.index else self.home

    def level_of(self, pcode: str) -> int:
        """Return an area's level."""
        return int(self.areas.loc[pcode, "level"])

    def at_level(self, level: int) -> pd.DataFrame:
        """Return the areas of a level."""
        return self.areas[self.areas["level"] == level]

    @cached_property
    def _places(self) -> pd.DataFrame:
        return self.rows("place").set_index("pcode", drop=False).rename_axis(None)

    @property
    def places(self) -> pd.DataFrame:
        """Return everything a flow can name, by P-code."""
        return self._places

    def name(self, pcode: str, words: Words) -> str:
        """Return the name of an area, an aimag, abroad or unknown."""
        for frame in (self.areas, self.places):
            if pcode in frame.index:
                return str(frame.loc[pcode, words.name_column])
        return self.labels("place", words).get(pcode, pcode)

    def full_name(self, pcode: str, words: Words) -> str:
        """Return the name with its district before it where it is a khoroo."""
        name = self.name(pcode, words)
        parent = self.areas.loc[pcode, "parent_pcode"] if pcode in self.areas.index else None
        if isinstance(parent, str) and parent in self.areas.index and self.level_of(pcode) >= 3:  # noqa: PLR2004
            district = self.name(parent, words)
            return name if name.startswith(district) else f"{district}, {name}"
        return name

    def labels(self, codelist: str, words: Words) -> dict[str, str]:
        """Return the words of a code list."""
        frame = self.rows("code_label", codelist=codelist)
        return dict(zip(frame["code"], frame[words.label_column], strict=True))

    def reference_day(self, number: int) -> dt.date:
        """Return the day a round's stocks refer to."""
        return pd.Timestamp(self.rounds.loc[number, "reference_on"]).date()

    @lru_cache(maxsize=4)  # noqa: B019  a snapshot lives as long as its release
    def shapes(self, level: int) -> dict[str, shapely.Geometry]:
        """Return the simplified polygons of a level, as the web map shows them."""
        path = self.release.map_path(level)
        if not path.exists():
            return {}
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        return {str(feature["id"]): shapely.geometry.shape(feature["geometry"]) for feature in features}

    def layers(self, kind: str) -> list[str]:
        """Return the names of the layers of a kind."""
        frame = self.rows("layer")
        return [str(name) for name in frame.loc[frame["kind"] == kind, "name"]]


class Reader:
    """Hand out the current release; made before a fork, it opens nothing until asked."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None

    def current(self) -> Snapshot:
        """Return the current release, opened again when `CURRENT` points elsewhere.

        Raises
        ------
        NoReleaseError
            Nothing was released yet.
        """
        wanted = current_release_id(self.workspace)
        snapshot = self._snapshot
        if snapshot is not None and snapshot.release_id == wanted:
            return snapshot
        with self._lock:
            if self._snapshot is None or self._snapshot.release_id != wanted:
                # The old one is not closed here: another thread may be reading it. It goes with its last user.
                self._snapshot = Snapshot(open_release(self.workspace, wanted))
            return self._snapshot

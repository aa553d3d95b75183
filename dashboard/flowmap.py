"""Turn released flows into rows of origin and destination, and into arrows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import pandas as pd
import plotly.graph_objects as go

from dashboard.arrows import Point, arrow, arrow_width
from dashboard.flow_sources import CHECKPOINT, CITY_LEVEL, DISTRICT_LEVEL, inside, pairs, towards
from dashboard.labels import people_middle

if TYPE_CHECKING:
    from dashboard.maps import Bounds
    from dashboard.reader import Snapshot
    from dashboard.state import View
    from dashboard.words import Words

WIDEST_SHARE = 0.020
"""Width of the largest flow, as a share of the map's longer side."""
HEAD_SHARE = 0.35
"""The head is drawn as for a shaft at least this wide, as a share of the widest."""


def is_inside(snapshot: Snapshot, code: str) -> bool:
    """Return whether a place belongs to the areas of the release (below the top level, or the top itself)."""
    return code in snapshot.areas.index


_LAST: WeakKeyDictionary[Snapshot, tuple[View, pd.DataFrame]] = WeakKeyDictionary()
"""The last answer of `flow_rows`: map, legend, note and table of one view ask for the same."""
_POINTS: WeakKeyDictionary[Snapshot, dict[str, Point | None]] = WeakKeyDictionary()
"""Where the ends of moves are drawn, by place; the middle of a district's people takes long to find."""


def flow_rows(snapshot: Snapshot, view: View) -> pd.DataFrame:
    """Return the released pairs the map shows, see `_flow_rows`; the frame is shared, so never written to."""
    last = _LAST.get(snapshot)
    if last is None or last[0] != view:
        _LAST[snapshot] = last = (view, _flow_rows(snapshot, view))
    return last[1]


def _flow_rows(snapshot: Snapshot, view: View) -> pd.DataFrame:
    """Return the released pairs the map shows, own moves left out, each with its `id`, the largest first.

    The city moves within itself between districts, or between khoroos and districts at their level; with other places
    it moves as a whole. A selected area moves with what its own level, or that of its khoroos, tells.
    """
    area = snapshot.area_or_home(view.area)
    level = snapshot.level_of(area)
    internal = view.scope == "internal" and view.flow_level > CITY_LEVEL and view.source != CHECKPOINT
    if level == CITY_LEVEL:
        shown = max(view.flow_level, DISTRICT_LEVEL) if internal else CITY_LEVEL
    else:
        shown = max(level, view.flow_level)
    frame = pairs(snapshot, view, level=CITY_LEVEL if view.source == CHECKPOINT else shown)
    frame = frame[frame["origin"] != frame["destination"]]
    if view.source != CHECKPOINT:
        areas = snapshot.areas.index[snapshot.areas["level"] >= DISTRICT_LEVEL]
        within = frame["origin"].isin(areas) & frame["destination"].isin(areas)
        frame = frame[within if internal else ~within]
    if level == CITY_LEVEL or view.source == CHECKPOINT:
        home = {snapshot.home} if not internal else inside(snapshot, snapshot.home)
        return _readable(towards(frame, home, view.direction))
    members = inside(snapshot, area) if shown > level else {area}
    return _readable(towards(frame, members, view.direction))


def own_moves(snapshot: Snapshot, view: View) -> tuple[float | None, str]:
    """Return moves whose both ends are in the selected area, which no arrow can show."""
    pcode = snapshot.area_or_home(view.area)
    frame = pairs(snapshot, view, level=snapshot.level_of(pcode))
    frame = frame[(frame["origin"] == pcode) & (frame["destination"] == pcode)]
    if frame.empty:
        return None, "not_reported"
    status = str(frame.iloc[0]["status"])
    return (float(frame.iloc[0]["value"]) if status == "published" else None), status


def _readable(frame: pd.DataFrame) -> pd.DataFrame:
    ordered = frame.sort_values(["value", "origin", "destination"], ascending=[False, True, True], na_position="last")
    return ordered.reset_index(drop=True)


def on_map(snapshot: Snapshot, view: View, rows: pd.DataFrame) -> pd.Series:
    """Return of every pair `yes` where the map draws it, else why not: `gap`, `zero`, `nowhere` or `smaller`."""
    points = {code: position(snapshot, code) for code in {*rows["origin"], *rows["destination"]}}
    apart = [
        points[start] is not None and points[end] is not None and points[start] != points[end]
        for start, end in zip(rows["origin"], rows["destination"], strict=True)
    ]
    found = pd.Series("yes", index=rows.index, dtype="object").where(pd.Series(apart, index=rows.index), "nowhere")
    found = found.mask(rows["value"].isna(), "gap").mask(rows["value"].eq(0).fillna(value=False), "zero")
    found.loc[found.index[found == "yes"][view.top :]] = "smaller"
    return found


def position(snapshot: Snapshot, code: str) -> Point | None:
    """Return where a flow's end is drawn, None for abroad and unknown."""
    known = _POINTS.setdefault(snapshot, {})
    if code not in known:
        known[code] = _position(snapshot, code)
    return known[code]


def _position(snapshot: Snapshot, code: str) -> Point | None:
    if code in snapshot.areas.index and snapshot.level_of(code) > DISTRICT_LEVEL:
        return float(snapshot.areas.loc[code, "lon"]), float(snapshot.areas.loc[code, "lat"])
    if code in snapshot.areas.index:
        return people_middle(snapshot, code)
    if code in snapshot.places.index:
        lon, lat = snapshot.places.loc[code, "lon"], snapshot.places.loc[code, "lat"]
        return None if pd.isna(lon) or pd.isna(lat) else (float(lon), float(lat))
    return None


def flow_bounds(snapshot: Snapshot, frame: pd.DataFrame, *, room: float = 0.08) -> Bounds | None:
    """Return the box around both ends of the flows drawn with some room, a share of its size; None without any."""
    points = [position(snapshot, code) for code in {*frame["origin"], *frame["destination"]}]
    known = [point for point in points if point is not None]
    if not known:
        return None
    lons, lats = [p[0] for p in known], [p[1] for p in known]
    pad = max(max(lons) - min(lons), max(lats) - min(lats), 0.02) * room
    return min(lons) - pad, min(lats) - pad, max(lons) + pad, max(lats) + pad


def widest_deg(bounds: Bounds) -> float:
    """Return the width of the largest flow on a map of some bounds, in Mercator degrees of longitude."""
    return max(bounds[2] - bounds[0], (bounds[3] - bounds[1]) * 1.5) * WIDEST_SHARE


def arrow_traces(
    snapshot: Snapshot, frame: pd.DataFrame, words: Words, *, source: str, color: str, unit: str, bounds: Bounds
) -> list[Any]:
    """Return the arrows, the largest drawn last, with what each says on hover."""
    widest = widest_deg(bounds)
    drawn = frame[frame["value"].notna() & (frame["value"] > 0)]
    largest = float(drawn["value"].max()) if not drawn.empty else 0.0
    features, codes, texts, sizes = [], [], [], []
    for row in drawn.iloc[::-1].itertuples():
        start, end = position(snapshot, row.origin), position(snapshot, row.destination)
        if start is None or end is None or start == end:
            continue
        ring = arrow(
            start, end, width=arrow_width(float(row.value), largest=largest, widest=widest), head=widest * HEAD_SHARE
        )
        code = str(row.id)
        geometry = {"type": "Polygon", "coordinates": [[[round(x, 5), round(y, 5)] for x, y in ring]]}
        features.append({"type": "Feature", "id": code, "properties": {}, "geometry": geometry})
        codes.append(code)
        sizes.append(float(row.value) / largest)
        texts.append(
            f"<b>{end_name(snapshot, row.origin, row.destination, words)} → "
            f"{end_name(snapshot, row.destination, row.origin, words)}</b><br>"
            f"{words(f'source.{source}')}: <b>{words.number(row.value)} {words(f'unit.{unit}')}</b>"
            f"{_interval(row, words)}"
        )
    if not features:
        return []
    return [
        go.Choroplethmap(
            geojson={"type": "FeatureCollection", "features": features},
            locations=codes,
            z=sizes,
            zmin=0,
            zmax=1,
            colorscale=[[0, color], [1, color]],
            showscale=False,
            marker={"opacity": 0.82, "line": {"color": "#ffffff", "width": 0.8}},
            hovertext=texts,
            hoverinfo="text",
        )
    ]


def end_name(snapshot: Snapshot, code: str, other: str, words: Words) -> str:
    """Return the name of one end of a move; the city beside one of its own parts is the city without a district."""
    return words("place.city") if is_rest_of_city(snapshot, code, other) else snapshot.full_name(code, words)


def is_rest_of_city(snapshot: Snapshot, code: str, other: str) -> bool:
    """Return whether an end of a move is the city without a district: the other end is one of its own parts."""
    return code == snapshot.home and other != code and other.startswith(code)


def _interval(row: Any, words: Words) -> str:
    low, high = getattr(row, "low", None), getattr(row, "high", None)
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return ""
    return "<br>" + words("flows.interval", low=words.number(low), high=words.number(high))

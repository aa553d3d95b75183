"""Lay moves out as an origin-destination matrix: moves inside an area apart, gaps as gaps, aimags as one group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import base_chart
from dashboard.flow_sources import (
    ABROAD,
    CHECKPOINT,
    CITY_LEVEL,
    DISTRICT_LEVEL,
    KHOROO_LEVEL,
    TOTAL,
    UNKNOWN,
    district_of,
    is_told,
    pairs,
    unit_of,
    worst,
)
from dashboard.maps import SELECTED
from dashboard.state import SURVEY_SOURCES
from dtm._release_tables import NOT_REPORTED, PUBLISHED, SUPPRESSED

if TYPE_CHECKING:
    from dashboard.reader import Snapshot
    from dashboard.state import View
    from dashboard.words import Words

AIMAGS = "aimags"
"""All aimags together, as one end of a move."""
NONE = "none"
"""Nobody told such a move, though the area told its moves."""
OUTSIDE = (AIMAGS, ABROAD, UNKNOWN)
SCALE = [[0, "#eef4fa"], [0.12, "#cfe1f2"], [0.35, "#93c3df"], [0.65, "#4b97c9"], [1, "#08306b"]]
OUTSIDE_SCALE = [[0, "#eff5ea"], [0.5, "#9cc37f"], [1, "#1f4d00"]]
"""Of pairs with other places, whose numbers would drown those inside the city; green tells from blue to all eyes."""
BEHIND = ("low", "high", "arrivals", "departures", "mirror_ratio", "base_persons")
"""What a pair's row may tell beside its value."""
SCALES = {"value": SCALE, "outside": OUTSIDE_SCALE}
OWN_FILL = "#efe3c8"
FILLS = {SUPPRESSED: "#d4d7dd", NOT_REPORTED: "#ffffff", "undefined": "#f1e4cf", NONE: "#f6f7f9"}
HATCH_LINE = "#a3a9b5"
HATCH_STEP_PX, HATCH_LINES = 9.0, 24
ROW_PX = 30
PRINTED_FROM_PX = 34
WORD_FROM_PX = 54
FLAT_LABELS_FROM_PX = 108
LABELS_PX = 150


@dataclass(frozen=True)
class Cell:
    """One pair: its figure with its interval and what stands behind it, or why there is none."""

    value: float | None
    status: str
    low: float | None = None
    high: float | None = None
    hidden_parts: int = 0
    arrivals: float | None = None
    departures: float | None = None
    mirror_ratio: float | None = None
    base_persons: float | None = None


@dataclass(frozen=True)
class Matrix:
    """Pairs of places in rows and columns; `layout` is square (origins down), turned or city."""

    rows: list[str]
    columns: list[str]
    cells: dict[tuple[str, str], Cell]
    layout: str
    level: int
    home: str
    district: str | None = None

    def ends(self, row: str, column: str) -> tuple[str, str]:
        """Return origin and destination of a place in the matrix."""
        if self.layout == "city":
            return (row, self.home) if column == "in" else (self.home, row)
        return (row, column) if self.layout == "square" else (column, row)

    def at(self, row: str, column: str) -> Cell:
        """Return the cell of a place in the matrix."""
        return self.cells.get(self.ends(row, column), Cell(None, NONE))


def level_of(view: View) -> int:
    """Return the level of the view's pairs: checkpoints know the city alone."""
    return CITY_LEVEL if view.source == CHECKPOINT else view.flow_level


def own_word(view: View) -> str:
    """Return the key of what the diagonal is: a survey knows who stayed, not who moved inside."""
    return "matrix.stayed" if view.source in SURVEY_SOURCES else "matrix.own"


def shown_district(snapshot: Snapshot, view: View) -> str | None:
    """Return the district whose khoroos are shown: the selected one, else the first."""
    districts = snapshot.at_level(DISTRICT_LEVEL).sort_index().index
    return district_of(snapshot, view) or (str(districts[0]) if len(districts) else None)


def matrix_pairs(snapshot: Snapshot, view: View) -> pd.DataFrame:
    """Return the released pairs behind the matrix, each aimag by itself."""
    level = level_of(view)
    frame = pairs(snapshot, view, level=level)
    if level == KHOROO_LEVEL:
        members = set(snapshot.areas.index[snapshot.areas["parent_pcode"] == shown_district(snapshot, view)])
        ours = frame["pcode"].isin(members) if "pcode" in frame else frame[["origin", "destination"]].isin(
            members
        ).any(axis=1)  # fmt: skip
        frame = frame[ours]
    return frame.sort_values(["value", "id"], ascending=[False, True], na_position="last").reset_index(drop=True)


def build_matrix(snapshot: Snapshot, view: View) -> Matrix:
    """Return the matrix of the view: districts by districts, the city by aimags, or khoroos by districts."""
    level, frame = level_of(view), matrix_pairs(snapshot, view)
    inner = [str(code) for code in snapshot.at_level(max(level, DISTRICT_LEVEL)).sort_index().index]
    if level == CITY_LEVEL:
        return _city_matrix(snapshot, frame)
    keys = {code: _key(snapshot, code) for code in {*frame["origin"], *frame["destination"]}}
    cells = _cells(frame.assign(origin=frame["origin"].map(keys), destination=frame["destination"].map(keys)))
    cells |= _group_cells(snapshot, view, cells, level=level)
    cells |= _silent_cells(snapshot, view, cells, level=level)
    origins, destinations = ({ends[i] for ends in cells} for i in (0, 1))
    if level == DISTRICT_LEVEL:
        rows, columns = (_ordered(snapshot, inner, found) for found in (origins, destinations))
        return Matrix(rows, columns, cells, "square", level, snapshot.home)
    district = shown_district(snapshot, view)
    members = [code for code in inner if snapshot.areas.loc[code, "parent_pcode"] == district]
    turned = view.source != "departures"
    others = _ordered(
        snapshot, [str(code) for code in snapshot.at_level(DISTRICT_LEVEL).sort_index().index],
        (origins if turned else destinations) - set(members),
    )  # fmt: skip
    return Matrix(members, others, cells, "turned" if turned else "square", level, snapshot.home, district)


def _key(snapshot: Snapshot, code: str) -> str:
    """Return the row or column of an end: its own for a part of the city, though the release has no such area."""
    return code if code.startswith(snapshot.home) or code in OUTSIDE else AIMAGS


def _city_matrix(snapshot: Snapshot, frame: pd.DataFrame) -> Matrix:
    cells = _cells(frame)
    home = snapshot.home
    places = {end for ends in cells for end in ends} - {home}
    aimags = sorted(places - set(OUTSIDE))
    crossing = [ends for ends in cells if ends[0] != ends[1]]
    columns = [side for side, i in (("in", 1), ("out", 0)) if any(ends[i] == home for ends in crossing)]
    persons = {code: sum(cells[ends].value or 0.0 for ends in crossing if code in ends) for code in aimags}
    aimags = sorted(aimags, key=lambda code: (-persons[code], code))
    rows = [*aimags, *(code for code in OUTSIDE if code in places)]
    return Matrix(rows, columns, cells, "city", CITY_LEVEL, home)


def _cells(frame: pd.DataFrame) -> dict[tuple[str, str], Cell]:
    cells = {}
    for ends, group in frame.groupby(["origin", "destination"], sort=False):
        status = worst(group["status"])
        hidden = int((group["status"] != PUBLISHED).sum())
        alone = group.iloc[0] if len(group) == 1 and status == PUBLISHED else {}
        value = float(group["value"].sum()) if status == PUBLISHED else None
        behind = {name: _number(alone.get(name)) for name in BEHIND}
        cells[ends[0], ends[1]] = Cell(value, status, hidden_parts=hidden, **behind)
    return cells


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _group_cells(
    snapshot: Snapshot, view: View, cells: dict[tuple[str, str], Cell], *, level: int
) -> dict[tuple[str, str], Cell]:
    """Return the figures of all aimags together where the release has them, though some single aimags be hidden."""
    if not is_told(view.source) or unit_of(view) != "persons":
        return {}
    frame = snapshot.rows(
        "flow_item", round_number=snapshot.round_or_last(view.round), source=view.source, level=level,
        breakdown="distance", item="other_aimag", measure="persons",
    )  # fmt: skip
    found = {}
    for pcode, value, status in zip(frame["pcode"], frame["value"], frame["status"], strict=True):
        ends = (AIMAGS, pcode) if view.source == "arrivals" else (pcode, AIMAGS)
        if ends in cells and cells[ends].status != PUBLISHED and status == PUBLISHED:
            found[ends] = Cell(float(value), status, hidden_parts=cells[ends].hidden_parts)
    return found


def _silent_cells(
    snapshot: Snapshot, view: View, cells: dict[tuple[str, str], Cell], *, level: int
) -> dict[tuple[str, str], Cell]:
    """Return a cell that says so for every pair of an area that told nothing at all."""
    if not is_told(view.source):
        return {}
    frame = snapshot.rows(
        "flow", round_number=snapshot.round_or_last(view.round), source=view.source, level=level, reason=TOTAL,
        counterpart=TOTAL, measure=unit_of(view), status=NOT_REPORTED,
    )  # fmt: skip
    inward = view.source == "arrivals"
    others = {ends[0 if inward else 1] for ends in cells}
    told = {(other, code) if inward else (code, other): Cell(None, NOT_REPORTED)
            for code in frame["pcode"] for other in others}  # fmt: skip
    return {ends: cell for ends, cell in told.items() if ends not in cells}


def _ordered(snapshot: Snapshot, inner: list[str], found: set[str]) -> list[str]:
    """Return areas first, then the city without a district, then the aimags, abroad and unknown that occur."""
    known = [code for code in inner if code in snapshot.areas.index]
    loose = sorted(code for code in found if code not in known and code not in OUTSIDE)
    return [*known, *loose, *(code for code in OUTSIDE if code in found)]


def place_name(snapshot: Snapshot, code: str, words: Words, *, level: int) -> str:
    """Return the short name of an end of a move."""
    if code == AIMAGS:
        return words("place.aimags")
    if code in ("in", "out"):
        return words(f"matrix.{code}")
    if code == snapshot.home and level > CITY_LEVEL:
        return words("place.city")
    return snapshot.name(code, words)


def cell_text(cell: Cell, words: Words, *, unit: str) -> str:
    """Return what a cell says in full: figure with unit and interval, or why there is none."""
    if cell.status == NONE:
        return words("matrix.none")
    if cell.value is None:
        return words(f"status.{cell.status}")
    text = f"<b>{words.number(cell.value)} {words(f'unit.{unit}')}</b>"
    if cell.low is not None and cell.high is not None:
        text += "<br>" + words("flows.interval", low=words.number(cell.low), high=words.number(cell.high))
    return text


def cell_width_px(matrix: Matrix, view: View) -> float:
    """Return about how wide a cell is drawn."""
    return (min(view.width, 1760) - 70 - LABELS_PX) / max(len(matrix.columns), 1)


def matrix_figure(snapshot: Snapshot, view: View, words: Words, matrix: Matrix) -> go.Figure:
    """Return the matrix as a heat map with numbers where there is room for them."""
    unit, wide = unit_of(view), cell_width_px(matrix, view)
    printed = wide >= PRINTED_FROM_PX
    figure = base_chart(height=110 + ROW_PX * len(matrix.rows), left=8)
    names = {code: place_name(snapshot, code, words, level=matrix.level) for code in {*matrix.rows, *matrix.columns}}
    kinds: dict[str, list[list[float | None]]] = {}
    texts: dict[str, list[list[str]]] = {}
    hover: list[list[str]] = []
    for i, row in enumerate(matrix.rows):
        hover.append([])
        for j, column in enumerate(matrix.columns):
            cell, (origin, destination) = matrix.at(row, column), matrix.ends(row, column)
            kind = cell.status if cell.value is None else _kind(matrix, origin, destination)
            grid = kinds.setdefault(kind, [[None] * len(matrix.columns) for _ in matrix.rows])
            grid[i][j] = cell.value if kind in SCALES else 1.0
            words_of_kind = texts.setdefault(kind, [[""] * len(matrix.columns) for _ in matrix.rows])
            words_of_kind[i][j] = _printed(cell, words, wide=wide) if printed else ""
            ends = f"{_end_name(snapshot, origin, words, matrix)} → {_end_name(snapshot, destination, words, matrix)}"
            inside = f"<br>{words(own_word(view))}" if origin == destination else ""
            hover[-1].append(f"<b>{ends}</b>{inside}<br>{cell_text(cell, words, unit=unit)}")
    for kind, z in kinds.items():
        figure.add_trace(_heat(kind, z, texts[kind], hover, words, unit=unit, narrow=not printed))
    hatch = kinds.get(SUPPRESSED, [])
    places = [(i, j) for i, line in enumerate(hatch) for j, z in enumerate(line) if z is not None]
    figure.add_trace(_hatch(places, wide=wide))
    _axes(figure, matrix, names, words, wide=wide)
    _marks(figure, matrix, snapshot.area_or_home(view.area), view.direction)
    return figure


def _kind(matrix: Matrix, origin: str, destination: str) -> str:
    """Return how a figure is coloured: alone (own moves), on the scale of the areas, or of other places."""
    if origin == destination:
        return "own"
    return "outside" if matrix.layout != "city" and {origin, destination} & set(OUTSIDE) else "value"


def _end_name(snapshot: Snapshot, code: str, words: Words, matrix: Matrix) -> str:
    return place_name(snapshot, code, words, level=matrix.level)


def _printed(cell: Cell, words: Words, *, wide: float) -> str:
    if cell.value is not None:
        return words.number(cell.value)
    return words("matrix.hidden") if cell.status == SUPPRESSED and wide >= WORD_FROM_PX else ""


def _heat(
    kind: str, z: list[list[float | None]], texts: list[list[str]], hover: list[list[str]], words: Words, *,
    unit: str, narrow: bool,
) -> go.Heatmap:  # fmt: skip
    fill = OWN_FILL if kind == "own" else FILLS.get(kind, "")
    largest = max((cell for line in z for cell in line if cell is not None), default=1.0)
    more: dict[str, Any] = (
        {"colorscale": [[0, fill], [1, fill]], "showscale": False, "zmin": 0, "zmax": 1}
        if fill
        else {
            "colorscale": SCALES[kind], "zmin": 0, "zmax": max(largest, 1.0),
            "showscale": kind == "value" and not narrow,
            "colorbar": {"thickness": 12, "len": 0.9, "tickformat": ",", "title": {"text": words(f"unit.{unit}")},
                         "outlinewidth": 0},
        }
    )  # fmt: skip
    return go.Heatmap(
        z=z, text=texts, hovertext=hover, hoverinfo="text", texttemplate="%{text}", xgap=1.5, ygap=1.5,
        hoverongaps=False, textfont={"size": 12}, name=kind, **more,
    )  # fmt: skip


def _hatch(places: list[tuple[int, int]], *, wide: float) -> go.Scatter:
    """Return diagonal lines over hidden cells, so that grey is not the only sign."""
    width, height = max(wide - 4, 8.0), ROW_PX - 4.0
    step = max(HATCH_STEP_PX, width / HATCH_LINES)
    x: list[float | None] = []
    y: list[float | None] = []
    for i, j in places:
        foot = step / 2
        while foot < width + height:
            left, right = max(foot - height, 0.0), min(foot, width)
            x.extend([j - 0.5 + (left + 2) / wide, j - 0.5 + (right + 2) / wide, None])
            y.extend([i - 0.5 + (foot - left + 2) / ROW_PX, i - 0.5 + (foot - right + 2) / ROW_PX, None])
            foot += step
    return go.Scatter(
        x=x, y=y, mode="lines", line={"color": HATCH_LINE, "width": 0.8}, hoverinfo="skip", showlegend=False,
        name="hatch",
    )  # fmt: skip


def _axes(figure: go.Figure, matrix: Matrix, names: dict[str, str], words: Words, *, wide: float) -> None:
    down, across = {"square": ("origin", "destination"), "turned": ("destination", "origin")}.get(
        matrix.layout, ("place", "city")
    )
    figure.update_xaxes(
        side="top", tickvals=list(range(len(matrix.columns))), ticktext=[names[code] for code in matrix.columns],
        tickangle=0 if wide >= FLAT_LABELS_FROM_PX else -90, range=[-0.5, len(matrix.columns) - 0.5],
        title={"text": words(f"matrix.axis.{across}"), "font": {"size": 13}, "standoff": 8}, ticks="", showline=False,
        zeroline=False, fixedrange=True,
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(matrix.rows))), ticktext=[f"{names[code]} " for code in matrix.rows], automargin=True,
        range=[len(matrix.rows) - 0.5, -0.5], title={"text": words(f"matrix.axis.{down}"), "font": {"size": 13}},
        showgrid=False, zeroline=False, tickformat="", fixedrange=True,
    )  # fmt: skip
    figure.update_layout(margin={"t": 40, "b": 8, "r": 8})


def _marks(figure: go.Figure, matrix: Matrix, selected: str, direction: str) -> None:
    """Part the areas from the rest of the world, and frame the selected area's row and column."""
    for codes, add in ((matrix.rows, figure.add_hline), (matrix.columns, figure.add_vline)):
        first = next((i for i, code in enumerate(codes) if code in OUTSIDE), None)
        if first:
            add(first - 0.5, line={"color": "#1c2330", "width": 1.5})
    wanted = {"in": "destination", "out": "origin"}.get(direction)
    frame = {"type": "rect", "line": {"color": SELECTED, "width": 2.5}}
    rows_are = "destination" if matrix.layout == "turned" else "origin"
    if selected in matrix.rows and wanted in (None, rows_are):
        i = matrix.rows.index(selected)
        figure.add_shape(x0=-0.5, x1=len(matrix.columns) - 0.5, y0=i - 0.5, y1=i + 0.5, **frame)
    if selected in matrix.columns and (wanted is None or wanted != rows_are):
        j = matrix.columns.index(selected)
        figure.add_shape(x0=j - 0.5, x1=j + 0.5, y0=-0.5, y1=len(matrix.rows) - 0.5, **frame)

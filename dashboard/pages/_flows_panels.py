"""Fill the tabs of the page of flows: one chart at a time, each with its formula and what is behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from dashboard import about, arrow_legend, charts, end_labels, flow_bars, flowmap, maps, od_matrix, parts, sankey
from dashboard.flow_figures import SYSTEM_SOURCES
from dashboard.flow_sources import (
    CHECKPOINT,
    CITY_LEVEL,
    KHOROO_LEVEL,
    NOWHERE,
    RECONCILED,
    TOTAL,
    district_of,
    is_told,
    pairs,
    sides_of,
    status_counts,
    unit_of,
)
from dashboard.flow_tables import PHONE_PX
from dashboard.pages._flows_blocks import NARROW_PX, SIDES_PX, block, nothing, side_counts
from dashboard.pages._flows_series import checkpoint_bars, checkpoint_week, trends_panel
from dashboard.state import SURVEY_SOURCES
from dashboard.system_table import system_rows, system_table

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import plotly.graph_objects as go

    from dashboard.od_matrix import Matrix
    from dashboard.reader import Snapshot
    from dashboard.state import View
    from dashboard.words import Words

SCALE_WORDS = (("value", "matrix.scale", "swatch-scale"), ("outside", "matrix.outside", "swatch-scale-outside"))
"""Scales of the matrix with their words and swatches."""
PLAIN_ROOM, NAMES_ROOM = 0.08, 0.24
"""Room around the ends of the flows, as a share of their box: on a phone half a long name needs more."""
PROFILE_PX = 420
"""About how wide a breakdown is drawn: several stand side by side."""
WHOLE_WIDTH = 1.55
"""A map over the whole width of the page, against one beside a panel."""


def _place_and_round(snapshot: Snapshot, view: View) -> tuple[str, int]:
    return snapshot.area_or_home(view.area), snapshot.round_or_last(view.round)


def _how(
    snapshot: Snapshot, view: View, words: Words, *, frame: pd.DataFrame, formula: str, pcode: str | None = None
) -> html.Details:
    home, number = _place_and_round(snapshot, view)
    facts = about.facts_of(
        snapshot, words, source=view.source, pcode=pcode or home, round_number=number, frame=frame
    )  # fmt: skip
    return about.details(
        words, formula=formula, reference=about.literature(view.source), facts=facts, statuses=status_counts(frame)
    )


def all_reasons(view: View, words: Words) -> str:
    """Say that pairs of places have no reasons, where one was asked for."""
    return words("flows.all_reasons") if view.reason != TOTAL else ""


def _map_window_px(view: View) -> int:
    """Return the window that would hold this map beside a panel: it has the whole width of the page."""
    return view.width if view.width < NARROW_PX else int(view.width * WHOLE_WIDTH)


def _drawn(snapshot: Snapshot, view: View) -> tuple[pd.DataFrame, maps.Bounds, maps.Camera]:
    """Return the flows the map draws, and where it looks as it opens."""
    rows = flowmap.flow_rows(snapshot, view)
    top = rows[flowmap.on_map(snapshot, view, rows) == "yes"]
    room = NAMES_ROOM if view.width < PHONE_PX else PLAIN_ROOM
    bounds = flowmap.flow_bounds(snapshot, top, room=room) or maps.people_bounds(snapshot)
    return top, bounds, maps.camera_for(bounds, window_px=_map_window_px(view))


def map_legend(snapshot: Snapshot, view: View, words: Words) -> html.Div | None:
    """Return what the widths of the arrows mean."""
    top, bounds, camera = _drawn(snapshot, view)
    return arrow_legend.legend(
        snapshot, top, words, color=charts.SOURCE_COLORS[view.source], unit=unit_of(view), bounds=bounds, camera=camera
    )


def map_figure(snapshot: Snapshot, view: View, words: Words) -> tuple[go.Figure, int]:
    """Return the arrows of the view's largest flows on the release's own borders, and how many there are."""
    top, bounds, camera = _drawn(snapshot, view)
    selected = snapshot.area_or_home(view.area)
    keep = f"{view.scope}-{view.source}-{selected}-{view.flow_level}"
    figure = maps.base_figure(snapshot, camera, layers=maps.district_lines(snapshot), keep=keep)
    if selected != snapshot.home:
        outline = maps.outline_trace(snapshot.shapes(snapshot.level_of(selected)).get(selected))
        figure.add_traces([outline] if outline is not None else [])
    arrows = flowmap.arrow_traces(
        snapshot, top, words, source=view.source, color=charts.SOURCE_COLORS[view.source], unit=unit_of(view),
        bounds=bounds,
    )  # fmt: skip
    names = end_labels.end_labels(snapshot, top, words, camera=camera, district=district_of(snapshot, view))
    figure.add_traces([*arrows, *names])
    return figure, len(top)


def map_note(snapshot: Snapshot, view: View, words: Words, *, drawn: int) -> str:
    """Say who told it, how much of it is drawn, and what a map can't show."""
    rows = flowmap.flow_rows(snapshot, view)
    hidden = int((rows["status"] == "suppressed").sum())
    nowhere = int((rows["origin"].isin(NOWHERE) | rows["destination"].isin(NOWHERE)).sum())
    pieces = [words(f"flows.told.{view.source}")]
    if drawn:
        pieces.append(words("flows.drawn", drawn=drawn, all=len(rows)))
    if hidden and drawn:
        pieces.append(words("flows.hidden", n=hidden))
    if nowhere:
        pieces.append(words("flows.nowhere"))
    value, status = flowmap.own_moves(snapshot, view)
    if view.source != CHECKPOINT and status != "not_reported":
        shown = words.number(value) if status == "published" else words(f"status.{status}")
        area = snapshot.full_name(snapshot.area_or_home(view.area), words)
        pieces.append(words("flows.stayed" if view.source in SURVEY_SOURCES else "flows.own", area=area, value=shown))
    return " ".join(filter(None, (*pieces, all_reasons(view, words))))


def map_empty(snapshot: Snapshot, view: View, words: Words, *, drawn: int) -> list[html.P]:
    """Return what is the case where the map has no arrow, and what to do."""
    if drawn:
        return []
    rows = flowmap.flow_rows(snapshot, view)
    hidden = int((rows["status"] == "suppressed").sum())
    if hidden:
        return nothing(words("flows.no_open_pairs", n=hidden), words("flows.try"))
    return nothing(words("flows.only_nowhere") if len(rows) else _no_pairs(view, words), words("flows.try"))


def map_about(snapshot: Snapshot, view: View, words: Words) -> html.Details:
    """Return the formula and what is behind the map's flows."""
    frame = flowmap.flow_rows(snapshot, view)
    return _how(snapshot, view, words, frame=frame, formula=about.formula_of(words, view.source))


def _no_pairs(view: View, words: Words) -> str:
    if view.source == RECONCILED and view.flow_level == KHOROO_LEVEL:
        return words("flows.no_khoroo_pairs")
    if view.source == RECONCILED and view.flow_level == CITY_LEVEL:
        return words("flows.no_city_pairs")
    return words("flows.no_pairs")


def _district_note(snapshot: Snapshot, view: View, words: Words, matrix: Matrix) -> str:
    if matrix.district is None:
        return ""
    name = snapshot.name(matrix.district, words)
    chosen = district_of(snapshot, view) is not None
    return words("matrix.district", district=name) if chosen else words("matrix.first_district", district=name)


def _pair_notes(snapshot: Snapshot, view: View, words: Words, matrix: Matrix) -> list[str]:
    told = [words(f"flows.told.{view.source}"), _district_note(snapshot, view, words, matrix), all_reasons(view, words)]
    return [" ".join(filter(None, told))]


def matrix_panel(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return the origin-destination matrix."""
    matrix = od_matrix.build_matrix(snapshot, view)
    frame = od_matrix.matrix_pairs(snapshot, view)
    if not matrix.rows or not matrix.columns or frame.empty:
        return nothing(_no_pairs(view, words), words("flows.try"))
    figure = od_matrix.matrix_figure(snapshot, view, words, matrix)
    traces = {trace.name: trace for trace in figure.data}
    kinds, unit = set(traces), words(f"unit.{unit_of(view)}")
    legend = [
        (words(word, value=words.number(float(traces[kind].zmax)), unit=unit), "", swatch)
        for kind, word, swatch in SCALE_WORDS
        if kind in kinds
    ]
    legend += [(words(od_matrix.own_word(view)), od_matrix.OWN_FILL, "")] if "own" in kinds else []
    if "suppressed" in kinds:
        legend.append((words("status.suppressed"), "", "swatch-suppressed"))
    legend += [
        (words(f"status.{status}"), od_matrix.FILLS[status], "swatch-empty")
        for status in ("not_reported", "undefined")
        if status in kinds
    ]
    if od_matrix.NONE in kinds:
        legend.append((words("matrix.none"), od_matrix.FILLS[od_matrix.NONE], ""))
    how = _how(
        snapshot, view, words, frame=frame, formula=about.formula_of(words, view.source), pcode=matrix.district
    )  # fmt: skip
    notes = _pair_notes(snapshot, view, words, matrix)
    return [
        parts.swatches(legend),
        block("matrix", figure, label=words("matrix.label"), notes=notes, how=how, width_px=view.width),
    ]


def _nothing_drawn(view: View, words: Words, bands: sankey.Bands) -> str:
    """Say why no band is drawn."""
    if bands.hidden:
        return words("flows.no_open_pairs", n=bands.hidden)
    return words("flows.none_in_scope") if bands.gaps or bands.elsewhere else _no_pairs(view, words)


def sankey_panel(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return the bands from origins to destinations."""
    matrix = od_matrix.build_matrix(snapshot, view)
    bands = sankey.choose_bands(snapshot, view, matrix)
    frame = od_matrix.matrix_pairs(snapshot, view)
    pieces = [words("sankey.drawn", drawn=bands.drawn)]
    if bands.grouped:
        value = words.number(bands.grouped_persons)
        pieces.append(words("sankey.grouped", n=bands.grouped, value=value, unit=words(f"unit.{unit_of(view)}")))
    if bands.hidden:
        pieces.append(words("sankey.hidden", n=bands.hidden))
    if not bands.links:
        return nothing(_nothing_drawn(view, words, bands), words("flows.try"))
    figure = sankey.sankey_figure(snapshot, view, words, matrix, bands)
    how = _how(
        snapshot, view, words, frame=frame, formula=about.formula_of(words, view.source), pcode=matrix.district
    )  # fmt: skip
    notes = [" ".join(pieces), *_pair_notes(snapshot, view, words, matrix)]
    heads = html.Div(
        [html.Span(words("matrix.axis.origin")), html.Span(words("matrix.axis.destination"))], className="sankey-heads"
    )
    return [heads, block("sankey", figure, label=words("sankey.label"), notes=notes, how=how, width_px=view.width)]


def bars_panel(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return in, out and net by area, or by checkpoint."""
    if view.source == CHECKPOINT:
        return checkpoint_bars(snapshot, view, words)
    totals = flow_bars.area_totals(snapshot, view)
    key, sides = flow_bars.key_of(view), sides_of(view)
    if totals.empty or (totals[["in_status", "out_status"]] == "not_reported").all(axis=None):
        return nothing(words("flows.no_totals"), words("flows.try"))
    if totals[[side for side in sides if side != "net"]].isna().all(axis=None):
        hidden = int((totals[[f"{side}_status" for side in sides]] == "suppressed").any(axis=1).sum())
        text = words("bars.no_open", n=hidden) if hidden else words("flows.no_totals")
        return nothing(text, words("flows.try"))
    shown = flow_bars.shown_ends(totals, key=key)
    names = [_bar_name(snapshot, str(code), words, view) for code in shown.index]
    figure = flow_bars.in_out_net(
        shown,
        names,
        words,
        direction=view.direction,
        unit=unit_of(view),
        width_px=view.width - SIDES_PX,
        net=words("key.net"),
    )
    counts = totals[f"{key}_status"].value_counts()
    notes = [
        words("bars.told" if is_told(view.source) else "bars.summed"),
        words("bars.ends", shown=len(shown), all=len(totals)) if len(shown) < len(totals) else "",
        *(words(f"bars.{gap}", n=int(counts[gap])) for gap in ("suppressed", "not_reported") if gap in counts),
    ]
    facts = about.facts_of(
        snapshot, words, source=view.source, pcode=_told_by(snapshot, view),
        round_number=snapshot.round_or_last(view.round),
        frame=pairs(snapshot, view, level=view.flow_level),
    )  # fmt: skip
    how = about.details(
        words, formula=flow_bars.net_formula(words, view), reference=about.literature(view.source), facts=facts,
        statuses=side_counts(totals, sides),
    )  # fmt: skip
    return [block("bars", figure, label=words("bars.label"), notes=[" ".join(filter(None, notes))], how=how,
                  width_px=view.width)]  # fmt: skip


def _told_by(snapshot: Snapshot, view: View) -> str:
    """Return the area whose units told the bars: a district for its khoroos, else the whole."""
    district = district_of(snapshot, view)
    return district if view.flow_level == KHOROO_LEVEL and district is not None else snapshot.home


def _bar_name(snapshot: Snapshot, code: str, words: Words, view: View) -> str:
    in_district = district_of(snapshot, view) is not None
    return snapshot.name(code, words) if in_district else snapshot.full_name(code, words)


def profile_panel(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return who moved and why, or at which hours."""
    if view.source == CHECKPOINT:
        return checkpoint_week(snapshot, view, words)
    if not is_told(view.source):
        return nothing(words("profile.returns_only"), words("flows.choose_returns"))
    pcode, number = _place_and_round(snapshot, view)
    made = [(kind, flow_bars.breakdown_figure(snapshot, view, words, kind)) for kind in flow_bars.BREAKDOWNS]
    drawn = [(kind, figure) for kind, figure in made if figure is not None]
    if not drawn:
        return nothing(words("profile.none"), words("flows.try"))
    blocks = []
    for kind, figure in drawn:
        frame = flow_bars.breakdown_rows(snapshot, view, kind)
        how = about.details(
            words, formula=words(f"about.breakdown.{kind}"), reference=about.DTM_FRAMEWORK,
            facts=about.returns_facts(snapshot, words, pcode=pcode, round_number=number),
            statuses=status_counts(frame),
        )  # fmt: skip
        unit = words(f"unit.{unit_of(view) if kind == 'reason' else 'persons'}")
        title = f"{words(f'breakdown.{kind}')}, {unit}"
        blocks.append(block(kind, figure, label=title, notes=[], how=how, width_px=PROFILE_PX, title=title))
    return [html.P(words(f"flows.told.{view.source}"), className="note"), html.Div(blocks, className="flow-blocks")]


def system_panel(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return the indices of the level's areas as one system."""
    if view.source not in SYSTEM_SOURCES:
        return nothing(words("system.returns_only"), words("flows.choose_returns"))
    number = snapshot.round_or_last(view.round)
    frame = system_rows(snapshot, round_number=number, source=view.source, level=view.flow_level)
    if frame.empty:
        return nothing(words("system.none"), words("flows.try"))
    facts = about.returns_facts(snapshot, words, pcode=snapshot.home, round_number=number)
    how = about.details(
        words, formula=words("about.system"), reference=about.BELL, facts=facts, statuses=status_counts(frame)
    )  # fmt: skip
    intro = words("system.intro", level=flow_bars.level_name(words, view.flow_level).lower())
    return [html.P(intro, className="note note-above"), system_table(words, frame), how]


PANELS: dict[str, Callable[[Snapshot, View, Words], list[Any]]] = {
    "matrix": matrix_panel,
    "sankey": sankey_panel,
    "bars": bars_panel,
    "profile": profile_panel,
    "trends": trends_panel,
    "system": system_panel,
}
"""What fills a tab, by its name."""

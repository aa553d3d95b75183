"""Fill the tabs of the page of flows: one chart at a time, each with its formula and what is behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from dashboard import about, breaks, charts, flow_bars, flowmap, maps, od_matrix, parts, passage_charts, sankey, trends
from dashboard.flow_sources import (
    CHECKPOINT,
    CITY_LEVEL,
    KHOROO_LEVEL,
    NOWHERE,
    RECONCILED,
    SIDES,
    TOTAL,
    is_told,
    pairs,
    reason_of,
    status_counts,
    unit_of,
    worst,
)
from dashboard.state import RETURN_SOURCES
from dashboard.system_table import system_rows, system_table

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import plotly.graph_objects as go

    from dashboard.od_matrix import Matrix
    from dashboard.reader import Snapshot
    from dashboard.state import View
    from dashboard.words import Words

NARROW_PX, WHOLE_WIDTH = 990, 1.55
STILL = {**parts.GRAPH_CONFIG, "scrollZoom": False}
"""A chart on which the page scrolls on."""
SYSTEM_SOURCES = (*RETURN_SOURCES, RECONCILED)


def block(
    name: str, figure: go.Figure, *, label: str, notes: list[str], how: html.Details | None, title: str = ""
) -> html.Div:
    """Return a chart with what must be said of it under it."""
    figure.update_layout(dragmode=False)
    return html.Div(
        [
            html.H3(title, className="panel-subtitle") if title else None,
            parts.graph(
                f"flows-{name}", label=label, height=int(figure.layout.height), figure=figure, config=STILL
            ),
            *[html.P(note, className="note") for note in notes if note],
            how,
        ],
        className="flow-block",
    )  # fmt: skip


def nothing(text: str) -> list[html.P]:
    """Return a sentence where there is nothing to draw."""
    return [html.P(text, className="flow-empty")]


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


def map_figure(snapshot: Snapshot, view: View, words: Words) -> tuple[go.Figure, int]:
    """Return the arrows of the view's largest flows on the release's own borders, and how many there are."""
    rows = flowmap.flow_rows(snapshot, view)
    placed = ~(rows["origin"].isin(NOWHERE) | rows["destination"].isin(NOWHERE))
    top = rows[placed & rows["value"].notna() & (rows["value"] > 0)].head(view.top)
    bounds = flowmap.flow_bounds(snapshot, top) or maps.people_bounds(snapshot)
    camera = maps.camera_for(bounds, window_px=_map_window_px(view))
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
    figure.add_traces([*arrows, flowmap.end_labels(snapshot, top, words)])
    return figure, len(top)


def map_note(snapshot: Snapshot, view: View, words: Words, *, drawn: int) -> str:
    """Say who told it, how much of it is drawn, and what a map can't show."""
    rows = flowmap.flow_rows(snapshot, view)
    hidden = int((rows["status"] == "suppressed").sum())
    nowhere = int((rows["origin"].isin(NOWHERE) | rows["destination"].isin(NOWHERE)).sum())
    pieces = [words(f"flows.told.{view.source}")]
    if drawn:
        pieces.append(words("flows.drawn", drawn=drawn, all=len(rows)))
    else:
        pieces.append(words("flows.no_open_pairs", n=hidden) if hidden else _no_pairs(view, words))
    if hidden and drawn:
        pieces.append(words("flows.hidden", n=hidden))
    if nowhere:
        pieces.append(words("flows.nowhere"))
    value, status = flowmap.own_moves(snapshot, view)
    if view.source != CHECKPOINT and status != "not_reported":
        shown = words.number(value) if status == "published" else words(f"status.{status}")
        pieces.append(words("flows.own", area=snapshot.full_name(snapshot.area_or_home(view.area), words), value=shown))
    return " ".join(filter(None, (*pieces, all_reasons(view, words))))


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
    chosen = od_matrix.district_of(snapshot, view) is not None
    return words("matrix.district", district=name) if chosen else words("matrix.first_district", district=name)


def _pair_notes(snapshot: Snapshot, view: View, words: Words, matrix: Matrix) -> list[str]:
    told = [words(f"flows.told.{view.source}"), _district_note(snapshot, view, words, matrix), all_reasons(view, words)]
    return [" ".join(filter(None, told))]


def matrix_panel(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return the origin-destination matrix."""
    matrix = od_matrix.build_matrix(snapshot, view)
    frame = od_matrix.matrix_pairs(snapshot, view)
    if not matrix.rows or not matrix.columns or frame.empty:
        return nothing(_no_pairs(view, words))
    figure = od_matrix.matrix_figure(snapshot, view, words, matrix)
    kinds = {trace.name for trace in figure.data}
    legend = [(words("matrix.own"), od_matrix.OWN_FILL, "")] if "own" in kinds else []
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
    return [parts.swatches(legend), block("matrix", figure, label=words("matrix.label"), notes=notes, how=how)]


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
        return nothing(words("flows.no_open_pairs", n=bands.hidden) if bands.hidden else _no_pairs(view, words))
    figure = sankey.sankey_figure(snapshot, view, words, matrix, bands)
    how = _how(
        snapshot, view, words, frame=frame, formula=about.formula_of(words, view.source), pcode=matrix.district
    )  # fmt: skip
    notes = [" ".join(pieces), *_pair_notes(snapshot, view, words, matrix)]
    heads = html.Div(
        [html.Span(words("matrix.axis.origin")), html.Span(words("matrix.axis.destination"))], className="sankey-heads"
    )
    return [heads, block("sankey", figure, label=words("sankey.label"), notes=notes, how=how)]


def bars_panel(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return in, out and net by area, or by checkpoint."""
    if view.source == CHECKPOINT:
        return _checkpoint_bars(snapshot, view, words)
    totals = flow_bars.area_totals(snapshot, view)
    key = "net" if view.direction == "both" else view.direction
    if totals.empty or (totals[["in_status", "out_status"]] == "not_reported").all(axis=None):
        return nothing(words("flows.no_totals"))
    shown = flow_bars.shown_ends(totals, key=key)
    names = [_bar_name(snapshot, str(code), words, view) for code in shown.index]
    figure = flow_bars.in_out_net(shown, names, words, direction=view.direction, unit=unit_of(view))
    counts = totals[f"{key}_status"].value_counts()
    notes = [
        words("bars.told" if is_told(view.source) else "bars.summed"),
        words("bars.ends", shown=len(shown), all=len(totals)) if len(shown) < len(totals) else "",
        *(words(f"bars.{gap}", n=int(counts[gap])) for gap in ("suppressed", "not_reported") if gap in counts),
    ]
    sides = SIDES if view.direction == "both" else (view.direction,)
    facts = about.facts_of(
        snapshot, words, source=view.source, pcode=snapshot.home, round_number=snapshot.round_or_last(view.round),
        frame=pairs(snapshot, view, level=view.flow_level),
    )  # fmt: skip
    how = about.details(
        words, formula=flow_bars.net_formula(words, view), reference=about.literature(view.source), facts=facts,
        statuses=_side_counts(totals, sides),
    )  # fmt: skip
    return [block("bars", figure, label=words("bars.label"), notes=[" ".join(filter(None, notes))], how=how)]


def _side_counts(totals: pd.DataFrame, sides: tuple[str, ...]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for side in sides:
        for status, count in totals[f"{side}_status"].value_counts().items():
            counts[str(status)] = counts.get(str(status), 0) + int(count)
    return counts


def _bar_name(snapshot: Snapshot, code: str, words: Words, view: View) -> str:
    in_district = od_matrix.district_of(snapshot, view) is not None
    return snapshot.name(code, words) if in_district else snapshot.full_name(code, words)


def _checkpoint_bars(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    number = snapshot.round_or_last(view.round)
    totals = passage_charts.by_checkpoint(snapshot, round_number=number)
    if totals.empty:
        return nothing(words("passage.none"))
    labels = snapshot.labels("checkpoint", words)
    names = [labels.get(code, code) for code in totals.index]
    figure = flow_bars.in_out_net(totals, names, words, direction=view.direction, unit="persons")
    frame = snapshot.rows("passage_day", round_number=number, measure="persons")
    hidden = int((frame["status"] == "suppressed").sum())
    through = snapshot.rows(
        "flow", round_number=number, source="checkpoint_through", counterpart=TOTAL, reason=TOTAL, measure="persons"
    )  # fmt: skip
    notes = [words("flows.told.checkpoint"), words("passage.hours_observed")]
    if hidden:
        notes.append(words("passage.hidden_days", n=hidden))
    if not through.empty:
        status = worst(through["status"])
        value = words.number(float(through["value"].sum())) if status == "published" else words(f"status.{status}")
        notes.append(words("passage.through", value=value))
    how = about.details(
        words, formula=words("about.checkpoint.sum"), reference=about.DTM_FRAMEWORK,
        facts=about.watch_facts(snapshot, words, round_number=number), statuses=status_counts(frame),
    )  # fmt: skip
    return [block("bars", figure, label=words("bars.label"), notes=[" ".join(notes)], how=how)]


def profile_panel(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return who moved and why, or at which hours."""
    if view.source == CHECKPOINT:
        return _week(snapshot, view, words)
    if not is_told(view.source):
        return nothing(words("profile.returns_only"))
    pcode, number = _place_and_round(snapshot, view)
    made = [(kind, flow_bars.breakdown_figure(snapshot, view, words, kind)) for kind in flow_bars.BREAKDOWNS]
    drawn = [(kind, figure) for kind, figure in made if figure is not None]
    if not drawn:
        return nothing(words("profile.none"))
    blocks = []
    for kind, figure in drawn:
        frame = flow_bars.breakdown_rows(snapshot, view, kind)
        how = about.details(
            words, formula=words(f"about.breakdown.{kind}"), reference=about.DTM_FRAMEWORK,
            facts=about.returns_facts(snapshot, words, pcode=pcode, round_number=number),
            statuses=status_counts(frame),
        )  # fmt: skip
        title = words(f"breakdown.{kind}")
        blocks.append(block(kind, figure, label=title, notes=[], how=how, title=title))
    return [html.P(words(f"flows.told.{view.source}"), className="note"), html.Div(blocks, className="flow-blocks")]


def _week(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    number = snapshot.round_or_last(view.round)
    side = "net" if view.direction == "both" else view.direction
    frame = snapshot.rows("passage_hour", round_number=number)
    if frame.empty:
        return nothing(words("passage.no_hours"))
    figure = passage_charts.week(snapshot, words, round_number=number, side=side)
    how = about.details(
        words, formula=words("about.checkpoint.week"), reference=about.DTM_FRAMEWORK,
        facts=about.watch_facts(snapshot, words, round_number=number), statuses=status_counts(frame),
    )  # fmt: skip
    notes = [words(f"passage.week.{side}")]
    if (frame["status"] == "suppressed").any():
        notes.append(words("passage.week_hidden"))
    return [block("week", figure, label=words("passage.week"), notes=[" ".join(notes)], how=how,
                  title=words("passage.week"))]  # fmt: skip


def trends_panel(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return the area's moves, people and coverage over the rounds, or the days at the checkpoints."""
    if view.source == CHECKPOINT:
        return _days(snapshot, view, words)
    pcode, source = snapshot.area_or_home(view.area), view.source
    reason, unit = reason_of(snapshot, view), unit_of(view)
    size = {"height": 300 if view.width >= NARROW_PX else 380, "width_px": view.width - 60}
    moves = trends.moves_trend(
        snapshot, words, pcode=pcode, source=source, unit=unit, reason=reason, direction=view.direction, **size
    )
    shown = trends.moves_rows(snapshot, pcode=pcode, source=source, unit=unit, reason=reason)
    facts = about.returns_facts(snapshot, words, pcode=pcode)
    sides = SIDES if view.direction == "both" else (view.direction,)
    how = about.details(
        words, formula=flow_bars.net_formula(words, view), reference=about.literature(source), facts=facts,
        statuses=_side_counts(shown, sides),
    )  # fmt: skip
    share = int(charts.COMPLETE_SHARE * 100)
    people = trends.population_trend(snapshot, words, pcode=pcode, **size)
    told = breaks.told(breaks.breaks_of(snapshot, words, ("registered", "registration", "all")), words)
    covered = trends.coverage_trend(snapshot, words, pcode=pcode, width_px=view.width - 60)
    people_how = about.details(
        words, formula=words("about.population"), reference=about.DTM_FRAMEWORK, facts=facts
    )  # fmt: skip
    return [
        block("moves", moves, label=words("overview.moves"), notes=[], how=how, title=words("trend.moves")),
        block("people", people, label=words("overview.trend"), title=words("overview.trend"), how=people_how,
              notes=[words("overview.open_marker", share=share), words("trend.lines"), *told]),
        block("coverage", covered, label=words("key.coverage"), notes=[], how=None, title=words("key.coverage")),
    ]  # fmt: skip


def _days(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    number = snapshot.round_or_last(view.round)
    frame = snapshot.rows("passage_day", round_number=number, measure="persons")
    estimates = snapshot.rows("passage_estimate", round_number=number, checkpoint=TOTAL)
    if frame.empty and estimates.empty:
        return nothing(words("passage.none"))
    figure = passage_charts.daily(snapshot, words, round_number=number, direction=view.direction)
    how = about.details(
        words, formula=words("about.checkpoint.day"), reference=about.DTM_FRAMEWORK,
        facts=about.watch_facts(snapshot, words, round_number=number),
        statuses=status_counts(frame if estimates.empty else estimates),
    )  # fmt: skip
    notes = [words("passage.daily_note")]
    notes.append(words("passage.no_estimates") if estimates.empty else "")
    return [block("daily", figure, label=words("passage.daily"), notes=[" ".join(filter(None, notes))], how=how,
                  title=words("passage.daily"))]  # fmt: skip


def system_panel(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return the indices of the level's areas as one system."""
    if view.source not in SYSTEM_SOURCES:
        return nothing(words("system.returns_only"))
    number = snapshot.round_or_last(view.round)
    frame = system_rows(snapshot, round_number=number, source=view.source, level=view.flow_level)
    if frame.empty:
        return nothing(words("system.none"))
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

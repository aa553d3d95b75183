"""Fill the tabs of the page of flows that show time: trends over the rounds, days and hours at the checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dash import html

from dashboard import about, breaks, charts, flow_bars, passage_charts, trends
from dashboard.flow_sources import CHECKPOINT, TOTAL, reason_of, sides_of, status_counts, unit_of, worst
from dashboard.pages._flows_blocks import NARROW_PX, SIDES_PX, block, nothing, side_counts

if TYPE_CHECKING:
    from dashboard.reader import Snapshot
    from dashboard.state import View
    from dashboard.words import Words


def trends_panel(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    """Return the area's moves, people and coverage over the rounds, or the days at the checkpoints."""
    if view.source == CHECKPOINT:
        return checkpoint_days(snapshot, view, words)
    pcode, source = snapshot.area_or_home(view.area), view.source
    reason, unit = reason_of(snapshot, view), unit_of(view)
    size = {"height": 300 if view.width >= NARROW_PX else 380, "width_px": view.width - 60}
    moves = trends.moves_trend(
        snapshot, words, pcode=pcode, source=source, unit=unit, reason=reason, direction=view.direction, **size
    )
    shown = trends.moves_rows(snapshot, pcode=pcode, source=source, unit=unit, reason=reason)
    facts = about.returns_facts(snapshot, words, pcode=pcode)
    sides = sides_of(view)
    how = about.details(
        words, formula=flow_bars.net_formula(words, view), reference=about.literature(source), facts=facts,
        statuses=side_counts(shown, sides),
    )  # fmt: skip
    share = int(charts.COMPLETE_SHARE * 100)
    open_marker = words("overview.open_marker", share=share)
    alone = words("trend.one_round") if len(snapshot.rounds) == 1 else ""
    people = trends.population_trend(snapshot, words, pcode=pcode, **size)
    told = breaks.told(breaks.breaks_of(snapshot, words, ("registered", "registration", "all"), pcode=pcode), words)
    covered = trends.coverage_trend(snapshot, words, pcode=pcode, width_px=view.width - 60)
    people_how = about.details(
        words, formula=words("about.population"), reference=about.DTM_FRAMEWORK, facts=facts
    )  # fmt: skip
    title = f"{words('trend.moves')}, {words(f'unit.{unit}')}"
    people_title = f"{words('overview.trend')}, {words('unit.persons')}"
    drawn = not shown[[side for side in sides if side != "net"]].isna().all(axis=None)
    return [
        block("moves", moves, label=words("overview.moves"), notes=[alone, open_marker],
              how=how, width_px=view.width, title=title)
        if drawn
        else html.Div(
            [html.H3(title, className="panel-subtitle"), *nothing(words("trend.none"), words("flows.try")), how]
        ),
        block("people", people, label=words("overview.trend"), how=people_how, width_px=view.width,
              title=people_title, notes=[open_marker, words("trend.lines"), *told])
        if trends.has_people(snapshot, pcode)
        else html.Div(
            [html.H3(people_title, className="panel-subtitle"),
             html.P(words("nothing.people"), className="flow-empty"), people_how]
        ),
        block("coverage", covered, label=words("key.coverage"), notes=[], how=None, width_px=view.width,
              title=words("key.coverage")),
    ]  # fmt: skip


def checkpoint_days(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    number = snapshot.round_or_last(view.round)
    frame = snapshot.rows("passage_day", round_number=number, measure="persons")
    estimates = passage_charts.estimated_days(snapshot, round_number=number)
    if frame.empty and estimates.empty:
        return nothing(words("passage.none"), words("flows.try"))
    figure = passage_charts.daily(
        snapshot, words, round_number=number, direction=view.direction, width_px=view.width - SIDES_PX
    )
    how = about.details(
        words, formula=words("about.checkpoint.day"), reference=about.DTM_FRAMEWORK,
        facts=about.watch_facts(snapshot, words, round_number=number),
        statuses=status_counts(frame if estimates.empty else estimates),
    )  # fmt: skip
    notes = [words("passage.daily_note")]
    notes.append(words("passage.no_estimates") if estimates.empty else "")
    return [block("daily", figure, label=words("passage.daily"), notes=[" ".join(filter(None, notes))], how=how,
                  width_px=view.width, title=words("passage.daily"))]  # fmt: skip


def checkpoint_week(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    number = snapshot.round_or_last(view.round)
    side = passage_charts.side_of(view.direction)
    frame = snapshot.rows("passage_hour", round_number=number)
    if frame.empty:
        return nothing(words("passage.no_hours"), words("flows.try"))
    figure = passage_charts.week(snapshot, words, round_number=number, side=side)
    how = about.details(
        words, formula=words("about.checkpoint.week"), reference=about.DTM_FRAMEWORK,
        facts=about.watch_facts(snapshot, words, round_number=number), statuses=status_counts(frame),
    )  # fmt: skip
    notes = [words(f"passage.week.{side}")]
    if (frame["status"] == "suppressed").any():
        notes.append(words("passage.week_hidden"))
    return [block("week", figure, label=words("passage.week"), notes=[" ".join(notes)], how=how,
                  width_px=view.width, title=words("passage.week"))]  # fmt: skip


def checkpoint_bars(snapshot: Snapshot, view: View, words: Words) -> list[Any]:
    number = snapshot.round_or_last(view.round)
    totals = passage_charts.by_checkpoint(snapshot, round_number=number)
    if totals.empty:
        return nothing(words("passage.none"), words("flows.try"))
    labels = snapshot.labels("checkpoint", words)
    names = [labels.get(code, code) for code in totals.index]
    figure = flow_bars.in_out_net(
        totals,
        names,
        words,
        direction=view.direction,
        unit="persons",
        width_px=view.width - SIDES_PX,
        net=words("passage.net"),
    )
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
    return [block("bars", figure, label=words("bars.label"), notes=[" ".join(notes)], how=how, width_px=view.width)]

"""The page of flows says who told what, never draws a hidden figure, and works without estimates."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from dashboard import breaks, flow_bars, flow_sources, flow_tables, flowmap, od_matrix, passage_charts, sankey, trends
from dashboard.pages import flows
from dashboard.pages._flows_panels import PANELS
from dashboard.reader import Reader
from dashboard.state import FLOW_LEVELS, SOURCES, SURVEY_SOURCES, TABS, View
from dashboard.words import LANGUAGES, Words
from tests.dashboard.make_estimates import BREAK, HIDDEN_PAIR
from tests.dashboard.make_release import (
    SUPPRESSED_KHOROO,
    UNREPORTED_KHOROO,
    make_release,
    make_workspace,
)
from tests.dashboard.test_pages import text_of

EN = Words("en")
CITY, FIRST, SECOND, THIRD = "MN11", "MN1101", "MN1107", "MN1110"


def graphs(component) -> list:
    """Return the figures among components."""
    if isinstance(component, (list, tuple)):
        return [figure for part in component for figure in graphs(part)]
    own = getattr(component, "figure", None)
    children = getattr(component, "children", None)
    return [own] if own is not None else [] if children is None else graphs(children)


def panel(snapshot, **view):
    return PANELS[view["tab"]](snapshot, View(lang="en", **view), EN)


def test_a_matrix_of_the_districts_by_hand(snapshot):
    matrix = od_matrix.build_matrix(snapshot, View())
    assert matrix.rows == [FIRST, SECOND, THIRD, "aimags", "abroad"]
    assert matrix.columns == [FIRST, SECOND, THIRD]
    # 603 arrived in a district: half from the first district, a fifth from each other, half from Arkhangai
    assert matrix.at(FIRST, SECOND).value == 603 // 2
    assert matrix.at(THIRD, SECOND).value == 603 // 5
    assert matrix.at("aimags", THIRD).value == 603 // 2
    assert matrix.at(SECOND, SECOND).value == 603 // 5


def test_departures_put_the_aimags_among_the_destinations(snapshot):
    matrix = od_matrix.build_matrix(snapshot, View(source="departures"))
    assert (matrix.rows[-1], matrix.columns[-2:]) == (THIRD, ["aimags", "abroad"])
    assert matrix.at(FIRST, SECOND).value == 403 // 5


def test_khoroos_of_a_district_against_districts_say_every_gap(snapshot):
    matrix = od_matrix.build_matrix(snapshot, View(flow_level=3, area=SECOND))
    assert matrix.rows == [f"{SECOND}{n:02d}" for n in range(1, 5)]
    assert matrix.at(SUPPRESSED_KHOROO, FIRST).status == "suppressed"
    silent = od_matrix.build_matrix(snapshot, View(flow_level=3, area=UNREPORTED_KHOROO))
    assert {silent.at(UNREPORTED_KHOROO, column).status for column in silent.columns} == {"not_reported"}
    assert all(silent.at(UNREPORTED_KHOROO, column).value is None for column in silent.columns)


def test_the_city_with_other_places(snapshot):
    arrivals = od_matrix.build_matrix(snapshot, View(flow_level=1))
    assert (arrivals.rows, arrivals.columns) == (["MN65", "abroad"], ["in"])
    counted = od_matrix.build_matrix(snapshot, View(source="checkpoint"))
    assert (counted.at("MN83", "in").value, counted.at("MN83", "out").value) == (4321, 1234)


def test_hidden_aimags_are_known_together_where_the_release_knows_them(snapshot, monkeypatch):
    cells = {("aimags", SECOND): od_matrix.Cell(None, "suppressed", hidden_parts=3)}
    found = od_matrix._group_cells(snapshot, View(), cells, level=2)
    assert found["aimags", SECOND].value == int(603 * 0.5)
    assert od_matrix._group_cells(snapshot, View(unit="households"), cells, level=2) == {}


def test_a_reconciled_pair_has_its_interval_and_a_hidden_one_has_nothing(snapshot):
    view = View(source="reconciled")
    matrix = od_matrix.build_matrix(snapshot, view)
    cell = matrix.at(FIRST, SECOND)
    assert (cell.value, cell.low, cell.high) == (28.0, 15.0, 35.0)
    assert "95% interval: 15–35" in od_matrix.cell_text(cell, EN, unit="persons")
    hidden = matrix.at(*HIDDEN_PAIR)
    assert (hidden.value, hidden.low, od_matrix.cell_text(hidden, EN, unit="persons")) == (None, None, "Hidden")


def test_the_drawn_matrix_keeps_own_moves_and_gaps_off_its_scale(snapshot):
    view = View(source="reconciled", lang="en")
    figure = od_matrix.matrix_figure(snapshot, view, EN, od_matrix.build_matrix(snapshot, view))
    traces = {trace.name: trace for trace in figure.data}
    assert set(traces) == {"value", "own", "suppressed", "hatch"}
    row, column = 1, 2
    assert traces["value"].z[row][column] is None
    assert traces["suppressed"].text[row][column] == "hidden"
    assert traces["value"].zmax == 28.0
    assert [traces["value"].z[i][i] for i in range(3)] == [None] * 3
    assert [traces["own"].text[i][i] for i in range(3)] == ["28"] * 3
    assert len(traces["hatch"].x) > 3


def test_other_places_do_not_drown_the_areas(snapshot):
    view = View(lang="en")
    figure = od_matrix.matrix_figure(snapshot, view, EN, od_matrix.build_matrix(snapshot, view))
    traces = {trace.name: trace for trace in figure.data}
    assert traces["value"].zmax == 603 // 2
    assert [row[0] for row in traces["value"].z][-2:] == [None, None]
    assert [row[0] for row in traces["outside"].z][-2:] == [603 // 2, 603 // 10]
    said = text_of(panel(snapshot, tab="matrix"))
    assert "a scale of its own, 0–301 people" in said
    assert "0–301 people" in said.replace("a scale of its own, 0–301 people", "")


def test_numbers_are_printed_where_there_is_room(snapshot):
    matrix = od_matrix.build_matrix(snapshot, View(source="reconciled"))
    matrix = od_matrix.Matrix(matrix.rows, matrix.columns * 6, matrix.cells, "square", 2, CITY)
    narrow = od_matrix.matrix_figure(snapshot, View(width=390), EN, matrix)
    assert {text for trace in narrow.data if trace.text for line in trace.text for text in line} == {""}


def test_bands_hold_every_open_flow_and_count_the_hidden(snapshot):
    view = View(source="reconciled", top=2)
    bands = sankey.choose_bands(snapshot, view, od_matrix.build_matrix(snapshot, view))
    assert (bands.drawn, bands.grouped, bands.hidden) == (2, 3, 1)
    assert sum(value for *_, value in bands.links) == 5 * 28  # six pairs of three districts, one of them hidden
    figure = sankey.sankey_figure(snapshot, view, EN, od_matrix.build_matrix(snapshot, view), bands)
    links = figure.data[0].link
    assert len(links.value) == len(bands.links)
    assert max(links.target) < len(figure.data[0].node.label)
    drawn = {(a, b) for a, b, _ in bands.links}
    assert HIDDEN_PAIR not in drawn
    assert all(a != b for a, b in drawn)


def test_bands_follow_area_and_direction(snapshot):
    def ends(direction):
        view = View(source="reconciled", area=SECOND, direction=direction)
        bands = sankey.choose_bands(snapshot, view, od_matrix.build_matrix(snapshot, view))
        return {(a, b) for a, b, _ in bands.links}, bands.hidden

    assert ends("in") == ({(FIRST, SECOND), (THIRD, SECOND)}, 0)
    assert ends("out") == ({(SECOND, FIRST)}, 1)


def test_in_out_and_net_of_the_returns(snapshot):
    totals = flow_bars.area_totals(snapshot, View())
    assert totals.loc[FIRST, ["in", "out", "net"]].tolist() == [603, 403, 200]
    khoroos = flow_bars.area_totals(snapshot, View(flow_level=3))
    assert khoroos.loc[SUPPRESSED_KHOROO, "net_status"] == "suppressed"
    assert khoroos.loc[UNREPORTED_KHOROO, "net_status"] == "not_reported"
    assert khoroos.loc[[SUPPRESSED_KHOROO, UNREPORTED_KHOROO], ["in", "net"]].isna().all(axis=None)
    assert list(khoroos.index)[-2:] == sorted([SUPPRESSED_KHOROO, UNREPORTED_KHOROO])


def test_sums_of_pairs_are_hidden_with_one_of_them(snapshot):
    totals = flow_bars.area_totals(snapshot, View(source="reconciled"))
    assert totals.loc[SECOND, ["in", "in_status", "out_status"]].tolist() == [56.0, "published", "suppressed"]
    assert totals.loc[THIRD, "in_status"] == "suppressed"
    assert totals.loc[FIRST, "net"] == 0
    survey = flow_bars.area_totals(snapshot, View(source="survey_1y"))
    assert survey.loc[SECOND, "in_status"] == "suppressed"
    assert survey.loc[FIRST, ["out", "in_status"]].tolist() == [400.0, "not_reported"]


def test_bars_say_in_words_why_one_is_missing(snapshot):
    (figure,) = graphs(panel(snapshot, tab="bars", flow_level=3, area=SECOND))
    words = [trace for trace in figure.data if trace.type == "scatter" and trace.mode == "text"]
    assert [text.strip() for text in words[0].text] == ["Hidden"]
    assert words[0].y == ("Khoroo 3",)
    text = text_of(panel(snapshot, tab="bars", flow_level=3, area=SECOND))
    assert "Hidden: 1 areas." in text
    assert "Returns behind it" in text


def test_a_reason_changes_bars_and_trends_and_pairs_say_they_have_none(snapshot):
    view = View(reason="work", lang="en")
    assert flow_sources.reason_of(snapshot, view) == "work"
    assert flow_sources.reason_of(snapshot, View(reason="nonsense")) == "total"
    assert "not told by reason" in text_of(panel(snapshot, tab="matrix", reason="work"))
    assert flow_tables.released(snapshot, view.but(tab="bars")).frame["reason"].unique().tolist() == ["work"]
    assert "Work" in flows.title_of(snapshot, view.but(tab="trends"), EN)


def test_breakdowns_in_their_order_with_gaps_in_words(snapshot):
    assert list(flow_bars.breakdown_rows(snapshot, View(), "age")["item"])[:2] == ["0_4", "5_14"]
    hidden = flow_bars.breakdown_figure(snapshot, View(area=SUPPRESSED_KHOROO), EN, "sex")
    assert list(hidden.data[0].x) == [0, 0]
    assert [text.strip() for text in hidden.data[1].text] == ["Hidden", "Hidden"]
    assert flow_bars.breakdown_figure(snapshot, View(area=UNREPORTED_KHOROO), EN, "sex") is None
    assert len(graphs(panel(snapshot, tab="profile"))) == 5


def test_a_break_is_shaded_and_cuts_the_registered_line(snapshot):
    figure = trends.population_trend(snapshot, EN, pcode=FIRST)
    assert [note.text for note in figure.layout.annotations] == ["Stop"]
    assert str(figure.layout.shapes[0].x0) == BREAK[0].isoformat()
    registered = next(trace for trace in figure.data if trace.name == "Registered people")
    assert [value is None for value in registered.y] == [False, False, True, False]
    told = breaks.told(breaks.breaks_of(snapshot, EN, breaks.STOCK_SERIES), EN)
    assert told[0] == "Break in the series, Ulaanbaatar, 2017–2019: Nobody was registered. (test order)"
    assert len(told) == 2
    assert trends.moves_trend(snapshot, EN, pcode=FIRST).layout.annotations[0].text == "Stop"


def test_what_was_not_observed_never_looks_observed(snapshot):
    figure = trends.population_trend(snapshot, EN, pcode=CITY)
    observed = next(trace for trace in figure.data if trace.name == "People living there")
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert observed.mode == "markers"
    assert [line.line.dash for line in lines] == ["dash", "dot"]
    assert list(lines[0].y) == [68_100, 68_500, 68_900, 69_300]
    assert list(lines[1].y) == [69_300, 69_400, 69_500]
    estimated = next(trace for trace in figure.data if trace.legendgroup == "imputed")
    assert estimated.marker.symbol == "diamond-open"
    assert "95% interval: 75,000–79,000" in estimated.customdata[0]
    assert list(estimated.error_y.arrayminus) == [2000.0]


def test_coverage_by_round(snapshot):
    figure = trends.coverage_trend(snapshot, EN, pcode=CITY)
    assert list(figure.data[0].text) == ["12 of 12", "12 of 12", "11 of 12"]


def test_hours_of_the_week(snapshot):
    arrivals = passage_charts.hours_of_week(snapshot, round_number=3, side="in").set_index(["weekday", "hour"])
    assert arrivals.loc[(1, 7), "rate"] == 20.0  # 40 travellers in 2 hours of watch
    net = passage_charts.hours_of_week(snapshot, round_number=3, side="net").set_index(["weekday", "hour"])
    assert net.loc[(1, 7), "rate"] == 5.0
    assert net.loc[(3, 8), "status"] == "suppressed"
    figure = passage_charts.week(snapshot, EN, round_number=3, side="net")
    assert figure.data[0].z[2][8] is None
    assert figure.data[1].z[2][8] == 1.0
    assert "Hidden" in figure.data[0].hovertext[2][8]


def test_days_at_the_checkpoints_with_estimate_and_interval(snapshot):
    figure = passage_charts.daily(snapshot, EN, round_number=3, direction="both")
    estimate = next(trace for trace in figure.data if trace.name == "In: estimate for 24 hours")
    assert list(estimate.y) == [600.0, 600.0]
    assert estimate.customdata[0] == "95% interval: 560–640"
    counted = next(trace for trace in figure.data if trace.name == "In: counted")
    assert (list(counted.y), counted.marker.symbol) == ([500.0], ("circle",))
    totals = passage_charts.by_checkpoint(snapshot, round_number=3)
    assert totals.loc["emeelt", ["in", "out", "net"]].tolist() == [500, 500, 0]


def test_indices_with_formula_and_gap(snapshot):
    text = text_of(panel(snapshot, tab="system"))
    assert "12.50 %" in text
    assert "MEI = 100 Σ |D(i) − O(i)| / Σ (D(i) + O(i))" in text
    assert text.count("Hidden") >= 1
    assert "Nobody came or left." in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_tab_source_and_level_has_something_to_say(snapshot, lang):
    words = Words(lang)
    for tab in TABS:
        for source in SOURCES:
            for level in FLOW_LEVELS if lang == "en" else (2,):
                view = View(lang=lang, tab=tab, source=source, flow_level=level, area=SECOND)
                shown = (
                    [flows.map_figure(snapshot, view, words)[0]] if tab == "map" else PANELS[tab](snapshot, view, words)
                )
                figures = shown if tab == "map" else graphs(shown)
                assert figures or text_of(shown).strip()
                assert "http" not in json.dumps([figure.to_plotly_json() for figure in figures], default=str)
                rows = flow_tables.rows(snapshot, view, words)
                assert rows["id"].is_unique, (tab, source, level)
                fields = {column["field"] for column in flow_tables.columns(rows, view, words)}
                assert rows.empty or fields <= set(rows.columns), (tab, source, level)


def test_two_sources_are_never_in_one_table_of_pairs(snapshot):
    for source in ("arrivals", "departures"):
        frame = flow_tables.released(snapshot, View(tab="matrix", source=source)).frame
        assert set(frame["source"]) == {source}
    assert flowmap.own_moves(snapshot, View(source="survey_1y", area=FIRST)) == (20_000.0, "published")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_estimates_every_tab_says_so(tmp_path, lang):
    workspace, words = make_workspace(tmp_path / "city"), Words(lang)
    make_release(workspace, estimates=False, rounds=1)
    snapshot = Reader(workspace).current()
    with closing(snapshot.release):
        options = flows._source_select(snapshot, View(), words).data
        items = {item["value"]: item["disabled"] for group in options for item in group["items"]}
        assert {source for source, off in items.items() if off} == {"reconciled", *SURVEY_SOURCES}
        for source in ("arrivals", "reconciled", "checkpoint", "survey_1y"):
            for tab in TABS:
                view = View(lang=lang, tab=tab, source=source)
                if tab == "map":
                    assert flows.map_figure(snapshot, view, words)
                else:
                    assert text_of(PANELS[tab](snapshot, view, words)).strip()
                assert flow_tables.rows(snapshot, view, words) is not None
        assert words("system.none") in text_of(PANELS["system"](snapshot, View(tab="system"), words))
        assert words("flows.no_pairs") in text_of(PANELS["matrix"](snapshot, View(source="reconciled"), words))


def test_where_every_total_is_hidden_a_sentence_says_so(snapshot, monkeypatch):
    totals = flow_bars.area_totals(snapshot, View())
    hidden = totals.assign(**{side: float("nan") for side in ("in", "out", "net")})
    hidden = hidden.assign(**{f"{side}_status": "suppressed" for side in ("in", "out", "net")})
    drawn = {"direction": "both", "unit": "persons", "width_px": 390, "net": "Net"}
    figure = flow_bars.in_out_net(hidden, list(hidden.index), EN, **drawn)
    assert {text for trace in figure.data if trace.type == "scatter" for text in trace.text or ()} == {"  Hidden  "}
    monkeypatch.setattr(flow_bars, "area_totals", lambda *_: hidden)
    told = panel(snapshot, tab="bars")
    assert graphs(told) == []
    assert EN("bars.no_open", n=len(hidden)) in text_of(told)


def test_areas_without_a_net_are_drawn_by_what_they_have(snapshot, monkeypatch):
    monkeypatch.setattr(flow_bars, "WHOLE_MAXIMUM_AREAS", 1)
    totals = flow_bars.area_totals(snapshot, View()).assign(net=float("nan"), out=float("nan"))
    assert len(flow_bars.shown_ends(totals, key="net")) == len(totals)


def test_trends_without_a_published_figure_are_a_sentence(snapshot):
    told = text_of(panel(snapshot, tab="trends", source="survey_1y", area=SECOND))
    assert EN("trend.none") in told


def test_every_table_names_its_unit(snapshot):
    def titles(**fields):
        shown = flow_tables.rows(snapshot, View(**fields), EN)
        return " ".join(column["headerName"] for column in flow_tables.columns(shown, View(**fields), EN))

    assert "Value, households" in titles(tab="matrix", unit="households")
    assert "Value, people" in titles(tab="matrix", source="reconciled", unit="households")
    assert "In, households Out, households" in titles(tab="bars", unit="households")
    assert "Value Unit" in titles(tab="profile", unit="households")
    assert "Unit" in titles(tab="system")


def test_rows_of_breakdowns_and_indices_stand_in_their_order(snapshot):
    items = flow_tables.rows(snapshot, View(tab="profile"), EN)["id"].tolist()
    assert items == sorted(items, key=lambda found: flow_bars.BREAKDOWNS.index(found.split(":")[0]))
    assert items[0] == "reason:work"
    sexes = [found for found in items if found.startswith("sex:")]
    assert sexes[:2] == ["sex:male", "sex:female"]
    indices = flow_tables.rows(snapshot, View(tab="system"), EN)
    assert indices.iloc[0]["name"] == "Moves between the areas"


def test_a_zero_says_so_and_ticks_are_whole_people(snapshot):
    totals = flow_bars.area_totals(snapshot, View())
    totals = totals.assign(out=0.0, net=float("nan"), net_status="suppressed", in_status="suppressed")
    totals["in"] = float("nan")
    drawn = {"direction": "both", "unit": "persons", "width_px": 1440, "net": "Net"}
    figure = flow_bars.in_out_net(totals, list(totals.index), EN, **drawn)
    beside = [
        tuple(text.strip() for text in trace.text) for trace in figure.data if trace.type == "scatter" and trace.text
    ]
    assert [set(texts) for texts in beside] == [{"Hidden"}, {"0"}]
    assert list(figure.layout.xaxis.ticktext) == ["1", "0", "1"]

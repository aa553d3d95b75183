"""Figures, maps, tables and files honour the statuses of the release."""

from __future__ import annotations

import json
import math
import re

import pandas as pd
import pytest

from dashboard import flowmap, maps, tables, trends
from dashboard.measures import MEASURES, by_area, note_text, one
from dashboard.pages import data, flows, ger, hazards, overview
from dashboard.pages.common import area_rows, measure_released
from dashboard.reader import Reader
from dashboard.scales import diverging_scale, sequential_scale
from dashboard.server import build_server
from dashboard.state import View
from dashboard.words import LANGUAGES, Words
from dtm.errors import NoReleaseError
from tests.dashboard.make_release import SUPPRESSED_KHOROO, UNREPORTED_KHOROO, make_release, make_workspace

EN = Words("en")
PEOPLE = MEASURES["actual_persons"]


def text_of(component) -> str:
    """Return all text of components, as a reader meets it."""
    if isinstance(component, str):
        return component
    if isinstance(component, (list, tuple)):
        return " ".join(text_of(part) for part in component)
    return text_of(getattr(component, "children", None) or "")


def test_a_gap_is_a_gap_and_says_why(snapshot):
    frame = by_area(snapshot, PEOPLE, round_number=3, level=3)
    assert math.isnan(frame.loc[UNREPORTED_KHOROO, "value"])
    assert frame.loc[UNREPORTED_KHOROO, "status"] == "not_reported"
    assert frame.loc["MN110101", "value"] == 1300
    assert one(snapshot, "flow", pcode=SUPPRESSED_KHOROO, round_number=3, source="arrivals", counterpart="total",
               reason="total", measure="persons") == (None, "suppressed")  # fmt: skip
    assert one(snapshot, "flow", pcode="MN99", round_number=3) == (None, "not_reported")


def test_key_figures_of_the_city_and_of_a_hidden_khoroo(snapshot):
    city = text_of(overview.cards(snapshot, View(lang="en"), EN))
    # 1,300 + 2,300 + ... + 11,300; the twelfth khoroo told nothing
    assert f"{sum(1000 * i + 300 for i in range(1, 12)):,}" in city
    assert "11 of 12" in city
    assert city.count("91.7 %") == 2  # units, and registered people in them
    hidden = text_of(overview.cards(snapshot, View(lang="en", area=SUPPRESSED_KHOROO), EN))
    assert hidden.count("Hidden") == 2
    missing = text_of(overview.cards(snapshot, View(lang="en", area=UNREPORTED_KHOROO), EN))
    assert missing.count("Not reported") >= 4
    assert "0 of 1 units" in missing


def test_the_map_draws_gaps_apart_and_never_as_zero(snapshot):
    figure, legend = overview.map_figure(snapshot, View(lang="en"), EN, PEOPLE)
    coloured, empty = figure.data[0], figure.data[1]
    assert UNREPORTED_KHOROO not in coloured.locations
    assert list(empty.locations) == [UNREPORTED_KHOROO]
    assert "Not reported" in empty.hovertext[0]
    assert "It does not mean zero" in empty.hovertext[0]
    assert "Not reported" in text_of(legend)


def test_hidden_areas_are_hatched(snapshot):
    trace = maps.hatch_trace(snapshot.shapes(3), [SUPPRESSED_KHOROO])
    west, south, east, north = snapshot.shapes(3)[SUPPRESSED_KHOROO].bounds
    assert trace is not None
    assert all(west - 1e-9 <= lon <= east + 1e-9 for lon in trace.lon if lon is not None)
    assert all(south - 1e-9 <= lat <= north + 1e-9 for lat in trace.lat if lat is not None)
    assert maps.hatch_trace(snapshot.shapes(3), []) is None


def test_no_figure_asks_another_machine_for_anything(snapshot):
    view = View(lang="mn", scope="external")
    figures = [
        overview.map_figure(snapshot, view, Words("mn"), PEOPLE)[0],
        ger.map_figure(snapshot, view, Words("mn"), MEASURES["persons_per_ha"])[0],
        flows.map_figure(snapshot, view, Words("mn"))[0],
        hazards.map_figure(snapshot, view, Words("mn"))[0],
    ]
    for figure in figures:
        text = json.dumps(figure.to_plotly_json(), default=str)
        assert "http" not in text
        assert "white-bg" not in text


def test_the_map_opens_where_the_people_are(snapshot):
    west, _, east, _ = maps.people_bounds(snapshot)
    whole = maps.bounds_of(snapshot, maps.EVERYWHERE)
    assert east - west < 0.5 * (whole[2] - whole[0])
    narrow = maps.camera_for((106.8, 47.8, 106.9, 47.9), window_px=1440)
    wide = maps.camera_for((106.8, 47.8, 107.0, 48.0), window_px=1440)
    assert narrow.zoom - wide.zoom == pytest.approx(1.0, abs=0.02)


def test_flows_by_source_scope_and_area(snapshot):
    internal = flowmap.flow_rows(snapshot, View())
    assert len(internal) == 6  # three districts, each from the two others
    assert set(internal["counterpart"]) <= {"MN1101", "MN1107", "MN1110"}
    external = flowmap.flow_rows(snapshot, View(scope="external"))
    assert list(external["counterpart"]) == ["MN65", "abroad"]
    checkpoint = flowmap.flow_rows(snapshot, View(source="checkpoint"))
    assert list(checkpoint["value"]) == [4321, 1234]
    hidden = flowmap.flow_rows(snapshot, View(area=SUPPRESSED_KHOROO))
    assert hidden["value"].isna().all()
    assert set(hidden["status"]) == {"suppressed"}


def test_no_arrow_for_a_hidden_flow_nor_for_abroad(snapshot):
    figure, drawn = flows.map_figure(snapshot, View(area=SUPPRESSED_KHOROO), EN)
    assert drawn == 0
    assert not any(trace.type == "choroplethmap" for trace in figure.data)
    figure, drawn = flows.map_figure(snapshot, View(scope="external"), EN)
    assert drawn == 1
    assert len(next(trace for trace in figure.data if trace.type == "choroplethmap").locations) == 1


def test_trend_leaves_a_hole_and_marks_it(snapshot):
    figure = trends.population_trend(snapshot, EN, pcode=UNREPORTED_KHOROO)
    assert [value if value == value else None for value in figure.data[0].y] == [12100, 12200, None]  # noqa: PLR0124
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert marks[0].hovertext[0] == "People living there: Not reported"


def test_exposure_with_its_interval(snapshot):
    rows = hazards.exposure_rows(snapshot, View(lang="en", area="MN1101"), EN).set_index("pcode")
    assert rows.loc["MN110104", ["value", "low", "high"]].tolist() == [2150, 0, 4300]
    assert len(rows) == 4


def test_search_finds_every_word_in_any_order():
    frame = pd.DataFrame({"id": ["a", "b"], "name": ["Баянгол, 3-р хороо", "Хан-Уул, 3-р хороо"]})
    assert list(tables.matching(frame, "хороо БАЯНГОЛ")["id"]) == ["a"]
    assert list(tables.matching(frame, "")["id"]) == ["a", "b"]
    assert tables.matching(frame, "xyz").empty


def test_a_download_is_the_released_rows_that_were_shown(snapshot):
    released = measure_released(snapshot, View(), PEOPLE)
    forged = [{"id": "MN110102", "value": 999_999}, {"id": "not-there"}, {"id": UNREPORTED_KHOROO}]
    shown = tables.shown_rows(released.frame, forged)
    assert list(shown["pcode"]) == ["MN110102", UNREPORTED_KHOROO]
    assert shown.iloc[0]["value"] == 2300
    file = tables.download(released, snapshot.release, grid_rows=forged, kind="csv", language="en")
    assert file["filename"] == "stock-r1.csv"


def test_rows_of_the_table_are_the_rows_of_the_map(snapshot):
    rows = area_rows(snapshot, View(), EN, PEOPLE).set_index("pcode")
    frame = by_area(snapshot, PEOPLE, round_number=3, level=3)
    assert rows["value"].dropna().equals(frame["value"].dropna().rename_axis("pcode"))
    assert rows.loc[UNREPORTED_KHOROO, "status_label"] == "Not reported"


def test_classes_hold_every_value_and_mirror_around_zero():
    values = pd.Series([1.0, 2.0, 3.0, 50.0, 1000.0, 2500.0, 9000.0])
    scale = sequential_scale(values, decimals=0)
    assert len(scale.colors) == len(scale.breaks) - 1
    assert [scale.class_of(v) for v in values] == sorted(scale.class_of(v) for v in values)
    both = diverging_scale(pd.Series([-30.0, -5.0, 0.0, 12.0, 80.0]), decimals=1)
    assert [-b for b in reversed(both.breaks)] == list(both.breaks)
    assert both.class_of(0.0) == len(both.colors) // 2
    assert len(sequential_scale(pd.Series([5.0, 5.0]), decimals=0).colors) == 1
    assert len(diverging_scale(pd.Series([], dtype=float), decimals=0).colors) == 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_release_of_one_round_works(tmp_path, lang):
    workspace = make_workspace(tmp_path / "one")
    make_release(workspace, rounds=1)
    one_round = Reader(workspace).current()
    words, view = Words(lang), View(lang=lang)
    for page in (overview, flows, ger, hazards):
        assert page.layout(one_round, view, words)
    change = MEASURES["change_pct"]
    figure, legend = overview.map_figure(one_round, view, words, change)
    assert len(figure.data[0].locations) == 12
    assert words("status.undefined") in text_of(legend)
    one_round.release.close()


def test_a_new_release_is_noticed(tmp_path):
    workspace = make_workspace(tmp_path / "city")
    reader = Reader(workspace)
    with pytest.raises(NoReleaseError):
        reader.current()
    make_release(workspace, "r1")
    first = reader.current()
    assert reader.current() is first
    make_release(workspace, "r2")
    second = reader.current()
    assert (first.release_id, second.release_id) == ("r1", "r2")
    assert len(first.rows("area")) == 16  # whoever still reads the old one may finish
    first.release.close()
    second.release.close()


def test_notes_in_both_languages():
    assert note_text("matched_units:12", "en") == "Units compared: 12."
    assert note_text("matched_units:12", "mn") == "Харьцуулсан хэсгийн тоо: 12."
    assert note_text("hidden_pairs:1836;between:7.9/10.22", "en") == (
        "Moves of some pairs are hidden: 1,836. "
        "The hidden pairs leave it between these two; their middle is shown: 7.90–10.22."
    )
    assert note_text(None, "en") == note_text("", "en") == ""


def test_a_worker_serves_scripts_before_it_is_asked_for_the_page(workspace):
    first, second = build_server(workspace), build_server(workspace)
    page = first.test_client().get("/").get_data(as_text=True)
    scripts = re.findall(r'src="(/_dash-component-suites/[^"]+)"', page)
    assert len(scripts) > 5
    client = second.test_client()
    assert {client.get(script).status_code for script in scripts[:3]} == {200}
    assert "http" not in " ".join(re.findall(r'(?:src|href)="([^"]+)"', page))


def test_the_manifest_is_told_in_words(snapshot, monkeypatch):
    manifest = {
        **snapshot.release.manifest,
        "suppression": {
            "cells": [{"status": "suppressed", "cells": 40}, {"status": "published", "cells": 1960}],
            "audits": 16,
        },
    }
    monkeypatch.setattr(snapshot.release, "manifest", manifest)
    told = text_of(data.layout(snapshot, View(lang="mn"), Words("mn")))
    assert "2,000 тооноос 40" in told
    assert "audits" not in told
    assert "Мэдээ returns.csv" in told


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_longest_word_of_a_title_is_whole(lang):
    title = Words(lang)("account.residual")
    wide = tables.number_column("residual", title, minWidth=124, filter=False)["minWidth"]
    assert wide >= 9 * max(len(word) for word in title.split()) + tables.EDGES_PX
    assert tables.text_column("a", "From", minWidth=140)["minWidth"] == 140
    assert tables.text_column("a", "From")["minWidth"] == tables.LEAST_PX


def test_a_choice_without_a_meaning_is_not_shown():
    shown = [View(), View(tab="sankey"), View(flow_level=3)]
    without = [View(source="checkpoint"), View(flow_level=1), View(tab="matrix")]
    assert [flows._scope_style(view) for view in shown + without] == [flows.SHOWN] * 3 + [flows.HIDDEN] * 3


def test_a_release_without_a_round_says_what_to_run(tmp_path):
    workspace = make_workspace(tmp_path / "city")
    make_release(workspace, rounds=0, estimates=False)
    asked = {
        "output": "root.children", "outputs": {"id": "root", "property": "children"},
        "inputs": [{"id": "url", "property": "pathname", "value": "/flows"},
                   {"id": "url", "property": "search", "value": "?lang=en"}],
        "changedPropIds": ["url.pathname"],
    }  # fmt: skip
    answer = build_server(workspace).test_client().post("/_dash-update-component", json=asked)
    assert answer.status_code == 200
    assert "dtm round open" in answer.get_data(as_text=True)

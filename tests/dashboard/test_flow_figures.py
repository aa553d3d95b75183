"""The table under a chart of moves, and the file, hold exactly what the chart draws: same rows, values and marks."""

from __future__ import annotations

import base64
import csv
import io
from contextlib import closing

import pandas as pd
import pytest

from dashboard import flow_figures, flow_tables, od_matrix, sankey
from dashboard.pages import flows
from dashboard.pages._flows_panels import PANELS, map_empty
from dashboard.reader import Reader
from dashboard.state import SOURCES, TABS, View
from dashboard.system_table import decimals_of, index_name
from dashboard.tables import download
from dashboard.words import Words
from dtm._release_tables import RELEASE_TABLES
from dtm.chart_figures import chart_table
from dtm.engine import connect
from dtm.errors import WrongUseError
from tests.dashboard.make_release import make_release, make_workspace
from tests.dashboard.test_flows_page import graphs
from tests.dashboard.test_pages import text_of

EN = Words("en")
HIDEABLE = (
    "value",
    "low",
    "high",
    "arrivals",
    "departures",
    "mirror_ratio",
    "standard_error",
    "base_persons",
    "residual",
)


def mark(value, status):
    """Return what a reader sees of a figure: the number, or the word for why there is none."""
    return float(value) if status == "published" else EN(f"status.{status}")


def drawn_rows(figures, *keys):
    shown = figures[figures["drawn"] == "yes"]
    return {
        tuple(str(row[key]) for key in keys): mark(row["value"], row["status"]) for row in shown.to_dict("records")
    }  # fmt: skip


def map_marks(snapshot, view, figures):
    figure, count = flows.map_figure(snapshot, view, EN)
    arrows = [trace for trace in figure.data if trace.type == "choroplethmap"]
    values = figures.set_index("id")["value"]
    largest = values[figures.set_index("id")["drawn"] == "yes"].max()
    found = {(code,): float(z * largest) for trace in arrows for code, z in zip(trace.locations, trace.z, strict=True)}
    assert count == len(found)
    assert (figures.loc[figures["drawn"].isin(["smaller", "nowhere"]), "value"] > 0).all()
    return found, drawn_rows(figures, "id")


def matrix_marks(snapshot, view, figures):
    (figure,) = graphs(PANELS["matrix"](snapshot, view, EN)) or [None]
    matrix, found = od_matrix.build_matrix(snapshot, view), {}
    for trace in figure.data if figure else ():
        if trace.name in (None, "hatch", od_matrix.NONE):
            continue
        for i, row in enumerate(matrix.rows):
            for j, column in enumerate(matrix.columns):
                z, ends = trace.z[i][j], matrix.ends(row, column)
                if z is not None:
                    told = z if trace.name in od_matrix.SCALES else trace.text[i][j].replace(",", "")
                    gap = trace.name not in {*od_matrix.SCALES, "own"}
                    found[ends] = EN(f"status.{trace.name}") if gap else float(told)
    return found, drawn_rows(figures, "origin", "destination")


def band_marks(snapshot, view, figures):
    (figure,) = graphs(PANELS["sankey"](snapshot, view, EN)) or [None]
    level, codes = od_matrix.level_of(view), {*figures["origin"], *figures["destination"]} - {sankey.REST}
    names = {code: od_matrix.place_name(snapshot, code, EN, level=level) for code in codes}
    names[sankey.REST] = EN("sankey.rest")
    told = drawn_rows(figures, "origin", "destination")
    table = {(names[a], names[b]): value for (a, b), value in told.items()}
    if figure is None:
        return {}, table
    link, label = figure.data[0].link, figure.data[0].node.label
    ends = [(label[i], label[j]) for i, j in zip(link.source, link.target, strict=True)]
    assert (figures.loc[figures["drawn"] == "gap", "value"]).isna().all()
    return dict(zip(ends, map(float, link.value), strict=True)), table


def bar_marks(snapshot, view, figures):
    shown = graphs(PANELS["bars"](snapshot, view, EN))
    key = "checkpoint" if view.source == "checkpoint" else "pcode"
    labels = snapshot.labels("checkpoint", EN)
    names = [labels.get(code, code) if key == "checkpoint" else snapshot.name(code, EN) for code in figures[key]]
    sides = {"in": ("In", 1), "out": ("Out", -1), "net": (None, 1)}
    found = {}
    for trace in shown[0].data if shown else ():
        side = next((code for code, (name, _) in sides.items() if name == trace.name), "net")
        if trace.type == "scatter" and trace.mode == "text":
            side = "in" if trace.textposition == "middle right" else "out"
            said = [0.0 if text.strip() == "0" else text.strip() for text in trace.text]
            found |= {(name, side): text for name, text in zip(trace.y, said, strict=True)}
        else:
            for name, x in zip(trace.y, trace.x, strict=True):
                if not pd.isna(x) and (trace.type == "scatter" or x != 0):
                    found[name, side] = float(x * sides[side][1])
    table = {(name, side): mark(value, status) for name, side, value, status in
             zip(names, figures["series"], figures["value"], figures["status"], strict=True)
             if shown and (side != "net" or status == "published")}  # fmt: skip
    return found, table


def profile_marks(snapshot, view, figures):
    found = {}
    if view.source == "checkpoint":
        (figure,) = graphs(PANELS["profile"](snapshot, view, EN))
        for gap, trace in zip((False, True), figure.data[:2], strict=True):
            cells = [(i, j, z) for i, line in enumerate(trace.z) for j, z in enumerate(line) if z is not None]
            found |= {(str(i + 1), str(j)): "Hidden" if gap else z for i, j, z in cells}
        return found, drawn_rows(figures, "weekday", "hour")
    kinds = figures["breakdown"].drop_duplicates().tolist() if len(figures) else []
    for kind, figure in zip(kinds, graphs(PANELS["profile"](snapshot, view, EN)), strict=True):
        for trace in figure.data:
            for name, x, text in zip(trace.y, trace.x, trace.text, strict=True):
                if trace.type == "scatter" or text:
                    found[kind, name] = text.strip() if trace.type == "scatter" else float(x)
    words = flow_tables.rows(snapshot, view, EN)
    items = words["item"] if len(words) else []
    table = {(kind, item): mark(value, status) for kind, item, value, status in
             zip(figures.get("breakdown", []), items, figures["value"], figures["status"], strict=True)}  # fmt: skip
    return found, table


def points_of(trace):
    """Return the days and what a trace says of them; a cross at the foot says its word, departures hang below zero."""
    if trace.type == "scatter" and trace.fill == "toself":
        return []
    cross = trace.type == "scatter" and str(trace.marker.symbol) == "x-thin"
    shown = [(str(pd.Timestamp(day).date()), i, y) for i, (day, y) in enumerate(zip(trace.x, trace.y, strict=True))]
    return [(day, trace.hovertext[i].split(": ")[-1] if cross else abs(y)) for day, i, y in shown if not pd.isna(y)]


def trend_marks(snapshot, view, figures):
    drawn = graphs(PANELS["trends"](snapshot, view, EN))
    found, table = {}, {}
    for figure in drawn:
        for trace in figure.data:
            for day, told in points_of(trace):
                found.setdefault(day, set()).add(told)
    moves = len(drawn) == 3 or view.source == "checkpoint"
    for row in figures.to_dict("records"):
        silent = row["status"] != "published" and row["series"] in ("net", "coverage")
        if (row["chart"] == "people" or moves) and not silent:
            told = mark(row["value"], row["status"])
            table.setdefault(str(row["day"])[:10], set()).add(told if isinstance(told, str) else abs(told))
    return found, table


def system_marks(snapshot, view, figures):
    shown = PANELS["system"](snapshot, view, EN)
    if figures.empty:
        assert graphs(shown) == []
        return {}, {}
    body = shown[1].children.children[1].children
    found = {(text_of(row.children[0]),): text_of(row.children[1].children[0]).split(" ")[0] for row in body}
    table = {}
    for row in figures.to_dict("records"):
        number = EN.number(row["value"], decimals=decimals_of(row["series"]))
        told = number if row["status"] == "published" else EN(f"status.{row['status']}")
        table[(index_name(row["series"], EN),)] = told.split(" ")[0]
    return found, table


READ = {"map": map_marks, "matrix": matrix_marks, "sankey": band_marks, "bars": bar_marks, "profile": profile_marks,
        "trends": trend_marks, "system": system_marks}  # fmt: skip


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("source", SOURCES)
def test_the_table_holds_what_the_chart_draws(snapshot, tab, source):
    for direction in ("both", "out") if source == "arrivals" else ("both",):
        view = View(lang="en", tab=tab, source=source, direction=direction, top=3)
        figures = flow_figures.figures(snapshot, view, EN)
        chart, table = READ[tab](snapshot, view, figures)
        assert chart == pytest.approx(table) if tab == "map" else chart == table
        assert set(figures["drawn"]) <= set(flow_figures.DRAWN)
        assert figures.loc[figures["status"] != "published", "value"].isna().all()
        shown = flow_tables.rows(snapshot, view, EN)
        assert list(dict.fromkeys(figures["id"])) == list(shown["id"])


@pytest.mark.parametrize(
    ("tab", "source"),
    [("map", "arrivals"), ("matrix", "reconciled"), ("sankey", "arrivals"), ("bars", "survey_1y"),
     ("bars", "checkpoint"), ("profile", "departures"), ("profile", "checkpoint"), ("trends", "arrivals"),
     ("trends", "checkpoint"), ("system", "arrivals")],
)  # fmt: skip
def test_the_file_holds_what_the_chart_draws(snapshot, tab, source):
    view = View(lang="en", tab=tab, source=source, top=3)
    figures = flow_figures.figures(snapshot, view, EN)
    shown = flow_tables.rows(snapshot, view, EN)
    file = download(flow_tables.released(snapshot, view), snapshot.release, grid_rows=shown[["id"]].to_dict("records"),
                    kind="csv", language="en")  # fmt: skip
    assert file["filename"] == "chart-figures-r1.csv"
    lines = list(csv.DictReader(io.StringIO(base64.b64decode(file["content"]).decode("utf-8-sig"))))
    wanted = [(row["series"], row["status"], "" if pd.isna(row["value"]) else f"{row['value']:g}") for row in
              figures.to_dict("records")]  # fmt: skip
    found = [(row["series"], row["status"], row["value"] and f"{float(row['value']):g}") for row in lines]
    assert sorted(found) == sorted(wanted)
    assert {row["release_id"] for row in lines} <= {"r1"}


@pytest.mark.parametrize(
    ("change", "told"),
    [({"colour": "red"}, "no column colour"), ({"status": "secret"}, "no status secret"),
     ({"status": "suppressed"}, "leave it empty")],
)  # fmt: skip
def test_a_file_of_figures_is_checked(snapshot, change, told):
    frame = flow_figures.figures(snapshot, View(tab="matrix"), EN)
    with pytest.raises(WrongUseError, match=told):
        chart_table(snapshot.release, frame.assign(**change))


def hide_everything(database):
    """Hide every figure of a release that has a status."""
    with connect(database, spatial=False) as connection:
        for name, table in RELEASE_TABLES.items():
            if "status" in table.column_names:
                columns = [c.name for c in table.columns if c.name in HIDEABLE]
                nulls = ", ".join(f"{column} = NULL" for column in columns)
                connection.execute(f"UPDATE {name} SET status = 'suppressed', {nulls}")


def test_where_everything_is_hidden_every_tab_says_so(tmp_path):
    workspace = make_workspace(tmp_path / "city")
    hide_everything(make_release(workspace, rounds=1) / "release.duckdb")
    snapshot = Reader(workspace).current()
    with closing(snapshot.release):
        for tab, source in [(tab, source) for tab in TABS for source in ("arrivals", "checkpoint")]:
            view = View(lang="en", tab=tab, source=source)
            if tab == "map":
                assert EN("flows.try") in text_of(map_empty(snapshot, view, EN, drawn=0))
                assert flows.map_figure(snapshot, view, EN)[1] == 0
                continue
            shown = PANELS[tab](snapshot, view, EN)
            said = text_of(shown)
            marks = [str(mark) for figure in graphs(shown) for trace in figure.data
                     for mark in (trace.text, trace.hovertext)]  # fmt: skip
            assert "Hidden" in said or "hidden" in said or "Choose" in said or "Hidden" in "".join(marks), (tab, source)
            values = flow_figures.figures(snapshot, view, EN)
            assert values.loc[values["series"] != "coverage", "value"].isna().all(), (tab, source)


def test_groups_of_places_are_named_in_the_file(snapshot):
    frame = flow_tables.released(snapshot, View(tab="sankey", source="arrivals", top=2)).frame
    ends = frame.set_index("destination")["destination_name_mn"]
    assert ends.loc["rest"].unique().tolist() == ["Бусад, нэгтгэсэн"]
    assert "series_break" not in frame  # what no figure of the chart has, is no column of its file


def test_a_round_whose_days_lie_in_a_break_says_so(snapshot):
    """Round 3 asked for the 180 days up to 1 March 2026; registration stood still until 30 September 2025."""
    view = View(lang="en", tab="profile")
    found = flow_figures.figures(snapshot, view, EN).set_index("breakdown")["series_break"]
    assert set(found.loc["registered"]) == {"test-stop"}
    assert set(found.drop("registered")) == {""}
    assert "Stop: Nobody was registered." in text_of(flows.breaks_told(snapshot, view, EN))
    assert flows.breaks_told(snapshot, view.but(round=2), EN) == []
    assert flows.breaks_told(snapshot, view.but(tab="matrix"), EN) == []

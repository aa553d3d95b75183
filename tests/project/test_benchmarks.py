"""Run every benchmark at a tiny size: the answers must be equal; how long it takes is not for a test to say."""

from __future__ import annotations

import json
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from benchmarks import runner, step
from benchmarks.__main__ import BENCHMARKS, main, sizes_of
from benchmarks.coverage import build_coverage
from benchmarks.locate import AREAS, POINTS, compare, make_points
from tests.project._tree import ROOT

KEYS = {
    "name", "peer", "sizes", "seconds_ours", "seconds_peer", "ratio", "answers_equal", "peak_mb_ours", "peak_mb_peer",
    "runs", "facts", "versions", "cores",
}  # fmt: skip


def check_lines(name, told):
    lines = [json.loads(line) for line in told.splitlines()]
    assert [line["peer"] for line in lines] == list(BENCHMARKS[name].peers)
    for line in lines:
        assert set(line) == KEYS
        assert line["name"] == name
        assert line["sizes"] == dict(BENCHMARKS[name].tiny.facts)
        assert line["answers_equal"] is True
        assert min(line["seconds_ours"], line["seconds_peer"], line["peak_mb_ours"], line["peak_mb_peer"]) > 0


@pytest.mark.filterwarnings("ignore")  # what the peers warn of is theirs
@pytest.mark.parametrize("name", sorted(BENCHMARKS))
def test_a_tiny_run_prints_a_line_a_peer_with_equal_answers(name, monkeypatch, capsys):
    def call(module, action, folder, facts):
        return json.loads(json.dumps(step.main(module, action, folder, dict(facts))))

    monkeypatch.setattr(runner, "call", call)  # in this process: each of their own would import everything again
    assert main([name, "--sizes", "tiny", "--runs", "1", "--json"]) == 0
    check_lines(name, capsys.readouterr().out)


def test_every_step_has_a_process_of_its_own():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "fit", "--sizes", "tiny", "--runs", "1", "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    check_lines("fit", done.stdout)


def test_different_answers_end_with_1_and_no_further_run(monkeypatch, capsys):
    asked = []

    def call(module, action, folder, facts):
        asked.append(action)
        if action.startswith("compare"):
            return {"equal": False}
        return {"seconds": 2.0 if action == "pandas" else 1.0, "peak_mb": 5.0}

    monkeypatch.setattr(runner, "call", call)
    assert main(["flows", "--sizes", "tiny", "--runs", "3", "--json"]) == 1
    line = json.loads(capsys.readouterr().out)
    assert line["answers_equal"] is False
    assert line["ratio"] == 2.0
    assert asked == ["prepare", "ours", "pandas", "compare:pandas"]


def test_arms_take_turns_and_the_median_counts(monkeypatch):
    seconds = iter([1.0, 9.0, 3.0, 8.0, 2.0, 4.0])  # ours, pandas, ours, pandas ...
    asked = []

    def call(module, action, folder, facts):
        asked.append(action)
        if action in {"ours", "pandas"}:
            return {"seconds": next(seconds), "peak_mb": 1.0}
        return {"equal": True}

    monkeypatch.setattr(runner, "call", call)
    line = next(runner.measure(BENCHMARKS["flows"], BENCHMARKS["flows"].tiny))
    assert asked == ["prepare", "ours", "pandas", "compare:pandas", "ours", "pandas", "ours", "pandas"]
    assert (line["seconds_ours"], line["seconds_peer"], line["ratio"]) == (2.0, 8.0, 4.0)


def test_a_step_that_fails_ends_with_3(tmp_path, capsys):
    assert main(["locate", "--sizes", "0x0"]) == 3
    assert "prepare failed" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["speed"], ["flows", "--sizes", "1x2"], ["flows", "--areas", "x.geojson"]])
def test_wrong_use_ends_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err


def test_sizes_are_read():
    locate = BENCHMARKS["locate"]
    assert [dict(s.facts) for s in sizes_of(locate, ["1_000x20"])] == [{"points": 1000, "areas": 20}]
    assert len(sizes_of(locate, ["all"])) == len(locate.sizes)
    assert sizes_of(locate, ["10000000x204"])[0].is_large


def test_the_made_up_areas_are_a_valid_coverage():
    areas = build_coverage(60)
    shapes = areas.geometry.to_numpy()
    assert len(areas) == 60
    assert areas["pcode"].is_unique
    assert areas.is_valid.all()
    assert shapely.coverage_is_valid(shapes)
    assert len(shapely.get_rings(shapely.coverage_union_all(shapes))) == 1  # one piece without a hole
    assert areas.equals(build_coverage(60))


def test_points_are_half_spread_half_clustered_with_seven_decimals():
    areas = build_coverage(20)
    points = make_points(areas, 1001)
    assert len(points) == 1001
    assert np.allclose(points["lon"], points["lon"].round(7), rtol=0, atol=1e-12)
    assert points["key"].is_unique


@pytest.mark.parametrize(
    ("mine", "theirs", "equal"),
    [
        ([(0, "A"), (1, "A")], [(0, "A")], True),  # point 1 lies on the border: only we place it
        ([(0, "A"), (1, "A"), (2, "B")], [(0, "A")], False),  # point 2 lies inside B: the peer must have it
        ([(0, "A"), (1, "A")], [(0, "B")], False),
        ([(0, "A")], [(0, "A"), (0, "B")], True),  # overlapping areas: the lowest code
        ([(1, "A")], [(0, "A")], False),  # we lost a point
        ([(0, "A"), (0, "A")], [(0, "A")], False),  # we placed a point twice
    ],
)
def test_answers_are_compared_by_the_rule_for_borders(tmp_path, mine, theirs, equal):
    squares = [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)]
    gpd.GeoDataFrame({"pcode": ["A", "B"]}, geometry=squares, crs="EPSG:4326").to_parquet(tmp_path / AREAS)
    points = pd.DataFrame({"key": [0, 1, 2], "lon": [0.5, 1.0, 1.5], "lat": [0.5, 0.5, 0.5]})
    points.to_parquet(tmp_path / POINTS)
    for arm, rows in (("ours", mine), ("geopandas", theirs)):
        pd.DataFrame(rows, columns=["key", "pcode"]).to_parquet(tmp_path / f"answer-{arm}.parquet")
    assert compare(tmp_path, "geopandas", {})["equal"] is equal

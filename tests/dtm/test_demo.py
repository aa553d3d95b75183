"""The demonstration goes the path that real data goes, to a release; each fault put in is found."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import date
from functools import partial

import geopandas as gpd
import pandas as pd
import pytest

from dtm.demo import MADE_UP_SETS, build_demo
from dtm.errors import WrongUseError
from dtm.released import open_release
from dtm.warehouse import open_warehouse
from dtm.workspace import Workspace, open_workspace
from enumerations.demo import build_returns

CODE_OF_FAULT = {
    "missing_value": {"missing_value"},
    "text_in_number": {"not_a_number"},
    "sex_sum": {"sex_sum"},
    "negative": {"negative"},
    "gps_neighbour": {"gps_conflict"},
    "gps_swapped": {"gps_swapped"},
    "unknown_pcode": {"unknown_area"},
    "date_outside_round": {"date_outside_round"},
    "unit_twice": {"unit_twice"},
}


@pytest.fixture(scope="module")
def workspace(small_demo, tmp_path_factory) -> Workspace:
    return open_workspace(shutil.copytree(small_demo, tmp_path_factory.mktemp("demo") / "workspace"))


@pytest.fixture(scope="module")
def connection(workspace):
    with open_warehouse(workspace) as opened:
        yield opened


@pytest.fixture(scope="module")
def ledger(workspace) -> pd.DataFrame:
    return pd.read_csv(workspace.path / "demonstration-files" / "demonstration-faults.csv")


def test_the_workspace_says_that_it_is_a_demonstration(workspace, connection):
    assert open_workspace(workspace.path).settings.is_demonstration
    for table in ("area_set", "layer", "raster", "import"):
        assert connection.execute(f'SELECT bool_and(is_demonstration) FROM "{table}"').fetchone() == (True,)


def test_areas_layers_and_raster_are_loaded(connection):
    sets = dict(connection.execute("SELECT area_set, count(*) FROM area GROUP BY 1").fetchall())
    assert sets[MADE_UP_SETS[1]] == 1
    assert sets[MADE_UP_SETS[2]] == 2
    assert sets[MADE_UP_SETS[3]] == 12
    assert 36 <= sets[MADE_UP_SETS[4]] <= 48
    kinds = connection.execute("SELECT kind FROM layer ORDER BY 1").fetchall()
    assert [kind for (kind,) in kinds] == ["ger-area", "hazard", "road", "service"]


def test_six_rounds_are_imported_and_every_record_is_accounted_for(connection):
    rounds = connection.execute("SELECT number, started_on FROM round ORDER BY 1").fetchall()
    assert [number for number, _ in rounds] == [1, 2, 3, 4, 5, 6]
    assert rounds[0][1] == date(2023, 4, 1)
    unbalanced = connection.execute(
        "SELECT file_name FROM import WHERE rows_read <> rows_accepted + rows_quarantined + rows_duplicate"
    ).fetchall()
    assert unbalanced == []


def test_each_fault_of_the_ledger_is_found(connection, ledger):
    found = connection.execute("SELECT round_number, code, count(*) FROM finding GROUP BY ALL").fetchall()
    counts = {(number, code): n for number, code, n in found}
    for (number, fault), own in ledger.groupby(["round", "fault"]):
        if fault == "duplicate_return":
            continue
        hits = sum(counts.get((number, code), 0) for code in CODE_OF_FAULT[fault])
        assert hits >= len(own), (number, fault)
    duplicates = connection.execute("SELECT sum(rows_duplicate) FROM import WHERE form = 'kheseg-baseline'").fetchone()
    assert duplicates == ((ledger["fault"] == "duplicate_return").sum(),)


def test_sound_returns_give_no_error(connection, ledger):
    """What is set aside is what was broken on purpose, and the moves told with it."""
    rows = connection.execute(
        "SELECT code, count(*) FROM finding WHERE severity = 'error' AND code <> 'parent_quarantined' GROUP BY 1"
    ).fetchall()
    expected = ledger["fault"].map(lambda fault: next(iter(CODE_OF_FAULT.get(fault, {""})))).value_counts()
    warnings = {"", "gps_conflict", "gps_swapped"}
    assert dict(rows) == {code: count for code, count in expected.items() if code not in warnings}


def test_sound_returns_are_located_by_gps(connection, ledger):
    rows = connection.execute(
        "SELECT instance_id, located_by FROM submission WHERE form = 'kheseg-baseline'"
    ).fetchall()
    spoilt = set(ledger["instance_id"])
    assert {how for instance, how in rows if instance not in spoilt} == {"gps"}


def test_a_release_is_built_and_says_so(workspace):
    with closing(open_release(workspace)) as release:
        assert release.is_demonstration
        rounds = release.table("round").frame
    assert rounds["round_number"].tolist() == [1, 2, 3, 4, 5, 6]


def test_days_watched_in_part_are_shown_expanded(workspace):
    """Enough vehicles pass even a small place that not every such day is hidden with its hours."""
    with closing(open_release(workspace)) as release:
        frame = release.table("passage_estimate", where={"status": "published", "method": "expanded"}).frame
    days = frame[(frame["checkpoint"] != "total") & (frame["direction"] != "net")]
    assert len(days) >= 10
    assert days["round_number"].nunique() >= 3
    assert (days["hours_observed"] < 24).all()
    assert (days["low"] <= days["value"]).all()
    assert (days["value"] <= days["high"]).all()
    assert "total" in set(frame["checkpoint"])


def test_wrong_use_is_refused(workspace, tmp_path):
    with pytest.raises(WrongUseError, match="small, city, national"):
        build_demo(tmp_path / "a", size="huge")
    with pytest.raises(WrongUseError, match="workspace already"):
        build_demo(workspace.path, size="small")
    with pytest.raises(WrongUseError, match="--areas"):
        build_demo(tmp_path / "b", size="small", areas=tmp_path / "c.geojson")
    assert not (tmp_path / "a").exists()


@pytest.mark.realdata
@pytest.mark.timeout(900)
def test_the_real_khoroos_run_the_whole_path_and_points_agree_with_geopandas(realdata, tmp_path, monkeypatch):
    monkeypatch.setattr("dtm.demo.build_returns", partial(build_returns, n_rounds=2))  # a third of the rounds
    path = realdata / "ub-khoroo-204" / "ub_khoroo_204_election.geojson"
    workspace = build_demo(tmp_path / "real", seed=7, areas=path)
    with open_warehouse(workspace) as connection:
        rows = connection.execute(
            "SELECT submission_id, lon, lat, gps_pcode FROM submission"
            " WHERE form = 'kheseg-baseline' AND lon IS NOT NULL"
        ).df()
        areas = connection.execute("SELECT pcode, ST_AsWKB(geometry) AS wkb FROM area WHERE area_set = 'khoroos'").df()
    polygons = gpd.GeoDataFrame(
        areas[["pcode"]], geometry=gpd.GeoSeries.from_wkb(areas["wkb"].map(bytes)), crs="EPSG:4326"
    )
    points = gpd.GeoDataFrame(rows, geometry=gpd.points_from_xy(rows["lon"], rows["lat"]), crs="EPSG:4326")
    joined = gpd.sjoin(points, polygons, predicate="within", how="left")
    joined = joined[~joined.index.duplicated()]
    assert len(polygons) == 204
    assert len(rows) > 3_500
    assert (joined["gps_pcode"].fillna("") == joined["pcode"].fillna("")).all()
    with closing(open_release(workspace)) as release:
        assert release.is_demonstration

"""Check that places are stored in versions, once, with their findings and index, or not at all."""

from __future__ import annotations

from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from dtm.engine import connect
from dtm.errors import WrongUseError
from dtm.places import check_area_set, load_areas, load_layer, load_raster
from dtm.warehouse import prepare_warehouse
from dtm.workspace import create_workspace

DAY = date(2022, 1, 1)


@pytest.fixture
def workspace(tmp_path):
    return create_workspace(tmp_path / "city")


@pytest.fixture
def connection():
    with connect() as opened:
        prepare_warehouse(opened)
        yield opened


def write_khoroos(path, *, columns=2, shift_deg=0.0):
    """Write khoroos of Bayangol (MN1107), 0.01 degree squares in a row."""
    squares = [shapely.box(106.8 + i / 100, 47.9, 106.81 + i / 100 + shift_deg, 47.91) for i in range(columns)]
    frame = gpd.GeoDataFrame(
        {"pcode": [f"MN1107{i + 1:02}" for i in range(columns)], "number": range(1, columns + 1)},
        geometry=squares,
        crs=4326,
    )
    frame.to_file(path, driver="GeoJSON")
    return path


def load(connection, workspace, path, **options):
    return load_areas(connection, workspace, path, area_set="k", level=3, valid_from=DAY, **options)


def counts(connection):
    tables = ("area_set", "area", "grid", "grid_cell", "finding")
    return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}


def test_the_same_file_again_changes_nothing_and_a_changed_one_is_the_next_version(connection, workspace, tmp_path):
    path = write_khoroos(tmp_path / "k.geojson")
    first = load(connection, workspace, path)
    before = counts(connection)
    again = load(connection, workspace, path)
    assert (first.version, first.stored, again.version, again.stored) == (1, True, 1, False)
    assert counts(connection) == before
    changed = load(connection, workspace, write_khoroos(tmp_path / "k.geojson", columns=3))
    assert (changed.version, changed.stored) == (2, True)
    assert connection.execute("SELECT version, count(*) FROM area GROUP BY 1 ORDER BY 1").fetchall() == [(1, 2), (2, 3)]
    assert len(list(workspace.inbox_path.iterdir())) == 2


def test_an_error_leaves_nothing_behind(connection, workspace, tmp_path):
    report = load(connection, workspace, write_khoroos(tmp_path / "k.geojson", shift_deg=0.005))
    assert report.refused
    assert {finding.severity for finding in report.findings} >= {"error"}
    assert set(counts(connection).values()) == {0}


def test_a_set_keeps_its_level_and_names_are_safe(connection, workspace, tmp_path):
    path = write_khoroos(tmp_path / "k.geojson")
    load(connection, workspace, path)
    for options, says in (({"level": 5}, "--level is 0"), ({"area_set": "../k"}, "can't be a name")):
        with pytest.raises(WrongUseError, match=says):
            load_areas(connection, workspace, path, **{"area_set": "k", "level": 3, "valid_from": DAY, **options})
    with pytest.raises(WrongUseError, match="before --valid-from"):
        load(connection, workspace, path, valid_to=date(2021, 1, 1))


def test_a_stored_set_checks_clean(connection, workspace, tmp_path):
    load(connection, workspace, write_khoroos(tmp_path / "k.geojson"))
    assert check_area_set(connection, "k").findings == []


def test_a_layer_is_stored_in_versions(connection, workspace, tmp_path):
    flood = gpd.GeoDataFrame({"name": ["line"]}, geometry=[shapely.box(106.8, 47.9, 106.805, 47.91)], crs=4326)
    flood.to_file(tmp_path / "flood.geojson", driver="GeoJSON")
    for dated_on, version in ((DAY, 1), (DAY, 1), (date(2023, 1, 1), 2)):
        report = load_layer(
            connection, workspace, tmp_path / "flood.geojson", kind="hazard", name="flood", dated_on=dated_on
        )
        assert report.version == version
    assert connection.execute("SELECT count(*) FROM layer_feature").fetchone() == (2,)


def test_a_raster_is_summed_over_the_areas(connection, workspace, tmp_path):
    load(connection, workspace, write_khoroos(tmp_path / "k.geojson"))
    # Four columns and two rows over the two squares: 1 person a cell in the first, 10 in the second.
    cells = np.array([[1, 1, 10, 10], [1, 1, 10, 10]], dtype="float32")
    transform = rasterio.Affine(0.005, 0, 106.8, 0, -0.005, 47.91)
    with rasterio.open(
        tmp_path / "p.tif",
        "w",
        driver="GTiff",
        height=2,
        width=4,
        count=1,
        dtype="float32",
        crs=4326,
        transform=transform,
    ) as raster:
        raster.write(cells, 1)
    report = load_raster(connection, workspace, tmp_path / "p.tif", name="p", unit="persons")
    assert report.facts["total_persons"] == pytest.approx(44)
    zones = dict(connection.execute("SELECT pcode, persons FROM raster_zone ORDER BY 1").fetchall())
    assert zones == pytest.approx({"MN110701": 4.0, "MN110702": 40.0})

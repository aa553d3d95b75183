"""Hold the simplification for the map: shared borders stay shared, and the file is compact."""

import json

import numpy as np
import pytest
import shapely

from geodata.areas import read_areas
from geodata.errors import GeodataUseError
from geodata.simplify import simplify_coverage, write_geojson
from tests.geodata.builders import grid, write


def _wavy(tmp_path):
    """Return four squares whose borders run in small waves, as one coverage."""
    features = grid(2)
    areas = read_areas(write(tmp_path / "a.geojson", features), level=3).areas
    dense = shapely.segmentize(areas.geometry.to_numpy(), 0.0005)

    def wave(xy):
        return np.round(xy + 0.00005 * np.sin(xy[:, ::-1] * 20_000), 7)

    return areas.set_geometry(shapely.transform(dense, wave), crs="EPSG:4326")


def test_shared_borders_stay_shared(tmp_path):
    areas = _wavy(tmp_path)
    assert shapely.coverage_is_valid(areas.geometry.to_numpy())
    simple = simplify_coverage(areas, tolerance_m=30)
    assert simple.geometry.count_coordinates().sum() < areas.geometry.count_coordinates().sum() / 3
    assert shapely.coverage_is_valid(simple.to_crs("EPSG:32648").geometry.to_numpy())
    assert simple["pcode"].tolist() == areas["pcode"].tolist()
    assert simple.crs == areas.crs


def test_nothing_to_simplify_and_a_wrong_tolerance(tmp_path):
    areas = _wavy(tmp_path)
    assert simplify_coverage(areas, tolerance_m=0).geometry.equals(areas.geometry)
    assert simplify_coverage(areas.iloc[:0], tolerance_m=10).empty
    with pytest.raises(GeodataUseError, match="negative"):
        simplify_coverage(areas, tolerance_m=-1)


def test_the_file_is_compact_and_known_by_pcode(tmp_path):
    areas = read_areas(write(tmp_path / "a.geojson", grid()), level=3).areas
    path = tmp_path / "out.geojson"
    write_geojson(areas, path, decimals=2)
    text = path.read_text(encoding="utf-8")
    assert ", " not in text
    document = json.loads(text)
    assert [feature["id"] for feature in document["features"]] == areas["pcode"].tolist()
    first = document["features"][0]
    assert first["properties"]["name_mn"] == "1-р хороо"
    assert first["properties"]["declared_population_persons"] == 100
    ring = {tuple(point) for point in first["geometry"]["coordinates"][0]}
    assert ring == {(106.8, 47.9), (106.81, 47.9), (106.81, 47.91), (106.8, 47.91)}


@pytest.mark.realdata
def test_the_204_khoroos_for_the_map(realdata, tmp_path):
    areas = read_areas(realdata / "ub-khoroo-204" / "ub_khoroo_204_election.geojson", level=3).areas
    simple = simplify_coverage(areas, tolerance_m=15)
    assert simple.geometry.is_valid.all()
    assert simple.geometry.count_coordinates().sum() < 16_000  # of 31,400
    assert simple.to_crs("EPSG:32648").area.sum() / 1e6 == pytest.approx(4715.7, rel=1e-4)
    write_geojson(simple[["pcode", "geometry"]], tmp_path / "a.geojson")
    assert (tmp_path / "a.geojson").stat().st_size < 400_000

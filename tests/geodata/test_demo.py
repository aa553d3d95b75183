"""The demonstration geography: coverage, counts, published areas, readable by the ordinary readers, reproducible."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata._demo_borders import fractal_line, node_together, split_polygon
from geodata._demo_figures import DISTRICTS
from geodata.areas import read_areas
from geodata.demo import DemoGeography, build_geography
from geodata.errors import GeodataError

KHOROOS = {"MN1101": 5, "MN1104": 2, "MN1107": 34, "MN1110": 43, "MN1113": 8, "MN1116": 43, "MN1119": 20, "MN1122": 25, "MN1125": 24}  # fmt: skip  # noqa: E501


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> DemoGeography:
    return build_geography(tmp_path_factory.mktemp("city"), seed=7)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> DemoGeography:
    return build_geography(tmp_path_factory.mktemp("small"), seed=7, size="small")


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_the_city_has_nine_districts_204_khoroos_and_nine_or_ten_khesegs_each(city):
    frames = {level: gpd.read_file(path) for level, path in city.areas.items()}
    assert {level: len(frame) for level, frame in frames.items() if level < 4} == {1: 1, 2: 9, 3: 204}
    assert frames[3].groupby("parent_pcode").size().to_dict() == KHOROOS
    assert set(frames[4].groupby("parent_pcode").size()) == {9, 10}
    assert sum(KHOROOS.values()) == 204
    assert frames[2]["name_mn"].tolist()[2] == "Баянгол"


def test_every_level_is_a_coverage_and_an_exact_union_of_the_level_below(city):
    frames = {level: gpd.read_file(path).set_index("pcode") for level, path in city.areas.items()}
    for level in (2, 3, 4):
        assert shapely.coverage_is_valid(frames[level].geometry.to_numpy())
        parents = (
            frames[level]
            .groupby("parent_pcode")["geometry"]
            .agg(lambda own: shapely.coverage_union_all(own.to_numpy()))
        )
        for pcode, union in parents.items():
            assert shapely.equals(union, frames[level - 1].geometry[pcode])
    city_polygon = frames[1].geometry.iloc[0]
    assert len(city_polygon.geoms) == 3, "the city and two detached districts"
    assert all(len(part.interiors) == 0 for part in city_polygon.geoms), "no holes"


def test_districts_lie_where_and_as_large_as_published(city):
    frame = gpd.read_file(city.areas[2]).set_index("pcode").to_crs("EPSG:32648")
    for district in DISTRICTS:
        polygon = frame.geometry[district.pcode]
        assert polygon.area / 1e6 == pytest.approx(district.area_km2, rel=0.2), district.name_en
        middle = gpd.GeoSeries.from_xy([district.lon], [district.lat], crs="EPSG:4326").to_crs("EPSG:32648").iloc[0]
        assert polygon.centroid.distance(middle) < 4_000, district.name_en


def test_khoroos_are_small_in_the_centre_and_huge_outside(city):
    frame = gpd.read_file(city.areas[3]).to_crs("EPSG:32648")
    km2 = frame.area / 1e6
    assert km2.min() < 0.6
    assert km2.max() > 100
    assert km2.median() < 5


def test_the_ordinary_reader_loads_every_level(small):
    parents = None
    for level, path in sorted(small.areas.items()):
        found = read_areas(path, area_set="demo", level=level, parents=parents)
        assert not found.has_errors, found.findings
        assert found.areas["pcode"].tolist() == sorted(gpd.read_file(path)["pcode"])
        parents = found.areas
    assert len(found.areas) == len(small.units)
    assert small.units["pcode"].str[:8].nunique() == 12
    assert set(small.units.groupby("khoroo_pcode").size()) <= {3, 4}


def test_the_raster_sums_to_the_published_population(city):
    with rasterio.open(city.raster) as file:
        assert file.crs.to_epsg() == 32648
        assert file.res == (100.0, 100.0)
        values = file.read(1, masked=True)
    assert float(values.sum()) == pytest.approx(1_499_140, rel=1e-3)
    assert city.units["persons"].sum() == pytest.approx(1_499_140)


def test_points_lie_inside_their_unit(city):
    frame = gpd.read_file(city.areas[city.unit_level]).set_index("pcode")
    points = city.unit_points
    assert set(points["pcode"]) == set(city.units["pcode"])
    polygons = frame.geometry.loc[points["pcode"]].to_numpy()
    assert shapely.contains_properly(polygons, shapely.points(points["lon"], points["lat"])).all()


def test_layers_lie_inside_the_city_and_are_marked(city):
    outline = gpd.read_file(city.areas[1]).geometry.iloc[0].buffer(1e-4)
    assert set(city.layers) == {"ger-area", "service", "hazard", "road"}
    for path in [*city.layers.values(), *city.areas.values()]:
        assert path.name.startswith("demonstration-")
        assert json.loads(path.read_text(encoding="utf-8"))["demonstration"] is True
    for path in city.layers.values():
        frame = gpd.read_file(path)
        assert frame["demonstration"].all()
        assert frame.geometry.is_valid.all()
        assert frame.within(outline).all()
    ger_km2 = gpd.read_file(city.layers["ger-area"]).to_crs("EPSG:32648").area.sum() / 1e6
    assert 60 < ger_km2 < 250
    services = gpd.read_file(city.layers["service"])
    assert (services["category"] == "khoroo_office").sum() == 204


@pytest.mark.parametrize("seed", [1, 2, 20_260])
def test_the_small_size_has_every_layer_too(tmp_path, seed):
    assert set(build_geography(tmp_path, seed=seed, size="small").layers) == {"ger-area", "service", "hazard", "road"}


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(small, tmp_path):
    again = build_geography(tmp_path / "again", seed=7, size="small")
    other = build_geography(tmp_path / "other", seed=8, size="small")
    assert _hashes(again.folder) == _hashes(small.folder)
    assert _hashes(other.folder) != _hashes(small.folder)
    assert again.units.equals(small.units)
    assert again.unit_points.equals(small.unit_points)


def test_the_country_has_22_aimags_339_soums_and_1800_units(tmp_path):
    country = build_geography(tmp_path, seed=7, size="national")
    frames = {level: gpd.read_file(path) for level, path in country.areas.items()}
    assert {level: len(frame) for level, frame in frames.items()} == {1: 22, 2: 339, 3: 1800}
    assert all(shapely.coverage_is_valid(frame.geometry.to_numpy()) for frame in frames.values())
    assert country.unit_level == 3
    assert (frames[3]["parent_pcode"].str[:4] == "MN11").sum() == 204


def test_an_unknown_size_is_refused(tmp_path):
    with pytest.raises(GeodataError, match="small, city or national"):
        build_geography(tmp_path, seed=1, size="huge")  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 25))
def test_parts_cover_what_was_split(seed, count):
    rng = np.random.default_rng(seed)
    polygon = shapely.Polygon([(0, 0), (4000, 300), (5200, 4100), (1500, 2500), (-700, 5000)])
    points = rng.uniform((-700, 0), (5200, 5000), (2000, 2))
    seeds = points[shapely.contains_xy(polygon, points)][:count]
    parts = split_polygon(polygon, seeds, rng=rng)
    assert len(parts) == count
    assert sum(part.area for part in parts) == pytest.approx(polygon.area, rel=1e-3)
    assert shapely.coverage_is_valid(np.array(node_together(parts)))


def test_a_fractal_line_keeps_its_ends_and_its_limits():
    start, end = np.array([0.0, 0.0]), np.array([800.0, 0.0])
    line = fractal_line(
        start, end, rng=np.random.default_rng(1), depth=5, limits=lambda t: (0 * t + 10.0, 0 * t + 20.0)
    )
    assert len(line) == 33
    assert line[0].tolist() == [0.0, 0.0]
    assert line[-1].tolist() == [800.0, 0.0]
    assert line[:, 1].max() <= 7.0
    assert line[:, 1].min() >= -14.0


@pytest.mark.realdata
def test_real_khoroos_are_split_into_khesegs(realdata, tmp_path):
    path = realdata / "ub-khoroo-204" / "ub_khoroo_204_election.geojson"
    real = build_geography(tmp_path, seed=7, areas=path)
    khesegs = gpd.read_file(real.areas[4])
    assert real.areas[3] == path
    assert khesegs["parent_pcode"].nunique() == 204
    assert set(khesegs.groupby("parent_pcode").size()) == {9, 10}
    assert khesegs.geometry.is_valid.all()
    assert khesegs.to_crs("EPSG:32648").area.sum() / 1e6 == pytest.approx(4715.7, rel=1e-3)
    khoroos = read_areas(path, area_set="khoroos", level=3).areas.set_index("pcode")
    points = real.unit_points
    polygons = khoroos.geometry.loc[points["pcode"].str[:8]].to_numpy()
    assert shapely.contains(polygons, shapely.points(points["lon"], points["lat"])).all()

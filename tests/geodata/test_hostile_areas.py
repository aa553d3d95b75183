"""Feed broken boundary files: each gives a finding that names the place and the cure, never a silent loss."""

import gzip
import json
import sqlite3
import warnings
import zipfile

import geopandas as gpd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.areas import read_areas
from geodata.findings import CATALOGUE, make
from tests.geodata.builders import codes, grid, khoroo, square, write


def read(path, **options):
    return read_areas(path, area_set="a", level=3, **options)


def only_error(result):
    found = [finding for finding in result.findings if finding.severity == "error"]
    assert len(found) == 1, found
    assert found[0].message_en
    assert found[0].message_mn
    return found[0]


# --- The file ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"   \n"])
def test_an_empty_file(tmp_path, content):
    path = tmp_path / "a.geojson"
    path.write_bytes(content)
    assert only_error(read(path)).code == "file-empty"


@pytest.mark.parametrize(
    "content",
    [
        b"pcode,name\nMN11,a\n",
        b"\x89PNG\r\n\x1a\n0000",
        b"%PDF-1.7",
        b"<html></html>",
        b"[1, 2]",
        b'{"type": "Topology"}',
        b'"text"',
        b'{"type": "FeatureCollection", "features": null}',
    ],
)
def test_a_wrong_type_of_file(tmp_path, content):
    path = tmp_path / "a.geojson"
    path.write_bytes(content)
    finding = only_error(read(path))
    assert finding.code == "file-type"
    assert "GeoPackage" in finding.message_en


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.01, 0.995))
def test_geojson_cut_in_the_middle(tmp_path, share):
    path = write(tmp_path / "a.geojson", grid())
    content = path.read_bytes()
    path.write_bytes(content[: max(2, int(len(content) * share))])
    finding = only_error(read(path))
    assert finding.code == "file-damaged"
    assert "line 1, column" in finding.message_en


def test_gzip_cut_in_the_middle(tmp_path):
    packed = gzip.compress(write(tmp_path / "a.geojson", grid()).read_bytes())
    path = tmp_path / "a.geojson.gz"
    path.write_bytes(packed[: len(packed) // 2])
    assert only_error(read(path)).code == "file-damaged"


@pytest.mark.parametrize(("name", "driver"), [("a.gpkg", "GPKG"), ("a.fgb", "FlatGeobuf"), ("a.kml", "KML")])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_binary_files_cut_in_the_middle_never_pass_in_silence(tmp_path, name, driver, share):
    path = tmp_path / name
    gpd.GeoDataFrame.from_features(grid(7), crs="EPSG:4326").to_file(path, driver=driver)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    result = read(path)
    assert result.has_errors
    assert codes(result.findings, "error")[0] in ("file-damaged", "file-type")
    assert str(tmp_path) not in " ".join(finding.message_en for finding in result.findings)


def test_a_zip_without_a_shapefile_and_a_broken_zip(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    assert read(path).has_errors
    path.write_bytes(path.read_bytes()[:40])
    assert read(path).has_errors


def test_a_shapefile_without_its_reference_system(tmp_path):
    frame = gpd.GeoDataFrame.from_features(grid())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame.to_file(tmp_path / "a.shp", encoding="utf-8")
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in tmp_path.glob("a.*"):
            if part.suffix not in (".zip", ".prj"):
                archive.write(part, part.name)
    finding = only_error(read(path))
    assert finding.code == "crs-missing"
    assert ".prj" in finding.message_en


def test_several_layers_are_named(tmp_path):
    path = tmp_path / "a.gpkg"
    for layer in ("new", "old"):
        gpd.GeoDataFrame.from_features(grid(), crs="EPSG:4326").to_file(path, layer=layer, driver="GPKG")
    assert "new, old" in only_error(read(path)).message_en


def test_a_geopackage_without_features_or_geometry(tmp_path):
    path = tmp_path / "a.gpkg"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a)")
    connection.commit()
    connection.close()
    assert read(path).has_errors
    empty = write(tmp_path / "b.geojson", [])
    assert only_error(read(empty)).code == "file-no-features"


# --- Coordinates -------------------------------------------------------------------------------------------------


def _moved(change):
    features = grid()
    for feature in features:
        ring = feature["geometry"]["coordinates"][0]
        feature["geometry"]["coordinates"][0] = [change(x, y) for x, y in ring]
    return features


def test_swapped_longitude_and_latitude(tmp_path):
    finding = only_error(read(write(tmp_path / "a.geojson", _moved(lambda x, y: [y, x]))))
    assert finding.code == "crs-swapped"
    assert "47.9" in finding.message_en


def test_metres_given_as_degrees(tmp_path):
    finding = only_error(read(write(tmp_path / "a.geojson", _moved(lambda x, y: [6400 * x, 110_000 * y]))))
    assert finding.code == "crs-metres"
    assert "EPSG:32648" in finding.message_en


def test_a_stated_reference_system_is_honoured_and_an_unknown_one_named(tmp_path):
    metric = json.loads(gpd.GeoDataFrame.from_features(grid(), crs="EPSG:4326").to_crs("EPSG:32648").to_json())
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32648"}}
    result = read(write(tmp_path / "a.geojson", metric["features"], crs=crs))
    assert not result.has_errors
    assert result.crs == "EPSG:32648"
    crs["properties"]["name"] = "Pulkovo of my own"
    assert only_error(read(write(tmp_path / "b.geojson", metric["features"], crs=crs))).code == "crs-unknown"


def test_a_broken_feature_in_a_metric_file_leaves_the_others_in_place(tmp_path):
    metric = json.loads(gpd.GeoDataFrame.from_features(grid(), crs="EPSG:4326").to_crs("EPSG:32648").to_json())
    crs = {"type": "name", "properties": {"name": "EPSG:32648"}}
    features = [*metric["features"], khoroo(10, {"type": "Polygon"})]
    result = read(write(tmp_path / "a.geojson", features, crs=crs))
    assert only_error(result).code == "geometry-broken"
    assert result.areas["lon"].between(106.8, 106.84).all()


def test_one_polygon_outside_mongolia(tmp_path):
    result = read(write(tmp_path / "a.geojson", [*grid(), khoroo(10, square(-2000, 0))]))
    finding = only_error(result)
    assert (finding.code, finding.feature) == ("outside-mongolia", 10)
    assert "10-р хороо" in finding.message_en


# --- Geometry ----------------------------------------------------------------------------------------------------

BOWTIE = {
    "type": "Polygon",
    "coordinates": [[[106.9, 47.9], [106.91, 47.91], [106.91, 47.9], [106.9, 47.91], [106.9, 47.9]]],
}
NAN = {"type": "Polygon", "coordinates": [[[106.9, 47.9], [float("nan"), 47.91], [106.91, 47.9], [106.9, 47.9]]]}


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (None, "geometry-missing"),
        ({"type": "Polygon", "coordinates": []}, "geometry-missing"),
        (NAN, "geometry-nan"),
        (BOWTIE, "geometry-invalid"),
        ({"type": "Point", "coordinates": [106.9, 47.9]}, "geometry-type"),
        ({"type": "LineString", "coordinates": [[106.9, 47.9], [106.91, 47.9]]}, "geometry-type"),
        ({"type": "Polygon", "coordinates": [[[106.9, 47.9], [106.91, 47.9]]]}, "geometry-broken"),
        ({"type": "Polygon", "coordinates": [["x", "y"]]}, "geometry-broken"),
        ({"type": "Polygon", "coordinates": 7}, "geometry-broken"),
        ({"type": "Polygon"}, "geometry-broken"),
        ({"type": "Blob", "coordinates": []}, "geometry-broken"),
        ({}, "geometry-broken"),
        ("POLYGON", "geometry-broken"),
    ],
)
def test_a_broken_geometry_is_named_by_its_feature(tmp_path, geometry, code):
    features = [*grid(), khoroo(10, geometry)]
    finding = only_error(read(write(tmp_path / "a.geojson", features)))
    assert (finding.code, finding.feature) == (code, 10)
    assert "10-р хороо" in finding.message_en
    assert "10-р хороо" in finding.message_mn


@pytest.mark.parametrize("feature", [None, 7, "text", [], {"type": "Feature"}])
def test_what_is_no_feature_is_counted_and_named(tmp_path, feature):
    result = read(write(tmp_path / "a.geojson", [feature, *grid()]))
    broken = [finding for finding in result.findings if finding.code == "geometry-broken"]
    assert [finding.feature for finding in broken] == [1]
    assert result.has_errors


def test_a_bowtie_is_explained_and_repaired(tmp_path):
    path = write(tmp_path / "a.geojson", [*grid(), khoroo(10, BOWTIE)])
    assert "Self-intersection at 106.905" in only_error(read(path)).message_en
    repaired = read(path, repair=True)
    kept = [finding for finding in repaired.findings if finding.code == "geometry-repaired"]
    assert [finding.feature for finding in kept] == [10]
    assert repaired.areas.geometry.is_valid.all()


def test_the_same_polygon_twice(tmp_path):
    finding = only_error(read(write(tmp_path / "a.geojson", [*grid(), khoroo(10, square(1, 1))])))
    assert finding.code == "geometry-duplicate"
    assert "5-р хороо" in finding.message_en


# --- Fields ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("khoroo", "арав", "number-text"),
        ("khoroo", "0-р хороо", "number-text"),
        ("khoroo", "100-р хороо", "number-text"),
        ("khoroo", None, "number-missing"),
        ("khoroo", "", "number-missing"),
        ("khoroo", "1-р хороо", "pcode-duplicate"),
        ("district", "Диваажин", "parent-unknown"),
        ("district", None, "parent-unknown"),
        ("population", "олон", "population-text"),
        ("population", 12.5, "population-text"),
        ("population", "1e400", "population-text"),
        ("population", -3, "population-negative"),
    ],
)
def test_a_bad_value_is_named_by_feature_and_field(tmp_path, field, value, code):
    features = [*grid(), khoroo(10, square(0, 3))]
    features[9]["properties"][field] = value
    finding = only_error(read(write(tmp_path / "a.geojson", features)))
    assert (finding.code, finding.feature) == (code, 10)
    assert finding.field == field or code == "pcode-duplicate"


def test_a_missing_population_is_empty_and_not_zero(tmp_path):
    features = grid()
    features[0]["properties"]["population"] = None
    result = read(write(tmp_path / "a.geojson", features))
    assert result.findings == []
    assert result.areas["declared_population_persons"].isna().sum() == 1


def test_a_left_out_number_is_a_warning(tmp_path):
    result = read(write(tmp_path / "a.geojson", grid()[:4] + grid()[6:]))
    assert "number-gap" in codes(result.findings, "warning")
    assert not result.has_errors


# --- The catalogue -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_finding_can_be_made_without_any_detail(code):
    finding = make(code, file_name="a.geojson")
    assert "{" not in finding.message_en + finding.message_mn
    assert any("\u0400" <= letter <= "\u04ff" for letter in finding.message_mn)
    assert finding.severity in ("error", "warning")


@given(st.text(max_size=30), st.one_of(st.none(), st.text(max_size=20), st.floats(), st.integers()))
def test_no_value_breaks_a_message(text, value):
    for code in CATALOGUE:
        make(code, file_name=text, layer=text, field=text, feature=1, value=value, x=value, name=text, area_km2=value)

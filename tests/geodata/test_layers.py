"""Hold the reading of ger areas, hazards, services and roads."""

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import LineString, Point, box

from geodata.errors import GeodataUseError, UnreadableFileError
from geodata.layers import LAYER_COLUMNS, read_layer
from tests.geodata.builders import codes, square, write


def feature(geometry, **properties):
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def test_labels_go_to_the_language_of_their_letters(tmp_path):
    features = [
        feature(square(0, 0), name="Дэнжийн гэр хороолол", category="ger_area"),
        feature(square(1, 0), name="Denjiin", category="ger_area"),
        feature(square(2, 0), name="X", name_mn="Гэр", name_en="Ger"),
        feature(square(3, 0)),
    ]
    layer = read_layer(write(tmp_path / "a.geojson", features), kind="ger-area", name="ger")
    assert layer.findings == []
    assert list(layer.features.columns) == list(LAYER_COLUMNS)
    assert layer.features["feature"].tolist() == [1, 2, 3, 4]
    mongolian, english = (layer.features[name].astype(object) for name in ("label_mn", "label_en"))
    assert mongolian.where(mongolian.notna(), None).tolist() == ["Дэнжийн гэр хороолол", None, "Гэр", None]
    assert english.where(english.notna(), None).tolist() == [None, "Denjiin", "Ger", None]
    assert layer.features["category"].isna().tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("kind", "geometry", "fits"),
    [
        ("ger-area", box(106.9, 47.9, 106.91, 47.91), True),
        ("ger-area", Point(106.9, 47.9), False),
        ("hazard", LineString([(106.9, 47.9), (106.91, 47.91)]), False),
        ("service", Point(106.9, 47.9), True),
        ("service", box(106.9, 47.9, 106.91, 47.91), True),
        ("service", LineString([(106.9, 47.9), (106.91, 47.91)]), False),
        ("road", LineString([(106.9, 47.9), (106.91, 47.91)]), True),
        ("road", Point(106.9, 47.9), False),
    ],
)
def test_each_kind_takes_its_own_geometry(tmp_path, kind, geometry, fits):
    path = tmp_path / "a.gpkg"
    frame = gpd.GeoDataFrame({"name": ["Нэг"]}, geometry=[geometry], crs="EPSG:4326").to_crs("EPSG:32648")
    frame.to_file(path, driver="GPKG")
    layer = read_layer(path, kind=kind, name="x")
    assert layer.crs == "EPSG:32648"
    if fits:
        assert layer.findings == []
        assert layer.features.geometry.iloc[0].distance(geometry) < 1e-9
    else:
        assert codes(layer.findings, "error") == ["geometry-type"]
        assert layer.findings[0].feature == 1
        assert "Нэг" in layer.findings[0].message_en


def test_an_invalid_polygon_of_a_layer_is_repaired_with_a_warning(tmp_path):
    ring = [[106.9, 47.9], [106.91, 47.91], [106.91, 47.9], [106.9, 47.91], [106.9, 47.9]]
    bowtie = {"type": "Polygon", "coordinates": [ring]}
    layer = read_layer(write(tmp_path / "a.geojson", [feature(bowtie)]), kind="hazard", name="x")
    assert codes(layer.findings, "warning") == ["geometry-repaired"]
    assert layer.features.geometry.is_valid.all()


def test_hostile_layers(tmp_path):
    broken = write(tmp_path / "a.geojson", [feature(None), feature({"type": "Polygon"}), feature(square(0, 0))])
    layer = read_layer(broken, kind="hazard", name="x")
    assert sorted(codes(layer.findings, "error")) == ["geometry-broken", "geometry-missing"]
    assert layer.features["feature"].tolist() == [3]
    empty = tmp_path / "b.csv"
    empty.write_text("")
    assert codes(read_layer(empty, kind="service", name="x").findings) == ["file-empty"]
    header = tmp_path / "c.csv"
    header.write_text("id,lon,lat\n")
    assert codes(read_layer(header, kind="service", name="x").findings) == ["file-no-features"]
    with pytest.raises(GeodataUseError, match="ger-area, hazard, service, road"):
        read_layer(broken, kind="school", name="x")
    with pytest.raises(UnreadableFileError, match="does not exist"):
        read_layer(tmp_path / "none.csv", kind="service", name="x")


def test_csv_columns_and_coordinates_are_checked(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,east,north\n1,106.9,47.9\n")
    found = read_layer(path, kind="service", name="x").findings
    assert codes(found) == ["columns-missing"]
    assert "id, east, north" in found[0].message_en
    path.write_text("id,Lon,Lat,name\n1,106.9,47.9,а\n2,x,47.9,б\n3,106.9,,в\n4,nan,47.9,г\n", encoding="utf-8")
    found = read_layer(path, kind="service", name="x").findings
    assert codes(found) == ["coordinate-text"] * 3
    assert sorted((finding.feature, finding.field) for finding in found) == [(2, "Lon"), (3, "Lat"), (4, "Lon")]
    path.write_text("id,lon,lat\n1,47.9,106.9\n")
    assert codes(read_layer(path, kind="service", name="x").findings) == ["crs-swapped"]


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("file", "count"), [("khoroo_offices", 167), ("hospitals", 46), ("disaster_relocation_sites", 32)]
)
def test_the_citys_points_each_lie_in_one_khoroo(realdata, file, count):
    from geodata.areas import read_areas

    layer = read_layer(realdata / "ub-ebarilga" / f"{file}.csv", kind="service", name=file)
    assert layer.findings == []
    assert len(layer.features) == count
    khoroos = read_areas(realdata / "ub-khoroo-204" / "ub_khoroo_204_election.geojson", level=3).areas
    located = gpd.sjoin(layer.features, khoroos[["pcode", "geometry"]], predicate="within")
    assert located["feature"].tolist() == layer.features["feature"].tolist()
    named = layer.features["label_mn"].notna()
    assert named.all() == (file == "hospitals")
    assert isinstance(layer.features, pd.DataFrame)

"""Hold the reading of areas: codes, names, formats, field finding, coverage, and the real files."""

import gzip
import json
import warnings

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.areas import AREA_COLUMNS, read_areas
from geodata.errors import GeodataUseError, UnreadableFileError
from tests.geodata.builders import LAT0, LON0, STEP, codes, grid, khoroo, square, write


def test_a_grid_of_squares_is_nine_khoroos_without_a_finding(tmp_path):
    read = read_areas(write(tmp_path / "nine.geojson", grid()), area_set="khoroo", level=3)
    assert read.findings == []
    assert not read.has_errors
    assert list(read.areas.columns) == list(AREA_COLUMNS)
    assert read.areas["pcode"].tolist() == [f"MN11070{number}" for number in range(1, 10)]
    assert set(read.areas["parent_pcode"]) == {"MN1107"}
    assert read.areas["number"].tolist() == list(range(1, 10))
    assert read.areas["name_mn"].iloc[0] == "1-р хороо"
    assert read.areas["name_en"].iloc[0] == "Khoroo 1"
    assert read.areas["declared_population_persons"].sum() == 4500
    # 0.01 degree is 1.1119 km north and 0.7455 km east at 47.915 N: 0.829 km2 a square on the sphere
    assert read.areas["area_km2"].iloc[0] == pytest.approx(0.83, abs=0.01)
    assert read.area_crs == "EPSG:32648"
    assert read.areas.geometry.iloc[0].covers(gpd.points_from_xy(read.areas["lon"][:1], read.areas["lat"][:1])[0])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(9)))
def test_the_order_of_features_does_not_matter(tmp_path, order):
    features = grid()
    plain = read_areas(write(tmp_path / "a.geojson", features), area_set="a", level=3)
    mixed = read_areas(write(tmp_path / "b.geojson", [features[k] for k in order]), area_set="a", level=3)
    pd.testing.assert_frame_equal(pd.DataFrame(plain.areas), pd.DataFrame(mixed.areas))
    assert codes(plain.findings) == codes(mixed.findings)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.1, 0.9))
def test_shifting_the_middle_square_makes_one_overlap_and_one_gap(tmp_path, share):
    features = grid()
    features[4]["geometry"] = square(1, 1, dx=share * STEP)
    read = read_areas(write(tmp_path / "a.geojson", features), area_set="a", level=3)
    assert codes(read.findings, "error") == ["overlap"]
    assert codes(read.findings).count("gap") == 1
    overlap = next(finding for finding in read.findings if finding.code == "overlap")
    assert overlap.feature == 5
    assert "5-р хороо" in overlap.message_en
    assert "6-р хороо" in overlap.message_en


def test_slivers_are_summed_up_in_one_warning(tmp_path):
    features = grid()
    features[4]["geometry"] = square(1, 1, dx=0.00003)  # 2.2 m
    read = read_areas(write(tmp_path / "a.geojson", features), area_set="a", level=3)
    assert codes(read.findings) == ["overlap-sliver", "gap-sliver"]
    assert not read.has_errors
    strict = read_areas(tmp_path / "a.geojson", area_set="a", level=3, gap_tolerance_m=1, overlap_tolerance_km2=0.001)
    assert codes(strict.findings, "error") == ["overlap"]
    assert codes(strict.findings).count("gap") == 1


def test_a_square_inside_another_is_an_overlap(tmp_path):
    inner = {
        "type": "Polygon",
        "coordinates": [
            [[LON0 + x, LAT0 + y] for x, y in ((0.002, 0.002), (0.004, 0.002), (0.004, 0.004), (0.002, 0.002))]
        ],
    }
    read = read_areas(write(tmp_path / "a.geojson", [*grid(), khoroo(10, inner)]), area_set="a", level=3)
    assert codes(read.findings) == ["overlap"]
    assert "10-р хороо" in read.findings[0].message_en


def _frame():
    return gpd.GeoDataFrame.from_features(grid(), crs="EPSG:4326")


@pytest.mark.parametrize(
    ("name", "driver"), [("a.gpkg", "GPKG"), ("a.fgb", "FlatGeobuf"), ("a.kml", "KML"), ("a.shp", "ESRI Shapefile")]
)
@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32648"])
def test_every_format_and_reference_system_gives_the_same_areas(tmp_path, name, driver, crs):
    plain = read_areas(write(tmp_path / "plain.geojson", grid()), area_set="a", level=3)
    path = tmp_path / name
    frame = _frame().to_crs(crs if driver != "KML" else "EPSG:4326")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame.to_file(path, driver=driver)
    if driver == "ESRI Shapefile":
        import zipfile

        packed = tmp_path / "a.zip"
        with zipfile.ZipFile(packed, "w") as archive:
            for part in tmp_path.glob("a.*"):
                if part != packed:
                    archive.write(part, part.name)
        path = packed
    read = read_areas(path, area_set="a", level=3)
    assert codes(read.findings, "error") == []
    assert read.areas["pcode"].tolist() == plain.areas["pcode"].tolist()
    assert read.areas["declared_population_persons"].tolist() == plain.areas["declared_population_persons"].tolist()
    assert read.areas["area_km2"].to_numpy() == pytest.approx(plain.areas["area_km2"].to_numpy(), rel=1e-6)


def test_gzipped_geojson_is_read(tmp_path):
    path = tmp_path / "a.geojson.gz"
    path.write_bytes(gzip.compress(write(tmp_path / "a.geojson", grid()).read_bytes()))
    assert len(read_areas(path, level=3).areas) == 9
    assert read_areas(path, level=3).name == "a"


# --- Which field is what -----------------------------------------------------------------------------------------


def test_codes_and_identifiers_are_never_taken_for_the_number(tmp_path):
    features = grid()
    for k, feature in enumerate(features):
        feature["properties"] = {
            "id": k + 50, "code": f"01107{k:02d}", "au2_code": "01107", "name": f"{k + 1}-р хороо",
            "name_desc": "Баянгол",
        }  # fmt: skip
    read = read_areas(write(tmp_path / "a.geojson", features), area_set="a", level=3)
    assert read.findings == []
    assert read.areas["pcode"].tolist() == [f"MN11070{number}" for number in range(1, 10)]


def test_fields_that_disagree_are_named_with_the_option(tmp_path):
    features = grid()
    for k, feature in enumerate(features):
        feature["properties"]["old_name"] = f"{9 - k}-р хороо"
    path = write(tmp_path / "a.geojson", features)
    read = read_areas(path, area_set="a", level=3, number_field="old_name")
    assert read.findings == []
    assert read.areas["declared_population_persons"].tolist() == [100 * n for n in range(9, 0, -1)]
    for feature in features:
        feature["properties"]["alt"] = feature["properties"].pop("khoroo")
    read = read_areas(write(path, features), area_set="a", level=3)
    found = [f for f in read.findings if f.code == "field-ambiguous"]
    assert len(found) == 1
    assert "old_name, alt" in found[0].message_en or "alt, old_name" in found[0].message_en
    assert "--number-field" in found[0].message_mn


def test_a_field_option_that_is_not_there_names_the_fields(tmp_path):
    read = read_areas(write(tmp_path / "a.geojson", grid()), area_set="a", level=3, parent_field="duureg")
    assert codes(read.findings, "error") == ["field-missing"]
    assert "district, khoroo, population" in read.findings[0].message_en


def test_a_file_without_parent_or_number_says_which_option_helps(tmp_path):
    features = grid()
    for feature in features:
        feature["properties"].pop("district")
    read = read_areas(write(tmp_path / "a.geojson", features), area_set="a", level=3)
    assert codes(read.findings, "error") == ["field-not-found"]
    assert "--parent-field" in read.findings[0].message_en
    assert len(read.areas) == 0


def test_khesegs_get_their_code_from_district_khoroo_and_number(tmp_path):
    features = grid()
    for k, feature in enumerate(features):
        feature["properties"] = {"district": "БГД", "khoroo": "4-р хороо", "kheseg": f"{k + 1}-р хэсэг"}
    read = read_areas(write(tmp_path / "a.geojson", features), area_set="a", level=4)
    assert read.findings == []
    assert read.areas["pcode"].tolist() == [f"MN1107040{number}" for number in range(1, 10)]
    assert read.areas["name_mn"].iloc[0] == "1-р хэсэг"


def test_own_pcodes_are_taken_as_they_are(tmp_path):
    features = grid()
    for k, feature in enumerate(features):
        feature["properties"] = {"pcode": f"MN11070{9 - k}"}
    read = read_areas(write(tmp_path / "a.geojson", features), area_set="a", level=3)
    assert read.findings == []
    assert read.areas["number"].tolist() == list(range(1, 10))


def test_baghs_are_matched_inside_the_aimag_of_their_row(tmp_path):
    features = grid()
    for k, feature in enumerate(features):
        aimag = "Сэлэнгэ" if k < 4 else "Сүхбаатар"
        feature["properties"] = {"aimag": aimag, "soum": "Сүхбаатар", "bag": f"{k + 1}-р баг"}
    read = read_areas(write(tmp_path / "a.geojson", features), area_set="a", level=3)
    assert codes(read.findings, "error") == []
    assert read.areas["parent_pcode"].tolist() == ["MN2222"] * 5 + ["MN4301"] * 4
    assert read.areas["name_en"].iloc[0] == "Bagh 5"


def test_districts_by_name_only_are_those_of_the_capital(tmp_path):
    features = grid()
    names = ["Багануур", "Багахангай", "Баянгол", "Баянзүрх", "Налайх", "Сонгинохайрхан", "Сүхбаатар", "Хан-Уул"]
    names.append("Чингэлтэй")
    for name, feature in zip(names, features, strict=True):
        feature["properties"] = {"name": name}
    read = read_areas(write(tmp_path / "a.geojson", features), area_set="a", level=2)
    assert read.findings == []
    assert read.areas["name_mn"].tolist() == names
    assert set(read.areas["parent_pcode"]) == {"MN11"}


def test_the_country_is_one_area(tmp_path):
    read = read_areas(write(tmp_path / "a.geojson", grid()[:1]), area_set="country", level=0)
    assert read.areas["pcode"].tolist() == ["MN"]
    assert read.findings == []


def test_wrong_use_raises(tmp_path):
    with pytest.raises(GeodataUseError, match="level 5"):
        read_areas(write(tmp_path / "a.geojson", grid()), area_set="a", level=5)
    with pytest.raises(UnreadableFileError, match="does not exist"):
        read_areas(tmp_path / "none.geojson", area_set="a", level=3)


# --- Parents -----------------------------------------------------------------------------------------------------


def _parents(tmp_path, split):
    """Return two districts that meet at column `split` of the grid."""
    from shapely.geometry import box

    cut = LON0 + split * STEP
    boxes = [box(LON0 - 1, LAT0 - 1, cut, LAT0 + 1), box(cut, LAT0 - 1, LON0 + 1, LAT0 + 1)]
    names = {
        "pcode": ["MN1107", "MN1116"],
        "name_mn": ["Баянгол", "Сонгинохайрхан"],
        "name_en": ["Bayangol", "Songino"],
    }
    return gpd.GeoDataFrame(names, geometry=boxes, crs="EPSG:4326")


def test_a_khoroo_in_another_district_than_it_says_is_an_error(tmp_path):
    path = write(tmp_path / "a.geojson", grid())
    assert read_areas(path, area_set="a", level=3, parents=_parents(tmp_path, 3)).findings == []
    read = read_areas(path, area_set="a", level=3, parents=_parents(tmp_path, 2))
    assert codes(read.findings) == ["parent-elsewhere"] * 3
    assert [finding.feature for finding in read.findings] == [3, 6, 9]
    assert read.has_errors
    assert "MN1116" in read.findings[0].message_mn
    half = read_areas(path, area_set="a", level=3, parents=_parents(tmp_path, 2.3))
    assert codes(half.findings, "warning") == ["parent-elsewhere"] * 3


def test_parents_that_are_not_loaded_are_an_error(tmp_path):
    parents = _parents(tmp_path, 3).iloc[1:]
    read = read_areas(write(tmp_path / "a.geojson", grid()), area_set="a", level=3, parents=parents)
    assert "parent-missing" in codes(read.findings, "error") or "field-not-found" in codes(read.findings, "error")


def test_without_a_parent_field_the_polygons_decide_with_a_warning(tmp_path):
    features = grid()
    for feature in features:
        feature["properties"].pop("district")
    path = write(tmp_path / "a.geojson", features)
    read = read_areas(path, area_set="a", level=3, parents=_parents(tmp_path, 2))
    assert not read.has_errors
    assert "parent-by-polygon" in codes(read.findings)
    assert read.areas["parent_pcode"].value_counts().to_dict() == {"MN1107": 6, "MN1116": 3}


# --- The real files ----------------------------------------------------------------------------------------------


@pytest.mark.realdata
def test_the_204_khoroos(realdata):
    path = realdata / "ub-khoroo-204" / "ub_khoroo_204_election.geojson"
    read = read_areas(path, area_set="khoroo-204", level=3)
    assert codes(read.findings, "error") == []
    assert codes(read.findings) == ["overlap-sliver", "gap-sliver"]
    assert "506" in read.findings[1].message_en
    assert len(read.areas) == 204
    assert read.areas["area_km2"].sum() == pytest.approx(4715.70, abs=0.005)
    raw = json.loads(path.read_text(encoding="utf-8"))["features"]
    expected = {f"MN{f['properties']['au2_code'][1:]}{int(f['properties']['name'].split('-')[0]):02d}" for f in raw}
    assert set(read.areas["pcode"]) == expected
    sizes = read.areas["parent_pcode"].value_counts().to_dict()
    assert sizes["MN1116"] == sizes["MN1110"] == 43
    assert sizes == {
        "MN1116": 43, "MN1110": 43, "MN1107": 34, "MN1122": 25, "MN1125": 24, "MN1119": 20, "MN1113": 8, "MN1101": 5,
        "MN1104": 2,
    }  # fmt: skip


@pytest.mark.realdata
def test_the_152_khoroos_with_population(realdata):
    path = realdata / "ub-khoroo-152-population" / "ub_khoroo_152_population.geojson"
    read = read_areas(path, area_set="khoroo-152", level=3)
    invalid = [finding for finding in read.findings if finding.severity == "error"]
    assert codes(invalid) == ["geometry-invalid", "geometry-invalid"]
    assert "БГД, 18-р хороо" in invalid[0].message_en
    assert "СХД, 7-р хороо" in invalid[1].message_en
    assert all("Self-intersection at 106." in finding.message_en for finding in invalid)
    assert all("--repair" in finding.message_en and "--repair" in finding.message_mn for finding in invalid)
    repaired = read_areas(path, area_set="khoroo-152", level=3, repair=True)
    assert not repaired.has_errors
    assert codes(repaired.findings).count("geometry-repaired") == 2
    assert len(repaired.areas) == 152
    assert repaired.areas["declared_population_persons"].sum() == 1_314_486
    assert repaired.areas.geometry.is_valid.all()
    assert repaired.areas["area_km2"].sum() == pytest.approx(4703.97, abs=0.01)
    people = repaired.areas.groupby("parent_pcode")["declared_population_persons"].sum()
    assert people["MN1110"] == 308_672
    assert people["MN1104"] == 3_903


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["mng_adm{}.geojson.gz", "mng_adm{}_simplified.geojson"])
def test_aimags_and_soums_by_pcode_with_names_from_the_list(realdata, name):
    aimags = read_areas(realdata / "mn-admin-cod" / name.format(1), area_set="aimag", level=1)
    assert aimags.findings == []
    assert len(aimags.areas) == 22
    assert aimags.areas.set_index("pcode").loc["MN46", "name_mn"] == "Өмнөговь"
    soums = read_areas(realdata / "mn-admin-cod" / name.format(2), area_set="soum", level=2, parents=aimags.areas)
    assert not soums.has_errors
    assert set(codes(soums.findings)) <= {"gap-sliver", "overlap-sliver"}
    assert len(soums.areas) == 339
    assert soums.area_crs == "EPSG:6933"
    assert soums.areas["area_km2"].sum() == pytest.approx(1_564_877, rel=1e-3)
    assert soums.areas.set_index("pcode").loc["MN4625", "name_mn"] == "Номгон"
    if name.endswith(".gz"):  # the simplified borders are up to a kilometre off: too rough to check khoroos against
        path = realdata / "ub-khoroo-204" / "ub_khoroo_204_election.geojson"
        khoroos = read_areas(path, area_set="k", level=3, parents=soums.areas)
        assert not khoroos.has_errors
        assert codes(khoroos.findings).count("parent-elsewhere") == 2

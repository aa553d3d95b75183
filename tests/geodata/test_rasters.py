"""Hold the rasters: sums a person can check by hand, the real table, and the picture's place."""

import warnings

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio import Affine
from shapely.geometry import box

from geodata.errors import GeodataUseError, RasterError
from geodata.rasters import draw_overlay, read_raster, zonal_persons

NINE = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], dtype="float32")
WEST_M, NORTH_M = 640_000.0, 5_310_000.0
"""A corner in Ulaanbaatar, EPSG:32648; cells are 1 km."""


def from_origin(west, north, width, height):
    """Return the transform of a north-up raster; rasterio's own warns of its arithmetic."""
    return Affine(width, 0, west, 0, -height, north)


def make(path, values, *, crs="EPSG:32648", transform=None, nodata=-1.0, bands=1, dtype="float32"):
    transform = transform or from_origin(WEST_M, NORTH_M, 1000, 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(
            path, "w", driver="GTiff", width=values.shape[1], height=values.shape[0], count=bands, dtype=dtype, crs=crs,
            transform=transform, nodata=nodata,
        ) as out:  # fmt: skip
            for band in range(1, bands + 1):
                out.write(values.astype(dtype), band)
    return path


def zones(*boxes, crs="EPSG:32648"):
    """Return areas from boxes in cells: west, north, east, south, counted from the raster's corner."""
    shapes = [box(WEST_M + 1000 * w, NORTH_M - 1000 * s, WEST_M + 1000 * e, NORTH_M - 1000 * n) for w, n, e, s in boxes]
    codes = [f"MN11070{k}" for k in range(1, len(shapes) + 1)]
    return gpd.GeoDataFrame({"pcode": codes}, geometry=shapes, crs="EPSG:32648").to_crs(crs)


def test_the_facts_of_a_raster(tmp_path):
    info = read_raster(make(tmp_path / "a.tif", NINE), unit="persons")
    assert (info.width, info.height, info.crs, info.cells_with_data) == (3, 3, "EPSG:32648", 9)
    assert info.total_persons == 45
    assert info.bounds == (WEST_M, NORTH_M - 3000, WEST_M + 3000, NORTH_M)
    assert read_raster(tmp_path / "a.tif", unit="persons_per_km2").total_persons == pytest.approx(45)  # cells of 1 km2


@pytest.mark.parametrize("unit", ["persons", "persons_per_km2"])
def test_zonal_sums_by_hand(tmp_path, unit):
    path = make(tmp_path / "a.tif", NINE)
    areas = zones((0, 0, 1, 1), (1, 0, 3, 1), (0, 1, 1.5, 3), (1.5, 1, 3, 3))
    found = zonal_persons(path, areas, unit=unit)
    assert found["pcode"].tolist() == areas["pcode"].tolist()
    # first cell; 2 + 3; 4 + 7 and half of 5 + 8; half of 5 + 8 and 6 + 9
    assert found["persons"].tolist() == pytest.approx([1, 5, 17.5, 21.5])
    assert found["persons"].sum() == pytest.approx(45)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.floats(0.05, 2.95), values=st.lists(st.integers(0, 5000), min_size=9, max_size=9))
def test_areas_that_tile_the_raster_share_out_every_person(tmp_path, cut, values):
    path = make(tmp_path / "a.tif", np.array(values, dtype="float32").reshape(3, 3))
    found = zonal_persons(path, zones((0, 0, cut, 3), (cut, 0, 3, 3)), unit="persons")
    assert found["persons"].sum() == pytest.approx(sum(values), rel=1e-6, abs=1e-6)


def test_areas_are_brought_to_the_rasters_system(tmp_path):
    path = make(tmp_path / "a.tif", NINE)
    found = zonal_persons(path, zones((0, 0, 3, 3), (1, 1, 2, 2), crs="EPSG:4326"), unit="persons")
    assert found["persons"].tolist() == pytest.approx([45, 5], rel=1e-4)


def test_no_data_is_no_zero(tmp_path):
    values = NINE.copy()
    values[0, 0] = -1.0
    path = make(tmp_path / "a.tif", values)
    assert read_raster(path, unit="persons").total_persons == 44
    found = zonal_persons(path, zones((0, 0, 1, 1), (0, 0, 2, 1), (10, 10, 11, 11)), unit="persons")
    assert found["persons"].isna().tolist() == [True, False, True]
    assert found["persons"].iloc[1] == pytest.approx(2)


def test_nan_counts_as_no_data(tmp_path):
    values = NINE.copy()
    values[2, 2] = np.nan
    path = make(tmp_path / "a.tif", values, nodata=None)
    assert read_raster(path, unit="persons").total_persons == 36
    assert zonal_persons(path, zones((0, 0, 3, 3)), unit="persons")["persons"].iloc[0] == pytest.approx(36)


def test_density_in_degrees_is_measured_on_the_sphere(tmp_path):
    # a cell of 0.01 degree at 47.9 N: 1.1132 km x 0.7463 km on a sphere of 6378.137 km
    path = make(
        tmp_path / "a.tif", np.full((1, 1), 100.0), crs="EPSG:4326", transform=from_origin(106.9, 47.91, 0.01, 0.01)
    )
    by_hand = 100 * (np.pi / 180 * 0.01 * 6378.137) ** 2 * np.cos(np.radians(47.905))
    assert by_hand == pytest.approx(83.07, abs=0.01)
    assert read_raster(path, unit="persons_per_km2").total_persons == pytest.approx(by_hand, rel=1e-6)
    area = gpd.GeoDataFrame({"pcode": ["MN1107"]}, geometry=[box(106.8, 47.8, 107, 48)], crs="EPSG:4326")
    assert zonal_persons(path, area, unit="persons_per_km2")["persons"].iloc[0] == pytest.approx(by_hand, rel=1e-6)


# --- Bad files ---------------------------------------------------------------------------------------------------


def test_bad_rasters_are_named_with_the_cure(tmp_path):
    with pytest.raises(GeodataUseError, match="persons_per_km2"):
        read_raster(make(tmp_path / "a.tif", NINE), unit="people")
    with pytest.raises(RasterError, match="does not exist"):
        read_raster(tmp_path / "none.tif", unit="persons")
    (tmp_path / "empty.tif").write_bytes(b"")
    with pytest.raises(RasterError, match=r"empty\.tif is empty"):
        read_raster(tmp_path / "empty.tif", unit="persons")
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(RasterError, match=r"text\.tif is not a raster"):
        read_raster(tmp_path / "text.tif", unit="persons")
    with pytest.raises(RasterError, match="reference system"):
        read_raster(make(tmp_path / "b.tif", NINE, crs=None), unit="persons")
    with pytest.raises(RasterError, match="2 bands"):
        read_raster(make(tmp_path / "c.tif", NINE, bands=2), unit="persons")
    with pytest.raises(RasterError, match="no cell with data"):
        read_raster(make(tmp_path / "d.tif", np.full((3, 3), -1.0)), unit="persons")
    with pytest.raises(RasterError, match="negative numbers"):
        read_raster(make(tmp_path / "e.tif", NINE - 4, nodata=None), unit="persons")
    with pytest.raises(RasterError, match="complex64"):
        read_raster(make(tmp_path / "f.tif", NINE, dtype="complex64", nodata=None), unit="persons")


def test_a_raster_cut_in_the_middle(tmp_path):
    path = make(tmp_path / "a.tif", np.random.default_rng(1).random((400, 400)))
    path.write_bytes(path.read_bytes()[:200_000])
    with pytest.raises(RasterError, match=r"a\.tif"):
        read_raster(path, unit="persons")


# --- The picture -------------------------------------------------------------------------------------------------


def test_the_picture_lies_where_the_raster_does(tmp_path):
    values = np.zeros((3, 3), dtype="float32")
    values[0, 2], values[1, 1] = 100, 10
    path = make(tmp_path / "a.tif", values, crs="EPSG:4326", transform=from_origin(106.0, 49.0, 1, 1))
    drawn = draw_overlay(path, tmp_path / "a.png", unit="persons", max_pixels=90)
    assert (drawn.west_deg, drawn.east_deg) == pytest.approx((106, 109))
    assert (drawn.south_deg, drawn.north_deg) == pytest.approx((46, 49))
    assert drawn.maximum == pytest.approx(100)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(tmp_path / "a.png") as picture:
            image = picture.read()
    assert not (tmp_path / "a.png.aux.xml").exists()
    height, width = image.shape[1:]
    assert max(height, width) <= 90
    assert image[3, 0, 0] == 0  # zero is transparent
    assert image[3, 1, width - 2] > 0
    # the middle of the middle row, 47.5 N, lies in Web Mercator rows at (y(49) - y(47.5)) / (y(49) - y(46))
    merc = [np.log(np.tan(np.pi / 4 + np.radians(lat) / 2)) for lat in (49, 48, 47, 46)]
    top, bottom = ((merc[0] - merc[k]) / (merc[0] - merc[3]) * height for k in (1, 2))
    rows = np.flatnonzero(image[3, :, width // 2])
    assert rows.min() == pytest.approx(top, abs=1.5)
    assert rows.max() == pytest.approx(bottom - 1, abs=1.5)
    dark, light = image[:3, 1, width - 2].astype(int).sum(), image[:3, height // 2, width // 2].astype(int).sum()
    assert dark < light


def test_a_large_raster_is_drawn_small_and_an_empty_one_blank(tmp_path):
    path = make(tmp_path / "a.tif", np.ones((300, 600)), transform=from_origin(WEST_M, NORTH_M, 100, 100))
    assert draw_overlay(path, tmp_path / "a.png", unit="persons", max_pixels=64).maximum == pytest.approx(1, abs=0.01)
    blank = make(tmp_path / "b.tif", np.zeros((3, 3)))
    assert draw_overlay(blank, tmp_path / "b.png", unit="persons").maximum == 0
    with pytest.raises(GeodataUseError, match="max_pixels"):
        draw_overlay(path, tmp_path / "a.png", unit="persons", max_pixels=0)


# --- The real raster ---------------------------------------------------------------------------------------------

AZORES = {
    "Lagoa": (14_539.88, 15_788.10),
    "Nordeste": (4_149.85, 4_537.40),
    "Ponta Delgada": (66_866.71, 71_370.69),
    "Povoação": (5_293.97, 5_997.34),
    "Ribeira Grande": (31_920.50, 36_131.40),
    "Vila Franca do Campo": (9_093.45, 11_768.35),
}
"""Persons by municipality, by count and by density, as computed outside this project (PROVENANCE.md)."""


@pytest.mark.realdata
@pytest.mark.parametrize(("file", "unit", "which"), [("count", "persons", 0), ("density", "persons_per_km2", 1)])
def test_sao_miguel(realdata, tmp_path, file, unit, which):
    folder = realdata / "raster-gpw-azores"
    path = folder / f"gpw_v411_2020_{file}_2020.tif"
    areas = gpd.read_file(folder / "concelhos.gpkg").rename(columns={"name": "pcode"})
    found = zonal_persons(path, areas, unit=unit).set_index("pcode")["persons"]
    assert found.to_dict() == pytest.approx({name: row[which] for name, row in AZORES.items()}, abs=0.006)
    info = read_raster(path, unit=unit)
    assert info.cells_with_data == 1242
    if unit == "persons":
        assert info.total_persons == pytest.approx(145_602.97, abs=0.005)
    drawn = draw_overlay(path, tmp_path / "a.png", unit=unit)
    assert (drawn.west_deg, drawn.south_deg, drawn.east_deg, drawn.north_deg) == pytest.approx(
        (-25.9, 37.6, -25.1, 38.0)
    )

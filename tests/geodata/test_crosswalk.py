"""Hold the crosswalk to totals that nobody may lose, on squares that a person can divide by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.transform import Affine
from tobler.area_weighted import area_interpolate

from geodata import _crosswalk_overlay as overlay_module
from geodata import _crosswalk_weights as weights_module
from geodata import crosswalk as crosswalk_module
from geodata._crosswalk_carry import LARGEST_COUNT, divide_counts
from geodata.crosswalk import (
    AreaWeights,
    Crosswalk,
    PointWeights,
    PolygonWeights,
    RasterWeights,
    build_crosswalk,
)
from geodata.errors import CrosswalkError, GeodataUseError

EAST_M, NORTH_M = 640_000.0, 5_300_000.0
CRS = "EPSG:32648"
DISTRICTS = 3


def areas(**boxes_km):
    """Return rectangles by code, given in km east and north (west, south, east, north)."""
    shapes = [
        shapely.box(EAST_M + w * 1000, NORTH_M + s * 1000, EAST_M + e * 1000, NORTH_M + n * 1000)
        for w, s, e, n in boxes_km.values()
    ]
    return gpd.GeoDataFrame({"pcode": list(boxes_km)}, geometry=shapes, crs=CRS)


def points(*at_km, **columns):
    shapes = [shapely.Point(EAST_M + x * 1000, NORTH_M + y * 1000) for x, y in at_km]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def tessellation(n, seed, prefix):
    """Return `n` Voronoi cells that fill one square of 10 km."""
    rng = np.random.default_rng(seed)
    square = shapely.box(EAST_M, NORTH_M, EAST_M + 10_000, NORTH_M + 10_000)
    seeds = shapely.multipoints(rng.uniform(0, 10_000, (n, 2)) + np.array([EAST_M, NORTH_M]))
    cells = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=square)), square)
    return gpd.GeoDataFrame({"pcode": [f"{prefix}{k:03d}" for k in range(len(cells))]}, geometry=cells, crs=CRS)


def shares_of(crosswalk):
    table = crosswalk.table
    return dict(zip(zip(table["from_pcode"], table["to_pcode"], strict=True), table["share_of_source"], strict=True))


def carried(crosswalk, **values):
    done = crosswalk.carry(pd.Series(values))
    return done, dict(zip(done.table["pcode"], done.table["value"], strict=True))


# One square A of 4 x 1 km that becomes B (1 km) and C (3 km); D stays as it is.
OLD = areas(A=(0, 0, 4, 1), D=(4, 0, 5, 1))
NEW = areas(B=(0, 0, 1, 1), C=(1, 0, 4, 1), D=(4, 0, 5, 1))


def test_land_divides_a_split_area_and_a_whole_one_is_no_estimate():
    crosswalk = build_crosswalk(OLD, NEW)
    assert shares_of(crosswalk) == pytest.approx({("A", "B"): 0.25, ("A", "C"): 0.75, ("D", "D"): 1.0})
    assert crosswalk.table["method"].tolist() == ["area", "area", "whole"]
    assert crosswalk.table["method_back"].tolist() == ["whole"] * 3
    assert crosswalk.table["area_km2"].tolist() == pytest.approx([1, 3, 1])
    done, values = carried(crosswalk, A=1001, D=7)
    assert values == {"B": 250, "C": 751, "D": 7}  # 250.25 and 750.75: the unit that is left goes to the larger rest
    assert done.table["estimated_share"].tolist() == [1, 1, 0]
    assert done.estimated_share == pytest.approx(1001 / 1008)
    assert (done.total_from, done.total_to, done.withheld, done.uncovered) == (1008, 1008, 0, 0)
    assert done.table["value"].dtype == "Int64"
    _, values = carried(crosswalk, A=1001.0, D=7.5)
    assert values == pytest.approx({"B": 250.25, "C": 750.75, "D": 7.5})


def test_equal_remainders_go_to_the_first_code_and_negative_numbers_mirror():
    halves = build_crosswalk(areas(A=(0, 0, 2, 1)), areas(Y=(1, 0, 2, 1), X=(0, 0, 1, 1)))
    assert carried(halves, A=5)[1] == {"X": 3, "Y": 2}
    assert carried(halves, A=-5)[1] == {"X": -3, "Y": -2}
    assert carried(halves, A=0)[1] == {"X": 0, "Y": 0}
    assert carried(halves, A=0)[0].table["estimated_share"].isna().all()


def test_points_divide_by_where_they_are_and_a_point_on_a_border_counts_once():
    layer = points((0.5, 0.5), (2, 0.5), (3, 0.5), (1.0, 0.5), (9, 9))  # the fourth on the border of B and C
    crosswalk = build_crosswalk(OLD, NEW, weights=PointWeights(layer))
    assert crosswalk.table["weight"].tolist() == [2, 2, 0]
    assert shares_of(crosswalk)["A", "B"] == 0.5
    assert crosswalk.table["method"].tolist() == ["weights", "weights", "whole"]
    assert crosswalk.weight_outside == 1  # the fifth
    valued = points((0.5, 0.5), (2, 0.5), homes=[30.0, 10.0])
    assert shares_of(build_crosswalk(OLD, NEW, weights=PointWeights(valued, "homes")))["A", "B"] == 0.75


def test_points_in_many_chunks_are_the_same(monkeypatch):
    old, new = tessellation(12, 1, "a"), tessellation(15, 2, "b")
    rng = np.random.default_rng(5)
    layer = points(*rng.uniform(-1, 11, (300, 2)))
    whole = build_crosswalk(old, new, weights=PointWeights(layer), sliver_share=0)
    monkeypatch.setattr(weights_module, "POINTS_AT_ONCE", 7)
    assert build_crosswalk(old, new, weights=PointWeights(layer), sliver_share=0).table.equals(whole.table)
    joined = gpd.sjoin(gpd.sjoin(layer, old).drop(columns="index_right"), new, predicate="within")
    assert whole.table["weight"].sum() == len(joined) == 300 - whole.weight_outside
    counted = joined.groupby(["pcode_left", "pcode_right"]).size()
    table = whole.table.set_index(["from_pcode", "to_pcode"])["weight"]
    assert table[table > 0].astype("int64").to_dict() == counted.to_dict()


def test_an_area_without_any_weight_is_divided_by_land_and_marked():
    crosswalk = build_crosswalk(OLD, NEW, weights=PointWeights(points((4.5, 0.5))))
    assert shares_of(crosswalk)["A", "C"] == pytest.approx(0.75)
    assert crosswalk.table["method"].tolist() == ["area_fallback", "area_fallback", "whole"]


def test_polygons_divide_by_value_or_land():
    layer = areas(p=(0.5, 0, 1.5, 1), q=(3, 0, 4, 1)).assign(persons=[80, 20])
    weights = PolygonWeights(layer, "persons", name="blocks")
    crosswalk = build_crosswalk(OLD, NEW, weights=weights)
    assert shares_of(crosswalk)["A", "B"] == pytest.approx(0.4)  # half of p's 80 of 100
    assert crosswalk.weights == "blocks"
    assert shares_of(build_crosswalk(OLD, NEW, weights=PolygonWeights(layer)))["A", "B"] == pytest.approx(0.25)


def test_a_building_drawn_as_a_polygon_may_count_as_one_and_the_layer_stays_as_it_is():
    layer = areas(p=(0.2, 0.2, 0.3, 0.3), q=(2, 0.2, 2.1, 0.4))
    before = layer.copy(deep=True)
    crosswalk = build_crosswalk(OLD, NEW, weights=PointWeights(layer))
    assert crosswalk.table["weight"].tolist() == [1, 1, 0]
    assert layer.geometry.geom_equals_exact(before.geometry, 0).all()


def test_counts_of_target_areas_divide_their_sources():
    weights = AreaWeights(pd.Series({"B": 900, "C": 300, "D": 5}), name="buildings")
    assert shares_of(build_crosswalk(OLD, NEW, weights=weights))["A", "B"] == pytest.approx(0.75)
    # target T takes half its land from each of A and B: half of its 100 is with either
    old, new = areas(A=(0, 0, 2, 1), B=(2, 0, 4, 1)), areas(S=(0, 0, 1, 1), T=(1, 0, 3, 1), U=(3, 0, 4, 1))
    crosswalk = build_crosswalk(old, new, weights=AreaWeights(pd.Series({"S": 50, "T": 100, "U": 150})))
    assert shares_of(crosswalk) == pytest.approx({("A", "S"): 0.5, ("A", "T"): 0.5, ("B", "T"): 0.25, ("B", "U"): 0.75})


def test_counts_of_source_areas_divide_the_way_back():
    old, new = areas(A=(0, 0, 1, 1), B=(1, 0, 4, 1)), areas(T=(0, 0, 4, 1))
    back = build_crosswalk(old, new, weights=AreaWeights(pd.Series({"A": 30, "B": 10}), of="source")).inverse()
    assert shares_of(back) == pytest.approx({("T", "A"): 0.75, ("T", "B"): 0.25})
    assert back.table["method"].tolist() == ["weights", "weights"]


def test_a_raster_divides_by_its_people(tmp_path):
    path = tmp_path / "people.tif"
    cells = np.array([[60, 20, 10, 10, 5]], dtype="float32")
    place = Affine(1000, 0, EAST_M, 0, -1000, NORTH_M + 1000)
    with rasterio.open(
        path, "w", driver="GTiff", width=5, height=1, count=1, dtype="float32", crs=CRS, transform=place
    ) as out:
        out.write(cells, 1)
    crosswalk = build_crosswalk(OLD, NEW, weights=RasterWeights(path))
    assert crosswalk.table["weight"].tolist() == pytest.approx([60, 40, 5])
    assert shares_of(crosswalk)["A", "B"] == pytest.approx(0.6)
    # on a slant, so that the pieces have borders of every direction: the weights still add up to the people
    turned = OLD.assign(geometry=OLD.rotate(7, origin=(EAST_M + 2500, NORTH_M + 500)))
    slanted = build_crosswalk(turned, NEW, weights=RasterWeights(path), sliver_share=0)
    assert slanted.table.groupby("from_pcode")["share_of_source"].sum().tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize("kind", ["polygons", "raster"])
def test_pieces_are_measured_some_at_a_time_and_none_are_kept(tmp_path, monkeypatch, kind):
    old, new = tessellation(12, 1, "a"), tessellation(15, 2, "b")
    weights = PolygonWeights(tessellation(40, 4, "w").assign(n=np.arange(40.0)), "n")
    if kind == "raster":
        path, place = tmp_path / "people.tif", Affine(1000, 0, EAST_M, 0, -1000, NORTH_M + 10_000)
        how = {"driver": "GTiff", "width": 10, "height": 10, "count": 1, "dtype": "float64", "crs": CRS}
        with rasterio.open(path, "w", transform=place, **how) as out:
            out.write(np.arange(100.0).reshape(1, 10, 10))
        weights = RasterWeights(path)
    whole = build_crosswalk(old, new, weights=weights, sliver_share=0)
    assert whole.table["weight"].sum() == pytest.approx(4950 if kind == "raster" else 780)
    sizes, measured = [], weights_module.measure_of(weights, CRS)

    class Watched:
        total = measured.total

        def __call__(self, shapes):
            sizes.append(len(shapes))
            return measured(shapes)

    monkeypatch.setattr(crosswalk_module, "measure_of", lambda *_: Watched())
    monkeypatch.setattr(
        overlay_module.overlay, "__kwdefaults__", overlay_module.overlay.__kwdefaults__ | {"pairs_at_once": 5}
    )
    few = build_crosswalk(old, new, weights=weights, sliver_share=0)
    assert sum(sizes) == len(few.table) > 3 * max(sizes)
    pd.testing.assert_frame_equal(few.table, whole.table, rtol=1e-12)


def test_what_is_not_known_stays_so_and_nothing_is_dropped_in_silence():
    old = areas(A=(0, 0, 2, 1), B=(2, 0, 4, 1), FAR=(20, 0, 21, 1))
    new = areas(S=(0, 0, 1, 1), T=(1, 0, 3, 1), U=(3, 0, 4, 1), SEA=(40, 0, 41, 1))
    crosswalk = build_crosswalk(old, new)
    done = crosswalk.carry(pd.Series({"A": 10, "B": None, "FAR": 3}, dtype="Int64"))
    table = done.table.set_index("pcode")
    assert table["value"].astype(object).where(table["value"].notna(), None).to_dict() == {
        "S": 5, "T": None, "U": None, "SEA": None,
    }  # fmt: skip
    assert table["known"].to_dict() == {"S": 5, "T": 5, "U": 0, "SEA": 0}
    assert table["reason"].to_dict() == {"S": None, "T": "source_missing", "U": "source_missing", "SEA": "no_source"}
    assert (done.total_from, done.total_to, done.withheld, done.uncovered) == (13, 5, 5, 3)
    assert crosswalk.uncovered[["side", "pcode", "uncovered_share"]].to_numpy().tolist() == [
        ["source", "FAR", 1.0],
        ["target", "SEA", 1.0],
    ]
    assert crosswalk.carry(pd.Series({"A": 10})).table["reason"].tolist()[-2:] == ["source_missing", "source_missing"]


def test_a_source_that_reaches_beyond_gives_its_all_to_the_land_it_shares():
    crosswalk = build_crosswalk(areas(A=(0, 0, 4, 1)), areas(B=(0, 0, 1, 1), C=(1, 0, 2, 1)))
    done, values = carried(crosswalk, A=10)
    assert values == {"B": 5, "C": 5}
    assert done.uncovered == 0
    assert crosswalk.uncovered["uncovered_km2"].tolist() == pytest.approx([2])


def test_differences_of_drawing_are_no_split():
    drawn = areas(A=(0, 0, 1.0005, 1), B=(1.0005, 0, 2, 1))
    again = areas(A=(0, 0, 1, 1), B=(1, 0, 2, 1))
    crosswalk = build_crosswalk(drawn, again)
    assert crosswalk.table["method"].tolist() == ["whole", "whole"]
    assert (crosswalk.slivers, crosswalk.sliver_km2) == (1, pytest.approx(0.0005))
    assert len(build_crosswalk(drawn, again, sliver_share=0).table) == 3
    # a target that is small beside its source is no sliver
    small = areas(S=(0, 0, 0.001, 1), R=(0.001, 0, 2, 1))
    assert build_crosswalk(areas(A=(0, 0, 2, 1)), small).slivers == 0


def test_a_set_onto_itself_changes_nothing():
    old = tessellation(20, 3, "a")
    crosswalk = build_crosswalk(old, old)
    assert crosswalk.table["from_pcode"].equals(crosswalk.table["to_pcode"])
    assert set(crosswalk.table["method"]) == {"whole"}
    values = pd.Series(range(20), index=old["pcode"])
    assert crosswalk.carry(values).table["value"].tolist() == list(range(20))
    assert set(crosswalk.classify()["class"]) == {"same"}


def test_the_way_back_of_a_pure_split_merges_it_again():
    crosswalk = build_crosswalk(OLD, NEW, weights=PointWeights(points((0.5, 0.5), (2, 0.2), (3, 0.3))))
    there = crosswalk.carry(pd.Series({"A": 1000, "D": 17})).table.set_index("pcode")["value"]
    back = crosswalk.inverse().carry(there)
    assert back.table["value"].tolist() == [1000, 17]
    assert back.estimated_share == 0
    twice = crosswalk.inverse().inverse()
    assert twice.table.equals(crosswalk.table)


def test_a_chain_multiplies_shares():
    halves, thirds = areas(M=(0, 0, 2, 1), N=(2, 0, 4, 1), D=(4, 0, 5, 1)), NEW
    chain = build_crosswalk(OLD, halves).then(build_crosswalk(halves, thirds))
    # A -> M, N by 1/2; M -> B, C by 1/2; N -> C
    assert shares_of(chain) == pytest.approx({("A", "B"): 0.25, ("A", "C"): 0.75, ("D", "D"): 1.0})
    assert chain.table["method"].tolist() == ["chained", "chained", "whole"]
    assert chain.table["area_km2"].tolist() == pytest.approx([1, 3, 1])
    assert shares_of(chain.inverse()) == pytest.approx({("B", "A"): 1, ("C", "A"): 1, ("D", "D"): 1})
    with pytest.raises(CrosswalkError, match="does not start from the areas"):
        build_crosswalk(OLD, halves).then(build_crosswalk(OLD, NEW))


def test_a_chain_over_an_area_that_leads_nowhere_keeps_the_total():
    between = areas(M=(0, 0, 2, 1), N=(2, 0, 4, 1))
    first = build_crosswalk(areas(A=(0, 0, 4, 1), Z=(2, 0, 4, 1)), between)
    second = build_crosswalk(between, areas(T=(0, 0, 2, 1)))
    done = first.then(second).carry(pd.Series({"A": 8, "Z": 3}))
    assert done.table["value"].tolist() == [8]
    assert (done.total_from, done.total_to, done.uncovered) == (11, 8, 3)


def test_what_became_of_each_area():
    old = areas(K1=(0, 0, 4, 1), K2=(4, 0, 6, 1), K3=(6, 0, 7, 1), K4=(7, 0, 9, 1), K5=(0, 5, 1, 6), K6=(9, 0, 10, 1))
    new = areas(
        K1=(0, 0, 2, 1), K9=(2, 0, 4, 1), K2=(4, 0, 7, 1), K4=(7, 0, 8.6, 1), K6=(8.6, 0, 10, 1), K3=(0, 9, 1, 10)
    )
    report = build_crosswalk(old, new).classify().set_index("from_pcode")
    assert report["class"].to_dict() == {
        "K1": "split", "K2": "merged", "K3": "merged", "K4": "moved", "K5": "gone", "K6": "moved", np.nan: "new",
    }  # fmt: skip
    assert report.loc["K1", "to_pcodes"] == "K1 K9"
    assert report.loc["K4", "parts"] == 2
    # K1 keeps just half of its land under its number; K3's number is now somewhere else altogether
    assert report.index[report["only_code"]].tolist() == ["K1", "K3"]
    assert report.loc["K3", "same_code_share"] == 0
    assert np.isnan(report.loc["K5", "same_code_share"])  # the number is not used any more


@pytest.mark.parametrize(
    ("source", "named"),
    [
        (OLD.assign(geometry=[shapely.from_wkt("POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))"), NEW.geometry[2]]), "A are no"),
        (OLD.assign(geometry=[None, NEW.geometry[2]]), "A have no polygon"),
        (OLD.assign(geometry=[shapely.Point(0, 0), NEW.geometry[2]]), "A have no polygon"),
        (OLD.assign(pcode=["A", "A"]), "A stand more than once"),
        (OLD.assign(pcode=[None, "A"]), "1 areas have no code"),
        (OLD.rename(columns={"pcode": "code"}), "no column 'pcode'"),
        (gpd.GeoDataFrame({"pcode": ["A"]}, geometry=[shapely.box(0, 0, 1, 1)]), "no reference system"),
    ],
)
def test_areas_that_can_not_be_divided_are_named(source, named):
    with pytest.raises(CrosswalkError, match=named):
        build_crosswalk(source, NEW)
    with pytest.raises(CrosswalkError, match=named):
        build_crosswalk(NEW, source)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (pd.Series({"A": 1, "X": 2}), "X"),
        (pd.Series([1, 2], index=["A", "A"]), "'A' more than once"),
        (pd.Series({"A": "many"}), "give numbers"),
        (pd.Series({"A": True}), "give numbers"),
        (pd.Series({"A": np.inf}), "infinite"),
        (pd.Series({"A": LARGEST_COUNT + 1}), "can't be divided exactly"),
    ],
)
def test_values_that_can_not_be_carried_are_named(values, named):
    with pytest.raises(CrosswalkError, match=named):
        build_crosswalk(OLD, NEW).carry(values)


@pytest.mark.parametrize(
    ("weights", "named"),
    [
        (AreaWeights(pd.Series({"B": -1})), "weight at 'B' is"),
        (AreaWeights(pd.Series({"Q": 1})), "'Q'"),
        (AreaWeights(pd.Series([1, 2], index=["B", "B"])), "'B' stands twice"),
        (PointWeights(points((0, 0)), "homes"), "no column 'homes'"),
        (PointWeights(points((0, 0), homes=["x"]), "homes"), "a weight is 0 or more"),
        (PointWeights(gpd.GeoDataFrame(geometry=[shapely.Point(0, 0)])), "no reference system"),
    ],
)
def test_weights_that_weigh_nothing_are_named(weights, named):
    with pytest.raises(CrosswalkError, match=named):
        build_crosswalk(OLD, NEW, weights=weights)


def test_a_table_that_loses_people_is_refused():
    right = build_crosswalk(OLD, NEW)
    wrong = right.table.assign(share_of_source=[0.2, 0.7, 1.0])
    with pytest.raises(CrosswalkError, match="share_of_source of 'A'"):
        Crosswalk(wrong, right.sources, right.targets)
    with pytest.raises(CrosswalkError, match="stands twice"):
        Crosswalk(pd.concat([right.table, right.table]), right.sources, right.targets)
    with pytest.raises(CrosswalkError, match="'A', which is none of its areas"):
        Crosswalk(right.table, right.sources[1:], right.targets)
    with pytest.raises(CrosswalkError, match="method_back is missing"):
        Crosswalk(right.table.drop(columns="method_back"), right.sources, right.targets)
    with pytest.raises(GeodataUseError, match="sliver_share"):
        build_crosswalk(OLD, NEW, sliver_share=1)


def test_empty_sets_give_an_empty_crosswalk():
    crosswalk = build_crosswalk(OLD[:0], NEW)
    assert len(crosswalk.table) == 0
    done = crosswalk.carry(pd.Series([], dtype="int64"))
    assert done.table["reason"].tolist() == ["no_source"] * 3
    assert (done.total_from, done.total_to) == (0, 0)
    assert np.isnan(done.estimated_share)
    assert crosswalk.classify()["class"].tolist() == ["new"] * 3
    assert len(build_crosswalk(OLD, NEW[:0], weights=PointWeights(points((0, 0)))).uncovered) == 2


def test_lon_lat_and_country_sized_sets_are_measured_in_equal_area():
    country = gpd.GeoDataFrame({"pcode": ["MN"]}, geometry=[shapely.box(90, 42, 119, 52)], crs="EPSG:4326")
    halves = gpd.GeoDataFrame(
        {"pcode": ["W", "E"]},
        geometry=[shapely.box(90, 42, 104.5, 52), shapely.box(104.5, 42, 119, 52)],
        crs="EPSG:4326",
    )
    assert shares_of(build_crosswalk(country, halves)) == pytest.approx({("MN", "E"): 0.5, ("MN", "W"): 0.5})
    in_degrees = build_crosswalk(OLD.to_crs("EPSG:4326"), NEW)
    assert shares_of(in_degrees) == pytest.approx(shares_of(build_crosswalk(OLD, NEW)), rel=1e-6)


def test_chunks_threads_and_progress_change_nothing(monkeypatch):
    old, new = tessellation(40, 7, "a"), tessellation(50, 8, "b")
    told = []
    whole = build_crosswalk(old, new, progress=told.append)
    assert told[-1] == 1.0
    plain = overlay_module.overlay
    monkeypatch.setattr("geodata.crosswalk.overlay", lambda *a, **o: plain(*a, **{**o, "pairs_at_once": 3}))
    assert build_crosswalk(old, new, progress=told.append).table.equals(whole.table)
    assert len(told) > 20


@given(st.integers(0, 10_000), st.integers(2, 25), st.integers(2, 25))
@settings(max_examples=20)
def test_totals_are_kept_whatever_the_areas(seed, n, m):
    rng = np.random.default_rng(seed)
    old, new = tessellation(n, seed, "a"), tessellation(m, seed + 1, "b")
    counts = pd.Series(rng.integers(0, 20_000, n), index=old["pcode"])
    weights = PointWeights(points(*rng.uniform(0, 10, (60, 2)))) if seed % 2 else None
    crosswalk = build_crosswalk(old, new, weights=weights)
    there = crosswalk.carry(counts)
    assert there.total_to == there.total_from == counts.sum()
    fractions = crosswalk.carry(counts / 7)
    assert fractions.total_to == pytest.approx(fractions.total_from, rel=1e-12)
    back = crosswalk.inverse().carry(there.table.set_index("pcode")["value"])
    assert back.total_to == counts.sum()
    again = tessellation(m, seed + 2, "c")
    chain = crosswalk.then(build_crosswalk(new, again))
    assert chain.carry(counts).total_to == counts.sum()
    shuffled = build_crosswalk(
        old.sample(frac=1, random_state=seed), new.sample(frac=1, random_state=1), weights=weights
    )
    assert shuffled.table.equals(crosswalk.table)
    assert shuffled.carry(counts.sample(frac=1, random_state=2)).table.equals(there.table)
    assert crosswalk.sources["covered_share"].to_numpy() == pytest.approx(1)


@given(st.integers(0, 10_000))
@settings(max_examples=12)
def test_areal_weights_agree_with_tobler(seed):
    old, new = tessellation(15, seed, "a"), tessellation(18, seed + 1, "b")
    counts = pd.Series(np.random.default_rng(seed).integers(0, 9_000, 15), index=old["pcode"])
    ours = build_crosswalk(old, new, sliver_share=0).carry(counts.astype(float)).table
    theirs = area_interpolate(old.assign(n=counts.to_numpy(float)), new, extensive_variables=["n"])["n"].to_numpy()
    assert ours.set_index("pcode")["value"].loc[new["pcode"]].to_numpy() == pytest.approx(
        theirs, rel=1e-6
    )  # it keeps areas in 32 bits


@given(st.lists(st.tuples(st.integers(0, 10**9), st.lists(st.integers(0, 1000), min_size=1, max_size=8)), max_size=6))
@settings(max_examples=40)
def test_largest_remainder_agrees_with_a_plain_loop(cases):
    cases = [(count, parts) for count, parts in cases if sum(parts)]
    counts = np.array([count for count, parts in cases for _ in parts], dtype=np.int64)
    shares = np.array([part / sum(parts) for _, parts in cases for part in parts], dtype=float)
    group = np.array([k for k, (_, parts) in enumerate(cases) for _ in parts], dtype=np.intp)
    expected = []
    for count, parts in cases:
        quotas = [count * (part / sum(parts)) for part in parts]
        whole = [int(quota) for quota in quotas]
        rest = sorted(range(len(parts)), key=lambda k: (-(quotas[k] - whole[k]), k))
        for k in rest[: count - sum(whole)]:
            whole[k] += 1
        expected += whole
        assert sum(whole) == count
    assert divide_counts(counts, shares, group).tolist() == expected

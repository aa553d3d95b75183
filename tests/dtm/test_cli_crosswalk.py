"""Run `dtm crosswalk` as a demographer would: with files alone, and with the sets and layers of a workspace."""

from __future__ import annotations

import json
from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio.transform import Affine

from dtm import places
from dtm.cli import main
from dtm.warehouse import open_warehouse
from dtm.workspace import Settings, create_workspace
from tests.geodata.builders import LAT0, LON0, STEP, khoroo, square, write


def box(west, east):
    """Return a rectangle of the grid's first row, in steps east."""
    return shapely.box(LON0 + west * STEP, LAT0, LON0 + east * STEP, LAT0 + STEP)


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Return a function that runs a command line in an own folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        capsys.readouterr()
        try:
            main([str(word) for word in words])
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def files(tmp_path):
    """Two khoroos, of which the second became 2 and 3; 101 and 1000 people."""
    old = [khoroo(1, square(0, 0)), khoroo(2, json.loads(shapely.to_geojson(box(1, 3))))]
    new = [khoroo(n, square(n - 1, 0)) for n in (1, 2, 3)]
    write(tmp_path / "old.geojson", old)
    write(tmp_path / "new.geojson", new)
    pd.DataFrame({"khoroo": ["MN110702", "MN110701"], "people": [1000, 101]}).to_csv(
        tmp_path / "people.csv", index=False
    )
    pd.DataFrame(
        {"lon": LON0 + STEP * np.array([1.5, 2.2, 2.5, 2.8]), "lat": LAT0 + STEP / 2, "homes": [6, 1, 1, 2]}
    ).to_csv(tmp_path / "homes.csv", index=False)
    return tmp_path


CARRY = ("crosswalk", "old.geojson", "new.geojson", "--values", "people.csv", "--area", "khoroo", "--value", "people")


def test_files_alone_do_and_whole_numbers_stay_whole(run, files):
    code, said, _ = run(*CARRY, "--out", "carried.csv", "--json")
    assert code == 0
    told = json.loads(said)
    assert (told["n_from"], told["n_to"], told["pieces"], told["weights"]) == (2, 3, 3, "area")
    assert told["classes"] == {"same": 1, "split": 1, "merged": 0, "moved": 0, "gone": 0, "new": 0, "only_code": 1}
    assert (told["total_from"], told["total_to"], told["withheld"], told["not_carried"]) == (1101, 1101, 0, 0)
    assert told["estimated_share"] == pytest.approx(1000 / 1101)
    assert told["uncovered"] == []
    assert [row["from_pcode"] for row in told["report"]] == ["MN110701", "MN110702"]
    assert told["is_demonstration"] is False
    assert (files / "carried.csv").read_text().splitlines() == [
        "pcode,value,estimated_share,known,reason",
        "MN110701,101,0.0,101,",
        "MN110702,500,1.0,500,",
        "MN110703,500,1.0,500,",
    ]


def test_without_values_the_shares_are_written(run, files):
    assert run("crosswalk", "old.geojson", "new.geojson", "--out", "shares.parquet")[0] == 0
    shares = pd.read_parquet(files / "shares.parquet")
    assert shares["to_pcode"].tolist() == ["MN110701", "MN110702", "MN110703"]
    assert shares["share_of_source"].tolist() == pytest.approx([1, 0.5, 0.5], abs=1e-5)


def test_fractions_and_empty_cells(run, files):
    pd.DataFrame({"khoroo": ["MN110702", "MN110701"], "people": [None, 1.5]}).to_csv(files / "people.csv", index=False)
    code, said, _ = run(*CARRY, "--out", "carried.csv", "--json")
    assert code == 0
    assert json.loads(said)["total_to"] == 1.5
    table = pd.read_csv(files / "carried.csv")
    assert table["reason"].fillna("").tolist() == ["", "source_missing", "source_missing"]
    assert table["value"].isna().tolist() == [False, True, True]


def weigh(files, name):
    """Write the weights of a kind; return the words of the command line and the value that khoroo 2 then has."""
    if name == "points":
        return ("homes.csv",), 250
    if name == "valued points":
        return ("homes.csv", "--weights-value", "homes"), 600
    if name == "counts by area":
        pd.DataFrame({"code": ["MN110701", "MN110702", "MN110703"], "n": [5, 30, 70]}).to_csv("n.csv", index=False)
        return ("n.csv", "--weights-area", "code", "--weights-value", "n"), 300
    if name == "polygons":
        blocks = gpd.GeoDataFrame({"n": [1.0, 3.0]}, geometry=[box(1.1, 1.3), box(2.2, 2.3)], crs=4326)
        blocks.to_file(files / "blocks.gpkg")
        return ("blocks.gpkg", "--weights-value", "n"), 250
    place = Affine(STEP, 0, LON0, 0, -STEP, LAT0 + STEP)
    options = {"driver": "GTiff", "width": 3, "height": 1, "count": 1, "dtype": "float64", "crs": "EPSG:4326"}
    with rasterio.open(files / "people.tif", "w", transform=place, **options) as raster:
        raster.write(np.array([[7.0, 20.0, 80.0]]), 1)
    return ("people.tif",), 200


@pytest.mark.parametrize("name", ["points", "valued points", "counts by area", "polygons", "raster"])
def test_weights_from_files(run, files, name):
    words, expected = weigh(files, name)
    assert run(*CARRY, "--weights", *words, "--out", "carried.csv")[0] == 0
    assert pd.read_csv(files / "carried.csv")["value"].tolist() == [101, expected, 1000 - expected]


def test_areas_that_the_weights_leave_out_are_named(run, files):
    pd.DataFrame({"code": ["MN110703"], "n": [5]}).to_csv("n.csv", index=False)
    words = (*CARRY, "--weights", "n.csv", "--weights-area", "code", "--weights-value", "n", "--out", "carried.csv")
    assert json.loads(run(*words, "--json")[1])["without_weight"] == ["MN110701", "MN110702"]
    assert pd.read_csv(files / "carried.csv")["value"].tolist() == [101, 0, 1000]
    assert "0 in them: 2 areas (MN110701, MN110702)" in " ".join(run(*words)[1].split())
    assert json.loads(run(*CARRY, "--out", "carried.csv", "--json")[1])["without_weight"] == []


@pytest.mark.parametrize("codes", [["MN110701", "MN110702"], ["MN110702"], ["MN110701", "MN110702", "MN110703"]])
def test_counts_of_the_areas_that_are_divided_are_no_weights(run, files, codes):
    """Khoroos 1 and 2 are in both sets: alone, together with nothing else, they are those of the set carried from."""
    pd.DataFrame({"code": codes, "n": 5}).to_csv("n.csv", index=False)
    words = (*CARRY, "--weights", "n.csv", "--weights-area", "code", "--weights-value", "n", "--out", "carried.csv")
    code, _, said = run(*words)
    is_refused = codes == ["MN110701", "MN110702"]
    assert code == (2 if is_refused else 0)
    assert (files / "carried.csv").exists() is not is_refused
    if is_refused:
        assert "n.csv, column 'code', has the codes of FROM_SET" in " ".join(said.split())
        back = ("crosswalk", "new.geojson", "old.geojson", *words[3:])
        pd.DataFrame({"khoroo": [f"MN11070{n}" for n in (1, 2, 3)], "people": [1, 2, 3]}).to_csv("people.csv")
        assert run(*back)[0] == 0
        assert pd.read_csv(files / "carried.csv")["value"].tolist() == [1, 5]


def test_no_input_and_nothing_of_the_workspace_is_written_over(run, files):
    weigh(files, "points")
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    weights = ("--weights", "homes.csv")
    for name in ("people.csv", "homes.csv", "./people.csv"):
        code, _, said = run(*CARRY, *weights, "--out", name)
        assert (code, "is an input of this command" in said) == (2, True)
    assert {path.name: path.read_bytes() for path in files.iterdir()} == before
    workspace = create_workspace(files / "city")
    with open_warehouse(workspace) as connection:
        for name in ("old", "new"):
            path = files / f"{name}.geojson"
            places.load_areas(connection, workspace, path, area_set=name, level=3, valid_from=date(2020, 1, 1))
    for name in ("inbox/a.csv", "releases/a/b.csv", "series_breaks.csv"):
        code, _, said = run("crosswalk", "old", "new", "--workspace", "city", "--out", f"city/{name}")
        assert (code, "the workspace keeps for itself" in said) == (2, True)


def test_any_codes_will_do(run, files):
    old = gpd.GeoDataFrame({"id": ["x"]}, geometry=[box(0, 2)], crs=4326)
    new = gpd.GeoDataFrame({"nr": [7, 8]}, geometry=[box(0, 1), box(1, 2)], crs=4326)
    old.to_file(files / "a.geojson")
    new.to_file(files / "b.geojson")
    words = ("crosswalk", "a.geojson", "b.geojson", "--from-code", "id", "--to-code", "nr", "--out", "shares.csv")
    assert run(*words)[0] == 0
    assert pd.read_csv(files / "shares.csv", dtype=str)[["from_pcode", "to_pcode"]].to_numpy().tolist() == [
        ["x", "7"],
        ["x", "8"],
    ]
    code, _, said = run(*words[:4], "no", "--to-code", "nr", "--out", "shares.csv")
    assert code == 3
    assert "no field 'no'" in said


def test_sets_layers_and_rasters_of_a_workspace(run, files):
    weigh(files, "raster")
    workspace = create_workspace(files / "city", settings=Settings(is_demonstration=True))
    with open_warehouse(workspace) as connection:
        for name in ("old", "new"):
            path = files / f"{name}.geojson"
            places.load_areas(connection, workspace, path, area_set=name, level=3, valid_from=date(2020, 1, 1))
        homes, dated = files / "homes.csv", date(2024, 1, 1)
        places.load_layer(connection, workspace, homes, kind="service", name="homes", dated_on=dated)
        places.load_raster(connection, workspace, files / "people.tif", name="pop", unit="persons")
    city = ("--workspace", "city")
    for weights, expected in (("homes", 250), ("pop", 200)):
        words = ("crosswalk", "old", "new", *CARRY[3:], "--weights", weights, "--out", "carried.csv", "--json", *city)
        code, said, _ = run(*words)
        assert code == 0
        assert json.loads(said)["weights"] == weights
        assert json.loads(said)["is_demonstration"] is True
        assert pd.read_csv(files / "carried.csv")["value"].tolist() == [101, expected, 1000 - expected]
    code, said, _ = run("crosswalk", "old", "new", "--out", "shares.csv", *city)
    assert code == 0
    assert "2 areas to 3 in 3 pieces: 1 same, 1 split; 1 share only their code." in said
    assert "(demonstration data)" in said
    for words, named in (
        (("old", "new", "--weights", "nothing"), "'nothing' is neither a file nor a layer"),
        (("old", "new", "--from-code", "id"), "fields of boundary files"),
    ):
        code, _, said = run("crosswalk", *words, "--out", "shares.csv", *city)
        assert code == 2, said
        assert named in said


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        ((*CARRY[:5], "--out", "o.csv"), 2, "go together"),
        ((*CARRY, "--out", "o.txt"), 2, ".csv or .parquet"),
        (("crosswalk", "old", "new.geojson", "--out", "o.csv"), 2, "'old' is no file, and . is no workspace"),
        ((*CARRY, "--weights", "people.csv", "--out", "o.csv"), 2, "--weights-area and --weights-value"),
        ((*CARRY, "--weights", "people.csv", "--weights-area", "khoroo", "--out", "o.csv"), 2, "--weights-value"),
        ((*CARRY[:-1], "men", "--out", "o.csv"), 3, "no column 'men'"),
        (("crosswalk", "new.geojson", "old.geojson", *CARRY[3:], "--out", "o.csv"), 0, ""),
        (("crosswalk", "bad.geojson", "new.geojson", "--out", "o.csv"), 3, "geometry-invalid"),
    ],
)
def test_wrong_words_are_told_and_nothing_is_written(run, files, words, code, named):
    bow = {
        "type": "Polygon",
        "coordinates": [[[106.8, 47.9], [106.9, 48.0], [106.9, 47.9], [106.8, 48.0], [106.8, 47.9]]],
    }
    write(files / "bad.geojson", [khoroo(1, bow)])
    found, _, said = run(*words)
    assert found == code, said
    assert named in said
    assert (files / "o.csv").exists() is (code == 0)


def test_a_header_alone_carries_nothing(run, files):
    (files / "people.csv").write_text("khoroo,people\n")
    code, _, said = run(*CARRY, "--out", "o.csv")
    assert (code, "people.csv: there are no values in it" in said) == (3, True)
    assert not (files / "o.csv").exists()


def test_unknown_and_repeated_codes_are_named_with_the_file(run, files):
    for codes, named in ((["MN110709", "MN110701"], "MN110709"), (["MN110701", "MN110701"], "more than once")):
        pd.DataFrame({"khoroo": codes, "people": [1, 2]}).to_csv(files / "people.csv", index=False)
        code, _, said = run(*CARRY, "--out", "o.csv")
        assert code == 3
        assert "people.csv" in said
        assert named in said

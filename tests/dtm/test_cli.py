"""Run every command as its user would, with good and bad input: the right exit code, and nothing half done."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil

import duckdb
import geopandas as gpd
import pandas as pd
import pytest
import shapely

from dtm.cli import main
from tests.dtm.imports_support import baseline_row, move_row, passage_row, square, write_csv

OPEN = ("round", "open", "--number", "3", "--from", "2025-02-01")


def dtm(*words):
    """Run a command line and return its exit code."""
    try:
        main([str(word) for word in words])
    except SystemExit as stop:
        return stop.code or 0
    return 0


@pytest.fixture
def run(capsys):
    """Return a function that runs a command line: exit code, standard output, standard error."""

    def call(*words):
        capsys.readouterr()
        return (dtm(*words), *capsys.readouterr())

    return call


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make the boundaries of four khoroos, a flood and a round's returns, and two workspaces from them, once."""
    folder = tmp_path_factory.mktemp("made")
    inputs, city, released = (folder / name for name in ("inputs", "city", "released"))
    inputs.mkdir()
    khoroos = gpd.GeoDataFrame(
        {"pcode": [f"MN1107{n:02}" for n in (1, 2, 3, 4)], "number": [1, 2, 3, 4]},
        geometry=[shapely.from_wkt(square(n)) for n in (1, 2, 3, 4)],
        crs=4326,
    )
    khoroos.to_file(inputs / "khoroos.geojson", driver="GeoJSON")
    flood = gpd.GeoDataFrame({"name": ["flood"]}, geometry=[shapely.box(106.9, 47.9, 106.905, 47.92)], crs=4326)
    flood.to_file(inputs / "flood.geojson", driver="GeoJSON")
    write_csv(inputs / "baseline.csv", [baseline_row(f"MN1107{n:02}01") for n in (1, 2, 3, 4)])
    write_csv(inputs / "arrivals.csv", [move_row("origin")])
    write_csv(inputs / "passages.csv", [passage_row(n) for n in range(1, 30)])

    areas = (inputs / "khoroos.geojson", "--area-set", "khoroos", "--level", 3, "--valid-from", "2022-01-01")
    dates = ("--number", 2, "--from", "2024-02-01", "--to", "2024-02-28", "--area-set", "khoroos")
    assert dtm("init", city) == 0
    assert dtm("areas", "load", *areas, "--workspace", city) == 0
    assert dtm("round", "open", *dates, "--workspace", city) == 0

    shutil.copytree(city, released)
    at = ("--workspace", released)
    files = [inputs / name for name in ("baseline.csv", "arrivals.csv", "passages.csv")]
    layer = ("--kind", "hazard", "--name", "flood", "--date", "2024-01-01")
    assert dtm("returns", "import", *files, "--round", 2, *at) == 0
    assert dtm("layers", "load", inputs / "flood.geojson", *layer, *at) == 0
    for step in ((), ("--sign-off",)):
        assert dtm("round", "close", "--round", 2, "--who", "desk", *step, *at) == 0
    assert dtm("release", *at) == 0
    return folder


def copied(made, tmp_path, name):
    return shutil.copytree(made / name, tmp_path / name)


@pytest.fixture
def inputs(made, tmp_path):
    return copied(made, tmp_path, "inputs")


@pytest.fixture
def workspace(made, tmp_path):
    """Return a workspace with boundaries and an open round."""
    return copied(made, tmp_path, "city")


@pytest.fixture
def released(made, tmp_path):
    """Return a workspace with the round imported and released."""
    return copied(made, tmp_path, "released")


def state(folder):
    """Return a hash of everything a workspace holds but the engine's own log."""
    kept = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".wal"]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def test_the_whole_way(released, inputs, run):
    at = ("--workspace", released)
    code, text, _ = run("check", "--json", *at)
    (row,) = json.loads(text)["rounds"]
    assert (code, row["units_reported"], row["units_expected"], row["areas_without_return"]) == (0, 4, 4, [])
    code, text, _ = run("exposure", inputs / "flood.geojson", "--json", *at)
    exposed = json.loads(text)
    assert code == 0
    # The flood covers the western half of khoroos 1 and 3, and nothing of 2 and 4.
    shares = {row["pcode"]: row["share_of_area"] for row in exposed["areas"]}
    assert shares == pytest.approx({"MN110701": 0.5, "MN110703": 0.5}, abs=1e-4)
    people = baseline_row()["actual_persons"]
    assert exposed["total"] == {"persons": people, "persons_low": 0, "persons_high": 2 * people}


@pytest.mark.parametrize("product", ["flows", "stocks", "indicators", "density", "findings"])
@pytest.mark.parametrize("file_format", ["csv", "xlsx", "parquet", "gpkg"])
def test_every_product_in_every_format(released, run, tmp_path, product, file_format):
    out = tmp_path / f"{product}.{file_format}"
    code, text, _ = run("export", product, "--format", file_format, "--out", out, "--workspace", released)
    assert (code, str(out) in text) == (0, True)
    assert out.stat().st_size > 0


def test_reports_in_json_are_one_document(released, run):
    for words in (("areas", "list"), ("areas", "check", "khoroos"), ("round", "list"), ("check",), ("release",)):
        code, text, _ = run(*words, "--json", "--workspace", released)
        assert code == 0
        json.loads(text)


def test_the_same_import_again_changes_nothing(released, inputs, run):
    before = run("round", "list", "--json", "--workspace", released)[1]
    code, text, _ = run("returns", "import", inputs / "baseline.csv", "--round", 2, "--json", "--workspace", released)
    (file,) = json.loads(text)["files"]
    assert (code, file["accepted"], file["duplicate"], file["rows_read"]) == (0, 0, 4, 4)
    assert run("round", "list", "--json", "--workspace", released)[1] == before


def bad_files(folder):
    """Write one file of each kind that can't be read, by name."""
    (folder / "empty.csv").write_bytes(b"")
    (folder / "picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)
    (folder / "columns.csv").write_text("name,age\nx,1\n", encoding="utf-8")
    (folder / "cut.xlsx").write_bytes(b"PK\x03\x04 cut off")
    (folder / "cut.json").write_text('{"count": 2, "results": [{"_uuid": "a"', encoding="utf-8")
    (folder / "deep.json").write_text("[" * 100_000, encoding="utf-8")
    (folder / "deep.geojson").write_text("[" * 100_000, encoding="utf-8")
    (folder / "cut.geojson").write_text('{"type": "FeatureCollection", "features": [{"type": "Fea', encoding="utf-8")
    (folder / "text.tif").write_text("not a raster", encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["empty.csv", "picture.csv", "columns.csv", "cut.xlsx", "cut.json", "deep.json", "missing.csv"]
)
def test_returns_that_can_not_be_read_change_nothing(workspace, inputs, run, name):
    bad_files(inputs)
    before = state(workspace)
    good = inputs / "baseline.csv"
    code, _, error = run("returns", "import", good, inputs / name, "--round", 2, "--workspace", workspace)
    assert code == 3
    assert name in error
    assert "Traceback" not in error
    assert state(workspace) == before


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("areas", "load", "--area-set", "x", "--level", "3", "--valid-from", "2022-01-01"), "cut.geojson"),
        (("areas", "load", "--area-set", "x", "--level", "3", "--valid-from", "2022-01-01"), "missing.geojson"),
        (("layers", "load", "--kind", "hazard", "--name", "x", "--date", "2022-01-01"), "cut.geojson"),
        (("rasters", "load", "--name", "x", "--unit", "persons"), "text.tif"),
        (("exposure",), "cut.geojson"),
        (("exposure",), "deep.geojson"),
    ],
)
def test_places_that_can_not_be_read_change_nothing(released, inputs, run, words, name):
    bad_files(inputs)
    before = state(released)
    code, _, error = run(*words, inputs / name, "--workspace", released)
    assert (code, name in error, "Traceback" in error) == (3, True, False)
    assert state(released) == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("frobnicate",), "No such command"),
        (("areas", "load", "x.geojson"), "Missing option"),
        (("areas", "load", "x", "--area-set", "a", "--level", "7", "--valid-from", "2022-01-01"), "--level is 0"),
        (("areas", "load", "x", "--area-set", "a", "--level", "3", "--valid-from", "soon"), "does not match"),
        (("areas", "check", "nowhere"), "no area set 'nowhere'"),
        ((*OPEN, "--to", "2025-01-01", "--area-set", "khoroos"), "before it starts"),
        ((*OPEN, "--to", "2025-03-01", "--area-set", "no"), "no area set 'no'"),
        (("check", "--round", "9"), "no round 9"),
        (("clean", "template", "--round", "9", "--out", "x.csv"), "no round 9"),
        (("clean", "log", "--round", "9"), "no round 9"),
        (("release",), "no accepted return"),
        (("release", "--round", "9"), "no round 9"),
        (("export", "flows", "--format", "csv", "--out", "x.csv"), "no release yet"),
        (("export", "flows", "--format", "dbf", "--out", "x.dbf"), "dbf"),
        (("serve", "--port", "99999999"), "--port"),
        (("demo", "--size", "huge"), "huge"),
    ],
)  # fmt: skip
def test_wrong_use_is_answered_with_2(workspace, run, words, says):
    at = () if words[0] in {"frobnicate", "demo"} else ("--workspace", workspace)
    code, out, error = run(*words, *at)
    assert code == 2
    assert says in " ".join((out + error).split())


def test_an_unknown_round_is_wrong_use(workspace, inputs, run):
    code, _, error = run("returns", "import", inputs / "baseline.csv", "--round", 8, "--workspace", workspace)
    assert (code, "Round 8 was never opened" in error) == (2, True)


def test_a_folder_that_is_no_workspace(tmp_path, run):
    code, _, error = run("areas", "list", "--workspace", tmp_path)
    assert (code, "dtm init" in error) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_findings_are_told_and_strict_makes_them_fatal(workspace, inputs, run):
    path = write_csv(inputs / "odd.csv", [baseline_row(actual_persons="олон"), baseline_row("MN11070201")])
    before = state(workspace)
    code, text, error = run("returns", "import", path, "--round", 2, "--strict", "--workspace", workspace)
    assert (code, "Nothing was imported" in text, "not_a_number" in error) == (1, True, True)
    assert state(workspace) == before
    code, text, error = run("returns", "import", path, "--round", 2, "--workspace", workspace)
    assert (code, "odd.csv, baseline, row 2, actual_persons" in error) == (0, True)


def test_strict_areas_with_a_warning_are_not_loaded(workspace, inputs, run):
    gap = gpd.read_file(inputs / "khoroos.geojson")
    ring = shapely.box(106.89, 47.89, 106.93, 47.93).difference(shapely.union_all(gap.geometry.array).buffer(0.002))
    rows = pd.concat([gap, gpd.GeoDataFrame({"pcode": ["MN110705"], "number": [5]}, geometry=[ring], crs=4326)])
    rows.to_file(inputs / "gap.geojson", driver="GeoJSON")
    words = ("areas", "load", inputs / "gap.geojson", "--area-set", "g", "--level", 3, "--valid-from", "2022-01-01")
    code, text, _ = run(*words, "--strict", "--workspace", workspace)
    assert (code, "Nothing was loaded" in text) == (1, True)
    code, _, error = run(*words, "--workspace", workspace)
    assert (code, "gap" in error) == (0, True)


def test_a_damaged_workspace_is_named(workspace, run):
    shutil.copyfile(__file__, workspace / "warehouse.duckdb")
    code, _, error = run("round", "list", "--workspace", workspace)
    assert (code, "warehouse.duckdb" in error, "Traceback" in error) == (3, True, False)


@pytest.mark.parametrize(
    "stop", [KeyboardInterrupt(), RuntimeError("Query interrupted"), duckdb.InterruptException("Interrupted!")]
)
def test_ctrl_c_is_told_in_a_sentence(workspace, run, monkeypatch, stop):
    """The engine tells Ctrl-C as an error of its own, or as a RuntimeError, depending on where it was."""

    def stopped(*_args, **_more):
        raise stop

    before = state(workspace)
    monkeypatch.setattr("dtm._cli_round.list_rounds", stopped)
    code, _, error = run("round", "list", "--workspace", workspace)
    assert (code, error) == (130, "dtm: stopped; nothing was changed.\n")
    assert state(workspace) == before


def test_another_fault_is_not_taken_for_ctrl_c(workspace, run, monkeypatch):
    def wrong(*_args):
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("dtm._cli_round.list_rounds", wrong)
    with pytest.raises(RuntimeError, match="of ours"):
        run("round", "list", "--workspace", workspace)


def full_disk(*_args, **_more):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_no_half_workspace(tmp_path, run, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", full_disk)
        assert run("init", tmp_path / "new")[::2] == (3, "dtm: No space left on device. Nothing was changed.\n")
    assert not list(tmp_path.rglob("*dtm.toml*"))
    assert run("init", tmp_path / "new")[0] == 0


def test_a_full_disk_leaves_no_half_copy_in_the_inbox(workspace, inputs, run, monkeypatch):
    def half(_source, target):
        target.write_bytes(b"half")
        full_disk()

    before = state(workspace)
    monkeypatch.setattr("dtm.warehouse.shutil.copyfile", half)
    code, _, error = run("returns", "import", inputs / "baseline.csv", "--round", 2, "--workspace", workspace)
    assert (code, "disk is full" in error) == (3, True)
    assert state(workspace) == before


def test_an_engine_without_room_says_that_the_disk_is_full(workspace, run, monkeypatch):
    def full(*_args):
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")

    monkeypatch.setattr("dtm._cli_round.list_rounds", full)
    code, _, error = run("round", "list", "--workspace", workspace)
    assert (code, error.startswith("dtm: the disk is full: ")) == (3, True)

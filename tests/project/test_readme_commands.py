"""Run the README's way from an empty folder to a release, command by command, as it is printed there."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest

from enumerations.demo import build_returns
from geodata.demo import build_geography
from tests.ports import free_port
from tests.project._tree import ROOT

SERVER_STARTS_WITHIN_S = 180


def walk() -> list[str]:
    """Return the commands of the marked blocks, in their order."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^<!-- walk -->\n```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines() if line.strip()]


def run(line: str) -> int:
    """Run one line as the shell would, and return its exit code."""
    from dtm.cli import main

    try:
        main(shlex.split(line)[1:])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def counts_in(document):
    """Yield every part of a report that counts records."""
    if isinstance(document, dict):
        if {"accepted", "quarantined", "duplicate"} <= set(document):
            yield document
        document = list(document.values())
    if isinstance(document, list):
        for part in document:
            yield from counts_in(part)


def write_inputs(folder: Path) -> None:
    """Put the files the README names into a folder, made by the demonstration's generators."""
    source = folder / "made"
    geography = build_geography(source, seed=7, size="small")
    returns = build_returns(
        source,
        units=geography.units,
        unit_points=geography.unit_points,
        places=geography.places,
        seed=7,
        n_rounds=1,
    )
    named = {"khoroos.geojson": geography.areas[3], "khesegs.geojson": geography.areas[4]}
    named |= {"population.tif": geography.raster, "flood.geojson": geography.layers["hazard"]}
    named |= {"services.geojson": geography.layers["service"], "roads.geojson": geography.layers["road"]}
    named |= {f"{path.stem.rsplit('-', 1)[1]}.csv": path for path in returns.files[1]}
    named |= {"enumerators.csv": returns.enumerators}
    for name, path in named.items():
        shutil.copy(path, folder / name)
    khoroos = gpd.read_file(geography.areas[3])
    khoroos.iloc[:5][["name_mn", "name_en", "geometry"]].to_file(folder / "ger-areas.geojson", driver="GeoJSON")
    shutil.rmtree(source)


def fill_in(sheet: Path, baseline: Path) -> None:
    """Fill in the workbook of findings as an analyst would after a call: the right number and where it is from."""
    told = pd.read_csv(baseline, dtype=str).set_index("instance_id")
    book = openpyxl.load_workbook(sheet)
    rows = book.active
    columns = {cell.value: cell.column for cell in rows[1]}
    for number in range(2, rows.max_row + 1):
        row = {name: rows.cell(number, column).value for name, column in columns.items()}
        if row["code"] == "not_a_number":
            right = re.search(r"\d+", row["old"])[0]
        elif row["code"] == "missing_value":
            sent = told.loc[row["instance_id"]]
            unregistered, absent = (int(sent[f"{name}_persons"]) for name in ("unregistered", "registered_absent"))
            right = str(int(sent["actual_persons"]) - unregistered + absent)
        else:
            continue
        rows.cell(number, columns["new"], right)
        rows.cell(number, columns["reason"], "told by the kheseg leader on the telephone")
    book.save(sheet)


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """Run every line but the last, which serves, and return the workspace with the exit codes."""
    codes = {}
    with contextlib.chdir(tmp_path_factory.mktemp("walk")):
        here = Path.cwd()
        for line in walk():
            if line.startswith("cd "):
                os.chdir(line.removeprefix("cd "))
                here = Path.cwd()
                write_inputs(here)
            elif not line.startswith("dtm serve"):
                codes[line] = run(line)
            if line.startswith("dtm clean template"):
                fill_in(here / "cleaning.xlsx", here / "baseline.csv")
    return here, codes


def test_the_walk_is_the_one_this_test_knows():
    lines = walk()
    assert [line.split()[1] for line in lines if line.startswith("dtm")] == [
        *("init", "areas", "areas", "areas", "areas", "layers", "layers", "layers", "layers", "rasters"),
        *("round", "enumerators", "forms", "forms", "returns", "returns", "check", "round"),
        *("round", "clean", "clean", "clean", "round", "round"),
        *("release", "export", "export", "export", "flows", "indicators", "exposure", "serve"),
    ]
    assert lines[-1].startswith("dtm serve")


def test_every_command_succeeds(walked):
    _, codes = walked
    assert {line: code for line, code in codes.items() if code != 0} == {}


def test_the_release_is_in_place_and_says_what_it_is_made_of(walked):
    workspace, _ = walked
    name = (workspace / "releases" / "CURRENT").read_text(encoding="utf-8").strip()
    manifest = json.loads((workspace / "releases" / name / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["is_demonstration"] in {True, False}
    assert not manifest["is_provisional"]
    assert {path.name for path in (workspace / "releases" / name).iterdir()} >= {"release.duckdb", "manifest.json"}


def test_the_exports_can_be_read_by_other_programs(walked):
    workspace, _ = walked
    flows = pd.read_csv(workspace / "flows.csv", comment="#")
    assert len(flows) > 0
    by_item = pd.read_csv(workspace / "flows-by-reason.csv", comment="#")
    assert {"reason", "sex", "age"} == set(by_item["breakdown"])
    assert pd.read_excel(workspace / "stocks.xlsx", sheet_name=None, engine="openpyxl")
    density = gpd.read_file(workspace / "density.gpkg", layer="density_areas_level_3")
    assert len(density) == 12
    assert density.crs.to_epsg() == 4326


def test_importing_again_changes_nothing(walked, monkeypatch, capsys):
    workspace, _ = walked
    monkeypatch.chdir(workspace)

    def told(line):
        assert run(line) == 0
        return json.loads(capsys.readouterr().out)

    before = told("dtm round list --json")
    line = next(line for line in walk() if line.startswith("dtm returns import"))
    counted = list(counts_in(told(f"{line} --json")))
    assert counted
    assert sum(counts["accepted"] for counts in counted) == 0
    assert told("dtm round list --json") == before


def test_exit_codes_are_those_of_the_table(walked, monkeypatch, tmp_path, capsys):
    workspace, _ = walked
    monkeypatch.chdir(tmp_path)
    assert run("dtm release") == 2
    assert "not a workspace" in capsys.readouterr().err
    monkeypatch.chdir(workspace)
    (workspace / "broken.geojson").write_text('{"type": "FeatureColl', encoding="utf-8")
    load = "--area-set broken --level 3 --valid-from 2022-01-01"
    assert run(f"dtm areas load broken.geojson {load}") == 3
    assert "broken.geojson" in capsys.readouterr().err
    assert run("dtm areas load khoroos.geojson --level 3") == 2
    rows = (workspace / "baseline.csv").read_text(encoding="utf-8").splitlines()
    changed = [rows[0], *(row.replace("MN11", "MN99") for row in rows[1:4])]
    (workspace / "changed.csv").write_text("\n".join(changed) + "\n", encoding="utf-8")
    assert run("dtm returns import changed.csv --round 1 --strict") == 2
    assert "released" in capsys.readouterr().err
    assert run("dtm round reopen --round 1 --who desk --reason 'a late return'") == 0
    assert run("dtm returns import changed.csv --round 1 --strict") == 1


def test_the_forms_and_the_feedback_are_there(walked):
    workspace, _ = walked
    forms = {path.name for path in (workspace / "forms").iterdir()}
    assert {f"{form}.{kind}" for form in ("kheseg-baseline", "household-survey") for kind in ("xlsx", "xml")} <= forms
    pages = list((workspace / "feedback").glob("MN*.html"))
    assert len(pages) == 12
    assert "told by the kheseg leader on the telephone" in "".join(page.read_text(encoding="utf-8") for page in pages)


def test_serve_opens_the_dashboard(walked):
    workspace, _ = walked
    port = free_port()
    line = walk()[-1].replace("--port 8050", f"--port {port}")
    command = [sys.executable, "-m", "dtm.cli", *shlex.split(line)[1:], "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=workspace, env=environment, start_new_session=True) as server:
        try:
            assert answers(f"http://127.0.0.1:{port}/", server) == 200
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)


def answers(address: str, server: subprocess.Popen) -> int | None:
    """Return the status of the first answer, or None when the server stopped or the time is over."""
    end = time.monotonic() + SERVER_STARTS_WITHIN_S
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=10) as response:  # noqa: S310  our own server
                return response.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            time.sleep(0.3)
    return None

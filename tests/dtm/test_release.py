"""Check that a release is whole, safe, immutable and put in place at once, or not at all."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import closing

import pandas as pd
import pytest

from dtm import release as release_module
from dtm._release_tables import PUBLISHED, RELEASE_TABLES
from dtm.errors import (
    NoReleaseError,
    NothingToReleaseError,
    ReleaseFormatError,
    RoundNotSignedOffError,
    UnknownRoundError,
)
from dtm.exports import export
from dtm.release import build_release
from dtm.released import CURRENT_FILE, current_release_id, open_release
from dtm.rounds import close_round, find_round, reopen_round
from dtm.warehouse import open_warehouse
from dtm.workspace import create_workspace, open_workspace

VALUES = {"balance": ("residual",), "exposure": ("persons", "persons_low", "persons_high")}


@pytest.fixture(scope="module")
def workspace(small_demo, tmp_path_factory):
    return open_workspace(shutil.copytree(small_demo, tmp_path_factory.mktemp("release") / "workspace"))


@pytest.fixture
def warehouse(workspace):
    with open_warehouse(workspace) as connection:
        yield connection


@pytest.fixture
def release(workspace):
    with closing(open_release(workspace)) as opened:
        yield opened


def test_every_table_has_the_declared_columns(release):
    for name, table in RELEASE_TABLES.items():
        assert list(release.table(name).frame.columns) == table.column_names


def test_a_value_is_there_exactly_where_it_is_published(release):
    checked = 0
    for name, table in RELEASE_TABLES.items():
        if "status" in table.column_names:
            frame = release.table(name).frame
            for column in VALUES.get(name, ("value",)):
                assert frame[column].notna().equals(frame["status"] == PUBLISHED), (name, column)
                checked += len(frame)
    assert checked > 1000


def test_no_small_count_is_in_the_release(release):
    for name in ("stock", "flow", "passage_day"):
        frame = release.table(name).frame.dropna(subset=["value"])
        limit = frame["measure"].map({"persons": 10, "households": 5, "vehicles": 5})
        assert not ((frame["value"] > 0) & (frame["value"] < limit)).any(), name


def test_findings_tell_no_value_and_no_unit(warehouse, release):
    private = warehouse.execute("SELECT DISTINCT value FROM finding WHERE length(value) > 3").fetchall()
    assert private
    texts = " ".join(release.table("finding").frame["what_en"]) + " ".join(release.table("finding").frame["what_mn"])
    assert [value for (value,) in private if f"'{value}'" in texts] == []


def test_the_manifest_tells_what_went_in(workspace, release):
    manifest = release.manifest
    assert manifest["is_demonstration"]
    forms = {"kheseg-baseline", "checkpoint-registry", "household-survey", "event-report"}
    assert {row["form"] for row in manifest["inputs"]["returns"]} == forms
    kept = {path.name.split("-")[0] for path in workspace.inbox_path.iterdir()}
    for kind in ("returns", "area_sets", "layers", "rasters"):
        assert {row["file_sha256"] for row in manifest["inputs"][kind]} <= kept
    assert not any(key.startswith("rows_") for row in manifest["inputs"]["returns"] for key in row)
    for row in manifest["inputs"]["records"]:
        parts = ("rows_accepted", "rows_quarantined", "rows_duplicate")
        assert all(row[part] % 10 == 0 for part in parts)
        assert abs(row["rows_read"] - sum(row[part] for part in parts)) <= 20  # each is told to the nearest ten
    assert manifest["tables"]["stock"]["rows"] == len(release.table("stock").frame)
    assert {"stock", "survey_estimate", "survey_flow"} <= {cell["table"] for cell in manifest["suppression"]["cells"]}


def test_nobody_may_write_to_a_release(release):
    files = [path for path in release.path.rglob("*") if path.is_file()]
    assert files
    assert {path.stat().st_mode & 0o222 for path in files} == {0}


def test_the_same_inputs_give_the_same_release(workspace, warehouse):
    before = current_release_id(workspace)
    files = sorted(path.name for path in workspace.releases_path.iterdir())
    assert build_release(warehouse, workspace) == before
    assert sorted(path.name for path in workspace.releases_path.iterdir()) == files


def test_content_is_the_same_when_built_anew(workspace, warehouse, tmp_path):
    kept = workspace.releases_path / current_release_id(workspace)
    first = json.loads((kept / "manifest.json").read_text(encoding="utf-8"))
    kept.rename(tmp_path / "away")
    build_release(warehouse, workspace)
    second = json.loads((kept / "manifest.json").read_text(encoding="utf-8"))
    assert second["content_sha256"] == first["content_sha256"]


def test_an_older_round_makes_another_release_and_the_first_stays(workspace, warehouse):
    newest = current_release_id(workspace)
    older = build_release(warehouse, workspace, last_round=2)
    assert older != newest
    with closing(open_release(workspace)) as opened:
        assert opened.table("round").frame["round_number"].tolist() == [1, 2]
    with closing(open_release(workspace, newest)) as opened:
        assert opened.table("round").frame["round_number"].tolist() == [1, 2, 3, 4, 5, 6]
    assert build_release(warehouse, workspace) == newest


@pytest.mark.parametrize("step", ["write_tables", "write_maps", "_sync"])
def test_a_build_that_fails_leaves_the_old_release(workspace, warehouse, monkeypatch, step):
    before = current_release_id(workspace)

    def fail(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(release_module, step, fail)
    with pytest.raises(OSError, match="No space left"):
        build_release(warehouse, workspace, last_round=3)
    assert current_release_id(workspace) == before
    assert list(workspace.releases_path.glob(".building-*")) == []


def test_a_killed_build_leaves_the_old_release(workspace):
    before = current_release_id(workspace)
    code = (
        "import sys, time; from pathlib import Path; from dtm import release; from dtm.workspace import open_workspace;"
        "from dtm.warehouse import open_warehouse\n"
        "release.write_maps = lambda *a, **o: (print('half', flush=True), time.sleep(60))\n"
        "w = open_workspace(Path(sys.argv[1])); release.build_release(open_warehouse(w), w, last_round=4)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(workspace.path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "half\n"
        child.kill()
    assert len(list(workspace.releases_path.glob(".building-*"))) == 1
    with closing(open_release(workspace)) as opened:
        assert opened.release_id == before
    with open_warehouse(workspace) as connection:  # the next build clears what the killed one left
        build_release(connection, workspace, last_round=4)
        assert list(workspace.releases_path.glob(".building-*")) == []
        build_release(connection, workspace)
    assert current_release_id(workspace) == before


def test_readers_do_not_wait_for_the_writer(workspace, warehouse):
    with closing(open_release(workspace)) as opened:
        assert len(opened.table("stock").frame)


def test_what_is_not_there_is_named(workspace, warehouse, tmp_path):
    with pytest.raises(UnknownRoundError, match="no round 9"):
        build_release(warehouse, workspace, last_round=9)
    for name in ("nothing", "../releases", ".building-1"):
        with pytest.raises(NoReleaseError, match="no release"):
            open_release(workspace, name)
    empty = create_workspace(tmp_path / "empty")
    with pytest.raises(NoReleaseError, match="dtm release"):
        open_release(empty)
    with open_warehouse(empty) as connection, pytest.raises(NothingToReleaseError, match="no accepted return"):
        build_release(connection, empty)
    assert not (empty.releases_path / CURRENT_FILE).exists()


def test_the_manifest_says_who_signed_each_round_off_and_what_was_waived(release, warehouse):
    manifest = release.manifest
    assert (manifest["is_provisional"], manifest["signed_off_by"]) == (False, "demonstration")
    assert [state["round"] for state in manifest["rounds"]] == [1, 2, 3, 4, 5, 6]
    assert {(state["state"], state["signed_off_by"]) for state in manifest["rounds"]} == {
        ("signed_off", "demonstration")
    }
    assert manifest["rounds"][0]["signed_off_at"] == "2023-04-28T00:00:00"
    errors = dict(
        warehouse.execute(
            "SELECT round_number, count(DISTINCT finding_id) FROM finding WHERE severity = 'error' GROUP BY 1"
        ).fetchall()
    )
    assert {state["round"]: state["waivers"] for state in manifest["rounds"] if state["waivers"]} == errors


def test_rounds_are_released_once_they_are_in_a_release(workspace, warehouse):
    operation = workspace.settings.operation
    states = {number: find_round(warehouse, operation=operation, number=number).status for number in range(1, 7)}
    assert set(states.values()) == {"released"}


def test_an_open_round_is_released_only_as_provisional_and_every_file_says_so(workspace, tmp_path):
    copy = open_workspace(shutil.copytree(workspace.path, tmp_path / "workspace"))
    with open_warehouse(copy) as connection:
        operation = copy.settings.operation
        before = build_release(connection, copy)
        reopen_round(connection, operation=operation, number=6, who="A", reason="a late return")
        with pytest.raises(RoundNotSignedOffError, match=r"round 6 \(cleaning\).*dtm release --round 5") as refused:
            build_release(connection, copy)
        assert refused.value.exit_code == 1
        assert current_release_id(copy) == before
        older = build_release(connection, copy, last_round=5)
        provisional = build_release(connection, copy, provisional=True)
        assert len({before, older, provisional}) == 3
        with closing(open_release(copy)) as opened:
            assert opened.manifest["is_provisional"]
            assert opened.manifest["rounds"][5]["state"] == "cleaning"
            assert opened.manifest["signed_off_by"] is None
            written = export(opened, "density", format="xlsx", out=tmp_path / "d.xlsx", language="mn", hxl=False)
        about = pd.read_excel(written, sheet_name="about", header=None, dtype=str, engine="openpyxl")
        assert about[2].str.contains("УРЬДЧИЛСАН ДҮН").any()
        assert find_round(connection, operation=operation, number=6).status == "cleaning"
        close_round(connection, operation=operation, number=6, who="B. Analyst", sign_off=True)
        final = build_release(connection, copy)
        with closing(open_release(copy)) as opened:
            assert (opened.manifest["is_provisional"], opened.manifest["signed_off_by"]) == (False, "B. Analyst")
        assert final not in {before, provisional}
        assert find_round(connection, operation=operation, number=6).status == "released"
        assert build_release(connection, copy) == final


def test_a_release_of_another_version_is_refused_with_what_to_do(workspace, tmp_path):
    copy = open_workspace(shutil.copytree(workspace.path, tmp_path / "workspace"))
    path = copy.releases_path / current_release_id(copy) / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["inputs"]["code"]["release_format"] = 1
    path.chmod(0o644)
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ReleaseFormatError, match=r"format 1.*Build it again with `dtm release`"):
        open_release(copy)

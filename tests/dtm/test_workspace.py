"""Check that a workspace is made once, read strictly, and refuses unsafe settings."""

from __future__ import annotations

import pytest

from dtm.errors import BadInputError, NoWorkspaceError, WrongUseError
from dtm.series_breaks import BREAKS_FILE
from dtm.workspace import SETTINGS_FILE, Settings, create_workspace, open_workspace


def test_a_workspace_reads_back_as_it_was_made(tmp_path):
    made = create_workspace(tmp_path / "city", settings=Settings(title_en="A city", threshold_persons=12))
    assert open_workspace(tmp_path / "city") == made
    assert made.inbox_path.is_dir()
    assert made.releases_path.is_dir()


def test_a_second_init_is_refused_and_a_file_too(tmp_path):
    create_workspace(tmp_path / "city")
    with pytest.raises(WrongUseError, match="workspace already"):
        create_workspace(tmp_path / "city")
    (tmp_path / "file").write_text("x")
    with pytest.raises(WrongUseError, match="is a file"):
        create_workspace(tmp_path / "file")


def test_a_folder_without_settings_is_no_workspace(tmp_path):
    with pytest.raises(NoWorkspaceError, match="dtm init"):
        open_workspace(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("operation = ", "not a TOML file"),
        ("colour = 'red'", "unknown key 'colour'"),
        ("threshold_persons = '10'", "must be a int"),
        ("threshold_persons = 4", "from 5 to 20"),
        ("threshold_households = 21", "from 5 to 20"),
    ],
)
def test_bad_settings_are_named(tmp_path, text, says):
    (tmp_path / SETTINGS_FILE).write_text(text)
    with pytest.raises(BadInputError, match=says):
        open_workspace(tmp_path)


@pytest.mark.parametrize("threshold", [5, 20])
def test_thresholds_at_their_limits_are_allowed(threshold):
    assert Settings(threshold_persons=threshold).threshold_persons == threshold


def test_what_was_imported_released_or_set_is_the_workspaces_own(tmp_path):
    made = create_workspace(tmp_path / "city")
    (tmp_path / "link").symlink_to(made.releases_path)
    own = ("inbox/a.csv", "releases/r/flows.csv", SETTINGS_FILE, BREAKS_FILE, "warehouse.duckdb", "../link/a.csv")
    assert [name for name in own if not made.keeps(made.path / name)] == []
    assert not any(made.keeps(made.path / name) for name in ("flows.csv", "out/dtm.toml", "inbox.csv", "../a.csv"))

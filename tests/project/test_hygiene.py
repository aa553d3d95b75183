"""Keep machines out of the files: no paths of somebody's disk, no addresses of package indexes, no dead links."""

from __future__ import annotations

import re

import pytest

from tests.project._tree import ROOT, tracked_files

TEXT = {".py", ".md", ".txt", ".toml", ".yml", ".yaml", ".js", ".css", ".json", ".csv", ".cfg", ".sh", ""}
HERE = "tests/project/test_hygiene.py"
MACHINE_FOLDERS = ("root", "home", "Users", "mnt", "opt", "srv", "work")
MACHINE_PATH = re.compile(rf"(?<![\w./~-])/(?:{'|'.join(MACHINE_FOLDERS)})/\w|[A-Z]:\\Users")
INDEX_ADDRESS = re.compile(
    r"https?://[^\s\"')]*/(?:simple|packages)\b|--(?:extra-)?index-url|--find-links|--registry[ =]"
)


def texts():
    for path in tracked_files():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in TEXT and name != HERE:
            yield name, path.read_text(encoding="utf-8")


def found(pattern):
    return [f"{name}: {match.group()}" for name, text in texts() for match in pattern.finditer(text)]


def test_no_path_of_a_machine():
    assert found(MACHINE_PATH) == []


def test_no_address_of_a_package_index():
    assert found(INDEX_ADDRESS) == []


@pytest.mark.parametrize("text", ["see /home/someone/x", "'/root/x'", "(/srv/x)", "=/mnt/x"])
def test_paths_are_recognised(text):
    assert MACHINE_PATH.search(text)


@pytest.mark.parametrize("text", ["releases/srv/x", "docs/home/x", "https://x.org/home/a", "//srv"])
def test_other_words_are_not_paths(text):
    assert not MACHINE_PATH.search(text)


def test_links_between_pages_lead_somewhere():
    dead = []
    for page in (path for path in tracked_files() if path.suffix == ".md"):
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" not in target and not target.startswith(("#", "mailto:")):
                file = (page.parent / target.split("#")[0]).resolve()
                if not file.exists():
                    dead.append(f"{page.relative_to(ROOT)}: {target}")
    assert dead == []


def test_no_large_file_is_tracked():
    """Data belong in a workspace; only the screenshots may be larger than a page of code."""
    large = {
        path.relative_to(ROOT).as_posix(): path.stat().st_size
        for path in tracked_files()
        if path.suffix != ".png" and "requirements" not in path.parts and path.stat().st_size > 300_000
    }
    assert large == {}

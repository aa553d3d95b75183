"""Give every test the real data's folder, or skip it with the reason; make once what many files of tests need."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# A loaded machine is no reason to fail, and where a change is judged the examples are the same each time.
settings.register_profile(
    "project",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
)
settings.load_profile("project")

REALDATA_PATH = Path(os.environ.get("DTM_REALDATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
DEAR_FILES = (
    "dtm/test_demo.py", "dashboard/test_browser.py", "dashboard/test_desk_browser.py", "dtm/test_release.py",
    "dtm/test_imports.py", "dtm/test_cleaning.py", "project/test_benchmarks.py", "dashboard/test_flows_browser.py",
    "project/test_readme_commands.py", "dtm/test_pulls.py", "dtm/test_imports_properties.py", "geodata/test_demo.py",
    "dashboard/test_screenshots.py", "dtm/test_disclosure_attack.py", "dtm/test_locate.py", "dtm/test_cli.py",
)  # fmt: skip
"""Files that take long, the longest first: begun first, none is left to one worker while the other has nothing."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the dear files first; in the others, the order stays as it is."""
    tests = Path(__file__).parent
    place = {tests / name: number for number, name in enumerate(DEAR_FILES)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Return the folder of real data kept beside the checkout."""
    if REALDATA_PATH.is_dir():
        return REALDATA_PATH
    reason = f"real data is not at {REALDATA_PATH} (set DTM_REALDATA to its folder)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def made_once(factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, Path | None]]:
    """Yield a folder for all workers of a run and, to the first who comes, one to fill that becomes it.

    The others wait until the first is done; a folder that could not be filled is not there for them.
    """
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, filling = root / name, root / f"{name}-filling"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            yield folder, None
        else:
            shutil.rmtree(filling, ignore_errors=True)
            filling.mkdir()
            yield folder, filling
            filling.rename(folder)


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory) -> Path:
    """Return the workspace of the small demonstration of seed 7, made once in a run: copy it, don't open it."""
    from dtm.demo import build_demo

    with made_once(tmp_path_factory, "small-demo") as (folder, filling):
        if filling is not None:
            build_demo(filling / "workspace", seed=7, size="small")
    return folder / "workspace"


@pytest.fixture(scope="session")
def desk_world(tmp_path_factory) -> Path:
    """Return the workspace of `tests.dtm.desk_world`, made once in a run: copy it with `copy_desk_world`."""
    from tests.dtm.desk_world import save_desk_world

    with made_once(tmp_path_factory, "desk-world") as (folder, filling):
        if filling is not None:
            save_desk_world(filling)
    return folder / "workspace"

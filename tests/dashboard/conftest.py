"""Give the dashboard's tests a workspace, an open release, and a served dashboard in Chromium."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from dashboard.reader import Reader, Snapshot
from tests.dashboard.make_release import make_release, make_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dtm.workspace import Workspace

START_WAIT_S = 60.0
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def workspace(tmp_path_factory) -> Workspace:
    made = make_workspace(tmp_path_factory.mktemp("dashboard") / "city")
    make_release(made)
    return made


@pytest.fixture(scope="session")
def snapshot(workspace) -> Iterator[Snapshot]:
    current = Reader(workspace).current()
    yield current
    current.release.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a workspace as `dtm serve` does, in a process of its own, and yield its address."""
    port = free_port()
    command = [sys.executable, "-m", "dashboard", "--workspace", str(folder), "--port", str(port), "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + START_WAIT_S
    try:
        while True:
            if process.poll() is not None:
                raise RuntimeError(f"the server ended: {process.stdout.read() if process.stdout else ''}")
            try:
                with urllib.request.urlopen(f"{url}/healthz", timeout=2):  # noqa: S310
                    break
            except (urllib.error.URLError, OSError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="session")
def served(workspace) -> Iterator[str]:
    with serving(workspace.path) as url:
        yield url


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """Drive the system's Chromium, with WebGL in software and nothing fetched behind our back."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        reason = "no Chromium: install it (apt-get install chromium) or name it in CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    flags = (
        "--no-sandbox --disable-gpu --enable-unsafe-swiftshader --disable-background-networking "
        "--disable-component-update --disable-sync --no-first-run"
    )
    return {"executable_path": found, "args": flags.split(), "headless": True}


@pytest.fixture
def page(browser):
    """Open a page in a context of its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    yield context.new_page()
    context.close()

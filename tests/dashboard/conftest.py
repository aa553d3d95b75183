"""Give the dashboard's tests a workspace, an open release, and a served dashboard in Chromium."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import pytest
from playwright.sync_api import expect

from dashboard.reader import Reader, Snapshot
from tests.dashboard.browsing import DESKTOP, PHONE, REST, WAIT_MS
from tests.dashboard.make_release import make_release, make_workspace
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from dtm.workspace import Workspace

START_WAIT_S = 180.0
STOP_WAIT_S = 90
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
                with urllib.request.urlopen(f"{url}/healthz", timeout=10):  # noqa: S310
                    break
            except (urllib.error.URLError, OSError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=STOP_WAIT_S)


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


def open_one(browser: Browser) -> Page:
    """Open a page in a context of its own."""
    context = browser.new_context(viewport=DESKTOP)
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    page.add_init_script(REST)
    return page


@pytest.fixture
def new_page(browser) -> Iterator[Callable[[], Page]]:
    """Return a function that opens a page in a context of its own, for tests that must not share one."""
    pages: list[Page] = []

    def open_another() -> Page:
        pages.append(open_one(browser))
        return pages[-1]

    yield open_another
    for page in pages:
        page.context.close()


@pytest.fixture(scope="session")
def tab(browser) -> Iterator[Page]:
    """Return the page that tests use one after the other: its scripts are read and compiled once."""
    expect.set_options(timeout=WAIT_MS)
    page = open_one(browser)
    yield page
    page.context.close()


@pytest.fixture
def page(tab) -> Iterator[Page]:
    """Return the one page, as large as a desk's screen; what a test leaves in it is gone before the next."""
    tab.set_viewport_size(DESKTOP)
    yield tab
    if tab.url.startswith("http"):
        tab.goto(urljoin(tab.url, "/healthz"))
        tab.evaluate("sessionStorage.clear(), localStorage.clear()")


@pytest.fixture
def phone(page) -> Page:
    """Return the one page, as small as a telephone."""
    page.set_viewport_size(PHONE)
    return page

"""Drive the desk in Chromium: on a stand-in for speed, and once on a real workspace from upload to sign-off."""

from __future__ import annotations

import contextlib
import logging
import re
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from werkzeug.serving import make_server

from dashboard.desk.access import Access
from dashboard.desk.server import build_server
from dtm.desk import Desk
from tests.dashboard.browsing import WAIT_MS, Watch, click_on_map
from tests.dashboard.conftest import free_port
from tests.dashboard.fake_desk import FakeDesk
from tests.dashboard.make_release import make_workspace
from tests.dtm.desk_world import ROUND, copy_desk_world, save_desk_world
from tests.dtm.imports_support import baseline_row, write_csv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

# Flask-Compress streams files of assets without closing them; the stand-in is served by this very process, which hears.
pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]
PHONE = {"width": 390, "height": 844}
READY = """() => document.querySelector('#desk-cards .card') && document.querySelector('#desk-findings .ag-root')
    && !document.querySelector('[data-dash-is-loading]')"""
ROWS = "#desk-findings .ag-center-cols-container .ag-row"


@contextlib.contextmanager
def answering(folder, desk: FakeDesk) -> Iterator[tuple[str, Access]]:
    """Serve a stand-in desk from this process."""
    access = Access(free_port())
    application = build_server(make_workspace(folder / "city"), access, desk=desk)
    server = make_server("127.0.0.1", access.port, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{access.port}", access
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def come_in(page: Page, base: str, key: str, search: str = "?lang=en") -> Watch:
    watch = Watch(page, base)
    page.goto(f"{base}/?key={key}")
    page.wait_for_url(f"{base}/", timeout=WAIT_MS)
    assert "key" not in page.url
    page.goto(f"{base}/{search}")
    return watch


def settle(page: Page) -> None:
    page.wait_for_function(READY, timeout=WAIT_MS)
    page.wait_for_timeout(300)


@pytest.fixture(scope="module")
def answered(tmp_path_factory) -> Iterator[tuple[FakeDesk, str, str]]:
    fake = FakeDesk()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with answering(tmp_path_factory.mktemp("desk"), fake) as (base, access):
        yield fake, base, access.key


@pytest.fixture
def desk(answered) -> tuple[FakeDesk, str, str]:
    fake, base, key = answered
    fake.__init__()
    return fake, base, key


def test_a_finding_is_chosen_waived_and_taken_back(page, desk):
    fake, base, key = desk
    watch = come_in(page, base, key)
    settle(page)
    page.get_by_role("button", name="Waive", exact=True).click()
    page.wait_for_selector("text=First write your name", timeout=WAIT_MS)
    page.get_by_label("Your name").fill("A. Analyst")
    page.locator("#desk-severity").click()
    page.get_by_role("option", name="Errors only").click()
    page.wait_for_selector("text=1–3 of 3", timeout=WAIT_MS)
    page.locator("#findings").scroll_into_view_if_needed()
    page.locator(f"{ROWS} >> nth=0").click()
    page.wait_for_selector("text=Chosen: 1", timeout=WAIT_MS)
    page.locator("#desk-reason").fill("Counted twice on the spot")
    page.get_by_role("button", name="Waive", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for(timeout=WAIT_MS)
    assert "Counted twice on the spot" in dialog.inner_text()
    dialog.get_by_role("button", name="Cancel").last.click()
    dialog.wait_for(state="hidden", timeout=WAIT_MS)
    assert fake.calls == []
    page.get_by_role("button", name="Waive", exact=True).click()
    dialog.get_by_role("button", name="Confirm").click()
    page.wait_for_selector("text=Findings waived: 1.", timeout=WAIT_MS)
    page.wait_for_selector("text=1–2 of 2", timeout=WAIT_MS)
    assert fake.calls == [("waive", 1, ("sex_sum-0",), "Counted twice on the spot", "A. Analyst")]
    page.locator("#desk-state-filter").click()
    page.get_by_role("option", name="Waived", exact=True).click()
    page.wait_for_selector("text=Waived by A. Analyst: Counted twice on the spot", timeout=WAIT_MS)
    page.get_by_label("All that the filters find (1)").check()
    page.get_by_role("button", name="Take back").click()
    dialog.get_by_role("button", name="Confirm").click()
    page.wait_for_selector("text=Findings that stand again: 1.", timeout=WAIT_MS)
    assert fake.waived == {}
    page.reload()
    settle(page)
    expect(page.get_by_label("Your name")).to_have_value("A. Analyst", timeout=WAIT_MS)
    watch.assert_clean()


def test_one_value_is_edited_where_it_was_found(page, desk):
    fake, base, key = desk
    come_in(page, base, key)
    settle(page)
    page.get_by_label("Your name").fill("A. Analyst")
    page.locator("#findings").scroll_into_view_if_needed()
    page.locator(f"{ROWS} >> nth=0").click()
    page.get_by_text("Edit one value").click()
    expect(page.locator("#desk-edit-record")).to_have_value("1:baseline:2", timeout=WAIT_MS)
    expect(page.locator("#desk-edit-old")).to_have_value("100", timeout=WAIT_MS)
    page.locator("#desk-edit-new").fill("90")
    page.locator("#desk-edit-reason").fill("Miscounted")
    page.get_by_role("button", name="Save the edit").click()
    page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    page.wait_for_selector("text=Written to the cleaning log: 1.", timeout=WAIT_MS)
    edit = fake.calls[0][1]
    assert (edit.record, edit.field, edit.old, edit.new) == ("1:baseline:2", "male_persons", "100", "90")


def test_a_busy_warehouse_is_a_calm_notice_and_passes(page, desk):
    fake, base, key = desk
    fake.busy = True
    come_in(page, base, key)
    page.wait_for_selector("text=The warehouse is in use", timeout=WAIT_MS)
    assert "Traceback" not in page.content()
    fake.busy = False
    page.get_by_role("link", name="Try again").click()
    settle(page)
    fake.busy = True
    page.get_by_role("button", name="Refresh").click()
    page.wait_for_selector("#desk-notice >> text=The warehouse is in use", timeout=WAIT_MS)
    expect(page.locator("#desk-cards")).to_contain_text("50.0%", timeout=WAIT_MS)  # what was read before stays


def test_a_click_on_the_map_filters_missing_units_and_findings(page, desk):
    _, base, key = desk
    come_in(page, base, key)
    settle(page)
    click_on_map(page, "#desk-map", 107.05, 47.95)
    page.wait_for_selector("text=In the khoroo chosen: 2.", timeout=WAIT_MS)
    page.wait_for_selector("text=of 34", timeout=WAIT_MS)
    expect(page.locator("#desk-area")).to_have_value("Bayanzurkh, Khoroo 2", timeout=WAIT_MS)


@pytest.mark.parametrize("lang", ["mn", "en"])
def test_axe_finds_nothing_serious_and_no_word_leaves(page, desk, lang):
    _, base, key = desk
    watch = come_in(page, base, key, f"?lang={lang}")
    settle(page)
    for place in ("round", "coverage", "findings", "files"):
        page.locator(f"#{place}").scroll_into_view_if_needed()
        page.wait_for_timeout(300)
    page.locator("#findings").scroll_into_view_if_needed()
    page.wait_for_selector(ROWS, timeout=WAIT_MS)
    found = Axe().run(page).response["violations"]
    serious = {entry["id"]: [node["html"][:200] for node in entry["nodes"][:3]] for entry in found
               if entry["impact"] in {"serious", "critical"}}  # fmt: skip
    assert serious == {}
    assert page.evaluate("document.documentElement.lang") == lang
    assert "undefined" not in page.inner_text("body")
    watch.assert_clean()


def test_axe_finds_nothing_serious_in_the_dialog(page, desk):
    _, base, key = desk
    come_in(page, base, key)
    settle(page)
    page.get_by_label("Your name").fill("A. Analyst")
    page.get_by_role("button", name="Sign off").click()
    page.get_by_role("dialog").wait_for(timeout=WAIT_MS)
    page.wait_for_timeout(500)
    found = Axe().run(page).response["violations"]
    assert [entry["id"] for entry in found if entry["impact"] in {"serious", "critical"}] == []
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden", timeout=WAIT_MS)


def test_a_phone_needs_no_sideways_scroll(browser, desk):
    _, base, key = desk
    page = browser.new_context(viewport=PHONE).new_page()
    come_in(page, base, key, "?lang=mn")
    settle(page)
    widest = """Math.max(document.documentElement.scrollWidth, document.body.scrollWidth,
                        document.querySelector('main').scrollWidth)"""
    assert page.evaluate(widest) <= PHONE["width"]
    page.context.close()


def test_the_keyboard_alone_decides(page, desk):
    fake, base, key = desk
    come_in(page, base, key)
    settle(page)
    page.locator("#desk-who").focus()
    page.keyboard.type("A. Analyst")
    page.get_by_label("All that the filters find (133)").focus()
    page.keyboard.press("Space")
    settle(page)
    page.locator("#desk-reason").focus()
    page.keyboard.type("Known")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "desk-do-waive"
    settle(page)
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for(timeout=WAIT_MS)
    page.wait_for_function("() => document.activeElement.id === 'desk-confirm'", timeout=WAIT_MS)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Findings waived: 133.", timeout=WAIT_MS)
    assert len(fake.waived) == 133
    page.get_by_role("dialog").wait_for(state="hidden", timeout=WAIT_MS)
    page.wait_for_timeout(500)  # the dialog gives the focus back to the button that opened it
    with page.expect_file_chooser() as chooser:
        page.locator("#desk-upload button").press("Enter")
    assert chooser.value.is_multiple()


def test_a_file_too_large_is_told_before_it_is_read(page, desk):
    fake, base, key = desk
    come_in(page, base, key)
    settle(page)
    page.evaluate("window.dtmDeskLimit.bytes = 10")
    page.locator("#desk-upload input[type=file]").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": b"x" * 11}
    )
    page.wait_for_selector("text=too large for this page", timeout=WAIT_MS)
    assert fake.calls == []
    page.evaluate("window.dtmDeskLimit.bytes = 11")  # at the limit it goes through
    page.locator("#desk-upload input[type=file]").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": b"x" * 11}
    )
    page.wait_for_selector("text=Read = accepted + set aside + duplicate", timeout=WAIT_MS)
    assert fake.calls == [("upload", "a.csv", b"x" * 11, None)]


def test_no_key_no_page(page, desk):
    _, base, _ = desk
    assert page.goto(f"{base}/").status == 403
    assert "Open the whole address" in page.inner_text("main")


def test_a_folder_that_is_no_workspace_is_told(tmp_path):
    command = [sys.executable, "-m", "dashboard.desk", "--workspace", str(tmp_path), "--no-browser"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "dtm init" in ended.stderr


ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/\?key=(\S+)")


@contextlib.contextmanager
def dtm_desk(folder) -> Iterator[tuple[str, str]]:
    """Start `dtm desk` on a workspace; yield its address and its key."""
    command = [sys.executable, "-m", "dtm.cli", "desk", "--workspace", str(folder), "--port", str(free_port())]
    process = subprocess.Popen([*command, "--no-browser"], stdout=subprocess.PIPE, text=True)
    try:
        told = ADDRESS.search(process.stdout.readline())
        assert told is not None
        yield told.group(1), told.group(2)
    finally:
        process.terminate()
        process.communicate(timeout=90)


def test_from_an_upload_with_an_error_to_sign_off(page, tmp_path):
    workspace = copy_desk_world(save_desk_world(tmp_path / "saved"), tmp_path / "used")
    wrong = baseline_row("MN11070302", male_persons=30)  # 30 + 22 are not 42
    file = write_csv(tmp_path / "late.csv", [wrong])
    with dtm_desk(workspace.path) as (base, key):
        watch = come_in(page, base, key, f"?lang=en&round={ROUND}")
        settle(page)
        page.locator("#desk-upload input[type=file]").set_input_files(file)
        page.wait_for_selector("text=Read = accepted + set aside + duplicate", timeout=WAIT_MS)
        page.get_by_label("Your name").fill("A. Analyst")
        page.get_by_label("Search the findings").fill("late.csv")
        page.wait_for_selector("#desk-pager >> text=1–1 of 1", timeout=WAIT_MS)
        page.locator("#findings").scroll_into_view_if_needed()
        page.wait_for_selector(ROWS, timeout=WAIT_MS)
        assert "Men and women add up to 52" in page.inner_text("#desk-findings")
        page.get_by_label("Search the findings").fill("")
        page.locator("#desk-severity").click()
        page.get_by_role("option", name="Errors only").click()
        page.wait_for_selector("#desk-pager >> text=1–3 of 3", timeout=WAIT_MS)

        def confirm(said: str) -> None:
            page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
            page.wait_for_selector(f"text={said}", timeout=WAIT_MS)

        page.get_by_role("button", name="End collection").click()
        confirm("The collection of round 2 has ended")
        page.get_by_role("button", name="Sign off").click()
        confirm("can't be signed off: 3 errors stand")
        page.get_by_label("All that the filters find (3)").check()
        page.locator("#desk-reason").fill("The leader confirmed by telephone")
        page.get_by_role("button", name="Waive", exact=True).click()
        confirm("Findings waived: 3.")
        page.wait_for_selector("text=No error stands in the way", timeout=WAIT_MS)
        page.get_by_role("button", name="Sign off").click()
        confirm("Round 2 is signed off.")
        page.wait_for_selector("text=Next: dtm release", timeout=WAIT_MS)
        watch.assert_clean()
    told = Desk(workspace).status(ROUND)
    assert told["round"]["status"] == "signed_off"
    assert [entry["who"] for entry in told["history"]][-2:] == ["A. Analyst", "A. Analyst"]
    assert {waiver["reason"] for waiver in told["waivers"]} >= {"The leader confirmed by telephone"}

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
from playwright.sync_api import expect
from werkzeug.serving import make_server

from dashboard.desk.access import Access
from dashboard.desk.server import build_server
from dtm.desk import Desk
from tests.dashboard import browsing
from tests.dashboard.browsing import PHONE, WIDEST, Watch, click_on_map, serious_violations
from tests.dashboard.fake_desk import FakeDesk
from tests.dashboard.make_release import make_workspace
from tests.dtm.desk_world import ROUND, copy_desk_world
from tests.dtm.imports_support import baseline_row, write_csv
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

# Flask-Compress streams files of assets without closing them; the stand-in is served by this very process, which hears.
pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]
READY = """() => document.querySelector('#desk-cards .card') && document.querySelector('#desk-findings .ag-root')
    && !document.querySelector('[data-dash-is-loading]')"""
START_WAIT_S = 180
STOP_WAIT_S = 90
OPAQUE = "() => getComputedStyle(document.querySelector('[role=dialog]')).opacity === '1'"
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
    page.wait_for_url(f"{base}/")
    assert "key" not in page.url
    page.goto(f"{base}/{search}")
    return watch


def settle(page: Page) -> None:
    browsing.settle(page, READY)


def say_and_settle(page: Page, text: str) -> None:
    """Wait until the page says this, and until nothing is under way any more."""
    page.wait_for_selector(f"text={text}")
    settle(page)


def choose_first(page: Page) -> None:
    """Choose the first finding of the table."""
    page.locator("#findings").scroll_into_view_if_needed()
    settle(page)
    page.locator(f"{ROWS} >> nth=0").click()
    say_and_settle(page, "Chosen: 1")


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
    say_and_settle(page, "First write your name")
    page.get_by_label("Your name").fill("A. Analyst")
    page.locator("#desk-severity").click()
    page.get_by_role("option", name="Errors only").click()
    say_and_settle(page, "1–3 of 3")
    choose_first(page)
    page.locator("#desk-reason").fill("Counted twice on the spot")
    page.get_by_role("button", name="Waive", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Counted twice on the spot")
    dialog.get_by_role("button", name="Cancel").last.click()
    dialog.wait_for(state="hidden")
    settle(page)
    assert fake.calls == []
    page.get_by_role("button", name="Waive", exact=True).click()
    dialog.get_by_role("button", name="Confirm").click()
    say_and_settle(page, "Findings waived: 1.")
    say_and_settle(page, "1–2 of 2")
    assert fake.calls == [("waive", 1, ("sex_sum-0",), "Counted twice on the spot", "A. Analyst")]
    page.locator("#desk-state-filter").click()
    page.get_by_role("option", name="Waived", exact=True).click()
    say_and_settle(page, "Waived by A. Analyst: Counted twice on the spot")
    page.get_by_label("All that the filters find (1)").check()
    settle(page)
    page.get_by_role("button", name="Take back").click()
    dialog.get_by_role("button", name="Confirm").click()
    say_and_settle(page, "Findings that stand again: 1.")
    assert fake.waived == {}
    page.reload()
    settle(page)
    expect(page.get_by_label("Your name")).to_have_value("A. Analyst")
    watch.assert_clean()


def test_one_value_is_edited_where_it_was_found(page, desk):
    fake, base, key = desk
    come_in(page, base, key)
    settle(page)
    page.get_by_label("Your name").fill("A. Analyst")
    choose_first(page)
    page.get_by_text("Edit one value").click()
    expect(page.locator("#desk-edit-record")).to_have_value("1:baseline:2")
    expect(page.locator("#desk-edit-old")).to_have_value("100")
    page.locator("#desk-edit-new").fill("90")
    page.locator("#desk-edit-reason").fill("Miscounted")
    page.get_by_role("button", name="Save the edit").click()
    page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    say_and_settle(page, "Written to the cleaning log: 1.")
    edit = fake.calls[0][1]
    assert (edit.record, edit.field, edit.old, edit.new) == ("1:baseline:2", "male_persons", "100", "90")


def test_a_busy_warehouse_is_a_calm_notice_and_passes(page, desk):
    fake, base, key = desk
    fake.busy = True
    come_in(page, base, key)
    page.wait_for_selector("text=another process is using this file")
    assert "Traceback" not in page.content()
    fake.busy = False
    page.get_by_role("link", name="Try again").click()
    settle(page)
    fake.busy = True
    page.get_by_role("button", name="Refresh").click()
    page.wait_for_selector("#desk-notice >> text=another process is using this file")
    expect(page.locator("#desk-cards")).to_contain_text("50.0%")  # what was read before stays


def test_a_click_on_the_map_filters_missing_units_and_findings(page, desk):
    _, base, key = desk
    come_in(page, base, key)
    settle(page)
    click_on_map(page, "#desk-map", 107.05, 47.95, READY)
    page.wait_for_selector("text=In the khoroo chosen: 2.")
    page.wait_for_selector("text=of 34")
    expect(page.locator("#desk-area")).to_have_value("Bayanzurkh, Khoroo 2")


@pytest.mark.parametrize("lang", ["mn", "en"])
def test_axe_finds_nothing_serious_and_no_word_leaves(page, desk, lang):
    _, base, key = desk
    watch = come_in(page, base, key, f"?lang={lang}")
    settle(page)
    for place in ("round", "coverage", "files", "findings"):
        page.locator(f"#{place}").scroll_into_view_if_needed()
        settle(page)
    page.wait_for_selector(ROWS)
    assert serious_violations(page) == {}
    assert page.evaluate("document.documentElement.lang") == lang
    assert "undefined" not in page.inner_text("body")
    watch.assert_clean()


def test_axe_finds_nothing_serious_in_the_dialog(page, desk):
    _, base, key = desk
    come_in(page, base, key)
    settle(page)
    page.get_by_label("Your name").fill("A. Analyst")
    page.get_by_role("button", name="Sign off").click()
    page.get_by_role("dialog").wait_for()
    expect(page.locator("#desk-confirm")).to_be_focused()
    settle(page)
    page.wait_for_function(OPAQUE)
    assert serious_violations(page) == {}
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")


def test_a_phone_needs_no_sideways_scroll(phone, desk):
    _, base, key = desk
    come_in(phone, base, key, "?lang=mn")
    settle(phone)
    assert phone.evaluate(WIDEST) <= PHONE["width"]


def test_the_keyboard_alone_decides(page, desk):
    fake, base, key = desk
    come_in(page, base, key)
    settle(page)
    page.locator("#desk-who").focus()
    page.keyboard.type("A. Analyst")
    page.get_by_label("All that the filters find (133)").focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("All that the filters find (133)")).to_be_checked()
    settle(page)
    page.locator("#desk-reason").focus()
    page.keyboard.type("Known")
    page.keyboard.press("Tab")
    expect(page.locator("#desk-do-waive")).to_be_focused()
    settle(page)
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    expect(page.locator("#desk-confirm")).to_be_focused()
    settle(page)
    page.keyboard.press("Enter")
    say_and_settle(page, "Findings waived: 133.")
    assert len(fake.waived) == 133
    page.get_by_role("dialog").wait_for(state="hidden")
    expect(page.locator("#desk-do-waive")).to_be_focused()  # the dialog gives the focus back
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
    say_and_settle(page, "too large for this page")
    assert fake.calls == []
    page.evaluate("window.dtmDeskLimit.bytes = 11")  # at the limit it goes through
    page.locator("#desk-upload input[type=file]").set_input_files(
        {"name": "a.csv", "mimeType": "text/csv", "buffer": b"x" * 11}
    )
    say_and_settle(page, "Read = accepted + set aside + duplicate")
    assert fake.calls == [("upload", "a.csv", b"x" * 11, None)]


def test_no_key_no_page(new_page, desk):
    _, base, _ = desk
    page = new_page()
    assert page.goto(f"{base}/").status == 403
    assert "Open the whole address" in page.inner_text("main")


def test_a_folder_that_is_no_workspace_is_told(tmp_path):
    command = [sys.executable, "-m", "dashboard.desk", "--workspace", str(tmp_path), "--no-browser"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=START_WAIT_S, check=False)
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
        process.communicate(timeout=STOP_WAIT_S)


def test_from_an_upload_with_an_error_to_sign_off(new_page, desk_world, tmp_path):
    page = new_page()
    workspace = copy_desk_world(desk_world, tmp_path)
    wrong = baseline_row("MN11070302", male_persons=30)  # 30 + 22 are not 42
    file = write_csv(tmp_path / "late.csv", [wrong])
    with dtm_desk(workspace.path) as (base, key):
        watch = come_in(page, base, key, f"?lang=en&round={ROUND}")
        settle(page)
        page.locator("#desk-upload input[type=file]").set_input_files(file)
        say_and_settle(page, "Read = accepted + set aside + duplicate")
        page.get_by_label("Your name").fill("A. Analyst")
        page.get_by_label("Search the findings").fill("late.csv")
        expect(page.locator("#desk-pager")).to_contain_text("1–1 of 1")
        page.locator("#findings").scroll_into_view_if_needed()
        expect(page.locator("#desk-findings")).to_contain_text("Men and women add up to 52")
        page.get_by_label("Search the findings").fill("")
        expect(page.locator("#desk-pager")).not_to_contain_text("1–1 of 1")
        settle(page)
        page.locator("#desk-severity").click()
        page.get_by_role("option", name="Errors only").click()
        expect(page.locator("#desk-pager")).to_contain_text("1–3 of 3")
        settle(page)

        def confirm(said: str) -> None:
            page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
            say_and_settle(page, said)
            page.get_by_role("dialog").wait_for(state="hidden")

        page.get_by_role("button", name="End collection").click()
        confirm("The collection of round 2 has ended")
        page.get_by_role("button", name="Sign off").click()
        confirm("can't be signed off: 3 errors stand")
        page.get_by_label("All that the filters find (3)").check()
        settle(page)
        page.locator("#desk-reason").fill("The leader confirmed by telephone")
        page.get_by_role("button", name="Waive", exact=True).click()
        confirm("Findings waived: 3.")
        say_and_settle(page, "No error stands in the way")
        page.get_by_role("button", name="Sign off").click()
        confirm("Round 2 is signed off.")
        say_and_settle(page, "Next: dtm release")
        watch.assert_clean()
    told = Desk(workspace).status(ROUND)
    assert told["round"]["status"] == "signed_off"
    assert [entry["who"] for entry in told["history"]][-2:] == ["A. Analyst", "A. Analyst"]
    assert {waiver["reason"] for waiver in told["waivers"]} >= {"The leader confirmed by telephone"}

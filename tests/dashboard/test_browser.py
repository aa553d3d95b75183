"""Drive the served dashboard in Chromium."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import expect

from tests.dashboard.browsing import PATHS, PHONE, WIDEST, open_page, serious_violations, settle
from tests.dashboard.conftest import serving
from tests.dashboard.make_release import make_release, make_workspace

pytestmark = pytest.mark.browser
RUN_WAIT_S = 180


def address_has(page, text):
    expect(page).to_have_url(re.compile(re.escape(text)))


def answer(url: str, **headers: str):
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers))  # noqa: S310


@pytest.mark.parametrize("lang", ["mn", "en"])
@pytest.mark.parametrize("name", PATHS)
def test_every_page_is_drawn_without_a_word_to_anyone_else_and_axe_finds_nothing_serious(page, served, name, lang):
    watch = open_page(page, served, f"{PATHS[name]}?lang={lang}")
    watch.assert_clean()
    assert page.evaluate("document.documentElement.lang") == lang
    text = page.inner_text("body")
    assert ("Demonstration data." if lang == "en" else "Үзүүлэх өгөгдөл.") in text
    assert ("Release r1" if lang == "en" else "Нийтлэл r1") in text
    assert "undefined" not in text
    assert "NaN" not in text
    assert serious_violations(page) == {}


def test_mongolian_unless_asked_and_the_switch_keeps_the_view(page, served):
    open_page(page, served, "/?area=MN1107&round=2")
    assert "Баянгол" in page.inner_text("#overview-area")
    page.click("text=English")
    expect(page.locator("#overview-area")).to_contain_text("Bayangol")
    address_has(page, "lang=en")
    address_has(page, "area=MN1107")
    settle(page)
    assert "Round 2, March 2025" in page.inner_text("#overview-area")


def test_an_address_is_a_view_and_a_view_is_an_address(page, served):
    open_page(page, served, "/?lang=en&round=1&level=2&measure=persons_per_km2&area=MN1101")
    assert page.inner_text("#overview-title") == "Population density (km²) · Round 1, March 2024"
    assert "Bayanzurkh" in page.inner_text("#overview-area")
    page.get_by_role("slider", name="Round").press("ArrowRight")
    expect(page.locator("#overview-title")).to_contain_text("Round 2")
    address_has(page, "round=2")
    settle(page)
    page.get_by_text("Khoroos", exact=True).click()
    expect(page).not_to_have_url(re.compile("level=2"))
    settle(page)
    page.click("nav >> text=Flows")
    page.wait_for_selector("#flows-map")
    settle(page)
    address_has(page, "round=2")
    address_has(page, "area=MN1101")
    page.go_back()
    page.wait_for_selector("#overview-map")
    expect(page.locator("#overview-title")).to_contain_text("Round 2")


def test_a_click_on_the_map_chooses_the_area(page, served):
    open_page(page, served, "/?lang=en")
    box = page.locator("#overview-map").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    settle(page)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    address_has(page, "area=MN")
    expect(page.locator("#overview-area")).to_contain_text("Khoroo")


def test_search_and_download(page, served):
    open_page(page, served, "/flows?lang=en")
    page.get_by_label("Search the table").fill("bayangol khan")
    expect(page.locator(".ag-center-cols-container .ag-row")).to_have_count(2)
    settle(page)
    with page.expect_download() as csv:
        page.click("#flows-csv")
    lines = csv.value.path().read_text(encoding="utf-8-sig").strip().splitlines()
    assert csv.value.suggested_filename == "chart-figures-r1.csv"
    assert len(lines) == 3
    with page.expect_download() as xlsx:
        page.click("#flows-xlsx")
    assert xlsx.value.path().read_bytes()[:2] == b"PK"


def test_a_new_release_appears_without_a_restart(new_page, tmp_path):
    page = new_page()
    workspace = make_workspace(tmp_path / "city")
    with serving(workspace.path) as url:
        page.goto(f"{url}/?lang=en")
        page.wait_for_selector("text=There is no release yet")
        assert "dtm release" in page.inner_text("main")
        make_release(workspace, "first", demonstration=False)
        open_page(page, url, "/?lang=en").assert_clean()
        assert "Release first" in page.inner_text("#footer")
        assert page.locator(".banner").count() == 0
        make_release(workspace, "second")
        open_page(page, url, "/?lang=en").assert_clean()
        assert "Release second" in page.inner_text("#footer")
        assert page.locator(".banner").count() == 1


def test_two_readers_do_not_meet(page, new_page, served):
    first, second = page, new_page()
    open_page(first, served, "/?lang=en&area=MN1101&round=1")
    open_page(second, served, "/?lang=mn&area=MN1110&round=3")
    second.get_by_role("slider", name="Үе шат").press("ArrowLeft")
    address_has(second, "round=2")
    settle(second)
    first.reload()
    settle(first)
    assert "Bayanzurkh · Round 1" in first.inner_text("#overview-area")
    assert "Хан-Уул · 2-р үе шат" in second.inner_text("#overview-area")


@pytest.mark.parametrize("name", PATHS)
def test_a_phone_needs_no_sideways_scroll(phone, served, name):
    open_page(phone, served, f"{PATHS[name]}?lang=mn")
    assert phone.evaluate(WIDEST) <= PHONE["width"]
    cut = """[...document.querySelectorAll('.mantine-SegmentedControl-root')]
             .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === 'hidden').length"""
    assert phone.evaluate(cut) == 0


def test_no_button_offers_to_send_a_chart_away(page, served):
    open_page(page, served, "/?lang=en")
    assert page.evaluate("document.querySelectorAll('.modebar-btn').length") > 0
    assert page.evaluate("document.querySelectorAll('.modebar-btn[data-attr*=hare], [aria-label^=Share]').length") == 0


def test_the_table_writes_people_without_a_fraction_and_rates_with_one(page, served):
    open_page(page, served, "/?lang=en")
    cells = ".ag-center-cols-container .ag-cell[col-id=value]"
    shown = [text for text in page.locator(cells).all_inner_texts() if text[:1].isdigit()]
    assert shown
    assert not any("." in text for text in shown)
    open_page(page, served, "/?lang=en&measure=net_per_1000")
    assert any("." in text for text in page.locator(cells).all_inner_texts())


def test_the_keyboard_reaches_everything(page, served):
    open_page(page, served, "/?lang=en")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    page.keyboard.press("Enter")
    page.wait_for_function("location.hash === '#main'")
    page.evaluate("document.activeElement.blur(); window.focus(); document.querySelector('.skip-link').focus()")
    reached = set()
    for _ in range(24):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("document.activeElement.id || document.activeElement.getAttribute('aria-label') || ''")
        )
    text = " ".join(reached)
    for control in ("measure", "level", "area", "extent", "Round"):
        assert control in text or control == "level"


def test_headers_and_cached_maps(served):
    with answer(served) as response:
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe-eval" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    address = f"{served}/released/r1/areas-3.geojson"
    with answer(address, **{"Accept-Encoding": "br"}) as response:
        assert response.headers["Content-Encoding"] == "br"
        assert "immutable" in response.headers["Cache-Control"]
        tag = response.headers["ETag"]
    with pytest.raises(urllib.error.HTTPError) as unchanged:
        answer(address, **{"Accept-Encoding": "br", "If-None-Match": tag})
    assert unchanged.value.code == 304
    unchanged.value.close()


MISSING = ("/released/none/areas-3.geojson", "/released/r1/overlay/none.png", "/released/r1/areas-9.geojson")
OUTSIDE = (
    "/released/..%2f..%2fetc/areas-3.geojson",
    "/released/r1/layer/..%2f..%2fmanifest.geojson",
    "/released/../r1/areas-3.geojson",
    "/assets/..%2fserver.py",
)


@pytest.mark.parametrize("path", MISSING)
def test_what_is_not_released_is_not_found(served, path):
    with pytest.raises(urllib.error.HTTPError) as refused:
        answer(served + path)
    assert refused.value.code == 404
    refused.value.close()


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_address_leads_out_of_the_release(served, path):
    try:
        with answer(served + path) as response:
            body = response.read().decode()
    except urllib.error.HTTPError as refused:
        refused.close()
    else:
        assert body.lstrip().startswith("<!DOCTYPE html>")  # the dashboard's own page


def run_dashboard(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dashboard", *arguments, "--no-browser"]
    return subprocess.run(command, capture_output=True, text=True, timeout=RUN_WAIT_S, check=False)


def test_a_taken_port_is_told(workspace):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run_dashboard("--workspace", str(workspace.path), "--port", str(port))
    assert ended.returncode == 2
    assert f"--port {port + 1}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_folder_that_is_no_workspace_is_told(tmp_path):
    ended = run_dashboard("--workspace", str(tmp_path))
    assert ended.returncode == 2
    assert "dtm init" in ended.stderr

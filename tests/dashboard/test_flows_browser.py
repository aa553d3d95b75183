"""Drive the tabs of the page of flows in Chromium: by keyboard, on a phone, and with axe."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from dashboard.state import TABS
from tests.dashboard.browsing import WAIT_MS, open_page, settle

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}


def open_tab(page, tab):
    page.locator(f"[role=tab][id$='-tab-{tab}']").click()
    page.wait_for_function("tab => location.search.includes('tab=' + tab)", arg=tab, timeout=WAIT_MS)
    page.wait_for_function("tab => document.querySelector('#flows-panel-' + tab)?.childElementCount > 0", arg=tab,
                           timeout=WAIT_MS)  # fmt: skip
    settle(page)


def test_tabs_by_keyboard_are_in_the_address_and_their_table_can_be_had(page, served):
    watch = open_page(page, served, "/flows?lang=en&tab=matrix&source=reconciled")
    assert page.locator("#flows-matrix .heatmaplayer").count() == 1
    page.locator("[role=tab][aria-selected=true]").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.search.includes('tab=sankey')", timeout=WAIT_MS)
    page.wait_for_selector("#flows-sankey .sankey", timeout=WAIT_MS)
    assert "hidden flows are not drawn" in page.inner_text("#flows-panel-sankey")
    page.locator("#flows-panel-sankey summary").click()
    assert "Returns behind it" in page.inner_text("#flows-panel-sankey details")
    open_tab(page, "bars")
    with page.expect_download() as csv:
        page.click("text=Download CSV")
    assert csv.value.suggested_filename == "chart-figures-r1.csv"
    page.reload()
    settle(page)
    assert page.locator("#flows-bars").count() == 1
    watch.assert_clean()


def test_every_tab_fits_a_phone(browser, served):
    page = browser.new_context(viewport=PHONE).new_page()
    open_page(page, served, "/flows?lang=mn")
    widest = "Math.max(document.documentElement.scrollWidth, document.querySelector('main').scrollWidth)"
    found = {"map": page.evaluate(widest)}
    for tab in TABS[1:]:
        open_tab(page, tab)
        found[tab] = page.evaluate(widest)
    assert {tab: width for tab, width in found.items() if width > PHONE["width"]} == {}
    page.context.close()


def test_axe_finds_nothing_serious_in_the_tabs(page, served):
    open_page(page, served, "/flows?lang=mn&tab=matrix")
    serious = {}
    for tab in ("matrix", "bars", "trends", "system"):
        open_tab(page, tab)
        for entry in Axe().run(page).response["violations"]:
            if entry["impact"] in {"serious", "critical"}:
                serious[tab, entry["id"]] = [node["html"][:160] for node in entry["nodes"][:3]]
    assert serious == {}

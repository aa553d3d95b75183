"""Drive the tabs of the page of flows in Chromium: by keyboard, on a phone, and with axe."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from dashboard.state import TABS
from tests.dashboard.browsing import PHONE, WIDEST, open_page, serious_violations, settle

pytestmark = pytest.mark.browser


def open_tab(page, tab):
    page.locator(f"[role=tab][id$='-tab-{tab}']").click()
    expect(page).to_have_url(re.compile(f"tab={tab}"))
    expect(page.locator(f"#flows-panel-{tab} > *")).not_to_have_count(0)
    settle(page)


def test_tabs_by_keyboard_are_in_the_address_and_their_table_can_be_had(page, served):
    watch = open_page(page, served, "/flows?lang=en&tab=matrix&source=reconciled")
    expect(page.locator("#flows-matrix .heatmaplayer")).to_have_count(1)
    page.locator("[role=tab][aria-selected=true]").focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("tab=sankey"))
    page.wait_for_selector("#flows-sankey .sankey")
    settle(page)
    assert "hidden flows are not drawn" in page.inner_text("#flows-panel-sankey")
    page.locator("#flows-panel-sankey summary").click()
    expect(page.locator("#flows-panel-sankey details")).to_contain_text("Returns behind it", use_inner_text=True)
    open_tab(page, "bars")
    with page.expect_download() as csv:
        page.click("#flows-csv")
    assert csv.value.suggested_filename == "chart-figures-r1.csv"
    page.reload()
    settle(page)
    expect(page.locator("#flows-bars")).to_have_count(1)
    watch.assert_clean()


def test_every_tab_fits_a_phone(phone, served):
    open_page(phone, served, "/flows?lang=mn")
    found = {"map": phone.evaluate(WIDEST)}
    for tab in TABS[1:]:
        open_tab(phone, tab)
        found[tab] = phone.evaluate(WIDEST)
    assert {tab: width for tab, width in found.items() if width > PHONE["width"]} == {}


def test_axe_finds_nothing_serious_in_the_tabs(page, served):
    open_page(page, served, "/flows?lang=mn&tab=matrix")
    serious = {}
    for tab in ("matrix", "bars", "trends", "system"):
        open_tab(page, tab)
        serious |= {(tab, rule): nodes for rule, nodes in serious_violations(page).items()}
    assert serious == {}

"""Open the dashboard's pages in a browser, wait until they are drawn, and keep what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import TimeoutError  # noqa: A004

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, Request

PATHS = {
    "overview": "/", "flows": "/flows", "accounts": "/accounts", "ger": "/ger", "hazards": "/hazards", "data": "/data",
}  # fmt: skip
WAIT_MS = 60_000
DRAWN = """() => {
  const plots = [...document.querySelectorAll('.js-plotly-plot')];
  const maps = plots.map(p => p._fullLayout && p._fullLayout.map).filter(m => m && m._subplot && m._subplot.map);
  const rows = document.querySelector('.ag-row');
  const busy = document.querySelector('[data-dash-is-loading]');
  const awaited = [...document.querySelectorAll('.panel-map .graph')].some(e => e.offsetParent !== null);
  return rows && !busy && plots.every(p => p._fullLayout)
      && maps.every(m => m._subplot.map.loaded() && m._subplot.map.getStyle().layers.length > 3)
      && (maps.length > 0 || !awaited);
}"""


MAP_DRAWN = """selector => {
  const plot = document.querySelector(selector + ' .js-plotly-plot');
  const map = plot && plot._fullLayout && plot._fullLayout.map && plot._fullLayout.map._subplot
      && plot._fullLayout.map._subplot.map;
  return map && map.loaded() && map.getStyle().layers.length > 3;
}"""
PLACE = """([selector, place]) => {
  const map = document.querySelector(selector + ' .js-plotly-plot')._fullLayout.map._subplot.map;
  const box = map.getCanvas().getBoundingClientRect(), at = map.project(place);
  return [box.left + at.x, box.top + at.y];
}"""
STATE = """() => JSON.stringify({
  rows: document.querySelectorAll('.ag-row').length,
  busy: [...document.querySelectorAll('[data-dash-is-loading]')].map(e => e.id),
  plots: [...document.querySelectorAll('.js-plotly-plot')].map(p => {
    const m = p._fullLayout && p._fullLayout.map && p._fullLayout.map._subplot && p._fullLayout.map._subplot.map;
    return [!!p._fullLayout, p._fullData && p._fullData.length, m && m.loaded(),
            m && m.getStyle() && m.getStyle().layers.map(l => l.id)];
  }),
})"""


class Watch:
    """Everything a page asked for and complained of."""

    def __init__(self, page: Page, base: str) -> None:
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self._base = base
        page.on("request", self._request)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self._base, "data:", "blob:")):
            self.foreign.append(request.url)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def assert_clean(self) -> None:
        assert self.foreign == []
        assert self.errors == []


def open_page(page: Page, base: str, path: str) -> Watch:
    """Open a page and wait until its map and its table are drawn."""
    watch = Watch(page, base)
    page.goto(base + path)
    settle(page)
    return watch


def settle(page: Page) -> None:
    """Wait until callbacks have answered and the map shows what they said."""
    for _ in range(2):
        try:
            page.wait_for_function(DRAWN, timeout=WAIT_MS)
        except TimeoutError as error:
            raise AssertionError(f"not drawn: {page.evaluate(STATE)} {page.inner_text('body')[:300]}") from error
        page.wait_for_timeout(400)


def click_on_map(page: Page, selector: str, longitude: float, latitude: float) -> None:
    """Click a place on a map, once the map is drawn."""
    page.wait_for_function(MAP_DRAWN, arg=selector, timeout=WAIT_MS)
    page.wait_for_timeout(500)
    page.locator(selector).scroll_into_view_if_needed()
    x, y = page.evaluate(PLACE, [selector, [longitude, latitude]])
    page.mouse.move(x, y)
    page.wait_for_timeout(500)
    page.mouse.click(x, y)

"""Open the dashboard's pages in a browser, wait until they are at rest, and keep what went wrong."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import TimeoutError  # noqa: A004

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, Request

PATHS = {
    "overview": "/", "flows": "/flows", "accounts": "/accounts", "ger": "/ger", "hazards": "/hazards", "data": "/data",
}  # fmt: skip
DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}
WAIT_MS = 90_000
"""Longest wait for anything: far beyond what a loaded machine needs, and below the time a test may take."""
POLL_MS = 60
CALM_POLLS = 7
"""Polls without a change: together longer than a search field waits for the next letter."""
WIDEST = """Math.max(document.documentElement.scrollWidth, document.body.scrollWidth,
                     document.querySelector('main').scrollWidth)"""

# Count in every document what is asked of the server and not answered to the last byte, and each change of the page.
REST = """(() => {
  const rest = window.dtmRest = { asked: 0, changes: 0, seen: -1, calm: 0, token: 0 };
  const own = window.fetch;
  window.fetch = (...words) => {
    rest.asked++;
    const done = () => { rest.asked--; rest.changes++; };
    return own(...words).then(answer => {
      answer.clone().arrayBuffer().then(done, done);
      return answer;
    }, error => { done(); throw error; });
  };
  new MutationObserver(() => rest.changes++).observe(document, { subtree: true, childList: true, characterData: true });
})()"""
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
AT_REST = """([token, calmPolls]) => {
  const rest = window.dtmRest;
  if (rest.token !== token) { rest.token = token; rest.calm = 0; }
  const calm = !rest.asked && rest.changes === rest.seen && document.readyState === 'complete' && (DRAWN)();
  rest.calm = calm ? rest.calm + 1 : 0;
  rest.seen = rest.changes;
  return rest.calm >= calmPolls;
}"""
PLACE_ON_MAP = """([selector, place]) => {
  const plot = document.querySelector(selector + ' .js-plotly-plot');
  const map = plot?._fullLayout?.map?._subplot?.map;
  if (!map || !map.loaded() || map.getStyle().layers.length <= 3) return null;
  const box = map.getCanvas().getBoundingClientRect(), at = map.project(place);
  return [box.left + at.x, box.top + at.y];
}"""
STATE = """() => JSON.stringify({
  rest: window.dtmRest,
  rows: document.querySelectorAll('.ag-row').length,
  busy: [...document.querySelectorAll('[data-dash-is-loading]')].map(e => e.id),
  plots: [...document.querySelectorAll('.js-plotly-plot')].map(p => {
    const m = p._fullLayout && p._fullLayout.map && p._fullLayout.map._subplot && p._fullLayout.map._subplot.map;
    return [!!p._fullLayout, p._fullData && p._fullData.length, m && m.loaded(),
            m && m.getStyle() && m.getStyle().layers.map(l => l.id)];
  }),
})"""
_tokens = count(1)


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


def settle(page: Page, drawn: str = DRAWN) -> None:
    """Wait until the page is drawn, every question to the server is answered, and nothing changes any more.

    What is read after it is what stays: an action's callbacks are asked for before the action returns, and the page
    must have stood still for `CALM_POLLS` polls, each a turn of its own in the page's queue of tasks.
    """
    at_rest = AT_REST.replace("DRAWN", drawn)
    try:
        page.wait_for_function(at_rest, arg=[next(_tokens), CALM_POLLS], polling=POLL_MS, timeout=WAIT_MS)
    except TimeoutError as error:
        raise AssertionError(f"not at rest: {page.evaluate(STATE)} {page.inner_text('body')[:300]}") from error


def click_on_map(page: Page, selector: str, longitude: float, latitude: float, drawn: str = DRAWN) -> None:
    """Click a place on a map, once the map is drawn and stands still on the screen."""
    page.locator(selector).scroll_into_view_if_needed()
    settle(page, drawn)
    page.wait_for_function(PLACE_ON_MAP, arg=[selector, [longitude, latitude]], polling=POLL_MS, timeout=WAIT_MS)
    x, y = page.evaluate(PLACE_ON_MAP, [selector, [longitude, latitude]])
    page.mouse.move(x, y)
    settle(page, drawn)
    page.mouse.click(x, y)


def serious_violations(page: Page) -> dict[str, list[str]]:
    """Return what axe finds serious or critical: examples by rule."""
    found = Axe().run(page).response["violations"]
    return {entry["id"]: [node["html"][:200] for node in entry["nodes"][:3]] for entry in found
            if entry["impact"] in {"serious", "critical"}}  # fmt: skip

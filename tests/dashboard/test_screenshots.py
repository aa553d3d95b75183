"""Take the pictures of the documentation: DTM_SCREENSHOTS=1 writes them to docs/screenshots.

They show the workspace that DTM_SCREENSHOTS_WORKSPACE names (one made by `dtm demo`), else the tests' small release.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.dashboard.browsing import PHONE, open_page
from tests.dashboard.conftest import serving

pytestmark = pytest.mark.browser
DESKTOP = {"width": 1440, "height": 900}
PICTURES = {
    "overview-en": ("/?lang=en", DESKTOP),
    "overview-mn": ("/?lang=mn", DESKTOP),
    "flows-en": ("/flows?lang=en", DESKTOP),
    "flows-matrix-en": ("/flows?lang=en&tab=matrix", DESKTOP),
    "accounts-en": ("/accounts?lang=en", DESKTOP),
    "ger-areas-en": ("/ger?lang=en", DESKTOP),
    "hazards-en": ("/hazards?lang=en", DESKTOP),
    "data-en": ("/data?lang=en", DESKTOP),
    "overview-phone-mn": ("/?lang=mn", PHONE),
}


ASKED = os.environ.get("DTM_SCREENSHOTS") == "1"
TRIED = ("overview-en", "flows-matrix-en", "overview-phone-mn")
"""Pictures that are taken where none was asked for, to see that it can be done."""


@pytest.fixture(scope="module")
def shown(request):
    if folder := os.environ.get("DTM_SCREENSHOTS_WORKSPACE"):
        with serving(Path(folder)) as url:
            yield url
    else:
        yield request.getfixturevalue("served")


@pytest.mark.parametrize("name", PICTURES if ASKED else TRIED)
def test_picture(page, shown, tmp_path, name):
    path, viewport = PICTURES[name]
    folder = Path(__file__).resolve().parents[2] / "docs" / "screenshots" if ASKED else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size(viewport)
    watch = open_page(page, shown, path)
    picture = folder / f"{name}.png"
    page.screenshot(path=picture)
    watch.assert_clean()
    assert picture.stat().st_size > 20_000

"""A release of rounds that nobody signed off says so on every page, and names no official."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from dashboard.app import shell
from dashboard.parts import PAGES
from dashboard.reader import Reader
from dashboard.state import View
from dashboard.words import LANGUAGES, Words
from dtm.released import MANIFEST_FILE
from tests.dashboard.make_release import make_release, make_workspace
from tests.dashboard.test_pages import text_of

ROUNDS = [
    {"round": 1, "state": "signed_off", "signed_off_by": "B. Official", "signed_off_at": "2024-03-20T08:00:00"},
    {"round": 2, "state": "cleaning", "signed_off_by": None, "signed_off_at": None},
]


def pages_of(folder, words, **facts):
    """Return the text of every page of a release whose manifest says these facts besides."""
    workspace = make_workspace(folder)
    manifest = make_release(workspace, rounds=2) / MANIFEST_FILE
    manifest.write_text(json.dumps(json.loads(manifest.read_text(encoding="utf-8")) | facts), encoding="utf-8")
    snapshot = Reader(workspace).current()
    with closing(snapshot.release):
        return {
            page: text_of(shell(workspace, snapshot, View(lang=words.lang), page, words)) for page in PAGES
        }  # fmt: skip


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_of_a_provisional_release_says_so(tmp_path, lang):
    words = Words(lang)
    facts = {"is_provisional": True, "rounds": ROUNDS, "signed_off_by": "B. Official", "inputs": {"sign_off": ROUNDS}}
    pages = pages_of(tmp_path / "city", words, **facts)
    assert all(words("banner.provisional") in text for text in pages.values())
    about = pages["data"]
    assert words("rounds.open") in about
    assert {"en": "20 March 2024", "mn": "2024 оны 3-р сарын 20"}[lang] in about
    assert not any("B. Official" in text for text in pages.values())


@pytest.mark.parametrize("facts", [{}, {"is_provisional": False, "rounds": [ROUNDS[0]]}])
def test_other_releases_do_not(tmp_path, facts):
    words = Words("en")
    pages = pages_of(tmp_path / "city", words, **facts)
    assert not any("Provisional" in text for text in pages.values())
    assert (words("rounds.unknown") in pages["data"]) is not bool(facts)

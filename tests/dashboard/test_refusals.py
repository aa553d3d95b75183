"""What is said outside the pages: errors of HTTP, and the names of buttons that libraries draw."""

from __future__ import annotations

import json
import re

import pytest
from flask import Flask, abort

from dashboard.own_names import own_names
from dashboard.refusals import register_refusals
from dashboard.words import LANGUAGES, Words

WHY = {404: "refused.not_found", 405: "desk.refused.method", 413: "refused.too_large", 500: "refused.failed",
       400: "refused.unread"}  # fmt: skip


@pytest.fixture(scope="module")
def client():
    server = Flask(__name__)
    register_refusals(server)

    @server.get("/<int:status>")
    def _answer(status: int) -> str:
        if status == 500:
            raise ZeroDivisionError("nobody foresaw it")
        abort(status)

    return server.test_client()


@pytest.mark.parametrize("status", WHY)
def test_an_error_of_http_is_told_in_both_languages(client, status):
    answer = client.get(f"/{status}")
    text = answer.get_data(as_text=True)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    for lang in LANGUAGES:
        assert f'<p lang="{lang}">{Words(lang)(WHY[status])}</p>' in text.replace("&#x27;", "'")
    assert "nobody foresaw it" not in text
    assert "<script" not in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_buttons_of_charts_and_maps_have_names_of_our_own(lang):
    names = json.loads(getattr(own_names(Words(lang)), "data-names"))
    assert {"Zoom", "Pan", "Autoscale", "Reset axes", "Reset view", "Map"} <= set(names)
    if lang == "mn":
        assert not re.search("[A-Za-z]", "".join(names.values()))
    else:
        assert names == {name: name for name in names}

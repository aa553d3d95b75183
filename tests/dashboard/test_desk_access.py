"""The desk answers this machine, this page and the key, and nobody else."""

from __future__ import annotations

import re

import pytest

from dashboard.desk.access import Access
from dashboard.desk.files import REQUEST_MAXIMUM_BYTES
from dashboard.desk.server import build_server
from tests.dashboard.fake_desk import FakeDesk
from tests.dashboard.make_release import make_workspace

PORT = 8060
BASE = f"http://127.0.0.1:{PORT}"
UPDATE = "/_dash-update-component"


@pytest.fixture(scope="module")
def access() -> Access:
    return Access(PORT)


@pytest.fixture(scope="module")
def fake() -> FakeDesk:
    return FakeDesk()


@pytest.fixture(scope="module")
def server(tmp_path_factory, access, fake):
    return build_server(make_workspace(tmp_path_factory.mktemp("desk") / "city"), access, desk=fake)


@pytest.fixture
def stranger(server):
    return server.test_client()


@pytest.fixture
def analyst(server, access):
    client = server.test_client()
    client.get(f"/?key={access.key}", base_url=BASE)
    return client


PATHS = (
    "/", "/_dash-layout", "/_dash-dependencies", "/assets/desk.css", "/desk/areas-1.geojson",
    "/desk/districts-1.geojson", "/desk/style-1-en.json", "/desk/template-1-en.xlsx",
    "/desk/feedback-1-MN110101-en.html",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_shown_without_the_key(stranger, analyst, path):
    refused = stranger.get(path, base_url=BASE)
    assert refused.status_code == 403
    assert "key=" in refused.get_data(as_text=True)
    assert "түлхүүр" in refused.get_data(as_text=True)
    assert stranger.get("/?key=wrong", base_url=BASE).status_code == 403
    with analyst.get(path, base_url=BASE) as shown:
        assert shown.status_code == 200


def test_the_key_becomes_a_cookie_no_script_reads_and_no_other_page_sends(stranger, access):
    answer = stranger.get(f"/?key={access.key}", base_url=BASE)
    cookie = answer.headers["Set-Cookie"]
    assert answer.status_code == 200
    assert f"dtm-desk-{PORT}=" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert access.key not in cookie
    assert access.key not in answer.get_data(as_text=True)
    assert 'content="0; url=/"' in answer.get_data(as_text=True)


def test_the_browsers_own_key_counts_once(server, tmp_path):
    access = Access(PORT)
    assert access.is_key(access.launch_key)
    assert not access.is_key(access.launch_key)
    assert access.is_key(access.key)
    assert access.is_key(access.key)
    assert not access.is_key("")
    assert not access.is_key("ключ")


def test_another_run_has_another_key_and_cookie(access):
    other = Access(PORT)
    assert other.key != access.key
    assert not access.is_cookie(other.cookie_value)
    assert not access.is_cookie(None)
    assert len(other.key) >= 32


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8060", "127.0.0.1", "127.0.0.1:8061", "[::1]:8060"])
def test_a_name_that_was_pointed_at_this_machine_is_refused(server, access, host):
    client = server.test_client()
    client.set_cookie(access.cookie_name, access.cookie_value, domain=host.rsplit(":", 1)[0].strip("[]"))
    for path in ("/", f"/?key={access.key}", "/healthz"):
        assert client.get(path, base_url=f"http://{host}").status_code == 421


def test_localhost_is_this_machine(stranger, access):
    assert stranger.get(f"/?key={access.key}", base_url=f"http://localhost:{PORT}").status_code == 200


def test_port_80_is_left_out_of_the_address():
    assert Access(80).hosts == {"127.0.0.1", "localhost", "127.0.0.1:80", "localhost:80"}


ELSEWHERE = (
    {}, {"Origin": "null"}, {"Origin": "http://evil.example"}, {"Origin": "http://127.0.0.1:8050"},
    {"Origin": "https://127.0.0.1:8060"}, {"Referer": "http://evil.example/"}, {"Origin": "http://["},
    {"Origin": "http://evil.example", "Referer": BASE + "/"}, {"Origin": "http://localhost:8060"},
)  # fmt: skip


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_a_change_asked_by_another_page_is_refused(analyst, headers):
    answer = analyst.post(UPDATE, base_url=BASE, json={}, headers=headers)
    assert answer.status_code == 403
    assert "another page" in answer.get_data(as_text=True)


@pytest.mark.parametrize("headers", [{"Origin": BASE}, {"Referer": BASE + "/?lang=en"}])
def test_a_change_asked_by_the_page_itself_goes_on(analyst, headers):
    answer = analyst.post(UPDATE, base_url=BASE, data="not JSON", content_type="application/json", headers=headers)
    assert answer.status_code == 400  # it reached Dash, which can't read it


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_not_taken(analyst, method):
    assert getattr(analyst, method)("/", base_url=BASE, headers={"Origin": BASE}).status_code == 405


def test_a_request_is_bounded(analyst):
    headers = {"Origin": BASE, "Content-Type": "application/json"}
    answer = analyst.post(UPDATE, base_url=BASE, data=b" " * (REQUEST_MAXIMUM_BYTES + 1), headers=headers)
    assert answer.status_code == 413


def test_nothing_is_kept_by_the_browser_and_nothing_loads_from_elsewhere(analyst):
    page = analyst.get("/", base_url=BASE)
    for path in PATHS:
        with analyst.get(path, base_url=BASE) as answer:
            headers = answer.headers
        if not path.startswith("/assets/"):
            assert headers["Cache-Control"] == "no-store", path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in " ".join(re.findall(r'(?:src|href)="([^"]+)"', page.get_data(as_text=True)))


def test_health_needs_no_key(stranger):
    assert stranger.get("/healthz", base_url=BASE).get_data() == b"ok"


def test_a_sheet_is_a_file_that_runs_nothing(analyst):
    answer = analyst.get("/desk/feedback-1-MN110101-mn.html", base_url=BASE)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="feedback-round-01-MN110101-mn.html"'
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize("path", ["/desk/feedback-1-x-en.html", "/desk/feedback-1-MN110101-fr.html",
                                  "/desk/style-1-fr.json", "/desk/roads-1.geojson",
                                  "/desk/areas-99.geojson"])  # fmt: skip
def test_what_the_desk_does_not_have_is_not_found(analyst, path):
    assert analyst.get(path, base_url=BASE).status_code == 404


def test_a_busy_warehouse_is_told_where_a_sheet_is_asked_for(analyst, fake):
    fake.busy = True
    try:
        answer = analyst.get("/desk/template-1-mn.xlsx", base_url=BASE)
        assert analyst.get("/desk/areas-2.geojson", base_url=BASE).status_code == 503
    finally:
        fake.busy = False
    assert answer.status_code == 503
    assert "түр хүлээгээд" in answer.get_data(as_text=True).lower()

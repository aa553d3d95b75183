"""Meet every fault of a server and its network, and give credentials to no other host."""

from __future__ import annotations

import gzip
import json
import logging
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
import requests

from enumerations import _http
from enumerations.downloads import server_address
from enumerations.errors import (
    EnumerationsError,
    ServerAddressError,
    ServerAnswerError,
    ServerRefusedError,
    ServerUnreachableError,
)
from enumerations.kobo import KoboServer
from enumerations.odk import Credentials
from tests.enumerations.conftest import Client
from tests.enumerations.fake_servers import (
    EMAIL,
    PASSWORD,
    TOKEN,
    Answer,
    FakeKobo,
    FakeOdk,
    kobo_rows,
    odk_rows,
)

# faults of the network and of the server


FAULTS = {
    "429": lambda: Answer({"detail": "throttled"}, status=429, headers={"Retry-After": "7"}),
    "500": lambda: Answer({"detail": "oops"}, status=500),
    "502 in HTML": lambda: Answer(status=502, body=b"<html>Bad gateway"),
    "cut": lambda: Answer({"count": 25, "results": kobo_rows(10)}, cut_at=500),
    "cut but with the right length": lambda: Answer(body=json.dumps({"results": kobo_rows(10)}).encode()[:500]),
    "nothing": lambda: Answer(body=b""),
    "dropped": lambda: "drop",
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_passing_fault_of_any_question_is_waited_out(kobo, odk, name, number):
    for make, rows in ((kobo, kobo_rows(25)), (odk, odk_rows(25))):
        client = make(rows)
        client.folder = client.folder.with_name(client.server.source)
        client.fake.faults[number] = FAULTS[name]()
        result = client.pull()
        assert client.rows() == rows
        assert result.troubles == []
        assert len(client.waits) == 1
        assert client.waits == [7.0] if name == "429" else 0.5 <= client.waits[0] <= 1
        assert client.told[0].startswith("waiting ")


def test_waits_grow_and_end(kobo):
    client = kobo(kobo_rows(25))
    client.fake.faults = {number: Answer(status=503, body=b"") for number in range(2, 99)}
    with pytest.raises(ServerUnreachableError, match=r"status 503.*6 attempts.*kept for a day"):
        client.pull()
    assert len(client.waits) == _http.ATTEMPTS_MAXIMUM - 1
    assert all(2**n * 0.5 <= wait <= 2**n for n, wait in enumerate(client.waits))


def test_a_server_may_not_ask_for_an_endless_wait(kobo):
    client = kobo(kobo_rows(5))
    client.fake.faults[1] = Answer(status=429, headers={"Retry-After": "601"})
    with pytest.raises(ServerUnreachableError, match="asks to wait 601 s"):
        client.pull()
    client.fake.faults[2] = Answer(status=429, headers={"Retry-After": "600"})
    client.pull()
    assert client.waits == [600.0]


def test_retry_after_may_be_a_date():
    later = datetime.now(UTC) + timedelta(seconds=30)
    assert 0 < _http._retry_after_s(later.strftime("%a, %d %b %Y %H:%M:%S GMT")) <= 30
    assert _http._retry_after_s("Mon, 01 Jan 2001 00:00:00 GMT") == 0
    assert [_http._retry_after_s(text) for text in ("12", "soon", None)] == [12, None, None]


def test_a_silent_server_times_out(kobo, monkeypatch):
    client = kobo(kobo_rows(5))
    monkeypatch.setattr(_http, "READ_TIMEOUT_S", 1.0)
    monkeypatch.setattr(_http, "FIRST_ATTEMPTS_MAXIMUM", 3)
    hold, gave_up = [True, True], Event()

    def wait(seconds):
        client.waits.append(seconds)
        gave_up.set()

    def silent():
        if hold:
            hold.pop()
            gave_up.wait(60)
            gave_up.clear()

    client.server._http._sleep = wait
    client.fake.before[1] = client.fake.before[2] = silent
    client.pull()
    assert client.rows() == kobo_rows(5)
    assert len(client.waits) == 2


def test_a_mistyped_address_is_soon_told(tmp_path):
    server = KoboServer("http://127.0.0.1:9", "aTest", TOKEN)
    client = Client(None, server, tmp_path / "pages")
    with pytest.raises(ServerUnreachableError, match=r"no connection.*2 attempts") as told:
        client.pull()
    assert TOKEN not in str(told.value)
    server.close()


@pytest.mark.parametrize(("status", "words"), [(401, "DTM_KOBO_TOKEN"), (403, "may not view"), (404, "--asset")])
def test_a_refusal_says_what_to_do_and_is_not_repeated(kobo, status, words):
    client = kobo(kobo_rows(5))
    client.fake.faults[1] = Answer({"detail": f"No, {TOKEN}!"}, status=status)
    with pytest.raises(ServerRefusedError, match=words) as told:
        client.pull()
    assert told.value.status == status
    assert TOKEN not in str(told.value)
    assert "***" in str(told.value)
    assert client.waits == []


def test_a_wrong_token(kobo):
    with pytest.raises(ServerRefusedError, match=r"401: Invalid token\. Check the token"):
        kobo(kobo_rows(5), token="another").pull()  # noqa: S106


def test_a_web_page_is_not_data(kobo):
    client = kobo([])
    client.fake.faults[1] = Answer(body=b"\n <!DOCTYPE html><html>Welcome", headers={"Content-Type": "text/html"})
    with pytest.raises(ServerAnswerError, match="web page"):
        client.pull()


@pytest.mark.parametrize(
    "document", [[], "text", {"results": "none"}, {"results": [1]}, {}, {"value": {}}, {"value": [None]}]
)
def test_other_json_is_refused(kobo, odk, document):
    for client in (kobo([]), odk([])):
        client.fake.faults[1] = Answer(document)
        with pytest.raises(ServerAnswerError):
            client.pull()


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe{", b'{"count":' + b"9" * 5000 + b"}"])
def test_absurd_json_never_crashes(kobo, body):
    client = kobo([])
    client.fake.faults = {number: Answer(body=body) for number in range(1, 9)}
    with pytest.raises(EnumerationsError):
        client.pull()


def test_a_huge_answer_is_not_read_to_its_end(kobo, monkeypatch):
    client = kobo(kobo_rows(300))
    question = ("GET", "/api/v2/assets/aTest/data/", {"limit": "300"}, {"Authorization": f"Token {TOKEN}"}, b"")
    size = len(client.fake.answer(*question).body)
    monkeypatch.setattr(_http, "ANSWER_BYTES_MAXIMUM", size - 1)
    monkeypatch.setattr(_http, "CHUNK_BYTES", 1000)
    with pytest.raises(ServerAnswerError, match="--page-size"):
        client.pull(page_size=300)
    monkeypatch.setattr(_http, "ANSWER_BYTES_MAXIMUM", size)
    client.pull(page_size=300)
    assert len(client.rows()) == 300


def test_a_gzip_bomb_is_not_unpacked_to_its_end(kobo, monkeypatch):
    client = kobo([])
    monkeypatch.setattr(_http, "ANSWER_BYTES_MAXIMUM", 1_000_000)
    bomb = gzip.compress(b" " * 50_000_000)
    client.fake.faults[1] = Answer(body=bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(ServerAnswerError, match="longer than"):
        client.pull()


# other hosts and secrets


def test_a_redirect_to_another_host_is_not_followed(kobo):
    with FakeKobo(kobo_rows(5)) as other:
        client = kobo(kobo_rows(5))
        client.fake.faults[1] = Answer(status=302, headers={"Location": f"{other.url}/api/v2/assets/aTest/data/"})
        with pytest.raises(ServerAnswerError, match="credentials were not sent there"):
            client.pull()
        assert other.asked == []


def test_a_redirect_on_the_same_server_is_followed_a_few_times(kobo):
    client = kobo(kobo_rows(5))
    here = "/api/v2/assets/aTest/data/?limit=10&start=0"
    client.fake.faults[1] = Answer(status=301, headers={"Location": here})
    client.pull()
    assert client.rows() == kobo_rows(5)
    client.fake.faults = {number: Answer(status=301, headers={"Location": here}) for number in range(1, 30)}
    with pytest.raises(ServerAnswerError, match="round in circles"):
        client.server.page(None, since=None, page_size=5)


@pytest.mark.parametrize("location", ["", "//evil.example.org/x", "ftp://127.0.0.1/x", "http://[bad", "javascript:x"])
def test_strange_redirects_are_refused(kobo, location):
    client = kobo(kobo_rows(5))
    client.fake.faults[1] = Answer(status=302, headers={"Location": location})
    with pytest.raises(ServerAnswerError, match="sends us on"):
        client.pull()
    assert len(client.fake.asked) == 1


def test_a_login_is_never_sent_on(odk):
    with FakeOdk([]) as other:
        client = odk([], credentials=Credentials(EMAIL, PASSWORD))
        client.fake.faults[1] = Answer(status=307, headers={"Location": f"{client.fake.url}/v1/elsewhere"})
        with pytest.raises(ServerAnswerError):
            client.pull()
        assert other.asked == []


def test_the_netrc_of_the_user_does_not_take_the_place_of_the_token(kobo, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    client = kobo(kobo_rows(5))
    client.server._http._session.trust_env = True
    client.pull()
    assert {headers["Authorization"] for _, _, headers in client.fake.asked} == {f"Token {TOKEN}"}


def test_no_proxy_stands_between_us_and_loopback(kobo, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    client = kobo(kobo_rows(5))
    client.pull()
    assert len(client.rows()) == 5


def test_secrets_are_in_no_file_log_or_message(odk, caplog):
    caplog.set_level(logging.DEBUG)
    client = odk(odk_rows(25))
    client.fake.is_app_user = True
    client.fake.faults[3] = Answer({"message": f"the key {TOKEN} has expired", "code": 403.1}, status=403)
    with pytest.raises(ServerRefusedError) as told:
        client.pull()
    assert TOKEN not in str(told.value)
    assert caplog.records
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(Credentials(token=TOKEN))
    kept = [path.read_text(encoding="utf-8") for path in client.folder.iterdir()]
    assert kept
    assert all(TOKEN not in text for text in kept)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("https://central.example.org/", "https://central.example.org"),
        (" HTTPS://Central.Example.org:443/odk/ ", "https://central.example.org/odk"),
        ("https://example.org:8443", "https://example.org:8443"),
        ("http://localhost:8383", "http://localhost:8383"),
        ("http://[::1]:80/", "http://[::1]"),
        ("http://127.8.9.1", "http://127.8.9.1"),
    ],
)
def test_addresses(text, plain):
    assert server_address(text) == plain


@pytest.mark.parametrize(
    "text",
    [
        "", "central.example.org", "ftp://example.org", "https://", "http://example.org", "http://10.0.0.1",
        "http://localhost.example.org", "http://127.0.0.1.example.org", "https://user:secret@example.org",
        "https://secret@example.org", "https://example.org/?token=x", "https://example.org/#/projects/1",
        "https://[::1", "https://example.org:port", "https://exa mple.org", "https://example.org\n.evil.org",
    ],
)  # fmt: skip
def test_addresses_that_are_refused(text):
    with pytest.raises(ServerAddressError) as told:
        server_address(text)
    assert "secret" not in str(told.value)
    assert told.value.exit_code == 2


def test_the_library_is_never_asked_to_skip_the_check_of_certificates():
    server = KoboServer("https://kf.example.org", "a", TOKEN)
    assert server._http._session.verify is True
    assert isinstance(server._http._session, requests.Session)
    server.close()

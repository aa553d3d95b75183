"""Pull from the command line, with good and bad input; no output ever holds a credential."""

from __future__ import annotations

import json

import pytest

from dtm.cli import main
from dtm.warehouse import open_warehouse
from dtm.workspace import create_workspace
from tests.dtm.imports_support import add_areas, add_round, baseline_row
from tests.enumerations.fake_servers import EMAIL, PASSWORD, TOKEN, FakeKobo, FakeOdk


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    made = create_workspace(tmp_path_factory.mktemp("cli") / "w")
    with open_warehouse(made) as connection:
        add_areas(connection)
        add_round(connection, 2)
    return made.path


@pytest.fixture
def run(workspace, monkeypatch, capfd):
    for name in ("DTM_KOBO_TOKEN", "DTM_ODK_TOKEN", "DTM_ODK_EMAIL", "DTM_ODK_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("dtm.credentials.keyring.get_password", lambda *_: None)

    def call(*words):
        with pytest.raises(SystemExit) as left:
            main(["returns", "pull", *words, "--workspace", str(workspace)])
        told = capfd.readouterr()
        assert TOKEN not in told.out + told.err
        assert PASSWORD not in told.out + told.err
        return left.value.code or 0, told.out, told.err.replace("\n", " ")

    return call


def row(number, **more):
    answers = {**baseline_row(f"MN110701{number:02d}"), **more}
    return {key: value for key, value in answers.items() if key != "instance_id"}


def test_kobo(run, monkeypatch):
    monkeypatch.setenv("DTM_KOBO_TOKEN", TOKEN)
    with FakeKobo([row(1, _id=1, _uuid="k-1")]) as fake:
        code, text, _ = run("kobo", "--url", fake.url, "--asset", "aTest", "--json")
        document = json.loads(text)
        assert code == 0
        assert document["pull"]["returns"] == 1
        assert document["files"][0]["accepted"] == 1
        assert set(document) == {"refused", "withdrawn", "files", "pull", "findings"}
        code, text, _ = run("kobo", "--url", fake.url, "--asset", "aTest", "--since", "2024-02-01")
        assert (code, "0 returns came" in text) == (0, True)
        code, _, words = run("kobo", "--url", fake.url, "--asset", "other")
        assert (code, "--asset" in words) == (3, True)


def test_odk_with_a_password_and_a_strict_refusal(run, monkeypatch):
    monkeypatch.setenv("DTM_ODK_EMAIL", EMAIL)
    monkeypatch.setenv("DTM_ODK_PASSWORD", PASSWORD)
    system = {"submissionDate": "2024-02-11T10:00:00.000Z", "updatedAt": None, "reviewState": None, "edits": 0}
    with FakeOdk([row(2, male_persons=99, __id="uuid:o-1", __system=system)]) as fake:
        words = ("odk", "--url", fake.url, "--project", "1", "--form", "baseline")
        code, text, told = run(*words, "--strict")
        assert (code, "Nothing was imported" in text, "sex_sum" in told) == (1, True, True)
        assert fake.is_closed
        monkeypatch.setenv("DTM_ODK_PASSWORD", "wrong")
        code, _, told = run(*words)
        assert (code, "401.2" in told) == (3, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("kobo", "--url", "https://kobo.example.org", "--asset", "a"), "Set DTM_KOBO_TOKEN"),
        (("odk", "--url", "https://odk.example.org", "--project", "1", "--form", "f"), "Set DTM_ODK_EMAIL"),
        (("kobo", "--url", "http://kobo.example.org", "--asset", "a"), "not encrypted"),
        (("kobo", "--url", f"https://me:{TOKEN}@kobo.example.org", "--asset", "a"), "user name or password"),
        (("odk", "--url", "https://odk.example.org", "--project", "x", "--form", "f"), "--project"),
        (("kobo", "--url", "https://kobo.example.org", "--asset", "a", "--page-size", "1001"), "--page-size"),
        (("kobo", "--url", "https://kobo.example.org", "--asset", "a", "--since", "yesterday"), "--since"),
    ],
)
def test_wrong_use_is_told_before_the_network_is_asked(run, words, told):
    code, _, text = run(*words)
    assert (code, told in text) == (2, True)


def test_the_help_says_that_the_network_is_asked(capfd):
    with pytest.raises(SystemExit):
        main(["returns", "pull", "--help"])
    assert "No other command asks the network" in " ".join(capfd.readouterr().out.split())

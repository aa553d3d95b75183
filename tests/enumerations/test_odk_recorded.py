"""Download from the recorded answers of a real ODK Central server, and agree with what was submitted to it."""

from __future__ import annotations

import csv
import json
import re
from urllib.parse import parse_qsl

import pytest

from enumerations._page_store import PageStore
from enumerations.downloads import download
from enumerations.errors import ServerRefusedError
from enumerations.odk import Credentials, OdkServer
from tests.enumerations.fake_servers import TOKEN, Answer, FakeOdk, FakeServer

pytestmark = pytest.mark.realdata

FORM = "kheseg_baseline"
TABLE = f"/v1/projects/1/forms/{FORM}.svc/Submissions"

EVERYTHING = "__system/deletedAt eq null or __system/deletedAt ne null"


@pytest.fixture(scope="module")
def recorded(realdata):
    return realdata / "odk-central-recorded"


def body(recorded, name):
    return json.loads((recorded / f"{name}.body.json").read_bytes())


class Replay(FakeServer):
    """Answer what was recorded, found by path and by the options, in any order."""

    def __init__(self, folder):
        super().__init__()
        self.answers, self.strangers = {}, []
        for path in folder.glob("*.json"):
            facts = json.loads(path.read_bytes()) if not path.name.endswith(".body.json") else {}
            if "request" in facts:
                request = facts["request"]
                content = (folder / facts["body_file"]).read_bytes() if facts["body_file"] else b""
                options = frozenset(parse_qsl(request["query"]))
                self.answers.setdefault((request["method"], request["path"], options), (facts["status"], content))
        options = frozenset({("$filter", EVERYTHING), ("$count", "true"), ("$select", "__id,__system")})
        self.answers["GET", TABLE, options] = (200, self.listing(options))

    def listing(self, options):
        """Put the list of all together, live and deleted; its first three rows were recorded."""
        names = (("$count", "true"),), (("$filter", "__system/deletedAt ne null"), ("$count", "true"))
        rows = [
            {key: row[key] for key in ("__id", "__system")}
            for name in names
            for row in json.loads(self.answers["GET", TABLE, frozenset(name)][1])["value"]
        ]
        start = json.loads(self.answers["GET", TABLE, options | {("$top", "3")}][1])
        assert start["@odata.count"] == len(rows)
        assert all(row in rows for row in start["value"])
        return json.dumps({"value": rows, "@odata.count": len(rows)}).encode()

    def answer(self, method, path, query, headers, body):  # noqa: ARG002  what was recorded is told by its address
        found = self.answers.get((method, path, frozenset(query.items())))
        if found is None:
            self.strangers.append((path, query))
            return Answer({"message": "not recorded", "code": 404.1}, status=404)
        status, content = found
        return Answer(status=status, body=content)


def pull(fake, folder, *, form=FORM, page_size=100):
    server = OdkServer(fake.url, 1, form, Credentials(token=TOKEN), sleep=lambda _seconds: None)
    store = PageStore(folder, server.identify)
    try:
        return download(server, store, page_size=page_size), [row for _, row in store.submissions()]
    finally:
        server.close()


def read_expected(recorded, name):
    with (recorded / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def repeats(rows, *path):
    found = []
    for row in rows:
        inner = row
        for key in path:
            inner = inner.get(key) or {}
        found += [(row["__id"], one) for one in inner or []]
    return found


def test_everything_a_real_server_holds_comes(recorded, tmp_path):
    with Replay(recorded / "odata") as fake:
        result, rows = pull(fake, tmp_path / "pages")
        assert fake.strangers == []
    expected = {row["instance_id"]: row for row in read_expected(recorded, "expected.csv")}
    live = {key for key, row in expected.items() if row["state"] == "live"}
    deleted = {key.removeprefix("uuid:") for key, row in expected.items() if row["state"] == "deleted"}
    assert {row["__id"] for row in rows} == live
    assert (len(live), set(result.deleted), len(deleted)) == (255, deleted, 5)
    assert (result.is_whole, result.troubles, result.refetched, result.dropped) == (True, [], 0, 0)
    for row in rows:
        known, system = expected[row["__id"]], row["__system"]
        assert (system["reviewState"] or "", str(system["edits"])) == (known["review_state"], known["edits"])
        assert row["meta"]["instanceID"] == known["current_instance_id"]
        persons = row["population"]["persons_registered"]
        assert ("" if persons is None else str(persons)) == known["population/persons_registered"]
    assert rows == sorted(body(recorded, "odata/submissions-expand-all")["value"], key=lambda row: row["__id"])


def test_every_row_of_the_repeats_comes(recorded, tmp_path):
    with Replay(recorded / "odata") as fake:
        _, rows = pull(fake, tmp_path / "pages")
    for path, name, count in ((("arrivals",), "arrivals", 427), (("outflow", "departures"), "departures", 292)):
        expected = read_expected(recorded, f"expected_{name}.csv")
        found = repeats(rows, *path)
        live = {row["__id"] for row in rows}
        assert len(found) == count
        wanted = sorted(
            (row["parent_instance_id"], row["persons"]) for row in expected if row["parent_instance_id"] in live
        )
        told = sorted((key, "" if one["persons"] is None else str(one["persons"])) for key, one in found)
        assert told == wanted


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("401-no-credentials", r"401\.2.*Could not authenticate.*DTM_ODK"),
        ("403-no-role-odata", r"403\.1.*Project Viewer"),
        ("403-app-user-odata", r"403\.1.*app user"),
        ("404-form", r"404\.1.*--form"),
        ("404-project", r"404\.1.*--project"),
        ("400-skiptoken-garbage", r"400\.35"),
    ],
)
def test_recorded_refusals_are_told_in_clear_words(recorded, tmp_path, name, words):
    facts = json.loads((recorded / "errors" / f"{name}.json").read_bytes())
    answer = Answer(status=facts["status"], body=(recorded / "errors" / facts["body_file"]).read_bytes())
    with FakeOdk([]) as fake:
        fake.faults = dict.fromkeys(range(1, 9), answer)
        with pytest.raises(ServerRefusedError, match=words):
            pull(fake, tmp_path / "pages")


class Scripted(FakeOdk):
    """Give recorded pages first; then answer from the state that the server had after them."""

    def __init__(self, pages, rows, *, deleted=()):
        super().__init__(rows, form=FORM)
        self.pages = list(pages)
        self.deleted = list(deleted)

    def table(self, path, query):
        if "$top" in query and self.pages:
            return Answer(self.pages.pop(0))
        return super().table(path, query)


def state_after(recorded, *pages):
    """Return the rows as they were after some recorded pages: later ones win over earlier."""
    rows = {}
    for page in pages:
        rows |= {row["__id"]: row for row in page["value"]}
    return rows


def ids(rows):
    return {row["__id"] for row in rows}


def test_set_a_an_edit_on_the_page_before_is_not_lost(recorded, tmp_path):
    """Of two rows edited after page 1 one stands on page 2 and comes new, the other one on page 1 and came old."""
    pages = [body(recorded, f"between-pages/a-edit-{n}-page{n}") for n in (1, 2, 3)]
    final = {row["__id"]: row for row in body(recorded, "odata/submissions-all")["value"]}
    before = state_after(recorded, *pages)
    first = ids(pages[0]["value"])
    edited = [key for key in first & final.keys() if final[key]["__system"]["edits"] > before[key]["__system"]["edits"]]
    truth = {**before, **{key: final[key] for key in edited}}
    with Scripted(pages, truth.values()) as fake:
        result, rows = pull(fake, tmp_path / "pages")
    assert len(edited) >= 1
    assert {row["__id"]: row for row in rows} == truth
    assert (len(rows), result.refetched, result.troubles, result.is_whole) == (258, len(edited), [], True)


def test_set_b_a_new_submission_is_not_lost(recorded, tmp_path):
    pages = [body(recorded, f"between-pages/b-new-{n}") for n in ("1-page1", "2-page2")]
    again = body(recorded, "between-pages/b-new-3-page1-again")
    new = ids(again["value"]) - ids(pages[0]["value"])
    rest = body(recorded, "odata/submissions-all")["value"]
    truth = state_after(recorded, {"value": rest}, *pages, again)
    with Scripted(pages, truth.values()) as fake:
        result, rows = pull(fake, tmp_path / "pages", page_size=20)
    assert len(new) == 1
    assert {row["__id"]: row for row in rows} == truth
    assert result.troubles == []


def test_set_c_deleted_rows_are_dropped_and_none_other_lost(recorded, tmp_path):
    pages = [body(recorded, f"between-pages/c-delete-{n}-page{n}") for n in (1, 2)]
    assert [page["@odata.count"] for page in pages] == [259, 256]
    expected = {row["instance_id"]: row["state"] for row in read_expected(recorded, "expected.csv")}
    gone = {key for key in ids(pages[0]["value"]) if expected.get(key) != "live"}
    rest = body(recorded, "odata/submissions-all")["value"]
    truth = {key: row for key, row in state_after(recorded, {"value": rest}, *pages).items() if key not in gone}
    was = [row for row in pages[0]["value"] if row["__id"] in gone]
    deleted = [{**row, "__system": {**row["__system"], "deletedAt": "2026-11-21T22:00:00.000Z"}} for row in was]
    with Scripted(pages, truth.values(), deleted=deleted) as fake:
        result, rows = pull(fake, tmp_path / "pages", page_size=20)
    assert gone
    assert ids(rows) == set(truth)
    assert result.dropped == len(gone)
    assert {f"uuid:{key}" for key in result.deleted} == gone
    assert (result.troubles, result.is_whole) == ([], True)


def test_set_d_a_purged_token_row_loses_nothing(recorded, tmp_path):
    """Page 2 is empty and the last one, although 235 rows stand behind it."""
    pages = [body(recorded, f"between-pages/d-purge-{n}-page{n}") for n in (1, 2)]
    assert (pages[1]["value"], "@odata.nextLink" in pages[1]) == ([], False)
    token = re.search(r"skiptoken=([^&]*)", pages[0]["@odata.nextLink"])
    assert token
    truth = body(recorded, "odata/submissions-all")["value"]
    with Scripted(pages, truth) as fake:
        result, rows = pull(fake, tmp_path / "pages", page_size=20)
    assert ids(rows) == ids(truth)
    assert len(rows) == 255
    assert (result.troubles, result.is_whole, result.refetched) == ([], True, 0)  # all of it was read again

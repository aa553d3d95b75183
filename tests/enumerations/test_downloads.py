# ruff: noqa: ARG002  stand-ins take what the protocol gives
"""Download from fake servers with faults: whatever they do between two pages, the same returns must come."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enumerations import downloads
from enumerations._page_store import RESUME_HOURS_MAXIMUM, PageStore, order_of
from enumerations.downloads import Listing, Page, download
from enumerations.errors import ServerAnswerError, ServerRefusedError
from enumerations.odk import Credentials
from tests.enumerations.fake_servers import (
    EMAIL,
    PASSWORD,
    TOKEN,
    Answer,
    kobo_row,
    kobo_rows,
    odk_rows,
)


def codes(result):
    return [(trouble.code, trouble.value, trouble.hint) for trouble in result.troubles]


# Kobo


def test_kobo_pages_are_followed_and_sorted(kobo):
    client = kobo(reversed(kobo_rows(25)))
    result = client.pull()
    assert client.rows() == kobo_rows(25)
    assert (result.troubles, result.is_whole, result.is_resumed, client.store.repeated) == ([], True, False, 0)
    starts = [path.split("start=")[1].split("&")[0] for _, path, _ in client.fake.asked if "fields" not in path]
    assert starts == ["0", "10", "20"]
    assert all(headers["Authorization"] == f"Token {TOKEN}" for _, _, headers in client.fake.asked)


def test_one_kobo_page_that_agrees_with_its_count_needs_no_list(kobo):
    client = kobo(kobo_rows(7))
    assert client.pull().is_whole
    assert len(client.fake.asked) == 1


def test_a_form_without_returns_is_an_empty_download(kobo, odk):
    for client in (kobo([]), odk([])):
        client.folder = client.folder.with_name(client.server.source)
        assert (client.pull().is_whole, client.rows()) == (True, [])


def test_a_server_that_silently_caps_its_pages(kobo):
    client = kobo(kobo_rows(25), cap=4)
    client.pull(page_size=1000)
    assert client.rows() == kobo_rows(25)


def test_a_cap_that_next_does_not_know_of_loses_nothing(kobo):
    """Pages hold 4, but `next` jumps by the 10 that were asked for."""
    client = kobo(kobo_rows(25), cap=4)
    true_answer = client.fake.answer

    def wrong_next(*question):
        answer = true_answer(*question)
        document = json.loads(answer.body)
        if document.get("next"):
            start = int(document["next"].split("start=")[1]) - 4 + 10
            document["next"] = document["next"].split("start=")[0] + f"start={start}" if start < 25 else None
        return Answer(document)

    client.fake.answer = wrong_next
    result = client.pull()
    assert client.rows() == kobo_rows(25)
    assert result.troubles == []


def test_rows_repeated_across_pages_come_once(kobo):
    """A new return is put before the others while the pages are read, so every later page repeats a row."""
    client = kobo(kobo_rows(25))
    client.fake.chosen = lambda _query: list(client.fake.rows)  # ignores the order that was asked for
    client.fake.before[2] = lambda: client.fake.rows.insert(0, kobo_row(26))
    result = client.pull()
    assert client.rows() == kobo_rows(26)
    assert (client.store.repeated, result.refetched, result.troubles) == (1, 1, [])


def test_a_deletion_between_two_pages_loses_no_other_row(kobo):
    """Row 3 goes after page 1 was read: page 2 starts one too far and leaves out row 11."""
    client = kobo(kobo_rows(25))
    client.fake.before[2] = lambda: client.fake.rows.pop(2)
    result = client.pull()
    assert [row["_id"] for row in client.rows()] == [1, 2, *range(4, 26)]
    assert (result.refetched, result.dropped, result.is_whole) == (1, 1, True)


@pytest.mark.parametrize(
    "change",
    [
        {"_uuid": "new", "remarks": "new"},
        {"_validation_status": {"uid": "validation_status_not_approved"}},
        {"_date_modified": "2024-03-01T00:00:00"},
    ],
)
def test_an_edit_between_two_kobo_pages_is_seen(kobo, change):
    client = kobo([kobo_row(number, _date_modified="2024-02-10T10:00:00") for number in range(1, 26)])
    client.fake.before[2] = lambda: client.fake.rows[4].update(change)
    result = client.pull()
    assert client.rows()[4] == client.fake.rows[4]
    assert result.refetched == 1


def test_a_row_deleted_and_one_added_leave_the_count_as_it_was(kobo):
    client = kobo(kobo_rows(25))

    def swap():
        client.fake.rows.pop(0)
        client.fake.rows.append(kobo_row(26))

    client.fake.before[2] = swap
    client.pull()
    assert [row["_id"] for row in client.rows()] == list(range(2, 27))


@pytest.mark.parametrize("error", [-3, 3])
@pytest.mark.parametrize("count", [7, 25])
def test_a_wrong_count_is_told_and_no_absence_trusted(kobo, error, count):
    client = kobo(kobo_rows(count), count_error=error)
    result = client.pull()
    assert client.rows() == kobo_rows(count)
    assert codes(result) == [("count_differs", str(count + error), str(count))]
    assert not result.is_whole


def test_a_count_that_was_wrong_once_is_forgotten(kobo):
    client = kobo(kobo_rows(7), count_error=2)
    client.fake.before[2] = lambda: setattr(client.fake, "count_error", 0)
    client.fake.before[3] = client.fake.before[2]
    result = client.pull()
    assert (codes(result), result.is_whole) == ([], True)


def test_a_row_that_is_listed_but_not_given_is_told(kobo):
    client = kobo(kobo_rows(25))
    client.fake.chosen = lambda query: [
        row for row in sorted(client.fake.rows, key=lambda row: row["_id"]) if "fields" in query or row["_id"] != 4
    ]
    client.fake.rows[3] = {**kobo_row(4), "_id": 4}
    client.fake.faults[6] = Answer({"detail": "Not found."}, status=404)  # 3 pages, 1 list, then row 4
    client.fake.faults[5] = client.fake.faults[6]
    result = client.pull()
    assert ("return_not_fetched", "1", "4") in codes(result)


def test_a_return_without_any_identifier_is_left_out_and_told(kobo):
    client = kobo(kobo_rows(2))
    client.fake.faults[1] = Answer({"count": 2, "next": None, "results": [kobo_row(1), {"remarks": "?"}]})
    result = client.pull()
    assert ("return_unnamed", "1", None) in codes(result)


def test_since_asks_for_returns_that_were_sent_or_changed(kobo):
    rows = [kobo_row(1), kobo_row(2, _submission_time="2024-03-02T00:00:00"), kobo_row(3)]
    rows[2]["_date_modified"] = "2024-03-03T00:00:00"
    client = kobo(rows)
    client.pull(since=datetime(2024, 3, 1, tzinfo=UTC))
    assert [row["_id"] for row in client.rows()] == [2, 3]


@pytest.mark.parametrize("host", ["evil.example.org", "localhost:1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_next_on_another_host_is_asked_of_our_own(kobo, host, scheme):
    client = kobo(kobo_rows(25), next_host=host, proxy_scheme=scheme)
    client.pull()
    assert client.rows() == kobo_rows(25)
    assert all(path.startswith("/api/v2/assets/aTest/data/") for _, path, _ in client.fake.asked)


def test_pages_that_never_end_are_stopped(kobo):
    client = kobo(kobo_rows(10))
    page = {"count": 99, "results": kobo_rows(10)}
    client.fake.answer = lambda _m, _p, query, _h, _b: Answer(
        {**page, "next": f"{client.fake.url}/?start={int(query['start']) + 10}"}
    )
    with pytest.raises(ServerAnswerError, match="round in circles"):
        client.pull()
    assert len(client.fake.asked) < 10
    client.fake.answer = lambda *_: Answer({**page, "next": f"{client.fake.url}/?start=0"})
    with pytest.raises(ServerAnswerError, match="round in circles"):
        client.pull()


# ODK Central


def test_odk_pages_are_followed_on_our_own_address(odk):
    client = odk(odk_rows(25))
    result = client.pull()
    assert client.rows() == odk_rows(25)
    assert (codes(result), result.is_whole, result.deleted) == ([], True, {})


def test_a_session_is_opened_and_closed(odk):
    client = odk(odk_rows(25), credentials=Credentials(EMAIL, PASSWORD))
    client.pull()
    client.server.close()
    assert client.rows() == odk_rows(25)
    assert client.fake.asked[0][:2] == ("POST", "/v1/sessions")
    assert "Authorization" not in client.fake.asked[0][2]
    assert client.fake.asked[-1][:2] == ("DELETE", "/v1/sessions/current")
    assert client.fake.is_closed


def test_a_wrong_password(odk):
    client = odk(odk_rows(25), credentials=Credentials(EMAIL, "wrong"))
    with pytest.raises(ServerRefusedError, match=r"401\.2.*DTM_ODK_PASSWORD"):
        client.pull()
    assert len(client.fake.asked) == 1


def test_a_session_that_ends_in_the_middle_is_opened_anew(odk):
    client = odk(odk_rows(25), credentials=Credentials(EMAIL, PASSWORD))
    client.fake.before[3] = lambda: setattr(client.fake, "sessions", 7)
    client.pull()
    assert client.rows() == odk_rows(25)


def test_an_app_users_token_goes_into_the_path(odk):
    client = odk(odk_rows(25))
    client.fake.is_app_user = True
    client.pull()
    assert client.rows() == odk_rows(25)
    assert all("Authorization" not in headers for _, _, headers in client.fake.asked[1:])


def test_an_app_user_that_may_not_read_is_told_so(odk):
    client = odk(odk_rows(25))
    client.fake.is_app_user = True
    client.fake.faults[2] = Answer(
        {"message": "The authenticated actor does not have rights.", "code": 403.1}, status=403
    )
    with pytest.raises(ServerRefusedError, match="An app user may send submissions, but not read them"):
        client.pull()


def test_a_token_that_is_neither(odk):
    with pytest.raises(ServerRefusedError, match=r"401\.2"):
        odk(odk_rows(3), credentials=Credentials(token="other")).pull()  # noqa: S106


def test_deleted_ones_are_named_and_rows_deleted_meanwhile_dropped(odk):
    client = odk(odk_rows(25))

    def delete():
        row = client.fake.rows.pop(22)
        client.fake.deleted.append({**row, "__system": {**row["__system"], "deletedAt": "2024-03-01T00:00:00.000Z"}})

    client.fake.before[2] = delete
    result = client.pull()
    assert len(client.rows()) == 24
    assert (result.dropped, result.deleted) == (1, {"00000023-odk": "2024-03-01T00:00:00.000Z"})


def test_a_purged_token_row_loses_nothing(odk):
    """The row that the link to page 2 names is purged: the server answers an empty last page."""
    client = odk(odk_rows(25))
    client.fake.before[2] = lambda: client.fake.rows.pop(15)  # newest first: rows 24 to 15 are page 1
    result = client.pull()
    assert len(client.rows()) == 24
    assert (result.refetched, result.dropped) == (15, 1)


def test_many_missing_rows_are_read_once_more_as_pages(odk, monkeypatch):
    monkeypatch.setattr(downloads, "REFETCH_MAXIMUM", 14)
    client = odk(odk_rows(25))
    client.fake.before[2] = lambda: client.fake.rows.pop(15)
    result = client.pull()
    assert len(client.rows()) == 24
    assert (result.refetched, result.dropped) == (0, 0)


def test_a_server_that_does_not_know_deleted_ones_lists_the_live(odk):
    client = odk(odk_rows(25), lists_deleted=False)
    client.fake.before[2] = lambda: client.fake.rows[24]["__system"].update(reviewState="rejected")
    client.pull()
    assert client.rows()[24]["__system"]["reviewState"] == "rejected"


def test_a_server_without_any_list_is_read_twice_when_the_count_differs(odk):
    client = odk(odk_rows(25))
    true_answer = client.fake.table
    client.fake.table = lambda path, query: (
        client.fake.refusal(501, 501.1, "no") if "$select" in query else true_answer(path, query)
    )
    client.fake.before[2] = lambda: client.fake.rows.pop(15)
    result = client.pull()
    assert len(client.rows()) == 24
    assert (codes(result), result.is_whole) == ([], False)


def test_odk_since_takes_the_edited_ones_too(odk):
    rows = odk_rows(5)
    rows[1]["__system"]["updatedAt"] = "2024-03-02T00:00:00.000Z"
    rows[3]["__system"]["submissionDate"] = "2024-03-01T00:00:00.000Z"
    client = odk(rows)
    result = client.pull(since=datetime(2024, 3, 1, tzinfo=UTC))
    assert [row["persons"] for row in client.rows()] == [2, 4]
    assert codes(result) == []


# going on where a pull broke off


@pytest.mark.parametrize("broken", range(1, 6))
def test_a_pull_that_broke_goes_on_after_its_last_whole_page(kobo, odk, broken):
    for make, rows in ((kobo, kobo_rows(35)), (odk, odk_rows(35))):
        client = make(rows)
        client.folder = client.folder.with_name(client.server.source)
        client.fake.faults[broken] = Answer({"detail": "no"}, status=403)
        with pytest.raises(ServerRefusedError):
            client.pull()
        asked = len(client.fake.asked)
        result = client.pull()
        assert client.rows() == rows
        assert result.is_resumed == (broken > 1)
        assert result.troubles == []
        assert len(client.fake.asked) - asked == 6 - broken


def test_what_changed_while_the_pull_was_broken_is_seen(kobo):
    client = kobo(kobo_rows(35))
    client.fake.faults[3] = Answer(status=403)
    with pytest.raises(ServerRefusedError):
        client.pull()
    client.fake.rows.pop(0)
    client.fake.rows[0].update(_uuid="edited", remarks="edited")
    client.fake.rows.append(kobo_row(99))
    client.pull()
    assert client.rows() == client.fake.rows


@pytest.mark.parametrize("age_h", [RESUME_HOURS_MAXIMUM - 1, RESUME_HOURS_MAXIMUM + 1])
def test_old_pages_are_not_gone_on_with(kobo, age_h):
    client = kobo(kobo_rows(35))
    client.fake.faults[3] = Answer(status=403)
    with pytest.raises(ServerRefusedError):
        client.pull()
    state = json.loads((client.folder / "pull.json").read_bytes())
    state["started_at"] = (datetime.now(UTC) - timedelta(hours=age_h)).isoformat()
    (client.folder / "pull.json").write_text(json.dumps(state), encoding="utf-8")
    assert client.pull().is_resumed == (age_h < RESUME_HOURS_MAXIMUM)
    assert client.rows() == kobo_rows(35)


@pytest.mark.parametrize("name", ["pull.json", "page-00001.jsonl"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", None])
def test_damaged_pages_are_read_anew(kobo, name, content):
    client = kobo(kobo_rows(35))
    client.fake.faults[3] = Answer(status=403)
    with pytest.raises(ServerRefusedError):
        client.pull()
    if content is None:
        (client.folder / name).unlink()
    else:
        (client.folder / name).write_bytes(content)
    client.pull()
    assert client.rows() == kobo_rows(35)


def test_a_place_that_the_server_forgot_is_looked_for_from_the_start(odk):
    client = odk(odk_rows(35))
    client.fake.faults[3] = Answer(status=403)
    with pytest.raises(ServerRefusedError):
        client.pull()
    client.fake.faults[4] = Answer({"message": "Invalid 'skiptoken'", "code": 400.35}, status=400)
    result = client.pull()
    assert client.rows() == odk_rows(35)
    assert not result.is_resumed


# properties


class Partition:
    """Pages as they are given; a server whose list is always right."""

    source, address, form, lists_always = "kobo", "https://x.example", "form", True

    def __init__(self, pages, rows):
        self.pages, self.all = pages, rows

    def page(self, cursor, *, since, page_size):
        number = int(cursor or 0)
        last = number + 1 >= len(self.pages)
        return Page(self.pages[number] if self.pages else [], None if last else str(number + 1), len(self.all))

    def listing(self, *, since):
        live = {str(row["_id"]): {} for row in self.all}
        return Listing(live, set(live), {}, len(live), len(live), is_sound=True)

    def fetch(self, identifier):
        return next((row for row in self.all if str(row["_id"]) == identifier), None)

    def identify(self, submission):
        return str(submission["_id"])

    def stamp(self, submission):
        return {}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_pages_with_repeats_and_gaps_give_the_same_returns(tmp_path, data):
    """Draw rows, then pages of them in any order, some twice, some left out: the bytes written are the same."""
    identifiers = data.draw(st.lists(st.integers(1, 99), unique=True, min_size=1, max_size=20))
    rows = [kobo_row(number) for number in sorted(identifiers)]
    drawn = data.draw(st.lists(st.sampled_from(rows), max_size=40))
    pages: list[list[dict]] = [[]]
    for row in drawn:
        pages[-1].append(row)
        if data.draw(st.booleans()):
            pages.append([])
    written = []
    for server in (Partition([rows], rows), Partition(pages, rows)):
        store = PageStore(tmp_path / "property", server.identify)
        store.restart()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(downloads, "STALE_PAGES_MAXIMUM", 1000)
            result = download(server, store, page_size=5)
        with (tmp_path / "out").open("wb") as file:
            store.write(file)
        written.append((tmp_path / "out").read_bytes())
        assert result.troubles == []
        store.clear()
    assert written[0] == written[1]
    assert [json.loads(line) for line in written[0].splitlines()] == rows


def test_half_a_surrogate_pair_can_be_kept(tmp_path):
    store = PageStore(tmp_path / "pages", lambda row: str(row["_id"]))
    store.add([{"_id": 1, "text": "\ud83d"}], cursor=None, count=1)
    assert [row["text"] for _, row in store.submissions()] == ["\ud83d"]


def test_identifiers_are_sorted_by_number_then_text():
    assert sorted(["10", "9", "b", "a10", "9" * 30], key=order_of) == ["9", "10", "9" * 30, "a10", "b"]

"""Pull into a warehouse: the same as importing the file, again and again, with edits, deletions and breaks."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import pytest

from dtm import pulls
from dtm.engine import EngineError
from dtm.errors import UnknownRoundError, WarehouseBusyError
from dtm.imports import import_returns
from dtm.pulls import PullBusyError, _only_one, pull_returns
from dtm.warehouse import open_warehouse
from dtm.workspace import create_workspace, open_workspace
from enumerations.errors import ServerRefusedError
from enumerations.kobo import KoboServer
from enumerations.odk import Credentials, OdkServer
from tests.dtm.imports_support import add_areas, add_round, baseline_row, move_row
from tests.enumerations.fake_servers import TOKEN, Answer, FakeKobo, FakeOdk

UNITS = [f"MN1107{khoroo:02d}{kheseg:02d}" for khoroo in (1, 2, 3, 4) for kheseg in (1, 2)]
ONE_MORE = {"actual_persons": 43, "male_persons": 21, "age_25_59_persons": 21, "unregistered_persons": 6}


def answers(unit):
    row = baseline_row(unit)
    del row["instance_id"]
    move = move_row("origin")
    del move["instance_id"]
    return {**row, "arrivals": [move]}


def kobo_returns():
    return [
        {
            **answers(unit), "_id": number, "_uuid": f"k-{number}", "meta/rootUuid": f"uuid:k-{number}",
            "_submission_time": f"2024-02-11T10:00:0{number}", "_validation_status": {},
        }
        for number, unit in enumerate(UNITS, 1)
    ]  # fmt: skip


def odk_returns():
    return [
        {
            **answers(unit), "__id": f"uuid:o-{number}",
            "__system": {
                "submissionDate": f"2024-02-11T10:00:0{number}.000Z", "updatedAt": None, "reviewState": None,
                "edits": 0, "deletedAt": None,
            },
        }
        for number, unit in enumerate(UNITS, 1)
    ]  # fmt: skip


class Desk:
    """A workspace beside a fake server."""

    def __init__(self, template, path, source="kobo"):
        shutil.copytree(template, path)
        self.workspace = open_workspace(path)
        self.source = source
        self.fake = FakeKobo(kobo_returns()) if source == "kobo" else FakeOdk(odk_returns())
        self.waits = []

    def open(self, *, spatial=True):
        return open_warehouse(self.workspace, spatial=spatial)

    def pull(self, **options):
        if self.source == "kobo":
            server = KoboServer(self.fake.url, "aTest", TOKEN, sleep=self.waits.append)
        else:
            server = OdkServer(self.fake.url, 1, "baseline", Credentials(token=TOKEN), sleep=self.waits.append)
        try:
            return pull_returns(self.workspace, server, **{"page_size": 3, **options})
        finally:
            server.close()

    def ask(self, sql):
        with self.open(spatial=False) as connection:
            return connection.execute(sql).fetchall()

    def state(self):
        """Return what is counted: units and persons, and the moves."""
        stocks = "SELECT pcode, persons FROM stock WHERE category = 'actual' AND dwelling IS NULL ORDER BY ALL"
        moves = "SELECT pcode, direction, persons FROM movement ORDER BY ALL"
        with self.open(spatial=False) as connection:
            return connection.execute(stocks).fetchall(), connection.execute(moves).fetchall()

    def kept_pages(self):
        return sorted(path.name for path in (self.workspace.inbox_path / "pulls").glob("*/*"))

    def edit(self, number, **changes):
        row = self.fake.rows[number]
        row.update(changes)
        if self.source == "odk":
            row["__system"] = {
                **row["__system"], "edits": row["__system"]["edits"] + 1, "reviewState": "edited",
                "updatedAt": "2024-02-12T10:00:00.000Z",
            }  # fmt: skip
        else:
            row["_uuid"] += "-edited"

    def delete(self, number):
        row = self.fake.rows.pop(number)
        if self.source == "odk":
            deleted = {**row, "__system": {**row["__system"], "deletedAt": "2024-02-13T10:00:00.000Z"}}
            self.fake.deleted.append(deleted)
        return row

    def restore(self, row):
        self.fake.rows.append(row)
        if self.source == "odk":
            self.fake.deleted.clear()


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Make a workspace with four khoroos and an open round, once."""
    workspace = create_workspace(tmp_path_factory.mktemp("pulls") / "template")
    with open_warehouse(workspace) as connection:
        add_areas(connection)
        add_round(connection, 2)
    return workspace.path


@pytest.fixture(params=["kobo", "odk"])
def desk(request, template, tmp_path):
    """Give a workspace beside each kind of server."""
    made = Desk(template, tmp_path / "desk", request.param)
    with made.fake:
        yield made


@pytest.fixture
def kobo(template, tmp_path):
    """Give a workspace beside a KoboToolbox server, where the kind of server makes no difference."""
    made = Desk(template, tmp_path / "desk")
    with made.fake:
        yield made


SOUND = ([(unit, 42) for unit in UNITS], [(unit, "arrival", 4) for unit in UNITS])


def test_a_pull_brings_every_return_and_its_repeats(desk):
    report = desk.pull()
    assert desk.state() == SOUND
    file = report.imported.files[0]
    assert (report.returns, file.accepted, file.quarantined, file.duplicate) == (8, 16, 0, 0)
    assert [found for found in report.findings if found["severity"] == "error"] == []
    assert desk.ask("SELECT source, file_name FROM import")[0][0] == desk.source
    assert desk.kept_pages() == []
    (path,) = desk.workspace.inbox_path.glob("*.jsonl")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert rows == sorted(desk.fake.rows, key=lambda row: row.get("_id") or row["__id"])
    everything = [one.read_bytes() for one in desk.workspace.path.rglob("*") if one.is_file()]
    assert all(TOKEN.encode() not in content for content in everything)
    pulled = "SELECT source, address, form, returns, import_id, newest_at::VARCHAR FROM pull"
    form = "aTest" if desk.source == "kobo" else "1/baseline"
    assert desk.ask(pulled) == [(desk.source, desk.fake.url, form, 8, 1, "2024-02-11 10:00:08")]


def test_pulling_again_changes_nothing(kobo):
    kobo.pull()
    before = kobo.state(), kobo.ask("SELECT * FROM import ORDER BY ALL"), kobo.ask("SELECT * FROM finding ORDER BY ALL")
    for page_size in (1, 100):
        report = kobo.pull(page_size=page_size)
        assert report.imported.files[0].is_known_file
        assert (report.findings, report.returns) == ([], 8)
    after = kobo.state(), kobo.ask("SELECT * FROM import ORDER BY ALL"), kobo.ask("SELECT * FROM finding ORDER BY ALL")
    assert after == before
    assert kobo.ask("SELECT pull_id, import_id FROM pull ORDER BY ALL") == [(1, 1), (2, None), (3, None)]


def test_a_pull_and_an_import_of_the_same_returns_agree(kobo, template, tmp_path):
    """The server's own answer, saved as a file, gives the same rows and the same findings."""
    kobo.edit(3, male_persons=99)
    kobo.fake.rows[1]["unit"] = kobo.fake.rows[0]["unit"]
    path = tmp_path / "saved.json"
    path.write_text(json.dumps({"results": kobo.fake.rows}), encoding="utf-8")
    kobo.pull()
    other = Desk(template, tmp_path / "other", kobo.source)
    with other.fake, other.open() as connection:
        import_returns(connection, other.workspace, [path])
    assert other.state() == kobo.state()
    found = "SELECT code, severity, row_number, field, value FROM finding ORDER BY ALL"
    assert other.ask(found) == kobo.ask(found)
    assert {"unit_twice"} <= {row[0] for row in kobo.ask(found)}
    counts = "SELECT rows_read, rows_accepted, rows_quarantined, rows_duplicate FROM import"
    assert other.ask(counts) == kobo.ask(counts)


def codes(report):
    return [found["code"] for found in report.findings]


def test_an_edit_takes_the_place_of_what_was_there_until_it_is_taken_back(desk):
    first = json.loads(json.dumps(desk.fake.rows))
    desk.pull()
    desk.edit(0, **ONE_MORE)
    report = desk.pull()
    assert desk.state() == ([(UNITS[0], 43), *SOUND[0][1:]], SOUND[1])
    assert (codes(report).count("edited_on_server"), report.withdrawn) == (1, 0)
    desk.fake.rows[:] = first
    desk.pull()
    assert desk.state() == SOUND
    assert desk.pull().imported.files[0].is_known_file
    assert len(desk.ask("SELECT * FROM import")) == 3


def test_a_deleted_return_is_taken_out_and_comes_back_when_it_is_restored(desk):
    desk.pull()
    row = desk.delete(2)
    report = desk.pull()
    assert desk.state()[0] == [one for one in SOUND[0] if one[0] != UNITS[2]]
    assert len(desk.state()[1]) == 7
    assert (codes(report).count("withdrawn_on_server"), report.withdrawn) == (1, 1)
    again = desk.pull()
    assert (again.withdrawn, again.findings, again.imported.files[0].is_known_file) == (0, [], True)
    desk.restore(row)
    desk.pull()
    assert desk.state() == SOUND


def test_when_every_return_was_deleted_all_are_taken_out(kobo):
    kobo.pull()
    while kobo.fake.rows:
        kobo.delete(0)
    assert kobo.pull().withdrawn == 8
    assert kobo.state() == ([], [])
    assert kobo.pull().withdrawn == 0


def test_only_a_full_pull_takes_absence_for_deletion(desk):
    desk.pull()
    desk.fake.rows.pop(2)  # gone without a trace: purged
    since = datetime(2024, 2, 11, 10, 0, 5, tzinfo=UTC)
    report = desk.pull(since=since)
    assert (report.returns, report.withdrawn) == (4, 0)
    assert desk.state() == SOUND
    told = codes(report)
    assert ("edits_not_told" in told) == (desk.source == "kobo")
    assert desk.pull().withdrawn == 1


def test_absence_is_not_trusted_when_the_count_is_wrong(kobo):
    kobo.pull()
    kobo.fake.rows.pop(2)
    kobo.fake.count_error = 1
    report = kobo.pull()
    assert report.withdrawn == 0
    assert kobo.state() == SOUND
    assert "count_differs" in codes(report)
    stored = kobo.ask("SELECT severity, stage, finding_id IS NOT NULL FROM finding WHERE code = 'count_differs'")
    assert stored == [("warning", "import", True)]


def test_returns_of_another_form_or_file_are_not_taken_for_deleted(kobo, tmp_path):
    path = tmp_path / "by-hand.json"
    path.write_text(
        json.dumps([{**kobo_returns()[0], "_uuid": "by-hand", "meta/rootUuid": "by-hand"}]), encoding="utf-8"
    )
    with kobo.open() as connection:
        import_returns(connection, kobo.workspace, [path])
    kobo.fake.rows.pop(0)
    assert kobo.pull().withdrawn == 0
    assert kobo.state() == SOUND


def test_a_return_rejected_on_the_server_is_not_counted(desk):
    desk.pull()
    row = desk.fake.rows[3]
    if desk.source == "kobo":
        row["_validation_status"] = {"uid": "validation_status_not_approved", "label": "Not approved"}
    else:
        row["__system"] = {**row["__system"], "reviewState": "rejected", "updatedAt": "2024-02-12T10:00:00.000Z"}
    desk.pull()
    assert desk.state()[0] == [one for one in SOUND[0] if one[0] != UNITS[3]]


def test_without_first_ids_an_edited_return_is_known_by_the_one_before(kobo):
    """Kobo servers before 2025 give a new uuid with an edit, and only name the one before."""
    for row in kobo.fake.rows:
        del row["meta/rootUuid"]
    kobo.pull()
    kobo.fake.rows[0].update({"_uuid": "new", "meta/deprecatedID": "uuid:k-1", **ONE_MORE})
    kobo.pull()
    assert kobo.state() == ([(UNITS[0], 43), *SOUND[0][1:]], SOUND[1])


def test_a_pull_that_broke_goes_on(kobo):
    kobo.fake.faults[2] = Answer({"detail": "no", "message": "no", "code": 403.1}, status=403)
    with pytest.raises(ServerRefusedError):
        kobo.pull()
    assert kobo.kept_pages() == ["page-00001.jsonl", "pull.json"]
    assert kobo.ask("SELECT * FROM import") == []
    assert kobo.pull().is_resumed
    assert kobo.state() == SOUND
    assert kobo.kept_pages() == []


def test_a_warehouse_that_is_busy_when_the_pages_are_there_loses_none(kobo, monkeypatch):
    """Another process opens the warehouse during the download; the next pull uses the pages."""
    opened = []

    def busy(*options, **more):
        opened.append(options)
        if len(opened) == 2:
            raise WarehouseBusyError("another process is writing")
        return open_warehouse(*options, **more)

    monkeypatch.setattr(pulls, "open_warehouse", busy)
    with pytest.raises(WarehouseBusyError):
        kobo.pull()
    assert "page-00003.jsonl" in kobo.kept_pages()
    asked = len(kobo.fake.asked)
    assert kobo.pull().is_resumed
    assert len(kobo.fake.asked) - asked == 1  # the list alone
    assert kobo.state() == SOUND


def test_the_warehouse_is_free_while_the_pages_come(kobo, monkeypatch):
    opened, seen = [], []

    def remember(*options, **more):
        opened.append(open_warehouse(*options, **more))
        return opened[-1]

    def look():
        try:
            opened[-1].execute("SELECT 1")
        except EngineError:
            seen.append("closed")

    monkeypatch.setattr(pulls, "open_warehouse", remember)
    kobo.fake.before[2] = look
    kobo.pull()
    assert seen == ["closed"]


def test_two_pulls_into_one_workspace_do_not_meet(kobo):
    with _only_one(kobo.workspace), pytest.raises(PullBusyError):
        kobo.pull()
    assert kobo.fake.asked == []


def test_a_round_that_is_not_open_is_told_before_anything_is_asked(kobo):
    with pytest.raises(UnknownRoundError):
        kobo.pull(round_number=9)
    assert kobo.fake.asked == []


def test_strict_stores_nothing(kobo):
    kobo.edit(0, male_persons=99)
    report = kobo.pull(strict=True)
    assert report.imported.refused
    assert report.findings
    assert kobo.ask("SELECT * FROM import") == kobo.ask("SELECT * FROM pull") == []

"""Check the round desk: what the page for analysts asks for and does, one call at a time."""

from __future__ import annotations

import subprocess
import sys
import threading

import pandas as pd
import pytest

from dtm.cleaning import Edit
from dtm.desk import Desk
from dtm.errors import OpenErrorsError, UnknownRoundError, WarehouseBusyError, WrongUseError
from dtm.warehouse import open_warehouse
from enumerations.errors import EnumerationsError
from tests.dtm.desk_world import REMARK, ROUND, copy_desk_world
from tests.dtm.imports_support import baseline_row, write_csv

BY = {"reason": "seen on the spot", "who": "A. Analyst"}
COLUMNS = [
    "finding_id", "severity", "code", "stage", "subject", "record", "file_name", "pcode", "district_mn", "district_en",
    "khoroo_mn", "khoroo_en", "instance_id", "field", "value", "message_en", "message_mn", "state", "waived_reason",
    "waived_who",
]  # fmt: skip


@pytest.fixture
def desk(desk_world, tmp_path):
    return Desk(copy_desk_world(desk_world, tmp_path))


def ids(desk, code):
    return desk.findings(ROUND, code=code)[0]["finding_id"].tolist()


def test_rounds_say_how_far_they_have_come(desk):
    rows = {row["number"]: row for row in desk.rounds()}
    assert list(rows) == [1, 2, 3]
    wanted = {"status": "draft", "units_expected": 8, "units_received": 3, "returns": 3, "errors_open": 2}
    assert {key: rows[2][key] for key in wanted} == wanted
    assert (rows[1]["status"], rows[3]["units_received"], rows[3]["errors_open"]) == ("released", 0, 0)


def test_the_status_has_all_parts(desk):
    told = desk.status(ROUND)
    assert told["round"]["status"] == "draft"
    assert told["coverage"]["units_received"] == 3
    assert {row["code"]: row["open"] for row in told["findings"] if row["severity"] == "error"} == {
        "sex_sum": 1,
        "parent_quarantined": 1,
    }
    assert len(told["standing"]) == 2
    assert not told["can_sign_off"]
    with pytest.raises(UnknownRoundError):
        desk.status(9)


def test_areas_come_with_what_is_missing_in_them(desk):
    areas = desk.areas(ROUND)
    assert areas.crs.to_epsg() == 4326
    assert areas.geometry.is_valid.all()
    assert list(areas["pcode"]) == ["MN110701", "MN110702", "MN110703", "MN110704"]
    assert areas["units_received"].tolist() == [2, 0, 1, 0]
    assert areas["errors_open"].tolist() == [0, 2, 0, 0]
    assert set(areas["parent"]) == {"MN1107"}
    assert desk.areas(ROUND).geometry.equals(areas.geometry)


def test_progress_is_a_row_a_day(desk):
    frame = desk.progress(ROUND)
    assert list(frame.columns) == ["day", "returns", "units", "cumulative_units", "expected_units"]
    assert frame["cumulative_units"].iloc[-1] == 3


def test_findings_have_their_place_and_can_be_filtered(desk):
    frame, total = desk.findings(ROUND, severity="error")
    assert list(frame.columns) == COLUMNS
    assert (total, frame["code"].tolist()) == (2, ["parent_quarantined", "sex_sum"])
    assert set(frame["pcode"]) == {"MN11070201"}
    assert set(frame["khoroo_mn"]) == {"2-р хороо"}
    assert set(frame["district_en"]) == {"Bayangol"}
    assert set(frame["instance_id"]) == {"uuid-MN11070201"}
    assert desk.findings(ROUND, severity="error", pcode="MN110701")[1] == 0
    assert desk.findings(ROUND, code="gps_conflict")[0]["pcode"].tolist() == ["MN11070301"]
    everything, count = desk.findings(ROUND, state=None)
    assert len(everything) == count > 2


def test_mongolian_findings_name_columns_by_their_meaning(desk):
    [row] = desk.findings(ROUND, code="sex_sum")[0].to_dict("records")
    [kind] = [one for one in desk.status(ROUND)["findings"] if one["code"] == "sex_sum"]
    for told in (row["message_mn"], kind["example_mn"]):
        assert "Бодитоор амьдарч буй хүний тоо эсвэл хүйсээр ангилсан тоог засна уу" in told
        assert row["field"] not in told
    assert (row["field"], row["field"] in row["message_en"]) == ("actual_persons", True)
    wrong = Edit("1:baseline:2", "actual_persons", "7", "8", "seen", "A. Analyst")
    [finding] = desk.edit([wrong])["findings"]
    assert finding["message_mn"].startswith("Бодитоор амьдарч буй хүний тоо: одоогийн утга '7' биш,")


def test_findings_come_in_pages_that_overlap_nowhere(desk):
    whole, total = desk.findings(ROUND)
    pages = [desk.findings(ROUND, offset=offset, limit=2) for offset in range(0, total, 2)]
    assert {count for _, count in pages} == {total}
    assert [one for page, _ in pages for one in page["finding_id"]] == whole["finding_id"].tolist()


def test_waive_and_take_back(desk):
    [one] = ids(desk, "sex_sum")
    assert desk.waive(ROUND, [one], **BY) == 1
    waived, total = desk.findings(ROUND, state="waived")
    assert (total, waived["waived_reason"].tolist(), waived["waived_who"].tolist()) == (1, [BY["reason"]], [BY["who"]])
    assert desk.take_back(ROUND, [one], who="B") == 1
    assert desk.findings(ROUND, state="waived")[1] == 0


def test_a_round_goes_to_sign_off_and_back(desk):
    assert desk.close(ROUND, to="cleaning", who="A") == {"number": ROUND, "status": "cleaning"}
    with pytest.raises(OpenErrorsError) as refused:
        desk.close(ROUND, to="signed_off", who="A")
    desk.waive(ROUND, [finding["finding_id"] for finding in refused.value.findings], **BY)
    assert desk.status(ROUND)["can_sign_off"]
    assert desk.close(ROUND, to="signed_off", who="A")["status"] == "signed_off"
    assert desk.reopen(ROUND, who="B", reason="r")["status"] == "cleaning"
    with pytest.raises(WrongUseError, match="not to 'released'"):
        desk.close(ROUND, to="released", who="A")


def test_a_rejected_return_is_counted_no_more_and_an_accepted_one_again(desk):
    assert desk.status(ROUND)["coverage"]["units_received"] == 3
    record = "1:baseline:2"
    assert not desk.reject([record], **BY)["refused"]
    told = desk.status(ROUND)["coverage"]
    assert told["units_received"] == 2
    assert "MN11070101" in {row["unit"] for row in told["missing"]}
    assert not desk.accept([record], **BY)["refused"]
    assert desk.status(ROUND)["coverage"]["units_received"] == 3
    assert desk.accept([record], **BY)["edits"] == 0


def test_a_name_that_is_no_record_is_refused(desk):
    for wrong in ("nonsense", "99:baseline:2"):
        with pytest.raises(WrongUseError):
            desk.accept([wrong], **BY)


def test_a_corrected_value_clears_the_errors(desk):
    edit = Edit("1:baseline:4", "female_persons", "25", "22", BY["reason"], BY["who"])
    report = desk.edit([edit])
    assert (report["refused"], report["edits"]) == (False, 1)
    assert desk.status(ROUND)["standing"] == []
    assert desk.status(ROUND)["coverage"]["units_received"] == 4


def test_an_uploaded_file_is_imported_like_any_other(desk, tmp_path):
    content = write_csv(tmp_path / "late.csv", [baseline_row("MN11070401")]).read_bytes()
    [file] = desk.upload("C:\\folder\\late.csv", content, number=ROUND)["files"]
    assert (file["file_name"], file["rows_read"], file["accepted"]) == ("late.csv", 1, 1)
    assert desk.status(ROUND)["coverage"]["units_received"] == 4
    again = desk.upload("late.csv", content, number=ROUND)["files"][0]
    assert (again["accepted"], again["duplicate"]) == (0, 1)


@pytest.mark.parametrize("name", ["", "..", "folder/..", "a\0b.csv"])
def test_an_upload_needs_the_name_of_a_file(desk, name):
    with pytest.raises(WrongUseError, match="not the name of a file"):
        desk.upload(name, b"x", number=ROUND)


def test_an_unreadable_upload_changes_nothing(desk):
    before = desk.rounds()
    with pytest.raises(EnumerationsError):
        desk.upload("x.csv", b"\x00\x01\x02", number=ROUND)
    assert desk.rounds() == before


def test_the_cleaning_sheet_has_a_row_for_the_value_to_correct(desk, tmp_path):
    path = tmp_path / "sheet.xlsx"
    path.write_bytes(desk.template(ROUND, language="mn"))
    cells = pd.concat(pd.read_excel(path, sheet_name=None, header=None, dtype=str, engine="openpyxl").values())
    assert (cells == "1:baseline:4").any(axis=None)
    with pytest.raises(UnknownRoundError):
        desk.template(9, language="mn")


def test_the_feedback_page_is_a_document_without_remarks(desk):
    page = desk.feedback(ROUND, "MN110702", language="en")
    assert page.startswith("<!DOCTYPE html>")
    assert REMARK not in page


def test_the_warehouse_is_free_between_calls_and_busy_is_told(desk):
    desk.rounds()
    code = (
        "import sys, pathlib; from dtm.workspace import open_workspace; from dtm.warehouse import open_warehouse\n"
        "held = open_warehouse(open_workspace(pathlib.Path(sys.argv[1]))); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(desk.workspace.path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout.readline().strip() == "held"
        with pytest.raises(WarehouseBusyError, match="another process"):
            desk.rounds()
        other.communicate("")
    assert desk.rounds()


def test_threads_wait_for_each_other(desk):
    found = []

    def ask():
        found.append(desk.findings(ROUND)[1])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    open_warehouse(desk.workspace, spatial=False).close()

from __future__ import annotations

import re

import openpyxl
import pytest

from dtm.errors import UnknownAreaSetError, WrongUseError
from dtm.forms import build, form_areas, template
from dtm.imports import import_returns
from tests.dtm.imports_support import KHOROOS, baseline_row, make_warehouse, move_row, write_csv

HEADER_ROW = 3


@pytest.fixture
def shared(tmp_path):
    return make_warehouse(tmp_path / "w")


def test_forms_offer_the_country_and_the_khoroos_with_their_khesegs(shared):
    areas = form_areas(shared[0], "khoroos")
    by_level = {level: [area for area in areas if area.level == level] for level in (1, 2, 3, 4)}
    assert [len(by_level[level]) for level in (1, 2, 3, 4)] == [22, 339, 4, 8]
    assert [area.pcode for area in by_level[3]] == list(KHOROOS)
    assert (by_level[3][0].name_mn, by_level[3][0].parent) == ("1-р хороо", "MN1107")
    assert (by_level[4][0].pcode, by_level[4][0].name_en, by_level[4][0].parent) == (
        "MN11070101",
        "Kheseg 1",
        "MN110701",
    )
    names = {area.pcode: area.name_mn for area in areas}
    assert (names["MN1119"], names["MN22"]) == ("Сүхбаатар дүүрэг", "Сүхбаатар")


def test_without_a_set_of_khesegs_the_forms_ask_for_none(tmp_path):
    connection, _ = make_warehouse(tmp_path / "w", with_khesegs=False)
    build(connection, area_set="khoroos", out=tmp_path / "f", forms=["event-report"])
    assert "<kheseg" not in (tmp_path / "f" / "event-report.xml").read_text(encoding="utf-8")


def test_forms_are_refused_in_a_sentence(shared, tmp_path):
    connection, _ = shared
    with pytest.raises(UnknownAreaSetError, match="No area set is named 'nowhere'"):
        form_areas(connection, "nowhere")
    with pytest.raises(WrongUseError, match="'khesegs' holds areas of level 4"):
        form_areas(connection, "khesegs")
    with pytest.raises(WrongUseError, match=r"No form is named 'census'\. Known: kheseg-baseline"):
        build(connection, area_set="khoroos", out=tmp_path, forms=["census"])
    (tmp_path / "file").write_text("")
    with pytest.raises(WrongUseError, match="Name a folder"):
        build(connection, area_set="khoroos", out=tmp_path / "file", forms=["event-report"])
    with pytest.raises(WrongUseError, match=r"name that ends in \.xlsx"):
        template(connection, form="kheseg-baseline", out=tmp_path / "t.csv")
    with pytest.raises(WrongUseError, match="'Баянгол 1' can't begin a number"):
        template(connection, form="kheseg-baseline", out=tmp_path / "t.xlsx", office="Баянгол 1")


def test_two_templates_never_number_their_returns_alike(shared, tmp_path):
    offices = {template(shared[0], form="kheseg-baseline", out=tmp_path / f"{n}.xlsx") for n in range(5)}
    assert len(offices) == 5
    assert all(re.fullmatch("[0-9A-F]{6}", office) for office in offices)


def fill(path, records):
    book = openpyxl.load_workbook(path)
    for name, rows in records.items():
        sheet = book[name]
        names = [cell.value for cell in sheet[HEADER_ROW]]
        for number, record in enumerate(rows, HEADER_ROW + 1):
            for column, value in record.items():
                sheet.cell(number, names.index(column) + 1, value)
    book.save(path)


def stored(connection):
    tables = {
        "submission": "instance_id, round_number, received_at, enumerator, declared_pcode, located_pcode, located_by",
        "stock": "* EXCLUDE (submission_id)",
        "movement": "* EXCLUDE (submission_id, import_id, sheet, row_number)",
        "finding": "code, severity, field",
    }
    return {
        name: connection.execute(f"SELECT {columns} FROM {name} ORDER BY ALL").fetchall()
        for name, columns in tables.items()
    }


def test_a_filled_in_template_is_imported_like_the_same_returns_as_csv(tmp_path):
    unit = {"district": "Баянгол дүүрэг", "khoroo": "1", "kheseg": "1"}
    row = {
        **{key: value for key, value in baseline_row().items() if key != "unit"},
        **unit,
        "instance_id": "BGD-R2-001",
    }
    move = {**move_row("origin"), "instance_id": "BGD-R2-001", "origin": "Өвөрхангай аймаг"}
    labels = {"number_source": "Тооллого", "reason": "Ажил эрхлэх", "registered": "Тийм", "intended_duration": "Байнга"}

    connection, workspace = make_warehouse(tmp_path / "book")
    path = tmp_path / "returns.xlsx"
    template(connection, form="kheseg-baseline", out=path, area_set="khoroos", office="BGD-R2")
    told = [{key: labels.get(key, value) for key, value in one.items()} for one in (row, move)]
    fill(path, {"baseline": told[:1], "arrivals": told[1:]})
    report = import_returns(connection, workspace, [path])
    assert [(file.accepted, file.findings) for file in report.files] == [(2, {})]

    other, elsewhere = make_warehouse(tmp_path / "csv")
    import_returns(
        other,
        elsewhere,
        [write_csv(tmp_path / "baseline.csv", [row]), write_csv(tmp_path / "arrivals.csv", [move])],
    )
    assert stored(connection) == stored(other)
    assert stored(connection)["movement"]

from __future__ import annotations

import csv
import zipfile
from datetime import datetime

import openpyxl
import pytest

from dtm.engine import connect
from enumerations.codelists import choices_of
from enumerations.columns import FORMS
from enumerations.errors import UnknownFormError
from enumerations.forms import template_forms, write_template
from enumerations.returns import stage_returns
from tests.enumerations.forms_support import AREAS, checked
from tests.enumerations.test_forms_checks import SOUND

HEADER_ROW = 3
NUMBERS = {"integer": int, "number": float}


def fill(path, records: dict[str, list[dict[str, str]]]) -> None:
    """Type records into a template: labels for codes, numbers and days as Excel has them."""
    book = openpyxl.load_workbook(path)
    for name, rows in records.items():
        sheet = book[name]
        names = [cell.value for cell in sheet[HEADER_ROW]]
        table = next(table for tables in FORMS.values() for table in tables if table.name == name)
        for number, record in enumerate(rows, HEADER_ROW + 1):
            for column, value in record.items():
                if value:
                    typed = as_typed(table.by_name[column], value)
                    sheet.cell(number, names.index(column) + 1, typed)
    book.save(path)


def as_typed(column, value: str):
    if column.kind in {"code", "yesno", "codes"}:
        labels = {choice.code: choice.label_mn for choice in choices_of(column.codelist or "yesno")}
        return "; ".join(labels[code] for code in value.split())
    if column.kind in NUMBERS:
        return NUMBERS[column.kind](value)
    if column.kind in {"date", "timestamp"}:
        return datetime.fromisoformat(value)
    return value


def canonical(connection, staged) -> list[tuple]:
    """Return the typed rows of a staged table; the codes of the checks must be none."""
    assert checked(connection, staged) == set()
    names = [name for name in staged.header.table.column_names if name != "unit"]
    return connection.execute(f"SELECT {', '.join(names)} FROM checked ORDER BY record").fetchall()


@pytest.mark.parametrize("form", template_forms())
def test_a_filled_in_template_reads_like_the_same_returns_as_csv(tmp_path, form):
    path = tmp_path / "returns.xlsx"
    write_template(form, AREAS, path, office="BGD")
    records = {table.name: [SOUND[table.name]] for table in FORMS[form]}
    fill(path, records)
    connection = connect(spatial=False)
    staged = {table.header.table.name: table for table in stage_returns(connection, path, "book")}
    assert set(staged) == set(records)
    for name, (record,) in records.items():
        assert [finding.code for finding in staged[name].findings] == []
        with (tmp_path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([list(record), list(record.values())])
        (as_csv,) = stage_returns(connection, tmp_path / f"{name}.csv", "csv", form=form)
        assert as_csv.header.table.name == name
        assert canonical(connection, staged[name]) == canonical(connection, as_csv)


def test_an_untouched_template_holds_no_records(tmp_path):
    path = tmp_path / "empty.xlsx"
    write_template("kheseg-baseline", AREAS, path, office="BGD")
    connection = connect(spatial=False)
    for staged in stage_returns(connection, path, "book"):
        assert connection.execute(f"SELECT count(*) FROM {staged.relation}").fetchone() == (0,)


def test_drop_downs_offer_the_lists_and_the_areas(tmp_path):
    path = tmp_path / "t.xlsx"
    write_template("kheseg-baseline", AREAS, path, office="BGD-R3")
    book = openpyxl.load_workbook(path)
    sheet = book["baseline"]
    names = [cell.value for cell in sheet[HEADER_ROW]]

    def offered(column: str) -> list[str]:
        letter = openpyxl.utils.get_column_letter(names.index(column) + 1)
        rules = [one for one in sheet.data_validations.dataValidation if str(one.sqref).startswith(f"{letter}4:")]
        (place,) = [one.formula1 for one in rules if one.type == "list"]
        return [row[0].value for row in book["_lists"][place.split("!")[1].replace("$", "")]]

    assert offered("district") == ["Баянгол дүүрэг"]
    assert offered("khoroo") == ["1", "2"]
    assert offered("water_source") == [choice.label_mn for choice in choices_of("water_source")]
    assert offered("instance_id")[:2] == ["BGD-R3-001", "BGD-R3-002"]
    assert book.sheetnames[0] == "_help"
    assert "BGD-R3-001" in " ".join(str(cell.value) for cell in book["_help"]["B"])


def test_a_template_without_areas_is_typed_by_hand(tmp_path):
    write_template("event-report", [], tmp_path / "t.xlsx", office="A")
    assert "_areas" not in openpyxl.load_workbook(tmp_path / "t.xlsx").sheetnames


def test_no_cell_of_a_template_is_a_formula(tmp_path):
    strange = [*AREAS, type(AREAS[0])("MN1113", 2, "MN11", "=1+1", '=HYPERLINK("x")')]
    write_template("kheseg-baseline", strange, tmp_path / "t.xlsx", office="A")
    with zipfile.ZipFile(tmp_path / "t.xlsx") as book:
        sheets = [book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    assert sheets
    assert not any(b"<f>" in sheet for sheet in sheets)


def test_equal_templates_are_equal_bytes(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_template("household-survey", AREAS, tmp_path / name, office="A")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_an_unknown_form_has_no_template(tmp_path):
    with pytest.raises(UnknownFormError, match="No form is named 'census'"):
        write_template("census", AREAS, tmp_path / "t.xlsx", office="A")

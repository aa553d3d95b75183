from __future__ import annotations

import csv

import pytest

from dtm.engine import connect
from enumerations._rules import form_rules_of, rules_of
from enumerations.checks import NARROW_BITS, RULES_MAXIMUM, CheckPlan, check_staged, findings_sql
from enumerations.columns import BASELINE, FORMS, HOUSEHOLDS, PASSAGES
from enumerations.findings import CATALOGUE, ERROR, make_finding, message_sql
from enumerations.lookups import Resolved, build_lookup, column_lookup, is_mixed, resolve_several
from enumerations.returns import stage_returns
from tests.enumerations.test_forms_checks import SOUND


@pytest.fixture(scope="module")
def connection():
    return connect(spatial=False)


def check(connection, folder, records, *, table=BASELINE):
    """Check records as CSV; return the errors' bits, the found rows and the staged table."""
    path = folder / "records.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(records[0])
        writer.writerows(record.values() for record in records)
    (staged,) = stage_returns(connection, path, "staged", form=table.form)
    assert staged.header.table.name == table.name
    lookups = {}
    for column in staged.header.table.columns:
        lookup = column_lookup(connection, staged, column)
        source = staged.source(column.name)
        if column.kind == "place" and source:
            lookup = build_lookup(connection, staged, column.name, source, lambda raws: [Resolved(raw) for raw in raws])
        if lookup:
            lookups[column.name] = lookup
    errors = check_staged(connection, staged, CheckPlan(lookups), into="checked")
    found = connection.execute("SELECT record, code, field, value, hint FROM checked_found ORDER BY ALL").fetchall()
    return errors, found


def test_a_whole_baseline_return_needs_more_bits_than_fit_one_machine_word(connection, tmp_path):
    bad = SOUND["baseline"] | {"out_of_kindergarten_persons": "9", "water_source": "sea", "accuracy_m": "300"}
    errors, found = check(connection, tmp_path, [SOUND["baseline"], bad])
    assert [row[:3] for row in found] == [
        (3, "gps_inaccurate", "accuracy_m"),
        (3, "out_of_school_over_children", "out_of_kindergarten_persons"),
        (3, "unknown_code", "water_source"),
    ]
    assert connection.execute("SELECT DISTINCT typeof(mask) FROM checked").fetchall() == [("UHUGEINT",)]
    assert connection.execute("SELECT max(mask) FROM checked").fetchone()[0] >= 1 << NARROW_BITS
    assert connection.execute(
        f"SELECT record FROM checked WHERE mask & {errors}::UHUGEINT <> 0 ORDER BY record"
    ).fetchall() == [(3,)]


def test_a_passage_fits_one_machine_word(connection, tmp_path):
    check(connection, tmp_path, [SOUND["passages"]], table=PASSAGES)
    assert connection.execute("SELECT DISTINCT typeof(mask) FROM checked").fetchall() == [("UBIGINT",)]


def test_every_table_has_room_for_all_its_checks():
    for tables in FORMS.values():
        for table in tables:
            places = sum(column.kind == "place" for column in table.columns)
            assert 1 + len(table.columns) + places + len(rules_of(table)) <= RULES_MAXIMUM


def test_every_rule_is_in_the_catalogue_and_names_columns_of_its_table():
    for tables in FORMS.values():
        for table in tables:
            for rule in form_rules_of(table):
                assert rule.code in CATALOGUE
                assert set(rule.columns()) <= set(table.by_name) | {"lon", "lat"}
                assert set(rule.sql(table).field.split(", ")) <= set(table.by_name)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("air_pollution roads", "air_pollution roads"),
        ("  roads   air_pollution ", "roads air_pollution"),
        ("roads;crime", "roads crime"),
        ("Авто зам, Гэмт хэрэг", "roads crime"),
        ("Авто зам; crime; Roads", "roads crime"),
        ("Авто зам", "roads"),
        ("roads crime; Усан хангамж", "roads crime water_supply"),
        (" ", None),
        ("; ;", None),
    ],
)
def test_several_choices_in_one_cell(cell, code):
    assert resolve_several("problem")([cell]) == [Resolved(code)]


def test_a_label_with_a_comma_is_one_choice():
    (resolved,) = resolve_several("service")(["Цэцэрлэгт хүрээлэн, ногоон байгууламж; Зам"])
    assert resolved.code == "green_area road"


def test_every_unknown_choice_is_named():
    (resolved,) = resolve_several("problem")(["roads rods; цас"])
    assert resolved.code is None
    assert resolved.hint is not None
    assert "'rods' (roads?)" in resolved.hint
    assert "'цас'" in resolved.hint
    assert "'roads'" not in resolved.hint


def test_several_choices_are_stored_in_one_way(connection, tmp_path):
    record = SOUND["baseline"] | {"problems": "Авто зам; Гэмт хэрэг", "services_lacking": "ус,зам"}
    assert check(connection, tmp_path, [record])[1] == []
    assert connection.execute("SELECT problems, services_lacking FROM checked").fetchall() == [
        ("roads crime", "water road")
    ]


@pytest.mark.parametrize(
    ("text", "mixed"),
    [
        ("Архангай", False), ("Arkhangai", False), ("Aрхангай", True), ("Архaнгай аймаг", True),
        ("Баян-Өлгий aimag", False), ("MN11 Баянгол", False), ("Сүхбaатар дүүрэг", True), ("", False),
    ],
)  # fmt: skip
def test_latin_letters_inside_cyrillic_words(text, mixed):
    assert is_mixed(text) is mixed


def test_a_place_of_two_alphabets_is_a_warning(connection, tmp_path):
    record = SOUND["passages"]
    rows = [record, record | {"instance_id": "p-2", "origin": "Өвөрхaнгай аймаг"}]
    _, found = check(connection, tmp_path, rows, table=PASSAGES)
    assert found == [(3, "latin_in_cyrillic", "origin", "Өвөрхaнгай аймаг", None)]
    assert CATALOGUE["latin_in_cyrillic"].severity != ERROR


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        ("-1", "negative", "below zero"),
        ("99999999999999", "out_of_range", "(<= 1000000000000)"),
        ("1e400", "not_a_number", "is not a number"),
    ],
)
def test_a_count_is_told_which_limit_it_broke(connection, tmp_path, value, code, words):
    _, found = check(connection, tmp_path, [SOUND["baseline"] | {"births_persons": value}])
    assert [row[1] for row in found] == [code]
    ((message,),) = connection.execute(f"SELECT message_en FROM ({findings_sql('checked_found', [code])})").fetchall()
    assert words in message


@pytest.mark.parametrize("hint", ["(MN110702?)", None])
def test_a_message_without_a_hint_has_no_gap(connection, hint):
    finding = make_finding("unknown_area", subject="s", file_name="f", field="unit", value="MN119999", hint=hint)
    for language, message in (("en", finding.message_en), ("mn", finding.message_mn)):
        assert "  " not in message
        assert (hint or "") in message
        sql = message_sql("unknown_area", language, field="'unit'", value="'MN119999'", hint="$1")
        assert connection.execute(f"SELECT {sql}", [hint]).fetchone() == (message,)


def test_a_value_that_breaks_its_column_breaks_no_rule_besides(connection, tmp_path):
    record = SOUND["households"] | {"household_persons": "many"}
    _, found = check(connection, tmp_path, [record], table=HOUSEHOLDS)
    assert [row[1:3] for row in found] == [("not_a_number", "household_persons")]

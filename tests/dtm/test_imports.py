from __future__ import annotations

import json
from contextlib import contextmanager

import pytest

from dtm.engine import transaction
from dtm.errors import DiskFullError, UnknownRoundError, WrongUseError
from dtm.imports import import_returns
from enumerations.errors import MissingColumnsError
from tests.dtm.imports_support import (
    baseline_row,
    make_warehouse,
    middle,
    move_row,
    passage_row,
    write_csv,
)

TABLES = ("import", "submission", "stock", "movement", "vital", "passage", "watch", "quarantine", "finding")


@pytest.fixture
def warehouse(tmp_path):
    return make_warehouse(tmp_path / "w")


@pytest.fixture
def load(warehouse, tmp_path):
    def run(*tables, names=("a.csv", "b.csv", "c.csv"), **options):
        paths = [write_csv(tmp_path / name, rows) for name, rows in zip(names, tables, strict=False)]
        return import_returns(*warehouse, paths, **options)

    return run


def counts(connection):
    return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}


def found(connection):
    return sorted(connection.execute("SELECT code, row_number, field FROM finding").fetchall())


def one_finding(warehouse, load, row, *, code, field, quarantined=True):
    report = load([row])
    connection = warehouse[0]
    codes = {(found_code, found_field) for found_code, _, found_field in found(connection)}
    assert (code, field) in codes, codes
    assert report.files[0].quarantined == int(quarantined)
    assert counts(connection)["quarantine"] == int(quarantined)
    assert counts(connection)["submission"] == 1 - int(quarantined)


def test_a_sound_return_becomes_its_canonical_rows(warehouse, load):
    report = load([baseline_row()], [move_row("origin")], [move_row("destination", destination="abroad", reason=None)])
    connection, workspace = warehouse
    assert [file.to_dict()["findings"] for file in report.files] == [{}, {}, {}]
    assert connection.execute(
        "SELECT pcode, level, category, dwelling, households, persons, male_persons, age_60_plus_persons FROM stock "
        "ORDER BY category, dwelling NULLS FIRST"
    ).fetchall() == [
        ("MN11070101", 4, "actual", None, 11, 42, 20, 4),
        ("MN11070101", 4, "actual", "apartment", 2, None, None, None),
        ("MN11070101", 4, "actual", "ger", 6, None, None, None),
        ("MN11070101", 4, "actual", "house", 3, None, None, None),
        ("MN11070101", 4, "actual", "other", 0, None, None, None),
        ("MN11070101", 4, "registered", None, 10, 40, None, None),
        ("MN11070101", 4, "registered_absent", None, None, 3, None, None),
        ("MN11070101", 4, "unregistered", None, None, 5, None, None),
    ]
    assert connection.execute(
        "SELECT pcode, round_number, direction, counterpart_pcode, persons, reason, registered, window_from::VARCHAR "
        "FROM movement ORDER BY direction"
    ).fetchall() == [
        ("MN11070101", 2, "arrival", "MN62", 4, "work", True, "2023-08-01"),
        ("MN11070101", 2, "departure", "abroad", 4, None, True, "2023-08-01"),
    ]
    assert connection.execute("SELECT births_persons, deaths_persons FROM vital").fetchone() == (1, 0)
    assert connection.execute(
        "SELECT instance_id, row_number, declared_pcode, gps_pcode, located_pcode, located_by, received_at::VARCHAR "
        "FROM submission"
    ).fetchone() == ("uuid-MN11070101", 2, "MN11070101", "MN110701", "MN110701", "gps", "2024-02-10 02:00:00")
    kept = sorted(path.name[65:] for path in workspace.inbox_path.iterdir())
    assert kept == ["a.csv", "b.csv", "c.csv"]


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"registered_persons": ""}, "missing_value", "registered_persons"),
        ({"instance_id": " "}, "missing_value", "instance_id"),
        ({"registered_persons": "forty"}, "not_a_number", "registered_persons"),
        ({"registered_persons": "nan"}, "not_a_number", "registered_persons"),
        ({"deaths_persons": -1}, "negative", "deaths_persons"),
        ({"deaths_persons": 1.5}, "fraction", "deaths_persons"),
        ({"confidence": 4}, "out_of_range", "confidence"),
        ({"deaths_persons": "1e15"}, "out_of_range", "deaths_persons"),
        ({"number_source": "guess"}, "unknown_code", "number_source"),
        ({"unit": "MN11070109"}, "unknown_area", "unit"),
        ({"unit": "somewhere"}, "unknown_area", "unit"),
        ({"unit": "MN620101"}, "unknown_area", "unit"),
        ({"unit": "", "lon": "", "lat": ""}, "no_area", "unit"),
        ({"unit": "", "lon": 100.0}, "no_area", "unit"),
        ({"collected_at": "10.02.2024x"}, "not_a_date", "collected_at"),
        ({"window_to": "never"}, "not_a_date", "window_to"),
        ({"collected_at": "2024-03-01T00:00:00"}, "date_outside_round", "collected_at"),
        ({"collected_at": "2024-01-31T23:59:59"}, "date_outside_round", "collected_at"),
        ({"male_persons": 21}, "sex_sum", "actual_persons"),
        ({"age_0_4_persons": 5}, "age_sum", "actual_persons"),
        ({"registered_households": 41}, "households_over_persons", "registered_households"),
        ({"actual_households": 43}, "households_over_persons", "actual_households"),
        ({"registered_absent_persons": 41}, "absent_over_registered", "registered_absent_persons"),
    ],
)
def test_errors_set_the_return_aside(warehouse, load, changes, code, field):
    one_finding(warehouse, load, baseline_row(**changes), code=code, field=field)


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"unregistered_persons": 6}, "register_balance", "actual_persons"),
        ({"ger_households": 7}, "dwelling_sum", "actual_households"),
        ({"lon": "", "lat": ""}, "gps_missing", "lon, lat"),
        ({"lon": 0, "lat": 0}, "gps_zero", "lon, lat"),
        ({"lon": 47.905, "lat": 106.905}, "gps_swapped", "lon, lat"),
        ({"lon": 640000, "lat": 5300000}, "gps_outside_world", "lon, lat"),
        ({"accuracy_m": 101}, "gps_inaccurate", "accuracy_m"),
        ({"lon": 106.915}, "gps_conflict", "lon, lat"),
        ({"lon": 100.0}, "gps_outside", "lon, lat"),
    ],
)
def test_warnings_let_the_return_pass(warehouse, load, changes, code, field):
    one_finding(warehouse, load, baseline_row(**changes), code=code, field=field, quarantined=False)


def test_accuracy_of_100_m_is_good_enough(warehouse, load):
    assert load([baseline_row(accuracy_m=100)]).files[0].findings == {}


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"persons": 0}, "out_of_range", "persons"),
        ({"checkpoint": "emelt"}, "unknown_code", "checkpoint"),
        ({"direction": "up"}, "unknown_code", "direction"),
        ({"persons": 4}, "group_sum", "persons"),
        ({"passed_at": "noon"}, "not_a_date", "passed_at"),
        ({"origin": "Mars"}, "unknown_place", "origin"),
        ({"origin": "MN99"}, "unknown_place", "origin"),
        ({"destination": ""}, "missing_value", "destination"),
    ],
)
def test_errors_set_the_passage_aside(warehouse, load, changes, code, field):
    one_finding(warehouse, load, passage_row(**changes), code=code, field=field)


def test_a_journey_to_where_it_began_is_doubtful(warehouse, load):
    one_finding(
        warehouse, load, passage_row(origin="MN1107"), code="same_place", field="destination", quarantined=False
    )


def test_the_nearest_code_is_suggested(warehouse, load):
    load([passage_row(checkpoint="emelt")])
    message = warehouse[0].execute("SELECT message_en FROM finding").fetchone()[0]
    assert message == (
        "checkpoint: 'emelt' is not in the code list. "
        "Use a code of the list: emeelt? (emeelt, baruunturuun, gunt, ulziit, morin, nalaikh)."
    )


def test_quarantine_keeps_the_record_as_sent(warehouse, load):
    load([baseline_row(), baseline_row("MN11070102", registered_persons=" x ", remarks='Ө, "ү"')])
    row_number, raw = warehouse[0].execute("SELECT row_number, raw FROM quarantine").fetchone()
    assert row_number == 3
    sent = json.loads(raw)
    assert sent["registered_persons"].strip() == "x"
    assert sent["unit"] == "MN11070102"


def test_places_by_name_and_finest_level(warehouse, load):
    told = {
        "Архангай аймаг": "MN65", "MN110702": "MN110702", "MN11070203": "MN110702", "MN110799": "MN1107",
        "abroad": "abroad", "Гадаад": "abroad", "тодорхойгүй": "unknown", "mn62": "MN62",
        "Сүхбаатар дүүрэг": "MN1119",
    }  # fmt: skip
    load([baseline_row()], [move_row("origin", origin=name) for name in told])
    stored = [row[0] for row in warehouse[0].execute("SELECT counterpart_pcode FROM movement").fetchall()]
    assert sorted(stored) == sorted(told.values())


def test_unit_by_district_khoroo_and_kheseg(warehouse, load):
    named = {"unit": "", "district": "Баянгол", "khoroo": "1-р хороо", "kheseg": "2"}
    load([baseline_row(**named)])
    assert warehouse[0].execute("SELECT declared_pcode, located_pcode FROM submission").fetchall() == [
        ("MN11070102", "MN110701")
    ]


def test_gps_alone_places_a_return(warehouse, load):
    lon, lat = middle(3)
    load([baseline_row(unit="", lon=lon, lat=lat)])
    row = warehouse[0].execute("SELECT declared_pcode, located_pcode, located_by FROM submission").fetchone()
    assert row == (None, "MN110703", "gps")
    assert warehouse[0].execute("SELECT DISTINCT pcode, level FROM stock").fetchall() == [("MN110703", 3)]


def test_without_khesegs_any_kheseg_of_a_khoroo_is_known(tmp_path):
    connection, workspace = make_warehouse(tmp_path / "w", with_khesegs=False)
    path = write_csv(tmp_path / "a.csv", [baseline_row("MN11070109"), baseline_row("MN11070901", lon="", lat="")])
    report = import_returns(connection, workspace, [path])
    assert (report.files[0].accepted, report.files[0].findings["unknown_area"]) == (1, 1)


def test_a_unit_reports_once_a_round(warehouse, load):
    later = baseline_row(instance_id="later", collected_at="2024-02-20")
    other_round = baseline_row(instance_id="march", collected_at="2024-03-02", round=3)
    report = load([later, baseline_row(), other_round])
    assert report.files[0].findings == {"unit_twice": 1}
    kept = warehouse[0].execute("SELECT instance_id FROM submission ORDER BY 1").fetchall()
    assert kept == [("march",), ("uuid-MN11070101",)]
    again = load([baseline_row(instance_id="third")], names=("again.csv",))
    assert again.files[0].findings == {"unit_twice": 1}


def test_moves_follow_their_return(warehouse, load):
    report = load(
        [move_row("origin"), move_row("origin", "MN11070201"), move_row("origin", "MN11070301")],
        [baseline_row(), baseline_row("MN11070201", deaths_persons="x")],
    )
    assert report.files[0].findings == {"parent_missing": 1, "parent_quarantined": 1}
    assert (report.files[0].accepted, report.files[0].quarantined) == (1, 2)


def test_moves_may_come_later_but_only_once(warehouse, load):
    load([baseline_row()])
    moves = [move_row("origin"), move_row("origin"), move_row("origin", persons=5, male_persons=3)]
    first = load(moves, names=("m1.csv",)).files[0]
    assert (first.accepted, first.duplicate) == (3, 0)
    again = load([*moves, move_row("origin", origin="MN41")], names=("m2.csv",)).files[0]
    assert (again.accepted, again.duplicate) == (1, 3)
    changed = load([move_row("origin", reason="study")], names=("m3.csv",)).files[0]
    assert (changed.quarantined, changed.findings) == (1, {"content_changed": 1})
    assert warehouse[0].execute("SELECT count(*), sum(persons) FROM movement").fetchone() == (4, 17)


def test_the_same_return_again_is_a_duplicate_and_a_changed_one_is_set_aside(warehouse, load):
    rows = [baseline_row(), baseline_row("MN11070102"), passage_row()]
    load(rows[:2], [rows[2], passage_row(2)])
    before = counts(warehouse[0])
    report = load(
        [*rows[:1], baseline_row("MN11070102", deaths_persons=1), baseline_row("MN11070201")],
        [passage_row(), passage_row(2, purpose="study"), passage_row(3), passage_row(3), passage_row(3, stay="4_7d")],
        names=("d.csv", "e.csv"),
    )
    assert [(one.accepted, one.quarantined, one.duplicate) for one in report.files] == [(1, 1, 1), (1, 2, 2)]
    assert report.files[0].findings == {"content_changed": 1}
    assert report.files[1].findings == {"content_changed": 1, "duplicate_instance": 1}
    assert counts(warehouse[0])["submission"] == before["submission"] + 2


def test_the_same_file_again_changes_nothing(warehouse, load, tmp_path):
    load([baseline_row(), baseline_row("MN11070102", deaths_persons="x")])
    before = counts(warehouse[0])
    twin = tmp_path / "renamed.csv"
    twin.write_bytes((tmp_path / "a.csv").read_bytes())
    report = import_returns(*warehouse, [twin])
    assert counts(warehouse[0]) == before
    assert report.files[0].is_known_file
    assert (report.files[0].rows_read, report.files[0].duplicate) == (2, 2)


def test_twins_in_one_call_count_once(warehouse, load):
    report = load([baseline_row()], [baseline_row()])
    assert [(one.rows_read, one.accepted, one.duplicate) for one in report.files] == [(1, 1, 0), (1, 0, 1)]


def test_strict_stores_nothing_when_anything_is_found(warehouse, load):
    connection, workspace = warehouse
    report = load([baseline_row(accuracy_m=500)], strict=True)
    assert report.refused
    assert report.to_dict()["files"][0]["findings"] == {"gps_inaccurate": 1}
    assert [(one["code"], one["row_number"]) for one in report.refused_findings] == [("gps_inaccurate", 2)]
    assert set(counts(connection).values()) == {0}
    assert list(workspace.inbox_path.iterdir()) == []
    assert not load([baseline_row()], names=("fine.csv",), strict=True).refused


def test_rounds(warehouse, load):
    with pytest.raises(UnknownRoundError, match=r"Round 9 was never opened. Open rounds: 2, 3\."):
        load([baseline_row()], round_number=9)
    with pytest.raises(WrongUseError, match="Round 1 is released"):
        load([baseline_row()], round_number=1)
    with pytest.raises(UnknownRoundError, match=r"says 7, which was never opened. Open rounds: 2, 3\."):
        load([baseline_row(round=7)])
    with pytest.raises(WrongUseError, match="round 1 is signed off or released"):
        load([baseline_row(round=1)])
    without = baseline_row()
    del without["round"]
    with pytest.raises(UnknownRoundError, match="no column 'round'; name the round with --round N"):
        load([without])
    with pytest.raises(UnknownRoundError, match="column 'round' holds no number; name the round with --round N"):
        load([baseline_row(round="")])
    assert set(counts(warehouse[0]).values()) == {0}
    mixed = load([baseline_row(), baseline_row("MN11070102", round=7), baseline_row("MN11070201", round=1)])
    assert mixed.files[0].findings == {"round_closed": 1, "unknown_round": 1}
    assert load([baseline_row("MN11070202")], names=("x.csv",), round_number=3).files[0].findings == {
        "date_outside_round": 1,
        "other_round": 1,
    }


def test_a_passage_belongs_to_the_round_it_falls_in(warehouse, load):
    load([passage_row(1), passage_row(2, passed_at="2024-03-28T23:59:59"), passage_row(3, passed_at="2024-03-30")])
    rows = warehouse[0].execute("SELECT round_number FROM passage ORDER BY submission_id").fetchall()
    assert rows == [(2,), (3,), (None,)]


def test_watch_is_kept_once(warehouse, load):
    row = {"checkpoint": "gunt", "day": "2024-02-01", "hours_observed": 24}
    report = load([row, row, {**row, "hours_observed": 23}, {**row, "day": "2024-02-02", "hours_observed": 24.5}])
    assert report.files[0].findings == {"content_changed": 1, "out_of_range": 1}
    assert (report.files[0].accepted, report.files[0].quarantined, report.files[0].duplicate) == (1, 2, 1)
    assert warehouse[0].execute("SELECT checkpoint, day::VARCHAR, hours_observed FROM watch").fetchall() == [
        ("gunt", "2024-02-01", 24.0)
    ]


def test_a_bad_file_among_good_ones_changes_nothing(warehouse, tmp_path):
    connection, workspace = warehouse
    good = write_csv(tmp_path / "good.csv", [baseline_row()])
    bad = write_csv(tmp_path / "bad.csv", [{"instance_id": 1, "registered_persons": 2, "actual_persons": 3}])
    with pytest.raises(MissingColumnsError, match="collected_at"):
        import_returns(connection, workspace, [good, bad])
    assert set(counts(connection).values()) == {0}
    assert list(workspace.inbox_path.iterdir()) == []
    assert connection.execute("SELECT count(*) FROM duckdb_tables() WHERE temporary").fetchone() == (0,)


def test_a_stop_felt_after_the_commit_keeps_the_files(warehouse, load, monkeypatch):
    connection, workspace = warehouse

    @contextmanager
    def stopped_late(connection):
        with transaction(connection):
            yield connection
        raise KeyboardInterrupt

    monkeypatch.setattr("dtm.imports.transaction", stopped_late)
    with pytest.raises(KeyboardInterrupt):
        load([baseline_row()])
    assert connection.execute("SELECT count(*) FROM import").fetchone() == (1,)
    assert len(list(workspace.inbox_path.iterdir())) == 1  # the warehouse names it, so its bytes stay


def test_a_full_disk_is_named_and_leaves_nothing(warehouse, load, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dtm.imports.keep_in_inbox", full)
    with pytest.raises(DiskFullError, match="nothing was changed"):
        load([baseline_row()])
    connection, workspace = warehouse
    assert set(counts(connection).values()) == {0}
    assert list(workspace.inbox_path.iterdir()) == []


def test_ragged_and_cut_records_are_set_aside(warehouse, tmp_path):
    text = write_csv(tmp_path / "a.csv", [passage_row(1), passage_row(2), passage_row(3)]).read_text(encoding="utf-8")
    lines = text.splitlines()
    path = tmp_path / "cut.csv"
    path.write_text("\n".join([lines[0], lines[1], lines[2] + ",,7", lines[3][:40]]), encoding="utf-8")
    report = import_returns(*warehouse, [path])
    assert report.files[0].findings == {"cut_row": 1, "ragged_row": 1}
    assert (report.files[0].rows_read, report.files[0].accepted, report.files[0].quarantined) == (3, 1, 2)


def test_progress_is_told(warehouse, load):
    told = []
    load([baseline_row()], progress=lambda words, share: told.append((words, share)))
    assert told[0] == ("reading a.csv", 0.0)
    assert told[-1] == ("done", 1.0)


@pytest.mark.realdata
def test_published_figures_of_iom(realdata, tmp_path):
    connection, workspace = make_warehouse(tmp_path / "w")
    connection.execute("DELETE FROM round")
    path = realdata / "dtm-iom" / "global-iom-dtm-from-api-admin-0-to-2.csv.gz"
    report = import_returns(connection, workspace, [path])
    (file,) = report.files
    assert (file.form, file.rows_read, file.accepted, file.quarantined, file.duplicate) == (
        "dtm-published", 13_367, 13_367, 0, 0,
    )  # fmt: skip
    assert connection.execute("SELECT level, count(*) FROM stock GROUP BY 1 ORDER BY 1").fetchall() == [
        (0, 303), (1, 1_686), (2, 11_378),
    ]  # fmt: skip
    assert connection.execute(
        "SELECT assessment_type, count(*) FROM stock WHERE category = 'displaced' GROUP BY 1 ORDER BY 1"
    ).fetchall() == [("BA", 12_729), ("SA", 638)]
    reasons = dict(connection.execute("SELECT reason, count(*) FROM stock GROUP BY 1").fetchall())
    assert reasons["conflict"] == 5_124 + 340
    assert reasons["none_reported"] == 664
    assert reasons["conflict;insecurity;natural_disaster"] == 339
    assert connection.execute("SELECT count(*) FROM stock WHERE origin_pcode IS NULL").fetchone() == (11_433,)
    sexes = connection.execute("SELECT count(male_persons), min(round_number), max(round_number) FROM stock")
    assert sexes.fetchone() == (1_484, 0, 33)
    unequal = connection.execute("""
        SELECT count(*), count(*) FILTER (level_0 <> level_1 OR level_1 <> level_2 OR level_0 IS NULL
            OR level_1 IS NULL OR level_2 IS NULL)
        FROM (SELECT operation, round_number, reported_on, assessment_type, reason,
                     sum(persons) FILTER (level = 0) AS level_0, sum(persons) FILTER (level = 1) AS level_1,
                     sum(persons) FILTER (level = 2) AS level_2 FROM stock GROUP BY ALL)""").fetchone()
    assert unequal == (197, 0)
    again = import_returns(connection, workspace, [path]).files[0]
    assert (again.rows_read, again.duplicate) == (13_367, 13_367)


def test_published_rows_without_the_code_of_their_level_are_set_aside(warehouse, load):
    row = {
        "id": 1, "operation": "Dzud", "admin0Name": "Mongolia", "admin0Pcode": "MNG", "admin1Pcode": "",
        "admin2Pcode": "", "adminLevel": 1, "numPresentIdpInd": 5, "reportingDate": "2024-02-01T00:00:00",
        "roundNumber": 0, "displacementReason": "Natural disaster", "numberMales": 4, "numberFemales": 2,
        "idpOriginAdmin1Pcode": "Not available", "assessmentType": "ETT",
    }  # fmt: skip
    report = load([row, {**row, "admin1Pcode": "MN62", "numberFemales": 1}])
    assert report.files[0].findings == {"more_than_persons": 1, "odd_area_code": 1}
    assert warehouse[0].execute(
        "SELECT operation, round_number, pcode, level, persons, male_persons, reason, origin_pcode FROM stock"
    ).fetchall() == [("Dzud", 0, "MN62", 1, 5, 4, "natural_disaster", None)]


@pytest.mark.parametrize(
    "sent",
    [
        "2024-02-28T23:30:00",
        "2024-02-28T23:30:00+08:00",
        "2024-02-28T23:30:00.125+0800",
        "2024-02-28T15:30:00Z",
        "2024-02-28T15:30:00.000+00:00",
        "2024-02-28T13:00:00-02:30",
    ],
)
def test_a_time_with_a_zone_is_told_in_the_city_s_time(warehouse, load, sent):
    # 28 February is the last day of the round: eight hours more would be outside it
    report = load([baseline_row(collected_at=sent)])
    assert report.files[0].accepted == 1
    (told,) = warehouse[0].execute("SELECT received_at FROM submission").fetchone()
    assert told.replace(microsecond=0).isoformat() == "2024-02-28T15:30:00"  # kept in UTC

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtm.imports import import_returns
from tests.dtm.imports_support import KHOROOS, baseline_row, make_warehouse, move_row, passage_row, write_csv

UNITS = [f"{khoroo}{kheseg:02d}" for khoroo in KHOROOS for kheseg in (1, 2)]
CANONICAL = {
    "submission": "instance_id, form, round_number, received_at, enumerator, declared_pcode, lon, lat, located_pcode",
    "stock": "* EXCLUDE (submission_id)",
    "movement": "* EXCLUDE (submission_id, import_id, sheet, row_number)",
    "vital": "* EXCLUDE (submission_id)",
    "passage": "* EXCLUDE (submission_id)",
}
EXAMPLES = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return make_warehouse(tmp_path_factory.mktemp("properties") / "w")


def clean(connection):
    for table in ("import", "submission", "stock", "movement", "vital", "passage", "watch", "quarantine", "finding"):
        connection.execute(f"DELETE FROM {table}")


def canonical(connection):
    return {
        name: connection.execute(f"SELECT {columns} FROM {name} ORDER BY ALL").fetchall()
        for name, columns in CANONICAL.items()
    }


def load(shared, tables, *, write):
    connection, workspace = shared
    with tempfile.TemporaryDirectory() as folder:
        paths = write(Path(folder), tables)
        return import_returns(connection, workspace, paths)


def as_csv(folder, tables):
    return [write_csv(folder / f"{name}.csv", rows) for name, rows in tables.items() if rows]


def as_xlsx(folder, tables):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in tables.items():
        sheet = book.create_sheet(name)
        for row in [list(rows[0]), *(list(one.values()) for one in rows)] if rows else []:
            sheet.append(row)
    book.save(folder / "all.xlsx")
    return [folder / "all.xlsx"]


def as_kobo(folder, tables):
    results = []
    for row in tables["baseline"]:
        result = {f"form/{name}": value for name, value in row.items() if name not in {"instance_id", "lon", "lat"}}
        result |= {"_uuid": row["instance_id"], "_geolocation": [row["lat"], row["lon"]]}
        for name in ("arrivals", "departures"):
            moves = [one for one in tables[name] if one["instance_id"] == row["instance_id"]]
            result[name] = [{f"{name}/{key}": one[key] for key in one if key != "instance_id"} for one in moves]
        results.append(result)
    path = folder / "data.json"
    path.write_text(json.dumps({"count": len(results), "next": None, "results": results}), encoding="utf-8")
    return [path]


@st.composite
def city(draw):
    units = draw(st.lists(st.sampled_from(UNITS), min_size=1, max_size=6, unique=True))
    baseline = [
        baseline_row(unit, registered_persons=persons, unregistered_persons=2, registered_absent_persons=0,
                     actual_persons=persons + 2, male_persons=1, female_persons=persons + 1, age_0_4_persons=0,
                     age_5_14_persons=0, age_15_24_persons=0, age_25_59_persons=persons, age_60_plus_persons=2)
        for unit, persons in ((unit, draw(st.integers(11, 90_000))) for unit in units)
    ]  # fmt: skip
    count = st.integers(2, 500)
    places = st.sampled_from(["MN62", "MN1119", "MN110702", "abroad", "unknown"])
    moves = {
        name: [
            move_row(place, draw(st.sampled_from(units)), **{place: draw(places)}, persons=persons, male_persons=1,
                     female_persons=persons - 1)
            for persons in draw(st.lists(count, max_size=4))
        ]
        for name, place in (("arrivals", "origin"), ("departures", "destination"))
    }  # fmt: skip
    return {"baseline": baseline, **moves}


@EXAMPLES
@given(tables=city())
def test_csv_workbook_and_kobo_give_the_same_tables(shared, tables):
    results = []
    for write in (as_csv, as_xlsx, as_kobo):
        clean(shared[0])
        report = load(shared, tables, write=write)
        assert sum(file.quarantined + file.duplicate for file in report.files) == 0
        results.append(canonical(shared[0]))
    assert results[0] == results[1] == results[2]
    assert len(results[0]["stock"]) == 8 * len(tables["baseline"])
    assert len(results[0]["movement"]) == len(tables["arrivals"]) + len(tables["departures"])


@EXAMPLES
@given(tables=city(), data=st.data())
def test_twice_is_once_and_order_does_not_matter(shared, tables, data):
    clean(shared[0])
    load(shared, tables, write=as_csv)
    once = canonical(shared[0])
    again = load(shared, tables, write=as_xlsx)
    assert canonical(shared[0]) == once
    assert sum(file.accepted + file.quarantined for file in again.files) == 0
    assert sum(file.duplicate for file in again.files) == sum(len(rows) for rows in tables.values())
    clean(shared[0])
    load(shared, {name: data.draw(st.permutations(rows)) for name, rows in tables.items()}, write=as_csv)
    assert canonical(shared[0]) == once


@EXAMPLES
@given(tables=city(), data=st.data())
def test_every_record_is_accepted_quarantined_or_duplicate(shared, tables, data):
    clean(shared[0])
    tables["passages"] = [passage_row(number) for number in range(data.draw(st.integers(0, 5)))]
    junk = st.one_of(st.text(max_size=8), st.integers(-5, 5), st.sampled_from(["", "nan", "1e400", "MN", "'", '"']))
    for rows in tables.values():
        for row in rows:
            for name in data.draw(st.lists(st.sampled_from(sorted(row)), max_size=2)):
                if name != "round":
                    row[name] = data.draw(junk)
    report = load(shared, tables, write=as_csv)
    connection = shared[0]
    for file in report.files:
        assert file.rows_read == file.accepted + file.quarantined + file.duplicate
        for table in file.tables:
            assert table.rows_read == table.accepted + table.quarantined + table.duplicate
    quarantined = sum(file.quarantined for file in report.files)
    assert connection.execute("SELECT count(*) FROM quarantine").fetchone() == (quarantined,)
    without = connection.execute(
        "SELECT count(*) FROM quarantine q ANTI JOIN (SELECT * FROM finding WHERE severity = 'error') f "
        "ON f.import_id = q.import_id AND f.sheet = q.sheet AND f.row_number = q.row_number"
    )
    assert without.fetchone() == (0,)
    imported = connection.execute(
        "SELECT sum(rows_read), sum(rows_accepted + rows_quarantined + rows_duplicate) FROM import"
    ).fetchone()
    assert imported[0] == imported[1]

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtm.engine import connect
from enumerations.codelists import codes_of, spelling_key, spellings_of
from enumerations.mapping import parse_mapping
from enumerations.returns import stage_returns
from tests.enumerations import returns_writers as writers

EXAMPLES = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
COLUMNS = {
    "baseline": (
        "instance_id", "form_version", "review_state", "enumerator", "collected_at", "unit", "lon", "lat",
        "accuracy_m", "registered_households", "registered_persons", "actual_households", "actual_persons",
        "male_persons", "number_source", "had_arrivals", "problems", "services_lacking", "remarks",
    ),
    "arrivals": ("instance_id", "origin", "households", "persons", "reason", "registered"),
    "departures": ("instance_id", "destination", "households", "persons", "reason", "registered"),
}  # fmt: skip
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="\ufffd"), max_size=12)
PLAIN_TEXT = st.builds(" ".join, st.lists(st.one_of(TEXT, st.sampled_from(["=1+1", '"', ",;", "Өлзийт"])), max_size=3))
WRITERS = {
    "csv": writers.write_csv,
    "xlsx": writers.write_xlsx,
    "kobo data": writers.write_kobo_json,
    "json lines": writers.write_json_lines,
    "odata": writers.write_odata,
    "odk csv": writers.write_odk_zip,
    "odk csv, no groups, split": partial(writers.write_odk_zip, groups=False, split=True),
    "kobo xlsx": writers.write_kobo_xlsx,
    "kobo xlsx, dots": partial(writers.write_kobo_xlsx, separator=".", multiple="one"),
    "kobo xlsx, split": partial(writers.write_kobo_xlsx, separator="__", multiple="split"),
    "kobo xlsx, no groups": partial(writers.write_kobo_xlsx, separator="", multiple="both"),
    "kobo xlsx, Mongolian": partial(writers.write_kobo_xlsx, language="mn"),
    "kobo xlsx, English": partial(writers.write_kobo_xlsx, language="en", multiple="split"),
    "kobo xlsx, labels in one": partial(writers.write_kobo_xlsx, language="mn", multiple="one", separator=" - "),
    "kobo xlsx, no uuid": partial(writers.write_kobo_xlsx, uuid=False),
    "kobo csv": partial(writers.write_kobo_csv, separator="-"),
    "kobo csv, Mongolian": partial(writers.write_kobo_csv, language="mn", multiple="split"),
}


@pytest.fixture(scope="module")
def connection():
    return connect(spatial=False)


def value_of(draw, column):
    if column.name == "collected_at":
        return f"2024-02-{draw(st.integers(1, 28)):02d}T10:00:00.000+08:00"
    if column.kind == "codes":
        return " ".join(draw(st.lists(st.sampled_from(codes_of(column.codelist)), unique=True))) or None
    if column.kind == "code":
        return draw(st.sampled_from(codes_of(column.codelist)))
    values = {
        "review_state": st.sampled_from(["approved", None]),
        "integer": st.integers(0, 99_999).map(str),
        "yesno": st.sampled_from(["yes", "no"]),
        "place": st.sampled_from(["MN1107", "MN62", "MN11070101"]),
    }
    named = next((values[key] for key in (column.name, column.kind) if key in values), PLAIN_TEXT.map(str.strip))
    return draw(named) or None


def row_of(draw, table, instance):
    row = {"instance_id": instance}
    for name in COLUMNS[table][1:]:
        column = writers.TABLES[table].by_name[name]
        row[name] = value_of(draw, column)
        if not column.required and draw(st.integers(0, 5)) == 0:
            row[name] = None
    if table == "baseline":
        row["form_version"] = "2024-01"
        point = ["106.91234", "47.92345", "8.5"] if draw(st.booleans()) else [None] * 3
        row |= dict(zip(writers.POINT, point, strict=True))
    return row


@st.composite
def returns(draw):
    instances = [f"uuid-{number}" for number in range(draw(st.integers(1, 4)))]
    tables = {"baseline": [row_of(draw, "baseline", one) for one in instances]}
    for name in ("arrivals", "departures"):
        owners = draw(st.lists(st.sampled_from(instances), max_size=4))
        tables[name] = [row_of(draw, name, one) for one in sorted(owners)]
    return tables


def canonical_cell(column, text):
    text = text.strip() if text else None
    if not text:
        return None
    if column.name in writers.POINT:
        return float(text)
    if column.kind in {"code", "yesno"}:
        return spellings_of(column.codelist or "yesno").get(spelling_key(text), text)
    return " ".join(sorted(text.split())) if column.kind == "codes" else text


def canonical(connection, paths, mapping=None):
    tables = {name: [] for name in COLUMNS}
    for number, path in enumerate(paths):
        for staged in stage_returns(connection, path, f"round{number}", mapping=mapping):
            table = staged.header.table
            names = COLUMNS[table.name]
            columns = ", ".join(staged.source(name) or "NULL" for name in names)
            rows = connection.execute(f"SELECT fault, {columns} FROM {staged.relation} ORDER BY record").fetchall()
            assert [row[0] for row in rows] == [None] * len(rows)
            for row in rows:
                pairs = zip(names, row[1:], strict=True)
                tables[table.name].append({name: canonical_cell(table.by_name[name], text) for name, text in pairs})
    drop(connection)
    return tables


def drop(connection):
    for kind, listing in (("VIEW", "duckdb_views()"), ("TABLE", "duckdb_tables()")):
        names = connection.execute(
            f"SELECT {kind.lower()}_name FROM {listing} WHERE temporary AND starts_with({kind.lower()}_name, 'round')"
        ).fetchall()
        for (name,) in names:
            connection.execute(f"DROP {kind} IF EXISTS {name}")


def wanted(tables):
    return {
        name: [
            {key: canonical_cell(writers.TABLES[name].by_name[key], row[key]) for key in COLUMNS[name]} for row in rows
        ]
        for name, rows in tables.items()
    }


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@EXAMPLES
@given(tables=returns())
def test_what_is_written_is_read_back(connection, write, tables):
    with tempfile.TemporaryDirectory() as folder:
        assert canonical(connection, write(Path(folder), tables)) == wanted(tables)


@EXAMPLES
@given(tables=returns())
def test_a_mapping_reads_back_what_others_named(connection, tables):
    mapping = parse_mapping(writers.mapping_of(tables))
    with tempfile.TemporaryDirectory() as folder:
        assert canonical(connection, writers.write_renamed(Path(folder), tables), mapping) == wanted(tables)

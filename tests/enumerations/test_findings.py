from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtm.engine import connect
from enumerations.checks import findings_sql
from enumerations.findings import CATALOGUE, make_finding, render


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: kind.code)
def test_every_kind_says_what_why_and_cure_in_both_languages(kind):
    assert kind.severity in {"error", "warning"}
    for part in ("what", "why", "cure"):
        assert getattr(kind, f"{part}_en").strip().endswith((".", "}"))
        assert re.search("[а-яөүё]", getattr(kind, f"{part}_mn"))
    for language in ("en", "mn"):
        assert set(re.findall(r"\{(.*?)\}", kind.template(language))) <= {"field", "value", "hint"}


@given(value=st.text(), hint=st.one_of(st.none(), st.text()))
def test_messages_never_fail_whatever_was_typed(value, hint):
    for code in CATALOGUE:
        finding = make_finding(code, subject="form", file_name="f.csv", field="persons", value=value, hint=hint)
        assert finding.message_en
        assert finding.message_mn


def test_strange_braces_stay():
    assert render("{field}: {other} {value}", field="persons", value="{hint}", hint="x") == "persons: {other} {hint}"


def test_sql_writes_the_same_messages_as_python():
    codes = list(CATALOGUE)
    connection = connect(spatial=False)
    connection.execute("CREATE TABLE found (record BIGINT, code VARCHAR, field VARCHAR, value VARCHAR, hint VARCHAR)")
    for code in codes:
        connection.execute("INSERT INTO found VALUES (7, ?, 'persons', 'o''clock', NULL)", [code])
    rows = connection.execute(findings_sql("found", codes)).fetchall()
    assert len(rows) == len(codes)
    for _, code, field, value, severity, message_en, message_mn in rows:
        expected = make_finding(code, subject="s", file_name="f", field=field, value=value)
        assert (severity, message_en, message_mn) == (expected.severity, expected.message_en, expected.message_mn)

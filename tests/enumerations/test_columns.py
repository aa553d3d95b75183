from __future__ import annotations

import pytest

from enumerations.codelists import codes_of, load_codelists, spellings_of
from enumerations.columns import FORMS
from enumerations.errors import UnknownCodelistError

TABLES = [table for tables in FORMS.values() for table in tables]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_is_declared_in_full(table):
    assert len(set(table.column_names)) == len(table.columns)
    assert set(table.marks) <= set(table.required_names)
    for column in table.columns:
        assert column.meaning_en
        assert any("а" <= letter <= "я" for letter in column.meaning_mn.casefold())
        assert column.kind in {"text", "integer", "number", "date", "timestamp", "yesno", "code", "codes", "place"}
        if column.kind in {"code", "codes"}:
            assert codes_of(column.codelist)
        if column.name.endswith(("_persons", "_households")) or column.name in {"persons", "households"}:
            assert column.unit in {"persons", "households"}
            assert column.kind == "integer"
            assert column.minimum is not None


def test_code_lists_have_both_labels_and_no_code_twice():
    frame = load_codelists()
    assert list(frame.columns) == ["codelist", "code", "label_mn", "label_en"]
    assert not frame.duplicated(["codelist", "code"]).any()
    assert (frame[["label_mn", "label_en"]] != "").all().all()
    assert codes_of("checkpoint") == ["emeelt", "baruunturuun", "gunt", "ulziit", "morin", "nalaikh"]
    assert codes_of("direction") == ["in", "out"]


def test_labels_and_codes_are_both_understood():
    assert spellings_of("vehicle")["автобус"] == "bus"
    assert spellings_of("reason")["loss_of_livestock"] == "livestock_loss"


def test_an_unknown_list_is_named():
    with pytest.raises(UnknownCodelistError, match="No code list is named 'colour'"):
        codes_of("colour")

"""Hold the glossary to two languages and to the words the project uses."""

from __future__ import annotations

import re

import pytest

from tests.project._tree import ROOT

WORDS = (
    "khoroo", "kheseg", "aimag", "soum", "bagh", "düüreg (district)", "round", "key informant", "baseline", "stock",
    "arrival", "departure", "flow", "origin", "destination", "reason", "flow monitoring point",
    "flow monitoring registry (FMR)", "P-code", "enumerator", "return", "submission", "coverage", "suppression",
    "finding", "quarantine", "release", "workspace", "warehouse", "exposure", "density", "ger area", "area set",
)  # fmt: skip


def rows() -> dict[str, tuple[str, str, str]]:
    lines = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert all(len(row) == 4 for row in table)
    terms = [row[0] for row in table[2:]]
    assert len(set(terms)) == len(terms), "a term stands once"
    return {term: (mn, meaning, tailbar) for term, mn, meaning, tailbar in table[2:]}


@pytest.mark.parametrize("term", WORDS)
def test_the_words_of_the_field_are_explained(term):
    assert term in rows()


def test_each_term_has_english_and_mongolian():
    for term, (mn, meaning, tailbar) in rows().items():
        assert re.search(r"[A-Za-z]", term), term
        assert re.search(r"[А-Яа-яӨөҮүЁё]{3}", mn), term
        assert re.fullmatch(r"[^А-Яа-яӨөҮүЁё]+\.", meaning), term
        assert re.search(r"[А-Яа-яӨөҮүЁё]{3}", tailbar), term
        assert tailbar.endswith("."), term

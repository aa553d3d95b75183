"""Hold the page of validation to the functions and tests that it names."""

from __future__ import annotations

import importlib
import re

from tests.project._tree import ROOT

PAGE = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
MEASURES = "| measure | function | by hand | property |"


def rows():
    lines = PAGE[PAGE.index(MEASURES) :].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_measure_names_a_function_that_cites_its_source():
    for measure, told, *_ in rows():
        names = told.strip("`").split(".")
        found = module = importlib.import_module(".".join(names[:2]))
        for name in names[2:]:
            found = getattr(found, name)
        assert callable(found), measure
        cited = found.__doc__ + (module.__doc__ or "")
        is_rule = re.search(r"build_|roll_up|mark_breaks", told)  # arranges figures, computes none of its own
        assert is_rule or re.search(r"\b(1[89]|20)\d\d\b", cited), told


def test_every_measure_is_held_by_hand_and_by_a_property():
    known = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        known |= set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE))
    for measure, _, by_hand, holds, published in rows():
        for told in (by_hand, holds):
            assert re.fullmatch(r"`test_\w+`", told), measure
        assert set(re.findall(r"test_\w+", by_hand + holds + published)) <= known, measure

"""The code lists are the only place that defines a code."""

from __future__ import annotations

import ast
import json
import re

import pytest

from enumerations import _rules, codelists
from enumerations.codelists import choices_of, codes_of, load_codelists, spelling_key
from enumerations.columns import AGE_BANDS, BASELINE, CHECKPOINT_BANDS, FORMS
from tests.project._tree import ROOT

LISTS = {name: set(codes_of(name)) for name in load_codelists()["codelist"].unique()}
ORDINARY_WORDS = 2
"""A list of two codes (yes and no, in and out) is made of words that mean other things too."""
ENOUGH = 3
"""So many codes of one list in one literal are taken for a list of codes."""
ALLOWED = {
    ("dashboard/desk/units.py", "enumerator_role"): "the dashboard reads only dtm; the order of the desk's bars",
    ("dtm/_disclosure_relations.py", "category"): "the signs with which categories add up to one another",
    ("dtm/_exports_breaks.py", "category"): "the categories that the register counts, which its stop broke",
    ("dtm/_round_checks_base.py", "category"): "names of columns cut into category and count",
    ("dtm/stocks.py", "category"): "the categories that a baseline return fills; seasonal comes from other sources",
}
"""Where codes of a list may stand in a literal, and why; an entry that is no longer needed fails the test."""


def test_every_code_and_label_is_one_of_its_kind():
    for name in LISTS:
        choices = choices_of(name)
        for texts in ([c.code for c in choices], [c.label_mn for c in choices], [c.label_en for c in choices]):
            assert all(texts), name
            assert len({spelling_key(text) for text in texts}) == len(texts), name
        assert all(re.fullmatch(r"[a-z0-9_]+|[A-Z]{2,3}", choice.code) for choice in choices), name


def test_mongolian_labels_are_cyrillic():
    labels = [(name, choice.label_mn) for name in LISTS for choice in choices_of(name)]
    wrong = [pair for pair in labels if re.search("[A-Za-z]", pair[1])]
    assert [pair for pair in wrong if not re.fullmatch(r"DTM|GPS", pair[1])] == []


def test_age_bands_are_those_of_the_lists():
    assert AGE_BANDS == ("0_4", "5_14", "15_24", "25_59", "60_plus")
    assert CHECKPOINT_BANDS == ("0_17", "18_59", "60_plus")


def test_every_column_of_codes_names_a_list():
    for tables in FORMS.values():
        for table in tables:
            for column in table.columns:
                assert not column.codelist or column.codelist in LISTS
                assert column.kind not in {"code", "codes"} or column.codelist


def test_vehicles_say_how_many_they_carry():
    carried = {choice.code: choice.capacity_persons for choice in choices_of("vehicle")}
    assert (carried["car"], carried["bus"], carried["foot"], carried["other"]) == (9, 80, None, None)


def _literal(node: ast.AST) -> set[str]:
    items = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
    return {item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)}


def defined_codes(text: str) -> set[str]:
    """Return the code lists of which a Python file spells out codes."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Tuple, ast.List, ast.Set, ast.Dict)):
            texts = _literal(node)
            found |= {
                name
                for name, codes in LISTS.items()
                if len(codes) > ORDINARY_WORDS and len(texts & codes) >= ENOUGH and 2 * len(texts & codes) > len(texts)
            }
    return found


def test_a_literal_of_codes_is_noticed():
    assert defined_codes('X = ("ger", "house", "apartment")') == {"dwelling"}
    assert defined_codes('X = {"work": 1, "livestock_loss": 2, "disaster": 3}') == {"reason"}
    assert defined_codes('X = ["ger", "house"]; Y = ("yes", "no")') == set()


def test_no_code_is_defined_outside_the_lists():
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for package in ("enumerations", "dtm", "dashboard", "geodata")
        for path in sorted((ROOT / package).rglob("*.py"))
        if not path.name.startswith(("_demo_", "demo"))  # made-up answers: shares by code, held to the lists elsewhere
        for name in defined_codes(path.read_text(encoding="utf-8"))
    }
    assert found - set(ALLOWED) == set(), "read these codes from enumerations/codelists, or say why not in ALLOWED"
    assert set(ALLOWED) - found == set(), "these entries of ALLOWED are no longer needed"


def test_the_desk_knows_every_role():
    text = (ROOT / "dashboard" / "desk" / "units.py").read_text(encoding="utf-8")
    (roles,) = re.findall(r"^ROLES = (\(.*\))$", text, flags=re.MULTILINE)
    assert set(ast.literal_eval(roles)) - {"nobody"} == LISTS["enumerator_role"]


def test_the_words_of_the_dashboard_repeat_no_list():
    for path in (ROOT / "dashboard" / "words").glob("*.json"):
        words = json.loads(path.read_text(encoding="utf-8"))
        told = {tuple(key.rsplit(".", 1)) for key in words if "." in key}
        for name, codes in LISTS.items():
            if len(codes) > ORDINARY_WORDS:
                repeated = {code for group, code in told if group == name} & codes
                assert len(repeated) < ENOUGH, (path.name, name)


@pytest.fixture
def old_list(monkeypatch):
    """Give the safety list a code that was withdrawn with version 2025-04 and one that came with it."""
    changed = tuple(
        codelists.Choice(c.codelist, c.code, c.label_mn, c.label_en, since, withdrawn)
        for c in codelists._choices()
        for since, withdrawn in [{"unsafe": ("", "2025-04"), "rather_unsafe": ("2025-04", "")}.get(c.code, ("", ""))]
    )
    monkeypatch.setattr(codelists, "_choices", lambda: changed)


@pytest.mark.parametrize(
    ("version", "code", "finding"),
    [
        ("2025-03", "unsafe", None),
        ("2025-04", "unsafe", "withdrawn_code"),
        ("2025040101", "unsafe", "withdrawn_code"),
        ("2024-12-31", "rather_unsafe", "code_too_new"),
        ("2025-04-01", "rather_unsafe", None),
        ("h015f599d256", "unsafe", None),
        ("", "unsafe", None),
        ("2026", "safe", None),
    ],
)
def test_codes_belong_to_versions(old_list, tmp_path, version, code, finding):
    from dtm.engine import connect

    rules = {rule.code: rule for rule in _rules.version_rules(BASELINE)}
    assert set(rules) == {"withdrawn_code", "code_too_new"}
    found = [
        name
        for name, rule in rules.items()
        if connect(spatial=False)
        .execute(f"SELECT {rule.failed} FROM (SELECT ? AS safety, nullif(?, '') AS form_version)", [code, version])
        .fetchone()[0]
    ]
    assert found == ([finding] if finding else [])

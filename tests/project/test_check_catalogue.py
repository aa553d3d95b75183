"""Hold the catalogue of checks to the code it is made from."""

from __future__ import annotations

import re

from dtm.check_catalogue import TOPICS, build_check_catalogue, form_codes, main
from dtm.round_checks import ROUND_CHECKS
from enumerations.findings import CATALOGUE
from enumerations.series import SERIES_CODES
from geodata.findings import CATALOGUE as AREA_CATALOGUE
from tests.project._tree import ROOT

PAGE = ROOT / "docs" / "checks.md"


def test_the_page_is_what_the_code_says():
    assert PAGE.read_text(encoding="utf-8") == build_check_catalogue(), "run `make checks` and commit the page"


def sections():
    """Return the text under each code."""
    parts = build_check_catalogue().split("\n#### `")[1:]
    return {part.split("`", 1)[0]: part.split("\n##")[0] for part in parts}


def test_every_code_has_both_languages_and_its_severity():
    listed = sections()
    assert set(listed) == set(CATALOGUE) | set(AREA_CATALOGUE)
    for code, kind in {**CATALOGUE, **AREA_CATALOGUE}.items():
        for text in (kind.what_en, kind.why_en, kind.cure_en, kind.what_mn, kind.why_mn, kind.cure_mn):
            assert text.replace("|", "\\|").strip() in listed[code], code
        assert re.search(rf"^{kind.severity} · \w", listed[code], flags=re.MULTILINE), code


def test_it_says_where_a_check_is_made():
    listed = sections()

    def where(code):
        return set(re.search(r"^(?:error|warning) · (.*)$", listed[code], flags=re.MULTILINE)[1].split(", "))

    assert {code for code in CATALOGUE if "round" in where(code)} == {check.code for check in ROUND_CHECKS}
    assert {code for code in CATALOGUE if "series" in where(code)} == set(SERIES_CODES)
    assert {code for code in CATALOGUE if "form" in where(code)} == form_codes()
    assert {"age_sum", "missing_value", "out_of_range"} <= form_codes()
    assert all(where(code) == {"areas"} for code in AREA_CATALOGUE)
    assert all(where(code) for code in CATALOGUE)


def test_every_topic_has_a_title_in_both_languages():
    page = build_check_catalogue()
    for english, mongolian in TOPICS.values():
        assert re.search("[а-яөү]", mongolian)
        assert f"\n### {english} · {mongolian}\n" in page or english.startswith(("Readers", "Servers"))
    files = {path.stem for path in (ROOT / "enumerations" / "catalogue").glob("*.csv")}
    assert files <= set(TOPICS), "name the topic of the new file in dtm/check_catalogue.py"


def test_tables_have_the_columns_of_their_header():
    for line in build_check_catalogue().splitlines():
        if line.startswith("|"):
            assert line.replace("\\|", "").count("|") == 5, line


def test_main_writes_the_file_or_prints_it(tmp_path, capsys):
    assert main([str(tmp_path / "checks.md")]) == 0
    assert (tmp_path / "checks.md").read_text(encoding="utf-8") == build_check_catalogue()
    assert main([]) == 0
    assert capsys.readouterr().out == build_check_catalogue()

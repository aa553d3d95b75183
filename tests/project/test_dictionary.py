"""Hold the data dictionary to the declarations it is made from."""

from __future__ import annotations

import re

from dtm._release_tables import RELEASE_TABLES, STATUSES
from dtm._warehouse_tables import WAREHOUSE_TABLES
from dtm.dictionary import SETTINGS_MEANING, STATUS_MEANING, build_dictionary, main
from dtm.measures import DENSITIES, INDICATORS
from dtm.workspace import Settings
from enumerations.codelists import load_codelists
from enumerations.columns import FORMS
from tests.project._tree import ROOT

DICTIONARY = ROOT / "docs" / "dictionary.md"


def test_the_page_is_what_the_declarations_say():
    assert DICTIONARY.read_text(encoding="utf-8") == build_dictionary(), "run `make dictionary` and commit the page"


def test_every_column_has_a_row_under_its_table():
    sections = {}
    for part in build_dictionary().split("\n## "):
        for section in part.split("\n### ")[1:]:
            name, body = section.split("\n", 1)
            sections.setdefault(name, []).append(body)
    for tables in (RELEASE_TABLES, WAREHOUSE_TABLES):
        for table in tables.values():
            assert any(
                all(f"| `{column.name}` | {column.type} |" in body for column in table.columns)
                for body in sections[table.name]
            ), table.name


def test_every_column_of_a_form_and_every_code_is_there():
    page = build_dictionary()
    for form, tables in FORMS.items():
        for table in tables:
            section = page.split(f"### {form}: {table.name}\n")[1].split("\n#")[0]
            assert [c.name for c in table.columns] == re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)
            for codelist in {c.codelist for c in table.columns if c.codelist}:
                assert f"\n### {codelist}\n" in page
    for row in load_codelists().itertuples():
        section = page.split(f"\n### {row.codelist}\n")[1].split("\n#")[0]
        assert f"| `{row.code}` | {row.label_en} | {row.label_mn} |" in section


def test_every_measure_has_its_formula_and_source():
    page = build_dictionary()
    for measure in (*INDICATORS.values(), *DENSITIES.values()):
        assert re.search(rf"^\| `{measure.name}` \|.*\| {re.escape(measure.reference)} \|$", page, flags=re.MULTILINE)


def test_every_setting_and_status_is_explained():
    assert set(SETTINGS_MEANING) == set(Settings.__dataclass_fields__)
    assert set(STATUS_MEANING) == set(STATUSES)


def test_markdown_tables_have_the_columns_of_their_header():
    width = 0
    for line in build_dictionary().splitlines():
        if line.startswith("|"):
            cells = line.replace("\\|", "").count("|")
            assert width in (0, cells), line
            width = cells
        else:
            width = 0


def test_main_writes_the_file_or_prints_it(tmp_path, capsys):
    assert main([str(tmp_path / "dictionary.md")]) == 0
    assert (tmp_path / "dictionary.md").read_text(encoding="utf-8") == build_dictionary()
    assert main([]) == 0
    assert capsys.readouterr().out == build_dictionary()

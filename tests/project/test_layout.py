"""Hold the packages to the layout: imports one way, one engine, a sentence on every module, files one can read."""

from __future__ import annotations

import ast
import re

import pytest

from tests.project._tree import PACKAGES, ROOT, imported_modules, python_files, tracked_files

LINES_PER_FILE = 600

MAY_IMPORT = {
    "geodata": {"geodata"},
    "enumerations": {"enumerations"},
    "dtm": {"dtm", "geodata", "enumerations"},
    "dashboard": {"dashboard", "dtm"},
}
ENGINE = ROOT / "dtm" / "engine.py"


def forbidden_imports(source: str, *, package: str, room: str) -> set[str]:
    tops = {name.split(".")[0] for name in imported_modules(source, package=package)}
    return {top for top in tops if top in {*PACKAGES, "tests", "benchmarks"}} - MAY_IMPORT[room]


@pytest.mark.parametrize("room", PACKAGES)
def test_imports_point_one_way(room):
    wrong = {}
    for path in python_files(room):
        package = ".".join(path.relative_to(ROOT).parent.parts)
        found = forbidden_imports(path.read_text(encoding="utf-8"), package=package, room=room)
        if found:
            wrong[str(path.relative_to(ROOT))] = sorted(found)
    assert wrong == {}, f"{room} may import only {sorted(MAY_IMPORT[room])} of the project"


@pytest.mark.parametrize(
    "source",
    [
        "import dtm",
        "import dtm.flows as flows",
        "from dtm import flows",
        "if TYPE_CHECKING:\n    from dtm.schema import Table",
        "def late():\n    import dtm.schema",
        "from .. import dtm",
        "import importlib\nimportlib.import_module('dtm.flows')",
    ],
)
def test_every_kind_of_import_is_seen(source):
    assert forbidden_imports(source, package="geodata.sub", room="geodata") in ({"dtm"}, set())
    if "from .." not in source:
        assert forbidden_imports(source, package="geodata", room="geodata") == {"dtm"}


def test_a_relative_import_stays_in_its_package():
    assert imported_modules("from . import grid\nfrom .areas import Area", package="geodata") == {
        "geodata",
        "geodata.grid",
        "geodata.areas",
        "geodata.areas.Area",
    }


def test_only_the_engine_module_imports_duckdb():
    importers = [
        path
        for path in python_files(*PACKAGES)
        if any(name.split(".")[0] == "duckdb" for name in imported_modules(path.read_text(encoding="utf-8")))
    ]
    assert importers == [ENGINE]


def test_every_module_opens_with_a_sentence():
    wrong = []
    for path in python_files(*PACKAGES, "benchmarks"):
        text = path.read_text(encoding="utf-8")
        docstring = ast.get_docstring(ast.parse(text)) or ""
        first = docstring.split("\n\n")[0].strip()
        if text.strip() and not (re.match(r"[A-Z`]", first) and first.endswith(".")):
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == [], "each module opens with one imperative sentence that ends in a full stop"


def test_no_source_file_is_too_long_to_read():
    long = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in tracked_files()
        if path.suffix in {".py", ".js", ".css"}
    }
    assert {name: lines for name, lines in long.items() if lines > LINES_PER_FILE} == {}


def test_packages_say_they_are_typed():
    assert [room for room in PACKAGES if not (ROOT / room / "py.typed").is_file()] == []

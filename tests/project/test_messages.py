"""Every refusal that can reach a page is said in Mongolian too."""

from __future__ import annotations

import ast
import re
import string
from dataclasses import dataclass
from functools import cache

import pytest

from dtm.messages import message as of_dtm
from enumerations.messages import message as of_enumerations
from tests.project._tree import PACKAGES, ROOT, python_files

CATALOGUES = {"dtm": of_dtm, "enumerations": of_enumerations}
TERMINAL_ONLY = {
    "dtm._cleaning_files:read_edits": "a page takes no file of edits",
    "dtm._cleaning_files:_cells": "a page takes no file of edits",
    "dtm._cleaning_files:_text_cells": "a page takes no file of edits",
    "dtm._cleaning_files:_workbook_cells": "a page takes no file of edits",
    "dtm._cleaning_files:write_template": "the desk names the file itself",
    "dtm.cleaning:undo_edits": "the desk takes no edit back",
    "dtm.feedback:write_feedback": "the desk asks for one page, without a folder",
    "dtm.rounds:latest_version": "the desk opens no round",
    "dtm.rounds:open_round": "the desk opens no round",
    "dtm.scope": "is built for a release",
    "dtm.workspace": "is opened before a page is served",
    "enumerations._mapping_proposal": "a page takes no mapping",
    "enumerations._mapping_rules": "a page takes no mapping; one that was stored is sound",
    "enumerations.mapping": "a page takes no mapping; one that was stored is sound",
    "enumerations.codelists": "code lists are named by the code alone",
    "geodata.pcodes": "callers look a code up first; places that people type become findings",
    "geodata.simplify": "the tolerance is a constant",
}
"""Where a refusal may be English alone, and why no page can tell it: a module, or a function of it."""
PLAIN_LATIN = {
    "CSV", "XLSX", "JSON", "GeoPackage", "Excel", "Kobo", "ODK", "Central", "UTF", "PNG", "JPEG", "GIF", "PDF", "ZIP",
    "RAR", "SQLite", "Parquet", "FlatGeobuf", "OpenDocument", "ods", "xls", "xlsx", "xlsb",
    "round", "results", "value", "submission", "uuid", "baseline",
}  # fmt: skip
"""Names and signs that stay as they are in Mongolian: formats, programs, columns that a file must have."""


@dataclass(frozen=True)
class Call:
    """A call by name: the function it stands in, its line, its first argument and the names of the others."""

    name: str
    function: ast.FunctionDef | None
    line: int
    first: ast.expr | None
    values: frozenset[str]


class Module(ast.NodeVisitor):
    """What one module imports when it runs, which classes it defines on which, and what it calls by name."""

    def __init__(self, source: str) -> None:
        self.imports: dict[str, str] = {}
        self.bases: dict[str, set[str]] = {}
        self.calls: list[Call] = []
        self._function: ast.FunctionDef | None = None
        self.visit(ast.parse(source))

    def visit_If(self, node: ast.If) -> None:
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.imports |= {alias.name: alias.name for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.imports |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.bases[node.name] = {base.id for base in node.bases if isinstance(base, ast.Name)}
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        outer, self._function = self._function, node
        self.generic_visit(node)
        self._function = outer

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name):
            first, values = node.args[0] if node.args else None, frozenset(str(one.arg) for one in node.keywords)
            self.calls.append(Call(node.func.id, self._function, node.lineno, first, values))
        self.generic_visit(node)


@cache
def modules() -> dict[str, Module]:
    found = {}
    for path in python_files(*PACKAGES):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = Module(path.read_text(encoding="utf-8"))
    return found


def reachable() -> list[str]:
    """Return the modules whose errors a page tells: the desk's and what opens a release, with all they import of ours.

    Other modules of the dashboard are left out: what goes wrong in a chart is told by its HTTP status alone.
    """
    found: set[str] = set()
    waiting = ["dashboard.reader", *(name for name in modules() if name.startswith("dashboard.desk."))]
    while waiting:
        name = waiting.pop()
        if name in modules() and name not in found:
            found.add(name)
            told = [*modules()[name].imports.values()]
            more = [*told, *(one.rpartition(".")[0] for one in told)]
            waiting += [one for one in more if not one.startswith("dashboard")]
    return sorted(found)


def error_names() -> set[str]:
    """Return the names of all errors of ours."""
    found = {"DtmError", "EnumerationsError", "GeodataError"}
    bases = {name: own for module in modules().values() for name, own in module.bases.items()}
    while more := {name for name, own in bases.items() if own & found} - found:
        found |= more
    return found


def is_in_both_languages(call: Call) -> bool:
    if isinstance(call.first, ast.Call):
        return isinstance(call.first.func, ast.Name) and call.first.func.id == "message"
    arguments = call.function.args.args if call.function else []
    typed = {one.arg: one.annotation.id for one in arguments if isinstance(one.annotation, ast.Name)}
    return isinstance(call.first, ast.Name) and typed.get(call.first.id) == "Message"


def refusals(module: Module, names: set[str]) -> list[tuple[str, int, bool]]:
    """Return where errors of ours are made: function, line, and whether they have both languages."""
    return [
        (call.function.name if call.function else "", call.line, is_in_both_languages(call))
        for call in module.calls
        if call.name in names and call.first is not None
    ]


def test_a_refusal_behind_a_page_is_a_message_of_the_catalogue():
    names = error_names()
    english_alone, needless = [], set(TERMINAL_ONLY)
    for module in reachable():
        for function, line, is_told in refusals(modules()[module], names):
            places = {module, f"{module}:{function}"}
            if not is_told and places & set(TERMINAL_ONLY):
                needless -= places
            elif not is_told:
                english_alone.append(f"{module}:{function}, line {line}")
    assert english_alone == [], "these can reach a page: take the text from messages.csv, see docs/decisions/0022"
    assert needless == set()


def test_a_refusal_in_english_alone_would_be_found():
    made = "def f(path: str, told: Message):\n    raise BadInputError({})\n"
    for text, is_told in (("f'{path} is bad'", False), ("path", False), ("told", True), ("message('a')", True)):
        assert refusals(Module(made.format(text)), {"BadInputError"}) == [("f", 2, is_told)]


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def asked(package: str) -> list[tuple[str, frozenset[str], str]]:
    """Return key, names of values and place of every message that the code asks a catalogue for."""
    own = f"{package}.messages"
    return [
        (call.first.value, call.values, f"{name}, line {call.line}")
        for name, module in modules().items()
        for call in module.calls
        if call.name == "message"
        and (name == own or module.imports.get("message") == f"{own}.message")
        and isinstance(call.first, ast.Constant)
    ]


@pytest.mark.parametrize("package", CATALOGUES)
def test_every_message_asked_for_is_there_with_its_places(package):
    texts = CATALOGUES[package].texts
    wrong = [one for one in asked(package) if one[0] not in texts or one[1] != places(texts[one[0]][0])]
    assert wrong == []
    left_over = set(texts) - {key for key, _, _ in asked(package)}
    assert {key for key in left_over if not key.startswith("state_")} == set()


@pytest.mark.parametrize("package", CATALOGUES)
def test_every_message_is_said_in_mongolian(package):
    for key, (english, mongolian) in CATALOGUES[package].texts.items():
        assert english, key
        assert mongolian, key
        assert places(mongolian) <= places(english), key
        words = re.sub(r"`[^`]*`|\{[^}]*\}", " ", mongolian)
        assert re.search("[а-яөүё]", words) or not re.search("[a-z]{3}", words.replace("OpenDocument (.ods)", "")), key
        assert set(re.findall(r"[A-Za-z]{3,}", words)) <= PLAIN_LATIN, key

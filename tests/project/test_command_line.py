"""Hold the command line to its contract: names of commands, options and arguments, and an example in every help."""

from __future__ import annotations

import re

import pytest

from tests.project._tree import ROOT

COMMANDS = {
    "init": set(),
    "areas load": {
        "--area-set", "--level", "--valid-from", "--valid-to", "--parent-set", "--name-field", "--parent-field",
        "--number-field", "--population-field", "--repair", "--strict",
    },
    "areas list": set(),
    "areas check": set(),
    "round open": {"--number", "--from", "--to", "--area-set"},
    "round list": set(),
    "round status": {"--round", "--due-days"},
    "round close": {"--round", "--sign-off", "--who", "--reason"},
    "round reopen": {"--round", "--who", "--reason"},
    "round waive": {"--round", "--finding", "--code", "--pcode", "--who", "--reason"},
    "round unwaive": {"--round", "--finding", "--code", "--pcode", "--who"},
    "round feedback": {"--round", "--out", "--khoroo", "--language"},
    "enumerators load": set(),
    "enumerators list": set(),
    "clean template": {"--round", "--out", "--language"},
    "clean apply": {"--who", "--dry-run"},
    "clean undo": {"--who", "--reason"},
    "clean log": {"--round"},
    "returns map": {"--form", "--out"},
    "forms build": {"--area-set", "--out", "--form", "--round", "--version"},
    "forms template": {"--form", "--out", "--area-set", "--office"},
    "returns import": {"--form", "--round", "--strict"},
    "returns pull odk": {"--url", "--project", "--form", "--mapping", "--round", "--since", "--strict"},
    "returns pull kobo": {"--url", "--asset", "--mapping", "--round", "--since", "--strict"},
    "layers load": {"--kind", "--name", "--date"},
    "rasters load": {"--name", "--unit"},
    "check": {"--round"},
    "check series": {"--key", "--period", "--value"},
    "release": {"--round", "--provisional"},
    "exposure": {"--release"},
    "indicators": {
        "--origin", "--destination", "--persons", "--period", "--distance", "--population", "--area", "--at-risk",
        "--days", "--release",
    },
    "fit": {"--origin", "--destination", "--persons", "--row-margins", "--column-margins", "--out"},
    "flows": {
        "--source", "--round", "--level", "--by", "--origin", "--destination", "--persons", "--period", "--out",
        "--release",
    },
    "crosswalk": {"--values", "--area", "--value", "--weights", "--out"},
    "export": {"--format", "--out", "--release"},
    "serve": {"--port", "--no-browser"},
    "desk": {"--port", "--no-browser"},
    "demo": {"--no-serve", "--seed", "--size", "--areas"},
}  # fmt: skip
"""Commands and the options each must have; every one has --workspace and --help besides."""
REPORTING = (
    "areas list",
    "areas check",
    "round list",
    "round status",
    "round close",
    "round waive",
    "enumerators load",
    "enumerators list",
    "returns import",
    "returns map",
    "returns pull odk",
    "returns pull kobo",
    "check",
    "check series",
    "release",
    "exposure",
    "indicators",
    "crosswalk",
    "fit",
    "flows",
)
"""Commands that must answer in JSON when asked."""
WITHOUT_WORKSPACE = {"init", "demo", "returns map", "check series", "fit"}


def leaves() -> dict[str, object]:
    """Return the commands by their full name, as the command line itself knows them."""
    from typer.main import get_command

    from dtm.cli import app

    found: dict[str, object] = {}

    def walk(command, words):
        children = getattr(command, "commands", None)
        if children is None or command.invoke_without_command:
            found[" ".join(words)] = command
        if children is not None:
            for name, child in children.items():
                walk(child, [*words, name])

    walk(get_command(app), [])
    return found


def options_of(command) -> set[str]:
    return {name for param in command.params for name in (*param.opts, *param.secondary_opts) if name.startswith("--")}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_has_its_options(name):
    command = leaves()[name]
    wanted = COMMANDS[name] | (set() if name in WITHOUT_WORKSPACE else {"--workspace"})
    assert wanted - options_of(command) == set()


@pytest.mark.parametrize("name", REPORTING)
def test_reporting_commands_answer_in_json(name):
    assert "--json" in options_of(leaves()[name])


def test_every_help_shows_an_example():
    def text(command):
        return re.sub(r"\s+", " ", f"{command.help} {command.epilog}")

    bare = [name for name, command in leaves().items() if f"xample: dtm {name}" not in text(command)]
    assert bare == []


def documented_commands() -> list[str]:
    """Return the lines of the pages' shell blocks that call the command line, continued lines joined."""
    lines = []
    for page in ("README.md", "CONTRIBUTING.md", "docs/architecture.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for block in re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
            lines += block.replace("\\\n", " ").splitlines()
        lines += re.findall(r"`((?:dtm|make) [a-z][^`]*)`", text)
    return [line.split(" #")[0].strip() for line in lines]


@pytest.mark.parametrize("line", sorted({line for line in documented_commands() if line.startswith("dtm ")}))
def test_documented_commands_exist(line):
    words = line.split()[1:]
    known = leaves()
    name = next((" ".join(words[:n]) for n in (3, 2, 1) if " ".join(words[:n]) in known), None)
    groups = {" ".join(name.split()[:n]) for name in known for n in range(1, name.count(" ") + 1)}
    if name is None and " ".join(words) in groups:
        return
    assert name is not None, f"no such command: {line}"
    used = {word.split("=")[0] for word in words if word.startswith("--") and word != "--help"}
    assert used - options_of(known[name]) == set()


def test_documented_make_targets_exist():
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    used = {
        line.split()[1] for line in documented_commands() if line.startswith("make ") and "=" not in line.split()[1]
    }
    assert {"demo", "test", "lint", "bench"} <= targets
    assert used - targets == set()


def test_every_target_is_phony_and_explained():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", text, flags=re.MULTILINE))
    assert set(re.findall(r"^\.PHONY: (\S+)", text, flags=re.MULTILINE)) == targets
    assert set(re.findall(r"^([a-z][a-z-]*):.*## \S", text, flags=re.MULTILINE)) == targets


def test_continuous_integration_runs_make_test_and_nothing_else():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    code = [line for line in lines if line and not line.startswith("#")]
    assert code == ["set -euo pipefail", 'cd "$(dirname "${BASH_SOURCE[0]}")/.."', "make test"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111

"""Hold the places that name dependencies together: pyproject, the conda environment and the lock files."""

from __future__ import annotations

import re
import sys

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.project._tree import ROOT, imported_modules, pyproject, python_files

CONDA_NAMES = {"brotli-python": "brotli"}
"""Names on conda-forge that differ from those of the Python package index."""
CONDA_ONLY = {"python", "pip", "setuptools"}


def declared(*extras: str) -> dict[str, Requirement]:
    project = pyproject()["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


def conda_lines() -> list[str]:
    """Read the lists of environment.yml, which has no other shape than this."""
    text = (ROOT / "environment.yml").read_text(encoding="utf-8").split("dependencies:\n", 1)[1]
    lines = [line.strip().removeprefix("- ") for line in text.splitlines() if line.strip() and "#" not in line]
    return [line for line in lines if line != "pip:"]


def conda_requirements() -> dict[str, Requirement]:
    found = [Requirement(line) for line in conda_lines()]
    return {canonicalize_name(CONDA_NAMES.get(r.name, r.name)): r for r in found}


def locked(name: str) -> dict[str, list[tuple[Requirement, int]]]:
    """Return the pins of a lock file, each with the number of its hashes."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("\\\n", " ")
    pins: dict[str, list[tuple[Requirement, int]]] = {}
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            requirement = Requirement(line.split(" --hash=")[0].strip())
            hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}(?=\s|$)", line)
            pins.setdefault(canonicalize_name(requirement.name), []).append((requirement, len(hashes)))
    return pins


def test_conda_users_get_the_same_set():
    ours = {name: (str(r.specifier), str(r.marker)) for name, r in declared("test", "lint").items()}
    theirs = {
        name: (str(r.specifier), str(r.marker)) for name, r in conda_requirements().items() if name not in CONDA_ONLY
    }
    assert theirs == ours


def test_conda_names_no_package_twice():
    names = [Requirement(line).name for line in conda_lines()]
    assert sorted(set(names)) == sorted(names)


def test_conda_asks_for_the_same_python_and_build_tool():
    conda = conda_requirements()
    assert str(conda["python"].specifier) == pyproject()["project"]["requires-python"]
    assert [str(conda["setuptools"])] == pyproject()["build-system"]["requires"]


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_every_locked_package_is_pinned_and_hashed(name):
    pins = locked(name)
    assert len(pins) > 50
    loose = [
        str(r) for found in pins.values() for r, hashes in found if not hashes or not str(r.specifier).startswith("==")
    ]
    assert loose == []


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_lock_files_name_no_index(name):
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert not re.search(r"://|^\s*--?(?!hash=)[a-z]", text, flags=re.MULTILINE)


@pytest.mark.parametrize(("name", "extras"), [("run.txt", ()), ("dev.txt", ("test", "lint"))])
def test_the_lock_satisfies_pyproject(name, extras):
    pins = locked(name)
    for package, requirement in declared(*extras).items():
        assert package in pins, f"{package} is not in requirements/{name}: run make lock"
        for pin, _ in pins[package]:
            version = next(iter(pin.specifier)).version
            assert requirement.specifier.contains(Version(version)), f"{pin} does not satisfy {requirement}"


def test_running_uses_the_versions_that_were_tested():
    run, dev = locked("run.txt"), locked("dev.txt")
    differing = {
        name for name in run if {str(r.specifier) for r, _ in run[name]} != {str(r.specifier) for r, _ in dev[name]}
    }
    assert differing == set()


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_the_build_tool_is_locked_so_that_the_project_installs_without_a_download(name):
    build_tool = Requirement(pyproject()["build-system"]["requires"][0])
    (pin, _hashes), *_ = locked(name)[build_tool.name]
    assert build_tool.specifier.contains(next(iter(pin.specifier)).version)


def test_engine_and_extension_are_pinned_to_one_version():
    ours = declared()
    assert str(ours["duckdb"].specifier) == str(ours["duckdb-extension-spatial"].specifier)
    marker = ours["duckdb-extension-spatial"].marker
    wheels = [("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64"), ("Windows", "AMD64")]
    base = default_environment()
    assert all(marker.evaluate({**base, "platform_system": s, "platform_machine": m}) for s, m in wheels)
    assert not marker.evaluate({**base, "platform_system": "Darwin", "platform_machine": "x86_64"})


def test_every_import_is_a_declared_dependency():
    """Read the packages' imports; what only comes along with another dependency may go away with it."""
    names = {"python_calamine": "python-calamine", "flask_compress": "flask-compress", "tomli_w": "tomli-w"}
    names |= {"dash_ag_grid": "dash-ag-grid", "dash_mantine_components": "dash-mantine-components"}
    comes_with = {"flask": "dash", "werkzeug": "dash", "click": "typer"}
    ours = {"geodata", "enumerations", "dtm", "dashboard"}
    missing = set()
    for path in python_files(*sorted(ours)):
        package = ".".join(path.relative_to(ROOT).parent.parts)
        for module in imported_modules(path.read_text(encoding="utf-8"), package=package):
            top = module.split(".")[0]
            if top and top not in sys.stdlib_module_names and top not in ours:
                name = canonicalize_name(comes_with.get(top, names.get(top, top)))
                if name not in declared():
                    missing.add((top, str(path.relative_to(ROOT))))
    assert missing == set()

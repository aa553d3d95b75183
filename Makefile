# Set up, run, test and check the project. `make help` lists the targets.
#
# Everything goes into a virtual environment of the checkout (.venv). The packages come from the lock files in
# requirements/, every one checked against its hash, and the project itself is installed with the locked setuptools,
# so that nothing unpinned is downloaded. Give another interpreter with `make demo PYTHON=python3.12`.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8050
WORKSPACE ?= demo-workspace
WORKERS ?= 2
PYTEST_ARGS ?=
BENCHMARKS ?= locate import import-kobo import-checks flows indicators crosswalk fit
UV ?= uv

BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev
# A file's tests stay together, in the order that tests/conftest.py gives: the longest files first.
SPREAD := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
CODE := dtm geodata enumerations dashboard benchmarks tests
PIP := $(BIN)/python -m pip --disable-pip-version-check
BROWSERS := chromium chromium-browser google-chrome google-chrome-stable

# Make an environment unless a working one is there; say plainly what is missing.
define make_venv
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
	  echo "Python 3.11 or newer is needed; '$(PYTHON)' is not that, or is not there." >&2; \
	  echo "Install it (Debian, Ubuntu: apt-get install python3 python3-venv), or name another: make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c "import ensurepip, venv" 2>/dev/null || { \
	  echo "Python's venv module is not complete. Install it (Debian, Ubuntu: apt-get install python3-venv), then run make again." >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
endef

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# The demonstration is built in build/ and moved to its place when it is whole, so a stopped build leaves nothing half done.
.PHONY: demo
demo: $(RUN_STAMP) ## Set everything up and open the dashboard on demonstration data at 127.0.0.1:8050
	@if [ ! -e "$(WORKSPACE)" ]; then \
	  rm -rf build/demo-workspace && mkdir -p build && \
	  $(BIN)/dtm demo build/demo-workspace --no-serve && \
	  mv build/demo-workspace "$(WORKSPACE)"; \
	fi
	@$(BIN)/dtm serve --workspace "$(WORKSPACE)" --port $(PORT)

.PHONY: install
install: $(RUN_STAMP) ## Install what running needs into .venv, from the lock file

.PHONY: install-dev
install-dev: $(DEV_STAMP) ## Install what development needs too

$(RUN_STAMP): requirements/run.txt pyproject.toml
	$(make_venv)
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(DEV_STAMP): requirements/dev.txt requirements/run.txt pyproject.toml
	$(make_venv)
	$(PIP) install --require-hashes -r requirements/dev.txt
	$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@touch $(RUN_STAMP) $@

.PHONY: test
test: $(DEV_STAMP) browser ## Run all tests (PYTEST_ARGS=... passes options on, WORKERS=0 runs them in one process)
	$(BIN)/python -m pytest $(SPREAD) $(PYTEST_ARGS)

.PHONY: browser
browser: ## Install Chromium for the dashboard's tests if there is none (Debian, as root)
	@for name in $(BROWSERS); do if command -v $$name >/dev/null 2>&1; then exit 0; fi; done; \
	distribution=$$(. /etc/os-release 2>/dev/null && echo "$$ID"); \
	if [ "$$(id -u)" = 0 ] && [ "$$distribution" = debian ]; then \
	  export DEBIAN_FRONTEND=noninteractive; \
	  apt-get update -q && apt-get install -y -q --no-install-recommends chromium fonts-dejavu-core; \
	else \
	  echo "The dashboard's tests drive a browser, and no Chromium or Google Chrome was found. Install one, then run make test again:" >&2; \
	  echo "  Debian:  sudo apt-get install chromium fonts-dejavu-core" >&2; \
	  echo "  Ubuntu:  sudo snap install chromium, or Google's package google-chrome-stable (in a container: Google's package)" >&2; \
	  echo "Without a browser the other tests run with: make test-no-browser" >&2; \
	  exit 1; \
	fi

.PHONY: test-no-browser
test-no-browser: $(DEV_STAMP) ## Run the tests that need no browser
	$(BIN)/python -m pytest $(SPREAD) -m "not browser" $(PYTEST_ARGS)

.PHONY: bench
bench: $(DEV_STAMP) ## Measure against the usual tools; one JSON line each (BENCHMARKS="locate" runs one)
	@for name in $(BENCHMARKS); do $(BIN)/python -m benchmarks $$name --json || exit 1; done

.PHONY: lint
lint: $(DEV_STAMP) ## Check style and types
	$(BIN)/python -m ruff check $(CODE)
	$(BIN)/python -m ruff format --check $(CODE)
	$(BIN)/python -m mypy -p dtm -p geodata -p enumerations

.PHONY: dictionary
dictionary: $(RUN_STAMP) ## Write docs/dictionary.md from the declared tables
	$(BIN)/python -m dtm.dictionary docs/dictionary.md

.PHONY: checks
checks: $(RUN_STAMP) ## Write docs/checks.md, the catalogue of checks, from the code
	$(BIN)/python -m dtm.check_catalogue docs/checks.md

# Universal: one file for every platform and Python from 3.11 on. The run lock takes its versions from the dev lock.
.PHONY: lock
lock: ## Write the lock files anew from pyproject.toml (needs uv: pip install uv)
	@command -v $(UV) >/dev/null 2>&1 || { echo "uv is not installed. Install it (pip install uv), or name it: make lock UV=path/to/uv" >&2; exit 1; }
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	  --generate-hashes --extra test --extra lint --output-file requirements/dev.txt
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	  --generate-hashes --constraint requirements/dev.txt --output-file requirements/run.txt

.PHONY: clean
clean: ## Remove what make made: environment, caches, demonstration
	rm -rf $(VENV) $(WORKSPACE) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

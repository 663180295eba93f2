# make run    the site with its demonstration data, on 127.0.0.1 (port: PORT, 8000; data: CALLCENTRE_DATA_DIR, var/)
# make test   everything that CI runs: the checks, then every test, in a real Chromium and on both databases
# make check  lint, types, import contracts, and templates: quick, without a database
# make bench  the measurements of docs/performance.md
# make screenshots takes the pictures of the README anew
# make softphone installs the provider's script for telephoning in the browser (needs npm; without it, officers are rung)
# make format lays the code out;  make lock  compiles the requirement files anew

SHELL := /bin/bash
PYTHON := $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEVELOPMENT := $(VENV)/.development-installed
TESTS ?= tests

export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run test check bench format lock browser screenshots softphone
.DEFAULT_GOAL := run

run: $(RUNTIME)
	@exec $(BIN)/python -m workers.launch

test: check browser
	$(BIN)/python -m pytest -n 3 --dist worksteal $(TESTS)

check: $(DEVELOPMENT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/djlint --lint --quiet callcentre/web/templates

bench: $(DEVELOPMENT)
	$(BIN)/python -m bench

screenshots: $(DEVELOPMENT) browser
	$(BIN)/python -m tests.browser.screenshots

format: $(DEVELOPMENT)
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lock: $(DEVELOPMENT)
	config/lock $(BIN)/python

softphone:
	npm ci --prefix client --ignore-scripts --no-audit --no-fund

browser:
	@config/install-browser

# Each stamp is newer than the requirement files that it was made from.
$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install python3.11." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed; $(PYTHON) is older: install python3.11." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	    { rm -rf $(VENV); echo "The virtual environment could not be made: install python3.11-venv." >&2; exit 1; }

$(RUNTIME): requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	@touch $@

$(DEVELOPMENT): requirements.txt config/requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt -r config/requirements-dev.txt
	@touch $(RUNTIME) $@

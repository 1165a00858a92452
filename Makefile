PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
LOCK_WITH := pip compile --universal --generate-hashes --no-header --no-emit-index-url --quiet --python-version 3.11

# A stamp says which lock file the virtual environment has been brought to.
INSTALLED := $(VENV)/installed
TEST_TOOLS := $(VENV)/test-tools
# Each of a run's many processes would compile every test, where the environment says to keep no bytecode.
KEEPING_BYTECODE := PYTHONDONTWRITEBYTECODE=
TEXTS := $(wildcard bot/texts/locale/*/LC_MESSAGES/*.po)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help install demo test check explore format bench lock texts

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

install: $(INSTALLED) texts ## create .venv with the locked dependencies and the chotdon command

demo: install ## start everything on this machine and place a first order; Ctrl-C stops it
	@exec $(BIN)/chotdon demo

test: $(TEST_TOOLS) texts ## run every test; ARGS="-k confirm" picks some
	@$(KEEPING_BYTECODE) $(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

check: $(TEST_TOOLS) texts ## format, lint, types, import contracts, then every test
	@$(BIN)/ruff format --check --quiet || { echo "Run make format."; exit 1; }
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory test

explore: $(TEST_TOOLS) texts ## look for what breaks the properties, with new examples and many of them
	@CHOTDON_TEST_EXAMPLES=explore $(BIN)/python -m pytest -n 2 -m hypothesis $(ARGS)

format: $(TEST_TOOLS) ## lay out the code and mend what can be mended by itself
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

bench: $(TEST_TOOLS) texts ## measure this machine, and this product on it
	@$(BIN)/python -m bench $(ARGS)

lock: ## renew requirements.lock and requirements-dev.lock from pyproject.toml
	@set -e; tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; \
	$(PYTHON) -m venv "$$tools"; \
	"$$tools/bin/pip" --disable-pip-version-check --quiet install uv; \
	"$$tools/bin/uv" $(LOCK_WITH) pyproject.toml --output-file requirements.lock; \
	"$$tools/bin/uv" $(LOCK_WITH) pyproject.toml --extra dev --constraint requirements.lock \
		--output-file requirements-dev.lock

texts: $(TEXTS:.po=.mo)

%.mo: %.po | $(BIN)/pybabel
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@

$(BIN)/pybabel: | $(INSTALLED)

$(INSTALLED): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what requirements.lock names into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

# The tools include all that the product needs, so this one does for both.
$(TEST_TOOLS): requirements-dev.lock requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what requirements-dev.lock names into $(VENV) ..."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --editable .
	@touch $(INSTALLED) $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Chốt Đơn needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# Every command of the project, one line each: `make help`.
# Needs Python 3.11 or later, make and pip; everything else comes as wheels into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# Some environments forbid Python to keep what it compiles. A floor is fourteen processes, and each would compile the
# libraries that it imports: the start takes 45 s in place of 20.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input
PINNED := install --quiet --quiet --no-compile --constraint constraints.txt
PEERS := bench/peers/.venv
CODE := outcry actors deployments training configs cli bench tests

# Set PYTHON to choose the interpreter; otherwise the first one that is new enough.
PYTHON ?= $(shell for each in python3.11 python3.12 python3.13 python3 python; do \
	if $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$each; break; fi; done)

# Two processes, a file at a time, in the order of testpaths: what starts Ray takes longest and comes first, and one
# process has all scenarios (tests/conftest.py).
SPREAD := --numprocesses 2 --dist loadscope --no-loadscope-reorder

# Handed on to the command: make run ARGS="--symbols 20", make test ARGS="-k drawdown".
ARGS ?=
ONLY ?=

.PHONY: help
help: ## list the commands
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)$$/\1\t\2/p' Makefile | while IFS=$$'\t' read -r name text; do \
		printf '  make %-10s %s\n' "$$name" "$$text"; done

.PHONY: run
run: $(VENV)/.installed-run ## train, serve and trade the sample on this machine, with a report at the end (ARGS=…)
	@$(VENV)/bin/outcry run $(ARGS)

.PHONY: test
test: kernels ## run every test (ARGS="-k name")
	@$(PY) -m pytest $(SPREAD) $(ARGS)

.PHONY: unit
unit: kernels ## run the tests that start nothing
	@$(PY) -m pytest $(SPREAD) tests/unit $(ARGS)

.PHONY: kernels
kernels: $(VENV)/.installed-test ## compile the feature kernels: a minute once, then a second
	@$(VENV)/bin/outcry features compile

.PHONY: lint
lint: $(VENV)/.installed-test ## check format and lint
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/ruff check --quiet .

.PHONY: format
format: $(VENV)/.installed-test ## format the code and apply the safe fixes
	@$(VENV)/bin/ruff format --quiet .
	@$(VENV)/bin/ruff check --fix --quiet .

.PHONY: types
types: $(VENV)/.installed-test ## check the types, strictly
	@$(VENV)/bin/mypy

.PHONY: imports
imports: $(VENV)/.installed-test ## check which package may import which
	@$(VENV)/bin/lint-imports

.PHONY: bench
bench: $(VENV)/.installed-test ## measure against the goals (ONLY=features for a part)
	@$(PY) -m bench $(if $(ONLY),--only $(ONLY)) $(ARGS)

.PHONY: peers
peers: $(VENV)/.installed-test $(PEERS)/pandas2/.installed $(PEERS)/pandas3/.installed ## trade the same bars in four other backtesters (10 minutes)
	@$(PY) -m bench.peers.compare $(ARGS)

.PHONY: install
install: $(VENV)/.installed-test ## make .venv with everything that the tests need

.PHONY: clean
clean: ## remove .venv and what the tools left; runs and bundles in .outcry stay
	rm -rf $(VENV) $(PEERS) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis bench/results build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written last, so an interrupted set-up starts again. An interpreter without ensurepip borrows its own pip.
$(VENV)/.made:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or later is needed and was not found; make PYTHON=/path/to/python names one" >&2; exit 1; fi
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@rm -rf $(VENV)
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then $(PYTHON) -m venv $(VENV); \
		else $(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $(PY) $(PINNED) pip; fi
	@$(PIP) $(PINNED) pip setuptools
	@touch $@

$(VENV)/.installed-run: pyproject.toml constraints.txt | $(VENV)/.made
	@echo "installing outcry (about a minute the first time)"
	@$(PIP) $(PINNED) --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt | $(VENV)/.made
	@echo "installing outcry and its test tools (about a minute the first time)"
	@$(PIP) $(PINNED) --no-build-isolation --editable '.[test]'
	@touch $(VENV)/.installed-run $@

# The peers want different versions of pandas: two environments, filled by the pip of this one.
PEERS_pandas2 := nautilus_trader backtesting backtrader
PEERS_pandas3 := 'vectorbt[rust]'
$(PEERS)/%/.installed: bench/peers/constraints-%.txt | $(VENV)/.installed-test
	@echo "installing $(PEERS_$*) in $(@D) (minutes the first time)"
	@rm -rf $(@D)
	@$(PY) -m venv --without-pip $(@D)
	@$(PIP) --python $(@D)/bin/python install --quiet --quiet --constraint $< $(PEERS_$*)
	@touch $@

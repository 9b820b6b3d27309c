# Targets: venv, test, lit, lit-plain, unit, lint, format, demo, bench, clean
.DEFAULT_GOAL := test
.PHONY: venv test lit lit-plain unit lint format demo bench clean

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.axir-installed

venv: $(STAMP)

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || test -n "$(PYTHON)" || { echo "error: Python >= 3.11 is needed; make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[test]'
	@touch $@

# lit first, so that the last line is pytest's summary.
test: $(STAMP)
	@status=0; \
	$(BIN)/lit --param inproc=1 -q test || status=1; \
	$(BIN)/python -m pytest -q || status=1; \
	exit $$status

lit: $(STAMP)
	@$(BIN)/lit --param inproc=1 -v test

lit-plain: $(STAMP)
	@$(BIN)/lit -v test

unit: $(STAMP)
	@$(BIN)/python -m pytest -q

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright

format: $(STAMP)
	@$(BIN)/ruff check --fix-only -q .
	@$(BIN)/ruff format -q .

demo: $(STAMP)
# One thread: the digits' matrices are too small to share.
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python examples/digits/demo.py

bench: $(STAMP)
	@$(BIN)/python bench/run.py

clean:
	rm -rf build dist *.egg-info test/_out .pytest_cache .ruff_cache

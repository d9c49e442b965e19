# Two commands: `make run` and `make test`.  Both work on a fresh checkout and install nothing twice.

PYTHON ?= python3
FILE   ?= examples/hello.dora
ARGS   ?=
BIN    := .venv/bin

SEED   ?= 1
COUNT  ?= 1000

.PHONY: setup run test fuzz format check-format types unit clean

setup: .venv/.installed

.venv/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[asm]'
	@touch $@

.venv/.test-installed: .venv/.installed pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

run: setup
	$(BIN)/dora run $(FILE) $(ARGS)

test: .venv/.test-installed check-format types unit

check-# Random programs under all engines: `make fuzz SEED=1 COUNT=1000`.
fuzz: .venv/.test-installed
	$(BIN)/python tests/fuzz/compare.py --seed $(SEED) --count $(COUNT)

format: .venv/.test-installed
	$(BIN)/ruff format --check src tests
	$(BIN)/ruff check src tests

types: .venv/.test-installed
	$(BIN)/mypy

unit: .venv/.test-installed
	$(BIN)/python -m pytest -n 2 tests

format: .venv/.test-installed
	$(BIN)/ruff format src tests
	$(BIN)/ruff check --fix src tests

clean:
	rm -rf .venv build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

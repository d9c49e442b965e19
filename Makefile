# Two commands: `make run` and `make test`.  Both work on a fresh checkout and install nothing twice.
# `make bench` compares with other languages, `make bench BENCH="fannkuch fib" RUNS=5 FLAGS=--quick`.

PYTHON ?= python3
FILE   ?= examples/hello.dora
ARGS   ?=
BENCH  ?=
RUNS   ?= 3
FLAGS  ?=
SEED   ?= 1
COUNT  ?= 1000
BIN    := .venv/bin

.PHONY: setup run test test-all test-libraries fuzz fuzz-gc fuzz-stored fuzz-arrays fuzz-formulas fuzz-mathematics format check-format types unit bench bench-gc bench-compile \
	bench-startup bench-engines bench-embed bench-library clean

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

check-format: .venv/.test-installed
	$(BIN)/ruff format --check src tests bench tools
	$(BIN)/ruff check src tests bench tools

types: .venv/.test-installed
	$(BIN)/mypy
	MYPYPATH=bench $(BIN)/mypy bench/*.py tools/*.py

unit: .venv/.test-installed
	$(BIN)/python -m pytest -n 2 tests

# All tests, the many like ones too of which `make test` runs some.
test-all: .venv/.test-installed
	DORA_EVERY_TEST=1 $(BIN)/python -m pytest -n 2 tests

# The libraries of others that formulas and functions work with, in an environment of its own (some 2 GB).
test-libraries: .venv-libraries/.installed
	.venv-libraries/bin/python -m pytest tests/embed/test_libraries.py tests/embed/test_frames.py tests/embed/test_arrow.py tests/embed/test_embedding_docs.py

.venv-libraries/.installed: pyproject.toml
	test -x .venv-libraries/bin/python || $(PYTHON) -m venv .venv-libraries
	.venv-libraries/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[libraries]'
	@touch $@

# Random programs and formulas under all engines: `make fuzz SEED=1 COUNT=1000`.
fuzz: .venv/.test-installed
	$(BIN)/python tests/fuzz/compare.py --seed $(SEED) --count $(COUNT)
	$(BIN)/python tests/fuzz/expressions.py --seed $(SEED) --count $$((10 * $(COUNT)))
	$(BIN)/python tests/fuzz/expressions.py --seed $(SEED) --count $(COUNT) --languages c

# Random shapes, strides, kinds and overlaps of arrays against NumPy, in five tests of so many cases.
fuzz-arrays: .venv/.test-installed
	DORA_CASES=$(COUNT) $(BIN)/python -m pytest -n 2 tests/embed/test_arrays.py tests/embed/test_packed_formulas.py -k "shapes_strides or overlap or close_arrays"

# The direct path of formulas against the tree walk.
fuzz-formulas: .venv/.test-installed
	$(BIN)/python tests/fuzz/formulas.py --seed $(SEED) --count 1000000

# Fast mathematics over arrays against extended precision.
fuzz-mathematics: .venv/.test-installed
	$(BIN)/python tests/fuzz/mathematics.py --seed $(SEED) --points 1000000

# Random programs with every collector, under stress and verified.
fuzz-gc: .venv/.test-installed
	$(BIN)/python tests/fuzz/compare.py --seed $(SEED) --count $(COUNT) --collectors

# Random programs of several paths, with code stored by runs that took other paths.
fuzz-stored: .venv/.test-installed
	$(BIN)/python tests/fuzz/stored.py --seed $(SEED) --count $(COUNT)

format: .venv/.test-installed
	$(BIN)/ruff format src tests bench tools
	$(BIN)/ruff check --fix src tests bench tools

bench: setup
	$(BIN)/python bench/run.py $(BENCH) --runs $(RUNS) $(FLAGS)

# The collectors against each other: `make bench-gc BENCH=live RUNS=5`.
bench-gc: setup
	$(BIN)/python bench/collectors.py $(BENCH) --runs $(RUNS) $(FLAGS)

bench-compile: setup
	$(BIN)/python bench/compile_speed.py $(FLAGS)

bench-startup: setup
	$(BIN)/python bench/startup.py $(FLAGS)

bench-engines: setup
	$(BIN)/python bench/engines.py $(FLAGS)

# Maps, sorting and chains of iterators against those of other languages: `make bench-library BENCH="maps sorting"`.
bench-library: setup
	$(BIN)/python bench/library.py $(BENCH) --runs $(RUNS) $(FLAGS)

# Calls, formulas, arrays and memory inside Python: `make bench-embed FLAGS="--quick calls"`.
bench-embed: setup
	$(BIN)/python bench/embed.py $(FLAGS)

clean:
	rm -rf .venv .venv-libraries .bench build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

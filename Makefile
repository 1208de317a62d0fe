# make run   install what a study needs, and run the four cases on the shipped fieldwork set
# make test  install what the tests need, and run the whole suite
# make quick the suite without its slow tests
PYTHON ?= python3
BIN := .venv/bin
# A file's tests stay together: what they share is made once.
CORES := -n auto --dist loadfile
export DO_NOT_TRACK = 1
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test quick check clean

run: .venv/.run
	$(BIN)/veldwerk study

test: .venv/.test
	$(BIN)/python -m pytest $(CORES)

quick: .venv/.test
	$(BIN)/python -m pytest $(CORES) -m "not slow"

check: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# constraints.txt lists the whole closure, so --no-deps installs it and nothing else.
.venv/.run: constraints.txt pyproject.toml
	@echo "Making .venv and installing the pinned packages (a few minutes, once) ..."
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --no-deps -r constraints.txt
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

.venv/.test: .venv/.run constraints-dev.txt
	@echo "Installing the pinned test packages ..."
	$(PIP) --no-deps -r constraints-dev.txt
	touch $@

clean:
	rm -rf .venv build dist *.egg-info

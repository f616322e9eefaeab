# Every target sets up what it needs in .venv; the second run finds it done.

.DEFAULT_GOAL := help
.NOTPARALLEL:
# What is compiled is kept: else every process would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help demo test lint types format docs pictures bench matrix prove lock clean .venv

ARGS ?=
BIN := .venv/bin
# Twice quiet: errors show, warnings do not.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet

usable = $(shell $(1) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1 && echo $(1))
PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3,$(call usable,$(name))))

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z.]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  ARGS='…' is handed on: make test ARGS='-k receipt', make demo ARGS=--no-serve"
	@echo "  PYTHON=… chooses the Python (3.11 or newer) that .venv is made with"

demo: .venv/stamps/demo ## Hand in files, lose one, restore it; import tables; serve the example
	$(BIN)/python manage.py demo $(ARGS)

# What takes long runs in CI, or with ARGS='-m "long or processes"'.
test: .venv/stamps/test ## Run the tests on SQLite (DELIVERYSTORE_TEST_DB=postgresql: there)
	$(BIN)/python -m pytest -m "not long and not package and not processes" $(ARGS)

lint: .venv/stamps/lint ## Check style, format and the floors of the house
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types: .venv/stamps/test .venv/stamps/lint ## Check the types
	$(BIN)/mypy

format: .venv/stamps/lint ## Put the code in its format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: .venv/stamps/docs ## Build the documentation; a warning is an error
	$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet docs docs/_build/html $(ARGS)
	@echo "The documentation is in docs/_build/html/index.html."

pictures: .venv/stamps/test ## Take the pictures of the documentation anew
	DELIVERYSTORE_PICTURES=docs/images $(BIN)/python -m pytest -m browser \
		tests/example_project/test_staff_browser.py tests/example_project/test_gallery.py

bench: .venv/stamps/test .venv/stamps/bench ## Measure the promises that have a number
	$(BIN)/python -m benchmarks $(ARGS)

# tox chooses Django itself; every other package is pinned there too.
matrix: .venv/stamps/dev ## Run the tests on every supported Python and Django
	@mkdir -p .tox
	@grep --invert-match '^django==' constraints.txt > .tox/constraints.txt
	$(BIN)/tox run-parallel --parallel 2 $(ARGS)

prove: .venv/stamps/test ## Try power cuts, kills, faults and damages in full (half an hour)
	DELIVERYSTORE_EXAMPLES=1000 $(BIN)/python -m pytest tests -k properties
	$(BIN)/python -m tests.durability
	$(BIN)/python -m tests.checking
	$(BIN)/python -m tests.proofs.imports
	$(BIN)/python -m tests.proofs.spool

lock: .venv/stamps/dev ## Pin the newest versions in constraints.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
		--all-extras --group test --group lint --group docs --group bench --group dev \
		--no-annotate --no-header --output-file constraints.txt pyproject.toml >/dev/null

clean: ## Remove all that can be made again
	rm -rf .venv .tox .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache \
		.coverage .coverage.* build dist docs/_build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv: .venv/stamps/test .venv/stamps/lint .venv/stamps/docs .venv/stamps/dev ## Install all tools

.venv/bin/python:
	@test -n "$(PYTHON)" || { \
		echo "No Python 3.11 or newer with its venv module was found (Debian: python3-venv)." >&2; \
		echo "Install one, or name it: make PYTHON=/path/to/python3.11" >&2; \
		exit 1; \
	}
	@echo "Installing into .venv (about a minute) …"
	@$(PYTHON) -m venv --clear .venv

.venv/stamps/pip: .venv/bin/python
	@$(PIP) install --no-compile --constraint constraints.txt pip
	@mkdir -p $(@D)
	@touch $@

.venv/stamps/%: .venv/stamps/pip pyproject.toml constraints.txt
	@echo "Installing what the group '$*' needs …"
	@$(PIP) install --no-compile --constraint constraints.txt --build-constraint constraints.txt \
		--editable '.[all]' --group $*
	@touch $@

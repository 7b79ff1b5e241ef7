# Each command sets up all it needs, in a virtual environment of its own; only Python and make are needed.
PYTHON ?= python3
JOBS ?= 3
EXAMPLES ?= 200
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TOOLS := $(VENV)/tools
EXTRAS := bench,database,embedded,letters,reports,review,test,workbench
LOCKS := docker/requirements
LOCK = $(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate $(if $(PIP_INDEX_URL),--default-index $(PIP_INDEX_URL))
# Files of tests side by side, those with servers of their own first: they wait more than they work.
PYTEST = $(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=loadfile --no-loadscope-reorder

# Compiled modules are kept: the tests start hundreds of processes, and each would compile them again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-all test-unit test-functional test-generative test-faults test-browser \
	test-containers test-pythons check docs bench score hooks lock audit clean

demo: $(STAMP)
	$(BIN)/foidex demo

# What every push must pass: one fault of each kind, and few sets of data, always the same.
test: $(STAMP)
	$(PYTEST) -m "not long"

# What a release must pass: every fault, many kills, many sets of data, containers and a short benchmark.
test-all: $(STAMP)
	EXAMPLES=$(EXAMPLES) $(PYTEST)
	$(MAKE) test-pythons
	$(MAKE) test-containers
	$(MAKE) bench ARGS="$(BENCH)"

# What test-all runs of the benchmark: that it runs, not how fast.
BENCH ?= --quick

test-unit: $(STAMP)
	$(PYTEST) $(MARKS) tests/unit

test-functional: $(STAMP)
	$(PYTEST) tests/functional

test-generative: $(STAMP)
	$(PYTEST) tests/generative

test-faults: $(STAMP)
	$(PYTEST) tests/faults

test-browser: $(STAMP)
	$(PYTEST) tests/browser

# Skips itself, with its reason, where no Docker engine answers.
test-containers: $(STAMP)
	$(BIN)/python -m pytest tests/container --timeout=900

# The unit tests on the other Pythons that pyproject.toml names, each where this machine has it.
test-pythons:
	@$(PYTHON) .ci/pythons.py | while read -r version python; do \
		$(MAKE) --no-print-directory test-unit MARKS='-m "not long"' VENV=$(VENV)-$$version PYTHON=$$python \
			EXTRAS=database,embedded,letters,reports,review,test,workbench </dev/null || exit 1; \
	done

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

# Lets git run the checks before every commit.
hooks: $(STAMP)
	$(BIN)/pre-commit install

# The commands and exit codes in docs/command-line.md; a test compares them with the program.
docs: $(STAMP)
	$(BIN)/python -m tests.support.command_reference

# Drafts of letters against what right drafts hold; other letters: make score LETTERS=FOLDER
score: $(STAMP)
	$(BIN)/python -m tests.score $(LETTERS)

bench: $(STAMP)
	$(BIN)/python -m tests.bench $(ARGS)

# What the images are built from, each package with its hashes. Keeps what is pinned and still fits;
# to take newer ones: make lock UPGRADE=--upgrade
lock: $(TOOLS)
	$(LOCK) $(UPGRADE) $(LOCKS)/build.in --output-file $(LOCKS)/build.txt
	$(LOCK) $(UPGRADE) pyproject.toml --extra database --extra letters --extra reports --extra review --extra workbench --output-file $(LOCKS)/foidex.txt
	$(LOCK) $(UPGRADE) pyproject.toml --extra embedded --output-file $(LOCKS)/core.txt

# Fails for a known vulnerability; says loudly what could not be looked up.
audit: $(TOOLS)
	@for lock in foidex core build; do \
		{ $(TOOLS)/bin/pip-audit --progress-spinner off --disable-pip --require-hashes \
			--format json --requirement $(LOCKS)/$$lock.txt 2>/dev/null || true; } | \
			$(PYTHON) .ci/judge_audit.py $$lock.txt || exit 1; \
	done

$(TOOLS):
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9' 'uv>=0.9' || \
		{ rm -rf $@; exit 1; }

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "foidex needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	@touch $@

clean:
	rm -rf $(VENV) $(VENV)-3.* build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache foidex-demo

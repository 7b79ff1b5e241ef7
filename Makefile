# Each command sets up all it needs, in a virtual environment of its own; only Python and make are needed.
PYTHON ?= python3
JOBS ?= 3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TOOLS := $(VENV)/tools
LOCKS := docker/requirements
LOCK = $(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate $(if $(PIP_INDEX_URL),--default-index $(PIP_INDEX_URL))

.PHONY: demo test test-containers check bench lock audit clean

demo: $(STAMP)
	$(BIN)/foidex demo

# Files of tests side by side, those with servers first: they wait more than they work.
test: $(STAMP)
	$(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=loadfile --no-loadscope-reorder

# Skips itself, with its reason, where no Docker engine answers.
test-containers: $(STAMP)
	$(BIN)/python -m pytest tests/container --timeout=900

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python -m tests.bench $(ARGS)

# What the images are built from, each package with its hashes. Keeps what is pinned and still fits;
# to take newer ones: make lock UPGRADE=--upgrade
lock: $(TOOLS)
	$(LOCK) $(UPGRADE) $(LOCKS)/build.in --output-file $(LOCKS)/build.txt
	$(LOCK) $(UPGRADE) pyproject.toml --extra database --extra reports --output-file $(LOCKS)/foidex.txt
	$(LOCK) $(UPGRADE) pyproject.toml --extra embedded --output-file $(LOCKS)/core.txt

# Fails for a known vulnerability; says loudly what could not be looked up.
audit: $(TOOLS)
	@for lock in foidex core build; do \
		{ $(TOOLS)/bin/pip-audit --progress-spinner off --disable-pip --require-hashes \
			--format json --requirement $(LOCKS)/$$lock.txt 2>/dev/null || true; } | \
			$(PYTHON) .ci/audited $$lock.txt || exit 1; \
	done

$(TOOLS):
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9' 'uv>=0.9' || \
		{ rm -rf $@; exit 1; }

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "foidex needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench,database,embedded,reports,test]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache foidex-demo

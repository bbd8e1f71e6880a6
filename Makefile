# Two commands do everything: `make run` (the main job) and `make test` (the same environment, then the tests).
# TORCH_INDEX: a package index that holds PyTorch's CPU build, for those whose default index has only the CUDA build.
PYTHON ?= python3
TORCH_INDEX ?=
# JOBS: processes that share the tests, a file at a time.
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test lint install clean

run: install
	$(BIN)/mra-bench run $(ARGS)

# Compiled once, and not by each of the hundreds of processes that the tests start, where Python may write no bytecode.
test: install lint
	$(BIN)/python -m compileall -q mra_bench plugins
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
ifneq ($(TORCH_INDEX),)
	command -v nvidia-smi >/dev/null 2>&1 || $(BIN)/python -m pip install --index-url $(TORCH_INDEX) "$$(grep -i '^torch==' constraints.txt)"
endif
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $(STAMP)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The one door: `make train` works on a fresh checkout, with or without an NVIDIA GPU.
PYTHON ?= python3
VENV ?= .venv
RUN ?= runs/first

bin := $(VENV)/bin
sources := advmask tests benchmarks

.DEFAULT_GOAL := help
.PHONY: help train test check format bench site clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16
	@echo "Variables: PYTHON=$(PYTHON) VENV=$(VENV) RUN=$(RUN)"

train: $(VENV)/.installed ## install, then design a first mask in RUN
	$(bin)/advmask train hydra.run.dir=$(RUN)

test: $(VENV)/.installed ## the quick tests, on all cores
	$(bin)/python -m pytest -n auto

check: $(VENV)/.installed-dev ## style, format, types
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy

format: $(VENV)/.installed-dev ## put the code in form
	$(bin)/ruff format .
	$(bin)/ruff check --fix .

bench: $(VENV)/.installed ## measure the overhead of a step
	@found=; for file in benchmarks/[a-z]*.py; do \
	  [ -e "$$file" ] || continue; found=1; status=0; \
	  echo "== $$file"; $(bin)/python "$$file" || status=$$?; \
	  case $$status in 0) ;; 2) echo "== $$file needs arguments: skipped" ;; *) exit $$status ;; esac; \
	done; [ -n "$$found" ] || { echo "benchmarks/ holds no benchmark." >&2; exit 1; }

# Notebooks are kept without outputs, and shown with them.
site: export ADVMASK_NOTEBOOK_FOLDER = $(CURDIR)/build/notebooks/runs
site: export NO_MKDOCS_2_WARNING = 1
site: $(VENV)/.installed-docs ## the documentation, into build/site; runs the notebooks
	$(bin)/python -m nbconvert --execute --to notebook --output-dir build/notebooks notebooks/*.ipynb
	$(bin)/python -m mkdocs build

clean: ## remove what can be made again; runs/ and the environment stay
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find $(wildcard $(sources)) -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp file: packages are installed again only when pyproject.toml changes.
$(VENV)/.installed: pyproject.toml | $(bin)/python
	$(bin)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/.installed
	$(bin)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,dev]'
	@touch $@

$(VENV)/.installed-docs: pyproject.toml | $(VENV)/.installed
	$(bin)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs,notebooks]'
	@touch $@

$(bin)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) is not installed; advmask needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$$($(PYTHON) --version) is too old; advmask needs Python 3.11 or newer: make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Two commands on a machine with Python 3.11 or newer, make and a package index: `make demo` and `make test`.
# Everything else a target needs is installed into .venv, once, and again when pyproject.toml changes.

.SHELLFLAGS := -eu -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
VENV := .venv
PY := $(VENV)/bin/python
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
BASE := $(VENV)/.installed-base
DEV := $(VENV)/.installed-dev
BENCH := $(VENV)-bench/.installed
WORKERS ?= auto
ARGS ?=

export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
export NO_MKDOCS_2_WARNING := 1

say = @printf '\n=== %s ===\n' '$(1)'
make_venv = [ -n "$(PYTHON)" ] || { echo 'Python 3.11 or newer, with venv, is needed' >&2; exit 1; }; \
	$(1)/bin/python -c '' 2>/dev/null || "$(PYTHON)" -m venv $(1)

.PHONY: help
help: ## say what each target does
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST)

# -- what needs what ---------------------------------------------------------------------------------------------------

$(BASE): pyproject.toml
	@echo 'installing stubwire into $(VENV)'
	@$(call make_venv,$(VENV))
	@$(PY) $(PIP_INSTALL) -e .
	@touch $@

$(DEV): pyproject.toml
	@echo 'installing stubwire and the tools of its tests into $(VENV)'
	@$(call make_venv,$(VENV))
	@$(PY) $(PIP_INSTALL) -e '.[dev]'
	@touch $(BASE) $@

$(BENCH): pyproject.toml
	@echo 'installing stubwire and its peers into $(VENV)-bench'
	@$(call make_venv,$(VENV)-bench)
	@$(VENV)-bench/bin/python $(PIP_INSTALL) -e '.[bench]'
	@touch $@

# -- the two commands --------------------------------------------------------------------------------------------------

.PHONY: demo test
demo: $(BASE) ## run the GitHub client of the documentation against a server of its own
	@$(PY) -m stubwire.demo $(ARGS)

test: $(DEV) ## run the tests: both engines, both colours, every branch covered
	$(PY) -m pytest --cov -n $(WORKERS) $(ARGS)

# -- the other gates, in the order in which they fail soonest ----------------------------------------------------------

.PHONY: check lint types typing docs wheel beds
check: lint types typing docs wheel beds ## run every gate that `make test` does not

lint: $(DEV) ## ruff, as linter and as formatter
	$(call say,ruff check)
	$(PY) -m ruff check .
	$(call say,ruff format)
	$(PY) -m ruff format --check .

types: $(DEV) ## mypy and pyright, both strict
	$(call say,mypy --strict)
	$(PY) -m mypy --strict src tests benchmarks
	$(PY) -m mypy --strict examples
	$(call say,pyright strict)
	$(PY) -m pyright --warnings

typing: $(DEV) ## the public API as ty and pyrefly see it, and how much of it is typed
	$(call say,ty on the public API)
	$(VENV)/bin/ty check
	$(call say,pyrefly on the public API)
	$(VENV)/bin/pyrefly check
	$(call say,pyright --verifytypes)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(PY) -m pyright --verifytypes stubwire --ignoreexternal

docs: $(DEV) ## build the site into site/
	$(call say,mkdocs build --strict)
	$(PY) -m mkdocs build --strict --quiet

wheel: $(DEV) ## run the tests against the built wheel, on every other Python, from 3.12 on, that this machine has
	$(call say,the wheel)
	rm -rf dist
	$(PY) -m build --outdir dist . > /dev/null
	@found=; mine=$$($(PY) -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	for version in 3.12 3.13 3.14 3.15; do \
		[ "$$version" != "$$mine" ] || continue; \
		for python in "python$$version" "$$HOME"/.pyenv/versions/$$version*/bin/python$$version; do \
			"$$python" -c 'import venv, ensurepip' 2>/dev/null || continue; \
			$(MAKE) --no-print-directory wheel-$$version OTHER="$$python"; \
			found=yes; \
			break; \
		done; \
	done; \
	[ -n "$$found" ] || $(MAKE) --no-print-directory "wheel-$$mine" OTHER=$(PY)

wheel-%:
	$(call say,the tests against the built wheel on Python $*)
	@$(VENV)-$*/bin/python -c '' 2>/dev/null || "$(OTHER)" -m venv $(VENV)-$*
	$(VENV)-$*/bin/python $(PIP_INSTALL) --force-reinstall --no-deps dist/*.whl
	$(VENV)-$*/bin/python $(PIP_INSTALL) "$$(echo dist/*.whl)[test]"
	$(VENV)-$*/bin/python -c 'import stubwire; assert "site-packages" in stubwire.__file__, stubwire.__file__'
	$(VENV)-$*/bin/python -m pytest -n $(WORKERS) -m 'not bed and not checkers' $(ARGS)

beds: $(DEV) ## speak to servers that nobody here wrote; STUBWIRE_BEDS names the folder of their start scripts
	$(call say,third-party servers)
	$(PY) -m pytest -m bed -rs $(ARGS)

# -- the rest ----------------------------------------------------------------------------------------------------------

.PHONY: bench format clean
bench: $(BENCH) ## measure what a call costs, beside the same call by hand and in other libraries
	$(VENV)-bench/bin/python -m benchmarks $(ARGS)

format: $(DEV) ## format the code, and mend what ruff can mend
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .

clean: ## remove what make made, but for the virtual environments
	rm -rf build dist site .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache

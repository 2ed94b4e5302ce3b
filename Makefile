# The whole of Fabric Hub on this machine: `make run`. See README.md.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
# more for `fabric-hub up`: make run UP="--port 9000 --dir /srv/fabric"
UP ?=
TESTS ?=

.PHONY: help setup setup-dev run test lint format bench docs clean

help:  ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:  ## install everything that running needs, into .venv
	@scripts/setup

setup-dev:
	@scripts/setup --dev

run: setup  ## install, then start the embedded cluster and the hub; Ctrl-C ends it
	@exec $(PYTHON) -m fabric_hub.cli up $(UP)

test: setup-dev  ## run the tests: make test TESTS=tests/unit
	$(PYTHON) -m pytest $(TESTS)

lint: setup-dev  ## check style, types and which part may import which
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	PYTHONPATH=.:extensions .venv/bin/lint-imports

format: setup-dev  ## put the code in the project's style
	$(PYTHON) -m ruff check --fix
	$(PYTHON) -m ruff format

bench: setup-dev  ## measure against the peers (see bench/)
	$(PYTHON) -m bench

docs: setup-dev  ## write the generated pages of docs/reference, and check all pages
	$(PYTHON) -m scripts.make_reference
	$(PYTHON) -m scripts.check_docs

clean:  ## remove what setup and builds made; a run's own directory stays (fabric-hub down --purge)
	rm -rf .venv build *.egg-info extensions/node_modules extensions/dist extensions/lib
	find . -name __pycache__ -prune -exec rm -rf {} +

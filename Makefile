# The whole of Fabric Hub on this machine: `make run`. See README.md.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
NPM = PATH="$(CURDIR)/.venv/bin:$$PATH" npm --prefix extensions run --silent
# more for `fabric-hub up`: make run UP="--port 9000 --dir /srv/fabric"
UP ?=
TESTS ?=
# how many groups of tests run side by side; a part of the tests runs by itself
JOBS ?= $(if $(TESTS),0,4)
SIDE_BY_SIDE = -n $(JOBS) --no-loadscope-reorder
# the version to release, and --dry-run to try it
VERSION ?=
RELEASE ?=
# what to test on other generations, and what: make test-generations GENERATIONS="--suite trixie tests/slurm"
GENERATIONS ?=
# more for the search for flaky tests: make test-flaky FLAKY="--minutes 10 tests/dask"
FLAKY ?=
SHELL_SCRIPTS = .ci/run packaging/proxy/configurable-http-proxy $(shell grep -lE '^#!.*sh$$' scripts/*)

.PHONY: help setup setup-dev run test front-end test-long test-flaky test-oldest lint lint-quick check unit ci durations \
	test-generations test-arm64 format bench messages docs site dist packages release clean

help:  ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:  ## install everything that running needs, into .venv
	@scripts/setup

setup-dev:  ## install what running, tests and linters need
	@scripts/setup --dev

run: setup  ## install, then start the embedded cluster and the hub; Ctrl-C ends it
	@exec $(PYTHON) -m fabric_hub.cli up $(UP)

test: setup-dev $(if $(TESTS),,front-end)  ## all that a change can break: make test, or a part: make test TESTS=tests/unit
	$(PYTHON) -m pytest $(SIDE_BY_SIDE) -m "not long" $(TESTS)

front-end: setup-dev  ## the front end's own tests, in seconds
	$(NPM) test

test-long: setup-dev  ## the long trials that a change rarely breaks; says what has passed in build/long-passed
	@$(PYTHON) -m scripts.long_trials
	@$(PYTHON) -m scripts.generations --optional

test-flaky: setup-dev  ## tests that wait for a process, 20 times each under load, for an hour; goes on where it was
	@$(PYTHON) -m scripts.flaky $(FLAKY)

test-oldest: setup-dev  ## unit and hub tests with the oldest versions that setup.cfg allows
	@scripts/test-oldest

test-generations: setup-dev  ## the contract suite on other Debians, Pythons and Slurms, in roots of their own
	@$(PYTHON) -m scripts.generations $(GENERATIONS)

test-arm64: setup-dev  ## a session with a cell on an emulated arm64 processor, in a quarter of an hour; informs, and is in no other run
	@nice -n 19 $(PYTHON) -m scripts.generations --suite bookworm --arch arm64

lint: setup-dev lint-quick  ## check style, types and which part may import which
	$(PYTHON) -m mypy
	$(PYTHON) -m mypy --config-file extensions/mypy.ini --python-executable build/lab/bin/python \
	  --cache-dir .mypy_cache/lab
	$(NPM) check
	$(NPM) lint:check

lint-quick:  ## check style, scripts and which part may import which, in seconds
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	shellcheck $(SHELL_SCRIPTS)
	PYTHONPATH=.:extensions .venv/bin/lint-imports

check: setup-dev  ## before every commit: lint, types and unit tests, in less than three minutes
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint unit front-end

unit: setup-dev
	$(PYTHON) -m pytest -q -n 2 --no-loadscope-reorder -m "not long" tests/unit

ci: setup-dev  ## .ci/run in a fresh clone of HEAD; when it passes, build/ci-passed holds the commit
	@scripts/ci

durations:  ## take the last whole run's times (build/durations.json) as those to compare with
	cp build/durations.json tests/durations.json

format: setup-dev  ## put the code in the project's style
	$(PYTHON) -m ruff check --fix
	$(PYTHON) -m ruff format
	$(NPM) lint

bench: setup-dev  ## measure against the peers (see bench/)
	$(PYTHON) -m bench

messages:  ## bring the catalogues of sentences up to date with the code, and compile them
	$(PYTHON) -m scripts.make_messages

docs: setup-dev  ## write the generated pages and shapes, check all pages, and build the site
	$(PYTHON) -m scripts.make_reference
	$(PYTHON) -m scripts.make_schema
	$(PYTHON) -m scripts.check_docs
	$(PYTHON) -m scripts.site

site: setup-dev  ## build the documentation as a site, with search, into build/site
	$(PYTHON) -m scripts.site

dist: setup-dev  ## build what is released into build/dist: sources, wheels, the node's program, digests
	@$(PYTHON) -m scripts.dist

packages: setup-dev  ## build packages for Debian and Enterprise Linux into build/packages, with a bill of what they are made of
	@$(PYTHON) -m scripts.packages

release: setup-dev  ## make release VERSION=x.y.z: check, build, commit and tag here; pushes nothing (RELEASE=--dry-run)
	@$(PYTHON) -m scripts.release $(VERSION) $(RELEASE)

clean:  ## remove what setup and builds made; a run's own directory stays (fabric-hub down --purge)
	rm -rf .venv build *.egg-info extensions/node_modules extensions/dev/node_modules extensions/dist extensions/lib
	find . -name __pycache__ -prune -exec rm -rf {} +

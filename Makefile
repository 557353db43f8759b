# `make demo` and `make test` need nothing but Python 3.11+; both make the virtual environment first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# What the console is checked with, by npm.
NODE := tests/browser/node_modules
NODE_STAMP := $(NODE)/.installed
PORT ?= 8000

export PORT
export AWS_DEFAULT_REGION ?= us-east-1
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help demo up test browser shots fuzz faults check package ops import bench clean
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: $(STAMP) ## the local environment, and one forecast sent through all of it
	@exec $(BIN)/python -m localstack demo

up: $(STAMP) ## the local environment without the forecast
	@exec $(BIN)/python -m localstack up

test: $(STAMP) ## all tests
	@$(BIN)/python -m pytest

browser: $(STAMP) $(NODE_STAMP) ## the console in a real browser (needs Chromium)
	@BROWSER=1 $(BIN)/python -m pytest tests/browser

shots: $(STAMP) ## the pictures of the console in docs/pictures, taken anew (needs Chromium)
	@$(BIN)/python -m tests.browser.shots

fuzz: $(STAMP) ## property tests with new examples, thousands of each
	@FUZZ=1 $(BIN)/python -m pytest -m hypothesis -q

faults: $(STAMP) ## processes killed, services away, messages twice: with counts (some minutes)
	@FAULTS=1 $(BIN)/python -m pytest tests/faults -q -s

check: $(STAMP) $(NODE_STAMP) ## lint, types, layers, templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/node $(NODE)/typescript/bin/tsc -p tests/browser/tsconfig.json
	$(BIN)/python infra/lint.py

package: ## the AWS package in dist/, made and tried with Python 3.12 or newer
	@$(PYTHON) infra/package.py

ops: $(STAMP) ## jobs and queues of a running stage; alone it lists its commands
	@$(BIN)/python -m infra.ops $(CMD) --queue '$(QUEUE)' --id '$(ID)' --drop '$(DROP)'

import: $(STAMP) ## awarded contracts from FILE=..., for the local stage while it runs
	@$(BIN)/python -m infra.import_contracts '$(FILE)'

bench: $(STAMP) ## figures, as ratios in one run (the last two need redis-server)
	$(BIN)/python -m bench.simulate
	$(BIN)/python -m bench.kinds
	$(BIN)/python -m bench.cold_start
	$(BIN)/python -m bench.submit
	$(BIN)/python -m bench.round_trip
	$(BIN)/python -m bench.contracts --rows 200000 --quick --without-duckdb
	$(BIN)/python -m bench.events
	$(BIN)/python -m bench.users

clean: ## everything that the targets above have made
	rm -rf $(VENV) .venv-package .local dist $(NODE)

# Stamped last, so that an interrupted installation is taken up again.
$(STAMP): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if v >= (3, 11) else "Sluice needs Python 3.11 or newer, and $(PYTHON) is %d.%d; name another: make PYTHON=python3.11" % v)'
	@echo "setting up $(VENV) (about a minute, once)"
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

$(NODE_STAMP): $(STAMP) tests/browser/package.json tests/browser/package-lock.json
	@$(BIN)/npm ci --prefix tests/browser --silent --no-audit --no-fund
	@touch $@

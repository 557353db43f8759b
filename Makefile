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
# What stands for AWS in `make up` and `make demo`: embedded, localstack-host or localstack (docs/local.md).
export BACKEND
export AWS_DEFAULT_REGION ?= us-east-1
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help demo up test localstack browser shots fuzz faults check audit postgres package deploy drift destroy ops fault restore-drill import bench clean
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 15

demo: $(STAMP) ## the local environment, and one forecast sent through all of it
	@exec $(BIN)/python -m localstack demo

up: $(STAMP) ## the local environment without the forecast; BACKEND=localstack-host or localstack: docs/local.md
	@exec $(BIN)/python -m localstack up

test: $(STAMP) ## all tests
	@$(BIN)/python -m pytest

localstack: $(STAMP) ## the same service on LocalStack without Docker, tested (needs Python 3.13)
	@$(BIN)/python -m localstack.community
	@$(BIN)/python -m pytest tests/localstack/test_localstack_host.py -rs

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

audit: $(STAMP) $(NODE_STAMP) ## known vulnerabilities, pins, licences; AUDIT=required insists on an answer
	@$(BIN)/python -m infra.audit

postgres: $(STAMP) ## the database's tests again, on Debian's server if there is one
	@found=$$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1); \
	if [ -x "$$found/initdb" ]; then SLUICE_POSTGRES=$$found $(BIN)/python -m pytest tests/db tests/localstack/test_postgres.py; \
	else echo "postgres: skipped: there is no /usr/lib/postgresql/*/bin/initdb (Debian: apt-get install postgresql)"; fi

package: ## the AWS package in dist/, made and tried with Python 3.12 or newer
	@$(PYTHON) infra/package.py

ops: $(STAMP) ## jobs and queues of a running stage; alone it lists its commands
	@$(BIN)/python -m infra.ops $(CMD) --queue '$(QUEUE)' --id '$(ID)' --account '$(ACCOUNT)' --drop '$(DROP)' --on '$(ON)' --confirm '$(CONFIRM)'

fault: $(STAMP) ## a fault to practise on, on the local stage while it runs; alone it lists them
	@exec $(BIN)/python -m infra.fault --name '$(NAME)' --seconds '$(SECONDS)'

restore-drill: $(STAMP) ## the database of the local stage, or of SOURCE=..., dumped, restored and compared
	@$(BIN)/python -m infra.restore_drill --source '$(SOURCE)'

deploy: $(STAMP) ## STAGE=... to AWS: stacks, app, migrations, smoke test; STACK= and SET= are kept
	@$(BIN)/python -m infra.stage deploy --stage '$(STAGE)' --stack '$(STACK)' --set '$(SET)'

drift: $(STAMP) ## whether STAGE=... is still as a deploy set it
	@$(BIN)/python -m infra.stage drift --stage '$(STAGE)'

destroy: $(STAMP) ## deletes STAGE=..., after asking for its name; KEPT=delete: with all that it keeps
	@$(BIN)/python -m infra.stage destroy --stage '$(STAGE)' --kept '$(KEPT)'

import: $(STAMP) ## awarded contracts from FILE=..., for the local stage while it runs
	@$(BIN)/python -m infra.import_contracts '$(FILE)'

bench: $(STAMP) ## figures, as ratios in one run (some of the last need redis-server)
	$(BIN)/python -m bench.simulate
	$(BIN)/python -m bench.kinds
	$(BIN)/python -m bench.cold_start
	$(BIN)/python -m bench.submit
	$(BIN)/python -m bench.round_trip
	$(BIN)/python -m bench.contracts --rows 200000 --quick --without-duckdb
	$(BIN)/python -m bench.events
	$(BIN)/python -m bench.users
	$(BIN)/python -m bench.cost
	$(BIN)/python -m bench.queueing --check

clean: ## everything that the targets above have made
	rm -rf $(VENV) .venv-package .venv-localstack .local dist $(NODE)

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

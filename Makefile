# Everything is done from here: `make help`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all check coverage mutants simulate benchmark parity synth lock licences audit release clean

VENV := .venv
PYTHON := $(VENV)/bin/python
ENV ?= dev
HISTORIES ?= 2000
ROOM ?= functions infra
SEED ?= 0
INSTALLED := $(VENV)/.installed
CONTEXTS := .local/coverage-contexts
PEERS_VENV := .venv-peers
PEERS_INSTALLED := $(PEERS_VENV)/.installed
INSTALL_PEERS = $(PEERS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes
# jsii, which runs the CDK, would print a banner about Node 20's end of life at each start.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

help: ## Show what can be done
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-9s %s\n", $$1, $$2}'

setup: $(INSTALLED) ## Create .venv with everything in it, the flywheel command too

$(INSTALLED): requirements-dev.txt pyproject.toml engine/pyproject.toml scripts/check_machine.sh
	@scripts/check_machine.sh
	@echo "Installing into $(VENV) (about 1.4 GB; two to three minutes)"
	@$${PYTHON3:-$$(scripts/check_machine.sh --python)} -m venv --clear $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e engine
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
	@echo "Done. The command is $(VENV)/bin/flywheel"

demo: $(INSTALLED) ## Show the whole loop at work on this machine, with real training
	@$(VENV)/bin/flywheel demo

test: $(INSTALLED) ## Run the tests
	@$(PYTHON) -m pytest -q -n auto -m "not slow"

test-all: $(INSTALLED) ## Run the slow tests: kills, sweeps, long histories, the gate's rates
	@$(PYTHON) -m pytest -q -n auto -m slow

coverage: $(INSTALLED) ## Run the tests and hold the floor of branch coverage of functions/
	@$(PYTHON) -m pytest -q -n auto -m "not slow" --cov --cov-report=term:skip-covered

check: $(INSTALLED) ## Lint, types, architecture
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(PYTHON) -m pytest -q tests/architecture

simulate: $(INSTALLED) ## Play histories full of faults: make simulate HISTORIES=2000
	@PYTHONPATH=functions $(PYTHON) -m tests.simulation --histories $(HISTORIES)

mutants: $(CONTEXTS) ## Count mutants that tests kill: make mutants ROOM=functions/flywheel SAMPLE=100 SEED=1
	@$(PYTHON) -m tests.mutants $(ROOM) --contexts $(CONTEXTS) --seed $(SEED) $(addprefix --sample ,$(SAMPLE))

$(CONTEXTS): $(INSTALLED) $(shell find functions infra tests -name '*.py')
	@echo "Noting which test covers which line (some minutes)"
	@mkdir -p $(@D)
	@COVERAGE_CORE=ctrace COVERAGE_FILE=$@.new $(PYTHON) -m pytest -q -n auto -m "not slow" --cov=functions --cov=infra \
		--cov-context=test --cov-report= tests/flywheel tests/application tests/adapters tests/functions tests/infra
	@mv $@.new $@

benchmark: $(PEERS_INSTALLED) ## Measure beside peers (own .venv-peers) and write docs/benchmarks.md
	@PYTHONPATH=$(CURDIR)/functions:$(CURDIR)/engine $(PEERS_VENV)/bin/python -m benchmarks

# A peer that has no wheel for this Python is left out; the table says so.
$(PEERS_INSTALLED): requirements.txt $(wildcard benchmarks/requirements/*.txt)
	@scripts/check_machine.sh
	@echo "Installing into $(PEERS_VENV), with the peers (about 1 GB; one to three minutes)"
	@$$(scripts/check_machine.sh --python) -m venv --clear $(PEERS_VENV)
	@$(INSTALL_PEERS) -r requirements.txt
	@for file in benchmarks/requirements/*.txt; do \
		$(INSTALL_PEERS) --only-binary :all: -r $$file || echo "Left out: $$file"; \
	done
	@touch $@

parity: $(INSTALLED) ## Write docs/parity.md anew from the contract tests
	@PYTHONPATH=functions:engine/tests $(PYTHON) -m tests.contract.parity

synth: $(INSTALLED) ## Write ENV's stack to cdk.out: make synth ENV=dev
	@CDK_VALIDATION=false CDK_OUTDIR=cdk.out CDK_CONTEXT_JSON='{"env": "$(ENV)"}' $(PYTHON) app.py
	@$(VENV)/bin/cfn-lint -- cdk.out/flywheel-loop-$(ENV).template.json
	@echo "cdk.out/flywheel-loop-$(ENV).template.json; deploy it with: npx aws-cdk@2.1148.1 deploy -c env=$(ENV)"

COMPILE = $(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header

lock: $(INSTALLED) ## Pin requirements*.in anew, with hashes: make lock UPGRADE=--upgrade
	@$(COMPILE) $(UPGRADE) requirements.in -o requirements.txt
	@$(COMPILE) $(UPGRADE) requirements-dev.in -o requirements-dev.txt
	@for peer in fasttext-community vowpalwabbit; do \
		$(COMPILE) $(UPGRADE) --constraint requirements.txt - -o benchmarks/requirements/$$peer.txt <<<$$peer; \
	done

licences: $(INSTALLED) ## List the licences of what is installed
	@$(VENV)/bin/pip-licenses --python $(PYTHON) --order license

audit: $(INSTALLED) ## Look the pinned packages up among known vulnerabilities
	@scripts/audit.sh $(VENV)/bin/pip-audit

release: $(INSTALLED) ## Check that version, changelog and tag agree, then tag
	@scripts/release.sh $(PYTHON)

clean: ## Remove everything that was made
	@rm -rf $(VENV) $(PEERS_VENV) cdk.out .local .mypy_cache .ruff_cache .pytest_cache ./*.egg-info

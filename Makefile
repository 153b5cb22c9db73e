# The commands of this house. Each installs what it needs into .venv and nothing outside it.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: help demo run test check lint bench bench-quick reliability sdk-suites schema clients clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps 'trl>=1.16'
	@touch $@

demo: .venv/installed  ## try everything, no key and no network
	$(BIN)/dolphin-logger demo

run: .venv/installed  ## start the proxy with your own configuration
	$(BIN)/dolphin-logger

test: .venv/installed  ## the README's test command
	$(BIN)/python -m pytest tests/ $(PYTEST_ARGS)

lint: .venv/installed  ## style, types, layers, dead code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture

check: lint test  ## all that CI runs

bench: .venv/installed  ## the figures of benchmarks/README.md (about 10 minutes)
	$(BIN)/python benchmarks/proxy_bench.py --with-proposed --with-original --with-litellm --json benchmarks/build/figures.json
	$(BIN)/python benchmarks/decode.py

bench-quick: .venv/installed  ## the same, shorter and without the slow contenders
	$(BIN)/python benchmarks/proxy_bench.py --quick

reliability: .venv/installed  ## the long variants of the durability suite
	DOLPHIN_LONG=1 $(BIN)/python -m pytest tests/durability tests/security

sdk-suites: .venv/installed  ## the official SDKs' own tests, direct and through the proxy (about 10 minutes)
	$(BIN)/python tests/suites/run.py $(SUITE_ARGS)

CLIENTS_DIR ?= build/clients

clients: .venv/installed  ## real clients through the proxy: Claude Code, Codex, … (10 GB, 5 minutes once installed)
	$(BIN)/python tests/clients/install.py $(CLIENTS_DIR)
	DOLPHIN_CLIENTS=1 CLIENTS_DIR=$(abspath $(CLIENTS_DIR)) $(BIN)/python -m pytest tests/clients $(PYTEST_ARGS)

schema: .venv/installed  ## translated answers against OpenAI's OpenAPI document: OPENAPI=its path
	$(BIN)/python -m tests.schema.check $(OPENAPI)

clean:  ## remove what these commands made
	rm -rf .venv build dist benchmarks/build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Two commands matter: `make demo` and `make test`. Each sets up by itself all that it needs.
PYTHON ?= python3
MODEL ?= local:qwen2.5-coder-1.5b
OUT ?= demo
# Text that people write goes to the scripts through the environment, unread by make and by the shell.
override IDEA := $(value IDEA)
override OUT := $(value OUT)
export PYTHON MODEL IDEA OUT

RUN = sh scripts/with_python.sh

.DEFAULT_GOAL := help
.PHONY: help setup demo test check record ideas clean

help: ## Show the targets.
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

setup: ## Make .venv with the agentinfra and agentinfra-server commands in it.
	@$(RUN) scripts/setup.py

demo: setup ## Turn an idea into tested code: make demo [IDEA="..."] [OUT=folder] [MODEL=provider:name]
	@.venv/bin/python scripts/demo.py

test: ## Check the source and run all suites; SUITES="unit server" runs some.
	@$(RUN) scripts/run_suites.py $(SUITES)

check: ## Format, lint, types and layers, without tests.
	@$(RUN) scripts/run_suites.py setup check

record: setup ## Record the model traffic of the replayed runs anew, from the embedded model.
	.venv/bin/python tests/e2e/record.py

ideas: setup ## Run the idea benchmark: make ideas ARGS="--ideas folder --model provider:name"
	.venv/bin/python benchmarks/ideas.py $(ARGS)

clean: ## Remove the environment and all caches; downloaded models stay.
	rm -rf .venv .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Everything starts here. The work is done by small scripts under tools/ and by the `seatport` command.
.DEFAULT_GOAL := help
.PHONY: help install run test proofs check bench fuzz mutants schema pictures lock clean

PORT ?= 8000
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Set everything up: system packages, virtual environment, explorer and fonts; the second run does nothing
	@sh tools/python.sh -m tools.install

run: export SEATPORT_MODE = demo
run: install ## Serve the demo on PORT (8000)
	@$(BIN)/seatport migrate
	@$(BIN)/seatport demo
	@exec $(BIN)/seatport serve --port $(PORT)

test: install ## Run all tests, on SQLite, on PostgreSQL and in a browser; ARGS="-k name" narrows
	@$(PYTEST) -n 2 --dist loadfile $(ARGS) || test $$? -eq 5
	@$(PYTEST) tests/proofs -s $(ARGS) || test $$? -eq 5  # Alone: they race, kill and cut off real servers.

proofs: install ## Only the last part of the tests: race, kill and cut off real servers
	@$(PYTEST) tests/proofs -s $(ARGS)

check: install ## Check format, lint, types and import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports

bench: install ## Measure; prints ratios and milliseconds
	@$(PYTEST) tests/benchmarks -s $(ARGS)

fuzz: install ## Run the property tests long, EXAMPLES=20000 each, and 50,000 generated QUERIES
	@$(BIN)/python -m tools.fuzz $(ARGS)

mutants: install ## Change the billing rules in many small ways and list the changes no test notices
	@$(BIN)/python -m tools.mutants $(ARGS)

schema: install ## Print the GraphQL schema to graphql/schema.graphql
	@$(BIN)/seatport schema

pictures: install ## Take the pictures of the README anew
	@$(BIN)/python -m tools.pictures

lock: ## Pin the requirements with hashes; ARGS=--upgrade takes newer versions
	@sh tools/python.sh -m tools.lock $(ARGS)

clean: ## Remove what tools and builds left; keeps .venv and var
	@rm -rf dist mutants htmlcov .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -not -path './.venv/*' -not -path '*/node_modules/*' -prune -exec rm -rf {} +

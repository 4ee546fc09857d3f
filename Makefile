# Two commands on a fresh machine: `make demo`, then `make ui`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
WORKERS ?= 2
ATTEMPTS ?= 200000
PYTEST_ARGS ?=

# The demo's own deployment: nothing outside of ./demo is written, or removed. The path of this folder
# may have spaces, which a shell takes for ends of paths: recipes name ./demo, or quote.
DEMO_ENV := DAGSTER_HOME="$$PWD/demo/dagster_home" ASSESS_LAKE="$$PWD/demo/lake" ASSESS_LANDING="$$PWD/demo/landing"
PORT ?= 3000
SERVICES ?= data/services

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "assess_assets needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	@echo "Setting up .venv from requirements.lock (one to two minutes, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --no-compile -r requirements.lock
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true # on all cores, pip has one; Python does without
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: setup
setup: $(READY) ## make .venv from the lock file

.PHONY: demo
demo: $(READY) ## two customers, from files to answers; a second run changes nothing
	@$(DEMO_ENV) $(BIN)/assess demo

.PHONY: ui
ui: $(READY) ## open Dagster on the demo's instance (PORT=3000)
	@test -e demo/dagster_home/dagster.yaml || install -D -m 644 assess_assets/cli/dagster.yaml demo/dagster_home/dagster.yaml
	@echo "Dagster on http://127.0.0.1:$(PORT) - stop with Ctrl-C"
	@$(DEMO_ENV) $(BIN)/dagster dev -w workspace.yaml -h 127.0.0.1 -p $(PORT)

.PHONY: clean-demo
clean-demo: ## remove everything the demo made
	rm -rf ./demo

.PHONY: lint
lint: $(READY) ## ruff (format and check), mypy --strict, definitions load, compose file
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/dg check defs
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

.PHONY: format
format: $(READY) ## let ruff mend what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: test
test: $(READY) ## all tests on Sail: no Java needed
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -m "not spark and not services and not faults"

.PHONY: test-faults
test-faults: $(READY) ## kills, failing writes, races and missing protections, in short: two minutes
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -m faults assess_assets_tests/engine

.PHONY: test-unit
test-unit: $(READY) ## the tests that start no engine
	$(BIN)/pytest assess_assets_tests/unit

# Settings under which Spark loses little time over tables of a few rows.
SMALL_SPARK := SPARK_CONF_DIR="$$PWD/assess_assets_tests/spark_conf"

# One process first: the others find the jars that it downloads.
.PHONY: test-spark
test-spark: $(READY) ## on Apache Spark local[2]: the whole job, and tests marked both_engines (Java 17)
	$(SMALL_SPARK) $(BIN)/pytest -m spark assess_assets_tests/engine
	$(SMALL_SPARK) ASSESS_SPARK='local[2]' $(BIN)/pytest -n $(WORKERS) --dist loadfile \
	  -m both_engines assess_assets_tests/engine $(PYTEST_ARGS)

.PHONY: test-spark-all
test-spark-all: $(READY) ## every engine test on Apache Spark: an hour on two cores
	$(SMALL_SPARK) ASSESS_SPARK='local[2]' $(BIN)/pytest -m "not faults" assess_assets_tests/engine

.PHONY: faults
faults: $(READY) ## kills, failing writes and races by the hundred, everything compared (an hour)
	$(BIN)/python -W ignore -m assess_assets_tests.faults --kills 500 --failures 25 --steps 3000 \
	  --out data/faults.json

.PHONY: test-services
test-services: $(READY) ## the tests against a real Kafka, HDFS and Spark: needs Java 17
	$(BIN)/pytest -n $(WORKERS) --dist loadfile assess_assets_tests/services \
	  -m "services and not faults" $(PYTEST_ARGS)

.PHONY: faults-services
faults-services: $(READY) ## a hundred faults of a real Kafka, HDFS and Spark, all compared: needs Java 17
	$(BIN)/pytest assess_assets_tests/services -m "services and faults"
	$(BIN)/python -W ignore -m assess_assets_tests.faults.on_platform --out data/faults-services.json

.PHONY: services
services: $(READY) ## start a real Kafka, HDFS and Spark on loopback: needs Java 17, no Docker
	@$(BIN)/assess services up --folder $(SERVICES)

.PHONY: services-down
services-down: $(READY) ## stop exactly what `make services` started; data and logs stay
	@$(BIN)/assess services down --folder $(SERVICES)

.PHONY: bench
bench: $(READY) ## this pipeline beside DuckDB, Polars and Spark by hand (ATTEMPTS=200000): needs Java 17
	$(BIN)/python -W ignore -m benchmarks.attempts --attempts $(ATTEMPTS) --out benchmarks/attempts.json

.PHONY: bench-services
bench-services: $(READY) ## topic to tables beside a bare consumer, latencies, commits on HDFS: needs Java 17
	$(BIN)/python -W ignore -m benchmarks.kafka_to_raw --out benchmarks/kafka_to_raw.json
	$(BIN)/python -W ignore -m benchmarks.kafka_latency --out benchmarks/kafka_latency.json
	$(BIN)/python -W ignore -m benchmarks.hdfs_commits --out benchmarks/hdfs_commits.json

.PHONY: demo-services
demo-services: $(READY) ## the demo on a real Kafka, HDFS and Spark, on both engines: needs Java 17
	@$(BIN)/assess demo-services --folder $(SERVICES) --demo "$$PWD/demo"

.PHONY: docs
docs: $(READY) ## write docs/tables.md and docs/bad_input.md from what declares them
	$(BIN)/assess docs --out docs/tables.md
	$(BIN)/assess docs --page bad-input --out docs/bad_input.md

.PHONY: lock
lock: ## pin everything anew (needs uv)
	uv pip compile pyproject.toml --universal --group dev --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --output-file requirements.lock
	echo dagster-postgres | uv pip compile - --universal --constraint requirements.lock \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  $$(sed -nE 's/^([A-Za-z0-9._-]+)==.*/--no-emit-package \1/p' requirements.lock) \
	  --custom-compile-command 'make lock' --output-file deploy/docker/requirements.txt

.PHONY: lock-artifacts
lock-artifacts: $(READY) ## pin the jars anew, after a change of ROOTS in lock_artifacts.py (needs Maven)
	$(BIN)/python -m assess_assets.platform.lock_artifacts

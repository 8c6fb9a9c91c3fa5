# SPDX-License-Identifier: Apache-2.0
# Every target installs what it lacks (Debian packages, the tests' virtual environment); `make` alone says what there is.

SHELL := /bin/bash
.DEFAULT_GOAL := help

BIN := .build/release
PRODUCTS := fodc-proxy fodc-ingest fodc-exporter fodc-recorder fodc-agentsim fodc-ring fodc-blackbox
# Debug builds of these have test hooks, such as the one for a record that kills its reader.
HOOKED_PRODUCTS := fodc-proxy fodc-ingest fodc-exporter fodc-recorder fodc-ring
# The Swift runtime is linked in, so that these programs run where no toolchain is: what is tested is what is shipped.
RELEASE_FLAGS := -c release -Xswiftc -static-stdlib
# A Debian root in which the package's tests install it; kept, since making it takes a minute and the network.
export FODC_DEBIAN_ROOT ?= $(CURDIR)/.build-root
VENV := .build-venv
# The revision that fodc_proxy_build_info shows: the commit, "-dirty" with uncommitted changes.
export FODC_REVISION ?= $(or $(shell git describe --always --dirty --exclude='*' 2>/dev/null),unknown)
SWIFT_SOURCES := Package.swift $(wildcard Sources Tools Tests Benchmarks)
# Where the end-to-end tests find the programs; another build can be tested with FODC_BIN=FOLDER make e2e.
export FODC_BIN ?= $(CURDIR)/$(BIN)
export FODC_DEBUG_BIN ?= $(CURDIR)/.build/debug
# Four test processes: the tests wait more than they compute, but some start a thousand agents.
PYTEST_WORKERS ?= 4
PYTEST_FLAGS ?=

.PHONY: help deps deps-test build build-hooked deb run test unit soak-model unit-repeat coverage mutations allocations e2e bench bench-quick bench-attacks bench-black-box black-box-torture chaos chaos-quick bench-paired bench-pages bench-full-table screenshots lint format proto metrics-page clean fuzz

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## Install what building needs (Debian packages; only those that are missing)
	@scripts/install-deps.sh build

deps-test:
	@scripts/install-deps.sh build test
	@scripts/make-venv.sh $(VENV)

# Product by product: a plain `swift build` also compiles what nobody here needs of the packages that we depend on,
# such as the C++ protobuf compiler within swift-protobuf (minutes).
build: deps ## Build release binaries into .build/release
	set -e; for product in $(PRODUCTS); do swift build $(RELEASE_FLAGS) --product $$product; done

build-hooked: deps
	set -e; for product in $(HOOKED_PRODUCTS); do swift build --product $$product; done

deb: build ## Build dist/fodc-proxy_VERSION_ARCH.deb out of the release binaries
	@scripts/install-deps.sh package
	@scripts/build-deb.sh $(BIN) dist

run: build ## Start the proxy with five simulated agents; Ctrl-C ends all
	@scripts/run.sh $(BIN)

test: lint unit allocations e2e chaos-quick bench-quick ## Lint, unit tests, allocation counts, release build, end-to-end tests, a short chaos, a short bench

# The model's events are the same in each run of the tests; `make soak-model` draws others.
MODEL_SEED ?= 1

# Tests that run at the same time. Without a limit, hundreds of tests with sockets and processes starve each other.
UNIT_WIDTH ?= 4
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH = $(UNIT_WIDTH)

unit: deps ## Unit tests alone
	swift build --product fodc-proxyPackageTests
	FODC_MODEL_SEED=$(MODEL_SEED) scripts/unit-tests.sh --skip-build $(UNIT_FLAGS)

# Random events for the supervisor's model; FODC_MODEL_SEED=… repeats a run.
MODEL_EVENTS ?= 100000000

# In a folder of its own: a release build that tests can look into is another build.
soak-model: deps ## Bring 10^8 random events to the supervisor's state machine, in a release build
	swift build --scratch-path .build-soak -c release -Xswiftc -enable-testing --product fodc-proxyPackageTests
	FODC_MODEL_EVENTS=$(MODEL_EVENTS) swift test --scratch-path .build-soak -c release -Xswiftc -enable-testing \
		--skip-build --filter FleetModelTests

TIMES = 10
unit-repeat: deps ## Unit tests TIMES=10 times, up to the first failure (UNIT_FLAGS='--filter name' chooses)
	swift build --product fodc-proxyPackageTests
	for run in $$(seq $(TIMES)); do \
		echo "run $$run of $(TIMES)"; scripts/unit-tests.sh --skip-build $(UNIT_FLAGS) || exit 1; \
	done

# In a folder of its own: a build that counts lines is another build.
coverage: deps ## Run the unit tests and print each library's line coverage (UNIT_FLAGS='--filter name' chooses)
	swift build --scratch-path .build-coverage --product fodc-proxyPackageTests --enable-code-coverage
	swift test --scratch-path .build-coverage --skip-build --enable-code-coverage $(UNIT_FLAGS)
	scripts/coverage.py "$$(swift test --scratch-path .build-coverage --show-codecov-path)"

# Each costs a build of what it changes and of the tests.
mutations: deps ## Break the product in many places, and see that a unit test notices each (MUTATIONS='name …' chooses)
	scripts/mutations.py $(MUTATIONS)

allocations: deps ## Count what the hot paths allocate, and fail above Benchmarks/allocations.txt
	swift build $(RELEASE_FLAGS) --product HotPathBenchmarks
	$(BIN)/HotPathBenchmarks Benchmarks/allocations.txt

# The same tests run in `make e2e`, shorter.
black-box-torture: deps-test build build-hooked ## Kill the recorder 200 times, copy its files at 200 instants, leave for 3 minutes; needs root, 6 minutes
	FODC_RECORDER_KILLS=200 FODC_RECORDER_COPIES=200 FODC_AWAY_SECONDS=180 $(VENV)/bin/python -m pytest \
		Tests/e2e/test_recorder_disk.py Tests/e2e/test_recorder_sources.py -k "test_recorder_disk or gap" -n 2 $(PYTEST_FLAGS)

# In a folder of its own: a build with sanitizers is another build. It takes some minutes.
FUZZ_SECONDS ?= 60
# address, or none: many times as many inputs, and only what Swift itself checks.
FUZZ_SANITIZER ?= address
FUZZ_FOLDER = .build-fuzz$(if $(filter none,$(FUZZ_SANITIZER)),-plain)
fuzz: deps ## Fuzz each target for FUZZ_SECONDS=60; a table of inputs, coverage, findings (FUZZ_TARGET=name: that one alone)
	scripts/build-fuzz.sh $(FUZZ_FOLDER) $(FUZZ_SANITIZER)
	scripts/fuzz.py $(FUZZ_FOLDER) --seconds $(FUZZ_SECONDS) $(if $(FUZZ_TARGET),--target $(FUZZ_TARGET)) $(FUZZ_FLAGS)

e2e: deps-test build build-hooked deb ## End-to-end tests alone (PYTEST_FLAGS='-k name' chooses)
	scripts/e2e-tests.sh $(VENV)/bin/python -n $(PYTEST_WORKERS) $(PYTEST_FLAGS)

# Needs root: the service runs under a systemd of its own. Where it is, the unit that is shipped is what runs.
SECONDS_OF_CHAOS = $(if $(filter command% environment%,$(origin SECONDS)),$(SECONDS),300)
CHAOS = $(VENV)/bin/python Tests/chaos/run.py $(addprefix --unit=,$(wildcard deploy/systemd/fodc-proxy.service)) \
	$(if $(SEED),--seed=$(SEED)) $(CHAOS_FLAGS)

chaos: deps-test build ## Torment the service for SECONDS=300 with SEED= under a real systemd and Prometheus; a table in .build/chaos
	$(CHAOS) --seconds=$(SECONDS_OF_CHAOS)

chaos-quick: deps-test build
	$(CHAOS) --seconds=45

# Judges no times: only whether every answer is right under load.
bench-quick: deps-test build
	$(VENV)/bin/python bench/bench.py --quick

bench: deps-test build ## Measure the release binaries; a table, and JSON lines in bench/results.jsonl
	$(VENV)/bin/python bench/bench.py $(BENCH_FLAGS)
	$(if $(BENCH_FLAGS),,$(MAKE) bench-black-box)

bench-black-box: deps-test build ## Measure what the black box costs: disk, CPU, memory, answers, scrapes (BENCH_FLAGS='--only store'; 5 minutes)
	swift build $(RELEASE_FLAGS) --product BlackBoxBench
	$(VENV)/bin/python bench/black_box.py --bin $(BIN) $(BENCH_FLAGS)

screenshots: deps-test build ## Take the pictures of the pages in docs/images, of a simulated cluster with one node gone
	@scripts/install-deps.sh pictures
	$(VENV)/bin/python scripts/screenshots.py --bin $(BIN)

bench-pages: deps-test build ## Time the pages with 1,000 nodes at the server, and scrapes beside them (BENCH_FLAGS='--agents 100')
	$(VENV)/bin/python bench/pages.py --bin $(BIN) $(BENCH_FLAGS)

bench-full-table: deps-test build ## Fill the registry with 50,000 simulated agents over four ingest workers, and scrape them (needs root; a minute)
	$(VENV)/bin/python bench/full_table.py --bin $(BIN) $(BENCH_FLAGS)

bench-attacks: deps-test build ## Run each attack beside 20 agents; a table of scrape latency and CPU (BENCH_FLAGS='--only NAME')
	$(VENV)/bin/python bench/attacks.py $(BENCH_FLAGS)

# The build before: a commit (or tag) of this repository, built once into .build-base/COMMIT.
bench-paired: deps-test build ## Measure against another version in turns: BASE=COMMIT TURNS=3 (BENCH_FLAGS='--only NAME')
	@[ -n "$(BASE)" ] || { echo "bench-paired: name the version to compare with: make bench-paired BASE=COMMIT" >&2; exit 2; }
	scripts/build-base.sh "$(BASE)"
	$(VENV)/bin/python bench/paired.py --bin $(BIN) --turns $(or $(TURNS),3) $(BENCH_FLAGS) \
		--base ".build-base/$$(git rev-parse --short=12 "$(BASE)")/$(BIN)"

lint: ## Format and tidiness, without changing anything
	swift format lint --strict --parallel --recursive $(SWIFT_SOURCES)
	scripts/tidy.sh

format: ## Format all Swift sources in place
	swift format --in-place --parallel --recursive $(SWIFT_SOURCES)

proto: ## Generate the Swift messages from the .proto files anew
	@scripts/install-deps.sh proto
	scripts/generate-proto.sh

metrics-page: deps-test build ## Write docs/metrics.md anew, from what the proxy serves
	FODC_WRITE_METRICS_PAGE=1 $(VENV)/bin/python -m pytest Tests/e2e/test_metrics_page.py -q

clean: ## Remove everything that was built
	rm -rf .build .build-coverage .build-fuzz .build-soak $(VENV) .build-root .build-root.lock .build-image .build-base dist

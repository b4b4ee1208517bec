# What people type. The build itself is in CMakeLists.txt.

SHELL := /bin/bash
.DEFAULT_GOAL := build
export FUZZ_SECONDS ?= 60
NAME ?= isolation

.PHONY: build
build: ## Build the server: build/xqueue
	@tests/tools/packages.sh run
	@tests/tools/build.sh build xqueue lms_sink

.PHONY: run
run: build ## Serve on 127.0.0.1:18040 with a private database; Ctrl-C ends it
	@tests/tools/run.sh build

.PHONY: test
test: ## Build with sanitizers, run every test and lint
	@tests/tools/packages.sh test
	@tests/tools/build.sh build-test all \
	    -DSANITIZE=address -DCMAKE_BUILD_TYPE=Debug
	@tests/tools/run_tests.sh build-test

.PHONY: lint
lint: ## Run the lints alone
	@tests/tools/packages.sh test
	@tests/tools/lint.sh build

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZ_SECONDS (60) from its corpus
	@tests/tools/packages.sh ci
	@tests/tools/build.sh build-fuzz fuzzers -DFUZZ=ON -DSANITIZE=address \
	    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=clang
	@tests/tools/fuzz.sh build-fuzz

.PHONY: bench
bench: ## Run a benchmark on a release build: make bench NAME=isolation
	@tests/tools/packages.sh test
	@tests/tools/build.sh build-bench bench_$(NAME) -DCMAKE_BUILD_TYPE=Release
	@PATH=$$PATH:/usr/sbin build-bench/tests/bench_$(NAME)

.PHONY: format
format: ## Let clang-format rewrite the sources
	@tests/tools/packages.sh test
	@find server db tests -name '*.[ch]' -print0 | xargs -0 clang-format -i

.PHONY: settings
settings: build ## Write the settings table of the program into README.md
	@BINARY_DIR=build bash tests/lint/options.sh --write

.PHONY: clean
clean: ## Remove what was built; .run/ with its database stays
	@rm -rf build build-test build-fuzz build-bench build-ci-*

.PHONY: help
help: ## This list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/    make \1|\2/p' Makefile | \
	    awk -F'|' '{ printf "%-20s%s\n", $$1, $$2 }'

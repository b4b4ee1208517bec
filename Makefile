# What people type. The build itself is in CMakeLists.txt.

SHELL := /bin/bash
.DEFAULT_GOAL := build
export FUZZ_SECONDS ?= 60
# Where the folders are made that things are built in.
BUILD_ROOT ?= .
built := $(BUILD_ROOT)/build

include devstack.mk

.PHONY: build
build: ## Build the server: build/xqueue
	@tests/tools/packages.sh run
	@tests/tools/build.sh $(built) xqueue lms_sink

.PHONY: run
run: build ## Serve on 127.0.0.1:18040 with a private database; Ctrl-C ends it
	@tests/tools/run.sh $(built)

.PHONY: test
test: ## Build with sanitizers, run every test and lint
	@tests/tools/packages.sh test
	@tests/tools/build.sh $(built)-test all \
	    -DSANITIZE=address -DCMAKE_BUILD_TYPE=Debug
	@tests/tools/run_tests.sh $(built)-test

.PHONY: lint
lint: ## Run the lints alone
	@tests/tools/packages.sh test
	@tests/tools/lint.sh $(built)

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZ_SECONDS (60) from its corpus
	@tests/tools/packages.sh ci
	@tests/tools/build.sh $(built)-fuzz fuzzers -DFUZZ=ON -DSANITIZE=address \
	    -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_C_COMPILER=clang
	@tests/tools/fuzz.sh $(built)-fuzz

.PHONY: bench
bench: ## Run the benchmarks: all (20 min), NAME=submit, or SHORT=1 (1 min)
	@tests/tools/packages.sh $(if $(SHORT),test,bench)
	@tests/tools/build.sh $(built)-bench \
	    $(if $(NAME),bench_table $(NAME:%=bench_%),benches) \
	    -DCMAKE_BUILD_TYPE=Release
	@BENCH_SHORT=$(SHORT) tests/bench/run.sh $(built)-bench $(NAME)
	@$(if $(README),tests/bench/readme.sh $(built)-bench)

.PHONY: format
format: ## Let clang-format rewrite the sources
	@tests/tools/packages.sh test
	@find server db tests -name '*.[ch]' -print0 | xargs -0 clang-format -i

.PHONY: settings
settings: build ## Write the settings table of the program into README.md
	@BINARY_DIR=$(built) bash tests/lint/options.sh --write

.PHONY: clean
clean: ## Remove what was built; .run/ with its database stays
	@rm -rf $(built) $(built)-test $(built)-fuzz $(built)-bench build-ci-*

.PHONY: help
help: ## This list
	@awk -F ':.*## ' 'FNR == 1 { print "" } /^[a-z][^ ]*( [^ ]*)?:.*## / \
	    { printf "    make %-30s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

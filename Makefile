# The front door. `make demo` and `make test` do all the set-up they need.
.DEFAULT_GOAL := help
.PHONY: help deps build demo test check torture bench lint format docs clean

export CCACHE_SLOPPINESS = pch_defines,time_macros,include_file_mtime,include_file_ctime
JOBS ?= $(shell nproc)
PROGRAM = build/release/honeyguide
# Tests that start servers run alone (RUN_SERIAL in cmake/testing.cmake), the rest in parallel.
CTEST = ctest --output-on-failure --no-tests=error -j $(JOBS)

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

deps: ## install what is missing (Debian packages, .venv, weights, demo data)
	@deps/install.sh

build: deps ## build the program: build/release/honeyguide
	@test -f build/release/build.ninja || cmake --preset release
	@cmake --build build/release -j $(JOBS)

demo: build ## MovieLens from log to served slates; ONCE=1 ends after the evaluation
	@$(PROGRAM) demo $(if $(ONCE),--once)

test: build ## unit, contract, golden and outside tests; sanitizers over the torch-free rooms
	@test -f build/asan/build.ninja || cmake --preset asan
	@cmake --build build/asan -j $(JOBS)
	@$(CTEST) --test-dir build/asan
	@$(CTEST) --test-dir build/release

check: ## the heavy checks before a release
	@deps/install.sh check
	@$(MAKE) --no-print-directory test
	@tests/check.sh $(JOBS)

torture: build ## crashes, power cuts, damaged files, full disks and more at full size (minutes); then what the tests protect taken out
	@.venv/bin/python tests/torture/run.py

bench: build ## benchmarks beside their limits and peers, into bench/results/
	@bench/run.sh

lint: deps ## formatting, spelling, room order
	@.venv/bin/python tests/tree/format.py --source .
	@.venv/bin/python tests/tree/room_order.py --source .
	@.venv/bin/codespell -L als --skip '*.json,*.txt,README.zh-CN.md' README.md CHANGELOG.md docs src tests bench deps

format: deps ## reformat all C++ sources
	@git ls-files '*.cpp' '*.hpp' | xargs .venv/bin/clang-format -i

docs: build ## regenerate docs/reference from the program
	@$(PROGRAM) config --reference docs/reference

clean: ## remove the builds (keeps .venv and .cache)
	rm -rf build

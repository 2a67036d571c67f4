# The two commands: `make demo` shows what interpretd does, `make test` proves it.
# Both install what is missing, fetch the models once, and say what they could not do.

CARGO ?= cargo
DEMO_SPEECH ?= tests/speech/docs-b-fr.flac

.DEFAULT_GOAL := help
.PHONY: help setup models demo test lint bench bench-peers bench-translation test-peers fuzz

help: ## Lists the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: ## Installs the system packages that building and running need
	@scripts/setup

target/release/interpret target/release/interpretd: FORCE
	@$(CARGO) build --release --bins
.PHONY: FORCE
FORCE:

models: setup target/release/interpret ## Fetches the default models into the cache
	@target/release/interpret models fetch

demo: models ## Interprets a recorded French speaker into English, live, through the daemon
	@scripts/demo "$(DEMO_SPEECH)"

lint: setup ## Format, clippy, dependency licences and advisories
	@scripts/lint

# One build for everything: with --bins first, cargo would build most dependencies twice, since tests
# want more of their features. Examples and benches are checked by lint, and not built, but for the one
# that a test runs.
#
# Unit tests and tests in which time does not matter run two at a time. All others have the machine for themselves.
PAIRED := access append_only bad_input capacity changes damaged echo faults no_speech recognition restart student \
	synthesis translation wire
ALONE := $(filter-out $(PAIRED),$(sort $(basename $(notdir $(wildcard */tests/*.rs */*/tests/*.rs)))))
test: setup lint ## All tests, on real models and real speech
	@$(CARGO) build --release --workspace --bins --tests --example device_bridge
	@target/release/interpret models fetch
	@target/release/interpret models fetch bergamot-en-pt bergamot-pt-en
	@RUST_TEST_THREADS=2 $(CARGO) test --release --workspace --lib --bins $(PAIRED:%=--test %)
	@RUST_TEST_THREADS=1 $(CARGO) test --release --workspace $(ALONE:%=--test %)
	@$(CARGO) test --release --workspace --doc
	@INTERPRETD=target/release/interpretd python/test

bench: setup ## Measures speed, quality and memory on this machine
	@scripts/bench

# PEERS_ARGS=--quick tries it on two short recordings.
bench-peers: models ## Compares streaming recognition with a peer's (docs/peers.md)
	@scripts/bench-peers $(PEERS_ARGS)

# TRANSLATION_ARGS="--lines 20 --rounds 1" tries it on little.
bench-translation: setup ## Compares translation with CTranslate2 (docs/translation-engine.md)
	@scripts/bench-translation $(TRANSLATION_ARGS)

test-peers: ## Tests the scripts of bench-peers
	@PYTHONPATH=scripts/peers $(or $(PYTHON),python3) -m unittest discover -s tests/peers

# FUZZ_ARGS=3600 makes it an hour for each target.
fuzz: setup ## Feeds damaged input to whatever reads untrusted bytes (docs/fuzzing.md)
	@scripts/fuzz $(FUZZ_ARGS)

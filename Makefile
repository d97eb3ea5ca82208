.DEFAULT_GOAL := help
.PHONY: help setup demo test test-versions fmt golden gallery bench-capture bench-card bench-host bench-queue bench-peers soak torture fuzz check-reproducible check-image

help: ## this list
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what building and testing need
	@scripts/setup

demo: setup ## the whole thing on a throwaway Postgres: posts in, pictures out
	@cargo run --locked --quiet -- demo $(ARGS)

test: setup ## everything that has to hold before a change goes in
	@scripts/test

test-versions: setup ## the database tests under Postgres 14 to 18, as far as they can be had: MAJORS="14 18"
	@scripts/test-versions $(MAJORS)

fmt: ## format the code
	@cargo fmt

golden: ## make reference pictures of those that a test run left in target/golden and you looked at: NAMES="a b" or --all
	@scripts/approve-golden $(NAMES)

gallery: ## docs/gallery.png, a sheet of the cards in fixtures/gallery, and each of them in target/gallery
	@cargo run --locked --quiet --example gallery -- --out target/gallery

bench-peers: setup ## tintype and what else draws code, on the same snippets: installs the peers into target/peers first
	@scripts/bench-peers $(ARGS)

bench-card: ## what a card costs in time, bytes and memory; figures go to target/bench/card.json
	@cargo bench --locked --bench card

bench-capture: setup ## captures beside Playwright and Puppeteer: installs the two into target/peers first; ARGS="--only rate"
	@scripts/bench-capture $(ARGS)

bench-host: setup ## what the triggers cost a host, with pgbench on a Postgres of its own: ARGS="--long", ARGS="--only bulk"
	@cargo bench --locked --bench host -- $(ARGS)

bench-queue: setup ## how quick, cheap and steady the queue is, on a Postgres of its own: ARGS="--long", ARGS="--only wake"
	@cargo bench --locked --bench queue -- $(ARGS)

soak: setup ## captures of good and evil pages, the browser killed again and again; nothing may be lost: ARGS="--captures 5000"
	@cargo bench --locked --profile dev --bench soak -- $(ARGS)

torture: setup ## workers, database, network and store die for some minutes, and every row is judged: ARGS="--minutes 20 --seed 7"
	@cargo bench --locked --profile dev --bench torture -- $(ARGS)

fuzz: ## bytes to PNG, fuzzed for MINUTES=60 in all: no panic, no hang, bounded memory; needs a nightly compiler
	@scripts/fuzz $(or $(MINUTES),60)

check-reproducible: ## two builds from nothing draw the same bytes; slow
	@scripts/check-reproducible

check-image: ## both images built and run on this machine, as deploy/ says; as root on Debian; half an hour; ARGS=--keep
	@scripts/check-image $(ARGS)

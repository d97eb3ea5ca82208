.DEFAULT_GOAL := help
.PHONY: help setup demo test fmt golden

help: ## this list
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what building and testing need
	@scripts/setup

demo: setup ## the whole thing on a throwaway Postgres: posts in, pictures out
	@cargo run --locked --quiet -- demo $(ARGS)

test: setup ## everything that has to hold before a change goes in
	@scripts/test

fmt: ## format the code
	@cargo fmt

golden: ## draw the reference pictures anew; look at each before committing it
	@TINTYPE_GOLDEN=accept cargo test --locked --test it golden

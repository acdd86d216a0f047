# Every command of the checkout. `make` alone prints this list; the work itself is in tools/ and in the `bookbag` command.
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory --no-builtin-rules
# Where this is set Python keeps nothing that it compiled, and each process of ours would compile all of its modules anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help run stack stack-status stack-logs test lint format types stubs web bench screens chaos image cluster-test requirements docs lock clean

# The environment's own Python once there is one (it starts at once), before that the first one found that is new enough.
PYTHON ?= $(shell for python in .venv/bin/python python3 python3.13 python3.12 python3.11; do \
	"$$python" -SEc 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$python"; break; }; done)
ready = @$(if $(PYTHON),$(PYTHON),echo "Bookbag needs Python 3.11, 3.12 or 3.13 in the PATH." && false) -SE -m tools.bootstrap
venv = @.venv/bin/python

help: ## this list
	@echo "Bookbag: the book bag between school and home. Commands:"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  ARGS=\"…\" goes to the command itself: make run ARGS=\"--port 8090 --no-demo\""
	@echo "  BOOKBAG_APT=no keeps make from installing system packages (Apertium, Chromium)."

run: ## start the whole product on this machine and print its address
	$(ready) run
	@exec .venv/bin/python -m bookbag up $(ARGS)

stack: ## start every service as its own processes with Kafka, S3 and a gateway, and print the address
	$(ready) stack
	@exec .venv/bin/python -m bookbag stack up $(ARGS)

stack-status: ## what the stack consists of: ports, memory, state, what waits
	$(venv) -m bookbag stack status $(ARGS)

stack-logs: ## follow what the stack says; SERVICE=messaging only this one
	$(venv) -m bookbag stack logs $(if $(SERVICE),--service $(SERVICE)) $(ARGS)

test: ## run every suite; ONLY=lint,pytest runs some, ARGS="-k words" goes to pytest
	$(ready) test
	$(venv) -m tools.test $(if $(ONLY),--only $(ONLY)) -- $(ARGS)

lint: ## ruff, the architecture walls, the protocol files
	$(ready) checks
	$(venv) -m tools.test --only lint,format,walls,buf

format: ## let ruff put the code in its form
	$(ready) checks
	@.venv/bin/ruff format -q . && .venv/bin/ruff check -q --fix .

types: ## basedpyright, strict
	$(ready) checks
	$(venv) -m tools.test --only types

stubs: ## make the protocol stubs anew
	$(ready) stubs

web: ## build the web client anew
	$(ready) web

bench: ## measure against the goals; ONLY=P1 runs one
	$(ready) bench
	$(venv) -m bench $(if $(ONLY),--only $(ONLY)) $(ARGS)

screens: ## take a picture of every screen into build/screens/
	$(ready) test
	$(venv) -m tools.screens $(ARGS)

chaos: ## an hour of kills, outages and doubles on the stack, judged; ONLY=R4 one part, ARGS="--cycles 20"
	$(ready) test
	$(venv) -m tests.chaos.long $(if $(ONLY),--only $(ONLY)) $(ARGS)

image: ## build the container image with Docker; ARGS="--tag registry/bookbag:1 --base python:3.11-slim-bookworm@sha256:…"
	$(ready) image
	$(venv) -m tools.image $(ARGS)

cluster-test: ## try image and chart on a real cluster; KUBECONFIG=… names yours, ARGS="-k words" goes to pytest
	$(ready) test
	$(venv) -m tests.cluster $(if $(KUBECONFIG),--kubeconfig $(KUBECONFIG)) -- $(ARGS)

requirements: ## which tests prove which requirement, and which have none
	$(ready) checks
	$(venv) -m tools.requirements_table

docs: ## write the generated parts of docs/ anew
	$(ready) checks
	$(venv) -m tools.docs

lock: ## pin requirements*.in anew, with hashes (needs the network)
	$(ready) python
	$(venv) -m tools.lock $(ARGS)

clean: ## remove what was built; keeps .venv, packages and your data folder
	@rm -rf build web/dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find bookbag services tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

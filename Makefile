# `make up` starts everything, `make test` tests everything.
# The Python versions that the tests were run with. The first of them that is on PATH is used.
PYTHONS = 3.11 3.12 3.13
is_one_of_them = import sys; sys.exit("%d.%d" % sys.version_info[:2] not in "$(PYTHONS)".split())
PYTHON ?= $(shell for python in python3 $(PYTHONS:%=python%); do \
	$$python -c '$(is_one_of_them)' 2>/dev/null && echo $$python && exit; done; echo python3)
.DEFAULT_GOAL := help
export PYTHONUNBUFFERED = 1
# Container images set it; with it, every start of Python compiles all that it imports again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help venv up down clean test browser slow end-to-end faults reliability conformance check fast pythons lock golden client-image
help:  ## list the targets
	@echo 'Usage: make TARGET'
	@sed -nE 's/^([a-z-]+):[^#]*## (.+)$$/  \1\t\2/p' Makefile | expand -t 16
	@echo 'Python $(PYTHONS): one of these is needed; if it is not on PATH: make PYTHON=/path/to/python3.11 up'

venv: .venv/ready  ## create .venv with the Python packages

up: .venv/ready  ## start the whole system on this machine; the first time builds its tools
	.venv/bin/hub up

down: .venv/ready  ## remove the cloud side (`pulumi destroy`); the home server keeps running
	.venv/bin/hub down

clean: .venv/ready  ## remove the local system; built tools stay in the cache
	.venv/bin/hub clean

# For two cores: half of the end-to-end tests' time is waiting, and nearly all of the slow ones'.
test: .venv/ready  ## all tests: check, then browser and slow; beside them a temporary local system, end to end
	$(MAKE) --jobs=3 FIRST=check end-to-end browser slow

# What these wait for; set here, so that no variable of the environment counts.
FIRST =
browser: .venv/ready $(FIRST)  ## the page's tests in a browser
	.venv/bin/python -m pytest -v -m browser

slow: .venv/ready $(FIRST)  ## the gateway's tests that wait, other projects' clients (installs these), the model's arithmetic
	.venv/bin/python -m pytest -v -m slow

end-to-end: .venv/ready  ## the tests of two temporary local systems, side by side: much of their time is waiting
	.venv/bin/python -m pytest -v -n 2 --dist loadfile --no-loadscope-reorder -m twin

faults: .venv/ready  ## break a temporary local system in many ways, and see the doctor name each
	.venv/bin/python -m pytest -v -m faults

reliability: .venv/ready  ## break one while eight clients ask, and write docs/reliability.md
	HUB_WRITE_RELIABILITY=1 .venv/bin/python -m pytest -v -m faults tests/faults/test_under_load.py

conformance: .venv/ready  ## hold the emulated node and two emulated providers against the originals, set home up on a real Debian; builds these once
	.venv/bin/python -m pytest -v -n 2 --dist loadfile -m conformance

check: .venv/ready  ## lint, types, fast tests
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/pyright
	$(MAKE) fast

# Four at once, on two cores, too: they wait for more than half of their time.
fast: .venv/ready  ## the fast tests alone
	.venv/bin/python -m pytest -n 4 --dist loadfile -m "not twin and not browser and not slow and not faults and not conformance"

pythons:  ## the fast tests with each other Python that is supported and here, in copies of the last commit
	@for python in $(PYTHONS:%=python%); do \
		[ ! -e .venv/bin/$$python ] || continue; \
		$$python -c '$(is_one_of_them)' 2>/dev/null || { echo "No $$python here"; continue; }; \
		copy=$$(mktemp -d) && git clone -q . $$copy && $(MAKE) -C $$copy fast PYTHON=$$python || exit; \
		rm -rf $$copy; \
	done

# vLLM's set is the same for all, but for one package (six) that 3.11 does not need.
lock: .venv/ready  ## update the pinned dependencies, with hashes
	.venv/bin/uv pip compile -q --universal --generate-hashes --no-header -p 3.11 pyproject.toml --all-extras --group dev -o requirements.txt
	.venv/bin/uv pip compile -q --no-header --generate-hashes -p 3.13 --python-platform x86_64-manylinux_2_35 \
		--override twin/tools/vllm/overrides.txt --no-emit-package torchaudio --no-emit-package torchcodec \
		twin/tools/vllm/requirements.in -o twin/tools/vllm/requirements.txt
	.venv/bin/uv pip compile -q --generate-hashes --no-header --no-annotate -p 3.11 --python-platform linux \
		-c requirements.txt app/client/requirements.in -o app/client/requirements.txt
	.venv/bin/uv pip compile -q --generate-hashes --no-header --no-annotate -p 3.11 --python-platform linux \
		bench/gateway_speed/litellm/requirements.in -o bench/gateway_speed/litellm/requirements.txt

golden: .venv/ready  ## rewrite what the tests expect each stack to register
	.venv/bin/python -m tests.infra.golden

client-image:  ## build the web client's image; needs Docker
	docker build -f app/client/Dockerfile -t rtx3090-web-client .

not_installed = { echo "The Python packages were not installed; why stands above. Is Python's package registry reachable,"; \
	echo "and is there room on the disk? Then run the same command again."; exit 1; }
.venv/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c '$(is_one_of_them)' || \
		{ echo "This project was only tried with Python $(PYTHONS), and $(PYTHON) is $$($(PYTHON) -V 2>&1)."; \
		  echo "Install one of them, then run: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Python packages: half a minute"
	@$(PYTHON) -m venv --clear .venv
	@# pip, which every virtual environment has, installs uv from its pinned lines; uv the rest.
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.txt > .venv/uv.txt
	@.venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r .venv/uv.txt || $(not_installed)
	@.venv/bin/uv pip sync -q --python .venv/bin/python --require-hashes requirements.txt || $(not_installed)
	@.venv/bin/uv pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
	@touch $@

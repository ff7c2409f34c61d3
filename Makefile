# The two commands that matter: make run, make test. Nothing but Python 3.11 or newer (with venv) is needed.
VENV ?= .venv
PY ?= python3
PYTHON = $(VENV)/bin/python
UV = $(VENV)/bin/uv

.PHONY: help run run-services test check format lock reference bench chaos quiet-hours-proof clean
.DEFAULT_GOAL := help

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-18s %s\n", $$1, $$2}'

run: $(VENV)/.run-ok ## install, migrate, load demo data once, start everything at http://127.0.0.1:3000 (PORT=4000 make run)
	@exec $(PYTHON) manage.py run_platform

# The very services of docker-compose.yml, one process each, on servers of this machine.
run-services: $(VENV)/.run-ok ## start one process per service on PostgreSQL, Redis and RabbitMQ of this machine
	@DATABASE_URL=$${DATABASE_URL:-postgres://postgres@127.0.0.1:5432/notifications} \
	 REDIS_URL=$${REDIS_URL:-redis://127.0.0.1:6379/0} \
	 RABBITMQ_URL=$${RABBITMQ_URL:-amqp://guest:guest@127.0.0.1:5672/} \
	 exec $(PYTHON) manage.py run_services

test: $(VENV)/.dev-ok ## all tests, on SQLite and, where it answers, on PostgreSQL
	$(PYTHON) -m tests.every_database $(ARGS)

check: $(VENV)/.dev-ok ## format, lint, types, import contracts, migrations, settings, generated files
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy .
	$(VENV)/bin/lint-imports
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(PYTHON) manage.py check --fail-level WARNING
	$(PYTHON) manage.py write_reference --check

format: $(VENV)/.dev-ok ## let ruff mend what it can
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

reference: $(VENV)/.dev-ok ## write docs/reference and .env.example anew from the code
	$(PYTHON) manage.py write_reference

bench: $(VENV)/.dev-ok ## measure beside the peers: all figures, or ARGS="f1 --size full", ARGS="--help"
	$(PYTHON) -m benchmarks $(ARGS)

chaos: $(VENV)/.dev-ok ## kill, wipe and freeze everything while notifications go out (ARGS="--profile full")
	$(PYTHON) -m tests.chaos $(ARGS)

quiet-hours-proof: $(VENV)/.dev-ok ## hold 200,000 quiet hours against clocks watched minute by minute, in every zone
	$(PYTHON) -m tests.users.clock_watcher $(ARGS)

clean: ## remove the virtual environment; var/ with your data stays
	rm -rf $(VENV)

# uv installs four times as fast; where it cannot be had, pip does the same from the same lock.
define install
	@$(PY) -c 'import sys, ensurepip; assert sys.version_info >= (3, 11)' 2>/dev/null || { echo "Python 3.11 or newer with venv is needed (Debian: apt install python3-venv)."; exit 1; }
	@test -x $(PYTHON) || $(PY) -m venv $(VENV)
	@echo "Installing packages from $(1) (about half a minute the first time) ..."
	@( $(PYTHON) -m pip install -q --disable-pip-version-check uv==0.13.9 \
	  && $(UV) pip install -q --compile-bytecode --python $(PYTHON) --require-hashes -r $(1) ) \
	 || $(PYTHON) -m pip install -q --disable-pip-version-check --require-hashes -r $(1)
	@touch $@
endef

$(VENV)/.run-ok: requirements.txt
	$(call install,requirements.txt)

$(VENV)/.dev-ok: requirements-dev.txt
	$(call install,requirements-dev.txt)

# One resolution serves Python 3.11 to 3.13. A lock names packages and hashes, never an address.
LOCK = $(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes -q
lock: $(VENV)/.dev-ok ## resolve the packages anew
	$(LOCK) -o requirements.txt
	$(LOCK) --group dev -c requirements.txt -o requirements-dev.txt
	$(LOCK) --group dev --group e2e -c requirements-dev.txt -o requirements-e2e.txt
	$(UV) pip compile benchmarks/peers/requirements.in --universal --python-version 3.11 --generate-hashes -q --no-header -o benchmarks/peers/requirements.txt
	! grep -n '://' requirements*.txt benchmarks/peers/requirements.txt

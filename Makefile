# Two commands for everyone: `make run` and `make test`. Use `make quick` before each commit and `make serve` in production.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
# Deno downloads packages here once and then needs no network.
export DENO_DIR := $(CURDIR)/$(VENV)/deno
# Also trust the system's certificates, such as a company's own.
export DENO_TLS_CA_STORE := mozilla,system
# Compile once, because the tests start a hundred processes.
unexport PYTHONDONTWRITEBYTECODE
TYPESCRIPT := conversations/edge tests/conversations/edge
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install --require-hashes --no-deps

TIMED := usage escalations access/test_limits.py access/test_records.py conversations/test_queries_admin.py waops/accounts \
	$(patsubst %,conversations/message_path/test_%.py,turns order one_statement plan_defects) \
	$(patsubst %,waops/dbops/test_%.py,checklist snapshots pages) \
	$(patsubst %,waops/test_%.py,demo_data demo_desk demo_parts demo_states admin_lists cache_keys)
UNTIMED := escalations/desk/test_chaos.py escalations/replies/test_killed.py escalations/search/test_search_indexes.py usage/test_hostile_rows.py usage/test_trigger_faults.py

.PHONY: run screenshots serve test quick test-at check test-database translations benchmark lock clean

run: $(VENV)/app
	@$(MANAGE) bootstrap --port $(PORT)
	@DJANGO_RUNSERVER_HIDE_WARNING=true exec $(MANAGE) runserver 127.0.0.1:$(PORT)

# Serve as in production. Needs at least SECRET_KEY and DATABASE_URL: see docs/deployment.md.
serve: $(VENV)/app
	@$(MANAGE) collectstatic --noinput --verbosity 0
	@PORT=$(PORT) exec $(BIN)/gunicorn

test: check test-database

# The checks and tests that most mistakes break, in a minute; tests/quick.py lists what is left out.
quick: $(VENV)/dev
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/python -m pytest --quick -n auto --dist worksteal $(TESTS)

check: $(VENV)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/djlint --check --quiet templates
	$(BIN)/python -m tests.plain_english
	$(MANAGE) makemigrations --check --dry-run
	$(BIN)/deno fmt --check --quiet --line-width 120 $(TYPESCRIPT)
	$(BIN)/deno lint --quiet $(TYPESCRIPT)
	$(BIN)/deno check --quiet --frozen --lock=tests/conversations/edge/deno.lock $(TYPESCRIPT)

# Run the tests on one server: the embedded one, or for example EMBEDDED_POSTGRES_BIN=/usr/lib/postgresql/15/bin.
test-database: $(VENV)/dev
	$(BIN)/python -m pytest -n auto --dist worksteal $(TESTS)

# Run time-dependent tests at another time, in Cairo's time zone: make test-at MOMENT="2025-10-30 23:58". Needs Debian's faketime.
# The time is an offset, so clocks keep running. Choose a past time: in the future, Postgres timeouts never end.
test-at: $(VENV)/dev
	LD_PRELOAD=$$(ls /usr/lib/*/faketime/libfaketimeMT.so.1) FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 \
	FAKETIME=$$(printf %+d $$(($$(TZ=Africa/Cairo date -d "$(MOMENT)" +%s) - $$(date +%s)))) \
	$(BIN)/python -m pytest -p tests.moved_clock -n auto --dist worksteal $(addprefix --ignore=tests/,$(UNTIMED)) $(addprefix tests/,$(TIMED))

# Take the pictures for README and docs.
screenshots: $(VENV)/dev
	$(BIN)/python -m pytest -q tests/browser/screenshots.py

translations: $(VENV)/dev
	$(MANAGE) makemessages --locale ar --no-wrap --no-location --no-obsolete --ignore tests --ignore staticfiles
	$(MANAGE) compilemessages --locale ar --ignore "$(VENV)"

# Writes the report, its plots and the READMEs' figures. Takes 20 minutes on an otherwise idle machine and 25 GB in the temporary folder.
benchmark: $(VENV)/app
	$(MANAGE) benchmark --rounds 3 --seconds 2 --growth --concurrency --pages --full \
		--report docs/benchmark.md --readme README.md README.ar.md

lock: $(VENV)/dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		pyproject.toml --output-file requirements/app.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		pyproject.toml --group dev --output-file requirements/dev.txt

clean:
	rm -rf $(VENV) .postgres-tests .mypy_cache .ruff_cache .hypothesis staticfiles

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/app: requirements/app.txt | $(VENV)/bin/python
	@echo "Installing the app's libraries…"
	@$(PIP) -r requirements/app.txt
	@touch $@

$(VENV)/dev: requirements/dev.txt | $(VENV)/bin/python
	@echo "Installing the libraries for development…"
	@$(PIP) -r requirements/dev.txt
	@touch $@ $(VENV)/app

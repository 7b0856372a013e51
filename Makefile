# Two commands for everybody: `make run` and `make test`. `make serve` is for production; `make lock` is for whoever changes dependencies.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install --require-hashes --no-deps

.PHONY: run serve test check test-database translations benchmark lock clean

run: $(VENV)/app
	@$(MANAGE) bootstrap --port $(PORT)
	@DJANGO_RUNSERVER_HIDE_WARNING=true exec $(MANAGE) runserver 127.0.0.1:$(PORT)

# As in production, which needs at least SECRET_KEY and DATABASE_URL: see docs/deployment.md.
serve: $(VENV)/app
	@$(MANAGE) collectstatic --noinput --verbosity 0
	@PORT=$(PORT) exec $(BIN)/gunicorn

test: check test-database

check: $(VENV)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/djlint --check --quiet templates
	$(MANAGE) makemigrations --check --dry-run

# The tests on one server: the embedded one, or EMBEDDED_POSTGRES_BIN=/usr/lib/postgresql/15/bin, say.
test-database: $(VENV)/dev
	$(BIN)/python -m pytest -n auto $(TESTS)

translations: $(VENV)/dev
	$(MANAGE) makemessages --locale ar --no-wrap --no-location --ignore tests --ignore staticfiles
	$(MANAGE) compilemessages --locale ar --ignore "$(VENV)"

# The report, its plots and the README's table, anew: twenty minutes of an otherwise idle machine, 25 GB in the temporary folder.
benchmark: $(VENV)/app
	$(MANAGE) benchmark --rounds 3 --seconds 2 --growth --concurrency --pages --full \
		--report docs/benchmark.md --readme README.md

lock: $(VENV)/dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		pyproject.toml --output-file requirements/app.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		pyproject.toml --group dev --output-file requirements/dev.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis staticfiles

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

"""The environment: every variable is explained, and a wrong one is named."""

import os
import re
import subprocess
import sys
from pathlib import Path
from runpy import run_path

import psycopg
import pytest
from django.conf import settings
from django.core.checks import run_checks

from conversations.checks import kill_switch_names_functions
from tests import wording
from waops.database.checks.settings import environment_is_read
from waops.database.url import database_settings

ASKED = re.compile(r"""\benv(?:\.\w+)?\(\s*"([A-Z_]+)\"""")
EXPLAINED = re.compile(r"^#?([A-Z_]+)=", re.MULTILINE)


def read(name: str) -> str:
    return Path(settings.BASE_DIR, name).read_text()


def test_env_example_names_exactly_the_variables_that_settings_read() -> None:
    asked = set(ASKED.findall(read("waops/settings.py")))
    assert "DATABASE_URL" in asked
    assert set(EXPLAINED.findall(read(".env.example"))) == asked


def test_an_unknown_pool_mode_is_an_error_with_a_hint(settings) -> None:
    settings.DATABASE_POOL_MODE = "statement"
    (message,) = [m for m in run_checks() if m.id == "waops.E010"]
    assert "statement" in message.msg
    assert "direct, session, transaction" in message.hint


def test_an_empty_secret_key_is_an_error_with_a_hint(settings) -> None:
    settings.SECRET_KEY = ""
    (message,) = [m for m in run_checks() if m.id == "waops.E011"]
    assert "random" in message.hint


@pytest.mark.parametrize(
    ("mode", "sets_path", "server_side_cursors"),
    [("direct", True, True), ("session", False, True), ("transaction", False, False)],
)
def test_the_pool_mode_decides_what_is_sent_at_connection(
    mode: str, sets_path: bool, server_side_cursors: bool
) -> None:
    config = database_settings("postgresql://u:p@h/d", pool_mode=mode, pool_size=0, search_path=("waops", "public"))
    assert ("options" in config["OPTIONS"]) is sets_path
    assert config["DISABLE_SERVER_SIDE_CURSORS"] is not server_side_cursors
    assert "pool" not in config["OPTIONS"]


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("DATABASE_URL", "mysql://a@b/c", "does not begin with postgresql://"),
        ("DATABASE_URL", "postgresql://u:pass/word@host:5432/db", "special characters"),
        ("DATABASE_POOL_SIZE", "ten", "invalid literal"),
        ("MIGRATION_ATTEMPTS", "0", "at least 1"),
        ("MIGRATION_LOCK_TIMEOUT", "0", "at least 0.1"),
        ("EMBEDDED_POSTGRES_VERSION", "12", "one of 16, 18"),
        ("EMBEDDED_POSTGRES_BIN", "/nonexistent", "no program postgres"),
        ("CACHE_URL", "foo://x", "Invalid cache schema"),
        ("EMAIL_URL", "foo://x", "Invalid email schema"),
        ("TIME_ZONE", "Mars/One", "No time zone found"),
        ("LANGUAGE_CODE", "xx", "one of en, ar"),
        ("LOG_LEVEL", "LOUD", "one of DEBUG"),
        ("MESSAGE_PATH_KILL_SWITCH", "mesage_arrived", "mesage_arrived"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named_and_counts_as_unset(
    monkeypatch: pytest.MonkeyPatch, settings, variable: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(variable, value)
    read = run_path(str(Path(settings.BASE_DIR, "waops/settings.py")))
    settings.ENVIRONMENT_PROBLEMS = read["ENVIRONMENT_PROBLEMS"]
    settings.MESSAGE_PATH_KILL_SWITCH = read["MESSAGE_PATH_KILL_SWITCH"]
    (message,) = [*environment_is_read(), *kill_switch_names_functions()]
    assert ".env.example" in message.hint or "message_arrived" in message.hint
    assert variable in message.msg
    assert problem in message.msg
    assert "word@" not in message.msg
    if variable == "DATABASE_URL":
        assert read["EMBEDDED_POSTGRES"] is False


def test_an_unusable_variable_stops_commands_with_a_reason() -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": "postgresql://u:pass/word@host:5432/db"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert f"waops.E012) DATABASE_URL {wording.CANNOT_BE_USED}" in result.stderr
    assert "Traceback" not in result.stderr
    assert "word@" not in result.stderr


def test_a_debug_toolbar_that_is_not_there_is_an_error_with_a_hint(settings) -> None:
    settings.DEBUG_TOOLBAR_WANTED, settings.DEBUG_TOOLBAR = True, False
    (message,) = [m for m in run_checks() if m.id == "waops.E013"]
    assert "make check" in message.hint


@pytest.mark.parametrize("debug", [True, False])
def test_the_debug_toolbar_is_there_only_with_debug(monkeypatch: pytest.MonkeyPatch, settings, debug: bool) -> None:
    monkeypatch.setenv("DEBUG_TOOLBAR", "true")
    monkeypatch.setenv("DEBUG", str(debug))
    read = run_path(str(Path(settings.BASE_DIR, "waops/settings.py")))
    assert ("debug_toolbar" in read["INSTALLED_APPS"]) is debug
    assert any("debug_toolbar" in name for name in read["MIDDLEWARE"]) is debug


def test_pages_open_with_the_debug_toolbar(committed_database: str) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(committed_database)
    url = f"postgresql://{parts['user']}@/{parts['dbname']}?host={parts['host']}"
    environment = {**os.environ, "DATABASE_URL": url, "DEBUG": "true", "DEBUG_TOOLBAR": "true", "SECRET_KEY": "tests"}
    code = """
import django
django.setup()
from django.test import Client
page = Client(headers={"host": "localhost"}).get("/login/")
print(page.status_code, "djDebug" in page.content.decode())
"""
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={**environment, "DJANGO_SETTINGS_MODULE": "waops.settings"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.stdout.split() == ["200", "True"], result.stderr

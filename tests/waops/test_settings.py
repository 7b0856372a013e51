"""The environment: every variable is explained, and a wrong one is named."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.checks import run_checks

from waops.database_url import database_settings

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

"""Arabic is complete, and what is compiled is what is written."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.conftest import absent

CATALOGUE = Path(settings.BASE_DIR, "locale/ar/LC_MESSAGES/django.po")
PLURAL_FORMS = 6
"""Arabic: none, one, two, few, many, other."""


@pytest.fixture(autouse=True)
def _gettext() -> None:
    if shutil.which("msgfmt") is None:
        absent("gettext is not installed")


def gettext(program: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=True)


def msgids(catalogue: Path) -> set[str]:
    """Every message that is in use, as msgfmt's own normal form prints it."""
    text = gettext("msgattrib", "--no-obsolete", "--no-wrap", "--no-location", catalogue).stdout
    return set(re.findall(r'^msgid "(.+)"$', text, re.MULTILINE))


def test_every_message_is_translated_and_sure(tmp_path: Path) -> None:
    statistics = gettext("msgfmt", "--check", "--statistics", "-o", tmp_path / "out.mo", CATALOGUE).stderr
    assert re.fullmatch(r"\d+ translated messages\.\n", statistics)


def test_every_plural_has_its_arabic_forms() -> None:
    text = CATALOGUE.read_text()
    plurals = text.count("msgid_plural")
    for form in range(PLURAL_FORMS):
        assert text.count(f"\nmsgstr[{form}] ") == plurals


def test_the_compiled_catalogue_is_the_written_one(tmp_path: Path) -> None:
    gettext("msgunfmt", "--no-wrap", "-o", tmp_path / "compiled.po", CATALOGUE.with_suffix(".mo"))
    gettext("msgfmt", "-o", tmp_path / "fresh.mo", CATALOGUE)
    gettext("msgunfmt", "--no-wrap", "-o", tmp_path / "fresh.po", tmp_path / "fresh.mo")
    assert (tmp_path / "compiled.po").read_text() == (tmp_path / "fresh.po").read_text()


def test_no_message_of_the_code_is_missing(tmp_path: Path) -> None:
    """`make translations` was run after the last change of a string."""
    copy = tmp_path / "project"
    ignore = shutil.ignore_patterns(".*", "__pycache__", "staticfiles", "node_modules", "tests", "fonts")
    shutil.copytree(settings.BASE_DIR, copy, ignore=ignore)
    command = [sys.executable, "manage.py", "makemessages", "--locale", "ar", "--no-wrap", "--no-location"]
    subprocess.run(command, cwd=copy, capture_output=True, check=True)
    assert msgids(copy / "locale/ar/LC_MESSAGES/django.po") == msgids(CATALOGUE)

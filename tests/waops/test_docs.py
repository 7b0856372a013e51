"""What the documents name is there: commands and options, settings, permissions, files, tests, targets of make."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands
from django.db.models import Model

from tests.commands import parser_of, words_of

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
COMMAND = re.compile(r"manage\.py ([a-z_]+)([^|`\n#]*)")
WORD = re.compile(r" ([a-z_]+)")
OPTION = re.compile(r"(?<!\S)(--[a-z][a-z-]*)")
SETTING = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
TARGET = re.compile(r"^\s*make ([a-z-]+)|`make ([a-z-]+)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
PATH = re.compile(r"`((?:benchmarks|conversations|docs|escalations|templates|tests|usage|waops)/[\w./-]+)`")
TEST = re.compile(r"`(test_\w+)`")
VERBS = {"view", "add", "change", "delete", "claim", "resolve", "export", "reset", "manage", "override", "open", "see"}
"""What permissions begin with; other names with a dot are tables and functions."""
PERMISSION = re.compile(r"`((?:waops|usage|conversations|escalations)\.[a-z]+_[a-z_]+)`")

OF_DJANGO = {"createsuperuser", "check", "migrate", "collectstatic", "runserver", "makemigrations", "changepassword"}
"""Commands of Django itself, whose options are Django's."""
NOT_SETTINGS = {"LC_MESSAGES", "ON_ERROR_STOP", "SET_ROLE", "PYTHON_VERSION"}


def read(document: Path) -> str:
    return document.read_text()


def code(document: Path) -> Iterator[str]:
    yield from CODE.findall(read(document))


def documents() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def options_of(command: str, word: str) -> set[str]:
    parser = parser_of(command)
    words = words_of(parser)
    parsers = [words[word]] if word in words else [parser]
    return {option for each in parsers for action in each._actions for option in action.option_strings}


@documents()
def test_every_command_with_its_options_exists(document: Path) -> None:
    for text in code(document):
        for command, rest in COMMAND.findall(text):
            assert command in get_commands(), f"manage.py {command}"
            word = WORD.match(rest)
            words = words_of(parser_of(command))
            assert not word or not words or word[1] in words, f"manage.py {command}{rest}"
            unknown = set(OPTION.findall(rest)) - options_of(command, word[1] if word else "")
            assert not unknown, f"manage.py {command} {unknown}"


@documents()
def test_every_setting_is_one_that_the_app_reads(document: Path) -> None:
    known = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)) | NOT_SETTINGS
    known |= set(re.findall(r"\b[A-Z_]{4,}\b", (ROOT / "waops/settings.py").read_text()))
    makefile = (
        (ROOT / "Makefile").read_text()
        + (ROOT / "gunicorn.conf.py").read_text()
        + "".join(path.read_text() for path in ROOT.glob("tests/**/*.py"))
    )
    for text in code(document):
        for name in SETTING.findall(text):
            assert name in known or name in makefile, name


@documents()
def test_every_permission_exists(document: Path) -> None:
    for name in PERMISSION.findall(read(document)):
        app, codename = name.split(".")
        if codename.partition("_")[0] in VERBS:
            assert codename in permissions(app), name


@documents()
def test_every_target_of_make_exists(document: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for text in code(document):
        for pair in TARGET.findall(text.strip("`")):
            assert "".join(pair) in targets


@documents()
def test_every_link_leads_to_a_file_and_a_heading(document: Path) -> None:
    for target, anchor in LINK.findall(read(document)):
        if "://" in target or target.startswith("mailto:"):
            continue
        file = document.parent / target
        assert file.exists(), target
        if anchor:
            assert anchor.removeprefix("#") in anchors(file), target + anchor


@documents()
def test_every_path_and_every_test_exists(document: Path) -> None:
    for path in PATH.findall(read(document)):
        assert (ROOT / path).exists(), path
    missing = set(TEST.findall(read(document))) - all_tests()
    assert not missing


@cache
def all_tests() -> frozenset[str]:
    """Names of all tests."""
    files = ROOT.glob("tests/**/test_*.py")
    return frozenset(name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE))


def test_what_is_looked_for_is_found() -> None:
    """The patterns find something: a document that is checked against nothing would pass."""
    everything = "\n".join(read(document) for document in DOCUMENTS)
    for pattern in (COMMAND, SETTING, TARGET, LINK, PATH, TEST):
        assert pattern.search(everything)


def permissions(app: str) -> set[str]:
    names = set()
    for model in apps.get_app_config(app).get_models():
        names |= {f"{action}_{model._meta.model_name}" for action in model._meta.default_permissions}
        names |= {codename for codename, _name in custom(model)}
    return names


def custom(model: type[Model]) -> list[tuple[str, str]]:
    return list(model._meta.permissions)


def anchors(file: Path) -> set[str]:
    """Names of headings as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", read(file), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}

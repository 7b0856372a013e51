"""Tests quote the interface only through tests/wording.py, so that a change of wording changes one line of them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests import wording

TESTS = Path(__file__).parent
CATALOGUE = TESTS.parent / "locale/ar/LC_MESSAGES/django.po"
MAY_QUOTE = {"wording.py", "test_wording.py", "plain_english.py"}

OTHER_TEXTS = {
    "does not exist",  # errors of the database functions
    "p_message_id is the id of a customer's message; a reply needs an id that differs",
    "does not begin with postgresql://",  # errors while settings are read
    "cannot be read",  # lines of the log
    "DELETE of a WhatsApp number",
    "asks for a code that only the phone of a person knows",
}
"""Texts that are not translated, and happen to contain words of the interface."""

ENTRY = re.compile(r'^(?:msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:".*"\n)+)', re.MULTILINE)
NOT_WORDS = re.compile(r"%\(\w+\)[sdg]|%[sd]|\{\w*\}|manage\.py(?: [a-z_]+)*|\S*[_/=<@]\S*|\d[\d,.]*")
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
RUN = 4
"""This many words of one sentence in a row are a quotation; so is a text of one word less."""

Run = tuple[str, ...]


def runs(text: str, length: int) -> Iterator[Run]:
    for part in NOT_WORDS.split(text):
        words = WORD.findall(part)
        yield from zip(*(words[place:] for place in range(length)), strict=False)


def sentences() -> Iterator[str]:
    """Every string of the interface, and its translation."""
    for lines in ENTRY.findall(CATALOGUE.read_text(encoding="utf-8")):
        yield "".join(ast.literal_eval(line) for line in lines.splitlines())


INTERFACE = {run for sentence in sentences() for length in (RUN - 1, RUN) for run in runs(sentence, length)}


def is_quotation(text: str) -> bool:
    words = len(WORD.findall(text))
    return words >= RUN - 1 and not INTERFACE.isdisjoint(runs(text, min(RUN, words)))


def quotations() -> Iterator[str]:
    """String constants of tests, docstrings excepted, that quote the interface."""
    for path in sorted(TESTS.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree) if path.name not in MAY_QUOTE else ():
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in docstrings:
                continue
            if is_quotation(node.value) and node.value.strip() not in OTHER_TEXTS:
                yield f"{path.relative_to(TESTS)}:{node.lineno}: {node.value}"


def outdated() -> Iterator[str]:
    """Constants of tests/wording.py that the interface no longer contains."""
    plain = [" ".join(NOT_WORDS.sub("#", sentence).split()) for sentence in sentences()]
    for name, value in vars(wording).items():
        for text in value.values() if isinstance(value, dict) else [value]:
            if name.isupper() and not any(NOT_WORDS.sub("#", text) in sentence for sentence in plain):
                yield f"{name}: {text}"


def test_the_interface_contains_what_tests_look_for() -> None:
    assert not list(outdated()), "correct these in tests/wording.py"


def test_no_other_test_quotes_the_interface() -> None:
    assert not list(quotations()), "move these to tests/wording.py"


def test_a_quotation_is_recognised() -> None:
    assert is_quotation("12 customers have written since 14:05 without an answer")
    assert not is_quotation("12 customers have never written anything")

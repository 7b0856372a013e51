"""Normalise the many spellings of Arabic text and order numbers.

A number becomes a separate word, so that 19450 finds FS-19450, and TR 48682 finds TR48682. The indexes use Postgres's
own functions, because every role that writes a message would need to execute ours, or writing would fail. This module
folds the same way, for queries and for highlighting matches.
"""

import re

from django.contrib.postgres.search import SearchVectorField
from django.db.models import Func, TextField

INDEXED = 20_000
"""Characters of a text that are indexed: a text with more distinct words than a tsvector can hold could not
be written.
"""

ALEFS, YEHS, TEH_MARBUTA, KEHEH = "\u0622\u0623\u0625\u0671", "\u0649\u06cc", "\u0629", "\u06a9"
ARABIC_DIGITS = "".join(map(chr, range(0x0660, 0x066A)))
PERSIAN_DIGITS = "".join(map(chr, range(0x06F0, 0x06FA)))
PUNCTUATION = "\u060c\u061b\u061f"
VOWEL_MARKS = "".join(map(chr, range(0x064B, 0x0656))) + "\u0670"
TATWEEL = "\u0640"

FROM = ALEFS + YEHS + TEH_MARBUTA + KEHEH + ARABIC_DIGITS + PERSIAN_DIGITS + PUNCTUATION + VOWEL_MARKS + TATWEEL
TO = "\u0627" * len(ALEFS) + "\u064a" * len(YEHS) + "\u0647\u0643" + "0123456789" * 2 + " " * len(PUNCTUATION)
"""What each character of FROM becomes; those beyond the end of TO are removed."""

_TABLE = {ord(old): TO[place] if place < len(TO) else None for place, old in enumerate(FROM)}

_NUMBER_BEGINS = "([^0-9 ])([0-9])"
_APART = r"\1 \2"

FOLDED = f"""pg_catalog.regexp_replace(
    pg_catalog.translate(pg_catalog.left(%(expressions)s, {INDEXED}), '{FROM}', '{TO}'),
    '{_NUMBER_BEGINS}', '{_APART}', 'g'
)"""
DOCUMENT = f"pg_catalog.to_tsvector('simple'::pg_catalog.regconfig, {FOLDED})"
"""Exactly as in the indexes' definitions, or they would not be used."""


class Folded(Func):
    """A text column as folded by `fold`, except for case."""

    template = FOLDED
    output_field = TextField()


class FoldedDocument(Func):
    """The words of a text column, folded: the expression of the search indexes."""

    template = DOCUMENT
    output_field = SearchVectorField()


def fold(text: str) -> str:
    """The text with all spellings folded into one, in lower case, like the `simple` text search configuration."""
    return re.sub(_NUMBER_BEGINS, _APART, text.translate(_TABLE)).lower()


def fold_with_places(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters the position in `text` it comes from."""
    folded, places = " ", [0]
    for place, character in enumerate(text):
        new = fold(folded[-1] + character)[1:]
        folded += new
        places += [place] * len(new)
    return folded[1:], places[1:]


def pattern(word: str) -> str:
    """A Postgres regular expression that finds a folded word in any spelling."""
    return "".join(f"{_any_spelling(character)}[{VOWEL_MARKS}{TATWEEL}]*" for character in word)


def _any_spelling(character: str) -> str:
    if not character.isalnum():
        return f"\\{character}"
    spellings = {character, character.upper(), *(old for old, new in zip(FROM, TO, strict=False) if new == character)}
    return f"({'|'.join(sorted(spellings))})"

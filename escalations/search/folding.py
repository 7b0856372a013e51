"""One spelling for the many that Arabic is written in.

Postgres's own `translate` folds in the indexes: a function of ours there would have to be executable by every role that
writes a message, or their writes would fail. This module folds the same way, for queries and for marking matches.
"""

from django.contrib.postgres.search import SearchVectorField
from django.db.models import Func

INDEXED = 20_000
"""Characters of a text that are indexed: one with more different words than a tsvector holds could not be written."""

ALEFS, YEHS, TEH_MARBUTA, KEHEH = "\u0622\u0623\u0625\u0671", "\u0649\u06cc", "\u0629", "\u06a9"
ARABIC_DIGITS = "".join(map(chr, range(0x0660, 0x066A)))
PERSIAN_DIGITS = "".join(map(chr, range(0x06F0, 0x06FA)))
PUNCTUATION = "\u060c\u061b\u061f"
VOWEL_MARKS = "".join(map(chr, range(0x064B, 0x0656))) + "\u0670"
TATWEEL = "\u0640"

FROM = ALEFS + YEHS + TEH_MARBUTA + KEHEH + ARABIC_DIGITS + PERSIAN_DIGITS + PUNCTUATION + VOWEL_MARKS + TATWEEL
TO = "\u0627" * len(ALEFS) + "\u064a" * len(YEHS) + "\u0647\u0643" + "0123456789" * 2 + " " * len(PUNCTUATION)
"""What each character of FROM becomes; those beyond the end of TO are left out."""

_TABLE = {ord(old): TO[place] if place < len(TO) else None for place, old in enumerate(FROM)}

DOCUMENT = f"""pg_catalog.to_tsvector(
    'simple'::pg_catalog.regconfig, pg_catalog.translate(pg_catalog.left(%(expressions)s, {INDEXED}), '{FROM}', '{TO}')
)"""
"""As the indexes' definitions have it, or they would not be used."""


class FoldedDocument(Func):
    """The words of a text column, folded: the expression of the indexes that search uses."""

    template = DOCUMENT
    output_field = SearchVectorField()


def fold(text: str) -> str:
    """In lower case, as the `simple` configuration of text search has it."""
    return text.translate(_TABLE).lower()


def fold_with_places(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters the place in `text` that it comes from."""
    folded, places = [], []
    for place, character in enumerate(text):
        new = fold(character)
        folded.append(new)
        places += [place] * len(new)
    return "".join(folded), places


def pattern(word: str) -> str:
    """A regular expression of Postgres's for a folded word within text in any spelling."""
    return "".join(f"{_any_spelling(character)}[{VOWEL_MARKS}{TATWEEL}]*" for character in word)


def _any_spelling(character: str) -> str:
    if not character.isalnum():
        return f"\\{character}"
    spellings = {character, character.upper(), *(old for old, new in zip(FROM, TO, strict=False) if new == character)}
    return f"({'|'.join(sorted(spellings))})"

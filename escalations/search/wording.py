"""What a person typed, as words and as a number to look for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from escalations.folding import fold, fold_with_places
from waops.access.personal import may_search
from waops.access.phones import digits

FEWEST_DIGITS = 4
"""Fewer last digits than these would match too many customers."""

SHORTEST_BEGINNING = 3
"""A word of at least this length also finds longer words that begin with it."""

MOST_WORDS = 12
BEFORE, AFTER = 60, 180
"""Characters of a text shown before the first match, and from it on."""

_EDGES = re.compile(r"^\W+|\W+$")


@dataclass(frozen=True)
class Wording:
    """`text` as typed."""

    text: str

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words, folded, without punctuation around them."""
        found = (_EDGES.sub("", word) for word in fold(self.text).split())
        return tuple(dict.fromkeys(filter(None, found)))[:MOST_WORDS]

    @cached_property
    def number(self) -> str:
        """The number as international digits, or its beginning; empty if this is not a number, or too short to identify
        anyone.
        """
        found = digits(self.text)
        return found if len(found.lstrip("0")) >= FEWEST_DIGITS else ""

    @cached_property
    def last_digits(self) -> str:
        """The number without a local number's leading zero: what stored numbers end with."""
        return self.number.lstrip("0")

    @cached_property
    def tsquery(self) -> str:
        """All words, in any order, for `to_tsquery('simple', …)`; longer ones also match as prefixes.

        Empty if digits would reveal a number that pages mask.
        """
        return " & ".join(_lexeme(word) for word in self.words) if may_search(self.text) else ""


def _lexeme(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'" + (":*" if len(word) >= SHORTEST_BEGINNING else "")


@dataclass(frozen=True)
class Piece:
    text: str
    is_match: bool = False


def snippet(text: str, words: Sequence[str]) -> list[Piece]:
    """Pieces of the original text, in order. `words` are folded; a match is a word that begins with one.

    Without a match, the text's beginning.
    """
    folded, places = fold_with_places(text)
    spans = [(places[start], places[end - 1] + 1) for start, end in _matches(folded, words)]
    begin = max((spans[0][0] if spans else 0) - BEFORE, 0)
    end = min((spans[0][0] if spans else 0) + AFTER, len(text))
    pieces = [Piece("… ")] if begin else []
    at = begin
    for first, last in spans:
        if first >= end:
            break
        pieces += [Piece(text[at:first]), Piece(_with_marks(text, first, min(last, end)), is_match=True)]
        at = first + len(pieces[-1].text)
    pieces.append(Piece(text[at : max(at, end)] + (" …" if end < len(text) else "")))
    return [piece for piece in pieces if piece.text]


def _matches(folded: str, words: Sequence[str]) -> list[tuple[int, int]]:
    if not words:
        return []
    alternatives = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return [match.span() for match in re.finditer(rf"(?<!\w)(?:{alternatives})\w*", folded)]


def _with_marks(text: str, first: int, last: int) -> str:
    """From one position to another, with the vowel marks that follow, which folding left out."""
    while last < len(text) and fold_with_places(text[last])[0] == "":
        last += 1
    return text[first:last]

"""The part of a text around what was found in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from escalations.search.folding import fold_with_places

BEFORE, AFTER = 60, 180
"""Characters shown before the first match and from it on."""


@dataclass(frozen=True)
class Piece:
    text: str
    is_match: bool = False


def snippet(text: str, words: Sequence[str]) -> list[Piece]:
    """Pieces of the text as it was written, in order. `words` are folded; a match is a word that begins with one.

    Where nothing matches, the text's beginning.
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
    """From one place to another, with the vowel marks that follow, which folding left out."""
    while last < len(text) and fold_with_places(text[last])[0] == "":
        last += 1
    return text[first:last]

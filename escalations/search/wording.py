"""What a person typed, as words to look for and as a number to look for."""

import re
from dataclasses import dataclass
from functools import cached_property

from escalations.search.folding import fold
from waops.personal import sees_numbers
from waops.phones import digits

FEWEST_DIGITS = 4
"""Fewer last digits than these would find everybody."""
SHORTEST_BEGINNING = 3
"""Characters from which a word also finds longer ones that begin with it."""
MOST_WORDS = 12

_EDGES = re.compile(r"^\W+|\W+$")


@dataclass(frozen=True)
class Wording:
    """`text` as typed."""

    text: str

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Folded, without punctuation around them."""
        found = (_EDGES.sub("", word) for word in fold(self.text).split())
        return tuple(dict.fromkeys(filter(None, found)))[:MOST_WORDS]

    @cached_property
    def number(self) -> str:
        """International digits, or how they begin; empty if this is no number, or one too short to tell anybody by."""
        found = digits(self.text)
        return found if len(found.lstrip("0")) >= FEWEST_DIGITS else ""

    @cached_property
    def last_digits(self) -> str:
        """The number without a local number's leading zero: what stored numbers end with."""
        return self.number.lstrip("0")

    @cached_property
    def tsquery(self) -> str:
        """All words, in any order, for `to_tsquery('simple', …)`; the longer ones also find how words begin.

        For whoever may not see numbers, what holds digits has to be whole: digit by digit any could be found out.
        """
        return " & ".join(_lexeme(word) for word in self.words)


def _lexeme(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    may_begin = len(word) >= SHORTEST_BEGINNING and (sees_numbers() or not any(map(str.isdecimal, word)))
    return f"'{escaped}'" + (":*" if may_begin else "")

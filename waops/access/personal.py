"""Decide how much of a phone number a reader sees: all of it, or only the country and the last digits.

Everything that shows or searches numbers asks here. Seeing all of it takes the permission `waops.see_numbers`. Outside
of requests nothing is masked.
"""

import re
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Reverse
from django.utils.translation import gettext as _

from waops.access.masking import in_ascii, masked_in
from waops.access.phones import masked, readable
from waops.access.readers import current

LAST = re.compile(r"[0-9]{4}")
"""Digits left visible at the end of a masked number."""
EXCERPT = 300
"""Characters of a text that lists read; a text of that length may be truncated."""
CUT = " …"
"""Ends a text that was already cut."""
DECIMALS = 3
"""Decimals of a fraction in JSON, for readers who cannot see numbers: the digits of a long fraction could be
a phone number.
"""


def sees_numbers() -> bool:
    return current().sees_numbers


def last_digits(typed: str) -> str:
    """The last four digits of a number if that is what was typed; otherwise empty. Pages show these digits anyway."""
    plain = in_ascii(typed.strip())
    return plain if LAST.fullmatch(plain) else ""


def may_search(typed: str) -> bool:
    """Whether this reader may search texts and names for the term.

    Without the permission to see numbers, a search for digits would reveal them guess by guess.
    """
    return sees_numbers() or not any(map(str.isnumeric, in_ascii(typed)))


def refusal(typed: str, *, by_number: bool) -> str:
    """Why this reader may not search for the term; empty if they may. `by_number`: the list can search for
    last digits.
    """
    if may_search(typed) or (by_number and last_digits(typed)):
        return ""
    if by_number:
        return _("You cannot see full phone numbers. Search for a name, or for the last four digits of a number.")
    return _("You cannot see full phone numbers, so you cannot search here for text with digits.")


def ending_with(rows: QuerySet[Any], field: str, last: str) -> QuerySet[Any]:
    """The rows whose number ends with those digits; uses the index on reversed numbers."""
    found: QuerySet[Any] = rows.alias(reversed=Reverse(field)).filter(reversed__startswith=last[::-1])
    return found


def shows(written: str) -> bool:
    """Whether this reader sees the whole text. An address or form may contain only such texts."""
    return sees_numbers() or masked_in(written) == written


def number_in_groups(number: str) -> str:
    """A stored number, formatted for people."""
    return readable(number) if current().sees_numbers else _hidden(number)


def number_as_stored(number: str) -> str:
    """A stored number as it is, where it names a row, for example in a title or a file."""
    return number if current().sees_numbers else _hidden(number)


def _hidden(number: str) -> str:
    """Mask the number, and also in all later texts of this request, whatever stands between its digits."""
    current().hidden_numbers.add(number)
    return masked(number)


def text(written: str, *, is_cut: bool = False) -> str:
    """A text from outside, with its numbers masked unless this reader sees them. `is_cut`: the text is truncated."""
    reader = current()
    if reader.sees_numbers:
        return written
    return masked_in(written, reader.hidden_numbers, is_cut=is_cut or written.endswith(CUT))


def json(value: Any) -> Any:
    """A JSON value with all numbers masked in its texts and among its integers."""
    if current().sees_numbers:
        return value
    return _masked(value)


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {text(str(key)): _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, float) and abs(value) < 1:
        return round(value, DECIMALS)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        written = str(value)
        if "e" in written and isinstance(value, float):
            written = f"{value:.0f}"
        hidden = text(written)
        return value if hidden == written else hidden
    return value
